// SPDX-License-Identifier: GPL-2.0-only
/*
 * From what was observed to what core/decide.c judges. Translates, adds nothing:
 * a fact that was not observed is left zero, which the core takes for unknown.
 * No I/O but the clock.
 */
#include <stdio.h>
#include <string.h>

#include "core/core.h"
#include "daemon.h"

const char *view_label(const struct vol *v, const struct swb_uuid *replica,
		       char buf[CTL_UUID_TEXT])
{
	const struct board_member *m = wish_member(v->b, replica);
	const struct auth_member *a;

	a = v->b && v->b->record_revision ? auth_member(&v->b->record, replica) :
					    NULL;
	if (m)
		snprintf(buf, CTL_UUID_TEXT, "%s", m->label);
	else if (a)
		snprintf(buf, CTL_UUID_TEXT, "%s", a->label);
	else
		uuid_text(replica, buf);
	return buf;
}

void view_owner(const struct daemon *d, char out[AUTH_OWNER_MAX])
{
	char instance[CTL_UUID_TEXT];

	uuid_text(&d->instance, instance);
	snprintf(out, AUTH_OWNER_MAX, "%s:%s", d->cfg.node, instance);
}

/* A run of a daemon that is over fences nobody any more, however alive its host. */
static uint64_t owner_silent(const struct daemon *d, const struct vol *v)
{
	const char *owner = v->b->record.owner, *colon = strchr(owner, ':');
	char node[BOARD_NODE_MAX], mine[AUTH_OWNER_MAX];
	struct swb_uuid instance;
	const struct host *h;

	view_owner(d, mine);
	/* P3: one of ours that we gave up and that happened after all is nobody's */
	if (!strcmp(owner, mine))
		return swb_uuid_equal(&v->nonce, &v->b->record.nonce) ? 0 : UINT64_MAX;
	if (!colon || (size_t)(colon - owner) >= sizeof(node) ||
	    !uuid_parse(colon + 1, &instance))
		/* somebody's hand, without signs of life: since it did that */
		return boottime_ns() - v->seen_ns;
	snprintf(node, sizeof(node), "%.*s", (int)(colon - owner), owner);
	h = observe_host(d, node);
	if (!strcmp(node, d->cfg.node) ||
	    (h && h->there && !swb_uuid_equal(&h->instance, &instance)))
		return UINT64_MAX;
	return observe_silent(d, node);
}

static void fill_authority(const struct daemon *d, const struct vol *v,
			   struct swb_authority *a)
{
	const struct auth_record *r = &v->b->record;
	unsigned int i;

	memset(a, 0, sizeof(*a));
	if (!v->b->record_revision)
		return;
	a->epoch = r->epoch;
	a->phase = (u8)r->phase;
	a->mine = !swb_uuid_is_null(&v->nonce) &&
		  swb_uuid_equal(&v->nonce, &r->nonce);
	a->owner_silent_ns = owner_silent(d, v);
	a->won_ns = a->mine && v->won_epoch == r->epoch ? v->won_ns : 0;
	a->last_epoch = r->last_epoch;
	a->primary = r->last_granted;
	a->config = r->config;
	a->proposed = r->proposed;
	a->lease_ms = r->lease_ms;
	for (i = 0; i < r->granted_count; i++)
		a->judge[a->judge_count++] = r->granted[i].config;
	a->wish_done = r->wish_done;
}

static void fill_wish(const struct vol *v, struct swb_wish *w)
{
	const struct board_wish *b = &v->b->wish;
	const struct swb_uuid *first;
	unsigned int i;
	u8 at;

	memset(w, 0, sizeof(*w));
	if (!v->b->wish_revision)
		return;
	w->sequence = b->sequence;
	w->config.mode = b->mode;
	w->config.policy = b->policy;
	w->config.required = b->required;
	for (i = 0; i < b->member_count; i++)
		w->config.member[w->config.member_count++] = b->member[i].replica;
	w->primary = b->primary;
	w->lease_ms = b->lease_ms;
	w->shrink_ms = b->shrink_ms;
	w->override = b->override;
	w->stopped = b->stopped || b->deleted;
	if (!b->primary_only)
		return;
	first = swb_uuid_is_null(&b->primary) ? &v->b->record.last_granted :
						&b->primary;
	at = swb_core_member_index(&w->config, first);
	w->config.required = 1u << (at == SWB_NOBODY ? 0 : at);
}

static const struct board_state *state_of(const struct vol *v,
					  const struct swb_uuid *replica)
{
	unsigned int i;

	for (i = 0; i < v->b->state_count; i++)
		if (swb_uuid_equal(&v->b->state[i].replica, replica))
			return &v->b->state[i];
	return NULL;
}

const struct swb_report *view_report(const struct vol *v,
				     const struct swb_uuid *replica)
{
	unsigned int i;

	for (i = 0; i < v->b->report_count; i++)
		if (swb_uuid_equal(&v->b->report[i].report.replica, replica))
			return &v->b->report[i].report;
	return NULL;
}

