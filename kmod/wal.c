// SPDX-License-Identifier: GPL-2.0-only
/*
 * Group commit: records are gathered in a group, the group gets its place in the
 * ring, its header is sealed and chained to the one before, and it is written by
 * one bio. Flushes. Does not know peers, decides nothing about durability.
 *
 *	reserve ........ lock: LSN, slot in the open group, room is certain
 *	fill ........... no lock: copy and checksum
 *	commit ......... lock: index
 *	run ............ close the open group if the disk has little to do, seal
 *			 and submit closed groups in order; one runner at a time
 *	end_io ......... lock: state, contiguous prefix; then tell the owner, who
 *			 calls kick, which runs again
 *
 * A group gets its place when it closes, in LSN order; reserve has made sure that
 * there is one. Sealing needs all records filled and the header before it.
 *
 * Lock: *w->lock (irqsave). No I/O is submitted under it. Context: named at each
 * function; end_io may be hard irq.
 */
#include <linux/highmem.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "core/codec.h"
#include "lat.h"
#include "walpriv.h"

#define OPEN_RECORD_TIMEOUT	(30 * HZ)
#define IDLE_POLL		(HZ / 10)

/* ---- telling the owner -------------------------------------------------- */

/* Something was freed: wake who waits, tell the owner if he was refused. */
void swb_wal_freed(struct swb_wal *w)
{
	struct swb_wal_priv *p = w->priv;
	unsigned long flags;
	bool wanted;

	spin_lock_irqsave(w->lock, flags);
	wanted = p->space_wanted;
	WRITE_ONCE(p->space_wanted, false);
	p->freed_seq++;
	spin_unlock_irqrestore(w->lock, flags);
	wake_up(&p->wait);
	if (wanted)
		w->ops->space(w->ctx);
}

static int refuse(struct swb_wal *w, int err)
{
	struct swb_wal_priv *p = w->priv;

	lockdep_assert_held(w->lock);
	WRITE_ONCE(p->space_wanted, true);
	if (err == -ENOSPC)
		p->ring_refused = true;
	if (p->pressure)
		p->pressure(p->pressure_ctx, true);
	return err;
}

/* ---- placing ------------------------------------------------------------ */

/* Would a group of this size find a place, with @spare units left over? */
static bool fits_ring(struct swb_wal *w, u32 nrec, u32 payload_bytes, u32 spare)
{
	struct swb_ring *r = &w->ring;
	u64 len = swb_ring_group_bytes(r, nrec, payload_bytes), pos, gap;

	return swb_ring_place(r, len, &pos, &gap) &&
	       r->used + gap + len + (u64)spare * r->unit < r->bytes;
}

static u32 admission_spare(const struct swb_wal *w)
{
	u64 bytes = min_t(u64, SWB_WAL_ASYMMETRY, w->ring.bytes / 2);

	return SWB_WAL_SPARE + (u32)div_u64(bytes, w->ring.unit);
}

u64 swb_wal_room_wanted(const struct swb_wal *w)
{
	return 2 * (SWB_GROUP_HEADER_MAX + SWB_GROUP_PAYLOAD_MAX) +
	       (u64)admission_spare(w) * w->ring.unit;
}

static bool fits_index(struct swb_wal *w, u32 nrec)
{
	return w->dirty->records + w->priv->unindexed + nrec <=
	       w->dirty->records_max;
}

/* @g takes no more records: it gets its place in the ring. */
static void place(struct swb_wal *w, struct swb_group *g)
{
	struct swb_wal_priv *p = w->priv;
	struct swb_ent *e = swb_wal_ent(w, g->index);
	u64 len, pos, gap;
	bool placed;

	lockdep_assert_held(w->lock);
	e->header_bytes = swb_ring_header_bytes(&w->ring, g->nrec);
	e->payload_bytes = g->payload_bytes;
	len = swb_ring_group_bytes(&w->ring, g->nrec, g->payload_bytes);
	placed = swb_ring_place(&w->ring, len, &pos, &gap);
	swb_assert(placed);	/* reserve and attach saw to it */
	e->pos = pos;
	e->seq = w->ring.seq;
	e->bytes = len + gap;
	swb_ring_take(&w->ring, pos, len, gap, w->ring.prev_crc);
	g->state = SWB_GROUP_CLOSING;
	list_add_tail(&g->node, &p->queue);
	p->unannounced += e->bytes;
	if (p->pressure && p->unannounced >= p->announce_bytes) {
		p->unannounced = 0;
		p->pressure(p->pressure_ctx, false);
	}
}

