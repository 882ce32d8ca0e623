// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests to etcd's gateway: which member, how long, how often.
 *
 * The question that matters is whether a request that failed may have been
 * carried out. It cannot have been while the body was not handed out as a whole:
 * etcd acts on complete requests only. So the body goes through read_body(), which
 * counts; and it cannot be rewound, so that libcurl never repeats a request on its
 * own when a kept connection turns out to be dead.
 *
 * Answers "no leader" (asked for by the header hasleader), of authentication and
 * of limits come before anything is done. All other failures leave it open.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "etcd.h"
#include "late.h"

#define CONNECT_MS	1000
#define ATTEMPT_MIN_MS	400
#define PAUSE_US	50000
#define WORDS_MAX	160

/* codes of gRPC, as the gateway passes them on */
enum {
	GRPC_INVALID = 3,
	GRPC_NOT_FOUND = 5,
	GRPC_PERMISSION = 7,
	GRPC_EXHAUSTED = 8,
	GRPC_PRECONDITION = 9,
	GRPC_OUT_OF_RANGE = 11,
	GRPC_UNAVAILABLE = 14,
	GRPC_UNAUTHENTICATED = 16,
};

/**
 * struct transfer - one request on its way
 * @body: what is sent
 * @len: of so many bytes
 * @handed: so many were handed out
 * @in: answer
 */
struct transfer {
	const char *body;
	size_t len, handed;
	struct etcd_buffer in;
};

static size_t read_body(char *out, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	size_t left = t->len - t->handed, room = size * n;

	if (left > room)
		left = room;
	memcpy(out, t->body + t->handed, left);
	t->handed += left;
	return left;
}

static int no_rewind(void *arg, curl_off_t offset, int origin)
{
	(void)arg;
	(void)offset;
	(void)origin;
	return CURL_SEEKFUNC_FAIL;
}

size_t etcd_buffer_add(char *data, size_t size, size_t n, void *buffer)
{
	struct etcd_buffer *b = buffer;
	size_t len = size * n, room = b->room ? b->room : 4096;
	char *p;

	if (b->len + len >= ETCD_ANSWER_MAX)
		return 0;
	while (room <= b->len + len)
		room *= 2;
	if (room != b->room) {
		p = realloc(b->p, room);
		if (!p)
			return 0;
		b->p = p;
		b->room = room;
	}
	memcpy(b->p + b->len, data, len);
	b->len += len;
	b->p[b->len] = 0;
	return len;
}

static void set_tls(CURL *c, const struct etcd_config *cfg)
{
	curl.easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (*cfg->ca) {
		curl.easy_setopt(c, CURLOPT_CAINFO, cfg->ca);
		curl.easy_setopt(c, CURLOPT_CAPATH, NULL);
	}
	if (*cfg->cert) {
		curl.easy_setopt(c, CURLOPT_SSLCERT, cfg->cert);
		curl.easy_setopt(c, CURLOPT_SSLKEY, cfg->key);
	}
}

void etcd_prepare(struct etcd *h, CURL *c, unsigned int endpoint, const char *path,
		  struct curl_slist **headers)
{
	char url[ETCD_TEXT_MAX + 64], token[ETCD_TEXT_MAX + 32];

