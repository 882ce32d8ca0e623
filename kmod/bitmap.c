// SPDX-License-Identifier: GPL-2.0-only
/*
 * The changed-block bitmap: bits in memory, pages on disk, and sets of blocks.
 *
 * Must not decide when a bit is set or cleared, nor what the base is: the flusher
 * does, in the order that bitmap.h tells. A page is written whole, from a copy that
 * carries its checksum; the writes of one call overlap, those of two calls do not.
 *
 * Lock: flusher.mutex, except for a snapshot, which takes what it finds: bits that
 * are set meanwhile belong to records that come by the stream. Context: process.
 */
#include <linux/bio.h>
#include <linux/bitops.h>
#include <linux/completion.h>
#include <linux/log2.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "bitmap.h"
#include "core/codec.h"
#include "idle.h"

#define READ_PAGES	64	/* at once, at attach */

/* ---- a set of blocks ------------------------------------------------------ */

int swb_blocks_create(struct swb_blocks *b, u64 extent_bytes, u32 block_bytes)
{
	u64 words;

	b->shift = ilog2(block_bytes) - SECTOR_SHIFT;
	b->count = DIV_ROUND_UP_ULL(extent_bytes, block_bytes);
	b->set = 0;
	words = DIV_ROUND_UP_ULL(b->count, BITS_PER_LONG);
	b->map = __vmalloc(words * sizeof(long), GFP_KERNEL | __GFP_ZERO);
	return b->map ? 0 : -ENOMEM;
}

void swb_blocks_destroy(struct swb_blocks *b)
{
	vfree(b->map);
	b->map = NULL;
}

bool swb_blocks_add(struct swb_blocks *b, u64 start, u64 end)
{
	u64 i = start >> b->shift, last = (end - 1) >> b->shift;
	bool fresh = false;

	for (; start < end && i <= last && i < b->count; i++) {
		if (__test_and_set_bit_le(i, b->map))
			continue;
		b->set++;
		fresh = true;
	}
	return fresh;
}

void swb_blocks_fill(struct swb_blocks *b)
{
	swb_blocks_add(b, 0, b->count << b->shift);
}

bool swb_blocks_next(const struct swb_blocks *b, bool in, u64 *start, u64 *end)
{
	u64 limit = min(b->count, ((*end - 1) >> b->shift) + 1);
	u64 i, j;

	if (*start >= *end)
		return false;
	i = *start >> b->shift;
	i = in ? find_next_bit_le(b->map, limit, i) :
		 find_next_zero_bit_le(b->map, limit, i);
	if (i >= limit)
		return false;
	j = in ? find_next_zero_bit_le(b->map, limit, i) :
		 find_next_bit_le(b->map, limit, i);
	*start = max(*start, i << b->shift);
	*end = min(*end, j << b->shift);
	return true;
}

/* ---- pages ------------------------------------------------------------------ */

/**
 * struct swb_bitmap_write - one page on its way to the disk
 * @bitmap: whose
 * @page: the bytes
 * @bio: the write
 * @bvec: its only segment
 */
struct swb_bitmap_write {
	struct swb_bitmap *bitmap;
	struct swb_disk_bitmap *page;
	struct bio bio;
	struct bio_vec bvec;
};

/* The bytes of page @index among the bits, and how many there are. */
static void *bits_of(const struct swb_bitmap *b, u32 index, u32 *len)
{
	u64 total = DIV_ROUND_UP_ULL(b->blocks.count, 8);
	u64 off = (u64)index * SWB_BITMAP_PAGE_BITS / 8;

	*len = min_t(u64, SWB_BITMAP_PAGE_BITS / 8, total - off);
	return b->blocks.map + off;
}

static void mark_dirty(struct swb_bitmap *b, u64 bit)
{
	u32 index = div_u64(bit, SWB_BITMAP_PAGE_BITS);

	if (!__test_and_set_bit(index, b->dirty))
		b->dirty_count++;
}

void swb_bitmap_set(struct swb_bitmap *b, u64 start, u64 end)
{
	u64 at = start, granule = 1ULL << b->blocks.shift, next;

	/* block by block: only what is new makes its page dirty */
	for (; at < end; at = next) {
		next = min(end, round_down(at, granule) + granule);
		if (swb_blocks_add(&b->blocks, at, next))
			mark_dirty(b, at >> b->blocks.shift);
	}
}

