// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames out and in: the wire as link.c, ship.c and apply.c of the module speak
 * it. Every frame passes the real codec twice. A receiver handles one frame at
 * a time and stops while a cut is under way or the ring is full.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "world.h"

static u8 out_buf[sizeof(struct swb_wire_header) + SWB_WIRE_BODY_MAX +
		  SWB_GROUP_PAYLOAD_MAX] __attribute__((aligned(8)));

/* ---- out -------------------------------------------------------------- */

static void send_frame(struct world *w, struct node *n, u8 peer,
		       struct swb_frame *f)
{
	u32 len = (u32)sizeof(struct swb_wire_header) + f->body_bytes +
		  f->payload_bytes;

	if (!n->link[peer])
		return;
	f->body_crc = swb_crc32c(0, out_buf + sizeof(struct swb_wire_header),
				 f->body_bytes);
	swb_codec_frame_encode(f, (struct swb_wire_header *)out_buf);
	check_frame_out(w, n, peer, f);
	net_send(w, n->link[peer], n->id, out_buf, len);
}

/* What rides on every frame of a primary: C and the wish for a flush. */
static struct swb_frame frame_of(struct node *n, u8 peer, u16 type)
{
	struct swb_frame f = {
		.type = type,
		.session = n->core.peer[peer].session,
		.epoch = n->core.d.epoch,
	};

	if (n->core.role == SWBLOCK_ROLE_PRIMARY) {
		f.committed = n->core.log.committed;
		f.everywhere = swb_core_everywhere(&n->core);
		if (type == SWB_WIRE_DATA || type == SWB_WIRE_PING)
			f.flush_lsn = swb_core_flush_wanted(&n->core, peer);
	}
	return f;
}

void wire_send(struct world *w, struct node *n, const struct swb_action *a)
{
	static struct swb_facts facts;
	struct swb_frame f = frame_of(n, a->peer, SWB_WIRE_PING);

	if (a->type == SWB_ACT_SEND_OPEN || a->type == SWB_ACT_SEND_FACTS) {
		f.type = a->type == SWB_ACT_SEND_OPEN ? SWB_WIRE_OPEN :
							SWB_WIRE_FACTS;
		f.session = a->a;
		f.flush_lsn = 0;
		f.body_bytes = sizeof(struct swb_wire_facts);
		swb_core_own_facts(&n->core, a->peer, &facts);
		if (n->link[a->peer] &&
		    net_stranger(w, n->link[a->peer], n->id))
			sim_uuid(&facts.volume, 'v', 1);
		swb_codec_facts_encode(&facts, (struct swb_wire_facts *)
				(out_buf + sizeof(struct swb_wire_header)));
	} else if (a->type == SWB_ACT_SEND_PING) {
		f.a[0] = swb_core_sent_next(&n->core, a->peer);
	} else if (a->type == SWB_ACT_SEND_START) {
		f.type = SWB_WIRE_START;
		f.flush_lsn = 0;
		f.a[0] = a->a;
		f.a[1] = a->b;
		f.a[2] = a->c;
		f.a[3] = a->d;
	} else if (a->type == SWB_ACT_SEND_CLOSE) {
		f.type = SWB_WIRE_CLOSE;
		f.flush_lsn = 0;
		f.a[0] = a->a;
		f.a[1] = n->core.d.epoch;
	}
	send_frame(w, n, a->peer, &f);
}

void wire_ack(struct world *w, struct node *n, u8 peer)
{
	struct swb_frame f = frame_of(n, peer, SWB_WIRE_ACK);

	struct swb_ack ack;

	if (!swb_core_ack(&n->core, peer, &ack))
		return;
	f.session = ack.session;
	f.a[0] = ack.received;
	f.a[1] = ack.written;
	f.a[2] = ack.durable;
	f.a[3] = ack.base;
	f.flush_lsn = ack.extent_bytes;
	if (w->broken == BREAK_ACK_RECEIVED) {
		f.a[1] = f.a[0];
		f.a[2] = f.a[0];
	}
	n->old_session = f.session;
	n->old_epoch = f.epoch;
	send_frame(w, n, peer, &f);
}

