// SPDX-License-Identifier: GPL-2.0-only
/*
 * Upper reads: each sees the newest admitted write. Under the lock a pass
 * collects a few pieces from the index; then, without it, each piece comes from
 * where it is:
 *
 *	in the index, resident	copied from the group's pages
 *	in the index, evicted	the group is loaded from the ring, by a worker
 *	in the index, zeroes	zeroed
 *	not in the index	the extent, by a clone of the bio
 *
 * What the extent holds is at least as new as the index was when it was asked,
 * for an entry leaves the index only after its extent write has completed.
 *
 * Must not wait in submit_bio: what has to is done by v->read_wq. Must not answer
 * after the lease: it is looked at again when everything has arrived (P13). Clones
 * use the caller's own pages, so a read that is down there cannot be ended before
 * the lower device ends it: that is a stated limit (G7).
 *
 * Lock: volume->lock for the index. Context: submit_bio, worker, bio end.
 */
#include <linux/bio.h>
#include <linux/highmem.h>
#include "core/core.h"
#include "idle.h"
#include "trace.h"
#include "write.h"

#define PIECES_MAX	12	/* of one pass */
#define LOAD_TRIES	100
#define LOAD_PAUSE_MS	10

enum piece_kind {
	PIECE_MEMORY,
	PIECE_ZEROES,
	PIECE_EXTENT,
	PIECE_RING,
};

/**
 * struct piece - part of a read that comes from one place
 * @kind: which place
 * @len: bytes
 * @off: in the payload of the group
 * @lsn: record that holds it
 * @group: referenced, PIECE_MEMORY only
 */
struct piece {
	enum piece_kind kind;
	u32 len;
	u32 off;
	u64 lsn;
	struct swb_group *group;
};

static void read_run(struct swb_req *req, bool may_wait);

static void read_work(struct work_struct *work)
{
	read_run(container_of(work, struct swb_req, work), true);
}

static void read_park(struct swb_volume *v, struct swb_req *req)
{
	lockdep_assert_held(&v->lock);
	list_add_tail(&req->node, &v->io.parked_reads);
	v->io.parked_count++;
	swb_stat_inc(v, PARKED);
}

/*
 * Everything has arrived. May it be answered? If the lease ran out meanwhile the
 * read is parked and done again from the start, should the lease come back. What
 * the own disk failed, a replica may have.
 */
static void read_finish(struct swb_req *req)
{
	struct swb_volume *v = req->v;
	enum swb_admit ok = SWB_ADMIT_FAIL;
	blk_status_t status = req->status;
	unsigned long flags;
	bool held = false;

	spin_lock_irqsave(&v->lock, flags);
	list_del_init(&req->node);
	if (!v->removing)
		ok = swb_core_read_ok(&v->core, ktime_get_boottime_ns());
	if (ok == SWB_ADMIT_PARK) {
		atomic_dec(&v->io.inflight);
		read_park(v, req);
	}
	if (ok == SWB_ADMIT_OK && status)
		held = swb_mend_hold(req);
	spin_unlock_irqrestore(&v->lock, flags);
	if (ok == SWB_ADMIT_PARK || held)
		return;
	if (ok == SWB_ADMIT_FAIL)
		status = BLK_STS_IOERR;
	swb_req_end_admitted(req, status);
}

void swb_read_mended(struct swb_req *req, blk_status_t status)
{
	req->mended = true;
	req->status = status;
	read_finish(req);
}

static void read_let_go(struct swb_req *req)
{
	if (atomic_dec_and_test(&req->holds))
		read_finish(req);
}

static void read_clone_end(struct bio *clone)
{
	struct swb_req *req = clone->bi_private;

	if (clone->bi_status) {
		/* Any one of several errors will do. */
		WRITE_ONCE(req->status, clone->bi_status);
		if (clone->bi_status != BLK_STS_AGAIN)
			swb_stat_inc(req->v, DISK_ERRORS);
	}
	bio_put(clone);
	read_let_go(req);
}

/* Where the rest of the upper bio starts, @skip bytes from the front. */
static struct bvec_iter iter_at(struct bio *bio, u32 skip)
{
	struct bvec_iter iter = bio->bi_iter;

	if (skip)
		bio_advance_iter(bio, &iter, skip);
	return iter;
}

