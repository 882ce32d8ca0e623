// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sessions: one link per peer, at most one session on it, identified by (id,
 * epoch, peer). A session ends in one place, swb_session_end(); whatever
 * arrives for an ended one is counted and changes nothing (I-027, I-083).
 * Part of the step; the caller's lock covers it.
 *
 *	primary: LINKED -> OPENING -> (FACTS, table) -> CATCHING_UP -> IN_SYNC
 *	replica: LINKED -> OPENING -> (OPEN) -> (START, cut) -> CATCHING_UP -> ..
 */
#include "lineage.h"
#include "resync.h"
#include "step.h"
#include "../format/wire.h"

bool swb_session_is_peer(const struct swb_core *c, u8 peer)
{
	return peer < c->config.member_count && peer < SWB_MEMBERS_MAX &&
	       peer != c->self;
}

/* Why a frame of the primary's, of that session and epoch, is not heard here; or NONE. */
enum swblock_reason swb_session_of_primary(const struct swb_core *c, u8 peer,
					   u64 session, u64 epoch)
{
	if (!swb_is_replica(c) || peer != c->primary || !swb_session_is_peer(c, peer))
		return SWBLOCK_REASON_NO_ROLE;
	if (!session || session != c->peer[peer].session ||
	    !c->peer[peer].matched)
		return SWBLOCK_REASON_STALE_SESSION;	/* I-083 */
	if (epoch != c->d.epoch)			/* I-023 */
		return epoch < c->d.epoch ? SWBLOCK_REASON_STALE_EPOCH :
					    SWBLOCK_REASON_NEWER_EPOCH;
	return SWBLOCK_REASON_NONE;
}

/* A record of the primary fits into every peer: none is smaller, one may be larger. */
static bool geometry_fits(const struct swb_core *c, const struct swb_facts *f)
{
	if (f->block_bytes != c->d.block_bytes)
		return false;
	return swb_is_primary(c) ? f->extent_bytes >= c->extent_saved :
				   f->extent_bytes <= c->extent_saved;
}

static u32 identity_refusal(const struct swb_core *c, u8 peer,
			    const struct swb_facts *f)
{
	if (!swb_uuid_equal(&f->volume, &c->d.volume))
		return SWBLOCK_REASON_FOREIGN_VOLUME;
	if (!geometry_fits(c, f))
		return SWBLOCK_REASON_GEOMETRY;
	if (!swb_uuid_equal(&f->replica, &c->config.member[peer]) ||
	    !swb_uuid_equal(&f->peer, &c->d.replica))
		return SWBLOCK_REASON_FOREIGN_REPLICA;
	if (!swb_uuid_equal(&f->store, &c->d.store) ||
	    f->store_generation != c->d.store_generation)
		return SWBLOCK_REASON_FOREIGN_STORE;		/* P17c */
	return SWBLOCK_REASON_NONE;
}

/* Count what is refused without ending anything. */
static bool inert(struct swb_core *c, u32 reason)
{
	c->refused[reason]++;				/* I-037 */
	return false;
}

/* Does the fact belong to the live session of a linked peer? I-083, I-084 */
bool swb_session_valid(struct swb_core *c, const struct swb_event *ev)
{
	struct swb_core_peer *p;

	if (!swb_session_is_peer(c, ev->peer))
		return inert(c, SWBLOCK_REASON_FOREIGN_REPLICA);
	p = &c->peer[ev->peer];
	if (!p->linked || !p->session || p->session != ev->session)
		return inert(c, SWBLOCK_REASON_STALE_SESSION);
	if (ev->epoch != c->d.epoch)			/* I-023 */
		return inert(c, ev->epoch < c->d.epoch ?
				SWBLOCK_REASON_STALE_EPOCH :
				SWBLOCK_REASON_NEWER_EPOCH);
	p->heard_ns = c->now_ns;
	return true;
}

