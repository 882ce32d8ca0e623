// SPDX-License-Identifier: GPL-2.0-only
/* The peer recovery table, complete; and the facts it is made of. */
#include "harness.h"
#include "lineage.h"
#include "resync.h"
#include "../../kmod/format/wire.h"

/* docs/design/state-model.md section 4, written a second time */
static u8 expected(const struct swb_resync_facts *f)
{
	if (!f->same_volume)
		return 'A';
	if (!f->known_replica)
		return 'B';
	if (!f->same_store)
		return 'C';
	if (f->peer_epoch_newer)
		return 'E';
	if (f->peer_epoch_older)
		return 'N';
	if (f->peer_failed)
		return 'D';
	if (f->peer_void)
		return f->bitmap_covers ? 'L' : 'D';
	if (f->two_openings)
		return 'F';
	if (!f->common)
		return 'G';
	if (f->peer_beyond && f->below_committed)
		return 'H';
	if (f->below_extent)
		return 'G';
	if (f->history && f->peer_beyond)
		return 'K';
	if (f->history)
		return f->at_head ? 'I' : 'J';
	return f->bitmap_covers ? 'L' : 'M';
}

static enum swb_resync_verdict verdict_of(u8 letter, bool failed)
{
	switch (letter) {
	case 'E':
		return SWB_RESYNC_STEP_DOWN;
	case 'D':
		return failed ? SWB_RESYNC_VOID : SWB_RESYNC_REBUILD;
	case 'G': case 'M':
		return SWB_RESYNC_REBUILD;
	case 'I':
		return SWB_RESYNC_IN_SYNC;
	case 'J':
		return SWB_RESYNC_CATCH_UP;
	case 'K':
		return SWB_RESYNC_TRUNCATE;
	case 'L':
		return SWB_RESYNC_DELTA;
	}
	return SWB_RESYNC_REFUSE;
}

TEST(test_resync_every_combination, "each of 2^15 combinations of facts has "
	"exactly the tabled case, and each letter occurs (I-207)")
{
	u32 seen[128] = { 0 };

	for (u32 n = 0; n < 1U << SWB_RESYNC_FACTS; n++) {
		struct swb_resync_facts f = {
			.same_volume = n & 1, .known_replica = n & 2,
			.same_store = n & 4, .peer_void = n & 8,
			.peer_epoch_newer = n & 16, .two_openings = n & 32,
			.common = n & 64, .below_extent = n & 128,
			.below_committed = n & 256, .peer_beyond = n & 512,
			.at_head = n & 1024, .history = n & 2048,
			.bitmap_covers = n & 4096, .peer_epoch_older = n & 8192,
			.peer_failed = n & 16384,
		};
		struct swb_resync_decision d;

		swb_resync_judge(&f, &d);
		CHECK_EQ(d.letter, expected(&f));
		CHECK_EQ(d.verdict, verdict_of(d.letter, f.peer_failed));
		CHECK((d.reason != SWBLOCK_REASON_NONE) ==
		      (d.letter != 'I' && d.letter != 'J' && d.letter != 'K'));
		seen[d.letter]++;
	}
	for (u8 l = 'A'; l <= 'N'; l++)
		CHECK(seen[l]);
}

static struct swb_facts own, peer;
static struct swb_resync_decision d;

/* primary: epochs 1 (1..), 3 (11..20); peer: epoch 1 (1..@end) */
static void setup(u64 end)
{
	memset(&own, 0, sizeof(own));
	own.volume.b[0] = 1;
	own.replica.b[0] = 2;
	own.peer.b[0] = 3;
	own.store.b[0] = 4;
	own.store_generation = 1;
	own.adopted = 3;
	own.log_end = 20;
	own.log_start = 1;
	own.bitmap_lsn = 20;		/* covers nobody who is behind */
	own.bitmap_epoch = 3;
	own.extent_bytes = 1 << 20;
	own.block_bytes = 512;
	swb_lineage_open(&own.lineage, 1, 1, 0);
	peer = own;
	peer.replica.b[0] = 3;
	peer.peer.b[0] = 2;
	peer.log_end = end;
	swb_lineage_open(&own.lineage, 3, 11, 0);
}

static u8 decide(void)
{
	swb_resync_decide(&own, &peer, &d);
	return d.letter;
}

