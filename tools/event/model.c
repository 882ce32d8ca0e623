// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hands of a member: orders of a step are carried out in order before the
 * next one; what takes time is only started, and ends by an enabled event.
 */
#include <stdlib.h>
#include <string.h>

#include "model.h"

void ev_bound(const char *what)
{
	fprintf(stderr, "eventsim: no room for more %s: the script is too large\n",
		what);
	exit(2);
}

struct swb_uuid ev_uuid(u8 kind, u8 id)
{
	struct swb_uuid u = { { kind, (u8)(id + 1) } };

	return u;
}

void ev_config(const struct ev_world *w, u8 required, struct swb_config *c)
{
	memset(c, 0, sizeof(*c));
	c->mode = w->script->mode;
	c->policy = w->script->policy;
	c->member_count = w->script->nodes;
	c->required = required;
	for (u8 i = 0; i < w->script->nodes; i++)
		c->member[i] = ev_uuid('r', i);
}

/* ---- life --------------------------------------------------------------------- */

static void core_up(struct ev_world *w, u8 node, const struct swb_durable *d,
		    u64 seed)
{
	struct ev_exec *x = &w->exec[node];
	static struct swb_recovered r;

	memset(&r, 0, sizeof(r));
	r.start = x->stable.start;
	r.head = x->medium_end;
	r.letter = 'H';
	for (u8 i = 1; i <= x->medium_end; i++)
		if (x->medium[i] != r.last_epoch) {
			r.last_epoch = x->medium[i];
			swb_lineage_open(&r.lineage, r.last_epoch, i,
					 w->truth.override[r.last_epoch] ?
					 SWB_LINEAGE_OVERRIDE : 0);
		}
	swb_core_init(&w->core[node], d, &r, seed);
	w->core[node].tune = (struct swb_tune){
		.link_deadline_ns = 400 * EV_MSEC,
		.ping_interval_ns = 80 * EV_MSEC,
		.flush_interval_ns = 25 * EV_MSEC,
	};
	w->dirty |= 1u << node;
}

void ev_world_init(struct ev_world *w, const struct ev_script *s)
{
	static struct swb_durable d;

	memset(w, 0, sizeof(*w));
	w->script = s;
	w->now_ns = 1000 * EV_MSEC;
	w->control.primary = EV_NOBODY;
	w->control.required = s->required;
	for (u8 i = 0; i < s->nodes; i++) {
		memset(&d, 0, sizeof(d));
		d.volume = ev_uuid('v', 0);
		d.replica = ev_uuid('r', i);
		d.block_bytes = 4096;
		d.extent_bytes = 1 << 30;
		d.tail_lsn = 1;
		d.incarnation = 1;
		w->exec[i].stable.start = 1;
		core_up(w, i, &d, 1000u * (i + 1u));
	}
}

/* The worst crash: of the log only what was flushed, of the superblock the save. */
void ev_crash(struct ev_world *w, u8 node)
{
	static struct swb_durable d;
	struct ev_exec old = w->exec[node], *x = &w->exec[node];

	ev_say(w, node, "CRASH");
	for (u8 i = 0; i < EV_OPS; i++)
		if (w->op[i].node == node && (w->op[i].state == EV_OP_PARKED ||
					      w->op[i].state == EV_OP_WAITING))
			w->op[i].state = EV_OP_FAILED;
	for (u8 p = 0; p < w->script->nodes; p++)
		if (x->conn[p])
			ev_close(w, node, p);
	d = w->core[node].d;
	memset(x, 0, sizeof(*x));
	memcpy(x->medium, old.medium, sizeof(x->medium));
	memcpy(x->rec, old.medium, sizeof(x->rec));
	x->medium_end = old.medium_end;
	x->stable = old.stable;
	d.epoch = x->stable.adopted;
	d.opened = x->stable.opened;
	d.extent_lo = x->stable.extent_lo;
	d.extent_hi = x->stable.extent_hi;
	d.committed = x->stable.committed;
	if (!d.epoch) {
		memset(&d.store, 0, sizeof(d.store));
		d.store_generation = 0;
	}
	core_up(w, node, &d, w->core[node].next_session + 100);
}

