// SPDX-License-Identifier: GPL-2.0-only
/* The random runner: a safety phase with faults, then a liveness phase. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "swarm.h"

#define HEAL_NS		(6000 * SIM_MSEC)
#define U(x)		((unsigned long long)(x))

/**
 * struct mood - which faults this seed likes, in permille per step
 */
struct mood {
	u32 crash;
	u32 cut;
	u32 block;
	u32 promote;
	u32 reshape;
	u32 recertify;
	u32 reach;
	u32 demote;
	u32 fail;
	u32 barrier;
	u32 write;
	u32 steps;
	u64 pace_ns;
	bool hot_block;
};

static const u8 modes[] = {
	SWBLOCK_MODE_SYNC_ALL, SWBLOCK_MODE_SYNC_ALL, SWBLOCK_MODE_SYNC_QUORUM,
	SWBLOCK_MODE_SYNC_QUORUM, SWBLOCK_MODE_BEST_EFFORT,
};

static void draw_shape(struct rng *r, u8 nodes, struct sim_shape *s)
{
	memset(s, 0, sizeof(*s));
	s->nodes = nodes ? nodes : (u8)rng_between(r, 2, SIM_NODES_MAX);
	s->mode = modes[rng_below(r, ARRAY_SIZE(modes))];
	if (s->mode == SWBLOCK_MODE_SYNC_QUORUM && s->nodes < 3)
		s->mode = SWBLOCK_MODE_SYNC_ALL;
	s->policy = (u8)rng_between(r, SWBLOCK_POLICY_LOCAL,
				    SWBLOCK_POLICY_WRITTEN);
	s->required = (1u << s->nodes) - 1;
	if (s->mode == SWBLOCK_MODE_SYNC_ALL && rng_chance(r, 250))
		s->required = 1u | 1u << rng_below(r, s->nodes);
	s->blocks = rng_chance(r, 300) ? SIM_BLOCKS_MAX : 32;
	s->ring_unit = rng_chance(r, 200) ? 4096 : 512;
	s->big_permille = s->blocks != SIM_BLOCKS_MAX ? 0 :
			  rng_chance(r, 400) ? 900 : 400;
	s->trim_percent = rng_chance(r, 500) ? 60 : (u32)rng_below(r, 30);
	s->write_ns = rng_between(r, 20 * SIM_USEC, 3 * SIM_MSEC);
	s->flush_ns = rng_between(r, 50 * SIM_USEC, 6 * SIM_MSEC);
	s->lease_ns = rng_chance(r, 350) ?
		      rng_between(r, 40, 150) * SIM_MSEC : 0;
}

static u32 some(struct rng *r, u32 most)
{
	return rng_chance(r, 400) ? 0 : (u32)rng_between(r, 1, most);
}

static void draw_mood(struct world *w, struct mood *m)
{
	struct rng *r = &w->rng;

	m->crash = some(r, 40);
	m->cut = some(r, 50);
	m->block = some(r, 30);
	m->promote = some(r, 30);
	m->reshape = some(r, 25);
	m->recertify = some(r, 15);
	m->reach = some(r, 30);
	m->demote = some(r, 12);
	m->fail = rng_chance(r, 100) ? 10 : 0;
	w->net.corrupt_ppm = some(r, 2000);
	w->net.lose_ppm = rng_chance(r, 200) ? 3000 : 0;
	w->net.replay_ppm = rng_chance(r, 300) ? 20000 : 0;
	m->barrier = (u32)rng_between(r, 30, 250);
	m->write = (u32)rng_between(r, 200, 700);
	m->steps = (u32)rng_between(r, 80, 260);
	m->pace_ns = rng_between(r, 300 * SIM_USEC, 8 * SIM_MSEC);
	m->hot_block = rng_chance(r, 300);
	if (rng_chance(r, 60)) {
		/* churn: many openings, until the lineage table folds */
		m->promote = (u32)rng_between(r, 150, 300);
		m->steps = (u32)rng_between(r, 200, 400);
		m->pace_ns = rng_between(r, 8 * SIM_MSEC, 30 * SIM_MSEC);
	}
	w->net.delay_max_ns = rng_between(r, 100 * SIM_USEC, 8 * SIM_MSEC);
	w->control.lost_permille = some(r, 150);
	w->control.delay_ns = rng_between(r, SIM_MSEC, 30 * SIM_MSEC);
	if (m->promote >= 150)
		w->control.delay_ns = 2 * SIM_MSEC;
	w->control.automatic = true;
	w->control.shrinks = rng_chance(r, 300);
}

