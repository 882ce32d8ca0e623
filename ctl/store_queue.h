/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The store for an event loop: one thread makes the calls, another one waits for
 * changes, each with a handle of its own. Results come through one descriptor.
 *
 * The threads open the store, and open it again after failures with a growing
 * pause, so the store may be away when the daemon starts. Once it was seen, a
 * store with another uuid at the same address is refused (P17c).
 *
 * All functions are called from the thread of the loop, but @work.
 */
#ifndef SWB_CTL_STORE_QUEUE_H
#define SWB_CTL_STORE_QUEUE_H

#include "store.h"

#define STORE_QUEUE_DEPTH	64	/* requests that wait or run */

struct store_queue;

/**
 * struct store_queue_config - how
 * @address: as of store_open(); copied
 * @create: an SQLite file that is missing is made: a new store, whose members are
 *	those that have adopted no other one (P17c)
 * @timeout_ms: bound of each store call that a request makes
 * @watch: prefix whose changes are reported, NULL: no second thread; copied
 * @changed: something below @watch may have changed: look again. The first call
 *	comes when the watch stands. Called by store_queue_dispatch()
 * @arg: for @changed
 */
struct store_queue_config {
	const char *address;
	bool create;
	unsigned int timeout_ms;
	const char *watch;
	void (*changed)(void *arg);
	void *arg;
};

/**
 * struct store_request - one piece of work, embedded in the caller's own struct
 * @work: runs in the worker's thread and may make any number of calls of store.h,
 *	authority.h, board.h. Returns 0 or -errno
 * @done: in the loop, once: the result; -ETIMEDOUT after @deadline_ns, then @work
 *	may still run, or never has: what @work writes must not be touched;
 *	-ECANCELED at shutdown
 * @release: in the loop, once, after @done, when nobody touches the request any
 *	more: free it here
 * @deadline_ns: CLOCK_BOOTTIME, 0: none
 */
struct store_request {
	int (*work)(struct store *s, struct store_request *req);
	void (*done)(struct store_request *req, int err);
	void (*release)(struct store_request *req);
	uint64_t deadline_ns;

	/* of the queue */
	struct store_request *next;
	int err;
	unsigned char state;
	bool told;
};

/**
 * struct store_health - how the store is doing, for status and conditions
 * @reachable: the last call ended with an answer, be it a refusal
 * @identity_known: @identity is filled in
 * @identity: of the store that was opened first
 * @last_ok_ns: CLOCK_BOOTTIME of the last answer, 0 = never
 * @latency_ns: of the last request, its calls together
 * @waiting: requests in the queue
 * @error: words of the last failure, "" if there was none since the last answer
 */
struct store_health {
	bool reachable;
	bool identity_known;
	struct store_identity identity;
	uint64_t last_ok_ns;
	uint64_t latency_ns;
	unsigned int waiting;
	char error[256];
};

/** store_queue_create() - starts the threads, waits for nothing */
int store_queue_create(struct store_queue **out,
		       const struct store_queue_config *cfg);

/**
 * store_queue_destroy() - end it
 * @q: queue
 * @patience_ms: how long to wait for a call that runs
 *
 * What has not started is told -ECANCELED. A thread that hangs in the disk or in
 * the network longer than @patience_ms is left behind with its memory; the
 * process should end soon.
 *
 * Return: true if all is freed.
 */
bool store_queue_destroy(struct store_queue *q, unsigned int patience_ms);

/** store_queue_fd() - readable when store_queue_dispatch() has something to do */
int store_queue_fd(const struct store_queue *q);

/** store_queue_dispatch() - calls @done, @release and @changed; never blocks */
void store_queue_dispatch(struct store_queue *q);

/**
 * store_queue_submit() - in order, one after the other
 * @q: queue
 * @req: @work, @done, @release, @deadline_ns filled in; the queue's until @release
 *
 * Return: 0; -ENOBUFS: full, the request is still the caller's.
 */
int store_queue_submit(struct store_queue *q, struct store_request *req);

void store_queue_health(struct store_queue *q, struct store_health *out);

#endif /* SWB_CTL_STORE_QUEUE_H */
