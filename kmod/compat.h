/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that swblock builds for: Debian's 6.1 (also
 * as user-mode Linux) and 6.12. The only file that looks at the kernel version.
 * Mechanism only: no policy, no state, no lock.
 */
#ifndef SWB_COMPAT_H
#define SWB_COMPAT_H

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/blk-cgroup.h>
#include <linux/uio.h>
#include <linux/version.h>
#include <net/genetlink.h>

#define SWB_KERNEL_HAS_BDEV_FILE \
	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0))
#define SWB_KERNEL_HAS_LIMITS_ARG \
	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0))

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "swblock needs Linux 6.1 or newer"
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0) && !SWB_KERNEL_HAS_LIMITS_ARG
#error "swblock builds for 6.1 to 6.4 and from 6.11 on"
#endif

/* Direction of an iov_iter: data flows into it, or out of it. */
#ifdef ITER_DEST
#define SWB_ITER_DEST	ITER_DEST
#define SWB_ITER_SOURCE	ITER_SOURCE
#else
#define SWB_ITER_DEST	READ
#define SWB_ITER_SOURCE	WRITE
#endif

/**
 * swb_compat_dump_attrs() - attributes of a generic netlink dump request
 * @cb: of its start or dumpit; an attribute that is not there is NULL
 */
static inline struct nlattr **swb_compat_dump_attrs(struct netlink_callback *cb)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	return genl_dumpit_info(cb)->info.attrs;
#else
	return genl_dumpit_info(cb)->attrs;
#endif
}

/* ---- claiming a block device ------------------------------------------ */

/**
 * struct swb_bdev_handle - what is needed to release a claimed block device
 * @file: the open file (6.9 and later)
 * @mode: the mode it was opened with (before)
 */
struct swb_bdev_handle {
#if SWB_KERNEL_HAS_BDEV_FILE
	struct file *file;
#else
	fmode_t mode;
#endif
};

/**
 * swb_compat_bdev_open() - open @path for reading and writing, exclusively
 * @path: of the device node
 * @holder: who claims it
 * @h: filled, for swb_compat_bdev_close()
 *
 * Context: process, may sleep.
 * Return: the device or an ERR_PTR.
 */
static inline struct block_device *
swb_compat_bdev_open(const char *path, void *holder, struct swb_bdev_handle *h)
{
#if SWB_KERNEL_HAS_BDEV_FILE
	h->file = bdev_file_open_by_path(path, BLK_OPEN_READ | BLK_OPEN_WRITE,
					 holder, NULL);
	return IS_ERR(h->file) ? ERR_CAST(h->file) : file_bdev(h->file);
#else
	h->mode = FMODE_READ | FMODE_WRITE | FMODE_EXCL;
	return blkdev_get_by_path(path, h->mode, holder);
#endif
}

/** swb_compat_bdev_close() - release the claim before returning; may sleep */
static inline void swb_compat_bdev_close(struct block_device *bdev,
					 struct swb_bdev_handle *h)
{
#if SWB_KERNEL_HAS_BDEV_FILE
	bdev_fput(h->file);	/* plain fput() would release it later */
#else
	blkdev_put(bdev, h->mode);
#endif
}

/* ---- offering a block device ------------------------------------------ */

/**
 * struct swb_disk_limits - limits of a disk of ours, in the words of both kernels
 * @logical_bytes: logical block size
 * @physical_bytes: physical block size
 * @io_min_bytes: smallest good I/O
 * @io_opt_bytes: best I/O, 0 = no hint
 * @max_sectors: of one read or write
 * @max_zeroes_sectors: of one write-zeroes, 0 = not offered
 * @max_discard_sectors: of one discard, 0 = not offered
 * @discard_bytes: granularity of a discard
 */
struct swb_disk_limits {
	u32 logical_bytes;
	u32 physical_bytes;
	u32 io_min_bytes;
	u32 io_opt_bytes;
	u32 max_sectors;
	u32 max_zeroes_sectors;
	u32 max_discard_sectors;
	u32 discard_bytes;
};

/**
 * swb_compat_alloc_disk() - a bio-based disk with a write cache, FUA and NOWAIT
 * @l: its limits
 *
 * Return: a disk, not added yet, or an ERR_PTR.
 */
static inline struct gendisk *
swb_compat_alloc_disk(const struct swb_disk_limits *l)
{
#if SWB_KERNEL_HAS_LIMITS_ARG
	struct queue_limits lim = {
		.logical_block_size	= l->logical_bytes,
		.physical_block_size	= l->physical_bytes,
		.io_min			= l->io_min_bytes,
		.io_opt			= l->io_opt_bytes,
		.max_hw_sectors		= l->max_sectors,
		.max_write_zeroes_sectors = l->max_zeroes_sectors,
		.max_hw_discard_sectors	= l->max_discard_sectors,
		.discard_granularity	= l->discard_bytes,
		.features		= BLK_FEAT_WRITE_CACHE | BLK_FEAT_FUA |
					  BLK_FEAT_NOWAIT,
	};

	return blk_alloc_disk(&lim, NUMA_NO_NODE);
#else
	struct gendisk *disk = blk_alloc_disk(NUMA_NO_NODE);
	struct request_queue *q;

	if (!disk)
		return ERR_PTR(-ENOMEM);
	q = disk->queue;
	blk_queue_logical_block_size(q, l->logical_bytes);
	blk_queue_physical_block_size(q, l->physical_bytes);
	blk_queue_io_min(q, l->io_min_bytes);
	blk_queue_io_opt(q, l->io_opt_bytes);
	blk_queue_max_hw_sectors(q, l->max_sectors);
	blk_queue_max_write_zeroes_sectors(q, l->max_zeroes_sectors);
	blk_queue_max_discard_sectors(q, l->max_discard_sectors);
	q->limits.discard_granularity = l->discard_bytes;
	blk_queue_write_cache(q, true, true);
	blk_queue_flag_set(QUEUE_FLAG_NOWAIT, q);
	return disk;
#endif
}

/*
 * What ->open() and ->release() of a disk are given:
 *	static int open(SWB_OPEN_ARGS)		swb_open_disk, swb_open_writes
 *	static void release(SWB_RELEASE_ARGS)	disk
 */
#if SWB_KERNEL_HAS_LIMITS_ARG
#define SWB_OPEN_ARGS		struct gendisk *disk, blk_mode_t mode
#define SWB_RELEASE_ARGS	struct gendisk *disk
#define swb_open_disk		(disk)
#define swb_open_writes		((mode & BLK_OPEN_WRITE) != 0)
#else
#define SWB_OPEN_ARGS		struct block_device *bdev, fmode_t mode
#define SWB_RELEASE_ARGS	struct gendisk *disk, fmode_t mode
#define swb_open_disk		(bdev->bd_disk)
#define swb_open_writes		((mode & FMODE_WRITE) != 0)
#endif

/* ---- bios ------------------------------------------------------------- */

/**
 * swb_compat_bio_root_cgroup() - charge @bio to the root cgroup
 * @bio: with its device set
 *
 * A group commit carries writes of many tasks: the throttling of the one that
 * happens to submit it must not hold the others.
 */
static inline void swb_compat_bio_root_cgroup(struct bio *bio)
{
#ifdef CONFIG_BLK_CGROUP
	bio_associate_blkg_from_css(bio, blkcg_root_css);
#endif
}

#endif /* SWB_COMPAT_H */
