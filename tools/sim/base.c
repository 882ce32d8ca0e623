// SPDX-License-Identifier: GPL-2.0-only
/*
 * Delta and rebuild in a member: the changed-block bitmap, the base lane of a
 * source, and what a target does between its mark and the end of it. Orders of
 * the core are carried out here step by step, each an event that a crash may
 * precede; nothing is decided.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "world.h"

#define LANE_WINDOW	(6 * SWB_GRANULE_BYTES)
#define GRANULE_BLOCKS	(SWB_GRANULE_BYTES / SIM_BLOCK)

static u32 granules(const struct node *n)
{
	return (u32)((n->core.extent_saved + SWB_GRANULE_BYTES - 1) /
		     SWB_GRANULE_BYTES);
}

/* ---- bitmap -------------------------------------------------------------- */

bool base_page_bits(const struct node *n, const u8 *bytes, u8 *bits)
{
	const struct swb_disk_bitmap *page = (const void *)bytes;

	if (!swb_codec_bitmap_check(page, n->core.d.ring_id, 0)) {
		memset(bits, 1, NODE_GRANULES);		/* P11 */
		return false;
	}
	for (u32 i = 0; i < NODE_GRANULES; i++)
		bits[i] = page->bits[i >> 3] >> (i & 7) & 1;
	return true;
}

void base_format(struct node *n)
{
	static struct swb_disk_bitmap page;

	memset(&page, 0, sizeof(page));
	swb_codec_bitmap_seal(&page, n->core.d.ring_id, 0);
	disk_complete(&n->disk, disk_submit(&n->disk, NODE_BITMAP_OFFSET, &page,
					    sizeof(page)));
	memset(n->bits, 0, sizeof(n->bits));
}

void base_load(struct node *n)
{
	static u8 page[SWB_BITMAP_PAGE] __attribute__((aligned(8)));

	disk_read(&n->disk, NODE_BITMAP_OFFSET, page, sizeof(page));
	base_page_bits(n, page, n->bits);
}

void base_write_page(struct world *w, struct node *n)
{
	static struct swb_disk_bitmap page;
	u64 id;

	memset(&page, 0, sizeof(page));
	for (u32 i = 0; i < NODE_GRANULES; i++)
		page.bits[i >> 3] |= (u8)(n->bits[i] << (i & 7));
	swb_codec_bitmap_seal(&page, n->core.d.ring_id, 0);
	id = disk_submit(&n->disk, NODE_BITMAP_OFFSET, &page, sizeof(page));
	store_block_submitted(w, n, id);
}

/*
 * Before a batch of write-back: its bits, unless everybody has all of it (P11).
 * The page is one more block of the batch, flushed before extent_lo is saved.
 */
void base_batch(struct world *w, struct node *n, u64 lo)
{
	bool any = false;

	n->bits_forget = swb_core_bitmap_raise(&n->core, lo);
	if (n->bits_forget && w->broken == BREAK_BITS_FORGET) {
		memset(n->bits, 0, sizeof(n->bits));
		base_write_page(w, n);
	}
	if (n->bits_forget)
		return;
	for (u64 x = n->core.d.extent_lo + 1; x <= lo; x++) {
		const struct wrec *r = wal_rec(n, x);

		for (u32 b = 0; r && b < r->len_bytes / SIM_BLOCK; b++) {
			u32 g = (u32)(r->sector + b) / GRANULE_BLOCKS;

			any |= !n->bits[g];
			n->bits[g] = 1;
		}
	}
	if (any && w->broken != BREAK_BITS_LATE)
		base_write_page(w, n);
}

/* The base is durable: what lies before it need not be remembered. */
void base_batch_saved(struct node *n)
{
	if (n->bits_forget)
		memset(n->bits, 0, sizeof(n->bits));
	n->bits_forget = false;
}

/* ---- source ---------------------------------------------------------------- */

static void lane_run(struct world *w, struct task *t);

static void lane_later(struct world *w, struct node *n, u8 peer, u64 ns)
{
	if (n->lane[peer].soon)
		return;
	n->lane[peer].soon = true;
	world_later(w, n->id, rng_between(&w->rng, 1, ns), lane_run, peer, 0);
}

