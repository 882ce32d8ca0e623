// SPDX-License-Identifier: GPL-2.0-only
/* Progress: C, flushes, completions, write-back, conditions. */
#include "rig.h"

static struct rig r;
static struct swb_config all2, all3, quorum3, best2;

static void primary(const struct swb_config *cfg)
{
	rig_init(&r, 0, 10);
	rig_promote(&r, 2, cfg);
}

static void setup(void)
{
	all2 = config_of(SWBLOCK_MODE_SYNC_ALL, SWBLOCK_POLICY_LOCAL, 2);
	all3 = config_of(SWBLOCK_MODE_SYNC_ALL, SWBLOCK_POLICY_RECEIVED, 3);
	quorum3 = config_of(SWBLOCK_MODE_SYNC_QUORUM, SWBLOCK_POLICY_WRITTEN, 3);
	best2 = config_of(SWBLOCK_MODE_BEST_EFFORT, SWBLOCK_POLICY_RECEIVED, 2);
}

static void barrier(u64 lsn)
{
	STEP(&r, .type = SWB_EV_BARRIER_WANTED, .lsn = lsn);
}

TEST(test_progress_open_record_first, "C passes inherited records only "
	"together with the open record (I-204)")
{
	setup();
	primary(&all2);		/* 1..10 inherited, 11 is the open record */
	rig_match(&r, 1, 9);
	rig_ack(&r, 1, 10, 10, 10);
	CHECK_EQ(r.c.log.committed, 0);		/* 10 is on both, and does not count */
	rig_ack(&r, 1, 11, 11, 11);
	CHECK_EQ(r.c.log.committed, 0);
	rig_written(&r, 11);
	rig_flushed(&r, 11);
	CHECK_EQ(r.c.log.committed, 11);
}

TEST(test_progress_open_record_needs_no_client, "C reaches the open record "
	"without a client's flush")
{
	setup();
	primary(&all2);
	rig_match(&r, 1, 10);
	rig_written(&r, 11);
	CHECK(order(&r, SWB_ACT_FLUSH_LOG));
	CHECK_EQ(r.c.peer[1].flush_asked, 11);
}

TEST(test_progress_barrier_waits_for_all, "sync_all: a barrier completes "
	"when the last required member has flushed, not before (I-009)")
{
	setup();
	primary(&all3);
	rig_match(&r, 1, 10);
	rig_match(&r, 2, 10);
	rig_write(&r, 4);
	rig_ship(&r, 1);
	rig_ship(&r, 2);
	barrier(swb_core_barrier_target(&r.c));
	rig_flushed(&r, 15);
	CHECK(!order(&r, SWB_ACT_COMPLETE_BARRIERS));
	rig_ack(&r, 1, 15, 15, 15);
	CHECK(!order(&r, SWB_ACT_COMPLETE_BARRIERS));
	rig_ack(&r, 2, 15, 15, 14);
	CHECK(r.c.log.committed == 14);
	rig_ack(&r, 2, 15, 15, 15);
	CHECK_EQ(value(&r, SWB_ACT_COMPLETE_BARRIERS), 15);
	CHECK_EQ(value(&r, SWB_ACT_WRITE_BACK), 15);
	barrier(15);			/* reached long ago */
	CHECK_EQ(value(&r, SWB_ACT_COMPLETE_BARRIERS), 15);
}

TEST(test_progress_local_flush_dominates, "no peer's ack completes a "
	"barrier that the primary has not flushed itself (I-015)")
{
	setup();
	primary(&all2);
	rig_match(&r, 1, 10);
	rig_write(&r, 1);
	rig_ship(&r, 1);
	rig_ack(&r, 1, 12, 12, 12);
	CHECK(r.c.log.committed < 12);
}

