// SPDX-License-Identifier: GPL-2.0-only
/*
 * The log of a member: records join a group, a sealed group goes to its place
 * in the ring by one write, several writes are under way at a time. Knows LSNs
 * and bytes, decides nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "world.h"

#define WAL_SPARE_OPENINGS	24
#define OPEN_WAIT_NS		(3000 * SIM_MSEC)
#define WAL_SPARE_BYTES		(SWB_GROUP_HEADER_MAX + SWB_GROUP_PAYLOAD_MAX)

static u64 group_last(const struct wgroup *g)
{
	return g->first_lsn + g->live - 1;
}

static void drop_open(struct node *n)
{
	if (n->open) {
		free(n->open->buf);
		free(n->open);
	}
	n->open = NULL;
	n->open_until_ns = 0;
}

void wal_free(struct node *n)
{
	for (u32 i = 0; i < n->groups; i++) {
		free(n->group[i]->buf);
		free(n->group[i]);
	}
	n->groups = 0;
	drop_open(n);
}

struct wgroup *wal_find(const struct node *n, u64 lsn)
{
	if (n->open && n->open->nrec && lsn >= n->open->first_lsn)
		return lsn <= group_last(n->open) ? n->open : NULL;
	for (u32 i = n->groups; i > 0; i--) {
		struct wgroup *g = n->group[i - 1];

		if (g->live && lsn >= g->first_lsn)
			return lsn <= group_last(g) ? g : NULL;
	}
	return NULL;
}

const struct wrec *wal_rec(const struct node *n, u64 lsn)
{
	struct wgroup *g = wal_find(n, lsn);

	return g ? &g->rec[lsn - g->first_lsn] : NULL;
}

u64 wal_epoch_at(const struct node *n, u64 lsn)
{
	struct wgroup *g = wal_find(n, lsn);

	return g ? g->epoch : 0;
}

bool wal_payload(const struct node *n, const struct wgroup *g, u32 i, u8 *out)
{
	const struct wrec *r = &g->rec[i];
	u64 off = 0;

	for (u32 k = 0; k < i; k++)
		if (g->rec[k].type == SWB_REC_WRITE)
			off += g->rec[k].len_bytes;
	if (g->buf) {
		memcpy(out, g->buf + SWB_GROUP_HEADER_MAX + off, r->len_bytes);
		return true;
	}
	disk_read(&n->disk, NODE_RING_OFFSET + g->pos + g->header_bytes + off,
		  out, r->len_bytes);
	return swb_crc32c(0, out, r->len_bytes) == r->crc;
}

/* What is in memory is what was written; only the ring may say something else. */
bool wal_readable(const struct node *n, u64 from, u64 to)
{
	static u8 buf[SWB_REC_PAYLOAD_MAX];

	for (u64 x = from; x <= to; x++) {
		const struct wgroup *g = wal_find(n, x);
		u32 i = g ? (u32)(x - g->first_lsn) : 0;

		if (g && !g->buf && g->rec[i].type == SWB_REC_WRITE &&
		    !wal_payload(n, g, i, buf))
			return false;
	}
	return true;
}

/*
 * Room for @nrec more records beside those of the open group? A reserve stays:
 * for open records, without which a full ring could never be opened again, and
 * for a largest group, because the ring of a replica has its gap elsewhere. If
 * it filled up before the open record came, C could never move again.
 */
bool wal_room(const struct node *n, u32 nrec, u32 payload_bytes, bool reserve)
{
	u32 have = n->open ? n->open->nrec : 0;
	u32 bytes = n->open ? n->open->payload_bytes : 0;
	u64 need = 0, pos, gap;

	/* it may have to be two groups, each with a header of its own */
	if (have)
		need += swb_ring_group_bytes(&n->ring, have, bytes);
	need += swb_ring_group_bytes(&n->ring, nrec, payload_bytes);
	if (reserve)
		need += (u64)WAL_SPARE_OPENINGS * n->ring.unit +
			WAL_SPARE_BYTES;
	if (n->ring.write_pos + need <= n->ring.bytes)
		return swb_ring_place(&n->ring, need, &pos, &gap);
	/* each of them may meet the end of the ring and leave a gap */
	return n->ring.used + need + SWB_GROUP_PAYLOAD_MAX +
	       SWB_GROUP_HEADER_MAX < n->ring.bytes;
}

static struct wgroup *group_new(u64 epoch, u64 first_lsn)
{
	struct wgroup *g = calloc(1, sizeof(*g));

	if (!g)
		abort();
	g->epoch = epoch;
	g->first_lsn = first_lsn;
	g->buf = calloc(1, SWB_GROUP_HEADER_MAX);
	if (!g->buf)
		abort();
	return g;
}

static void seal_task(struct world *w, struct task *t)
{
	struct node *n = &w->node[t->node];

	n->seal_soon = false;
	wal_seal(w, n);
}

static void seal_in(struct world *w, struct node *n, u64 ns)
{
	if (n->seal_soon)
		return;
	n->seal_soon = true;
	world_later(w, n->id, ns, seal_task, 0, 0);
}

