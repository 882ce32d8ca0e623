// SPDX-License-Identifier: GPL-2.0-only
/*
 * The source's end of a base lane: reads pieces of the live extent ahead, and has a
 * frame ready whenever tx has nothing better to send. What rides on the frame is
 * extent_hi sampled after the read: no block of it holds anything newer (P10 iv).
 * Bounded by what the target has acked, by the rate that was set, and by the latency
 * of the writes of our own users: when that doubles, the window is halved.
 *
 * Must not decide what is copied, nor when it is over: the core is asked before each
 * frame. Lock: v->lock for what link threads and status look at; the pieces belong
 * to the tx thread of the link. Context: said at each function; nothing here runs
 * for an upper write.
 */
#include <linux/blkdev.h>
#include <linux/math64.h>
#include <linux/slab.h>
#include "format/wire.h"
#include "idle.h"
#include "post.h"
#include "base.h"

#define WINDOW_START	(1024 * 1024)
#define WINDOW_STEP	(64 * 1024)
#define ADAPT_NS	(20 * NSEC_PER_MSEC)

enum slot_state {
	SLOT_FREE,
	SLOT_READING,
	SLOT_READY,
};

/**
 * struct swb_lane_slot - one piece of the extent
 * @lane: whose
 * @state: enum slot_state; lock
 * @err: of the read
 * @start: first sector
 * @end: sector after the last
 * @page: the bytes
 * @bio: the read
 * @bvec: its segments, and those of the frame
 */
struct swb_lane_slot {
	struct swb_lane *lane;
	u8 state;
	int err;
	u64 start;
	u64 end;
	struct page *page[SWB_LANE_PAGES];
	struct bio bio;
	struct bio_vec bvec[SWB_LANE_PAGES];
};

/**
 * struct swb_lane - the source's end of a base lane
 * @ref: the link, and reads in flight
 * @free_work: the end, where vfree() may be called
 * @v: volume; it waits for its lanes (rebuild.lower)
 * @link: whose tx is to be woken, NULL once that is being freed; lock
 * @peer: member index
 * @session: it belongs to
 * @todo: what is copied; everything if @all
 * @all: every block
 * @next: first sector that is not being read yet
 * @sectors: of the extent
 * @slot: pieces, in the order of sectors: [@tail, @head) are in use
 * @head: slot to fill next
 * @tail: slot to send next
 * @sent: bytes that went to the socket; lock
 * @acked: bytes that the target has; lock
 * @window: so many may be under way; lock
 * @adapted_ns: when the window was last looked at; lock
 * @adapted_samples: measured writes by then; lock
 * @not_before_ns: by the rate, the next frame may go then
 * @hi_epoch: newest sample of extent_hi
 * @hi_lsn: the same
 * @ended: BASE_END is sent
 */
struct swb_lane {
	struct kref ref;
	struct work_struct free_work;
	struct swb_volume *v;
	struct swb_link *link;
	u8 peer;
	u64 session;
	struct swb_blocks todo;
	bool all;
	u64 next;
	u64 sectors;
	struct swb_lane_slot *slot[SWB_LANE_SLOTS];
	u32 head;
	u32 tail;
	u64 sent;
	u64 acked;
	u64 window;
	u64 adapted_ns;
	u64 adapted_samples;
	u64 not_before_ns;
	u64 hi_epoch;
	u64 hi_lsn;
	bool ended;
};

/* ---- life of a lane ---------------------------------------------------- */

static void lane_free(struct swb_lane *lane)
{
	struct swb_lane_slot *s;
	u32 i, n;

	for (i = 0; i < SWB_LANE_SLOTS; i++) {
		s = lane->slot[i];
		for (n = 0; s && n < SWB_LANE_PAGES; n++)
			if (s->page[n])
				__free_page(s->page[n]);
		kfree(s);
	}
	swb_blocks_destroy(&lane->todo);
	kvfree(lane);
}

