// SPDX-License-Identifier: GPL-2.0-only
/*
 * etcd as a cluster: its leader is killed again and again while writers swap; TLS
 * and passwords; a cluster that was restored, or wiped. SIGKILL is real, the
 * members are processes.
 */
#include <sys/mman.h>

#include "store_lab.h"

const struct verb *const ctl_verbs[] = { NULL };

static struct lab lab;
static char address[1024];

#define SWAPPERS	4
#define KILLS		4
#define LOG_MAX		16384

/* what a swapper believes of each attempt */
enum verdict { WON, LOST, UNKNOWN };

struct attempt {
	uint64_t n;		/* of the counter it wanted to write */
	char nonce[CTL_UUID_TEXT];
	unsigned char verdict;
};

static int put(struct store *s, const char *key, const char *value, uint64_t expect)
{
	struct store_op op = { .key = key, .value = value, .expect = expect };

	return store_txn(s, &op, 1);
}

static bool has(struct store *s, const char *key, const char *value)
{
	struct store_doc d;
	bool same = !store_get(s, key, &d) && !strcmp(d.value, value);

	store_doc_free(&d);
	return same;
}

/*
 * Raises a counter, and notes in the same transaction who did: k/<n> = nonce. So it
 * can be told afterwards of every attempt whether it was carried out.
 */
static void swapper(int out, const int *stop)
{
	struct attempt a;
	struct store_doc d;
	struct store *s;
	struct swb_uuid u;
	char value[24], key[32];
	int err;

	if (lab_open(&s, address, false, 4000))
		_exit(1);
	while (!__atomic_load_n(stop, __ATOMIC_SEQ_CST)) {
		if (store_get(s, "counter", &d))
			continue;
		memset(&a, 0, sizeof(a));
		a.n = strtoull(d.value, NULL, 10) + 1;
		snprintf(value, sizeof(value), "%llu", (unsigned long long)a.n);
		snprintf(key, sizeof(key), "k/%020llu", (unsigned long long)a.n);
		uuid_random(&u);
		uuid_text(&u, a.nonce);
		{
			const struct store_op op[] = {
				{ .key = "counter", .value = value, .expect = d.revision },
				{ .key = key, .value = a.nonce, .expect = STORE_ANY },
			};

			err = store_txn(s, op, 2);
		}
		store_doc_free(&d);
		a.verdict = err == 0 ? WON : err == -ESTALE ? LOST : UNKNOWN;
		if (write(out, &a, sizeof(a)) != sizeof(a))
			break;
		usleep(3000);
	}
	store_close(s);
	_exit(0);
}

static void kill_leaders(void)
{
	int i, leader;

	for (i = 0; i < KILLS; i++) {
		usleep(600000);
		leader = lab_leader(&lab);
		if (leader < 0)
			continue;
		lab_down(&lab, (unsigned int)leader, SIGKILL);
		usleep(900000);
		lab_up(&lab, (unsigned int)leader);
	}
	usleep(1200000);
}

/* The verdicts against what stands there. */
static void judge(struct store *s, const struct attempt *a, unsigned int count)
{
	unsigned int i, lies = 0, forgotten = 0, won = 0, unknown = 0, came = 0;
	struct store_doc *list;
	char key[32];
	bool mine;
	size_t n;

	if (store_list(s, "k/", &list, &n)) {
		ok(false, "listed: %s", store_error(s));
		return;
	}
	for (i = 0; i < count; i++) {
		snprintf(key, sizeof(key), "k/%020llu", (unsigned long long)a[i].n);
		mine = a[i].n && a[i].n <= n && !strcmp(list[a[i].n - 1].key, key) &&
		       !strcmp(list[a[i].n - 1].value, a[i].nonce);
		won += a[i].verdict == WON;
		forgotten += a[i].verdict == WON && !mine;
		lies += a[i].verdict == LOST && mine;
		unknown += a[i].verdict == UNKNOWN;
		came += a[i].verdict == UNKNOWN && mine;
	}
	ok(count > 100 && won + came == n, "each of %zu updates has one winner: %u told, %u of %u unknown ones",
	   n, won, came, unknown);
	ok(!forgotten, "no update that was called done is lost");
	ok(!lies, "none that was called refused was done");
	store_docs_free(list, n);
}

