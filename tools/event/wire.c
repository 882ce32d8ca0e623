// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connections: frames of one direction stay in order, everything else is open.
 * What the module does in link.c, ship.c and apply.c, without bytes.
 */
#include <string.h>

#include "model.h"
#include "../../kmod/format/wire.h"

u8 ev_end_of(const struct ev_conn *c, u8 node)
{
	return c->node[1] == node;
}

void ev_link(struct ev_world *w, u8 a, u8 b)
{
	struct ev_conn *c = &w->conn[w->control.conns];

	if (w->control.conns == EV_CONNS)
		ev_bound("connections");
	w->control.conns++;
	c->used = 1;
	c->node[0] = a;
	c->node[1] = b;
}

/* ---- out ------------------------------------------------------------------------ */

static void put(struct ev_world *w, u8 node, u8 peer, const struct ev_frame *f)
{
	struct ev_conn *c;
	u8 to;

	if (!w->exec[node].conn[peer])
		return;
	ev_check_frame(w, node, peer, f);
	c = &w->conn[w->exec[node].conn[peer] - 1];
	to = !ev_end_of(c, node);
	if (c->cut || c->state[to] == EV_END_GONE)
		return;
	if (c->count[to] == EV_QUEUE)
		ev_bound("frames");
	c->q[to][c->count[to]++] = *f;
}

static struct ev_frame frame_of(struct ev_world *w, u8 node, u8 peer, u8 type)
{
	struct swb_core *c = &w->core[node];
	struct ev_frame f;

	memset(&f, 0, sizeof(f));
	f.type = type;
	f.session = (u32)c->peer[peer].session;
	f.epoch = (u8)c->d.epoch;
	if (c->role == SWBLOCK_ROLE_PRIMARY) {
		f.committed = (u8)c->log.committed;
		if (type == SWB_WIRE_DATA || type == SWB_WIRE_PING)
			f.flush = (u8)swb_core_flush_wanted(c, peer);
	}
	return f;
}

static void put_facts(struct ev_world *w, u8 node, u8 peer, struct ev_facts *o)
{
	static struct swb_facts f;

	swb_core_own_facts(&w->core[node], peer, &f);
	if (f.lineage.count > EV_LINEAGE)
		ev_bound("openings");
	*o = (struct ev_facts){
		.adopted = (u8)f.adopted, .log_end = (u8)f.log_end,
		.last_epoch = (u8)f.last_epoch, .durable = (u8)f.durable,
		.committed = (u8)f.committed, .extent_lo = (u8)f.extent_lo,
		.extent_hi = (u8)f.extent_hi, .log_start = (u8)f.log_start,
		.flags = (u8)f.flags, .from = node, .to = peer,
		.count = (u8)f.lineage.count,
	};
	for (u8 i = 0; i < o->count; i++) {
		o->e[i].epoch = (u8)f.lineage.e[i].epoch;
		o->e[i].first = (u8)f.lineage.e[i].first_lsn;
		o->e[i].flags = (u8)f.lineage.e[i].flags;
	}
}

void ev_send(struct ev_world *w, u8 node, const struct swb_action *a)
{
	struct ev_frame f = frame_of(w, node, a->peer, SWB_WIRE_PING);

	if (a->type == SWB_ACT_SEND_PING) {
		f.a[0] = (u8)swb_core_sent_next(&w->core[node], a->peer);
		put(w, node, a->peer, &f);
		return;
	}
	f.flush = 0;
	if (a->type == SWB_ACT_SEND_OPEN || a->type == SWB_ACT_SEND_FACTS) {
		f.type = a->type == SWB_ACT_SEND_OPEN ? SWB_WIRE_OPEN :
							SWB_WIRE_FACTS;
		f.session = (u32)a->a;
		put_facts(w, node, a->peer, &f.facts);
	} else if (a->type == SWB_ACT_SEND_START) {
		f.type = SWB_WIRE_START;
		f.a[0] = (u8)a->a;
		f.a[1] = (u8)a->b;
		f.a[2] = (u8)a->c;
		f.a[3] = (u8)a->d;
	} else {
		f.type = SWB_WIRE_CLOSE;
		f.a[0] = (u8)a->a;
		f.a[1] = (u8)w->core[node].d.epoch;
	}
	put(w, node, a->peer, &f);
}

void ev_ack(struct ev_world *w, u8 node, u8 peer)
{
	struct ev_frame f = frame_of(w, node, peer, SWB_WIRE_ACK);
	struct swb_ack ack;

	if (!swb_core_ack(&w->core[node], peer, &ack))
		return;
	f.session = (u32)ack.session;
	f.a[0] = (u8)ack.received;
	f.a[1] = (u8)ack.written;
	f.a[2] = (u8)ack.durable;
	put(w, node, peer, &f);
}

