// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two link managers in one process, over loopback: they find each other, keep
 * strangers out, are not held up by silent ones, and find a peer that moved. With
 * TLS where the kernel has it (the guests), in clear text everywhere.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "linker.h"
#include "tap.h"

const struct verb *const ctl_verbs[] = { NULL };

static char lines[64 * 1024];
static pthread_mutex_t lines_lock = PTHREAD_MUTEX_INITIALIZER;

static void say(void *arg, const char *line)
{
	(void)arg;
	pthread_mutex_lock(&lines_lock);
	if (strlen(lines) + strlen(line) + 2 < sizeof(lines)) {
		strcat(lines, line);
		strcat(lines, "\n");
	}
	pthread_mutex_unlock(&lines_lock);
}

static bool said(const char *word)
{
	bool yes;

	pthread_mutex_lock(&lines_lock);
	yes = strstr(lines, word);
	pthread_mutex_unlock(&lines_lock);
	return yes;
}

static struct linker *make(unsigned int handshake_ms, unsigned int incoming_max)
{
	struct linker_config cfg = {
		.handshake_ms = handshake_ms, .incoming_max = incoming_max,
		.backoff_min_ms = 50, .backoff_max_ms = 400, .stable_ms = 300, .say = say,
	};
	struct linker *l = linker_create(&cfg);

	if (!l)
		abort();
	return l;
}

/* A port nobody has; free until somebody listens there. */
static int free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) ||
	    getsockname(fd, (struct sockaddr *)&at, &len))
		abort();
	close(fd);
	return ntohs(at.sin_port);
}

static int raw_connect(int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((u16)port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)))
		abort();
	return fd;
}

static struct tls_keys keys_of(const char *id, u8 byte)
{
	struct tls_keys k = { .count = 1 };

	text_copy(k.key[0].id, id, TLS_ID_MAX);
	memset(k.key[0].key, byte, TLS_KEY_BYTES);
	k.key[0].key[1] = 77;
	return k;
}

static struct link_want want_of(u8 volume, u8 from, u8 to, int port)
{
	struct link_want w = {
		.hello = { .volume = { { volume } }, .from = { { from } },
			   .to = { { to } }, .proto_min = 1, .proto_max = 1,
			   .epoch = from },
		.connect = port, .endpoint_count = port ? 1 : 0,
	};

	if (port)
		snprintf(w.endpoint[0], sizeof(w.endpoint[0]), "127.0.0.1:%d", port);
	return w;
}

static struct link_id id_of(const struct link_want *w)
{
	return (struct link_id){ w->hello.volume, w->hello.from, w->hello.to };
}

static void want(struct linker *l, const struct link_want *w)
{
	char why[LINK_WHY_MAX];

	if (!linker_want(l, w, why)) {
		printf("# %s\n", why);
		abort();
	}
}

static int listen_at(struct linker *l, int port)
{
	char where[64], why[LINK_WHY_MAX];

	snprintf(where, sizeof(where), "127.0.0.1:%d", port);
	if (!linker_listen(l, where, why)) {
		printf("# %s\n", why);
		abort();
	}
	return port;
}

/* The next socket within @ms, closed at once if nobody wants it. */
static bool next(struct linker *l, struct link_ready *out, int ms)
{
	struct pollfd p = { .fd = linker_fd(l), .events = POLLIN };

	return poll(&p, 1, ms) > 0 && linker_next(l, out);
}

static bool talk(int a, int b)
{
	char buf[7] = "";
	bool good = send(a, "KERNEL", 6, MSG_NOSIGNAL) == 6 &&
		    recv(b, buf, 6, MSG_WAITALL) == 6 && !strcmp(buf, "KERNEL");

	close(a);
	close(b);
	return good;
}

static bool stat_reaches(struct linker *l, size_t offset, uint64_t value, int ms)
{
	struct linker_stats s;
	uint64_t now;

	for (; ms > 0; ms -= 10) {
		linker_get_stats(l, &s);
		memcpy(&now, (char *)&s + offset, sizeof(now));
		if (now >= value)
			return true;
		usleep(10000);
	}
	return false;
}

#define REACHES(l, field, value, ms) \
	stat_reaches(l, offsetof(struct linker_stats, field), value, ms)

static bool state_is(struct linker *l, const struct link_want *w, enum link_state state)
{
	struct link_id id = id_of(w);
	struct link_info info;

	return linker_get_info(l, &id, &info) && info.state == state;
}

