// SPDX-License-Identifier: GPL-2.0-only
/*
 * Write-back. One batch of records (lo, hi] at a time: take the newest contents
 * of each sector among them, write them to the extent in order of sectors, then
 * advance the checkpoint and give ring space back.
 *
 *	superblock: extent_hi = hi ......... durable before the first extent write
 *	extent writes complete, pages of changed-block bits written (P11)
 *	superblock: extent_lo = hi, the new tail, the next batch's extent_hi; its
 *	PREFLUSH makes extent and bits durable first
 *	index ranges retired, ring trimmed
 *
 * Where every member is durable up to hi the batch needs no bits: then the same
 * superblock raises the bitmap's base to hi, and bits that are left are cleared
 * behind it. A healthy volume writes no bitmap page.
 *
 * So a batch costs one superblock write if another one follows it. Write-back is
 * lazy, so that rewritten blocks are written once; trimming is lazier still, so
 * that a peer that comes back finds its history.
 *
 * What is in a batch comes from memory where the groups are still resident, else
 * from the ring by way of a buffer (wbatch.c). Knows nothing of peers; how far it
 * may go and what it may trim is the core's decision.
 *
 * Lock: flusher.mutex over a batch; w->lock inside, never over I/O. Posts only
 * with the mutex released. Context: its kthread; kick may come from anywhere. A
 * pause waits for the batch under way, that is, for the disk.
 */
#include <linux/kthread.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include "core/lineage.h"
#include "idle.h"
#include "wbatch.h"

#define IDLE_DELAY	(HZ / 5)
#define TRIM_WALK_MAX	1024	/* entries looked at in one go */
#define PIN_PATIENCE	(5 * HZ)	/* of a tight ring with a peer that is behind */
#define SPARE_PATIENCE	(HZ / 4)	/* with one that sync_quorum can spare */

/**
 * struct swb_flusher_priv - private part
 * @batch: the one under way
 * @paused: pauses not resumed yet; mutex
 * @failed: the disk failed, nothing is written any more
 * @target: write-back goes on until here
 * @seen_lsn: head of the log when last looked at
 * @seen_at: jiffies when it last moved
 * @asked_lsn: C was asked for up to here when it lagged behind last
 * @tight: the ring is, because of what a peer still needs
 * @tight_since: jiffies when it became so
 */
struct swb_flusher_priv {
	struct swb_wbatch batch;
	u32 paused;
	bool failed;
	u64 target;
	u64 seen_lsn;
	unsigned long seen_at;
	u64 asked_lsn;
	bool tight;
	unsigned long tight_since;
};

/* ---- how much, and when ------------------------------------------------- */

static bool log_is_idle(struct swb_flusher *f)
{
	struct swb_flusher_priv *fp = f->priv;
	u64 head = f->wal->priv->next_lsn;

	lockdep_assert_held(f->lock);
	if (head != fp->seen_lsn) {
		fp->seen_lsn = head;
		fp->seen_at = jiffies;
	}
	return time_after_eq(jiffies, fp->seen_at + IDLE_DELAY);
}

/* Is there much in the ring behind @lsn? */
static bool much_behind(struct swb_flusher *f, u64 lsn)
{
	struct swb_wal *w = f->wal;
	u64 memory_bytes = (u64)w->priv->page_max << PAGE_SHIFT;

	lockdep_assert_held(f->lock);
	return swb_waldir_backlog(w, lsn + 1) >=
	       min(w->ring.bytes / 4, memory_bytes / 2);
}

/* Is there so much to write back that it should not wait any longer? */
static bool is_pressed(struct swb_flusher *f, u64 lo)
{
	struct swb_wal *w = f->wal;

	lockdep_assert_held(f->lock);
	return f->urgent || w->dirty->records >= w->dirty->records_max / 4 ||
	       much_behind(f, lo);
}

/*
 * Pressed, and what holds us up is C, which moves by barriers and by the background
 * flush: a small ring is full long before that comes. So ask for it, once for all that
 * is written now. Whom C waits for is the core's business.
 */
static void want_committed(struct swb_flusher *f, u64 limit)
{
	struct swb_flusher_priv *fp = f->priv;
	u64 written = f->wal->written_lsn;

	lockdep_assert_held(f->lock);
	if (limit >= written || (fp->asked_lsn > limit && fp->asked_lsn <= written))
		return;
	if (limit > f->core->d.extent_lo && !much_behind(f, limit))
		return;		/* there is something to do meanwhile */
	fp->asked_lsn = written;
	f->ops->want_committed(f->ctx);
}

