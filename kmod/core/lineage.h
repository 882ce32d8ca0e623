/* SPDX-License-Identifier: GPL-2.0-only */
/* Lineage: which epoch opened at which LSN; where two histories part. Pure. */
#ifndef SWB_CORE_LINEAGE_H
#define SWB_CORE_LINEAGE_H

#include "types.h"

/** swb_lineage_open() - @epoch opens at @first_lsn; folds the oldest when full */
void swb_lineage_open(struct swb_lineage *l, u64 epoch, u64 first_lsn, u32 flags);

/** swb_lineage_cut() - drop what opened above @lsn (P18) */
void swb_lineage_cut(struct swb_lineage *l, u64 lsn);

/** swb_lineage_epoch_at() - epoch of record @lsn, 0 if below the floor or none */
u64 swb_lineage_epoch_at(const struct swb_lineage *l, u64 lsn);

enum swb_lineage_verdict {
	SWB_LINEAGE_MATCH,	/* *match is the last common LSN (0: none written) */
	SWB_LINEAGE_TWO_OPENINGS, /* one epoch, two first LSNs */
	SWB_LINEAGE_BELOW_FLOOR, /* histories part before what is remembered */
};

/**
 * swb_lineage_match() - last LSN that two logs have in common
 * @a: one lineage
 * @a_end: where its log ends, received records included
 * @b: the other
 * @b_end: where its log ends
 * @match: filled, 0 if nothing is common
 *
 * For the newest epoch in both: the smaller of that epoch's two last LSNs.
 */
enum swb_lineage_verdict swb_lineage_match(const struct swb_lineage *a, u64 a_end,
					   const struct swb_lineage *b, u64 b_end,
					   u64 *match);

/** swb_lineage_override_between() - did an override epoch open in (lo, hi]? */
bool swb_lineage_override_between(const struct swb_lineage *l, u64 lo, u64 hi);

/** swb_lineage_valid() - ascending in both numbers, count in range */
bool swb_lineage_valid(const struct swb_lineage *l);

#endif /* SWB_CORE_LINEAGE_H */
