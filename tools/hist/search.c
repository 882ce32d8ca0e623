// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is one block a register? The search of Wing and Gong with the memory of Lowe,
 * depth first, bounded, over the reads and writes of the block and the failovers.
 *
 * A failover is an operation, too: when it takes effect, the register goes back to
 * one of its earlier values, but never behind a write that a barrier has covered
 * (pin, worked out by parse.c), and what it leaves behind is gone. Writes whose
 * outcome nobody knows take part only if somebody read them: then they took effect
 * before that read, else it makes no difference whether they did.
 *
 * A read of the current value is taken at once, without trying anything else: it
 * changes nothing, and having it behind us allows only more.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hist.h"

#define SEEN_START	4096
#define STORY_MAX	10

/* one value that the register had; what it was before hangs below */
struct value {
	const struct hist_op *w;	/* NULL: zeroes, as it began */
	struct value *before;
	struct value *next;		/* all of them, to be freed */
};

/* an operation of this block as the search sees it */
struct item {
	const struct hist_op *op;
	uint64_t ret;			/* took effect by then */
	uint64_t key;
	bool done;
};

/* one step taken, and where to go on looking if it was the wrong one */
struct frame {
	size_t item;
	struct value *at;		/* before the step */
	struct value *back;		/* failover: the value gone back to */
	bool forced;			/* nothing else need be tried */
};

struct search {
	const struct hist *h;
	const struct hist_rules *rules;
	struct item *item;
	size_t count, done, first;
	struct frame *frame;
	struct value *at, *values;
	uint32_t crashes;
	uint64_t key;
	uint64_t *seen;
	size_t seen_size, seen_count;
	size_t best;			/* deepest so far: for the report */
	struct value *best_at;
	bool *best_done;
};

static void *need(void *p)
{
	if (p)
		return p;
	fprintf(stderr, "histcheck: no memory\n");
	exit(2);
}

static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

/* ---- what can be the register's value ----------------------------------- */

static uint64_t id_of(const struct value *v)
{
	return v->w ? v->w->id : 0;
}

static struct value *value_new(struct search *s, const struct hist_op *w,
			       struct value *before)
{
	struct value *v = need(malloc(sizeof(*v)));

	*v = (struct value){ w, before, s->values };
	s->values = v;
	return v;
}

/* The generation that the next failover ends. */
static uint32_t gen_at_risk(const struct search *s)
{
	return s->crashes < s->h->crash_count ? s->h->crash[s->crashes].gen :
						UINT32_MAX;
}

/* Can the next failover go behind this value? */
static bool pinned(const struct search *s, const struct value *v)
{
	return !v->before || (v->w && v->w->pin <= gen_at_risk(s));
}

/* Two states are the same if all is equal that later steps can depend on. */
static uint64_t state_key(const struct search *s)
{
	uint64_t key = s->key;
	const struct value *v = s->at;

	for (;;) {
		key = mix(key ^ id_of(v));
		if (pinned(s, v))
			return key;
		v = v->before;
	}
}

static void seen_grow(struct search *s)
{
	uint64_t *old = s->seen;
	size_t n = s->seen_size;

	s->seen_size = n ? 2 * n : SEEN_START;
	s->seen = need(calloc(s->seen_size, sizeof(*s->seen)));
	s->seen_count = 0;
	for (size_t i = 0; i < n; i++) {
		size_t at = old[i] & (s->seen_size - 1);

		if (!old[i])
			continue;
		while (s->seen[at])
			at = (at + 1) & (s->seen_size - 1);
		s->seen[at] = old[i];
		s->seen_count++;
	}
	free(old);
}

/* True if this state was met before. */
static bool seen_before(struct search *s)
{
	uint64_t key = state_key(s) | 1;
	size_t at;

	if (4 * s->seen_count >= 3 * s->seen_size)
		seen_grow(s);
	at = key & (s->seen_size - 1);
	while (s->seen[at] && s->seen[at] != key)
		at = (at + 1) & (s->seen_size - 1);
	if (s->seen[at])
		return true;
	s->seen[at] = key;
	s->seen_count++;
	return false;
}

/* ---- steps -------------------------------------------------------------- */

