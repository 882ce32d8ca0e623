// SPDX-License-Identifier: GPL-2.0-only
/* Invariants of one step, one function per number: the fact, before, after, orders. */
#include <stdarg.h>
#include <string.h>

#include "model.h"

#define U(x)	((unsigned long long)(x))

void ev_violation(struct ev_world *w, u32 id, const char *fmt, ...)
{
	va_list ap;

	if (w->violation)
		return;
	w->violation = id;
	va_start(ap, fmt);
	vsnprintf(w->why, sizeof(w->why), fmt, ap);
	va_end(ap);
	ev_say(w, EV_NOBODY, "I-%03u BROKEN: %s", id, w->why);
}

struct step {
	struct ev_world *w;
	u8 n;
	const struct swb_core *a;	/* before */
	const struct swb_core *b;	/* after */
	const struct swb_event *ev;
	const struct swb_actions *out;
};

static const struct swb_action *order(const struct step *s,
				      enum swb_action_type type)
{
	for (u32 i = 0; i < s->out->count; i++)
		if (s->out->act[i].type == type)
			return &s->out->act[i];
	return NULL;
}

/* Does the fact come by a link, and belong to the session that was live? */
static bool by_frame(const struct swb_event *ev)
{
	return ev->type == SWB_EV_PEER_FACTS || ev->type == SWB_EV_PEER_STARTED ||
	       ev->type == SWB_EV_PEER_ACKED || ev->type == SWB_EV_PEER_PINGED;
}

static bool live(const struct step *s)
{
	const struct swb_core_peer *p = &s->a->peer[s->ev->peer];

	return p->linked && p->session && p->session == s->ev->session &&
	       s->ev->epoch == s->a->d.epoch;
}

/*
 * What decides anything later: equal before and after means: no effect. That the
 * lease ran out is noticed in any step, whatever the fact (P13).
 */
static bool same(const struct swb_core *a, const struct swb_core *b)
{
	bool ends = a->lease_end_ns && b->now_ns >= a->lease_end_ns;

	if (!ends && (a->io != b->io || a->hold != b->hold))
		return false;
	if (memcmp(&a->log, &b->log, sizeof(a->log)) != 0 ||
	    a->d.epoch != b->d.epoch || a->d.opened != b->d.opened ||
	    a->d.committed != b->d.committed || a->role != b->role ||
	    a->primary != b->primary || a->adopt != b->adopt || a->open != b->open ||
	    a->truncating != b->truncating || a->d.flags != b->d.flags ||
	    a->d.lineage.count != b->d.lineage.count)
		return false;
	for (u32 i = 0; i < EV_NODES; i++)
		if (a->peer[i].state != b->peer[i].state ||
		    a->peer[i].session != b->peer[i].session ||
		    a->peer[i].linked != b->peer[i].linked ||
		    a->peer[i].matched != b->peer[i].matched ||
		    a->peer[i].durable != b->peer[i].durable ||
		    a->peer[i].received != b->peer[i].received ||
		    a->peer[i].cursor != b->peer[i].cursor)
			return false;
	return true;
}

/* I-003, I-204: C rises, and past the inherited records with the opening only. */
static void check_i003(struct step *s)
{
	if (s->b->role != SWBLOCK_ROLE_PRIMARY)
		return;
	if (s->a->role == SWBLOCK_ROLE_PRIMARY &&
	    s->b->log.committed < s->a->log.committed)
		ev_violation(s->w, 3, "n%u: C falls from %llu to %llu", s->n,
			     U(s->a->log.committed), U(s->b->log.committed));
	if (s->a->role == SWBLOCK_ROLE_PRIMARY &&
	    s->b->log.committed > s->a->log.committed &&
	    s->b->log.committed < s->b->log.open_lsn)
		ev_violation(s->w, 204, "n%u: C %llu, the epoch opens at %llu",
			     s->n, U(s->b->log.committed), U(s->b->log.open_lsn));
}

/* I-004: never two records at one LSN; what is committed becomes the truth. */
static void check_i004(struct step *s)
{
	struct ev_truth *t = &s->w->truth;
	u64 tip = s->b->log.last_epoch;

	if (s->b->role != SWBLOCK_ROLE_PRIMARY ||
	    s->b->log.open_lsn == 0 || s->b->log.committed < s->b->log.open_lsn ||
	    !t->first[tip])
		return;
	for (u8 x = 1; x <= s->b->log.committed && x <= EV_LSNS; x++) {
		u8 epoch = ev_truth_at(s->w, (u8)tip, x);

		if (!t->committed[x])
			t->committed[x] = epoch;
		else if (t->committed[x] != epoch)
			ev_violation(s->w, 4, "n%u commits (%u,%u), epoch %u was committed there",
				     s->n, epoch, x, t->committed[x]);
	}
}

