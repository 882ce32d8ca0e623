/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hello: what two controllers say on a fresh stream socket before they hand
 * it to their kernels. docs/design/netlink.md has the conversation:
 *
 *	each side	-> HELLO	who I am, whom I want, what I speak
 *	each side	-> VERDICT	yes, or a reason and a sentence
 *
 * Both messages have a fixed size, so that not one byte of what the kernels say
 * afterwards is read here. It authenticates nobody: where others can connect, TLS
 * does (tls.h), and the hello runs inside.
 */
#ifndef SWB_CTL_HANDSHAKE_H
#define SWB_CTL_HANDSHAKE_H

#include "ctl.h"

#define HELLO_MAGIC		"SWBHELO1"	/* 8 bytes, no NUL */
#define HELLO_VERSION		1
#define HELLO_BYTES		128
#define HELLO_VERDICT_BYTES	256
#define HELLO_TEXT_MAX		200

/** enum hello_reason - why a hello was refused; a fixed list */
enum hello_reason {
	HELLO_OK		= 0,
	HELLO_TIMEOUT		= 1,	/* silence, or half a message */
	HELLO_CLOSED		= 2,	/* the other end hung up */
	HELLO_IO_ERROR		= 3,
	HELLO_BAD_MAGIC		= 4,	/* not swblock */
	HELLO_BAD_CRC		= 5,
	HELLO_BAD_VERSION	= 6,
	HELLO_BAD_PROTO		= 7,	/* no protocol version in common */
	HELLO_FOREIGN_VOLUME	= 8,
	HELLO_FOREIGN_REPLICA	= 9,	/* another replica than the one wanted */
	HELLO_NOT_WANTED	= 10,	/* it wants another replica than us */
	HELLO_SELF		= 11,	/* it is us */
	HELLO_PEER_REFUSED	= 12,	/* its verdict, in its words */
	HELLO_SPEAKS_TLS	= 13,	/* it was given a key, we were not */
	HELLO_NOT_MEMBER	= 14,	/* a replica that this member has no link to */
	HELLO_BUSY		= 15,	/* our own connection to it is under way */
	HELLO_OTHER_KEY		= 16,	/* its key is not this volume's */
	__HELLO_REASON_MAX,
};

/**
 * struct hello - what one side says
 *
 * From @epoch on it is for people and for finding each other: nothing about data
 * is decided by it, for facts may have aged when the kernels get the socket.
 */
struct hello {
	struct swb_uuid volume;
	struct swb_uuid from;
	struct swb_uuid to;
	uint32_t proto_min;
	uint32_t proto_max;
	uint64_t epoch;
	uint64_t endpoint_version;	/* of the endpoints in its configuration; 0 unknown */
	uint64_t last_epoch;		/* of its last record; 0 unknown */
	uint64_t log_end;		/* its last record; 0 unknown */
	uint64_t session;		/* matched, with that peer; 0 none */
	uint64_t move;			/* its half of the name of a move; drawn here */
};

/**
 * struct hello_result - how it ended
 * @reason: HELLO_OK, or why not
 * @by_peer: the other side refused, @text has its words
 * @text: one sentence
 * @peer: what the peer said, if it said something valid
 * @proto: version both speak
 * @move: not 0: both are in the same session, which may continue on this link: LINK
 *	with SWBLOCK_A_MOVE, at both ends the same
 */
struct hello_result {
	enum hello_reason reason;
	bool by_peer;
	char text[HELLO_TEXT_MAX];
	struct hello peer;
	uint32_t proto;
	uint64_t move;
};

const char *hello_reason_text(enum hello_reason reason);

void hello_encode(const struct hello *h, uint8_t out[HELLO_BYTES]);
/** hello_decode() - total: any bytes give a hello or a reason */
enum hello_reason hello_decode(const uint8_t in[HELLO_BYTES], struct hello *h);
void hello_verdict_encode(enum hello_reason reason, const char *text,
			  uint8_t out[HELLO_VERDICT_BYTES]);
enum hello_reason hello_verdict_decode(const uint8_t in[HELLO_VERDICT_BYTES],
				       enum hello_reason *verdict,
				       char text[HELLO_TEXT_MAX]);
/** hello_judge() - does what the peer said fit what we want? */
enum hello_reason hello_judge(const struct hello *me, const struct hello *peer,
			      uint32_t *proto);

/**
 * hello_run() - the whole conversation on a connected stream socket
 * @fd: socket; is left in blocking mode
 * @me: what to say; a null @me->to accepts any other member of the volume
 * @deadline_ns: CLOCK_BOOTTIME
 * @res: how it ended
 *
 * Return: true if both sides said yes.
 */
bool hello_run(int fd, const struct hello *me, uint64_t deadline_ns,
	       struct hello_result *res);

/**
 * hello_run_if() - the same for one that may be called off meanwhile
 * @fd: as for hello_run()
 * @what: as @me there
 * @still: asked before the last word; false refuses with HELLO_BUSY
 * @arg: for @still
 * @deadline_ns: CLOCK_BOOTTIME
 * @res: how it ended
 */
bool hello_run_if(int fd, const struct hello *what, bool (*still)(void *arg), void *arg,
		  uint64_t deadline_ns, struct hello_result *res);

/**
 * hello_choose - who of us answers?
 * @arg: as given to hello_answer()
 * @peer: what the other side said
 * @me: to be filled with what to answer; may be said to a stranger, too
 *
 * Return: HELLO_OK, or the reason to refuse with.
 */
typedef enum hello_reason (*hello_choose)(void *arg, const struct hello *peer,
					  struct hello *me);

/**
 * hello_answer() - the same for a port that serves many members: listen first
 * @fd: as for hello_run()
 * @choose: called once, when the peer's hello is there
 * @arg: for @choose
 * @deadline_ns: CLOCK_BOOTTIME
 * @res: how it ended
 */
bool hello_answer(int fd, hello_choose choose, void *arg, uint64_t deadline_ns,
		  struct hello_result *res);

/* connect.c: sockets */

/**
 * net_connect() - connected socket, or -1 with words in @why
 *
 * Tries again while nobody listens there: both ends may be started by one hand.
 */
int net_connect(const char *hostport, uint64_t deadline_ns, char *why, size_t len);
/** net_connect_once() - the same without patience */
int net_connect_once(const char *hostport, uint64_t deadline_ns, char *why,
		     size_t len);
/** net_peer_is_local() - is the other end of @fd on this host? */
bool net_peer_is_local(int fd);
/** net_listen() - listening socket; @loopback tells whether only this host reaches it */
int net_listen(const char *hostport, bool *loopback, char *why, size_t len);
int net_accept(int fd, uint64_t deadline_ns, char *why, size_t len);

#endif /* SWB_CTL_HANDSHAKE_H */
