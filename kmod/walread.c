// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading the log back: a group from memory if it is there, else from the ring,
 * verified; and the cut, which has to read headers to make the index anew.
 *
 * Catch-up reads a run of neighbouring groups with one bio and gets them as one group:
 * groups of a time when little was going on at once hold a record each, and a disk that
 * is asked for one after the other has nothing to do most of the time.
 *
 * An entry is pinned while its place in the ring is read: trimming stops before
 * it. What comes from the ring is believed only if the header is the very one
 * that was written (checksum in the directory) and each payload matches its own.
 *
 * Lock: taken here, never held over I/O. Context: process, waits for the disk.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include "core/codec.h"
#include "idle.h"
#include "walpriv.h"

#define CUT_TIMEOUT	(60 * HZ)
#define CUT_POLL	(HZ / 10)

/* Is this the header of @e? Lock not needed: geometry never changes. */
bool swb_wal_header_ok(struct swb_wal *w, const struct swb_ent *e,
		       const void *buf, struct swb_group_info *info)
{
	return swb_codec_group_decode(buf, e->header_bytes, &w->core->d, info) &&
	       info->crc == e->crc && info->seq == e->seq &&
	       info->first_lsn == e->first_lsn && info->nrec >= e->nrec &&
	       info->header_bytes == e->header_bytes &&
	       info->payload_bytes == e->payload_bytes;
}

/* ---- a run of groups out of the ring -------------------------------------- */

static void pin(struct swb_run *run, struct swb_ent *e)
{
	run->ent[run->count] = *e;
	run->live[run->count++] = e;
	run->nrec += e->nrec;
	run->payload_bytes += e->payload_bytes;
	e->pins++;
}

/* Does @e follow the run, in the ring as in the log, with all of it one group's worth? */
static bool joins(struct swb_wal *w, const struct swb_run *run,
		  const struct swb_ent *e)
{
	const struct swb_ent *last = &run->ent[run->count - 1];
	u32 unit = w->ring.unit;

	return run->count < SWB_RUN_MAX && !e->group && e->written &&
	       e->epoch == last->epoch &&
	       e->pos == last->pos + swb_ent_len(w, last) &&
	       !(last->payload_bytes & (unit - 1)) &&
	       run->nrec + e->nrec <= SWB_GROUP_RECS_MAX &&
	       run->payload_bytes + round_up(e->payload_bytes, unit) <=
	       SWB_GROUP_PAYLOAD_MAX;
}

/* Pin what is read together, from the group that holds @lsn on. */
static int collect(struct swb_wal *w, struct swb_run *run, u64 lsn, bool many)
{
	struct swb_ent *e = swb_wal_find(w, lsn);
	u64 i;

	lockdep_assert_held(w->lock);
	run->count = 0;
	run->nrec = 0;
	run->payload_bytes = 0;
	if (!e)
		return -ENOENT;
	if (e->group)
		return -EAGAIN;		/* cut and written anew meanwhile */
	pin(run, e);
	for (i = swb_waldir_search(w, lsn) + 1; many && i < w->priv->next; i++) {
		e = swb_wal_ent(w, i);
		if (!joins(w, run, e))
			break;
		pin(run, e);
	}
	return 0;
}

static void unpin(struct swb_wal *w, struct swb_run *run)
{
	unsigned long flags;
	u32 i;

	spin_lock_irqsave(w->lock, flags);
	for (i = 0; i < run->count; i++)
		run->live[i]->pins--;	/* a pinned entry stays where it is */
	spin_unlock_irqrestore(w->lock, flags);
}

/* Headers go to pages of their own, payloads behind each other. */
static int read_run(struct swb_group *g)
{
	struct swb_run *run = g->run;
	struct swb_wal *w = g->wal;
	struct bio *bio = &g->bio;
	u32 off = 0, left, n, i;

	bio_init(bio, w->store->bdev, run->bvec, ARRAY_SIZE(run->bvec), REQ_OP_READ);
	bio->bi_iter.bi_sector = (w->ring_offset + run->ent[0].pos) >> SECTOR_SHIFT;
	for (i = 0; i < run->count; i++) {
		__bio_add_page(bio, virt_to_page(run->header[i]),
			       run->ent[i].header_bytes, 0);
		left = round_up(run->ent[i].payload_bytes, w->ring.unit);
		for (; left; left -= n, off += n) {
			n = min_t(u32, left, PAGE_SIZE - offset_in_page(off));
			__bio_add_page(bio, g->page[off >> PAGE_SHIFT], n,
				       offset_in_page(off));
		}
	}
	return swb_idle_bio(bio);
}

