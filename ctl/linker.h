/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The link manager of a daemon: who is wanted, who connects, who may come in.
 *
 * The caller says which links it wants and where the peers may be found; it gets
 * sockets that are authenticated, encrypted and greeted, through a queue and an
 * eventfd, and hands them to its kernel. It says when the kernel lost one. All
 * waiting is done by threads of the linker, each with a deadline, so the caller's
 * loop never blocks; every function here returns at once, but linker_destroy().
 *
 *	want ──► IDLE ──► TRYING ──► UP ──► (lost, or due) ──► ...
 *	           ▲         │ failed: back-off, jittered, capped
 *	           └─────────┘
 *
 * An address is never an identity: who answers must say the replica id that was
 * asked for, and who comes in is found by what it says, wherever it comes from.
 * Functions may be called from any thread.
 */
#ifndef SWB_CTL_LINKER_H
#define SWB_CTL_LINKER_H

#include "handshake.h"
#include "tls.h"

#define LINK_ENDPOINTS_MAX	4
#define LINK_ENDPOINT_MAX	128	/* HOST:PORT with NUL */
#define LINK_WHY_MAX		256
#define LINK_LISTENERS_MAX	8

struct linker;

/** struct link_id - one link: the local member first */
struct link_id {
	struct swb_uuid volume;
	struct swb_uuid from;
	struct swb_uuid to;
};

/**
 * struct linker_config - how to work; 0 takes the default
 * @insecure: clear text beyond loopback, where there is no key
 * @handshake_ms: deadline from accept or connect to the end of the hello; 5000
 * @incoming_max: handshakes of strangers at a time; the oldest gives way; 64
 * @outgoing_max: connections being made at a time; 64
 * @backoff_min_ms: pause behind the first failure, doubled each time; 200
 * @backoff_max_ms: longest pause; 15000
 * @stable_ms: a link that lived as long was a success; 5000
 * @relink_bytes: new keys behind so many bytes sent; 128 GiB, a third of what
 *	AES-GCM may encrypt with one key
 * @relink_ms: and behind so much time; a day
 * @say: a line for the log; called from threads of the linker, never under a lock
 * @arg: for @say
 */
struct linker_config {
	bool insecure;
	unsigned int handshake_ms;
	unsigned int incoming_max;
	unsigned int outgoing_max;
	unsigned int backoff_min_ms;
	unsigned int backoff_max_ms;
	unsigned int stable_ms;
	uint64_t relink_bytes;
	uint64_t relink_ms;
	void (*say)(void *arg, const char *line);
	void *arg;
};

/**
 * struct link_want - a link that is wanted
 * @hello: what to say: volume, from, to, protocol range, hints
 * @connect: this side makes the connection; the other one waits for it
 * @up: the kernel has it, from a controller before this one: it is not made before
 *	it is lost or new keys are due; counts when the link is first wanted
 * @endpoint_count: entries of @endpoint; they are tried in turn
 * @endpoint: HOST:PORT
 * @keys: keys of this volume, NULL for those of the cluster
 */
struct link_want {
	struct hello hello;
	bool connect;
	bool up;
	unsigned int endpoint_count;
	char endpoint[LINK_ENDPOINTS_MAX][LINK_ENDPOINT_MAX];
	const struct tls_keys *keys;
};

/**
 * struct link_ready - a socket for the kernel
 * @id: which link
 * @serial: number of this socket, for linker_lost()
 * @fd: the caller's from now on; close it once the kernel has it
 * @encrypted: kTLS in both directions
 * @key_id: by which key
 * @dialed: this side connected
 * @again: it replaces a link that is up (relink, or the peer connected anew)
 * @move: not 0: LINK with SWBLOCK_A_MOVE
 * @address: of the other end, for people
 * @peer: its hello, with its hints
 * @proto: protocol version of both
 */
struct link_ready {
	struct link_id id;
	uint64_t serial;
	int fd;
	bool encrypted;
	char key_id[TLS_ID_MAX];
	bool dialed;
	bool again;
	uint64_t move;
	char address[64];
	struct hello peer;
	uint32_t proto;
};