static void test_backoff(void)
{
	unsigned int i, ms, low = 0, high = 0, bad = 0;

	for (i = 1; i < 2000; i++) {
		ms = linker_backoff_ms(i % 40 + 1, (uint32_t)random_u64(), 100, 5000);
		bad += ms < 50 || ms > 5000;
		ms = linker_backoff_ms(1, (uint32_t)random_u64(), 100, 5000);
		low += ms < 75;
		high += ms >= 75;
		bad += ms > 100;
	}
	ok(!bad && low && high, "back-off is jittered and capped");
	ok(linker_backoff_ms(4, 0, 100, 5000) == 800 &&
	   linker_backoff_ms(1000000, 0, 100, 5000) == 5000, "and doubles up to the cap");
}

/* a dials, b waits; many volumes on one port. */
static void test_two_volumes(const struct tls_keys *keys)
{
	struct linker *a = make(3000, 0), *b = make(3000, 0);
	struct link_ready ra = { 0 }, rb = { 0 };
	struct link_want w;
	char why[LINK_WHY_MAX];
	int port = free_port();
	u8 v;

	if (!linker_keys(a, keys, why) || !linker_keys(b, keys, why))
		abort();
	listen_at(b, port);
	for (v = 1; v <= 2; v++) {
		w = want_of(v, 3, 2, 0);
		want(b, &w);
	}
	for (v = 1; v <= 2; v++) {
		w = want_of(v, 2, 3, port);
		want(a, &w);
		ok(next(a, &ra, 5000) && next(b, &rb, 5000), "volume %u: a link", v);
		ok(ra.dialed && !rb.dialed && rb.id.volume.b[0] == v &&
		   rb.id.from.b[0] == 3 && ra.peer.epoch == 3 && rb.peer.epoch == 2 &&
		   ra.encrypted == !!keys && rb.encrypted == !!keys && *rb.address,
		   "both know who the other is, and how the link is made");
		ok(talk(ra.fd, rb.fd), "the next byte is the kernel's");
		ok(state_is(a, &w, LINK_UP), "it is up");
	}
	linker_destroy(a);
	linker_destroy(b);
}

static void test_wrong_replica_answers(void)
{
	struct linker *a = make(1000, 0), *b = make(1000, 0);
	struct link_want wa, wb = want_of(1, 4, 2, 0);
	struct link_ready r;
	int port = free_port();

	listen_at(b, port);
	want(b, &wb);
	wa = want_of(1, 2, 3, port);
	want(a, &wa);
	ok(REACHES(a, hello[HELLO_FOREIGN_REPLICA], 2, 3000),
	   "on the address lives another replica: refused, and tried again");
	ok(REACHES(b, hello[HELLO_NOT_WANTED], 1, 3000), "there, too");
	ok(!next(a, &r, 50) && !next(b, &r, 50), "no link came of it");
	ok(said("(foreign_replica)") && said("(not_wanted)"), "both said why");
	linker_destroy(a);
	linker_destroy(b);
}

static void test_strangers_hello(void)
{
	static const struct {
		u8 volume, from, to;
		enum hello_reason caller, listener;
		const char *what;
	} row[] = {
		{ 9, 2, 3, HELLO_FOREIGN_VOLUME, HELLO_FOREIGN_VOLUME, "another volume" },
		{ 1, 7, 3, HELLO_NOT_MEMBER, HELLO_NOT_MEMBER, "a replica nobody wants" },
		{ 1, 3, 3, HELLO_SELF, HELLO_NOT_MEMBER, "one that says it is us" },
	};
	struct linker *b = make(2000, 0);
	struct link_want wb = want_of(1, 3, 2, 0);
	struct hello_result res;
	struct hello h;
	int port = free_port(), fd;
	size_t i;

	listen_at(b, port);
	want(b, &wb);
	for (i = 0; i < ARRAY_SIZE(row); i++) {
		h = want_of(row[i].volume, row[i].from, row[i].to, 0).hello;
		fd = raw_connect(port);
		ok(!hello_run(fd, &h, boottime_ns() + 2 * NSEC_PER_SEC, &res) &&
		   res.reason == row[i].caller, "%s: %s", row[i].what,
		   hello_reason_text(res.reason));
		close(fd);
		ok(stat_reaches(b, offsetof(struct linker_stats, hello) +
				row[i].listener * sizeof(uint64_t), 1, 2000),
		   "counted as %s", hello_reason_text(row[i].listener));
	}
	linker_destroy(b);
}

