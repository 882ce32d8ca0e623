/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bytes between two members, after userspace has said hello and handed the
 * connected socket to both kernels. docs/design/wire-format.md has the
 * conversation:
 *
 *   primary                               replica
 *     OPEN(session, epoch, identity) ----->  adopted? granted to that primary?
 *     <----- FACTS(R, durable, C, lineage)   (or CLOSE with a reason)
 *     START(from, truncate_to, target) --->  cut, then
 *     <----- ACK(received, written, durable)
 *     DATA... (live and catch-up alike) -->
 *     BASE... BASE_END (delta, rebuild) -->
 *     <----- ACK...
 *
 * One frame = header, then @body_bytes of body (records or facts), then
 * @payload_bytes of payload. Layout only. Every integer is little-endian.
 */
#ifndef SWB_FORMAT_WIRE_H
#define SWB_FORMAT_WIRE_H

#include "disk.h"

#define SWB_WIRE_MAGIC		0x57425753	/* "SWBW" */
#define SWB_WIRE_PROTO_MIN	2
#define SWB_WIRE_PROTO_MAX	2

enum swb_wire_type {
	SWB_WIRE_OPEN	= 1,	/* body: swb_wire_facts */
	SWB_WIRE_FACTS	= 2,	/* body: swb_wire_facts */
	SWB_WIRE_START	= 3,	/* a: from LSN, truncate_to, frozen target,
				 * enum swb_wire_start
				 */
	SWB_WIRE_DATA	= 4,	/* a: first LSN, epoch of records; body: recs */
	SWB_WIRE_ACK	= 5,	/* a: received, written, durable; bytes of BASE
				 * taken in this session, or SWB_WIRE_BASE_DONE
				 */
	SWB_WIRE_PING	= 6,	/* keeps the link alive; carries C, flush_lsn;
				 * a: from a primary, LSN after the last it sent
				 */
	SWB_WIRE_CLOSE	= 7,	/* a: enum swb_reason, epoch of the sender */
	SWB_WIRE_BASE	= 8,	/* a: epoch and LSN of the source's extent_hi,
				 * sampled after the read, bytes of BASE before it
				 * in this session; body: one rec, WRITE with
				 * payload or ZEROES without (P10)
				 */
	SWB_WIRE_BASE_END = 9,	/* a: epoch and LSN of the last such sample, W;
				 * bytes of BASE in all
				 */
	SWB_WIRE_VERIFY	= 16,	/* a: first sector, bytes, serial: what do you hold? */
	SWB_WIRE_VERIFY_SUM = 17,
				/* a: those of VERIFY, and the LSN whose content it
				 * is; body: struct swb_wire_sums
				 */
	SWB_WIRE_READ	= 18,	/* a: first sector, bytes, serial: lend me these */
	SWB_WIRE_READ_DATA = 19,
				/* a: those of READ, and the LSN whose content it
				 * is; body: the bytes, none if they cannot be read
				 */
};

/** enum swb_wire_start - what a session is to bring */
enum swb_wire_start {
	SWB_START_STREAM  = 0,	/* from = m + 1, truncate_to = m */
	SWB_START_DELTA	  = 1,	/* from = extent_lo + 1, truncate_to = m */
	SWB_START_REBUILD = 2,	/* from = extent_lo + 1, truncate_to = 0 */
};

/* a[3] of ACK: the mark is durably cleared, from now on acks count */
#define SWB_WIRE_BASE_DONE	(~0ULL)

/**
 * struct swb_wire_header - 96 bytes at the start of every frame
 * @magic: SWB_WIRE_MAGIC
 * @crc: crc32c of the 96 bytes with this field as zero
 * @type: enum swb_wire_type
 * @nrec: records in the body (DATA; 1 in BASE), else 0
 * @body_bytes: bytes of body, <= SWB_WIRE_BODY_MAX
 * @payload_bytes: bytes of payload (DATA, BASE), <= SWB_GROUP_PAYLOAD_MAX
 * @body_crc: crc32c of the body
 * @session: id of the session, drawn by the primary; unique per primary boot
 * @epoch: epoch of the session
 * @committed: C of the primary (0 from a replica)
 * @flush_lsn: the primary asks for a flush up to here (0: none); in an ACK: bytes of
 *	the volume at the replica, which may be more than at the primary
 * @a: by type, see enum swb_wire_type
 * @everywhere: every member of the configuration is durable up to here, as the
 *	primary counts (0 from a replica): write-back up to it needs no bits (P11)
 */
