/* SPDX-License-Identifier: GPL-2.0-only */
/* A member becomes larger while it runs: zero, save, tell. */
#ifndef SWB_RESIZE_H
#define SWB_RESIZE_H

#include <linux/workqueue.h>

struct swb_volume;

/**
 * struct swb_resize - the one growth of a member that may be under way
 * @work: zeroes the new part, then posts EXTENT_GROWN
 * @busy: one is under way; volume->lock
 * @bytes: size it is about
 * @cookie: of the order
 */
struct swb_resize {
	struct work_struct work;
	bool busy;
	u64 bytes;
	u64 cookie;
};

void swb_resize_init(struct swb_volume *v);

/**
 * swb_resize_start() - make the member @bytes large
 * @v: volume, referenced by the caller
 * @bytes: new size of the volume here
 * @cookie: of the order
 * @why: text for the extended ack
 *
 * Starts and returns; ends in the event RESIZED, or in REFUSED.
 *
 * Return: 0, -EINVAL (no such size), -ENOSPC (larger than the device), -EBUSY (not
 * now: another one runs, or peers are smaller or away), -EIO, -ENODEV
 */
int swb_resize_start(struct swb_volume *v, u64 bytes, u64 cookie,
		     const char **why);

/** swb_resize_stop() - with @removing set: no growth is under way after it */
void swb_resize_stop(struct swb_volume *v);

#endif /* SWB_RESIZE_H */
