// SPDX-License-Identifier: GPL-2.0-only
/* Delta and rebuild, step by step: source, target, bitmap, budgets. */
#include "resync.h"
#include "rig.h"
#include "step.h"

static struct rig r;
static struct swb_config set;

/* primary of {self, B, C}, history of 20 trimmed to 12; @required of the others */
static void source(u8 mode, u32 required)
{
	set = config_of(mode, SWBLOCK_POLICY_RECEIVED, 3);
	set.required = required;
	rig_init(&r, 0, 20);
	rig_promote(&r, 2, &set);		/* opens at 21 */
	rig_written(&r, 21);
	rig_flushed(&r, 21);
	STEP(&r, .type = SWB_EV_CHECKPOINTED, .lsn = 14, .lsn2 = 13);
}

static void order_rebuild(u8 peer)
{
	STEP(&r, .type = SWB_EV_REBUILD_ORDERED, .peer = peer);
}

/* B comes with a log up to 8 */
static void facts_of_b(u64 end)
{
	struct swb_facts f = facts_like(&r, 1, end);

	rig_link(&r, 1);
	CHECK(order_to(&r, 1, SWB_ACT_SEND_OPEN));
	rig_facts(&r, 1, &f);
}

static void ack_base(u64 received, u64 durable, u64 base)
{
	STEP(&r, .type = SWB_EV_PEER_ACKED, .peer = 1, .epoch = r.c.d.epoch,
	     .session = r.c.peer[1].session, .u.ack.received = received,
	     .u.ack.written = received, .u.ack.durable = durable,
	     .u.ack.base = base);
}

static void base_sent(u64 lsn)
{
	STEP(&r, .type = SWB_EV_BASE_SENT, .peer = 1, .lsn = lsn,
	     .session = r.c.peer[1].session);
}

TEST(test_copy_needs_an_order, "without an order a trimmed history says "
	"needs_rebuild; with one the next link starts it")
{
	source(SWBLOCK_MODE_BEST_EFFORT, 0);
	r.c.d.bitmap_lsn = 14;
	r.c.d.bitmap_epoch = 1;
	facts_of_b(8);
	CHECK_EQ(r.c.peer[1].state, SWBLOCK_PEER_NEEDS_REBUILD);
	CHECK_EQ(r.c.peer[1].letter, 'M');
	rig_link(&r, 1);
	CHECK_EQ(order_to(&r, 1, SWB_ACT_SEND_CLOSE)->a, SWBLOCK_REASON_NEEDS_REBUILD);
	order_rebuild(1);
	CHECK_EQ(r.c.peer[1].state, SWBLOCK_PEER_DETACHED);
	facts_of_b(8);
	CHECK_EQ(r.c.peer[1].state, SWBLOCK_PEER_REBUILDING);
	CHECK_EQ(order_to(&r, 1, SWB_ACT_SEND_START)->a, 15);
	CHECK_EQ(order_to(&r, 1, SWB_ACT_SEND_START)->b, 0);
	CHECK_EQ(order_to(&r, 1, SWB_ACT_SEND_START)->d, SWB_START_REBUILD);
	CHECK(r.c.conditions & SWBLOCK_COND_REBUILDING);
	CHECK(!order_to(&r, 1, SWB_ACT_BASE_START));
}

TEST(test_copy_delta_by_bitmap, "letter L starts a delta from m, streaming "
	"above the source's extent_lo")
{
	source(SWBLOCK_MODE_BEST_EFFORT, 0);
	order_rebuild(1);
	facts_of_b(8);
	CHECK_EQ(r.c.peer[1].letter, 'L');
	CHECK_EQ(order_to(&r, 1, SWB_ACT_SEND_START)->a, 15);
	CHECK_EQ(order_to(&r, 1, SWB_ACT_SEND_START)->b, 8);
	CHECK_EQ(order_to(&r, 1, SWB_ACT_SEND_START)->d, SWB_START_DELTA);
	CHECK_EQ(swb_core_trim_limit(&r.c, false), 14);
	CHECK_EQ(swb_core_trim_limit(&r.c, true), 14);
}