/* I-021: epochs rise, opened <= adopted. */
static void check_i021(struct step *s)
{
	if (s->b->d.epoch < s->a->d.epoch || s->b->d.opened < s->a->d.opened ||
	    s->b->d.opened > s->b->d.epoch)
		ev_violation(s->w, 21, "n%u: adopted %llu -> %llu, opened %llu -> %llu",
			     s->n, U(s->a->d.epoch), U(s->b->d.epoch),
			     U(s->a->d.opened), U(s->b->d.opened));
}

/* I-027, I-083: what belongs to no live session changes nothing. */
static void check_i083(struct step *s)
{
	if (!by_frame(s->ev) || live(s))
		return;
	/* an epoch above ours is heard all the same: it stops commits */
	if (s->ev->type == SWB_EV_PEER_FACTS && s->ev->epoch > s->a->d.epoch)
		return;
	if (!same(s->a, s->b))
		ev_violation(s->w, 83, "n%u: %s of a dead session has an effect",
			     s->n, swb_text_event(s->ev->type));
}

/* I-084: the same frame with another session id would have had none. */
static void check_i084(struct step *s)
{
	static struct swb_core c;
	static struct swb_actions out;
	struct swb_event ev = *s->ev;

	if (!by_frame(&ev) || !live(s))
		return;
	c = *s->a;
	ev.session ^= 1;
	swb_core_step(&c, &ev, &out);
	if (!same(s->a, &c))
		ev_violation(s->w, 84, "n%u: %s obeys a session that it never had",
			     s->n, swb_text_event(ev.type));
}

/* I-090: the same order or fact once more changes nothing more. */
static void check_i090(struct step *s)
{
	static struct swb_core c;
	static struct swb_actions out;
	struct swb_event ev = *s->ev;

	switch (ev.type) {
	case SWB_EV_ADOPT_ORDERED: case SWB_EV_ASSIGNED: case SWB_EV_CERTIFIED:
	case SWB_EV_LEASE_SET: case SWB_EV_PEER_FACTS: case SWB_EV_PEER_STARTED:
	case SWB_EV_PEER_ACKED: case SWB_EV_PEER_PINGED:
	case SWB_EV_LOG_WRITTEN: case SWB_EV_LOG_TRUNCATED:
	case SWB_EV_BARRIER_WANTED: case SWB_EV_CHECKPOINTED:
	case SWB_EV_LINK_LOST:
		break;
	case SWB_EV_DISK_FAILED:	/* each failure is news: of the save, too */
	case SWB_EV_DEMOTE_ORDERED: case SWB_EV_LINKED: case SWB_EV_UNLINK_ORDERED:
	case SWB_EV_PEER_OPENED: case SWB_EV_PEER_CLOSED:
	case SWB_EV_LOG_FLUSHED: case SWB_EV_SUPER_SAVED:
	case SWB_EV_SUSPEND_ORDERED: case SWB_EV_EXTENT_GROWN:
	case SWB_EV_LAST_CLOSED: case SWB_EV_TICK: case SWB_EV_COUNT:
	case SWB_EV_REBUILD_ORDERED: case SWB_EV_REBUILD_PREPARED:
	case SWB_EV_BASE_SENT: case SWB_EV_PEER_BASE_ENDED:
	case SWB_EV_REBUILD_CLEARED:
		return;
	}
	c = *s->b;
	swb_core_step(&c, &ev, &out);
	if (!same(s->b, &c))
		ev_violation(s->w, 90, "n%u: %s, repeated, changes something",
			     s->n, swb_text_event(ev.type));
}

/* I-091: an order below the adopted epoch changes nothing. */
static void check_i091(struct step *s)
{
	if (s->ev->type != SWB_EV_ADOPT_ORDERED && s->ev->type != SWB_EV_ASSIGNED &&
	    s->ev->type != SWB_EV_CERTIFIED && s->ev->type != SWB_EV_LEASE_SET)
		return;
	if (s->ev->epoch < s->a->d.epoch && !same(s->a, s->b))
		ev_violation(s->w, 91, "n%u obeys %s of epoch %llu, adopted is %llu",
			     s->n, swb_text_event(s->ev->type), U(s->ev->epoch),
			     U(s->a->d.epoch));
}

/* I-033, I-043: no session survives its epoch, nothing is in sync without a link. */
static void check_i043(struct step *s, u8 p)
{
	const struct swb_core_peer *x = &s->b->peer[p];

	if (!x->linked && (x->state == SWBLOCK_PEER_IN_SYNC || x->matched))
		ev_violation(s->w, 43, "n%u: n%u is %s without a link", s->n, p,
			     swb_text_peer_state(x->state));
	if (x->session && (s->a->d.epoch != s->b->d.epoch ||
			   (s->b->adopt != SWB_ADOPT_IDLE &&
			    s->a->adopt == SWB_ADOPT_IDLE)) &&
	    x->session == s->a->peer[p].session)
		ev_violation(s->w, 33, "n%u: the session with n%u outlives its epoch",
			     s->n, p);
}

