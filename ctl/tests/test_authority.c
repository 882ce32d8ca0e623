// SPDX-License-Identifier: GPL-2.0-only
/*
 * The authority record: its moves, and the compare-and-swap under concurrent
 * processes, crashes between the two swaps, and a file that was tampered with.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "authority.h"
#include "tap.h"

const struct verb *const ctl_verbs[] = { NULL };

static char dir[32] = "/tmp/swb-authority-XXXXXX";
static char path[64];
static const struct auth_note note = { .action = "test" };

static int open_store(struct store **out, const char *address, bool create)
{
	char why[256];

	return store_open(out, address, create, 5000, why, sizeof(why));
}

static struct swb_config config_of(uint8_t mode, unsigned int members,
				   uint32_t required)
{
	struct swb_config c = { .mode = mode, .policy = SWBLOCK_POLICY_LOCAL,
				.member_count = (u8)members,
				.required = required };
	unsigned int i;

	for (i = 0; i < members; i++)
		c.member[i].b[0] = (u8)(i + 1);
	return c;
}

static struct auth_record record(void)
{
	struct auth_record r = { .phase = AUTH_NEW, .member_count = 2 };

	r.volume.b[15] = 7;
	text_copy(r.label, "db", sizeof(r.label));
	uuid_random(&r.nonce);
	r.config = config_of(SWBLOCK_MODE_SYNC_ALL, 2, 3);
	r.member[0].id = r.config.member[0];
	r.member[1].id = r.config.member[1];
	strcpy(r.member[0].label, "a");
	strcpy(r.member[1].label, "b");
	return r;
}

static const char *win(struct auth_record *r, const struct swb_config *c)
{
	struct swb_uuid nonce;

	uuid_random(&nonce);
	return auth_win(r, 0, c, 0, "test", &nonce);
}

static bool round_of(struct auth_record *r, const struct swb_config *c)
{
	return !win(r, c) && !auth_grant(r, &r->proposed.member[0], false);
}

static void test_moves(void)
{
	struct auth_record r = record();
	struct swb_config c2 = config_of(SWBLOCK_MODE_BEST_EFFORT, 2, 3);
	struct swb_uuid stranger = { { 99 } }, nonce;

	ok(auth_grant(&r, &r.member[0].id, false), "nothing is granted that was not won");
	ok(!win(&r, NULL) && r.epoch == 1 && r.phase == AUTH_WON, "an epoch is won");
	ok(r.granted_count == 0, "and leaves no configuration (P1)");
	ok(auth_settle(&r), "a won epoch is not settled");
	ok(auth_grant(&r, &stranger, false), "no grant to a stranger");
	ok(!auth_grant(&r, &r.member[1].id, false) && r.last_epoch == 1 &&
	   swb_uuid_equal(&r.last_granted, &r.member[1].id), "it is granted");
	ok(auth_grant(&r, &r.member[0].id, false), "not to a second candidate (P3)");
	uuid_random(&nonce);
	ok(auth_take_over(&r, "x", &nonce), "a granted epoch changes no hands");
	ok(!win(&r, &c2) && r.epoch == 2 && r.config.mode == SWBLOCK_MODE_SYNC_ALL,
	   "a proposal does not replace what is granted");
	ok(!win(&r, NULL) && r.epoch == 3 &&
	   r.proposed.mode == SWBLOCK_MODE_SYNC_ALL && r.granted_count == 1,
	   "an epoch that was only won leaves nothing behind");
	ok(!auth_win(&r, 41, NULL, 0, "x", &nonce) && r.epoch == 42,
	   "the next epoch is above every adopted one (P17c)");
}

static void test_joint_configs(void)
{
	struct auth_record r = record();
	struct swb_config c;
	unsigned int i;
	bool good = round_of(&r, NULL) && !auth_settle(&r);

	ok(good && r.granted_count == 1, "one settled configuration");
	for (i = 2; i <= 5; i++) {
		c = config_of(SWBLOCK_MODE_BEST_EFFORT, i, 1);
		ok(round_of(&r, &c) && r.granted_count == i,
		   "granted, unsettled: %u judge", i);
	}
	c = config_of(SWBLOCK_MODE_BEST_EFFORT, 6, 1);
	ok(win(&r, &c), "a fifth unsettled one is refused (P1)");
	c = config_of(SWBLOCK_MODE_BEST_EFFORT, 3, 1);
	c.policy = SWBLOCK_POLICY_WRITTEN;
	ok(round_of(&r, &c) && r.granted_count == 5, "one that judges already is not");
	ok(!auth_settle(&r) && r.granted_count == 1 &&
	   r.granted[0].config.member_count == 3 &&
	   r.granted[0].config.policy == SWBLOCK_POLICY_WRITTEN,
	   "settled: only the newest is left");
}

static void test_json(void)
{
	struct auth_record r = record(), back;
	json_t *j;

	round_of(&r, NULL);
	win(&r, NULL);
	r.overridden = 1;
	r.primary_only = true;
	j = auth_to_json(&r);
	ok(auth_from_json(j, &back) && !memcmp(&r, &back, sizeof(r)),
	   "a record goes out and in unchanged");
	json_object_set_new(j, "epoch", json_integer(-1));
	ok(!auth_from_json(j, &back), "a negative epoch is refused");
	json_object_set_new(j, "epoch", json_integer(2));
	json_object_set_new(j, "phase", json_string("lost"));
	ok(!auth_from_json(j, &back), "an unknown phase is refused");
	json_decref(j);
}

static void test_store(void)
{
	struct auth_record r = record(), next, now;
	struct store *a, *b;
	struct auth_store id;

	ok(open_store(&a, path, false) == -ENOENT, "no store, no surprise");
	store_close(a);
	ok(!open_store(&a, path, true), "a store is made");
	ok(!authority_identity(a, &id) && id.generation == 1, "it has an identity");
	ok(authority_load(a, &r.volume, &now) == -ENOENT, "and no volume");
	ok(!authority_create(a, &r, &note), "a record is made");
	ok(authority_create(a, &r, &note) == -EEXIST, "once");
	ok(!authority_load(a, &r.volume, &now) && !memcmp(&r, &now, sizeof(r)),
	   "and read");
	ok(!authority_find(a, "db", &now), "by label, too");
	next = r;
	win(&next, NULL);
	ok(!authority_swap(a, &r, &next, &note), "won");
	ok(!authority_swap(a, &r, &next, &note),
	   "the same swap again was mine, by its nonce (P3)");
	now = r;
	win(&now, NULL);
	ok(!open_store(&b, path, false), "a second controller");
	ok(authority_swap(b, &r, &now, &note) == -ESTALE, "comes too late");
	ok(!store_raise_generation(a, "restored") &&
	   !authority_identity(b, &id) && id.generation == 2,
	   "a new generation by order (P17c)");
	store_close(a);
	store_close(b);
}

/* A controller dies between the swaps; another goes on; the dead one returns. */
static void test_crash_between_swaps(void)
{
	struct auth_record r, dead, other;
	struct swb_uuid nonce;
	struct store *a;
	pid_t pid;

	open_store(&a, path, true);
	authority_find(a, "db", &r);
	pid = fork();
	if (!pid) {
		struct store *mine;

		open_store(&mine, path, false);
		dead = r;
		win(&dead, NULL);
		_exit(authority_swap(mine, &r, &dead, &note) ? 1 : 0);
	}
	waitpid(pid, NULL, 0);
	ok(!authority_find(a, "db", &dead) && dead.phase == AUTH_WON &&
	   dead.granted_count == r.granted_count, "won, and its owner is dead");
	other = dead;
	uuid_random(&nonce);
	ok(!auth_take_over(&other, "other", &nonce) &&
	   !authority_swap(a, &dead, &other, &note), "another takes it over");
	r = dead;
	auth_grant(&r, &r.proposed.member[0], false);
	ok(authority_swap(a, &dead, &r, &note) == -ESTALE,
	   "the dead one's grant comes too late");
	dead = other;
	auth_grant(&dead, &dead.proposed.member[1], false);
	ok(!authority_swap(a, &other, &dead, &note), "the other grants");
	store_close(a);
}