/*
 * Records of entry @i of the run, verified, behind those that @g has. @more: others
 * may follow them: not where a cut left payload between, nor behind an open record,
 * which has room of its own in every ring.
 */
static bool take_entry(struct swb_group *g, u32 i, bool *more)
{
	const struct swb_disk_group *h = g->run->header[i];
	const struct swb_ent *e = &g->run->ent[i];
	u32 off = g->payload_bytes, end = off + e->payload_bytes, k;
	struct swb_wal *w = g->wal;
	struct swb_group_info info;
	struct swb_rec rec;

	if (!swb_wal_header_ok(w, e, h, &info))
		return false;
	*more = info.nrec == e->nrec;
	for (k = 0; k < e->nrec; k++) {
		if (!swb_codec_rec_decode(&h->rec[k], w->core->d.extent_bytes,
					  w->core->d.block_bytes, &rec))
			return false;
		g->header->rec[g->nrec + k] = h->rec[k];
		g->rec_off[g->nrec + k] = off;
		if (rec.type == SWB_REC_OPEN)
			*more = false;
		if (rec.type != SWB_REC_WRITE)
			continue;
		if (rec.len_bytes > end - off ||
		    swb_group_crc(g, off, rec.len_bytes) != rec.crc)
			return false;
		off += rec.len_bytes;
	}
	g->nrec += e->nrec;
	g->payload_bytes = off;
	return true;
}

/* What is damaged behind the first group is left to a read that begins there. */
static int verify_run(struct swb_group *g)
{
	bool more = true;
	u32 i;

	g->state = SWB_GROUP_WRITTEN;
	g->first_lsn = g->run->ent[0].first_lsn;
	g->epoch = g->run->ent[0].epoch;
	for (i = 0; i < g->run->count && more; i++)
		if (!take_entry(g, i, &more))
			break;
	return g->nrec ? 0 : -EILSEQ;
}

static struct swb_group *load_from_ring(struct swb_wal *w, u64 lsn, bool many)
{
	struct swb_group *g = swb_walmem_take_loader(w);
	unsigned long flags;
	int err;

	if (!g)
		return ERR_PTR(-ENOBUFS);
	spin_lock_irqsave(w->lock, flags);
	err = collect(w, g->run, lsn, many);
	spin_unlock_irqrestore(w->lock, flags);
	if (!err)
		err = read_run(g);
	unpin(w, g->run);
	if (!err)
		err = verify_run(g);
	if (!err)
		return g;
	swb_group_put(g);
	return ERR_PTR(err);
}

/* The group that holds @lsn if it is in memory; NULL if it is in the ring only. */
static struct swb_group *resident(struct swb_wal *w, u64 lsn)
{
	struct swb_group *g = NULL;
	struct swb_ent *e;
	unsigned long flags;

	spin_lock_irqsave(w->lock, flags);
	e = swb_wal_find(w, lsn);
	if (!e)
		g = ERR_PTR(-ENOENT);
	else if (e->group && e->group->state < SWB_GROUP_INFLIGHT)
		g = ERR_PTR(-EAGAIN);
	else if (e->group)
		g = e->group;
	if (!IS_ERR_OR_NULL(g))
		swb_group_get(g);
	spin_unlock_irqrestore(w->lock, flags);
	return g;
}

struct swb_group *swb_wal_resident(struct swb_wal *w, u64 lsn)
{
	struct swb_group *g = resident(w, lsn);

	return IS_ERR(g) ? NULL : g;
}

struct swb_group *swb_wal_load(struct swb_wal *w, u64 lsn)
{
	return resident(w, lsn) ?: load_from_ring(w, lsn, false);
}

struct swb_group *swb_wal_load_run(struct swb_wal *w, u64 lsn)
{
	struct swb_group *g = resident(w, lsn) ?: load_from_ring(w, lsn, true);

	/* of many groups only the first is asked for: the fault may be another's */
	return g == ERR_PTR(-EIO) ? swb_wal_load(w, lsn) : g;
}

/* ---- the cut -------------------------------------------------------------- */

static bool pinned_above(struct swb_wal *w, u64 lsn)
{
	u64 i;

	lockdep_assert_held(w->lock);
	for (i = swb_waldir_search(w, lsn + 1); i < w->priv->next; i++)
		if (swb_wal_ent(w, i)->pins)
			return true;
	return false;
}