/* The last reference may go in an interrupt; the volume waits for this. */
static void lane_free_work(struct work_struct *work)
{
	struct swb_lane *lane = container_of(work, struct swb_lane, free_work);
	struct swb_volume *v = lane->v;

	lane_free(lane);
	atomic_dec(&v->rebuild.lower);
}

static void lane_release(struct kref *ref)
{
	struct swb_lane *lane = container_of(ref, struct swb_lane, ref);

	queue_work(lane->v->read_wq, &lane->free_work);
}

static bool lane_slots(struct swb_lane *lane)
{
	struct swb_lane_slot *s;
	u32 i, n;

	for (i = 0; i < SWB_LANE_SLOTS; i++) {
		s = kzalloc(sizeof(*s), GFP_KERNEL);
		lane->slot[i] = s;
		if (!s)
			return false;
		s->lane = lane;
		for (n = 0; n < SWB_LANE_PAGES; n++) {
			s->page[n] = alloc_page(GFP_KERNEL);
			if (!s->page[n])
				return false;
		}
	}
	return true;
}

/*
 * What a delta copies: the bits as they are. Records that leave the log from now on
 * come by the stream. If the base has passed m since the decision, or there is no
 * memory for a copy of the bits, then everything: too much is only slow.
 */
static void choose_blocks(struct swb_lane *lane, u8 kind, u64 match)
{
	struct swb_volume *v = lane->v;
	const struct swb_durable *d = &v->core.d;

	lane->all = true;
	if (kind != SWB_START_DELTA)
		return;
	swb_idle_lock(&v->flusher.mutex);	/* neither set, cleared nor grown meanwhile */
	if (d->bitmap_lsn <= match &&
	    !swb_blocks_create(&lane->todo, d->extent_bytes, SWB_GRANULE_BYTES)) {
		swb_bitmap_copy(&v->bitmap, &lane->todo);
		lane->all = false;
	}
	mutex_unlock(&v->flusher.mutex);
}

static struct swb_lane *lane_create(struct swb_volume *v, u8 peer, u64 session,
				    u8 kind, u64 match)
{
	struct swb_lane *lane = kvzalloc(sizeof(*lane), GFP_KERNEL);

	if (!lane)
		return NULL;
	kref_init(&lane->ref);
	INIT_WORK(&lane->free_work, lane_free_work);
	lane->v = v;
	lane->peer = peer;
	lane->session = session;
	lane->sectors = v->core.d.extent_bytes >> SECTOR_SHIFT;
	lane->window = WINDOW_START;
	if (!lane_slots(lane)) {
		lane_free(lane);
		return NULL;
	}
	choose_blocks(lane, kind, match);
	atomic_inc(&v->rebuild.lower);
	return lane;
}

void swb_lane_start(struct swb_volume *v, const struct swb_action *act)
{
	u64 match = v->core.peer[act->peer].match_lsn;	/* step_mutex */
	struct swb_lane *lane;
	struct swb_link *l;
	unsigned long flags;
	u64 todo;

	lane = lane_create(v, act->peer, act->a, act->b, match);
	todo = v->core.d.extent_bytes;
	if (lane && !lane->all)
		todo = min(todo, lane->todo.set * SWB_GRANULE_BYTES);
	spin_lock_irqsave(&v->lock, flags);
	l = v->link[act->peer];
	if (l && !l->closing && !l->lane) {
		l->lane = lane;		/* without one tx ends the session */
		if (lane)
			lane->link = l;
		lane = NULL;
		l->pending |= BIT(SWB_SEND_BASE);
		wake_up(&l->wait);
	}
	if (!v->rebuild.progress[act->peer].running)
		v->rebuild.lanes++;
	swb_base_progress_begin(v, act->peer, act->b, todo);
	spin_unlock_irqrestore(&v->lock, flags);
	if (lane)
		kref_put(&lane->ref, lane_release);
}

