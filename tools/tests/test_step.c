// SPDX-License-Identifier: GPL-2.0-only
/* Sessions: link, open, facts, start, cut, acks, ends; what is refused. */
#include "rig.h"
#include "text.h"

static struct rig r;
static struct swb_config all2, all3, best2, q3;

static void setup(u32 self, u64 head)
{
	all2 = config_of(SWBLOCK_MODE_SYNC_ALL, SWBLOCK_POLICY_RECEIVED, 2);
	all3 = config_of(SWBLOCK_MODE_SYNC_ALL, SWBLOCK_POLICY_RECEIVED, 3);
	best2 = config_of(SWBLOCK_MODE_BEST_EFFORT, SWBLOCK_POLICY_LOCAL, 2);
	q3 = config_of(SWBLOCK_MODE_SYNC_QUORUM, SWBLOCK_POLICY_LOCAL, 3);
	rig_init(&r, self, head);
}

/* primary of epoch 2, log end 11, durable */
static void primary(const struct swb_config *cfg)
{
	setup(0, 10);
	rig_promote(&r, 2, cfg);
	rig_written(&r, 11);
	rig_flushed(&r, 11);
}

/* replica of epoch 2, log end 10 */
static void replica(void)
{
	setup(1, 10);
	rig_replica(&r, 2, &all2);
}

/* ---- primary ---------------------------------------------------------- */

TEST(test_step_link_before_role, "a link of a member without configuration "
	"is closed")
{
	setup(0, 10);
	rig_link(&r, 1);
	CHECK_EQ(order_to(&r, 1, SWB_ACT_CLOSE_LINK)->a, SWBLOCK_REASON_NO_ROLE);
	rig_link(&r, SWB_NOBODY);
	CHECK(!order(&r, SWB_ACT_CLOSE_LINK));	/* no such place */
}

TEST(test_step_link_to_stranger, "a link to self or to no member is refused")
{
	primary(&all2);
	rig_link(&r, 0);
	CHECK(order_to(&r, 0, SWB_ACT_CLOSE_LINK));
	rig_link(&r, 5);
	CHECK_EQ(order_to(&r, 5, SWB_ACT_CLOSE_LINK)->a, SWBLOCK_REASON_FOREIGN_REPLICA);
}

TEST(test_step_catch_up_to_in_sync, "in sync is said when the peer is "
	"durable and C is at the frozen target, not before (G6, I-041)")
{
	struct swb_facts f;

	primary(&all2);
	f = facts_like(&r, 1, 5);
	rig_link(&r, 1);
	CHECK_EQ(order_to(&r, 1, SWB_ACT_SEND_OPEN)->a, r.c.peer[1].session);
	CHECK_EQ(r.c.peer[1].state, SWBLOCK_PEER_OPENING);
	CHECK(!swb_core_flush_wanted(&r.c, 1));
	rig_facts(&r, 1, &f);
	CHECK_EQ(r.c.peer[1].letter, 'J');
	CHECK_EQ(order(&r, SWB_ACT_SEND_START)->a, 6);
	CHECK_EQ(order(&r, SWB_ACT_SEND_START)->b, 5);
	CHECK_EQ(order(&r, SWB_ACT_SEND_START)->c, 11);
	CHECK(order_to(&r, 1, SWB_ACT_SHIP));
	CHECK_EQ(r.c.peer[1].state, SWBLOCK_PEER_CATCHING_UP);
	CHECK(r.c.conditions & SWBLOCK_COND_CATCHING_UP);
	CHECK(r.c.conditions & SWBLOCK_COND_DEGRADED);
	rig_write(&r, 2);	/* 12, 13: the target stays */
	rig_ship(&r, 1);
	rig_ack(&r, 1, 13, 13, 10);
	CHECK_EQ(r.c.peer[1].state, SWBLOCK_PEER_CATCHING_UP);
	rig_ack(&r, 1, 13, 13, 11);
	CHECK_EQ(r.c.peer[1].state, SWBLOCK_PEER_IN_SYNC);
	CHECK(order_to(&r, 1, SWB_ACT_NOTIFY_PEER));
	CHECK_EQ(r.c.log.committed, 11);
	CHECK(!(r.c.conditions & SWBLOCK_COND_DEGRADED));
	CHECK_EQ(r.c.peer[1].target, 11);	/* I-055 */
}

TEST(test_step_equal_needs_barrier, "equal logs are matched, but in sync "
	"only after a durable ack")
{
	struct swb_facts f;

	primary(&all2);
	f = facts_like(&r, 1, 11);
	rig_link(&r, 1);
	rig_facts(&r, 1, &f);
	CHECK_EQ(r.c.peer[1].letter, 'I');
	CHECK_EQ(r.c.peer[1].state, SWBLOCK_PEER_CATCHING_UP);
	CHECK_EQ(r.c.log.committed, 0);
	rig_ack(&r, 1, 11, 11, 11);
	CHECK_EQ(r.c.peer[1].state, SWBLOCK_PEER_IN_SYNC);
}

TEST(test_step_truncate_order, "a peer with a dead tail gets START at the "
	"common LSN")
{
	struct swb_facts f;

	primary(&all2);
	f = facts_like(&r, 1, 8);
	f.log_end = 9;		/* record 9 of the dead epoch 0 branch */
	f.lineage.e[0].epoch = 1;
	rig_link(&r, 1);
	f.log_end = 14;		/* 11 to 14 are epoch 1: nobody else took them */
	rig_facts(&r, 1, &f);
	CHECK_EQ(r.c.peer[1].letter, 'K');
	CHECK_EQ(order(&r, SWB_ACT_SEND_START)->a, 11);
	CHECK_EQ(order(&r, SWB_ACT_SEND_START)->b, 10);
}