static void test_leader_killed(void)
{
	struct attempt *log = calloc(LOG_MAX, sizeof(*log));
	unsigned int i, count = 0;
	pid_t pid[SWAPPERS];
	int *stop;
	struct store *s;
	int fd[2];

	stop = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (stop == MAP_FAILED || pipe(fd))
		return;
	lab_open(&s, address, false, 5000);
	put(s, "counter", "0", STORE_ANY);
	store_close(s);
	/* room for all attempts, they are read at the end */
	fcntl(fd[1], F_SETPIPE_SZ, 1 << 20);
	for (i = 0; i < SWAPPERS; i++) {
		pid[i] = fork();
		if (!pid[i])
			swapper(fd[1], stop);
	}
	close(fd[1]);
	kill_leaders();
	__atomic_store_n(stop, 1, __ATOMIC_SEQ_CST);
	while (count < LOG_MAX && read(fd[0], &log[count], sizeof(*log)) == sizeof(*log))
		count++;
	for (i = 0; i < SWAPPERS; i++)
		waitpid(pid[i], NULL, 0);
	close(fd[0]);
	ok(lab_ready(address), "the cluster is whole again");
	lab_open(&s, address, false, 10000);
	judge(s, log, count);
	store_close(s);
	free(log);
}

/* Any one member down, frozen or not there: reads and guarded writes go on. */
static void test_failover(void)
{
	struct store_doc d;
	struct store *s;
	unsigned int i, good = 0;
	uint64_t t, worst = 0, took;

	lab_open(&s, address, false, 6000);
	put(s, "f/a", "1", STORE_ANY);
	for (i = 0; i < lab.count; i++) {
		kill(lab.pid[i], SIGSTOP);
		t = boottime_ns();
		if (!store_get(s, "f/a", &d)) {
			good += put(s, "f/a", "1", d.revision) == 0;
			store_doc_free(&d);
		}
		took = boottime_ns() - t;
		worst = took > worst ? took : worst;
		kill(lab.pid[i], SIGCONT);
		usleep(300000);
	}
	ok(good == lab.count, "%u of 3: one member is frozen, the store goes on (%u ms at most)",
	   good, (unsigned int)(worst / 1000000));
	store_close(s);
}

/* What cannot be sent twice is not, but it must not stick to that member. */
static void test_next_member(void)
{
	struct store *s;
	unsigned int i;
	int err;

	lab_open(&s, address, false, 1500);
	i = ((struct etcd *)s)->current;
	kill(lab.pid[i], SIGSTOP);
	err = put(s, "f/b", "1", STORE_ANY);
	/* the others may have to choose a leader first */
	usleep(1500000);
	ok((err == -ETIMEDOUT || err == -EIO) && !put(s, "f/b", "2", STORE_ANY),
	   "a plain write to a frozen member is unknown, the next goes elsewhere");
	kill(lab.pid[i], SIGCONT);
	usleep(300000);
	store_close(s);
}

