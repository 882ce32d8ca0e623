// SPDX-License-Identifier: GPL-2.0-only
/*
 * A fault that lies in wait for a copy: it strikes when the target of a delta or a
 * rebuild reaches a stage, or a moment later. Copies are short, and faults by the
 * clock alone would nearly always miss them.
 */
#include "check.h"
#include "story.h"

static void crash(struct world *w, struct node *n, u32 fate)
{
	if (n->state == NODE_DOWN)
		return;
	story_add(w, "n%u crashes in the middle of a copy", n->id);
	node_crash(w, n, (int)(fate % DISK_FATES), fate / DISK_FATES % 2, false);
}

static void strike(struct world *w, struct task *t)
{
	struct node *target = &w->node[t->a & 0xff];
	struct node *source = &w->node[t->a >> 8];
	enum ambush_kind what = t->b & 0xff;
	u32 fate = (u32)(t->b >> 8);

	if (w->control.healed)
		return;
	switch (what) {
	case AMBUSH_TARGET:
		crash(w, target, fate);
		break;
	case AMBUSH_SOURCE:
		crash(w, source, fate);
		break;
	case AMBUSH_LINK:
		story_add(w, "the copy from n%u to n%u is cut off", source->id,
			  target->id);
		net_cut_between(w, source->id, target->id);
		break;
	case AMBUSH_PROMOTE:
		story_promote(w, SIM_NOBODY, 0);
		control_promote(w, SIM_NOBODY, 0);
		break;
	case AMBUSH_STALL:
		story_add(w, "the disk of n%u stalls in the middle of a copy",
			  target->id);
		node_stall_disk(w, target, (fate % 200 + 1) * SIM_MSEC);
		break;
	case AMBUSH_PAUSE:
		story_add(w, "n%u stands still in the middle of a copy",
			  source->id);
		node_pause(w, source, (fate % 600 + 1) * SIM_MSEC);
		break;
	case AMBUSH_KINDS:
		break;
	}
}

void ambush_step(struct world *w, const struct node *n, u8 before)
{
	struct ambush *a = &w->ambush;
	u8 source = n->core.rebuild_peer;

	if (!a->armed || n->core.rebuild == before ||
	    n->core.rebuild != a->stage || source >= w->shape.nodes)
		return;
	a->armed = false;
	clock_add(&w->clock, (struct task){
		.at_ns = w->clock.now_ns + a->delay_ns, .run = strike,
		.node = SIM_NOBODY, .a = n->id | (u64)source << 8,
		.b = a->what | (u64)a->fate << 8 });
}
