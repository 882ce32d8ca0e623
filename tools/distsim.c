// SPDX-License-Identifier: GPL-2.0-only
/*
 * distsim: N real cores under every fault the simulated world knows.
 *
 *	distsim --scenario FILE [--trace] [--save DIR]
 *	distsim [--seed N] [--seeds M] [--jobs J] [--nodes N] [--keep-going]
 *	distsim --seed N --plan			the plan it draws, as text
 *	distsim --run PLAN [--trace | --story]
 *	distsim --seed N | --run PLAN --shrink [--out PLAN]
 *	distsim --mutants
 *
 * --coverage FILE writes what of the protocol the runs reached (sim/cover.h);
 * seeds then run in this process.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sim/corpus.h"
#include "sim/cover.h"
#include "sim/script.h"
#include "sim/shrink.h"
#include "sim/swarm.h"

#define MUTANT_SEEDS	20000
#define FILES_MAX	512

/* build_id.c: commit and a checksum of the sources */
extern const char sim_build_id[];

struct args {
	const char *self;
	const char *scenario[FILES_MAX];
	u32 scenarios;
	const char *run[FILES_MAX];
	u32 runs;
	u64 seed;
	u64 seeds;
	u32 jobs;
	u8 nodes;
	bool trace;
	bool plan;
	bool story;
	bool shrink;
	const char *out;
	bool mutants;
	bool verbose;
	bool keep_going;
	const char *save;
	const char *coverage;
	const char *corpus;
	enum sim_break broken;
};

static struct args args;
static struct world world;

/* The disks as they are at the end, for swbwal and for a closer look. */
static void save_disks(struct world *w, const char *dir)
{
	for (u8 i = 0; i < w->shape.nodes; i++) {
		char path[256];
		FILE *f;

		snprintf(path, sizeof(path), "%s/n%u.img", dir, i);
		f = fopen(path, "wb");
		if (!f || fwrite(w->node[i].disk.view, 1,
				 w->node[i].disk.bytes, f) !=
			  w->node[i].disk.bytes || fclose(f))
			perror(path);
	}
}

/* ---- runs --------------------------------------------------------------------- */

static void print_replay(const char *what, const char *arg)
{
	printf("     replay: %s %s %s%s%s --trace\n", args.self, what, arg,
	       args.broken ? " --break " : "",
	       args.broken ? sim_break_name(args.broken) : "");
	printf("     of: %s\n", sim_build_id);
}

static void verdict(const char *path, bool ok, const char *why,
		    struct totals *t)
{
	printf("%s %s%s%s\n", ok ? "ok  " : "FAIL", path, ok ? "" : ": ",
	       ok ? "" : why);
	t->passed += ok;
	t->failed += !ok;
}

static void run_scenario(const char *path, struct totals *t)
{
	char why[320];
	bool ok = script_run(&world, path, args.trace, args.broken, why,
			     sizeof(why));

	verdict(path, ok, why, t);
	t->scenarios++;
	if (args.save)
		save_disks(&world, args.save);
	totals_take(t, &world);
	world_reset(&world);
}

static void run_plan(const char *path, struct totals *t)
{
	static struct plan plan;
	char why[320];
	bool ok = plan_read(&plan, path, why, sizeof(why));

	world.trace = args.trace;
	world.broken = args.broken;
	if (ok && !plan_run(&world, &plan)) {
		snprintf(why, sizeof(why), "%s", world.first);
		ok = false;
	}
	verdict(path, ok, why, t);
	if (!ok)
		print_replay("--run", path);
	totals_take(t, &world);
	world_reset(&world);
}

static void seed_failed(const struct farm *f, u64 seed, const char *what)
{
	char arg[40];

	(void)f;
	printf("FAIL seed %llu: %s\n", (unsigned long long)seed, what);
	if (args.nodes)
		snprintf(arg, sizeof(arg), "%llu --nodes %u",
			 (unsigned long long)seed, args.nodes);
	else
		snprintf(arg, sizeof(arg), "%llu", (unsigned long long)seed);
	print_replay("--seed", arg);
}

