// SPDX-License-Identifier: GPL-2.0-only
/*
 * The agents: observe -> decide -> apply. One agent stands for the daemons of
 * all hosts that it reaches: it asks about the volume as the primary's host
 * where it reaches that one, and about each member as that member's host. All
 * decisions are the core's; here is only what is seen, when, and what is done.
 */
#include <string.h>

#include "check.h"
#include "core/decide_parts.h"
#include "story.h"
#include "world.h"

#define LINK_BACKOFF_NS	(2 * SIM_MSEC)
#define LINK_PATIENCE_NS	(20 * SIM_MSEC)

u64 agent_now(const struct world *w, u8 agent)
{
	return wrist_ns(&w->clock, &w->control.agent[agent].watch);
}

/* How long ago the clock of @agent says that @then_ns was. */
static u64 agent_span(const struct world *w, u8 agent, u64 then_ns)
{
	u64 span = w->clock.now_ns - then_ns;
	s64 ppm = w->control.agent[agent].watch.drift_ppm;

	return span + (u64)((s64)span * ppm / 1000000);
}

/* ---- observe ----------------------------------------------------------- */

static bool settles(const struct node *n)
{
	return node_is_primary(n) && n->core.d.opened == n->core.d.epoch &&
	       n->core.log.open_lsn &&
	       n->core.log.committed >= n->core.log.open_lsn;
}

/* what the host of @n would write into the store now */
static void state_of(const struct node *n, struct sight *s)
{
	const struct swb_core *c = &n->core;
	bool idle = c->adopt == SWB_ADOPT_IDLE;

	memset(s, 0, sizeof(*s));
	s->m.replica = c->d.replica;
	s->m.known = n->state == NODE_UP;
	s->m.role = c->role;
	s->m.epoch = idle ? c->d.epoch : 0;
	s->m.opened = c->open == SWB_OPEN_SAVING ? 0 : c->d.opened;
	if (c->d.flags & SWB_SUPER_DISK_FAILED)
		s->m.flags |= SWBLOCK_REPORT_DISK_FAILED;
	if (c->d.flags & SWB_SUPER_INCONSISTENT)
		s->m.flags |= SWBLOCK_REPORT_INCONSISTENT;
	s->m.settled = settles(n);
	s->m.has_report = idle && c->reported_epoch == c->d.epoch;
	if (s->m.has_report)
		swb_core_report(c, &s->m.report);
	for (u8 i = 0; i < CONTROL_NODES && i < SWB_MEMBERS_MAX; i++)
		s->peer[i] = c->peer[i].state;
}

static bool reaches(const struct world *w, const struct agent *g, u8 node)
{
	return (w->control.reach & g->reach & (1u << node)) &&
	       w->node[node].state == NODE_UP;
}

/* A state is on its way for a while, or is lost; one at a time. */
static void look_at(struct world *w, u8 agent, u8 node)
{
	struct agent *g = &w->control.agent[agent];

	if (g->coming_ns[node] && w->clock.now_ns >= g->coming_ns[node]) {
		g->seen[node] = g->coming[node];
		g->heard_ns[node] = agent_now(w, agent);
		g->coming_ns[node] = 0;
	}
	if (g->coming_ns[node] || !reaches(w, g, node) ||
	    node_paused(w, &w->node[node]) ||
	    rng_chance(&w->rng, w->control.lost_permille))
		return;
	state_of(&w->node[node], &g->coming[node]);
	if (w->control.mute & 1u << node)
		g->coming[node].m.has_report = false;
	g->coming_ns[node] = w->clock.now_ns +
			     rng_below(&w->rng, w->control.delay_ns);
}

/* The attempt that won the record's epoch, if it is this agent's and it knows. */
static struct attempt *own_attempt(struct world *w, u8 agent)
{
	struct control *c = &w->control;
	struct attempt *a = control_attempt(w, c->owner);

	return a && a->agent == agent && !a->ended && !a->unwon &&
	       c->won != c->granted ? a : NULL;
}

/* Read again after an unknown outcome: the nonce is mine (P3). */
static void read_again(struct world *w, u8 agent)
{
	struct attempt *a = control_attempt(w, w->control.owner);

	if (!a || a->agent != agent || a->ended || !a->unwon)
		return;
	a->unwon = false;
	a->won_ns = agent_now(w, agent);
}

