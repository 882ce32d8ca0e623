// SPDX-License-Identifier: GPL-2.0-only
/* A plan in memory and as text, and its run. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "plan.h"
#include "story.h"

#define SETTING(field, calm) \
	{ #field, offsetof(struct plan, field), \
	  sizeof(((struct plan *)0)->field), calm }
#define SHAPE(field, calm) \
	{ #field, offsetof(struct plan, shape.field), \
	  sizeof(((struct plan *)0)->shape.field), calm }

const struct plan_setting plan_setting[] = {
	SETTING(seed, PLAN_KEEP),
	SHAPE(nodes, PLAN_KEEP),
	SHAPE(mode, PLAN_KEEP),
	SHAPE(policy, SWBLOCK_POLICY_LOCAL),
	SHAPE(required, PLAN_KEEP),
	SHAPE(blocks, 32),
	SHAPE(ring_unit, 512),
	SHAPE(trim_percent, 60),
	SHAPE(write_ns, 300 * SIM_USEC),
	SHAPE(flush_ns, SIM_MSEC),
	SHAPE(lease_ns, 0),
	SHAPE(clock_ppm, 0),
	SHAPE(agents, 1),
	SHAPE(blind_permille, 0),
	SETTING(delay_min_ns, 20 * SIM_USEC),
	SETTING(delay_max_ns, 400 * SIM_USEC),
	SETTING(corrupt_ppm, 0),
	SETTING(lose_ppm, 0),
	SETTING(replay_ppm, 0),
	SETTING(lost_permille, 0),
	SETTING(control_delay_ns, 2 * SIM_MSEC),
	SETTING(automatic, PLAN_KEEP),
	SETTING(shrinks, 0),
	SETTING(rebuilds, 0),
	SETTING(budget_records, 0),
	SETTING(stall_ns, 0),
	SETTING(heal, 0),
	SETTING(bad_permille, 0),
	SETTING(end_ns, PLAN_KEEP),
};

const u32 plan_settings = ARRAY_SIZE(plan_setting);

u64 plan_get(const struct plan *p, const struct plan_setting *s)
{
	u64 v = 0;

	memcpy(&v, (const char *)p + s->at, s->bytes);	/* little endian */
	return v;
}

void plan_set(struct plan *p, const struct plan_setting *s, u64 value)
{
	memcpy((char *)p + s->at, &value, s->bytes);
}

void plan_reset(struct plan *p)
{
	free(p->op);
	memset(p, 0, sizeof(*p));
}

void plan_copy(struct plan *to, const struct plan *from)
{
	struct plan_op *op = to->op;
	u32 cap = to->cap;

	if (cap < from->ops) {
		cap = from->ops;
		op = realloc(op, cap * sizeof(*op));
		if (!op)
			abort();
	}
	*to = *from;
	to->op = op;
	to->cap = cap;
	if (from->ops)
		memcpy(op, from->op, from->ops * sizeof(*op));
}

void plan_add(struct plan *p, u64 at_ns, enum plan_kind kind, u32 a, u32 b,
	      u32 c, u32 d)
{
	u32 i = p->ops;

	if (p->ops == p->cap) {
		p->cap = p->cap ? p->cap * 2 : 64;
		p->op = realloc(p->op, p->cap * sizeof(*p->op));
		if (!p->op)
			abort();
	}
	while (i > 0 && p->op[i - 1].at_ns > at_ns) {
		p->op[i] = p->op[i - 1];
		i--;
	}
	p->op[i] = (struct plan_op){ at_ns, kind, { a, b, c, d } };
	p->ops++;
}

/* ---- text ------------------------------------------------------------------ */

static void print_op(const struct plan_op *op, FILE *f)
{
	const struct plan_row *row = &plan_row[op->kind];

	fprintf(f, "%llu.%06llu %s", (unsigned long long)(op->at_ns / SIM_MSEC),
		(unsigned long long)(op->at_ns % SIM_MSEC), row->name);
	for (u32 i = 0; i < PLAN_ARGS && row->arg[i].name; i++) {
		if (row->arg[i].type == ARG_NODE && op->arg[i] == PLAN_ANY)
			fprintf(f, " %s=any", row->arg[i].name);
		else if (row->arg[i].type == ARG_NODE ||
			 row->arg[i].type == ARG_START)
			fprintf(f, " %s=n%u", row->arg[i].name, op->arg[i]);
		else if (row->arg[i].type == ARG_MASK)
			fprintf(f, " %s=0x%x", row->arg[i].name, op->arg[i]);
		else
			fprintf(f, " %s=%u", row->arg[i].name, op->arg[i]);
	}
	fputc('\n', f);
}

void plan_print(const struct plan *p, FILE *f)
{
	for (u32 i = 0; i < plan_settings; i++)
		fprintf(f, "%s=%llu\n", plan_setting[i].name,
			(unsigned long long)plan_get(p, &plan_setting[i]));
	for (u32 i = 0; i < p->ops; i++)
		print_op(&p->op[i], f);
}

static bool read_number(const char *text, u64 *out)
{
	char *end;

	if (strcmp(text, "any") == 0) {
		*out = PLAN_ANY;
		return true;
	}
	*out = strtoull(text + (text[0] == 'n'), &end, 0);
	return *end == 0 && end != text;
}

static bool read_setting(struct plan *p, const char *word)
{
	const char *eq = strchr(word, '=');
	size_t n = (size_t)(eq - word);
	u64 v;

	for (u32 i = 0; i < plan_settings; i++)
		if (strlen(plan_setting[i].name) == n &&
		    strncmp(plan_setting[i].name, word, n) == 0 &&
		    read_number(eq + 1, &v)) {
			plan_set(p, &plan_setting[i], v);
			return true;
		}
	return false;
}

