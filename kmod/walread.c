// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading the log back: a group from memory if it is there, else from the ring,
 * verified; and the cut, which has to read headers to make the index anew.
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

static bool verify(struct swb_group *g, const struct swb_ent *e)
{
	struct swb_wal *w = g->wal;
	struct swb_group_info info;
	struct swb_rec rec;
	u32 off = 0, i;

	if (!swb_wal_header_ok(w, e, g->header, &info))
		return false;
	g->first_lsn = e->first_lsn;
	g->epoch = e->epoch;
	g->nrec = e->nrec;
	for (i = 0; i < e->nrec; i++) {
		if (!swb_codec_rec_decode(&g->header->rec[i],
					  w->core->d.extent_bytes,
					  w->core->d.block_bytes, &rec))
			return false;
		g->rec_off[i] = off;
		if (rec.type != SWB_REC_WRITE)
			continue;
		if (rec.len_bytes > e->payload_bytes - off ||
		    swb_group_crc(g, off, rec.len_bytes) != rec.crc)
			return false;
		off += rec.len_bytes;
	}
	g->payload_bytes = off;
	return true;
}

static int read_group(struct swb_group *g, const struct swb_ent *e)
{
	struct swb_wal *w = g->wal;
	u32 left = round_up(e->payload_bytes, w->ring.unit), n, i;
	struct bio *bio = &g->bio;
	int err;

	bio_init(bio, w->store->bdev, g->bvec, ARRAY_SIZE(g->bvec), REQ_OP_READ);
	bio->bi_iter.bi_sector = (w->ring_offset + e->pos) >> SECTOR_SHIFT;
	__bio_add_page(bio, virt_to_page(g->header), e->header_bytes, 0);
	for (i = 0; left; i++) {
		n = min_t(u32, left, PAGE_SIZE);
		__bio_add_page(bio, g->page[i], n, 0);
		left -= n;
	}
	err = swb_idle_bio(bio);
	if (err)
		return err;
	g->state = SWB_GROUP_WRITTEN;
	return verify(g, e) ? 0 : -EILSEQ;
}

static struct swb_group *load_from_ring(struct swb_wal *w, const struct swb_ent *e)
{
	struct swb_group *g = swb_walmem_take_loader(w, e->payload_bytes);
	int err;

	if (!g)
		return ERR_PTR(-ENOBUFS);
	err = read_group(g, e);
	if (!err)
		return g;
	swb_group_put(g);
	return ERR_PTR(err);
}

struct swb_group *swb_wal_load(struct swb_wal *w, u64 lsn)
{
	struct swb_ent *e, copy;
	struct swb_group *g;
	unsigned long flags;

	spin_lock_irqsave(w->lock, flags);
	e = swb_wal_find(w, lsn);
	if (!e) {
		g = ERR_PTR(-ENOENT);
		goto unlock;
	}
	g = e->group;
	if (g) {
		if (g->state < SWB_GROUP_INFLIGHT)
			g = ERR_PTR(-EAGAIN);
		else
			swb_group_get(g);
		goto unlock;
	}
	e->pins++;
	copy = *e;
	spin_unlock_irqrestore(w->lock, flags);
	g = load_from_ring(w, &copy);
	spin_lock_irqsave(w->lock, flags);
	e->pins--;	/* a pinned entry stays where it is */
unlock:
	spin_unlock_irqrestore(w->lock, flags);
	return g;
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