static void take(struct search *s, const struct frame *f)
{
	struct item *it = &s->item[f->item];

	it->done = true;
	s->key ^= it->key;
	s->done++;
	while (s->first < s->count && s->item[s->first].done)
		s->first++;
	if (it->op->kind == HIST_CRASH) {
		s->crashes++;
		s->at = f->back;
	} else if (it->op->kind != HIST_READ) {
		s->at = value_new(s, it->op, s->at);
	}
}

static void undo(struct search *s, const struct frame *f)
{
	struct item *it = &s->item[f->item];

	it->done = false;
	s->key ^= it->key;
	s->done--;
	if (f->item < s->first)
		s->first = f->item;
	if (it->op->kind == HIST_CRASH)
		s->crashes--;
	s->at = f->at;
}

/* Nothing may be taken that began after another had to be over. */
static uint64_t horizon(const struct search *s)
{
	uint64_t end = HIST_NEVER;

	for (size_t i = s->first; i < s->count && s->item[i].op->inv <= end; i++)
		if (!s->item[i].done && s->item[i].ret < end)
			end = s->item[i].ret;
	return end;
}

static bool possible(const struct search *s, const struct item *it)
{
	switch (it->op->kind) {
	case HIST_READ:
		return it->op->value == id_of(s->at);
	case HIST_CRASH:
		return it->op == &s->h->crash[s->crashes];
	case HIST_WRITE:
	case HIST_WRITE_SYNC:
		return s->crashes <= it->op->until;
	case HIST_BARRIER:
		break;
	}
	return false;
}

/* The next step to try from here; f->item says behind which one to go on. */
static bool next_step(struct search *s, struct frame *f, bool again)
{
	uint64_t end = horizon(s);
	size_t i;

	if (again && f->forced)
		return false;
	if (again && s->item[f->item].op->kind == HIST_CRASH && !pinned(s, f->back)) {
		f->back = f->back->before;
		return true;
	}
	for (i = s->first; !again && i < s->count && s->item[i].op->inv <= end; i++) {
		if (s->item[i].done || s->item[i].op->kind != HIST_READ ||
		    !possible(s, &s->item[i]))
			continue;
		*f = (struct frame){ .item = i, .at = s->at, .forced = true };
		return true;
	}
	for (i = again ? f->item + 1 : s->first;
	     i < s->count && s->item[i].op->inv <= end; i++) {
		if (s->item[i].done || s->item[i].op->kind == HIST_READ ||
		    !possible(s, &s->item[i]))
			continue;
		*f = (struct frame){ .item = i, .at = s->at, .back = s->at };
		return true;
	}
	return false;
}

static void remember_best(struct search *s)
{
	if (s->done < s->best || (s->done == s->best && s->best_at))
		return;
	s->best = s->done;
	s->best_at = s->at;
	for (size_t i = 0; i < s->count; i++)
		s->best_done[i] = s->item[i].done;
}

static enum hist_verdict search(struct search *s)
{
	size_t depth = 0;
	bool again = false;

	for (;;) {
		struct frame *f = &s->frame[depth];

		if (s->done == s->count)
			return HIST_LINEARIZABLE;
		if (next_step(s, f, again)) {
			take(s, f);
			if (s->done == s->count)
				return HIST_LINEARIZABLE;
			again = !f->forced && seen_before(s);
			if (again)
				undo(s, f);
			else
				depth++;
			if (s->seen_count > s->rules->states_max)
				return HIST_UNDECIDED;
			continue;
		}
		/* the walk through best_done is long: only where the search is stuck */
		if (!again)
			remember_best(s);
		if (!depth)
			return HIST_VIOLATION;
		undo(s, &s->frame[--depth]);
		again = true;
	}
}

/* ---- the items of a block ------------------------------------------------ */

static int by_invocation(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->op->inv != y->op->inv)
		return x->op->inv < y->op->inv ? -1 : 1;
	return x->ret != y->ret ? (x->ret < y->ret ? -1 : 1) : 0;
}

static void add_item(struct search *s, const struct hist_op *op, uint64_t ret)
{
	if (ret == HIST_NEVER)
		return;
	s->item[s->count] = (struct item){ op, ret, mix(s->count + 1), false };
	s->count++;
}