/* Forget the session; the link, if any, is the caller's business. */
static void session_drop(struct swb_core *c, u8 peer, struct swb_actions *out)
{
	struct swb_core_peer *p = &c->peer[peer];

	swb_copy_drop(c, peer, out);
	if (p->session && swb_is_replica(c)) {
		c->log.generation++;			/* P5 */
		c->log.committed = swb_unmatched_committed(c);	/* P8 */
		c->everywhere = 0;
		c->log.barrier_want = min_t(u64, c->log.barrier_want,
					    c->log.head);
		c->flush_goal = 0;
		c->written_back = 0;
	}
	p->session = 0;
	p->matched = false;
	p->flush_asked = 0;
	if (p->state != SWBLOCK_PEER_NEEDS_REBUILD &&	/* I-040 */
	    p->state != SWBLOCK_PEER_REFUSED)
		p->state = SWBLOCK_PEER_DETACHED;	/* I-043 */
}

void swb_session_end(struct swb_core *c, u8 peer, u32 reason,
		     struct swb_actions *out)
{
	struct swb_core_peer *p = &c->peer[peer];

	if (!p->linked)
		return;					/* I-087 */
	session_drop(c, peer, out);
	p->linked = false;
	p->reason = reason;
	swb_act_peer(c, out, SWB_ACT_CLOSE_LINK, peer, reason);
	swb_act_peer(c, out, SWB_ACT_NOTIFY_PEER, peer, 0);
}

/* Tell the peer why, then end. */
void swb_session_refuse(struct swb_core *c, u8 peer, u32 reason,
			struct swb_actions *out)
{
	c->refused[reason]++;
	swb_act_peer(c, out, SWB_ACT_SEND_CLOSE, peer, reason);
	swb_session_end(c, peer, reason, out);
}

void swb_session_open(struct swb_core *c, u8 peer, struct swb_actions *out)
{
	struct swb_core_peer *p = &c->peer[peer];

	p->session = c->next_session++;		/* ambiguity 14, I-036 */
	if (!c->next_session)
		c->next_session = 1;
	p->state = SWBLOCK_PEER_OPENING;
	swb_act_peer(c, out, SWB_ACT_SEND_OPEN, peer, p->session);
	swb_act_peer(c, out, SWB_ACT_NOTIFY_PEER, peer, 0);
}

void swb_session_linked(struct swb_core *c, const struct swb_event *ev,
			struct swb_actions *out)
{
	struct swb_core_peer *p;
	u32 before;

	if (!swb_session_is_peer(c, ev->peer)) {
		u32 reason = c->config.member_count ?
			SWBLOCK_REASON_FOREIGN_REPLICA : SWBLOCK_REASON_NO_ROLE;

		inert(c, reason);
		if (ev->peer < SWB_MEMBERS_MAX)
			swb_act_peer(c, out, SWB_ACT_CLOSE_LINK, ev->peer,
				     reason);
		return;
	}
	p = &c->peer[ev->peer];
	before = p->reason;
	session_drop(c, ev->peer, out);	/* the old link is replaced: I-082 */
	p->linked = true;
	p->reason = SWBLOCK_REASON_NONE;
	p->heard_ns = c->now_ns;
	p->said_ns = c->now_ns;
	if (p->state == SWBLOCK_PEER_NEEDS_REBUILD && swb_is_primary(c) &&
	    !swb_copy_spared(c, ev->peer, before)) {
		swb_session_refuse(c, ev->peer, SWBLOCK_REASON_NEEDS_REBUILD,
				   out);		/* I-040 */
		p->reason = before;	/* why it needs one is still the news */
		return;
	}
	if (!swb_is_primary(c)) {
		if (p->state != SWBLOCK_PEER_NEEDS_REBUILD)
			p->state = SWBLOCK_PEER_OPENING;
		swb_act_peer(c, out, SWB_ACT_NOTIFY_PEER, ev->peer, 0);
		return;
	}
	if (swb_disk_failed(c))
		swb_session_refuse(c, ev->peer, SWBLOCK_REASON_DISK_FAILED, out);
	else if (c->hold & SWBLOCK_COND_SUSPENDED_EPOCH)
		swb_session_refuse(c, ev->peer, SWBLOCK_REASON_NEWER_EPOCH, out);
	else
		swb_session_open(c, ev->peer, out);
}

void swb_session_lost(struct swb_core *c, const struct swb_event *ev,
		      struct swb_actions *out)
{
	if (swb_session_is_peer(c, ev->peer))
		swb_session_end(c, ev->peer, ev->reason, out);
}