TEST(test_step_refuse_letters, "each REFUSE letter closes with its reason "
	"and shows refused")
{
	static const struct {
		u8 letter;
		u32 reason;
		u8 state;
	} t[] = {
		{ 'A', SWBLOCK_REASON_FOREIGN_VOLUME, SWBLOCK_PEER_REFUSED },
		{ 'A', SWBLOCK_REASON_GEOMETRY, SWBLOCK_PEER_REFUSED },
		{ 'B', SWBLOCK_REASON_FOREIGN_REPLICA, SWBLOCK_PEER_REFUSED },
		{ 'C', SWBLOCK_REASON_FOREIGN_STORE, SWBLOCK_PEER_REFUSED },
		{ 'N', SWBLOCK_REASON_STALE_EPOCH, SWBLOCK_PEER_DETACHED },
		{ 'F', SWBLOCK_REASON_TWO_OPENINGS, SWBLOCK_PEER_REFUSED },
		{ 'H', SWBLOCK_REASON_BELOW_COMMITTED, SWBLOCK_PEER_REFUSED },
	};

	for (u32 i = 0; i < ARRAY_SIZE(t); i++) {
		struct swb_facts f;

		primary(&all2);
		f = facts_like(&r, 1, 10);
		f.volume.b[5] = i == 0;
		f.extent_bytes -= i == 1 ? 4096 : 0;
		f.replica.b[5] = i == 2;
		f.store.b[5] = i == 3;
		f.adopted -= i == 4;
		if (i == 5)
			f.lineage.e[0].first_lsn = 2;
		if (i == 6) {
			f.log_end = 13;
			f.committed = 12;
		}
		rig_link(&r, 1);
		rig_facts(&r, 1, &f);
		CHECK_EQ(r.c.peer[1].letter, t[i].letter);
		CHECK_EQ(r.c.peer[1].state, t[i].state);
		CHECK_EQ(order_to(&r, 1, SWB_ACT_SEND_CLOSE)->a, t[i].reason);
		CHECK_EQ(order_to(&r, 1, SWB_ACT_CLOSE_LINK)->a, t[i].reason);
		CHECK_EQ(r.c.refused[t[i].reason], 1);	/* I-037 */
		CHECK(!r.c.peer[1].matched);
		CHECK(!r.c.peer[1].session);
	}
}

TEST(test_step_needs_rebuild_sticky, "needs_rebuild is left by no link and "
	"no transport event, only by a new epoch (I-040)")
{
	struct swb_facts f;

	primary(&all2);
	f = facts_like(&r, 1, 10);
	f.flags = SWB_FACT_INCONSISTENT;
	rig_link(&r, 1);
	rig_facts(&r, 1, &f);
	CHECK_EQ(r.c.peer[1].letter, 'D');
	CHECK_EQ(r.c.peer[1].state, SWBLOCK_PEER_NEEDS_REBUILD);
	CHECK(r.c.conditions & SWBLOCK_COND_NEEDS_REBUILD);
	STEP(&r, .type = SWB_EV_LINK_LOST, .peer = 1, .reason = SWBLOCK_REASON_SOCKET_ERROR);
	rig_link(&r, 1);
	CHECK_EQ(order_to(&r, 1, SWB_ACT_SEND_CLOSE)->a, SWBLOCK_REASON_NEEDS_REBUILD);
	STEP(&r, .type = SWB_EV_TICK);
	CHECK_EQ(r.c.peer[1].state, SWBLOCK_PEER_NEEDS_REBUILD);
	rig_order_adopt(&r, 3);
	CHECK_EQ(r.c.peer[1].state, SWBLOCK_PEER_DETACHED);
}

TEST(test_step_rebuild_below_extent, "a peer whose extent may hold dead "
	"blocks needs a rebuild, letter G (P9)")
{
	struct swb_facts f;

	primary(&all2);
	f = facts_like(&r, 1, 10);
	f.log_end = 13;
	f.extent_hi = 11;
	rig_link(&r, 1);
	rig_facts(&r, 1, &f);
	CHECK_EQ(r.c.peer[1].letter, 'G');
	CHECK_EQ(r.c.peer[1].reason, SWBLOCK_REASON_BELOW_EXTENT);
	CHECK_EQ(r.c.peer[1].state, SWBLOCK_PEER_NEEDS_REBUILD);
}

TEST(test_step_facts_of_newer_epoch, "facts of a newer epoch make the "
	"primary step down, letter E")
{
	struct swb_facts f;

	primary(&all2);
	f = facts_like(&r, 1, 10);
	f.adopted = 9;
	rig_link(&r, 1);
	rig_facts(&r, 1, &f);
	CHECK_EQ(r.c.peer[1].letter, 'E');
	CHECK_EQ(value(&r, SWB_ACT_NOTIFY_STEP_DOWN), 9);
	CHECK(order(&r, SWB_ACT_HOLD_IO));
	CHECK_EQ(r.c.peer[1].state, SWBLOCK_PEER_DETACHED);
}

TEST(test_step_link_replaced, "a new link ends the session of the old one; "
	"its frames are inert (I-082, I-084)")
{
	u64 old;

	primary(&all2);
	rig_match(&r, 1, 10);
	old = r.c.peer[1].session;
	rig_link(&r, 1);
	CHECK(r.c.peer[1].session != old);
	CHECK(!order(&r, SWB_ACT_CLOSE_LINK));	/* it would hit the new one */
	CHECK(!r.c.peer[1].matched);
	STEP(&r, .type = SWB_EV_PEER_ACKED, .peer = 1, .session = old, .epoch = 2,
	     .u.ack.received = 11, .u.ack.written = 11, .u.ack.durable = 11);
	CHECK_EQ(r.c.peer[1].durable, 0);
	CHECK_EQ(r.c.refused[SWBLOCK_REASON_STALE_SESSION], 1);
}

TEST(test_step_session_ids_unique, "session ids differ within a boot and "
	"start at the seed (ambiguity 14, I-036)")
{
	u64 first;

	primary(&all3);
	rig_link(&r, 1);
	first = r.c.peer[1].session;
	CHECK_EQ(first, 1000);
	rig_link(&r, 2);
	CHECK(r.c.peer[2].session != first);
	rig_link(&r, 1);
	CHECK(r.c.peer[1].session != first);
	CHECK(r.c.peer[1].session != r.c.peer[2].session);
}

/* every fact about a session, wrong in one way, leaves the core as it was */
TEST(test_step_stale_facts_are_inert, "a frame with a wrong session, epoch "
	"or peer changes nothing but one counter (I-027, I-083)")
{
	static struct swb_core before;
	struct swb_facts f;

	primary(&all3);
	rig_match(&r, 1, 10);
	f = facts_like(&r, 1, 10);
	for (u32 way = 0; way < 4; way++) {
		for (u32 t = 0; t < 3; t++) {
			static const enum swb_event_type type[] = {
				SWB_EV_PEER_ACKED, SWB_EV_PEER_FACTS,
				SWB_EV_PEER_STARTED,
			};
			struct swb_event ev = {
				.type = type[t], .peer = way == 2 ? 2 : 1,
				.session = r.c.peer[1].session - (way == 0),
				.epoch = 2 - (way == 1), .u.facts = &f,
			};
			u64 sum = 0, was = 0;

			if (way == 3)
				ev.peer = 6;
			if (t == 0) {
				ev.u.ack.received = 11;
				ev.u.ack.written = 11;
				ev.u.ack.durable = 11;
			}
			before = r.c;
			rig_step(&r, ev);
			CHECK_EQ(r.out.count, 0);
			for (u32 k = 0; k < __SWBLOCK_REASON_MAX; k++) {
				sum += r.c.refused[k];
				was += before.refused[k];
			}
			CHECK_EQ(sum, was + 1);
			memcpy(before.refused, r.c.refused, sizeof(before.refused));
			CHECK(memcmp(&before, &r.c, sizeof(before)) == 0);
		}
	}
}

