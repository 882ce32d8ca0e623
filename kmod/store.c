// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bytes to a disk. Claims a block device, reads and writes small things and
 * waits for them, flushes. Knows bytes, never an LSN; makes no decision about an
 * error but to return it.
 *
 * Lock: none; a store belongs to one member. Context: process, may sleep. The
 * waits end when the lower device ends its bio, which Linux cannot cancel.
 */
#include <linux/mm.h>
#include <linux/vmalloc.h>
#include "idle.h"
#include "store.h"

#define SMALL_PAGES	8

int swb_store_open(struct swb_store *st, const char *path, void *holder)
{
	struct block_device *bdev;

	memset(st, 0, sizeof(*st));
	bdev = swb_compat_bdev_open(path, holder, &st->handle);
	if (IS_ERR(bdev))
		return PTR_ERR(bdev);
	if (bdev_read_only(bdev)) {
		swb_compat_bdev_close(bdev, &st->handle);
		return -EROFS;
	}
	st->bdev = bdev;
	st->bytes = bdev_nr_bytes(bdev);
	st->logical_bytes = bdev_logical_block_size(bdev);
	st->physical_bytes = bdev_physical_block_size(bdev);
	st->volatile_cache = bdev_write_cache(bdev);
	return 0;
}

void swb_store_close(struct swb_store *st)
{
	if (!st->bdev)
		return;
	swb_store_unlink(st);
	swb_compat_bdev_close(st->bdev, &st->handle);
	st->bdev = NULL;
}

static struct page *page_of(const void *p)
{
	return is_vmalloc_addr(p) ? vmalloc_to_page(p) : virt_to_page(p);
}

/* As much of [buf, buf + len) as one bio takes. Return: bytes in the bio. */
static u32 fill_bio(struct bio *bio, const void *buf, u32 len)
{
	u32 done = 0, off, n;

	while (done < len) {
		off = offset_in_page(buf + done);
		n = min_t(u32, len - done, PAGE_SIZE - off);
		if (bio_add_page(bio, page_of(buf + done), n, off) != n)
			break;
		done += n;
	}
	return done;
}

/* Send @bio on its way. Return: bytes of @buf that it took along, or an error. */
static int run_bio(struct bio *bio, u64 pos, const void *buf, u32 len)
{
	u32 n;
	int err;

	bio->bi_iter.bi_sector = pos >> SECTOR_SHIFT;
	n = fill_bio(bio, buf, len);
	err = n ? swb_idle_bio(bio) : -EIO;
	return err ?: n;
}

/* A superblock, a header: nothing is allocated for it. */
static int transfer_small(struct swb_store *st, u64 pos, const void *buf, u32 len,
			  blk_opf_t opf)
{
	struct bio_vec vec[SMALL_PAGES];
	struct bio bio;
	int n;

	bio_init(&bio, st->bdev, vec, SMALL_PAGES, opf);
	n = run_bio(&bio, pos, buf, len);
	bio_uninit(&bio);
	return n;
}

static int transfer_large(struct swb_store *st, u64 pos, const void *buf, u32 len,
			  u32 pages, blk_opf_t opf)
{
	struct bio *bio;
	int n;

	bio = bio_alloc(st->bdev, bio_max_segs(pages), opf, GFP_NOIO);
	n = run_bio(bio, pos, buf, len);
	bio_put(bio);
	return n;
}

static int transfer(struct swb_store *st, u64 pos, const void *buf, u32 len,
		    blk_opf_t opf)
{
	u32 pages;
	int n;

	if (pos > st->bytes || len > st->bytes - pos)
		return -EIO;
	while (len) {
		pages = DIV_ROUND_UP(offset_in_page(buf) + len, PAGE_SIZE);
		n = pages <= SMALL_PAGES ?
			transfer_small(st, pos, buf, len, opf) :
			transfer_large(st, pos, buf, len, pages, opf);
		if (n < 0)
			return n;
		buf += n;
		pos += n;
		len -= n;
	}
	return 0;
}

int swb_store_read(struct swb_store *st, u64 pos, void *buf, u32 len)
{
	int err = transfer(st, pos, buf, len, REQ_OP_READ);

	if (!err && is_vmalloc_addr(buf))
		invalidate_kernel_vmap_range(buf, len);
	return err;
}

int swb_store_write(struct swb_store *st, u64 pos, const void *buf, u32 len,
		    blk_opf_t opf_flags)
{
	if (is_vmalloc_addr(buf))
		flush_kernel_vmap_range((void *)buf, len);
	return transfer(st, pos, buf, len,
			REQ_OP_WRITE | REQ_SYNC | REQ_IDLE | opf_flags);
}

int swb_store_flush(struct swb_store *st)
{
	struct bio bio;

	if (!st->volatile_cache)
		return 0;
	bio_init(&bio, st->bdev, NULL, 0, REQ_OP_WRITE | REQ_PREFLUSH);
	return swb_idle_bio(&bio);
}

int swb_store_link(struct swb_store *st, struct gendisk *disk)
{
	int err = bd_link_disk_holder(st->bdev, disk);

	if (!err)
		st->linked_to = disk;
	return err;
}

void swb_store_unlink(struct swb_store *st)
{
	if (!st->linked_to)
		return;
	bd_unlink_disk_holder(st->bdev, st->linked_to);
	st->linked_to = NULL;
}
