/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * struct swb_volume: one member of one volume on this host. Lifetime, references,
 * and who owns which part. The order of locks is written here, once:
 *
 *	manage registry mutex
 *	  volume->step_mutex	steps of the core and their actions, serialised
 *	    flusher.mutex	a batch of write-back, or a pause
 *	      super.mutex	one superblock save
 *	        volume->lock	irqsave: core, WAL, index, request lists, links
 *
 * No lock is held over a wait for a peer. step_mutex may be held over a superblock
 * save or a truncation, so it is never taken from submit_bio or from irq: those
 * leave a fact in struct swb_post and wake the engine thread (post.h).
 */
#ifndef SWB_VOLUME_H
#define SWB_VOLUME_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include "core/core.h"
#include "dirty.h"
#include "flusher.h"
#include "stats.h"
#include "store.h"
#include "super.h"
#include "wal.h"

struct swb_link;

/**
 * struct swb_post - facts that were left by contexts that may not step
 * @wait: the engine thread sleeps here
 * @task: the engine thread
 * @bits: SWB_POST_* pending
 * @barrier_want: highest target asked for; lock
 */
struct swb_post {
	wait_queue_head_t wait;
	struct task_struct *task;
	unsigned long bits;
	u64 barrier_want;
};

#define SWB_POST_PROGRESS	0	/* WAL written or flush ended */
#define SWB_POST_BARRIER	1
#define SWB_POST_FAILED		2	/* disk error: latch */
#define SWB_POST_SPACE		3	/* parked bios may try again */
#define SWB_POST_TICK		4
#define SWB_POST_CLOSED		5	/* last opener went away */
#define SWB_POST_STOP		6

/**
 * struct swb_io - upper requests; all under volume->lock
 * @writes: admitted, by LSN, waiting for the policy (struct swb_write)
 * @barriers: flushes and FUA writes, by target, waiting for C
 * @parked: bios not admitted yet, in order
 * @parked_count: of them
 * @inflight: admitted upper requests not ended, reads included
 * @held: HOLD_IO is in force
 * @deadline_ns: 0 = none; older requests are failed by the tick
 * @ring_full: the last admission failed for space
 */
struct swb_io {
	struct list_head writes;
	struct list_head barriers;
	struct bio_list parked;
	u32 parked_count;
	u32 inflight;
	bool held;
	bool ring_full;
	u64 deadline_ns;
};

struct swb_volume {
	struct kref ref;
	struct list_head node;
	u32 id;
	int minor;
	bool ready;
	bool removing;

	struct mutex step_mutex;
	spinlock_t lock;
	struct swb_core core;
	struct swb_post post;

	struct swb_store data;
	struct swb_store wal_store;	/* bdev NULL if the ring is on data */
	struct swb_super super;
	struct swb_wal wal;
	struct swb_dirty dirty;
	struct swb_flusher flusher;

	struct swb_io io;
	struct gendisk *disk;
	struct bio_set read_bios;
	mempool_t *writes_pool;

	struct swb_link *link[SWB_MEMBERS_MAX];	/* lock; peer.h */
	struct swb_stats __percpu *stats;
	struct workqueue_struct *wq;
	u32 conditions_told;
};

/** swb_volume_create() - claim, load, replay, start threads; no gendisk yet
 * @letter: local case letter, also on failure
 */
struct swb_volume *swb_volume_create(const char *data_path, const char *wal_path,
				     u8 *letter);

/** swb_volume_stop() - threads down, links down; upper I/O was failed before */
void swb_volume_stop(struct swb_volume *v);
void swb_volume_get(struct swb_volume *v);
void swb_volume_put(struct swb_volume *v);

static inline struct swb_store *swb_volume_wal_store(struct swb_volume *v)
{
	return v->wal_store.bdev ? &v->wal_store : &v->data;
}

#endif /* SWB_VOLUME_H */