TEST(test_step_ack_beyond_sent, "an ack for what was never sent ends the "
	"session (ACK_BEYOND)")
{
	primary(&all2);
	rig_match(&r, 1, 10);
	rig_write(&r, 2);	/* 12, 13 not shipped */
	rig_ack(&r, 1, 12, 11, 11);
	CHECK_EQ(order_to(&r, 1, SWB_ACT_CLOSE_LINK)->a, SWBLOCK_REASON_ACK_BEYOND);
	CHECK_EQ(r.c.peer[1].durable, 0);
	rig_match(&r, 1, 10);
	rig_ack(&r, 1, 11, 12, 11);
	CHECK(order_to(&r, 1, SWB_ACT_CLOSE_LINK));
	rig_match(&r, 1, 10);
	rig_ack(&r, 1, 11, 10, 11);
	CHECK(order_to(&r, 1, SWB_ACT_CLOSE_LINK));
}

TEST(test_step_ack_falls, "progress that goes back ends the session "
	"(ACK_FALLS), a repeated ack does nothing")
{
	primary(&all2);
	rig_match(&r, 1, 10);
	rig_ack(&r, 1, 11, 11, 10);
	rig_ack(&r, 1, 11, 11, 10);
	CHECK_EQ(r.out.count, 0);
	rig_ack(&r, 1, 11, 11, 9);
	CHECK_EQ(order_to(&r, 1, SWB_ACT_CLOSE_LINK)->a, SWBLOCK_REASON_ACK_FALLS);
	CHECK_EQ(r.c.peer[1].durable, 10);
}

TEST(test_step_ack_before_match, "an ack in an unmatched session counts for "
	"nothing (I-011)")
{
	primary(&all2);
	rig_link(&r, 1);
	rig_ack(&r, 1, 11, 11, 11);
	CHECK_EQ(r.c.peer[1].durable, 0);
	CHECK_EQ(r.c.refused[SWBLOCK_REASON_BAD_TYPE], 1);
}

TEST(test_step_durable_survives_link, "what a peer proved durable keeps "
	"counting after the link is lost, within the epoch")
{
	primary(&all2);
	rig_match(&r, 1, 10);
	rig_ack(&r, 1, 11, 11, 11);
	CHECK_EQ(r.c.log.committed, 11);
	STEP(&r, .type = SWB_EV_LINK_LOST, .peer = 1, .reason = SWBLOCK_REASON_SOCKET_ERROR);
	CHECK_EQ(r.c.peer[1].durable, 11);
	CHECK_EQ(r.c.peer[1].state, SWBLOCK_PEER_DETACHED);	/* I-043 */
	CHECK_EQ(r.c.peer[1].reason, SWBLOCK_REASON_SOCKET_ERROR);
	CHECK(r.c.conditions & SWBLOCK_COND_DEGRADED);
	rig_order_adopt(&r, 3);
	CHECK_EQ(r.c.peer[1].durable, 0);
}

TEST(test_step_end_once, "a session ends once, with the first reason (I-087)")
{
	primary(&all2);
	rig_match(&r, 1, 10);
	STEP(&r, .type = SWB_EV_UNLINK_ORDERED, .peer = 1);
	CHECK_EQ(order_to(&r, 1, SWB_ACT_SEND_CLOSE)->a, SWBLOCK_REASON_UNLINKED);
	STEP(&r, .type = SWB_EV_LINK_LOST, .peer = 1, .reason = SWBLOCK_REASON_SOCKET_ERROR);
	CHECK_EQ(r.out.count, 0);
	STEP(&r, .type = SWB_EV_PEER_CLOSED, .peer = 1, .reason = SWBLOCK_REASON_TIMEOUT);
	CHECK_EQ(r.out.count, 0);
	CHECK_EQ(r.c.peer[1].reason, SWBLOCK_REASON_UNLINKED);
	STEP(&r, .type = SWB_EV_UNLINK_ORDERED, .peer = 1);
	CHECK_EQ(r.out.count, 0);
}

TEST(test_step_timeout_never_rebuild, "silence ends the link, and says "
	"nothing about the peer's data (I-045)")
{
	primary(&all2);
	rig_match(&r, 1, 10);
	r.now += r.c.tune.link_deadline_ns;
	STEP(&r, .type = SWB_EV_TICK);
	CHECK_EQ(order_to(&r, 1, SWB_ACT_CLOSE_LINK)->a, SWBLOCK_REASON_TIMEOUT);
	CHECK_EQ(r.c.peer[1].state, SWBLOCK_PEER_DETACHED);
}

TEST(test_step_timeout_while_opening, "a peer that never answers OPEN is "
	"given up")
{
	primary(&all2);
	rig_link(&r, 1);
	r.now += r.c.tune.link_deadline_ns;
	STEP(&r, .type = SWB_EV_TICK);
	CHECK_EQ(order_to(&r, 1, SWB_ACT_CLOSE_LINK)->a, SWBLOCK_REASON_TIMEOUT);
}

TEST(test_step_ping_when_silent, "a quiet session is kept alive from both ends")
{
	primary(&all2);
	rig_match(&r, 1, 10);
	STEP(&r, .type = SWB_EV_TICK);
	CHECK(!order(&r, SWB_ACT_SEND_PING));
	r.now += r.c.tune.ping_interval_ns;
	STEP(&r, .type = SWB_EV_TICK);
	CHECK(order_to(&r, 1, SWB_ACT_SEND_PING));
	STEP(&r, .type = SWB_EV_TICK);
	CHECK(!order(&r, SWB_ACT_SEND_PING));
	replica();
	rig_stream(&r);
	r.now += r.c.tune.ping_interval_ns;
	STEP(&r, .type = SWB_EV_TICK);
	CHECK(order_to(&r, 0, SWB_ACT_SEND_ACK));
}

TEST(test_step_acks_lost, "talk without acks is a timeout, too, once "
	"records wait for one; a repeated ack is enough")
{
	u64 deadline;

	primary(&all2);
	rig_match(&r, 1, 10);
	rig_ack(&r, 1, 11, 11, 11);
	deadline = r.c.tune.link_deadline_ns;
	for (int i = 0; i < 4; i++) {	/* nothing outstanding: pings suffice */
		r.now += deadline / 2;
		STEP(&r, .type = SWB_EV_PEER_PINGED, .peer = 1, .epoch = 2,
		     .session = r.c.peer[1].session);
		STEP(&r, .type = SWB_EV_TICK);
		CHECK(!order(&r, SWB_ACT_CLOSE_LINK));
	}
	rig_write(&r, 1);
	rig_ship(&r, 1);
	for (int i = 0; i < 4; i++) {
		r.now += deadline / 2;
		rig_ack(&r, 1, 11, 11, 11);	/* stalled, but alive */
		STEP(&r, .type = SWB_EV_TICK);
		CHECK(!order(&r, SWB_ACT_CLOSE_LINK));
	}
	for (int i = 0; i < 2; i++) {
		r.now += deadline / 2;
		STEP(&r, .type = SWB_EV_PEER_PINGED, .peer = 1, .epoch = 2,
		     .session = r.c.peer[1].session);
		STEP(&r, .type = SWB_EV_TICK);
	}
	CHECK_EQ(order_to(&r, 1, SWB_ACT_CLOSE_LINK)->a, SWBLOCK_REASON_TIMEOUT);
}

