// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages that are wrong, each in one way: the kernel must refuse with the right
 * errno and words, change nothing, and go on. SWB_VOLUME_ID names a member that is
 * attached and has no role.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "nlx.h"

#define NO_SUCH_ID 0x7ffffff0u

FIXTURE(contract)
{
	struct nlx x;
	struct nlx_volume v;
};

FIXTURE_SETUP(contract)
{
	ASSERT_EQ(0, nlx_open(&self->x));
	ASSERT_NE(0, self->x.family);
	ASSERT_NE(0, self->x.group);
	ASSERT_EQ(0, nlx_first(&self->x, &self->v));
}

/* Whatever a test did: the family answers, and the member is as it was. */
FIXTURE_TEARDOWN(contract)
{
	struct nlx_volume now;

	EXPECT_EQ(0, nlx_info(&self->x));
	EXPECT_EQ(0, nlx_get(&self->x, self->v.id, &now));
	EXPECT_EQ(self->v.epoch, now.epoch);
	EXPECT_EQ(self->v.opened, now.opened);
	EXPECT_EQ(self->v.role, now.role);
	nlx_close(&self->x);
}

/* A refusal always has words. */
#define EXPECT_REFUSED(errno_wanted, x)                         \
	do {                                                    \
		int _err = nlx_send(x, NULL, NULL);             \
		EXPECT_EQ(-(errno_wanted), _err)                \
		{                                               \
			TH_LOG("said: \"%s\"", (x)->text);      \
		}                                               \
		EXPECT_NE(0, (x)->text[0])                      \
		{                                               \
			TH_LOG("no text with errno %d", -_err); \
		}                                               \
	} while (0)

#define EXPECT_REFUSED_ANYHOW(x)                                \
	do {                                                    \
		int _err = nlx_send(x, NULL, NULL);             \
		EXPECT_LT(_err, 0);                             \
		EXPECT_NE(0, (x)->text[0])                      \
		{                                               \
			TH_LOG("no text with errno %d", -_err); \
		}                                               \
	} while (0)

static const uint8_t some_uuid[32] = "0123456789abcdef0123456789abcdef";

TEST_F(contract, info_is_answered_to_everybody)
{
	EXPECT_EQ(0, nlx_info(&self->x));
}

TEST_F(contract, an_unknown_attribute_is_refused)
{
	struct nlx *x = &self->x;

	nlx_begin(x, SWBLOCK_CMD_GET_INFO);
	mnl_attr_put_u32(x->nlh, SWBLOCK_A_MAX + 1, 1);
	EXPECT_REFUSED_ANYHOW(x);
	nlx_begin(x, SWBLOCK_CMD_TUNE);
	mnl_attr_put_u32(x->nlh, SWBLOCK_A_VOLUME_ID, self->v.id);
	mnl_attr_put_u32(x->nlh, SWBLOCK_A_IO_DEADLINE_MS, 1000);
	mnl_attr_put_u32(x->nlh, 1000, 1);
	EXPECT_REFUSED_ANYHOW(x);
}

TEST_F(contract, an_unknown_command_is_refused)
{
	int cmds[] = { 0, SWBLOCK_CMD_MAX + 1, 255 };

	for (int i = 0; i < 3; i++) {
		nlx_begin(&self->x, (uint8_t)cmds[i]);
		EXPECT_LT(nlx_send(&self->x, NULL, NULL), 0);
	}
	nlx_begin(&self->x, SWBLOCK_CMD_EVENT);
	EXPECT_LT(nlx_send(&self->x, NULL, NULL), 0);
}

