// SPDX-License-Identifier: GPL-2.0-only
/*
 * One batch of write-back, see flusher.c for the order of things. Here: collect
 * groups from memory or, verified, from the ring; let newer records win; write
 * sorted, plugged, and merged where sectors follow each other. Bios are preallocated,
 * and when all are in flight the next one waits for the disk.
 *
 * Lock: flusher.mutex; w->lock inside for looks at the directory. Context: the
 * flusher's kthread, process, GFP_NOIO.
 */
#include <linux/blkdev.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "core/codec.h"
#include "idle.h"
#include "wbatch.h"

#define RETIRE_BATCH	16	/* ranges under one hold of the lock */

/* ---- which ---------------------------------------------------------------- */

/* Counts against the limits of a batch. */
struct tally {
	u32 groups;
	u32 records;
	u64 payload_bytes;
	u64 buf_bytes;
};

static bool takes_one_more(struct tally *t, const struct swb_ent *e)
{
	t->groups++;
	t->records += e->nrec;
	t->payload_bytes += e->payload_bytes;
	if (!e->group)
		t->buf_bytes += e->header_bytes + e->payload_bytes;
	return t->groups <= SWB_WBATCH_GROUPS &&
	       t->records <= SWB_WBATCH_RECORDS &&
	       t->payload_bytes <= SWB_WBATCH_BYTES &&
	       t->buf_bytes <= SWB_WBATCH_BUF_BYTES - SWB_GROUP_HEADER_MAX;
}

u64 swb_wbatch_plan(struct swb_wal *w, u64 lo, u64 limit)
{
	struct tally t = {};
	struct swb_ent *e;
	u64 i, hi = 0;

	lockdep_assert_held(w->lock);
	for (i = swb_waldir_search(w, lo + 1); i < w->priv->next; i++) {
		e = swb_wal_ent(w, i);
		if (e->first_lsn > limit || !e->written || !takes_one_more(&t, e))
			break;
		hi = min(limit, swb_ent_last(e));
	}
	return hi;
}

/* ---- collect ---------------------------------------------------------------- */

static void add_source(struct swb_wbatch *b, struct swb_ent *e, u32 *buf_used)
{
	struct swb_wsrc *s = &b->src[b->src_count++];

	s->first_lsn = e->first_lsn;
	s->nrec = e->nrec;
	s->group = e->group;
	s->copy = *e;
	s->ent = NULL;
	if (s->group) {
		swb_group_get(s->group);
		return;
	}
	e->pins++;
	s->ent = e;
	s->buf_off = *buf_used;
	*buf_used += swb_ent_len(b->wal, e);
}

static void collect(struct swb_wbatch *b, u64 hi)
{
	struct swb_wal *w = b->wal;
	struct tally t = {};
	unsigned long flags;
	u32 buf_used = 0;
	struct swb_ent *e;
	u64 i;

	spin_lock_irqsave(w->lock, flags);
	for (i = swb_waldir_search(w, b->lo + 1); i < w->priv->next; i++) {
		e = swb_wal_ent(w, i);
		if (e->first_lsn > hi || !e->written || !takes_one_more(&t, e))
			break;
		add_source(b, e, &buf_used);
		b->hi = min(hi, swb_ent_last(e));
	}
	spin_unlock_irqrestore(w->lock, flags);
}

/* Sources from @i on that lie behind each other in the ring: one read. */
static u32 read_run(struct swb_wbatch *b, u32 i, int *err)
{
	struct swb_wal *w = b->wal;
	u64 pos = b->src[i].copy.pos, end = pos;
	u32 n;

	for (n = i; n < b->src_count; n++) {
		if (b->src[n].group || b->src[n].copy.pos != end)
			break;
		end += swb_ent_len(w, &b->src[n].copy);
	}
	*err = swb_store_read(w->store, w->ring_offset + pos,
			      b->buf + b->src[i].buf_off, end - pos);
	return n;
}

static int read_missing(struct swb_wbatch *b)
{
	int err = 0;
	u32 i = 0;

	while (i < b->src_count && !err) {
		if (b->src[i].group)
			i++;
		else
			i = read_run(b, i, &err);
	}
	return err;
}

static void *payload_in_buf(struct swb_wbatch *b, const struct swb_wsrc *s)
{
	return b->buf + s->buf_off + s->copy.header_bytes;
}

