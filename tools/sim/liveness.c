// SPDX-License-Identifier: GPL-2.0-only
/*
 * The liveness phase: a random majority heals and must agree in time; then the
 * others come back and must join it.
 */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "core/decide_parts.h"
#include "plan.h"
#include "story.h"

#define HEAL_NS		(6000 * SIM_MSEC)
#define U(x)		((unsigned long long)(x))

/*
 * Who stays away at first: less than half where a majority is enough and all
 * disks are what they were, nobody elsewhere. Of the seed alone, so that a plan
 * keeps it when operations are left out.
 */
static u32 draw_asleep(struct world *w)
{
	u64 lot = w->seed * 0x9e3779b97f4a7c15ULL >> 32;
	const struct control *c = &w->control;
	u32 mask = 0, away = 0, n = w->shape.nodes;

	if (w->shape.mode != SWBLOCK_MODE_SYNC_QUORUM || c->exclude ||
	    (c->granted && c->config.member_count != n))
		return 0;
	if (c->won != c->granted && (c->proposed.member_count != n ||
				     c->proposed.mode != w->shape.mode))
		return 0;
	if (c->wish_mode && c->wish_mode != SWBLOCK_MODE_SYNC_QUORUM)
		return 0;
	for (u32 i = 0; i < c->judges; i++)
		if (c->judge[i].mode != SWBLOCK_MODE_SYNC_QUORUM)
			return 0;
	for (u32 i = 0; i < n; i++) {
		if (w->node[i].lost || w->node[i].rotten ||
		    w->node[i].failed || w->node[i].failed_once)
			return 0;
		/* a copy that is void, or about to be, has no vote: P7 */
		if (w->node[i].prepare || (check_worst(w, &w->node[i])->d.flags &
					   SWB_SUPER_INCONSISTENT))
			away |= 1u << i;
		for (u32 k = 0; k < n; k++)
			if (w->node[k].core.peer[i].void_copy)
				away |= 1u << i;	/* START is on its way */
	}
	for (u32 i = 0; i < lot % ((n - 1) / 2 + 1); i++)
		mask |= 1u << ((lot >> 8) + i) % n;
	return __builtin_popcount(mask | away) <= (int)(n - 1) / 2 ? mask : 0;
}

static void heal(struct world *w, u32 asleep)
{
	story_heal(w);
	w->asleep = asleep;
	for (u8 a = 0; a < w->shape.nodes; a++)
		for (u8 b = 0; b < w->shape.nodes; b++)
			if (a != b)
				net_block(w, a, b, false);
	memset(w->net.slow_ns, 0, sizeof(w->net.slow_ns));
	for (u32 i = 0; i < CONTROL_AGENTS; i++) {
		w->control.agent[i].reach = ~0u;
		w->control.agent[i].storeless = false;
		w->control.agent[i].paused_ns = 0;
	}
	w->control.agents = 1;
	w->control.blind_permille = 0;
	w->control.reach = ~0u;
	w->control.lost_permille = 0;
	w->net.corrupt_ppm = 0;
	w->net.lose_ppm = 0;
	w->net.replay_ppm = 0;
	w->control.delay_ns = 2 * SIM_MSEC;
	w->control.shrinks = false;
	w->control.stopped = false;
	w->control.wish_nodes = 0;
	w->control.automatic = true;
	w->control.healed = true;
	w->control.rebuilds = true;
	w->budget_records = 0;
	w->stall_ns = 0;
	for (u8 i = 0; i < w->shape.nodes; i++) {
		if (asleep & (1u << i)) {
			story_add(w, "n%u stays away", i);
			node_crash(w, &w->node[i], DISK_KEEP_NONE, false, true);
			continue;
		}
		/* what came back, or was replaced, may be required again */
		if (!w->node[i].failed || w->node[i].failure_passes)
			w->control.exclude &= ~(1u << i);
		if (w->node[i].failure_passes)
			node_crash(w, &w->node[i], DISK_KEEP_NONE, false, false);
		node_restart(w, &w->node[i]);
	}
}

static struct node *granted_primary(struct world *w)
{
	struct control *c = &w->control;
	struct node *n;

	if (c->primary == SIM_NOBODY || c->won != c->granted)
		return NULL;
	n = &w->node[c->primary];
	return node_is_primary(n) && n->core.d.opened == c->granted ? n : NULL;
}

/* A rebuild is the right verdict iff the history it needs is gone. */
static bool rebuild_is_due(struct world *w, struct node *p, u8 peer)
{
	const struct swb_core_peer *q = &p->core.peer[peer];

	if (q->state != SWBLOCK_PEER_NEEDS_REBUILD)
		return false;
	/* a disk that failed is void until it has a new id, passing or not (P17a) */
	if (q->letter == 'D' && w->node[peer].failed_once)
		return true;
	/* a majority must stay whole, and some of it is away (P10) */
	return w->asleep && p->core.config.mode == SWBLOCK_MODE_SYNC_QUORUM;
}

