// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sender of a link: one thread, the only one that writes to the socket and
 * the only one that feeds a peer from the WAL (D-02).
 *
 * Does: turn the core's orders into frames, control before data, and walk the
 * peer's cursor along the log. Live records and catch-up are the same loop, so
 * there is no hand-over between them and no gap. Everything that a frame says
 * is read under the lock when the frame is built, never when it was ordered:
 * orders may be coalesced. Does not: decide what may be sent (the core's leaves
 * say so), keep records of its own, or wait for the peer.
 * Lock: v->lock (irqsave) round each look at the core; none over a send.
 * Context: kthread swb-tx/<volume>.<peer>, no I/O of the allocator's own.
 */
#include <linux/ktime.h>
#include <linux/kthread.h>
#include <linux/sched/mm.h>
#include "peer.h"
#include "post.h"
#include "base.h"
#include "stats.h"
#include "trace.h"

/* How soon to look again for memory, or at a window that is closed. */
#define AGAIN_JIFFIES	max(HZ / 50, 1)

/* The stream goes first, but leaves the base lane a turn after so many groups. */
#define BASE_TURN	8

/* What tx found to do; frame orders use their SWB_SEND_* number. */
#define TX_NOTHING	100
#define TX_END		101

/* ---- one frame ---------------------------------------------------------- */

static int send_frame(struct swb_link *l, struct swb_frame *f, const void *body,
		      struct bio_vec *bv, u32 nbv)
{
	struct kvec kv[2] = {
		{ .iov_base = &l->tx_header, .iov_len = sizeof(l->tx_header) },
		{ .iov_base = (void *)body, .iov_len = f->body_bytes },
	};
	int err;

	f->body_crc = f->body_bytes ? swb_crc32c(0, body, f->body_bytes) : 0;
	swb_codec_frame_encode(f, &l->tx_header);
	err = swb_sock_send(swb_sockets_tx(&l->sockets), kv, f->body_bytes ? 2 : 1, bv, nbv);
	if (err)
		return err;
	swb_stat_inc(l->v, FRAMES_SENT);
	swb_stat_add(l->v, WIRE_SENT_BYTES, sizeof(l->tx_header) +
		     f->body_bytes + f->payload_bytes);
	return 0;
}

static void fill_common(struct swb_link *l, struct swb_frame *f, u16 type)
{
	const struct swb_core *c = &l->v->core;

	lockdep_assert_held(&l->v->lock);
	memset(f, 0, sizeof(*f));
	f->type = type;
	f->session = l->session;
	f->epoch = c->d.epoch;
	if (c->role == SWBLOCK_ROLE_PRIMARY) {	/* C is the primary's to tell */
		f->committed = c->log.committed;
		f->everywhere = swb_core_everywhere(c);
		l->told_committed = f->committed;
	}
}

static void fill_facts(struct swb_link *l, struct swb_frame *f, u16 type)
{
	fill_common(l, f, type);
	f->body_bytes = sizeof(*l->facts_buf);
	swb_core_own_facts(&l->v->core, l->peer, l->tx_facts);
}

static void fill_start(struct swb_link *l, struct swb_frame *f)
{
	fill_common(l, f, SWB_WIRE_START);
	f->a[0] = l->start_from;
	f->a[1] = l->start_truncate_to;
	f->a[2] = l->start_target;
	f->a[3] = l->start_kind;
}

/* Progress is state, not a message: the newest is sent, whoever asked for it. */
static bool fill_ack(struct swb_link *l, struct swb_frame *f)
{
	struct swb_ack ack;

	fill_common(l, f, SWB_WIRE_ACK);
	if (!swb_core_ack(&l->v->core, l->peer, &ack))
		return false;
	f->session = ack.session;
	f->a[0] = ack.received;
	f->a[1] = ack.written;
	f->a[2] = ack.durable;
	f->a[3] = ack.base;
	f->flush_lsn = ack.extent_bytes;
	l->pending &= ~BIT(SWB_SEND_PING);	/* it keeps the link alive as well */
	return true;
}

