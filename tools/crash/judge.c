// SPDX-License-Identifier: GPL-2.0-only
/* Recovery of one image, and what it must give. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge.h"

#define SHOWN_MAX 10	/* divergences of a worker */

void judge_complain(struct judge *j, const char *fmt, ...)
{
	va_list ap;

	j->tally->bad_rec[j->number]++;
	if (j->tally->divergent++ >= SHOWN_MAX)
		return;
	printf("DIVERGENT %s event %zu (%s) pass %" PRIu64 " life %u: ",
	       j->name, j->event, j->line ? j->line : "-", j->pass, j->life);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

/* ---- recovery ----------------------------------------------------------------- */

static void add_piece(struct found *f, const struct piece *p)
{
	if (f->pieces == f->piece_cap) {
		f->piece_cap = f->piece_cap ? f->piece_cap * 2 : 1024;
		f->piece = realloc(f->piece, f->piece_cap * sizeof(*f->piece));
		swb_assert(f->piece);
	}
	f->piece[f->pieces++] = *p;
}

static void collect(void *ctx, const struct logread_group *g)
{
	struct found *f = ctx;
	const u8 *payload = g->buf + g->info.header_bytes;

	while (g->overlap_from && f->pieces &&
	       f->piece[f->pieces - 1].lsn >= g->overlap_from)
		f->pieces--;
	swb_assert(f->groups < JUDGE_GROUPS);
	f->group[f->groups++] = (struct found_group){
		.first_lsn = g->info.first_lsn,
		.last_lsn = g->info.first_lsn + g->live - 1,
		.overlap_from = g->overlap_from,
		.pos = g->pos,
		.header_bytes = g->info.header_bytes,
		.payload_bytes = g->info.payload_bytes,
		.ring = f->l.scan.ring,
	};
	for (u32 i = 0; i < g->live; i++) {
		const struct swb_rec *r = &g->rec[i];
		struct piece p = {
			.lsn = g->info.first_lsn + i,
			.block = (u32)((r->sector << 9) / f->l.d.block_bytes),
			.count = r->len_bytes / f->l.d.block_bytes,
			.src = r->type == SWB_REC_WRITE ? payload : NULL,
		};

		if (r->type == SWB_REC_WRITE)
			payload += r->len_bytes;
		if (r->type != SWB_REC_OPEN && p.lsn > f->l.d.extent_lo)
			add_piece(f, &p);
	}
}

void judge_recover(struct judge *j)
{
	struct found *f = j->found;

	f->groups = 0;
	f->pieces = 0;
	f->l.memory = j->im.bytes;
	f->l.data.bytes = j->im.size;
	logread_run(&f->l, collect, f);
	j->tally->images++;
	j->tally->by_rec[j->number]++;
	if (f->l.letter >= 'A' && f->l.letter <= 'Z')
		j->tally->letter[f->l.letter - 'A']++;
}

/* ---- content ------------------------------------------------------------------- */

static u64 wanted(const struct judge *j, u32 block, u64 lsn)
{
	const struct branch *b = &j->branch;
	u64 op = ref_op_at(&j->ref, block, lsn < b->fork ? lsn : b->fork);

	for (u32 i = 0; i < b->ops && b->op[i].lsn <= lsn; i++)
		if (block >= b->op[i].block &&
		    block - b->op[i].block < b->op[i].count)
			op = b->op[i].op;
	return op;
}

/* What was compared once need not be again, while its bytes are the same. */
static bool block_right(struct judge *j, u32 block, const u8 *p, u64 op)
{
	static struct {
		const u8 *p;
		u64 op;
		u32 epoch;
		const void *im;
	} known[4096];
	u32 bytes = j->ref.block_bytes;
	bool same = p && !image_changed(&j->im, (u64)(p - j->im.bytes), bytes);

	swb_assert(block < ARRAY_SIZE(known));
	if (same && known[block].p == p && known[block].op == op &&
	    known[block].epoch == j->im.epoch && known[block].im == &j->ref)
		return true;
	if (!ref_matches(p, op, block, bytes))
		return false;
	if (same) {
		known[block].p = p;
		known[block].op = op;
		known[block].epoch = j->im.epoch;
		known[block].im = &j->ref;
	}
	return true;
}

int judge_content(struct judge *j, u64 lsn)
{
	static const u8 *at[4096];
	const struct found *f = j->found;
	const u8 *extent = j->im.bytes + f->l.d.extent_offset;
	u32 bytes = j->ref.block_bytes;

	for (u32 b = 0; b < j->ref.blocks; b++)
		at[b] = extent + (u64)b * bytes;
	for (u32 i = 0; i < f->pieces; i++) {
		const struct piece *p = &f->piece[i];

		if (p->block + p->count > j->ref.blocks)
			return (int)p->block;
		for (u32 k = 0; k < p->count; k++)
			at[p->block + k] = p->src ? p->src + (u64)k * bytes :
						    NULL;
	}
	for (u32 b = 0; b < j->ref.blocks; b++)
		if (!block_right(j, b, at[b], wanted(j, b, lsn)))
			return (int)b;
	return -1;
}

/* ---- what an attach saves ----------------------------------------------------------- */

void judge_seal(const struct found *f, struct swb_durable *d)
{
	const struct swb_scan *s = &f->l.scan;

	*d = f->l.d;
	d->lineage = s->lineage;
	d->incarnation = max_t(u64, d->incarnation, s->last_incarnation) + 1;
	d->log_end = s->head;
	d->generation++;
}

/* Whole sectors: the first ones, the last ones, or any, but never all or none. */
void judge_lay_torn(struct judge *j, u64 off, const u8 *data, u32 sectors)
{
	u64 how = rng_below(&j->rng, 3), bits = rng_next(&j->rng);
	u32 from = 0, to = sectors;

	j->tally->torn++;
	if (how == 0)
		to = (u32)rng_below(&j->rng, sectors);
	else if (how == 1)
		from = 1 + (u32)rng_below(&j->rng, sectors);
	for (u32 i = from; i < to; i++) {
		if (how == 2 && !(bits >> (i % 61) & 1))
			continue;
		image_lay(&j->im, off + (u64)i * OPS_SECTOR,
			  data + (size_t)i * OPS_SECTOR, OPS_SECTOR);
	}
}

void judge_save(struct judge *j, const struct swb_durable *d, bool torn)
{
	static u8 buf[SWB_SUPER_BYTES] __attribute__((aligned(8)));
	u64 off = d->generation & 1 ? SWB_SUPER_OFFSET_1 : SWB_SUPER_OFFSET_0;

	swb_codec_super_encode(d, buf);
	if (torn)
		judge_lay_torn(j, off, buf, sizeof(buf) / OPS_SECTOR);
	else
		image_lay(&j->im, off, buf, sizeof(buf));
}

/* ---- the demand --------------------------------------------------------------------- */

static bool as_wanted(struct judge *j, u64 min, u64 max)
{
	const struct logread *l = &j->found->l;
	int block;

	if (l->recover != SWB_RECOVER_OPEN && l->recover != SWB_RECOVER_CUT) {
		judge_complain(j, "refused, case %c", l->letter);
		return false;
	}
	if (l->rec.head < min || l->rec.head > max) {
		judge_complain(j, "case %c, the log ends at %" PRIu64
			       ", not in %" PRIu64 "..%" PRIu64, l->letter,
			       l->rec.head, min, max);
		return false;
	}
	block = judge_content(j, l->rec.head);
	if (block < 0)
		return true;
	judge_complain(j, "case %c, block %d is not what it was at LSN %" PRIu64,
		       l->letter, block, l->rec.head);
	return false;
}

bool judge_image(struct judge *j, u64 min, u64 max)
{
	static struct swb_durable d;
	struct found *first = j->found;
	size_t changes = j->im.changes;
	u64 head;
	bool good;

	judge_recover(j);
	if (!as_wanted(j, min, max))
		return false;
	/* once in a while is enough: it doubles the work */
	if (rng_below(&j->rng, 4))
		return true;
	head = first->l.rec.head;
	judge_seal(first, &d);
	judge_save(j, &d, false);
	j->found = j->spare;
	j->spare = first;
	judge_recover(j);
	good = as_wanted(j, head, head);
	image_undo(&j->im, changes);
	j->spare = j->found;
	j->found = first;
	return good;
}
