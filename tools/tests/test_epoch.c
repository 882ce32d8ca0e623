// SPDX-License-Identifier: GPL-2.0-only
/* Authority: adoption, assignment, opening, lease, step-down, failed disk. */
#include "rig.h"

static struct rig r;
static struct swb_config all2, all3, quorum3, best2;

static void setup(u32 self, u64 head)
{
	all2 = config_of(SWBLOCK_MODE_SYNC_ALL, SWBLOCK_POLICY_RECEIVED, 2);
	all3 = config_of(SWBLOCK_MODE_SYNC_ALL, SWBLOCK_POLICY_RECEIVED, 3);
	quorum3 = config_of(SWBLOCK_MODE_SYNC_QUORUM, SWBLOCK_POLICY_LOCAL, 3);
	best2 = config_of(SWBLOCK_MODE_BEST_EFFORT, SWBLOCK_POLICY_LOCAL, 2);
	rig_init(&r, self, head);
}

TEST(test_epoch_comes_up_without_a_role, "after an attach there is no role, "
	"I/O is refused, nothing is written back")
{
	setup(0, 10);
	CHECK_EQ(r.c.role, SWBLOCK_ROLE_NONE);
	CHECK_EQ(r.c.conditions, SWBLOCK_COND_NO_ROLE);
	CHECK_EQ(swb_core_admit(&r.c, r.now), SWB_ADMIT_FAIL);
	CHECK_EQ(swb_core_read_ok(&r.c, r.now), SWB_ADMIT_FAIL);
	CHECK_EQ(swb_core_writeback_limit(&r.c), 0);
	CHECK_EQ(r.c.log.durable, 10);
}

TEST(test_epoch_adopt_saves_then_reports, "the report leaves only after the "
	"epoch is on the medium (P6)")
{
	struct swb_report rep;

	setup(1, 10);
	rig_order_adopt(&r, 5);
	CHECK(order(&r, SWB_ACT_SAVE_SUPER));
	CHECK(!order(&r, SWB_ACT_NOTIFY_REPORT));
	CHECK_EQ(r.c.d.epoch, 5);
	rig_saved(&r);
	CHECK_EQ(value(&r, SWB_ACT_NOTIFY_REPORT), r.cookie);
	rep = report_of_rig(&r);
	CHECK_EQ(rep.adopted, 5);
	CHECK_EQ(rep.durable, 10);
	CHECK_EQ(rep.last_epoch, 1);
	CHECK_EQ(rep.flags, 0);
}

TEST(test_epoch_adopt_repeat_same_report, "the same order again repeats the "
	"report and does nothing else (I-090)")
{
	setup(1, 10);
	rig_adopt(&r, 5);
	rig_order_adopt(&r, 5);
	CHECK_EQ(r.out.count, 1);
	CHECK_EQ(value(&r, SWB_ACT_NOTIFY_REPORT), r.cookie);
}

TEST(test_epoch_adopt_older_refused, "an older epoch is refused with letter "
	"B and changes nothing (I-091)")
{
	static struct swb_core before;

	setup(1, 10);
	rig_adopt(&r, 5);
	before = r.c;
	rig_order_adopt(&r, 4);
	CHECK_EQ(order(&r, SWB_ACT_NOTIFY_REFUSED)->b, 'B');
	before.refused[SWBLOCK_REASON_STALE_EPOCH]++;
	CHECK(memcmp(&before, &r.c, sizeof(before)) == 0);
	rig_order_adopt(&r, 0);
	CHECK(order(&r, SWB_ACT_NOTIFY_REFUSED));
}

TEST(test_epoch_adopt_other_store_refused, "another store, or an older "
	"generation of it, is refused with letter D (P17c)")
{
	setup(1, 10);
	STEP(&r, .type = SWB_EV_ADOPT_ORDERED, .epoch = 5,
	     .u.adopt.store = store_of(1), .u.adopt.store_generation = 1);
	CHECK_EQ(order(&r, SWB_ACT_NOTIFY_REFUSED)->b, 'D');
	STEP(&r, .type = SWB_EV_ADOPT_ORDERED, .epoch = 5,
	     .u.adopt.store = store_of(0), .u.adopt.store_generation = 0);
	CHECK_EQ(order(&r, SWB_ACT_NOTIFY_REFUSED)->b, 'D');
	STEP(&r, .type = SWB_EV_ADOPT_ORDERED, .epoch = 5);
	CHECK_EQ(order(&r, SWB_ACT_NOTIFY_REFUSED)->b, 'D');
	CHECK_EQ(r.c.d.epoch, 1);
	STEP(&r, .type = SWB_EV_ADOPT_ORDERED, .epoch = 5,
	     .u.adopt.store = store_of(0), .u.adopt.store_generation = 2);
	CHECK(order(&r, SWB_ACT_SAVE_SUPER));
	CHECK_EQ(r.c.d.store_generation, 2);
}