static bool settled_down(struct world *w, bool *waits_rebuild)
{
	struct node *p = granted_primary(w);

	*waits_rebuild = false;
	if (!p)
		return false;
	/* C may not rise before a required member has been rebuilt */
	for (u8 i = 0; i < w->shape.nodes; i++)
		if (i != p->id && rebuild_is_due(w, p, i) &&
		    (p->core.config.required & (1u << i)))
			*waits_rebuild = true;
	for (u8 i = 0; i < w->shape.nodes; i++) {
		if (i == p->id || rebuild_is_due(w, p, i) ||
		    w->node[i].failed || (w->asleep & (1u << i)))
			continue;
		if (p->core.peer[i].state != SWBLOCK_PEER_IN_SYNC ||
		    w->node[i].core.log.durable < p->core.log.head)
			return *waits_rebuild;
	}
	return p->core.log.durable == p->core.log.head;
}

/* Its disk failed, and is void until the operator has replaced it (P17a). */
static bool disk_failed(const struct node *n)
{
	return n->failed || (n->core.d.flags & SWB_SUPER_DISK_FAILED);
}

/* a member that is required by @cfg and whose disk is gone or failed */
static bool requires_lost(const struct world *w, const struct swb_config *cfg)
{
	for (u8 i = 0; i < cfg->member_count; i++) {
		u8 k = control_node_of(w, &cfg->member[i]);

		if (cfg->mode == SWBLOCK_MODE_SYNC_ALL &&
		    (cfg->required & (1u << i)) &&
		    (k == SIM_NOBODY || disk_failed(&w->node[k])))
			return true;
	}
	return false;
}

/* judged so, or about to be again: an order lets it try */
static bool is_stale(const struct swb_core_peer *q)
{
	return q->state != SWBLOCK_PEER_IN_SYNC &&
	       q->state != SWBLOCK_PEER_CATCHING_UP &&
	       (q->letter == 'G' || q->letter == 'L' || q->letter == 'M');
}

/*
 * sync_quorum: a disk has failed, others need a rebuild, and what is left is no
 * majority. C waits for one, and no copy is given up for a rebuild without one:
 * the operator replaces the disk first. One that was replaced is no excuse.
 */
static bool majority_lost(const struct world *w, const struct node *p)
{
	const struct swb_config *cfg = &p->core.config;
	u32 left = 0, gone = 0, stale = 0;

	if (cfg->mode != SWBLOCK_MODE_SYNC_QUORUM)
		return false;
	for (u8 i = 0; i < cfg->member_count; i++) {
		u8 k = control_node_of(w, &cfg->member[i]);

		if (k != SIM_NOBODY && disk_failed(&w->node[k]))
			gone++;
		else if (i != p->core.self && is_stale(&p->core.peer[i]))
			stale++;
		else
			left++;
	}
	return gone && stale && left <= cfg->member_count / 2U;
}

/*
 * sync_quorum: a disk or a member is gone while a copy was under way to another
 * member, and those who still have a vote are no majority (P7): they wait for it, or
 * for an override. Copies alone never come to that: a majority stays whole (P10).
 */
static bool votes_lost(struct world *w, const struct swb_config *cfg)
{
	u32 votes = 0, gone = 0;

	if (cfg->mode != SWBLOCK_MODE_SYNC_QUORUM)
		return false;
	for (u8 i = 0; i < cfg->member_count; i++) {
		u8 k = control_node_of(w, &cfg->member[i]);

		if (k == SIM_NOBODY || disk_failed(&w->node[k]) ||
		    (w->asleep & (1u << k)))
			gone++;
		else if (!(check_worst(w, &w->node[k])->d.flags &
			   SWB_SUPER_INCONSISTENT))
			votes++;
	}
	return gone && votes <= cfg->member_count / 2U;
}

/*
 * More than the mode stands: the only member of a required set has failed; or
 * a majority is lost; or
 * four configurations are unsettled, each needs a member that is lost, or has no
 * place for the primary, and a fifth is refused (P1): an override is the only way.
 */
