// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checkers of the controllers: what an agent does must follow from what it has
 * seen, and from the truth where the truth is what counts. Nothing of the core's
 * decision is asked here.
 */
#include <string.h>

#include "check.h"
#include "core/decide_parts.h"

#define U(x)	((unsigned long long)(x))
#define VAIN_MAX	8	/* epochs in a row that come to nothing, all healed */

/* does @g see a primary that serves well, as long as it has heard of it? */
static bool sees_health(const struct world *w, u8 agent)
{
	const struct control *c = &w->control;
	const struct agent *g = &c->agent[agent];
	const struct swb_member_state *m;

	if (!c->granted || c->won != c->granted)
		return false;
	m = &g->seen[c->primary].m;
	return swb_uuid_equal(&m->replica, &c->config.member[c->primary]) &&
	       m->known && !m->flags && m->role == SWBLOCK_ROLE_PRIMARY &&
	       m->opened == c->granted &&
	       agent_now(w, agent) < g->heard_ns[c->primary] +
				     CONTROL_SILENCE_NS;
}

/* its own host needs no turn */
static bool sees_serving(const struct world *w, u8 agent)
{
	const struct control *c = &w->control;
	const struct agent *g = &c->agent[agent];

	return c->granted &&
	       g->seen[c->primary].m.role == SWBLOCK_ROLE_PRIMARY &&
	       agent_now(w, agent) < g->heard_ns[c->primary] +
				     CONTROL_SILENCE_NS;
}

static bool nobody_ahead(const struct world *w, u8 agent)
{
	const struct agent *g = &w->control.agent[agent];

	for (u8 i = 0; i < w->shape.nodes; i++)
		if (g->seen[i].m.epoch > w->control.won)
			return false;
	return true;
}

/* sync_all: somebody required gives cause to leave him out */
static bool someone_lost(const struct world *w, u8 agent)
{
	const struct control *c = &w->control;
	const struct agent *g = &c->agent[agent];

	for (u8 i = 0; i < c->config.member_count; i++) {
		const struct sight *s = &g->seen[i];

		if (i == c->primary || !(c->config.required & (1u << i)))
			continue;
		if (!s->m.known || s->m.flags ||
		    !swb_uuid_equal(&s->m.replica, &c->config.member[i]) ||
		    g->seen[c->primary].peer[i] ==
			    SWBLOCK_PEER_NEEDS_REBUILD ||
		    agent_now(w, agent) >= g->heard_ns[i] + CONTROL_SILENCE_NS)
			return true;
	}
	return false;
}

/* As wished; who is primary is required in any case. */
static bool stands(const struct control *c, const struct swb_volume_view *v)
{
	struct swb_config want = v->wish.config;

	want.required |= 1u << c->primary;
	return swb_config_same(&want, &c->config) &&
	       (swb_uuid_is_null(&v->wish.primary) ||
		swb_uuid_equal(&v->wish.primary,
			       &c->config.member[c->primary]));
}

/* who is heard, and is not void: could these prove what was committed? */
static bool could_prove(const struct world *w, u8 agent)
{
	const struct control *c = &w->control;
	const struct agent *g = &c->agent[agent];

	for (u32 k = 0; k < c->judges; k++) {
		const struct swb_config *cfg = &c->judge[k];
		u32 heard = 0, count = 0;

		for (u8 i = 0; i < w->shape.nodes; i++) {
			u8 at = swb_core_member_index(cfg,
						      &g->seen[i].m.replica);

			if (at == SWB_NOBODY || !g->seen[i].m.known ||
			    g->seen[i].m.flags || agent_now(w, agent) >=
			    g->heard_ns[i] + CONTROL_SILENCE_NS)
				continue;
			heard |= 1u << at;
			count++;
		}
		if ((cfg->mode == SWBLOCK_MODE_SYNC_QUORUM &&
		     count <= cfg->member_count / 2u) ||
		    (cfg->mode == SWBLOCK_MODE_SYNC_ALL &&
		     !(heard & cfg->required)))
			return false;
	}
	return true;
}

