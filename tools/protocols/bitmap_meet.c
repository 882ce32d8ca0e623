// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two members meet: their identifiers say who has to send what. Nobody looks at
 * an LSN, for there is none; what differs below equal identifiers stays unseen.
 */
#include <string.h>

#include "bitmap.h"

enum verdict {
	MEET_SAME,
	MEET_SOURCE,
	MEET_TARGET,
	MEET_FULL_SOURCE,
	MEET_FULL_TARGET,
	MEET_CONFLICT,
};

static bool in_history(const struct bm_ids *ids, u64 id)
{
	for (u32 i = 0; i < BM_HISTORY; i++)
		if (id && ids->history[i] == id)
			return true;
	return false;
}

static bool any_bit(const u64 *bits)
{
	u64 any = 0;

	for (u32 i = 0; i < BM_WORDS; i++)
		any |= bits[i];
	return any;
}

static enum verdict equal_currents(const struct bm *m, const struct bm_frame *f, u8 peer)
{
	const struct bm_ids *his = &f->ids;
	bool mine = m->meta.ids.flags & BM_WAS_PRIMARY && !m->primary;
	bool its = his->flags & BM_WAS_PRIMARY && !his->role;

	if (mine && its)
		return m->id < peer ? MEET_SOURCE : MEET_TARGET;
	if (mine || its)
		return mine ? MEET_SOURCE : MEET_TARGET;
	/* a third member brought one of the two up while the other went on */
	if (m->primary)
		return any_bit(m->meta.bits[peer]) ? MEET_SOURCE : MEET_SAME;
	if (his->role)
		return any_bit(f->bits) ? MEET_TARGET : MEET_SAME;
	if (m->newest == f->id)
		return MEET_SAME;
	/* two replicas of a primary that is gone: who received more */
	return m->newest > f->id ? MEET_SOURCE : MEET_TARGET;
}

static enum verdict compare(struct lab *l, const struct bm *m, u8 peer,
			    const struct bm_frame *f)
{
	const struct bm_ids *his = &f->ids;
	const struct bm_ids *own = &m->meta.ids;
	u64 mine = own->bitmap[peer], its = his->bitmap[m->id];

	/*
	 * As in a release in use: the mark of a lost quorum is looked at before
	 * the bitmap, and no block is sent.
	 */
	if (bm_kind(l)->lost_quorum_rule &&
	    (((own->flags & BM_LOST_QUORUM) && his->current &&
	      (his->current == own->current || his->current == mine)) ||
	     ((his->flags & BM_LOST_QUORUM) && own->current &&
	      (own->current == his->current || own->current == its))))
		return MEET_SAME;
	if (!own->current || !his->current)
		return own->current ? MEET_FULL_SOURCE :
		       his->current ? MEET_FULL_TARGET : MEET_CONFLICT;
	if (own->current == his->current) {
		if (own->flags & BM_INCONSISTENT)
			return MEET_FULL_TARGET;
		return his->flags & BM_INCONSISTENT ? MEET_FULL_SOURCE :
		       equal_currents(m, f, peer);
	}
	if (mine == his->current)
		return MEET_SOURCE;
	if (its == own->current)
		return MEET_TARGET;
	if (in_history(own, his->current))
		return MEET_FULL_SOURCE;
	if (in_history(his, own->current))
		return MEET_FULL_TARGET;
	/* both went on from one point: their bitmaps together name what differs */
	if (his->flags & BM_DISCARD)
		return mine && mine == its ? MEET_SOURCE : MEET_FULL_SOURCE;
	if (own->flags & BM_DISCARD)
		return mine && mine == its ? MEET_TARGET : MEET_FULL_TARGET;
	return MEET_CONFLICT;
}

void bm_meet(struct lab *l, struct bm *m, u8 peer)
{
	struct bm_frame f = { .type = BM_MEET, .id = m->newest,
			      .ids = m->meta.ids };

	f.ids.role = m->primary;
	memcpy(f.bits, m->meta.bits[peer], sizeof(f.bits));
	m->peer[peer].state = BM_MEETING;
	bm_send(l, m, peer, &f, NULL, 0);
}

