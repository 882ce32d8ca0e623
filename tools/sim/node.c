// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life of a member: format, attach with real local recovery, crash, and the
 * requests of its upper clients.
 */
#include <stdlib.h>
#include <string.h>

#include "../logread.h"
#include "check.h"
#include "story.h"
#include "cover.h"
#include "world.h"

#define TICK_NS		(10 * SIM_MSEC)

bool node_is_primary(const struct node *n)
{
	return n->state == NODE_UP && n->core.role == SWBLOCK_ROLE_PRIMARY;
}

u64 node_now(const struct world *w, const struct node *n)
{
	return wrist_ns(&w->clock, &n->watch);
}

void node_pause(struct world *w, struct node *n, u64 ns)
{
	if (n->state == NODE_DOWN)
		return;
	sim_trace(w, n->id, "PAUSED for %llu us",
		  (unsigned long long)(ns / SIM_USEC));
	n->paused_ns = w->clock.now_ns + ns;
}

bool node_paused(const struct world *w, const struct node *n)
{
	return n->paused_ns > w->clock.now_ns;
}

void node_stall_disk(struct world *w, struct node *n, u64 ns)
{
	sim_trace(w, n->id, "its disk stalls for %llu us",
		  (unsigned long long)(ns / SIM_USEC));
	n->stalled_ns = w->clock.now_ns + ns;
}

u64 node_io_ns(struct world *w, const struct node *n, u64 lo, u64 hi)
{
	u64 ns = rng_between(&w->rng, lo, hi);

	if (n->stalled_ns > w->clock.now_ns)
		ns += n->stalled_ns - w->clock.now_ns;
	return ns;
}

/* ---- a fresh disk ----------------------------------------------------- */

/* As the replica that it is declared to be, whatever was on the disk. */
static void format(struct world *w, struct node *n)
{
	static u8 buf[SWB_SUPER_BYTES] __attribute__((aligned(8)));
	struct swb_durable *d = &n->core.d;

	memset(&n->core, 0, sizeof(n->core));
	sim_uuid(&d->volume, 'v', 0);
	sim_uuid(&d->replica, 'r', n->identity);
	d->generation = 1;
	d->ring_id = rng_next(&w->rng);
	d->block_bytes = SIM_BLOCK;
	d->ring_unit = w->shape.ring_unit;
	d->ring_offset = NODE_RING_OFFSET;
	d->ring_bytes = NODE_RING_BYTES;
	d->extent_offset = NODE_EXTENT_OFFSET;
	d->extent_bytes = (u64)(w->shape.size ?: w->shape.blocks) * SIM_BLOCK;
	d->bitmap_offset = NODE_BITMAP_OFFSET;
	d->bitmap_bytes = SWB_BITMAP_BYTES((u64)w->shape.blocks * SIM_BLOCK);
	d->incarnation = 1;
	d->tail_seq = 1;
	d->tail_lsn = 1;
	swb_codec_super_encode(d, buf);
	disk_complete(&n->disk, disk_submit(&n->disk, SWB_SUPER_OFFSET_1, buf,
					    sizeof(buf)));
	base_format(n);
	for (u32 b = (u32)(d->extent_bytes / SIM_BLOCK); b < w->shape.blocks; b++) {
		memset(buf, 0xa5, SIM_BLOCK);		/* what was there before */
		disk_complete(&n->disk, disk_submit(&n->disk, NODE_EXTENT_OFFSET +
						    (u64)b * SIM_BLOCK, buf,
						    SIM_BLOCK));
	}
	disk_flush_end(&n->disk, disk_flush_begin(&n->disk));
}

void node_create(struct world *w, u8 id)
{
	struct node *n = &w->node[id];
	u64 bytes = NODE_EXTENT_OFFSET + SIM_BLOCKS_MAX * SIM_BLOCK;

	n->id = id;
	n->identity = id;
	n->rx_end = &n->rx;
	if (!n->disk.view)
		disk_create(&n->disk, bytes);
	format(w, n);
	n->state = NODE_DOWN;
}

