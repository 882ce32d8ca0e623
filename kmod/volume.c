// SPDX-License-Identifier: GPL-2.0-only
/*
 * One member of one volume: puts the parts together, recovers the log, takes them
 * apart again. Each volume holds the module until its last lower bio is gone.
 *
 * Must not know netlink or gendisk: manage.c calls those in their turn.
 *
 * Lock: none of its own. Context: process, may wait for the disks.
 */
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>
#include "idle.h"
#include "notify.h"
#include "post.h"
#include "base.h"
#include "replay.h"
#include "trace.h"
#include "volume.h"
#include "write.h"

#define WAL_MEMORY_BYTES	(32UL << 20)
#define READ_BIOS		256
#define IO_DEADLINE_NS		(300ULL * NSEC_PER_SEC)
#define LINK_DEADLINE_NS	(6ULL * NSEC_PER_SEC)
#define PING_INTERVAL_NS	(1ULL * NSEC_PER_SEC)
#define FLUSH_INTERVAL_NS	(200ULL * NSEC_PER_MSEC)
#define STOP_FLUSH_MS		5000
#define ZOMBIE_AFTER		(10 * HZ)
#define WATCH_INTERVAL		HZ
#define POLL_MS			10

static struct workqueue_struct *free_wq;

static void watch(struct work_struct *work);

/* ---- what the parts below tell us; any context ------------------------- */

static void wal_progress(void *ctx)
{
	swb_post_later(ctx, SWB_POST_PROGRESS);
}

static void wal_failed(void *ctx, int err)
{
	struct swb_volume *v = ctx;

	swb_stat_inc(v, DISK_ERRORS);
	pr_err_ratelimited("swblock: volume %u: the log's disk failed (%d)\n",
			   v->id, err);
	swb_post_later(v, SWB_POST_FAILED);
}

static void wal_space(void *ctx)
{
	struct swb_volume *v = ctx;

	if (READ_ONCE(v->io.parked_count))
		swb_post_later(v, SWB_POST_SPACE);
}

/* Records of upper writes, that is: not the open record of an epoch. */
static bool is_timed(const struct swb_group *g)
{
	return g && g->sealed_ns && g->header->rec[0].type != SWB_REC_OPEN;
}

static void time_sealed(struct swb_volume *v, const struct swb_ent *e)
{
	const struct swb_group *g = e->group;
	struct swb_lat_mark mark = {
		.lsn = e->first_lsn, .nrec = e->nrec, .bytes = e->bytes,
		.opened_ns = g->admitted_ns, .sealed_ns = g->sealed_ns,
	};

	lockdep_assert_held(&v->lock);
	swb_lat_note(&v->lat, SWBLOCK_STAGE_APPEND, SWB_NOBODY, e->first_lsn,
		     e->nrec, e->bytes, g->sealed_ns - g->admitted_ns);
	if (v->core.role == SWBLOCK_ROLE_PRIMARY)
		swb_lat_sealed(&v->lat, &mark);
}

static void wal_stage(void *ctx, u32 stage, const struct swb_ent *e, bool wrapped)
{
	struct swb_volume *v = ctx;

	trace_swblock_group(v->id, e->first_lsn, e->nrec, e->bytes, stage);
	if (stage == SWB_STAGE_WRITTEN && is_timed(e->group))
		swb_lat_note(&v->lat, SWBLOCK_STAGE_PERSIST, SWB_NOBODY,
			     e->first_lsn, e->nrec, e->bytes,
			     swb_lat_now() - e->group->sealed_ns);
	if (stage != SWB_STAGE_SUBMITTED)
		return;
	if (is_timed(e->group))
		time_sealed(v, e);
	swb_stat_inc(v, GROUPS);
	swb_stat_add(v, GROUP_BYTES, e->bytes);
	if (wrapped)
		swb_stat_inc(v, RING_WRAPS);
}

static void wal_flushed(void *ctx, u64 lsn, u64 ns)
{
	struct swb_volume *v = ctx;

	swb_lat_note(&v->lat, SWBLOCK_STAGE_FLUSH, SWB_NOBODY, lsn, 1, 0, ns);
}

static const struct swb_wal_ops wal_ops = {
	.progress	= wal_progress,
	.failed		= wal_failed,
	.space		= wal_space,
	.stage		= wal_stage,
	.flushed	= wal_flushed,
};

