// SPDX-License-Identifier: GPL-2.0-only
/*
 * One epoch from the first compare-and-swap to a running primary. Each step is
 * safe to stop at: a won epoch grants nothing (P3), a granted one can be opened
 * once and by one node only (P2), an unsettled one keeps the older rules in the
 * evidence (P1).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/promote.h"
#include "core/text.h"
#include "epoch.h"

/* P13: D * (1 + 2r) + margin; r = 1/1000 is far beyond any clock that works */
#define CLOCK_RATE_ERROR	1000
#define LEASE_MARGIN_MS		500
#define SETTLE_STEP_US		50000

#ifdef SWB_CTL_FAULTS
/* Tests die here, as a controller may at any moment. */
static void fault_point(const char *name)
{
	const char *want = getenv("SWBLOCKCTL_DIE_AT");

	if (want && !strcmp(want, name))
		_exit(99);
}
#else
static void fault_point(const char *name)
{
	(void)name;
}
#endif

static void owner_name(char out[AUTH_OWNER_MAX])
{
	char host[64] = "?";

	gethostname(host, sizeof(host) - 1);
	snprintf(out, AUTH_OWNER_MAX, "swblockctl@%s:%d", host, (int)getpid());
}

/* P17c: a member that answers to another store must not be asked. */
static int check_store(struct ctl *ctl, const struct epoch_run *run)
{
	const struct kern_volume *v = run->candidate;

	if (swb_uuid_is_null(&v->store) ||
	    (swb_uuid_equal(&v->store, &run->store.uuid) &&
	     v->store_generation <= run->store.generation))
		return CTL_OK;
	return out_fail(ctl, &err_refused,
			"use --store with the one it adopted; after a restore: swblockctl authority --new-generation",
			"the member belongs to another authority store, or to a newer generation of it");
}

static uint64_t newest_adopted(const struct epoch_run *run)
{
	const struct kern_volume *v;
	uint64_t newest = 0;
	unsigned int i;

	for (i = 0; i < run->dump->count; i++) {
		v = &run->dump->volume[i];
		if (swb_uuid_equal(&v->volume, &run->rec.volume))
			newest = max_t(uint64_t, newest, v->epoch);
	}
	return newest;
}

static int resolve_config(struct ctl *ctl, struct epoch_run *run)
{
	struct swb_config *c = &run->wish.config;
	u8 at = swb_core_member_index(c, &run->candidate->replica);
	char name[MEMBER_NAME_MAX];

	member_name(run->candidate, name);
	if (at == SWB_NOBODY)
		return out_fail(ctl, &err_refused,
				"change the members first: swblockctl assign",
				"%s is no member by the authority record", name);
	if (run->wish.primary_only)
		c->required = 1u << at;
	if (c->mode == SWBLOCK_MODE_SYNC_ALL && !(c->required & 1u << at))
		return out_fail(ctl, &err_refused,
				"name it with --required, for example --required a,b",
				"%s is outside the required set, so it cannot be primary",
				name);
	return CTL_OK;
}

/* A won epoch has committed nobody to its proposal yet: it may still change. */
static void propose_again(struct epoch_run *run, struct auth_record *next)
{
	struct config_wish *w = &run->wish;
	u8 at;

	if (!w->any) {
		w->config = next->proposed;
		w->lease_ms = next->proposed_lease_ms;
		w->primary_only = next->primary_only;
	}
	at = swb_core_member_index(&w->config, &run->candidate->replica);
	if (w->primary_only && at != SWB_NOBODY)
		w->config.required = 1u << at;
	next->proposed = w->config;
	next->proposed_lease_ms = w->lease_ms;
}

/* P3: the first of two compare-and-swaps. */
static int win(struct ctl *ctl, struct epoch_run *run)
{
	struct auth_record next = run->rec;
	struct auth_note note = { .action = "win", .reason = run->reason };
	char owner[AUTH_OWNER_MAX];
	struct swb_uuid nonce;
	const char *why;
	int err;

	owner_name(owner);
	uuid_random(&nonce);
	if (run->file_count) {
		/* evidence of this very epoch exists: go on with it */
		note.action = "take_over";
		why = auth_take_over(&next, owner, &nonce);
		propose_again(run, &next);
	} else {
		why = auth_win(&next, newest_adopted(run), &run->wish.config,
			       run->wish.lease_ms, owner, &nonce);
	}
	if (why)
		return out_fail(ctl, &err_refused,
				"settle the granted ones first: swblockctl promote --settle",
				"%s", why);
	next.primary_only = run->wish.primary_only;
	err = authority_swap(ctl->store, &run->rec, &next, &note);
	if (err)
		return store_said(ctl, err);
	run->won_ns = boottime_ns();
	run->rec = next;
	fault_point("won");
	return CTL_OK;
}