/* The cap is full of silent strangers; a friend still gets in at once. */
static void test_slow_loris(void)
{
	struct linker *a = make(20000, 0), *b = make(20000, 4);
	struct link_want wa, wb = want_of(1, 3, 2, 0);
	struct link_ready ra, rb;
	struct linker_stats s;
	int port = free_port(), fd[12];
	uint64_t start;
	size_t i;

	listen_at(b, port);
	want(b, &wb);
	for (i = 0; i < ARRAY_SIZE(fd); i++) {
		fd[i] = raw_connect(port);
		if (i & 1 && write(fd[i], "SWB", 3) != 3)
			abort();
	}
	start = boottime_ns();
	wa = want_of(1, 2, 3, port);
	want(a, &wa);
	ok(next(a, &ra, 10000) && next(b, &rb, 10000), "a friend among silent strangers");
	ok(boottime_ns() - start < 10 * NSEC_PER_SEC, "is not kept waiting by them");
	linker_get_stats(b, &s);
	ok(s.evicted >= ARRAY_SIZE(fd) - 4 && s.incoming <= 8, "the oldest gave way");
	close(ra.fd);
	close(rb.fd);
	for (i = 0; i < ARRAY_SIZE(fd); i++)
		close(fd[i]);
	linker_destroy(a);
	linker_destroy(b);
}

static void test_deadline(void)
{
	struct linker *b = make(300, 0);
	int port = free_port(), fd;
	char c;

	listen_at(b, port);
	fd = raw_connect(port);
	ok(REACHES(b, hello[HELLO_TIMEOUT], 1, 3000), "a silent stranger has a deadline");
	while (recv(fd, &c, 1, 0) > 0)
		;
	close(fd);
	linker_destroy(b);
}

/* b moves; a hears of the new address, and b's id is what counts. */
static void test_peer_moves(void)
{
	struct linker *a = make(1000, 0), *b = make(1000, 0);
	int old = free_port(), new;
	struct link_want wa = want_of(1, 2, 3, old), wb = want_of(1, 3, 2, 0);
	struct link_ready ra, rb;
	struct link_id id = id_of(&wa);
	struct link_info info;
	char why[LINK_WHY_MAX];

	want(a, &wa);
	want(b, &wb);
	ok(REACHES(a, unreachable, 3, 4000) && linker_get_info(a, &id, &info) &&
	   info.failures >= 3 && *info.why, "nobody there: %s", info.why);
	new = listen_at(b, free_port());
	text_copy(wa.endpoint[1], "127.0.0.1:9", LINK_ENDPOINT_MAX);
	snprintf(wa.endpoint[2], LINK_ENDPOINT_MAX, "127.0.0.1:%d", new);
	wa.endpoint_count = 3;
	want(a, &wa);
	ok(next(a, &ra, 4000) && next(b, &rb, 4000), "found at the third of its addresses");
	close(ra.fd);
	close(rb.fd);
	linker_listen(b, NULL, why);
	linker_lost(a, &id, ra.serial + 1);
	ok(state_is(a, &wa, LINK_UP), "news of another socket are no news");
	linker_lost(a, &id, ra.serial);
	ok(!state_is(a, &wa, LINK_UP), "lost");
	new = listen_at(b, free_port());
	wa = want_of(1, 2, 3, new);
	want(a, &wa);
	ok(next(a, &ra, 4000) && next(b, &rb, 4000) && rb.again,
	   "back on another address, over the link that b still thought of as up");
	close(ra.fd);
	close(rb.fd);
	linker_destroy(a);
	linker_destroy(b);
}

static void wait_quiet(struct linker *a, struct linker *b)
{
	struct linker_stats s, t;

	do {
		usleep(20000);
		linker_get_stats(a, &s);
		linker_get_stats(b, &t);
	} while (s.incoming || s.outgoing || t.incoming || t.outgoing);
}