TEST(test_epoch_adopt_drains_and_flushes, "the whole received log is "
	"written and flushed before the epoch is saved (P6, I-205)")
{
	u32 old;

	setup(1, 10);
	rig_replica(&r, 2, &all2);
	rig_stream(&r);
	CHECK_EQ(rig_data(&r, 7, 3, 2), 0);
	rig_written(&r, 12);
	rig_order_adopt(&r, 5);
	CHECK(order_to(&r, 0, SWB_ACT_CLOSE_LINK));
	CHECK(!order(&r, SWB_ACT_SEND_ACK));
	CHECK(!order(&r, SWB_ACT_FLUSH_LOG));
	rig_written(&r, 13);
	CHECK(order(&r, SWB_ACT_FLUSH_LOG));
	CHECK(!order(&r, SWB_ACT_SAVE_SUPER));
	CHECK(!order(&r, SWB_ACT_SEND_ACK));
	old = r.c.log.generation;
	STEP(&r, .type = SWB_EV_LOG_FLUSHED, .lsn = 13, .generation = old);
	CHECK(order(&r, SWB_ACT_SAVE_SUPER));
	rig_saved(&r);
	CHECK_EQ(report_of_rig(&r).durable, 13);
	CHECK_EQ(report_of_rig(&r).last_epoch, 2);
}

TEST(test_epoch_adopt_ignores_running_flush, "a flush begun before the "
	"fence counts for nothing in the report (P5, P6)")
{
	u32 old;

	setup(1, 10);
	rig_replica(&r, 2, &all2);
	rig_stream(&r);
	rig_data(&r, 7, 3, 2);
	rig_written(&r, 13);
	rig_ping(&r, 7, 0, 13);
	CHECK(order(&r, SWB_ACT_FLUSH_LOG));
	old = r.c.log.generation;
	rig_order_adopt(&r, 5);
	CHECK(!order(&r, SWB_ACT_FLUSH_LOG));	/* one at a time */
	STEP(&r, .type = SWB_EV_LOG_FLUSHED, .lsn = 13, .generation = old);
	CHECK_EQ(r.c.log.durable, 10);
	CHECK(order(&r, SWB_ACT_FLUSH_LOG));
	CHECK(!order(&r, SWB_ACT_SEND_ACK));
	rig_flushed(&r, 13);
	CHECK(order(&r, SWB_ACT_SAVE_SUPER));
}

TEST(test_epoch_adopt_restarted_by_higher, "a higher epoch during an "
	"adoption restarts it; the lower is never reported")
{
	setup(1, 10);
	rig_order_adopt(&r, 5);
	rig_order_adopt(&r, 6);
	CHECK(order(&r, SWB_ACT_SAVE_SUPER));
	rig_saved(&r);
	CHECK_EQ(report_of_rig(&r).adopted, 6);
	setup(1, 10);
	rig_order_adopt(&r, 5);
	rig_order_adopt(&r, 4);
	CHECK(order(&r, SWB_ACT_NOTIFY_REFUSED));
	rig_order_adopt(&r, 5);	/* the same again: the newest cookie is answered */
	CHECK_EQ(r.out.count, 0);
	rig_saved(&r);
	CHECK_EQ(value(&r, SWB_ACT_NOTIFY_REPORT), r.cookie);
}

TEST(test_epoch_adopt_drops_apply_limit_keeps_evidence, "adoption drops the "
	"apply limit to extent_hi and keeps known C for the report (P8, P16)")
{
	setup(1, 10);
	r.c.d.extent_lo = 3;
	r.c.d.extent_hi = 4;
	rig_replica(&r, 2, &all2);
	rig_stream(&r);
	rig_ping(&r, 7, 9, 0);
	CHECK_EQ(swb_core_writeback_limit(&r.c), 9);
	CHECK_EQ(value(&r, SWB_ACT_WRITE_BACK), 9);
	rig_adopt(&r, 5);
	CHECK_EQ(swb_core_writeback_limit(&r.c), 4);
	CHECK_EQ(r.c.log.committed, 4);
	CHECK_EQ(report_of_rig(&r).committed, 9);
}

TEST(test_epoch_adopt_primary_holds_io, "a fenced primary holds I/O and "
	"fails nothing until it knows who was granted (ambiguity 12)")
{
	setup(0, 10);
	rig_promote(&r, 2, &best2);
	r.c.openers = 1;
	rig_order_adopt(&r, 3);
	CHECK(order(&r, SWB_ACT_HOLD_IO));
	CHECK(!order(&r, SWB_ACT_FAIL_IO));
	CHECK(!order(&r, SWB_ACT_SET_ROLE));
	CHECK_EQ(r.c.role, SWBLOCK_ROLE_NONE);
	CHECK_EQ(swb_core_admit(&r.c, r.now), SWB_ADMIT_PARK);
	CHECK(r.c.conditions & SWBLOCK_COND_SUSPENDED_EPOCH);
	rig_written(&r, 11);
	rig_flushed(&r, 11);
	rig_saved(&r);
	CHECK_EQ(report_of_rig(&r).flags, SWBLOCK_REPORT_PRIMARY_BEFORE);
	CHECK_EQ(report_of_rig(&r).durable, 11);
}

