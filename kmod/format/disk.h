/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bytes on a member's disk: superblock, WAL group header, record descriptor,
 * page of the changed-block bitmap.
 *
 * Shared by the module, the tools and the simulators. Layout only: no
 * behaviour, no policy. Every integer is little-endian. docs/design/
 * disk-format.md explains the picture:
 *
 *   data device   | super 0 | .. | super 1 | .. | ring | bitmap | extent |
 *                 0         4K   64K            1M     1M-aligned, both
 *   WAL device    | super 0 | .. | super 1 | .. | ring |      (optional)
 */
#ifndef SWB_FORMAT_DISK_H
#define SWB_FORMAT_DISK_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/build_bug.h>
#else
#include <linux/types.h>
#define static_assert	_Static_assert	/* <assert.h> is no header of the core */
#endif

#define SWB_DISK_MAGIC		"SWBLOCK1"	/* 8 bytes, no NUL */
#define SWB_DISK_VERSION	2
#define SWB_SUPER_BYTES		4096
#define SWB_SUPER_SLOTS		2
#define SWB_SUPER_OFFSET_0	0
#define SWB_SUPER_OFFSET_1	65536
#define SWB_AREA_ALIGN		(1024 * 1024)	/* ring, bitmap, extent start here */
#define SWB_RING_BYTES_MIN	(1024ULL * 1024)
#define SWB_RING_BYTES_MAX	(64ULL * 1024 * 1024 * 1024)
#define SWB_LINEAGE_MAX		64
#define SWB_LABEL_BYTES		32

/* struct swb_disk_super.flags */
#define SWB_SUPER_INCONSISTENT	0x0001	/* delta or rebuild unfinished: P10 */
#define SWB_SUPER_DISK_FAILED	0x0002	/* latched: P17a */
#define SWB_SUPER_WAL_SEPARATE	0x0004	/* ring is on another device */
#define SWB_SUPER_IS_WAL	0x0008	/* this super marks a WAL device */
#define SWB_SUPER_OVERRIDDEN	0x0010	/* an override epoch is in the lineage */
#define SWB_SUPER_DELTA		0x0020	/* the unfinished one is a delta */

/* struct swb_disk_lineage.flags */
#define SWB_LINEAGE_OVERRIDE	0x1	/* epoch was opened by an override */

/**
 * struct swb_disk_lineage - one opening of an epoch
 * @epoch: epoch, > 0; 0 marks an unused entry
 * @first_lsn: LSN of its epoch-open record
 * @flags: SWB_LINEAGE_*
 */
struct swb_disk_lineage {
	__le64 epoch;
	__le64 first_lsn;
	__le32 flags;
	__le32 reserved;
};

/**
 * struct swb_disk_super - one superblock slot, 4096 bytes
 * @magic: SWB_DISK_MAGIC
 * @version: SWB_DISK_VERSION
 * @crc: crc32c of the 4096 bytes with this field as zero
 * @generation: raised by one at each save; slot = generation & 1
 * @volume_uuid: identity of the volume, equal on all members
 * @replica_uuid: identity of this copy; a blank disk is a new replica
 * @store_uuid: the one authority store (P17c), zero until first adoption
 * @store_generation: generation of that store
 * @ring_id: random, drawn at format; in every group header
 * @flags: SWB_SUPER_*
 * @block_bytes: logical block size of the volume, 512 or 4096
 * @ring_unit: allocation unit of the ring in bytes, 512 or 4096
 * @ring_offset: first byte of the ring on its device
 * @ring_bytes: size of the ring
 * @extent_offset: first byte of the extent on the data device
 * @extent_bytes: size of the volume
 * @epoch: adopted epoch (P6)
 * @opened: newest epoch opened by this node (P2)
 * @incarnation: raised before the first append after recovery/truncation
 * @extent_lo: every record <= it is in the extent; replay starts after it
 * @extent_hi: no record above it was ever written to the extent (P9)
 * @committed: a known committed LSN at save time (lower bound)
 * @tail_pos: ring offset of the group where a scan starts
 * @tail_seq: sequence number of that group
 * @tail_lsn: first LSN of that group
 * @tail_prev_crc: header checksum of the group before it
 * @log_end: last LSN of the log when @incarnation was raised; a group of an
 *	older incarnation speaks only for LSNs <= it, what it holds above is dead
 * @base_lsn: m of an unfinished delta (0: of a rebuild), with INCONSISTENT. The
 *	extent is the state at m, changed by records in (m, extent_hi] only
 * @bitmap_offset: first byte of the bitmap on the data device
 * @bitmap_bytes: size of it, SWB_BITMAP_BYTES of @extent_bytes or more
 * @bitmap_epoch: epoch of record @bitmap_lsn
 * @bitmap_lsn: base: every block changed by a record in (@bitmap_lsn, @extent_lo]
 *	has its bit (P11)
 * @extent_hi_epoch: epoch of record @extent_hi, with INCONSISTENT: base blocks
 *	run ahead of the log, which could say it otherwise
 * @rebuild_source: replica that the unfinished one copied from
 * @lineage_count: entries in use
 * @volume_label: name of the volume, NUL padded
 * @replica_label: name of this copy, NUL padded
 * @lineage: (epoch, first LSN), ascending; speaks for LSNs < tail_lsn (P18)
 */
