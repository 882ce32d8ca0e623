// SPDX-License-Identifier: GPL-2.0-only
/*
 * Delta and rebuild: blocks are copied to a member whose log is no way back.
 * Both ends, and the base of the changed-block bitmap that a delta copies by.
 * From the mark to its end the target is no prefix of anything: it votes for
 * nothing and its acks count for nothing (P7, P10). Part of the step, and
 * leaves for the executor; the caller's lock covers both.
 *
 *	source  START(w, m, kind) ... BASE... BASE_END(W) ......... counts again
 *	target  mark durable -> stream, base blocks -> C, durable >= W
 *		-> extent flushed -> mark durably gone -> ack
 *
 * Two lanes, one order: the stream starts at w = extent_lo of the source + 1, so
 * a block of the extent, read at any time after that, lacks nothing below w and
 * holds nothing above the extent_hi sampled after the read. The stream brings
 * (w - 1, W] again, and what it has written already is not overwritten by a base
 * block. So with C and durable >= W, extent and log together are the state at W.
 */
#include "lineage.h"
#include "resync.h"
#include "step.h"
#include "../format/wire.h"

/* ---- leaves: both ends -------------------------------------------------- */

enum swblock_reason swb_core_rebuild_allowed(const struct swb_core *c, u8 peer)
{
	if (!swb_is_primary(c))
		return SWBLOCK_REASON_NO_ROLE;
	if (!swb_session_is_peer(c, peer))
		return SWBLOCK_REASON_FOREIGN_REPLICA;
	if (c->config.mode == SWBLOCK_MODE_SYNC_ALL &&
	    swb_peer_required(&c->config, peer))
		return SWBLOCK_REASON_REQUIRED;		/* P10 vii */
	return SWBLOCK_REASON_NONE;
}

u64 swb_core_everywhere(const struct swb_core *c)
{
	u64 lsn = c->log.durable;
	u8 i;

	if (!swb_is_primary(c))
		return c->everywhere;
	for (i = 0; i < c->config.member_count; i++) {
		if (i == c->self)
			continue;
		if (c->peer[i].void_copy)
			return 0;
		lsn = min_t(u64, lsn, c->peer[i].durable);
	}
	return lsn;
}

bool swb_core_bitmap_raise(struct swb_core *c, u64 lo)
{
	struct swb_durable *d = &c->d;

	if (d->bitmap_lsn >= lo)
		return true;
	/* a void member is nobody's source: its bitmap begins when it is whole */
	if (!swb_is_void(c) && swb_core_everywhere(c) < lo)
		return false;				/* P11 */
	d->bitmap_lsn = lo;
	d->bitmap_epoch = swb_lineage_epoch_at(&d->lineage, lo);
	return true;
}

u64 swb_core_extent_hi_epoch(const struct swb_core *c)
{
	if (c->d.extent_hi <= c->log.head)
		return swb_lineage_epoch_at(&c->d.lineage, c->d.extent_hi);
	return c->d.extent_hi_epoch;
}

/* ---- leaves: source ------------------------------------------------------ */

void swb_core_base_sample(const struct swb_core *c, u64 *epoch, u64 *lsn)
{
	*lsn = c->d.extent_hi;
	*epoch = swb_lineage_epoch_at(&c->d.lineage, *lsn);
}

u64 swb_core_base_session(const struct swb_core *c, u8 peer)
{
	const struct swb_core_peer *p;

	if (!swb_is_primary(c) || !swb_session_is_peer(c, peer))
		return 0;
	p = &c->peer[peer];
	if (!p->matched || !p->base_started || p->base_sent)
		return 0;
	return p->session;
}

void swb_core_base_ending(struct swb_core *c, u8 peer, u64 session, u64 lsn)
{
	struct swb_core_peer *p = &c->peer[peer];

	if (p->session != session || !p->base_started || p->base_sent)
		return;					/* I-084 */
	p->base_sent = true;
	p->base_end = lsn;
}

