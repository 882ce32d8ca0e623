// SPDX-License-Identifier: GPL-2.0-only
/*
 * The store in one SQLite file, for one host.
 *
 * A change is one transaction: BEGIN IMMEDIATE takes the write lock before
 * anything is read, the conditions are checked, all is written under the next
 * change number, and COMMIT returns after the file is synced. There is a rollback
 * journal and no WAL, so that the store stays one file that can be copied; with
 * it FULL is not enough: the removal of the journal is the commit, and only EXTRA
 * syncs the directory. A grant that a power cut takes back would be granted twice
 * (P3).
 *
 * The change number is the revision of what was written with it, and what
 * store_wait() goes by. It never falls; if it does, or if another file lies under
 * the path, the store was restored behind our back (P17c).
 *
 * Documents with a time to live carry the boot they were written in and a time of
 * CLOCK_BOOTTIME: all clients are on one host, and wall time jumps.
 *
 * Must not: look inside a value. Must not open and close the file by itself: that
 * would drop the locks of the other handles of this process.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "ctl.h"
#include "store_priv.h"

#define SCHEMA_VERSION	2
#define APPLICATION_ID	0x53574253	/* "SWBS" */
#define POLL_MS		50
/* after a restore, numbers that were given out before are not given out again */
#define RAISE_STEP	((int64_t)1 << 32)

struct sqlite_store {
	struct store base;
	sqlite3 *db;
	char path[SWBLOCK_PATH_MAX];
	char boot[CTL_UUID_TEXT];
	dev_t dev;
	ino_t ino;
	uint64_t seen;		/* highest change number, P17c */
};

static const char schema[] =
	"CREATE TABLE store (one INTEGER PRIMARY KEY CHECK (one = 1),"
	" uuid TEXT NOT NULL, generation INTEGER NOT NULL,"
	" change INTEGER NOT NULL, gone INTEGER NOT NULL);"
	"CREATE TABLE doc (key TEXT PRIMARY KEY, value TEXT NOT NULL,"
	" revision INTEGER NOT NULL, boot TEXT, expires INTEGER) WITHOUT ROWID;"
	"CREATE INDEX doc_revision ON doc (revision);"
	"CREATE INDEX doc_expires ON doc (expires) WHERE boot IS NOT NULL;";

#define ALIVE	"(boot IS NULL OR (boot = ?1 AND expires > ?2))"

static struct sqlite_store *of(struct store *s)
{
	return (struct sqlite_store *)s;
}

static int64_t now_ms(void)
{
	return (int64_t)(boottime_ns() / 1000000);
}

static int fail(struct sqlite_store *h)
{
	int rc = sqlite3_errcode(h->db) & 0xff;

	if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
		return store_fail(&h->base, -ETIMEDOUT,
				  "%s: another program holds it for more than %u ms",
				  h->path, h->base.timeout_ms);
	store_fail(&h->base, 0, "%s: %s", h->path, sqlite3_errmsg(h->db));
	return rc == SQLITE_READONLY || rc == SQLITE_CANTOPEN ? -EACCES :
	       rc == SQLITE_NOTADB ? -EINVAL : -EIO;
}