void swb_lane_stop(struct swb_volume *v, u8 peer)
{
	unsigned long flags;

	/* the lane asks the core before each frame; here only the books close */
	spin_lock_irqsave(&v->lock, flags);
	if (v->rebuild.progress[peer].running)
		v->rebuild.lanes--;
	swb_base_progress_end(v, peer);
	spin_unlock_irqrestore(&v->lock, flags);
}

void swb_lane_detach(struct swb_link *l)
{
	struct swb_lane *lane;
	unsigned long flags;

	spin_lock_irqsave(&l->v->lock, flags);
	lane = l->lane;
	l->lane = NULL;
	if (lane)
		lane->link = NULL;
	spin_unlock_irqrestore(&l->v->lock, flags);
	if (lane)
		kref_put(&lane->ref, lane_release);
}

/* ---- reading ahead ----------------------------------------------------- */

static void read_end_io(struct bio *bio)
{
	struct swb_lane_slot *s = bio->bi_private;
	struct swb_lane *lane = s->lane;
	struct swb_volume *v = lane->v;
	unsigned long flags;
	int err = blk_status_to_errno(bio->bi_status);

	bio_uninit(bio);
	spin_lock_irqsave(&v->lock, flags);
	s->err = err;
	s->state = SLOT_READY;
	if (lane->link) {
		lane->link->pending |= BIT(SWB_SEND_BASE);
		wake_up(&lane->link->wait);
	}
	spin_unlock_irqrestore(&v->lock, flags);
	atomic_dec(&v->rebuild.lower);
	kref_put(&lane->ref, lane_release);	/* last: the volume may go then */
}

/* The next piece that is to be copied. */
static bool choose_piece(struct swb_lane *lane, u64 *start, u64 *end)
{
	*start = lane->next;
	*end = lane->sectors;
	if (*start >= *end)
		return false;
	if (!lane->all && !swb_blocks_next(&lane->todo, true, start, end)) {
		lane->next = lane->sectors;
		return false;
	}
	*end = min_t(u64, *end, *start + (SWB_LANE_PIECE >> SECTOR_SHIFT));
	lane->next = *end;
	return true;
}

static void read_piece(struct swb_lane_slot *s)
{
	struct swb_volume *v = s->lane->v;
	u32 left = (s->end - s->start) << SECTOR_SHIFT, n = 0, bytes;
	struct bio *bio = &s->bio;

	bio_init(bio, v->data.bdev, s->bvec, SWB_LANE_PAGES,
		 REQ_OP_READ | REQ_BACKGROUND);
	bio->bi_iter.bi_sector = (v->core.d.extent_offset >> SECTOR_SHIFT) +
				 s->start;
	bio->bi_end_io = read_end_io;
	bio->bi_private = s;
	for (; left; left -= bytes) {
		bytes = min_t(u32, left, PAGE_SIZE);
		__bio_add_page(bio, s->page[n++], bytes, 0);
	}
	s->state = SLOT_READING;
	kref_get(&s->lane->ref);
	atomic_inc(&v->rebuild.lower);
	submit_bio(bio);
}

static void read_ahead(struct swb_lane *lane)
{
	struct swb_lane_slot *s;

	while (lane->head - lane->tail < SWB_LANE_SLOTS) {
		s = lane->slot[lane->head % SWB_LANE_SLOTS];
		if (!choose_piece(lane, &s->start, &s->end))
			return;
		lane->head++;
		read_piece(s);
	}
}

/* ---- how fast ------------------------------------------------------------ */

/* Do the writes of our own users take twice as long as without us? */
static bool users_suffer(struct swb_lane *lane)
{
	const struct swb_rebuild *r = &lane->v->rebuild;
	u64 samples = READ_ONCE(r->samples);
	bool fresh = samples != lane->adapted_samples;

	lane->adapted_samples = samples;
	return fresh && r->quiet_ns &&
	       READ_ONCE(r->ewma_ns) > 2 * READ_ONCE(r->quiet_ns);
}

