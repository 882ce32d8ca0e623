/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What wal.c (group commit), walmem.c (memory) and waldir.c (directory) share,
 * and the flusher and replay may look at. Nobody else includes this.
 */
#ifndef SWB_WALPRIV_H
#define SWB_WALPRIV_H

#include <linux/workqueue.h>
#include "trace.h"
#include "wal.h"

/* Groups in flight while the open one goes on gathering; and at most. */
#define SWB_WAL_DEPTH_OPEN	2
#define SWB_WAL_DEPTH_MAX	16

/* Kept free for open records, which un-jam a full ring: in units, in slots. */
#define SWB_WAL_SPARE		16

/*
 * Kept free by a primary on top of it: the same records may take one gap and one
 * group more in the ring of a member that wraps elsewhere, and C cannot move before
 * they all have found room there, the open record behind them included.
 */
#define SWB_WAL_ASYMMETRY	(2 * (SWB_GROUP_HEADER_MAX + SWB_GROUP_PAYLOAD_MAX))

#define SWB_WAL_SLOTS_MAX	262144
#define SWB_WAL_LOADERS		4

#define SWB_RUN_MAX		32	/* groups read with one bio */

/**
 * struct swb_run - what a loader reads together
 * @count: groups
 * @nrec: their live records
 * @payload_bytes: their payload
 * @ent: copies of their entries
 * @live: the entries, pinned
 * @header: a page for each header
 * @bvec: of the read: each payload may begin and end within a page
 */
struct swb_run {
	u32 count;
	u32 nrec;
	u32 payload_bytes;
	struct swb_ent ent[SWB_RUN_MAX];
	struct swb_ent *live[SWB_RUN_MAX];
	struct swb_disk_group *header[SWB_RUN_MAX];
	struct bio_vec bvec[SWB_GROUP_PAGES + 3 * SWB_RUN_MAX];
};

/**
 * struct swb_wal_priv - private part of a log; all of it under the lock
 * @groups: array of all groups, loaders at its end
 * @group_count: of them, loaders included
 * @free_groups: ready for use
 * @free_loaders: the same, for reading back
 * @pages: stack of free payload pages
 * @page_count: pages on it
 * @page_max: pages in total
 * @pages_lost: given up because somebody else held them too; to be replaced
 * @dead: groups whose last reference is gone
 * @resident: written groups in memory, oldest first
 * @dir: circular array of entries
 * @dir_mask: slots - 1, a power of two
 * @first: index of the oldest entry
 * @next: index after the newest
 * @unwritten: index of the first entry whose write has not completed
 * @next_lsn: LSN that the next record must have
 * @start: S as of the superblock; entries below it only wait for their readers
 * @open: takes records, or NULL
 * @queue: closed groups, placed, not submitted
 * @sealing: a context is busy submitting
 * @unindexed: records reserved, not yet in the index
 * @failed: first error of a WAL write, sticky
 * @space_wanted: somebody was refused
 * @ring_refused: for want of ring space; cleared by the next trim
 * @freed_seq: raised when something was freed
 * @refused_seq: its value at the last -ENOSPC of attach
 * @wait: for memory, space, and the end of what is in flight
 * @refill_work: replaces lost pages
 * @space_work: calls ops->space where a put could not
 * @wal: back
 * @flush_bio: the one flush
 * @flush_lsn: captured at its submission
 * @flush_generation: captured at its submission
 * @flush_ns: CLOCK_BOOTTIME then
 * @pressure: wakes the flusher, or NULL
 * @pressure_ctx: its argument
 * @unannounced: bytes placed since the flusher was last woken
 * @announce_bytes: wake it after so many
 */
struct swb_wal_priv {
	struct swb_group *groups;
	u32 group_count;
	struct list_head free_groups;
	struct list_head free_loaders;
	struct page **pages;
	u32 page_count;
	u32 page_max;
	u32 pages_lost;
	struct llist_head dead;
	struct list_head resident;

	struct swb_ent *dir;
	u64 dir_mask;
	u64 first;
	u64 next;
	u64 unwritten;
	u64 next_lsn;
	u64 start;

	struct swb_group *open;
	struct list_head queue;
	bool sealing;
	u32 unindexed;
	int failed;
	bool space_wanted;
	bool ring_refused;
	u64 freed_seq;
	u64 refused_seq;
	wait_queue_head_t wait;
	struct work_struct refill_work;
	struct work_struct space_work;
	struct swb_wal *wal;

	struct bio flush_bio;
	u64 flush_lsn;
	u32 flush_generation;
	u64 flush_ns;

	void (*pressure)(void *ctx, bool urgent);
	void *pressure_ctx;
	u64 unannounced;
	u64 announce_bytes;
};

static inline struct swb_ent *swb_wal_ent(struct swb_wal *w, u64 index)
{
	return &w->priv->dir[index & w->priv->dir_mask];
}

static inline u64 swb_ent_last(const struct swb_ent *e)
{
	return e->first_lsn + e->nrec - 1;
}

/* bytes of the group itself, without the gap before it */
static inline u64 swb_ent_len(const struct swb_wal *w, const struct swb_ent *e)
{
	return round_up((u64)e->header_bytes + e->payload_bytes, w->ring.unit);
}

/* A group has reached a stage: for counters and tracepoints. */
static inline void swb_wal_stage(struct swb_wal *w, const struct swb_ent *e,
				 u32 stage)
{
	w->ops->stage(w->ctx, stage, e, e->pos == 0 && e->seq > 0);
}

/* wal.c */
void swb_wal_run(struct swb_wal *w);

/* walmem.c */
int swb_walmem_create(struct swb_wal *w, u64 memory_bytes);
void swb_walmem_destroy(struct swb_wal *w);
struct swb_group *swb_walmem_take(struct swb_wal *w, u32 payload_bytes);
bool swb_walmem_extend(struct swb_wal *w, struct swb_group *g, u32 payload_bytes);
struct swb_group *swb_walmem_take_loader(struct swb_wal *w);

/* walread.c */
bool swb_wal_header_ok(struct swb_wal *w, const struct swb_ent *e,
		       const void *buf, struct swb_group_info *info);

/* waldir.c */
bool swb_waldir_room(const struct swb_wal *w, u32 spare);
struct swb_ent *swb_waldir_push(struct swb_wal *w, struct swb_group *g);
void swb_waldir_destroy(struct swb_wal *w);
bool swb_waldir_advance(struct swb_wal *w);
u64 swb_waldir_backlog(struct swb_wal *w, u64 lsn);
void swb_waldir_cut(struct swb_wal *w, u64 lsn);
u64 swb_waldir_search(struct swb_wal *w, u64 lsn);
void swb_waldir_index(struct swb_wal *w, const struct swb_disk_rec *rec,
		      u64 first_lsn, u32 from, u32 to, u32 *payload_off);

#endif /* SWB_WALPRIV_H */
