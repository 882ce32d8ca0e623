// SPDX-License-Identifier: GPL-2.0-only
/*
 * The blackboard in the store: keys, single documents, and the whole of it.
 * board_json.c knows what stands in a document.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "store_priv.h"

static void volume_key(const struct swb_uuid *volume, const char *what,
		       char key[STORE_KEY_MAX])
{
	char uuid[CTL_UUID_TEXT];

	uuid_text(volume, uuid);
	snprintf(key, STORE_KEY_MAX, "v/%s/%s", uuid, what);
}

static void member_key(const struct swb_uuid *volume, const char *what,
		       const struct swb_uuid *replica, char key[STORE_KEY_MAX])
{
	char v[CTL_UUID_TEXT], r[CTL_UUID_TEXT];

	uuid_text(volume, v);
	uuid_text(replica, r);
	snprintf(key, STORE_KEY_MAX, "v/%s/%s/%s", v, what, r);
}

static void order_key(const struct swb_uuid *volume, uint64_t id,
		      char key[STORE_KEY_MAX])
{
	char v[CTL_UUID_TEXT];

	uuid_text(volume, v);
	snprintf(key, STORE_KEY_MAX, "v/%s/order/%020" PRIu64, v, id);
}

static int put(struct store *s, const char *key, json_t *j, uint64_t expect,
	       uint32_t ttl_ms)
{
	struct store_op op = { .key = key, .expect = expect, .ttl_ms = ttl_ms };
	char *text = json_dumps(j, JSON_COMPACT);
	int err;

	json_decref(j);
	op.value = text;
	err = text ? store_txn(s, &op, 1) : store_fail(s, -EINVAL, "%s: no JSON", key);
	free(text);
	return err;
}

/* NULL, and words in @s, if it is no JSON at all */
static json_t *parse(struct store *s, const struct store_doc *doc)
{
	json_error_t at;
	json_t *j = json_loads(doc->value, JSON_REJECT_DUPLICATES, &at);

	if (!j)
		store_fail(s, -EBADMSG, "%s: line %d, column %d: %s", doc->key,
			   at.line, at.column, at.text);
	return j;
}

static int get(struct store *s, const char *key, json_t **out, uint64_t *revision)
{
	struct store_doc doc;
	int err = store_get(s, key, &doc);

	if (err)
		return err;
	if (revision)
		*revision = doc.revision;
	*out = parse(s, &doc);
	store_doc_free(&doc);
	return *out ? 0 : -EBADMSG;
}

/* Consumes @j. */
static int said(struct store *s, const char *key, json_t *j, const char *why,
		int err)
{
	json_decref(j);
	return err ? store_fail(s, err, "%s: %s", key, why) : 0;
}

static int misplaced(struct store *s, const char *key)
{
	return store_fail(s, -EBADMSG, "%s: the document is of another key", key);
}

int board_get_wish(struct store *s, const struct swb_uuid *volume,
		   struct board_wish *out, uint64_t *revision)
{
	char key[STORE_KEY_MAX], why[128];
	json_t *j;
	int err;

	memset(out, 0, sizeof(*out));
	volume_key(volume, "wish", key);
	err = get(s, key, &j, revision);
	return err ? err : said(s, key, j, why,
				board_wish_from_json(j, out, why, sizeof(why)));
}

int board_put_wish(struct store *s, const struct swb_uuid *volume,
		   const struct board_wish *w, uint64_t expect)
{
	char key[STORE_KEY_MAX];

	volume_key(volume, "wish", key);
	return put(s, key, board_wish_to_json(w), expect, 0);
}

int board_get_report(struct store *s, const struct swb_uuid *volume,
		     const struct swb_uuid *replica, struct board_report *out,
		     uint64_t *revision)
{
	char key[STORE_KEY_MAX], why[128];
	json_t *j;
	int err;

	memset(out, 0, sizeof(*out));
	member_key(volume, "report", replica, key);
	err = get(s, key, &j, revision);
	if (!err)
		err = said(s, key, j, why,
			   board_report_from_json(j, out, why, sizeof(why)));
	if (err || swb_uuid_equal(&out->report.replica, replica))
		return err;
	memset(out, 0, sizeof(*out));
	return misplaced(s, key);
}

