// SPDX-License-Identifier: GPL-2.0-only
/*
 * The receiver of a link, in both roles: bytes of the peer become facts for the
 * core, and records become part of the log.
 *
 * Does: receive frame by frame, believe nothing of it (magic, checksums, lengths,
 * ranges), copy each payload once, into the pages that the WAL write uses, and
 * refuse with exactly one reason (I-027), which the peer is told. Does not:
 * compare histories, judge epochs or sessions (the core does), or send.
 * Lock: v->lock (irqsave) from the core's last check of a frame until it is in
 * the log, so that no adoption or replacement can come between.
 * Context: kthread swb-rx/<volume>.<peer>. It waits for its socket, for memory
 * of the WAL and for ring space, each time looking at l->closing.
 */
#include <linux/ktime.h>
#include <linux/kthread.h>
#include <linux/sched/mm.h>
#include "peer.h"
#include "post.h"
#include "base.h"
#include "stats.h"
#include "trace.h"

/*
 * Functions here return 0; a negative errno if the stream is at its end; or a
 * positive enum swblock_reason if the peer's bytes are refused.
 */

#define WAIT_JIFFIES	(HZ / 4)

static bool rx_stop(void *arg)
{
	struct swb_link *l = arg;

	return READ_ONCE(l->closing);
}

static void event_init(struct swb_link *l, const struct swb_frame *f,
		       enum swb_event_type type, struct swb_event *ev)
{
	memset(ev, 0, sizeof(*ev));
	ev->type = type;
	ev->peer = l->peer;
	ev->session = f->session;
	ev->epoch = f->epoch;
}

/* ---- DATA: validation --------------------------------------------------- */

/* Each record possible for this volume? Payload lengths must add up. */
static int check_records(struct swb_link *l, const struct swb_frame *f)
{
	const struct swb_disk_rec *in = l->rx_body;
	const struct swb_durable *d = &l->v->core.d;	/* geometry is constant */
	struct swb_rec rec;
	u32 i, sum = 0;

	for (i = 0; i < f->nrec; i++) {
		if (!swb_codec_rec_decode(&in[i], d->extent_bytes,
					  d->block_bytes, &rec))
			return SWBLOCK_REASON_BAD_RECORD;
		if (rec.type == SWB_REC_OPEN && i > 0)
			return SWBLOCK_REASON_BAD_RECORD;
		if (rec.type == SWB_REC_WRITE)
			sum += rec.len_bytes;
	}
	return sum == f->payload_bytes ? 0 : SWBLOCK_REASON_BAD_LENGTH;
}

/* Asked twice: before memory is taken for it, and when it enters the log. */
static int check_place(struct swb_link *l, const struct swb_frame *f)
{
	lockdep_assert_held(&l->v->lock);
	if (l->closing)
		return -ESHUTDOWN;
	return swb_core_check_data(&l->v->core, l->peer, f->session, f->epoch,
				   f->a[0], f->nrec, f->a[1]);
}

static int check_place_unlocked(struct swb_link *l, const struct swb_frame *f)
{
	unsigned long flags;
	int err;

	spin_lock_irqsave(&l->v->lock, flags);
	err = check_place(l, f);
	spin_unlock_irqrestore(&l->v->lock, flags);
	return err;
}

/* The checksum was made at admission on the primary: end to end. */
static int check_payload(const struct swb_group *g)
{
	u32 i;

	for (i = 0; i < g->nrec; i++) {
		const struct swb_disk_rec *rec = &g->header->rec[i];

		if (rec->type != SWB_REC_WRITE)
			continue;
		if (swb_group_crc(g, g->rec_off[i], le32_to_cpu(rec->len_bytes)) !=
		    le32_to_cpu(rec->crc))
			return SWBLOCK_REASON_BAD_PAYLOAD_CRC;
	}
	return 0;
}

/* ---- DATA: into the log --------------------------------------------------- */

static struct swb_group *get_group(struct swb_link *l, u32 payload_bytes)
{
	struct swb_group *g = NULL;

	while (!g && !rx_stop(l)) {
		g = swb_wal_group_get(&l->v->wal, payload_bytes, WAIT_JIFFIES);
		if (IS_ERR(g))
			g = NULL;
	}
	return g;
}