void swb_session_unlink(struct swb_core *c, const struct swb_event *ev,
			struct swb_actions *out)
{
	if (swb_session_is_peer(c, ev->peer) && c->peer[ev->peer].linked)
		swb_session_refuse(c, ev->peer, SWBLOCK_REASON_UNLINKED, out);
}

void swb_session_closed(struct swb_core *c, const struct swb_event *ev,
			struct swb_actions *out)
{
	struct swb_core_peer *p;

	if (!swb_session_is_peer(c, ev->peer))
		return;
	p = &c->peer[ev->peer];
	if (!p->linked)
		return;
	/* said by who checked the identities first, not by a wrong host */
	if (ev->reason == SWBLOCK_REASON_STALE_EPOCH ||
	    ev->reason == SWBLOCK_REASON_ADOPTED)
		swb_epoch_newer_seen(c, ev->epoch, out);	/* ambiguity 13 */
	if (swb_is_replica(c) && ev->reason == SWBLOCK_REASON_NEEDS_REBUILD)
		p->state = SWBLOCK_PEER_NEEDS_REBUILD;
	swb_session_end(c, ev->peer, ev->reason ? ev->reason :
			SWBLOCK_REASON_PEER_CLOSED, out);
}

/* ---- replica side ------------------------------------------------------ */

static u32 authority_refusal(const struct swb_core *c,
			     const struct swb_event *ev)
{
	if (ev->epoch < c->d.epoch)
		return SWBLOCK_REASON_STALE_EPOCH;
	if (ev->epoch > c->d.epoch)
		return SWBLOCK_REASON_NEWER_EPOCH;	/* not adopted here yet */
	if (c->role == SWBLOCK_ROLE_NONE || c->adopt != SWB_ADOPT_IDLE)
		return SWBLOCK_REASON_NO_ROLE;
	if (!swb_is_replica(c) || c->primary != ev->peer)
		return SWBLOCK_REASON_NOT_GRANTED;
	if (ev->u.facts->adopted != ev->epoch)
		return SWBLOCK_REASON_BAD_RECORD;
	if (swb_disk_busy(c))
		return SWBLOCK_REASON_BAD_TYPE;		/* not now */
	if (!ev->session || (c->opened_epoch == ev->epoch &&
			     (s64)(ev->session - c->opened_session) <= 0))
		return SWBLOCK_REASON_STALE_SESSION;	/* I-084 */
	return SWBLOCK_REASON_NONE;
}

static void facts_keep(struct swb_core_peer *p, const struct swb_facts *f)
{
	p->facts.adopted = f->adopted;
	p->facts.log_end = f->log_end;
	p->facts.last_epoch = f->last_epoch;
	p->facts.durable = f->durable;
	p->facts.committed = f->committed;
	p->facts.extent_hi = f->extent_hi;
	p->facts.extent_bytes = f->extent_bytes;
	p->facts.flags = f->flags;
	p->facts.ring_mib = f->ring_mib;
	p->whole = !(f->flags & (SWB_FACT_INCONSISTENT | SWB_FACT_DISK_FAILED));
}

void swb_session_opened(struct swb_core *c, const struct swb_event *ev,
			struct swb_actions *out)
{
	struct swb_core_peer *p;
	u32 reason;

	if (!swb_session_is_peer(c, ev->peer) || !c->peer[ev->peer].linked) {
		inert(c, SWBLOCK_REASON_STALE_SESSION);
		return;
	}
	p = &c->peer[ev->peer];
	reason = identity_refusal(c, ev->peer, ev->u.facts);
	if (reason) {
		p->state = SWBLOCK_PEER_REFUSED;	/* I-129 */
	} else {
		swb_epoch_newer_seen(c, ev->epoch, out);
		reason = authority_refusal(c, ev);
	}
	if (reason) {
		swb_session_refuse(c, ev->peer, reason, out);
		return;
	}
	session_drop(c, ev->peer, out);	/* before FACTS leave: I-096 */
	p->session = ev->session;
	c->opened_session = ev->session;
	c->opened_epoch = ev->epoch;
	p->state = SWBLOCK_PEER_OPENING;
	p->heard_ns = c->now_ns;
	facts_keep(p, ev->u.facts);
	c->primary_facts = *ev->u.facts;
	swb_act_peer(c, out, SWB_ACT_SEND_FACTS, ev->peer, p->session);
}

