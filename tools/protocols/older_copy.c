// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rebuild: the log from 0, or the live extent and then the log from the LSN
 * noted before the copy. What is in the log only at that time is in neither.
 */
#include "older.h"

#define FROM_LOG	1
#define FROM_EXTENT	2
#define CHUNK		8
#define COPY_DATA	(SIM_BLOCKS_MAX * SIM_BLOCK)

static void want(struct lab *l, struct older *m, u32 what, u64 from)
{
	struct old_frame f = { .type = OLD_COPY_WANTED, .id = what, .lsn = from,
			       .epoch = old_kind(l)->master.epoch };

	old_send(l, m->id, m->target.conn, &f, NULL, 0);
}

/* The replica starts; whoever ordered it does not hear how it ends. */
void copy_start(struct lab *l, struct older *m)
{
	u8 p = master_primary(l);

	lab_trace(l, m->id, "told to rebuild");
	m->role = OLD_REBUILDING;
	m->target = (struct old_copy){ 0 };
	if (p == LAB_NOBODY || p == m->id)
		return;
	m->target.conn = net_connect(&l->w, m->id, p);
	if (!m->target.conn)
		return;
	m->target.active = true;
	want(l, m, FROM_LOG, 0);
}

/* ---- the primary's end ----------------------------------------------------------- */

static void wanted(struct lab *l, struct older *m, u8 peer, u32 conn,
		   const struct old_frame *f)
{
	struct old_copy *c = &m->source[peer];
	struct old_frame no = { .type = OLD_COPY_RECYCLED, .epoch = m->epoch };

	if (f->epoch != m->epoch || m->role != OLD_PRIMARY)
		return;
	if (f->id == FROM_LOG && m->checkpoint > 0 && f->lsn <= m->checkpoint) {
		old_send(l, m->id, conn, &no, NULL, 0);
		return;
	}
	*c = (struct old_copy){ .active = true, .conn = conn, .snap = m->next_lsn,
				.tail = f->id == FROM_LOG,
				.next = f->lsn ? f->lsn : 1 };
}

static void send_blocks(struct lab *l, struct older *m, struct old_copy *c)
{
	u32 n = l->blocks - c->block < CHUNK ? l->blocks - c->block : CHUNK;
	struct old_frame f = { .type = OLD_COPY_BLOCKS, .epoch = m->epoch,
			       .block = c->block, .blocks = n };
	u8 data[CHUNK * SIM_BLOCK];

	disk_read(m->disk, NODE_EXTENT_OFFSET + (u64)c->block * SIM_BLOCK, data,
		  n * SIM_BLOCK);
	old_send(l, m->id, c->conn, &f, data, n * SIM_BLOCK);
	c->block += n;
}

static void send_log(struct lab *l, struct older *m, struct old_copy *c)
{
	static u8 data[COPY_DATA];
	struct old_rec *r = old_find(m, c->next);
	struct old_frame f = { .type = OLD_COPY_RECORD, .epoch = m->epoch,
			       .lsn = c->next++ };

	if (!r)
		return;
	f.lsn2 = r->epoch;
	f.block = r->block;
	f.blocks = r->blocks;
	for (u32 b = 0; b < r->blocks; b++)
		ref_fill(data + b * SIM_BLOCK, r->wid, r->block + b);
	old_send(l, m->id, c->conn, &f, data, r->blocks * SIM_BLOCK);
}

void copy_tick(struct lab *l, struct older *m)
{
	for (u8 i = 0; i < l->nodes; i++) {
		struct old_copy *c = &m->source[i];
		struct old_frame end = { .type = OLD_COPY_END, .epoch = m->epoch,
					 .id = FROM_LOG };

		for (int n = 0; c->active && n < 16 && net_room(&l->w, c->conn, m->id);
		     n++) {
			if (!c->tail && c->block < l->blocks) {
				send_blocks(l, m, c);
			} else if (c->tail && c->next < m->next_lsn) {
				send_log(l, m, c);
			} else {
				end.id = c->tail ? FROM_LOG : FROM_EXTENT;
				end.lsn = c->tail ? m->next_lsn : c->snap;
				old_send(l, m->id, c->conn, &end, NULL, 0);
				c->active = false;
			}
		}
	}
}

/* ---- the replica's end -------------------------------------------------------------- */

static void put_blocks(struct lab *l, struct older *m, const struct old_frame *f,
		       const u8 *data)
{
	old_kind(l)->work.rebuilt += f->blocks;
	disk_complete(m->disk, disk_submit(m->disk, NODE_EXTENT_OFFSET +
					   (u64)f->block * SIM_BLOCK, data,
					   f->blocks * SIM_BLOCK));
}

/* Replayed over whatever the own log holds: nothing is cut. */
static void put_record(struct lab *l, struct older *m, const struct old_frame *f,
		       const u8 *data)
{
	if (f->lsn < m->next_lsn || !old_room(m, f->blocks, 100)) {
		put_blocks(l, m, f, data);
		return;
	}
	old_kind(l)->work.rebuilt += f->blocks;
	old_append(l, m, f->lsn, f->lsn2, f->block, f->blocks, data, true);
}

static void ended(struct lab *l, struct older *m, const struct old_frame *f)
{
	if (f->id == FROM_EXTENT) {
		old_forget_log(m);
		m->tail_pos = m->head_pos;
		m->checkpoint = f->lsn - 1;
		m->next_lsn = f->lsn;
		old_save(m);
		disk_flush_end(m->disk, disk_flush_begin(m->disk));
		want(l, m, FROM_LOG, f->lsn);
		return;
	}
	if (f->lsn > m->next_lsn)
		m->next_lsn = f->lsn;
	m->received = f->lsn - 1;
	m->flushed = m->checkpoint;
	m->epoch = f->epoch;
	m->role = OLD_REPLICA;
	m->target.active = false;
	m->copied = true;
	old_save(m);
	net_close(&l->w, m->target.conn, m->id);
	lab_trace(l, m->id, "rebuilt, log ends at %llu",
		  (unsigned long long)old_head(m));
	take_tick(l, m);
}

void copy_frame(struct lab *l, struct older *m, u32 conn, const struct old_frame *f,
		const u8 *data)
{
	u8 from = l->w.net.conn[conn].end[0] == m->id ? l->w.net.conn[conn].end[1] :
		  l->w.net.conn[conn].end[0];

	if (f->type == OLD_COPY_WANTED) {
		wanted(l, m, from, conn, f);
		return;
	}
	if (!m->target.active || conn != m->target.conn)
		return;
	if (f->type == OLD_COPY_RECYCLED)
		want(l, m, FROM_EXTENT, 0);
	else if (f->type == OLD_COPY_BLOCKS)
		put_blocks(l, m, f, data);
	else if (f->type == OLD_COPY_RECORD)
		put_record(l, m, f, data);
	else if (f->type == OLD_COPY_END)
		ended(l, m, f);
}

void copy_lost(struct lab *l, struct older *m, u32 conn)
{
	for (u8 i = 0; i < l->nodes; i++)
		if (m->source[i].conn == conn)
			m->source[i].active = false;
	if (m->target.active && m->target.conn == conn)
		m->target.active = false;
}
