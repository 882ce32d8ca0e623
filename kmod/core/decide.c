// SPDX-License-Identifier: GPL-2.0-only
/*
 * The controller's decision about a volume: fence, wait, grant, settle. One
 * table with lettered cases, asked by every controller that can read the store.
 * Pure and total; the letters' stories are in docs/design/controller.md,
 * section 7. What is not known is silence, and silence is never evidence.
 *
 * A, nothing. Granted, open, settled, as wished.
 * B, settle. The open record is committed under its own rule (P1); only the
 *    primary's host knows that first hand.
 * C, not my turn. Another host acts first, or the cause is too fresh; a
 *    controller without a member only watches.
 * D, back-off. Epochs were won in vain; another one at once would end alike
 *    (I-206).
 * E, no hope. Those who live could not prove what was committed. An epoch won
 *    now would only end the commits of a primary that may be there.
 * F, the last primary is not heard. In best_effort it alone can prove what was
 *    committed (P15).
 * G, grant. Sufficient under every judged configuration, best rank, lease over.
 * H, evidence insufficient. Stays won and waits: the silent may hold commits.
 * I, reports awaited. Those who live have a moment to report, so that a better
 *    log is not passed over for a faster answer.
 * J, no candidate. Void, below a reported C (P16), or no configuration left (P1).
 * K, the wish waits, for synchrony, for the primary's host, or for a member.
 * L, lease. The last primary has not adopted and may still serve reads (P13).
 * M, somebody else's. Its owner lives and goes on.
 * N, in time. The granted primary opens, or its open record is on the way.
 * O, override. No ordinary grant is possible; the operator accepts the loss, once.
 * P, fence: the first epoch.
 * Q, fence: the primary is gone, or its disk.
 * R, fence: the primary lives without its role; an epoch opens once (P2).
 * S, stopped. No primary is wanted: none is made.
 * T, fence: granted and never opened.
 * U, fence: won by somebody who is gone (P3).
 * V, fence: a member has adopted more than the store has won (P17c).
 * W, fence: the role goes elsewhere, by order, after the drain.
 * X, fence: another configuration, one step towards the wish.
 * Y, demote. The primary is drained before it is fenced by order.
 * Z, the wish is impossible. It is ignored until it is corrected.
 */
#include "decide_parts.h"
#include "table.h"

#define V_HOPE			0x00000001
#define V_PROOF_LOST		0x00000002
#define V_BACKOFF		0x00000004
#define V_TURN			0x00000008
#define V_STOPPED		0x00000010
#define V_SERVING		0x00000020
#define V_HERE			0x00000040
#define V_WON			0x00000080
#define V_MINE			0x00000100
#define V_COLLECTING		0x00000200
#define V_EVIDENCE		0x00000400
#define V_CANDIDATE		0x00000800
#define V_OVERRIDE		0x00001000
#define V_LEASE_OVER		0x00002000
#define V_OPENED		0x00004000
#define V_COMMITTED		0x00008000
#define V_SETTLED		0x00010000
#define V_WISH_VALID		0x00020000
#define V_WISH_REACHED		0x00040000
/* the cause, one bit at most */
#define V_CAUSE			0x00080000	/* any */
#define V_FIRST			0x00100000
#define V_LOST			0x00200000
#define V_NO_ROLE		0x00400000
#define V_NOT_OPENED		0x00800000
#define V_OWNER_GONE		0x01000000
#define V_OVERTAKEN		0x02000000
#define V_ORDER			0x04000000
#define V_CONFIG		0x08000000

#define NOTHING(l) .letter = l, .verdict = SWB_ORDER_NOTHING
#define ORDER(l, o) .letter = l, .verdict = SWB_ORDER_##o

