// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fence, then ask, then promote. The store is linearizable and never lost;
 * everything between it and the nodes may be.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "story.h"
#include "world.h"

#define LEASE_MARGIN_NS	(2 * SIM_MSEC)

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

static void certify(struct world *w, u8 node, const struct swb_cert *cert,
		    u32 owner)
{
	struct order o = { .ev = { .type = SWB_EV_CERTIFIED,
				   .epoch = cert->epoch, .cookie = owner } };

	o.cert = *cert;
	o.ev.u.cert.lease_end_ns = last_lease_end[node];
	order_send(w, node, &o);
}

void control_recertify(struct world *w, u8 node)
{
	if (last_cert[node].epoch)
		certify(w, node, &last_cert[node], 0);
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

/* ---- attempts ---------------------------------------------------------- */

static struct attempt *attempt_of(struct world *w, u64 cookie)
{
	for (u32 i = 0; cookie && i < CONTROL_ATTEMPTS; i++)
		if (w->control.attempt[i].owner == cookie)
			return &w->control.attempt[i];
	return NULL;
}

static void make_cert(struct world *w, const struct attempt *a,
		      struct swb_cert *cert)
{
	struct control *c = &w->control;

	memset(cert, 0, sizeof(*cert));
	sim_uuid(&cert->volume, 'v', 0);
	sim_uuid(&cert->store, 's', 0);
	cert->store_generation = 1;
	cert->epoch = a->epoch;
	control_first_config(w, &cert->config);
	cert->config.required = a->required;
	if (a->shrink && w->shape.mode == SWBLOCK_MODE_SYNC_ALL)
		cert->config.required = a->have;
	if (w->shape.mode == SWBLOCK_MODE_SYNC_ALL &&
	    (cert->config.required & ~c->exclude))
		cert->config.required &= ~c->exclude;
	cert->judge_count = c->judges;
	memcpy(cert->judge, c->judge, sizeof(cert->judge));
	if (!c->judges) {
		cert->judge_count = 1;
		control_first_config(w, &cert->judge[0]);
	}
	if (w->broken == BREAK_NEW_CONFIG_ONLY) {
		cert->judge_count = 1;
		cert->judge[0] = cert->config;
	}
	for (u8 i = 0; i < w->shape.nodes; i++)
		if (a->have & (1u << i))
			cert->report[cert->report_count++] = a->report[i];
	cert->last_granted_epoch = c->granted;
	if (c->granted)
		cert->last_granted = c->config.member[c->primary];
	cert->flags = a->cert_flags;
}

static u8 node_of(const struct world *w, const struct swb_uuid *replica)
{
	for (u8 i = 0; i < w->shape.nodes; i++)
		if (swb_uuid_equal(&w->node[i].core.d.replica, replica))
			return i;
	return SIM_NOBODY;
}

static bool evidence_ok(struct world *w, const struct swb_cert *cert)
{
	if (w->broken == BREAK_ONE_VOTER)
		return cert->report_count > 0;
	for (u32 i = 0; i < cert->judge_count; i++)
		if (!swb_evidence_sufficient(&cert->judge[i], cert->epoch,
					     cert->report, cert->report_count,
					     &cert->last_granted))
			return false;
	return true;
}

static const struct swb_report *report_of(const struct swb_cert *cert,
					  const struct swb_uuid *replica)
{
	for (u32 i = 0; i < cert->report_count; i++)
		if (swb_uuid_equal(&cert->report[i].replica, replica))
			return &cert->report[i];
	return NULL;
}

static bool full(const struct world *w)
{
	return w->control.judges >= SWB_CONFIGS_MAX - 1;
}

static bool equals_best(const struct world *w, const struct swb_cert *cert,
			int best, u8 node)
{
	const struct swb_report *r =
		report_of(cert, &w->node[node].core.d.replica);

	return r && !r->flags &&
	       r->last_epoch == cert->report[best].last_epoch &&
	       r->durable == cert->report[best].durable;
}

static u8 choose(struct world *w, const struct attempt *a,
		 struct swb_cert *cert)
{
	int best = swb_promote_best(cert);

	if (w->broken == BREAK_RANK_BY_LSN)
		for (u32 i = 0; i < cert->report_count; i++)
			if (best < 0 || cert->report[i].durable >
					cert->report[best].durable)
				best = (int)i;
	if (a->force)
		return a->want;
	if (best < 0)
		return SIM_NOBODY;
	if (a->want != SIM_NOBODY && !full(w) &&
	    equals_best(w, cert, best, a->want))
		return a->want;
	/* no place for one more configuration: somebody of the last one's */
	for (u8 i = 0; full(w) && i < w->shape.nodes; i++)
		if ((w->control.config.required & (1u << i)) &&
		    equals_best(w, cert, best, i))
			return i;
	return node_of(w, &cert->report[best].replica);
}

static u64 agent_now(const struct world *w, u8 agent)
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

/* P13: D * (1 + 2r) + margin since the epoch was won, by the own clock */
static bool lease_may_run(const struct world *w, const struct attempt *a)
{
	u64 wait = w->shape.lease_ns + LEASE_MARGIN_NS +
		   w->shape.lease_ns / 1000000 * 2 * SIM_CLOCK_ERROR_PPM;

	if (w->broken == BREAK_LEASE_DRIFT)
		return w->shape.lease_ns && agent_span(w, a->agent,
			w->control.renewed_ns) < w->shape.lease_ns;
	return w->shape.lease_ns && w->broken != BREAK_LEASE_EARLY &&
	       agent_now(w, a->agent) < a->won_ns + wait;
}

/* Its lease must have run out, unless it has adopted the new epoch (P13). */
static bool lease_over(struct world *w, const struct attempt *a,
		       struct swb_cert *cert)
{
	const struct swb_report *r = report_of(cert, &cert->last_granted);

	if (!cert->last_granted_epoch || (r && r->adopted == cert->epoch))
		return true;
	if (lease_may_run(w, a))
		return false;
	cert->flags |= SWBLOCK_CERT_LEASE_WAITED;
	return true;
}

static bool is_judged(const struct control *c, const struct swb_config *cfg)
{
	for (u32 i = 0; i < c->judges; i++)
		if (memcmp(&c->judge[i], cfg, sizeof(*cfg)) == 0)
			return true;
	return false;
}

/* A member with a failed disk that is still required: shrink by a new epoch. */
static bool must_shrink(const struct world *w)
{
	const struct control *c = &w->control;

	return c->automatic && w->shape.mode == SWBLOCK_MODE_SYNC_ALL &&
	       (c->config.required & c->exclude) &&
	       (c->config.required & ~c->exclude);
}

/* A blank disk has come in: a member by a new name, in a new epoch. */
static bool must_replace(const struct world *w)
{
	const struct control *c = &w->control;

	for (u8 i = 0; c->automatic && c->granted && i < w->shape.nodes; i++)
		if (w->node[i].lost && w->node[i].state == NODE_UP &&
		    !swb_uuid_equal(&w->node[i].core.d.replica,
				    &c->config.member[i]))
			return true;
	return false;
}

/*
 * The candidate must be in its own required set. With four unsettled
 * configurations no new one may be granted (P1): then one of those that holds
 * the candidate is taken again, or nobody could ever be promoted. The last slot
 * is kept for a loss: else a dead member could stay required for ever.
 */
static void choose_config(struct world *w, const struct attempt *a,
			  struct swb_cert *cert)
{
	struct control *c = &w->control;
	u32 most = SWB_CONFIGS_MAX - 2 + (must_shrink(w) || must_replace(w));

	cert->config.required |= 1u << a->candidate;
	if (c->judges < most || is_judged(c, &cert->config))
		return;
	for (u32 i = c->judges; i > 0; i--)
		if (c->judge[i - 1].required & (1u << a->candidate)) {
			cert->config = c->judge[i - 1];
			return;
		}
}

/* The second compare-and-swap: granted, once per epoch for ever (P3). */
static bool swap_granted(struct world *w, struct attempt *a,
			 struct swb_cert *cert)
{
	struct control *c = &w->control;

	if (w->broken != BREAK_TWO_CERTS &&
	    (c->won != a->epoch || c->owner != a->owner || a->granted ||
	     c->agent[a->agent].storeless))
		return false;
	if (!is_judged(c, &cert->config)) {
		if (c->judges == SWB_CONFIGS_MAX - 1)
			return false;
		c->judge[c->judges++] = cert->config;
	}
	if (w->broken == BREAK_SETTLE_EARLY) {
		c->judge[0] = cert->config;
		c->judges = 1;
	}
	a->granted = true;
	c->granted = a->epoch;
	c->primary = a->candidate;
	c->config = cert->config;
	return true;
}

static void attempt_end(struct attempt *a, u8 letter)
{
	a->ended = true;
	a->letter = letter;
}

/* The grant is known to be in the store: only now may a certificate go out. */
static void tell_granted(struct world *w, struct attempt *a)
{
	a->unknown = false;
	certify(w, a->candidate, &last_cert[a->candidate], a->owner);
	for (u8 i = 0; i < w->shape.nodes; i++)
		if (i != a->candidate)
			control_assign(w, i);
}

static void decide(struct world *w, struct attempt *a, bool late)
{
	static struct swb_cert cert;
	struct control *c = &w->control;
	u32 all = (1u << w->shape.nodes) - 1;

	if (a->granted && w->broken != BREAK_TWO_CERTS)
		return;
	make_cert(w, a, &cert);
	if (!a->force && !evidence_ok(w, &cert)) {
		if (late)
			attempt_end(a, 'H');
		return;
	}
	if (!late && (a->have & all) != all)
		return;
	a->candidate = choose(w, a, &cert);
	if (a->candidate == SIM_NOBODY || (!a->force && !lease_over(w, a, &cert))) {
		if (late)
			attempt_end(a, 'H');
		return;
	}
	if (w->broken == BREAK_TWO_CERTS && a->granted)
		a->candidate = (u8)((a->candidate + 1) % w->shape.nodes);
	cert.candidate = w->node[a->candidate].core.d.replica;
	choose_config(w, a, &cert);
	if (!swap_granted(w, a, &cert)) {
		attempt_end(a, 'B');
		return;
	}
	sim_trace(w, SIM_NOBODY, "store: epoch %llu granted to n%u",
		  (unsigned long long)a->epoch, a->candidate);
	story_grant(w, &cert, a->candidate);
	/* the lease counts from the grant, however late the certificate: P13 */
	last_cert[a->candidate] = cert;
	last_lease_end[a->candidate] = !w->shape.lease_ns ? 0 :
		node_now(w, &w->node[a->candidate]) + w->shape.lease_ns;
	c->renewed_ns = w->clock.now_ns;
	if (c->blind_permille && rng_chance(&w->rng, c->blind_permille))
		a->unknown = true;
	else
		tell_granted(w, a);
}

static void attempt_late(struct world *w, struct task *t)
{
	struct attempt *a = attempt_of(w, t->a);

	if (!a || a->ended)
		return;
	/* what is missing may be reported yet while the lease runs out (P13) */
	if (!a->granted && lease_may_run(w, a)) {
		world_later(w, SIM_NOBODY, 3 * SIM_MSEC, attempt_late,
			    a->owner, 0);
		return;
	}
	/* an answer was lost: the store is read again, the nonce is mine */
	if (a->unknown && !w->control.agent[a->agent].storeless &&
	    w->control.granted == a->epoch)
		tell_granted(w, a);
	else if (!a->granted)
		decide(w, a, true);
	else if (w->broken == BREAK_TWO_CERTS && !t->b)
		decide(w, a, true);
	if (!a->granted || t->b)
		attempt_end(a, 'H');
	else
		world_later(w, SIM_NOBODY, 60 * SIM_MSEC, attempt_late,
			    a->owner, 1);
}

/* The first compare-and-swap: won, by this owner (P3). */
static struct attempt *promote_by(struct world *w, u8 agent, u8 want,
				  u32 required)
{
	struct control *c = &w->control;
	struct attempt *a = &c->attempt[c->next_owner % CONTROL_ATTEMPTS];

	memset(a, 0, sizeof(*a));
	a->agent = agent;
	a->owner = c->next_owner++;
	a->want = want;
	a->candidate = SIM_NOBODY;
	a->required = required ? required :
		      c->granted ? c->config.required : w->shape.required;
	a->epoch = ++c->won;
	c->owner = a->owner;
	sim_trace(w, SIM_NOBODY, "store: epoch %llu won by attempt %u",
		  (unsigned long long)a->epoch, a->owner);
	for (u8 i = 0; i < w->shape.nodes; i++)
		control_adopt(w, i, a->epoch, a->owner);
	a->won_ns = agent_now(w, agent);
	world_later(w, SIM_NOBODY, 60 * SIM_MSEC, attempt_late, a->owner, 0);
	return a;
}

struct attempt *control_promote(struct world *w, u8 want, u32 required)
{
	struct control *c = &w->control;
	u8 first = c->agents < 2 ? 0 : (u8)rng_below(&w->rng, c->agents);

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

	sim_trace(w, SIM_NOBODY, "controller %u restarts", agent);
	for (u32 i = 0; i < CONTROL_ATTEMPTS; i++)
		if (c->attempt[i].owner && c->attempt[i].agent == agent)
			attempt_end(&c->attempt[i], 'H');
	c->agent[agent].missing_ns = 0;
	memset(c->agent[agent].linked_ns, 0,
	       sizeof(c->agent[agent].linked_ns));
}

/* ---- facts ------------------------------------------------------------- */

static void report_arrives(struct world *w, struct task *t)
{
	struct attempt *a = attempt_of(w, t->a);
	const struct swb_report *r = t->p;

	if (!a || a->ended || r->adopted != a->epoch ||
	    !(w->control.agent[a->agent].reach & (1u << t->b)))
		return;
	a->report[t->b] = *r;
	a->have |= 1u << t->b;
	decide(w, a, false);
}

void control_report(struct world *w, struct node *n, u64 cookie)
{
	struct swb_report *r;

	r = malloc(sizeof(*r));
	if (!r)
		abort();
	swb_core_report(&n->core, r);
	check_report(w, n, r);
	if (!(w->control.reach & (1u << n->id)) ||
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
	struct attempt *a = attempt_of(w, cookie);

	w->promotions++;
	if (a && n->core.role == SWBLOCK_ROLE_PRIMARY)
		attempt_end(a, 'A');
}

void control_refused(struct world *w, struct node *n, u64 cookie, u8 letter,
		     u8 table)
{
	struct attempt *a = attempt_of(w, cookie);

	if (table == SWBLOCK_TABLE_PROMOTE && letter >= 'A' && letter <= 'Z')
		w->letters[table][letter - 'A']++;
	sim_trace(w, n->id, "refuses @%c: %s", letter ? letter : '-',
		  letter && swb_text_case(table, letter) ?
		  swb_text_case(table, letter) : "");
	if (a)
		attempt_end(a, letter);
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

/* ---- observe, decide, apply ------------------------------------------- */

/* Settled by a swap in its own epoch, after its open record committed (P1). */
static void settle(struct world *w)
{
	struct control *c = &w->control;
	struct node *p = &w->node[c->primary];

	if (c->judges < 2 || c->won != c->granted || !node_is_primary(p) ||
	    p->core.d.opened != c->granted || !p->core.log.open_lsn ||
	    p->core.log.committed < p->core.log.open_lsn)
		return;
	c->judge[0] = c->config;
	c->judges = 1;
	sim_trace(w, SIM_NOBODY, "store: configuration of epoch %llu settled",
		  (unsigned long long)c->granted);
}

static void renew_lease(struct world *w, struct node *p)
{
	struct control *c = &w->control;
	struct order o = { .ev = { .type = SWB_EV_LEASE_SET,
				   .epoch = c->granted } };

	if (!w->shape.lease_ns || c->won != c->granted ||
	    w->clock.now_ns < c->renewed_ns + w->shape.lease_ns / 8)
		return;
	c->renewed_ns = w->clock.now_ns;
	o.ev.u.lease.end_ns = node_now(w, p) + w->shape.lease_ns;
	order_send(w, p->id, &o);
}

static void tend_replica(struct world *w, struct agent *g, struct node *p,
			 struct node *n)
{
	struct control *c = &w->control;

	if (n->core.d.epoch < c->granted) {
		control_adopt(w, n->id, c->granted, 0);
		return;
	}
	if (n->core.d.epoch != c->granted || n->core.adopt != SWB_ADOPT_IDLE)
		return;
	if (n->core.role == SWBLOCK_ROLE_NONE) {
		control_assign(w, n->id);
		return;
	}
	if (n->link[p->id] && p->link[n->id])
		return;
	if (w->clock.now_ns < g->linked_ns[p->id][n->id] + 20 * SIM_MSEC)
		return;
	g->linked_ns[p->id][n->id] = w->clock.now_ns;
	control_link(w, p->id, n->id);
}

/* A controller knows of its own attempts only. */
static bool attempt_running(const struct world *w, u8 agent)
{
	for (u32 i = 0; i < CONTROL_ATTEMPTS; i++)
		if (w->control.attempt[i].owner &&
		    w->control.attempt[i].agent == agent &&
		    !w->control.attempt[i].ended)
			return true;
	return false;
}

static void agent_observe(struct world *w, u8 agent)
{
	struct control *c = &w->control;
	struct agent *g = &c->agent[agent];
	struct node *p = c->primary == SIM_NOBODY ? NULL : &w->node[c->primary];
	u32 reach = c->reach & g->reach;

	if (g->storeless)
		return;
	if (p && !must_shrink(w) && !must_replace(w) && !(c->exclude & (1u << p->id)) &&
	    node_is_primary(p) && (reach & (1u << p->id)) &&
	    p->core.d.opened == c->granted && c->won == c->granted) {
		g->missing_ns = 0;
		settle(w);
		renew_lease(w, p);
		for (u8 i = 0; i < w->shape.nodes; i++)
			if (i != p->id && w->node[i].state == NODE_UP &&
			    (reach & (1u << i)))
				tend_replica(w, g, p, &w->node[i]);
		return;
	}
	if (!c->automatic || attempt_running(w, agent))
		return;
	if (!g->missing_ns)
		g->missing_ns = w->clock.now_ns +
				rng_below(&w->rng, 120 * SIM_MSEC);
	if (w->clock.now_ns < g->missing_ns)
		return;
	g->missing_ns = 0;
	story_auto(w);
	promote_by(w, agent, SIM_NOBODY, 0)->shrink = c->shrinks;
}

void control_observe(struct world *w)
{
	for (u32 i = 0; i < w->control.agents; i++)
		agent_observe(w, (u8)i);
}
