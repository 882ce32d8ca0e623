// SPDX-License-Identifier: GPL-2.0-only
/*
 * The handshake between friends, with a wrong key, with none, against clear text,
 * garbage, silence and a recording of itself: one reason each, in time, and never
 * a socket that goes on in clear text. Whether the kernel then encrypts is for the
 * guests to tell (selftests, group tls): many hosts of this test have no kTLS.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include "handshake.h"
#include "tap.h"
#include "tls.h"

const struct verb *const ctl_verbs[] = { NULL };

#define SOON	(boottime_ns() + NSEC_PER_SEC / 2)
#define LATER	(boottime_ns() + 10 * NSEC_PER_SEC)

static struct tls_keys keys_of(const char *id, u8 byte)
{
	struct tls_keys k = { .count = 1 };

	text_copy(k.key[0].id, id, TLS_ID_MAX);
	memset(k.key[0].key, byte, TLS_KEY_BYTES);
	k.key[0].key[1] = 77;
	return k;
}

static void make_pair(int sv[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv))
		abort();
}

/** struct side - one end of a handshake, run in a thread */
struct side {
	int fd;
	enum tls_role role;
	struct tls_keys keys;
	unsigned int ciphers;
	uint64_t deadline_ns;
	struct tls_secrets secrets;
	struct tls_result res;
	bool good;
	pthread_t thread;
};

static void *run_side(void *arg)
{
	struct side *s = arg;

	s->good = tls_handshake(s->fd, s->role, &s->keys, s->ciphers, s->deadline_ns,
				&s->secrets, &s->res);
	return NULL;
}

static void begin(struct side *s)
{
	if (pthread_create(&s->thread, NULL, run_side, s))
		abort();
}

/* Both ends; the sockets stay open. */
static void meet(struct side *client, struct side *server, int sv[2])
{
	make_pair(sv);
	client->fd = sv[0];
	client->role = TLS_CLIENT;
	client->deadline_ns = LATER;
	server->fd = sv[1];
	server->role = TLS_SERVER;
	server->deadline_ns = LATER;
	begin(server);
	begin(client);
	pthread_join(client->thread, NULL);
	pthread_join(server->thread, NULL);
}

static void close_pair(int sv[2])
{
	close(sv[0]);
	close(sv[1]);
}

static bool is_dead(int fd)
{
	return send(fd, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0;
}

static void test_friends(void)
{
	static const struct {
		unsigned int client, server;
		int cipher;
		const char *what;
	} row[] = {
		{ 0, 0, TLS_CIPHER_AES_GCM_128, "whatever both can" },
		{ TLS_CAN_CHACHA, 0, TLS_CIPHER_CHACHA20_POLY1305, "ChaCha20 only here" },
		{ 0, TLS_CAN_CHACHA, TLS_CIPHER_CHACHA20_POLY1305, "ChaCha20 only there" },
		{ TLS_CAN_AES_GCM, 0, TLS_CIPHER_AES_GCM_128, "AES-GCM only" },
	};
	struct side a, b;
	char left;
	size_t i;
	int sv[2];

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		a = (struct side){ .keys = keys_of("db", 1), .ciphers = row[i].client };
		b = (struct side){ .keys = keys_of("db", 1), .ciphers = row[i].server };
		meet(&a, &b, sv);
		ok(a.good && b.good && a.res.cipher == row[i].cipher &&
		   b.res.cipher == row[i].cipher && !strcmp(b.res.key_id, "db"),
		   "two with one key: %s (%s, %s)", row[i].what, a.res.text, b.res.text);
		ok(a.secrets.tx.len && !memcmp(&a.secrets.tx, &b.secrets.rx,
					       sizeof(a.secrets.tx)) &&
		   !memcmp(&a.secrets.rx, &b.secrets.tx, sizeof(a.secrets.rx)),
		   "what one sends with, the other receives with");
		ok(memcmp(&a.secrets.rx, &a.secrets.tx, sizeof(a.secrets.rx)),
		   "each direction has keys of its own");
		ok(recv(sv[0], &left, 1, MSG_DONTWAIT) < 0 &&
		   recv(sv[1], &left, 1, MSG_DONTWAIT) < 0,
		   "nothing is left in the stream");
		close_pair(sv);
	}
}

static void test_fresh_keys(void)
{
	struct side a = { .keys = keys_of("db", 1) }, b = { .keys = keys_of("db", 1) };
	struct tls_secrets first;
	int sv[2];

	meet(&a, &b, sv);
	close_pair(sv);
	first = a.secrets;
	meet(&a, &b, sv);
	close_pair(sv);
	ok(a.good && memcmp(&first.tx, &a.secrets.tx, sizeof(first.tx)),
	   "the same key twice gives other session keys");
}

