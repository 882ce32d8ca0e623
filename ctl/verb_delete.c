// SPDX-License-Identifier: GPL-2.0-only
/*
 * swblockctl volume delete: the end of a declared volume. The daemons stop it and
 * detach its members; then its name is free. The authority record stays under
 * another label, for its epochs must not be granted again should a disk turn up
 * (P3). The disks keep what is on them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "verbs.h"
#include "volume.h"

/* Where a member is still attached, or still primary; NULL: nowhere. */
static const struct board_state *left_over(const struct board_volume *v, bool primary)
{
	unsigned int i;

	for (i = 0; i < v->state_count; i++)
		if (v->state[i].attached &&
		    (!primary || v->state[i].role == SWBLOCK_ROLE_PRIMARY))
			return &v->state[i];
	return NULL;
}

/* What a host says is a moment old: two words later it has seen the order. */
static bool still_open(const struct board_state *left, uint64_t *first)
{
	if (!*first)
		*first = left->sequence;
	return left->openers && left->sequence > *first + 1;
}

/* @primary: only till no member is primary, and not while somebody holds the device */
static int wait_for_none(struct ctl *ctl, const struct swb_uuid *volume, bool primary)
{
	uint64_t deadline_ns = deadline_after(ctl), first = 0;
	const struct board_state *left;
	struct board_volume *v;
	struct board *b;
	int ret = -1;
	bool late;

	while (ret < 0) {
		usleep(LOOK_US);
		late = boottime_ns() >= deadline_ns;
		b = cluster_reload(ctl, volume, &v);
		if (!b && late)
			return store_said(ctl, -EIO);
		if (!b)
			continue;
		left = left_over(v, primary);
		if (!left)
			ret = CTL_OK;
		else if (primary && still_open(left, &first))
			ret = out_fail(ctl, &err_refused,
				       "unmount it, or end what holds it (see lsblk), then ask again",
				       "/dev/swblock%u is open on %s", left->minor,
				       left->node);
		else if (late && primary)
			ret = out_fail(ctl, &err_timeout,
				       "is that host up? --force does not wait for it",
				       "%s does not give the volume up",
				       left->node);
		else if (late)
			ret = out_fail(ctl, &err_timeout,
				       "it goes on by itself; ask again, or --force if that host will not come back",
				       "the member on %s is still attached",
				       left->node);
		board_free(b);
	}
	return ret;
}

static int put_step(struct ctl *ctl, const struct swb_uuid *volume, bool stopped,
		    bool deleted)
{
	const char *reason = opt_get(ctl, "reason");
	struct board_volume *v;
	struct board *b = cluster_reload(ctl, volume, &v);
	int ret;

	if (!b)
		return store_said(ctl, -EIO);
	v->wish.override = false;
	v->wish.stopped = stopped;
	v->wish.deleted = deleted;
	text_copy(v->wish.reason, reason ? reason : "", sizeof(v->wish.reason));
	ret = cluster_put_wish(ctl, v);
	board_free(b);
	return ret;
}

/*
 * The volume is stopped first, which its kernel refuses while somebody holds the
 * device, and started again if that does not work out. Only then it is deleted.
 */
static int stop_first(struct ctl *ctl, const struct swb_uuid *volume, bool was_stopped)
{
	int ret = put_step(ctl, volume, true, false);

	if (!ret)
		ret = wait_for_none(ctl, volume, true);
	if (ret)
		(void)put_step(ctl, volume, was_stopped, false);
	return ret;
}

/* The name is free; what was only told about members goes. */
static int retire(struct ctl *ctl, const struct swb_uuid *volume, const char *reason)
{
	struct auth_note note = { .action = "delete", .reason = reason };
	struct auth_record old, next;
	int err;

	err = authority_load(ctl->store, volume, &old);
	if (err)
		return store_said(ctl, err);
	err = authority_retire(ctl->store, &old, &note, &next);
	if (!err)
		err = board_delete_rest(ctl->store, volume);
	return err ? store_said(ctl, err) : CTL_OK;
}

static void say_disks(struct ctl *ctl, const struct board_wish *w)
{
	json_t *list = json_array(), *one;
	unsigned int i;

	for (i = 0; i < w->member_count; i++) {
		out_line(ctl, "  %s:%s keeps what is on it", w->member[i].node,
			 w->member[i].data);
		one = json_object();
		json_object_set_new(one, "node", json_string(w->member[i].node));
		json_object_set_new(one, "device", json_string(w->member[i].data));
		json_array_append_new(list, one);
	}
	out_set(ctl, "disks", list);
}

static int run_delete(struct ctl *ctl)
{
	struct board_volume *v;
	struct swb_uuid volume;
	bool was_stopped;
	struct board *b;
	int ret;

	ret = volume_need(ctl, &b, &v);
	if (ret)
		return ret;
	volume = v->volume;
	was_stopped = v->wish.stopped;
	out_set(ctl, "volume", json_uuid(&volume));
	if (!opt_has(ctl, "yes") && !opt_has(ctl, "dry-run"))
		ret = out_fail(ctl, &err_refused, "--yes, or --dry-run first",
			       "this takes %s from all its hosts", v->wish.label);
	if (!ret) {
		out_line(ctl, "%s: no device any more, %u members are detached",
			 v->wish.label, v->wish.member_count);
		say_disks(ctl, &v->wish);
	}
	board_free(b);
	if (ret || opt_has(ctl, "dry-run"))
		return ret;
	if (!opt_has(ctl, "force"))
		ret = stop_first(ctl, &volume, was_stopped);
	if (!ret)
		ret = put_step(ctl, &volume, true, true);
	if (!ret && !opt_has(ctl, "force"))
		ret = wait_for_none(ctl, &volume, false);
	if (!ret)
		ret = retire(ctl, &volume, opt_get(ctl, "reason"));
	if (!ret)
		out_line(ctl, "%s is deleted", ctl->pos[0]);
	return ret;
}

static const struct opt_def delete_opts[] = {
	{ "yes", 0, NULL, "really" },
	{ "force", 0, NULL, "do not wait for hosts that are silent" },
	{ "reason", 0, "TEXT", "for the history" },
	{ "dry-run", 'n', NULL, "say what would be done, and do nothing" },
	{ NULL },
};

const struct verb verb_volume_delete = {
	.name = "volume delete",
	.synopsis = "NAME --yes",
	.summary = "Stop a volume for good and detach its members",
	.detail =
	"Refused while its device is open. The disks keep what is on them: volume create\n"
	"--force takes them for another one. A host that was away detaches its member\n"
	"when it is back.",
	.example = "  swblockctl volume delete db --yes",
	.opts = delete_opts,
	.pos_min = 1,
	.pos_max = 1,
	.run = run_delete,
};
