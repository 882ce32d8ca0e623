/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Local recovery: choose a superblock, scan the ring, cut, name the case.
 *
 * The caller reads and computes payload checksums; the scanner judges:
 *
 *	swb_scan_begin(&s, &d);
 *	for (;;) {
 *		read up to SWB_GROUP_HEADER_MAX bytes at s.try_pos (less at the
 *		ring's end);
 *		v = swb_scan_header(&s, buf, len);
 *		if (v == SWB_SCAN_RETRY)
 *			continue;		(s.try_pos is now 0)
 *		if (v == SWB_SCAN_STOP)
 *			break;			(s.why says what ended it)
 *		read s.group.payload_bytes behind the header; for each record
 *		check its crc; then
 *		if (!swb_scan_payload(&s, all_ok, opens))
 *			break;
 *	}
 *	flush the device (P17b); letter = swb_recover_decide(...)
 */
#ifndef SWB_CORE_RECOVER_H
#define SWB_CORE_RECOVER_H

#include "codec.h"
#include "core.h"
#include "ring.h"

/** enum swb_scan_end - what stopped the scan */
enum swb_scan_end {
	SWB_SCAN_RUNNING,
	SWB_SCAN_END_CLEAN,	/* no group header here: never written or stale */
	SWB_SCAN_END_TORN_HEADER, /* magic and ring_id right, crc or length wrong */
	SWB_SCAN_END_TORN_PAYLOAD, /* a record's crc is wrong */
	SWB_SCAN_END_CHAIN,	/* valid header that is not the next of the chain */
	SWB_SCAN_END_EPOCH,	/* epoch or incarnation falls */
	SWB_SCAN_END_GAP,	/* first_lsn does not follow */
	SWB_SCAN_END_DEAD,	/* older incarnation, above log_end */
};

enum swb_scan_verdict {
	SWB_SCAN_NEXT,		/* s->group is the next one: check its payload */
	SWB_SCAN_RETRY,		/* look again, at s->try_pos (start of the ring) */
	SWB_SCAN_STOP,		/* the log ends here */
};

/**
 * struct swb_scan - a scan in progress
 * @d: superblock it started from
 * @try_pos: ring offset to read next
 * @pos: offset of s->group when verdict was NEXT
 * @group: the group under judgement
 * @live_nrec: of its records, the first so many are live: the rest lie above
 *	log_end of a newer incarnation and are dead
 * @ring: ring state after the last accepted group (write_pos, seq, prev_crc,
 *	used); incarnation is the superblock's
 * @head: last live LSN so far
 * @last_epoch: its epoch
 * @last_incarnation: of the last accepted group
 * @lineage: grows with each accepted open record
 * @overlap_from: if the group starts inside its predecessor: its first_lsn;
 *	records >= it of the predecessor are dead. Else 0.
 * @why: what ended it
 * @wrapped: the scan has passed the ring's end once at this position
 * @groups: accepted so far
 */
struct swb_scan {
	struct swb_durable d;
	u64 try_pos;
	u64 pos;
	struct swb_group_info group;
	u32 live_nrec;
	struct swb_ring ring;
	u64 head;
	u64 last_epoch;
	u64 last_incarnation;
	struct swb_lineage lineage;
	u64 overlap_from;
	enum swb_scan_end why;
	bool wrapped;
	u64 groups;
};

void swb_scan_begin(struct swb_scan *s, const struct swb_durable *d);
enum swb_scan_verdict swb_scan_header(struct swb_scan *s, const void *buf,
				      u32 len);

/**
 * swb_scan_payload() - the payload of s->group was checked
 * @ok: every live record decodes and has the right checksum
 * @opens: the group's first record is an open record
 * Return: true if the scan goes on.
 */
bool swb_scan_payload(struct swb_scan *s, bool ok, bool opens);

/** swb_recover_pick() - which slot counts: 0, 1, or -1 with the letter in @letter */
int swb_recover_pick(enum swb_super_verdict v0, const struct swb_durable *d0,
		     enum swb_super_verdict v1, const struct swb_durable *d1,
		     u8 *letter);

/**
 * struct swb_recover_facts - everything local recovery decides on
 * @slot: result of swb_recover_pick() was >= 0
 * @pick_letter: and its letter if not
 * @fits: geometry lies within the devices, and a separate WAL device is ours
 * @disk_failed: latch
 * @inconsistent: mark
 * @why: what ended the scan
 * @head: last live LSN found
 * @extent_lo: of the superblock
 * @extent_hi: of the superblock
 */
struct swb_recover_facts {
	bool slot;
	u8 pick_letter;
	bool fits;
	bool disk_failed;
	bool inconsistent;
	enum swb_scan_end why;
	u64 head;
	u64 extent_lo;
	u64 extent_hi;
};

enum swb_recover_verdict {
	SWB_RECOVER_OPEN,	/* the log is whole: go on at its end */
	SWB_RECOVER_CUT,	/* cut the tail, go on at the cut */
	SWB_RECOVER_VOID,	/* attach, but neither evidence nor candidate: P7 */
	SWB_RECOVER_REFUSE,
};

/** swb_recover_decide() - total; letters as in docs/design/state-model.md */
enum swb_recover_verdict swb_recover_decide(const struct swb_recover_facts *f,
					    u8 *letter);

#endif /* SWB_CORE_RECOVER_H */