static void adapt_window(struct swb_lane *lane)
{
	u64 now = ktime_get_boottime_ns();

	lockdep_assert_held(&lane->v->lock);
	if (now - lane->adapted_ns < ADAPT_NS)
		return;
	lane->adapted_ns = now;
	if (users_suffer(lane))
		lane->window = max_t(u64, lane->window / 2, SWB_LANE_WINDOW_MIN);
	else
		lane->window = min_t(u64, lane->window + WINDOW_STEP,
				     SWB_LANE_WINDOW_MAX);
}

void swb_lane_acked(struct swb_link *l, u64 bytes)
{
	struct swb_volume *v = l->v;
	struct swb_lane *lane;
	unsigned long flags;

	spin_lock_irqsave(&v->lock, flags);
	lane = l->lane;
	if (lane && bytes == SWB_WIRE_BASE_DONE)
		bytes = lane->sent;
	if (lane && bytes > lane->acked && bytes <= lane->sent) {
		lane->acked = bytes;
		adapt_window(lane);
		swb_base_progress_count(v, lane->peer, bytes);
		l->pending |= BIT(SWB_SEND_BASE);
		wake_up(&l->wait);
	}
	spin_unlock_irqrestore(&v->lock, flags);
}

/* A piece always goes when nothing is under way, however small the window. */
static bool may_send(struct swb_link *l, struct swb_lane *lane, u32 bytes)
{
	u64 under_way = lane->sent - lane->acked;

	lockdep_assert_held(&lane->v->lock);
	if (under_way && under_way + bytes > lane->window)
		return false;			/* an ack will wake us */
	if (lane->v->rebuild.rate_max &&
	    ktime_get_boottime_ns() < lane->not_before_ns) {
		l->base_again = true;
		return false;
	}
	return true;
}

static void account(struct swb_lane *lane, u32 bytes)
{
	u64 rate = lane->v->rebuild.rate_max, now = ktime_get_boottime_ns();

	lockdep_assert_held(&lane->v->lock);
	lane->sent += bytes;
	if (rate)
		lane->not_before_ns = max(now, lane->not_before_ns) +
				      div64_u64(bytes * (u64)NSEC_PER_SEC, rate);
}

/* ---- frames --------------------------------------------------------------- */

static bool all_zero(const struct swb_lane_slot *s, u32 len)
{
	u32 n, i;

	for (i = 0; len; i++, len -= n) {
		n = min_t(u32, len, PAGE_SIZE);
		if (memchr_inv(page_address(s->page[i]), 0, n))
			return false;
	}
	return true;
}

static u32 checksum(const struct swb_lane_slot *s, u32 len)
{
	u32 crc = 0, n, i;

	for (i = 0; len; i++, len -= n) {
		n = min_t(u32, len, PAGE_SIZE);
		crc = swb_crc32c(crc, page_address(s->page[i]), n);
	}
	return crc;
}

static u32 fill_bvec(struct swb_lane_slot *s, u32 len)
{
	u32 n, i;

	for (i = 0; len; i++, len -= n) {
		n = min_t(u32, len, PAGE_SIZE);
		s->bvec[i].bv_page = s->page[i];
		s->bvec[i].bv_offset = 0;
		s->bvec[i].bv_len = n;
	}
	return i;
}

/* Session, sample and bookkeeping of a frame, in one hold of the lock. */
static bool begin_frame(struct swb_link *l, struct swb_lane *lane,
			struct swb_frame *f, u16 type, u32 bytes)
{
	struct swb_volume *v = lane->v;
	unsigned long flags;
	bool ok;