/* I-231: a controller fences with cause only: something is wrong, or is wished. */
static void check_i231(struct world *w, u8 agent,
		       const struct swb_volume_view *v,
		       const struct swb_volume_decision *d)
{
	const struct control *c = &w->control;

	if (c->stopped)
		sim_violation(w, 231, "controller %u wins an epoch, the volume is stopped",
			      agent);
	if (!c->wish_override && !could_prove(w, agent))
		sim_violation(w, 231, "controller %u wins an epoch, those it hears could prove nothing",
			      agent);
	if (!sees_serving(w, agent) && v->now_ns < v->tune.turn_ns +
	    (v->cause == d->cause ? v->cause_since_ns : v->now_ns))
		sim_violation(w, 231, "controller %u wins an epoch out of turn",
			      agent);
	if (d->cause == SWB_CAUSE_ORDER && sees_health(w, agent))
		sim_violation(w, 231, "controller %u moves the role, n%u is not drained",
			      agent, c->primary);
	if (c->won != c->granted && control_attempt(w, c->owner)) {
		const struct attempt *a = control_attempt(w, c->owner);

		if (!a->ended && a->agent != agent && nobody_ahead(w, agent) &&
		    w->clock.now_ns < c->agent[a->agent].alive_ns +
				      CONTROL_SILENCE_NS / 2)
			sim_violation(w, 231, "controller %u wins an epoch that controller %u has won, and lives",
				      agent, a->agent);
		return;
	}
	if (!sees_health(w, agent) || !nobody_ahead(w, agent) ||
	    someone_lost(w, agent))
		return;
	/* all is well: then the wish must differ from what is */
	if (stands(c, v))
		sim_violation(w, 231, "controller %u wins an epoch without cause, n%u serves",
			      agent, c->primary);
}

/* I-206: after epochs in vain the next one waits, doubled each time. */
static void check_i206(struct world *w, u8 agent)
{
	const struct agent *g = &w->control.agent[agent];
	u32 shift = g->failed > 7 ? 6 : g->failed - 1;

	if (g->failed && agent_now(w, agent) <
			 g->failed_ns + (CONTROL_BACKOFF_NS << shift))
		sim_violation(w, 206, "controller %u wins an epoch %llu us after %u in vain",
			      agent, U((agent_now(w, agent) - g->failed_ns) /
				       SIM_USEC), g->failed);
}

/* I-233: no circle of fences: once all is healed, few epochs come to nothing. */
static void check_i233(struct world *w)
{
	struct control *c = &w->control;

	if (!c->healed || c->settled)
		c->vain = 0;
	if (c->healed && ++c->vain > VAIN_MAX)
		sim_violation(w, 233, "%u epochs in a row were won in vain, all is healed",
			      c->vain);
}

void check_win(struct world *w, u8 agent, const struct swb_volume_view *v,
	       const struct swb_volume_decision *d)
{
	if (d->epoch <= w->control.won)
		sim_violation(w, 231, "controller %u wins epoch %llu, the store has %llu",
			      agent, U(d->epoch), U(w->control.won));
	check_i231(w, agent, v, d);
	check_i206(w, agent);
	check_i233(w);
}

static bool counts(const struct swb_report *r, u64 epoch)
{
	return r->adopted == epoch && !(r->flags & SWB_VOID_FLAGS);
}

