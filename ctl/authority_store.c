// SPDX-License-Identifier: GPL-2.0-only
/*
 * Authority records in the store:
 *
 *	v/UUID/record	the record
 *	l/LABEL		whose label it is: one volume's
 *	g/UUID/EPOCH	to whom an epoch was granted; made once, never changed or
 *			deleted: a second grant of an epoch is impossible even if
 *			everything else were wrong (P3)
 *	h/UUID/N	what changed, why; the newest HISTORY_KEEP of them
 *
 * A change writes all that belongs to it in one transaction, on condition that
 * the record is the very one that the caller has read.
 *
 * Must not: decide.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authority.h"
#include "out.h"
#include "store_priv.h"

#define HISTORY_KEEP	1000

static void record_key(const struct swb_uuid *volume, char key[STORE_KEY_MAX])
{
	char uuid[CTL_UUID_TEXT];

	uuid_text(volume, uuid);
	snprintf(key, STORE_KEY_MAX, "v/%s/record", uuid);
}

static void label_key(const char *label, char key[STORE_KEY_MAX])
{
	snprintf(key, STORE_KEY_MAX, "l/%s", label);
}

static void numbered_key(char kind, const struct swb_uuid *volume, uint64_t n,
			 char key[STORE_KEY_MAX])
{
	char uuid[CTL_UUID_TEXT];

	uuid_text(volume, uuid);
	snprintf(key, STORE_KEY_MAX, "%c/%s/%020" PRIu64, kind, uuid, n);
}

int authority_identity(struct store *s, struct auth_store *out)
{
	struct store_identity id;
	int err = store_identity(s, &id);

	memcpy(out->uuid.b, id.uuid, sizeof(out->uuid.b));
	out->generation = id.generation;
	return err;
}

int authority_parse(struct store *s, const struct store_doc *doc,
		    struct auth_record *out)
{
	json_t *j = json_loads(doc->value, JSON_REJECT_DUPLICATES, NULL);
	bool good = j && auth_from_json(j, out);
	char key[STORE_KEY_MAX];

	json_decref(j);
	if (good) {
		record_key(&out->volume, key);
		good = !strcmp(key, doc->key);
	}
	return good ? 0 : store_fail(s, -EBADMSG, "a record of the store is damaged: %s",
				     doc->key);
}

static int load(struct store *s, const struct swb_uuid *volume,
		struct auth_record *out, uint64_t *revision)
{
	char key[STORE_KEY_MAX];
	struct store_doc doc;
	int err;

	record_key(volume, key);
	err = store_get(s, key, &doc);
	if (err)
		return err;
	err = authority_parse(s, &doc, out);
	*revision = doc.revision;
	store_doc_free(&doc);
	return err;
}

int authority_load(struct store *s, const struct swb_uuid *volume,
		   struct auth_record *out)
{
	uint64_t revision;

	return load(s, volume, out, &revision);
}

int authority_find(struct store *s, const char *name, struct auth_record *out)
{
	char key[STORE_KEY_MAX];
	struct store_doc doc;
	struct swb_uuid u;
	int err;

	if (uuid_parse(name, &u))
		return authority_load(s, &u, out);
	if (strlen(name) >= SWBLOCK_LABEL_MAX)
		return store_fail(s, -ENOENT, "no volume has a name of that length");
	label_key(name, key);
	err = store_get(s, key, &doc);
	if (err)
		return err == -EINVAL ? -ENOENT : err;
	err = uuid_parse(doc.value, &u) ? authority_load(s, &u, out) : -ENOENT;
	store_doc_free(&doc);
	if (err == -ENOENT)
		return store_fail(s, -EBADMSG, "a record of the store is damaged: %s", key);
	return err;
}

static int by_label(const void *a, const void *b)
{
	return strcmp(((const struct auth_record *)a)->label,
		      ((const struct auth_record *)b)->label);
}

static bool is_record(const char *key)
{
	const char *slash = strrchr(key, '/');

	return slash && !strcmp(slash, "/record");
}

int authority_list(struct store *s,
		   int (*fn)(const struct auth_record *r, void *arg), void *arg)
{
	struct auth_record *all;
	struct store_doc *doc;
	size_t i, docs, count = 0;
	int err = store_list(s, "v/", &doc, &docs);

	if (err)
		return err;
	all = calloc(docs ? docs : 1, sizeof(*all));
	if (!all)
		err = -ENOMEM;
	for (i = 0; !err && i < docs; i++)
		if (is_record(doc[i].key))
			err = authority_parse(s, &doc[i], &all[count++]);
	store_docs_free(doc, docs);
	if (!err && count)
		qsort(all, count, sizeof(*all), by_label);
	for (i = 0; !err && i < count; i++)
		err = fn(&all[i], arg);
	free(all);
	return err;
}

/**
 * struct change - a transaction under construction
 * @count: writes
 * @op: those; values are owned
 * @key: their keys
 */
