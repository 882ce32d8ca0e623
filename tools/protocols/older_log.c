// SPDX-License-Identifier: GPL-2.0-only
/*
 * The log of V1 and V1.5: records with a checksum each, not chained; write-back
 * that takes the newest LSN of a batch for its checkpoint.
 */
#include <stdlib.h>
#include <string.h>

#include "older.h"

#define SUPER_MAGIC	0x4b575353u
#define REC_MAGIC	0x52575353u
#define DATA_MAX	(SIM_BLOCKS_MAX * SIM_BLOCK)

struct old_super {
	u32 magic;
	u32 crc;
	u64 epoch;
	u64 head;
	u64 tail;
	u64 checkpoint;
};

struct rec_head {
	u32 magic;
	u32 crc;
	u64 lsn;
	u64 epoch;
	u32 block;
	u32 blocks;
};

static u32 rec_bytes(u32 blocks)
{
	return (u32)sizeof(struct rec_head) + blocks * SIM_BLOCK;
}

/* A record never straddles the end of the region. */
static u64 place(u64 pos, u32 blocks)
{
	u64 at = pos % OLD_LOG_BYTES;

	return at + rec_bytes(blocks) > OLD_LOG_BYTES ? pos + OLD_LOG_BYTES - at : pos;
}

u64 old_next_pos(u64 pos, u32 blocks)
{
	return pos + rec_bytes(blocks);
}

u64 old_head(const struct older *m)
{
	return m->next_lsn - 1;
}

bool old_room(const struct older *m, u32 blocks, u32 percent)
{
	u64 end = place(m->head_pos, blocks) + rec_bytes(blocks);

	return end - m->tail_pos <= OLD_LOG_BYTES / 100 * percent &&
	       m->count < OLD_RECS_MAX;
}

static void put(struct older *m, u64 off, const void *data, u32 len)
{
	disk_complete(m->disk, disk_submit(m->disk, off, data, len));
}

static u32 crc_of(struct rec_head h, const u8 *data)
{
	h.crc = 0;
	return swb_crc32c(swb_crc32c(0, &h, sizeof(h)), data, h.blocks * SIM_BLOCK);
}

static struct old_rec *slot(struct older *m, u32 i)
{
	return &m->rec[(m->first + i) % OLD_RECS_MAX];
}

void old_append(struct lab *l, struct older *m, u64 lsn, u64 epoch, u32 block,
		u32 blocks, const u8 *data, bool mapped)
{
	static u8 buf[sizeof(struct rec_head) + DATA_MAX];
	struct rec_head h = { .magic = REC_MAGIC, .lsn = lsn, .epoch = epoch,
			      .block = block, .blocks = blocks };
	struct old_rec *r = slot(m, m->count++);

	(void)l;
	h.crc = crc_of(h, data);
	memcpy(buf, &h, sizeof(h));
	memcpy(buf + sizeof(h), data, (size_t)blocks * SIM_BLOCK);
	*r = (struct old_rec){ .lsn = lsn, .epoch = epoch, .block = block,
			       .blocks = blocks, .dirty = mapped, .mapped = mapped };
	r->pos = place(m->head_pos, blocks);
	memcpy(&r->wid, data, sizeof(r->wid));
	put(m, NODE_RING_OFFSET + r->pos % OLD_LOG_BYTES, buf, rec_bytes(blocks));
	m->head_pos = r->pos + rec_bytes(blocks);
	m->next_lsn = lsn + 1;
}

struct old_rec *old_find(struct older *m, u64 lsn)
{
	for (u32 i = m->count; i > 0; i--)
		if (slot(m, i - 1)->lsn == lsn)
			return slot(m, i - 1);
	return NULL;
}

static void fetch(const struct older *m, u64 off, bool stable, void *buf, u32 len)
{
	if (stable)
		disk_read_stable(m->disk, off, buf, len);
	else
		disk_read(m->disk, off, buf, len);
}

