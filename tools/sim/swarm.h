/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random runs: a seed draws a plan with its shape, faults and workload; safety is
 * checked after every event; then everything heals and the members must agree.
 */
#ifndef SWB_SIM_SWARM_H
#define SWB_SIM_SWARM_H

#include "plan.h"

/** swarm_plan() - the plan of @seed, with @nodes members or 0 for any */
void swarm_plan(struct plan *p, u64 seed, u8 nodes);

/** swarm_run() - one seed, @nodes members or 0 for any; true if nothing broke */
bool swarm_run(struct world *w, u64 seed, u8 nodes, bool trace,
	       enum sim_break broken);

/** sim_break_name() - name of a broken rule, NULL if there is none such */
const char *sim_break_name(enum sim_break b);
const char *sim_break_text(enum sim_break b);
/** sim_break_redundant() - why no run can show it, NULL if one must */
const char *sim_break_redundant(enum sim_break b);

#endif /* SWB_SIM_SWARM_H */