TEST_F(contract, a_uuid_has_16_bytes)
{
	struct nlx *x = &self->x;
	size_t lens[] = { 0, 1, 15, 17, 32 };

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		nlx_begin(x, SWBLOCK_CMD_UNLINK);
		mnl_attr_put_u32(x->nlh, SWBLOCK_A_VOLUME_ID, self->v.id);
		mnl_attr_put(x->nlh, SWBLOCK_A_PEER_UUID, lens[i], some_uuid);
		EXPECT_REFUSED_ANYHOW(x);
		nlx_begin(x, SWBLOCK_CMD_ADOPT);
		mnl_attr_put_u32(x->nlh, SWBLOCK_A_VOLUME_ID, self->v.id);
		mnl_attr_put_u64(x->nlh, SWBLOCK_A_EPOCH, self->v.epoch + 1);
		mnl_attr_put(x->nlh, SWBLOCK_A_STORE_UUID, lens[i], some_uuid);
		mnl_attr_put_u64(x->nlh, SWBLOCK_A_STORE_GENERATION, 1);
		EXPECT_REFUSED_ANYHOW(x);
	}
}

TEST_F(contract, numbers_have_their_width)
{
	struct nlx *x = &self->x;

	nlx_begin(x, SWBLOCK_CMD_VOLUME_GET);
	mnl_attr_put_u8(x->nlh, SWBLOCK_A_VOLUME_ID, 1);
	EXPECT_REFUSED_ANYHOW(x);
	nlx_begin(x, SWBLOCK_CMD_VOLUME_GET);
	mnl_attr_put_u64(x->nlh, SWBLOCK_A_VOLUME_ID, self->v.id);
	EXPECT_REFUSED_ANYHOW(x);
	nlx_begin(x, SWBLOCK_CMD_LEASE);
	mnl_attr_put_u32(x->nlh, SWBLOCK_A_VOLUME_ID, self->v.id);
	mnl_attr_put_u32(x->nlh, SWBLOCK_A_EPOCH, 1);
	mnl_attr_put_u64(x->nlh, SWBLOCK_A_LEASE_NS, 0);
	EXPECT_REFUSED_ANYHOW(x);
}

TEST_F(contract, every_verb_says_what_is_missing)
{
	static const uint8_t with_id[] = {
		SWBLOCK_CMD_VOLUME_ADD, SWBLOCK_CMD_ADOPT, SWBLOCK_CMD_ASSIGN,
		SWBLOCK_CMD_PROMOTE,	SWBLOCK_CMD_LEASE, SWBLOCK_CMD_LINK,
		SWBLOCK_CMD_UNLINK,
	};
	static const uint8_t bare[] = {
		SWBLOCK_CMD_VOLUME_GET,	   SWBLOCK_CMD_VOLUME_ADD,
		SWBLOCK_CMD_VOLUME_REMOVE, SWBLOCK_CMD_ADOPT,
		SWBLOCK_CMD_ASSIGN,	   SWBLOCK_CMD_PROMOTE,
		SWBLOCK_CMD_DEMOTE,	   SWBLOCK_CMD_LEASE,
		SWBLOCK_CMD_LINK,	   SWBLOCK_CMD_UNLINK,
		SWBLOCK_CMD_TUNE,
	};

	for (size_t i = 0; i < sizeof(bare); i++) {
		nlx_begin(&self->x, bare[i]);
		EXPECT_REFUSED(EINVAL, &self->x);
	}
	for (size_t i = 0; i < sizeof(with_id); i++) {
		nlx_begin(&self->x, with_id[i]);
		mnl_attr_put_u32(self->x.nlh, SWBLOCK_A_VOLUME_ID, self->v.id);
		EXPECT_REFUSED_ANYHOW(&self->x);
	}
}

