/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A plan: what will be done to a world, as data. A seed draws one, a file may
 * hold one, the shrinker makes smaller ones. It says nothing of how the run
 * unfolds: whom "the primary" means is found out when the time comes, from the
 * operation's own numbers. What is left to the world's chance (delays, what a
 * cache saves) comes from the world's own stream, of @seed.
 *
 *	plan.c		a plan in memory, as text, and its run
 *	plan_ops.c	the operations: one row each
 *	plan_faults.c	of them, faults of clocks, disks, paths and controllers
 *	swarm.c		draws plans
 */
#ifndef SWB_SIM_PLAN_H
#define SWB_SIM_PLAN_H

#include <stdio.h>

#include "world.h"

#define PLAN_ARGS	4
#define PLAN_START_NS	(60 * SIM_MSEC)	/* the members have come up */
#define PLAN_ANY	0xff	/* a node argument: whoever is best */

enum plan_kind {
	PLAN_WRITE,
	PLAN_BARRIER,
	PLAN_READ,
	PLAN_CRASH,
	PLAN_CUT,
	PLAN_ISOLATE,
	PLAN_PROMOTE,
	PLAN_RECERTIFY,
	PLAN_UNREACH,
	PLAN_DEMOTE,
	PLAN_UNLINK,
	PLAN_FAIL,
	PLAN_HEAL,
	PLAN_RESTART,
	PLAN_UNBLOCK,
	PLAN_REACH,
	PLAN_LINK,
	PLAN_PAUSE,
	PLAN_STALL,
	PLAN_SLOW,
	PLAN_SWAP,
	PLAN_MISROUTE,
	PLAN_AGENT,
	PLAN_WISH,
	PLAN_TIGHT,
	PLAN_AMBUSH,
	PLAN_KINDS
};

enum plan_arg_type {
	ARG_NONE,
	ARG_NODE,	/* a member, modulo their number, or PLAN_ANY */
	ARG_START,	/* the first primary from this member on */
	ARG_MASK,	/* a set of members */
	ARG_NUMBER,
};

/**
 * struct plan_op - one operation
 * @at_ns: after the members have come up
 * @kind: enum plan_kind
 * @arg: meaning by kind, see the table in plan_ops.c
 */
struct plan_op {
	u64 at_ns;
	u32 kind;
	u32 arg[PLAN_ARGS];
};

/**
 * struct plan - a run to be
 * @seed: of the world's own chance
 * @delay_min_ns: of a frame
 * @control_delay_ns: of an order or a report, at most
 * @automatic: the controller acts by itself
 * @shrinks: it drops silent members from the required set
 * @rebuilds: it orders a rebuild of who needs one
 * @budget_records: history that a primary keeps for who is not required; 0 = any
 * @stall_ns: and how long such a peer may get no further; 0 = for ever
 * @heal: after the last operation everything heals and must agree in time
 * @bad_permille: of reads of an extent: the place is unreadable until it is written
 * @end_ns: when the operations are over
 */
struct plan {
	u64 seed;
	struct sim_shape shape;
	u64 delay_min_ns;
	u64 delay_max_ns;
	u32 corrupt_ppm;
	u32 lose_ppm;
	u32 replay_ppm;
	u32 lost_permille;
	u64 control_delay_ns;
	bool automatic;
	bool shrinks;
	bool rebuilds;
	u32 budget_records;
	u64 stall_ns;
	bool heal;
	u32 bad_permille;
	u64 end_ns;
	u32 ops;
	u32 cap;
	struct plan_op *op;
};

/**
 * struct mood - what a seed likes
 * @rate: operations of a kind in a thousand steps
 * @steps: length of the run
 * @pace_ns: of a step, at most
 * @hot_block: writes hit two blocks only
 * @big_permille: writes that are large, so that the ring wraps
 */
struct mood {
	u32 rate[PLAN_KINDS];
	u32 steps;
	u64 pace_ns;
	bool hot_block;
	u32 big_permille;
};

/**
 * struct plan_row - all there is to know of a kind of operation
 * @name: in a plan's text
 * @arg: names and types of its arguments
 * @calm: seeds in a thousand that never do it
 * @least: else the rate is between @least and @most
 * @draw: adds one at a time, or several; NULL if only others draw it
 * @run: does it; does nothing if it makes no sense at that moment
 */
struct plan_row {
	const char *name;
	struct {
		const char *name;
		enum plan_arg_type type;
	} arg[PLAN_ARGS];
	u32 calm;
	u32 least;
	u32 most;
	void (*draw)(struct plan *p, struct rng *r, const struct mood *m,
		     u64 at_ns);
	void (*run)(struct world *w, const u32 *arg);
};

extern const struct plan_row plan_row[PLAN_KINDS];

typedef void plan_draw_fn(struct plan *p, struct rng *r, const struct mood *m,
			  u64 at_ns);
typedef void plan_run_fn(struct world *w, const u32 *arg);

/* plan_faults.c */
plan_draw_fn draw_pause, draw_stall, draw_slow, draw_swap, draw_misroute,
	     draw_agent, draw_wish, draw_ambush;
plan_run_fn run_pause, run_stall, run_slow, run_swap, run_misroute, run_agent,
	    run_wish, run_ambush;

/**
 * struct plan_setting - a number that holds for the whole run
 * @name: in a plan's text
 * @at: offset in struct plan
 * @bytes: its size there
 * @calm: value that makes the least trouble; PLAN_KEEP if there is none
 */
struct plan_setting {
	const char *name;
	u32 at;
	u32 bytes;
	u64 calm;
};

#define PLAN_KEEP	(~0ULL)

extern const struct plan_setting plan_setting[];
extern const u32 plan_settings;

u64 plan_get(const struct plan *p, const struct plan_setting *s);
void plan_set(struct plan *p, const struct plan_setting *s, u64 value);

void plan_reset(struct plan *p);
void plan_copy(struct plan *to, const struct plan *from);

/** plan_add() - keeps the order of time; of equal times the order of adding */
void plan_add(struct plan *p, u64 at_ns, enum plan_kind kind, u32 a, u32 b,
	      u32 c, u32 d);

void plan_print(const struct plan *p, FILE *f);
/** plan_read() - false if it is none; @why says where */
bool plan_read(struct plan *p, const char *path, char *why, size_t why_len);

/** plan_may_lose() - does the mode stand the loss of member @id now? */
bool plan_may_lose(const struct world *w, u8 id);

/** plan_run() - a whole run; true if nothing broke */
bool plan_run(struct world *w, const struct plan *p);

/** liveness_run() - everything heals; then the members must agree in time */
void liveness_run(struct world *w);

#endif /* SWB_SIM_PLAN_H */