static void piece_copy(struct swb_req *req, const struct piece *p)
{
	struct bvec_iter iter = iter_at(req->bio, req->done_bytes);
	u32 left = p->len, off = p->off;

	while (left) {
		struct bio_vec bv = bio_iter_iovec(req->bio, iter);
		u32 n = min3(left, bv.bv_len, (u32)(PAGE_SIZE - offset_in_page(off)));
		char *src = kmap_local_page(p->group->page[off >> PAGE_SHIFT]);
		char *dst = bvec_kmap_local(&bv);

		memcpy(dst, src + offset_in_page(off), n);
		flush_dcache_page(bv.bv_page);
		kunmap_local(dst);
		kunmap_local(src);
		bio_advance_iter_single(req->bio, &iter, n);
		off += n;
		left -= n;
	}
}

static void piece_zero(struct swb_req *req, const struct piece *p)
{
	struct bvec_iter iter = iter_at(req->bio, req->done_bytes);
	u32 left = p->len;

	while (left) {
		struct bio_vec bv = bio_iter_iovec(req->bio, iter);

		bv.bv_len = min(bv.bv_len, left);
		memzero_bvec(&bv);
		bio_advance_iter_single(req->bio, &iter, bv.bv_len);
		left -= bv.bv_len;
	}
}

/* Send a clone of a part of the bio down. False: no memory without waiting. */
static bool piece_extent(struct swb_req *req, const struct piece *p,
			 bool may_wait)
{
	struct swb_volume *v = req->v;
	bool nowait = (req->bio->bi_opf & REQ_NOWAIT) && !may_wait;
	struct bio *clone;
	u64 sector;

	clone = bio_alloc_clone(v->data.bdev, req->bio,
				may_wait ? GFP_NOIO : GFP_NOWAIT | __GFP_NOWARN,
				&v->read_bios);
	if (!clone)
		return false;
	bio_trim(clone, req->done_bytes >> SECTOR_SHIFT, p->len >> SECTOR_SHIFT);
	sector = clone->bi_iter.bi_sector;
	clone->bi_iter.bi_sector =
		sector + (v->core.d.extent_offset >> SECTOR_SHIFT);
	clone->bi_opf = REQ_OP_READ | (req->bio->bi_opf &
				       (REQ_SYNC | REQ_META | REQ_PRIO |
					REQ_RAHEAD | REQ_IDLE));
	if (nowait && bdev_nowait(v->data.bdev))
		clone->bi_opf |= REQ_NOWAIT;
	clone->bi_private = req;
	clone->bi_end_io = read_clone_end;
	atomic_inc(&req->holds);
	submit_bio_noacct(clone);
	return true;
}

/*
 * An evicted group: read it back, checked. It may be retired meanwhile: then the
 * caller asks the index again, and finds the extent.
 */
static int piece_load(struct swb_req *req, struct piece *p)
{
	struct swb_volume *v = req->v;
	struct swb_group *g;
	int tries = 0;

	do {
		g = swb_wal_load(&v->wal, p->lsn);
		if (!IS_ERR(g))
			break;
		if (PTR_ERR(g) != -ENOBUFS && PTR_ERR(g) != -EAGAIN)
			return PTR_ERR(g);
		swb_idle_sleep(LOAD_PAUSE_MS);
	} while (++tries < LOAD_TRIES);
	if (IS_ERR(g))
		return -EIO;
	p->group = g;
	piece_copy(req, p);
	swb_group_put(g);
	swb_stat_add(v, READ_RING_BYTES, p->len);
	return 0;
}

/* What the index says about the next piece; lock held. */
static void look_up(struct swb_volume *v, u64 sector, u32 left,
		    struct piece *p)
{
	struct swb_range *r = swb_dirty_find(&v->dirty, sector);
	u64 end = sector + (left >> SECTOR_SHIFT);
	struct swb_ent *ent;

	lockdep_assert_held(&v->lock);
	p->kind = PIECE_EXTENT;
	p->group = NULL;
	if (r && r->start > sector) {
		end = min(end, r->start);
	} else if (r) {
		end = min(end, r->end);
		p->lsn = r->lsn;
		p->off = r->payload_off + ((sector - r->start) << SECTOR_SHIFT);
		p->kind = PIECE_ZEROES;
		if (!r->zeroes) {
			ent = swb_wal_find(&v->wal, r->lsn);
			p->kind = PIECE_RING;
			if (ent && ent->group) {
				p->kind = PIECE_MEMORY;
				p->group = ent->group;
				refcount_inc(&p->group->refs);
			}
		}
	}
	p->len = (end - sector) << SECTOR_SHIFT;
}

/* The next pieces from where the read stands; stops before a second RING one. */
static u32 collect(struct swb_req *req, struct piece *pieces)
{
	struct swb_volume *v = req->v;
	u32 at = req->done_bytes, n = 0;
	unsigned long flags;

	spin_lock_irqsave(&v->lock, flags);
	while (n < PIECES_MAX && at < req->bio->bi_iter.bi_size) {
		look_up(v, req->bio->bi_iter.bi_sector + (at >> SECTOR_SHIFT),
			req->bio->bi_iter.bi_size - at, &pieces[n]);
		at += pieces[n].len;
		if (pieces[n++].kind == PIECE_RING)
			break;
	}
	spin_unlock_irqrestore(&v->lock, flags);
	return n;
}