void swb_bitmap_clear(struct swb_bitmap *b)
{
	u64 bit = 0;
	void *bits;
	u32 len;

	while ((bit = find_next_bit_le(b->blocks.map, b->blocks.count, bit)) <
	       b->blocks.count) {
		mark_dirty(b, bit);
		bits = bits_of(b, div_u64(bit, SWB_BITMAP_PAGE_BITS), &len);
		memset(bits, 0, len);
		bit += SWB_BITMAP_PAGE_BITS;
		bit = (u64)div_u64(bit, SWB_BITMAP_PAGE_BITS) *
		      SWB_BITMAP_PAGE_BITS;
	}
	b->blocks.set = 0;
}

void swb_bitmap_copy(struct swb_bitmap *b, struct swb_blocks *copy)
{
	memcpy(copy->map, b->blocks.map,
	       DIV_ROUND_UP_ULL(b->blocks.count, BITS_PER_LONG) * sizeof(long));
	copy->set = READ_ONCE(b->blocks.set);
}

/* ---- to the disk ------------------------------------------------------------- */

static void put_pending(struct swb_bitmap *b)
{
	if (atomic_dec_and_test(&b->pending))
		complete(&b->done);
}

static void page_end_io(struct bio *bio)
{
	struct swb_bitmap_write *w = bio->bi_private;
	struct swb_bitmap *b = w->bitmap;

	if (bio->bi_status)
		cmpxchg(&b->error, 0, blk_status_to_errno(bio->bi_status));
	bio_uninit(bio);
	put_pending(b);
}

static void submit_page(struct swb_bitmap *b, struct swb_bitmap_write *w, u32 index)
{
	u32 len;
	void *bits = bits_of(b, index, &len);

	memset(w->page, 0, sizeof(*w->page));
	memcpy(w->page->bits, bits, len);
	swb_codec_bitmap_seal(w->page, b->ring_id, index);
	bio_init(&w->bio, b->store->bdev, &w->bvec, 1, REQ_OP_WRITE | REQ_SYNC);
	w->bio.bi_iter.bi_sector =
		(b->offset + (u64)index * SWB_BITMAP_PAGE) >> SECTOR_SHIFT;
	__bio_add_page(&w->bio, virt_to_page(w->page), SWB_BITMAP_PAGE,
		       offset_in_page(w->page));
	w->bio.bi_end_io = page_end_io;
	w->bio.bi_private = w;
	atomic_inc(&b->pending);
	submit_bio(&w->bio);
}

/* As many dirty pages from *index on as can be in flight at once. */
static int write_some(struct swb_bitmap *b, u32 *index)
{
	struct blk_plug plug;
	u32 n;

	b->error = 0;
	atomic_set(&b->pending, 1);
	reinit_completion(&b->done);
	blk_start_plug(&plug);
	for (n = 0; n < SWB_BITMAP_WRITES; n++) {
		*index = find_next_bit(b->dirty, b->pages, *index);
		if (*index >= b->pages)
			break;
		__clear_bit(*index, b->dirty);
		b->dirty_count--;
		submit_page(b, &b->write[n], (*index)++);
	}
	blk_finish_plug(&plug);
	put_pending(b);
	swb_idle_wait(&b->done);
	return b->error;
}

int swb_bitmap_write(struct swb_bitmap *b)
{
	u32 index = 0;
	int err = 0;

	while (b->dirty_count && index < b->pages && !err)
		err = write_some(b, &index);
	return err;
}

/* ---- from the disk ------------------------------------------------------------ */

/* A page that is torn or somebody else's says nothing: all ones. */
static void take_page(struct swb_bitmap *b, u32 index,
		      const struct swb_disk_bitmap *page)
{
	u32 len;
	void *bits = bits_of(b, index, &len);
	u64 first = (u64)index * SWB_BITMAP_PAGE_BITS;

	if (swb_codec_bitmap_check(page, b->ring_id, index)) {
		memcpy(bits, page->bits, len);
		return;
	}
	swb_bitmap_set(b, first << b->blocks.shift,
		       min(first + SWB_BITMAP_PAGE_BITS, b->blocks.count) <<
		       b->blocks.shift);
}

