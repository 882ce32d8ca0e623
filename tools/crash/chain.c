// SPDX-License-Identifier: GPL-2.0-only
/*
 * Later lives. The image as it is was recovered: the end that was found is saved
 * as an attach saves it, perhaps the log is cut further as a peer would have it,
 * an epoch may be opened, groups are appended by the core's own ring and codec,
 * and the power fails again, several times. Nothing of an earlier life that was
 * cut may come back.
 *
 * What the recovery read may have been in the drive's volatile cache only; the
 * attach flushes before it saves (P17b). --no-flush leaves that out, and must be
 * noticed.
 */
#include <inttypes.h>
#include <string.h>

#include "judge.h"
#include "lineage.h"

#define DEPTH_MAX	3
#define APPENDS_MAX	5
#define WRITE_BYTES_MAX	(64 * 1024)

/** struct append - a group on its way to the disk */
struct append {
	u8 bytes[WRITE_BYTES_MAX];
	u64 off;
	u32 len;
	u64 last_lsn;
};

/** struct life - a member after its attach */
struct life {
	struct swb_durable d;
	struct swb_ring ring;
	u64 head;
	u64 safe;		/* a crash may not go below */
	bool open_next;		/* the next group opens its epoch */
	struct append append[APPENDS_MAX];
	u32 appends;
	u32 flushed;		/* the first so many are durable */
};

static void branch_cut(struct branch *b, u64 lsn)
{
	while (b->ops && b->op[b->ops - 1].lsn > lsn)
		b->ops--;
	if (lsn < b->fork)
		b->fork = lsn;
}

/* Save, torn at first: then the end may be the old or the new one. */
static bool save(struct judge *j, struct life *f, u64 old_end, u64 new_end)
{
	size_t changes = j->im.changes;
	u64 lo = old_end < new_end ? old_end : new_end;
	u64 hi = old_end < new_end ? new_end : old_end;
	bool good;

	judge_save(j, &f->d, true);
	good = judge_image(j, lo, hi);
	image_undo(&j->im, changes);
	judge_save(j, &f->d, false);
	return judge_image(j, new_end, new_end) && good;
}

static bool attach(struct judge *j, struct life *f)
{
	u64 head = j->found->l.rec.head;

	judge_seal(j->found, &f->d);
	f->ring = j->found->l.scan.ring;
	f->ring.incarnation = f->d.incarnation;
	f->head = head;
	f->safe = head;
	f->open_next = false;
	f->appends = 0;
	f->flushed = 0;
	branch_cut(&j->branch, head);
	return save(j, f, head, head);
}

/* As swb_wal_truncate(): whole groups above go, one that holds @lsn stays. */
static bool cut_to(struct judge *j, struct life *f, u64 lsn)
{
	const struct found *found = j->found;
	u64 used = f->ring.used, old = f->head;
	bool any = false;

	for (u32 i = 0; i < found->groups; i++) {
		if (found->group[i].first_lsn > lsn)
			break;
		f->ring = found->group[i].ring;
		any = true;
	}
	if (!any) {
		f->ring.write_pos = f->d.tail_pos;
		f->ring.seq = f->d.tail_seq;
		f->ring.prev_crc = f->d.tail_prev_crc;
		f->ring.used = 0;
	}
	swb_assert(f->ring.used <= used);
	f->d.incarnation++;
	f->ring.incarnation = f->d.incarnation;
	f->d.log_end = lsn;
	f->d.generation++;
	swb_lineage_cut(&f->d.lineage, lsn);
	f->head = lsn;
	f->safe = lsn;
	j->tally->cut++;
	if (!save(j, f, old, lsn))
		return false;
	branch_cut(&j->branch, lsn);
	return true;
}

/* The branch that ends within @lsn may not begin below what the extent holds. */
static bool maybe_cut(struct judge *j, struct life *f)
{
	u64 lo = f->d.extent_hi;

	if (lo < f->d.tail_lsn - 1)
		lo = f->d.tail_lsn - 1;
	if (lo >= f->head || rng_below(&j->rng, 2))
		return true;
	/* mostly a little, sometimes everything */
	if (f->head - lo > 6 && rng_below(&j->rng, 4))
		lo = f->head - 6;
	return cut_to(j, f, rng_between(&j->rng, lo, f->head - 1));
}

static bool open_epoch(struct judge *j, struct life *f)
{
	f->d.epoch++;
	f->d.opened = f->d.epoch;
	f->d.generation++;
	f->open_next = true;
	return save(j, f, f->head, f->head);
}

/* ---- appending ----------------------------------------------------------------------- */

static void branch_add(struct branch *b, u64 lsn, u64 op, u32 block, u32 count)
{
	swb_assert(b->ops < BRANCH_MAX);
	b->op[b->ops++] = (struct branch_op){ lsn, op, block, count };
}

