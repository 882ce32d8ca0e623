// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compares replicas with their primary, piece by piece, while everything runs, and
 * rewrites what differs if that was ordered.
 *
 *	watch the piece, h0 = head -> until every record <= h0 is in the log, and was
 *	shipped -> own content -> VERIFY, in stream order -> the replica's rx, which
 *	alone appends there, reads its own content, that of its head x >= h0 ->
 *	VERIFY_SUM -> no admission touched the piece meanwhile? then both contents
 *	are of the same records, and must be equal. Else again; at last with
 *	admissions to the piece parked for a moment.
 *
 * So a difference is never one of time. Compared are crc32c of 4 KiB each: against
 * accidents, not against an adversary. A repair is a record like any other: it is
 * admitted while nobody else can write the piece, and makes the replicas equal in
 * their logs; the primary's content wins, whoever was right.
 *
 * Must not judge histories or sessions. Lock: volume->lock for what admissions and
 * links look at. Context: said at each function.
 */
#include <linux/bio.h>
#include <linux/delay.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "content.h"
#include "crc.h"
#include "idle.h"
#include "manage.h"
#include "notify.h"
#include "peer.h"
#include "post.h"
#include "write.h"

#define TRIES_OPEN	3	/* then admissions to the piece are parked */
#define TRIES_MAX	6
#define ANSWER_MS	5000
#define PAUSE_MS	10	/* after a piece, while others have I/O in flight */

static u32 sum_of(const void *buf, u32 len, u32 block)
{
	u32 off = block * SWB_VERIFY_BLOCK;

	return swb_crc32c(0, buf + off, min_t(u32, len - off, SWB_VERIFY_BLOCK));
}

/* ---- the replica ------------------------------------------------------------ */

static bool session_ok(struct swb_link *l, const struct swb_frame *f, u8 role)
{
	const struct swb_core *c = &l->v->core;

	lockdep_assert_held(&l->v->lock);
	return !l->closing && c->role == role &&
	       f->epoch == c->d.epoch && c->peer[l->peer].matched &&
	       f->session == c->peer[l->peer].session &&
	       !(c->d.flags & SWB_SUPER_INCONSISTENT);
}

static bool piece_ok(const struct swb_volume *v, u64 sector, u64 bytes)
{
	u64 at = sector << SECTOR_SHIFT;

	return bytes && bytes <= SWB_VERIFY_PIECE && !(bytes & 511) &&
	       at >> SECTOR_SHIFT == sector && at <= v->core.extent_saved &&
	       bytes <= v->core.extent_saved - at;
}

int swb_verify_asked(struct swb_link *l, const struct swb_frame *f)
{
	struct swb_verify_answer *a = &l->verify;
	struct swb_volume *v = l->v;
	u32 i, len = f->a[1];
	unsigned long flags;
	void *buf;
	bool ok;
	int err;

	spin_lock_irqsave(&v->lock, flags);
	ok = session_ok(l, f, SWBLOCK_ROLE_REPLICA);
	spin_unlock_irqrestore(&v->lock, flags);
	if (!ok)
		return 0;		/* of a session that is over */
	if (!piece_ok(v, f->a[0], f->a[1]))
		return SWBLOCK_REASON_BAD_RECORD;
	buf = kvmalloc(len, GFP_NOIO);
	if (!buf)
		return 0;		/* the asker's patience ends */
	err = swb_content_read(v, f->a[0], buf, len);
	spin_lock_irqsave(&v->lock, flags);
	if (!err && session_ok(l, f, SWBLOCK_ROLE_REPLICA)) {
		a->session = f->session;
		a->sector = f->a[0];
		a->bytes = len;
		a->serial = f->a[2];
		a->head = v->core.log.head;
		memset(&a->sums, 0, sizeof(a->sums));
		for (i = 0; i * SWB_VERIFY_BLOCK < len; i++)
			a->sums.crc[i] = cpu_to_le32(sum_of(buf, len, i));
		l->pending |= BIT(SWB_SEND_VERIFY);
		wake_up(&l->wait);
	}
	spin_unlock_irqrestore(&v->lock, flags);
	kvfree(buf);
	return 0;
}

/* ---- the wire, at the primary ------------------------------------------------- */

static bool fill_question(struct swb_link *l, struct swb_frame *f)
{
	struct swb_verify *y = &l->v->verify;

	if (y->asked != l->peer || !y->bytes || y->answered ||
	    y->session != l->v->core.peer[l->peer].session)
		return false;
	f->type = SWB_WIRE_VERIFY;
	f->session = y->session;
	f->a[0] = y->sector;
	f->a[1] = y->bytes;
	f->a[2] = y->serial;
	return true;
}

