// SPDX-License-Identifier: GPL-2.0-only
/*
 * Moves of a session between sockets, all orders of them: two ends with the real
 * rules, sockets that are queues, controllers that hand their ends over when they
 * like. The stream of each direction has to arrive as it was sent, without a wait for
 * anything but the sender.
 */
#include <stdlib.h>

#include "move.h"
#include "harness.h"

#define SOCKETS	4	/* the first, and three moves */
#define QUEUE	4	/* frames on their way in one direction of one socket */
#define DATA	3	/* numbered frames that each end sends */
#define NO_WORD	SWB_MOVE_NOTHING

struct frame {
	u8 word;	/* SWB_MOVE_NOTHING: data */
	u8 n;		/* number of the data, or id of the move */
};

struct side {
	struct swb_move move;
	u8 given;	/* newest socket that it was handed */
	u8 tx_at;
	u8 rx_at;
	u8 saying;	/* the frame is on the stream, and not yet noted */
	u8 sent;
	u8 received;
	bool closed[SOCKETS];
};

struct state {
	struct side side[2];
	struct frame queue[SOCKETS][2][QUEUE];	/* [][e]: towards e */
	u8 fill[SOCKETS][2];
};

struct search {
	struct state *seen;
	u32 *slot;
	u32 count;
	u32 mask;
	bool eager;	/* controllers hand over though a move is under way */
	u32 wrong;	/* states in which something is broken */
	u32 refused;	/* ends of the session by a controller that was too early */
	u32 ends;	/* states with nothing left to do */
};

static u32 hash(const struct state *s)
{
	const u8 *p = (const u8 *)s;
	u32 h = 2166136261u;

	for (size_t i = 0; i < sizeof(*s); i++)
		h = (h ^ p[i]) * 16777619u;
	return h;
}

static bool add(struct search *x, const struct state *s)
{
	u32 at = hash(s) & x->mask;

	for (; x->slot[at]; at = (at + 1) & x->mask)
		if (!memcmp(&x->seen[x->slot[at] - 1], s, sizeof(*s)))
			return true;
	if (x->count >= x->mask / 2)
		abort();	/* the table is sized for the whole space */
	x->seen[x->count++] = *s;
	x->slot[at] = x->count;
	return true;
}

static bool push(struct state *s, u8 from, u8 word, u8 n)
{
	u8 at = s->side[from].tx_at, *fill = &s->fill[at][!from];

	if (*fill == QUEUE)
		return false;
	s->queue[at][!from][(*fill)++] = (struct frame){ word, n };
	return true;
}

/* Nobody reads on there any more: what is still on its way to it is lost. */
static void let_go(struct search *x, struct state *s, u8 e)
{
	u8 old;

	if (!swb_move_over(&s->side[e].move))
		return;
	for (old = 0; s->side[e].closed[old]; old++)
		;
	if (old == s->side[e].tx_at || old == s->side[e].rx_at || s->fill[old][e])
		x->wrong++;
	s->side[e].closed[old] = true;
}

static bool try_give(struct search *x, struct state s, u8 e)
{
	struct side *d = &s.side[e];

	if (d->given + 1 == SOCKETS || (!x->eager && d->move.id))
		return false;
	d->given++;
	if (swb_move_begin(&d->move, d->given))
		return add(x, &s);
	x->refused++;	/* an ordinary link takes over, and the session ends */
	return true;
}

static bool try_say(struct search *x, struct state s, u8 e)
{
	struct side *d = &s.side[e];
	u8 word = swb_move_word(&d->move);

	if (d->saying != NO_WORD || word == NO_WORD || !push(&s, e, word, d->move.id))
		return false;
	d->saying = word;
	return add(x, &s);
}

static bool try_note(struct search *x, struct state s, u8 e)
{
	struct side *d = &s.side[e];

	if (d->saying == NO_WORD)
		return false;
	swb_move_said(&d->move, d->saying);
	if (d->saying == SWB_MOVE_MOVES) {
		d->tx_at = d->move.id;
		let_go(x, &s, e);
	}
	d->saying = NO_WORD;
	return add(x, &s);
}

static bool try_data(struct search *x, struct state s, u8 e)
{
	struct side *d = &s.side[e];

	if (d->saying != NO_WORD || d->sent == DATA || !push(&s, e, NO_WORD, d->sent))
		return false;
	d->sent++;
	return add(x, &s);
}

static void take(struct search *x, struct state *s, u8 e, struct frame f)
{
	struct side *d = &s->side[e];

	switch (f.word) {
	case SWB_MOVE_READY:
		swb_move_heard(&d->move, f.n);
		break;
	case SWB_MOVE_MOVES:
		if (!swb_move_follow(&d->move, f.n)) {
			x->wrong++;
			break;
		}
		d->rx_at = f.n;
		let_go(x, s, e);
		break;
	default:
		if (f.n != d->received)
			x->wrong++;
		d->received++;
	}
}

