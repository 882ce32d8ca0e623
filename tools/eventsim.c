// SPDX-License-Identifier: GPL-2.0-only
/*
 * eventsim: every order of concurrent events, on the real core. Runs scripts,
 * compares the narration of two orders and all outcomes with a golden file.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "event/explore.h"

static struct {
	bool write, full, compare, fail_fast, trace;
	u32 depth;
} opt;

static struct {
	u64 scripts, orders, states, violations;
	u32 passed, failed;
} total;

static void usage(FILE *f)
{
	fprintf(f,
		"usage: eventsim [OPTION]... SCRIPT...\n"
		"  -w, --write      rewrite the golden files (SCRIPT with .golden)\n"
		"      --full       without the reduction\n"
		"      --compare    both ways, at the depth given (12): the same states\n"
		"      --depth N    instead of the script's depth\n"
		"      --fail-fast  end at the first violation or difference\n"
		"      --trace      narrate the setup, too\n");
}

/* ---- golden files ------------------------------------------------------------------ */

static char *narration(struct ev_job *job)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		exit(2);
	fprintf(f, "the first of the enabled events each time:\n");
	ev_narrate(job, f, false);
	fprintf(f, "\nthe last of the enabled events each time:\n");
	ev_narrate(job, f, true);
	fprintf(f, "\noutcomes:\n");
	for (u32 i = 0; i < job->r.outcomes; i++)
		fprintf(f, "  %s\n", job->r.outcome[i]);
	fclose(f);
	return text;
}

static char *read_all(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text;
	long len;

	if (!f)
		return NULL;
	fseek(f, 0, SEEK_END);
	len = ftell(f);
	rewind(f);
	text = calloc(1, (size_t)len + 1);
	if (!text || fread(text, 1, (size_t)len, f) != (size_t)len)
		exit(2);
	fclose(f);
	return text;
}

/* The first lines that differ; the rest is for diff(1). */
static void show_difference(const char *path, const char *want, const char *got)
{
	u32 line = 1, shown = 0;

	while (*want && *got && shown < 3) {
		size_t a = strcspn(want, "\n"), b = strcspn(got, "\n");

		if (a != b || memcmp(want, got, a) != 0) {
			printf("%s:%u\n- %.*s\n+ %.*s\n", path, line, (int)a, want,
			       (int)b, got);
			shown++;
		}
		want += a + (want[a] == '\n');
		got += b + (got[b] == '\n');
		line++;
	}
	if (!shown)
		printf("%s:%u: %s\n", path, line, *got ? "more lines than expected" :
							"fewer lines than expected");
}

static bool golden(struct ev_job *job, const char *script)
{
	char path[512], *want, *got = narration(job);
	bool ok = true;
	FILE *f;

	snprintf(path, sizeof(path), "%.*s.golden",
		 (int)(strlen(script) - (strstr(script, ".txt") ? 4 : 0)), script);
	if (opt.write) {
		f = fopen(path, "w");
		if (!f || fputs(got, f) < 0 || fclose(f)) {
			perror(path);
			exit(2);
		}
	} else {
		want = read_all(path);
		if (!want)
			printf("%s: no such file; eventsim -w writes it\n", path);
		else if (strcmp(want, got) != 0)
			show_difference(path, want, got);
		ok = want && !strcmp(want, got);
		free(want);
	}
	free(got);
	return ok;
}

/* ---- a script ------------------------------------------------------------------------ */

static bool expectations(const struct ev_job *job)
{
	bool ok = true;

	for (u32 i = 0; i < job->expects; i++) {
		const struct ev_expect *e = &job->expect[i];

		if (!e->misses && (e->how != 's' || e->met))
			continue;
		printf("%s: not so: %s (%llu end states)\n", job->script.name,
		       e->text, (unsigned long long)e->misses);
		ok = false;
	}
	return ok;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void verdict(const struct ev_job *job, bool ok, double s)
{
	const struct ev_result *r = &job->r;
	char id[8] = "";

	if (r->violations)
		snprintf(id, sizeof(id), " I-%03u", r->first_id % 1000);
	printf("%s %-22s%s %11llu orders %8llu states %6llu ends %3u outcomes, %s%u %5.1f s\n",
	       ok ? "ok  " : "FAIL", job->script.name, id,
	       (unsigned long long)r->orders, (unsigned long long)r->states,
	       (unsigned long long)r->ends, r->outcomes,
	       r->cut ? "to depth " : "all, depth ",
	       opt.depth ? opt.depth : job->script.depth, s);
	total.scripts++;
	total.orders += r->orders;
	total.states += r->states;
	total.violations += r->violations;
	total.passed += ok;
	total.failed += !ok;
	fflush(stdout);
}

/* The reduction against the full enumeration: the same states, ends, violations. */
static bool same_both_ways(struct ev_job *job)
{
	u32 depth = opt.depth ? opt.depth : 12;
	struct ev_result full;

	job->full = true;
	ev_explore(job, depth);
	full = job->r;
	job->full = false;
	ev_explore(job, depth);
	printf("     %-22s depth %u: full %llu transitions, reduced %llu; %llu states\n",
	       job->script.name, depth, (unsigned long long)full.taken,
	       (unsigned long long)job->r.taken, (unsigned long long)full.states);
	return full.states == job->r.states && full.sum == job->r.sum &&
	       full.ends == job->r.ends && full.end_sum == job->r.end_sum &&
	       (full.violations > 0) == (job->r.violations > 0);
}

static bool run(const char *path)
{
	struct ev_job *job = calloc(1, sizeof(*job));
	double start = seconds();
	bool ok;

	if (!job)
		exit(2);
	if (!ev_script_load(path, job, opt.trace ? stdout : NULL)) {
		total.failed++;
		free(job);
		return false;
	}
	job->full = opt.full;
	job->fail_fast = opt.fail_fast;
	if (opt.compare) {
		ok = same_both_ways(job);
	} else {
		ev_explore(job, opt.depth ? opt.depth : job->script.depth);
		ok = !job->r.violations;
		if (ok && !opt.depth)
			ok = expectations(job) & golden(job, path);
	}
	verdict(job, ok, seconds() - start);
	free(job->r.outcome);
	free(job);
	return ok;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "write", no_argument, NULL, 'w' },
		{ "full", no_argument, NULL, 'f' },
		{ "compare", no_argument, NULL, 'c' },
		{ "depth", required_argument, NULL, 'd' },
		{ "fail-fast", no_argument, NULL, 'x' },
		{ "trace", no_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "wh", longs, NULL)) != -1) {
		switch (c) {
		case 'w':
			opt.write = true;
			break;
		case 'f':
			opt.full = true;
			break;
		case 'c':
			opt.compare = true;
			break;
		case 'd':
			opt.depth = (u32)atoi(optarg);
			break;
		case 'x':
			opt.fail_fast = true;
			break;
		case 't':
			opt.trace = true;
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind == argc) {
		usage(stderr);
		return 2;
	}
	for (int i = optind; i < argc; i++)
		if (!run(argv[i]) && opt.fail_fast)
			break;
	printf("eventsim: %llu scripts, %llu orders, %llu states, %llu violations\n",
	       (unsigned long long)total.scripts, (unsigned long long)total.orders,
	       (unsigned long long)total.states,
	       (unsigned long long)total.violations);
	printf("%u passed, %u failed, 0 skipped\n", total.passed, total.failed);
	return total.failed != 0;
}
