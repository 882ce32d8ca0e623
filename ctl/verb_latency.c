// SPDX-License-Identifier: GPL-2.0-only
/*
 * swblockctl latency: where the time of a write goes, by stage and by peer. The
 * histograms are the kernel's, the arithmetic is core/lat.c, as in the kernel.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/core.h"
#include "core/lat.h"
#include "core/text.h"
#include "member.h"
#include "verbs.h"

#define ROWS_MAX	((SWB_MEMBERS_MAX + 1) * SWBLOCK_STAGE_MAX)

/* @name in the head of the table, @key of JSON */
static const struct {
	const char *name;
	const char *key;
	uint32_t parts;
} percent[] = {
	{ "p50", "p50_ns", 5000 }, { "p90", "p90_ns", 9000 },
	{ "p99", "p99_ns", 9900 }, { "p99.9", "p999_ns", 9990 },
};

/**
 * struct report - all histograms of a member, and names for its peers
 * @v: the member
 * @self: its index, SWB_LAT_NOBODY without a configuration
 * @missed: records that could not be timed
 * @count: rows
 * @row: histograms: of the host, then of each member
 * @label: of each member
 */
struct report {
	const struct kern_volume *v;
	uint8_t self;
	uint64_t missed;
	unsigned int count;
	struct swb_lat_row row[ROWS_MAX];
	char label[SWB_MEMBERS_MAX][CTL_UUID_TEXT];
};

/* @member: index, or SWB_LAT_NOBODY for the host's own. */
static int fetch(struct ctl *ctl, struct report *r, uint8_t member)
{
	const struct swb_uuid *uuid = NULL;
	struct kern_latency got;
	unsigned int i;
	int err;

	if (member != SWB_LAT_NOBODY)
		uuid = &r->v->config.member[member];
	err = kern_get_latency(ctl->kern, r->v->id, uuid, &got);
	if (err)
		return err;
	r->missed = got.missed > r->missed ? got.missed : r->missed;
	for (i = 0; i < got.count; i++) {
		r->row[r->count] = got.row[i];
		r->row[r->count++].member = member;
	}
	return 0;
}

static int collect(struct ctl *ctl, const struct kern_dump *dump, struct report *r)
{
	const struct swb_config *c = &r->v->config;
	struct auth_record rec;
	bool known = record_of(ctl, &r->v->volume, &rec);
	int err = fetch(ctl, r, SWB_LAT_NOBODY);
	uint8_t i;

	r->self = SWB_LAT_NOBODY;
	for (i = 0; !err && r->v->has_config && i < c->member_count; i++) {
		peer_label(dump, known ? &rec : NULL, &c->member[i], r->label[i]);
		if (swb_uuid_equal(&c->member[i], &r->v->replica))
			r->self = i;
		err = fetch(ctl, r, i);
		if (err == -ENOENT)	/* it has left the configuration meanwhile */
			err = 0;
	}
	return err;
}

static const char *name_of(const struct report *r, uint8_t member)
{
	return member < SWB_MEMBERS_MAX ? r->label[member] : "-";
}

/* 1.25ms: three digits, and a unit. */
static const char *short_time(uint64_t ns, char *buf, size_t len)
{
	static const char *const unit[] = { "ns", "us", "ms", "s" };
	double v = (double)ns;
	unsigned int i;

	for (i = 0; i < 3 && v >= 1000; i++)
		v /= 1000;
	snprintf(buf, len, "%.*f%s", v < 10 ? 2 : v < 100 ? 1 : 0, v, unit[i]);
	return buf;
}

static json_t *buckets_json(const struct swb_lat_hist *h)
{
	json_t *list = json_array(), *one;
	uint32_t i;

	for (i = 0; i < SWB_LAT_BUCKETS; i++) {
		if (!h->n[i])
			continue;
		one = json_pack("{s:o, s:o}", "from_ns", json_u64(swb_lat_edge(i)),
				"count", json_u64(h->n[i]));
		json_array_append_new(list, one);
	}
	return list;
}

