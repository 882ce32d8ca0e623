// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events are dense and in order, dumps tell what they include, and both stay right
 * while members come and go. SWB_VOLUME_ID names an attached member, SWB_SPARE a
 * formatted disk that is not attached.
 */
#include <signal.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "nlx.h"

#define ROUNDS 12

FIXTURE(events)
{
	struct nlx x; /* orders */
	struct nlx ear; /* events */
	struct nlx_volume v;
	uint8_t store[16];
	uint64_t generation;
};

FIXTURE_SETUP(events)
{
	static const uint8_t made_up[16] = "store-of-a-test";

	ASSERT_EQ(0, nlx_open(&self->x));
	ASSERT_EQ(0, nlx_open(&self->ear));
	ASSERT_EQ(0, nlx_first(&self->x, &self->v));
	ASSERT_EQ(0, nlx_subscribe(&self->ear));
	memcpy(self->store, self->v.store_generation ? self->v.store : made_up,
	       16);
	self->generation = self->v.store_generation ? self->v.store_generation :
						      1;
}

FIXTURE_TEARDOWN(events)
{
	nlx_close(&self->x);
	nlx_close(&self->ear);
}

static int adopt_order(struct nlx *x, uint32_t id, uint64_t epoch,
		       const uint8_t *store, uint64_t generation,
		       uint64_t cookie)
{
	nlx_begin(x, SWBLOCK_CMD_ADOPT);
	mnl_attr_put_u32(x->nlh, SWBLOCK_A_VOLUME_ID, id);
	mnl_attr_put_u64(x->nlh, SWBLOCK_A_EPOCH, epoch);
	mnl_attr_put(x->nlh, SWBLOCK_A_STORE_UUID, 16, store);
	mnl_attr_put_u64(x->nlh, SWBLOCK_A_STORE_GENERATION, generation);
	mnl_attr_put_u64(x->nlh, SWBLOCK_A_COOKIE, cookie);
	return nlx_send(x, NULL, NULL);
}

TEST_F(events, sequence_numbers_are_dense_and_time_does_not_fall)
{
	struct nlx_volume v;
	struct nlx_event ev;
	uint64_t seq = 0, time = 0;
	int reports = 0;

	for (int i = 0; i < ROUNDS; i++)
		ASSERT_EQ(0, adopt_order(&self->x, self->v.id,
					 self->v.epoch + 1 + i, self->store,
					 self->generation, 100 + i));
	while (reports < ROUNDS) {
		ASSERT_EQ(0, nlx_event_next(&self->ear, &ev));
		if (seq)
			EXPECT_EQ(seq + 1, ev.seq);
		EXPECT_GE(ev.time_ns, time);
		EXPECT_NE(0, ev.text[0])
		{
			TH_LOG("kind %u has no text", ev.kind);
		}
		seq = ev.seq;
		time = ev.time_ns;
		if (ev.kind == SWBLOCK_EVENT_REPORT) {
			EXPECT_EQ(100 + reports, ev.cookie);
			EXPECT_EQ(self->v.id, ev.id);
			EXPECT_TRUE(ev.has_report);
			reports++;
		}
	}
	ASSERT_EQ(0, nlx_get(&self->x, self->v.id, &v));
	EXPECT_GE(v.seq, seq);
	EXPECT_EQ(self->v.epoch + ROUNDS, v.epoch);
}

TEST_F(events, a_dump_includes_what_its_number_says)
{
	struct nlx_volume before, after;
	struct nlx_event ev;

	ASSERT_EQ(0, nlx_dump(&self->x, &before));
	ASSERT_EQ(0, adopt_order(&self->x, self->v.id, self->v.epoch + 1,
				 self->store, self->generation, 7));
	ASSERT_EQ(0, nlx_event_of(&self->ear, 7, &ev));
	EXPECT_GT(ev.seq, before.seq);
	ASSERT_EQ(0, nlx_dump(&self->x, &after));
	EXPECT_GE(after.seq, ev.seq);
}

/* Members come and go; what a dump shows is whole, and it always ends. */
TEST_F_TIMEOUT(events, dumps_survive_members_that_come_and_go, 60)
{
	const char *spare = getenv("SWB_SPARE");
	struct nlx_volume v;
	int status;
	pid_t pid;

	ASSERT_NE(NULL, spare);
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		struct nlx_event ev;
		struct nlx y;

		if (nlx_open(&y) || nlx_subscribe(&y))
			_exit(1);
		for (uint64_t i = 0; i < 6; i++) {
			nlx_begin(&y, SWBLOCK_CMD_VOLUME_ADD);
			mnl_attr_put_strz(y.nlh, SWBLOCK_A_DATA_PATH, spare);
			mnl_attr_put_u64(y.nlh, SWBLOCK_A_COOKIE, 1000 + i);
			if (nlx_send(&y, NULL, NULL) ||
			    nlx_event_of(&y, 1000 + i, &ev) ||
			    ev.kind != SWBLOCK_EVENT_READY)
				_exit(2);
			nlx_begin(&y, SWBLOCK_CMD_VOLUME_REMOVE);
			mnl_attr_put_u32(y.nlh, SWBLOCK_A_VOLUME_ID, ev.id);
			mnl_attr_put_u64(y.nlh, SWBLOCK_A_COOKIE, 2000 + i);
			if (nlx_send(&y, NULL, NULL) ||
			    nlx_event_of(&y, 2000 + i, &ev) ||
			    ev.kind != SWBLOCK_EVENT_REMOVED)
				_exit(3);
		}
		_exit(0);
	}
	while (!waitpid(pid, &status, WNOHANG)) {
		ASSERT_EQ(0, nlx_dump(&self->x, &v));
		EXPECT_GE(v.count, 1);
		EXPECT_LE(v.count, 2);
	}
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
}

/* Somebody who never listens costs nobody else anything. */
TEST_F(events, a_deaf_listener_holds_nobody_up)
{
	struct nlx_event ev;
	struct nlx deaf;
	int small = 4096;

	ASSERT_EQ(0, nlx_open(&deaf));
	ASSERT_EQ(0, nlx_subscribe(&deaf));
	setsockopt(mnl_socket_get_fd(deaf.events), SOL_SOCKET, SO_RCVBUF,
		   &small, sizeof(small));
	for (int i = 0; i < 40; i++)
		ASSERT_EQ(0,
			  adopt_order(&self->x, self->v.id, self->v.epoch + 1,
				      self->store, self->generation, 500 + i));
	ASSERT_EQ(0, nlx_event_of(&self->ear, 539, &ev));
	nlx_close(&deaf);
}

TEST_HARNESS_MAIN
