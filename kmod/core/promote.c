// SPDX-License-Identifier: GPL-2.0-only
/*
 * Promotion: is a certificate enough? One table with lettered cases, asked by
 * the controller before it grants and by the candidate's kernel before it
 * opens. Pure and total, no lock.
 *
 * D, foreign. Another volume, candidate, store or store generation (P17c): its
 *    numbers mean nothing here.
 * M, impossible configuration. Majority of two, all of none, a primary outside
 *    its required set: rules satisfied by nobody, or by nothing (I-010).
 * B, not the adopted epoch. A late certificate of an older fence, or one before
 *    its adoption. A node that adopted more has promised to refuse it (P3, P6).
 * L, already primary. A duplicate of a certificate that worked.
 * C, already opened. A retry after a crash: a second opening would make two
 *    logs with one name (P2).
 * J, void. A mixture cannot serve (P7); no override changes that.
 * E, own report missing. It is what the rank is measured by, and the proof that
 *    this node adopted durably (ambiguity 5).
 * F, below own report. The disk lost what it had flushed (P17).
 * K, last primary unheard. In best_effort a commit is on the primary alone, so
 *    only its own report after adopting proves what was committed (P15).
 * H, evidence insufficient under some configuration that may have committed
 *    since the last settled one (P1): the silent may hold commits.
 * G, not maximal. A ranked report is above ours by (last epoch, durable);
 *    promoting the lesser log could truncate the better one (I-030).
 * I, below a reported C. Some member was told of a commit that we lack (P16).
 * N, lease not out. The old primary may still serve reads in its lease (P13).
 *    The wait is the controller's, who says so by SWBLOCK_CERT_LEASE_WAITED.
 * A, accepted. All that is left: every commit of an older epoch is in a log
 *    ranked no higher than ours, hence in ours (I-028).
 */
#include "promote.h"
#include "table.h"

#define SWB_VOID (SWBLOCK_REPORT_INCONSISTENT | SWBLOCK_REPORT_DISK_FAILED)

static bool is_member(const struct swb_config *cfg, const struct swb_uuid *id,
		      u32 mask)
{
	u32 i;

	for (i = 0; i < cfg->member_count; i++)
		if ((mask & 1U << i) && swb_uuid_equal(&cfg->member[i], id))
			return true;
	return false;
}

/* whose reports count under @cfg: in sync_all outsiders do not (ambiguity 2) */
static u32 ranked_mask(const struct swb_config *cfg)
{
	return cfg->mode == SWBLOCK_MODE_SYNC_ALL ? cfg->required : ~0U;
}

static bool members_distinct(const struct swb_config *cfg)
{
	u32 i, j;

	for (i = 0; i < cfg->member_count; i++) {
		if (swb_uuid_is_null(&cfg->member[i]))
			return false;
		for (j = 0; j < i; j++)
			if (swb_uuid_equal(&cfg->member[i], &cfg->member[j]))
				return false;
	}
	return true;
}

bool swb_config_valid(const struct swb_config *cfg)
{
	if (cfg->mode < SWBLOCK_MODE_BEST_EFFORT ||
	    cfg->mode > SWBLOCK_MODE_SYNC_ALL ||
	    cfg->policy < SWBLOCK_POLICY_LOCAL ||
	    cfg->policy > SWBLOCK_POLICY_WRITTEN)
		return false;
	if (!cfg->member_count || cfg->member_count > SWB_MEMBERS_MAX)
		return false;
	if (cfg->required >> cfg->member_count)
		return false;
	if (cfg->mode == SWBLOCK_MODE_SYNC_ALL && !cfg->required)
		return false;
	if (cfg->mode == SWBLOCK_MODE_SYNC_QUORUM && cfg->member_count < 3)
		return false;		/* I-010 */
	return members_distinct(cfg);
}

/* a void report, or one of another epoch, never counts: P7, P6 */
static bool counts(const struct swb_report *r, u64 epoch)
{
	return r->adopted == epoch && !(r->flags & SWB_VOID);
}

static const struct swb_report *report_of(const struct swb_report *r, u32 n,
					  const struct swb_uuid *replica)
{
	u32 i;

	for (i = 0; i < n; i++)
		if (swb_uuid_equal(&r[i].replica, replica))
			return &r[i];
	return NULL;
}

