// SPDX-License-Identifier: GPL-2.0-only
/*
 * Goes through a recording request by request. After each one the power may fail:
 * what a completed flush covered is there, and of the rest any subset, whole or
 * torn. A write changes what is possible when it is issued, a flush when it
 * completes; both are crash points, and so is a promise to the client, which
 * raises what must be found.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "judge.h"

#define PENDING_MAX	256
#define FLUSHES_MAX	16
#define EXACT_MAX	12	/* every subset of so many writes, else SAMPLES */
#define SAMPLES		1024
#define TEARS		6	/* of a write, each with some subsets of the others */
#define NONE		UINT32_MAX

/** struct pending - a write that no completed flush covers */
struct pending {
	const struct rec_event *e;
	size_t done_at;		/* event of its completion, 0: not yet */
};

/** struct flush - a flush under way: covers what was complete when it began */
struct flush {
	u32 id;
	size_t begun_at;
};

struct walk {
	struct judge *j;
	struct pending w[PENDING_MAX];
	u32 count;
	struct flush flush[FLUSHES_MAX];
	u32 flushes;
	struct swb_durable d;	/* newest durable superblock */
	u64 ring_sector;	/* of the group before */
	u64 points;
	u32 worker;
	bool bad;
};

static void give_up(struct walk *k, const char *why)
{
	printf("BROKEN %s event %zu (%s): %s\n", k->j->name, k->j->event,
	       k->j->line ? k->j->line : "-", why);
	k->j->tally->broken++;
	k->j->tally->bad_rec[k->j->number]++;
	k->bad = true;
}

/* ---- crashes -------------------------------------------------------------------- */

static void lay_write(struct walk *k, u32 i, bool torn)
{
	const struct rec_event *e = k->w[i].e;
	u64 off = e->sector * OPS_SECTOR;

	if (torn && e->count > 1)
		judge_lay_torn(k->j, off, e->data, e->count);
	else
		image_lay(&k->j->im, off, e->data, e->count * OPS_SECTOR);
}

/* Bit n of @subset: the n-th write besides @must. */
static void lay_subset(struct walk *k, u64 subset, u32 must, u32 torn)
{
	u32 n = 0;

	for (u32 i = 0; i < k->count; i++) {
		if (i == must) {
			lay_write(k, i, i == torn);
			continue;
		}
		if (i == torn || subset >> (n & 63) & 1)
			lay_write(k, i, i == torn);
		n++;
	}
}

static bool crash(struct walk *k, u64 subset, u32 must, u32 torn)
{
	struct judge *j = k->j;

	lay_subset(k, subset, must, torn);
	return judge_image(j, j->ref.acked, j->ref.live);
}

static void back(struct walk *k)
{
	image_undo(&k->j->im, 0);
}

/* Every subset that has @must, or a large sample. */
static void all_subsets(struct walk *k, u32 must)
{
	u32 others = k->count - (must != NONE);
	u64 total = others <= EXACT_MAX ? 1ULL << others : SAMPLES;

	for (u64 s = 0; s < total; s++) {
		crash(k, others <= EXACT_MAX ? s : rng_next(&k->j->rng), must,
		      NONE);
		back(k);
	}
}

static void tears(struct walk *k, u32 must)
{
	for (u32 i = 0; i < TEARS && k->count; i++) {
		u32 torn = must != NONE && i % 2 == 0 ? must :
			   (u32)rng_below(&k->j->rng, k->count);

		crash(k, rng_next(&k->j->rng), must, torn);
		back(k);
	}
}

static void flips(struct walk *k, u32 must)
{
	bool good = crash(k, rng_next(&k->j->rng), must, NONE);

	if (good)
		flip_run(k->j, k->j->ref.acked);
	back(k);
}

/*
 * What the next life sees is what the cache holds, and it flushes that first. Said
 * not to (--no-flush), it loses some of it after all.
 */
static void next_lives(struct walk *k, u32 must)
{
	struct judge *j = k->j;
	static struct swb_durable d;
	bool good = crash(k, rng_next(&j->rng), must, NONE);
	u64 head = j->found->l.rec.head;

	j->branch.fork = UINT64_MAX;
	j->branch.ops = 0;
	if (good && !j->o->no_flush)
		chain_run(j, 1);
	j->branch.fork = UINT64_MAX;
	j->branch.ops = 0;
	if (good && j->o->no_flush) {
		judge_seal(j->found, &d);
		back(k);
		lay_subset(k, rng_next(&j->rng), NONE, NONE);
		judge_save(j, &d, false);
		judge_image(j, head, head);
	}
	back(k);
}

static bool over(const struct judge *j)
{
	return j->o->first && j->tally->divergent;
}

/* A moment at which the power may fail; @must was just issued. */
static void point(struct walk *k, u32 must)
{
	struct judge *j = k->j;
	u64 number = k->points++;

	if (!k->d.generation || number % j->o->stride ||
	    number / j->o->stride % j->o->workers != k->worker || over(j))
		return;
	rng_seed(&j->rng, ops_mix(j->o->seed ^ j->pass << 48) ^
			  ops_mix((u64)j->number << 32 | j->event));
	j->tally->points += !j->pass;
	if (!j->pass)
		all_subsets(k, must);
	tears(k, must);
	for (u32 i = 0; i < 3; i++)
		flips(k, must);
	next_lives(k, must);
}

