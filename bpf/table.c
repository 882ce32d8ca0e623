// SPDX-License-Identifier: GPL-2.0-only
/* Histograms for a terminal: a table with densities, bars, a heat map over time. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "core/core.h"
#include "core/text.h"
#include "draw.h"

#define BAR_WIDTH	40
#define HEAT_FIRST	10	/* 1 us: writes are not faster */
#define HEAT_LAST	31	/* 2 s, and beyond */
#define HEAT_SCALE	20	/* lines between two scales */

static const char ramp[] = " .:-=+*#%@";

/* from dark blue to yellow, of the 256 that terminals have */
static const unsigned char shade[] = { 0, 17, 18, 54, 90, 126, 162, 203, 215, 227 };

const char *draw_time(uint64_t ns, char buf[DRAW_TIME_MAX])
{
	static const char *const unit[] = { "ns", "us", "ms", "s" };
	double v = (double)ns;
	unsigned int i;

	for (i = 0; i < 3 && v >= 999.5; i++)
		v /= 1000;
	snprintf(buf, DRAW_TIME_MAX, "%.*f%s", v < 9.995 ? 2 : v < 99.95 ? 1 : 0, v, unit[i]);
	return buf;
}

const char *draw_edge(unsigned int slot, char buf[DRAW_TIME_MAX])
{
	static const char *const unit[] = { "ns", "us", "ms", "s" };

	snprintf(buf, DRAW_TIME_MAX, "%u%s", 1u << slot % 10, unit[slot / 10]);
	return buf;
}

unsigned int draw_level(uint64_t n, uint64_t most, unsigned int levels)
{
	unsigned int part = 1;
	double of = (double)n / (double)(most ? most : 1), edge = 1;

	if (!n)
		return 0;
	/* each level is half as much as the next, so that rare ones are seen, too */
	for (part = levels - 1; part > 1 && of < edge / 2; part--)
		edge /= 2;
	return part;
}

static void say_head(const struct draw *d, const struct lat_snap *s)
{
	time_t at = (time_t)(s->at_ns / 1000000000);
	char text[32], length[DRAW_TIME_MAX];
	struct tm tm;

	localtime_r(&at, &tm);
	strftime(text, sizeof(text), "%H:%M:%S", &tm);
	fprintf(d->out, "%s  %s by %s", text, draw_time(s->length_ns, length), d->how);
	if (s->lost)
		fprintf(d->out, ", %" PRIu64 " events had no place in the map", s->lost);
	fputc('\n', d->out);
	if (!s->count)
		fputs("  nothing was measured\n", d->out);
}

static uint64_t most_of(const struct swblock_lat_hist *h)
{
	uint64_t most = 0;
	unsigned int i;

	for (i = 0; i < SWBLOCK_LAT_SLOTS; i++)
		most = h->slot[i] > most ? h->slot[i] : most;
	return most;
}

static void put_cell(const struct draw *d, uint64_t n, uint64_t most)
{
	unsigned int level = draw_level(n, most, sizeof(ramp) - 1);

	if (d->color && level)
		fprintf(d->out, "\033[48;5;%um \033[0m", shade[level]);
	else
		fputc(ramp[level], d->out);
}

/* Of one volume: a line of names, then one for each stage and peer. */
static void put_volume_head(const struct draw *d, uint32_t id, unsigned int lo,
			    unsigned int hi)
{
	char name[2 * NAME_MAX_LEN], from[DRAW_TIME_MAX], to[DRAW_TIME_MAX];
	int width = (int)(hi - lo) + 1;

	draw_edge(lo, from);
	draw_edge(hi + 1, to);
	fprintf(d->out, "%s\n  %-13s %-12s %9s %8s %8s %8s %8s  |%-*s| to %s\n",
		names_member(d->names, id, name), "stage", "peer", "count", "average", "p50",
		"p99", "p99.9", width, from, to);
}

static void put_row(const struct draw *d, const struct lat_row *row, unsigned int lo,
		    unsigned int hi)
{
	static const uint32_t percent[] = { 5000, 9900, 9990 };
	uint64_t n = hist_events(&row->hist), most = most_of(&row->hist);
	char peer[NAME_MAX_LEN], text[DRAW_TIME_MAX];
	unsigned int i;

	fprintf(d->out, "  %-13s %-12s %9" PRIu64 " %8s", swb_text_stage(row->key.stage),
		names_peer(d->names, &row->key, peer), n,
		draw_time(n ? row->hist.sum_ns / n : 0, text));
	for (i = 0; i < sizeof(percent) / sizeof(*percent); i++)
		fprintf(d->out, " %8s",
			draw_time(hist_percentile(&row->hist, percent[i]), text));
	fputs("  |", d->out);
	for (i = lo; i <= hi; i++)
		put_cell(d, row->hist.slot[i], most);
	fputs("|\n", d->out);
}

