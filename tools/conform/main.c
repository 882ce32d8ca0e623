// SPDX-License-Identifier: GPL-2.0-only
/*
 * conform: does the core that is linked here do what a flight record says that the
 * kernel's did? Each step is done again from the recorded state before it; orders
 * and state after it must be the same, and between two steps nothing may have
 * changed but what leaves and the storage layer may change.
 *
 *	conform [-t] [-k] FILE...
 *		-t	print every step
 *		-k	go on behind a difference, from the recorded state
 *
 * Exit code: 0 the same, 1 a difference, 2 a file that is no record or is of
 * another build.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/text.h"
#include "steptext.h"

#define TOLD_MAX	20

/**
 * struct run - one file
 * @path: of it
 * @print: every step
 * @go_on: behind a difference
 * @differences: found
 * @step: as recorded
 * @mine: the member, done again
 * @out: its orders
 */
struct run {
	const char *path;
	bool print;
	bool go_on;
	u64 differences;
	struct swb_record_step step;
	struct swb_core mine;
	struct swb_actions out;
};

static void tell_step(struct run *r)
{
	char text[STEP_TEXT_MAX];

	step_text(&r->step, text, sizeof(text));
	printf("%s: step %s\n", r->path, text);
}

static void difference(struct run *r, const char *what, const char *name,
		       const char *values)
{
	if (!r->differences++ && !r->print)
		tell_step(r);
	if (r->differences <= TOLD_MAX)
		printf("%s: step %llu: %s: %s%s%s\n", r->path,
		       (unsigned long long)r->step.number, what, name,
		       *values ? ": " : "", values);
}

/* Between the steps: only fields that others than the step may write. */
static void check_between(struct run *r, const struct swb_core *then)
{
	bool emptying = then->rebuild == SWB_REBUILD_PREPARING ||
			then->rebuild == SWB_REBUILD_CLEARING;
	enum swb_record_hand hand;
	char name[128], values[128];
	unsigned int i;

	for (i = 0; state_differs(&r->step.before, then, i, name, sizeof(name), &hand,
				  values); i++)
		if (hand == SWB_HAND_STEP || (hand == SWB_HAND_REBUILD && !emptying))
			difference(r, "changed outside of a step", name, values);
}

static bool same_order(const struct swb_action *a, const struct swb_action *b)
{
	return a->type == b->type && a->peer == b->peer && a->a == b->a &&
	       a->b == b->b && a->c == b->c && a->d == b->d;
}

static void check_orders(struct run *r)
{
	const struct swb_actions *was = &r->step.out;
	char a[128], b[128];
	u32 i, most = was->count > r->out.count ? was->count : r->out.count;

	for (i = 0; i < most; i++) {
		if (i < was->count && i < r->out.count &&
		    same_order(&was->act[i], &r->out.act[i]))
			continue;
		snprintf(a, sizeof(a), "nothing");
		snprintf(b, sizeof(b), "nothing");
		if (i < was->count)
			action_text(&was->act[i], a, sizeof(a));
		if (i < r->out.count)
			action_text(&r->out.act[i], b, sizeof(b));
		difference(r, "the kernel ordered", a, "");
		difference(r, "  the core orders", b, "");
		return;
	}
}

static void check_state(struct run *r)
{
	char name[128], values[128];
	unsigned int i;

	for (i = 0; state_differs(&r->step.after, &r->mine, i, name, sizeof(name), NULL,
				  values); i++)
		difference(r, "state in the kernel", name, values);
}

static void one_step(struct run *r, const struct swb_core *then)
{
	if (r->print)
		tell_step(r);
	check_between(r, then);
	r->mine = r->step.before;
	memset(&r->mine.scratch, 0, sizeof(r->mine.scratch));
	swb_core_step(&r->mine, &r->step.ev, &r->out);
	check_orders(r);
	check_state(r);
}

static void *slurp(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	char *buf = NULL;
	long end = 0;

	*len = 0;
	if (!f)
		return NULL;
	if (!fseek(f, 0, SEEK_END))
		end = ftell(f);
	rewind(f);
	buf = malloc(end > 0 ? (size_t)end : 1);
	if (buf && end > 0)
		*len = fread(buf, 1, (size_t)end, f);
	fclose(f);
	return buf;
}

static int replay(struct run *r, const void *buf, size_t len)
{
	struct swb_record_reader rd;
	enum swb_record_verdict v = swb_record_open(&rd, buf, len, &r->step);
	struct swb_core *then = malloc(sizeof(*then));
	u64 steps = 0, first = rd.number;

	if (v != SWB_RECORD_OK || !then) {
		fprintf(stderr, "conform: %s: %s\n", r->path,
			then ? record_text(v) : "out of memory");
		free(then);
		return 2;
	}
	while (r->go_on || !r->differences) {
		*then = r->step.after;
		if (!swb_record_next(&rd, &r->step))
			break;
		one_step(r, then);
		steps++;
	}
	free(then);
	if (rd.bad) {
		fprintf(stderr, "conform: %s: step %llu makes no sense\n", r->path,
			(unsigned long long)rd.number);
		return 2;
	}
	printf("%s: steps %llu to %llu: %llu done again, %llu differences\n", r->path,
	       (unsigned long long)first, (unsigned long long)(first + steps),
	       (unsigned long long)steps, (unsigned long long)r->differences);
	return r->differences != 0;
}

static int one_file(const char *path, bool print, bool go_on)
{
	struct run *r = calloc(1, sizeof(*r));
	size_t len = 0;
	void *buf = slurp(path, &len);
	int ret = 2;

	if (!r || !buf) {
		fprintf(stderr, "conform: %s: %s\n", path, strerror(errno));
	} else {
		r->path = path;
		r->print = print;
		r->go_on = go_on;
		ret = replay(r, buf, len);
	}
	free(buf);
	free(r);
	return ret;
}

static int say_usage(void)
{
	fprintf(stderr, "usage: conform [-t] [-k] FILE...\n");
	return 2;
}

int main(int argc, char **argv)
{
	bool print = false, go_on = false;
	int opt, ret = 0, one;

	while ((opt = getopt(argc, argv, "tk")) != -1) {
		if (opt != 't' && opt != 'k')
			return say_usage();
		print |= opt == 't';
		go_on |= opt == 'k';
	}
	if (optind == argc)
		return say_usage();
	for (; optind < argc; optind++) {
		one = one_file(argv[optind], print, go_on);
		ret = one > ret ? one : ret;
	}
	return ret;
}