TEST_F(contract, an_unknown_volume_is_named_in_the_refusal)
{
	struct nlx *x = &self->x;
	uint8_t m[1][16];

	memcpy(m[0], self->v.replica, 16);
	nlx_begin(x, SWBLOCK_CMD_VOLUME_GET);
	mnl_attr_put_u32(x->nlh, SWBLOCK_A_VOLUME_ID, NO_SUCH_ID);
	EXPECT_REFUSED(ENODEV, x);
	nlx_begin(x, SWBLOCK_CMD_VOLUME_REMOVE);
	mnl_attr_put_u32(x->nlh, SWBLOCK_A_VOLUME_ID, NO_SUCH_ID);
	EXPECT_REFUSED(ENODEV, x);
	nlx_begin(x, SWBLOCK_CMD_ADOPT);
	mnl_attr_put_u32(x->nlh, SWBLOCK_A_VOLUME_ID, NO_SUCH_ID);
	mnl_attr_put_u64(x->nlh, SWBLOCK_A_EPOCH, 1);
	mnl_attr_put(x->nlh, SWBLOCK_A_STORE_UUID, 16, some_uuid);
	mnl_attr_put_u64(x->nlh, SWBLOCK_A_STORE_GENERATION, 1);
	EXPECT_REFUSED(ENODEV, x);
	nlx_begin(x, SWBLOCK_CMD_ASSIGN);
	mnl_attr_put_u32(x->nlh, SWBLOCK_A_VOLUME_ID, NO_SUCH_ID);
	mnl_attr_put_u64(x->nlh, SWBLOCK_A_EPOCH, 1);
	mnl_attr_put(x->nlh, SWBLOCK_A_PRIMARY_UUID, 16, some_uuid);
	nlx_config(x, SWBLOCK_A_CONFIG, SWBLOCK_MODE_BEST_EFFORT, 0, m, 1);
	EXPECT_REFUSED(ENODEV, x);
	nlx_begin(x, SWBLOCK_CMD_DEMOTE);
	mnl_attr_put_u32(x->nlh, SWBLOCK_A_VOLUME_ID, NO_SUCH_ID);
	EXPECT_REFUSED(ENODEV, x);
	nlx_begin(x, SWBLOCK_CMD_LEASE);
	mnl_attr_put_u32(x->nlh, SWBLOCK_A_VOLUME_ID, NO_SUCH_ID);
	mnl_attr_put_u64(x->nlh, SWBLOCK_A_EPOCH, 1);
	mnl_attr_put_u64(x->nlh, SWBLOCK_A_LEASE_NS, 0);
	EXPECT_REFUSED(ENODEV, x);
	nlx_begin(x, SWBLOCK_CMD_UNLINK);
	mnl_attr_put_u32(x->nlh, SWBLOCK_A_VOLUME_ID, NO_SUCH_ID);
	mnl_attr_put(x->nlh, SWBLOCK_A_PEER_UUID, 16, some_uuid);
	EXPECT_REFUSED(ENODEV, x);
	nlx_begin(x, SWBLOCK_CMD_TUNE);
	mnl_attr_put_u32(x->nlh, SWBLOCK_A_VOLUME_ID, NO_SUCH_ID);
	mnl_attr_put_u32(x->nlh, SWBLOCK_A_IO_DEADLINE_MS, 1000);
	EXPECT_REFUSED(ENODEV, x);
}

TEST_F(contract, a_member_without_a_role_refuses_what_needs_one)
{
	struct nlx *x = &self->x;

	struct nlx_event ev;

	/* a verb that takes time may also refuse by its event */
	ASSERT_EQ(0, nlx_subscribe(x));
	nlx_begin(x, SWBLOCK_CMD_DEMOTE);
	mnl_attr_put_u32(x->nlh, SWBLOCK_A_VOLUME_ID, self->v.id);
	mnl_attr_put_u64(x->nlh, SWBLOCK_A_COOKIE, 0xde40);
	if (!nlx_send(x, NULL, NULL)) {
		ASSERT_EQ(0, nlx_event_of(x, 0xde40, &ev));
		EXPECT_EQ(SWBLOCK_EVENT_REFUSED, ev.kind);
		EXPECT_NE(0, ev.text[0]);
	}
	nlx_begin(x, SWBLOCK_CMD_LEASE);
	mnl_attr_put_u32(x->nlh, SWBLOCK_A_VOLUME_ID, self->v.id);
	mnl_attr_put_u64(x->nlh, SWBLOCK_A_EPOCH, self->v.epoch + 1);
	mnl_attr_put_u64(x->nlh, SWBLOCK_A_LEASE_NS,
			 nlx_boottime() + 1000000000ULL);
	EXPECT_REFUSED_ANYHOW(x);
	nlx_begin(x, SWBLOCK_CMD_UNLINK);
	mnl_attr_put_u32(x->nlh, SWBLOCK_A_VOLUME_ID, self->v.id);
	mnl_attr_put(x->nlh, SWBLOCK_A_PEER_UUID, 16, some_uuid);
	EXPECT_REFUSED_ANYHOW(x);
}