TEST(test_copy_auto, "what the tunable allows needs no order; what it does not "
	"allow does")
{
	source(SWBLOCK_MODE_BEST_EFFORT, 0);
	r.c.tune.rebuild_auto = SWB_AUTO_DELTA;
	facts_of_b(8);
	CHECK_EQ(r.c.peer[1].state, SWBLOCK_PEER_REBUILDING);
	source(SWBLOCK_MODE_BEST_EFFORT, 0);
	r.c.tune.rebuild_auto = SWB_AUTO_DELTA;
	r.c.d.bitmap_lsn = 14;
	r.c.d.bitmap_epoch = 1;
	facts_of_b(8);
	CHECK_EQ(r.c.peer[1].state, SWBLOCK_PEER_NEEDS_REBUILD);
	r.c.tune.rebuild_auto = SWB_AUTO_REBUILD;
	facts_of_b(8);
	CHECK_EQ(r.c.peer[1].state, SWBLOCK_PEER_REBUILDING);
}

TEST(test_copy_of_required_refused, "a member that sync_all waits for is not "
	"rebuilt, ordered or not (P10 vii)")
{
	source(SWBLOCK_MODE_SYNC_ALL, 3);
	CHECK_EQ(swb_core_rebuild_allowed(&r.c, 1), SWBLOCK_REASON_REQUIRED);
	CHECK_EQ(swb_core_rebuild_allowed(&r.c, 2), SWBLOCK_REASON_NONE);
	CHECK_EQ(swb_core_rebuild_allowed(&r.c, 0), SWBLOCK_REASON_FOREIGN_REPLICA);
	CHECK_EQ(swb_core_rebuild_allowed(&r.c, 9), SWBLOCK_REASON_FOREIGN_REPLICA);
	order_rebuild(1);
	CHECK_EQ(r.c.refused[SWBLOCK_REASON_REQUIRED], 1);
	r.c.tune.rebuild_auto = SWB_AUTO_REBUILD;
	facts_of_b(8);
	CHECK_EQ(r.c.peer[1].state, SWBLOCK_PEER_NEEDS_REBUILD);
	source(SWBLOCK_MODE_SYNC_QUORUM, 0);
	CHECK_EQ(swb_core_rebuild_allowed(&r.c, 1), SWBLOCK_REASON_NONE);
}

TEST(test_copy_of_failed_disk_refused, "a latched disk is no target: case D, "
	"ordered or not (P17a)")
{
	struct swb_facts f;

	source(SWBLOCK_MODE_BEST_EFFORT, 0);
	order_rebuild(1);
	rig_link(&r, 1);
	f = facts_like(&r, 1, 8);
	f.flags = SWB_FACT_DISK_FAILED;
	rig_facts(&r, 1, &f);
	CHECK_EQ(r.c.peer[1].letter, 'D');
	CHECK_EQ(r.c.peer[1].reason, SWBLOCK_REASON_DISK_FAILED);
	CHECK_EQ(r.c.peer[1].state, SWBLOCK_PEER_NEEDS_REBUILD);
}

