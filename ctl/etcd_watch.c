// SPDX-License-Identifier: GPL-2.0-only
/*
 * store_wait() by etcd's watch: one stream over the gateway, kept open from call to
 * call. It starts with the revision after the one that the caller has seen, so
 * nothing is missed however late it is opened; if that revision is compacted, the
 * answer is "look again".
 *
 * A stream can go silent without an end: the member is frozen, or alone (then etcd
 * ends it, for hasleader is set). So when nothing comes, a plain read asks now and
 * then whether there is anything newer; it goes to whatever member answers.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "etcd.h"
#include "late.h"

#define CHECK_NS	(2 * NSEC_PER_SEC)
#define PAUSE_MS	100
#define WATCH_BYTES_MAX	(8 << 20)

void etcd_watch_stop(struct etcd *h)
{
	struct etcd_watch *w = &h->watch;

	if (w->easy) {
		curl.multi_remove_handle(w->multi, w->easy);
		curl.easy_cleanup(w->easy);
	}
	curl.slist_free_all(w->headers);
	free(w->body);
	free(w->in.p);
	w->easy = NULL;
	w->headers = NULL;
	w->body = NULL;
	memset(&w->in, 0, sizeof(w->in));
	w->over = false;
}

static int watch_start(struct etcd *h, const char *prefix, uint64_t next)
{
	struct etcd_watch *w = &h->watch;
	json_t *create = etcd_range(h, prefix, true), *j = json_object();

	etcd_watch_stop(h);
	/* values are not wanted, but the gateway has no way to leave them out */
	json_object_set_new(create, "start_revision", json_integer((json_int_t)next));
	json_object_set_new(j, "create_request", create);
	w->body = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	w->easy = curl.easy_init();
	if (!w->body || !w->easy)
		return store_fail(&h->base, -ENOMEM, "no memory");
	w->endpoint = h->current;
	etcd_prepare(h, w->easy, w->endpoint, "/v3/watch", &w->headers);
	curl.easy_setopt(w->easy, CURLOPT_POSTFIELDS, w->body);
	curl.easy_setopt(w->easy, CURLOPT_WRITEDATA, &w->in);
	curl.easy_setopt(w->easy, CURLOPT_CONNECTTIMEOUT_MS, 1000L);
	snprintf(w->prefix, sizeof(w->prefix), "%s", prefix);
	w->next = next;
	if (curl.multi_add_handle(w->multi, w->easy))
		return store_fail(&h->base, -ENOMEM, "no memory");
	return 0;
}

static uint64_t newest_of(const json_t *events)
{
	uint64_t revision, newest = 0;
	const json_t *one;
	size_t i;

	json_array_foreach(events, i, one) {
		revision = etcd_u64(json_object_get(one, "kv"), "mod_revision");
		if (revision > newest)
			newest = revision;
	}
	return newest;
}

/* One line of the stream. Return: 1 events, 0 nothing, or -errno: it is over. */
static int take_line(struct etcd *h, const char *line)
{
	struct etcd_watch *w = &h->watch;
	json_t *j = json_loads(line, 0, NULL), *result;
	uint64_t newest;
	int ret = 0;

	result = json_object_get(j, "result");
	newest = newest_of(json_object_get(result, "events"));
	if (!json_is_object(result))
		ret = json_is_object(json_object_get(j, "error")) ?
		      etcd_error_said(h, json_object_get(j, "error")) : -EIO;
	else
		ret = etcd_note_header(h, result, false);
	if (!ret && json_is_true(json_object_get(result, "canceled")))
		ret = etcd_u64(result, "compact_revision") ? -ERANGE : -EIO;
	if (!ret && newest) {
		w->next = newest + 1;
		ret = 1;
	}
	json_decref(j);
	return ret;
}

static int take_lines(struct etcd *h)
{
	struct etcd_buffer *in = &h->watch.in;
	char *end;
	size_t len;
	int ret = 0, one;

	while (ret >= 0 && in->len && (end = memchr(in->p, '\n', in->len))) {
		*end = 0;
		one = take_line(h, in->p);
		len = (size_t)(end + 1 - in->p);
		in->len -= len;
		memmove(in->p, in->p + len, in->len);
		ret = one < 0 ? one : ret | one;
	}
	/* more than this without an end of line: forget it, look again */
	if (ret >= 0 && in->len > WATCH_BYTES_MAX)
		ret = -ERANGE;
	return ret;
}

