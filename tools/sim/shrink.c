// SPDX-License-Identifier: GPL-2.0-only
/*
 * Delta debugging over a plan. A candidate is kept if the same invariant breaks
 * and the story is no harder to read. Chance moves when an operation is left
 * out, so each candidate is tried with a few seeds of the world's chance.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shrink.h"

#define RUNS_MAX	6000
#define ROUNDS_MAX	8
#define REDRAWS		300
#define RUN_SECONDS	20

/**
 * struct shrink - a search under way
 * @plan: best so far
 * @cost: what it costs a reader
 * @retries: other seeds to try for each candidate
 */
struct shrink {
	enum sim_break broken;
	struct plan plan;
	struct plan cand;
	struct outcome best;
	struct outcome now;
	u32 id;
	u32 cost;
	u32 runs;
	u32 retries;
};

/* ---- one run in its own process ----------------------------------------------- */

static void run_child(const struct plan *p, enum sim_break broken,
		      struct outcome *out)
{
	static struct world w;
	const struct itimerval it = { .it_value.tv_sec = RUN_SECONDS };

	setitimer(ITIMER_VIRTUAL, &it, NULL);
	w.broken = broken;
	w.story = &out->story;
	plan_run(&w, p);
	out->id = w.violations ? (u32)strtoul(w.first + 2, NULL, 10) : 0;
	out->events = w.events;
	out->end_ns = w.clock.now_ns - SIM_START_NS;
	memcpy(out->first, w.first, sizeof(out->first));
}

