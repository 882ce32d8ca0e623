/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Write-back: records at or below the core's limit go from the log to the extent
 * in sorted batches, then the checkpoint advances and the ring is trimmed.
 *
 *   hi durable -> extent writes and changed-block bits complete -> all flushed ->
 *   superblock with lo = hi (and the next hi) durable -> only then the ring space
 *   is free
 *
 * One kthread. Order of locks: step_mutex, flusher.mutex, super.mutex, lock. It
 * never posts while it holds its mutex.
 */
#ifndef SWB_FLUSHER_H
#define SWB_FLUSHER_H

#include <linux/mutex.h>
#include "bitmap.h"
#include "super.h"
#include "wal.h"

/**
 * struct swb_flusher_ops - what the flusher tells its owner; process context
 * @checkpointed: extent_lo and S, both durable; @ns: that superblock write took so
 *	long
 * @failed: the extent or the superblock could not be written
 * @wrote: so many bytes, up to record @lsn, went to the extent in @ns
 * @want_committed: the ring fills with what the core does not let go yet; the lock is
 *	held, so it leaves a fact and returns
 */
struct swb_flusher_ops {
	void (*checkpointed)(void *ctx, u64 extent_lo, u64 start, u64 ns);
	void (*failed)(void *ctx, int err);
	void (*wrote)(void *ctx, u64 lsn, u64 bytes, u64 ns);
	void (*want_committed)(void *ctx);
};

struct swb_flusher {
	struct mutex mutex;	/* over one batch */
	struct task_struct *task;
	wait_queue_head_t wait;
	struct swb_wal *wal;
	struct swb_super *super;
	struct swb_store *data;
	struct swb_core *core;
	struct swb_bitmap *bitmap;	/* mutex */
	struct swb_blocks *written;	/* mutex; NULL, or notes what is written back */
	spinlock_t *lock;	/* the member's */
	const struct swb_flusher_ops *ops;
	void *ctx;
	bool kicked;
	bool urgent;	/* ring is filling: do not wait for a batch to gather */
	bool starved;	/* there is much to do, but the core allows nothing */
	bool stop;
	struct swb_flusher_priv *priv;
};

int swb_flusher_start(struct swb_flusher *f, const char *name);
void swb_flusher_stop(struct swb_flusher *f);

/** swb_flusher_kick() - there may be something to do; any context */
void swb_flusher_kick(struct swb_flusher *f, bool urgent);

/** swb_flusher_pause() - no batch runs until resume; waits for the running one */
void swb_flusher_pause(struct swb_flusher *f);
void swb_flusher_resume(struct swb_flusher *f);

/**
 * swb_flusher_drain() - write back every record <= @lsn, and flush; paused
 * @f: flusher
 * @lsn: all of them are in the log and written there
 *
 * Return: 0 or an error of the disk. extent_lo is at least @lsn then.
 */
int swb_flusher_drain(struct swb_flusher *f, u64 lsn);

#endif /* SWB_FLUSHER_H */
