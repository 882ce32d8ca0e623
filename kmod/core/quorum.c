// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quorum arithmetic: from everybody's positions to "durable enough" and
 * "complete". Counts positions only, knows no session state but `matched`.
 * Pure; the caller's lock covers the core.
 */
#include "quorum.h"
#include "step.h"

/* own position and those of the others, largest first; own counts always */
struct positions {
	u64 own;
	u64 peer[SWB_MEMBERS_MAX];
	u32 peers;
};

static void insert_sorted(struct positions *p, u64 lsn)
{
	u32 i = p->peers++;

	for (; i > 0 && p->peer[i - 1] < lsn; i--)
		p->peer[i] = p->peer[i - 1];
	p->peer[i] = lsn;
}

/*
 * Majority including the primary: with n members, n / 2 peers beside us
 * (ambiguity 16: peers alone never make one).
 */
static u64 majority(const struct positions *p, u32 members)
{
	u32 needed = members / 2;

	if (!needed)
		return p->own;
	if (needed > p->peers)
		return 0;
	return min_t(u64, p->own, p->peer[needed - 1]);
}

static u64 smallest(const struct positions *p)
{
	return p->peers ? min_t(u64, p->own, p->peer[p->peers - 1]) : p->own;
}

u64 swb_quorum_committed(const struct swb_core *c)
{
	struct positions p = { .own = c->log.durable };
	const struct swb_config *cfg = &c->config;
	u32 i;

	if (cfg->mode == SWBLOCK_MODE_BEST_EFFORT)
		return p.own;			/* ambiguity 18 */
	for (i = 0; i < cfg->member_count; i++) {
		if (i == c->self)
			continue;
		if (cfg->mode == SWBLOCK_MODE_SYNC_ALL &&
		    !(cfg->required & 1U << i))
			continue;
		/* I-001, I-005; a copy under way is none: P10 v */
		insert_sorted(&p, c->peer[i].void_copy ? 0 :
						       c->peer[i].durable);
	}
	if (cfg->mode == SWBLOCK_MODE_SYNC_ALL)
		return smallest(&p);		/* I-009 */
	return majority(&p, cfg->member_count);
}

/* I-230; durable implies written implies received, whatever an ack left out */
static u64 policy_position(const struct swb_core *c, u32 i)
{
	const struct swb_core_peer *p = &c->peer[i];
	u64 lsn = max_t(u64, p->written, p->durable);

	if (p->void_copy)
		return 0;				/* P10 v */
	if (c->config.policy == SWBLOCK_POLICY_RECEIVED)
		lsn = max_t(u64, lsn, p->received);
	return lsn;
}

u64 swb_quorum_completed(const struct swb_core *c)
{
	struct positions p = { .own = c->log.written };
	const struct swb_config *cfg = &c->config;
	u32 i;

	if (cfg->policy == SWBLOCK_POLICY_LOCAL)
		return p.own;
	for (i = 0; i < cfg->member_count; i++) {
		if (i == c->self)
			continue;
		if (cfg->mode == SWBLOCK_MODE_SYNC_ALL &&
		    !(cfg->required & 1U << i))
			continue;
		if (cfg->mode == SWBLOCK_MODE_BEST_EFFORT &&
		    (!c->peer[i].matched || c->peer[i].void_copy))
			continue;		/* I-013 */
		insert_sorted(&p, policy_position(c, i));
	}
	if (cfg->mode == SWBLOCK_MODE_SYNC_QUORUM)
		return majority(&p, cfg->member_count);
	return smallest(&p);
}

u64 swb_quorum_pinned(const struct swb_core *c)
{
	struct positions p = { .own = c->log.head };
	const struct swb_config *cfg = &c->config;
	u32 i, keep = cfg->member_count / 2;

	for (i = 0; i < cfg->member_count; i++)
		if (i != c->self && c->peer[i].matched &&
		    !c->peer[i].void_copy)
			insert_sorted(&p, swb_peer_pin(&c->peer[i]));
	if (p.peers > keep)
		p.peers = keep;			/* the rest can be spared */
	return smallest(&p);
}