/* ---- the view ---------------------------------------------------------- */

static u64 silence_of(struct world *w, u8 agent, u32 owner)
{
	struct attempt *a = control_attempt(w, owner);

	if (!a || a->ended)
		return ~0ULL;		/* that run of a daemon is over */
	return agent_span(w, agent, w->control.agent[a->agent].alive_ns);
}

static void view_authority(struct world *w, u8 agent, const struct attempt *a,
			   struct swb_authority *out)
{
	struct control *c = &w->control;

	memset(out, 0, sizeof(*out));
	out->epoch = c->won;
	out->phase = !c->won ? SWB_PHASE_NEW : c->won != c->granted ?
		     SWB_PHASE_WON : c->settled ? SWB_PHASE_SETTLED :
						  SWB_PHASE_GRANTED;
	out->mine = a && a->owner == c->owner;
	if (out->mine)
		out->won_ns = a->won_ns;
	else
		out->owner_silent_ns = silence_of(w, agent, c->owner);
	out->last_epoch = c->granted;
	if (c->granted) {
		out->primary = c->config.member[c->primary];
		out->config = c->config;
	} else {
		control_first_config(w, &out->config);
	}
	out->proposed = c->proposed;
	out->wish_done = c->wish_done;
	out->lease_ms = (u32)(w->shape.lease_ns / SIM_MSEC);
	out->judge_count = c->judges;
	memcpy(out->judge, c->judge, sizeof(out->judge));
}

/* What the operator wants: the members as they are now, blank disks among them. */
static void view_wish(struct world *w, const struct attempt *a,
		      struct swb_wish *out)
{
	const struct control *c = &w->control;
	u32 required = c->wish_required ? c->wish_required : w->shape.required;

	memset(out, 0, sizeof(*out));
	out->sequence = c->wish_sequence;
	out->override = c->wish_override;
	control_first_config(w, &out->config);
	if (c->wish_nodes)
		out->config.member_count = c->wish_nodes;
	if (c->wish_mode)
		out->config.mode = c->wish_mode;
	required &= (1u << out->config.member_count) - 1;
	out->config.required = required & ~c->exclude ? required & ~c->exclude :
			       required ? required : 1;
	out->lease_ms = (u32)(w->shape.lease_ns / SIM_MSEC);
	out->shrink_ms = c->shrinks || (a && a->shrink) ? 100 :
			 c->rebuilds ? CONTROL_REBUILD_MS : 0;
	out->stopped = c->stopped && !(a && a->operator);
	if (a && a->operator && a->want != SIM_NOBODY)
		out->primary = out->config.member[a->want];
	else if (c->wish_primary < out->config.member_count)
		out->primary = out->config.member[c->wish_primary];
}

static void view_member(struct world *w, u8 agent, const struct attempt *a,
			u8 node, struct swb_member_state *m)
{
	const struct control *c = &w->control;
	const struct agent *g = &c->agent[agent];

	*m = g->seen[node].m;
	m->replica = w->node[node].core.d.replica;
	if (!swb_uuid_equal(&m->replica, &g->seen[node].m.replica))
		m->known = false;
	m->silent_ns = agent_now(w, agent) - g->heard_ns[node];
	if (c->granted)
		m->peer_state = g->seen[c->primary].peer[node];
	if (!a || !(a->have & (1u << node)))
		return;
	m->has_report = true;
	m->report = a->report[node];
	m->known = true;
}

/* who is named by the record and is no longer there */
static void view_ghosts(struct swb_volume_view *v)
{
	for (u32 k = 0; k <= v->authority.judge_count; k++) {
		const struct swb_config *cfg = k ? &v->authority.judge[k - 1] :
						   &v->authority.config;

		for (u8 i = 0; i < cfg->member_count; i++) {
			struct swb_member_state *m =
				&v->member[v->member_count];

			if (v->member_count == SWB_VIEW_MAX ||
			    swb_view_find(v, &cfg->member[i]) != SWB_NOBODY)
				continue;
			memset(m, 0, sizeof(*m));
			m->replica = cfg->member[i];
			m->silent_ns = ~0ULL;
			v->member_count++;
		}
	}
}