static void build_cert(const struct epoch_run *run, struct swb_cert *cert)
{
	unsigned int i;

	memset(cert, 0, sizeof(*cert));
	cert->volume = run->rec.volume;
	cert->store = run->store.uuid;
	cert->store_generation = run->store.generation;
	cert->epoch = run->rec.epoch;
	cert->candidate = run->candidate->replica;
	cert->config = run->rec.proposed;
	/* P1, ambiguity 3: judged by what was granted before, not by the new rule */
	for (i = 0; i < run->rec.granted_count; i++)
		cert->judge[cert->judge_count++] = run->rec.granted[i].config;
	for (i = 0; i < run->report_count; i++)
		cert->report[cert->report_count++] = run->report[i];
	cert->last_granted_epoch = run->rec.last_epoch;
	cert->last_granted = run->rec.last_granted;
}

static u8 judge(const struct epoch_run *run, const struct swb_cert *cert)
{
	const struct swb_report *own = evidence_of(run, &run->candidate->replica);
	struct swb_candidate me = {
		.volume = run->candidate->volume,
		.replica = run->candidate->replica,
		.store = run->store.uuid,
		.store_generation = run->store.generation,
		.opened = run->candidate->opened,
		.adopted = run->rec.epoch,	/* ordered; its report proves it */
	};

	if (own) {
		me.last_epoch = own->last_epoch;
		me.durable = own->durable;
		me.flags = own->flags;
	}
	return swb_promote_judge(cert, &me);
}

/* P13: has the last granted primary itself adopted this epoch? */
static bool last_primary_fenced(const struct epoch_run *run)
{
	const struct swb_report *r;

	if (!run->rec.last_epoch)
		return true;
	r = evidence_of(run, &run->rec.last_granted);
	return r && r->adopted == run->rec.epoch;
}

static int out_of_evidence(struct ctl *ctl, const struct epoch_run *run, u8 letter)
{
	struct swb_uuid silent[SWB_MEMBERS_MAX];
	char line[256], list[256] = "", name[CTL_UUID_TEXT], hint[900];
	char store[CTL_UUID_TEXT];
	const char *advice = swb_text_hint(SWBLOCK_TABLE_PROMOTE, letter);
	unsigned int i, n = evidence_missing(run, silent);
	size_t used;

	case_line(SWBLOCK_TABLE_PROMOTE, letter, line, sizeof(line));
	for (i = 0; i < n; i++) {
		used = strlen(list);
		snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "",
			 peer_label(run->dump, &run->rec, &silent[i], name));
	}
	uuid_text(&run->store.uuid, store);
	if (n)
		snprintf(hint, sizeof(hint),
			 "on the host of each: swblockctl adopt NAME --epoch %" PRIu64
			 " --store-uuid %s --store-generation %" PRIu64
			 " -j > NAME.json; then here: swblockctl promote %s/%s --report NAME.json\n"
			 "  if it is gone for good: --override --reason TEXT shows what may be lost",
			 run->rec.epoch, store, run->store.generation,
			 run->candidate->volume_label,
			 run->candidate->replica_label);
	return out_fail(ctl, &err_evidence, n ? hint : advice,
			"not promoted, %s%s%s", line,
			n ? "; no usable report from " : "", list);
}

/* An override is a decision of a person who was told the price. */
static int confirm_override(struct ctl *ctl, const struct epoch_run *run, u8 letter)
{
	out_note(ctl, "an override is needed: %s",
		 swb_text_case(SWBLOCK_TABLE_PROMOTE, letter));
	evidence_loss(ctl, run);
	if (opt_has(ctl, "yes"))
		return CTL_OK;
	return out_fail(ctl, &err_evidence,
			"add --yes to accept what the notes say",
			"not promoted: the override was not confirmed");
}

