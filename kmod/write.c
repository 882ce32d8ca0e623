// SPDX-License-Identifier: GPL-2.0-only
/*
 * Upper writes from admission to completion: data, zeroes (discard too), flush
 * and FUA. Also the struct swb_req that reads share.
 *
 *	submit_bio -> admit + reserve (lock) -> copy + checksum -> commit
 *	           \-> parked, in order: no role yet decided, ring or memory full
 *
 * A request joins io.writes or io.barriers in the same hold of the lock that gave
 * it its LSN, so both lists are in the order of completion. FUA and PREFLUSH
 * writes complete as barriers for their own LSN: more than FUA asks for, and one
 * path less. Requests are one record each: the queue limits see to that.
 *
 * Must not wait: submit_bio may hold the queue, and the task may be the one that has
 * to free memory. So it does not allocate either: requests are preallocated. Only if
 * more are in flight than a device of this kind has any use for, the slab is asked,
 * and if that has nothing at hand, the bio waits.
 *
 * Lock: volume->lock. Context: submit_bio for swb_write_submit(), the executor of
 * the core's orders for the rest.
 */
#include <linux/bio.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include "core/core.h"
#include "peer.h"
#include "post.h"
#include "trace.h"
#include "write.h"

#define REQUESTS_MAX	1024
#define ACK_LATE_NS		(2ULL * NSEC_PER_SEC)	/* two pings without it */

static struct kmem_cache *req_cache;

int swb_write_init(void)
{
	req_cache = KMEM_CACHE(swb_req, 0);
	return req_cache ? 0 : -ENOMEM;
}

void swb_write_exit(void)
{
	kmem_cache_destroy(req_cache);
}

int swb_req_pool_create(struct swb_req_pool *pool)
{
	u32 i;

	spin_lock_init(&pool->lock);
	INIT_LIST_HEAD(&pool->free);
	pool->all = kvcalloc(REQUESTS_MAX, sizeof(*pool->all), GFP_KERNEL);
	if (!pool->all)
		return -ENOMEM;
	for (i = 0; i < REQUESTS_MAX; i++)
		list_add_tail(&pool->all[i].node, &pool->free);
	return 0;
}

void swb_req_pool_destroy(struct swb_req_pool *pool)
{
	kvfree(pool->all);
	pool->all = NULL;
}

static struct swb_req *take_req(struct swb_req_pool *pool)
{
	struct swb_req *req;
	unsigned long flags;

	spin_lock_irqsave(&pool->lock, flags);
	req = list_first_entry_or_null(&pool->free, struct swb_req, node);
	if (req)
		list_del(&req->node);
	spin_unlock_irqrestore(&pool->lock, flags);
	return req ?: kmem_cache_alloc(req_cache, GFP_NOWAIT | __GFP_NOWARN);
}

static void give_req(struct swb_req_pool *pool, struct swb_req *req)
{
	unsigned long flags;

	if (req < pool->all || req >= pool->all + REQUESTS_MAX) {
		kmem_cache_free(req_cache, req);
		return;
	}
	spin_lock_irqsave(&pool->lock, flags);
	list_add(&req->node, &pool->free);	/* warm in the cache */
	spin_unlock_irqrestore(&pool->lock, flags);
}

struct swb_req *swb_req_get(struct swb_volume *v, struct bio *bio)
{
	struct swb_req *req = take_req(&v->requests);

	if (!req)
		return NULL;
	memset(req, 0, sizeof(*req));
	INIT_LIST_HEAD(&req->node);
	req->v = v;
	req->bio = bio;
	req->admitted_ns = ktime_get_boottime_ns();
	req->acct_jiffies = bio_start_io_acct(bio);
	return req;
}

void swb_req_end(struct swb_req *req, blk_status_t status)
{
	struct bio *bio = req->bio;

	if (trace_swblock_request_enabled())
		trace_swblock_request(req->v->id, req->lsn,
				      (__force u32)bio_op(bio),
				      bio->bi_iter.bi_size, SWB_STAGE_ENDED,
				      ktime_get_boottime_ns() -
				      req->admitted_ns);
	bio_end_io_acct(bio, req->acct_jiffies);
	if (status)
		bio->bi_status = status;
	give_req(&req->v->requests, req);
	bio_endio(bio);
}

/*
 * How long upper writes take, lately, and how long they took while no base lane
 * ran: a lane backs off by it. Racy, and good enough: two counts that are lost are
 * two writes of many.
 */
