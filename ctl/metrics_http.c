// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may have /metrics: a library speaks HTTP, in the loop of the daemon and
 * without a thread. It answers GET and HEAD of one path, and nothing that a client
 * does or leaves undone keeps the loop: all sockets are non-blocking, clients are
 * few, each has little time, and the one that is there longest makes room.
 *
 * Without an address nothing of this exists. An address that cannot be had is told
 * and tried again; volumes do not need it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <microhttpd.h>

#include "handshake.h"
#include "metrics.h"

#define PATH		"/metrics"
#define TYPE		"text/plain; version=0.0.4; charset=utf-8"
#define CLIENTS_MAX	16
#define CLIENT_NS	(5 * NSEC_PER_SEC)
#define RETRY_NS	(5 * NSEC_PER_SEC)
/* header of a request and of its answer */
#define CLIENT_BYTES	8192
/* who asks more often gets the same page: writing it takes longer than sending it */
#define PAGE_AGE_NS	(100 * SWB_NSEC_PER_MSEC)
#define RUNS_MAX	4

/**
 * struct client - a connection
 * @fd: its socket, -1: the entry is free
 * @since_ns: when it came
 */
struct client {
	int fd;
	uint64_t since_ns;
};

/**
 * struct metrics - the server
 * @d: the daemon
 * @listen: HOST:PORT, as in the configuration
 * @http: NULL: the address could not be had
 * @io: its descriptor in the loop
 * @timer: for what happens without a packet
 * @page: newest answer; connections hold it as long as they send it
 * @page_ns: when it was written
 * @left: a connection has ended in this run
 * @said: that it cannot be had
 * @client: connections
 */
struct metrics {
	struct daemon *d;
	char listen[CONFIG_TEXT_MAX];
	struct MHD_Daemon *http;
	sd_event_source *io;
	sd_event_source *timer;
	struct MHD_Response *page;
	uint64_t page_ns;
	bool left;
	bool said;
	struct client client[CLIENTS_MAX];
};

/* --- one request --- */

static struct MHD_Response *page_of(struct metrics *m)
{
	uint64_t now = boottime_ns();
	char *text;
	size_t len;

	if (m->page && now - m->page_ns < PAGE_AGE_NS)
		return m->page;
	if (m->page)
		MHD_destroy_response(m->page);
	m->page = NULL;
	text = metrics_page(m->d, &len);
	if (!text)
		return NULL;
	m->page = MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE);
	if (!m->page) {
		free(text);
		return NULL;
	}
	MHD_add_response_header(m->page, MHD_HTTP_HEADER_CONTENT_TYPE, TYPE);
	MHD_add_response_header(m->page, MHD_HTTP_HEADER_CONNECTION, "close");
	m->page_ns = now;
	return m->page;
}

