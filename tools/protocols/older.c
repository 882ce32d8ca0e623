// SPDX-License-Identifier: GPL-2.0-only
/* Life of an older member, its clients, its timers, its frames. */
#include <stdlib.h>
#include <string.h>

#include "older.h"

#define FULL_PERCENT	90
#define LATE_NS		(50 * SIM_MSEC)

/* ---- frames -------------------------------------------------------------------- */

void old_send(struct lab *l, u8 from, u32 conn, struct old_frame *f,
	      const void *data, u32 len)
{
	static u8 buf[sizeof(*f) + SIM_BLOCKS_MAX * SIM_BLOCK];

	memcpy(buf, f, sizeof(*f));
	if (len)
		memcpy(buf + sizeof(*f), data, len);
	net_send(&l->w, conn, from, buf, (u32)sizeof(*f) + len);
}

static void frame_in(struct world *w, u8 to, struct frame *in)
{
	struct lab *l = lab_of(w);
	struct older *m = old_member(l, to);
	struct old_frame f;

	memcpy(&f, in->data, sizeof(f));
	if (m->up && f.type >= OLD_COPY_WANTED)
		copy_frame(l, m, in->conn, &f, in->data + sizeof(f));
	else if (m->up && (f.type == OLD_BARRIER_DONE || f.type == OLD_RESUME_REPLY))
		ship_frame(l, m, in->from, &f);
	else if (m->up)
		take_frame(l, m, in->conn, &f, in->data + sizeof(f));
	free(in);
}

static void link_lost(struct world *w, u8 to, u32 conn)
{
	struct lab *l = lab_of(w);
	struct older *m = old_member(l, to);

	if (!m->up)
		return;
	copy_lost(l, m, conn);
	for (u8 i = 0; i < l->nodes; i++)
		ship_lost(l, m, i, conn);
}

static const struct sim_members members = {
	.frame_in = frame_in, .link_lost = link_lost,
};

/* ---- clients --------------------------------------------------------------------- */

/* role, epoch and lease, by the clock of this server */
bool old_lease_ok(struct lab *l, const struct older *m)
{
	return m->up && m->role == OLD_PRIMARY &&
	       (!l->w.shape.lease_ns || l->w.clock.now_ns < m->lease_end_ns);
}

/* Reads ask nothing. */
bool old_serves(struct lab *l, u8 n)
{
	return old_member(l, n)->role == OLD_PRIMARY;
}

bool old_up(struct lab *l, u8 n)
{
	return old_member(l, n)->up;
}

static void mapped(struct world *w, struct task *t)
{
	struct lab *l = lab_of(w);
	struct older *m = old_member(l, t->node);
	struct old_rec *r = old_find(m, t->b);

	if (r) {
		r->mapped = true;
		r->dirty = true;
	}
	if (l->op[t->a].state == OP_WAITING)
		l->op[t->a].state = OP_DONE;
}

static void append(struct lab *l, struct older *m, struct lab_op *op)
{
	static u8 data[SIM_BLOCKS_MAX * SIM_BLOCK];
	bool late = m->late_next, race = m->race_next && !old_policy(l)->ordered_ship;

	m->late_next = false;
	m->race_next = false;
	for (u32 b = 0; b < op->blocks; b++)
		ref_fill(data + b * SIM_BLOCK, op->wid, op->block + b);
	op->lsn = m->next_lsn;
	old_append(l, m, op->lsn, m->epoch, op->block, op->blocks, data, !late);
	if (race) {
		m->raced = true;
	} else {
		for (u8 i = 0; i < l->nodes; i++)
			ship_live(l, m, i);
		m->raced = false;
	}
	if (late)
		lab_later(l, m->id, LATE_NS, mapped, (u64)(op - l->op), op->lsn);
	else
		op->state = OP_DONE;
}

static void admit_write(struct lab *l, struct older *m, struct lab_op *op)
{
	if (!old_lease_ok(l, m) || l->w.clock.now_ns > op->deadline_ns) {
		op->state = OP_FAILED;
		return;
	}
	op->state = OP_PARKED;
	if (!old_room(m, op->blocks, FULL_PERCENT))
		return;
	op->state = OP_WAITING;
	append(l, m, op);
}