static void forget(struct node *n)
{
	wal_free(n);
	while (n->rx) {
		struct frame *f = n->rx;

		n->rx = f->next;
		free(f);
	}
	n->rx_end = &n->rx;
	n->super_wanted = 0;
	n->super_saving = 0;
	n->cutting = false;
	n->cut_saving = false;
	n->seal_soon = false;
	n->back = BACK_IDLE;
	n->back_soon = false;
	n->want_room = false;
	n->tight_ns = 0;
	n->back_drop = 0;
	n->prepare = PREPARE_IDLE;
	n->clear = CLEAR_IDLE;
	n->grow_to = 0;
	n->bits_forget = false;
	n->base.busy = false;
	memset(n->wrote, 0, sizeof(n->wrote));
	memset(n->lane, 0, sizeof(n->lane));
	n->rx_soon = false;
	n->io_parked = false;
	n->done_lsn = 0;
	n->known_c = 0;
	n->old_openers = false;
	memset(n->ship_soon, 0, sizeof(n->ship_soon));
	memset(n->link, 0, sizeof(n->link));
}

void node_reset(struct node *n)
{
	struct wgroup **group = n->group;
	u32 cap = n->groups_cap;
	struct disk disk;

	forget(n);
	if (n->disk.view)
		disk_blank(&n->disk);
	disk = n->disk;
	memset(n, 0, sizeof(*n));
	n->group = group;
	n->groups_cap = cap;
	n->disk = disk;
	n->disk.end = &n->disk.first;
}

void node_destroy(struct node *n)
{
	node_reset(n);
	disk_destroy(&n->disk);
	free(n->group);
	memset(n, 0, sizeof(*n));
}

static void new_disk(struct world *w, struct node *n)
{
	disk_blank(&n->disk);
	format(w, n);
	n->flushed_lsn = 0;
	n->seen_adopted = 0;
	n->seen_opened = 0;
	n->seen_lo = 0;
	n->seen_hi = 0;
	n->seen_bytes = 0;
	n->seen_incarnation = 0;
	n->worst.valid = false;
	n->lost = true;
	n->failed = false;
	n->failure_passes = false;
	n->failed_once = false;
}

void node_replace_disk(struct world *w, struct node *n)
{
	n->identity += SIM_NODES_MAX;
	new_disk(w, n);
	w->control.lived &= ~(1u << n->id);
}

/* The host formats what is blank, but never with the id of one that has lived. */
bool node_blank_disk(struct world *w, struct node *n)
{
	if (w->control.lived & 1u << n->id) {
		disk_blank(&n->disk);
		return false;
	}
	new_disk(w, n);
	return true;
}

/* ---- crash and attach -------------------------------------------------- */

void node_crash(struct world *w, struct node *n, int fate, bool host_only,
		bool silent)
{
	bool was_up = n->state == NODE_UP;

	if (n->state == NODE_DOWN)
		return;
	sim_trace(w, n->id, "CRASH%s", host_only ? " (the drive keeps power)" :
						   "");
	w->crashes++;
	check_base_crash(w, n);
	for (u8 p = 0; p < w->shape.nodes; p++) {
		if (!n->link[p])
			continue;
		if (silent)
			w->net.conn[n->link[p]].cut = true;
		else
			net_cut(w, n->link[p]);
	}
	for (u32 i = 0; i < w->ops; i++)
		if (w->op[i]->node == n->id && (w->op[i]->state == OP_WAITING ||
						w->op[i]->state == OP_PARKED))
			w->op[i]->state = OP_FAILED;
	forget(n);
	if (host_only)
		disk_host_reset(&n->disk, &w->rng);
	else
		disk_power_cut(&n->disk, &w->rng, (enum disk_fate)fate);
	n->state = NODE_DOWN;
	n->boot++;
	n->paused_ns = 0;
	if (n->failure_passes) {
		n->failed = false;
		n->failure_passes = false;
	}
	check_crashed(w, n, was_up);
}

void node_fail_disk(struct world *w, struct node *n, bool passing)
{
	struct swb_event ev = { .type = SWB_EV_DISK_FAILED };

	if (n->state != NODE_UP || n->failed)
		return;
	sim_trace(w, n->id, "DISK FAILS%s", passing ? " for this boot" : "");
	n->failed = true;
	n->prepare = PREPARE_IDLE;
	n->clear = CLEAR_IDLE;
	n->base.busy = false;
	n->failure_passes = passing;
	n->failed_once = true;
	node_post(w, n, &ev);
}

