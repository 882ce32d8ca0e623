// SPDX-License-Identifier: GPL-2.0-only
/* Leaves of the request path, and the accounts a member gives of itself. */
#include "rig.h"

static struct rig r;
static struct swb_config all2;

static void primary(void)
{
	all2 = config_of(SWBLOCK_MODE_SYNC_ALL, SWBLOCK_POLICY_RECEIVED, 2);
	rig_init(&r, 0, 10);
	rig_promote(&r, 2, &all2);
}

TEST(test_admit_lsn_dense, "LSNs are dense, and a barrier covers every one "
	"given out before (I-122, I-018, G1)")
{
	u64 next = 12;

	primary();
	for (u32 n = 1; n < 100; n++) {
		CHECK_EQ(swb_core_append(&r.c, n), next);
		next += n;
		CHECK_EQ(swb_core_barrier_target(&r.c), next - 1);
	}
}

TEST(test_admit_by_role, "writes and reads enter only at a primary that is "
	"not held (I-025)")
{
	all2 = config_of(SWBLOCK_MODE_SYNC_ALL, SWBLOCK_POLICY_RECEIVED, 2);
	rig_init(&r, 1, 10);
	CHECK_EQ(swb_core_admit(&r.c, 0), SWB_ADMIT_FAIL);
	rig_replica(&r, 2, &all2);
	CHECK_EQ(swb_core_admit(&r.c, 0), SWB_ADMIT_FAIL);
	CHECK_EQ(swb_core_read_ok(&r.c, 0), SWB_ADMIT_FAIL);
	primary();
	CHECK_EQ(swb_core_admit(&r.c, 0), SWB_ADMIT_OK);
	r.c.lease_end_ns = 100;
	CHECK_EQ(swb_core_admit(&r.c, 99), SWB_ADMIT_OK);
	CHECK_EQ(swb_core_admit(&r.c, 100), SWB_ADMIT_PARK);
	CHECK_EQ(swb_core_read_ok(&r.c, 100), SWB_ADMIT_PARK);
}

TEST(test_admit_ship_cursor, "one cursor per peer: in order, in its "
	"session, never past the head (I-123, I-154)")
{
	u64 session, other;

	primary();
	CHECK_EQ(swb_core_ship_from(&r.c, 1, &session), 0);
	rig_match(&r, 1, 5);		/* the rig has shipped 6..11 */
	CHECK_EQ(swb_core_ship_from(&r.c, 1, &session), 0);
	swb_core_append(&r.c, 3);
	CHECK_EQ(swb_core_ship_from(&r.c, 1, &session), 12);
	CHECK_EQ(session, r.c.peer[1].session);
	swb_core_shipped(&r.c, 1, session - 1, 14, 0);	/* of a dead session */
	CHECK_EQ(swb_core_ship_from(&r.c, 1, &other), 12);
	swb_core_shipped(&r.c, 1, session, 14, 0);
	CHECK_EQ(swb_core_ship_from(&r.c, 1, &other), 14);
	swb_core_shipped(&r.c, 1, session, 13, 0);	/* never back */
	CHECK_EQ(swb_core_ship_from(&r.c, 1, &other), 14);
	CHECK_EQ(swb_core_ship_from(&r.c, 0, &other), 0);
	CHECK_EQ(swb_core_ship_from(&r.c, 9, &other), 0);
	swb_core_shipped(&r.c, 9, session, 14, 0);
	CHECK_EQ(swb_core_flush_wanted(&r.c, 9), 0);
	STEP(&r, .type = SWB_EV_LINK_LOST, .peer = 1);
	CHECK_EQ(swb_core_ship_from(&r.c, 1, &other), 0);
}

