/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What once failed, run before anything else. A line of the list is
 *
 *	seed N [NODES]			must pass
 *	plan FILE			must pass
 *	plan FILE BREAK I-NNN		must pass, and break that invariant when
 *					the rule BREAK is broken on purpose
 */
#ifndef SWB_SIM_CORPUS_H
#define SWB_SIM_CORPUS_H

#include "farm.h"

/** corpus_run() - each line of the list at @path; files are found beside it */
void corpus_run(const char *path, struct world *w, struct totals *t);

/** sim_break_find() - a broken rule by its name; false if there is none such */
bool sim_break_find(const char *name, enum sim_break *out);

#endif /* SWB_SIM_CORPUS_H */