TEST(test_step_in_sync_needs_ack_of_session, "what an earlier session "
	"proved does not make this one in sync")
{
	struct swb_facts f;

	primary(&all2);
	rig_match(&r, 1, 10);
	rig_ack(&r, 1, 11, 11, 11);
	CHECK_EQ(r.c.peer[1].state, SWBLOCK_PEER_IN_SYNC);
	f = facts_like(&r, 1, 11);
	rig_link(&r, 1);
	rig_facts(&r, 1, &f);
	CHECK_EQ(r.c.peer[1].state, SWBLOCK_PEER_CATCHING_UP);
	STEP(&r, .type = SWB_EV_TICK);
	CHECK_EQ(r.c.peer[1].state, SWBLOCK_PEER_CATCHING_UP);
	rig_ack(&r, 1, 11, 11, 11);
	CHECK_EQ(r.c.peer[1].state, SWBLOCK_PEER_IN_SYNC);
}

TEST(test_step_pin_lost, "a peer whose history is trimmed away loses its "
	"session and needs a rebuild (I-054)")
{
	primary(&best2);
	rig_match(&r, 1, 5);
	r.c.peer[1].cursor = 7;
	CHECK_EQ(swb_core_trim_limit(&r.c, false), 0);
	STEP(&r, .type = SWB_EV_CHECKPOINTED, .lsn = 9, .lsn2 = 7);
	CHECK(!order(&r, SWB_ACT_CLOSE_LINK));
	CHECK_EQ(swb_core_trim_limit(&r.c, false), 5);
	CHECK_EQ(swb_core_trim_limit(&r.c, true), 9);
	STEP(&r, .type = SWB_EV_CHECKPOINTED, .lsn = 9, .lsn2 = 8);
	CHECK_EQ(order_to(&r, 1, SWB_ACT_CLOSE_LINK)->a, SWBLOCK_REASON_PIN_LOST);
	CHECK_EQ(r.c.peer[1].state, SWBLOCK_PEER_NEEDS_REBUILD);
	CHECK_EQ(swb_core_trim_limit(&r.c, false), 9);	/* I-092 */
}

TEST(test_step_required_pin_holds, "a pin of a peer that the mode waits for "
	"is never broken")
{
	primary(&all2);
	rig_match(&r, 1, 5);
	STEP(&r, .type = SWB_EV_CHECKPOINTED, .lsn = 10, .lsn2 = 1);
	CHECK_EQ(swb_core_trim_limit(&r.c, true), 5);
	rig_ack(&r, 1, 11, 11, 8);
	CHECK_EQ(swb_core_trim_limit(&r.c, true), 8);	/* I-100 */
}

TEST(test_step_minority_pin_goes, "in a tight ring of sync_quorum the pins of a "
	"majority hold, that of a peer beyond it goes (I-102)")
{
	primary(&q3);
	rig_match(&r, 1, 5);
	rig_match(&r, 2, 3);
	STEP(&r, .type = SWB_EV_CHECKPOINTED, .lsn = 10, .lsn2 = 1);
	CHECK_EQ(swb_core_trim_limit(&r.c, false), 3);
	CHECK_EQ(swb_core_trim_limit(&r.c, true), 5);
	rig_ack(&r, 1, 11, 11, 8);
	CHECK_EQ(swb_core_trim_limit(&r.c, true), 8);
	rig_ack(&r, 1, 11, 11, 11);
	CHECK_EQ(swb_core_trim_limit(&r.c, false), 3);
	CHECK_EQ(swb_core_trim_limit(&r.c, true), 10);
	/* alone it is half of a majority to come: it stays */
	STEP(&r, .type = SWB_EV_LINK_LOST, .peer = 1,
	     .reason = SWBLOCK_REASON_TIMEOUT);
	CHECK_EQ(swb_core_trim_limit(&r.c, true), 3);
}

TEST(test_step_links_wait_for_opening, "links made before the promotion get "
	"their OPEN when the role is there")
{
	struct swb_cert cert;

	setup(0, 10);
	rig_adopt(&r, 2);
	cert = cert_of(&r, 2, &all2);
	rig_certify(&r, &cert, 0);
	rig_link(&r, 1);
	CHECK(!order(&r, SWB_ACT_SEND_OPEN));
	rig_saved(&r);
	CHECK(order_to(&r, 1, SWB_ACT_SEND_OPEN));
}

/* ---- replica ---------------------------------------------------------- */

TEST(test_step_replica_opens_and_streams, "OPEN, FACTS, START, data: acks "
	"tell received, written and durable apart")
{
	struct swb_ack ack;

	replica();
	CHECK(!swb_core_ack(&r.c, 0, &ack));
	rig_stream(&r);
	CHECK_EQ(r.c.peer[0].state, SWBLOCK_PEER_CATCHING_UP);
	CHECK_EQ(rig_data(&r, 7, 1, 2), SWBLOCK_REASON_NONE);
	CHECK(swb_core_ack(&r.c, 0, &ack));
	CHECK_EQ(ack.session, 7);
	CHECK_EQ(ack.received, 11);
	CHECK_EQ(ack.written, 10);
	CHECK_EQ(ack.durable, 10);
	CHECK_EQ(ack.base, 0);
	rig_written(&r, 11);
	CHECK(order_to(&r, 0, SWB_ACT_SEND_ACK));
	rig_ping(&r, 7, 0, 11);
	CHECK(order(&r, SWB_ACT_FLUSH_LOG));
	rig_flushed(&r, 11);
	CHECK(order_to(&r, 0, SWB_ACT_SEND_ACK));
	swb_core_ack(&r.c, 0, &ack);
	CHECK_EQ(ack.durable, 11);
	CHECK_EQ(r.c.peer[0].state, SWBLOCK_PEER_CATCHING_UP);
	rig_ping(&r, 7, 11, 0);
	CHECK_EQ(r.c.peer[0].state, SWBLOCK_PEER_IN_SYNC);
}

