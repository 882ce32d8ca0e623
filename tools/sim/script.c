// SPDX-License-Identifier: GPL-2.0-only
/* The scenario language: a table of commands over the world. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../logread.h"
#include "check.h"
#include "script.h"

bool script_fail(struct script *s, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(s->why, s->why_len, "%s:%u: %s", s->path, s->line, text);
	return false;
}

/* ---- words ---------------------------------------------------------------- */

const char *script_word(const struct script *s, u32 i)
{
	return i < s->words ? s->word[i] : "";
}

u64 script_number(const struct script *s, u32 i, u64 dflt)
{
	return i < s->words && isdigit((unsigned char)s->word[i][0]) ?
	       strtoull(s->word[i], NULL, 0) : dflt;
}

struct node *script_node(const struct script *s, u32 i)
{
	const char *t = script_word(s, i);

	if (t[0] != 'n' || !isdigit((unsigned char)t[1]) ||
	    t[1] - '0' >= s->w->shape.nodes)
		return NULL;
	return &s->w->node[t[1] - '0'];
}

/* value of key=value, NULL if absent */
static const char *option(const struct script *s, const char *key)
{
	size_t n = strlen(key);

	for (u32 i = 1; i < s->words; i++)
		if (strncmp(s->word[i], key, n) == 0 && s->word[i][n] == '=')
			return s->word[i] + n + 1;
	return NULL;
}

static u64 option_number(const struct script *s, const char *key, u64 dflt)
{
	const char *v = option(s, key);

	return v ? strtoull(v, NULL, 0) : dflt;
}

struct op *script_op(const struct script *s, const char *name)
{
	for (u32 i = 0; i < s->names; i++)
		if (strcmp(s->op[i].name, name) == 0)
			return s->op[i].op;
	return NULL;
}

static void remember(struct script *s, struct op *op)
{
	const char *name = option(s, "as");

	if (!name || s->names == NAMES_MAX)
		return;
	snprintf(s->op[s->names].name, sizeof(s->op[0].name), "%s", name);
	s->op[s->names++].op = op;
}

/* ---- the world -------------------------------------------------------------- */

static u32 node_list(const char *text)
{
	u32 mask = 0;

	for (; *text; text++)
		if (isdigit((unsigned char)*text))
			mask |= 1u << (*text - '0');
	return mask;
}

static u8 by_name(const char *(*text)(u8), u8 last, const char *name)
{
	for (u8 i = 1; i <= last; i++)
		if (strcmp(text(i), name) == 0)
			return i;
	return 0;
}

/* world NODES MODE [policy=] [required=] [seed=] [trim=] [blocks=] [size=] [lease=MS] */
static bool do_world(struct script *s)
{
	struct sim_shape p = {
		.nodes = (u8)script_number(s, 1, 0),
		.mode = by_name(swb_text_mode, SWBLOCK_MODE_SYNC_ALL,
				script_word(s, 2)),
		.policy = SWBLOCK_POLICY_LOCAL,
		.blocks = (u32)option_number(s, "blocks", 32),
		.size = (u32)option_number(s, "size", 0),
		.ring_unit = (u32)option_number(s, "unit", 512),
		.trim_percent = (u32)option_number(s, "trim", 60),
		.write_ns = 300 * SIM_USEC,
		.flush_ns = option_number(s, "flush", 1) * SIM_MSEC,
		.lease_ns = option_number(s, "lease", 0) * SIM_MSEC,
		.clock_ppm = (u32)option_number(s, "clocks", 0),
		.agents = (u32)option_number(s, "controllers", 1),
	};

	if (s->made || p.nodes < SIM_NODES_MIN || p.nodes > SIM_NODES_MAX ||
	    !p.mode || p.blocks > SIM_BLOCKS_MAX || p.size > p.blocks ||
	    p.clock_ppm > SIM_CLOCK_ERROR_PPM || p.agents > CONTROL_AGENTS)
		return script_fail(s, "world NODES MODE, once");
	if (option(s, "policy"))
		p.policy = by_name(swb_text_policy, SWBLOCK_POLICY_WRITTEN,
				   option(s, "policy"));
	p.required = option(s, "required") ? node_list(option(s, "required")) :
					     (1u << p.nodes) - 1;
	s->made = true;
	world_create(s->w, option_number(s, "seed", 1), &p);
	world_run_for(s->w, 60 * SIM_MSEC);
	return true;
}

static bool do_run(struct script *s)
{
	world_run_for(s->w, script_number(s, 1, 0) * SIM_MSEC);
	return true;
}