bool plan_try(const struct plan *p, enum sim_break broken, struct outcome *out)
{
	static struct outcome *shared;
	int status;
	pid_t pid;

	if (!shared)
		shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return false;
	shared->id = OUTCOME_DIED;
	shared->story.count = 0;
	snprintf(shared->first, sizeof(shared->first), "the simulator died");
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return false;
	if (!pid) {
		if (!freopen("/dev/null", "w", stderr))
			_exit(1);
		run_child(p, broken, shared);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		return false;
	*out = *shared;
	return true;
}

/* ---- candidates ------------------------------------------------------------------- */

static u32 trouble(const struct plan *p)
{
	u32 n = 0;

	for (u32 i = 0; i < plan_settings; i++)
		if (plan_setting[i].calm != PLAN_KEEP &&
		    plan_get(p, &plan_setting[i]) != plan_setting[i].calm)
			n++;
	return n;
}

/* What is hard to read: lines most of all. */
static u32 cost_of(const struct plan *p, const struct outcome *o)
{
	return 4 * (o->story.count + !!o->story.same) + 3 * p->ops +
	       2 * trouble(p) + p->shape.nodes;
}

static bool worth_it(struct shrink *s, const struct plan *cand)
{
	u32 cost;

	if (s->runs++ >= RUNS_MAX ||
	    !plan_try(cand, s->broken, &s->now) || s->now.id != s->id)
		return false;
	cost = cost_of(cand, &s->now);
	if (cost > s->cost)
		return false;
	s->cost = cost;
	s->best = s->now;
	return true;
}

/* Try s->cand; if it will do, with this or another seed, it is the new best. */
static bool consider(struct shrink *s)
{
	u64 seed = s->cand.seed;

	for (u32 i = 0; i <= s->retries; i++) {
		s->cand.seed = i ? seed % 1000 + i : seed;
		if (worth_it(s, &s->cand)) {
			plan_copy(&s->plan, &s->cand);
			return true;
		}
	}
	return false;
}

static void candidate(struct shrink *s)
{
	plan_copy(&s->cand, &s->plan);
}

static void drop_ops(struct plan *p, u32 from, u32 count)
{
	memmove(p->op + from, p->op + from + count,
		(p->ops - from - count) * sizeof(*p->op));
	p->ops -= count;
}

/* ---- passes: each returns true if it made anything smaller --------------------------- */

/* What comes after the violation is not needed. */
static bool pass_end(struct shrink *s)
{
	u64 start = PLAN_START_NS, end = s->best.end_ns;

	candidate(s);
	end = end > start ? end - start : 0;
	while (s->cand.ops && s->cand.op[s->cand.ops - 1].at_ns > end)
		s->cand.ops--;
	if (end < s->cand.end_ns) {
		s->cand.end_ns = end;
		s->cand.heal = false;
	}
	return (s->cand.ops < s->plan.ops ||
		s->cand.end_ns < s->plan.end_ns) && consider(s);
}

static bool pass_ops(struct shrink *s)
{
	bool any = false;

	for (u32 n = s->plan.ops; n > 0; n /= 2)
		for (u32 at = s->plan.ops; at > 0; ) {
			u32 count = at < n ? at : n;

			at -= count;
			candidate(s);
			if (at + count > s->cand.ops)
				continue;
			drop_ops(&s->cand, at, count);
			any |= consider(s);
		}
	return any;
}

static bool pass_calm(struct shrink *s)
{
	bool any = false;

	candidate(s);
	for (u32 i = 0; i < plan_settings; i++)
		if (plan_setting[i].calm != PLAN_KEEP)
			plan_set(&s->cand, &plan_setting[i],
				 plan_setting[i].calm);
	if (trouble(&s->plan) && consider(s))
		return true;
	for (u32 i = 0; i < plan_settings; i++) {
		const struct plan_setting *set = &plan_setting[i];

		if (set->calm == PLAN_KEEP ||
		    plan_get(&s->plan, set) == set->calm)
			continue;
		candidate(s);
		plan_set(&s->cand, set, set->calm);
		any |= consider(s);
	}
	return any;
}

static u32 squeeze(u32 mask, u32 gone)
{
	u32 low = mask & ((1u << gone) - 1);

	return low | (mask >> (gone + 1)) << gone;
}

/* False if the operation was about the member that goes. */
static bool without_member(struct plan_op *op, u32 gone, u32 nodes)
{
	const struct plan_row *row = &plan_row[op->kind];

	for (u32 i = 0; i < PLAN_ARGS && row->arg[i].name; i++) {
		u32 *v = &op->arg[i];

		switch (row->arg[i].type) {
		case ARG_NODE:
			if (*v == PLAN_ANY)
				break;
			*v %= nodes;
			if (*v == gone)
				return false;
			*v -= *v > gone;
			break;
		case ARG_START:
			*v %= nodes;
			*v -= *v > gone;
			break;
		case ARG_MASK:
			if (*v && !squeeze(*v, gone))
				return false;
			*v = squeeze(*v, gone);
			break;
		case ARG_NUMBER:
		case ARG_NONE:
			break;
		}
	}
	return true;
}

static bool drop_member(struct shrink *s, u32 gone)
{
	struct plan *p = &s->cand;

	candidate(s);
	for (u32 i = p->ops; i > 0; i--)
		if (!without_member(&p->op[i - 1], gone, p->shape.nodes))
			drop_ops(p, i - 1, 1);
	p->shape.nodes--;
	p->shape.required = squeeze(p->shape.required, gone);
	if (!p->shape.required)
		p->shape.required = (1u << p->shape.nodes) - 1;
	return consider(s);
}

static bool pass_members(struct shrink *s)
{
	bool any = false;
	u32 least = s->plan.shape.mode == SWBLOCK_MODE_SYNC_QUORUM ?
		    3 : SIM_NODES_MIN;

	for (u32 i = s->plan.shape.nodes; i > 0; i--)
		if (s->plan.shape.nodes > least && i <= s->plan.shape.nodes)
			any |= drop_member(s, i - 1);
	return any;
}

/* A number becomes 0, or 1: what a crash saves, how much is written where. */
static bool pass_args(struct shrink *s)
{
	bool any = false;

	for (u32 i = 0; i < s->plan.ops; i++) {
		const struct plan_row *row = &plan_row[s->plan.op[i].kind];

		for (u32 k = 0; k < PLAN_ARGS && row->arg[k].name; k++) {
			if (row->arg[k].type != ARG_NUMBER ||
			    s->plan.op[i].arg[k] < 2)
				continue;
			candidate(s);
			s->cand.op[i].arg[k] = 0;
			if (consider(s)) {
				any = true;
				continue;
			}
			candidate(s);
			s->cand.op[i].arg[k] = 1;
			any |= consider(s);
		}
	}
	return any;
}

static void space_out(struct plan *p, u64 gap_ns)
{
	for (u32 i = 0; i < p->ops; i++)
		p->op[i].at_ns = (i + 1) * gap_ns;
	p->end_ns = (p->ops + 1) * gap_ns;
}

static void set_gap(struct plan *p, u32 i, u64 gap_ns)
{
	u64 before = i ? p->op[i - 1].at_ns : 0;
	u64 gap = p->op[i].at_ns - before;

	for (u32 k = i; k < p->ops; k++)
		p->op[k].at_ns = p->op[k].at_ns - gap + gap_ns;
	p->end_ns = p->end_ns + gap_ns > gap ? p->end_ns - gap + gap_ns : 0;
}

/* One thing after the other reads best; else the shortest gaps that will do. */
static bool pass_times(struct shrink *s)
{
	static const u32 gap_ms[] = { 200, 100, 50, 20, 10, 5 };
	bool any = false;

	for (u32 i = 0; i < ARRAY_SIZE(gap_ms) && s->plan.ops; i++) {
		candidate(s);
		space_out(&s->cand, gap_ms[i] * SIM_MSEC);
		if (s->cand.op[0].at_ns != s->plan.op[0].at_ns && consider(s))
			return true;
	}
	for (u32 i = 0; i < s->plan.ops; i++) {
		u64 at = s->plan.op[i].at_ns;
		u64 gap = at - (i ? s->plan.op[i - 1].at_ns : 0);

		if (!gap)
			continue;
		candidate(s);
		set_gap(&s->cand, i, 0);
		if (consider(s)) {
			any = true;
			continue;
		}
		candidate(s);
		set_gap(&s->cand, i, gap / 2 / SIM_MSEC * SIM_MSEC);
		any |= gap >= 2 * SIM_MSEC && consider(s);
	}
	return any;
}

/* What the controller did by itself is done by operations: then it can go. */
static bool pass_manual(struct shrink *s)
{
	const struct story *t = &s->best.story;

	if (!s->plan.automatic)
		return false;
	candidate(s);
	for (u32 i = 0; i < t->autos; i++)
		plan_add(&s->cand, t->auto_ns[i] > PLAN_START_NS ?
			 t->auto_ns[i] - PLAN_START_NS : 0, PLAN_PROMOTE,
			 PLAN_ANY, 0, s->plan.shrinks, 0);
	s->cand.automatic = false;
	s->cost += 7 * t->autos;	/* to be gained by the next passes */
	if (consider(s))
		return true;
	s->cost -= 7 * t->autos;
	return false;
}

/* Some of the operations at other times: a way out where no single step helps. */
static bool pass_redraw(struct shrink *s)
{
	u32 before = s->cost;
	struct rng r;

	rng_seed(&r, s->plan.seed + s->runs);
	for (u32 i = 0; i < REDRAWS && s->plan.ops > 1; i++) {
		u32 keep = (u32)rng_between(&r, 400, 900);
		u64 pace = rng_between(&r, 1, 60) * SIM_MSEC, at = 0;

		candidate(s);
		for (u32 k = s->cand.ops; k > 0; k--)
			if (!rng_chance(&r, keep))
				drop_ops(&s->cand, k - 1, 1);
		if (rng_chance(&r, 600)) {
			for (u32 k = 0; k < s->cand.ops; k++) {
				at += rng_below(&r, pace);
				s->cand.op[k].at_ns = at;
			}
			s->cand.end_ns = at + pace;
		}
		s->cand.seed = 1 + rng_below(&r, 1000);
		if (worth_it(s, &s->cand))
			plan_copy(&s->plan, &s->cand);
	}
	return s->cost < before;
}

/* Other chance alone may tell it shorter. */
static bool pass_seeds(struct shrink *s)
{
	u32 before = s->cost;

	for (u32 i = 1; i <= 30; i++) {
		candidate(s);
		s->cand.seed = i;
		if (worth_it(s, &s->cand))
			plan_copy(&s->plan, &s->cand);
	}
	return s->cost < before;
}

/* ---- all of it ------------------------------------------------------------------------- */

static bool same_outcome(const struct outcome *a, const struct outcome *b)
{
	return a->id == b->id && a->events == b->events &&
	       a->end_ns == b->end_ns && a->story.hash == b->story.hash &&
	       strcmp(a->first, b->first) == 0;
}

/* Two runs of a plan must be one history, or there is nothing to shrink. */
static bool steady(struct shrink *s)
{
	return plan_try(&s->plan, s->broken, &s->best) &&
	       plan_try(&s->plan, s->broken, &s->now) &&
	       same_outcome(&s->best, &s->now);
}

static bool one_round(struct shrink *s)
{
	bool any = pass_end(s);

	any |= pass_calm(s);
	any |= pass_ops(s);
	any |= pass_members(s);
	any |= pass_manual(s);
	any |= pass_args(s);
	any |= pass_times(s);
	any |= pass_seeds(s);
	any |= pass_redraw(s);
	return any;
}

bool plan_shrink(struct plan *p, enum sim_break broken, struct outcome *best,
		 u32 *runs)
{
	static struct shrink s;
	bool ok;

	memset(&s, 0, sizeof(s));
	s.broken = broken;
	plan_copy(&s.plan, p);
	ok = steady(&s) && s.best.id;
	s.id = s.best.id;
	s.cost = cost_of(&s.plan, &s.best);
	for (u32 i = 0, idle = 0; ok && i < ROUNDS_MAX && idle < 2; i++) {
		s.retries = i < 2 ? 2 : 6;
		idle = one_round(&s) ? 0 : idle + 1;
	}
	ok = ok && steady(&s);
	plan_copy(p, &s.plan);
	*best = s.best;
	*runs = s.runs;
	plan_reset(&s.plan);
	plan_reset(&s.cand);
	return ok;
}
