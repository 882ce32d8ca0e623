// SPDX-License-Identifier: GPL-2.0-only
/*
 * The authority store in one SQLite file, for one host.
 *
 * Every change is one transaction: BEGIN IMMEDIATE takes the write lock before
 * anything is read, the expected epoch, phase and nonce are compared, the new
 * record, its line of history and, for a grant, its row in "grants" are written,
 * and COMMIT returns after the file is synced (synchronous=EXTRA). The primary key
 * of "grants" makes a second grant of an epoch impossible even if everything
 * above were wrong (P3).
 *
 * Must not: look inside a record, or decide.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "authority.h"

#define SCHEMA_VERSION	1
#define APPLICATION_ID	0x53574253	/* "SWBS" */
#define BUSY_MS		5000

struct authority {
	sqlite3 *db;
	char error[256];
};

static const char schema[] =
	"CREATE TABLE store (one INTEGER PRIMARY KEY CHECK (one = 1),"
	" uuid TEXT NOT NULL, generation INTEGER NOT NULL);"
	"CREATE TABLE volume (uuid TEXT PRIMARY KEY, label TEXT NOT NULL UNIQUE,"
	" epoch INTEGER NOT NULL, phase TEXT NOT NULL, nonce TEXT NOT NULL,"
	" body TEXT NOT NULL);"
	"CREATE TABLE grants (volume TEXT NOT NULL, epoch INTEGER NOT NULL,"
	" candidate TEXT NOT NULL, nonce TEXT NOT NULL,"
	" PRIMARY KEY (volume, epoch));"
	"CREATE TABLE history (id INTEGER PRIMARY KEY, at TEXT NOT NULL,"
	" volume TEXT, action TEXT NOT NULL, reason TEXT NOT NULL,"
	" epoch INTEGER NOT NULL, phase TEXT NOT NULL, owner TEXT NOT NULL,"
	" detail TEXT);";

static int fail(struct authority *a, const char *what)
{
	snprintf(a->error, sizeof(a->error), "%s: %s", what,
		 a->db ? sqlite3_errmsg(a->db) : "no memory");
	return -EIO;
}

