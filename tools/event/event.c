// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which events are enabled in a state, what each of them touches, and what it
 * does. Two events that touch nothing in common commute: the hands of a member
 * touch that member and the tail of its queues; a frame is taken from the head
 * of one. The store is one thing, the clock touches everybody.
 */
#include <string.h>

#include "model.h"

struct choices {
	u32 n;
	struct ev_choice *c;
};

static void add(struct choices *o, u8 kind, u8 node, u8 a, u8 mask)
{
	if (o->n == EV_CHOICES)
		ev_bound("enabled events");
	o->c[o->n++] = (struct ev_choice){ kind, node, a, mask };
}

static void disk_events(struct ev_world *w, u8 n, struct choices *o)
{
	const struct ev_exec *x = &w->exec[n];
	u8 me = (u8)(1u << n);

	for (u8 g = 0; g < x->groups; g++)
		if (!x->group[g].done)
			add(o, EV_K_WRITTEN, n, g, me);
	if (x->flushing)
		add(o, EV_K_FLUSHED, n, 0, me);
	if (x->saving)
		add(o, EV_K_SAVED, n, 0, me);
	if (x->cutting && !x->groups)
		add(o, EV_K_CUT, n, 0, me);
	if (x->back)
		add(o, EV_K_BACK, n, 0, me);
	if (x->closing)
		add(o, EV_K_CLOSED, n, 0, me);
	if (x->tick_due)
		add(o, EV_K_TICK, n, 0, me);
	for (u8 p = 0; p < w->script->nodes; p++)
		if (p != n && ev_can_ship(w, n, p))
			add(o, EV_K_SHIP, n, p, me);
}

static void conn_events(struct ev_world *w, u8 i, struct choices *o)
{
	const struct ev_conn *c = &w->conn[i];

	for (u8 end = 0; c->used && end < 2; end++) {
		u8 n = c->node[end], me = (u8)(1u << n);

		if (c->state[end] == EV_END_NEW &&
		    w->core[n].config.member_count)
			add(o, EV_K_ATTACH, n, i, me);
		if (c->state[end] != EV_END_UP)
			continue;
		if (c->count[end] && !w->exec[n].cutting)
			add(o, EV_K_RECV, n, i, me);
		if (c->cut || (c->state[!end] == EV_END_GONE && !c->count[end]))
			add(o, EV_K_LOST, n, i, me);
	}
}

static u8 step_mask(const struct ev_world *w, const struct ev_step *s)
{
	switch ((enum ev_do)s->what) {
	case EV_DO_WRITE:
	case EV_DO_BARRIER:
	case EV_DO_CHECKPOINT:
	case EV_DO_FAIL:
		return (u8)(1u << s->node);
	case EV_DO_EXPIRE:
		return (u8)(1u << w->op[s->op].node);
	case EV_DO_WAIT:
		/* looks at any member's state */
	case EV_DO_CUT:
	case EV_DO_TIME:
	case EV_DO_CRASH:
		return EV_MASK_ALL;
	case EV_DO_LINK:
	case EV_DO_UNLINK:
	case EV_DO_ADOPT:
	case EV_DO_ASSIGN:
	case EV_DO_FENCE:
	case EV_DO_GRANT:
	case EV_DO_RECERTIFY:
	case EV_DO_DEMOTE:
	case EV_DO_RENEW:
	case EV_DO_FORCE:
		return EV_MASK_CONTROL;
	}
	return EV_MASK_ALL;
}

u32 ev_enabled(struct ev_world *w, struct ev_choice *out)
{
	const struct ev_script *s = w->script;
	struct choices o = { 0, out };

	for (u8 n = 0; n < s->nodes; n++)
		disk_events(w, n, &o);
	for (u8 i = 0; i < w->control.conns; i++)
		conn_events(w, i, &o);
	for (u8 i = 0; i < w->control.orders; i++)
		if (ev_order_ready(w, &w->control.order[i]))
			add(&o, EV_K_ORDER, w->control.order[i].node, i,
			    (u8)(1u << w->control.order[i].node));
	for (u8 i = 0; i < w->control.attempts; i++)
		for (u8 n = 0; n < s->nodes; n++)
			if (w->control.attempt[i].flight & 1u << n)
				add(&o, EV_K_REPORT, n, i, EV_MASK_CONTROL);
	for (u8 i = 0; i < EV_OPS; i++)
		if (w->op[i].state == EV_OP_PARKED &&
		    swb_core_admit(&w->core[w->op[i].node], w->now_ns) !=
			    SWB_ADMIT_PARK)
			add(&o, EV_K_ADMIT, w->op[i].node, i,
			    (u8)(1u << w->op[i].node));
	for (u8 p = 0; p < s->procs; p++)
		if (w->pc[p] < s->proc[p].steps &&
		    ev_step_ready(w, &s->proc[p].step[w->pc[p]]))
			add(&o, EV_K_STEP, 0, p,
			    step_mask(w, &s->proc[p].step[w->pc[p]]));
	return o.n;
}

