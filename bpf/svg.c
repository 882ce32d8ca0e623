// SPDX-License-Identifier: GPL-2.0-only
/*
 * A picture of histograms over time, without scripts, fonts or anything from
 * elsewhere: a panel for each volume, stage and peer, time to the right, latency
 * upwards by powers of two, the same scale in all of them. Colour is how many.
 */
#include <inttypes.h>
#include <time.h>

#include "core/core.h"
#include "core/text.h"
#include "draw.h"

#define ACROSS		3	/* panels in a line */
#define PANEL_W		300
#define PANEL_H		130
#define MAP_X		44	/* of the map in its panel */
#define MAP_Y		20
#define MAP_W		246
#define MAP_H		92
#define HEAD_H		26	/* of the name of a volume */
#define FOOT_H		26
#define LEVELS		8

/* light to dark; the first is for none and never drawn */
static const char *const shade[LEVELS] = {
	"#ffffff", "#dceaf7", "#b3d3eb", "#7fb5da", "#4d93c5", "#2470ad", "#0f4c87", "#062a55",
};

/**
 * struct scale - what all panels share
 * @lo: lowest slot in use
 * @hi: highest
 * @begin_ns: when the first interval began
 * @length_ns: of all intervals
 */
struct scale {
	unsigned int lo, hi;
	uint64_t begin_ns;
	uint64_t length_ns;
};

/* Labels come from disks: <, & and " are not for the picture to understand. */
static void put_text(FILE *out, const char *text)
{
	for (; *text; text++)
		if (*text == '<')
			fputs("&lt;", out);
		else if (*text == '>')
			fputs("&gt;", out);
		else if (*text == '&')
			fputs("&amp;", out);
		else if (*text == '"')
			fputs("&quot;", out);
		else
			fputc((unsigned char)*text < ' ' ? '?' : *text, out);
}

static double slot_h(const struct scale *sc)
{
	return (double)MAP_H / (sc->hi - sc->lo + 1);
}

/* Height above which a slot is drawn. */
static double slot_y(const struct scale *sc, unsigned int slot)
{
	return MAP_Y + MAP_H - (slot - sc->lo + 1) * slot_h(sc);
}

static double time_x(const struct scale *sc, uint64_t ns)
{
	return MAP_X + (double)ns / (double)(sc->length_ns ? sc->length_ns : 1) * MAP_W;
}

static uint64_t most_of(const struct series *s, const struct swblock_lat_key *key)
{
	const struct lat_row *row;
	uint64_t most = 0;
	unsigned int i, k;

	for (i = 0; i < s->count; i++) {
		row = snap_find(&s->col[i], key);
		for (k = 0; row && k < SWBLOCK_LAT_SLOTS; k++)
			most = row->hist.slot[k] > most ? row->hist.slot[k] : most;
	}
	return most;
}

/* The cells of one level together: the colour is said once. */
static void put_level(FILE *out, const struct series *s, const struct scale *sc,
		      const struct swblock_lat_key *key, uint64_t most, unsigned int level)
{
	const struct lat_row *row;
	unsigned int i, k, any = 0;
	uint64_t at = 0;

	for (i = 0; i < s->count; at += s->col[i++].length_ns) {
		row = snap_find(&s->col[i], key);
		for (k = sc->lo; row && k <= sc->hi; k++) {
			if (draw_level(row->hist.slot[k], most, LEVELS) != level)
				continue;
			if (!any++)
				fprintf(out, "<path fill=\"%s\" d=\"", shade[level]);
			fprintf(out, "M%.1f %.1fh%.1fv%.1fh-%.1fz", time_x(sc, at),
				slot_y(sc, k),
				time_x(sc, at + s->col[i].length_ns) - time_x(sc, at),
				slot_h(sc),
				time_x(sc, at + s->col[i].length_ns) - time_x(sc, at));
		}
	}
	if (any)
		fputs("\"/>\n", out);
}

static double percentile_y(const struct scale *sc, const struct swblock_lat_hist *h,
			   uint32_t parts)
{
	return slot_y(sc, swblock_lat_slot(hist_percentile(h, parts) - 1));
}

/* A step at the upper edge of the slot that holds a percentile, where there is one. */
static void put_line(FILE *out, const struct series *s, const struct scale *sc,
		     const struct swblock_lat_key *key, uint32_t parts, const char *colour)
{
	const struct lat_row *row;
	unsigned int i;
	uint64_t at = 0;

	fprintf(out, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\" d=\"", colour);
	for (i = 0; i < s->count; at += s->col[i++].length_ns) {
		row = snap_find(&s->col[i], key);
		if (row)
			fprintf(out, "M%.1f %.1fH%.1f", time_x(sc, at),
				percentile_y(sc, &row->hist, parts),
				time_x(sc, at + s->col[i].length_ns));
	}
	fputs("\"/>\n", out);
}

static void put_axes(FILE *out, const struct scale *sc)
{
	unsigned int step = (sc->hi - sc->lo) / 4 + 1, k;
	char text[DRAW_TIME_MAX];

	fprintf(out, "<path fill=\"none\" stroke=\"#999\" d=\"M%d %dv%dh%d\"/>\n", MAP_X, MAP_Y,
		MAP_H, MAP_W);
	for (k = sc->lo; k <= sc->hi + 1; k += step)
		fprintf(out, "<text class=\"t\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
			MAP_X - 4, slot_y(sc, k) + slot_h(sc) + 3, draw_edge(k, text));
	fprintf(out, "<text class=\"t\" x=\"%d\" y=\"%d\">0</text>\n", MAP_X, MAP_Y + MAP_H + 12);
	fprintf(out, "<text class=\"t\" x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n",
		MAP_X + MAP_W, MAP_Y + MAP_H + 12, draw_time(sc->length_ns, text));
}