/* P13: nobody is writable here while the last primary may still serve reads. */
static void wait_out_lease(struct ctl *ctl, const struct epoch_run *run)
{
	uint64_t until, now, lease = run->rec.lease_ms;
	char text[32];

	lease += 2 * lease / CLOCK_RATE_ERROR + LEASE_MARGIN_MS;
	until = run->won_ns + lease * SWB_NSEC_PER_MSEC;
	now = boottime_ns();
	if (now < until) {
		duration_text(until - now, text, sizeof(text));
		out_note(ctl, "waiting %s for the lease of the last primary", text);
	}
	while ((now = boottime_ns()) < until)
		usleep((useconds_t)min_t(uint64_t, 100000, (until - now) / 1000 + 1));
}

/* What a volume without lease gives up: commits are safe, reads are not. */
static void say_stale_reads(struct ctl *ctl, const struct epoch_run *run)
{
	char name[CTL_UUID_TEXT];

	out_note(ctl,
		 "the last primary, %s, did not report, and without a lease it does not know when to stop:"
		 " if it still runs, it can commit nothing more, but whoever reads there may read old data",
		 peer_label(run->dump, &run->rec, &run->rec.last_granted, name));
}

static int decide(struct ctl *ctl, struct epoch_run *run, struct swb_cert *cert)
{
	bool fenced = last_primary_fenced(run);
	u8 letter;
	int ret;

	build_cert(run, cert);
	/* Everything but the lease is asked first, so that nobody waits for a
	 * refusal. Without a lease there is nothing to wait for.
	 */
	if (!fenced)
		cert->flags = SWBLOCK_CERT_LEASE_WAITED;
	letter = judge(run, cert);
	if (letter != 'A') {
		if (!run->override)
			return out_of_evidence(ctl, run, letter);
		cert->flags |= SWBLOCK_CERT_OVERRIDE;
		if (judge(run, cert) != 'A')
			return out_of_evidence(ctl, run, judge(run, cert));
		ret = confirm_override(ctl, run, letter);
		if (ret)
			return ret;
	}
	if (!fenced && run->rec.lease_ms)
		wait_out_lease(ctl, run);	/* P15: an override waits, too */
	else if (!fenced && !run->primary_gone)
		say_stale_reads(ctl, run);
	return CTL_OK;
}

static json_t *reports_json(const struct epoch_run *run)
{
	json_t *list = json_array();
	unsigned int i;

	for (i = 0; i < run->report_count; i++)
		json_array_append_new(list, report_to_json(&run->report[i]));
	return list;
}

/* P3: the second one. Only after it a certificate exists. */
static int grant(struct ctl *ctl, struct epoch_run *run,
		 const struct swb_cert *cert)
{
	bool override = cert->flags & SWBLOCK_CERT_OVERRIDE;
	struct auth_record next = run->rec;
	json_t *detail = json_object();
	struct auth_note note = {
		.action = override ? "grant_override" : "grant",
		.reason = run->reason, .detail = detail,
	};
	const char *why = auth_grant(&next, &run->candidate->replica, override);
	int err;

	next.cert = *cert;
	json_object_set_new(detail, "reports", reports_json(run));
	json_object_set_new(detail, "primary_gone",
			    json_boolean(run->primary_gone));
	json_object_set_new(detail, "candidate", json_uuid(&next.candidate));
	err = why ? 0 : authority_swap(ctl->store, &run->rec, &next, &note);
	json_decref(detail);
	if (why)
		return out_fail(ctl, &err_refused, NULL, "%s", why);
	if (err)
		return store_said(ctl, err);
	run->rec = next;
	fault_point("granted");
	return CTL_OK;
}

static int certify(struct ctl *ctl, const struct epoch_run *run,
		   const struct swb_cert *cert, uint64_t lease_ns)
{
	uint64_t cookie = random_u64();
	char name[MEMBER_NAME_MAX], line[256];
	struct kern_volume v;
	struct kern_event ev;
	int err;

	member_name(run->candidate, name);
	err = kern_promote(ctl->kern, run->candidate->id, cert, lease_ns, cookie);
	if (err)
		return kernel_said(ctl, err, name);
	err = wait_event(ctl, cookie, KIND(ROLE) | KIND(REFUSED),
			 deadline_after(ctl), &ev);
	if (err == KERN_LOST &&
	    !kern_get_volume(ctl->kern, run->candidate->id, &v) &&
	    v.role == SWBLOCK_ROLE_PRIMARY && v.epoch == run->rec.epoch)
		return CTL_OK;
	if (err)
		return wait_failed(ctl, err, name);
	if (ev.kind == SWBLOCK_EVENT_REFUSED) {
		case_line(SWBLOCK_TABLE_PROMOTE, ev.letter, line, sizeof(line));
		return out_fail(ctl, &err_refused,
				swb_text_hint(SWBLOCK_TABLE_PROMOTE, ev.letter),
				"%s refused its certificate: %s%s%s", name, ev.text,
				*line ? "; " : "", line);
	}
	return CTL_OK;
}