	curl.easy_reset(c);
	snprintf(url, sizeof(url), "%s://%s%s", h->cfg.tls ? "https" : "http",
		 h->cfg.endpoint[endpoint], path);
	*headers = curl.slist_append(NULL, "Content-Type: application/json");
	/* 100-continue costs a round trip, and a second if it is not understood */
	*headers = curl.slist_append(*headers, "Expect:");
	*headers = curl.slist_append(*headers, "Grpc-Metadata-hasleader: true");
	if (*h->token) {
		snprintf(token, sizeof(token), "Authorization: %s", h->token);
		*headers = curl.slist_append(*headers, token);
	}
	curl.easy_setopt(c, CURLOPT_URL, url);
	curl.easy_setopt(c, CURLOPT_HTTPHEADER, *headers);
	curl.easy_setopt(c, CURLOPT_POST, 1L);
	curl.easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl.easy_setopt(c, CURLOPT_PROXY, "");
	curl.easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl.easy_setopt(c, CURLOPT_PROTOCOLS_STR, h->cfg.tls ? "https" : "http");
	curl.easy_setopt(c, CURLOPT_TCP_NODELAY, 1L);
	curl.easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
	curl.easy_setopt(c, CURLOPT_TCP_KEEPIDLE, 5L);
	curl.easy_setopt(c, CURLOPT_TCP_KEEPINTVL, 2L);
	curl.easy_setopt(c, CURLOPT_WRITEFUNCTION, etcd_buffer_add);
	set_tls(c, &h->cfg);
}

/* --- what an answer means --- */

static bool has_words(const char *text, const char *words)
{
	return text && strstr(text, words);
}

int etcd_error_said(struct etcd *h, const json_t *error)
{
	const char *text = json_string_value(json_object_get(error, "message"));
	uint64_t code = etcd_u64(error, "code");

	if (!code)
		code = etcd_u64(error, "grpc_code");
	if (!text)
		text = json_string_value(json_object_get(error, "error"));
	if (!text)
		text = "an error without words";
	store_fail(&h->base, 0, "etcd %.100s: %.*s", h->cfg.endpoint[h->current],
		   WORDS_MAX / 2, text);
	if (code == GRPC_UNAUTHENTICATED || has_words(text, "revision of auth store") ||
	    has_words(text, "invalid auth token") ||
	    (*h->cfg.user && has_words(text, "user name is empty")))
		return -EKEYEXPIRED;
	if (code == GRPC_PERMISSION || has_words(text, "authentication failed") ||
	    has_words(text, "user name is empty"))
		return -EACCES;
	if (code == GRPC_NOT_FOUND)
		return -ESRCH;
	if (has_words(text, "request is too large") || has_words(text, "larger than max"))
		return -E2BIG;
	if (has_words(text, "database space exceeded"))
		return -ENOSPC;
	if (code == GRPC_OUT_OF_RANGE || has_words(text, "has been compacted"))
		return -ERANGE;
	if (has_words(text, "no leader") || has_words(text, "too many requests"))
		return -EAGAIN;
	if (code == GRPC_INVALID || code == GRPC_PRECONDITION)
		return -EINVAL;
	return -EIO;
}

/*
 * P17c: another cluster, or the same one with an older memory. Only linearizable
 * answers have revisions that never fall: keep-alives and watches are answered by a
 * member that may lag behind.
 */
int etcd_note_header(struct etcd *h, const json_t *answer, bool linearizable)
{
	const json_t *header = json_object_get(answer, "header");
	const char *id = json_string_value(json_object_get(header, "cluster_id"));
	uint64_t revision = linearizable ? etcd_u64(header, "revision") : 0;

	if (*h->cluster && id && strcmp(id, h->cluster)) {
		h->foreign = true;
		return store_fail(&h->base, -EXDEV,
				  "etcd %.100s is cluster %s, not %s: restored, or another one",
				  h->cfg.endpoint[h->current], id, h->cluster);
	}
	if (revision && revision < h->seen) {
		h->foreign = true;
		return store_fail(&h->base, -EXDEV,
				  "etcd %.100s went back from revision %llu to %llu: restored from a backup?",
				  h->cfg.endpoint[h->current],
				  (unsigned long long)h->seen,
				  (unsigned long long)revision);
	}
	if (revision)
		h->seen = revision;
	return 0;
}

