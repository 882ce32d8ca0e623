// SPDX-License-Identifier: GPL-2.0-only
/* Life of a member with a bitmap: promotion, crash, restart, what is seen of it. */
#include <stdlib.h>
#include <string.h>

#include "bitmap.h"

/* ---- promotion ---------------------------------------------------------------------- */

void bm_demote(struct lab *l, struct bm *m)
{
	m->primary = false;
	for (u32 i = l->first_open; i < l->ops; i++)
		if (l->op[i].node == m->id &&
		    (l->op[i].state == OP_WAITING || l->op[i].state == OP_PARKED))
			l->op[i].state = OP_FAILED;
}

static bool may_lead(struct lab *l, struct bm *m)
{
	if (!m->up || !m->meta.ids.current || !bm_quorum(l, m) ||
	    (m->meta.ids.flags & BM_INCONSISTENT))
		return false;
	for (u8 i = 0; i < l->nodes; i++)
		if (i != m->id && m->peer[i].conn && bm_member(l, i)->primary)
			return false;
	return true;
}

static void lead(struct lab *l, struct bm *m)
{
	m->primary = true;
	m->meta.ids.flags |= BM_WAS_PRIMARY;
	m->meta.ids.flags &= ~(u32)BM_LOST_QUORUM;
	bm_new_current(l, m);
	bm_save(m);
	disk_flush_end(m->disk, disk_flush_begin(m->disk));
	bm_kind(l)->primary = m->id;
	bm_kind(l)->promotion = PROMOTION_DONE;
	lab_trace(l, m->id, "primary");
}

/* A cluster manager tries the wanted one, or each in turn, for a while. */
static void try_lead(struct world *w, struct task *t)
{
	struct lab *l = lab_of(w);
	struct bm_kind *k = bm_kind(l);

	(void)t;
	for (u8 i = 0; i < l->nodes; i++)
		if ((k->want == LAB_NOBODY || k->want == i) &&
		    (w->control.reach & (1u << i)) && may_lead(l, bm_member(l, i))) {
			lead(l, bm_member(l, i));
			return;
		}
	if (w->clock.now_ns > k->promote_until_ns)
		k->promotion = PROMOTION_REFUSED;
	else
		lab_later(l, SIM_NOBODY, 10 * SIM_MSEC, try_lead, 0, 0);
}

static void promote(struct lab *l, u8 want, u32 required, bool override)
{
	struct bm_kind *k = bm_kind(l);

	(void)required;
	(void)override;
	k->want = want;
	k->promotion = PROMOTION_PENDING;
	k->promote_until_ns = l->w.clock.now_ns + BM_PROMOTE_NS;
	if (want != LAB_NOBODY && bm_member(l, want)->primary)
		k->promotion = PROMOTION_DONE;
	else
		lab_later(l, SIM_NOBODY, SIM_MSEC, try_lead, 0, 0);
}

static enum lab_promotion promoted(struct lab *l)
{
	return bm_kind(l)->promotion;
}

static u8 primary(struct lab *l)
{
	u8 p = bm_kind(l)->primary;

	return p != LAB_NOBODY && bm_member(l, p)->up && bm_member(l, p)->primary ?
	       p : LAB_NOBODY;
}

/* ---- life -------------------------------------------------------------------------------- */

static void start(struct lab *l, u8 n)
{
	struct bm *m = bm_member(l, n);

	disk_read(m->disk, 0, &m->meta, sizeof(m->meta));
	if (!bm_meta_whole(&m->meta))
		memset(&m->meta, 0, sizeof(m->meta));
	/* what was hot when a primary died may differ anywhere */
	if (m->meta.ids.flags & BM_WAS_PRIMARY)
		for (u8 i = 0; i < l->nodes; i++)
			for (u32 b = 0; i != n && b < l->blocks; b++)
				if (m->meta.hot & (1u << b / BM_REGION))
					bm_mark_absent(m, i, b, 1);
	memset(m->peer, 0, sizeof(m->peer));
	m->up = true;
	m->primary = false;
	m->rotate = false;
	m->newest = 0;
	memset(m->last, 0, sizeof(m->last));
	lab_later(l, n, SIM_MSEC, bm_tick, 0, 0);
}

static void blank(struct lab *l, u8 n, u64 current)
{
	struct bm *m = bm_member(l, n);

	memset(m, 0, sizeof(*m));
	m->id = n;
	m->disk = lab_disk(l, n);
	m->meta.ids.current = current;
	bm_save(m);
	disk_flush_end(m->disk, disk_flush_begin(m->disk));
}