/* Every other copy here learns whom to follow. */
static void tell_others(struct ctl *ctl, const struct epoch_run *run)
{
	const struct kern_volume *v;
	char name[MEMBER_NAME_MAX];
	unsigned int i;
	int err;

	for (i = 0; i < run->dump->count; i++) {
		v = &run->dump->volume[i];
		if (!swb_uuid_equal(&v->volume, &run->rec.volume) ||
		    v == run->candidate ||
		    swb_core_member_index(&run->rec.config, &v->replica) ==
		    SWB_NOBODY)
			continue;
		err = kern_assign(ctl->kern, v->id, run->rec.epoch,
				  &run->rec.candidate, &run->rec.config);
		if (err)
			out_note(ctl, "%s was not told of its primary: %s",
				 member_name(v, name), *kern_error(ctl->kern) ?
				 kern_error(ctl->kern) : strerror(-err));
	}
}

int epoch_run(struct ctl *ctl, struct epoch_run *run)
{
	struct swb_cert cert;
	uint64_t t_start;
	int ret, err;

	ret = check_store(ctl, run);
	if (!ret)
		ret = resolve_config(ctl, run);
	if (ret)
		return ret;
	err = kern_events_open(ctl->kern);
	if (err)
		return kernel_said(ctl, err, "events");
	/* what an earlier run left granted and committed is settled first, by
	 * which fewer configurations have to be satisfied
	 */
	if (run->rec.phase == AUTH_GRANTED &&
	    epoch_settle(ctl, &run->rec.volume, 0) &&
	    authority_load(ctl->store, &run->rec.volume, &run->rec))
		return store_said(ctl, -EIO);
	ret = win(ctl, run);
	if (!ret)
		ret = evidence_collect(ctl, run);
	if (!ret)
		ret = decide(ctl, run, &cert);
	if (ret)
		return ret;
	/* P13: a lease runs from the start of a store access that shows this
	 * epoch granted to this node; the grant itself is the first such
	 */
	t_start = boottime_ns();
	ret = grant(ctl, run, &cert);
	if (!ret)
		ret = certify(ctl, run, &cert, run->rec.lease_ms ? t_start +
			      run->rec.lease_ms * SWB_NSEC_PER_MSEC : 0);
	if (!ret)
		tell_others(ctl, run);
	return ret;
}

void epoch_say_relink(struct ctl *ctl, const struct epoch_run *run)
{
	const struct kern_volume *v;
	char name[MEMBER_NAME_MAX];
	unsigned int i;

	for (i = 0; i < run->dump->count; i++) {
		v = &run->dump->volume[i];
		if (v != run->candidate &&
		    swb_core_member_index(&run->rec.config, &v->replica) !=
		    SWB_NOBODY)
			out_line(ctl, "next: swblockctl link %s %s --pair",
				 member_name(run->candidate, name),
				 v->replica_label);
	}
}

static bool open_committed(struct ctl *ctl, const struct auth_record *rec,
			   uint64_t *need)
{
	const struct kern_volume *v;
	struct kern_dump dump;
	bool done = false;

	if (kern_dump_volumes(ctl->kern, &dump))
		return false;
	v = member_by_replica(&dump, &rec->candidate);
	if (v && v->role == SWBLOCK_ROLE_PRIMARY && v->epoch == rec->epoch &&
	    v->opened == rec->epoch && v->head_lsn) {
		/* the open record is somewhere at or below the first head seen */
		if (!*need)
			*need = v->head_lsn;
		done = v->committed_lsn >= *need;
	}
	kern_dump_free(&dump);
	return done;
}