TEST(test_epoch_adopt_primary_flushes_anew, "a primary's own flush in flight "
	"does not count for its report either; its C is evidence, no licence")
{
	u32 old;

	setup(0, 10);
	rig_promote(&r, 2, &best2);
	rig_written(&r, 11);
	rig_flushed(&r, 11);
	CHECK_EQ(r.c.log.committed, 11);
	rig_write(&r, 1);
	STEP(&r, .type = SWB_EV_BARRIER_WANTED, .lsn = 12);
	CHECK(order(&r, SWB_ACT_FLUSH_LOG));
	old = r.c.log.generation;
	rig_order_adopt(&r, 3);
	STEP(&r, .type = SWB_EV_LOG_FLUSHED, .lsn = 12, .generation = old);
	CHECK_EQ(r.c.log.durable, 11);
	CHECK(order(&r, SWB_ACT_FLUSH_LOG));
	rig_flushed(&r, 12);
	rig_saved(&r);
	CHECK_EQ(report_of_rig(&r).committed, 11);
	CHECK_EQ(r.c.log.committed, 0);		/* extent_hi: P8 */
}

/* fenced at epoch 3 while primary of 2 with an opener and an admitted write */
static void held_primary(void)
{
	setup(0, 10);
	rig_promote(&r, 2, &best2);
	r.c.openers = 1;
	rig_write(&r, 1);
	rig_order_adopt(&r, 3);
	rig_flushed(&r, 12);
	rig_saved(&r);
	CHECK(order(&r, SWB_ACT_NOTIFY_REPORT));
}

TEST(test_epoch_held_io_resumes_for_next_grant, "held I/O goes on if this "
	"node holds the next grant, nobody in between (P12)")
{
	struct swb_cert cert;

	held_primary();
	cert = cert_of(&r, 3, &best2);
	cert.last_granted = uuid_of(0);
	cert.last_granted_epoch = 2;
	rig_certify(&r, &cert, 0);
	CHECK_EQ(r.c.promote_letter, 'A');
	rig_saved(&r);
	CHECK(order(&r, SWB_ACT_RESUME_IO));
	CHECK(!order(&r, SWB_ACT_FAIL_IO));
	CHECK_EQ(r.c.io, SWB_IO_OPEN);
	CHECK_EQ(value(&r, SWB_ACT_COMPLETE_WRITES), 12);
	CHECK(!(r.c.conditions & SWBLOCK_COND_STALE_OPENERS));
	CHECK_EQ(swb_core_admit(&r.c, r.now), SWB_ADMIT_OK);
}

TEST(test_epoch_held_barrier_waits_for_the_wider_set, "a barrier held over a "
	"grant succeeds when the new required set holds it, not by the C that "
	"a smaller set had reached (I-001, I-009)")
{
	struct swb_cert cert;

	held_primary();
	cert = cert_of(&r, 3, &all2);
	cert.last_granted = uuid_of(0);
	cert.last_granted_epoch = 2;
	cert.report[0].committed = 12;
	rig_certify(&r, &cert, 0);
	CHECK_EQ(r.c.promote_letter, 'A');
	rig_saved(&r);
	CHECK(order(&r, SWB_ACT_RESUME_IO));
	CHECK_EQ(r.c.log.committed, 12);
	CHECK(!order(&r, SWB_ACT_COMPLETE_BARRIERS));
	rig_written(&r, 13);
	rig_flushed(&r, 13);
	CHECK(!order(&r, SWB_ACT_COMPLETE_BARRIERS));
	r.c.peer[1].durable = 13;
	STEP(&r, .type = SWB_EV_TICK);
	CHECK_EQ(value(&r, SWB_ACT_COMPLETE_BARRIERS), 13);
}

TEST(test_epoch_held_io_fails_after_foreign_grant, "held I/O fails if "
	"another node was granted in between, and old openers see errors "
	"until they close (P12)")
{
	struct swb_cert cert;

	held_primary();
	cert = cert_of(&r, 3, &best2);
	cert.last_granted = uuid_of(0);
	cert.last_granted_epoch = 1;	/* not the epoch we opened */
	rig_certify(&r, &cert, 0);
	CHECK(!r.c.resume_held);
	held_primary();
	cert = cert_of(&r, 3, &best2);
	cert.last_granted = uuid_of(1);
	cert.last_granted_epoch = 2;
	rig_certify(&r, &cert, 0);
	CHECK(order(&r, SWB_ACT_FAIL_IO));
	rig_saved(&r);
	CHECK(!order(&r, SWB_ACT_RESUME_IO));
	CHECK(r.c.conditions & SWBLOCK_COND_STALE_OPENERS);
	CHECK_EQ(swb_core_admit(&r.c, r.now), SWB_ADMIT_FAIL);
	/* the fact is late: somebody has opened it again */
	STEP(&r, .type = SWB_EV_LAST_CLOSED);
	CHECK_EQ(r.c.openers, 1);
	CHECK_EQ(swb_core_admit(&r.c, r.now), SWB_ADMIT_FAIL);
	r.c.openers = 0;
	STEP(&r, .type = SWB_EV_LAST_CLOSED);
	CHECK(order(&r, SWB_ACT_NOTIFY_CONDITIONS));
	CHECK_EQ(swb_core_admit(&r.c, r.now), SWB_ADMIT_OK);
}

