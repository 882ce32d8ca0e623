// SPDX-License-Identifier: GPL-2.0-only
/* swblockctl authority: show the record, its history, and raise the generation. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"
#include "member.h"
#include "verbs.h"

#define HISTORY_MAX	20

static void show_config(struct ctl *ctl, const struct auth_record *r,
			const char *title, const struct swb_config *c,
			uint64_t epoch)
{
	char list[256] = "", uuid[CTL_UUID_TEXT];
	const struct auth_member *m;
	unsigned int i;
	size_t used;

	for (i = 0; i < c->member_count; i++) {
		m = auth_member(r, &c->member[i]);
		uuid_text(&c->member[i], uuid);
		used = strlen(list);
		snprintf(list + used, sizeof(list) - used, "%s%s%s", i ? ", " : "",
			 m ? m->label : uuid,
			 c->required >> i & 1 ? "" : " (not required)");
	}
	if (epoch)
		out_line(ctl, "  %-9s epoch %" PRIu64 ": %s/%s of %s", title, epoch,
			 swb_text_mode(c->mode), swb_text_policy(c->policy), list);
	else
		out_line(ctl, "  %-9s %s/%s of %s", title, swb_text_mode(c->mode),
			 swb_text_policy(c->policy), list);
}

static void show_record(struct ctl *ctl, const struct auth_record *r)
{
	const struct auth_member *m = auth_member(r, &r->last_granted);
	char uuid[CTL_UUID_TEXT];
	unsigned int i;

	uuid_text(&r->volume, uuid);
	out_line(ctl, "%s%s%s  %s", out_bold(ctl), r->label, out_plain(ctl), uuid);
	out_line(ctl, "  epoch     %" PRIu64 ", %s%s%s", r->epoch,
		 auth_phase_text(r->phase), *r->owner ? " by " : "", r->owner);
	if (r->last_epoch)
		out_line(ctl, "  primary   %s, granted epoch %" PRIu64,
			 m ? m->label : "?", r->last_epoch);
	out_line(ctl, "  lease     %" PRIu32 " ms", r->lease_ms);
	if (r->overridden)
		out_line(ctl, "  override  epoch %" PRIu64, r->overridden);
	show_config(ctl, r, "next", r->phase == AUTH_WON ? &r->proposed :
		    &r->config, 0);
	for (i = 0; i < r->granted_count; i++)
		show_config(ctl, r, "judged by", &r->granted[i].config,
			    r->granted[i].epoch);
}

static void show_history(struct ctl *ctl, const json_t *list)
{
	const json_t *one;
	const char *reason;
	size_t i;

	json_array_foreach(list, i, one) {
		reason = json_string_value(json_object_get(one, "reason"));
		out_line(ctl, "  %s  %s epoch %" JSON_INTEGER_FORMAT "%s%s",
			 json_string_value(json_object_get(one, "at")),
			 json_string_value(json_object_get(one, "action")),
			 json_integer_value(json_object_get(one, "epoch")),
			 reason && *reason ? ": " : "", reason ? reason : "");
	}
}

static int show_one(const struct auth_record *r, void *arg)
{
	struct ctl *ctl = arg;
	json_t *j = auth_to_json(r), *history;

	show_record(ctl, r);
	if (opt_has(ctl, "history")) {
		history = authority_history(ctl->store, &r->volume, HISTORY_MAX);
		show_history(ctl, history);
		json_object_set_new(j, "history", history);
	}
	json_array_append_new(json_object_get(ctl->result, "volumes"), j);
	return 0;
}

static int raise_generation(struct ctl *ctl)
{
	const char *reason = opt_get(ctl, "reason");
	struct auth_store store;
	int err;

	if (!reason || !*reason || !opt_has(ctl, "yes"))
		return out_fail(ctl, &err_refused,
				"after a restore from a backup, and only then: --reason TEXT --yes",
				"a new generation says that this store was restored, and that epochs may have been granted which it does not know");
	err = store_raise_generation(ctl->store, reason);
	if (!err)
		err = authority_identity(ctl->store, &store);
	if (err)
		return store_said(ctl, err);
	out_line(ctl, "the store has generation %" PRIu64 " now", store.generation);
	out_set(ctl, "store_generation", json_u64(store.generation));
	return CTL_OK;
}

static int retire(struct ctl *ctl, const struct auth_record *old)
{
	struct auth_note note = { .action = "retire",
				  .reason = opt_get(ctl, "reason") };
	struct auth_record next;
	int err;

	err = authority_retire(ctl->store, old, &note, &next);
	if (err)
		return store_said(ctl, err);
	out_line(ctl, "%s is called %s from now on", old->label, next.label);
	out_set(ctl, "label", json_string(next.label));
	return CTL_OK;
}

static int run_authority(struct ctl *ctl)
{
	struct auth_store store;
	struct auth_record r;
	int ret, err;

	ret = need_store(ctl, false);
	if (ret)
		return ret;
	if (opt_has(ctl, "new-generation"))
		return raise_generation(ctl);
	err = authority_identity(ctl->store, &store);
	if (err)
		return store_said(ctl, err);
	out_set(ctl, "store", json_uuid(&store.uuid));
	out_set(ctl, "store_generation", json_u64(store.generation));
	out_set(ctl, "volumes", json_array());
	if (!ctl->pos_count) {
		err = authority_list(ctl->store, show_one, ctl);
		return err ? store_said(ctl, err) : CTL_OK;
	}
	err = authority_find(ctl->store, ctl->pos[0], &r);
	if (err)
		return store_said(ctl, err);
	if (opt_has(ctl, "retire"))
		return retire(ctl, &r);
	return show_one(&r, ctl);
}

static const struct opt_def authority_opts[] = {
	{ "history", 0, NULL, "the latest changes, too" },
	{ "retire", 0, NULL, "give the label free for a new volume" },
	{ "new-generation", 0, NULL, "the store was restored from a backup" },
	{ "reason", 0, "TEXT", "why" },
	{ "yes", 0, NULL, "really" },
	{ NULL },
};

const struct verb verb_authority = {
	.name = "authority",
	.synopsis = "[VOLUME] [--history]",
	.summary = "Show who may be primary, by the authority record",
	.detail =
	"Epoch and phase (won, granted, settled), the last granted primary, and every\n"
	"configuration that evidence is judged by.",
	.example = "  swblockctl authority db --history",
	.opts = authority_opts,
	.pos_min = 0,
	.pos_max = 1,
	.run = run_authority,
};
