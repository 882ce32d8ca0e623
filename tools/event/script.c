// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scripts: a world, a setup that runs one event after the other, then processes
 * whose steps the explorer mixes with everything that is under way.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "explore.h"

struct parser {
	struct ev_job *job;
	const char *path;
	u32 line;
	bool together, failed;
	char *token;		/* rest of the command */
};

static void complain(struct parser *p, const char *what, const char *at)
{
	fprintf(stderr, "%s:%u: %s%s%s\n", p->path, p->line, what,
		at ? ": " : "", at ? at : "");
	p->failed = true;
}

static char *next(struct parser *p)
{
	return strtok_r(NULL, " \t", &p->token);
}

static u8 member(struct parser *p)
{
	char *t = next(p);

	if (t && t[0] == 'n' && isdigit((unsigned char)t[1]) && !t[2] &&
	    t[1] - '0' < p->job->script.nodes)
		return (u8)(t[1] - '0');
	complain(p, "a member is wanted", t);
	return 0;
}

static u32 number(struct parser *p)
{
	char *t = next(p), *end;
	u32 v;

	if (!t) {
		complain(p, "a number is wanted", NULL);
		return 0;
	}
	v = (u32)strtoul(t, &end, 10);
	if (*end)
		complain(p, "a number is wanted", t);
	return v;
}

static u8 find_op(struct parser *p, const char *name)
{
	for (u8 i = 0; name && i < p->job->script.ops; i++)
		if (!strcmp(p->job->script.op_name[i], name))
			return i;
	complain(p, "no such write or barrier", name);
	return 0;
}

static u8 new_op(struct parser *p)
{
	struct ev_script *s = &p->job->script;
	char *t = next(p);

	if (s->ops == EV_OPS) {
		complain(p, "too many writes and barriers", NULL);
		return 0;
	}
	if (t && !strncmp(t, "as=", 3))
		snprintf(s->op_name[s->ops], sizeof(s->op_name[0]), "%s", t + 3);
	else
		snprintf(s->op_name[s->ops], sizeof(s->op_name[0]), "#%u",
			 s->ops + 1);
	return s->ops++;
}

static u8 required(const char *t)
{
	u8 mask = 0;

	for (t += strlen("required="); *t; t++)
		if (isdigit((unsigned char)*t))
			mask |= (u8)(1u << (*t - '0'));
	return mask;
}

static const struct { const char *word; enum ev_do what; const char *args; }
verbs[] = {
	{ "write", EV_DO_WRITE, "no" }, { "barrier", EV_DO_BARRIER, "no" },
	{ "expire", EV_DO_EXPIRE, "x" }, { "link", EV_DO_LINK, "np" },
	{ "cut", EV_DO_CUT, "np" }, { "unlink", EV_DO_UNLINK, "np" },
	{ "adopt", EV_DO_ADOPT, "nv" }, { "assign", EV_DO_ASSIGN, "nv" },
	{ "fence", EV_DO_FENCE, "n" }, { "grant", EV_DO_GRANT, "nr" },
	{ "force", EV_DO_FORCE, "n" }, { "demote", EV_DO_DEMOTE, "n" },
	{ "recertify", EV_DO_RECERTIFY, "n" },
	{ "renew", EV_DO_RENEW, "" }, { "time", EV_DO_TIME, "t" },
	{ "checkpoint", EV_DO_CHECKPOINT, "na" }, { "fail", EV_DO_FAIL, "n" },
	{ "crash", EV_DO_CRASH, "n" }, { "wait", EV_DO_WAIT, "w" },
};

static void wait_args(struct parser *p, struct ev_step *s)
{
	char *t = next(p);

	if (t && (!strcmp(t, "primary") || !strcmp(t, "in_sync") ||
		  !strcmp(t, "unlinked"))) {
		s->value = t[0] == 'p' ? 'p' : t[0] == 'i' ? 's' : 'd';
		s->node = member(p);
		if (s->value != 'p')
			s->peer = member(p);
		return;
	}
	s->value = 'o';
	s->op = find_op(p, t);
}

static struct ev_step parse_step(struct parser *p, char *verb)
{
	struct ev_step s = { 0 };
	const char *args = NULL;
	char *t;

