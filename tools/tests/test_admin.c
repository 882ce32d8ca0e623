// SPDX-License-Identifier: GPL-2.0-only
/* Suspend and resume by the operator; growing a member. */
#include "rig.h"

static struct rig r;
static struct swb_config all2, best2;

static void primary(const struct swb_config *cfg)
{
	rig_init(&r, 0, 10);
	rig_promote(&r, 2, cfg);
	rig_written(&r, 11);
	rig_flushed(&r, 11);
}

static void setup(void)
{
	all2 = config_of(SWBLOCK_MODE_SYNC_ALL, SWBLOCK_POLICY_WRITTEN, 2);
	best2 = config_of(SWBLOCK_MODE_BEST_EFFORT, SWBLOCK_POLICY_LOCAL, 2);
}

static void suspend(bool on)
{
	STEP(&r, .type = SWB_EV_SUSPEND_ORDERED, .lsn = on);
}

static void grow(u64 bytes)
{
	STEP(&r, .type = SWB_EV_EXTENT_GROWN, .lsn = bytes);
}

TEST(test_admin_suspend, "suspended: nothing is admitted, what was admitted "
	"completes; resumed: all goes on")
{
	setup();
	primary(&all2);
	rig_match(&r, 1, 10);
	suspend(true);
	CHECK(order(&r, SWB_ACT_HOLD_IO));
	CHECK(r.c.conditions & SWBLOCK_COND_SUSPENDED_ADMIN);
	CHECK_EQ(swb_core_admit(&r.c, r.now), SWB_ADMIT_PARK);
	CHECK_EQ(swb_core_read_ok(&r.c, r.now), SWB_ADMIT_PARK);
	STEP(&r, .type = SWB_EV_BARRIER_WANTED, .lsn = 11);
	rig_ack(&r, 1, 11, 11, 11);
	CHECK_EQ(value(&r, SWB_ACT_COMPLETE_BARRIERS), 11);
	CHECK_EQ(value(&r, SWB_ACT_COMPLETE_WRITES), 11);
	suspend(true);
	CHECK(!order(&r, SWB_ACT_HOLD_IO));
	suspend(false);
	CHECK(order(&r, SWB_ACT_RESUME_IO));
	CHECK(!(r.c.conditions & SWBLOCK_COND_SUSPENDED_ADMIN));
	CHECK_EQ(swb_core_admit(&r.c, r.now), SWB_ADMIT_OK);
	suspend(false);
	CHECK(!order(&r, SWB_ACT_RESUME_IO));
}

TEST(test_admin_suspend_and_lease, "a renewed lease does not lift the operator's "
	"hold, nor a resume the lease's (P13)")
{
	struct swb_cert cert;

	setup();
	rig_init(&r, 0, 10);
	rig_adopt(&r, 2);
	cert = cert_of(&r, 2, &best2);
	rig_certify(&r, &cert, r.now + 50 * MSEC);
	rig_saved(&r);
	suspend(true);
	r.now += 60 * MSEC;
	STEP(&r, .type = SWB_EV_TICK);
	CHECK(r.c.conditions & SWBLOCK_COND_SUSPENDED_LEASE);
	STEP(&r, .type = SWB_EV_BARRIER_WANTED, .lsn = 11);
	rig_written(&r, 11);
	rig_flushed(&r, 11);
	CHECK(!order(&r, SWB_ACT_COMPLETE_BARRIERS));	/* I-016 */
	suspend(false);
	CHECK(!order(&r, SWB_ACT_RESUME_IO));
	CHECK_EQ(r.c.io, SWB_IO_HELD);
	suspend(true);
	STEP(&r, .type = SWB_EV_LEASE_SET, .epoch = 2,
	     .u.lease.end_ns = r.now + 50 * MSEC);
	CHECK(!order(&r, SWB_ACT_RESUME_IO));
	CHECK_EQ(swb_core_admit(&r.c, r.now), SWB_ADMIT_PARK);
	suspend(false);
	CHECK(order(&r, SWB_ACT_RESUME_IO));
}

TEST(test_admin_suspend_over_epochs, "the hold goes on under the next grant of "
	"this node, and ends when the grant is lost (P12)")
{
	struct swb_cert cert;

	setup();
	primary(&best2);
	r.c.openers = 1;
	suspend(true);
	rig_adopt(&r, 3);
	cert = cert_of(&r, 3, &best2);
	cert.last_granted = uuid_of(0);
	cert.last_granted_epoch = 2;
	rig_certify(&r, &cert, 0);
	rig_saved(&r);
	CHECK_EQ(r.c.role, SWBLOCK_ROLE_PRIMARY);
	CHECK(!order(&r, SWB_ACT_RESUME_IO));
	CHECK_EQ(swb_core_admit(&r.c, r.now), SWB_ADMIT_PARK);
	suspend(false);
	CHECK(order(&r, SWB_ACT_RESUME_IO));
	suspend(true);
	STEP(&r, .type = SWB_EV_DEMOTE_ORDERED);
	CHECK(order(&r, SWB_ACT_FAIL_IO));
	CHECK_EQ(r.c.hold, 0);
	suspend(true);			/* no primary, nothing to hold */
	CHECK_EQ(r.c.hold, 0);
	CHECK_EQ(r.c.refused[SWBLOCK_REASON_NO_ROLE], 1);
}