static void test_key_replaced_while_in_use(void)
{
	struct side a = { .keys = keys_of("new", 2) }, b = { .keys = keys_of("old", 1) };
	struct tls_keys fresh = keys_of("new", 2);
	int sv[2];

	tls_keys_add(&b.keys, &fresh.key[0]);
	meet(&a, &b, sv);
	ok(a.good && b.good && !strcmp(b.res.key_id, "new"),
	   "a server takes every key of its file");
	close_pair(sv);
}

static void test_strangers(void)
{
	static const struct {
		const char *id;
		u8 byte;
		unsigned int ciphers;
		enum tls_reason server, client;
		const char *what;
	} row[] = {
		{ "db", 2, 0, TLS_WRONG_KEY, TLS_WRONG_KEY, "a wrong key" },
		{ "other", 1, 0, TLS_UNKNOWN_KEY, TLS_UNKNOWN_KEY, "a key of another name" },
		{ "db", 1, TLS_CAN_CHACHA, TLS_NO_KEY, TLS_NO_KEY, "no cipher in common" },
	};
	struct side a, b;
	size_t i;
	int sv[2];

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		a = (struct side){ .keys = keys_of(row[i].id, row[i].byte),
				   .ciphers = row[i].ciphers };
		b = (struct side){ .keys = keys_of("db", 1),
				   .ciphers = row[i].ciphers ? TLS_CAN_AES_GCM : 0 };
		meet(&a, &b, sv);
		ok(!a.good && !b.good && b.res.reason == row[i].server &&
		   a.res.reason == row[i].client && a.res.by_peer && !b.res.by_peer,
		   "%s: here %s, there %s (%s)", row[i].what,
		   tls_reason_text(b.res.reason), tls_reason_text(a.res.reason),
		   b.res.text);
		ok(is_dead(sv[0]) && is_dead(sv[1]), "and no clear text can follow");
		close_pair(sv);
	}
}

static void test_no_key_at_all(void)
{
	struct side a = { .keys = keys_of("db", 1) }, b = { 0 };
	int sv[2];

	meet(&b, &a, sv);
	ok(!b.good && b.res.reason == TLS_UNKNOWN_KEY && is_dead(sv[0]),
	   "without a key nothing begins");
	close_pair(sv);
}

/* The other end writes @len bytes of @buf, then hangs up or stays silent. */
static struct tls_result against(enum tls_role role, const void *buf, size_t len,
				 bool hang_up, char *answer, ssize_t *answer_len)
{
	struct tls_keys keys = keys_of("db", 1);
	struct tls_secrets secrets;
	struct tls_result res;
	int sv[2];

	make_pair(sv);
	if (len && write(sv[1], buf, len) != (ssize_t)len)
		abort();
	if (hang_up)
		shutdown(sv[1], SHUT_WR);
	if (tls_handshake(sv[0], role, &keys, 0, SOON, &secrets, &res))
		abort();
	if (answer)
		*answer_len = recv(sv[1], answer, 512, MSG_DONTWAIT);
	if (!is_dead(sv[0]))
		abort();
	close_pair(sv);
	return res;
}

static void test_clear_text(void)
{
	struct hello h = { .volume = { { 1 } }, .from = { { 2 } }, .proto_max = 1 };
	uint8_t msg[HELLO_BYTES];
	struct tls_result res;
	char answer[512];
	ssize_t len;

	hello_encode(&h, msg);
	res = against(TLS_SERVER, msg, sizeof(msg), false, answer, &len);
	ok(res.reason == TLS_PLAINTEXT, "a client without TLS: %s", res.text);
	ok(len == 7 && answer[0] == 21, "is told by an alert");
	res = against(TLS_CLIENT, msg, sizeof(msg), false, NULL, NULL);
	ok(res.reason == TLS_PLAINTEXT, "a listener without TLS");
}