/* BREAK_ACK_AFTER_FENCE: a flush ends, and its ack goes by the old session */
void wire_stale_ack(struct world *w, struct node *n)
{
	struct swb_frame f = {
		.type = SWB_WIRE_ACK, .session = n->old_session,
		.epoch = n->old_epoch,
		.a = { n->core.log.head, n->core.log.written,
		       n->core.log.durable },
	};

	if (!n->old_conn || n->old_epoch == n->core.d.epoch)
		return;
	swb_codec_frame_encode(&f, (struct swb_wire_header *)out_buf);
	check_frame_out(w, n, 0, &f);
	net_send(w, n->old_conn, n->id, out_buf,
		 sizeof(struct swb_wire_header));
}

/*
 * Records @from.. of @g as one frame. False, with nothing sent, if one cannot be
 * read back.
 */
static bool send_records(struct world *w, struct node *n, u8 peer, u64 session,
			 const struct wgroup *g, u64 from, u32 count)
{
	struct swb_frame f = frame_of(n, peer, SWB_WIRE_DATA);
	struct swb_disk_rec *rec = (struct swb_disk_rec *)
		(out_buf + sizeof(struct swb_wire_header));
	u32 first = (u32)(from - g->first_lsn);
	u32 body = count * (u32)sizeof(*rec);
	u8 *payload = (u8 *)rec + body;

	f.session = session;
	f.nrec = (u16)count;
	f.body_bytes = body;
	f.a[0] = from;
	f.a[1] = g->epoch;
	for (u32 i = first; i < first + count; i++) {
		const struct wrec *r = &g->rec[i];

		swb_codec_rec_encode(rec++, r->type, r->sector, r->len_bytes,
				     r->crc);
		if (r->type != SWB_REC_WRITE)
			continue;
		if (!wal_payload(n, g, i, payload + f.payload_bytes))
			return false;
		f.payload_bytes += r->len_bytes;
	}
	check_shipped(w, n, peer, g, from, count, session);
	send_frame(w, n, peer, &f);
	return true;
}

void wire_base(struct world *w, struct node *n, u8 peer, const struct lane *l,
	       bool zero, u64 epoch, u64 lsn)
{
	u32 bytes = l->blocks * SIM_BLOCK;
	struct swb_frame f = frame_of(n, peer, SWB_WIRE_BASE);
	struct swb_disk_rec *rec = (struct swb_disk_rec *)
		(out_buf + sizeof(struct swb_wire_header));

	f.session = l->session;
	f.nrec = 1;
	f.body_bytes = sizeof(*rec);
	f.payload_bytes = zero ? 0 : bytes;
	f.a[0] = epoch;
	f.a[1] = lsn;
	f.a[2] = l->sent;
	swb_codec_rec_encode(rec, zero ? SWB_REC_ZEROES : SWB_REC_WRITE,
			     l->block, bytes,
			     zero ? 0 : swb_crc32c(0, l->buf, bytes));
	if (!zero)
		memcpy(rec + 1, l->buf, bytes);
	send_frame(w, n, peer, &f);
}

void wire_base_end(struct world *w, struct node *n, u8 peer, const struct lane *l,
		   u64 epoch)
{
	struct swb_frame f = frame_of(n, peer, SWB_WIRE_BASE_END);

	f.session = l->session;
	f.a[0] = epoch;
	f.a[1] = l->end;
	f.a[2] = l->sent;
	send_frame(w, n, peer, &f);
}

void wire_read(struct world *w, struct node *n, u8 peer, const struct held *h)
{
	struct swb_frame f = frame_of(n, peer, SWB_WIRE_READ);

	f.session = h->session;
	f.a[0] = h->block;
	f.a[1] = SIM_BLOCK;
	f.a[2] = h->serial;
	send_frame(w, n, peer, &f);
}

void wire_read_data(struct world *w, struct node *n, u8 peer,
		    const struct swb_frame *f, const u8 *bytes)
{
	struct swb_frame out = frame_of(n, peer, SWB_WIRE_READ_DATA);

	out.session = f->session;
	memcpy(out.a, f->a, sizeof(out.a));
	out.a[3] = n->core.log.head;
	if (bytes) {
		out.body_bytes = SIM_BLOCK;
		memcpy(out_buf + sizeof(struct swb_wire_header), bytes, SIM_BLOCK);
	}
	send_frame(w, n, peer, &out);
}

