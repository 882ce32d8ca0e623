// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which store this is (P17c): uuid and generation in PREFIX/.store, with the id of
 * the etcd cluster that it was made in. A cluster that was restored has another id,
 * if it was restored under the rules of the book; a snapshot put back under the
 * same names is noticed by revisions that fall (etcd_note_header()), by whoever runs
 * meanwhile.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "etcd.h"

static int parse_identity(struct etcd *h, const json_t *kv, struct store_identity *out,
			  char cluster[24])
{
	size_t len = 0;
	char *text = etcd_unb64(json_object_get(kv, "value"), &len);
	json_t *j = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
	const char *uuid = json_string_value(json_object_get(j, "uuid"));
	const char *id = json_string_value(json_object_get(j, "cluster"));
	json_int_t version = json_integer_value(json_object_get(j, "swblock_store"));
	json_int_t generation = json_integer_value(json_object_get(j, "generation"));
	struct swb_uuid u;
	int err = 0;

	if (!uuid || !uuid_parse(uuid, &u) || !id || strlen(id) >= 24 ||
	    version < 1 || generation < 1)
		err = store_fail(&h->base, -EINVAL, "%s/" ETCD_IDENTITY
				 " in etcd is not of an swblock authority store",
				 h->cfg.prefix);
	else if (version != ETCD_SCHEMA)
		err = store_fail(&h->base, -EINVAL,
				 "the store below %s in etcd is of schema %lld, this program knows %d: use another prefix, or the program that made it",
				 h->cfg.prefix, (long long)version, ETCD_SCHEMA);
	if (!err) {
		memcpy(out->uuid, u.b, sizeof(out->uuid));
		out->generation = (uint64_t)generation;
		strcpy(cluster, id);
	}
	json_decref(j);
	free(text);
	return err;
}

/* Reads it, and compares it with what this handle knows. -ENOENT: none. */
int etcd_load_identity(struct etcd *h, struct store_identity *out, uint64_t deadline)
{
	char cluster[24], uuid[CTL_UUID_TEXT];
	const char *here;
	json_t *answer;
	const json_t *kv;
	int err = etcd_get_one(h, ETCD_IDENTITY, deadline, &answer, &kv);

	if (err)
		return err;
	err = kv ? parse_identity(h, kv, out, cluster) : -ENOENT;
	here = json_string_value(json_object_get(json_object_get(answer, "header"),
						 "cluster_id"));
	if (!err) {
		uuid_text((const struct swb_uuid *)out->uuid, uuid);
		if (*h->uuid && strcmp(h->uuid, uuid)) {
			h->foreign = true;
			err = store_fail(&h->base, -EXDEV,
					 "another store is at this address now");
		}
		strcpy(h->uuid, uuid);
		h->identity_revision = etcd_u64(kv, "mod_revision");
	}
	if (!err && (!here || strcmp(here, cluster))) {
		h->foreign = true;
		err = store_fail(&h->base, -EXDEV,
				 "the store was made in etcd cluster %s, this is %s: restored, or copied",
				 cluster, here ? here : "?");
	}
	if (!err)
		strcpy(h->cluster, cluster);
	json_decref(answer);
	return err;
}

static char *identity_json(const char *uuid, uint64_t generation, const char *cluster)
{
	json_t *j = json_pack("{s:i, s:s, s:I, s:s}", "swblock_store", ETCD_SCHEMA,
			      "uuid", uuid, "generation", (json_int_t)generation,
			      "cluster", cluster);
	char *text = json_dumps(j, JSON_COMPACT);

	json_decref(j);
	return text;
}

/* P17c: epochs without an identity are those of a store that lost it. */
static int nothing_there(struct etcd *h, uint64_t deadline, char cluster[24])
{
	json_t *req = etcd_range(h, "", true), *answer;
	const char *id;
	int err;

	json_object_set_new(req, "count_only", json_true());
	err = etcd_call(h, ETCD_RANGE, req, ETCD_READ, deadline, &answer, NULL);
	if (err)
		return err;
	id = json_string_value(json_object_get(json_object_get(answer, "header"),
					       "cluster_id"));
	if (etcd_u64(answer, "count"))
		err = store_fail(&h->base, -EINVAL,
				 "below %s in etcd are documents, but no identity: use another prefix",
				 h->cfg.prefix);
	else if (!id || strlen(id) >= 24)
		err = store_fail(&h->base, -EIO, "etcd does not tell its cluster id");
	else
		strcpy(cluster, id);
	json_decref(answer);
	return err;
}

/* Many may try at once: one draw wins, the others read it afterwards. */
int etcd_draw_identity(struct etcd *h, uint64_t deadline)
{
	char cluster[24] = "", uuid[CTL_UUID_TEXT], *text;
	json_t *compares = NULL, *success = NULL, *answer;
	struct swb_uuid u;
	int err = nothing_there(h, deadline, cluster);

	if (err)
		return err;
	uuid_random(&u);
	uuid_text(&u, uuid);
	text = identity_json(uuid, 1, cluster);
	if (!text)
		return -ENOMEM;
	compares = json_pack("[o]", etcd_compare(h, ETCD_IDENTITY, 0));
	success = json_pack("[o]", etcd_request_put(h, ETCD_IDENTITY, text, NULL));
	free(text);
	err = etcd_call(h, ETCD_TXN, etcd_txn_json(compares, success, json_array()),
			ETCD_GUARDED, deadline, &answer, NULL);
	json_decref(answer);
	return err;
}

int etcd_raise(struct store *s, const char *reason)
{
	struct etcd *h = (struct etcd *)s;
	char key[STORE_KEY_MAX], cluster[24], here[24], *text, *line;
	uint64_t deadline = etcd_deadline(h);
	json_t *answer = NULL, *compares, *success;
	struct store_identity id = { 0 };
	const char *now;
	const json_t *kv;
	uint64_t revision;
	int err;

	/* by order: whatever this handle has seen before, and wherever it is now */
	h->seen = 0;
	h->cluster[0] = 0;
	err = etcd_get_one(h, ETCD_IDENTITY, deadline, &answer, &kv);
	if (err)
		return err;
	now = json_string_value(json_object_get(json_object_get(answer, "header"),
						"cluster_id"));
	err = kv && now && strlen(now) < sizeof(here) ?
	      parse_identity(h, kv, &id, cluster) :
	      store_fail(s, -ENOENT, "no store below %s in etcd", h->cfg.prefix);
	revision = etcd_u64(kv, "mod_revision");
	snprintf(here, sizeof(here), "%s", now ? now : "");
	json_decref(answer);
	if (err)
		return err;
	uuid_text((const struct swb_uuid *)id.uuid, h->uuid);
	text = identity_json(h->uuid, id.generation + 1, here);
	line = store_reason_json("new_generation", reason, id.generation + 1);
	snprintf(key, sizeof(key), STORE_HISTORY "%020" PRIu64, id.generation + 1);
	compares = json_pack("[o]", etcd_compare(h, ETCD_IDENTITY, revision));
	success = json_pack("[oo]", etcd_request_put(h, ETCD_IDENTITY, text, NULL),
			    etcd_request_put(h, key, line, NULL));
	free(text);
	free(line);
	err = etcd_call(h, ETCD_TXN, etcd_txn_json(compares, success, json_array()),
			ETCD_ONCE, deadline, &answer, NULL);
	if (!err && !json_is_true(json_object_get(answer, "succeeded")))
		err = store_fail(s, -ESTALE, "somebody else raised it just now");
	json_decref(answer);
	if (err)
		return err;
	h->foreign = false;
	return etcd_load_identity(h, &id, etcd_deadline(h));
}
