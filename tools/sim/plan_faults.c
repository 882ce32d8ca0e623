// SPDX-License-Identifier: GPL-2.0-only
/* Faults of time, disks, paths and controllers, as operations of a plan. */
#include "check.h"
#include "plan.h"
#include "story.h"

static u32 any_node(const struct plan *p, struct rng *r)
{
	return (u32)rng_below(r, p->shape.nodes);
}

static struct node *node_of(struct world *w, u32 id)
{
	return &w->node[id % w->shape.nodes];
}

static u32 some_us(struct rng *r, u64 most_ns)
{
	return (u32)(rng_between(r, SIM_MSEC, most_ns) / SIM_USEC);
}

/* Short ones are hidden by retries, long ones outlive leases and links. */
void draw_pause(struct plan *p, struct rng *r, const struct mood *m, u64 at)
{
	(void)m;
	plan_add(p, at, PLAN_PAUSE, any_node(p, r),
		 some_us(r, rng_chance(r, 500) ? 20 * SIM_MSEC :
						 700 * SIM_MSEC), 0, 0);
}

void run_pause(struct world *w, const u32 *arg)
{
	struct node *n = node_of(w, arg[0]);

	if (n->state != NODE_DOWN)
		story_add(w, "n%u stands still for %u us", n->id, arg[1]);
	node_pause(w, n, arg[1] * SIM_USEC);
}

void draw_stall(struct plan *p, struct rng *r, const struct mood *m, u64 at)
{
	(void)m;
	plan_add(p, at, PLAN_STALL, any_node(p, r),
		 some_us(r, rng_chance(r, 500) ? 20 * SIM_MSEC :
						 500 * SIM_MSEC), 0, 0);
}

void run_stall(struct world *w, const u32 *arg)
{
	struct node *n = node_of(w, arg[0]);

	story_add(w, "the disk of n%u stalls for %u us", n->id, arg[1]);
	node_stall_disk(w, n, arg[1] * SIM_USEC);
}

void draw_slow(struct plan *p, struct rng *r, const struct mood *m, u64 at)
{
	(void)m;
	plan_add(p, at, PLAN_SLOW, any_node(p, r), any_node(p, r),
		 rng_chance(r, 400) ? 0 : some_us(r, 120 * SIM_MSEC), 0);
}

void run_slow(struct world *w, const u32 *arg)
{
	u8 a = node_of(w, arg[0])->id, b = node_of(w, arg[1])->id;

	story_add(w, "the path from n%u to n%u takes %u us longer", a, b,
		  arg[2]);
	w->net.slow_ns[a][b] = arg[2] * SIM_USEC;
}

void draw_swap(struct plan *p, struct rng *r, const struct mood *m, u64 at)
{
	(void)m;
	plan_add(p, at, PLAN_SWAP, any_node(p, r), rng_chance(r, 500), 0, 0);
}

/* Does the mode stand the loss of @id under every configuration judged? */
bool plan_may_lose(const struct world *w, u8 id)
{
	const struct control *c = &w->control;

	if (w->shape.mode == SWBLOCK_MODE_BEST_EFFORT || c->exclude ||
	    !(w->shape.required & ~(1u << id)))
		return false;
	for (u8 i = 0; i < w->shape.nodes; i++)
		if (w->node[i].lost)
			return false;
	for (u32 i = 0; i < c->judges; i++)
		if (c->judge[i].mode == SWBLOCK_MODE_SYNC_ALL &&
		    !(c->judge[i].required & ~(1u << id)))
			return false;
	return true;
}

/* The disk is lost with its host; a blank one comes, under a new replica id. */
void run_swap(struct world *w, const u32 *arg)
{
	struct node *n = node_of(w, arg[0]);

	if (!plan_may_lose(w, n->id))
		return;
	node_crash(w, n, DISK_KEEP_NONE, false, true);
	if (n->state != NODE_DOWN)
		return;
	sim_trace(w, n->id, "DISK REPLACED");
	story_add(w, "n%u dies with its disk and comes back with a blank one",
		  n->id);
	if (arg[1])
		w->control.exclude = 1u << n->id;
	node_replace_disk(w, n);
	node_restart(w, n);
}

void draw_misroute(struct plan *p, struct rng *r, const struct mood *m, u64 at)
{
	(void)m;
	plan_add(p, at, PLAN_MISROUTE, any_node(p, r), any_node(p, r),
		 any_node(p, r), rng_chance(r, 400));
}

void run_misroute(struct world *w, const u32 *arg)
{
	u8 a = node_of(w, arg[0])->id, b = node_of(w, arg[1])->id;
	u8 c = node_of(w, arg[2])->id;

	if (a == b || a == c)
		return;
	story_add(w, "n%u connects to n%u and reaches n%u", a, b, c);
	control_misroute(w, a, b, c, arg[3] || b == c);
}

enum {
	AGENT_RESTARTS,
	AGENT_LOSES_STORE,
	AGENT_LOSES_MEMBERS,
	AGENT_FINDS_ALL,
	AGENT_FAULTS
};

void draw_agent(struct plan *p, struct rng *r, const struct mood *m, u64 at)
{
	(void)m;
	plan_add(p, at, PLAN_AGENT, (u32)rng_below(r, CONTROL_AGENTS),
		 (u32)rng_below(r, AGENT_FAULTS),
		 (u32)rng_below(r, 1u << p->shape.nodes), 0);
}

void run_agent(struct world *w, const u32 *arg)
{
	u32 i = arg[0] % w->control.agents;
	struct agent *g = &w->control.agent[i];

	switch (arg[1] % AGENT_FAULTS) {
	case AGENT_RESTARTS:
		story_add(w, "controller %u restarts", i);
		control_restart(w, (u8)i);
		break;
	case AGENT_LOSES_STORE:
		story_add(w, "controller %u loses the store", i);
		g->storeless = true;
		break;
	case AGENT_LOSES_MEMBERS:
		story_add(w, "controller %u reaches members %x only", i,
			  arg[2]);
		g->reach = arg[2];
		break;
	case AGENT_FINDS_ALL:
		g->storeless = false;
		g->reach = ~0u;
		break;
	}
}
