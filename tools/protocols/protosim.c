// SPDX-License-Identifier: GPL-2.0-only
/*
 * protosim: scenarios under every version of the protocol on one simulator.
 *
 *	protosim [--write FILE | --check FILE] SCENARIO...
 *	protosim --only VERSION [--trace] SCENARIO...
 *	protosim --seeds N SCENARIO...
 *
 * A run passes if it shows what its scenario expects of that version. Each
 * known failure of V1 and V1.5 must be shown by some run, and V2 must not
 * lose, falsify or conceal anything in the same scenario; with --seeds, nor in
 * N other fates of it.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol.h"

#define SCENARIOS_MAX	128

const struct protocol *const versions[VERSIONS] = {
	&protocol_v1, &protocol_v1_5, &protocol_v2, &protocol_bitmap,
};

#define V2	2

/* docs/history/failures.md, and the rows of V1 and V1.5 that it stands for */
static const struct {
	u8 version;
	const char *name;
} known[] = {
	{ 0, "V1-F1" }, { 0, "V1-F2" }, { 0, "V1-F3" }, { 0, "V1-F4" },
	{ 0, "Bug1" }, { 0, "Bug2" }, { 0, "Bug3" }, { 0, "ship-race" },
	{ 0, "restart-at-0" }, { 0, "lost-promotion" },
	{ 0, "silent-drop" }, { 0, "zeroes-after-restart" },
	{ 0, "stale-lag-limit" }, { 0, "health-first" },
	{ 0, "rebuild-split" }, { 0, "rebuild-unreported" },
	{ 0, "overtaken-checkpoint" }, { 0, "empty-set" },
	{ 1, "T4b" }, { 1, "V15-F1" }, { 1, "V15-F2" }, { 1, "V15-F3" },
	{ 1, "V15-F4" }, { 1, "V15-F5" }, { 1, "hand-over" },
	{ 1, "bad-scan" }, { 1, "reconnect-race" }, { 1, "skewed-epoch" },
	{ 1, "idle-volume" }, { 1, "idle-detection" }, { 1, "divergence" },
	{ 1, "receiver-gap" },
	{ 3, "stale-promotion" }, { 3, "lost-quorum-rule" },
};

struct run {
	bool trace;
	u32 passed;
	u32 failed;
	u32 runs;
	u32 count;
	struct scenario scenario[SCENARIOS_MAX];
	const char *path[SCENARIOS_MAX];
	struct lab_results out[SCENARIOS_MAX];
};

static struct run run;
static struct lab lab;

/* ---- what a run showed, in words ---------------------------------------------- */

static void words_of(const struct lab_outcome *o, char *text, size_t len)
{
	char seen[80];
	int n;

	report_seen(o, "", seen, sizeof(seen));
	n = snprintf(text, len, " %s %s %s", seen,
		     o->needed ? report_recovery(o->recovery) : "unneeded",
		     o->silent ? "accidental" : "explicit");

	if (o->asked)
		n += snprintf(text + n, len - (size_t)n, " operator-%s",
			      report_recovery(o->by_operator));
	if (o->errors)
		n += snprintf(text + n, len - (size_t)n, " errors");
	if (o->refused)
		n += snprintf(text + n, len - (size_t)n, " refused");
	snprintf(text + n, len - (size_t)n, " ");
}

static bool shows_all(const struct lab_outcome *o, const char *expect, char *missing)
{
	char have[160], want[80], *save = NULL;

	words_of(o, have, sizeof(have));
	snprintf(want, sizeof(want), "%s", expect);
	for (char *t = strtok_r(want, " ", &save); t; t = strtok_r(NULL, " ", &save)) {
		char key[40];

		snprintf(key, sizeof(key), " %s ", t);
		if (strstr(have, key))
			continue;
		sprintf(missing, "%.30s", t);
		return false;
	}
	return true;
}