static void fill_group(struct swb_link *l, struct swb_group *g,
		       const struct swb_frame *f)
{
	u32 i, off = 0;

	g->first_lsn = f->a[0];
	g->epoch = f->a[1];
	g->nrec = f->nrec;
	g->payload_bytes = f->payload_bytes;
	memcpy(g->header->rec, l->rx_body, f->body_bytes);
	for (i = 0; i < g->nrec; i++) {
		g->rec_off[i] = off;
		if (g->header->rec[i].type == SWB_REC_WRITE)
			off += le32_to_cpu(g->header->rec[i].len_bytes);
	}
}

static int recv_payload(struct swb_link *l, struct swb_group *g)
{
	u32 left = g->payload_bytes, n = 0;

	if (!left)
		return 0;
	while (left) {
		u32 bytes = min_t(u32, left, PAGE_SIZE);

		l->rx_bvec[n].bv_page = g->page[n];
		l->rx_bvec[n].bv_offset = 0;
		l->rx_bvec[n].bv_len = bytes;
		n++;
		left -= bytes;
	}
	return swb_sock_recv(swb_sockets_rx(&l->sockets), NULL, l->rx_bvec, n, g->payload_bytes,
			     true, rx_stop, l);
}

/* C and the flush request ride on DATA; the core steps only if one has moved. */
static void post_ping(struct swb_link *l, const struct swb_frame *f, bool always)
{
	struct swb_event ev;

	if (!always && f->committed == l->seen_committed &&
	    f->everywhere == l->seen_everywhere &&
	    f->flush_lsn <= l->seen_flush_lsn)
		return;
	l->seen_committed = f->committed;
	l->seen_everywhere = f->everywhere;
	l->seen_flush_lsn = max(l->seen_flush_lsn, f->flush_lsn);
	event_init(l, f, SWB_EV_PEER_PINGED, &ev);
	ev.u.ping.committed = f->committed;
	ev.u.ping.flush_lsn = f->flush_lsn;
	ev.u.ping.everywhere = f->everywhere;
	if (f->type == SWB_WIRE_PING)
		ev.u.ping.next = f->a[0];
	swb_post_link(l->v, l, &ev);
}

/* What the log says to a frame that the core has let pass. */
static int attach_refusal(int err)
{
	if (err == -ENOSPC)
		return err;
	/* the log and the core disagree about the next LSN: a defect of ours */
	WARN_ON_ONCE(err == -EINVAL);
	return SWBLOCK_REASON_DISK_FAILED;
}

/* 0, -ENOSPC, -ESHUTDOWN or a reason; the log and the core move together. */
static int try_attach(struct swb_link *l, struct swb_group *g,
		      const struct swb_frame *f)
{
	struct swb_volume *v = l->v;
	struct swb_core *c = &v->core;
	unsigned long flags;
	int err;

	spin_lock_irqsave(&v->lock, flags);
	err = check_place(l, f);
	if (err)
		goto unlock;
	err = swb_wal_attach(&v->wal, g);
	if (err) {
		err = attach_refusal(err);
	} else {
		swb_core_received(c, l->peer, ktime_get_boottime_ns(), f->nrec,
				  f->a[1], g->header->rec[0].type == SWB_REC_OPEN);
		if (c->config.policy == SWBLOCK_POLICY_RECEIVED) {
			l->pending |= BIT(SWB_SEND_ACK);
			wake_up(&l->wait);
		}
	}
unlock:
	spin_unlock_irqrestore(&v->lock, flags);
	return err;
}

/*
 * A full ring drains by write-back, which needs C: so the core hears of the C in
 * this very header before we wait. What the peer sends meanwhile stays in the
 * socket; its deadline for us is the bound.
 */
static int attach(struct swb_link *l, struct swb_group *g,
		  const struct swb_frame *f)
{
	struct swb_volume *v = l->v;
	int err;

	while ((err = try_attach(l, g, f)) == -ENOSPC) {
		post_ping(l, f, false);
		swb_flusher_kick(&v->flusher, true);
		swb_wal_wait_space(&v->wal, WAIT_JIFFIES);
	}
	return err;
}

