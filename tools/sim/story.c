// SPDX-License-Identifier: GPL-2.0-only
/* The story of a run, for readers. */
#include <ctype.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include "story.h"

#define STORY_VOID	(SWBLOCK_REPORT_INCONSISTENT | SWBLOCK_REPORT_DISK_FAILED)
#define U(x)	((unsigned long long)(x))

void story_begin(struct story *s)
{
	memset(s, 0, offsetof(struct story, line));
}

/* Equal but for numbers other than those of members. */
static bool alike(const char *a, const char *b)
{
	while (*a && *b) {
		bool member = *a == 'n' && isdigit((unsigned char)a[1]);

		if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
			while (isdigit((unsigned char)*a))
				a++;
			while (isdigit((unsigned char)*b))
				b++;
			continue;
		}
		if (*a != *b || (member && a[1] != b[1]))
			return false;
		a += 1 + member;
		b += 1 + member;
	}
	return *a == *b;
}

/* After healing the controller tries again and again; once is enough to read. */
static bool repeats(const struct story *s, const char *text)
{
	u32 have = s->count < STORY_LINES ? s->count : STORY_LINES;

	for (u32 i = have; s->healing && i > 0; i--) {
		const char *said = strstr(s->line[i - 1], "ms  ");

		if (!said || strstr(said, "heals"))
			return false;
		if (alike(said + 4, text))
			return true;
	}
	return false;
}

void story_add(struct world *w, const char *fmt, ...)
{
	struct story *s = w->story;
	char text[STORY_CHARS - 20];
	va_list ap;

	if ((!s && !w->trace) || (s && s->ended))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	sim_trace(w, SIM_NOBODY, "## %s", text);
	if (!s)
		return;
	for (const char *t = text; *t; t++)
		s->hash = (s->hash ^ (u8)*t) * 0x100000001b3ULL;
	s->hash += w->clock.now_ns;
	if (repeats(s, text)) {
		s->same++;
		return;
	}
	if (s->count < STORY_LINES)
		snprintf(s->line[s->count], STORY_CHARS, "%9.3f ms  %s",
			 (double)(w->clock.now_ns - SIM_START_NS) / 1e6, text);
	s->count++;
}

/* Writes that follow each other, with nothing in between, are one line. */
void story_write(struct world *w, const struct node *n, const struct op *op)
{
	struct story *s = w->story;
	bool more = s && s->writes && s->writes_end == s->count &&
		    s->writes_node == n->id && op->state == OP_WAITING;

	if (op->state == OP_FAILED) {
		story_add(w, "a client writes to n%u and is refused", n->id);
	} else if (op->state == OP_PARKED) {
		story_add(w, "a client writes to n%u, held for now", n->id);
	} else if (more && s->count <= STORY_LINES) {
		s->writes++;
		s->hash = (s->hash ^ op->lsn) * 0x100000001b3ULL;
		snprintf(s->line[s->count - 1], STORY_CHARS,
			 "%9.3f ms  a client writes to n%u, %u writes: LSN %llu to %llu",
			 (double)s->writes_ns / 1e6, n->id, s->writes,
			 U(s->writes_lsn), U(op->lsn));
	} else {
		story_add(w, "a client %s %u block%s from %u on n%u: LSN %llu",
			  op->zeroes ? "zeroes" : "writes", op->blocks,
			  op->blocks > 1 ? "s" : "", op->block, n->id,
			  U(op->lsn));
		if (s) {
			s->writes = 1;
			s->writes_end = s->count;
			s->writes_node = n->id;
			s->writes_lsn = op->lsn;
			s->writes_ns = w->clock.now_ns - SIM_START_NS;
		}
	}
}

void story_heal(struct world *w)
{
	story_add(w, "everything heals");
	if (w->story)
		w->story->healing = true;
}

void story_auto(struct world *w)
{
	struct story *s = w->story;

	if (s && s->autos < STORY_AUTO && !s->healing)
		s->auto_ns[s->autos++] = w->clock.now_ns - SIM_START_NS;
}

void story_end(struct world *w, const char *what)
{
	story_add(w, "broken: %s", what);
	if (w->story)
		w->story->ended = true;
}

/* "n0 n2" */
static const char *members(u32 mask, char *text, size_t len)
{
	size_t at = 0;

	text[0] = 0;
	for (u32 i = 0; i < 32 && at + 4 < len; i++)
		if (mask & (1u << i))
			at += (size_t)snprintf(text + at, len - at, "%sn%u",
					       at ? " " : "", i);
	return text;
}

void story_promote(struct world *w, u8 want, u32 required)
{
	char set[40];

	if (want == SIM_NOBODY && !required)
		story_add(w, "the controller begins a promotion of the best");
	else if (!required)
		story_add(w, "the controller begins a promotion, n%u if it can",
			  want);
	else
		story_add(w, "the controller begins a promotion to required set %s",
			  members(required, set, sizeof(set)));
}

