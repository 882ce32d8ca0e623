// SPDX-License-Identifier: GPL-2.0-only
/* Invariants that speak of a moment: a barrier ends, a frame leaves, a log is cut. */
#include "check.h"

#define U(x)	((unsigned long long)(x))

static bool lease_ok(const struct world *w, const struct node *n)
{
	return !n->core.lease_end_ns || node_now(w, n) <= n->core.lease_end_ns;
}

/* ---- barriers and writes ------------------------------------------------ */

/* I-018: the target covers every write that was done at issue. */
static void check_i018(struct world *w, struct node *n, const struct op *op)
{
	if (op->lsn < op->floor)
		sim_violation(w, 18, "n%u: barrier target %llu below completed write %llu",
			      n->id, U(op->lsn), U(op->floor));
}

/* I-016: role, epoch and lease still hold when a barrier succeeds. */
static void check_i016(struct world *w, struct node *n)
{
	if (n->core.role != SWBLOCK_ROLE_PRIMARY ||
	    n->core.d.opened != n->core.d.epoch || !lease_ok(w, n))
		sim_violation(w, 16, "n%u: a barrier without role, epoch or lease",
			      n->id);
}

/*
 * I-001, I-009, I-020: the bytes are on as many disks as the mode says, now and
 * without any cache.
 */
static void check_i001(struct world *w, struct node *n, u64 lsn)
{
	const struct swb_config *c = &n->core.config;
	u64 epoch = ref_epoch_at(&w->ref, n->core.log.last_epoch, lsn);
	u32 holders = 0, need = 1;

	for (u8 i = 0; i < w->shape.nodes; i++) {
		bool holds = check_holds(w, &w->node[i], epoch, lsn) ||
			     check_gone(w, n, i) || w->node[i].rotten;

		if (holds)
			holders++;
		if (holds || i >= c->member_count)
			continue;
		if ((c->mode == SWBLOCK_MODE_SYNC_ALL &&
		     (c->required & (1u << i))) || i == n->id)
			sim_violation(w, 1, "n%u: barrier at %llu, not durable on n%u",
				      n->id, U(lsn), i);
	}
	if (c->mode == SWBLOCK_MODE_SYNC_QUORUM)
		need = c->member_count / 2 + 1;
	if (holders < need)
		sim_violation(w, 1, "n%u: barrier at %llu on %u of %u copies",
			      n->id, U(lsn), holders, need);
}

/* I-004: C covers it, and it is the committed record of that LSN. */
static void check_i004(struct world *w, struct node *n, u64 lsn)
{
	if (lsn > w->ref.committed || (lsn && w->ref.c_epoch[lsn] !=
	    ref_epoch_at(&w->ref, n->core.log.last_epoch, lsn)))
		sim_violation(w, 4, "n%u: barrier at %llu is not in the committed history",
			      n->id, U(lsn));
}

void check_barrier_issued(struct world *w, struct node *n, const struct op *op)
{
	check_i018(w, n, op);
}

/* I-215: held over an epoch of its own, not over somebody else's. */
static void check_i215(struct world *w, struct node *n, const struct op *op)
{
	for (u64 e = op->epoch + 1; e <= n->core.d.opened; e++) {
		const struct ref_epoch *o = ref_epoch_of(&w->ref, e);

		if (o && o->node != n->id)
			sim_violation(w, 215, "n%u: %s of epoch %llu succeeds, n%u reigned in epoch %llu",
				      n->id, op->barrier ? "a barrier" :
				      "a write", U(op->epoch), o->node, U(e));
	}
}

void check_barrier_done(struct world *w, struct node *n, const struct op *op)
{
	check_i215(w, n, op);
	check_i016(w, n);
	check_i004(w, n, op->lsn);
	check_i001(w, n, op->lsn);
}

/* I-025, I-022, I-122: the gate, one writer, dense numbers. */
void check_write_admitted(struct world *w, struct node *n, struct op *op)
{
	const struct ref_epoch *e = ref_epoch_of(&w->ref, op->epoch);

	check_admitted(w, n);
	check_fits(w, n, op);
	if (!node_is_primary(n) || n->core.d.opened != n->core.d.epoch ||
	    !lease_ok(w, n))
		sim_violation(w, 25, "n%u admits a write without the right to",
			      n->id);
	if (!e || e->node != n->id)
		sim_violation(w, 22, "n%u admits a write in epoch %llu of n%u",
			      n->id, U(op->epoch), e ? e->node : 0xff);
	if (!ref_append(&w->ref, op->epoch, op->lsn,
			op->zeroes ? SWB_REC_ZEROES : SWB_REC_WRITE, op->wid,
			op->block, op->blocks))
		sim_violation(w, 122, "n%u: record (%llu,%llu) is not the next of its epoch",
			      n->id, U(op->epoch), U(op->lsn));
}

