// SPDX-License-Identifier: GPL-2.0-only
/*
 * The script language of the comparison: one script, every version. What only
 * some versions have is a knob, and means nothing to the others.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol.h"

#define SCENARIO_WORDS	12

struct reader {
	struct lab *l;
	const struct protocol *p;
	const char *path;
	u64 seed;
	bool trace;
	bool made;
	u32 line;
	u32 words;
	char *word[SCENARIO_WORDS];
	char *why;
	size_t why_len;
};

static bool fail(struct reader *r, const char *fmt, ...)
{
	char text[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(r->why, r->why_len, "%s:%u: %s", r->path, r->line, text);
	return false;
}

/* ---- words -------------------------------------------------------------------- */

static const char *word(const struct reader *r, u32 i)
{
	return i < r->words ? r->word[i] : "";
}

static bool is_word(const struct reader *r, u32 i, const char *text)
{
	return strcmp(word(r, i), text) == 0;
}

static u64 number(const struct reader *r, u32 i, u64 dflt)
{
	return isdigit((unsigned char)word(r, i)[0]) ? strtoull(word(r, i), NULL, 0) : dflt;
}

static const char *option(const struct reader *r, const char *key)
{
	size_t n = strlen(key);

	for (u32 i = 1; i < r->words; i++)
		if (strncmp(r->word[i], key, n) == 0 && r->word[i][n] == '=')
			return r->word[i] + n + 1;
	return NULL;
}

static u64 option_number(const struct reader *r, const char *key, u64 dflt)
{
	const char *v = option(r, key);

	return v ? strtoull(v, NULL, 0) : dflt;
}

static bool has(const struct reader *r, const char *text)
{
	for (u32 i = 1; i < r->words; i++)
		if (strcmp(r->word[i], text) == 0)
			return true;
	return false;
}

static bool member(const struct reader *r, u32 i, u8 *n)
{
	const char *t = word(r, i);

	*n = LAB_NOBODY;
	if (t[0] != 'n' || !isdigit((unsigned char)t[1]) || t[1] - '0' >= r->l->nodes)
		return false;
	*n = (u8)(t[1] - '0');
	return true;
}

/* ---- the run ---------------------------------------------------------------------- */

/* world NODES MODE [blocks=N] [lease=MS] [seed=N] */
static bool do_world(struct reader *r)
{
	u8 nodes = (u8)number(r, 1, 0), mode = 0;

	for (u8 m = SWBLOCK_MODE_BEST_EFFORT; m <= SWBLOCK_MODE_SYNC_ALL; m++)
		if (strcmp(swb_text_mode(m), word(r, 2)) == 0)
			mode = m;
	if (r->made || !mode || nodes < SIM_NODES_MIN || nodes > 4)
		return fail(r, "world NODES MODE, once");
	r->made = true;
	r->l->trace = r->trace;
	lab_create(r->l, r->p, nodes, mode, (u32)option_number(r, "blocks", 32),
		   option_number(r, "seed", 1) + r->seed,
		   option_number(r, "lease", 0) * SIM_MSEC);
	r->l->trace = r->trace;
	return true;
}

/* promote nN|best [required=0,1] [override] */
static bool do_promote(struct reader *r)
{
	const char *required = option(r, "required");
	u32 mask = 0;
	u8 n;

	if (!member(r, 1, &n) && !is_word(r, 1, "best"))
		return fail(r, "promote nN|best");
	for (; required && *required; required++)
		if (isdigit((unsigned char)*required))
			mask |= 1u << (*required - '0');
	lab_promote(r->l, n, mask, has(r, "override"));
	lab_run_for(r->l, 60 * SIM_MSEC);
	return true;
}

static bool do_client(struct reader *r)
{
	u32 block = (u32)number(r, 2, 0), count = (u32)number(r, 3, 1);
	u8 n;

	if (!member(r, 1, &n))
		return fail(r, "%s nN", word(r, 0));
	if (block + count >= r->l->blocks)
		return fail(r, "the last block is the lab's");
	if (is_word(r, 0, "barrier"))
		lab_sync(r->l, n);
	else if (is_word(r, 0, "read"))
		lab_read(r->l, n);
	else
		lab_write(r->l, n, block, count);
	return true;
}

/* fill nN: a large write and time for it; churn nN BLOCK: a write and 3 ms */
static bool do_load(struct reader *r)
{
	u8 n;

	if (!member(r, 1, &n))
		return fail(r, "%s nN", word(r, 0));
	if (is_word(r, 0, "fill")) {
		if (r->l->blocks <= 128)
			return fail(r, "fill wants blocks=129 or more");
		lab_write(r->l, n, 0, 128);
		lab_run_for(r->l, 30 * SIM_MSEC);
		return true;
	}
	lab_write(r->l, n, (u32)number(r, 2, 0), 1);
	lab_run_for(r->l, 3 * SIM_MSEC);
	return true;
}

static bool do_run(struct reader *r)
{
	lab_run_for(r->l, number(r, 1, 0) * SIM_MSEC);
	return true;
}