/* Nothing gathers, nothing is in flight, nobody reads what will go. */
static bool quiet(struct swb_wal *w, u64 lsn)
{
	struct swb_wal_priv *p = w->priv;
	unsigned long flags;
	bool ret;

	spin_lock_irqsave(w->lock, flags);
	ret = !p->open && list_empty(&p->queue) && !p->sealing && !w->inflight &&
	      !pinned_above(w, lsn);
	spin_unlock_irqrestore(w->lock, flags);
	return ret;
}

static int settle(struct swb_wal *w, u64 lsn)
{
	unsigned long end = jiffies + CUT_TIMEOUT;

	for (;;) {
		swb_wal_run(w);
		if (quiet(w, lsn))
			return READ_ONCE(w->priv->failed) ? -EIO : 0;
		if (READ_ONCE(w->priv->failed))
			return -EIO;
		if (time_after(jiffies, end))
			return -ETIMEDOUT;
		wait_event_idle_timeout(w->priv->wait, quiet(w, lsn), CUT_POLL);
	}
}

/* Records of entry @i above @lo, from memory or ring, back into the index. */
static int index_entry(struct swb_wal *w, u64 i, u64 lo, struct swb_disk_group *buf)
{
	struct swb_disk_rec *rec = buf->rec;
	u32 off[SWB_GROUP_RECS_MAX], at = 0, from, k;
	struct swb_group_info info;
	struct swb_ent *e, copy;
	unsigned long flags;
	int err = 0;

	spin_lock_irqsave(w->lock, flags);
	e = swb_wal_ent(w, i);
	copy = *e;
	if (e->group)
		memcpy(buf, e->group->header, e->header_bytes);
	spin_unlock_irqrestore(w->lock, flags);
	if (swb_ent_last(&copy) <= lo)
		return 0;
	if (!copy.group)
		err = swb_store_read(w->store, w->ring_offset + copy.pos, buf,
				     copy.header_bytes);
	if (err)
		return err;
	if (!swb_wal_header_ok(w, &copy, buf, &info))
		return -EILSEQ;
	for (k = 0; k < copy.nrec; k++) {
		off[k] = at;
		if (rec[k].type == SWB_REC_WRITE)
			at += le32_to_cpu(rec[k].len_bytes);
	}
	from = lo < copy.first_lsn ? 0 : lo - copy.first_lsn + 1;
	spin_lock_irqsave(w->lock, flags);
	swb_waldir_index(w, rec, copy.first_lsn, from, copy.nrec, off);
	spin_unlock_irqrestore(w->lock, flags);
	return 0;
}

static int rebuild_index(struct swb_wal *w)
{
	struct swb_wal_priv *p = w->priv;
	unsigned long flags;
	void *buf;
	u64 i, lo;
	int err = 0;

	buf = kzalloc(SWB_GROUP_HEADER_MAX, GFP_NOIO);
	if (!buf)
		return -ENOMEM;
	spin_lock_irqsave(w->lock, flags);
	lo = w->core->d.extent_lo;
	swb_dirty_clear(w->dirty);
	i = swb_waldir_search(w, lo + 1);
	spin_unlock_irqrestore(w->lock, flags);
	/* the owner keeps writers and flusher away: entries stay */
	for (; i < p->next && !err; i++)
		err = index_entry(w, i, lo, buf);
	kfree(buf);
	return err;
}

int swb_wal_settle(struct swb_wal *w)
{
	int err = settle(w, 0);	/* whoever reads the ring is done, too */

	return err ?: swb_store_flush(w->store);
}

int swb_wal_truncate(struct swb_wal *w, u64 lsn)
{
	struct swb_durable *d = &w->core->d;
	unsigned long flags;
	int err;

	err = settle(w, lsn);
	/*
	 * What was written since the last cut must be on the medium before
	 * log_end moves: else a crash uncovers the dead groups beneath it, and
	 * the new log_end speaks for them (P4).
	 */
	if (!err)
		err = swb_store_flush(w->store);
	if (err)
		return err;
	spin_lock_irqsave(w->lock, flags);
	if (lsn + 1 < w->priv->start || lsn >= w->priv->next_lsn) {
		spin_unlock_irqrestore(w->lock, flags);
		return -EINVAL;
	}
	swb_waldir_cut(w, lsn);
	d->incarnation++;			/* P4 */
	w->ring.incarnation = d->incarnation;
	d->log_end = lsn;
	if (d->tail_lsn == lsn + 1) {		/* nothing is left to scan */
		d->tail_pos = w->ring.write_pos;
		d->tail_seq = w->ring.seq;
		d->tail_prev_crc = w->ring.prev_crc;
	}
	spin_unlock_irqrestore(w->lock, flags);
	err = rebuild_index(w);
	swb_wal_freed(w);
	return err;
}