/* promote nN|best [letter=A] [required=0,1] [force] [override] [nolink] */
static bool do_promote(struct script *s)
{
	struct node *n = script_node(s, 1);
	const char *want = option(s, "letter") ? option(s, "letter") : "A";
	const char *required = option(s, "required");
	struct attempt *a;
	bool nowait = false;

	a = control_promote(s->w, n ? n->id : SIM_NOBODY,
			    required ? node_list(required) : 0);
	if (!a)
		return script_fail(s, "no controller reaches the store");
	for (u32 i = 2; i < s->words; i++) {
		if (strcmp(s->word[i], "force") == 0)
			a->force = true;
		if (strcmp(s->word[i], "nowait") == 0)
			nowait = true;
		if (strcmp(s->word[i], "override") == 0) {
			a->cert_flags |= SWBLOCK_CERT_OVERRIDE;
			a->force = true;
			s->w->control.overrides++;
		}
	}
	for (int i = 0; i < 400 && !a->ended && !s->w->violations; i++)
		world_run_for(s->w, SIM_MSEC);
	if (!a->ended || a->letter != want[0])
		return script_fail(s, "promotion ended @%c, not @%c",
			    a->ended && a->letter ? a->letter : '-', want[0]);
	world_run_for(s->w, nowait ? 0 : 60 * SIM_MSEC);
	return true;
}

/* write nN BLOCK [COUNT] [as=NAME] | zero ... */
static bool do_write(struct script *s)
{
	struct node *n = script_node(s, 1);
	u32 block = (u32)script_number(s, 2, 0), count = (u32)script_number(s, 3, 1);

	if (!n || !count || block + count > s->w->shape.blocks)
		return script_fail(s, "write nN BLOCK [COUNT]");
	if (n->state != NODE_UP)
		return script_fail(s, "n%u is down", n->id);
	remember(s, node_write(s->w, n, block, count, script_word(s, 0)[0] == 'z'));
	return true;
}

static bool do_barrier(struct script *s)
{
	struct node *n = script_node(s, 1);

	if (!n || n->state != NODE_UP)
		return script_fail(s, "barrier nN: it must be up");
	remember(s, node_barrier(s->w, n));
	return true;
}

/* fill nN: a write of 64 KiB; churn nN BLOCK: a write, then 3 ms; solo: 10 ms */
static bool do_more(struct script *s)
{
	struct node *n = script_node(s, 1);
	u32 block = (u32)script_number(s, 2, 0);

	if (!n || n->state != NODE_UP || block >= s->w->shape.blocks)
		return script_fail(s, "%s nN [BLOCK]", script_word(s, 0));
	if (script_word(s, 0)[0] == 'f') {
		if (s->w->shape.blocks < 128)
			return script_fail(s, "fill wants blocks=128 or more");
		node_write(s->w, n, 0, 128, false);
		world_run_for(s->w, 30 * SIM_MSEC);
		return true;
	}
	node_write(s->w, n, block, 1, false);
	world_run_for(s->w, (script_word(s, 0)[0] == 's' ? 10 : 3) * SIM_MSEC);
	return true;
}

/* flap nA nB: cut, two writes, a barrier, and the link comes back */
static bool do_flap(struct script *s)
{
	struct node *a = script_node(s, 1), *b = script_node(s, 2);

	if (!a || !b)
		return script_fail(s, "flap nA nB");
	net_block(s->w, a->id, b->id, true);
	net_cut_between(s->w, a->id, b->id);
	world_run_for(s->w, 20 * SIM_MSEC);
	node_write(s->w, a, 1, 1, false);
	node_write(s->w, a, 2, 1, false);
	node_barrier(s->w, a);
	world_run_for(s->w, 20 * SIM_MSEC);
	net_block(s->w, a->id, b->id, false);
	world_run_for(s->w, 80 * SIM_MSEC);
	return true;
}

/* ---- faults ------------------------------------------------------------------ */

static bool do_cut(struct script *s)
{
	struct node *a = script_node(s, 1), *b = script_node(s, 2);

	if (!a || !b)
		return script_fail(s, "%s nA nB", script_word(s, 0));
	if (strcmp(script_word(s, 0), "cut") == 0) {
		net_cut_between(s->w, a->id, b->id);
	} else if (strcmp(script_word(s, 0), "link") == 0) {
		control_link(s->w, a->id, b->id);
	} else {
		bool on = strcmp(script_word(s, 0), "block") == 0;

		net_block(s->w, a->id, b->id, on);
		if (!option(s, "way"))
			net_block(s->w, b->id, a->id, on);
	}
	return true;
}

static void set_bit(u32 *mask, const struct node *n, bool on)
{
	u32 bit = 1u << n->id;

	*mask = on ? *mask | bit : *mask & ~bit;
}