/* Up to which LSN write-back should go on now; at most extent_lo: not at all. */
static u64 choose_target(struct swb_flusher *f)
{
	struct swb_flusher_priv *fp = f->priv;
	u64 lo = f->core->d.extent_lo;
	u64 limit = swb_core_writeback_limit(f->core);	/* P8 */
	bool idle, pressed;

	lockdep_assert_held(f->lock);
	idle = log_is_idle(f);
	pressed = is_pressed(f, lo);
	WRITE_ONCE(f->starved, pressed && limit <= lo);
	if (pressed)
		want_committed(f, limit);
	if (limit <= lo)
		return lo;
	if (idle || pressed)
		fp->target = limit;
	return min(fp->target, limit);
}

/*
 * How much of the ring may be history: half of it, or a quarter when somebody found
 * no room. Where that is not room enough for the largest group, the space that it
 * may have to skip and what admission keeps free, which is so in the smallest rings,
 * history goes altogether.
 */
static u64 keep_bytes(struct swb_wal *w)
{
	u64 wanted = swb_wal_room_wanted(w), bytes = w->ring.bytes;

	if (!w->priv->ring_refused)
		return bytes / 2;
	return min(bytes / 4, bytes > wanted ? bytes - wanted : 0);
}

/* The last LSN of what is more than should be kept, 0 if nothing is. */
static u64 surplus_lsn(struct swb_wal *w)
{
	struct swb_wal_priv *p = w->priv;
	u64 used = w->ring.used, keep = keep_bytes(w), lsn = 0, i;
	struct swb_ent *e;

	lockdep_assert_held(w->lock);
	for (i = p->first; i < p->next && i - p->first < TRIM_WALK_MAX; i++) {
		if (used <= keep && p->next - i <= p->dir_mask / 2)
			break;
		e = swb_wal_ent(w, i);
		if (!e->written)
			break;
		used -= e->bytes;
		lsn = swb_ent_last(e);
	}
	return lsn;
}

/* A superblock write for trimming alone should free a good piece. */
static bool worth_trimming(struct swb_wal *w)
{
	struct swb_wal_priv *p = w->priv;

	lockdep_assert_held(w->lock);
	return w->ring.used > keep_bytes(w) + w->ring.bytes / 8 ||
	       (p->ring_refused && w->ring.used > keep_bytes(w)) ||
	       p->next - p->first > p->dir_mask / 8 * 5;
}

/*
 * What a peer still needs stays, and writers wait for it; but only for so long if
 * the peer is not a required one.
 */
static u64 pinned_limit(struct swb_flusher *f, u64 wanted_lsn)
{
	struct swb_flusher_priv *fp = f->priv;
	struct swb_wal *w = f->wal;
	u64 limit = swb_core_trim_limit(f->core, false);
	unsigned long patience = PIN_PATIENCE;
	bool tight = w->priv->ring_refused ||
		     w->ring.used > w->ring.bytes - w->ring.bytes / 8;

	lockdep_assert_held(f->lock);
	if (!tight || limit >= wanted_lsn) {
		fp->tight = false;
		return limit;
	}
	if (!fp->tight)
		fp->tight_since = jiffies;
	fp->tight = true;
	if (f->core->config.mode == SWBLOCK_MODE_SYNC_QUORUM)
		patience = SPARE_PATIENCE;	/* a slow minority costs nothing */
	return time_after(jiffies, fp->tight_since + patience) ?
	       swb_core_trim_limit(f->core, true) : limit;
}

/* Fill the tail fields of the superblock. Return: the new S. */
static u64 choose_tail(struct swb_flusher *f)
{
	struct swb_wal *w = f->wal;
	u64 lsn = min(surplus_lsn(w), f->core->d.extent_lo);

	lockdep_assert_held(f->lock);
	lsn = min(lsn, pinned_limit(f, lsn));
	return swb_wal_trim_prepare(w, lsn, &f->core->d);
}

/* ---- a batch ------------------------------------------------------------ */

/* Nothing above d.extent_hi may be written before it is durable (P9). */
static int raise_extent_hi(struct swb_flusher *f, u64 hi)
{
	unsigned long flags;
	bool raised = false;

	spin_lock_irqsave(f->lock, flags);
	if (hi > f->core->d.extent_hi) {
		f->core->d.extent_hi = hi;
		raised = true;
	}
	spin_unlock_irqrestore(f->lock, flags);
	return raised ? swb_super_save(f->super, f->core, f->lock) : 0;
}

/* The end of the next batch: within what is durably announced, if something is. */
static u64 plan(struct swb_flusher *f, u64 target)
{
	struct swb_durable *d = &f->core->d;

	lockdep_assert_held(f->lock);
	if (target <= d->extent_lo)
		return 0;
	if (d->extent_hi > d->extent_lo)
		target = min(target, d->extent_hi);
	return swb_wbatch_plan(f->wal, d->extent_lo, target);
}

/*
 * What comes after the extent writes: the checkpoint, in memory, with the tail
 * and the announcement of the next batch.
 */