static void test_garbage_and_silence(void)
{
	static const char http[] = "GET / HTTP/1.1\r\nHost: example\r\n\r\n";
	static const uint8_t half[] = { 22, 3, 1, 2, 0, 1, 0 };
	static const uint8_t junk[64] = { 22, 3, 1, 0, 59, 1, 0, 0, 55, 9 };
	static const uint8_t huge[] = { 22, 3, 1, 0xff, 0xff, 1, 2, 3 };
	static const uint8_t empty[] = { 22, 3, 1, 0, 0, 22, 3, 1, 0, 0 };
	uint64_t start = boottime_ns();
	char answer[512];
	ssize_t len;

	ok(against(TLS_SERVER, NULL, 0, false, NULL, NULL).reason == TLS_TIMEOUT,
	   "nothing at all");
	ok(boottime_ns() - start < 3 * NSEC_PER_SEC, "ends at its deadline");
	ok(against(TLS_SERVER, NULL, 0, true, NULL, NULL).reason == TLS_CLOSED,
	   "hung up at once");
	ok(against(TLS_CLIENT, NULL, 0, true, NULL, NULL).reason == TLS_CLOSED,
	   "a server that hangs up");
	ok(against(TLS_SERVER, http, sizeof(http), false, answer, &len).reason ==
	   TLS_NOT_TLS && len <= 0, "a web browser, which gets no word");
	ok(against(TLS_SERVER, half, sizeof(half), false, NULL, NULL).reason ==
	   TLS_TIMEOUT, "half a record");
	ok(against(TLS_SERVER, half, sizeof(half), true, NULL, NULL).reason ==
	   TLS_CLOSED, "half a record, then hung up");
	ok(against(TLS_SERVER, junk, sizeof(junk), false, NULL, NULL).reason ==
	   TLS_BAD_PEER, "a record of junk");
	ok(against(TLS_SERVER, huge, sizeof(huge), true, NULL, NULL).reason != TLS_OK,
	   "a record longer than any");
	ok(against(TLS_SERVER, empty, sizeof(empty), true, NULL, NULL).reason != TLS_OK,
	   "records of nothing");
}

/* Bytes that each side of a good handshake sent. */
static uint8_t tape[2][4096];
static size_t tape_len[2];

/* Stand between two sides and write down what they say. */
static void relay(int a, int b)
{
	struct pollfd p[2] = { { .fd = a, .events = POLLIN },
			       { .fd = b, .events = POLLIN } };
	ssize_t did;
	int i;

	memset(tape_len, 0, sizeof(tape_len));
	while (poll(p, 2, 500) > 0) {
		for (i = 0; i < 2; i++) {
			if (!(p[i].revents & (POLLIN | POLLHUP)))
				continue;
			did = recv(p[i].fd, tape[i] + tape_len[i],
				   sizeof(tape[i]) - tape_len[i], MSG_DONTWAIT);
			if (did <= 0)
				return;
			if (send(p[!i].fd, tape[i] + tape_len[i], (size_t)did,
				 MSG_NOSIGNAL) != did)
				return;
			tape_len[i] += (size_t)did;
		}
	}
}

static void record_one(void)
{
	struct side a = { .keys = keys_of("db", 1) }, b = { .keys = keys_of("db", 1) };
	int left[2], right[2];

	make_pair(left);
	make_pair(right);
	a.fd = left[0];
	a.deadline_ns = LATER;
	b.fd = right[0];
	b.role = TLS_SERVER;
	b.deadline_ns = LATER;
	begin(&a);
	begin(&b);
	relay(left[1], right[1]);
	pthread_join(a.thread, NULL);
	pthread_join(b.thread, NULL);
	ok(a.good && b.good && tape_len[0] > 100 && tape_len[1] > 100,
	   "a handshake through a wiretap");
	close_pair(left);
	close_pair(right);
}

static void test_replay(void)
{
	struct tls_result res;

	record_one();
	res = against(TLS_SERVER, tape[0], tape_len[0], false, NULL, NULL);
	ok(res.reason == TLS_ALTERED, "a client of the tape: %s (%s)", res.text,
	   tls_reason_text(res.reason));
	res = against(TLS_CLIENT, tape[1], tape_len[1], false, NULL, NULL);
	ok(res.reason == TLS_BAD_PEER || res.reason == TLS_ALTERED,
	   "a server of the tape: %s", tls_reason_text(res.reason));
}

/* Any bytes give a reason in time; run under the sanitizers. */
static void test_damaged(void)
{
	uint64_t seed = 88172645463325252ULL;
	unsigned int i, j, taken = 0;
	uint8_t msg[4096];

	for (i = 0; i < 400; i++) {
		int from = (int)(i & 1);

		memcpy(msg, tape[from], tape_len[from]);
		for (j = 0; j < 1 + i % 7; j++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			msg[seed % tape_len[from]] ^= (uint8_t)(1u << (seed >> 60 & 7));
		}
		taken += against(from ? TLS_CLIENT : TLS_SERVER, msg, tape_len[from], true,
				 NULL, NULL).reason == TLS_OK;
	}
	ok(!taken, "400 damaged handshakes, none taken");
}