/* I-230: a plain write ends only when its policy holds. */
static void check_i230(struct world *w, struct node *n, const struct op *op)
{
	const struct swb_config *c = &n->core.config;
	const struct ref_rec *q = ref_find(&w->ref, op->epoch, op->lsn);
	u32 have, count = 0;

	if (!q)
		return;
	if (!(q->written & (1u << n->id)))
		sim_violation(w, 230, "n%u: write %llu ends before its log write",
			      n->id, U(op->lsn));
	if (c->policy == SWBLOCK_POLICY_LOCAL ||
	    c->mode == SWBLOCK_MODE_BEST_EFFORT)
		return;
	have = c->policy == SWBLOCK_POLICY_RECEIVED ? q->received | q->written :
						      q->written;
	have |= 1u << n->id;
	if (c->mode == SWBLOCK_MODE_SYNC_ALL && (c->required & ~have))
		sim_violation(w, 230, "n%u: write %llu ends, %x have it, %x must",
			      n->id, U(op->lsn), have, c->required);
	for (u8 i = 0; i < c->member_count; i++)
		count += (have >> i) & 1;
	if (c->mode == SWBLOCK_MODE_SYNC_QUORUM &&
	    count < c->member_count / 2u + 1)
		sim_violation(w, 230, "n%u: write %llu ends on %u members",
			      n->id, U(op->lsn), count);
}

void check_write_done(struct world *w, struct node *n, const struct op *op)
{
	check_i215(w, n, op);
	check_i230(w, n, op);
}

/* ---- epochs -------------------------------------------------------------- */

/*
 * I-028, I-031, I-217: the new primary holds everything committed in an epoch
 * before its own. What a newer one has committed it cannot know: its certificate
 * came late, and it will never commit anything (I-004).
 */
static void check_i028(struct world *w, struct node *n, u64 epoch)
{
	u64 c = ref_committed_before(&w->ref, epoch);

	if (!c || n->rotten)
		return;
	if (n->core.log.head < c ||
	    ref_epoch_at(&w->ref, n->core.log.last_epoch, c) !=
		    w->ref.c_epoch[c])
		sim_violation(w, 28, "n%u opens without committed (%llu,%llu), log ends (%llu,%llu)",
			      n->id, U(w->ref.c_epoch[c]), U(c),
			      U(n->core.log.last_epoch), U(n->core.log.head));
}

/* I-216: nobody else may still serve reads by a lease of an older epoch. */
static void check_i216(struct world *w, struct node *n, u64 epoch)
{
	for (u8 i = 0; i < w->shape.nodes; i++) {
		const struct node *m = &w->node[i];

		if (m == n || !node_is_primary(m) || !m->core.lease_end_ns ||
		    m->core.d.opened > epoch ||
		    node_now(w, m) >= m->core.lease_end_ns)
			continue;
		sim_violation(w, 216, "n%u opens an epoch, n%u holds a lease for %llu us more",
			      n->id, i, U((m->core.lease_end_ns -
					   node_now(w, m)) / SIM_USEC));
	}
}

/* I-201, I-035: once per epoch, at the end of its own log. */
void check_opening(struct world *w, struct node *n, u64 epoch, u64 lsn)
{
	const struct wgroup *g = n->open ? n->open : n->groups ?
				 n->group[n->groups - 1] : NULL;
	u64 last = g ? g->first_lsn + g->live - 1 : n->core.d.tail_lsn - 1;
	u64 parent = g ? g->epoch : swb_lineage_epoch_at(&n->core.d.lineage,
							 lsn - 1);
	bool override = w->control.overrides > 0;

	if (lsn != last + 1)
		sim_violation(w, 35, "n%u opens epoch %llu at %llu, its log ends at %llu",
			      n->id, U(epoch), U(lsn), U(last));
	if (check_worst(w, n)->d.opened < epoch)
		sim_violation(w, 201, "n%u appends the opening of epoch %llu, not saved",
			      n->id, U(epoch));
	if (!ref_open(&w->ref, epoch, lsn, parent, n->id, override))
		sim_violation(w, 22, "n%u opens epoch %llu, which was opened before",
			      n->id, U(epoch));
	if (override)
		ref_uncommit(&w->ref, lsn - 1);
	check_i028(w, n, epoch);
	check_i216(w, n, epoch);
}