/* The stream comes from a member that freezes, and then dies. */
static void test_watch_failover(void)
{
	struct store *s, *w;
	uint64_t since = 0, t;
	unsigned int i, seen = 0;
	char value[16];
	int ret;

	lab_open(&s, address, false, 6000);
	lab_open(&w, address, false, 6000);
	store_wait(w, "w/", &since, 0);
	store_wait(w, "w/", &since, 100);
	i = ((struct etcd *)w)->watch.endpoint;
	kill(lab.pid[i], SIGSTOP);
	snprintf(value, sizeof(value), "%u", i);
	/* guarded, so that it finds its way round the frozen one */
	ok(!put(s, "w/a", value, STORE_ABSENT), "a write goes round a frozen member");
	t = boottime_ns();
	do {
		ret = store_wait(w, "w/", &since, 500);
		seen += ret == 1;
	} while (!seen && boottime_ns() - t < 15 * NSEC_PER_SEC);
	ok(seen, "a watch on a frozen member finds out (%u ms)",
	   (unsigned int)((boottime_ns() - t) / 1000000));
	kill(lab.pid[i], SIGCONT);
	usleep(300000);
	store_wait(w, "w/", &since, 100);
	i = ((struct etcd *)w)->watch.endpoint;
	lab_down(&lab, i, SIGKILL);
	put(s, "w/b", value, STORE_ABSENT);
	t = boottime_ns();
	do
		ret = store_wait(w, "w/", &since, 500);
	while (ret != 1 && boottime_ns() - t < 15 * NSEC_PER_SEC);
	ok(ret == 1, "a watch on a dead one, too (%u ms)",
	   (unsigned int)((boottime_ns() - t) / 1000000));
	lab_up(&lab, i);
	store_close(s);
	store_close(w);
}

/* --- one member: restored, wiped --- */

static void restore(const char *token)
{
	char one[64];

	snprintf(one, sizeof(one), "m0=http://127.0.0.1:%u", lab.peer[0]);
	lab_down(&lab, 0, SIGKILL);
	lab_run("rm -rf %s/m0 && ETCDCTL_API=3 etcdctl snapshot restore %s/backup --name m0 "
		"--data-dir %s/m0 --initial-cluster %s --initial-advertise-peer-urls "
		"http://127.0.0.1:%u --initial-cluster-token %s >/dev/null 2>&1",
		lab.dir, lab.dir, lab.dir, one, lab.peer[0], token);
	snprintf(lab.token, sizeof(lab.token), "%s", token);
	lab_up(&lab, 0);
}

static int reopen(struct store **s)
{
	uint64_t end = boottime_ns() + 15 * NSEC_PER_SEC;
	char why[256];
	int err;

	do
		err = store_open(s, address, false, 2000, why, sizeof(why));
	while ((err == -EIO || err == -ETIMEDOUT) && boottime_ns() < end);
	if (err)
		printf("# %d: %s\n", err, why);
	return err;
}

static int first_answer(struct store *s, const char *key)
{
	uint64_t end = boottime_ns() + 15 * NSEC_PER_SEC;
	struct store_doc d;
	int err;

	do {
		err = store_get(s, key, &d);
		store_doc_free(&d);
	} while ((err == -EIO || err == -ETIMEDOUT) && boottime_ns() < end);
	return err;
}

static void test_restored(void)
{
	struct store_identity id = { 0 };
	struct store *s, *t;

	lab_open(&s, address, false, 3000);
	put(s, "r/a", "1", STORE_ANY);
	lab_run("ETCDCTL_API=3 etcdctl --endpoints http://127.0.0.1:%u snapshot save %s/backup >/dev/null 2>&1",
		lab.client[0], lab.dir);
	put(s, "r/a", "2", STORE_ANY);
	restore("two");
	ok(first_answer(s, "r/a") == -EXDEV && put(s, "r/a", "3", STORE_ANY) == -EXDEV,
	   "restored by the book, a program that runs: %s", store_error(s));
	store_close(s);
	ok(reopen(&s) == -EXDEV && s && store_get(s, "r/a", &(struct store_doc){ 0 }) == -EXDEV,
	   "and one that starts refuse it");
	ok(!store_raise_generation(s, "restored") && !store_identity(s, &id) &&
	   id.generation == 2 && has(s, "r/a", "1"), "until it is ordered to count");
	ok(!reopen(&t) && !put(t, "r/a", "4", STORE_ANY), "for all");
	store_close(t);
	put(s, "r/b", "5", STORE_ANY);
	lab_run("ETCDCTL_API=3 etcdctl --endpoints http://127.0.0.1:%u snapshot save %s/backup2 >/dev/null 2>&1; mv %s/backup2 %s/backup",
		lab.client[0], lab.dir, lab.dir, lab.dir);
	put(s, "r/b", "6", STORE_ANY);
	restore("two");
	ok(first_answer(s, "r/b") == -EXDEV,
	   "put back under the same names: noticed by who runs meanwhile: %s",
	   store_error(s));
	store_close(s);
}

