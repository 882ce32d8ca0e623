// SPDX-License-Identifier: GPL-2.0-only
/* Making, running and unmaking a world. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "story.h"
#include "world.h"

void sim_uuid(struct swb_uuid *u, u8 kind, u8 id)
{
	for (u32 i = 0; i < sizeof(u->b); i++)
		u->b[i] = (u8)(kind + i * 7 + id * 13);
	u->b[0] = kind;
	u->b[1] = id;
}

static void observe(struct world *w, struct task *t)
{
	(void)t;
	world_later(w, SIM_NOBODY, 10 * SIM_MSEC, observe, 0, 0);
	control_observe(w);
}

static void draw_clock(struct world *w, struct wrist *m)
{
	u32 ppm = w->shape.clock_ppm;

	swb_assert(ppm <= SIM_CLOCK_ERROR_PPM);
	m->skew_ns = 0;
	m->drift_ppm = 0;
	if (!ppm)
		return;
	m->skew_ns = rng_below(&w->rng, 1000000 * SIM_MSEC);
	m->drift_ppm = (s32)rng_below(&w->rng, 2 * ppm + 1) - (s32)ppm;
	/* what a margin is for shows at the ends */
	if (rng_chance(&w->rng, 500))
		m->drift_ppm = m->drift_ppm < 0 ? -(s32)ppm : (s32)ppm;
}

static void draw_clocks(struct world *w)
{
	for (u8 i = 0; i < w->shape.nodes; i++)
		draw_clock(w, &w->node[i].watch);
	for (u32 i = 0; i < CONTROL_AGENTS; i++)
		draw_clock(w, &w->control.agent[i].watch);
	w->control.agents = w->shape.agents ? w->shape.agents : 1;
	w->control.blind_permille = w->shape.blind_permille;
}

void world_create(struct world *w, u64 seed, const struct sim_shape *shape)
{
	w->seed = seed;
	w->shape = *shape;
	memset(&w->ambush, 0, sizeof(w->ambush));
	w->budget_records = 0;
	w->stall_ns = 0;
	rng_seed(&w->rng, seed);
	clock_reset(&w->clock);
	net_reset(&w->net);
	w->net.delay_min_ns = 20 * SIM_USEC;
	w->net.delay_max_ns = 400 * SIM_USEC;
	ref_reset(&w->ref, shape->blocks);
	control_reset(w);
	draw_clocks(w);
	for (u8 i = 0; i < shape->nodes; i++)
		node_create(w, i);
	for (u8 i = 0; i < shape->nodes; i++)
		node_restart(w, &w->node[i]);
	world_later(w, SIM_NOBODY, 10 * SIM_MSEC, observe, 0, 0);
}

void world_reset(struct world *w)
{
	for (u32 i = 0; i < w->ops; i++)
		free(w->op[i]);
	w->ops = 0;
	w->seen_count = 0;
	memset(&w->lend, 0, sizeof(w->lend));
	clock_reset(&w->clock);
	net_reset(&w->net);
	for (u8 i = 0; i < SIM_NODES_MAX; i++)
		node_reset(&w->node[i]);
	w->violations = 0;
	w->first[0] = 0;
}

void world_destroy(struct world *w)
{
	world_reset(w);
	clock_destroy(&w->clock);
	for (u8 i = 0; i < SIM_NODES_MAX; i++)
		node_destroy(&w->node[i]);
	ref_destroy(&w->ref);
	free(w->net.conn);
	free(w->op);
	free(w->seen);
	memset(w, 0, sizeof(*w));
}

void world_later(struct world *w, u8 node, u64 delay_ns, task_fn run, u64 a,
		 u64 b)
{
	clock_add(&w->clock, (struct task){
		.at_ns = w->clock.now_ns + delay_ns, .run = run, .node = node,
		.boot = node == SIM_NOBODY ? 0 : w->node[node].boot,
		.a = a, .b = b });
}

void world_postpone(struct world *w, u8 node, struct task *t)
{
	struct task again = *t;

	again.at_ns = w->node[node].paused_ns;
	t->p = NULL;
	clock_add(&w->clock, again);
}

struct op *world_op(struct world *w, u8 node, bool barrier)
{
	struct op *op = calloc(1, sizeof(*op));

	if (w->ops == w->ops_cap) {
		w->ops_cap = w->ops_cap ? w->ops_cap * 2 : 256;
		w->op = realloc(w->op, w->ops_cap * sizeof(*w->op));
	}
	if (!op || !w->op)
		abort();
	op->id = w->ops + 1;
	op->inv_ns = w->clock.now_ns;
	op->node = node;
	op->barrier = barrier;
	w->op[w->ops++] = op;
	return op;
}

/*
 * Chance belongs to the moment, not to what came before: what is left out of a
 * run changes nothing that does not depend on it, so the shrinker can work.
 */
void world_moment(struct world *w, u64 who)
{
	rng_seed(&w->rng, w->seed ^ w->clock.now_ns * 0x9e3779b97f4a7c15ULL ^
		 who << 56);
}

bool world_turn(struct world *w)
{
	struct task t;

	if (w->violations || !clock_pop(&w->clock, &t))
		return false;
	w->events++;
	if (t.node != SIM_NOBODY && t.boot == w->node[t.node].boot &&
	    node_paused(w, &w->node[t.node])) {
		world_postpone(w, t.node, &t);
		return true;
	}
	if (t.node == SIM_NOBODY || t.boot == w->node[t.node].boot) {
		world_moment(w, t.node);
		t.run(w, &t);
		check_all(w);
	}
	free(t.p);
	return true;
}

void world_run_for(struct world *w, u64 ns)
{
	u64 end = w->clock.now_ns + ns;

	while (clock_next_ns(&w->clock) <= end)
		if (!world_turn(w))
			return;
	w->clock.now_ns = end;
}

void sim_violation(struct world *w, u32 id, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (w->violations++ == 0) {
		snprintf(w->first, sizeof(w->first), "I-%03u %s", id, text);
		story_end(w, w->first);
	}
	sim_trace(w, SIM_NOBODY, "VIOLATION I-%03u %s", id, text);
}
