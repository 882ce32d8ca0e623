// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sender. V1: one boolean, degraded, with no way back. V1.5: six states, a
 * question on reconnection, and a scan of the log that knows nothing of what is
 * written meanwhile.
 */
#include "older.h"

#define SCAN_DATA	(SIM_BLOCKS_MAX * SIM_BLOCK)

static void resume(struct lab *l, struct older *m, u8 peer, int starter);

static struct lab_op *op_at(struct lab *l, int i)
{
	return i >= 0 ? &l->op[i] : NULL;
}

/* One answer less to wait for. */
static void answered(struct lab *l, struct older *m, u8 peer, struct lab_op *op, bool good)
{
	if (!(op->wait & (1u << peer)))
		return;
	op->wait &= ~(1u << peer);
	if (good)
		op->good |= 1u << peer;
	old_barrier_progress(l, m, op);
}

static void hang_up(struct lab *l, struct older *m, struct ship *s)
{
	if (s->data)
		net_close(&l->w, s->data, m->id);
	if (s->ctrl)
		net_close(&l->w, s->ctrl, m->id);
	s->data = 0;
	s->ctrl = 0;
	s->broken = false;
	s->stalled_ns = 0;
	s->attempt++;
}

static void leave(struct lab *l, struct older *m, u8 peer, enum ship_state state)
{
	struct ship *s = &m->ship[peer];

	lab_trace(l, m->id, "sender for n%u: %s", peer,
		  state == SHIP_DEGRADED ? "degraded" : "needs rebuild");
	hang_up(l, m, s);
	s->state = (u8)state;
	s->starter = -1;
	for (u32 i = l->first_open; i < l->ops; i++)
		if (l->op[i].barrier && l->op[i].node == m->id &&
		    l->op[i].state == OP_WAITING)
			answered(l, m, peer, &l->op[i], false);
}

static void degrade(struct lab *l, struct older *m, u8 peer)
{
	leave(l, m, peer, SHIP_DEGRADED);
}

/* A receiver is reached at the address last assigned, or not at all. */
static bool dial(struct lab *l, struct older *m, u8 peer, u32 *conn)
{
	struct older *r = old_member(l, peer);

	if (*conn)
		return true;
	if (!r->up || m->ship[peer].address != r->address)
		return false;
	*conn = net_connect(&l->w, m->id, peer);
	return *conn;
}

void ship_set(struct lab *l, struct older *m, u8 peer, u32 address, bool seeded)
{
	struct ship *s = &m->ship[peer];

	if (s->exists)
		leave(l, m, peer, SHIP_DEGRADED);
	*s = (struct ship){ .exists = true, .state = SHIP_DISCONNECTED,
			    .address = address, .cursor = m->next_lsn, .starter = -1,
			    .attempt = s->attempt + 1,
			    .contact_ns = l->w.clock.now_ns,
			    .progress = old_policy(l)->durable_progress && seeded };
}

void ship_drop(struct lab *l, struct older *m, u8 peer)
{
	if (!m->ship[peer].exists)
		return;
	leave(l, m, peer, SHIP_DEGRADED);
	m->ship[peer].exists = false;
}

/* ---- live records --------------------------------------------------------------- */

static void send_record(struct lab *l, struct older *m, u8 peer, const struct old_rec *r)
{
	static u8 data[SCAN_DATA];
	struct old_frame f = { .type = OLD_RECORD, .epoch = m->epoch, .lsn = r->lsn,
			       .lsn2 = r->epoch, .block = r->block,
			       .blocks = r->blocks };

	for (u32 b = 0; b < r->blocks; b++)
		ref_fill(data + b * SIM_BLOCK, r->wid, r->block + b);
	old_send(l, m->id, m->ship[peer].data, &f, data, r->blocks * SIM_BLOCK);
}

static bool takes_live(struct lab *l, const struct ship *s)
{
	if (!old_policy(l)->retries)
		return s->state != SHIP_DEGRADED;
	return s->state == SHIP_DISCONNECTED || s->state == SHIP_IN_SYNC;
}

void ship_live(struct lab *l, struct older *m, u8 peer)
{
	struct ship *s = &m->ship[peer];
	u64 now = l->w.clock.now_ns;

	if (!s->exists)
		return;
	if (!takes_live(l, s)) {
		/* dropped without a word, and called a success */
		s->cursor = m->next_lsn;
		return;
	}
	for (; s->cursor < m->next_lsn; s->cursor++) {
		struct old_rec *r = old_find(m, s->cursor);

		if (r && r->epoch != m->epoch)
			continue;
		if (!r || s->broken || !dial(l, m, peer, &s->data)) {
			degrade(l, m, peer);
			s->cursor = m->next_lsn;
			return;
		}
		if (!net_room(&l->w, s->data, m->id)) {
			if (!s->stalled_ns)
				s->stalled_ns = now;
			return;
		}
		s->stalled_ns = 0;
		if (m->raced && old_find(m, s->cursor + 1)) {
			/* two writers: the later LSN is on the wire first */
			send_record(l, m, peer, old_find(m, s->cursor + 1));
			send_record(l, m, peer, r);
			s->cursor++;
			continue;
		}
		send_record(l, m, peer, r);
	}
}

