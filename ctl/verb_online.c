// SPDX-License-Identifier: GPL-2.0-only
/*
 * swblockctl suspend, resume, resize: what changes on a running member without a
 * new epoch.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/text.h"
#include "epoch.h"
#include "verbs.h"

static int set_suspended(struct ctl *ctl, bool suspend)
{
	const struct kern_volume *v;
	char name[MEMBER_NAME_MAX];
	struct kern_dump dump = { 0 };
	int ret, err;

	ret = need_members(ctl, &dump);
	if (!ret)
		ret = member_find(ctl, &dump, ctl->pos[0], &v);
	if (!ret) {
		member_name(v, name);
		err = kern_suspend(ctl->kern, v->id, suspend);
		if (err)
			ret = kernel_said(ctl, err, name);
	}
	if (!ret) {
		out_line(ctl, "%s: %s", name, suspend ? "suspended" : "resumed");
		out_set(ctl, "member", json_string(name));
		out_set(ctl, "suspended", json_boolean(suspend));
	}
	kern_dump_free(&dump);
	return ret;
}

static int run_suspend(struct ctl *ctl)
{
	return set_suspended(ctl, true);
}

static int run_resume(struct ctl *ctl)
{
	return set_suspended(ctl, false);
}

/* ---- resize ------------------------------------------------------------- */

static int grow(struct ctl *ctl, const struct kern_volume *v, uint64_t bytes)
{
	uint64_t cookie = random_u64();
	char name[MEMBER_NAME_MAX], size[32];
	struct kern_volume now;
	struct kern_event ev;
	int err;

	member_name(v, name);
	err = kern_events_open(ctl->kern);
	if (err)
		return kernel_said(ctl, err, "events");
	err = kern_resize(ctl->kern, v->id, bytes, cookie);
	if (err)
		return kernel_said(ctl, err, name);
	err = wait_event(ctl, cookie, KIND(RESIZED) | KIND(REFUSED),
			 deadline_after(ctl), &ev);
	if (err == KERN_LOST && !kern_get_volume(ctl->kern, v->id, &now) &&
	    now.size_bytes == bytes)
		err = 0;
	else if (err)
		return wait_failed(ctl, err, name);
	else if (ev.kind == SWBLOCK_EVENT_REFUSED)
		return out_fail(ctl, &err_refused, NULL, "%s: %s", name, ev.text);
	size_text(bytes, size, sizeof(size));
	out_line(ctl, "%s: %s", name, size);
	out_set(ctl, "member", json_string(name));
	out_set(ctl, "size_bytes", json_u64(bytes));
	return CTL_OK;
}

static int run_resize(struct ctl *ctl)
{
	const char *text = opt_get(ctl, "size");
	struct kern_dump dump = { 0 };
	const struct kern_volume *v;
	uint64_t bytes;
	int ret;

	if (!text || !size_parse(text, &bytes) || !bytes)
		return out_fail(ctl, &err_usage, "for example --size 20G",
				"resize needs --size");
	ret = need_members(ctl, &dump);
	if (!ret)
		ret = member_find(ctl, &dump, ctl->pos[0], &v);
	if (!ret)
		ret = grow(ctl, v, bytes);
	kern_dump_free(&dump);
	return ret;
}

/* ---- verify --------------------------------------------------------------- */

static int say_end(struct ctl *ctl, const char *name, const struct kern_event *ev)
{
	out_set(ctl, "member", json_string(name));
	out_set(ctl, "result", json_string(ev->text));
	if (!ev->error) {
		out_line(ctl, "%s: %s", name, ev->text);
		return CTL_OK;
	}
	if (ev->error == EILSEQ)
		return out_fail(ctl, &err_refused,
				"swblockctl verify --repair makes the replicas as the primary is",
				"%s: %s", name, ev->text);
	return out_fail(ctl, &err_failed, NULL, "%s: %s", name, ev->text);
}

static int watch_verify(struct ctl *ctl, const char *name, uint64_t cookie)
{
	uint64_t deadline = deadline_after(ctl);
	struct kern_event ev;
	int err;

	for (;;) {
		err = kern_event_next(ctl->kern, deadline, &ev);
		if (err)
			return wait_failed(ctl, err, "verify");
		if (ev.cookie != cookie)
			continue;
		if (ev.kind == SWBLOCK_EVENT_VERIFIED)
			return say_end(ctl, name, &ev);
		if (ev.kind == SWBLOCK_EVENT_VERIFY)
			out_note(ctl, "%s", ev.text);
	}
}