static bool do_heal(struct reader *r)
{
	lab_heal(r->l, number(r, 1, 4000) * SIM_MSEC,
		 option_number(r, "busy", 0) * SIM_USEC);
	return true;
}

/* ---- faults -------------------------------------------------------------------------- */

static bool do_path(struct reader *r)
{
	bool on = is_word(r, 0, "block");
	u8 a, b;

	if (!member(r, 1, &a) || !member(r, 2, &b))
		return fail(r, "%s nA nB", word(r, 0));
	lab_mark(r->l);
	if (is_word(r, 0, "cut")) {
		net_cut_between(&r->l->w, a, b);
		return true;
	}
	net_block(&r->l->w, a, b, on);
	if (!option(r, "way"))
		net_block(&r->l->w, b, a, on);
	return true;
}

/* out nA nB: path blocked and connections cut; back nA nB */
static bool do_outage(struct reader *r)
{
	bool on = is_word(r, 0, "out");
	u8 a, b;

	if (!member(r, 1, &a) || !member(r, 2, &b))
		return fail(r, "%s nA nB", word(r, 0));
	lab_mark(r->l);
	net_block(&r->l->w, a, b, on);
	net_block(&r->l->w, b, a, on);
	if (on)
		net_cut_between(&r->l->w, a, b);
	return true;
}

static bool do_flap(struct reader *r)
{
	u8 a, b;

	if (!member(r, 1, &a) || !member(r, 2, &b))
		return fail(r, "flap nA nB");
	lab_mark(r->l);
	net_block(&r->l->w, a, b, true);
	net_block(&r->l->w, b, a, true);
	net_cut_between(&r->l->w, a, b);
	lab_run_for(r->l, 20 * SIM_MSEC);
	lab_write(r->l, a, 1, 1);
	lab_write(r->l, a, 2, 1);
	lab_barrier(r->l, a);
	lab_run_for(r->l, 20 * SIM_MSEC);
	net_block(&r->l->w, a, b, false);
	net_block(&r->l->w, b, a, false);
	lab_run_for(r->l, 80 * SIM_MSEC);
	lab_barrier(r->l, a);
	lab_run_for(r->l, 100 * SIM_MSEC);
	return true;
}

static bool do_isolate(struct reader *r)
{
	bool on = is_word(r, 0, "isolate");
	u8 n;

	if (!member(r, 1, &n))
		return fail(r, "%s nN", word(r, 0));
	lab_mark(r->l);
	for (u8 i = 0; i < r->l->nodes; i++) {
		if (i == n)
			continue;
		net_block(&r->l->w, n, i, on);
		net_block(&r->l->w, i, n, on);
	}
	if (on)
		r->l->w.control.reach &= ~(1u << n);
	else
		r->l->w.control.reach |= 1u << n;
	return true;
}

static bool do_crash(struct reader *r)
{
	static const char *const fate[DISK_FATES] = {
		"none", "all", "some", "writes", "prefix",
	};
	int f = DISK_KEEP_NONE;
	u8 n;

	if (!member(r, 1, &n))
		return fail(r, "crash nN [none|all|some|writes|prefix]");
	for (int i = 0; i < DISK_FATES; i++)
		if (is_word(r, 2, fate[i]))
			f = i;
	lab_mark(r->l);
	lab_trace(r->l, n, "CRASH");
	lab_crash(r->l, n, f);
	return true;
}

/* restart nN [quick|address]: before the control plane missed it; elsewhere */
static bool do_restart(struct reader *r)
{
	enum lab_return how = RETURN_SAME;
	u8 n;

	if (!member(r, 1, &n))
		return fail(r, "restart nN [quick|address]");
	if (is_word(r, 2, "quick"))
		how = RETURN_QUICK;
	if (is_word(r, 2, "address"))
		how = RETURN_ADDRESS;
	lab_trace(r->l, n, "RESTART");
	r->l->p->restart(r->l, n, how);
	lab_run_for(r->l, 60 * SIM_MSEC);
	return true;
}

static bool do_replace(struct reader *r)
{
	u8 n;

	if (!member(r, 1, &n) || r->l->p->up(r->l, n))
		return fail(r, "replace nN: crash it first");
	r->l->p->replace(r->l, n);
	return true;
}

/* knob nN NAME [VALUE] */
static bool do_knob(struct reader *r)
{
	u8 n;

	if (!member(r, 1, &n))
		return fail(r, "knob nN NAME [VALUE]");
	if (is_word(r, 2, "remove") || is_word(r, 2, "reassign"))
		lab_mark(r->l);
	r->l->p->knob(r->l, word(r, 2), n, number(r, 3, 1));
	return true;
}

static bool do_lost(struct reader *r)
{
	u8 n;

	/* reach nN off|on: the control plane alone */
	if (!member(r, 1, &n))
		return fail(r, "reach nN on|off");
	lab_mark(r->l);
	if (is_word(r, 2, "off"))
		r->l->w.control.reach &= ~(1u << n);
	else
		r->l->w.control.reach |= 1u << n;
	return true;
}

static bool nothing(struct reader *r)
{
	(void)r;
	return true;
}