bool swb_verify_fill(struct swb_link *l, struct swb_frame *f)
{
	struct swb_verify_answer *a = &l->verify;

	lockdep_assert_held(&l->v->lock);
	if (l->v->core.role == SWBLOCK_ROLE_PRIMARY)
		return fill_question(l, f);
	if (!a->bytes)
		return false;
	f->type = SWB_WIRE_VERIFY_SUM;
	f->session = a->session;
	f->a[0] = a->sector;
	f->a[1] = a->bytes;
	f->a[2] = a->serial;
	f->a[3] = a->head;
	f->body_bytes = sizeof(a->sums);
	l->verify_body = a->sums;
	a->bytes = 0;
	return true;
}

int swb_verify_answered(struct swb_link *l, const struct swb_frame *f)
{
	struct swb_verify *y = &l->v->verify;
	const struct swb_wire_sums *sums = l->rx_body;
	unsigned long flags;
	u32 i;

	spin_lock_irqsave(&l->v->lock, flags);
	if (session_ok(l, f, SWBLOCK_ROLE_PRIMARY) && y->bytes &&
	    y->asked == l->peer && y->session == f->session &&
	    y->serial == f->a[2] && y->sector == f->a[0]) {
		for (i = 0; i < SWB_VERIFY_SUMS; i++)
			y->sums[i] = le32_to_cpu(sums->crc[i]);
		y->answered = true;
		wake_up(&y->wait);
	}
	spin_unlock_irqrestore(&l->v->lock, flags);
	return 0;
}

/* ---- the primary: one piece ------------------------------------------------------ */

static bool over(struct swb_volume *v)
{
	return READ_ONCE(v->removing) || READ_ONCE(v->verify.stop) ||
	       READ_ONCE(v->core.role) != SWBLOCK_ROLE_PRIMARY;
}

/* Ask tx of @peer, once it has shipped every record <= @head. */
static bool ask(struct swb_volume *v, u8 peer, u64 sector, u32 len, u64 head)
{
	struct swb_core_peer *p = &v->core.peer[peer];
	struct swb_verify *y = &v->verify;
	bool asked = false;
	unsigned long flags;

	spin_lock_irqsave(&v->lock, flags);
	if (v->link[peer] && p->matched && !p->void_copy && p->cursor > head) {
		y->asked = peer;
		y->session = p->session;
		y->sector = sector;
		y->bytes = len;
		y->serial++;
		y->answered = false;
		v->link[peer]->pending |= BIT(SWB_SEND_VERIFY);
		wake_up(&v->link[peer]->wait);
		asked = true;
	}
	spin_unlock_irqrestore(&v->lock, flags);
	return asked;
}

static bool usable(struct swb_volume *v, u8 peer)
{
	const struct swb_core_peer *p = &v->core.peer[peer];
	unsigned long flags;
	bool ok;

	spin_lock_irqsave(&v->lock, flags);
	ok = peer < v->core.config.member_count && peer != v->core.self &&
	     v->link[peer] && p->matched && !p->void_copy &&
	     p->state == SWBLOCK_PEER_IN_SYNC;
	spin_unlock_irqrestore(&v->lock, flags);
	return ok;
}

static bool answer(struct swb_volume *v, u8 peer, u64 sector, u32 len, u64 head)
{
	struct swb_verify *y = &v->verify;
	unsigned long end = jiffies + msecs_to_jiffies(ANSWER_MS);

	while (!ask(v, peer, sector, len, head)) {
		if (over(v) || !usable(v, peer) || time_after(jiffies, end))
			return false;
		usleep_range(500, 1000);
	}
	while (!READ_ONCE(y->answered)) {
		if (over(v) || !usable(v, peer) || time_after(jiffies, end))
			return false;
		wait_event_idle_timeout(y->wait, READ_ONCE(y->answered), HZ / 10);
	}
	return true;
}

static void end_piece(struct swb_volume *v)
{
	unsigned long flags;

	spin_lock_irqsave(&v->lock, flags);
	v->verify.bytes = 0;
	spin_unlock_irqrestore(&v->lock, flags);
	swb_guard_unwatch(v, SWB_GUARD_VERIFY);
}

enum outcome {
	SAME,
	DIFFERENT,
	TOUCHED,
	UNANSWERED,
	BROKEN,		/* own disk */
};

