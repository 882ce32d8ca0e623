// SPDX-License-Identifier: GPL-2.0-only
/*
 * A member becomes larger while it runs, as kmod/resize.c does it: asked of the
 * core, the new part zeroed piece by piece, flushed, asked again, told to the core,
 * which saves the size. A crash on the way leaves the old size.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/text.h"

#define PIECE_BLOCKS	4

static void grow_go_on(struct world *w, struct node *n);

static bool is_allowed(struct world *w, struct node *n)
{
	enum swb_grow why = swb_core_grow_check(&n->core,
						(u64)n->grow_to * SIM_BLOCK);

	if (why == SWB_GROW_OK)
		return true;
	sim_trace(w, n->id, "does not grow to %u blocks: reason %u", n->grow_to,
		  why);
	n->grow_to = 0;
	return false;
}

static void flushed(struct world *w, struct task *t)
{
	struct swb_event ev = { .type = SWB_EV_EXTENT_GROWN, .peer = SWB_NOBODY };
	struct node *n = &w->node[t->node];

	if (n->failed || !n->grow_to)
		return;
	disk_flush_end(&n->disk, t->a);
	ev.lsn = (u64)n->grow_to * SIM_BLOCK;
	if (!is_allowed(w, n))
		return;
	n->grow_to = 0;
	node_post(w, n, &ev);
}

static void zeroed(struct world *w, struct task *t)
{
	struct node *n = &w->node[t->node];

	if (n->failed || !n->grow_to)
		return;
	disk_complete(&n->disk, t->a);
	grow_go_on(w, n);
}

static void grow_go_on(struct world *w, struct node *n)
{
	static const u8 zeroes[PIECE_BLOCKS * SIM_BLOCK];
	u32 count = n->grow_to - n->grow_at;
	u64 id;

	if (!count || w->broken == BREAK_GROW_DIRTY) {
		world_later(w, n->id, node_io_ns(w, n, 1, w->shape.flush_ns),
			    flushed, disk_flush_begin(&n->disk), 0);
		return;
	}
	if (count > PIECE_BLOCKS)
		count = PIECE_BLOCKS;
	id = disk_submit(&n->disk, NODE_EXTENT_OFFSET +
			 (u64)n->grow_at * SIM_BLOCK, zeroes, count * SIM_BLOCK);
	n->grow_at += count;
	world_later(w, n->id, node_io_ns(w, n, 1, w->shape.write_ns), zeroed, id,
		    0);
}

void grow_start(struct world *w, struct node *n, u32 blocks)
{
	if (n->grow_to)
		return;
	n->grow_to = blocks;
	n->grow_at = (u32)(n->core.d.extent_bytes / SIM_BLOCK);
	if (is_allowed(w, n))
		grow_go_on(w, n);
}

/* ---- what must hold ---------------------------------------------------------- */

/* I-238: what a growth adds is zero on the medium when its size is; no size falls. */
void check_grown(struct world *w, struct node *n, const struct worst *s)
{
	u64 had = n->seen_bytes, has = s->d.extent_bytes;

	n->seen_bytes = has;
	if (had && has < had)
		sim_violation(w, 238, "n%u: its size falls from %llu to %llu",
			      n->id, (unsigned long long)had,
			      (unsigned long long)has);
	for (u64 at = had; had && at < has; at++)
		if (n->disk.stable[NODE_EXTENT_OFFSET + at]) {
			sim_violation(w, 238, "n%u: byte %llu of what it grew by is not zero",
				      n->id, (unsigned long long)at);
			return;
		}
}

/* I-238: a record of the primary fits on the disk of whom it has a session with. */
void check_fits(struct world *w, struct node *n, const struct op *op)
{
	u64 end = (u64)(op->block + op->blocks) * SIM_BLOCK;

	for (u8 p = 0; p < n->core.config.member_count; p++)
		if (p != n->core.self && n->core.peer[p].matched &&
		    !check_gone(w, n, p) &&
		    check_worst(w, &w->node[p])->d.extent_bytes < end)
			sim_violation(w, 238, "n%u: LSN %llu ends at %llu, n%u is smaller",
				      n->id, (unsigned long long)op->lsn,
				      (unsigned long long)end, p);
}