static enum MHD_Result refuse(struct MHD_Connection *c, unsigned int code,
			      const char *words)
{
	struct MHD_Response *r;
	enum MHD_Result ret;

	r = MHD_create_response_from_buffer(strlen(words), (void *)words,
					    MHD_RESPMEM_PERSISTENT);
	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain");
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
	if (code == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	ret = MHD_queue_response(c, code, r);
	MHD_destroy_response(r);
	return ret;
}

/* Answered on the first call: what else a client means to send is not read. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *c,
				  const char *url, const char *method,
				  const char *version, const char *upload,
				  size_t *upload_size, void **state)
{
	struct MHD_Response *page;

	(void)version;
	(void)upload;
	(void)upload_size;
	(void)state;
	if (strcmp(url, PATH))
		return refuse(c, MHD_HTTP_NOT_FOUND, "there is " PATH " only\n");
	if (strcmp(method, MHD_HTTP_METHOD_GET) &&
	    strcmp(method, MHD_HTTP_METHOD_HEAD))
		return refuse(c, MHD_HTTP_METHOD_NOT_ALLOWED, "GET and HEAD only\n");
	page = page_of(arg);
	if (!page)
		return refuse(c, MHD_HTTP_SERVICE_UNAVAILABLE, "no memory\n");
	return MHD_queue_response(c, MHD_HTTP_OK, page);
}

/* --- connections --- */

static struct client *oldest(struct metrics *m)
{
	struct client *c, *found = NULL;

	for (c = m->client; c < m->client + CLIENTS_MAX; c++)
		if (c->fd >= 0 && (!found || c->since_ns < found->since_ns))
			found = c;
	return found;
}

static struct client *free_entry(struct metrics *m)
{
	struct client *c;

	for (c = m->client; c < m->client + CLIENTS_MAX; c++)
		if (c->fd < 0)
			return c;
	return NULL;
}

static void on_client(void *arg, struct MHD_Connection *conn, void **mine,
		      enum MHD_ConnectionNotificationCode what)
{
	struct metrics *m = arg;
	struct client *c = *mine;

	switch (what) {
	case MHD_CONNECTION_NOTIFY_STARTED:
		c = free_entry(m);
		*mine = c;
		if (!c)
			return;		/* the library keeps to the same limit */
		c->fd = MHD_get_connection_info(conn,
						MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
		c->since_ns = boottime_ns();
		/* the last place is taken: whoever is next must find one */
		if (!free_entry(m))
			shutdown(oldest(m)->fd, SHUT_RDWR);
		break;
	case MHD_CONNECTION_NOTIFY_CLOSED:
		if (c)
			c->fd = -1;
		m->left = true;
		break;
	}
}

/* The library ends a connection whose socket says that the other end has gone. */
static uint64_t end_slow(struct metrics *m)
{
	uint64_t now = boottime_ns(), next = UINT64_MAX;
	struct client *c;

	for (c = m->client; c < m->client + CLIENTS_MAX; c++) {
		if (c->fd < 0)
			continue;
		if (now - c->since_ns >= CLIENT_NS)
			shutdown(c->fd, SHUT_RDWR);
		else if (c->since_ns + CLIENT_NS < next)
			next = c->since_ns + CLIENT_NS;
	}
	return next;
}

/* --- in the loop --- */

static void wake_at(struct metrics *m, uint64_t ns)
{
	sd_event_source_set_time(m->timer, ns / 1000 + 1);
	sd_event_source_set_enabled(m->timer, SD_EVENT_ONESHOT);
}

static void serve(struct metrics *m)
{
	uint64_t next = end_slow(m), now;
	MHD_UNSIGNED_LONG_LONG ms;
	int runs = 0;

	/* a full house listens again only in the run after somebody left */
	do {
		m->left = false;
		MHD_run(m->http);
	} while (m->left && ++runs < RUNS_MAX);
	now = boottime_ns();
	if (m->left)
		next = now;
	if (MHD_get_timeout(m->http, &ms) == MHD_YES &&
	    now + ms * SWB_NSEC_PER_MSEC < next)
		next = now + ms * SWB_NSEC_PER_MSEC;
	if (next != UINT64_MAX)
		wake_at(m, next);
}

static int on_io(sd_event_source *s, int fd, uint32_t revents, void *arg)
{
	(void)s;
	(void)fd;
	(void)revents;
	serve(arg);
	return 0;
}

static void library_says(void *arg, const char *fmt, va_list ap)
{
	char text[200];

	(void)arg;
	vsnprintf(text, sizeof(text), fmt, ap);
	text[strcspn(text, "\r\n")] = 0;
	log_say(LOG_LEVEL_DEBUG, NULL, text, "by=metrics");
}

/* Takes @fd. Whether the library has closed it depends on where it failed. */
static struct MHD_Daemon *start_library(struct metrics *m, int fd)
{
	struct stat was, is;
	struct MHD_Daemon *http;
	bool known = !fstat(fd, &was);

	http = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0, NULL, NULL,
				on_request, m,
				MHD_OPTION_EXTERNAL_LOGGER, library_says, NULL,
				MHD_OPTION_LISTEN_SOCKET, fd,
				MHD_OPTION_CONNECTION_LIMIT, CLIENTS_MAX,
				MHD_OPTION_CONNECTION_MEMORY_LIMIT,
				(size_t)CLIENT_BYTES,
				MHD_OPTION_NOTIFY_CONNECTION, on_client, m,
				MHD_OPTION_END);
	if (!http && known && !fstat(fd, &is) && is.st_dev == was.st_dev &&
	    is.st_ino == was.st_ino)
		close(fd);
	return http;
}

static int open_socket(const struct metrics *m, char *why, size_t len)
{
	bool loopback;
	int fd = net_listen(m->listen, &loopback, why, len);

	if (fd < 0)
		return fd;
	if (!loopback && !m->d->cfg.metrics_public) {
		snprintf(why, len, "it is reached by others, and metrics.public is not said");
		close(fd);
		return -1;
	}
	/* a client that has left again must not be waited for in accept() */
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return fd;
}

static void stop_serving(struct metrics *m)
{
	m->io = sd_event_source_disable_unref(m->io);
	if (m->http)
		MHD_stop_daemon(m->http);
	m->http = NULL;
	if (m->page)
		MHD_destroy_response(m->page);
	m->page = NULL;
}

static bool start_serving(struct metrics *m, char *why, size_t len)
{
	const union MHD_DaemonInfo *info;
	int fd = open_socket(m, why, len);

	if (fd < 0)
		return false;
	m->http = start_library(m, fd);
	info = m->http ? MHD_get_daemon_info(m->http, MHD_DAEMON_INFO_EPOLL_FD) :
			 NULL;
	if (info && sd_event_add_io(m->d->ev, &m->io, info->epoll_fd, EPOLLIN,
				    on_io, m) >= 0)
		return true;
	snprintf(why, len, "the library refuses");
	stop_serving(m);
	return false;
}

static void try_serving(struct metrics *m)
{
	char why[256];

	if (start_serving(m, why, sizeof(why))) {
		m->said = false;
		log_say(LOG_LEVEL_NOTICE, NULL, "metrics are served",
			"url=http://%s" PATH, m->listen);
		serve(m);
		return;
	}
	if (!m->said)
		log_say(LOG_LEVEL_ERROR, NULL,
			"metrics cannot be served; it is tried again",
			"address=%s error=\"%s\"", m->listen, why);
	m->said = true;
	wake_at(m, boottime_ns() + RETRY_NS);
}

static int on_time(sd_event_source *s, uint64_t usec, void *arg)
{
	struct metrics *m = arg;

	(void)s;
	(void)usec;
	if (m->http)
		serve(m);
	else
		try_serving(m);
	return 0;
}

void metrics_close(struct daemon *d)
{
	struct metrics *m = d->metrics;

	if (!m)
		return;
	stop_serving(m);
	sd_event_source_disable_unref(m->timer);
	free(m);
	d->metrics = NULL;
}

int metrics_apply(struct daemon *d)
{
	struct metrics *m = d->metrics;
	unsigned int i;
	int err;

	if (m && !strcmp(m->listen, d->cfg.metrics_listen))
		return 0;
	metrics_close(d);
	if (!*d->cfg.metrics_listen)
		return 0;
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->d = d;
	for (i = 0; i < CLIENTS_MAX; i++)
		m->client[i].fd = -1;
	text_copy(m->listen, d->cfg.metrics_listen, sizeof(m->listen));
	err = sd_event_add_time(d->ev, &m->timer, CLOCK_BOOTTIME, UINT64_MAX, 1000,
				on_time, m);
	if (err < 0) {
		free(m);
		return err;
	}
	sd_event_source_set_enabled(m->timer, SD_EVENT_OFF);
	d->metrics = m;
	try_serving(m);
	return 0;
}