static u64 checkpoint(struct swb_flusher *f, u64 hi)
{
	struct swb_durable *d = &f->core->d;
	unsigned long flags;
	u64 start, next;

	spin_lock_irqsave(f->lock, flags);
	if (hi) {
		d->extent_lo = hi;
		next = f->priv->paused ? 0 : plan(f, choose_target(f));
		d->extent_hi = max(d->extent_hi, max(next, hi));
	}
	start = choose_tail(f);
	spin_unlock_irqrestore(f->lock, flags);
	return start;
}

/* Does every member hold what is in the extent now? Then it needs no bits (P11). */
static bool raise_base(struct swb_flusher *f, u64 lo)
{
	unsigned long flags;
	bool clean;

	spin_lock_irqsave(f->lock, flags);
	clean = swb_core_bitmap_raise(f->core, lo);
	spin_unlock_irqrestore(f->lock, flags);
	return clean;
}

/* Bits are left over from a time when a member was away, and are of no use now. */
static bool worth_clearing(struct swb_flusher *f)
{
	lockdep_assert_held(f->lock);
	return f->bitmap->blocks.set &&
	       swb_core_everywhere(f->core) >= f->core->d.extent_lo;
}

/* P11: durable with the extent, that is, before any of it may be trimmed. */
static int note_changes(struct swb_flusher *f, struct swb_wbatch *b, bool clean)
{
	struct swb_range *r;

	for (r = swb_dirty_find(&b->map, 0); r; r = swb_dirty_next(r)) {
		if (f->written)
			swb_blocks_add(f->written, r->start, r->end);
		if (!clean)
			swb_bitmap_set(f->bitmap, r->start, r->end);
	}
	return clean ? 0 : swb_bitmap_write(f->bitmap);
}

static int write_batch(struct swb_flusher *f, u64 hi, bool *clean)
{
	struct swb_wbatch *b = &f->priv->batch;
	u64 begun_ns = ktime_get_boottime_ns(), bytes = 0;
	int err;

	err = swb_wbatch_load(b, f->core->d.extent_lo, hi);
	if (!err)
		err = raise_extent_hi(f, b->hi);
	if (!err)
		err = swb_wbatch_write(b, &bytes);
	if (!err) {
		*clean = raise_base(f, b->hi);
		err = note_changes(f, b, *clean);
	}
	if (!err && f->super->store != f->data)
		err = swb_store_flush(f->data);	/* else the save flushes it */
	if (!err && bytes)
		f->ops->wrote(f->ctx, b->hi, bytes,
			      ktime_get_boottime_ns() - begun_ns);
	return err;
}

/**
 * struct step - what a turn of the loop did
 * @moved: extent_lo or S moved
 * @lo: extent_lo
 * @start: S
 * @save_ns: what the superblock took
 */
struct step {
	bool moved;
	u64 lo;
	u64 start;
	u64 save_ns;
};

/* Write back up to @hi (0: nothing) and make it the checkpoint. */
static int advance(struct swb_flusher *f, u64 hi, bool clean, struct step *s)
{
	struct swb_wbatch *b = &f->priv->batch;
	u64 before = f->wal->priv->start, begun_ns;
	int err = 0;

	lockdep_assert_held(&f->mutex);
	if (hi)
		err = write_batch(f, hi, &clean);
	else if (clean)
		clean = raise_base(f, f->core->d.extent_lo);
	if (err)
		goto drop;
	s->start = checkpoint(f, hi ? b->hi : 0);
	s->lo = f->core->d.extent_lo;
	s->moved = hi || clean || s->start > before;
	if (!s->moved)
		goto drop;
	begun_ns = ktime_get_boottime_ns();
	err = swb_super_save(f->super, f->core, f->lock);
	if (err)
		goto drop;
	s->save_ns = ktime_get_boottime_ns() - begun_ns;
	if (hi)
		swb_wbatch_retire(b);
	swb_wal_trim(f->wal, s->start);
	if (clean && f->bitmap->blocks.set) {	/* the new base is durable: P11 */
		swb_bitmap_clear(f->bitmap);
		err = swb_bitmap_write(f->bitmap);
	}
drop:
	swb_wbatch_drop(b);
	return err;
}

static int one_step(struct swb_flusher *f, struct step *s)
{
	unsigned long flags;
	bool clean;
	u64 hi;

	lockdep_assert_held(&f->mutex);
	spin_lock_irqsave(f->lock, flags);
	hi = plan(f, choose_target(f));
	f->urgent = false;
	clean = !hi && worth_clearing(f);
	s->moved = hi || clean || worth_trimming(f->wal);
	spin_unlock_irqrestore(f->lock, flags);
	return s->moved ? advance(f, hi, clean, s) : 0;
}

