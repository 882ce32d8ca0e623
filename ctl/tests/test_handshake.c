// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hello against a friend, a stranger, garbage, half a hello and nothing at
 * all: a yes or one reason, always before the deadline, and no byte too many.
 */
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "handshake.h"
#include "tap.h"

const struct verb *const ctl_verbs[] = { NULL };

#define SOON	(boottime_ns() + NSEC_PER_SEC / 3)

static struct hello me_of(u8 volume, u8 from, u8 to)
{
	return (struct hello){ .volume = { { volume } }, .from = { { from } },
			       .to = { { to } }, .proto_min = 1, .proto_max = 1,
			       .epoch = 5 };
}

static uint64_t their_move;

/* Runs @peer in a child with a full hello_run(); returns its reason as status. */
static bool meet(const struct hello *me, const struct hello *peer,
		 struct hello_result *res, int *theirs)
{
	int sv[2], status;
	bool yes;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv))
		abort();
	if (!fork()) {
		struct hello_result r;
		bool good;

		close(sv[0]);
		good = hello_run(sv[1], peer, boottime_ns() + 5 * NSEC_PER_SEC, &r);
		/* what the kernel says comes right behind the verdict */
		if (good && (write(sv[1], "KERNEL", 6) != 6 ||
			     write(sv[1], &r.move, sizeof(r.move)) != sizeof(r.move)))
			abort();
		_exit(good ? 0 : (int)r.reason);
	}
	close(sv[1]);
	yes = hello_run(sv[0], me, boottime_ns() + 5 * NSEC_PER_SEC, res);
	if (yes) {
		char next[7] = "";

		ok(recv(sv[0], next, 6, MSG_WAITALL) == 6 && !strcmp(next, "KERNEL"),
		   "the next byte is the kernel's");
		ok(recv(sv[0], &their_move, sizeof(their_move), MSG_WAITALL) ==
		   sizeof(their_move) && their_move == res->move,
		   "both call a move the same");
	}
	close(sv[0]);
	wait(&status);
	*theirs = WEXITSTATUS(status);
	return yes;
}

static void test_friends(void)
{
	struct hello a = me_of(1, 2, 3), b = me_of(1, 3, 2);
	struct hello_result res;
	int theirs;

	ok(meet(&a, &b, &res, &theirs) && !theirs && res.proto == 1 &&
	   res.peer.epoch == 5, "two members of one volume");
	memset(&a.to, 0, sizeof(a.to));
	ok(meet(&a, &b, &res, &theirs) && !theirs &&
	   swb_uuid_equal(&res.peer.from, &b.from), "one that takes any peer");
}

/* Which session goes on: the one that both are in. */
static void test_sessions(void)
{
	struct hello a = me_of(1, 2, 3), b = me_of(1, 3, 2);
	struct hello_result res;
	uint64_t first;
	int theirs;

	ok(meet(&a, &b, &res, &theirs) && !res.move, "no session, no move");
	a.session = 7;
	ok(meet(&a, &b, &res, &theirs) && !res.move, "a session of one of them");
	b.session = 8;
	ok(meet(&a, &b, &res, &theirs) && !res.move, "another session");
	b.session = 7;
	ok(meet(&a, &b, &res, &theirs) && res.move, "the same session");
	first = res.move;
	ok(meet(&a, &b, &res, &theirs) && res.move != first, "each move has its own name");
}

static void test_strangers(void)
{
	static const struct {
		u8 volume, from, to;
		uint32_t min, max;
		enum hello_reason mine, theirs;
		const char *what;
	} row[] = {
		{ 9, 3, 2, 1, 1, HELLO_FOREIGN_VOLUME, HELLO_FOREIGN_VOLUME,
		  "another volume" },
		{ 1, 4, 2, 1, 1, HELLO_FOREIGN_REPLICA, HELLO_NOT_WANTED,
		  "another replica on that address" },
		{ 1, 3, 7, 1, 1, HELLO_NOT_WANTED, HELLO_FOREIGN_REPLICA,
		  "one that wants somebody else" },
		{ 1, 2, 2, 1, 1, HELLO_SELF, HELLO_SELF, "ourselves" },
		{ 1, 3, 2, 2, 4, HELLO_BAD_PROTO, HELLO_BAD_PROTO,
		  "a protocol of the future" },
	};
	struct hello a = me_of(1, 2, 3), b;
	struct hello_result res;
	int theirs;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		b = me_of(row[i].volume, row[i].from, row[i].to);
		b.proto_min = row[i].min;
		b.proto_max = row[i].max;
		ok(!meet(&a, &b, &res, &theirs) && res.reason == row[i].mine &&
		   theirs == (int)row[i].theirs && *res.text,
		   "%s: %s", row[i].what, hello_reason_text(res.reason));
	}
}

