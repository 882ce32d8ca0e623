// SPDX-License-Identifier: GPL-2.0-only
/*
 * The controller's decision about one member that is attached on its host. One
 * table with lettered cases. Pure and total; the letters' stories are in
 * docs/design/controller.md, section 7.
 *
 * A, nothing. A replica that is told everything, or a primary whose peers are
 *    linked, or wait for another disk, and whose lease is long enough.
 * B, adopt. The record shows a newer epoch; the report goes to the store (P6).
 * C, report once more. It is adopted, but the store does not have the report: the
 *    epoch cannot be judged; or it is granted, and nobody follows who could be
 *    taken for blank after his disk was lost (P7).
 * D, ahead of the store (P17c). It has promised more than the store has won.
 * E, reported. The epoch is won; whoever won it judges.
 * F, fence self. Like B, of a primary that serves: somebody ended its epoch.
 * G, promote. The epoch is granted to this member, which never opened it.
 * H, opened once. It has lost the role since; an epoch opens once (P2).
 * I, not attached. Nothing can be ordered.
 * J, assign. A member without a role learns whom it follows.
 * K, assign anew. It follows, but by an older configuration.
 * L, link. A peer is ready and not linked; only the primary's host links.
 * M, rebuild. A peer cannot catch up; never one that is required (P10), nor one
 *    that is known to have a failed disk (P17a).
 * N, renew. A third of the lease is over, and the record still shows the grant.
 * P, waits to link. The last links to a peer ended early (I-206).
 * R, no member. The granted configuration does not have it.
 * S, stopped. Granted, but the operator wants no primary.
 * V, void. Granted, but its copy counts for nothing (P7).
 * W, back-off. Its kernel refused the same order a moment ago (I-206), or the
 *    record was read so long ago that a lease by it would be over (P13).
 */
#include "decide_parts.h"
#include "table.h"

#define M_KNOWN			0x00001
#define M_BEHIND		0x00002
#define M_AHEAD			0x00004
#define M_SERVING		0x00008
#define M_WON			0x00010
#define M_STORED		0x00020
#define M_MEMBER		0x00040
#define M_GRANTED		0x00080
#define M_OPENED		0x00100
#define M_STOPPED		0x00200
#define M_VOID			0x00400
#define M_BACKOFF		0x00800
#define M_REPLICA		0x01000
#define M_CONFIG_KNOWN		0x02000
#define M_RENEW			0x04000
#define M_LINK			0x08000
#define M_REBUILD		0x10000
#define M_WAITS			0x20000

#define NOTHING(l) .letter = l, .verdict = SWB_MEMBER_NOTHING
#define ORDER(l, o) .letter = l, .verdict = SWB_MEMBER_##o

static const struct swb_row member_table[] = {
	{ NOTHING('I'), .no = M_KNOWN },
	{ NOTHING('D'), .yes = M_AHEAD },
	{ ORDER('F', ADOPT), .yes = M_BEHIND | M_SERVING },
	{ ORDER('B', ADOPT), .yes = M_BEHIND },
	/* adopted: won? */
	{ ORDER('C', ADOPT), .yes = M_WON, .no = M_STORED },
	{ NOTHING('E'), .yes = M_WON },
	/* granted, to whom? */
	{ NOTHING('R'), .no = M_MEMBER },
	{ ORDER('N', RENEW), .yes = M_GRANTED | M_SERVING | M_RENEW },
	{ ORDER('L', LINK), .yes = M_GRANTED | M_SERVING | M_LINK },
	{ ORDER('M', REBUILD), .yes = M_GRANTED | M_SERVING | M_REBUILD },
	{ NOTHING('P'), .yes = M_GRANTED | M_SERVING | M_WAITS },
	{ NOTHING('A'), .yes = M_GRANTED | M_SERVING },
	{ NOTHING('H'), .yes = M_GRANTED | M_OPENED },
	{ NOTHING('S'), .yes = M_GRANTED | M_STOPPED },
	{ NOTHING('V'), .yes = M_GRANTED | M_VOID },
	{ NOTHING('W'), .yes = M_BACKOFF },
	{ ORDER('G', PROMOTE), .yes = M_GRANTED },
	{ ORDER('C', ADOPT), .no = M_REPLICA | M_STORED },
	{ ORDER('J', ASSIGN), .no = M_REPLICA },
	{ ORDER('K', ASSIGN), .no = M_CONFIG_KNOWN },
	{ NOTHING('A') },
};

void swb_decide_member_judge(const struct swb_member_facts *f,
			     struct swb_member_decision *out)
{
	const struct swb_row *row;
	u32 facts;