static void read_failed(struct world *w, struct task *t)
{
	node_fail_disk(w, &w->node[t->node], false);
}

void node_read_failed(struct world *w, struct node *n)
{
	world_later(w, n->id, 1, read_failed, 0, 0);
}

static int read_view(void *ctx, u64 off, void *buf, u32 len)
{
	disk_read(ctx, off, buf, len);
	return 0;
}

/* Bytes skipped before a group: the one before it did not end where it starts. */
static u64 gap_of(const struct node *n, const struct swb_durable *d, u64 pos)
{
	const struct wgroup *prev = n->groups ? n->group[n->groups - 1] : NULL;
	u64 end = prev ? prev->pos + prev->len : d->tail_pos;

	return pos == 0 && end != pos && end != d->ring_bytes ?
	       d->ring_bytes - end : 0;
}

struct attach {
	struct node *n;
	struct logread l;
};

static void keep_recovered(void *ctx, const struct logread_group *lg)
{
	struct attach *at = ctx;
	struct node *n = at->n;
	struct wgroup *g = calloc(1, sizeof(*g));

	if (!g)
		abort();
	if (lg->overlap_from)
		for (u32 i = n->groups; i > 0; i--) {
			struct wgroup *old = n->group[i - 1];

			if (old->first_lsn + old->live <= lg->overlap_from)
				break;
			old->live = (u32)(lg->overlap_from - old->first_lsn);
		}
	*g = (struct wgroup){
		.pos = lg->pos, .seq = lg->info.seq, .epoch = lg->info.epoch,
		.first_lsn = lg->info.first_lsn, .crc = lg->info.crc,
		.prev_crc = lg->info.prev_crc, .nrec = lg->info.nrec,
		.header_bytes = lg->info.header_bytes,
		.payload_bytes = lg->info.payload_bytes,
		.live = lg->live, .state = WGROUP_WRITTEN,
		.len = swb_ring_group_bytes(&at->l.scan.ring, lg->info.nrec,
					    lg->info.payload_bytes),
		.gap = gap_of(n, &at->l.d, lg->pos),
	};
	for (u32 i = 0; i < lg->live; i++) {
		const struct swb_rec *r = &lg->rec[i];

		g->rec[i] = (struct wrec){ .sector = r->sector, .crc = r->crc,
			.len_bytes = r->len_bytes, .type = r->type };
		if (r->type == SWB_REC_WRITE)
			memcpy(&g->rec[i].wid, logread_payload(lg, i),
			       sizeof(g->rec[i].wid));
	}
	if (n->groups == n->groups_cap) {
		n->groups_cap = n->groups_cap ? n->groups_cap * 2 : 64;
		n->group = realloc(n->group,
				   n->groups_cap * sizeof(*n->group));
		if (!n->group)
			abort();
	}
	n->group[n->groups++] = g;
}

static struct swb_recovered found[SIM_NODES_MAX];

static void attach_scan(struct world *w, struct task *t);
static void attach_flushed(struct world *w, struct task *t);

void node_restart(struct world *w, struct node *n)
{
	if (n->state != NODE_DOWN)
		return;
	n->state = NODE_ATTACHING;
	world_later(w, n->id, rng_between(&w->rng, SIM_MSEC, 20 * SIM_MSEC),
		    attach_scan, 0, 0);
}

static void attach_scan(struct world *w, struct task *t)
{
	struct node *n = &w->node[t->node];
	static struct attach at;
	struct logread *l = &at.l;

	memset(&at, 0, sizeof(at));
	at.n = n;
	l->data = (struct logread_dev){ read_view, &n->disk, n->disk.bytes };
	logread_run(l, keep_recovered, &at);
	sim_trace(w, n->id, "recovery @%c %s: %s, log ends at %llu", l->letter,
		  swb_text_recover(l->recover),
		  swb_text_scan_end(l->scan.why),
		  (unsigned long long)l->scan.head);
	w->letters[SWBLOCK_TABLE_RECOVER][l->letter - 'A']++;
	cover_recovered(l->letter);
	n->letter = l->letter;
	check_recovered(w, n, l->recover, l->letter, l->scan.head);
	if (l->recover == SWB_RECOVER_REFUSE) {
		n->state = NODE_REFUSED;
		return;
	}
	n->core.d = l->d;
	n->ring = l->scan.ring;
	base_load(n);
	found[n->id] = l->rec;
	world_later(w, n->id, node_io_ns(w, n, 1, w->shape.flush_ns),
		    attach_flushed, disk_flush_begin(&n->disk), 0);
}