TEST(test_resync_boundary_history, "R + 1 = S catches up, R + 1 = S - 1 "
	"does not (I-050)")
{
	setup(8);
	own.log_start = 9;
	CHECK_EQ(decide(), 'J');
	CHECK_EQ(d.match, 8);
	own.log_start = 10;
	CHECK_EQ(decide(), 'M');
}

TEST(test_resync_boundary_extent, "m = extent_hi truncates, m = extent_hi - "
	"1 needs a rebuild (P9)")
{
	setup(14);
	peer.extent_hi = 10;
	CHECK_EQ(decide(), 'K');
	CHECK_EQ(d.match, 10);
	peer.extent_hi = 11;
	CHECK_EQ(decide(), 'G');
	CHECK_EQ(d.reason, SWBLOCK_REASON_BELOW_EXTENT);
}

TEST(test_resync_boundary_committed, "cutting at the peer's known C is "
	"allowed, below it is refused unless an override lies above (P16)")
{
	setup(14);
	peer.committed = 10;
	CHECK_EQ(decide(), 'K');
	peer.committed = 11;
	CHECK_EQ(decide(), 'H');
	own.committed = 99;
	peer.committed = 10;
	CHECK_EQ(decide(), 'K');	/* our own C says nothing */
	peer.committed = 11;
	own.lineage.e[1].flags = SWB_LINEAGE_OVERRIDE;
	CHECK_EQ(decide(), 'K');
	setup(9);
	peer.committed = 12;		/* it was told more than it holds */
	CHECK_EQ(decide(), 'J');
}

TEST(test_resync_equal_and_ahead, "equal ends of one history are I; of two "
	"histories K")
{
	setup(20);
	peer.lineage = own.lineage;
	CHECK_EQ(decide(), 'I');
	setup(20);
	CHECK_EQ(decide(), 'K');	/* D-01: 11..20 of epoch 1 */
	CHECK_EQ(d.match, 10);
}

TEST(test_resync_fresh_peer, "an empty peer without a store catches up from "
	"LSN 1 while the ring holds it")
{
	setup(0);
	memset(&peer.lineage, 0, sizeof(peer.lineage));
	memset(&peer.store, 0, sizeof(peer.store));
	peer.store_generation = 0;
	CHECK_EQ(decide(), 'J');
	CHECK_EQ(d.match, 0);
	own.log_start = 2;
	CHECK_EQ(decide(), 'M');
}

TEST(test_resync_below_floor, "a peer that parted before the table begins "
	"needs a rebuild")
{
	setup(8);
	own.lineage.e[0].epoch = 2;
	own.lineage.e[0].first_lsn = 9;
	own.lineage.floor_lsn = 9;
	CHECK_EQ(decide(), 'G');
}

TEST(test_resync_order_of_rows, "identity is asked before epoch, epoch "
	"before data")
{
	setup(8);
	peer.flags = SWB_FACT_DISK_FAILED;
	CHECK_EQ(decide(), 'D');
	peer.adopted = 2;
	CHECK_EQ(decide(), 'N');
	peer.adopted = 4;
	CHECK_EQ(decide(), 'E');
	peer.store_generation = 2;
	CHECK_EQ(decide(), 'C');
	peer.replica.b[1] = 1;
	CHECK_EQ(decide(), 'B');
	peer.block_bytes = 4096;
	CHECK_EQ(decide(), 'A');
	CHECK_EQ(d.reason, SWBLOCK_REASON_GEOMETRY);
	peer.volume.b[1] = 1;
	CHECK_EQ(decide(), 'A');
	CHECK_EQ(d.reason, SWBLOCK_REASON_FOREIGN_VOLUME);
}

TEST(test_resync_linked_to_itself, "a member linked to itself is refused")
{
	setup(8);
	own.peer = own.replica;
	peer.replica = own.replica;
	peer.peer = own.replica;
	CHECK_EQ(decide(), 'B');
}

TEST(test_resync_same_facts_same_verdict, "equal facts give equal verdicts, "
	"any number of times (I-062)")
{
	for (int i = 0; i < 2000; i++) {
		struct swb_resync_decision again;

		setup(rnd_below(25));
		peer.extent_hi = rnd_below(12);
		peer.committed = rnd_below(12);
		own.log_start = 1 + rnd_below(20);
		decide();
		swb_resync_decide(&own, &peer, &again);
		CHECK(d.letter == again.letter && d.match == again.match);
		/* what is cut is never in the extent, nor told committed */
		if (d.verdict == SWB_RESYNC_TRUNCATE)
			CHECK(d.match >= peer.extent_hi &&
			      d.match >= peer.committed);
		/* the replica finds the same from its side: I-224 */
		if (d.verdict == SWB_RESYNC_TRUNCATE ||
		    d.verdict == SWB_RESYNC_CATCH_UP)
			CHECK_EQ(swb_resync_accept_start(&peer, &own, d.match + 1,
							 d.match), 0);
	}
}

