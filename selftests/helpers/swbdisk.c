// SPDX-License-Identifier: GPL-2.0-only
/*
 * Damage a member's disk on purpose: show, set, copy and flip the bytes of
 * superblocks and WAL groups, with the checksum made right again unless the
 * test wants it wrong. Knows the layout, decides nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/fs.h>

#include "core/port.h"
#include "format/disk.h"

#define GROUPS_SHOWN_MAX 100000

static const char usage_text[] =
	"usage: swbdisk COMMAND DEV ...\n"
	"  show DEV                       both superblock slots\n"
	"  get DEV FIELD                  of the newest slot\n"
	"  set DEV SLOT FIELD=VALUE...    SLOT: 0, 1, new, old, both; crc is renewed\n"
	"  tear DEV SLOT                  spoil the checksum of a slot\n"
	"  zap DEV SLOT                   overwrite a slot with zeroes\n"
	"  swap DEV                       exchange the two slots\n"
	"  flip DEV OFFSET                invert one byte\n"
	"  fill DEV OFFSET LEN [BYTE]     fill a range\n"
	"  groups DEV [WALDEV]            the groups that chain from the saved tail\n"
	"  group-set DEV POS FIELD=VALUE  POS: offset on DEV; crc is renewed\n"
	"  group-flip DEV POS header|payload\n"
	"  pages DEV OFFSET LEN           crc32c of a range\n";

struct field {
	const char *name;
	size_t offset;
	size_t len;
};

#define F(type, member)                                    \
	{                                                  \
#member, offsetof(struct type, member),    \
			sizeof(((struct type *)0)->member) \
	}

static const struct field super_fields[] = {
	F(swb_disk_super, magic),
	F(swb_disk_super, version),
	F(swb_disk_super, generation),
	F(swb_disk_super, volume_uuid),
	F(swb_disk_super, replica_uuid),
	F(swb_disk_super, store_uuid),
	F(swb_disk_super, store_generation),
	F(swb_disk_super, ring_id),
	F(swb_disk_super, flags),
	F(swb_disk_super, block_bytes),
	F(swb_disk_super, ring_unit),
	F(swb_disk_super, tail_prev_crc),
	F(swb_disk_super, ring_offset),
	F(swb_disk_super, ring_bytes),
	F(swb_disk_super, extent_offset),
	F(swb_disk_super, extent_bytes),
	F(swb_disk_super, epoch),
	F(swb_disk_super, opened),
	F(swb_disk_super, incarnation),
	F(swb_disk_super, extent_lo),
	F(swb_disk_super, extent_hi),
	F(swb_disk_super, committed),
	F(swb_disk_super, tail_pos),
	F(swb_disk_super, tail_seq),
	F(swb_disk_super, tail_lsn),
	F(swb_disk_super, log_end),
	F(swb_disk_super, base_lsn),
	F(swb_disk_super, bitmap_offset),
	F(swb_disk_super, bitmap_bytes),
	F(swb_disk_super, bitmap_epoch),
	F(swb_disk_super, bitmap_lsn),
	F(swb_disk_super, extent_hi_epoch),
	F(swb_disk_super, rebuild_source),
	F(swb_disk_super, lineage_count),
	F(swb_disk_super, volume_label),
	F(swb_disk_super, replica_label),
	{ NULL, 0, 0 },
};

static const struct field group_fields[] = {
	F(swb_disk_group, magic),	  F(swb_disk_group, seq),
	F(swb_disk_group, incarnation),	  F(swb_disk_group, epoch),
	F(swb_disk_group, first_lsn),	  F(swb_disk_group, committed),
	F(swb_disk_group, ring_id),	  F(swb_disk_group, prev_crc),
	F(swb_disk_group, nrec),	  F(swb_disk_group, header_bytes),
	F(swb_disk_group, payload_bytes), { NULL, 0, 0 },
};

static void __attribute__((noreturn, format(printf, 1, 2)))
die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "swbdisk: ");
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

void swb_assert_failed(const char *file, int line, const char *cond)
{
	die("%s:%d: %s", file, line, cond);
}

u32 swb_crc32c(u32 seed, const void *buf, size_t len)
{
	const u8 *p = buf;
	u32 crc = ~seed;

	while (len--) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (0x82f63b78 & -(crc & 1));
	}
	return ~crc;
}

static void read_at(int fd, u64 pos, void *buf, size_t len)
{
	ssize_t n = pread(fd, buf, len, (off_t)pos);

	if (n != (ssize_t)len)
		die("read of %zu at %" PRIu64 ": %s", len, pos,
		    n < 0 ? strerror(errno) : "short");
}

static void write_at(int fd, u64 pos, const void *buf, size_t len)
{
	ssize_t n = pwrite(fd, buf, len, (off_t)pos);

	if (n != (ssize_t)len)
		die("write of %zu at %" PRIu64 ": %s", len, pos,
		    n < 0 ? strerror(errno) : "short");
}

static u64 number(const char *s)
{
	char *end;
	u64 v = strtoull(s, &end, 0);

	if (!*s || *end)
		die("%s is no number", s);
	return v;
}

static const u64 slot_pos[2] = { SWB_SUPER_OFFSET_0, SWB_SUPER_OFFSET_1 };

static u32 super_crc(const struct swb_disk_super *s)
{
	struct swb_disk_super copy = *s;

	copy.crc = 0;
	return swb_crc32c(0, &copy, sizeof(copy));
}

static bool super_good(const struct swb_disk_super *s)
{
	return !memcmp(s->magic, SWB_DISK_MAGIC, 8) &&
	       le32_to_cpu(s->crc) == super_crc(s);
}

static int newest(const struct swb_disk_super s[2])
{
	bool good[2] = { super_good(&s[0]), super_good(&s[1]) };

	if (!good[0] && !good[1])
		die("no good slot");
	if (good[0] != good[1])
		return good[1];
	return le64_to_cpu(s[1].generation) > le64_to_cpu(s[0].generation);
}

static void slots_read(int fd, struct swb_disk_super s[2])
{
	for (int i = 0; i < 2; i++)
		read_at(fd, slot_pos[i], &s[i], sizeof(s[i]));
}

static void field_print(const struct field *f, const void *base)
{
	const u8 *p = (const u8 *)base + f->offset;
	u64 v = 0;

	if (!strcmp(f->name, "magic") && f->len == 8) {
		printf("%.8s", (const char *)p);
	} else if (strstr(f->name, "label")) {
		printf("%.*s", (int)f->len, (const char *)p);
	} else if (f->len == 16) {
		for (size_t i = 0; i < f->len; i++)
			printf("%02x", p[i]);
	} else {
		for (size_t i = f->len; i-- > 0;)
			v = v << 8 | p[i];
		printf("%" PRIu64, v);
	}
}

static const struct field *field_find(const struct field *f, const char *name,
				      size_t len)
{
	for (; f->name; f++)
		if (strlen(f->name) == len && !strncmp(f->name, name, len))
			return f;
	die("no field %.*s", (int)len, name);
}

/* FIELD=VALUE, FIELD=+N and FIELD=-N for numbers, hex digits for uuids */
static void field_assign(const struct field *fields, void *base,
			 const char *arg)
{
	const char *eq = strchr(arg, '=');
	const struct field *f;
	unsigned int byte;
	u64 v = 0;
	u8 *p;

	if (!eq)
		die("%s is no FIELD=VALUE", arg);
	f = field_find(fields, arg, (size_t)(eq - arg));
	p = (u8 *)base + f->offset;
	eq++;
	if ((!strcmp(f->name, "magic") && f->len == 8) ||
	    strstr(f->name, "label")) {
		strncpy((char *)p, eq, f->len);
	} else if (f->len == 16) {
		for (size_t i = 0; i < f->len; i++) {
			if (sscanf(eq + 2 * i, "%2x", &byte) != 1)
				die("%s: 32 hex digits", f->name);
			p[i] = (u8)byte;
		}
	} else {
		for (size_t i = f->len; i-- > 0;)
			v = v << 8 | p[i];
		if (*eq == '+')
			v += number(eq + 1);
		else if (*eq == '-')
			v -= number(eq + 1);
		else
			v = number(eq);
		for (size_t i = 0; i < f->len; i++, v >>= 8)
			p[i] = (u8)v;
	}
}