static struct node *any_node(struct world *w)
{
	return &w->node[rng_below(&w->rng, w->shape.nodes)];
}

/* Clients follow the device, not the controller: a stale primary gets I/O too. */
static struct node *any_primary(struct world *w)
{
	u8 start = (u8)rng_below(&w->rng, w->shape.nodes);

	for (u8 i = 0; i < w->shape.nodes; i++) {
		struct node *n = &w->node[(start + i) % w->shape.nodes];

		if (node_is_primary(n))
			return n;
	}
	return NULL;
}

static void client_write(struct world *w, const struct mood *m)
{
	struct node *n = any_primary(w);
	u32 blocks = 1, block;

	if (!n || n->core.log.head > NODE_LSNS_MAX - 64)
		return;
	if (rng_chance(&w->rng, w->shape.big_permille))
		blocks = (u32)rng_between(&w->rng, 16, 128);
	else if (rng_chance(&w->rng, 300))
		blocks = (u32)rng_between(&w->rng, 2, 4);
	block = (u32)rng_below(&w->rng, m->hot_block ? 2 :
			       w->shape.blocks - blocks + 1);
	if (block + blocks > w->shape.blocks)
		block = 0;
	node_write(w, n, block, blocks, rng_chance(&w->rng, 60));
}

static void crash_some(struct world *w)
{
	struct node *n = any_node(w);
	bool all = rng_chance(&w->rng, 60);

	for (u8 i = 0; i < w->shape.nodes; i++) {
		if (!all && &w->node[i] != n)
			continue;
		node_crash(w, &w->node[i],
			   (int)rng_below(&w->rng, DISK_FATES),
			   rng_chance(&w->rng, 200), rng_chance(&w->rng, 200));
	}
}

static void heal_some(struct world *w)
{
	struct node *n = any_node(w);
	u8 a = any_node(w)->id, b = any_node(w)->id;

	if (n->state == NODE_DOWN)
		node_restart(w, n);
	if (a != b && w->net.blocked[a][b])
		net_block(w, a, b, false);
	if (rng_chance(&w->rng, 300))
		w->control.reach = ~0u;
}

static void isolate(struct world *w)
{
	u8 a = any_node(w)->id, b = any_node(w)->id;
	bool both = rng_chance(&w->rng, 600), whole = rng_chance(&w->rng, 400);

	for (u8 i = 0; i < w->shape.nodes; i++) {
		if (i == a || (!whole && i != b))
			continue;
		net_block(w, a, i, true);
		if (both)
			net_block(w, i, a, true);
	}
	if (whole && rng_chance(&w->rng, 500))
		w->control.reach &= ~(1u << a);
}

/* At most one disk fails for good, where the mode stands it. */
static void fail_one(struct world *w)
{
	struct node *n = any_node(w);

	if (w->shape.mode == SWBLOCK_MODE_BEST_EFFORT || w->control.exclude ||
	    !(w->shape.required & ~(1u << n->id)) || n->state != NODE_UP)
		return;
	w->control.exclude = 1u << n->id;
	node_fail_disk(w, n);
}

/* Grow or shrink the required set, or move the primary, though all is well. */
static void reshape(struct world *w)
{
	u32 required = 0;

	if (w->shape.mode == SWBLOCK_MODE_SYNC_ALL)
		for (u8 i = 0; i < w->shape.nodes; i++)
			if (rng_chance(&w->rng, 700))
				required |= 1u << i;
	control_promote(w, any_node(w)->id, required);
}

