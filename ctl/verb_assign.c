// SPDX-License-Identifier: GPL-2.0-only
/*
 * swblockctl assign: say who the members are and when a write counts. The first
 * time it only writes the record; later it is a new epoch with the same primary,
 * for a rule changes with an epoch or not at all (P1, ambiguity 11).
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/text.h"
#include "epoch.h"
#include "verbs.h"

#define SETTLE_SOON_MS	300

/* VOLUME is a label or uuid, of an attached member or of the store. */
static int find_volume(struct ctl *ctl, const struct kern_dump *dump,
		       const char *text, struct swb_uuid *volume, char *label)
{
	struct auth_record rec;
	struct swb_uuid u;
	bool by_uuid = uuid_parse(text, &u), found = false;
	const struct kern_volume *v;
	unsigned int i;

	for (i = 0; i < dump->count; i++) {
		v = &dump->volume[i];
		if (by_uuid ? !swb_uuid_equal(&v->volume, &u) :
		    strcmp(v->volume_label, text))
			continue;
		if (found && !swb_uuid_equal(&v->volume, volume))
			return out_fail(ctl, &err_ambiguous, "say its uuid",
					"two volumes are called \"%s\"", text);
		*volume = v->volume;
		text_copy(label, v->volume_label, SWBLOCK_LABEL_MAX);
		found = true;
	}
	if (!found && !authority_find(ctl->store, text, &rec)) {
		*volume = rec.volume;
		text_copy(label, rec.label, SWBLOCK_LABEL_MAX);
		found = true;
	}
	if (found)
		return CTL_OK;
	return out_fail(ctl, &err_no_object,
			"attach a member of it first: swblockctl add DEV",
			"no volume \"%s\"", text);
}

static void put_members(struct auth_record *r, const struct config_wish *w)
{
	memcpy(r->member, w->member, sizeof(r->member));
	r->member_count = w->member_count;
}

static void say(struct ctl *ctl, const struct auth_record *r, const char *what)
{
	char lease[32];

	duration_text(r->lease_ms * SWB_NSEC_PER_MSEC, lease, sizeof(lease));
	out_line(ctl, "%s: %s, %s, policy %s, %u members, lease %s", r->label, what,
		 swb_text_mode(r->config.mode), swb_text_policy(r->config.policy),
		 r->config.member_count, r->lease_ms ? lease : "none");
	out_set(ctl, "record", auth_to_json(r));
}

static int create(struct ctl *ctl, const struct swb_uuid *volume,
		  const char *label, const struct config_wish *w)
{
	struct auth_note note = { .action = "assign" };
	struct auth_record r = { .volume = *volume, .phase = AUTH_NEW };
	int err;

	text_copy(r.label, label, sizeof(r.label));
	uuid_random(&r.nonce);
	r.config = w->config;
	r.primary_only = w->primary_only;
	r.lease_ms = w->lease_ms;
	put_members(&r, w);
	err = authority_create(ctl->store, &r, &note);
	if (err == -EEXIST)
		return out_fail(ctl, &err_stale,
				"if that one is no more: swblockctl authority VOLUME --retire",
				"the store has a volume called \"%s\" already", label);
	if (err)
		return store_said(ctl, err);
	say(ctl, &r, "recorded");
	out_line(ctl, "next: swblockctl promote %s/%s", label, r.member[0].label);
	return CTL_OK;
}

/* Nobody was ever granted: no commit exists under the old rule, so none binds. */
static int rewrite(struct ctl *ctl, const struct auth_record *old,
		   const struct config_wish *w)
{
	struct auth_note note = { .action = "assign" };
	struct auth_record next = *old;
	int err;

	next.config = w->config;
	next.primary_only = w->primary_only;
	next.lease_ms = w->lease_ms;
	put_members(&next, w);
	uuid_random(&next.nonce);
	if (next.phase == AUTH_WON) {
		next.proposed = w->config;
		next.proposed_lease_ms = w->lease_ms;
		if (next.primary_only)
			next.proposed.required = 1;
	}
	err = authority_swap(ctl->store, old, &next, &note);
	if (err)
		return store_said(ctl, err);
	say(ctl, &next, "recorded");
	return CTL_OK;
}

