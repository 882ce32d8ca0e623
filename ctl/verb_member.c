// SPDX-License-Identifier: GPL-2.0-only
/*
 * swblockctl volume add, drop, replace, move, rebuild, verify: members of a
 * declared volume, and jobs for them. A change of members is a change of the wish;
 * a job is an order document that the member's host carries out.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/text.h"
#include "verbs.h"
#include "volume.h"

static int no_member(struct ctl *ctl, struct board *b, const char *name)
{
	board_free(b);
	return out_fail(ctl, &err_no_object, "swblockctl status shows the members",
			"the volume has no member \"%s\"", name);
}

static int need_node(struct ctl *ctl, const struct board *b,
		     const struct board_member *m)
{
	if (cluster_node(b, m->node))
		return CTL_OK;
	return out_fail(ctl, &err_no_object,
			"start swblockd there with this store",
			"no sign of life of node \"%s\"", m->node);
}

/* --- add, drop, replace ----------------------------------------------------- */

static int run_add(struct ctl *ctl)
{
	struct board_volume *v;
	struct board_member m;
	struct board *b;
	int ret;

	ret = volume_take_member(ctl, ctl->pos[1], &m);
	if (!ret)
		ret = volume_need(ctl, &b, &v);
	if (ret)
		return ret;
	ret = need_node(ctl, b, &m);
	if (!ret && v->wish.member_count == SWB_MEMBERS_MAX)
		ret = out_fail(ctl, &err_refused, NULL,
			       "a volume has at most %d members", SWB_MEMBERS_MAX);
	if (!ret && cluster_member(&v->wish, m.label))
		ret = out_fail(ctl, &err_refused,
			       "swblockctl volume replace takes another disk there",
			       "%s already has a member on %s", v->wish.label, m.node);
	if (ret) {
		board_free(b);
		return ret;
	}
	v->wish.required |= 1u << v->wish.member_count;
	v->wish.member[v->wish.member_count++] = m;
	return volume_change(ctl, b, v, VOLUME_DONE);
}

/* Which promise would the smaller set still keep? */
static int drop_allowed(struct ctl *ctl, const struct board_volume *v,
			const struct board_member *m)
{
	const struct board_state *p = cluster_primary(v);

	if (v->wish.member_count == 1)
		return out_fail(ctl, &err_refused, "swblockctl volume set --stop takes the device away",
				"%s is the last member", m->label);
	if (v->wish.mode == SWBLOCK_MODE_SYNC_QUORUM && v->wish.member_count <= 3)
		return out_fail(ctl, &err_refused,
				"replace it, or change the mode first",
				"sync_quorum needs 3 members");
	if (p && swb_uuid_equal(&p->replica, &m->replica))
		return out_fail(ctl, &err_refused,
				"swblockctl volume move makes another one primary",
				"%s is the primary", m->label);
	return CTL_OK;
}

static void take_out(struct board_wish *w, unsigned int i)
{
	uint32_t low = w->required & ((1u << i) - 1);
	uint32_t high = w->required >> (i + 1) << i;

	if (swb_uuid_equal(&w->primary, &w->member[i].replica))
		memset(&w->primary, 0, sizeof(w->primary));
	w->required = low | high;
	w->member_count--;
	memmove(&w->member[i], &w->member[i + 1],
		(w->member_count - i) * sizeof(w->member[0]));
	memset(&w->member[w->member_count], 0, sizeof(w->member[0]));
}

static int run_drop(struct ctl *ctl)
{
	const struct board_member *m;
	struct board_volume *v;
	struct board *b;
	int ret;

	ret = volume_need(ctl, &b, &v);
	if (ret)
		return ret;
	m = cluster_member(&v->wish, ctl->pos[1]);
	if (!m)
		return no_member(ctl, b, ctl->pos[1]);
	ret = drop_allowed(ctl, v, m);
	if (ret) {
		board_free(b);
		return ret;
	}
	take_out(&v->wish, (unsigned int)(m - v->wish.member));
	return volume_change(ctl, b, v, VOLUME_DONE);
}