struct change {
	size_t count;
	struct store_op op[STORE_OPS_MAX];
	char key[STORE_OPS_MAX][STORE_KEY_MAX];
};

/* Room for the key of one more; @value is consumed. */
static char *add(struct change *c, char *value, uint64_t expect)
{
	struct store_op *op = &c->op[c->count];

	op->key = c->key[c->count];
	op->value = value;
	op->expect = expect;
	op->ttl_ms = 0;
	return c->key[c->count++];
}

static void change_free(struct change *c)
{
	size_t i;

	for (i = 0; i < c->count; i++)
		free((char *)c->op[i].value);
}

static char *dump(json_t *j)
{
	char *text = json_dumps(j, JSON_COMPACT);

	json_decref(j);
	return text ? text : strdup("");
}

static json_t *history_line(const struct auth_record *r,
			    const struct auth_note *note)
{
	json_t *j = json_object();
	char at[40];

	store_time_text(at, sizeof(at));
	json_object_set_new(j, "at", json_string(at));
	json_object_set_new(j, "action", json_string(note->action));
	json_object_set_new(j, "reason", json_string(note->reason ? note->reason : ""));
	json_object_set_new(j, "phase", json_string(auth_phase_text(r->phase)));
	json_object_set_new(j, "owner", json_string(r->owner));
	json_object_set_new(j, "epoch", json_u64(r->epoch));
	json_object_set_new(j, "detail", note->detail ? json_incref(note->detail) :
			    json_null());
	return j;
}

static void add_history(struct change *c, const struct auth_record *r,
			const struct auth_note *note)
{
	numbered_key('h', &r->volume, r->serial,
		     add(c, dump(history_line(r, note)), STORE_ANY));
	if (r->serial >= HISTORY_KEEP)
		numbered_key('h', &r->volume, r->serial - HISTORY_KEEP,
			     add(c, NULL, STORE_ANY));
}

static void add_label(struct change *c, const struct auth_record *r)
{
	char uuid[CTL_UUID_TEXT];

	uuid_text(&r->volume, uuid);
	label_key(r->label, add(c, strdup(uuid), STORE_ABSENT));
}

static void add_grant(struct change *c, const struct auth_record *r)
{
	json_t *j = json_object();

	json_object_set_new(j, "candidate", json_uuid(&r->candidate));
	json_object_set_new(j, "nonce", json_uuid(&r->nonce));
	numbered_key('g', &r->volume, r->epoch, add(c, dump(j), STORE_ABSENT));
}

/* The same but for the count of changes, which callers do not keep. */
static bool same_record(const struct auth_record *a, const struct auth_record *b)
{
	struct auth_record copy = *b;
	json_t *ja, *jb;
	bool same;

	copy.serial = a->serial;
	ja = auth_to_json(a);
	jb = auth_to_json(&copy);
	same = json_equal(ja, jb);
	json_decref(ja);
	json_decref(jb);
	return same;
}

