// SPDX-License-Identifier: GPL-2.0-only
/*
 * Depth first through every order, cut where a state was seen.
 *
 * Reduction: sleep sets. Two events whose masks have nothing in common touch
 * different members (or the store), and neither can enable, disable or change
 * the other: taken in either order they lead to the same state. So when a was
 * explored from here and then b is, a is put to sleep below b until something
 * that shares its mask has happened: the order b, a was covered by a, b. Sleep
 * sets leave out transitions, never a state, hence no state is missed by a check;
 * a step reads one member and the truth, and the truth is a set that grows the
 * same way in either order. Equivalent orders have equal length, so a bound on
 * the depth changes nothing. Where a state is met again with a smaller sleep
 * set, what slept the first time and does not now is explored then.
 * `eventsim --compare` tests this against the full enumeration.
 */
#include <stdlib.h>
#include <string.h>

#include "explore.h"

#define SLEEP_MAX	10

struct seen {
	u64 key;
	u64 orders;
	u32 sleep[SLEEP_MAX];
	u8 sleeps;
	u8 left;	/* depth that was left; 255: nothing was cut below */
	u8 used;
};

struct explorer {
	struct ev_job *job;
	struct ev_world *at;
	struct ev_choice *path;
	struct seen *table;
	u64 slots, used;
	u64 open;	/* times that a walk came back with something cut below */
	u32 limit;
};

struct sleep {
	u32 n;
	struct ev_choice c[EV_CHOICES];
};

static u32 id_of(const struct ev_choice *c)
{
	return (u32)c->kind << 16 | (u32)c->node << 8 | c->a;
}

static bool sleeps(const struct sleep *z, u32 id)
{
	for (u32 i = 0; i < z->n; i++)
		if (id_of(&z->c[i]) == id)
			return true;
	return false;
}

/* ---- table ------------------------------------------------------------------------ */

static struct seen *slot_of(struct seen *t, u64 slots, u64 key)
{
	u64 i = key & (slots - 1);

	while (t[i].used && t[i].key != key)
		i = (i + 1) & (slots - 1);
	return &t[i];
}

static void *grow(u64 slots)
{
	void *p = calloc(slots, sizeof(struct seen));

	if (!p) {
		fprintf(stderr, "eventsim: out of memory\n");
		exit(2);
	}
	return p;
}

static struct seen *lookup(struct explorer *x, u64 key)
{
	if (x->used * 10 > x->slots * 7) {
		struct seen *old = x->table;
		u64 n = x->slots;

		x->slots *= 2;
		x->table = grow(x->slots);
		for (u64 i = 0; i < n; i++)
			if (old[i].used)
				*slot_of(x->table, x->slots, old[i].key) = old[i];
		free(old);
	}
	return slot_of(x->table, x->slots, key);
}

/* ---- ends --------------------------------------------------------------------------- */

static void keep_outcome(struct ev_result *r, const struct ev_world *w)
{
	char line[EV_OUTCOME_LEN];
	u32 at = 0;

	ev_outcome(w, line);
	while (at < r->outcomes && strcmp(r->outcome[at], line) < 0)
		at++;
	if (at < r->outcomes && !strcmp(r->outcome[at], line))
		return;
	if (r->outcomes == EV_OUTCOMES)
		ev_bound("outcomes");
	memmove(r->outcome[at + 1], r->outcome[at],
		(r->outcomes - at) * EV_OUTCOME_LEN);
	memcpy(r->outcome[at], line, EV_OUTCOME_LEN);
	r->outcomes++;
}

static void at_end(struct explorer *x, const struct ev_world *w, u64 hash)
{
	struct ev_job *job = x->job;

	job->r.ends++;
	job->r.end_sum += hash;
	keep_outcome(&job->r, w);
	for (u32 i = 0; i < job->expects; i++) {
		struct ev_expect *e = &job->expect[i];
		bool all = true;

		for (u8 k = 0; k < e->conds; k++)
			all &= ev_cond_holds(w, &e->cond[k]);
		if (all)
			e->met = 1;
		if ((e->how == 'a' && !all) || (e->how == 'n' && all))
			e->misses++;
	}
}

static void tell_path(struct explorer *x, u32 steps)
{
	struct ev_world *w = malloc(sizeof(*w));

	if (!w)
		exit(2);
	*w = x->job->start;
	w->trace = stdout;
	for (u32 i = 0; i < steps; i++)
		ev_take(w, &x->path[i]);
	free(w);
}

static void broken(struct explorer *x, const struct ev_world *w, u32 depth)
{
	struct ev_result *r = &x->job->r;

	if (r->violations++)
		return;
	r->first_id = w->violation;
	memcpy(r->first_why, w->why, sizeof(r->first_why));
	printf("%s: invariant I-%03u after %u events:\n", x->job->script.name,
	       w->violation, depth + 1);
	tell_path(x, depth + 1);
}

/* ---- the walk -------------------------------------------------------------------------- */