static void remember(struct bm_ids *ids, u64 id)
{
	if (!id || in_history(ids, id))
		return;
	ids->history[1] = ids->history[0];
	ids->history[0] = id;
}

static void become_source(struct lab *l, struct bm *m, u8 peer, const struct bm_frame *f,
			  bool full)
{
	for (u32 i = 0; i < BM_WORDS; i++)
		m->meta.bits[peer][i] |= full ? ~0ULL : f->bits[i];
	m->peer[peer].state = BM_SOURCE;
	m->peer[peer].ending = false;
	m->peer[peer].full = full;
	m->meta.ids.flags &= ~(u32)BM_LOST_QUORUM;
	lab_trace(l, m->id, "sends %s to n%u", full ? "everything" : "what its bitmap names",
		  peer);
}

static void become_target(struct lab *l, struct bm *m, u8 peer)
{
	if (m->primary)
		bm_demote(l, m);
	m->meta.ids.flags |= BM_INCONSISTENT;
	m->meta.ids.flags &= ~(u32)(BM_LOST_QUORUM | BM_WAS_PRIMARY);
	m->peer[peer].state = BM_TARGET;
}

static void become_synced(struct bm *m, u8 peer, const struct bm_ids *his)
{
	struct bm_ids *own = &m->meta.ids;

	/* the newer identifier wins; both have it from now on */
	remember(own, own->bitmap[peer]);
	if (his->current != own->current && his->bitmap[m->id] == own->current) {
		remember(own, own->current);
		own->current = his->current;
	}
	own->bitmap[peer] = 0;
	if (!m->primary)
		own->flags &= ~(u32)BM_WAS_PRIMARY;
	own->flags &= ~(u32)BM_LOST_QUORUM;
	memset(m->meta.bits[peer], 0, sizeof(m->meta.bits[peer]));
	m->peer[peer].state = BM_SYNCED;
}

/* Both ends come to mirrored verdicts from the same two sets of facts. */
void bm_met(struct lab *l, struct bm *m, u8 peer, const struct bm_frame *f)
{
	enum verdict v = compare(l, m, peer, f);

	if (m->peer[peer].state != BM_MEETING)
		return;
	/* two primaries: only if one of them plainly went on without the other */
	if (m->primary && f->ids.role && v != MEET_TARGET && v != MEET_SOURCE)
		v = MEET_CONFLICT;
	switch (v) {
	case MEET_SAME:
		lab_trace(l, m->id, "no block to or from n%u", peer);
		become_synced(m, peer, &f->ids);
		break;
	case MEET_SOURCE:
	case MEET_FULL_SOURCE:
		become_source(l, m, peer, f, v == MEET_FULL_SOURCE);
		break;
	case MEET_TARGET:
	case MEET_FULL_TARGET:
		become_target(l, m, peer);
		break;
	case MEET_CONFLICT:
		lab_trace(l, m->id, "split brain with n%u: stands alone", peer);
		net_close(&l->w, m->peer[peer].conn, m->id);
		m->peer[peer].conn = 0;
		m->peer[peer].state = BM_ALONE;
		break;
	}
	bm_save(m);
}

/* ---- resynchronisation ------------------------------------------------------------ */

static void end_source(struct lab *l, struct bm *m, u8 peer)
{
	struct bm_frame f = { .type = BM_END };

	remember(&m->meta.ids, m->meta.ids.bitmap[peer]);
	m->meta.ids.bitmap[peer] = 0;
	m->peer[peer].ending = true;
	f.ids = m->meta.ids;
	bm_send(l, m, peer, &f, NULL, 0);
}

static void source_ended(struct lab *l, struct bm *m, u8 peer)
{
	if (m->peer[peer].state != BM_SOURCE || !m->peer[peer].ending)
		return;
	m->peer[peer].state = BM_SYNCED;
	m->peer[peer].ending = false;
	if (!m->primary)
		m->meta.ids.flags &= ~(u32)BM_WAS_PRIMARY;
	bm_save(m);
	lab_trace(l, m->id, "n%u is up to date", peer);
}

