// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a store promises, asked of each backend in the same words: SQLite in a file
 * and a real etcd on loopback. Races, unknown outcomes, times to live, waiting,
 * sizes, deadlines, and a store that was put back.
 */
#include <sqlite3.h>

#include "authority.h"
#include "store_lab.h"

const struct verb *const ctl_verbs[] = { NULL };

static char dir[32] = "/tmp/swb-store-XXXXXX";
static char file[64];			/* SQLite */
static struct lab lab;
static char address[512];
static const char *name;		/* of the backend */

#define WRITERS	8
#define ROUNDS	12

static int open_it(struct store **s)
{
	return lab_open(s, address, true, 5000);
}

static int put(struct store *s, const char *key, const char *value, uint64_t expect)
{
	struct store_op op = { .key = key, .value = value, .expect = expect };

	return store_txn(s, &op, 1);
}

static bool has(struct store *s, const char *key, const char *value)
{
	struct store_doc d;
	bool same = !store_get(s, key, &d) && value && !strcmp(d.value, value);

	store_doc_free(&d);
	return same;
}

static void test_documents(void)
{
	struct store_doc d, e, *list;
	struct store_op op[3] = {
		{ .key = "d/b", .value = "2", .expect = STORE_ABSENT },
		{ .key = "d/a", .value = "{\"\\u00e4\":1}", .expect = STORE_ABSENT },
		{ .key = "d/c", .value = "3", .expect = STORE_ABSENT },
	};
	struct store *s, *t;
	size_t n;

	ok(!open_it(&s) && !open_it(&t), "%s: two handles", name);
	ok(store_get(s, "d/a", &d) == -ENOENT, "%s: nothing there", name);
	ok(!store_txn(s, op, 3), "%s: three documents in one transaction", name);
	ok(!store_get(t, "d/a", &d) && !strcmp(d.value, op[1].value) && d.revision &&
	   !store_get(t, "d/b", &e) && e.revision == d.revision,
	   "%s: seen by the other at once", name);
	store_doc_free(&e);
	ok(!store_list(s, "d/", &list, &n) && n == 3 && !strcmp(list[0].key, "d/a") &&
	   !strcmp(list[2].key, "d/c"), "%s: listed in order", name);
	store_docs_free(list, n);
	ok(!store_list(s, "d", &list, &n) && n == 3 &&
	   (store_docs_free(list, n), !store_list(s, "d/b/", &list, &n)) && n == 0,
	   "%s: a prefix is a prefix", name);
	store_docs_free(list, n);
	op[0].value = "4";
	op[0].expect = STORE_ANY;
	op[1].value = "5";
	op[1].expect = d.revision + 100;
	ok(store_txn(s, op, 2) == -ESTALE && has(t, "d/b", "2"),
	   "%s: one condition fails, nothing is written", name);
	op[1].value = NULL;
	op[1].expect = d.revision;
	ok(!store_txn(s, op, 2) && has(t, "d/b", "4") &&
	   store_get(t, "d/a", &e) == -ENOENT, "%s: one written, one deleted", name);
	ok(put(s, "d/a", "6", d.revision) == -ESTALE, "%s: a deleted one has no revision",
	   name);
	ok(!put(s, "d/a", "7", STORE_ABSENT) && !store_get(s, "d/a", &e) &&
	   e.revision > d.revision, "%s: revisions are not used again", name);
	ok(put(s, "d/a", "8", STORE_ABSENT) == -ESTALE, "%s: made once", name);
	ok(put(s, "d/\n", "8", STORE_ANY) == -EINVAL &&
	   put(s, "", "8", STORE_ANY) == -EINVAL &&
	   put(s, ".store", "8", STORE_ANY) == -EINVAL, "%s: impossible keys", name);
	op[1].key = "d/b";
	ok(store_txn(s, op, 2) == -EINVAL, "%s: a key occurs once", name);
	store_doc_free(&d);
	store_doc_free(&e);
	store_close(s);
	store_close(t);
}

