/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * debugfs: /sys/kernel/debug/swblock/ID/{state,inflight}, for a person who looks for
 * what a volume waits for. No contract: docs/ABI/testing/debugfs-swblock.
 */
#ifndef SWB_DEBUG_H
#define SWB_DEBUG_H

#include "volume.h"

/** swb_debug_init() - the directory of the module; without it all goes on */
void swb_debug_init(void);
void swb_debug_exit(void);

/** swb_debug_add() - the directory of a volume, named by its id */
void swb_debug_add(struct swb_volume *v);

/**
 * swb_debug_remove() - take it away again
 *
 * Waits for whoever reads it at this moment. It is there until the volume has
 * stopped, for that may take long and is what somebody will look at.
 */
void swb_debug_remove(struct swb_volume *v);

#endif /* SWB_DEBUG_H */