int board_put_report(struct store *s, const struct swb_uuid *volume,
		     const struct board_report *r)
{
	char key[STORE_KEY_MAX];

	member_key(volume, "report", &r->report.replica, key);
	return put(s, key, board_report_to_json(r), STORE_ANY, 0);
}

int board_get_state(struct store *s, const struct swb_uuid *volume,
		    const struct swb_uuid *replica, struct board_state *out,
		    uint64_t *revision)
{
	char key[STORE_KEY_MAX], why[128];
	json_t *j;
	int err;

	memset(out, 0, sizeof(*out));
	member_key(volume, "state", replica, key);
	err = get(s, key, &j, revision);
	if (!err)
		err = said(s, key, j, why,
			   board_state_from_json(j, out, why, sizeof(why)));
	if (err || swb_uuid_equal(&out->replica, replica))
		return err;
	memset(out, 0, sizeof(*out));
	return misplaced(s, key);
}

int board_put_state(struct store *s, const struct swb_uuid *volume,
		    const struct board_state *st)
{
	char key[STORE_KEY_MAX];

	member_key(volume, "state", &st->replica, key);
	return put(s, key, board_state_to_json(st), STORE_ANY, 0);
}

int board_get_node(struct store *s, const char *node, struct board_node *out,
		   uint64_t *revision)
{
	char key[STORE_KEY_MAX], why[128];
	json_t *j;
	int err;

	memset(out, 0, sizeof(*out));
	snprintf(key, sizeof(key), "n/%s", node);
	err = get(s, key, &j, revision);
	if (!err)
		err = said(s, key, j, why,
			   board_node_from_json(j, out, why, sizeof(why)));
	if (err || !strcmp(out->node, node))
		return err;
	memset(out, 0, sizeof(*out));
	return misplaced(s, key);
}

int board_put_node(struct store *s, const struct board_node *n, uint32_t ttl_ms)
{
	char key[STORE_KEY_MAX];

	snprintf(key, sizeof(key), "n/%s", n->node);
	return put(s, key, board_node_to_json(n), STORE_ANY, ttl_ms);
}

int board_get_order(struct store *s, const struct swb_uuid *volume, uint64_t id,
		    struct board_order *out, uint64_t *revision)
{
	char key[STORE_KEY_MAX], why[128];
	json_t *j;
	int err;

	memset(out, 0, sizeof(*out));
	order_key(volume, id, key);
	err = get(s, key, &j, revision);
	if (!err)
		err = said(s, key, j, why,
			   board_order_from_json(j, out, why, sizeof(why)));
	if (err || out->id == id)
		return err;
	board_order_free(out);
	return misplaced(s, key);
}

int board_put_order(struct store *s, const struct swb_uuid *volume,
		    const struct board_order *o, uint64_t expect)
{
	char key[STORE_KEY_MAX];

	order_key(volume, o->id, key);
	return put(s, key, board_order_to_json(o), expect, 0);
}

static int last_order(struct store *s, const struct swb_uuid *volume, uint64_t *id)
{
	char prefix[STORE_KEY_MAX];
	struct store_doc *doc;
	size_t count;
	int err;

	volume_key(volume, "order/", prefix);
	err = store_list(s, prefix, &doc, &count);
	if (err)
		return err;
	if (!count || !number_parse(doc[count - 1].key + strlen(prefix),
				    INT64_MAX - 1, id))
		*id = 0;
	store_docs_free(doc, count);
	return 0;
}

int board_new_order(struct store *s, const struct swb_uuid *volume,
		    struct board_order *o)
{
	int err;

	/* somebody else may have taken the number: then the next one */
	do {
		err = last_order(s, volume, &o->id);
		o->id++;
		if (!err)
			err = board_put_order(s, volume, o, STORE_ABSENT);
	} while (err == -ESTALE);
	return err;
}

int board_delete_order(struct store *s, const struct swb_uuid *volume, uint64_t id,
		       uint64_t expect)
{
	char key[STORE_KEY_MAX];
	const struct store_op op = { .key = key, .expect = expect };

	order_key(volume, id, key);
	return store_txn(s, &op, 1);
}

