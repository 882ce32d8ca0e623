// SPDX-License-Identifier: GPL-2.0-only
/*
 * A member becomes larger while it runs.
 *
 *	check -> zero the new part of the extent, piece by piece -> flush ->
 *	EXTENT_GROWN: the core saves the superblock, then tells peers and users
 *
 * A crash on the way leaves the old size, and zeroes that the next attempt writes
 * again. Must not decide who may grow and when: the core says so, before and after
 * the zeroing. Nothing reads or writes beyond the old size meanwhile: records of
 * the primary end at its own size, and it grows last.
 *
 * Lock: volume->lock for @busy. Context: process; a worker, which waits for the
 * disk, and looks at @removing between two pieces.
 */
#include <linux/blkdev.h>
#include "idle.h"
#include "manage.h"
#include "notify.h"
#include "post.h"
#include "resize.h"

#define PIECE_SECTORS	((16u << 20) >> SECTOR_SHIFT)

/* Sentences that the user gets: what to do next is in them. */
static const char *refusal(enum swb_grow grow)
{
	switch (grow) {
	case SWB_GROW_SIZE:
		return "no such size: a multiple of the block size, please";
	case SWB_GROW_SHRINKS:
		return "a volume does not shrink: make a smaller one and copy";
	case SWB_GROW_FAILED:
		return "the disk of this member has failed: replace it";
	case SWB_GROW_LATER:
		return "an epoch is being adopted or opened, or a copy is being made: try again";
	case SWB_GROW_BITMAP:
		return "its changed-block bitmap is too small: format it anew on a larger disk";
	case SWB_GROW_PEERS:
		return "the primary grows last: grow every other member first, and link it";
	case SWB_GROW_OK:
		break;
	}
	return NULL;
}

static enum swb_grow grow_check(struct swb_volume *v, u64 bytes)
{
	enum swb_grow grow;
	unsigned long flags;

	spin_lock_irqsave(&v->lock, flags);
	grow = swb_core_grow_check(&v->core, bytes);
	spin_unlock_irqrestore(&v->lock, flags);
	return grow;
}

static int zero_new_part(struct swb_volume *v, u64 bytes)
{
	const struct swb_durable *d = &v->core.d;
	sector_t from = (d->extent_offset + d->extent_bytes) >> SECTOR_SHIFT;
	sector_t end = (d->extent_offset + bytes) >> SECTOR_SHIFT;
	int err = 0;

	while (from < end && !err) {
		sector_t n = min_t(sector_t, end - from, PIECE_SECTORS);

		if (READ_ONCE(v->removing))
			return -ENODEV;
		err = swb_idle_zeroout(v->data.bdev, from, n);
		from += n;
	}
	return err ?: swb_store_flush(&v->data);
}

/* Saved, and not only in memory: swb_post() returns after the save. */
static bool is_saved(struct swb_volume *v, u64 bytes)
{
	unsigned long flags;
	bool saved;

	spin_lock_irqsave(&v->lock, flags);
	saved = v->core.extent_saved == bytes;
	spin_unlock_irqrestore(&v->lock, flags);
	return saved;
}

static const char *grow(struct swb_volume *v, u64 bytes)
{
	struct swb_event ev = {
		.type = SWB_EV_EXTENT_GROWN, .peer = SWB_NOBODY, .lsn = bytes,
	};
	const char *why;
	int err;

	if (is_saved(v, bytes))
		return NULL;
	if (zero_new_part(v, bytes))
		return "the new part of the device cannot be zeroed";
	why = refusal(grow_check(v, bytes));
	if (why)
		return why;
	swb_idle_lock(&v->flusher.mutex);
	err = swb_bitmap_grow(&v->bitmap, bytes);
	mutex_unlock(&v->flusher.mutex);
	if (err)
		return swb_no_memory;
	swb_post(v, &ev);
	if (is_saved(v, bytes))
		return NULL;
	return refusal(grow_check(v, bytes)) ?: "the new size cannot be saved";
}

static void resize_work(struct work_struct *work)
{
	struct swb_resize *r = container_of(work, struct swb_resize, work);
	struct swb_volume *v = container_of(r, struct swb_volume, resize);
	struct swb_notice n = {
		.kind = SWBLOCK_EVENT_RESIZED, .peer = SWB_NOBODY,
		.cookie = r->cookie,
	};
	unsigned long flags;

	n.text = grow(v, r->bytes);
	if (n.text) {
		n.kind = SWBLOCK_EVENT_REFUSED;
		n.err = EBUSY;
	}
	spin_lock_irqsave(&v->lock, flags);
	r->busy = false;
	spin_unlock_irqrestore(&v->lock, flags);
	swb_notify(v, &n);
}

static int grow_errno(enum swb_grow grow)
{
	switch (grow) {
	case SWB_GROW_SIZE:
	case SWB_GROW_SHRINKS:
		return -EINVAL;
	case SWB_GROW_FAILED:
		return -EIO;
	case SWB_GROW_BITMAP:
		return -ENOSPC;
	case SWB_GROW_LATER:
	case SWB_GROW_PEERS:
		return -EBUSY;
	case SWB_GROW_OK:
		break;
	}
	return 0;
}

/* The log lies before the extent, or elsewhere: what follows is free. */
static bool fits(struct swb_volume *v, u64 bytes)
{
	const struct swb_durable *d = &v->core.d;

	if (!v->wal_store.bdev && d->ring_offset > d->extent_offset)
		return bytes <= d->ring_offset - d->extent_offset;
	return bytes <= bdev_nr_bytes(v->data.bdev) - d->extent_offset;
}

int swb_resize_start(struct swb_volume *v, u64 bytes, u64 cookie,
		     const char **why)
{
	enum swb_grow grow = grow_check(v, bytes);
	struct swb_resize *r = &v->resize;
	unsigned long flags;
	int err = 0;

	*why = "the device is too small: enlarge it first";
	if (grow != SWB_GROW_SIZE && !fits(v, bytes))
		return -ENOSPC;
	*why = refusal(grow);
	if (grow != SWB_GROW_OK)
		return grow_errno(grow);
	spin_lock_irqsave(&v->lock, flags);
	if (v->removing) {
		*why = swb_being_removed;
		err = -ENODEV;
	} else if (r->busy) {
		*why = "this member grows already: wait for the event RESIZED";
		err = -EBUSY;
	} else {
		r->busy = true;
		r->bytes = bytes;
		r->cookie = cookie;
		queue_work(system_unbound_wq, &r->work);
	}
	spin_unlock_irqrestore(&v->lock, flags);
	return err;
}

void swb_resize_init(struct swb_volume *v)
{
	INIT_WORK(&v->resize.work, resize_work);
}

void swb_resize_stop(struct swb_volume *v)
{
	swb_idle_flush(&v->resize.work);
}