static void flusher_checkpointed(void *ctx, u64 extent_lo, u64 start, u64 ns)
{
	struct swb_volume *v = ctx;
	unsigned long flags;

	swb_stat_inc(v, CHECKPOINTS);
	swb_lat_note(&v->lat, SWBLOCK_STAGE_CHECKPOINT, SWB_NOBODY, extent_lo, 1,
		     0, ns);
	trace_swblock_checkpoint(v->id, extent_lo, start, ns);
	spin_lock_irqsave(&v->lock, flags);
	v->post.checkpoint_lo = extent_lo;
	v->post.checkpoint_start = start;
	spin_unlock_irqrestore(&v->lock, flags);
	swb_post_later(v, SWB_POST_CHECKPOINT);
}

static void flusher_failed(void *ctx, int err)
{
	struct swb_volume *v = ctx;

	swb_stat_inc(v, DISK_ERRORS);
	pr_err_ratelimited("swblock: volume %u: write-back failed (%d)\n",
			   v->id, err);
	swb_post_later(v, SWB_POST_FAILED);
}

static void flusher_wrote(void *ctx, u64 lsn, u64 bytes, u64 ns)
{
	struct swb_volume *v = ctx;

	swb_lat_note(&v->lat, SWBLOCK_STAGE_WRITEBACK, SWB_NOBODY, lsn, 1,
		     min_t(u64, bytes, U32_MAX), ns);
	swb_stat_add(v, EXTENT_BYTES, bytes);
}

static void flusher_want_committed(void *ctx)
{
	swb_post_later(ctx, SWB_POST_ROOM);
}

static const struct swb_flusher_ops flusher_ops = {
	.checkpointed	= flusher_checkpointed,
	.failed		= flusher_failed,
	.wrote		= flusher_wrote,
	.want_committed	= flusher_want_committed,
};

/* ---- lifetime --------------------------------------------------------- */

static void volume_free(struct swb_volume *v)
{
	swb_req_pool_destroy(&v->requests);
	bioset_exit(&v->read_bios);
	free_percpu(v->stats);
	swb_lat_destroy(&v->lat);
	swb_recorder_destroy(&v->recorder, v->id);
	swb_mend_destroy(v);
	mutex_destroy(&v->step_mutex);
	kfree(v);
}

static void volume_free_work(struct work_struct *work)
{
	volume_free(container_of(work, struct swb_volume, free_work));
	/* swb_volume_exit() waits for this function to return. */
	module_put(THIS_MODULE);
}

static void volume_release(struct kref *ref)
{
	struct swb_volume *v = container_of(ref, struct swb_volume, ref);

	queue_work(free_wq, &v->free_work);
}

void swb_volume_get(struct swb_volume *v)
{
	kref_get(&v->ref);
}

void swb_volume_put(struct swb_volume *v)
{
	kref_put(&v->ref, volume_release);
}

static void volume_init(struct swb_volume *v, u32 id)
{
	kref_init(&v->ref);
	INIT_LIST_HEAD(&v->node);
	INIT_WORK(&v->free_work, volume_free_work);
	swb_resize_init(v);
	INIT_DELAYED_WORK(&v->watch, watch);
	swb_verify_init(v);
	v->id = id;
	v->minor = -1;
	mutex_init(&v->step_mutex);
	spin_lock_init(&v->lock);
	init_waitqueue_head(&v->post.wait);
	INIT_LIST_HEAD(&v->io.writes);
	INIT_LIST_HEAD(&v->io.reads);
	INIT_LIST_HEAD(&v->io.barriers);
	INIT_LIST_HEAD(&v->io.parked);
	INIT_LIST_HEAD(&v->io.parked_reads);
	INIT_LIST_HEAD(&v->io.held_reads);
	bio_list_init(&v->io.starved);
	v->io.deadline_ns = IO_DEADLINE_NS;
}

/* Memory and work queues; no disk is touched yet. */
static struct swb_volume *volume_alloc(u32 id)
{
	struct swb_volume *v = kzalloc(sizeof(*v), GFP_KERNEL);

	if (!v)
		return NULL;
	volume_init(v, id);
	v->stats = alloc_percpu(struct swb_stats);
	if (!v->stats || swb_mend_init(v) || swb_lat_create(&v->lat, id) ||
	    swb_recorder_create(&v->recorder))
		goto free;
	if (swb_req_pool_create(&v->requests))
		goto free;
	if (bioset_init(&v->read_bios, READ_BIOS, 0, BIOSET_NEED_BVECS))
		goto free;
	v->wq = alloc_ordered_workqueue("swb%u_orders", WQ_MEM_RECLAIM, id);
	if (!v->wq)
		goto free;
	v->read_wq = alloc_workqueue("swb%u_read", WQ_MEM_RECLAIM | WQ_UNBOUND,
				     0, id);
	if (!v->read_wq)
		goto free_wq;
	return v;

free_wq:
	destroy_workqueue(v->wq);
free:
	volume_free(v);
	return NULL;
}

