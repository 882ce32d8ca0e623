/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Words of the protocol: identities, enums, limits, and the plain structs that
 * decisions are made of. No behaviour. Enums that users see have their numbers
 * in uapi/linux/swblock.h and their names in core/text.c.
 */
#ifndef SWB_CORE_TYPES_H
#define SWB_CORE_TYPES_H

#include "port.h"
#include "../uapi/linux/swblock.h"
#include "../format/disk.h"

#define SWB_EXTENT_BYTES_MAX	((u64)1 << 60)
#define SWB_MEMBERS_MAX		SWBLOCK_MEMBERS_MAX
#define SWB_CONFIGS_MAX		5	/* the proposed one + 4 unsettled: P1 */
#define SWB_NSEC_PER_MSEC	1000000ULL

struct swb_uuid {
	u8 b[16];
};

static inline bool swb_uuid_equal(const struct swb_uuid *a,
				  const struct swb_uuid *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

static inline bool swb_uuid_is_null(const struct swb_uuid *a)
{
	static const struct swb_uuid null_uuid;

	return swb_uuid_equal(a, &null_uuid);
}

/**
 * struct swb_lineage_entry - one opening of an epoch
 * @epoch: epoch
 * @first_lsn: LSN of its epoch-open record
 * @flags: SWB_LINEAGE_*
 */
struct swb_lineage_entry {
	u64 epoch;
	u64 first_lsn;
	u32 flags;
};

/**
 * struct swb_lineage - openings in ascending order of both numbers
 * @count: entries in use
 * @floor_lsn: below it nothing is known: older entries were folded away
 * @e: the entries
 */
struct swb_lineage {
	u32 count;
	u64 floor_lsn;
	struct swb_lineage_entry e[SWB_LINEAGE_MAX];
};

/**
 * struct swb_config - who has to hold what before it counts
 * @mode: enum swblock_mode
 * @policy: enum swblock_policy
 * @member_count: members in use
 * @required: bit i = member i is in the required set
 * @member: replica ids
 */
struct swb_config {
	u8 mode;
	u8 policy;
	u8 member_count;
	u32 required;
	struct swb_uuid member[SWB_MEMBERS_MAX];
};

/* struct swb_report.flags and struct swb_facts.flags: as SWB_FACT_* */

/**
 * struct swb_report - what a voter says after it adopted an epoch durably (P6)
 * @replica: who reports
 * @adopted: the epoch it adopted
 * @last_epoch: epoch of its last record, the one that ranks (ambiguity 1)
 * @durable: its durable LSN, the whole received log flushed
 * @committed: the newest C it knew in a matched session (P16)
 * @flags: SWBLOCK_REPORT_*
 */
struct swb_report {
	struct swb_uuid replica;
	u64 adopted;
	u64 last_epoch;
	u64 durable;
	u64 committed;
	u32 flags;
};

/**
 * struct swb_cert - the right to open an epoch, checked in the kernel
 * @volume: volume it is for
 * @store: authority store that granted it
 * @store_generation: generation of that store (P17c)
 * @epoch: epoch granted
 * @candidate: replica it is granted to, one per epoch for ever (P3)
 * @config: configuration of this epoch
 * @judge_count: configurations the evidence must satisfy (P1)
 * @judge: those: every granted one since the last settled one, oldest first
 * @report_count: reports
 * @report: the evidence, the candidate's own among it
 * @last_granted_epoch: newest epoch granted before, 0 if none
 * @last_granted: to whom (P12, P15)
 * @flags: SWBLOCK_CERT_*
 */
struct swb_cert {
	struct swb_uuid volume;
	struct swb_uuid store;
	u64 store_generation;
	u64 epoch;
	struct swb_uuid candidate;
	struct swb_config config;
	u32 judge_count;
	struct swb_config judge[SWB_CONFIGS_MAX];
	u32 report_count;
	struct swb_report report[SWB_MEMBERS_MAX];
	u64 last_granted_epoch;
	struct swb_uuid last_granted;
	u32 flags;
};

/*
 * A member's own account of itself, fresh at session open. Each field is
 * explained in format/wire.h, struct swb_wire_facts.
 */
struct swb_facts {
	struct swb_uuid volume;
	struct swb_uuid replica;
	struct swb_uuid peer;
	struct swb_uuid store;
	u64 store_generation;
	u64 adopted;
	u64 log_end;
	u64 last_epoch;
	u64 durable;
	u64 committed;
	u64 extent_lo;
	u64 extent_hi;
	u64 extent_hi_epoch;
	u64 base_lsn;
	u64 bitmap_epoch;
	u64 bitmap_lsn;
	u64 log_start;
	u64 extent_bytes;
	u32 block_bytes;
	u32 flags;
	u32 ring_mib;
	struct swb_lineage lineage;
};

/*
 * The part of a member's state that its superblock holds. Each field is
 * explained in format/disk.h, struct swb_disk_super.
 */
struct swb_durable {
	u64 generation;
	struct swb_uuid volume;
	struct swb_uuid replica;
	struct swb_uuid store;
	u64 store_generation;
	u64 ring_id;
	u32 flags;
	u32 block_bytes;
	u32 ring_unit;
	u64 ring_offset;
	u64 ring_bytes;
	u64 extent_offset;
	u64 extent_bytes;
	u64 epoch;
	u64 opened;
	u64 incarnation;
	u64 extent_lo;
	u64 extent_hi;
	u64 committed;
	u64 tail_pos;
	u64 tail_seq;
	u64 tail_lsn;
	u32 tail_prev_crc;
	u64 log_end;
	u64 base_lsn;
	u64 bitmap_offset;
	u64 bitmap_bytes;
	u64 bitmap_epoch;
	u64 bitmap_lsn;
	u64 extent_hi_epoch;
	struct swb_uuid rebuild_source;
	u8 volume_label[SWB_LABEL_BYTES];
	u8 replica_label[SWB_LABEL_BYTES];
	struct swb_lineage lineage;	/* what the table says, LSNs < tail_lsn */
};

#endif /* SWB_CORE_TYPES_H */
