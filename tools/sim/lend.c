// SPDX-License-Identifier: GPL-2.0-only
/*
 * A read that meets a place which the primary's disk cannot read is held, asked of a
 * matched member, and answered or failed in time; then the block is logged anew. Who
 * may ask, who may answer and what counts is the core's (core/lend.c).
 *
 *	I-236	what is lent is what the own disk has, or newer
 *	I-237	a repair writes what is newest
 */
#include <string.h>

#include "check.h"
#include "script.h"
#include "story.h"
#include "world.h"

#define U(x)		((unsigned long long)(x))
#define READ_NS		(60 * SIM_MSEC)
#define ANSWER_NS	(20 * SIM_MSEC)
#define AGAIN_NS	(3 * SIM_MSEC)

/* ---- content -------------------------------------------------------------- */

static bool covers(const struct wrec *r, u32 block)
{
	return r && r->type != SWB_REC_OPEN && block >= r->sector &&
	       block < r->sector + r->len_bytes / SIM_BLOCK;
}

bool lend_content(struct world *w, const struct node *n, u32 block, bool *extent,
		  u64 *wid)
{
	static u8 buf[SWB_REC_PAYLOAD_MAX];

	*extent = false;
	for (u64 x = n->core.log.head; x > n->core.d.extent_lo; x--) {
		const struct wgroup *g = wal_find(n, x);
		const struct wrec *r = g ? &g->rec[x - g->first_lsn] : NULL;

		if (w->broken == BREAK_READ_EXTENT)
			break;
		if (!covers(r, block))
			continue;
		*wid = 0;
		if (r->type == SWB_REC_ZEROES)
			return true;
		wal_payload(n, g, (u32)(x - g->first_lsn), buf);
		return ref_wid_of(buf + (block - r->sector) * SIM_BLOCK, block,
				  wid);
	}
	*extent = true;
	disk_read(&n->disk, NODE_EXTENT_OFFSET + (u64)block * SIM_BLOCK, buf,
		  SIM_BLOCK);
	return ref_wid_of(buf, block, wid);
}

bool lend_unreadable(struct world *w, struct node *n, u32 block)
{
	u64 off = NODE_EXTENT_OFFSET + (u64)block * SIM_BLOCK;

	if (w->lend.bad_permille && rng_chance(&w->rng, w->lend.bad_permille))
		disk_make_bad(&n->disk, off);
	return disk_is_bad(&n->disk, off);
}

/* ---- the primary ----------------------------------------------------------- */

static void lend_timeout(struct world *w, struct task *t);

static void give_up(struct world *w, struct held *h)
{
	sim_trace(w, h->node, "read of block %u fails: nobody lends it", h->block);
	w->lend.failed++;
	h->serial = 0;
}

static bool ask(struct world *w, struct node *n, struct held *h)
{
	u64 session = swb_core_lend_ask(&n->core, h->asked);

	if (!session || !n->link[h->asked])
		return false;
	h->session = session;
	wire_read(w, n, h->asked, h);
	return true;
}

/* The member @h->asked, or the first one behind it that can be asked. */
static void ask_from(struct world *w, struct node *n, struct held *h)
{
	u64 now = w->clock.now_ns;

	for (; h->asked < w->shape.nodes && now < h->end_ns; h->asked++) {
		h->serial = ++w->lend.serial;
		if (!ask(w, n, h))
			continue;
		world_later(w, n->id, ANSWER_NS, lend_timeout, h->serial, 0);
		return;
	}
	give_up(w, h);
}

static struct held *held_by(struct world *w, u64 serial)
{
	for (u32 i = 0; serial && i < LEND_HELD; i++)
		if (w->lend.held[i].serial == serial)
			return &w->lend.held[i];
	return NULL;
}

static void lend_timeout(struct world *w, struct task *t)
{
	struct held *h = held_by(w, t->a);

	if (!h)
		return;
	h->asked++;
	ask_from(w, &w->node[t->node], h);
}

static void lend_again(struct world *w, struct task *t)
{
	struct held *h = held_by(w, t->a);

	if (h)
		ask_from(w, &w->node[t->node], h);
}

void lend_hold(struct world *w, struct node *n, const struct seen *s)
{
	struct held *h = NULL;
	bool extent;

	for (u32 i = 0; i < LEND_HELD && !h; i++) {
		struct held *o = &w->lend.held[i];

		if (!o->serial || w->node[o->node].boot != o->boot)
			h = o;
	}
	if (!h) {
		w->lend.failed++;
		return;
	}
	*h = (struct held){
		.node = n->id, .boot = n->boot, .block = s->block,
		.inv_ns = s->inv_ns, .epoch = s->epoch,
		.need = swb_core_lend_need(&n->core), .head = n->core.log.head,
		.end_ns = w->clock.now_ns + READ_NS,
	};
	lend_content(w, n, h->block, &extent, &h->own);
	sim_trace(w, n->id, "its disk cannot read block %u", h->block);
	story_add(w, "n%u cannot read block %u and asks", n->id, h->block);
	ask_from(w, n, h);
}

/*
 * Was the block written since the read was held? By @wid, if that is not CHECK_TORN. Of
 * the reference: the ring may have been trimmed of it.
 */
static bool written(const struct world *w, const struct node *n, const struct held *h,
		    u64 wid)
{
	return check_wrote(w, h->epoch, h->head, n->core.log.head, h->block, wid);
}

