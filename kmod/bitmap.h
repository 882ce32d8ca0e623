/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The changed-block bitmap of a member: which granules of the extent were changed
 * by records that have left the log since its base (P11). On disk it is a region of
 * pages, each with its own checksum; one that cannot be believed counts as all
 * ones, for copying too much is only slow.
 *
 *	extent written -> bits set, their pages written -> flush -> superblock with
 *	the new extent_lo: so a bit is durable before its record may be trimmed
 *	base durable -> bits cleared: the other way round would lose some
 *
 * And a plain set of blocks of the extent, in memory only, for whoever needs one.
 * Everything is allocated at attach (or when a rebuild begins), nothing later.
 * Lock: flusher.mutex. Context: process, may wait for the disk.
 */
#ifndef SWB_BITMAP_H
#define SWB_BITMAP_H

#include "core/core.h"
#include "store.h"

/**
 * struct swb_blocks - a set of blocks of the extent
 * @map: one bit for each, little-endian words
 * @count: blocks in the extent
 * @shift: log2 of the sectors of a block
 * @set: bits that are set
 */
struct swb_blocks {
	void *map;
	u64 count;
	u32 shift;
	u64 set;
};

/** swb_blocks_create() - an empty set; @block_bytes a power of two. May sleep */
int swb_blocks_create(struct swb_blocks *b, u64 extent_bytes, u32 block_bytes);
void swb_blocks_destroy(struct swb_blocks *b);

/**
 * swb_blocks_add() - every block that [@start, @end), in sectors, touches
 * Return: true if one of them was not in the set.
 */
bool swb_blocks_add(struct swb_blocks *b, u64 start, u64 end);

/** swb_blocks_fill() - all of them */
void swb_blocks_fill(struct swb_blocks *b);

/**
 * swb_blocks_next() - the first run of blocks that are (@in) or are not in the set
 * @b: set
 * @in: which
 * @start: in sectors; looked for from here on, filled with its first one
 * @end: looked for up to here; filled with the sector after its last one
 *
 * Return: false if there is none. A run may begin and end inside a block where
 * @start and @end do.
 */
bool swb_blocks_next(const struct swb_blocks *b, bool in, u64 *start, u64 *end);

#define SWB_BITMAP_WRITES	32	/* pages in flight at once */

struct swb_bitmap_write;

/**
 * struct swb_bitmap - the changed-block bitmap
 * @blocks: the bits
 * @store: device it is on
 * @offset: first byte there
 * @pages: of the region in use
 * @dirty: pages that differ from the disk
 * @dirty_count: of them
 * @ring_id: tells our pages from others
 * @write: pages and bios for writing
 * @pending: writes in flight, and one
 * @done: none is left
 * @error: first error of one
 */
struct swb_bitmap {
	struct swb_blocks blocks;
	struct swb_store *store;
	u64 offset;
	u32 pages;
	unsigned long *dirty;
	u32 dirty_count;
	u64 ring_id;
	struct swb_bitmap_write *write;
	atomic_t pending;
	struct completion done;
	int error;
};

/**
 * swb_bitmap_create() - memory, and the bits as they are on disk
 * @b: zeroed
 * @store: data device
 * @d: superblock
 *
 * Return: 0, -ENOMEM, or an error of the disk.
 */
int swb_bitmap_create(struct swb_bitmap *b, struct swb_store *store,
		      const struct swb_durable *d);
void swb_bitmap_destroy(struct swb_bitmap *b);

/**
 * swb_bitmap_grow() - the extent becomes @extent_bytes large; the new part is as
 * nobody changed it. The region on disk has the room.
 *
 * Return: 0, -ENOMEM (nothing is changed).
 */
int swb_bitmap_grow(struct swb_bitmap *b, u64 extent_bytes);

/** swb_bitmap_set() - [@start, @end), in sectors, was changed */
void swb_bitmap_set(struct swb_bitmap *b, u64 start, u64 end);

/** swb_bitmap_clear() - nothing was changed since the base, which is durable */
void swb_bitmap_clear(struct swb_bitmap *b);

/** swb_bitmap_write() - what differs from the disk goes there, not flushed */
int swb_bitmap_write(struct swb_bitmap *b);

/**
 * swb_bitmap_copy() - a snapshot: every bit that is set now is set in it
 * @b: bitmap
 * @copy: an empty set of the same granule
 */
void swb_bitmap_copy(struct swb_bitmap *b, struct swb_blocks *copy);

#endif /* SWB_BITMAP_H */