	for (u32 i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(verbs[i].word, verb)) {
			s.what = (u8)verbs[i].what;
			args = verbs[i].args;
		}
	if (!args)
		complain(p, "no such command", verb);
	for (; args && *args; args++)
		switch (*args) {
		case 'n':
			s.node = member(p);
			break;
		case 'p':
			s.peer = member(p);
			break;
		case 'o':
			s.op = new_op(p);
			break;
		case 'x':
			s.op = find_op(p, next(p));
			break;
		case 'v':
			s.value = (u8)number(p);
			break;
		case 't':
			s.ms = number(p);
			break;
		case 'r':
			t = next(p);
			s.value = t ? required(t) : 0;
			break;
		case 'a':
			t = next(p);
			s.value = t && !strcmp(t, "all");
			break;
		case 'w':
			wait_args(p, &s);
			break;
		}
	return s;
}

/* ---- setup ------------------------------------------------------------------------ */

static void run_now(struct parser *p, const struct ev_step *s, bool settle)
{
	struct ev_world *w = &p->job->start;

	if (p->failed)
		return;
	if (!ev_step_ready(w, s)) {
		complain(p, "not possible now", NULL);
		return;
	}
	ev_step_run(w, s);
	ev_check_state(w);
	if (settle)
		ev_settle(w);
}

static void promote_now(struct parser *p, u8 node)
{
	struct ev_step s = { .what = EV_DO_FENCE, .node = node };

	run_now(p, &s, true);
	s.what = EV_DO_GRANT;
	run_now(p, &s, true);
}

static void link_all(struct parser *p, u8 node)
{
	struct ev_step s = { .what = EV_DO_LINK, .node = node };

	for (u8 i = 0; i < p->job->script.nodes; i++) {
		s.peer = i;
		if (i != node)
			run_now(p, &s, true);
	}
}

static void setup(struct parser *p, char *verb)
{
	struct ev_step s;
	bool settle = strcmp(verb, "now") != 0;
	u8 node;

	if (!settle)
		verb = next(p);
	if (!verb) {
		complain(p, "a command is wanted", NULL);
		return;
	}
	if (!strcmp(verb, "promote") || !strcmp(verb, "up")) {
		node = member(p);
		promote_now(p, node);
		if (verb[0] == 'u')
			link_all(p, node);
		return;
	}
	s = parse_step(p, verb);
	run_now(p, &s, settle);
	if (p->job->start.violation)
		complain(p, "setup breaks an invariant", p->job->start.why);
}

/* ---- processes ---------------------------------------------------------------------- */

static void add_step(struct parser *p, struct ev_proc *proc, struct ev_step s)
{
	if (proc->steps == EV_STEPS)
		complain(p, "too many steps", NULL);
	else
		proc->step[proc->steps++] = s;
}

static void process(struct parser *p, char *text)
{
	struct ev_script *s = &p->job->script;
	struct ev_proc *proc = &s->proc[s->procs];
	char *save, *cmd;

	if (s->procs == EV_PROCS) {
		complain(p, "too many processes", NULL);
		return;
	}
	s->procs++;
	for (cmd = strtok_r(text, ";", &save); cmd;
	     cmd = strtok_r(NULL, ";", &save)) {
		struct ev_step step = { .what = EV_DO_FENCE };
		char text[sizeof(step.text)], *verb;

		snprintf(text, sizeof(text), "%.*s", (int)sizeof(text) - 1,
			 cmd + strspn(cmd, " \t"));
		verb = strtok_r(cmd, " \t", &p->token);
		if (!verb)
			continue;
		if (strcmp(verb, "promote")) {
			step = parse_step(p, verb);
			memcpy(step.text, text, sizeof(text));
			add_step(p, proc, step);
			continue;
		}
		step.node = member(p);
		snprintf(step.text, sizeof(step.text), "fence n%u", step.node);
		add_step(p, proc, step);
		step.what = EV_DO_GRANT;
		snprintf(step.text, sizeof(step.text), "grant n%u", step.node);
		add_step(p, proc, step);
	}
}

/* ---- expectations --------------------------------------------------------------------- */

static u8 peer_state(const char *t)
{
	for (u8 i = 0; t && i < 16; i++)
		if (!strcmp(swb_text_peer_state(i), t))
			return i;
	return 0xff;
}