static u32 flags_of(u32 conditions)
{
	return (conditions & SWBLOCK_COND_INCONSISTENT ?
		SWBLOCK_REPORT_INCONSISTENT : 0) |
	       (conditions & SWBLOCK_COND_DISK_FAILED ?
		SWBLOCK_REPORT_DISK_FAILED : 0);
}

/* The open record is committed: C has passed the head seen behind the opening. */
static bool open_committed(const struct own *o)
{
	return o->opening && o->kv->opened == o->opening &&
	       o->kv->committed_lsn >= o->open_lsn;
}

static void from_kernel(const struct own *o, struct swb_member_state *m)
{
	const struct kern_volume *kv = o->kv;

	m->known = true;
	m->role = kv->role;
	m->epoch = kv->epoch;
	m->opened = kv->opened;
	m->conditions = kv->conditions;
	m->flags = flags_of(kv->conditions);
	m->settled = open_committed(o);
}

static void from_state(const struct daemon *d, const struct board_state *s,
		       struct swb_member_state *m)
{
	const struct host *h = observe_host(d, s->node);

	if (!s->attached)
		return;
	m->known = true;
	m->epoch = s->epoch;
	m->opened = s->opened;
	m->conditions = s->conditions;
	m->flags = s->flags;
	/* a role does not live through a restart of its host */
	if (h && h->there && !swb_uuid_equal(&h->boot, &s->boot))
		return;
	m->role = s->role;
	m->settled = s->settled;
}

/* Where a member lives: as wished, else where it was seen last. */
static uint64_t silence_of(const struct daemon *d, const struct vol *v,
			   const struct swb_uuid *replica)
{
	const struct board_member *w = wish_member(v->b, replica);
	const struct board_state *s = state_of(v, replica);

	if (w)
		return observe_silent(d, w->node);
	return s ? observe_silent(d, s->node) : SILENT_FOREVER;
}

static void add_member(const struct daemon *d, const struct vol *v,
		       const struct swb_uuid *replica, struct swb_volume_view *out)
{
	const struct own *o = observe_own((struct daemon *)d, replica);
	const struct board_state *s = state_of(v, replica);
	const struct swb_report *r = view_report(v, replica);
	struct swb_member_state *m;
	unsigned int i;

	if (swb_uuid_is_null(replica) || out->member_count == SWB_VIEW_MAX)
		return;
	for (i = 0; i < out->member_count; i++)
		if (swb_uuid_equal(&out->member[i].replica, replica))
			return;
	m = &out->member[out->member_count];
	m->replica = *replica;
	m->silent_ns = silence_of(d, v, replica);
	if (o && o->kv)
		from_kernel(o, m);
	else if (!o && s)
		from_state(d, s, m);
	if (r) {
		m->has_report = true;
		m->report = *r;
	}
	if (o && o->kv && out->self == SWB_NOBODY)
		out->self = out->member_count;
	out->member_count++;
}

static void add_config(const struct daemon *d, const struct vol *v,
		       const struct swb_config *c, struct swb_volume_view *out)
{
	unsigned int i;

	for (i = 0; i < c->member_count; i++)
		add_member(d, v, &c->member[i], out);
}

static struct swb_member_state *in_view(struct swb_volume_view *view,
					const struct swb_uuid *replica)
{
	unsigned int i;

	for (i = 0; i < view->member_count; i++)
		if (swb_uuid_equal(&view->member[i].replica, replica))
			return &view->member[i];
	return NULL;
}

/* How the granted primary sees the others: from its kernel, or from its state. */
static void see_peers(const struct daemon *d, const struct vol *v,
		      struct swb_volume_view *out)
{
	const struct swb_uuid *primary = &out->authority.primary;
	const struct own *o = observe_own((struct daemon *)d, primary);
	const struct board_state *s = state_of(v, primary);
	struct swb_member_state *p = in_view(out, primary), *m;
	unsigned int i;

	if (!p || p->role != SWBLOCK_ROLE_PRIMARY)
		return;
	for (i = 0; o && o->kv && i < o->kv->peer_count; i++) {
		m = in_view(out, &o->kv->peer[i].uuid);
		if (!m)
			continue;
		m->peer_state = o->kv->peer[i].state;
		m->behind = o->kv->head_lsn > o->kv->peer[i].durable_lsn ?
			    o->kv->head_lsn - o->kv->peer[i].durable_lsn : 0;
	}
	for (i = 0; !o && s && i < s->peer_count; i++) {
		m = in_view(out, &s->peer[i].replica);
		if (!m)
			continue;
		m->peer_state = s->peer[i].state;
		m->behind = s->peer[i].behind_lsn;
	}
}

/*
 * Patience of the configuration, and what a slow store takes on top of it: a
 * report or an opening is seen after a few of its answers, not before.
 */
static void fill_tune(const struct daemon *d, struct swb_decide_tune *t)
{
	*t = d->cfg.tune;
	t->collect_ns += 4 * d->store_slow_ns;
	t->turn_ns += d->store_slow_ns;
	t->backoff_ns += d->store_slow_ns;
}