static const struct swb_row volume_table[] = {
	{ ORDER('Y', DEMOTE), .yes = V_STOPPED | V_SERVING | V_HERE,
	  .no = V_BACKOFF },
	{ NOTHING('S'), .yes = V_STOPPED },
	/* should an epoch be won, and may it be now? */
	{ NOTHING('F'), .yes = V_CAUSE | V_PROOF_LOST, .no = V_HOPE },
	{ NOTHING('E'), .yes = V_CAUSE, .no = V_HOPE },
	{ NOTHING('D'), .yes = V_CAUSE | V_BACKOFF },
	{ NOTHING('N'), .yes = V_NOT_OPENED, .no = V_TURN },
	{ NOTHING('C'), .yes = V_CAUSE, .no = V_TURN },
	{ ORDER('Y', DEMOTE), .yes = V_ORDER | V_SERVING | V_HERE },
	{ NOTHING('K'), .yes = V_ORDER | V_SERVING },
	{ ORDER('P', WIN), .yes = V_FIRST },
	{ ORDER('Q', WIN), .yes = V_LOST },
	{ ORDER('R', WIN), .yes = V_NO_ROLE },
	{ ORDER('T', WIN), .yes = V_NOT_OPENED },
	{ ORDER('U', WIN), .yes = V_OWNER_GONE },
	{ ORDER('V', WIN), .yes = V_OVERTAKEN },
	{ ORDER('W', WIN), .yes = V_ORDER },
	{ ORDER('X', WIN), .yes = V_CONFIG },
	/* won: is there enough to grant it? */
	{ NOTHING('M'), .yes = V_WON, .no = V_MINE },
	{ NOTHING('I'), .yes = V_WON | V_COLLECTING },
	{ NOTHING('H'), .yes = V_WON, .no = V_EVIDENCE | V_OVERRIDE },
	{ NOTHING('J'), .yes = V_WON, .no = V_CANDIDATE | V_OVERRIDE },
	{ NOTHING('L'), .yes = V_WON, .no = V_LEASE_OVER },
	{ ORDER('O', GRANT), .yes = V_WON | V_OVERRIDE },
	{ ORDER('G', GRANT), .yes = V_WON },
	/* granted */
	{ NOTHING('N'), .no = V_OPENED },
	{ ORDER('B', SETTLE), .yes = V_COMMITTED | V_HERE, .no = V_SETTLED },
	{ NOTHING('N'), .no = V_SETTLED },
	{ NOTHING('Z'), .no = V_WISH_VALID },
	{ NOTHING('K'), .no = V_WISH_REACHED },
	{ NOTHING('A') },
};

static u32 cause_bits(u8 cause)
{
	switch ((enum swb_cause)cause) {
	case SWB_CAUSE_NONE:
	case SWB_CAUSE_COUNT:
		return 0;
	case SWB_CAUSE_FIRST:
		return V_CAUSE | V_FIRST;
	case SWB_CAUSE_SILENT:
	case SWB_CAUSE_DISK:
		return V_CAUSE | V_LOST;
	case SWB_CAUSE_RESTARTED:
		return V_CAUSE | V_NO_ROLE;
	case SWB_CAUSE_NOT_OPENED:
		return V_CAUSE | V_NOT_OPENED;
	case SWB_CAUSE_OWNER_GONE:
		return V_CAUSE | V_OWNER_GONE;
	case SWB_CAUSE_OVERTAKEN:
		return V_CAUSE | V_OVERTAKEN;
	case SWB_CAUSE_ORDER:
		return V_CAUSE | V_ORDER;
	case SWB_CAUSE_CONFIG:
	case SWB_CAUSE_SHRINK:
	case SWB_CAUSE_GROW:
		return V_CAUSE | V_CONFIG;
	}
	return 0;
}

static u32 facts_bits(const struct swb_volume_facts *f)
{
	return cause_bits(f->cause) |
	       swb_fact(f->hope, V_HOPE) |
	       swb_fact(f->proof_lost, V_PROOF_LOST) |
	       swb_fact(f->backoff, V_BACKOFF) |
	       swb_fact(f->turn, V_TURN) |
	       swb_fact(f->stopped, V_STOPPED) |
	       swb_fact(f->serving, V_SERVING) |
	       swb_fact(f->here, V_HERE) |
	       swb_fact(f->won, V_WON) |
	       swb_fact(f->mine, V_MINE) |
	       swb_fact(f->collecting, V_COLLECTING) |
	       swb_fact(f->evidence, V_EVIDENCE) |
	       swb_fact(f->candidate, V_CANDIDATE) |
	       swb_fact(f->override, V_OVERRIDE) |
	       swb_fact(f->lease_over, V_LEASE_OVER) |
	       swb_fact(f->opened, V_OPENED) |
	       swb_fact(f->committed, V_COMMITTED) |
	       swb_fact(f->settled, V_SETTLED) |
	       swb_fact(f->wish_valid, V_WISH_VALID) |
	       swb_fact(f->wish_reached, V_WISH_REACHED);
}

void swb_decide_volume_judge(const struct swb_volume_facts *f,
			     struct swb_volume_decision *out)
{
	const struct swb_row *row;

