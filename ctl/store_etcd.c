// SPDX-License-Identifier: GPL-2.0-only
/*
 * The store in etcd, for a cluster.
 *
 *	PREFIX/.store	which store this is: uuid, generation, and the cluster it was
 *			made in (P17c)
 *	PREFIX/KEY	a document; its revision is etcd's mod_revision
 *
 * Reads are linearizable ranges. A transaction compares mod_revisions, and always
 * that of PREFIX/.store too: should somebody wipe the cluster and begin anew while
 * we run, nothing is written. A transaction with a condition on what it writes
 * happens once at most, so it may be sent again; if the second one is refused, the
 * first may have been what made it so, and the outcome is unknown.
 *
 * Documents with a time to live hang on a lease, one for each length and handle,
 * kept alive by writes only: no more writes, no more documents. They share it, so
 * each lives as long as the last one written.
 *
 * Must not: look inside a value but that of PREFIX/.store.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "etcd.h"
#include "late.h"

#define PAGE		50	/* 50 of the largest documents fit into 4 MiB of gRPC */
#define PAGES_MAX	2000
#define LIST_TRIES	5

static struct etcd *of(struct store *s)
{
	return (struct etcd *)s;
}

uint64_t etcd_deadline(const struct etcd *h)
{
	return boottime_ns() + h->base.timeout_ms * 1000000ULL;
}

static int foreign(struct etcd *h)
{
	return h->foreign ? -EXDEV : 0;
}

/* Our key of an answer's; false: not one of ours. */
static bool short_key(const struct etcd *h, const json_t *kv, char out[STORE_KEY_MAX])
{
	size_t len = 0, prefix = strlen(h->cfg.prefix);
	char *full = etcd_unb64(json_object_get(kv, "key"), &len);
	bool good = full && strlen(full) == len && len > prefix + 1 &&
		    len - prefix - 1 < STORE_KEY_MAX && full[prefix] == '/' &&
		    !memcmp(full, h->cfg.prefix, prefix);

	if (good)
		strcpy(out, full + prefix + 1);
	free(full);
	return good;
}

static int add_kv(struct etcd *h, const json_t *kv, struct store_doc **list,
		  size_t *count)
{
	char key[STORE_KEY_MAX], *value;
	size_t len = 0;
	int err;

	if (!short_key(h, kv, key) || *key == '.')
		return 0;
	/* an empty value is left out by the gateway */
	value = json_object_get(kv, "value") ?
		etcd_unb64(json_object_get(kv, "value"), &len) : calloc(1, 1);
	if (!value || len > STORE_VALUE_MAX) {
		free(value);
		return store_fail(&h->base, -EBADMSG, "%s: no document of ours", key);
	}
	err = store_docs_add(list, count, key, value, len, etcd_u64(kv, "mod_revision"));
	free(value);
	return err;
}

int etcd_get_one(struct etcd *h, const char *key, uint64_t deadline, json_t **answer,
		 const json_t **kv)
{
	int err = etcd_call(h, ETCD_RANGE, etcd_range(h, key, false), ETCD_READ,
			    deadline, answer, NULL);

	*kv = err ? NULL : json_array_get(json_object_get(*answer, "kvs"), 0);
	return err;
}

static int etcd_get(struct store *s, const char *key, struct store_doc *out)
{
	struct etcd *h = of(s);
	struct store_doc *doc = NULL;
	json_t *answer = NULL;
	const json_t *kv;
	size_t count = 0;
	int err = foreign(h);

	if (!err)
		err = etcd_get_one(h, key, etcd_deadline(h), &answer, &kv);
	if (err)
		return err;
	err = kv ? add_kv(h, kv, &doc, &count) :
	      store_fail(s, -ENOENT, "%s: not there", key);
	if (!err && !count)
		err = store_fail(s, -EBADMSG, "%s: no document of ours", key);
	if (!err)
		*out = *doc;
	free(doc);
	json_decref(answer);
	return err;
}

/* --- list: pages of one revision --- */