bool ev_can_ship(const struct ev_world *w, u8 node, u8 peer)
{
	u64 session;

	return w->exec[node].conn[peer] &&
	       swb_core_ship_from(&w->core[node], peer, &session);
}

/* The one feeder of a peer: records of one epoch, as many as there are. */
void ev_ship(struct ev_world *w, u8 node, u8 peer)
{
	struct swb_core *c = &w->core[node];
	struct ev_frame f = frame_of(w, node, peer, SWB_WIRE_DATA);
	u64 session, from = swb_core_ship_from(c, peer, &session);
	u8 n = 0, epoch;

	w->dirty |= 1u << node;
	if (!from)
		return;
	if (from < c->log.start)
		ev_violation(w, 53, "n%u: record %u for n%u is gone", node,
			     (u8)from, peer);
	epoch = w->exec[node].rec[from];
	while (from + n <= c->log.head && w->exec[node].rec[from + n] == epoch)
		n++;
	f.session = (u32)session;
	f.nrec = n;
	f.a[0] = (u8)from;
	f.a[1] = epoch;
	swb_core_shipped(c, peer, session, from + n, w->now_ns);
	ev_say(w, node, "ships %llu..%llu to n%u", (unsigned long long)from,
	       (unsigned long long)(from + n - 1), peer);
	ev_check_shipped(w, node, peer, &f);
	put(w, node, peer, &f);
}

/* ---- ends ------------------------------------------------------------------------- */

void ev_close(struct ev_world *w, u8 node, u8 peer)
{
	u8 i = w->exec[node].conn[peer];
	struct ev_conn *c;
	u8 end;

	w->exec[node].conn[peer] = 0;
	w->dirty |= 1u << node;
	if (!i)
		return;
	c = &w->conn[i - 1];
	end = ev_end_of(c, node);
	c->state[end] = EV_END_GONE;
	c->count[end] = 0;
	memset(c->q[end], 0, sizeof(c->q[end]));
	if (c->state[!end] == EV_END_GONE)
		memset(c, 0, sizeof(*c));
}

/* This end gives the link up; the core hears of it, the peer by a CLOSE. */
static void refuse(struct ev_world *w, u8 node, u8 peer, u32 reason)
{
	struct swb_event ev = { .type = SWB_EV_LINK_LOST, .peer = peer,
				.reason = reason };
	struct ev_frame f = frame_of(w, node, peer, SWB_WIRE_CLOSE);

	f.a[0] = (u8)reason;
	f.a[1] = (u8)w->core[node].d.epoch;
	put(w, node, peer, &f);
	ev_close(w, node, peer);
	ev_post(w, node, &ev);
}

void ev_attach(struct ev_world *w, u8 node, u8 conn)
{
	struct ev_conn *c = &w->conn[conn];
	u8 end = ev_end_of(c, node), peer = c->node[!end];
	struct swb_event ev = { .type = SWB_EV_LINKED, .peer = peer };
	struct swb_event gone = { .type = SWB_EV_LINK_LOST, .peer = peer,
				  .reason = SWBLOCK_REASON_REPLACED };

	if (w->exec[node].conn[peer]) {
		ev_close(w, node, peer);
		ev_post(w, node, &gone);
	}
	c->state[end] = EV_END_UP;
	w->exec[node].conn[peer] = (u8)(conn + 1);
	ev_post(w, node, &ev);
}

void ev_lost(struct ev_world *w, u8 node, u8 conn)
{
	struct ev_conn *c = &w->conn[conn];
	struct swb_event ev = {
		.type = SWB_EV_LINK_LOST, .peer = c->node[!ev_end_of(c, node)],
		.reason = c->cut ? SWBLOCK_REASON_SOCKET_ERROR :
				   SWBLOCK_REASON_PEER_CLOSED,
	};

	ev_close(w, node, ev.peer);
	ev_post(w, node, &ev);
}

/* ---- in ----------------------------------------------------------------------------- */

