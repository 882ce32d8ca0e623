/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Times of the stages of a write, always on: per-CPU histograms of a volume, and
 * the marks from which the times of replication are computed. What a stage is:
 * docs/design/observability.md. Buckets: core/lat.h.
 *
 * Histograms have no lock and are counted from any context. Marks and asks are
 * the primary's, under the member's lock. Nothing is allocated after create.
 *
 * Module parameter "histograms" turns all of it off, to measure what it costs:
 * what was under way at that moment is not counted.
 */
#ifndef SWB_LAT_H
#define SWB_LAT_H

#include <linux/jump_label.h>
#include <linux/percpu.h>
#include <linux/timekeeping.h>
#include "core/lat.h"

/* Groups whose acks or C may be outstanding and still be timed. */
#define SWB_LAT_MARKS	2048

/* Stages of the own host; of each member: see lat.c. */
#define SWB_LAT_OWN	10
#define SWB_LAT_EACH	7

struct swb_lat_own {
	struct swb_lat_hist h[SWB_LAT_OWN];
};

struct swb_lat_each {
	struct swb_lat_hist h[SWB_LAT_EACH];
};

/**
 * struct swb_lat_mark - a sealed group of a primary
 * @lsn: its first
 * @nrec: records
 * @bytes: what it takes in the ring
 * @opened_ns: CLOCK_BOOTTIME when its first record entered
 * @sealed_ns: when its WAL bio went out
 * @shipped_ns: by member, when its frame was made, 0: not yet
 */
struct swb_lat_mark {
	u64 lsn;
	u32 nrec;
	u32 bytes;
	u64 opened_ns;
	u64 sealed_ns;
	u64 shipped_ns[SWB_MEMBERS_MAX];
};

/**
 * struct swb_lat - all of a volume
 * @volume: local id, for the tracepoint
 * @own: histograms of the own host
 * @each: of each member
 * @mark: array of SWB_LAT_MARKS, used in turn; lock
 * @first: index of the oldest mark; lock
 * @next: index after the newest; lock
 * @commit_at: first mark that C has not passed; lock
 * @received_at: by member, first mark not acked as received; lock
 * @written_at: by member, first mark not acked as written; lock
 * @ask_lsn: by member, a flush that was asked for, 0: none; lock
 * @ask_ns: by member, when; lock
 * @missed: records of marks that were used again before they were done; lock
 */
struct swb_lat {
	u32 volume;
	struct swb_lat_own __percpu *own;
	struct swb_lat_each __percpu *each[SWB_MEMBERS_MAX];
	struct swb_lat_mark *mark;
	u64 first;
	u64 next;
	u64 commit_at;
	u64 received_at[SWB_MEMBERS_MAX];
	u64 written_at[SWB_MEMBERS_MAX];
	u64 ask_lsn[SWB_MEMBERS_MAX];
	u64 ask_ns[SWB_MEMBERS_MAX];
	u64 missed;
};

DECLARE_STATIC_KEY_TRUE(swb_lat_on);

/**
 * swb_lat_now() - the time, where nobody but a histogram asks for it
 *
 * Return: CLOCK_BOOTTIME in ns; 0 while histograms are off.
 */
static inline u64 swb_lat_now(void)
{
	return static_branch_likely(&swb_lat_on) ? ktime_get_boottime_ns() : 0;
}

/** swb_lat_create() - Return: 0 or -ENOMEM. Context: process, may sleep */
int swb_lat_create(struct swb_lat *lat, u32 volume);
/** swb_lat_destroy() - also of one that was never created, but zeroed */
void swb_lat_destroy(struct swb_lat *lat);

/**
 * swb_lat_note() - count a stage, and tell tracepoint swblock_stage
 * @lat: of the volume
 * @stage: enum swblock_stage
 * @member: index, or SWB_LAT_NOBODY
 * @lsn: first record, 0 if there is none
 * @nrec: records that this is the time of; it is counted once for each
 * @bytes: of data, about
 * @ns: the time
 *
 * Context: any; no lock.
 */
void swb_lat_note(struct swb_lat *lat, u32 stage, u8 member, u64 lsn, u32 nrec,
		  u32 bytes, u64 ns);

/** swb_lat_sealed() - a primary's group goes to the log's disk; lock */
void swb_lat_sealed(struct swb_lat *lat, const struct swb_lat_mark *group);

/** swb_lat_shipped() - the frame with record @lsn is sent to @member next; lock */
void swb_lat_shipped(struct swb_lat *lat, u8 member, u64 lsn, u64 now_ns);

/** swb_lat_flush_asked() - with this frame @member is asked to flush; lock */
void swb_lat_flush_asked(struct swb_lat *lat, u8 member, u64 lsn, u64 now_ns);

/**
 * struct swb_lat_ack - what a peer has said, and when that was heard
 * @received: in its memory
 * @written: in its log
 * @durable: flushed there
 * @by_received: the ack policy waits for @received, else for @written
 * @now_ns: CLOCK_BOOTTIME
 */
struct swb_lat_ack {
	u64 received;
	u64 written;
	u64 durable;
	bool by_received;
	u64 now_ns;
};

/** swb_lat_acked() - an ack of @member was taken; lock */
void swb_lat_acked(struct swb_lat *lat, u8 member, const struct swb_lat_ack *ack);

/** swb_lat_committed() - C of a primary is @lsn now; lock */
void swb_lat_committed(struct swb_lat *lat, u64 lsn, u64 now_ns);

/**
 * swb_lat_sum() - a histogram, over all CPUs
 * @lat: of the volume
 * @stage: enum swblock_stage
 * @member: index, or SWB_LAT_NOBODY
 * @sum: filled; what is counted meanwhile may be in it or not
 *
 * Return: events; 0 also if that stage has no such histogram.
 */
u64 swb_lat_sum(const struct swb_lat *lat, u32 stage, u8 member,
		struct swb_lat_hist *sum);

#endif /* SWB_LAT_H */
