// SPDX-License-Identifier: GPL-2.0-only
/*
 * swblockctl volume: declare a volume and change the declaration. Nothing here
 * touches a kernel: the wish goes into the store, the daemons of the hosts make it
 * true, and these verbs watch them do it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster.h"
#include "core/text.h"
#include "verbs.h"
#include "volume.h"

#define MIB		(1024ULL * 1024)
#define LEASE_MS	10000
#define SHRINK_MS	30000
#define LEASE_MIN_MS	500
#define LEASE_MAX_MS	600000

/* --- options that create and set share ------------------------------------ */

static int take_rules(struct ctl *ctl, struct board_wish *w)
{
	const char *mode = opt_get(ctl, "mode"), *policy = opt_get(ctl, "policy");
	const char *lease = opt_get(ctl, "lease");
	const char *shrink = opt_get(ctl, "shrink-after");
	uint64_t ms;

	if (mode && !mode_parse(mode, &w->mode))
		return out_fail(ctl, &err_usage,
				"best_effort, sync_quorum or sync_all",
				"not a mode: \"%s\"", mode);
	if (policy && !policy_parse(policy, &w->policy))
		return out_fail(ctl, &err_usage, "local, received or written",
				"not an ack policy: \"%s\"", policy);
	if (lease) {
		if (!duration_parse(lease, &ms) || ms < LEASE_MIN_MS ||
		    ms > LEASE_MAX_MS)
			return out_fail(ctl, &err_usage, "for example 10s",
					"--lease is 500ms to 10min");
		w->lease_ms = (uint32_t)ms;
	}
	if (shrink) {
		if (!strcmp(shrink, "never"))
			ms = 0;
		else if (!duration_parse(shrink, &ms) || ms > UINT32_MAX || !ms)
			return out_fail(ctl, &err_usage, "for example 30s, or never",
					"--shrink-after is a time");
		w->shrink_ms = (uint32_t)ms;
	}
	if (w->mode == SWBLOCK_MODE_SYNC_QUORUM && w->member_count < 3)
		return out_fail(ctl, &err_refused,
				"name a third node, or use sync_all",
				"a majority of %u says nothing: sync_quorum needs 3 members",
				w->member_count);
	return CTL_OK;
}

/* "a:/dev/vdb" or "a:/dev/vdb+/dev/nvme0n1p3" with the log on another device */
int volume_take_member(struct ctl *ctl, const char *text, struct board_member *m)
{
	const char *colon = strchr(text, ':'), *plus;
	size_t len = colon ? (size_t)(colon - text) : 0;

	memset(m, 0, sizeof(*m));
	if (!len || len >= sizeof(m->label) || colon[1] != '/')
		return out_fail(ctl, &err_usage,
				"NODE:/dev/DISK, and +/dev/DISK2 for the log",
				"not a node and its disk: \"%s\"", text);
	memcpy(m->node, text, len);
	text_copy(m->label, m->node, sizeof(m->label));
	if (!label_ok(m->label))
		return out_fail(ctl, &err_usage,
				"a letter first, then letters, digits, . _ -",
				"not a name of a node: \"%s\"", m->node);
	plus = strchr(colon, '+');
	len = plus ? (size_t)(plus - colon - 1) : strlen(colon + 1);
	if (len >= sizeof(m->data) || (plus && strlen(plus + 1) >= sizeof(m->wal)))
		return out_fail(ctl, &err_usage, NULL, "the path is too long: \"%s\"",
				text);
	memcpy(m->data, colon + 1, len);
	if (plus)
		text_copy(m->wal, plus + 1, sizeof(m->wal));
	uuid_random(&m->replica);
	m->format = true;
	m->format_force = opt_has(ctl, "force");
	return CTL_OK;
}

static int take_nodes(struct ctl *ctl, struct board_wish *w)
{
	const char *words[SWB_MEMBERS_MAX + 1], *text = opt_get(ctl, "nodes");
	unsigned int n, i, k;
	char list[2048];
	int ret;

	if (!text)
		return out_fail(ctl, &err_usage,
				"for example --nodes a:/dev/vdb,b:/dev/vdb,c:/dev/vdb",
				"--nodes is missing");
	text_copy(list, text, sizeof(list));
	n = words_split(list, words, SWB_MEMBERS_MAX + 1);
	if (!n || n > SWB_MEMBERS_MAX)
		return out_fail(ctl, &err_usage, NULL, "a volume has 1 to %d members",
				SWB_MEMBERS_MAX);
	for (i = 0; i < n; i++) {
		ret = volume_take_member(ctl, words[i], &w->member[i]);
		if (ret)
			return ret;
		for (k = 0; k < i; k++)
			if (!strcmp(w->member[k].label, w->member[i].label))
				return out_fail(ctl, &err_usage,
						"one member of a volume per node",
						"\"%s\" is named twice",
						w->member[i].label);
	}
	w->member_count = n;
	w->required = (1u << n) - 1;
	return CTL_OK;
}

