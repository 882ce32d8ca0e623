// SPDX-License-Identifier: GPL-2.0-only
/*
 * What clients saw, block by block. A read names the write its bytes came from,
 * and every write writes what no other does: so a history of one block can be
 * judged exactly, by the zones of its values, without a search.
 *
 *	I-114	within one epoch a block is a linearizable register
 *	I-002	across epochs a write that a barrier covered is never unseen again
 */
#include <stdlib.h>

#include "check.h"

#define U(x)	((unsigned long long)(x))
#define NEVER	(~0ULL)

/* ---- a read, by the member's own path ------------------------------------ */

static void keep(struct world *w, const struct seen *s)
{
	if (w->seen_count == w->seen_cap) {
		w->seen_cap = w->seen_cap ? w->seen_cap * 2 : 64;
		w->seen = realloc(w->seen, w->seen_cap * sizeof(*w->seen));
		if (!w->seen)
			abort();
	}
	w->seen[w->seen_count++] = *s;
}

static u64 newest_opening(const struct world *w)
{
	u64 e = 0;

	for (u32 i = 0; i < w->ref.epochs; i++)
		if (w->ref.epoch[i].epoch > e)
			e = w->ref.epoch[i].epoch;
	return e;
}

void check_seen(struct world *w, struct seen *s)
{
	s->resp_ns = w->clock.now_ns;
	s->newest = newest_opening(w) == s->epoch;
	keep(w, s);
}

/* P13: asked again when the bytes are there */
static void read_done(struct world *w, struct task *t)
{
	struct node *n = &w->node[t->node];
	struct seen s = *(struct seen *)t->p;
	bool extent;

	if (!node_is_primary(n) || n->core.d.opened != s.epoch ||
	    swb_core_read_ok(&n->core, node_now(w, n)) != SWB_ADMIT_OK ||
	    n->rotten)
		return;
	if (!lend_content(w, n, s.block, &extent, &s.wid)) {
		sim_violation(w, 114, "n%u: block %u reads as no write ever wrote it",
			      n->id, s.block);
		return;
	}
	if (extent && lend_unreadable(w, n, s.block))
		lend_hold(w, n, &s);
	else
		check_seen(w, &s);
}

static void read_begin(struct world *w, struct node *n, u32 block)
{
	struct seen *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->block = block;
	s->epoch = n->core.d.opened;
	s->inv_ns = w->clock.now_ns;
	clock_add(&w->clock, (struct task){
		.at_ns = s->inv_ns + node_io_ns(w, n, 1, SIM_MSEC),
		.run = read_done, .node = n->id, .boot = n->boot,
		.p = s });
}

void check_client_block(struct world *w, struct node *n, u32 block)
{
	if (!node_paused(w, n))
		read_begin(w, n, block);
}

void check_client_read(struct world *w, struct node *n)
{
	for (int i = 0; i < 3 && !node_paused(w, n); i++)
		read_begin(w, n, (u32)rng_below(&w->rng, i ? w->shape.blocks : 2));
}

/* ---- I-114 ------------------------------------------------------------------ */

static bool writes_to(const struct op *op, u32 block)
{
	return !op->barrier && op->lsn && block >= op->block &&
	       block < op->block + op->blocks;
}

static const struct op *writer_of(const struct world *w, u64 wid)
{
	for (u32 i = 0; wid && i < w->ops; i++)
		if (!w->op[i]->barrier && w->op[i]->wid == wid)
			return w->op[i];
	return NULL;
}

/**
 * struct zone - of a value: the time that its write and reads pin down
 * @first_resp: when the first of them had ended
 * @last_inv: when the last of them began
 */
struct zone {
	u64 wid;
	u64 write_inv;
	u64 first_resp;
	u64 last_inv;
};

static u64 end_of(const struct op *op)
{
	return op->state == OP_DONE ? op->resp_ns : NEVER;
}

static struct zone zone_of(const struct world *w, u64 wid, u32 block, u64 epoch)
{
	const struct op *op = writer_of(w, wid);
	struct zone z = { .wid = wid };	/* from before this epoch: at 0 */