/* ---- leaves: target ------------------------------------------------------ */

void swb_core_rebuild_mark(struct swb_core *c)
{
	bool delta = c->rebuild_kind == SWB_START_DELTA;
	bool again = delta && swb_is_void(c);
	u64 hi_epoch = swb_core_extent_hi_epoch(c);
	u64 end = c->rebuild_from - 1;
	struct swb_durable *d = &c->d;
	struct swb_log *l = &c->log;

	d->lineage = c->primary_facts.lineage;
	swb_lineage_cut(&d->lineage, end);		/* P18 */
	l->generation++;				/* P5 */
	l->start = end + 1;
	l->head = end;
	l->written = end;
	l->durable = end;
	l->last_epoch = swb_lineage_epoch_at(&d->lineage, end);
	l->committed = end;
	l->barrier_want = 0;
	c->flush_goal = 0;
	c->written_back = 0;
	c->unflushed_since_ns = 0;
	d->flags |= SWB_SUPER_INCONSISTENT;
	d->flags &= ~(u32)SWB_SUPER_DELTA;
	if (delta)
		d->flags |= SWB_SUPER_DELTA;
	d->base_lsn = c->rebuild_base;
	d->rebuild_source = c->primary_facts.replica;
	d->committed = min_t(u64, d->committed, d->base_lsn);
	d->extent_lo = end;
	/* what an interrupted delta has written stays written: P10 iv */
	if (!again || d->extent_hi < end) {
		d->extent_hi = end;
		hi_epoch = l->last_epoch;
	}
	d->extent_hi_epoch = hi_epoch;
	d->bitmap_lsn = end;
	d->bitmap_epoch = l->last_epoch;
}

void swb_core_rebuild_unmark(struct swb_core *c)
{
	struct swb_durable *d = &c->d;

	d->flags &= ~(u32)(SWB_SUPER_INCONSISTENT | SWB_SUPER_DELTA);
	d->base_lsn = 0;
	d->extent_hi_epoch = 0;
	memset(&d->rebuild_source, 0, sizeof(d->rebuild_source));
	d->committed = max_t(u64, d->committed, c->log.committed);
}

enum swblock_reason swb_core_check_base(const struct swb_core *c, u8 peer,
					u64 session, u64 epoch, u64 hi_epoch,
					u64 hi_lsn, u64 before)
{
	enum swblock_reason why = swb_session_of_primary(c, peer, session, epoch);
	const struct swb_lineage *l = &c->primary_facts.lineage;

	if (why)
		return why;
	if (swb_disk_failed(c))
		return SWBLOCK_REASON_DISK_FAILED;	/* P17a */
	if (c->rebuild != SWB_REBUILD_COPYING)
		return SWBLOCK_REASON_BAD_TYPE;		/* I-095 */
	if (hi_lsn < c->rebuild_from - 1 || before != c->base_taken) /* I-072 */
		return SWBLOCK_REASON_LSN_GAP;
	if (swb_lineage_epoch_at(l, hi_lsn) != hi_epoch)
		return SWBLOCK_REASON_EPOCH_FALLS;
	return SWBLOCK_REASON_NONE;
}

bool swb_core_base_raise(struct swb_core *c, u64 hi_epoch, u64 hi_lsn)
{
	if (hi_lsn <= c->d.extent_hi)
		return false;
	c->d.extent_hi = hi_lsn;			/* P10 iv */
	c->d.extent_hi_epoch = hi_epoch;
	return true;
}

void swb_core_base_took(struct swb_core *c, u8 peer, u64 session, u64 bytes)
{
	if (swb_session_is_peer(c, peer) && c->peer[peer].session == session &&
	    c->rebuild == SWB_REBUILD_COPYING)
		c->base_taken += bytes;
}

/* ---- steps: both ends ------------------------------------------------------ */