bool epoch_settle(struct ctl *ctl, const struct swb_uuid *volume,
		  unsigned int wait_ms)
{
	uint64_t end = boottime_ns() + wait_ms * SWB_NSEC_PER_MSEC, need = 0;
	struct auth_note note = { .action = "settle" };
	struct auth_record rec, next;

	if (authority_load(ctl->store, volume, &rec))
		return false;
	if (rec.phase == AUTH_SETTLED)
		return true;
	if (rec.phase != AUTH_GRANTED)
		return false;
	while (!open_committed(ctl, &rec, &need)) {
		if (boottime_ns() >= end)
			return false;
		usleep(SETTLE_STEP_US);
	}
	next = rec;
	/* P1: a swap in its own epoch; refused if that moved on */
	return !auth_settle(&next) &&
	       !authority_swap(ctl->store, &rec, &next, &note);
}

int epoch_follow(struct ctl *ctl, const struct kern_volume *v,
		 const struct auth_record *rec, const struct auth_store *store,
		 struct swb_report *out)
{
	char name[MEMBER_NAME_MAX];
	int ret, err;

	ret = evidence_adopt_one(ctl, v, rec->epoch, store, deadline_after(ctl),
				 out);
	/* a grant that is only won names nobody to follow */
	if (ret || rec->phase < AUTH_GRANTED ||
	    swb_uuid_equal(&rec->candidate, &v->replica))
		return ret;
	err = kern_assign(ctl->kern, v->id, rec->epoch, &rec->candidate,
			  &rec->config);
	return err ? kernel_said(ctl, err, member_name(v, name)) : CTL_OK;
}

int epoch_bring_in(struct ctl *ctl, const struct kern_volume *v)
{
	struct auth_store store;
	struct auth_record rec;
	struct swb_report report;

	if (v->role != SWBLOCK_ROLE_NONE || !record_of(ctl, &v->volume, &rec) ||
	    rec.phase < AUTH_GRANTED || v->epoch > rec.epoch ||
	    swb_uuid_equal(&rec.candidate, &v->replica) ||
	    swb_core_member_index(&rec.config, &v->replica) == SWB_NOBODY ||
	    authority_identity(ctl->store, &store))
		return CTL_OK;
	return epoch_follow(ctl, v, &rec, &store, &report);
}

int epoch_plan(struct ctl *ctl, struct epoch_run *run)
{
	struct swb_uuid silent[SWB_MEMBERS_MAX];
	char name[CTL_UUID_TEXT], member[MEMBER_NAME_MAX];
	json_t *asks = json_array(), *gaps = json_array();
	const struct kern_volume *v;
	unsigned int i, n, at;
	uint64_t epoch;
	int ret;

	ret = check_store(ctl, run);
	if (!ret)
		ret = resolve_config(ctl, run);
	if (ret)
		return ret;
	epoch = max_t(uint64_t, run->rec.epoch, newest_adopted(run)) + 1;
	out_line(ctl, "1. win epoch %" PRIu64 " (now %" PRIu64 ", %s)", epoch,
		 run->rec.epoch, auth_phase_text(run->rec.phase));
	for (i = 0; i < run->dump->count; i++) {
		v = &run->dump->volume[i];
		if (!swb_uuid_equal(&v->volume, &run->rec.volume))
			continue;
		member_name(v, member);
		out_line(ctl, "2. fence and ask %s: role %s, durable LSN %" PRIu64
			 "%s", member, swb_text_role(v->role), v->durable_lsn,
			 v->role == SWBLOCK_ROLE_PRIMARY && v->openers &&
			 v != run->candidate ?
			 "; it is open, its users will get I/O errors" : "");
		json_array_append_new(asks, json_string(member));
	}
	n = evidence_missing(run, silent);
	for (i = 0, at = 0; i < n; i++) {
		if (member_by_replica(run->dump, &silent[i]))
			continue;
		peer_label(run->dump, &run->rec, &silent[i], name);
		out_line(ctl, "3. %s is not attached here: no report, unless by --report",
			 name);
		json_array_append_new(gaps, json_string(name));
		at++;
	}
	out_line(ctl, "%u. judge by %u configuration(s), then grant epoch %" PRIu64
		 " to %s", at ? 4 : 3, run->rec.granted_count, epoch,
		 member_name(run->candidate, member));
	out_line(ctl, "nothing was changed");
	out_set(ctl, "dry_run", json_true());
	out_set(ctl, "epoch", json_u64(epoch));
	out_set(ctl, "asks", asks);
	out_set(ctl, "not_attached", gaps);
	out_set(ctl, "config", config_to_json(&run->wish.config, &run->rec));
	return CTL_OK;
}