void wal_append(struct world *w, struct node *n, u64 epoch, u64 lsn,
		const struct wrec *rec, const u8 *payload)
{
	struct wgroup *g = n->open;
	u32 bytes = rec->type == SWB_REC_WRITE ? rec->len_bytes : 0;

	if (g && (g->epoch != epoch || rec->type == SWB_REC_OPEN ||
		  g->nrec == SWB_GROUP_RECS_MAX ||
		  g->payload_bytes + bytes > SWB_GROUP_PAYLOAD_MAX))
		wal_seal(w, n);
	if (n->open && n->open_until_ns) {
		drop_open(n);
		node_fail_disk(w, n, true);
		return;
	}
	if (!n->open)
		n->open = group_new(epoch, lsn);
	g = n->open;
	swb_assert(lsn == g->first_lsn + g->nrec);
	g->rec[g->nrec++] = *rec;
	g->live = g->nrec;
	if (bytes) {
		u64 at = SWB_GROUP_HEADER_MAX + (u64)g->payload_bytes;

		g->buf = realloc(g->buf, at + bytes);
		if (!g->buf)
			abort();
		memcpy(g->buf + at, payload, bytes);
		g->payload_bytes += bytes;
	}
	if (!n->seal_soon)
		seal_in(w, n, rng_below(&w->rng, 80 * SIM_USEC));
}

/* Everything up to here has completed its write, without a hole. */
static u64 written_prefix(const struct node *n)
{
	u64 lsn = n->core.log.written;

	for (u32 i = 0; i < n->groups; i++) {
		if (n->group[i]->state != WGROUP_WRITTEN)
			break;
		if (n->group[i]->live && group_last(n->group[i]) > lsn)
			lsn = group_last(n->group[i]);
	}
	return lsn;
}

bool wal_writes_pending(const struct node *n)
{
	for (u32 i = 0; i < n->groups; i++)
		if (n->group[i]->state == WGROUP_WRITING)
			return true;
	return false;
}

static void cut_now(struct world *w, struct node *n);

void wal_mark_written(struct world *w, const struct node *n,
		      const struct wgroup *g)
{
	for (u32 i = 0; i < g->live; i++) {
		struct ref_rec *q = ref_find(&w->ref, g->epoch,
					     g->first_lsn + i);

		if (q)
			q->written |= 1u << n->id;
	}
}

static void write_done(struct world *w, struct task *t)
{
	struct node *n = &w->node[t->node];
	struct swb_event ev = { .type = SWB_EV_LOG_WRITTEN };
	struct wgroup *g = NULL;

	if (n->failed)
		return;
	disk_complete(&n->disk, t->a);
	for (u32 i = 0; i < n->groups; i++)
		if (n->group[i]->state == WGROUP_WRITING &&
		    n->group[i]->write_id == t->a)
			g = n->group[i];
	if (!g)
		return;
	g->state = WGROUP_WRITTEN;
	free(g->buf);
	g->buf = NULL;
	wal_mark_written(w, n, g);
	ev.lsn = written_prefix(n);
	if (ev.lsn > n->core.log.written && !n->cutting)
		node_post(w, n, &ev);
	if (n->cutting && !wal_writes_pending(n))
		cut_now(w, n);
	base_write_done(w, n);
}

static void keep_group(struct node *n, struct wgroup *g)
{
	if (n->groups == n->groups_cap) {
		n->groups_cap = n->groups_cap ? n->groups_cap * 2 : 64;
		n->group = realloc(n->group,
				   n->groups_cap * sizeof(*n->group));
		if (!n->group)
			abort();
	}
	n->group[n->groups++] = g;
}

/* Bytes of the group as they go to the ring: header, records, payload. */
static u8 *group_bytes(const struct node *n, struct wgroup *g)
{
	struct swb_group_info info = {
		.seq = n->ring.seq, .incarnation = n->ring.incarnation,
		.epoch = g->epoch, .first_lsn = g->first_lsn,
		.committed = n->core.log.committed,
		.prev_crc = n->ring.prev_crc, .nrec = g->nrec,
		.header_bytes = g->header_bytes,
		.payload_bytes = g->payload_bytes,
	};
	u8 *out = calloc(1, g->len);
	struct swb_disk_group *h = (struct swb_disk_group *)out;

	if (!out)
		abort();
	for (u32 i = 0; i < g->nrec; i++)
		swb_codec_rec_encode(&h->rec[i], g->rec[i].type,
				     g->rec[i].sector, g->rec[i].len_bytes,
				     g->rec[i].crc);
	memcpy(out + g->header_bytes, g->buf + SWB_GROUP_HEADER_MAX,
	       g->payload_bytes);
	swb_codec_group_seal(out, &info, n->ring.ring_id);
	g->crc = info.crc;
	g->prev_crc = info.prev_crc;
	g->seq = info.seq;
	return out;
}

/*
 * An open record waits for what was trimmed, as no write does: a replica that was behind
 * with its write-back may hold more than the primary admitted by. If the ring is full of
 * what C has not reached, there is no way out, for C cannot move before this record is
 * durable: the reserve is for so many epochs, and then the member gives up.
 */