int board_delete_rest(struct store *s, const struct swb_uuid *volume)
{
	static const char *const what[] = { "report/", "state/", "order/" };
	struct store_op op = { .expect = STORE_ANY };
	char prefix[STORE_KEY_MAX];
	struct store_doc *doc;
	size_t i, k, count;
	int err = 0;

	for (k = 0; !err && k < ARRAY_SIZE(what); k++) {
		volume_key(volume, what[k], prefix);
		err = store_list(s, prefix, &doc, &count);
		if (err)
			break;
		for (i = 0; !err && i < count; i++) {
			op.key = doc[i].key;
			err = store_txn(s, &op, 1);
		}
		store_docs_free(doc, count);
	}
	return err;
}

/* --- everything at once --- */

struct board_volume *board_find(struct board *b, const struct swb_uuid *volume)
{
	size_t i;

	for (i = 0; i < b->volume_count; i++)
		if (swb_uuid_equal(&b->volume[i]->volume, volume))
			return b->volume[i];
	return NULL;
}

/* Documents come in order of their keys: all of one volume in a row. */
static struct board_volume *volume_of(struct board *b, const struct swb_uuid *u)
{
	struct board_volume *v, **list;

	if (b->volume_count) {
		v = b->volume[b->volume_count - 1];
		if (swb_uuid_equal(&v->volume, u))
			return v;
	}
	list = realloc(b->volume, (b->volume_count + 1) * sizeof(*list));
	if (!list)
		return NULL;
	b->volume = list;
	v = calloc(1, sizeof(*v));
	if (!v)
		return NULL;
	v->volume = *u;
	list[b->volume_count++] = v;
	return v;
}

static int add_order(struct board_volume *v, struct board_order *o,
		     uint64_t revision)
{
	struct board_order *list;
	uint64_t *rev;

	list = realloc(v->order, (v->order_count + 1) * sizeof(*list));
	if (list)
		v->order = list;
	rev = realloc(v->order_revision, (v->order_count + 1) * sizeof(*rev));
	if (rev)
		v->order_revision = rev;
	if (!list || !rev)
		return -ENOMEM;
	list[v->order_count] = *o;
	rev[v->order_count++] = revision;
	return 0;
}

static bool is_id(const char *text, const struct swb_uuid *u)
{
	struct swb_uuid id;

	return uuid_parse(text, &id) && swb_uuid_equal(&id, u);
}

/* One of the lists of a volume; @rest: what comes after its name in the key. */
static int take_listed(struct board_volume *v, const char *what, const char *rest,
		       const json_t *j, uint64_t revision, char *why, size_t len)
{
	struct board_order o;
	uint64_t id;
	int err;

	snprintf(why, len, "the document is of another key, or there are too many");
	if (!strcmp(what, "report") && v->report_count < BOARD_MEMBERS_MAX) {
		struct board_report *r = &v->report[v->report_count];

		err = board_report_from_json(j, r, why, len);
		if (!err && is_id(rest, &r->report.replica))
			v->report_count++;
		else
			err = -EBADMSG;
		return err;
	}
	if (!strcmp(what, "state") && v->state_count < BOARD_MEMBERS_MAX) {
		struct board_state *st = &v->state[v->state_count];

		err = board_state_from_json(j, st, why, len);
		if (!err && is_id(rest, &st->replica))
			v->state_count++;
		else
			err = -EBADMSG;
		return err;
	}
	if (!strcmp(what, "order")) {
		err = board_order_from_json(j, &o, why, len);
		if (err)
			return err;
		err = number_parse(rest, INT64_MAX, &id) && id == o.id ?
		      add_order(v, &o, revision) : -EBADMSG;
		if (err)
			board_order_free(&o);
		return err;
	}
	return !strcmp(what, "report") || !strcmp(what, "state") ? -EBADMSG : 0;
}