	row = swb_table_match(volume_table, ARRAY_SIZE(volume_table),
			      facts_bits(f));
	out->letter = row->letter;
	out->order = row->verdict;
	out->cause = f->cause;
}

/* ---- why an epoch should be won ---------------------------------------- */

static u64 newest_adopted(const struct swb_volume_view *v)
{
	u64 newest = v->authority.epoch;
	u8 i;

	for (i = 0; i < v->member_count && i < SWB_VIEW_MAX; i++) {
		const struct swb_member_state *m = &v->member[i];

		if (m->known)
			newest = max_t(u64, newest, m->epoch);
		if (m->has_report)
			newest = max_t(u64, newest, m->report.adopted);
	}
	return newest;
}

/*
 * The role is wanted at another member, by preference or because its holder is
 * to be removed, and that member could take it over without a loss.
 */
static u8 heir(const struct swb_volume_view *v, bool *wanted)
{
	const struct swb_config *w = &v->wish.config;
	const struct swb_uuid *to = &v->wish.primary;
	const struct swb_uuid *now = &v->authority.primary;
	u8 i;

	*wanted = false;
	if (!v->wish.sequence || !swb_wish_valid(v) || v->wish.stopped)
		return SWB_NOBODY;
	if (swb_uuid_is_null(to) ? swb_core_member_index(w, now) != SWB_NOBODY :
				   swb_uuid_equal(to, now))
		return SWB_NOBODY;
	*wanted = true;
	for (i = 0; i < v->member_count; i++) {
		const struct swb_uuid *id = &v->member[i].replica;

		if (swb_uuid_equal(id, now) || !swb_view_in_sync(v, i) ||
		    !swb_config_required(&v->authority.config, id) ||
		    swb_core_member_index(w, id) == SWB_NOBODY)
			continue;
		if (swb_uuid_is_null(to) || swb_uuid_equal(to, id))
			return i;
	}
	return SWB_NOBODY;
}

/*
 * Another length takes an epoch: who comes after waits the granted one out (P13).
 * Under the configuration that stands, so it needs no place of its own.
 */
static bool lease_differs(const struct swb_volume_view *v)
{
	return v->wish.sequence && swb_wish_valid(v) && !v->wish.stopped &&
	       v->wish.lease_ms != v->authority.lease_ms;
}

/* Nothing is wrong with the primary: does the wish ask for another epoch? */
static u8 cause_of_wish(const struct swb_volume_view *v,
			struct swb_volume_facts *f,
			struct swb_volume_decision *d)
{
	bool moves, settled = v->authority.phase == SWB_PHASE_SETTLED;
	u8 to = heir(v, &moves), cause;

	cause = swb_config_next(v, &d->config, &d->missing);
	f->wish_reached = !moves && swb_wish_config_stands(v) &&
			  !lease_differs(v);
	if (cause == SWB_CAUSE_SHRINK)
		return cause;
	if (settled && to != SWB_NOBODY) {
		d->config = v->authority.config;
		return SWB_CAUSE_ORDER;
	}
	if (settled && cause == SWB_CAUSE_NONE && lease_differs(v))
		return SWB_CAUSE_CONFIG;	/* d->config stands, see above */
	if (moves && !swb_uuid_is_null(&v->wish.primary))
		d->missing |= 1U << swb_view_find(v, &v->wish.primary);
	return cause;
}

static u8 cause_of(const struct swb_volume_view *v, struct swb_volume_facts *f,
		   struct swb_volume_decision *d)
{
	const struct swb_authority *a = &v->authority;
	u8 p = swb_view_find(v, &a->primary);
	bool moves;

	f->wish_reached = true;
	if (a->phase == SWB_PHASE_NEW) {
		f->hope = swb_config_first(v, &d->config);
		return SWB_CAUSE_FIRST;
	}
	f->hope = swb_view_hope(v);
	if (a->last_epoch)
		swb_config_base(v, &d->config);
	else
		(void)swb_config_first(v, &d->config);
	if (newest_adopted(v) > a->epoch)
		return SWB_CAUSE_OVERTAKEN;
	if (a->phase == SWB_PHASE_WON)
		return !a->mine && a->owner_silent_ns >= v->tune.silence_ns ?
		       SWB_CAUSE_OWNER_GONE : SWB_CAUSE_NONE;
	if (p == SWB_NOBODY || !swb_view_alive(v, p))
		return SWB_CAUSE_SILENT;
	if (swb_view_void(v, p))
		return SWB_CAUSE_DISK;
	if (v->member[p].opened < a->last_epoch)
		return SWB_CAUSE_NOT_OPENED;
	if (v->member[p].role == SWBLOCK_ROLE_PRIMARY)
		return cause_of_wish(v, f, d);
	/* drained by order, or by a restart that comes in handy */
	(void)heir(v, &moves);
	return moves ? SWB_CAUSE_ORDER : SWB_CAUSE_RESTARTED;
}

