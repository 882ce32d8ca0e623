// SPDX-License-Identifier: GPL-2.0-only
/*
 * A round trip over TCP as a replicated write makes it: a block one way, a short
 * answer back, and nothing else. What it takes is the network's part of the
 * physical limit (docs/design/bench.md).
 *
 *   pingpong serve PORT
 *   pingpong ADDRESS PORT BYTES COUNT	prints the mean of a round trip in us
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_BYTES	64
#define BYTES_MAX	65536

static char buf[BYTES_MAX];

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int all(int fd, size_t n, int out)
{
	size_t done = 0;
	ssize_t r;

	while (done < n) {
		r = out ? send(fd, buf + done, n - done, MSG_NOSIGNAL) :
			  recv(fd, buf + done, n - done, 0);
		if (r <= 0)
			return -1;
		done += (size_t)r;
	}
	return 0;
}

static void set_nodelay(int fd)
{
	int on = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)))
		fail("TCP_NODELAY");
}

/* Each client says first how many bytes a round brings. */
static void serve(const char *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };
	int on = 1, s = socket(AF_INET, SOCK_STREAM, 0), fd;
	uint32_t bytes;

	if (s < 0 || setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(s, (struct sockaddr *)&at, sizeof(at)) || listen(s, 1))
		fail("listen");
	for (;;) {
		fd = accept(s, NULL, NULL);
		if (fd < 0)
			fail("accept");
		set_nodelay(fd);
		if (!all(fd, sizeof(bytes), 0)) {
			memcpy(&bytes, buf, sizeof(bytes));
			while (bytes <= BYTES_MAX && !all(fd, bytes, 0) &&
			       !all(fd, ANSWER_BYTES, 1))
				;
		}
		close(fd);
	}
}

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	uint32_t bytes;
	double start;
	int s, i, n;

	if (argc == 3 && !strcmp(argv[1], "serve"))
		serve(argv[2]);
	if (argc != 5) {
		fprintf(stderr, "usage: pingpong serve PORT | ADDRESS PORT BYTES COUNT\n");
		return 2;
	}
	to.sin_port = htons(atoi(argv[2]));
	bytes = strtoul(argv[3], NULL, 10);
	n = atoi(argv[4]);
	if (!inet_aton(argv[1], &to.sin_addr) || bytes < sizeof(bytes) ||
	    bytes > BYTES_MAX || n < 1) {
		fprintf(stderr, "pingpong: bad argument\n");
		return 2;
	}
	s = socket(AF_INET, SOCK_STREAM, 0);
	if (s < 0 || connect(s, (struct sockaddr *)&to, sizeof(to)))
		fail("connect");
	set_nodelay(s);
	memcpy(buf, &bytes, sizeof(bytes));
	if (all(s, sizeof(bytes), 1))
		fail("send");
	start = now_us();
	for (i = 0; i < n; i++) {
		if (all(s, bytes, 1) || all(s, ANSWER_BYTES, 0))
			fail("round trip");
	}
	printf("%.1f\n", (now_us() - start) / n);
	return 0;
}
