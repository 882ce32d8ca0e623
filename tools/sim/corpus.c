// SPDX-License-Identifier: GPL-2.0-only
/* The list of what once failed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "corpus.h"
#include "plan.h"
#include "swarm.h"

bool sim_break_find(const char *name, enum sim_break *out)
{
	for (u32 b = 0; b < BREAK_COUNT; b++)
		if (strcmp(name, sim_break_name((enum sim_break)b)) == 0) {
			*out = (enum sim_break)b;
			return true;
		}
	return false;
}

static void verdict(struct totals *t, const char *what, const char *why)
{
	t->passed += !why;
	t->failed += !!why;
	if (why)
		printf("FAIL %s: %s\n", what, why);
}

/* What a run came to; the world is clean again afterwards. */
static bool run_one(struct world *w, const struct plan *p, enum sim_break b,
		    struct totals *t, char *first, size_t len)
{
	bool ok;

	w->broken = b;
	ok = plan_run(w, p);
	snprintf(first, len, "%s", w->first);
	totals_take(t, w);
	w->broken = BREAK_NONE;
	world_reset(w);
	return ok;
}

static void run_seed(struct world *w, const char *seed, const char *nodes,
		     struct totals *t)
{
	static struct plan plan;
	char first[256];

	swarm_plan(&plan, strtoull(seed, NULL, 0),
		   nodes ? (u8)strtoul(nodes, NULL, 0) : 0);
	t->seeds++;
	verdict(t, seed, run_one(w, &plan, BREAK_NONE, t, first,
				 sizeof(first)) ? NULL : first);
}

static void run_plan(struct world *w, const char *path, const char *name,
		     const char *id, struct totals *t)
{
	static struct plan plan;
	enum sim_break b = BREAK_NONE;
	struct totals expected = { 0 };
	char text[320];

	if (!plan_read(&plan, path, text, sizeof(text))) {
		verdict(t, path, text);
		return;
	}
	verdict(t, path, run_one(w, &plan, BREAK_NONE, t, text, sizeof(text)) ?
		NULL : text);
	if (!name)
		return;
	if (!id || !sim_break_find(name, &b)) {
		verdict(t, path, "no such rule, or no invariant named");
		return;
	}
	run_one(w, &plan, b, &expected, text, sizeof(text));
	t->events += expected.events;
	verdict(t, path, strncmp(text, id, strlen(id)) == 0 ? NULL :
		"shows the broken rule no more: write it anew, sim/shrink-mutants -w");
}

static void run_line(struct world *w, const char *dir, int dir_len, char *line,
		     struct totals *t)
{
	char *save = NULL, *word[4] = { NULL }, path[300];
	u32 n = 0;

	line[strcspn(line, "#\n")] = 0;
	for (char *s = strtok_r(line, " \t", &save); s && n < ARRAY_SIZE(word);
	     s = strtok_r(NULL, " \t", &save))
		word[n++] = s;
	if (!n)
		return;
	if (n > 1 && strcmp(word[0], "seed") == 0) {
		run_seed(w, word[1], word[2], t);
		return;
	}
	if (n < 2 || strcmp(word[0], "plan") != 0) {
		verdict(t, word[0], "not a line of the list");
		return;
	}
	snprintf(path, sizeof(path), "%.*s%s", dir_len, dir, word[1]);
	run_plan(w, path, word[2], word[3], t);
}

void corpus_run(const char *path, struct world *w, struct totals *t)
{
	const char *slash = strrchr(path, '/');
	FILE *f = fopen(path, "r");
	char line[256];

	if (!f) {
		verdict(t, path, "cannot be read");
		return;
	}
	while (fgets(line, sizeof(line), f))
		run_line(w, path, slash ? (int)(slash - path) + 1 : 0, line, t);
	fclose(f);
}
