// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configurations of the controller: which one an epoch proposes, and which one
 * is granted. The wish is what the operator wants; this moves the record towards
 * it by one small step per epoch, and never by a step that something is lost by.
 * Pure; the evidence of the certificate is judged elsewhere (promote.c, P1).
 */
#include "decide_parts.h"
#include "promote.h"

/* ---- what is known of members ----------------------------------------- */

u8 swb_view_find(const struct swb_volume_view *v, const struct swb_uuid *replica)
{
	u8 i;

	for (i = 0; i < v->member_count && i < SWB_VIEW_MAX; i++)
		if (swb_uuid_equal(&v->member[i].replica, replica))
			return i;
	return SWB_NOBODY;
}

bool swb_view_alive(const struct swb_volume_view *v, u8 i)
{
	return i < v->member_count && v->member[i].known &&
	       v->member[i].silent_ns < v->tune.silence_ns;
}

bool swb_view_void(const struct swb_volume_view *v, u8 i)
{
	return v->member[i].flags & SWB_VOID_FLAGS;
}

const struct swb_report *swb_view_report(const struct swb_volume_view *v, u8 i)
{
	const struct swb_member_state *m = &v->member[i];

	return m->has_report && m->report.adopted == v->authority.epoch &&
	       swb_uuid_equal(&m->report.replica, &m->replica) ?
	       &m->report : NULL;
}

/*
 * A disk that failed after its report was made is void for good, however old the
 * news (P17a). Its report is nobody's rank any more; its C is still known (P16).
 */
u32 swb_view_report_flags(const struct swb_volume_view *v, u8 i)
{
	return v->member[i].report.flags |
	       (v->member[i].flags & SWBLOCK_REPORT_DISK_FAILED);
}

bool swb_view_in_sync(const struct swb_volume_view *v, u8 i)
{
	if (!swb_view_alive(v, i) || swb_view_void(v, i))
		return false;
	return swb_uuid_equal(&v->member[i].replica, &v->authority.primary) ||
	       v->member[i].peer_state == SWBLOCK_PEER_IN_SYNC;
}

/*
 * Not whole, and not by itself ever: void, or in need of a rebuild, which nobody
 * gets while it is required (P10 vii).
 */
static bool broken(const struct swb_volume_view *v, u8 i)
{
	return swb_view_void(v, i) ||
	       v->member[i].peer_state == SWBLOCK_PEER_NEEDS_REBUILD;
}

/*
 * A required member that holds up every barrier until it leaves the set: silent
 * for longer than the operator stands, or no copy at all (P7). What its primary
 * says of it is old news when no primary serves.
 */
static bool lost(const struct swb_volume_view *v, const struct swb_uuid *replica)
{
	const struct swb_member_state *m;
	u8 i = swb_view_find(v, replica);

	if (!v->wish.shrink_ms)
		return false;		/* only by an order */
	if (i == SWB_NOBODY || !v->member[i].known)
		return true;
	m = &v->member[i];
	if (swb_uuid_equal(replica, &v->authority.primary) &&
	    !swb_view_void(v, i) && v->authority.phase != SWB_PHASE_WON)
		return false;		/* it serves, or will: never without it */
	return m->silent_ns >= v->wish.shrink_ms * SWB_NSEC_PER_MSEC ||
	       swb_view_void(v, i) ||
	       (broken(v, i) && v->authority.phase != SWB_PHASE_WON);
}

/* ---- configurations ---------------------------------------------------- */

bool swb_config_required(const struct swb_config *cfg,
			 const struct swb_uuid *replica)
{
	u8 i = swb_core_member_index(cfg, replica);

	return i != SWB_NOBODY && (cfg->mode != SWBLOCK_MODE_SYNC_ALL ||
				   (cfg->required & 1U << i));
}

static u32 all_of(const struct swb_config *cfg)
{
	return (1U << cfg->member_count) - 1;
}

static bool covers(const struct swb_config *a, const struct swb_config *b)
{
	u8 i, k;

	for (i = 0; i < a->member_count; i++) {
		k = swb_core_member_index(b, &a->member[i]);
		if (k == SWB_NOBODY ||
		    (a->mode == SWBLOCK_MODE_SYNC_ALL &&
		     !(a->required & 1U << i) != !(b->required & 1U << k)))
			return false;
	}
	return true;
}