/* ---- create ----------------------------------------------------------- */

static const char *why_open(int err)
{
	if (err == -EBUSY)
		return "the device is in use: unmount it, or remove what holds it (see lsblk)";
	if (err == -ENOENT)
		return "no such device";
	if (err == -ENOTBLK)
		return "this is not a block device";
	if (err == -EROFS || err == -EACCES)
		return "the device is read-only";
	return "cannot open the device";
}

static int open_disks(struct swb_volume *v, const char *data, const char *wal,
		      const char **why)
{
	int err;

	err = swb_store_open(&v->data, data, v);
	if (err) {
		*why = why_open(err);
		return err;
	}
	if (!wal)
		return 0;
	err = swb_store_open(&v->wal_store, wal, v);
	if (!err && v->wal_store.bdev == v->data.bdev) {
		*why = "data and WAL are the same device: leave the WAL path out";
		swb_store_close(&v->wal_store);
		err = -EINVAL;
	} else if (err) {
		*why = why_open(err);
	}
	if (err)
		swb_store_close(&v->data);
	return err;
}

static void close_disks(struct swb_volume *v)
{
	swb_store_close(&v->wal_store);
	swb_store_close(&v->data);
}

static bool area_fits(u64 offset, u64 bytes, const struct swb_store *st)
{
	return offset <= st->bytes && bytes <= st->bytes - offset;
}

/* Do superblock and devices belong together? Case D of local recovery. */
static int check_disks(struct swb_volume *v, u8 *letter, const char **why)
{
	const struct swb_durable *d = &v->core.d;
	struct swb_store *ring = swb_volume_wal_store(v);
	int err = 0;

	*why = NULL;
	if (d->flags & SWB_SUPER_IS_WAL)
		*why = "this is a WAL device: give the data device first";
	else if ((d->flags & SWB_SUPER_WAL_SEPARATE) && !v->wal_store.bdev)
		*why = "this volume was formatted with a separate WAL device: name it";
	else if (!(d->flags & SWB_SUPER_WAL_SEPARATE) && v->wal_store.bdev)
		*why = "this volume was formatted without a WAL device: leave it out";
	else if (d->block_bytes < v->data.logical_bytes ||
		 d->block_bytes < ring->logical_bytes ||
		 d->ring_unit < ring->logical_bytes)
		*why = "the device has larger blocks than the volume: use another device";
	if (*why) {
		*letter = 'D';
		return -EINVAL;
	}
	if (v->wal_store.bdev)
		err = swb_super_check_wal(&v->wal_store, d);
	if (err)
		*why = "the WAL device does not belong to this data device";
	else if (!area_fits(d->extent_offset, d->extent_bytes, &v->data) ||
		 !area_fits(d->ring_offset, d->ring_bytes, ring))
		*why = "the device is smaller than when it was formatted";
	if (*why && !err)
		err = -ENOSPC;
	if (err)
		*letter = 'D';
	return err;
}

static void wire_up(struct swb_volume *v)
{
	v->wal.lock = &v->lock;
	v->wal.core = &v->core;
	v->wal.store = swb_volume_wal_store(v);
	v->wal.ring_offset = v->core.d.ring_offset;
	v->wal.dirty = &v->dirty;
	v->wal.ops = &wal_ops;
	v->wal.ctx = v;
	v->flusher.wal = &v->wal;
	v->flusher.super = &v->super;
	v->flusher.data = &v->data;
	v->flusher.core = &v->core;
	v->flusher.bitmap = &v->bitmap;
	v->flusher.lock = &v->lock;
	v->flusher.ops = &flusher_ops;
	v->flusher.ctx = v;
}