/* ---- steps of the script ----------------------------------------------------------- */

static bool between(const struct ev_conn *c, u8 a, u8 b)
{
	return c->used && (c->node[0] == a || c->node[1] == a) &&
	       (c->node[0] == b || c->node[1] == b);
}

static bool waited_for(const struct ev_world *w, const struct ev_step *s)
{
	const struct swb_core *c = &w->core[s->node];

	switch (s->value) {
	case 'o':
		return w->op[s->op].state == EV_OP_DONE ||
		       w->op[s->op].state == EV_OP_FAILED;
	case 'p':
		return c->role == SWBLOCK_ROLE_PRIMARY;
	case 's':
		return c->peer[s->peer].state == SWBLOCK_PEER_IN_SYNC;
	case 'd':
		for (u8 i = 0; i < w->control.conns; i++)
			if (between(&w->conn[i], s->node, s->peer))
				return false;
		return true;
	}
	return true;
}

static u8 attempt_of(const struct ev_world *w, u8 want)
{
	for (u8 i = w->control.attempts; i > 0; i--)
		if (w->control.attempt[i - 1].want == want)
			return (u8)(i - 1);
	return EV_NOBODY;
}

bool ev_step_ready(struct ev_world *w, const struct ev_step *s)
{
	u8 a;

	switch ((enum ev_do)s->what) {
	case EV_DO_GRANT:
		a = attempt_of(w, s->node);
		return a != EV_NOBODY && ev_can_grant(w, a);
	case EV_DO_FORCE:	/* a controller that judges nothing but the swap */
		a = attempt_of(w, s->node);
		return a != EV_NOBODY && !w->control.attempt[a].granted &&
		       w->control.won == w->control.attempt[a].epoch;
	case EV_DO_RENEW:
		return w->control.granted && w->control.won == w->control.granted;
	case EV_DO_EXPIRE:
		return w->op[s->op].state != EV_OP_NONE;
	case EV_DO_WAIT:
		return waited_for(w, s);
	case EV_DO_WRITE:
	case EV_DO_BARRIER:
	case EV_DO_LINK:
	case EV_DO_CUT:
	case EV_DO_UNLINK:
	case EV_DO_ADOPT:
	case EV_DO_ASSIGN:
	case EV_DO_FENCE:
	case EV_DO_RECERTIFY:
	case EV_DO_DEMOTE:
	case EV_DO_TIME:
	case EV_DO_CHECKPOINT:
	case EV_DO_FAIL:
	case EV_DO_CRASH:
		break;
	}
	return true;
}

static void issue(struct ev_world *w, const struct ev_step *s)
{
	struct ev_op *op = &w->op[s->op];

	op->node = s->node;
	op->barrier = s->what == EV_DO_BARRIER;
	ev_admit(w, s->op);
}

/* the client's patience ends: the core is not asked (I-136, I-139) */
static void expire(struct ev_world *w, const struct ev_step *s)
{
	struct ev_op *op = &w->op[s->op];

	if (op->state == EV_OP_PARKED || op->state == EV_OP_WAITING) {
		op->state = EV_OP_FAILED;
		ev_say(w, op->node, "deadline of %s", w->script->op_name[s->op]);
	}
}

static void cut_all(struct ev_world *w, u8 a, u8 b)
{
	for (u8 i = 0; i < w->control.conns; i++)
		if (between(&w->conn[i], a, b))
			w->conn[i].cut = 1;
}

static void recertify(struct ev_world *w, u8 node)
{
	for (u8 i = w->control.attempts; i > 0; i--)
		if (w->control.attempt[i - 1].granted &&
		    w->control.attempt[i - 1].candidate == node) {
			ev_order_add(w, (struct ev_order){
				.type = EV_ORDER_CERT, .node = node,
				.epoch = w->control.attempt[i - 1].epoch,
				.lease_end = w->control.lease_end,
				.attempt = (u8)(i - 1) });
			return;
		}
}

static void pass_time(struct ev_world *w, u32 ms)
{
	w->now_ns += ms * EV_MSEC;
	for (u8 i = 0; i < w->script->nodes; i++)
		w->exec[i].tick_due = 1;
	w->dirty = EV_MASK_ALL;
}