static json_t *member_json(const struct report *r, uint8_t member)
{
	return member < SWB_MEMBERS_MAX ? json_string(r->label[member]) : json_null();
}

static json_t *row_json(const struct report *r, const struct swb_lat_row *row)
{
	json_t *o = json_pack("{s:s, s:o, s:o, s:o}", "stage",
			      swb_text_stage(row->stage),
			      "member", member_json(r, row->member), "count",
			      json_u64(swb_lat_count(&row->hist, 0)),
			      "sum_ns", json_u64(row->hist.sum_ns));
	size_t i;

	for (i = 0; i < ARRAY_SIZE(percent); i++)
		json_object_set_new(o, percent[i].key,
				    json_u64(swb_lat_percentile(&row->hist,
								percent[i].parts)));
	json_object_set_new(o, "buckets", buckets_json(&row->hist));
	return o;
}

static void print_row(struct ctl *ctl, const struct report *r,
		      const struct swb_lat_row *row)
{
	char t[ARRAY_SIZE(percent)][16];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(percent); i++)
		short_time(swb_lat_percentile(&row->hist, percent[i].parts), t[i],
			   sizeof(t[i]));
	out_line(ctl, "  %-13s %-12s %10" PRIu64 " %8s %8s %8s %8s",
		 swb_text_stage(row->stage), name_of(r, row->member),
		 swb_lat_count(&row->hist, 0), t[0], t[1], t[2], t[3]);
}

/* In the order of stages, which is that of a write's way. */
static void show_rows(struct ctl *ctl, const struct report *r, uint8_t only)
{
	json_t *list = json_array();
	char name[MEMBER_NAME_MAX];
	unsigned int i, stage;

	out_line(ctl, "%s%s%s  /dev/swblock%u", out_bold(ctl),
		 member_name(r->v, name), out_plain(ctl), r->v->minor);
	out_line(ctl, "  %-13s %-12s %10s %8s %8s %8s %8s", "stage", "member", "count",
		 percent[0].name, percent[1].name, percent[2].name, percent[3].name);
	for (stage = 1; stage <= SWBLOCK_STAGE_MAX; stage++)
		for (i = 0; i < r->count; i++) {
			if (r->row[i].stage != stage ||
			    (only != SWB_LAT_NOBODY && r->row[i].member != only))
				continue;
			print_row(ctl, r, &r->row[i]);
			json_array_append_new(list, row_json(r, &r->row[i]));
		}
	if (!json_array_size(list))
		out_line(ctl, "  nothing was measured yet");
	if (r->missed)
		out_line(ctl, "  %" PRIu64 " records could not be timed", r->missed);
	out_set(ctl, "member", json_string(name));
	out_set(ctl, "missed", json_u64(r->missed));
	out_set(ctl, "stages", list);
}

static void say_why(struct ctl *ctl, const struct report *r,
		    const struct swb_lat_why *w)
{
	char all[16], part[16];
	const char *what = w->total == SWBLOCK_STAGE_BARRIER ? "barriers" : "writes";

	short_time(w->total_ns, all, sizeof(all));
	short_time(w->stage_ns, part, sizeof(part));
	if (w->member == SWB_LAT_NOBODY)
		out_line(ctl, "p99 of %s is %s: of the %" PRIu64 " slowest %" PRIu64
			 " waited for a decision (a lease, an epoch, a resume)", what,
			 all, w->slow, w->held);
	else
		out_line(ctl, "p99 of %s is %s: of the %" PRIu64 " slowest %" PRIu64
			 " waited last for %s%s", what, all, w->slow, w->held,
			 r->label[w->member], w->member == r->self ? " (own log)" : "");
	if (w->stage)
		out_line(ctl, "the longest stage on that way is %s%s%s, p99 %s",
			 swb_text_stage(w->stage),
			 w->stage_member == SWB_LAT_NOBODY ? "" : " of ",
			 w->stage_member == SWB_LAT_NOBODY ? "" :
			 r->label[w->stage_member], part);
}