void base_start(struct world *w, struct node *n, const struct swb_action *a)
{
	struct lane *l = &n->lane[a->peer];
	bool soon = l->soon;

	memset(l, 0, sizeof(*l));
	l->soon = soon;
	l->session = a->a;
	for (u32 i = 0; i < granules(n); i++)
		l->todo[i] = a->b == SWB_START_REBUILD || n->bits[i];
	lane_later(w, n, a->peer, SIM_MSEC);
}

void base_stop(struct node *n, u8 peer)
{
	n->lane[peer].session = 0;
}

/* P10 iv: the sample is taken after the read, whatever was read */
static void lane_send(struct world *w, struct node *n, u8 peer)
{
	struct lane *l = &n->lane[peer];
	u32 bytes = l->blocks * SIM_BLOCK;
	bool zero = true;
	u64 epoch, lsn;

	swb_core_base_sample(&n->core, &epoch, &lsn);
	if (w->broken == BREAK_SAMPLE_EARLY) {
		epoch = l->early_epoch;
		lsn = l->early_lsn;
	}
	for (u32 i = 0; i < bytes && zero; i++)
		zero = !l->buf[i];
	if (lsn > l->end)
		l->end = lsn;
	wire_base(w, n, peer, l, zero, epoch, lsn);
	l->sent += bytes;
	l->blocks = 0;
}

/* Half of the blocks are read when the read begins, the others when it ends. */
static void lane_read(struct node *n, struct lane *l, bool late)
{
	for (u32 b = 0; b < l->blocks; b++)
		if (((l->block + b) * 7 % 3 == 0) == late)
			disk_read(&n->disk, NODE_EXTENT_OFFSET +
				  (u64)(l->block + b) * SIM_BLOCK,
				  l->buf + b * SIM_BLOCK, SIM_BLOCK);
}

/* BREAK_READ_OVERLAY: what clients would read, not what the extent holds */
static void lane_overlay(struct node *n, struct lane *l)
{
	for (u64 x = n->core.d.extent_lo + 1; x <= n->core.log.head; x++) {
		const struct wrec *r = wal_rec(n, x);

		for (u32 b = 0; r && b < r->len_bytes / SIM_BLOCK; b++) {
			u32 at = (u32)(r->sector + b);

			if (at < l->block || at >= l->block + l->blocks)
				continue;
			memset(l->buf + (at - l->block) * SIM_BLOCK, 0, SIM_BLOCK);
			if (r->type == SWB_REC_WRITE)
				ref_fill(l->buf + (at - l->block) * SIM_BLOCK,
					 r->wid, at);
		}
	}
}

static void lane_end(struct world *w, struct node *n, u8 peer)
{
	struct lane *l = &n->lane[peer];
	struct swb_event ev = {
		.type = SWB_EV_BASE_SENT, .peer = peer, .session = l->session,
	};

	if (!l->end)
		l->end = n->core.peer[peer].pin_lsn;
	wire_base_end(w, n, peer, l,
		      swb_lineage_epoch_at(&n->core.d.lineage, l->end));
	ev.lsn = l->end;
	l->session = 0;
	node_post(w, n, &ev);
}

static bool lane_next(const struct node *n, struct lane *l)
{
	while (l->at < granules(n) && !l->todo[l->at])
		l->at++;
	if (l->at == granules(n))
		return false;
	l->block = l->at++ * GRANULE_BLOCKS;
	l->blocks = GRANULE_BLOCKS;
	if (l->block + l->blocks > n->core.extent_saved / SIM_BLOCK)
		l->blocks = (u32)(n->core.extent_saved / SIM_BLOCK) - l->block;
	return true;
}

static void lane_run(struct world *w, struct task *t)
{
	struct node *n = &w->node[t->node];
	u8 peer = (u8)t->a;
	struct lane *l = &n->lane[peer];

	l->soon = false;
	if (!l->session || n->failed || !n->link[peer] ||
	    swb_core_base_session(&n->core, peer) != l->session) {
		l->session = 0;
		return;
	}
	if (l->blocks) {
		lane_read(n, l, true);
		if (w->broken == BREAK_READ_OVERLAY)
			lane_overlay(n, l);
		lane_send(w, n, peer);
	}
	if (!net_room(w, n->link[peer], n->id) ||
	    l->sent - n->core.peer[peer].base_acked >= LANE_WINDOW) {
		lane_later(w, n, peer, SIM_MSEC);
		return;
	}
	if (!lane_next(n, l)) {
		lane_end(w, n, peer);
		return;
	}
	swb_core_base_sample(&n->core, &l->early_epoch, &l->early_lsn);
	lane_read(n, l, false);
	l->soon = true;
	world_later(w, n->id, node_io_ns(w, n, 1, w->shape.write_ns), lane_run,
		    peer, 0);
}