static void show(int fd)
{
	struct swb_disk_super s[2];

	slots_read(fd, s);
	for (int i = 0; i < 2; i++) {
		printf("slot%d.good=%d\n", i, super_good(&s[i]));
		for (const struct field *f = super_fields; f->name; f++) {
			printf("slot%d.%s=", i, f->name);
			field_print(f, &s[i]);
			putchar('\n');
		}
	}
}

static unsigned int slots_named(const struct swb_disk_super s[2],
				const char *name)
{
	if (!strcmp(name, "0"))
		return 1;
	if (!strcmp(name, "1"))
		return 2;
	if (!strcmp(name, "both"))
		return 3;
	if (!strcmp(name, "new"))
		return 1U << newest(s);
	if (!strcmp(name, "old"))
		return 1U << !newest(s);
	die("slot is 0, 1, new, old or both");
}

static void set(int fd, const char *slot, char **args)
{
	struct swb_disk_super s[2];
	unsigned int which;

	slots_read(fd, s);
	which = slots_named(s, slot);
	for (int i = 0; i < 2; i++) {
		if (!(which & 1U << i))
			continue;
		for (char **a = args; *a; a++)
			field_assign(super_fields, &s[i], *a);
		s[i].crc = cpu_to_le32(super_crc(&s[i]));
		write_at(fd, slot_pos[i], &s[i], sizeof(s[i]));
	}
}