static enum outcome compare_once(struct swb_volume *v, u8 peer, u64 sector,
				 u32 len, bool park)
{
	struct swb_verify *y = &v->verify;
	enum outcome out = UNANSWERED;
	unsigned long flags;
	u64 head;
	u32 i;

	head = swb_guard_watch(v, SWB_GUARD_VERIFY, sector, len, park);
	if (!swb_guard_settle(v, head, over))
		goto done;
	out = BROKEN;
	if (swb_content_read(v, sector, y->buf, len))
		goto done;
	for (i = 0; i * SWB_VERIFY_BLOCK < len; i++)
		y->own[i] = sum_of(y->buf, len, i);
	out = UNANSWERED;
	if (!answer(v, peer, sector, len, head))
		goto done;
	spin_lock_irqsave(&v->lock, flags);
	out = v->guard[SWB_GUARD_VERIFY].touched ? TOUCHED : SAME;
	y->differs = 0;
	for (i = 0; i * SWB_VERIFY_BLOCK < len && out != TOUCHED; i++)
		if (y->sums[i] != y->own[i])
			y->differs |= BIT_ULL(i);
	if (out == SAME && y->differs)
		out = DIFFERENT;
	spin_unlock_irqrestore(&v->lock, flags);
done:
	end_piece(v);
	return out;
}

static enum outcome compare(struct swb_volume *v, u8 peer, u64 sector, u32 len)
{
	enum outcome out = TOUCHED;
	u32 i;

	for (i = 0; i < TRIES_MAX && out == TOUCHED && !over(v); i++) {
		if (i)
			swb_stat_inc(v, VERIFY_RETRIES);
		out = compare_once(v, peer, sector, len, i >= TRIES_OPEN);
	}
	return out;
}

/* ---- repair ------------------------------------------------------------------------ */

static struct bio *content_bio(struct swb_volume *v, u64 sector, u32 len)
{
	struct swb_verify *y = &v->verify;
	u32 off, n;
	struct bio *bio;

	bio = bio_alloc(v->disk->part0, SWB_VERIFY_SUMS,
			REQ_OP_WRITE | REQ_NOWAIT | REQ_SYNC, GFP_NOIO);
	bio->bi_iter.bi_sector = sector;
	for (off = 0; off < len; off += n) {
		n = min_t(u32, len - off, PAGE_SIZE);
		if (bio_add_page(bio, vmalloc_to_page(y->buf + off), n, 0) != n) {
			bio_put(bio);
			return NULL;
		}
	}
	return bio;
}

static void repair_end(struct bio *bio)
{
	complete(bio->bi_private);
}

/* Nobody else writes the piece: admissions are parked and what was admitted has settled. */
static bool rewrite_once(struct swb_volume *v, u64 sector, u32 len)
{
	u64 head = swb_guard_watch(v, SWB_GUARD_VERIFY, sector, len, true);
	DECLARE_COMPLETION_ONSTACK(done);
	struct bio *bio = NULL;
	bool ok = false;

	if (swb_guard_settle(v, head, over) &&
	    !swb_content_read(v, sector, v->verify.buf, len))
		bio = content_bio(v, sector, len);
	if (!bio) {
		swb_guard_unwatch(v, SWB_GUARD_VERIFY);
		return false;
	}
	bio->bi_private = &done;
	bio->bi_end_io = repair_end;
	if (swb_guard_write(v, SWB_GUARD_VERIFY, bio, false)) {
		swb_idle_wait(&done);
		ok = !bio->bi_status;
		swb_guard_written(v, SWB_GUARD_VERIFY);
	}
	bio_put(bio);
	return ok;
}

static bool rewrite(struct swb_volume *v, u64 sector, u32 len)
{
	u32 i;

	for (i = 0; i < TRIES_MAX && !over(v); i++) {
		if (rewrite_once(v, sector, len)) {
			swb_stat_inc(v, VERIFY_REPAIRS);
			return true;
		}
		msleep(PAUSE_MS);
	}
	return false;
}

/* ---- the whole ------------------------------------------------------------------------ */

static void tell_range(struct swb_volume *v, u8 peer, u64 sector, u32 from, u32 to)
{
	struct swb_notice n = { .kind = SWBLOCK_EVENT_VERIFY, .peer = peer };
	u32 sectors = SWB_VERIFY_BLOCK >> SECTOR_SHIFT;
	char text[80];

	snprintf(text, sizeof(text), "sectors %llu to %llu differ",
		 sector + (u64)from * sectors, sector + (u64)to * sectors - 1);
	n.text = text;
	n.cookie = v->verify.cookie;
	swb_stat_add(v, VERIFY_MISMATCHES, to - from);
	pr_warn_ratelimited("swblock: swblock%d: %s on member %u\n", v->minor,
			    text, peer);
	swb_notify(v, &n);
}

static void tell_differences(struct swb_volume *v, u8 peer, u64 sector)
{
	u64 bits = v->verify.differs;
	u32 i, from;

	for (i = 0; i < SWB_VERIFY_SUMS; i++) {
		if (!(bits & BIT_ULL(i)))
			continue;
		for (from = i; i < SWB_VERIFY_SUMS && (bits & BIT_ULL(i)); i++)
			;
		tell_range(v, peer, sector, from, i);
	}
}

