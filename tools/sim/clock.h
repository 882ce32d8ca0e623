/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happens next: a heap of tasks by time. A task that belongs to a node
 * dies with the boot it was made in.
 */
#ifndef SWB_SIM_CLOCK_H
#define SWB_SIM_CLOCK_H

#include "core/port.h"

#define SIM_USEC	1000ULL
#define SIM_MSEC	1000000ULL
#define SIM_START_NS	(1000 * SIM_MSEC)	/* time when a world begins */
#define SIM_NOBODY	0xff

struct world;
struct task;

typedef void (*task_fn)(struct world *w, struct task *t);

/**
 * struct task - something that will happen
 * @at_ns: when
 * @order: breaks ties: first made, first run
 * @run: what
 * @node: whose, SIM_NOBODY for the world's own
 * @boot: boot of that node it belongs to
 * @a: argument
 * @b: argument
 * @p: argument, from malloc(); freed after run or drop
 */
struct task {
	u64 at_ns;
	u64 order;
	task_fn run;
	u8 node;
	u32 boot;
	u64 a;
	u64 b;
	void *p;
};

/* Clocks of members and controllers may be wrong by so much: r of P13. */
#define SIM_CLOCK_ERROR_PPM	30000

/**
 * struct wrist - a clock that somebody reads, as wrong as it is
 * @skew_ns: ahead of the world's at the start
 * @drift_ppm: and how much faster it runs, within SIM_CLOCK_ERROR_PPM
 */
struct wrist {
	u64 skew_ns;
	s32 drift_ppm;
};

struct clock {
	u64 now_ns;
	u64 order;
	u32 count;
	u32 cap;
	struct task *heap;
};

void clock_reset(struct clock *c);
void clock_destroy(struct clock *c);

/** clock_add() - @t->at_ns is absolute; order is filled in */
void clock_add(struct clock *c, struct task t);

/** clock_pop() - the next task, time moves on to it; false if there is none */
bool clock_pop(struct clock *c, struct task *out);

/** wrist_ns() - what it shows */
u64 wrist_ns(const struct clock *c, const struct wrist *m);

/** clock_next_ns() - time of the next task, ~0 if there is none */
u64 clock_next_ns(const struct clock *c);

#endif /* SWB_SIM_CLOCK_H */