/* ---- log ------------------------------------------------------------------------ */

void ev_append(struct ev_world *w, u8 node, u8 epoch, u8 first, u8 n)
{
	struct ev_exec *x = &w->exec[node];

	w->dirty |= 1u << node;
	if (first + n - 1 > EV_LSNS)
		ev_bound("records");
	if (x->groups == EV_GROUPS)
		ev_bound("WAL writes");
	for (u8 i = 0; i < n; i++)
		x->rec[first + i] = epoch;
	x->group[x->groups].first = first;
	x->group[x->groups].last = (u8)(first + n - 1);
	x->group[x->groups++].done = 0;
}

void ev_written(struct ev_world *w, u8 node, u8 group)
{
	struct swb_event ev = { .type = SWB_EV_LOG_WRITTEN };
	struct ev_exec *x = &w->exec[node];
	u8 gone = 0;

	w->dirty |= 1u << node;
	x->group[group].done = 1;
	while (gone < x->groups && x->group[gone].done)
		ev.lsn = x->group[gone++].last;
	x->groups = (u8)(x->groups - gone);
	memmove(x->group, x->group + gone, x->groups * sizeof(x->group[0]));
	memset(x->group + x->groups, 0,
	       (EV_GROUPS - x->groups) * sizeof(x->group[0]));
	if (ev.lsn && !x->cutting)
		ev_post(w, node, &ev);
}

void ev_flushed(struct ev_world *w, u8 node)
{
	struct ev_exec *x = &w->exec[node];
	struct swb_event ev = {
		.type = SWB_EV_LOG_FLUSHED, .lsn = x->flush_to,
		.generation = x->flush_generation,
	};

	if (x->flush_cuts == x->cuts && x->flush_to > x->medium_end) {
		memcpy(x->medium + x->medium_end + 1, x->rec + x->medium_end + 1,
		       x->flush_to - x->medium_end);
		x->medium_end = x->flush_to;
	}
	x->flushing = 0;
	x->flush_to = 0;
	x->flush_generation = 0;
	x->flush_cuts = 0;
	ev_post(w, node, &ev);
}

/* P4: what is above the cut is dead, on the medium too, before anybody hears */
void ev_cut_done(struct ev_world *w, u8 node)
{
	struct ev_exec *x = &w->exec[node];
	struct swb_event ev = { .type = SWB_EV_LOG_TRUNCATED, .lsn = x->cut_to };

	memset(x->rec + x->cut_to + 1, 0, EV_LSNS - x->cut_to);
	if (x->medium_end > x->cut_to) {
		memset(x->medium + x->cut_to + 1, 0, EV_LSNS - x->cut_to);
		x->medium_end = x->cut_to;
	}
	x->cuts++;
	x->cutting = 0;
	x->cut_to = 0;
	ev_post(w, node, &ev);
}

/* ---- superblock ------------------------------------------------------------------ */

static struct ev_super super_now(const struct ev_world *w, u8 node)
{
	const struct swb_core *c = &w->core[node];

	return (struct ev_super){
		.adopted = (u8)c->d.epoch, .opened = (u8)c->d.opened,
		.extent_lo = (u8)c->d.extent_lo,
		.extent_hi = (u8)c->d.extent_hi,
		.committed = (u8)c->d.committed, .start = (u8)c->log.start,
	};
}

static void save(struct ev_world *w, u8 node)
{
	struct ev_exec *x = &w->exec[node];

	if (x->saving) {
		x->save_again = 1;
		return;
	}
	x->saving = 1;
	x->shot = super_now(w, node);
}

/* The fact speaks of the last order only; an earlier save is just on the medium. */
void ev_saved(struct ev_world *w, u8 node)
{
	struct swb_event ev = { .type = SWB_EV_SUPER_SAVED };
	struct ev_exec *x = &w->exec[node];

	w->dirty |= 1u << node;
	x->stable = x->shot;
	x->saving = 0;
	memset(&x->shot, 0, sizeof(x->shot));
	if (x->save_again) {
		x->save_again = 0;
		save(w, node);
		return;
	}
	ev_post(w, node, &ev);
}

