// SPDX-License-Identifier: GPL-2.0-only
/*
 * Certificates, each wrong in one fact: the kernel names the letter of its table
 * (docs/design/state-model.md, 6) and stays as it is. SWB_VOLUME_ID names an
 * attached member; it may have a history. The last test lets one succeed.
 */
#include "kselftest_harness.h"
#include "nlx.h"

enum { SELF, OTHER, THIRD };

FIXTURE(cert)
{
	struct nlx x;
	struct nlx_volume v;
	struct nlx_event own; /* own report of epoch e */
	uint64_t e;
	uint8_t store[16];
	uint64_t generation;
	uint8_t m[3][16];
	uint8_t all[1][16];
};

FIXTURE_SETUP(cert)
{
	static const uint8_t made_up[16] = "store-of-a-test";

	ASSERT_EQ(0, nlx_open(&self->x));
	ASSERT_EQ(0, nlx_first(&self->x, &self->v));
	ASSERT_EQ(0, nlx_subscribe(&self->x));
	memcpy(self->store, self->v.store_generation ? self->v.store : made_up,
	       16);
	self->generation = self->v.store_generation ? self->v.store_generation :
						      1;
	self->e = self->v.epoch + 1;
	memcpy(self->m[SELF], self->v.replica, 16);
	memset(self->m[OTHER], 0xbb, 16);
	memset(self->m[THIRD], 0xcc, 16);
	ASSERT_EQ(0, nlx_adopt(&self->x, self->v.id, self->e, self->store,
			       self->generation, &self->own))
	{
		TH_LOG("said: %s", self->x.text);
	}
	ASSERT_TRUE(self->own.has_report)
	{
		TH_LOG("said: %s", self->own.text);
	}
	ASSERT_EQ(self->e, self->own.adopted);
}

FIXTURE_TEARDOWN(cert)
{
	EXPECT_EQ(0, nlx_info(&self->x));
	nlx_close(&self->x);
}

struct rep {
	uint8_t *who;
	uint64_t adopted, last_epoch, durable, committed;
	uint32_t flags;
};

struct draft {
	const uint8_t *volume, *candidate, *store, *last_granted;
	uint64_t generation, epoch, last_epoch;
	uint8_t mode;
	uint32_t required;
	int members;
	bool judge;
	uint8_t judge_mode;
	uint32_t judge_required;
	struct rep rep[3];
	int reps;
	uint32_t flags;
};

static struct draft good(FIXTURE_DATA(cert) * self)
{
	static const uint8_t nobody[16];
	struct draft d = {
		.volume = self->v.volume,
		.candidate = self->v.replica,
		.store = self->store,
		.generation = self->generation,
		.epoch = self->e,
		.last_granted = nobody,
		.mode = SWBLOCK_MODE_SYNC_ALL,
		.required = 1,
		.members = 1,
		.rep = { { self->m[SELF], self->e, self->own.last_epoch,
			   self->own.durable, self->own.committed, 0 } },
		.reps = 1,
	};

	return d;
}

