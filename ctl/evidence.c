// SPDX-License-Identifier: GPL-2.0-only
/*
 * Evidence: who adopted the epoch durably and what it holds (P6). Collects, never
 * judges: that is the core's business.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"
#include "epoch.h"

static bool in_config(const struct swb_config *c, const struct swb_uuid *id)
{
	return swb_core_member_index(c, id) != SWB_NOBODY;
}

/* Somebody whose report may matter: a member by the new rule or by an old one. */
static bool is_voter(const struct epoch_run *run, const struct swb_uuid *id)
{
	unsigned int i;

	if (in_config(&run->wish.config, id) ||
	    swb_uuid_equal(&run->rec.last_granted, id))
		return true;
	for (i = 0; i < run->rec.granted_count; i++)
		if (in_config(&run->rec.granted[i].config, id))
			return true;
	return false;
}

const struct swb_report *evidence_of(const struct epoch_run *run,
				     const struct swb_uuid *replica)
{
	unsigned int i;

	for (i = 0; i < run->report_count; i++)
		if (swb_uuid_equal(&run->report[i].replica, replica))
			return &run->report[i];
	return NULL;
}

static void keep_report(struct epoch_run *run, const struct swb_report *r)
{
	if (!is_voter(run, &r->replica) || evidence_of(run, &r->replica) ||
	    run->report_count == SWB_MEMBERS_MAX)
		return;
	run->report[run->report_count++] = *r;
}

static int adopt_refused(struct ctl *ctl, const char *name,
			 const struct kern_event *ev)
{
	return out_fail(ctl, ev->error == ESTALE ? &err_stale : &err_kernel,
			"run it again: the next epoch will be above every adopted one",
			"%s did not adopt: %s", name, ev->text);
}

int evidence_adopt_one(struct ctl *ctl, const struct kern_volume *v,
		       uint64_t epoch, const struct auth_store *store,
		       uint64_t deadline_ns, struct swb_report *out)
{
	char name[MEMBER_NAME_MAX];
	struct kern_event ev;
	uint64_t cookie;
	int err;

	member_name(v, name);
	do {
		/* the same epoch again only repeats the report */
		cookie = random_u64();
		err = kern_adopt(ctl->kern, v->id, epoch, &store->uuid,
				 store->generation, cookie);
		if (err)
			return kernel_said(ctl, err, name);
		err = wait_event(ctl, cookie, KIND(REPORT) | KIND(REFUSED),
				 deadline_ns, &ev);
	} while (err == KERN_LOST);
	if (err)
		return wait_failed(ctl, err, name);
	if (ev.kind == SWBLOCK_EVENT_REFUSED || !ev.has_report)
		return adopt_refused(ctl, name, &ev);
	*out = ev.report;
	return CTL_OK;
}

struct asked {
	const struct kern_volume *v;
	uint64_t cookie;
	bool done;
};

static void ask(struct ctl *ctl, const struct epoch_run *run, struct asked *a)
{
	char name[MEMBER_NAME_MAX];
	int err;

	a->cookie = random_u64();
	err = kern_adopt(ctl->kern, a->v->id, run->rec.epoch, &run->store.uuid,
			 run->store.generation, a->cookie);
	if (!err)
		return;
	/* a member that cannot adopt is missing evidence, not the end */
	out_note(ctl, "%s did not adopt epoch %" PRIu64 ": %s",
		 member_name(a->v, name), run->rec.epoch,
		 *kern_error(ctl->kern) ? kern_error(ctl->kern) : strerror(-err));
	a->done = true;
}

static unsigned int ask_all(struct ctl *ctl, const struct epoch_run *run,
			    struct asked *list, unsigned int max)
{
	unsigned int i, n = 0;