static int run(struct authority *a, const char *sql)
{
	return sqlite3_exec(a->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 :
	       fail(a, "authority store");
}

/* Prepare, and bind the texts and numbers named by @types: 's' or 'i'. */
static sqlite3_stmt *query(struct authority *a, const char *sql,
			   const char *types, ...)
{
	sqlite3_stmt *st = NULL;
	const char *s;
	va_list ap;
	int i;

	if (sqlite3_prepare_v2(a->db, sql, -1, &st, NULL) != SQLITE_OK) {
		fail(a, "authority store");
		return NULL;
	}
	va_start(ap, types);
	for (i = 0; types[i]; i++) {
		if (types[i] == 'i') {
			sqlite3_bind_int64(st, i + 1, va_arg(ap, int64_t));
			continue;
		}
		s = va_arg(ap, const char *);
		if (s)
			sqlite3_bind_text(st, i + 1, s, -1, SQLITE_TRANSIENT);
	}
	va_end(ap);
	return st;
}

/* Consumes @st. Return: 0 and rows changed in sqlite3_changes(), or -EIO. */
static int step_done(struct authority *a, sqlite3_stmt *st)
{
	int rc;

	if (!st)
		return -EIO;
	rc = sqlite3_step(st);
	sqlite3_finalize(st);
	if (rc == SQLITE_CONSTRAINT)
		return -EEXIST;
	return rc == SQLITE_DONE ? 0 : fail(a, "authority store");
}

static int64_t pragma_number(struct authority *a, const char *sql)
{
	sqlite3_stmt *st = query(a, sql, "");
	int64_t v = -1;

	if (st && sqlite3_step(st) == SQLITE_ROW)
		v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return v;
}

static int make_schema(struct authority *a)
{
	char uuid[CTL_UUID_TEXT], sql[96];
	struct swb_uuid u;
	int err;

	snprintf(sql, sizeof(sql), "PRAGMA application_id=%d; PRAGMA user_version=%d",
		 APPLICATION_ID, SCHEMA_VERSION);
	uuid_random(&u);
	uuid_text(&u, uuid);
	err = run(a, schema);
	if (!err)
		err = run(a, sql);
	if (!err)
		err = step_done(a, query(a, "INSERT INTO store VALUES (1, ?, 1)",
					 "s", uuid));
	return err;
}

/* Two programs may start at once on an empty file: the lock decides who makes it. */
static int check_schema(struct authority *a, bool create)
{
	int64_t id, version;
	int err;

	err = run(a, create ? "BEGIN IMMEDIATE" : "BEGIN");
	if (err)
		return err;
	id = pragma_number(a, "PRAGMA application_id");
	version = pragma_number(a, "PRAGMA user_version");
	if (create && !id && !version &&
	    !pragma_number(a, "SELECT count(*) FROM sqlite_master")) {
		err = make_schema(a);
	} else if (id != APPLICATION_ID || version != SCHEMA_VERSION) {
		snprintf(a->error, sizeof(a->error), "%s",
			 id != APPLICATION_ID ? "not an swblock authority store" :
			 "the store was made by another version of swblock");
		err = -EINVAL;
	}
	if (err) {
		sqlite3_exec(a->db, "ROLLBACK", NULL, NULL, NULL);
		return err;
	}
	return run(a, "COMMIT");
}

static void make_parent(const char *path)
{
	char dir[SWBLOCK_PATH_MAX];
	char *slash;

	if (strlen(path) >= sizeof(dir))
		return;
	strcpy(dir, path);
	slash = strrchr(dir, '/');
	if (slash && slash != dir) {
		*slash = 0;
		mkdir(dir, 0755);
	}
}

int authority_open(struct authority **out, const char *path, bool create)
{
	struct authority *a = calloc(1, sizeof(*a));
	int flags = SQLITE_OPEN_READWRITE, err = -EIO;

	*out = a;
	if (!a)
		return -ENOMEM;
	if (!create && access(path, F_OK)) {
		snprintf(a->error, sizeof(a->error), "%s: %s", path,
			 strerror(errno));
		return -ENOENT;
	}
	if (create) {
		flags |= SQLITE_OPEN_CREATE;
		make_parent(path);
	}
	if (sqlite3_open_v2(path, &a->db, flags, NULL) != SQLITE_OK)
		return fail(a, path);
	sqlite3_busy_timeout(a->db, BUSY_MS);
	/* With a rollback journal FULL is not enough: its removal is the commit,
	 * and only EXTRA syncs the directory. A grant that a power cut takes back
	 * would be granted twice (P3).
	 */
	err = run(a, "PRAGMA synchronous=EXTRA; PRAGMA foreign_keys=ON");
	return err ? err : check_schema(a, create);
}

void authority_close(struct authority *a)
{
	if (!a)
		return;
	sqlite3_close(a->db);
	free(a);
}

const char *authority_error(const struct authority *a)
{
	return a ? a->error : "no memory";
}

int authority_identity(struct authority *a, struct auth_store *out)
{
	sqlite3_stmt *st = query(a, "SELECT uuid, generation FROM store", "");
	int err = -EIO;

	if (!st)
		return err;
	if (sqlite3_step(st) == SQLITE_ROW &&
	    uuid_parse((const char *)sqlite3_column_text(st, 0), &out->uuid)) {
		out->generation = (uint64_t)sqlite3_column_int64(st, 1);
		err = 0;
	} else {
		fail(a, "authority store");
	}
	sqlite3_finalize(st);
	return err;
}

static int add_history(struct authority *a, const struct auth_record *r,
		       const struct auth_note *note)
{
	char uuid[CTL_UUID_TEXT] = "";
	char *detail = note->detail ? json_dumps(note->detail, JSON_COMPACT) : NULL;
	static const char sql[] =
		"INSERT INTO history (at, volume, action, reason, epoch, phase,"
		" owner, detail) VALUES (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),"
		" ?, ?, ?, ?, ?, ?, ?)";
	int err;

	if (r)
		uuid_text(&r->volume, uuid);
	err = step_done(a, query(a, sql, "sssisss", r ? uuid : NULL, note->action,
				 note->reason ? note->reason : "",
				 (int64_t)(r ? r->epoch : 0),
				 r ? auth_phase_text(r->phase) : "",
				 r ? r->owner : "", detail));
	free(detail);
	return err;
}

int authority_raise_generation(struct authority *a, const char *reason)
{
	struct auth_note note = { .action = "new_generation", .reason = reason };
	int err;

	err = run(a, "BEGIN IMMEDIATE");
	if (err)
		return err;
	err = run(a, "UPDATE store SET generation = generation + 1");
	if (!err)
		err = add_history(a, NULL, &note);
	if (!err)
		return run(a, "COMMIT");
	sqlite3_exec(a->db, "ROLLBACK", NULL, NULL, NULL);
	return err;
}

static int parse_row(struct authority *a, sqlite3_stmt *st, struct auth_record *out)
{
	const char *body = (const char *)sqlite3_column_text(st, 0);
	json_t *j = body ? json_loads(body, 0, NULL) : NULL;
	bool good = j && auth_from_json(j, out);

	json_decref(j);
	if (good)
		return 0;
	snprintf(a->error, sizeof(a->error), "a record of the store is damaged");
	return -EIO;
}

/* Consumes @st. */
static int load_one(struct authority *a, sqlite3_stmt *st, struct auth_record *out)
{
	int rc, err;

	if (!st)
		return -EIO;
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		err = parse_row(a, st, out);
	else if (rc == SQLITE_DONE)
		err = -ENOENT;
	else
		err = fail(a, "authority store");
	sqlite3_finalize(st);
	return err;
}

int authority_load(struct authority *a, const struct swb_uuid *volume,
		   struct auth_record *out)
{
	char uuid[CTL_UUID_TEXT];

	uuid_text(volume, uuid);
	return load_one(a, query(a, "SELECT body FROM volume WHERE uuid = ?", "s",
				 uuid), out);
}

int authority_find(struct authority *a, const char *name, struct auth_record *out)
{
	struct swb_uuid u;

	if (uuid_parse(name, &u))
		return authority_load(a, &u, out);
	return load_one(a, query(a, "SELECT body FROM volume WHERE label = ?", "s",
				 name), out);
}

int authority_list(struct authority *a,
		   int (*fn)(const struct auth_record *r, void *arg), void *arg)
{
	sqlite3_stmt *st = query(a, "SELECT body FROM volume ORDER BY label", "");
	struct auth_record r;
	int rc, err = 0;

	if (!st)
		return -EIO;
	while (!err && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		err = parse_row(a, st, &r);
		if (!err)
			err = fn(&r, arg);
	}
	sqlite3_finalize(st);
	return err;
}

static int add_grant(struct authority *a, const struct auth_record *next)
{
	char volume[CTL_UUID_TEXT], candidate[CTL_UUID_TEXT], nonce[CTL_UUID_TEXT];

	uuid_text(&next->volume, volume);
	uuid_text(&next->candidate, candidate);
	uuid_text(&next->nonce, nonce);
	return step_done(a, query(a, "INSERT INTO grants VALUES (?, ?, ?, ?)", "siss",
				  volume, (int64_t)next->epoch, candidate, nonce));
}

int authority_create(struct authority *a, const struct auth_record *r,
		     const struct auth_note *note)
{
	char uuid[CTL_UUID_TEXT], nonce[CTL_UUID_TEXT];
	json_t *j = auth_to_json(r);
	char *body = json_dumps(j, JSON_COMPACT);
	int err;

	json_decref(j);
	uuid_text(&r->volume, uuid);
	uuid_text(&r->nonce, nonce);
	err = body ? run(a, "BEGIN IMMEDIATE") : -ENOMEM;
	if (err) {
		free(body);
		return err;
	}
	err = step_done(a, query(a, "INSERT INTO volume VALUES (?, ?, ?, ?, ?, ?)",
				 "ssisss", uuid, r->label, (int64_t)r->epoch,
				 auth_phase_text(r->phase), nonce, body));
	free(body);
	if (!err)
		err = add_history(a, r, note);
	if (!err)
		err = run(a, "COMMIT");
	if (err)
		sqlite3_exec(a->db, "ROLLBACK", NULL, NULL, NULL);
	return err;
}

static int swap_in_transaction(struct authority *a, const struct auth_record *old,
			       const struct auth_record *next, const char *body,
			       const struct auth_note *note)
{
	static const char sql[] =
		"UPDATE volume SET label = ?, epoch = ?, phase = ?, nonce = ?,"
		" body = ? WHERE uuid = ? AND epoch = ? AND phase = ? AND nonce = ?";
	char uuid[CTL_UUID_TEXT], was[CTL_UUID_TEXT], nonce[CTL_UUID_TEXT];
	int err;

	uuid_text(&old->volume, uuid);
	uuid_text(&old->nonce, was);
	uuid_text(&next->nonce, nonce);
	err = step_done(a, query(a, sql, "sissssiss", next->label,
				 (int64_t)next->epoch,
				 auth_phase_text(next->phase), nonce, body, uuid,
				 (int64_t)old->epoch, auth_phase_text(old->phase),
				 was));
	if (err)
		return err;
	if (sqlite3_changes(a->db) != 1)
		return -ESTALE;
	if (next->phase == AUTH_GRANTED && old->phase == AUTH_WON) {
		err = add_grant(a, next);
		if (err)
			return err == -EEXIST ? -ESTALE : err;
	}
	return add_history(a, next, note);
}

/* P3: after an unknown outcome it was mine only if what stands there is mine */
static int outcome(struct authority *a, const struct auth_record *next, int err)
{
	struct auth_record now;

	if (authority_load(a, &next->volume, &now))
		return err;
	if (now.epoch == next->epoch && now.phase == next->phase &&
	    swb_uuid_equal(&now.nonce, &next->nonce))
		return 0;
	snprintf(a->error, sizeof(a->error),
		 "the record is at epoch %" PRIu64 " (%s, %s)", now.epoch,
		 auth_phase_text(now.phase), now.owner);
	return -ESTALE;
}

int authority_swap(struct authority *a, const struct auth_record *old,
		   const struct auth_record *next, const struct auth_note *note)
{
	json_t *j = auth_to_json(next);
	char *body = json_dumps(j, JSON_COMPACT);
	int err;

	json_decref(j);
	err = body ? run(a, "BEGIN IMMEDIATE") : -ENOMEM;
	if (!err) {
		err = swap_in_transaction(a, old, next, body, note);
		if (!err) {
			err = run(a, "COMMIT");
			if (err && sqlite3_get_autocommit(a->db))
				err = outcome(a, next, err);
			else if (err)
				sqlite3_exec(a->db, "ROLLBACK", NULL, NULL, NULL);
		} else {
			sqlite3_exec(a->db, "ROLLBACK", NULL, NULL, NULL);
		}
	}
	free(body);
	if (err == -ESTALE)
		err = outcome(a, next, err);
	return err;
}

json_t *authority_history(struct authority *a, const struct swb_uuid *volume,
			  unsigned int max)
{
	static const char *const keys[] = { "at", "action", "reason", "phase",
					    "owner" };
	json_t *list = json_array(), *one, *detail;
	char uuid[CTL_UUID_TEXT];
	sqlite3_stmt *st;
	const char *text;
	size_t i;

	uuid_text(volume, uuid);
	st = query(a, "SELECT at, action, reason, phase, owner, epoch, detail"
		   " FROM history WHERE volume = ? ORDER BY id DESC LIMIT ?",
		   "si", uuid, (int64_t)max);
	while (st && sqlite3_step(st) == SQLITE_ROW) {
		one = json_object();
		for (i = 0; i < ARRAY_SIZE(keys); i++) {
			text = (const char *)sqlite3_column_text(st, (int)i);
			json_object_set_new(one, keys[i], json_string(text ? text : ""));
		}
		json_object_set_new(one, "epoch",
				    json_integer(sqlite3_column_int64(st, 5)));
		text = (const char *)sqlite3_column_text(st, 6);
		detail = text ? json_loads(text, 0, NULL) : NULL;
		json_object_set_new(one, "detail", detail ? detail : json_null());
		json_array_append_new(list, one);
	}
	sqlite3_finalize(st);
	return list;
}