/* Records of @s that belong to the batch, into the map. */
static bool map_source(struct swb_wbatch *b, struct swb_wsrc *s)
{
	struct swb_durable *d = &b->wal->core->d;
	struct swb_disk_group *h = s->group ? s->group->header :
					      b->buf + s->buf_off;
	struct swb_group_info info;
	struct swb_rec rec;
	u32 off = 0, i;
	u64 lsn;

	if (!s->group && !swb_wal_header_ok(b->wal, &s->copy, h, &info))
		return false;
	for (i = 0; i < s->nrec; i++) {
		if (!swb_codec_rec_decode(&h->rec[i], d->extent_bytes,
					  d->block_bytes, &rec))
			return false;
		lsn = s->first_lsn + i;
		if (rec.type == SWB_REC_WRITE && !s->group &&
		    (rec.len_bytes > s->copy.payload_bytes - off ||
		     swb_crc32c(0, payload_in_buf(b, s) + off, rec.len_bytes) !=
		     rec.crc))
			return false;
		if (rec.type != SWB_REC_OPEN && lsn > b->lo && lsn <= b->hi)
			swb_dirty_insert(&b->map, rec.sector, rec.sector +
					 (rec.len_bytes >> SECTOR_SHIFT), lsn, off,
					 rec.type == SWB_REC_ZEROES);
		if (rec.type == SWB_REC_WRITE)
			off += rec.len_bytes;
	}
	return true;
}

static void unpin(struct swb_wbatch *b)
{
	unsigned long flags;
	u32 i;

	spin_lock_irqsave(b->wal->lock, flags);
	for (i = 0; i < b->src_count; i++) {
		if (b->src[i].ent)
			b->src[i].ent->pins--;
		b->src[i].ent = NULL;
	}
	spin_unlock_irqrestore(b->wal->lock, flags);
}

int swb_wbatch_load(struct swb_wbatch *b, u64 lo, u64 hi)
{
	int err;
	u32 i;

	b->lo = lo;
	b->hi = lo;
	b->src_count = 0;
	collect(b, hi);
	err = read_missing(b);
	unpin(b);
	for (i = 0; i < b->src_count && !err; i++)
		if (!map_source(b, &b->src[i]))
			err = -EILSEQ;
	return err;
}

void swb_wbatch_drop(struct swb_wbatch *b)
{
	u32 i;

	for (i = 0; i < b->src_count; i++)
		if (b->src[i].group)
			swb_group_put(b->src[i].group);
	b->src_count = 0;
	swb_dirty_clear(&b->map);
}

/* ---- write ------------------------------------------------------------------ */

static void put_pending(struct swb_wbatch *b)
{
	if (atomic_dec_and_test(&b->pending))
		complete(&b->done);
}

static void extent_end_io(struct bio *bio)
{
	struct swb_wbio *wb = container_of(bio, struct swb_wbio, bio);
	struct swb_wbatch *b = wb->batch;

	if (bio->bi_status)
		cmpxchg(&b->error, 0, blk_status_to_errno(bio->bi_status));
	bio_uninit(bio);
	llist_add(&wb->free, &b->free);
	if (wq_has_sleeper(&b->wait))
		wake_up(&b->wait);
	put_pending(b);		/* last: the batch may go then */
}

static struct swb_wsrc *source_of(struct swb_wbatch *b, u64 lsn)
{
	u32 lo = 0, hi = b->src_count, mid;

	while (hi - lo > 1) {
		mid = lo + (hi - lo) / 2;
		if (b->src[mid].first_lsn <= lsn)
			lo = mid;
		else
			hi = mid;
	}
	return &b->src[lo];
}

static struct page *page_at(struct swb_wbatch *b, const struct swb_wsrc *s,
			    u32 payload_off, u32 *off)
{
	void *p;

	if (s->group) {
		*off = offset_in_page(payload_off);
		return s->group->page[payload_off >> PAGE_SHIFT];
	}
	p = payload_in_buf(b, s) + payload_off;
	*off = offset_in_page(p);
	return vmalloc_to_page(p);
}

/* Only the flusher takes. Whoever sleeps sends off what it has plugged. */
static struct bio *new_bio(struct swb_wbatch *b, u64 sector)
{
	u64 extent_sector = b->wal->core->d.extent_offset >> SECTOR_SHIFT;
	struct llist_node *n;
	struct swb_wbio *wb;
	struct bio *bio;

	while (!(n = llist_del_first(&b->free)))
		wait_event_idle(b->wait, !llist_empty(&b->free));
	wb = llist_entry(n, struct swb_wbio, free);
	bio = &wb->bio;
	bio_init(bio, b->data->bdev, wb->vec, SWB_WBATCH_VECS,
		 REQ_OP_WRITE | REQ_BACKGROUND);
	bio->bi_iter.bi_sector = extent_sector + sector;
	bio->bi_end_io = extent_end_io;
	atomic_inc(&b->pending);
	return bio;
}

/*
 * Add a range to @bio if it goes on where that ends, else to a new one. Return:
 * the bio that is being filled.
 */
