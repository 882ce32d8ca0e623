// SPDX-License-Identifier: GPL-2.0-only
/* Invariants of a step, and those that hold after every event. */
#include <string.h>

#include "check.h"

#define U(x)	((unsigned long long)(x))

/* ---- a step --------------------------------------------------------------- */

/* I-004, I-003, I-204: C rises along one history, with the open record. */
static void check_i003(struct world *w, struct node *n,
		       const struct swb_core *before, const struct swb_event *ev)
{
	const struct swb_core *c = &n->core;
	u64 tip = c->log.last_epoch, at;

	if (c->role != SWBLOCK_ROLE_PRIMARY ||
	    c->log.committed <= before->log.committed)
		return;
	if (c->log.committed > c->log.head) {
		sim_violation(w, 3, "n%u: C %llu above its own log end %llu",
			      n->id, U(c->log.committed), U(c->log.head));
		return;
	}
	if (ev->type != SWB_EV_CERTIFIED && ev->type != SWB_EV_SUPER_SAVED &&
	    c->log.committed < c->log.open_lsn)
		sim_violation(w, 204, "n%u: C rises to %llu, below open record %llu",
			      n->id, U(c->log.committed), U(c->log.open_lsn));
	/* the step that opens an epoch raises C before its record exists */
	if (!ref_epoch_of(&w->ref, tip))
		tip = before->log.last_epoch;
	at = ref_commit(&w->ref, tip, c->log.committed);
	if (at)
		sim_violation(w, 4, "n%u commits (%llu,%llu), epoch %llu was committed there",
			      n->id, U(ref_epoch_at(&w->ref, tip, at)), U(at),
			      U(w->ref.c_epoch[at]));
}

/* I-021: epochs rise, opened <= adopted. */
static void check_i021(struct world *w, struct node *n,
		       const struct swb_core *before)
{
	const struct swb_durable *d = &n->core.d;

	if (d->epoch < before->d.epoch || d->opened < before->d.opened ||
	    d->opened > d->epoch)
		sim_violation(w, 21, "n%u: adopted %llu -> %llu, opened %llu -> %llu",
			      n->id, U(before->d.epoch), U(d->epoch),
			      U(before->d.opened), U(d->opened));
}

/* I-039, I-040: rows of the peer table; needs_rebuild is sticky. */
static void check_i039(struct world *w, struct node *n, u8 peer,
		       const struct swb_core *before)
{
	u8 from = before->peer[peer].state, to = n->core.peer[peer].state;
	bool epoch = before->d.epoch != n->core.d.epoch ||
		     before->d.opened != n->core.d.opened ||
		     before->role != n->core.role;

	if (from == to)
		return;
	if (from == SWBLOCK_PEER_NEEDS_REBUILD && !epoch &&
	    !n->core.peer[peer].rebuild_ordered &&
	    n->core.role == SWBLOCK_ROLE_PRIMARY)
		sim_violation(w, 40, "n%u: n%u leaves needs_rebuild by itself",
			      n->id, peer);
	if (to == SWBLOCK_PEER_IN_SYNC && from != SWBLOCK_PEER_CATCHING_UP &&
	    from != SWBLOCK_PEER_REBUILDING &&
	    n->core.role == SWBLOCK_ROLE_PRIMARY)
		sim_violation(w, 39, "n%u: n%u goes from %s to in_sync", n->id,
			      peer, swb_text_peer_state(from));
}

/* I-041, I-147: in_sync is said when the target is proved, on the peer's disk. */
static void check_i041(struct world *w, struct node *n, u8 peer,
		       const struct swb_core *before)
{
	const struct swb_core_peer *p = &n->core.peer[peer];
	u64 epoch;

	if (p->state != SWBLOCK_PEER_IN_SYNC ||
	    before->peer[peer].state == SWBLOCK_PEER_IN_SYNC ||
	    n->core.role != SWBLOCK_ROLE_PRIMARY)
		return;
	epoch = ref_epoch_at(&w->ref, n->core.log.last_epoch, p->target);
	if (!p->matched || p->durable < p->target ||
	    n->core.log.committed < p->target ||
	    p->target < n->core.log.open_lsn)
		sim_violation(w, 41, "n%u: n%u in_sync at durable %llu, C %llu, target %llu",
			      n->id, peer, U(p->durable),
			      U(n->core.log.committed), U(p->target));
	if (!check_gone(w, n, peer) &&
	    !check_holds(w, &w->node[peer], epoch, p->target) &&
	    w->node[peer].core.d.epoch <= n->core.d.epoch)
		sim_violation(w, 147, "n%u: n%u in_sync, its disk ends at %llu, target %llu",
			      n->id, peer, U(check_worst(w, &w->node[peer])->head),
			      U(p->target));
}