struct swb_disk_super {
	__u8   magic[8];
	__le32 version;
	__le32 crc;
	__le64 generation;
	__u8   volume_uuid[16];
	__u8   replica_uuid[16];
	__u8   store_uuid[16];
	__le64 store_generation;
	__le64 ring_id;
	__le32 flags;
	__le32 block_bytes;
	__le32 ring_unit;
	__le32 tail_prev_crc;
	__le64 ring_offset;
	__le64 ring_bytes;
	__le64 extent_offset;
	__le64 extent_bytes;
	__le64 epoch;
	__le64 opened;
	__le64 incarnation;
	__le64 extent_lo;
	__le64 extent_hi;
	__le64 committed;
	__le64 tail_pos;
	__le64 tail_seq;
	__le64 tail_lsn;
	__le64 log_end;
	__le64 base_lsn;
	__le64 bitmap_offset;
	__le64 bitmap_bytes;
	__le64 bitmap_epoch;
	__le64 bitmap_lsn;
	__le64 extent_hi_epoch;
	__u8   rebuild_source[16];
	__le32 lineage_count;
	__le32 reserved0;
	__u8   volume_label[SWB_LABEL_BYTES];
	__u8   replica_label[SWB_LABEL_BYTES];
	struct swb_disk_lineage lineage[SWB_LINEAGE_MAX];
	__u8   reserved[4096 - 352 - SWB_LINEAGE_MAX * 24];
};

#define SWB_GROUP_MAGIC		0x47425753	/* "SWBG" */
#define SWB_GROUP_RECS_MAX	128
#define SWB_GROUP_HEADER_MAX	4096
#define SWB_GROUP_PAYLOAD_MAX	(256 * 1024)
#define SWB_REC_PAYLOAD_MAX	(128 * 1024)
#define SWB_REC_ZEROES_MAX	(32 * 1024 * 1024)

/**
 * enum swb_rec_type - what a record does
 * @SWB_REC_WRITE: len_bytes of payload to sector
 * @SWB_REC_ZEROES: len_bytes of zeroes to sector, no payload (also discard)
 * @SWB_REC_OPEN: opens the epoch of its group, no payload, first of its group
 */
enum swb_rec_type {
	SWB_REC_WRITE	= 1,
	SWB_REC_ZEROES	= 2,
	SWB_REC_OPEN	= 3,
};

/**
 * struct swb_disk_rec - one record of a group, also its form on the wire
 * @sector: first 512-byte sector in the volume
 * @len_bytes: length, multiple of block_bytes
 * @crc: crc32c of the payload, 0 where there is none; made once at admission,
 *	travels unchanged to wire and disk
 * @type: enum swb_rec_type
 */