static struct bio *add_contents(struct swb_wbatch *b, struct bio *bio,
				const struct swb_range *r)
{
	u64 base = b->wal->core->d.extent_offset >> SECTOR_SHIFT;
	struct swb_wsrc *s = source_of(b, r->lsn);
	u64 at = r->start;
	u32 pos = r->payload_off, off, n;
	struct page *page;

	while (at < r->end) {
		page = page_at(b, s, pos, &off);
		n = min_t(u64, PAGE_SIZE - off, (r->end - at) << SECTOR_SHIFT);
		if (bio && (bio_end_sector(bio) != base + at ||
			    bio_add_page(bio, page, n, off) != n)) {
			submit_bio(bio);
			bio = NULL;
		}
		if (!bio) {
			bio = new_bio(b, at);
			__bio_add_page(bio, page, n, off);
		}
		at += n >> SECTOR_SHIFT;
		pos += n;
	}
	return bio;
}

static void write_data(struct swb_wbatch *b, u64 *bytes)
{
	struct bio *bio = NULL;
	struct blk_plug plug;
	struct swb_range *r;

	blk_start_plug(&plug);
	for (r = swb_dirty_find(&b->map, 0); r; r = swb_dirty_next(r)) {
		if (r->zeroes)
			continue;
		bio = add_contents(b, bio, r);
		*bytes += (r->end - r->start) << SECTOR_SHIFT;
	}
	if (bio)
		submit_bio(bio);
	blk_finish_plug(&plug);
}

static int write_zeroes(struct swb_wbatch *b)
{
	u64 base = b->wal->core->d.extent_offset >> SECTOR_SHIFT;
	struct swb_range *r;
	int err = 0;

	for (r = swb_dirty_find(&b->map, 0); r && !err; r = swb_dirty_next(r))
		if (r->zeroes)
			err = swb_idle_zeroout(b->data->bdev, base + r->start,
					       r->end - r->start);
	return err;
}

int swb_wbatch_write(struct swb_wbatch *b, u64 *bytes)
{
	int err;

	b->error = 0;
	atomic_set(&b->pending, 1);
	reinit_completion(&b->done);
	flush_kernel_vmap_range(b->buf, SWB_WBATCH_BUF_BYTES);
	write_data(b, bytes);
	err = write_zeroes(b);
	put_pending(b);
	swb_idle_wait(&b->done);
	return b->error ?: err;
}

/* ---- afterwards --------------------------------------------------------------- */

void swb_wbatch_retire(struct swb_wbatch *b)
{
	struct swb_dirty *index = b->wal->dirty;
	struct swb_range *r = swb_dirty_find(&b->map, 0);
	unsigned long flags;
	int n;

	while (r) {
		spin_lock_irqsave(b->wal->lock, flags);
		for (n = 0; r && n < RETIRE_BATCH; n++, r = swb_dirty_next(r))
			swb_dirty_retire(index, r->start, r->end, b->hi);
		spin_unlock_irqrestore(b->wal->lock, flags);
	}
	spin_lock_irqsave(b->wal->lock, flags);
	swb_dirty_retired(index, b->map.records);
	spin_unlock_irqrestore(b->wal->lock, flags);
}

/* ---- create and destroy --------------------------------------------------------- */

static bool create_bios(struct swb_wbatch *b)
{
	u32 i;

	init_llist_head(&b->free);
	init_waitqueue_head(&b->wait);
	b->bios = kvcalloc(SWB_WBATCH_BIOS, sizeof(*b->bios), GFP_KERNEL);
	for (i = 0; b->bios && i < SWB_WBATCH_BIOS; i++) {
		b->bios[i].batch = b;
		llist_add(&b->bios[i].free, &b->free);
	}
	return b->bios;
}

int swb_wbatch_create(struct swb_wbatch *b, struct swb_wal *w,
		      struct swb_store *data)
{
	int err;

	memset(b, 0, sizeof(*b));
	b->wal = w;
	b->data = data;
	init_completion(&b->done);
	err = swb_dirty_create(&b->map, SWB_WBATCH_RECORDS);
	if (err)
		return err;
	b->src = kvcalloc(SWB_WBATCH_GROUPS, sizeof(*b->src), GFP_KERNEL);
	b->buf = vmalloc(SWB_WBATCH_BUF_BYTES);
	if (create_bios(b) && b->src && b->buf)
		return 0;
	swb_wbatch_destroy(b);
	return -ENOMEM;
}

void swb_wbatch_destroy(struct swb_wbatch *b)
{
	vfree(b->buf);
	kvfree(b->src);
	kvfree(b->bios);
	swb_dirty_destroy(&b->map);
}
