// SPDX-License-Identifier: GPL-2.0-only
/*
 * What may be done to a world: one row each, with how often, its draw and its
 * run. A new fault is a new row here, and its kind in plan.h.
 */
#include "check.h"
#include "plan.h"
#include "story.h"

#define U(x)	((unsigned long long)(x))

static u32 draw_node(const struct plan *p, struct rng *r)
{
	return (u32)rng_below(r, p->shape.nodes);
}

static struct node *node_of(struct world *w, u32 id)
{
	return &w->node[id % w->shape.nodes];
}

/* Clients follow the device, not the controller: a stale primary gets I/O too. */
static struct node *primary_from(struct world *w, u32 start)
{
	for (u8 i = 0; i < w->shape.nodes; i++) {
		struct node *n = node_of(w, start + i);

		if (node_is_primary(n))
			return n;
	}
	return NULL;
}

/* ---- clients ----------------------------------------------------------------- */

static void draw_write(struct plan *p, struct rng *r, const struct mood *m,
		       u64 at)
{
	u32 count = 1, block;

	if (rng_chance(r, m->big_permille))
		count = (u32)rng_between(r, 16, 128);
	else if (rng_chance(r, 300))
		count = (u32)rng_between(r, 2, 4);
	if (count > p->shape.blocks)
		count = p->shape.blocks;
	block = (u32)rng_below(r, m->hot_block ? 2 :
			       p->shape.blocks - count + 1);
	plan_add(p, at, PLAN_WRITE, draw_node(p, r), block, count,
		 rng_chance(r, 60));
}

static void run_write(struct world *w, const u32 *arg)
{
	struct node *n = primary_from(w, arg[0]);
	u32 count = arg[2] < w->shape.blocks ? arg[2] : w->shape.blocks;
	u32 block = arg[1];

	if (!n || !count || n->core.log.head > NODE_LSNS_MAX - 64)
		return;
	if (block + count > w->shape.blocks)
		block = 0;
	story_write(w, n, node_write(w, n, block, count, arg[3]));
}

static void draw_barrier(struct plan *p, struct rng *r, const struct mood *m,
			 u64 at)
{
	(void)m;
	plan_add(p, at, PLAN_BARRIER, draw_node(p, r), 0, 0, 0);
}

static void run_barrier(struct world *w, const u32 *arg)
{
	struct node *n = primary_from(w, arg[0]);

	if (!n)
		return;
	story_add(w, "a client asks n%u for a barrier", n->id);
	node_barrier(w, n);
}

static void draw_read(struct plan *p, struct rng *r, const struct mood *m,
		      u64 at)
{
	(void)m;
	plan_add(p, at, PLAN_READ, draw_node(p, r), 0, 0, 0);
}

/* A client reads everything. */
static void run_read(struct world *w, const u32 *arg)
{
	struct node *n = primary_from(w, arg[0]);

	if (!n || swb_core_read_ok(&n->core, node_now(w, n)) != SWB_ADMIT_OK)
		return;
	story_add(w, "a client reads all of n%u", n->id);
	check_image(w, n, 108);
	check_client_read(w, n);
}

/* ---- members ------------------------------------------------------------------ */

static void draw_crash(struct plan *p, struct rng *r, const struct mood *m,
		       u64 at)
{
	u32 one = draw_node(p, r);
	bool all = rng_chance(r, 60);

	(void)m;
	for (u32 i = 0; i < p->shape.nodes; i++)
		if (all || i == one)
			plan_add(p, at, PLAN_CRASH, i,
				 (u32)rng_below(r, DISK_FATES),
				 rng_chance(r, 200), rng_chance(r, 200));
}

static void run_crash(struct world *w, const u32 *arg)
{
	static const char *const saved[DISK_FATES] = {
		[DISK_KEEP_NONE] = "nothing unflushed is saved",
		[DISK_KEEP_ALL] = "all writes are saved",
		[DISK_KEEP_SOME] = "some unflushed sectors are saved",
		[DISK_KEEP_WRITES] = "some unflushed writes are saved",
		[DISK_KEEP_PREFIX] = "unflushed writes are saved up to a torn one",
	};
	struct node *n = node_of(w, arg[0]);
	u32 fate = arg[1] % DISK_FATES;

	if (n->state != NODE_DOWN)
		story_add(w, "n%u crashes: %s", n->id, arg[2] ?
			  "its drive keeps power" : saved[fate]);
	node_crash(w, n, (int)fate, arg[2], arg[3]);
}

