// SPDX-License-Identifier: GPL-2.0-only
/* Reads that the primary's disk fails: who is asked, who answers, what counts. */
#include "rig.h"

static struct rig r;
static struct swb_config all2;

TEST(test_lend_answer, "an answer counts in the matched session of the epoch, and "
	"only at or above what was written back (I-236, I-083, I-023)")
{
	u64 session;

	all2 = config_of(SWBLOCK_MODE_SYNC_ALL, SWBLOCK_POLICY_RECEIVED, 2);
	rig_init(&r, 0, 10);
	CHECK_EQ(swb_core_lend_ask(&r.c, 1), 0);
	rig_promote(&r, 2, &all2);
	CHECK_EQ(swb_core_lend_ask(&r.c, 1), 0);	/* no link */
	CHECK_EQ(swb_core_lend_ask(&r.c, 0), 0);	/* itself */
	CHECK_EQ(swb_core_lend_ask(&r.c, 9), 0);
	rig_match(&r, 1, 5);
	session = swb_core_lend_ask(&r.c, 1);
	CHECK(session);
	r.c.d.extent_lo = 8;
	CHECK_EQ(swb_core_lend_need(&r.c), 8);
	CHECK(swb_core_lent_ok(&r.c, 1, session, 2, 8, 8));
	CHECK(swb_core_lent_ok(&r.c, 1, session, 2, 11, 8));
	CHECK(!swb_core_lent_ok(&r.c, 1, session, 2, 7, 8));
	CHECK(!swb_core_lent_ok(&r.c, 1, session + 1, 2, 8, 8));
	CHECK(!swb_core_lent_ok(&r.c, 1, 0, 2, 8, 8));
	CHECK(!swb_core_lent_ok(&r.c, 1, session, 1, 8, 8));
	STEP(&r, .type = SWB_EV_LINK_LOST, .peer = 1);
	CHECK_EQ(swb_core_lend_ask(&r.c, 1), 0);
	CHECK(!swb_core_lent_ok(&r.c, 1, session, 2, 8, 8));
	CHECK(!swb_core_lent_ok(&r.c, 1, 0, 2, 8, 8));
}

TEST(test_lend_question, "a replica answers its primary, in the matched session, with "
	"a copy that is whole (I-236, I-052)")
{
	struct swb_facts f;

	all2 = config_of(SWBLOCK_MODE_SYNC_ALL, SWBLOCK_POLICY_RECEIVED, 2);
	rig_init(&r, 1, 10);
	CHECK_EQ(swb_core_check_lend(&r.c, 0, 7, 2), SWBLOCK_REASON_NO_ROLE);
	rig_replica(&r, 2, &all2);
	rig_link(&r, 0);
	f = primary_facts_of(&r, 10, 11);
	rig_open(&r, 7, &f);
	CHECK_EQ(swb_core_check_lend(&r.c, 0, 7, 2), SWBLOCK_REASON_STALE_SESSION);
	rig_start(&r, 7, 10, 11);
	CHECK_EQ(swb_core_check_lend(&r.c, 0, 7, 2), SWBLOCK_REASON_NONE);
	CHECK_EQ(swb_core_check_lend(&r.c, 1, 7, 2), SWBLOCK_REASON_NO_ROLE);
	CHECK_EQ(swb_core_check_lend(&r.c, 0, 6, 2), SWBLOCK_REASON_STALE_SESSION);
	CHECK_EQ(swb_core_check_lend(&r.c, 0, 0, 2), SWBLOCK_REASON_STALE_SESSION);
	CHECK_EQ(swb_core_check_lend(&r.c, 0, 7, 1), SWBLOCK_REASON_STALE_EPOCH);
	CHECK_EQ(swb_core_check_lend(&r.c, 0, 7, 3), SWBLOCK_REASON_NEWER_EPOCH);
	r.c.d.flags |= SWB_SUPER_INCONSISTENT;
	CHECK_EQ(swb_core_check_lend(&r.c, 0, 7, 2), SWBLOCK_REASON_NEEDS_REBUILD);
	r.c.d.flags = 0;
	STEP(&r, .type = SWB_EV_LINK_LOST, .peer = 0);
	CHECK_EQ(swb_core_check_lend(&r.c, 0, 7, 2), SWBLOCK_REASON_STALE_SESSION);
}
