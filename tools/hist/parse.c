// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads a history and works out what follows from it before any search: from when
 * to when a primary was being replaced, and which barrier covers which write.
 * Decides nothing about right and wrong.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hist.h"

/* ids to operations: open addressing */
static struct {
	struct hist_op **slot;
	size_t size;
} table;

static void *need(void *p)
{
	if (p)
		return p;
	fprintf(stderr, "histcheck: no memory\n");
	exit(2);
}

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

static struct hist_op **place(uint64_t id)
{
	size_t i = mix(id) & (table.size - 1);

	while (table.slot[i] && table.slot[i]->id != id)
		i = (i + 1) & (table.size - 1);
	return &table.slot[i];
}

static void table_fill(struct hist *h)
{
	free(table.slot);
	for (table.size = 64; table.size < 2 * h->count; table.size *= 2)
		;
	table.slot = need(calloc(table.size, sizeof(*table.slot)));
	for (size_t i = 0; i < h->count; i++)
		*place(h->op[i].id) = &h->op[i];
}

const struct hist_op *hist_find(const struct hist *h, uint64_t id)
{
	(void)h;
	return id ? *place(id) : NULL;
}

/* "W.N"; 0.0 is nobody's */
static bool parse_id(const char *s, uint64_t *id)
{
	uint32_t worker, number;
	int used = 0;

	if (!s || sscanf(s, "%" SCNu32 ".%" SCNu32 "%n", &worker, &number, &used) != 2 ||
	    s[used])
		return false;
	*id = (uint64_t)worker << 32 | number;
	return true;
}

static bool parse_number(const char *s, uint64_t max, uint64_t *out)
{
	char *end;

	if (!s || *s < '0' || *s > '9')
		return false;
	errno = 0;
	*out = strtoull(s, &end, 10);
	return !errno && !*end && *out <= max;
}

#define WORDS 5

static bool take_invoke(struct hist *h, char **w, uint64_t ns)
{
	struct hist_op op = { .inv = ns, .ret = HIST_NEVER };
	uint64_t gen, block = 0;

	switch (*w[1]) {
	case 'w':
		op.kind = HIST_WRITE;
		break;
	case 'd':
		op.kind = HIST_WRITE_SYNC;
		break;
	case 'r':
		op.kind = HIST_READ;
		break;
	default:
		op.kind = HIST_BARRIER;
		break;
	}
	if (!parse_id(w[2], &op.id) || !op.id ||
	    !parse_number(w[3], HIST_GENS_MAX - 1, &gen))
		return false;
	if (op.kind != HIST_BARRIER &&
	    !parse_number(w[4], HIST_BLOCKS_MAX - 1, &block))
		return false;
	op.gen = (uint32_t)gen;
	op.block = (uint32_t)block;
	if (!(h->count & (h->count - 1)))
		h->op = need(realloc(h->op, (h->count ? 2 * h->count : 1) *
					    sizeof(*h->op)));
	h->op[h->count++] = op;
	return true;
}

static bool take_mark(struct hist *h, char **w, uint64_t ns)
{
	uint64_t gen;

	if (!parse_number(w[2], HIST_GENS_MAX - 1, &gen))
		return false;
	if (!strcmp(w[1], "kill"))
		h->kill_ns[gen] = ns;
	else
		h->primary_ns[gen] = ns;
	return true;
}

static bool take_return(struct hist *h, char **w, uint64_t ns)
{
	struct hist_op *op;
	uint64_t id;

	(void)h;
	if (!parse_id(w[2], &id))
		return false;
	op = *place(id);
	if (!op || op->outcome != HIST_PENDING)
		return false;
	op->ret = ns;
	if (!strcmp(w[1], "ok")) {
		op->outcome = HIST_OK;
		return op->kind != HIST_READ;
	}
	if (!strcmp(w[1], "is")) {
		op->outcome = HIST_OK;
		return op->kind == HIST_READ && parse_id(w[3], &op->value);
	}
	if (!strcmp(w[1], "unknown"))
		op->outcome = HIST_UNKNOWN;
	else if (!strcmp(w[1], "fail"))
		op->outcome = HIST_FAILED;
	else
		op->outcome = HIST_BAD;
	return true;
}

