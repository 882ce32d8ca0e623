/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bytes to a disk: claim a block device, synchronous reads and writes of small
 * things, capabilities. Knows bytes, never an LSN. Process context.
 */
#ifndef SWB_STORE_H
#define SWB_STORE_H

#include <linux/blkdev.h>
#include "compat.h"

/**
 * struct swb_store - one claimed block device
 * @bdev: the device
 * @handle: what compat.h needs to release it (file on 6.12)
 * @bytes: its size
 * @logical_bytes: logical block size
 * @physical_bytes: physical block size
 * @volatile_cache: has a write cache that a flush must empty
 * @linked_to: disk that lsblk shows it under, or NULL
 */
struct swb_store {
	struct block_device *bdev;
	struct swb_bdev_handle handle;
	u64 bytes;
	u32 logical_bytes;
	u32 physical_bytes;
	bool volatile_cache;
	struct gendisk *linked_to;
};

/**
 * swb_store_open() - claim @path exclusively, holder is @holder
 * Return: 0, -EBUSY (in use), -EROFS, -ENOENT, -ENOTBLK, -EACCES, ...
 */
int swb_store_open(struct swb_store *st, const char *path, void *holder);
void swb_store_close(struct swb_store *st);

/** swb_store_read() - @len bytes at @pos into @buf (any kernel memory), waits */
int swb_store_read(struct swb_store *st, u64 pos, void *buf, u32 len);

/** swb_store_write() - waits; @opf_flags e.g. REQ_PREFLUSH | REQ_FUA */
int swb_store_write(struct swb_store *st, u64 pos, const void *buf, u32 len,
		    blk_opf_t opf_flags);

/** swb_store_flush() - empty the device's cache, waits; free without a cache */
int swb_store_flush(struct swb_store *st);

/** swb_store_link() - show it under @disk in lsblk; after add_disk, claim held */
int swb_store_link(struct swb_store *st, struct gendisk *disk);
void swb_store_unlink(struct swb_store *st);

#endif /* SWB_STORE_H */
