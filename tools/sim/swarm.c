// SPDX-License-Identifier: GPL-2.0-only
/* Draws plans: each seed its own shape, faults and workload. */
#include <string.h>

#include "swarm.h"

static const u8 modes[] = {
	SWBLOCK_MODE_SYNC_ALL, SWBLOCK_MODE_SYNC_ALL, SWBLOCK_MODE_SYNC_QUORUM,
	SWBLOCK_MODE_SYNC_QUORUM, SWBLOCK_MODE_BEST_EFFORT,
};

static void draw_shape(struct rng *r, u8 nodes, struct sim_shape *s)
{
	memset(s, 0, sizeof(*s));
	s->nodes = nodes ? nodes : rng_chance(r, 100) ?
		   (u8)rng_between(r, 5, SIM_NODES_MAX) :
		   (u8)rng_between(r, 2, 4);
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
	s->trim_percent = rng_chance(r, 500) ? 60 : (u32)rng_below(r, 30);
	s->write_ns = rng_between(r, 20 * SIM_USEC, 3 * SIM_MSEC);
	s->flush_ns = rng_between(r, 50 * SIM_USEC, 6 * SIM_MSEC);
	s->lease_ns = rng_chance(r, 350) ?
		      rng_between(r, 40, rng_chance(r, 400) ? 400 : 150) *
		      SIM_MSEC : 0;
	s->clock_ppm = rng_chance(r, 600) ? 0 : rng_chance(r, 500) ?
		       (u32)rng_between(r, 1, SIM_CLOCK_ERROR_PPM) :
		       SIM_CLOCK_ERROR_PPM;
	s->agents = rng_chance(r, 250) ? 2 + rng_chance(r, 300) : 1;
	s->blind_permille = rng_chance(r, 200) ? 100 : 0;
}

static u32 some(struct rng *r, u32 most)
{
	return rng_chance(r, 400) ? 0 : (u32)rng_between(r, 1, most);
}

static void draw_chance(struct plan *p, struct rng *r)
{
	p->delay_min_ns = 20 * SIM_USEC;
	p->delay_max_ns = rng_between(r, 100 * SIM_USEC, 8 * SIM_MSEC);
	p->corrupt_ppm = some(r, 2000);
	p->lose_ppm = rng_chance(r, 200) ? 3000 : 0;
	p->replay_ppm = rng_chance(r, 300) ? 20000 : 0;
	p->lost_permille = some(r, 150);
	p->control_delay_ns = rng_between(r, SIM_MSEC, 30 * SIM_MSEC);
	p->automatic = true;
	p->shrinks = rng_chance(r, 300);
	p->rebuilds = rng_chance(r, 600);
	p->budget_records = rng_chance(r, 150) ? (u32)rng_between(r, 4, 120) : 0;
	p->stall_ns = rng_chance(r, 150) ? rng_between(r, 50, 500) * SIM_MSEC : 0;
	p->heal = true;
}

/*
 * Seven of ten runs are short and one of twenty is long: what a long run finds,
 * many short ones mostly find sooner, but for full rings and long histories.
 */
static u32 draw_steps(struct rng *r)
{
	u64 x = rng_below(r, 100);

	if (x < 70)
		return (u32)rng_between(r, 40, 160);
	return (u32)(x < 95 ? rng_between(r, 160, 400) :
			      rng_between(r, 400, 1200));
}

/* Members that fall behind, rings that forget, and copies that meet faults. */
static void draw_copies(struct plan *p, struct rng *r, struct mood *m)
{
	p->rebuilds = true;
	p->shrinks = true;
	m->rate[PLAN_ISOLATE] = (u32)rng_between(r, 10, 60);
	m->rate[PLAN_TIGHT] = (u32)rng_between(r, 60, 200);
	m->rate[PLAN_AMBUSH] = (u32)rng_between(r, 20, 150);
	m->rate[PLAN_HEAL] = (u32)rng_between(r, 120, 250);
	m->rate[PLAN_WRITE] = (u32)rng_between(r, 400, 900);
	p->control_delay_ns = 2 * SIM_MSEC;
}

static void draw_mood(struct plan *p, struct rng *r, struct mood *m)
{
	memset(m, 0, sizeof(*m));
	for (u32 k = 0; k < PLAN_KINDS; k++) {
		const struct plan_row *row = &plan_row[k];

		if (row->draw && !rng_chance(r, row->calm))
			m->rate[k] = (u32)rng_between(r, row->least, row->most);
	}
	m->steps = draw_steps(r);
	m->pace_ns = rng_between(r, 300 * SIM_USEC, 8 * SIM_MSEC);
	m->hot_block = rng_chance(r, 300);
	m->big_permille = p->shape.blocks != SIM_BLOCKS_MAX ? 0 :
			  rng_chance(r, 400) ? 900 : 400;
	if (rng_chance(r, 150)) {
		draw_copies(p, r, m);
		return;
	}
	if (!rng_chance(r, 60))
		return;
	/* churn: many openings, until the lineage table folds */
	m->rate[PLAN_PROMOTE] = (u32)rng_between(r, 150, 300);
	m->steps = (u32)rng_between(r, 200, 400);
	m->pace_ns = rng_between(r, 8 * SIM_MSEC, 30 * SIM_MSEC);
	p->control_delay_ns = 2 * SIM_MSEC;
}

void swarm_plan(struct plan *p, u64 seed, u8 nodes)
{
	struct mood m;
	struct rng r;

	rng_seed(&r, seed ^ 0x5157524dULL);
	p->ops = 0;
	p->seed = seed;
	p->end_ns = 0;
	draw_shape(&r, nodes, &p->shape);
	draw_chance(p, &r);
	draw_mood(p, &r, &m);
	for (u32 i = 0; i < m.steps; i++) {
		for (u32 k = 0; k < PLAN_KINDS; k++)
			if (m.rate[k] && rng_chance(&r, m.rate[k]))
				plan_row[k].draw(p, &r, &m, p->end_ns);
		p->end_ns += rng_below(&r, m.pace_ns);
	}
	p->bad_permille = rng_chance(&r, 250) ? (u32)rng_between(&r, 20, 300) : 0;
}

bool swarm_run(struct world *w, u64 seed, u8 nodes, bool trace,
	       enum sim_break broken)
{
	static struct plan plan;

	swarm_plan(&plan, seed, nodes);
	w->trace = trace;
	w->broken = broken;
	return plan_run(w, &plan);
}
