/* SPDX-License-Identifier: GPL-2.0-only */
/* The gendisk: the only file that has one. */
#ifndef SWB_BLKDEV_H
#define SWB_BLKDEV_H

#include "volume.h"

int swb_blkdev_init(void);
void swb_blkdev_exit(void);

/**
 * swb_blkdev_create() - /dev/swblock<minor>, capacity 0 until promoted
 * @v: volume
 * @minor: -1 = first free
 *
 * Links the lower devices for lsblk.
 * Return: 0, -EEXIST if @minor is taken, or another errno.
 */
int swb_blkdev_create(struct swb_volume *v, int minor);

/** swb_blkdev_set_role() - capacity, read-only flag and uevent for a new role */
void swb_blkdev_set_role(struct swb_volume *v, u8 role);

/**
 * swb_blkdev_set_size() - executor: the device became larger; whoever has it open
 * sees the new size, and userspace an event
 *
 * Context: step_mutex.
 */
void swb_blkdev_set_size(struct swb_volume *v, u64 bytes);

/**
 * swb_blkdev_claim() - no further opens, until each claim was given back
 *
 * Return: 0; -EBUSY if it is open, or claimed by somebody else, and not @force: a
 * forced removal must not wait for a demotion that a disk holds up.
 */
int swb_blkdev_claim(struct swb_volume *v, bool force);

/** swb_blkdev_unclaim() - openers may come again */
void swb_blkdev_unclaim(struct swb_volume *v);

/** swb_blkdev_destroy() - mark dead, fail upper bios, delete, put; may wait long */
void swb_blkdev_destroy(struct swb_volume *v);

#endif /* SWB_BLKDEV_H */