/* ---- write-back ------------------------------------------------------------------- */

static void back_start(struct ev_world *w, u8 node)
{
	struct swb_core *c = &w->core[node];
	struct ev_exec *x = &w->exec[node];
	u64 limit = swb_core_writeback_limit(c);

	if (!w->script->back || x->back || x->cutting || limit <= c->d.extent_lo)
		return;
	x->back = 1;
	x->back_to = (u8)limit;
	if (limit > c->d.extent_hi)
		c->d.extent_hi = limit;		/* P9: before the first block */
	w->dirty |= 1u << node;
}

void ev_checkpoint(struct ev_world *w, u8 node, bool ignore_pins)
{
	struct swb_core *c = &w->core[node];
	struct swb_event ev = { .type = SWB_EV_CHECKPOINTED };
	u64 limit = swb_core_writeback_limit(c);

	if (limit > c->d.extent_hi)
		c->d.extent_hi = limit;
	if (limit > c->d.extent_lo)
		c->d.extent_lo = limit;
	ev.lsn = c->d.extent_lo;
	ev.lsn2 = swb_core_trim_limit(c, ignore_pins) + 1;
	w->exec[node].stable.extent_lo = (u8)ev.lsn;
	w->exec[node].stable.extent_hi = (u8)c->d.extent_hi;
	w->exec[node].stable.start = (u8)ev.lsn2;
	ev_post(w, node, &ev);
}

void ev_back_done(struct ev_world *w, u8 node)
{
	struct swb_core *c = &w->core[node];
	struct ev_exec *x = &w->exec[node];
	struct swb_event ev = { .type = SWB_EV_CHECKPOINTED };

	x->stable.extent_hi = (u8)c->d.extent_hi;
	if (swb_core_writeback_limit(c) < x->back_to)	/* P8 */
		x->back_to = (u8)swb_core_writeback_limit(c);
	if (x->back_to > c->d.extent_lo)
		c->d.extent_lo = x->back_to;
	x->stable.extent_lo = (u8)c->d.extent_lo;
	x->back = 0;
	x->back_to = 0;
	ev.lsn = c->d.extent_lo;
	ev_post(w, node, &ev);
}

/* ---- upper I/O --------------------------------------------------------------------- */

static void op_end(struct ev_world *w, struct ev_op *op, u8 state)
{
	op->state = state;
	ev_say(w, op->node, "%s %s %s (lsn %u)", op->barrier ? "barrier" : "write",
	       w->script->op_name[op - w->op],
	       state == EV_OP_DONE ? "done" : "failed", op->lsn);
}

static void complete(struct ev_world *w, u8 node, bool barriers, u64 lsn)
{
	for (u8 i = 0; i < EV_OPS; i++) {
		struct ev_op *op = &w->op[i];

		if (op->node != node || op->state != EV_OP_WAITING ||
		    op->barrier != barriers || op->lsn > lsn)
			continue;
		ev_check_done(w, node, op);
		if (barriers)
			ev_check_barrier(w, node, op);
		op_end(w, op, EV_OP_DONE);
	}
}

static void fail_io(struct ev_world *w, u8 node)
{
	for (u8 i = 0; i < EV_OPS; i++)
		if (w->op[i].node == node && (w->op[i].state == EV_OP_PARKED ||
					      w->op[i].state == EV_OP_WAITING))
			op_end(w, &w->op[i], EV_OP_FAILED);
	if (w->core[node].openers)
		w->exec[node].closing = 1;
}

void ev_last_closed(struct ev_world *w, u8 node)
{
	struct swb_event ev = { .type = SWB_EV_LAST_CLOSED };

	w->exec[node].closing = 0;
	w->core[node].openers = 0;
	ev_post(w, node, &ev);
	if (w->core[node].role == SWBLOCK_ROLE_PRIMARY)
		w->core[node].openers = 1;
}

