/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What really happened: every record ever appended, by (epoch, LSN), every
 * opening with its parent, and what was committed. Never read by a node.
 *
 * A write has a number (wid) that is in every 512-byte block it wrote, so any
 * image says which write each block came from. State at LSN x of the history
 * that ends in (epoch, lsn) = last write to each block among its records <= x.
 */
#ifndef SWB_SIM_REFERENCE_H
#define SWB_SIM_REFERENCE_H

#include "core/types.h"

#define SIM_BLOCK	512
#define SIM_BLOCKS_MAX	256

/**
 * struct ref_rec - a record as its primary appended it
 * @wid: number of the write, 0 for zeroes and open records
 * @block: first block
 * @blocks: their number
 * @type: enum swb_rec_type
 * @received: bit n: node n took it into memory at some time
 * @written: bit n: its log write completed on node n at some time
 */
struct ref_rec {
	u64 wid;
	u32 block;
	u32 blocks;
	u8 type;
	u32 received;
	u32 written;
};

/**
 * struct ref_epoch - one opening
 * @epoch: its number
 * @first_lsn: LSN of its open record
 * @parent: epoch of record first_lsn - 1 in the opener's log
 * @node: who opened it
 * @override: by an override
 * @committed: highest LSN that its primary ever committed in it
 */
struct ref_epoch {
	u64 epoch;
	u64 first_lsn;
	u64 parent;
	u8 node;
	bool override;
	u64 committed;
	u32 count;
	u32 cap;
	struct ref_rec *rec;
};

/**
 * struct reference - the whole truth
 * @at: @at[e] = index of epoch e in @epoch, plus one; 0 if never opened
 * @committed: highest LSN ever committed
 * @c_epoch: @c_epoch[x] = epoch of the committed record x
 * @next_wid: number of the next write
 */
struct reference {
	u32 epochs;
	u32 cap;
	struct ref_epoch *epoch;
	u64 at_cap;
	u32 *at;
	u64 committed;
	u64 c_cap;
	u64 *c_epoch;
	u64 next_wid;
	u32 blocks;
};

void ref_reset(struct reference *r, u32 blocks);
void ref_destroy(struct reference *r);

/** ref_open() - false if this epoch was opened before, by anybody */
bool ref_open(struct reference *r, u64 epoch, u64 first_lsn, u64 parent,
	      u8 node, bool override);

/** ref_append() - false if (epoch, lsn) exists or leaves a gap */
bool ref_append(struct reference *r, u64 epoch, u64 lsn, u8 type, u64 wid,
		u32 block, u32 blocks);

struct ref_epoch *ref_epoch_of(const struct reference *r, u64 epoch);
struct ref_rec *ref_find(const struct reference *r, u64 epoch, u64 lsn);

/** ref_epoch_at() - epoch of record @lsn in the history that ends at @tip */
u64 ref_epoch_at(const struct reference *r, u64 tip_epoch, u64 lsn);

/** ref_commit() - 0, or the LSN at which another record had been committed */
u64 ref_commit(struct reference *r, u64 tip_epoch, u64 lsn);

/** ref_committed_before() - highest LSN committed in epochs older than @epoch */
u64 ref_committed_before(const struct reference *r, u64 epoch);

/** ref_uncommit() - an override gave up what is above @lsn */
void ref_uncommit(struct reference *r, u64 lsn);

/** ref_state() - @wid[block] of the history (@tip_epoch, ...) at @lsn */
void ref_state(const struct reference *r, u64 tip_epoch, u64 lsn, u64 *wid);

/** ref_fill() - bytes of @block as write @wid wrote them */
void ref_fill(u8 *buf, u64 wid, u32 block);

/** ref_wid_of() - which write a block came from; false if it is a mixture */
bool ref_wid_of(const u8 *buf, u32 block, u64 *wid);

#endif /* SWB_SIM_REFERENCE_H */
