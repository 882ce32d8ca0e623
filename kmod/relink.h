/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sockets of a link: one, and two while its session moves from one to the
 * other (core/move.h has the rules). tx alone writes to sock[tx_at], rx alone reads
 * from sock[rx_at].
 */
#ifndef SWB_RELINK_H
#define SWB_RELINK_H

#include "core/codec.h"
#include "core/move.h"
#include "link.h"

struct swb_link;
struct swb_volume;

/**
 * struct swb_sockets - of one link
 * @sock: bytes
 * @mutex: who takes in, shuts down and gives back a socket; @have
 * @have: there is one
 * @move: how far it is; v->lock
 * @tx_at: which one tx uses; changed by tx, v->lock
 * @rx_at: which one rx uses; changed by rx, v->lock
 */
struct swb_sockets {
	struct swb_sock sock[2];
	struct mutex mutex;	/* taken round whatever may sleep for a socket */
	bool have[2];
	struct swb_move move;
	u8 tx_at;
	u8 rx_at;
};

void swb_sockets_init(struct swb_sockets *s);

/** swb_sockets_adopt() - the first socket of a link; as swb_sock_adopt() */
int swb_sockets_adopt(struct swb_sockets *s, int fd, u32 deadline_ms,
		      const char **why);

/** swb_sockets_shutdown() - wakes whoever sends or receives; may sleep */
void swb_sockets_shutdown(struct swb_sockets *s);

/** swb_sockets_set_deadline() - as swb_sock_set_deadline() */
void swb_sockets_set_deadline(struct swb_sockets *s, u32 deadline_ms);

/** swb_sockets_release() - after the threads have ended */
void swb_sockets_release(struct swb_sockets *s);

/** swb_sockets_tx() - for tx; swb_sockets_rx() - for rx */
static inline struct swb_sock *swb_sockets_tx(struct swb_sockets *s)
{
	return &s->sock[s->tx_at];
}

static inline struct swb_sock *swb_sockets_rx(struct swb_sockets *s)
{
	return &s->sock[s->rx_at];
}

/**
 * swb_relink() - continue the session on the socket behind @fd
 * @l: current link, referenced
 * @fd: descriptor of the calling task
 * @id: what both controllers call this move; not 0
 * @deadline_ms: longest wait for one more byte
 * @why: text for the extended ack
 *
 * Context: the netlink caller's task; does not wait for a disk or a peer.
 * Return: 0; -EAGAIN: this link has no matched session, or another move is under
 * way: it takes an ordinary link; or as swb_sock_adopt()
 */
int swb_relink(struct swb_link *l, int fd, u64 id, u32 deadline_ms, const char **why);

/** swb_relink_fill() - tx, v->lock held: a PING says it. False: nothing to say */
bool swb_relink_fill(struct swb_link *l, struct swb_frame *f);

/** swb_relink_said() - tx: @f, filled so, is on the stream */
void swb_relink_said(struct swb_link *l, const struct swb_frame *f);

/**
 * swb_relink_heard() - rx: a PING with a word about a move
 *
 * Return: 0, or the enum swblock_reason to end the link for
 */
int swb_relink_heard(struct swb_link *l, const struct swb_frame *f);

#endif /* SWB_RELINK_H */
