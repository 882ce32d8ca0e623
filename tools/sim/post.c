// SPDX-License-Identifier: GPL-2.0-only
/*
 * The only caller of swb_core_step(): an event goes in, its orders are carried
 * out completely and in order before the next one. Orders that take time are
 * started here; their end is a later event.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "story.h"
#include "cover.h"
#include "world.h"

static void op_end(struct world *w, struct op *op, enum op_state state)
{
	op->state = (u8)state;
	op->resp_ns = w->clock.now_ns;
	sim_trace(w, op->node, "%s %llu (lsn %llu) %s",
		  op->barrier ? "barrier" : "write",
		  (unsigned long long)op->id, (unsigned long long)op->lsn,
		  state == OP_DONE ? "done" : "failed");
}

static void complete(struct world *w, struct node *n, bool barriers, u64 lsn)
{
	for (u32 i = 0; i < w->ops; i++) {
		struct op *op = w->op[i];

		if (op->node != n->id || op->state != OP_WAITING ||
		    op->barrier != barriers || op->lsn > lsn)
			continue;
		if (barriers) {
			check_barrier_done(w, n, op);
			w->barriers_done++;
		} else {
			check_write_done(w, n, op);
			if (op->lsn > n->done_lsn)
				n->done_lsn = op->lsn;
		}
		op_end(w, op, OP_DONE);
	}
}

static void last_closed(struct world *w, struct task *t)
{
	struct node *n = &w->node[t->node];
	struct swb_event ev = { .type = SWB_EV_LAST_CLOSED };

	n->core.openers = 0;
	node_post(w, n, &ev);
	if (node_is_primary(n))
		n->core.openers = 1;
}

static void fail_io(struct world *w, struct node *n)
{
	bool any = n->core.openers > 0;

	for (u32 i = 0; i < w->ops; i++) {
		struct op *op = w->op[i];

		if (op->node == n->id &&
		    (op->state == OP_WAITING || op->state == OP_PARKED))
			op_end(w, op, OP_FAILED);
	}
	if (any)
		world_later(w, n->id, rng_below(&w->rng, 40 * SIM_MSEC),
			    last_closed, 0, 0);
}

static void set_role(struct world *w, struct node *n, u8 role)
{
	check_role_set(w, n, role);
	n->done_lsn = 0;
	if (role == SWBLOCK_ROLE_PRIMARY && n->core.openers == 0)
		n->core.openers = 1;
}

static void append_open(struct world *w, struct node *n, u64 epoch, u64 lsn)
{
	struct wrec rec = { .type = SWB_REC_OPEN };

	check_opening(w, n, epoch, lsn);
	wal_append(w, n, epoch, lsn, &rec, NULL);
}

static void act(struct world *w, struct node *n, const struct swb_action *a)
{
	switch (a->type) {
	case SWB_ACT_SAVE_SUPER:
		store_save(w, n, SUPER_CORE);
		break;
	case SWB_ACT_FLUSH_LOG:
		wal_flush(w, n);
		break;
	case SWB_ACT_APPEND_OPEN:
		append_open(w, n, a->a, a->b);
		break;
	case SWB_ACT_TRUNCATE:
		wal_cut(w, n, a->a);
		break;
	case SWB_ACT_SEND_OPEN:
	case SWB_ACT_SEND_FACTS:
	case SWB_ACT_SEND_START:
	case SWB_ACT_SEND_PING:
	case SWB_ACT_SEND_CLOSE:
		wire_send(w, n, a);
		break;
	case SWB_ACT_SEND_ACK:
		wire_ack(w, n, a->peer);
		break;
	case SWB_ACT_SHIP:
		wire_ship(w, n, a->peer);
		break;
	case SWB_ACT_CLOSE_LINK:
		wire_close(w, n, a->peer);
		break;
	case SWB_ACT_COMPLETE_WRITES:
		complete(w, n, false, a->a);
		break;
	case SWB_ACT_COMPLETE_BARRIERS:
		complete(w, n, true, a->a);
		break;
	case SWB_ACT_FAIL_IO:
		fail_io(w, n);
		break;
	case SWB_ACT_HOLD_IO:
		n->io_parked = true;
		break;
	case SWB_ACT_RESUME_IO:
		n->io_parked = false;
		node_admit_parked(w, n);
		break;
	case SWB_ACT_SET_ROLE:
		set_role(w, n, (u8)a->a);
		break;
	case SWB_ACT_SET_SIZE:	/* clients keep to the first size */
		break;
	case SWB_ACT_WRITE_BACK:
		store_write_back(w, n);
		break;
	case SWB_ACT_NOTIFY_REPORT:
		control_report(w, n, a->a);
		break;
	case SWB_ACT_NOTIFY_ROLE:
		control_role(w, n, a->a);
		break;
	case SWB_ACT_NOTIFY_REFUSED:
		control_refused(w, n, a->a, (u8)a->b, (u8)a->c);
		break;
	case SWB_ACT_NOTIFY_STEP_DOWN:
		control_step_down(w, n, a->a);
		break;
	case SWB_ACT_NOTIFY_PEER:
	case SWB_ACT_NOTIFY_CONDITIONS:
		break;
	case SWB_ACT_REBUILD_PREPARE:
		base_prepare(w, n);
		break;
	case SWB_ACT_BASE_START:
		base_start(w, n, a);
		break;
	case SWB_ACT_BASE_STOP:
		base_stop(n, a->peer);
		break;
	case SWB_ACT_REBUILD_CLEAR:
		base_clear(w, n);
		break;
	case SWB_ACT_COUNT:
		swb_assert(false);
		break;
	}
}

void node_post(struct world *w, struct node *n, struct swb_event *ev)
{
	static struct swb_core before;
	struct swb_actions out;

	swb_assert(n->state == NODE_UP);
	ev->now_ns = node_now(w, n);
	trace_event(w, n, ev);
	before = n->core;
	w->steps++;
	swb_core_step(&n->core, ev, &out);
	story_step(w, n, &before, ev, &out);
	check_step(w, n, &before, ev, &out);
	cover_step(n, &before, ev, &out);
	ambush_step(w, n, before.rebuild);
	for (u32 i = 0; i < out.count; i++) {
		trace_action(w, n, &out.act[i]);
		act(w, n, &out.act[i]);
	}
}