/* The flush that rides on a frame; asked for once, by whichever frame comes. */
static u64 take_flush_lsn(struct swb_link *l, u64 now_ns)
{
	u64 lsn = swb_core_flush_wanted(&l->v->core, l->peer);

	lsn = max(lsn, l->ping_flush_lsn);
	l->ping_flush_lsn = 0;
	l->pending &= ~BIT(SWB_SEND_PING);
	if (lsn > l->v->core.peer[l->peer].durable)
		swb_lat_flush_asked(&l->v->lat, l->peer, lsn, now_ns);
	return lsn;
}

static void fill_ping(struct swb_link *l, struct swb_frame *f)
{
	fill_common(l, f, SWB_WIRE_PING);
	f->flush_lsn = take_flush_lsn(l, ktime_get_boottime_ns());
	f->a[0] = swb_core_sent_next(&l->v->core, l->peer);
}

static void fill_close(struct swb_link *l, struct swb_frame *f)
{
	fill_common(l, f, SWB_WIRE_CLOSE);
	f->a[0] = l->close_reason;
	f->a[1] = l->v->core.d.epoch;
}

/* ---- what to do next ------------------------------------------------------ */

static const unsigned int tx_order[] = {
	SWB_SEND_UNLINK, SWB_SEND_OPEN, SWB_SEND_FACTS, SWB_SEND_START, SWB_SEND_MOVE,
	SWB_SEND_ACK, SWB_SEND_VERIFY, SWB_SEND_READ, SWB_SEND_SHIP, SWB_SEND_PING, SWB_SEND_BASE,
};

/* False if it turned out that there is nothing to say. */
static bool fill_order(struct swb_link *l, unsigned int what,
		       struct swb_frame *f)
{
	switch (what) {
	case SWB_SEND_OPEN:
		fill_facts(l, f, SWB_WIRE_OPEN);
		return true;
	case SWB_SEND_FACTS:
		fill_facts(l, f, SWB_WIRE_FACTS);
		return true;
	case SWB_SEND_START:
		fill_start(l, f);
		return true;
	case SWB_SEND_ACK:
		return fill_ack(l, f);
	case SWB_SEND_PING:
		fill_ping(l, f);
		return true;
	case SWB_SEND_MOVE:
		fill_ping(l, f);
		return swb_relink_fill(l, f);
	case SWB_SEND_VERIFY:
		fill_common(l, f, SWB_WIRE_VERIFY);
		return swb_verify_fill(l, f);
	case SWB_SEND_READ:
		fill_common(l, f, SWB_WIRE_READ);
		return swb_mend_fill(l, f);
	}
	return true;	/* no frame of its own here: UNLINK, SHIP, BASE */
}

/* Has the stream had its share, so that the base lane comes before it once? */
static bool base_turn(struct swb_link *l, unsigned int what)
{
	return what == SWB_SEND_SHIP && (l->pending & BIT(SWB_SEND_BASE)) &&
	       l->base_turn >= BASE_TURN;
}

/* Take the next order; its frame is filled under the same lock. */
static unsigned int take_order(struct swb_link *l, struct swb_frame *f)
{
	unsigned int i, what = TX_NOTHING;
	unsigned long flags;

	spin_lock_irqsave(&l->v->lock, flags);
	if (l->closing) {
		what = TX_END;
		if (l->pending & BIT(SWB_SEND_CLOSE)) {
			fill_close(l, f);
			l->pending = 0;
			what = SWB_SEND_CLOSE;
		}
		goto out;
	}
	for (i = 0; i < ARRAY_SIZE(tx_order); i++) {
		if (!(l->pending & BIT(tx_order[i])) ||
		    base_turn(l, tx_order[i]))
			continue;
		l->pending &= ~BIT(tx_order[i]);
		if (!fill_order(l, tx_order[i], f))
			continue;
		what = tx_order[i];
		break;
	}
out:
	spin_unlock_irqrestore(&l->v->lock, flags);
	return what;
}

/* A CLOSE waits until the link is closing: then nothing can follow it. */
static bool has_work(struct swb_link *l)
{
	return READ_ONCE(l->closing) ||
	       (READ_ONCE(l->pending) & ~BIT(SWB_SEND_CLOSE));
}

static void look_again(struct swb_link *l, unsigned int what)
{
	unsigned long flags;

	spin_lock_irqsave(&l->v->lock, flags);
	l->pending |= BIT(what);
	spin_unlock_irqrestore(&l->v->lock, flags);
}

