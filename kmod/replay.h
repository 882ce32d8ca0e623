/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Local recovery, kernel side: reads what core/recover.c judges, fills the
 * directory and the index, flushes, saves the raised incarnation.
 */
#ifndef SWB_REPLAY_H
#define SWB_REPLAY_H

#include "super.h"
#include "wal.h"

/**
 * swb_replay() - recover the log of a member; process context
 * @w: WAL, created, empty; its ring is set up here
 * @super: to save incarnation + 1 and log_end
 * @d: superblock as loaded; updated
 * @r: result for swb_core_init()
 * Return: 0 (r->letter names the case); -EUCLEAN with r->letter if refused; -EIO
 */
int swb_replay(struct swb_wal *w, struct swb_super *super, struct swb_durable *d,
	       struct swb_recovered *r);

#endif /* SWB_REPLAY_H */
