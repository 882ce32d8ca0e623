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
 *			continue;		(s.try_pos was changed)
 *		if (v == SWB_SCAN_STOP)
 *			break;			(s.why says what ended it)
 *		read s.group.payload_bytes behind the header at s.pos; check
 *		each record, also those >= s.live_nrec, which are dead; then
 *		if (!swb_scan_payload(&s, all_ok, opens))
 *			break;
 *		if (s.overlap_from) forget records >= it of groups before;
 *		index records 0 .. s.live_nrec - 1 of s.group
 *	}
 *	flush the device (P17b); swb_scan_facts(); swb_recover_decide();
 *	swb_scan_result()
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
	/* valid header that is not the next of the chain, or of an incarnation
	 * below its predecessor's
	 */
	SWB_SCAN_END_CHAIN,
	SWB_SCAN_END_EPOCH,	/* chained, but the epoch falls */
	SWB_SCAN_END_GAP,	/* chained, but first_lsn does not follow */
	SWB_SCAN_END_DEAD,	/* older incarnation, above log_end */
};

enum swb_scan_verdict {
	SWB_SCAN_NEXT,		/* s->group is the next one: check its payload */
	SWB_SCAN_RETRY,		/* look again, at s->try_pos: 0 or back from it */
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
 * @prev_first: first LSN of the last accepted group
 * @zero: header at offset 0, once it was looked at: a group of an older
 *	incarnation at @try_pos loses against a chained, newer one there
 * @zero_seen: @zero was looked at
 * @zero_valid: and there is a whole header
 * @back_pos: where to return to after the look at 0
 * @peeking: the look at 0 is under way
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
	u64 prev_first;
	struct swb_group_info zero;
	bool zero_seen;
	bool zero_valid;
	u64 back_pos;
	bool peeking;
};

void swb_scan_begin(struct swb_scan *s, const struct swb_durable *d);
enum swb_scan_verdict swb_scan_header(struct swb_scan *s, const void *buf,
				      u32 len);

/**
 * swb_scan_payload() - the payload of s->group was checked
 * @s: scan
 * @ok: every record, dead ones included, decodes and has the right checksum. A
 *	group is written whole or not at all; what is torn anywhere was never
 *	durable, and must not be accepted now and rejected after the next
 *	incarnation
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
 * @tail_lost: not one group was accepted
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
	bool tail_lost;
};

/**
 * swb_scan_facts() - fill what the scan and the superblock know
 * @s: a scan that has stopped
 * @f: all fields but @slot, @pick_letter and @fits, which are the caller's
 */
void swb_scan_facts(const struct swb_scan *s, struct swb_recover_facts *f);

/** swb_scan_result() - what swb_core_init() wants of a scan that has stopped */
void swb_scan_result(const struct swb_scan *s, u8 letter,
		     struct swb_recovered *r);

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