static void run_restart(struct world *w, const u32 *arg)
{
	struct node *n = node_of(w, arg[0]);

	if (n->state == NODE_DOWN)
		story_add(w, "n%u restarts", n->id);
	node_restart(w, n);
}

static void draw_fail(struct plan *p, struct rng *r, const struct mood *m,
		      u64 at)
{
	(void)m;
	plan_add(p, at, PLAN_FAIL, draw_node(p, r), rng_chance(r, 400), 0, 0);
}

/*
 * At most one disk fails, where the mode stands it: for good, or until the host
 * starts again; then not even the latch could be saved.
 */
static void run_fail(struct world *w, const u32 *arg)
{
	struct node *n = node_of(w, arg[0]);

	if (n->state != NODE_UP || !plan_may_lose(w, n->id))
		return;
	story_add(w, "the disk of n%u fails %s", n->id,
		  arg[1] ? "until its host starts again" : "for good");
	w->control.exclude = 1u << n->id;
	node_fail_disk(w, n, arg[1]);
}

/* ---- network ------------------------------------------------------------------- */

static void draw_cut(struct plan *p, struct rng *r, const struct mood *m,
		     u64 at)
{
	(void)m;
	plan_add(p, at, PLAN_CUT, draw_node(p, r), draw_node(p, r), 0, 0);
}

static void run_cut(struct world *w, const u32 *arg)
{
	u8 a = node_of(w, arg[0])->id, b = node_of(w, arg[1])->id;

	if (a == b)
		return;
	story_add(w, "connections of n%u and n%u are cut", a, b);
	net_cut_between(w, a, b);
}

static void draw_isolate(struct plan *p, struct rng *r, const struct mood *m,
			 u64 at)
{
	u32 a = draw_node(p, r), b = draw_node(p, r);
	bool both = rng_chance(r, 600), whole = rng_chance(r, 400);

	(void)m;
	plan_add(p, at, PLAN_ISOLATE, a,
		 whole ? (1u << p->shape.nodes) - 1 : 1u << b, both, 0);
	if (whole && rng_chance(r, 500))
		plan_add(p, at, PLAN_UNREACH, a, 0, 0, 0);
}

/* What @arg[0] sends to the members of the mask waits; both ways if asked. */
static void run_isolate(struct world *w, const u32 *arg)
{
	u8 a = node_of(w, arg[0])->id;

	for (u8 i = 0; i < w->shape.nodes; i++) {
		if (i == a || !(arg[1] & (1u << i)))
			continue;
		story_add(w, "bytes from n%u to n%u%s wait from now on", a, i,
			  arg[2] ? " and back" : "");
		net_block(w, a, i, true);
		if (arg[2])
			net_block(w, i, a, true);
	}
}

static void run_unblock(struct world *w, const u32 *arg)
{
	u8 a = node_of(w, arg[0])->id, b = node_of(w, arg[1])->id;

	if (a == b || !w->net.blocked[a][b])
		return;
	story_add(w, "bytes from n%u to n%u go on", a, b);
	net_block(w, a, b, false);
}

static void draw_link(struct plan *p, struct rng *r, const struct mood *m,
		      u64 at)
{
	(void)m;
	plan_add(p, at, PLAN_LINK, 0,
		 (u32)rng_between(r, 1, p->shape.nodes - 1), 0, 0);
}

static void run_link(struct world *w, const u32 *arg)
{
	u8 a = node_of(w, arg[0])->id, b = node_of(w, arg[1])->id;

	if (a == b)
		return;
	story_add(w, "the controller links n%u and n%u", a, b);
	control_link(w, a, b);
}

/* ---- controller ----------------------------------------------------------------- */

/* A promotion, or the required set grows, shrinks or moves though all is well. */
static void draw_promote(struct plan *p, struct rng *r, const struct mood *m,
			 u64 at)
{
	u32 required = 0;
	u32 want = rng_chance(r, 500) ? PLAN_ANY : draw_node(p, r);

	(void)m;
	if (rng_chance(r, 450)) {
		want = draw_node(p, r);
		if (p->shape.mode == SWBLOCK_MODE_SYNC_ALL)
			for (u32 i = 0; i < p->shape.nodes; i++)
				if (rng_chance(r, 700))
					required |= 1u << i;
	}
	plan_add(p, at, PLAN_PROMOTE, want, required, 0, 0);
}

