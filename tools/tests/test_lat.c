// SPDX-License-Identifier: GPL-2.0-only
/* Buckets of latency histograms, percentiles, and who holds one. */
#include "harness.h"
#include "lat.h"

TEST(test_lat_every_edge, "each edge and its neighbours are in the buckets they bound")
{
	u64 before = 0, edge;

	CHECK_EQ(swb_lat_edge(0), 0);
	CHECK_EQ(swb_lat_bucket(0), 0);
	for (u32 b = 1; b < SWB_LAT_BUCKETS; b++) {
		edge = swb_lat_edge(b);
		CHECK(edge > before);
		CHECK_EQ(swb_lat_bucket(edge), b);
		CHECK_EQ(swb_lat_bucket(edge - 1), b - 1);
		CHECK_EQ(swb_lat_bucket(before + (edge - before) / 2), b - 1);
		before = edge;
	}
	CHECK_EQ(swb_lat_edge(1), 512);
	CHECK_EQ(swb_lat_edge(2), 640);
	CHECK_EQ(swb_lat_edge(SWB_LAT_BUCKETS - 1), 1ULL << 36);
	CHECK_EQ(swb_lat_edge(SWB_LAT_BUCKETS), ~0ULL);
	CHECK_EQ(swb_lat_bucket(~0ULL), SWB_LAT_BUCKETS - 1);
}

TEST(test_lat_bound, "an upper edge is above the time and at most a quarter more")
{
	u64 ns, edge;

	for (u32 i = 0; i < 200000; i++) {
		ns = 512 + rnd_below(1ULL << (10 + rnd_below(26)));
		if (ns >> SWB_LAT_LAST_SHIFT)
			continue;
		edge = swb_lat_edge(swb_lat_bucket(ns) + 1);
		CHECK(edge > ns);
		CHECK(edge - ns <= ns / 4 + 1);
	}
}

TEST(test_lat_percentile_exact, "a percentile is the bucket of the value of that rank")
{
	static const u32 parts[] = { 1, 5000, 9000, 9900, 9990, 9999, 10000 };

	for (u32 count = 1; count <= 1200; count++) {
		struct swb_lat_hist h = { };

		/* value i * 100 us has rank i */
		for (u32 i = 1; i <= count; i++)
			swb_lat_add(&h, i * 100000ULL, 1);
		CHECK_EQ(swb_lat_count(&h, 0), count);
		for (u32 p = 0; p < sizeof(parts) / sizeof(parts[0]); p++) {
			u32 rank = (count * parts[p] + 9999) / 10000;

			CHECK_EQ(swb_lat_at(&h, parts[p]),
				 swb_lat_bucket(rank * 100000ULL));
			CHECK_EQ(swb_lat_percentile(&h, parts[p]),
				 swb_lat_edge(swb_lat_bucket(rank * 100000ULL) + 1));
		}
	}
}

TEST(test_lat_percentile_ends, "none of nothing, no upper edge at the end, no overflow")
{
	struct swb_lat_hist h = { };

	CHECK_EQ(swb_lat_at(&h, 9900), SWB_LAT_BUCKETS);
	CHECK_EQ(swb_lat_percentile(&h, 9900), 0);
	swb_lat_add(&h, ~0ULL, 1);
	CHECK_EQ(swb_lat_percentile(&h, 5000), 1ULL << 36);
	memset(&h, 0, sizeof(h));
	h.n[3] = ~0ULL / 2;
	h.n[9] = ~0ULL / 200;
	CHECK_EQ(swb_lat_at(&h, 9800), 3);
	CHECK_EQ(swb_lat_at(&h, 9950), 9);
}

TEST(test_lat_merge, "merging is adding: bucket by bucket, sums, counts from a bucket on")
{
	struct swb_lat_hist a = { }, b = { }, all = { };

	for (u32 i = 0; i < 5000; i++) {
		u64 ns = rnd_below(1ULL << (5 + rnd_below(34)));
		u64 n = 1 + rnd_below(3);

		swb_lat_add(i % 2 ? &a : &b, ns, n);
		swb_lat_add(&all, ns, n);
	}
	swb_lat_merge(&a, &b);
	CHECK(!memcmp(&a, &all, sizeof(a)));
	for (u32 i = 0, left = swb_lat_count(&all, 0); i < SWB_LAT_BUCKETS; i++) {
		CHECK_EQ(swb_lat_count(&all, i), left);
		left -= all.n[i];
	}
}

#define MS	1000000ULL

static struct swb_lat_row row_of(u32 stage, u8 member, u64 ns, u64 count)
{
	struct swb_lat_row r = { .stage = stage, .member = member };