static bool try_take(struct search *x, struct state s, u8 e)
{
	u8 at = s.side[e].rx_at, *fill = &s.fill[at][e];
	struct frame *q = s.queue[at][e], f = q[0];

	if (!*fill)
		return false;
	memmove(q, q + 1, (QUEUE - 1) * sizeof(*q));
	q[QUEUE - 1] = (struct frame){ 0, 0 };
	(*fill)--;
	take(x, &s, e, f);
	return add(x, &s);
}

/* Nothing is on its way, and a controller may never hand anything over again. */
static void check_quiet(struct search *x, const struct state *s)
{
	if (s->side[0].received != DATA || s->side[1].received != DATA)
		x->wrong++;
}

/* Both were handed all sockets, so both are on the last one. */
static void check_end(struct search *x, const struct state *s)
{
	x->ends++;
	for (u8 e = 0; e < 2; e++) {
		const struct side *d = &s->side[e];

		if (d->move.id || d->given != SOCKETS - 1 || d->tx_at != d->given ||
		    d->rx_at != d->given)
			x->wrong++;
	}
}

static void step(struct search *x, const struct state *s)
{
	bool given = false, moved = false;

	for (u8 e = 0; e < 2; e++) {
		given |= try_give(x, *s, e);
		moved |= try_say(x, *s, e);
		moved |= try_note(x, *s, e);
		moved |= try_data(x, *s, e);
		moved |= try_take(x, *s, e);
	}
	if (!moved)
		check_quiet(x, s);
	if (!moved && !given)
		check_end(x, s);
}

static void explore(struct search *x, bool eager)
{
	u32 size = 1u << 21;
	struct state s;

	memset(x, 0, sizeof(*x));
	memset(&s, 0, sizeof(s));
	x->eager = eager;
	x->mask = size - 1;
	x->slot = calloc(size, sizeof(*x->slot));
	x->seen = malloc(size / 2 * sizeof(*x->seen));
	if (!x->slot || !x->seen)
		abort();
	add(x, &s);
	for (u32 i = 0; i < x->count; i++) {
		s = x->seen[i];
		step(x, &s);
	}
	free(x->slot);
	free(x->seen);
}

TEST(test_move_all_orders, "three moves, in every order of what both ends and their controllers "
	"do: each stream arrives as it was sent, nobody waits, the old sockets go (I-239)")
{
	struct search x;

	explore(&x, false);
	printf("# %u states, %u ends\n", x.count, x.ends);
	CHECK_EQ(x.wrong, 0);
	CHECK_EQ(x.refused, 0);
	CHECK(x.ends);
}

TEST(test_move_too_early, "a controller that hands over before the move before is over is "
	"refused, and the streams are what they were (I-239)")
{
	struct search x;

	explore(&x, true);
	printf("# %u states, %u ends, %u refused\n", x.count, x.ends, x.refused);
	CHECK_EQ(x.wrong, 0);
	CHECK(x.refused);
}

TEST(test_move_words, "a peer that names another socket is not followed, and one that has "
	"another is not left for (I-239)")
{
	struct swb_move m = { 0 };

	CHECK(!swb_move_follow(&m, 0));
	CHECK(!swb_move_follow(&m, 7));
	CHECK(!swb_move_begin(&m, 0));
	CHECK_EQ(swb_move_word(&m), SWB_MOVE_NOTHING);
	CHECK(swb_move_begin(&m, 7));
	CHECK(!swb_move_begin(&m, 8));
	CHECK_EQ(swb_move_word(&m), SWB_MOVE_READY);
	swb_move_said(&m, SWB_MOVE_READY);
	CHECK_EQ(swb_move_word(&m), SWB_MOVE_NOTHING);
	swb_move_heard(&m, 6);
	CHECK_EQ(swb_move_word(&m), SWB_MOVE_NOTHING);
	swb_move_heard(&m, 7);
	CHECK_EQ(swb_move_word(&m), SWB_MOVE_MOVES);
	CHECK(!swb_move_follow(&m, 6));
	CHECK(swb_move_follow(&m, 7));
	CHECK(!swb_move_follow(&m, 7));
	CHECK(!swb_move_over(&m));
	swb_move_said(&m, SWB_MOVE_MOVES);
	CHECK_EQ(swb_move_word(&m), SWB_MOVE_NOTHING);
	CHECK(swb_move_over(&m));
	CHECK(!swb_move_over(&m));
}