void story_grant(struct world *w, const struct swb_cert *cert, u8 candidate)
{
	char text[100] = "", set[40];
	size_t at = 0;

	for (u32 i = 0; i < cert->report_count && at < sizeof(text) - 24; i++) {
		const struct swb_report *r = &cert->report[i];

		for (u8 k = 0; k < w->shape.nodes; k++)
			if (swb_uuid_equal(&w->node[k].core.d.replica,
					   &r->replica))
				at += (size_t)snprintf(text + at,
					sizeof(text) - at, " n%u (%llu,%llu)%s",
					k, U(r->last_epoch), U(r->durable),
					r->flags & STORY_VOID ? " void" : "");
	}
	if (cert->config.mode == SWBLOCK_MODE_SYNC_ALL)
		story_add(w, "epoch %llu, required %s, is granted to n%u, on reports of%s",
			  U(cert->epoch), members(cert->config.required, set,
						  sizeof(set)), candidate, text);
	else
		story_add(w, "epoch %llu is granted to n%u, on reports of%s",
			  U(cert->epoch), candidate, text);
}

/* ---- steps ----------------------------------------------------------------- */

static void tell_peer(struct world *w, const struct node *n,
		      const struct swb_core *before, u8 peer)
{
	const struct swb_core_peer *p;

	if (peer >= SWB_MEMBERS_MAX)
		return;
	p = &n->core.peer[peer];
	if (n->core.role == SWBLOCK_ROLE_PRIMARY &&
	    p->state != before->peer[peer].state &&
	    p->state > SWBLOCK_PEER_CATCHING_UP)
		story_add(w, "n%u counts n%u as %s, case %c", n->id, peer,
			  swb_text_peer_state(p->state), p->letter ?: '-');
}

/* Is there I/O of a client that a step ends: barriers up to @lsn, or anything? */
static bool client_waits(const struct world *w, const struct node *n,
			 bool barriers, u64 lsn)
{
	for (u32 i = 0; i < w->ops; i++) {
		const struct op *op = w->op[i];

		if (op->node != n->id || (op->state != OP_WAITING &&
					  (barriers || op->state != OP_PARKED)))
			continue;
		if (!barriers || (op->barrier && op->lsn <= lsn))
			return true;
	}
	return false;
}

static void tell_refusal(struct world *w, const struct node *n,
			 const struct swb_action *a)
{
	const char *name = a->b ? swb_text_case((u8)a->c, (u8)a->b) : NULL;

	story_add(w, "n%u refuses an order: case %c %s", n->id,
		  a->b ? (int)a->b : '-', name ?: "");
}

static void tell_action(struct world *w, const struct node *n,
			const struct swb_core *before,
			const struct swb_action *a)
{
	if (a->type == SWB_ACT_APPEND_OPEN)
		story_add(w, "n%u opens epoch %llu at LSN %llu", n->id, U(a->a),
			  U(a->b));
	else if (a->type == SWB_ACT_TRUNCATE)
		story_add(w, "n%u cuts its log from %llu to %llu", n->id,
			  U(before->log.head), U(a->a));
	else if (a->type == SWB_ACT_COMPLETE_BARRIERS &&
		 client_waits(w, n, true, a->a))
		story_add(w, "barriers of n%u up to %llu succeed", n->id,
			  U(a->a));
	else if (a->type == SWB_ACT_FAIL_IO && client_waits(w, n, false, 0))
		story_add(w, "n%u fails the I/O of its clients", n->id);
	else if (a->type == SWB_ACT_NOTIFY_REFUSED)
		tell_refusal(w, n, a);
	else if (a->type == SWB_ACT_NOTIFY_PEER)
		tell_peer(w, n, before, a->peer);
}

static void tell_ack(struct world *w, const struct node *n,
		     const struct swb_core *before, u8 peer)
{
	if (peer < SWB_MEMBERS_MAX && n->core.peer[peer].matched &&
	    n->core.peer[peer].durable > before->peer[peer].durable)
		story_add(w, "n%u hears that n%u holds %llu durably", n->id,
			  peer, U(n->core.peer[peer].durable));
}

void story_step(struct world *w, const struct node *n,
		const struct swb_core *before, const struct swb_event *ev,
		const struct swb_actions *out)
{
	const struct swb_core *now = &n->core;

	if (!w->story && !w->trace)
		return;
	if (now->d.epoch != before->d.epoch)
		story_add(w, "n%u adopts epoch %llu%s", n->id, U(now->d.epoch),
			  before->role == SWBLOCK_ROLE_PRIMARY ?
			  ", is primary no more" : "");
	else if (before->role == SWBLOCK_ROLE_PRIMARY && now->role !=
		 before->role)
		story_add(w, "n%u is primary no more", n->id);
	if (ev->type == SWB_EV_PEER_ACKED)
		tell_ack(w, n, before, ev->peer);
	if (now->log.committed > before->log.committed &&
	    now->role == SWBLOCK_ROLE_PRIMARY)
		story_add(w, "n%u commits up to %llu", n->id,
			  U(now->log.committed));
	for (u32 i = 0; i < out->count; i++)
		tell_action(w, n, before, &out->act[i]);
}

void story_print(const struct story *s, const char *prefix, FILE *f)
{
	u32 have = s->count < STORY_LINES ? s->count : STORY_LINES;

	for (u32 i = 0; i < have; i++) {
		if (i == have - 1 && s->same)
			fprintf(f, "%s     (and %u more like these)\n", prefix,
				s->same);
		fprintf(f, "%s%3u. %s\n", prefix, i + 1, s->line[i]);
	}
	if (s->count > have)
		fprintf(f, "%s     (and %u lines more)\n", prefix,
			s->count - have);
}