	/* not only voters: every copy of the volume here has to be fenced */
	for (i = 0; i < run->dump->count && n < max; i++) {
		if (!swb_uuid_equal(&run->dump->volume[i].volume,
				    &run->rec.volume))
			continue;
		list[n] = (struct asked){ .v = &run->dump->volume[i] };
		ask(ctl, run, &list[n++]);
	}
	return n;
}

static void take_answer(struct ctl *ctl, struct epoch_run *run,
			struct asked *list, unsigned int n,
			const struct kern_event *ev)
{
	char name[MEMBER_NAME_MAX];
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (list[i].done || list[i].cookie != ev->cookie)
			continue;
		list[i].done = true;
		if (ev->kind == SWBLOCK_EVENT_REPORT && ev->has_report)
			keep_report(run, &ev->report);
		else
			out_note(ctl, "%s did not adopt: %s",
				 member_name(list[i].v, name), ev->text);
	}
}

static bool all_done(const struct asked *list, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (!list[i].done)
			return false;
	return true;
}

int evidence_collect(struct ctl *ctl, struct epoch_run *run)
{
	struct asked list[16];
	uint64_t deadline = deadline_after(ctl);
	char name[MEMBER_NAME_MAX];
	struct kern_event ev;
	unsigned int i, n;
	int err;

	for (i = 0; i < run->file_count; i++)
		keep_report(run, &run->file[i]);
	n = ask_all(ctl, run, list, ARRAY_SIZE(list));
	while (!all_done(list, n)) {
		err = kern_event_next(ctl->kern, deadline, &ev);
		if (err == KERN_LOST) {
			struct kern_info info;

			if (kern_get_info(ctl->kern, &info))
				return kernel_said(ctl, -EIO, "events");
			kern_events_seen(ctl->kern, info.seq);
			for (i = 0; i < n; i++)
				if (!list[i].done)
					ask(ctl, run, &list[i]);
			continue;
		}
		if (err == -ETIMEDOUT)
			break;	/* missing evidence; the judge decides */
		if (err)
			return wait_failed(ctl, err, "events");
		if (ev.kind == SWBLOCK_EVENT_REPORT ||
		    ev.kind == SWBLOCK_EVENT_REFUSED)
			take_answer(ctl, run, list, n, &ev);
	}
	for (i = 0; i < n; i++)
		if (!list[i].done)
			out_note(ctl, "%s did not report within %u s",
				 member_name(list[i].v, name), ctl->timeout_s);
	return CTL_OK;
}

static int read_one(struct ctl *ctl, struct epoch_run *run, const char *path)
{
	struct swb_uuid volume, store;
	struct swb_report *r = &run->file[run->file_count];
	const char *v, *s;
	json_error_t where;
	json_t *j = json_load_file(path, 0, &where);
	uint64_t generation;
	int ret = CTL_OK;

	if (!j)
		return out_fail(ctl, &err_failed, "make it with swblockctl adopt -j",
				"%s: line %d: %s", path, where.line, where.text);
	v = json_string_value(json_object_get(j, "volume"));
	s = json_string_value(json_object_get(j, "store"));
	generation = (uint64_t)json_integer_value(json_object_get(j,
							"store_generation"));
	if (!v || !s || !uuid_parse(v, &volume) || !uuid_parse(s, &store) ||
	    !report_from_json(json_object_get(j, "report"), r))
		ret = out_fail(ctl, &err_failed, "make it with swblockctl adopt -j",
			       "%s is not a report", path);
	else if (!swb_uuid_equal(&volume, &run->rec.volume))
		ret = out_fail(ctl, &err_refused, NULL,
			       "%s reports for another volume", path);
	else if (!swb_uuid_equal(&store, &run->store.uuid) ||
		 generation != run->store.generation)	/* P17c */
		ret = out_fail(ctl, &err_refused, NULL,
			       "%s reports to another authority store", path);
	else if (r->adopted != run->rec.epoch || run->rec.phase != AUTH_WON)
		ret = out_fail(ctl, &err_stale,
			       "start over: swblockctl promote, then adopt on the other host",
			       "%s is about epoch %" PRIu64 ", the record is at %"
			       PRIu64 " (%s)", path, r->adopted, run->rec.epoch,
			       auth_phase_text(run->rec.phase));
	else
		run->file_count++;
	json_decref(j);
	return ret;
}