static bool parse_cond(struct parser *p, struct ev_cond *c)
{
	char *t = next(p);

	c->not = t && !strcmp(t, "not");
	if (c->not)
		t = next(p);
	if (!t)
		return false;
	if (!strcmp(t, "done") || !strcmp(t, "failed") || !strcmp(t, "pending")) {
		c->what = EV_IS_OP;
		c->value = t[0] == 'd' ? EV_OP_DONE : t[0] == 'f' ? EV_OP_FAILED :
								    EV_OP_WAITING;
		c->op = find_op(p, next(p));
	} else if (!strcmp(t, "primary")) {
		c->what = EV_IS_ROLE;
		c->node = member(p);
		c->value = SWBLOCK_ROLE_PRIMARY;
	} else if (!strcmp(t, "peer")) {
		c->what = EV_IS_PEER;
		c->node = member(p);
		c->peer = member(p);
		c->value = peer_state(next(p));
		if (c->value == 0xff)
			complain(p, "no such peer state", NULL);
	} else if (!strcmp(t, "head")) {
		c->what = EV_IS_HEAD;
		c->node = member(p);
		c->value = (u8)number(p);
	} else if (!strcmp(t, "committed")) {
		c->what = EV_IS_COMMITTED;
		c->value = (u8)number(p);
	} else {
		complain(p, "no such condition", t);
		return false;
	}
	return true;
}

bool ev_cond_holds(const struct ev_world *w, const struct ev_cond *c)
{
	bool holds = false;

	switch ((enum ev_cond_what)c->what) {
	case EV_IS_OP:
		holds = w->op[c->op].state == c->value ||
			(c->value == EV_OP_WAITING &&
			 w->op[c->op].state == EV_OP_PARKED);
		break;
	case EV_IS_ROLE:
		holds = w->core[c->node].role == c->value;
		break;
	case EV_IS_PEER:
		holds = w->core[c->node].peer[c->peer].state == c->value;
		break;
	case EV_IS_HEAD:
		holds = w->core[c->node].log.head == c->value;
		break;
	case EV_IS_COMMITTED:
		holds = w->truth.committed[c->value] &&
			!w->truth.committed[c->value + 1];
		break;
	}
	return holds != c->not;
}

static void expect(struct parser *p, char how, const char *text)
{
	struct ev_job *j = p->job;
	struct ev_expect *e = &j->expect[j->expects];

	if (j->expects == EV_EXPECTS) {
		complain(p, "too many expectations", NULL);
		return;
	}
	j->expects++;
	e->how = (u8)how;
	snprintf(e->text, sizeof(e->text), "%s", text);
	while (!p->failed && e->conds < EV_CONDS) {
		char *t;

		if (!parse_cond(p, &e->cond[e->conds]))
			break;
		e->conds++;
		t = next(p);
		if (!t)
			break;
		if (strcmp(t, "and"))
			complain(p, "'and' is wanted", t);
	}
	if (!e->conds)
		complain(p, "a condition is wanted", NULL);
}

/* ---- outcomes --------------------------------------------------------------------------- */

