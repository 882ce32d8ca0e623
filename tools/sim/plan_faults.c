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
	    c->wish_mode == SWBLOCK_MODE_BEST_EFFORT || c->wish_nodes ||
	    !(w->shape.required & ~(1u << id)))
		return false;
	for (u8 i = 0; i < w->shape.nodes; i++)
		if (w->node[i].lost)
			return false;
	if (c->wish_required && !(c->wish_required & ~(1u << id)))
		return false;
	for (u32 i = 0; i < c->judges; i++)
		if (c->judge[i].mode == SWBLOCK_MODE_BEST_EFFORT ||
		    (c->judge[i].mode == SWBLOCK_MODE_SYNC_ALL &&
		     !(c->judge[i].required & ~(1u << id))))
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
	AGENT_PAUSES,
	AGENT_FAULTS
};

void draw_agent(struct plan *p, struct rng *r, const struct mood *m, u64 at)
{
	u32 agent = (u32)rng_below(r, CONTROL_AGENTS);
	u32 what = (u32)rng_below(r, AGENT_FAULTS);

	(void)m;
	plan_add(p, at, PLAN_AGENT, agent, what, what == AGENT_PAUSES ?
		 some_us(r, 700 * SIM_MSEC) :
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
	case AGENT_PAUSES:
		story_add(w, "controller %u stands still for %u us", i, arg[2]);
		g->paused_ns = w->clock.now_ns + arg[2] * SIM_USEC;
		break;
	}
}

enum {
	WISH_PRIMARY,
	WISH_ANYWHERE,
	WISH_MODE,
	WISH_MEMBERS,
	WISH_REQUIRED,
	WISH_SHRINK,
	WISH_STOP,
	WISH_START,
	WISHES
};

void draw_wish(struct plan *p, struct rng *r, const struct mood *m, u64 at)
{
	u32 what = (u32)rng_below(r, WISHES);
	u32 value = (u32)rng_below(r, 1u << p->shape.nodes);

	(void)m;
	plan_add(p, at, PLAN_WISH, what, value, 0, 0);
	if (what == WISH_STOP)
		plan_add(p, at + rng_below(r, 300) * SIM_MSEC, PLAN_WISH,
			 WISH_START, 0, 0, 0);
}

/* A mode or a set that stands less is not wished for while a disk is missing. */
static bool disk_missing(const struct world *w)
{
	for (u8 i = 0; i < w->shape.nodes; i++)
		if (w->node[i].lost || w->node[i].failed_once)
			return true;
	return w->control.exclude;
}

static void wish_mode(struct world *w, u32 value)
{
	struct control *c = &w->control;
	u8 mode = (u8)(1 + value % SWBLOCK_MODE_SYNC_ALL);

	if (mode == SWBLOCK_MODE_SYNC_QUORUM && w->shape.nodes < 3)
		return;
	story_add(w, "the operator wants %s", swb_text_mode(mode));
	c->wish_mode = mode;
}

void run_wish(struct world *w, const u32 *arg)
{
	struct control *c = &w->control;
	u32 all = (1u << w->shape.nodes) - 1, n = w->shape.nodes;

	if (disk_missing(w) && (arg[0] % WISHES == WISH_MODE ||
				arg[0] % WISHES == WISH_MEMBERS))
		return;
	switch (arg[0] % WISHES) {
	case WISH_PRIMARY:
		c->wish_primary = (u8)(arg[1] % n);
		story_add(w, "the operator wants the role on n%u",
			  c->wish_primary);
		break;
	case WISH_ANYWHERE:
		c->wish_primary = SIM_NOBODY;
		break;
	case WISH_MODE:
		wish_mode(w, arg[1]);
		break;
	case WISH_MEMBERS:	/* the last one leaves, or comes back */
		c->wish_nodes = n > 2 && arg[1] % 2 ? (u8)(n - 1) : 0;
		story_add(w, "the operator wants %u members",
			  c->wish_nodes ? c->wish_nodes : n);
		break;
	case WISH_REQUIRED:
		if (arg[1] & all & ~c->exclude)
			c->wish_required = arg[1] & all;
		break;
	case WISH_SHRINK:
		c->shrinks = arg[1] % 2;
		break;
	case WISH_STOP:
		story_add(w, "the operator stops the volume");
		c->stopped = true;
		break;
	case WISH_START:
		c->stopped = false;
		break;
	}
}

void draw_ambush(struct plan *p, struct rng *r, const struct mood *m, u64 at)
{
	(void)m;
	plan_add(p, at, PLAN_AMBUSH,
		 (u32)rng_between(r, SWB_REBUILD_PREPARING, SWB_REBUILD_CLEARING),
		 (u32)rng_below(r, AMBUSH_KINDS), (u32)rng_below(r, 600),
		 rng_chance(r, 500) ? 0 : some_us(r, 12 * SIM_MSEC));
}

void run_ambush(struct world *w, const u32 *arg)
{
	w->ambush = (struct ambush){
		.armed = true, .stage = (u8)arg[0],
		.what = (u8)(arg[1] % AMBUSH_KINDS), .fate = arg[2],
		.delay_ns = arg[3] * SIM_USEC,
	};
}
