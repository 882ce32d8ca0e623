// SPDX-License-Identifier: GPL-2.0-only
/*
 * Progress: positions of the log and of the peers, C, flushes, and what follows
 * from them. Decides nothing about authority (epoch.c) or links (session.c).
 * Part of the step; the caller's lock covers it.
 *
 *	written ---- flush ----> durable ---- quorum ----> C ---> barriers,
 *	                                                     \--> write-back
 */
#include "quorum.h"
#include "step.h"

/* ---- flush ------------------------------------------------------------ */

static void flush_now(struct swb_core *c, struct swb_actions *out)
{
	struct swb_action *a = swb_act(out, SWB_ACT_FLUSH_LOG);

	a->a = c->log.written;
	a->b = c->log.generation;
	c->flushing = true;
}

/*
 * One flush is in flight at a time. It starts when what was wanted at the end
 * of the last one is written, not when the newest want is: under a stream of
 * barriers that moment would never come.
 */
void swb_progress_flush_start(struct swb_core *c, struct swb_actions *out)
{
	if (c->flushing || swb_disk_failed(c))
		return;
	if (c->adopt != SWB_ADOPT_IDLE) {
		if (c->adopt == SWB_ADOPT_FLUSHING)
			flush_now(c, out);		/* P6 */
		return;
	}
	if (c->log.barrier_want <= c->log.durable)
		return;
	if (c->flush_goal <= c->log.durable)
		c->flush_goal = c->log.barrier_want;
	if (c->log.written >= c->flush_goal)
		flush_now(c, out);
}

static void flush_background(struct swb_core *c, struct swb_actions *out)
{
	if (c->flushing || c->adopt != SWB_ADOPT_IDLE || swb_disk_failed(c) ||
	    !c->unflushed_since_ns)
		return;
	if (c->now_ns - c->unflushed_since_ns >= c->tune.flush_interval_ns)
		flush_now(c, out);
}

/*
 * The flush that time would bring, now: for what was written when a ring was found to
 * fill. If one is in flight, that which comes next. A cut lowers the goal for good.
 */
static void flush_for_room(struct swb_core *c, struct swb_actions *out)
{
	c->flush_early = min_t(u64, c->flush_early, c->log.written);
	if (c->flushing || c->adopt != SWB_ADOPT_IDLE || swb_disk_failed(c) ||
	    c->flush_early <= c->log.durable)
		return;
	flush_now(c, out);
}

static void note_unflushed(struct swb_core *c)
{
	if (c->log.written <= c->log.durable)
		c->unflushed_since_ns = 0;
	else if (!c->unflushed_since_ns)
		c->unflushed_since_ns = c->now_ns ? c->now_ns : 1;
}

static void ack_primary(struct swb_core *c, struct swb_actions *out)
{
	if (swb_is_replica(c) && swb_session_is_peer(c, c->primary) &&
	    c->peer[c->primary].matched)
		swb_act_peer(c, out, SWB_ACT_SEND_ACK, c->primary, 0);
}

void swb_progress_written(struct swb_core *c, const struct swb_event *ev,
			  struct swb_actions *out)
{
	u64 lsn = min_t(u64, ev->lsn, c->log.head);

	if (swb_disk_failed(c) || lsn <= c->log.written)
		return;					/* P17a */
	c->log.written = lsn;
	note_unflushed(c);
	swb_epoch_pump(c, out);
	ack_primary(c, out);
}

void swb_progress_flushed(struct swb_core *c, const struct swb_event *ev,
			  struct swb_actions *out)
{
	u64 lsn = min_t(u64, ev->lsn, c->log.written);

	c->flushing = false;
	if (swb_disk_failed(c))
		return;			/* no later success unlatches: P17a */
	if (ev->generation == c->log.generation &&	/* P5, I-212 */
	    lsn > c->log.durable) {
		c->log.durable = lsn;
		c->unflushed_since_ns = 0;
		ack_primary(c, out);
	}
	note_unflushed(c);
	swb_epoch_pump(c, out);
}

/* ---- C on the primary -------------------------------------------------- */

static void raise_committed(struct swb_core *c)
{
	u64 lsn;

	if (c->hold & SWBLOCK_COND_SUSPENDED_EPOCH)
		return;			/* a newer epoch exists: ambiguity 13 */
	lsn = min_t(u64, swb_quorum_committed(c), c->log.head);
	if (lsn < c->log.open_lsn)
		return;			/* inherited only with the opening: I-204 */
	if (lsn > c->log.committed)
		c->log.committed = lsn;		/* I-003 */
	if (c->log.committed > c->d.committed)
		c->d.committed = c->log.committed;
}