static int run(struct sqlite_store *h, const char *sql)
{
	return sqlite3_exec(h->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : fail(h);
}

/* Prepare, and bind the texts and numbers named by @types: 's' or 'i'. */
static sqlite3_stmt *query(struct sqlite_store *h, const char *sql,
			   const char *types, ...)
{
	sqlite3_stmt *st = NULL;
	const char *s;
	va_list ap;
	int i;

	if (sqlite3_prepare_v2(h->db, sql, -1, &st, NULL) != SQLITE_OK)
		return NULL;
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

/* Consumes @st. */
static int step_done(struct sqlite_store *h, sqlite3_stmt *st)
{
	int rc = st ? sqlite3_step(st) : SQLITE_ERROR;
	int err = rc == SQLITE_DONE ? 0 : fail(h);

	sqlite3_finalize(st);
	return err;
}

/* Consumes @st; the first column of its only row. Return: 0, -ENOENT, ... */
static int step_number(struct sqlite_store *h, sqlite3_stmt *st, int64_t *out)
{
	int rc = st ? sqlite3_step(st) : SQLITE_ERROR;
	int err = 0;

	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(st, 0);
	else
		err = rc == SQLITE_DONE ? -ENOENT : fail(h);
	sqlite3_finalize(st);
	return err;
}

static int number(struct sqlite_store *h, const char *sql, int64_t *out)
{
	return step_number(h, query(h, sql, ""), out);
}

/* P17c: somebody put another file under the path while we were at work */
static int still_there(struct sqlite_store *h)
{
	struct stat st;

	if (stat(h->path, &st))
		return store_fail(&h->base, -EXDEV, "%s is gone: %s", h->path,
				  strerror(errno));
	if (st.st_dev != h->dev || st.st_ino != h->ino)
		return store_fail(&h->base, -EXDEV,
				  "%s was replaced by another file", h->path);
	return 0;
}

static int note_change(struct sqlite_store *h, int64_t change)
{
	if ((uint64_t)change < h->seen)
		return store_fail(&h->base, -EXDEV,
				  "%s went back from change %" PRIu64 " to %" PRId64
				  ": restored from a backup?", h->path, h->seen,
				  change);
	h->seen = (uint64_t)change;
	return 0;
}

static void rollback(struct sqlite_store *h)
{
	if (!sqlite3_get_autocommit(h->db))
		sqlite3_exec(h->db, "ROLLBACK", NULL, NULL, NULL);
}

/* --- open --- */

static int make_schema(struct sqlite_store *h)
{
	char uuid[CTL_UUID_TEXT], sql[96];
	struct swb_uuid u;
	int err;

	snprintf(sql, sizeof(sql), "PRAGMA application_id=%d; PRAGMA user_version=%d",
		 APPLICATION_ID, SCHEMA_VERSION);
	uuid_random(&u);
	uuid_text(&u, uuid);
	err = run(h, schema);
	if (!err)
		err = run(h, sql);
	if (!err)
		err = step_done(h, query(h, "INSERT INTO store VALUES (1, ?, 1, 1, 0)",
					 "s", uuid));
	return err;
}

static int wrong_schema(struct sqlite_store *h, int64_t id, int64_t version)
{
	if (id != APPLICATION_ID)
		return store_fail(&h->base, -EINVAL,
				  "%s is not an swblock authority store", h->path);
	if (version > SCHEMA_VERSION)
		return store_fail(&h->base, -EINVAL,
				  "%s was made by a newer swblock (schema %" PRId64
				  "): use that one", h->path, version);
	return store_fail(&h->base, -EINVAL,
			  "%s has schema %" PRId64 ", from before documents: there is no conversion; move it away, format the members and assign the volumes anew",
			  h->path, version);
}

/* Two programs may start at once on an empty file: the lock decides who makes it. */
static int check_schema(struct sqlite_store *h, bool create)
{
	int64_t id = 0, version = 0, tables = 0;
	int err;

	err = run(h, create ? "BEGIN IMMEDIATE" : "BEGIN");
	if (!err)
		err = number(h, "PRAGMA application_id", &id);
	if (!err)
		err = number(h, "PRAGMA user_version", &version);
	if (!err)
		err = number(h, "SELECT count(*) FROM sqlite_master", &tables);
	if (!err && create && !id && !version && !tables)
		err = make_schema(h);
	else if (!err && (id != APPLICATION_ID || version != SCHEMA_VERSION))
		err = wrong_schema(h, id, version);
	if (!err)
		err = run(h, "COMMIT");
	if (err)
		rollback(h);
	return err;
}

static void read_boot(struct sqlite_store *h)
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (!f || !fgets(h->boot, sizeof(h->boot), f))
		strcpy(h->boot, "?");
	if (f)
		fclose(f);
}

/* A fresh file only, see above: nobody has locks on it yet. */
static int make_file(struct sqlite_store *h)
{
	char dir[SWBLOCK_PATH_MAX], *slash;
	int fd;

	strcpy(dir, h->path);
	slash = strrchr(dir, '/');
	if (slash && slash != dir) {
		*slash = 0;
		mkdir(dir, 0755);
	}
	fd = open(h->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EEXIST ? 0 : store_fail(&h->base, errno == EACCES ?
				-EACCES : -EIO, "%s: %s", h->path, strerror(errno));
	close(fd);
	return 0;
}

static int open_file(struct sqlite_store *h, bool create)
{
	struct stat st;
	int err;

	err = create ? make_file(h) : 0;
	if (err)
		return err;
	if (stat(h->path, &st))
		return store_fail(&h->base, errno == ENOENT ? -ENOENT : -EACCES,
				  "%s: %s", h->path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return store_fail(&h->base, -EINVAL, "%s is not a file", h->path);
	if (st.st_mode & 0022)
		return store_fail(&h->base, -EACCES,
				  "%s may be written by others: chmod 600", h->path);
	h->dev = st.st_dev;
	h->ino = st.st_ino;
	if (sqlite3_open_v2(h->path, &h->db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		return fail(h);
	sqlite3_extended_result_codes(h->db, 0);
	sqlite3_busy_timeout(h->db, (int)h->base.timeout_ms);
	err = run(h, "PRAGMA synchronous=EXTRA");
	return err ? err : check_schema(h, create);
}

static void sqlite_close(struct store *s)
{
	sqlite3_close(of(s)->db);
	free(s);
}

/* --- reading --- */

static int sqlite_get(struct store *s, const char *key, struct store_doc *out)
{
	struct sqlite_store *h = of(s);
	sqlite3_stmt *st;
	size_t count = 0;
	struct store_doc *doc = NULL;
	int rc, err = still_there(h);

	if (err)
		return err;
	/* the outer join gives the change number even if the key is not there */
	st = query(h, "SELECT store.change, value, revision FROM store LEFT JOIN"
		   " (SELECT * FROM doc WHERE key = ?3 AND " ALIVE ")", "sis",
		   h->boot, now_ms(), key);
	rc = st ? sqlite3_step(st) : SQLITE_ERROR;
	if (rc != SQLITE_ROW)
		err = rc == SQLITE_DONE ? store_fail(s, -EIO, "%s is damaged", h->path)
					: fail(h);
	else
		err = note_change(h, sqlite3_column_int64(st, 0));
	if (!err && sqlite3_column_type(st, 1) == SQLITE_NULL)
		err = store_fail(s, -ENOENT, "%s: not there", key);
	if (!err)
		err = store_docs_add(&doc, &count, key,
				     (const char *)sqlite3_column_text(st, 1),
				     STORE_VALUE_MAX,
				     (uint64_t)sqlite3_column_int64(st, 2));
	sqlite3_finalize(st);
	if (!err)
		*out = *doc;
	free(doc);
	return err;
}

/* What comes after all keys with this prefix: keys are printable. */
static void prefix_end(const char *prefix, char out[STORE_KEY_MAX + 1])
{
	snprintf(out, STORE_KEY_MAX + 1, "%s\x7f", prefix);
}

static int sqlite_list(struct store *s, const char *prefix,
		       struct store_doc **out, size_t *count)
{
	struct sqlite_store *h = of(s);
	char end[STORE_KEY_MAX + 1];
	sqlite3_stmt *st;
	int rc, err = still_there(h);

	if (err)
		return err;
	prefix_end(prefix, end);
	st = query(h, "SELECT store.change, key, value, revision FROM store LEFT JOIN"
		   " (SELECT * FROM doc WHERE key >= ?3 AND key < ?4 AND " ALIVE ")"
		   " ORDER BY key", "siss", h->boot, now_ms(), prefix, end);
	while (!err && (rc = st ? sqlite3_step(st) : SQLITE_ERROR) != SQLITE_DONE) {
		err = rc == SQLITE_ROW ? note_change(h, sqlite3_column_int64(st, 0)) :
		      fail(h);
		if (err || sqlite3_column_type(st, 1) == SQLITE_NULL)
			break;
		err = store_docs_add(out, count,
				     (const char *)sqlite3_column_text(st, 1),
				     (const char *)sqlite3_column_text(st, 2),
				     STORE_VALUE_MAX,
				     (uint64_t)sqlite3_column_int64(st, 3));
	}
	sqlite3_finalize(st);
	if (err) {
		store_docs_free(*out, *count);
		*out = NULL;
		*count = 0;
	}
	return err;
}

/* --- writing --- */

static int begin(struct sqlite_store *h, int64_t *change)
{
	int err = still_there(h);

	if (!err)
		err = run(h, "BEGIN IMMEDIATE");
	if (!err)
		err = number(h, "SELECT change FROM store", change);
	if (!err)
		err = note_change(h, *change);
	return err;
}

/*
 * Ends what begin() began. A COMMIT that failed while the transaction is still
 * there wrote nothing; else nobody knows.
 */
static int finish(struct sqlite_store *h, int err, int64_t change)
{
	if (!err)
		err = run(h, "COMMIT");
	if (err)
		rollback(h);
	else
		h->seen = (uint64_t)change;
	return err;
}

/* What is over goes; @gone tells whether anything was. */
static int purge(struct sqlite_store *h, bool *gone)
{
	int err = step_done(h, query(h, "DELETE FROM doc WHERE boot IS NOT NULL AND"
				     " NOT " ALIVE, "si", h->boot, now_ms()));

	*gone |= !err && sqlite3_changes(h->db) > 0;
	return err;
}

static int set_change(struct sqlite_store *h, int64_t change, bool gone)
{
	return step_done(h, query(h, gone ? "UPDATE store SET change = ?, gone = change + 1" :
				  "UPDATE store SET change = ?", "i", change));
}

static int write_one(struct sqlite_store *h, const struct store_op *op,
		     int64_t change, bool *gone)
{
	int64_t now = STORE_ABSENT;
	int err;

	err = step_number(h, query(h, "SELECT revision FROM doc WHERE key = ?", "s",
				   op->key), &now);
	if (err && err != -ENOENT)
		return err;
	if (op->expect != STORE_ANY && op->expect != (uint64_t)now)
		return store_fail(&h->base, -ESTALE,
				  "%s is at revision %" PRId64 ", not at %" PRIu64,
				  op->key, now, op->expect);
	if (!op->value) {
		*gone |= now != STORE_ABSENT;
		return step_done(h, query(h, "DELETE FROM doc WHERE key = ?", "s",
					  op->key));
	}
	return step_done(h, query(h, "INSERT OR REPLACE INTO doc VALUES (?, ?, ?, ?, ?)",
				  "ssisi", op->key, op->value, change,
				  op->ttl_ms ? h->boot : NULL,
				  op->ttl_ms ? now_ms() + op->ttl_ms : (int64_t)0));
}

static int sqlite_txn(struct store *s, const struct store_op *op, size_t count)
{
	struct sqlite_store *h = of(s);
	int64_t change = 0;
	bool gone = false;
	size_t i;
	int err;

	err = begin(h, &change);
	if (!err)
		err = purge(h, &gone);
	for (i = 0; !err && i < count; i++)
		err = write_one(h, &op[i], change + 1, &gone);
	if (!err)
		err = set_change(h, change + 1, gone);
	return finish(h, err, change + 1);
}

static int sqlite_raise(struct store *s, const char *reason)
{
	struct sqlite_store *h = of(s);
	struct store_identity id;
	char key[STORE_KEY_MAX], *value;
	struct store_op op = { .key = key, .expect = STORE_ANY };
	int64_t change = 0;
	bool gone = true;
	int err;

	/* by order: whatever this handle has seen before */
	h->seen = 0;
	err = begin(h, &change);
	if (!err)
		err = store_identity(s, &id);
	if (err)
		return finish(h, err, change);
	snprintf(key, sizeof(key), STORE_HISTORY "%020" PRIu64, id.generation + 1);
	value = store_reason_json("new_generation", reason, id.generation + 1);
	op.value = value;
	err = value ? run(h, "UPDATE store SET generation = generation + 1") : -ENOMEM;
	if (!err)
		err = write_one(h, &op, change + RAISE_STEP, &gone);
	if (!err)
		err = set_change(h, change + RAISE_STEP, true);
	free(value);
	return finish(h, err, change + RAISE_STEP);
}

static int sqlite_identity(struct store *s, struct store_identity *out)
{
	struct sqlite_store *h = of(s);
	struct swb_uuid u;
	sqlite3_stmt *st;
	int rc, err = still_there(h);

	if (err)
		return err;
	st = query(h, "SELECT change, uuid, generation FROM store", "");
	rc = st ? sqlite3_step(st) : SQLITE_ERROR;
	if (rc == SQLITE_ROW && sqlite3_column_text(st, 1) &&
	    uuid_parse((const char *)sqlite3_column_text(st, 1), &u)) {
		memcpy(out->uuid, u.b, sizeof(out->uuid));
		out->generation = (uint64_t)sqlite3_column_int64(st, 2);
		err = note_change(h, sqlite3_column_int64(st, 0));
	} else {
		err = rc == SQLITE_ROW || rc == SQLITE_DONE ?
		      store_fail(s, -EIO, "%s is damaged", h->path) : fail(h);
	}
	sqlite3_finalize(st);
	return err;
}

static uint64_t sqlite_seen(const struct store *s)
{
	return ((const struct sqlite_store *)s)->seen;
}

/* --- waiting --- */

/* Return: 1 something below @prefix is newer than @since, 0, or -errno. */
static int look(struct sqlite_store *h, const char *prefix, uint64_t *since,
		int64_t *expires)
{
	char end[STORE_KEY_MAX + 1];
	int64_t change = 0, gone = 0, found = 0;
	int err = still_there(h);

	prefix_end(prefix, end);
	/* in this order: what comes between the two is seen by the second */
	if (!err)
		err = number(h, "SELECT change FROM store", &change);
	if (!err)
		err = note_change(h, change);
	if (!err)
		err = number(h, "SELECT gone FROM store", &gone);
	if (!err)
		err = step_number(h, query(h, "SELECT EXISTS (SELECT 1 FROM doc WHERE"
					   " revision > ? AND key >= ? AND key < ?)",
					   "iss", (int64_t)*since, prefix, end), &found);
	if (!err)
		err = step_number(h, query(h, "SELECT ifnull(min(CASE boot WHEN ? THEN"
					   " expires ELSE 0 END), ?) FROM doc WHERE"
					   " boot IS NOT NULL AND key >= ? AND key < ?",
					   "siss", h->boot, INT64_MAX, prefix, end),
				  expires);
	if (err)
		return err;
	if (!*since || (uint64_t)gone > *since)
		found = 1;
	*since = (uint64_t)change;
	return found != 0;
}

/* Time is over for some document: that is a change as any other. */
static int expire(struct sqlite_store *h)
{
	int64_t change = 0;
	bool gone = false;
	int err = begin(h, &change);

	if (!err)
		err = purge(h, &gone);
	if (!err && gone)
		err = set_change(h, ++change, true);
	return finish(h, err, change);
}

static int sqlite_wait(struct store *s, const char *prefix, uint64_t *since,
		       unsigned int timeout_ms)
{
	struct sqlite_store *h = of(s);
	int64_t end = now_ms() + timeout_ms, expires = INT64_MAX;
	int64_t version = 0, seen = -1, now;
	int ret;

	for (;;) {
		ret = number(h, "PRAGMA data_version", &version);
		now = now_ms();
		if (ret == -ETIMEDOUT && now < end)
			continue;	/* somebody writes; that is what we wait for */
		if (!ret && now >= expires) {
			ret = expire(h);
			seen = -1;
		}
		if (!ret && version != seen)
			ret = look(h, prefix, since, &expires);
		else if (!ret)
			ret = still_there(h);
		if (ret)
			return ret;
		seen = version;
		if (now >= end)
			return 0;
		now = end - now < POLL_MS ? end - now : POLL_MS;
		usleep((useconds_t)now * 1000);
	}
}

static const struct store_ops sqlite_ops = {
	.name = "sqlite",
	.close = sqlite_close,
	.get = sqlite_get,
	.list = sqlite_list,
	.txn = sqlite_txn,
	.wait = sqlite_wait,
	.identity = sqlite_identity,
	.raise = sqlite_raise,
	.seen = sqlite_seen,
};

int store_sqlite_open(struct store **out, const char *path, bool create,
		      unsigned int timeout_ms, char *why, size_t len)
{
	struct sqlite_store *h;
	int err;

	if (strlen(path) >= sizeof(h->path)) {
		snprintf(why, len, "the path of the store is too long");
		return -EINVAL;
	}
	h = calloc(1, sizeof(*h));
	if (!h)
		return -ENOMEM;
	h->base.ops = &sqlite_ops;
	h->base.timeout_ms = timeout_ms;
	strcpy(h->path, path);
	read_boot(h);
	err = open_file(h, create);
	if (err) {
		snprintf(why, len, "%s", h->base.error);
		sqlite_close(&h->base);
		return err;
	}
	*out = &h->base;
	return 0;
}
