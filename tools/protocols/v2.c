// SPDX-License-Identifier: GPL-2.0-only
/*
 * V2: the real kmod/core/ with the executor, controller and checkers of sim/.
 * Nothing of the protocol is here; a broken invariant fails the run.
 */
#include <string.h>

#include "logread.h"
#include "protocol.h"

struct v2 {
	struct attempt *attempt;
};

static struct v2 v2;

static void create(struct lab *l)
{
	struct sim_shape shape = l->w.shape;

	world_create(&l->w, l->w.seed, &shape);
	l->w.trace = l->trace;
	v2.attempt = NULL;
	lab_run_for(l, 60 * SIM_MSEC);
}

static void destroy(struct lab *l)
{
	(void)l;
}

/* The module's own times, a tenth of them as for every version here. */
static bool turn(struct lab *l)
{
	for (u8 i = 0; i < l->nodes; i++)
		l->w.node[i].core.tune = (struct swb_tune){
			.link_deadline_ns = 600 * SIM_MSEC,
			.ping_interval_ns = 100 * SIM_MSEC,
			.flush_interval_ns = 20 * SIM_MSEC,
		};
	return world_turn(&l->w);
}

static void submit(struct lab *l, struct lab_op *op)
{
	struct node *n = &l->w.node[op->node];

	/* one numbering of writes for all versions */
	if (!op->barrier)
		l->w.ref.next_wid = op->wid;
	op->v2 = op->barrier ? node_barrier(&l->w, n) :
	      node_write(&l->w, n, op->block, op->blocks, false);
}

static void poll(struct lab *l)
{
	for (u32 i = l->first_open; i < l->ops; i++)
		if (l->op[i].v2 && !l->op[i].counted)
			l->op[i].state = l->op[i].v2->state;
}

static void promote(struct lab *l, u8 want, u32 required, bool override)
{
	v2.attempt = control_promote(&l->w, want, required);
	if (!override)
		return;
	v2.attempt->cert_flags |= SWBLOCK_CERT_OVERRIDE;
	v2.attempt->force = true;
	l->w.control.overrides++;
}

static enum lab_promotion promoted(struct lab *l)
{
	(void)l;
	if (!v2.attempt || !v2.attempt->ended)
		return PROMOTION_PENDING;
	return v2.attempt->letter == 'A' ? PROMOTION_DONE : PROMOTION_REFUSED;
}

static u8 primary(struct lab *l)
{
	u8 p = l->w.control.primary;

	return p != SIM_NOBODY && node_is_primary(&l->w.node[p]) ? p : LAB_NOBODY;
}

static bool serves(struct lab *l, u8 n)
{
	struct node *m = &l->w.node[n];

	return node_is_primary(m) &&
	       swb_core_read_ok(&m->core, l->w.clock.now_ns) == SWB_ADMIT_OK;
}

static void crash(struct lab *l, u8 n, int fate)
{
	node_crash(&l->w, &l->w.node[n], fate, false, false);
}

/* A link is handed in by the controller, whatever address it leads to. */
static void restart(struct lab *l, u8 n, enum lab_return how)
{
	(void)how;
	node_restart(&l->w, &l->w.node[n]);
}

static void replace(struct lab *l, u8 n)
{
	node_replace_disk(&l->w, &l->w.node[n]);
}

static bool knob(struct lab *l, const char *name, u8 n, u64 value)
{
	(void)value;
	if (strcmp(name, "remove") && strcmp(name, "reassign"))
		return false;
	/* the required set changes by an epoch only: an assignment says it again */
	control_assign(&l->w, n);
	return true;
}

/* ---- bytes ------------------------------------------------------------------ */

struct found {
	u32 count;
	struct {
		u64 lsn, wid;
		u32 block, blocks;
	} rec[NODE_LSNS_MAX];
};

static int read_view(void *ctx, u64 off, void *buf, u32 len)
{
	disk_read(ctx, off, buf, len);
	return 0;
}

static int read_stable(void *ctx, u64 off, void *buf, u32 len)
{
	disk_read_stable(ctx, off, buf, len);
	return 0;
}