/* A session ends: what it was about to make is no copy, and nothing counts it. */
void swb_copy_drop(struct swb_core *c, u8 peer, struct swb_actions *out)
{
	struct swb_core_peer *p = &c->peer[peer];

	if (p->void_copy) {
		if (p->base_started && !p->base_sent)
			swb_act_peer(c, out, SWB_ACT_BASE_STOP, peer, 0);
		p->received = 0;
		p->written = 0;
		p->durable = 0;				/* P10 v */
	}
	p->void_copy = false;
	p->kind = SWB_START_STREAM;
	p->base_started = false;
	p->base_sent = false;
	p->base_end = 0;
	p->base_acked = 0;
	if (p->session && swb_is_replica(c)) {
		c->base_taken = 0;
		if (c->rebuild == SWB_REBUILD_COPYING ||
		    c->rebuild == SWB_REBUILD_ENDING)
			c->rebuild = SWB_REBUILD_IDLE;
	}
}

/* ---- steps: source --------------------------------------------------------- */

void swb_copy_ordered(struct swb_core *c, const struct swb_event *ev,
		      struct swb_actions *out)
{
	enum swblock_reason reason = swb_core_rebuild_allowed(c, ev->peer);
	struct swb_core_peer *p;

	if (reason) {
		c->refused[reason]++;			/* I-037 */
		return;
	}
	p = &c->peer[ev->peer];
	p->rebuild_ordered = true;
	if (p->state != SWBLOCK_PEER_NEEDS_REBUILD)
		return;
	p->state = SWBLOCK_PEER_DETACHED;	/* the next link may bring it */
	swb_act_peer(c, out, SWB_ACT_NOTIFY_PEER, ev->peer, 0);
}

/*
 * In sync_quorum a copy is given up only while a majority is known to be whole
 * without it, up to date or not: with two of three void, the third could never be
 * granted again.
 */
static bool majority_is_whole(const struct swb_core *c, u8 peer)
{
	u32 whole = 1;
	u8 i;

	if (c->config.mode != SWBLOCK_MODE_SYNC_QUORUM || !c->peer[peer].whole)
		return true;			/* nothing to be given up */
	for (i = 0; i < c->config.member_count; i++)
		whole += i != c->self && i != peer && c->peer[i].whole;
	return whole > c->config.member_count / 2U;
}

static bool permitted(const struct swb_core *c, u8 peer, bool delta)
{
	if (swb_core_rebuild_allowed(c, peer) != SWBLOCK_REASON_NONE ||
	    !majority_is_whole(c, peer))
		return false;
	return c->peer[peer].rebuild_ordered ||
	       c->tune.rebuild_auto >= (delta ? SWB_AUTO_DELTA :
						SWB_AUTO_REBUILD);
}

/* May a link of a peer that needs a rebuild come up all the same? */
bool swb_copy_spared(const struct swb_core *c, u8 peer, u32 why)
{
	/* what ran out of its budget once waits for an order */
	return why != SWBLOCK_REASON_BUDGET && permitted(c, peer, true);
}

bool swb_copy_start(struct swb_core *c, u8 peer, bool delta,
		    struct swb_actions *out)
{
	struct swb_core_peer *p = &c->peer[peer];
	struct swb_action *a;

	if (!permitted(c, peer, delta))
		return false;
	p->kind = delta ? SWB_START_DELTA : SWB_START_REBUILD;
	p->void_copy = true;				/* P10 v */
	p->whole = false;
	p->matched = true;
	p->state = SWBLOCK_PEER_REBUILDING;
	p->received = 0;
	p->written = 0;
	p->durable = 0;
	p->cursor = c->d.extent_lo + 1;			/* P10 ii */
	p->pin_lsn = c->d.extent_lo;
	p->target = c->log.head;
	p->acked_ns = c->now_ns;
	p->progress_ns = c->now_ns;
	swb_act_peer(c, out, SWB_ACT_SEND_START, peer, p->cursor);
	a = &out->act[out->count - 1];
	a->b = delta ? p->match_lsn : 0;
	a->c = p->target;
	a->d = p->kind;
	swb_act_peer(c, out, SWB_ACT_SHIP, peer, 0);
	swb_act_peer(c, out, SWB_ACT_NOTIFY_PEER, peer, 0);
	return true;
}