/* Both dial each other, again and again: both ends keep the same connection. */
static void test_crossing(void)
{
	struct linker *a = make(2000, 0), *b = make(2000, 0);
	int pa = listen_at(a, free_port()), pb = listen_at(b, free_port());
	struct link_want wa, wb;
	struct link_ready ra, rb, more;
	unsigned int round, same = 0;

	for (round = 0; round < 20; round++) {
		wa = want_of((u8)(10 + round), 2, 3, pb);
		wb = want_of((u8)(10 + round), 3, 2, pa);
		want(a, &wa);
		want(b, &wb);
		if (!next(a, &ra, 5000) || !next(b, &rb, 5000))
			break;
		wait_quiet(a, b);
		/* what comes later replaces, on both sides */
		while (next(a, &more, 0)) {
			close(ra.fd);
			ra = more;
		}
		while (next(b, &more, 0)) {
			close(rb.fd);
			rb = more;
		}
		same += talk(ra.fd, rb.fd);
	}
	ok(round == 20 && same == 20, "20 pairs that dial each other: %u agree", same);
	linker_destroy(a);
	linker_destroy(b);
}

static void test_relink(void)
{
	struct linker_config cfg = { .relink_bytes = 1000, .relink_ms = 700, .say = say };
	struct linker *a = linker_create(&cfg), *b = make(2000, 0);
	int port = listen_at(b, free_port());
	struct link_want wa = want_of(1, 2, 3, port), wb = want_of(1, 3, 2, 0);
	struct link_id id = id_of(&wa);
	struct link_ready ra, rb;
	uint64_t start;

	want(b, &wb);
	want(a, &wa);
	ok(next(a, &ra, 4000) && next(b, &rb, 4000) && !ra.again, "the first link");
	close(ra.fd);
	close(rb.fd);
	linker_sent(a, &id, 5000);
	linker_sent(a, &id, 5999);
	ok(!next(a, &ra, 100), "999 bytes later it is good");
	linker_sent(a, &id, 6000);
	ok(next(a, &ra, 2000) && next(b, &rb, 2000) && ra.again && rb.again &&
	   state_is(a, &wa, LINK_UP), "one more, and there is a new one beside it");
	close(ra.fd);
	close(rb.fd);
	start = boottime_ns();
	ok(next(a, &ra, 4000) && next(b, &rb, 2000) && ra.again &&
	   boottime_ns() - start > NSEC_PER_SEC / 2, "and another one when time is up");
	close(ra.fd);
	close(rb.fd);
	linker_destroy(a);
	linker_destroy(b);
}

/* A daemon before this one made the link; the kernel has it. */
static void test_taken_over(void)
{
	struct linker_config cfg = { .relink_bytes = 1000, .say = say };
	struct linker *a = linker_create(&cfg), *b = make(2000, 0);
	int port = listen_at(b, free_port());
	struct link_want wa = want_of(1, 2, 3, port), wb = want_of(1, 3, 2, 0);
	struct link_id id = id_of(&wa);
	struct link_ready ra, rb;

	wa.up = true;
	want(b, &wb);
	want(a, &wa);
	ok(state_is(a, &wa, LINK_UP) && !next(a, &ra, 300), "it is up, and not made again");
	linker_sent(a, &id, 70000);
	linker_sent(a, &id, 71000);
	ok(next(a, &ra, 2000) && next(b, &rb, 2000) && ra.again,
	   "1000 bytes later there is a new one");
	close(ra.fd);
	close(rb.fd);
	linker_relink(a, &id);
	ok(next(a, &ra, 2000) && next(b, &rb, 2000) && ra.again, "another one by order");
	close(ra.fd);
	close(rb.fd);
	linker_lost(a, &id, 0);
	ok(next(a, &ra, 2000) && next(b, &rb, 2000) && !ra.again, "and when it is lost");
	close(ra.fd);
	close(rb.fd);
	linker_destroy(a);
	linker_destroy(b);
}

static void test_unwanted(void)
{
	struct linker *a = make(2000, 0), *b = make(2000, 0);
	int port = listen_at(b, free_port());
	struct link_want wa = want_of(1, 2, 3, port), wb = want_of(1, 3, 2, 0);
	struct link_id id = id_of(&wa);
	struct link_ready r;
	struct link_info info;

	want(b, &wb);
	want(a, &wa);
	ok(REACHES(b, up, 1, 4000), "a link that nobody fetches");
	id = id_of(&wb);
	linker_unwant(b, &id);
	ok(!next(b, &r, 50) && !linker_get_info(b, &id, &info),
	   "is closed when it is not wanted any more");
	linker_destroy(a);
	linker_destroy(b);
}