TEST(test_admit_received_epochs, "received records extend the lineage where "
	"an epoch begins, marked or not (P18, I-223)")
{
	struct swb_facts f;

	all2 = config_of(SWBLOCK_MODE_SYNC_ALL, SWBLOCK_POLICY_RECEIVED, 2);
	rig_init(&r, 1, 10);
	rig_replica(&r, 9, &all2);
	rig_link(&r, 0);
	f = facts_like(&r, 0, 10);
	swb_lineage_open(&f.lineage, 4, 11, 0);
	swb_lineage_open(&f.lineage, 7, 13, SWB_LINEAGE_OVERRIDE);
	swb_lineage_open(&f.lineage, 9, 20, 0);
	f.log_end = 20;
	f.last_epoch = 9;
	rig_open(&r, 7, &f);
	rig_start(&r, 7, 10, 20);
	CHECK_EQ(rig_data(&r, 7, 3, 4), SWBLOCK_REASON_EPOCH_FALLS);	/* 13 is of 7 */
	CHECK_EQ(rig_data(&r, 7, 2, 4), SWBLOCK_REASON_NONE);
	CHECK_EQ(rig_data(&r, 7, 1, 4), SWBLOCK_REASON_EPOCH_FALLS);
	swb_core_received(&r.c, 0, 5, 7, 7, false);	/* the mark is not needed */
	CHECK_EQ(rig_data(&r, 7, 1, 9), SWBLOCK_REASON_NONE);
	CHECK_EQ(r.c.log.head, 20);
	CHECK_EQ(r.c.d.lineage.count, 4);
	CHECK_EQ(r.c.d.lineage.e[2].first_lsn, 13);
	CHECK_EQ(r.c.d.lineage.e[2].flags, SWB_LINEAGE_OVERRIDE);
	CHECK_EQ(r.c.d.lineage.e[3].epoch, 9);
	CHECK(swb_lineage_valid(&r.c.d.lineage));
}

TEST(test_admit_forgotten_epoch, "the log of a copy that begins below the source's table: "
	"an epoch is not said to begin where it is only first seen (P18, I-223)")
{
	all2 = config_of(SWBLOCK_MODE_SYNC_ALL, SWBLOCK_POLICY_RECEIVED, 2);
	rig_init(&r, 1, 10);
	rig_replica(&r, 9, &all2);
	memset(&r.c.d.lineage, 0, sizeof(r.c.d.lineage));
	r.c.log.last_epoch = 0;
	swb_core_received(&r.c, 0, 5, 3, 4, false);
	CHECK_EQ(r.c.log.last_epoch, 4);
	CHECK_EQ(r.c.d.lineage.count, 0);
	swb_core_received(&r.c, 0, 5, 1, 5, true);
	CHECK_EQ(r.c.d.lineage.count, 1);
	CHECK_EQ(r.c.d.lineage.e[0].first_lsn, 14);
}

TEST(test_admit_own_facts, "facts are what the core holds, known C among "
	"them, whatever the apply side says")
{
	struct swb_facts f;

	primary();
	rig_written(&r, 11);
	rig_flushed(&r, 11);
	r.c.d.committed = 9;
	swb_core_own_facts(&r.c, 1, &f);
	CHECK_EQ(f.log_end, 11);
	CHECK_EQ(f.durable, 11);
	CHECK_EQ(f.adopted, 2);
	CHECK_EQ(f.last_epoch, 2);
	CHECK_EQ(f.committed, 9);
	CHECK_EQ(f.lineage.count, 2);
	CHECK(swb_uuid_equal(&f.peer, &all2.member[1]));
	swb_core_own_facts(&r.c, SWB_NOBODY, &f);
	CHECK(swb_uuid_is_null(&f.peer));
}

TEST(test_admit_member_index, "a replica id has one index, or none")
{
	struct swb_config cfg = config_of(SWBLOCK_MODE_SYNC_ALL,
					  SWBLOCK_POLICY_LOCAL, 7);
	struct swb_uuid u;

	for (u32 i = 0; i < 7; i++) {
		u = uuid_of(i);
		CHECK_EQ(swb_core_member_index(&cfg, &u), i);
	}
	u = uuid_of(7);
	CHECK_EQ(swb_core_member_index(&cfg, &u), SWB_NOBODY);
	cfg.member_count = 200;		/* never trusted beyond the array */
	CHECK_EQ(swb_core_member_index(&cfg, &u), SWB_NOBODY);
}

TEST(test_admit_trim_limit_of_replica, "a replica trims by its own extent_lo")
{
	all2 = config_of(SWBLOCK_MODE_SYNC_ALL, SWBLOCK_POLICY_RECEIVED, 2);
	rig_init(&r, 1, 10);
	r.c.d.extent_lo = 4;
	CHECK_EQ(swb_core_trim_limit(&r.c, false), 4);
	CHECK_EQ(swb_core_trim_limit(&r.c, true), 4);
}