static void order_step(struct ev_world *w, const struct ev_step *s)
{
	struct ev_order o = { .node = s->node, .peer = s->peer,
			      .epoch = s->value, .raw = 1 };

	switch ((enum ev_do)s->what) {
	case EV_DO_ADOPT:
		o.type = EV_ORDER_ADOPT;
		break;
	case EV_DO_ASSIGN:
		o.type = EV_ORDER_ASSIGN;
		for (u8 i = 0; i < w->control.attempts; i++)
			if (w->control.attempt[i].epoch == s->value)
				o.attempt = i;
		break;
	case EV_DO_UNLINK:
		o.type = EV_ORDER_UNLINK;
		break;
	case EV_DO_DEMOTE:
		o.type = EV_ORDER_DEMOTE;
		break;
	case EV_DO_RENEW:
		o.type = EV_ORDER_LEASE;
		o.epoch = w->control.granted;
		o.node = w->control.primary;
		o.lease_end = w->now_ns + w->script->lease_ms * EV_MSEC;
		w->control.lease_end = o.lease_end;
		break;
	case EV_DO_WRITE: case EV_DO_BARRIER: case EV_DO_EXPIRE:
	case EV_DO_LINK: case EV_DO_CUT: case EV_DO_FENCE: case EV_DO_GRANT:
	case EV_DO_RECERTIFY: case EV_DO_TIME: case EV_DO_CHECKPOINT:
	case EV_DO_FAIL: case EV_DO_CRASH: case EV_DO_WAIT: case EV_DO_FORCE:
		return;
	}
	ev_order_add(w, o);
}

void ev_step_run(struct ev_world *w, const struct ev_step *s)
{
	struct swb_event failed = { .type = SWB_EV_DISK_FAILED };

	switch ((enum ev_do)s->what) {
	case EV_DO_WRITE:
	case EV_DO_BARRIER:
		issue(w, s);
		break;
	case EV_DO_EXPIRE:
		expire(w, s);
		break;
	case EV_DO_LINK:
		ev_link(w, s->node, s->peer);
		break;
	case EV_DO_CUT:
		cut_all(w, s->node, s->peer);
		break;
	case EV_DO_FENCE:
		ev_fence(w, s->node);
		break;
	case EV_DO_GRANT:
	case EV_DO_FORCE:
		ev_grant(w, attempt_of(w, s->node), s->value);
		break;
	case EV_DO_RECERTIFY:
		recertify(w, s->node);
		break;
	case EV_DO_TIME:
		pass_time(w, s->ms);
		break;
	case EV_DO_CHECKPOINT:
		ev_checkpoint(w, s->node, s->value);
		break;
	case EV_DO_FAIL:
		ev_post(w, s->node, &failed);
		break;
	case EV_DO_CRASH:
		ev_crash(w, s->node);
		break;
	case EV_DO_ADOPT:
	case EV_DO_ASSIGN:
	case EV_DO_UNLINK:
	case EV_DO_DEMOTE:
	case EV_DO_RENEW:
		order_step(w, s);
		break;
	case EV_DO_WAIT:
		break;
	}
}

/* ---- events -------------------------------------------------------------------------- */

static void tick(struct ev_world *w, u8 node)
{
	struct swb_event ev = { .type = SWB_EV_TICK };

	w->exec[node].tick_due = 0;
	ev_post(w, node, &ev);
}

void ev_take(struct ev_world *w, const struct ev_choice *c)
{
	const struct ev_proc *p;

	ev_say_choice(w, c);
	switch ((enum ev_kind)c->kind) {
	case EV_K_WRITTEN:
		ev_written(w, c->node, c->a);
		break;
	case EV_K_FLUSHED:
		ev_flushed(w, c->node);
		break;
	case EV_K_SAVED:
		ev_saved(w, c->node);
		break;
	case EV_K_CUT:
		ev_cut_done(w, c->node);
		break;
	case EV_K_BACK:
		ev_back_done(w, c->node);
		break;
	case EV_K_RECV:
		ev_receive(w, c->node, c->a);
		break;
	case EV_K_SHIP:
		ev_ship(w, c->node, c->a);
		break;
	case EV_K_ATTACH:
		ev_attach(w, c->node, c->a);
		break;
	case EV_K_LOST:
		ev_lost(w, c->node, c->a);
		break;
	case EV_K_ORDER:
		ev_order_deliver(w, c->a);
		break;
	case EV_K_REPORT:
		ev_report_arrives(w, c->a, c->node);
		break;
	case EV_K_ADMIT:
		ev_admit(w, c->a);
		break;
	case EV_K_CLOSED:
		ev_last_closed(w, c->node);
		break;
	case EV_K_TICK:
		tick(w, c->node);
		break;
	case EV_K_STEP:
		p = &w->script->proc[c->a];
		ev_step_run(w, &p->step[w->pc[c->a]++]);
		break;
	}
	ev_check_state(w);
}

void ev_settle(struct ev_world *w)
{
	struct ev_choice c[EV_CHOICES];

	while (!w->violation) {
		u32 n = ev_enabled(w, c), best = n;

		for (u32 i = 0; i < n; i++)
			if (c[i].kind < EV_K_STEP &&
			    (best == n || c[i].kind < c[best].kind))
				best = i;
		if (best == n)
			return;
		ev_take(w, &c[best]);
	}
}