static void test_wiped(void)
{
	struct store *s;

	if (reopen(&s))
		return;
	put(s, "r/a", "1", STORE_ANY);
	lab_run("ETCDCTL_API=3 etcdctl --endpoints http://127.0.0.1:%u del --prefix /swblock/.store >/dev/null 2>&1",
		lab.client[0]);
	ok(put(s, "r/a", "2", STORE_ANY) == -EXDEV, "no identity, no write: %s",
	   store_error(s));
	store_close(s);
	ok(reopen(&s) == -ENOENT, "and no store");
	ok(lab_open(&s, address, true, 2000) == -EINVAL,
	   "nor is a new one made on top of the documents of the old one");
	lab_run("ETCDCTL_API=3 etcdctl --endpoints http://127.0.0.1:%u del --prefix /swblock/ >/dev/null 2>&1",
		lab.client[0]);
	ok(!lab_open(&s, address, true, 2000), "only where nothing is");
	store_close(s);
}

/* --- TLS and passwords --- */

static bool certificates(void)
{
	return !lab_run("(cd %s && for ca in ca other; do openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 "
			"-nodes -subj /CN=$ca -days 2 -keyout $ca.key -out $ca.pem || exit 1; done; "
			"openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=server "
			"-keyout server.key -out server.csr && printf 'subjectAltName=IP:127.0.0.1\\n' >ext && "
			"openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial "
			"-days 2 -extfile ext -out server.pem && "
			/* etcd refuses a CommonName where passwords are asked for */
			"openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /O=client "
			"-keyout client.key -out client.csr && openssl x509 -req -in client.csr "
			"-CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out client.pem) >/dev/null 2>&1",
			lab.dir);
}

static void login(const char *word)
{
	lab_run("cd %s && (umask 077; echo %s >password)", lab.dir, word);
}

/* root with a password, then authentication is switched on */
static bool enable_auth(struct store *s)
{
	const struct {
		const char *path;
		json_t *body;
	} step[] = {
		{ "/v3/auth/user/add",
		  json_pack("{s:s,s:s}", "name", "root", "password", "right") },
		{ "/v3/auth/role/add", json_pack("{s:s}", "name", "root") },
		{ "/v3/auth/user/grant", json_pack("{s:s,s:s}", "user", "root", "role", "root") },
		{ "/v3/auth/enable", json_object() },
	};
	json_t *answer;
	size_t i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(step); i++) {
		err |= etcd_call((struct etcd *)s, step[i].path, step[i].body, ETCD_ONCE,
				 boottime_ns() + 5 * NSEC_PER_SEC, &answer, NULL);
		json_decref(answer);
	}
	if (err)
		printf("# %s\n", store_error(s));
	return !err;
}

static int try_open(const char *options)
{
	char full[1024], why[256] = "";
	struct store *s;
	int err;

	snprintf(full, sizeof(full), "etcd:127.0.0.1:%u%s", lab.client[0], options);
	err = store_open(&s, full, false, 3000, why, sizeof(why));
	printf("# %d: %s\n", err, why);
	if (!err)
		store_close(s);
	return err;
}

