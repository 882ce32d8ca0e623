/* SPDX-License-Identifier: GPL-2.0-only */
/* Between linker.c (who is wanted) and linkjob.c (one handshake). */
#ifndef SWB_CTL_LINKPRIV_H
#define SWB_CTL_LINKPRIV_H

#include <pthread.h>

#include "linker.h"

/**
 * struct pair - one link that is wanted; all of it under linker->lock
 * @next: in linker->pairs
 * @want: as the caller gave it; @want.keys is not used
 * @own: keys of the volume, or NULL
 * @state: see linker.h
 * @failures: in a row
 * @due_ns: when to connect, UINT64_MAX if not
 * @dial: number of the newest attempt; the result of an older one is dropped
 * @dialing: that attempt is under way
 * @greeting: and has found somebody there
 * @relinking: new keys are due by bytes
 * @serial: of the newest socket
 * @up_ns: since when the link is up
 * @sent_base: counter when the keys were new; valid if @sent_known
 */
struct pair {
	struct pair *next;
	struct link_want want;
	struct tls_keys *own;
	enum link_state state;
	unsigned int failures;
	uint64_t due_ns;
	uint64_t dial;
	bool dialing;
	bool greeting;
	bool relinking;
	bool encrypted;
	uint64_t serial;
	uint64_t up_ns;
	bool sent_known;
	uint64_t sent_base;
	uint64_t sent;
	char address[64];
	char why[LINK_WHY_MAX];
};

/**
 * struct job - one handshake, in a thread of its own
 * @next: in linker->jobs; under linker->lock, as is @fd
 * @l: linker
 * @incoming: accepted
 * @fd: socket, -1 while there is none
 * @evicted: it gave way to a newer one
 * @begun_ns: when it began
 * @deadline_ns: of this socket
 * @address: of the other end
 * @keys: those that may be used; wiped at the end
 * @want: outgoing: copy
 * @dial: outgoing: number of the attempt
 * @id: the link that it is about, once that is known
 * @tls: outcome of the handshake
 */
struct job {
	struct job *next;
	struct linker *l;
	bool incoming;
	int fd;
	bool evicted;
	uint64_t begun_ns;
	uint64_t deadline_ns;
	char address[64];
	struct tls_keys keys;
	struct link_want want;
	uint64_t dial;
	struct link_id id;
	struct tls_result tls;
};

struct ready {
	struct ready *next;
	struct link_ready link;
};

struct listener {
	int fd;
	bool loopback;
};

/**
 * struct linker - the manager
 * @lock: everything but @cfg
 * @idle: signalled when the last job ends
 * @event_fd: counts entries of @queue: readable while there are any
 * @wake_fd: wakes @manager
 * @manager: accepts, and starts what is due
 * @serial: of the newest socket of all
 * @said_ns: begin of the second that @said counts the lines of
 */
struct linker {
	struct linker_config cfg;
	pthread_mutex_t lock;
	pthread_cond_t idle;
	int event_fd;
	int wake_fd;
	pthread_t manager;
	bool stop;
	struct tls_keys cluster;
	struct pair *pairs;
	struct job *jobs;
	struct ready *queue;
	unsigned int listener_count;
	struct listener listener[LINK_LISTENERS_MAX];
	struct linker_stats stats;
	uint64_t serial;
	uint64_t said_ns;
	unsigned int said;
};

/* linkjob.c */
/** link_start_incoming() - takes @fd; linker->lock is held */
void link_start_incoming(struct linker *l, int fd);
/** link_start_outgoing() - linker->lock is held; false if no thread was to be had */
bool link_start_outgoing(struct linker *l, struct pair *p);

/* linker.c; linker->lock is held */
struct pair *link_pair(struct linker *l, const struct link_id *id);
bool link_id_equal(const struct link_id *a, const struct link_id *b);
/** link_deliver() - @job made a link: queue it, or close it if it is too late */
void link_deliver(struct job *job, const struct hello_result *hello);
/** link_failed() - an outgoing attempt came to nothing */
void link_failed(struct job *job, const char *why);

#endif /* SWB_CTL_LINKPRIV_H */