static void complete(struct swb_core *c, struct swb_actions *out)
{
	u64 lsn = swb_quorum_completed(c);

	if (!swb_io_completes(c))
		return;			/* P13, I-016: held, not succeeded */
	if (lsn > c->completed) {
		c->completed = lsn;
		swb_act_value(out, SWB_ACT_COMPLETE_WRITES, lsn);
	}
	/* C of older epochs was counted by another required set: I-001, I-009 */
	if (c->log.committed >= c->log.open_lsn &&
	    c->log.committed > c->barriers_done &&
	    c->log.barrier_want > c->barriers_done) {
		c->barriers_done = c->log.committed;
		swb_act_value(out, SWB_ACT_COMPLETE_BARRIERS,
			      c->log.committed);
	}
}

static void prove_in_sync(struct swb_core *c, u8 i, struct swb_actions *out)
{
	struct swb_core_peer *p = &c->peer[i];

	if (p->state != SWBLOCK_PEER_CATCHING_UP || !p->matched)
		return;
	if (c->log.committed < p->target)		/* G6, I-041 */
		return;
	/* a durable ack of an earlier session proves nothing of this one */
	if (swb_is_primary(c) && min_t(u64, p->durable, p->received) < p->target)
		return;
	if (!swb_is_primary(c) && c->log.durable < p->target)
		return;
	p->state = SWBLOCK_PEER_IN_SYNC;
	swb_act_peer(c, out, SWB_ACT_NOTIFY_PEER, i, 0);
}

static void write_back(struct swb_core *c, struct swb_actions *out)
{
	u64 limit = swb_core_writeback_limit(c);

	if (limit <= c->written_back || limit <= c->d.extent_lo)
		return;
	c->written_back = limit;
	swb_act_value(out, SWB_ACT_WRITE_BACK, limit);	/* P8 */
}

/* With records on their way the wish rides on them (swb_core_flush_wanted). */
static void ask_flush(struct swb_core *c, u8 i, struct swb_actions *out)
{
	struct swb_core_peer *p = &c->peer[i];

	if (!p->matched || !swb_peer_required(&c->config, i) ||
	    p->flush_asked >= c->log.barrier_want ||
	    p->durable >= c->log.barrier_want || p->cursor <= c->log.head)
		return;
	p->flush_asked = c->log.barrier_want;
	swb_act_peer(c, out, SWB_ACT_SEND_PING, i, p->flush_asked);
}

/*
 * A ring fills, and only C gives room: whoever C waits for is asked for a flush. Of a
 * peer no more is asked than was shipped: it gets there even if nothing else can be
 * shipped before C moves.
 */
static void want_room(struct swb_core *c, u64 lsn, struct swb_actions *out)
{
	struct swb_core_peer *p;
	u64 want;
	u8 i;

	c->flush_early = max_t(u64, c->flush_early, min_t(u64, lsn, c->log.written));
	for (i = 0; swb_is_primary(c) && i < c->config.member_count; i++) {
		p = &c->peer[i];
		if (i == c->self || !p->matched ||
		    !swb_peer_required(&c->config, i))
			continue;
		want = min_t(u64, lsn, p->cursor - 1);
		if (want <= p->durable || want <= p->flush_asked)
			continue;
		p->flush_asked = want;
		swb_act_peer(c, out, SWB_ACT_SEND_PING, i, want);
	}
}

/* The end of every step: whatever the fact was, draw its consequences. */
void swb_progress_commit(struct swb_core *c, struct swb_actions *out)
{
	u8 i;

	swb_progress_flush_start(c, out);
	flush_for_room(c, out);
	if (c->role == SWBLOCK_ROLE_NONE)
		return;
	if (swb_is_primary(c))
		raise_committed(c);
	for (i = 0; i < c->config.member_count; i++) {
		if (i == c->self)
			continue;
		if (swb_is_primary(c))
			ask_flush(c, i, out);
		prove_in_sync(c, i, out);
	}
	swb_copy_pump(c, out);
	write_back(c, out);
	if (swb_is_primary(c))
		complete(c, out);
}

/* ---- peers ------------------------------------------------------------- */

void swb_progress_acked(struct swb_core *c, const struct swb_event *ev,
			struct swb_actions *out)
{
	struct swb_core_peer *p;
	u64 received = ev->u.ack.received, written = ev->u.ack.written;
	u64 durable = ev->u.ack.durable;