/* @name: key after the volume's uuid. Return: 0, -EBADMSG with @why, -ENOMEM */
static int take_one(struct store *s, struct board_volume *v, const char *name,
		    const struct store_doc *doc, char *why, size_t len)
{
	const char *slash = strchr(name, '/');
	char what[16];
	json_t *j;
	int err;

	if (!strcmp(name, "record")) {
		err = authority_parse(s, doc, &v->record);
		if (!err)
			v->record_revision = doc->revision;
		else
			memset(&v->record, 0, sizeof(v->record));
		snprintf(why, len, "no record");
		return err;
	}
	j = parse(s, doc);
	snprintf(why, len, "no JSON");
	if (!j)
		return -EBADMSG;
	if (!strcmp(name, "wish")) {
		err = board_wish_from_json(j, &v->wish, why, len);
		if (!err)
			v->wish_revision = doc->revision;
	} else if (slash && (size_t)(slash - name) < sizeof(what)) {
		snprintf(what, sizeof(what), "%.*s", (int)(slash - name), name);
		err = take_listed(v, what, slash + 1, j, doc->revision, why, len);
	} else {
		err = 0;	/* of a newer program */
	}
	json_decref(j);
	return err;
}

static int take_volume(struct store *s, struct board *b, const struct store_doc *doc)
{
	char uuid[CTL_UUID_TEXT], why[128];
	struct board_volume *v;
	struct swb_uuid u;
	size_t n = strlen("v/"), end = n + CTL_UUID_TEXT - 1;
	int err;

	if (strlen(doc->key) <= end + 1 || doc->key[end] != '/')
		return 0;
	snprintf(uuid, sizeof(uuid), "%.*s", CTL_UUID_TEXT - 1, doc->key + n);
	if (!uuid_parse(uuid, &u))
		return 0;
	v = volume_of(b, &u);
	if (!v)
		return -ENOMEM;
	err = take_one(s, v, doc->key + end + 1, doc, why, sizeof(why));
	if (err == -EBADMSG && !*v->bad)
		snprintf(v->bad, sizeof(v->bad), "%.110s: %s", doc->key, why);
	return err == -EBADMSG ? 0 : err;
}

static int take_nodes(struct board *b, const struct store_doc *doc, size_t count)
{
	struct board_node *n;
	char why[128];
	json_t *j;
	size_t i;

	b->node = calloc(count ? count : 1, sizeof(*b->node));
	b->node_revision = calloc(count ? count : 1, sizeof(*b->node_revision));
	if (!b->node || !b->node_revision)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		n = &b->node[b->node_count];
		j = json_loads(doc[i].value, JSON_REJECT_DUPLICATES, NULL);
		/* a damaged sign of life is none */
		if (j && !board_node_from_json(j, n, why, sizeof(why)) &&
		    !strcmp(n->node, doc[i].key + strlen("n/")))
			b->node_revision[b->node_count++] = doc[i].revision;
		json_decref(j);
	}
	return 0;
}

int board_load(struct store *s, const struct swb_uuid *volume, struct board **out)
{
	char prefix[STORE_KEY_MAX] = "v/";
	struct store_doc *doc;
	struct board *b;
	size_t i, count;
	int err;

	*out = NULL;
	if (volume)
		volume_key(volume, "", prefix);
	err = store_list(s, prefix, &doc, &count);
	if (err)
		return err;
	b = calloc(1, sizeof(*b));
	err = b ? 0 : -ENOMEM;
	for (i = 0; !err && i < count; i++)
		err = take_volume(s, b, &doc[i]);
	store_docs_free(doc, count);
	if (!err)
		err = store_list(s, "n/", &doc, &count);
	if (!err) {
		err = take_nodes(b, doc, count);
		store_docs_free(doc, count);
	}
	if (err)
		board_free(b);
	else
		*out = b;
	return err;
}

void board_volume_free(struct board_volume *v)
{
	size_t i;

	for (i = 0; i < v->order_count; i++)
		board_order_free(&v->order[i]);
	free(v->order);
	free(v->order_revision);
	free(v);
}

void board_free(struct board *b)
{
	size_t i;

	for (i = 0; b && i < b->volume_count; i++)
		board_volume_free(b->volume[i]);
	if (b) {
		free(b->volume);
		free(b->node);
		free(b->node_revision);
	}
	free(b);
}