enum piece_done {
	PIECE_DONE,
	PIECE_AGAIN,		/* ask the index again */
	PIECE_WAIT,		/* only a worker can do it */
	PIECE_ERROR,
};

static enum piece_done do_piece(struct swb_req *req, struct piece *p,
				bool may_wait)
{
	int err;

	switch (p->kind) {
	case PIECE_MEMORY:
		piece_copy(req, p);
		swb_stat_add(req->v, READ_MEMORY_BYTES, p->len);
		return PIECE_DONE;
	case PIECE_ZEROES:
		piece_zero(req, p);
		return PIECE_DONE;
	case PIECE_EXTENT:
		return piece_extent(req, p, may_wait) ? PIECE_DONE : PIECE_WAIT;
	case PIECE_RING:
		if (!may_wait)
			return PIECE_WAIT;
		err = piece_load(req, p);
		if (err == -ENOENT)
			return PIECE_AGAIN;
		return err ? PIECE_ERROR : PIECE_DONE;
	}
	return PIECE_ERROR;
}

/* One pass of up to PIECES_MAX pieces. */
static enum piece_done read_pass(struct swb_req *req, bool may_wait)
{
	enum piece_done done = PIECE_DONE;
	struct piece pieces[PIECES_MAX];
	u32 i, n = collect(req, pieces);

	for (i = 0; i < n; i++) {
		if (done == PIECE_DONE)
			done = do_piece(req, &pieces[i], may_wait);
		if (done == PIECE_DONE)
			req->done_bytes += pieces[i].len;
		if (pieces[i].kind == PIECE_MEMORY)
			swb_group_put(pieces[i].group);
	}
	return done;
}

static void read_run(struct swb_req *req, bool may_wait)
{
	enum piece_done done = PIECE_DONE;

	while (req->done_bytes < req->bio->bi_iter.bi_size) {
		done = read_pass(req, may_wait);
		if (done == PIECE_WAIT || done == PIECE_ERROR)
			break;
	}
	if (done == PIECE_WAIT) {
		queue_work(req->v->read_wq, &req->work);
		return;
	}
	if (done == PIECE_ERROR)
		WRITE_ONCE(req->status, BLK_STS_IOERR);
	read_let_go(req);
}

/* Admitted or parked or failed: the same for new and for parked reads. */
static enum swb_admit read_admit(struct swb_req *req, bool nowait)
{
	struct swb_volume *v = req->v;
	enum swb_admit ok = SWB_ADMIT_FAIL;
	unsigned long flags;

	spin_lock_irqsave(&v->lock, flags);
	if (!v->removing)
		ok = swb_core_read_ok(&v->core, ktime_get_boottime_ns());
	if (ok == SWB_ADMIT_OK) {
		list_add_tail(&req->node, &v->io.reads);
		atomic_inc(&v->io.inflight);
	} else if (ok == SWB_ADMIT_PARK && !nowait) {
		read_park(v, req);
	}
	spin_unlock_irqrestore(&v->lock, flags);
	return ok;
}

void swb_read_resume(struct swb_req *req)
{
	/* Once it is parked, somebody else may end it. */
	bool nowait = req->bio->bi_opf & REQ_NOWAIT;
	enum swb_admit ok;

	req->done_bytes = 0;
	req->mended = false;
	req->status = BLK_STS_OK;
	atomic_set(&req->holds, 1);
	INIT_WORK(&req->work, read_work);
	ok = read_admit(req, nowait);
	if (ok == SWB_ADMIT_OK) {
		read_run(req, false);
	} else if (ok == SWB_ADMIT_FAIL) {
		swb_req_end(req, BLK_STS_IOERR);
	} else if (nowait) {
		bio_set_flag(req->bio, BIO_QUIET);
		swb_req_end(req, BLK_STS_AGAIN);
	}
}

void swb_read_submit(struct swb_volume *v, struct bio *bio)
{
	struct swb_req *req;

	if (!bio->bi_iter.bi_size) {
		bio_endio(bio);
		return;
	}
	req = swb_req_get(v, bio);
	if (!req) {
		swb_req_starved(v, bio);
		return;
	}
	swb_stat_inc(v, READS);
	swb_stat_add(v, READ_BYTES, bio->bi_iter.bi_size);
	swb_read_resume(req);
}