static bool decode(const struct older *m, u64 pos, bool stable, struct old_rec *rec,
		   u8 *data)
{
	struct rec_head h;
	u64 at = pos % OLD_LOG_BYTES;

	if (at + sizeof(h) > OLD_LOG_BYTES)
		return false;
	fetch(m, NODE_RING_OFFSET + at, stable, &h, sizeof(h));
	if (h.magic != REC_MAGIC || !h.blocks || h.block > SIM_BLOCKS_MAX ||
	    h.blocks > SIM_BLOCKS_MAX - h.block || at + rec_bytes(h.blocks) > OLD_LOG_BYTES)
		return false;
	fetch(m, NODE_RING_OFFSET + at + sizeof(h), stable, data, h.blocks * SIM_BLOCK);
	*rec = (struct old_rec){ .lsn = h.lsn, .epoch = h.epoch, .pos = pos,
				 .block = h.block, .blocks = h.blocks, .mapped = true };
	memcpy(&rec->wid, data, sizeof(rec->wid));
	return h.crc == crc_of(h, data);
}

/* There, or at the start of the region if the rest of it was skipped. */
bool old_read_at(const struct older *m, u64 pos, bool stable, struct old_rec *rec,
		 u8 *data)
{
	u64 wrapped = pos - pos % OLD_LOG_BYTES + OLD_LOG_BYTES;

	return decode(m, pos, stable, rec, data) ||
	       (pos % OLD_LOG_BYTES && decode(m, wrapped, stable, rec, data));
}

/* ---- superblock ------------------------------------------------------------ */

static u32 super_crc(struct old_super s)
{
	s.crc = 0;
	return swb_crc32c(0, &s, sizeof(s));
}

static void save(struct older *m, u64 head)
{
	struct old_super s = { .magic = SUPER_MAGIC, .epoch = m->epoch, .head = head,
			       .tail = m->tail_pos, .checkpoint = m->checkpoint };

	s.crc = super_crc(s);
	put(m, 0, &s, sizeof(s));
}

/* In the cache of the disk; whoever needs it flushes. */
void old_save(struct older *m)
{
	save(m, m->head_pos);
}

static bool load(const struct older *m, bool stable, struct old_super *s)
{
	fetch(m, 0, stable, s, sizeof(*s));
	if (s->magic == SUPER_MAGIC && s->crc == super_crc(*s))
		return true;
	memset(s, 0, sizeof(*s));
	return false;
}

/* ---- write-back --------------------------------------------------------------- */

/* The least flushed LSN of those that the log is held for (V1.5). */
static u64 floor_of(struct lab *l, struct older *m, u64 top)
{
	if (!old_policy(l)->holds_log || m->no_hold || m->role != OLD_PRIMARY)
		return top;
	for (u8 i = 0; i < l->nodes; i++) {
		struct ship *s = &m->ship[i];

		if (!s->exists || !s->progress || s->state == SHIP_NEEDS_REBUILD)
			continue;
		if (l->w.clock.now_ns - s->contact_ns > OLD_KEEP_NS) {
			s->state = SHIP_NEEDS_REBUILD;
			continue;
		}
		if (s->flushed < top)
			top = s->flushed;
	}
	return top;
}

static void trim(struct older *m)
{
	while (m->count && slot(m, 0)->pos < m->tail_pos && !slot(m, 0)->dirty &&
	       slot(m, 0)->mapped) {
		m->first = (m->first + 1) % OLD_RECS_MAX;
		m->count--;
	}
}

static void super_flushed(struct world *w, struct task *t)
{
	struct older *m = old_member(lab_of(w), t->node);

	disk_flush_end(m->disk, t->a);
	m->writing_back = false;
}

/* The batch is in the extent: checkpoint := its newest LSN, whoever was slower. */
static void batch_flushed(struct world *w, struct task *t)
{
	struct lab *l = lab_of(w);
	struct older *m = old_member(l, t->node);
	u64 top = 0, limit;

	disk_flush_end(m->disk, t->a);
	for (u32 i = 0; i < m->count; i++) {
		struct old_rec *r = slot(m, i);

		if (!r->batch)
			continue;
		r->batch = false;
		r->dirty = false;
		top = r->lsn > top ? r->lsn : top;
	}
	limit = floor_of(l, m, top);
	if (limit)
		m->checkpoint = limit;
	for (u32 i = 0; i < m->count; i++) {
		struct old_rec *r = slot(m, i);
		u64 end = old_next_pos(r->pos, r->blocks);

		if (r->lsn <= limit && end > m->tail_pos)
			m->tail_pos = end;
	}
	trim(m);
	old_save(m);
	lab_later(l, m->id, m->flush_ns, super_flushed, disk_flush_begin(m->disk), 0);
}