/* I-043, I-033: no link, no new epoch survives in_sync or a matched session. */
static void check_i043(struct world *w, struct node *n, u8 peer,
		       const struct swb_core *before)
{
	const struct swb_core_peer *p = &n->core.peer[peer];

	if (!p->linked && (p->state == SWBLOCK_PEER_IN_SYNC || p->matched))
		sim_violation(w, 43, "n%u: n%u is %s without a link", n->id,
			      peer, swb_text_peer_state(p->state));
	if (n->core.d.epoch != before->d.epoch && p->matched &&
	    p->session == before->peer[peer].session)
		sim_violation(w, 33, "n%u: session with n%u outlives its epoch",
			      n->id, peer);
}

/* I-055: the target of a session stays. */
static void check_i055(struct world *w, struct node *n, u8 peer,
		       const struct swb_core *before)
{
	const struct swb_core_peer *a = &before->peer[peer];
	const struct swb_core_peer *b = &n->core.peer[peer];

	if (a->matched && b->matched && a->session == b->session &&
	    a->void_copy == b->void_copy && a->target != b->target)
		sim_violation(w, 55, "n%u: target for n%u moves from %llu to %llu",
			      n->id, peer, U(a->target), U(b->target));
}

/*
 * I-032, I-219, P9: verdicts that say that a rule was broken, or a disk lied.
 * Nothing in this world does, but an override, rot and replaced disks.
 */
static void check_i032(struct world *w, struct node *n, u8 peer)
{
	const struct swb_core_peer *p = &n->core.peer[peer];
	bool excused = w->control.overrides || n->rotten || n->lost ||
		       w->node[peer].rotten || w->node[peer].lost ||
		       w->node[peer].failed;

	if (excused || (p->letter != 'F' && p->letter != 'H' &&
			(p->letter != 'G' ||
			 p->reason != SWBLOCK_REASON_BELOW_EXTENT)))
		return;
	sim_violation(w, p->letter == 'H' ? 219 : p->letter == 'F' ? 32 : 209,
		      "n%u judges n%u @%c (%s), no rule was broken",
		      n->id, peer, p->letter, swb_text_reason(p->reason));
}

/* I-051: letter I means: both logs are one and the same. */
static void check_i051(struct world *w, struct node *n,
		       const struct swb_core *before,
		       const struct swb_event *ev)
{
	const struct swb_core_peer *p;
	u8 peer = ev->peer;

	if (ev->type != SWB_EV_PEER_FACTS || peer >= SWB_MEMBERS_MAX)
		return;
	p = &n->core.peer[peer];
	if (ev->session != before->peer[peer].session ||
	    before->peer[peer].matched)
		return;
	if (p->letter >= 'A' && p->letter <= 'Z')
		w->letters[SWBLOCK_TABLE_RESYNC][p->letter - 'A']++;
	check_i032(w, n, peer);
	if (p->letter != 'I' || !p->matched)
		return;
	if (p->facts.log_end != n->core.log.head ||
	    ref_epoch_at(&w->ref, n->core.log.last_epoch, p->facts.log_end) !=
		    p->facts.last_epoch)
		sim_violation(w, 51, "n%u: case I with n%u at (%llu,%llu), own log ends at %llu",
			      n->id, peer, U(p->facts.last_epoch),
			      U(p->facts.log_end), U(n->core.log.head));
}