/* I-039, I-040, I-041: in sync by proof only; needs_rebuild stays. */
static void check_i041(struct step *s, u8 p)
{
	const struct swb_core_peer *x = &s->a->peer[p], *y = &s->b->peer[p];
	bool reborn = s->a->role != s->b->role || s->a->d.epoch != s->b->d.epoch ||
		      s->a->adopt != s->b->adopt;

	if (x->state == SWBLOCK_PEER_NEEDS_REBUILD && y->state != x->state &&
	    s->b->role == SWBLOCK_ROLE_PRIMARY && !reborn)
		ev_violation(s->w, 40, "n%u: n%u leaves needs_rebuild by %s", s->n,
			     p, swb_text_event(s->ev->type));
	if (y->state != SWBLOCK_PEER_IN_SYNC || x->state == y->state ||
	    s->b->role != SWBLOCK_ROLE_PRIMARY)
		return;
	if (x->state != SWBLOCK_PEER_CATCHING_UP)
		ev_violation(s->w, 39, "n%u: n%u goes from %s to in_sync", s->n, p,
			     swb_text_peer_state(x->state));
	if (!y->matched || y->durable < y->target ||
	    s->b->log.committed < y->target || y->target < s->b->log.open_lsn ||
	    s->w->exec[p].medium_end < y->target)
		ev_violation(s->w, 41, "n%u: n%u in_sync, target %llu, durable %llu, on its medium %u",
			     s->n, p, U(y->target), U(y->durable),
			     s->w->exec[p].medium_end);
}

/* I-045, I-139: no transport fact and no timer chooses a recovery class or a role. */
static void check_i139(struct step *s, u8 p)
{
	u8 from = s->a->peer[p].state, to = s->b->peer[p].state;
	bool class = to == SWBLOCK_PEER_NEEDS_REBUILD || to == SWBLOCK_PEER_REFUSED;

	if (s->ev->type == SWB_EV_TICK &&
	    ((class && from != to) || s->a->role != s->b->role ||
	     s->a->d.epoch != s->b->d.epoch))
		ev_violation(s->w, 139, "n%u: a timer decides about n%u", s->n, p);
	if (s->b->role == SWBLOCK_ROLE_PRIMARY && from != to &&
	    to == SWBLOCK_PEER_NEEDS_REBUILD &&
	    s->ev->type != SWB_EV_PEER_FACTS &&
	    s->ev->type != SWB_EV_CHECKPOINTED)
		ev_violation(s->w, 45, "n%u: %s makes n%u need a rebuild", s->n,
			     swb_text_event(s->ev->type), p);
}

/* I-055: a session keeps its target. */
static void check_i055(struct step *s, u8 p)
{
	const struct swb_core_peer *x = &s->a->peer[p], *y = &s->b->peer[p];

	if (x->matched && y->matched && x->session == y->session &&
	    (x->target != y->target || y->cursor < x->cursor))
		ev_violation(s->w, 55, "n%u: target of n%u moves from %llu to %llu",
			     s->n, p, U(x->target), U(y->target));
}

/* I-087: a session, and its link, ends once. */
static void check_i087(struct step *s, u8 p)
{
	u32 closes = 0;

	for (u32 i = 0; i < s->out->count; i++)
		closes += s->out->act[i].type == SWB_ACT_CLOSE_LINK &&
			  s->out->act[i].peer == p;
	if (closes > 1 || (closes && !s->a->peer[p].linked &&
			   s->ev->type != SWB_EV_LINKED))
		ev_violation(s->w, 87, "n%u: the link of n%u ends %u times", s->n,
			     p, closes);
}

/* I-096, P5, P8: the old session is dead before FACTS of the new one leave. */
static void check_i096(struct step *s)
{
	const struct swb_action *a = order(s, SWB_ACT_SEND_FACTS);
	const struct swb_core_peer *y;

	if (!a)
		return;
	y = &s->b->peer[a->peer];
	if (y->matched || y->session != a->a)
		ev_violation(s->w, 96, "n%u answers session %llu, %llu is live",
			     s->n, U(a->a), U(y->session));
	if (s->a->peer[a->peer].session &&
	    s->a->log.generation == s->b->log.generation)
		ev_violation(s->w, 96, "n%u: flushes of the old session may count",
			     s->n);
	if (s->b->log.committed > s->b->d.extent_hi)
		ev_violation(s->w, 209, "n%u: C %llu outlives its session", s->n,
			     U(s->b->log.committed));
}

