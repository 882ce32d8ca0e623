// SPDX-License-Identifier: GPL-2.0-only
/*
 * The record of the store, with its swaps, and orders on their way to members.
 * The store is linearizable and never lost; everything between it and the nodes
 * may be. What is done when is decided by the core, see agent.c.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/decide_parts.h"
#include "story.h"
#include "world.h"

static struct swb_cert last_cert[SIM_NODES_MAX];
static u64 last_lease_end[SIM_NODES_MAX];

void control_first_config(const struct world *w, struct swb_config *c)
{
	memset(c, 0, sizeof(*c));
	c->mode = w->shape.mode;
	c->policy = w->shape.policy;
	c->member_count = w->shape.nodes;
	c->required = w->shape.required;
	for (u8 i = 0; i < w->shape.nodes; i++)
		c->member[i] = w->node[i].core.d.replica;
}

void control_reset(struct world *w)
{
	struct control *c = &w->control;

	memset(c, 0, sizeof(*c));
	c->primary = SIM_NOBODY;
	c->next_owner = 1;
	c->wish_primary = SIM_NOBODY;
	c->wish_sequence = 1;
	c->reach = ~0u;
	c->agents = 1;
	for (u32 i = 0; i < CONTROL_AGENTS; i++)
		c->agent[i].reach = ~0u;
	c->delay_ns = 2 * SIM_MSEC;
	memset(last_cert, 0, sizeof(last_cert));
	memset(last_lease_end, 0, sizeof(last_lease_end));
}

/* ---- orders ------------------------------------------------------------ */

/**
 * struct order - on its way to a member
 */
struct order {
	struct swb_event ev;
	struct swb_config config;
	struct swb_cert cert;
};

static void order_arrives(struct world *w, struct task *t)
{
	struct node *n = &w->node[t->a];
	struct order *o = t->p;

	if (node_paused(w, n)) {
		world_postpone(w, n->id, t);
		return;
	}
	if (n->state != NODE_UP || !(w->control.reach & (1u << n->id)))
		return;
	if (o->ev.type == SWB_EV_ASSIGNED)
		o->ev.u.assign.config = &o->config;
	if (o->ev.type == SWB_EV_CERTIFIED) {
		o->ev.u.cert.cert = &o->cert;
		check_certificate(w, n, &o->cert);
	}
	node_post(w, n, &o->ev);
}

static void order_send(struct world *w, u8 node, const struct order *o)
{
	struct order *copy;

	if (rng_chance(&w->rng, w->control.lost_permille))
		return;
	copy = malloc(sizeof(*copy));
	if (!copy)
		abort();
	*copy = *o;
	clock_add(&w->clock, (struct task){
		.at_ns = w->clock.now_ns + rng_below(&w->rng,
						     w->control.delay_ns),
		.run = order_arrives, .node = SIM_NOBODY, .a = node,
		.p = copy });
}

void control_adopt(struct world *w, u8 node, u64 epoch, u64 cookie)
{
	struct order o = { .ev = { .type = SWB_EV_ADOPT_ORDERED,
				   .epoch = epoch, .cookie = cookie } };

	sim_uuid(&o.ev.u.adopt.store, 's', 0);
	o.ev.u.adopt.store_generation = 1;
	order_send(w, node, &o);
}

void control_assign(struct world *w, u8 node)
{
	struct control *c = &w->control;
	struct order o = { .ev = { .type = SWB_EV_ASSIGNED,
				   .epoch = c->granted } };

	if (c->primary == SIM_NOBODY)
		return;
	o.config = c->config;
	o.ev.u.assign.primary = c->config.member[c->primary];
	order_send(w, node, &o);
}

void control_certify(struct world *w, u8 node, const struct swb_cert *cert,
		     u64 lease_end_ns, u32 owner)
{
	struct order o = { .ev = { .type = SWB_EV_CERTIFIED,
				   .epoch = cert->epoch, .cookie = owner } };

	o.cert = *cert;
	o.ev.u.cert.lease_end_ns = lease_end_ns;
	order_send(w, node, &o);
}

void control_recertify(struct world *w, u8 node)
{
	if (last_cert[node].epoch)
		control_certify(w, node, &last_cert[node], last_lease_end[node],
				0);
}

void control_lease(struct world *w, u8 node, u64 end_ns)
{
	struct order o = { .ev = { .type = SWB_EV_LEASE_SET,
				   .epoch = w->control.granted } };

	o.ev.u.lease.end_ns = end_ns;
	order_send(w, node, &o);
}

/* ---- links ------------------------------------------------------------- */