/* A blank disk is a new replica and enters by an assignment only (P7). */
static int run_replace(struct ctl *ctl)
{
	const struct board_member *m;
	const struct board_state *p;
	struct board_member fresh;
	struct board_volume *v;
	struct board *b;
	int ret;

	ret = volume_take_member(ctl, ctl->pos[2], &fresh);
	if (!ret)
		ret = volume_need(ctl, &b, &v);
	if (ret)
		return ret;
	m = cluster_member(&v->wish, ctl->pos[1]);
	if (!m)
		return no_member(ctl, b, ctl->pos[1]);
	p = cluster_primary(v);
	ret = need_node(ctl, b, &fresh);
	if (!ret && p && swb_uuid_equal(&p->replica, &m->replica))
		ret = out_fail(ctl, &err_refused,
			       "swblockctl volume move makes another one primary",
			       "%s is the primary", m->label);
	if (ret) {
		board_free(b);
		return ret;
	}
	if (swb_uuid_equal(&v->wish.primary, &m->replica))
		memset(&v->wish.primary, 0, sizeof(v->wish.primary));
	v->wish.member[m - v->wish.member] = fresh;
	return volume_change(ctl, b, v, VOLUME_DONE);
}

/* --- move: the planned switch-over ------------------------------------------- */

static int move_allowed(struct ctl *ctl, const struct board_volume *v,
			const struct board_member *m)
{
	const struct board_state *p = cluster_primary(v);
	const struct board_peer *peer = cluster_peer(p, &m->replica);

	if (opt_has(ctl, "override")) {
		if (opt_has(ctl, "yes") && opt_has(ctl, "reason"))
			return CTL_OK;
		return out_fail(ctl, &err_refused, "--override --yes --reason TEXT",
				"an override may lose what only a silent member has");
	}
	if (!p)
		return CTL_OK;	/* a failover is under way: a preference */
	if (swb_uuid_equal(&p->replica, &m->replica))
		return CTL_OK;
	if (!peer || peer->state != SWBLOCK_PEER_IN_SYNC)
		return out_fail(ctl, &err_refused,
				"wait until swblockctl status says in_sync",
				"%s is %s", m->label, peer ?
				swb_text_peer_state(peer->state) : "not linked");
	if (p->openers)
		return out_fail(ctl, &err_in_use,
				"unmount it there first; nothing was changed",
				"/dev/swblock%u on %s is open", p->minor, p->node);
	return CTL_OK;
}

/*
 * The order was for now. Left standing, it would take the role back, unasked, when
 * this member returns from its next failure.
 */
static int forget_move(struct ctl *ctl, const struct swb_uuid *volume,
		       const struct swb_uuid *to)
{
	struct board_volume *v;
	struct board *b = cluster_reload(ctl, volume, &v);
	int ret = CTL_OK;

	if (!b)
		return store_said(ctl, -EIO);
	if (swb_uuid_equal(&v->wish.primary, to)) {
		memset(&v->wish.primary, 0, sizeof(v->wish.primary));
		v->wish.override = false;
		ret = cluster_put_wish(ctl, v);
	}
	board_free(b);
	return ret;
}

int volume_move(struct ctl *ctl, const char *name)
{
	const struct board_member *m;
	struct swb_uuid volume, to;
	struct board_volume *v;
	bool preferred;
	struct board *b;
	int ret;

	ret = volume_need(ctl, &b, &v);
	if (ret)
		return ret;
	m = cluster_member(&v->wish, name);
	if (!m)
		return no_member(ctl, b, name);
	ret = move_allowed(ctl, v, m);
	if (ret) {
		board_free(b);
		return ret;
	}
	volume = v->volume;
	to = m->replica;
	preferred = swb_uuid_equal(&v->wish.primary, &to);
	v->wish.primary = to;
	v->wish.override = opt_has(ctl, "override");
	v->wish.stopped = false;
	ret = volume_change(ctl, b, v, VOLUME_DONE);
	if (ret || preferred || opt_has(ctl, "dry-run") || opt_has(ctl, "no-wait"))
		return ret;
	return forget_move(ctl, &volume, &to);
}