TEST(test_admin_grow_replica, "a replica grows at any time; the size is told when "
	"it is saved, in facts and in acks")
{
	struct swb_facts f;
	u64 size;

	setup();
	rig_init(&r, 1, 10);
	rig_replica(&r, 2, &all2);
	size = r.c.d.extent_bytes;
	CHECK_EQ(swb_core_grow_check(&r.c, size - 4096), SWB_GROW_SHRINKS);
	CHECK_EQ(swb_core_grow_check(&r.c, size + 1), SWB_GROW_SIZE);
	CHECK_EQ(swb_core_grow_check(&r.c, (u64)1 << 62), SWB_GROW_SIZE);
	CHECK_EQ(swb_core_grow_check(&r.c, (u64)1 << 50), SWB_GROW_BITMAP);
	grow(size + 8192);
	CHECK(order(&r, SWB_ACT_SAVE_SUPER));
	swb_core_own_facts(&r.c, 0, &f);
	CHECK_EQ(f.extent_bytes, size);
	rig_saved(&r);
	CHECK(!order(&r, SWB_ACT_SET_SIZE));
	swb_core_own_facts(&r.c, 0, &f);
	CHECK_EQ(f.extent_bytes, size + 8192);
	grow(size);
	CHECK(!order(&r, SWB_ACT_SAVE_SUPER));
	CHECK_EQ(r.c.d.extent_bytes, size + 8192);
}

TEST(test_admin_grow_primary_last, "a primary grows when every member is linked "
	"and large enough, and its device with it")
{
	struct swb_facts f;
	u64 size;

	setup();
	primary(&best2);
	size = r.c.d.extent_bytes;
	CHECK_EQ(swb_core_grow_check(&r.c, size + 8192), SWB_GROW_PEERS);
	rig_match(&r, 1, 10);
	CHECK_EQ(swb_core_grow_check(&r.c, size + 8192), SWB_GROW_PEERS);
	grow(size + 8192);
	CHECK(!order(&r, SWB_ACT_SAVE_SUPER));
	STEP(&r, .type = SWB_EV_PEER_ACKED, .peer = 1,
	     .session = r.c.peer[1].session, .epoch = 2,
	     .u.ack.received = 10, .u.ack.extent_bytes = size + 8192);
	CHECK_EQ(swb_core_grow_check(&r.c, size + 12288), SWB_GROW_PEERS);
	CHECK_EQ(swb_core_grow_check(&r.c, size + 8192), SWB_GROW_OK);
	grow(size + 8192);
	CHECK(order(&r, SWB_ACT_SAVE_SUPER));
	CHECK(!order(&r, SWB_ACT_SET_SIZE));
	rig_saved(&r);
	CHECK_EQ(value(&r, SWB_ACT_SET_SIZE), size + 8192);
	/* who is smaller now is refused, who is larger is not */
	f = facts_like(&r, 1, 11);
	f.extent_bytes = size;
	rig_link(&r, 1);
	rig_facts(&r, 1, &f);
	CHECK_EQ(order_to(&r, 1, SWB_ACT_CLOSE_LINK)->a, SWBLOCK_REASON_GEOMETRY);
	f = facts_like(&r, 1, 11);
	f.extent_bytes = size + 16384;
	rig_link(&r, 1);
	rig_facts(&r, 1, &f);
	CHECK(r.c.peer[1].matched);
}

TEST(test_admin_open_of_larger_primary, "a replica refuses a primary that is "
	"larger, and takes one that is smaller")
{
	struct swb_facts f;

	setup();
	for (u32 i = 0; i < 2; i++) {
		rig_init(&r, 1, 10);
		rig_replica(&r, 2, &all2);
		f = primary_facts_of(&r, 10, 11);
		f.extent_bytes += i ? 4096 : -4096;
		rig_link(&r, 0);
		STEP(&r, .type = SWB_EV_PEER_OPENED, .peer = 0, .session = 7,
		     .epoch = 2, .u.facts = &f);
		CHECK_EQ(!!order_to(&r, 0, SWB_ACT_SEND_FACTS), !i);
		CHECK_EQ(r.c.peer[0].state == SWBLOCK_PEER_REFUSED, i);
	}
}

TEST(test_admin_grow_later, "nobody grows while an epoch is adopted or opened, nor "
	"with held I/O of an older one, nor on a failed disk")
{
	u64 size;

	setup();
	primary(&best2);
	size = r.c.d.extent_bytes;
	rig_order_adopt(&r, 3);
	CHECK_EQ(swb_core_grow_check(&r.c, size + 4096), SWB_GROW_LATER);
	rig_saved(&r);
	CHECK_EQ(swb_core_grow_check(&r.c, size + 4096), SWB_GROW_LATER);
	STEP(&r, .type = SWB_EV_DEMOTE_ORDERED);
	CHECK_EQ(swb_core_grow_check(&r.c, size + 4096), SWB_GROW_OK);
	STEP(&r, .type = SWB_EV_DISK_FAILED);
	CHECK_EQ(swb_core_grow_check(&r.c, size + 4096), SWB_GROW_FAILED);
}