/* One record; its payload goes to @p. Return: bytes of payload. */
static u32 add_record(struct judge *j, struct swb_disk_rec *rec, u64 lsn, u8 *p)
{
	u32 bytes = j->ref.block_bytes, count, block;
	u64 op = ++j->next_op;
	bool zeroes = !rng_below(&j->rng, 4);

	count = 1 + (u32)rng_below(&j->rng, 4);
	block = (u32)rng_below(&j->rng, j->ref.blocks - count + 1);
	if (zeroes) {
		swb_codec_rec_encode(rec, SWB_REC_ZEROES,
				     (u64)block * bytes >> 9, count * bytes, 0);
		branch_add(&j->branch, lsn, 0, block, count);
		return 0;
	}
	for (u32 b = 0; b < count; b++)
		for (u32 s = 0; s < bytes / OPS_SECTOR; s++)
			ops_fill(p + b * bytes + s * OPS_SECTOR, op, block + b,
				 s);
	swb_codec_rec_encode(rec, SWB_REC_WRITE, (u64)block * bytes >> 9,
			     count * bytes, swb_crc32c(0, p, count * bytes));
	branch_add(&j->branch, lsn, op, block, count);
	return count * bytes;
}

static u32 fill_group(struct judge *j, struct life *f, struct append *a, u32 nrec,
		      u32 header_bytes)
{
	struct swb_disk_group *h = (void *)a->bytes;
	u8 *payload = a->bytes + header_bytes, *p = payload;

	for (u32 i = 0; i < nrec; i++) {
		u64 lsn = f->head + 1 + i;

		if (!i && f->open_next)
			swb_codec_rec_encode(&h->rec[0], SWB_REC_OPEN, 0, 0, 0);
		else
			p += add_record(j, &h->rec[i], lsn, p);
	}
	return (u32)(p - payload);
}

static bool append(struct judge *j, struct life *f)
{
	struct append *a = &f->append[f->appends];
	u32 nrec = f->open_next ? 1 : 1 + (u32)rng_below(&j->rng, 3);
	u32 ops = j->branch.ops;
	struct swb_group_info g = {
		.seq = f->ring.seq, .incarnation = f->ring.incarnation,
		.epoch = f->d.opened, .first_lsn = f->head + 1,
		.committed = f->d.committed, .prev_crc = f->ring.prev_crc,
		.nrec = nrec,
		.header_bytes = swb_ring_header_bytes(&f->ring, nrec),
	};
	u64 pos, gap;

	memset(a->bytes, 0, g.header_bytes);
	g.payload_bytes = fill_group(j, f, a, nrec, g.header_bytes);
	a->len = (u32)swb_ring_group_bytes(&f->ring, nrec, g.payload_bytes);
	memset(a->bytes + g.header_bytes + g.payload_bytes, 0,
	       a->len - g.header_bytes - g.payload_bytes);
	if (!swb_ring_place(&f->ring, a->len, &pos, &gap)) {
		j->branch.ops = ops;
		return false;
	}
	j->tally->wrapped += gap != 0;
	swb_codec_group_seal(a->bytes, &g, f->ring.ring_id);
	swb_ring_take(&f->ring, pos, a->len, gap, g.crc);
	a->off = f->d.ring_offset + pos;
	f->head += nrec;
	a->last_lsn = f->head;
	f->open_next = false;
	f->appends++;
	return true;
}

/* ---- crashes of a later life ---------------------------------------------------------- */

static void lay_subset(struct judge *j, const struct life *f, u64 subset,
		       u32 torn)
{
	for (u32 i = f->flushed; i < f->appends; i++) {
		const struct append *a = &f->append[i];

		if (i == torn)
			judge_lay_torn(j, a->off, a->bytes, a->len / OPS_SECTOR);
		else if (subset >> (i - f->flushed) & 1)
			image_lay(&j->im, a->off, a->bytes, a->len);
	}
}

/* The newest group was just issued: every subset with it, and it torn. */
static bool crashes(struct judge *j, struct life *f)
{
	u32 before = f->appends - f->flushed - 1;
	size_t changes = j->im.changes;
	bool good = true;

	for (u64 s = 0; s < 1ULL << before && good; s++) {
		lay_subset(j, f, s | 1ULL << before, f->appends);
		good = judge_image(j, f->safe, f->head);
		image_undo(&j->im, changes);
	}
	for (u32 i = 0; i < 2 && good; i++) {
		lay_subset(j, f, rng_next(&j->rng), f->appends - 1);
		good = judge_image(j, f->safe, f->head);
		image_undo(&j->im, changes);
	}
	return good;
}

static void flush(struct judge *j, struct life *f)
{
	lay_subset(j, f, ~0ULL, f->appends);
	f->flushed = f->appends;
	f->safe = f->head;
}

static bool live(struct judge *j, struct life *f)
{
	u32 appends = 1 + (u32)rng_below(&j->rng, APPENDS_MAX);
	bool good = true;

	while (good && f->appends < appends && append(j, f)) {
		good = crashes(j, f);
		if (good && !rng_below(&j->rng, 4))
			flush(j, f);
	}
	return good;
}

void chain_run(struct judge *j, u32 depth)
{
	static struct life lives[DEPTH_MAX + 1];
	struct life *f = &lives[depth];
	size_t changes = j->im.changes;
	u32 life = j->life;

	swb_assert(depth <= DEPTH_MAX);
	j->life = depth + 1;
	j->tally->lives++;
	if (attach(j, f) && maybe_cut(j, f) &&
	    (rng_below(&j->rng, 2) || open_epoch(j, f)) && live(j, f) &&
	    depth < DEPTH_MAX) {
		lay_subset(j, f, rng_next(&j->rng), f->appends);
		if (judge_image(j, f->safe, f->head)) {
			flip_run(j, f->safe);
			judge_recover(j);
			chain_run(j, depth + 1);
		}
	}
	image_undo(&j->im, changes);
	j->life = life;
}
