// SPDX-License-Identifier: GPL-2.0-only
/* swblockctl store: is it there, how fast is it, and what stands in it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "member.h"
#include "out.h"
#include "store.h"
#include "verbs.h"

#define READS		15
#define WRITES		5
#define CHECK_MS	3000
#define CHECK_TTL_MS	5000

struct times {
	unsigned int count;
	uint64_t ns[READS];
};

static int by_time(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void say_times(struct ctl *ctl, const char *what, struct times *t)
{
	json_t *j = json_object();
	uint64_t median;

	qsort(t->ns, t->count, sizeof(t->ns[0]), by_time);
	median = t->ns[t->count / 2];
	out_line(ctl, "  %-9s median %" PRIu64 " us, slowest %" PRIu64 " us of %u", what,
		 median / 1000, t->ns[t->count - 1] / 1000, t->count);
	json_object_set_new(j, "count", json_u64(t->count));
	json_object_set_new(j, "median_us", json_u64(median / 1000));
	json_object_set_new(j, "slowest_us", json_u64(t->ns[t->count - 1] / 1000));
	out_set(ctl, what, j);
}

static int time_reads(struct ctl *ctl)
{
	struct store_identity id;
	struct times t = { 0 };
	uint64_t start;
	int err = 0;

	while (!err && t.count < READS) {
		start = boottime_ns();
		err = store_identity(ctl->store, &id);
		t.ns[t.count++] = boottime_ns() - start;
	}
	if (!err)
		say_times(ctl, "reads", &t);
	return err;
}

/* A document that nobody reads, and that goes by itself. */
static int time_writes(struct ctl *ctl)
{
	char key[64];
	struct store_op op = { .key = key, .value = "{}", .expect = STORE_ANY,
			       .ttl_ms = CHECK_TTL_MS };
	struct times t = { 0 };
	uint64_t start;
	int err = 0;

	snprintf(key, sizeof(key), "c/%016" PRIx64, random_u64());
	while (!err && t.count < WRITES) {
		start = boottime_ns();
		err = store_txn(ctl->store, &op, 1);
		t.ns[t.count++] = boottime_ns() - start;
	}
	if (!err)
		say_times(ctl, "writes", &t);
	return err;
}

/* Each etcd member by itself; the others must not help it out. */
static void check_member(struct ctl *ctl, const char *host, const char *options,
			 json_t *list)
{
	char address[1024], why[256] = "";
	uint64_t start = boottime_ns();
	json_t *j = json_object();
	struct store *s = NULL;
	int err;

	snprintf(address, sizeof(address), "etcd:%s%s%s", host, *options ? "?" : "",
		 options);
	err = store_open(&s, address, false, CHECK_MS, why, sizeof(why));
	store_close(s);
	if (err)
		out_line(ctl, "  member    %s%s: %s%s", out_bad(ctl), host, why,
			 out_plain(ctl));
	else
		out_line(ctl, "  member    %s: answers after %" PRIu64 " ms", host,
			 (boottime_ns() - start) / 1000000);
	json_object_set_new(j, "member", json_string(host));
	json_object_set_new(j, "answers", json_boolean(!err));
	json_object_set_new(j, "error", err ? json_string(why) : json_null());
	json_array_append_new(list, j);
}

static void check_members(struct ctl *ctl)
{
	char *copy, *options, *host, *save = NULL;
	json_t *list = json_array();

	copy = strncmp(ctl->store_path, "etcd:", 5) ? NULL : strdup(ctl->store_path + 5);
	options = copy ? strchr(copy, '?') : NULL;
	if (options)
		*options++ = 0;
	for (host = copy ? strtok_r(copy, ",", &save) : NULL; host;
	     host = strtok_r(NULL, ",", &save))
		check_member(ctl, host, options ? options : "", list);
	free(copy);
	out_set(ctl, "members", list);
}

static int run_check(struct ctl *ctl)
{
	struct auth_store id;
	char uuid[CTL_UUID_TEXT];
	int ret, err;

	ret = need_store(ctl, false);
	if (ret)
		return ret;
	err = authority_identity(ctl->store, &id);
	if (err)
		return store_said(ctl, err);
	uuid_text(&id.uuid, uuid);
	out_line(ctl, "%s%s%s (%s)", out_bold(ctl), ctl->store_path, out_plain(ctl),
		 store_backend(ctl->store));
	out_line(ctl, "  identity  %s, generation %" PRIu64, uuid, id.generation);
	out_set(ctl, "address", json_string(ctl->store_path));
	out_set(ctl, "backend", json_string(store_backend(ctl->store)));
	out_set(ctl, "store", json_uuid(&id.uuid));
	out_set(ctl, "store_generation", json_u64(id.generation));
	check_members(ctl);
	err = time_reads(ctl);
	if (!err && opt_has(ctl, "write"))
		err = time_writes(ctl);
	return err ? store_said(ctl, err) : CTL_OK;
}

static int run_dump(struct ctl *ctl)
{
	const char *prefix = ctl->pos_count ? ctl->pos[0] : "";
	json_t *list = json_array(), *one, *value;
	struct store_doc *doc;
	size_t i, count;
	int ret, err;

	out_set(ctl, "documents", list);
	ret = need_store(ctl, false);
	if (ret)
		return ret;
	err = store_list(ctl->store, prefix, &doc, &count);
	if (err)
		return store_said(ctl, err);
	for (i = 0; i < count; i++) {
		value = json_loads(doc[i].value, JSON_DECODE_ANY, NULL);
		one = json_object();
		json_object_set_new(one, "key", json_string(doc[i].key));
		json_object_set_new(one, "revision", json_u64(doc[i].revision));
		json_object_set_new(one, "value", value ? value :
				    json_string(doc[i].value));
		out_line(ctl, "%s  %s", doc[i].key, doc[i].value);
		json_array_append_new(list, one);
	}
	store_docs_free(doc, count);
	return CTL_OK;
}

static const struct opt_def check_opts[] = {
	{ "write", 0, NULL, "write, too: a document that goes by itself" },
	{ NULL },
};

const struct verb verb_store_check = {
	.name = "store check",
	.synopsis = "[--write]",
	.summary = "Ask the authority store who it is, and how fast",
	.detail =
	"Identity and generation, the time of linearizable reads and, with --write, of\n"
	"durable writes; of an etcd store each member by itself.",
	.example = "  swblockctl store check --store etcd:h1:2379,h2:2379,h3:2379 --write",
	.opts = check_opts,
	.pos_min = 0,
	.pos_max = 0,
	.run = run_check,
};

const struct verb verb_store_dump = {
	.name = "store dump",
	.synopsis = "[PREFIX]",
	.summary = "Print the documents of the authority store",
	.detail =
	"One a line, in order of their keys: v/ records, declarations, reports, states\n"
	"and orders of volumes, n/ signs of life, h/ history, g/ grants, l/ labels.",
	.example = "  swblockctl store dump v/\n  swblockctl store dump -j | jq .documents",
	.pos_min = 0,
	.pos_max = 1,
	.run = run_dump,
};