static void test_sizes(void)
{
	char *big = malloc(STORE_VALUE_MAX + 2), key[32];
	struct store_doc *list;
	struct store *s;
	unsigned int i, bad = 0;
	size_t n;

	memset(big, 'x', STORE_VALUE_MAX + 1);
	big[STORE_VALUE_MAX + 1] = 0;
	open_it(&s);
	ok(put(s, "s/0", big, STORE_ANY) == -E2BIG, "%s: a byte too many", name);
	big[STORE_VALUE_MAX] = 0;
	for (i = 0; i < 70; i++) {
		snprintf(key, sizeof(key), "s/%03u", i);
		bad += put(s, key, big, STORE_ANY) != 0;
	}
	ok(!bad && has(s, "s/007", big), "%s: the largest value goes in and out", name);
	bad = store_list(s, "s/", &list, &n) != 0;
	for (i = 0; !bad && i < n; i++)
		bad += strcmp(list[i].value, big) != 0;
	ok(!bad && n == 70, "%s: more than one answer's worth of them, listed: %s", name,
	   bad ? store_error(s) : "");
	store_docs_free(list, n);
	for (i = 0; i < 70; i++) {
		snprintf(key, sizeof(key), "s/%03u", i);
		put(s, key, NULL, STORE_ANY);
	}
	store_close(s);
	free(big);
}

/* Each win is told with the revision it was won from: no two of the same. */
static void race(int out)
{
	struct store_doc d;
	struct store *s;
	char value[32];
	int won = 0;

	if (open_it(&s))
		_exit(1);
	while (won < ROUNDS) {
		if (store_get(s, "r/counter", &d))
			_exit(2);
		snprintf(value, sizeof(value), "%d", atoi(d.value) + 1);
		if (!put(s, "r/counter", value, d.revision)) {
			if (write(out, &d.revision, sizeof(d.revision)) < 0)
				_exit(3);
			won++;
		}
		store_doc_free(&d);
	}
	store_close(s);
	_exit(0);
}

static void test_races(void)
{
	uint64_t seen[WRITERS * ROUNDS];
	unsigned int i, k, n = 0, twice = 0, bad = 0;
	struct store *s;
	char value[16];
	int fd[2], status;

	open_it(&s);
	put(s, "r/counter", "0", STORE_ANY);
	if (pipe(fd))
		return;
	for (i = 0; i < WRITERS; i++)
		if (!fork())
			race(fd[1]);
	close(fd[1]);
	while (n < WRITERS * ROUNDS && read(fd[0], &seen[n], 8) == 8)
		for (k = 0, n++; k + 1 < n; k++)
			twice += seen[k] == seen[n - 1];
	close(fd[0]);
	for (i = 0; i < WRITERS; i++)
		bad += wait(&status) < 0 || status;
	snprintf(value, sizeof(value), "%d", WRITERS * ROUNDS);
	ok(!bad && n == WRITERS * ROUNDS && !twice && has(s, "r/counter", value),
	   "%s: %d writers race: every revision was won by one, none was lost", name,
	   WRITERS);
	store_close(s);
}

static void test_wait(void)
{
	uint64_t since = 0, t, late, worst = 0;
	unsigned int seen = 0, silent = 0;
	struct store_doc *list = NULL;
	struct store *s;
	size_t n = 0;
	int ret = 0, i;

	open_it(&s);
	ok(store_wait(s, "w/", &since, 0) == 1 && since, "%s: the first wait returns at once",
	   name);
	t = boottime_ns();
	ret = store_wait(s, "w/", &since, 300);
	ok(!ret && boottime_ns() - t >= 290000000ULL, "%s: then silence is waited for", name);
	if (!fork()) {
		struct store *w;
		char key[32], value[32];

		if (open_it(&w))
			_exit(1);
		for (i = 0; i < 60; i++) {
			usleep((useconds_t)(random_u64() % 30000));
			snprintf(key, sizeof(key), "w/%02d", i);
			snprintf(value, sizeof(value), "%llu",
				 (unsigned long long)boottime_ns());
			put(w, key, value, STORE_ANY);
			put(w, "other/key", value, STORE_ANY);
		}
		store_close(w);
		_exit(0);
	}
	while (seen < 60 && silent < 3) {
		ret = store_wait(s, "w/", &since, 1500);
		silent = ret == 1 ? 0 : silent + 1;
		if (ret < 0 || store_list(s, "w/", &list, &n))
			break;
		t = boottime_ns();
		for (; seen < n; seen++) {
			late = t - strtoull(list[seen].value, NULL, 10);
			worst = late > worst ? late : worst;
		}
		store_docs_free(list, n);
	}
	wait(NULL);
	ok(seen == 60 && ret == 1, "%s: a watch misses nothing (%u of 60, slowest %u ms)",
	   name, seen, (unsigned int)(worst / 1000000));
	ok(worst < 1500 * 1000000ULL, "%s: and is not late", name);
	put(s, "w/00", NULL, STORE_ANY);
	ok(store_wait(s, "w/", &since, 3000) == 1, "%s: nor a deletion", name);
	store_close(s);
}