TEST(test_epoch_held_io_fails_though_the_opening_is_given_up, "a certificate "
	"that names another node fails held I/O even if a newer epoch ends "
	"its opening; the next one names this node itself (P12)")
{
	struct swb_cert cert;

	held_primary();
	cert = cert_of(&r, 3, &best2);
	cert.last_granted = uuid_of(1);
	cert.last_granted_epoch = 2;
	rig_certify(&r, &cert, 0);
	CHECK(order(&r, SWB_ACT_FAIL_IO));
	CHECK_EQ(r.c.d.opened, 3);
	rig_order_adopt(&r, 4);
	rig_flushed(&r, 12);
	rig_saved(&r);
	CHECK(order(&r, SWB_ACT_NOTIFY_REPORT));
	cert = cert_of(&r, 4, &best2);
	cert.last_granted = uuid_of(0);
	cert.last_granted_epoch = 3;
	rig_certify(&r, &cert, 0);
	CHECK_EQ(r.c.promote_letter, 'A');
	rig_saved(&r);
	CHECK_EQ(r.c.role, SWBLOCK_ROLE_PRIMARY);
	CHECK(!order(&r, SWB_ACT_RESUME_IO));
	CHECK_EQ(swb_core_admit(&r.c, r.now), SWB_ADMIT_FAIL);
}

TEST(test_epoch_held_io_fails_when_assigned, "held I/O fails when somebody "
	"else is the primary (P12)")
{
	held_primary();
	rig_assign(&r, 3, 1, &best2);
	CHECK(order(&r, SWB_ACT_FAIL_IO));
	CHECK_EQ(value(&r, SWB_ACT_SET_ROLE), SWBLOCK_ROLE_REPLICA);
	CHECK(r.c.conditions & SWBLOCK_COND_STALE_OPENERS);
	CHECK_EQ(swb_core_admit(&r.c, r.now), SWB_ADMIT_FAIL);
	CHECK(!(r.c.conditions & SWBLOCK_COND_SUSPENDED_EPOCH));
}

TEST(test_epoch_assign, "an assignment makes a replica once, of one primary "
	"per epoch (P3)")
{
	setup(1, 10);
	rig_adopt(&r, 5);
	rig_assign(&r, 4, 0, &all3);
	CHECK_EQ(order(&r, SWB_ACT_NOTIFY_REFUSED)->b, 'B');
	rig_assign(&r, 5, 6, &all3);
	CHECK_EQ(order(&r, SWB_ACT_NOTIFY_REFUSED)->b, 'M');
	rig_assign(&r, 5, 1, &all3);	/* self: only a certificate does that */
	CHECK_EQ(r.out.count, 0);
	rig_assign(&r, 5, 0, &all3);
	CHECK_EQ(value(&r, SWB_ACT_SET_ROLE), SWBLOCK_ROLE_REPLICA);
	CHECK_EQ(value(&r, SWB_ACT_NOTIFY_ROLE), r.cookie);
	rig_assign(&r, 5, 0, &all3);
	CHECK_EQ(r.out.count, 0);	/* I-132 */
	rig_assign(&r, 5, 2, &all3);
	CHECK_EQ(order(&r, SWB_ACT_NOTIFY_REFUSED)->b, 'D');
	CHECK_EQ(r.c.primary, 0);
}

TEST(test_epoch_assign_other_members_ends_sessions, "with other members the "
	"indices move, so sessions end")
{
	struct swb_config fewer;

	setup(1, 10);
	rig_replica(&r, 2, &all3);
	rig_stream(&r);
	fewer = all3;
	fewer.required = 3;
	rig_assign(&r, 2, 0, &fewer);
	CHECK(!order(&r, SWB_ACT_CLOSE_LINK));
	rig_assign(&r, 2, 0, &all2);
	CHECK(order_to(&r, 0, SWB_ACT_CLOSE_LINK));
	CHECK(!r.c.peer[0].matched);
}

TEST(test_epoch_assign_after_opening_refused, "who opened an epoch cannot "
	"become a replica in it (P3)")
{
	setup(0, 10);
	rig_promote(&r, 2, &best2);
	STEP(&r, .type = SWB_EV_DEMOTE_ORDERED, .cookie = 9);
	rig_assign(&r, 2, 1, &best2);
	CHECK_EQ(order(&r, SWB_ACT_NOTIFY_REFUSED)->b, 'C');
}

