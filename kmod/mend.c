// SPDX-License-Identifier: GPL-2.0-only
/*
 * A read that the primary's disk failed, served and repaired from a replica:
 *
 *	the read is held -> worker, block by block (4 KiB):
 *	  watch the block; what was admitted before is in the index
 *	  index, log, extent; what of them cannot be read: READ to a matched peer
 *	  READ_DATA, content at its head x: as good as our own if x >= what the block
 *	  needs (core/lend.c) -> to the reader
 *	  nothing was admitted to the block meanwhile? then the whole block is logged
 *	  anew: a record like any other, and write-back brings it to the bad place
 *
 * So old content never overwrites new, extent marks and replicas are served as by
 * every write, and a place that cannot be written either ends as any failed
 * write-back does: the disk is latched. Whole blocks, since a drive may have to read
 * what surrounds a smaller write.
 *
 * Must not judge sessions or LSNs (core/lend.c does), nor hold a read that nobody
 * can help. One block at a time, memory of its own: nothing is allocated when a
 * read fails. While the worker waits for a disk or a peer the read stays on
 * io.held_reads, so that a removal or a deadline can end it.
 *
 * Lock: volume->lock. Context: said at each function.
 */
#include <linux/bio.h>
#include <linux/highmem.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "content.h"
#include "idle.h"
#include "peer.h"
#include "trace.h"
#include "write.h"

#define BLOCK		SWB_WIRE_READ_MAX
#define BLOCK_SECTORS	(BLOCK >> SECTOR_SHIFT)
#define TRIES		3	/* of a block that is written meanwhile */
#define ANSWER_MS	2000	/* of one peer */
#define READ_MS		10000	/* of one read */
#define AGAIN_MS	10	/* to a peer that is behind */

/* ---- the replica ------------------------------------------------------------ */

static bool place_ok(const struct swb_volume *v, u64 sector, u64 bytes)
{
	u64 at = sector << SECTOR_SHIFT;

	return at >> SECTOR_SHIFT == sector && at <= v->core.extent_saved &&
	       bytes <= v->core.extent_saved - at;
}

static enum swblock_reason may_lend(struct swb_link *l, const struct swb_frame *f)
{
	lockdep_assert_held(&l->v->lock);
	if (l->closing)
		return SWBLOCK_REASON_STALE_SESSION;
	return swb_core_check_lend(&l->v->core, l->peer, f->session, f->epoch);
}

/* Nobody but this thread appends here, so content and head belong together. */
int swb_mend_asked(struct swb_link *l, const struct swb_frame *f)
{
	struct swb_mend_answer *a = &l->lend;
	struct swb_volume *v = l->v;
	enum swblock_reason reason;
	unsigned long flags;
	bool readable;

	if (!place_ok(v, f->a[0], f->a[1]))
		return SWBLOCK_REASON_BAD_RECORD;
	spin_lock_irqsave(&v->lock, flags);
	reason = may_lend(l, f);
	spin_unlock_irqrestore(&v->lock, flags);
	readable = !reason && !swb_content_read(v, f->a[0], l->rx_body, f->a[1]);
	if (!reason && !readable)
		swb_stat_inc(v, DISK_ERRORS);
	spin_lock_irqsave(&v->lock, flags);
	reason = may_lend(l, f);
	if (reason == SWBLOCK_REASON_NONE ||
	    reason == SWBLOCK_REASON_NEEDS_REBUILD) {
		a->session = f->session;
		a->sector = f->a[0];
		a->bytes = f->a[1];
		a->serial = f->a[2];
		a->head = v->core.log.head;
		a->readable = readable && !reason;
		if (a->readable)
			memcpy(a->data, l->rx_body, a->bytes);
		l->pending |= BIT(SWB_SEND_READ);
		wake_up(&l->wait);
	}
	spin_unlock_irqrestore(&v->lock, flags);
	if (reason) {	/* of a session that is over: nobody waits */
		swb_stat_inc(v, REFUSED);
		trace_swblock_refused(v->id, l->peer, reason);
	}
	return 0;
}

/* ---- the wire ------------------------------------------------------------------ */

static bool fill_question(struct swb_link *l, struct swb_frame *f)
{
	struct swb_mend *m = &l->v->mend;

	if (m->state != SWB_MEND_ASKED || m->asked != l->peer ||
	    swb_core_lend_ask(&l->v->core, l->peer) != m->session)
		return false;
	f->type = SWB_WIRE_READ;
	f->session = m->session;
	f->a[0] = m->sector;
	f->a[1] = m->bytes;
	f->a[2] = m->serial;
	return true;
}