static bool read_arg(const struct plan_row *row, const char *word, u32 *arg)
{
	const char *eq = strchr(word, '=');
	size_t n = eq ? (size_t)(eq - word) : 0;
	u64 v;

	for (u32 i = 0; eq && i < PLAN_ARGS && row->arg[i].name; i++)
		if (strlen(row->arg[i].name) == n &&
		    strncmp(row->arg[i].name, word, n) == 0 &&
		    read_number(eq + 1, &v)) {
			arg[i] = (u32)v;
			return true;
		}
	return false;
}

/* MILLISECONDS with six decimals, exactly */
static bool read_time(const char *text, u64 *out)
{
	char *end;
	u64 ms = strtoull(text, &end, 10), ns = 0, unit = SIM_MSEC;

	if (end == text)
		return false;
	if (*end == '.')
		for (end++; *end >= '0' && *end <= '9' && unit > 1; end++) {
			unit /= 10;
			ns += (u64)(*end - '0') * unit;
		}
	*out = ms * SIM_MSEC + ns;
	return *end == 0;
}

static bool read_op(struct plan *p, const char *time, char **save)
{
	const char *name = strtok_r(NULL, " \t\n", save), *word;
	u32 arg[PLAN_ARGS] = { 0 }, kind = 0;
	u64 at_ns;

	if (!name || !read_time(time, &at_ns))
		return false;
	while (kind < PLAN_KINDS && strcmp(plan_row[kind].name, name) != 0)
		kind++;
	if (kind == PLAN_KINDS)
		return false;
	while ((word = strtok_r(NULL, " \t\n", save)))
		if (!read_arg(&plan_row[kind], word, arg))
			return false;
	plan_add(p, at_ns, (enum plan_kind)kind, arg[0], arg[1], arg[2],
		 arg[3]);
	return true;
}

static bool plan_sane(const struct plan *p)
{
	const struct sim_shape *s = &p->shape;

	return s->nodes >= SIM_NODES_MIN && s->nodes <= SIM_NODES_MAX &&
	       s->blocks && s->blocks <= SIM_BLOCKS_MAX && s->write_ns &&
	       s->flush_ns && s->mode && s->mode <= SWBLOCK_MODE_SYNC_ALL &&
	       p->delay_min_ns <= p->delay_max_ns;
}

static bool read_lines(struct plan *p, FILE *f, const char *path, char *why,
		       size_t why_len)
{
	char line[256];

	for (u32 n = 1; fgets(line, sizeof(line), f); n++) {
		char *save = NULL, *hash = strchr(line, '#'), *word;
		bool ok;

		if (hash)
			*hash = 0;
		word = strtok_r(line, " \t\n", &save);
		if (!word)
			continue;
		ok = strchr(word, '=') ? read_setting(p, word) :
					 read_op(p, word, &save);
		if (ok)
			continue;
		snprintf(why, why_len, "%s:%u: not a line of a plan", path, n);
		return false;
	}
	if (plan_sane(p))
		return true;
	snprintf(why, why_len, "%s: settings are missing or out of range", path);
	return false;
}

bool plan_read(struct plan *p, const char *path, char *why, size_t why_len)
{
	FILE *f = fopen(path, "r");
	bool ok;

	plan_reset(p);
	if (!f) {
		snprintf(why, why_len, "%s: %s", path, strerror(errno));
		return false;
	}
	ok = read_lines(p, f, path, why, why_len);
	fclose(f);
	return ok;
}

/* ---- run -------------------------------------------------------------------- */

static void settle_in(struct world *w, const struct plan *p)
{
	world_create(w, p->seed, &p->shape);
	w->net.delay_min_ns = p->delay_min_ns;
	w->net.delay_max_ns = p->delay_max_ns;
	w->net.corrupt_ppm = p->corrupt_ppm;
	w->net.lose_ppm = p->lose_ppm;
	w->net.replay_ppm = p->replay_ppm;
	w->control.lost_permille = p->lost_permille;
	w->control.delay_ns = p->control_delay_ns;
	w->control.automatic = p->automatic;
	w->control.shrinks = p->shrinks;
	w->lend.bad_permille = p->bad_permille;
	w->control.rebuilds = p->rebuilds;
	w->budget_records = p->budget_records;
	w->stall_ns = p->stall_ns;
	sim_trace(w, SIM_NOBODY,
		  "seed %llu: %u members, %s, %s, required %x, lease %llu ms",
		  (unsigned long long)p->seed, p->shape.nodes,
		  swb_text_mode(p->shape.mode), swb_text_policy(p->shape.policy),
		  p->shape.required,
		  (unsigned long long)(p->shape.lease_ns / SIM_MSEC));
}

static void run_until(struct world *w, u64 at_ns)
{
	if (at_ns > w->clock.now_ns)
		world_run_for(w, at_ns - w->clock.now_ns);
}

bool plan_run(struct world *w, const struct plan *p)
{
	u64 start;

	if (w->story)
		story_begin(w->story);
	settle_in(w, p);
	start = w->clock.now_ns + PLAN_START_NS;
	run_until(w, start);
	for (u32 i = 0; i < p->ops; i++) {
		run_until(w, start + p->op[i].at_ns);
		if (w->violations)
			break;
		world_moment(w, SIM_NOBODY - 1 - p->op[i].kind);
		plan_row[p->op[i].kind].run(w, p->op[i].arg);
	}
	if (!w->violations)
		run_until(w, start + p->end_ns);
	if (!w->violations && p->heal)
		liveness_run(w);
	if (!w->violations)
		check_clients(w);
	return w->violations == 0;
}
