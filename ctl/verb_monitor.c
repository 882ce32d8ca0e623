// SPDX-License-Identifier: GPL-2.0-only
/*
 * swblockctl monitor: events as they come, one line each. A gap in the sequence
 * is shown and bridged by a dump, so that a reader never misses a state, though
 * it may miss how it came about.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"
#include "show.h"
#include "verbs.h"

static const struct opt_def monitor_opts[] = {
	{ "count", 'n', "N", "end after N events" },
	{ "for", 0, "TIME", "end after this time" },
	{ NULL },
};

static atomic_bool stopped;

static void on_signal(int sig)
{
	(void)sig;
	stopped = true;
}

static void name_of(const struct kern_dump *dump, uint32_t id,
		    char name[MEMBER_NAME_MAX])
{
	unsigned int i;

	name[0] = 0;
	for (i = 0; i < dump->count; i++)
		if (dump->volume[i].id == id)
			member_name(&dump->volume[i], name);
}

static void describe(const struct kern_event *ev, char *out, size_t len)
{
	char words[256];

	out[0] = 0;
	if (ev->kind == SWBLOCK_EVENT_ROLE)
		snprintf(out, len, " %s", swb_text_role(ev->role));
	else if (ev->kind == SWBLOCK_EVENT_CONDITIONS)
		snprintf(out, len, " %s", ev->conditions ?
			 show_conditions(ev->conditions, words, sizeof(words)) :
			 "none");
	else if (ev->kind == SWBLOCK_EVENT_PEER && ev->has_peer)
		snprintf(out, len, " %02x%02x%02x%02x %s (%s)", ev->peer.uuid.b[0],
			 ev->peer.uuid.b[1], ev->peer.uuid.b[2],
			 ev->peer.uuid.b[3], swb_text_peer_state(ev->peer.state),
			 swb_text_reason(ev->reason ? ev->reason :
					 ev->peer.reason));
	else if (ev->kind == SWBLOCK_EVENT_REPORT && ev->has_report)
		snprintf(out, len, " durable %" PRIu64 " of epoch %" PRIu64
			 ", committed %" PRIu64, ev->report.durable,
			 ev->report.last_epoch, ev->report.committed);
}

static void show_event(const struct ctl *ctl, const struct kern_event *ev,
		       const char *name)
{
	char what[320];

	if (ctl->json) {
		out_stream(ctl, show_event_json(ev, name));
		return;
	}
	describe(ev, what, sizeof(what));
	out_line(ctl, "%" PRIu64 " %" PRIu64 ".%03" PRIu64 " %s epoch %" PRIu64
		 " %s%s%s%c%s%s", ev->seq, ev->time_ns / NSEC_PER_SEC,
		 ev->time_ns / 1000000 % 1000, *name ? name : "-", ev->epoch,
		 swb_text_event_kind(ev->kind), what, ev->letter ? " case " : "",
		 ev->letter ? ev->letter : ' ', *ev->text ? " - " : "", ev->text);
}

/* All members as they are now, between two events or at the start. */
static int resync(struct ctl *ctl, struct kern_dump *dump, const char *why)
{
	json_t *j, *list;
	unsigned int i;
	int err;

	kern_dump_free(dump);
	err = kern_dump_volumes(ctl->kern, dump);
	if (err)
		return kernel_said(ctl, err, "monitor");
	kern_events_seen(ctl->kern, dump->seq);
	if (!ctl->json) {
		out_line(ctl, "%" PRIu64 " %s: %u members", dump->seq, why,
			 dump->count);
		return CTL_OK;
	}
	j = json_object();
	list = json_array();
	for (i = 0; i < dump->count; i++)
		json_array_append_new(list, show_volume_json(dump, &dump->volume[i],
							     NULL));
	json_object_set_new(j, "seq", json_u64(dump->seq));
	json_object_set_new(j, "event", json_string(why));
	json_object_set_new(j, "members", list);
	out_stream(ctl, j);
	return CTL_OK;
}

static int follow(struct ctl *ctl, struct kern_dump *dump, uint64_t count,
		  uint64_t deadline_ns)
{
	char name[MEMBER_NAME_MAX];
	struct kern_event ev;
	uint64_t seen = 0;
	int ret, err;

	while (!stopped && (!count || seen < count)) {
		err = kern_event_next(ctl->kern, deadline_ns, &ev);
		if (err == -EINTR)
			continue;
		if (err == -ETIMEDOUT)
			return CTL_OK;
		if (err == KERN_LOST) {
			ret = resync(ctl, dump, "gap");
			if (ret)
				return ret;
			continue;
		}
		if (err)
			return kernel_said(ctl, err, "monitor");
		name_of(dump, ev.volume_id, name);
		if (!*name && ev.kind == SWBLOCK_EVENT_READY) {
			kern_dump_free(dump);
			if (!kern_dump_volumes(ctl->kern, dump))
				name_of(dump, ev.volume_id, name);
		}
		show_event(ctl, &ev, name);
		seen++;
	}
	return CTL_OK;
}

static int run_monitor(struct ctl *ctl)
{
	const char *n = opt_get(ctl, "count"), *length = opt_get(ctl, "for");
	struct sigaction sa = { .sa_handler = on_signal };
	struct kern_dump dump = { 0 };
	uint64_t count = 0, ms = 0;
	int ret, err;

	if (n && (!number_parse(n, UINT32_MAX, &count) || !count))
		return out_fail(ctl, &err_usage, NULL, "--count is a number");
	if (length && !duration_parse(length, &ms))
		return out_fail(ctl, &err_usage, NULL, "--for is a time");
	ctl->streaming = true;
	ret = need_kernel(ctl);
	if (ret)
		return ret;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	err = kern_events_open(ctl->kern);
	if (err)
		return kernel_said(ctl, err, "monitor");
	ret = resync(ctl, &dump, "start");
	if (!ret)
		ret = follow(ctl, &dump, count, ms ? boottime_ns() +
			     ms * SWB_NSEC_PER_MSEC : 0);
	kern_dump_free(&dump);
	return ret;
}

const struct verb verb_monitor = {
	.name = "monitor",
	.synopsis = "[--count N] [--for TIME]",
	.summary = "Print events as they happen",
	.detail =
	"The first line is the state at the start. Each event carries the dense sequence\n"
	"number of the kernel; after a gap all members are shown anew, as \"gap\". With -j\n"
	"each line is one JSON object.",
	.example = "  swblockctl monitor -j",
	.opts = monitor_opts,
	.pos_min = 0,
	.pos_max = 0,
	.run = run_monitor,
};
