// SPDX-License-Identifier: GPL-2.0-only
/*
 * Superblock saves, one at a time, and write-back: records at or below the
 * core's limit go to the extent, between two durable marks (P9).
 *
 *	extent_hi saved -> blocks written -> flush -> extent_lo, tail saved
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "world.h"

#define PIN_PATIENCE_NS	(100 * SIM_MSEC)

static void save_start(struct world *w, struct node *n);

static void save_flushed(struct world *w, struct task *t)
{
	struct node *n = &w->node[t->node];
	u32 served = n->super_saving;

	disk_flush_end(&n->disk, t->a);
	n->super_saving = 0;
	/* SUPER_SAVED speaks of the last order only */
	if (n->super_wanted & SUPER_CORE)
		served &= ~(u32)SUPER_CORE;
	if (n->super_wanted)
		save_start(w, n);
	node_super_done(w, n, served);
}

static void save_written(struct world *w, struct task *t)
{
	struct node *n = &w->node[t->node];

	disk_complete(&n->disk, t->a);
	world_later(w, n->id, node_io_ns(w, n, 1, w->shape.flush_ns),
		    save_flushed, disk_flush_begin(&n->disk), 0);
}

static void save_start(struct world *w, struct node *n)
{
	static u8 buf[SWB_SUPER_BYTES] __attribute__((aligned(8)));
	struct swb_durable *d = &n->core.d;
	bool odd;
	u64 id;

	n->super_saving = n->super_wanted;
	n->super_wanted = 0;
	if (n->failure_passes)
		return;		/* it fails: nobody hears that it is done */
	d->generation++;
	swb_codec_super_encode(d, buf);
	odd = (d->generation & 1) || w->broken == BREAK_ONE_SLOT;
	id = disk_submit(&n->disk, odd ? SWB_SUPER_OFFSET_1 :
					 SWB_SUPER_OFFSET_0, buf, sizeof(buf));
	world_later(w, n->id, node_io_ns(w, n, 1, w->shape.write_ns),
		    save_written, id, 0);
}

static void save_skipped(struct world *w, struct task *t)
{
	node_super_done(w, &w->node[t->node], SUPER_CORE);
}

void store_save(struct world *w, struct node *n, u32 who)
{
	if (who == SUPER_CORE &&
	    (w->broken == BREAK_NO_SUPER ||
	     (w->broken == BREAK_OPEN_UNSAVED &&
	      n->core.open == SWB_OPEN_SAVING) ||
	     (w->broken == BREAK_REPORT_EARLY &&
	      n->core.adopt == SWB_ADOPT_SAVING))) {
		world_later(w, n->id, 1, save_skipped, 0, 0);
		return;
	}
	n->super_wanted |= who;
	if (!n->super_saving)
		save_start(w, n);
}

/* ---- write-back ------------------------------------------------------- */

static void back_end(struct world *w, struct node *n);

static void block_written(struct world *w, struct task *t)
{
	struct node *n = &w->node[t->node];

	if (n->failed)
		return;
	disk_complete(&n->disk, t->a);
	n->extent_dirty = true;
	if (--n->back_left == 0)
		back_end(w, n);
}

/* a write that the batch waits for */
void store_block_submitted(struct world *w, struct node *n, u64 id)
{
	n->back_left++;
	world_later(w, n->id, node_io_ns(w, n, 1, w->shape.write_ns),
		    block_written, id, 0);
}

static void write_blocks(struct world *w, struct node *n, u32 block, u32 blocks,
			 const u8 *data)
{
	u64 id = disk_submit(&n->disk, NODE_EXTENT_OFFSET +
			     (u64)block * SIM_BLOCK, data, blocks * SIM_BLOCK);

	store_block_submitted(w, n, id);
	if (n->core.rebuild == SWB_REBUILD_COPYING ||
	    n->core.rebuild == SWB_REBUILD_ENDING)
		memset(n->wrote + block, 1, blocks);
}

/*
 * Only the newest record of a block is written: two writes to one place could
 * pass each other in the device.
 */