/* Failing or costly: by itself, or measured against V2 in the same scenario. */
static bool fails(const struct lab_outcome *o, const struct lab_outcome *v2)
{
	if (o->safety != SAFETY_SAFE || o->silent || o->refused > v2->refused ||
	    o->errors > v2->errors)
		return true;
	if (o->needed && o->recovery > v2->recovery && o->recovery >= RECOVERY_REBUILD)
		return true;
	return o->heal_ms > 3 * v2->heal_ms + 200 || o->bytes > 3 * v2->bytes + 4096 ||
	       o->longest_ms > 3 * v2->longest_ms + 200;
}

/* ---- runs ------------------------------------------------------------------------ */

static void one(u32 i, u32 v)
{
	struct scenario *s = &run.scenario[i];
	struct lab_outcome *o = &run.out[i].of[v];
	char why[320], text[160], missing[40] = "";
	bool ok = scenario_run(&lab, run.path[i], versions[v], 0, run.trace,
			       why, sizeof(why));

	*o = lab.out;
	lab_destroy(&lab);
	words_of(o, text, sizeof(text));
	if (ok && !shows_all(o, s->expect[v], missing)) {
		ok = false;
		snprintf(why, sizeof(why), "expected %s", missing);
	}
	printf("%s %-22s %-6s%s %llu bytes %llu ms longest %llu ms%s%s%s%s\n",
	       ok ? "ok  " : "FAIL", s->id, versions[v]->name, text,
	       (unsigned long long)o->bytes, (unsigned long long)o->heal_ms,
	       (unsigned long long)o->longest_ms,
	       o->why[0] ? "; " : "", o->why, ok ? "" : ": ", ok ? "" : why);
	run.runs++;
	if (ok)
		run.passed++;
	else
		run.failed++;
}

/* Other delays, other subsets that a crash keeps: V2 is right in all of them. */
static void seeds_of(u32 i, u64 seeds)
{
	u32 bad = 0;

	for (u64 seed = 1; seed <= seeds; seed++) {
		char why[320];
		bool ok = scenario_run(&lab, run.path[i], versions[V2], seed,
				       run.trace, why, sizeof(why));

		if (!ok || lab.out.safety != SAFETY_SAFE || lab.out.silent) {
			printf("FAIL %s seed +%llu: %s %s%s\n", run.scenario[i].id,
			       (unsigned long long)seed, why, lab.out.why,
			       lab.out.silent ? " (accidental)" : "");
			bad++;
		}
		run.runs++;
		lab_destroy(&lab);
	}
	if (bad)
		run.failed++;
	else
		run.passed++;
}

static bool names(const char *list, const char *name)
{
	char have[100], key[48];

	snprintf(have, sizeof(have), " %s ", list);
	snprintf(key, sizeof(key), " %s ", name);
	return strstr(have, key);
}

/* Done when: each known failure is seen, and V2 does right where it is seen. */
static void known_failures(void)
{
	for (u32 k = 0; k < ARRAY_SIZE(known); k++) {
		u32 v = known[k].version, shown = 0, good = 0;

		for (u32 i = 0; i < run.count; i++) {
			const struct lab_outcome *v2 = &run.out[i].of[V2];

			if (!names(run.scenario[i].failure[v], known[k].name))
				continue;
			shown += fails(&run.out[i].of[v], v2);
			good += v2->safety == SAFETY_SAFE && !v2->silent;
			if (!fails(&run.out[i].of[v], v2) || v2->safety != SAFETY_SAFE ||
			    v2->silent) {
				shown = 0;
				break;
			}
		}
		if (shown && good) {
			run.passed++;
			continue;
		}
		run.failed++;
		printf("FAIL known failure %s of %s is not shown\n", known[k].name,
		       versions[v]->name);
	}
}

