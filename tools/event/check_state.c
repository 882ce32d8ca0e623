// SPDX-License-Identifier: GPL-2.0-only
/*
 * Invariants of a state, asked after every event, and of the moments at which
 * something leaves a member. Compared with the media and with the truth, never
 * with what a core says of itself.
 */
#include <string.h>

#include "model.h"
#include "../../kmod/format/wire.h"

#define U(x)	((unsigned long long)(x))

/* epoch of record @lsn in the history whose newest epoch is @tip */
u8 ev_truth_at(const struct ev_world *w, u8 tip, u8 lsn)
{
	while (tip && w->truth.first[tip] > lsn)
		tip = w->truth.parent[tip];
	return tip;
}

static bool on_medium(const struct ev_world *w, u8 node, u8 epoch, u8 lsn)
{
	const struct ev_exec *x = &w->exec[node];

	return !lsn || (lsn <= x->medium_end && x->medium[lsn] == epoch);
}

/* ---- after every event ------------------------------------------------------------ */

/* I-005: what a primary counts for a peer is on that peer's medium. */
static void check_i005(struct ev_world *w, u8 n, u8 p)
{
	const struct swb_core *c = &w->core[n];
	u8 lsn = (u8)c->peer[p].durable;

	if (c->role != SWBLOCK_ROLE_PRIMARY || w->core[p].d.epoch > c->d.epoch)
		return;
	if (!on_medium(w, p, w->exec[n].rec[lsn], lsn))
		ev_violation(w, 5, "n%u counts %u for n%u, whose medium ends at %u",
			     n, lsn, p, w->exec[p].medium_end);
}

/* I-006: what a member calls durable survives a power cut now. */
static void check_i006(struct ev_world *w, u8 n)
{
	u64 durable = w->core[n].log.durable;

	if (w->exec[n].cutting && durable > w->exec[n].cut_to)
		durable = w->exec[n].cut_to;
	if (durable > w->exec[n].medium_end)
		ev_violation(w, 6, "n%u calls %llu durable, its medium ends at %u",
			     n, U(durable), w->exec[n].medium_end);
}

/* I-008: order of the marks. */
static void check_i008(struct ev_world *w, u8 n)
{
	const struct swb_log *l = &w->core[n].log;
	const struct swb_durable *d = &w->core[n].d;

	if (d->extent_lo > d->extent_hi || d->extent_hi > l->durable ||
	    l->durable > l->written || l->written > l->head ||
	    l->start > l->head + 1)
		ev_violation(w, 8, "n%u: lo %llu hi %llu durable %llu written %llu head %llu",
			     n, U(d->extent_lo), U(d->extent_hi), U(l->durable),
			     U(l->written), U(l->head));
}

/* I-022: per epoch at most one member admits writes. */
static void check_i022(struct ev_world *w, u8 n)
{
	for (u8 p = 0; p < n; p++)
		if (w->core[n].role == SWBLOCK_ROLE_PRIMARY &&
		    w->core[p].role == SWBLOCK_ROLE_PRIMARY &&
		    w->core[n].d.opened == w->core[p].d.opened)
			ev_violation(w, 22, "n%u and n%u reign in epoch %llu", p, n,
				     U(w->core[n].d.opened));
}

/* I-032, I-223: every record is the one of its lineage. */
static void check_i032(struct ev_world *w, u8 n)
{
	const struct swb_core *c = &w->core[n];
	u8 tip = (u8)c->log.last_epoch;

	if (c->open == SWB_OPEN_SAVING)
		return;
	for (u8 x = 1; x <= c->log.head && x <= EV_LSNS; x++)
		if (w->exec[n].rec[x] != ev_truth_at(w, tip, x) ||
		    swb_lineage_epoch_at(&c->d.lineage, x) != w->exec[n].rec[x]) {
			ev_violation(w, 32, "n%u: record %u is of epoch %u, the lineage says %u",
				     n, x, w->exec[n].rec[x],
				     ev_truth_at(w, tip, x));
			return;
		}
}

/* I-082: one live session per replica. */
static void check_i082(struct ev_world *w, u8 n)
{
	u32 live = 0;

	for (u8 p = 0; p < w->script->nodes; p++)
		live += p != n && w->core[n].peer[p].session != 0;
	if (w->core[n].role != SWBLOCK_ROLE_PRIMARY && live > 1)
		ev_violation(w, 82, "n%u: %u live sessions on a replica", n, live);
}

/* I-092, I-097: only a live session pins, and what it pins is there. */
static void check_i092(struct ev_world *w, u8 n)
{
	const struct swb_core *c = &w->core[n];
	u64 limit = swb_core_trim_limit(c, false);
	bool session = false;

	for (u8 p = 0; p < w->script->nodes; p++)
		session |= p != n && c->peer[p].matched;
	if (c->role == SWBLOCK_ROLE_PRIMARY && !session &&
	    limit != c->d.extent_lo)
		ev_violation(w, 92, "n%u: trims to %llu without a session, extent_lo %llu",
			     n, U(limit), U(c->d.extent_lo));
	if (limit > c->d.extent_lo)
		ev_violation(w, 97, "n%u would trim to %llu, extent_lo is %llu", n,
			     U(limit), U(c->d.extent_lo));
}

