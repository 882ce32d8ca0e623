// SPDX-License-Identifier: GPL-2.0-only
/*
 * swbwal: look at a member's disk offline. Reads only, by the same scanner and
 * codec as the module (core/recover.c, core/codec.c). swbwal(8).
 *
 *	swbwal dump    [-j] DEV [--wal DEV]
 *	swbwal fsck    [-j] DEV [--wal DEV]
 *	swbwal image   DEV OUT [--wal DEV]
 *	swbwal compare DEV1 DEV2 [--wal DEV] [--wal2 DEV]
 *
 * Exit codes: 0 well or equal, 1 not, 2 usage or a file that cannot be read.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/text.h"
#include "walimage.h"

#define EXIT_WELL	0
#define EXIT_DIFFERS	1
#define EXIT_USAGE	2

static bool json;

/* ---- words ---------------------------------------------------------------- */

static const char *uuid_text(const struct swb_uuid *u)
{
	static char out[4][37];
	static int turn;
	char *s = out[turn = (turn + 1) % 4], *p = s;

	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		p += sprintf(p, "%02x", u->b[i]);
	}
	return s;
}

static const char *rec_text(u8 type)
{
	switch ((enum swb_rec_type)type) {
	case SWB_REC_WRITE:
		return "write";
	case SWB_REC_ZEROES:
		return "zeroes";
	case SWB_REC_OPEN:
		return "open";
	}
	return "?";
}

/* Labels are free text of the admin: keep JSON and terminals safe. */
static const char *label_text(const u8 *label)
{
	static char out[2][SWB_LABEL_BYTES + 1];
	static int turn;
	char *s = out[turn = !turn];
	int n = 0;

	for (; n < SWB_LABEL_BYTES && label[n]; n++)
		s[n] = label[n] < 32 || label[n] > 126 || label[n] == '"' ||
		       label[n] == '\\' ? '?' : (char)label[n];
	s[n] = 0;
	return s;
}

static void print_verdict(const struct member *m, bool comma)
{
	const struct logread *l = &m->l;
	const char *what = swb_text_case(SWBLOCK_TABLE_RECOVER, l->letter);
	const char *hint = swb_text_hint(SWBLOCK_TABLE_RECOVER, l->letter);

	if (json) {
		printf("\"verdict\":\"%s\",\"case\":\"%c\",\"scan_end\":\"%s\","
		       "\"text\":\"%s\",\"log_start\":%" PRIu64
		       ",\"log_end\":%" PRIu64 ",\"last_epoch\":%" PRIu64
		       ",\"groups\":%" PRIu64 "%s",
		       swb_text_recover(l->recover), l->letter,
		       l->fits ? swb_text_scan_end(l->scan.why) : "not scanned",
		       what ? what : "", l->fits ? l->rec.start : 0,
		       l->fits ? l->rec.head : 0,
		       l->fits ? l->rec.last_epoch : 0,
		       l->fits ? l->scan.groups : 0, comma ? "," : "");
		return;
	}
	printf("verdict   %s, case %c: %s\n", swb_text_recover(l->recover),
	       l->letter, what ? what : "");
	if (l->recover == SWB_RECOVER_REFUSE && hint)
		printf("          %s\n", hint);
	if (l->fits)
		printf("log       %" PRIu64 "..%" PRIu64 ", epoch %" PRIu64
		       ", %" PRIu64 " groups, scan ended: %s\n", l->rec.start,
		       l->rec.head, l->rec.last_epoch, l->scan.groups,
		       swb_text_scan_end(l->scan.why));
}

/* ---- dump ----------------------------------------------------------------- */