/* Its history, its patience or its order is used up. */
void swb_copy_give_up(struct swb_core *c, u8 peer, u32 reason,
		      struct swb_actions *out)
{
	c->peer[peer].state = SWBLOCK_PEER_NEEDS_REBUILD;
	c->peer[peer].rebuild_ordered = false;
	swb_session_refuse(c, peer, reason, out);
}

static void complete(struct swb_core *c, u8 peer, struct swb_actions *out)
{
	struct swb_core_peer *p = &c->peer[peer];

	p->void_copy = false;			/* this ack counts: P10 v */
	p->whole = true;
	p->rebuild_ordered = false;
	p->state = SWBLOCK_PEER_CATCHING_UP;
	p->target = c->log.head;		/* frozen anew: G6 */
	if (p->target > c->log.barrier_want)
		c->log.barrier_want = p->target;
	swb_act_peer(c, out, SWB_ACT_NOTIFY_PEER, peer, 0);
}

void swb_copy_acked(struct swb_core *c, const struct swb_event *ev,
		    struct swb_actions *out)
{
	struct swb_core_peer *p = &c->peer[ev->peer];
	u64 base = ev->u.ack.base;

	if (!p->base_started) {		/* it is void and empty: P10 i */
		p->base_started = true;
		swb_act_peer(c, out, SWB_ACT_BASE_START, ev->peer, p->session);
		out->act[out->count - 1].b = p->kind;
	}
	if (base == SWB_WIRE_BASE_DONE) {
		if (!p->base_sent || p->durable < p->base_end)
			swb_session_refuse(c, ev->peer,
					   SWBLOCK_REASON_ACK_BEYOND, out);
		else
			complete(c, ev->peer, out);
		return;
	}
	if (base < p->base_acked) {
		swb_session_refuse(c, ev->peer, SWBLOCK_REASON_ACK_FALLS, out);
		return;
	}
	if (base > p->base_acked)
		p->progress_ns = c->now_ns;
	p->base_acked = base;
}

void swb_copy_base_sent(struct swb_core *c, const struct swb_event *ev)
{
	if (swb_session_is_peer(c, ev->peer))
		swb_core_base_ending(c, ev->peer, ev->session, ev->lsn);
}

/* ---- steps: target --------------------------------------------------------- */

static u32 start_refusal(struct swb_core *c, const struct swb_event *ev)
{
	u64 kind = ev->u.start.kind;

	if (kind != SWB_START_DELTA && kind != SWB_START_REBUILD)
		return SWBLOCK_REASON_BAD_TYPE;
	if (c->config.mode == SWBLOCK_MODE_SYNC_ALL &&
	    swb_peer_required(&c->config, c->self))
		return SWBLOCK_REASON_REQUIRED;		/* P10 vii */
	swb_core_own_facts(c, ev->peer, &c->scratch);
	return swb_resync_accept_rebuild(&c->scratch, &c->primary_facts,
					 kind == SWB_START_DELTA,
					 ev->u.start.from,
					 ev->u.start.truncate_to);
}

void swb_copy_started(struct swb_core *c, const struct swb_event *ev,
		      struct swb_actions *out)
{
	struct swb_core_peer *p = &c->peer[ev->peer];
	u32 reason = start_refusal(c, ev);
	struct swb_action *a;

