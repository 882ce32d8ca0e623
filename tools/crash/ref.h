/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the volume must hold at any LSN: which operation wrote each block last.
 * LSNs are learned from the log as it was written, but contents are not: every
 * record must continue an operation that had begun, and what that operation
 * writes is known from its number.
 */
#ifndef SWB_CRASH_REF_H
#define SWB_CRASH_REF_H

#include "codec.h"
#include "rec.h"

/** struct ref_version - block content from @lsn on: of operation @op, 0: zeroes */
struct ref_version {
	u64 lsn;
	u64 op;
};

struct ref_block {
	struct ref_version *v;
	u32 count;
	u32 cap;
};

/**
 * struct ref_op - an operation of the workload
 * @kind: its letter; 0: has not begun
 * @first: first block
 * @count: blocks
 * @logged: blocks found in the log so far
 * @last_lsn: of its newest record
 * @target: barriers: what they cover
 * @ended: it returned
 */
struct ref_op {
	char kind;
	u32 first;
	u32 count;
	u32 logged;
	u64 last_lsn;
	u64 target;
	bool ended;
};

/** struct ref_early - a group that was issued before its predecessor */
struct ref_early {
	const u8 *bytes;
	u64 first_lsn;
	u32 nrec;
};

/**
 * struct ref - the truth
 * @blocks: of the volume
 * @block_bytes: size of one
 * @block: versions of each
 * @op: operations by number
 * @ops: highest number
 * @oldest: lowest number that may still have records to come
 * @head: highest LSN ever issued
 * @live: highest LSN that may still be recovered: falls when a cut is durable
 * @acked: LSN that a crash may not go below
 * @incarnation: newest durable one
 * @early: groups that wait for their predecessor
 */
struct ref {
	u32 blocks;
	u32 block_bytes;
	struct ref_block *block;
	struct ref_op *op;
	u64 ops;
	u64 oldest;
	u64 head;
	u64 live;
	u64 acked;
	u64 incarnation;
	struct ref_early early[16];
	u32 earlies;
};

void ref_create(struct ref *r, const struct rec *rec);
void ref_destroy(struct ref *r);

/** ref_begin(), ref_end() - marks of the workload */
void ref_begin(struct ref *r, const struct rec_event *e);
void ref_end(struct ref *r, const struct rec_event *e);

/**
 * ref_group() - a group was issued
 * Return: NULL, or what is wrong with it.
 */
const char *ref_group(struct ref *r, const u8 *bytes, u32 len,
		      const struct swb_durable *d);

/** ref_super() - a superblock became durable */
void ref_super(struct ref *r, const struct swb_durable *d);

/** ref_op_at() - the operation whose content block @block has at @lsn */
u64 ref_op_at(const struct ref *r, u32 block, u64 lsn);

/** ref_matches() - is @p what @op wrote to @block? NULL: zeroes */
bool ref_matches(const u8 *p, u64 op, u32 block, u32 block_bytes);

#endif /* SWB_CRASH_REF_H */
