// SPDX-License-Identifier: GPL-2.0-only
/*
 * distsim: N real cores under every fault the simulated world knows.
 *
 *	distsim --scenario FILE [--trace] [--save DIR]
 *	distsim --seed N [--seeds M] [--nodes N] [--break NAME] [--trace]
 *	distsim --mutants
 *
 * --coverage FILE writes what of the protocol the runs reached (sim/cover.h).
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/cover.h"
#include "sim/script.h"
#include "sim/swarm.h"

#define MUTANT_SEEDS	3000
#define SCENARIOS_MAX	256

struct totals {
	u64 scenarios;
	u64 seeds;
	u64 events;
	u64 violations;
	u64 passed;
	u64 failed;
	u64 barriers;
	u64 promotions;
	u64 crashes;
	u64 truncations;
	u64 wraps;
	u64 letters[4][26];
};

struct args {
	const char *scenario[SCENARIOS_MAX];
	u32 scenarios;
	u64 seed;
	u64 seeds;
	u8 nodes;
	bool trace;
	bool mutants;
	bool verbose;
	const char *save;
	const char *coverage;
	enum sim_break broken;
};

static struct world world;

static void add_up(struct totals *t, struct world *w)
{
	t->events += w->events;
	t->violations += w->violations;
	t->barriers += w->barriers_done;
	t->promotions += w->promotions;
	t->crashes += w->crashes;
	t->truncations += w->truncations;
	t->wraps += w->wraps;
	for (int i = 0; i < 4; i++)
		for (int k = 0; k < 26; k++)
			t->letters[i][k] += w->letters[i][k];
	w->events = 0;
	w->barriers_done = 0;
	w->promotions = 0;
	w->crashes = 0;
	w->truncations = 0;
	w->wraps = 0;
	memset(w->letters, 0, sizeof(w->letters));
}

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

static void run_scenario(const char *path, const struct args *a,
			 struct totals *t)
{
	char why[320];
	bool ok = script_run(&world, path, a->trace, a->broken, why,
			     sizeof(why));

	printf("%s %s%s%s\n", ok ? "ok  " : "FAIL", path, ok ? "" : ": ",
	       ok ? "" : why);
	t->scenarios++;
	if (ok)
		t->passed++;
	else
		t->failed++;
	if (a->save)
		save_disks(&world, a->save);
	add_up(t, &world);
	world_reset(&world);
}

static void run_seed(u64 seed, const struct args *a, struct totals *t)
{
	bool ok = swarm_run(&world, seed, a->nodes, a->trace, a->broken);

	t->seeds++;
	if (!ok) {
		t->failed++;
		printf("FAIL seed %llu: %s\n", (unsigned long long)seed,
		       world.first);
		printf("     replay: distsim --seed %llu%s%s --trace\n",
		       (unsigned long long)seed,
		       a->broken ? " --break " : "",
		       a->broken ? sim_break_name(a->broken) : "");
	} else {
		t->passed++;
	}
	add_up(t, &world);
	world_reset(&world);
}

/* Each broken rule must be noticed within MUTANT_SEEDS runs. */
static int run_mutants(void)
{
	struct totals t = { 0 };
	u32 killed = 0, survived = 0, skipped = 0;

	for (u32 b = BREAK_NONE + 1; b < BREAK_COUNT; b++) {
		const char *why = sim_break_redundant((enum sim_break)b);
		u64 seed;
		bool ok = true;

		if (why) {
			printf("skipped  %-16s redundant: %s\n",
			       sim_break_name((enum sim_break)b), why);
			skipped++;
			continue;
		}
		for (seed = 1; ok && seed <= MUTANT_SEEDS; seed++) {
			ok = swarm_run(&world, seed, 0, false,
				       (enum sim_break)b);
			if (!ok)
				printf("killed   %-16s seed %-5llu %s\n",
				       sim_break_name((enum sim_break)b),
				       (unsigned long long)seed, world.first);
			add_up(&t, &world);
			world_reset(&world);
		}
		if (ok)
			printf("SURVIVED %-16s %s\n",
			       sim_break_name((enum sim_break)b),
			       sim_break_text((enum sim_break)b));
		killed += !ok;
		survived += ok;
	}
	printf("mutants: %u killed, %u survived\n", killed, survived);
	printf("%u passed, %u failed, %u skipped\n", killed, survived,
	       skipped);
	return survived != 0;
}

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