static void dump_super_json(const struct logread *l, int i)
{
	const struct swb_durable *d = &l->slots[i];

	printf("%s{\"slot\":%d,\"state\":\"%s\"", i ? "," : "", i,
	       swb_text_super(l->verdict[i]));
	if (l->verdict[i] == SWB_SUPER_OK)
		printf(",\"used\":%s,\"generation\":%" PRIu64
		       ",\"volume\":\"%s\",\"volume_label\":\"%s\""
		       ",\"replica\":\"%s\",\"replica_label\":\"%s\""
		       ",\"store\":\"%s\",\"store_generation\":%" PRIu64
		       ",\"flags\":%u,\"block_bytes\":%u,\"ring_unit\":%u"
		       ",\"ring_offset\":%" PRIu64 ",\"ring_bytes\":%" PRIu64
		       ",\"extent_offset\":%" PRIu64 ",\"extent_bytes\":%" PRIu64
		       ",\"epoch\":%" PRIu64 ",\"opened\":%" PRIu64
		       ",\"incarnation\":%" PRIu64 ",\"extent_lo\":%" PRIu64
		       ",\"extent_hi\":%" PRIu64 ",\"committed\":%" PRIu64
		       ",\"tail_pos\":%" PRIu64 ",\"tail_seq\":%" PRIu64
		       ",\"tail_lsn\":%" PRIu64 ",\"sealed_end\":%" PRIu64
		       ",\"bitmap_offset\":%" PRIu64 ",\"bitmap_bytes\":%" PRIu64
		       ",\"bitmap_epoch\":%" PRIu64 ",\"bitmap_lsn\":%" PRIu64
		       ",\"base_lsn\":%" PRIu64 ",\"extent_hi_epoch\":%" PRIu64
		       ",\"rebuild_source\":\"%s\"",
		       i == l->slot ? "true" : "false", d->generation,
		       uuid_text(&d->volume), label_text(d->volume_label),
		       uuid_text(&d->replica), label_text(d->replica_label),
		       uuid_text(&d->store), d->store_generation, d->flags,
		       d->block_bytes, d->ring_unit, d->ring_offset,
		       d->ring_bytes, d->extent_offset, d->extent_bytes,
		       d->epoch, d->opened, d->incarnation, d->extent_lo,
		       d->extent_hi, d->committed, d->tail_pos, d->tail_seq,
		       d->tail_lsn, d->log_end, d->bitmap_offset,
		       d->bitmap_bytes, d->bitmap_epoch, d->bitmap_lsn,
		       d->base_lsn, d->extent_hi_epoch,
		       uuid_text(&d->rebuild_source));
	putchar('}');
}

static void dump_super_text(const struct logread *l, int i)
{
	const struct swb_durable *d = &l->slots[i];

	printf("super %d   %s%s\n", i, swb_text_super(l->verdict[i]),
	       i == l->slot ? ", in use" : "");
	if (l->verdict[i] != SWB_SUPER_OK)
		return;
	printf("  generation %" PRIu64 "  flags %#x  block %u  ring unit %u\n",
	       d->generation, d->flags, d->block_bytes, d->ring_unit);
	printf("  volume  %s  %s\n", uuid_text(&d->volume),
	       label_text(d->volume_label));
	printf("  replica %s  %s\n", uuid_text(&d->replica),
	       label_text(d->replica_label));
	printf("  store   %s  generation %" PRIu64 "\n", uuid_text(&d->store),
	       d->store_generation);
	printf("  ring    %" PRIu64 " + %" PRIu64 "   extent %" PRIu64 " + %"
	       PRIu64 "\n", d->ring_offset, d->ring_bytes, d->extent_offset,
	       d->extent_bytes);
	printf("  epoch %" PRIu64 "  opened %" PRIu64 "  incarnation %" PRIu64
	       "  sealed end %" PRIu64 "\n", d->epoch, d->opened,
	       d->incarnation, d->log_end);
	printf("  extent_lo %" PRIu64 "  extent_hi %" PRIu64 "  committed %"
	       PRIu64 "\n", d->extent_lo, d->extent_hi, d->committed);
	printf("  tail at %" PRIu64 "  seq %" PRIu64 "  lsn %" PRIu64 "\n",
	       d->tail_pos, d->tail_seq, d->tail_lsn);
}

static void dump_lineage(const struct logread *l)
{
	const struct swb_lineage *t = l->fits ? &l->rec.lineage :
						&l->d.lineage;

	printf(json ? "\"lineage\":[" : "lineage   epoch from lsn\n");
	for (u32 i = 0; i < t->count; i++) {
		bool over = t->e[i].flags & SWB_LINEAGE_OVERRIDE;

		if (json)
			printf("%s{\"epoch\":%" PRIu64 ",\"first_lsn\":%" PRIu64
			       ",\"override\":%s}", i ? "," : "", t->e[i].epoch,
			       t->e[i].first_lsn, over ? "true" : "false");
		else
			printf("          %5" PRIu64 " %8" PRIu64 "%s\n",
			       t->e[i].epoch, t->e[i].first_lsn,
			       over ? "  by override" : "");
	}
	if (json)
		printf("],");
}

static void dump_record(const struct logread_group *g, u32 i)
{
	const struct swb_rec *r = &g->rec[i];

	if (json)
		printf("%s{\"lsn\":%" PRIu64 ",\"type\":\"%s\",\"sector\":%"
		       PRIu64 ",\"bytes\":%u,\"crc\":%u}", i ? "," : "",
		       g->info.first_lsn + i, rec_text(r->type), r->sector,
		       r->len_bytes, r->crc);
	else
		printf("    %8" PRIu64 "  %-6s sector %8" PRIu64
		       "  bytes %7u  crc %08x\n", g->info.first_lsn + i,
		       rec_text(r->type), r->sector, r->len_bytes, r->crc);
}