static int handle_data(struct swb_link *l, const struct swb_frame *f)
{
	struct swb_group *g;
	int err;

	err = check_place_unlocked(l, f);
	if (!err)
		err = check_records(l, f);
	if (err)
		return err;
	g = get_group(l, f->payload_bytes);
	if (!g)
		return -ESHUTDOWN;
	fill_group(l, g, f);
	err = recv_payload(l, g);
	if (!err)
		err = check_payload(g);
	if (!err)
		err = attach(l, g, f);
	if (err) {
		swb_group_put(g);
		return err;
	}
	swb_wal_submit(&l->v->wal, g);
	post_ping(l, f, false);
	return 0;
}

/* ---- everything else ------------------------------------------------------- */

static int handle_facts(struct swb_link *l, const struct swb_frame *f,
			enum swb_event_type type)
{
	struct swb_event ev;

	if (!swb_codec_facts_decode(l->rx_body, f->body_bytes, l->rx_facts))
		return SWBLOCK_REASON_BAD_RECORD;
	event_init(l, f, type, &ev);
	ev.u.facts = l->rx_facts;
	l->seen_committed = 0;	/* a session begins: C counts anew */
	l->seen_flush_lsn = 0;
	l->seen_everywhere = 0;
	swb_post_link(l->v, l, &ev);
	return 0;
}

static int handle_start(struct swb_link *l, const struct swb_frame *f)
{
	struct swb_event ev;

	event_init(l, f, SWB_EV_PEER_STARTED, &ev);
	ev.u.start.from = f->a[0];
	ev.u.start.truncate_to = f->a[1];
	ev.u.start.target = f->a[2];
	ev.u.start.kind = f->a[3];
	swb_post_link(l->v, l, &ev);
	return 0;
}

static int handle_ack(struct swb_link *l, const struct swb_frame *f)
{
	struct swb_event ev;

	event_init(l, f, SWB_EV_PEER_ACKED, &ev);
	ev.u.ack.received = f->a[0];
	ev.u.ack.written = f->a[1];
	ev.u.ack.durable = f->a[2];
	ev.u.ack.base = f->a[3];
	ev.u.ack.extent_bytes = f->flush_lsn;
	l->acked_ns = ktime_get_boottime_ns();
	swb_post_link(l->v, l, &ev);
	swb_lane_acked(l, f->a[3]);
	return 0;
}

/* ---- BASE -------------------------------------------------------------------- */

static bool base_rec_ok(struct swb_link *l, const struct swb_frame *f,
			struct swb_rec *rec)
{
	const struct swb_durable *d = &l->v->core.d;	/* geometry is constant */

	if (!swb_codec_rec_decode(l->rx_body, d->extent_bytes, d->block_bytes, rec))
		return false;
	if (rec->type == SWB_REC_WRITE)
		return rec->len_bytes == f->payload_bytes;
	return rec->type == SWB_REC_ZEROES && !f->payload_bytes;
}

/* Its pages are the log's: they are free again when it returns. */
static int handle_base(struct swb_link *l, const struct swb_frame *f)
{
	struct swb_group *g = NULL;
	struct swb_rec rec;
	int err = 0;

	if (!base_rec_ok(l, f, &rec))
		return SWBLOCK_REASON_BAD_RECORD;
	if (f->payload_bytes) {
		g = get_group(l, f->payload_bytes);
		if (!g)
			return -ESHUTDOWN;
		g->payload_bytes = f->payload_bytes;
		err = recv_payload(l, g);
		if (!err && swb_group_crc(g, 0, rec.len_bytes) != rec.crc)
			err = SWBLOCK_REASON_BAD_PAYLOAD_CRC;
	}
	if (!err)
		err = swb_base_write(l, f, &rec, g);
	if (g)
		swb_group_put(g);
	if (!err)
		post_ping(l, f, false);
	return err;
}

static int handle_base_end(struct swb_link *l, const struct swb_frame *f)
{
	struct swb_event ev;

	event_init(l, f, SWB_EV_PEER_BASE_ENDED, &ev);
	ev.lsn = f->a[1];
	ev.lsn2 = f->a[2];
	swb_post_link(l->v, l, &ev);
	return 0;
}

/* ---- the end ------------------------------------------------------------------ */

static int handle_close(struct swb_link *l, const struct swb_frame *f)
{
	struct swb_event ev;

	event_init(l, f, SWB_EV_PEER_CLOSED, &ev);
	ev.reason = SWBLOCK_REASON_PEER_CLOSED;
	if (f->a[0] && f->a[0] < __SWBLOCK_REASON_MAX)
		ev.reason = f->a[0];
	ev.epoch = f->a[1];
	swb_post_link(l->v, l, &ev);
	swb_link_close(l, ev.reason);
	return -ESHUTDOWN;
}

