// SPDX-License-Identifier: GPL-2.0-only
/* The controller's volume table, complete; its facts; and views drawn by chance. */
#include "harness.h"
#include "decide.h"
#include "promote.h"
#include "text.h"

#define SEC	1000000000ULL
#define MSEC	1000000ULL

static struct swb_volume_view v;
static struct swb_volume_decision d;

/* ---- the volume table, written a second time --------------------------- */

static u8 fence_letter(u8 cause)
{
	switch ((enum swb_cause)cause) {
	case SWB_CAUSE_FIRST:
		return 'P';
	case SWB_CAUSE_SILENT: case SWB_CAUSE_DISK:
		return 'Q';
	case SWB_CAUSE_RESTARTED:
		return 'R';
	case SWB_CAUSE_NOT_OPENED:
		return 'T';
	case SWB_CAUSE_OWNER_GONE:
		return 'U';
	case SWB_CAUSE_OVERTAKEN:
		return 'V';
	case SWB_CAUSE_ORDER:
		return 'W';
	case SWB_CAUSE_CONFIG: case SWB_CAUSE_SHRINK: case SWB_CAUSE_GROW:
		return 'X';
	case SWB_CAUSE_NONE: case SWB_CAUSE_COUNT:
		break;
	}
	return 0;
}

static u8 expected_fence(const struct swb_volume_facts *f)
{
	if (!f->hope)
		return f->proof_lost ? 'F' : 'E';
	if (f->backoff)
		return 'D';
	if (!f->turn)
		return f->cause == SWB_CAUSE_NOT_OPENED ? 'N' : 'C';
	if (f->cause == SWB_CAUSE_ORDER && f->serving)
		return f->here ? 'Y' : 'K';
	return fence_letter(f->cause);
}

static u8 expected_won(const struct swb_volume_facts *f)
{
	if (!f->mine)
		return 'M';
	if (f->collecting)
		return 'I';
	if (!f->override && !f->evidence)
		return 'H';
	if (!f->override && !f->candidate)
		return 'J';
	if (!f->lease_over)
		return 'L';
	return f->override ? 'O' : 'G';
}

static u8 expected_volume(const struct swb_volume_facts *f)
{
	if (f->stopped)
		return f->serving && f->here && !f->backoff ? 'Y' : 'S';
	if (f->cause != SWB_CAUSE_NONE)
		return expected_fence(f);
	if (f->won)
		return expected_won(f);
	if (!f->opened)
		return 'N';
	if (!f->settled)
		return f->committed && f->here ? 'B' : 'N';
	if (!f->wish_valid)
		return 'Z';
	return f->wish_reached ? 'A' : 'K';
}

static u8 order_of(u8 letter)
{
	switch (letter) {
	case 'B':
		return SWB_ORDER_SETTLE;
	case 'G': case 'O':
		return SWB_ORDER_GRANT;
	case 'Y':
		return SWB_ORDER_DEMOTE;
	case 'P': case 'Q': case 'R': case 'T': case 'U': case 'V': case 'W':
	case 'X':
		return SWB_ORDER_WIN;
	}
	return SWB_ORDER_NOTHING;
}

/* what no view gives; see test_decide_random_views, which proves it by chance */
static bool impossible(const struct swb_volume_facts *f)
{
	bool of_won = f->collecting || f->evidence || f->candidate ||
		      f->override || f->lease_over;
	bool of_primary = f->cause == SWB_CAUSE_ORDER ||
			  f->cause == SWB_CAUSE_CONFIG ||
			  f->cause == SWB_CAUSE_SHRINK ||
			  f->cause == SWB_CAUSE_GROW;

	return (of_won && !(f->won && f->mine)) ||	/* asked only then */
	       (f->won && f->settled) ||
	       (f->override && f->evidence && f->candidate) ||
	       (f->committed && !f->serving) ||
	       (f->committed && !f->opened) ||
	       (f->won && (f->cause == SWB_CAUSE_FIRST ||
			   f->cause == SWB_CAUSE_SILENT ||
			   f->cause == SWB_CAUSE_DISK ||
			   f->cause == SWB_CAUSE_RESTARTED ||
			   f->cause == SWB_CAUSE_NOT_OPENED)) ||
	       (of_primary && (f->won || !f->opened)) ||
	       (of_primary && !f->serving && f->cause != SWB_CAUSE_ORDER) ||
	       (f->cause == SWB_CAUSE_ORDER && f->serving && !f->settled) ||
	       (f->cause == SWB_CAUSE_OWNER_GONE && (!f->won || f->mine)) ||
	       (f->cause == SWB_CAUSE_NOT_OPENED && f->opened) ||
	       (f->cause == SWB_CAUSE_RESTARTED && (!f->opened || f->serving)) ||
	       (f->cause == SWB_CAUSE_SILENT && f->serving) ||
	       (f->cause == SWB_CAUSE_FIRST &&
		(f->opened || f->settled || f->serving || f->here ||
		 f->proof_lost)) ||
	       (f->cause == SWB_CAUSE_NONE && !f->won &&
		(!f->opened || !f->serving)) ||
	       (!f->wish_valid && (f->cause == SWB_CAUSE_ORDER ||
				   f->cause == SWB_CAUSE_GROW ||
				   f->cause == SWB_CAUSE_CONFIG)) ||
	       (!f->wish_valid && !f->wish_reached);
}

static struct swb_volume_facts facts_from(u32 n, u8 cause)
{
	return (struct swb_volume_facts){
		.cause = cause, .hope = n & 1, .proof_lost = n & 2,
		.backoff = n & 4, .turn = n & 8, .stopped = n & 0x10,
		.serving = n & 0x20, .here = n & 0x40, .won = n & 0x80,
		.mine = n & 0x100, .collecting = n & 0x200,
		.evidence = n & 0x400, .candidate = n & 0x800,
		.override = n & 0x1000, .lease_over = n & 0x2000,
		.opened = n & 0x4000, .committed = n & 0x8000,
		.settled = n & 0x10000, .wish_valid = n & 0x20000,
		.wish_reached = n & 0x40000,
	};
}

