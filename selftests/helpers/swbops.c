// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs workloads on a volume and leaves a mark in the kernel's trace before and
 * after each operation, so that the marks stand in one order with the requests
 * that the volume sends to its disk. tools/crash/ judges what a crash would leave.
 *
 *	swbops DEV [-B BLOCK-BYTES] [-k BLOCKS] [-s SEED] [-r COMMAND] <WORKLOADS
 *
 * One workload a line, one letter an operation; a barrier precedes each line:
 *	w  one block	m  four blocks	l  a large write	u  one block, FUA
 *	z  zeroes or a discard	p  four writers at once, one block each
 *	f  barrier	c  time for write-back	r  COMMAND: crash and attach again
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/fs.h>

#include "../../tools/crash/ops.h"

#define MARKER "/sys/kernel/tracing/trace_marker"
#define WRITERS 4
#define WRITE_BACK_US 450000	/* the flusher looks each fifth of a second */

struct op {
	uint64_t number;
	char kind;
	uint32_t first;
	uint32_t count;
	bool failed;
	pthread_t thread;
};

static struct {
	const char *dev, *reattach;
	uint32_t block_bytes, blocks;
	uint64_t seed;
} o = { .block_bytes = 4096, .blocks = 64, .seed = 1 };

static int dev_fd = -1, mark_fd;
static uint64_t ops;

static void __attribute__((noreturn, format(printf, 1, 2)))
die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "swbops: ");
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

static void __attribute__((format(printf, 1, 2))) mark(const char *fmt, ...)
{
	char line[160];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (write(mark_fd, line, (size_t)n) < 0)
		die("%s: %s", MARKER, strerror(errno));
}

static void dev_open(void)
{
	dev_fd = open(o.dev, O_RDWR | O_DIRECT);
	if (dev_fd < 0)
		die("%s: %s", o.dev, strerror(errno));
}

static int write_blocks(const struct op *op, int flags)
{
	size_t len = (size_t)op->count * o.block_bytes;
	off_t pos = (off_t)op->first * o.block_bytes;
	int fd = dev_fd;
	ssize_t n;
	void *buf;

	if (posix_memalign(&buf, 4096, len))
		die("no memory");
	for (uint32_t b = 0; b < op->count; b++)
		for (uint32_t s = 0; s < o.block_bytes / OPS_SECTOR; s++)
			ops_fill((char *)buf + b * o.block_bytes + s * OPS_SECTOR,
				 op->number, op->first + b, s);
	if (flags)
		fd = open(o.dev, O_RDWR | O_DIRECT | flags);
	n = fd < 0 ? -1 : pwrite(fd, buf, len, pos);
	if (flags && fd >= 0)
		close(fd);
	free(buf);
	return n == (ssize_t)len ? 0 : -1;
}

static int zero_blocks(const struct op *op)
{
	uint64_t range[2] = { (uint64_t)op->first * o.block_bytes,
			      (uint64_t)op->count * o.block_bytes };

	if (op->number & 1 || ioctl(dev_fd, BLKDISCARD, range))
		return ioctl(dev_fd, BLKZEROOUT, range);
	return 0;
}

static int reattach(void)
{
	int rc;

	close(dev_fd);
	rc = o.reattach ? system(o.reattach) : -1;
	dev_open();
	return rc;
}

static int run(const struct op *op)
{
	switch (op->kind) {
	case 'w':
	case 'm':
	case 'l':
	case 'p':
		return write_blocks(op, 0);
	case 'u':
		return write_blocks(op, O_DSYNC);
	case 'z':
		return zero_blocks(op);
	case 'f':
		return fsync(dev_fd);
	case 'c':
		return usleep(WRITE_BACK_US);
	case 'r':
		return reattach();
	}
	die("no operation %c", op->kind);
}

static struct op next_op(char kind)
{
	struct op op = { .number = ++ops, .kind = kind };
	uint64_t r = ops_mix(ops_mix(o.seed) + op.number);

	if (strchr("wup", kind))
		op.count = 1;
	else if (kind == 'm')
		op.count = 4;
	else if (kind == 'l')
		op.count = OPS_BLOCKS_MAX;
	else if (kind == 'z')
		op.count = 1 + (uint32_t)(r >> 40) % 4;
	if (op.count)
		op.first = (uint32_t)(r % (o.blocks - op.count + 1));
	return op;
}

static void begin(const struct op *op)
{
	mark("swb B %" PRIu64 " %c %u %u", op->number, op->kind, op->first,
	     op->count);
}

static void *writer(void *arg)
{
	struct op *op = arg;

	op->failed = run(op) != 0;
	mark("swb E %" PRIu64, op->number);
	return NULL;
}

/* Four writers, blocks apart, so that only the log knows their order. */
static void run_parallel(void)
{
	struct op op[WRITERS];

	for (int i = 0; i < WRITERS; i++) {
		op[i] = next_op('p');
		op[i].first = (op[0].first + (uint32_t)i) % o.blocks;
		begin(&op[i]);
	}
	for (int i = 0; i < WRITERS; i++)
		if (pthread_create(&op[i].thread, NULL, writer, &op[i]))
			die("no thread");
	for (int i = 0; i < WRITERS; i++) {
		pthread_join(op[i].thread, NULL);
		if (op[i].failed)
			die("operation %" PRIu64 ": %s", op[i].number,
			    strerror(errno));
	}
}

static void run_one(char kind)
{
	struct op op;

	if (kind == 'p') {
		run_parallel();
		return;
	}
	op = next_op(kind);
	begin(&op);
	if (run(&op))
		die("operation %" PRIu64 " (%c): %s", op.number, kind,
		    strerror(errno));
	mark("swb E %" PRIu64, op.number);
}

int main(int argc, char **argv)
{
	char line[512];
	uint64_t lines = 0;
	int c;

	while ((c = getopt(argc, argv, "B:k:s:r:")) != -1) {
		if (c == 'B')
			o.block_bytes = (uint32_t)strtoul(optarg, NULL, 0);
		else if (c == 'k')
			o.blocks = (uint32_t)strtoul(optarg, NULL, 0);
		else if (c == 's')
			o.seed = strtoull(optarg, NULL, 0);
		else if (c == 'r')
			o.reattach = optarg;
		else
			die("unknown option");
	}
	if (optind + 1 != argc || o.blocks < OPS_BLOCKS_MAX ||
	    o.block_bytes % OPS_SECTOR)
		die("usage: swbops DEV [-B BYTES] [-k BLOCKS] [-s SEED] [-r COMMAND]");
	o.dev = argv[optind];
	mark_fd = open(MARKER, O_WRONLY);
	if (mark_fd < 0)
		die("%s: %s", MARKER, strerror(errno));
	dev_open();
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = 0;
		run_one('f');
		mark("swb W %s", line);
		lines++;
		for (const char *p = line; *p; p++)
			run_one(*p);
	}
	run_one('f');
	mark("swb X");
	printf("%" PRIu64 " workloads, %" PRIu64 " operations\n", lines, ops);
	return 0;
}
