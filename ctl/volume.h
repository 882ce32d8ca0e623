/* SPDX-License-Identifier: GPL-2.0-only */
/* What the verbs of `swblockctl volume` share. */
#ifndef SWB_CTL_VOLUME_H
#define SWB_CTL_VOLUME_H

#include "cluster.h"

/* how often a verb looks at what the daemons say: 200 ms */
#define LOOK_US		200000

/** enum volume_goal - what volume_wait() waits for */
enum volume_goal {
	VOLUME_USABLE,	/* a primary serves it, the grant is settled */
	VOLUME_DONE,	/* and the wish is granted, all declared members in sync */
	VOLUME_STOPPED,	/* no primary any more */
};

/**
 * volume_wait() - watch the daemons until the goal is reached, or --timeout
 * @ctl: context, store open
 * @volume: which
 * @goal: what for
 *
 * Prints each step as it is seen. Return: CTL_OK or a printed error; on timeout
 * it says what is still missing, and that the daemons go on by themselves.
 */
int volume_wait(struct ctl *ctl, const struct swb_uuid *volume,
		enum volume_goal goal);

/** volume_need() - the declared volume pos[0]; CTL_OK or a printed error */
int volume_need(struct ctl *ctl, struct board **b, struct board_volume **v);

/** volume_change() - put the changed wish and wait; consumes @b */
int volume_change(struct ctl *ctl, struct board *b, struct board_volume *v,
		  enum volume_goal goal);

/** volume_take_member() - NODE:DISK[+LOG] with a fresh replica id */
int volume_take_member(struct ctl *ctl, const char *text, struct board_member *m);

/** volume_move() - make member @name of pos[0] primary, and wait */
int volume_move(struct ctl *ctl, const char *name);

#endif /* SWB_CTL_VOLUME_H */
