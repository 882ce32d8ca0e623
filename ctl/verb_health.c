// SPDX-License-Identifier: GPL-2.0-only
/*
 * swblockctl health, events, node list: for monitoring. Exit codes of health are
 * those that monitoring systems expect, not those of the other verbs.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "verbs.h"
#include "cluster.h"

static void say(struct ctl *ctl, const struct board_volume *v,
		const struct health *h)
{
	unsigned int i;

	out_line(ctl, "%s: %s", v->record.label, health_text(h->level));
	for (i = 0; i < h->count; i++)
		out_line(ctl, "  %s: %s%s%s", health_text(h->finding[i].level),
			 h->finding[i].text, *h->finding[i].hint ? "; " : "",
			 h->finding[i].hint);
}

/* The worst of all volumes; not to know is worse than a warning. */
static enum health_level worse(enum health_level a, enum health_level b)
{
	static const int rank[] = { 0, 1, 3, 2 };

	return rank[a] > rank[b] ? a : b;
}

static int run_health(struct ctl *ctl)
{
	enum health_level level = HEALTH_OK;
	struct board_volume *only = NULL;
	json_t *list = json_array();
	struct health h;
	struct board *b;
	size_t i;

	if (cluster_load(ctl, ctl->pos_count ? ctl->pos[0] : NULL, &b, &only)) {
		json_decref(list);
		return HEALTH_UNKNOWN;
	}
	for (i = 0; i < b->volume_count; i++) {
		const struct board_volume *v = b->volume[i];

		if ((only && v != only) || (!only && !cluster_declared(v)))
			continue;
		health_judge(b, v, &h);
		level = worse(level, h.level);
		say(ctl, v, &h);
		json_array_append_new(list, health_json(v, &h));
	}
	out_set(ctl, "health", json_string(health_text(level)));
	out_set(ctl, "volumes", list);
	board_free(b);
	return (int)level;
}

/* --- nodes ------------------------------------------------------------------ */

static int run_nodes(struct ctl *ctl)
{
	json_t *list = json_array();
	struct board *b;
	size_t i;
	int ret;

	ret = cluster_load(ctl, NULL, &b, NULL);
	if (ret) {
		json_decref(list);
		return ret;
	}
	for (i = 0; i < b->node_count; i++) {
		const struct board_node *n = &b->node[i];

		out_line(ctl, "%-16s %-24s swblockd %s", n->node,
			 *n->address ? n->address : "no links", n->version);
		json_array_append_new(list, board_node_to_json(n));
	}
	if (!b->node_count)
		out_line(ctl, "no host shows a sign of life: start swblockd");
	out_set(ctl, "nodes", list);
	board_free(b);
	return CTL_OK;
}

/* --- events ------------------------------------------------------------------- */

#define EVENTS_MAX	1000
#define FOLLOW_MS	1000

/* ", case G: sentence": what a controller decided by; nothing for a person's order */
static void case_words(const json_t *one, char *out, size_t len)
{
	const json_t *detail = json_object_get(one, "detail");
	const char *letter = json_string_value(json_object_get(detail, "case"));
	const char *cause = json_string_value(json_object_get(detail, "cause"));
	const char *text;

	out[0] = 0;
	if (!letter || !*letter)
		return;
	text = swb_text_case(SWBLOCK_TABLE_VOLUME, (uint8_t)*letter);
	snprintf(out, len, ", case %c%s%s%s: %s", *letter, cause ? " (" : "",
		 cause ? cause : "", cause ? ")" : "", text ? text : "?");
}

static void say_event(const struct ctl *ctl, const char *label, const json_t *one)
{
	char words[256];
	const char *reason = json_string_value(json_object_get(one, "reason"));
	json_t *j;

	if (ctl->json) {
		j = json_deep_copy(one);
		json_object_set_new(j, "volume", json_string(label));
		out_stream(ctl, j);
		return;
	}
	case_words(one, words, sizeof(words));
	out_line(ctl, "%" JSON_INTEGER_FORMAT " %s %s %s epoch %" JSON_INTEGER_FORMAT
		 "%s%s%s", json_integer_value(json_object_get(one, "id")),
		 json_string_value(json_object_get(one, "at")), label,
		 json_string_value(json_object_get(one, "action")),
		 json_integer_value(json_object_get(one, "epoch")), words,
		 reason && *reason ? ": " : "", reason ? reason : "");
}