TEST(test_epoch_opening_saved_before_open_record, "opened is durable before "
	"the open record leaves memory (P2, I-201)")
{
	struct swb_cert cert;

	setup(0, 10);
	rig_adopt(&r, 2);
	cert = cert_of(&r, 2, &all2);
	rig_certify(&r, &cert, 0);
	CHECK(order(&r, SWB_ACT_SAVE_SUPER));
	CHECK(!order(&r, SWB_ACT_APPEND_OPEN));
	CHECK_EQ(r.c.d.opened, 2);
	CHECK_EQ(r.c.role, SWBLOCK_ROLE_NONE);
	rig_saved(&r);
	CHECK_EQ(order(&r, SWB_ACT_APPEND_OPEN)->a, 2);
	CHECK_EQ(order(&r, SWB_ACT_APPEND_OPEN)->b, 11);	/* I-035 */
	CHECK_EQ(r.c.log.head, 11);
	CHECK_EQ(value(&r, SWB_ACT_NOTIFY_ROLE), r.cookie);
	CHECK_EQ(r.c.d.lineage.e[1].first_lsn, 11);
}

TEST(test_epoch_opened_once, "a second certificate of the same epoch is "
	"refused, also after a restart (P2)")
{
	static struct swb_durable d;
	struct swb_recovered rec = { .start = 1, .head = 10, .last_epoch = 1 };
	struct swb_cert cert;

	setup(0, 10);
	rig_promote(&r, 2, &best2);
	cert = cert_of(&r, 2, &best2);
	rig_certify(&r, &cert, 0);
	CHECK_EQ(order(&r, SWB_ACT_NOTIFY_REFUSED)->b, 'L');
	d = r.c.d;
	swb_lineage_open(&rec.lineage, 1, 1, 0);
	swb_core_init(&r.c, &d, &rec, 5000);	/* the open record was lost */
	rig_order_adopt(&r, 2);
	CHECK(order(&r, SWB_ACT_NOTIFY_REPORT));
	cert = cert_of(&r, 2, &best2);
	rig_certify(&r, &cert, 0);
	CHECK_EQ(order(&r, SWB_ACT_NOTIFY_REFUSED)->b, 'C');
}

TEST(test_epoch_adopt_aborts_opening, "an adoption during an opening ends "
	"it without a record")
{
	struct swb_cert cert;

	setup(0, 10);
	rig_adopt(&r, 2);
	cert = cert_of(&r, 2, &best2);
	rig_certify(&r, &cert, 0);
	rig_order_adopt(&r, 3);
	CHECK_EQ(order(&r, SWB_ACT_NOTIFY_REFUSED)->a, r.cookie - 1);
	CHECK_EQ(r.c.d.lineage.count, 1);
	rig_saved(&r);
	CHECK(!order(&r, SWB_ACT_APPEND_OPEN));
	CHECK_EQ(report_of_rig(&r).adopted, 3);
	CHECK_EQ(r.c.log.head, 10);
}

TEST(test_epoch_starts_with_reported_committed, "a new primary starts with "
	"the highest reported C, never above its own log (P16)")
{
	struct swb_cert cert;

	setup(0, 10);
	rig_adopt(&r, 2);
	cert = cert_of(&r, 2, &all2);
	cert.report[1].committed = 8;
	rig_certify(&r, &cert, 0);
	rig_saved(&r);
	CHECK_EQ(r.c.log.committed, 8);
	setup(0, 10);
	rig_adopt(&r, 2);
	cert = cert_of(&r, 2, &all2);
	cert.report[1].committed = 15;
	rig_certify(&r, &cert, 0);
	CHECK_EQ(r.c.promote_letter, 'I');
	cert.flags |= SWBLOCK_CERT_OVERRIDE;
	rig_certify(&r, &cert, 0);
	CHECK_EQ(r.c.promote_letter, 'A');
	rig_saved(&r);
	CHECK_EQ(r.c.log.committed, 10);
	CHECK_EQ(r.c.d.committed, 10);
	CHECK_EQ(r.c.d.lineage.e[1].flags, SWB_LINEAGE_OVERRIDE);
	CHECK(r.c.d.flags & SWB_SUPER_OVERRIDDEN);
}

TEST(test_epoch_replica_is_no_candidate, "a certificate for an epoch that "
	"somebody else holds is refused (P3)")
{
	struct swb_cert cert;

	setup(1, 10);
	rig_replica(&r, 2, &all2);
	cert = cert_of(&r, 2, &all2);
	rig_certify(&r, &cert, 0);
	CHECK_EQ(order(&r, SWB_ACT_NOTIFY_REFUSED)->b, 'D');
}