TEST(test_resync_accept_start_refuses, "a START below extent_hi, below "
	"known C, off the match, or at a void copy is refused")
{
	setup(14);
	CHECK_EQ(swb_resync_accept_start(&peer, &own, 11, 10), SWBLOCK_REASON_NONE);
	CHECK_EQ(swb_resync_accept_start(&peer, &own, 10, 9), SWBLOCK_REASON_LSN_GAP);
	CHECK_EQ(swb_resync_accept_start(&peer, &own, 12, 11), SWBLOCK_REASON_LSN_GAP);
	CHECK_EQ(swb_resync_accept_start(&peer, &own, 11, 0), SWBLOCK_REASON_LSN_GAP);
	peer.extent_hi = 11;
	CHECK_EQ(swb_resync_accept_start(&peer, &own, 11, 10), SWBLOCK_REASON_BELOW_EXTENT);
	peer.extent_hi = 0;
	peer.committed = 11;
	CHECK_EQ(swb_resync_accept_start(&peer, &own, 11, 10),
		 SWBLOCK_REASON_BELOW_COMMITTED);
	own.lineage.e[1].flags = SWB_LINEAGE_OVERRIDE;
	CHECK_EQ(swb_resync_accept_start(&peer, &own, 11, 10), SWBLOCK_REASON_NONE);
	peer.flags = SWB_FACT_INCONSISTENT;
	CHECK_EQ(swb_resync_accept_start(&peer, &own, 11, 10), SWBLOCK_REASON_NEEDS_REBUILD);
	peer.flags = SWB_FACT_DISK_FAILED;
	CHECK_EQ(swb_resync_accept_start(&peer, &own, 11, 10), SWBLOCK_REASON_DISK_FAILED);
	setup(14);
	peer.lineage.e[0].first_lsn = 2;
	CHECK_EQ(swb_resync_accept_start(&peer, &own, 11, 10), SWBLOCK_REASON_TWO_OPENINGS);
	setup(8);
	own.lineage.e[0].epoch = 2;
	own.lineage.floor_lsn = own.lineage.e[0].first_lsn;
	CHECK_EQ(swb_resync_accept_start(&peer, &own, 9, 8), SWBLOCK_REASON_NEEDS_REBUILD);
}

/* ---- delta: letter L ---------------------------------------------------- */

/* a peer of epoch 1 up to 8; history is trimmed to 12, the bitmap begins at 5 */
static void setup_trimmed(void)
{
	setup(8);
	peer.durable = 8;
	own.log_start = 13;
	own.extent_lo = 12;
	own.extent_hi = 15;
	own.bitmap_lsn = 5;
	own.bitmap_epoch = 1;
}

TEST(test_resync_bitmap_boundaries, "a bitmap covers a peer from its base on, if "
	"the peer's extent holds nothing above m (P11)")
{
	setup_trimmed();
	CHECK_EQ(decide(), 'L');
	CHECK_EQ(d.match, 8);
	CHECK_EQ(d.verdict, SWB_RESYNC_DELTA);
	own.bitmap_lsn = 8;
	peer.extent_hi = 8;
	CHECK_EQ(decide(), 'L');
	peer.extent_hi = 9;
	CHECK_EQ(decide(), 'G');
	peer.extent_hi = 8;
	own.bitmap_lsn = 9;
	CHECK_EQ(decide(), 'M');
}

TEST(test_resync_bitmap_of_dead_branch, "a base that is not on the own lineage, "
	"above the log or folded away, covers nobody (P11)")
{
	setup_trimmed();
	own.bitmap_epoch = 2;
	CHECK_EQ(decide(), 'M');
	own.bitmap_epoch = 0;
	CHECK_EQ(decide(), 'M');
	own.bitmap_epoch = 1;
	own.bitmap_lsn = 0;
	CHECK_EQ(decide(), 'M');
	own.bitmap_epoch = 0;
	CHECK_EQ(decide(), 'L');	/* since format */
	own.bitmap_lsn = 21;
	own.bitmap_epoch = 3;
	CHECK_EQ(decide(), 'M');
}