/* Behind the back of the authority_*() functions. */
static void set_record(const struct auth_record *r)
{
	json_t *j = auth_to_json(r);
	char *body = json_dumps(j, JSON_COMPACT);
	sqlite3_stmt *st;
	sqlite3 *db;

	sqlite3_open(path, &db);
	sqlite3_prepare_v2(db, "UPDATE doc SET value = ? WHERE key LIKE '%/record'",
			   -1, &st, NULL);
	sqlite3_bind_text(st, 1, body, -1, SQLITE_TRANSIENT);
	sqlite3_step(st);
	sqlite3_finalize(st);
	sqlite3_close(db);
	free(body);
	json_decref(j);
}

/* Even a record that was turned back does not grant an epoch twice. */
static void test_second_grant(void)
{
	struct auth_record won, granted, again;
	struct store *a;

	open_store(&a, path, true);
	authority_find(a, "db", &granted);
	won = granted;
	win(&won, NULL);
	authority_swap(a, &granted, &won, &note);
	granted = won;
	auth_grant(&granted, &granted.proposed.member[0], false);
	ok(!authority_swap(a, &won, &granted, &note), "granted to one");
	/* with a serial number of its own, so that history is no obstacle */
	won.serial = 99;
	set_record(&won);
	again = won;
	auth_grant(&again, &again.proposed.member[1], false);
	uuid_random(&again.nonce);
	ok(authority_swap(a, &won, &again, &note) == -ESTALE,
	   "a record turned back by hand: still not to another (P3)");
	set_record(&granted);
	store_close(a);
}