/* A server that sends more than the handshake: the library must not eat it. */
static void test_not_a_byte_too_many(void)
{
	struct side a = { .keys = keys_of("db", 1) }, b = { .keys = keys_of("db", 1) };
	char next[7] = "";
	int sv[2];

	make_pair(sv);
	a.fd = sv[0];
	a.deadline_ns = LATER;
	b.fd = sv[1];
	b.role = TLS_SERVER;
	b.deadline_ns = LATER;
	begin(&b);
	begin(&a);
	pthread_join(a.thread, NULL);
	/* the client is done first; what it says now lies behind its Finished */
	if (send(sv[0], "KERNEL", 6, MSG_NOSIGNAL) != 6)
		abort();
	pthread_join(b.thread, NULL);
	ok(a.good && b.good && recv(sv[1], next, 6, MSG_DONTWAIT) == 6 &&
	   !strcmp(next, "KERNEL"), "the next byte is the kernel's");
	close_pair(sv);
}

static void test_offload(void)
{
	struct side a = { .keys = keys_of("db", 1) }, b = { .keys = keys_of("db", 1) };
	struct tls_secrets none = { 0 };
	unsigned int ciphers;
	char why[TLS_TEXT_MAX] = "";
	int sv[2];

	meet(&a, &b, sv);
	ok(!tls_offload(sv[0], &a.secrets, &a.res) && a.res.reason == TLS_NO_OFFLOAD &&
	   *a.res.text, "a unix socket cannot be encrypted: %s", a.res.text);
	ok(is_dead(sv[0]), "and cannot be used in clear text");
	ok(!memcmp(&a.secrets, &none, sizeof(none)), "its keys are wiped");
	close_pair(sv);
	if (tls_kernel_check(&ciphers, why, sizeof(why)))
		ok(ciphers, "this kernel encrypts");
	else
		ok(!ciphers && strstr(why, "modprobe"), "this kernel cannot: %s", why);
}

static bool load(const char *text, mode_t mode, struct tls_keys *keys, char *why)
{
	char path[] = "/tmp/swb-key-XXXXXX";
	int fd = mkstemp(path);
	bool good;

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) ||
	    fchmod(fd, mode))
		abort();
	close(fd);
	good = tls_keys_load(path, keys, why, 256);
	unlink(path);
	return good;
}

#define HEX	"00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"
#define BASE64	"ABEiM0RVZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd7v8="

static void test_key_files(void)
{
	static const struct {
		const char *text;
		mode_t mode;
		bool good;
		const char *word, *what;
	} row[] = {
		{ HEX, 0600, true, "", "hex" },
		{ "# cluster\n\n  " BASE64 "\t\n", 0400, true, "", "base64 and a comment" },
		{ "db:" HEX "\r\nold:" BASE64 "\n", 0640, true, "", "two with names" },
		{ HEX, 0644, false, "chmod 600", "readable by others" },
		{ HEX, 0620, false, "chmod 600", "writable by the group" },
		{ "", 0600, false, "no key", "an empty file" },
		{ "# nothing\n", 0600, false, "no key", "a comment only" },
		{ "abcd", 0600, false, ":1: ", "a short key" },
		{ "\n" HEX "00", 0600, false, ":2: ", "a long key" },
		{ "0000000000000000000000000000000000000000000000000000000000000000",
		  0600, false, "guessed", "zeroes" },
		{ "a:" HEX "\na:" BASE64, 0600, false, "above", "one name twice" },
		{ "a b:" HEX, 0600, false, "name", "a blank in the name" },
		{ ":" HEX, 0600, false, "name", "no name" },
	};
	struct tls_keys hex, keys;
	char why[256];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		*why = 0;
		ok(load(row[i].text, row[i].mode, &keys, why) == row[i].good &&
		   strstr(why, row[i].word) && !!keys.count == row[i].good,
		   "key file: %s %s", row[i].what, why);
	}
	load(HEX, 0600, &hex, why);
	load("db:" BASE64, 0600, &keys, why);
	ok(!memcmp(hex.key[0].key, keys.key[0].key, TLS_KEY_BYTES) &&
	   !strcmp(hex.key[0].id, TLS_ID_DEFAULT) && !strcmp(keys.key[0].id, "db"),
	   "hex and base64 of one key are one key");
	ok(!tls_keys_load("/nonexistent/key", &keys, why, sizeof(why)), "no file: %s", why);
	ok(!tls_keys_load("/dev/null", &keys, why, sizeof(why)), "no file: %s", why);
}

int main(void)
{
	test_key_files();
	test_friends();
	test_fresh_keys();
	test_key_replaced_while_in_use();
	test_strangers();
	test_no_key_at_all();
	test_clear_text();
	test_garbage_and_silence();
	test_replay();
	test_damaged();
	test_not_a_byte_too_many();
	test_offload();
	return tap_done();
}