static u64 dumped;

static void dump_group(void *ctx, const struct logread_group *g)
{
	(void)ctx;
	if (json)
		printf("%s{\"pos\":%" PRIu64 ",\"seq\":%" PRIu64
		       ",\"incarnation\":%" PRIu64 ",\"epoch\":%" PRIu64
		       ",\"first_lsn\":%" PRIu64 ",\"committed\":%" PRIu64
		       ",\"records\":[", dumped ? "," : "", g->pos, g->info.seq,
		       g->info.incarnation, g->info.epoch, g->info.first_lsn,
		       g->info.committed);
	else
		printf("  group %" PRIu64 " at %" PRIu64 "  incarnation %"
		       PRIu64 "  epoch %" PRIu64 "  C %" PRIu64
		       "  %u of %u records%s\n", g->info.seq, g->pos,
		       g->info.incarnation, g->info.epoch, g->info.committed,
		       g->live, g->info.nrec,
		       g->overlap_from ? "  (starts inside the one before)" :
					 "");
	dumped++;
	for (u32 i = 0; i < g->live; i++)
		dump_record(g, i);
	if (json)
		printf("]}");
}

/* Two passes: the superblocks and the verdict first, then group by group. */
static int cmd_dump(struct member *m)
{
	logread_run(&m->l, NULL, NULL);
	if (json)
		printf("{\"device\":\"%s\",\"supers\":[", m->path);
	for (int i = 0; i < SWB_SUPER_SLOTS; i++) {
		if (json)
			dump_super_json(&m->l, i);
		else
			dump_super_text(&m->l, i);
	}
	if (json)
		printf("],");
	print_verdict(m, true);
	dump_lineage(&m->l);
	printf(json ? "\"log\":[" : "groups\n");
	if (m->l.fits)
		logread_run(&m->l, dump_group, m);
	if (json)
		printf("]}\n");
	return m->l.recover == SWB_RECOVER_REFUSE ? EXIT_DIFFERS : EXIT_WELL;
}

/* ---- fsck, image, compare --------------------------------------------------- */

static int cmd_fsck(struct member *m)
{
	bool bad;

	logread_run(&m->l, NULL, NULL);
	bad = m->l.recover == SWB_RECOVER_REFUSE ||
	      m->l.recover == SWB_RECOVER_VOID || m->l.error;
	if (json)
		printf("{\"device\":\"%s\",\"ok\":%s,", m->path,
		       bad ? "false" : "true");
	print_verdict(m, false);
	if (json)
		printf("}\n");
	else if (m->l.error)
		printf("read      %s\n", strerror(-m->l.error));
	return bad ? EXIT_DIFFERS : EXIT_WELL;
}

static int read_failed(const struct member *m, int err)
{
	fprintf(stderr, "swbwal: %s: %s\n", m->path, strerror(-err));
	return EXIT_USAGE;
}

static bool write_all(int fd, const u8 *buf, size_t len)
{
	while (len) {
		ssize_t n = write(fd, buf, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		buf += n;
		len -= (size_t)n;
	}
	return true;
}

static int cmd_image(struct member *m, const char *out)
{
	static u8 buf[WALIMAGE_CHUNK];
	u64 left, off = 0;
	int fd, err;

	if (!walimage_load(m))
		return EXIT_DIFFERS;
	fd = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0) {
		fprintf(stderr, "swbwal: %s: %s\n", out, strerror(errno));
		return EXIT_USAGE;
	}
	for (left = m->l.d.extent_bytes; left; ) {
		u32 n = left < sizeof(buf) ? (u32)left : (u32)sizeof(buf);

		err = walimage_read(m, off, buf, n);
		if (err) {
			close(fd);
			return read_failed(m, err);
		}
		if (!write_all(fd, buf, n)) {
			fprintf(stderr, "swbwal: %s: %s\n", out,
				strerror(errno));
			close(fd);
			return EXIT_USAGE;
		}
		off += n;
		left -= n;
	}
	if (close(fd)) {
		fprintf(stderr, "swbwal: %s: %s\n", out, strerror(errno));
		return EXIT_USAGE;
	}
	printf("%s: %" PRIu64 " bytes at lsn %" PRIu64 " of epoch %" PRIu64
	       "\n", out, off, m->l.rec.head, m->l.rec.last_epoch);
	return EXIT_WELL;
}

