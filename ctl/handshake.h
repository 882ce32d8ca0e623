/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hello: what two controllers say on a fresh stream socket before they hand
 * it to their kernels. docs/design/netlink.md has the conversation:
 *
 *	each side	-> HELLO	who I am, whom I want, what I speak
 *	each side	-> VERDICT	yes, or a reason and a sentence
 *
 * Both messages have a fixed size, so that not one byte of what the kernels say
 * afterwards is read here. It authenticates nobody: a link beyond this host
 * needs TLS, which comes with the daemon.
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
	__HELLO_REASON_MAX,
};

/** struct hello - what one side says */
struct hello {
	struct swb_uuid volume;
	struct swb_uuid from;
	struct swb_uuid to;
	uint32_t proto_min;
	uint32_t proto_max;
	uint64_t epoch;		/* a hint for people: nothing is decided by it */
};

/**
 * struct hello_result - how it ended
 * @reason: HELLO_OK, or why not
 * @by_peer: the other side refused, @text has its words
 * @text: one sentence
 * @peer: what the peer said, if it said something valid
 * @proto: version both speak
 */
struct hello_result {
	enum hello_reason reason;
	bool by_peer;
	char text[HELLO_TEXT_MAX];
	struct hello peer;
	uint32_t proto;
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

/* connect.c: sockets */

/** net_connect() - connected socket, or -1 with words in @why */
int net_connect(const char *hostport, uint64_t deadline_ns, char *why, size_t len);
/** net_listen() - listening socket; @loopback tells whether only this host reaches it */
int net_listen(const char *hostport, bool *loopback, char *why, size_t len);
int net_accept(int fd, uint64_t deadline_ns, char *why, size_t len);

#endif /* SWB_CTL_HANDSHAKE_H */