void ev_admit(struct ev_world *w, u8 i)
{
	struct ev_op *op = &w->op[i];
	struct swb_core *c = &w->core[op->node];
	struct swb_event ev = { .type = SWB_EV_BARRIER_WANTED };

	w->dirty |= 1u << op->node;
	switch (swb_core_admit(c, w->now_ns)) {
	case SWB_ADMIT_FAIL:
		op_end(w, op, EV_OP_FAILED);
		return;
	case SWB_ADMIT_PARK:
		op->state = EV_OP_PARKED;
		return;
	case SWB_ADMIT_OK:
		break;
	}
	ev_check_admitted(w, op->node);
	op->state = EV_OP_WAITING;
	op->epoch = (u8)c->d.opened;
	if (op->barrier) {
		op->lsn = (u8)swb_core_barrier_target(c);
		for (u8 k = 0; k < EV_OPS; k++)
			if (w->op[k].node == op->node && !w->op[k].barrier &&
			    w->op[k].state == EV_OP_DONE &&
			    w->op[k].epoch == op->epoch && w->op[k].lsn > op->lsn)
				ev_violation(w, 18, "n%u: barrier target %u below completed write %u",
					     op->node, op->lsn, w->op[k].lsn);
		ev.lsn = op->lsn;
		ev_post(w, op->node, &ev);
		return;
	}
	op->lsn = (u8)swb_core_append(c, 1);
	ev_append(w, op->node, op->epoch, op->lsn, 1);
}

/* ---- the step ------------------------------------------------------------------------ */

static void append_open(struct ev_world *w, u8 node, u8 epoch, u8 lsn)
{
	ev_check_opening(w, node, epoch, lsn);
	ev_append(w, node, epoch, lsn, 1);
}

static void flush(struct ev_world *w, u8 node, const struct swb_action *a)
{
	struct ev_exec *x = &w->exec[node];

	if (x->flushing)
		ev_violation(w, 212, "n%u: two flushes under way", node);
	x->flushing = 1;
	x->flush_to = (u8)a->a;
	x->flush_generation = (u32)a->b;
	x->flush_cuts = x->cuts;
}

static void act(struct ev_world *w, u8 node, const struct swb_action *a)
{
	struct ev_exec *x = &w->exec[node];

	switch (a->type) {
	case SWB_ACT_SAVE_SUPER:
		save(w, node);
		break;
	case SWB_ACT_FLUSH_LOG:
		flush(w, node, a);
		break;
	case SWB_ACT_APPEND_OPEN:
		append_open(w, node, (u8)a->a, (u8)a->b);
		break;
	case SWB_ACT_TRUNCATE:
		x->cutting = 1;
		x->cut_to = (u8)a->a;
		break;
	case SWB_ACT_SEND_OPEN:
	case SWB_ACT_SEND_FACTS:
	case SWB_ACT_SEND_START:
	case SWB_ACT_SEND_PING:
	case SWB_ACT_SEND_CLOSE:
		ev_send(w, node, a);
		break;
	case SWB_ACT_SEND_ACK:
		ev_ack(w, node, a->peer);
		break;
	case SWB_ACT_CLOSE_LINK:
		ev_close(w, node, a->peer);
		break;
	case SWB_ACT_COMPLETE_WRITES:
		complete(w, node, false, a->a);
		break;
	case SWB_ACT_COMPLETE_BARRIERS:
		complete(w, node, true, a->a);
		break;
	case SWB_ACT_FAIL_IO:
		fail_io(w, node);
		break;
	case SWB_ACT_SET_ROLE:
		if (a->a == SWBLOCK_ROLE_PRIMARY && !w->core[node].openers)
			w->core[node].openers = 1;
		break;
	case SWB_ACT_SET_SIZE:
		break;
	case SWB_ACT_WRITE_BACK:
		back_start(w, node);
		break;
	case SWB_ACT_NOTIFY_REPORT:
		ev_check_report(w, node);
		ev_reported(w, node);
		break;
	case SWB_ACT_SHIP:		/* shipping is an event of its own */
	case SWB_ACT_HOLD_IO:		/* admission asks the core each time */
	case SWB_ACT_RESUME_IO:
	case SWB_ACT_NOTIFY_ROLE:
	case SWB_ACT_NOTIFY_REFUSED:
	case SWB_ACT_NOTIFY_PEER:
	case SWB_ACT_NOTIFY_CONDITIONS:
	case SWB_ACT_NOTIFY_STEP_DOWN:
	case SWB_ACT_REBUILD_PREPARE:	/* no plan orders a rebuild here */
	case SWB_ACT_BASE_START:
	case SWB_ACT_BASE_STOP:
	case SWB_ACT_REBUILD_CLEAR:
	case SWB_ACT_COUNT:
		break;
	}
}

