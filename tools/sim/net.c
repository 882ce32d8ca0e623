// SPDX-License-Identifier: GPL-2.0-only
/* The network: delivers by node_frame_in() and node_link_lost(). */
#include <stdlib.h>
#include <string.h>

#include "world.h"

void net_reset(struct net *n)
{
	for (u32 i = 0; i < n->count; i++)
		for (int s = 0; s < 2; s++)
			while (n->conn[i].queue[s]) {
				struct frame *f = n->conn[i].queue[s];

				n->conn[i].queue[s] = f->next;
				free(f);
			}
	n->count = 1;
	if (!n->conn)
		n->conn = calloc(NET_CONNS_MAX, sizeof(*n->conn));
	if (!n->conn)
		abort();
	memset(n->conn, 0, sizeof(*n->conn));
	memset(n->blocked, 0, sizeof(n->blocked));
	memset(n->slow_ns, 0, sizeof(n->slow_ns));
	memset(n->lose_next, 0, sizeof(n->lose_next));
	n->corrupt_ppm = 0;
	n->lose_ppm = 0;
	n->replay_ppm = 0;
	n->sent_bytes = 0;
	for (int i = 0; i < 64 * NET_OLD_FRAMES; i++) {
		free((&n->old[0][0][0])[i]);
		(&n->old[0][0][0])[i] = NULL;
	}
}

static struct conn *conn_of(struct world *w, u32 conn)
{
	swb_assert(conn && conn < w->net.count);
	return &w->net.conn[conn];
}

static int side_of(const struct conn *c, u8 node)
{
	return c->end[0] == node ? 0 : 1;
}

static u64 delay(struct world *w)
{
	return rng_between(&w->rng, w->net.delay_min_ns, w->net.delay_max_ns);
}

u32 net_connect(struct world *w, u8 a, u8 b)
{
	struct conn *c;

	if (w->net.blocked[a][b] || w->net.blocked[b][a] ||
	    w->net.count == NET_CONNS_MAX)
		return 0;
	c = &w->net.conn[w->net.count];
	memset(c, 0, sizeof(*c));
	c->end[0] = a;
	c->end[1] = b;
	c->open[0] = true;
	c->open[1] = true;
	c->until_ns = ~0ULL;
	c->queue_end[0] = &c->queue[0];
	c->queue_end[1] = &c->queue[1];
	return w->net.count++;
}

/* One frame of a direction may arrive: the oldest that is under way. */
static void deliver(struct world *w, struct task *t)
{
	struct conn *c = conn_of(w, (u32)t->a);
	int from = (int)t->b;
	u8 to = c->end[!from];
	struct frame *f = c->queue[from];

	if (!f || w->net.blocked[c->end[from]][to])
		return;
	if (node_paused(w, &w->node[to])) {
		world_postpone(w, to, t);
		return;
	}
	c->queue[from] = f->next;
	c->queued[from] -= f->len;
	if (!f->next)
		c->queue_end[from] = &c->queue[from];
	if (t->at_ns > c->until_ns || !c->open[!from]) {
		free(f);
		return;
	}
	if (w->members)
		w->members->frame_in(w, to, f);
	else
		node_frame_in(w, &w->node[to], f);
}

static void kick(struct world *w, u32 conn, int from)
{
	struct conn *c = conn_of(w, conn);
	u64 at = w->clock.now_ns + delay(w) +
		 w->net.slow_ns[c->end[from]][c->end[!from]];
	struct task task = {
		.run = deliver, .node = SIM_NOBODY, .a = conn, .b = (u64)from,
	};

	if (at <= c->last_ns[from])
		at = c->last_ns[from] + 1;
	c->last_ns[from] = at;
	task.at_ns = at;
	clock_add(&w->clock, task);
}

bool net_room(struct world *w, u32 conn, u8 from)
{
	struct conn *c = conn_of(w, conn);

	return c->queued[side_of(c, from)] < NET_WINDOW_BYTES;
}

static void enqueue(struct world *w, u32 conn, int s, struct frame *f)
{
	struct conn *c = conn_of(w, conn);

	f->next = NULL;
	f->conn = conn;
	*c->queue_end[s] = f;
	c->queue_end[s] = &f->next;
	c->queued[s] += f->len;
	kick(w, conn, s);
}

static struct frame *copy_of(const struct frame *f)
{
	struct frame *copy = malloc(sizeof(*f) + f->len);

	if (!copy)
		abort();
	memcpy(copy, f, sizeof(*f) + f->len);
	return copy;
}

/* Keep a copy; now and then one of an earlier frame, of any session, follows. */
static void replay(struct world *w, u32 conn, int s, const struct frame *f)
{
	struct conn *c = conn_of(w, conn);
	struct frame **old = w->net.old[c->end[s]][c->end[!s]];
	u64 slot = rng_below(&w->rng, NET_OLD_FRAMES);

	if (!w->net.replay_ppm)
		return;
	if (old[slot] && rng_below(&w->rng, 1000000) < w->net.replay_ppm)
		enqueue(w, conn, s, copy_of(old[slot]));
	if (old[slot] && !rng_chance(&w->rng, 300))
		return;
	free(old[slot]);
	old[slot] = copy_of(f);
}