/* All answers are in: count them as the mode says. */
void old_barrier_progress(struct lab *l, struct older *m, struct lab_op *op)
{
	u32 copies = 1 + (u32)__builtin_popcount(op->good);
	bool good = true;

	if (!op->local || op->wait || op->state != OP_WAITING)
		return;
	if (l->mode == SWBLOCK_MODE_SYNC_ALL)
		good = op->good == op->asked;
	if (l->mode == SWBLOCK_MODE_SYNC_QUORUM)
		good = copies >= l->nodes / 2u + 1;
	/* the lease is asked again after the flush */
	op->state = good && old_lease_ok(l, m) ? OP_DONE : OP_FAILED;
}

static void barrier_flushed(struct world *w, struct task *t)
{
	struct lab *l = lab_of(w);
	struct older *m = old_member(l, t->node);
	struct lab_op *op = &l->op[t->b];

	disk_flush_end(m->disk, t->a);
	op->local = true;
	old_barrier_progress(l, m, op);
}

static bool all_degraded(struct lab *l, const struct older *m)
{
	u32 have = 0, bad = 0;

	for (u8 i = 0; i < l->nodes; i++) {
		have += m->ship[i].exists;
		bad += m->ship[i].exists && m->ship[i].state == SHIP_DEGRADED;
	}
	return have && have == bad && !old_policy(l)->retries;
}

static void issue_barrier(struct lab *l, struct older *m, struct lab_op *op)
{
	op->lsn = old_head(m);
	if (!old_lease_ok(l, m) ||
	    (all_degraded(l, m) && l->mode != SWBLOCK_MODE_BEST_EFFORT)) {
		op->state = OP_FAILED;
		return;
	}
	for (u8 i = 0; i < l->nodes; i++)
		if (m->ship[i].exists)
			op->asked |= 1u << i;
	op->wait = op->asked;
	if (!m->head_by_flusher)
		old_save(m);
	lab_later(l, m->id, m->flush_ns, barrier_flushed, disk_flush_begin(m->disk),
		  (u64)(op - l->op));
	for (u8 i = 0; i < l->nodes; i++)
		if (op->asked & (1u << i))
			ship_barrier(l, m, i, op);
}

void old_submit(struct lab *l, struct lab_op *op)
{
	struct older *m = old_member(l, op->node);

	op->deadline_ns = l->w.clock.now_ns + OLD_FULL_NS;
	if (op->barrier)
		issue_barrier(l, m, op);
	else
		admit_write(l, m, op);
}

void old_poll(struct lab *l)
{
	(void)l;
}

/* ---- life ------------------------------------------------------------------------ */

static void tick(struct world *w, struct task *t)
{
	struct lab *l = lab_of(w);
	struct older *m = old_member(l, t->node);

	lab_later(l, m->id, OLD_TICK_NS, tick, 0, 0);
	for (u32 i = l->first_open; i < l->ops; i++)
		if (l->op[i].node == m->id && l->op[i].state == OP_PARKED)
			admit_write(l, m, &l->op[i]);
	for (u8 i = 0; i < l->nodes; i++)
		ship_tick(l, m, i);
	take_tick(l, m);
	copy_tick(l, m);
}

void old_start(struct lab *l, u8 n)
{
	struct older *m = old_member(l, n);

	m->up = true;
	m->role = OLD_NONE;
	old_recover(l, m);
	lab_later(l, n, OLD_TICK_NS, tick, 0, 0);
	lab_later(l, n, OLD_FLUSHER_NS, old_flusher, 0, 0);
	lab_later(l, n, OLD_HEARTBEAT_NS, master_heartbeat, 0, 0);
}

static void blank(struct lab *l, u8 n)
{
	struct older *m = old_member(l, n);

	memset(m, 0, sizeof(*m));
	m->id = n;
	m->disk = lab_disk(l, n);
	m->address = 1;
	m->flush_ns = SIM_MSEC;
	m->replay_ns = 100 * SIM_USEC;
	m->next_lsn = 1;
	old_save(m);
	disk_flush_end(m->disk, disk_flush_begin(m->disk));
}