TEST(test_copy_acks_count_after_done, "acks of a copy under way move neither C "
	"nor a write nor everywhere; the ack that completes it does (P10 v)")
{
	source(SWBLOCK_MODE_SYNC_QUORUM, 0);
	rig_match(&r, 2, 20);
	order_rebuild(1);
	facts_of_b(8);
	rig_ship(&r, 1);
	ack_base(14, 14, 0);
	CHECK_EQ(order_to(&r, 1, SWB_ACT_BASE_START)->a, r.c.peer[1].session);
	CHECK_EQ(order_to(&r, 1, SWB_ACT_BASE_START)->b, SWB_START_DELTA);
	CHECK_EQ(swb_core_base_session(&r.c, 1), r.c.peer[1].session);
	CHECK_EQ(swb_core_base_session(&r.c, 2), 0);
	ack_base(21, 21, 4096);
	CHECK(!order_to(&r, 1, SWB_ACT_BASE_START));
	CHECK(r.c.log.committed < 21);
	CHECK(!order(&r, SWB_ACT_COMPLETE_WRITES));
	CHECK_EQ(swb_core_everywhere(&r.c), 0);
	base_sent(14);
	CHECK_EQ(swb_core_base_session(&r.c, 1), 0);
	ack_base(21, 21, SWB_WIRE_BASE_DONE);
	CHECK_EQ(r.c.peer[1].state, SWBLOCK_PEER_IN_SYNC);
	CHECK_EQ(r.c.log.committed, 21);
	CHECK(!r.c.peer[1].rebuild_ordered);
	ack_base(21, 21, SWB_WIRE_BASE_DONE);
	CHECK(r.c.peer[1].matched);
}

TEST(test_copy_keeps_a_majority_whole, "in sync_quorum a copy is given up only "
	"while a majority is known to be whole without it")
{
	struct swb_facts f;

	source(SWBLOCK_MODE_SYNC_QUORUM, 0);
	r.c.peer[2].whole = false;		/* its report was void, or missing */
	order_rebuild(1);
	facts_of_b(8);
	CHECK_EQ(r.c.peer[1].state, SWBLOCK_PEER_NEEDS_REBUILD);
	rig_link(&r, 1);
	CHECK(order_to(&r, 1, SWB_ACT_SEND_CLOSE));
	rig_match(&r, 2, 20);
	order_rebuild(1);
	facts_of_b(8);
	CHECK_EQ(r.c.peer[1].state, SWBLOCK_PEER_REBUILDING);
	CHECK(!r.c.peer[1].whole);
	source(SWBLOCK_MODE_SYNC_QUORUM, 0);
	r.c.peer[2].whole = false;
	order_rebuild(1);
	rig_link(&r, 1);
	f = facts_like(&r, 1, 8);
	f.flags = SWB_FACT_INCONSISTENT;	/* it is void already */
	rig_facts(&r, 1, &f);
	CHECK_EQ(r.c.peer[1].state, SWBLOCK_PEER_REBUILDING);
}

TEST(test_copy_done_too_early, "a peer that says done before the base lane is "
	"sent, or without all of it durable, is refused")
{
	source(SWBLOCK_MODE_BEST_EFFORT, 0);
	order_rebuild(1);
	facts_of_b(8);
	rig_ship(&r, 1);
	ack_base(14, 14, SWB_WIRE_BASE_DONE);
	CHECK_EQ(order_to(&r, 1, SWB_ACT_SEND_CLOSE)->a, SWBLOCK_REASON_ACK_BEYOND);
	CHECK(!r.c.peer[1].void_copy);
	CHECK_EQ(r.c.peer[1].durable, 0);
	facts_of_b(8);
	rig_ship(&r, 1);
	ack_base(14, 14, 0);
	base_sent(16);
	ack_base(21, 15, SWB_WIRE_BASE_DONE);
	CHECK_EQ(order_to(&r, 1, SWB_ACT_SEND_CLOSE)->a, SWBLOCK_REASON_ACK_BEYOND);
	facts_of_b(8);
	rig_ship(&r, 1);
	ack_base(14, 14, 8192);
	ack_base(14, 14, 4096);
	CHECK_EQ(order_to(&r, 1, SWB_ACT_SEND_CLOSE)->a, SWBLOCK_REASON_ACK_FALLS);
	CHECK(order_to(&r, 1, SWB_ACT_BASE_STOP));
}

