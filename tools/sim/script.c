// SPDX-License-Identifier: GPL-2.0-only
/* The scenario language: a table of commands over the world. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "script.h"

#define WORDS_MAX	16
#define NAMES_MAX	64

/**
 * struct script - a script under way
 * @word: words of the line
 * @op: named writes and barriers
 */
struct script {
	struct world *w;
	const char *path;
	u32 line;
	bool made;
	u32 words;
	char *word[WORDS_MAX];
	u32 names;
	struct {
		char name[16];
		struct op *op;
	} op[NAMES_MAX];
	char *why;
	size_t why_len;
};

static bool fail(struct script *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static bool fail(struct script *s, const char *fmt, ...)
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

static const char *word(const struct script *s, u32 i)
{
	return i < s->words ? s->word[i] : "";
}

static u64 number(const struct script *s, u32 i, u64 dflt)
{
	return i < s->words && isdigit((unsigned char)s->word[i][0]) ?
	       strtoull(s->word[i], NULL, 0) : dflt;
}

static struct node *node_at(const struct script *s, u32 i)
{
	const char *t = word(s, i);

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

static struct op *named(const struct script *s, const char *name)
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

/* world NODES MODE [policy=] [required=] [seed=] [trim=] [blocks=] [lease=MS] */
static bool do_world(struct script *s)
{
	struct sim_shape p = {
		.nodes = (u8)number(s, 1, 0),
		.mode = by_name(swb_text_mode, SWBLOCK_MODE_SYNC_ALL,
				word(s, 2)),
		.policy = SWBLOCK_POLICY_LOCAL,
		.blocks = (u32)option_number(s, "blocks", 32),
		.ring_unit = (u32)option_number(s, "unit", 512),
		.trim_percent = (u32)option_number(s, "trim", 60),
		.write_ns = 300 * SIM_USEC,
		.flush_ns = SIM_MSEC,
		.lease_ns = option_number(s, "lease", 0) * SIM_MSEC,
	};

	if (s->made || p.nodes < SIM_NODES_MIN || p.nodes > SIM_NODES_MAX ||
	    !p.mode || p.blocks > SIM_BLOCKS_MAX)
		return fail(s, "world NODES MODE, once");
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
	world_run_for(s->w, number(s, 1, 0) * SIM_MSEC);
	return true;
}

/* promote nN|best [letter=A] [required=0,1] [force] [override] [nolink] */
static bool do_promote(struct script *s)
{
	struct node *n = node_at(s, 1);
	const char *want = option(s, "letter") ? option(s, "letter") : "A";
	const char *required = option(s, "required");
	struct attempt *a;

	a = control_promote(s->w, n ? n->id : SIM_NOBODY,
			    required ? node_list(required) : 0);
	for (u32 i = 2; i < s->words; i++) {
		if (strcmp(s->word[i], "force") == 0)
			a->force = true;
		if (strcmp(s->word[i], "override") == 0) {
			a->cert_flags |= SWBLOCK_CERT_OVERRIDE;
			a->force = true;
			s->w->control.overrides++;
		}
	}
	for (int i = 0; i < 400 && !a->ended && !s->w->violations; i++)
		world_run_for(s->w, SIM_MSEC);
	if (!a->ended || a->letter != want[0])
		return fail(s, "promotion ended @%c, not @%c",
			    a->ended && a->letter ? a->letter : '-', want[0]);
	world_run_for(s->w, 60 * SIM_MSEC);
	return true;
}

/* write nN BLOCK [COUNT] [as=NAME] | zero ... */
static bool do_write(struct script *s)
{
	struct node *n = node_at(s, 1);
	u32 block = (u32)number(s, 2, 0), count = (u32)number(s, 3, 1);

	if (!n || !count || block + count > s->w->shape.blocks)
		return fail(s, "write nN BLOCK [COUNT]");
	if (n->state != NODE_UP)
		return fail(s, "n%u is down", n->id);
	remember(s, node_write(s->w, n, block, count, word(s, 0)[0] == 'z'));
	return true;
}

static bool do_barrier(struct script *s)
{
	struct node *n = node_at(s, 1);

	if (!n || n->state != NODE_UP)
		return fail(s, "barrier nN: it must be up");
	remember(s, node_barrier(s->w, n));
	return true;
}

/* ---- faults ------------------------------------------------------------------ */

static bool do_cut(struct script *s)
{
	struct node *a = node_at(s, 1), *b = node_at(s, 2);

	if (!a || !b)
		return fail(s, "%s nA nB", word(s, 0));
	if (strcmp(word(s, 0), "cut") == 0) {
		net_cut_between(s->w, a->id, b->id);
	} else if (strcmp(word(s, 0), "link") == 0) {
		control_link(s->w, a->id, b->id);
	} else {
		bool on = strcmp(word(s, 0), "block") == 0;

		net_block(s->w, a->id, b->id, on);
		if (!option(s, "way"))
			net_block(s->w, b->id, a->id, on);
	}
	return true;
}

static bool do_isolate(struct script *s)
{
	struct node *n = node_at(s, 1);
	bool on = strcmp(word(s, 0), "isolate") == 0;

	if (!n)
		return fail(s, "%s nN", word(s, 0));
	for (u8 i = 0; i < s->w->shape.nodes; i++) {
		if (i == n->id)
			continue;
		net_block(s->w, n->id, i, on);
		net_block(s->w, i, n->id, on);
	}
	if (on)
		s->w->control.reach &= ~(1u << n->id);
	else
		s->w->control.reach |= 1u << n->id;
	return true;
}

static bool do_crash(struct script *s)
{
	static const char *const fate[DISK_FATES] = {
		"none", "all", "some", "writes", "prefix",
	};
	struct node *n = node_at(s, 1);
	int f = DISK_KEEP_NONE;

	if (!n)
		return fail(s, "crash nN [none|all|some|writes|prefix|host]");
	for (int i = 0; i < DISK_FATES; i++)
		if (strcmp(word(s, 2), fate[i]) == 0)
			f = i;
	node_crash(s->w, n, f, strcmp(word(s, 2), "host") == 0, false);
	return true;
}

static bool do_restart(struct script *s)
{
	struct node *n = node_at(s, 1);

	if (!n)
		return fail(s, "restart nN");
	node_restart(s->w, n);
	world_run_for(s->w, 60 * SIM_MSEC);
	return true;
}

static bool do_replace(struct script *s)
{
	struct node *n = node_at(s, 1);

	if (!n || n->state != NODE_DOWN)
		return fail(s, "replace nN: crash it first");
	node_replace_disk(s->w, n);
	return true;
}

/* rot nN super|ring|extent OFFSET */
static bool do_rot(struct script *s)
{
	struct node *n = node_at(s, 1);
	u64 off = number(s, 3, 0);

	if (!n)
		return fail(s, "rot nN super|ring|extent OFFSET");
	if (strcmp(word(s, 2), "ring") == 0)
		off += NODE_RING_OFFSET;
	else if (strcmp(word(s, 2), "extent") == 0)
		off += NODE_EXTENT_OFFSET;
	n->rotten = true;
	disk_rot(&n->disk, off, 3);
	return true;
}

static bool do_control(struct script *s)
{
	struct node *n = node_at(s, 1);
	struct control *c = &s->w->control;
	const char *verb = word(s, 0);

	if (strcmp(verb, "auto") == 0) {
		c->automatic = strcmp(word(s, 1), "on") == 0;
		return true;
	}
	if (!n)
		return fail(s, "%s nN", verb);
	if (strcmp(verb, "reach") == 0)
		c->reach = strcmp(word(s, 2), "off") == 0 ?
			   c->reach & ~(1u << n->id) : c->reach | 1u << n->id;
	else if (strcmp(verb, "adopt") == 0)
		control_adopt(s->w, n->id, number(s, 2, c->won), 0);
	else if (strcmp(verb, "assign") == 0)
		control_assign(s->w, n->id);
	else
		control_recertify(s->w, n->id);
	return true;
}

/* ---- expectations -------------------------------------------------------------- */

static bool expect_op(struct script *s, enum op_state state)
{
	static const char *const name[] = { "parked", "waiting", "done",
					    "failed" };
	struct op *op = named(s, word(s, 2));

	if (!op)
		return fail(s, "no write or barrier is called %s", word(s, 2));
	if (op->state == state ||
	    (state == OP_WAITING && op->state == OP_PARKED))
		return true;
	return fail(s, "%s is %s, not %s", word(s, 2), name[op->state],
		    name[state]);
}

static bool expect_number(struct script *s, const char *what, u64 have, u32 at)
{
	if (have == number(s, at, ~0ULL))
		return true;
	return fail(s, "%s is %llu, not %s", what, (unsigned long long)have,
		    word(s, at));
}

static bool expect_block(struct script *s, struct node *n)
{
	static u8 buf[SIM_BLOCK];
	u32 block = (u32)number(s, 3, 0);
	struct op *op = named(s, word(s, 4));
	u64 want = op ? op->wid : 0, wid = 0;

	if (!op && strcmp(word(s, 4), "zero") != 0)
		return fail(s, "expect block nN BLOCK NAME|zero");
	disk_read(&n->disk, NODE_EXTENT_OFFSET + (u64)block * SIM_BLOCK, buf,
		  SIM_BLOCK);
	if (!ref_wid_of(buf, block, &wid))
		return fail(s, "block %u is a mixture", block);
	for (u64 x = n->core.d.extent_lo + 1; x <= n->core.log.head; x++) {
		const struct wrec *r = wal_rec(n, x);

		if (r && r->type != SWB_REC_OPEN && block >= r->sector &&
		    block < r->sector + r->len_bytes / SIM_BLOCK)
			wid = r->type == SWB_REC_WRITE ? r->wid : 0;
	}
	if (wid == want)
		return true;
	return fail(s, "block %u of n%u holds write %llu, not %llu", block,
		    n->id, (unsigned long long)wid, (unsigned long long)want);
}

static bool expect_peer(struct script *s, struct node *n)
{
	struct node *p = node_at(s, 3);
	const struct swb_core_peer *q;

	if (!p)
		return fail(s, "expect peer nP nN STATE [LETTER]");
	q = &n->core.peer[p->id];
	if (strcmp(swb_text_peer_state(q->state), word(s, 4)) != 0)
		return fail(s, "n%u sees n%u %s, not %s", n->id, p->id,
			    swb_text_peer_state(q->state), word(s, 4));
	if (word(s, 5)[0] && q->letter != (u8)word(s, 5)[0])
		return fail(s, "case %c, not %s", q->letter ? q->letter : '-',
			    word(s, 5));
	return true;
}

static bool expect_same(struct script *s, struct node *a)
{
	struct node *b = node_at(s, 3);

	if (!b)
		return fail(s, "expect same nA nB");
	check_image(s->w, a, 63);
	check_image(s->w, b, 63);
	if (a->core.log.head != b->core.log.head ||
	    a->core.log.last_epoch != b->core.log.last_epoch)
		return fail(s, "logs end at %llu and %llu",
			    (unsigned long long)a->core.log.head,
			    (unsigned long long)b->core.log.head);
	return true;
}

static bool expect_refused(struct script *s, struct node *n)
{
	for (u32 r = 1; r < __SWBLOCK_REASON_MAX; r++)
		if (strcmp(swb_text_reason(r), word(s, 3)) == 0)
			return n->refused[r] ? true :
			       fail(s, "n%u refused nothing as %s", n->id,
				    word(s, 3));
	return fail(s, "no such reason: %s", word(s, 3));
}

static bool expect_node(struct script *s, const char *what, struct node *n)
{
	static const char *const state[] = { "down", "attaching", "up",
					     "refused" };

	if (strcmp(what, "c") == 0)
		return expect_number(s, "C", n->core.log.committed, 3);
	if (strcmp(what, "head") == 0)
		return expect_number(s, "head", n->core.log.head, 3);
	if (strcmp(what, "durable") == 0)
		return expect_number(s, "durable", n->core.log.durable, 3);
	if (strcmp(what, "epoch") == 0)
		return expect_number(s, "epoch", n->core.d.epoch, 3);
	if (strcmp(what, "block") == 0)
		return expect_block(s, n);
	if (strcmp(what, "peer") == 0)
		return expect_peer(s, n);
	if (strcmp(what, "same") == 0)
		return expect_same(s, n);
	if (strcmp(what, "refused") == 0)
		return expect_refused(s, n);
	if (strcmp(what, "role") == 0)
		return strcmp(swb_text_role(n->core.role), word(s, 3)) == 0 ?
		       true : fail(s, "n%u is %s", n->id,
				   swb_text_role(n->core.role));
	if (strcmp(what, "state") == 0)
		return strcmp(state[n->state], word(s, 3)) == 0 ? true :
		       fail(s, "n%u is %s", n->id, state[n->state]);
	if (strcmp(what, "local") == 0)
		return n->letter == (u8)word(s, 3)[0] ? true :
		       fail(s, "local case %c, not %s", n->letter ? n->letter :
			    '-', word(s, 3));
	return fail(s, "expect what? %s", what);
}

static bool do_expect(struct script *s)
{
	const char *what = word(s, 1);
	struct node *n = node_at(s, 2);

	if (strcmp(what, "done") == 0)
		return expect_op(s, OP_DONE);
	if (strcmp(what, "pending") == 0)
		return expect_op(s, OP_WAITING);
	if (strcmp(what, "failed") == 0)
		return expect_op(s, OP_FAILED);
	if (strcmp(what, "committed") == 0)
		return expect_number(s, "committed", s->w->ref.committed, 2);
	if (!n)
		return fail(s, "expect %s nN ...", what);
	return expect_node(s, what, n);
}

/* until in_sync nP nN [MS]: G7, everything ends in time */
static bool do_until(struct script *s)
{
	struct node *p = node_at(s, 2), *n = node_at(s, 3);
	u64 limit = number(s, 4, 2000);

	if (!p || !n || strcmp(word(s, 1), "in_sync") != 0)
		return fail(s, "until in_sync nP nN [MS]");
	for (u64 i = 0; i < limit && !s->w->violations; i++) {
		if (p->core.peer[n->id].state == SWBLOCK_PEER_IN_SYNC)
			return true;
		world_run_for(s->w, SIM_MSEC);
	}
	return fail(s, "n%u sees n%u %s after %llu ms", p->id, n->id,
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
	{ "replace", do_replace },  { "rot", do_rot },
	{ "auto", do_control },	    { "reach", do_control },
	{ "adopt", do_control },    { "assign", do_control },
	{ "recertify", do_control }, { "expect", do_expect },
	{ "until", do_until },
};

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
		return fail(s, "the first command is world");
	for (u32 i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i].name, s->word[0]) == 0)
			return commands[i].run(s);
	return fail(s, "unknown command %s", s->word[0]);
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
		return fail(&s, "cannot open");
	w->trace = trace;
	w->broken = broken;
	while (ok && fgets(line, sizeof(line), f)) {
		s.line++;
		memcpy(copy, line, sizeof(copy));
		if (trace && s.made && line[0] != '#' && line[0] != '\n')
			printf("## %s", line);
		ok = run_line(&s, copy);
		if (w->violations)
			ok = fail(&s, "%s", w->first);
	}
	fclose(f);
	return ok;
}
