// SPDX-License-Identifier: GPL-2.0-only
/* Stream sockets by HOST:PORT, with a deadline. Knows nothing of what is said. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "handshake.h"

/* "host:port", "[::1]:port", ":port" */
static bool split(const char *hostport, char *host, size_t len, const char **port)
{
	const char *colon = strrchr(hostport, ':');
	const char *start = hostport, *end = colon;

	if (!colon || !colon[1])
		return false;
	if (*start == '[') {
		start++;
		if (end == start || end[-1] != ']')
			return false;
		end--;
	}
	if ((size_t)(end - start) >= len)
		return false;
	memcpy(host, start, (size_t)(end - start));
	host[end - start] = 0;
	*port = colon + 1;
	return true;
}

static struct addrinfo *lookup(const char *hostport, int flags, char *why,
			       size_t len)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = flags };
	struct addrinfo *list = NULL;
	const char *port;
	char host[256];
	int err;

	if (!split(hostport, host, sizeof(host), &port)) {
		snprintf(why, len, "\"%s\" is not HOST:PORT", hostport);
		return NULL;
	}
	err = getaddrinfo(*host ? host : NULL, port, &hints, &list);
	if (err) {
		snprintf(why, len, "%s: %s", hostport, gai_strerror(err));
		return NULL;
	}
	return list;
}

static void set_nodelay(int fd)
{
	int on = 1;

	/* an ack must not wait for company */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

static int wait_ready(int fd, short what, uint64_t deadline_ns)
{
	struct pollfd p = { .fd = fd, .events = what };
	uint64_t now;
	int ret;

	for (;;) {
		now = boottime_ns();
		if (now >= deadline_ns)
			return -ETIMEDOUT;
		ret = poll(&p, 1, (int)min_t(uint64_t, 1000,
					     (deadline_ns - now) / 1000000 + 1));
		if (ret > 0)
			return 0;
		if (ret < 0 && errno != EINTR)
			return -errno;
	}
}

static int connect_one(const struct addrinfo *ai, uint64_t deadline_ns)
{
	int fd, err = 0, flags;
	socklen_t len = sizeof(err);

	fd = socket(ai->ai_family, ai->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
		    ai->ai_protocol);
	if (fd < 0)
		return -errno;
	if (connect(fd, ai->ai_addr, ai->ai_addrlen)) {
		err = errno;
		if (err == EINPROGRESS) {
			err = -wait_ready(fd, POLLOUT, deadline_ns);
			if (!err)
				getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
			/* only a second call makes the kernel's socket "connected" */
			if (!err && connect(fd, ai->ai_addr, ai->ai_addrlen) &&
			    errno != EISCONN)
				err = errno;
		}
	}
	if (err) {
		close(fd);
		return -err;
	}
	flags = fcntl(fd, F_GETFL);
	fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
	set_nodelay(fd);
	return fd;
}

static int connect_any(const struct addrinfo *list, uint64_t deadline_ns)
{
	const struct addrinfo *ai;
	int fd = -EHOSTUNREACH;

	for (ai = list; ai; ai = ai->ai_next) {
		fd = connect_one(ai, deadline_ns);
		if (fd >= 0 || fd == -ETIMEDOUT)
			break;
	}
	return fd;
}

static int connect_within(const char *hostport, bool patient, uint64_t deadline_ns,
			  char *why, size_t len)
{
	struct addrinfo *list = lookup(hostport, 0, why, len);
	int fd;

	if (!list)
		return -1;
	do {
		fd = connect_any(list, deadline_ns);
		if (fd != -ECONNREFUSED || !patient)
			break;
		usleep(100000);
	} while (boottime_ns() < deadline_ns);
	freeaddrinfo(list);
	if (fd < 0) {
		snprintf(why, len, "%s: %s", hostport, strerror(-fd));
		return -1;
	}
	return fd;
}

int net_connect(const char *hostport, uint64_t deadline_ns, char *why, size_t len)
{
	return connect_within(hostport, true, deadline_ns, why, len);
}

int net_connect_once(const char *hostport, uint64_t deadline_ns, char *why,
		     size_t len)
{
	return connect_within(hostport, false, deadline_ns, why, len);
}

static bool is_loopback(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)sa)->sin_addr.s_addr) >>
		       24 == 127;
	if (sa->sa_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)sa)->sin6_addr);
	return false;
}

bool net_peer_is_local(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	if (getpeername(fd, (struct sockaddr *)&ss, &len))
		return false;
	return ss.ss_family == AF_UNIX || is_loopback((struct sockaddr *)&ss);
}

int net_listen(const char *hostport, bool *loopback, char *why, size_t len)
{
	struct addrinfo *list = lookup(hostport, AI_PASSIVE, why, len);
	int fd, on = 1;

	if (!list)
		return -1;
	*loopback = is_loopback(list->ai_addr);
	fd = socket(list->ai_family, list->ai_socktype | SOCK_CLOEXEC,
		    list->ai_protocol);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, list->ai_addr, list->ai_addrlen) || listen(fd, 64)) {
		snprintf(why, len, "%s: %s", hostport, strerror(errno));
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	freeaddrinfo(list);
	return fd;
}

int net_accept(int fd, uint64_t deadline_ns, char *why, size_t len)
{
	int err, peer;

	do {
		err = wait_ready(fd, POLLIN, deadline_ns);
		peer = err ? -1 : accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	} while (!err && peer < 0 && (errno == EINTR || errno == ECONNABORTED));
	if (peer < 0) {
		snprintf(why, len, "nobody connected: %s",
			 strerror(err ? -err : errno));
		return -1;
	}
	set_nodelay(peer);
	return peer;
}