/* I-209: what may go to the extent is committed. */
static void check_i209(struct ev_world *w, u8 n)
{
	u64 limit = swb_core_writeback_limit(&w->core[n]);

	if (limit <= w->core[n].d.extent_hi || limit > EV_LSNS)
		return;
	if (w->truth.committed[limit] != w->exec[n].rec[limit])
		ev_violation(w, 209, "n%u may write back (%u,%llu), not committed",
			     n, w->exec[n].rec[limit], U(limit));
}

/* I-028, I-217: every commit is in the history of every later opening. */
static void check_i217(struct ev_world *w)
{
	const struct ev_truth *t = &w->truth;

	for (u8 x = 1; x <= EV_LSNS && t->committed[x]; x++)
		for (u8 f = t->committed[x] + 1; f < EV_EPOCHS; f++)
			if (t->first[f] && (t->first[f] <= x ||
					    ev_truth_at(w, f, x) != t->committed[x]))
				ev_violation(w, 217, "(%u,%u) is committed, epoch %u of n%u lacks it",
					     t->committed[x], x, f, t->opener[f]);
}

/* I-216: nobody opens while another may still serve reads by an older lease. */
static void check_i216(struct ev_world *w)
{
	for (u8 n = 0; n < w->script->nodes; n++) {
		const struct swb_core *c = &w->core[n];

		if (c->role != SWBLOCK_ROLE_PRIMARY || !c->lease_end_ns ||
		    w->now_ns >= c->lease_end_ns)
			continue;
		for (u8 f = (u8)c->d.opened + 1; f < EV_EPOCHS; f++)
			if (w->truth.first[f])
				ev_violation(w, 216, "n%u reigns in epoch %u, the lease of n%u runs",
					     w->truth.opener[f], f, n);
	}
}

/* I-147: in_sync is true of the peer's medium as well. */
static void check_i147(struct ev_world *w, u8 n, u8 p)
{
	const struct swb_core *c = &w->core[n];

	if (c->role == SWBLOCK_ROLE_PRIMARY &&
	    c->peer[p].state == SWBLOCK_PEER_IN_SYNC &&
	    w->core[p].d.epoch <= c->d.epoch &&
	    !on_medium(w, p, w->exec[n].rec[c->peer[p].target],
		       (u8)c->peer[p].target))
		ev_violation(w, 147, "n%u calls n%u in_sync, its medium ends at %u",
			     n, p, w->exec[p].medium_end);
}

void ev_check_state(struct ev_world *w)
{
	for (u8 n = 0; n < w->script->nodes; n++) {
		check_i006(w, n);
		check_i008(w, n);
		check_i022(w, n);
		check_i032(w, n);
		check_i082(w, n);
		check_i092(w, n);
		check_i209(w, n);
		for (u8 p = 0; p < w->script->nodes; p++)
			if (p != n) {
				check_i005(w, n, p);
				check_i147(w, n, p);
			}
	}
	check_i216(w);
	check_i217(w);
}

/* ---- moments -------------------------------------------------------------------------- */

/* I-201, I-035, I-202: once per epoch, granted, saved before, at the log's end. */
void ev_check_opening(struct ev_world *w, u8 n, u8 epoch, u8 lsn)
{
	struct ev_truth *t = &w->truth;

	if (w->exec[n].stable.opened < epoch)
		ev_violation(w, 201, "n%u appends the opening of epoch %u, saved is %u",
			     n, epoch, w->exec[n].stable.opened);
	if (t->first[epoch])
		ev_violation(w, 201, "n%u opens epoch %u, n%u did before", n, epoch,
			     t->opener[epoch]);
	if (t->granted[epoch] != n + 1)
		ev_violation(w, 202, "n%u opens epoch %u, granted to n%d", n, epoch,
			     t->granted[epoch] - 1);
	t->opener[epoch] = n;
	t->first[epoch] = lsn;
	t->parent[epoch] = lsn > 1 ? w->exec[n].rec[lsn - 1] : 0;
}

/* I-025: admitted by a primary of its adopted epoch, within its lease. */
void ev_check_admitted(struct ev_world *w, u8 n)
{
	const struct swb_core *c = &w->core[n];

	if (c->role != SWBLOCK_ROLE_PRIMARY || c->d.opened != c->d.epoch ||
	    (c->lease_end_ns && w->now_ns >= c->lease_end_ns))
		ev_violation(w, 25, "n%u admits I/O without the right to", n);
}

/* I-215: held over an epoch of one's own, not over somebody else's. */
static void check_i215(struct ev_world *w, u8 n, const struct ev_op *op)
{
	for (u8 e = op->epoch + 1; e <= w->core[n].d.opened; e++)
		if (w->truth.first[e] && w->truth.opener[e] != n)
			ev_violation(w, 215, "n%u: I/O of epoch %u succeeds, n%u reigned in epoch %u",
				     n, op->epoch, w->truth.opener[e], e);
}

