/* SPDX-License-Identifier: GPL-2.0-only */
/* Ways to show histograms. All write to a file and decide nothing. */
#ifndef SWB_BPF_DRAW_H
#define SWB_BPF_DRAW_H

#include <stdio.h>

#include "names.h"
#include "series.h"

#define DRAW_TIME_MAX	16

/**
 * struct draw - what every drawing needs
 * @out: where to
 * @names: of members and peers
 * @how: "tp_btf" or "raw_tp"
 * @color: @out is a terminal with 256 colours
 */
struct draw {
	FILE *out;
	const struct names *names;
	const char *how;
	bool color;
};

/** draw_time() - 1.25ms: three digits, and a unit */
const char *draw_time(uint64_t ns, char buf[DRAW_TIME_MAX]);
/** draw_edge() - an edge of a slot, short: 16us, where 1us is 1024 ns */
const char *draw_edge(unsigned int slot, char buf[DRAW_TIME_MAX]);
/** draw_level() - how dark @n is beside @most, 0 (only for none) to @levels - 1 */
unsigned int draw_level(uint64_t n, uint64_t most, unsigned int levels);

/** draw_table() - a line for each histogram: count, percentiles, density */
void draw_table(const struct draw *d, const struct lat_snap *s);
/** draw_bars() - a line for each slot of each histogram */
void draw_bars(const struct draw *d, const struct lat_snap *s);

/**
 * draw_heat() - one line of a map whose time goes down
 * @d: where to
 * @s: an interval
 * @stage: of this stage; all members and peers together
 * @line: how many lines there were; the scale is repeated now and then
 */
void draw_heat(const struct draw *d, const struct lat_snap *s, uint32_t stage,
	       unsigned int line);

/** draw_json() - one object on one line, docs/schema/swblock-lat.json. Return: 0, -ENOMEM */
int draw_json(const struct draw *d, const struct lat_snap *s);

/**
 * draw_svg() - a picture: for each histogram a map of time and latency
 * @d: where to
 * @s: intervals
 * @all: their sum
 */
void draw_svg(const struct draw *d, const struct series *s, const struct lat_snap *all);

#endif /* SWB_BPF_DRAW_H */
