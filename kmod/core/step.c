// SPDX-License-Identifier: GPL-2.0-only
/*
 * The step: one switch from facts to their handlers, then the consequences.
 * Thin on purpose. The caller's lock covers it; see core.h for what else the
 * caller owes.
 */
#include "step.h"

/*
 * The most a step can say: each peer at most CLOSE, CLOSE_LINK or OPEN/START and
 * SHIP, a flush request, an order to its base lane, and NOTIFY_PEER twice; beside
 * that less than 16 orders about the member itself.
 */
static_assert(SWB_MEMBERS_MAX * 7 + 16 <= SWB_ACTIONS_MAX);

struct swb_action *swb_act(struct swb_actions *out, enum swb_action_type type)
{
	struct swb_action *a;

	swb_assert(out->count < SWB_ACTIONS_MAX);
	if (out->count == SWB_ACTIONS_MAX)
		out->count--;
	a = &out->act[out->count++];
	memset(a, 0, sizeof(*a));
	a->type = type;
	a->peer = SWB_NOBODY;
	return a;
}

void swb_act_value(struct swb_actions *out, enum swb_action_type type, u64 a)
{
	swb_act(out, type)->a = a;
}

void swb_act_peer(struct swb_core *c, struct swb_actions *out,
		  enum swb_action_type type, u8 peer, u64 a)
{
	struct swb_action *act = swb_act(out, type);

	act->peer = peer;
	act->a = a;
	if (swb_session_is_peer(c, peer) && type >= SWB_ACT_SEND_OPEN &&
	    type <= SWB_ACT_SEND_CLOSE)
		c->peer[peer].said_ns = c->now_ns;
}

void swb_act_refused(struct swb_core *c, struct swb_actions *out, u64 cookie,
		     u8 letter, u32 reason)
{
	struct swb_action *act = swb_act(out, SWB_ACT_NOTIFY_REFUSED);

	act->a = cookie;
	act->b = letter;
	act->c = SWBLOCK_TABLE_PROMOTE;
	c->refused[reason]++;				/* I-037 */
}

void swb_core_init(struct swb_core *c, const struct swb_durable *d,
		   const struct swb_recovered *r, u64 seed)
{
	u64 known = min_t(u64, d->committed, r->head);

	memset(c, 0, sizeof(*c));
	c->d = *d;
	c->d.lineage = r->lineage;
	c->d.committed = max_t(u64, min_t(u64, d->extent_hi, r->head), known);
	c->log.start = r->start;
	c->log.head = r->head;
	c->log.written = r->head;
	c->log.durable = r->head;			/* P17b, I-221 */
	c->log.committed = c->d.committed;
	c->log.last_epoch = r->last_epoch;
	c->self = SWB_NOBODY;
	c->primary = SWB_NOBODY;
	c->role = SWBLOCK_ROLE_NONE;
	c->io = SWB_IO_REFUSED;
	c->conditions = SWBLOCK_COND_NO_ROLE;
	if (d->flags & SWB_SUPER_DISK_FAILED)
		c->conditions |= SWBLOCK_COND_DISK_FAILED;
	if (d->flags & SWB_SUPER_INCONSISTENT)
		c->conditions |= SWBLOCK_COND_INCONSISTENT;
	c->extent_saved = d->extent_bytes;
	c->next_session = seed ? seed : 1;
	c->local_letter = r->letter;
	c->reported_epoch = d->epoch;
	c->reported_committed = c->d.committed;
	c->reported_durable = r->head;
	c->reported_last_epoch = r->last_epoch;
	c->tune.link_deadline_ns = 10000 * SWB_NSEC_PER_MSEC;
	c->tune.ping_interval_ns = 1000 * SWB_NSEC_PER_MSEC;
	c->tune.flush_interval_ns = 100 * SWB_NSEC_PER_MSEC;
}

/* The count is the caller's; somebody may have opened it since this fact was left. */
static void last_closed(struct swb_core *c)
{
	if (!c->openers)
		c->stale_openers = false;
}