static void put_panel(const struct draw *d, const struct series *s, const struct scale *sc,
		      const struct lat_row *row, unsigned int x, unsigned int y)
{
	uint64_t most = most_of(s, &row->key);
	char peer[NAME_MAX_LEN], median[DRAW_TIME_MAX], slow[DRAW_TIME_MAX];
	unsigned int level;

	fprintf(d->out, "<g transform=\"translate(%u,%u)\">\n", x, y);
	fprintf(d->out, "<text class=\"h\" x=\"%d\" y=\"14\">%s", MAP_X,
		swb_text_stage(row->key.stage));
	if (row->key.peer != SWBLOCK_LAT_NOBODY) {
		fputs(" of ", d->out);
		put_text(d->out, names_peer(d->names, &row->key, peer));
	}
	fprintf(d->out, "</text>\n<text class=\"t\" x=\"%d\" y=\"14\" text-anchor=\"end\">"
		"%" PRIu64 ", p50 %s, p99 %s</text>\n", MAP_X + MAP_W, hist_events(&row->hist),
		draw_time(hist_percentile(&row->hist, 5000), median),
		draw_time(hist_percentile(&row->hist, 9900), slow));
	for (level = 1; level < LEVELS; level++)
		put_level(d->out, s, sc, &row->key, most, level);
	put_line(d->out, s, sc, &row->key, 9900, "#d62728");
	put_line(d->out, s, sc, &row->key, 5000, "#111111");
	put_axes(d->out, sc);
	fputs("</g>\n", d->out);
}

static void put_foot(FILE *out, unsigned int y)
{
	unsigned int i;

	fprintf(out, "<text class=\"t\" x=\"%d\" y=\"%u\">few</text>\n", MAP_X, y);
	for (i = 1; i < LEVELS; i++)
		fprintf(out, "<rect x=\"%u\" y=\"%u\" width=\"16\" height=\"9\" fill=\"%s\"/>\n",
			MAP_X + 8 + i * 16, y - 8, shade[i]);
	fprintf(out, "<text class=\"t\" x=\"%d\" y=\"%u\">many, each half of the next; lines: "
		"<tspan fill=\"#111111\">p50</tspan>, <tspan fill=\"#d62728\">p99</tspan> "
		"(upper edge); scale: powers of two, 1us is 1024ns</text>\n",
		MAP_X + 28 + LEVELS * 16, y);
}

static bool begins_volume(const struct lat_snap *all, unsigned int i)
{
	return !i || all->row[i].key.volume != all->row[i - 1].key.volume;
}

/* Of the picture: each volume has its name, and its panels lines of their own. */
static unsigned int height_of(const struct lat_snap *all)
{
	unsigned int i, n = 0, h = FOOT_H + (all->count ? 0 : HEAD_H);

	for (i = 0; i < all->count; i++) {
		if (begins_volume(all, i)) {
			h += HEAD_H;
			n = 0;
		}
		if (n++ % ACROSS == 0)
			h += PANEL_H;
	}
	return h;
}

static void put_head(const struct draw *d, const struct scale *sc, unsigned int w,
		     unsigned int h)
{
	time_t at = (time_t)(sc->begin_ns / 1000000000);
	char when[32], length[DRAW_TIME_MAX];
	struct tm tm;

	localtime_r(&at, &tm);
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	fprintf(d->out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" "
		"viewBox=\"0 0 %u %u\">\n"
		"<style>text{font-family:sans-serif;fill:#333}.t{font-size:10px}"
		".h{font-size:12px;font-weight:bold}</style>\n"
		"<rect width=\"%u\" height=\"%u\" fill=\"#ffffff\"/>\n", w, h, w, h, w, h);
	fprintf(d->out, "<text class=\"t\" x=\"%u\" y=\"18\" text-anchor=\"end\">%s, %s, by "
		"%s</text>\n", w - 10, when, draw_time(sc->length_ns, length), d->how);
}

static void put_volume(const struct draw *d, uint32_t id, unsigned int y)
{
	char name[2 * NAME_MAX_LEN];

	fprintf(d->out, "<text class=\"h\" x=\"6\" y=\"%u\">", y + 18);
	put_text(d->out, names_member(d->names, id, name));
	fputs("</text>\n", d->out);
}

static void put_panels(const struct draw *d, const struct series *s, const struct scale *sc,
		       const struct lat_snap *all)
{
	unsigned int i, n = 0, y = 0;

	for (i = 0; i < all->count; i++) {
		if (begins_volume(all, i)) {
			y += n ? PANEL_H : 0;
			n = 0;
			put_volume(d, all->row[i].key.volume, y);
			y += HEAD_H;
		} else if (n % ACROSS == 0) {
			y += PANEL_H;
		}
		put_panel(d, s, sc, &all->row[i], n++ % ACROSS * PANEL_W, y);
	}
}

void draw_svg(const struct draw *d, const struct series *s, const struct lat_snap *all)
{
	struct scale sc = { .lo = 1, .length_ns = all->length_ns };
	unsigned int i, h = height_of(all);

	for (i = 0; i < all->count; i++)
		hist_span(&all->row[i].hist, &sc.lo, &sc.hi);
	sc.begin_ns = all->at_ns - all->length_ns;
	put_head(d, &sc, ACROSS * PANEL_W, h);
	if (!all->count)
		fputs("<text class=\"h\" x=\"6\" y=\"18\">nothing was measured</text>\n", d->out);
	put_panels(d, s, &sc, all);
	put_foot(d->out, h - 8);
	fputs("</svg>\n", d->out);
}