bool swb_mend_fill(struct swb_link *l, struct swb_frame *f)
{
	struct swb_mend_answer *a = &l->lend;

	lockdep_assert_held(&l->v->lock);
	if (l->v->core.role == SWBLOCK_ROLE_PRIMARY)
		return fill_question(l, f);
	if (!a->bytes)
		return false;
	f->type = SWB_WIRE_READ_DATA;
	f->session = a->session;
	f->a[0] = a->sector;
	f->a[1] = a->bytes;
	f->a[2] = a->serial;
	f->a[3] = a->head;
	if (a->readable) {
		f->body_bytes = a->bytes;
		memcpy(a->tx_data, a->data, a->bytes);
		swb_stat_inc(l->v, READS_LENT);
	}
	a->bytes = 0;
	return true;
}

int swb_mend_answered(struct swb_link *l, const struct swb_frame *f)
{
	struct swb_volume *v = l->v;
	struct swb_mend *m = &v->mend;
	unsigned long flags;

	spin_lock_irqsave(&v->lock, flags);
	if (!l->closing && m->state == SWB_MEND_ASKED && m->asked == l->peer &&
	    m->serial == f->a[2] && m->sector == f->a[0] &&
	    m->bytes == f->a[1]) {
		if (!f->body_bytes) {
			m->state = SWB_MEND_CANNOT;
		} else if (!swb_core_lent_ok(&v->core, l->peer, f->session,
					     f->epoch, f->a[3], m->need)) {
			m->state = SWB_MEND_BEHIND;
		} else {
			memcpy(m->data, l->rx_body, m->bytes);
			m->state = SWB_MEND_ANSWERED;
		}
		wake_up(&m->wait);
	}
	spin_unlock_irqrestore(&v->lock, flags);
	return 0;
}

/* ---- the primary: content of a block ---------------------------------------------- */

static bool over(struct swb_volume *v)
{
	return READ_ONCE(v->removing) ||
	       READ_ONCE(v->core.role) != SWBLOCK_ROLE_PRIMARY;
}

static bool ask(struct swb_volume *v, u8 peer, u64 sector, u32 len, u64 need)
{
	struct swb_mend *m = &v->mend;
	unsigned long flags;

	spin_lock_irqsave(&v->lock, flags);
	m->session = v->link[peer] ? swb_core_lend_ask(&v->core, peer) : 0;
	if (m->session) {
		m->state = SWB_MEND_ASKED;
		m->asked = peer;
		m->serial++;
		m->sector = sector;
		m->bytes = len;
		m->need = need;
		v->link[peer]->pending |= BIT(SWB_SEND_READ);
		wake_up(&v->link[peer]->wait);
	}
	spin_unlock_irqrestore(&v->lock, flags);
	return m->session;
}

/* Did the session end that the question went to? */
static bool lost(struct swb_volume *v)
{
	struct swb_mend *m = &v->mend;
	unsigned long flags;
	bool lost;

	spin_lock_irqsave(&v->lock, flags);
	lost = swb_core_lend_ask(&v->core, m->asked) != m->session;
	spin_unlock_irqrestore(&v->lock, flags);
	return lost;
}

/* Wait for the answer; afterwards none is taken any more. */
static u8 answer(struct swb_volume *v, unsigned long end)
{
	struct swb_mend *m = &v->mend;
	unsigned long flags;
	u8 state;

	while (READ_ONCE(m->state) == SWB_MEND_ASKED && !over(v) && !lost(v) &&
	       time_before(jiffies, end))
		wait_event_idle_timeout(m->wait, READ_ONCE(m->state) !=
					SWB_MEND_ASKED, HZ / 10 + 1);
	spin_lock_irqsave(&v->lock, flags);
	state = m->state;
	m->state = SWB_MEND_IDLE;
	spin_unlock_irqrestore(&v->lock, flags);
	return state;
}

static bool ask_peer(struct swb_volume *v, u8 peer, u64 sector, u32 len, u64 need)
{
	unsigned long end = jiffies + msecs_to_jiffies(ANSWER_MS);
	u8 state;

	do {
		if (!ask(v, peer, sector, len, need))
			return false;
		state = answer(v, end);
		if (state == SWB_MEND_BEHIND)
			swb_idle_sleep(AGAIN_MS);
	} while (state == SWB_MEND_BEHIND && !over(v) &&
		 time_before(jiffies, end));
	return state == SWB_MEND_ANSWERED;
}

/* What the own disk cannot read: the first peer that can. */
static int borrow(struct swb_volume *v, u64 sector, void *buf, u32 len, u64 need)
{
	u8 i;

	for (i = 0; i < SWB_MEMBERS_MAX && !over(v); i++) {
		if (!ask_peer(v, i, sector, len, need))
			continue;
		memcpy(buf, v->mend.data, len);
		v->mend.borrowed = true;
		return 0;
	}
	return -EIO;
}

/* ---- the read that is held --------------------------------------------------------- */

/**
 * struct job - a held read, as the worker knows it
 * @ticket: of it
 * @start: first sector
 * @end: sector after the last
 */
