// SPDX-License-Identifier: GPL-2.0-only
/* The truth about a recorded volume, and how it is learned. */
#include <stdlib.h>
#include <string.h>

#include "ref.h"

void ref_create(struct ref *r, const struct rec *rec)
{
	memset(r, 0, sizeof(*r));
	r->blocks = rec->blocks;
	r->block_bytes = rec->block_bytes;
	r->block = calloc(r->blocks, sizeof(*r->block));
	for (size_t i = 0; i < rec->events; i++)
		if (rec->event[i].type == REC_BEGIN &&
		    rec->event[i].op > r->ops)
			r->ops = rec->event[i].op;
	r->op = calloc(r->ops + 1, sizeof(*r->op));
	r->oldest = 1;
	swb_assert(r->block && r->op);
}

void ref_destroy(struct ref *r)
{
	for (u32 i = 0; i < r->blocks; i++)
		free(r->block[i].v);
	free(r->block);
	free(r->op);
}

/* ---- the workload ------------------------------------------------------------ */

/* The newest record of all that has returned. */
static u64 ended_lsn(const struct ref *r, u64 below)
{
	u64 lsn = 0;

	for (u64 i = below > 64 ? below - 64 : 1; i < below; i++)
		if (r->op[i].ended && r->op[i].last_lsn > lsn)
			lsn = r->op[i].last_lsn;
	return lsn;
}

void ref_begin(struct ref *r, const struct rec_event *e)
{
	struct ref_op *op = &r->op[e->op];

	*op = (struct ref_op){ .kind = e->kind, .first = (u32)e->sector,
			       .count = e->count };
	if (e->kind == 'f')
		op->target = ended_lsn(r, e->op);
}

void ref_end(struct ref *r, const struct rec_event *e)
{
	struct ref_op *op = &r->op[e->op <= r->ops ? e->op : 0];
	u64 lsn = 0;

	op->ended = true;
	if (op->kind == 'f')
		lsn = op->target;
	else if (op->kind == 'u')
		lsn = op->last_lsn;
	else if (op->kind == 'r')
		lsn = ended_lsn(r, e->op);	/* what it reports from then on */
	if (lsn > r->acked)
		r->acked = lsn;
}

/* ---- the log ------------------------------------------------------------------ */

static void add_version(struct ref *r, u32 block, u64 lsn, u64 op)
{
	struct ref_block *b = &r->block[block];

	if (b->count == b->cap) {
		b->cap = b->cap ? b->cap * 2 : 64;
		b->v = realloc(b->v, b->cap * sizeof(*b->v));
		swb_assert(b->v);
	}
	b->v[b->count++] = (struct ref_version){ lsn, op };
}

static void cut(struct ref *r, u64 lsn)
{
	for (u32 i = 0; i < r->blocks; i++)
		while (r->block[i].count &&
		       r->block[i].v[r->block[i].count - 1].lsn > lsn)
			r->block[i].count--;
	r->head = lsn;
}

static bool is_data(const struct ref_op *op)
{
	return op->kind && strchr("wmlupz", op->kind);
}

/*
 * The operation that a record at @block continues. Zeroes may be written as such,
 * where the volume or its disk has no better way.
 */
static struct ref_op *owner(struct ref *r, const struct swb_rec *rec, u32 block)
{
	bool zeroes = rec->type == SWB_REC_ZEROES;

	for (u64 i = r->oldest; i <= r->ops && r->op[i].kind; i++) {
		struct ref_op *op = &r->op[i];

		if (!is_data(op) || op->logged == op->count) {
			if (i == r->oldest)
				r->oldest++;
			continue;
		}
		if (op->first + op->logged == block &&
		    (op->kind == 'z' || !zeroes))
			return op;
	}
	return NULL;
}

static const char *add_record(struct ref *r, const struct swb_rec *rec, u64 lsn)
{
	u32 block = (u32)((rec->sector << 9) / r->block_bytes);
	u32 count = rec->len_bytes / r->block_bytes;
	struct ref_op *op;
	u64 number;

	if (rec->type == SWB_REC_OPEN)
		return NULL;
	op = owner(r, rec, block);
	if (!op || op->logged + count > op->count)
		return "a record that no operation wrote";
	number = op->kind == 'z' ? 0 : (u64)(op - r->op);
	for (u32 i = 0; i < count; i++)
		add_version(r, block + i, lsn, number);
	op->logged += count;
	op->last_lsn = lsn;
	return NULL;
}

static const char *add_group(struct ref *r, const struct ref_early *e,
			     const struct swb_durable *d)
{
	const struct swb_disk_group *h = (const void *)e->bytes;
	struct swb_rec rec;
	const char *why;

	if (e->first_lsn <= r->head)
		cut(r, e->first_lsn - 1);
	for (u32 i = 0; i < e->nrec; i++) {
		if (!swb_codec_rec_decode(&h->rec[i], d->extent_bytes,
					  d->block_bytes, &rec))
			return "a record that does not decode";
		why = add_record(r, &rec, e->first_lsn + i);
		if (why)
			return why;
	}
	r->head = e->first_lsn + e->nrec - 1;
	r->live = r->head;
	return NULL;
}

/*
 * Two writers may hand their groups to the disk in either order: one whose
 * predecessor has not been seen waits for it here.
 */
const char *ref_group(struct ref *r, const u8 *bytes, u32 len,
		      const struct swb_durable *d)
{
	struct swb_group_info g;
	const char *why = NULL;

	if (!swb_codec_group_decode(bytes, len, d, &g))
		return "a write to the ring that is no group";
	if (r->earlies == ARRAY_SIZE(r->early))
		return "a group that leaves a gap";
	r->early[r->earlies++] = (struct ref_early){ bytes, g.first_lsn, g.nrec };
	for (u32 i = 0; i < r->earlies && !why;) {
		struct ref_early e = r->early[i];

		if (e.first_lsn > r->head + 1) {
			i++;
			continue;
		}
		r->early[i] = r->early[--r->earlies];
		why = add_group(r, &e, d);
		i = 0;
	}
	return why;
}

void ref_super(struct ref *r, const struct swb_durable *d)
{
	if (d->incarnation <= r->incarnation)
		return;
	r->incarnation = d->incarnation;
	if (d->log_end < r->live)
		r->live = d->log_end;
}

/* ---- contents ------------------------------------------------------------------ */

u64 ref_op_at(const struct ref *r, u32 block, u64 lsn)
{
	const struct ref_block *b = &r->block[block];
	u32 lo = 0, hi = b->count;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (b->v[mid].lsn <= lsn)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? b->v[lo - 1].op : 0;
}

bool ref_matches(const u8 *p, u64 op, u32 block, u32 block_bytes)
{
	static const u8 zero[4096];
	u8 want[OPS_SECTOR] __attribute__((aligned(8)));

	if (!p)
		return !op;
	if (!op)
		return !memcmp(p, zero, block_bytes);
	for (u32 s = 0; s < block_bytes / OPS_SECTOR; s++) {
		ops_fill(want, op, block, s);
		if (memcmp(p + (size_t)s * OPS_SECTOR, want, OPS_SECTOR))
			return false;
	}
	return true;
}