static void ship_again(struct world *w, struct task *t)
{
	struct node *n = &w->node[t->node];

	n->ship_soon[t->a] = false;
	wire_ship(w, n, (u8)t->a);
}

/* The one feeder of a peer, for live records and catch-up alike. */
void wire_ship(struct world *w, struct node *n, u8 peer)
{
	for (int frames = 0; frames < 4; frames++) {
		u64 session, from;
		struct wgroup *g;
		u32 count;

		if (n->ship_soon[peer] || !n->link[peer])
			return;
		if (!net_room(w, n->link[peer], n->id))
			break;
		from = swb_core_ship_from(&n->core, peer, &session);
		if (!from)
			return;
		g = wal_find(n, from);
		if (!g) {
			check_ship_hole(w, n, peer, from);
			return;
		}
		if (g->state == WGROUP_FILLING)
			return;
		/* a group may go in several frames */
		count = (u32)(g->first_lsn + g->live - from);
		if (count > 1 && rng_chance(&w->rng, 200))
			count = (u32)rng_between(&w->rng, 1, count);
		if ((w->broken != BREAK_SHIP_GAP || !rng_chance(&w->rng, 20)) &&
		    !send_records(w, n, peer, session, g, from, count)) {
			node_read_failed(w, n);
			return;
		}
		swb_core_shipped(&n->core, peer, session, from + count,
				 node_now(w, n));
	}
	n->ship_soon[peer] = true;
	world_later(w, n->id, rng_between(&w->rng, 1, 500 * SIM_USEC),
		    ship_again, peer, 0);
}

void wire_ship_all(struct world *w, struct node *n)
{
	if (n->core.role != SWBLOCK_ROLE_PRIMARY)
		return;
	for (u8 p = 0; p < n->core.config.member_count; p++)
		if (p != n->core.self)
			wire_ship(w, n, p);
}

/* ---- links ------------------------------------------------------------ */

void wire_close(struct world *w, struct node *n, u8 peer)
{
	u32 conn = n->link[peer];

	n->link[peer] = 0;
	if (conn && w->broken == BREAK_ACK_AFTER_FENCE)
		n->old_conn = conn;
	else if (conn)
		net_close(w, conn, n->id);
}

/* This end gives the link up; the core hears of it first. */
static void fail_link(struct world *w, struct node *n, u8 peer, u32 reason)
{
	struct swb_event ev = {
		.type = SWB_EV_LINK_LOST, .peer = peer, .reason = reason,
	};
	struct swb_frame f = frame_of(n, peer, SWB_WIRE_CLOSE);

	n->refused[reason]++;
	sim_trace(w, n->id, "refuses link of n%u: %s", peer,
		  swb_text_reason(reason));
	f.a[0] = reason;
	f.a[1] = n->core.d.epoch;
	send_frame(w, n, peer, &f);
	wire_close(w, n, peer);
	node_post(w, n, &ev);
}

void node_link(struct world *w, struct node *n, u8 peer, u32 conn)
{
	struct swb_event ev = { .type = SWB_EV_LINKED, .peer = peer };
	struct swb_event gone = {
		.type = SWB_EV_LINK_LOST, .peer = peer,
		.reason = SWBLOCK_REASON_REPLACED,
	};

	net_taken(w, conn, n->id);
	if (n->state != NODE_UP || n->core.config.member_count <= peer ||
	    peer == n->core.self) {
		net_close(w, conn, n->id);
		return;
	}
	if (n->link[peer]) {
		wire_close(w, n, peer);
		node_post(w, n, &gone);
	}
	n->link[peer] = conn;
	node_post(w, n, &ev);
	wire_receive(w, n);
}

void node_link_lost(struct world *w, struct node *n, u32 conn, u32 reason)
{
	struct swb_event ev = { .type = SWB_EV_LINK_LOST, .reason = reason };

	for (u8 p = 0; p < w->shape.nodes; p++) {
		if (n->link[p] != conn || n->state != NODE_UP)
			continue;
		ev.peer = p;
		wire_close(w, n, p);
		node_post(w, n, &ev);
		return;
	}
}

/* ---- in --------------------------------------------------------------- */

struct incoming {
	struct swb_frame f;
	const u8 *body;
	const u8 *payload;
	u8 peer;
};

