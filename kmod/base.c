// SPDX-License-Identifier: GPL-2.0-only
/*
 * The target's end of a delta or rebuild, and the books of both ends.
 *
 * The stream is newer than any base block. So a block that write-back has already
 * brought here from the stream is left alone, and both write under one mutex, the
 * flusher's: bios that overlap are never in flight together.
 *
 * Must not decide: what counts, and when it is over, is said by the core. Lock:
 * flusher.mutex for the target, v->lock for the books. Context: the executor of
 * orders and the rx thread of the link; waits for our own disks.
 */
#include <linux/blkdev.h>
#include <linux/math64.h>
#include "format/wire.h"
#include "idle.h"
#include "post.h"
#include "base.h"

#define RATE_NS		NSEC_PER_SEC	/* how often the rate is counted */

/* ---- the books ---------------------------------------------------- */

void swb_base_progress_begin(struct swb_volume *v, u8 peer, u8 kind, u64 todo)
{
	struct swb_rebuild_progress *p = &v->rebuild.progress[peer];

	lockdep_assert_held(&v->lock);
	memset(p, 0, sizeof(*p));
	p->kind = kind;
	p->running = true;
	p->todo_bytes = todo;
	p->mark_ns = ktime_get_boottime_ns();
}

void swb_base_progress_count(struct swb_volume *v, u8 peer, u64 done)
{
	struct swb_rebuild_progress *p = &v->rebuild.progress[peer];
	u64 now = ktime_get_boottime_ns();
	u64 ms = div_u64(now - p->mark_ns, NSEC_PER_MSEC);

	lockdep_assert_held(&v->lock);
	p->done_bytes = done;
	if (p->rate && now - p->mark_ns < RATE_NS)
		return;
	p->rate = div64_u64((done - p->mark_bytes) * MSEC_PER_SEC, ms ?: 1);
	if (now - p->mark_ns < RATE_NS)
		return;
	p->mark_ns = now;
	p->mark_bytes = done;
}

void swb_base_progress_end(struct swb_volume *v, u8 peer)
{
	lockdep_assert_held(&v->lock);
	v->rebuild.progress[peer].running = false;
	v->rebuild.progress[peer].rate = 0;
}

/* ---- the beginning and the end ------------------------------------------------ */

/* Own records <= m into the extent: all of them are committed (P10 iii). */
static int write_back_own(struct swb_volume *v, u64 match)
{
	int err;

	/* extent_hi must not run ahead of a log that a crash would shorten */
	err = swb_wal_settle(&v->wal);
	if (!err)
		err = swb_flusher_drain(&v->flusher, match);
	return err ?: swb_store_flush(&v->data);
}

/* The mark and the empty log, in one save (P10 i). */
static int mark_and_restart(struct swb_volume *v)
{
	unsigned long flags;
	int err;

	err = swb_wal_settle(&v->wal);
	if (err)
		return err;
	spin_lock_irqsave(&v->lock, flags);
	swb_core_rebuild_mark(&v->core);
	swb_wal_restart(&v->wal, v->core.log.head + 1);
	spin_unlock_irqrestore(&v->lock, flags);
	swb_wal_freed(&v->wal);
	return swb_super_save(&v->super, &v->core, &v->lock);
}

/* What the stream will have written back; and no bit from before the new base. */
static int begin_target(struct swb_volume *v, u8 peer)
{
	struct swb_rebuild *r = &v->rebuild;
	int err;

	swb_idle_lock(&v->flusher.mutex);
	swb_blocks_destroy(&r->written);
	/* Without memory base blocks are refused, which ends the session. */
	r->target = !swb_blocks_create(&r->written, v->core.d.extent_bytes,
				       v->core.d.block_bytes);
	r->target_peer = peer;
	v->flusher.written = r->target ? &r->written : NULL;
	swb_bitmap_clear(&v->bitmap);
	err = swb_bitmap_write(&v->bitmap);
	mutex_unlock(&v->flusher.mutex);
	return err;
}

static void end_target(struct swb_volume *v)
{
	lockdep_assert_held(&v->flusher.mutex);
	v->flusher.written = NULL;
	v->rebuild.target = false;
	swb_blocks_destroy(&v->rebuild.written);
}

int swb_base_prepare(struct swb_volume *v, const struct swb_action *act)
{
	bool delta = act->a == SWB_START_DELTA;
	u8 peer = v->core.rebuild_peer;		/* step_mutex */
	unsigned long flags;
	int err = 0;

	swb_flusher_pause(&v->flusher);
	if (delta && !(v->core.d.flags & SWB_SUPER_INCONSISTENT))
		err = write_back_own(v, act->b);
	if (!err)
		err = mark_and_restart(v);
	if (!err)
		err = begin_target(v, peer);
	swb_flusher_resume(&v->flusher);
	spin_lock_irqsave(&v->lock, flags);
	swb_base_progress_begin(v, peer, act->a, 0);
	spin_unlock_irqrestore(&v->lock, flags);
	return err;
}

