// SPDX-License-Identifier: GPL-2.0-only
/* swblockctl add, remove, tune: a member comes, goes, and its limits. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/text.h"
#include "member.h"
#include "verbs.h"

static int add_failed(struct ctl *ctl, const char *path,
		      const struct kern_event *ev)
{
	const char *hint = swb_text_hint(SWBLOCK_TABLE_RECOVER, ev->letter);
	char line[256];

	case_line(SWBLOCK_TABLE_RECOVER, ev->letter, line, sizeof(line));
	return out_fail(ctl, ev->letter ? &err_disk_case :
			ev->error == EBUSY ? &err_in_use : &err_failed, hint,
			"%s: %s%s%s", path,
			*ev->text ? ev->text : strerror((int)ev->error),
			*line ? "; " : "", line);
}

static int add_ready(struct ctl *ctl, uint32_t id, const char *path)
{
	struct kern_volume v;
	char name[MEMBER_NAME_MAX], line[256];
	int err = kern_get_volume(ctl->kern, id, &v);

	if (err)
		return kernel_said(ctl, err, path);
	case_line(SWBLOCK_TABLE_RECOVER, v.local_letter, line, sizeof(line));
	out_line(ctl, "%s is /dev/swblock%u, member %s, without a role", path,
		 v.minor, member_name(&v, name));
	if (*line)
		out_line(ctl, "recovery %s", line);
	out_set(ctl, "device", json_string(path));
	out_set(ctl, "volume_id", json_u64(v.id));
	out_set(ctl, "minor", json_u64(v.minor));
	out_set(ctl, "member", json_string(name));
	out_set(ctl, "volume", json_uuid(&v.volume));
	out_set(ctl, "replica", json_uuid(&v.replica));
	out_set(ctl, "case", json_letter(v.local_letter));
	out_set(ctl, "case_text", *line ? json_string(line) : json_null());
	return CTL_OK;
}

/* The kernel opens it from a thread that has another working directory. */
static int absolute(struct ctl *ctl, const char *path, char out[PATH_MAX])
{
	if (!realpath(path, out))
		return out_fail(ctl, errno == ENOENT ? &err_no_object : &err_device,
				NULL, "%s: %s", path, strerror(errno));
	if (strlen(out) >= SWBLOCK_PATH_MAX)
		return out_fail(ctl, &err_usage, NULL, "%s: path is too long", out);
	return CTL_OK;
}

static int run_add(struct ctl *ctl)
{
	const char *wal = opt_get(ctl, "wal"), *minor = opt_get(ctl, "minor");
	char data_path[PATH_MAX], wal_path[PATH_MAX];
	uint64_t cookie = random_u64(), number = 0;
	struct kern_event ev;
	uint32_t id;
	int ret, err;

	if (minor && !number_parse(minor, 1u << 20, &number))
		return out_fail(ctl, &err_usage, NULL, "--minor is a number");
	ret = need_kernel(ctl);
	if (!ret)
		ret = absolute(ctl, ctl->pos[0], data_path);
	if (!ret && wal)
		ret = absolute(ctl, wal, wal_path);
	if (ret)
		return ret;
	err = kern_events_open(ctl->kern);
	if (!err)
		err = kern_volume_add(ctl->kern, data_path, wal ? wal_path : NULL,
				      minor ? (int)number : -1, cookie, &id);
	if (err)
		return kernel_said(ctl, err, ctl->pos[0]);
	err = wait_event(ctl, cookie, KIND(READY) | KIND(FAILED),
			 deadline_after(ctl), &ev);
	if (err == KERN_LOST) {
		struct kern_volume v;

		/* attached and recovered, or gone: the letter comes with READY */
		err = kern_get_volume(ctl->kern, id, &v);
		if (!err && v.local_letter)
			return add_ready(ctl, id, ctl->pos[0]);
		err = KERN_LOST;
	}
	if (err)
		return wait_failed(ctl, err, ctl->pos[0]);
	if (ev.kind == SWBLOCK_EVENT_FAILED)
		return add_failed(ctl, ctl->pos[0], &ev);
	return add_ready(ctl, ev.volume_id ? ev.volume_id : id, ctl->pos[0]);
}