/* An attribute that claims to be longer than what holds it. */
static void put_overlong_nest(struct nlx *x, uint16_t type)
{
	struct nlattr *nest = mnl_attr_nest_start(x->nlh, type);
	struct nlattr *a = mnl_nlmsg_get_payload_tail(x->nlh);

	mnl_attr_put_u8(x->nlh, SWBLOCK_CONFIG_A_MODE, 1);
	mnl_attr_nest_end(x->nlh, nest);
	a->nla_len = 200;
}

TEST_F(contract, a_broken_nest_is_refused)
{
	struct nlx *x = &self->x;

	for (int how = 0; how < 5; how++) {
		nlx_begin(x, SWBLOCK_CMD_ASSIGN);
		mnl_attr_put_u32(x->nlh, SWBLOCK_A_VOLUME_ID, self->v.id);
		mnl_attr_put_u64(x->nlh, SWBLOCK_A_EPOCH, 1);
		mnl_attr_put(x->nlh, SWBLOCK_A_PRIMARY_UUID, 16,
			     self->v.replica);
		switch (how) {
		case 0: /* not marked as a nest */
			mnl_attr_put(x->nlh, SWBLOCK_A_CONFIG, 3, "abc");
			break;
		case 1: /* empty */
			mnl_attr_nest_end(
				x->nlh,
				mnl_attr_nest_start(x->nlh, SWBLOCK_A_CONFIG));
			break;
		case 2:
			put_overlong_nest(x, SWBLOCK_A_CONFIG);
			break;
		case 3: { /* an attribute inside that nobody knows */
			struct nlattr *n =
				mnl_attr_nest_start(x->nlh, SWBLOCK_A_CONFIG);

			mnl_attr_put_u8(x->nlh, SWBLOCK_CONFIG_A_MODE, 1);
			mnl_attr_put_u32(x->nlh, 77, 1);
			mnl_attr_nest_end(x->nlh, n);
			break;
		}
		case 4: { /* a nest in a nest in a nest */
			struct nlattr *n[8];

			for (int i = 0; i < 8; i++)
				n[i] = mnl_attr_nest_start(x->nlh,
							   SWBLOCK_A_CONFIG);
			for (int i = 7; i >= 0; i--)
				mnl_attr_nest_end(x->nlh, n[i]);
			break;
		}
		}
		EXPECT_REFUSED_ANYHOW(x);
	}
}

TEST_F(contract, members_are_few_different_and_real)
{
	uint8_t m[64][16];
	struct nlx *x = &self->x;
	int counts[] = { 0, SWBLOCK_MEMBERS_MAX + 1, 64 };

	for (int i = 0; i < 64; i++) {
		memcpy(m[i], some_uuid, 16);
		m[i][0] = (uint8_t)(i + 1);
	}
	memcpy(m[0], self->v.replica, 16);
	for (int i = 0; i < 5; i++) {
		int n = i < 3 ? counts[i] : 3;

		if (i == 3)
			memcpy(m[2], m[1], 16); /* twice the same */
		if (i == 4)
			memset(m[2], 0, 16); /* the null uuid */
		nlx_begin(x, SWBLOCK_CMD_ASSIGN);
		mnl_attr_put_u32(x->nlh, SWBLOCK_A_VOLUME_ID, self->v.id);
		mnl_attr_put_u64(x->nlh, SWBLOCK_A_EPOCH, self->v.epoch);
		mnl_attr_put(x->nlh, SWBLOCK_A_PRIMARY_UUID, 16, m[1]);
		nlx_config(x, SWBLOCK_A_CONFIG, SWBLOCK_MODE_SYNC_ALL, 1, m, n);
		EXPECT_REFUSED_ANYHOW(x);
	}
}