static int handle_frame(struct swb_link *l, const struct swb_frame *f)
{
	switch ((enum swb_wire_type)f->type) {
	case SWB_WIRE_OPEN:
		return handle_facts(l, f, SWB_EV_PEER_OPENED);
	case SWB_WIRE_FACTS:
		return handle_facts(l, f, SWB_EV_PEER_FACTS);
	case SWB_WIRE_START:
		return handle_start(l, f);
	case SWB_WIRE_DATA:
		return handle_data(l, f);
	case SWB_WIRE_ACK:
		return handle_ack(l, f);
	case SWB_WIRE_PING:
		post_ping(l, f, true);
		return swb_relink_heard(l, f);
	case SWB_WIRE_CLOSE:
		return handle_close(l, f);
	case SWB_WIRE_BASE:
		return handle_base(l, f);
	case SWB_WIRE_BASE_END:
		return handle_base_end(l, f);
	case SWB_WIRE_VERIFY:
		return swb_verify_asked(l, f);
	case SWB_WIRE_VERIFY_SUM:
		return swb_verify_answered(l, f);
	case SWB_WIRE_READ:
		return swb_mend_asked(l, f);
	case SWB_WIRE_READ_DATA:
		return swb_mend_answered(l, f);
	}
	return SWBLOCK_REASON_BAD_TYPE;
}

/* ---- the thread -------------------------------------------------------------- */

static int recv_body(struct swb_link *l, const struct swb_frame *f)
{
	u32 crc = 0;
	int err;

	if (f->body_bytes) {
		err = swb_sock_recv(swb_sockets_rx(&l->sockets), l->rx_body, NULL, 0, f->body_bytes,
				    true, rx_stop, l);
		if (err)
			return err;
		crc = swb_crc32c(0, l->rx_body, f->body_bytes);
	}
	return crc == f->body_crc ? 0 : SWBLOCK_REASON_BAD_BODY_CRC;
}

static int rx_round(struct swb_link *l)
{
	struct swb_frame f;
	int err;

	err = swb_sock_recv(swb_sockets_rx(&l->sockets), &l->rx_header, NULL, 0,
			    sizeof(l->rx_header), false, rx_stop, l);
	if (err == -EAGAIN)	/* silence is judged by the core's tick */
		return 0;
	if (err)
		return err;
	err = swb_codec_frame_decode(&l->rx_header, &f);
	if (err)
		return err;
	err = recv_body(l, &f);
	if (err)
		return err;
	swb_stat_inc(l->v, FRAMES_RECEIVED);
	swb_stat_add(l->v, WIRE_RECEIVED_BYTES, sizeof(l->rx_header) +
		     f.body_bytes + f.payload_bytes);
	return handle_frame(l, &f);
}

static void rx_loop(struct swb_link *l)
{
	int err;

	do {
		err = rx_round(l);
	} while (!err && !rx_stop(l));
	if (err > 0) {
		swb_stat_inc(l->v, REFUSED);
		trace_swblock_refused(l->v->id, l->peer, err);
		swb_link_fail(l, err, true);
	} else if (err) {
		swb_link_fail(l, swb_link_lost_reason(err), false);
	}
}

/*
 * The peer should be able to read our CLOSE: unread bytes would make the kernel
 * reset the stream. Ends when the peer hangs up, or by the delayed shutdown.
 */
static void drain(struct swb_link *l)
{
	int err;

	do {
		err = swb_sock_recv(swb_sockets_rx(&l->sockets), l->rx_body, NULL, 0, 1, false,
				    NULL, NULL);
	} while (!err || err == -EAGAIN);
	swb_sockets_shutdown(&l->sockets);
	if (cancel_delayed_work(&l->kill_work))
		swb_link_put(l);	/* its reference */
}

int swb_apply_thread(void *arg)
{
	struct swb_link *l = arg;
	unsigned int noio = memalloc_noio_save();

	if (swb_link_install(l))
		rx_loop(l);
	drain(l);
	memalloc_noio_restore(noio);
	swb_link_put(l);
	return 0;
}