/* I-235: sufficient under each configuration that the store has, and the best. */
static void check_i235(struct world *w, const struct swb_cert *cert)
{
	const struct control *c = &w->control;
	const struct swb_report *own = NULL;

	for (u32 i = 0; i < cert->report_count; i++)
		if (swb_uuid_equal(&cert->report[i].replica, &cert->candidate))
			own = &cert->report[i];
	if (!own || !counts(own, cert->epoch)) {
		sim_violation(w, 235, "epoch %llu is granted to who did not report, or is void",
			      U(cert->epoch));
		return;
	}
	for (u32 k = 0; k < c->judges; k++) {
		const struct swb_config *cfg = &c->judge[k];
		bool all = cfg->mode == SWBLOCK_MODE_SYNC_ALL;
		u32 have = 0, last = 0;

		for (u32 i = 0; i < cert->report_count; i++) {
			const struct swb_report *r = &cert->report[i];
			u8 at = swb_core_member_index(cfg, &r->replica);

			if (r->adopted == cert->epoch &&
			    r->committed > own->durable)
				sim_violation(w, 235, "epoch %llu is granted below C %llu",
					      U(cert->epoch), U(r->committed));
			if (!counts(r, cert->epoch) || at == SWB_NOBODY ||
			    (all && !(cfg->required & (1u << at))))
				continue;
			have++;
			last += swb_uuid_equal(&r->replica, &cert->last_granted);
			if (r->last_epoch > own->last_epoch ||
			    (r->last_epoch == own->last_epoch &&
			     r->durable > own->durable))
				sim_violation(w, 235, "epoch %llu is granted to a lesser log",
					      U(cert->epoch));
		}
		if (cfg->mode == SWBLOCK_MODE_SYNC_QUORUM ?
		    have <= cfg->member_count / 2u : all ? !have :
		    cert->last_granted_epoch && !last)
			sim_violation(w, 235, "epoch %llu is granted on %u reports under a configuration of %u",
				      U(cert->epoch), have, cfg->member_count);
	}
}

/* I-203: settled after the open record is committed by its primary. */
void check_settle(struct world *w)
{
	const struct node *n = &w->node[w->control.primary];

	if (n->core.d.opened == w->control.granted && node_is_primary(n) &&
	    (!n->core.log.open_lsn ||
	     n->core.log.committed < n->core.log.open_lsn))
		sim_violation(w, 203, "epoch %llu is settled, its open record %llu is not committed",
			      U(w->control.granted), U(n->core.log.open_lsn));
}

/* I-231: the role moves to who is in sync only; or the volume is stopped. */
void check_demote(struct world *w, u8 agent, const struct swb_volume_view *v)
{
	const struct control *c = &w->control;
	u8 to = control_node_of(w, &v->wish.primary);

	if (c->stopped)
		return;
	if (to == c->primary || (to != SIM_NOBODY &&
				 c->agent[agent].seen[c->primary].peer[to] !=
					 SWBLOCK_PEER_IN_SYNC))
		sim_violation(w, 231, "controller %u demotes n%u, n%u is not in sync",
			      agent, c->primary, to);
}

/* I-232: granted after the old lease only, by the clock of who holds it (P13). */
void check_grant(struct world *w, const struct swb_cert *cert)
{
	u8 p = control_node_of(w, &cert->last_granted);
	const struct node *n = p == SIM_NOBODY ? NULL : &w->node[p];

	if (!w->broken && !(cert->flags & SWBLOCK_CERT_OVERRIDE))
		check_i235(w, cert);
	if (!cert->last_granted_epoch || !n || n->state != NODE_UP ||
	    !node_is_primary(n) || n->core.d.opened >= cert->epoch ||
	    !n->core.lease_end_ns || node_now(w, n) >= n->core.lease_end_ns)
		return;
	sim_violation(w, 232, "epoch %llu is granted, n%u holds a lease for %llu us more",
		      U(cert->epoch), p, U((n->core.lease_end_ns -
					    node_now(w, n)) / SIM_USEC));
}

/* I-234: what the operator wished for stands, once all is healed. */
bool check_wish(struct world *w)
{
	static struct swb_volume_view v;
	struct control *c = &w->control;

	agent_view(w, 0, NULL, &v);
	if (!c->settled || c->won != c->granted)
		return false;
	/* who needs a rebuild, or has no disk, is not required again */
	for (u8 i = 0; i < w->shape.nodes; i++)
		if (i != c->primary && w->node[c->primary].core.peer[i].state !=
				       SWBLOCK_PEER_IN_SYNC)
			return true;
	if (!swb_config_required(&c->config, &v.wish.primary))
		memset(&v.wish.primary, 0, sizeof(v.wish.primary));
	return stands(c, &v);
}