	facts = swb_fact(f->known, M_KNOWN) |
		swb_fact(f->behind, M_BEHIND) |
		swb_fact(f->ahead, M_AHEAD) |
		swb_fact(f->serving, M_SERVING) |
		swb_fact(f->won, M_WON) |
		swb_fact(f->report_stored, M_STORED) |
		swb_fact(f->member, M_MEMBER) |
		swb_fact(f->granted, M_GRANTED) |
		swb_fact(f->opened, M_OPENED) |
		swb_fact(f->stopped, M_STOPPED) |
		swb_fact(f->void_copy, M_VOID) |
		swb_fact(f->backoff, M_BACKOFF) |
		swb_fact(f->replica, M_REPLICA) |
		swb_fact(f->config_known, M_CONFIG_KNOWN) |
		swb_fact(f->renew, M_RENEW) |
		swb_fact(f->link, M_LINK) |
		swb_fact(f->rebuild, M_REBUILD) |
		swb_fact(f->waits, M_WAITS);
	row = swb_table_match(member_table, ARRAY_SIZE(member_table), facts);
	out->letter = row->letter;
	out->order = row->verdict;
}

/* ---- facts ------------------------------------------------------------- */

static u64 retry_ns(const struct swb_member_view *v, u32 failed, u64 failed_ns)
{
	return failed ? failed_ns +
	       (v->tune.backoff_ns << min_t(u32, failed - 1, 6)) : 0;
}

static u64 lease_ns(const struct swb_member_view *v)
{
	return v->authority.lease_ms * SWB_NSEC_PER_MSEC;
}

static u64 two_thirds_ns(const struct swb_member_view *v)
{
	return v->authority.lease_ms / 3 * 2 * SWB_NSEC_PER_MSEC;
}

/* a lease by this read would be over already: read again first (P13) */
static bool read_too_old(const struct swb_member_view *v)
{
	return v->authority.lease_ms && v->read_ns + lease_ns(v) <= v->now_ns;
}

/*
 * A third of the length is over, and the read is new enough to prolong it (P13).
 * Nothing is added on the word of a read that is older than what it would give.
 */
static bool renewable(const struct swb_member_view *v)
{
	u64 end = v->read_ns + lease_ns(v);

	return v->authority.lease_ms && !read_too_old(v) &&
	       end > v->lease_end_ns &&
	       (!v->lease_end_ns ||
		v->now_ns + two_thirds_ns(v) >= v->lease_end_ns);
}

/*
 * No copy will help (resync @D): its disk has failed, and this member has heard it
 * from itself, so that it counts as void here. It waits for another disk; one that
 * is well again says so in its state.
 */
static bool hopeless(const struct swb_member_peer *p)
{
	return p->state == SWBLOCK_PEER_NEEDS_REBUILD &&
	       p->reason == SWBLOCK_REASON_DISK_FAILED &&
	       p->flags & SWBLOCK_REPORT_DISK_FAILED;
}

/* Its link was closed with that verdict; the order lets the next one through. */
static bool rebuildable(const struct swb_member_view *v,
			const struct swb_member_peer *p)
{
	const struct swb_config *cfg = &v->authority.config;

	return v->auto_rebuild && p->state == SWBLOCK_PEER_NEEDS_REBUILD &&
	       p->reachable && p->ready &&
	       !(cfg->mode == SWBLOCK_MODE_SYNC_ALL &&
		 swb_config_required(cfg, &p->replica));	/* P10 vii */
}

/* Was @replica named before the configuration that is not settled yet? */
static bool judged_before(const struct swb_member_view *v,
			  const struct swb_uuid *replica)
{
	const struct swb_authority *a = &v->authority;
	u32 i;

	for (i = 0; i < a->judge_count && i < SWB_CONFIGS_MAX; i++)
		if (!swb_config_same(&a->judge[i], &a->config) &&
		    swb_core_member_index(&a->judge[i], replica) != SWB_NOBODY)
			return true;
	return false;
}

/*
 * Until the configuration is settled, older ones are judged, too (P1), and who
 * has a vote there keeps his copy while a newcomer, who has none, can be copied.
 */
