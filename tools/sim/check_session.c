// SPDX-License-Identifier: GPL-2.0-only
/*
 * Invariants of a step that speak of sessions, pins, refusals and evidence.
 * check_state.c calls check_sessions() once per step.
 */
#include "check.h"

#define U(x)	((unsigned long long)(x))

static u64 pin_of(const struct swb_core_peer *p)
{
	return p->durable > p->pin_lsn ? p->durable : p->pin_lsn;
}

/* I-092: no session, no pin. */
static void check_i092(struct world *w, struct node *n)
{
	u64 limit = swb_core_trim_limit(&n->core, false);

	for (u8 i = 0; i < n->core.config.member_count; i++)
		if (i != n->core.self && n->core.peer[i].matched)
			return;
	if (limit != n->core.d.extent_lo)
		sim_violation(w, 92, "n%u may trim to %llu, extent_lo is %llu, nobody pins",
			      n->id, U(limit), U(n->core.d.extent_lo));
}

/* I-099, I-100: the pin of a session rises, by its own durable acks only. */
static void check_i099(struct world *w, struct node *n, u8 peer,
		       const struct swb_core *before, const struct swb_event *ev)
{
	const struct swb_core_peer *a = &before->peer[peer];
	const struct swb_core_peer *b = &n->core.peer[peer];

	if (!a->matched || !b->matched || a->session != b->session ||
	    n->core.role != SWBLOCK_ROLE_PRIMARY || pin_of(a) == pin_of(b))
		return;
	if (pin_of(b) < pin_of(a))
		sim_violation(w, 99, "n%u: pin of n%u falls from %llu to %llu",
			      n->id, peer, U(pin_of(a)), U(pin_of(b)));
	if (ev->type != SWB_EV_PEER_ACKED || ev->peer != peer)
		sim_violation(w, 100, "n%u: %s moves the pin of n%u", n->id,
			      swb_text_event(ev->type), peer);
}

/* I-054: history that a session still needs is gone: it ends in that step. */
static void check_i054(struct world *w, struct node *n, u8 peer)
{
	const struct swb_core_peer *p = &n->core.peer[peer];

	if (n->core.role == SWBLOCK_ROLE_PRIMARY && p->matched &&
	    p->cursor < n->core.log.start)
		sim_violation(w, 54, "n%u: n%u needs %llu, the log starts at %llu, the session lives",
			      n->id, peer, U(p->cursor), U(n->core.log.start));
}

/* I-096: OPEN and FACTS leave in a new session, the old one is dead. */
static void check_i096(struct world *w, struct node *n,
		       const struct swb_core *before,
		       const struct swb_actions *out)
{
	for (u32 i = 0; i < out->count; i++) {
		const struct swb_action *a = &out->act[i];
		const struct swb_core_peer *q;

		if (a->type != SWB_ACT_SEND_OPEN && a->type != SWB_ACT_SEND_FACTS)
			continue;
		q = &n->core.peer[a->peer];
		if (q->matched || q->session != a->a ||
		    before->peer[a->peer].session == a->a)
			sim_violation(w, 96, "n%u sends %s to n%u, its old session lives",
				      n->id, swb_text_action(a->type), a->peer);
	}
}

/* I-061: what should have come next did not: the session ends. */
static void check_i061(struct world *w, struct node *n,
		       const struct swb_core *before, const struct swb_event *ev)
{
	const struct swb_core_peer *p;

	if (ev->type != SWB_EV_PEER_PINGED || ev->peer >= SWB_MEMBERS_MAX)
		return;
	p = &before->peer[ev->peer];
	if (before->role == SWBLOCK_ROLE_REPLICA && p->matched &&
	    p->session == ev->session && ev->epoch == before->d.epoch &&
	    ev->u.ping.next > before->log.head + 1 &&
	    n->core.peer[ev->peer].linked)
		sim_violation(w, 61, "n%u: its log ends at %llu, %llu comes next, the session goes on",
			      n->id, U(before->log.head), U(ev->u.ping.next));
}

/*
 * I-224, I-064: a START that is obeyed names the last LSN that both logs have
 * in common, by the truth, and none below what the extent may hold.
 */
static void check_i224(struct world *w, struct node *n,
		       const struct swb_core *before, const struct swb_event *ev)
{
	const struct swb_facts *f = &before->primary_facts;
	u64 m, own, other, next;

	if (ev->type != SWB_EV_PEER_STARTED || ev->peer >= SWB_MEMBERS_MAX ||
	    (n->core.truncating == before->truncating &&
	     n->core.peer[ev->peer].matched == before->peer[ev->peer].matched))
		return;
	m = ev->u.start.truncate_to;
	if (m > before->log.head)
		m = before->log.head;
	own = ref_epoch_at(&w->ref, before->log.last_epoch, m);
	other = ref_epoch_at(&w->ref, f->last_epoch, m);
	if (own != other)
		sim_violation(w, 224, "n%u obeys START at %llu: epoch %llu here, %llu there",
			      n->id, U(m), U(own), U(other));
	next = m + 1;
	if (next <= before->log.head && next <= f->log_end &&
	    ref_epoch_at(&w->ref, before->log.last_epoch, next) ==
		    ref_epoch_at(&w->ref, f->last_epoch, next))
		sim_violation(w, 224, "n%u obeys START at %llu, both logs have %llu in common",
			      n->id, U(m), U(next));
	if (m < before->d.extent_hi)
		sim_violation(w, 64, "n%u: a match at %llu, its extent holds up to %llu",
			      n->id, U(m), U(before->d.extent_hi));
}

