/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Make a failing plan small: leave out operations, members and trouble as long
 * as the same invariant breaks, until a reader can follow what is left.
 */
#ifndef SWB_SIM_SHRINK_H
#define SWB_SIM_SHRINK_H

#include "plan.h"
#include "story.h"

/**
 * struct outcome - what a run came to
 * @id: number of the invariant that broke first, 0 if none, OUTCOME_DIED if
 *      the simulator itself died
 */
struct outcome {
	u32 id;
	u64 events;
	u64 end_ns;
	char first[256];
	struct story story;
};

#define OUTCOME_DIED	999

/**
 * plan_try() - run a plan in a process of its own
 *
 * Return: false if there is no process to be had.
 */
bool plan_try(const struct plan *p, enum sim_break broken,
	      struct outcome *out);

/**
 * plan_shrink() - @p becomes the smallest plan found that breaks the same
 * @best: its outcome
 * @runs: how many runs it took
 *
 * Return: false if @p breaks nothing, or not the same twice.
 */
bool plan_shrink(struct plan *p, enum sim_break broken, struct outcome *best,
		 u32 *runs);

#endif /* SWB_SIM_SHRINK_H */