static void keep_group(void *ctx, const struct logread_group *g)
{
	struct found *f = ctx;

	while (g->overlap_from && f->count &&
	       f->rec[f->count - 1].lsn >= g->overlap_from)
		f->count--;
	for (u32 i = 0; i < g->live && f->count < NODE_LSNS_MAX; i++) {
		const struct swb_rec *r = &g->rec[i];

		if (r->type != SWB_REC_WRITE)
			continue;
		f->rec[f->count].lsn = g->info.first_lsn + i;
		f->rec[f->count].block = (u32)r->sector;
		f->rec[f->count].blocks = r->len_bytes / SIM_BLOCK;
		memcpy(&f->rec[f->count].wid, logread_payload(g, i), sizeof(u64));
		f->count++;
	}
}

static bool extent_of(struct lab *l, u8 n, bool stable, u64 *wid)
{
	const struct disk *d = &l->w.node[n].disk;
	u8 buf[SIM_BLOCK];
	bool whole = true;

	for (u32 b = 0; b < l->blocks; b++) {
		u64 off = NODE_EXTENT_OFFSET + (u64)b * SIM_BLOCK;

		if (stable)
			disk_read_stable(d, off, buf, sizeof(buf));
		else
			disk_read(d, off, buf, sizeof(buf));
		whole &= ref_wid_of(buf, b, &wid[b]);
	}
	return whole;
}

static bool recovered(struct lab *l, u8 n, bool stable, u64 *wid)
{
	static struct logread log;
	static struct found f;
	struct disk *d = &l->w.node[n].disk;
	bool whole = extent_of(l, n, stable, wid);

	memset(&log, 0, sizeof(log));
	f.count = 0;
	log.data = (struct logread_dev){ stable ? read_stable : read_view, d, d->bytes };
	logread_run(&log, keep_group, &f);
	for (u32 i = 0; i < f.count; i++)
		for (u32 b = 0; b < f.rec[i].blocks; b++)
			wid[f.rec[i].block + b] = f.rec[i].wid;
	return whole && log.recover != SWB_RECOVER_REFUSE;
}

static bool image(struct lab *l, u8 n, bool stable, u64 *wid)
{
	const struct node *m = &l->w.node[n];
	bool whole;

	if (stable || m->state != NODE_UP)
		return recovered(l, n, stable, wid);
	whole = extent_of(l, n, false, wid);
	for (u64 x = m->core.d.extent_lo + 1; x <= m->core.log.head; x++) {
		const struct wrec *r = wal_rec(m, x);
		u32 blocks = r && r->type == SWB_REC_WRITE ?
			     r->len_bytes / SIM_BLOCK : 0;

		for (u32 b = 0; b < blocks; b++)
			wid[r->sector + b] = r->wid;
	}
	return whole;
}

/* ---- what is said ------------------------------------------------------------- */

static bool up(struct lab *l, u8 n)
{
	return l->w.node[n].state == NODE_UP;
}

static enum lab_view believed(struct lab *l, u8 p, u8 n)
{
	switch ((enum swblock_peer_state)l->w.node[p].core.peer[n].state) {
	case SWBLOCK_PEER_DETACHED:
		return VIEW_ABSENT;
	case SWBLOCK_PEER_OPENING:
	case SWBLOCK_PEER_CATCHING_UP:
	case SWBLOCK_PEER_REBUILDING:
		return VIEW_BEHIND;
	case SWBLOCK_PEER_IN_SYNC:
		return VIEW_IN_SYNC;
	case SWBLOCK_PEER_NEEDS_REBUILD:
		return VIEW_REBUILD;
	case SWBLOCK_PEER_REFUSED:
		return VIEW_REFUSED;
	}
	return VIEW_ABSENT;
}

static void work(struct lab *l, struct lab_work *work)
{
	const u64 *letter = l->w.letters[SWBLOCK_TABLE_RESYNC];

	work->replayed = letter['J' - 'A'];
	work->cut = letter['K' - 'A'];
}

/* A rebuild is not part of this slice: the verdict stands, and is shown. */
static bool rescue(struct lab *l)
{
	(void)l;
	return false;
}

const struct protocol protocol_v2 = {
	.name = "v2", .create = create, .destroy = destroy, .turn = turn,
	.submit = submit, .poll = poll, .promote = promote,
	.promoted = promoted, .primary = primary, .serves = serves,
	.crash = crash, .restart = restart, .replace = replace, .knob = knob,
	.image = image, .up = up, .believed = believed, .shown = lab_shown,
	.work = work, .rescue = rescue,
};