/* ---- requests -------------------------------------------------------------------- */

static bool in_ring(const struct walk *k, const struct rec_event *e)
{
	u64 off = e->sector * OPS_SECTOR;

	return k->d.generation && off >= k->d.ring_offset &&
	       off < k->d.ring_offset + k->d.ring_bytes;
}

static void settle(struct walk *k, u32 i)
{
	const struct rec_event *e = k->w[i].e;
	struct judge *j = k->j;
	static struct swb_durable d;

	image_settle(&j->im, e->sector * OPS_SECTOR, e->data,
		     e->count * OPS_SECTOR);
	if ((e->sector == SWB_SUPER_OFFSET_0 / OPS_SECTOR ||
	     e->sector == SWB_SUPER_OFFSET_1 / OPS_SECTOR) &&
	    swb_codec_super_decode(e->data, &d) == SWB_SUPER_OK &&
	    d.generation > k->d.generation) {
		k->d = d;
		ref_super(&j->ref, &d);
	}
	k->count--;
	memmove(&k->w[i], &k->w[i + 1], (k->count - i) * sizeof(k->w[i]));
}

static void issue(struct walk *k, const struct rec_event *e)
{
	const char *why = NULL;

	if (k->count == PENDING_MAX) {
		give_up(k, "too many writes without a flush");
		return;
	}
	if (in_ring(k, e)) {
		why = ref_group(&k->j->ref, e->data, e->count * OPS_SECTOR,
				&k->d);
		if (!k->j->pass && !k->worker && e->sector < k->ring_sector)
			k->j->tally->laps++;
		k->ring_sector = e->sector;
	}
	if (why) {
		give_up(k, why);
		return;
	}
	k->w[k->count++] = (struct pending){ .e = e };
	point(k, k->count - 1);
}

static void flush_issued(struct walk *k, u32 id)
{
	if (k->flushes == FLUSHES_MAX)
		give_up(k, "too many flushes at once");
	else
		k->flush[k->flushes++] = (struct flush){ id, k->j->event };
}

/* When this flush began; 0: it is none. */
static size_t flush_ended(struct walk *k, u32 id)
{
	for (u32 i = 0; i < k->flushes; i++)
		if (k->flush[i].id == id) {
			size_t begun_at = k->flush[i].begun_at;

			k->flush[i] = k->flush[--k->flushes];
			return begun_at;
		}
	return 0;
}

static void completed(struct walk *k, u32 id)
{
	size_t begun_at = flush_ended(k, id);
	bool any = false;

	for (u32 i = 0; i < k->count;) {
		struct pending *w = &k->w[i];

		if (w->e->id == id)
			w->done_at = k->j->event;
		if ((w->done_at && w->done_at < begun_at) ||
		    (w->e->id == id && w->e->fua)) {
			settle(k, i);
			any = true;
		} else {
			i++;
		}
	}
	if (any)
		point(k, NONE);
}

static void base(struct walk *k, const struct rec_event *e)
{
	struct judge *j = k->j;
	struct found *f = j->found;

	if (e->sector * OPS_SECTOR + (u64)e->count * OPS_SECTOR > j->im.size) {
		give_up(k, "more than the disk holds");
		return;
	}
	image_settle(&j->im, e->sector * OPS_SECTOR, e->data,
		     e->count * OPS_SECTOR);
	judge_recover(j);
	if (f->l.recover == SWB_RECOVER_REFUSE) {
		give_up(k, "the first superblock is refused");
		return;
	}
	k->d = f->l.d;
	j->ref.head = f->l.rec.head;
	j->ref.live = f->l.rec.head;
	j->ref.incarnation = k->d.incarnation;
}

static void step(struct walk *k, const struct rec_event *e)
{
	struct judge *j = k->j;
	u64 acked = j->ref.acked;

	switch ((enum rec_type)e->type) {
	case REC_BASE:
		base(k, e);
		break;
	case REC_WRITE:
		issue(k, e);
		break;
	case REC_FLUSH:
		flush_issued(k, e->id);
		break;
	case REC_DONE:
		completed(k, e->id);
		break;
	case REC_BEGIN:
		ref_begin(&j->ref, e);
		break;
	case REC_END:
		ref_end(&j->ref, e);
		if (j->ref.acked > acked)
			point(k, NONE);
		break;
	case REC_LINE:
		j->line = e->word;
		break;
	case REC_STOP:
		break;
	}
}

void walk_run(struct judge *j, u32 worker)
{
	static struct walk k;

	memset(&k, 0, sizeof(k));
	k.j = j;
	k.worker = worker;
	image_create(&j->im, j->rec->disk_bytes);
	image_now = &j->im;
	ref_create(&j->ref, j->rec);
	j->branch.fork = UINT64_MAX;
	j->branch.ops = 0;
	j->life = 1;
	j->line = NULL;
	j->next_op = 1ULL << 40;
	for (size_t i = 0; i < j->rec->events && !k.bad; i++) {
		j->event = i;
		step(&k, &j->rec->event[i]);
	}
	ref_destroy(&j->ref);
	image_destroy(&j->im);
}
