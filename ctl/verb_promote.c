// SPDX-License-Identifier: GPL-2.0-only
/* swblockctl promote, adopt, demote, lease: who may write, by hand. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/text.h"
#include "epoch.h"
#include "show.h"
#include "verbs.h"
#include "volume.h"

#define SETTLE_SOON_MS	300
#define DRAIN_GRACE_NS	(5 * NSEC_PER_SEC)	/* the module drains for 30 s */
#define LEVEL_WAIT_NS	(5 * NSEC_PER_SEC)	/* peers make the rest durable */

static int only_settle(struct ctl *ctl, const struct kern_volume *v)
{
	char name[MEMBER_NAME_MAX];

	if (!epoch_settle(ctl, &v->volume, ctl->timeout_s * 1000))
		return out_fail(ctl, &err_timeout,
				"its open record is committed once every required peer is linked: swblockctl status",
				"the epoch is not settled");
	out_line(ctl, "%s: the epoch is settled", member_name(v, name));
	out_set(ctl, "settled", json_true());
	return CTL_OK;
}

static int check_override_options(struct ctl *ctl, struct epoch_run *run)
{
	run->override = opt_has(ctl, "override");
	run->primary_gone = opt_has(ctl, "primary-gone");
	run->reason = opt_get(ctl, "reason");
	if (run->override && (!run->reason || !*run->reason))
		return out_fail(ctl, &err_usage, "say why, it is kept in the record",
				"--override needs --reason TEXT");
	return CTL_OK;
}

static void say_promoted(struct ctl *ctl, const struct epoch_run *run, bool settled)
{
	const struct kern_volume *v = run->candidate;
	char name[MEMBER_NAME_MAX];

	out_line(ctl, "%s is primary of epoch %" PRIu64 ": /dev/swblock%u is writable",
		 member_name(v, name), run->rec.epoch, v->minor);
	if (!settled)
		out_line(ctl, "links ended with the old epoch; it settles when they are back");
	epoch_say_relink(ctl, run);
	out_set(ctl, "member", json_string(name));
	out_set(ctl, "minor", json_u64(v->minor));
	out_set(ctl, "epoch", json_u64(run->rec.epoch));
	out_set(ctl, "settled", json_boolean(settled));
	out_set(ctl, "overridden", json_boolean(run->rec.overridden ==
						run->rec.epoch));
	out_set(ctl, "config", config_to_json(&run->rec.config, &run->rec));
}

/*
 * "db/b" of a declared volume: its daemons do it, wherever b is (volume move). By
 * hand they would be surprised by the epoch, and take it for another's.
 */
static bool declared_member(struct ctl *ctl, char label[SWBLOCK_LABEL_MAX])
{
	const char *slash = strchr(ctl->pos[0], '/');
	struct board_wish wish;
	struct auth_record rec;
	char volume[SWBLOCK_LABEL_MAX];
	char why[256];

	if (!slash || (size_t)(slash - ctl->pos[0]) >= sizeof(volume))
		return false;
	memcpy(volume, ctl->pos[0], (size_t)(slash - ctl->pos[0]));
	volume[slash - ctl->pos[0]] = 0;
	if (!ctl->store && store_open(&ctl->store, ctl->store_path, false,
				      ctl->timeout_s * 1000, why, sizeof(why)))
		return false;
	if (authority_find(ctl->store, volume, &rec) ||
	    board_get_wish(ctl->store, &rec.volume, &wish, NULL))
		return false;
	text_copy(label, slash + 1, SWBLOCK_LABEL_MAX);
	*(char *)slash = 0;	/* pos[0] is the volume's name from here on */
	return true;
}

