// SPDX-License-Identifier: GPL-2.0-only
/*
 * The part of the controller's decision that is about a grant: is there evidence
 * enough, who is the candidate, is the old lease over. The rules are those of
 * promote.c, which the candidate's kernel asks again. Pure, no lock.
 */
#include "decide_parts.h"
#include "promote.h"

/* ---- evidence ---------------------------------------------------------- */

static bool sufficient(const struct swb_authority *a,
		       const struct swb_report *r, u32 n)
{
	static const struct swb_uuid nobody;
	const struct swb_uuid *last = a->last_epoch ? &a->primary : &nobody;

	if (!a->judge_count)
		return swb_evidence_joint(&a->config, 1, a->epoch, r, n, last);
	return swb_evidence_joint(a->judge, a->judge_count, a->epoch, r, n,
				  last);
}

/* what those who live would report: enough to make an epoch worth its while? */
bool swb_view_hope(const struct swb_volume_view *v)
{
	struct swb_report r[SWB_VIEW_MAX];
	u32 n = 0;
	u8 i;

	for (i = 0; i < v->member_count && i < SWB_VIEW_MAX; i++) {
		if (!swb_view_alive(v, i) || swb_view_void(v, i))
			continue;
		memset(&r[n], 0, sizeof(r[n]));
		r[n].replica = v->member[i].replica;
		r[n++].adopted = v->authority.epoch;
	}
	return sufficient(&v->authority, r, n);
}

bool swb_view_proof_lost(const struct swb_volume_view *v)
{
	const struct swb_authority *a = &v->authority;
	u8 p = swb_view_find(v, &a->primary);
	u32 i;

	if (!a->last_epoch || (p != SWB_NOBODY && swb_view_alive(v, p) &&
			       !swb_view_void(v, p)))
		return false;
	for (i = 0; i < a->judge_count && i < SWB_CONFIGS_MAX; i++)
		if (a->judge[i].mode == SWBLOCK_MODE_BEST_EFFORT)
			return true;				/* P15 */
	return false;
}

/* ---- the candidate ----------------------------------------------------- */

/* The operator's override, once per wish, to a member that can take it */
u8 swb_view_override(const struct swb_volume_view *v)
{
	u8 i;

	if (!v->wish.override || !swb_wish_pending(v) ||
	    swb_uuid_is_null(&v->wish.primary))
		return SWB_NOBODY;
	i = swb_view_find(v, &v->wish.primary);
	return i != SWB_NOBODY && swb_view_alive(v, i) && !swb_view_void(v, i) ?
	       i : SWB_NOBODY;
}

static bool ranks_equal(const struct swb_report *a, const struct swb_report *b)
{
	return a->last_epoch == b->last_epoch && a->durable == b->durable;
}

/*
 * Among equals: where the operator wants it, then where it was (held I/O goes
 * on there: P12), then the last required set, then the order of members. With no
 * place for one more configuration, the last required set comes first: a
 * candidate outside of it could be granted nothing (P1).
 */
static u32 preference(const struct swb_volume_view *v, u8 i)
{
	const struct swb_authority *a = &v->authority;
	const struct swb_uuid *id = &v->member[i].replica;
	bool full = a->judge_count >= SWB_CONFIGS_MAX - 1;
	u32 score = 0;

	if (swb_config_required(&a->config, id))
		score |= full ? 16 : 1;
	if (swb_uuid_equal(id, &a->primary) &&
	    v->member[i].opened >= a->last_epoch)
		score |= 2;
	if (v->wish.sequence && swb_wish_valid(v)) {
		if (swb_core_member_index(&v->wish.config, id) != SWB_NOBODY)
			score |= 4;
		if (swb_uuid_equal(id, &v->wish.primary))
			score |= 8;
	}
	return score;
}

static u8 choose(const struct swb_volume_view *v, const struct swb_cert *cert,
		 struct swb_volume_decision *d)
{
	const struct swb_report *best, *r;
	int at = swb_promote_best(cert);
	u8 i, chosen = SWB_NOBODY;
	u32 k;

	d->rejected = 0;
	if (at < 0)
		return SWB_NOBODY;
	best = &cert->report[at];
	for (k = 0; k < cert->report_count; k++)
		if (cert->report[k].committed > best->durable)
			return SWB_NOBODY;			/* P16 */
	for (i = 0; i < v->member_count && i < SWB_VIEW_MAX; i++) {
		struct swb_config cfg;

		r = swb_view_report(v, i);
		if (!r || (r->flags & SWB_VOID_FLAGS) || swb_view_void(v, i) ||
		    !ranks_equal(r, best) || !swb_config_final(v, i, &cfg)) {
			d->rejected |= 1U << i;
			continue;
		}
		if (chosen == SWB_NOBODY ||
		    preference(v, i) > preference(v, chosen))
			chosen = i;
	}
	return chosen;
}