static void note_latency(struct swb_volume *v, u64 ns)
{
	struct swb_rebuild *r = &v->rebuild;
	u64 ewma = READ_ONCE(r->ewma_ns);

	ewma = ewma ? ewma - (ewma >> 4) + (ns >> 4) : ns;
	WRITE_ONCE(r->ewma_ns, ewma);
	WRITE_ONCE(r->samples, READ_ONCE(r->samples) + 1);
	if (!READ_ONCE(r->lanes))
		WRITE_ONCE(r->quiet_ns, ewma);
}

static bool is_barrier(const struct bio *bio)
{
	return bio->bi_opf & (REQ_PREFLUSH | REQ_FUA);
}

/* What was asked for is done: how long did it take? */
static void note_done(struct swb_volume *v, const struct swb_req *req)
{
	const struct bio *bio = req->bio;
	u64 ns = ktime_get_boottime_ns() - req->admitted_ns;
	u32 bytes = bio->bi_iter.bi_size, stage = SWBLOCK_STAGE_COMPLETE;

	if (bio_op(bio) == REQ_OP_READ) {
		swb_lat_note(&v->lat, SWBLOCK_STAGE_READ, SWB_NOBODY, 0, 1,
			     bytes, ns);
		return;
	}
	if (is_barrier(bio))
		stage = SWBLOCK_STAGE_BARRIER;
	swb_lat_note(&v->lat, stage, req->released_by, req->lsn, 1, bytes, ns);
	if (bytes)
		note_latency(v, ns);
}

void swb_req_end_admitted(struct swb_req *req, blk_status_t status)
{
	struct swb_volume *v = req->v;

	if (!status)
		note_done(v, req);
	/*
	 * Removal waits for inflight, then frees the pool: so the request must be
	 * back in the pool, and the bio ended, before the count falls.
	 */
	swb_req_end(req, status);
	atomic_dec(&v->io.inflight);
}

void swb_req_starved(struct swb_volume *v, struct bio *bio)
{
	unsigned long flags;

	if (bio->bi_opf & REQ_NOWAIT) {
		bio_wouldblock_error(bio);
		return;
	}
	spin_lock_irqsave(&v->lock, flags);
	if (v->removing) {
		spin_unlock_irqrestore(&v->lock, flags);
		bio_io_error(bio);
		return;
	}
	bio_list_add(&v->io.starved, bio);
	v->io.parked_count++;
	spin_unlock_irqrestore(&v->lock, flags);
}

/* ---- admission -------------------------------------------------------- */

enum admitted {
	ADMITTED_SLOT,		/* a record is reserved: fill and commit */
	ADMITTED_BARRIER,	/* waits in io.barriers */
	ADMITTED_DONE,		/* a barrier that is met already */
	ADMITTED_PARK,
	ADMITTED_FAIL,
};

static void count_admitted(struct swb_volume *v, struct bio *bio)
{
	if (is_barrier(bio))
		swb_stat_inc(v, FLUSHES);
	if (bio->bi_iter.bi_size) {
		swb_stat_inc(v, WRITES);
		swb_stat_add(v, WRITE_BYTES, bio->bi_iter.bi_size);
	}
}

static enum admitted admit_flush(struct swb_volume *v, struct swb_req *req)
{
	lockdep_assert_held(&v->lock);
	req->lsn = swb_core_barrier_target(&v->core);
	atomic_set(&req->holds, 1);
	count_admitted(v, req->bio);
	atomic_inc(&v->io.inflight);
	/* The lease was looked at a moment ago, under this lock: P13. */
	if (req->lsn <= v->core.log.committed) {
		req->released_by = v->core.self;
		return ADMITTED_DONE;
	}
	list_add_tail(&req->node, &v->io.barriers);
	swb_post_barrier(v, req->lsn);
	return ADMITTED_BARRIER;
}

/* One attempt to let a request in; changes nothing but ring_full if it fails. */
static enum admitted admit(struct swb_volume *v, struct swb_req *req,
			   struct swb_slot *slot)
{
	struct bio *bio = req->bio;
	u8 type = bio_op(bio) == REQ_OP_WRITE ? SWB_REC_WRITE : SWB_REC_ZEROES;
	enum swb_admit ok;
	int err;