void ev_check_done(struct ev_world *w, u8 n, const struct ev_op *op)
{
	const struct swb_core *c = &w->core[n];

	check_i215(w, n, op);
	if (c->log.written < op->lsn)
		ev_violation(w, 230, "n%u: write %u ends before its log write", n,
			     op->lsn);
}

/* I-016, I-001, I-009: role and epoch hold, and the bytes are where the mode says. */
void ev_check_barrier(struct ev_world *w, u8 n, const struct ev_op *op)
{
	const struct swb_core *c = &w->core[n];
	u32 copies = 0;

	if (c->role != SWBLOCK_ROLE_PRIMARY || c->d.opened != c->d.epoch ||
	    (c->lease_end_ns && w->now_ns >= c->lease_end_ns))
		ev_violation(w, 16, "n%u: a barrier without role, epoch or lease", n);
	for (u8 i = 0; i < w->script->nodes; i++) {
		bool has = on_medium(w, i, w->exec[n].rec[op->lsn], op->lsn);

		copies += has;
		if (!has && (i == n || (c->config.mode == SWBLOCK_MODE_SYNC_ALL &&
					(c->config.required & 1u << i))))
			ev_violation(w, 1, "n%u: barrier at %u, not on n%u", n,
				     op->lsn, i);
	}
	if (c->config.mode == SWBLOCK_MODE_SYNC_QUORUM &&
	    copies <= w->script->nodes / 2u)
		ev_violation(w, 1, "n%u: barrier at %u on %u copies", n, op->lsn,
			     copies);
}

/* I-205, I-023: nothing of an older epoch leaves, nothing at all while adopting. */
void ev_check_frame(struct ev_world *w, u8 n, u8 peer, const struct ev_frame *f)
{
	const struct swb_core *c = &w->core[n];

	if (f->epoch < c->d.epoch ||
	    (c->adopt != SWB_ADOPT_IDLE && f->type != SWB_WIRE_CLOSE))
		ev_violation(w, 205, "n%u sends %s of epoch %u, adopted %llu%s", n,
			     swb_text_wire(f->type), f->epoch, U(c->d.epoch),
			     c->adopt != SWB_ADOPT_IDLE ? ", adopting" : "");
	if (f->type == SWB_WIRE_ACK && f->session != c->peer[peer].session)
		ev_violation(w, 83, "n%u acks a session that is not live", n);
	if (f->type == SWB_WIRE_ACK &&
	    !on_medium(w, n, w->exec[n].rec[f->a[2]], f->a[2]))
		ev_violation(w, 5, "n%u acks %u as durable, its medium ends at %u",
			     n, f->a[2], w->exec[n].medium_end);
}

/* I-052, I-059, I-023: the next record, of this epoch's session, after the cut. */
void ev_check_data(struct ev_world *w, u8 n, const struct ev_frame *f)
{
	const struct swb_core *c = &w->core[n];

	if (w->exec[n].cutting || c->truncating)
		ev_violation(w, 52, "n%u takes data before its cut is durable", n);
	if (f->a[0] != c->log.head + 1)
		ev_violation(w, 59, "n%u takes record %u, its log ends at %llu", n,
			     f->a[0], U(c->log.head));
	if (f->epoch != c->d.epoch)
		ev_violation(w, 23, "n%u takes data of epoch %u", n, f->epoch);
}

/* I-123, I-154, I-201: in LSN order, by one feeder, after the opening was saved. */
void ev_check_shipped(struct ev_world *w, u8 n, u8 peer, const struct ev_frame *f)
{
	struct ev_exec *x = &w->exec[n];

	if (x->sent_session[peer] == f->session && f->a[0] != x->sent[peer] + 1)
		ev_violation(w, 123, "n%u ships %u after %u to n%u", n, f->a[0],
			     x->sent[peer], peer);
	if (x->stable.opened < w->core[n].d.opened)
		ev_violation(w, 201, "n%u ships, its opening is not saved", n);
	x->sent_session[peer] = f->session;
	x->sent[peer] = (u8)(f->a[0] + f->nrec - 1);
}

/* I-205: adopted on the medium, and everything received is durable, then told. */
void ev_check_report(struct ev_world *w, u8 n)
{
	struct swb_report r;

	swb_core_report(&w->core[n], &r);
	if (w->exec[n].stable.adopted < r.adopted)
		ev_violation(w, 205, "n%u reports epoch %llu, saved is %u", n,
			     U(r.adopted), w->exec[n].stable.adopted);
	if (r.flags & (SWBLOCK_REPORT_INCONSISTENT | SWBLOCK_REPORT_DISK_FAILED))
		return;
	if (r.durable > w->exec[n].medium_end ||
	    (w->core[n].role == SWBLOCK_ROLE_NONE &&
	     r.durable < w->core[n].log.head))
		ev_violation(w, 205, "n%u reports %llu, its medium %u, its log %llu",
			     n, U(r.durable), w->exec[n].medium_end,
			     U(w->core[n].log.head));
}