/* I-027, I-083, I-084: what belongs to no live session changes nothing. */
static void check_i027(struct world *w, struct node *n,
		       const struct swb_core *before, const struct swb_event *ev)
{
	const struct swb_core_peer *a, *b;

	if (ev->type != SWB_EV_PEER_FACTS && ev->type != SWB_EV_PEER_STARTED &&
	    ev->type != SWB_EV_PEER_ACKED && ev->type != SWB_EV_PEER_PINGED)
		return;
	if (ev->peer >= SWB_MEMBERS_MAX)
		return;
	a = &before->peer[ev->peer];
	b = &n->core.peer[ev->peer];
	if (a->linked && a->session && a->session == ev->session &&
	    ev->epoch == before->d.epoch)
		return;
	if (memcmp(&before->log, &n->core.log, sizeof(before->log)) != 0 ||
	    a->session != b->session || a->matched != b->matched ||
	    a->durable != b->durable || a->state != b->state ||
	    a->cursor != b->cursor || a->letter != b->letter)
		sim_violation(w, 27, "n%u: %s of a dead session of n%u has an effect",
			      n->id, swb_text_event(ev->type), ev->peer);
}

/* I-045: a rebuild follows from facts or lost history, never from transport. */
static void check_i045(struct world *w, struct node *n,
		       const struct swb_core *before, const struct swb_event *ev)
{
	if (ev->type == SWB_EV_PEER_FACTS || ev->type == SWB_EV_CHECKPOINTED ||
	    ev->type == SWB_EV_TICK ||		/* a budget: I-058 */
	    n->core.role != SWBLOCK_ROLE_PRIMARY)
		return;
	for (u8 p = 0; p < w->shape.nodes; p++)
		if (p != n->core.self &&
		    n->core.peer[p].state == SWBLOCK_PEER_NEEDS_REBUILD &&
		    before->peer[p].state != SWBLOCK_PEER_NEEDS_REBUILD)
			sim_violation(w, 45, "n%u: %s makes n%u need a rebuild",
				      n->id, swb_text_event(ev->type), p);
}

/* I-219, I-002: no cut takes away what was committed. */
static void check_i219(struct world *w, struct node *n, u64 to, u64 known)
{
	u64 tip = n->core.log.last_epoch, c = w->ref.committed;

	if (to < known && !w->control.overrides)
		sim_violation(w, 219, "n%u cuts its log to %llu, it knew C = %llu",
			      n->id, U(to), U(known));
	if (c > to && c <= n->core.log.head &&
	    wal_epoch_at(n, c) == w->ref.c_epoch[c])
		sim_violation(w, 2, "n%u cuts to %llu, below committed (%llu,%llu)",
			      n->id, U(to), U(w->ref.c_epoch[c]), U(c));
	(void)tip;
}

/* I-129: a session is with the replica that the configuration names. */
static void check_i129(struct world *w, struct node *n, u8 peer,
		       const struct swb_core *before)
{
	const struct conn *c = &w->net.conn[n->link[peer]];
	int other = c->end[0] == n->id;

	if (!n->core.peer[peer].matched || before->peer[peer].matched ||
	    !n->link[peer])
		return;
	if (c->stranger || peer >= n->core.config.member_count ||
	    !swb_uuid_equal(&c->who[other], &n->core.config.member[peer]))
		sim_violation(w, 129, "n%u takes n%u%s for n%u", n->id,
			      c->end[other], c->stranger ?
			      " of another volume" : "", peer);
}

void check_step(struct world *w, struct node *n, const struct swb_core *before,
		const struct swb_event *ev, const struct swb_actions *out)
{
	check_i003(w, n, before, ev);
	check_i021(w, n, before);
	for (u8 p = 0; p < w->shape.nodes; p++) {
		if (p == n->core.self)
			continue;
		check_i039(w, n, p, before);
		check_i041(w, n, p, before);
		check_i043(w, n, p, before);
		check_i055(w, n, p, before);
		check_i129(w, n, p, before);
	}
	check_i051(w, n, before, ev);
	check_i027(w, n, before, ev);
	check_i045(w, n, before, ev);
	check_sessions(w, n, before, ev, out);
	check_rules(w, n, before, ev, out);
	check_base_step(w, n, before, ev);
	for (u32 i = 0; i < out->count; i++)
		if (out->act[i].type == SWB_ACT_TRUNCATE)
			check_i219(w, n, out->act[i].a, before->log.committed);
	if (out->count > SWB_ACTIONS_MAX)
		sim_violation(w, 226, "n%u: %u actions", n->id, out->count);
}