static int usage(const char *self)
{
	fprintf(stderr,
		"usage: %s [--scenario FILE]... [--seed N] [--seeds M] [--nodes 2..4]\n"
		"       [--break NAME] [--trace] [--verbose] [--save DIR]\n"
		"       [--coverage FILE]\n"
		"       %s --mutants\n"
		"breaks:\n", self, self);
	for (u32 b = BREAK_NONE + 1; b < BREAK_COUNT; b++)
		fprintf(stderr, "  %-18s %s\n",
			sim_break_name((enum sim_break)b),
			sim_break_text((enum sim_break)b));
	return 2;
}

static bool break_by_name(const char *name, enum sim_break *out)
{
	for (u32 b = 0; b < BREAK_COUNT; b++)
		if (strcmp(name, sim_break_name((enum sim_break)b)) == 0) {
			*out = (enum sim_break)b;
			return true;
		}
	return false;
}

static bool parse(int argc, char **argv, struct args *a)
{
	static const struct option opts[] = {
		{ "scenario", required_argument, NULL, 's' },
		{ "seed", required_argument, NULL, 'n' },
		{ "seeds", required_argument, NULL, 'm' },
		{ "nodes", required_argument, NULL, 'c' },
		{ "break", required_argument, NULL, 'b' },
		{ "save", required_argument, NULL, 'd' },
		{ "trace", no_argument, NULL, 't' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "mutants", no_argument, NULL, 'u' },
		{ "coverage", required_argument, NULL, 'C' },
		{ NULL, 0, NULL, 0 },
	};
	int o;

	while ((o = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		if (o == 's' && a->scenarios < SCENARIOS_MAX)
			a->scenario[a->scenarios++] = optarg;
		else if (o == 'n')
			a->seed = strtoull(optarg, NULL, 0);
		else if (o == 'm')
			a->seeds = strtoull(optarg, NULL, 0);
		else if (o == 'c')
			a->nodes = (u8)strtoul(optarg, NULL, 0);
		else if (o == 'd')
			a->save = optarg;
		else if (o == 'C')
			a->coverage = optarg;
		else if (o == 't')
			a->trace = true;
		else if (o == 'v')
			a->verbose = true;
		else if (o == 'u')
			a->mutants = true;
		else if (o != 'b' || !break_by_name(optarg, &a->broken))
			return false;
	}
	if (a->nodes && (a->nodes < SIM_NODES_MIN || a->nodes > SIM_NODES_MAX))
		return false;
	if (a->seed && !a->seeds)
		a->seeds = 1;
	return optind == argc && (a->mutants || a->scenarios || a->seeds);
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	struct args a = { 0 };
	struct totals t = { 0 };
	double spent;

	if (!parse(argc, argv, &a))
		return usage(argv[0]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (a.mutants)
		return run_mutants();
	if (!a.seed)
		a.seed = 1;
	if (a.coverage)
		cover_start();
	for (u32 i = 0; i < a.scenarios; i++)
		run_scenario(a.scenario[i], &a, &t);
	for (u64 s = a.seed; s < a.seed + a.seeds; s++)
		run_seed(s, &a, &t);
	world_destroy(&world);
	if (a.coverage && !cover_write(a.coverage)) {
		perror(a.coverage);
		t.failed++;
	}
	spent = seconds();
	if (a.verbose)
		print_letters(&t);
	printf("faults: %llu crashes, %llu promotions, %llu cuts, %llu ring wraps; %llu barriers\n",
	       (unsigned long long)t.crashes, (unsigned long long)t.promotions,
	       (unsigned long long)t.truncations, (unsigned long long)t.wraps,
	       (unsigned long long)t.barriers);
	printf("sim: %llu scenarios, %llu seeds, %llu events, %llu violations, %.0f events/s\n",
	       (unsigned long long)t.scenarios, (unsigned long long)t.seeds,
	       (unsigned long long)t.events, (unsigned long long)t.violations,
	       spent > 0 ? (double)t.events / spent : 0.0);
	printf("%llu passed, %llu failed, 0 skipped\n",
	       (unsigned long long)t.passed, (unsigned long long)t.failed);
	return t.failed != 0;
}
