// SPDX-License-Identifier: GPL-2.0-only
/*
 * From options to a configuration: members by name, mode, policy, required set,
 * lease. Starts from the record, so that what is not said stays as it is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/promote.h"
#include "epoch.h"

#define PRIMARY_ONLY	"PRIMARYONLY"
#define LIST_MAX	1024
#define QUORUM_MIN	3
#define QUORUM_MAX	7

static int index_of(const struct config_wish *w, const char *name)
{
	struct swb_uuid u;
	bool by_uuid = uuid_parse(name, &u);
	unsigned int i;

	for (i = 0; i < w->member_count; i++)
		if (by_uuid ? swb_uuid_equal(&w->member[i].id, &u) :
		    !strcmp(w->member[i].label, name))
			return (int)i;
	return -1;
}

/* "b", "UUID", or "b:UUID" for a member that is attached on another host. */
static int one_member(struct ctl *ctl, const struct kern_dump *dump,
		      const struct swb_uuid *volume, const struct auth_record *rec,
		      char *word, struct auth_member *out)
{
	char *colon = strchr(word, ':');
	struct swb_uuid u;
	bool by_uuid;
	unsigned int i;

	memset(out, 0, sizeof(*out));
	if (colon) {
		*colon = 0;
		if (!label_ok(word) || !uuid_parse(colon + 1, &out->id))
			return out_fail(ctl, &err_usage, NULL,
					"not LABEL:UUID: \"%s:%s\"", word,
					colon + 1);
		text_copy(out->label, word, sizeof(out->label));
		return CTL_OK;
	}
	by_uuid = uuid_parse(word, &u);
	for (i = 0; i < dump->count; i++) {
		const struct kern_volume *v = &dump->volume[i];

		if (!swb_uuid_equal(&v->volume, volume) ||
		    (by_uuid ? !swb_uuid_equal(&v->replica, &u) :
		     strcmp(v->replica_label, word)))
			continue;
		out->id = v->replica;
		text_copy(out->label, v->replica_label, sizeof(out->label));
		return CTL_OK;
	}
	for (i = 0; rec && i < rec->member_count; i++) {
		if (by_uuid ? !swb_uuid_equal(&rec->member[i].id, &u) :
		    strcmp(rec->member[i].label, word))
			continue;
		*out = rec->member[i];
		return CTL_OK;
	}
	return out_fail(ctl, &err_no_object,
			"attach it with swblockctl add, or say LABEL:UUID if it is on another host",
			"no member \"%s\" of this volume is attached here", word);
}

static int take_members(struct ctl *ctl, const struct kern_dump *dump,
			const struct swb_uuid *volume,
			const struct auth_record *rec, struct config_wish *w)
{
	const char *words[SWB_MEMBERS_MAX], *text = opt_get(ctl, "members");
	char list[LIST_MAX];
	unsigned int n, i;
	int ret;

	text_copy(list, text, sizeof(list));
	n = words_split(list, words, SWB_MEMBERS_MAX);
	if (!n || n > SWB_MEMBERS_MAX)
		return out_fail(ctl, &err_usage, NULL, "--members is 1 to %d names",
				SWB_MEMBERS_MAX);
	w->member_count = 0;
	for (i = 0; i < n; i++) {
		ret = one_member(ctl, dump, volume, rec, (char *)words[i],
				 &w->member[i]);
		if (ret)
			return ret;
		if (index_of(w, w->member[i].label) >= 0)
			return out_fail(ctl, &err_usage, NULL,
					"\"%s\" is named twice", w->member[i].label);
		w->config.member[i] = w->member[i].id;
		w->member_count++;
	}
	w->config.member_count = (u8)n;
	w->config.required = (1u << n) - 1;
	w->primary_only = false;
	return CTL_OK;
}

static int take_required(struct ctl *ctl, struct config_wish *w)
{
	const char *words[SWB_MEMBERS_MAX], *text = opt_get(ctl, "required");
	char list[LIST_MAX];
	unsigned int n, i;
	int at;

	w->primary_only = !strcmp(text, PRIMARY_ONLY);
	w->config.required = 0;
	if (w->primary_only)
		return CTL_OK;
	text_copy(list, text, sizeof(list));
	n = words_split(list, words, SWB_MEMBERS_MAX);
	if (!n)
		return out_fail(ctl, &err_usage,
				"a set of nobody makes every barrier succeed; if the primary"
				" alone shall count, say --required " PRIMARY_ONLY,
				"the required set is empty");
	for (i = 0; i < n && i < SWB_MEMBERS_MAX; i++) {
		at = index_of(w, words[i]);
		if (at < 0)
			return out_fail(ctl, &err_usage, "name it in --members, too",
					"\"%s\" is required but no member", words[i]);
		w->config.required |= 1u << at;
	}
	return CTL_OK;
}

