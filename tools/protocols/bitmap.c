// SPDX-License-Identifier: GPL-2.0-only
/* A member with a bitmap at work: writes, barriers, connections. */
#include <stdlib.h>
#include <string.h>

#include "bitmap.h"

#define META_MAGIC	0x4d425753u

/* ---- disk and wire --------------------------------------------------------------- */

static u32 meta_crc(struct bm_meta m)
{
	m.crc = 0;
	return swb_crc32c(0, &m, sizeof(m));
}

bool bm_meta_whole(const struct bm_meta *meta)
{
	return meta->magic == META_MAGIC && meta->crc == meta_crc(*meta);
}

void bm_save(struct bm *m)
{
	m->meta.magic = META_MAGIC;
	m->meta.crc = meta_crc(m->meta);
	disk_complete(m->disk, disk_submit(m->disk, 0, &m->meta, sizeof(m->meta)));
}

void bm_put(struct bm *m, u32 block, u32 blocks, const u8 *data)
{
	disk_complete(m->disk, disk_submit(m->disk, NODE_EXTENT_OFFSET +
					   (u64)block * SIM_BLOCK, data,
					   blocks * SIM_BLOCK));
}

void bm_send(struct lab *l, struct bm *m, u8 peer, struct bm_frame *f,
	     const void *data, u32 len)
{
	static u8 buf[sizeof(*f) + SIM_BLOCKS_MAX * SIM_BLOCK];

	if (!m->peer[peer].conn)
		return;
	memcpy(buf, f, sizeof(*f));
	if (len)
		memcpy(buf + sizeof(*f), data, len);
	net_send(&l->w, m->peer[peer].conn, m->id, buf, (u32)sizeof(*f) + len);
}

/* ---- writes ------------------------------------------------------------------------ */

static bool connected(const struct bm *m, u8 peer)
{
	return m->peer[peer].state == BM_SYNCED || m->peer[peer].state == BM_SOURCE;
}

bool bm_quorum(struct lab *l, const struct bm *m)
{
	u32 have = 1;

	if (l->mode != SWBLOCK_MODE_SYNC_QUORUM)
		return true;
	for (u8 i = 0; i < l->nodes; i++)
		have += i != m->id && m->peer[i].state == BM_SYNCED;
	return have > l->nodes / 2u;
}

void bm_mark_absent(struct bm *m, u8 peer, u32 block, u32 blocks)
{
	for (u32 b = block; b < block + blocks; b++)
		m->meta.bits[peer][b / 64] |= 1ULL << b % 64;
}

/* A region is in the activity log, on disk, before a block of it is written. */
static void heat(struct bm *m, u32 block, u32 blocks)
{
	u32 want = 0;

	for (u32 b = block; b < block + blocks; b++)
		want |= 1u << b / BM_REGION;
	if ((m->meta.hot & want) == want)
		return;
	if (__builtin_popcount(m->meta.hot | want) > BM_REGIONS_HOT)
		m->meta.hot = 0;
	m->meta.hot |= want;
	bm_save(m);
	disk_flush_end(m->disk, disk_flush_begin(m->disk));
}

/* Not at once: with the next peer the quorum may be gone, and nothing completes. */
static void new_generation(struct lab *l, struct bm *m)
{
	if (!m->rotate || !m->primary || !bm_quorum(l, m))
		return;
	m->rotate = false;
	bm_new_current(l, m);
}

static void progress(struct lab *l, struct bm *m, struct lab_op *op)
{
	struct bm_frame f = { .type = BM_PEER_ACK, .id = (u32)(op - l->op),
			      .block = op->block, .blocks = op->blocks,
			      .sent_to = op->good };

	if (op->state != OP_WAITING || !op->local || op->wait || !bm_quorum(l, m))
		return;
	new_generation(l, m);
	op->state = OP_DONE;
	for (u8 i = 0; !op->barrier && i < l->nodes; i++)
		if (i != m->id && connected(m, i))
			bm_send(l, m, i, &f, NULL, 0);
}

static void write_op(struct lab *l, struct bm *m, struct lab_op *op)
{
	static u8 data[SIM_BLOCKS_MAX * SIM_BLOCK];
	struct bm_frame f = { .type = BM_DATA, .id = (u32)(op - l->op),
			      .block = op->block, .blocks = op->blocks };

	for (u32 b = 0; b < op->blocks; b++)
		ref_fill(data + b * SIM_BLOCK, op->wid, op->block + b);
	heat(m, op->block, op->blocks);
	bm_put(m, op->block, op->blocks, data);
	op->local = true;
	for (u8 i = 0; i < l->nodes; i++) {
		if (i == m->id)
			continue;
		if (connected(m, i))
			op->wait |= 1u << i;
		else
			bm_mark_absent(m, i, op->block, op->blocks);
	}
	f.sent_to = op->wait;
	for (u8 i = 0; i < l->nodes; i++)
		if (op->wait & (1u << i))
			bm_send(l, m, i, &f, data, op->blocks * SIM_BLOCK);
	op->deadline_ns = l->w.clock.now_ns + BM_REQUEST_NS;
	progress(l, m, op);
}