TEST(test_step_open_refusals, "an OPEN is refused by identity, epoch, grant "
	"and role, each with its reason")
{
	static const u32 reason[] = {
		SWBLOCK_REASON_FOREIGN_VOLUME, SWBLOCK_REASON_GEOMETRY,
		SWBLOCK_REASON_FOREIGN_REPLICA, SWBLOCK_REASON_FOREIGN_REPLICA,
		SWBLOCK_REASON_FOREIGN_STORE, SWBLOCK_REASON_STALE_EPOCH,
		SWBLOCK_REASON_NEWER_EPOCH, SWBLOCK_REASON_BAD_RECORD,
		SWBLOCK_REASON_STALE_SESSION,
	};

	for (u32 i = 0; i < ARRAY_SIZE(reason); i++) {
		struct swb_facts f;

		replica();
		f = primary_facts_of(&r, 10, 11);
		f.volume.b[9] = i == 0;
		f.block_bytes = i == 1 ? 512 : f.block_bytes;
		f.replica.b[9] = i == 2;
		f.peer.b[9] = i == 3;
		f.store_generation += i == 4;
		f.adopted += i == 7;
		rig_link(&r, 0);
		STEP(&r, .type = SWB_EV_PEER_OPENED, .peer = 0,
		     .session = i == 8 ? 0 : 7,
		     .epoch = i == 5 ? 1 : i == 6 ? 3 : 2, .u.facts = &f);
		CHECK_EQ(order_to(&r, 0, SWB_ACT_SEND_CLOSE)->a, reason[i]);
		CHECK_EQ(r.c.peer[0].state, i < 5 ? SWBLOCK_PEER_REFUSED :
			 SWBLOCK_PEER_DETACHED);
		CHECK(!order(&r, SWB_ACT_SEND_FACTS));
	}
}

TEST(test_step_open_from_other_member, "an OPEN of a member that holds no "
	"grant is refused (NOT_GRANTED)")
{
	struct swb_facts f;

	setup(1, 10);
	rig_replica(&r, 2, &all3);
	f = primary_facts_of(&r, 10, 11);
	f.replica = uuid_of(2);
	STEP(&r, .type = SWB_EV_LINKED, .peer = 2);
	STEP(&r, .type = SWB_EV_PEER_OPENED, .peer = 2, .session = 7, .epoch = 2,
	     .u.facts = &f);
	CHECK_EQ(order_to(&r, 2, SWB_ACT_SEND_CLOSE)->a, SWBLOCK_REASON_NOT_GRANTED);
}

TEST(test_step_open_of_the_past, "an OPEN that comes once more, of a session "
	"before the live one, opens nothing: its START would cut acked records")
{
	struct swb_facts f;

	replica();
	f = primary_facts_of(&r, 10, 11);
	rig_link(&r, 0);
	rig_open(&r, 7, &f);
	CHECK(order(&r, SWB_ACT_SEND_FACTS));
	rig_link(&r, 0);
	rig_open(&r, 8, &f);
	CHECK(order(&r, SWB_ACT_SEND_FACTS));
	rig_start(&r, 8, 10, 11);
	CHECK(r.c.peer[0].matched);
	rig_open(&r, 7, &f);
	CHECK_EQ(order_to(&r, 0, SWB_ACT_SEND_CLOSE)->a,
		 SWBLOCK_REASON_STALE_SESSION);
	CHECK(!order(&r, SWB_ACT_SEND_FACTS));
	rig_start(&r, 7, 9, 11);
	CHECK(!r.c.truncating);
	CHECK_EQ(r.c.log.head, 10);
}

TEST(test_step_open_without_role, "a member without a role answers OPEN "
	"with CLOSE NO_ROLE")
{
	struct swb_facts f;

	primary(&all2);
	STEP(&r, .type = SWB_EV_DEMOTE_ORDERED);
	rig_link(&r, 1);
	f = facts_like(&r, 1, 10);
	STEP(&r, .type = SWB_EV_PEER_OPENED, .peer = 1, .session = 7, .epoch = 2,
	     .u.facts = &f);
	CHECK_EQ(order_to(&r, 1, SWB_ACT_SEND_CLOSE)->a, SWBLOCK_REASON_NO_ROLE);
}

TEST(test_step_open_at_primary, "a primary that is sent an OPEN refuses; "
	"one of a newer epoch makes it step down")
{
	struct swb_facts f;

	primary(&all2);
	rig_link(&r, 1);
	f = facts_like(&r, 1, 10);
	STEP(&r, .type = SWB_EV_PEER_OPENED, .peer = 1, .session = 7, .epoch = 2,
	     .u.facts = &f);
	CHECK_EQ(order_to(&r, 1, SWB_ACT_SEND_CLOSE)->a, SWBLOCK_REASON_NOT_GRANTED);
	rig_link(&r, 1);
	f.adopted = 4;
	STEP(&r, .type = SWB_EV_PEER_OPENED, .peer = 1, .session = 7, .epoch = 4,
	     .u.facts = &f);
	CHECK_EQ(value(&r, SWB_ACT_NOTIFY_STEP_DOWN), 4);
	CHECK_EQ(order_to(&r, 1, SWB_ACT_SEND_CLOSE)->a, SWBLOCK_REASON_NEWER_EPOCH);
}

TEST(test_step_wrong_host_is_no_fence, "a newer epoch of another volume, by OPEN, "
	"FACTS or CLOSE, holds nothing")
{
	struct swb_facts f;

	primary(&all2);
	f = facts_like(&r, 1, 10);
	f.volume.b[4] = 1;
	f.adopted = 99;
	rig_link(&r, 1);
	STEP(&r, .type = SWB_EV_PEER_OPENED, .peer = 1, .session = 7, .epoch = 99,
	     .u.facts = &f);
	CHECK_EQ(order_to(&r, 1, SWB_ACT_SEND_CLOSE)->a,
		 SWBLOCK_REASON_FOREIGN_VOLUME);
	rig_link(&r, 1);
	STEP(&r, .type = SWB_EV_PEER_FACTS, .peer = 1, .epoch = 99,
	     .session = r.c.peer[1].session, .u.facts = &f);
	STEP(&r, .type = SWB_EV_PEER_CLOSED, .peer = 1, .epoch = 99,
	     .reason = SWBLOCK_REASON_FOREIGN_VOLUME);
	CHECK_EQ(r.c.hold, 0);
	CHECK_EQ(r.c.io, SWB_IO_OPEN);
	f.volume.b[4] = 0;
	rig_link(&r, 1);
	STEP(&r, .type = SWB_EV_PEER_FACTS, .peer = 1, .epoch = 99,
	     .session = r.c.peer[1].session, .u.facts = &f);
	CHECK_EQ(value(&r, SWB_ACT_NOTIFY_STEP_DOWN), 99);
}

/* a replica with a dead tail 11..13 of epoch 1; the primary has 10 in common */
static void replica_with_tail(void)
{
	struct swb_facts f;

	setup(1, 13);
	rig_replica(&r, 2, &all2);
	f = primary_facts_of(&r, 10, 12);
	rig_link(&r, 0);
	rig_open(&r, 7, &f);
}

