/* SPDX-License-Identifier: GPL-2.0-only */
/* What the backends of the store share, and the layers that add words to errors. */
#ifndef SWB_CTL_STORE_PRIV_H
#define SWB_CTL_STORE_PRIV_H

#include "store.h"

#define STORE_ERROR_MAX	256
#define STORE_HISTORY	"h/store/"	/* what was done to the store itself */

/**
 * struct store_ops - a backend; the calls of store.h with arguments checked
 * @name: for people
 */
struct store_ops {
	const char *name;
	void (*close)(struct store *s);
	int (*get)(struct store *s, const char *key, struct store_doc *out);
	int (*list)(struct store *s, const char *prefix, struct store_doc **out,
		    size_t *count);
	int (*txn)(struct store *s, const struct store_op *op, size_t count);
	int (*wait)(struct store *s, const char *prefix, uint64_t *since,
		    unsigned int timeout_ms);
	int (*identity)(struct store *s, struct store_identity *out);
	int (*raise)(struct store *s, const char *reason);
	uint64_t (*seen)(const struct store *s);
};

/** struct store - first member of each backend's own */
struct store {
	const struct store_ops *ops;
	unsigned int timeout_ms;
	char error[STORE_ERROR_MAX];
};

/** store_fail() - remember words; returns @err */
int store_fail(struct store *s, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** store_docs_add() - one more, key and value copied; -ENOMEM */
int store_docs_add(struct store_doc **list, size_t *count, const char *key,
		   const char *value, size_t len, uint64_t revision);

/** store_reason_json() - value of a STORE_HISTORY document; to be freed */
char *store_reason_json(const char *action, const char *reason,
			uint64_t generation);
/** store_time_text() - the time of day, for people */
void store_time_text(char *out, size_t len);

/** store_open_plain() - store_open() without faults */
int store_open_plain(struct store **out, const char *address, bool create,
		     unsigned int timeout_ms, char *why, size_t len);
/** store_fault_wrap() - if SWB_STORE_FAULT asks for it, and may: store_fault.c */
int store_fault_wrap(struct store **s, const char *address, char *why, size_t len);

int store_sqlite_open(struct store **out, const char *path, bool create,
		      unsigned int timeout_ms, char *why, size_t len);
int store_etcd_open(struct store **out, const char *address, bool create,
		    unsigned int timeout_ms, char *why, size_t len);

#endif /* SWB_CTL_STORE_PRIV_H */