TEST(test_copy_link_lost, "a link that ends stops the base lane, nothing of it "
	"counts, and the order stands")
{
	source(SWBLOCK_MODE_SYNC_QUORUM, 0);
	rig_match(&r, 2, 20);
	order_rebuild(1);
	facts_of_b(8);
	rig_ship(&r, 1);
	ack_base(21, 21, 4096);
	STEP(&r, .type = SWB_EV_LINK_LOST, .peer = 1,
	     .reason = SWBLOCK_REASON_SOCKET_ERROR);
	CHECK(order_to(&r, 1, SWB_ACT_BASE_STOP));
	CHECK_EQ(r.c.peer[1].state, SWBLOCK_PEER_DETACHED);
	CHECK(r.c.log.committed < 21);
	CHECK_EQ(swb_core_everywhere(&r.c), 0);
	base_sent(21);
	facts_of_b(8);
	CHECK_EQ(r.c.peer[1].state, SWBLOCK_PEER_REBUILDING);
	CHECK(!r.c.peer[1].base_sent);
}

TEST(test_copy_budgets, "bytes of history and time without progress end a "
	"rebuild, and its order with it (I-058)")
{
	source(SWBLOCK_MODE_BEST_EFFORT, 0);
	order_rebuild(1);
	facts_of_b(8);
	rig_ship(&r, 1);
	ack_base(14, 14, 0);
	STEP(&r, .type = SWB_EV_TICK, .lsn = 14);
	CHECK(r.c.peer[1].matched);
	STEP(&r, .type = SWB_EV_TICK, .lsn = 15);
	CHECK_EQ(r.c.peer[1].state, SWBLOCK_PEER_NEEDS_REBUILD);
	CHECK_EQ(r.c.peer[1].reason, SWBLOCK_REASON_BUDGET);
	CHECK(order_to(&r, 1, SWB_ACT_BASE_STOP));
	r.c.tune.rebuild_auto = SWB_AUTO_REBUILD;
	rig_link(&r, 1);		/* not by itself, again and again */
	CHECK(order_to(&r, 1, SWB_ACT_SEND_CLOSE));
	CHECK_EQ(r.c.peer[1].reason, SWBLOCK_REASON_BUDGET);
	order_rebuild(1);
	r.c.tune.catchup_stall_ns = 500 * MSEC;
	facts_of_b(8);
	rig_ship(&r, 1);
	ack_base(14, 14, 0);
	r.now += 400 * MSEC;
	ack_base(14, 14, 4096);
	r.now += 400 * MSEC;
	STEP(&r, .type = SWB_EV_TICK);
	CHECK(r.c.peer[1].matched);
	r.now += 100 * MSEC;
	STEP(&r, .type = SWB_EV_TICK);
	CHECK_EQ(r.c.peer[1].reason, SWBLOCK_REASON_BUDGET);
}

TEST(test_copy_end_unsaid, "a target that has all it waits for, C too, and does not say "
	"that it is done, was not told of the end: the session ends, in time")
{
	source(SWBLOCK_MODE_SYNC_QUORUM, 0);
	r.c.tune.link_deadline_ns = 500 * MSEC;
	order_rebuild(1);
	facts_of_b(8);
	rig_ship(&r, 1);
	ack_base(14, 14, 0);
	base_sent(21);
	for (u32 i = 0; i < 3; i++) {	/* C is at 20: it waits for member 2 */
		r.now += 300 * MSEC;
		ack_base(21, 21, 0);
		STEP(&r, .type = SWB_EV_TICK);
	}
	CHECK(r.c.log.committed < 21);
	CHECK(r.c.peer[1].matched);
	rig_match(&r, 2, 20);
	rig_ship(&r, 2);
	rig_ack(&r, 2, 21, 21, 21);
	CHECK_EQ(r.c.log.committed, 21);
	r.now += 300 * MSEC;
	ack_base(21, 21, 0);
	rig_ack(&r, 2, 21, 21, 21);
	STEP(&r, .type = SWB_EV_TICK);
	CHECK(r.c.peer[1].matched);
	r.now += 300 * MSEC;
	ack_base(21, 21, 0);
	rig_ack(&r, 2, 21, 21, 21);
	STEP(&r, .type = SWB_EV_TICK);
	CHECK(!r.c.peer[1].matched);
	CHECK_EQ(r.c.peer[1].reason, SWBLOCK_REASON_TIMEOUT);
	CHECK(r.c.peer[2].matched);
}