static void take_facts(struct world *w, struct node *n, struct incoming *in)
{
	static struct swb_facts facts;
	struct swb_event ev = {
		.type = in->f.type == SWB_WIRE_OPEN ? SWB_EV_PEER_OPENED :
						      SWB_EV_PEER_FACTS,
		.peer = in->peer, .session = in->f.session,
		.epoch = in->f.epoch, .u.facts = &facts,
	};

	if (!swb_codec_facts_decode(in->body, in->f.body_bytes, &facts)) {
		if (!w->node[in->peer].rotten)
			sim_violation(w, 133, "n%u: facts of n%u do not decode",
				      n->id, in->peer);
		fail_link(w, n, in->peer, SWBLOCK_REASON_BAD_LENGTH);
		return;
	}
	if (w->broken == BREAK_C_FROM_OPEN &&
	    in->f.type == SWB_WIRE_OPEN &&
	    in->f.committed > n->core.log.committed) {
		n->core.log.committed = in->f.committed;
		n->back_limit = in->f.committed;
	}
	node_post(w, n, &ev);
}

static void take_header(struct world *w, struct node *n, struct incoming *in)
{
	struct swb_event ev = {
		.type = SWB_EV_PEER_PINGED, .peer = in->peer,
		.session = in->f.session, .epoch = in->f.epoch,
		.u.ping = { in->f.committed, in->f.flush_lsn, 0,
			    in->f.everywhere },
	};

	if (in->f.type == SWB_WIRE_PING)
		ev.u.ping.next = in->f.a[0];
	node_post(w, n, &ev);
}

/* Every record of the frame decodes and has its checksum. */
static bool records_ok(const struct node *n, const struct incoming *in,
		       struct wrec *out, u32 *reason)
{
	const struct swb_disk_rec *rec = (const void *)in->body;
	u32 at = 0;

	for (u32 i = 0; i < in->f.nrec; i++) {
		struct swb_rec r;

		*reason = SWBLOCK_REASON_BAD_RECORD;
		if (!swb_codec_rec_decode(&rec[i], n->core.d.extent_bytes,
					  n->core.d.block_bytes, &r))
			return false;
		out[i] = (struct wrec){ .sector = r.sector, .crc = r.crc,
			.len_bytes = r.len_bytes, .type = r.type };
		if (r.type != SWB_REC_WRITE)
			continue;
		if (at + r.len_bytes > in->f.payload_bytes)
			return false;
		*reason = SWBLOCK_REASON_BAD_PAYLOAD_CRC;
		if (swb_crc32c(0, in->payload + at, r.len_bytes) != r.crc)
			return false;
		memcpy(&out[i].wid, in->payload + at, sizeof(out[i].wid));
		at += r.len_bytes;
	}
	return true;
}

static void store_records(struct world *w, struct node *n,
			  const struct incoming *in, const struct wrec *rec)
{
	const u8 *p = in->payload;

	for (u32 i = 0; i < in->f.nrec; i++) {
		struct ref_rec *q = ref_find(&w->ref, in->f.a[1],
					     in->f.a[0] + i);

		if (q)
			q->received |= 1u << n->id;
		wal_append(w, n, in->f.a[1], in->f.a[0] + i, &rec[i], p);
		if (rec[i].type == SWB_REC_WRITE)
			p += rec[i].len_bytes;
	}
}

static void take_data(struct world *w, struct node *n, struct incoming *in)
{
	static struct wrec rec[SWB_GROUP_RECS_MAX];
	u32 reason;

	if (!records_ok(n, in, rec, &reason)) {
		fail_link(w, n, in->peer, reason);
		return;
	}
	reason = swb_core_check_data(&n->core, in->peer, in->f.session,
				     in->f.epoch, in->f.a[0], in->f.nrec,
				     in->f.a[1]);
	check_data_in(w, n, &in->f, reason);
	if (reason == SWBLOCK_REASON_STALE_SESSION ||
	    reason == SWBLOCK_REASON_STALE_EPOCH) {
		n->refused[reason]++;
		return;
	}
	if (reason) {
		fail_link(w, n, in->peer, reason);
		return;
	}
	swb_core_received(&n->core, in->peer, node_now(w, n), in->f.nrec,
			  in->f.a[1], rec[0].type == SWB_REC_OPEN);
	store_records(w, n, in, rec);
	take_header(w, n, in);
	if (n->link[in->peer])
		wire_ack(w, n, in->peer);
}