static void run_seeds(struct totals *t)
{
	const struct farm f = {
		.first = args.seed, .count = args.seeds, .jobs = args.jobs,
		.nodes = args.nodes, .trace = args.trace,
		.keep_going = args.keep_going, .broken = args.broken,
		.failed = seed_failed,
	};

	if (args.seeds)
		farm_run(&f, &world, t);
}

/* ---- one plan, told or made small -------------------------------------------------- */

static bool plan_wanted(struct plan *p)
{
	char why[320];

	if (!args.runs) {
		swarm_plan(p, args.seed, args.nodes);
		return true;
	}
	if (plan_read(p, args.run[0], why, sizeof(why)))
		return true;
	fprintf(stderr, "%s\n", why);
	return false;
}

static bool write_plan(const struct plan *p, const struct outcome *o)
{
	FILE *f = fopen(args.out, "w");

	if (!f) {
		perror(args.out);
		return false;
	}
	/* in two parts, or it would be taken for this file's own */
	fprintf(f, "# SPDX-%s: GPL-2.0-only\n# %s%s:\n#\n", "License-Identifier",
		args.broken ? "with --break " : "as it is",
		args.broken ? sim_break_name(args.broken) : "");
	story_print(&o->story, "# ", f);
	fprintf(f, "#\n");
	plan_print(p, f);
	return fclose(f) == 0;
}

static int tell(void)
{
	static struct plan plan;
	static struct outcome o;

	if (!plan_wanted(&plan) || !plan_try(&plan, args.broken, &o))
		return 2;
	story_print(&o.story, "", stdout);
	printf("%s\n", o.id ? o.first : "nothing is broken");
	return o.id != 0;
}

/* 0 if it was made small: a failure is what it was asked for */
static int shrink(void)
{
	static struct plan plan;
	static struct outcome o;
	u32 ops, nodes, runs;

	if (!plan_wanted(&plan))
		return 2;
	ops = plan.ops;
	nodes = plan.shape.nodes;
	if (!plan_shrink(&plan, args.broken, &o, &runs)) {
		printf("FAIL: it breaks nothing, or not twice the same\n");
		return 1;
	}
	story_print(&o.story, "", stdout);
	printf("shrunk: %u operations, %u members -> %u operations, %u members, %u lines; %u runs\n",
	       ops, nodes, plan.ops, plan.shape.nodes, o.story.count, runs);
	if (args.out && !write_plan(&plan, &o))
		return 2;
	if (args.out)
		print_replay("--run", args.out);
	return 0;
}

static int print_plan(void)
{
	static struct plan plan;

	if (!plan_wanted(&plan))
		return 2;
	printf("# seed %llu of %s\n", (unsigned long long)args.seed,
	       sim_build_id);
	plan_print(&plan, stdout);
	plan_reset(&plan);
	return 0;
}

/* ---- broken rules ----------------------------------------------------------------- */

static void mutant_failed(const struct farm *f, u64 seed, const char *what)
{
	printf("killed   %-16s seed %-5llu %s\n", sim_break_name(f->broken),
	       (unsigned long long)seed, what);
}

/* Each broken rule must be noticed within MUTANT_SEEDS runs. */
static int run_mutants(void)
{
	u32 killed = 0, survived = 0, skipped = 0;

	for (u32 b = BREAK_NONE + 1; b < BREAK_COUNT; b++) {
		const char *why = sim_break_redundant((enum sim_break)b);
		struct totals t = { 0 };
		const struct farm f = {
			.first = 1, .count = MUTANT_SEEDS, .jobs = args.jobs,
			.broken = (enum sim_break)b, .failed = mutant_failed,
		};

		if (why) {
			printf("skipped  %-16s redundant: %s\n",
			       sim_break_name(f.broken), why);
			skipped++;
			continue;
		}
		farm_run(&f, &world, &t);
		if (!t.failed)
			printf("SURVIVED %-16s %s\n", sim_break_name(f.broken),
			       sim_break_text(f.broken));
		killed += t.failed != 0;
		survived += t.failed == 0;
	}
	printf("mutants: %u killed, %u survived\n", killed, survived);
	printf("%u passed, %u failed, %u skipped\n", killed, survived,
	       skipped);
	return survived != 0;
}