/* P17b, P4: what the scan saw is flushed; now the end of the log is sealed */
static void attach_flushed(struct world *w, struct task *t)
{
	struct node *n = &w->node[t->node];
	struct swb_durable *d = &n->core.d;

	disk_flush_end(&n->disk, t->a);
	if (w->broken != BREAK_NO_INCARNATION)
		d->incarnation++;
	d->log_end = found[n->id].head;
	d->lineage = found[n->id].lineage;
	n->ring.incarnation = d->incarnation;
	store_save(w, n, SUPER_ATTACH);
}

static void tick(struct world *w, struct task *t)
{
	struct node *n = &w->node[t->node];
	struct swb_event ev = { .type = SWB_EV_TICK };

	world_later(w, n->id, TICK_NS, tick, 0, 0);
	n->core.tune.catchup_stall_ns = w->stall_ns;
	if (w->budget_records && n->core.log.head > w->budget_records)
		ev.lsn = n->core.log.head - w->budget_records;
	if (n->ring.used > n->ring.bytes / 2)
		ev.lsn2 = n->core.log.head;
	node_post(w, n, &ev);
	node_admit_parked(w, n);
	if (swb_core_writeback_limit(&n->core) > n->core.d.extent_lo)
		store_write_back(w, n);
	wire_ship_all(w, n);
}

static void attached(struct world *w, struct node *n)
{
	struct swb_durable d = n->core.d;

	for (u32 i = 0; i < n->groups; i++)
		wal_mark_written(w, n, n->group[i]);

	n->state = NODE_UP;
	swb_core_init(&n->core, &d, &found[n->id], rng_next(&w->rng) >> 1);
	n->core.tune = (struct swb_tune){
		.link_deadline_ns = 400 * SIM_MSEC,
		.ping_interval_ns = 80 * SIM_MSEC,
		.flush_interval_ns = 25 * SIM_MSEC,
	};
	/* its latch was not saved in time, but it fails on */
	if (n->failed && !n->failure_passes) {
		n->failed = false;
		node_read_failed(w, n);
	}
	sim_trace(w, n->id, "UP, log %llu..%llu of epoch %llu, adopted %llu",
		  (unsigned long long)n->core.log.start,
		  (unsigned long long)n->core.log.head,
		  (unsigned long long)n->core.log.last_epoch,
		  (unsigned long long)n->core.d.epoch);
	if (n->boot)
		story_add(w, "n%u is up: log %llu..%llu of epoch %llu, adopted %llu, case %c",
			  n->id, (unsigned long long)n->core.log.start,
			  (unsigned long long)n->core.log.head,
			  (unsigned long long)n->core.log.last_epoch,
			  (unsigned long long)n->core.d.epoch, n->letter);
	check_attached(w, n);
	world_later(w, n->id, rng_below(&w->rng, TICK_NS), tick, 0, 0);
}

void node_super_done(struct world *w, struct node *n, u32 served)
{
	struct swb_event ev = { .type = SWB_EV_SUPER_SAVED };

	check_super_stable(w, n);
	if (served & SUPER_ATTACH)
		attached(w, n);
	if (served & SUPER_CORE)
		node_post(w, n, &ev);
	if (served & SUPER_HI)
		store_marked(w, n);
	if (served & SUPER_TRIM)
		store_trimmed(w, n);
	if (served & SUPER_MARK)
		base_marked(w, n);
	if (served & SUPER_BASE)
		base_raised(w, n);
	if (served & SUPER_CLEAR)
		base_cleared(w, n);
	if (served & SUPER_CUT)
		wal_cut_saved(w, n);
}

/* ---- clients ----------------------------------------------------------- */