static void print_compare(struct member *a, struct member *b, u64 blocks,
			  u64 first)
{
	if (json) {
		printf("{\"equal\":%s,\"bytes\":%" PRIu64
		       ",\"different_blocks\":%" PRIu64 ",\"lsn\":[%" PRIu64
		       ",%" PRIu64 "]", blocks ? "false" : "true",
		       a->l.d.extent_bytes, blocks, a->l.rec.head,
		       b->l.rec.head);
		if (blocks)
			printf(",\"first_offset\":%" PRIu64, first);
		printf("}\n");
		return;
	}
	if (!blocks)
		printf("equal: %" PRIu64 " bytes (lsn %" PRIu64 " and %" PRIu64
		       ")\n", a->l.d.extent_bytes, a->l.rec.head,
		       b->l.rec.head);
	else
		printf("different: %" PRIu64 " blocks of %u bytes, the first at byte %"
		       PRIu64 " (sector %" PRIu64 "); lsn %" PRIu64 " and %"
		       PRIu64 "\n", blocks, a->l.d.block_bytes, first,
		       first >> 9, a->l.rec.head, b->l.rec.head);
}

static int cmd_compare(struct member *a, struct member *b)
{
	static u8 x[WALIMAGE_CHUNK], y[WALIMAGE_CHUNK];
	u64 off, first = 0, blocks = 0;
	u32 unit;

	if (!walimage_load(a) || !walimage_load(b))
		return EXIT_DIFFERS;
	unit = a->l.d.block_bytes;
	if (a->l.d.extent_bytes != b->l.d.extent_bytes ||
	    unit != b->l.d.block_bytes) {
		printf(json ? "{\"equal\":false,\"reason\":\"geometry\"}\n" :
			      "different: sizes or block sizes differ\n");
		return EXIT_DIFFERS;
	}
	for (off = 0; off < a->l.d.extent_bytes; off += sizeof(x)) {
		u64 left = a->l.d.extent_bytes - off;
		u32 n = left < sizeof(x) ? (u32)left : (u32)sizeof(x);
		int err = walimage_read(a, off, x, n);

		if (err)
			return read_failed(a, err);
		err = walimage_read(b, off, y, n);
		if (err)
			return read_failed(b, err);
		for (u32 i = 0; i < n; i += unit)
			if (memcmp(x + i, y + i, unit) != 0 && blocks++ == 0)
				first = off + i;
	}
	print_compare(a, b, blocks, first);
	return blocks ? EXIT_DIFFERS : EXIT_WELL;
}

/* ---- main ---------------------------------------------------------------------- */

static const char help[] =
"usage: swbwal dump    [-j] DEV [--wal DEV]        superblocks, lineage, log\n"
"       swbwal fsck    [-j] DEV [--wal DEV]        what an attach would say\n"
"       swbwal image   DEV OUT [--wal DEV]         the volume's content to OUT\n"
"       swbwal compare [-j] DEV1 DEV2 [--wal DEV] [--wal2 DEV]\n"
"\n"
"Reads only; DEV is a block device or a file. Exit codes: 0 well or equal,\n"
"1 refused, damaged or different, 2 usage or unreadable.\n"
"\n"
"example: swbwal compare /dev/vdb /srv/other-node.img\n";

static int usage(void)
{
	fputs(help, stderr);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	static const struct option opts[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "wal", required_argument, NULL, 'w' },
		{ "wal2", required_argument, NULL, 'x' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static struct member a, b;
	const char *wal = NULL, *wal2 = NULL, *verb;
	int o, code, operands, wanted;

	while ((o = getopt_long(argc, argv, "jh", opts, NULL)) != -1) {
		if (o == 'j') {
			json = true;
		} else if (o == 'w') {
			wal = optarg;
		} else if (o == 'x') {
			wal2 = optarg;
		} else if (o == 'h') {
			fputs(help, stdout);
			return EXIT_WELL;
		} else {
			return usage();
		}
	}
	operands = argc - optind - 1;
	if (operands < 1)
		return usage();
	verb = argv[optind];
	wanted = strcmp(verb, "image") == 0 || strcmp(verb, "compare") == 0 ?
		 2 : 1;
	if (operands != wanted ||
	    (wanted == 1 && strcmp(verb, "dump") && strcmp(verb, "fsck")))
		return usage();
	b.fd = -1;
	b.wal_fd = -1;
	if (!walimage_open(&a, argv[optind + 1], wal))
		return EXIT_USAGE;
	if (strcmp(verb, "compare") == 0 &&
	    !walimage_open(&b, argv[optind + 2], wal2)) {
		walimage_close(&a);
		return EXIT_USAGE;
	}
	if (strcmp(verb, "dump") == 0)
		code = cmd_dump(&a);
	else if (strcmp(verb, "fsck") == 0)
		code = cmd_fsck(&a);
	else if (strcmp(verb, "image") == 0)
		code = cmd_image(&a, argv[optind + 2]);
	else
		code = cmd_compare(&a, &b);
	walimage_close(&a);
	walimage_close(&b);
	return fflush(stdout) ? EXIT_USAGE : code;
}