TEST(test_copy_budget_spares_who_waits, "a required peer has no budget, and "
	"what waits for others is not stalled")
{
	source(SWBLOCK_MODE_SYNC_ALL, 3);
	r.c.tune.catchup_stall_ns = 100 * MSEC;
	rig_match(&r, 1, 13);
	r.now += 200 * MSEC;
	STEP(&r, .type = SWB_EV_TICK, .lsn = 18);
	CHECK(r.c.peer[1].matched);
	source(SWBLOCK_MODE_SYNC_ALL, 5);
	r.c.tune.catchup_stall_ns = 100 * MSEC;
	rig_match(&r, 1, 13);
	rig_ack(&r, 1, 21, 21, 21);
	CHECK_EQ(r.c.peer[1].state, SWBLOCK_PEER_CATCHING_UP);
	r.now += 200 * MSEC;
	STEP(&r, .type = SWB_EV_TICK, .lsn = 20);
	CHECK(r.c.peer[1].matched);	/* C waits for member 2 */
	rig_match(&r, 1, 13);
	r.now += 200 * MSEC;
	STEP(&r, .type = SWB_EV_TICK);
	CHECK_EQ(r.c.peer[1].reason, SWBLOCK_REASON_BUDGET);
}

/* ---- bitmap ------------------------------------------------------------- */

TEST(test_copy_bitmap_base, "the base follows write-back while every member is "
	"durable there; else bits are needed (P11)")
{
	source(SWBLOCK_MODE_BEST_EFFORT, 0);
	CHECK_EQ(swb_core_everywhere(&r.c), 0);
	CHECK(!swb_core_bitmap_raise(&r.c, 16));
	CHECK_EQ(r.c.d.bitmap_lsn, 0);
	rig_match(&r, 1, 16);
	rig_ack(&r, 1, 16, 16, 16);
	CHECK_EQ(swb_core_everywhere(&r.c), 0);	/* not a word of member 2 */
	rig_match(&r, 2, 20);
	rig_ack(&r, 2, 20, 20, 20);
	CHECK_EQ(swb_core_everywhere(&r.c), 16);
	CHECK(!swb_core_bitmap_raise(&r.c, 17));
	CHECK(swb_core_bitmap_raise(&r.c, 16));
	CHECK_EQ(r.c.d.bitmap_lsn, 16);
	CHECK_EQ(r.c.d.bitmap_epoch, 1);
	CHECK(swb_core_bitmap_raise(&r.c, 15));
	CHECK_EQ(r.c.d.bitmap_lsn, 16);
}

/* ---- target --------------------------------------------------------------- */

/* replica 1 with a log of 8; the primary's extent_lo was 12 when it opened */
static void target(void)
{
	set = config_of(SWBLOCK_MODE_SYNC_QUORUM, SWBLOCK_POLICY_WRITTEN, 3);
	rig_init(&r, 1, 8);
	r.c.d.extent_lo = 5;
	r.c.d.extent_hi = 6;
	rig_replica(&r, 3, &set);
}

static void open_by_source(u64 session)
{
	struct swb_facts f = primary_facts_of(&r, 0, 0);

	memset(&f.lineage, 0, sizeof(f.lineage));
	swb_lineage_open(&f.lineage, 1, 1, 0);
	swb_lineage_open(&f.lineage, 3, 21, 0);
	f.log_end = 25;
	f.last_epoch = 3;
	f.extent_lo = 12;
	f.extent_hi = 14;
	f.log_start = 13;
	f.bitmap_lsn = 0;
	f.bitmap_epoch = 0;
	rig_link(&r, 0);
	rig_open(&r, session, &f);
	CHECK(order(&r, SWB_ACT_SEND_FACTS));
}