static int curl_said(struct etcd *h, CURLcode rc, const char *words)
{
	const char *text = *words ? words : curl.easy_strerror(rc);

	store_fail(&h->base, 0, "etcd %.100s: %.140s", h->cfg.endpoint[h->current],
		   text);
	switch ((int)rc) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CONNECT_ERROR:
		return -EACCES;
	case CURLE_OPERATION_TIMEDOUT:
		return -ETIMEDOUT;
	default:
		return -EIO;
	}
}

/* etcd refuses some requests before its gateway sees them, in plain words. */
static int no_json(struct etcd *h, const struct transfer *t, long status)
{
	int len = t->in.p ? (int)strcspn(t->in.p, "\r\n") : 0;

	return store_fail(&h->base, status >= 400 && status < 500 ? -EACCES : -EIO,
			  "etcd %.60s: the answer is no JSON: %ld %.*s",
			  h->cfg.endpoint[h->current], status,
			  len < WORDS_MAX ? len : WORDS_MAX, t->in.p ? t->in.p : "");
}

/* Streams of one answer wrap it in "result". */
static int take_answer(struct etcd *h, struct transfer *t, long status,
		       json_t **answer)
{
	json_t *j = t->in.p ? json_loads(t->in.p, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
	json_t *inner;
	int err = 0;

	inner = json_object_get(j, "error");
	if (!json_is_object(j)) {
		err = no_json(h, t, status);
	} else if (inner) {
		err = etcd_error_said(h, json_is_object(inner) ? inner : j);
	} else {
		inner = json_object_get(j, "result");
		*answer = json_incref(inner ? inner : j);
	}
	json_decref(j);
	return err;
}

/* One attempt at one member. @sent: it may have been carried out. */
static int attempt(struct etcd *h, const char *path, const char *body,
		   long timeout_ms, json_t **answer, bool *sent)
{
	struct transfer t = { .body = body, .len = strlen(body) };
	char words[CURL_ERROR_SIZE] = "";
	struct curl_slist *headers = NULL;
	CURL *c = h->easy;
	long status = 0;
	CURLcode rc;
	int err;

	etcd_prepare(h, c, h->current, path, &headers);
	curl.easy_setopt(c, CURLOPT_ERRORBUFFER, words);
	curl.easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t.len);
	curl.easy_setopt(c, CURLOPT_READFUNCTION, read_body);
	curl.easy_setopt(c, CURLOPT_READDATA, &t);
	curl.easy_setopt(c, CURLOPT_SEEKFUNCTION, no_rewind);
	curl.easy_setopt(c, CURLOPT_WRITEDATA, &t.in);
	curl.easy_setopt(c, CURLOPT_TIMEOUT_MS, timeout_ms);
	curl.easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS,
			 timeout_ms < CONNECT_MS ? timeout_ms : (long)CONNECT_MS);
	rc = curl.easy_perform(c);
	*sent = t.handed == t.len;
	curl.easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	err = rc == CURLE_OK ? take_answer(h, &t, status, answer) :
	      curl_said(h, rc, words);
	curl.easy_setopt(c, CURLOPT_HTTPHEADER, NULL);
	curl.easy_setopt(c, CURLOPT_ERRORBUFFER, NULL);
	curl.slist_free_all(headers);
	free(t.in.p);
	return err;
}

static json_t *credentials(const struct etcd *h)
{
	return json_pack("{s:s, s:s}", "name", h->cfg.user, "password",
			 h->cfg.password);
}

int etcd_authenticate(struct etcd *h, uint64_t deadline_ns)
{
	uint64_t now = boottime_ns();
	json_t *answer = NULL, *j;
	const char *token;
	bool sent;
	char *body;
	int err;

	if (!*h->cfg.user || *h->token || h->no_auth)
		return 0;
	if (now >= deadline_ns)
		return -ETIMEDOUT;
	j = credentials(h);
	body = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	err = body ? attempt(h, "/v3/auth/authenticate", body,
			     (long)((deadline_ns - now) / 1000000) + 1, &answer, &sent) :
	      -ENOMEM;
	free(body);
	token = json_string_value(json_object_get(answer, "token"));
	if (!err && token && strlen(token) < sizeof(h->token))
		strcpy(h->token, token);
	else if (!err)
		err = store_fail(&h->base, -EIO, "etcd: no token");
	json_decref(answer);
	if (err == -EINVAL && strstr(h->base.error, "not enabled")) {
		h->no_auth = true;
		err = 0;
	}
	return err == -EKEYEXPIRED ? -EACCES : err;
}

