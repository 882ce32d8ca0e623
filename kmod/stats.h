/* SPDX-License-Identifier: GPL-2.0-only */
/* Per-CPU counters of a volume, by enum swblock_stat. Any context. */
#ifndef SWB_STATS_H
#define SWB_STATS_H

#include <linux/percpu.h>
#include "uapi/linux/swblock.h"

struct swb_stats {
	u64 v[SWBLOCK_STAT_MAX + 1];
};

#define swb_stat_add(vol, which, n) \
	this_cpu_add((vol)->stats->v[SWBLOCK_STAT_##which], (n))
#define swb_stat_inc(vol, which)	swb_stat_add(vol, which, 1)

u64 swb_stat_sum(struct swb_stats __percpu *s, unsigned int which);

#endif /* SWB_STATS_H */