TEST(test_step_truncate_then_ack, "the cut is durable before anything is "
	"acknowledged, and ends the log's generation (I-052, P5)")
{
	u32 generation;

	replica_with_tail();
	generation = r.c.log.generation;
	rig_start(&r, 7, 10, 12);
	CHECK_EQ(value(&r, SWB_ACT_TRUNCATE), 10);
	CHECK(!order(&r, SWB_ACT_SEND_ACK));
	CHECK_EQ(rig_data(&r, 7, 1, 2), SWBLOCK_REASON_STALE_SESSION);
	STEP(&r, .type = SWB_EV_LOG_TRUNCATED, .lsn = 10);
	CHECK(order_to(&r, 0, SWB_ACT_SEND_ACK));
	CHECK_EQ(r.c.log.head, 10);
	CHECK_EQ(r.c.log.durable, 10);
	CHECK(r.c.log.generation != generation);
	CHECK_EQ(rig_data(&r, 7, 2, 2), SWBLOCK_REASON_NONE);
	CHECK_EQ(r.c.d.lineage.count, 2);
	CHECK_EQ(r.c.d.lineage.e[1].first_lsn, 11);
	CHECK_EQ(r.c.log.last_epoch, 2);
}

TEST(test_step_flush_across_truncation, "a flush issued before a cut proves "
	"nothing about what came after it (P5)")
{
	u32 old;

	replica_with_tail();
	old = r.c.log.generation;
	rig_start(&r, 7, 10, 12);
	STEP(&r, .type = SWB_EV_LOG_TRUNCATED, .lsn = 10);
	rig_data(&r, 7, 3, 2);
	rig_written(&r, 13);
	STEP(&r, .type = SWB_EV_LOG_FLUSHED, .lsn = 13, .generation = old);
	CHECK_EQ(r.c.log.durable, 10);
	CHECK(!order(&r, SWB_ACT_SEND_ACK));
	rig_flushed(&r, 13);
	CHECK_EQ(r.c.log.durable, 13);
}

TEST(test_step_report_repeated_after_cut, "a report repeated after a cut in its "
	"epoch does not claim what was cut (I-205)")
{
	replica_with_tail();
	CHECK_EQ(report_of_rig(&r).durable, 13);
	rig_start(&r, 7, 10, 12);
	STEP(&r, .type = SWB_EV_LOG_TRUNCATED, .lsn = 10);
	rig_order_adopt(&r, 2);
	CHECK(order(&r, SWB_ACT_NOTIFY_REPORT));
	CHECK_EQ(report_of_rig(&r).durable, 10);
	CHECK_EQ(report_of_rig(&r).last_epoch, 1);
}

TEST(test_step_truncate_drops_openings, "openings above the cut are gone with "
	"their records, and the next one takes their place (P18)")
{
	struct swb_facts f;

	setup(1, 13);
	swb_lineage_open(&r.c.d.lineage, 2, 12, 0);	/* of a dead branch */
	r.c.log.last_epoch = 2;
	rig_replica(&r, 3, &all2);
	f = primary_facts_of(&r, 11, 13);
	rig_link(&r, 0);
	rig_open(&r, 7, &f);
	rig_start(&r, 7, 11, 13);
	CHECK_EQ(value(&r, SWB_ACT_TRUNCATE), 11);
	STEP(&r, .type = SWB_EV_LOG_TRUNCATED, .lsn = 11);
	CHECK_EQ(r.c.d.lineage.count, 1);
	CHECK_EQ(r.c.log.last_epoch, 1);
	CHECK_EQ(rig_data(&r, 7, 2, 3), SWBLOCK_REASON_NONE);
	CHECK_EQ(r.c.d.lineage.e[1].epoch, 3);
	CHECK_EQ(r.c.d.lineage.e[1].first_lsn, 12);
}

TEST(test_step_truncate_lowers_known_c, "a cut lowers known C to the cut, "
	"nothing else does (P5, P16)")
{
	struct swb_facts f;

	setup(1, 13);
	r.c.d.committed = 12;	/* an override has given this up */
	rig_replica(&r, 2, &all2);
	f = primary_facts_of(&r, 10, 12);
	rig_link(&r, 0);
	rig_open(&r, 7, &f);
	rig_start(&r, 7, 10, 12);
	CHECK_EQ(order_to(&r, 0, SWB_ACT_SEND_CLOSE)->a, SWBLOCK_REASON_BELOW_COMMITTED);
	f.lineage.e[1].flags = SWB_LINEAGE_OVERRIDE;
	rig_link(&r, 0);
	rig_open(&r, 8, &f);
	rig_start(&r, 8, 10, 12);
	STEP(&r, .type = SWB_EV_LOG_TRUNCATED, .lsn = 10);
	CHECK_EQ(r.c.d.committed, 10);
	CHECK_EQ(rig_data(&r, 8, 1, 2), SWBLOCK_REASON_NONE);
	CHECK_EQ(r.c.d.lineage.e[1].flags, SWB_LINEAGE_OVERRIDE);
}

TEST(test_step_start_not_mirrored, "a START that does not follow from the "
	"facts is refused (I-224)")
{
	replica_with_tail();
	rig_start(&r, 7, 9, 12);
	CHECK_EQ(order_to(&r, 0, SWB_ACT_SEND_CLOSE)->a, SWBLOCK_REASON_LSN_GAP);
	CHECK(!order(&r, SWB_ACT_TRUNCATE));
	replica_with_tail();
	rig_start(&r, 7, 11, 12);
	CHECK_EQ(order_to(&r, 0, SWB_ACT_SEND_CLOSE)->a, SWBLOCK_REASON_LSN_GAP);
	replica_with_tail();
	r.c.d.extent_hi = 11;
	rig_start(&r, 7, 10, 12);
	CHECK_EQ(order_to(&r, 0, SWB_ACT_SEND_CLOSE)->a, SWBLOCK_REASON_BELOW_EXTENT);
}

TEST(test_step_link_lost_in_truncation, "a cut stands though its session "
	"has ended, and the next session starts from it")
{
	struct swb_facts f;

	replica_with_tail();
	rig_start(&r, 7, 10, 12);
	STEP(&r, .type = SWB_EV_LINK_LOST, .peer = 0, .reason = SWBLOCK_REASON_TIMEOUT);
	rig_link(&r, 0);
	f = primary_facts_of(&r, 10, 12);
	rig_open(&r, 8, &f);	/* the cut is not done: no facts yet */
	CHECK(!order(&r, SWB_ACT_SEND_FACTS));
	STEP(&r, .type = SWB_EV_LOG_TRUNCATED, .lsn = 10);
	CHECK(!order(&r, SWB_ACT_SEND_ACK));
	CHECK_EQ(r.c.log.head, 10);
	rig_link(&r, 0);
	rig_open(&r, 9, &f);
	CHECK(order(&r, SWB_ACT_SEND_FACTS));
	rig_start(&r, 9, 10, 12);
	CHECK(order(&r, SWB_ACT_SEND_ACK));
}

