// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recordings as files. A header of text lines up to an empty one, then events;
 * integers are little-endian. The bytes of a write are runs of sectors:
 *
 *	0 count			zeroes
 *	1 count bytes		as they are
 *	2 count op block sector	what ops_fill() gives from there on
 *
 * A file whose name ends in .xz is read through xz.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "rec.h"

enum run { RUN_ZERO, RUN_RAW, RUN_FILL };

/* ---- writing -------------------------------------------------------------- */

static void put(struct rec_writer *w, u64 value, int bytes)
{
	while (bytes--) {
		putc((int)(value & 0xff), w->f);
		value >>= 8;
	}
}

/* Is this the sector that (op, block, sector) gives? */
static bool is_fill(const u8 *p, u64 op, u32 block, u32 sector)
{
	u8 want[OPS_SECTOR] __attribute__((aligned(8)));

	ops_fill(want, op, block, sector);
	return memcmp(p, want, sizeof(want)) == 0;
}

static enum run kind_of(const u8 *p)
{
	static const u8 zero[OPS_SECTOR];
	struct ops_sector s;

	if (!memcmp(p, zero, OPS_SECTOR))
		return RUN_ZERO;
	memcpy(&s, p, sizeof(s));
	return s.magic == OPS_MAGIC && is_fill(p, s.op, s.block, s.sector) ?
	       RUN_FILL : RUN_RAW;
}

/* Does sector @i of a run of this kind follow from its first one? */
static bool continues(const struct rec_writer *w, enum run run, const u8 *first,
		      u32 i)
{
	u32 per_block = w->block_bytes / OPS_SECTOR;
	const u8 *p = first + (size_t)i * OPS_SECTOR;
	struct ops_sector s;
	u32 at;

	if (run != RUN_FILL)
		return kind_of(p) == run;
	memcpy(&s, first, sizeof(s));
	at = s.sector + i;
	return is_fill(p, s.op, s.block + at / per_block, at % per_block);
}

static void put_data(struct rec_writer *w, const u8 *data, u32 sectors)
{
	u32 n;

	for (u32 i = 0; i < sectors; i += n) {
		const u8 *p = data + (size_t)i * OPS_SECTOR;
		enum run run = kind_of(p);
		struct ops_sector s;

		for (n = 1; i + n < sectors && continues(w, run, p, n); n++)
			;
		put(w, run, 1);
		put(w, n, 4);
		if (run == RUN_RAW)
			fwrite(p, OPS_SECTOR, n, w->f);
		if (run != RUN_FILL)
			continue;
		memcpy(&s, p, sizeof(s));
		put(w, s.op, 8);
		put(w, s.block, 4);
		put(w, s.sector, 4);
	}
}

void rec_put_header(struct rec_writer *w, const struct rec *r)
{
	w->block_bytes = r->block_bytes;
	fprintf(w->f, "swbcrash %d\ncommit %s\nformat %s\nkernel %s\n"
		"disk_bytes %" PRIu64 "\nblock_bytes %u\nblocks %u\n\n",
		REC_VERSION, r->commit, r->format, r->kernel, r->disk_bytes,
		r->block_bytes, r->blocks);
}

void rec_put(struct rec_writer *w, const struct rec_event *e)
{
	put(w, e->type, 1);
	switch (e->type) {
	case REC_WRITE:
		put(w, e->fua, 1);
		put(w, e->id, 4);
		/* fall through */
	case REC_BASE:
		put(w, e->sector, 8);
		put(w, e->count, 4);
		put_data(w, e->data, e->count);
		break;
	case REC_FLUSH:
	case REC_DONE:
		put(w, e->id, 4);
		break;
	case REC_BEGIN:
		put(w, (u8)e->kind, 1);
		put(w, e->sector, 8);
		put(w, e->count, 4);
		/* fall through */
	case REC_END:
		put(w, e->op, 8);
		break;
	case REC_LINE:
		put(w, strlen(e->word), 2);
		fputs(e->word, w->f);
		break;
	}
}

/* ---- reading -------------------------------------------------------------- */

struct reader {
	FILE *f;
	u32 block_bytes;
	bool bad;
};

static u64 get(struct reader *in, int bytes)
{
	u64 value = 0;

	for (int i = 0; i < bytes; i++) {
		int c = getc(in->f);

		if (c == EOF)
			in->bad = true;
		value |= (u64)(c & 0xff) << (8 * i);
	}
	return value;
}

static void get_fill(struct reader *in, u8 *p, u32 n)
{
	u32 per_block = in->block_bytes / OPS_SECTOR;
	u64 op = get(in, 8);
	u32 block = (u32)get(in, 4), at = (u32)get(in, 4);

	for (u32 i = 0; i < n; i++, at++)
		ops_fill(p + (size_t)i * OPS_SECTOR, op, block + at / per_block,
			 at % per_block);
}