static int run_remove(struct ctl *ctl)
{
	uint32_t flags = opt_has(ctl, "force") ? SWBLOCK_REMOVE_FORCE : 0;
	uint64_t cookie = random_u64();
	const struct kern_volume *v;
	char name[MEMBER_NAME_MAX];
	struct kern_dump dump;
	struct kern_event ev;
	struct kern_volume gone;
	int ret, err, tries;

	ret = need_members(ctl, &dump);
	if (!ret)
		ret = member_find(ctl, &dump, ctl->pos[0], &v);
	if (ret)
		goto out;
	member_name(v, name);
	err = kern_events_open(ctl->kern);
	if (!err)
		err = kern_volume_remove(ctl->kern, v->id, flags, cookie);
	/* udev looks at a device for a moment whenever somebody has closed it */
	for (tries = 0; err == -EBUSY && tries < BUSY_TRIES; tries++) {
		usleep(BUSY_STEP_US);
		err = kern_volume_remove(ctl->kern, v->id, flags, cookie);
	}
	if (err) {
		ret = kernel_said(ctl, err, name);
		goto out;
	}
	err = wait_event(ctl, cookie, KIND(REMOVED), deadline_after(ctl), &ev);
	if (err == KERN_LOST &&
	    kern_get_volume(ctl->kern, v->id, &gone) == -ENODEV)
		err = 0;
	if (err) {
		ret = wait_failed(ctl, err, name);
		goto out;
	}
	out_line(ctl, "%s is no longer attached", name);
	out_set(ctl, "member", json_string(name));
	out_set(ctl, "removed", json_true());
out:
	kern_dump_free(&dump);
	return ret;
}

static int take_ms(struct ctl *ctl, const char *opt, uint64_t *ms)
{
	const char *text = opt_get(ctl, opt);

	if (text && !duration_parse(text, ms))
		return out_fail(ctl, &err_usage, "for example 500ms, 30s, 5m",
				"--%s is a time", opt);
	return CTL_OK;
}

/* The kernel takes nothing else either: no request waits for ever. */
static int take_io_deadline(struct ctl *ctl, uint64_t *ms)
{
	int ret = take_ms(ctl, "io-deadline", ms);

	if (!ret && *ms < 100)
		return out_fail(ctl, &err_usage, "24h is the longest",
				"--io-deadline is at least 100ms: no request waits for ever");
	return ret;
}

static int take_size(struct ctl *ctl, const char *opt, uint64_t *bytes)
{
	const char *text = opt_get(ctl, opt);

	if (text && strcmp(text, "0") && !size_parse(text, bytes))
		return out_fail(ctl, &err_usage, "for example 100M, 0 for none",
				"--%s is a size", opt);
	if (text && !strcmp(text, "0"))
		*bytes = 0;
	return CTL_OK;
}

static int take_auto(struct ctl *ctl, uint64_t *kind)
{
	const char *text = opt_get(ctl, "rebuild-auto");
	u8 i;

	for (i = SWBLOCK_REBUILD_NONE; text && i <= SWBLOCK_REBUILD_FULL; i++)
		if (!strcmp(text, swb_text_rebuild(i)))
			*kind = i;
	if (text && *kind == KERN_LEAVE)
		return out_fail(ctl, &err_usage, NULL,
				"--rebuild-auto is none, delta or full");
	return CTL_OK;
}

static int take_limits(struct ctl *ctl, struct kern_limits *l)
{
	int ret;

	memset(l, 0xff, sizeof(*l));	/* KERN_LEAVE */
	ret = take_io_deadline(ctl, &l->io_deadline_ms);
	if (!ret)
		ret = take_ms(ctl, "link-deadline", &l->link_deadline_ms);
	if (!ret)
		ret = take_ms(ctl, "flush-interval", &l->flush_interval_ms);
	if (!ret)
		ret = take_ms(ctl, "catchup-stall", &l->catchup_stall_ms);
	if (!ret)
		ret = take_size(ctl, "catchup-max", &l->catchup_max_bytes);
	if (!ret)
		ret = take_size(ctl, "rebuild-rate", &l->rebuild_rate);
	return ret ? ret : take_auto(ctl, &l->rebuild_auto);
}

