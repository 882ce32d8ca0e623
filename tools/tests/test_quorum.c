// SPDX-License-Identifier: GPL-2.0-only
/* Quorum arithmetic against counting members one LSN at a time. */
#include "harness.h"
#include "quorum.h"

static struct swb_core c;

/* does member @i hold @lsn, as the mode counts it? */
static bool holds(u32 i, u64 lsn, bool commit)
{
	const struct swb_core_peer *p = &c.peer[i];

	if (i == c.self)
		return lsn <= (commit ? c.log.durable : c.log.written);
	if (commit)
		return lsn <= p->durable;
	if (c.config.policy == SWBLOCK_POLICY_LOCAL)
		return true;
	if (c.config.policy == SWBLOCK_POLICY_RECEIVED)
		return lsn <= p->received || lsn <= p->written || lsn <= p->durable;
	return lsn <= p->written || lsn <= p->durable;
}

static bool enough(u64 lsn, bool commit)
{
	u32 n = c.config.member_count, have = 0;

	if (!holds(c.self, lsn, commit))
		return false;		/* ambiguity 16 */
	if (!commit && c.config.policy == SWBLOCK_POLICY_LOCAL)
		return true;
	for (u32 i = 0; i < n; i++) {
		bool h = holds(i, lsn, commit);

		have += h;
		if (c.config.mode == SWBLOCK_MODE_SYNC_ALL && !h &&
		    (c.config.required >> i & 1))
			return false;
		if (c.config.mode == SWBLOCK_MODE_BEST_EFFORT && !commit && !h &&
		    c.peer[i].matched)
			return false;
	}
	return c.config.mode != SWBLOCK_MODE_SYNC_QUORUM || have * 2 > n;
}

static u64 brute(bool commit)
{
	u64 lsn = 0;

	while (lsn < 40 && enough(lsn + 1, commit))
		lsn++;
	return lsn;
}

static void randomize(void)
{
	u32 n = 1 + (u32)rnd_below(SWB_MEMBERS_MAX);

	memset(&c, 0, sizeof(c));
	c.config.mode = (u8)(1 + rnd_below(3));
	c.config.policy = (u8)(1 + rnd_below(3));
	c.config.member_count = (u8)n;
	c.self = (u8)rnd_below(n);
	c.config.required = (u32)(rnd() & ((1U << n) - 1)) | 1U << c.self;
	c.log.head = 30;
	c.log.written = rnd_below(31);
	c.log.durable = rnd_below(c.log.written + 1);
	for (u32 i = 0; i < n; i++) {
		if (i == c.self)
			continue;
		c.peer[i].received = rnd_below(31);
		c.peer[i].written = rnd_below(c.peer[i].received + 1);
		c.peer[i].durable = rnd_below(4) ? rnd_below(c.peer[i].written + 1) :
			rnd_below(31);	/* of an earlier session */
		c.peer[i].matched = rnd_below(2);
	}
}

TEST(test_quorum_committed_random, "C is the highest LSN that enough "
	"members flushed, for every mode and size (I-001, I-009)")
{
	for (int i = 0; i < 200000; i++) {
		randomize();
		CHECK_EQ(swb_quorum_committed(&c), brute(true));
	}
}

TEST(test_quorum_completed_random, "a write completes when its policy holds "
	"on everybody the mode names (I-230)")
{
	for (int i = 0; i < 200000; i++) {
		randomize();
		CHECK_EQ(swb_quorum_completed(&c), brute(false));
	}
}

TEST(test_quorum_peers_alone_never, "peers alone never make a majority "
	"(ambiguity 16)")
{
	memset(&c, 0, sizeof(c));
	c.config.mode = SWBLOCK_MODE_SYNC_QUORUM;
	c.config.member_count = 3;
	c.log.durable = 4;
	c.peer[1].durable = 9;
	c.peer[2].durable = 9;
	CHECK_EQ(swb_quorum_committed(&c), 4);
	c.log.durable = 20;
	CHECK_EQ(swb_quorum_committed(&c), 9);
	c.peer[1].durable = 0;
	CHECK_EQ(swb_quorum_committed(&c), 9);
	c.peer[2].durable = 0;
	CHECK_EQ(swb_quorum_committed(&c), 0);
}

TEST(test_quorum_received_is_not_durable, "received and written never count "
	"for C (I-014)")
{
	memset(&c, 0, sizeof(c));
	c.config.mode = SWBLOCK_MODE_SYNC_ALL;
	c.config.member_count = 2;
	c.config.required = 3;
	c.log.durable = 9;
	c.peer[1].received = 9;
	c.peer[1].written = 9;
	CHECK_EQ(swb_quorum_committed(&c), 0);
}

TEST(test_quorum_required_self_only, "with the primary alone required, C is "
	"its own durable LSN")
{
	memset(&c, 0, sizeof(c));
	c.config.mode = SWBLOCK_MODE_SYNC_ALL;
	c.config.member_count = 3;
	c.config.required = 1;
	c.log.durable = 9;
	CHECK_EQ(swb_quorum_committed(&c), 9);
}