struct swb_wire_header {
	__le32 magic;
	__le32 crc;
	__le16 type;
	__le16 nrec;
	__le32 body_bytes;
	__le32 payload_bytes;
	__le32 body_crc;
	__le64 session;
	__le64 epoch;
	__le64 committed;
	__le64 flush_lsn;
	__le64 a[4];
	__le64 everywhere;
};

/* struct swb_wire_facts.flags */
#define SWB_FACT_INCONSISTENT	0x1
#define SWB_FACT_DISK_FAILED	0x2
#define SWB_FACT_OVERRIDDEN	0x4
#define SWB_FACT_DELTA		0x8	/* with INCONSISTENT: it is a delta */

/**
 * struct swb_wire_facts - what a member says of itself when a session opens
 * @volume_uuid: identity of the volume
 * @replica_uuid: identity of the sender
 * @peer_uuid: identity that the sender believes to talk to
 * @store_uuid: its authority store
 * @store_generation: and the generation of it
 * @adopted: adopted epoch
 * @log_end: R (or H): last LSN of the log, received records included
 * @last_epoch: epoch of that record
 * @durable: durable LSN
 * @committed: known C, a cross-check only (P8, P16)
 * @extent_lo: see disk.h
 * @extent_hi: see disk.h
 * @extent_hi_epoch: see disk.h, with INCONSISTENT
 * @base_lsn: see disk.h, with INCONSISTENT
 * @bitmap_epoch: see disk.h
 * @bitmap_lsn: see disk.h
 * @log_start: S, the oldest LSN that can be streamed
 * @extent_bytes: size of the volume
 * @block_bytes: logical block size
 * @flags: SWB_FACT_*
 * @lineage_count: entries in use
 * @ring_mib: size of its ring in MiB, rounded down: the primary never has more
 *	uncommitted bytes on the way to it than half of that
 * @lineage: (epoch, first LSN) ascending, log included (P18)
 */
struct swb_wire_facts {
	__u8   volume_uuid[16];
	__u8   replica_uuid[16];
	__u8   peer_uuid[16];
	__u8   store_uuid[16];
	__le64 store_generation;
	__le64 adopted;
	__le64 log_end;
	__le64 last_epoch;
	__le64 durable;
	__le64 committed;
	__le64 extent_lo;
	__le64 extent_hi;
	__le64 extent_hi_epoch;
	__le64 base_lsn;
	__le64 bitmap_epoch;
	__le64 bitmap_lsn;
	__le64 log_start;
	__le64 extent_bytes;
	__le32 block_bytes;
	__le32 flags;
	__le32 lineage_count;
	__le32 ring_mib;
	struct swb_disk_lineage lineage[SWB_LINEAGE_MAX];
};

/**
 * struct swb_wire_sums - content of a piece of the volume
 * @crc: crc32c of each 4096 bytes of it, 0 where it ends before
 */
struct swb_wire_sums {
	__le32 crc[16];
};

#define SWB_WIRE_BODY_MAX	4096
#define SWB_WIRE_READ_MAX	SWB_WIRE_BODY_MAX

static_assert(sizeof(struct swb_wire_header) == 96);
static_assert(sizeof(struct swb_wire_facts) == 192 + SWB_LINEAGE_MAX * 24);
static_assert(sizeof(struct swb_wire_facts) <= SWB_WIRE_BODY_MAX);
static_assert(SWB_GROUP_RECS_MAX * sizeof(struct swb_disk_rec) <=
	      SWB_WIRE_BODY_MAX);

#endif /* SWB_FORMAT_WIRE_H */