static void test_ttl(void)
{
	struct store_op op = { .key = "n/a", .value = "1", .expect = STORE_ANY,
			       .ttl_ms = 2000 };
	struct store *s, *w;
	uint64_t since = 0, t;
	bool there = true;
	int i, ret;

	open_it(&s);
	open_it(&w);
	for (i = 0; i < 10; i++) {
		there &= !store_txn(s, &op, 1);
		usleep(400000);
		there &= has(w, "n/a", "1");
	}
	ok(there, "%s: a sign of life stands while it is repeated", name);
	store_wait(w, "n/", &since, 0);
	t = boottime_ns();
	while (has(w, "n/a", "1") && boottime_ns() - t < 12 * NSEC_PER_SEC) {
		ret = store_wait(w, "n/", &since, 3000);
		there &= ret >= 0;
	}
	ok(there && !has(w, "n/a", "1"), "%s: it goes when it is not (after %u ms)", name,
	   (unsigned int)((boottime_ns() - t) / 1000000));
	ok(!put(s, "n/a", "2", STORE_ABSENT), "%s: and is absent then", name);
	store_close(s);
	store_close(w);
}

static struct auth_record record(unsigned int n)
{
	struct auth_record r = { .phase = AUTH_NEW, .member_count = 1 };

	r.volume.b[15] = (u8)n;
	snprintf(r.label, sizeof(r.label), "v%u", n);
	uuid_random(&r.nonce);
	r.config.mode = SWBLOCK_MODE_BEST_EFFORT;
	r.config.policy = SWBLOCK_POLICY_LOCAL;
	r.config.member_count = 1;
	r.config.required = 1;
	r.config.member[0].b[0] = 1;
	r.member[0].id = r.config.member[0];
	strcpy(r.member[0].label, "a");
	return r;
}

static void fault(const char *text)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/fault", dir);
	if (!text) {
		unlink(path);
		return;
	}
	f = fopen(path, "w");
	fputs(text, f);
	fclose(f);
}

/* P3: the answer is lost, or the write comes later than the verdict on it. */
static void test_unknown_outcome(void)
{
	struct auth_note note = { .action = "test" };
	struct auth_record r = record(1), won, now;
	struct swb_uuid nonce;
	struct store *s, *plain;
	char path[64];
	int err, i, status;

	snprintf(path, sizeof(path), "%s/fault", dir);
	open_it(&plain);
	setenv("SWB_STORE_FAULT", path, 1);
	open_it(&s);
	ok(!authority_create(s, &r, &note), "%s: a record", name);
	fault("lost");
	ok(put(s, "u/a", "1", STORE_ANY) == -ETIMEDOUT && has(plain, "u/a", "1"),
	   "%s: the answer is lost, the write is not", name);
	won = r;
	uuid_random(&nonce);
	auth_win(&won, 0, NULL, 0, "me", &nonce);
	ok(!authority_swap(s, &r, &won, &note), "%s: the nonce tells that it was mine", name);
	fault("delayed 400");
	r = won;
	uuid_random(&nonce);
	auth_win(&won, 0, NULL, 0, "me", &nonce);
	err = authority_swap(s, &r, &won, &note);
	ok(err == -ETIMEDOUT && !authority_load(plain, &r.volume, &now) &&
	   now.epoch == r.epoch, "%s: not there yet: unknown, and not \"stale\"", name);
	for (i = 0; i < 30 && now.epoch == r.epoch; i++) {
		usleep(100000);
		authority_load(plain, &r.volume, &now);
	}
	fault(NULL);
	ok(now.epoch == won.epoch && !authority_swap(s, &r, &won, &note),
	   "%s: it comes later; asked again, it was mine, and is done once", name);
	fault("unreachable");
	ok(store_get(s, "u/a", &(struct store_doc){ 0 }) == -EIO,
	   "%s: out of reach", name);
	fault("unreachable 200");
	usleep(250000);
	ok(has(s, "u/a", "1"), "%s: for a time", name);
	fault("crash-after 2");
	if (!fork()) {
		struct store *mine;

		open_it(&mine);
		put(mine, "u/b", "1", STORE_ANY);
		put(mine, "u/b", "2", STORE_ANY);
		_exit(0);
	}
	wait(&status);
	fault(NULL);
	ok(WIFSIGNALED(status) && has(s, "u/b", "2"),
	   "%s: killed after the write, before anybody hears of it", name);
	unsetenv("SWB_STORE_FAULT");
	store_close(s);
	store_close(plain);
}

