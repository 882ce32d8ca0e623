/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Promotion: is a certificate enough? The controller asks before it grants, the
 * candidate's kernel asks again before it opens. Pure and total.
 */
#ifndef SWB_CORE_PROMOTE_H
#define SWB_CORE_PROMOTE_H

#include "types.h"

/** swb_config_valid() - counts, bits, mode and policy make sense together */
bool swb_config_valid(const struct swb_config *cfg);

/**
 * swb_evidence_sufficient() - do these reports suffice under one configuration?
 * @cfg: the configuration
 * @epoch: epoch that they must be of
 * @r: reports
 * @n: their number
 * @last_granted: who was granted last, null if nobody ever was
 *
 * sync_quorum: a majority of members; sync_all: any one of the required set;
 * best_effort: the last granted primary's own report (P15). Void reports
 * (inconsistent, disk failed) and reports of another epoch never count (P7).
 */
bool swb_evidence_sufficient(const struct swb_config *cfg, u64 epoch,
			     const struct swb_report *r, u32 n,
			     const struct swb_uuid *last_granted);

/**
 * swb_evidence_joint() - and under each of several configurations (P1)?
 * @judge: those that may have committed since the last settled one
 * @judges: their number
 * @epoch: epoch that the reports must be of
 * @r: reports
 * @n: their number
 * @last_granted: who was granted last, null if nobody ever was
 */
bool swb_evidence_joint(const struct swb_config *judge, u32 judges, u64 epoch,
			const struct swb_report *r, u32 n,
			const struct swb_uuid *last_granted);

/**
 * swb_promote_best() - the report that ranks highest
 * @cert: certificate, or what will become one
 *
 * By (last epoch, durable LSN), among those that may be ranked.
 *
 * Return: its index, the lowest of equals, or -1.
 */
int swb_promote_best(const struct swb_cert *cert);

/**
 * struct swb_candidate - the candidate's own state, as the kernel knows it
 * @volume: own volume
 * @replica: own replica id
 * @store: own store, null before the first adoption
 * @store_generation: of that store
 * @adopted: adopted epoch
 * @adopting: an adoption is still running
 * @opened: newest epoch opened here
 * @last_epoch: of the last record
 * @durable: durable LSN
 * @flags: SWBLOCK_REPORT_*
 * @primary: already primary, or opening an epoch
 */
struct swb_candidate {
	struct swb_uuid volume;
	struct swb_uuid replica;
	struct swb_uuid store;
	u64 store_generation;
	u64 adopted;
	bool adopting;
	u64 opened;
	u64 last_epoch;
	u64 durable;
	u32 flags;
	bool primary;
};

/**
 * swb_promote_judge() - letter 'A' if the certificate is enough, else why not
 * @cert: certificate
 * @me: the candidate
 *
 * Letters as in docs/design/state-model.md. An override waives only evidence,
 * rank and known-C (G, H, I, K), never identity, epoch or a void copy.
 */
u8 swb_promote_judge(const struct swb_cert *cert, const struct swb_candidate *me);

#endif /* SWB_CORE_PROMOTE_H */