static bool beyond_repair(struct world *w)
{
	const struct control *c = &w->control;
	const struct node *p = granted_primary(w);
	u32 doomed = 0;

	if (p && majority_lost(w, p))
		return true;
	/* nobody may leave: four configurations are unsettled, and C waits (P1) */
	for (u8 i = 0; p && c->judges >= SWB_CONFIGS_MAX - 1 &&
	     i < w->shape.nodes; i++)
		if (p->core.peer[i].state == SWBLOCK_PEER_NEEDS_REBUILD &&
		    swb_core_rebuild_allowed(&p->core, i) ==
			    SWBLOCK_REASON_REQUIRED)
			return true;

	/* one whose own disk failed serves nothing, whatever its role */
	for (u32 i = 0; (!p || disk_failed(p)) && i < c->judges; i++)
		if (votes_lost(w, &c->judge[i]))
			return true;
	/* a judged one that does without him is no way out for who is not in it */
	for (u32 i = 0; i < c->judges; i++)
		doomed += requires_lost(w, &c->judge[i]) ||
			  (p && requires_lost(w, &c->config) &&
			   !swb_config_required(&c->judge[i],
						&p->core.d.replica));
	if (doomed == SWB_CONFIGS_MAX - 1)
		return true;
	for (u32 i = 0; i < c->judges; i++)
		if (c->judge[i].mode == SWBLOCK_MODE_SYNC_ALL &&
		    !(c->judge[i].required & ~c->exclude))
			return true;
	return false;
}

static void stuck(struct world *w)
{
	struct node *p = granted_primary(w);
	char text[160] = "";
	size_t at = 0;

	if (!p) {
		sim_violation(w, 46, "healed, and no primary in time (won %llu, granted %llu)",
			      U(w->control.won), U(w->control.granted));
		return;
	}
	for (u8 i = 0; i < w->shape.nodes && at < sizeof(text) - 40; i++)
		if (i != p->id)
			at += (size_t)snprintf(text + at, sizeof(text) - at,
				" n%u %s @%c %s", i, swb_text_peer_state(
				p->core.peer[i].state),
				p->core.peer[i].letter ?: '-',
				swb_text_reason(p->core.peer[i].reason));
	sim_violation(w, 46, "healed, and not in sync in time: primary n%u,%s",
		      p->id, text);
}

static void prove_equal(struct world *w)
{
	struct node *p = granted_primary(w);

	for (u8 i = 0; p && i < w->shape.nodes; i++) {
		struct node *n = &w->node[i];

		if (n->state != NODE_UP || n->failed || rebuild_is_due(w, p, i))
			continue;
		check_image(w, n, 63);
		check_log(w, n);
		if (n->core.log.last_epoch != p->core.log.last_epoch)
			sim_violation(w, 63, "n%u ends in epoch %llu, the primary in %llu",
				      i, U(n->core.log.last_epoch),
				      U(p->core.log.last_epoch));
	}
}

/* False if it did not settle in time, or there is nothing more to ask of it. */
static bool settle_by(struct world *w, u64 end)
{
	bool waits_rebuild = false;

	while (w->clock.now_ns < end && !w->violations &&
	       !settled_down(w, &waits_rebuild))
		world_run_for(w, 20 * SIM_MSEC);
	if (w->violations)
		return false;
	if (!granted_primary(w) || !settled_down(w, &waits_rebuild)) {
		if (!beyond_repair(w))
			stuck(w);
		return false;
	}
	return !waits_rebuild;
}

/* Each step towards the wish is an epoch: the members agree again after it. */
static bool wish_by(struct world *w, u64 end)
{
	while (w->clock.now_ns < end && !w->violations && !check_wish(w))
		world_run_for(w, 20 * SIM_MSEC);
	if (!w->violations && !check_wish(w))
		sim_violation(w, 234, "healed, and the wish is not reached in time: controller @%c",
			      w->control.agent[0].letter);
	return settle_by(w, end + HEAL_NS / 4);
}

/* False if there is nothing more to ask of this run. */
static bool converge(struct world *w)
{
	u64 end = w->clock.now_ns + HEAL_NS;
	struct node *p;
	struct op *op;

	if (!settle_by(w, end))
		return false;
	p = granted_primary(w);
	op = node_barrier(w, p);
	for (int i = 0; i < 50 && op->state != OP_DONE && !w->violations; i++) {
		world_run_for(w, 20 * SIM_MSEC);
		p = granted_primary(w);
		if (op->state == OP_FAILED && p)	/* stale openers: P12 */
			op = node_barrier(w, p);
	}
	if (op->state != OP_DONE && granted_primary(w) == p)
		sim_violation(w, 226, "healed and in sync, yet a barrier does not end");
	/* an order given before may have come late and moved the primary */
	if (!settle_by(w, end))
		return false;
	if (!w->asleep && !wish_by(w, end))
		return false;
	prove_equal(w);
	return !w->violations;
}

void liveness_run(struct world *w)
{
	u32 asleep = draw_asleep(w);

	heal(w, asleep);
	converge(w);		/* or it waits for a rebuild that waits for all */
	if (w->violations || !asleep)
		return;
	heal(w, 0);
	converge(w);
}
