/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scenario scripts: one command a line, '#' starts a comment. The language is
 * described in docs/simulator.md.
 */
#ifndef SWB_SIM_SCRIPT_H
#define SWB_SIM_SCRIPT_H

#include "world.h"

/** script_run() - true if every expectation held; else @why says which did not */
bool script_run(struct world *w, const char *path, bool trace,
		enum sim_break broken, char *why, size_t why_len);

#endif /* SWB_SIM_SCRIPT_H */