static void link_end(struct world *w, struct task *t)
{
	u8 node = (u8)(t->a & 0xff), peer = (u8)(t->a >> 8);

	if (node_paused(w, &w->node[node]))
		world_postpone(w, node, t);
	else
		node_link(w, &w->node[node], peer, (u32)t->b);
}

void control_misroute(struct world *w, u8 a, u8 b, u8 c, bool stranger)
{
	u32 conn = net_connect(w, a, c);

	if (!conn)
		return;
	sim_trace(w, a, "the address of n%u leads to n%u%s", b, c,
		  stranger ? ", which is of another volume" : "");
	w->net.conn[conn].stranger = stranger;
	world_later(w, SIM_NOBODY, rng_below(&w->rng, 2 * SIM_MSEC), link_end,
		    a | (u64)b << 8, conn);
	world_later(w, SIM_NOBODY, rng_below(&w->rng, 2 * SIM_MSEC), link_end,
		    c | (u64)a << 8, conn);
}

void control_link(struct world *w, u8 a, u8 b)
{
	u32 conn = net_connect(w, a, b);

	if (!conn)
		return;
	world_later(w, SIM_NOBODY, rng_below(&w->rng, 2 * SIM_MSEC), link_end,
		    a | (u64)b << 8, conn);
	world_later(w, SIM_NOBODY, rng_below(&w->rng, 2 * SIM_MSEC), link_end,
		    b | (u64)a << 8, conn);
}

/* ---- epochs ------------------------------------------------------------ */

struct attempt *control_attempt(struct world *w, u32 owner)
{
	for (u32 i = 0; owner && i < CONTROL_ATTEMPTS; i++)
		if (w->control.attempt[i].owner == owner)
			return &w->control.attempt[i];
	return NULL;
}

u8 control_node_of(const struct world *w, const struct swb_uuid *replica)
{
	for (u8 i = 0; i < w->shape.nodes; i++)
		if (swb_uuid_equal(&w->node[i].core.d.replica, replica))
			return i;
	return SIM_NOBODY;
}

void control_end(struct attempt *a, u8 letter)
{
	a->ended = true;
	a->letter = letter;
}

/* The grant is known to be in the store: only now may a certificate go out. */
static void tell_granted(struct world *w, struct attempt *a)
{
	a->unknown = false;
	control_certify(w, a->candidate, &last_cert[a->candidate],
			last_lease_end[a->candidate], a->owner);
	for (u8 i = 0; i < w->shape.nodes; i++)
		if (i != a->candidate && !(w->control.mute & 1u << i))
			control_assign(w, i);
}

static bool is_judged(const struct control *c, const struct swb_config *cfg)
{
	for (u32 i = 0; i < c->judges; i++)
		if (swb_config_same(&c->judge[i], cfg))
			return true;
	return false;
}

static bool swap_granted(struct world *w, struct attempt *a,
			 const struct swb_config *config)
{
	struct control *c = &w->control;

	if (w->broken != BREAK_TWO_CERTS &&
	    (c->won != a->epoch || c->owner != a->owner || a->granted ||
	     c->agent[a->agent].storeless))
		return false;
	if (!is_judged(c, config)) {
		if (c->judges == SWB_CONFIGS_MAX - 1)
			return false;
		c->judge[c->judges++] = *config;
	}
	if (w->broken == BREAK_SETTLE_EARLY) {
		c->judge[0] = *config;
		c->judges = 1;
	}
	a->granted = true;
	c->granted = a->epoch;
	c->settled = false;
	c->wish_done = c->wish_sequence;
	c->primary = a->candidate;
	c->config = *config;
	return true;
}

/* Once per epoch for ever (P3). */
bool control_grant(struct world *w, struct attempt *a,
		   const struct swb_cert *cert)
{
	struct control *c = &w->control;

	a->candidate = control_node_of(w, &cert->candidate);
	if (a->candidate == SIM_NOBODY || !swap_granted(w, a, &cert->config)) {
		control_end(a, 'B');
		return false;
	}
	sim_trace(w, SIM_NOBODY, "store: epoch %llu granted to n%u",
		  (unsigned long long)a->epoch, a->candidate);
	story_grant(w, cert, a->candidate);
	c->cert = *cert;
	/* the lease counts from the grant, however late the certificate: P13 */
	last_cert[a->candidate] = *cert;
	last_lease_end[a->candidate] = !w->shape.lease_ns ? 0 :
		node_now(w, &w->node[a->candidate]) + w->shape.lease_ns;
	c->renewed_ns = w->clock.now_ns;
	if (c->blind_permille && rng_chance(&w->rng, c->blind_permille))
		a->unknown = true;
	else
		tell_granted(w, a);
	return true;
}

