// SPDX-License-Identifier: GPL-2.0-only
/*
 * A declared volume on one screen, as all hosts say, and as JSON.
 * docs/schema/cluster.json is the schema of cluster_json().
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cluster.h"
#include "core/text.h"
#include "show.h"

static const char *level_color(const struct ctl *ctl, enum health_level l)
{
	switch (l) {
	case HEALTH_OK:
		return out_good(ctl);
	case HEALTH_WARNING:
	case HEALTH_UNKNOWN:
		return out_warn(ctl);
	case HEALTH_CRITICAL:
		return out_bad(ctl);
	}
	return "";
}

static void head(struct ctl *ctl, const struct board_volume *v,
		 const struct health *h)
{
	const struct board_state *p = cluster_primary(v);
	char size[32], dev[BOARD_NODE_MAX + 32] = "no primary";

	size_text(v->wish.size_bytes, size, sizeof(size));
	if (p)
		snprintf(dev, sizeof(dev), "/dev/swblock%u on %s", p->minor, p->node);
	out_line(ctl, "%s%s%s  %s  %s/%s  epoch %" PRIu64 " %s  %s  %s%s%s",
		 out_bold(ctl), v->wish.label, out_plain(ctl), dev,
		 swb_text_mode(v->record.config.mode),
		 swb_text_policy(v->record.config.policy), v->record.epoch,
		 auth_phase_text(v->record.phase), size, level_color(ctl, h->level),
		 health_text(h->level), out_plain(ctl));
}

static void progress_text(const struct board_rebuild *r, char *out, size_t len)
{
	char done[32], all[32], rate[32], eta[32];

	out[0] = 0;
	if (!*r->kind || !r->total_bytes)
		return;
	size_text(r->done_bytes, done, sizeof(done));
	size_text(r->total_bytes, all, sizeof(all));
	size_text(r->rate_bytes, rate, sizeof(rate));
	duration_text(r->eta_ms * SWB_NSEC_PER_MSEC, eta, sizeof(eta));
	snprintf(out, len, "  %s %s of %s, %s/s%s%s", r->kind, done, all, rate,
		 r->eta_ms ? ", left " : "", r->eta_ms ? eta : "");
}

static void peer_text(const struct board_peer *peer, char *out, size_t len)
{
	char bytes[32], time[32], progress[192];
	const char letter[2] = { (char)peer->letter, 0 };

	size_text(peer->behind_bytes, bytes, sizeof(bytes));
	duration_text(peer->behind_ns, time, sizeof(time));
	progress_text(&peer->rebuild, progress, sizeof(progress));
	snprintf(out, len, "%s%s%s  behind %" PRIu64 " records, %s, %s%s",
		 swb_text_peer_state(peer->state),
		 peer->letter ? " case " : "",
		 letter,
		 peer->behind_lsn, bytes, time, progress);
}

static void member_line(struct ctl *ctl, const struct board *b,
			const struct board_volume *v, const struct board_member *m)
{
	const struct board_state *s = cluster_state(v, &m->replica);
	const struct board_state *p = cluster_primary(v);
	const struct board_peer *peer = cluster_peer(p, &m->replica);
	char text[384] = "", buf[CTL_UUID_TEXT];
	bool alive = cluster_node(b, m->node);

	if (peer)
		peer_text(peer, text, sizeof(text));
	else if (s && s == p)
		snprintf(text, sizeof(text), "log at %" PRIu64 ", committed %" PRIu64
			 ", %" PRIu64 "%% of its ring", s->head_lsn,
			 s->committed_lsn, s->ring_bytes ?
			 s->ring_used * 100 / s->ring_bytes : 0);
	else if (s && s->attached)
		snprintf(text, sizeof(text), "durable %" PRIu64 " of epoch %" PRIu64,
			 s->durable_lsn, s->epoch);
	else
		snprintf(text, sizeof(text), "not attached");
	out_line(ctl, "  %-10s %-10s %s%-9s%s %s", cluster_label(v, &m->replica, buf),
		 m->node, alive ? "" : out_bad(ctl), !alive ? "silent" :
		 s && s->attached ? s->role == SWBLOCK_ROLE_NONE ? "no role" :
		 swb_text_role(s->role) : "down", out_plain(ctl), text);
	if (s && s->attached && *s->waits)
		out_line(ctl, "             waits: %s", s->waits);
}

void cluster_show(struct ctl *ctl, const struct board *b,
		  const struct board_volume *v)
{
	struct health h;
	unsigned int i;

	health_judge(b, v, &h);
	head(ctl, v, &h);
	for (i = 0; i < v->wish.member_count; i++)
		member_line(ctl, b, v, &v->wish.member[i]);
	for (i = 0; i < h.count; i++)
		out_line(ctl, "  %s!%s %s%s%s", level_color(ctl, h.finding[i].level),
			 out_plain(ctl), h.finding[i].text,
			 *h.finding[i].hint ? "; " : "", h.finding[i].hint);
}

static json_t *findings_json(const struct health *h)
{
	json_t *list = json_array(), *one;
	unsigned int i;

	for (i = 0; i < h->count; i++) {
		one = json_object();
		json_object_set_new(one, "level",
				    json_string(health_text(h->finding[i].level)));
		json_object_set_new(one, "code", json_string(h->finding[i].code));
		json_object_set_new(one, "text", json_string(h->finding[i].text));
		json_object_set_new(one, "hint", *h->finding[i].hint ?
				    json_string(h->finding[i].hint) : json_null());
		json_array_append_new(list, one);
	}
	return list;
}

json_t *health_json(const struct board_volume *v, const struct health *h)
{
	json_t *j = json_object();

	json_object_set_new(j, "volume", json_string(v->record.label));
	json_object_set_new(j, "health", json_string(health_text(h->level)));
	json_object_set_new(j, "findings", findings_json(h));
	return j;
}

json_t *cluster_json(const struct board *b, const struct board_volume *v)
{
	const struct board_state *p = cluster_primary(v);
	json_t *j = json_object(), *list = json_array(), *one;
	struct health h;
	unsigned int i;

	health_judge(b, v, &h);
	json_object_set_new(j, "volume", json_string(v->wish.label));
	json_object_set_new(j, "uuid", json_uuid(&v->volume));
	json_object_set_new(j, "health", json_string(health_text(h.level)));
	json_object_set_new(j, "findings", findings_json(&h));
	json_object_set_new(j, "epoch", json_u64(v->record.epoch));
	json_object_set_new(j, "phase",
			    json_string(auth_phase_text(v->record.phase)));
	json_object_set_new(j, "primary", p ? json_uuid(&p->replica) : json_null());
	json_object_set_new(j, "wish", board_wish_to_json(&v->wish));
	for (i = 0; i < v->wish.member_count; i++) {
		const struct board_member *m = &v->wish.member[i];
		const struct board_state *s = cluster_state(v, &m->replica);

		one = json_object();
		json_object_set_new(one, "member", json_string(m->label));
		json_object_set_new(one, "node", json_string(m->node));
		json_object_set_new(one, "alive",
				    json_boolean(cluster_node(b, m->node)));
		json_object_set_new(one, "state", s ? board_state_to_json(s) :
				    json_null());
		json_array_append_new(list, one);
	}
	json_object_set_new(j, "members", list);
	return j;
}