static int run_tune(struct ctl *ctl)
{
	struct kern_limits limits, none;
	const struct kern_volume *v;
	char name[MEMBER_NAME_MAX];
	struct kern_dump dump = { 0 };
	int ret, err;

	ret = take_limits(ctl, &limits);
	if (ret)
		return ret;
	memset(&none, 0xff, sizeof(none));
	if (!memcmp(&limits, &none, sizeof(none)))
		return out_fail(ctl, &err_usage, "see swblockctl tune --help",
				"nothing to change");
	ret = need_members(ctl, &dump);
	if (!ret)
		ret = member_find(ctl, &dump, ctl->pos[0], &v);
	if (!ret) {
		member_name(v, name);
		err = kern_tune(ctl->kern, v->id, &limits);
		if (err)
			ret = kernel_said(ctl, err, name);
	}
	if (!ret) {
		out_line(ctl, "%s: changed", name);
		out_set(ctl, "member", json_string(name));
		out_set(ctl, "tuned", json_true());
	}
	kern_dump_free(&dump);
	return ret;
}

static const struct opt_def add_opts[] = {
	{ "wal", 0, "DEV", "device of the log, if it was formatted with one" },
	{ "minor", 0, "N", "become /dev/swblockN (default: the lowest free)" },
	{ NULL },
};

const struct verb verb_add = {
	.name = "add",
	.synopsis = "DEV [--wal DEV] [--minor N]",
	.summary = "Attach a formatted device and recover its log",
	.detail =
	"Waits until recovery has ended. It comes up without a role; promote, or an\n"
	"order of the primary's side, gives it one. If it is refused, the case letter,\n"
	"its meaning and what to do are shown.",
	.example = "  swblockctl add /dev/vdb",
	.opts = add_opts,
	.pos_min = 1,
	.pos_max = 1,
	.run = run_add,
};

static const struct opt_def remove_opts[] = {
	{ "force", 0, NULL, "fail what is open or in flight" },
	{ NULL },
};

const struct verb verb_remove = {
	.name = "remove",
	.synopsis = "MEMBER [--force]",
	.summary = "Detach a member; its disk keeps everything",
	.detail =
	"Refused while the device is open. With --force open users get I/O errors;\n"
	"what a lower device never completes is counted as a zombie and named.",
	.example = "  swblockctl remove db/b",
	.opts = remove_opts,
	.pos_min = 1,
	.pos_max = 1,
	.run = run_remove,
};

static const struct opt_def tune_opts[] = {
	{ "io-deadline", 0, "TIME", "a write or barrier that waits so long fails: 100ms to 24h" },
	{ "link-deadline", 0, "TIME", "nothing heard for so long ends a link" },
	{ "flush-interval", 0, "TIME", "background flush of the log" },
	{ "rebuild-rate", 0, "SIZE", "bytes a second of a delta or rebuild; 0: no limit" },
	{ "rebuild-auto", 0, "KIND", "what needs no order: none, delta or full" },
	{ "catchup-max", 0, "SIZE", "history kept for a peer that is not required; 0: no limit" },
	{ "catchup-stall", 0, "TIME", "such a peer without progress is given up; 0: never" },
	{ NULL },
};

const struct verb verb_tune = {
	.name = "tune",
	.synopsis = "MEMBER [--io-deadline T] [--link-deadline T] [--rebuild-rate SIZE] ...",
	.summary = "Change deadlines and budgets of an attached member",
	.detail = "Holds until the member is removed.",
	.example = "  swblockctl tune db/a --io-deadline 60s",
	.opts = tune_opts,
	.pos_min = 1,
	.pos_max = 1,
	.run = run_tune,
};