/* I-212: a flush counts in the log generation it was issued in. */
static void check_i212(struct world *w, struct node *n,
		       const struct swb_core *before, const struct swb_event *ev)
{
	if (ev->type == SWB_EV_LOG_FLUSHED &&
	    ev->generation != before->log.generation &&
	    n->core.log.durable > before->log.durable)
		sim_violation(w, 212, "n%u: a flush of log generation %u counts in %u",
			      n->id, ev->generation, before->log.generation);
}

/* I-037: whoever is refused is counted, with a reason. */
static void check_i037(struct world *w, struct node *n,
		       const struct swb_core *before,
		       const struct swb_actions *out)
{
	u64 told = 0, counted = 0;

	for (u32 i = 0; i < out->count; i++) {
		const struct swb_action *a = &out->act[i];

		told += a->type == SWB_ACT_SEND_CLOSE ||
			a->type == SWB_ACT_NOTIFY_REFUSED;
		if (a->type == SWB_ACT_SEND_CLOSE && !a->a)
			sim_violation(w, 37, "n%u refuses n%u without a reason",
				      n->id, a->peer);
	}
	for (u32 r = 1; r < __SWBLOCK_REASON_MAX; r++)
		counted += n->core.refused[r] - before->refused[r];
	if (counted < told)
		sim_violation(w, 37, "n%u refuses %llu times, counts %llu",
			      n->id, U(told), U(counted));
}

/* I-013: in best_effort C follows the primary's own disk and nobody else's. */
static void check_i013(struct world *w, struct node *n)
{
	const struct swb_core *c = &n->core;

	if (c->role != SWBLOCK_ROLE_PRIMARY ||
	    c->config.mode != SWBLOCK_MODE_BEST_EFFORT ||
	    (c->hold & SWBLOCK_COND_SUSPENDED_EPOCH) ||
	    c->log.durable < c->log.open_lsn)
		return;
	if (c->log.committed < c->log.durable)
		sim_violation(w, 13, "n%u: best_effort, C %llu waits, own durable is %llu",
			      n->id, U(c->log.committed), U(c->log.durable));
}

static bool own_report(const struct swb_cert *cert, const struct swb_uuid *who)
{
	for (u32 i = 0; i < cert->report_count; i++)
		if (swb_uuid_equal(&cert->report[i].replica, who) &&
		    cert->report[i].adopted == cert->epoch &&
		    !(cert->report[i].flags & (SWBLOCK_REPORT_INCONSISTENT |
					       SWBLOCK_REPORT_DISK_FAILED)))
			return true;
	return false;
}

/*
 * I-208, I-218: no void copy opens an epoch, and in best_effort none without
 * the word of who was granted last, but by an override.
 */
static void check_i208(struct world *w, struct node *n, const struct swb_event *ev)
{
	const struct swb_cert *cert = ev->u.cert.cert;
	bool best_effort = false;

	if (ev->type != SWB_EV_CERTIFIED || n->core.promote_letter != 'A')
		return;
	if (n->core.d.flags & (SWB_SUPER_INCONSISTENT | SWB_SUPER_DISK_FAILED) ||
	    !own_report(cert, &n->core.d.replica))
		sim_violation(w, 208, "n%u opens epoch %llu, its copy is void",
			      n->id, U(cert->epoch));
	for (u32 i = 0; i < cert->judge_count; i++)
		best_effort |= cert->judge[i].mode == SWBLOCK_MODE_BEST_EFFORT;
	if (best_effort && cert->last_granted_epoch &&
	    !(cert->flags & SWBLOCK_CERT_OVERRIDE) &&
	    !own_report(cert, &cert->last_granted))
		sim_violation(w, 218, "n%u opens epoch %llu, the last primary was not heard",
			      n->id, U(cert->epoch));
}

void check_sessions(struct world *w, struct node *n,
		    const struct swb_core *before, const struct swb_event *ev,
		    const struct swb_actions *out)
{
	for (u8 p = 0; p < w->shape.nodes; p++) {
		if (p == n->core.self)
			continue;
		check_i099(w, n, p, before, ev);
		check_i054(w, n, p);
	}
	check_i092(w, n);
	check_i096(w, n, before, out);
	check_i061(w, n, before, ev);
	check_i224(w, n, before, ev);
	check_i212(w, n, before, ev);
	check_i037(w, n, before, out);
	check_i013(w, n);
	check_i208(w, n, ev);
}
