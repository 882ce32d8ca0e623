/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The authority store: a few small documents by key, with a linearizable read
 * and a compare-and-swap. Everything that controllers tell each other goes
 * through it; they have no other channel (docs/design/controller.md).
 *
 * Backends: store_sqlite.c (one host), store_etcd.c (a cluster). Chosen by the
 * address: a path or "sqlite:PATH"; "etcd:HOST:PORT[,HOST:PORT...][?OPTIONS]".
 * store_fault.c wraps either for the tests. docs/design/store.md.
 *
 * Calls block up to the timeout given at open and may be made from one thread
 * at a time; a daemon makes them from a thread of their own (store_queue.h).
 */
#ifndef SWB_CTL_STORE_H
#define SWB_CTL_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_KEY_MAX	200
#define STORE_VALUE_MAX	65536
#define STORE_OPS_MAX	16
#define STORE_ANY	UINT64_MAX	/* no condition on the revision */
#define STORE_ABSENT	0		/* the key must not be there */
#define STORE_TIMEOUT_MS 5000		/* for callers that have no reason of their own */

struct store;

/**
 * struct store_doc - one document
 * @key: path-like: "v/<volume uuid>/record"
 * @value: JSON text, NUL-terminated; owned by the struct
 * @revision: changes with each write of this key, never 0, never reused
 */
struct store_doc {
	char key[STORE_KEY_MAX];
	char *value;
	uint64_t revision;
};

/**
 * struct store_op - one write of a transaction
 * @key: which
 * @value: new value, NULL deletes it; borrowed
 * @expect: revision that must be there: STORE_ANY, STORE_ABSENT, or a number
 * @ttl_ms: the document goes by itself so long after its last write; 0 stays.
 *	Not exact; for signs of life only, never for authority
 */
struct store_op {
	const char *key;
	const char *value;
	uint64_t expect;
	uint32_t ttl_ms;
};

/**
 * store_open() - connect
 * @out: handle
 * @address: see above
 * @create: sqlite: make the file if it is missing
 * @timeout_ms: bound of each later call
 * @why: words of a failure
 * @len: room in @why
 *
 * Return: 0; -ENOENT: there is none; -EINVAL: the address, or not a store of
 * ours; -EACCES: password, certificate, permissions; -EIO, -ETIMEDOUT: out of
 * reach; -EXDEV: it was restored from a backup or moved (P17c): only then is @out
 * set after a failure, for store_raise_generation() and store_close() alone.
 * An error but -EXDEV leaves @out NULL.
 */
int store_open(struct store **out, const char *address, bool create,
	       unsigned int timeout_ms, char *why, size_t len);
void store_close(struct store *s);

/**
 * store_faults_allow() - SWB_STORE_FAULT counts from now on: store_fault.c
 *
 * For swblockd --faults. Programs built with SWB_CTL_FAULTS (make test) look at it
 * anyway, others never.
 */
void store_faults_allow(void);

/** store_error() - words of the last failure of a call on this handle */
const char *store_error(const struct store *s);

/** store_backend() - "sqlite" or "etcd", for people */
const char *store_backend(const struct store *s);

/**
 * store_get() - linearizable
 *
 * Return: 0, -ENOENT, -EIO, -ETIMEDOUT, -EACCES, or -EXDEV: the store has gone
 * back in time, or is another one than it was: nothing it says counts.
 */
int store_get(struct store *s, const char *key, struct store_doc *out);
void store_doc_free(struct store_doc *d);

/** store_list() - all documents below a prefix, one snapshot, in key order */
int store_list(struct store *s, const char *prefix, struct store_doc **out,
	       size_t *count);
void store_docs_free(struct store_doc *d, size_t count);

/**
 * store_txn() - all writes, or none
 * @s: store
 * @op: writes with their conditions
 * @count: at most STORE_OPS_MAX
 *
 * Durable and linearizable when it returns 0. A key occurs once.
 *
 * After an unknown outcome the writes may even be done later, once: to read the
 * old value proves nothing. Only a value that contradicts a condition does, and a
 * value that only this caller can have written (P3: a nonce). So a write without
 * conditions may overtake a later one: for documents where an old one does no
 * harm.
 *
 * Return: 0; -ESTALE: a condition did not hold, nothing was written; -E2BIG,
 * -EINVAL: nothing was written; -EACCES, -EXDEV: likewise; -EIO, -ETIMEDOUT: the
 * outcome is unknown: read again (P3).
 */
int store_txn(struct store *s, const struct store_op *op, size_t count);

/**
 * store_wait() - until something below @prefix may have changed
 * @s: a handle of its own, for it blocks
 * @prefix: which documents
 * @since: in: change number of the last call; 0 returns 1 at once; out: the newest
 * @timeout_ms: at most so long; not bound by the timeout given at open
 *
 * A hint to look again: it may return early, and misses nothing that is written
 * after @since. So: wait with 0, list, wait, list, ... After a failure: again
 * with 0.
 *
 * Return: 1 changed, 0 timeout, or as store_get().
 */
int store_wait(struct store *s, const char *prefix, uint64_t *since,
	       unsigned int timeout_ms);

/** struct store_identity - which store this is (P17c) */
struct store_identity {
	uint8_t uuid[16];
	uint64_t generation;
};

int store_identity(struct store *s, struct store_identity *out);

/**
 * store_seen() - the newest change that this handle knows of
 * @s: store
 *
 * Of one generation it never falls, whichever handle is asked after
 * store_identity(): a store where it did was put back in time (P17c).
 */
uint64_t store_seen(const struct store *s);

/**
 * store_raise_generation() - operator's order after a restore (P17c)
 * @s: store, also one that store_open() returned with -EXDEV
 * @reason: in the operator's words, for the history
 */
int store_raise_generation(struct store *s, const char *reason);

#endif /* SWB_CTL_STORE_H */