TEST(test_progress_quorum, "sync_quorum: primary and one of two peers make "
	"C; the policy waits for the same majority")
{
	setup();
	primary(&quorum3);
	rig_match(&r, 1, 10);
	rig_write(&r, 1);
	CHECK(!order(&r, SWB_ACT_COMPLETE_WRITES));
	rig_ship(&r, 1);
	rig_ack(&r, 1, 12, 12, 10);
	CHECK_EQ(value(&r, SWB_ACT_COMPLETE_WRITES), 12);
	rig_flushed(&r, 12);
	rig_ack(&r, 1, 12, 12, 12);
	CHECK_EQ(r.c.log.committed, 12);
	CHECK(!(r.c.conditions & SWBLOCK_COND_WAITING_PEER));
	CHECK(r.c.conditions & SWBLOCK_COND_DEGRADED);
}

TEST(test_progress_best_effort_isolation, "best_effort: barriers never wait "
	"for a peer, writes only for a live session (I-013)")
{
	setup();
	primary(&best2);
	rig_match(&r, 1, 10);
	rig_write(&r, 1);
	CHECK(!order(&r, SWB_ACT_COMPLETE_WRITES));
	CHECK(!swb_core_flush_wanted(&r.c, 1));
	barrier(12);
	rig_flushed(&r, 12);
	CHECK_EQ(value(&r, SWB_ACT_COMPLETE_BARRIERS), 12);
	STEP(&r, .type = SWB_EV_LINK_LOST, .peer = 1, .reason = SWBLOCK_REASON_TIMEOUT);
	CHECK_EQ(value(&r, SWB_ACT_COMPLETE_WRITES), 12);
}

TEST(test_progress_late_peer_does_not_lower_c, "C never falls, whatever "
	"peers come and go (I-003)")
{
	u64 before;

	setup();
	primary(&all2);
	rig_match(&r, 1, 10);
	rig_written(&r, 11);
	rig_flushed(&r, 11);
	rig_ack(&r, 1, 11, 11, 11);
	before = r.c.log.committed;
	CHECK_EQ(before, 11);
	STEP(&r, .type = SWB_EV_LINK_LOST, .peer = 1);
	rig_match(&r, 1, 11);
	CHECK_EQ(r.c.log.committed, 11);
	rig_write(&r, 1);
	CHECK_EQ(r.c.log.committed, 11);
	CHECK_EQ(r.c.d.committed, 11);
}

TEST(test_progress_one_flush_in_flight, "flushes come one after the other, "
	"each for what is wanted then")
{
	setup();
	primary(&best2);
	rig_written(&r, 11);
	CHECK_EQ(order(&r, SWB_ACT_FLUSH_LOG)->a, 11);
	rig_write(&r, 3);
	barrier(14);
	CHECK(!order(&r, SWB_ACT_FLUSH_LOG));
	rig_flushed(&r, 11);
	CHECK_EQ(order(&r, SWB_ACT_FLUSH_LOG)->a, 14);
	rig_flushed(&r, 14);
	CHECK_EQ(value(&r, SWB_ACT_COMPLETE_BARRIERS), 14);
	CHECK(!order(&r, SWB_ACT_FLUSH_LOG));
}

TEST(test_progress_flush_waits_for_written, "a flush for a barrier starts "
	"when its records are written, not before")
{
	setup();
	primary(&best2);
	rig_written(&r, 11);
	rig_flushed(&r, 11);
	swb_core_append(&r.c, 3);
	barrier(14);
	rig_written(&r, 13);
	CHECK(!order(&r, SWB_ACT_FLUSH_LOG));
	rig_written(&r, 14);
	CHECK(order(&r, SWB_ACT_FLUSH_LOG));
}

TEST(test_progress_flush_not_starved, "a stream of ever newer barriers does "
	"not put a flush off")
{
	u32 flushes = 0;

	setup();
	primary(&best2);
	rig_written(&r, 11);
	rig_flushed(&r, 11);
	for (u64 i = 0; i < 50; i++) {	/* written stays behind the newest want */
		swb_core_append(&r.c, 2);
		barrier(r.c.log.head);
		rig_written(&r, r.c.log.head - 1);
		flushes += orders(&r, SWB_ACT_FLUSH_LOG);
		if (r.c.flushing)
			rig_flushed(&r, r.c.log.written);
	}
	CHECK(flushes >= 15);
}

