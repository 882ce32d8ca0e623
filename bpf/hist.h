/* SPDX-License-Identifier: GPL-2.0-only */
/* Arithmetic of log2 histograms and of what was read at one moment. Pure. */
#ifndef SWB_BPF_HIST_H
#define SWB_BPF_HIST_H

#include <stdbool.h>
#include <stdint.h>

#include "hist.bpf.h"

/* Percentiles are given in parts of this. */
#define HIST_PARTS	10000

/** struct lat_row - a histogram and what it is of */
struct lat_row {
	struct swblock_lat_key key;
	struct swblock_lat_hist hist;
};

/**
 * struct lat_snap - all histograms of one moment, or what came between two
 * @at_ns: when it was read: CLOCK_REALTIME, for people
 * @mono_ns: the same of a clock that nobody sets
 * @length_ns: how long it was counted, 0 if this is no difference
 * @lost: events that were not counted
 * @count: rows
 * @row: in the order of volume, stage, peer
 */
struct lat_snap {
	uint64_t at_ns;
	uint64_t mono_ns;
	uint64_t length_ns;
	uint64_t lost;
	unsigned int count;
	struct lat_row *row;
};

/** hist_edge() - the least time of a slot; of SWBLOCK_LAT_SLOTS: where the last ends */
uint64_t hist_edge(unsigned int slot);
uint64_t hist_events(const struct swblock_lat_hist *h);
void hist_merge(struct swblock_lat_hist *to, const struct swblock_lat_hist *from);

/**
 * hist_percentile() - upper edge of the slot that holds it
 * @h: histogram
 * @parts: of HIST_PARTS
 *
 * Return: at least the true value and at most twice it; of the last slot its lower
 * edge; 0 without events.
 */
uint64_t hist_percentile(const struct swblock_lat_hist *h, uint32_t parts);

/** hist_span() - widen [@lo, @hi] to the slots in use; start with lo > hi */
void hist_span(const struct swblock_lat_hist *h, unsigned int *lo, unsigned int *hi);

void snap_sort(struct lat_snap *s);
struct lat_row *snap_find(const struct lat_snap *s, const struct swblock_lat_key *key);
/** snap_add() - add a histogram to its row, a new one at its place. Return: 0, -ENOMEM */
int snap_add(struct lat_snap *s, const struct lat_row *row);
/** snap_merge() - all rows and lengths of @from. Return: 0 or -ENOMEM */
int snap_merge(struct lat_snap *to, const struct lat_snap *from);
/**
 * snap_diff() - what came between two readings; rows without events are left out
 * @now: the later one
 * @before: the earlier one; where it counts more, the map is a new one: all of @now
 * @out: to be freed with snap_free()
 *
 * Return: 0 or -ENOMEM
 */
int snap_diff(const struct lat_snap *now, const struct lat_snap *before,
	      struct lat_snap *out);
void snap_free(struct lat_snap *s);

#endif /* SWB_BPF_HIST_H */