static u32 base_block(const struct node *n, const struct incoming *in,
		      struct base_frame *f)
{
	struct swb_rec r;

	if (!swb_codec_rec_decode((const void *)in->body,
				  n->core.d.extent_bytes,
				  n->core.d.block_bytes, &r) ||
	    r.type == SWB_REC_OPEN || r.len_bytes > sizeof(f->buf) ||
	    in->f.payload_bytes != (r.type == SWB_REC_WRITE ? r.len_bytes : 0))
		return SWBLOCK_REASON_BAD_RECORD;
	memset(f->buf, 0, sizeof(f->buf));
	if (r.type == SWB_REC_WRITE) {
		if (swb_crc32c(0, in->payload, r.len_bytes) != r.crc)
			return SWBLOCK_REASON_BAD_PAYLOAD_CRC;
		memcpy(f->buf, in->payload, r.len_bytes);
	}
	f->block = (u32)r.sector;
	f->len_bytes = r.len_bytes;
	return SWBLOCK_REASON_NONE;
}

static void take_base(struct world *w, struct node *n, struct incoming *in)
{
	static struct base_frame f;
	struct swb_event ev = {
		.type = SWB_EV_PEER_BASE_ENDED, .peer = in->peer,
		.session = in->f.session, .epoch = in->f.epoch,
		.lsn = in->f.a[1], .lsn2 = in->f.a[2],
	};
	u32 reason = swb_core_check_base(&n->core, in->peer, in->f.session,
					 in->f.epoch, in->f.a[0], in->f.a[1],
					 in->f.a[2]);

	if (reason == SWBLOCK_REASON_STALE_SESSION ||
	    reason == SWBLOCK_REASON_STALE_EPOCH) {
		n->refused[reason]++;
		return;
	}
	f = (struct base_frame){ .peer = in->peer, .session = in->f.session,
		.epoch = in->f.epoch, .hi_epoch = in->f.a[0],
		.hi_lsn = in->f.a[1], .before = in->f.a[2] };
	if (!reason && in->f.type == SWB_WIRE_BASE)
		reason = base_block(n, in, &f);
	if (reason) {
		fail_link(w, n, in->peer, reason);
		return;
	}
	take_header(w, n, in);
	if (in->f.type == SWB_WIRE_BASE_END)
		node_post(w, n, &ev);
	else
		base_take(w, n, &f);
}

static void take(struct world *w, struct node *n, struct incoming *in)
{
	struct swb_event ev = { .peer = in->peer, .session = in->f.session,
				.epoch = in->f.epoch };

	switch ((enum swb_wire_type)in->f.type) {
	case SWB_WIRE_OPEN:
	case SWB_WIRE_FACTS:
		take_facts(w, n, in);
		break;
	case SWB_WIRE_START:
		ev.type = SWB_EV_PEER_STARTED;
		ev.u.start.from = in->f.a[0];
		ev.u.start.truncate_to = in->f.a[1];
		ev.u.start.target = in->f.a[2];
		ev.u.start.kind = in->f.a[3];
		node_post(w, n, &ev);
		break;
	case SWB_WIRE_DATA:
		take_data(w, n, in);
		break;
	case SWB_WIRE_ACK:
		ev.type = SWB_EV_PEER_ACKED;
		ev.u.ack.received = in->f.a[0];
		ev.u.ack.written = in->f.a[1];
		ev.u.ack.durable = in->f.a[2];
		ev.u.ack.base = in->f.a[3];
		ev.u.ack.extent_bytes = in->f.flush_lsn;
		node_post(w, n, &ev);
		break;
	case SWB_WIRE_PING:
		take_header(w, n, in);
		break;
	case SWB_WIRE_CLOSE:
		ev.type = SWB_EV_PEER_CLOSED;
		ev.reason = (u32)in->f.a[0];
		ev.epoch = in->f.a[1];
		node_post(w, n, &ev);
		break;
	case SWB_WIRE_BASE:
	case SWB_WIRE_BASE_END:
		take_base(w, n, in);
		break;
	case SWB_WIRE_READ:
		lend_asked(w, n, in->peer, &in->f);
		break;
	case SWB_WIRE_READ_DATA:
		lend_answered(w, n, in->peer, &in->f, in->body);
		break;
	case SWB_WIRE_VERIFY:
	case SWB_WIRE_VERIFY_SUM:
		fail_link(w, n, in->peer, SWBLOCK_REASON_BAD_TYPE);
		break;
	}
}