/* ---- barriers --------------------------------------------------------------------- */

static void send_barrier(struct lab *l, struct older *m, u8 peer, struct lab_op *op)
{
	struct ship *s = &m->ship[peer];
	struct old_frame f = { .type = OLD_BARRIER, .epoch = m->epoch,
			       .lsn = op->lsn, .id = (u32)(op - l->op) };

	ship_live(l, m, peer);
	if (!(op->wait & (1u << peer)))
		return;
	if (s->broken || !dial(l, m, peer, &s->ctrl)) {
		degrade(l, m, peer);
		return;
	}
	op->deadline_ns = l->w.clock.now_ns + OLD_BARRIER_NS;
	old_send(l, m->id, s->ctrl, &f, NULL, 0);
}

void ship_barrier(struct lab *l, struct older *m, u8 peer, struct lab_op *op)
{
	struct ship *s = &m->ship[peer];
	const struct policy *p = old_policy(l);

	op->deadline_ns = l->w.clock.now_ns + OLD_CATCH_UP_NS + 2 * OLD_BARRIER_NS;
	switch ((enum ship_state)s->state) {
	case SHIP_IN_SYNC:
		send_barrier(l, m, peer, op);
		return;
	case SHIP_DEGRADED:
		if (!p->retries) {
			answered(l, m, peer, op, false);
			return;
		}
		break;
	case SHIP_DISCONNECTED:
		if (!p->retries) {
			send_barrier(l, m, peer, op);
			return;
		}
		break;
	case SHIP_CONNECTING:
	case SHIP_CATCHING_UP:
	case SHIP_NEEDS_REBUILD:
		answered(l, m, peer, op, false);
		return;
	}
	if (p->can_catch_up(s->progress, s->address)) {
		resume(l, m, peer, (int)(op - l->op));
		return;
	}
	if (s->state == SHIP_DEGRADED)
		hang_up(l, m, s);
	s->state = SHIP_DISCONNECTED;
	send_barrier(l, m, peer, op);
}

/* ---- the way back of V1.5 ------------------------------------------------------------ */

static void resume(struct lab *l, struct older *m, u8 peer, int starter)
{
	struct ship *s = &m->ship[peer];
	struct old_frame f = { .type = OLD_RESUME, .epoch = m->epoch,
			       .lsn = old_head(m), .lsn2 = m->checkpoint + 1 };

	hang_up(l, m, s);
	s->state = SHIP_CONNECTING;
	s->starter = starter;
	s->deadline_ns = l->w.clock.now_ns + OLD_BARRIER_NS;
	if (!dial(l, m, peer, &s->data)) {
		degrade(l, m, peer);
		return;
	}
	old_send(l, m->id, s->data, &f, NULL, 0);
}

static void resumed(struct lab *l, struct older *m, u8 peer)
{
	struct ship *s = &m->ship[peer];
	struct lab_op *op = op_at(l, s->starter);

	s->state = SHIP_IN_SYNC;
	s->starter = -1;
	s->cursor = m->next_lsn;
	if (op && op->state == OP_WAITING && (op->wait & (1u << peer)))
		send_barrier(l, m, peer, op);
}

static void scan_failed(struct lab *l, struct older *m, u8 peer)
{
	struct ship *s = &m->ship[peer];
	u32 failures = ++s->failures;

	leave(l, m, peer, old_policy(l)->converges(failures) ? SHIP_DEGRADED :
	      SHIP_NEEDS_REBUILD);
}

static void scan_ended(struct world *w, struct task *t)
{
	struct lab *l = lab_of(w);
	struct older *m = old_member(l, t->node);
	struct ship *s = &m->ship[t->a];

	if (s->state == SHIP_CATCHING_UP && s->attempt == t->b)
		resumed(l, m, (u8)t->a);
}

/*
 * The end of the scan is where the next record is not found; a slot used again,
 * or a bad checksum, looks the same and is taken for success.
 */
static void scan_step(struct world *w, struct task *t)
{
	static u8 data[SCAN_DATA];
	struct lab *l = lab_of(w);
	struct older *m = old_member(l, t->node);
	u8 peer = (u8)t->a;
	struct ship *s = &m->ship[peer];
	struct old_frame done = { .type = OLD_CATCH_UP_DONE, .epoch = m->epoch };
	struct old_rec r;

	if (s->state != SHIP_CATCHING_UP || s->attempt != t->b)
		return;
	if (w->clock.now_ns > s->deadline_ns) {
		scan_failed(l, m, peer);
		return;
	}
	if (!net_room(w, s->data, m->id)) {
		lab_later(l, m->id, m->replay_ns, scan_step, peer, s->attempt);
		return;
	}
	if (!old_read_at(m, s->scan_pos, false, &r, data) || r.lsn != s->scan) {
		done.lsn = old_head(m);
		old_send(l, m->id, s->data, &done, NULL, 0);
		lab_later(l, m->id, m->replay_ns, scan_ended, peer, s->attempt);
		return;
	}
	old_kind(l)->work.replayed++;
	send_record(l, m, peer, &r);
	s->scan++;
	s->scan_pos = old_next_pos(r.pos, r.blocks);
	lab_later(l, m->id, m->replay_ns, scan_step, peer, s->attempt);
}