static int run_promote(struct ctl *ctl)
{
	char label[SWBLOCK_LABEL_MAX];
	struct epoch_run run = { 0 };
	struct kern_dump dump;
	int ret, err;

	if (declared_member(ctl, label))
		return volume_move(ctl, label);
	ret = check_override_options(ctl, &run);
	if (ret)
		return ret;
	ret = need_members(ctl, &dump);
	if (!ret)
		ret = member_find(ctl, &dump, ctl->pos[0], &run.candidate);
	if (!ret)
		ret = need_store(ctl, false);
	if (ret)
		goto out;
	if (opt_has(ctl, "settle")) {
		ret = only_settle(ctl, run.candidate);
		goto out;
	}
	run.dump = &dump;
	err = authority_identity(ctl->store, &run.store);
	if (!err)
		err = authority_load(ctl->store, &run.candidate->volume, &run.rec);
	if (err) {
		ret = store_said(ctl, err);
		goto out;
	}
	ret = wish_take(ctl, &dump, &run.rec.volume, &run.rec, &run.wish);
	if (!ret)
		ret = evidence_read_files(ctl, &run);
	if (!ret && opt_has(ctl, "dry-run"))
		ret = epoch_plan(ctl, &run);
	else if (!ret)
		ret = epoch_run(ctl, &run);
	if (!ret && !opt_has(ctl, "dry-run"))
		say_promoted(ctl, &run, epoch_settle(ctl, &run.rec.volume,
						     SETTLE_SOON_MS));
out:
	kern_dump_free(&dump);
	return ret;
}

/* What another host's record says: a file, or three numbers for an epoch won. */
static int take_foreign_order(struct ctl *ctl, const struct kern_volume *v,
			      struct auth_store *store, struct auth_record *rec)
{
	const char *e = opt_get(ctl, "epoch"), *u = opt_get(ctl, "store-uuid");
	const char *g = opt_get(ctl, "store-generation");

	if (!e || !u || !g || !number_parse(e, INT64_MAX, &rec->epoch) ||
	    !rec->epoch || !uuid_parse(u, &store->uuid) ||
	    !number_parse(g, INT64_MAX, &store->generation))
		return out_fail(ctl, &err_usage,
				"copy them from what promote printed",
				"--epoch, --store-uuid and --store-generation go together");
	rec->volume = v->volume;
	rec->phase = AUTH_WON;
	return CTL_OK;
}

static int take_record_file(struct ctl *ctl, const struct kern_volume *v,
			    struct auth_store *store, struct auth_record *rec)
{
	const char *path = opt_get(ctl, "record"), *s;
	json_t *j = json_load_file(path, 0, NULL), *one;
	bool found = false;
	size_t i;

	s = json_string_value(json_object_get(j, "store"));
	store->generation = (uint64_t)json_integer_value(json_object_get(j,
							"store_generation"));
	if (s && uuid_parse(s, &store->uuid))
		json_array_foreach(json_object_get(j, "volumes"), i, one)
			found = found || (auth_from_json(one, rec) &&
					  swb_uuid_equal(&rec->volume, &v->volume));
	json_decref(j);
	if (found)
		return CTL_OK;
	return out_fail(ctl, &err_failed,
			"make it where the store is: swblockctl authority VOLUME -j",
			"%s is no authority record of this volume", path);
}

static int take_order(struct ctl *ctl, const struct kern_volume *v,
		      struct auth_store *store, struct auth_record *rec)
{
	int ret, err;

	memset(rec, 0, sizeof(*rec));
	if (opt_has(ctl, "record")) {
		ret = take_record_file(ctl, v, store, rec);
	} else if (opt_has(ctl, "epoch") || opt_has(ctl, "store-uuid") ||
		   opt_has(ctl, "store-generation")) {
		ret = take_foreign_order(ctl, v, store, rec);
	} else {
		ret = need_store(ctl, false);
		if (ret)
			return ret;
		err = authority_identity(ctl->store, store);
		if (!err)
			err = authority_load(ctl->store, &v->volume, rec);
		if (err)
			return store_said(ctl, err);
	}
	if (!ret && !rec->epoch)
		ret = out_fail(ctl, &err_refused, "swblockctl promote wins one",
			       "no epoch was ever won for this volume");
	return ret;
}