	if (op && op->epoch == epoch) {
		z.write_inv = op->inv_ns;
		z.last_inv = op->inv_ns;
		z.first_resp = end_of(op);
	}
	for (u32 i = 0; i < w->seen_count; i++) {
		const struct seen *s = &w->seen[i];

		if (s->block != block || s->epoch != epoch || s->wid != wid)
			continue;
		if (s->resp_ns < z.first_resp)
			z.first_resp = s->resp_ns;
		if (s->inv_ns > z.last_inv)
			z.last_inv = s->inv_ns;
	}
	return z;
}

/*
 * Forward: some op on the value ended before another began; the register held
 * it all that time. Two forward zones must not overlap, and a value must find a
 * moment for itself outside every other's forward zone.
 */
static bool clash(const struct zone *a, const struct zone *b)
{
	return (a->first_resp < a->last_inv || b->first_resp < b->last_inv) &&
	       a->first_resp < b->last_inv && b->first_resp < a->last_inv;
}

/* Zeroes are not one value: who wrote them cannot be told. 0: in any epoch. */
static bool zeroed(const struct world *w, u32 block, u64 epoch)
{
	for (u32 i = 0; i < w->ops; i++)
		if (writes_to(w->op[i], block) && w->op[i]->zeroes &&
		    (!epoch || w->op[i]->epoch == epoch))
			return true;
	return false;
}

static void check_i114(struct world *w, const struct seen *s)
{
	struct zone a = zone_of(w, s->wid, s->block, s->epoch), b;

	if (zeroed(w, s->block, s->epoch))
		return;
	if (a.first_resp < a.write_inv)
		sim_violation(w, 114, "block %u: write %llu is read before it is written",
			      s->block, U(s->wid));
	for (u32 i = 0; i < w->ops; i++) {
		const struct op *op = w->op[i];

		if (!writes_to(op, s->block) || op->epoch != s->epoch ||
		    op->wid == s->wid)
			continue;
		b = zone_of(w, op->wid, s->block, s->epoch);
		if (clash(&a, &b))
			sim_violation(w, 114, "block %u in epoch %llu: no order of writes %llu and %llu explains the reads",
				      s->block, U(s->epoch), U(a.wid),
				      U(b.wid));
	}
	for (u32 i = 0; i < w->seen_count; i++) {
		const struct seen *o = &w->seen[i];

		if (o->block != s->block || o->epoch != s->epoch ||
		    o->wid == s->wid)
			continue;
		b = zone_of(w, o->wid, s->block, s->epoch);
		if (clash(&a, &b))
			sim_violation(w, 114, "block %u in epoch %llu: writes %llu and %llu are read in turn",
				      s->block, U(s->epoch), U(a.wid),
				      U(b.wid));
	}
}

/* ---- I-002 -------------------------------------------------------------------- */

/* When the first barrier that was issued after the end of @v had succeeded. */
static u64 durable_since(const struct world *w, const struct op *v)
{
	u64 at = NEVER;

	for (u32 i = 0; v->state == OP_DONE && i < w->ops; i++) {
		const struct op *f = w->op[i];

		if (f->barrier && f->state == OP_DONE && f->node == v->node &&
		    f->epoch == v->epoch && f->inv_ns >= v->resp_ns &&
		    f->resp_ns < at)
			at = f->resp_ns;
	}
	return at;
}

static void check_i002(struct world *w, const struct seen *s)
{
	const struct op *u = writer_of(w, s->wid);

	/* without a lease an old primary may serve what is stale (G4) */
	if (w->control.overrides || (!w->shape.lease_ns && !s->newest) ||
	    (u && u->state != OP_DONE) || zeroed(w, s->block, 0))
		return;
	for (u32 i = 0; i < w->ops; i++) {
		const struct op *v = w->op[i];

		if (v == u || v->wid == s->wid || !writes_to(v, s->block) ||
		    (u && u->resp_ns >= v->inv_ns) ||
		    durable_since(w, v) >= s->inv_ns)
			continue;
		sim_violation(w, 2, "block %u reads as write %llu; write %llu came after it and a barrier covered it",
			      s->block, U(s->wid), U(v->wid));
	}
}

void check_clients(struct world *w)
{
	for (u32 i = 0; i < w->seen_count && !w->violations; i++) {
		check_i114(w, &w->seen[i]);
		check_i002(w, &w->seen[i]);
	}
}