/*
 * P3: after an unknown outcome it was mine only if what stands there is mine. What
 * I have read before still standing there proves nothing, the write may come yet.
 */
static int outcome(struct store *s, const struct auth_record *old,
		   const struct auth_record *next, int err)
{
	struct auth_record now;

	if (authority_load(s, &next->volume, &now))
		return err;
	if (same_record(&now, next))
		return 0;
	if (err != -ESTALE && old && same_record(&now, old))
		return err;
	return store_fail(s, -ESTALE, "the record is at epoch %" PRIu64 " (%s, %s)",
			  now.epoch, auth_phase_text(now.phase), now.owner);
}

static bool unknown(int err)
{
	return err == -EIO || err == -ETIMEDOUT;
}

int authority_create(struct store *s, const struct auth_record *r,
		     const struct auth_note *note)
{
	struct auth_record first = *r;
	struct change c = { 0 };
	int err;

	first.serial = 0;
	record_key(&r->volume, add(&c, dump(auth_to_json(&first)), STORE_ABSENT));
	add_label(&c, &first);
	add_history(&c, &first, note);
	err = store_txn(s, c.op, c.count);
	change_free(&c);
	if (unknown(err))
		err = outcome(s, NULL, &first, err);
	return err == -ESTALE ? -EEXIST : err;
}

int authority_swap(struct store *s, const struct auth_record *old,
		   const struct auth_record *next, const struct auth_note *note)
{
	struct auth_record now, then = *next;
	struct change c = { 0 };
	uint64_t revision;
	int err;

	err = load(s, &old->volume, &now, &revision);
	if (err)
		return err == -ENOENT ? -ESTALE : err;
	if (!same_record(&now, old))
		return outcome(s, old, next, -ESTALE);
	then.serial = now.serial + 1;
	record_key(&old->volume, add(&c, dump(auth_to_json(&then)), revision));
	if (next->phase == AUTH_GRANTED && old->phase == AUTH_WON)
		add_grant(&c, &then);
	if (strcmp(old->label, next->label)) {
		label_key(old->label, add(&c, NULL, STORE_ANY));
		add_label(&c, &then);
	}
	add_history(&c, &then, note);
	err = store_txn(s, c.op, c.count);
	change_free(&c);
	if (err == -ESTALE || unknown(err))
		err = outcome(s, old, next, err);
	return err;
}

int authority_retire(struct store *s, const struct auth_record *old,
		     const struct auth_note *note, struct auth_record *next)
{
	*next = *old;
	snprintf(next->label, sizeof(next->label), "%.20s.%02x%02x%02x%02x", old->label,
		 old->volume.b[0], old->volume.b[1], old->volume.b[2],
		 old->volume.b[3]);
	return authority_swap(s, old, next, note);
}

/* counted from 1, so that "since 0" is all */
static uint64_t history_id(const char *key)
{
	const char *slash = strrchr(key, '/');

	return slash ? strtoull(slash + 1, NULL, 10) + 1 : 0;
}

json_t *authority_history(struct store *s, const struct swb_uuid *volume,
			  unsigned int max)
{
	json_t *list = json_array(), *one;
	char prefix[STORE_KEY_MAX], uuid[CTL_UUID_TEXT];
	struct store_doc *doc;
	size_t i, count;

	uuid_text(volume, uuid);
	snprintf(prefix, sizeof(prefix), "h/%s/", uuid);
	if (store_list(s, prefix, &doc, &count))
		return list;
	for (i = count; i && json_array_size(list) < max; i--) {
		one = json_loads(doc[i - 1].value, 0, NULL);
		if (json_is_object(one)) {
			json_object_set_new(one, "id",
					    json_u64(history_id(doc[i - 1].key)));
			json_array_append_new(list, one);
		} else {
			json_decref(one);
		}
	}
	store_docs_free(doc, count);
	return list;
}