static bool newcomer_first(const struct swb_member_view *v,
			   const struct swb_member_peer *p)
{
	const struct swb_config *cfg = &v->authority.config;
	u8 i;

	if (cfg->mode != SWBLOCK_MODE_SYNC_QUORUM ||
	    v->authority.phase == SWB_PHASE_SETTLED ||
	    !judged_before(v, &p->replica))
		return false;
	for (i = 0; i < v->peer_count && i < SWB_MEMBERS_MAX; i++) {
		const struct swb_member_peer *q = &v->peer[i];

		if (q->reachable && q->ready && !hopeless(q) &&
		    q->state != SWBLOCK_PEER_IN_SYNC &&
		    !judged_before(v, &q->replica))
			return true;
	}
	return false;
}

static void facts_peers(const struct swb_member_view *v,
			struct swb_member_facts *f,
			struct swb_member_decision *d)
{
	u8 i, rebuild = SWB_NOBODY;

	d->peer = SWB_NOBODY;
	for (i = 0; i < v->peer_count && i < SWB_MEMBERS_MAX; i++) {
		const struct swb_member_peer *p = &v->peer[i];
		u64 again = retry_ns(v, p->failed, p->failed_ns);

		if (hopeless(p))
			continue;
		if (rebuildable(v, p) && v->now_ns >= again) {
			if (rebuild == SWB_NOBODY && !newcomer_first(v, p))
				rebuild = i;
			continue;
		}
		if (p->linked || !p->reachable || !p->ready)
			continue;
		if (v->now_ns < again) {
			f->waits = true;
			if (!d->until_ns || again < d->until_ns)
				d->until_ns = again;
		} else if (d->peer == SWB_NOBODY) {
			d->peer = i;
		}
	}
	f->link = d->peer != SWB_NOBODY;
	/* first whoever can be linked: a rebuild may wait for a majority */
	f->rebuild = rebuild != SWB_NOBODY && !f->link;
	if (!f->link)
		d->peer = rebuild;
}

static void facts_of(const struct swb_member_view *v,
		     struct swb_member_facts *f, struct swb_member_decision *d)
{
	const struct swb_authority *a = &v->authority;
	const struct swb_member_state *m = &v->self;

	memset(f, 0, sizeof(*f));
	memset(d, 0, sizeof(*d));
	f->known = m->known;
	f->behind = m->epoch < a->epoch;
	f->ahead = m->epoch > a->epoch;
	f->won = a->phase == SWB_PHASE_WON;
	f->report_stored = v->report_stored;
	f->member = swb_core_member_index(&a->config, &m->replica) !=
		    SWB_NOBODY && a->last_epoch;
	f->granted = !f->won && a->last_epoch &&
		     swb_uuid_equal(&a->primary, &m->replica);
	f->opened = m->opened >= a->epoch;
	/* of an older epoch, too: then it fences itself */
	f->serving = m->role == SWBLOCK_ROLE_PRIMARY;
	f->replica = m->role == SWBLOCK_ROLE_REPLICA;
	f->stopped = v->stopped;
	f->void_copy = m->flags & SWB_VOID_FLAGS;
	f->backoff = v->now_ns < retry_ns(v, v->failed, v->failed_ns) ||
		     (f->granted && read_too_old(v));
	f->config_known = v->config_known;
	f->renew = renewable(v);
	facts_peers(v, f, d);
}

/* ---- the verdict ------------------------------------------------------- */

static void earliest(u64 *until, u64 ns)
{
	if (ns && (!*until || ns < *until))
		*until = ns;
}

void swb_decide_member(const struct swb_member_view *v,
		       struct swb_member_decision *out)
{
	struct swb_member_facts f;

	facts_of(v, &f, out);
	swb_decide_member_judge(&f, out);
	switch ((enum swb_member_order)out->order) {
	case SWB_MEMBER_ADOPT:
		out->epoch = v->authority.epoch;
		break;
	case SWB_MEMBER_PROMOTE:
	case SWB_MEMBER_RENEW:
		out->epoch = v->authority.epoch;
		out->lease_end_ns = v->authority.lease_ms ?
				    v->read_ns + lease_ns(v) : 0;
		break;
	case SWB_MEMBER_LINK:
	case SWB_MEMBER_REBUILD:
	case SWB_MEMBER_ASSIGN:
	case SWB_MEMBER_NOTHING:
	case SWB_MEMBER_ORDER_COUNT:
		break;
	}
	if (out->order != SWB_MEMBER_LINK && out->order != SWB_MEMBER_REBUILD)
		out->peer = SWB_NOBODY;
	if (out->letter == 'W')
		out->until_ns = retry_ns(v, v->failed, v->failed_ns);
	if (f.granted && f.serving && v->lease_end_ns > two_thirds_ns(v))
		earliest(&out->until_ns, v->lease_end_ns - two_thirds_ns(v));
}
