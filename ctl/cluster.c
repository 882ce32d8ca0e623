// SPDX-License-Identifier: GPL-2.0-only
/* Reading and changing what the store says about a volume. Decides nothing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster.h"

void cluster_hide_deleted(struct board *b)
{
	size_t i, n = 0;

	for (i = 0; i < b->volume_count; i++)
		if (b->volume[i]->wish_revision && b->volume[i]->wish.deleted)
			board_volume_free(b->volume[i]);
		else
			b->volume[n++] = b->volume[i];
	b->volume_count = n;
}

int cluster_load(struct ctl *ctl, const char *name, struct board **out,
		 struct board_volume **v)
{
	struct auth_record rec;
	int ret, err;

	*out = NULL;
	ret = need_store(ctl, false);
	if (ret)
		return ret;
	if (name) {
		err = authority_find(ctl->store, name, &rec);
		if (err == -ENOENT)
			return out_fail(ctl, &err_no_object,
					"swblockctl volume list shows all; volume create makes one",
					"no volume \"%s\" in the store", name);
		if (err)
			return store_said(ctl, err);
	}
	err = board_load(ctl->store, name ? &rec.volume : NULL, out);
	if (err)
		return store_said(ctl, err);
	if (!name) {
		cluster_hide_deleted(*out);
		return CTL_OK;
	}
	*v = board_find(*out, &rec.volume);
	if (*v)
		return CTL_OK;
	board_free(*out);
	*out = NULL;
	return out_fail(ctl, &err_no_object, NULL, "volume \"%s\" has just gone", name);
}

struct board *cluster_reload(struct ctl *ctl, const struct swb_uuid *volume,
			     struct board_volume **v)
{
	struct board *b = NULL;

	if (board_load(ctl->store, volume, &b))
		return NULL;
	*v = board_find(b, volume);
	if (*v)
		return b;
	board_free(b);
	return NULL;
}

bool cluster_declared(const struct board_volume *v)
{
	return v->wish_revision && v->wish.sequence;
}

const struct board_node *cluster_node(const struct board *b, const char *node)
{
	size_t i;

	for (i = 0; i < b->node_count; i++)
		if (!strcmp(b->node[i].node, node))
			return &b->node[i];
	return NULL;
}

const struct board_state *cluster_state(const struct board_volume *v,
					const struct swb_uuid *replica)
{
	unsigned int i;

	for (i = 0; i < v->state_count; i++)
		if (swb_uuid_equal(&v->state[i].replica, replica))
			return &v->state[i];
	return NULL;
}

const struct board_member *cluster_member(const struct board_wish *w,
					  const char *name)
{
	struct swb_uuid u;
	bool by_uuid = uuid_parse(name, &u);
	unsigned int i;

	for (i = 0; i < w->member_count; i++)
		if (by_uuid ? swb_uuid_equal(&w->member[i].replica, &u) :
		    !strcmp(w->member[i].label, name) ||
		    !strcmp(w->member[i].node, name))
			return &w->member[i];
	return NULL;
}

const struct board_state *cluster_primary(const struct board_volume *v)
{
	const struct board_state *s;

	if (!v->record_revision || !v->record.last_epoch)
		return NULL;
	s = cluster_state(v, &v->record.last_granted);
	return s && s->attached && s->role == SWBLOCK_ROLE_PRIMARY &&
	       s->opened == v->record.last_epoch ? s : NULL;
}

const struct board_peer *cluster_peer(const struct board_state *primary,
				      const struct swb_uuid *replica)
{
	unsigned int i;

	for (i = 0; primary && i < primary->peer_count; i++)
		if (swb_uuid_equal(&primary->peer[i].replica, replica))
			return &primary->peer[i];
	return NULL;
}

const char *cluster_label(const struct board_volume *v,
			  const struct swb_uuid *replica, char buf[CTL_UUID_TEXT])
{
	const struct auth_member *m = auth_member(&v->record, replica);
	unsigned int i;

	for (i = 0; i < v->wish.member_count; i++)
		if (swb_uuid_equal(&v->wish.member[i].replica, replica))
			return v->wish.member[i].label;
	if (m)
		return m->label;
	uuid_text(replica, buf);
	buf[8] = 0;
	return buf;
}

int cluster_put_wish(struct ctl *ctl, struct board_volume *v)
{
	int err;

	v->wish.sequence++;
	err = board_put_wish(ctl->store, &v->volume, &v->wish, v->wish_revision);
	if (err == -ESTALE)
		return out_fail(ctl, &err_stale, "look again, then repeat it",
				"somebody else changed the declaration of %s just now",
				v->wish.label);
	return err ? store_said(ctl, err) : CTL_OK;
}

/* ---- what the loss of one would mean ----------------------------------- */

/* durable there for sure, as far as the primary knows */
static bool counts_now(const struct board_volume *v, const struct swb_uuid *replica)
{
	const struct board_state *p = cluster_primary(v);
	const struct board_peer *peer = cluster_peer(p, replica);

	if (!p)
		return true;	/* a plan, not a state */
	return swb_uuid_equal(&p->replica, replica) ||
	       (peer && peer->state == SWBLOCK_PEER_IN_SYNC);
}

static const char *loss_of(const struct board_volume *v,
			   const struct board_wish *w, unsigned int lost)
{
	unsigned int i, left = 0, required = 0;

	for (i = 0; i < w->member_count; i++) {
		if (i == lost || !counts_now(v, &w->member[i].replica))
			continue;
		left++;
		required += w->required >> i & 1;
	}
	switch ((enum swblock_mode)w->mode) {
	case SWBLOCK_MODE_SYNC_QUORUM:
		return left > w->member_count / 2 ? "goes on" : "would lose quorum";
	case SWBLOCK_MODE_SYNC_ALL:
		if (!required)
			return "would lose the last copy that counts";
		return !(w->required >> lost & 1) ? "goes on" : w->shrink_ms ?
		       "goes on, after it has left the required set" :
		       "writes would wait until you order a smaller required set";
	case SWBLOCK_MODE_BEST_EFFORT:
		return left ? "goes on; the newest writes would be lost if it is the primary" :
		       "would lose the last copy";
	}
	return "?";
}

json_t *cluster_consequences(struct ctl *ctl, const struct board *b,
			     const struct board_volume *v,
			     const struct board_wish *w, bool print)
{
	json_t *list = json_array(), *one;
	unsigned int i;

	(void)b;
	for (i = 0; i < w->member_count; i++) {
		const char *what = loss_of(v, w, i);

		one = json_object();
		json_object_set_new(one, "if_fails", json_string(w->member[i].label));
		json_object_set_new(one, "then", json_string(what));
		json_array_append_new(list, one);
		if (print)
			out_line(ctl, "  if %s fails: %s", w->member[i].label, what);
	}
	return list;
}