static int take_words(struct ctl *ctl, struct config_wish *w)
{
	const char *mode = opt_get(ctl, "mode"), *policy = opt_get(ctl, "policy");
	const char *lease = opt_get(ctl, "lease");
	uint64_t ms;

	if (mode && !mode_parse(mode, &w->config.mode))
		return out_fail(ctl, &err_usage,
				"best_effort, sync_quorum or sync_all",
				"unknown mode \"%s\"", mode);
	if (policy && !policy_parse(policy, &w->config.policy))
		return out_fail(ctl, &err_usage, "local, received or written",
				"unknown policy \"%s\"", policy);
	if (lease) {
		if (!duration_parse(lease, &ms))
			return out_fail(ctl, &err_usage, "for example 30s, or 0 for none",
					"not a time: \"%s\"", lease);
		if (ms && (ms < 1000 || ms > 3600000))
			return out_fail(ctl, &err_usage, NULL,
					"a lease is 1 s to 1 h, or 0");
		w->lease_ms = (uint32_t)ms;
	}
	return CTL_OK;
}

/*
 * A majority of two is both, and loses to either. Nobody can be left out of the
 * count either: the voters are the members (ambiguity 7).
 */
static int check_quorum(struct ctl *ctl, const struct config_wish *w)
{
	uint32_t all = (1u << w->member_count) - 1;

	if (w->member_count < QUORUM_MIN || w->member_count > QUORUM_MAX)
		return out_fail(ctl, &err_refused,
				"use sync_all, or name more members with --members",
				"sync_quorum takes %d to %d members, not %u",
				QUORUM_MIN, QUORUM_MAX, w->member_count);
	if (w->primary_only || w->config.required != all)
		return out_fail(ctl, &err_refused,
				"leave --required out, or name all members",
				"in sync_quorum every member votes: a required set has no place");
	return CTL_OK;
}

static void start_from(const struct auth_record *rec, struct config_wish *w)
{
	const struct auth_member *m;
	unsigned int i;

	w->config = rec->config;
	w->primary_only = rec->primary_only;
	w->lease_ms = rec->lease_ms;
	w->member_count = rec->config.member_count;
	for (i = 0; i < w->member_count; i++) {
		m = auth_member(rec, &rec->config.member[i]);
		if (m)
			w->member[i] = *m;
		else
			w->member[i].id = rec->config.member[i];
	}
}

int wish_take(struct ctl *ctl, const struct kern_dump *dump,
	      const struct swb_uuid *volume, const struct auth_record *rec,
	      struct config_wish *w)
{
	struct swb_config check;
	int ret = CTL_OK;

	memset(w, 0, sizeof(*w));
	w->config.policy = SWBLOCK_POLICY_LOCAL;
	if (rec)
		start_from(rec, w);
	w->any = opt_has(ctl, "members") || opt_has(ctl, "mode") ||
		 opt_has(ctl, "policy") || opt_has(ctl, "required") ||
		 opt_has(ctl, "lease");
	if (!rec && (!opt_has(ctl, "members") || !opt_has(ctl, "mode")))
		return out_fail(ctl, &err_usage, NULL,
				"a new volume needs --members and --mode");
	if (opt_has(ctl, "members"))
		ret = take_members(ctl, dump, volume, rec, w);
	if (!ret)
		ret = take_words(ctl, w);
	if (!ret && opt_has(ctl, "required"))
		ret = take_required(ctl, w);
	if (ret)
		return ret;
	if (w->config.mode == SWBLOCK_MODE_SYNC_QUORUM) {
		ret = check_quorum(ctl, w);
		if (ret)
			return ret;
	}
	check = w->config;
	if (w->primary_only)
		check.required = 1;	/* whoever it will be */
	if (!swb_config_valid(&check))
		return out_fail(ctl, &err_refused, "see swblockctl assign --help",
				"this configuration is impossible");
	return CTL_OK;
}