/* Return: the letter of the refusal, 'A' if it became primary, or 0 */
static char certify(FIXTURE_DATA(cert) * self, const struct draft *d)
{
	static uint64_t cookie = 0xce47000;
	struct nlx *x = &self->x;
	struct nlattr *cert, *rep;
	struct nlx_event ev;
	const char *at;
	int err;

	nlx_begin(x, SWBLOCK_CMD_PROMOTE);
	mnl_attr_put_u32(x->nlh, SWBLOCK_A_VOLUME_ID, self->v.id);
	mnl_attr_put_u64(x->nlh, SWBLOCK_A_COOKIE, ++cookie);
	cert = mnl_attr_nest_start(x->nlh, SWBLOCK_A_CERT);
	mnl_attr_put(x->nlh, SWBLOCK_CERT_A_VOLUME, 16, d->volume);
	mnl_attr_put(x->nlh, SWBLOCK_CERT_A_STORE, 16, d->store);
	mnl_attr_put_u64(x->nlh, SWBLOCK_CERT_A_STORE_GENERATION,
			 d->generation);
	mnl_attr_put_u64(x->nlh, SWBLOCK_CERT_A_EPOCH, d->epoch);
	mnl_attr_put(x->nlh, SWBLOCK_CERT_A_CANDIDATE, 16, d->candidate);
	nlx_config(x, SWBLOCK_CERT_A_CONFIG, d->mode, d->required, self->m,
		   d->members);
	if (d->judge)
		nlx_config(x, SWBLOCK_CERT_A_JUDGE, d->judge_mode,
			   d->judge_required, self->m, 2);
	for (int i = 0; i < d->reps; i++) {
		const struct rep *r = &d->rep[i];

		rep = mnl_attr_nest_start(x->nlh, SWBLOCK_CERT_A_REPORT);
		mnl_attr_put(x->nlh, SWBLOCK_REPORT_A_REPLICA, 16, r->who);
		mnl_attr_put_u64(x->nlh, SWBLOCK_REPORT_A_ADOPTED, r->adopted);
		mnl_attr_put_u64(x->nlh, SWBLOCK_REPORT_A_LAST_EPOCH,
				 r->last_epoch);
		mnl_attr_put_u64(x->nlh, SWBLOCK_REPORT_A_DURABLE, r->durable);
		mnl_attr_put_u64(x->nlh, SWBLOCK_REPORT_A_COMMITTED,
				 r->committed);
		mnl_attr_put_u32(x->nlh, SWBLOCK_REPORT_A_FLAGS, r->flags);
		mnl_attr_nest_end(x->nlh, rep);
	}
	mnl_attr_put_u64(x->nlh, SWBLOCK_CERT_A_LAST_EPOCH, d->last_epoch);
	mnl_attr_put(x->nlh, SWBLOCK_CERT_A_LAST_GRANTED, 16, d->last_granted);
	mnl_attr_put_u32(x->nlh, SWBLOCK_CERT_A_FLAGS, d->flags);
	mnl_attr_nest_end(x->nlh, cert);
	err = nlx_send(x, NULL, NULL);
	if (err) {
		at = strstr(x->text, "case ");
		return at ? at[5] : 0;
	}
	if (nlx_event_of(x, cookie, &ev))
		return 0;
	if (ev.kind == SWBLOCK_EVENT_ROLE)
		return 'A';
	return (char)ev.letter;
}

#define EXPECT_LETTER(want, d)                                                \
	do {                                                                  \
		char _got = certify(self, d);                                 \
		EXPECT_EQ(want, _got)                                         \
		{                                                             \
			TH_LOG("case %c, expected %c: %s", _got ? _got : '?', \
			       want, self->x.text);                           \
		}                                                             \
	} while (0)

/* Neither the certificate nor an override may pass. */
#define EXPECT_NEVER(want, d)                                                 \
	do {                                                                  \
		struct draft _d = *(d);                                       \
		EXPECT_LETTER(want, &_d);                                     \
		_d.flags = SWBLOCK_CERT_OVERRIDE | SWBLOCK_CERT_LEASE_WAITED; \
		EXPECT_LETTER(want, &_d);                                     \
	} while (0)

TEST_F(cert, of_another_volume_candidate_or_store_is_case_D)
{
	static const uint8_t foreign[16] = "somebody-else's";
	struct draft d = good(self);

	d.volume = foreign;
	EXPECT_NEVER('D', &d);
	d = good(self);
	d.candidate = foreign;
	EXPECT_NEVER('D', &d);
	d = good(self);
	d.store = foreign;
	EXPECT_NEVER('D', &d);
	d = good(self);
	d.generation += 1;
	EXPECT_NEVER('D', &d);
}

TEST_F(cert, of_an_impossible_configuration_is_case_M)
{
	struct draft d = good(self);

	d.required = 0;
	EXPECT_NEVER('M', &d);
	d = good(self);
	d.members = 2;
	d.required = 2; /* without the candidate */
	EXPECT_NEVER('M', &d);
}

TEST_F(cert, of_an_epoch_not_adopted_is_case_B)
{
	struct draft d = good(self);

	d.epoch = self->e + 1;
	d.rep[0].adopted = self->e + 1;
	EXPECT_NEVER('B', &d);
	d = good(self);
	d.epoch = self->e - 1;
	if (d.epoch)
		EXPECT_NEVER('B', &d);
}

TEST_F(cert, without_the_own_report_is_case_E)
{
	struct draft d = good(self);

	d.reps = 0;
	EXPECT_NEVER('E', &d);
	d = good(self);
	d.rep[0].adopted = self->e - 1;
	EXPECT_NEVER('E', &d);
}

TEST_F(cert, that_claims_more_than_the_log_holds_is_case_F)
{
	struct draft d = good(self);

	d.rep[0].durable += 1000;
	EXPECT_NEVER('F', &d);
}

