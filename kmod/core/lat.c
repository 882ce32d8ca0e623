// SPDX-License-Identifier: GPL-2.0-only
/*
 * Latency histograms, see lat.h: arithmetic only. Counting on a hot path is the
 * caller's, with swb_lat_bucket(); nothing here decides about data.
 *
 * Lock: none. Context: any.
 */
#include "lat.h"

#define SUBS	4U	/* two bits below the highest */

u32 swb_lat_bucket(u64 ns)
{
	u32 top, sub;

	if (ns < 1ULL << SWB_LAT_FIRST_SHIFT)
		return 0;
	if (ns >= 1ULL << SWB_LAT_LAST_SHIFT)
		return SWB_LAT_BUCKETS - 1;
	top = 63 - __builtin_clzll(ns);
	sub = (ns >> (top - SWB_LAT_SUB_SHIFT)) & (SUBS - 1);
	return 1 + ((top - SWB_LAT_FIRST_SHIFT) << SWB_LAT_SUB_SHIFT) + sub;
}

u64 swb_lat_edge(u32 bucket)
{
	u32 top;

	if (!bucket)
		return 0;
	if (bucket >= SWB_LAT_BUCKETS)
		return ~0ULL;
	top = SWB_LAT_FIRST_SHIFT + ((bucket - 1) >> SWB_LAT_SUB_SHIFT);
	return (u64)(SUBS + ((bucket - 1) & (SUBS - 1))) <<
	       (top - SWB_LAT_SUB_SHIFT);
}

void swb_lat_add(struct swb_lat_hist *h, u64 ns, u64 count)
{
	h->n[swb_lat_bucket(ns)] += count;
	h->sum_ns += ns * count;
}

void swb_lat_merge(struct swb_lat_hist *to, const struct swb_lat_hist *from)
{
	u32 i;

	for (i = 0; i < SWB_LAT_BUCKETS; i++)
		to->n[i] += from->n[i];
	to->sum_ns += from->sum_ns;
}

u64 swb_lat_count(const struct swb_lat_hist *h, u32 from)
{
	u64 count = 0;
	u32 i;

	for (i = from; i < SWB_LAT_BUCKETS; i++)
		count += h->n[i];
	return count;
}

/* The rank of a percentile, at least 1: rounded up, and no product overflows. */
static u64 rank_of(u64 count, u32 parts)
{
	u64 rest = count % SWB_LAT_PARTS * parts + SWB_LAT_PARTS - 1;
	u64 rank = count / SWB_LAT_PARTS * parts + rest / SWB_LAT_PARTS;

	return rank ? rank : 1;
}

u32 swb_lat_at(const struct swb_lat_hist *h, u32 parts)
{
	u64 count = swb_lat_count(h, 0), rank, below = 0;
	u32 i;

	if (!count)
		return SWB_LAT_BUCKETS;
	rank = rank_of(count, parts);
	for (i = 0; i < SWB_LAT_BUCKETS - 1; i++) {
		below += h->n[i];
		if (below >= rank)
			break;
	}
	return i;
}

u64 swb_lat_percentile(const struct swb_lat_hist *h, u32 parts)
{
	u32 at = swb_lat_at(h, parts);

	if (at == SWB_LAT_BUCKETS)
		return 0;
	if (at == SWB_LAT_BUCKETS - 1)
		return swb_lat_edge(at);	/* it has no upper edge */
	return swb_lat_edge(at + 1);
}

/* ---- who holds a percentile ------------------------------------------- */

static u64 count_stage(const struct swb_lat_row *rows, u32 count, u32 stage)
{
	u64 n = 0;
	u32 i;

	for (i = 0; i < count; i++)
		if (rows[i].stage == stage)
			n += swb_lat_count(&rows[i].hist, 0);
	return n;
}

/* Is this stage of this member on the way of a write that @member released? */
static bool on_the_way(const struct swb_lat_row *r, u8 member, u8 self,
		       u32 total)
{
	switch (r->stage) {
	case SWBLOCK_STAGE_ADMIT:
	case SWBLOCK_STAGE_APPEND:
		return true;
	case SWBLOCK_STAGE_PERSIST:
		return member == self;
	case SWBLOCK_STAGE_FLUSH:
		return member == self && total == SWBLOCK_STAGE_BARRIER;
	case SWBLOCK_STAGE_SHIP:
	case SWBLOCK_STAGE_PEER_RECEIVE:
	case SWBLOCK_STAGE_PEER_PERSIST:
		return r->member == member;
	case SWBLOCK_STAGE_PEER_FLUSH:
		return r->member == member && total == SWBLOCK_STAGE_BARRIER;
	}
	return false;
}

static void find_stage(const struct swb_lat_row *rows, u32 count, u8 self,
		       u32 parts, struct swb_lat_why *why)
{
	u64 ns;
	u32 i;

	for (i = 0; i < count; i++) {
		if (!on_the_way(&rows[i], why->member, self, why->total))
			continue;
		ns = swb_lat_percentile(&rows[i].hist, parts);
		/* one ack may tell both: then it is the later stage */
		if (!ns || ns < why->stage_ns)
			continue;
		why->stage = rows[i].stage;
		why->stage_member = rows[i].member;
		why->stage_ns = ns;
	}
}

bool swb_lat_why(const struct swb_lat_row *rows, u32 count, u8 self, u32 parts,
		 struct swb_lat_why *why)
{
	struct swb_lat_hist all = { };
	u64 held;
	u32 i, at;

	memset(why, 0, sizeof(*why));
	why->member = SWB_LAT_NOBODY;
	why->stage_member = SWB_LAT_NOBODY;
	why->total = SWBLOCK_STAGE_COMPLETE;
	if (!count_stage(rows, count, why->total))
		why->total = SWBLOCK_STAGE_BARRIER;
	for (i = 0; i < count; i++)
		if (rows[i].stage == why->total)
			swb_lat_merge(&all, &rows[i].hist);
	at = swb_lat_at(&all, parts);
	if (at == SWB_LAT_BUCKETS)
		return false;
	why->total_ns = swb_lat_percentile(&all, parts);
	why->slow = swb_lat_count(&all, at);
	for (i = 0; i < count; i++) {
		if (rows[i].stage != why->total)
			continue;
		held = swb_lat_count(&rows[i].hist, at);
		if (held > why->held) {
			why->held = held;
			why->member = rows[i].member;
		}
	}
	find_stage(rows, count, self, parts, why);
	return true;
}