TEST(test_progress_flush_counts_to_submission, "a flush proves only what "
	"was written when it was submitted (I-005)")
{
	setup();
	primary(&best2);
	rig_written(&r, 11);
	rig_write(&r, 5);
	rig_flushed(&r, 11);
	CHECK_EQ(r.c.log.durable, 11);
	rig_flushed(&r, 99);
	CHECK_EQ(r.c.log.durable, 16);	/* never above written */
}

TEST(test_progress_background_flush, "what nobody wanted flushed is flushed "
	"after the interval")
{
	setup();
	primary(&best2);
	rig_written(&r, 11);
	rig_flushed(&r, 11);
	rig_write(&r, 1);
	STEP(&r, .type = SWB_EV_TICK);
	CHECK(!order(&r, SWB_ACT_FLUSH_LOG));
	r.now += r.c.tune.flush_interval_ns;
	STEP(&r, .type = SWB_EV_TICK);
	CHECK(order(&r, SWB_ACT_FLUSH_LOG));
	rig_flushed(&r, 12);
	r.now += r.c.tune.flush_interval_ns;
	STEP(&r, .type = SWB_EV_TICK);
	CHECK(!order(&r, SWB_ACT_FLUSH_LOG));
}

TEST(test_progress_room_flushes_at_once, "a ring that fills is not made to wait for "
	"the interval; what comes later is")
{
	setup();
	primary(&best2);
	rig_written(&r, 11);
	rig_flushed(&r, 11);
	rig_write(&r, 2);
	STEP(&r, .type = SWB_EV_TICK, .lsn2 = 13);
	CHECK(order(&r, SWB_ACT_FLUSH_LOG));
	rig_write(&r, 2);
	rig_flushed(&r, 13);
	CHECK(!order(&r, SWB_ACT_FLUSH_LOG));	/* as far as it was written then */
	CHECK_EQ(r.c.log.committed, 13);
}

TEST(test_progress_room_after_running_flush, "room is wanted while a flush is in "
	"flight: another one follows it")
{
	setup();
	primary(&best2);
	rig_written(&r, 11);
	CHECK(order(&r, SWB_ACT_FLUSH_LOG));
	rig_write(&r, 2);
	rig_written(&r, 13);
	STEP(&r, .type = SWB_EV_TICK, .lsn2 = 13);
	CHECK(!order(&r, SWB_ACT_FLUSH_LOG));
	rig_flushed(&r, 11);
	CHECK(order(&r, SWB_ACT_FLUSH_LOG));
	rig_flushed(&r, 13);
	CHECK(!order(&r, SWB_ACT_FLUSH_LOG));
}

TEST(test_progress_room_asks_peers, "room: a required peer is asked for what was "
	"shipped to it, once; no client waits for that")
{
	setup();
	primary(&all2);
	rig_match(&r, 1, 10);
	rig_write(&r, 4);
	swb_core_shipped(&r.c, 1, r.c.peer[1].session, 14, r.now);
	STEP(&r, .type = SWB_EV_TICK, .lsn2 = 15);
	CHECK_EQ(order_to(&r, 1, SWB_ACT_SEND_PING)->a, 13);
	CHECK_EQ(r.c.log.barrier_want, 11);	/* the opening's own */
	STEP(&r, .type = SWB_EV_TICK, .lsn2 = 15);
	CHECK(!order(&r, SWB_ACT_SEND_PING));
	rig_ship(&r, 1);
	STEP(&r, .type = SWB_EV_TICK, .lsn2 = 15);
	CHECK_EQ(order_to(&r, 1, SWB_ACT_SEND_PING)->a, 15);
}

TEST(test_progress_room_of_a_replica, "the ring of a replica fills: it flushes "
	"what it has, though more was wished for")
{
	setup();
	rig_init(&r, 1, 10);
	rig_replica(&r, 2, &all2);
	rig_stream(&r);
	rig_data(&r, 7, 2, 2);
	rig_ping(&r, 7, 0, 99);
	rig_written(&r, 12);
	CHECK(!order(&r, SWB_ACT_FLUSH_LOG));
	STEP(&r, .type = SWB_EV_TICK, .lsn2 = 12);
	CHECK(order(&r, SWB_ACT_FLUSH_LOG));
	rig_flushed(&r, 12);
	CHECK(order(&r, SWB_ACT_SEND_ACK));
}