	lockdep_assert_held(&v->lock);
	if (v->removing)
		return ADMITTED_FAIL;
	req->placed_ns = ktime_get_boottime_ns();
	ok = swb_core_admit(&v->core, req->placed_ns);
	if (ok != SWB_ADMIT_OK)
		return ok == SWB_ADMIT_PARK ? ADMITTED_PARK : ADMITTED_FAIL;
	if (!bio->bi_iter.bi_size)
		return admit_flush(v, req);
	if (swb_guard_parks(v, bio))
		return ADMITTED_PARK;
	err = swb_wal_reserve(&v->wal, type, bio->bi_iter.bi_sector,
			      bio->bi_iter.bi_size, slot);
	v->io.ring_full = err == -ENOSPC;
	if (err == -ENOSPC || err == -ENOBUFS) {
		swb_flusher_kick(&v->flusher, true);
		return ADMITTED_PARK;
	}
	if (err)
		return ADMITTED_FAIL;
	req->lsn = slot->lsn;
	swb_guard_admitted(v, bio->bi_iter.bi_sector, bio->bi_iter.bi_size);
	atomic_set(&req->holds, 2);
	count_admitted(v, bio);
	atomic_inc(&v->io.inflight);
	if (is_barrier(bio)) {
		list_add_tail(&req->node, &v->io.barriers);
		swb_post_barrier(v, req->lsn);
	} else {
		list_add_tail(&req->node, &v->io.writes);
	}
	return ADMITTED_SLOT;
}

/* Whoever lets go last ends the bio: the list, or the copy of its payload. */
static void let_go(struct swb_req *req)
{
	if (atomic_dec_and_test(&req->holds))
		swb_req_end_admitted(req, req->status);
}

/* What admission leaves to be done without the lock. */
static void admitted_finish(struct swb_volume *v, struct swb_req *req,
			    struct swb_slot *slot, enum admitted what)
{
	if (what == ADMITTED_SLOT) {
		swb_lat_note(&v->lat, SWBLOCK_STAGE_ADMIT, SWB_NOBODY, req->lsn,
			     1, req->bio->bi_iter.bi_size,
			     req->placed_ns - req->admitted_ns);
		swb_wal_fill(slot, req->bio);
		let_go(req);
		if (swb_wal_commit(&v->wal, slot))
			swb_peer_kick(v);
	} else if (what == ADMITTED_DONE) {
		let_go(req);
	} else if (what == ADMITTED_FAIL) {
		swb_req_end(req, BLK_STS_IOERR);
	}
}

/* Would this bio be a record that nobody could write back? */
static bool malformed(const struct swb_volume *v, const struct bio *bio)
{
	u32 mask = v->core.d.block_bytes - 1;
	u32 max = SWB_REC_ZEROES_MAX;

	if (bio_op(bio) == REQ_OP_WRITE)
		max = SWB_REC_PAYLOAD_MAX;
	else if (bio_op(bio) != REQ_OP_DISCARD &&
		 bio_op(bio) != REQ_OP_WRITE_ZEROES)
		return true;
	return bio->bi_iter.bi_size > max || (bio->bi_iter.bi_size & mask) ||
	       ((bio->bi_iter.bi_sector << SECTOR_SHIFT) & mask);
}

void swb_write_submit(struct swb_volume *v, struct bio *bio)
{
	struct swb_slot slot;
	struct swb_req *req;
	unsigned long flags;
	enum admitted what;

	if (WARN_ON_ONCE(malformed(v, bio))) {
		bio_io_error(bio);
		return;
	}
	if (!bio->bi_iter.bi_size && !is_barrier(bio)) {
		bio_endio(bio);
		return;
	}
	req = swb_req_get(v, bio);
	if (!req) {
		swb_req_starved(v, bio);
		return;
	}
	spin_lock_irqsave(&v->lock, flags);
	/* a repair comes before what waits for it */
	if (list_empty(&v->io.parked) || v->removing ||
	    swb_guard_first(v, bio))
		what = admit(v, req, &slot);
	else
		what = ADMITTED_PARK;
	if (what == ADMITTED_PARK && !(bio->bi_opf & REQ_NOWAIT)) {
		list_add_tail(&req->node, &v->io.parked);
		v->io.parked_count++;
		swb_stat_inc(v, PARKED);
	}
	spin_unlock_irqrestore(&v->lock, flags);

	if (what != ADMITTED_PARK) {
		admitted_finish(v, req, &slot, what);
	} else if (bio->bi_opf & REQ_NOWAIT) {
		bio_set_flag(bio, BIO_QUIET);
		swb_req_end(req, BLK_STS_AGAIN);
	}
}