/* I-202: a certificate exists only for what the store granted. */
void check_certificate(struct world *w, struct node *n,
		       const struct swb_cert *cert)
{
	const struct ref_epoch *e = ref_epoch_of(&w->ref, cert->epoch);

	if (e && e->node != n->id)
		sim_violation(w, 202, "n%u gets a certificate of epoch %llu, opened by n%u",
			      n->id, U(cert->epoch), e->node);
}

/* I-205, I-221: adopted durably, everything received is durable, then told. */
void check_report(struct world *w, struct node *n, const struct swb_report *r)
{
	const struct worst *s = check_worst(w, n);

	if (s->d.epoch < r->adopted)
		sim_violation(w, 205, "n%u reports epoch %llu, its disk says %llu",
			      n->id, U(r->adopted), U(s->d.epoch));
	if (r->flags)
		return;
	/* a repeat says what it said, though records came since (I-090) */
	if (r->durable > s->head || (n->core.role == SWBLOCK_ROLE_NONE &&
				     n->core.d.opened < r->adopted &&
				     r->durable < n->core.log.head))
		sim_violation(w, 205, "n%u reports durable %llu, its disk %llu, its log %llu",
			      n->id, U(r->durable), U(s->head),
			      U(n->core.log.head));
	if (r->last_epoch != ref_epoch_at(&w->ref, n->core.log.last_epoch,
					  r->durable))
		sim_violation(w, 30, "n%u reports last epoch %llu for lsn %llu",
			      n->id, U(r->last_epoch), U(r->durable));
}

void check_role_set(struct world *w, struct node *n, u8 role)
{
	if (role == SWBLOCK_ROLE_PRIMARY && !n->rotten)
		check_image(w, n, 12);
}

/* ---- frames --------------------------------------------------------------- */

/* I-205: nothing of an older epoch leaves after adoption. */
void check_frame_out(struct world *w, struct node *n, u8 peer,
		     const struct swb_frame *f)
{
	const struct swb_core_peer *p = &n->core.peer[peer];

	if (f->epoch < n->core.d.epoch)
		sim_violation(w, 205, "n%u sends %s of epoch %llu, adopted is %llu",
			      n->id, swb_text_wire(f->type), U(f->epoch),
			      U(n->core.d.epoch));
	if (f->type == SWB_WIRE_ACK)
		check_failed_disk(w, n, "acks");
	if (f->type == SWB_WIRE_ACK && f->session != p->session)
		sim_violation(w, 83, "n%u acks a session that is not live",
			      n->id);
	/*
	 * I-005, I-212, I-221: what an ack calls durable is on the medium, unless
	 * the disk said so and lied.
	 */
	if (f->type == SWB_WIRE_ACK && f->a[2] && !n->rotten &&
	    !check_logged(w, n, ref_epoch_at(&w->ref, n->core.log.last_epoch,
					     f->a[2]), f->a[2]))
		sim_violation(w, 5, "n%u acks %llu as durable, a power cut now would leave %llu",
			      n->id, U(f->a[2]), U(check_worst(w, n)->head));
}

/* I-201, I-123, I-059: records leave in order, and after `opened` is durable. */
void check_shipped(struct world *w, struct node *n, u8 peer,
		   const struct wgroup *g, u64 from, u32 count, u64 session)
{
	const struct ref_epoch *e = ref_epoch_of(&w->ref, g->epoch);

	if (e && e->node == n->id && check_worst(w, n)->d.opened < g->epoch)
		sim_violation(w, 201, "n%u ships records of epoch %llu, `opened` on disk is %llu",
			      n->id, U(g->epoch),
			      U(check_worst(w, n)->d.opened));
	if (n->sent_session[peer] == session && from != n->sent_lsn[peer] + 1)
		sim_violation(w, 123, "n%u ships %llu after %llu to n%u",
			      n->id, U(from), U(n->sent_lsn[peer]), peer);
	n->sent_session[peer] = session;
	n->sent_lsn[peer] = from + count - 1;
}