int swb_base_clear(struct swb_volume *v)
{
	unsigned long flags;
	int err;

	swb_idle_lock(&v->flusher.mutex);
	err = swb_store_flush(&v->data);
	if (!err) {
		spin_lock_irqsave(&v->lock, flags);
		swb_core_rebuild_unmark(&v->core);
		swb_base_progress_end(v, v->rebuild.target_peer);
		spin_unlock_irqrestore(&v->lock, flags);
		err = swb_super_save(&v->super, &v->core, &v->lock);
		end_target(v);
	}
	mutex_unlock(&v->flusher.mutex);
	return err;
}

/* ---- blocks ------------------------------------------------------------------- */

/* [@start, @end) of the volume from @g, whose payload begins at sector @first. */
static int write_run(struct swb_volume *v, const struct swb_group *g, u64 first,
		     u64 start, u64 end)
{
	u64 sector = (v->core.d.extent_offset >> SECTOR_SHIFT) + start;
	u32 off = (start - first) << SECTOR_SHIFT;
	u32 left = (end - start) << SECTOR_SHIFT, n;
	struct bio *bio = &v->rebuild.bio;
	int err;

	lockdep_assert_held(&v->flusher.mutex);
	if (!g)
		return swb_idle_zeroout(v->data.bdev, sector, end - start);
	bio_init(bio, v->data.bdev, v->rebuild.bvec, SWB_GROUP_PAGES,
		 REQ_OP_WRITE | REQ_BACKGROUND);
	bio->bi_iter.bi_sector = sector;
	for (; left; left -= n, off += n) {
		n = min_t(u32, left, PAGE_SIZE - offset_in_page(off));
		__bio_add_page(bio, g->page[off >> PAGE_SHIFT], n,
			       offset_in_page(off));
	}
	err = swb_idle_bio(bio);
	bio_uninit(bio);
	return err;
}

/* What write-back has brought here from the stream is newer: it stays. */
static int write_rest(struct swb_volume *v, const struct swb_group *g, u64 first,
		      u64 last)
{
	u64 start = first, end = last;
	int err = 0;

	while (!err && swb_blocks_next(&v->rebuild.written, false, &start, &end)) {
		err = write_run(v, g, first, start, end);
		start = end;
		end = last;
	}
	return err;
}

/* Positive: a reason. *save: extent_hi was raised, and must be durable (P10 iv). */
static int check_base(struct swb_link *l, const struct swb_frame *f, bool *save)
{
	struct swb_volume *v = l->v;
	unsigned long flags;
	int err = -ESHUTDOWN;

	spin_lock_irqsave(&v->lock, flags);
	if (!l->closing)
		err = swb_core_check_base(&v->core, l->peer, f->session, f->epoch,
					  f->a[0], f->a[1], f->a[2]);
	*save = !err && swb_core_base_raise(&v->core, f->a[0], f->a[1]);
	spin_unlock_irqrestore(&v->lock, flags);
	return err;
}

static void took(struct swb_link *l, const struct swb_frame *f, u32 bytes)
{
	struct swb_volume *v = l->v;
	unsigned long flags;
	u64 done;

	spin_lock_irqsave(&v->lock, flags);
	swb_core_base_took(&v->core, l->peer, f->session, bytes);
	done = v->rebuild.progress[l->peer].done_bytes + bytes;
	swb_base_progress_count(v, l->peer, done);
	l->pending |= BIT(SWB_SEND_ACK);
	wake_up(&l->wait);
	spin_unlock_irqrestore(&v->lock, flags);
}

int swb_base_write(struct swb_link *l, const struct swb_frame *f,
		   const struct swb_rec *rec, const struct swb_group *g)
{
	u64 last = rec->sector + (rec->len_bytes >> SECTOR_SHIFT);
	struct swb_volume *v = l->v;
	bool save = false;
	int err, io = 0;

	swb_idle_lock(&v->flusher.mutex);
	err = check_base(l, f, &save);
	if (!err && !v->rebuild.target)
		err = SWBLOCK_REASON_BUDGET;	/* there was no memory for it */
	if (!err && save)
		io = swb_super_save(&v->super, &v->core, &v->lock);
	if (!err && !io)
		io = write_rest(v, g, rec->sector, last);
	mutex_unlock(&v->flusher.mutex);
	if (io) {
		swb_post_later(v, SWB_POST_FAILED);
		return SWBLOCK_REASON_DISK_FAILED;
	}
	if (!err)
		took(l, f, rec->len_bytes);
	return err;
}

void swb_base_destroy(struct swb_volume *v)
{
	swb_idle_lock(&v->flusher.mutex);
	end_target(v);
	mutex_unlock(&v->flusher.mutex);
}