TEST_F(contract, values_out_of_range_are_refused)
{
	static const struct {
		uint16_t attr;
		uint32_t value;
	} bad[] = {
		{ SWBLOCK_A_IO_DEADLINE_MS, 0 },
		{ SWBLOCK_A_IO_DEADLINE_MS, 99 },
		{ SWBLOCK_A_IO_DEADLINE_MS, 86400001 },
		{ SWBLOCK_A_IO_DEADLINE_MS, UINT32_MAX },
		{ SWBLOCK_A_LINK_DEADLINE_MS, 0 },
		{ SWBLOCK_A_LINK_DEADLINE_MS, 99 },
		{ SWBLOCK_A_LINK_DEADLINE_MS, 600001 },
		{ SWBLOCK_A_FLUSH_INTERVAL_MS, 0 },
		{ SWBLOCK_A_FLUSH_INTERVAL_MS, 60001 },
	};
	struct nlx *x = &self->x;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		nlx_begin(x, SWBLOCK_CMD_TUNE);
		mnl_attr_put_u32(x->nlh, SWBLOCK_A_VOLUME_ID, self->v.id);
		mnl_attr_put_u32(x->nlh, bad[i].attr, bad[i].value);
		EXPECT_REFUSED_ANYHOW(x);
	}
	nlx_begin(x, SWBLOCK_CMD_VOLUME_REMOVE);
	mnl_attr_put_u32(x->nlh, SWBLOCK_A_VOLUME_ID, self->v.id);
	mnl_attr_put_u32(x->nlh, SWBLOCK_A_FLAGS, 0x80000000u);
	EXPECT_REFUSED_ANYHOW(x);
	nlx_begin(x, SWBLOCK_CMD_ADOPT);
	mnl_attr_put_u32(x->nlh, SWBLOCK_A_VOLUME_ID, self->v.id);
	mnl_attr_put_u64(x->nlh, SWBLOCK_A_EPOCH, 0);
	mnl_attr_put(x->nlh, SWBLOCK_A_STORE_UUID, 16, some_uuid);
	mnl_attr_put_u64(x->nlh, SWBLOCK_A_STORE_GENERATION, 1);
	EXPECT_REFUSED_ANYHOW(x);
}

/* 0 means "never" of other limits; nothing may wait for ever (G7). */
TEST_F(contract, an_io_deadline_cannot_be_switched_off)
{
	static const uint32_t good[] = { 100, 86400000, 300000 };
	struct nlx *x = &self->x;

	nlx_begin(x, SWBLOCK_CMD_TUNE);
	mnl_attr_put_u32(x->nlh, SWBLOCK_A_VOLUME_ID, self->v.id);
	mnl_attr_put_u32(x->nlh, SWBLOCK_A_IO_DEADLINE_MS, 0);
	EXPECT_REFUSED(ERANGE, x);
	EXPECT_NE(NULL, strstr(x->text, "out of range"));
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		nlx_begin(x, SWBLOCK_CMD_TUNE);
		mnl_attr_put_u32(x->nlh, SWBLOCK_A_VOLUME_ID, self->v.id);
		mnl_attr_put_u32(x->nlh, SWBLOCK_A_IO_DEADLINE_MS, good[i]);
		EXPECT_EQ(0, nlx_send(x, NULL, NULL));
	}
}