/* D * (1 + 2r) + margin after the swap was known to have succeeded: P13 */
u64 swb_view_lease_over_ns(const struct swb_volume_view *v)
{
	u64 ms = v->authority.lease_ms;

	return v->authority.won_ns + ms * SWB_NSEC_PER_MSEC +
	       ms * 2 * v->tune.clock_ppm + v->tune.margin_ns;
}

static bool lease_over(const struct swb_volume_view *v, u32 *cert_flags)
{
	const struct swb_authority *a = &v->authority;
	u8 p = swb_view_find(v, &a->primary);

	if (!a->last_epoch || (p != SWB_NOBODY && swb_view_report(v, p)))
		return true;			/* it serves no more */
	*cert_flags |= SWBLOCK_CERT_LEASE_WAITED;
	return !a->lease_ms || v->now_ns >= swb_view_lease_over_ns(v);
}

/* ---- the certificate --------------------------------------------------- */

static bool of_record(const struct swb_authority *a, const struct swb_uuid *id)
{
	u32 i;

	for (i = 0; i < a->judge_count && i < SWB_CONFIGS_MAX; i++)
		if (swb_core_member_index(&a->judge[i], id) != SWB_NOBODY)
			return true;
	return swb_core_member_index(&a->config, id) != SWB_NOBODY ||
	       swb_core_member_index(&a->proposed, id) != SWB_NOBODY;
}

/* Reports by judged members first: there is room for no more than seven. */
static void add_reports(const struct swb_volume_view *v, struct swb_cert *cert,
			bool judged)
{
	u8 i;

	for (i = 0; i < v->member_count && i < SWB_VIEW_MAX; i++) {
		const struct swb_report *r = swb_view_report(v, i);
		struct swb_report *to = &cert->report[cert->report_count];

		if (!r || cert->report_count == SWB_MEMBERS_MAX ||
		    judged != of_record(&v->authority, &v->member[i].replica))
			continue;
		*to = *r;
		to->flags = swb_view_report_flags(v, i);
		cert->report_count++;
	}
}

static void evidence(const struct swb_volume_view *v, struct swb_cert *cert)
{
	const struct swb_authority *a = &v->authority;

	memset(cert, 0, sizeof(*cert));
	cert->epoch = a->epoch;
	cert->config = a->config;
	cert->judge_count = min_t(u32, a->judge_count, SWB_CONFIGS_MAX);
	memcpy(cert->judge, a->judge, sizeof(cert->judge));
	if (!cert->judge_count) {
		cert->judge_count = 1;
		cert->judge[0] = a->config;
	}
	add_reports(v, cert, true);
	add_reports(v, cert, false);
	cert->last_granted_epoch = a->last_epoch;
	if (a->last_epoch)
		cert->last_granted = a->primary;
}

void swb_decide_cert(const struct swb_volume_view *v,
		     const struct swb_volume_decision *d, struct swb_cert *cert)
{
	evidence(v, cert);
	cert->config = d->config;
	if (d->candidate < v->member_count)
		cert->candidate = v->member[d->candidate].replica;
	cert->flags = d->cert_flags;
}

/* ---- facts of an epoch that was won here -------------------------------- */

/* whose report is awaited: of those who live; or lacking: of everybody */
static u32 reports_missing(const struct swb_volume_view *v, bool living)
{
	u32 mask = 0;
	u8 i;

	for (i = 0; i < v->member_count && i < SWB_VIEW_MAX; i++)
		if (of_record(&v->authority, &v->member[i].replica) &&
		    !swb_view_report(v, i) &&
		    (!living || swb_view_alive(v, i)))
			mask |= 1U << i;
	return mask;
}

void swb_decide_won(const struct swb_volume_view *v, struct swb_volume_facts *f,
		    struct swb_volume_decision *d)
{
	struct swb_cert cert;
	u8 to;

	evidence(v, &cert);
	f->evidence = sufficient(&v->authority, cert.report, cert.report_count);
	d->missing = reports_missing(v, true);
	f->collecting = d->missing &&
			v->now_ns < v->authority.won_ns + v->tune.collect_ns;
	if (!f->collecting)
		d->missing = reports_missing(v, false);
	f->lease_over = lease_over(v, &d->cert_flags);
	d->candidate = choose(v, &cert, d);
	f->candidate = d->candidate != SWB_NOBODY;
	to = swb_view_override(v);
	if ((f->evidence && f->candidate) || to == SWB_NOBODY ||
	    !swb_view_report(v, to) || !swb_config_final(v, to, &d->config))
		return;
	f->override = true;
	d->candidate = to;
	d->cert_flags |= SWBLOCK_CERT_OVERRIDE;
}
