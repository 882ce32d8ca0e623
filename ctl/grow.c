// SPDX-License-Identifier: GPL-2.0-only
/*
 * A volume that was declared larger: each host makes its own members larger, again
 * and again until the kernel agrees. The kernel keeps the order: a replica at once,
 * the primary when every member is matched and large enough. Decides nothing.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon.h"
#include "fault.h"

#define GROW_PACE_NS	(2 * NSEC_PER_SEC)

void grow_turn(struct daemon *d, struct vol *v, struct own *o)
{
	uint64_t now = boottime_ns();
	int err;

	if (!o->wished || v->b->wish.size_bytes <= o->kv->size_bytes)
		return;
	if (now < o->grow_next_ns) {
		turn_wake(d, o->grow_next_ns);
		return;
	}
	o->grow_next_ns = now + GROW_PACE_NS;
	o->grow_cookie = random_u64();
	fault_point("grow", false);
	err = kern_resize(d->kern, o->kv->id, v->b->wish.size_bytes,
			  o->grow_cookie);
	fault_point("grow", true);
	/* not yet, or already at it: that is the order of growing, no failure */
	if (err && err != -EBUSY)
		snprintf(o->error, sizeof(o->error), "%s",
			 *kern_error(d->kern) ? kern_error(d->kern) :
						strerror(-err));
	turn_wake(d, o->grow_next_ns);
}

void grow_event(struct daemon *d, struct own *o, const struct kern_event *ev)
{
	if (!o->grow_cookie || ev->cookie != o->grow_cookie)
		return;
	if (ev->kind == SWBLOCK_EVENT_RESIZED) {
		log_say(LOG_LEVEL_NOTICE, &(struct log_about){ .member = o->label },
			"the member is larger now", "volume_id=%" PRIu32,
			ev->volume_id);
		o->error[0] = 0;
	}
	o->grow_cookie = 0;
	d->dump_due = true;
}
