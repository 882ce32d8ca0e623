// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads bytes and computes payload checksums; what they mean is decided in
 * core/recover.c. Never writes. Single-threaded.
 */
#include <errno.h>
#include <string.h>

#include "logread.h"

static const u64 slot_offset[SWB_SUPER_SLOTS] = {
	SWB_SUPER_OFFSET_0, SWB_SUPER_OFFSET_1,
};

/* Large enough for any valid group; swbwal and the sims have one thread. */
static u8 group_buf[SWB_GROUP_HEADER_MAX + SWB_GROUP_PAYLOAD_MAX]
	__attribute__((aligned(8)));
static struct swb_rec recs[SWB_GROUP_RECS_MAX];

/* The bytes, in @buf or where they are; NULL: *err says why. */
static const void *look(const struct logread *l, const struct logread_dev *dev,
			u64 off, void *buf, u32 len, int *err)
{
	*err = -EIO;
	if (off > dev->bytes || len > dev->bytes - off)
		return NULL;
	*err = l->memory ? 0 : dev->read(dev->ctx, off, buf, len);
	if (*err)
		return NULL;
	return l->memory ? l->memory + off : buf;
}

static void read_supers(struct logread *l)
{
	static u8 buf[SWB_SUPER_BYTES] __attribute__((aligned(8)));
	const void *p;
	int err;

	for (int i = 0; i < SWB_SUPER_SLOTS; i++) {
		l->verdict[i] = SWB_SUPER_BAD_MAGIC;
		p = look(l, &l->data, slot_offset[i], buf, sizeof(buf), &err);
		if (p)
			l->verdict[i] = swb_codec_super_decode(p, &l->slots[i]);
	}
	l->slot = swb_recover_pick(l->verdict[0], &l->slots[0], l->verdict[1],
				   &l->slots[1], &l->letter);
	if (l->slot >= 0)
		l->d = l->slots[l->slot];
}

/* A WAL device carries a superblock of its own that names its partner. */
static bool wal_is_ours(const struct logread *l)
{
	static u8 buf[SWB_SUPER_BYTES] __attribute__((aligned(8)));
	static struct swb_durable w;
	const void *p;
	int err;

	for (int i = 0; i < SWB_SUPER_SLOTS; i++) {
		p = look(l, &l->wal, slot_offset[i], buf, sizeof(buf), &err);
		if (!p || swb_codec_super_decode(p, &w) != SWB_SUPER_OK)
			continue;
		return (w.flags & SWB_SUPER_IS_WAL) &&
		       w.ring_id == l->d.ring_id &&
		       swb_uuid_equal(&w.replica, &l->d.replica);
	}
	return false;
}

static bool geometry_fits(struct logread *l)
{
	const struct swb_durable *d = &l->d;

	if (d->flags & SWB_SUPER_IS_WAL)
		return false;
	if (d->extent_offset + d->extent_bytes > l->data.bytes)
		return false;
	if (!(d->flags & SWB_SUPER_WAL_SEPARATE))
		l->wal = l->data;
	else if (!l->wal_given || !wal_is_ours(l))
		return false;
	return d->ring_offset + d->ring_bytes <= l->wal.bytes;
}

const u8 *logread_payload(const struct logread_group *g, u32 i)
{
	const u8 *p = g->buf + g->info.header_bytes;

	for (u32 k = 0; k < i; k++)
		if (g->rec[k].type == SWB_REC_WRITE)
			p += g->rec[k].len_bytes;
	return p;
}

/*
 * Every record decodes, dead ones too, and its payload has the checksum it names:
 * what kmod/replay.c demands of a group before it believes any of it.
 */
static bool payload_ok(const struct logread *l, const u8 *group, u32 *opens)
{
	const struct swb_disk_group *h = (const void *)group;
	const struct swb_group_info *g = &l->scan.group;
	const u8 *p = group + g->header_bytes;
	const u8 *end = p + g->payload_bytes;

	*opens = h->rec[0].type == SWB_REC_OPEN;
	for (u32 i = 0; i < g->nrec; i++) {
		if (!swb_codec_rec_decode(&h->rec[i], l->d.extent_bytes,
					  l->d.block_bytes, &recs[i]))
			return false;
		if (recs[i].type != SWB_REC_WRITE)
			continue;
		if (recs[i].len_bytes > (u64)(end - p) ||
		    swb_crc32c(0, p, recs[i].len_bytes) != recs[i].crc)
			return false;
		p += recs[i].len_bytes;
	}
	return p == end;
}