TEST(test_step_adopt_waits_for_truncation, "an adoption reports the cut "
	"log, not the one before")
{
	replica_with_tail();
	rig_start(&r, 7, 10, 12);
	rig_order_adopt(&r, 5);
	CHECK(!order(&r, SWB_ACT_SAVE_SUPER));
	STEP(&r, .type = SWB_EV_LOG_TRUNCATED, .lsn = 10);
	CHECK(order(&r, SWB_ACT_SAVE_SUPER));
	CHECK(!order(&r, SWB_ACT_SEND_ACK));
	rig_saved(&r);
	CHECK_EQ(report_of_rig(&r).durable, 10);
}

TEST(test_step_stray_truncated, "a truncation nobody ordered changes nothing")
{
	replica();
	STEP(&r, .type = SWB_EV_LOG_TRUNCATED, .lsn = 3);
	CHECK_EQ(r.c.log.head, 10);
}

TEST(test_step_data_refusals, "data enters the log in order, in its session "
	"and epoch, and its epochs are those of the primary's lineage")
{
	replica();
	CHECK_EQ(swb_core_check_data(&r.c, 0, 7, 2, 11, 1, 2), SWBLOCK_REASON_STALE_SESSION);
	rig_stream(&r);
#define DATA(session, epoch, first, n, rec) \
	swb_core_check_data(&r.c, 0, session, epoch, first, n, rec)
	CHECK_EQ(DATA(7, 2, 11, 1, 2), SWBLOCK_REASON_NONE);
	CHECK_EQ(DATA(6, 2, 11, 1, 2), SWBLOCK_REASON_STALE_SESSION);
	CHECK_EQ(DATA(0, 2, 11, 1, 2), SWBLOCK_REASON_STALE_SESSION);
	CHECK_EQ(DATA(7, 1, 11, 1, 2), SWBLOCK_REASON_STALE_EPOCH);
	CHECK_EQ(DATA(7, 3, 11, 1, 2), SWBLOCK_REASON_NEWER_EPOCH);
	CHECK_EQ(DATA(7, 2, 12, 1, 2), SWBLOCK_REASON_LSN_GAP);
	CHECK_EQ(DATA(7, 2, 10, 1, 2), SWBLOCK_REASON_LSN_GAP);
	CHECK_EQ(DATA(7, 2, 11, 0, 2), SWBLOCK_REASON_BAD_LENGTH);
	CHECK_EQ(DATA(7, 2, 11, 129, 2), SWBLOCK_REASON_BAD_LENGTH);
	CHECK_EQ(DATA(7, 2, 11, 1, 0), SWBLOCK_REASON_EPOCH_FALLS);
	CHECK_EQ(DATA(7, 2, 11, 1, 1), SWBLOCK_REASON_EPOCH_FALLS);
	CHECK_EQ(DATA(7, 2, 11, 1, 3), SWBLOCK_REASON_EPOCH_FALLS);
	CHECK_EQ(swb_core_check_data(&r.c, 1, 7, 2, 11, 1, 2), SWBLOCK_REASON_NO_ROLE);
	CHECK_EQ(swb_core_check_data(&r.c, 9, 7, 2, 11, 1, 2), SWBLOCK_REASON_NO_ROLE);
	r.c.primary_facts.lineage.count = 0;	/* a table that says nothing */
	CHECK_EQ(DATA(7, 2, 11, 1, 3), SWBLOCK_REASON_EPOCH_FALLS);
	STEP(&r, .type = SWB_EV_DISK_FAILED);
	CHECK(DATA(7, 2, 11, 1, 2) != SWBLOCK_REASON_NONE);
}

TEST(test_step_last_frame_lost, "a PING that counts more records than came shows "
	"the gap, though no record follows it (I-061)")
{
	replica();
	rig_stream(&r);
	rig_data(&r, 7, 2, 2);
	STEP(&r, .type = SWB_EV_PEER_PINGED, .peer = 0, .session = 7, .epoch = 2,
	     .u.ping.next = 13);
	CHECK(!order(&r, SWB_ACT_CLOSE_LINK));
	STEP(&r, .type = SWB_EV_PEER_PINGED, .peer = 0, .session = 7, .epoch = 2,
	     .u.ping.next = 14);
	CHECK_EQ(order_to(&r, 0, SWB_ACT_SEND_CLOSE)->a, SWBLOCK_REASON_LSN_GAP);
	primary(&all2);
	CHECK_EQ(swb_core_sent_next(&r.c, 1), 0);
	rig_match(&r, 1, 10);
	CHECK_EQ(swb_core_sent_next(&r.c, 1), 12);
	CHECK_EQ(swb_core_sent_next(&r.c, 0), 0);
}

TEST(test_step_start_repeated, "a second START of a session is counted and "
	"inert (I-090)")
{
	replica();
	rig_stream(&r);
	rig_data(&r, 7, 1, 2);
	rig_start(&r, 7, 10, 11);
	CHECK_EQ(r.out.count, 0);
	CHECK_EQ(r.c.refused[SWBLOCK_REASON_BAD_TYPE], 1);
}

TEST(test_step_new_open_ends_old_session, "a new OPEN ends the live session "
	"before its FACTS leave (I-096), an old id does not come back")
{
	struct swb_facts f;
	u32 generation;

	replica();
	rig_stream(&r);
	generation = r.c.log.generation;
	f = primary_facts_of(&r, 10, 11);
	rig_open(&r, 8, &f);
	CHECK_EQ(value(&r, SWB_ACT_SEND_FACTS), 8);
	CHECK(r.c.log.generation != generation);	/* P5 */
	CHECK(!r.c.peer[0].matched);
	CHECK_EQ(rig_data(&r, 7, 1, 2), SWBLOCK_REASON_STALE_SESSION);
	rig_open(&r, 8, &f);
	CHECK_EQ(order_to(&r, 0, SWB_ACT_SEND_CLOSE)->a, SWBLOCK_REASON_STALE_SESSION);
}

TEST(test_step_closed_needs_rebuild, "a replica that is told it needs a "
	"rebuild shows it")
{
	replica();
	rig_stream(&r);
	STEP(&r, .type = SWB_EV_PEER_CLOSED, .peer = 0,
	     .reason = SWBLOCK_REASON_NEEDS_REBUILD, .epoch = 2);
	CHECK_EQ(r.c.peer[0].state, SWBLOCK_PEER_NEEDS_REBUILD);
	CHECK(r.c.conditions & SWBLOCK_COND_NEEDS_REBUILD);
	CHECK(order_to(&r, 0, SWB_ACT_CLOSE_LINK));
	rig_link(&r, 0);
	CHECK(r.c.conditions & SWBLOCK_COND_NEEDS_REBUILD);
}