static void close_open(struct swb_wal *w)
{
	struct swb_group *g = w->priv->open;

	w->priv->open = NULL;
	place(w, g);
}

/* ---- sealing and submitting --------------------------------------------- */

/* Under the lock: it may be evicted from now on. */
static bool group_written(struct swb_wal *w, struct swb_group *g, int err)
{
	struct swb_ent *e = swb_wal_ent(w, g->index);
	struct swb_wal_priv *p = w->priv;

	lockdep_assert_held(w->lock);
	w->inflight--;
	g->state = SWB_GROUP_WRITTEN;
	g->error = err;
	swb_group_put(g);	/* the directory has another */
	if (err) {
		p->failed = p->failed ?: err;
		return false;
	}
	e->written = true;
	swb_wal_stage(w, e, SWB_STAGE_WRITTEN);
	list_add_tail(&g->node, &p->resident);
	return swb_waldir_advance(w);
}

static void group_end_io(struct bio *bio)
{
	struct swb_group *g = bio->bi_private;
	int err = blk_status_to_errno(bio->bi_status);
	struct swb_wal *w = g->wal;
	struct swb_wal_priv *p = w->priv;
	bool moved, wanted;
	unsigned long flags;

	rcu_read_lock();	/* destroy waits for us to leave */
	spin_lock_irqsave(w->lock, flags);
	moved = group_written(w, g, err);
	wanted = p->space_wanted;
	WRITE_ONCE(p->space_wanted, false);
	p->freed_seq++;
	spin_unlock_irqrestore(w->lock, flags);
	if (wq_has_sleeper(&p->wait))
		wake_up(&p->wait);
	if (err)
		w->ops->failed(w->ctx, err);
	else if (moved)
		w->ops->progress(w->ctx);
	if (wanted)
		w->ops->space(w->ctx);
	rcu_read_unlock();
}

/* Zero what is behind the records in the header, and behind the payload. */
static void pad(struct swb_group *g, const struct swb_ent *e, u32 unit)
{
	u32 used = sizeof(*g->header) + g->nrec * sizeof(g->header->rec[0]);
	u32 tail = e->payload_bytes & (unit - 1);
	u32 last = offset_in_page(e->payload_bytes);

	memset(g->header, 0, sizeof(*g->header));
	memset((void *)g->header + used, 0, e->header_bytes - used);
	if (tail)
		memset(page_address(g->page[g->npages - 1]) + last, 0, unit - tail);
}

static void build_bio(struct swb_group *g, const struct swb_ent *e)
{
	struct swb_wal *w = g->wal;
	u32 left = round_up(e->payload_bytes, w->ring.unit), n, i;
	struct bio *bio = &g->bio;

	bio_init(bio, w->store->bdev, g->bvec, ARRAY_SIZE(g->bvec),
		 REQ_OP_WRITE | REQ_SYNC | REQ_IDLE);
	swb_compat_bio_root_cgroup(bio);
	bio->bi_iter.bi_sector = (w->ring_offset + e->pos) >> SECTOR_SHIFT;
	bio->bi_end_io = group_end_io;
	bio->bi_private = g;
	__bio_add_page(bio, virt_to_page(g->header), e->header_bytes, 0);
	for (i = 0; left; i++) {
		n = min_t(u32, left, PAGE_SIZE);
		__bio_add_page(bio, g->page[i], n, 0);
		left -= n;
	}
}

static void describe(struct swb_wal *w, struct swb_group *g,
		     struct swb_group_info *info)
{
	struct swb_ent *e = swb_wal_ent(w, g->index);

	lockdep_assert_held(w->lock);
	e->prev_crc = w->ring.prev_crc;		/* P4 */
	info->seq = e->seq;
	info->incarnation = w->ring.incarnation;
	info->epoch = g->epoch;
	info->first_lsn = g->first_lsn;
	info->committed = w->core->log.committed;
	info->crc = 0;
	info->prev_crc = e->prev_crc;
	info->nrec = g->nrec;
	info->header_bytes = e->header_bytes;
	info->payload_bytes = g->payload_bytes;
}

/* Would a run find a group, or close one? Who is sealing already looks again before he leaves. */
static bool worth_running(struct swb_wal *w)
{
	struct swb_wal_priv *p = w->priv;

	lockdep_assert_held(w->lock);
	if (p->sealing || p->failed || w->inflight >= SWB_WAL_DEPTH_MAX)
		return false;
	if (list_empty(&p->queue))
		return p->open && w->inflight < SWB_WAL_DEPTH_OPEN;
	return !list_first_entry(&p->queue, struct swb_group, node)->fillers;
}