/* Rules of the controller, broken on purpose: it is shown what is not so. */
static void view_break(struct world *w, u8 agent, struct swb_volume_view *v)
{
	struct swb_authority *a = &v->authority;
	u64 newest = 0;

	if (w->broken == BREAK_LEASE_EARLY)
		a->lease_ms = 0;
	if (w->broken == BREAK_LEASE_DRIFT) {
		a->won_ns = v->now_ns -
			    agent_span(w, agent, w->control.renewed_ns);
		v->tune.clock_ppm = 0;
		v->tune.margin_ns = 0;
	}
	if (w->broken == BREAK_NEW_CONFIG_ONLY && a->mine) {
		a->judge_count = 1;
		a->judge[0] = a->proposed;
	}
	if (w->broken == BREAK_ONE_VOTER && a->mine) {
		a->judge_count = 1;
		a->judge[0] = a->config;
		a->judge[0].mode = SWBLOCK_MODE_SYNC_ALL;
		a->judge[0].required = (1u << a->judge[0].member_count) - 1;
	}
	if (w->broken != BREAK_RANK_BY_LSN)
		return;
	for (u8 i = 0; i < v->member_count; i++)
		if (v->member[i].report.last_epoch > newest)
			newest = v->member[i].report.last_epoch;
	for (u8 i = 0; i < v->member_count; i++)
		v->member[i].report.last_epoch = newest;
}

void agent_view(struct world *w, u8 agent, const struct attempt *a,
		struct swb_volume_view *v)
{
	struct agent *g = &w->control.agent[agent];
	u8 p = w->control.primary;

	v->now_ns = agent_now(w, agent);
	view_authority(w, agent, a, &v->authority);
	view_wish(w, a, &v->wish);
	v->member_count = w->shape.nodes;
	for (u8 i = 0; i < w->shape.nodes; i++)
		view_member(w, agent, a, i, &v->member[i]);
	view_ghosts(v);
	v->self = p != SIM_NOBODY && reaches(w, g, p) ? p :
		  (u8)(agent % w->shape.nodes);
	v->cause = g->cause;
	v->cause_since_ns = g->cause_since_ns;
	v->failed = g->failed;
	v->failed_ns = g->failed_ns;
	v->tune = (struct swb_decide_tune){
		.silence_ns = CONTROL_SILENCE_NS,
		.collect_ns = CONTROL_COLLECT_NS,
		.turn_ns = g->turn_ns,
		.margin_ns = LEASE_MARGIN_NS,
		.clock_ppm = SIM_CLOCK_ERROR_PPM,
		.backoff_ns = CONTROL_BACKOFF_NS,
	};
}

/* ---- the volume -------------------------------------------------------- */

static void keep_cause(struct world *w, struct agent *g,
		       const struct swb_volume_view *v, u8 cause)
{
	if (cause == g->cause)
		return;
	g->cause = cause;
	g->cause_since_ns = v->now_ns;
	g->turn_ns = rng_below(&w->rng, CONTROL_TURN_NS);
}

/* Epochs in a row, whoever won them, that came to nothing (I-206). */
static void keep_count(struct world *w, u8 agent)
{
	struct control *c = &w->control;
	struct agent *g = &c->agent[agent];

	if (c->won == c->granted && c->settled) {
		g->failed = 0;
	} else if (c->won != g->epoch) {
		g->failed++;
		g->failed_ns = agent_now(w, agent);
	}
	g->epoch = c->won;
}

static void grant(struct world *w, u8 agent, struct attempt *a,
		  struct swb_volume_decision *d,
		  const struct swb_volume_view *shown)
{
	static struct swb_volume_view v;
	static struct swb_cert cert;

	v = *shown;
	if (w->broken == BREAK_RANK_BY_LSN)	/* ranked so, but not shown so */
		agent_view(w, agent, a, &v);
	swb_decide_cert(&v, d, &cert);
	sim_uuid(&cert.volume, 'v', 0);
	sim_uuid(&cert.store, 's', 0);
	cert.store_generation = 1;
	cert.flags |= a->cert_flags;
	check_grant(w, &cert);
	control_grant(w, a, &cert);
}