/* Recover the log, then let the core begin with what was found. */
static int recover(struct swb_volume *v, u8 *letter, const char **why)
{
	struct swb_recovered *r = kzalloc(sizeof(*r), GFP_KERNEL);
	struct swb_durable *d = NULL;
	unsigned long flags;
	int err = -ENOMEM;

	*why = "out of memory";
	if (!r)
		return err;
	err = swb_replay(&v->wal, &v->super, &v->core.d, r);
	*letter = r->letter;
	if (err) {
		*why = err == -EUCLEAN ?
		       "the log is refused: see the case letter with swblockctl explain" :
		       "the log cannot be read";
		goto free;
	}
	d = kmemdup(&v->core.d, sizeof(*d), GFP_KERNEL);
	if (!d) {
		err = -ENOMEM;
		goto free;
	}
	spin_lock_irqsave(&v->lock, flags);
	swb_core_init(&v->core, d, r, get_random_u64() >> 1);
	v->core.tune.link_deadline_ns = LINK_DEADLINE_NS;
	v->core.tune.ping_interval_ns = PING_INTERVAL_NS;
	v->core.tune.flush_interval_ns = FLUSH_INTERVAL_NS;
	v->wal.written_lsn = v->core.log.written;
	v->conditions_told = swb_volume_conditions(v);
	swb_recorder_start(&v->recorder, &v->core);
	spin_unlock_irqrestore(&v->lock, flags);
free:
	kfree(d);
	kfree(r);
	return err;
}

static int start_threads(struct swb_volume *v)
{
	char name[24];
	int err;

	snprintf(name, sizeof(name), "swb%u_flush", v->id);
	err = swb_flusher_start(&v->flusher, name);
	if (err)
		return err;
	err = swb_post_start(v);
	if (err)
		swb_flusher_stop(&v->flusher);
	return err;
}

/* From the superblock to running threads; the disks are open. */
static int bring_up(struct swb_volume *v, u8 *letter, const char **why)
{
	int err;

	*why = "out of memory";
	err = swb_super_create(&v->super, &v->data);
	if (err)
		return err;
	err = swb_super_load(&v->super, &v->core.d, letter);
	if (err) {
		*why = err == -EUCLEAN ?
		       "no usable superblock" :
		       "the superblocks cannot be read";
		goto super;
	}
	err = check_disks(v, letter, why);
	if (err) {
		*letter = 'D';	/* recover @D: the devices are not those of the superblock */
		goto super;
	}
	wire_up(v);
	*why = "out of memory";
	err = swb_dirty_create(&v->dirty,
			       swb_dirty_records(v->core.d.ring_bytes,
						 v->core.d.block_bytes));
	if (err)
		goto super;
	err = swb_wal_create(&v->wal, WAL_MEMORY_BYTES);
	if (err)
		goto dirty;
	err = recover(v, letter, why);
	if (err)
		goto wal;
	*why = "the changed-block bitmap cannot be read";
	err = swb_bitmap_create(&v->bitmap, &v->data, &v->core.d);
	if (err)
		goto wal;
	*why = "cannot start the threads";
	err = start_threads(v);
	if (err)
		goto bitmap;
	return 0;

bitmap:
	swb_bitmap_destroy(&v->bitmap);
wal:
	swb_wal_destroy(&v->wal);
dirty:
	swb_dirty_destroy(&v->dirty);
super:
	swb_super_destroy(&v->super);
	return err;
}

struct swb_volume *swb_volume_create(u32 id, const char *data_path,
				     const char *wal_path, u8 *letter,
				     const char **why)
{
	struct swb_volume *v = volume_alloc(id);
	int err;

	*letter = 0;
	*why = "out of memory";
	if (!v)
		return ERR_PTR(-ENOMEM);
	err = open_disks(v, data_path, wal_path, why);
	if (err)
		goto free;
	err = bring_up(v, letter, why);
	if (err)
		goto disks;
	queue_delayed_work(system_unbound_wq, &v->watch, WATCH_INTERVAL);
	/* The caller runs in this module, so the count is above zero. */
	__module_get(THIS_MODULE);
	return v;

disks:
	close_disks(v);
free:
	destroy_workqueue(v->read_wq);
	destroy_workqueue(v->wq);
	volume_free(v);
	return ERR_PTR(err);
}

/* ---- the watch ---------------------------------------------------------- */

static bool turns_zombie(struct swb_volume *v)
{
	unsigned long flags;
	bool turns;

	spin_lock_irqsave(&v->lock, flags);
	turns = v->removing && !v->zombie &&
		time_after(jiffies, v->removing_jiffies + ZOMBIE_AFTER);
	v->zombie |= turns;
	spin_unlock_irqrestore(&v->lock, flags);
	return turns;
}

/*
 * What must happen in time although every thread of the volume may wait for a disk:
 * old writes end, and a removal that does not get on is called by its name (G7).
 */
