// SPDX-License-Identifier: GPL-2.0-only
/*
 * Log2 histograms: edges, percentiles, differences of two readings. Pure; what is
 * counted while it is read is in one reading or the next, never lost.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hist.h"

uint64_t hist_edge(unsigned int slot)
{
	return slot ? (uint64_t)1 << slot : 0;
}

uint64_t hist_events(const struct swblock_lat_hist *h)
{
	uint64_t n = 0;
	unsigned int i;

	for (i = 0; i < SWBLOCK_LAT_SLOTS; i++)
		n += h->slot[i];
	return n;
}

void hist_merge(struct swblock_lat_hist *to, const struct swblock_lat_hist *from)
{
	unsigned int i;

	to->sum_ns += from->sum_ns;
	for (i = 0; i < SWBLOCK_LAT_SLOTS; i++)
		to->slot[i] += from->slot[i];
}

uint64_t hist_percentile(const struct swblock_lat_hist *h, uint32_t parts)
{
	uint64_t n = hist_events(h), want, below = 0;
	unsigned int i;

	if (!n)
		return 0;
	/* rounded up to a whole event, without overflow of n * parts */
	want = n / HIST_PARTS * parts + (n % HIST_PARTS * parts + HIST_PARTS - 1) / HIST_PARTS;
	if (!want)
		want = 1;
	for (i = 0; i < SWBLOCK_LAT_SLOTS - 1; i++) {
		below += h->slot[i];
		if (below >= want)
			return hist_edge(i + 1);
	}
	return hist_edge(SWBLOCK_LAT_SLOTS - 1);
}

void hist_span(const struct swblock_lat_hist *h, unsigned int *lo, unsigned int *hi)
{
	unsigned int i;

	for (i = 0; i < SWBLOCK_LAT_SLOTS; i++) {
		if (!h->slot[i])
			continue;
		if (*lo > *hi) {
			*lo = i;
			*hi = i;
		}
		*lo = i < *lo ? i : *lo;
		*hi = i > *hi ? i : *hi;
	}
}

static int by_value(uint32_t a, uint32_t b)
{
	return a < b ? -1 : a > b;
}

static int by_key(const void *left, const void *right)
{
	const struct swblock_lat_key *a = left, *b = right;
	int d = by_value(a->volume, b->volume);

	if (!d)
		d = by_value(a->stage, b->stage);
	return d ? d : by_value(a->peer, b->peer);
}

/* The key is what a row begins with. */
void snap_sort(struct lat_snap *s)
{
	qsort(s->row, s->count, sizeof(*s->row), by_key);
}

struct lat_row *snap_find(const struct lat_snap *s, const struct swblock_lat_key *key)
{
	if (!s->count)
		return NULL;
	return bsearch(key, s->row, s->count, sizeof(*s->row), by_key);
}

int snap_add(struct lat_snap *s, const struct lat_row *row)
{
	struct lat_row *at = snap_find(s, &row->key), *more;
	unsigned int i;

	if (at) {
		hist_merge(&at->hist, &row->hist);
		return 0;
	}
	more = realloc(s->row, (s->count + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	s->row = more;
	for (i = s->count; i && by_key(&row->key, &more[i - 1].key) < 0; i--)
		more[i] = more[i - 1];
	more[i] = *row;
	s->count++;
	return 0;
}

int snap_merge(struct lat_snap *to, const struct lat_snap *from)
{
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < from->count; i++)
		err = snap_add(to, &from->row[i]);
	to->at_ns = from->at_ns > to->at_ns ? from->at_ns : to->at_ns;
	to->length_ns += from->length_ns;
	to->lost += from->lost;
	return err;
}

/* false if @old counts what @h does not: it is not of the same map. */
static bool subtract(struct swblock_lat_hist *h, const struct swblock_lat_hist *old)
{
	struct swblock_lat_hist d = { .sum_ns = h->sum_ns - old->sum_ns };
	unsigned int i;

	for (i = 0; i < SWBLOCK_LAT_SLOTS; i++) {
		if (h->slot[i] < old->slot[i])
			return false;
		d.slot[i] = h->slot[i] - old->slot[i];
	}
	*h = d;
	return true;
}

int snap_diff(const struct lat_snap *now, const struct lat_snap *before,
	      struct lat_snap *out)
{
	const struct lat_row *old;
	struct lat_row row;
	unsigned int i;
	int err = 0;

	*out = (struct lat_snap){ .at_ns = now->at_ns, .mono_ns = now->mono_ns };
	out->length_ns = now->mono_ns - before->mono_ns;
	out->lost = now->lost >= before->lost ? now->lost - before->lost : now->lost;
	for (i = 0; !err && i < now->count; i++) {
		row = now->row[i];
		old = snap_find(before, &row.key);
		if (old)
			subtract(&row.hist, &old->hist);
		if (hist_events(&row.hist))
			err = snap_add(out, &row);
	}
	if (err)
		snap_free(out);
	return err;
}

void snap_free(struct lat_snap *s)
{
	free(s->row);
	*s = (struct lat_snap){ 0 };
}