static int run_move(struct ctl *ctl)
{
	return volume_move(ctl, ctl->pos[1]);
}

/* --- jobs ---------------------------------------------------------------------- */

static int wait_order(struct ctl *ctl, const struct swb_uuid *volume, uint64_t id)
{
	uint64_t deadline_ns = deadline_after(ctl);
	struct board_order o;
	int err;

	for (;;) {
		err = board_get_order(ctl->store, volume, id, &o, NULL);
		if (!err && (o.state == BOARD_ORDER_DONE ||
			     o.state == BOARD_ORDER_FAILED)) {
			bool good = o.state == BOARD_ORDER_DONE;

			if (good) {
				out_line(ctl, "%s", *o.text ? o.text : "done");
				if (o.result)
					out_set(ctl, "result",
						json_incref(o.result));
				board_order_free(&o);
				return CTL_OK;
			}
			err = out_fail(ctl, &err_failed, NULL, "%s", o.text);
			board_order_free(&o);
			return err;
		}
		if (!err)
			board_order_free(&o);
		if (boottime_ns() >= deadline_ns)
			return out_fail(ctl, &err_timeout,
					"it goes on by itself; swblockctl status shows how far it is",
					"order %" PRIu64 " has not ended", id);
		usleep(LOOK_US);
	}
}

/* @at: the member whose host does it; NULL = the primary's */
static int job(struct ctl *ctl, const char *verb, const struct board_member *at,
	       struct board_volume *v, json_t *args)
{
	const struct board_state *p = cluster_primary(v);
	struct board_order o = { .args = args };
	int err;

	if (!at && !p) {
		json_decref(args);
		return out_fail(ctl, &err_refused, "swblockctl explain tells why",
				"no member serves the volume");
	}
	text_copy(o.verb, verb, sizeof(o.verb));
	text_copy(o.by, "swblockctl", sizeof(o.by));
	o.target = at ? at->replica : p->replica;
	err = board_new_order(ctl->store, &v->volume, &o);
	json_decref(args);
	if (err)
		return store_said(ctl, err);
	out_set(ctl, "order", json_u64(o.id));
	if (opt_has(ctl, "no-wait"))
		return CTL_OK;
	return wait_order(ctl, &v->volume, o.id);
}

static int run_job(struct ctl *ctl, const char *verb, bool about_member)
{
	const struct board_member *m = NULL;
	json_t *args = json_object();
	struct board_volume *v;
	struct board *b;
	int ret;

	ret = volume_need(ctl, &b, &v);
	if (ret) {
		json_decref(args);
		return ret;
	}
	if (about_member) {
		m = cluster_member(&v->wish, ctl->pos[1]);
		if (!m) {
			json_decref(args);
			return no_member(ctl, b, ctl->pos[1]);
		}
		json_object_set_new(args, "peer", json_uuid(&m->replica));
	}
	if (opt_has(ctl, "repair"))
		json_object_set_new(args, "repair", json_true());
	if (opt_has(ctl, "dry-run")) {
		out_line(ctl, "would order %s of %s", verb, ctl->pos[0]);
		cluster_consequences(ctl, b, v, &v->wish, true);
		json_decref(args);
		board_free(b);
		return CTL_OK;
	}
	ret = job(ctl, verb, NULL, v, args);
	board_free(b);
	return ret;
}

static int run_rebuild(struct ctl *ctl)
{
	return run_job(ctl, "rebuild", true);
}

static int run_verify(struct ctl *ctl)
{
	return run_job(ctl, "verify", false);
}

static int run_suspend(struct ctl *ctl)
{
	return run_job(ctl, "suspend", false);
}