/* I-100, I-054: pins follow durable acks; a lost pin ends the session at once. */
static void check_i054(struct step *s, u8 p)
{
	const struct swb_core_peer *y = &s->b->peer[p];

	if (s->b->role == SWBLOCK_ROLE_PRIMARY && y->matched &&
	    y->cursor < s->b->log.start)
		ev_violation(s->w, 54, "n%u: n%u needs record %llu, the log starts at %llu",
			     s->n, p, U(y->cursor), U(s->b->log.start));
	if (y->durable > s->a->peer[p].durable &&
	    (s->ev->type != SWB_EV_PEER_ACKED || s->ev->peer != p || !live(s)))
		ev_violation(s->w, 100, "n%u: %s raises the durable LSN of n%u",
			     s->n, swb_text_event(s->ev->type), p);
}

/* I-135: a timer finds nothing to do where its session is gone. */
static void check_i135(struct step *s, u8 p)
{
	if (s->ev->type != SWB_EV_TICK || s->a->peer[p].linked)
		return;
	if (memcmp(&s->a->peer[p], &s->b->peer[p], sizeof(s->a->peer[p])) != 0)
		ev_violation(s->w, 135, "n%u: a timer touches n%u, whose session is gone",
			     s->n, p);
}

/* I-136, I-215, I-216: nothing succeeds while it is held, refused or past the lease. */
static void check_i136(struct step *s)
{
	const struct swb_action *a = order(s, SWB_ACT_COMPLETE_BARRIERS);

	if (!a)
		a = order(s, SWB_ACT_COMPLETE_WRITES);
	if (!a)
		return;
	if (s->b->io != SWB_IO_OPEN)
		ev_violation(s->w, 136, "n%u: %s while I/O is held or failed", s->n,
			     swb_text_action(a->type));
	if (s->b->lease_end_ns && s->w->now_ns >= s->b->lease_end_ns)
		ev_violation(s->w, 216, "n%u: %s after the lease", s->n,
			     swb_text_action(a->type));
}

/* I-212: a flush counts in the log generation that it was issued in, and no other. */
static void check_i212(struct step *s)
{
	if (s->b->log.durable > s->a->log.durable &&
	    (s->ev->type != SWB_EV_LOG_FLUSHED ||
	     s->ev->generation != s->a->log.generation))
		ev_violation(s->w, 212, "n%u: %s raises durable from %llu to %llu",
			     s->n, swb_text_event(s->ev->type),
			     U(s->a->log.durable), U(s->b->log.durable));
}

/* I-007: within a generation what is durable stays so. */
static void check_i007(struct step *s)
{
	if (s->b->log.durable < s->a->log.durable &&
	    s->ev->type != SWB_EV_LOG_TRUNCATED)
		ev_violation(s->w, 7, "n%u: %s lowers durable", s->n,
			     swb_text_event(s->ev->type));
}

/* I-219: no cut below what is committed on this log, nor below own known C. */
static void check_i219(struct step *s)
{
	const struct swb_action *a = order(s, SWB_ACT_TRUNCATE);

	if (!a)
		return;
	for (u8 x = (u8)a->a + 1; x <= s->b->log.head && x <= EV_LSNS; x++)
		if (s->w->truth.committed[x] &&
		    s->w->exec[s->n].rec[x] == s->w->truth.committed[x])
			ev_violation(s->w, 219, "n%u cuts committed (%u,%u)", s->n,
				     s->w->truth.committed[x], x);
}

/* I-206, I-037: a refused order or peer has its reason counted. */
static void check_i037(struct step *s)
{
	const struct swb_action *a = order(s, SWB_ACT_NOTIFY_REFUSED);
	u64 before = 0, after = 0;

	if (!a && !order(s, SWB_ACT_SEND_CLOSE))
		return;
	for (u32 i = 0; i < __SWBLOCK_REASON_MAX; i++) {
		before += s->a->refused[i];
		after += s->b->refused[i];
	}
	if (after == before)
		ev_violation(s->w, 37, "n%u refuses without a reason", s->n);
}

void ev_check_step(struct ev_world *w, u8 node, const struct swb_core *before,
		   const struct swb_event *ev, const struct swb_actions *out)
{
	struct step s = { w, node, before, &w->core[node], ev, out };

	check_i003(&s);
	check_i004(&s);
	check_i021(&s);
	check_i083(&s);
	check_i084(&s);
	check_i090(&s);
	check_i091(&s);
	check_i096(&s);
	check_i136(&s);
	check_i212(&s);
	check_i007(&s);
	check_i219(&s);
	check_i037(&s);
	for (u8 p = 0; p < w->script->nodes; p++) {
		if (p == node)
			continue;
		check_i043(&s, p);
		check_i041(&s, p);
		check_i139(&s, p);
		check_i055(&s, p);
		check_i087(&s, p);
		check_i054(&s, p);
		check_i135(&s, p);
	}
}