static void collect(struct search *s, uint32_t block)
{
	const struct hist *h = s->h;

	s->item = need(calloc(h->count + h->crash_count + 1, sizeof(*s->item)));
	for (size_t i = 0; i < h->count; i++) {
		const struct hist_op *op = &h->op[i];

		if (op->block != block || op->kind == HIST_BARRIER ||
		    op->outcome == HIST_FAILED)
			continue;
		if (op->kind != HIST_READ)
			add_item(s, op, op->effect);
		else if (op->outcome == HIST_OK)
			add_item(s, op, op->ret);
	}
	for (size_t i = 0; i < h->crash_count; i++)
		add_item(s, &h->crash[i], h->crash[i].ret);
	qsort(s->item, s->count, sizeof(*s->item), by_invocation);
	for (size_t i = 0; i < s->count; i++)
		s->item[i].key = mix(i + 1);
}

/* What needs no search: values from nowhere. */
static bool nonsense(const struct hist *h, uint32_t block)
{
	for (size_t i = 0; i < h->count; i++) {
		const struct hist_op *r = &h->op[i], *w;

		if (r->kind != HIST_READ || r->block != block)
			continue;
		if (r->outcome == HIST_OK && r->value) {
			w = hist_find(h, r->value);
			if (w && w->block == block && w->outcome != HIST_FAILED &&
			    (w->kind == HIST_WRITE || w->kind == HIST_WRITE_SYNC))
				continue;
		} else if (r->outcome != HIST_BAD) {
			continue;
		}
		printf("block %u: a read shows what nobody wrote there\n", block);
		hist_print(h, "this read", r);
		return true;
	}
	return false;
}

/* ---- the report ---------------------------------------------------------- */

static void tell_values(const struct search *s)
{
	const struct value *v = s->best_at;
	int n;

	for (n = 0; v && n < STORY_MAX; n++, v = v->before) {
		if (!v->w) {
			printf("  %-22s zeroes, as it began\n",
			       n ? "before that" : "the block holds");
			break;
		}
		hist_print(s->h, n ? "before that" : "the block holds", v->w);
		if (v->w->pinned_by && v->w->pinned_by != v->w)
			hist_print(s->h, "  covered by", v->w->pinned_by);
		else if (v->w->pinned_by)
			printf("  %-22s itself\n", "  covered by");
		if (v->w->pin != UINT32_MAX && n)
			break;
	}
}

static void report(const struct search *s, uint32_t block)
{
	uint64_t end = HIST_NEVER;
	int n = 0;

	printf("block %u: no order of its operations explains this (%zu of %zu placed)\n",
	       block, s->best, s->count);
	tell_values(s);
	for (size_t i = 0; i < s->count; i++)
		if (!s->best_done[i] && s->item[i].ret < end)
			end = s->item[i].ret;
	for (size_t i = 0; i < s->count && n < 2 * STORY_MAX; i++) {
		const struct hist_op *op = s->item[i].op;

		if (s->best_done[i] || op->inv > end)
			continue;
		n++;
		hist_print(s->h, "cannot come next", op);
		if (op->kind == HIST_READ && hist_find(s->h, op->value))
			hist_print(s->h, "  it shows", hist_find(s->h, op->value));
	}
}

enum hist_verdict hist_check_block(const struct hist *h, uint32_t block,
				   const struct hist_rules *rules)
{
	struct search s = { .h = h, .rules = rules };
	enum hist_verdict verdict;

	if (nonsense(h, block))
		return HIST_VIOLATION;
	collect(&s, block);
	s.frame = need(calloc(s.count + 1, sizeof(*s.frame)));
	s.best_done = need(calloc(s.count + 1, sizeof(*s.best_done)));
	s.at = value_new(&s, NULL, NULL);
	seen_grow(&s);
	verdict = search(&s);
	if (verdict == HIST_VIOLATION)
		report(&s, block);
	while (s.values) {
		struct value *v = s.values;

		s.values = v->next;
		free(v);
	}
	free(s.item);
	free(s.frame);
	free(s.best_done);
	free(s.seen);
	return verdict;
}
