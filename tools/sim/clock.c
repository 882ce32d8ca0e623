// SPDX-License-Identifier: GPL-2.0-only
/* Binary heap of tasks. */
#include <stdlib.h>

#include "clock.h"

static bool before(const struct task *a, const struct task *b)
{
	if (a->at_ns != b->at_ns)
		return a->at_ns < b->at_ns;
	return a->order < b->order;
}

void clock_reset(struct clock *c)
{
	for (u32 i = 0; i < c->count; i++)
		free(c->heap[i].p);
	c->count = 0;
	c->order = 0;
	c->now_ns = SIM_START_NS;
}

void clock_destroy(struct clock *c)
{
	clock_reset(c);
	free(c->heap);
	c->heap = NULL;
	c->cap = 0;
}

void clock_add(struct clock *c, struct task t)
{
	u32 i = c->count++;

	if (c->count > c->cap) {
		c->cap = c->cap ? c->cap * 2 : 256;
		c->heap = realloc(c->heap, c->cap * sizeof(*c->heap));
		if (!c->heap)
			abort();
	}
	t.order = c->order++;
	while (i > 0) {
		u32 up = (i - 1) / 2;

		if (!before(&t, &c->heap[up]))
			break;
		c->heap[i] = c->heap[up];
		i = up;
	}
	c->heap[i] = t;
}

bool clock_pop(struct clock *c, struct task *out)
{
	struct task last;
	u32 i = 0;

	if (c->count == 0)
		return false;
	*out = c->heap[0];
	last = c->heap[--c->count];
	for (;;) {
		u32 kid = 2 * i + 1;

		if (kid >= c->count)
			break;
		if (kid + 1 < c->count &&
		    before(&c->heap[kid + 1], &c->heap[kid]))
			kid++;
		if (!before(&c->heap[kid], &last))
			break;
		c->heap[i] = c->heap[kid];
		i = kid;
	}
	if (c->count > 0)
		c->heap[i] = last;
	if (out->at_ns > c->now_ns)
		c->now_ns = out->at_ns;
	return true;
}

u64 clock_next_ns(const struct clock *c)
{
	return c->count ? c->heap[0].at_ns : ~0ULL;
}

u64 wrist_ns(const struct clock *c, const struct wrist *m)
{
	s64 drift = (s64)(c->now_ns / 1000000) * m->drift_ppm;

	return c->now_ns + m->skew_ns + (u64)drift;
}