static void check_i236(struct world *w, struct node *n, const struct held *h,
		       u64 wid, bool whole)
{
	if (n->rotten || w->node[h->asked].rotten)
		return;
	if (!whole || (wid != h->own && !written(w, n, h, wid)))
		sim_violation(w, 236, "n%u: block %u is lent as of write %llu, the own disk has %llu",
			      n->id, h->block, U(wid), U(h->own));
}

static void check_i237(struct world *w, struct node *n, u32 block, u64 wid)
{
	u64 newest = 0;
	bool extent;

	if (lend_content(w, n, block, &extent, &newest) && newest != wid &&
	    !n->rotten)
		sim_violation(w, 237, "n%u: block %u is repaired to write %llu, but write %llu is newer",
			      n->id, block, U(wid), U(newest));
}

static void repair(struct world *w, struct node *n, const struct held *h, u64 wid)
{
	if (written(w, n, h, CHECK_TORN) && w->broken != BREAK_REPAIR_STALE)
		return;
	if (!node_may_write(w, n))
		return;
	check_i237(w, n, h->block, wid);
	node_repair(w, n, h->block, wid);
	w->lend.repaired++;
}

void lend_answered(struct world *w, struct node *n, u8 peer, const struct swb_frame *f,
		   const u8 *body)
{
	struct held *h = held_by(w, f->a[2]), was;
	struct seen s;
	u64 wid = 0;
	bool whole;

	if (!h || h->node != n->id || h->boot != n->boot || h->asked != peer ||
	    h->block != f->a[0])
		return;
	if (!f->body_bytes) {
		h->asked++;
		ask_from(w, n, h);
		return;
	}
	if (!swb_core_lent_ok(&n->core, peer, f->session, f->epoch, f->a[3],
			      h->need)) {
		world_later(w, n->id, AGAIN_NS, lend_again, h->serial, 0);
		return;
	}
	was = *h;
	h->serial = 0;
	if (!node_is_primary(n) || n->core.d.opened != was.epoch ||
	    swb_core_read_ok(&n->core, node_now(w, n)) != SWB_ADMIT_OK)
		return;
	whole = ref_wid_of(body, was.block, &wid);
	check_i236(w, n, &was, wid, whole);
	w->lend.lent++;
	s = (struct seen){ .block = was.block, .wid = wid, .epoch = was.epoch,
			   .inv_ns = was.inv_ns };
	check_seen(w, &s);
	repair(w, n, &was, wid);
}

/* ---- the replica --------------------------------------------------------------- */

void lend_asked(struct world *w, struct node *n, u8 peer, const struct swb_frame *f)
{
	u32 reason = swb_core_check_lend(&n->core, peer, f->session, f->epoch);
	u8 buf[SIM_BLOCK];
	bool extent, readable = false;
	u64 wid;

	if (f->a[0] >= w->shape.blocks)
		return;
	if (reason)
		n->refused[reason]++;
	if (reason && reason != SWBLOCK_REASON_NEEDS_REBUILD)
		return;
	if (!reason) {
		readable = lend_content(w, n, (u32)f->a[0], &extent, &wid) &&
			   !(extent && disk_is_bad(&n->disk, NODE_EXTENT_OFFSET +
						   f->a[0] * SIM_BLOCK));
		ref_fill(buf, wid, (u32)f->a[0]);
	}
	wire_read_data(w, n, peer, f, readable ? buf : NULL);
}

/* ---- scripts ---------------------------------------------------------------------- */

/* bad nN BLOCK: its disk cannot read it until it is written; read nN BLOCK */
bool lend_script(struct script *s)
{
	struct node *n = script_node(s, 1);
	u32 block = (u32)script_number(s, 2, SIM_BLOCKS_MAX);

	if (!n || block >= s->w->shape.blocks)
		return script_fail(s, "%s nN BLOCK", script_word(s, 0));
	if (script_word(s, 0)[0] == 'b') {
		disk_make_bad(&n->disk, NODE_EXTENT_OFFSET + (u64)block * SIM_BLOCK);
		return true;
	}
	if (n->state != NODE_UP)
		return script_fail(s, "n%u is down", n->id);
	check_client_block(s->w, n, block);
	return true;
}

static u64 held_now(const struct world *w)
{
	u64 count = 0;

	for (u32 i = 0; i < LEND_HELD; i++)
		count += w->lend.held[i].serial &&
			 w->node[w->lend.held[i].node].boot == w->lend.held[i].boot;
	return count;
}

bool lend_expect(struct script *s)
{
	const char *what = script_word(s, 2);
	const struct lend *l = &s->w->lend;
	struct op *op = script_op(s, what);
	u64 have, want = script_number(s, 3, ~0ULL);

	if (strcmp(script_word(s, 1), "seen") == 0) {
		want = op ? op->wid : 0;
		have = s->w->seen_count ? s->w->seen[s->w->seen_count - 1].wid : ~0ULL;
	} else if (strcmp(what, "lent") == 0) {
		have = l->lent;
	} else if (strcmp(what, "failed") == 0) {
		have = l->failed;
	} else if (strcmp(what, "repaired") == 0) {
		have = l->repaired;
	} else if (strcmp(what, "held") == 0) {
		have = held_now(s->w);
	} else {
		return script_fail(s, "expect reads lent|failed|repaired|held N");
	}
	return have == want ? true :
	       script_fail(s, "%s %s: %llu, not %llu", script_word(s, 1), what,
			   U(have), U(want));
}