bool swb_evidence_sufficient(const struct swb_config *cfg, u64 epoch,
			     const struct swb_report *r, u32 n,
			     const struct swb_uuid *last_granted)
{
	const struct swb_report *heard;
	u32 i, have = 0;

	for (i = 0; i < cfg->member_count; i++) {
		if (!(ranked_mask(cfg) & 1U << i))
			continue;
		heard = report_of(r, n, &cfg->member[i]);
		if (heard && counts(heard, epoch))
			have++;
	}
	if (cfg->mode == SWBLOCK_MODE_SYNC_QUORUM)
		return have > cfg->member_count / 2U;
	if (cfg->mode == SWBLOCK_MODE_SYNC_ALL)
		return have > 0;
	if (swb_uuid_is_null(last_granted))
		return have > 0;	/* never granted: nothing is committed */
	heard = report_of(r, n, last_granted);			/* P15 */
	return heard && counts(heard, epoch);
}

bool swb_evidence_joint(const struct swb_config *judge, u32 judges, u64 epoch,
			const struct swb_report *r, u32 n,
			const struct swb_uuid *last_granted)
{
	u32 i;

	for (i = 0; i < judges && i < SWB_CONFIGS_MAX; i++)
		if (!swb_evidence_sufficient(&judge[i], epoch, r, n,
					     last_granted))
			return false;	/* P1 */
	return true;
}

static bool ranked(const struct swb_cert *cert, const struct swb_report *r)
{
	u32 i;

	if (!counts(r, cert->epoch))
		return false;
	if (!cert->judge_count)
		return is_member(&cert->config, &r->replica,
				 ranked_mask(&cert->config));
	for (i = 0; i < cert->judge_count && i < SWB_CONFIGS_MAX; i++)
		if (is_member(&cert->judge[i], &r->replica,
			      ranked_mask(&cert->judge[i])))
			return true;
	return false;
}

/* I-030; with the adopted epoch instead all voters would tie (ambiguity 1) */
static bool ranks_above(const struct swb_report *a, const struct swb_report *b)
{
	if (a->last_epoch != b->last_epoch)
		return a->last_epoch > b->last_epoch;
	return a->durable > b->durable;
}

static u32 report_count(const struct swb_cert *cert)
{
	return min_t(u32, cert->report_count, SWB_MEMBERS_MAX);
}

int swb_promote_best(const struct swb_cert *cert)
{
	int best = -1;
	u32 i;

	for (i = 0; i < report_count(cert); i++) {
		if (!ranked(cert, &cert->report[i]))
			continue;
		if (best < 0 || ranks_above(&cert->report[i],
					    &cert->report[best]))
			best = (int)i;
	}
	return best;
}

#define P_IDENTITY		0x0001
#define P_CONFIG		0x0002
#define P_ADOPTED		0x0004
#define P_PRIMARY		0x0008
#define P_NOT_OPENED		0x0010
#define P_VOID			0x0020
#define P_OWN_REPORT		0x0040
#define P_HOLDS_REPORT		0x0080
#define P_LAST_HEARD		0x0100
#define P_SUFFICIENT		0x0200
#define P_MAXIMAL		0x0400
#define P_HOLDS_COMMITTED	0x0800
#define P_LEASE_OUT		0x1000
#define P_OVERRIDE		0x2000

static const struct swb_row promote_table[] = {
	{ .letter = 'D', .no = P_IDENTITY },
	{ .letter = 'M', .no = P_CONFIG },
	{ .letter = 'B', .no = P_ADOPTED },
	{ .letter = 'L', .yes = P_PRIMARY },
	{ .letter = 'C', .no = P_NOT_OPENED },
	{ .letter = 'J', .yes = P_VOID },
	{ .letter = 'E', .no = P_OWN_REPORT },
	{ .letter = 'F', .no = P_HOLDS_REPORT },
	{ .letter = 'K', .no = P_LAST_HEARD | P_OVERRIDE },
	{ .letter = 'H', .no = P_SUFFICIENT | P_OVERRIDE },
	{ .letter = 'G', .no = P_MAXIMAL | P_OVERRIDE },
	{ .letter = 'I', .no = P_HOLDS_COMMITTED | P_OVERRIDE },
	{ .letter = 'N', .no = P_LEASE_OUT },
	{ .letter = 'A' },
};

