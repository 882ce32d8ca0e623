// SPDX-License-Identifier: GPL-2.0-only
/* The controller's member table, complete, and its facts. */
#include "harness.h"
#include "decide.h"

#define SEC	1000000000ULL

static struct swb_member_view mv;
static struct swb_member_decision md;

/* ---- the member table -------------------------------------------------- */

static u8 expected_member(const struct swb_member_facts *f)
{
	if (!f->known)
		return 'I';
	if (f->ahead)
		return 'D';
	if (f->behind)
		return f->serving ? 'F' : 'B';
	if (f->won)
		return f->report_stored ? 'E' : 'C';
	if (!f->member)
		return 'R';
	if (f->granted && f->serving)
		return f->renew ? 'N' : f->link ? 'L' : f->rebuild ? 'M' :
		       f->waits ? 'P' : 'A';
	if (f->granted && f->opened)
		return 'H';
	if (f->granted && f->stopped)
		return 'S';
	if (f->granted && f->void_copy)
		return 'V';
	if (f->backoff)
		return 'W';
	if (f->granted)
		return 'G';
	if (!f->replica)
		return f->report_stored ? 'J' : 'C';
	return f->config_known ? 'A' : 'K';
}

static u8 member_order_of(u8 letter)
{
	switch (letter) {
	case 'B': case 'C': case 'F':
		return SWB_MEMBER_ADOPT;
	case 'G':
		return SWB_MEMBER_PROMOTE;
	case 'J': case 'K':
		return SWB_MEMBER_ASSIGN;
	case 'L':
		return SWB_MEMBER_LINK;
	case 'M':
		return SWB_MEMBER_REBUILD;
	case 'N':
		return SWB_MEMBER_RENEW;
	}
	return SWB_MEMBER_NOTHING;
}

TEST(test_decide_member_every_combination, "each of 2^18 combinations of facts "
	"about a member has exactly the tabled letter")
{
	static const char letters[] = "ABCDEFGHIJKLMNPRSVW";
	static u32 seen[128];

	for (u32 n = 0; n < 1U << SWB_MEMBER_FACTS; n++) {
		struct swb_member_facts f = {
			.known = n & 1, .behind = n & 2, .ahead = n & 4,
			.serving = n & 8, .won = n & 0x10,
			.report_stored = n & 0x20, .member = n & 0x40,
			.granted = n & 0x80, .opened = n & 0x100,
			.stopped = n & 0x200, .void_copy = n & 0x400,
			.backoff = n & 0x800, .replica = n & 0x1000,
			.config_known = n & 0x2000, .renew = n & 0x4000,
			.link = n & 0x8000, .rebuild = n & 0x10000,
			.waits = n & 0x20000,
		};
		struct swb_member_decision m;

		swb_decide_member_judge(&f, &m);
		CHECK_EQ(m.letter, expected_member(&f));
		CHECK_EQ(m.order, member_order_of(m.letter));
		seen[m.letter]++;
	}
	for (u32 i = 0; i < sizeof(letters) - 1; i++)
		CHECK(seen[(u8)letters[i]]);
}

/* ---- situations -------------------------------------------------------- */

static struct swb_uuid uuid_of(u32 n)
{
	struct swb_uuid u = { { 0xaa, (u8)(n + 1) } };

	return u;
}

/* member 0 is the primary of epoch 5, two peers, a lease of 9 s that ends in 8 */
static void primary_here(void)
{
	struct swb_authority *a = &mv.authority;

	memset(&mv, 0, sizeof(mv));
	mv.now_ns = 1000 * SEC;
	mv.read_ns = mv.now_ns - SEC / 10;
	a->epoch = 5;
	a->last_epoch = 5;
	a->phase = SWB_PHASE_SETTLED;
	a->primary = uuid_of(0);
	a->lease_ms = 9000;
	a->config = (struct swb_config){
		.mode = SWBLOCK_MODE_SYNC_ALL, .policy = SWBLOCK_POLICY_LOCAL,
		.member_count = 3, .required = 7,
		.member = { uuid_of(0), uuid_of(1), uuid_of(2) },
	};
	a->judge_count = 1;
	a->judge[0] = a->config;
	a->wish_done = 3;
	mv.self = (struct swb_member_state){
		.replica = uuid_of(0), .known = true,
		.role = SWBLOCK_ROLE_PRIMARY, .epoch = 5, .opened = 5,
		.settled = true,
	};
	mv.config_known = true;
	mv.lease_end_ns = mv.now_ns + 8 * SEC;
	mv.peer_count = 2;
	for (u32 i = 0; i < 2; i++)
		mv.peer[i] = (struct swb_member_peer){
			.replica = uuid_of(i + 1),
			.state = SWBLOCK_PEER_IN_SYNC, .linked = true,
			.reachable = true, .ready = true,
		};
	mv.tune = (struct swb_decide_tune){
		.silence_ns = 3 * SEC, .collect_ns = 2 * SEC, .turn_ns = SEC,
		.margin_ns = SEC / 2, .clock_ppm = 200, .backoff_ns = 4 * SEC,
	};
}