/* --- create ----------------------------------------------------------------- */

static int take_create(struct ctl *ctl, struct board_wish *w)
{
	const char *size = opt_get(ctl, "size");
	int ret;

	memset(w, 0, sizeof(*w));
	if (!label_ok(ctl->pos[0]))
		return out_fail(ctl, &err_usage,
				"a letter first, then letters, digits, . _ -, at most 31",
				"not a name for a volume: \"%s\"", ctl->pos[0]);
	text_copy(w->label, ctl->pos[0], sizeof(w->label));
	if (!size || !size_parse(size, &w->size_bytes) ||
	    w->size_bytes < MIB || w->size_bytes % 4096)
		return out_fail(ctl, &err_usage, "for example --size 10G",
				"--size is a multiple of 4 KiB, at least 1 MiB");
	ret = take_nodes(ctl, w);
	if (ret)
		return ret;
	w->mode = w->member_count > 2 ? SWBLOCK_MODE_SYNC_QUORUM :
		  w->member_count > 1 ? SWBLOCK_MODE_SYNC_ALL :
		  SWBLOCK_MODE_BEST_EFFORT;
	w->policy = SWBLOCK_POLICY_WRITTEN;
	w->lease_ms = LEASE_MS;
	w->shrink_ms = SHRINK_MS;
	if (opt_has(ctl, "reason"))
		text_copy(w->reason, opt_get(ctl, "reason"), sizeof(w->reason));
	return take_rules(ctl, w);
}

static void first_record(const struct board_wish *w, const struct swb_uuid *volume,
			 struct auth_record *r)
{
	unsigned int i;

	memset(r, 0, sizeof(*r));
	r->volume = *volume;
	r->phase = AUTH_NEW;
	text_copy(r->label, w->label, sizeof(r->label));
	uuid_random(&r->nonce);
	r->config.mode = w->mode;
	r->config.policy = w->policy;
	r->config.member_count = (u8)w->member_count;
	r->config.required = w->required;
	r->lease_ms = w->lease_ms;
	r->member_count = w->member_count;
	for (i = 0; i < w->member_count; i++) {
		r->config.member[i] = w->member[i].replica;
		r->member[i].id = w->member[i].replica;
		text_copy(r->member[i].label, w->member[i].label,
			  sizeof(r->member[i].label));
	}
}

/* A daemon that is not there would never format its disk: say so before. */
static int need_hosts(struct ctl *ctl, const struct board *b,
		      const struct board_wish *w)
{
	unsigned int i;

	for (i = 0; i < w->member_count; i++)
		if (!cluster_node(b, w->member[i].node))
			return out_fail(ctl, &err_no_object,
					"start swblockd there with this store, or check its name with swblockctl node list",
					"no sign of life of node \"%s\"",
					w->member[i].node);
	return CTL_OK;
}

static void say_plan(struct ctl *ctl, const struct board_volume *v,
		     const struct board_wish *w)
{
	char size[32], lease[32];
	unsigned int i;

	size_text(w->size_bytes, size, sizeof(size));
	duration_text(w->lease_ms * SWB_NSEC_PER_MSEC, lease, sizeof(lease));
	out_line(ctl, "%s: %s, %s, policy %s, lease %s", w->label, size,
		 swb_text_mode(w->mode), swb_text_policy(w->policy), lease);
	for (i = 0; i < w->member_count; i++)
		out_line(ctl, "  %s on %s: %s%s%s%s", w->member[i].label,
			 w->member[i].node, w->member[i].data,
			 *w->member[i].wal ? ", log on " : "", w->member[i].wal,
			 w->member[i].format_force ?
			 " is formatted, whatever is on it" : "");
	out_set(ctl, "wish", board_wish_to_json(w));
	out_set(ctl, "consequences", cluster_consequences(ctl, NULL, v, w, true));
}

