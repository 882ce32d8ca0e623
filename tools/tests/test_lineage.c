// SPDX-License-Identifier: GPL-2.0-only
/* Lineage against real logs: arrays of epochs, compared record by record. */
#include "harness.h"
#include "lineage.h"

#define LEN 48

struct history {
	u64 epoch[LEN + 1];	/* of record x; 0 = absent */
	u64 end;
	struct swb_lineage l;
};

static void history_append(struct history *h, u64 epoch)
{
	h->end++;
	h->epoch[h->end] = epoch;
	if (h->epoch[h->end - 1] != epoch)
		swb_lineage_open(&h->l, epoch, h->end, 0);
}

static void history_cut(struct history *h, u64 lsn)
{
	while (h->end > lsn)
		h->epoch[h->end--] = 0;
	swb_lineage_cut(&h->l, lsn);
}

static u64 common(const struct history *a, const struct history *b)
{
	u64 x = 0;

	while (x < a->end && x < b->end && a->epoch[x + 1] == b->epoch[x + 1])
		x++;
	return x;
}

/*
 * A world of logs that obeys the protocol: in each epoch one member appends at
 * its own end, others copy from it after a cut to the common prefix.
 */
static void play(struct history *h, u32 n, u32 steps)
{
	u64 epoch = 0;
	u32 primary = 0;

	memset(h, 0, n * sizeof(*h));
	for (u32 i = 0; i < steps; i++) {
		u32 k = (u32)rnd_below(n);

		if (!epoch || rnd_below(100) < 15) {
			epoch++;
			primary = k;
			if (h[k].end < LEN)
				history_append(&h[k], epoch);
		} else if (rnd_below(100) < 50) {
			if (h[primary].end < LEN && h[primary].end &&
			    h[primary].epoch[h[primary].end] == epoch)
				history_append(&h[primary], epoch);
		} else if (k != primary) {
			u64 m = common(&h[k], &h[primary]);
			u64 more = rnd_below(5);

			history_cut(&h[k], m);
			while (more-- && h[k].end < h[primary].end)
				history_append(&h[k],
					       h[primary].epoch[h[k].end + 1]);
		}
	}
}

TEST(test_lineage_match_random_histories, "the table's last common LSN is "
	"that of the logs, record by record")
{
	static struct history h[3];

	for (int round = 0; round < 4000; round++) {
		play(h, 3, 80);
		for (int i = 0; i < 3; i++) {
			CHECK(swb_lineage_valid(&h[i].l));
			for (u64 x = 1; x <= h[i].end; x++)
				CHECK_EQ(swb_lineage_epoch_at(&h[i].l, x),
					 h[i].epoch[x]);
			for (int k = 0; k < 3; k++) {
				u64 m;

				CHECK_EQ(swb_lineage_match(&h[i].l, h[i].end,
							   &h[k].l, h[k].end,
							   &m),
					 SWB_LINEAGE_MATCH);
				CHECK_EQ(m, common(&h[i], &h[k]));
			}
		}
	}
}

TEST(test_lineage_equal_lsns_diverged, "equal ends of different epochs are "
	"no match (D-01)")
{
	struct history a = { 0 }, b = { 0 };
	u64 m;

	history_append(&a, 1);
	history_append(&a, 1);
	history_append(&b, 1);
	history_append(&b, 2);
	CHECK_EQ(swb_lineage_match(&a.l, 2, &b.l, 2, &m), SWB_LINEAGE_MATCH);
	CHECK_EQ(m, 1);
}

TEST(test_lineage_two_openings, "one epoch with two first LSNs is seen, old "
	"or new (P2)")
{
	struct swb_lineage a = { 0 }, b = { 0 };
	u64 m;

	swb_lineage_open(&a, 1, 1, 0);
	swb_lineage_open(&a, 2, 5, 0);
	swb_lineage_open(&a, 3, 9, 0);
	b = a;
	CHECK_EQ(swb_lineage_match(&a, 9, &b, 9, &m), SWB_LINEAGE_MATCH);
	b.e[2].first_lsn = 8;
	CHECK_EQ(swb_lineage_match(&a, 9, &b, 9, &m), SWB_LINEAGE_TWO_OPENINGS);
	b.e[2].first_lsn = 9;
	b.e[1].first_lsn = 4;
	CHECK_EQ(swb_lineage_match(&a, 9, &b, 9, &m), SWB_LINEAGE_TWO_OPENINGS);
	CHECK_EQ(swb_lineage_match(&b, 9, &a, 9, &m), SWB_LINEAGE_TWO_OPENINGS);
}

