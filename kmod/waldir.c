// SPDX-License-Identifier: GPL-2.0-only
/*
 * The directory: one entry for each live group, oldest first, in a circular array
 * that is allocated once. It turns an LSN into a place, tells how far the written
 * prefix reaches, and gives ring space back at its old end.
 *
 *	first            unwritten        next
 *	  |   written ...    |  in flight, closing, open (the newest)
 *
 * Knows nothing of peers, and does no I/O.
 * Lock: *w->lock. Context: any under it; create, destroy and replay sleep.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include "core/codec.h"
#include "walpriv.h"

#define TRIM_BATCH	64	/* entries under one hold of the lock */

/* ---- the array ---------------------------------------------------------- */

static int alloc_slots(struct swb_wal_priv *p, u64 slots)
{
	struct swb_ent *dir;
	u64 i;

	dir = kvcalloc(slots, sizeof(*dir), GFP_KERNEL);
	if (!dir)
		return -ENOMEM;
	for (i = p->first; i < p->next; i++)
		dir[i & (slots - 1)] = p->dir[i & p->dir_mask];
	kvfree(p->dir);
	p->dir = dir;
	p->dir_mask = slots - 1;
	return 0;
}

/* Enough for groups of 2 KiB on average; more groups than that have to wait. */
int swb_wal_dir_create(struct swb_wal *w, const struct swb_durable *d)
{
	u64 slots = div_u64(d->ring_bytes, max_t(u32, d->ring_unit, 2048));

	slots = clamp_t(u64, slots, 1024, SWB_WAL_SLOTS_MAX);
	return alloc_slots(w->priv, roundup_pow_of_two(slots));
}

void swb_waldir_destroy(struct swb_wal *w)
{
	kvfree(w->priv->dir);
	w->priv->dir = NULL;
}

bool swb_waldir_room(const struct swb_wal *w, u32 spare)
{
	const struct swb_wal_priv *p = w->priv;

	return p->next - p->first + spare <= p->dir_mask;
}

/* An entry for @g, the newest; its residence takes over the caller's reference. */
struct swb_ent *swb_waldir_push(struct swb_wal *w, struct swb_group *g)
{
	struct swb_ent *e = swb_wal_ent(w, w->priv->next);

	lockdep_assert_held(w->lock);
	memset(e, 0, sizeof(*e));
	e->first_lsn = g->first_lsn;
	e->epoch = g->epoch;
	e->group = g;
	g->index = w->priv->next++;
	return e;
}

/* Move written_lsn over the contiguous prefix. Return: true if it moved. */
bool swb_waldir_advance(struct swb_wal *w)
{
	struct swb_wal_priv *p = w->priv;
	bool moved = false;
	struct swb_ent *e;

	lockdep_assert_held(w->lock);
	while (p->unwritten < p->next) {
		e = swb_wal_ent(w, p->unwritten);
		if (!e->written)
			break;
		w->written_lsn = swb_ent_last(e);
		p->unwritten++;
		moved = true;
	}
	return moved;
}

/* ---- LSN to entry --------------------------------------------------------- */