static void apply_volume(struct world *w, u8 agent, struct attempt *a,
			 const struct swb_volume_view *v,
			 struct swb_volume_decision *d)
{
	struct control *c = &w->control;

	if (!c->automatic && d->order != SWB_ORDER_SETTLE &&
	    d->order != SWB_ORDER_GRANT)
		return;
	switch ((enum swb_order)d->order) {
	case SWB_ORDER_WIN:
		story_auto(w);
		sim_trace(w, SIM_NOBODY, "controller %u @%c, %s", agent,
			  d->letter, swb_text_cause(d->cause));
		check_win(w, agent, v, d);
		control_win(w, agent, d->epoch, &d->config);
		break;
	case SWB_ORDER_GRANT:
		if (a)
			grant(w, agent, a, d, v);
		break;
	case SWB_ORDER_SETTLE:
		control_settle(w);
		break;
	case SWB_ORDER_DEMOTE:
		sim_trace(w, SIM_NOBODY, "controller %u @Y", agent);
		check_demote(w, agent, v);
		control_demote(w, c->primary);
		break;
	case SWB_ORDER_NOTHING:
	case SWB_ORDER_COUNT:
		break;
	}
}

void agent_decide(struct world *w, u8 agent)
{
	static struct swb_volume_view v;
	static struct swb_volume_decision d;
	struct agent *g = &w->control.agent[agent];
	struct attempt *a = own_attempt(w, agent);

	if (g->storeless || g->paused_ns > w->clock.now_ns || (a && a->force))
		return;
	agent_view(w, agent, a, &v);
	if (w->broken)
		view_break(w, agent, &v);
	swb_decide_volume(&v, &d);
	if (d.letter != g->letter)
		sim_trace(w, SIM_NOBODY, "controller %u: @%c", agent, d.letter);
	g->letter = d.letter;
	w->letters[SWBLOCK_TABLE_VOLUME][d.letter - 'A']++;
	keep_cause(w, g, &v, d.cause);
	apply_volume(w, agent, a, &v, &d);
}

/* ---- members ----------------------------------------------------------- */

static void peers_of(struct world *w, struct agent *g, struct node *n,
		     struct swb_member_view *v)
{
	struct control *c = &w->control;
	static struct sight said;

	v->peer_count = 0;
	for (u8 i = 0; i < w->shape.nodes; i++) {
		const struct node *m = &w->node[i];
		struct swb_member_peer *p = &v->peer[v->peer_count];
		bool fresh = w->clock.now_ns < g->linked_ns[n->id][i] +
					       LINK_PATIENCE_NS;

		if (i == n->id || i >= c->config.member_count)
			continue;
		v->peer_count++;
		p->replica = c->config.member[i];
		p->state = n->core.peer[i].state;
		p->reason = n->core.peer[i].reason;
		state_of(m, &said);
		p->flags = said.m.flags;
		p->linked = fresh || (n->link[i] && m->link[n->id]);
		p->reachable = reaches(w, g, i);
		p->ready = m->core.d.epoch == c->granted &&
			   m->core.adopt == SWB_ADOPT_IDLE &&
			   m->core.role == SWBLOCK_ROLE_REPLICA;
		if (p->state == SWBLOCK_PEER_CATCHING_UP ||
		    p->state == SWBLOCK_PEER_IN_SYNC)
			g->link_failed[n->id][i] = 0;
		p->failed = g->link_failed[n->id][i];
		/* on the clock of this view, which is the member's */
		p->failed_ns = v->now_ns - (w->clock.now_ns -
					    g->linked_ns[n->id][i]);
	}
}

static void member_view(struct world *w, u8 agent, struct node *n,
			struct swb_member_view *v)
{
	struct control *c = &w->control;
	struct agent *g = &c->agent[agent];
	static struct sight own;