/* The logs agree up to m: from now on data, C and acks count. */
static void replica_matched(struct swb_core *c, u8 peer, struct swb_actions *out)
{
	struct swb_core_peer *p = &c->peer[peer];

	p->matched = true;
	p->state = SWBLOCK_PEER_CATCHING_UP;
	p->match_lsn = c->log.head;
	c->log.committed = swb_unmatched_committed(c);	/* P8 */
	swb_act_peer(c, out, SWB_ACT_SEND_ACK, peer, 0);
	swb_act_peer(c, out, SWB_ACT_NOTIFY_PEER, peer, 0);
}

void swb_session_started(struct swb_core *c, const struct swb_event *ev,
			 struct swb_actions *out)
{
	struct swb_core_peer *p;
	u32 reason;

	if (!swb_session_valid(c, ev))
		return;
	p = &c->peer[ev->peer];
	if (!swb_is_replica(c) || p->matched || swb_disk_busy(c)) {
		inert(c, SWBLOCK_REASON_BAD_TYPE);	/* I-090, I-095 */
		return;
	}
	if (ev->u.start.kind) {
		swb_copy_started(c, ev, out);
		return;
	}
	swb_core_own_facts(c, ev->peer, &c->scratch);
	reason = swb_resync_accept_start(&c->scratch, &c->primary_facts,
					 ev->u.start.from,
					 ev->u.start.truncate_to);
	if (reason) {
		p->state = reason == SWBLOCK_REASON_DISK_FAILED ?
			   SWBLOCK_PEER_DETACHED : SWBLOCK_PEER_REFUSED;
		swb_session_refuse(c, ev->peer, reason, out);
		return;
	}
	p->target = ev->u.start.target;
	if (c->log.head <= ev->u.start.truncate_to) {
		replica_matched(c, ev->peer, out);
		return;
	}
	c->truncating = true;				/* I-052 */
	c->truncate_to = ev->u.start.truncate_to;
	c->truncate_peer = ev->peer;
	c->truncate_session = ev->session;
	swb_act_value(out, SWB_ACT_TRUNCATE, c->truncate_to);
}

static void log_cut(struct swb_core *c, u64 lsn)
{
	struct swb_log *l = &c->log;

	l->generation++;				/* P5 */
	l->head = lsn;
	l->written = min_t(u64, l->written, lsn);
	l->durable = min_t(u64, l->durable, lsn);
	l->committed = min_t(u64, l->committed, lsn);
	l->start = min_t(u64, l->start, lsn + 1);
	l->barrier_want = min_t(u64, l->barrier_want, lsn);
	c->d.committed = min_t(u64, c->d.committed, lsn);	/* P16 */
	c->flush_goal = 0;
	swb_lineage_cut(&c->d.lineage, lsn);		/* P18 */
	l->last_epoch = swb_lineage_epoch_at(&c->d.lineage, lsn);
	if (c->d.bitmap_lsn > lsn) {	/* extent_lo is not above lsn: no change */
		c->d.bitmap_lsn = lsn;
		c->d.bitmap_epoch = l->last_epoch;	/* P11 */
	}
	if (c->reported_durable > lsn) {	/* a repeat must stay true */
		c->reported_durable = lsn;
		c->reported_last_epoch = l->last_epoch;
		c->reported_committed = min_t(u64, c->reported_committed, lsn);
	}
	if (l->written <= l->durable)
		c->unflushed_since_ns = 0;
}

void swb_session_truncated(struct swb_core *c, const struct swb_event *ev,
			   struct swb_actions *out)
{
	struct swb_core_peer *p;

	if (!c->truncating || ev->lsn != c->truncate_to) {
		inert(c, SWBLOCK_REASON_STALE_SESSION);
		return;
	}
	c->truncating = false;
	log_cut(c, ev->lsn);
	p = &c->peer[c->truncate_peer];
	/* the session may have ended meanwhile; the cut stands all the same */
	if (p->session == c->truncate_session && c->truncate_session &&
	    swb_is_replica(c))
		replica_matched(c, c->truncate_peer, out);
	swb_epoch_pump(c, out);
}