static int hammer(int rounds, bool for_ever)
{
	struct auth_record r, next;
	struct store *a;
	int won = 0;

	if (open_store(&a, path, false))
		return 0;
	while (for_ever || rounds--) {
		if (authority_find(a, "db", &r))
			continue;
		next = r;
		if (win(&next, NULL))
			break;
		if (!authority_swap(a, &r, &next, &note))
			won++;
	}
	store_close(a);
	return won;
}

static void test_concurrent(void)
{
	struct auth_record before, after;
	struct store *a;
	int i, status, won = 0;

	open_store(&a, path, true);
	authority_find(a, "db", &before);
	for (i = 0; i < 4; i++)
		if (!fork())
			_exit(hammer(20, false));
	for (i = 0; i < 4; i++) {
		wait(&status);
		won += WEXITSTATUS(status);
	}
	authority_find(a, "db", &after);
	ok(won > 0 && after.epoch == before.epoch + (uint64_t)won,
	   "four controllers: every epoch was won by exactly one");
	store_close(a);
}

static void test_killed(void)
{
	struct auth_record r;
	struct store *a;
	unsigned int i;
	uint64_t last = 0;
	bool rises = true;
	pid_t pid;

	for (i = 0; i < 15; i++) {
		pid = fork();
		if (!pid)
			_exit(hammer(0, true));
		usleep(3000 + random_u64() % 20000);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		if (open_store(&a, path, false) || authority_find(a, "db", &r) ||
		    r.epoch < last)
			rises = false;
		last = r.epoch;
		store_close(a);
	}
	ok(rises, "killed at any moment: the record is whole, its epoch never falls");
}

static void test_damaged(void)
{
	struct store *a;
	struct auth_record r;
	char other[80];
	sqlite3 *db;
	FILE *f;

	snprintf(other, sizeof(other), "%s/other.db", dir);
	f = fopen(other, "w");
	fputs("this is no database, and never was one, not even a small one\n", f);
	fclose(f);
	ok(open_store(&a, other, true) < 0, "a text file is no store");
	store_close(a);
	unlink(other);
	sqlite3_open(other, &db);
	sqlite3_exec(db, "CREATE TABLE t (x)", NULL, NULL, NULL);
	sqlite3_close(db);
	ok(open_store(&a, other, true) == -EINVAL, "a foreign database is no store");
	store_close(a);
	unlink(other);
	sqlite3_open(path, &db);
	sqlite3_exec(db, "UPDATE doc SET value = '{\"volume\": 3}' WHERE"
		     " key LIKE '%/record'", NULL, NULL, NULL);
	sqlite3_close(db);
	open_store(&a, path, false);
	ok(authority_find(a, "db", &r) == -EBADMSG, "a damaged record is an error");
	store_close(a);
}

int main(void)
{
	if (!mkdtemp(dir))
		return EXIT_FAILURE;
	snprintf(path, sizeof(path), "%s/authority.db", dir);
	test_moves();
	test_joint_configs();
	test_json();
	test_store();
	test_crash_between_swaps();
	test_second_grant();
	test_concurrent();
	test_killed();
	test_damaged();
	unlink(path);
	rmdir(dir);
	return tap_done();
}
