/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Many seeds on several cores: forked workers take the next seed from a shared
 * counter. A seed's run depends on nothing but the seed, and the failure that is
 * reported is that of the lowest seed, so the number of workers does not matter.
 */
#ifndef SWB_SIM_FARM_H
#define SWB_SIM_FARM_H

#include "world.h"

#define FARM_JOBS_MAX	64

/**
 * struct totals - sums over runs; plain numbers, kept in memory that the
 * workers share with their parent
 */
struct totals {
	u64 scenarios;
	u64 seeds;
	u64 events;
	u64 violations;
	u64 passed;
	u64 failed;
	u64 barriers;
	u64 promotions;
	u64 crashes;
	u64 truncations;
	u64 wraps;
	u64 copies[COPY_FATES];
	u64 letters[6][26];
};

/** totals_take() - add what a run counted; the world starts at zero again */
void totals_take(struct totals *t, struct world *w);
void totals_add(struct totals *t, const struct totals *more);

/**
 * struct farm - what to run
 * @first: first seed
 * @count: how many
 * @jobs: workers; a single seed runs without any
 * @nodes: members, 0 for any
 * @keep_going: a failure does not end it
 * @failed: called in the parent for the lowest failing seed, or with
 *          @keep_going for each as it comes, in the worker
 */
struct farm {
	u64 first;
	u64 count;
	u32 jobs;
	u8 nodes;
	bool trace;
	bool keep_going;
	enum sim_break broken;
	void (*failed)(const struct farm *f, u64 seed, const char *what);
};

/** farm_run() - adds to @t; @w is the world that is used */
void farm_run(const struct farm *f, struct world *w, struct totals *t);

#endif /* SWB_SIM_FARM_H */