static void say_report(struct ctl *ctl, const struct kern_volume *v,
		       const struct auth_store *store, const struct swb_report *r)
{
	char name[MEMBER_NAME_MAX];

	out_line(ctl, "%s adopted epoch %" PRIu64 ": durable LSN %" PRIu64
		 " of epoch %" PRIu64 ", knows LSN %" PRIu64 " as committed%s%s",
		 member_name(v, name), r->adopted, r->durable, r->last_epoch,
		 r->committed,
		 r->flags & SWBLOCK_REPORT_INCONSISTENT ? ", inconsistent" : "",
		 r->flags & SWBLOCK_REPORT_DISK_FAILED ? ", disk failed" : "");
	out_set(ctl, "member", json_string(name));
	out_set(ctl, "volume", json_uuid(&v->volume));
	out_set(ctl, "store", json_uuid(&store->uuid));
	out_set(ctl, "store_generation", json_u64(store->generation));
	out_set(ctl, "report", report_to_json(r));
}

static int run_adopt(struct ctl *ctl)
{
	const struct kern_volume *v;
	struct auth_store store;
	struct auth_record rec;
	struct kern_dump dump;
	struct swb_report report;
	int ret, err;

	ret = need_members(ctl, &dump);
	if (!ret)
		ret = member_find(ctl, &dump, ctl->pos[0], &v);
	if (!ret)
		ret = take_order(ctl, v, &store, &rec);
	if (!ret) {
		err = kern_events_open(ctl->kern);
		ret = err ? kernel_said(ctl, err, "events") :
		      epoch_follow(ctl, v, &rec, &store, &report);
	}
	if (!ret)
		say_report(ctl, v, &store, &report);
	kern_dump_free(&dump);
	return ret;
}

/* Records that the peers in sync still lack, the most of them. */
static uint64_t most_behind(const struct kern_volume *v)
{
	uint64_t most = 0;
	unsigned int i;

	for (i = 0; i < v->peer_count; i++)
		if (v->peer[i].state == SWBLOCK_PEER_IN_SYNC &&
		    show_behind(v, &v->peer[i]) > most)
			most = show_behind(v, &v->peer[i]);
	return most;
}

/*
 * An orderly demotion usually precedes a promotion elsewhere, which is refused to
 * a member with the lesser log. best_effort lets a peer in sync lag: it gets the
 * rest first. Nobody writes while the device is closed, so this ends.
 */
static void let_peers_level(struct ctl *ctl, const struct kern_volume *v)
{
	uint64_t end = boottime_ns() + LEVEL_WAIT_NS;
	char name[MEMBER_NAME_MAX];
	struct kern_volume now;
	int busy = 0;

	for (;;) {
		if (kern_get_volume(ctl->kern, v->id, &now) ||
		    now.role != SWBLOCK_ROLE_PRIMARY || !most_behind(&now))
			return;
		/* udev's look is over soon; a user's is refused below */
		if (now.openers && ++busy > BUSY_TRIES)
			return;
		if (boottime_ns() >= end)
			break;
		usleep(BUSY_STEP_US);
	}
	out_line(ctl, "%s: a peer still lacks %" PRIu64 " records",
		 member_name(v, name), most_behind(&now));
}