/* Newest first in the store, oldest first for a reader. Returns the newest id. */
static uint64_t say_since(struct ctl *ctl, const struct auth_record *r,
			  uint64_t since, bool *gap)
{
	json_t *list = authority_history(ctl->store, &r->volume, EVENTS_MAX);
	size_t i = json_array_size(list);
	uint64_t newest = since, first = 0;

	while (i--) {
		const json_t *one = json_array_get(list, i);
		uint64_t id = (uint64_t)json_integer_value(json_object_get(one, "id"));

		if (!first)
			first = id;
		if (id <= since)
			continue;
		say_event(ctl, r->label, one);
		newest = id;
	}
	/* older ones were dropped before this reader came back */
	*gap = since && first > since + 1;
	json_decref(list);
	return newest;
}

static int run_events(struct ctl *ctl)
{
	const char *text = opt_get(ctl, "since"), *length = opt_get(ctl, "for");
	uint64_t since = 0, ms = 0, deadline_ns = 0, change = 0;
	struct auth_record rec;
	bool gap;
	int ret, err;

	if (text && !number_parse(text, INT64_MAX, &since))
		return out_fail(ctl, &err_usage, NULL, "--since is a number");
	if (length && !duration_parse(length, &ms))
		return out_fail(ctl, &err_usage, NULL, "--for is a time");
	ctl->streaming = true;
	ret = need_store(ctl, false);
	if (ret)
		return ret;
	err = authority_find(ctl->store, ctl->pos[0], &rec);
	if (err)
		return store_said(ctl, err);
	if (ms)
		deadline_ns = boottime_ns() + ms * SWB_NSEC_PER_MSEC;
	for (;;) {
		since = say_since(ctl, &rec, since, &gap);
		if (gap)
			out_note(ctl, "events before these were dropped: look at swblockctl status, too");
		if (!opt_has(ctl, "follow") ||
		    (deadline_ns && boottime_ns() >= deadline_ns))
			return CTL_OK;
		err = store_wait(ctl->store, "h/", &change, FOLLOW_MS);
		if (err < 0)
			return store_said(ctl, err);
	}
}

static const struct opt_def events_opts[] = {
	{ "since", 's', "N", "only what came after number N" },
	{ "follow", 'f', NULL, "and what comes" },
	{ "for", 0, "TIME", "end --follow after this time" },
	{ NULL },
};

const struct verb verb_health = {
	.name = "health",
	.synopsis = "[VOLUME]",
	.summary = "Judge declared volumes, for monitoring: exit code 0 to 3",
	.detail =
	"Exit codes: 0 ok, 1 warning (works, with less than was declared), 2 critical (no\n"
	"I/O, or a promise is not kept), 3 unknown. Each finding has a fixed code in -j.",
	.example = "  swblockctl health db -j",
	.pos_min = 0,
	.pos_max = 1,
	.run = run_health,
};

const struct verb verb_node_list = {
	.name = "node list",
	.synopsis = "",
	.summary = "Show the hosts that show a sign of life",
	.example = "  swblockctl node list",
	.pos_min = 0,
	.pos_max = 0,
	.run = run_nodes,
};

const struct verb verb_events = {
	.name = "events",
	.synopsis = "VOLUME [--since N] [--follow]",
	.summary = "What was decided about a volume, and why; can be resumed",
	.detail =
	"Every change of the authority record, numbered without gaps, with its case\n"
	"letter. --since goes on where a reader stopped; a note says if lines were lost.\n"
	"Events of the kernel on this host are shown by monitor.",
	.example = "  swblockctl events db --since 17 --follow -j",
	.opts = events_opts,
	.pos_min = 1,
	.pos_max = 1,
	.run = run_events,
};
