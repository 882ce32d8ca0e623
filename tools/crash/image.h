/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The disk as one stretch of memory. What a crash may have kept is laid over it
 * and taken away again, so that an image costs its changes only.
 */
#ifndef SWB_CRASH_IMAGE_H
#define SWB_CRASH_IMAGE_H

#include "core/port.h"
#include "ops.h"

/** struct image_change - bytes laid over the image, with what was there */
struct image_change {
	u64 off;
	u32 len;
	size_t saved;
};

/**
 * struct image - a disk
 * @bytes: its content now
 * @size: in bytes
 * @epoch: raised whenever the durable content changes
 * @change: what is laid over it, oldest first
 * @changes: how many
 * @saved: bytes that were there before
 */
struct image {
	u8 *bytes;
	u64 size;
	u32 epoch;
	struct image_change *change;
	size_t changes;
	size_t change_cap;
	u8 *saved;
	size_t saved_len;
	size_t saved_cap;
};

extern struct image *image_now;	/* the one that checksums are remembered of */

void image_create(struct image *im, u64 size);
void image_destroy(struct image *im);

/** image_settle() - a durable write; nothing may be laid over the image */
void image_settle(struct image *im, u64 off, const void *src, u32 len);

/** image_lay() - lay a write over it */
void image_lay(struct image *im, u64 off, const void *src, u32 len);

/** image_undo() - take away all but the first @changes */
void image_undo(struct image *im, size_t changes);

/** image_changed() - is anything laid over these bytes? */
bool image_changed(const struct image *im, u64 off, u64 len);

#endif /* SWB_CRASH_IMAGE_H */