/* LSNs are all that is compared: histories that differ below R look equal. */
static void replied(struct lab *l, struct older *m, u8 peer, const struct old_frame *f)
{
	struct ship *s = &m->ship[peer];
	struct old_rec *next;

	if (s->state != SHIP_CONNECTING)
		return;
	lab_trace(l, m->id, "n%u says R=%llu, H=%llu, S=%llu%s", peer,
		  (unsigned long long)f->lsn, (unsigned long long)old_head(m),
		  (unsigned long long)m->checkpoint + 1,
		  f->good ? "" : ", another epoch");
	if (!f->good || f->lsn > old_head(m)) {
		leave(l, m, peer, SHIP_NEEDS_REBUILD);
		return;
	}
	s->progress = true;
	if (f->lsn == old_head(m)) {
		resumed(l, m, peer);
		return;
	}
	next = old_find(m, f->lsn + 1);
	if (!old_policy(l)->recoverable(f->lsn + 1, m->checkpoint + 1) || !next) {
		leave(l, m, peer, SHIP_NEEDS_REBUILD);
		return;
	}
	s->state = SHIP_CATCHING_UP;
	s->scan = f->lsn + 1;
	s->scan_pos = next->pos;
	s->deadline_ns = l->w.clock.now_ns + OLD_CATCH_UP_NS;
	lab_later(l, m->id, m->replay_ns, scan_step, peer, s->attempt);
}

static void barrier_done(struct lab *l, struct older *m, u8 peer, const struct old_frame *f)
{
	struct ship *s = &m->ship[peer];
	struct lab_op *op = &l->op[f->id];
	bool good = f->good;

	if (!(op->wait & (1u << peer)) || op->node != m->id)
		return;
	if (good && old_policy(l)->durable_progress) {
		good = f->lsn >= op->lsn;
		s->contact_ns = l->w.clock.now_ns;
		s->failures = 0;
		if (f->lsn > s->flushed)
			s->flushed = f->lsn;
		s->progress |= s->flushed > 0;
	}
	if (!good) {
		degrade(l, m, peer);
		return;
	}
	if (s->state == SHIP_DISCONNECTED)
		s->state = SHIP_IN_SYNC;
	answered(l, m, peer, op, true);
}

void ship_frame(struct lab *l, struct older *m, u8 peer, const struct old_frame *f)
{
	if (f->type == OLD_RESUME_REPLY)
		replied(l, m, peer, f);
	else if (f->type == OLD_BARRIER_DONE && f->id < l->ops)
		barrier_done(l, m, peer, f);
}

/* An idle sender notices nothing: the error waits for the next use. */
void ship_lost(struct lab *l, struct older *m, u8 peer, u32 conn)
{
	struct ship *s = &m->ship[peer];
	bool waiting = false;

	if (!s->exists || (conn != s->data && conn != s->ctrl))
		return;
	for (u32 i = l->first_open; i < l->ops; i++)
		if (l->op[i].barrier && l->op[i].node == m->id &&
		    l->op[i].state == OP_WAITING && (l->op[i].wait & (1u << peer)))
			waiting = true;
	if (s->state == SHIP_CATCHING_UP)
		scan_failed(l, m, peer);
	else if (waiting || s->state == SHIP_CONNECTING)
		degrade(l, m, peer);
	else
		s->broken = true;
}

void ship_tick(struct lab *l, struct older *m, u8 peer)
{
	struct ship *s = &m->ship[peer];
	u64 now = l->w.clock.now_ns;

	if (!s->exists)
		return;
	ship_live(l, m, peer);
	if (s->stalled_ns && now - s->stalled_ns > OLD_SOCKET_NS)
		degrade(l, m, peer);
	if (s->state == SHIP_CONNECTING && now > s->deadline_ns)
		degrade(l, m, peer);
	for (u32 i = l->first_open; i < l->ops; i++) {
		struct lab_op *op = &l->op[i];

		if (op->barrier && op->node == m->id && op->state == OP_WAITING &&
		    (op->wait & (1u << peer)) && now > op->deadline_ns &&
		    s->state != SHIP_CONNECTING && s->state != SHIP_CATCHING_UP)
			degrade(l, m, peer);
	}
	if (old_policy(l)->background && s->state == SHIP_DEGRADED && s->progress &&
	    now >= m->retry_ns) {
		m->retry_ns = now + OLD_RETRY_NS;
		resume(l, m, peer, -1);
	}
}