/* Return: 1 events, 0 nothing until the time is over, -errno the stream is over. */
static int pump(struct etcd *h, uint64_t until_ns)
{
	struct etcd_watch *w = &h->watch;
	uint64_t now;
	int ret, running = 0, left;
	CURLMsg *msg;

	for (;;) {
		curl.multi_perform(w->multi, &running);
		ret = take_lines(h);
		if (ret)
			return ret;
		msg = curl.multi_info_read(w->multi, &left);
		if (msg && msg->msg == CURLMSG_DONE)
			return store_fail(&h->base, -EIO, "etcd %.100s: watch: %s",
					  h->cfg.endpoint[w->endpoint],
					  curl.easy_strerror(msg->data.result));
		now = boottime_ns();
		if (now >= until_ns)
			return 0;
		curl.multi_poll(w->multi, NULL, 0,
				(int)((until_ns - now) / 1000000) + 1, NULL);
	}
}

/* What stands there now. @from: 1 if anything below @prefix is as new as that. */
static int look(struct etcd *h, const char *prefix, uint64_t from, uint64_t deadline,
		uint64_t *revision)
{
	json_t *req = etcd_range(h, prefix, true), *answer;
	int ret;

	json_object_set_new(req, "limit", json_integer(1));
	json_object_set_new(req, "keys_only", json_true());
	if (from)
		json_object_set_new(req, "min_mod_revision",
				    json_integer((json_int_t)from));
	ret = etcd_call(h, ETCD_RANGE, req, ETCD_READ, deadline, &answer, NULL);
	if (ret)
		return ret;
	*revision = etcd_u64(json_object_get(answer, "header"), "revision");
	ret = json_array_size(json_object_get(answer, "kvs")) > 0;
	json_decref(answer);
	return ret;
}

static int look_again(struct etcd *h, const char *prefix, uint64_t *since)
{
	uint64_t deadline = boottime_ns() + h->base.timeout_ms * 1000000ULL;
	int ret = look(h, prefix, 0, deadline, since);

	etcd_watch_stop(h);
	h->watch.checked_ns = boottime_ns();
	return ret < 0 ? ret : 1;
}

/* Silence: is there really nothing? Return: 1 there is, 0, or -errno. */
static int check_silence(struct etcd *h, const char *prefix, uint64_t *since)
{
	struct etcd_watch *w = &h->watch;
	uint64_t now = boottime_ns(), revision = 0;
	int ret;

	if (now - w->checked_ns < CHECK_NS)
		return 0;
	ret = look(h, prefix, *since + 1, now + h->base.timeout_ms * 1000000ULL,
		   &revision);
	if (ret < 0)
		return ret;
	w->checked_ns = boottime_ns();
	if (!ret)
		return 0;
	/* the stream should have told; it may just be late */
	etcd_watch_stop(h);
	h->current = (h->current + 1) % h->cfg.endpoint_count;
	*since = revision;
	return 1;
}

static bool goes_on(const struct etcd_watch *w, const char *prefix, uint64_t since)
{
	return w->easy && w->next <= since + 1 && !strcmp(w->prefix, prefix);
}

/* The stream ended, or did not come about: another one, unless it is refused. */
static int stream_over(struct etcd *h, int err)
{
	etcd_watch_stop(h);
	if (err == -EKEYEXPIRED) {
		h->token[0] = 0;
		return 0;
	}
	if (err != -EIO && err != -EAGAIN && err != -ETIMEDOUT)
		return err;
	h->current = (h->current + 1) % h->cfg.endpoint_count;
	usleep(PAUSE_MS * 1000);
	return 0;
}

int etcd_wait(struct store *s, const char *prefix, uint64_t *since,
	      unsigned int timeout_ms)
{
	struct etcd *h = (struct etcd *)s;
	uint64_t now = boottime_ns(), end = now + timeout_ms * 1000000ULL;
	int ret;

	if (h->foreign)
		return -EXDEV;
	if (!*since)
		return look_again(h, prefix, since);
	for (;;) {
		ret = etcd_authenticate(h, now + h->base.timeout_ms * 1000000ULL);
		if (!ret && !goes_on(&h->watch, prefix, *since))
			ret = watch_start(h, prefix, *since + 1);
		if (!ret)
			ret = pump(h, end);
		if (ret == 1) {
			*since = h->watch.next - 1;
			return 1;
		}
		if (ret == -ERANGE)
			return look_again(h, prefix, since);
		if (ret < 0)
			ret = stream_over(h, ret);
		if (ret < 0)
			return ret;
		now = boottime_ns();
		if (now >= end)
			return check_silence(h, prefix, since);
	}
}
