/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One batch of write-back: which records, where their data is, and the extent
 * writes. For flusher.c only.
 */
#ifndef SWB_WBATCH_H
#define SWB_WBATCH_H

#include <linux/completion.h>
#include <linux/llist.h>
#include "flusher.h"
#include "walpriv.h"

#define SWB_WBATCH_GROUPS	1024
#define SWB_WBATCH_RECORDS	4096
#define SWB_WBATCH_BYTES	(16 * 1024 * 1024)
#define SWB_WBATCH_BUF_BYTES	(4 * 1024 * 1024)
#define SWB_WBATCH_BIOS		128
#define SWB_WBATCH_VECS		64

/**
 * struct swb_wsrc - a group of the batch
 * @first_lsn: its first LSN
 * @nrec: its live records
 * @group: in memory, referenced; or NULL: in the buffer
 * @ent: entry, pinned while it is read
 * @copy: of the entry
 * @buf_off: its header in the buffer, @copy.header_bytes before its payload
 */
struct swb_wsrc {
	u64 first_lsn;
	u32 nrec;
	struct swb_group *group;
	struct swb_ent *ent;
	struct swb_ent copy;
	u32 buf_off;
};

/**
 * struct swb_wbio - one extent write
 * @free: among those that are not in flight
 * @batch: whose
 * @bio: it
 * @vec: its segments
 */
struct swb_wbio {
	struct llist_node free;
	struct swb_wbatch *batch;
	struct bio bio;
	struct bio_vec vec[SWB_WBATCH_VECS];
};

/**
 * struct swb_wbatch - the batch under way, under flusher.mutex
 * @wal: log it comes from
 * @data: device it goes to
 * @lo: it begins after this LSN
 * @hi: and ends with this one
 * @map: newest contents of each sector among its records
 * @src: groups, by LSN
 * @src_count: of them
 * @buf: for groups that are not in memory
 * @bios: all extent writes there can be at a time
 * @free: of them, not in flight
 * @wait: for one of them
 * @pending: extent writes in flight, and one
 * @done: none is left
 * @error: first error of one
 */
struct swb_wbatch {
	struct swb_wal *wal;
	struct swb_store *data;
	u64 lo;
	u64 hi;
	struct swb_dirty map;
	struct swb_wsrc *src;
	u32 src_count;
	void *buf;
	struct swb_wbio *bios;
	struct llist_head free;
	wait_queue_head_t wait;
	atomic_t pending;
	struct completion done;
	int error;
};

int swb_wbatch_create(struct swb_wbatch *b, struct swb_wal *w,
		      struct swb_store *data);
void swb_wbatch_destroy(struct swb_wbatch *b);

/** swb_wbatch_plan() - end of a batch that begins after @lo, at most @limit; lock */
u64 swb_wbatch_plan(struct swb_wal *w, u64 lo, u64 limit);

/**
 * swb_wbatch_load() - get the records of (@lo, @hi] together; @b->hi may turn out
 * lower. swb_wbatch_drop() undoes it, also after an error.
 * Return: 0, -EIO, -EILSEQ: the ring does not hold what was written.
 */
int swb_wbatch_load(struct swb_wbatch *b, u64 lo, u64 hi);

/** swb_wbatch_write() - write it to the extent, wait; @bytes: how much it was */
int swb_wbatch_write(struct swb_wbatch *b, u64 *bytes);

/** swb_wbatch_retire() - take it out of the log's index */
void swb_wbatch_retire(struct swb_wbatch *b);
void swb_wbatch_drop(struct swb_wbatch *b);

#endif /* SWB_WBATCH_H */