void bm_resync_tick(struct lab *l, struct bm *m, u8 peer)
{
	struct bm_peer *p = &m->peer[peer];
	u64 *bits = m->meta.bits[peer];

	if (p->state != BM_SOURCE || p->ending)
		return;
	for (u32 b = 0; b < l->blocks; b++) {
		struct bm_frame f = { .type = BM_BLOCK, .block = b, .blocks = 1 };
		u8 data[SIM_BLOCK];

		if (!(bits[b / 64] & (1ULL << b % 64)))
			continue;
		if (!net_room(&l->w, p->conn, m->id))
			return;
		disk_read(m->disk, NODE_EXTENT_OFFSET + (u64)b * SIM_BLOCK, data,
			  sizeof(data));
		bm_send(l, m, peer, &f, data, sizeof(data));
		bits[b / 64] &= ~(1ULL << b % 64);
		if (p->full)
			bm_kind(l)->work.rebuilt++;
		else
			bm_kind(l)->work.resynced++;
	}
	memset(bits, 0, sizeof(m->meta.bits[peer]));
	end_source(l, m, peer);
}

void bm_resync_frame(struct lab *l, struct bm *m, u8 peer, const struct bm_frame *f,
		     const u8 *data)
{
	struct bm_ids *own = &m->meta.ids;
	struct bm_frame done = { .type = BM_END_DONE };

	if (f->type == BM_END_DONE)
		source_ended(l, m, peer);
	if (m->peer[peer].state != BM_TARGET)
		return;
	if (f->type == BM_BLOCK) {
		bm_put(m, f->block, f->blocks, data);
		return;
	}
	remember(own, own->current);
	own->current = f->ids.current;
	own->flags &= ~(u32)(BM_INCONSISTENT | BM_DISCARD);
	own->bitmap[peer] = 0;
	for (u8 i = 0; i < l->nodes; i++)
		if (i != m->id && i != peer)
			own->bitmap[i] = f->ids.bitmap[i];
	memset(m->meta.bits[peer], 0, sizeof(m->meta.bits[peer]));
	m->peer[peer].state = BM_SYNCED;
	bm_save(m);
	disk_flush_end(m->disk, disk_flush_begin(m->disk));
	bm_send(l, m, peer, &done, NULL, 0);
}

/* ---- a new generation ---------------------------------------------------------------- */

/* What is written from now on, the absent peers lack: their bitmaps begin. */
void bm_new_current(struct lab *l, struct bm *m)
{
	struct bm_ids *own = &m->meta.ids;
	u64 old = own->current;
	struct bm_frame f = { .type = BM_IDS };
	bool any = false;

	for (u8 i = 0; i < l->nodes; i++)
		if (i != m->id && m->peer[i].state != BM_SYNCED &&
		    m->peer[i].state != BM_SOURCE && !own->bitmap[i]) {
			own->bitmap[i] = old;
			any = true;
		}
	if (!any)
		return;
	own->current = rng_next(&l->w.rng) | 1;
	bm_save(m);
	disk_flush_end(m->disk, disk_flush_begin(m->disk));
	f.ids = *own;
	for (u8 i = 0; i < l->nodes; i++)
		if (i != m->id && m->peer[i].state == BM_SYNCED)
			bm_send(l, m, i, &f, NULL, 0);
}

void bm_take_ids(struct lab *l, struct bm *m, u8 peer, const struct bm_frame *f)
{
	struct bm_ids *own = &m->meta.ids;

	if (m->peer[peer].state != BM_SYNCED)
		return;
	own->current = f->ids.current;
	for (u8 i = 0; i < l->nodes; i++)
		if (i != m->id && i != peer)
			own->bitmap[i] = f->ids.bitmap[i];
	bm_save(m);
	disk_flush_end(m->disk, disk_flush_begin(m->disk));
	/* a third member is outdated now: it has to meet this one anew */
	for (u8 i = 0; i < l->nodes; i++)
		if (i != m->id && i != peer && own->bitmap[i] &&
		    m->peer[i].state == BM_SYNCED)
			bm_hang_up(l, m, i);
}