void control_settle(struct world *w)
{
	struct control *c = &w->control;

	check_settle(w);
	c->judge[0] = c->config;
	c->judges = 1;
	c->settled = true;
	sim_trace(w, SIM_NOBODY, "store: configuration of epoch %llu settled",
		  (unsigned long long)c->granted);
}

/* Certified by order of somebody who knows better: the kernel must refuse. */
static bool force(struct world *w, struct attempt *a, bool late)
{
	static struct swb_volume_view v;
	static struct swb_volume_decision d;
	static struct swb_cert cert;
	u32 all = (1u << w->shape.nodes) - 1;

	if (a->granted || (!late && (a->have & all) != all))
		return true;
	agent_view(w, a->agent, a, &v);
	memset(&d, 0, sizeof(d));
	d.candidate = a->want;
	d.config = a->config;
	d.config.required |= 1u << a->want;
	d.cert_flags = a->cert_flags;
	swb_decide_cert(&v, &d, &cert);
	sim_uuid(&cert.volume, 'v', 0);
	sim_uuid(&cert.store, 's', 0);
	cert.store_generation = 1;
	return control_grant(w, a, &cert);
}

static void second_certificate(struct world *w, struct attempt *a)
{
	struct swb_cert cert = w->control.cert;

	a->candidate = (u8)((a->candidate + 1) % w->shape.nodes);
	cert.candidate = w->node[a->candidate].core.d.replica;
	cert.config.required |= 1u << a->candidate;
	control_grant(w, a, &cert);
}

/* Only so long does a script or a plan wait for its own promotion. */
static void attempt_late(struct world *w, struct task *t)
{
	struct attempt *a = control_attempt(w, (u32)t->a);
	const struct agent *g;

	if (!a || a->ended)
		return;
	g = &w->control.agent[a->agent];
	/* an answer was lost: the store is read again, the nonce is mine */
	if (a->unknown && !g->storeless && w->control.granted == a->epoch)
		tell_granted(w, a);
	else if (a->force && !a->granted)
		force(w, a, true);
	else if (!a->granted)
		agent_decide(w, a->agent);
	else if (w->broken == BREAK_TWO_CERTS && !t->b)
		second_certificate(w, a);
	if (a->ended || (!a->operator && !a->granted))
		return;
	/* what is missing may be reported yet while the lease runs out (P13) */
	if (!a->granted && (g->letter == 'L' || g->letter == 'I'))
		world_later(w, SIM_NOBODY, 3 * SIM_MSEC, attempt_late,
			    a->owner, 0);
	else if (!a->granted || t->b)
		control_end(a, 'H');
	else
		world_later(w, SIM_NOBODY, CONTROL_COLLECT_NS, attempt_late,
			    a->owner, 1);
}

/* The first compare-and-swap: won, by this owner (P3). */
struct attempt *control_win(struct world *w, u8 agent, u64 epoch,
			    const struct swb_config *config)
{
	struct control *c = &w->control;
	struct attempt *a = &c->attempt[c->next_owner % CONTROL_ATTEMPTS];

	memset(a, 0, sizeof(*a));
	a->agent = agent;
	a->owner = c->next_owner++;
	a->want = SIM_NOBODY;
	a->candidate = SIM_NOBODY;
	a->config = *config;
	a->epoch = epoch;
	a->unwon = c->blind_permille && rng_chance(&w->rng, c->blind_permille);
	c->won = epoch;
	c->owner = a->owner;
	c->proposed = *config;
	sim_trace(w, SIM_NOBODY, "store: epoch %llu won by attempt %u",
		  (unsigned long long)a->epoch, a->owner);
	for (u8 i = 0; i < w->shape.nodes; i++)
		control_adopt(w, i, a->epoch, a->owner);
	a->won_ns = agent_now(w, agent);
	world_later(w, SIM_NOBODY, CONTROL_COLLECT_NS, attempt_late, a->owner,
		    0);
	return a;
}

static struct attempt *promote_by(struct world *w, u8 agent, u8 want,
				  u32 required)
{
	struct control *c = &w->control;
	struct swb_config config;
	struct attempt *a;

	/* with the disks that are in now, blank ones among them */
	control_first_config(w, &config);
	if (c->granted) {
		config.mode = c->config.mode;
		config.member_count = c->config.member_count;
		config.required = c->config.required;
	}
	if (required)
		config.required = required;
	if (config.mode == SWBLOCK_MODE_SYNC_ALL &&
	    (config.required & ~c->exclude))
		config.required &= ~c->exclude;
	a = control_win(w, agent, c->won + 1, &config);
	a->operator = true;
	a->unwon = false;
	a->want = want;
	a->required = required;
	return a;
}