static void wait_for_work(struct swb_link *l)
{
	if (!l->again && !l->base_again) {
		wait_event_idle(l->wait, has_work(l));
		return;
	}
	wait_event_idle_timeout(l->wait, has_work(l), AGAIN_JIFFIES);
	if (l->again)
		look_again(l, SWB_SEND_SHIP);
	if (l->base_again)
		look_again(l, SWB_SEND_BASE);
	l->again = false;
	l->base_again = false;
}

/* ---- records --------------------------------------------------------------- */

/* Next LSN for this peer, 0 if none may be shipped: who submits its group kicks us. */
static u64 ship_from(struct swb_link *l, u64 *session)
{
	unsigned long flags;
	u64 from = 0;

	spin_lock_irqsave(&l->v->lock, flags);
	if (!l->closing)
		from = swb_core_ship_from(&l->v->core, l->peer, session);
	if (from > l->v->wal.submitted_lsn)
		from = 0;
	spin_unlock_irqrestore(&l->v->lock, flags);
	return from;
}

static void window_closes(struct swb_link *l)
{
	u64 committed = l->v->core.log.committed;

	lockdep_assert_held(&l->v->lock);
	l->again = true;
	if (committed > l->told_committed)
		l->pending |= BIT(SWB_SEND_PING);
	if (!l->window_closed || committed != l->asked_committed)
		swb_post_later(l->v, SWB_POST_ROOM);
	l->window_closed = true;
	l->asked_committed = committed;
}

/*
 * A replica gives ring space back as C moves on, and hears of C from us, on this
 * very stream. So what is under way above C must always fit into its ring, which
 * may be smaller than ours: else it would wait for space with the news of C stuck
 * behind the record that needs the space. Half of it leaves room for the gap at
 * the end of a ring. While the window is closed, C travels on PINGs, and is asked to
 * move: the engine wakes us when it does. Inherited records do not count: C passes
 * them only together with the open record behind them (I-204), so they have to go
 * through.
 */
static bool window_open(struct swb_link *l, u64 from)
{
	struct swb_core *c = &l->v->core;
	unsigned long flags;
	u64 window, span, above;
	bool open;

	spin_lock_irqsave(&l->v->lock, flags);
	window = (u64)c->peer[l->peer].facts.ring_mib << 19;
	above = max(c->log.committed + 1, c->log.open_lsn);
	span = swb_wal_span(&l->v->wal, above, from);
	open = !window || span <= window;
	if (open)
		l->window_closed = false;
	else
		window_closes(l);
	spin_unlock_irqrestore(&l->v->lock, flags);
	return open;
}

/* Records of @g before the cursor; only the first group of a frame may have some. */
static u32 skipped(const struct swb_group *g, u64 from)
{
	return from > g->first_lsn ? from - g->first_lsn : 0;
}

static u32 payload_from(const struct swb_group *g, u32 skip)
{
	return g->payload_bytes - g->rec_off[skip];
}

/*
 * Behind the group at the cursor others may have gone out meanwhile, lone writes among
 * them. What is one group's worth together is one frame, and one group over there. An
 * open record stays alone: every ring has room of its own for it.
 */
static void gather(struct swb_link *l, u64 from)
{
	struct swb_group *g = l->tx_group[0], *next;
	struct swb_wal *w = &l->v->wal;
	u32 skip = skipped(g, from);
	u32 nrec = g->nrec - skip, bytes = payload_from(g, skip);
	u64 lsn = g->first_lsn + g->nrec;

	if (g->header->rec[0].type == SWB_REC_OPEN)
		return;
	while (l->tx_groups < SWB_SHIP_GROUPS && lsn <= READ_ONCE(w->submitted_lsn)) {
		next = swb_wal_resident(w, lsn);
		if (!next)
			return;
		nrec += next->nrec;
		bytes += next->payload_bytes;
		if (next->first_lsn != lsn || next->epoch != g->epoch ||
		    nrec > SWB_GROUP_RECS_MAX || bytes > SWB_GROUP_PAYLOAD_MAX) {
			swb_group_put(next);
			return;
		}
		l->tx_group[l->tx_groups++] = next;
		lsn += next->nrec;
	}
}

static void put_groups(struct swb_link *l)
{
	while (l->tx_groups)
		swb_group_put(l->tx_group[--l->tx_groups]);
}

