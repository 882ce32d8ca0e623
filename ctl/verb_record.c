// SPDX-License-Identifier: GPL-2.0-only
/*
 * swblockctl record: the flight record of a member, as text or as a file that the
 * tool "conform" replays. The kernel's bytes are written as they came.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "member.h"
#include "out.h"
#include "steptext.h"
#include "verbs.h"

static int system_failed(struct ctl *ctl, const char *path)
{
	return out_fail(ctl, &err_system, NULL, "%s: %s", path, strerror(errno));
}

static int write_file(struct ctl *ctl, const char *path, const struct kern_record *r)
{
	FILE *f = fopen(path, "wb");
	bool bad;

	if (!f)
		return system_failed(ctl, path);
	bad = fwrite(r->buf, 1, r->len, f) != r->len;
	if (fclose(f) || bad)
		return system_failed(ctl, path);
	return CTL_OK;
}

static int read_file(struct ctl *ctl, const char *path, struct kern_record *r)
{
	FILE *f = fopen(path, "rb");
	uint8_t *more;
	size_t n;

	if (!f)
		return system_failed(ctl, path);
	do {
		more = realloc(r->buf, r->len + 65536);
		if (!more)
			break;
		r->buf = more;
		n = fread(r->buf + r->len, 1, 65536, f);
		r->len += n;
	} while (n);
	fclose(f);
	return more ? CTL_OK : system_failed(ctl, path);
}

static json_t *orders_json(const struct swb_actions *out)
{
	json_t *list = json_array();
	char text[128];
	uint32_t i;

	for (i = 0; i < out->count; i++) {
		action_text(&out->act[i], text, sizeof(text));
		json_array_append_new(list, json_string(text));
	}
	return list;
}

static json_t *step_json(const struct swb_record_step *s, const char *text)
{
	return json_pack("{s:o, s:o, s:s, s:o, s:o, s:s}",
		"number", json_u64(s->number), "time_ns", json_u64(s->ev.now_ns),
		"event", swb_text_event(s->ev.type),
		"peer", s->ev.peer == SWB_NOBODY ? json_null() : json_u64(s->ev.peer),
		"orders", orders_json(&s->out), "text", text);
}

/* The newest @most steps; all of them are read, as each builds upon the one before. */
static int show(struct ctl *ctl, const struct kern_record *r, uint64_t most)
{
	struct swb_record_step *s = malloc(sizeof(*s));
	struct swb_record_reader rd;
	enum swb_record_verdict v;
	char text[STEP_TEXT_MAX];
	int ret = CTL_OK;
	json_t *list;

	if (!s)
		return out_fail(ctl, &err_system, NULL, "out of memory");
	list = json_array();
	v = swb_record_open(&rd, r->buf, r->len, s);
	if (v != SWB_RECORD_OK)
		ret = out_fail(ctl, &err_failed, NULL, "%s", record_text(v));
	while (!ret && swb_record_next(&rd, s)) {
		if (rd.count >= most)
			continue;
		step_text(s, text, sizeof(text));
		out_line(ctl, "%s", text);
		json_array_append_new(list, step_json(s, text));
	}
	if (!ret && rd.bad)
		ret = out_fail(ctl, &err_failed, NULL, "step %" PRIu64 " makes no sense",
			       rd.number);
	out_set(ctl, "steps", list);
	free(s);
	return ret;
}

static int fetch(struct ctl *ctl, const char *name, struct kern_records *all)
{
	struct kern_dump dump = { 0 };
	const struct kern_volume *v;
	char member[MEMBER_NAME_MAX];
	int ret = need_members(ctl, &dump), err;

	if (!ret)
		ret = member_or_primary(ctl, &dump, name, &v);
	if (!ret) {
		err = kern_get_records(ctl->kern, &v->id, all);
		if (!err && all->count != 1)
			err = -ENODEV;
		if (err)
			ret = kernel_said(ctl, err, member_name(v, member));
	}
	kern_dump_free(&dump);
	return ret;
}

static int record_one(struct ctl *ctl, uint64_t most)
{
	struct kern_records all = { 0 };
	const char *to = opt_get(ctl, "output");
	int ret = fetch(ctl, ctl->pos[0], &all);

	if (!ret && to)
		ret = write_file(ctl, to, &all.record[0]);
	else if (!ret)
		ret = show(ctl, &all.record[0], most);
	kern_records_free(&all);
	return ret;
}

static int record_all(struct ctl *ctl, const char *dir)
{
	struct kern_records all = { 0 };
	char path[4096];
	unsigned int i;
	int ret = need_kernel(ctl), err;

	if (ret)
		return ret;
	err = kern_get_records(ctl->kern, NULL, &all);
	if (err)
		ret = kernel_said(ctl, err, "record");
	for (i = 0; !ret && i < all.count; i++) {
		snprintf(path, sizeof(path), "%s/%u.swbrec", dir, all.record[i].id);
		ret = write_file(ctl, path, &all.record[i]);
		if (!ret)
			out_line(ctl, "%s", path);
	}
	kern_records_free(&all);
	return ret;
}

static int record_read(struct ctl *ctl, const char *path, uint64_t most)
{
	struct kern_record r = { 0 };
	int ret = read_file(ctl, path, &r);

	if (!ret)
		ret = show(ctl, &r, most);
	free(r.buf);
	return ret;
}

static int run_record(struct ctl *ctl)
{
	const char *file = opt_get(ctl, "read"), *dir = opt_get(ctl, "all");
	const char *n = opt_get(ctl, "count");
	uint64_t most = UINT64_MAX;

	if (!!ctl->pos[0] + !!file + !!dir != 1)
		return out_fail(ctl, &err_usage, NULL,
				"say a volume or member, or --read, or --all");
	if (opt_get(ctl, "output") && !ctl->pos[0])
		return out_fail(ctl, &err_usage, NULL, "--output is for one member");
	if (n && (!number_parse(n, UINT32_MAX, &most) || !most))
		return out_fail(ctl, &err_usage, NULL, "--count is a number");
	if (file)
		return record_read(ctl, file, most);
	return dir ? record_all(ctl, dir) : record_one(ctl, most);
}

static const struct opt_def record_opts[] = {
	{ "output", 'o', "FILE", "write all of it there, to be replayed" },
	{ "count", 'n', "N", "only the newest N steps" },
	{ "read", 0, "FILE", "print such a file" },
	{ "all", 0, "DIRECTORY", "a file for each member, removed ones included" },
	{ NULL },
};

const struct verb verb_record = {
	.name = "record",
	.synopsis = "VOLUME | MEMBER | --read FILE | --all DIRECTORY [-o FILE] [-n N]",
	.summary = "The newest steps of the protocol: what came, what was ordered",
	.detail =
	"A line for each step: its number, CLOCK_BOOTTIME, the fact, the orders, and what\n"
	"became of roles and peers, with case letters. The record is always on and begins\n"
	"anew with each attachment; old steps fall off. Of a volume its primary here is\n"
	"shown. Contents of blocks are not in it; ids, labels, sizes and LSNs are.",
	.example =
	"  swblockctl record db -n 20\n"
	"  swblockctl record db/b -o b.swbrec",
	.opts = record_opts,
	.pos_min = 0,
	.pos_max = 1,
	.run = run_record,
};
