// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sums of the per-CPU counters of a volume. Does not reset them: since attach.
 * Lock: none; a sum taken while counters move is one of the values between.
 * Context: any.
 */
#include "stats.h"

u64 swb_stat_sum(struct swb_stats __percpu *s, unsigned int which)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu_ptr(s, cpu)->v[which];
	return sum;
}
