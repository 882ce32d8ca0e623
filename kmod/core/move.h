/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A session that moves to another socket: new keys without a new session. Pure.
 *
 * Both controllers make the new socket and agree on its id; each gives its end to
 * its kernel. Then each direction goes over by itself, between two frames:
 *
 *	own end is here:		READY(id) on the old socket
 *	and READY(id) was heard:	MOVES(id), the last frame on the old socket
 *	MOVES(id) arrives:		the next frame is read on the new one
 *
 * Nothing follows MOVES on the old socket, and what is behind it is read only after
 * it, so the two sockets are one stream: nothing is lost, doubled or overtaken, and
 * the session does not notice. The old socket goes when both directions left it.
 */
#ifndef SWB_CORE_MOVE_H
#define SWB_CORE_MOVE_H

#include "types.h"

/**
 * struct swb_move - how far one end is
 * @id: of the new socket; 0: there is none
 * @heard: the peer has its end of that one; it may say so before ours is here
 * @said: READY was sent
 * @left: the own sender has gone over
 * @followed: the own receiver has
 */
struct swb_move {
	u64 id;
	u64 heard;
	bool said;
	bool left;
	bool followed;
};

/** enum swb_move_word - what the sender has to say, also on the wire: a[1] of PING */
enum swb_move_word {
	SWB_MOVE_NOTHING,
	SWB_MOVE_READY,
	SWB_MOVE_MOVES,		/* the last frame on this socket */
};

/** swb_move_begin() - the own end is here; false: the move before is not over */
bool swb_move_begin(struct swb_move *m, u64 id);

/** swb_move_word() - what the sender has to say now */
enum swb_move_word swb_move_word(const struct swb_move *m);

/** swb_move_said() - the whole frame is on the stream; the sender goes over by it */
void swb_move_said(struct swb_move *m, enum swb_move_word word);

/** swb_move_heard() - READY(@id) arrived */
void swb_move_heard(struct swb_move *m, u64 id);

/**
 * swb_move_follow() - MOVES(@id) arrived
 *
 * It may come before swb_move_said() of the READY that it answers.
 *
 * Return: false: this end has no such socket. The stream cannot be read on, so the
 * link ends.
 */
bool swb_move_follow(struct swb_move *m, u64 id);

/** swb_move_over() - true, once, when nobody at this end needs the old socket */
bool swb_move_over(struct swb_move *m);

#endif /* SWB_CORE_MOVE_H */