/* I-053: what a live session still needs is never trimmed. */
void check_ship_hole(struct world *w, struct node *n, u8 peer, u64 from)
{
	if (from < n->core.log.start)
		sim_violation(w, 53, "n%u: record %llu for n%u is gone, log starts at %llu",
			      n->id, U(from), peer, U(n->core.log.start));
}

/* I-023, I-059, I-052: an accepted frame fits epoch, log end and a durable cut. */
void check_data_in(struct world *w, struct node *n, const struct swb_frame *f,
		   u32 reason)
{
	if (reason)
		return;
	check_failed_disk(w, n, "takes data");
	if (f->epoch != n->core.d.epoch)
		sim_violation(w, 23, "n%u takes data of epoch %llu, adopted is %llu",
			      n->id, U(f->epoch), U(n->core.d.epoch));
	if (f->a[0] != n->core.log.head + 1)
		sim_violation(w, 59, "n%u takes data from %llu, its log ends at %llu",
			      n->id, U(f->a[0]), U(n->core.log.head));
	if (n->cutting || check_worst(w, n)->d.incarnation !=
			  n->core.d.incarnation)
		sim_violation(w, 52, "n%u takes data while its cut is not durable",
			      n->id);
}

static bool is_required(const struct node *n, u8 peer)
{
	const struct swb_config *c = &n->core.config;

	if (n->core.peer[peer].void_copy)
		return false;		/* nobody waits for it: P10 v */
	return c->mode == SWBLOCK_MODE_SYNC_QUORUM ||
	       (c->mode == SWBLOCK_MODE_SYNC_ALL && (c->required >> peer & 1));
}

/* I-102: do enough others hold what is going, for a majority with the primary? */
static bool spared(const struct node *n, u8 peer, u64 gone)
{
	const struct swb_config *c = &n->core.config;
	u32 holders = 0;

	if (c->mode != SWBLOCK_MODE_SYNC_QUORUM)
		return false;
	for (u8 i = 0; i < c->member_count; i++) {
		const struct swb_core_peer *p = &n->core.peer[i];

		if (i != n->core.self && i != peer && p->matched &&
		    !p->void_copy &&
		    (gone <= p->durable || gone <= p->pin_lsn))
			holders++;
	}
	return holders >= c->member_count / 2u;
}

/* I-053, I-097, I-100, I-102: a trim leaves what live sessions may still need. */
void check_trim(struct world *w, struct node *n)
{
	u64 gone = n->core.d.tail_lsn - 1;

	if (gone > n->core.d.extent_lo)
		sim_violation(w, 97, "n%u trims to %llu, extent_lo is %llu",
			      n->id, U(gone), U(n->core.d.extent_lo));
	for (u8 i = 0; i < w->shape.nodes; i++) {
		const struct swb_core_peer *p = &n->core.peer[i];

		if (i == n->core.self || !p->matched || !node_is_primary(n) ||
		    gone <= p->durable || gone <= p->pin_lsn)
			continue;
		/* patience with a peer that can be spared ends: I-102 */
		if (n->tight_ns && (!is_required(n, i) || spared(n, i, gone)))
			continue;
		sim_violation(w, 53, "n%u trims to %llu, n%u holds %llu in a live session",
			      n->id, U(gone), i, U(p->durable));
	}
}

/* ---- the extent ------------------------------------------------------------ */

/* I-209, I-210: only committed records, and extent_hi is durable before. */
void check_extent_write(struct world *w, struct node *n, u64 lsn)
{
	const struct worst *s = check_worst(w, n);

	if (lsn > w->ref.committed ||
	    w->ref.c_epoch[lsn] != wal_epoch_at(n, lsn))
		sim_violation(w, 209, "n%u: (%llu,%llu) goes to the extent, C is %llu",
			      n->id, U(wal_epoch_at(n, lsn)), U(lsn),
			      U(w->ref.committed));
	if (s->d.extent_hi < lsn)
		sim_violation(w, 210, "n%u: %llu goes to the extent, extent_hi saved is %llu",
			      n->id, U(lsn), U(s->d.extent_hi));
	if (s->head < lsn && !n->rotten)
		sim_violation(w, 209, "n%u: %llu goes to the extent, its log is durable to %llu",
			      n->id, U(lsn), U(s->head));
}