/* ---- after every event ------------------------------------------------------ */

/* I-008: order of the marks. */
static void check_i008(struct world *w, struct node *n)
{
	const struct swb_log *l = &n->core.log;
	const struct swb_durable *d = &n->core.d;

	if (d->extent_lo > d->extent_hi || l->durable > l->head ||
	    l->durable > l->written || l->written > l->head ||
	    l->start > l->head + 1 || d->extent_lo > l->durable ||
	    /* base blocks run ahead of the log */
	    (d->extent_hi > l->durable && !(d->flags & SWB_SUPER_INCONSISTENT)))
		sim_violation(w, 8, "n%u: lo %llu hi %llu start %llu durable %llu written %llu head %llu",
			      n->id, U(d->extent_lo), U(d->extent_hi),
			      U(l->start), U(l->durable), U(l->written),
			      U(l->head));
}

/* I-024: nobody has adopted what nobody won. */
static void check_i024(struct world *w, struct node *n)
{
	if (n->core.d.epoch > w->control.won)
		sim_violation(w, 24, "n%u has adopted epoch %llu, won is %llu",
			      n->id, U(n->core.d.epoch), U(w->control.won));
}

/* I-006, I-007, I-110, I-221: what it calls durable survives a power cut now. */
static void check_i006(struct world *w, struct node *n)
{
	const struct swb_log *l = &n->core.log;
	const struct worst *s = check_worst(w, n);
	u64 durable = l->durable;

	if (n->prepare == PREPARE_SAVING)
		return;			/* its log is given up */
	/* I-211: what was cut does not come back */
	if (!n->core.truncating && !n->cutting && s->head > l->head)
		sim_violation(w, 211, "n%u: its log ends at %llu, a power cut leaves %llu",
			      n->id, U(l->head), U(s->head));
	if (n->core.truncating && n->core.truncate_to < durable)
		durable = n->core.truncate_to;
	if (n->rotten || s->head >= durable)
		return;
	sim_violation(w, 6, "n%u calls %llu durable, a power cut leaves %llu (@%c %s)",
		      n->id, U(durable), U(s->head), s->letter,
		      swb_text_recover(s->verdict));
}

/* I-032: every record of the log is the one of its lineage. */
void check_log(struct world *w, struct node *n)
{
	const struct ref_epoch *e = ref_epoch_of(&w->ref,
						 n->core.log.last_epoch);

	for (u32 i = n->groups; i > 0; i--) {
		const struct wgroup *g = n->group[i - 1];

		if (!g->live || g->first_lsn > n->core.log.head)
			continue;
		while (e && g->first_lsn < e->first_lsn)
			e = ref_epoch_of(&w->ref, e->parent);
		if (g->epoch == (e ? e->epoch : 0))
			continue;
		sim_violation(w, 32, "n%u: record %llu is of epoch %llu, its lineage says %llu",
			      n->id, U(g->first_lsn), U(g->epoch),
			      U(e ? e->epoch : 0));
		return;
	}
}

/* I-223: the lineage names the openings of this log, and no others. */
static void check_i223(struct world *w, struct node *n)
{
	const struct swb_lineage *l = &n->core.d.lineage;

	/* an opening is in the table before its record leaves memory (P2) */
	if (n->core.open == SWB_OPEN_SAVING)
		return;
	for (u32 i = 0; i < l->count; i++) {
		const struct ref_epoch *e = ref_epoch_of(&w->ref,
							 l->e[i].epoch);

		if (e && e->first_lsn == l->e[i].first_lsn &&
		    l->e[i].first_lsn <= n->core.log.head &&
		    ref_epoch_at(&w->ref, n->core.log.last_epoch,
				 e->first_lsn) == e->epoch)
			continue;
		sim_violation(w, 223, "n%u: lineage entry (%llu,%llu) is not in its history",
			      n->id, U(l->e[i].epoch), U(l->e[i].first_lsn));
	}
	/* a copy may begin in an epoch whose opening the source has forgotten */
	if (!l->count && n->core.d.flags & SWB_SUPER_INCONSISTENT)
		return;
	if (swb_lineage_epoch_at(l, n->core.log.head) != n->core.log.last_epoch)
		sim_violation(w, 223, "n%u: lineage does not end in epoch %llu",
			      n->id, U(n->core.log.last_epoch));
}