/* facts about links, and what came by them */
static void step_link(struct swb_core *c, const struct swb_event *ev,
		      struct swb_actions *out)
{
	switch (ev->type) {
	case SWB_EV_LINKED:
		swb_session_linked(c, ev, out);
		break;
	case SWB_EV_UNLINK_ORDERED:
		swb_session_unlink(c, ev, out);
		break;
	case SWB_EV_LINK_LOST:
		swb_session_lost(c, ev, out);
		break;
	case SWB_EV_PEER_OPENED:
		swb_session_opened(c, ev, out);
		break;
	case SWB_EV_PEER_FACTS:
		swb_session_facts(c, ev, out);
		break;
	case SWB_EV_PEER_STARTED:
		swb_session_started(c, ev, out);
		break;
	case SWB_EV_PEER_ACKED:
		swb_progress_acked(c, ev, out);
		break;
	case SWB_EV_PEER_PINGED:
		swb_progress_pinged(c, ev, out);
		break;
	case SWB_EV_PEER_CLOSED:
		swb_session_closed(c, ev, out);
		break;
	case SWB_EV_ADOPT_ORDERED:
	case SWB_EV_ASSIGNED:
	case SWB_EV_CERTIFIED:
	case SWB_EV_DEMOTE_ORDERED:
	case SWB_EV_LEASE_SET:
	case SWB_EV_LOG_WRITTEN:
	case SWB_EV_LOG_FLUSHED:
	case SWB_EV_LOG_TRUNCATED:
	case SWB_EV_SUPER_SAVED:
	case SWB_EV_CHECKPOINTED:
	case SWB_EV_BARRIER_WANTED:
	case SWB_EV_DISK_FAILED:
	case SWB_EV_LAST_CLOSED:
	case SWB_EV_SUSPEND_ORDERED:
	case SWB_EV_EXTENT_GROWN:
	case SWB_EV_TICK:
	case SWB_EV_REBUILD_ORDERED:
	case SWB_EV_REBUILD_PREPARED:
	case SWB_EV_BASE_SENT:
	case SWB_EV_PEER_BASE_ENDED:
	case SWB_EV_REBUILD_CLEARED:
	case SWB_EV_COUNT:
		break;
	}
}

/* facts about a copy of blocks */
static void step_rebuild(struct swb_core *c, const struct swb_event *ev,
			 struct swb_actions *out)
{
	if (ev->type == SWB_EV_REBUILD_ORDERED)
		swb_copy_ordered(c, ev, out);
	else if (ev->type == SWB_EV_REBUILD_PREPARED)
		swb_copy_prepared(c, out);
	else if (ev->type == SWB_EV_BASE_SENT)
		swb_copy_base_sent(c, ev);
	else if (ev->type == SWB_EV_PEER_BASE_ENDED)
		swb_copy_base_ended(c, ev, out);
	else if (ev->type == SWB_EV_REBUILD_CLEARED)
		swb_copy_cleared(c, out);
}

static void step_fact(struct swb_core *c, const struct swb_event *ev,
		      struct swb_actions *out)
{
	switch (ev->type) {
	case SWB_EV_ADOPT_ORDERED:
		swb_epoch_adopt(c, ev, out);
		break;
	case SWB_EV_ASSIGNED:
		swb_epoch_assign(c, ev, out);
		break;
	case SWB_EV_CERTIFIED:
		swb_epoch_certify(c, ev, out);
		break;
	case SWB_EV_DEMOTE_ORDERED:
		swb_epoch_demote(c, ev, out);
		break;
	case SWB_EV_LEASE_SET:
		swb_epoch_lease_set(c, ev, out);
		break;
	case SWB_EV_LOG_WRITTEN:
		swb_progress_written(c, ev, out);
		break;
	case SWB_EV_LOG_FLUSHED:
		swb_progress_flushed(c, ev, out);
		break;
	case SWB_EV_LOG_TRUNCATED:
		swb_session_truncated(c, ev, out);
		break;
	case SWB_EV_SUPER_SAVED:
		swb_epoch_super_saved(c, out);
		swb_admin_super_saved(c, out);
		break;
	case SWB_EV_CHECKPOINTED:
		swb_progress_checkpointed(c, ev, out);
		break;
	case SWB_EV_BARRIER_WANTED:
		swb_progress_barrier(c, ev, out);
		break;
	case SWB_EV_DISK_FAILED:
		swb_epoch_disk_failed(c, out);
		break;
	case SWB_EV_LAST_CLOSED:
		last_closed(c);
		break;
	case SWB_EV_SUSPEND_ORDERED:
		swb_admin_suspend(c, ev, out);
		break;
	case SWB_EV_EXTENT_GROWN:
		swb_admin_grown(c, ev, out);
		break;
	case SWB_EV_TICK:
		swb_progress_tick(c, ev, out);
		break;
	case SWB_EV_LINKED:
	case SWB_EV_UNLINK_ORDERED:
	case SWB_EV_LINK_LOST:
	case SWB_EV_PEER_OPENED:
	case SWB_EV_PEER_FACTS:
	case SWB_EV_PEER_STARTED:
	case SWB_EV_PEER_ACKED:
	case SWB_EV_PEER_PINGED:
	case SWB_EV_PEER_CLOSED:
		step_link(c, ev, out);
		break;
	case SWB_EV_REBUILD_ORDERED:
	case SWB_EV_REBUILD_PREPARED:
	case SWB_EV_BASE_SENT:
	case SWB_EV_PEER_BASE_ENDED:
	case SWB_EV_REBUILD_CLEARED:
		step_rebuild(c, ev, out);
		break;
	case SWB_EV_COUNT:
		break;
	}
}

void swb_core_step(struct swb_core *c, const struct swb_event *ev,
		   struct swb_actions *out)
{
	out->count = 0;
	c->now_ns = ev->now_ns;
	swb_epoch_lease_check(c, out);	/* before the fact is looked at: P13 */
	step_fact(c, ev, out);
	swb_progress_commit(c, out);
	swb_progress_conditions(c, out);
}