static int verify(struct ctl *ctl, const struct kern_volume *v)
{
	uint32_t flags = opt_has(ctl, "repair") ? SWBLOCK_VERIFY_REPAIR : 0;
	uint64_t cookie = random_u64();
	char name[MEMBER_NAME_MAX];
	int err;

	member_name(v, name);
	if (opt_has(ctl, "stop")) {
		err = kern_verify_stop(ctl->kern, v->id);
		return err ? kernel_said(ctl, err, name) : CTL_OK;
	}
	err = kern_events_open(ctl->kern);
	if (err)
		return kernel_said(ctl, err, "events");
	err = kern_verify(ctl->kern, v->id, flags, cookie);
	if (err)
		return kernel_said(ctl, err, name);
	if (opt_has(ctl, "wait"))
		return watch_verify(ctl, name, cookie);
	out_line(ctl, "%s: comparing; see swblockctl monitor", name);
	out_set(ctl, "member", json_string(name));
	return CTL_OK;
}

static int run_verify(struct ctl *ctl)
{
	struct kern_dump dump = { 0 };
	const struct kern_volume *v;
	int ret;

	ret = need_members(ctl, &dump);
	if (!ret)
		ret = member_find(ctl, &dump, ctl->pos[0], &v);
	if (!ret)
		ret = verify(ctl, v);
	kern_dump_free(&dump);
	return ret;
}

static const struct opt_def verify_opts[] = {
	{ "repair", 0, NULL, "write the primary's content anew where they differ" },
	{ "wait", 0, NULL, "until the end, up to --timeout" },
	{ "stop", 0, NULL, "end the comparison that is under way" },
	{ NULL },
};

const struct verb verb_verify = {
	.name = "verify",
	.synopsis = "MEMBER [--repair] [--wait] [--stop]",
	.summary = "Compare the primary with its replicas, under load",
	.detail =
	"Every replica in sync is asked for checksums (crc32c of 4 KiB) of the same\n"
	"records; a difference is never one of time. With --repair the primary's\n"
	"content wins, whoever was right, so look first.",
	.example = "  swblockctl verify db/a --wait --timeout 1h",
	.opts = verify_opts,
	.pos_min = 1,
	.pos_max = 1,
	.run = run_verify,
};

const struct verb verb_suspend = {
	.name = "suspend",
	.synopsis = "MEMBER",
	.summary = "Hold the I/O of the primary until resume",
	.detail =
	"What was admitted completes, what comes waits, up to the I/O deadline. Not\n"
	"kept over a removal, nor over a change of the primary.",
	.example = "  swblockctl suspend db/a",
	.pos_min = 1,
	.pos_max = 1,
	.run = run_suspend,
};

const struct verb verb_resume = {
	.name = "resume",
	.synopsis = "MEMBER",
	.summary = "Let suspended I/O go on",
	.detail = "Lifts what suspend did, and nothing else that holds I/O.",
	.example = "  swblockctl resume db/a",
	.pos_min = 1,
	.pos_max = 1,
	.run = run_resume,
};

static const struct opt_def resize_opts[] = {
	{ "size", 0, "SIZE", "new size of the volume, larger than now" },
	{ NULL },
};

const struct verb verb_resize = {
	.name = "resize",
	.synopsis = "MEMBER --size SIZE",
	.summary = "Make a member larger while it runs",
	.detail =
	"Its device must have the room. Every replica first, the primary last, and only\n"
	"while all members are linked: a replica may be larger than the primary, never\n"
	"smaller. The new part is zeroed, then the device grows; then the file system:\n"
	"resize2fs, xfs_growfs. Nothing shrinks.",
	.example =
	"  swblockctl resize db/b --size 20G\n"
	"  swblockctl resize db/a --size 20G && resize2fs /dev/swblock0",
	.opts = resize_opts,
	.pos_min = 1,
	.pos_max = 1,
	.run = run_resize,
};