/* Index of the first entry whose last LSN is >= @lsn; p->next if none is. */
u64 swb_waldir_search(struct swb_wal *w, u64 lsn)
{
	u64 lo = w->priv->first, hi = w->priv->next, mid;

	lockdep_assert_held(w->lock);
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (swb_ent_last(swb_wal_ent(w, mid)) < lsn)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct swb_ent *swb_wal_find(struct swb_wal *w, u64 lsn)
{
	struct swb_ent *e;
	u64 i;

	lockdep_assert_held(w->lock);
	i = swb_waldir_search(w, lsn);
	if (i == w->priv->next)
		return NULL;
	e = swb_wal_ent(w, i);
	return lsn >= e->first_lsn ? e : NULL;
}

/* Bytes of the ring from the group that holds @lsn to the end of the log. */
u64 swb_waldir_backlog(struct swb_wal *w, u64 lsn)
{
	struct swb_ring *r = &w->ring;
	struct swb_ent *e;
	u64 i;

	lockdep_assert_held(w->lock);
	i = swb_waldir_search(w, lsn);
	if (i == w->priv->next)
		return 0;
	e = swb_wal_ent(w, i);
	if (!e->bytes)
		return e->group->payload_bytes;
	if (i == w->priv->first)
		return r->used;
	return e->pos < r->write_pos ? r->write_pos - e->pos :
				       r->bytes - e->pos + r->write_pos;
}

u64 swb_wal_span(struct swb_wal *w, u64 from, u64 to)
{
	u64 near = swb_waldir_backlog(w, from), far = swb_waldir_backlog(w, to);

	return near > far ? near - far : 0;
}

u64 swb_wal_beyond(struct swb_wal *w, u64 bytes)
{
	struct swb_wal_priv *p = w->priv;
	u64 lo = p->first, hi = p->next, mid;

	lockdep_assert_held(w->lock);
	while (lo < hi) {	/* the backlog falls from entry to entry */
		mid = lo + (hi - lo) / 2;
		if (swb_waldir_backlog(w, swb_wal_ent(w, mid)->first_lsn) > bytes)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo > p->first ? swb_ent_last(swb_wal_ent(w, lo - 1)) : 0;
}

/* Index records [from, to) of the group that starts at @first_lsn. */
void swb_waldir_index(struct swb_wal *w, const struct swb_disk_rec *rec,
		      u64 first_lsn, u32 from, u32 to, u32 *payload_off)
{
	u64 start, sectors;
	u32 i;

	lockdep_assert_held(w->lock);
	for (i = from; i < to; i++) {
		if (rec[i].type == SWB_REC_OPEN)
			continue;
		start = le64_to_cpu(rec[i].sector);
		sectors = le32_to_cpu(rec[i].len_bytes) >> SECTOR_SHIFT;
		swb_dirty_insert(w->dirty, start, start + sectors, first_lsn + i,
				 payload_off[i], rec[i].type == SWB_REC_ZEROES);
	}
}

/* ---- the old end ---------------------------------------------------------- */

static bool may_trim(const struct swb_ent *e, u64 lsn)
{
	return e->written && swb_ent_last(e) <= lsn && !e->pins;
}

/* Where a scan starts if everything before entry @index is gone. */
static void set_tail(struct swb_wal *w, u64 index, struct swb_durable *d)
{
	struct swb_wal_priv *p = w->priv;
	struct swb_ent *e = swb_wal_ent(w, index);

	d->tail_lsn = index < p->next ? e->first_lsn : p->next_lsn;
	d->tail_prev_crc = index > p->first ? swb_wal_ent(w, index - 1)->crc :
					      d->tail_prev_crc;
	if (index < p->next && e->bytes) {
		d->tail_pos = e->pos;
		d->tail_seq = e->seq;
	} else {	/* nothing is there yet: the next group will be */
		d->tail_pos = w->ring.write_pos;
		d->tail_seq = w->ring.seq;
	}
	p->start = d->tail_lsn;
}

u64 swb_wal_trim_prepare(struct swb_wal *w, u64 lsn, struct swb_durable *d)
{
	struct swb_wal_priv *p = w->priv;
	u64 i = p->first;

	lockdep_assert_held(w->lock);
	while (i < p->next && may_trim(swb_wal_ent(w, i), lsn))
		i++;
	/* entries below S that are still read do not pull S back */
	if (i > p->first && swb_ent_last(swb_wal_ent(w, i - 1)) >= p->start)
		set_tail(w, i, d);
	return p->start;
}

static void drop_group(struct swb_ent *e)
{
	if (!e->group)
		return;
	list_del_init(&e->group->node);		/* of the resident ones */
	swb_group_put(e->group);
	e->group = NULL;
}

/* The gap before the oldest group is nobody's any more. */
static u64 drop_gap(struct swb_wal *w, struct swb_ent *e)
{
	u64 gap = e->bytes - swb_ent_len(w, e);

	e->bytes -= gap;
	return gap;
}

static bool trim_batch(struct swb_wal *w, u64 start)
{
	struct swb_wal_priv *p = w->priv;
	u64 freed = 0, pos = w->ring.write_pos;
	struct swb_ent *e;
	int n;

	lockdep_assert_held(w->lock);
	for (n = 0; n < TRIM_BATCH && p->first < p->next; n++) {
		e = swb_wal_ent(w, p->first);
		if (!may_trim(e, start - 1))
			break;
		swb_wal_stage(w, e, SWB_STAGE_RETIRED);
		drop_group(e);
		freed += e->bytes;
		p->first++;
	}
	if (!n)
		return false;
	e = swb_wal_ent(w, p->first);
	if (p->first < p->next && e->bytes) {
		freed += drop_gap(w, e);
		pos = e->pos;
	}
	swb_ring_release(&w->ring, pos, freed);
	return n == TRIM_BATCH;
}

void swb_wal_trim(struct swb_wal *w, u64 start)
{
	unsigned long flags;
	bool more = true;

	while (more) {
		spin_lock_irqsave(w->lock, flags);
		more = trim_batch(w, start);
		w->priv->ring_refused = false;	/* who still is says so again */
		spin_unlock_irqrestore(w->lock, flags);
	}
	swb_wal_freed(w);
}

/* ---- the new end: a cut --------------------------------------------------- */

static void drop_newest(struct swb_wal *w)
{
	struct swb_wal_priv *p = w->priv;
	struct swb_ent *e = swb_wal_ent(w, p->next - 1);

	lockdep_assert_held(w->lock);
	drop_group(e);
	w->ring.used -= e->bytes;
	w->ring.write_pos = e->pos;
	w->ring.seq = e->seq;
	w->ring.prev_crc = e->prev_crc;
	p->next--;
}

/*
 * Forget what is above @lsn. The group that contains it keeps its place in the
 * ring; its memory goes, for it still shows the dead records. The next group
 * comes right behind it, in a new incarnation.
 */
void swb_waldir_cut(struct swb_wal *w, u64 lsn)
{
	struct swb_wal_priv *p = w->priv;
	struct swb_ent *e;
	u64 end;

	lockdep_assert_held(w->lock);
	while (p->next > p->first &&
	       swb_wal_ent(w, p->next - 1)->first_lsn > lsn)
		drop_newest(w);
	if (p->next > p->first) {
		e = swb_wal_ent(w, p->next - 1);
		if (swb_ent_last(e) > lsn) {
			e->nrec = lsn - e->first_lsn + 1;
			drop_group(e);
		}
		end = e->pos + swb_ent_len(w, e);
		w->ring.write_pos = end == w->ring.bytes ? 0 : end;
		w->ring.seq = e->seq + 1;
		w->ring.prev_crc = e->crc;
	} else {
		w->ring.tail_pos = w->ring.write_pos;
	}
	p->next_lsn = lsn + 1;
	p->unwritten = p->next;
	w->written_lsn = lsn;
	w->submitted_lsn = lsn;
}

/* Forget everything: the next record is @next_lsn, in a new incarnation. */
void swb_wal_restart(struct swb_wal *w, u64 next_lsn)
{
	struct swb_durable *d = &w->core->d;
	struct swb_wal_priv *p = w->priv;
	u64 i;

	lockdep_assert_held(w->lock);
	for (i = p->first; i < p->next; i++)
		drop_group(swb_wal_ent(w, i));
	p->first = p->next;
	p->unwritten = p->next;
	p->next_lsn = next_lsn;
	p->start = next_lsn;
	w->written_lsn = next_lsn - 1;
	w->submitted_lsn = next_lsn - 1;
	swb_dirty_clear(w->dirty);
	w->ring.used = 0;
	w->ring.tail_pos = w->ring.write_pos;
	d->incarnation++;			/* P4 */
	w->ring.incarnation = d->incarnation;
	d->log_end = next_lsn - 1;
	d->tail_lsn = next_lsn;
	d->tail_pos = w->ring.write_pos;
	d->tail_seq = w->ring.seq;
	d->tail_prev_crc = w->ring.prev_crc;
}

/* ---- replay --------------------------------------------------------------- */

/* The log was written with a larger index or directory than is usual here. */
static int make_room(struct swb_wal *w)
{
	struct swb_wal_priv *p = w->priv;
	int err = 0;

	if (!swb_waldir_room(w, 2 * SWB_WAL_SPARE))
		err = alloc_slots(p, 2 * (p->dir_mask + 1));
	if (!err && w->dirty->records_max - w->dirty->records < SWB_GROUP_RECS_MAX)
		err = swb_dirty_grow(w->dirty);
	return err;
}

int swb_wal_replay_group(struct swb_wal *w, const struct swb_ent *ent,
			 const struct swb_disk_rec *rec, u64 extent_lo)
{
	struct swb_wal_priv *p = w->priv;
	u32 off[SWB_GROUP_RECS_MAX], i, from, at = 0;
	unsigned long flags;
	int err;

	err = make_room(w);
	if (err)
		return err;
	for (i = 0; i < ent->nrec; i++) {
		off[i] = at;
		if (rec[i].type == SWB_REC_WRITE)
			at += le32_to_cpu(rec[i].len_bytes);
	}
	from = extent_lo < ent->first_lsn ? 0 :
	       min_t(u64, ent->nrec, extent_lo - ent->first_lsn + 1);
	spin_lock_irqsave(w->lock, flags);
	*swb_wal_ent(w, p->next++) = *ent;
	swb_waldir_index(w, rec, ent->first_lsn, from, ent->nrec, off);
	spin_unlock_irqrestore(w->lock, flags);
	return 0;
}

void swb_wal_replay_end(struct swb_wal *w, const struct swb_ring *ring, u64 start,
			u64 head)
{
	struct swb_wal_priv *p = w->priv;
	unsigned long flags;

	spin_lock_irqsave(w->lock, flags);
	w->ring = *ring;
	p->start = start;
	p->unwritten = p->next;
	p->next_lsn = head + 1;
	w->written_lsn = head;
	w->submitted_lsn = head;
	p->announce_bytes = min(p->announce_bytes, ring->bytes / 8);
	spin_unlock_irqrestore(w->lock, flags);
}
