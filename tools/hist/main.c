// SPDX-License-Identifier: GPL-2.0-only
/* histcheck: judge a history of swbhist, and say how long failovers took. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "hist.h"

#define STATES_MAX	2000000

static const char usage_text[] =
	"usage: histcheck [OPTIONS] HISTORY\n"
	"  -s        strict: a failover loses no acknowledged write, barrier or not\n"
	"  -t        a failed write may still appear after the next promotion\n"
	"  -l MS     length of the lease: the unit of the times to first write\n"
	"  -n N      states looked at before a block is given up as undecided\n"
	"Exit code: 0 each block is a register, 1 a block is not, 2 no history,\n"
	"3 a block is undecided.\n";

static bool is_write(const struct hist_op *op)
{
	return op->kind == HIST_WRITE || op->kind == HIST_WRITE_SYNC;
}

static int up(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double percentile(const double *v, size_t n, unsigned int p)
{
	size_t rank = (n * p + 99) / 100;

	return v[rank ? rank - 1 : 0];
}

/* From the kill to the first write that a later primary has acknowledged. */
static void tell_times(const struct hist *h, double lease_ms)
{
	double *v = calloc(HIST_GENS_MAX, sizeof(*v));
	static const char *const names[] = { "median", "p99", "longest" };
	static const unsigned int p[] = { 50, 99, 100 };
	size_t n = 0, without = 0;

	if (!v)
		exit(2);
	for (uint32_t gen = 0; gen < HIST_GENS_MAX; gen++) {
		uint64_t first = HIST_NEVER;

		if (!h->kill_ns[gen])
			continue;
		for (size_t i = 0; i < h->count; i++) {
			const struct hist_op *op = &h->op[i];

			if (is_write(op) && op->outcome == HIST_OK &&
			    op->gen > gen && op->ret < first)
				first = op->ret;
		}
		if (first == HIST_NEVER)
			without++;
		else
			v[n++] = (double)(first - h->kill_ns[gen]) / 1e6;
	}
	if (without)
		printf("failovers without a write afterwards: %zu\n", without);
	if (n) {
		qsort(v, n, sizeof(*v), up);
		printf("time to first write: %zu failovers", n);
		for (int i = 0; i < 3; i++) {
			double ms = percentile(v, n, p[i]);

			printf(", %s %.1f ms", names[i], ms);
			if (lease_ms > 0)
				printf(" (%.2f leases)", ms / lease_ms);
		}
		putchar('\n');
	}
	free(v);
}

static void tell_size(const struct hist *h, uint32_t blocks)
{
	size_t writes = 0, ok = 0, unknown = 0, reads = 0, barriers = 0, kills = 0;

	for (size_t i = 0; i < h->count; i++) {
		const struct hist_op *op = &h->op[i];

		writes += is_write(op);
		ok += is_write(op) && op->outcome == HIST_OK;
		unknown += is_write(op) && (op->outcome == HIST_UNKNOWN ||
					    op->outcome == HIST_PENDING);
		reads += op->kind == HIST_READ && op->outcome == HIST_OK;
		barriers += (op->kind == HIST_BARRIER || op->kind == HIST_WRITE_SYNC) &&
			    op->outcome == HIST_OK;
	}
	for (uint32_t gen = 0; gen < HIST_GENS_MAX; gen++)
		kills += h->kill_ns[gen] != 0;
	printf("history: %zu writes (%zu acknowledged, %zu unknown), %zu reads, %zu barriers, %zu kills, %u blocks\n",
	       writes, ok, unknown, reads, barriers, kills, blocks);
}

static uint32_t blocks_used(const struct hist *h)
{
	uint32_t n = 0;

	for (size_t i = 0; i < h->count; i++)
		if (h->op[i].block >= n)
			n = h->op[i].block + 1;
	return n;
}

int main(int argc, char **argv)
{
	struct hist_rules rules = { .states_max = STATES_MAX };
	uint32_t bad = 0, open = 0, blocks;
	static struct hist h;
	double lease_ms = 0;
	int c;

	while ((c = getopt(argc, argv, "stl:n:")) != -1) {
		switch (c) {
		case 's':
			rules.strict = true;
			break;
		case 't':
			rules.late_tail = true;
			break;
		case 'l':
			lease_ms = strtod(optarg, NULL);
			break;
		case 'n':
			rules.states_max = strtoull(optarg, NULL, 0);
			break;
		default:
			fputs(usage_text, stderr);
			return 2;
		}
	}
	if (argc - optind != 1 || !rules.states_max) {
		fputs(usage_text, stderr);
		return 2;
	}
	if (!hist_read(&h, argv[optind]))
		return 2;
	hist_prepare(&h, &rules);
	blocks = blocks_used(&h);
	tell_size(&h, blocks);
	tell_times(&h, lease_ms);
	for (uint32_t b = 0; b < blocks; b++) {
		enum hist_verdict v = hist_check_block(&h, b, &rules);

		bad += v == HIST_VIOLATION;
		open += v == HIST_UNDECIDED;
	}
	if (bad)
		printf("histcheck: %u of %u blocks are no register\n", bad, blocks);
	else if (open)
		printf("histcheck: %u of %u blocks undecided after %" PRIu64 " states each\n",
		       open, blocks, rules.states_max);
	else
		printf("histcheck: each of %u blocks is a register\n", blocks);
	hist_free(&h);
	return bad ? 1 : open ? 3 : 0;
}
