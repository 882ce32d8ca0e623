// SPDX-License-Identifier: GPL-2.0-only
/* The certificate table: every letter, and all small clusters by brute force. */
#include "harness.h"
#include "promote.h"

static struct swb_cert cert;
static struct swb_candidate me;

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

/* member 0 of @members, everybody reported (1, 10), nobody void */
static void setup(u8 mode, u8 members)
{
	memset(&cert, 0, sizeof(cert));
	memset(&me, 0, sizeof(me));
	cert.volume.b[0] = 7;
	cert.store.b[0] = 8;
	cert.store_generation = 2;
	cert.epoch = 5;
	cert.candidate = uuid_of(0);
	cert.config = config_of(mode, members);
	cert.judge_count = 1;
	cert.judge[0] = cert.config;
	cert.report_count = members;
	for (u32 i = 0; i < members; i++) {
		cert.report[i].replica = uuid_of(i);
		cert.report[i].adopted = 5;
		cert.report[i].last_epoch = 3;
		cert.report[i].durable = 10;
		cert.report[i].committed = 9;
	}
	cert.last_granted_epoch = 3;
	cert.last_granted = uuid_of(1);
	me.volume = cert.volume;
	me.replica = uuid_of(0);
	me.store = cert.store;
	me.store_generation = 2;
	me.adopted = 5;
	me.opened = 2;
	me.last_epoch = 3;
	me.durable = 10;
}

#define REFUSED(letter, change)						\
	do {								\
		setup(SWBLOCK_MODE_SYNC_ALL, 3);			\
		change;							\
		CHECK_EQ(swb_promote_judge(&cert, &me), letter);		\
	} while (0)

TEST(test_promote_each_letter, "each letter is given for its one reason")
{
	REFUSED('A', (void)0);
	REFUSED('D', cert.volume.b[1] = 1);
	REFUSED('D', cert.candidate = uuid_of(1));
	REFUSED('D', cert.store.b[1] = 1);
	REFUSED('D', cert.store_generation = 3);
	REFUSED('M', cert.config.required = 0);
	REFUSED('M', cert.config.required = 6);	/* without ourselves */
	REFUSED('M', cert.config.member[0] = uuid_of(5));
	REFUSED('M', cert.config.mode = 0);
	REFUSED('M', cert.judge_count = 0);	/* somebody was granted before */
	REFUSED('M', cert.judge_count = SWB_CONFIGS_MAX + 1);
	REFUSED('M', cert.judge[0].member_count = 0);
	REFUSED('B', me.adopted = 4);
	REFUSED('B', me.adopted = 6);
	REFUSED('B', me.adopting = true);
	REFUSED('L', me.primary = true; me.opened = 5);
	REFUSED('C', me.opened = 5);
	REFUSED('C', me.opened = 6);
	REFUSED('J', me.flags = SWBLOCK_REPORT_INCONSISTENT);
	REFUSED('J', me.flags = SWBLOCK_REPORT_DISK_FAILED);
	REFUSED('E', cert.report[0].replica = uuid_of(6));
	REFUSED('E', cert.report[0].adopted = 4);
	REFUSED('F', me.durable = 9);
	REFUSED('F', me.last_epoch = 2);
	REFUSED('K', cert.judge[0].mode = SWBLOCK_MODE_BEST_EFFORT;
		     cert.report[1].adopted = 4);
	REFUSED('G', cert.report[2].durable = 11);
	REFUSED('G', cert.report[2].last_epoch = 4; cert.report[2].durable = 1);
	REFUSED('I', cert.report[2].committed = 11);
	REFUSED('N', cert.report[1].adopted = 4);
	REFUSED('A', cert.report[1].adopted = 4;
		     cert.flags = SWBLOCK_CERT_LEASE_WAITED);
}

TEST(test_promote_evidence_by_quorum, "two of three suffice, one does not, "
	"a void one does not count (H, P7)")
{
	setup(SWBLOCK_MODE_SYNC_QUORUM, 3);
	cert.flags = SWBLOCK_CERT_LEASE_WAITED;
	CHECK_EQ(swb_promote_judge(&cert, &me), 'A');
	cert.report_count = 2;
	CHECK_EQ(swb_promote_judge(&cert, &me), 'A');
	cert.report[1].flags = SWBLOCK_REPORT_DISK_FAILED;
	CHECK_EQ(swb_promote_judge(&cert, &me), 'H');
	cert.report_count = 1;
	CHECK_EQ(swb_promote_judge(&cert, &me), 'H');
	cert.flags |= SWBLOCK_CERT_OVERRIDE;
	CHECK_EQ(swb_promote_judge(&cert, &me), 'A');
}