/* The cells of the policy table, as history has them (PR-1 to PR-7). */
static void policy_cells(void)
{
	const struct candidate healthy = { .head = 50, .health = 100 };
	const struct candidate complete = { .head = 100, .health = 90 };
	const struct candidate ahead = { .head = 51, .health = 100 };
	const struct policy *a = &policy_v1, *b = &policy_v1_5;
	const struct {
		const char *what;
		bool holds;
	} cell[] = {
		{ "V1 never catches up", !a->can_catch_up(true, true) },
		{ "V1.5 catches up at a stable address", b->can_catch_up(true, true) },
		{ "V1.5 waits for an address", !b->can_catch_up(true, false) },
		{ "V1.5 needs progress once told", !b->can_catch_up(false, true) },
		{ "V1 does not try again", !a->converges(0) && !a->retries },
		{ "V1.5 tries three times", b->converges(2) && !b->converges(3) },
		{ "V1 recovers nothing from the log", !a->recoverable(5, 1) },
		{ "V1.5: from the oldest LSN on", b->recoverable(5, 5) &&
						   !b->recoverable(4, 5) },
		{ "V1 promotes by health", a->better(&healthy, &complete) },
		{ "V1.5 as well", b->better(&healthy, &complete) },
		{ "the log breaks ties", a->better(&ahead, &healthy) },
		{ "V1 rejoins by a copy", a->rejoin_by_copy && !b->rejoin_by_copy },
		{ "V1 keeps an address", !a->address_refresh && b->address_refresh },
	};

	for (u32 i = 0; i < ARRAY_SIZE(cell); i++) {
		if (cell[i].holds) {
			run.passed++;
			continue;
		}
		run.failed++;
		printf("FAIL policy: %s\n", cell[i].what);
	}
}

static bool same_file(const char *a, const char *b)
{
	FILE *f = fopen(a, "r"), *g = fopen(b, "r");
	bool same = f && g;
	int c, d;

	while (same) {
		c = fgetc(f);
		d = fgetc(g);
		same = c == d;
		if (c == EOF)
			break;
	}
	if (f)
		fclose(f);
	if (g)
		fclose(g);
	return same;
}

static void check_report(const char *path)
{
	char fresh[300];
	bool ok;

	snprintf(fresh, sizeof(fresh), "%s.new", path);
	ok = report_write(fresh, run.scenario, run.out, run.count) &&
	     same_file(path, fresh);
	remove(fresh);
	printf("%s %s\n", ok ? "ok  " : "FAIL", path);
	if (ok) {
		run.passed++;
		return;
	}
	run.failed++;
	printf("     it is stale: make compare writes it anew\n");
}

int main(int argc, char **argv)
{
	static const struct option opts[] = {
		{ "write", required_argument, NULL, 'w' },
		{ "check", required_argument, NULL, 'c' },
		{ "only", required_argument, NULL, 'o' },
		{ "seeds", required_argument, NULL, 's' },
		{ "trace", no_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 },
	};
	const char *write = NULL, *check = NULL, *only = NULL;
	u64 seeds = 0;
	char why[320];
	int o;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((o = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		if (o == 'w')
			write = optarg;
		else if (o == 'c')
			check = optarg;
		else if (o == 'o')
			only = optarg;
		else if (o == 's')
			seeds = strtoull(optarg, NULL, 0);
		else if (o == 't')
			run.trace = true;
		else
			return 2;
	}
	for (; optind < argc && run.count < SCENARIOS_MAX; optind++) {
		run.path[run.count] = argv[optind];
		if (!scenario_read(argv[optind], &run.scenario[run.count], why,
				   sizeof(why))) {
			printf("FAIL %s\n", why);
			run.failed++;
			continue;
		}
		if (seeds)
			seeds_of(run.count, seeds);
		for (u32 v = 0; !seeds && v < VERSIONS; v++)
			if (!only || strcmp(only, versions[v]->name) == 0)
				one(run.count, v);
		run.count++;
	}
	if (!only && (write || check)) {
		known_failures();
		policy_cells();
	}
	if (write && !run.failed &&
	    !report_write(write, run.scenario, run.out, run.count))
		run.failed++;
	if (check)
		check_report(check);
	world_destroy(&lab.w);
	printf("versions: %u scenarios, %u runs\n", run.count, run.runs);
	printf("%u passed, %u failed, 0 skipped\n", run.passed, run.failed);
	return run.failed != 0;
}