static void one_step(struct world *w, const struct mood *m)
{
	struct rng *r = &w->rng;
	struct node *n;

	if (rng_chance(r, m->write))
		client_write(w, m);
	if (rng_chance(r, m->barrier)) {
		n = any_primary(w);
		if (n)
			node_barrier(w, n);
	}
	n = any_primary(w);
	if (n && rng_chance(r, 100) &&
	    swb_core_read_ok(&n->core, w->clock.now_ns) == SWB_ADMIT_OK)
		check_image(w, n, 108);		/* a client reads everything */
	if (rng_chance(r, m->crash))
		crash_some(w);
	if (rng_chance(r, m->cut))
		net_cut_between(w, any_node(w)->id, any_node(w)->id);
	if (rng_chance(r, m->block))
		isolate(w);
	if (rng_chance(r, m->promote))
		control_promote(w, rng_chance(r, 500) ? SIM_NOBODY :
				any_node(w)->id, 0);
	if (rng_chance(r, m->reshape))
		reshape(w);
	if (rng_chance(r, m->recertify))
		control_recertify(w, any_node(w)->id);
	if (rng_chance(r, m->reach)) {
		w->control.reach &= ~(1u << any_node(w)->id);
		/* and somebody is quick to replace it */
		if (rng_chance(r, 400))
			control_promote(w, SIM_NOBODY, 0);
	}
	if (rng_chance(r, m->demote))
		control_demote(w, any_node(w)->id);
	if (rng_chance(r, m->demote))
		control_unlink(w, any_node(w)->id, any_node(w)->id);
	if (rng_chance(r, m->fail))
		fail_one(w);
	if (rng_chance(r, 120))
		heal_some(w);
	if (rng_chance(r, 30))
		control_link(w, 0, (u8)rng_between(r, 1, w->shape.nodes - 1));
	world_run_for(w, rng_below(r, m->pace_ns));
}

/* ---- liveness -------------------------------------------------------------- */

static void heal_all(struct world *w)
{
	for (u8 a = 0; a < w->shape.nodes; a++)
		for (u8 b = 0; b < w->shape.nodes; b++)
			if (a != b)
				net_block(w, a, b, false);
	w->control.reach = ~0u;
	w->control.lost_permille = 0;
	w->net.corrupt_ppm = 0;
	w->net.lose_ppm = 0;
	w->net.replay_ppm = 0;
	w->control.delay_ns = 2 * SIM_MSEC;
	w->control.shrinks = false;
	w->control.automatic = true;
	for (u8 i = 0; i < w->shape.nodes; i++)
		node_restart(w, &w->node[i]);
	sim_trace(w, SIM_NOBODY, "---- everything heals ----");
}

static struct node *granted_primary(struct world *w)
{
	struct control *c = &w->control;
	struct node *n;

	if (c->primary == SIM_NOBODY || c->won != c->granted)
		return NULL;
	n = &w->node[c->primary];
	return node_is_primary(n) && n->core.d.opened == c->granted ? n : NULL;
}

/* A rebuild is the right verdict iff the history it needs is gone. */
static bool rebuild_is_due(struct world *w, struct node *p, u8 peer)
{
	const struct swb_core_peer *q = &p->core.peer[peer];

	if (q->state != SWBLOCK_PEER_NEEDS_REBUILD)
		return false;
	/* or the entry that would locate m was folded away (P18) */
	if (q->letter == 'G' && (p->core.d.lineage.floor_lsn ||
				 w->node[peer].core.d.lineage.floor_lsn))
		return true;
	return q->match_lsn + 1 < p->core.log.start;
}

static bool settled_down(struct world *w, bool *waits_rebuild)
{
	struct node *p = granted_primary(w);

	*waits_rebuild = false;
	if (!p)
		return false;
	/* C cannot rise before a required member has been rebuilt (issue 4) */
	for (u8 i = 0; i < w->shape.nodes; i++)
		if (i != p->id && rebuild_is_due(w, p, i) &&
		    (p->core.config.required & (1u << i)))
			*waits_rebuild = true;
	for (u8 i = 0; i < w->shape.nodes; i++) {
		if (i == p->id || rebuild_is_due(w, p, i) ||
		    w->node[i].failed)
			continue;
		if (p->core.peer[i].state != SWBLOCK_PEER_IN_SYNC ||
		    w->node[i].core.log.durable < p->core.log.head)
			return *waits_rebuild;
	}
	return p->core.log.durable == p->core.log.head;
}