static json_t *why_json(const struct report *r, const struct swb_lat_why *w)
{
	json_t *o = json_object();

	json_object_set_new(o, "of", json_string(swb_text_stage(w->total)));
	json_object_set_new(o, "p99_ns", json_u64(w->total_ns));
	json_object_set_new(o, "slow", json_u64(w->slow));
	json_object_set_new(o, "held", json_u64(w->held));
	json_object_set_new(o, "member", member_json(r, w->member));
	json_object_set_new(o, "stage", w->stage ?
			    json_string(swb_text_stage(w->stage)) : json_null());
	json_object_set_new(o, "stage_member", member_json(r, w->stage_member));
	json_object_set_new(o, "stage_p99_ns", json_u64(w->stage_ns));
	return o;
}

static void show_why(struct ctl *ctl, const struct report *r)
{
	struct swb_lat_why w;

	if (!swb_lat_why(r->row, r->count, r->self, 9900, &w)) {
		out_line(ctl, "no write has completed yet");
		out_set(ctl, "why", json_null());
		return;
	}
	say_why(ctl, r, &w);
	out_set(ctl, "why", why_json(r, &w));
}

/* --peer: the index of that member of the configuration. */
static int find_only(struct ctl *ctl, const struct kern_dump *dump,
		     const struct report *r, uint8_t *only)
{
	const char *text = opt_get(ctl, "peer");
	struct swb_uuid uuid;
	int ret;

	*only = SWB_LAT_NOBODY;
	if (!text)
		return CTL_OK;
	ret = peer_find(ctl, dump, r->v, text, &uuid);
	if (ret)
		return ret;
	*only = swb_core_member_index(&r->v->config, &uuid);
	if (*only == SWB_NOBODY)
		return out_fail(ctl, &err_no_object, NULL,
				"%s is not in the configuration", text);
	return CTL_OK;
}

static int latency(struct ctl *ctl, const struct kern_dump *dump,
		   const struct kern_volume *v)
{
	struct report *r = calloc(1, sizeof(*r));
	char name[MEMBER_NAME_MAX];
	uint8_t only;
	int ret, err;

	if (!r)
		return out_fail(ctl, &err_system, NULL, "out of memory");
	r->v = v;
	ret = find_only(ctl, dump, r, &only);
	if (!ret) {
		err = collect(ctl, dump, r);
		if (err)
			ret = kernel_said(ctl, err, member_name(v, name));
	}
	if (!ret) {
		show_rows(ctl, r, only);
		if (opt_has(ctl, "why"))
			show_why(ctl, r);
	}
	free(r);
	return ret;
}

static int run_latency(struct ctl *ctl)
{
	struct kern_dump dump = { 0 };
	const struct kern_volume *v;
	int ret;

	ret = need_members(ctl, &dump);
	if (!ret)
		ret = member_or_primary(ctl, &dump, ctl->pos[0], &v);
	if (!ret)
		ret = latency(ctl, &dump, v);
	kern_dump_free(&dump);
	return ret;
}

static const struct opt_def latency_opts[] = {
	{ "peer", 0, "PEER", "only what is measured of that member" },
	{ "why", 0, NULL, "which member and stage hold p99 of writes" },
	{ NULL },
};

const struct verb verb_latency = {
	.name = "latency",
	.synopsis = "VOLUME | MEMBER [--peer PEER] [--why]",
	.summary = "Where the time of a write goes, by stage and by peer",
	.detail =
	"Percentiles since the member was attached, of its own clock; each at most a\n"
	"quarter above the true value. Of a volume its primary here is shown. Under\n"
	"complete and barrier stands whose progress released the request last; the other\n"
	"stages of a peer include the network both ways. Ask the peer's host for its own\n"
	"share: persist there.",
	.example =
	"  swblockctl latency db --why\n"
	"  swblockctl latency db/a --peer b -j",
	.opts = latency_opts,
	.pos_min = 1,
	.pos_max = 1,
	.run = run_latency,
};