TEST(test_step_void_replica_sends_facts, "a void replica answers OPEN, so "
	"that the primary can name the case; it takes no START")
{
	struct swb_facts f;

	setup(1, 10);
	r.c.d.flags |= SWB_SUPER_INCONSISTENT;
	rig_replica(&r, 2, &all2);
	rig_link(&r, 0);
	f = primary_facts_of(&r, 10, 11);
	rig_open(&r, 7, &f);
	CHECK(order(&r, SWB_ACT_SEND_FACTS));
	swb_core_own_facts(&r.c, 0, &f);
	CHECK_EQ(f.flags, SWB_FACT_INCONSISTENT);
	rig_start(&r, 7, 10, 11);
	CHECK_EQ(order_to(&r, 0, SWB_ACT_SEND_CLOSE)->a, SWBLOCK_REASON_NEEDS_REBUILD);
}

TEST(test_step_random_events, "any sequence of facts, also absurd ones, "
	"breaks no invariant and never fills the list of orders")
{
	static struct swb_facts f;
	u32 most = 0;

	for (int life = 0; life < 300; life++) {
		struct swb_cert cert;

		setup(life & 1, 10);
		for (int i = 0; i < 400; i++) {
			const struct swb_log *l = &r.c.log;
			u8 peer = (u8)rnd_below(4);
			struct swb_event ev = {
				.type = (enum swb_event_type)rnd_below(SWB_EV_COUNT + 1),
				.peer = peer, .reason = (u32)rnd_below(__SWBLOCK_REASON_MAX),
				.now_ns = r.now += rnd_below(300 * MSEC),
				.session = rnd_below(3) ? r.c.peer[peer].session : rnd_below(2000),
				.epoch = r.c.d.epoch + rnd_below(3) - (rnd_below(8) == 0),
				.lsn = rnd_below(3) ? l->head : rnd_below(30),
				.lsn2 = rnd_below(20),
				.generation = l->generation - (rnd_below(4) == 0),
			};
			u64 session;

			f = facts_like(&r, peer, rnd_below(l->head + 1));
			f.adopted = ev.epoch;
			switch (ev.type) {
			case SWB_EV_ADOPT_ORDERED:
				ev.u.adopt.store = store_of(0);
				ev.u.adopt.store_generation = 1;
				break;
			case SWB_EV_ASSIGNED:
				ev.u.assign.primary = uuid_of((u32)rnd_below(3));
				ev.u.assign.config = rnd_below(2) ? &all2 : &all3;
				break;
			case SWB_EV_CERTIFIED:
				cert = cert_of(&r, ev.epoch, rnd_below(2) ? &all2 : &best2);
				ev.u.cert.cert = &cert;
				ev.u.cert.lease_end_ns = rnd_below(2) ? 0 : r.now + 900 * MSEC;
				break;
			case SWB_EV_PEER_OPENED:
			case SWB_EV_PEER_FACTS:
				ev.u.facts = &f;
				break;
			case SWB_EV_PEER_STARTED:
				ev.u.start.truncate_to = rnd_below(l->head + 2);
				ev.u.start.from = ev.u.start.truncate_to + 1;
				ev.u.start.target = l->head + 2;
				break;
			case SWB_EV_PEER_ACKED:
				ev.u.ack.received = rnd_below(l->head + 3);
				ev.u.ack.written = rnd_below(ev.u.ack.received + 1);
				ev.u.ack.durable = rnd_below(ev.u.ack.written + 1);
				break;
			case SWB_EV_PEER_PINGED:
				ev.u.ping.committed = rnd_below(l->head + 3);
				ev.u.ping.flush_lsn = rnd_below(l->head + 3);
				break;
			case SWB_EV_DISK_FAILED:
				if (rnd_below(10))
					continue;
				break;
			case SWB_EV_LEASE_SET:
				ev.u.lease.end_ns = rnd_below(2) ? 0 : r.now + 300 * MSEC;
				break;
			case SWB_EV_DEMOTE_ORDERED: case SWB_EV_LINKED:
			case SWB_EV_UNLINK_ORDERED: case SWB_EV_LINK_LOST:
			case SWB_EV_PEER_CLOSED: case SWB_EV_LOG_WRITTEN:
			case SWB_EV_LOG_FLUSHED: case SWB_EV_LOG_TRUNCATED:
			case SWB_EV_SUPER_SAVED: case SWB_EV_BARRIER_WANTED:
			case SWB_EV_SUSPEND_ORDERED:
			case SWB_EV_LAST_CLOSED: case SWB_EV_TICK: case SWB_EV_COUNT:
			case SWB_EV_REBUILD_ORDERED: case SWB_EV_REBUILD_PREPARED:
			case SWB_EV_BASE_SENT: case SWB_EV_PEER_BASE_ENDED:
			case SWB_EV_REBUILD_CLEARED:
				break;
			case SWB_EV_EXTENT_GROWN:
				ev.lsn = r.c.d.extent_bytes + 4096 * rnd_below(2);
				break;
			case SWB_EV_CHECKPOINTED:
				ev.lsn = swb_core_writeback_limit(&r.c);
				ev.lsn2 = rnd_below(ev.lsn + 2);
				break;
			}
			swb_core_step(&r.c, &ev, &r.out);
			most = r.out.count > most ? r.out.count : most;
			CHECK(l->durable <= l->written && l->written <= l->head);
			CHECK(r.c.d.opened <= r.c.d.epoch);
			CHECK(r.c.d.extent_lo <= r.c.d.extent_hi);
			CHECK(swb_lineage_valid(&r.c.d.lineage));
			if (test_failures) {
				printf("# after %s\n", swb_text_event(ev.type));
				return;
			}
			CHECK(swb_core_trim_limit(&r.c, true) <= r.c.d.extent_lo);
			CHECK(r.c.role != SWBLOCK_ROLE_PRIMARY ||
			      r.c.d.opened == r.c.d.epoch);
			if (swb_core_admit(&r.c, r.now) == SWB_ADMIT_OK)
				swb_core_append(&r.c, 1 + (u32)rnd_below(3));
			if (swb_core_ship_from(&r.c, peer, &session))
				swb_core_shipped(&r.c, peer, session, l->head + 1, r.now);
			if (r.c.role == SWBLOCK_ROLE_REPLICA)
				rig_data(&r, r.c.peer[0].session, 1, r.c.d.epoch);
		}
	}
	CHECK(most < SWB_ACTIONS_MAX / 2);
	printf("# most orders in a step: %u\n", most);
}