static bool do_isolate(struct script *s)
{
	struct node *n = script_node(s, 1);
	bool on = strcmp(script_word(s, 0), "isolate") == 0;

	if (!n)
		return script_fail(s, "%s nN", script_word(s, 0));
	for (u8 i = 0; i < s->w->shape.nodes; i++) {
		if (i == n->id)
			continue;
		net_block(s->w, n->id, i, on);
		net_block(s->w, i, n->id, on);
	}
	set_bit(&s->w->control.reach, n, !on);
	return true;
}

static bool do_crash(struct script *s)
{
	static const char *const fate[DISK_FATES] = {
		"none", "all", "some", "writes", "prefix",
	};
	struct node *n = script_node(s, 1);
	int f = DISK_KEEP_NONE;

	if (!n)
		return script_fail(s, "crash nN [none|all|some|writes|prefix|host]");
	for (int i = 0; i < DISK_FATES; i++)
		if (strcmp(script_word(s, 2), fate[i]) == 0)
			f = i;
	node_crash(s->w, n, f, strcmp(script_word(s, 2), "host") == 0, false);
	return true;
}

static bool do_restart(struct script *s)
{
	struct node *n = script_node(s, 1);

	if (!n)
		return script_fail(s, "restart nN");
	node_restart(s->w, n);
	world_run_for(s->w, 60 * SIM_MSEC);
	return true;
}

static bool do_replace(struct script *s)
{
	struct node *n = script_node(s, 1);

	if (!n || n->state != NODE_DOWN)
		return script_fail(s, "replace nN: crash it first");
	node_replace_disk(s->w, n);
	return true;
}

/* blank nN taken|refused: the disk is gone, and the declaration as it was */
static bool do_blank(struct script *s)
{
	struct node *n = script_node(s, 1);
	bool want = strcmp(script_word(s, 2), "taken") == 0;
	struct swb_uuid was;

	if (!n || n->state != NODE_DOWN)
		return script_fail(s, "blank nN taken|refused: crash it first");
	was = n->core.d.replica;
	if (node_blank_disk(s->w, n) != want)
		return script_fail(s, "the blank disk of n%u is %s", n->id,
				   want ? "refused" : "taken");
	if (!swb_uuid_equal(&was, &n->core.d.replica))
		return script_fail(s, "n%u is another replica now", n->id);
	return true;
}

/* grow nN BLOCKS */
static bool do_grow(struct script *s)
{
	struct node *n = script_node(s, 1);
	u32 blocks = (u32)script_number(s, 2, 0);

	if (!n || n->state != NODE_UP || !blocks || blocks > s->w->shape.blocks)
		return script_fail(s, "grow nN BLOCKS");
	grow_start(s->w, n, blocks);
	return true;
}

static int read_view(void *ctx, u64 off, void *buf, u32 len)
{
	disk_read(ctx, off, buf, len);
	return 0;
}

static void payload_at(void *ctx, const struct logread_group *g)
{
	if (g->info.payload_bytes)
		*(u64 *)ctx = NODE_RING_OFFSET + g->pos + g->info.header_bytes;
}

/* rot nN super|ring|extent OFFSET, or rot nN last: payload of the last group */
static bool do_rot(struct script *s)
{
	static struct logread l;
	struct node *n = script_node(s, 1);
	u64 off = script_number(s, 3, 0);

	if (!n)
		return script_fail(s, "rot nN super|ring|extent|last OFFSET");
	if (strcmp(script_word(s, 2), "last") == 0) {
		memset(&l, 0, sizeof(l));
		l.data = (struct logread_dev){ read_view, &n->disk,
					       n->disk.bytes };
		logread_run(&l, payload_at, &off);
	} else if (strcmp(script_word(s, 2), "ring") == 0) {
		off += NODE_RING_OFFSET;
	} else if (strcmp(script_word(s, 2), "extent") == 0) {
		off += NODE_EXTENT_OFFSET;
	}
	n->rotten = true;
	disk_rot(&n->disk, off, 3);
	return true;
}

static bool do_control(struct script *s)
{
	struct node *n = script_node(s, 1);
	struct control *c = &s->w->control;
	const char *verb = script_word(s, 0);
	bool on = strcmp(script_word(s, 2), "off") != 0;

	if (strcmp(verb, "auto") == 0) {
		c->automatic = strcmp(script_word(s, 1), "on") == 0;
		return true;
	}
	if (!n)
		return script_fail(s, "%s nN", verb);
	if (strcmp(verb, "mute") == 0)
		set_bit(&c->mute, n, on);
	else if (strcmp(verb, "reach") == 0)
		set_bit(&c->reach, n, on);
	else if (strcmp(verb, "adopt") == 0)
		control_adopt(s->w, n->id, script_number(s, 2, c->won), 0);
	else if (strcmp(verb, "assign") == 0)
		control_assign(s->w, n->id);
	else
		control_recertify(s->w, n->id);
	return true;
}