static int run_resume(struct ctl *ctl)
{
	return run_job(ctl, "resume", false);
}

#define CHANGE_OPTS \
	{ "reason", 0, "TEXT", "for the history" }, \
	{ "dry-run", 'n', NULL, "say what would be done, and do nothing" }, \
	{ "no-wait", 0, NULL, "do not wait until it is so" }

static const struct opt_def add_opts[] = {
	{ "force", 0, NULL, "format the disk whatever is on it" },
	CHANGE_OPTS,
	{ NULL },
};

static const struct opt_def change_opts[] = {
	CHANGE_OPTS,
	{ NULL },
};

static const struct opt_def move_opts[] = {
	{ "override", 0, NULL, "waive evidence: what a silent member has may be lost" },
	{ "yes", 0, NULL, "really" },
	CHANGE_OPTS,
	{ NULL },
};

static const struct opt_def verify_opts[] = {
	{ "repair", 0, NULL, "write the primary's content where a copy differs" },
	CHANGE_OPTS,
	{ NULL },
};

const struct verb verb_volume_add = {
	.name = "volume add",
	.synopsis = "NAME NODE:DISK",
	.summary = "One more member: formatted, rebuilt, then it counts",
	.example = "  swblockctl volume add db d:/dev/vdb",
	.opts = add_opts,
	.pos_min = 2,
	.pos_max = 2,
	.run = run_add,
};

const struct verb verb_volume_drop = {
	.name = "volume drop",
	.synopsis = "NAME MEMBER",
	.summary = "One member less",
	.example = "  swblockctl volume drop db c --dry-run",
	.opts = change_opts,
	.pos_min = 2,
	.pos_max = 2,
	.run = run_drop,
};

const struct verb verb_volume_replace = {
	.name = "volume replace",
	.synopsis = "NAME MEMBER NODE:DISK",
	.summary = "Another disk, here or elsewhere, in place of a member",
	.example = "  swblockctl volume replace db c c:/dev/vdc",
	.opts = add_opts,
	.pos_min = 3,
	.pos_max = 3,
	.run = run_replace,
};

const struct verb verb_volume_move = {
	.name = "volume move",
	.synopsis = "NAME MEMBER",
	.summary = "Make another member primary, without a failed write",
	.detail =
	"The device must be closed where it is open. The member must be in sync; the\n"
	"primary is drained and hands over. If the hand-over fails, the old primary\n"
	"gets the role back.",
	.example = "  swblockctl volume move db b",
	.opts = move_opts,
	.pos_min = 2,
	.pos_max = 2,
	.run = run_move,
};

const struct verb verb_volume_rebuild = {
	.name = "volume rebuild",
	.synopsis = "NAME MEMBER",
	.summary = "Copy what a member lacks when its log does not reach back",
	.example = "  swblockctl volume rebuild db c",
	.opts = change_opts,
	.pos_min = 2,
	.pos_max = 2,
	.run = run_rebuild,
};

const struct verb verb_volume_verify = {
	.name = "volume verify",
	.synopsis = "NAME [--repair]",
	.summary = "Compare all copies at one LSN while the volume is in use",
	.example = "  swblockctl volume verify db --timeout 3600",
	.opts = verify_opts,
	.pos_min = 1,
	.pos_max = 1,
	.run = run_verify,
};

const struct verb verb_volume_suspend = {
	.name = "volume suspend",
	.synopsis = "NAME",
	.summary = "Hold all I/O until volume resume",
	.example = "  swblockctl volume suspend db",
	.opts = change_opts,
	.pos_min = 1,
	.pos_max = 1,
	.run = run_suspend,
};

const struct verb verb_volume_resume = {
	.name = "volume resume",
	.synopsis = "NAME",
	.summary = "Let held I/O go on",
	.example = "  swblockctl volume resume db",
	.opts = change_opts,
	.pos_min = 1,
	.pos_max = 1,
	.run = run_resume,
};