TEST(test_epoch_with_records_is_opened, "an epoch that has records in the "
	"log was opened by somebody, also after a restart (P3)")
{
	struct swb_cert cert;

	setup(1, 10);		/* ten records of epoch 1, adopted epoch 1 */
	cert = cert_of(&r, 1, &all2);
	rig_certify(&r, &cert, 0);
	CHECK_EQ(order(&r, SWB_ACT_NOTIFY_REFUSED)->b, 'C');
}

TEST(test_epoch_lease, "an ended lease holds I/O by itself, a renewal lets "
	"it go on, nothing succeeds in between (P13, I-016)")
{
	struct swb_cert cert;

	setup(0, 10);
	rig_adopt(&r, 2);
	cert = cert_of(&r, 2, &best2);
	rig_certify(&r, &cert, r.now + 50 * MSEC);
	rig_saved(&r);
	rig_write(&r, 1);
	CHECK_EQ(swb_core_admit(&r.c, r.now), SWB_ADMIT_OK);
	CHECK_EQ(swb_core_read_ok(&r.c, r.now + 50 * MSEC), SWB_ADMIT_PARK);
	CHECK(order(&r, SWB_ACT_FLUSH_LOG));
	STEP(&r, .type = SWB_EV_BARRIER_WANTED, .lsn = 12);
	r.now += 60 * MSEC;
	rig_flushed(&r, 12);	/* the fact comes after the end */
	CHECK(order(&r, SWB_ACT_HOLD_IO));
	CHECK(!order(&r, SWB_ACT_COMPLETE_BARRIERS));
	CHECK(r.c.conditions & SWBLOCK_COND_SUSPENDED_LEASE);
	STEP(&r, .type = SWB_EV_TICK);
	CHECK(!order(&r, SWB_ACT_HOLD_IO));	/* once */
	STEP(&r, .type = SWB_EV_LEASE_SET, .epoch = 1, .u.lease.end_ns = 0);
	CHECK_EQ(r.c.io, SWB_IO_HELD);		/* a stale renewal */
	STEP(&r, .type = SWB_EV_LEASE_SET, .epoch = 2,
	     .u.lease.end_ns = r.now + 50 * MSEC);
	CHECK(order(&r, SWB_ACT_RESUME_IO));
	CHECK_EQ(value(&r, SWB_ACT_COMPLETE_BARRIERS), 12);
	CHECK(!(r.c.conditions & SWBLOCK_COND_SUSPENDED_LEASE));
}

TEST(test_epoch_lease_noticed_by_renewal, "who parked on an ended lease is "
	"woken, though the renewal is the first to notice")
{
	struct swb_cert cert;

	setup(0, 10);
	rig_adopt(&r, 2);
	cert = cert_of(&r, 2, &best2);
	rig_certify(&r, &cert, r.now + 50 * MSEC);
	rig_saved(&r);
	r.now += 60 * MSEC;
	STEP(&r, .type = SWB_EV_LEASE_SET, .epoch = 2,
	     .u.lease.end_ns = r.now + 50 * MSEC);
	CHECK(order(&r, SWB_ACT_RESUME_IO));
	STEP(&r, .type = SWB_EV_LEASE_SET, .epoch = 2, .u.lease.end_ns = r.now);
	CHECK(order(&r, SWB_ACT_HOLD_IO));	/* already over */
	STEP(&r, .type = SWB_EV_LEASE_SET, .epoch = 2, .u.lease.end_ns = 0);
	CHECK(order(&r, SWB_ACT_RESUME_IO));	/* 0: no lease */
}

TEST(test_epoch_step_down, "a peer's newer epoch holds I/O and stops "
	"commits, and fails nothing (ambiguity 12, 13)")
{
	setup(0, 10);
	rig_promote(&r, 2, &all2);
	rig_match(&r, 1, 10);
	rig_written(&r, 11);
	rig_flushed(&r, 11);
	STEP(&r, .type = SWB_EV_PEER_CLOSED, .peer = 1,
	     .reason = SWBLOCK_REASON_ADOPTED, .epoch = 3);
	CHECK(order(&r, SWB_ACT_HOLD_IO));
	CHECK_EQ(value(&r, SWB_ACT_NOTIFY_STEP_DOWN), 3);
	CHECK(!order(&r, SWB_ACT_FAIL_IO));
	CHECK_EQ(r.c.role, SWBLOCK_ROLE_PRIMARY);
	CHECK(r.c.conditions & SWBLOCK_COND_SUSPENDED_EPOCH);
	r.c.peer[1].durable = 11;	/* even if it were proved now */
	STEP(&r, .type = SWB_EV_TICK);
	CHECK(r.c.log.committed < 11);
	rig_link(&r, 1);
	CHECK(order_to(&r, 1, SWB_ACT_CLOSE_LINK));
	STEP(&r, .type = SWB_EV_LEASE_SET, .epoch = 2, .u.lease.end_ns = 0);
	CHECK_EQ(r.c.io, SWB_IO_HELD);
}

