// SPDX-License-Identifier: GPL-2.0-only
/*
 * Watching a volume come to what was declared. Each step that a host takes shows
 * up in its state document; a step is told once. The store's clock is not ours:
 * only the documents' contents are compared.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/core.h"
#include "core/decide.h"
#include "core/text.h"
#include "volume.h"

/* what was told about a member last */
struct told {
	bool attached;
	uint8_t role;
	uint8_t peer_state;
	char error[BOARD_TEXT_MAX];
	char waits[BOARD_TEXT_MAX];
};

struct watch {
	uint64_t epoch;
	uint8_t phase;
	uint8_t letter;
	struct told member[SWB_MEMBERS_MAX];
};

static void tell_authority(struct ctl *ctl, const struct board_volume *v,
			   struct watch *w)
{
	const struct auth_record *r = &v->record;
	char buf[CTL_UUID_TEXT];

	if (r->epoch == w->epoch && r->phase == w->phase)
		return;
	w->epoch = r->epoch;
	w->phase = (uint8_t)r->phase;
	if (r->phase == AUTH_WON)
		out_line(ctl, "  epoch %" PRIu64 " won by %s", r->epoch, r->owner);
	else if (r->phase == AUTH_GRANTED)
		out_line(ctl, "  epoch %" PRIu64 " granted to %s", r->epoch,
			 cluster_label(v, &r->last_granted, buf));
	else if (r->phase == AUTH_SETTLED)
		out_line(ctl, "  epoch %" PRIu64 " settled", r->epoch);
}

/* @text of a member, unless that was @told last; that it is over is not told */
static void tell_once(struct ctl *ctl, const struct board_member *m, const char *text,
		      char *told)
{
	if (!strcmp(text, told))
		return;
	text_copy(told, text, BOARD_TEXT_MAX);
	if (*text)
		out_line(ctl, "  %s: %s", m->label, text);
}

static void tell_member(struct ctl *ctl, const struct board_volume *v,
			const struct board_member *m, struct told *t)
{
	const struct board_state *s = cluster_state(v, &m->replica);
	const struct board_peer *p = cluster_peer(cluster_primary(v), &m->replica);

	if (!s)
		return;
	tell_once(ctl, m, s->error, t->error);
	if (!s->attached) {
		/* what keeps a disk out is for the one who waits to see to */
		tell_once(ctl, m, s->waits, t->waits);
		return;
	}
	if (!t->attached)
		out_line(ctl, "  %s: attached on %s", m->label, m->node);
	t->attached = true;
	if (s->role != t->role && s->role == SWBLOCK_ROLE_PRIMARY)
		out_line(ctl, "  %s: primary, /dev/swblock%u", m->label, s->minor);
	t->role = s->role;
	if (p && p->state != t->peer_state) {
		out_line(ctl, "  %s: %s%s%c", m->label, swb_text_peer_state(p->state),
			 p->letter ? ", case " : "", p->letter ? p->letter : ' ');
		t->peer_state = p->state;
	}
}

static bool all_in_sync(const struct board_volume *v)
{
	const struct board_state *p = cluster_primary(v);
	const struct board_peer *peer;
	unsigned int i;

	for (i = 0; i < v->wish.member_count; i++) {
		const struct swb_uuid *id = &v->wish.member[i].replica;

		if (swb_uuid_equal(id, &p->replica))
			continue;
		peer = cluster_peer(p, id);
		if (!peer || peer->state != SWBLOCK_PEER_IN_SYNC)
			return false;
	}
	return p->peer_count + 1 == v->wish.member_count;
}

/* Does the grant say what was declared, and does the primary have the size? */
static bool as_declared(const struct board_volume *v)
{
	const struct swb_config *c = &v->record.config;
	const struct board_state *p = cluster_primary(v);
	const struct board_wish *w = &v->wish;
	bool all = w->mode == SWBLOCK_MODE_SYNC_ALL && !w->primary_only;
	unsigned int i;
	u8 at;

	if (c->mode != w->mode || c->policy != w->policy ||
	    c->member_count != w->member_count ||
	    v->record.lease_ms != w->lease_ms || p->size_bytes < w->size_bytes)
		return false;
	if (!swb_uuid_is_null(&w->primary) &&
	    !swb_uuid_equal(&w->primary, &p->replica))
		return false;
	for (i = 0; i < w->member_count; i++) {
		at = swb_core_member_index(c, &w->member[i].replica);
		if (at == SWB_NOBODY ||
		    (all && w->required >> i & 1 && !(c->required >> at & 1)))
			return false;
	}
	return true;
}

static bool reached(const struct board_volume *v, enum volume_goal goal)
{
	const struct board_state *p = cluster_primary(v);
	unsigned int i;

	switch (goal) {
	case VOLUME_STOPPED:
		for (i = 0; i < v->state_count; i++)
			if (v->state[i].role == SWBLOCK_ROLE_PRIMARY)
				return false;
		return true;
	case VOLUME_USABLE:
		return p && v->record.phase == AUTH_SETTLED;
	case VOLUME_DONE:
		return p && v->record.phase == AUTH_SETTLED &&
		       as_declared(v) && all_in_sync(v);
	}
	return false;
}

static void tell_end(struct ctl *ctl, const struct board_volume *v)
{
	const struct board_state *p = cluster_primary(v);
	char dev[32], buf[CTL_UUID_TEXT];

	out_set(ctl, "volume", json_uuid(&v->volume));
	out_set(ctl, "epoch", json_u64(v->record.epoch));
	if (!p)
		return;
	snprintf(dev, sizeof(dev), "/dev/swblock%u", p->minor);
	out_line(ctl, "%s is ready: %s on %s", v->wish.label, dev, p->node);
	out_set(ctl, "device", json_string(dev));
	out_set(ctl, "node", json_string(p->node));
	out_set(ctl, "primary", json_string(cluster_label(v, &p->replica, buf)));
}

static int gave_up(struct ctl *ctl, const struct board *b,
		   const struct board_volume *v)
{
	struct health h;
	const char *why = "the daemons have not finished";

	health_judge(b, v, &h);
	if (h.count)
		why = h.finding[0].text;
	return out_fail(ctl, &err_timeout,
			"it goes on by itself; swblockctl status and explain tell how far it is",
			"not there yet: %s", why);
}

int volume_wait(struct ctl *ctl, const struct swb_uuid *volume,
		enum volume_goal goal)
{
	uint64_t deadline_ns = deadline_after(ctl);
	struct watch w = { 0 };
	struct board_volume *v;
	struct board *b;
	unsigned int i;
	bool there;
	int ret;

	for (;;) {
		b = cluster_reload(ctl, volume, &v);
		if (b) {
			tell_authority(ctl, v, &w);
			for (i = 0; i < v->wish.member_count; i++)
				tell_member(ctl, v, &v->wish.member[i],
					    &w.member[i]);
			there = reached(v, goal);
			if (there)
				tell_end(ctl, v);
			ret = there ? CTL_OK : boottime_ns() < deadline_ns ? -1 :
			      gave_up(ctl, b, v);
			board_free(b);
			if (ret >= 0)
				return ret;
		} else if (boottime_ns() >= deadline_ns) {
			return out_fail(ctl, &err_store, NULL, "%s",
					store_error(ctl->store));
		}
		usleep(LOOK_US);
	}
}