	if (reason) {
		p->state = reason == SWBLOCK_REASON_DISK_FAILED ?
			   SWBLOCK_PEER_DETACHED : SWBLOCK_PEER_REFUSED;
		swb_session_refuse(c, ev->peer, reason, out);
		return;
	}
	p->target = ev->u.start.target;
	p->kind = (u8)ev->u.start.kind;
	p->state = SWBLOCK_PEER_REBUILDING;
	c->rebuild = SWB_REBUILD_PREPARING;
	c->rebuild_peer = ev->peer;
	c->rebuild_kind = p->kind;
	c->rebuild_session = ev->session;
	c->rebuild_base = ev->u.start.truncate_to;
	c->rebuild_from = ev->u.start.from;
	c->rebuild_end = 0;
	c->base_taken = 0;
	a = swb_act(out, SWB_ACT_REBUILD_PREPARE);
	a->a = c->rebuild_kind;
	a->b = c->rebuild_base;
	a->c = c->rebuild_from;
	swb_act_peer(c, out, SWB_ACT_NOTIFY_PEER, ev->peer, 0);
}

/* Does the session that began it still live? */
static bool session_lives(const struct swb_core *c)
{
	return swb_is_replica(c) && c->rebuild_peer == c->primary &&
	       swb_session_is_peer(c, c->rebuild_peer) &&
	       c->peer[c->rebuild_peer].session == c->rebuild_session;
}

void swb_copy_prepared(struct swb_core *c, struct swb_actions *out)
{
	if (c->rebuild != SWB_REBUILD_PREPARING) {
		c->refused[SWBLOCK_REASON_STALE_SESSION]++;
		return;
	}
	c->rebuild = SWB_REBUILD_IDLE;	/* the mark stands all the same */
	if (session_lives(c)) {
		c->rebuild = SWB_REBUILD_COPYING;
		c->peer[c->rebuild_peer].matched = true;
		c->peer[c->rebuild_peer].match_lsn = c->log.head;
		c->log.committed = swb_unmatched_committed(c);	/* P8 */
		swb_act_peer(c, out, SWB_ACT_SEND_ACK, c->rebuild_peer, 0);
	}
	swb_epoch_pump(c, out);
}

void swb_copy_base_ended(struct swb_core *c, const struct swb_event *ev,
			 struct swb_actions *out)
{
	if (!swb_session_valid(c, ev))
		return;
	if (c->rebuild != SWB_REBUILD_COPYING) {
		c->refused[SWBLOCK_REASON_BAD_TYPE]++;	/* I-095 */
		return;
	}
	if (ev->lsn2 != c->base_taken) {		/* I-072 */
		swb_session_refuse(c, ev->peer, SWBLOCK_REASON_LSN_GAP, out);
		return;
	}
	c->rebuild = SWB_REBUILD_ENDING;
	c->rebuild_end = ev->lsn;
	/* a flush up to there, as soon as it is written */
	c->log.barrier_want = max_t(u64, c->log.barrier_want,
				    max_t(u64, ev->lsn, c->d.extent_hi));
}

/* Extent and log together are a state when the log holds all up to W: P10 */
void swb_copy_pump(struct swb_core *c, struct swb_actions *out)
{
	u64 need = max_t(u64, c->rebuild_end, c->d.extent_hi);

	if (c->rebuild != SWB_REBUILD_ENDING || c->adopt != SWB_ADOPT_IDLE ||
	    swb_disk_failed(c))
		return;
	if (c->log.durable < need || c->log.committed < need)
		return;
	c->rebuild = SWB_REBUILD_CLEARING;
	swb_act(out, SWB_ACT_REBUILD_CLEAR);
}

void swb_copy_cleared(struct swb_core *c, struct swb_actions *out)
{
	struct swb_core_peer *p;

	if (c->rebuild != SWB_REBUILD_CLEARING) {
		c->refused[SWBLOCK_REASON_STALE_SESSION]++;
		return;
	}
	c->rebuild = SWB_REBUILD_IDLE;
	if (session_lives(c)) {
		p = &c->peer[c->rebuild_peer];
		p->state = SWBLOCK_PEER_CATCHING_UP;
		swb_act_peer(c, out, SWB_ACT_SEND_ACK, c->rebuild_peer, 0);
		swb_act_peer(c, out, SWB_ACT_NOTIFY_PEER, c->rebuild_peer, 0);
	}
	swb_epoch_pump(c, out);
}
