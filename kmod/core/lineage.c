// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lineage: which epoch opened at which LSN, and where two histories part.
 *
 * An entry is an open record that is in the log (or was, before it was
 * trimmed). The range of entry i ends before the first LSN of entry i + 1, the
 * last range at the log's end. Within an epoch one primary appends, so two logs
 * that hold the same epoch at x are equal up to x (I-032): comparing two small
 * tables compares two histories. Pure, no lock, any context.
 */
#include "lineage.h"

static void fold_oldest(struct swb_lineage *l)
{
	memmove(&l->e[0], &l->e[1], (l->count - 1) * sizeof(l->e[0]));
	l->count--;
	l->floor_lsn = l->e[0].first_lsn;	/* P18 */
}

void swb_lineage_open(struct swb_lineage *l, u64 epoch, u64 first_lsn, u32 flags)
{
	struct swb_lineage_entry *e;

	if (l->count == SWB_LINEAGE_MAX)
		fold_oldest(l);
	e = &l->e[l->count++];
	e->epoch = epoch;
	e->first_lsn = first_lsn;
	e->flags = flags;
}

void swb_lineage_cut(struct swb_lineage *l, u64 lsn)
{
	while (l->count && l->e[l->count - 1].first_lsn > lsn)	/* P18 */
		l->count--;
}

u64 swb_lineage_epoch_at(const struct swb_lineage *l, u64 lsn)
{
	u32 i;

	for (i = l->count; i > 0; i--)
		if (l->e[i - 1].first_lsn <= lsn)
			return l->e[i - 1].epoch;
	return 0;
}

/* last LSN of entry @i in a log that ends at @end */
static u64 last_lsn_of(const struct swb_lineage *l, u32 i, u64 end)
{
	return i + 1 < l->count ? l->e[i + 1].first_lsn - 1 : end;
}

enum swb_lineage_verdict swb_lineage_match(const struct swb_lineage *a, u64 a_end,
					   const struct swb_lineage *b, u64 b_end,
					   u64 *match)
{
	u32 i = a->count, j = b->count;
	bool found = false;

	*match = 0;
	/* both ascend: walk down from the newest, as in a merge */
	while (i > 0 && j > 0) {
		const struct swb_lineage_entry *x = &a->e[i - 1];
		const struct swb_lineage_entry *y = &b->e[j - 1];

		if (x->epoch > y->epoch) {
			i--;
			continue;
		}
		if (x->epoch < y->epoch) {
			j--;
			continue;
		}
		if (x->first_lsn != y->first_lsn)	/* P2 */
			return SWB_LINEAGE_TWO_OPENINGS;
		if (!found)
			*match = min_t(u64, last_lsn_of(a, i - 1, a_end),
				       last_lsn_of(b, j - 1, b_end));
		found = true;
		i--;
		j--;
	}
	if (found || !a_end || !b_end)
		return SWB_LINEAGE_MATCH;	/* an empty log parts at 0 */
	if (a->floor_lsn || b->floor_lsn)
		return SWB_LINEAGE_BELOW_FLOOR;
	return SWB_LINEAGE_MATCH;
}

bool swb_lineage_override_between(const struct swb_lineage *l, u64 lo, u64 hi)
{
	u32 i;

	for (i = 0; i < l->count; i++)
		if ((l->e[i].flags & SWB_LINEAGE_OVERRIDE) &&
		    l->e[i].first_lsn > lo && l->e[i].first_lsn <= hi)
			return true;
	return false;
}

bool swb_lineage_valid(const struct swb_lineage *l)
{
	u32 i;

	if (l->count > SWB_LINEAGE_MAX)
		return false;
	for (i = 0; i < l->count; i++) {
		if (!l->e[i].epoch || !l->e[i].first_lsn)
			return false;
		if (l->e[i].flags & ~(u32)SWB_LINEAGE_OVERRIDE)
			return false;
		if (i && (l->e[i].epoch <= l->e[i - 1].epoch ||
			  l->e[i].first_lsn <= l->e[i - 1].first_lsn))
			return false;
	}
	return !l->count || l->floor_lsn <= l->e[0].first_lsn;
}