TEST_F(contract, modes_and_policies_out_of_range_are_refused)
{
	struct nlx *x = &self->x;

	for (int i = 0; i < 4; i++) {
		struct nlattr *n;

		nlx_begin(x, SWBLOCK_CMD_ASSIGN);
		mnl_attr_put_u32(x->nlh, SWBLOCK_A_VOLUME_ID, self->v.id);
		mnl_attr_put_u64(x->nlh, SWBLOCK_A_EPOCH, self->v.epoch);
		mnl_attr_put(x->nlh, SWBLOCK_A_PRIMARY_UUID, 16, some_uuid);
		n = mnl_attr_nest_start(x->nlh, SWBLOCK_A_CONFIG);
		mnl_attr_put_u8(x->nlh, SWBLOCK_CONFIG_A_MODE,
				i == 0 ? 0 :
				i == 1 ? 9 :
					 1);
		mnl_attr_put_u8(x->nlh, SWBLOCK_CONFIG_A_POLICY,
				i == 2 ? 0 :
				i == 3 ? 200 :
					 1);
		mnl_attr_put_u32(x->nlh, SWBLOCK_CONFIG_A_REQUIRED, 1);
		mnl_attr_put(x->nlh, SWBLOCK_CONFIG_A_MEMBER, 16,
			     self->v.replica);
		mnl_attr_nest_end(x->nlh, n);
		EXPECT_REFUSED_ANYHOW(x);
	}
}

/* Paths that lead nowhere: refused at once or by the event, never attached. */
TEST_F(contract, a_path_that_is_no_disk_is_refused)
{
	static const char *const paths[] = {
		"",
		"/",
		"/dev/null",
		"/dev/no-such-disk",
		"/etc/passwd",
		"relative",
	};
	struct nlx *x = &self->x;
	struct nlx_event ev;
	char longer[SWBLOCK_PATH_MAX + 200];
	uint64_t cookie = 0x9a7400;

	ASSERT_EQ(0, nlx_subscribe(x));
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		int err;

		nlx_begin(x, SWBLOCK_CMD_VOLUME_ADD);
		mnl_attr_put_strz(x->nlh, SWBLOCK_A_DATA_PATH, paths[i]);
		mnl_attr_put_u64(x->nlh, SWBLOCK_A_COOKIE, ++cookie);
		err = nlx_send(x, NULL, NULL);
		if (err) {
			EXPECT_NE(0, x->text[0]);
			continue;
		}
		ASSERT_EQ(0, nlx_event_of(x, cookie, &ev));
		EXPECT_EQ(SWBLOCK_EVENT_FAILED, ev.kind)
		{
			TH_LOG("path \"%s\"", paths[i]);
		}
		EXPECT_NE(0, ev.text[0]);
	}
	memset(longer, 'x', sizeof(longer));
	nlx_begin(x, SWBLOCK_CMD_VOLUME_ADD);
	mnl_attr_put(x->nlh, SWBLOCK_A_DATA_PATH, sizeof(longer), longer);
	EXPECT_REFUSED_ANYHOW(x);
	nlx_begin(x, SWBLOCK_CMD_VOLUME_ADD); /* no NUL at the end */
	mnl_attr_put(x->nlh, SWBLOCK_A_DATA_PATH, 8, "/dev/vda");
	EXPECT_REFUSED_ANYHOW(x);
}

TEST_F(contract, a_descriptor_that_is_no_connected_stream_is_refused)
{
	struct nlx *x = &self->x;
	int pair[2], file, udp, tcp;
	int fds[6];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	file = open("/dev/null", O_RDWR);
	udp = socket(AF_INET, SOCK_DGRAM, 0);
	tcp = socket(AF_INET, SOCK_STREAM, 0);
	fds[0] = -1;
	fds[1] = 9999;
	fds[2] = file;
	fds[3] = udp;
	fds[4] = tcp; /* not connected */
	fds[5] = pair[0]; /* no stream */
	for (int i = 0; i < 6; i++) {
		nlx_begin(x, SWBLOCK_CMD_LINK);
		mnl_attr_put_u32(x->nlh, SWBLOCK_A_VOLUME_ID, self->v.id);
		mnl_attr_put(x->nlh, SWBLOCK_A_PEER_UUID, 16, some_uuid);
		mnl_attr_put_u32(x->nlh, SWBLOCK_A_FD, (uint32_t)fds[i]);
		EXPECT_REFUSED_ANYHOW(x);
	}
	close(pair[0]);
	close(pair[1]);
	close(file);
	close(udp);
	close(tcp);
}

