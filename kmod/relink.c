// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sockets of a link, and how its session goes over from one to the other.
 *
 * Does: take sockets in and give them back, carry out what core/move.c decides.
 * Does not: know what is in a frame, but for the two words of a move.
 * Lock: sockets.mutex round what comes and goes; v->lock (irqsave) for the move. A
 * socket that is given back is nobody's: tx and rx have both left it.
 */
#include "peer.h"

void swb_sockets_init(struct swb_sockets *s)
{
	mutex_init(&s->mutex);
}

static int take_in(struct swb_sockets *s, u8 at, int fd, u32 deadline_ms,
		   const char **why)
{
	int err = -EAGAIN;	/* the last move is over, its socket not yet back */

	mutex_lock(&s->mutex);
	if (!s->have[at]) {
		err = swb_sock_adopt(&s->sock[at], fd, deadline_ms, why);
		s->have[at] = !err;
	}
	mutex_unlock(&s->mutex);
	return err;
}

static void give_back(struct swb_sockets *s, u8 at)
{
	mutex_lock(&s->mutex);
	if (s->have[at])
		swb_sock_release(&s->sock[at]);
	s->have[at] = false;
	mutex_unlock(&s->mutex);
}

int swb_sockets_adopt(struct swb_sockets *s, int fd, u32 deadline_ms,
		      const char **why)
{
	return take_in(s, 0, fd, deadline_ms, why);
}

void swb_sockets_shutdown(struct swb_sockets *s)
{
	u8 i;

	mutex_lock(&s->mutex);
	for (i = 0; i < ARRAY_SIZE(s->sock); i++)
		if (s->have[i])
			swb_sock_shutdown(&s->sock[i]);
	mutex_unlock(&s->mutex);
}

void swb_sockets_set_deadline(struct swb_sockets *s, u32 deadline_ms)
{
	u8 i;

	mutex_lock(&s->mutex);
	for (i = 0; i < ARRAY_SIZE(s->sock); i++)
		if (s->have[i])
			swb_sock_set_deadline(&s->sock[i], deadline_ms);
	mutex_unlock(&s->mutex);
}

void swb_sockets_release(struct swb_sockets *s)
{
	u8 i;

	for (i = 0; i < ARRAY_SIZE(s->sock); i++)
		give_back(s, i);
}

/* ---- a move ---------------------------------------------------------------- */

/* May this link's session move, and where to? Of two who ask one gets the place. */
static bool may_move(struct swb_link *l, u8 *to)
{
	struct swb_sockets *s = &l->sockets;
	struct swb_volume *v = l->v;
	unsigned long flags;
	bool may;

	spin_lock_irqsave(&v->lock, flags);
	may = v->link[l->peer] == l && !l->closing && !s->move.id &&
	      v->core.peer[l->peer].matched;
	*to = !s->tx_at;
	spin_unlock_irqrestore(&v->lock, flags);
	return may;
}

/* The own end is here, unless the link has ended meanwhile. */
static bool begin(struct swb_link *l, u64 id)
{
	unsigned long flags;
	bool begun;

	spin_lock_irqsave(&l->v->lock, flags);
	begun = !l->closing && swb_move_begin(&l->sockets.move, id);
	if (begun)
		l->pending |= BIT(SWB_SEND_MOVE);
	spin_unlock_irqrestore(&l->v->lock, flags);
	wake_up(&l->wait);
	return begun;
}

int swb_relink(struct swb_link *l, int fd, u64 id, u32 deadline_ms, const char **why)
{
	int err = -EAGAIN;
	u8 to;

	if (may_move(l, &to))
		err = take_in(&l->sockets, to, fd, deadline_ms, why);
	if (!err && !begin(l, id)) {
		give_back(&l->sockets, to);
		err = -EAGAIN;
	}
	return err;
}

bool swb_relink_fill(struct swb_link *l, struct swb_frame *f)
{
	lockdep_assert_held(&l->v->lock);
	f->a[1] = swb_move_word(&l->sockets.move);
	f->a[2] = l->sockets.move.id;
	return f->a[1] != SWB_MOVE_NOTHING;
}

/* What follows from what was said or heard. */
static void go_on(struct swb_link *l)
{
	struct swb_sockets *s = &l->sockets;
	unsigned long flags;
	bool over;
	u8 old;

	spin_lock_irqsave(&l->v->lock, flags);
	old = !s->tx_at;
	over = swb_move_over(&s->move);
	if (swb_move_word(&s->move) != SWB_MOVE_NOTHING)
		l->pending |= BIT(SWB_SEND_MOVE);
	spin_unlock_irqrestore(&l->v->lock, flags);
	wake_up(&l->wait);
	if (over)
		give_back(s, old);
}

void swb_relink_said(struct swb_link *l, const struct swb_frame *f)
{
	struct swb_sockets *s = &l->sockets;
	unsigned long flags;

	spin_lock_irqsave(&l->v->lock, flags);
	swb_move_said(&s->move, f->a[1]);
	if (f->a[1] == SWB_MOVE_MOVES)
		s->tx_at = !s->tx_at;
	spin_unlock_irqrestore(&l->v->lock, flags);
	go_on(l);
}

int swb_relink_heard(struct swb_link *l, const struct swb_frame *f)
{
	struct swb_sockets *s = &l->sockets;
	unsigned long flags;
	bool ok = true;

	spin_lock_irqsave(&l->v->lock, flags);
	switch (f->a[1]) {
	case SWB_MOVE_NOTHING:
		break;
	case SWB_MOVE_READY:
		swb_move_heard(&s->move, f->a[2]);
		break;
	case SWB_MOVE_MOVES:
		ok = swb_move_follow(&s->move, f->a[2]);
		if (ok)
			s->rx_at = !s->rx_at;
		break;
	default:
		ok = false;
	}
	spin_unlock_irqrestore(&l->v->lock, flags);
	if (!ok)
		return SWBLOCK_REASON_BAD_TYPE;
	if (f->a[1] != SWB_MOVE_NOTHING)
		go_on(l);
	return 0;
}
