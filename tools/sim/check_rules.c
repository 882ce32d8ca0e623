// SPDX-License-Identifier: GPL-2.0-only
/* Invariants of a step: known C, adoption, holds and the disk's latch. */
#include <string.h>

#include "check.h"

#define U(x)	((unsigned long long)(x))

static bool ordered(const struct swb_actions *out, enum swb_action_type type)
{
	for (u32 i = 0; i < out->count; i++)
		if (out->act[i].type == type)
			return true;
	return false;
}

/*
 * I-209, P8: C is known in a matched session. Where one begins or ends, and
 * where an epoch is adopted, it is extent_hi again.
 */
static void check_p8(struct world *w, struct node *n,
		     const struct swb_core *before, const struct swb_event *ev)
{
	const struct swb_core *c = &n->core;
	const struct swb_core_peer *a, *b;
	bool forget = before->adopt == SWB_ADOPT_SAVING &&
		      c->adopt == SWB_ADOPT_IDLE &&
		      ev->type == SWB_EV_SUPER_SAVED;

	if (before->role == SWBLOCK_ROLE_REPLICA &&
	    before->primary < SWB_MEMBERS_MAX) {
		a = &before->peer[before->primary];
		b = &c->peer[before->primary];
		forget |= a->session && a->session != b->session;
		forget |= !a->matched && b->matched;
	}
	if (forget && c->log.committed > c->d.extent_hi)
		sim_violation(w, 209, "n%u still knows C = %llu, extent_hi is %llu",
			      n->id, U(c->log.committed), U(c->d.extent_hi));
}

/* I-219, P16: what is told of C is what was known, in reports and in facts. */
static void check_p16(struct world *w, struct node *n,
		      const struct swb_core *before, const struct swb_event *ev,
		      const struct swb_actions *out)
{
	static struct swb_facts f;
	struct swb_report r;

	if (ev->type == SWB_EV_ADOPT_ORDERED && n->core.adopt &&
	    n->core.adopt_epoch != before->adopt_epoch)
		n->known_c = before->log.committed;
	if (ev->type == SWB_EV_LOG_TRUNCATED && n->known_c > n->core.log.head)
		n->known_c = n->core.log.head;
	if (ordered(out, SWB_ACT_NOTIFY_REPORT)) {
		swb_core_report(&n->core, &r);
		if (r.committed < n->known_c)
			sim_violation(w, 219, "n%u reports C = %llu, it knew %llu",
				      n->id, U(r.committed), U(n->known_c));
	}
	if (!ordered(out, SWB_ACT_SEND_OPEN) &&
	    !ordered(out, SWB_ACT_SEND_FACTS))
		return;
	swb_core_own_facts(&n->core, SWB_NOBODY, &f);
	if (f.committed < n->core.log.committed)
		sim_violation(w, 219, "n%u tells C = %llu of itself, it knows %llu",
			      n->id, U(f.committed), U(n->core.log.committed));
}

/* I-003, P16: a new primary starts with the newest C that was reported. */
static void check_c_opening(struct world *w, struct node *n,
			    const struct swb_core *before,
			    const struct swb_event *ev)
{
	const struct swb_core *c = &n->core;
	const struct swb_cert *cert = ev->u.cert.cert;

	if (ev->type == SWB_EV_CERTIFIED && c->open == SWB_OPEN_SAVING) {
		n->cert_c = 0;
		for (u32 i = 0; i < cert->report_count; i++)
			n->cert_c = max_t(u64, n->cert_c,
					  cert->report[i].committed);
	}
	if (before->open != SWB_OPEN_SAVING || c->open != SWB_OPEN_DONE)
		return;
	if (c->log.committed < min_t(u64, n->cert_c, before->log.head))
		sim_violation(w, 3, "n%u opens with C = %llu, %llu was reported",
			      n->id, U(c->log.committed), U(n->cert_c));
}

/* I-205, P6: one flush covers all that was received, and no cut crosses it. */
static void check_p6(struct world *w, struct node *n,
		     const struct swb_core *before, const struct swb_event *ev,
		     const struct swb_actions *out)
{
	const struct swb_core *c = &n->core;

	if (ordered(out, SWB_ACT_FLUSH_LOG) && c->adopt == SWB_ADOPT_FLUSHING &&
	    c->log.written < c->log.head)
		sim_violation(w, 205, "n%u adopts: the flush covers %llu of %llu received",
			      n->id, U(c->log.written), U(c->log.head));
	if (ordered(out, SWB_ACT_TRUNCATE))
		n->cut_epoch = c->d.epoch;
	if (ev->type == SWB_EV_LOG_TRUNCATED && before->truncating &&
	    before->d.epoch != n->cut_epoch)
		sim_violation(w, 205, "n%u: a cut of epoch %llu ends in epoch %llu",
			      n->id, U(n->cut_epoch), U(before->d.epoch));
}