static void spoil(int fd, const char *slot, bool zap)
{
	struct swb_disk_super s[2];
	unsigned int which;

	slots_read(fd, s);
	which = slots_named(s, slot);
	for (int i = 0; i < 2; i++) {
		if (!(which & 1U << i))
			continue;
		if (zap)
			memset(&s[i], 0, sizeof(s[i]));
		else /* as a write that was cut: the second half is old */
			memset((u8 *)&s[i] + 2048, 0x5a, 2048);
		write_at(fd, slot_pos[i], &s[i], sizeof(s[i]));
	}
}

static void swap(int fd)
{
	struct swb_disk_super s[2];

	slots_read(fd, s);
	write_at(fd, slot_pos[0], &s[1], sizeof(s[1]));
	write_at(fd, slot_pos[1], &s[0], sizeof(s[0]));
}

static void flip(int fd, u64 pos)
{
	u8 byte;

	read_at(fd, pos, &byte, 1);
	byte ^= 0xff;
	write_at(fd, pos, &byte, 1);
}

static void fill(int fd, u64 pos, u64 len, u8 byte)
{
	u8 buf[65536];

	memset(buf, byte, sizeof(buf));
	while (len) {
		size_t n = len < sizeof(buf) ? (size_t)len : sizeof(buf);

		write_at(fd, pos, buf, n);
		pos += n;
		len -= n;
	}
}

/* Reads a header of at most 4096 bytes at @pos of the ring; false: no group. */
static bool group_at(int fd, const struct swb_disk_super *s, u64 pos, u8 *buf)
{
	struct swb_disk_group *g = (void *)buf;
	u64 room = le64_to_cpu(s->ring_bytes) - pos;
	u32 crc, len;

	memset(buf, 0, SWB_GROUP_HEADER_MAX);
	read_at(fd, le64_to_cpu(s->ring_offset) + pos, buf,
		room < SWB_GROUP_HEADER_MAX ? (size_t)room :
					      SWB_GROUP_HEADER_MAX);
	len = le32_to_cpu(g->header_bytes);
	if (le32_to_cpu(g->magic) != SWB_GROUP_MAGIC ||
	    g->ring_id != s->ring_id || len < sizeof(*g) ||
	    len > SWB_GROUP_HEADER_MAX || len > room)
		return false;
	crc = le32_to_cpu(g->crc);
	g->crc = 0;
	if (crc != swb_crc32c(0, buf, len))
		return false;
	g->crc = cpu_to_le32(crc);
	return true;
}

/* One line a group: offset on the device, then the fields. */
static void groups(int fd, int wal_fd)
{
	struct swb_disk_super slots[2], *s;
	u64 pos, ring, unit, seq, n;
	u8 buf[SWB_GROUP_HEADER_MAX];
	struct swb_disk_group *g = (void *)buf;
	u32 prev;

	slots_read(fd, slots);
	s = &slots[newest(slots)];
	ring = le64_to_cpu(s->ring_bytes);
	unit = le32_to_cpu(s->ring_unit);
	pos = le64_to_cpu(s->tail_pos);
	seq = le64_to_cpu(s->tail_seq);
	prev = le32_to_cpu(s->tail_prev_crc);
	for (n = 0; n < GROUPS_SHOWN_MAX; n++) {
		u64 len;

		if (pos >= ring || !group_at(wal_fd, s, pos, buf) ||
		    le64_to_cpu(g->seq) != seq ||
		    le32_to_cpu(g->prev_crc) != prev) {
			if (!pos || !group_at(wal_fd, s, 0, buf) ||
			    le64_to_cpu(g->seq) != seq ||
			    le32_to_cpu(g->prev_crc) != prev)
				break;
			pos = 0;
		}
		printf("pos=%" PRIu64, le64_to_cpu(s->ring_offset) + pos);
		for (const struct field *f = group_fields + 1; f->name; f++) {
			printf(" %s=", f->name);
			field_print(f, buf);
		}
		putchar('\n');
		prev = le32_to_cpu(g->crc);
		seq++;
		len = (u64)le32_to_cpu(g->header_bytes) +
		      le32_to_cpu(g->payload_bytes);
		pos += (len + unit - 1) / unit * unit;
	}
}