/* ---- the core's orders ------------------------------------------------ */

/* Take what is at or below @lsn off @from; both lists are sorted by it. */
static void take_up_to(struct list_head *from, u64 lsn, struct list_head *to)
{
	struct swb_req *req, *next;

	list_for_each_entry_safe(req, next, from, node) {
		if (req->lsn > lsn)
			break;
		list_move_tail(&req->node, to);
	}
}

static void end_list(struct list_head *list, blk_status_t status, u8 by)
{
	struct swb_req *req, *next;

	list_for_each_entry_safe(req, next, list, node) {
		list_del_init(&req->node);
		if (status)
			req->status = status;
		req->released_by = by;
		let_go(req);
	}
}

void swb_write_complete(struct swb_volume *v, u64 lsn, u8 by)
{
	unsigned long flags;
	LIST_HEAD(done);

	spin_lock_irqsave(&v->lock, flags);
	take_up_to(&v->io.writes, lsn, &done);
	spin_unlock_irqrestore(&v->lock, flags);
	end_list(&done, BLK_STS_OK, by);
}

void swb_write_complete_barriers(struct swb_volume *v, u64 committed, u8 by)
{
	unsigned long flags;
	LIST_HEAD(done);

	spin_lock_irqsave(&v->lock, flags);
	take_up_to(&v->io.barriers, committed, &done);
	spin_unlock_irqrestore(&v->lock, flags);
	end_list(&done, BLK_STS_OK, by);
}

void swb_write_hold(struct swb_volume *v)
{
	unsigned long flags;

	spin_lock_irqsave(&v->lock, flags);
	v->io.held = true;
	spin_unlock_irqrestore(&v->lock, flags);
}

void swb_write_resume(struct swb_volume *v)
{
	unsigned long flags;

	spin_lock_irqsave(&v->lock, flags);
	v->io.held = false;
	spin_unlock_irqrestore(&v->lock, flags);
	swb_write_unpark(v);
}

/* Bare bios: this time there may be memory for a request. */
static void unpark_starved(struct swb_volume *v)
{
	struct bio_list starved;
	unsigned long flags;
	struct bio *bio;

	spin_lock_irqsave(&v->lock, flags);
	starved = v->io.starved;
	bio_list_init(&v->io.starved);
	v->io.parked_count -= bio_list_size(&starved);
	spin_unlock_irqrestore(&v->lock, flags);
	while ((bio = bio_list_pop(&starved))) {
		if (bio_op(bio) == REQ_OP_READ)
			swb_read_submit(v, bio);
		else
			swb_write_submit(v, bio);
	}
}

static void unpark_reads(struct swb_volume *v)
{
	struct swb_req *req, *next;
	unsigned long flags;
	LIST_HEAD(again);

	spin_lock_irqsave(&v->lock, flags);
	list_splice_init(&v->io.parked_reads, &again);
	list_for_each_entry(req, &again, node)
		v->io.parked_count--;
	spin_unlock_irqrestore(&v->lock, flags);
	list_for_each_entry_safe(req, next, &again, node) {
		list_del_init(&req->node);
		swb_read_resume(req);
	}
}

void swb_write_unpark(struct swb_volume *v)
{
	enum admitted what = ADMITTED_FAIL;
	struct swb_slot slot;
	struct swb_req *req;
	unsigned long flags;

	unpark_reads(v);
	unpark_starved(v);
	do {
		spin_lock_irqsave(&v->lock, flags);
		req = list_first_entry_or_null(&v->io.parked, struct swb_req,
					       node);
		if (req) {
			struct list_head *ahead = req->node.prev;

			list_del_init(&req->node);
			what = admit(v, req, &slot);
			if (what == ADMITTED_PARK)
				list_add(&req->node, ahead);
			else
				v->io.parked_count--;
		}
		spin_unlock_irqrestore(&v->lock, flags);
		if (req && what != ADMITTED_PARK)
			admitted_finish(v, req, &slot, what);
	} while (req && what != ADMITTED_PARK);
}

static void end_parked(struct list_head *list, blk_status_t status)
{
	struct swb_req *req, *next;

	list_for_each_entry_safe(req, next, list, node) {
		list_del_init(&req->node);
		swb_req_end(req, status);
	}
}