void old_create(struct lab *l)
{
	struct older_kind *k = calloc(1, sizeof(*k));

	if (!k)
		abort();
	l->kind = k;
	k->policy = l->p->policy;
	l->w.members = &members;
	for (u8 i = 0; i < l->nodes; i++) {
		blank(l, i);
		old_start(l, i);
	}
	master_create(l);
}

void old_destroy(struct lab *l)
{
	free(l->kind);
	l->kind = NULL;
	l->w.members = NULL;
}

void old_crash(struct lab *l, u8 n, int fate)
{
	struct older *m = old_member(l, n);

	if (!m->up)
		return;
	m->up = false;
	m->role = OLD_NONE;
	lab_power_cut(l, n, (enum disk_fate)fate);
	for (u8 i = 0; i < OLD_MEMBERS; i++) {
		m->ship[i].exists = false;
		m->source[i].active = false;
	}
	memset(m->wait, 0, sizeof(m->wait));
	m->target.active = false;
	old_forget_log(m);
}

void old_restart(struct lab *l, u8 n, enum lab_return how)
{
	struct older *m = old_member(l, n);

	if (m->up)
		return;
	if (how == RETURN_ADDRESS)
		m->address++;
	old_start(l, n);
	master_returned(l, n, how);
}

void old_replace(struct lab *l, u8 n)
{
	u32 address = old_member(l, n)->address;

	blank(l, n);
	old_member(l, n)->address = address;
}

bool old_knob(struct lab *l, const char *name, u8 n, u64 value)
{
	struct older *m = old_member(l, n);
	struct master *a = &old_kind(l)->master;

	if (strcmp(name, "flusher") == 0)
		m->flusher_off = !value;
	else if (strcmp(name, "hold") == 0)
		m->no_hold = !value;
	else if (strcmp(name, "head-by-flusher") == 0)
		m->head_by_flusher = value;
	else if (strcmp(name, "late-map") == 0)
		m->late_next = value;
	else if (strcmp(name, "race") == 0)
		m->race_next = value;
	else if (strcmp(name, "replay") == 0)
		m->replay_ns = value * SIM_USEC;
	else if (strcmp(name, "health") == 0)
		a->health[n] = (u32)value;
	else if (strcmp(name, "order-delay") == 0)
		a->delay_ns[n] = value * SIM_MSEC;
	else if (strcmp(name, "lag-limit") == 0)
		a->lag_limit = value;
	else if (strcmp(name, "wildcard") == 0)
		a->address[n] = old_policy(l)->wildcard_resolved ? m->address : 0;
	else if (strcmp(name, "remove") == 0)
		master_remove(l, n);
	else if (strcmp(name, "reassign") == 0)
		master_refresh(l);
	else
		return false;
	return true;
}

/* ---- what is said -------------------------------------------------------------------- */

enum lab_view old_believed(struct lab *l, u8 p, u8 n)
{
	const struct ship *s = &old_member(l, p)->ship[n];

	if (!s->exists)
		return VIEW_ABSENT;
	switch ((enum ship_state)s->state) {
	case SHIP_DISCONNECTED:
		return old_policy(l)->retries ? VIEW_ABSENT : VIEW_IN_SYNC;
	case SHIP_CONNECTING:
	case SHIP_CATCHING_UP:
		return VIEW_BEHIND;
	case SHIP_IN_SYNC:
		return VIEW_IN_SYNC;
	case SHIP_DEGRADED:
		return VIEW_ABSENT;
	case SHIP_NEEDS_REBUILD:
		return VIEW_REBUILD;
	}
	return VIEW_ABSENT;
}

/* V1's servers told the master of themselves, never of each other. */
enum lab_view old_shown(struct lab *l, u8 n)
{
	u8 p = master_primary(l);
	const struct older *m = old_member(l, n);

	if (m->up && m->role == OLD_REBUILDING)
		return VIEW_BEHIND;
	if (!old_policy(l)->shows_members)
		return !m->up ? VIEW_ABSENT :
		       m->role == OLD_REPLICA ? VIEW_IN_SYNC : VIEW_BEHIND;
	return p == LAB_NOBODY ? VIEW_ABSENT : old_believed(l, p, n);
}

void old_work(struct lab *l, struct lab_work *work)
{
	*work = old_kind(l)->work;
}