/* The other end only writes @len bytes of @buf, then hangs up or stays silent. */
static enum hello_reason against(const void *buf, size_t len, bool hang_up)
{
	struct hello a = me_of(1, 2, 3);
	struct hello_result res;
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv))
		abort();
	if (len && write(sv[1], buf, len) != (ssize_t)len)
		abort();
	if (hang_up)
		shutdown(sv[1], SHUT_WR);
	hello_run(sv[0], &a, SOON, &res);
	close(sv[0]);
	close(sv[1]);
	return res.reason;
}

static void test_silence_and_garbage(void)
{
	uint8_t msg[HELLO_BYTES + HELLO_VERDICT_BYTES] = { 0 };
	struct hello b = me_of(1, 3, 2);
	static const uint8_t alert[] = { 21, 3, 3, 0, 2, 2, 10 };
	static const uint8_t client[HELLO_BYTES] = { 22, 3, 1, 2, 0, 1 };
	static const char http[HELLO_BYTES] = "GET / HTTP/1.1\r\nHost: example\r\n";
	uint64_t start = boottime_ns();

	ok(against(NULL, 0, false) == HELLO_TIMEOUT, "nothing at all");
	ok(boottime_ns() - start < 3 * NSEC_PER_SEC, "ends at its deadline");
	ok(against(NULL, 0, true) == HELLO_CLOSED, "hung up at once");
	ok(against(http, sizeof(http), false) == HELLO_BAD_MAGIC, "a web browser");
	ok(against(alert, sizeof(alert), true) == HELLO_SPEAKS_TLS,
	   "an alert of TLS, then hung up");
	ok(against(client, sizeof(client), false) == HELLO_SPEAKS_TLS,
	   "the beginning of a TLS client");
	hello_encode(&b, msg);
	ok(against(msg, HELLO_BYTES / 2, false) == HELLO_TIMEOUT, "half a hello");
	ok(against(msg, HELLO_BYTES / 2, true) == HELLO_CLOSED,
	   "half a hello, then hung up");
	ok(against(msg, HELLO_BYTES, false) == HELLO_TIMEOUT, "a hello, no verdict");
	ok(against(msg, HELLO_BYTES, true) == HELLO_CLOSED,
	   "a hello, hung up before the verdict");
	ok(against(msg, sizeof(msg), false) == HELLO_BAD_MAGIC,
	   "a hello, and garbage for a verdict");
	hello_verdict_encode(HELLO_NOT_WANTED, "go away \033[31m", msg + HELLO_BYTES);
	ok(against(msg, sizeof(msg), false) == HELLO_NOT_WANTED, "a refusal");
	msg[HELLO_BYTES + 20] ^= 1;
	ok(against(msg, sizeof(msg), false) == HELLO_BAD_CRC, "a damaged verdict");
	msg[30] ^= 1;
	ok(against(msg, HELLO_BYTES, false) == HELLO_BAD_CRC, "a damaged hello");
}

static void test_versions(void)
{
	uint8_t msg[HELLO_BYTES];
	struct hello b = me_of(1, 3, 2), back;
	uint32_t crc;

	hello_encode(&b, msg);
	msg[8] = 2;
	memset(msg + 12, 0, 4);
	crc = swb_crc32c(0, msg, sizeof(msg));
	memcpy(msg + 12, &crc, 4);
	ok(hello_decode(msg, &back) == HELLO_BAD_VERSION, "a hello of the future");
}

static void test_words_of_strangers(void)
{
	uint8_t msg[HELLO_VERDICT_BYTES];
	enum hello_reason verdict;
	char text[HELLO_TEXT_MAX];

	hello_verdict_encode(HELLO_SELF, "\033[2Jcleared\n", msg);
	ok(!hello_verdict_decode(msg, &verdict, text) && !strchr(text, '\033') &&
	   !strchr(text, '\n'), "no control characters reach the terminal");
}

/* Any bytes give a hello or a reason; run under the sanitizers. */
static void test_any_bytes(void)
{
	uint8_t msg[HELLO_VERDICT_BYTES];
	uint64_t seed = 88172645463325252ULL;
	enum hello_reason verdict;
	char text[HELLO_TEXT_MAX];
	struct hello b = me_of(1, 3, 2), back;
	unsigned int i, j, accepted = 0;

	for (i = 0; i < 20000; i++) {
		hello_encode(&b, msg);
		for (j = 0; j < 1 + i % 5; j++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			msg[seed % HELLO_BYTES] ^= (uint8_t)(1u << (seed >> 60 & 7));
		}
		accepted += hello_decode(msg, &back) == HELLO_OK &&
			    memcmp(&b, &back, sizeof(b));
		hello_verdict_decode(msg, &verdict, text);
	}
	ok(!accepted, "20000 damaged hellos, none taken for another one");
}

int main(void)
{
	test_friends();
	test_sessions();
	test_strangers();
	test_silence_and_garbage();
	test_versions();
	test_words_of_strangers();
	test_any_bytes();
	return tap_done();
}