static void flushed(struct world *w, struct task *t)
{
	struct lab *l = lab_of(w);
	struct bm *m = bm_member(l, t->node);
	struct lab_op *op = &l->op[t->b];

	disk_flush_end(m->disk, t->a);
	op->local = true;
	progress(l, m, op);
}

static void barrier_op(struct lab *l, struct bm *m, struct lab_op *op)
{
	struct bm_frame f = { .type = BM_FLUSH, .id = (u32)(op - l->op) };

	for (u8 i = 0; i < l->nodes; i++)
		if (i != m->id && connected(m, i)) {
			op->wait |= 1u << i;
			bm_send(l, m, i, &f, NULL, 0);
		}
	op->deadline_ns = l->w.clock.now_ns + BM_REQUEST_NS;
	bm_save(m);
	lab_later(l, m->id, SIM_MSEC, flushed, disk_flush_begin(m->disk), f.id);
}

static void admit(struct lab *l, struct bm *m, struct lab_op *op)
{
	if (!m->primary) {
		op->state = OP_FAILED;
		return;
	}
	op->state = OP_PARKED;
	if (!bm_quorum(l, m))
		return;
	op->state = OP_WAITING;
	if (op->barrier)
		barrier_op(l, m, op);
	else
		write_op(l, m, op);
}

void bm_submit(struct lab *l, struct lab_op *op)
{
	admit(l, bm_member(l, op->node), op);
}

static void answered(struct lab *l, struct bm *m, u8 peer, u32 id)
{
	if (id >= l->ops || l->op[id].node != m->id)
		return;
	l->op[id].wait &= ~(1u << peer);
	l->op[id].good |= 1u << peer;
	progress(l, m, &l->op[id]);
}

/* ---- connections -------------------------------------------------------------------- */

static void reconcile(struct lab *l, struct bm *m);

/* Requests go on without the peer; what it may have missed is marked. */
void bm_lost(struct lab *l, struct bm *m, u8 peer)
{
	struct bm_peer *p = &m->peer[peer];
	bool was = connected(m, peer), was_primary = p->primary;

	p->conn = 0;
	p->primary = false;
	p->pinged_ns = 0;
	p->tried_ns = l->w.clock.now_ns;
	if (p->state != BM_ALONE)
		p->state = BM_AWAY;
	if (m->primary && was) {
		m->rotate = true;
		if (!bm_quorum(l, m))
			m->meta.ids.flags |= BM_LOST_QUORUM;
	}
	for (u32 i = l->first_open; i < l->ops; i++) {
		struct lab_op *op = &l->op[i];

		if (op->node != m->id || op->state != OP_WAITING ||
		    !(op->wait & (1u << peer)))
			continue;
		if (!op->barrier)
			bm_mark_absent(m, peer, op->block, op->blocks);
		op->wait &= ~(1u << peer);
		progress(l, m, op);
	}
	bm_save(m);
	if (was_primary)
		reconcile(l, m);
}

void bm_hang_up(struct lab *l, struct bm *m, u8 peer)
{
	net_close(&l->w, m->peer[peer].conn, m->id);
	bm_lost(l, m, peer);
}

static void connect_peer(struct lab *l, struct bm *m, u8 peer)
{
	struct bm *other = bm_member(l, peer);
	u64 now = l->w.clock.now_ns;

	if (m->id > peer || !other->up || m->moved || other->moved ||
	    m->peer[peer].state != BM_AWAY ||
	    other->peer[m->id].state != BM_AWAY ||
	    now < m->peer[peer].tried_ns + BM_CONNECT_NS)
		return;
	m->peer[peer].tried_ns = now;
	m->peer[peer].conn = net_connect(&l->w, m->id, peer);
	if (!m->peer[peer].conn)
		return;
	other->peer[m->id].conn = m->peer[peer].conn;
	m->peer[peer].heard_ns = now;
	other->peer[m->id].heard_ns = now;
	bm_meet(l, m, peer);
	bm_meet(l, other, m->id);
}

static void flush_here(struct world *w, struct task *t)
{
	struct lab *l = lab_of(w);
	struct bm *m = bm_member(l, t->node);
	struct bm_frame f = { .type = BM_FLUSH_DONE, .id = (u32)(t->b >> 8) };

	disk_flush_end(m->disk, t->a);
	bm_send(l, m, (u8)(t->b & 0xff), &f, NULL, 0);
}

static void take_data(struct lab *l, struct bm *m, u8 peer, const struct bm_frame *f,
		      const u8 *data)
{
	struct bm_frame done = { .type = BM_DATA_DONE, .id = f->id };

	if (m->peer[peer].state != BM_SYNCED && m->peer[peer].state != BM_TARGET)
		return;
	bm_put(m, f->block, f->blocks, data);
	m->peer[peer].primary = true;
	m->newest = f->id + 1;
	for (u32 b = f->block; b < f->block + f->blocks; b++)
		m->last[b] = m->newest;
	for (u8 i = 0; i < l->nodes; i++)
		if (i != m->id && i != peer)
			bm_mark_absent(m, i, f->block, f->blocks);
	bm_send(l, m, peer, &done, NULL, 0);
}

