// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replay a dm-log-writes log onto another device, up to any entry: what a power
 * cut at that point would have left. The layout is that of the kernel's
 * Documentation/admin-guide/device-mapper/log-writes.rst.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/types.h>

#define LOG_MAGIC 0x6a736677736872ULL
#define LOG_VERSION 1
#define SECTOR 512

#define FLAG_FLUSH 0x1
#define FLAG_FUA 0x2
#define FLAG_DISCARD 0x4
#define FLAG_MARK 0x8

struct log_super {
	__le64 magic;
	__le64 version;
	__le64 nr_entries;
	__le32 sectorsize;
} __attribute__((packed));

struct log_entry {
	__le64 sector;
	__le64 nr_sectors;
	__le64 flags;
	__le64 data_len;
};

static void __attribute__((noreturn, format(printf, 1, 2)))
die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "swbreplay: ");
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

static void read_at(int fd, uint64_t pos, void *buf, size_t len)
{
	ssize_t n = pread(fd, buf, len, (off_t)pos);

	if (n != (ssize_t)len)
		die("read of %zu at %" PRIu64 ": %s", len, pos,
		    n < 0 ? strerror(errno) : "short");
}

static void copy(int from, uint64_t from_pos, int to, uint64_t to_pos,
		 uint64_t len)
{
	static uint8_t buf[1 << 20];

	while (len) {
		size_t n = len < sizeof(buf) ? (size_t)len : sizeof(buf);

		if (from < 0)
			memset(buf, 0, n);
		else
			read_at(from, from_pos, buf, n);
		if (pwrite(to, buf, n, (off_t)to_pos) != (ssize_t)n)
			die("write of %zu at %" PRIu64 ": %s", n, to_pos,
			    strerror(errno));
		from_pos += n;
		to_pos += n;
		len -= n;
	}
}

static void entry_tell(int fd, uint64_t i, const struct log_entry *e,
		       uint64_t pos, uint32_t unit)
{
	static uint8_t sector[1 << 16];

	printf("%" PRIu64 " %s%s%s%s %" PRIu64 " %" PRIu64, i,
	       e->flags & FLAG_MARK    ? "mark" :
	       e->flags & FLAG_DISCARD ? "discard" :
	       e->nr_sectors	       ? "write" :
					 "empty",
	       e->flags & FLAG_FLUSH ? ",flush" : "",
	       e->flags & FLAG_FUA ? ",fua" : "", "", (uint64_t)e->sector,
	       (uint64_t)e->nr_sectors);
	if (e->flags & FLAG_MARK && unit <= sizeof(sector)) {
		read_at(fd, pos, sector, unit);
		printf(" %.*s", (int)(unit - sizeof(*e)),
		       (const char *)sector + sizeof(*e));
	}
	putchar('\n');
}

/* Walks entries 0..@to-1; @out < 0: list them, else apply those from @from on. */
static void walk(int fd, int out, uint64_t from, uint64_t to)
{
	struct log_super s;
	struct log_entry e;
	uint64_t pos, i, n;
	uint32_t unit;

	read_at(fd, 0, &s, sizeof(s));
	if (s.magic != LOG_MAGIC || s.version != LOG_VERSION)
		die("no log of dm-log-writes");
	unit = s.sectorsize;
	if (unit < SECTOR || unit > 65536)
		die("impossible sector size %u", unit);
	n = s.nr_entries;
	if (to > n)
		to = n;
	pos = unit;
	for (i = 0; i < to; i++) {
		uint64_t len;

		read_at(fd, pos, &e, sizeof(e));
		/* marks and discards carry no data; sectors are the device's units */
		len = e.flags & (FLAG_MARK | FLAG_DISCARD) ?
			      0 :
			      e.nr_sectors * unit;
		if (out < 0)
			entry_tell(fd, i, &e, pos, unit);
		else if (i >= from && len)
			copy(fd, pos + unit, out, e.sector * unit, len);
		else if (i >= from && e.flags & FLAG_DISCARD)
			copy(-1, 0, out, e.sector * unit, e.nr_sectors * unit);
		pos += unit + len;
	}
}

int main(int argc, char **argv)
{
	int fd, out = -1;

	if (argc == 3 && !strcmp(argv[1], "list")) {
		fd = open(argv[2], O_RDONLY);
		if (fd < 0)
			die("%s: %s", argv[2], strerror(errno));
		walk(fd, -1, 0, UINT64_MAX);
		return 0;
	}
	if (argc != 6 || strcmp(argv[1], "replay")) {
		fprintf(stderr, "usage: swbreplay list LOG\n"
				"       swbreplay replay LOG DEV FROM TO\n");
		return 2;
	}
	fd = open(argv[2], O_RDONLY);
	if (fd < 0)
		die("%s: %s", argv[2], strerror(errno));
	out = open(argv[3], O_RDWR);
	if (out < 0)
		die("%s: %s", argv[3], strerror(errno));
	walk(fd, out, strtoull(argv[4], NULL, 0), strtoull(argv[5], NULL, 0));
	if (fsync(out))
		die("%s: %s", argv[3], strerror(errno));
	return 0;
}
