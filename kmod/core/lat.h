/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arithmetic of latency histograms: which bucket a time belongs to, percentiles of
 * buckets, and which stage and member hold a percentile. Pure. The module counts
 * with it, swblockctl reads with it, so that both mean the same buckets.
 *
 *	bucket 0		less than 512 ns
 *	4 for each octave	512 ns to 2^36 ns (69 s)
 *	the last one		2^36 ns and more
 *
 * A percentile is told as the upper edge of its bucket: never less than the true
 * value, and at most a quarter more, from 512 ns up to the last bucket.
 */
#ifndef SWB_CORE_LAT_H
#define SWB_CORE_LAT_H

#include "types.h"

#define SWB_LAT_FIRST_SHIFT	9
#define SWB_LAT_LAST_SHIFT	36
#define SWB_LAT_SUB_SHIFT	2
#define SWB_LAT_BUCKETS \
	(2 + ((SWB_LAT_LAST_SHIFT - SWB_LAT_FIRST_SHIFT) << SWB_LAT_SUB_SHIFT))

/* Percentiles are given in parts of this. */
#define SWB_LAT_PARTS		10000

/* A histogram of no member: of a stage that only the own host has. */
#define SWB_LAT_NOBODY		0xff

/**
 * struct swb_lat_hist - one histogram
 * @n: events by bucket
 * @sum_ns: of their times
 */
struct swb_lat_hist {
	u64 n[SWB_LAT_BUCKETS];
	u64 sum_ns;
};

/**
 * struct swb_lat_row - a histogram and what it is of
 * @stage: enum swblock_stage
 * @member: index, or SWB_LAT_NOBODY
 * @hist: the histogram
 */
struct swb_lat_row {
	u32 stage;
	u8 member;
	struct swb_lat_hist hist;
};

/**
 * struct swb_lat_why - who holds a percentile
 * @total: SWBLOCK_STAGE_COMPLETE, or _BARRIER if there are no plain writes
 * @total_ns: the percentile of it
 * @slow: events in its bucket and above
 * @member: whose fact released most of those, or SWB_LAT_NOBODY
 * @held: how many of them
 * @stage: the longest stage on the way of that member, 0: none was measured
 * @stage_member: the member that stage is of, or SWB_LAT_NOBODY
 * @stage_ns: the percentile of it
 */
struct swb_lat_why {
	u32 total;
	u64 total_ns;
	u64 slow;
	u8 member;
	u64 held;
	u32 stage;
	u8 stage_member;
	u64 stage_ns;
};

/** swb_lat_bucket() - the bucket of a time */
u32 swb_lat_bucket(u64 ns);

/** swb_lat_edge() - the least time of a bucket; of SWB_LAT_BUCKETS: all ones */
u64 swb_lat_edge(u32 bucket);

/** swb_lat_add() - @count events of @ns each */
void swb_lat_add(struct swb_lat_hist *h, u64 ns, u64 count);

/** swb_lat_merge() - add all of @from to @to */
void swb_lat_merge(struct swb_lat_hist *to, const struct swb_lat_hist *from);

/** swb_lat_count() - events in bucket @from and above; 0: all */
u64 swb_lat_count(const struct swb_lat_hist *h, u32 from);

/**
 * swb_lat_at() - the bucket that holds a percentile
 * @h: histogram
 * @parts: of SWB_LAT_PARTS: 9900 is p99
 *
 * Return: the first bucket such that it and those below hold that part of the
 * events; SWB_LAT_BUCKETS if there is no event.
 */
u32 swb_lat_at(const struct swb_lat_hist *h, u32 parts);

/** swb_lat_percentile() - upper edge of that bucket, lower edge of the last; 0: none */
u64 swb_lat_percentile(const struct swb_lat_hist *h, u32 parts);

/**
 * swb_lat_why() - which member and stage hold a percentile of upper writes
 * @rows: all histograms of a primary
 * @count: of them
 * @self: own member index
 * @parts: of SWB_LAT_PARTS
 * @why: filled
 *
 * Each completed write was counted under the member whose fact released it, so the
 * member is known, not guessed. The stage is the longest on that member's way, by
 * the same percentile of each.
 *
 * Return: false if nothing has completed yet.
 */
bool swb_lat_why(const struct swb_lat_row *rows, u32 count, u8 self, u32 parts,
		 struct swb_lat_why *why);

#endif /* SWB_CORE_LAT_H */