TEST(test_epoch_late_ack_after_fence, "an ack of the old epoch that arrives "
	"after the adoption changes nothing (P6, P14)")
{
	u64 session;

	setup(0, 10);
	rig_promote(&r, 2, &all2);
	rig_match(&r, 1, 10);
	session = r.c.peer[1].session;
	rig_written(&r, 11);
	rig_flushed(&r, 11);
	rig_order_adopt(&r, 3);
	STEP(&r, .type = SWB_EV_PEER_ACKED, .peer = 1, .session = session,
	     .epoch = 2, .u.ack.received = 11, .u.ack.written = 11,
	     .u.ack.durable = 11);
	CHECK(!order(&r, SWB_ACT_COMPLETE_BARRIERS));
	CHECK_EQ(r.c.peer[1].durable, 0);
}

TEST(test_epoch_demote_of_held_io, "a demotion ends what a fenced primary still holds "
	"while it opens its next epoch, and its links")
{
	struct swb_cert cert;

	setup(0, 10);
	rig_promote(&r, 2, &best2);
	r.c.openers = 1;
	rig_order_adopt(&r, 3);
	rig_written(&r, 11);
	rig_flushed(&r, 11);
	rig_saved(&r);
	cert = cert_of(&r, 3, &best2);
	cert.last_granted_epoch = 2;
	cert.last_granted = r.c.d.replica;
	rig_certify(&r, &cert, 0);
	CHECK(order(&r, SWB_ACT_SAVE_SUPER));
	rig_link(&r, 1);
	CHECK_EQ(r.c.role, SWBLOCK_ROLE_NONE);
	CHECK(r.c.peer[1].linked);
	STEP(&r, .type = SWB_EV_DEMOTE_ORDERED, .cookie = 77);
	CHECK(order(&r, SWB_ACT_FAIL_IO));
	CHECK_EQ(order_to(&r, 1, SWB_ACT_SEND_CLOSE)->a, SWBLOCK_REASON_DEMOTED);
	CHECK(!r.c.peer[1].linked);
	CHECK_EQ(value(&r, SWB_ACT_NOTIFY_ROLE), 77);
}

TEST(test_epoch_demote, "a demotion fails what waits, ends sessions and "
	"leaves the openers stale (ambiguity 19)")
{
	setup(0, 10);
	rig_promote(&r, 2, &all2);
	rig_match(&r, 1, 10);
	r.c.openers = 2;
	STEP(&r, .type = SWB_EV_DEMOTE_ORDERED, .cookie = 77);
	CHECK(order(&r, SWB_ACT_FAIL_IO));
	CHECK(order_to(&r, 1, SWB_ACT_SEND_CLOSE));
	CHECK_EQ(value(&r, SWB_ACT_SET_ROLE), SWBLOCK_ROLE_NONE);
	CHECK_EQ(value(&r, SWB_ACT_NOTIFY_ROLE), 77);
	CHECK(r.c.conditions & SWBLOCK_COND_STALE_OPENERS);
	CHECK(r.c.conditions & SWBLOCK_COND_NO_ROLE);
	STEP(&r, .type = SWB_EV_DEMOTE_ORDERED, .cookie = 78);
	CHECK_EQ(value(&r, SWB_ACT_NOTIFY_REFUSED), 78);
}

TEST(test_epoch_disk_failed_primary_suspends, "a primary with a failed disk "
	"holds I/O, and no later flush unlatches (P17a)")
{
	setup(0, 10);
	rig_promote(&r, 2, &best2);
	rig_write(&r, 1);
	STEP(&r, .type = SWB_EV_BARRIER_WANTED, .lsn = 12);
	STEP(&r, .type = SWB_EV_DISK_FAILED);
	CHECK(order(&r, SWB_ACT_HOLD_IO));
	CHECK(order(&r, SWB_ACT_SAVE_SUPER));
	CHECK(r.c.conditions & SWBLOCK_COND_DISK_FAILED);
	rig_flushed(&r, 12);
	CHECK_EQ(r.c.log.durable, 10);
	CHECK(!order(&r, SWB_ACT_COMPLETE_BARRIERS));
	STEP(&r, .type = SWB_EV_DISK_FAILED);
	CHECK_EQ(r.out.count, 0);
	STEP(&r, .type = SWB_EV_LEASE_SET, .epoch = 2, .u.lease.end_ns = 0);
	CHECK_EQ(r.c.io, SWB_IO_HELD);
}

TEST(test_epoch_disk_failed_replica_leaves, "a replica with a failed disk "
	"tells the primary, ends the session, and is no candidate (P17a, P7)")
{
	struct swb_cert cert;

	setup(1, 10);
	rig_replica(&r, 2, &all2);
	rig_stream(&r);
	STEP(&r, .type = SWB_EV_DISK_FAILED);
	CHECK_EQ(order_to(&r, 0, SWB_ACT_SEND_CLOSE)->a, SWBLOCK_REASON_DISK_FAILED);
	CHECK(order_to(&r, 0, SWB_ACT_CLOSE_LINK));
	CHECK(order(&r, SWB_ACT_SAVE_SUPER));
	rig_order_adopt(&r, 3);
	rig_saved(&r);
	CHECK_EQ(report_of_rig(&r).flags, SWBLOCK_REPORT_DISK_FAILED);
	cert = cert_of(&r, 3, &all2);
	rig_certify(&r, &cert, 0);
	CHECK_EQ(r.c.promote_letter, 'J');
}