static void barrier_issue(struct world *w, struct node *n, struct op *op)
{
	struct swb_event ev = { .type = SWB_EV_BARRIER_WANTED };

	op->lsn = swb_core_barrier_target(&n->core);
	op->floor = n->done_lsn;
	op->epoch = n->core.d.opened;
	op->state = OP_WAITING;
	check_barrier_issued(w, n, op);
	ev.lsn = op->lsn;
	wal_seal(w, n);
	node_post(w, n, &ev);
	if (w->broken == BREAK_COMPLETE_EARLY && op->state == OP_WAITING) {
		check_barrier_done(w, n, op);
		op->state = OP_DONE;
	}
}

static void write_issue(struct world *w, struct node *n, struct op *op)
{
	static u8 buf[SWB_REC_PAYLOAD_MAX];
	struct wrec rec = {
		.type = op->zeroes ? SWB_REC_ZEROES : SWB_REC_WRITE,
		.sector = op->block, .len_bytes = op->blocks * SIM_BLOCK,
		.wid = op->wid,
	};

	if (!op->zeroes) {
		for (u32 b = 0; b < op->blocks; b++)
			ref_fill(buf + b * SIM_BLOCK, op->wid, op->block + b);
		rec.crc = swb_crc32c(0, buf, rec.len_bytes);
	}
	op->lsn = swb_core_append(&n->core, 1);
	op->epoch = n->core.d.opened;
	op->state = OP_WAITING;
	check_write_admitted(w, n, op);
	wal_append(w, n, op->epoch, op->lsn, &rec, buf);
}

/* Park, fail, or let in. Asked again for what is parked. */
static void admit(struct world *w, struct node *n, struct op *op)
{
	switch (swb_core_admit(&n->core, node_now(w, n))) {
	case SWB_ADMIT_FAIL:
		op->state = OP_FAILED;
		return;
	case SWB_ADMIT_PARK:
		op->state = OP_PARKED;
		return;
	case SWB_ADMIT_OK:
		break;
	}
	if (op->barrier) {
		barrier_issue(w, n, op);
		return;
	}
	op->state = OP_PARKED;
	if (wal_room(n, 1, op->zeroes ? 0 : op->blocks * SIM_BLOCK, true))
		write_issue(w, n, op);
	else
		store_want_room(w, n);
}

static void admit_task(struct world *w, struct task *t)
{
	struct node *n = &w->node[t->node];

	for (u32 i = 0; i < w->ops; i++)
		if (w->op[i]->node == n->id && w->op[i]->state == OP_PARKED)
			admit(w, n, w->op[i]);
}

/* Never from within a step: a barrier let in is an event of its own. */
void node_admit_parked(struct world *w, struct node *n)
{
	for (u32 i = 0; i < w->ops; i++)
		if (w->op[i]->node == n->id && w->op[i]->state == OP_PARKED) {
			world_later(w, n->id, 1, admit_task, 0, 0);
			return;
		}
}

struct op *node_write(struct world *w, struct node *n, u32 block, u32 blocks,
		      bool zeroes)
{
	struct op *op = world_op(w, n->id, false);

	op->block = block;
	op->blocks = blocks;
	op->zeroes = zeroes;
	op->wid = zeroes ? 0 : w->ref.next_wid++;
	if (node_paused(w, n))
		op->state = OP_FAILED;	/* nobody there to issue it */
	else if ((u64)(block + blocks) * SIM_BLOCK > n->core.extent_saved)
		op->state = OP_FAILED;	/* the device ends there */
	else
		admit(w, n, op);
	return op;
}

bool node_may_write(struct world *w, struct node *n)
{
	return swb_core_admit(&n->core, node_now(w, n)) == SWB_ADMIT_OK &&
	       wal_room(n, 1, SIM_BLOCK, true);
}

void node_repair(struct world *w, struct node *n, u32 block, u64 wid)
{
	struct op *op = world_op(w, n->id, false);

	op->block = block;
	op->blocks = 1;
	op->zeroes = !wid;
	op->wid = wid;
	write_issue(w, n, op);
}

struct op *node_barrier(struct world *w, struct node *n)
{
	struct op *op = world_op(w, n->id, true);

	if (node_paused(w, n))
		op->state = OP_FAILED;
	else
		admit(w, n, op);
	return op;
}