static void fill_sizes(struct swb_link *l, u64 from, struct swb_frame *f)
{
	struct swb_group *g;
	u32 i, skip;

	for (i = 0; i < l->tx_groups; i++) {
		g = l->tx_group[i];
		skip = skipped(g, from);
		f->nrec += g->nrec - skip;
		f->payload_bytes += payload_from(g, skip);
	}
	f->body_bytes = f->nrec * sizeof(struct swb_disk_rec);
}

static void time_shipped(struct swb_link *l, u64 from, u64 now_ns)
{
	u32 i;

	lockdep_assert_held(&l->v->lock);
	if (l->v->core.peer[l->peer].state != SWBLOCK_PEER_IN_SYNC)
		return;
	for (i = 0; i < l->tx_groups; i++)
		swb_lat_shipped(&l->v->lat, l->peer,
				max(from, l->tx_group[i]->first_lsn), now_ns);
}

/*
 * The DATA frame of the groups, from @from on. The core hears now that their records
 * are shipped: once the first byte is out, an ACK may overtake us.
 */
static bool fill_data(struct swb_link *l, u64 from, u64 session,
		      struct swb_frame *f)
{
	struct swb_core *c = &l->v->core;
	unsigned long flags;
	bool still = false;
	u64 now_session, now_ns;

	spin_lock_irqsave(&l->v->lock, flags);
	if (!l->closing && swb_core_ship_from(c, l->peer, &now_session) == from &&
	    now_session == session) {
		fill_common(l, f, SWB_WIRE_DATA);
		fill_sizes(l, from, f);
		f->session = session;
		f->a[0] = from;
		f->a[1] = l->tx_group[0]->epoch;
		now_ns = ktime_get_boottime_ns();
		swb_core_shipped(c, l->peer, session, from + f->nrec, now_ns);
		time_shipped(l, from, now_ns);
		f->flush_lsn = take_flush_lsn(l, now_ns);
		still = true;
	}
	spin_unlock_irqrestore(&l->v->lock, flags);
	return still;
}

/* Payload of @g from byte @off on, as pages behind @n others. Return: pages then. */
static u32 add_payload(struct swb_link *l, u32 n, struct swb_group *g, u32 off,
		       u32 len)
{
	while (len) {
		u32 in_page = off & (PAGE_SIZE - 1);
		u32 bytes = min_t(u32, len, PAGE_SIZE - in_page);

		l->tx_bvec[n].bv_page = g->page[off >> PAGE_SHIFT];
		l->tx_bvec[n].bv_offset = in_page;
		l->tx_bvec[n].bv_len = bytes;
		n++;
		off += bytes;
		len -= bytes;
	}
	return n;
}

static int send_data(struct swb_link *l, u64 from, struct swb_frame *f)
{
	u32 i, skip, nrec = 0, nbv = 0;
	struct swb_group *g;
	int err;

	for (i = 0; i < l->tx_groups; i++) {
		g = l->tx_group[i];
		skip = skipped(g, from);
		memcpy(&l->tx_rec[nrec], &g->header->rec[skip],
		       (g->nrec - skip) * sizeof(l->tx_rec[0]));
		nrec += g->nrec - skip;
		nbv = add_payload(l, nbv, g, g->rec_off[skip],
				  payload_from(g, skip));
	}
	err = send_frame(l, f, l->tx_rec, l->tx_bvec, nbv);
	trace_swblock_group(l->v->id, from, f->nrec, f->payload_bytes,
			    SWB_STAGE_SHIPPED);
	return err;
}

/* The record at the cursor could not be loaded. */
static void load_failed(struct swb_link *l, u64 from, u64 session, int err)
{
	u64 now_session;

	switch (err) {
	case -EAGAIN:	/* the log was cut meanwhile */
	case -ENOBUFS:
		l->again = true;
		return;
	case -ENOENT:	/* trimmed, unless the session ended meanwhile */
		if (ship_from(l, &now_session) == from && now_session == session)
			swb_link_fail(l, SWBLOCK_REASON_PIN_LOST, true);
		return;
	default:
		swb_post_later(l->v, SWB_POST_FAILED);
		swb_link_fail(l, SWBLOCK_REASON_DISK_FAILED, true);
	}
}