/* The only member of a required set has failed: more than the mode stands. */
static bool beyond_repair(const struct world *w)
{
	const struct control *c = &w->control;

	for (u32 i = 0; i < c->judges; i++)
		if (c->judge[i].mode == SWBLOCK_MODE_SYNC_ALL &&
		    !(c->judge[i].required & ~c->exclude))
			return true;
	return false;
}

static void stuck(struct world *w)
{
	struct node *p = granted_primary(w);
	char text[160] = "";
	size_t at = 0;

	if (!p) {
		sim_violation(w, 46, "healed, and no primary in time (won %llu, granted %llu)",
			      U(w->control.won), U(w->control.granted));
		return;
	}
	for (u8 i = 0; i < w->shape.nodes && at < sizeof(text) - 40; i++)
		if (i != p->id)
			at += (size_t)snprintf(text + at, sizeof(text) - at,
				" n%u %s @%c %s", i, swb_text_peer_state(
				p->core.peer[i].state),
				p->core.peer[i].letter ?: '-',
				swb_text_reason(p->core.peer[i].reason));
	sim_violation(w, 46, "healed, and not in sync in time: primary n%u,%s",
		      p->id, text);
}

static void prove_equal(struct world *w)
{
	struct node *p = granted_primary(w);

	for (u8 i = 0; p && i < w->shape.nodes; i++) {
		struct node *n = &w->node[i];

		if (n->state != NODE_UP || n->failed || rebuild_is_due(w, p, i))
			continue;
		check_image(w, n, 63);
		check_log(w, n);
		if (n->core.log.last_epoch != p->core.log.last_epoch)
			sim_violation(w, 63, "n%u ends in epoch %llu, the primary in %llu",
				      i, U(n->core.log.last_epoch),
				      U(p->core.log.last_epoch));
	}
}

static void liveness(struct world *w)
{
	u64 end = w->clock.now_ns + HEAL_NS;
	bool waits_rebuild = false;
	struct node *p;
	struct op *op;

	heal_all(w);
	while (w->clock.now_ns < end && !w->violations &&
	       !settled_down(w, &waits_rebuild))
		world_run_for(w, 20 * SIM_MSEC);
	if (w->violations)
		return;
	p = granted_primary(w);
	if (!p || !settled_down(w, &waits_rebuild)) {
		if (!beyond_repair(w))
			stuck(w);
		return;
	}
	if (waits_rebuild)
		return;
	op = node_barrier(w, p);
	for (int i = 0; i < 50 && op->state != OP_DONE && !w->violations; i++) {
		world_run_for(w, 20 * SIM_MSEC);
		p = granted_primary(w);
		if (op->state == OP_FAILED && p)	/* stale openers: P12 */
			op = node_barrier(w, p);
	}
	if (op->state != OP_DONE && granted_primary(w) == p)
		sim_violation(w, 226, "healed and in sync, yet a barrier does not end");
	prove_equal(w);
}

bool swarm_run(struct world *w, u64 seed, u8 nodes, bool trace,
	       enum sim_break broken)
{
	struct sim_shape shape;
	struct mood mood;
	struct rng r;

	rng_seed(&r, seed ^ 0x5157524dULL);
	draw_shape(&r, nodes, &shape);
	w->trace = trace;
	w->broken = broken;
	world_create(w, seed, &shape);
	draw_mood(w, &mood);
	sim_trace(w, SIM_NOBODY, "seed %llu: %u nodes, %s, %s, required %x, lease %llu ms",
		  U(seed), shape.nodes, swb_text_mode(shape.mode),
		  swb_text_policy(shape.policy), shape.required,
		  U(shape.lease_ns / SIM_MSEC));
	world_run_for(w, 60 * SIM_MSEC);
	for (u32 i = 0; i < mood.steps && !w->violations; i++)
		one_step(w, &mood);
	if (!w->violations)
		liveness(w);
	return w->violations == 0;
}