	if (!swb_session_valid(c, ev))
		return;
	p = &c->peer[ev->peer];
	if (!swb_is_primary(c) || !p->matched) {
		c->refused[SWBLOCK_REASON_BAD_TYPE]++;	/* I-095 */
		return;
	}
	if (received >= p->cursor || written > received || durable > written) {
		swb_session_refuse(c, ev->peer, SWBLOCK_REASON_ACK_BEYOND, out);
		return;
	}
	if (received < p->received || written < p->written ||
	    durable < p->durable) {
		swb_session_refuse(c, ev->peer, SWBLOCK_REASON_ACK_FALLS, out);
		return;
	}
	if (received > p->received || durable > p->durable)
		p->progress_ns = c->now_ns;
	p->received = received;
	p->written = written;
	p->durable = durable;				/* I-011 */
	p->acked_ns = c->now_ns;
	p->facts.extent_bytes = max_t(u64, p->facts.extent_bytes,
				      ev->u.ack.extent_bytes);
	if (p->void_copy)
		swb_copy_acked(c, ev, out);
}

void swb_progress_pinged(struct swb_core *c, const struct swb_event *ev,
			 struct swb_actions *out)
{
	if (!swb_session_valid(c, ev))
		return;
	if (!swb_is_replica(c) || !c->peer[ev->peer].matched)
		return;			/* C counts in a matched session: P8 */
	if (ev->u.ping.next > c->log.head + 1) {	/* I-061: also at the end */
		swb_session_refuse(c, ev->peer, SWBLOCK_REASON_LSN_GAP, out);
		return;
	}
	if (ev->u.ping.committed > c->log.committed)
		c->log.committed = ev->u.ping.committed;
	c->everywhere = ev->u.ping.everywhere;		/* P11 */
	if (c->log.committed > c->d.committed)
		c->d.committed = c->log.committed;
	if (ev->u.ping.flush_lsn > c->log.barrier_want)
		c->log.barrier_want = ev->u.ping.flush_lsn;
}

void swb_progress_barrier(struct swb_core *c, const struct swb_event *ev,
			  struct swb_actions *out)
{
	u64 want = min_t(u64, ev->lsn, c->log.head);

	if (!swb_is_primary(c))
		return;
	if (want > c->log.barrier_want)
		c->log.barrier_want = want;
	/* its target may have been reached long ago */
	if (swb_io_completes(c) && c->barriers_done >= want &&
	    c->log.committed >= want)
		swb_act_value(out, SWB_ACT_COMPLETE_BARRIERS, c->log.committed);
}

void swb_progress_checkpointed(struct swb_core *c, const struct swb_event *ev,
			       struct swb_actions *out)
{
	u8 i;

	c->d.extent_lo = max_t(u64, c->d.extent_lo, ev->lsn);	/* I-105 */
	c->d.extent_hi = max_t(u64, c->d.extent_hi, c->d.extent_lo);
	c->log.start = max_t(u64, c->log.start, ev->lsn2);
	if (!swb_is_primary(c))
		return;
	for (i = 0; i < c->config.member_count; i++) {
		struct swb_core_peer *p = &c->peer[i];

		if (i == c->self || !p->matched || p->cursor >= c->log.start)
			continue;
		swb_copy_give_up(c, i, SWBLOCK_REASON_PIN_LOST, out); /* I-054 */
	}
}

/* ---- time -------------------------------------------------------------- */

static bool overdue(const struct swb_core *c, u64 since_ns)
{
	return c->tune.link_deadline_ns && c->now_ns > since_ns &&
	       c->now_ns - since_ns >= c->tune.link_deadline_ns;
}

/*
 * Has the target of a copy all that it waits for, and does not say that it is
 * done? Then BASE_END did not arrive. What it has ended by itself stays ended.
 */
static bool end_unsaid(struct swb_core *c, struct swb_core_peer *p)
{
	u64 need = max_t(u64, p->base_end, p->facts.extent_hi);

	if (!p->void_copy || !p->base_sent || p->durable < need)
		return false;
	if (c->log.committed < need)
		p->progress_ns = c->now_ns;	/* it waits for C: P10 */
	return overdue(c, p->progress_ns);
}

/* Silence, or talk without an ack while records (or START) wait for one. */
static bool peer_silent(struct swb_core *c, struct swb_core_peer *p)
{
	if (overdue(c, p->heard_ns) || end_unsaid(c, p))
		return true;
	return swb_is_primary(c) && p->matched && p->received + 1 < p->cursor &&
	       overdue(c, p->acked_ns);
}

/* Is a peer that nobody waits for behind, by its own fault? */
static bool behind(const struct swb_core_peer *p)
{
	if (p->void_copy)
		return !p->base_sent || p->durable < p->base_end;
	return p->state == SWBLOCK_PEER_CATCHING_UP &&
	       min_t(u64, p->durable, p->received) < p->target;
}