/* The next group that can be sealed now, or NULL; closes the open one if idle. */
static struct swb_group *next_group(struct swb_wal *w)
{
	struct swb_wal_priv *p = w->priv;
	struct swb_group *g;

	lockdep_assert_held(w->lock);
	if (p->failed || w->inflight >= SWB_WAL_DEPTH_MAX)
		return NULL;
	if (list_empty(&p->queue)) {
		if (!p->open || w->inflight >= SWB_WAL_DEPTH_OPEN)
			return NULL;
		close_open(w);
	}
	g = list_first_entry(&p->queue, struct swb_group, node);
	return g->fillers ? NULL : g;
}

/*
 * Seal and submit what is ready. One runner at a time; a context that finds one
 * leaves its group to it. Submits bios from this context, never waits for them.
 */
void swb_wal_run(struct swb_wal *w)
{
	struct swb_wal_priv *p = w->priv;
	struct swb_group_info info;
	struct swb_group *g;
	struct swb_ent *e;
	unsigned long flags;

	spin_lock_irqsave(w->lock, flags);
	if (p->sealing)
		goto unlock;
	p->sealing = true;
	while ((g = next_group(w))) {
		list_del_init(&g->node);
		describe(w, g, &info);
		e = swb_wal_ent(w, g->index);	/* stays: not written yet */
		w->inflight++;
		spin_unlock_irqrestore(w->lock, flags);

		pad(g, e, w->ring.unit);
		swb_codec_group_seal(g->header, &info, w->ring.ring_id);
		build_bio(g, e);
		g->sealed_ns = swb_lat_now();

		spin_lock_irqsave(w->lock, flags);
		e->crc = info.crc;
		w->ring.prev_crc = info.crc;
		g->state = SWB_GROUP_INFLIGHT;
		WRITE_ONCE(w->submitted_lsn, swb_ent_last(e));
		swb_group_get(g);
		swb_wal_stage(w, e, SWB_STAGE_SUBMITTED);
		spin_unlock_irqrestore(w->lock, flags);
		submit_bio(&g->bio);
		spin_lock_irqsave(w->lock, flags);
	}
	p->sealing = false;
unlock:
	spin_unlock_irqrestore(w->lock, flags);
}

void swb_wal_kick(struct swb_wal *w)
{
	swb_wal_run(w);
}

/* ---- primary: one record ------------------------------------------------ */

static bool fits_group(const struct swb_group *g, u64 epoch, u32 payload)
{
	return g->nrec < SWB_GROUP_RECS_MAX && g->epoch == epoch &&
	       g->payload_bytes + payload <= SWB_GROUP_PAYLOAD_MAX;
}

/* The open group with room for @payload more bytes, opened if there is none. */
static struct swb_group *open_group(struct swb_wal *w, u64 epoch, u32 payload)
{
	struct swb_wal_priv *p = w->priv;
	struct swb_group *g = p->open;

	if (g)
		return swb_walmem_extend(w, g, g->payload_bytes + payload) ?
			g : NULL;
	if (!swb_waldir_room(w, SWB_WAL_SPARE))
		return NULL;
	g = swb_walmem_take(w, payload);
	if (!g)
		return NULL;
	g->state = SWB_GROUP_OPEN;
	g->first_lsn = p->next_lsn;
	g->epoch = epoch;
	g->admitted_ns = ktime_get_boottime_ns();
	swb_waldir_push(w, g);
	p->open = g;
	return g;
}

int swb_wal_reserve(struct swb_wal *w, u8 type, u64 sector, u32 len_bytes,
		    struct swb_slot *slot)
{
	struct swb_wal_priv *p = w->priv;
	u32 payload = type == SWB_REC_WRITE ? len_bytes : 0;
	u64 epoch = w->core->d.opened;
	struct swb_group *g;
	u32 nrec, bytes;

	lockdep_assert_held(w->lock);
	if (p->failed)
		return -EIO;
	/* the open record was counted but is not in the log yet: it comes first */
	if (w->core->log.head + 1 != p->next_lsn || !fits_index(w, 1))
		return refuse(w, -ENOBUFS);
	if (p->open && !fits_group(p->open, epoch, payload))
		close_open(w);
	nrec = p->open ? p->open->nrec : 0;
	bytes = p->open ? p->open->payload_bytes : 0;
	if (!fits_ring(w, nrec + 1, bytes + payload, admission_spare(w)))
		return refuse(w, -ENOSPC);
	g = open_group(w, epoch, payload);
	if (!g)
		return refuse(w, -ENOBUFS);