static u8 linked_peer(const struct world *w, const struct node *n, u32 conn)
{
	for (u8 p = 0; p < w->shape.nodes; p++)
		if (n->link[p] == conn)
			return p;
	return SIM_NOBODY;
}

/* False: not now, the frame stays at the head of the queue. */
static bool ready_for(const struct node *n, const struct frame *f)
{
	const struct swb_wire_header *h = (const void *)f->data;

	u16 type = le16_to_cpu(h->type);

	if (n->cutting || n->prepare)
		return false;
	if (type == SWB_WIRE_BASE || type == SWB_WIRE_BASE_END)
		return !n->base.busy;
	return type != SWB_WIRE_DATA ||
	       wal_room(n, le16_to_cpu(h->nrec), le32_to_cpu(h->payload_bytes),
			false);
}

static void handle(struct world *w, struct node *n, const struct frame *f)
{
	struct incoming in = { .body = f->data + sizeof(struct swb_wire_header) };
	u32 reason = swb_codec_frame_decode((const void *)f->data, &in.f);

	in.peer = linked_peer(w, n, f->conn);
	in.payload = in.body + in.f.body_bytes;
	if (!reason && swb_crc32c(0, in.body, in.f.body_bytes) != in.f.body_crc)
		reason = SWBLOCK_REASON_BAD_BODY_CRC;
	if (reason)
		fail_link(w, n, in.peer, reason);
	else
		take(w, n, &in);
}

static void receive_again(struct world *w, struct task *t)
{
	w->node[t->node].rx_soon = false;
	wire_receive(w, &w->node[t->node]);
}

/*
 * The ring is full: C on the header must be heard all the same. It is what
 * allows the write-back that makes room, and every later frame waits behind
 * this one.
 */
static void hear_header(struct world *w, struct node *n, struct frame *f)
{
	struct incoming in = { .peer = linked_peer(w, n, f->conn) };

	if (f->heard || n->cutting || n->prepare ||
	    swb_codec_frame_decode((const void *)f->data, &in.f))
		return;
	f->heard = true;
	take_header(w, n, &in);
}

/* One pass over the queue; true if a frame was taken out of it. */
static bool receive_one(struct world *w, struct node *n)
{
	struct frame **at = &n->rx;
	u32 stalled = 0;

	while (*at) {
		struct frame *f = *at;
		bool linked = linked_peer(w, n, f->conn) != SIM_NOBODY;

		if (!linked && !net_waits(w, f->conn, n->id)) {
			*at = f->next;		/* of a link that is gone */
			free(f);
			continue;
		}
		if (linked && f->conn != stalled && ready_for(n, f)) {
			*at = f->next;
			n->rx_end = &n->rx;
			while (*n->rx_end)
				n->rx_end = &(*n->rx_end)->next;
			handle(w, n, f);
			free(f);
			return true;
		}
		if (linked && f->conn != stalled) {
			stalled = f->conn;
			if (!n->cutting && !n->prepare && !n->base.busy)
				store_want_room(w, n);
			if (w->broken != BREAK_DEAF)
				hear_header(w, n, f);
			if (linked_peer(w, n, f->conn) == SIM_NOBODY)
				continue;
		}
		at = &f->next;
	}
	n->rx_end = at;
	return false;
}

void wire_receive(struct world *w, struct node *n)
{
	while (n->rx && n->state == NODE_UP && receive_one(w, n))
		;
	if (n->rx && n->state == NODE_UP && !n->rx_soon) {
		n->rx_soon = true;
		world_later(w, n->id, SIM_MSEC, receive_again, 0, 0);
	}
}

void node_frame_in(struct world *w, struct node *n, struct frame *f)
{
	if (n->state != NODE_UP) {
		free(f);
		return;
	}
	f->next = NULL;
	*n->rx_end = f;
	n->rx_end = &f->next;
	wire_receive(w, n);
}