static void run_promote(struct world *w, const u32 *arg)
{
	u32 required = arg[1] & ((1u << w->shape.nodes) - 1);
	u8 want = arg[0] == PLAN_ANY ? SIM_NOBODY : node_of(w, arg[0])->id;
	struct attempt *a;

	story_promote(w, want, required);
	a = control_promote(w, want, required);
	if (a)
		a->shrink = arg[2];
}

static void draw_recertify(struct plan *p, struct rng *r, const struct mood *m,
			   u64 at)
{
	(void)m;
	plan_add(p, at, PLAN_RECERTIFY, draw_node(p, r), 0, 0, 0);
}

static void run_recertify(struct world *w, const u32 *arg)
{
	struct node *n = node_of(w, arg[0]);

	story_add(w, "n%u's last certificate, if any, is sent once more", n->id);
	control_recertify(w, n->id);
}

/* The controller loses a member, and sometimes is quick to replace it. */
static void draw_unreach(struct plan *p, struct rng *r, const struct mood *m,
			 u64 at)
{
	(void)m;
	plan_add(p, at, PLAN_UNREACH, draw_node(p, r), 0, 0, 0);
	if (rng_chance(r, 400))
		plan_add(p, at, PLAN_PROMOTE, PLAN_ANY, 0, 0, 0);
}

static void run_unreach(struct world *w, const u32 *arg)
{
	struct node *n = node_of(w, arg[0]);

	story_add(w, "the controller cannot reach n%u any more", n->id);
	w->control.reach &= ~(1u << n->id);
}

static void run_reach(struct world *w, const u32 *arg)
{
	(void)arg;
	if (~w->control.reach & ((1u << w->shape.nodes) - 1))
		story_add(w, "the controller reaches everybody again");
	w->control.reach = ~0u;
}

static void draw_demote(struct plan *p, struct rng *r, const struct mood *m,
			u64 at)
{
	(void)m;
	plan_add(p, at, PLAN_DEMOTE, draw_node(p, r), 0, 0, 0);
}

static void run_demote(struct world *w, const u32 *arg)
{
	struct node *n = node_of(w, arg[0]);

	story_add(w, "the controller demotes n%u", n->id);
	control_demote(w, n->id);
}

static void draw_unlink(struct plan *p, struct rng *r, const struct mood *m,
			u64 at)
{
	(void)m;
	plan_add(p, at, PLAN_UNLINK, draw_node(p, r), draw_node(p, r), 0, 0);
}

static void run_unlink(struct world *w, const u32 *arg)
{
	struct node *n = node_of(w, arg[0]), *peer = node_of(w, arg[1]);

	story_add(w, "the controller unlinks n%u from n%u", n->id, peer->id);
	control_unlink(w, n->id, peer->id);
}

/* ---- history ------------------------------------------------------------------- */

static void draw_tight(struct plan *p, struct rng *r, const struct mood *m,
		       u64 at)
{
	(void)m;
	plan_add(p, at, PLAN_TIGHT, draw_node(p, r), 0, 0, 0);
}

/* As if the ring were full: who is away finds its history gone. */
static void run_tight(struct world *w, const u32 *arg)
{
	struct node *n = primary_from(w, arg[0]);

	if (!n)
		return;
	story_add(w, "the ring of n%u is tight", n->id);
	store_want_room(w, n);
}

/* ---- healing --------------------------------------------------------------------- */

static void draw_heal(struct plan *p, struct rng *r, const struct mood *m,
		      u64 at)
{
	u32 a = draw_node(p, r), b = draw_node(p, r);

	(void)m;
	plan_add(p, at, PLAN_RESTART, draw_node(p, r), 0, 0, 0);
	if (a != b)
		plan_add(p, at, PLAN_UNBLOCK, a, b, 0, 0);
	if (rng_chance(r, 300))
		plan_add(p, at, PLAN_REACH, 0, 0, 0, 0);
}

static void run_nothing(struct world *w, const u32 *arg)
{
	(void)w;
	(void)arg;
}