static const struct {
	const char *name;
	bool (*run)(struct reader *r);
} commands[] = {
	{ "world", do_world },	   { "promote", do_promote },
	{ "write", do_client },	   { "barrier", do_client },
	{ "read", do_client },	   { "fill", do_load },
	{ "churn", do_load },	   { "run", do_run },
	{ "heal", do_heal },	   { "cut", do_path },
	{ "block", do_path },	   { "unblock", do_path },
	{ "out", do_outage },	   { "back", do_outage },
	{ "flap", do_flap },	   { "isolate", do_isolate },
	{ "join", do_isolate },	   { "crash", do_crash },
	{ "restart", do_restart }, { "replace", do_replace },
	{ "knob", do_knob },	   { "reach", do_lost },
	{ "rows", nothing },
};

static bool run_words(struct reader *r)
{
	for (u32 i = 0; i < ARRAY_SIZE(commands); i++)
		if (is_word(r, 0, commands[i].name))
			return commands[i].run(r);
	return fail(r, "unknown command %s", word(r, 0));
}

static bool run_times(struct reader *r)
{
	u64 n = number(r, 1, 0);
	bool ok = true;

	if (!n || r->words < 3)
		return fail(r, "times N COMMAND");
	r->words -= 2;
	memmove(r->word, r->word + 2, r->words * sizeof(r->word[0]));
	while (ok && n--)
		ok = run_words(r);
	return ok;
}

static bool run_line(struct reader *r, char *line)
{
	char *save = NULL, *hash = strchr(line, '#');

	if (hash)
		*hash = 0;
	r->words = 0;
	for (char *t = strtok_r(line, " \t\n", &save); t && r->words < SCENARIO_WORDS;
	     t = strtok_r(NULL, " \t\n", &save))
		r->word[r->words++] = t;
	if (!r->words || strncmp(r->word[0], "expect[", 7) == 0 ||
	    strncmp(r->word[0], "failure[", 8) == 0)
		return true;
	if (!r->made && !is_word(r, 0, "world") && !is_word(r, 0, "rows"))
		return fail(r, "the first command is world");
	return is_word(r, 0, "times") ? run_times(r) : run_words(r);
}

bool scenario_run(struct lab *l, const char *path, const struct protocol *p,
		  u64 seed, bool trace, char *why, size_t len)
{
	struct reader r = { .l = l, .p = p, .path = path, .seed = seed,
			    .trace = trace, .why = why, .why_len = len };
	FILE *f = fopen(path, "r");
	char line[256], copy[256];
	bool ok = true;

	why[0] = 0;
	if (!f)
		return fail(&r, "cannot open");
	while (ok && fgets(line, sizeof(line), f)) {
		r.line++;
		memcpy(copy, line, sizeof(copy));
		if (trace && r.made && line[0] != '#' && line[0] != '\n')
			printf("## %s", line);
		ok = run_line(&r, copy);
	}
	fclose(f);
	if (ok && r.made)
		lab_end(l);
	if (ok && l->w.violations)
		ok = fail(&r, "%s", l->w.first);
	return ok && (r.made || fail(&r, "no world"));
}

/* ---- what a file says of itself --------------------------------------------------- */

static void take(char *out, size_t len, const char *from)
{
	size_t n;

	while (*from == ' ')
		from++;
	snprintf(out, len, "%s", from);
	n = strlen(out);
	while (n && isspace((unsigned char)out[n - 1]))
		out[--n] = 0;
}

static void take_version(const char *line, const char *key,
			 char (*out)[80])
{
	size_t n = strlen(key);

	if (strncmp(line, key, n))
		return;
	for (u32 v = 0; v < VERSIONS; v++) {
		size_t m = strlen(versions[v]->name);

		if (strncmp(line + n, versions[v]->name, m) == 0 && line[n + m] == ']')
			take(out[v], sizeof(out[v]), line + n + m + 1);
	}
}

bool scenario_read(const char *path, struct scenario *s, char *why, size_t len)
{
	const char *base = strrchr(path, '/');
	FILE *f = fopen(path, "r");
	char line[256];

	memset(s, 0, sizeof(*s));
	take(s->id, sizeof(s->id), base ? base + 1 : path);
	if (strrchr(s->id, '.'))
		*strrchr(s->id, '.') = 0;
	if (!f) {
		snprintf(why, len, "%s: cannot open", path);
		return false;
	}
	while (fgets(line, sizeof(line), f)) {
		if (line[0] == '#' && !strstr(line, "SPDX") && !s->intent[0])
			take(s->intent, sizeof(s->intent), line + 1);
		if (strncmp(line, "rows ", 5) == 0)
			take(s->rows, sizeof(s->rows), line + 5);
		take_version(line, "expect[", s->expect);
		take_version(line, "failure[", s->failure);
	}
	fclose(f);
	for (u32 v = 0; v < VERSIONS; v++)
		if (!s->expect[v][0] || !s->intent[0] || !s->rows[0]) {
			snprintf(why, len, "%s: intent, rows or expect[%s] is missing",
				 path, versions[v]->name);
			return false;
		}
	return true;
}
