// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lab: clients, what they were promised, and what a run is judged by. It
 * knows nothing of any protocol. A promise is made by a barrier that succeeds:
 * every write that had ended before it was issued is durable as the mode says,
 * and stays. It is held against the members' bytes: at the barrier, after every
 * promotion, at every read and at the end.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol.h"

#define PROMOTION_NS	(8000 * SIM_MSEC)
#define BARRIER_EVERY_NS	(50 * SIM_MSEC)
#define SYNC_NS		(1500 * SIM_MSEC)
#define QUIET_NS	(300 * SIM_MSEC)
#define U(x)		((unsigned long long)(x))

/* ---- narration and verdicts ------------------------------------------------ */

void lab_say(struct lab *l, u8 n, const char *fmt, ...)
{
	va_list ap;

	printf("%10.3f ", (double)l->w.clock.now_ns / 1e6);
	if (n == LAB_NOBODY)
		printf("--  ");
	else
		printf("n%u  ", n);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

void lab_note(struct lab *l, enum lab_safety safety, const char *fmt, ...)
{
	char text[sizeof(l->out.why)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	lab_trace(l, LAB_NOBODY, "! %s: %s", report_safety(safety), text);
	l->out.seen |= 1u << safety;
	if (safety <= l->out.safety)
		return;
	l->out.safety = safety;
	memcpy(l->out.why, text, sizeof(text));
}

/* ---- the world --------------------------------------------------------------- */

void lab_create(struct lab *l, const struct protocol *p, u8 nodes, u8 mode,
		u32 blocks, u64 seed, u64 lease_ns)
{
	struct sim_shape shape = {
		.nodes = nodes, .mode = mode, .blocks = blocks,
		.policy = SWBLOCK_POLICY_LOCAL, .ring_unit = 512,
		.trim_percent = 60, .required = (1u << nodes) - 1,
		.write_ns = 300 * SIM_USEC, .flush_ns = SIM_MSEC,
		.lease_ns = lease_ns,
	};

	memset((u8 *)l + sizeof(l->w), 0, sizeof(*l) - sizeof(l->w));
	l->p = p;
	l->nodes = nodes;
	l->mode = mode;
	l->blocks = blocks;
	l->promised = shape.required;
	l->next_wid = 1;
	l->viewed_by = LAB_NOBODY;
	l->w.members = NULL;
	l->w.seed = seed;
	l->w.shape = shape;
	rng_seed(&l->w.rng, seed);
	clock_reset(&l->w.clock);
	net_reset(&l->w.net);
	l->w.net.delay_min_ns = 20 * SIM_USEC;
	l->w.net.delay_max_ns = 400 * SIM_USEC;
	l->w.control.reach = ~0u;
	p->create(l);
}

void lab_destroy(struct lab *l)
{
	l->p->destroy(l);
	world_reset(&l->w);
}

struct disk *lab_disk(struct lab *l, u8 n)
{
	struct disk *d = &l->w.node[n].disk;

	if (!d->view)
		disk_create(d, NODE_EXTENT_OFFSET + SIM_BLOCKS_MAX * SIM_BLOCK);
	else
		disk_blank(d);
	return d;
}

void lab_power_cut(struct lab *l, u8 n, enum disk_fate fate)
{
	for (u8 i = 0; i < l->nodes; i++)
		if (i != n)
			net_cut_between(&l->w, n, i);
	l->w.node[n].boot++;
	disk_power_cut(&l->w.node[n].disk, &l->w.rng, fate);
}

enum lab_view lab_shown(struct lab *l, u8 n)
{
	u8 p = l->p->primary(l);

	return p == LAB_NOBODY || p == n ? VIEW_ABSENT :
					   l->p->believed(l, p, n);
}

void lab_later(struct lab *l, u8 n, u64 ns, task_fn run, u64 a, u64 b)
{
	world_later(&l->w, n, ns, run, a, b);
}

bool lab_turn(struct lab *l)
{
	struct task t;

	if (!clock_pop(&l->w.clock, &t))
		return false;
	l->w.events++;
	if (t.node == SIM_NOBODY || t.boot == l->w.node[t.node].boot)
		t.run(&l->w, &t);
	free(t.p);
	return true;
}

/* ---- promises ---------------------------------------------------------------- */

static u32 copies_promised(const struct lab *l)
{
	if (l->mode == SWBLOCK_MODE_SYNC_QUORUM)
		return l->nodes / 2 + 1;
	return 1;
}

/* Would @n still have every write of @wid, or a newer one, after a power cut? */
static bool holds(struct lab *l, u8 n, const u64 *wid)
{
	u64 have[SIM_BLOCKS_MAX];

	if (!l->p->image(l, n, true, have))
		return false;
	for (u32 b = 0; b < l->blocks; b++)
		if (have[b] < wid[b])
			return false;
	return true;
}

static void judge_barrier(struct lab *l, const struct lab_op *barrier)
{
	u64 wid[SIM_BLOCKS_MAX] = { 0 };
	u32 holders = 0, count = 0;
	bool all;

	for (u32 i = 0; i < l->ops; i++) {
		const struct lab_op *op = &l->op[i];

		if (op->barrier || op->node != barrier->node ||
		    op->reign != barrier->reign || op->state != OP_DONE ||
		    !op->ended || op->ended > barrier->issued)
			continue;
		for (u32 b = op->block; b < op->block + op->blocks; b++)
			if (op->wid > wid[b])
				wid[b] = op->wid;
	}
	for (u8 n = 0; n < l->nodes; n++)
		if (holds(l, n, wid)) {
			holders |= 1u << n;
			count++;
		}
	all = l->mode == SWBLOCK_MODE_SYNC_ALL ?
	      (holders & l->promised) == l->promised :
	      count >= copies_promised(l);
	if (!all)
		lab_note(l, SAFETY_THIN, "a barrier on n%u ended well with %u of %u copies",
			 barrier->node, count, l->nodes);
	for (u32 b = 0; b < l->blocks; b++)
		if (wid[b] > l->acked[b])
			l->acked[b] = wid[b];
}

static void judge_op(struct lab *l, struct lab_op *op)
{
	u64 ms = (l->w.clock.now_ns - op->issued_ns) / SIM_MSEC;

	op->counted = true;
	op->ended = ++l->order;
	if (ms > l->out.longest_ms)
		l->out.longest_ms = ms;
	if (op->state == OP_FAILED) {
		lab_trace(l, op->node, "a %s fails", op->barrier ? "barrier" : "write");
		l->out.errors++;
	} else if (op->barrier) {
		lab_trace(l, op->node, "a barrier ends well");
		judge_barrier(l, op);
	}
}

/*
 * A member said to be in sync must hold what its primary held when it began to
 * bring it up. What was missing then and is missing still was not recovered.
 */
static void judge_view(struct lab *l, u8 p, u8 n, enum lab_view now)
{
	enum lab_view old = l->view[n];
	u64 have[SIM_BLOCKS_MAX];

	if (now == old)
		return;
	lab_trace(l, n, "as n%u sees it: %s", p,
		  ((const char *const[]){ "absent", "behind", "in sync",
					  "needs rebuild", "refused" })[now]);
	l->view[n] = now;
	if (now == VIEW_BEHIND)
		l->p->image(l, p, false, l->snapshot[n]);
	if (now != VIEW_IN_SYNC || old != VIEW_BEHIND ||
	    !l->p->image(l, n, false, have))
		return;
	for (u32 b = 0; b < l->blocks; b++)
		if (have[b] < l->snapshot[n][b]) {
			lab_trace(l, n, "called in sync without write %llu of block %u",
				  U(l->snapshot[n][b]), b);
			l->out.silent = true;
			return;
		}
}

static void judge(struct lab *l)
{
	u8 p;

	l->p->poll(l);
	for (u32 i = l->first_open; i < l->ops; i++) {
		struct lab_op *op = &l->op[i];

		if (!op->counted && (op->state == OP_DONE || op->state == OP_FAILED))
			judge_op(l, op);
		if (op->counted && i == l->first_open)
			l->first_open++;
	}
	p = l->p->primary(l);
	if (p != l->viewed_by) {
		memset(l->view, 0, sizeof(l->view));
		l->viewed_by = p;
	}
	for (u8 n = 0; p != LAB_NOBODY && n < l->nodes; n++)
		if (n != p)
			judge_view(l, p, n, l->p->believed(l, p, n));
}

void lab_run_for(struct lab *l, u64 ns)
{
	u64 end = l->w.clock.now_ns + ns;

	while (clock_next_ns(&l->w.clock) <= end) {
		if (!l->p->turn(l))
			break;
		judge(l);
	}
	if (l->w.clock.now_ns < end)
		l->w.clock.now_ns = end;
}

/* ---- clients --------------------------------------------------------------------- */

static struct lab_op *issue(struct lab *l, u8 n, bool barrier, u32 block, u32 blocks)
{
	struct lab_op *op;

	if (l->ops == LAB_OPS_MAX)
		abort();
	op = &l->op[l->ops++];
	*op = (struct lab_op){
		.node = n, .barrier = barrier, .block = block, .blocks = blocks,
		.state = OP_WAITING, .reign = l->reign, .issued = ++l->order,
		.issued_ns = l->w.clock.now_ns,
	};
	if (!barrier)
		op->wid = l->next_wid++;
	if (l->p->up(l, n)) {
		l->p->submit(l, op);
	} else {
		op->state = OP_FAILED;
		op->counted = true;
	}
	judge(l);
	return op;
}

struct lab_op *lab_write(struct lab *l, u8 n, u32 block, u32 blocks)
{
	return issue(l, n, false, block, blocks);
}

struct lab_op *lab_barrier(struct lab *l, u8 n)
{
	return issue(l, n, true, 0, 0);
}

void lab_sync(struct lab *l, u8 n)
{
	u64 end = l->w.clock.now_ns + SYNC_NS;
	bool open = true;

	while (open && l->w.clock.now_ns < end) {
		open = false;
		for (u32 i = l->first_open; i < l->ops; i++)
			open |= l->op[i].node == n && !l->op[i].barrier &&
				!l->op[i].counted;
		if (open)
			lab_run_for(l, SIM_MSEC);
	}
	lab_barrier(l, n);
}

/* What the newest primary would answer must not be older than what was promised. */
static void judge_primary(struct lab *l, u8 p)
{
	u64 have[SIM_BLOCKS_MAX];

	if (!l->p->image(l, p, false, have))
		lab_note(l, SAFETY_WRONG, "a block of n%u is a mixture", p);
	for (u32 b = 0; b < l->blocks; b++)
		if (have[b] < l->acked[b]) {
			if (!l->overridden)
				l->out.silent = true;
			lab_note(l, SAFETY_LOST, "n%u serves write %llu of block %u, promised was %llu",
				 p, U(have[b]), b, U(l->acked[b]));
			return;
		}
}

void lab_read(struct lab *l, u8 n)
{
	u64 have[SIM_BLOCKS_MAX];

	if (!l->p->up(l, n) || !l->p->serves(l, n))
		return;
	l->p->image(l, n, false, have);
	for (u32 b = 0; b < l->blocks; b++)
		if (have[b] < l->acked[b]) {
			lab_note(l, SAFETY_STALE, "a read on n%u returned write %llu of block %u, promised was %llu",
				 n, U(have[b]), b, U(l->acked[b]));
			return;
		}
}

bool lab_promote(struct lab *l, u8 want, u32 required, bool override)
{
	enum lab_promotion end = PROMOTION_PENDING;
	u64 until = l->w.clock.now_ns + PROMOTION_NS;

	if (override)
		l->overridden = true;
	l->p->promote(l, want, required, override);
	while (end == PROMOTION_PENDING && l->w.clock.now_ns < until) {
		lab_run_for(l, SIM_MSEC);
		end = l->p->promoted(l);
	}
	lab_trace(l, LAB_NOBODY, "promotion %s", end == PROMOTION_DONE ? "done" :
		  "refused");
	if (end != PROMOTION_DONE) {
		if (l->marked)
			l->out.refused++;
		return false;
	}
	if (l->marked)
		l->out.promoted++;
	if (required)
		l->promised = required;
	l->reign++;
	lab_run_for(l, 5 * SIM_MSEC);
	if (l->p->primary(l) != LAB_NOBODY)
		judge_primary(l, l->p->primary(l));
	return true;
}

void lab_crash(struct lab *l, u8 n, int fate)
{
	l->p->crash(l, n, fate);
	for (u32 i = l->first_open; i < l->ops; i++) {
		struct lab_op *op = &l->op[i];

		if (op->node == n && !op->counted) {
			op->state = OP_FAILED;
			op->counted = true;
		}
	}
}

/* ---- healing ------------------------------------------------------------------------- */

void lab_mark(struct lab *l)
{
	if (l->marked)
		return;
	l->marked = true;
	l->p->work(l, &l->before);
}

static bool all_hold(struct lab *l, u8 p)
{
	for (u8 n = 0; n < l->nodes; n++)
		if (l->p->up(l, n) && !holds(l, n, l->acked))
			return false;
	return holds(l, p, l->acked);
}

/* A fresh write and a barrier now and then, until every live member has it all. */
static bool until_whole(struct lab *l, u64 limit_ns, u64 busy_ns)
{
	u64 end = l->w.clock.now_ns + limit_ns, next = 0, next_write = 0;
	struct lab_op *barrier = NULL;
	u32 reign = l->reign;
	u32 at = 0;

	while (l->w.clock.now_ns < end) {
		u8 p = l->p->primary(l);
		u64 now = l->w.clock.now_ns;

		if (barrier && barrier->state == OP_DONE && p == barrier->node &&
		    all_hold(l, p))
			return true;
		if (barrier && (barrier->counted || barrier->reign != reign) &&
		    barrier->state != OP_DONE)
			barrier = NULL;
		if (p != LAB_NOBODY && now >= next &&
		    (!barrier || barrier->state == OP_DONE)) {
			lab_write(l, p, l->blocks - 1, 1);
			lab_run_for(l, SIM_MSEC);
			barrier = lab_barrier(l, p);
			next = now + BARRIER_EVERY_NS;
		}
		if (p != LAB_NOBODY && busy_ns && now >= next_write) {
			lab_write(l, p, at++ % (l->blocks - 1), 1);
			next_write = now + busy_ns;
		}
		lab_run_for(l, busy_ns && busy_ns < SIM_MSEC ? busy_ns : SIM_MSEC);
	}
	return false;
}

bool lab_equal(struct lab *l, u8 a, u8 b)
{
	u64 one[SIM_BLOCKS_MAX], two[SIM_BLOCKS_MAX];

	return a != LAB_NOBODY && l->p->image(l, a, false, one) &&
	       l->p->image(l, b, false, two) &&
	       memcmp(one, two, l->blocks * sizeof(*one)) == 0;
}

static void judge_member(struct lab *l, u8 p, u8 n)
{
	if (lab_equal(l, p, n))
		return;
	if (l->p->shown(l, n) == VIEW_IN_SYNC)
		l->out.silent = true;
	if (l->p->believed(l, p, n) == VIEW_IN_SYNC)
		lab_note(l, SAFETY_WRONG, "n%u differs from n%u, which counts it as a full copy",
			 n, p);
}

static void judge_members(struct lab *l)
{
	u8 p = l->p->primary(l);

	for (u8 n = 0; p != LAB_NOBODY && n < l->nodes; n++)
		if (n != p && l->p->up(l, n))
			judge_member(l, p, n);
		else if (n != p && l->p->shown(l, n) == VIEW_IN_SYNC)
			l->out.silent = true;
}

static enum lab_recovery recovery_since(struct lab *l, const struct lab_work *then)
{
	struct lab_work now = { 0 };

	l->p->work(l, &now);
	if (now.rebuilt > then->rebuilt)
		return RECOVERY_REBUILD;
	if (now.resynced > then->resynced)
		return RECOVERY_RESYNC;
	if (now.cut > then->cut)
		return RECOVERY_CUT;
	return now.replayed > then->replayed ? RECOVERY_CATCH_UP : RECOVERY_NONE;
}

void lab_heal(struct lab *l, u64 limit_ns, u64 busy_ns)
{
	u64 from = l->w.clock.now_ns, bytes = l->w.net.sent_bytes;
	struct lab_outcome *out = &l->out;

	lab_mark(l);
	out->needed = true;
	for (u8 a = 0; a < l->nodes; a++)
		for (u8 b = 0; b < l->nodes; b++)
			if (a != b && l->w.net.blocked[a][b])
				net_block(&l->w, a, b, false);
	l->w.control.reach = ~0u;
	lab_trace(l, LAB_NOBODY, "healed: no path is blocked any more");
	if (until_whole(l, limit_ns, busy_ns)) {
		out->recovery = recovery_since(l, &l->before);
	} else {
		struct lab_work then = { 0 };

		out->recovery = RECOVERY_NEVER;
		out->asked = true;
		out->by_operator = RECOVERY_NEVER;
		lab_run_for(l, QUIET_NS);
		judge_members(l);
		l->p->work(l, &then);
		lab_trace(l, LAB_NOBODY, "the operator steps in");
		if (l->p->rescue(l) && until_whole(l, limit_ns, busy_ns))
			out->by_operator = recovery_since(l, &then);
	}
	out->heal_ms = (l->w.clock.now_ns - from) / SIM_MSEC;
	out->bytes = l->w.net.sent_bytes - bytes;
}

/* ---- the end ------------------------------------------------------------------------------ */

void lab_end(struct lab *l)
{
	u8 p;

	lab_run_for(l, QUIET_NS);
	p = l->p->primary(l);
	for (u32 i = l->first_open; i < l->ops; i++)
		if (!l->op[i].counted) {
			u64 ms = (l->w.clock.now_ns - l->op[i].issued_ns) / SIM_MSEC;

			if (ms > l->out.longest_ms)
				l->out.longest_ms = ms;
		}
	if (p == LAB_NOBODY)
		return;
	judge_primary(l, p);
	judge_members(l);
}
