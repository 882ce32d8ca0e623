/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A disk with a volatile cache. A completed write can be read back, but only a
 * flush that was begun after its completion makes it survive a power cut; of
 * the rest any subset of 512-byte sectors does.
 */
#ifndef SWB_SIM_DISK_H
#define SWB_SIM_DISK_H

#include "rng.h"

#define SIM_SECTOR	512
#define DISK_CHANGES	32
#define DISK_PAGE	4096
#define DISK_BAD	8

enum disk_fate {
	DISK_KEEP_NONE,		/* everything unflushed is lost */
	DISK_KEEP_ALL,		/* nothing is lost */
	DISK_KEEP_SOME,		/* each sector by chance */
	DISK_KEEP_WRITES,	/* each write as a whole, by chance */
	DISK_KEEP_PREFIX,	/* up to one write, which is torn */
	DISK_FATES
};

/* A disk that tells no error: the next write into a range goes astray. */
enum disk_lie {
	DISK_HONEST,
	DISK_LOSES,		/* it is completed and flushed, and was never done */
	DISK_MISPLACES,		/* it lands elsewhere in the range */
};

struct disk_write {
	struct disk_write *next;
	u64 id;
	u64 off;
	u32 len;
	bool done;
	u64 flush;	/* number of the flush that will cover it, 0 if none */
	u8 data[] __attribute__((aligned(8)));
};

/**
 * struct disk - bytes as read now, and bytes that survive for certain
 * @view: what a read returns
 * @stable: what a power cut leaves at least
 * @touched: a byte per DISK_PAGE: not blank any more
 * @stable_changes: raised whenever @stable changes
 * @changes: ranges of @stable changed since disk_changes_seen(); more than
 *	DISK_CHANGES if too many to tell
 * @change: those
 * @failed: every further write and flush fails
 * @bads: sectors that cannot be read until they are written; their bytes stay in @view
 * @bad: where they are
 * @lie: enum disk_lie, of the next write into [@lie_from, @lie_to)
 */
struct disk {
	u64 bytes;
	u8 *view;
	u8 *stable;
	struct disk_write *first;
	struct disk_write **end;
	u64 next_id;
	u64 flushes;
	u64 stable_changes;
	u8 *touched;
	u32 changes;
	struct {
		u64 from, to;
	} change[DISK_CHANGES];
	bool failed;
	u32 bads;
	u64 bad[DISK_BAD];
	u8 lie;
	u64 lie_from;
	u64 lie_to;
};

void disk_create(struct disk *d, u64 bytes);
void disk_destroy(struct disk *d);
/** disk_blank() - a new disk of the same size, all zeroes */
void disk_blank(struct disk *d);

/** disk_submit() - start a write; visible at disk_complete() */
u64 disk_submit(struct disk *d, u64 off, const void *data, u32 len);
void disk_complete(struct disk *d, u64 id);

/** disk_flush_begin() - returns a number for disk_flush_end() */
u64 disk_flush_begin(struct disk *d);
void disk_flush_end(struct disk *d, u64 flush);

void disk_read(const struct disk *d, u64 off, void *buf, u32 len);
void disk_read_stable(const struct disk *d, u64 off, void *buf, u32 len);

/** disk_changed() - has a byte of [@from, @to) changed on the medium? */
bool disk_changed(const struct disk *d, u64 from, u64 to);
/** disk_changes_seen() - disk_changed() speaks of what comes from now on */
void disk_changes_seen(struct disk *d);

/** disk_power_cut() - forget the cache; @fate says what was saved by luck */
void disk_power_cut(struct disk *d, struct rng *r, enum disk_fate fate);

/** disk_host_reset() - the host died, the drive kept its cache */
void disk_host_reset(struct disk *d, struct rng *r);

/** disk_make_bad() - the sector at @off cannot be read before its next write */
void disk_make_bad(struct disk *d, u64 off);
/** disk_is_bad() - is a sector of [@off, @off + SIM_SECTOR) such a one? */
bool disk_is_bad(const struct disk *d, u64 off);

/** disk_rot() - one bit at @off decays, in the cache and on the medium */
void disk_rot(struct disk *d, u64 off, u8 bit);

#endif /* SWB_SIM_DISK_H */