static void start_by(u64 session, u64 kind, u64 from, u64 m)
{
	STEP(&r, .type = SWB_EV_PEER_STARTED, .peer = 0, .session = session,
	     .epoch = 3, .u.start.from = from, .u.start.truncate_to = m,
	     .u.start.target = 25, .u.start.kind = kind);
}

static void prepared(void)
{
	swb_core_rebuild_mark(&r.c);
	STEP(&r, .type = SWB_EV_REBUILD_PREPARED);
}

static void base_ended(u64 lsn)
{
	STEP(&r, .type = SWB_EV_PEER_BASE_ENDED, .peer = 0, .session = 7,
	     .epoch = 3, .lsn = lsn, .lsn2 = r.c.base_taken);
}

static void cleared(void)
{
	swb_core_rebuild_unmark(&r.c);
	STEP(&r, .type = SWB_EV_REBUILD_CLEARED);
}

TEST(test_copy_target_delta, "a target writes back up to m, becomes void and "
	"empty, and whole again when log and extent make a state")
{
	struct swb_ack ack;

	target();
	open_by_source(7);
	start_by(7, SWB_START_DELTA, 13, 8);
	CHECK_EQ(value(&r, SWB_ACT_REBUILD_PREPARE), SWB_START_DELTA);
	CHECK_EQ(order(&r, SWB_ACT_REBUILD_PREPARE)->b, 8);
	CHECK_EQ(order(&r, SWB_ACT_REBUILD_PREPARE)->c, 13);
	CHECK_EQ(swb_core_writeback_limit(&r.c), 8);	/* P10 iii */
	CHECK(!swb_core_ack(&r.c, 0, &ack));
	CHECK(!swb_is_void(&r.c));
	prepared();
	CHECK(swb_is_void(&r.c));
	CHECK_EQ(r.c.d.base_lsn, 8);
	CHECK_EQ(r.c.d.extent_lo, 12);
	CHECK_EQ(r.c.d.extent_hi, 12);
	CHECK_EQ(r.c.log.head, 12);
	CHECK(order(&r, SWB_ACT_SEND_ACK));
	CHECK(swb_core_ack(&r.c, 0, &ack));
	CHECK_EQ(ack.received, 12);
	CHECK_EQ(ack.base, 0);
	CHECK(report_of_rig(&r).flags & SWBLOCK_REPORT_INCONSISTENT);
	CHECK_EQ(swb_core_check_base(&r.c, 0, 7, 3, 1, 14, 0), SWBLOCK_REASON_NONE);
	CHECK(swb_core_base_raise(&r.c, 1, 14));
	CHECK(!swb_core_base_raise(&r.c, 1, 14));
	swb_core_base_took(&r.c, 0, 7, 4096);
	swb_core_ack(&r.c, 0, &ack);
	CHECK_EQ(ack.base, 4096);
	CHECK_EQ(swb_core_check_base(&r.c, 0, 7, 3, 1, 14, 0), SWBLOCK_REASON_LSN_GAP);
	CHECK_EQ(swb_core_check_base(&r.c, 0, 7, 3, 1, 14, 8192), SWBLOCK_REASON_LSN_GAP);
	CHECK_EQ(swb_core_writeback_limit(&r.c), 12);	/* not what runs ahead */
	CHECK_EQ(rig_data(&r, 7, 8, 1), SWBLOCK_REASON_NONE);	/* 13..20 */
	base_ended(13);
	CHECK(!order(&r, SWB_ACT_REBUILD_CLEAR));
	rig_written(&r, 20);
	CHECK(order(&r, SWB_ACT_FLUSH_LOG));
	rig_flushed(&r, 20);
	CHECK(!order(&r, SWB_ACT_REBUILD_CLEAR));
	rig_ping(&r, 7, 13, 0);
	CHECK(!order(&r, SWB_ACT_REBUILD_CLEAR));	/* extent_hi is 14 */
	rig_ping(&r, 7, 14, 0);
	CHECK(order(&r, SWB_ACT_REBUILD_CLEAR));
	swb_core_ack(&r.c, 0, &ack);
	CHECK(ack.base != SWB_WIRE_BASE_DONE);
	cleared();
	CHECK(!swb_is_void(&r.c));
	CHECK(order(&r, SWB_ACT_SEND_ACK));
	swb_core_ack(&r.c, 0, &ack);
	CHECK(ack.base == SWB_WIRE_BASE_DONE);
	CHECK_EQ(r.c.peer[0].state, SWBLOCK_PEER_CATCHING_UP);
	CHECK_EQ(r.c.d.bitmap_lsn, 12);
}

