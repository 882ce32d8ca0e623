/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Intervals one after the other, for a picture. At most SERIES_MAX: then neighbours are
 * merged, so that a run of any length fits into memory and onto a page.
 */
#ifndef SWB_BPF_SERIES_H
#define SWB_BPF_SERIES_H

#include "hist.h"

#define SERIES_MAX	240

/**
 * struct series - intervals in the order of time
 * @count: of them
 * @fold: how many readings are in one of them, but perhaps the last
 * @in_last: readings in the last
 * @col: the intervals
 */
struct series {
	unsigned int count;
	unsigned int fold;
	unsigned int in_last;
	struct lat_snap col[SERIES_MAX];
};

/** series_push() - add one interval; its rows are copied. Return: 0 or -ENOMEM */
int series_push(struct series *s, const struct lat_snap *one);
/** series_sum() - all of them as one, to be freed. Return: 0 or -ENOMEM */
int series_sum(const struct series *s, struct lat_snap *out);
void series_free(struct series *s);

#endif /* SWB_BPF_SERIES_H */