TEST(test_progress_ask_flush, "a peer is asked to flush by a PING if "
	"nothing else goes to it, once")
{
	setup();
	primary(&all2);
	rig_match(&r, 1, 10);
	rig_write(&r, 1);
	barrier(12);
	CHECK(!order(&r, SWB_ACT_SEND_PING));	/* record 12 is still to go */
	CHECK_EQ(swb_core_flush_wanted(&r.c, 1), 12);
	rig_ship(&r, 1);
	barrier(12);
	CHECK(!order(&r, SWB_ACT_SEND_PING));
	rig_write(&r, 1);
	rig_ship(&r, 1);			/* no barrier yet */
	barrier(13);
	CHECK_EQ(order_to(&r, 1, SWB_ACT_SEND_PING)->a, 13);
	barrier(13);
	CHECK(!order(&r, SWB_ACT_SEND_PING));
}

TEST(test_progress_replica_flushes_on_wish, "a replica flushes when the "
	"wanted records are written, and acknowledges")
{
	setup();
	rig_init(&r, 1, 10);
	rig_replica(&r, 2, &all2);
	rig_stream(&r);
	rig_ping(&r, 7, 0, 12);
	CHECK(!order(&r, SWB_ACT_FLUSH_LOG));
	rig_data(&r, 7, 2, 2);
	rig_written(&r, 12);
	CHECK(order(&r, SWB_ACT_FLUSH_LOG));
	CHECK(order(&r, SWB_ACT_SEND_ACK));
	rig_flushed(&r, 12);
	CHECK(order(&r, SWB_ACT_SEND_ACK));
}

TEST(test_progress_c_only_when_matched, "C from an unmatched session, or "
	"read from an OPEN, licenses nothing (P8, I-209)")
{
	struct swb_facts f;

	setup();
	rig_init(&r, 1, 10);
	rig_replica(&r, 2, &all2);
	rig_link(&r, 0);
	f = primary_facts_of(&r, 10, 11);
	f.committed = 10;
	rig_open(&r, 7, &f);
	rig_ping(&r, 7, 10, 0);
	CHECK_EQ(swb_core_writeback_limit(&r.c), 0);
	CHECK_EQ(r.c.d.committed, 0);
	rig_start(&r, 7, 10, 11);
	CHECK_EQ(swb_core_writeback_limit(&r.c), 0);
	rig_ping(&r, 7, 10, 0);
	CHECK_EQ(swb_core_writeback_limit(&r.c), 10);
	CHECK_EQ(value(&r, SWB_ACT_WRITE_BACK), 10);
	rig_ping(&r, 7, 99, 0);	/* C ahead of us: as far as we are durable */
	CHECK_EQ(swb_core_writeback_limit(&r.c), 10);
	STEP(&r, .type = SWB_EV_LINK_LOST, .peer = 0);
	CHECK_EQ(swb_core_writeback_limit(&r.c), 0);
	CHECK_EQ(r.c.log.committed, 0);
	CHECK_EQ(r.c.d.committed, 99);		/* evidence stays: P16 */
}

TEST(test_progress_known_c_is_no_licence, "known C of before a restart is "
	"evidence; it writes nothing back until this session says it (P8)")
{
	static struct swb_durable d;
	struct swb_recovered rec = { .start = 1, .head = 10, .last_epoch = 1 };
	struct swb_facts f;

	setup();
	rig_init(&r, 1, 10);
	rig_adopt(&r, 2);
	d = r.c.d;
	d.committed = 8;
	swb_lineage_open(&rec.lineage, 1, 1, 0);
	swb_core_init(&r.c, &d, &rec, 1);
	rig_order_adopt(&r, 2);		/* repeats the report */
	CHECK_EQ(report_of_rig(&r).committed, 8);
	rig_assign(&r, 2, 0, &all2);
	CHECK_EQ(swb_core_writeback_limit(&r.c), 0);
	rig_link(&r, 0);
	f = primary_facts_of(&r, 10, 11);
	rig_open(&r, 7, &f);
	rig_start(&r, 7, 10, 11);
	CHECK_EQ(swb_core_writeback_limit(&r.c), 0);
	rig_ping(&r, 7, 9, 0);
	CHECK_EQ(swb_core_writeback_limit(&r.c), 9);
}