static int create(struct ctl *ctl, const struct swb_uuid *volume,
		  const struct board_wish *w)
{
	struct auth_note note = { .action = "create", .reason = w->reason };
	struct auth_record r;
	int err;

	err = board_put_wish(ctl->store, volume, w, STORE_ABSENT);
	if (err)
		return store_said(ctl, err);
	first_record(w, volume, &r);
	err = authority_create(ctl->store, &r, &note);
	if (err == -EEXIST)
		return out_fail(ctl, &err_stale,
				"choose another name; swblockctl volume delete frees this one",
				"somebody has just made a volume \"%s\"", w->label);
	return err ? store_said(ctl, err) : CTL_OK;
}

static int run_create(struct ctl *ctl)
{
	struct board_volume plan = { .volume = { { 0 } } };
	struct swb_uuid volume;
	struct auth_record old;
	struct board_wish w;
	struct board *b;
	int ret, err;

	ret = take_create(ctl, &w);
	if (!ret)
		ret = cluster_load(ctl, NULL, &b, NULL);
	if (ret)
		return ret;
	ret = need_hosts(ctl, b, &w);
	board_free(b);
	if (ret)
		return ret;
	err = authority_find(ctl->store, w.label, &old);
	if (!err)
		return out_fail(ctl, &err_refused,
				"choose another name; swblockctl volume delete frees this one",
				"there is a volume \"%s\" already", w.label);
	if (err != -ENOENT)
		return store_said(ctl, err);
	w.sequence = 1;
	uuid_random(&volume);
	plan.wish = w;
	say_plan(ctl, &plan, &w);
	if (opt_has(ctl, "dry-run"))
		return CTL_OK;
	ret = create(ctl, &volume, &w);
	if (ret || opt_has(ctl, "no-wait"))
		return ret;
	return volume_wait(ctl, &volume, VOLUME_USABLE);
}

/* --- set, list ------------------------------------------------------- */

static int take_set(struct ctl *ctl, struct board_wish *w)
{
	const char *size = opt_get(ctl, "size");
	const struct board_member *m;
	uint64_t bytes;
	int ret;

	ret = take_rules(ctl, w);
	if (ret)
		return ret;
	if (size) {
		if (!size_parse(size, &bytes) || bytes % 4096)
			return out_fail(ctl, &err_usage, "for example --size 20G",
					"--size is a multiple of 4 KiB");
		if (bytes < w->size_bytes)
			return out_fail(ctl, &err_refused,
					"make a smaller volume and copy",
					"a volume grows, it never shrinks");
		w->size_bytes = bytes;
	}
	if (opt_has(ctl, "stop"))
		w->stopped = true;
	if (opt_has(ctl, "start"))
		w->stopped = false;
	if (opt_has(ctl, "prefer")) {
		m = cluster_member(w, opt_get(ctl, "prefer"));
		if (!m)
			return out_fail(ctl, &err_no_object, NULL,
					"%s has no member \"%s\"", w->label,
					opt_get(ctl, "prefer"));
		w->primary = m->replica;
	}
	w->override = false;
	return CTL_OK;
}

int volume_need(struct ctl *ctl, struct board **b, struct board_volume **v)
{
	int ret = cluster_load(ctl, ctl->pos[0], b, v);

	if (ret)
		return ret;
	if (cluster_declared(*v)) {
		(*v)->wish.override = false;	/* it was for one grant */
		return CTL_OK;
	}
	board_free(*b);
	return out_fail(ctl, &err_refused,
			"use assign, promote, link; or make a new one with volume create",
			"%s is run by hand: it was never declared", ctl->pos[0]);
}

/* Put the changed wish, wait until it is true; frees @b. */
int volume_change(struct ctl *ctl, struct board *b, struct board_volume *v,
		  enum volume_goal goal)
{
	struct swb_uuid volume = v->volume;
	int ret;

	if (opt_has(ctl, "reason"))
		text_copy(v->wish.reason, opt_get(ctl, "reason"),
			  sizeof(v->wish.reason));
	say_plan(ctl, v, &v->wish);
	ret = opt_has(ctl, "dry-run") ? CTL_OK : cluster_put_wish(ctl, v);
	board_free(b);
	if (ret || opt_has(ctl, "dry-run") || opt_has(ctl, "no-wait"))
		return ret;
	return volume_wait(ctl, &volume, goal);
}

