// SPDX-License-Identifier: GPL-2.0-only
/*
 * Draws what a text says was measured, so that tests can look at drawings.
 *
 *	render table|bars|json|svg|heat:STAGE <TEXT
 *
 *	volume ID MINOR MEMBER PEER...		names
 *	interval SECONDS_SINCE_1970 LENGTH_MS LOST
 *	add VOLUME STAGE PEER NS COUNT		to that interval; PEER - for none
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "draw.h"

static struct names names;
static struct series series;
static struct lat_snap now;

static void broken(const char *line)
{
	fprintf(stderr, "render: %s\n", line);
	exit(2);
}

static void take_volume(const char *line)
{
	struct name_volume v = { 0 };
	char rest[400] = "", *word, *save = NULL;
	unsigned int i = 0;

	if (sscanf(line, "volume %" SCNu32 " %" SCNu32 " %71s %399[^\n]", &v.id, &v.minor,
		   v.member, rest) < 3)
		broken(line);
	for (word = strtok_r(rest, " ", &save); word; word = strtok_r(NULL, " ", &save))
		snprintf(v.peer[i++], NAME_MAX_LEN, "%s", word);
	names_put(&names, &v);
}

static void end_interval(void)
{
	if (now.length_ns && series_push(&series, &now))
		exit(2);
	snap_free(&now);
}

static void take_interval(const char *line)
{
	uint64_t at, length;

	end_interval();
	if (sscanf(line, "interval %" SCNu64 " %" SCNu64 " %" SCNu64, &at, &length, &now.lost) != 3)
		broken(line);
	now.at_ns = at * 1000000000;
	now.length_ns = length * 1000000;
}

static void take_add(const char *line)
{
	struct lat_row row = { 0 };
	char stage[32], peer[16];
	uint64_t ns, count;

	if (sscanf(line, "add %" SCNu32 " %31s %15s %" SCNu64 " %" SCNu64, &row.key.volume, stage,
		   peer, &ns, &count) != 5)
		broken(line);
	row.key.stage = names_stage(stage);
	row.key.peer = *peer == '-' ? SWBLOCK_LAT_NOBODY : (uint32_t)atoi(peer);
	row.hist.slot[swblock_lat_slot(ns)] = count;
	row.hist.sum_ns = ns * count;
	if (snap_add(&now, &row))
		exit(2);
}

static void draw(const char *form)
{
	struct draw d = { .out = stdout, .names = &names, .how = "raw_tp" };
	struct lat_snap all;
	unsigned int i;

	if (!strcmp(form, "svg")) {
		if (series_sum(&series, &all))
			exit(2);
		draw_svg(&d, &series, &all);
		snap_free(&all);
	}
	for (i = 0; i < series.count; i++) {
		if (!strcmp(form, "table"))
			draw_table(&d, &series.col[i]);
		else if (!strcmp(form, "bars"))
			draw_bars(&d, &series.col[i]);
		else if (!strcmp(form, "json"))
			draw_json(&d, &series.col[i]);
		else if (!strncmp(form, "heat:", 5))
			draw_heat(&d, &series.col[i], names_stage(form + 5), i);
	}
}

int main(int argc, char **argv)
{
	char line[512];

	if (argc != 2)
		broken("one argument");
	while (fgets(line, sizeof(line), stdin))
		if (!strncmp(line, "volume", 6))
			take_volume(line);
		else if (!strncmp(line, "interval", 8))
			take_interval(line);
		else if (!strncmp(line, "add", 3))
			take_add(line);
		else
			broken(line);
	end_interval();
	draw(argv[1]);
	series_free(&series);
	names_free(&names);
	return 0;
}
