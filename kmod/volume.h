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

#include <linux/bio.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include "bitmap.h"
#include "core/core.h"
#include "dirty.h"
#include "flusher.h"
#include "guard.h"
#include "lat.h"
#include "mend.h"
#include "recorder.h"
#include "resize.h"
#include "verify.h"
#include "stats.h"
#include "store.h"
#include "super.h"
#include "wal.h"

struct swb_link;
struct swb_lane;

/* Facts that the actions of one step may leave for the next: see post.c. */
#define SWB_FOLLOW_MAX	8

/**
 * struct swb_post - facts that were left by contexts that may not step
 * @wait: the engine thread sleeps here
 * @task: the engine thread
 * @bits: SWB_POST_* pending
 * @barrier_want: highest target asked for; lock
 * @checkpoint_lo: extent_lo of the newest checkpoint; lock
 * @checkpoint_start: S of it; lock
 * @actions: of the running step; step_mutex
 * @follow: facts that must be stepped before anything else; step_mutex
 * @follow_count: of them
 * @tick_jiffies: when the next TICK is due; the engine's
 * @cause: whose progress the running step is about, or SWB_NOBODY; step_mutex
 */
struct swb_post {
	wait_queue_head_t wait;
	struct task_struct *task;
	unsigned long bits;
	u64 barrier_want;
	u64 checkpoint_lo;
	u64 checkpoint_start;
	struct swb_actions *actions;
	struct swb_event follow[SWB_FOLLOW_MAX];
	u32 follow_count;
	unsigned long tick_jiffies;
	u8 cause;
};

#define SWB_POST_PROGRESS	0	/* WAL written or flush ended */
#define SWB_POST_BARRIER	1
#define SWB_POST_FAILED		2	/* disk error: latch */
#define SWB_POST_SPACE		3	/* parked bios may try again */
#define SWB_POST_TICK		4
#define SWB_POST_CLOSED		5	/* last opener went away */
#define SWB_POST_STOP		6
#define SWB_POST_CHECKPOINT	7	/* the flusher moved extent_lo or S */
#define SWB_POST_ROOM		8	/* a ring fills with what C has not passed */

/**
 * struct swb_io - upper requests (struct swb_req, write.h); under volume->lock
 * @writes: admitted plain writes, by LSN, waiting for the policy
 * @reads: admitted reads that are not held; only to be looked at
 * @barriers: flushes and FUA writes, by target, waiting for C
 * @parked: writes and barriers not admitted yet, in order
 * @parked_reads: reads that wait for a lease or an epoch
 * @held_reads: admitted reads that the own disk failed, until mend.c takes them
 * @starved: bios for which there was no request memory; tried again by the tick
 * @parked_count: on the three lists above
 * @inflight: admitted upper requests not ended, reads included
 * @held: HOLD_IO is in force
 * @ring_full: the last admission failed for space
 * @deadline_ns: older requests are failed by the tick
 */
struct swb_io {
	struct list_head writes;
	struct list_head reads;
	struct list_head barriers;
	struct list_head parked;
	struct list_head parked_reads;
	struct list_head held_reads;
	struct bio_list starved;
	u32 parked_count;
	atomic_t inflight;
	bool held;
	bool ring_full;
	u64 deadline_ns;
};

/**
 * struct swb_req_pool - requests of a volume; write.c
 * @lock: of @free; innermost
 * @free: ready for use
 * @all: all that were preallocated
 */
struct swb_req_pool {
	spinlock_t lock;	/* of the list */
	struct list_head free;
	struct swb_req *all;
};

/**
 * struct swb_rebuild_progress - a base lane, to or from a peer; under volume->lock
 * @kind: SWBLOCK_REBUILD_*, NONE if there was none since attach
 * @running: it is under way
 * @todo_bytes: of the whole lane, 0 if unknown
 * @done_bytes: written by the target, as far as this end knows
 * @rate: bytes per second, lately
 * @mark_ns: when @rate was last counted
 * @mark_bytes: @done_bytes then
 */
struct swb_rebuild_progress {
	u8 kind;
	bool running;
	u64 todo_bytes;
	u64 done_bytes;
	u64 rate;
	u64 mark_ns;
	u64 mark_bytes;
};

/**
 * struct swb_rebuild - what rebuilds need of a volume (base.c, lane.c)
 * @progress: by peer; lock
 * @rate_max: of each lane, bytes per second, 0 = no limit; lock
 * @lanes: base lanes that run; lock
 * @lower: lanes that exist, and their reads in flight
 * @ewma_ns: latency of upper writes, lately; racy, a hint
 * @quiet_ns: the same while no lane ran
 * @samples: upper writes that were measured
 * @written: target: blocks that the stream has written back; flusher.mutex
 * @target: this copy is being written; flusher.mutex
 * @target_peer: by whom; flusher.mutex
 * @bio: target: a base write; flusher.mutex
 * @bvec: its segments
 */