static int run_set(struct ctl *ctl)
{
	struct board_volume *v;
	struct board *b;
	int ret;

	ret = volume_need(ctl, &b, &v);
	if (ret)
		return ret;
	ret = take_set(ctl, &v->wish);
	if (ret) {
		board_free(b);
		return ret;
	}
	return volume_change(ctl, b, v, v->wish.stopped ? VOLUME_STOPPED :
			     VOLUME_DONE);
}

static int run_list(struct ctl *ctl)
{
	json_t *list = json_array(), *one;
	struct health h;
	struct board *b;
	char size[32];
	size_t i;
	int ret;

	ret = cluster_load(ctl, NULL, &b, NULL);
	if (ret) {
		json_decref(list);
		return ret;
	}
	for (i = 0; i < b->volume_count; i++) {
		const struct board_volume *v = b->volume[i];

		health_judge(b, v, &h);
		size_text(v->wish.size_bytes, size, sizeof(size));
		out_line(ctl, "%-16s %-10s %-12s %-9s %u members",
			 v->record_revision ? v->record.label : v->wish.label,
			 cluster_declared(v) ? size : "by hand",
			 swb_text_mode(v->record.config.mode),
			 health_text(h.level), v->record.config.member_count);
		one = json_object();
		json_object_set_new(one, "volume", json_uuid(&v->volume));
		json_object_set_new(one, "label", json_string(v->record.label));
		json_object_set_new(one, "health", json_string(health_text(h.level)));
		json_array_append_new(list, one);
	}
	if (!b->volume_count)
		out_line(ctl, "no volume; swblockctl volume create --help");
	out_set(ctl, "volumes", list);
	board_free(b);
	return CTL_OK;
}

#define RULE_OPTS \
	{ "mode", 0, "MODE", "best_effort, sync_quorum or sync_all" }, \
	{ "policy", 0, "POLICY", "when a plain write completes (default written)" }, \
	{ "lease", 0, "TIME", "lease of the primary (default 10s)" }, \
	{ "shrink-after", 0, "TIME", "sync_all: go on without a silent member after\n" \
	  "\t\t\t  this time (default 30s), or never" }, \
	{ "reason", 0, "TEXT", "for the history" }, \
	{ "dry-run", 'n', NULL, "say what would be done, and do nothing" }, \
	{ "no-wait", 0, NULL, "do not wait until it is so" }

static const struct opt_def create_opts[] = {
	{ "size", 0, "SIZE", "of the volume, for example 10G" },
	{ "nodes", 0, "LIST", "NODE:/dev/DISK,... and +/dev/LOG for a log device" },
	{ "force", 0, NULL, "format the disks whatever is on them" },
	RULE_OPTS,
	{ NULL },
};

static const struct opt_def set_opts[] = {
	{ "size", 0, "SIZE", "grow the volume" },
	{ "prefer", 0, "MEMBER", "where the primary should be when it can choose" },
	{ "stop", 0, NULL, "no primary: the device goes away" },
	{ "start", 0, NULL, "end that" },
	RULE_OPTS,
	{ NULL },
};

const struct verb verb_volume_create = {
	.name = "volume create",
	.synopsis = "NAME --size SIZE --nodes NODE:DISK,...",
	.summary = "Make a replicated volume, from disks to device",
	.detail =
	"Each node's swblockd formats its disk (it must be blank, or --force), attaches\n"
	"it, and one node becomes primary: /dev/swblockN there. Without --mode three or\n"
	"more members get sync_quorum, two get sync_all.",
	.example =
	"  swblockctl volume create db --size 10G --nodes a:/dev/vdb,b:/dev/vdb,c:/dev/vdb",
	.opts = create_opts,
	.pos_min = 1,
	.pos_max = 1,
	.run = run_create,
};

const struct verb verb_volume_set = {
	.name = "volume set",
	.synopsis = "NAME [--mode M] [--policy P] [--size S] [--lease T]",
	.summary = "Change what is declared about a volume",
	.detail =
	"The daemons bring the volume there, one epoch at a time, without loss. A size\n"
	"only grows. --dry-run shows the plan and what each single failure would mean.",
	.example = "  swblockctl volume set db --mode sync_all --dry-run",
	.opts = set_opts,
	.pos_min = 1,
	.pos_max = 1,
	.run = run_set,
};

const struct verb verb_volume_list = {
	.name = "volume list",
	.synopsis = "",
	.summary = "Show all volumes of the store with their health",
	.example = "  swblockctl volume list",
	.pos_min = 0,
	.pos_max = 0,
	.run = run_list,
};