static bool identity_ok(const struct swb_cert *cert,
			const struct swb_candidate *me)
{
	return swb_uuid_equal(&cert->volume, &me->volume) &&
	       swb_uuid_equal(&cert->candidate, &me->replica) &&
	       swb_uuid_equal(&cert->store, &me->store) &&
	       cert->store_generation == me->store_generation;
}

static bool configs_ok(const struct swb_cert *cert,
		       const struct swb_candidate *me)
{
	u32 i;

	if (!swb_config_valid(&cert->config) ||
	    !is_member(&cert->config, &me->replica, ranked_mask(&cert->config)))
		return false;
	if (cert->report_count > SWB_MEMBERS_MAX ||
	    cert->judge_count > SWB_CONFIGS_MAX)
		return false;
	if (cert->last_granted_epoch && !cert->judge_count)
		return false;		/* somebody could commit: P1 */
	for (i = 0; i < cert->judge_count; i++)
		if (!swb_config_valid(&cert->judge[i]))
			return false;
	return true;
}

static bool last_primary_heard(const struct swb_cert *cert)
{
	const struct swb_report *r;
	u32 i;

	if (swb_uuid_is_null(&cert->last_granted))
		return true;
	r = report_of(cert->report, report_count(cert), &cert->last_granted);
	if (r && counts(r, cert->epoch))
		return true;
	for (i = 0; i < cert->judge_count && i < SWB_CONFIGS_MAX; i++)
		if (cert->judge[i].mode == SWBLOCK_MODE_BEST_EFFORT)
			return false;	/* P15 */
	return true;
}

static bool sufficient(const struct swb_cert *cert)
{
	return swb_evidence_joint(cert->judge, cert->judge_count, cert->epoch,
				  cert->report, report_count(cert),
				  &cert->last_granted);
}

static bool maximal(const struct swb_cert *cert, const struct swb_report *own)
{
	int best = swb_promote_best(cert);

	return best < 0 || !ranks_above(&cert->report[best], own);
}

static bool holds_committed(const struct swb_cert *cert,
			    const struct swb_candidate *me)
{
	u32 i;

	for (i = 0; i < report_count(cert); i++)
		if (cert->report[i].adopted == cert->epoch &&
		    cert->report[i].committed > me->durable)
			return false;	/* P16 */
	return true;
}

static bool lease_out(const struct swb_cert *cert)
{
	const struct swb_report *r;

	if (swb_uuid_is_null(&cert->last_granted) ||
	    (cert->flags & SWBLOCK_CERT_LEASE_WAITED))
		return true;
	r = report_of(cert->report, report_count(cert), &cert->last_granted);
	return r && r->adopted == cert->epoch;	/* P13: it serves no more */
}

u8 swb_promote_judge(const struct swb_cert *cert, const struct swb_candidate *me)
{
	const struct swb_report *own;
	u32 facts;

	own = report_of(cert->report, report_count(cert), &me->replica);
	if (own && own->adopted != cert->epoch)
		own = NULL;
	facts = swb_fact(identity_ok(cert, me), P_IDENTITY) |
		swb_fact(configs_ok(cert, me), P_CONFIG) |
		swb_fact(cert->epoch == me->adopted && !me->adopting &&
			 cert->epoch, P_ADOPTED) |
		swb_fact(me->primary && cert->epoch == me->opened, P_PRIMARY) |
		swb_fact(cert->epoch > me->opened, P_NOT_OPENED) |
		swb_fact(me->flags & SWB_VOID, P_VOID) |
		swb_fact(own, P_OWN_REPORT) |
		swb_fact(own && me->durable >= own->durable &&
			 me->last_epoch >= own->last_epoch, P_HOLDS_REPORT) |
		swb_fact(last_primary_heard(cert), P_LAST_HEARD) |
		swb_fact(sufficient(cert), P_SUFFICIENT) |
		swb_fact(own && maximal(cert, own), P_MAXIMAL) |
		swb_fact(holds_committed(cert, me), P_HOLDS_COMMITTED) |
		swb_fact(lease_out(cert), P_LEASE_OUT) |
		swb_fact(cert->flags & SWBLOCK_CERT_OVERRIDE, P_OVERRIDE);
	return swb_table_match(promote_table, ARRAY_SIZE(promote_table),
			       facts)->letter;
}