struct swb_rebuild {
	struct swb_rebuild_progress progress[SWB_MEMBERS_MAX];
	u64 rate_max;
	u32 lanes;
	atomic_t lower;
	u64 ewma_ns;
	u64 quiet_ns;
	u64 samples;
	struct swb_blocks written;
	bool target;
	u8 target_peer;
	struct bio bio;
	struct bio_vec bvec[SWB_GROUP_PAGES];
};

/**
 * struct swb_volume - one member of one volume on this host
 * @ref: the registry, the disk, running orders, links
 * @node: in the registry, by @id; registry mutex
 * @id: local id, never used twice while the module is loaded
 * @minor: N of /dev/swblockN, -1 before there is one
 * @ready: attached: READY was told
 * @removing: no upper request may enter any more; lock
 * @removing_jiffies: since when; lock
 * @claims: removal and demotions under way: no opener may enter; disk->open_mutex
 * @demotions: under way, which a removal has to let go; raised under lock
 * @offered: the device has its capacity; step_mutex
 * @zombie: a lower bio did not complete in time; lock
 * @step_mutex: see above
 * @lock: see above
 * @core: decisions; lock
 * @post: facts on their way to the core
 * @bitmap: blocks changed by records that left the log
 * @rebuild: rebuild and delta
 * @catchup_max_bytes: history kept for a peer that is not required, 0 = as the
 *	ring allows; lock
 * @io: upper requests
 * @disk: /dev/swblockN
 * @read_bios: clones that go down to the extent
 * @requests: struct swb_req, preallocated
 * @link: links by member index; lock, see peer.h
 * @stats: counters
 * @lat: times of stages; its marks: lock
 * @recorder: the newest steps; lock
 * @wq: orders of the controller, one after the other
 * @read_wq: reads that must wait for the log's disk
 * @resize: a growth under way
 * @watch: each second: what may not wait for the engine
 * @guard: pieces that @verify and @mend look at; lock
 * @verify: a comparison with the replicas under way
 * @mend: reads that the own disk failed, and content that is asked of a replica
 * @free_work: the end, in a context that may sleep
 * @debug: its directory in debugfs
 * @conditions_told: in the last CONDITIONS event; step_mutex
 */
struct swb_volume {
	struct kref ref;
	struct list_head node;
	u32 id;
	int minor;
	bool ready;
	bool removing;
	bool offered;
	bool zombie;
	unsigned long removing_jiffies;
	u32 claims;
	atomic_t demotions;

	struct mutex step_mutex;	/* steps and their actions */
	spinlock_t lock;		/* core, WAL, index, lists */
	struct swb_core core;
	struct swb_post post;

	struct swb_store data;
	struct swb_store wal_store;	/* bdev NULL if the ring is on data */
	struct swb_super super;
	struct swb_wal wal;
	struct swb_dirty dirty;
	struct swb_flusher flusher;
	struct swb_bitmap bitmap;
	struct swb_rebuild rebuild;
	u64 catchup_max_bytes;

	struct swb_io io;
	struct gendisk *disk;
	struct bio_set read_bios;
	struct swb_req_pool requests;

	struct swb_link *link[SWB_MEMBERS_MAX];	/* lock; peer.h */
	struct swb_stats __percpu *stats;
	struct swb_lat lat;
	struct swb_recorder recorder;
	struct workqueue_struct *wq;
	struct workqueue_struct *read_wq;
	struct swb_resize resize;
	struct delayed_work watch;
	struct swb_guard guard[SWB_GUARDS];
	struct swb_verify verify;
	struct swb_mend mend;
	struct work_struct free_work;
	struct dentry *debug;
	u32 conditions_told;
};

/**
 * swb_volume_create() - claim, load, replay, start threads; no gendisk yet
 * @id: local id
 * @data_path: formatted device
 * @wal_path: of the ring, NULL if the ring is on the data device
 * @letter: local case letter, also on failure
 * @why: static text on failure
 *
 * Return: a volume with one reference, or an ERR_PTR.
 */
struct swb_volume *swb_volume_create(u32 id, const char *data_path,
				     const char *wal_path, u8 *letter,
				     const char **why);

/**
 * swb_volume_stop() - threads down, disks released; upper I/O was failed, links
 * were closed and the gendisk is gone. Waits for lower bios; process context.
 */
void swb_volume_stop(struct swb_volume *v);

/** swb_volume_removing() - from here on no order and no upper request enters; lock */
void swb_volume_removing(struct swb_volume *v);

/** swb_volume_conditions() - the core's, and what only the executor knows; lock */
u32 swb_volume_conditions(struct swb_volume *v);

/** swb_volume_wait_idle() - until no upper request is left; false if out of time */
bool swb_volume_wait_idle(struct swb_volume *v, u32 timeout_ms);

int swb_volume_init(void);
/** swb_volume_exit() - waits until the last volume is freed */
void swb_volume_exit(void);
void swb_volume_get(struct swb_volume *v);
void swb_volume_put(struct swb_volume *v);

static inline struct swb_store *swb_volume_wal_store(struct swb_volume *v)
{
	return v->wal_store.bdev ? &v->wal_store : &v->data;
}

#endif /* SWB_VOLUME_H */