/* ---- primary side ------------------------------------------------------ */

static void session_start(struct swb_core *c, u8 peer, struct swb_actions *out)
{
	struct swb_core_peer *p = &c->peer[peer];
	struct swb_action *a;

	p->matched = true;
	p->state = SWBLOCK_PEER_CATCHING_UP;
	p->kind = SWB_START_STREAM;
	p->cursor = p->match_lsn + 1;
	p->pin_lsn = p->match_lsn;
	p->target = c->log.head;		/* frozen: I-055, ambiguity 15 */
	p->received = 0;
	p->written = 0;
	p->acked_ns = c->now_ns;	/* START waits for an ack, too */
	p->progress_ns = c->now_ns;
	swb_act_peer(c, out, SWB_ACT_SEND_START, peer, p->cursor);
	a = &out->act[out->count - 1];
	a->b = p->match_lsn;
	a->c = p->target;
	if (p->target > c->log.barrier_want)
		c->log.barrier_want = p->target;	/* G6 needs a barrier */
	swb_act_peer(c, out, SWB_ACT_SHIP, peer, 0);
	swb_act_peer(c, out, SWB_ACT_NOTIFY_PEER, peer, 0);
}

static void needs_rebuild(struct swb_core *c, u8 peer, u32 reason,
			  struct swb_actions *out)
{
	c->peer[peer].state = SWBLOCK_PEER_NEEDS_REBUILD;
	swb_session_refuse(c, peer, SWBLOCK_REASON_NEEDS_REBUILD, out);
	c->peer[peer].reason = reason;
}

static void facts_verdict(struct swb_core *c, u8 peer, u64 peer_adopted,
			  const struct swb_resync_decision *d,
			  struct swb_actions *out)
{
	struct swb_core_peer *p = &c->peer[peer];

	switch (d->verdict) {
	case SWB_RESYNC_REFUSE:
		if (d->reason != SWBLOCK_REASON_STALE_EPOCH)	/* @N */
			p->state = SWBLOCK_PEER_REFUSED;	/* G5 */
		swb_session_refuse(c, peer, d->reason, out);
		break;
	case SWB_RESYNC_STEP_DOWN:
		swb_epoch_newer_seen(c, peer_adopted, out);
		swb_session_refuse(c, peer, d->reason, out);
		break;
	case SWB_RESYNC_DELTA:
	case SWB_RESYNC_REBUILD:
		if (swb_copy_start(c, peer, d->verdict == SWB_RESYNC_DELTA,
				   out))
			break;
		needs_rebuild(c, peer, d->reason, out);
		break;
	case SWB_RESYNC_VOID:
		needs_rebuild(c, peer, d->reason, out);
		break;
	case SWB_RESYNC_IN_SYNC:
	case SWB_RESYNC_CATCH_UP:
	case SWB_RESYNC_TRUNCATE:
		session_start(c, peer, out);
		break;
	}
}

void swb_session_facts(struct swb_core *c, const struct swb_event *ev,
		       struct swb_actions *out)
{
	struct swb_resync_decision d;
	struct swb_core_peer *p;

	if (swb_session_is_peer(c, ev->peer) && c->peer[ev->peer].linked &&
	    ev->session == c->peer[ev->peer].session &&
	    !identity_refusal(c, ev->peer, ev->u.facts))
		swb_epoch_newer_seen(c, ev->epoch, out);
	if (!swb_session_valid(c, ev))
		return;
	p = &c->peer[ev->peer];
	if (!swb_is_primary(c) || p->matched) {
		inert(c, SWBLOCK_REASON_BAD_TYPE);	/* I-090, I-095 */
		return;
	}
	swb_core_own_facts(c, ev->peer, &c->scratch);
	swb_resync_decide(&c->scratch, ev->u.facts, &d);
	facts_keep(p, ev->u.facts);
	p->letter = d.letter;
	p->match_lsn = d.match;
	p->log_start_at_open = c->log.start;
	facts_verdict(c, ev->peer, ev->u.facts->adopted, &d, out);
}