TEST(test_copy_target_refuses, "a START that does not follow from the accounts, "
	"of a required member, or twice, is refused")
{
	static const struct { u64 kind, from, m; u32 reason; } bad[] = {
		{ SWB_START_DELTA, 12, 8, SWBLOCK_REASON_LSN_GAP },
		{ SWB_START_DELTA, 13, 7, SWBLOCK_REASON_LSN_GAP },
		{ SWB_START_REBUILD, 13, 8, SWBLOCK_REASON_LSN_GAP },
		{ 3, 13, 8, SWBLOCK_REASON_BAD_TYPE },
	};

	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		target();
		open_by_source(7);
		start_by(7, bad[i].kind, bad[i].from, bad[i].m);
		CHECK_EQ(order_to(&r, 0, SWB_ACT_SEND_CLOSE)->a, bad[i].reason);
		CHECK(!order(&r, SWB_ACT_REBUILD_PREPARE));
	}
	target();
	r.c.config.mode = SWBLOCK_MODE_SYNC_ALL;
	open_by_source(7);
	start_by(7, SWB_START_REBUILD, 13, 0);
	CHECK_EQ(order_to(&r, 0, SWB_ACT_SEND_CLOSE)->a, SWBLOCK_REASON_REQUIRED);
	target();
	open_by_source(7);
	start_by(7, SWB_START_REBUILD, 13, 0);
	CHECK(order(&r, SWB_ACT_REBUILD_PREPARE));
	start_by(7, SWB_START_REBUILD, 13, 0);
	CHECK(!order(&r, SWB_ACT_REBUILD_PREPARE));
	STEP(&r, .type = SWB_EV_LINKED, .peer = 0);
	CHECK_EQ(r.c.rebuild, SWB_REBUILD_PREPARING);
}

TEST(test_copy_target_interrupted, "after a lost link a void member keeps its m "
	"and its extent_hi, and a later delta begins there (P10 vi)")
{
	struct swb_facts f;

	target();
	open_by_source(7);
	start_by(7, SWB_START_DELTA, 13, 8);
	prepared();
	CHECK(swb_core_base_raise(&r.c, 3, 22));
	rig_data(&r, 7, 4, 1);
	STEP(&r, .type = SWB_EV_LINK_LOST, .peer = 0,
	     .reason = SWBLOCK_REASON_SOCKET_ERROR);
	CHECK_EQ(swb_core_writeback_limit(&r.c), 12);
	swb_core_own_facts(&r.c, 0, &f);
	CHECK_EQ(f.flags, SWB_FACT_INCONSISTENT | SWB_FACT_DELTA);
	CHECK_EQ(f.base_lsn, 8);
	CHECK_EQ(f.extent_hi, 22);
	CHECK_EQ(f.extent_hi_epoch, 3);
	open_by_source(8);
	start_by(8, SWB_START_DELTA, 17, 8);
	CHECK(order(&r, SWB_ACT_REBUILD_PREPARE));
	CHECK_EQ(swb_core_writeback_limit(&r.c), 12);	/* nothing of its own */
	prepared();
	CHECK_EQ(r.c.d.extent_lo, 16);
	CHECK_EQ(r.c.d.extent_hi, 22);
	CHECK_EQ(r.c.d.extent_hi_epoch, 3);
	CHECK_EQ(r.c.log.head, 16);
	CHECK_EQ(r.c.log.committed, 16);
}

