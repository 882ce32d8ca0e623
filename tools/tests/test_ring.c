// SPDX-License-Identifier: GPL-2.0-only
/* Ring arithmetic against a map with one owner per unit. */
#include "harness.h"
#include "ring.h"

#define UNITS 96
#define UNIT 512

struct model {
	uint32_t owner[UNITS];		/* group number, 0 = free */
	struct {
		u64 pos, len, gap;
	} group[1 << 16];
	uint32_t first, next;		/* live groups: [first, next) */
};

static struct model m;

static void ring_reset(struct swb_ring *r, u64 pos)
{
	memset(&m, 0, sizeof(m));
	m.first = 1;
	m.next = 1;
	memset(r, 0, sizeof(*r));
	r->bytes = UNITS * UNIT;
	r->unit = UNIT;
	r->write_pos = pos;
	r->tail_pos = pos;
	r->seq = 1;
}

static uint32_t model_free(void)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < UNITS; i++)
		n += !m.owner[i];
	return n;
}

static void model_own(u64 pos, u64 len, uint32_t id)
{
	for (u64 b = pos / UNIT; b < (pos + len) / UNIT; b++) {
		CHECK(!m.owner[b] || !id);
		m.owner[b] = id;
	}
}

static void model_append(struct swb_ring *r, u64 len)
{
	u64 pos, gap;
	bool ok = swb_ring_place(r, len, &pos, &gap);

	if (!ok) {
		/* refused only if it would not leave one unit free */
		u64 end = r->bytes - r->write_pos;
		u64 need = len > end ? len + end : len;

		CHECK(need / UNIT + 1 > model_free());
		return;
	}
	CHECK(pos + len <= r->bytes);
	CHECK(pos == r->write_pos || (pos == 0 && gap));
	CHECK_EQ(gap, pos == r->write_pos ? 0 : r->bytes - r->write_pos);
	model_own(r->bytes - gap, gap, m.next);
	model_own(pos, len, m.next);
	m.group[m.next].pos = pos;
	m.group[m.next].len = len;
	m.group[m.next].gap = gap;
	m.next++;
	swb_ring_take(r, pos, len, gap, m.next * 7);
	CHECK_EQ(r->prev_crc, m.next * 7);
	CHECK(model_free() >= 1);
}

static void model_release(struct swb_ring *r)
{
	uint32_t g = m.first;
	u64 len, gap, tail;

	if (m.first == m.next)
		return;
	len = m.group[g].len;
	gap = m.group[g].gap;
	model_own(r->bytes - gap, gap, 0);
	model_own(m.group[g].pos, len, 0);
	m.first++;
	tail = m.first == m.next ? r->write_pos : m.group[m.first].pos;
	/* the gap before the next group goes with the group itself */
	if (m.first != m.next && m.group[m.first].gap)
		tail = r->bytes - m.group[m.first].gap;
	swb_ring_release(r, tail, len + gap);
}

TEST(test_ring_random_against_map, "no group overlaps another or straddles "
	"the end, and one unit stays free")
{
	struct swb_ring r;

	for (u64 start = 0; start < UNITS; start += 5) {
		ring_reset(&r, start * UNIT);
		for (int i = 0; i < 4000; i++) {
			if (rnd_below(100) < 55)
				model_append(&r, (1 + rnd_below(20)) * UNIT);
			else
				model_release(&r);
			CHECK_EQ(r.used, (UNITS - model_free()) * UNIT);
			CHECK_EQ(r.seq, m.next);
		}
	}
}

TEST(test_ring_exact_end, "a group that ends at the ring's end leaves no gap")
{
	struct swb_ring r;
	u64 pos, gap;

	ring_reset(&r, (UNITS - 4) * UNIT);
	CHECK(swb_ring_place(&r, 4 * UNIT, &pos, &gap));
	CHECK_EQ(pos, (UNITS - 4) * UNIT);
	CHECK_EQ(gap, 0);
	swb_ring_take(&r, pos, 4 * UNIT, gap, 1);
	CHECK_EQ(r.write_pos, 0);
}

TEST(test_ring_wrap_counts_gap, "the skipped end counts as used until released")
{
	struct swb_ring r;
	u64 pos, gap;

	ring_reset(&r, (UNITS - 3) * UNIT);
	CHECK(swb_ring_place(&r, 4 * UNIT, &pos, &gap));
	CHECK_EQ(pos, 0);
	CHECK_EQ(gap, 3 * UNIT);
	swb_ring_take(&r, pos, 4 * UNIT, gap, 1);
	CHECK_EQ(r.used, 7 * UNIT);
	swb_ring_release(&r, 4 * UNIT, 7 * UNIT);
	CHECK_EQ(r.used, 0);
	CHECK_EQ(r.tail_pos, r.write_pos);
}

TEST(test_ring_never_full, "a group as large as the ring never fits")
{
	struct swb_ring r;
	u64 pos, gap;

	ring_reset(&r, 0);
	CHECK(!swb_ring_place(&r, UNITS * UNIT, &pos, &gap));
	CHECK(swb_ring_place(&r, (UNITS - 1) * UNIT, &pos, &gap));
	CHECK(!swb_ring_place(&r, ~(u64)0 - 511, &pos, &gap));
}

TEST(test_ring_group_bytes, "header and payload are rounded up to the unit")
{
	struct swb_ring r = { .unit = 512 };

	CHECK_EQ(swb_ring_header_bytes(&r, 1), 512);
	CHECK_EQ(swb_ring_header_bytes(&r, 18), 512);	/* 80 + 18 * 24 = 512 */
	CHECK_EQ(swb_ring_header_bytes(&r, 19), 1024);
	CHECK_EQ(swb_ring_header_bytes(&r, SWB_GROUP_RECS_MAX), 3584);
	CHECK_EQ(swb_ring_group_bytes(&r, 1, 1), 1024);
	CHECK_EQ(swb_ring_group_bytes(&r, 1, 512), 1024);
	r.unit = 4096;
	CHECK_EQ(swb_ring_header_bytes(&r, SWB_GROUP_RECS_MAX), 4096);
	CHECK_EQ(swb_ring_group_bytes(&r, 3, 512), 8192);
}