void draw_table(const struct draw *d, const struct lat_snap *s)
{
	unsigned int i, lo = 1, hi = 0;

	say_head(d, s);
	for (i = 0; i < s->count; i++)
		hist_span(&s->row[i].hist, &lo, &hi);
	/* room for the edge that stands there */
	if (lo <= hi && hi - lo < 5)
		hi = lo + 5 < SWBLOCK_LAT_SLOTS ? lo + 5 : SWBLOCK_LAT_SLOTS - 1;
	for (i = 0; i < s->count; i++) {
		if (!i || s->row[i].key.volume != s->row[i - 1].key.volume)
			put_volume_head(d, s->row[i].key.volume, lo, hi);
		put_row(d, &s->row[i], lo, hi);
	}
}

static void put_bars(const struct draw *d, const struct swblock_lat_hist *h)
{
	uint64_t most = most_of(h);
	char from[DRAW_TIME_MAX], to[DRAW_TIME_MAX];
	unsigned int i, lo = 1, hi = 0;
	int bar;

	hist_span(h, &lo, &hi);
	for (i = lo; i <= hi; i++) {
		bar = (int)((double)h->slot[i] / (double)most * BAR_WIDTH + 0.5);
		fprintf(d->out, "  %8s .. %-8s %9" PRIu64 " |%.*s%*s|\n",
			i ? draw_edge(i, from) : "0",
			i + 1 < SWBLOCK_LAT_SLOTS ? draw_edge(i + 1, to) : "",
			(uint64_t)h->slot[i], bar,
			"****************************************", BAR_WIDTH - bar, "");
	}
}

void draw_bars(const struct draw *d, const struct lat_snap *s)
{
	char name[2 * NAME_MAX_LEN], peer[NAME_MAX_LEN], text[DRAW_TIME_MAX];
	const struct lat_row *row;
	unsigned int i;
	uint64_t n;

	say_head(d, s);
	for (i = 0; i < s->count; i++) {
		row = &s->row[i];
		n = hist_events(&row->hist);
		fprintf(d->out, "%s  %s", names_member(d->names, row->key.volume, name),
			swb_text_stage(row->key.stage));
		if (row->key.peer != SWBLOCK_LAT_NOBODY)
			fprintf(d->out, " of %s", names_peer(d->names, &row->key, peer));
		fprintf(d->out, ": %" PRIu64 ", average %s\n", n,
			draw_time(n ? row->hist.sum_ns / n : 0, text));
		put_bars(d, &row->hist);
	}
}

/* Every third edge; a slot is two characters wide. */
static void put_scale(const struct draw *d)
{
	char text[DRAW_TIME_MAX];
	unsigned int i;

	fprintf(d->out, "%-8s %9s  ", "time", "count");
	for (i = HEAT_FIRST; i <= HEAT_LAST; i += 3)
		fprintf(d->out, "%-6s", draw_edge(i, text));
	fputc('\n', d->out);
}

void draw_heat(const struct draw *d, const struct lat_snap *s, uint32_t stage,
	       unsigned int line)
{
	struct swblock_lat_hist h = { 0 };
	time_t at = (time_t)(s->at_ns / 1000000000);
	char text[32];
	struct tm tm;
	unsigned int i;

	for (i = 0; i < s->count; i++)
		if (s->row[i].key.stage == stage)
			hist_merge(&h, &s->row[i].hist);
	for (i = 0; i < SWBLOCK_LAT_SLOTS; i++)	/* what is beyond goes to the ends */
		if (i < HEAT_FIRST || i > HEAT_LAST) {
			h.slot[i < HEAT_FIRST ? HEAT_FIRST : HEAT_LAST] += h.slot[i];
			h.slot[i] = 0;
		}
	if (line % HEAT_SCALE == 0)
		put_scale(d);
	localtime_r(&at, &tm);
	strftime(text, sizeof(text), "%H:%M:%S", &tm);
	fprintf(d->out, "%s %9" PRIu64 " |", text, hist_events(&h));
	for (i = HEAT_FIRST; i <= HEAT_LAST; i++) {
		put_cell(d, h.slot[i], most_of(&h));
		put_cell(d, h.slot[i], most_of(&h));
	}
	fputs("|\n", d->out);
}