static u8 *get_data(struct reader *in, u32 sectors)
{
	u8 *data;
	u32 n;

	if (in->bad || !sectors || sectors > (64 << 20) / OPS_SECTOR)
		return NULL;
	data = aligned_alloc(OPS_SECTOR, (size_t)sectors * OPS_SECTOR);
	if (!data)
		return NULL;
	for (u32 i = 0; i < sectors && !in->bad; i += n) {
		u8 *p = data + (size_t)i * OPS_SECTOR;
		u64 run = get(in, 1);

		n = (u32)get(in, 4);
		if (!n || n > sectors - i || run > RUN_FILL)
			in->bad = true;
		else if (run == RUN_ZERO)
			memset(p, 0, (size_t)n * OPS_SECTOR);
		else if (run == RUN_FILL)
			get_fill(in, p, n);
		else if (fread(p, OPS_SECTOR, n, in->f) != n)
			in->bad = true;
	}
	return data;
}

static char *get_word(struct reader *in)
{
	u32 n = (u32)get(in, 2);
	char *word = calloc(1, n + 1);

	if (!word || fread(word, 1, n, in->f) != n)
		in->bad = true;
	return word;
}

static void get_event(struct reader *in, struct rec_event *e)
{
	memset(e, 0, sizeof(*e));
	e->type = (u8)get(in, 1);
	switch (e->type) {
	case REC_WRITE:
		e->fua = get(in, 1);
		e->id = (u32)get(in, 4);
		/* fall through */
	case REC_BASE:
		e->sector = get(in, 8);
		e->count = (u32)get(in, 4);
		e->data = get_data(in, e->count);
		in->bad |= !e->data;
		break;
	case REC_FLUSH:
	case REC_DONE:
		e->id = (u32)get(in, 4);
		break;
	case REC_BEGIN:
		e->kind = (char)get(in, 1);
		e->sector = get(in, 8);
		e->count = (u32)get(in, 4);
		/* fall through */
	case REC_END:
		e->op = get(in, 8);
		break;
	case REC_LINE:
		e->word = get_word(in);
		break;
	case REC_STOP:
		break;
	default:
		in->bad = true;
	}
}

static bool get_header(struct reader *in, struct rec *r)
{
	char line[256], key[32], value[REC_WORD_MAX];
	int version = 0;

	if (!fgets(line, sizeof(line), in->f) ||
	    sscanf(line, "swbcrash %d", &version) != 1 || version != REC_VERSION)
		return false;
	while (fgets(line, sizeof(line), in->f) && line[0] != '\n') {
		if (sscanf(line, "%31s %79s", key, value) != 2)
			return false;
		if (!strcmp(key, "commit"))
			strcpy(r->commit, value);
		else if (!strcmp(key, "format"))
			strcpy(r->format, value);
		else if (!strcmp(key, "kernel"))
			strcpy(r->kernel, value);
		else if (!strcmp(key, "disk_bytes"))
			r->disk_bytes = strtoull(value, NULL, 10);
		else if (!strcmp(key, "block_bytes"))
			r->block_bytes = (u32)strtoul(value, NULL, 10);
		else if (!strcmp(key, "blocks"))
			r->blocks = (u32)strtoul(value, NULL, 10);
	}
	in->block_bytes = r->block_bytes;
	return r->disk_bytes && r->disk_bytes < 1 << 30 && r->blocks &&
	       r->block_bytes >= OPS_SECTOR && !(r->block_bytes % OPS_SECTOR);
}

/* All events up to the one that says that nothing is missing. */
static bool get_events(struct reader *in, struct rec *r)
{
	size_t cap = 0;

	do {
		if (r->events == cap) {
			cap = cap ? cap * 2 : 4096;
			r->event = realloc(r->event, cap * sizeof(*r->event));
			if (!r->event)
				return false;
		}
		get_event(in, &r->event[r->events++]);
	} while (!in->bad && r->event[r->events - 1].type != REC_STOP);
	return !in->bad;
}

static FILE *open_file(const char *path, bool *pipe)
{
	size_t n = strlen(path);
	char cmd[4096];

	*pipe = n > 3 && !strcmp(path + n - 3, ".xz");
	if (!*pipe)
		return fopen(path, "rb");
	if (strchr(path, '\'') ||
	    snprintf(cmd, sizeof(cmd), "xz -dc '%s'", path) >= (int)sizeof(cmd))
		return NULL;
	return popen(cmd, "r");
}

bool rec_load(struct rec *r, const char *path)
{
	struct reader in = { 0 };
	bool pipe, good;

	memset(r, 0, sizeof(*r));
	in.f = open_file(path, &pipe);
	if (!in.f) {
		fprintf(stderr, "swbcrash: %s cannot be read\n", path);
		return false;
	}
	good = get_header(&in, r) && get_events(&in, r);
	if (pipe)
		pclose(in.f);
	else
		fclose(in.f);
	if (!good)
		fprintf(stderr, "swbcrash: %s is no whole recording\n", path);
	return good;
}

void rec_free(struct rec *r)
{
	for (size_t i = 0; i < r->events; i++) {
		free(r->event[i].data);
		free((void *)r->event[i].word);
	}
	free(r->event);
}
