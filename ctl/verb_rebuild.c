// SPDX-License-Identifier: GPL-2.0-only
/*
 * swblockctl rebuild: allow that blocks are copied to a peer whose log is no way
 * back, and wait for the end of it. Whether it becomes a delta or a full copy is
 * the kernel's decision, when the two are linked.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/text.h"
#include "member.h"
#include "show.h"
#include "verbs.h"

#define LOOK_NS	1000000000ULL	/* how often progress is looked at */

static const struct kern_peer *peer_of(const struct kern_volume *v,
				       const struct swb_uuid *peer)
{
	unsigned int i;

	for (i = 0; i < v->peer_count; i++)
		if (swb_uuid_equal(&v->peer[i].uuid, peer))
			return &v->peer[i];
	return NULL;
}

static void say_progress(const struct ctl *ctl, const struct kern_peer *p,
			 const char *label, uint64_t *last)
{
	char done[32], todo[32];

	if (p->state != SWBLOCK_PEER_REBUILDING || p->rebuild_done == *last)
		return;
	*last = p->rebuild_done;
	size_text(p->rebuild_done, done, sizeof(done));
	size_text(p->rebuild_todo, todo, sizeof(todo));
	out_line(ctl, "%s: %s, %s of %s", label, swb_text_rebuild(p->rebuild), done,
		 todo);
}

/* The end of it in @p: in sync, or an answer that no waiting changes. */
static bool has_ended(const struct kern_peer *p, bool *begun)
{
	switch ((enum swblock_peer_state)p->state) {
	case SWBLOCK_PEER_IN_SYNC:
	case SWBLOCK_PEER_REFUSED:
		return true;
	case SWBLOCK_PEER_REBUILDING:
	case SWBLOCK_PEER_CATCHING_UP:
		*begun = true;
		return false;
	case SWBLOCK_PEER_NEEDS_REBUILD:
		return *begun;	/* it was given up; before: not linked yet */
	case SWBLOCK_PEER_DETACHED:
	case SWBLOCK_PEER_OPENING:
		return false;
	}
	return false;
}

static int wait_for_end(struct ctl *ctl, uint32_t id, const struct swb_uuid *peer,
			const char *label)
{
	uint64_t deadline = deadline_after(ctl), step, last = UINT64_MAX;
	const struct kern_peer *p;
	struct kern_event ev;
	struct kern_volume v;
	bool begun = false;
	int err;

	for (;;) {
		err = kern_get_volume(ctl->kern, id, &v);
		if (err)
			return kernel_said(ctl, err, "rebuild");
		p = peer_of(&v, peer);
		if (!p)
			return out_fail(ctl, &err_no_object, NULL,
					"%s is no member any more", label);
		say_progress(ctl, p, label, &last);
		if (has_ended(p, &begun))
			break;
		if (boottime_ns() >= deadline)
			return wait_failed(ctl, -ETIMEDOUT, "rebuild");
		step = min_t(uint64_t, deadline, boottime_ns() + LOOK_NS);
		err = kern_event_next(ctl->kern, step, &ev);
		if (err == KERN_LOST)
			kern_events_seen(ctl->kern, v.seq);
		else if (err && err != -ETIMEDOUT)
			return wait_failed(ctl, err, "rebuild");
	}
	out_set(ctl, "state", json_string(swb_text_peer_state(p->state)));
	if (p->state != SWBLOCK_PEER_IN_SYNC)
		return out_fail(ctl, &err_refused, "see swblockctl explain",
				"%s: %s, %s", label, swb_text_peer_state(p->state),
				swb_text_reason(p->reason));
	out_line(ctl, "%s is in sync", label);
	return CTL_OK;
}

static int run_rebuild(struct ctl *ctl)
{
	const struct kern_volume *v;
	char name[MEMBER_NAME_MAX], label[CTL_UUID_TEXT];
	struct kern_dump dump = { 0 };
	struct swb_uuid peer;
	int ret, err = 0;

	ret = need_members(ctl, &dump);
	if (!ret)
		ret = member_find(ctl, &dump, ctl->pos[0], &v);
	if (!ret)
		ret = peer_find(ctl, &dump, v, ctl->pos[1], &peer);
	if (ret)
		goto out;
	member_name(v, name);
	peer_label(&dump, NULL, &peer, label);
	if (opt_has(ctl, "wait"))
		err = kern_events_open(ctl->kern);
	if (!err)
		err = kern_rebuild(ctl->kern, v->id, &peer, random_u64());
	if (err) {
		ret = kernel_said(ctl, err, name);
		goto out;
	}
	out_set(ctl, "member", json_string(name));
	out_set(ctl, "peer", json_uuid(&peer));
	out_set(ctl, "allowed", json_true());
	if (opt_has(ctl, "wait"))
		ret = wait_for_end(ctl, v->id, &peer, label);
	else
		out_line(ctl, "%s may be copied to when it is linked: swblockctl link %s %s ...",
			 label, name, ctl->pos[1]);
out:
	kern_dump_free(&dump);
	return ret;
}

static const struct opt_def rebuild_opts[] = {
	{ "wait", 0, NULL, "show progress until the peer is in sync" },
	{ NULL },
};

const struct verb verb_rebuild = {
	.name = "rebuild",
	.synopsis = "MEMBER PEER [--wait]",
	.summary = "Allow that blocks are copied to a peer that cannot catch up",
	.detail =
	"MEMBER is the primary. The copy begins with the next link: a delta if the\n"
	"changed-block bitmap covers the peer, else every block. Until it is complete\n"
	"the peer is no copy of anything, and what it held before is given up: it can\n"
	"neither vote nor be promoted. A member that sync_all requires is refused.",
	.example =
	"  swblockctl rebuild db/a b\n"
	"  swblockctl link db/a b --pair\n"
	"  swblockctl rebuild db/a b --wait",
	.opts = rebuild_opts,
	.pos_min = 2,
	.pos_max = 2,
	.run = run_rebuild,
};