	spin_lock_irqsave(&v->lock, flags);
	ok = !l->closing &&
	     swb_core_base_session(&v->core, lane->peer) == lane->session &&
	     may_send(l, lane, bytes);
	if (ok) {
		swb_core_base_sample(&v->core, &lane->hi_epoch, &lane->hi_lsn);
		memset(f, 0, sizeof(*f));
		f->type = type;
		f->session = lane->session;
		f->epoch = v->core.d.epoch;
		f->committed = v->core.log.committed;
		f->everywhere = swb_core_everywhere(&v->core);
		f->a[0] = lane->hi_epoch;
		f->a[1] = lane->hi_lsn;
		f->a[2] = lane->sent;
		account(lane, bytes);
		if (type == SWB_WIRE_BASE_END)	/* its ack may be quick */
			swb_core_base_ending(&v->core, lane->peer, lane->session,
					     lane->hi_lsn);
	}
	spin_unlock_irqrestore(&v->lock, flags);
	return ok;
}

static enum swb_lane_next next_end(struct swb_link *l, struct swb_lane *lane,
				   struct swb_frame *f)
{
	if (lane->ended || !begin_frame(l, lane, f, SWB_WIRE_BASE_END, 0))
		return SWB_LANE_NOTHING;
	return SWB_LANE_FRAME;
}

static enum swb_lane_next next_piece(struct swb_link *l, struct swb_lane_slot *s,
				     struct swb_frame *f, struct bio_vec **bv,
				     u32 *nbv)
{
	u32 len = (s->end - s->start) << SECTOR_SHIFT;
	struct swb_disk_rec *rec = &l->base_rec;
	bool zeroes;

	if (READ_ONCE(s->state) != SLOT_READY)
		return SWB_LANE_NOTHING;
	smp_rmb();	/* pairs with the lock in read_end_io() */
	if (s->err)
		return SWB_LANE_FAILED;
	if (!begin_frame(l, s->lane, f, SWB_WIRE_BASE, len))
		return SWB_LANE_NOTHING;
	zeroes = all_zero(s, len);
	swb_codec_rec_encode(rec, zeroes ? SWB_REC_ZEROES : SWB_REC_WRITE, s->start,
			     len, zeroes ? 0 : checksum(s, len));
	f->nrec = 1;
	f->body_bytes = sizeof(*rec);
	f->payload_bytes = zeroes ? 0 : len;
	*nbv = zeroes ? 0 : fill_bvec(s, len);
	*bv = s->bvec;
	return SWB_LANE_FRAME;
}

enum swb_lane_next swb_lane_next(struct swb_link *l, struct swb_frame *f,
				 struct bio_vec **bv, u32 *nbv)
{
	struct swb_lane *lane = READ_ONCE(l->lane);
	struct swb_volume *v = l->v;
	unsigned long flags;
	bool live;

	*bv = NULL;
	*nbv = 0;
	if (!lane)
		return SWB_LANE_FAILED;
	spin_lock_irqsave(&v->lock, flags);
	live = !l->closing &&
	       swb_core_base_session(&v->core, lane->peer) == lane->session;
	spin_unlock_irqrestore(&v->lock, flags);
	if (!live)
		return SWB_LANE_NOTHING;
	read_ahead(lane);
	if (lane->head == lane->tail)
		return next_end(l, lane, f);
	return next_piece(l, lane->slot[lane->tail % SWB_LANE_SLOTS], f, bv, nbv);
}

void swb_lane_sent(struct swb_link *l, const struct swb_frame *f)
{
	struct swb_lane *lane = l->lane;
	struct swb_event ev = {
		.type = SWB_EV_BASE_SENT, .peer = l->peer,
		.session = f->session, .epoch = f->epoch, .lsn = f->a[1],
	};

	if (f->type == SWB_WIRE_BASE) {
		lane->slot[lane->tail % SWB_LANE_SLOTS]->state = SLOT_FREE;
		lane->tail++;
		swb_stat_add(l->v, REBUILD_BYTES, f->payload_bytes);
		return;
	}
	lane->ended = true;
	swb_post_link(l->v, l, &ev);
}