/* a delta of that peer from m = 8, interrupted with extent_hi at 14 of epoch 3 */
static void setup_interrupted(void)
{
	setup_trimmed();
	peer.lineage = own.lineage;
	peer.log_end = 13;
	peer.flags = SWB_FACT_INCONSISTENT | SWB_FACT_DELTA;
	peer.base_lsn = 8;
	peer.extent_lo = 12;
	peer.extent_hi = 14;
	peer.extent_hi_epoch = 3;
}

TEST(test_resync_delta_interrupted, "an interrupted delta goes on from its "
	"recorded m, if its extent_hi is on the own lineage (P10 iv, vi)")
{
	setup_interrupted();
	CHECK_EQ(decide(), 'L');
	CHECK_EQ(d.match, 8);		/* never its later WAL position */
	own.bitmap_lsn = 9;
	CHECK_EQ(decide(), 'D');
	own.bitmap_lsn = 8;
	CHECK_EQ(decide(), 'L');
	peer.extent_hi_epoch = 2;
	CHECK_EQ(decide(), 'D');
	CHECK_EQ(d.verdict, SWB_RESYNC_REBUILD);
	peer.extent_hi_epoch = 3;
	peer.extent_hi = 20;
	CHECK_EQ(decide(), 'L');
	peer.extent_hi = 21;
	CHECK_EQ(decide(), 'D');
	peer.extent_hi = 14;
	peer.flags = SWB_FACT_INCONSISTENT;
	CHECK_EQ(decide(), 'D');	/* of a rebuild nothing is known */
	peer.flags |= SWB_FACT_DELTA | SWB_FACT_DISK_FAILED;
	CHECK_EQ(decide(), 'D');
	CHECK_EQ(d.verdict, SWB_RESYNC_VOID);
}

TEST(test_resync_accept_rebuild, "a START that makes this member void is refused "
	"unless it follows from both accounts")
{
	setup_trimmed();
	CHECK_EQ(swb_resync_accept_rebuild(&peer, &own, true, 13, 8), 0);
	CHECK_EQ(swb_resync_accept_rebuild(&peer, &own, true, 15, 8), 0);
	CHECK_EQ(swb_resync_accept_rebuild(&peer, &own, true, 12, 8), SWBLOCK_REASON_LSN_GAP);
	CHECK_EQ(swb_resync_accept_rebuild(&peer, &own, true, 13, 7), SWBLOCK_REASON_LSN_GAP);
	own.bitmap_lsn = 9;
	CHECK_EQ(swb_resync_accept_rebuild(&peer, &own, true, 13, 8),
		 SWBLOCK_REASON_NEEDS_REBUILD);
	CHECK_EQ(swb_resync_accept_rebuild(&peer, &own, false, 13, 0), 0);
	CHECK_EQ(swb_resync_accept_rebuild(&peer, &own, false, 13, 8), SWBLOCK_REASON_LSN_GAP);
	CHECK_EQ(swb_resync_accept_rebuild(&peer, &own, false, 12, 0), SWBLOCK_REASON_LSN_GAP);
	peer.flags = SWB_FACT_DISK_FAILED;
	CHECK_EQ(swb_resync_accept_rebuild(&peer, &own, false, 13, 0),
		 SWBLOCK_REASON_DISK_FAILED);
	setup_trimmed();
	peer.log_end = 14;
	peer.committed = 11;
	CHECK_EQ(swb_resync_accept_rebuild(&peer, &own, false, 13, 0),
		 SWBLOCK_REASON_BELOW_COMMITTED);
	own.lineage.e[1].flags = SWB_LINEAGE_OVERRIDE;
	CHECK_EQ(swb_resync_accept_rebuild(&peer, &own, false, 13, 0), 0);
	peer.lineage.e[0].first_lsn = 2;
	CHECK_EQ(swb_resync_accept_rebuild(&peer, &own, false, 13, 0),
		 SWBLOCK_REASON_TWO_OPENINGS);
	setup_interrupted();
	CHECK_EQ(swb_resync_accept_rebuild(&peer, &own, true, 13, 8), 0);
	CHECK_EQ(swb_resync_accept_rebuild(&peer, &own, true, 13, 12), SWBLOCK_REASON_LSN_GAP);
	CHECK_EQ(swb_resync_accept_rebuild(&peer, &own, false, 13, 0), 0);
}