bool swb_config_same(const struct swb_config *a, const struct swb_config *b)
{
	return a->mode == b->mode && a->policy == b->policy &&
	       a->member_count == b->member_count && covers(a, b);
}

static u8 shared_members(const struct swb_config *a, const struct swb_config *b)
{
	u8 i, count = 0;

	for (i = 0; i < a->member_count; i++)
		if (swb_core_member_index(b, &a->member[i]) != SWB_NOBODY)
			count++;
	return count;
}

bool swb_wish_pending(const struct swb_volume_view *v)
{
	return v->wish.sequence > v->authority.wish_done;
}

bool swb_wish_valid(const struct swb_volume_view *v)
{
	const struct swb_config *w = &v->wish.config;
	u8 i;

	if (!v->wish.sequence)
		return true;
	if (!swb_config_valid(w))
		return false;
	if (!swb_uuid_is_null(&v->wish.primary) &&
	    swb_core_member_index(w, &v->wish.primary) == SWB_NOBODY)
		return false;
	if (v->authority.last_epoch &&
	    !shared_members(w, &v->authority.config))
		return false;		/* nobody could hand the data on */
	for (i = 0; i < w->member_count; i++)
		if (swb_view_find(v, &w->member[i]) == SWB_NOBODY)
			return false;
	return true;
}

bool swb_wish_config_stands(const struct swb_volume_view *v)
{
	struct swb_config want = v->wish.config;
	u8 p;

	if (!v->wish.sequence || !swb_wish_valid(v))
		return true;
	p = swb_core_member_index(&want, &v->authority.primary);
	if (p != SWB_NOBODY)
		want.required |= 1U << p;
	return swb_config_same(&want, &v->authority.config);
}

/* the required bits of @want, at the places that its members have in @cfg */
static u32 required_of(const struct swb_config *want,
		       const struct swb_config *cfg)
{
	u32 mask = 0;
	u8 i;

	if (cfg->mode != SWBLOCK_MODE_SYNC_ALL)
		return all_of(cfg);
	for (i = 0; i < cfg->member_count; i++) {
		u8 k = swb_core_member_index(want, &cfg->member[i]);

		if (k != SWB_NOBODY && (want->mode != SWBLOCK_MODE_SYNC_ALL ||
					(want->required & 1U << k)))
			mask |= 1U << i;
	}
	return mask;
}

/* without those who are lost; never without anybody */
static void drop_lost(const struct swb_volume_view *v, struct swb_config *cfg)
{
	u32 left = cfg->required;
	u8 i;

	if (cfg->mode != SWBLOCK_MODE_SYNC_ALL)
		return;
	for (i = 0; i < cfg->member_count; i++)
		if ((left & 1U << i) && lost(v, &cfg->member[i]))
			left &= ~(1U << i);
	if (left)
		cfg->required = left;
}

void swb_config_base(const struct swb_volume_view *v, struct swb_config *out)
{
	*out = v->authority.config;
	drop_lost(v, out);
}

bool swb_config_first(const struct swb_volume_view *v, struct swb_config *out)
{
	u32 need = 0, have = 0;
	u8 i;

	*out = v->wish.sequence && swb_wish_valid(v) ? v->wish.config :
	       v->authority.config;
	drop_lost(v, out);
	for (i = 0; i < out->member_count; i++) {
		u8 k = swb_view_find(v, &out->member[i]);
		bool there = k != SWB_NOBODY && swb_view_alive(v, k) &&
			     !swb_view_void(v, k);

		have += there;
		if (out->mode == SWBLOCK_MODE_SYNC_ALL &&
		    (out->required & 1U << i) && !there)
			need = SWB_MEMBERS_MAX + 1;
	}
	if (out->mode == SWBLOCK_MODE_SYNC_QUORUM)
		need = out->member_count / 2U + 1;
	return have >= max_t(u32, need, 1);
}

/* ---- one step towards the wish ----------------------------------------- */

/* Could the primary go on committing at once under @cfg? Else a step waits. */
static bool serves_at_once(const struct swb_volume_view *v,
			   const struct swb_config *cfg, u32 *missing)
{
	u32 have = 0, count = 0;
	u8 i;

	for (i = 0; i < cfg->member_count; i++) {
		u8 k = swb_view_find(v, &cfg->member[i]);

		if (k != SWB_NOBODY && swb_view_in_sync(v, k)) {
			have |= 1U << i;
			count++;
		} else if (k != SWB_NOBODY) {
			*missing |= 1U << k;
		}
	}
	if (cfg->mode == SWBLOCK_MODE_SYNC_ALL)
		return !(cfg->required & ~have);
	if (cfg->mode == SWBLOCK_MODE_BEST_EFFORT)
		return true;
	return count > cfg->member_count / 2U;
}