TEST(test_promote_joint_evidence, "evidence must suffice under every "
	"configuration that may have committed (P1)")
{
	setup(SWBLOCK_MODE_SYNC_ALL, 3);
	cert.flags = SWBLOCK_CERT_LEASE_WAITED;
	/* required was {1} alone; we hold only our own report and member 2's */
	cert.judge_count = 2;
	cert.judge[1] = cert.judge[0];
	cert.judge[1].required = 2;
	cert.report[1] = cert.report[2];
	cert.report_count = 2;
	CHECK_EQ(swb_promote_judge(&cert, &me), 'H');
	cert.judge[1].required = 6;
	CHECK_EQ(swb_promote_judge(&cert, &me), 'A');
}

TEST(test_promote_override_limits, "an override waives G, H, I and K, and "
	"nothing else")
{
	static const char never[] = "DMBLCJEF";

	for (u32 i = 0; i < sizeof(never) - 1; i++) {
		setup(SWBLOCK_MODE_SYNC_ALL, 3);
		cert.flags = SWBLOCK_CERT_OVERRIDE;
		switch (never[i]) {
		case 'D':
			cert.store_generation++;
			break;
		case 'M':
			cert.config.required = 0;
			break;
		case 'B':
			me.adopted = 9;
			break;
		case 'L':
			me.primary = true;
			me.opened = 5;
			break;
		case 'C':
			me.opened = 5;
			break;
		case 'J':
			me.flags = SWBLOCK_REPORT_INCONSISTENT;
			break;
		case 'E':
			cert.report[0].adopted = 4;
			break;
		case 'F':
			me.durable = 9;
			break;
		}
		CHECK_EQ(swb_promote_judge(&cert, &me), never[i]);
	}
	setup(SWBLOCK_MODE_SYNC_ALL, 3);
	cert.flags = SWBLOCK_CERT_OVERRIDE;
	cert.report[1].adopted = 4;
	CHECK_EQ(swb_promote_judge(&cert, &me), 'N');
	cert.flags |= SWBLOCK_CERT_LEASE_WAITED;
	cert.report[2].durable = 99;
	cert.report[2].committed = 99;
	cert.judge[0].mode = SWBLOCK_MODE_BEST_EFFORT;
	CHECK_EQ(swb_promote_judge(&cert, &me), 'A');
}

TEST(test_promote_outsider_does_not_rank, "in sync_all a member outside the "
	"required set blocks nobody (ambiguity 2)")
{
	setup(SWBLOCK_MODE_SYNC_ALL, 3);
	cert.config.required = 3;
	cert.judge[0].required = 3;
	cert.report[2].durable = 20;
	CHECK_EQ(swb_promote_judge(&cert, &me), 'A');
	CHECK_EQ(swb_promote_best(&cert), 0);
	cert.judge[0].required = 7;
	CHECK_EQ(swb_promote_judge(&cert, &me), 'G');
	CHECK_EQ(swb_promote_best(&cert), 2);
}

TEST(test_promote_rank, "rank is by the last record's epoch, then by "
	"durable LSN; ties go to the first (I-030)")
{
	setup(SWBLOCK_MODE_SYNC_QUORUM, 3);
	CHECK_EQ(swb_promote_best(&cert), 0);
	cert.report[1].durable = 50;
	CHECK_EQ(swb_promote_best(&cert), 1);
	cert.report[2].last_epoch = 4;
	cert.report[2].durable = 1;
	CHECK_EQ(swb_promote_best(&cert), 2);
	cert.report[2].flags = SWBLOCK_REPORT_INCONSISTENT;
	CHECK_EQ(swb_promote_best(&cert), 1);
	cert.report[1].adopted = 4;
	CHECK_EQ(swb_promote_best(&cert), 0);
	cert.report[0].adopted = 4;
	CHECK_EQ(swb_promote_best(&cert), -1);
}

TEST(test_promote_best_effort_proof, "in best_effort the last primary must "
	"have reported; any voter at or above it qualifies (P15)")
{
	setup(SWBLOCK_MODE_BEST_EFFORT, 3);
	CHECK_EQ(swb_promote_judge(&cert, &me), 'A');
	cert.report[1].durable = 11;
	CHECK_EQ(swb_promote_judge(&cert, &me), 'G');
	cert.report[1].durable = 9;
	CHECK_EQ(swb_promote_judge(&cert, &me), 'A');
	cert.report[1].flags = SWBLOCK_REPORT_DISK_FAILED;
	CHECK_EQ(swb_promote_judge(&cert, &me), 'K');
	cert.last_granted = uuid_of(9);
	cert.report[1].flags = 0;
	CHECK_EQ(swb_promote_judge(&cert, &me), 'K');
}