static void take_facts(struct ev_world *w, u8 node, u8 peer,
		       const struct ev_frame *f)
{
	static struct swb_facts facts;
	struct swb_event ev = {
		.type = f->type == SWB_WIRE_OPEN ? SWB_EV_PEER_OPENED :
						   SWB_EV_PEER_FACTS,
		.peer = peer, .session = f->session, .epoch = f->epoch,
		.u.facts = &facts,
	};
	const struct ev_facts *o = &f->facts;

	memset(&facts, 0, sizeof(facts));
	facts.volume = ev_uuid('v', 0);
	facts.replica = ev_uuid('r', o->from);
	facts.peer = ev_uuid('r', o->to);
	if (o->adopted) {
		facts.store = ev_uuid('s', 0);
		facts.store_generation = 1;
	}
	facts.adopted = o->adopted;
	facts.log_end = o->log_end;
	facts.last_epoch = o->last_epoch;
	facts.durable = o->durable;
	facts.committed = o->committed;
	facts.extent_lo = o->extent_lo;
	facts.extent_hi = o->extent_hi;
	facts.log_start = o->log_start;
	facts.extent_bytes = 1 << 30;
	facts.block_bytes = 4096;
	facts.flags = o->flags;
	for (u8 i = 0; i < o->count; i++)
		swb_lineage_open(&facts.lineage, o->e[i].epoch, o->e[i].first,
				 o->e[i].flags);
	ev_post(w, node, &ev);
}

static void take_header(struct ev_world *w, u8 node, u8 peer,
			const struct ev_frame *f)
{
	struct swb_event ev = {
		.type = SWB_EV_PEER_PINGED, .peer = peer, .session = f->session,
		.epoch = f->epoch, .u.ping = { f->committed, f->flush, 0 },
	};

	if (f->type == SWB_WIRE_PING)
		ev.u.ping.next = f->a[0];
	ev_post(w, node, &ev);
}

static void take_data(struct ev_world *w, u8 node, u8 peer,
		      const struct ev_frame *f)
{
	struct swb_core *c = &w->core[node];
	u32 reason = swb_core_check_data(c, peer, f->session, f->epoch, f->a[0],
					 f->nrec, f->a[1]);

	ev_say(w, node, "> data %u..%u of epoch %u from n%u: %s", f->a[0],
	       f->a[0] + f->nrec - 1, f->a[1], peer, swb_text_reason(reason));
	if (reason == SWBLOCK_REASON_STALE_SESSION ||
	    reason == SWBLOCK_REASON_STALE_EPOCH)
		return;
	if (reason) {
		refuse(w, node, peer, reason);
		return;
	}
	ev_check_data(w, node, f);
	swb_core_received(c, peer, w->now_ns, f->nrec, f->a[1],
			  w->truth.first[f->a[1]] == f->a[0]);
	ev_append(w, node, f->a[1], f->a[0], f->nrec);
	take_header(w, node, peer, f);
	if (w->exec[node].conn[peer])
		ev_ack(w, node, peer);
}

void ev_receive(struct ev_world *w, u8 node, u8 conn)
{
	struct ev_conn *c = &w->conn[conn];
	u8 end = ev_end_of(c, node), peer = c->node[!end];
	struct ev_frame f = c->q[end][0];
	struct swb_event ev = { .peer = peer, .session = f.session,
				.epoch = f.epoch };

	w->dirty |= 1u << node;
	c->count[end]--;
	memmove(c->q[end], c->q[end] + 1, c->count[end] * sizeof(f));
	memset(&c->q[end][c->count[end]], 0, sizeof(f));
	switch ((enum swb_wire_type)f.type) {
	case SWB_WIRE_OPEN:
	case SWB_WIRE_FACTS:
		take_facts(w, node, peer, &f);
		break;
	case SWB_WIRE_START:
		ev.type = SWB_EV_PEER_STARTED;
		ev.u.start.from = f.a[0];
		ev.u.start.truncate_to = f.a[1];
		ev.u.start.target = f.a[2];
		ev_post(w, node, &ev);
		break;
	case SWB_WIRE_DATA:
		take_data(w, node, peer, &f);
		break;
	case SWB_WIRE_ACK:
		ev.type = SWB_EV_PEER_ACKED;
		ev.u.ack.received = f.a[0];
		ev.u.ack.written = f.a[1];
		ev.u.ack.durable = f.a[2];
		ev_post(w, node, &ev);
		break;
	case SWB_WIRE_PING:
		take_header(w, node, peer, &f);
		break;
	case SWB_WIRE_BASE:		/* no plan orders a rebuild here */
	case SWB_WIRE_BASE_END:
	case SWB_WIRE_VERIFY:
	case SWB_WIRE_VERIFY_SUM:
	case SWB_WIRE_READ:
	case SWB_WIRE_READ_DATA:
		break;
	case SWB_WIRE_CLOSE:
		ev.type = SWB_EV_PEER_CLOSED;
		ev.reason = f.a[0];
		ev.epoch = f.a[1];
		ev_post(w, node, &ev);
		break;
	}
}