TEST(test_progress_session_end_voids_flush, "the end of a session voids the "
	"flush in flight on the replica (P5)")
{
	u32 old;

	setup();
	rig_init(&r, 1, 10);
	rig_replica(&r, 2, &all2);
	rig_stream(&r);
	rig_data(&r, 7, 2, 2);
	rig_written(&r, 12);
	rig_ping(&r, 7, 0, 12);
	old = r.c.log.generation;
	STEP(&r, .type = SWB_EV_LINK_LOST, .peer = 0);
	STEP(&r, .type = SWB_EV_LOG_FLUSHED, .lsn = 12, .generation = old);
	CHECK_EQ(r.c.log.durable, 10);
	CHECK(order(&r, SWB_ACT_FLUSH_LOG));	/* and is made up for */
	CHECK(order(&r, SWB_ACT_FLUSH_LOG)->b != old);
}

TEST(test_progress_wish_beyond_session, "a flush wish of a lost session "
	"does not block later ones")
{
	struct swb_facts f;

	setup();
	rig_init(&r, 1, 10);
	rig_replica(&r, 2, &all2);
	rig_stream(&r);
	rig_ping(&r, 7, 0, 500);
	STEP(&r, .type = SWB_EV_LINK_LOST, .peer = 0);
	rig_link(&r, 0);
	f = primary_facts_of(&r, 10, 11);
	rig_open(&r, 8, &f);
	rig_start(&r, 8, 10, 11);
	rig_data(&r, 8, 1, 2);
	rig_written(&r, 11);
	rig_ping(&r, 8, 0, 11);
	CHECK(order(&r, SWB_ACT_FLUSH_LOG));
}

TEST(test_progress_waiting_peer, "sync_all shows that a barrier waits for "
	"an absent peer, and DEGRADED till it is in sync")
{
	setup();
	primary(&all2);
	rig_written(&r, 11);
	CHECK(r.c.conditions & SWBLOCK_COND_WAITING_PEER);
	CHECK(r.c.conditions & SWBLOCK_COND_DEGRADED);
	rig_match(&r, 1, 10);
	rig_flushed(&r, 11);
	rig_ack(&r, 1, 11, 11, 11);
	CHECK_EQ(r.c.conditions, 0);
	STEP(&r, .type = SWB_EV_LINK_LOST, .peer = 1);
	CHECK_EQ(r.c.conditions, SWBLOCK_COND_DEGRADED);
	rig_write(&r, 1);
	barrier(12);
	CHECK(r.c.conditions & SWBLOCK_COND_WAITING_PEER);
	CHECK(order(&r, SWB_ACT_NOTIFY_CONDITIONS));
	barrier(12);
	CHECK(!order(&r, SWB_ACT_NOTIFY_CONDITIONS));	/* only what changed */
}

TEST(test_progress_checkpoint_monotone, "extent_lo and S only rise (I-105), "
	"and lo never passes hi")
{
	setup();
	primary(&best2);
	STEP(&r, .type = SWB_EV_CHECKPOINTED, .lsn = 8, .lsn2 = 6);
	CHECK_EQ(r.c.d.extent_lo, 8);
	CHECK_EQ(r.c.d.extent_hi, 8);
	CHECK_EQ(r.c.log.start, 6);
	STEP(&r, .type = SWB_EV_CHECKPOINTED, .lsn = 5, .lsn2 = 3);
	CHECK_EQ(r.c.d.extent_lo, 8);
	CHECK_EQ(r.c.log.start, 6);
}

TEST(test_progress_barrier_not_primary, "a barrier at a member that is no "
	"primary orders nothing")
{
	setup();
	rig_init(&r, 1, 10);
	rig_replica(&r, 2, &all2);
	barrier(10);
	CHECK_EQ(r.out.count, 0);
	CHECK_EQ(r.c.log.barrier_want, 0);
}