/* Only scripts ask for it: then it is no matter of chance. */
static bool is_lost_by_order(struct world *w, const struct conn *c, int s,
			     const void *buf)
{
	const struct swb_wire_header *h = buf;
	u16 *type = &w->net.lose_next[c->end[s]][c->end[!s]];

	if (!*type || le16_to_cpu(h->type) != *type)
		return false;
	*type = 0;
	return true;
}

void net_send(struct world *w, u32 conn, u8 from, const void *buf, u32 len)
{
	struct conn *c = conn_of(w, conn);
	int s = side_of(c, from);
	struct frame *f;

	if (!c->open[s] || c->cut)
		return;
	w->net.sent_bytes += len;
	if (is_lost_by_order(w, c, s, buf))
		return;
	f = malloc(sizeof(*f) + len);
	if (!f)
		abort();
	f->next = NULL;
	f->conn = conn;
	f->from = from;
	f->heard = false;
	f->len = len;
	memcpy(f->data, buf, len);
	if (rng_below(&w->rng, 1000000) < w->net.corrupt_ppm)
		f->data[rng_below(&w->rng, len)] ^=
			(u8)rng_between(&w->rng, 1, 255);
	if (rng_below(&w->rng, 1000000) < w->net.lose_ppm) {
		free(f);
		return;
	}
	enqueue(w, conn, s, f);
	replay(w, conn, s, f);
}

bool net_waits(struct world *w, u32 conn, u8 node)
{
	struct conn *c = conn_of(w, conn);
	int s = side_of(c, node);

	return c->open[s] && !c->taken[s];
}

void net_taken(struct world *w, u32 conn, u8 node)
{
	struct conn *c = conn_of(w, conn);

	c->taken[side_of(c, node)] = true;
	c->who[side_of(c, node)] = w->node[node].core.d.replica;
}

bool net_stranger(const struct world *w, u32 conn, u8 node)
{
	const struct conn *c = &w->net.conn[conn];

	return c->stranger && c->end[0] == node;
}

static void lost(struct world *w, struct task *t)
{
	struct conn *c = conn_of(w, (u32)t->a);

	if (!c->open[t->b])
		return;
	if (node_paused(w, &w->node[c->end[t->b]])) {
		world_postpone(w, c->end[t->b], t);
		return;
	}
	if (w->members)
		w->members->link_lost(w, c->end[t->b], (u32)t->a);
	else
		node_link_lost(w, &w->node[c->end[t->b]], (u32)t->a,
			       SWBLOCK_REASON_PEER_CLOSED);
}

static void tell_end(struct world *w, u32 conn, int side, u64 at)
{
	struct task task = {
		.at_ns = at, .run = lost, .node = SIM_NOBODY, .a = conn,
		.b = (u64)side,
	};

	clock_add(&w->clock, task);
}

void net_close(struct world *w, u32 conn, u8 node)
{
	struct conn *c = conn_of(w, conn);
	int s = side_of(c, node);
	u64 at = w->clock.now_ns + delay(w);

	if (!c->open[s])
		return;
	c->open[s] = false;
	if (!c->open[!s] || c->cut)
		return;
	if (at <= c->last_ns[s])
		at = c->last_ns[s] + 1;
	tell_end(w, conn, !s, at);
}

void net_cut(struct world *w, u32 conn)
{
	struct conn *c = conn_of(w, conn);

	if (c->cut || (!c->open[0] && !c->open[1]))
		return;
	c->cut = true;
	c->until_ns = w->clock.now_ns + rng_below(&w->rng, 2 * delay(w));
	tell_end(w, conn, 0, c->until_ns + 1 + delay(w));
	tell_end(w, conn, 1, c->until_ns + 1 + delay(w));
}

void net_cut_between(struct world *w, u8 a, u8 b)
{
	for (u32 i = 1; i < w->net.count; i++) {
		struct conn *c = &w->net.conn[i];

		if ((c->end[0] == a && c->end[1] == b) ||
		    (c->end[0] == b && c->end[1] == a))
			net_cut(w, i);
	}
}

void net_block(struct world *w, u8 from, u8 to, bool blocked)
{
	w->net.blocked[from][to] = blocked;
	if (blocked)
		return;
	for (u32 i = 1; i < w->net.count; i++) {
		struct conn *c = &w->net.conn[i];
		int s = side_of(c, from);

		if (c->end[s] != from || c->end[!s] != to)
			continue;
		for (struct frame *f = c->queue[s]; f; f = f->next)
			kick(w, i, s);
	}
}