/* Judges the group whole; a failed read is a torn payload. */
static const u8 *read_group(struct logread *l, bool *ok, u32 *opens)
{
	const struct swb_group_info *g = &l->scan.group;
	const u8 *group = look(l, &l->wal, l->d.ring_offset + l->scan.pos,
			       group_buf, g->header_bytes + g->payload_bytes,
			       &l->error);

	*opens = 0;
	*ok = group && payload_ok(l, group, opens);
	return group;
}

static void scan(struct logread *l, logread_group_fn group, void *ctx)
{
	struct swb_scan *s = &l->scan;
	struct logread_group out = { .rec = recs };
	const void *header;

	for (;;) {
		u64 left = l->d.ring_bytes - s->try_pos;
		u32 len = left < SWB_GROUP_HEADER_MAX ? (u32)left :
							SWB_GROUP_HEADER_MAX;
		enum swb_scan_verdict v;
		u32 opens = 0;
		bool ok;

		header = look(l, &l->wal, l->d.ring_offset + s->try_pos,
			      group_buf, len, &l->error);
		if (!header)
			return;
		v = swb_scan_header(s, header, len);
		if (v == SWB_SCAN_RETRY)
			continue;
		if (v == SWB_SCAN_STOP)
			return;
		out.buf = read_group(l, &ok, &opens);
		out.index = s->groups;
		out.info = s->group;
		out.pos = s->pos;
		out.live = s->live_nrec;
		out.overlap_from = s->overlap_from;
		if (!swb_scan_payload(s, ok, opens))
			return;
		if (!l->memory)	/* nobody asks again */
			l->mark = *s;
		if (group)
			group(ctx, &out);
	}
}

static void conclude(struct logread *l)
{
	struct swb_recover_facts f = {
		.slot = l->slot >= 0,
		.pick_letter = l->letter,
		.fits = l->fits,
	};

	if (l->fits)
		swb_scan_facts(&l->scan, &f);
	l->recover = swb_recover_decide(&f, &l->letter);
	if (l->fits)
		swb_scan_result(&l->scan, l->letter, &l->rec);
}

void logread_run(struct logread *l, logread_group_fn group, void *ctx)
{
	l->error = 0;
	l->letter = 0;
	l->fits = false;
	memset(&l->d, 0, sizeof(l->d));
	memset(&l->scan, 0, sizeof(l->scan));
	read_supers(l);
	if (l->slot >= 0)
		l->fits = geometry_fits(l);
	if (l->fits) {
		swb_scan_begin(&l->scan, &l->d);
		l->mark = l->scan;
		scan(l, group, ctx);
	}
	conclude(l);
}

/* Everything of a superblock that the scan, up to the mark, has looked at. */
static bool same_scan(const struct swb_durable *a, const struct swb_durable *b)
{
	return a->flags == b->flags && a->block_bytes == b->block_bytes &&
	       a->ring_id == b->ring_id && a->ring_unit == b->ring_unit &&
	       a->ring_offset == b->ring_offset &&
	       a->ring_bytes == b->ring_bytes &&
	       a->extent_bytes == b->extent_bytes &&
	       a->incarnation == b->incarnation && a->log_end == b->log_end &&
	       a->tail_pos == b->tail_pos && a->tail_seq == b->tail_seq &&
	       a->tail_lsn == b->tail_lsn &&
	       a->tail_prev_crc == b->tail_prev_crc &&
	       memcmp(&a->lineage, &b->lineage, sizeof(a->lineage)) == 0;
}

void logread_again(struct logread *l, bool supers, logread_group_fn group,
		   void *ctx)
{
	if (supers)
		read_supers(l);
	if (!l->fits || l->slot < 0 || l->error ||
	    !same_scan(&l->mark.d, &l->d)) {
		logread_run(l, group, ctx);
		return;
	}
	l->scan = l->mark;
	l->scan.d = l->d;
	scan(l, group, ctx);
	conclude(l);
}