/* Hosts take turns, in the order of the members. */
static void take_turns(const struct daemon *d, struct swb_volume_view *out)
{
	const struct swb_config *c = out->wish.sequence ? &out->wish.config :
							  &out->authority.config;
	u8 at;

	fill_tune(d, &out->tune);
	if (out->self == SWB_NOBODY)
		return;
	at = swb_core_member_index(c, &out->member[out->self].replica);
	out->tune.turn_ns *= at == SWB_NOBODY ? SWB_MEMBERS_MAX : at;
}

void view_volume(const struct daemon *d, const struct vol *v,
		 struct swb_volume_view *out)
{
	unsigned int i;

	memset(out, 0, sizeof(*out));
	out->now_ns = boottime_ns();
	out->self = SWB_NOBODY;
	fill_authority(d, v, &out->authority);
	fill_wish(v, &out->wish);
	add_config(d, v, &out->authority.config, out);
	add_config(d, v, &out->wish.config, out);
	if (out->authority.phase == SWB_PHASE_WON)
		add_config(d, v, &out->authority.proposed, out);
	for (i = 0; i < out->authority.judge_count; i++)
		add_config(d, v, &out->authority.judge[i], out);
	add_member(d, v, &out->authority.primary, out);
	see_peers(d, v, out);
	out->cause = v->cause;
	out->cause_since_ns = v->cause_since_ns;
	out->failed = v->failed;
	out->failed_ns = v->failed_ns;
	take_turns(d, out);
}

static bool ready(const struct vol *v, const struct swb_uuid *replica)
{
	const struct board_state *s = state_of(v, replica);
	const struct auth_record *r = &v->b->record;

	if (!s || !s->attached || s->epoch != r->epoch)
		return false;
	return s->role == (swb_uuid_equal(replica, &r->last_granted) ?
			   SWBLOCK_ROLE_PRIMARY : SWBLOCK_ROLE_REPLICA);
}

static bool reachable(const struct daemon *d, const struct vol *v,
		      const struct swb_uuid *replica)
{
	const struct board_member *w = wish_member(v->b, replica);
	const struct board_state *s = state_of(v, replica);
	const char *node = w ? w->node : s ? s->node : "";
	const struct host *h = observe_host(d, node);

	return h && h->there && *h->address &&
	       observe_silent(d, node) < d->cfg.tune.silence_ns;
}

static void fill_peer(const struct daemon *d, const struct vol *v,
		      const struct own *o, const struct swb_uuid *replica,
		      struct swb_member_peer *p)
{
	const struct own_link *l = links_of((struct own *)o, replica);
	const struct board_state *s = state_of(v, replica);
	unsigned int i;

	memset(p, 0, sizeof(*p));
	p->replica = *replica;
	for (i = 0; i < o->kv->peer_count; i++)
		if (swb_uuid_equal(&o->kv->peer[i].uuid, replica)) {
			p->state = o->kv->peer[i].state;
			p->reason = o->kv->peer[i].reason;
		}
	p->flags = s ? s->flags : 0;
	/* who needs a rebuild that is not allowed has no use for another link */
	p->linked = p->state == SWBLOCK_PEER_NEEDS_REBUILD ?
		    !l || l->rebuild_epoch != o->kv->epoch :
		    p->state != SWBLOCK_PEER_DETACHED &&
		    p->state != SWBLOCK_PEER_REFUSED;
	if (l) {
		/* the linker is at it, with a pace of its own */
		p->linked |= l->wanted && l->connect;
		p->failed = l->failed;
		p->failed_ns = l->failed_ns;
	}
	p->reachable = reachable(d, v, replica);
	p->ready = ready(v, replica);
}

static bool knows_config(const struct vol *v, const struct own *o)
{
	const struct auth_record *r = &v->b->record;

	return o->kv->has_config && o->kv->epoch == r->epoch &&
	       o->kv->config.policy == r->config.policy &&
	       auth_same_config(&o->kv->config, &r->config);
}

void view_member(const struct daemon *d, const struct vol *v, const struct own *o,
		 struct swb_member_view *out)
{
	const struct swb_report *r = view_report(v, &o->replica);
	struct swb_config *c;
	unsigned int i;

	memset(out, 0, sizeof(*out));
	out->now_ns = boottime_ns();
	out->read_ns = d->read_ns;
	fill_authority(d, v, &out->authority);
	c = &out->authority.config;
	out->self.replica = o->replica;
	fill_tune(d, &out->tune);
	out->auto_rebuild = d->cfg.auto_rebuild;
	out->stopped = v->b->wish_revision && v->b->wish.stopped;
	if (!o->kv)
		return;
	from_kernel(o, &out->self);
	out->config_known = knows_config(v, o);
	out->report_stored = r && r->adopted == out->authority.epoch;
	out->lease_end_ns = o->kv->lease_ns;
	out->failed = o->refused_epoch == out->authority.epoch ? o->refused : 0;
	out->failed_ns = out->failed ? o->refused_ns : 0;
	for (i = 0; i < c->member_count; i++)
		if (!swb_uuid_equal(&c->member[i], &o->replica))
			fill_peer(d, v, o, &c->member[i],
				  &out->peer[out->peer_count++]);
}