static void test_tls_and_password(void)
{
	char files[400], opts[600];
	struct store *s;

	snprintf(files, sizeof(files), "cert=%s/client.pem&key=%s/client.key", lab.dir,
		 lab.dir);
	ok(lab_ready(address), "TLS with certificates on both sides");
	ok(try_open("") < 0, "not without TLS");
	snprintf(opts, sizeof(opts), "?ca=%s/other.pem&%s", lab.dir, files);
	ok(try_open(opts) == -EACCES, "not with another CA");
	snprintf(opts, sizeof(opts), "?ca=%s/ca.pem", lab.dir);
	ok(try_open(opts) < 0, "not without a certificate of one's own");
	snprintf(opts, sizeof(opts), "?ca=%s/none.pem&%s", lab.dir, files);
	ok(try_open(opts) == -EACCES, "not with a file that is not there");

	lab_open(&s, address, false, 3000);
	ok(enable_auth(s), "authentication is switched on");
	store_close(s);
	snprintf(opts, sizeof(opts), "?ca=%s/ca.pem&%s", lab.dir, files);
	ok(try_open(opts) == -EACCES, "no user, no store");
	snprintf(opts, sizeof(opts), "?ca=%s/ca.pem&%s&user=root&password-file=%s/password",
		 lab.dir, files, lab.dir);
	login("wrong");
	ok(try_open(opts) == -EACCES, "a wrong password");
	login("right");
	ok(try_open(opts) == 0, "the right one");
	snprintf(opts, sizeof(opts), "?ca=%s/ca.pem&cert=%s/server.pem&key=%s/server.key&user=root&password-file=%s/password",
		 lab.dir, lab.dir, lab.dir, lab.dir);
	ok(try_open(opts) == -EACCES, "etcd's own words where it wants no name in the certificate");
	snprintf(opts, sizeof(opts), "?ca=%s/ca.pem&%s&user=root&password-file=%s/password",
		 lab.dir, files, lab.dir);
	snprintf(address, sizeof(address), "etcd:127.0.0.1:%u%s", lab.client[0], opts);
	if (lab_open(&s, address, false, 5000))
		return;
	put(s, "a/a", "1", STORE_ANY);
	lab_down(&lab, 0, SIGKILL);
	lab_up(&lab, 0);
	ok(first_answer(s, "a/a") == 0 && !put(s, "a/a", "2", STORE_ANY),
	   "a token that the member forgot is drawn again");
	store_close(s);
	lab_run("chmod 644 %s/password", lab.dir);
	ok(try_open(opts) == -EACCES, "a password that all may read is none");
	ok(try_open("?user=root") == -EINVAL && try_open("?what=ever") == -EINVAL,
	   "options that make no sense");
}

static void test_address(void)
{
	static const char *const bad[] = {
		"etcd:", "etcd:host", "etcd:host:0", "etcd:host:99999", "etcd:h:1,,h",
		"etcd:h:1?ca=", "etcd:h:1?key=x", "etcd:h:1?prefix=a b",
		"etcd:http://h:1", "etcd:h:1?tls=perhaps",
	};
	char why[256];
	struct store *s;
	unsigned int i, wrong = 0;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		wrong += store_open(&s, bad[i], false, 300, why, sizeof(why)) != -EINVAL;
	ok(!wrong, "impossible addresses are refused (%u not)", wrong);
	lab_run("cd %s && (umask 077; echo x >password)", lab.dir);
	snprintf(address, sizeof(address), "etcd:192.0.2.1:1?user=a&password-file=%s/password",
		 lab.dir);
	ok(store_open(&s, address, false, 300, why, sizeof(why)) == -EINVAL,
	   "no password without TLS, but to this host: %s", why);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!lab_have("etcd") || !lab_have("etcdctl") || !lab_have("openssl")) {
		skip(36, "no etcd, etcdctl or openssl");
		return tap_done();
	}
	ok(lab_start(&lab, 3), "a cluster of three");
	test_address();
	lab_address(&lab, address, sizeof(address));
	test_failover();
	test_next_member();
	test_watch_failover();
	test_leader_killed();
	lab_end(&lab);

	ok(lab_start(&lab, 1), "a cluster of one");
	lab_address(&lab, address, sizeof(address));
	test_restored();
	test_wiped();
	lab_end(&lab);

	strcpy(lab.dir, "/tmp/swb-etcd-XXXXXX");
	ok(mkdtemp(lab.dir) && certificates(), "certificates");
	lab.tls = true;
	lab_start(&lab, 1);
	lab_address(&lab, address, sizeof(address));
	test_tls_and_password();
	lab_end(&lab);
	return tap_done();
}