TEST_F(contract, a_link_to_a_stranger_is_refused)
{
	struct nlx *x = &self->x;
	int pair[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	nlx_begin(x, SWBLOCK_CMD_LINK);
	mnl_attr_put_u32(x->nlh, SWBLOCK_A_VOLUME_ID, self->v.id);
	mnl_attr_put(x->nlh, SWBLOCK_A_PEER_UUID, 16, some_uuid);
	mnl_attr_put_u32(x->nlh, SWBLOCK_A_FD, (uint32_t)pair[0]);
	EXPECT_REFUSED_ANYHOW(x);
	nlx_begin(x, SWBLOCK_CMD_LINK); /* to itself */
	mnl_attr_put_u32(x->nlh, SWBLOCK_A_VOLUME_ID, self->v.id);
	mnl_attr_put(x->nlh, SWBLOCK_A_PEER_UUID, 16, self->v.replica);
	mnl_attr_put_u32(x->nlh, SWBLOCK_A_FD, (uint32_t)pair[0]);
	EXPECT_REFUSED_ANYHOW(x);
	close(pair[0]);
	close(pair[1]);
}

/* Runs as nobody; the exit code is a bitmap of what went wrong. */
static int as_nobody(uint32_t id)
{
	static const uint8_t verbs[] = {
		SWBLOCK_CMD_VOLUME_ADD, SWBLOCK_CMD_VOLUME_REMOVE,
		SWBLOCK_CMD_ADOPT,	SWBLOCK_CMD_ASSIGN,
		SWBLOCK_CMD_PROMOTE,	SWBLOCK_CMD_DEMOTE,
		SWBLOCK_CMD_LEASE,	SWBLOCK_CMD_LINK,
		SWBLOCK_CMD_UNLINK,	SWBLOCK_CMD_TUNE,
	};
	struct nlx_volume v;
	struct nlx x;
	int bad = 0;

	if (setgroups(0, NULL) || setgid(65534) || setuid(65534))
		return 1;
	if (nlx_open(&x))
		return 2;
	if (nlx_info(&x) || nlx_get(&x, id, &v) || nlx_dump(&x, &v))
		bad |= 4;
	for (size_t i = 0; i < sizeof(verbs); i++) {
		nlx_begin(&x, verbs[i]);
		mnl_attr_put_u32(x.nlh, SWBLOCK_A_VOLUME_ID, id);
		if (nlx_send(&x, NULL, NULL) != -EPERM)
			bad |= 8;
	}
	nlx_close(&x);
	return bad;
}

TEST_F(contract, an_unprivileged_caller_may_only_look)
{
	int status;
	pid_t pid = fork();

	ASSERT_GE(pid, 0);
	if (!pid)
		_exit(as_nobody(self->v.id));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
}

TEST_F(contract, a_truncated_or_giant_message_does_no_harm)
{
	struct nlx *x = &self->x;
	struct nlattr *a;

	nlx_begin(
		x,
		SWBLOCK_CMD_VOLUME_GET); /* attribute longer than the message */
	a = mnl_nlmsg_get_payload_tail(x->nlh);
	mnl_attr_put_u32(x->nlh, SWBLOCK_A_VOLUME_ID, self->v.id);
	a->nla_len = 4000;
	EXPECT_LT(nlx_send(x, NULL, NULL), 0);
	nlx_begin(
		x,
		SWBLOCK_CMD_VOLUME_GET); /* attribute shorter than its header */
	a = mnl_nlmsg_get_payload_tail(x->nlh);
	mnl_attr_put_u32(x->nlh, SWBLOCK_A_VOLUME_ID, self->v.id);
	a->nla_len = 2;
	EXPECT_LT(nlx_send(x, NULL, NULL), 0);
	nlx_begin(
		x,
		SWBLOCK_CMD_VOLUME_GET); /* 60 KiB of attributes, each repeated */
	for (int i = 0; i < 7000; i++)
		mnl_attr_put_u32(x->nlh, SWBLOCK_A_VOLUME_ID, NO_SUCH_ID);
	EXPECT_LT(nlx_send(x, NULL, NULL), 0);
}

TEST_HARNESS_MAIN