TEST(test_lineage_folds_when_full, "the oldest entry folds into the floor, "
	"and below it nothing is said")
{
	struct swb_lineage a = { 0 }, b = { 0 };
	u64 m;

	for (u64 e = 1; e <= SWB_LINEAGE_MAX + 3; e++)
		swb_lineage_open(&a, e, e * 10 - 9, 0);
	CHECK_EQ(a.count, SWB_LINEAGE_MAX);
	CHECK_EQ(a.e[0].epoch, 4);
	CHECK_EQ(a.floor_lsn, 31);
	CHECK_EQ(swb_lineage_epoch_at(&a, 30), 0);
	CHECK_EQ(swb_lineage_epoch_at(&a, 31), 4);
	CHECK(swb_lineage_valid(&a));
	swb_lineage_open(&b, 1, 1, 0);
	swb_lineage_open(&b, 2, 11, 0);
	CHECK_EQ(swb_lineage_match(&a, 700, &b, 15, &m), SWB_LINEAGE_BELOW_FLOOR);
	CHECK_EQ(swb_lineage_match(&b, 15, &a, 700, &m), SWB_LINEAGE_BELOW_FLOOR);
	swb_lineage_open(&b, 3, 21, 0);
	swb_lineage_open(&b, 4, 31, 0);
	CHECK_EQ(swb_lineage_match(&a, 700, &b, 35, &m), SWB_LINEAGE_MATCH);
	CHECK_EQ(m, 35);
}

TEST(test_lineage_empty_log, "an empty log parts at 0, even from a folded "
	"table")
{
	struct swb_lineage a = { 0 }, none = { 0 };
	u64 m = 7;

	swb_lineage_open(&a, 9, 100, 0);
	a.floor_lsn = 100;
	CHECK_EQ(swb_lineage_match(&a, 120, &none, 0, &m), SWB_LINEAGE_MATCH);
	CHECK_EQ(m, 0);
	CHECK_EQ(swb_lineage_match(&none, 0, &none, 0, &m), SWB_LINEAGE_MATCH);
	CHECK_EQ(m, 0);
}

TEST(test_lineage_nothing_in_common, "two tables without a floor and a "
	"common epoch part at 0")
{
	struct swb_lineage a = { 0 }, b = { 0 };
	u64 m;

	swb_lineage_open(&a, 1, 1, 0);
	swb_lineage_open(&b, 2, 1, 0);
	CHECK_EQ(swb_lineage_match(&a, 5, &b, 5, &m), SWB_LINEAGE_MATCH);
	CHECK_EQ(m, 0);
}

TEST(test_lineage_override_between, "an override counts only inside the range")
{
	struct swb_lineage a = { 0 };

	swb_lineage_open(&a, 1, 1, 0);
	swb_lineage_open(&a, 2, 10, SWB_LINEAGE_OVERRIDE);
	CHECK(swb_lineage_override_between(&a, 9, 10));
	CHECK(swb_lineage_override_between(&a, 0, 99));
	CHECK(!swb_lineage_override_between(&a, 10, 99));
	CHECK(!swb_lineage_override_between(&a, 0, 9));
}

TEST(test_lineage_valid_refuses, "tables that do not ascend are refused")
{
	struct swb_lineage a = { 0 }, b;

	swb_lineage_open(&a, 1, 1, 0);
	swb_lineage_open(&a, 2, 5, 0);
	CHECK(swb_lineage_valid(&a));
	b = a; b.e[1].epoch = 1; CHECK(!swb_lineage_valid(&b));
	b = a; b.e[1].first_lsn = 1; CHECK(!swb_lineage_valid(&b));
	b = a; b.e[0].epoch = 0; CHECK(!swb_lineage_valid(&b));
	b = a; b.e[0].first_lsn = 0; CHECK(!swb_lineage_valid(&b));
	b = a; b.e[0].flags = 2; CHECK(!swb_lineage_valid(&b));
	b = a; b.count = SWB_LINEAGE_MAX + 1; CHECK(!swb_lineage_valid(&b));
	b = a; b.floor_lsn = 2; CHECK(!swb_lineage_valid(&b));
}

TEST(test_lineage_cut_drops_above, "after a cut no entry lies above it (P18)")
{
	struct swb_lineage a = { 0 };

	swb_lineage_open(&a, 1, 1, 0);
	swb_lineage_open(&a, 2, 5, 0);
	swb_lineage_open(&a, 3, 9, 0);
	swb_lineage_cut(&a, 9);
	CHECK_EQ(a.count, 3);
	swb_lineage_cut(&a, 8);
	CHECK_EQ(a.count, 2);
	swb_lineage_cut(&a, 0);
	CHECK_EQ(a.count, 0);
}