/* who goes next: never who holds the role; whom nobody hears first */
static u8 next_to_go(const struct swb_volume_view *v)
{
	const struct swb_config *cur = &v->authority.config;
	u8 i, gone = SWB_NOBODY;

	for (i = 0; i < cur->member_count; i++) {
		u8 k = swb_view_find(v, &cur->member[i]);

		if (swb_core_member_index(&v->wish.config, &cur->member[i]) !=
		    SWB_NOBODY ||
		    swb_uuid_equal(&cur->member[i], &v->authority.primary))
			continue;
		if (gone == SWB_NOBODY || k == SWB_NOBODY ||
		    !swb_view_alive(v, k) || swb_view_void(v, k))
			gone = i;
	}
	return gone;
}

static u8 next_to_come(const struct swb_volume_view *v, u32 *missing)
{
	const struct swb_config *w = &v->wish.config;
	u8 i, k;

	for (i = 0; i < w->member_count; i++) {
		if (swb_core_member_index(&v->authority.config,
					  &w->member[i]) != SWB_NOBODY)
			continue;
		k = swb_view_find(v, &w->member[i]);
		if (k != SWB_NOBODY && swb_view_alive(v, k))
			return i;
		if (k != SWB_NOBODY)
			*missing |= 1U << k;
	}
	return SWB_NOBODY;
}

static void remove_member(struct swb_config *cfg, u8 at)
{
	u32 low = (1U << at) - 1;
	u8 i;

	for (i = at; i + 1 < cfg->member_count; i++)
		cfg->member[i] = cfg->member[i + 1];
	cfg->member_count--;
	memset(&cfg->member[cfg->member_count], 0, sizeof(cfg->member[0]));
	cfg->required = (cfg->required & low) | (cfg->required >> 1 & ~low);
}

/*
 * One member out, one in, at most; who comes in takes the place of who goes, so
 * that the others keep their links, and is not required: it holds nothing yet.
 */
static bool step_members(const struct swb_volume_view *v,
			 struct swb_config *cfg, u32 *missing)
{
	u8 out = next_to_go(v), in = next_to_come(v, missing);

	if (in != SWB_NOBODY && out == SWB_NOBODY) {
		if (cfg->member_count == SWB_MEMBERS_MAX)
			return false;
		out = cfg->member_count++;
	}
	if (in != SWB_NOBODY) {
		cfg->member[out] = v->wish.config.member[in];
		cfg->required &= ~(1U << out);
	} else if (out != SWB_NOBODY &&
		   cfg->member_count > v->wish.config.member_count) {
		remove_member(cfg, out);	/* else who comes in is awaited */
	} else {
		return false;
	}
	if (cfg->mode != SWBLOCK_MODE_SYNC_ALL)
		cfg->required = all_of(cfg);
	return true;
}

/* mode, and in sync_all only those who are in sync: the others grow in */
static void step_mode(const struct swb_volume_view *v, struct swb_config *cfg)
{
	u8 i, k;

	cfg->mode = v->wish.config.mode;
	cfg->policy = v->wish.config.policy;
	cfg->required = required_of(&v->wish.config, cfg);
	if (cfg->mode != SWBLOCK_MODE_SYNC_ALL)
		return;
	for (i = 0; i < cfg->member_count; i++) {
		k = swb_view_find(v, &cfg->member[i]);
		if (k == SWB_NOBODY || !swb_view_in_sync(v, k))
			cfg->required &= ~(1U << i);
		if (swb_uuid_equal(&cfg->member[i], &v->authority.primary))
			cfg->required |= 1U << i;
	}
}

/* the required set of sync_all: as wished, of those who are in sync */
static u8 step_required(const struct swb_volume_view *v,
			struct swb_config *cfg, u32 *missing)
{
	u32 had = cfg->required, want, i;