/* I-033: who hears that a newer epoch was adopted holds its I/O, and commits no more. */
static void check_i033(struct world *w, struct node *n,
		       const struct swb_core *before, const struct swb_event *ev)
{
	const struct swb_core *c = &n->core;

	if (c->role != SWBLOCK_ROLE_PRIMARY ||
	    before->role != SWBLOCK_ROLE_PRIMARY)
		return;
	if (before->hold & SWBLOCK_COND_SUSPENDED_EPOCH &&
	    c->d.opened == before->d.opened &&
	    c->log.committed > before->log.committed)
		sim_violation(w, 33, "n%u commits %llu, it knows of a newer epoch",
			      n->id, U(c->log.committed));
	if (ev->type == SWB_EV_PEER_CLOSED && ev->peer < SWB_MEMBERS_MAX &&
	    (ev->reason == SWBLOCK_REASON_STALE_EPOCH ||
	     ev->reason == SWBLOCK_REASON_ADOPTED) &&
	    ev->epoch > before->d.epoch && before->peer[ev->peer].linked &&
	    c->io == SWB_IO_OPEN)
		sim_violation(w, 33, "n%u goes on, n%u has adopted epoch %llu",
			      n->id, ev->peer, U(ev->epoch));
}

/* I-220, P17: nothing becomes durable on a disk that has failed. */
static void check_i220(struct world *w, struct node *n,
		       const struct swb_core *before)
{
	const struct swb_core *c = &n->core;

	if (before->d.flags & SWB_SUPER_DISK_FAILED &&
	    (c->log.durable > before->log.durable ||
	     c->log.written > before->log.written))
		sim_violation(w, 220, "n%u: its disk failed, durable %llu -> %llu, written %llu -> %llu",
			      n->id, U(before->log.durable), U(c->log.durable),
			      U(before->log.written), U(c->log.written));
	if (before->d.flags & SWB_SUPER_DISK_FAILED &&
	    !(c->d.flags & SWB_SUPER_DISK_FAILED))
		sim_violation(w, 220, "n%u forgets that its disk failed",
			      n->id);
}

/* I-215, P12: who had the device open when its I/O failed has to open it anew. */
static void check_openers(struct node *n, const struct swb_core *before,
			  const struct swb_event *ev,
			  const struct swb_actions *out)
{
	if (ordered(out, SWB_ACT_FAIL_IO) && before->openers)
		n->old_openers = true;
	if (ev->type == SWB_EV_LAST_CLOSED && !n->core.openers)
		n->old_openers = false;
}

void check_admitted(struct world *w, struct node *n)
{
	if (n->old_openers)
		sim_violation(w, 215, "n%u admits a write of who had it open when I/O failed",
			      n->id);
}

/* I-220: a failed disk takes nothing and promises nothing. */
void check_failed_disk(struct world *w, struct node *n, const char *does)
{
	if (n->core.d.flags & SWB_SUPER_DISK_FAILED)
		sim_violation(w, 220, "n%u %s, its disk has failed", n->id,
			      does);
}

void check_rules(struct world *w, struct node *n, const struct swb_core *before,
		 const struct swb_event *ev, const struct swb_actions *out)
{
	check_p8(w, n, before, ev);
	check_p16(w, n, before, ev, out);
	check_c_opening(w, n, before, ev);
	check_p6(w, n, before, ev, out);
	check_i033(w, n, before, ev);
	check_i220(w, n, before);
	check_openers(n, before, ev, out);
	/* I-097: what is not in the extent may not leave the ring */
	if (swb_core_trim_limit(&n->core, false) > n->core.d.extent_lo)
		sim_violation(w, 97, "n%u may trim to %llu, extent_lo is %llu",
			      n->id, U(swb_core_trim_limit(&n->core, false)),
			      U(n->core.d.extent_lo));
	/* I-105: the marks of the extent rise */
	if (n->core.d.extent_lo < before->d.extent_lo)	/* the mark is no step */
		sim_violation(w, 105, "n%u: extent_lo falls from %llu to %llu",
			      n->id, U(before->d.extent_lo),
			      U(n->core.d.extent_lo));
}