void old_flusher(struct world *w, struct task *t)
{
	static u8 data[DATA_MAX];
	struct lab *l = lab_of(w);
	struct older *m = old_member(l, t->node);
	struct old_rec on_disk;
	bool any = false;

	lab_later(l, m->id, OLD_FLUSHER_NS, old_flusher, 0, 0);
	if (m->flusher_off || m->writing_back || m->role == OLD_REBUILDING)
		return;
	for (u32 i = 0; i < m->count; i++) {
		struct old_rec *r = slot(m, i);

		if (!r->dirty)
			continue;
		any = true;
		r->batch = true;
		/* the slot may have been used again */
		if (decode(m, r->pos, false, &on_disk, data) && on_disk.lsn == r->lsn)
			put(m, NODE_EXTENT_OFFSET + (u64)r->block * SIM_BLOCK, data,
			    r->blocks * SIM_BLOCK);
	}
	if (!any)
		return;
	m->writing_back = true;
	lab_later(l, m->id, m->flush_ns, batch_flushed, disk_flush_begin(m->disk), 0);
}

/* ---- recovery -------------------------------------------------------------------- */

typedef void (*found_fn)(void *ctx, const struct old_rec *r);

static void scan(struct lab *l, const struct older *m, bool stable,
		 struct old_super *s, u64 *end, found_fn found, void *ctx)
{
	static u8 data[DATA_MAX];
	u64 pos, last = 0;
	struct old_rec r;

	load(m, stable, s);
	pos = s->tail;
	while (old_policy(l)->scans_past_head || pos < s->head) {
		if (!old_read_at(m, pos, stable, &r, data) || (last && r.lsn != last + 1))
			break;
		if (!last && r.lsn <= s->checkpoint && pos >= s->head)
			break;
		last = r.lsn;
		pos = old_next_pos(r.pos, r.blocks);
		if (r.lsn > s->checkpoint)
			found(ctx, &r);
		if (pos > s->tail + OLD_LOG_BYTES)
			break;
	}
	*end = pos;
}

static void keep(void *ctx, const struct old_rec *r)
{
	struct older *m = ctx;
	struct old_rec *mine = slot(m, m->count++);

	*mine = *r;
	mine->dirty = true;
}

void old_forget_log(struct older *m)
{
	m->first = 0;
	m->count = 0;
	m->writing_back = false;
}

void old_recover(struct lab *l, struct older *m)
{
	struct old_super s;
	u64 end = 0;

	old_forget_log(m);
	scan(l, m, false, &s, &end, keep, m);
	m->epoch = s.epoch;
	m->tail_pos = s.tail;
	m->head_pos = end;
	m->checkpoint = s.checkpoint;
	m->next_lsn = (m->count ? slot(m, m->count - 1)->lsn : s.checkpoint) + 1;
	/* a restarted receiver: from its disk, or from nothing */
	m->received = old_policy(l)->restores_progress ? old_head(m) : 0;
	m->flushed = old_policy(l)->restores_progress ? m->checkpoint : 0;
}

/* ---- bytes ------------------------------------------------------------------------- */

static void lay(void *ctx, const struct old_rec *r)
{
	u64 *wid = ctx;

	for (u32 b = 0; b < r->blocks; b++)
		wid[r->block + b] = r->wid;
}

bool old_image(struct lab *l, u8 n, bool stable, u64 *wid)
{
	struct older *m = old_member(l, n);
	u8 buf[SIM_BLOCK];
	bool whole = true;
	struct old_super s;
	u64 end;

	for (u32 b = 0; b < l->blocks; b++) {
		fetch(m, NODE_EXTENT_OFFSET + (u64)b * SIM_BLOCK, stable, buf, sizeof(buf));
		whole &= ref_wid_of(buf, b, &wid[b]);
	}
	if (stable || !m->up) {
		scan(l, m, stable, &s, &end, lay, wid);
		return whole;
	}
	for (u32 i = 0; i < m->count; i++)
		if (slot(m, i)->dirty)
			lay(wid, slot(m, i));
	return whole;
}