int evidence_read_files(struct ctl *ctl, struct epoch_run *run)
{
	const char *path;
	int n, ret;

	for (n = 0; (path = opt_nth(ctl, "report", n)); n++) {
		if (run->file_count == REPORT_FILES_MAX)
			return out_fail(ctl, &err_usage, NULL, "too many --report");
		ret = read_one(ctl, run, path);
		if (ret)
			return ret;
	}
	return CTL_OK;
}

json_t *evidence_order(const struct epoch_run *run)
{
	json_t *j = json_object();

	json_object_set_new(j, "volume", json_uuid(&run->rec.volume));
	json_object_set_new(j, "epoch", json_u64(run->rec.epoch));
	json_object_set_new(j, "store", json_uuid(&run->store.uuid));
	json_object_set_new(j, "store_generation", json_u64(run->store.generation));
	return j;
}

static void add_missing(const struct epoch_run *run, const struct swb_uuid *id,
			struct swb_uuid *out, unsigned int *n)
{
	const struct swb_report *r = evidence_of(run, id);
	unsigned int i;

	if (swb_uuid_is_null(id) || *n == SWB_MEMBERS_MAX ||
	    (r && r->adopted == run->rec.epoch &&
	     !(r->flags & (SWBLOCK_REPORT_INCONSISTENT |
			   SWBLOCK_REPORT_DISK_FAILED))))	/* P7 */
		return;
	for (i = 0; i < *n; i++)
		if (swb_uuid_equal(&out[i], id))
			return;
	out[(*n)++] = *id;
}

unsigned int evidence_missing(const struct epoch_run *run,
			      struct swb_uuid out[SWB_MEMBERS_MAX])
{
	const struct swb_config *c;
	unsigned int i, j, n = 0;

	for (i = 0; i < run->rec.granted_count; i++) {
		c = &run->rec.granted[i].config;
		for (j = 0; j < c->member_count; j++)
			add_missing(run, &c->member[j], out, &n);
	}
	add_missing(run, &run->rec.last_granted, out, &n);
	return n;
}

void evidence_loss(struct ctl *ctl, const struct epoch_run *run)
{
	const struct swb_report *own = evidence_of(run, &run->candidate->replica);
	struct swb_uuid silent[SWB_MEMBERS_MAX];
	char name[CTL_UUID_TEXT];
	const struct swb_report *r;
	unsigned int i, n;

	for (i = 0; i < run->report_count; i++) {
		r = &run->report[i];
		peer_label(run->dump, &run->rec, &r->replica, name);
		out_note(ctl, "%s: durable to LSN %" PRIu64 " of epoch %" PRIu64
			 ", knew LSN %" PRIu64 " as committed%s", name, r->durable,
			 r->last_epoch, r->committed,
			 r->flags & SWBLOCK_REPORT_INCONSISTENT ?
			 ", inconsistent" : "");
		if (own && r->committed > own->durable)
			out_note(ctl, "LOST for certain: committed records %" PRIu64
				 " to %" PRIu64, own->durable + 1, r->committed);
		if (own && (r->last_epoch > own->last_epoch ||
			    (r->last_epoch == own->last_epoch &&
			     r->durable > own->durable)))
			out_note(ctl, "%s holds more; what only it holds is lost",
				 name);
	}
	n = evidence_missing(run, silent);
	for (i = 0; i < n; i++)
		out_note(ctl, "MAY BE LOST: whatever only %s holds, above LSN %"
			 PRIu64 "; it is not heard, so how much is unknown",
			 peer_label(run->dump, &run->rec, &silent[i], name),
			 own ? own->durable : 0);
}