static char *put(char *at, const char *end, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static char *put(char *at, const char *end, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(at, (size_t)(end - at), fmt, ap);
	va_end(ap);
	return n < end - at ? at + n : at;
}

/* One line in fixed columns; which columns is the script's choice. */
void ev_outcome(const struct ev_world *w, char *out)
{
	static const char *const state[] = {
		"-", "parked", "pending", "done", "failed",
	};
	const char *end = out + EV_OUTCOME_LEN;
	const struct ev_script *s = w->script;
	char *at = out;

	*out = 0;
	for (u8 i = 0; (s->show & EV_SHOW_OPS) && i < s->ops; i++)
		at = put(at, end, "%s=%-8s", s->op_name[i], state[w->op[i].state]);
	for (u8 i = 0; i < s->nodes; i++) {
		const struct swb_core *c = &w->core[i];

		if (s->show & EV_SHOW_ROLES)
			at = put(at, end, "n%u %-7s e%llu ", i,
				 swb_text_role(c->role),
				 (unsigned long long)c->d.epoch);
		if (s->show & EV_SHOW_LOGS)
			at = put(at, end, "%llu/%llu/%llu ",
				 (unsigned long long)c->log.head,
				 (unsigned long long)c->log.durable,
				 (unsigned long long)c->log.committed);
		if (!(s->show & EV_SHOW_PEERS) || c->role != SWBLOCK_ROLE_PRIMARY)
			continue;
		for (u8 p = 0; p < s->nodes; p++)
			if (p != i)
				at = put(at, end, "n%u:%s@%c ", p,
					 swb_text_peer_state(c->peer[p].state),
					 c->peer[p].letter ? c->peer[p].letter : '-');
	}
	while (at > out && at[-1] == ' ')
		*--at = 0;
}

/* ---- file --------------------------------------------------------------------------------- */

static void parse_world(struct parser *p)
{
	struct ev_script *s = &p->job->script;
	char *t;

	s->nodes = (u8)number(p);
	t = next(p);
	for (u8 m = 0; m < 8; m++)
		if (t && !strcmp(swb_text_mode(m), t))
			s->mode = m;
	s->policy = SWBLOCK_POLICY_LOCAL;
	s->required = (u8)((1u << s->nodes) - 1);
	s->show = EV_SHOW_OPS | EV_SHOW_ROLES;
	s->depth = 60;
	while ((t = next(p))) {
		if (!strncmp(t, "lease=", 6))
			s->lease_ms = (u32)atoi(t + 6);
		else if (!strncmp(t, "required=", 9))
			s->required = required(t);
		else if (!strcmp(t, "policy=received"))
			s->policy = SWBLOCK_POLICY_RECEIVED;
		else if (!strcmp(t, "policy=written"))
			s->policy = SWBLOCK_POLICY_WRITTEN;
		else if (!strcmp(t, "back"))
			s->back = 1;
		else
			complain(p, "no such property", t);
	}
	if (s->nodes < 2 || s->nodes > EV_NODES || !s->mode)
		complain(p, "a world has 2 or 3 members and a mode", NULL);
	else
		ev_world_init(&p->job->start, s);
}

static void parse_show(struct parser *p)
{
	char *t;

	p->job->script.show = 0;
	while ((t = next(p)))
		p->job->script.show |= !strcmp(t, "ops") ? EV_SHOW_OPS :
			!strcmp(t, "roles") ? EV_SHOW_ROLES :
			!strcmp(t, "peers") ? EV_SHOW_PEERS :
			!strcmp(t, "logs") ? EV_SHOW_LOGS : 0;
}

static void parse_line(struct parser *p, char *line)
{
	char copy[256], *verb;

	snprintf(copy, sizeof(copy), "%s", line);
	verb = strtok_r(line, " \t", &p->token);
	if (!verb)
		return;
	if (!strcmp(verb, "world"))
		parse_world(p);
	else if (!p->job->script.nodes)
		complain(p, "a script begins with its world", NULL);
	else if (!strcmp(verb, "together"))
		p->together = true;
	else if (!strcmp(verb, "depth"))
		p->job->script.depth = (u8)number(p);
	else if (!strcmp(verb, "show"))
		parse_show(p);
	else if (!strcmp(verb, "always") || !strcmp(verb, "some") ||
		 !strcmp(verb, "never"))
		expect(p, verb[0], copy);
	else if (p->together)
		process(p, copy);
	else
		setup(p, verb);
}

bool ev_script_load(const char *path, struct ev_job *job, FILE *trace)
{
	struct parser p = { .job = job, .path = path };
	const char *base = strrchr(path, '/');
	char line[256], *hash;
	FILE *f = fopen(path, "r");

	if (!f) {
		perror(path);
		return false;
	}
	snprintf(job->script.name, sizeof(job->script.name), "%s",
		 base ? base + 1 : path);
	while (!p.failed && fgets(line, sizeof(line), f)) {
		p.line++;
		hash = strchr(line, '#');
		if (hash)
			*hash = 0;
		line[strcspn(line, "\n")] = 0;
		parse_line(&p, line);
		job->start.trace = trace;
	}
	fclose(f);
	job->start.trace = NULL;
	if (!p.failed && !job->script.procs)
		complain(&p, "nothing happens together", NULL);
	return !p.failed;
}