struct job {
	u64 ticket;
	u64 start;
	u64 end;
};

static bool anyone_to_ask(struct swb_volume *v)
{
	u8 i;

	for (i = 0; i < SWB_MEMBERS_MAX; i++)
		if (v->link[i] && swb_core_lend_ask(&v->core, i))
			return true;
	return false;
}

bool swb_mend_hold(struct swb_req *req)
{
	struct swb_volume *v = req->v;

	lockdep_assert_held(&v->lock);
	if (req->mended || req->status == BLK_STS_AGAIN ||
	    (req->bio->bi_opf & REQ_RAHEAD))
		return false;
	if (!anyone_to_ask(v)) {
		swb_stat_inc(v, READS_UNSERVED);
		return false;
	}
	req->lsn = ++v->mend.ticket;
	atomic_set(&req->holds, 1);
	list_add_tail(&req->node, &v->io.held_reads);
	queue_work(v->read_wq, &v->mend.work);
	return true;
}

static bool next_job(struct swb_volume *v, struct job *job)
{
	struct swb_req *req;
	unsigned long flags;

	spin_lock_irqsave(&v->lock, flags);
	req = list_first_entry_or_null(&v->io.held_reads, struct swb_req, node);
	if (req) {
		job->ticket = req->lsn;
		job->start = req->bio->bi_iter.bi_sector;
		job->end = bio_end_sector(req->bio);
	}
	spin_unlock_irqrestore(&v->lock, flags);
	return req;
}

/* Nobody else ends the read from here on. NULL: somebody has. */
static struct swb_req *claim(struct swb_volume *v, const struct job *job)
{
	struct swb_req *req, *found = NULL;
	unsigned long flags;

	spin_lock_irqsave(&v->lock, flags);
	req = list_first_entry_or_null(&v->io.held_reads, struct swb_req, node);
	if (req && req->lsn == job->ticket) {
		list_del_init(&req->node);
		found = req;
	}
	spin_unlock_irqrestore(&v->lock, flags);
	return found;
}

/* False: a removal is under way, which would not see it any more. */
static bool unclaim(struct swb_volume *v, struct swb_req *req)
{
	unsigned long flags;
	bool ok;

	spin_lock_irqsave(&v->lock, flags);
	ok = !v->removing;
	if (ok)
		list_add(&req->node, &v->io.held_reads);
	spin_unlock_irqrestore(&v->lock, flags);
	return ok;
}

/* What of [sector, sector + len) the read asked for. */
static void copy_out(struct swb_req *req, u64 sector, u32 len, const void *buf)
{
	struct bvec_iter iter = req->bio->bi_iter;
	u64 start = max_t(u64, sector, iter.bi_sector);
	u64 end = min_t(u64, sector + (len >> SECTOR_SHIFT), bio_end_sector(req->bio));
	u32 left = (end - start) << SECTOR_SHIFT;

	buf += (start - sector) << SECTOR_SHIFT;
	if (start > iter.bi_sector)
		bio_advance_iter(req->bio, &iter,
				 (start - iter.bi_sector) << SECTOR_SHIFT);
	while (left) {
		struct bio_vec bv = bio_iter_iovec(req->bio, iter);

		bv.bv_len = min(bv.bv_len, left);
		memcpy_to_bvec(&bv, buf);
		flush_dcache_page(bv.bv_page);
		bio_advance_iter_single(req->bio, &iter, bv.bv_len);
		buf += bv.bv_len;
		left -= bv.bv_len;
	}
}

static bool give(struct swb_volume *v, const struct job *job, u64 sector, u32 len)
{
	struct swb_req *req = claim(v, job);

	if (!req)
		return false;
	copy_out(req, sector, len, v->mend.buf);
	if (unclaim(v, req))
		return true;
	swb_read_mended(req, BLK_STS_IOERR);
	return false;
}

/* ---- repair -------------------------------------------------------------------------- */

static void repair_end(struct bio *bio)
{
	struct swb_volume *v = bio->bi_private;
	struct swb_mend *m = &v->mend;
	unsigned long flags;

	if (!bio->bi_status)
		swb_stat_inc(v, READ_REPAIRS);
	swb_guard_written(v, SWB_GUARD_MEND);
	bio_uninit(bio);
	spin_lock_irqsave(&v->lock, flags);
	m->repairing = false;
	wake_up(&m->wait);	/* under the lock: the volume may go right after */
	spin_unlock_irqrestore(&v->lock, flags);
}

/*
 * One at a time; and none once the disk may be on its way out. A repair that does not
 * end, because a required peer is away, is waited for once: reads go on without.
 */