/* ---- waiting ---------------------------------------------------------------- */

/* until in_sync nP nN [MS]: G7, everything ends in time */
static bool do_until(struct script *s)
{
	struct node *p = script_node(s, 2), *n = script_node(s, 3);
	u64 limit = script_number(s, 4, 2000);

	if (strcmp(script_word(s, 1), "in_sync") != 0)
		return inject_until(s);
	if (!p || !n)
		return script_fail(s, "until in_sync nP nN [MS]");
	for (u64 i = 0; i < limit && !s->w->violations; i++) {
		if (p->core.peer[n->id].state == SWBLOCK_PEER_IN_SYNC)
			return true;
		world_run_for(s->w, SIM_MSEC);
	}
	return script_fail(s, "n%u sees n%u %s after %llu ms", p->id, n->id,
		    swb_text_peer_state(p->core.peer[n->id].state),
		    (unsigned long long)limit);
}

/* ---- lines ------------------------------------------------------------------------ */

static const struct {
	const char *name;
	bool (*run)(struct script *s);
} commands[] = {
	{ "world", do_world },	    { "run", do_run },
	{ "promote", do_promote },  { "write", do_write },
	{ "zero", do_write },	    { "barrier", do_barrier },
	{ "cut", do_cut },	    { "block", do_cut },
	{ "unblock", do_cut },	    { "link", do_cut },
	{ "isolate", do_isolate },  { "join", do_isolate },
	{ "crash", do_crash },	    { "restart", do_restart },
	{ "mute", do_control },	    { "blank", do_blank },
	{ "replace", do_replace },  { "grow", do_grow }, { "rot", do_rot },
	{ "auto", do_control },	    { "reach", do_control },
	{ "adopt", do_control },    { "assign", do_control },
	{ "recertify", do_control }, { "expect", script_expect },
	{ "until", do_until },	    { "fill", do_more },
	{ "churn", do_more },	    { "solo", do_more },
	{ "flap", do_flap },
	{ "frame", inject_frame },  { "fact", inject_fact },
	{ "certify", inject_certify }, { "spoil", spoil_disk },
	{ "bad", lend_script },	    { "read", lend_script },
};

static bool run_words(struct script *s)
{
	bool known, ok;

	for (u32 i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i].name, s->word[0]) == 0)
			return commands[i].run(s);
	ok = script_fault(s, &known);
	return known ? ok : script_fail(s, "unknown command %s", s->word[0]);
}

/* times N COMMAND...: run it N times */
static bool run_times(struct script *s)
{
	u64 n = script_number(s, 1, 0);
	bool ok = true;

	if (!n || s->words < 3)
		return script_fail(s, "times N COMMAND");
	s->words -= 2;
	memmove(s->word, s->word + 2, s->words * sizeof(s->word[0]));
	while (ok && n-- && !s->w->violations)
		ok = run_words(s);
	return ok;
}

static bool run_line(struct script *s, char *line)
{
	char *save = NULL, *hash = strchr(line, '#');

	if (hash)
		*hash = 0;
	s->words = 0;
	for (char *t = strtok_r(line, " \t\n", &save); t && s->words < WORDS_MAX;
	     t = strtok_r(NULL, " \t\n", &save))
		s->word[s->words++] = t;
	if (!s->words)
		return true;
	if (!s->made && strcmp(s->word[0], "world") != 0)
		return script_fail(s, "the first command is world");
	return strcmp(s->word[0], "times") == 0 ? run_times(s) : run_words(s);
}

bool script_run(struct world *w, const char *path, bool trace,
		enum sim_break broken, char *why, size_t why_len)
{
	struct script s = { .w = w, .path = path, .why = why,
			    .why_len = why_len };
	FILE *f = fopen(path, "r");
	char line[256], copy[256];
	bool ok = true;

	why[0] = 0;
	if (!f)
		return script_fail(&s, "cannot open");
	w->trace = trace;
	w->broken = broken;
	while (ok && fgets(line, sizeof(line), f)) {
		s.line++;
		memcpy(copy, line, sizeof(copy));
		if (trace && s.made && line[0] != '#' && line[0] != '\n')
			printf("## %s", line);
		ok = run_line(&s, copy);
		if (w->violations)
			ok = script_fail(&s, "%s", w->first);
	}
	fclose(f);
	if (ok)
		check_clients(w);
	return w->violations && ok ? script_fail(&s, "%s", w->first) : ok;
}