/* ---- target: the mark -------------------------------------------------------- */

static void prepare_go_on(struct world *w, struct node *n);

static void prepare_flushed(struct world *w, struct task *t)
{
	struct node *n = &w->node[t->node];
	struct swb_event ev = { .type = SWB_EV_LOG_FLUSHED };

	if (n->failed || n->prepare != PREPARE_FLUSHING)
		return;
	disk_flush_end(&n->disk, t->a);
	ev.generation = (u32)(t->b >> 32);
	ev.lsn = (u32)t->b;
	/* extent_hi must not pass the durable LSN; a result of before a change of
	 * role does not count (P5): flush again
	 */
	n->prepare = ev.generation == n->core.log.generation ? PREPARE_BACK :
							       PREPARE_WRITES;
	node_post(w, n, &ev);
	prepare_go_on(w, n);
}

void base_prepare(struct world *w, struct node *n)
{
	n->prepare = PREPARE_WRITES;
	if (n->open)
		wal_seal(w, n);
	prepare_go_on(w, n);
}

/* The whole ring is free, and nothing of what it held chains to what comes. */
static void ring_empty(struct node *n)
{
	struct swb_durable *d = &n->core.d;

	while (n->groups) {
		struct wgroup *g = n->group[--n->groups];

		free(g->buf);
		free(g);
	}
	swb_ring_release(&n->ring, n->ring.write_pos, n->ring.used);
	d->incarnation++;
	n->ring.incarnation = d->incarnation;
	d->tail_pos = n->ring.write_pos;
	d->tail_seq = n->ring.seq;
	d->tail_prev_crc = n->ring.prev_crc;
	d->tail_lsn = n->core.log.head + 1;
	d->log_end = n->core.log.head;
}

static void mark(struct world *w, struct node *n)
{
	n->prepare = PREPARE_SAVING;
	check_before_mark(w, n);
	swb_core_rebuild_mark(&n->core);
	ring_empty(n);
	memset(n->wrote, 0, sizeof(n->wrote));
	store_save(w, n, SUPER_MARK);
	if (w->broken == BREAK_MARK_LATE)
		base_marked(w, n);
}

static void prepare_task(struct world *w, struct task *t)
{
	struct node *n = &w->node[t->node];

	if (n->prepare == PREPARE_BACK && !n->failed)
		prepare_go_on(w, n);
}

static void prepare_go_on(struct world *w, struct node *n)
{
	if (n->prepare == PREPARE_WRITES && !wal_writes_pending(n)) {
		n->prepare = PREPARE_FLUSHING;
		world_later(w, n->id, node_io_ns(w, n, 1, w->shape.flush_ns),
			    prepare_flushed, disk_flush_begin(&n->disk),
			    (u64)n->core.log.generation << 32 |
			    n->core.log.written);
		return;
	}
	if (n->prepare != PREPARE_BACK)
		return;
	if (n->back == BACK_IDLE && !(n->base.busy && n->base.writes) &&
	    (w->broken == BREAK_NO_LAST_BACK ||
	     n->core.d.extent_lo >= swb_core_writeback_limit(&n->core))) {
		mark(w, n);
		return;
	}
	if (n->back == BACK_IDLE)
		store_write_back(w, n);
	world_later(w, n->id, SIM_MSEC, prepare_task, 0, 0);
}

void base_write_done(struct world *w, struct node *n)
{
	if (n->prepare == PREPARE_WRITES)
		prepare_go_on(w, n);
}

void base_marked(struct world *w, struct node *n)
{
	struct swb_event ev = { .type = SWB_EV_REBUILD_PREPARED };

	if (n->prepare != PREPARE_SAVING)
		return;
	n->prepare = PREPARE_IDLE;
	w->copies[COPY_BEGUN]++;
	node_post(w, n, &ev);
	wire_receive(w, n);
}

/* ---- target: base blocks ------------------------------------------------------- */

static void base_block_done(struct world *w, struct task *t)
{
	struct node *n = &w->node[t->node];
	struct base_frame *f = &n->base;

	if (n->failed)
		return;
	disk_complete(&n->disk, t->a);
	if (--f->writes)
		return;
	f->busy = false;
	swb_core_base_took(&n->core, f->peer, f->session, f->len_bytes);
	if (n->link[f->peer])
		wire_ack(w, n, f->peer);
	wire_receive(w, n);
}