TEST(test_epoch_adopt_with_unwritten_log_on_failed_disk, "a failed disk "
	"does not drain: the epoch is saved if it can be, the report is void")
{
	setup(1, 10);
	rig_replica(&r, 2, &all2);
	rig_stream(&r);
	rig_data(&r, 7, 3, 2);
	rig_order_adopt(&r, 3);
	CHECK_EQ(r.c.adopt, SWB_ADOPT_DRAINING);
	STEP(&r, .type = SWB_EV_DISK_FAILED);
	CHECK_EQ(orders(&r, SWB_ACT_SAVE_SUPER), 1);
	rig_saved(&r);
	CHECK(order(&r, SWB_ACT_NOTIFY_REPORT));
	CHECK(report_of_rig(&r).flags & SWBLOCK_REPORT_DISK_FAILED);
}

TEST(test_epoch_save_of_adoption_fails, "an epoch that could not be saved "
	"is not reported, and a repeat saves again")
{
	setup(1, 10);
	rig_order_adopt(&r, 3);
	STEP(&r, .type = SWB_EV_DISK_FAILED);
	CHECK_EQ(value(&r, SWB_ACT_NOTIFY_REFUSED), r.cookie);
	CHECK(!order(&r, SWB_ACT_NOTIFY_REPORT));
	rig_saved(&r);		/* of the latch */
	CHECK(!order(&r, SWB_ACT_NOTIFY_REPORT));
	rig_order_adopt(&r, 3);
	CHECK(!order(&r, SWB_ACT_NOTIFY_REPORT));
	CHECK(order(&r, SWB_ACT_SAVE_SUPER));
	rig_saved(&r);
	CHECK(order(&r, SWB_ACT_NOTIFY_REPORT));
}

TEST(test_epoch_save_of_adoption_fails_again, "on a disk that is latched "
	"already the failed save ends the adoption as well")
{
	setup(1, 10);
	STEP(&r, .type = SWB_EV_DISK_FAILED);
	rig_order_adopt(&r, 3);
	CHECK_EQ(r.c.adopt, SWB_ADOPT_SAVING);
	STEP(&r, .type = SWB_EV_DISK_FAILED);
	CHECK_EQ(value(&r, SWB_ACT_NOTIFY_REFUSED), r.cookie);
	CHECK(!order(&r, SWB_ACT_SAVE_SUPER));
	CHECK_EQ(r.c.adopt, SWB_ADOPT_IDLE);
}

TEST(test_epoch_save_of_opening_fails, "an opening that could not be saved "
	"makes no primary")
{
	struct swb_cert cert;

	setup(0, 10);
	rig_adopt(&r, 2);
	cert = cert_of(&r, 2, &best2);
	rig_certify(&r, &cert, 0);
	STEP(&r, .type = SWB_EV_DISK_FAILED);
	CHECK_EQ(order(&r, SWB_ACT_NOTIFY_REFUSED)->b, 'J');
	rig_saved(&r);
	CHECK(!order(&r, SWB_ACT_APPEND_OPEN));
	CHECK_EQ(r.c.role, SWBLOCK_ROLE_NONE);
}

TEST(test_epoch_restart_keeps_epoch_and_evidence, "after a restart the same "
	"epoch is reported without a save, with known C")
{
	static struct swb_durable d;
	struct swb_recovered rec = { .start = 1, .head = 12, .last_epoch = 1 };

	setup(1, 10);
	rig_adopt(&r, 4);
	d = r.c.d;
	d.committed = 11;
	d.extent_hi = 6;
	swb_lineage_open(&rec.lineage, 1, 1, 0);
	swb_core_init(&r.c, &d, &rec, 1);
	rig_order_adopt(&r, 4);
	CHECK_EQ(r.out.count, 1);
	CHECK_EQ(report_of_rig(&r).adopted, 4);
	CHECK_EQ(report_of_rig(&r).durable, 12);
	CHECK_EQ(report_of_rig(&r).committed, 11);
	CHECK_EQ(swb_core_writeback_limit(&r.c), 6);
}

TEST(test_epoch_first_ever, "a fresh volume is promoted with an empty log, "
	"and its open record is LSN 1")
{
	setup(0, 0);
	rig_promote(&r, 1, &all2);
	CHECK_EQ(r.c.log.open_lsn, 1);
	CHECK_EQ(r.c.d.lineage.e[0].first_lsn, 1);
	CHECK_EQ(r.c.d.lineage.floor_lsn, 0);
}
