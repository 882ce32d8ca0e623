/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of decide share: who is well, which configuration comes next. */
#ifndef SWB_CORE_DECIDE_PARTS_H
#define SWB_CORE_DECIDE_PARTS_H

#include "core.h"
#include "decide.h"

#define SWB_VOID_FLAGS \
	(SWBLOCK_REPORT_INCONSISTENT | SWBLOCK_REPORT_DISK_FAILED)

/** swb_view_find() - index of a member in the view, SWB_NOBODY if it is not there */
u8 swb_view_find(const struct swb_volume_view *v, const struct swb_uuid *replica);

/** swb_view_alive() - attached somewhere, and its host shows signs of life */
bool swb_view_alive(const struct swb_volume_view *v, u8 i);

/** swb_view_void() - its copy counts for nothing, as far as is known (P7) */
bool swb_view_void(const struct swb_volume_view *v, u8 i);

/** swb_view_report() - its report of the record's epoch, NULL if there is none */
const struct swb_report *swb_view_report(const struct swb_volume_view *v, u8 i);

/** swb_view_report_flags() - those of that report, and a disk failure since (P17a) */
u32 swb_view_report_flags(const struct swb_volume_view *v, u8 i);

/** swb_view_in_sync() - a living member that the primary calls in sync, or itself */
bool swb_view_in_sync(const struct swb_volume_view *v, u8 i);

/** swb_config_required() - is @replica a member of @cfg whose word counts? */
bool swb_config_required(const struct swb_config *cfg,
			 const struct swb_uuid *replica);

/** swb_config_same() - same rule, members and required set, in whatever order */
bool swb_config_same(const struct swb_config *a, const struct swb_config *b);

/** swb_wish_valid() - possible: by itself, and seen from what was granted */
bool swb_wish_valid(const struct swb_volume_view *v);

/**
 * swb_wish_config_stands() - is the granted configuration what was wished for?
 * The primary of sync_all is required, wished or not.
 */
bool swb_wish_config_stands(const struct swb_volume_view *v);

/** swb_wish_pending() - declared, and no grant has taken it up yet */
bool swb_wish_pending(const struct swb_volume_view *v);

/**
 * swb_config_first() - what the first epoch proposes
 * Return: whether enough members are there to serve under it.
 */
bool swb_config_first(const struct swb_volume_view *v, struct swb_config *out);

/** swb_config_base() - the granted one, without the required members that are lost */
void swb_config_base(const struct swb_volume_view *v, struct swb_config *out);

/**
 * swb_config_next() - one step from the granted configuration towards the wish,
 * while a primary serves
 * @v: view
 * @out: the next configuration; the granted one if there is none
 * @missing: bit per view member that such a step waits for
 *
 * Return: SWB_CAUSE_SHRINK, _GROW, _CONFIG, or _NONE.
 */
u8 swb_config_next(const struct swb_volume_view *v, struct swb_config *out,
		   u32 *missing);

/**
 * swb_config_final() - what is granted to a candidate
 * @v: view, won by this controller
 * @candidate: index in the view
 * @out: filled
 *
 * Return: false if there is none: the candidate is no member, or four are
 * unsettled and it is in none of them (P1).
 */
bool swb_config_final(const struct swb_volume_view *v, u8 candidate,
		      struct swb_config *out);

/* decide_grant.c */

/** swb_view_hope() - would those who live give sufficient evidence? */
bool swb_view_hope(const struct swb_volume_view *v);

/** swb_view_proof_lost() - does it need a last primary whom nobody hears? (P15) */
bool swb_view_proof_lost(const struct swb_volume_view *v);

/** swb_view_override() - member that an override of the operator is for, or NOBODY */
u8 swb_view_override(const struct swb_volume_view *v);

/** swb_view_lease_over_ns() - when a lease that nobody gave back has run out (P13) */
u64 swb_view_lease_over_ns(const struct swb_volume_view *v);

/** swb_decide_won() - the facts of an epoch that this controller has won */
void swb_decide_won(const struct swb_volume_view *v, struct swb_volume_facts *f,
		    struct swb_volume_decision *d);

#endif /* SWB_CORE_DECIDE_PARTS_H */
