/* SPDX-License-Identifier: GPL-2.0-only */
/* Comparing replicas with their primary while everything runs, and repair. */
#ifndef SWB_VERIFY_H
#define SWB_VERIFY_H

#include <linux/wait.h>
#include <linux/workqueue.h>
#include "core/codec.h"
#include "format/wire.h"

struct swb_link;
struct swb_volume;

#define SWB_VERIFY_PIECE	65536	/* bytes compared at a time */
#define SWB_VERIFY_BLOCK	4096	/* bytes of one checksum */
#define SWB_VERIFY_SUMS		(SWB_VERIFY_PIECE / SWB_VERIFY_BLOCK)

static_assert(sizeof(struct swb_wire_sums) == SWB_VERIFY_SUMS * sizeof(__le32));

/**
 * struct swb_verify - one comparison of a primary with its replicas
 * @work: the whole of it
 * @wait: the worker, for an answer
 * @busy: one is under way; lock
 * @stop: it shall end; lock
 * @repair: rewrite what differs, the primary's content wins
 * @cookie: of the order
 * @sector: first of the piece that the question is about; lock
 * @bytes: of it, 0 if there is no question; lock
 * @serial: of the question that is out; lock
 * @asked: member index it went to; lock
 * @session: and the session; lock
 * @answered: the answer is there; lock
 * @sums: of the answer; lock
 * @buf: content of the piece here; the worker's
 * @own: checksums of it; the worker's
 * @differs: blocks that differ somewhere; the worker's
 */
struct swb_verify {
	struct work_struct work;
	wait_queue_head_t wait;
	bool busy;
	bool stop;
	bool repair;
	u64 cookie;
	u64 sector;
	u32 bytes;
	u64 serial;
	u8 asked;
	u64 session;
	bool answered;
	u32 sums[SWB_VERIFY_SUMS];
	void *buf;
	u32 own[SWB_VERIFY_SUMS];
	u64 differs;
};

/**
 * struct swb_verify_answer - what a replica found, until tx sends it; v->lock
 * @serial: of the question
 * @sector: first of the piece
 * @bytes: of it
 * @head: the content is that of this LSN
 * @session: of the question
 * @sums: crc32c of each block of the piece
 */
struct swb_verify_answer {
	u64 serial;
	u64 sector;
	u64 bytes;
	u64 head;
	u64 session;
	struct swb_wire_sums sums;
};

void swb_verify_init(struct swb_volume *v);

/**
 * swb_verify_start() - compare this primary's content with every replica in sync
 * @v: volume
 * @repair: rewrite what differs
 * @cookie: of the order
 * @why: text for the extended ack
 *
 * Starts and returns; each piece that differs is an event VERIFY, the end is the
 * event VERIFIED.
 *
 * Return: 0, -EINVAL (no primary), -EBUSY (one runs), -ENOMEM, -ENODEV
 */
int swb_verify_start(struct swb_volume *v, bool repair, u64 cookie,
		     const char **why);

/** swb_verify_cancel() - ask the one that runs to end; -ENOENT if none does */
int swb_verify_cancel(struct swb_volume *v, const char **why);

/** swb_verify_stop() - with @removing set: none runs after it */
void swb_verify_stop(struct swb_volume *v);

/** swb_verify_fill() - tx: the question, false if it is out of date; v->lock */
bool swb_verify_fill(struct swb_link *l, struct swb_frame *f);

/** swb_verify_asked() - rx of a replica: the question; 0, errno or a reason */
int swb_verify_asked(struct swb_link *l, const struct swb_frame *f);

/** swb_verify_answered() - rx of a primary: the answer; 0 or a reason */
int swb_verify_answered(struct swb_link *l, const struct swb_frame *f);

#endif /* SWB_VERIFY_H */