TEST(test_decide_every_combination, "each of 12 * 2^19 combinations of facts "
	"has exactly the tabled letter, and each letter is reachable")
{
	static u32 seen[128];
	u32 dead = 0;

	for (u8 cause = 0; cause < SWB_CAUSE_COUNT; cause++)
		for (u32 n = 0; n < 1U << SWB_VOLUME_FACTS; n++) {
			struct swb_volume_facts f = facts_from(n, cause);

			swb_decide_volume_judge(&f, &d);
			CHECK_EQ(d.letter, expected_volume(&f));
			CHECK_EQ(d.order, order_of(d.letter));
			CHECK_EQ(d.cause, cause);
			CHECK(d.order != SWB_ORDER_WIN || cause);
			if (impossible(&f))
				dead++;
			else
				seen[d.letter]++;
		}
	for (u8 l = 'A'; l <= 'Z'; l++)
		CHECK(seen[l]);
	CHECK(dead);
}

TEST(test_decide_words, "every letter of both tables says what it means and what "
	"to do; every cause and order has a name")
{
	for (u8 l = 'A'; l <= 'Z'; l++) {
		CHECK(swb_text_case(SWBLOCK_TABLE_VOLUME, l));
		CHECK(swb_text_hint(SWBLOCK_TABLE_VOLUME, l));
		CHECK(!swb_text_case(SWBLOCK_TABLE_MEMBER, l) ==
		      !strchr("ABCDEFGHIJKLMNPRSVW", l));
		CHECK(!swb_text_hint(SWBLOCK_TABLE_MEMBER, l) ==
		      !swb_text_case(SWBLOCK_TABLE_MEMBER, l));
	}
	CHECK(!swb_text_case(SWBLOCK_TABLE_VOLUME, 'a'));
	for (u32 i = 0; i < SWB_CAUSE_COUNT; i++)
		CHECK(swb_text_cause((enum swb_cause)i));
	for (u32 i = 0; i < SWB_ORDER_COUNT; i++)
		CHECK(swb_text_order((enum swb_order)i));
	for (u32 i = 0; i < SWB_MEMBER_ORDER_COUNT; i++)
		CHECK(swb_text_member_order((enum swb_member_order)i));
	CHECK(!swb_text_cause(SWB_CAUSE_COUNT));
}

/* ---- situations -------------------------------------------------------- */

static struct swb_uuid uuid_of(u32 n)
{
	struct swb_uuid u = { { 0xaa, (u8)(n + 1) } };

	return u;
}

static struct swb_config config_of(u8 mode, u8 members)
{
	struct swb_config cfg = {
		.mode = mode, .policy = SWBLOCK_POLICY_LOCAL,
		.member_count = members, .required = (1U << members) - 1,
	};

	for (u32 i = 0; i < members; i++)
		cfg.member[i] = uuid_of(i);
	return cfg;
}

static void add_member(u8 i)
{
	struct swb_member_state *m = &v.member[i];

	memset(m, 0, sizeof(*m));
	m->replica = uuid_of(i);
	m->known = true;
	m->role = SWBLOCK_ROLE_REPLICA;
	m->epoch = v.authority.epoch;
	m->peer_state = SWBLOCK_PEER_IN_SYNC;
	if (v.member_count <= i)
		v.member_count = i + 1;
}

/* epoch 5 settled, member 0 primary, all in sync; this is the host of member 1 */
static void healthy(u8 mode, u8 members)
{
	memset(&v, 0, sizeof(v));
	v.now_ns = 1000 * SEC;
	v.self = 1;
	v.tune = (struct swb_decide_tune){
		.silence_ns = 3 * SEC, .collect_ns = 2 * SEC, .turn_ns = SEC,
		.margin_ns = SEC / 2, .clock_ppm = 200, .backoff_ns = 4 * SEC,
	};
	v.authority.epoch = 5;
	v.authority.phase = SWB_PHASE_SETTLED;
	v.authority.last_epoch = 5;
	v.authority.primary = uuid_of(0);
	v.authority.config = config_of(mode, members);
	v.authority.lease_ms = 10000;
	v.authority.judge_count = 1;
	v.authority.judge[0] = v.authority.config;
	v.authority.wish_done = 3;
	v.wish.sequence = 3;
	v.wish.config = v.authority.config;
	v.wish.lease_ms = 10000;
	for (u8 i = 0; i < members; i++)
		add_member(i);
	v.member[0].role = SWBLOCK_ROLE_PRIMARY;
	v.member[0].opened = 5;
	v.member[0].settled = true;
	v.member[0].peer_state = 0;
}

/* the same cause has stood for long */
static void ask(void)
{
	swb_decide_volume(&v, &d);
	if (d.cause != v.cause) {
		v.cause = d.cause;
		v.cause_since_ns = v.now_ns - 100 * SEC;
		swb_decide_volume(&v, &d);
	}
}