	swb_lat_add(&r.hist, ns, count);
	return r;
}

TEST(test_lat_why_peer, "who released the slow writes holds p99, not who released most")
{
	struct swb_lat_row rows[] = {
		row_of(SWBLOCK_STAGE_ADMIT, SWB_LAT_NOBODY, MS / 100, 1000),
		row_of(SWBLOCK_STAGE_PERSIST, SWB_LAT_NOBODY, 80 * MS, 1000),
		row_of(SWBLOCK_STAGE_SHIP, 1, MS, 1000),
		row_of(SWBLOCK_STAGE_PEER_PERSIST, 1, 70 * MS, 1000),
		row_of(SWBLOCK_STAGE_SHIP, 2, MS, 1000),
		row_of(SWBLOCK_STAGE_PEER_RECEIVE, 2, 30 * MS, 1000),
		row_of(SWBLOCK_STAGE_PEER_PERSIST, 2, 30 * MS, 1000),
		row_of(SWBLOCK_STAGE_COMPLETE, 1, MS, 970),
		row_of(SWBLOCK_STAGE_COMPLETE, 2, 32 * MS, 30),
		row_of(SWBLOCK_STAGE_BARRIER, 0, 900 * MS, 5),
	};
	struct swb_lat_why why;

	CHECK(swb_lat_why(rows, ARRAY_SIZE(rows), 0, 9900, &why));
	CHECK_EQ(why.total, SWBLOCK_STAGE_COMPLETE);
	CHECK_EQ(why.member, 2);
	CHECK_EQ(why.slow, 30);
	CHECK_EQ(why.held, 30);
	CHECK_EQ(why.stage, SWBLOCK_STAGE_PEER_PERSIST);
	CHECK_EQ(why.stage_member, 2);
	CHECK_EQ(why.stage_ns, swb_lat_edge(swb_lat_bucket(30 * MS) + 1));
	CHECK_EQ(why.total_ns, swb_lat_edge(swb_lat_bucket(32 * MS) + 1));
	/* the median is another matter */
	CHECK(swb_lat_why(rows, ARRAY_SIZE(rows), 0, 5000, &why));
	CHECK_EQ(why.member, 1);
}

TEST(test_lat_why_self, "what the own disk released is held by a stage of this host")
{
	struct swb_lat_row rows[] = {
		row_of(SWBLOCK_STAGE_APPEND, SWB_LAT_NOBODY, 2 * MS, 100),
		row_of(SWBLOCK_STAGE_PERSIST, SWB_LAT_NOBODY, 9 * MS, 100),
		row_of(SWBLOCK_STAGE_FLUSH, SWB_LAT_NOBODY, 50 * MS, 100),
		row_of(SWBLOCK_STAGE_COMMIT, SWB_LAT_NOBODY, 200 * MS, 100),
		row_of(SWBLOCK_STAGE_PEER_PERSIST, 0, 90 * MS, 100),
		row_of(SWBLOCK_STAGE_COMPLETE, 1, 12 * MS, 100),
	};
	struct swb_lat_why why;

	CHECK(swb_lat_why(rows, ARRAY_SIZE(rows), 1, 9900, &why));
	CHECK_EQ(why.member, 1);
	CHECK_EQ(why.stage, SWBLOCK_STAGE_PERSIST);
	CHECK_EQ(why.stage_member, SWB_LAT_NOBODY);
	/* without plain writes it is about barriers, and those wait for flushes */
	rows[5].stage = SWBLOCK_STAGE_BARRIER;
	CHECK(swb_lat_why(rows, ARRAY_SIZE(rows), 1, 9900, &why));
	CHECK_EQ(why.total, SWBLOCK_STAGE_BARRIER);
	CHECK_EQ(why.stage, SWBLOCK_STAGE_FLUSH);
}

TEST(test_lat_why_nothing, "no completed write: nothing to explain; no stage: the member alone")
{
	struct swb_lat_row rows[] = {
		row_of(SWBLOCK_STAGE_PERSIST, SWB_LAT_NOBODY, MS, 3),
		row_of(SWBLOCK_STAGE_COMPLETE, SWB_LAT_NOBODY, MS, 1),
	};
	struct swb_lat_why why;

	CHECK(!swb_lat_why(rows, 1, 0, 9900, &why));
	CHECK_EQ(why.stage, 0);
	/* released by a decision, as after a lease that came late */
	CHECK(swb_lat_why(rows, 2, 0, 9900, &why));
	CHECK_EQ(why.member, SWB_LAT_NOBODY);
	CHECK_EQ(why.held, 1);
	CHECK_EQ(why.stage, 0);
}
