// SPDX-License-Identifier: GPL-2.0-only
/*
 * The index of the log (kmod/dirty.c, compiled here as it is on a plain search
 * tree) against a model: one LSN and one payload offset for each sector.
 */
#include "harness.h"
#include "port.h"
#include "../../kmod/dirty.h"
#include "../../kmod/dirty.c"

#define SECTORS		64
#define RECORDS_MAX	24

struct model {
	u64 lsn[SECTORS];
	u32 off[SECTORS];
	bool zeroes[SECTORS];
};

static void model_insert(struct model *m, u64 start, u64 end, u64 lsn, u32 off,
			 bool zeroes)
{
	for (u64 s = start; s < end; s++) {
		if (m->lsn[s] >= lsn)
			continue;
		m->lsn[s] = lsn;
		m->off[s] = off + (u32)(s - start) * 512;
		m->zeroes[s] = zeroes;
	}
}

static void model_retire(struct model *m, u64 start, u64 end, u64 lsn)
{
	for (u64 s = start; s < end; s++)
		if (m->lsn[s] <= lsn)
			m->lsn[s] = 0;
}

/* Same answers, disjoint and sorted ranges, neighbours of a record in one piece. */
static void check_same(struct swb_dirty *d, const struct model *m)
{
	struct swb_range *r, *next;
	u32 count = 0;

	for (u64 s = 0; s < SECTORS; s++) {
		r = swb_dirty_find(d, s);
		if (!m->lsn[s]) {
			CHECK(!r || r->start > s);
			continue;
		}
		CHECK(r && r->start <= s && s < r->end);
		if (!r || r->start > s)
			return;
		CHECK_EQ(r->lsn, m->lsn[s]);
		CHECK_EQ(r->zeroes, m->zeroes[s]);
		CHECK_EQ(payload_at(r->payload_off, r->start, s), m->off[s]);
	}
	for (r = swb_dirty_find(d, 0); r; r = next, count++) {
		next = swb_dirty_next(r);
		CHECK(r->start < r->end);
		CHECK(!next || r->end <= next->start);
		CHECK(!next || r->end < next->start || r->lsn != next->lsn);
	}
	CHECK_EQ(count, d->count);
	CHECK(count == 0 || count <= 2 * d->records - 1);
}

static void random_insert(struct swb_dirty *d, struct model *m, u64 lsn)
{
	u64 start = rnd_below(SECTORS), end = start + 1 + rnd_below(SECTORS - start);
	u32 off = (u32)rnd_below(1000) * 512;
	bool zeroes = !rnd_below(4);

	if (end - start > 8 && rnd_below(2))
		end = start + 1 + rnd_below(8);
	swb_dirty_insert(d, start, end, lsn, off, zeroes);
	model_insert(m, start, end, lsn, off, zeroes);
	check_same(d, m);
}

TEST(dirty_newest_record_wins_in_any_order, "inserting records in any order "
	"gives each sector its newest record")
{
	struct swb_dirty d;
	u64 lsns[RECORDS_MAX];

	CHECK_EQ(swb_dirty_create(&d, RECORDS_MAX), 0);
	for (int round = 0; round < 2000; round++) {
		struct model m = {};

		for (u64 i = 0; i < RECORDS_MAX; i++) {
			u64 j = rnd_below(i + 1);

			lsns[i] = lsns[j];
			lsns[j] = i + 1;
		}
		for (u64 i = 0; i < RECORDS_MAX; i++)
			random_insert(&d, &m, lsns[i]);
		CHECK_EQ(d.records, RECORDS_MAX);
		swb_dirty_clear(&d);
	}
	swb_dirty_destroy(&d);
}

TEST(dirty_nodes_suffice_for_the_worst_case, "R records inside one large "
	"one make 2R - 1 ranges, and all nodes are used")
{
	struct swb_dirty d;
	struct model m = {};

	CHECK_EQ(swb_dirty_create(&d, RECORDS_MAX), 0);
	swb_dirty_insert(&d, 0, SECTORS, 1, 0, false);
	model_insert(&m, 0, SECTORS, 1, 0, false);
	for (u64 i = 1; i < RECORDS_MAX; i++) {
		swb_dirty_insert(&d, 2 * i, 2 * i + 1, 1 + i, 0, false);
		model_insert(&m, 2 * i, 2 * i + 1, 1 + i, 0, false);
	}
	check_same(&d, &m);
	CHECK_EQ(d.count, 2 * RECORDS_MAX - 1);
	swb_dirty_destroy(&d);
}

TEST(dirty_retire_as_the_flusher_does, "what a batch has written leaves the "
	"index, what is newer stays, for ever")
{
	struct swb_dirty d, batch;
	struct model m = {}, in_batch;
	u64 lsn = 0, lo = 0;
	struct { u64 start, end; u32 off; } log[4096];

	CHECK_EQ(swb_dirty_create(&d, RECORDS_MAX), 0);
	CHECK_EQ(swb_dirty_create(&batch, RECORDS_MAX), 0);
	while (lsn < 4000) {
		u64 hi;

		while (d.records < RECORDS_MAX && rnd_below(8)) {
			u64 start = rnd_below(SECTORS - 8);

			lsn++;
			log[lsn].start = start;
			log[lsn].end = start + 1 + rnd_below(8);
			log[lsn].off = (u32)rnd_below(100) * 512;
			swb_dirty_insert(&d, start, log[lsn].end, lsn,
					 log[lsn].off, false);
			model_insert(&m, start, log[lsn].end, lsn, log[lsn].off,
				     false);
		}
		hi = lo + rnd_below(lsn - lo + 1);
		memset(&in_batch, 0, sizeof(in_batch));
		for (u64 i = lo + 1; i <= hi; i++)
			swb_dirty_insert(&batch, log[i].start, log[i].end, i,
					 log[i].off, false);
		for (struct swb_range *r = swb_dirty_find(&batch, 0); r;
		     r = swb_dirty_next(r)) {
			swb_dirty_retire(&d, r->start, r->end, hi);
			model_retire(&m, r->start, r->end, hi);
		}
		swb_dirty_retired(&d, (u32)(hi - lo));
		swb_dirty_clear(&batch);
		lo = hi;
		check_same(&d, &m);
		for (u64 s = 0; s < SECTORS; s++)
			CHECK(!m.lsn[s] || m.lsn[s] > lo);
	}
	swb_dirty_destroy(&batch);
	swb_dirty_destroy(&d);
}

TEST(dirty_grow_keeps_everything, "a larger index gives the same answers")
{
	struct swb_dirty d;
	struct model m = {};

	CHECK_EQ(swb_dirty_create(&d, 4), 0);
	for (u64 lsn = 1; lsn <= 40; lsn++) {
		if (d.records == d.records_max)
			CHECK_EQ(swb_dirty_grow(&d), 0);
		check_same(&d, &m);
		random_insert(&d, &m, lsn);
	}
	CHECK_EQ(d.records_max, 64);
	swb_dirty_destroy(&d);
}