static void write_newest(struct world *w, struct node *n)
{
	static u64 from[SIM_BLOCKS_MAX];
	static u8 buf[SWB_REC_PAYLOAD_MAX];

	memset(from, 0, w->shape.blocks * sizeof(*from));
	for (u64 x = n->core.d.extent_lo + 1; x <= n->back_target; x++) {
		const struct wrec *r = wal_rec(n, x);

		for (u32 b = 0; r && b < r->len_bytes / SIM_BLOCK; b++)
			from[r->sector + b] = x;
	}
	for (u32 b = 0, k = 1; b < w->shape.blocks; b += k, k = 1) {
		struct wgroup *g;
		const struct wrec *r;

		if (!from[b])
			continue;
		while (b + k < w->shape.blocks && from[b + k] == from[b])
			k++;
		g = wal_find(n, from[b]);
		r = &g->rec[from[b] - g->first_lsn];
		memset(buf, 0, (size_t)k * SIM_BLOCK);
		if (r->type == SWB_REC_WRITE)
			wal_payload(n, g, (u32)(from[b] - g->first_lsn), buf);
		check_extent_write(w, n, from[b]);
		write_blocks(w, n, b, k, r->type == SWB_REC_WRITE ?
			     buf + (b - r->sector) * SIM_BLOCK : buf);
	}
}

static void back_again(struct world *w, struct task *t)
{
	store_marked(w, &w->node[t->node]);
}

static void back_write(struct world *w, struct node *n)
{
	u64 limit = swb_core_writeback_limit(&n->core);

	if (n->base.busy && n->base.writes) {	/* one at a time, see base.c */
		world_later(w, n->id, 100 * SIM_USEC, back_again, 0, 0);
		return;
	}

	/* the session may have ended while the mark went to disk (P8) */
	if (limit < n->back_target && w->broken != BREAK_WRITEBACK_FAR)
		n->back_target = limit;
	if (n->back_target <= n->core.d.extent_lo) {
		n->back = BACK_IDLE;
		return;
	}
	if (!wal_readable(n, n->core.d.extent_lo + 1, n->back_target)) {
		node_read_failed(w, n);
		n->back = BACK_IDLE;
		return;
	}
	n->back = BACK_WRITING;
	n->back_left = 1;
	base_batch(w, n, n->back_target);
	write_newest(w, n);
	if (--n->back_left == 0)
		back_end(w, n);
}

void store_marked(struct world *w, struct node *n)
{
	if (n->back == BACK_MARKING)
		back_write(w, n);
}

/*
 * What a peer still needs stays, and who waits for room waits; but only for so
 * long if the peer is not a required one (I-102).
 */
static u64 pinned_limit(const struct world *w, struct node *n)
{
	u64 limit = swb_core_trim_limit(&n->core, false);

	if (!n->want_room || limit >= n->core.d.extent_lo) {
		n->tight_ns = 0;
		return limit;
	}
	if (!n->tight_ns)
		n->tight_ns = w->clock.now_ns;
	return w->clock.now_ns - n->tight_ns > PIN_PATIENCE_NS ?
	       swb_core_trim_limit(&n->core, true) : limit;
}

static void trim(struct world *w, struct node *n)
{
	struct swb_durable *d = &n->core.d;
	u64 limit = pinned_limit(w, n);
	u64 used = n->ring.used, old;

	if (w->broken == BREAK_TRIM_EARLY)
		limit = n->core.log.committed;
	old = d->tail_lsn;
	n->back_drop = 0;
	while (n->back_drop < n->groups) {
		struct wgroup *g = n->group[n->back_drop];

		if ((!n->want_room && used * 100 <= n->ring.bytes *
						     w->shape.trim_percent) ||
		    g->first_lsn + g->live - 1 > limit ||
		    g->state != WGROUP_WRITTEN)
			break;
		used -= g->len + g->gap;
		d->tail_prev_crc = g->crc;
		d->tail_seq = g->seq + 1;
		d->tail_lsn = g->first_lsn + g->live;
		n->back_drop++;
		if (n->back_drop < n->groups)
			d->tail_pos = n->group[n->back_drop]->pos;
		else
			d->tail_pos = n->ring.write_pos;
	}
	if (d->tail_lsn != old)
		check_trim(w, n);
}