struct page {
	json_t *start;		/* key to begin with; NULL: the first page */
	uint64_t revision;	/* snapshot, 0 = now */
	bool more;
};

/* The next page begins right after the last key of this one. */
static void page_turn(struct page *p, const json_t *kvs)
{
	const json_t *last = json_array_get(kvs, json_array_size(kvs) - 1);
	size_t len = 0;
	char *key = etcd_unb64(json_object_get(last, "key"), &len);

	json_decref(p->start);
	p->start = key ? etcd_b64(key, len + 1) : NULL;
	if (!p->start)
		p->more = false;
	free(key);
}

static int list_page(struct etcd *h, const char *prefix, struct page *p,
		     uint64_t deadline, struct store_doc **out, size_t *count)
{
	json_t *req = etcd_range(h, prefix, true), *answer, *kvs, *kv;
	size_t i;
	int err;

	if (p->start)
		json_object_set(req, "key", p->start);
	if (p->revision)
		json_object_set_new(req, "revision", json_integer((json_int_t)p->revision));
	json_object_set_new(req, "limit", json_integer(PAGE));
	err = etcd_call(h, ETCD_RANGE, req, ETCD_READ, deadline, &answer, NULL);
	if (err)
		return err;
	if (!p->revision)
		p->revision = etcd_u64(json_object_get(answer, "header"), "revision");
	kvs = json_object_get(answer, "kvs");
	json_array_foreach(kvs, i, kv) {
		err = add_kv(h, kv, out, count);
		if (err)
			break;
	}
	p->more = json_is_true(json_object_get(answer, "more"));
	if (!err && p->more)
		page_turn(p, kvs);
	json_decref(answer);
	return err;
}

static int list_once(struct etcd *h, const char *prefix, uint64_t deadline,
		     struct store_doc **out, size_t *count)
{
	struct page p = { 0 };
	unsigned int pages = 0;
	int err;

	do {
		err = list_page(h, prefix, &p, deadline, out, count);
		if (!err && ++pages > PAGES_MAX)
			err = store_fail(&h->base, -E2BIG, "%s: too many documents",
					 prefix);
	} while (!err && p.more);
	json_decref(p.start);
	if (err) {
		store_docs_free(*out, *count);
		*out = NULL;
		*count = 0;
	}
	return err;
}

static int etcd_list(struct store *s, const char *prefix, struct store_doc **out,
		     size_t *count)
{
	struct etcd *h = of(s);
	uint64_t deadline = etcd_deadline(h);
	unsigned int tries = 0;
	int err = foreign(h);

	if (err)
		return err;
	/* compacted between two pages: a newer snapshot will do as well */
	do
		err = list_once(h, prefix, deadline, out, count);
	while (err == -ERANGE && ++tries < LIST_TRIES);
	return err == -ERANGE ? -EIO : err;
}

static int etcd_identity(struct store *s, struct store_identity *out)
{
	struct etcd *h = of(s);
	int err = foreign(h);

	if (!err)
		err = etcd_load_identity(h, out, etcd_deadline(h));
	if (err == -ENOENT) {
		h->foreign = true;
		err = store_fail(s, -EXDEV, "the store below %s in etcd is gone",
				 h->cfg.prefix);
	}
	return err;
}

/* --- leases --- */

static int lease_grant(struct etcd *h, struct etcd_lease *l, uint64_t deadline)
{
	json_t *answer, *req;
	const char *id;
	int err;

	req = json_pack("{s:I}", "TTL", (json_int_t)(l->ttl_ms + 999) / 1000);
	/* one too many goes by itself */
	err = etcd_call(h, "/v3/lease/grant", req, ETCD_READ, deadline, &answer, NULL);
	if (err)
		return err;
	id = json_string_value(json_object_get(answer, "ID"));
	if (id && strlen(id) < sizeof(l->id)) {
		strcpy(l->id, id);
		l->alive_ns = boottime_ns();
	} else {
		err = store_fail(&h->base, -EIO, "etcd grants no lease");
	}
	json_decref(answer);
	return err;
}