static void create(struct lab *l)
{
	struct bm_kind *k = calloc(1, sizeof(*k));
	u64 current;

	if (!k)
		abort();
	l->kind = k;
	l->w.members = &bm_members;
	k->primary = LAB_NOBODY;
	current = rng_next(&l->w.rng) | 1;
	for (u8 i = 0; i < l->nodes; i++) {
		blank(l, i, current);
		start(l, i);
	}
	lab_run_for(l, BM_CONNECT_NS / 10);
}

static void destroy(struct lab *l)
{
	free(l->kind);
	l->kind = NULL;
	l->w.members = NULL;
}

static void crash(struct lab *l, u8 n, int fate)
{
	struct bm *m = bm_member(l, n);

	if (!m->up)
		return;
	m->up = false;
	m->primary = false;
	lab_power_cut(l, n, (enum disk_fate)fate);
}

static void restart(struct lab *l, u8 n, enum lab_return how)
{
	/* addresses stand in a file on every node */
	if (how == RETURN_ADDRESS)
		bm_member(l, n)->moved = true;
	if (!bm_member(l, n)->up)
		start(l, n);
}

static void replace(struct lab *l, u8 n)
{
	blank(l, n, 0);
}

static bool knob(struct lab *l, const char *name, u8 n, u64 value)
{
	struct bm *m = bm_member(l, n);

	if (strcmp(name, "lost-quorum-rule") == 0) {
		bm_kind(l)->lost_quorum_rule = value;
		return true;
	}
	if (strcmp(name, "remove"))
		return false;
	for (u8 i = 0; i < l->nodes; i++) {
		if (i == n)
			continue;
		if (bm_member(l, i)->up && bm_member(l, i)->peer[n].conn)
			bm_hang_up(l, bm_member(l, i), n);
		bm_member(l, i)->peer[n].state = BM_ALONE;
		m->peer[i].state = BM_ALONE;
	}
	return true;
}

/* ---- what is seen ---------------------------------------------------------------------- */

static bool image(struct lab *l, u8 n, bool stable, u64 *wid)
{
	const struct disk *d = bm_member(l, n)->disk;
	bool whole = true;
	u8 buf[SIM_BLOCK];

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

static bool up(struct lab *l, u8 n)
{
	return bm_member(l, n)->up;
}

static bool serves(struct lab *l, u8 n)
{
	return bm_member(l, n)->primary && bm_quorum(l, bm_member(l, n));
}

static enum lab_view believed(struct lab *l, u8 p, u8 n)
{
	switch ((enum bm_link)bm_member(l, p)->peer[n].state) {
	case BM_SYNCED:
		return VIEW_IN_SYNC;
	case BM_MEETING:
	case BM_SOURCE:
	case BM_TARGET:
		return VIEW_BEHIND;
	case BM_AWAY:
		return VIEW_ABSENT;
	case BM_ALONE:
		return VIEW_REFUSED;
	}
	return VIEW_ABSENT;
}

static void work(struct lab *l, struct lab_work *work)
{
	*work = bm_kind(l)->work;
}

static void poll(struct lab *l)
{
	(void)l;
}

/* An operator chooses whose changes are given up: everybody's but the primary's. */
static bool rescue(struct lab *l)
{
	u8 p = primary(l);

	for (u8 i = 0; p != LAB_NOBODY && i < l->nodes; i++) {
		struct bm *m = bm_member(l, i);

		m->moved = false;
		if (i == p || !m->up)
			continue;
		if (m->primary)
			bm_demote(l, m);
		m->meta.ids.flags |= BM_DISCARD;
		for (u8 k = 0; k < l->nodes; k++)
			if (m->peer[k].state == BM_ALONE ||
			    bm_member(l, k)->peer[i].state == BM_ALONE) {
				m->peer[k].state = BM_AWAY;
				bm_member(l, k)->peer[i].state = BM_AWAY;
			}
	}
	return p != LAB_NOBODY;
}

const struct protocol protocol_bitmap = {
	.name = "bitmap", .create = create, .destroy = destroy, .turn = lab_turn,
	.submit = bm_submit, .poll = poll, .promote = promote,
	.promoted = promoted, .primary = primary, .serves = serves,
	.crash = crash, .restart = restart, .replace = replace, .knob = knob,
	.image = image, .up = up, .believed = believed, .shown = lab_shown,
	.work = work, .rescue = rescue,
};