static void take_peer_ack(struct lab *l, struct bm *m, const struct bm_frame *f)
{
	for (u8 i = 0; i < l->nodes; i++)
		for (u32 b = f->block; b < f->block + f->blocks; b++)
			if ((f->sent_to & (1u << i)) && m->last[b] == f->id + 1)
				m->meta.bits[i][b / 64] &= ~(1ULL << b % 64);
}

/* The primary is gone: replicas may differ in what was under way to them. */
static void reconcile(struct lab *l, struct bm *m)
{
	for (u8 i = 0; i < l->nodes; i++) {
		u64 any = 0;

		for (u32 k = 0; k < BM_WORDS; k++)
			any |= m->meta.bits[i][k];
		if (i == m->id || m->peer[i].state != BM_SYNCED || !any)
			continue;
		bm_hang_up(l, m, i);
		m->peer[i].tried_ns = 0;
		bm_member(l, i)->peer[m->id].tried_ns = 0;
	}
}

static void take(struct lab *l, struct bm *m, u8 peer, const struct bm_frame *f,
		 const u8 *data)
{
	struct bm_frame pong = { .type = BM_PONG };

	switch ((enum bm_frame_type)f->type) {
	case BM_MEET:
		bm_met(l, m, peer, f);
		break;
	case BM_DATA:
		take_data(l, m, peer, f, data);
		break;
	case BM_PEER_ACK:
		take_peer_ack(l, m, f);
		break;
	case BM_DATA_DONE:
	case BM_FLUSH_DONE:
		answered(l, m, peer, f->id);
		break;
	case BM_FLUSH:
		bm_save(m);
		lab_later(l, m->id, SIM_MSEC, flush_here, disk_flush_begin(m->disk),
			  (u64)f->id << 8 | peer);
		break;
	case BM_BLOCK:
	case BM_END:
	case BM_END_DONE:
		bm_resync_frame(l, m, peer, f, data);
		break;
	case BM_IDS:
		bm_take_ids(l, m, peer, f);
		break;
	case BM_PING:
		bm_send(l, m, peer, &pong, NULL, 0);
		break;
	case BM_PONG:
		break;
	}
}

static void frame_in(struct world *w, u8 to, struct frame *in)
{
	struct lab *l = lab_of(w);
	struct bm *m = bm_member(l, to);
	struct bm_frame f;

	if (m->up && m->peer[in->from].conn == in->conn) {
		memcpy(&f, in->data, sizeof(f));
		m->peer[in->from].heard_ns = w->clock.now_ns;
		m->peer[in->from].pinged_ns = 0;
		take(l, m, in->from, &f, in->data + sizeof(f));
	}
	free(in);
}

static void link_lost(struct world *w, u8 to, u32 conn)
{
	struct lab *l = lab_of(w);
	struct bm *m = bm_member(l, to);

	for (u8 i = 0; m->up && i < l->nodes; i++)
		if (m->peer[i].conn == conn)
			bm_lost(l, m, i);
}

const struct sim_members bm_members = {
	.frame_in = frame_in, .link_lost = link_lost,
};

/* ---- timers --------------------------------------------------------------------------- */

static void watch(struct lab *l, struct bm *m, u8 peer)
{
	struct bm_peer *p = &m->peer[peer];
	u64 now = l->w.clock.now_ns;
	struct bm_frame ping = { .type = BM_PING };
	bool late = false;

	for (u32 i = l->first_open; i < l->ops; i++)
		late |= l->op[i].node == m->id && l->op[i].state == OP_WAITING &&
			(l->op[i].wait & (1u << peer)) && now > l->op[i].deadline_ns;
	if (late || (p->pinged_ns && now - p->pinged_ns > BM_PONG_NS)) {
		bm_hang_up(l, m, peer);
		return;
	}
	if (!p->pinged_ns && now - p->heard_ns > BM_PING_NS) {
		p->pinged_ns = now;
		bm_send(l, m, peer, &ping, NULL, 0);
	}
}

void bm_tick(struct world *w, struct task *t)
{
	struct lab *l = lab_of(w);
	struct bm *m = bm_member(l, t->node);

	lab_later(l, m->id, SIM_MSEC, bm_tick, 0, 0);
	for (u8 i = 0; i < l->nodes; i++) {
		if (i == m->id)
			continue;
		if (m->peer[i].conn)
			watch(l, m, i);
		else
			connect_peer(l, m, i);
		bm_resync_tick(l, m, i);
	}
	if (!m->primary || !bm_quorum(l, m))
		return;
	new_generation(l, m);
	for (u32 i = l->first_open; i < l->ops; i++) {
		struct lab_op *op = &l->op[i];

		if (op->node == m->id && op->state == OP_PARKED)
			admit(l, m, op);
		else if (op->node == m->id)
			progress(l, m, op);
	}
}