static void no_place(struct world *w, struct node *n)
{
	if (n->open->rec[0].type != SWB_REC_OPEN) {
		sim_violation(w, 121, "n%u: admitted more than the ring holds", n->id);
		drop_open(n);
		return;
	}
	if (!n->open_until_ns)
		n->open_until_ns = w->clock.now_ns + OPEN_WAIT_NS;
	if (w->clock.now_ns >= n->open_until_ns) {
		drop_open(n);
		node_fail_disk(w, n, true);
		return;
	}
	store_want_room(w, n);
	seal_in(w, n, SIM_MSEC);
}

void wal_seal(struct world *w, struct node *n)
{
	struct wgroup *g = n->open;
	u8 *bytes;

	if (!g)
		return;
	g->header_bytes = swb_ring_header_bytes(&n->ring, g->nrec);
	g->len = swb_ring_group_bytes(&n->ring, g->nrec, g->payload_bytes);
	if (!swb_ring_place(&n->ring, g->len, &g->pos, &g->gap)) {
		no_place(w, n);
		return;
	}
	n->open = NULL;
	n->open_until_ns = 0;
	bytes = group_bytes(n, g);
	swb_ring_take(&n->ring, g->pos, g->len, g->gap, g->crc);
	if (g->gap)
		w->wraps++;
	g->state = WGROUP_WRITING;
	g->write_id = disk_submit(&n->disk, NODE_RING_OFFSET + g->pos, bytes,
				  (u32)g->len);
	free(bytes);
	keep_group(n, g);
	world_later(w, n->id, node_io_ns(w, n, 0, w->shape.write_ns),
		    write_done, g->write_id, 0);
	wire_ship_all(w, n);
}

static void flush_done(struct world *w, struct task *t)
{
	struct node *n = &w->node[t->node];
	struct swb_event ev = { .type = SWB_EV_LOG_FLUSHED, .lsn = t->b };

	if (n->failed)
		return;
	if (w->broken != BREAK_FLUSH_EARLY)
		disk_flush_end(&n->disk, t->a);
	ev.generation = (u32)(t->b >> 32);
	ev.lsn = (u32)t->b;
	if (w->broken == BREAK_STALE_FLUSH)
		ev.generation = n->core.log.generation;
	node_post(w, n, &ev);
	if (w->broken == BREAK_ACK_AFTER_FENCE)
		wire_stale_ack(w, n);
}

/* P5: LSN and generation are those of the submission. LSNs here fit 32 bits. */
void wal_flush(struct world *w, struct node *n)
{
	u64 flush = disk_flush_begin(&n->disk);
	u64 what = (u64)n->core.log.generation << 32 | n->core.log.written;
	u64 delay = node_io_ns(w, n, w->shape.flush_ns / 8,
			       w->shape.flush_ns);

	world_later(w, n->id, delay, flush_done, flush, what);
}

/* ---- the cut: P4 ------------------------------------------------------ */

void wal_cut(struct world *w, struct node *n, u64 lsn)
{
	n->cutting = true;
	n->cut_to = lsn;
	if (n->open)
		wal_seal(w, n);
	drop_open(n);	/* if it waits for a place */
	if (!wal_writes_pending(n))
		cut_now(w, n);
}

static void drop_last_group(struct node *n)
{
	struct wgroup *g = n->group[--n->groups];

	n->ring.used -= g->len + g->gap;
	n->ring.write_pos = g->gap ? n->ring.bytes - g->gap : g->pos;
	n->ring.seq = g->seq;
	n->ring.prev_crc = g->prev_crc;
	free(g->buf);
	free(g);
}

static void cut_unsaved(struct world *w, struct task *t)
{
	wal_cut_saved(w, &w->node[t->node]);
}

static void cut_now(struct world *w, struct node *n)
{
	struct swb_durable *d = &n->core.d;

	while (n->groups && n->group[n->groups - 1]->first_lsn > n->cut_to)
		drop_last_group(n);
	if (n->groups) {
		struct wgroup *g = n->group[n->groups - 1];

		if (g->first_lsn + g->live - 1 > n->cut_to)
			g->live = (u32)(n->cut_to - g->first_lsn + 1);
	}
	w->truncations++;
	if (w->broken != BREAK_LATE_CUT)
		d->log_end = n->cut_to;
	if (w->broken != BREAK_NO_INCARNATION)
		d->incarnation++;
	n->ring.incarnation = d->incarnation;
	n->cut_saving = true;
	if (w->broken == BREAK_SOFT_TRUNCATE)
		world_later(w, n->id, 1, cut_unsaved, 0, 0);
	else
		store_save(w, n, SUPER_CUT);
}

void wal_cut_saved(struct world *w, struct node *n)
{
	struct swb_event ev = {
		.type = SWB_EV_LOG_TRUNCATED, .lsn = n->cut_to,
	};

	if (!n->cut_saving)
		return;
	n->cut_saving = false;
	n->cutting = false;
	node_post(w, n, &ev);
	wire_receive(w, n);
}