/* Ship one group, or what is left of it behind the cursor, and what goes with it. */
static int ship_group(struct swb_link *l)
{
	struct swb_frame f;
	struct swb_group *g;
	u64 from, session;
	int err = 0;

	from = ship_from(l, &session);
	if (!from || !window_open(l, from))
		return 0;
	g = swb_wal_load_run(&l->v->wal, from);
	if (IS_ERR(g)) {
		load_failed(l, from, session, PTR_ERR(g));
		return 0;
	}
	l->tx_group[0] = g;
	l->tx_groups = 1;
	gather(l, from);
	if (fill_data(l, from, session, &f))
		err = send_data(l, from, &f);
	put_groups(l);
	l->base_turn++;
	look_again(l, SWB_SEND_SHIP);	/* the next group, after control frames */
	return err;
}

/* One frame of the base lane, if it has one. */
static int ship_base(struct swb_link *l)
{
	struct bio_vec *bv;
	struct swb_frame f;
	u32 nbv;
	int err;

	l->base_turn = 0;
	switch (swb_lane_next(l, &f, &bv, &nbv)) {
	case SWB_LANE_NOTHING:
		return 0;
	case SWB_LANE_FAILED:
		swb_link_fail(l, SWBLOCK_REASON_DISK_FAILED, true);
		return 0;
	case SWB_LANE_FRAME:
		break;
	}
	err = send_frame(l, &f, &l->base_rec, bv, nbv);
	if (err)
		return err;
	swb_lane_sent(l, &f);
	look_again(l, SWB_SEND_BASE);
	return 0;
}

/* ---- the thread -------------------------------------------------------------- */

static void unlink_ordered(struct swb_link *l)
{
	struct swb_event ev = {
		.type = SWB_EV_UNLINK_ORDERED,
		.peer = l->peer,
		.reason = SWBLOCK_REASON_UNLINKED,
	};

	swb_post_link(l->v, l, &ev);
	swb_link_close(l, SWBLOCK_REASON_UNLINKED);
}

/*
 * Nothing can be sent any more. If the peer hung up, its last words, with the
 * reason, may still be on their way to rx: it finds the end of the stream itself.
 */
static void send_failed(struct swb_link *l, int err)
{
	if (err != -EPIPE && err != -ECONNRESET) {
		swb_link_fail(l, swb_link_lost_reason(err), false);
		return;
	}
	swb_link_kill_later(l);
	wait_event_idle(l->wait, READ_ONCE(l->closing));
}

/* Do one thing. False when the link is over. */
static bool tx_round(struct swb_link *l)
{
	struct swb_frame f;
	const void *body = NULL;
	unsigned int what;
	int err;

	what = take_order(l, &f);
	switch (what) {
	case TX_NOTHING:
		wait_for_work(l);
		return true;
	case TX_END:
		return false;
	case SWB_SEND_UNLINK:
		unlink_ordered(l);
		return true;
	case SWB_SEND_SHIP:
		err = ship_group(l);
		break;
	case SWB_SEND_BASE:
		err = ship_base(l);
		break;
	case SWB_SEND_VERIFY:
		body = &l->verify_body;
		err = send_frame(l, &f, body, NULL, 0);
		break;
	case SWB_SEND_READ:
		err = send_frame(l, &f, l->lend.tx_data, NULL, 0);
		break;
	case SWB_SEND_MOVE:
		err = send_frame(l, &f, NULL, NULL, 0);
		if (!err)
			swb_relink_said(l, &f);
		break;
	case SWB_SEND_OPEN:
	case SWB_SEND_FACTS:
		swb_codec_facts_encode(l->tx_facts, l->facts_buf);
		body = l->facts_buf;
		fallthrough;
	default:
		err = send_frame(l, &f, body, NULL, 0);
	}
	if (what == SWB_SEND_CLOSE)
		return false;
	if (err)
		send_failed(l, err);
	return true;
}

int swb_ship_thread(void *arg)
{
	struct swb_link *l = arg;
	unsigned int noio = memalloc_noio_save();

	while (tx_round(l))
		;
	swb_lane_detach(l);	/* it is closing: there comes no other */
	swb_sock_end_stream(swb_sockets_tx(&l->sockets));
	memalloc_noio_restore(noio);
	swb_link_put(l);
	return 0;
}