enum link_state { LINK_IDLE, LINK_TRYING, LINK_UP };

/** struct link_info - one link, for status */
struct link_info {
	struct link_id id;
	enum link_state state;
	bool connect;
	bool encrypted;
	unsigned int failures;		/* in a row */
	uint64_t next_ns;		/* CLOCK_BOOTTIME of the next try, 0 none */
	uint64_t up_ns;			/* since when */
	uint64_t sent_bytes;		/* with the keys of now */
	char address[64];
	char why[LINK_WHY_MAX];		/* of the last failure */
};

/** struct linker_stats - counted since the start */
struct linker_stats {
	uint64_t accepted;
	uint64_t dialed;
	uint64_t up;
	uint64_t evicted;		/* strangers that gave way */
	uint64_t overtaken;		/* made, and no longer wanted */
	uint64_t unreachable;
	uint64_t relinks;
	uint64_t unsaid;		/* lines that were too many for the log */
	uint64_t tls[__TLS_REASON_MAX];		/* failures by reason */
	uint64_t hello[__HELLO_REASON_MAX];
	unsigned int incoming;		/* under way now */
	unsigned int outgoing;
};

/** linker_create() - threads and eventfd, or NULL with errno */
struct linker *linker_create(const struct linker_config *cfg);
/** linker_destroy() - waits for handshakes, a deadline at most */
void linker_destroy(struct linker *l);

/**
 * linker_keys() - the keys of the cluster, at any time; NULL for none
 *
 * Return: false with a sentence: a listener beyond loopback would be left without
 * a key, or a name stands for two keys. The old keys stay then.
 */
bool linker_keys(struct linker *l, const struct tls_keys *keys, char why[LINK_WHY_MAX]);

/**
 * linker_listen() - accept at HOST:PORT, for all links
 * @l: linker
 * @where: HOST:PORT, ":PORT", or NULL to stop listening everywhere
 * @why: says in one sentence who can reach it, or why it does not listen
 *
 * Without a key it takes addresses of loopback only, unless insecure.
 */
bool linker_listen(struct linker *l, const char *where, char why[LINK_WHY_MAX]);

/**
 * linker_want() - want a link, or change what is known of it
 *
 * New endpoints are tried at once. A link that is up stays up. Nothing of @want is
 * referred to later.
 *
 * Return: false with a sentence: out of memory, or a name stands for two keys.
 */
bool linker_want(struct linker *l, const struct link_want *want, char why[LINK_WHY_MAX]);
/** linker_unwant() - the link is not wanted; what the kernel has is not touched */
void linker_unwant(struct linker *l, const struct link_id *id);
/**
 * linker_lost() - the kernel has no such link (any more), or did not take it
 * @l: linker
 * @id: which link
 * @serial: of the socket that is meant: a newer one is not touched; 0: whichever
 */
void linker_lost(struct linker *l, const struct link_id *id, uint64_t serial);
/** linker_sent() - counter of bytes sent on the link, as the kernel has it */
void linker_sent(struct linker *l, const struct link_id *id, uint64_t bytes);
/** linker_session() - matched session of the link, as the kernel has it; 0 none */
void linker_session(struct linker *l, const struct link_id *id, uint64_t session);
/** linker_relink() - new keys now; also done by itself, by bytes and time */
void linker_relink(struct linker *l, const struct link_id *id);

/** linker_fd() - readable while linker_next() has something; do not read it */
int linker_fd(struct linker *l);
/** linker_next() - the next socket; false if there is none */
bool linker_next(struct linker *l, struct link_ready *out);

void linker_get_stats(struct linker *l, struct linker_stats *out);
/** linker_get_info() - false if it is not wanted */
bool linker_get_info(struct linker *l, const struct link_id *id, struct link_info *out);

/** linker_backoff_ms() - pause behind failure number @failures, counted from 1 */
unsigned int linker_backoff_ms(unsigned int failures, uint32_t random,
			       unsigned int min_ms, unsigned int max_ms);

#endif /* SWB_CTL_LINKER_H */