/* Time for one attempt: some is kept for the members not yet asked. */
static long attempt_ms(const struct etcd *h, enum etcd_kind kind, unsigned int tries,
		       uint64_t left_ns)
{
	unsigned int n = h->cfg.endpoint_count;
	long left = (long)(left_ns / 1000000) + 1, share;

	if (kind == ETCD_ONCE)
		return left;
	share = left / (long)(n - tries % n);
	if (share < ATTEMPT_MIN_MS)
		share = ATTEMPT_MIN_MS;
	return share < left ? share : left;
}

/* Return: true if there is no point in asking another member. */
static bool is_final(int err, bool sent)
{
	switch (err) {
	case 0:
	case -EXDEV:
	case -E2BIG:
	case -ENOSPC:
	case -ESRCH:
	case -ERANGE:
	case -EINVAL:
	case -ENOMEM:
		return true;
	case -EACCES:
		return sent;	/* else it is the certificate of one member */
	default:
		return false;
	}
}

static int one_try(struct etcd *h, const char *path, const char *body,
		   enum etcd_kind kind, unsigned int tries, uint64_t deadline_ns,
		   json_t **answer, bool *sent)
{
	uint64_t now = boottime_ns();
	int err;

	*sent = false;
	if (now >= deadline_ns)
		return tries ? -ETIMEDOUT :
		       store_fail(&h->base, -ETIMEDOUT, "etcd: no time left");
	err = etcd_authenticate(h, now + (deadline_ns - now) / 2);
	if (err) {
		*sent = err == -EACCES;
		return err;
	}
	now = boottime_ns();
	if (now >= deadline_ns)
		return -ETIMEDOUT;
	err = attempt(h, path, body, attempt_ms(h, kind, tries, deadline_ns - now),
		      answer, sent);
	if (!err)
		err = etcd_note_header(h, *answer, !strncmp(path, "/v3/kv/", 7));
	if (err) {
		json_decref(*answer);
		*answer = NULL;
	}
	return err;
}

int etcd_call(struct etcd *h, const char *path, json_t *body, enum etcd_kind kind,
	      uint64_t deadline_ns, json_t **answer, bool *unsure)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	unsigned int tries = 0, denied = 0, tokens = 0;
	bool sent;
	int err;

	json_decref(body);
	*answer = NULL;
	if (!text)
		return store_fail(&h->base, -EINVAL, "the request is no JSON");
	for (;; tries++) {
		err = one_try(h, path, text, kind, tries, deadline_ns, answer, &sent);
		if (is_final(err, sent))
			break;
		if (err == -EKEYEXPIRED) {
			h->token[0] = 0;
			h->no_auth = false;
			if (++tokens > 3)
				break;
			continue;
		}
		if (err == -EACCES && ++denied >= h->cfg.endpoint_count)
			break;
		/* even if this call ends here: the next one asks another member */
		h->current = (h->current + 1) % h->cfg.endpoint_count;
		if ((err == -EIO || err == -ETIMEDOUT) && sent) {
			if (unsure)
				*unsure = true;
			if (kind == ETCD_ONCE)
				break;
		}
		if (boottime_ns() >= deadline_ns)
			break;
		if (tries % h->cfg.endpoint_count == h->cfg.endpoint_count - 1)
			usleep(PAUSE_US);
	}
	free(text);
	return err == -EAGAIN ? -EIO : err == -EKEYEXPIRED ? -EACCES : err;
}
