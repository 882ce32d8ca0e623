// SPDX-License-Identifier: GPL-2.0-only
/*
 * The documents of the blackboard: what is written is what is read, and anything
 * else that lies in the store is refused with its place, never half believed.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "board.h"
#include "out.h"
#include "tap.h"

const struct verb *const ctl_verbs[] = { NULL };

static char dir[32] = "/tmp/swb-board-XXXXXX";
static char path[64];

/* one document type as the tests see it */
struct kind {
	const char *name;
	size_t size;
	void (*fill)(void *p);
	json_t *(*out)(const void *p);
	int (*in)(const json_t *j, void *p, char *why, size_t len);
};

static struct swb_uuid id(unsigned int n)
{
	struct swb_uuid u = { { 1, 2, 3 } };

	u.b[15] = (u8)n;
	return u;
}

static void fill_wish(void *p)
{
	struct board_wish *w = p;
	unsigned int i;

	w->sequence = 3;
	strcpy(w->label, "db");
	w->size_bytes = 10ULL << 30;
	w->mode = SWBLOCK_MODE_SYNC_QUORUM;
	w->policy = SWBLOCK_POLICY_WRITTEN;
	w->required = 5;
	w->lease_ms = 3000;
	w->shrink_ms = 20000;
	w->primary = id(2);
	w->override = true;
	strcpy(w->reason, "\"a\" burns, \xc3\xa4h");
	w->member_count = SWB_MEMBERS_MAX;
	for (i = 0; i < SWB_MEMBERS_MAX; i++) {
		w->member[i].replica = id(i + 1);
		snprintf(w->member[i].label, 8, "m%u", i);
		snprintf(w->member[i].node, 16, "host-%u.lan", i);
		memset(w->member[i].data, 'x', SWBLOCK_PATH_MAX - 1);
		w->member[i].format_force = i & 1;
	}
}

static void fill_report(void *p)
{
	struct board_report *r = p;

	strcpy(r->node, "a");
	r->boot = id(9);
	r->report = (struct swb_report){ id(1), 7, 6, INT64_MAX, 12, 3 };
}

static void fill_state(void *p)
{
	struct board_state *s = p;
	unsigned int i;

	strcpy(s->node, "a");
	s->boot = id(9);
	s->sequence = 77;
	s->replica = id(1);
	strcpy(s->label, "a");
	s->attached = true;
	s->minor = 3;
	s->role = SWBLOCK_ROLE_PRIMARY;
	s->epoch = 9;
	s->opened = 9;
	s->settled = true;
	s->primary = id(1);
	s->conditions = SWBLOCK_COND_DEGRADED;
	s->head_lsn = 1000;
	s->ring_bytes = UINT32_MAX * 3ULL;
	s->parked = UINT32_MAX;
	s->local_letter = 'A';
	s->volume_letter = 'Q';
	s->cause = 4;
	strcpy(s->waits, "for c: its disk hangs");
	s->peer_count = 2;
	for (i = 0; i < 2; i++) {
		s->peer[i].replica = id(i + 2);
		s->peer[i].state = SWBLOCK_PEER_IN_SYNC;
		s->peer[i].letter = 'C';
		s->peer[i].behind_bytes = 1 << 20;
		strcpy(s->peer[i].rebuild.kind, "delta");
		s->peer[i].rebuild.total_bytes = 1ULL << 40;
	}
}

static void fill_node(void *p)
{
	struct board_node *n = p;

	strcpy(n->node, "a.example.org");
	n->boot = id(9);
	n->instance = id(10);
	n->counter = 4711;
	strcpy(n->address, "[::1]:7800");
	strcpy(n->version, "0.1");
}

static void fill_order(void *p)
{
	struct board_order *o = p;

	o->id = 12;
	strcpy(o->verb, "rebuild");
	o->target = id(2);
	o->state = BOARD_ORDER_RUNNING;
	strcpy(o->by, "ops@a");
	strcpy(o->text, "half way");
}

