// SPDX-License-Identifier: GPL-2.0-only
/*
 * The store's front: takes the address apart, checks arguments, hands on to a
 * backend. Nothing below this file sees a key or a value that is not bounded.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "store_priv.h"

int store_fail(struct store *s, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->error, sizeof(s->error), fmt, ap);
	va_end(ap);
	return err;
}

const char *store_error(const struct store *s)
{
	return s ? s->error : "no memory";
}

const char *store_backend(const struct store *s)
{
	return s->ops->name;
}

int store_open_plain(struct store **out, const char *address, bool create,
		     unsigned int timeout_ms, char *why, size_t len)
{
	*out = NULL;
	snprintf(why, len, "no memory");
	if (!strncmp(address, "etcd:", 5))
		return store_etcd_open(out, address + 5, create, timeout_ms, why,
				       len);
	if (!strncmp(address, "sqlite:", 7))
		address += 7;
	if (!*address) {
		snprintf(why, len, "the address of the store is empty");
		return -EINVAL;
	}
	return store_sqlite_open(out, address, create, timeout_ms, why, len);
}

int store_open(struct store **out, const char *address, bool create,
	       unsigned int timeout_ms, char *why, size_t len)
{
	int err;

	err = store_open_plain(out, address, create, timeout_ms ? timeout_ms :
			       STORE_TIMEOUT_MS, why, len);
	return err ? err : store_fault_wrap(out, address, why, len);
}

void store_close(struct store *s)
{
	if (s)
		s->ops->close(s);
}

/* Keys are ours: printable, without blanks, so that every backend takes them. */
static bool key_good(const char *key, bool prefix)
{
	size_t i, len = strlen(key);

	/* what begins with a dot is the backend's own */
	if (len >= STORE_KEY_MAX || (!len && !prefix) || *key == '.')
		return false;
	for (i = 0; i < len; i++)
		if (key[i] <= ' ' || key[i] > '~')
			return false;
	return true;
}

int store_get(struct store *s, const char *key, struct store_doc *out)
{
	memset(out, 0, sizeof(*out));
	if (!key_good(key, false))
		return store_fail(s, -EINVAL, "impossible key");
	return s->ops->get(s, key, out);
}

void store_doc_free(struct store_doc *d)
{
	free(d->value);
	memset(d, 0, sizeof(*d));
}

int store_list(struct store *s, const char *prefix, struct store_doc **out,
	       size_t *count)
{
	*out = NULL;
	*count = 0;
	if (!key_good(prefix, true))
		return store_fail(s, -EINVAL, "impossible key");
	return s->ops->list(s, prefix, out, count);
}

void store_docs_free(struct store_doc *d, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		free(d[i].value);
	free(d);
}

int store_docs_add(struct store_doc **list, size_t *count, const char *key,
		   const char *value, size_t len, uint64_t revision)
{
	struct store_doc *d = *list;

	/* doubled at each power of two */
	if (!(*count & (*count - 1))) {
		d = realloc(d, (*count ? 2 * *count : 1) * sizeof(*d));
		if (!d)
			return -ENOMEM;
		*list = d;
	}
	d += *count;
	memset(d, 0, sizeof(*d));
	snprintf(d->key, sizeof(d->key), "%s", key);
	d->value = strndup(value, len);
	d->revision = revision;
	if (!d->value)
		return -ENOMEM;
	++*count;
	return 0;
}

static int check_op(struct store *s, const struct store_op *op, size_t i)
{
	size_t j;

	if (!key_good(op[i].key, false))
		return store_fail(s, -EINVAL, "impossible key");
	if (op[i].value && strlen(op[i].value) > STORE_VALUE_MAX)
		return store_fail(s, -E2BIG, "%s: more than %d bytes", op[i].key,
				  STORE_VALUE_MAX);
	for (j = 0; j < i; j++)
		if (!strcmp(op[i].key, op[j].key))
			return store_fail(s, -EINVAL, "%s: written twice",
					  op[i].key);
	return 0;
}

int store_txn(struct store *s, const struct store_op *op, size_t count)
{
	size_t i;
	int err;

	if (!count || count > STORE_OPS_MAX)
		return store_fail(s, -EINVAL, "impossible number of writes");
	for (i = 0; i < count; i++) {
		err = check_op(s, op, i);
		if (err)
			return err;
	}
	return s->ops->txn(s, op, count);
}

int store_wait(struct store *s, const char *prefix, uint64_t *since,
	       unsigned int timeout_ms)
{
	if (!key_good(prefix, true))
		return store_fail(s, -EINVAL, "impossible key");
	return s->ops->wait(s, prefix, since, timeout_ms);
}

int store_identity(struct store *s, struct store_identity *out)
{
	memset(out, 0, sizeof(*out));
	return s->ops->identity(s, out);
}

uint64_t store_seen(const struct store *s)
{
	return s->ops->seen(s);
}

int store_raise_generation(struct store *s, const char *reason)
{
	return s->ops->raise(s, reason);
}

void store_time_text(char *out, size_t len)
{
	struct timespec ts;
	struct tm tm;
	size_t used;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	used = strftime(out, len, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + used, len - used, ".%03ldZ", ts.tv_nsec / 1000000);
}

char *store_reason_json(const char *action, const char *reason,
			uint64_t generation)
{
	char at[40], *text;
	json_t *j;

	store_time_text(at, sizeof(at));
	j = json_pack("{s:s, s:s, s:s, s:I}", "at", at, "action", action, "reason",
		      reason ? reason : "", "generation", (json_int_t)generation);
	text = j ? json_dumps(j, JSON_COMPACT) : NULL;
	json_decref(j);
	return text;
}