static int by_invocation(const void *a, const void *b)
{
	const struct hist_op *x = a, *y = b;

	if (x->inv != y->inv)
		return x->inv < y->inv ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

enum stage { STAGE_INVOKE, STAGE_RETURN };

/* Lines may stand in any order: what began, first, then how it ended. */
static bool take_line(struct hist *h, enum stage now, char *line)
{
	static const char *const ends[] = { "ok", "is", "unknown", "fail", "bad" };
	static const char *const marks[] = { "kill", "primary" };
	char *w[WORDS] = { NULL };
	uint64_t ns;
	size_t i;

	for (i = 0; i < WORDS; i++) {
		w[i] = strtok(i ? NULL : line, " \t\n");
		if (!w[i])
			break;
	}
	if (!w[0] || *w[0] == '#')
		return true;
	if (!w[1] || !parse_number(w[0], HIST_NEVER - 1, &ns))
		return false;
	if (now == STAGE_INVOKE && (!h->start_ns || ns < h->start_ns))
		h->start_ns = ns;
	if (strlen(w[1]) == 1 && strchr("wdrb", *w[1]))
		return now == STAGE_RETURN || take_invoke(h, w, ns);
	for (i = 0; i < 2; i++)
		if (!strcmp(w[1], marks[i]))
			return now == STAGE_RETURN || take_mark(h, w, ns);
	for (i = 0; i < 5; i++)
		if (!strcmp(w[1], ends[i]))
			return now == STAGE_INVOKE || take_return(h, w, ns);
	return false;
}

static bool read_pass(struct hist *h, enum stage now, FILE *f, const char *path)
{
	char line[256], copy[256];
	unsigned int number = 0;

	rewind(f);
	while (fgets(line, sizeof(line), f)) {
		number++;
		memcpy(copy, line, sizeof(copy));
		if (take_line(h, now, line))
			continue;
		copy[strcspn(copy, "\n")] = '\0';
		fprintf(stderr, "histcheck: %s:%u: %s\n", path, number, copy);
		return false;
	}
	return true;
}

static bool ids_differ(const struct hist *h)
{
	for (size_t i = 0; i < h->count; i++)
		if (*place(h->op[i].id) != &h->op[i]) {
			fprintf(stderr, "histcheck: two operations %" PRIu64 ".%u\n",
				h->op[i].id >> 32, (unsigned int)h->op[i].id);
			return false;
		}
	return true;
}

bool hist_read(struct hist *h, const char *path)
{
	FILE *f = fopen(path, "r");
	bool ok;

	memset(h, 0, sizeof(*h));
	if (!f) {
		fprintf(stderr, "histcheck: %s: %s\n", path, strerror(errno));
		return false;
	}
	ok = read_pass(h, STAGE_INVOKE, f, path);
	if (ok && h->count)
		qsort(h->op, h->count, sizeof(*h->op), by_invocation);
	table_fill(h);
	ok = ok && ids_differ(h) && read_pass(h, STAGE_RETURN, f, path);
	fclose(f);
	return ok;
}

/* ---- what follows ------------------------------------------------------- */

/* The last moment at which a primary is known to have served, or when it began. */
static uint64_t served_ns(const struct hist *h, uint32_t gen)
{
	uint64_t ns = h->primary_ns[gen];

	for (size_t i = 0; i < h->count; i++)
		if (h->op[i].gen == gen && h->op[i].outcome == HIST_OK &&
		    h->op[i].ret > ns)
			ns = h->op[i].ret;
	return ns;
}

static uint32_t next_primary(const struct hist *h, uint32_t gen)
{
	while (++gen < HIST_GENS_MAX && !h->primary_ns[gen])
		;
	return gen;
}

/*
 * A primary that was killed is replaced at some moment between the kill and the
 * first line of the next one. Nobody next: nothing was lost yet. One that nobody
 * killed was missed by the others all the same (@strict), behind its last answer; else
 * the change was planned.
 */
static void find_crashes(struct hist *h, bool strict)
{
	uint64_t from_ns, to_ns;
	uint32_t gen, next;

	h->crash = need(calloc(HIST_GENS_MAX, sizeof(*h->crash)));
	for (gen = 0; gen < HIST_GENS_MAX; gen++) {
		if (!h->kill_ns[gen] && (!strict || !h->primary_ns[gen]))
			continue;
		next = next_primary(h, gen);
		if (next == HIST_GENS_MAX)
			break;
		to_ns = h->primary_ns[next];
		from_ns = h->kill_ns[gen] ? h->kill_ns[gen] : served_ns(h, gen);
		h->crash[h->crash_count++] = (struct hist_op) {
			.kind = HIST_CRASH, .outcome = HIST_OK, .gen = gen,
			.inv = from_ns < to_ns ? from_ns : to_ns, .ret = to_ns,
		};
	}
}

/* done: from when on it is known that the write took effect, and in whose time */
struct known {
	uint64_t ns;
	uint32_t gen;
};

static void known_from_reads(struct hist *h, struct known *k)
{
	for (size_t i = 0; i < h->count; i++) {
		const struct hist_op *r = &h->op[i], *w;

		if (r->kind != HIST_READ || r->outcome != HIST_OK)
			continue;
		w = hist_find(h, r->value);
		if (w && r->ret < k[w - h->op].ns)
			k[w - h->op] = (struct known){ r->ret, r->gen };
	}
}

/* The first generation, from that of the evidence on, with a barrier after it. */
static void pin(struct hist *h, struct hist_op *w, const struct known *k,
		const struct hist_op *const *last_barrier, bool strict)
{
	uint32_t gen;

	w->pin = UINT32_MAX;
	if (w->outcome == HIST_OK && (w->kind == HIST_WRITE_SYNC || strict)) {
		w->pin = w->gen;
		w->pinned_by = w;
		return;
	}
	if (k->ns == HIST_NEVER)
		return;
	for (gen = k->gen; gen < HIST_GENS_MAX; gen++) {
		if (!last_barrier[gen] || last_barrier[gen]->inv <= k->ns)
			continue;
		w->pin = gen;
		break;
	}
	/* the earliest of that generation is the one to show */
	for (size_t i = (size_t)(w - h->op); gen < HIST_GENS_MAX && i < h->count; i++) {
		const struct hist_op *b = &h->op[i];

		if (b->kind == HIST_BARRIER && b->outcome == HIST_OK &&
		    b->gen == gen && b->inv > k->ns) {
			w->pinned_by = b;
			return;
		}
	}
}

/*
 * A write that failed before a promotion was done is in the state that was
 * promoted, or never: the tail of a log that lost must not come back.
 */
static uint32_t may_until(const struct hist *h, const struct hist_op *w,
			  const struct hist_rules *rules)
{
	uint32_t i;

	if (rules->late_tail || w->outcome != HIST_UNKNOWN)
		return UINT32_MAX;
	for (i = 0; i < h->crash_count; i++)
		if (h->crash[i].ret > w->ret)
			return i;
	return UINT32_MAX;
}

void hist_prepare(struct hist *h, const struct hist_rules *rules)
{
	const struct hist_op **last_barrier;
	struct known *k = need(calloc(h->count + 1, sizeof(*k)));

	last_barrier = need(calloc(HIST_GENS_MAX, sizeof(*last_barrier)));
	find_crashes(h, rules->strict);
	for (size_t i = 0; i < h->count; i++) {
		const struct hist_op *op = &h->op[i];

		k[i] = (struct known){ HIST_NEVER, 0 };
		if (op->outcome != HIST_OK)
			continue;
		if (op->kind == HIST_BARRIER)
			last_barrier[op->gen] = op;
		else if (op->kind != HIST_READ)
			k[i] = (struct known){ op->ret, op->gen };
	}
	known_from_reads(h, k);
	for (size_t i = 0; i < h->count; i++) {
		struct hist_op *op = &h->op[i];

		if (op->kind != HIST_WRITE && op->kind != HIST_WRITE_SYNC)
			continue;
		op->effect = k[i].ns;
		pin(h, op, &k[i], last_barrier, rules->strict);
		op->until = may_until(h, op, rules);
	}
	free(last_barrier);
	free(k);
}

/* ---- for readers -------------------------------------------------------- */

static double ms(const struct hist *h, uint64_t ns)
{
	return (double)(int64_t)(ns - h->start_ns) / 1e6;
}

void hist_print(const struct hist *h, const char *what, const struct hist_op *op)
{
	static const char *const kinds[] = { "write", "sync write", "read", "barrier",
					     "failover from" };
	static const char *const outcomes[] = { "no answer", "ok", "error", "not sent",
						"a block of nobody" };

	printf("  %-22s %-10s", what, kinds[op->kind]);
	if (op->kind != HIST_CRASH)
		printf(" %" PRIu64 ".%u", op->id >> 32, (unsigned int)op->id);
	printf(" primary %u  %.3f ..", op->gen, ms(h, op->inv));
	if (op->ret != HIST_NEVER)
		printf(" %.3f ms", ms(h, op->ret));
	if (op->kind == HIST_READ && op->outcome == HIST_OK)
		printf("  shows %" PRIu64 ".%u\n", op->value >> 32,
		       (unsigned int)op->value);
	else
		printf("  %s\n", outcomes[op->outcome]);
}

void hist_free(struct hist *h)
{
	free(h->op);
	free(h->crash);
	free(table.slot);
	memset(&table, 0, sizeof(table));
}