	want = required_of(&v->wish.config, cfg);
	for (i = 0; i < cfg->member_count; i++) {
		u8 k = swb_view_find(v, &cfg->member[i]);

		if (swb_uuid_equal(&cfg->member[i], &v->authority.primary))
			want |= 1U << i;
		if ((had & 1U << i) || !(want & 1U << i))
			continue;
		if (k == SWB_NOBODY || !swb_view_in_sync(v, k)) {
			want &= ~(1U << i);
			if (k != SWB_NOBODY)
				*missing |= 1U << k;
		}
	}
	cfg->required = want;
	if (want == had)
		return SWB_CAUSE_NONE;
	return want & ~had ? SWB_CAUSE_GROW : SWB_CAUSE_CONFIG;
}

/* does @cfg no longer ask for somebody who is gone? Then it cannot wait */
static bool relieves(const struct swb_volume_view *v,
		     const struct swb_config *cfg)
{
	const struct swb_config *cur = &v->authority.config;
	u8 i, k;

	for (i = 0; i < cur->member_count; i++) {
		k = swb_view_find(v, &cur->member[i]);
		if (k != SWB_NOBODY && swb_view_alive(v, k) && !broken(v, k))
			continue;
		if (swb_config_required(cur, &cur->member[i]) &&
		    !swb_config_required(cfg, &cur->member[i]))
			return true;
	}
	return false;
}

/*
 * May members change now? Where C waits already for somebody who is gone, it waits
 * no longer for who takes his place.
 */
static bool can_change(const struct swb_volume_view *v,
		       const struct swb_config *cfg, u32 *missing)
{
	u32 dropped = 0;

	return serves_at_once(v, cfg, missing) ||
	       (relieves(v, cfg) &&
		cfg->member_count >= v->authority.config.member_count &&
		!serves_at_once(v, &v->authority.config, &dropped));
}

static u8 step(const struct swb_volume_view *v, struct swb_config *cfg,
	       u32 *missing)
{
	const struct swb_config *w = &v->wish.config;
	struct swb_config next = *cfg;

	if (step_members(v, &next, missing) && swb_config_valid(&next) &&
	    can_change(v, &next, missing)) {
		*cfg = next;
		return SWB_CAUSE_CONFIG;
	}
	next = *cfg;
	if (cfg->mode != w->mode || cfg->policy != w->policy) {
		step_mode(v, &next);
		if (!swb_config_valid(&next) ||
		    !serves_at_once(v, &next, missing))
			return SWB_CAUSE_NONE;
		*cfg = next;
		return SWB_CAUSE_CONFIG;
	}
	if (cfg->mode != SWBLOCK_MODE_SYNC_ALL)
		return SWB_CAUSE_NONE;
	return step_required(v, cfg, missing);
}

static bool judged(const struct swb_authority *a, const struct swb_config *cfg)
{
	u32 i;

	for (i = 0; i < a->judge_count && i < SWB_CONFIGS_MAX; i++)
		if (swb_config_same(&a->judge[i], cfg))
			return true;
	return false;
}

/*
 * Does @cfg no longer ask for somebody who will not come back by himself: broken,
 * or silent and given up by the operator? Who is only silent may end that; who
 * lives and is dropped by a whim needs no last place.
 */
static bool gives_up(const struct swb_volume_view *v,
		     const struct swb_config *cfg)
{
	const struct swb_config *cur = &v->authority.config;
	bool wished = v->wish.sequence && swb_wish_valid(v);
	u8 i, k;

	for (i = 0; i < cur->member_count; i++) {
		k = swb_view_find(v, &cur->member[i]);
		if (!swb_config_required(cur, &cur->member[i]) ||
		    swb_config_required(cfg, &cur->member[i]))
			continue;
		if (k != SWB_NOBODY && broken(v, k))
			return true;
		if ((k == SWB_NOBODY || !swb_view_alive(v, k)) && wished &&
		    !swb_config_required(&v->wish.config, &cur->member[i]))
			return true;
	}
	return false;
}

/*
 * Four configurations may be unsettled (P1). The last place is kept for a loss:
 * else a dead member could stay required for ever.
 */
static bool has_place(const struct swb_volume_view *v,
		      const struct swb_config *cfg)
{
	u32 most = SWB_CONFIGS_MAX - 2 + gives_up(v, cfg);

	return v->authority.judge_count < most || judged(&v->authority, cfg);
}