static void test_reach_without_key(void)
{
	struct linker *l = make(2000, 0);
	struct tls_keys k = keys_of("db", 1);
	char why[LINK_WHY_MAX];

	ok(!linker_listen(l, "0.0.0.0:0", why) && strstr(why, "loopback"),
	   "without a key: %s", why);
	ok(linker_listen(l, "127.0.0.1:0", why) && strstr(why, "this host only"),
	   "without a key: %s", why);
	linker_listen(l, NULL, why);
	ok(linker_keys(l, &k, why) && linker_listen(l, "0.0.0.0:0", why) &&
	   strstr(why, "TLS"), "with one: %s", why);
	ok(!linker_keys(l, NULL, why) && *why, "then it cannot be taken away: %s", why);
	linker_destroy(l);
}

static void test_names_of_keys(void)
{
	struct linker *l = make(2000, 0);
	struct tls_keys k = keys_of("db", 1), other = keys_of("db", 2);
	struct link_want w = want_of(1, 2, 3, 0);
	char why[LINK_WHY_MAX];

	ok(linker_keys(l, &k, why), "a key of the cluster");
	w.keys = &other;
	ok(!linker_want(l, &w, why) && strstr(why, "\"db\""), "another of that name: %s", why);
	w.keys = &k;
	ok(linker_want(l, &w, why), "the same one may be a volume's as well");
	ok(!linker_keys(l, &other, why) && *why, "and then stays");
	linker_destroy(l);
}

/* With kTLS: keys per volume, wrong keys, clear text; the friend comes through. */
static void test_keys(void)
{
	struct linker *a = make(2000, 0), *b = make(2000, 0), *c = make(2000, 0);
	struct tls_keys cluster = keys_of("cluster", 1), own = keys_of("own", 2);
	struct tls_keys wrong = keys_of("cluster", 3);
	struct link_want wa, wb;
	struct link_ready ra, rb;
	char why[LINK_WHY_MAX];
	int port = listen_at(b, free_port());

	linker_keys(a, &cluster, why);
	linker_keys(b, &cluster, why);
	wb = want_of(1, 3, 2, 0);
	want(b, &wb);
	wb = want_of(2, 3, 2, 0);
	wb.keys = &own;
	want(b, &wb);
	wa = want_of(2, 2, 3, port);
	want(a, &wa);
	ok(REACHES(b, hello[HELLO_OTHER_KEY], 1, 4000) &&
	   REACHES(a, hello[HELLO_OTHER_KEY], 1, 4000),
	   "the cluster's key does not open a volume with its own");
	wa.keys = &own;
	want(a, &wa);
	ok(next(a, &ra, 4000) && next(b, &rb, 4000) && !strcmp(rb.key_id, "own") &&
	   talk(ra.fd, rb.fd), "its own does");
	linker_keys(c, &wrong, why);
	wa = want_of(1, 2, 3, port);
	want(c, &wa);
	ok(REACHES(b, tls[TLS_WRONG_KEY], 1, 4000) && REACHES(c, tls[TLS_WRONG_KEY], 1, 4000),
	   "a wrong key is refused, counted and said on both sides");
	linker_destroy(c);
	c = make(2000, 0);
	want(c, &wa);
	ok(REACHES(b, tls[TLS_PLAINTEXT], 1, 4000) &&
	   REACHES(c, hello[HELLO_SPEAKS_TLS], 1, 4000), "so is clear text");
	want(a, &wa);
	ok(next(a, &ra, 4000) && next(b, &rb, 4000) && ra.encrypted && rb.encrypted &&
	   talk(ra.fd, rb.fd), "the friend comes through");
	linker_destroy(a);
	linker_destroy(b);
	linker_destroy(c);
}

int main(void)
{
	struct tls_keys keys = keys_of("db", 1);
	char why[TLS_TEXT_MAX];
	unsigned int ciphers;

	test_backoff();
	test_two_volumes(NULL);
	test_wrong_replica_answers();
	test_strangers_hello();
	test_slow_loris();
	test_deadline();
	test_peer_moves();
	test_crossing();
	test_relink();
	test_taken_over();
	test_unwanted();
	test_reach_without_key();
	test_names_of_keys();
	if (tls_kernel_check(&ciphers, why, sizeof(why))) {
		test_two_volumes(&keys);
		test_keys();
	} else {
		printf("ok %d - with TLS # SKIP %s\n", ++tap_count, why);
	}
	return tap_done();
}