/* Names live outside the epochs; new members get theirs before they vote. */
static int name_members(struct ctl *ctl, struct auth_record *rec,
			const struct config_wish *w)
{
	struct auth_note note = { .action = "name_members" };
	struct auth_record next = *rec;
	unsigned int i;
	int err;

	for (i = 0; i < w->member_count; i++) {
		if (auth_member(&next, &w->member[i].id))
			continue;
		if (next.member_count == SWB_MEMBERS_MAX)
			put_members(&next, w);
		else
			next.member[next.member_count++] = w->member[i];
	}
	if (next.member_count == rec->member_count)
		return CTL_OK;
	err = authority_swap(ctl->store, rec, &next, &note);
	if (err)
		return store_said(ctl, err);
	*rec = next;
	return CTL_OK;
}

static int change(struct ctl *ctl, const struct kern_dump *dump,
		  struct epoch_run *run)
{
	char name[CTL_UUID_TEXT];
	int ret, err;

	run->dump = dump;
	run->candidate = member_by_replica(dump, &run->rec.last_granted);
	if (!run->candidate)
		return out_fail(ctl, &err_refused,
				"run it there, or promote another member with the new configuration",
				"the primary %s is not attached on this host",
				peer_label(dump, &run->rec, &run->rec.last_granted,
					   name));
	err = authority_identity(ctl->store, &run->store);
	if (err)
		return store_said(ctl, err);
	if (opt_has(ctl, "dry-run"))
		return epoch_plan(ctl, run);
	ret = name_members(ctl, &run->rec, &run->wish);
	if (!ret)
		ret = epoch_run(ctl, run);
	if (ret)
		return ret;
	say(ctl, &run->rec, "changed");
	out_line(ctl, "epoch %" PRIu64 ", same primary; links ended with the old one",
		 run->rec.epoch);
	epoch_say_relink(ctl, run);
	out_set(ctl, "settled", json_boolean(epoch_settle(ctl, &run->rec.volume,
							  SETTLE_SOON_MS)));
	return CTL_OK;
}

static bool nothing_new(const struct auth_record *r, const struct config_wish *w)
{
	return auth_same_config(&r->config, &w->config) &&
	       r->config.policy == w->config.policy &&
	       r->primary_only == w->primary_only && r->lease_ms == w->lease_ms;
}

static int run_assign(struct ctl *ctl)
{
	char label[SWBLOCK_LABEL_MAX];
	struct epoch_run run = { 0 };
	struct swb_uuid volume;
	struct kern_dump dump;
	int ret, err = 0;

	ret = need_members(ctl, &dump);
	if (!ret)
		ret = need_store(ctl, true);
	if (!ret)
		ret = find_volume(ctl, &dump, ctl->pos[0], &volume, label);
	if (ret)
		goto out;
	err = authority_load(ctl->store, &volume, &run.rec);
	if (err && err != -ENOENT) {
		ret = store_said(ctl, err);
		goto out;
	}
	ret = wish_take(ctl, &dump, &volume, err ? NULL : &run.rec, &run.wish);
	if (ret)
		goto out;
	if (err)
		ret = create(ctl, &volume, label, &run.wish);
	else if (nothing_new(&run.rec, &run.wish))
		say(ctl, &run.rec, "nothing to change");
	else if (!run.rec.last_epoch)
		ret = rewrite(ctl, &run.rec, &run.wish);
	else
		ret = change(ctl, &dump, &run);
out:
	kern_dump_free(&dump);
	return ret;
}

static const struct opt_def assign_opts[] = {
	{ "members", 0, "LIST", "labels or uuids; LABEL:UUID for another host" },
	{ "mode", 0, "MODE", "best_effort, sync_quorum or sync_all" },
	{ "policy", 0, "POLICY", "local, received or written (default local)" },
	{ "required", 0, "LIST", "required set (default: all), or PRIMARYONLY" },
	{ "lease", 0, "TIME", "length of the primary's lease, 0 for none (default)" },
	{ "dry-run", 0, NULL, "show the steps, change nothing" },
	{ NULL },
};

const struct verb verb_assign = {
	.name = "assign",
	.synopsis = "VOLUME --members LIST --mode MODE [--policy P] [--required LIST]"
		    " [--lease TIME]",
	.summary = "Say who the members are and when a write counts",
	.detail =
	"The first time it makes the authority record. Later a change is a new epoch\n"
	"with the same primary: what is not given stays as it is. An empty required set\n"
	"is an error; --required PRIMARYONLY says explicitly that the primary alone\n"
	"counts. A lease has to be renewed (swblockctl lease), or I/O is held.",
	.example =
	"  swblockctl assign db --members a,b --mode sync_all\n"
	"  swblockctl assign db --required a",
	.opts = assign_opts,
	.pos_min = 1,
	.pos_max = 1,
	.run = run_assign,
};