static int lease_keep(struct etcd *h, struct etcd_lease *l, uint64_t deadline)
{
	uint64_t start = boottime_ns();
	json_t *answer;
	int err;

	err = etcd_call(h, "/v3/lease/keepalive", json_pack("{s:s}", "ID", l->id),
			ETCD_READ, deadline, &answer, NULL);
	if (err)
		return err;
	/* no time left means: it is gone */
	if (etcd_u64(answer, "TTL"))
		l->alive_ns = start;
	else
		l->id[0] = 0;
	json_decref(answer);
	return 0;
}

/* A lease that will live for @ttl_ms from now on, or most of it. */
static int lease_for(struct etcd *h, uint32_t ttl_ms, uint64_t deadline,
		     struct etcd_lease **out)
{
	struct etcd_lease *l = NULL;
	size_t i;
	int err = 0;

	for (i = 0; i < ETCD_LEASES_MAX && !l; i++)
		if (h->lease[i].ttl_ms == ttl_ms || !h->lease[i].ttl_ms)
			l = &h->lease[i];
	if (!l) {
		/* the oldest one's documents run out, as any that is not written */
		l = &h->lease[0];
		for (i = 1; i < ETCD_LEASES_MAX; i++)
			if (h->lease[i].alive_ns < l->alive_ns)
				l = &h->lease[i];
		l->id[0] = 0;
	}
	l->ttl_ms = ttl_ms;
	if (*l->id && boottime_ns() - l->alive_ns > ttl_ms * 1000000ULL / 8)
		err = lease_keep(h, l, deadline);
	if (!err && !*l->id)
		err = lease_grant(h, l, deadline);
	*out = l;
	return err;
}

/* --- transactions --- */

static bool is_guarded(const struct store_op *op, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (op[i].expect != STORE_ANY && (op[i].value || op[i].expect))
			return true;
	return false;
}

static json_t *request_of(const struct etcd *h, const struct store_op *op,
			  const struct etcd_lease *lease)
{
	if (!op->value)
		return etcd_request_delete(h, op->key);
	return etcd_request_put(h, op->key, op->value, lease ? lease->id : NULL);
}

static int build_txn(struct etcd *h, const struct store_op *op, size_t count,
		     uint64_t deadline, json_t **out)
{
	json_t *compares = json_array(), *success = json_array();
	json_t *failure = json_array();
	struct etcd_lease *lease;
	size_t i;
	int err = 0;

	json_array_append_new(compares, etcd_compare(h, ETCD_IDENTITY, h->identity_revision));
	json_array_append_new(failure, etcd_request_range(h, ETCD_IDENTITY));
	for (i = 0; !err && i < count; i++) {
		lease = NULL;
		if (op[i].expect != STORE_ANY)
			json_array_append_new(compares,
					      etcd_compare(h, op[i].key, op[i].expect));
		if (op[i].ttl_ms && op[i].value)
			err = lease_for(h, op[i].ttl_ms, deadline, &lease);
		if (!err)
			json_array_append_new(success, request_of(h, &op[i], lease));
	}
	*out = etcd_txn_json(compares, success, failure);
	if (err) {
		json_decref(*out);
		*out = NULL;
	}
	return err;
}

/* Revision of the identity that stood in the way, if it did. */
static uint64_t identity_seen(const json_t *answer)
{
	const json_t *first = json_array_get(json_object_get(answer, "responses"), 0);
	const json_t *range = json_object_get(first, "response_range");

	return etcd_u64(json_array_get(json_object_get(range, "kvs"), 0),
			"mod_revision");
}