#define NODE(name)	{ name, ARG_NODE }
#define START(name)	{ name, ARG_START }
#define MASK(name)	{ name, ARG_MASK }
#define NUMBER(name)	{ name, ARG_NUMBER }

/* name, arguments, calm, least, most, draw, run */
const struct plan_row plan_row[PLAN_KINDS] = {
	[PLAN_WRITE] = { "write", { START("by"), NUMBER("block"),
				    NUMBER("count"), NUMBER("zeroes") },
			 0, 200, 700, draw_write, run_write },
	[PLAN_BARRIER] = { "barrier", { START("by") },
			   0, 30, 250, draw_barrier, run_barrier },
	[PLAN_READ] = { "read", { START("by") },
			0, 60, 140, draw_read, run_read },
	[PLAN_CRASH] = { "crash", { NODE("node"), NUMBER("fate"),
				    NUMBER("host"), NUMBER("silent") },
			 400, 1, 40, draw_crash, run_crash },
	[PLAN_CUT] = { "cut", { NODE("a"), NODE("b") },
		       400, 1, 50, draw_cut, run_cut },
	[PLAN_ISOLATE] = { "isolate", { NODE("node"), MASK("from"),
					NUMBER("both") },
			   400, 1, 30, draw_isolate, run_isolate },
	[PLAN_PROMOTE] = { "promote", { NODE("want"), MASK("required"),
					NUMBER("shrink") },
			   200, 1, 50, draw_promote, run_promote },
	[PLAN_RECERTIFY] = { "recertify", { NODE("node") },
			     400, 1, 15, draw_recertify, run_recertify },
	[PLAN_UNREACH] = { "unreach", { NODE("node") },
			   400, 1, 30, draw_unreach, run_unreach },
	[PLAN_DEMOTE] = { "demote", { NODE("node") },
			  400, 1, 12, draw_demote, run_demote },
	[PLAN_UNLINK] = { "unlink", { NODE("node"), NODE("peer") },
			  400, 1, 12, draw_unlink, run_unlink },
	[PLAN_FAIL] = { "fail", { NODE("node"), NUMBER("passing") },
			900, 10, 10, draw_fail, run_fail },
	[PLAN_HEAL] = { "heal", { { NULL, ARG_NONE } },
			0, 80, 160, draw_heal, run_nothing },
	[PLAN_RESTART] = { "restart", { NODE("node") },
			   0, 0, 0, NULL, run_restart },
	[PLAN_UNBLOCK] = { "unblock", { NODE("from"), NODE("to") },
			   0, 0, 0, NULL, run_unblock },
	[PLAN_REACH] = { "reach", { { NULL, ARG_NONE } },
			 0, 0, 0, NULL, run_reach },
	[PLAN_LINK] = { "link", { NODE("a"), NODE("b") },
			0, 20, 40, draw_link, run_link },
	[PLAN_PAUSE] = { "pause", { NODE("node"), NUMBER("us") },
			 600, 1, 15, draw_pause, run_pause },
	[PLAN_STALL] = { "stall", { NODE("node"), NUMBER("us") },
			 600, 1, 15, draw_stall, run_stall },
	[PLAN_SLOW] = { "slow", { NODE("from"), NODE("to"), NUMBER("us") },
			700, 1, 15, draw_slow, run_slow },
	[PLAN_SWAP] = { "swap", { NODE("node"), NUMBER("drop") },
			900, 10, 10, draw_swap, run_swap },
	[PLAN_MISROUTE] = { "misroute", { NODE("from"), NODE("for"), NODE("to"),
					  NUMBER("stranger") },
			    700, 1, 10, draw_misroute, run_misroute },
	[PLAN_AGENT] = { "agent", { NUMBER("agent"), NUMBER("what"),
				    MASK("reach") },
			 600, 1, 20, draw_agent, run_agent },
	[PLAN_WISH] = { "wish", { NUMBER("what"), NUMBER("value") },
			500, 1, 12, draw_wish, run_wish },
	[PLAN_TIGHT] = { "tight", { START("of") },
			 500, 5, 60, draw_tight, run_tight },
	[PLAN_AMBUSH] = { "ambush", { NUMBER("stage"), NUMBER("what"),
				      NUMBER("fate"), NUMBER("us") },
			  500, 5, 40, draw_ambush, run_ambush },
};