void ev_post(struct ev_world *w, u8 node, struct swb_event *ev)
{
	static struct swb_core before;
	struct swb_actions out;

	w->dirty |= 1u << node;
	ev->now_ns = w->now_ns;
	ev_say_event(w, node, ev);
	before = w->core[node];
	swb_core_step(&w->core[node], ev, &out);
	ev_check_step(w, node, &before, ev, &out);
	for (u32 i = 0; i < out.count; i++) {
		ev_say_action(w, node, &out.act[i]);
		act(w, node, &out.act[i]);
	}
}

/* ---- hash ------------------------------------------------------------------------------ */

static u64 mix(u64 h, const void *p, size_t len)
{
	const u8 *b = p;

	for (; len >= 8; b += 8, len -= 8) {
		u64 v;

		memcpy(&v, b, 8);
		h = (h ^ v) * 0x9e3779b97f4a7c15ULL;
		h ^= h >> 29;
	}
	for (; len; b++, len--)
		h = (h ^ *b) * 0x100000001b3ULL;
	return h;
}

static u64 mix_lineage(u64 h, const struct swb_lineage *l)
{
	h = mix(h, &l->count, sizeof(l->count));
	h = mix(h, &l->floor_lsn, sizeof(l->floor_lsn));
	return mix(h, l->e, l->count * sizeof(l->e[0]));
}

/*
 * Everything a later step may read. Left out: identities, which never change;
 * the time of the last event, which each step sets anew; counters of refusals;
 * scratch; lineage entries that are not in use.
 */
static u64 hash_core(const struct swb_core *c)
{
	const u8 *b = (const u8 *)c;
	u64 h = 1;

	h = mix(h, &c->d.flags, sizeof(c->d.flags));
	h = mix(h, b + offsetof(struct swb_core, d.epoch),
		offsetof(struct swb_core, d.volume_label) -
		offsetof(struct swb_core, d.epoch));
	h = mix(h, c->d.store.b, 2);
	h = mix_lineage(h, &c->d.lineage);
	h = mix(h, b + offsetof(struct swb_core, log),
		offsetof(struct swb_core, now_ns) -
		offsetof(struct swb_core, log));
	h = mix(h, b + offsetof(struct swb_core, primary_facts.adopted),
		offsetof(struct swb_facts, lineage) -
		offsetof(struct swb_facts, adopted));
	return mix_lineage(h, &c->primary_facts.lineage);
}

static u64 hash_conn(u64 h, const struct ev_conn *c)
{
	h = mix(h, c, offsetof(struct ev_conn, q));
	for (u8 i = 0; i < 2; i++)
		h = mix(h, c->q[i], c->count[i] * sizeof(c->q[i][0]));
	return h;
}

u64 ev_hash(struct ev_world *w)
{
	u64 h = mix(7, &w->now_ns, sizeof(w->now_ns));

	for (u8 i = 0; i < w->script->nodes; i++) {
		if (w->dirty & 1u << i)
			w->hash[i] = mix(hash_core(&w->core[i]), &w->exec[i],
					 sizeof(w->exec[i]));
		h = mix(h, &w->hash[i], sizeof(u64));
	}
	w->dirty = 0;
	for (u8 i = 0; i < w->control.conns; i++)
		if (w->conn[i].used)
			h = hash_conn(h ^ i, &w->conn[i]);
	h = mix(h, &w->control, sizeof(w->control));
	h = mix(h, &w->truth, sizeof(w->truth));
	h = mix(h, w->op, sizeof(w->op));
	return mix(h, w->pc, sizeof(w->pc));
}