/* ---- facts ------------------------------------------------------------- */

static u64 backoff_end(const struct swb_volume_view *v)
{
	u32 shift = v->failed ? min_t(u32, v->failed - 1, 6) : 0;

	return v->failed && v->failed_ns ?
	       v->failed_ns + (v->tune.backoff_ns << shift) : 0;
}

/* When this controller may act: the primary's own host at once. */
static u64 turn_ns(const struct swb_volume_view *v,
		   const struct swb_volume_facts *f)
{
	u64 since = v->cause == f->cause && v->cause_since_ns ?
		    v->cause_since_ns : v->now_ns;
	u64 wait = f->serving && f->here ? 0 : v->tune.turn_ns;

	if (f->cause == SWB_CAUSE_NOT_OPENED)
		wait += v->tune.collect_ns;	/* it has a moment to open */
	return since + wait;
}

void swb_decide_volume_facts(const struct swb_volume_view *v,
			     struct swb_volume_facts *f,
			     struct swb_volume_decision *d)
{
	const struct swb_authority *a = &v->authority;
	u8 p = swb_view_find(v, &a->primary);

	memset(f, 0, sizeof(*f));
	memset(d, 0, sizeof(*d));
	d->candidate = SWB_NOBODY;
	f->wish_valid = swb_wish_valid(v);
	f->cause = cause_of(v, f, d);
	f->hope |= swb_view_override(v) != SWB_NOBODY;
	f->proof_lost = swb_view_proof_lost(v);
	f->backoff = v->now_ns < backoff_end(v);
	f->stopped = v->wish.stopped;
	f->won = a->phase == SWB_PHASE_WON;
	f->mine = a->mine;
	f->settled = a->phase == SWB_PHASE_SETTLED;
	if (a->last_epoch && p != SWB_NOBODY) {
		f->opened = v->member[p].opened >= a->last_epoch;
		f->serving = swb_view_alive(v, p) &&
			     v->member[p].role == SWBLOCK_ROLE_PRIMARY;
		f->committed = f->serving && v->member[p].settled &&
			       v->member[p].opened == a->last_epoch;
		f->here = p == v->self;
	}
	f->turn = v->self != SWB_NOBODY && v->now_ns >= turn_ns(v, f);
	if (f->won && a->mine)
		swb_decide_won(v, f, d);
}

/* ---- the verdict ------------------------------------------------------- */

static u64 ask_again(const struct swb_volume_view *v,
		     const struct swb_volume_facts *f, u8 letter)
{
	switch (letter) {
	case 'C':
	case 'N':
		return f->cause ? turn_ns(v, f) : 0;
	case 'D':
		return backoff_end(v);
	case 'I':
		return v->authority.won_ns + v->tune.collect_ns;
	case 'L':
		return swb_view_lease_over_ns(v);
	}
	return 0;
}

void swb_decide_volume(const struct swb_volume_view *v,
		       struct swb_volume_decision *out)
{
	struct swb_volume_facts f;

	swb_decide_volume_facts(v, &f, out);
	swb_decide_volume_judge(&f, out);
	out->until_ns = ask_again(v, &f, out->letter);
	switch ((enum swb_order)out->order) {
	case SWB_ORDER_WIN:
		out->epoch = newest_adopted(v) + 1;
		out->candidate = SWB_NOBODY;
		break;
	case SWB_ORDER_GRANT:
		out->epoch = v->authority.epoch;
		if (!swb_config_final(v, out->candidate, &out->config))
			out->order = SWB_ORDER_NOTHING;	/* never: it was asked */
		break;
	case SWB_ORDER_SETTLE:
	case SWB_ORDER_DEMOTE:
		out->epoch = v->authority.epoch;
		out->config = v->authority.config;
		break;
	case SWB_ORDER_NOTHING:
	case SWB_ORDER_COUNT:
		out->candidate = SWB_NOBODY;
		out->cert_flags = 0;
		break;
	}
}