struct attempt *control_promote(struct world *w, u8 want, u32 required)
{
	struct control *c = &w->control;
	u8 first = c->agents < 2 ? 0 : (u8)rng_below(&w->rng, c->agents);

	if (required & ~c->exclude)
		c->wish_required = required;
	for (u32 i = 0; i < c->agents; i++) {
		u8 agent = (u8)((first + i) % c->agents);

		if (!c->agent[agent].storeless)
			return promote_by(w, agent, want, required);
	}
	return NULL;
}

void control_restart(struct world *w, u8 agent)
{
	struct control *c = &w->control;
	struct agent *g = &c->agent[agent], fresh = { 0 };

	sim_trace(w, SIM_NOBODY, "controller %u restarts", agent);
	for (u32 i = 0; i < CONTROL_ATTEMPTS; i++)
		if (c->attempt[i].owner && c->attempt[i].agent == agent &&
		    !c->attempt[i].ended)
			control_end(&c->attempt[i], 'H');
	fresh.watch = g->watch;
	fresh.reach = g->reach;
	fresh.storeless = g->storeless;
	fresh.alive_ns = g->alive_ns;
	fresh.turn_ns = rng_below(&w->rng, CONTROL_TURN_NS);
	/* the documents are still there; silence is timed from now on */
	memcpy(fresh.seen, g->seen, sizeof(fresh.seen));
	for (u8 i = 0; i < CONTROL_NODES; i++)
		fresh.heard_ns[i] = agent_now(w, agent);
	*g = fresh;
}

/* ---- facts ------------------------------------------------------------- */

static void report_arrives(struct world *w, struct task *t)
{
	struct attempt *a = control_attempt(w, (u32)t->a);
	const struct swb_report *r = t->p;

	if (!a || a->ended || r->adopted != a->epoch ||
	    !(w->control.agent[a->agent].reach & (1u << t->b)))
		return;
	a->report[t->b] = *r;
	a->have |= 1u << t->b;
	if (a->force)
		force(w, a, false);
	else
		agent_decide(w, a->agent);
}

void control_report(struct world *w, struct node *n, u64 cookie)
{
	struct swb_report *r;

	r = malloc(sizeof(*r));
	if (!r)
		abort();
	swb_core_report(&n->core, r);
	check_report(w, n, r);
	if (!(w->control.reach & ~w->control.mute & (1u << n->id)) ||
	    rng_chance(&w->rng, w->control.lost_permille)) {
		free(r);
		return;
	}
	clock_add(&w->clock, (struct task){
		.at_ns = w->clock.now_ns + rng_below(&w->rng,
						     w->control.delay_ns),
		.run = report_arrives, .node = SIM_NOBODY, .a = cookie,
		.b = n->id, .p = r });
}

void control_role(struct world *w, struct node *n, u64 cookie)
{
	struct attempt *a = control_attempt(w, (u32)cookie);

	w->promotions++;
	if (a && n->core.role == SWBLOCK_ROLE_PRIMARY)
		control_end(a, 'A');
}

void control_refused(struct world *w, struct node *n, u64 cookie, u8 letter,
		     u8 table)
{
	struct attempt *a = control_attempt(w, (u32)cookie);

	if (table == SWBLOCK_TABLE_PROMOTE && letter >= 'A' && letter <= 'Z')
		w->letters[table][letter - 'A']++;
	sim_trace(w, n->id, "refuses @%c: %s", letter ? letter : '-',
		  letter && swb_text_case(table, letter) ?
		  swb_text_case(table, letter) : "");
	for (u32 i = 0; !cookie && i < w->control.agents; i++) {
		w->control.agent[i].refused[n->id]++;
		w->control.agent[i].refused_ns[n->id] = node_now(w, n);
	}
	if (a)
		control_end(a, letter);
}

void control_step_down(struct world *w, struct node *n, u64 epoch)
{
	(void)w;
	(void)n;
	(void)epoch;
}

void control_demote(struct world *w, u8 node)
{
	struct order o = { .ev = { .type = SWB_EV_DEMOTE_ORDERED } };

	order_send(w, node, &o);
}

void control_unlink(struct world *w, u8 node, u8 peer)
{
	struct order o = { .ev = { .type = SWB_EV_UNLINK_ORDERED,
				   .peer = peer } };

	order_send(w, node, &o);
}

void control_rebuild(struct world *w, u8 node, u8 peer)
{
	struct order o = { .ev = { .type = SWB_EV_REBUILD_ORDERED,
				   .peer = peer } };

	order_send(w, node, &o);
}