TEST_F(cert, under_best_effort_without_the_last_primary_is_case_K)
{
	struct draft d = good(self);

	d.judge = true;
	d.judge_mode = SWBLOCK_MODE_BEST_EFFORT;
	d.last_epoch = self->e - 1 ? self->e - 1 : 1;
	d.last_granted = self->m[OTHER];
	d.flags = SWBLOCK_CERT_LEASE_WAITED;
	EXPECT_LETTER('K', &d);
}

TEST_F(cert, without_any_required_report_is_case_H)
{
	struct draft d = good(self);

	d.judge = true;
	d.judge_mode = SWBLOCK_MODE_SYNC_ALL;
	d.judge_required = 2;
	d.flags = SWBLOCK_CERT_LEASE_WAITED;
	EXPECT_LETTER('H', &d);
}

TEST_F(cert, beside_a_better_log_is_case_G)
{
	struct draft d = good(self);

	d.members = 2;
	d.required = 3;
	d.reps = 2;
	d.rep[1] = (struct rep){
		self->m[OTHER],	       self->e, self->own.last_epoch + 1,
		self->own.durable + 7, 0,	0
	};
	EXPECT_LETTER('G', &d);
	d.judge = true;
	d.judge_mode = SWBLOCK_MODE_SYNC_ALL;
	d.judge_required = 3;
	EXPECT_LETTER('G', &d);
}

TEST_F(cert, below_a_known_commit_is_case_I)
{
	struct draft d = good(self);

	d.members = 2;
	d.required = 3;
	d.reps = 2;
	d.judge = true;
	d.judge_mode = SWBLOCK_MODE_SYNC_ALL;
	d.judge_required = 3;
	d.rep[1] = (struct rep){ self->m[OTHER],	   self->e, 0, 0,
				 self->own.durable + 1000, 0 };
	EXPECT_LETTER('I', &d);
}

TEST_F(cert, while_the_last_primary_may_still_read_is_case_N)
{
	struct draft d = good(self);

	d.members = 2;
	d.required = 3;
	d.judge = true;
	d.judge_mode = SWBLOCK_MODE_SYNC_ALL;
	d.judge_required = 3;
	d.last_epoch = self->e - 1 ? self->e - 1 : 1;
	d.last_granted = self->m[OTHER];
	EXPECT_LETTER('N', &d);
}

TEST_F(cert, with_a_void_report_counts_for_nothing)
{
	struct draft d = good(self);

	/* a better log that is void does not outrank, nor suffice */
	d.members = 2;
	d.required = 3;
	d.reps = 2;
	d.judge = true;
	d.judge_mode = SWBLOCK_MODE_SYNC_ALL;
	d.judge_required = 2;
	d.rep[1] = (struct rep){
		self->m[OTHER], self->e, 99, 9999, 0, SWBLOCK_REPORT_DISK_FAILED
	};
	EXPECT_LETTER('H', &d);
}

/* Accepted once; again it changes nothing; and never again in this epoch. */
TEST_F(cert, that_is_good_opens_one_epoch_once)
{
	struct draft d = good(self);
	struct nlx_volume now;
	struct nlx_event ev;
	char again;

	ASSERT_EQ('A', certify(self, &d))
	{
		TH_LOG("said: %s", self->x.text);
	}
	ASSERT_EQ(0, nlx_get(&self->x, self->v.id, &now));
	EXPECT_EQ(SWBLOCK_ROLE_PRIMARY, now.role);
	EXPECT_EQ(self->e, now.opened);
	again = certify(self, &d);
	EXPECT_TRUE(again == 'L' || again == 'A')
	{
		TH_LOG("case %c", again);
	}
	/* another candidate's certificate for the same epoch */
	d.candidate = self->m[OTHER];
	EXPECT_LETTER('D', &d);
	/* demoted, the same certificate again: the epoch is used up (P2) */
	nlx_begin(&self->x, SWBLOCK_CMD_DEMOTE);
	mnl_attr_put_u32(self->x.nlh, SWBLOCK_A_VOLUME_ID, self->v.id);
	mnl_attr_put_u64(self->x.nlh, SWBLOCK_A_COOKIE, 0xde40);
	ASSERT_EQ(0, nlx_send(&self->x, NULL, NULL));
	ASSERT_EQ(0, nlx_event_of(&self->x, 0xde40, &ev));
	d = good(self);
	EXPECT_LETTER('C', &d);
}

TEST_HARNESS_MAIN