static u64 count_bits(struct swb_blocks *b)
{
	u64 start = 0, end, n = 0, all = b->count << b->shift;

	for (end = all; swb_blocks_next(b, true, &start, &end);
	     start = end, end = all) {
		n += (end - start) >> b->shift;
		cond_resched();
	}
	return n;
}

static int load(struct swb_bitmap *b)
{
	u32 at, n, i;
	void *buf;
	int err = 0;

	buf = vmalloc(READ_PAGES * SWB_BITMAP_PAGE);
	if (!buf)
		return -ENOMEM;
	for (at = 0; at < b->pages && !err; at += n) {
		n = min_t(u32, READ_PAGES, b->pages - at);
		err = swb_store_read(b->store, b->offset +
				     (u64)at * SWB_BITMAP_PAGE, buf,
				     n * SWB_BITMAP_PAGE);
		for (i = 0; i < n && !err; i++)
			take_page(b, at + i, buf + i * SWB_BITMAP_PAGE);
		cond_resched();
	}
	vfree(buf);
	b->blocks.set = count_bits(&b->blocks);
	return err;
}

/* ---- create and destroy ---------------------------------------------------------- */

static int create_writes(struct swb_bitmap *b)
{
	u32 i;

	b->write = kcalloc(SWB_BITMAP_WRITES, sizeof(*b->write), GFP_KERNEL);
	if (!b->write)
		return -ENOMEM;
	for (i = 0; i < SWB_BITMAP_WRITES; i++) {
		b->write[i].bitmap = b;
		b->write[i].page = (void *)get_zeroed_page(GFP_KERNEL);
		if (!b->write[i].page)
			return -ENOMEM;
	}
	return 0;
}

int swb_bitmap_create(struct swb_bitmap *b, struct swb_store *store,
		      const struct swb_durable *d)
{
	int err;

	b->store = store;
	b->ring_id = d->ring_id;
	b->offset = d->bitmap_offset;
	init_completion(&b->done);
	err = swb_blocks_create(&b->blocks, d->extent_bytes, SWB_GRANULE_BYTES);
	if (err)
		return err;
	b->pages = DIV_ROUND_UP_ULL(b->blocks.count, SWB_BITMAP_PAGE_BITS);
	b->dirty = kvcalloc(BITS_TO_LONGS(b->pages), sizeof(long), GFP_KERNEL);
	err = b->dirty ? create_writes(b) : -ENOMEM;
	if (!err)
		err = load(b);
	if (err)
		swb_bitmap_destroy(b);
	return err;
}

int swb_bitmap_grow(struct swb_bitmap *b, u64 extent_bytes)
{
	struct swb_blocks more;
	unsigned long *dirty;
	u32 i, pages;

	if (swb_blocks_create(&more, extent_bytes, SWB_GRANULE_BYTES))
		return -ENOMEM;
	pages = DIV_ROUND_UP_ULL(more.count, SWB_BITMAP_PAGE_BITS);
	dirty = kvcalloc(BITS_TO_LONGS(pages), sizeof(long), GFP_KERNEL);
	if (!dirty) {
		swb_blocks_destroy(&more);
		return -ENOMEM;
	}
	memcpy(more.map, b->blocks.map, DIV_ROUND_UP_ULL(b->blocks.count, 8));
	more.set = b->blocks.set;
	memcpy(dirty, b->dirty, BITS_TO_LONGS(b->pages) * sizeof(long));
	for (i = b->pages; i < pages; i++, b->dirty_count++)
		__set_bit(i, dirty);
	swb_blocks_destroy(&b->blocks);
	kvfree(b->dirty);
	b->blocks = more;
	b->dirty = dirty;
	b->pages = pages;
	return 0;
}

void swb_bitmap_destroy(struct swb_bitmap *b)
{
	u32 i;

	for (i = 0; b->write && i < SWB_BITMAP_WRITES; i++)
		free_page((unsigned long)b->write[i].page);
	kfree(b->write);
	b->write = NULL;
	kvfree(b->dirty);
	b->dirty = NULL;
	swb_blocks_destroy(&b->blocks);
}
