/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Local recovery by the core's own scanner, over any source of bytes: a device,
 * a file, or a simulated disk. Reads only. Used by swbwal and the simulators.
 */
#ifndef SWB_TOOLS_LOGREAD_H
#define SWB_TOOLS_LOGREAD_H

#include "core/recover.h"

/**
 * struct logread_dev - a source of bytes
 * @read: 0, or a negative errno
 * @ctx: its argument
 * @bytes: size
 */
struct logread_dev {
	int (*read)(void *ctx, u64 off, void *buf, u32 len);
	void *ctx;
	u64 bytes;
};

/**
 * struct logread_group - an accepted group
 * @index: groups accepted before it in this log
 * @info: header
 * @pos: ring offset
 * @live: live records, the first so many
 * @overlap_from: records >= it of the groups before are dead; 0: none
 * @buf: header, then payload
 * @rec: its records, decoded
 */
struct logread_group {
	u64 index;
	struct swb_group_info info;
	u64 pos;
	u32 live;
	u64 overlap_from;
	const u8 *buf;
	const struct swb_rec *rec;
};

typedef void (*logread_group_fn)(void *ctx, const struct logread_group *g);

/**
 * struct logread - a member's disk, read
 * @data: device with superblocks and extent
 * @wal: device with the ring; equals @data unless the ring is separate
 * @wal_given: a separate WAL device was given
 * @memory: NULL, or all bytes of @data, 8-byte aligned: nothing is copied, and
 *	@data.read and @wal are not used
 * @verdict: what became of each superblock slot
 * @slots: both slots, where decodable
 * @slot: slot that counts, -1 for none
 * @d: its content
 * @fits: geometry lies within the devices
 * @scan: where the scan ended, and why
 * @rec: what a member would start from
 * @recover: verdict of local recovery
 * @letter: its case letter
 * @error: negative errno of a failed read, 0 if none
 * @mark: the scan as it stood behind the last accepted group
 */
struct logread {
	struct logread_dev data;
	struct logread_dev wal;
	bool wal_given;
	const u8 *memory;
	enum swb_super_verdict verdict[SWB_SUPER_SLOTS];
	struct swb_durable slots[SWB_SUPER_SLOTS];
	int slot;
	struct swb_durable d;
	bool fits;
	struct swb_scan scan;
	struct swb_recovered rec;
	enum swb_recover_verdict recover;
	u8 letter;
	int error;
	struct swb_scan mark;
};

/**
 * logread_run() - superblocks, scan, verdict
 * @l: @data set; @wal and @wal_given set if there is a separate device
 * @group: called for each accepted group in order, may be NULL
 * @ctx: its argument
 */
void logread_run(struct logread *l, logread_group_fn group, void *ctx);

/**
 * logread_again() - the same, where part of the answer is known already
 * @l: as an earlier run left it
 * @supers: read the superblocks again
 * @group: called for groups not seen before; for all if the scan starts anew,
 *	which is when it gets one with index 0
 * @ctx: its argument
 *
 * The caller vouches that no byte of an accepted group has changed since, nor,
 * if @l->scan.zero_seen, one of the first SWB_GROUP_HEADER_MAX of the ring; and
 * if not @supers, none of the superblocks.
 */
void logread_again(struct logread *l, bool supers, logread_group_fn group,
		   void *ctx);

/** logread_payload() - payload of record @i of @g */
const u8 *logread_payload(const struct logread_group *g, u32 i);

#endif /* SWB_TOOLS_LOGREAD_H */