	slot->group = g;
	slot->index = nrec;
	slot->lsn = swb_core_append(w->core, 1);
	swb_assert(slot->lsn == p->next_lsn);
	p->next_lsn++;
	p->unindexed++;
	swb_codec_rec_encode(&g->header->rec[nrec], type, sector, len_bytes, 0);
	g->rec_off[nrec] = bytes;
	g->nrec++;
	g->payload_bytes += payload;
	g->fillers++;
	swb_wal_ent(w, g->index)->nrec++;
	return 0;
}

/* Copy one piece in; the checksum is of the copy: the source may change. */
static u32 copy_in(struct swb_group *g, u32 off, const void *src, u32 len, u32 crc)
{
	void *dst;
	u32 n;

	while (len) {
		n = min_t(u32, len, PAGE_SIZE - offset_in_page(off));
		dst = page_address(g->page[off >> PAGE_SHIFT]) + offset_in_page(off);
		memcpy(dst, src, n);
		crc = swb_crc32c(crc, dst, n);
		src += n;
		off += n;
		len -= n;
	}
	return crc;
}

void swb_wal_fill(struct swb_slot *slot, struct bio *bio)
{
	struct swb_group *g = slot->group;
	struct swb_disk_rec *rec = &g->header->rec[slot->index];
	u32 off = g->rec_off[slot->index], crc = 0;
	struct bvec_iter iter;
	struct bio_vec bv;
	void *src;

	if (rec->type != SWB_REC_WRITE)
		return;
	bio_for_each_segment(bv, bio, iter) {
		src = bvec_kmap_local(&bv);
		crc = copy_in(g, off, src, bv.bv_len, crc);
		kunmap_local(src);
		off += bv.bv_len;
	}
	rec->crc = cpu_to_le32(crc);
}

bool swb_wal_commit(struct swb_wal *w, struct swb_slot *slot)
{
	struct swb_group *g = slot->group;
	unsigned long flags;
	bool run;

	spin_lock_irqsave(w->lock, flags);
	swb_waldir_index(w, g->header->rec, g->first_lsn, slot->index,
			 slot->index + 1, g->rec_off);
	w->priv->unindexed--;
	g->fillers--;
	run = worth_running(w);
	spin_unlock_irqrestore(w->lock, flags);
	if (run)
		swb_wal_run(w);
	return run;
}

/* ---- replica: a whole group --------------------------------------------- */

int swb_wal_attach(struct swb_wal *w, struct swb_group *g)
{
	struct swb_wal_priv *p = w->priv;
	bool opens = g->header->rec[0].type == SWB_REC_OPEN;
	u32 spare = opens ? 0 : SWB_WAL_SPARE;
	struct swb_ent *e;

	lockdep_assert_held(w->lock);
	if (p->failed)
		return -EIO;
	if (!g->nrec || g->first_lsn != p->next_lsn)
		return -EINVAL;
	if (p->open)
		close_open(w);	/* of a role that ended */
	if (!fits_ring(w, g->nrec, g->payload_bytes, spare) ||
	    !fits_index(w, g->nrec) || !swb_waldir_room(w, spare)) {
		p->refused_seq = p->freed_seq;
		return refuse(w, -ENOSPC);
	}
	if (!g->admitted_ns)
		g->admitted_ns = ktime_get_boottime_ns();
	g->fillers = 1;		/* until it is indexed */
	e = swb_waldir_push(w, g);
	e->nrec = g->nrec;
	p->next_lsn += g->nrec;
	p->unindexed += g->nrec;
	place(w, g);
	return 0;
}

void swb_wal_submit(struct swb_wal *w, struct swb_group *g)
{
	u32 nrec = g->nrec, i, n;
	unsigned long flags;

	/* with its last filler gone it may be written and evicted any time */
	for (i = 0; i < nrec; i += n) {
		n = min_t(u32, nrec - i, 16);
		spin_lock_irqsave(w->lock, flags);
		swb_waldir_index(w, g->header->rec, g->first_lsn, i, i + n,
				 g->rec_off);
		w->priv->unindexed -= n;
		if (i + n == nrec)
			g->fillers = 0;
		spin_unlock_irqrestore(w->lock, flags);
	}
	swb_wal_run(w);
}

void swb_wal_wait_space(struct swb_wal *w, long timeout)
{
	struct swb_wal_priv *p = w->priv;

	wait_event_idle_timeout(p->wait,
				READ_ONCE(p->freed_seq) != READ_ONCE(p->refused_seq),
				timeout);
}

