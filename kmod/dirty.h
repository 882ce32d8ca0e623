/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Index of what the extent does not hold yet: disjoint sector ranges, each with
 * the newest record that covers it. Preallocated nodes: R live records make at
 * most 2R - 1 ranges, whatever the order of insertion. The caller's lock.
 */
#ifndef SWB_DIRTY_H
#define SWB_DIRTY_H

#include <linux/rbtree.h>
#include <linux/types.h>

/**
 * struct swb_range - one range of the index
 * @node: in the tree, by @start
 * @start: first sector
 * @end: sector after the last
 * @lsn: record that covers it
 * @payload_off: byte offset of @start's data in the payload of the record's
 *	group (not of the record); meaningless if @zeroes
 * @zeroes: the record writes zeroes
 */
struct swb_range {
	struct rb_node node;
	u64 start;
	u64 end;
	u64 lsn;
	u32 payload_off;
	bool zeroes;
};

/**
 * struct swb_dirty - the index
 * @root: tree of struct swb_range
 * @free: nodes that were used before, chained through node.rb_right
 * @fresh: nodes from here on were not used since the last clear
 * @nodes: the preallocated array
 * @records_max: live records it was made for
 * @records: live records inserted and not yet retired
 * @count: ranges in the tree
 */
struct swb_dirty {
	struct rb_root root;
	struct rb_node *free;
	u32 fresh;
	struct swb_range *nodes;
	u32 records_max;
	u32 records;
	u32 count;
};

#define SWB_RECORDS_MIN	1024
#define SWB_RECORDS_MAX	131072	/* of a volume: some 15 MiB of nodes */

/**
 * swb_dirty_records() - how many records the index of a ring should hold: as many
 * single blocks as it has room for, within limits. Should they not suffice,
 * writers wait for the flusher.
 */
static inline u32 swb_dirty_records(u64 ring_bytes, u32 block_bytes)
{
	u64 n = ring_bytes >> (block_bytes == 512 ? 9 : 12);

	return n < SWB_RECORDS_MIN ? SWB_RECORDS_MIN :
	       n > SWB_RECORDS_MAX ? SWB_RECORDS_MAX : n;
}

/** swb_dirty_create() - room for @records_max records; may sleep */
int swb_dirty_create(struct swb_dirty *d, u32 records_max);
void swb_dirty_destroy(struct swb_dirty *d);

/** swb_dirty_grow() - double the room; may sleep, nobody else uses the index */
int swb_dirty_grow(struct swb_dirty *d);

/**
 * swb_dirty_insert() - record @lsn covers [start, end); older ranges give way,
 * newer ones stay. Order of calls does not matter. Never fails while
 * records < records_max, which admission keeps true.
 */
void swb_dirty_insert(struct swb_dirty *d, u64 start, u64 end, u64 lsn,
		      u32 payload_off, bool zeroes);

/** swb_dirty_find() - first range with end > @sector, or NULL */
struct swb_range *swb_dirty_find(struct swb_dirty *d, u64 sector);
struct swb_range *swb_dirty_next(struct swb_range *r);

/**
 * swb_dirty_retire() - [start, end) is in the extent up to @lsn: drop the ranges
 * in it whose record is <= @lsn
 */
void swb_dirty_retire(struct swb_dirty *d, u64 start, u64 end, u64 lsn);

/** swb_dirty_retired() - @n records will never be looked up again */
void swb_dirty_retired(struct swb_dirty *d, u32 n);

/** swb_dirty_clear() - forget everything, at once */
void swb_dirty_clear(struct swb_dirty *d);

#endif /* SWB_DIRTY_H */