TEST(test_promote_first_grant, "the first grant of a volume needs no "
	"configuration to be judged")
{
	for (u8 mode = SWBLOCK_MODE_BEST_EFFORT; mode <= SWBLOCK_MODE_SYNC_ALL; mode++) {
		setup(mode, 3);
		cert.judge_count = 0;
		cert.last_granted_epoch = 0;
		memset(&cert.last_granted, 0, 16);
		cert.report_count = 1;
		CHECK_EQ(swb_promote_judge(&cert, &me), 'A');
	}
}

TEST(test_config_valid, "configurations that nobody or nothing would "
	"satisfy are invalid (I-010)")
{
	struct swb_config ok = config_of(SWBLOCK_MODE_SYNC_ALL, 2), cfg;

	CHECK(swb_config_valid(&ok));
#define INVALID(change) do { cfg = ok; change; CHECK(!swb_config_valid(&cfg)); } while (0)
	INVALID(cfg.mode = 0);
	INVALID(cfg.mode = 4);
	INVALID(cfg.policy = 0);
	INVALID(cfg.policy = 4);
	INVALID(cfg.member_count = 0);
	INVALID(cfg.member_count = SWB_MEMBERS_MAX + 1);
	INVALID(cfg.required = 4);
	INVALID(cfg.required = 0);
	INVALID(cfg.mode = SWBLOCK_MODE_SYNC_QUORUM);
	INVALID(cfg.member[1] = cfg.member[0]);
	INVALID(memset(&cfg.member[1], 0, 16));
	cfg = config_of(SWBLOCK_MODE_SYNC_QUORUM, 3);
	CHECK(swb_config_valid(&cfg));
	cfg = config_of(SWBLOCK_MODE_SYNC_ALL, 7);
	CHECK(swb_config_valid(&cfg));
}

/* the table, written a second time from facts computed in the plain way */
static bool brute_sufficient(const struct swb_config *cfg)
{
	u32 have = 0;
	bool last = false;

	for (u32 i = 0; i < cert.report_count; i++) {
		const struct swb_report *r = &cert.report[i];
		bool void_copy = r->flags & 3;
		u32 k;

		for (k = 0; k < cfg->member_count; k++)
			if (swb_uuid_equal(&cfg->member[k], &r->replica))
				break;
		if (k == cfg->member_count || r->adopted != cert.epoch || void_copy)
			continue;
		if (cfg->mode != SWBLOCK_MODE_SYNC_ALL || (cfg->required >> k & 1))
			have++;
		last |= swb_uuid_equal(&r->replica, &cert.last_granted);
	}
	if (cfg->mode == SWBLOCK_MODE_SYNC_QUORUM)
		return have * 2 > cfg->member_count;
	if (cfg->mode == SWBLOCK_MODE_SYNC_ALL)
		return have;
	return last;
}

TEST(test_promote_small_clusters, "over all reports of small clusters, A is "
	"given only where every promise holds (I-028, I-029)")
{
	u32 seen[128] = { 0 };

	/* per member: absent, old epoch, void, or (last epoch, durable) of four */
	for (u32 mode = 1; mode <= 3; mode++) {
		for (u32 n = 0; n < 8 * 8 * 8 * 3 * 4; n++) {
			u32 v = n;
			u8 letter;

			setup((u8)mode, 3);
			cert.last_granted = uuid_of(v % 3);
			v /= 3;
			cert.flags = v & 1 ? SWBLOCK_CERT_LEASE_WAITED : 0;
			v /= 2;
			me.durable = 10 + (v & 1);
			v /= 2;
			cert.report_count = 0;
			for (u32 i = 0; i < 3; i++, v /= 8) {
				struct swb_report *r = &cert.report[cert.report_count];
				u32 kind = v % 8;

				if (!kind)
					continue;
				cert.report_count++;
				r->replica = uuid_of(i);
				r->adopted = kind == 1 ? 4 : 5;
				r->flags = kind == 2 ? SWBLOCK_REPORT_INCONSISTENT : 0;
				r->last_epoch = kind == 3 ? 2 : kind == 7 ? 4 : 3;
				r->durable = kind == 4 ? 9 : kind == 6 ? 11 : 10;
				r->committed = kind == 5 || kind == 6 ? 11 : 8;
			}
			letter = swb_promote_judge(&cert, &me);
			seen[letter]++;
			if (letter != 'A')
				continue;
			CHECK(brute_sufficient(&cert.judge[0]));
			for (u32 i = 0; i < cert.report_count; i++) {
				const struct swb_report *r = &cert.report[i];

				if (r->adopted != 5)
					continue;
				CHECK(me.durable >= r->committed);
				if (r->flags)
					continue;
				CHECK(r->last_epoch < me.last_epoch ||
				      (r->last_epoch == me.last_epoch &&
				       r->durable <= me.durable));
			}
		}
	}
	CHECK(seen['A'] && seen['E'] && seen['F'] && seen['G'] && seen['H'] &&
	      seen['I'] && seen['K'] && seen['N']);
}