#define KIND(n) \
	static json_t *out_##n(const void *p) { return board_##n##_to_json(p); } \
	static int in_##n(const json_t *j, void *p, char *why, size_t len) \
	{ return board_##n##_from_json(j, p, why, len); }
KIND(wish)
KIND(report)
KIND(state)
KIND(node)
KIND(order)
#define ROW(n) { #n, sizeof(struct board_##n), fill_##n, out_##n, in_##n }

static const struct kind kinds[] = {
	ROW(wish), ROW(report), ROW(state), ROW(node), ROW(order),
};

static bool all_zero(const char *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (p[i])
			return false;
	return true;
}

/* Every member of every object in turn: taken away, and replaced by what it is not. */
static unsigned int spoil(const struct kind *k, json_t *doc, json_t *part,
			  const char *name, void *buf)
{
	json_t *bad[] = { NULL, json_integer(-1), json_real(0.5), json_object(),
			  json_pack("[i]", 1), json_string("\x1b[2J"),
			  json_stringn("a\0b", 3), json_string("no such word!") };
	json_t *was = json_incref(json_object_get(part, name));
	unsigned int i, wrong = 0;
	char why[128];

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		if (bad[i])
			json_object_set(part, name, bad[i]);
		else
			json_object_del(part, name);
		memset(buf, 0xff, k->size);
		why[0] = 0;
		/* args and result of an order are whatever the verb says */
		if (bad[i] && json_is_object(bad[i]) &&
		    (!strcmp(name, "args") || !strcmp(name, "result")))
			continue;
		if (!bad[i] && !strcmp(name, "deleted"))
			continue;	/* absent is false */
		/* a text may say anything that a terminal can take */
		if (k->in(doc, buf, why, sizeof(why)) == 0) {
			wrong += !bad[i] || !json_is_string(bad[i]) ||
				 json_string_length(bad[i]) != 13;
			if (!strcmp(k->name, "order"))
				board_order_free(buf);
		} else if (!all_zero(buf, k->size) || !strstr(why, name)) {
			printf("# %s.%s: %s\n", k->name, name, why);
			wrong++;
		}
	}
	json_object_set_new(part, name, was);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		json_decref(bad[i]);
	return wrong;
}

static unsigned int spoil_all(const struct kind *k, json_t *doc, json_t *part,
			      void *buf, unsigned int *fields)
{
	unsigned int wrong = 0;
	const char *key;
	char *names[64];
	json_t *v, *one;
	size_t n = 0, i, e;

	json_object_foreach(part, key, v)
		names[n++] = strdup(key);
	for (i = 0; i < n; i++) {
		wrong += spoil(k, doc, part, names[i], buf);
		++*fields;
		v = json_object_get(part, names[i]);
		if (json_is_object(v))
			wrong += spoil_all(k, doc, v, buf, fields);
		json_array_foreach(v, e, one)
			if (json_is_object(one))
				wrong += spoil_all(k, doc, one, buf, fields);
		free(names[i]);
	}
	return wrong;
}

static void test_round_trip(const struct kind *k)
{
	void *a = calloc(1, k->size), *b = malloc(k->size);
	unsigned int fields = 0, wrong;
	char why[128] = "";
	json_t *j;

	k->fill(a);
	j = k->out(a);
	memset(b, 0xff, k->size);
	ok(!k->in(j, b, why, sizeof(why)) && !memcmp(a, b, k->size),
	   "a %s goes out and in unchanged %s", k->name, why);
	json_object_set_new(j, "of_a_newer_program", json_true());
	ok(!k->in(j, b, why, sizeof(why)), "what is not known is ignored");
	json_object_del(j, "of_a_newer_program");
	wrong = spoil_all(k, j, j, b, &fields);
	ok(!wrong, "a %s with any of %u members spoilt is refused, named, and empty (%u wrong)",
	   k->name, fields, wrong);
	json_decref(j);
	free(a);
	free(b);
}

/* Bytes changed at random: any answer will do, but a crash (under sanitizers). */
static void test_torn(const struct kind *k)
{
	void *a = calloc(1, k->size), *b = malloc(k->size);
	unsigned int i, e, refused = 0, rounds = 3000;
	char why[128], *text, *copy;
	json_t *j;
	size_t len;

	k->fill(a);
	j = k->out(a);
	text = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	len = strlen(text);
	for (i = 0; i < rounds; i++) {
		copy = strdup(text);
		for (e = 0; e < 1 + i % 4; e++)
			copy[random_u64() % len] = (char)(random_u64() & 0x7f);
		if (i % 5 == 0)
			copy[random_u64() % len] = 0;
		j = json_loads(copy, 0, NULL);
		if (!j || k->in(j, b, why, sizeof(why)))
			refused++;
		else if (!strcmp(k->name, "order"))
			board_order_free(b);
		json_decref(j);
		free(copy);
	}
	ok(refused > rounds / 4, "%s: %u of %u torn ones refused", k->name, refused,
	   rounds);
	free(text);
	free(a);
	free(b);
}