static void test_identity(void)
{
	struct store_identity a, b;
	struct store *s, *t;

	open_it(&s);
	open_it(&t);
	ok(!store_identity(s, &a) && !store_identity(t, &b) && a.generation &&
	   !memcmp(&a, &b, sizeof(a)), "%s: one identity", name);
	ok(!store_raise_generation(s, "a test") && !store_identity(t, &b) &&
	   b.generation == a.generation + 1 && !memcmp(a.uuid, b.uuid, 16),
	   "%s: raised by order, seen by all", name);
	ok(!put(t, "d/a", "9", STORE_ANY), "%s: who was there before goes on", name);
	store_close(s);
	store_close(t);
}

/* The store hangs: a call ends soon after its time, and all is well later. */
static void test_deadline(void)
{
	struct store *s;
	uint64_t t, took;
	sqlite3 *db = NULL;
	int err;

	lab_open(&s, address, true, 700);
	if (lab.count) {
		kill(lab.pid[0], SIGSTOP);
	} else {
		sqlite3_open(file, &db);
		sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL);
	}
	t = boottime_ns();
	err = put(s, "d/slow", "1", STORE_ANY);
	took = (boottime_ns() - t) / 1000000;
	ok((err == -ETIMEDOUT || err == -EIO) && took < 1800,
	   "%s: a store that hangs: %d after %u ms", name, err, (unsigned int)took);
	if (lab.count)
		kill(lab.pid[0], SIGCONT);
	sqlite3_close(db);
	usleep(200000);
	ok(!put(s, "d/slow", "2", STORE_ANY) && has(s, "d/slow", "2"),
	   "%s: and goes on when it is back", name);
	store_close(s);
}

static void suite(void)
{
	test_documents();
	test_sizes();
	test_races();
	test_wait();
	test_ttl();
	test_unknown_outcome();
	test_identity();
	test_deadline();
}

/* --- only SQLite: the file --- */

static void test_file(void)
{
	char why[256], copy[80], other[80];
	struct store *s, *t;
	struct store_doc d;
	struct stat st;
	sqlite3 *db;

	ok(!stat(file, &st) && (st.st_mode & 0777) == 0600, "the file is ours alone");
	chmod(file, 0666);
	ok(store_open(&s, file, false, 500, why, sizeof(why)) == -EACCES &&
	   strstr(why, "chmod 600"), "open to others: %s", why);
	chmod(file, 0600);
	snprintf(other, sizeof(other), "%s/old.db", dir);
	sqlite3_open(other, &db);
	sqlite3_exec(db, "PRAGMA application_id=1398227539; PRAGMA user_version=1;"
		     "CREATE TABLE volume (x)", NULL, NULL, NULL);
	sqlite3_close(db);
	chmod(other, 0600);
	ok(store_open(&s, other, true, 500, why, sizeof(why)) == -EINVAL &&
	   strstr(why, "move it away"), "an old schema: %s", why);
	unlink(other);

	snprintf(copy, sizeof(copy), "%s/copy.db", dir);
	open_it(&s);
	put(s, "x/a", "1", STORE_ANY);
	lab_run("cp %s %s", file, copy);
	put(s, "x/a", "2", STORE_ANY);
	lab_run("cat %s >%s", copy, file);
	ok(store_get(s, "x/a", &d) == -EXDEV && put(s, "x/a", "3", STORE_ANY) == -EXDEV,
	   "a backup put back in place: %s", store_error(s));
	ok(!open_it(&t) && !store_raise_generation(t, "restored") && has(s, "x/a", "1"),
	   "by order it counts again");
	lab_run("cp %s %s && mv %s %s", file, copy, copy, file);
	ok(store_get(s, "x/a", &d) == -EXDEV, "another file under the path: %s",
	   store_error(s));
	store_close(s);
	store_close(t);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!mkdtemp(dir))
		return EXIT_FAILURE;
	snprintf(file, sizeof(file), "%s/authority.db", dir);
	snprintf(address, sizeof(address), "sqlite:%s", file);
	name = "sqlite";
	suite();
	test_file();
	name = "etcd";
	if (lab_have("etcd") && lab_start(&lab, 1)) {
		lab_address(&lab, address, sizeof(address));
		suite();
	} else {
		skip(38, "etcd does not start here");
	}
	lab_end(&lab);
	lab_run("rm -rf %s", dir);
	return tap_done();
}