static bool may_repair(struct swb_volume *v)
{
	struct swb_mend *m = &v->mend;
	unsigned long flags;
	bool ok;

	if (!m->stuck)
		wait_event_idle_timeout(m->wait, !READ_ONCE(m->repairing) ||
					over(v), HZ);
	spin_lock_irqsave(&v->lock, flags);
	m->stuck = m->repairing;
	ok = !m->repairing && !over(v);
	m->repairing |= ok;
	spin_unlock_irqrestore(&v->lock, flags);
	return ok;
}

/*
 * Log the block anew. Nobody waits for it: the next read of the block is served by
 * the index as soon as it is admitted. False: the block was written meanwhile.
 */
static bool repair(struct swb_volume *v, u64 sector, u32 len)
{
	struct swb_mend *m = &v->mend;
	unsigned long flags;

	if (!may_repair(v)) {
		swb_guard_unwatch(v, SWB_GUARD_MEND);
		return true;
	}
	memcpy(page_address(m->page), m->buf, len);
	bio_init(&m->bio, v->disk->part0, &m->bvec, 1,
		 REQ_OP_WRITE | REQ_NOWAIT | REQ_SYNC);
	m->bio.bi_iter.bi_sector = sector;
	m->bio.bi_private = v;
	m->bio.bi_end_io = repair_end;
	__bio_add_page(&m->bio, m->page, len, 0);
	if (swb_guard_write(v, SWB_GUARD_MEND, &m->bio, true))
		return true;
	bio_uninit(&m->bio);
	spin_lock_irqsave(&v->lock, flags);
	m->repairing = false;
	spin_unlock_irqrestore(&v->lock, flags);
	return false;
}

/* ---- one block, one read --------------------------------------------------------------- */

static bool mend_block(struct swb_volume *v, const struct job *job, u64 sector, u32 len)
{
	struct swb_mend *m = &v->mend;
	bool served = false, settled;
	u64 head;
	u32 i;

	for (i = 0; i < TRIES; i++) {
		head = swb_guard_watch(v, SWB_GUARD_MEND, sector, len, false);
		settled = swb_guard_settle(v, head, over);
		m->borrowed = false;
		if (swb_content_borrow(v, sector, m->buf, len, borrow) ||
		    !give(v, job, sector, len)) {
			swb_guard_unwatch(v, SWB_GUARD_MEND);
			return served;
		}
		if (m->borrowed && !served)
			swb_stat_inc(v, READS_BORROWED);
		served = true;
		if (!m->borrowed || !settled) {
			swb_guard_unwatch(v, SWB_GUARD_MEND);
			return true;
		}
		if (repair(v, sector, len))
			return true;
	}
	return true;
}

static bool mend_read(struct swb_volume *v, const struct job *job)
{
	unsigned long end = jiffies + msecs_to_jiffies(READ_MS);
	u64 at, last = v->core.extent_saved >> SECTOR_SHIFT;
	u32 len;

	for (at = round_down(job->start, BLOCK_SECTORS); at < job->end;
	     at += BLOCK_SECTORS) {
		len = min_t(u64, last - at, BLOCK_SECTORS) << SECTOR_SHIFT;
		if (over(v) || time_after(jiffies, end) ||
		    !mend_block(v, job, at, len))
			return false;
		cond_resched();
	}
	return true;
}

static void mend_work(struct work_struct *work)
{
	struct swb_mend *m = container_of(work, struct swb_mend, work);
	struct swb_volume *v = container_of(m, struct swb_volume, mend);
	unsigned int noio = memalloc_noio_save();
	struct swb_req *req;
	struct job job;
	bool ok;

	while (next_job(v, &job)) {
		ok = mend_read(v, &job);
		req = claim(v, &job);
		if (!req)
			continue;	/* a removal or a deadline ended it */
		if (!ok)
			swb_stat_inc(v, READS_UNSERVED);
		swb_read_mended(req, ok ? BLK_STS_OK : BLK_STS_IOERR);
	}
	memalloc_noio_restore(noio);
}

/* ---- begin and end ------------------------------------------------------------------------ */

int swb_mend_init(struct swb_volume *v)
{
	struct swb_mend *m = &v->mend;

	INIT_WORK(&m->work, mend_work);
	init_waitqueue_head(&m->wait);
	m->data = kmalloc(BLOCK, GFP_KERNEL);
	m->buf = kmalloc(BLOCK, GFP_KERNEL);
	m->page = alloc_page(GFP_KERNEL);
	return m->data && m->buf && m->page ? 0 : -ENOMEM;
}

void swb_mend_destroy(struct swb_volume *v)
{
	struct swb_mend *m = &v->mend;

	kfree(m->data);
	kfree(m->buf);
	if (m->page)
		__free_page(m->page);
}

void swb_mend_stop(struct swb_volume *v)
{
	struct swb_mend *m = &v->mend;

	wake_up(&m->wait);
	wait_event_idle(m->wait, !READ_ONCE(m->repairing));
}