static void test_wish_rules(void)
{
	struct board_wish w = { 0 }, back;
	char why[128];
	json_t *j;

#define REFUSED(change, text) \
	do { \
		memset(&w, 0, sizeof(w)); \
		fill_wish(&w); \
		change; \
		j = board_wish_to_json(&w); \
		ok(board_wish_from_json(j, &back, why, sizeof(why)) == -EBADMSG, text); \
		json_decref(j); \
	} while (0)

	REFUSED(w.member[1].replica = w.member[0].replica, "the same replica twice");
	REFUSED(strcpy(w.member[1].label, "m0"), "the same label twice");
	REFUSED(w.primary = id(77), "a stranger for primary");
	REFUSED(w.required = 1 << SWB_MEMBERS_MAX, "a required set of nobody");
	REFUSED(w.member_count = 0, "no members");
	REFUSED(w.sequence = 0, "no sequence");
	REFUSED(strcpy(w.member[2].node, "a/../b"), "a host name that leaves its key");
}

static int open_store(struct store **out)
{
	char why[256];

	return store_open(out, path, true, 5000, why, sizeof(why));
}

static void put_raw(struct store *s, const char *key, const char *value)
{
	struct store_op op = { .key = key, .value = value, .expect = STORE_ANY };

	store_txn(s, &op, 1);
}

static void test_documents(void)
{
	const struct swb_uuid v = id(200), r = id(1);
	struct board_order order = { 0 }, got;
	struct board_state st = { 0 }, st2;
	struct board_report rep = { 0 };
	struct board_wish w = { 0 }, w2;
	struct board_node n = { 0 };
	uint64_t rev = 0, rev2 = 0;
	struct board *b;
	struct store *s;

	fill_wish(&w);
	fill_state(&st);
	fill_report(&rep);
	fill_node(&n);
	fill_order(&order);
	ok(!open_store(&s), "a store");
	ok(board_get_wish(s, &v, &w2, &rev) == -ENOENT, "no wish yet");
	ok(!board_put_wish(s, &v, &w, STORE_ABSENT) &&
	   !board_get_wish(s, &v, &w2, &rev) && !memcmp(&w, &w2, sizeof(w)),
	   "a wish is declared");
	w.sequence++;
	ok(!board_put_wish(s, &v, &w, rev) &&
	   board_put_wish(s, &v, &w, rev) == -ESTALE, "and changed by one of two");
	ok(!board_put_state(s, &v, &st) && !board_get_state(s, &v, &r, &st2, NULL) &&
	   !memcmp(&st, &st2, sizeof(st)), "a state");
	ok(!board_put_report(s, &v, &rep) && !board_put_node(s, &n, 60000),
	   "a report, a sign of life");
	order.args = json_pack("{s:i}", "rate", 5);
	ok(!board_new_order(s, &v, &order) && order.id == 1 &&
	   !board_new_order(s, &v, &order) && order.id == 2, "orders are numbered");
	ok(!board_get_order(s, &v, 2, &got, &rev2) && got.state == BOARD_ORDER_RUNNING &&
	   json_equal(got.args, order.args), "and found");
	board_order_free(&got);
	ok(!board_load(s, NULL, &b) && b->volume_count == 1 && b->node_count == 1 &&
	   board_find(b, &v) && board_find(b, &v)->wish.sequence == 4 &&
	   board_find(b, &v)->report_count == 1 && board_find(b, &v)->state_count == 1 &&
	   board_find(b, &v)->order_count == 2 && !board_find(b, &v)->bad[0] &&
	   b->node_revision[0], "everything at once");
	board_free(b);
	put_raw(s, "v/01020300-0000-0000-0000-0000000000c8/state/"
		"01020300-0000-0000-0000-000000000002", "{\"node\": 3}");
	put_raw(s, "v/01020300-0000-0000-0000-0000000000c8/wish", "{\"sequence\": ");
	put_raw(s, "n/evil", "[[[[");
	put_raw(s, "v/garbage", "{}");
	ok(!board_load(s, &v, &b) && board_find(b, &v)->state_count == 1 &&
	   !board_find(b, &v)->wish_revision && b->node_count == 1 &&
	   strstr(board_find(b, &v)->bad, "/state/") &&
	   strstr(board_find(b, &v)->bad, "node"), "damaged ones are named and left out: %s",
	   b ? board_find(b, &v)->bad : "");
	board_free(b);
	ok(board_get_wish(s, &v, &w2, NULL) == -EBADMSG && all_zero((char *)&w2, 8) &&
	   strstr(store_error(s), "/wish: line 1"), "%s", store_error(s));
	ok(!board_delete_order(s, &v, 2, rev2) &&
	   board_get_order(s, &v, 2, &got, NULL) == -ENOENT, "an order is taken away");
	board_order_free(&order);
	store_close(s);
}

int main(void)
{
	size_t i;

	if (!mkdtemp(dir))
		return EXIT_FAILURE;
	snprintf(path, sizeof(path), "%s/authority.db", dir);
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		test_round_trip(&kinds[i]);
		test_torn(&kinds[i]);
	}
	test_wish_rules();
	test_documents();
	unlink(path);
	rmdir(dir);
	return tap_done();
}