TEST(test_copy_target_adopts, "an adoption waits for the mark to be set or "
	"cleared, and reports what is then on the disk (P6, P7)")
{
	target();
	open_by_source(7);
	start_by(7, SWB_START_REBUILD, 13, 0);
	rig_order_adopt(&r, 4);
	CHECK(!order(&r, SWB_ACT_SAVE_SUPER));
	prepared();
	CHECK(order(&r, SWB_ACT_SAVE_SUPER));
	CHECK(!order(&r, SWB_ACT_SEND_ACK));
	rig_saved(&r);
	CHECK(report_of_rig(&r).flags & SWBLOCK_REPORT_INCONSISTENT);
	CHECK_EQ(r.c.rebuild, SWB_REBUILD_IDLE);

	target();
	open_by_source(7);
	start_by(7, SWB_START_REBUILD, 13, 0);
	prepared();
	base_ended(12);
	CHECK(order(&r, SWB_ACT_REBUILD_CLEAR));
	rig_order_adopt(&r, 4);
	CHECK(!order(&r, SWB_ACT_SAVE_SUPER));
	cleared();
	CHECK(order(&r, SWB_ACT_SAVE_SUPER));
	rig_saved(&r);
	CHECK(!(report_of_rig(&r).flags & SWBLOCK_REPORT_INCONSISTENT));
}

TEST(test_copy_base_refused, "a base block of another session, epoch, branch or "
	"moment is refused")
{
	target();
	CHECK_EQ(swb_core_check_base(&r.c, 0, 7, 3, 1, 14, 0), SWBLOCK_REASON_STALE_SESSION);
	open_by_source(7);
	start_by(7, SWB_START_REBUILD, 13, 0);
	CHECK_EQ(swb_core_check_base(&r.c, 0, 7, 3, 1, 14, 0), SWBLOCK_REASON_STALE_SESSION);
	prepared();
	CHECK_EQ(swb_core_check_base(&r.c, 0, 7, 3, 1, 14, 0), SWBLOCK_REASON_NONE);
	CHECK_EQ(swb_core_check_base(&r.c, 0, 8, 3, 1, 14, 0), SWBLOCK_REASON_STALE_SESSION);
	CHECK_EQ(swb_core_check_base(&r.c, 2, 7, 3, 1, 14, 0), SWBLOCK_REASON_NO_ROLE);
	CHECK_EQ(swb_core_check_base(&r.c, 0, 7, 2, 1, 14, 0), SWBLOCK_REASON_STALE_EPOCH);
	CHECK_EQ(swb_core_check_base(&r.c, 0, 7, 4, 1, 14, 0), SWBLOCK_REASON_NEWER_EPOCH);
	CHECK_EQ(swb_core_check_base(&r.c, 0, 7, 3, 2, 14, 0), SWBLOCK_REASON_EPOCH_FALLS);
	CHECK_EQ(swb_core_check_base(&r.c, 0, 7, 3, 1, 11, 0), SWBLOCK_REASON_LSN_GAP);
	base_ended(12);
	CHECK_EQ(swb_core_check_base(&r.c, 0, 7, 3, 1, 14, 0), SWBLOCK_REASON_BAD_TYPE);
	STEP(&r, .type = SWB_EV_DISK_FAILED);
	CHECK(swb_core_check_base(&r.c, 0, 7, 3, 1, 14, 0) != SWBLOCK_REASON_NONE);
}