static int run_demote(struct ctl *ctl)
{
	uint32_t flags = opt_has(ctl, "force") ? SWBLOCK_DEMOTE_FORCE : 0;
	uint64_t cookie = random_u64();
	const struct kern_volume *v;
	char name[MEMBER_NAME_MAX];
	struct kern_volume now;
	struct kern_dump dump;
	struct kern_event ev;
	int ret, err, tries;

	ret = need_members(ctl, &dump);
	if (!ret)
		ret = member_find(ctl, &dump, ctl->pos[0], &v);
	if (ret)
		goto out;
	member_name(v, name);
	if (!flags)
		let_peers_level(ctl, v);
	err = kern_events_open(ctl->kern);
	if (!err)
		err = kern_demote(ctl->kern, v->id, flags, cookie);
	/* udev looks at a device for a moment whenever somebody has closed it */
	for (tries = 0; err == -EBUSY && tries < BUSY_TRIES; tries++) {
		usleep(BUSY_STEP_US);
		err = kern_demote(ctl->kern, v->id, flags, cookie);
	}
	if (err) {
		ret = kernel_said(ctl, err, name);
		goto out;
	}
	err = wait_event(ctl, cookie, KIND(ROLE) | KIND(REFUSED),
			 deadline_after(ctl) + DRAIN_GRACE_NS, &ev);
	if (err == KERN_LOST && !kern_get_volume(ctl->kern, v->id, &now) &&
	    now.role != SWBLOCK_ROLE_PRIMARY) {
		err = 0;
		ev.kind = SWBLOCK_EVENT_ROLE;
		ev.role = now.role;
	}
	if (err)
		ret = wait_failed(ctl, err, name);
	else if (ev.kind == SWBLOCK_EVENT_REFUSED)
		ret = out_fail(ctl, &err_refused, NULL, "%s: %s", name, ev.text);
	if (ret)
		goto out;
	out_line(ctl, "%s is %s now", name, ev.role == SWBLOCK_ROLE_NONE ?
		 "without a role" : swb_text_role(ev.role));
	out_set(ctl, "member", json_string(name));
	out_set(ctl, "role", json_string(swb_text_role(ev.role)));
out:
	kern_dump_free(&dump);
	return ret;
}

/* P13: renewed from before the read, and only if the record still says so. */
static int renew(struct ctl *ctl, const struct kern_volume *v, uint64_t ms)
{
	uint64_t t_start = boottime_ns(), end = 0;
	char name[MEMBER_NAME_MAX];
	struct auth_record rec;
	int err;

	err = authority_load(ctl->store, &v->volume, &rec);
	if (err)
		return store_said(ctl, err);
	member_name(v, name);
	if (rec.phase < AUTH_GRANTED || rec.epoch != v->epoch ||
	    !swb_uuid_equal(&rec.candidate, &v->replica))
		return out_fail(ctl, &err_stale, "look: swblockctl authority",
				"the record does not show epoch %" PRIu64
				" granted to %s; it is at %" PRIu64 " (%s)",
				v->epoch, name, rec.epoch,
				auth_phase_text(rec.phase));
	if (rec.lease_ms && (!ms || ms > rec.lease_ms))
		return out_fail(ctl, &err_refused,
				"a promotion elsewhere waits no longer than the record says",
				"the record allows leases of %" PRIu32 " ms",
				rec.lease_ms);
	if (ms && !rec.lease_ms)
		return out_fail(ctl, &err_refused,
				"set a length first: swblockctl assign VOLUME --lease 30s",
				"the record says that this volume has no lease");
	if (ms)
		end = t_start + ms * SWB_NSEC_PER_MSEC;
	err = kern_lease(ctl->kern, v->id, v->epoch, end);
	if (err)
		return kernel_said(ctl, err, name);
	out_line(ctl, ms ? "%s holds a lease of %" PRIu64 " ms" :
		 "%s needs no lease", name, ms);
	out_set(ctl, "member", json_string(name));
	out_set(ctl, "epoch", json_u64(v->epoch));
	out_set(ctl, "lease_ns", json_u64(end));
	return CTL_OK;
}

static int run_lease(struct ctl *ctl)
{
	const char *length = opt_get(ctl, "for");
	const struct kern_volume *v;
	struct kern_dump dump;
	uint64_t ms = 0;
	int ret;

	if (!length || (strcmp(length, "none") && !duration_parse(length, &ms)))
		return out_fail(ctl, &err_usage, "for example --for 30s",
				"--for is a time or \"none\"");
	ret = need_members(ctl, &dump);
	if (!ret)
		ret = member_find(ctl, &dump, ctl->pos[0], &v);
	if (!ret)
		ret = need_store(ctl, false);
	if (!ret)
		ret = renew(ctl, v, ms);
	kern_dump_free(&dump);
	return ret;
}