/* P8: known C is a committed record of this log. */
static void check_i209(struct world *w, struct node *n)
{
	u64 limit = swb_core_writeback_limit(&n->core);

	/* below extent_hi it is there already, whatever became of it since */
	if (limit <= n->core.d.extent_hi)
		return;
	if (limit > w->ref.committed)
		sim_violation(w, 209, "n%u may write back to %llu, committed is %llu",
			      n->id, U(limit), U(w->ref.committed));
	else if (limit > n->core.d.extent_lo && wal_find(n, limit) &&
		 wal_epoch_at(n, limit) != w->ref.c_epoch[limit])
		sim_violation(w, 209, "n%u may write back a record of epoch %llu at %llu",
			      n->id, U(wal_epoch_at(n, limit)), U(limit));
}

/*
 * I-005, I-011: what a primary counts for a peer is on that peer's disk. A peer
 * that has gone on to a newer epoch may have cut it: then nothing of ours can
 * be committed with it any more, and I-004 watches that.
 */
static void check_i005(struct world *w, struct node *n)
{
	if (n->core.role != SWBLOCK_ROLE_PRIMARY)
		return;
	for (u8 p = 0; p < w->shape.nodes; p++) {
		u64 lsn = n->core.peer[p].durable;
		u64 epoch;

		if (p == n->core.self || !lsn || check_gone(w, n, p) ||
		    w->node[p].rotten ||
		    w->node[p].core.d.epoch > n->core.d.epoch)
			continue;
		epoch = ref_epoch_at(&w->ref, n->core.log.last_epoch, lsn);
		if (n->core.peer[p].void_copy ?
		    check_logged(w, &w->node[p], epoch, lsn) :
		    check_holds(w, &w->node[p], epoch, lsn))
			continue;
		sim_violation(w, 5, "n%u counts %llu for n%u, its disk ends at %llu of epoch %llu",
			      n->id, U(lsn), p,
			      U(check_worst(w, &w->node[p])->head),
			      U(check_worst(w, &w->node[p])->last_epoch));
	}
}

/* I-097: nothing above C or needed by a live session has left the ring. */
static void check_i097(struct world *w, struct node *n)
{
	const struct swb_core *c = &n->core;

	if (c->d.tail_lsn > c->d.extent_lo + 1)
		sim_violation(w, 97, "n%u: tail at %llu, extent_lo %llu", n->id,
			      U(c->d.tail_lsn), U(c->d.extent_lo));
	for (u8 p = 0; p < w->shape.nodes; p++)
		if (p != c->self && c->peer[p].matched &&
		    c->role == SWBLOCK_ROLE_PRIMARY &&
		    c->peer[p].cursor < c->log.start)
			sim_violation(w, 97, "n%u: cursor of n%u at %llu, log starts at %llu",
				      n->id, p, U(c->peer[p].cursor),
				      U(c->log.start));
}

/* I-082: a replica has at most one live session. */
static void check_i082(struct world *w, struct node *n)
{
	u32 live = 0;

	for (u8 p = 0; p < w->shape.nodes; p++)
		live += p != n->core.self && n->core.peer[p].matched;
	if (n->core.role != SWBLOCK_ROLE_PRIMARY && live > 1)
		sim_violation(w, 82, "n%u: %u live sessions on a replica",
			      n->id, live);
}

void check_all(struct world *w)
{
	for (u8 i = 0; i < w->shape.nodes; i++) {
		struct node *n = &w->node[i];

		(void)check_worst(w, n);
		if (n->state != NODE_UP)
			continue;
		check_i008(w, n);
		check_i024(w, n);
		check_i006(w, n);
		check_i005(w, n);
		check_i082(w, n);
		check_i097(w, n);
		check_i209(w, n);
		if ((w->events & 7) == i) {
			check_log(w, n);
			check_i223(w, n);
		}
	}
}