	v->now_ns = node_now(w, n);
	v->read_ns = v->now_ns;
	state_of(n, &own);
	v->self = own.m;
	v->self.opened = n->core.d.opened;
	v->self.epoch = n->core.adopt == SWB_ADOPT_IDLE ? n->core.d.epoch :
			n->core.adopt_epoch;	/* under way */
	v->config_known = n->core.self != SWB_NOBODY &&
			  swb_config_same(&n->core.config, &c->config);
	v->report_stored = own.m.has_report && !(c->mute & 1u << n->id) &&
			   own.m.report.adopted == c->won;
	if (v->report_stored)
		c->lived |= 1u << n->id;
	v->lease_end_ns = n->core.lease_end_ns;
	v->stopped = c->stopped;
	v->failed = g->refused[n->id];
	v->failed_ns = g->refused_ns[n->id];
	v->auto_rebuild = c->rebuilds;
	v->tune.backoff_ns = LINK_BACKOFF_NS;
	peers_of(w, g, n, v);
}

static void apply_member(struct world *w, u8 agent, struct node *n,
			 const struct swb_member_decision *d)
{
	struct control *c = &w->control;
	struct agent *g = &c->agent[agent];

	switch ((enum swb_member_order)d->order) {
	case SWB_MEMBER_ADOPT:
		control_adopt(w, n->id, d->epoch, c->owner);
		break;
	case SWB_MEMBER_PROMOTE:
		if (c->automatic)
			control_certify(w, n->id, &c->cert, d->lease_end_ns, 0);
		break;
	case SWB_MEMBER_ASSIGN:
		control_assign(w, n->id);
		break;
	case SWB_MEMBER_RENEW:
		c->renewed_ns = w->clock.now_ns;
		control_lease(w, n->id, d->lease_end_ns);
		break;
	case SWB_MEMBER_LINK: {
		u8 i = swb_core_member_index(&c->config,
					     &w->node[n->id].core.d.replica);

		i = d->peer >= i ? d->peer + 1 : d->peer;
		g->linked_ns[n->id][i] = w->clock.now_ns;
		g->link_failed[n->id][i]++;
		control_link(w, n->id, i);
		break;
	}
	case SWB_MEMBER_REBUILD: {
		u8 i = swb_core_member_index(&c->config,
					     &w->node[n->id].core.d.replica);

		control_rebuild(w, n->id, d->peer >= i ? d->peer + 1 : d->peer);
		break;
	}
	case SWB_MEMBER_NOTHING:
	case SWB_MEMBER_ORDER_COUNT:
		break;
	}
}

/* @v has the record as it was read before: it says what was granted, not when */
static void tend(struct world *w, u8 agent, struct node *n,
		 struct swb_member_view *v)
{
	struct swb_member_decision d;

	for (u32 k = 0; k < SWB_MEMBERS_MAX; k++) {
		member_view(w, agent, n, v);
		swb_decide_member(v, &d);
		w->letters[SWBLOCK_TABLE_MEMBER][d.letter - 'A']++;
		apply_member(w, agent, n, &d);
		if (d.order != SWB_MEMBER_LINK)
			break;
	}
}

/* A script that acts by itself is helped only while a primary serves. */
static bool tends(const struct world *w, const struct agent *g)
{
	const struct control *c = &w->control;
	const struct node *p;

	if (c->automatic)
		return true;
	if (c->primary == SIM_NOBODY || c->won != c->granted)
		return false;
	p = &w->node[c->primary];
	return node_is_primary(p) && reaches(w, g, p->id) &&
	       p->core.d.opened == c->granted;
}

static void agent_observe(struct world *w, u8 agent)
{
	static struct swb_member_view v;
	struct agent *g = &w->control.agent[agent];

	if (g->paused_ns > w->clock.now_ns)
		return;
	if (g->storeless) {
		for (u8 i = 0; i < w->shape.nodes; i++)
			g->coming_ns[i] = 0;
		return;
	}
	g->alive_ns = w->clock.now_ns;
	for (u8 i = 0; i < w->shape.nodes; i++)
		look_at(w, agent, i);
	read_again(w, agent);
	keep_count(w, agent);
	agent_decide(w, agent);
	if (!tends(w, g))
		return;
	view_authority(w, agent, NULL, &v.authority);
	for (u8 i = 0; i < w->shape.nodes; i++)
		if (reaches(w, g, i) && !node_paused(w, &w->node[i]))
			tend(w, agent, &w->node[i], &v);
}

void control_observe(struct world *w)
{
	for (u32 i = 0; i < w->control.agents; i++)
		agent_observe(w, (u8)i);
}