static void release(struct node *n)
{
	u64 freed = 0;

	for (u32 i = 0; i < n->back_drop; i++) {
		freed += n->group[i]->len + n->group[i]->gap;
		free(n->group[i]->buf);
		free(n->group[i]);
	}
	n->groups -= n->back_drop;
	memmove(n->group, n->group + n->back_drop,
		n->groups * sizeof(*n->group));
	if (n->back_drop && n->groups) {
		freed += n->group[0]->gap;
		n->group[0]->gap = 0;
	}
	n->back_drop = 0;
	swb_ring_release(&n->ring, n->groups ? n->group[0]->pos :
			 n->ring.write_pos, freed);
}

static bool can_trim(const struct world *w, struct node *n)
{
	const struct wgroup *g = n->groups ? n->group[0] : NULL;

	return g && g->first_lsn + g->live - 1 <= pinned_limit(w, n);
}

static void back_flushed(struct world *w, struct task *t)
{
	struct node *n = &w->node[t->node];

	if (n->failed)
		return;
	disk_flush_end(&n->disk, t->a);
	n->core.d.extent_lo = n->back_target;
	n->back = BACK_TRIMMING;
	trim(w, n);
	if (w->broken == BREAK_RELEASE_EARLY)
		release(n);
	store_save(w, n, SUPER_TRIM);
}

static void back_end(struct world *w, struct node *n)
{
	u64 delay = node_io_ns(w, n, 1, w->shape.flush_ns);

	n->back = BACK_FLUSHING;
	if (w->broken == BREAK_LO_EARLY) {
		n->core.d.extent_lo = n->back_target;
		n->back = BACK_TRIMMING;
		trim(w, n);
		store_save(w, n, SUPER_TRIM);
		return;
	}
	world_later(w, n->id, delay, back_flushed, disk_flush_begin(&n->disk),
		    0);
}

/* extent_lo and the tail are on the medium: now the space may be used again */
void store_trimmed(struct world *w, struct node *n)
{
	struct swb_event ev = {
		.type = SWB_EV_CHECKPOINTED,
		.lsn = n->core.d.extent_lo,
		.lsn2 = n->core.d.tail_lsn,
	};

	if (n->back != BACK_TRIMMING)
		return;
	n->back = BACK_IDLE;
	n->want_room = false;
	base_batch_saved(n);
	if (w->broken == BREAK_BITS_LATE)
		base_write_page(w, n);
	release(n);
	node_post(w, n, &ev);
	node_admit_parked(w, n);
	wire_receive(w, n);
}

static void back_begin(struct world *w, struct task *t)
{
	struct node *n = &w->node[t->node];
	struct swb_durable *d = &n->core.d;
	u64 limit = swb_core_writeback_limit(&n->core);

	n->back_soon = false;
	if (w->broken == BREAK_WRITEBACK_FAR)
		limit = n->core.log.durable;
	if (n->back != BACK_IDLE || n->cutting || n->clear ||
	    (n->prepare && n->prepare != PREPARE_BACK))
		return;
	if (limit <= d->extent_lo) {
		/* nothing to write, but somebody waits for room in the ring */
		if (!n->want_room || !can_trim(w, n))
			return;
		n->back_target = d->extent_lo;
		n->back = BACK_TRIMMING;
		trim(w, n);
		store_save(w, n, SUPER_TRIM);
		return;
	}
	n->back_target = limit;
	n->back = BACK_MARKING;
	if (limit > d->extent_hi)
		d->extent_hi = limit;
	if (w->broken == BREAK_HI_LATE)
		back_write(w, n);
	else
		store_save(w, n, SUPER_HI);
}

void store_write_back(struct world *w, struct node *n)
{
	if (n->back_soon)
		return;
	n->back_soon = true;
	world_later(w, n->id, rng_below(&w->rng, 30 * SIM_MSEC), back_begin,
		    0, 0);
}

void store_want_room(struct world *w, struct node *n)
{
	n->want_room = true;
	store_write_back(w, n);
}