/* One transaction. -EAGAIN: refused by the identity only, which is read again. */
static int txn_once(struct etcd *h, const struct store_op *op, size_t count,
		    uint64_t deadline, bool *unsure)
{
	json_t *req, *answer;
	struct store_identity id;
	int err;

	err = build_txn(h, op, count, deadline, &req);
	if (err)
		return err;
	err = etcd_call(h, ETCD_TXN, req, is_guarded(op, count) ? ETCD_GUARDED :
			ETCD_ONCE, deadline, &answer, unsure);
	if (err)
		return err;
	if (!json_is_true(json_object_get(answer, "succeeded"))) {
		err = store_fail(&h->base, -ESTALE, "somebody else wrote %s%s",
				 op[0].key, count > 1 ? ", or what goes with it" : "");
		if (identity_seen(answer) != h->identity_revision) {
			err = etcd_load_identity(h, &id, deadline);
			if (err == -ENOENT)
				h->foreign = true;
			err = err == -ENOENT ? store_fail(&h->base, -EXDEV,
					"the store below %s in etcd is gone",
					h->cfg.prefix) : err ? err : -EAGAIN;
		}
	}
	json_decref(answer);
	return err;
}

static int etcd_txn(struct store *s, const struct store_op *op, size_t count)
{
	struct etcd *h = of(s);
	uint64_t deadline = etcd_deadline(h);
	bool unsure = false;
	unsigned int tries;
	size_t i;
	int err = foreign(h);

	if (err)
		return err;
	for (tries = 0; tries < 4; tries++) {
		err = txn_once(h, op, count, deadline, &unsure);
		if (err == -ESRCH)	/* the lease is gone, say its documents */
			for (i = 0; i < ETCD_LEASES_MAX; i++)
				h->lease[i].id[0] = 0;
		else if (err != -EAGAIN)
			break;
	}
	if (err == -EAGAIN || err == -ESRCH)
		err = -EIO;
	/* an earlier attempt may have been the one that stands there */
	if (err && unsure && err != -ETIMEDOUT)
		return store_fail(s, -EIO, "the outcome of a write to %s is unknown",
				  op[0].key);
	return err;
}

static uint64_t etcd_seen(const struct store *s)
{
	return ((const struct etcd *)s)->seen;
}

/* --- open and close --- */

static void etcd_close(struct store *s)
{
	struct etcd *h = of(s);

	etcd_watch_stop(h);
	if (h->watch.multi)
		curl.multi_cleanup(h->watch.multi);
	if (h->easy)
		curl.easy_cleanup(h->easy);
	explicit_bzero(h->cfg.password, sizeof(h->cfg.password));
	explicit_bzero(h->token, sizeof(h->token));
	free(h);
}

static const struct store_ops etcd_ops = {
	.name = "etcd",
	.close = etcd_close,
	.get = etcd_get,
	.list = etcd_list,
	.txn = etcd_txn,
	.wait = etcd_wait,
	.identity = etcd_identity,
	.raise = etcd_raise,
	.seen = etcd_seen,
};

static int connect_store(struct etcd *h, bool create)
{
	uint64_t deadline = etcd_deadline(h);
	struct store_identity id;
	int err = etcd_load_identity(h, &id, deadline);

	if (err == -ENOENT && create) {
		err = etcd_draw_identity(h, deadline);
		if (!err)
			err = etcd_load_identity(h, &id, deadline);
	}
	if (err == -ENOENT)
		store_fail(&h->base, err, "no authority store below %s in etcd",
			   h->cfg.prefix);
	return err;
}

int store_etcd_open(struct store **out, const char *address, bool create,
		    unsigned int timeout_ms, char *why, size_t len)
{
	struct etcd *h = calloc(1, sizeof(*h));
	int err;

	if (!h)
		return -ENOMEM;
	if (!late_curl_load(why, len)) {
		free(h);
		return -ELIBACC;
	}
	h->base.ops = &etcd_ops;
	h->base.timeout_ms = timeout_ms;
	err = etcd_config_parse(&h->cfg, address, why, len);
	if (!err) {
		h->current = (unsigned int)(random_u64() % h->cfg.endpoint_count);
		h->easy = curl.easy_init();
		h->watch.multi = curl.multi_init();
		err = h->easy && h->watch.multi ? connect_store(h, create) : -ENOMEM;
		snprintf(why, len, "%s", h->base.error);
	}
	if (!err || err == -EXDEV)
		*out = &h->base;
	else
		etcd_close(&h->base);
	return err;
}
