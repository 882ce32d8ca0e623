/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads that the primary's own disk fails: served by a replica, and repaired. */
#ifndef SWB_MEND_H
#define SWB_MEND_H

#include <linux/bio.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include "core/codec.h"
#include "format/wire.h"

struct swb_link;
struct swb_req;
struct swb_volume;

/** enum swb_mend_state - of the question that is out */
enum swb_mend_state {
	SWB_MEND_IDLE,
	SWB_MEND_ASKED,
	SWB_MEND_ANSWERED,
	SWB_MEND_BEHIND,	/* the answer is of an older LSN than is needed */
	SWB_MEND_CANNOT,	/* the replica cannot read it either */
};

/**
 * struct swb_mend - mending of one volume; one block at a time
 * @work: takes io.held_reads one after the other, on read_wq
 * @wait: the worker, for an answer or the end of a repair
 * @ticket: drawn for each held read; lock
 * @state: enum swb_mend_state; lock
 * @asked: member index the question went to; lock
 * @session: and the session; lock
 * @serial: of the question; lock
 * @sector: first sector of it; lock
 * @bytes: of it; lock
 * @need: LSN that the answer must reach; lock
 * @data: the answer; the worker's once @state is ANSWERED
 * @buf: the block as it is put together; the worker's
 * @borrowed: some of @buf came from a replica; the worker's
 * @repairing: a repair is being submitted, or under way; lock
 * @stuck: the last one was waited for in vain; the worker's
 * @page: its payload
 * @bio: the repair
 * @bvec: its segment
 */
struct swb_mend {
	struct work_struct work;
	wait_queue_head_t wait;
	u64 ticket;
	u8 state;
	u8 asked;
	u64 session;
	u64 serial;
	u64 sector;
	u32 bytes;
	u64 need;
	void *data;
	void *buf;
	bool borrowed;
	bool repairing;
	bool stuck;
	struct page *page;
	struct bio bio;
	struct bio_vec bvec;
};

/**
 * struct swb_mend_answer - what a replica lends, until tx sends it; v->lock
 * @serial: of the question
 * @sector: first of it
 * @bytes: of it, 0 if there is no answer to send
 * @head: the content is that of this LSN
 * @session: of the question
 * @readable: @data holds it
 * @data: SWB_WIRE_READ_MAX bytes
 * @tx_data: the same, being sent; tx
 */
struct swb_mend_answer {
	u64 serial;
	u64 sector;
	u32 bytes;
	u64 head;
	u64 session;
	bool readable;
	void *data;
	void *tx_data;
};

int swb_mend_init(struct swb_volume *v);
void swb_mend_destroy(struct swb_volume *v);

/** swb_mend_stop() - with @removing set: no repair begins any more, none is under way */
void swb_mend_stop(struct swb_volume *v);

/**
 * swb_mend_hold() - may somebody else have what the disk failed to read?
 * @req: an admitted read, which nobody else refers to any more
 *
 * Context: any, under volume->lock.
 * Return: true if the read is kept: swb_read_mended() ends it, or a deadline
 */
bool swb_mend_hold(struct swb_req *req);

/** swb_mend_fill() - tx: the question or the answer, false if there is none; v->lock */
bool swb_mend_fill(struct swb_link *l, struct swb_frame *f);

/** swb_mend_asked() - rx of a replica: the question; 0 or a reason */
int swb_mend_asked(struct swb_link *l, const struct swb_frame *f);

/** swb_mend_answered() - rx of a primary: the answer; 0 */
int swb_mend_answered(struct swb_link *l, const struct swb_frame *f);

#endif /* SWB_MEND_H */