/**
 * struct tally - what a comparison came to
 * @different: pieces that differ, of any replica
 * @repaired: pieces rewritten
 * @open: pieces that could not be compared, of a replica in sync at the start
 * @peers: replicas that were compared
 */
struct tally {
	u64 different;
	u64 repaired;
	u64 open;
	u32 peers;
};

static bool piece(struct swb_volume *v, u32 peers, u64 sector, u32 len,
		  struct tally *t)
{
	bool different = false;
	u8 i;

	for (i = 0; i < SWB_MEMBERS_MAX; i++) {
		enum outcome out;

		if (!(peers & BIT(i)))
			continue;
		out = compare(v, i, sector, len);
		if (out == BROKEN)
			return false;
		if (out == DIFFERENT) {
			different = true;
			tell_differences(v, i, sector);
		}
		t->open += out == UNANSWERED || out == TOUCHED;
	}
	t->different += different;
	if (different && v->verify.repair)
		t->repaired += rewrite(v, sector, len);
	swb_stat_add(v, VERIFY_BYTES, len);
	return true;
}

static const char *run(struct swb_volume *v, struct tally *t)
{
	u64 at, bytes = v->core.extent_saved;
	u32 len, peers = 0;
	u8 i;

	for (i = 0; i < SWB_MEMBERS_MAX; i++)
		if (usable(v, i))
			peers |= BIT(i);
	t->peers = hweight32(peers);
	if (!peers)
		return "no replica is in sync: nothing to compare with";
	for (at = 0; at < bytes; at += len) {
		len = min_t(u64, bytes - at, SWB_VERIFY_PIECE);
		if (over(v))
			return "stopped before the end";
		if (!piece(v, peers, at >> SECTOR_SHIFT, len, t))
			return "the own disk cannot be read";
		if (atomic_read(&v->io.inflight))
			msleep(PAUSE_MS);
		cond_resched();
	}
	return NULL;
}

static void verify_work(struct work_struct *work)
{
	struct swb_verify *y = container_of(work, struct swb_verify, work);
	struct swb_volume *v = container_of(y, struct swb_volume, verify);
	struct swb_notice n = {
		.kind = SWBLOCK_EVENT_VERIFIED, .peer = SWB_NOBODY,
		.cookie = y->cookie,
	};
	struct tally t = {};
	unsigned long flags;
	const char *why;
	char text[160];

	why = run(v, &t);
	snprintf(text, sizeof(text),
		 "%u replicas compared, %llu pieces differ, %llu repaired, %llu not compared%s%s",
		 t.peers, t.different, t.repaired, t.open, why ? ": " : "",
		 why ?: "");
	n.text = text;
	n.err = why || t.open ? ECANCELED : t.different > t.repaired ? EILSEQ : 0;
	vfree(y->buf);
	spin_lock_irqsave(&v->lock, flags);
	y->buf = NULL;
	y->busy = false;
	spin_unlock_irqrestore(&v->lock, flags);
	swb_notify(v, &n);
}

int swb_verify_start(struct swb_volume *v, bool repair, u64 cookie,
		     const char **why)
{
	struct swb_verify *y = &v->verify;
	void *buf = vmalloc(SWB_VERIFY_PIECE);
	unsigned long flags;
	int err = 0;

	*why = swb_no_memory;
	if (!buf)
		return -ENOMEM;
	spin_lock_irqsave(&v->lock, flags);
	if (v->removing) {
		*why = swb_being_removed;
		err = -ENODEV;
	} else if (v->core.role != SWBLOCK_ROLE_PRIMARY) {
		*why = "this member is not primary: replicas are compared with their primary";
		err = -EINVAL;
	} else if (y->busy) {
		*why = "a comparison is under way: wait for the event VERIFIED, or stop it";
		err = -EBUSY;
	} else {
		y->busy = true;
		y->stop = false;
		y->repair = repair;
		y->cookie = cookie;
		y->buf = buf;
		buf = NULL;
		queue_work(system_unbound_wq, &y->work);
	}
	spin_unlock_irqrestore(&v->lock, flags);
	vfree(buf);
	return err;
}

int swb_verify_cancel(struct swb_volume *v, const char **why)
{
	unsigned long flags;
	bool busy;

	spin_lock_irqsave(&v->lock, flags);
	busy = v->verify.busy;
	v->verify.stop = busy;
	spin_unlock_irqrestore(&v->lock, flags);
	*why = "no comparison is under way";
	return busy ? 0 : -ENOENT;
}

void swb_verify_init(struct swb_volume *v)
{
	INIT_WORK(&v->verify.work, verify_work);
	init_waitqueue_head(&v->verify.wait);
}

void swb_verify_stop(struct swb_volume *v)
{
	swb_idle_flush(&v->verify.work);
}