static bool explored(const struct seen *s, u32 id)
{
	for (u8 i = 0; i < s->sleeps; i++)
		if (s->sleep[i] == id)
			return false;
	return true;
}

static void remember_sleep(struct seen *s, const struct sleep *z)
{
	s->sleeps = 0;
	for (u32 i = 0; i < z->n; i++)
		s->sleep[s->sleeps++] = id_of(&z->c[i]);
}

static u64 walk(struct explorer *x, u32 depth, struct sleep *z);

static u64 go(struct explorer *x, u32 depth, const struct ev_choice *c,
	      const struct sleep *z)
{
	struct ev_world *w = &x->at[depth + 1];
	struct sleep below = { 0 };

	*w = x->at[depth];
	x->path[depth] = *c;
	x->job->r.taken++;
	ev_take(w, c);
	if (w->violation) {
		broken(x, w, depth);
		return 1;
	}
	for (u32 i = 0; i < z->n; i++)
		if (!(z->c[i].mask & c->mask))
			below.c[below.n++] = z->c[i];
	return walk(x, depth + 1, &below);
}

/* A state for the first time, or with more depth left than ever. */
static u64 walk_all(struct explorer *x, u32 depth, struct sleep *z, u64 key,
		    const struct ev_choice *c, u32 n, const struct seen *old)
{
	u64 orders = 0, open = x->open;
	struct seen *s;

	for (u32 i = 0; i < n; i++) {
		u32 id = id_of(&c[i]);

		if (sleeps(z, id) || (old && explored(old, id)))
			continue;
		orders += go(x, depth, &c[i], z);
		if (x->job->fail_fast && x->job->r.violations)
			break;
		if (!x->job->full && z->n < EV_CHOICES)
			z->c[z->n++] = c[i];
	}
	s = lookup(x, key);
	s->orders += orders;
	if (x->open == open && !old)
		s->left = 255;
	else if (x->open != open && s->left == 255)
		s->left = (u8)(x->limit - depth);
	return s->orders;
}

static u64 walk(struct explorer *x, u32 depth, struct sleep *z)
{
	struct ev_world *w = &x->at[depth];
	struct ev_choice c[EV_CHOICES];
	u64 key = ev_hash(w);
	u32 n = ev_enabled(w, c), left = x->limit - depth;
	struct seen *s = lookup(x, key), old;
	bool fresh = !s->used;

	if (z->n > SLEEP_MAX)
		z->n = SLEEP_MAX;	/* who does not sleep is explored: sound */
	if (fresh) {
		*s = (struct seen){ .key = key, .used = 1, .left = (u8)left };
		x->used++;
		x->job->r.states++;
		x->job->r.sum += key;
		remember_sleep(s, z);
		if (!n)
			at_end(x, w, key);
	}
	if (!n) {
		s->left = 255;
		return 1;
	}
	if (!left) {
		if (fresh)
			x->job->r.cut++;
		x->open++;
		return 1;
	}
	if (fresh)
		return walk_all(x, depth, z, key, c, n, NULL);
	if (s->left < left) {
		s->left = (u8)left;
		s->orders = 0;
		remember_sleep(s, z);
		return walk_all(x, depth, z, key, c, n, NULL);
	}
	/* only what slept then and does not now */
	old = *s;
	s->sleeps = 0;
	for (u8 i = 0; i < old.sleeps; i++)
		if (sleeps(z, old.sleep[i]))
			s->sleep[s->sleeps++] = old.sleep[i];
	x->open += s->left != 255;
	if (s->sleeps == old.sleeps)
		return s->orders;
	if (s->left != 255)
		s->left = (u8)left;	/* the rest is explored so far only */
	return walk_all(x, depth, z, key, c, n, &old);
}

void ev_explore(struct ev_job *job, u32 depth)
{
	struct explorer x = { .job = job, .limit = depth, .slots = 1 << 16 };
	struct sleep none = { 0 };
	char (*outcome)[EV_OUTCOME_LEN] = job->r.outcome;

	if (!outcome)
		outcome = calloc(EV_OUTCOMES + 1, EV_OUTCOME_LEN);
	memset(&job->r, 0, sizeof(job->r));
	job->r.outcome = outcome;
	x.table = grow(x.slots);
	x.at = calloc(depth + 2, sizeof(*x.at));
	x.path = calloc(depth + 2, sizeof(*x.path));
	if (!x.at || !x.path || !outcome)
		exit(2);
	x.at[0] = job->start;
	job->r.orders = walk(&x, 0, &none);
	free(x.table);
	free(x.at);
	free(x.path);
}

void ev_narrate(struct ev_job *job, FILE *out, bool last)
{
	struct ev_world *w = malloc(sizeof(*w));
	struct ev_choice c[EV_CHOICES];
	u32 n;

	if (!w)
		exit(2);
	*w = job->start;
	w->trace = out;
	for (u32 i = 0; i < job->script.depth && !w->violation; i++) {
		n = ev_enabled(w, c);
		if (!n)
			break;
		ev_take(w, &c[last ? n - 1 : 0]);
	}
	free(w);
}