static void watch(struct work_struct *work)
{
	struct swb_volume *v = container_of(to_delayed_work(work),
					    struct swb_volume, watch);
	struct swb_notice n = {
		.kind = SWBLOCK_EVENT_CONDITIONS, .peer = SWB_NOBODY,
		.text = "a lower disk does not complete a request: waiting for it",
	};

	swb_write_expire(v, ktime_get_boottime_ns());
	if (turns_zombie(v)) {
		pr_warn("swblock: volume %u: its removal waits for a lower disk; the volume stays as a zombie until that answers\n",
			v->id);
		swb_notify(v, &n);
	}
	queue_delayed_work(system_unbound_wq, &v->watch, WATCH_INTERVAL);
}

/* ---- end -------------------------------------------------------------- */

void swb_volume_removing(struct swb_volume *v)
{
	lockdep_assert_held(&v->lock);
	v->removing = true;
	v->removing_jiffies = jiffies;
}

bool swb_volume_wait_idle(struct swb_volume *v, u32 timeout_ms)
{
	unsigned long end = jiffies + msecs_to_jiffies(timeout_ms);

	while (atomic_read(&v->io.inflight) || READ_ONCE(v->io.parked_count)) {
		if (time_after(jiffies, end))
			return false;
		swb_idle_sleep(POLL_MS);
	}
	return true;
}

static bool log_at_rest(struct swb_volume *v)
{
	unsigned long flags;
	bool rest;

	spin_lock_irqsave(&v->lock, flags);
	rest = v->core.log.durable == v->core.log.head ||
	       (v->core.conditions & SWBLOCK_COND_DISK_FAILED);
	spin_unlock_irqrestore(&v->lock, flags);
	return rest;
}

/* Nobody was promised this flush: it saves the next attach some work. */
static void flush_last(struct swb_volume *v)
{
	unsigned long end = jiffies + msecs_to_jiffies(STOP_FLUSH_MS);

	while (!log_at_rest(v) && time_before(jiffies, end)) {
		swb_wal_kick(&v->wal);
		swb_wal_flush(&v->wal);
		swb_idle_sleep(POLL_MS);
	}
}

/*
 * Nobody is in a step, or writes back, and waits for a disk there: what follows
 * waits for threads, and could not be told from a task that hangs.
 */
static void wait_for_steps(struct swb_volume *v)
{
	swb_idle_lock(&v->step_mutex);
	mutex_unlock(&v->step_mutex);
	swb_idle_lock(&v->flusher.mutex);
	mutex_unlock(&v->flusher.mutex);
}

/* Lower bios cannot be cancelled: the watch says so (G7). */
static void wait_for_lower_bios(struct swb_volume *v)
{
	while (!swb_volume_wait_idle(v, STOP_FLUSH_MS))
		;
	while (atomic_read(&v->rebuild.lower))
		swb_idle_sleep(POLL_MS);
}

void swb_volume_stop(struct swb_volume *v)
{
	wait_for_steps(v);
	drain_workqueue(v->wq);
	swb_resize_stop(v);
	flush_last(v);
	wait_for_lower_bios(v);
	wait_for_steps(v);
	destroy_workqueue(v->read_wq);
	destroy_workqueue(v->wq);
	swb_flusher_stop(&v->flusher);
	swb_post_stop(v);
	swb_base_destroy(v);
	swb_bitmap_destroy(&v->bitmap);
	swb_wal_destroy(&v->wal);
	swb_dirty_destroy(&v->dirty);
	swb_super_destroy(&v->super);
	close_disks(v);
	cancel_delayed_work_sync(&v->watch);
}

u32 swb_volume_conditions(struct swb_volume *v)
{
	u32 c = v->core.conditions;

	lockdep_assert_held(&v->lock);
	if (v->io.ring_full && v->io.parked_count)
		c |= SWBLOCK_COND_RING_FULL;
	/* C cannot move, so the tail cannot: whom the writers wait for in the end */
	if ((c & SWBLOCK_COND_RING_FULL) && (c & SWBLOCK_COND_DEGRADED) &&
	    v->core.log.committed < v->core.log.head)
		c |= SWBLOCK_COND_WAITING_PEER;
	/* linked, and late */
	if (swb_write_awaits_ack(v, ktime_get_boottime_ns()))
		c |= SWBLOCK_COND_WAITING_PEER;
	if (v->removing)
		c |= SWBLOCK_COND_REMOVING;
	if (v->zombie)
		c |= SWBLOCK_COND_ZOMBIE;
	return c;
}

int swb_volume_init(void)
{
	free_wq = alloc_workqueue("swb_free", WQ_UNBOUND, 0);
	return free_wq ? 0 : -ENOMEM;
}

void swb_volume_exit(void)
{
	destroy_workqueue(free_wq);
}