#define MEMBER(l, o)							\
	do {								\
		swb_decide_member(&mv, &md);				\
		CHECK_EQ(md.letter, l);					\
		CHECK_EQ(md.order, SWB_MEMBER_##o);			\
	} while (0)

TEST(test_decide_member_lease, "the lease is renewed when a third of it is over, from "
	"the start of the read that showed the grant; an old read prolongs nothing (P13)")
{
	primary_here();
	MEMBER('A', NOTHING);
	CHECK_EQ(md.until_ns, mv.now_ns + 2 * SEC);
	mv.now_ns += 2 * SEC;
	mv.read_ns = mv.now_ns - SEC / 10;
	MEMBER('N', RENEW);
	CHECK_EQ(md.lease_end_ns, mv.read_ns + 9 * SEC);
	mv.read_ns = mv.now_ns - 9 * SEC;
	MEMBER('A', NOTHING);
	mv.authority.epoch = 6;
	mv.authority.phase = SWB_PHASE_WON;
	MEMBER('F', ADOPT);
	CHECK_EQ(md.epoch, 6);
}

TEST(test_decide_member_links, "the primary's host links who is ready; after links that "
	"ended early the next one waits, doubled each time (I-206)")
{
	primary_here();
	mv.peer[1].linked = false;
	MEMBER('L', LINK);
	CHECK_EQ(md.peer, 1);
	mv.peer[1].failed = 2;
	mv.peer[1].failed_ns = mv.now_ns - 7 * SEC;
	MEMBER('P', NOTHING);
	CHECK_EQ(md.until_ns, mv.now_ns + SEC);		/* 4 s, doubled once */
	mv.peer[1].failed_ns -= SEC;
	MEMBER('L', LINK);
	mv.peer[1].ready = false;
	MEMBER('A', NOTHING);
	mv.self.role = SWBLOCK_ROLE_REPLICA;
	mv.authority.primary = uuid_of(1);
	mv.peer[1].ready = true;
	MEMBER('A', NOTHING);
}

TEST(test_decide_member_rebuild, "a peer that needs a rebuild gets it, unless it is "
	"required: then it leaves the set first (P10 vii)")
{
	primary_here();
	mv.peer[0].state = SWBLOCK_PEER_NEEDS_REBUILD;
	mv.auto_rebuild = true;
	MEMBER('A', NOTHING);
	mv.authority.config.required = 5;
	MEMBER('M', REBUILD);
	CHECK_EQ(md.peer, 0);
	mv.auto_rebuild = false;
	MEMBER('A', NOTHING);
}

TEST(test_decide_member_failed_disk, "a peer that has said that its disk has failed gets no "
	"rebuild and no link, until its state says that the disk is well again (P17a)")
{
	primary_here();
	mv.authority.config.required = 5;
	mv.auto_rebuild = true;
	mv.peer[0].state = SWBLOCK_PEER_NEEDS_REBUILD;
	mv.peer[0].flags = SWBLOCK_REPORT_DISK_FAILED;
	MEMBER('M', REBUILD);		/* the primary has not heard it itself */
	mv.peer[0].reason = SWBLOCK_REASON_DISK_FAILED;
	MEMBER('A', NOTHING);
	mv.peer[0].linked = false;	/* a rebuild was ordered before */
	MEMBER('A', NOTHING);
	mv.peer[1].state = SWBLOCK_PEER_NEEDS_REBUILD;
	mv.authority.config.required = 1;
	MEMBER('M', REBUILD);
	CHECK_EQ(md.peer, 1);
	mv.peer[1].state = SWBLOCK_PEER_IN_SYNC;
	mv.peer[0].flags = 0;
	MEMBER('M', REBUILD);
	CHECK_EQ(md.peer, 0);
	mv.peer[0].flags = SWBLOCK_REPORT_DISK_FAILED;
	mv.peer[0].state = SWBLOCK_PEER_DETACHED;	/* its link ended: it has yet to tell */
	MEMBER('L', LINK);
}

TEST(test_decide_member_newcomer_first, "while an older configuration is judged, who has "
	"a vote there keeps his copy until the newcomer, who has none, is copied (P1, P10)")
{
	primary_here();
	mv.auto_rebuild = true;
	mv.authority.config.mode = SWBLOCK_MODE_SYNC_QUORUM;
	mv.authority.judge[0] = mv.authority.config;
	mv.authority.judge[1] = mv.authority.config;
	mv.authority.config.member[2] = uuid_of(9);
	mv.authority.judge[1].member[2] = uuid_of(9);
	mv.authority.judge_count = 2;
	mv.authority.phase = SWB_PHASE_GRANTED;
	mv.peer[1].replica = uuid_of(9);
	mv.peer[0].state = SWBLOCK_PEER_NEEDS_REBUILD;
	mv.peer[1].state = SWBLOCK_PEER_OPENING;
	MEMBER('A', NOTHING);
	mv.peer[1].state = SWBLOCK_PEER_NEEDS_REBUILD;
	MEMBER('M', REBUILD);
	CHECK_EQ(md.peer, 1);
	mv.peer[1].state = SWBLOCK_PEER_REBUILDING;
	MEMBER('A', NOTHING);
	mv.peer[1].state = SWBLOCK_PEER_IN_SYNC;
	MEMBER('M', REBUILD);
	CHECK_EQ(md.peer, 0);
	mv.peer[1].state = SWBLOCK_PEER_DETACHED;	/* not there: no waiting for it */
	mv.peer[1].reachable = false;
	MEMBER('M', REBUILD);
	mv.peer[1].reachable = true;
	mv.peer[1].state = SWBLOCK_PEER_NEEDS_REBUILD;	/* nor for one without a disk */
	mv.peer[1].reason = SWBLOCK_REASON_DISK_FAILED;
	mv.peer[1].flags = SWBLOCK_REPORT_DISK_FAILED;
	MEMBER('M', REBUILD);
	CHECK_EQ(md.peer, 0);
	mv.authority.phase = SWB_PHASE_SETTLED;
	mv.peer[1].state = SWBLOCK_PEER_REBUILDING;
	MEMBER('M', REBUILD);
	CHECK_EQ(md.peer, 0);
}

TEST(test_decide_member_opens_once, "a granted member is promoted until it has opened "
	"the epoch; not when stopped, void, refused a moment ago, or by an old read")
{
	primary_here();
	mv.self.role = SWBLOCK_ROLE_NONE;
	mv.self.opened = 4;
	MEMBER('G', PROMOTE);
	CHECK_EQ(md.lease_end_ns, mv.read_ns + 9 * SEC);
	mv.failed = 1;
	mv.failed_ns = mv.now_ns;
	MEMBER('W', NOTHING);
	mv.failed = 0;
	mv.read_ns = mv.now_ns - 9 * SEC;
	MEMBER('W', NOTHING);
	mv.self.flags = SWBLOCK_REPORT_DISK_FAILED;
	MEMBER('V', NOTHING);
	mv.stopped = true;
	MEMBER('S', NOTHING);
	mv.self.opened = 5;
	MEMBER('H', NOTHING);
	mv.authority.primary = uuid_of(1);
	mv.read_ns = mv.now_ns;
	MEMBER('C', ADOPT);	/* nobody follows whom the store does not know */
	CHECK_EQ(md.epoch, 5);
	mv.report_stored = true;
	MEMBER('J', ASSIGN);
	mv.self.role = SWBLOCK_ROLE_REPLICA;
	mv.config_known = false;
	MEMBER('K', ASSIGN);
	mv.self.replica = uuid_of(6);
	MEMBER('R', NOTHING);
}
