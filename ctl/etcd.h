/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * etcd's HTTP/JSON gateway: one request and its answer, the watch stream, and the
 * small conversions. store_etcd.c makes a store of it.
 */
#ifndef SWB_CTL_ETCD_H
#define SWB_CTL_ETCD_H

#include <curl/curl.h>
#include <jansson.h>

#include "store_priv.h"

#define ETCD_ENDPOINTS_MAX	16
#define ETCD_TEXT_MAX		256
#define ETCD_LEASES_MAX		4
#define ETCD_ANSWER_MAX		(64 << 20)
#define ETCD_IDENTITY		".store"
#define ETCD_SCHEMA		2
#define ETCD_RANGE		"/v3/kv/range"
#define ETCD_TXN		"/v3/kv/txn"

/** struct etcd_config - the address, taken apart */
struct etcd_config {
	unsigned int endpoint_count;
	char endpoint[ETCD_ENDPOINTS_MAX][ETCD_TEXT_MAX];
	bool tls;
	char ca[ETCD_TEXT_MAX];
	char cert[ETCD_TEXT_MAX];
	char key[ETCD_TEXT_MAX];
	char user[ETCD_TEXT_MAX];
	char password[ETCD_TEXT_MAX];
	char prefix[STORE_KEY_MAX];
};

/** struct etcd_lease - one per time to live; documents of this handle hang on it */
struct etcd_lease {
	uint32_t ttl_ms;
	char id[24];
	uint64_t alive_ns;	/* CLOCK_BOOTTIME of the last grant or keep-alive */
};

/** struct etcd_buffer - bytes as they come */
struct etcd_buffer {
	char *p;
	size_t len, room;
};

/**
 * struct etcd_watch - the stream of store_wait(), kept open between calls
 * @multi: drives @easy
 * @easy: the stream, NULL: none
 * @headers: of the request
 * @body: of the request
 * @endpoint: index of the member it comes from
 * @prefix: documents it is about
 * @next: revision it goes on with
 * @in: bytes not yet consumed
 * @over: the stream has ended
 * @checked_ns: when a read last confirmed that nothing was missed
 */
struct etcd_watch {
	CURLM *multi;
	CURL *easy;
	struct curl_slist *headers;
	char *body;
	unsigned int endpoint;
	char prefix[STORE_KEY_MAX];
	uint64_t next;
	struct etcd_buffer in;
	bool over;
	uint64_t checked_ns;
};

/**
 * struct etcd - a handle
 * @base: for store.c
 * @cfg: address
 * @current: endpoint in use
 * @easy: for requests; its connection is kept
 * @token: of the user, "" = none yet
 * @no_auth: the cluster does not ask for it
 * @cluster: id of the cluster the store was made in, as the identity says
 * @identity_revision: of the identity that this handle has seen
 * @uuid: of the store, likewise
 * @foreign: not the cluster, or not the time, of before (P17c)
 * @seen: highest revision of any linearizable answer
 * @lease: those in use
 * @watch: see there
 */
struct etcd {
	struct store base;
	struct etcd_config cfg;
	unsigned int current;
	CURL *easy;
	char token[ETCD_TEXT_MAX];
	bool no_auth;
	char cluster[24];
	uint64_t identity_revision;
	char uuid[40];
	bool foreign;
	uint64_t seen;
	struct etcd_lease lease[ETCD_LEASES_MAX];
	struct etcd_watch watch;
};

/**
 * enum etcd_kind - what may be done twice
 * @ETCD_READ: whatever the answer to the first was, it is asked again
 * @ETCD_GUARDED: a write whose conditions fail once it was done: it may be tried
 *	again; if the second attempt is refused, nobody knows about the first
 * @ETCD_ONCE: only tried again while nothing was sent
 */
enum etcd_kind {
	ETCD_READ,
	ETCD_GUARDED,
	ETCD_ONCE,
};

/* etcd_config.c */
int etcd_config_parse(struct etcd_config *c, const char *address, char *why,
		      size_t len);

/**
 * etcd_call() - one request, at whatever member answers
 * @h: handle
 * @path: "/v3/kv/range"
 * @body: request, consumed
 * @kind: see there
 * @deadline_ns: CLOCK_BOOTTIME
 * @answer: on 0; to be released
 * @unsure: if not NULL: an earlier attempt may have been carried out
 *
 * Return: 0; -EIO, -ETIMEDOUT: no answer; if anything was sent the outcome of a
 * write is unknown. -EACCES, -E2BIG, -ENOSPC, -ESRCH (no such lease), -ERANGE
 * (compacted), -EINVAL: refused, nothing was done.
 */
int etcd_call(struct etcd *h, const char *path, json_t *body, enum etcd_kind kind,
	      uint64_t deadline_ns, json_t **answer, bool *unsure);

/** etcd_error_said() - an error object of the gateway as errno, words remembered */
int etcd_error_said(struct etcd *h, const json_t *error);

/** etcd_prepare() - options that every transfer has; connections of @c are kept */
void etcd_prepare(struct etcd *h, CURL *c, unsigned int endpoint, const char *path,
		  struct curl_slist **headers);
size_t etcd_buffer_add(char *data, size_t size, size_t n, void *buffer);
/** etcd_authenticate() - a token, if one is needed and there is none */
int etcd_authenticate(struct etcd *h, uint64_t deadline_ns);
/** etcd_note_header() - cluster and revision of an answer. 0 or -EXDEV */
int etcd_note_header(struct etcd *h, const json_t *answer, bool linearizable);

/* etcd_watch.c */
int etcd_wait(struct store *s, const char *prefix, uint64_t *since,
	      unsigned int timeout_ms);
void etcd_watch_stop(struct etcd *h);

/* store_etcd.c */
uint64_t etcd_deadline(const struct etcd *h);
/** etcd_get_one() - @kv: borrowed from @answer, NULL if the key is not there */
int etcd_get_one(struct etcd *h, const char *key, uint64_t deadline, json_t **answer,
		 const json_t **kv);

/* etcd_identity.c */
/** etcd_load_identity() - reads, and compares with what is known. -ENOENT: none */
int etcd_load_identity(struct etcd *h, struct store_identity *out, uint64_t deadline);
/** etcd_draw_identity() - if nobody else does; load it afterwards */
int etcd_draw_identity(struct etcd *h, uint64_t deadline);
int etcd_raise(struct store *s, const char *reason);

/* etcd_json.c: conversions */
json_t *etcd_b64(const void *data, size_t len);
/** etcd_unb64() - to be freed, with a NUL behind it; NULL: not base64 */
char *etcd_unb64(const json_t *j, size_t *len);
/** etcd_u64() - the gateway writes 64-bit numbers as text, and leaves out zeros */
uint64_t etcd_u64(const json_t *j, const char *name);

/* etcd_json.c: parts of requests */
json_t *etcd_key(const struct etcd *h, const char *key);
/** etcd_range() - "key" and "range_end" of a request */
json_t *etcd_range(const struct etcd *h, const char *key, bool prefix);
json_t *etcd_compare(const struct etcd *h, const char *key, uint64_t revision);
json_t *etcd_request_put(const struct etcd *h, const char *key, const char *value,
			 const char *lease);
json_t *etcd_request_delete(const struct etcd *h, const char *key);
json_t *etcd_request_range(const struct etcd *h, const char *key);
/** etcd_txn_json() - consumes all three */
json_t *etcd_txn_json(json_t *compares, json_t *success, json_t *failure);

#endif /* SWB_CTL_ETCD_H */