static void group_set(int fd, u64 pos, char **args)
{
	u8 buf[SWB_GROUP_HEADER_MAX];
	struct swb_disk_group *g = (void *)buf;
	u32 len;

	read_at(fd, pos, buf, sizeof(buf));
	if (le32_to_cpu(g->magic) != SWB_GROUP_MAGIC)
		die("no group at %" PRIu64, pos);
	len = le32_to_cpu(g->header_bytes);
	if (len < sizeof(*g) || len > sizeof(buf))
		die("no whole group at %" PRIu64, pos);
	for (; *args; args++)
		field_assign(group_fields, buf, *args);
	g->crc = 0;
	g->crc = cpu_to_le32(swb_crc32c(0, buf, len));
	write_at(fd, pos, buf, len);
}

static void group_flip(int fd, u64 pos, const char *part)
{
	u8 buf[SWB_GROUP_HEADER_MAX];
	struct swb_disk_group *g = (void *)buf;

	read_at(fd, pos, buf, sizeof(buf));
	if (le32_to_cpu(g->magic) != SWB_GROUP_MAGIC)
		die("no group at %" PRIu64, pos);
	if (!strcmp(part, "header"))
		flip(fd, pos + offsetof(struct swb_disk_group, first_lsn));
	else if (!strcmp(part, "payload") && g->payload_bytes)
		flip(fd, pos + le32_to_cpu(g->header_bytes) +
				 le32_to_cpu(g->payload_bytes) / 2);
	else
		die("no %s in this group", part);
}

static void pages(int fd, u64 pos, u64 len)
{
	u8 *buf = malloc(len ? len : 1);

	if (!buf)
		die("no memory");
	read_at(fd, pos, buf, len);
	printf("%08x\n", swb_crc32c(0, buf, len));
	free(buf);
}

int main(int argc, char **argv)
{
	const char *cmd = argc > 1 ? argv[1] : "";
	bool look = !strcmp(cmd, "show") || !strcmp(cmd, "get") ||
		    !strcmp(cmd, "groups") || !strcmp(cmd, "pages");
	struct swb_disk_super s[2];
	int fd;

	if (argc < 3) {
		fputs(usage_text, stderr);
		return 2;
	}
	fd = open(argv[2], look ? O_RDONLY : O_RDWR);
	if (fd < 0)
		die("%s: %s", argv[2], strerror(errno));
	/* the module's own writes pass the page cache by */
	ioctl(fd, BLKFLSBUF, 0);

	if (!strcmp(cmd, "show") && argc == 3) {
		show(fd);
	} else if (!strcmp(cmd, "get") && argc == 4) {
		slots_read(fd, s);
		field_print(field_find(super_fields, argv[3], strlen(argv[3])),
			    &s[newest(s)]);
		putchar('\n');
	} else if (!strcmp(cmd, "set") && argc > 4) {
		set(fd, argv[3], argv + 4);
	} else if ((!strcmp(cmd, "tear") || !strcmp(cmd, "zap")) && argc == 4) {
		spoil(fd, argv[3], !strcmp(cmd, "zap"));
	} else if (!strcmp(cmd, "swap") && argc == 3) {
		swap(fd);
	} else if (!strcmp(cmd, "flip") && argc == 4) {
		flip(fd, number(argv[3]));
	} else if (!strcmp(cmd, "fill") && (argc == 5 || argc == 6)) {
		fill(fd, number(argv[3]), number(argv[4]),
		     argc == 6 ? (u8)number(argv[5]) : 0);
	} else if (!strcmp(cmd, "groups") && (argc == 3 || argc == 4)) {
		int wal_fd = argc == 4 ? open(argv[3], O_RDONLY) : fd;

		if (wal_fd < 0)
			die("%s: %s", argv[3], strerror(errno));
		groups(fd, wal_fd);
	} else if (!strcmp(cmd, "group-set") && argc > 4) {
		group_set(fd, number(argv[3]), argv + 4);
	} else if (!strcmp(cmd, "group-flip") && argc == 5) {
		group_flip(fd, number(argv[3]), argv[4]);
	} else if (!strcmp(cmd, "pages") && argc == 5) {
		pages(fd, number(argv[3]), number(argv[4]));
	} else {
		fputs(usage_text, stderr);
		return 2;
	}
	if (!look && fsync(fd))
		die("fsync: %s", strerror(errno));
	close(fd);
	return 0;
}
