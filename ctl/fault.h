/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fault points, for tests: swblockd --faults. SWBLOCKD_FAULT, or the file that
 * SWBLOCKD_FAULT_FILE names, holds words "STEP.before:ACTION" or
 * "STEP.after#N:ACTION" (the N-th passage only); ACTION is kill, stop or
 * delay=MS.
 */
#ifndef SWB_CTL_FAULT_H
#define SWB_CTL_FAULT_H

#include "ctl.h"

/** fault_arm() - from now on they act */
void fault_arm(void);

/** fault_point() - here a test may strike; may be called from any thread */
void fault_point(const char *step, bool after);

/** fault_list() - names of all points, one a line */
void fault_list(void);

#endif /* SWB_CTL_FAULT_H */