/* the newest judged one that requires @id, and nobody else who is gone */
static bool reuse(const struct swb_volume_view *v, const struct swb_uuid *id,
		  struct swb_config *out)
{
	const struct swb_authority *a = &v->authority;
	u32 i;
	u8 m, k;

	for (i = min_t(u32, a->judge_count, SWB_CONFIGS_MAX); i > 0; i--) {
		const struct swb_config *cfg = &a->judge[i - 1];
		bool whole = swb_config_required(cfg, id);

		for (m = 0; m < cfg->member_count; m++) {
			k = swb_view_find(v, &cfg->member[m]);
			if (swb_config_required(cfg, &cfg->member[m]) &&
			    (k == SWB_NOBODY || !swb_view_alive(v, k) ||
			     broken(v, k)))
				whole = false;
		}
		if (!whole)
			continue;
		*out = *cfg;
		return true;
	}
	return false;
}

static u8 next_step(const struct swb_volume_view *v, struct swb_config *out,
		    u32 *missing)
{
	const struct swb_authority *a = &v->authority;
	u8 cause;

	*missing = 0;
	swb_config_base(v, out);
	if (out->required != a->config.required)
		return SWB_CAUSE_SHRINK;
	if (!v->wish.sequence || !swb_wish_valid(v))
		return SWB_CAUSE_NONE;
	cause = step(v, out, missing);
	if (cause == SWB_CAUSE_NONE)
		return SWB_CAUSE_NONE;
	/* a step at a time: the one before must be settled, or never will be */
	return a->phase == SWB_PHASE_SETTLED || relieves(v, out) ?
	       cause : SWB_CAUSE_NONE;
}

u8 swb_config_next(const struct swb_volume_view *v, struct swb_config *out,
		   u32 *missing)
{
	u8 cause = next_step(v, out, missing);

	if (cause != SWB_CAUSE_NONE && has_place(v, out))
		return cause;
	/* no place for it: one of those that are judged may do for a loss */
	if (cause != SWB_CAUSE_NONE && relieves(v, out) &&
	    reuse(v, &v->authority.primary, out) && relieves(v, out))
		return cause;
	/* else the old one would be granted, again and again */
	*out = v->authority.config;
	return SWB_CAUSE_NONE;
}

/* ---- what is granted --------------------------------------------------- */

/*
 * Required is who has reported, or was required before and may come back; never
 * who comes in by this very epoch.
 */
static void trim_required(const struct swb_volume_view *v, u8 candidate,
			  struct swb_config *cfg)
{
	const struct swb_config *had = &v->authority.config;
	u32 left = cfg->required;
	u8 i, k;

	if (cfg->mode != SWBLOCK_MODE_SYNC_ALL)
		return;
	for (i = 0; i < cfg->member_count; i++) {
		k = swb_view_find(v, &cfg->member[i]);
		if (k == candidate)
			left |= 1U << i;
		else if (v->authority.last_epoch &&
			 swb_core_member_index(had, &cfg->member[i]) ==
			 SWB_NOBODY)
			left &= ~(1U << i);
		else if (k != SWB_NOBODY && swb_view_report(v, k) &&
			 !(swb_view_report_flags(v, k) & SWB_VOID_FLAGS))
			continue;
		else if (!swb_config_required(had, &cfg->member[i]) ||
			 lost(v, &cfg->member[i]))
			left &= ~(1U << i);
	}
	cfg->required = left;
}

bool swb_config_final(const struct swb_volume_view *v, u8 candidate,
		      struct swb_config *out)
{
	const struct swb_authority *a = &v->authority;
	const struct swb_uuid *id = &v->member[candidate].replica;
	u32 i;

	*out = a->proposed;
	if (swb_core_member_index(out, id) == SWB_NOBODY)
		*out = a->config;
	if (swb_core_member_index(out, id) != SWB_NOBODY) {
		trim_required(v, candidate, out);
		if (has_place(v, out))
			return swb_config_valid(out);
	}
	if (reuse(v, id, out))
		return true;
	for (i = min_t(u32, a->judge_count, SWB_CONFIGS_MAX); i > 0; i--)
		if (swb_config_required(&a->judge[i - 1], id)) {
			*out = a->judge[i - 1];
			return true;
		}
	return a->judge_count < SWB_CONFIGS_MAX - 1 && swb_config_valid(out) &&
	       swb_config_required(out, id);
}