/* Return: true if there may be more to do at once. */
static bool turn(struct swb_flusher *f)
{
	struct swb_flusher_priv *fp = f->priv;
	struct step s = {};
	int err = 0;

	swb_idle_lock(&f->mutex);
	if (!fp->paused && !fp->failed)
		err = one_step(f, &s);
	fp->failed = fp->failed || err;
	mutex_unlock(&f->mutex);
	if (err)
		f->ops->failed(f->ctx, err);
	else if (s.moved)
		f->ops->checkpointed(f->ctx, s.lo, s.start, s.save_ns);
	return s.moved && !err;
}

/* ---- the thread --------------------------------------------------------- */

static int flusher_thread(void *data)
{
	struct swb_flusher *f = data;
	unsigned int noio = memalloc_noio_save();

	while (!kthread_should_stop()) {
		wait_event_idle_timeout(f->wait, READ_ONCE(f->kicked) ||
					kthread_should_stop(), IDLE_DELAY);
		WRITE_ONCE(f->kicked, false);
		while (!kthread_should_stop() && turn(f))
			cond_resched();
	}
	memalloc_noio_restore(noio);
	return 0;
}

static void wake(struct swb_flusher *f, bool urgent)
{
	if (urgent)
		WRITE_ONCE(f->urgent, true);
	WRITE_ONCE(f->kicked, true);
	wake_up(&f->wait);
}

/* The WAL has placed much, or refused somebody. Lock held. */
static void pressure(void *ctx, bool urgent)
{
	wake(ctx, urgent);
}

/*
 * C moves with every group commit: that alone is no reason to wake up. The thread
 * looks each fifth of a second, and is woken by the WAL when there is much to do.
 */
void swb_flusher_kick(struct swb_flusher *f, bool urgent)
{
	if (urgent || READ_ONCE(f->starved))
		wake(f, urgent);
}

static void set_pressure(struct swb_flusher *f,
			 void (*fn)(void *ctx, bool urgent))
{
	unsigned long flags;

	spin_lock_irqsave(f->lock, flags);
	f->wal->priv->pressure_ctx = f;
	f->wal->priv->pressure = fn;
	spin_unlock_irqrestore(f->lock, flags);
}

int swb_flusher_start(struct swb_flusher *f, const char *name)
{
	struct swb_flusher_priv *fp;
	int err;

	mutex_init(&f->mutex);
	init_waitqueue_head(&f->wait);
	fp = kzalloc(sizeof(*fp), GFP_KERNEL);
	if (!fp)
		return -ENOMEM;
	err = swb_wbatch_create(&fp->batch, f->wal, f->data);
	if (err)
		goto free;
	f->priv = fp;
	f->task = kthread_run(flusher_thread, f, "%s", name);
	if (IS_ERR(f->task)) {
		err = PTR_ERR(f->task);
		goto destroy;
	}
	set_pressure(f, pressure);
	return 0;

destroy:
	f->task = NULL;
	f->priv = NULL;
	swb_wbatch_destroy(&fp->batch);
free:
	kfree(fp);
	return err;
}

void swb_flusher_stop(struct swb_flusher *f)
{
	struct swb_flusher_priv *fp = f->priv;

	if (!fp)
		return;
	set_pressure(f, NULL);
	kthread_stop(f->task);
	swb_idle_lock(&f->mutex);
	f->task = NULL;
	f->priv = NULL;
	mutex_unlock(&f->mutex);
	swb_wbatch_destroy(&fp->batch);
	kfree(fp);
}

void swb_flusher_pause(struct swb_flusher *f)
{
	swb_idle_lock(&f->mutex);
	if (f->priv)
		f->priv->paused++;
	mutex_unlock(&f->mutex);
}

/* The limit of the core does not matter: the caller knows that all of it is C. */
static u64 plan_drain(struct swb_flusher *f, u64 lsn)
{
	unsigned long flags;
	u64 hi = 0;

	spin_lock_irqsave(f->lock, flags);
	if (f->core->d.extent_lo < lsn)
		hi = swb_wbatch_plan(f->wal, f->core->d.extent_lo, lsn);
	spin_unlock_irqrestore(f->lock, flags);
	return hi;
}

int swb_flusher_drain(struct swb_flusher *f, u64 lsn)
{
	struct step s = {};
	int err = 0;
	u64 hi;

	swb_idle_lock(&f->mutex);
	if (!f->priv || f->priv->failed)
		err = -EIO;
	while (!err && (hi = plan_drain(f, lsn)))
		err = advance(f, hi, false, &s);
	if (!err && f->core->d.extent_lo < lsn)
		err = -ENODATA;
	mutex_unlock(&f->mutex);
	return err;
}

void swb_flusher_resume(struct swb_flusher *f)
{
	swb_idle_lock(&f->mutex);
	if (f->priv) {
		f->priv->paused--;
		f->priv->target = 0;	/* what was planned may have been cut */
	}
	mutex_unlock(&f->mutex);
	wake(f, false);
}
