// SPDX-License-Identifier: GPL-2.0-only
/* Intervals for a picture; see series.h. Pure. */
#include <errno.h>

#include "series.h"

/* Pairs become one. Called when all are there, which is an even number. */
static int fold(struct series *s)
{
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i + 1 < s->count; i += 2) {
		err = snap_merge(&s->col[i], &s->col[i + 1]);
		snap_free(&s->col[i + 1]);
		if (i) {
			s->col[i / 2] = s->col[i];
			s->col[i] = (struct lat_snap){ 0 };
		}
	}
	s->count /= 2;
	s->fold *= 2;
	s->in_last = s->fold;
	return err;
}

int series_push(struct series *s, const struct lat_snap *one)
{
	int err = 0;

	_Static_assert(SERIES_MAX % 2 == 0, "folded in pairs");
	if (!s->fold)
		s->fold = 1;
	if (s->count == SERIES_MAX && s->in_last == s->fold)
		err = fold(s);
	if (err)
		return err;
	if (!s->count || s->in_last == s->fold) {
		s->count++;
		s->in_last = 0;
	}
	s->in_last++;
	return snap_merge(&s->col[s->count - 1], one);
}

int series_sum(const struct series *s, struct lat_snap *out)
{
	unsigned int i;
	int err = 0;

	*out = (struct lat_snap){ 0 };
	for (i = 0; !err && i < s->count; i++)
		err = snap_merge(out, &s->col[i]);
	if (err)
		snap_free(out);
	return err;
}

void series_free(struct series *s)
{
	while (s->count)
		snap_free(&s->col[--s->count]);
	*s = (struct series){ 0 };
}