struct swb_disk_rec {
	__le64 sector;
	__le32 len_bytes;
	__le32 crc;
	__u8   type;
	__u8   flags;
	__le16 reserved0;
	__le32 reserved1;
};

/**
 * struct swb_disk_group - header of a WAL group, followed by its records
 * @magic: SWB_GROUP_MAGIC
 * @crc: crc32c of @header_bytes bytes with this field as zero
 * @seq: dense over the life of the ring; reused after a cut, with a higher
 *	incarnation
 * @incarnation: incarnation under which it was written; never falls
 * @epoch: epoch of all its records; never falls
 * @first_lsn: LSN of record 0; record i has first_lsn + i. Follows the last LSN
 *	of the group before it, or lies inside that group if the log was cut
 *	there: then this one has a higher incarnation and its records win
 * @committed: C as known to the writer when the group was closed
 * @ring_id: equals the superblock's
 * @prev_crc: @crc of the group before it (P4)
 * @nrec: 1..SWB_GROUP_RECS_MAX
 * @header_bytes: header + records, rounded up to ring_unit, zero padded
 * @payload_bytes: sum of WRITE lengths, <= SWB_GROUP_PAYLOAD_MAX; the group
 *	takes header_bytes + payload_bytes rounded up to ring_unit in the ring,
 *	contiguous: one that does not fit before the end starts at offset 0
 */
struct swb_disk_group {
	__le32 magic;
	__le32 crc;
	__le64 seq;
	__le64 incarnation;
	__le64 epoch;
	__le64 first_lsn;
	__le64 committed;
	__le64 ring_id;
	__le32 prev_crc;
	__le16 nrec;
	__le16 flags;
	__le32 header_bytes;
	__le32 payload_bytes;
	__le64 reserved;
	struct swb_disk_rec rec[];
};

#define SWB_BITMAP_MAGIC	0x42425753	/* "SWBB" */
#define SWB_BITMAP_PAGE		4096
#define SWB_BITMAP_PAGE_BITS	((SWB_BITMAP_PAGE - 32) * 8)
#define SWB_GRANULE_BYTES	4096	/* of the extent, for each bit */

/**
 * struct swb_disk_bitmap - one page of the changed-block bitmap
 * @magic: SWB_BITMAP_MAGIC
 * @crc: crc32c of the page with this field as zero
 * @ring_id: equals the superblock's
 * @index: number of the page; bit i of it stands for granule
 *	@index * SWB_BITMAP_PAGE_BITS + i
 * @reserved: 0
 * @bits: bit i is 1 << (i & 7) of byte i >> 3
 *
 * A page that is torn or foreign counts as all ones: copying too much is only
 * slow.
 */
struct swb_disk_bitmap {
	__le32 magic;
	__le32 crc;
	__le64 ring_id;
	__le64 index;
	__le64 reserved;
	__u8   bits[SWB_BITMAP_PAGE - 32];
};

/* pages for an extent, and their bytes */
#define SWB_BITMAP_PAGES(extent_bytes) \
	((((extent_bytes) + SWB_GRANULE_BYTES - 1) / SWB_GRANULE_BYTES + \
	  SWB_BITMAP_PAGE_BITS - 1) / SWB_BITMAP_PAGE_BITS)
#define SWB_BITMAP_BYTES(extent_bytes) \
	(SWB_BITMAP_PAGES(extent_bytes) * SWB_BITMAP_PAGE)

static_assert(sizeof(struct swb_disk_bitmap) == SWB_BITMAP_PAGE);
static_assert(sizeof(struct swb_disk_lineage) == 24);
static_assert(sizeof(struct swb_disk_super) == SWB_SUPER_BYTES);
static_assert(sizeof(struct swb_disk_rec) == 24);
static_assert(sizeof(struct swb_disk_group) == 80);
static_assert(sizeof(struct swb_disk_group) +
	      SWB_GROUP_RECS_MAX * sizeof(struct swb_disk_rec) <=
	      SWB_GROUP_HEADER_MAX);

#endif /* SWB_FORMAT_DISK_H */