static const struct opt_def promote_opts[] = {
	{ "report", 0, "FILE", "report of a member on another host; repeatable" },
	{ "required", 0, "LIST", "change the required set in the same epoch" },
	{ "mode", 0, "MODE", "change the mode in the same epoch" },
	{ "policy", 0, "POLICY", "change the ack policy in the same epoch" },
	{ "primary-gone", 0, NULL, "the last primary runs no more: spare the note on old reads" },
	{ "override", 0, NULL, "waive evidence; needs --reason and --yes" },
	{ "reason", 0, "TEXT", "why; kept in the record" },
	{ "yes", 0, NULL, "accept the loss that was shown" },
	{ "settle", 0, NULL, "only wait until the current epoch is settled" },
	{ "dry-run", 0, NULL, "show the steps, change nothing" },
	{ NULL },
};

const struct verb verb_promote = {
	.name = "promote",
	.synopsis = "MEMBER [--report FILE]... [--required LIST] [--override --reason TEXT --yes]",
	.summary = "Make a member the primary, in a new epoch",
	.detail =
	"Wins the next epoch in the authority store, makes every member of the volume\n"
	"on this host adopt it, and judges their reports. Evidence missing: no\n"
	"promotion, exit code 4, and the text says whose report is missing. A member on\n"
	"another host reports with \"swblockctl adopt\". After the loss of a required\n"
	"member, --required without it goes on without it, if the evidence suffices. The\n"
	"lease of a last primary that does not answer is waited out; without a lease it\n"
	"cannot commit, but may be read, which is said unless --primary-gone is given.",
	.example =
	"  swblockctl promote db/a\n"
	"  swblockctl promote db/b --required b --primary-gone\n"
	"  swblockctl promote db/b --override --reason \"a burnt down\" --yes",
	.opts = promote_opts,
	.pos_min = 1,
	.pos_max = 1,
	.run = run_promote,
};

static const struct opt_def adopt_opts[] = {
	{ "record", 0, "FILE", "authority record of another host, by authority -j" },
	{ "epoch", 0, "N", "epoch won on another host" },
	{ "store-uuid", 0, "UUID", "authority store that won it" },
	{ "store-generation", 0, "N", "and its generation" },
	{ NULL },
};

const struct verb verb_adopt = {
	.name = "adopt",
	.synopsis = "MEMBER [--record FILE | --epoch N --store-uuid UUID --store-generation N]",
	.summary = "Fence a member into an epoch and print its report",
	.detail =
	"Drops its role, flushes its log, and persists the epoch before it reports. With\n"
	"-j the output is a file for \"swblockctl promote --report\". Without options the\n"
	"epoch of the local authority record is adopted. If the record shows whom it was\n"
	"granted to, the member becomes a replica of that primary.",
	.example =
	"  swblockctl authority db -j > db.json\n"
	"  swblockctl adopt db/b --record db.json\n"
	"  swblockctl adopt db/b --epoch 5 --store-uuid 0f... --store-generation 1 -j > b.json",
	.opts = adopt_opts,
	.pos_min = 1,
	.pos_max = 1,
	.run = run_adopt,
};

static const struct opt_def demote_opts[] = {
	{ "force", 0, NULL, "although the device is open" },
	{ NULL },
};

const struct verb verb_demote = {
	.name = "demote",
	.synopsis = "MEMBER [--force]",
	.summary = "Take the primary role away, after draining",
	.detail =
	"Refused while the device is open, unless forced. Peers in sync get up to 5 s\n"
	"to make the last records durable, so that one of them can be promoted next.",
	.example = "  swblockctl demote db/a",
	.opts = demote_opts,
	.pos_min = 1,
	.pos_max = 1,
	.run = run_demote,
};

static const struct opt_def lease_opts[] = {
	{ "for", 0, "TIME", "length, at most that of the record; or none" },
	{ NULL },
};

const struct verb verb_lease = {
	.name = "lease",
	.synopsis = "MEMBER --for TIME|none",
	.summary = "Renew the lease of the primary, by hand",
	.detail =
	"Runs from before the authority store is read, and only if the record still\n"
	"shows this epoch granted to this member. When a lease ends, I/O is held.",
	.example = "  swblockctl lease db/a --for 30s",
	.opts = lease_opts,
	.pos_min = 1,
	.pos_max = 1,
	.run = run_lease,
};