int swb_wal_append_open(struct swb_wal *w, u64 epoch, u64 lsn)
{
	unsigned long end = jiffies + OPEN_RECORD_TIMEOUT;
	struct swb_group *g;
	unsigned long flags;
	int err;

	g = swb_wal_group_get(w, 0, OPEN_RECORD_TIMEOUT);
	if (!g)
		return -ENOBUFS;
	g->first_lsn = lsn;
	g->epoch = epoch;
	g->nrec = 1;
	g->rec_off[0] = 0;
	swb_codec_rec_encode(&g->header->rec[0], SWB_REC_OPEN, 0, 0, 0);
	for (;;) {
		spin_lock_irqsave(w->lock, flags);
		err = swb_wal_attach(w, g);
		spin_unlock_irqrestore(w->lock, flags);
		if (err != -ENOSPC || time_after(jiffies, end))
			break;
		swb_wal_wait_space(w, HZ);
	}
	if (err)
		swb_group_put(g);
	else
		swb_wal_submit(w, g);
	swb_wal_freed(w);	/* who came too early may try again */
	return err;
}

/* ---- flush -------------------------------------------------------------- */

static void flush_ended(struct swb_wal *w, int err)
{
	struct swb_wal_priv *p = w->priv;
	unsigned long flags;

	rcu_read_lock();
	spin_lock_irqsave(w->lock, flags);
	w->flush_inflight = false;
	w->flush_done = true;
	w->flush_lsn = p->flush_lsn;
	w->flush_generation = p->flush_generation;
	w->flush_err = err;
	spin_unlock_irqrestore(w->lock, flags);
	if (err)
		w->ops->failed(w->ctx, err);
	w->ops->progress(w->ctx);
	wake_up(&p->wait);
	rcu_read_unlock();
}

static void flush_end_io(struct bio *bio)
{
	struct swb_wal *w = bio->bi_private;
	int err = blk_status_to_errno(bio->bi_status);

	if (!err)
		w->ops->flushed(w->ctx, w->priv->flush_lsn,
				ktime_get_boottime_ns() - w->priv->flush_ns);
	flush_ended(w, err);
}

void swb_wal_flush(struct swb_wal *w)
{
	struct swb_wal_priv *p = w->priv;
	struct bio *bio = &p->flush_bio;
	unsigned long flags;

	spin_lock_irqsave(w->lock, flags);
	if (w->flush_inflight) {
		spin_unlock_irqrestore(w->lock, flags);
		return;
	}
	w->flush_inflight = true;
	/* it covers what is complete now, and only in this generation (P5) */
	p->flush_lsn = w->written_lsn;
	p->flush_generation = w->core->log.generation;
	spin_unlock_irqrestore(w->lock, flags);
	if (!w->store->volatile_cache) {
		flush_ended(w, 0);
		return;
	}
	bio_init(bio, w->store->bdev, NULL, 0,
		 REQ_OP_WRITE | REQ_PREFLUSH | REQ_SYNC | REQ_IDLE);
	swb_compat_bio_root_cgroup(bio);
	bio->bi_end_io = flush_end_io;
	bio->bi_private = w;
	p->flush_ns = ktime_get_boottime_ns();
	submit_bio(bio);
}

/* ---- create and destroy ------------------------------------------------- */

int swb_wal_create(struct swb_wal *w, u64 memory_bytes)
{
	struct swb_wal_priv *p;
	int err;

	p = kzalloc(sizeof(*p), GFP_KERNEL);
	if (!p)
		return -ENOMEM;
	p->wal = w;
	w->priv = p;
	INIT_LIST_HEAD(&p->queue);
	init_waitqueue_head(&p->wait);
	p->announce_bytes = memory_bytes / 4;
	err = swb_walmem_create(w, memory_bytes);
	if (err)
		swb_wal_destroy(w);
	return err;
}

bool swb_wal_idle(struct swb_wal *w)
{
	return !READ_ONCE(w->inflight) && !READ_ONCE(w->flush_inflight);
}

void swb_wal_destroy(struct swb_wal *w)
{
	struct swb_wal_priv *p = w->priv;

	if (!p)
		return;
	while (!swb_wal_idle(w))
		wait_event_idle_timeout(p->wait, swb_wal_idle(w), IDLE_POLL);
	synchronize_rcu();	/* the last end_io has left */
	cancel_work_sync(&p->refill_work);
	cancel_work_sync(&p->space_work);
	swb_waldir_destroy(w);
	swb_walmem_destroy(w);
	kfree(p);
	w->priv = NULL;
}