#define EXPECT(l, o)							\
	do {								\
		ask();							\
		CHECK_EQ(d.letter, l);					\
		CHECK_EQ(d.order, SWB_ORDER_##o);			\
	} while (0)

static void silent(u8 i)
{
	v.member[i].silent_ns = 60 * SEC;
}

static void report(u8 i, u64 last_epoch, u64 durable)
{
	v.member[i].has_report = true;
	v.member[i].epoch = v.authority.epoch;
	v.member[i].report = (struct swb_report){
		.replica = v.member[i].replica, .adopted = v.authority.epoch,
		.last_epoch = last_epoch, .durable = durable,
		.committed = durable,
	};
}

/* epoch 6 won here long ago, after 5 was settled; nobody has reported */
static void won(u8 mode, u8 members)
{
	healthy(mode, members);
	v.authority.epoch = 6;
	v.authority.phase = SWB_PHASE_WON;
	v.authority.mine = true;
	v.authority.won_ns = v.now_ns - 100 * SEC;
	v.authority.proposed = v.authority.config;
	for (u8 i = 0; i < members; i++)
		v.member[i].role = SWBLOCK_ROLE_NONE;
}

TEST(test_decide_all_is_well, "granted, settled, as wished: nothing; unsettled: "
	"the primary's host settles, once the open record is committed (P1)")
{
	healthy(SWBLOCK_MODE_SYNC_QUORUM, 3);
	EXPECT('A', NOTHING);
	v.authority.phase = SWB_PHASE_GRANTED;
	EXPECT('N', NOTHING);
	v.self = 0;
	EXPECT('B', SETTLE);
	CHECK_EQ(d.epoch, 5);
	v.member[0].settled = false;
	EXPECT('N', NOTHING);
}

TEST(test_decide_first_epoch, "the first epoch waits until enough members are "
	"there for its mode")
{
	healthy(SWBLOCK_MODE_SYNC_QUORUM, 3);
	v.authority.epoch = 0;
	v.authority.phase = SWB_PHASE_NEW;
	v.authority.last_epoch = 0;
	v.authority.judge_count = 0;
	memset(&v.authority.primary, 0, 16);
	for (u8 i = 0; i < 3; i++) {
		v.member[i].epoch = 0;
		v.member[i].opened = 0;
		v.member[i].role = SWBLOCK_ROLE_NONE;
	}
	EXPECT('P', WIN);
	CHECK_EQ(d.epoch, 1);
	CHECK_EQ(d.cause, SWB_CAUSE_FIRST);
	silent(0);
	EXPECT('P', WIN);
	silent(1);
	EXPECT('E', NOTHING);
	v.wish.config.mode = SWBLOCK_MODE_SYNC_ALL;
	v.member[1].silent_ns = 0;
	EXPECT('E', NOTHING);
	v.wish.shrink_ms = 1000;
	EXPECT('P', WIN);
	CHECK_EQ(d.config.required, 6);
}

TEST(test_decide_primary_silent, "the primary's silence is a cause; this host "
	"waits for its turn, and for its back-off after epochs in vain (I-206)")
{
	healthy(SWBLOCK_MODE_SYNC_QUORUM, 3);
	v.member[0].silent_ns = 2 * SEC;
	EXPECT('A', NOTHING);
	silent(0);
	swb_decide_volume(&v, &d);
	CHECK_EQ(d.letter, 'C');
	CHECK_EQ(d.until_ns, v.now_ns + SEC);
	EXPECT('Q', WIN);
	CHECK_EQ(d.cause, SWB_CAUSE_SILENT);
	CHECK_EQ(d.epoch, 6);
	v.failed = 3;
	v.failed_ns = v.now_ns - 15 * SEC;
	EXPECT('D', NOTHING);
	CHECK_EQ(d.until_ns, v.now_ns + SEC);	/* 4 s, doubled twice */
	v.failed_ns -= SEC;
	EXPECT('Q', WIN);
	v.failed = 1000;
	v.failed_ns = v.now_ns - 256 * SEC;	/* 64 times at most */
	EXPECT('Q', WIN);
	v.self = SWB_NOBODY;			/* it only watches */
	EXPECT('C', NOTHING);
}

TEST(test_decide_no_hope, "no epoch is won that the living could give no evidence "
	"for")
{
	healthy(SWBLOCK_MODE_SYNC_QUORUM, 3);
	silent(0);
	silent(2);
	EXPECT('E', NOTHING);
	healthy(SWBLOCK_MODE_SYNC_ALL, 3);
	silent(0);
	silent(2);
	EXPECT('Q', WIN);
	v.authority.judge_count = 2;		/* P1: {0} alone may have committed */
	v.authority.judge[1].required = 1;
	v.authority.judge[1] = v.authority.judge[0];
	v.authority.judge[1].required = 1;
	EXPECT('E', NOTHING);
}

TEST(test_decide_best_effort_proof, "best_effort: no epoch without the last "
	"primary's host, unless the operator overrides (P15)")
{
	healthy(SWBLOCK_MODE_BEST_EFFORT, 2);
	silent(0);
	EXPECT('F', NOTHING);
	v.wish.sequence = 4;
	v.wish.override = true;
	v.wish.primary = uuid_of(1);
	EXPECT('Q', WIN);
	v.wish.sequence = 3;			/* taken up before: once only */
	EXPECT('F', NOTHING);
	memset(&v.wish.primary, 0, 16);
	v.member[0].silent_ns = 0;
	v.member[0].role = SWBLOCK_ROLE_NONE;
	EXPECT('R', WIN);
}

TEST(test_decide_restarted, "a primary that came back without its role needs a new "
	"epoch (P2); one with a failed disk is replaced (P17)")
{
	healthy(SWBLOCK_MODE_SYNC_QUORUM, 3);
	v.member[0].role = SWBLOCK_ROLE_NONE;
	EXPECT('R', WIN);
	CHECK_EQ(d.cause, SWB_CAUSE_RESTARTED);
	v.member[0].flags = SWBLOCK_REPORT_DISK_FAILED;
	EXPECT('Q', WIN);
	CHECK_EQ(d.cause, SWB_CAUSE_DISK);
}

TEST(test_decide_not_opened, "a candidate has a moment to open what it was "
	"granted; then the epoch is won anew")
{
	healthy(SWBLOCK_MODE_SYNC_QUORUM, 3);
	v.authority.phase = SWB_PHASE_GRANTED;
	v.member[0].opened = 4;
	v.member[0].role = SWBLOCK_ROLE_NONE;
	swb_decide_volume(&v, &d);
	CHECK_EQ(d.letter, 'N');
	v.cause = SWB_CAUSE_NOT_OPENED;
	v.cause_since_ns = v.now_ns - 2 * SEC;
	swb_decide_volume(&v, &d);
	CHECK_EQ(d.letter, 'N');
	v.cause_since_ns = v.now_ns - 3 * SEC;
	EXPECT('T', WIN);
}

TEST(test_decide_owner, "what somebody else has won is his as long as he lives; "
	"a new run of his daemon is not he")
{
	won(SWBLOCK_MODE_SYNC_QUORUM, 3);
	v.authority.mine = false;
	EXPECT('M', NOTHING);
	v.authority.owner_silent_ns = 60 * SEC;
	EXPECT('U', WIN);
	CHECK_EQ(d.epoch, 7);
	v.authority.owner_silent_ns = ~0ULL;
	EXPECT('U', WIN);
}

TEST(test_decide_overtaken, "a member that adopted more than the store has won "
	"asks for an epoch above it (P17c)")
{
	healthy(SWBLOCK_MODE_SYNC_QUORUM, 3);
	v.member[2].epoch = 9;
	EXPECT('V', WIN);
	CHECK_EQ(d.epoch, 10);
	won(SWBLOCK_MODE_SYNC_QUORUM, 3);
	report(2, 5, 100);
	v.member[2].report.adopted = 11;
	EXPECT('V', WIN);
	CHECK_EQ(d.epoch, 12);
}

TEST(test_decide_reports, "reports of the living are awaited for a moment; without "
	"sufficient ones nothing is granted, and the missing are named")
{
	won(SWBLOCK_MODE_SYNC_QUORUM, 3);
	v.authority.won_ns = v.now_ns - SEC;
	report(1, 5, 100);
	EXPECT('I', NOTHING);
	CHECK_EQ(d.missing, 5);
	CHECK_EQ(d.until_ns, v.now_ns + SEC);
	v.authority.won_ns -= 100 * SEC;
	EXPECT('H', NOTHING);
	CHECK_EQ(d.missing, 5);
	report(2, 5, 100);
	v.member[2].report.flags = SWBLOCK_REPORT_INCONSISTENT;	/* P7 */
	EXPECT('H', NOTHING);
	v.member[2].report.flags = 0;
	EXPECT('G', GRANT);
	v.member[2].report.adopted = 5;				/* P6 */
	EXPECT('H', NOTHING);
}

TEST(test_decide_failed_since, "the disk with the best log fails after its report: it "
	"ranks no more, and is evidence no more; what it says of C still holds (P17a)")
{
	static struct swb_cert cert;

	won(SWBLOCK_MODE_SYNC_ALL, 3);
	v.wish.shrink_ms = 1000;
	report(0, 5, 120);
	v.member[0].report.committed = 100;
	report(1, 5, 110);
	report(2, 5, 100);
	EXPECT('G', GRANT);
	CHECK_EQ(d.candidate, 0);
	v.member[0].flags = SWBLOCK_REPORT_DISK_FAILED;
	EXPECT('G', GRANT);
	CHECK_EQ(d.candidate, 1);
	CHECK_EQ(d.config.required, 6);
	swb_decide_cert(&v, &d, &cert);
	CHECK_EQ(cert.report[0].flags, SWBLOCK_REPORT_DISK_FAILED);
	CHECK_EQ(cert.report[1].flags, 0);
	v.member[0].report.committed = 111;			/* P16 */
	EXPECT('J', NOTHING);

	won(SWBLOCK_MODE_SYNC_QUORUM, 3);
	report(0, 5, 100);
	report(1, 5, 100);
	EXPECT('G', GRANT);
	v.member[0].flags = SWBLOCK_REPORT_DISK_FAILED;
	EXPECT('H', NOTHING);
	report(2, 5, 100);
	EXPECT('G', GRANT);
}

TEST(test_decide_lease, "the old lease is waited out from the win on, with the "
	"error of two clocks, unless its holder has adopted (P13)")
{
	u64 wait = 10 * SEC + 10000 * 2 * 200 + SEC / 2;

	won(SWBLOCK_MODE_SYNC_QUORUM, 3);
	silent(0);
	report(1, 5, 100);
	report(2, 5, 100);
	v.authority.won_ns = v.now_ns - wait + 1;
	EXPECT('L', NOTHING);
	CHECK_EQ(d.until_ns, v.now_ns + 1);
	v.now_ns++;
	EXPECT('G', GRANT);
	CHECK_EQ(d.cert_flags, SWBLOCK_CERT_LEASE_WAITED);
	v.now_ns--;
	report(0, 5, 100);
	EXPECT('G', GRANT);
	CHECK_EQ(d.cert_flags, 0);
	v.member[0].has_report = false;
	v.authority.lease_ms = 0;
	EXPECT('G', GRANT);
}

TEST(test_decide_candidate, "the best log is granted; ties go where the operator "
	"wants it, then where it was, then to the last required set")
{
	won(SWBLOCK_MODE_SYNC_QUORUM, 3);
	report(0, 5, 100);
	report(1, 5, 100);
	report(2, 5, 100);
	EXPECT('G', GRANT);
	CHECK_EQ(d.candidate, 0);
	v.wish.primary = uuid_of(2);
	EXPECT('G', GRANT);
	CHECK_EQ(d.candidate, 2);
	v.member[1].report.durable = 101;
	EXPECT('G', GRANT);
	CHECK_EQ(d.candidate, 1);
	CHECK_EQ(d.rejected, 5);
	v.member[0].report.last_epoch = 6;
	v.member[0].report.durable = 1;
	v.member[1].report.committed = 1;
	v.member[2].report.committed = 1;
	v.member[0].report.committed = 1;
	EXPECT('G', GRANT);
	CHECK_EQ(d.candidate, 0);
	v.member[2].report.committed = 7;	/* P16: below what was committed */
	EXPECT('J', NOTHING);
	won(SWBLOCK_MODE_SYNC_ALL, 3);
	v.authority.config.required = 6;
	v.authority.judge[0].required = 6;
	v.authority.proposed.required = 6;
	v.wish.config.required = 6;
	memset(&v.authority.primary, 0, 16);
	v.authority.last_epoch = 4;
	report(0, 5, 100);
	report(1, 5, 100);
	report(2, 5, 100);
	EXPECT('G', GRANT);
	CHECK_EQ(d.candidate, 1);
}

TEST(test_decide_unsettled_full, "with four unsettled configurations one of them "
	"is used again, and somebody of the last one is granted it (P1)")
{
	won(SWBLOCK_MODE_SYNC_ALL, 3);
	v.authority.judge_count = 4;
	for (u32 i = 0; i < 4; i++) {
		v.authority.judge[i] = v.authority.config;
		v.authority.judge[i].required = i == 3 ? 6 : 1 | i;
	}
	v.authority.judge[2].required = 7;
	v.authority.config = v.authority.judge[3];
	v.authority.proposed = v.authority.config;
	v.wish.primary = uuid_of(0);
	report(0, 5, 100);
	report(1, 5, 100);
	report(2, 5, 100);
	EXPECT('G', GRANT);
	CHECK_EQ(d.candidate, 1);
	CHECK_EQ(d.config.required, 6);
	v.authority.proposed.required = 2;	/* no place for a new one */
	EXPECT('G', GRANT);
	CHECK_EQ(d.config.required, 6);
	v.authority.judge_count = 3;		/* the last place: for a loss only */
	v.authority.config = v.authority.judge[2];
	v.authority.proposed = v.authority.judge[2];
	v.authority.proposed.required = 3;
	EXPECT('G', GRANT);
	CHECK_EQ(d.config.required, 7);
	v.member[2].flags = SWBLOCK_REPORT_DISK_FAILED;
	v.member[2].report.flags = SWBLOCK_REPORT_DISK_FAILED;
	EXPECT('G', GRANT);
	CHECK_EQ(d.config.required, 3);
}

TEST(test_decide_no_place, "a change that there is no place for is not tried; a loss "
	"may use the last one (P1)")
{
	healthy(SWBLOCK_MODE_SYNC_ALL, 3);
	v.authority.phase = SWB_PHASE_GRANTED;
	v.authority.judge_count = 3;
	v.authority.judge[1] = v.authority.judge[0];
	v.authority.judge[1].required = 5;
	v.authority.judge[2] = v.authority.judge[0];
	v.wish.shrink_ms = 1000;
	silent(2);
	EXPECT('N', NOTHING);			/* it may come back */
	v.member[2].flags = SWBLOCK_REPORT_DISK_FAILED;
	EXPECT('X', WIN);
	v.authority.judge_count = 4;
	v.authority.judge[3] = v.authority.judge[0];
	v.authority.judge[3].required = 6;
	EXPECT('N', NOTHING);
}

TEST(test_decide_majority_lost, "two whole copies of four are no majority: a new disk "
	"takes the place of the one that is gone all the same; without it, by order, they are")
{
	healthy(SWBLOCK_MODE_SYNC_QUORUM, 4);
	v.authority.phase = SWB_PHASE_GRANTED;
	v.member[3].replica = uuid_of(9);	/* a new disk */
	v.member[3].peer_state = SWBLOCK_PEER_DETACHED;
	v.wish.config.member[3] = uuid_of(9);
	v.member[2].peer_state = SWBLOCK_PEER_NEEDS_REBUILD;
	EXPECT('X', WIN);
	CHECK_EQ(d.config.member_count, 4);
	CHECK(swb_uuid_equal(&d.config.member[3], &v.member[3].replica));
	v.member[3].known = false;		/* who takes it is awaited */
	EXPECT('N', NOTHING);
	v.member[3].known = true;
	v.member[2].peer_state = SWBLOCK_PEER_IN_SYNC;	/* C rises, and settles it */
	v.member[4] = v.member[3];
	v.member[4].replica = uuid_of(3);	/* the old disk is still there */
	v.member_count = 5;
	v.member[2].peer_state = SWBLOCK_PEER_NEEDS_REBUILD;
	EXPECT('N', NOTHING);
	v.member_count = 4;
	v.wish.config.member_count = 3;
	v.wish.config.required = 7;
	EXPECT('X', WIN);
	CHECK_EQ(d.config.member_count, 3);
}

TEST(test_decide_stale_required, "who needs a rebuild gets none while required: the "
	"last place is for him, too, and a judged set without him is taken again (P1)")
{
	healthy(SWBLOCK_MODE_SYNC_ALL, 3);
	v.authority.phase = SWB_PHASE_GRANTED;
	v.authority.judge_count = 3;
	v.authority.judge[1] = v.authority.judge[0];
	v.authority.judge[1].required = 5;
	v.authority.judge[2] = v.authority.judge[0];
	v.wish.shrink_ms = 1000;
	EXPECT('N', NOTHING);
	v.member[2].peer_state = SWBLOCK_PEER_NEEDS_REBUILD;
	EXPECT('X', WIN);
	CHECK_EQ(d.config.required, 3);
	v.authority.judge_count = 4;
	v.authority.judge[3] = v.authority.judge[0];
	v.authority.judge[3].required = 1;
	EXPECT('X', WIN);
	CHECK_EQ(d.config.required, 1);
	won(SWBLOCK_MODE_SYNC_ALL, 3);		/* and it is granted, not the old one */
	v.authority.judge_count = 3;
	v.authority.judge[1] = v.authority.judge[0];
	v.authority.judge[1].required = 5;
	v.authority.judge[2] = v.authority.judge[0];
	v.authority.proposed.required = 3;
	report(0, 5, 100);
	report(1, 5, 100);
	report(2, 5, 50);
	EXPECT('G', GRANT);
	CHECK_EQ(d.config.required, 7);
	v.member[2].peer_state = SWBLOCK_PEER_NEEDS_REBUILD;
	EXPECT('G', GRANT);
	CHECK_EQ(d.config.required, 3);
}

TEST(test_decide_override, "an override grants once, to the member it names, what no "
	"ordinary evidence allows; never a void copy")
{
	won(SWBLOCK_MODE_SYNC_QUORUM, 3);
	silent(0);
	silent(2);
	report(1, 5, 50);
	EXPECT('H', NOTHING);
	v.wish.sequence = 4;
	v.wish.override = true;
	v.wish.primary = uuid_of(1);
	EXPECT('O', GRANT);
	CHECK_EQ(d.candidate, 1);
	CHECK(d.cert_flags & SWBLOCK_CERT_OVERRIDE);
	CHECK(d.cert_flags & SWBLOCK_CERT_LEASE_WAITED);
	v.authority.won_ns = v.now_ns - 5 * SEC;
	EXPECT('L', NOTHING);			/* it waits for the lease, too */
	v.authority.won_ns = v.now_ns - 100 * SEC;
	v.member[1].report.flags = SWBLOCK_REPORT_DISK_FAILED;
	v.member[1].flags = SWBLOCK_REPORT_DISK_FAILED;
	EXPECT('H', NOTHING);
	v.member[1].flags = 0;
	report(1, 5, 50);
	v.authority.wish_done = 4;
	EXPECT('H', NOTHING);
	v.authority.wish_done = 3;
	report(0, 5, 100);			/* evidence: no need for it */
	report(2, 5, 50);
	EXPECT('G', GRANT);
	CHECK_EQ(d.candidate, 0);
}

TEST(test_decide_switch_over, "the role moves to a member in sync: its holder is "
	"drained first, by its own host, then fenced")
{
	healthy(SWBLOCK_MODE_SYNC_QUORUM, 3);
	v.wish.primary = uuid_of(2);
	EXPECT('K', NOTHING);			/* the primary's host drains */
	v.self = 0;
	EXPECT('Y', DEMOTE);
	v.failed = 1;
	v.failed_ns = v.now_ns;			/* the device was open */
	EXPECT('D', NOTHING);
	v.failed = 0;
	v.member[2].peer_state = SWBLOCK_PEER_CATCHING_UP;
	EXPECT('K', NOTHING);
	CHECK_EQ(d.missing, 4);
	v.member[2].peer_state = SWBLOCK_PEER_DETACHED;	/* after the drain */
	v.member[0].role = SWBLOCK_ROLE_NONE;
	EXPECT('W', WIN);
	/* what was drained is everywhere: a tie, which the operator breaks */
	won(SWBLOCK_MODE_SYNC_QUORUM, 3);
	v.wish.primary = uuid_of(2);
	report(0, 5, 100);
	report(1, 5, 100);
	report(2, 5, 100);
	EXPECT('G', GRANT);
	CHECK_EQ(d.candidate, 2);
	v.member[2].report.durable = 99;	/* it failed: back to the old one */
	v.member[2].report.committed = 99;
	EXPECT('G', GRANT);
	CHECK_EQ(d.candidate, 0);
}

TEST(test_decide_stopped, "a stopped volume is drained and never granted")
{
	healthy(SWBLOCK_MODE_SYNC_QUORUM, 3);
	v.wish.stopped = true;
	EXPECT('S', NOTHING);
	v.self = 0;
	EXPECT('Y', DEMOTE);
	v.member[0].role = SWBLOCK_ROLE_NONE;
	EXPECT('S', NOTHING);
	won(SWBLOCK_MODE_SYNC_QUORUM, 3);
	v.wish.stopped = true;
	for (u8 i = 0; i < 3; i++)
		report(i, 5, 100);
	EXPECT('S', NOTHING);
}

TEST(test_decide_shrink_and_grow, "sync_all: a required member that is gone leaves "
	"the set, if the operator allows it, and is required again in sync")
{
	healthy(SWBLOCK_MODE_SYNC_ALL, 3);
	silent(2);
	EXPECT('A', NOTHING);			/* never without an order */
	v.wish.shrink_ms = 90000;
	EXPECT('A', NOTHING);
	v.wish.shrink_ms = 30000;
	EXPECT('X', WIN);
	CHECK_EQ(d.cause, SWB_CAUSE_SHRINK);
	CHECK_EQ(d.config.required, 3);
	v.member[2].silent_ns = 0;
	v.member[2].peer_state = SWBLOCK_PEER_NEEDS_REBUILD;	/* P10 vii */
	EXPECT('X', WIN);
	v.authority.config.required = 3;
	v.authority.judge[0].required = 3;
	EXPECT('K', NOTHING);
	CHECK_EQ(d.missing, 4);
	v.member[2].peer_state = SWBLOCK_PEER_IN_SYNC;
	EXPECT('X', WIN);
	CHECK_EQ(d.cause, SWB_CAUSE_GROW);
	CHECK_EQ(d.config.required, 7);
	v.authority.phase = SWB_PHASE_GRANTED;	/* one step at a time */
	EXPECT('N', NOTHING);
	/* the grown one does not report: it is not required after all */
	won(SWBLOCK_MODE_SYNC_ALL, 3);
	v.authority.config.required = 3;
	v.authority.judge[0].required = 3;
	report(0, 5, 100);
	report(1, 5, 100);
	EXPECT('G', GRANT);
	CHECK_EQ(d.config.required, 3);
}

TEST(test_decide_primary_is_required, "sync_all: who is primary is required, wished "
	"or not, and the wish is reached by that")
{
	healthy(SWBLOCK_MODE_SYNC_ALL, 3);
	v.wish.config.required = 2;
	EXPECT('X', WIN);
	CHECK_EQ(d.config.required, 3);
	v.authority.config.required = 3;
	v.authority.judge[0].required = 3;
	EXPECT('A', NOTHING);
}

TEST(test_decide_replacement, "sync_quorum: one member is replaced per epoch, in its "
	"own place, and only while a majority of the new members is in sync")
{
	healthy(SWBLOCK_MODE_SYNC_QUORUM, 3);
	add_member(3);
	add_member(4);
	v.member[3].peer_state = 0;
	v.member[4].peer_state = 0;
	v.wish.config.member[1] = uuid_of(3);
	v.wish.config.member[2] = uuid_of(4);
	silent(2);
	v.member[3].known = false;		/* who comes in is awaited */
	v.member[4].known = false;
	EXPECT('K', NOTHING);
	CHECK_EQ(d.missing, 0x18);
	v.member[3].known = true;
	v.member[4].known = true;
	EXPECT('X', WIN);
	CHECK_EQ(d.cause, SWB_CAUSE_CONFIG);
	CHECK(swb_uuid_equal(&d.config.member[2], &v.member[3].replica));
	CHECK(swb_uuid_equal(&d.config.member[1], &v.member[1].replica));
	v.authority.config = d.config;
	v.authority.judge[0] = d.config;
	EXPECT('K', NOTHING);			/* 0 and nobody else would be left */
	v.member[3].peer_state = SWBLOCK_PEER_IN_SYNC;
	EXPECT('X', WIN);
	CHECK(swb_uuid_equal(&d.config.member[1], &v.member[4].replica));
}

TEST(test_decide_remove_primary, "the holder of the role is removed last, after the "
	"role has moved")
{
	healthy(SWBLOCK_MODE_SYNC_ALL, 3);
	v.wish.config.member[0] = uuid_of(1);
	v.wish.config.member[1] = uuid_of(2);
	v.wish.config.member_count = 2;
	v.wish.config.required = 3;
	v.self = 0;
	EXPECT('Y', DEMOTE);
	CHECK_EQ(d.cause, SWB_CAUSE_ORDER);
	won(SWBLOCK_MODE_SYNC_ALL, 3);
	v.wish.config.member[0] = uuid_of(1);
	v.wish.config.member[1] = uuid_of(2);
	v.wish.config.member_count = 2;
	v.wish.config.required = 3;
	for (u8 i = 0; i < 3; i++)
		report(i, 5, 100);
	EXPECT('G', GRANT);
	CHECK_EQ(d.candidate, 1);
}

TEST(test_decide_add_and_mode, "a member enters outside of the required set; the "
	"mode changes when its members are there and in sync")
{
	healthy(SWBLOCK_MODE_SYNC_ALL, 2);
	add_member(2);
	v.member[2].peer_state = 0;
	v.wish.config = config_of(SWBLOCK_MODE_SYNC_QUORUM, 3);
	EXPECT('X', WIN);
	CHECK_EQ(d.config.mode, SWBLOCK_MODE_SYNC_ALL);
	CHECK_EQ(d.config.member_count, 3);
	CHECK_EQ(d.config.required, 3);
	v.authority.config = d.config;
	v.authority.judge[0] = d.config;
	EXPECT('X', WIN);
	CHECK_EQ(d.config.mode, SWBLOCK_MODE_SYNC_QUORUM);
	CHECK_EQ(d.config.required, 7);
	healthy(SWBLOCK_MODE_SYNC_QUORUM, 3);
	v.wish.config = config_of(SWBLOCK_MODE_SYNC_ALL, 2);
	EXPECT('X', WIN);			/* mode first: two are no quorum */
	CHECK_EQ(d.config.mode, SWBLOCK_MODE_SYNC_ALL);
	CHECK_EQ(d.config.member_count, 3);
	CHECK_EQ(d.config.required, 3);
	v.authority.config = d.config;
	v.authority.judge[0] = d.config;
	EXPECT('X', WIN);
	CHECK_EQ(d.config.member_count, 2);
}

TEST(test_decide_lease_length, "another length of the lease takes an epoch under the same "
	"configuration, once the one before is settled (P13)")
{
	healthy(SWBLOCK_MODE_SYNC_ALL, 3);
	v.self = 0;
	v.wish.lease_ms = 20000;
	EXPECT('X', WIN);
	CHECK(!memcmp(&d.config, &v.authority.config, sizeof(d.config)));
	v.authority.phase = SWB_PHASE_GRANTED;
	ask();
	CHECK(d.order != SWB_ORDER_WIN);
	v.authority.phase = SWB_PHASE_SETTLED;
	v.wish.stopped = true;
	ask();
	CHECK(d.order != SWB_ORDER_WIN);
}

TEST(test_decide_wish_impossible, "an impossible wish is refused, and the volume goes "
	"on without it")
{
	healthy(SWBLOCK_MODE_SYNC_QUORUM, 3);
	v.wish.config.member_count = 2;
	v.wish.config.required = 3;
	EXPECT('Z', NOTHING);
	v.wish.config = config_of(SWBLOCK_MODE_SYNC_QUORUM, 3);
	for (u8 i = 0; i < 3; i++) {
		add_member(3 + i);
		v.wish.config.member[i] = uuid_of(3 + i);
	}
	EXPECT('Z', NOTHING);			/* nobody hands the data on */
	v.wish.config = v.authority.config;
	v.wish.primary = uuid_of(6);
	EXPECT('Z', NOTHING);
	silent(0);
	EXPECT('Q', WIN);
	CHECK_EQ(d.config.member_count, 3);
}

/* ---- views by chance --------------------------------------------------- */

static struct swb_config random_config(u8 members)
{
	struct swb_config cfg = config_of(1 + rnd_below(3), members);

	if (members < 3 && cfg.mode == SWBLOCK_MODE_SYNC_QUORUM)
		cfg.mode = SWBLOCK_MODE_SYNC_ALL;
	if (rnd_below(2))
		cfg.required = 1 + rnd_below((1U << members) - 1);
	if (rnd_below(8) == 0)
		cfg.member[rnd_below(members)] = uuid_of(members);
	return cfg;
}

static void random_member(u8 i, u64 epoch)
{
	struct swb_member_state *m = &v.member[i];

	add_member(i);
	m->known = rnd_below(10) > 0;
	m->silent_ns = rnd_below(3) ? 0 : rnd_below(20 * SEC);
	m->role = (u8)rnd_below(3);
	m->epoch = epoch - (rnd_below(4) == 0 ? rnd_below(epoch + 1) : 0) +
		   (rnd_below(40) == 0);
	m->opened = m->epoch - (rnd_below(2) ? rnd_below(m->epoch + 1) : 0);
	m->flags = rnd_below(10) ? 0 : 1U << rnd_below(2);
	m->conditions = (u32)rnd_below(0x2000);	/* shown, decides nothing */
	m->settled = rnd_below(2);
	m->peer_state = rnd_below(2) ? SWBLOCK_PEER_IN_SYNC : (u8)rnd_below(6);
	if (rnd_below(4)) {
		report(i, 1 + rnd_below(epoch + 1), 90 + rnd_below(4));
		m->report.adopted = epoch - (epoch && rnd_below(8) == 0);
		m->report.committed = 85 + rnd_below(8);
		/* the disk may have failed since */
		m->report.flags = (rnd_below(4) ? m->flags : m->flags &
				   ~SWBLOCK_REPORT_DISK_FAILED) | (rnd_below(4) ? 0 :
				  SWBLOCK_REPORT_PRIMARY_BEFORE);
	}
}

static void random_view(void)
{
	u8 n = 2 + (u8)rnd_below(4);
	struct swb_authority *a = &v.authority;

	healthy(SWBLOCK_MODE_SYNC_ALL, n);
	v.self = rnd_below(8) ? (u8)rnd_below(n) : SWB_NOBODY;
	a->phase = (u8)rnd_below(4);
	a->mine = rnd_below(4) > 0;
	a->owner_silent_ns = rnd_below(2) ? 0 : rnd_below(20 * SEC);
	a->won_ns = v.now_ns - rnd_below(20 * SEC);
	a->lease_ms = rnd_below(3) ? 3000 : 0;
	a->config = random_config(n);
	a->proposed = random_config(n);
	a->judge_count = 1 + (u32)rnd_below(4);
	for (u32 i = 0; i < a->judge_count; i++)
		a->judge[i] = random_config(n);
	a->judge[a->judge_count - 1] = a->config;
	a->epoch = a->phase == SWB_PHASE_NEW ? 0 : 2 + rnd_below(5);
	a->last_epoch = a->phase == SWB_PHASE_NEW ? 0 :
		a->phase == SWB_PHASE_WON ? rnd_below(a->epoch) : a->epoch;
	a->primary = a->config.member[rnd_below(a->config.member_count)];
	if (!a->last_epoch) {
		memset(&a->primary, 0, sizeof(a->primary));
		a->judge_count = 0;
	}
	v.wish.sequence = rnd_below(6);
	v.wish.config = random_config(n);
	v.wish.shrink_ms = rnd_below(2) ? 5000 : 0;
	v.wish.stopped = rnd_below(20) == 0;
	v.wish.override = rnd_below(3) == 0;
	if (rnd_below(2))
		v.wish.primary = uuid_of((u32)rnd_below(n + 1));
	for (u8 i = 0; i <= n; i++)
		random_member(i, a->epoch);
	v.failed = rnd_below(3) ? 0 : (u32)rnd_below(10);
	v.failed_ns = v.now_ns - rnd_below(300 * SEC);
	v.cause = (u8)rnd_below(SWB_CAUSE_COUNT);
	v.cause_since_ns = v.now_ns - rnd_below(10 * SEC);
}

/* the candidate's kernel, which has what its report says */
static u8 kernel_says(const struct swb_cert *cert)
{
	struct swb_candidate me = { .adopted = cert->epoch };

	for (u32 i = 0; i < cert->report_count; i++)
		if (swb_uuid_equal(&cert->report[i].replica, &cert->candidate)) {
			me.last_epoch = cert->report[i].last_epoch;
			me.durable = cert->report[i].durable;
			me.flags = cert->report[i].flags;
		}
	me.replica = cert->candidate;
	return swb_promote_judge(cert, &me);
}

static void check_grant(void)
{
	static struct swb_cert cert;

	swb_decide_cert(&v, &d, &cert);
	CHECK_EQ(kernel_says(&cert), 'A');
	CHECK(v.authority.phase == SWB_PHASE_WON && v.authority.mine);
	CHECK(!v.wish.stopped);
	CHECK(!(cert.flags & SWBLOCK_CERT_OVERRIDE) == (d.letter == 'G'));
	CHECK(d.letter == 'G' ||
	      (swb_uuid_equal(&cert.candidate, &v.wish.primary) &&
	       v.wish.sequence > v.authority.wish_done));
	CHECK(v.authority.judge_count < SWB_CONFIGS_MAX);
}

TEST(test_decide_random_views, "views drawn by chance: no combination of facts that "
	"was called impossible; every grant would be accepted by the kernel's own "
	"table; every win has a cause and is above all that was adopted")
{
	static u32 seen[128];
	struct swb_volume_facts f;

	for (u32 round = 0; round < 400000; round++) {
		random_view();
		swb_decide_volume_facts(&v, &f, &d);
		CHECK(!impossible(&f));
		swb_decide_volume(&v, &d);
		seen[d.letter]++;
		if (d.order == SWB_ORDER_GRANT)
			check_grant();
		if (d.order == SWB_ORDER_SETTLE)
			CHECK(v.authority.phase == SWB_PHASE_GRANTED);
		if (d.order != SWB_ORDER_WIN)
			continue;
		CHECK(d.cause && swb_config_valid(&d.config));
		CHECK(v.self != SWB_NOBODY && !v.wish.stopped);
		for (u8 i = 0; i < v.member_count; i++)
			CHECK(!v.member[i].known ||
			      d.epoch > v.member[i].epoch);
	}
	for (u8 l = 'A'; l <= 'Z'; l++)
		CHECK(seen[l]);
}