/* I-058: neither its bytes of history nor its time are without limit. */
static bool over_budget(const struct swb_core *c, u8 i, u64 budget_lsn)
{
	const struct swb_core_peer *p = &c->peer[i];
	u64 stall = c->tune.catchup_stall_ns;

	if (!swb_is_primary(c) || !p->matched ||
	    (!p->void_copy && swb_peer_required(&c->config, i)))
		return false;
	if (swb_peer_pin(p) < budget_lsn)
		return true;
	return stall && behind(p) && c->now_ns > p->progress_ns &&
	       c->now_ns - p->progress_ns >= stall;
}

static void tick_peer(struct swb_core *c, u8 i, u64 budget_lsn,
		      struct swb_actions *out)
{
	struct swb_core_peer *p = &c->peer[i];
	u64 interval = c->tune.ping_interval_ns;

	if (!p->linked)
		return;
	if (peer_silent(c, p)) {
		swb_session_end(c, i, SWBLOCK_REASON_TIMEOUT, out); /* I-045 */
		return;
	}
	if (over_budget(c, i, budget_lsn)) {
		swb_copy_give_up(c, i, SWBLOCK_REASON_BUDGET, out);
		return;
	}
	if (c->tune.link_deadline_ns)	/* the other end has a deadline, too */
		interval = min_t(u64, interval, c->tune.link_deadline_ns >> 2);
	if (!p->matched || c->now_ns < p->said_ns ||
	    c->now_ns - p->said_ns < interval)
		return;
	/* a replica that waits for ring space still says that it received */
	if (swb_is_primary(c))
		swb_act_peer(c, out, SWB_ACT_SEND_PING, i,
			     swb_core_flush_wanted(c, i));
	else
		swb_act_peer(c, out, SWB_ACT_SEND_ACK, i, 0);
}

void swb_progress_tick(struct swb_core *c, const struct swb_event *ev,
		       struct swb_actions *out)
{
	u8 i;

	for (i = 0; i < c->config.member_count; i++)
		if (i != c->self)
			tick_peer(c, i, ev->lsn, out);
	if (ev->lsn2)
		want_room(c, ev->lsn2, out);
	flush_background(c, out);
}

/* ---- conditions: a pure function of the state (I-146) ------------------- */

static u32 peer_conditions(const struct swb_core *c)
{
	const struct swb_config *cfg = &c->config;
	bool pending = c->log.committed < c->log.barrier_want ||
		       (cfg->policy != SWBLOCK_POLICY_LOCAL &&
			c->completed < c->log.head);
	u32 cond = 0, missing = 0, absent = 0;
	u8 i;

	for (i = 0; i < cfg->member_count; i++) {
		const struct swb_core_peer *p = &c->peer[i];

		if (i == c->self)
			continue;
		if (p->state == SWBLOCK_PEER_CATCHING_UP)
			cond |= SWBLOCK_COND_CATCHING_UP;
		if (p->state == SWBLOCK_PEER_NEEDS_REBUILD)
			cond |= SWBLOCK_COND_NEEDS_REBUILD;
		if (p->state == SWBLOCK_PEER_REBUILDING)
			cond |= SWBLOCK_COND_REBUILDING;
		if (!swb_is_primary(c))
			continue;
		if ((cfg->required & 1U << i || swb_peer_required(cfg, i)) &&
		    p->state != SWBLOCK_PEER_IN_SYNC)
			missing++;
		if (swb_peer_required(cfg, i) && (!p->matched || p->void_copy))
			absent++;
	}
	if (missing)
		cond |= SWBLOCK_COND_DEGRADED;
	/* sync_quorum can spare a minority */
	if (cfg->mode == SWBLOCK_MODE_SYNC_QUORUM &&
	    absent <= (cfg->member_count - 1U) / 2)
		absent = 0;
	if (absent && pending)
		cond |= SWBLOCK_COND_WAITING_PEER;
	return cond;
}

void swb_progress_conditions(struct swb_core *c, struct swb_actions *out)
{
	u32 cond = c->hold | peer_conditions(c);

	if (c->role == SWBLOCK_ROLE_NONE)
		cond |= SWBLOCK_COND_NO_ROLE;
	if (swb_disk_failed(c))
		cond |= SWBLOCK_COND_DISK_FAILED;
	if (c->d.flags & SWB_SUPER_INCONSISTENT)
		cond |= SWBLOCK_COND_INCONSISTENT;
	if (c->stale_openers)
		cond |= SWBLOCK_COND_STALE_OPENERS;
	if (cond == c->conditions)
		return;
	c->conditions = cond;
	swb_act(out, SWB_ACT_NOTIFY_CONDITIONS);
}
