// SPDX-License-Identifier: GPL-2.0-only
/*
 * The receiver: the next LSN of the own epoch is taken, an older one skipped; a
 * later one is logged and lost, and the connection stays.
 */
#include <string.h>

#include "older.h"

static void reply(struct lab *l, struct older *m, u32 conn, u32 type, u32 id, u64 lsn,
		  bool good)
{
	struct old_frame f = { .type = type, .id = id, .epoch = m->epoch, .lsn = lsn,
			       .good = good };

	old_send(l, m->id, conn, &f, NULL, 0);
}

static void wait_flushed(struct world *w, struct task *t)
{
	struct lab *l = lab_of(w);
	struct older *m = old_member(l, t->node);
	struct old_wait *b = &m->wait[t->a % OLD_WAITS];
	u64 lsn = t->b;

	disk_flush_end(m->disk, t->a / OLD_WAITS);
	if (lsn > m->flushed)
		m->flushed = lsn;
	if (!b->used || !b->flushing)
		return;
	b->used = false;
	reply(l, m, b->conn, OLD_BARRIER_DONE, b->id, lsn, b->epoch == m->epoch);
}

/* Barriers whose records are here are flushed; the others wait, not for ever. */
void take_tick(struct lab *l, struct older *m)
{
	for (u32 i = 0; i < OLD_WAITS; i++) {
		struct old_wait *b = &m->wait[i];

		if (!b->used || b->flushing)
			continue;
		if (m->received >= b->lsn && m->role == OLD_REPLICA) {
			b->flushing = true;
			if (!m->head_by_flusher)
				old_save(m);
			lab_later(l, m->id, m->flush_ns, wait_flushed,
				  disk_flush_begin(m->disk) * OLD_WAITS + i,
				  m->received);
		} else if (l->w.clock.now_ns > b->deadline_ns) {
			b->used = false;
			reply(l, m, b->conn, OLD_BARRIER_DONE, b->id, m->flushed, false);
		}
	}
}

static void take_record(struct lab *l, struct older *m, const struct old_frame *f,
			const u8 *data)
{
	if (f->epoch != m->epoch || m->role != OLD_REPLICA || f->lsn <= m->received)
		return;
	if (f->lsn != m->received + 1 || !old_room(m, f->blocks, 100)) {
		lab_trace(l, m->id, "gap: record %llu, expected %llu; it is lost",
			  (unsigned long long)f->lsn,
			  (unsigned long long)m->received + 1);
		return;
	}
	old_append(l, m, f->lsn, f->lsn2, f->block, f->blocks, data, true);
	m->received = f->lsn;
	take_tick(l, m);
}

static void take_barrier(struct lab *l, struct older *m, u32 conn, const struct old_frame *f)
{
	if (f->epoch != m->epoch) {
		reply(l, m, conn, OLD_BARRIER_DONE, f->id, 0, false);
		return;
	}
	for (u32 i = 0; i < OLD_WAITS; i++) {
		if (m->wait[i].used)
			continue;
		m->wait[i] = (struct old_wait){
			.used = true, .conn = conn, .id = f->id, .lsn = f->lsn,
			.epoch = f->epoch,
			.deadline_ns = l->w.clock.now_ns + OLD_BARRIER_NS };
		break;
	}
	take_tick(l, m);
}

void take_frame(struct lab *l, struct older *m, u32 conn, const struct old_frame *f,
		const u8 *data)
{
	if (f->type == OLD_RECORD)
		take_record(l, m, f, data);
	else if (f->type == OLD_BARRIER)
		take_barrier(l, m, conn, f);
	else if (f->type == OLD_RESUME)
		reply(l, m, conn, OLD_RESUME_REPLY, 0, m->flushed,
		      f->epoch == m->epoch && m->role == OLD_REPLICA);
}