/* ---- sums ---------------------------------------------------------------------------- */

static void print_letters(const struct totals *t)
{
	static const char *const name[] = { "", "recover", "resync",
					    "promote" };

	for (int i = 1; i < 4; i++) {
		printf("cases %s:", name[i]);
		for (int k = 0; k < 26; k++)
			if (t->letters[i][k])
				printf(" %c=%llu", 'A' + k,
				       (unsigned long long)t->letters[i][k]);
		putchar('\n');
	}
}

/* CPU time of all workers: events per second are those of one core. */
static double cpu_seconds(void)
{
	static const int who[] = { RUSAGE_SELF, RUSAGE_CHILDREN };
	double sum = 0;

	for (u32 i = 0; i < ARRAY_SIZE(who); i++) {
		struct rusage u;

		getrusage(who[i], &u);
		sum += (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
		       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
	}
	return sum;
}

static void print_totals(const struct totals *t)
{
	double spent = cpu_seconds();

	if (args.verbose)
		print_letters(t);
	printf("faults: %llu crashes, %llu promotions, %llu cuts, %llu ring wraps; %llu barriers\n",
	       (unsigned long long)t->crashes,
	       (unsigned long long)t->promotions,
	       (unsigned long long)t->truncations, (unsigned long long)t->wraps,
	       (unsigned long long)t->barriers);
	printf("copies: %llu begun, %llu done; the target died in %llu, the source in %llu; overtaken %llu, cut off %llu\n",
	       (unsigned long long)t->copies[COPY_BEGUN],
	       (unsigned long long)t->copies[COPY_DONE],
	       (unsigned long long)t->copies[COPY_TARGET_DIED],
	       (unsigned long long)t->copies[COPY_SOURCE_DIED],
	       (unsigned long long)t->copies[COPY_OVERTAKEN],
	       (unsigned long long)t->copies[COPY_CUT_OFF]);
	printf("sim: %llu scenarios, %llu seeds, %llu events, %llu violations, %.0f events/s\n",
	       (unsigned long long)t->scenarios, (unsigned long long)t->seeds,
	       (unsigned long long)t->events, (unsigned long long)t->violations,
	       spent > 0 ? (double)t->events / spent : 0.0);
	printf("%llu passed, %llu failed, 0 skipped\n",
	       (unsigned long long)t->passed, (unsigned long long)t->failed);
}

/* ---- command line -------------------------------------------------------------------- */

static int usage(void)
{
	fprintf(stderr,
		"usage: %s [--scenario FILE]... [--run PLAN]... [--seed N] [--seeds M]\n"
		"       [--jobs J] [--nodes 2..%u] [--break NAME] [--keep-going] [--trace]\n"
		"       [--verbose] [--save DIR] [--coverage FILE] [--corpus LIST]\n"
		"       %s --seed N --plan | --story | --shrink [--out PLAN]\n"
		"       %s --mutants\n"
		"breaks:\n", args.self, SIM_NODES_MAX, args.self, args.self);
	for (u32 b = BREAK_NONE + 1; b < BREAK_COUNT; b++)
		fprintf(stderr, "  %-18s %s\n",
			sim_break_name((enum sim_break)b),
			sim_break_text((enum sim_break)b));
	return 2;
}

static bool take(int o, const char *value, struct args *a)
{
	switch (o) {
	case 's':
		if (a->scenarios < FILES_MAX)
			a->scenario[a->scenarios++] = value;
		return a->scenarios < FILES_MAX;
	case 'r':
		if (a->runs < FILES_MAX)
			a->run[a->runs++] = value;
		return a->runs < FILES_MAX;
	case 'n':
		a->seed = strtoull(value, NULL, 0);
		return true;
	case 'm':
		a->seeds = strtoull(value, NULL, 0);
		return true;
	case 'j':
		a->jobs = (u32)strtoul(value, NULL, 0);
		return a->jobs > 0;
	case 'c':
		a->nodes = (u8)strtoul(value, NULL, 0);
		return a->nodes >= SIM_NODES_MIN && a->nodes <= SIM_NODES_MAX;
	case 'd':
		a->save = value;
		return true;
	case 'o':
		a->out = value;
		return true;
	case 'l':
		a->corpus = value;
		return true;
	case 'C':
		a->coverage = value;
		a->jobs = 0;
		return true;
	case 'b':
		return sim_break_find(value, &a->broken);
	}
	return false;
}

static bool parse(int argc, char **argv, struct args *a)
{
	int trace = 0, plan = 0, verbose = 0, mutants = 0, keep_going = 0;
	int tell_it = 0, small = 0, o;
	const struct option opts[] = {
		{ "scenario", required_argument, NULL, 's' },
		{ "run", required_argument, NULL, 'r' },
		{ "seed", required_argument, NULL, 'n' },
		{ "seeds", required_argument, NULL, 'm' },
		{ "jobs", required_argument, NULL, 'j' },
		{ "nodes", required_argument, NULL, 'c' },
		{ "break", required_argument, NULL, 'b' },
		{ "save", required_argument, NULL, 'd' },
		{ "corpus", required_argument, NULL, 'l' },
		{ "coverage", required_argument, NULL, 'C' },
		{ "trace", no_argument, &trace, 1 },
		{ "plan", no_argument, &plan, 1 },
		{ "story", no_argument, &tell_it, 1 },
		{ "shrink", no_argument, &small, 1 },
		{ "out", required_argument, NULL, 'o' },
		{ "verbose", no_argument, &verbose, 1 },
		{ "mutants", no_argument, &mutants, 1 },
		{ "keep-going", no_argument, &keep_going, 1 },
		{ NULL, 0, NULL, 0 },
	};

	a->self = argv[0];
	a->jobs = (u32)sysconf(_SC_NPROCESSORS_ONLN);
	while ((o = getopt_long(argc, argv, "", opts, NULL)) != -1)
		if (o && !take(o, optarg, a))
			return false;
	a->trace = trace;
	a->plan = plan;
	a->story = tell_it;
	a->shrink = small;
	a->verbose = verbose;
	a->mutants = mutants;
	a->keep_going = keep_going;
	if (a->seed && !a->seeds)
		a->seeds = 1;
	if (!a->seed)
		a->seed = 1;
	return optind == argc &&
	       (mutants || plan || a->corpus || a->scenarios || a->runs ||
		a->seeds);
}

int main(int argc, char **argv)
{
	struct totals t = { 0 };

	if (!parse(argc, argv, &args))
		return usage();
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (args.mutants)
		return run_mutants();
	if (args.plan)
		return print_plan();
	if (args.story)
		return tell();
	if (args.shrink)
		return shrink();
	if (args.coverage)
		cover_start();
	if (args.corpus)
		corpus_run(args.corpus, &world, &t);
	for (u32 i = 0; i < args.scenarios; i++)
		run_scenario(args.scenario[i], &t);
	for (u32 i = 0; i < args.runs; i++)
		run_plan(args.run[i], &t);
	run_seeds(&t);
	world_destroy(&world);
	if (args.coverage && !cover_write(args.coverage)) {
		perror(args.coverage);
		t.failed++;
	}
	print_totals(&t);
	return t.failed != 0;
}