void swb_write_fail_all(struct swb_volume *v, blk_status_t status)
{
	struct bio_list starved;
	unsigned long flags;
	struct bio *bio;
	LIST_HEAD(admitted);
	LIST_HEAD(parked);

	spin_lock_irqsave(&v->lock, flags);
	list_splice_init(&v->io.writes, &admitted);
	list_splice_tail_init(&v->io.barriers, &admitted);
	list_splice_tail_init(&v->io.held_reads, &admitted);
	list_splice_init(&v->io.parked, &parked);
	list_splice_tail_init(&v->io.parked_reads, &parked);
	starved = v->io.starved;
	bio_list_init(&v->io.starved);
	v->io.parked_count = 0;
	v->io.held = false;
	spin_unlock_irqrestore(&v->lock, flags);

	end_list(&admitted, status, SWB_NOBODY);
	end_parked(&parked, status);
	while ((bio = bio_list_pop(&starved))) {
		bio->bi_status = status;
		bio_endio(bio);
	}
}

/* ---- time ------------------------------------------------------------- */

/* Is the oldest one on @list from before @limit_ns, and @lsn past its target? */
static bool waits_beyond(struct list_head *list, u64 lsn, u64 limit_ns)
{
	const struct swb_req *req;

	req = list_first_entry_or_null(list, struct swb_req, node);
	return req && req->admitted_ns < limit_ns && req->lsn <= lsn;
}

bool swb_write_awaits_ack(struct swb_volume *v, u64 now_ns)
{
	u64 limit_ns = now_ns - min_t(u64, now_ns, ACK_LATE_NS);
	const struct swb_core *c = &v->core;

	lockdep_assert_held(&v->lock);
	if (c->role != SWBLOCK_ROLE_PRIMARY || c->hold || v->io.held)
		return false;		/* another condition says why */
	return waits_beyond(&v->io.writes, c->log.written, limit_ns) ||
	       waits_beyond(&v->io.barriers, c->log.durable, limit_ns) ||
	       /* the tail waits for C: who is parked has no LSN yet */
	       (v->io.ring_full && c->log.committed < c->log.durable &&
		waits_beyond(&v->io.parked, U64_MAX, limit_ns));
}

/* Take what came before @limit_ns off @from. */
static u32 take_older(struct list_head *from, u64 limit_ns,
		      struct list_head *to)
{
	struct swb_req *req, *next;
	u32 n = 0;

	list_for_each_entry_safe(req, next, from, node) {
		if (req->admitted_ns >= limit_ns)
			continue;
		list_move_tail(&req->node, to);
		n++;
	}
	return n;
}

/*
 * Fail what waited for too long. What became of an admitted one is unknown: its
 * record may be in logs, and may be committed later.
 */
static void fail_late(struct swb_volume *v, u64 limit_ns)
{
	unsigned long flags;
	LIST_HEAD(admitted);
	LIST_HEAD(parked);
	u32 n, np;

	spin_lock_irqsave(&v->lock, flags);
	n = take_older(&v->io.writes, limit_ns, &admitted);
	n += take_older(&v->io.barriers, limit_ns, &admitted);
	n += take_older(&v->io.held_reads, limit_ns, &admitted);
	np = take_older(&v->io.parked, limit_ns, &parked);
	np += take_older(&v->io.parked_reads, limit_ns, &parked);
	v->io.parked_count -= np;
	spin_unlock_irqrestore(&v->lock, flags);

	if (!n && !np)
		return;
	swb_stat_add(v, DEADLINES, n + np);
	pr_err_ratelimited("swblock: swblock%d: %u requests failed after the I/O deadline, their outcome is unknown\n",
			   v->minor, n + np);
	end_list(&admitted, BLK_STS_IOERR, SWB_NOBODY);
	end_parked(&parked, BLK_STS_IOERR);
}

void swb_write_expire(struct swb_volume *v, u64 now_ns)
{
	u64 deadline_ns = READ_ONCE(v->io.deadline_ns);

	if (now_ns > deadline_ns)
		fail_late(v, now_ns - deadline_ns);
}

void swb_write_tick(struct swb_volume *v, u64 now_ns)
{
	swb_write_expire(v, now_ns);
	/* Memory does not tell when it comes back; the ring does. */
	if (READ_ONCE(v->io.parked_count))
		swb_write_unpark(v);
}