/* What the stream has written already is newer, or the same: P10 */
static void base_write(struct world *w, struct node *n)
{
	struct base_frame *f = &n->base;
	u32 blocks = f->len_bytes / SIM_BLOCK;

	check_base_write(w, n, f->hi_lsn);
	f->writes = 1;
	for (u32 b = 0, k = 1; b < blocks; b += k, k = 1) {
		u64 id;

		if (n->wrote[f->block + b] && w->broken != BREAK_BASE_WINS)
			continue;
		while (b + k < blocks && (!n->wrote[f->block + b + k] ||
					  w->broken == BREAK_BASE_WINS))
			k++;
		id = disk_submit(&n->disk, NODE_EXTENT_OFFSET +
				 (u64)(f->block + b) * SIM_BLOCK,
				 f->buf + b * SIM_BLOCK, k * SIM_BLOCK);
		f->writes++;
		world_later(w, n->id, node_io_ns(w, n, 1, w->shape.write_ns),
			    base_block_done, id, 0);
	}
	world_later(w, n->id, 1, base_block_done, 0, 0);
}

static void base_try(struct world *w, struct task *t)
{
	struct node *n = &w->node[t->node];
	struct base_frame *f = &n->base;

	if (!f->busy || f->writes)
		return;
	/* one at a time: two writes to one place could pass each other */
	if (n->back == BACK_WRITING || n->back == BACK_FLUSHING) {
		world_later(w, n->id, 200 * SIM_USEC, base_try, 0, 0);
		return;
	}
	if (n->prepare || swb_core_check_base(&n->core, f->peer, f->session,
					      f->epoch, f->hi_epoch, f->hi_lsn,
					      f->before)) {
		f->busy = false;	/* its session is gone */
		wire_receive(w, n);
		return;
	}
	base_write(w, n);
}

void base_take(struct world *w, struct node *n, const struct base_frame *in)
{
	bool save;

	n->base = *in;
	n->base.busy = true;
	n->base.writes = 0;
	/* write-back may have raised it, and its save may be under way */
	save = swb_core_base_raise(&n->core, in->hi_epoch, in->hi_lsn) ||
	       n->super_saving;
	if (save && w->broken != BREAK_BASE_HI_LATE)
		store_save(w, n, SUPER_BASE);
	else
		world_later(w, n->id, 1, base_try, 0, 0);
}

void base_raised(struct world *w, struct node *n)
{
	if (n->base.busy && !n->base.writes)
		world_later(w, n->id, 1, base_try, 0, 0);
}

/* ---- target: the end ------------------------------------------------------------- */

static void clear_flushed(struct world *w, struct task *t)
{
	struct node *n = &w->node[t->node];

	if (n->failed || n->clear != CLEAR_FLUSHING)
		return;
	disk_flush_end(&n->disk, t->a);
	n->clear = CLEAR_SAVING;
	swb_core_rebuild_unmark(&n->core);
	check_unmarked(w, n);
	store_save(w, n, SUPER_CLEAR);
	if (w->broken == BREAK_DONE_EARLY)
		base_cleared(w, n);
}

static void clear_begin(struct world *w, struct task *t)
{
	struct node *n = &w->node[t->node];

	if (n->clear != CLEAR_WAITING || n->failed)
		return;
	if (n->back != BACK_IDLE) {
		world_later(w, n->id, 200 * SIM_USEC, clear_begin, 0, 0);
		return;
	}
	n->clear = CLEAR_FLUSHING;
	if (w->broken == BREAK_CLEAR_UNFLUSHED)
		world_later(w, n->id, 1, clear_flushed, 0, 0);
	else
		world_later(w, n->id, node_io_ns(w, n, 1, w->shape.flush_ns),
			    clear_flushed, disk_flush_begin(&n->disk), 0);
}

void base_clear(struct world *w, struct node *n)
{
	n->clear = CLEAR_WAITING;
	world_later(w, n->id, 1, clear_begin, 0, 0);
}

void base_cleared(struct world *w, struct node *n)
{
	struct swb_event ev = { .type = SWB_EV_REBUILD_CLEARED };

	if (n->clear != CLEAR_SAVING)
		return;
	n->clear = CLEAR_IDLE;
	w->copies[COPY_DONE]++;
	node_post(w, n, &ev);
}
