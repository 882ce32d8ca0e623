// SPDX-License-Identifier: GPL-2.0-only
/*
 * dm-log-writes keeps the bytes of every write, but lists a write only when a
 * flush covers it. The trace (block_bio_queue, block_bio_complete, and the marks
 * of swbops) has the order, but no bytes. Put together by place: the n-th write
 * to a sector in the one is the n-th in the other.
 *
 * What is issued is traced on the device beneath device mapper, where the flush of
 * a write with PREFLUSH is a request of its own; that it completed is seen by the
 * write being issued. What is completed is traced on the mapped device.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pack.h"

#define LOG_MAGIC	0x6a736677736872ULL
#define LOG_VERSION	1
#define LOG_DISCARD	0x4
#define LOG_MARK	0x8

struct log_super {
	__le64 magic;
	__le64 version;
	__le64 entries;
	__le32 sector_bytes;
} __attribute__((packed));

struct log_entry {
	__le64 sector;
	__le64 sectors;
	__le64 flags;
	__le64 data_len;
};

/* one write of the log, in sectors of 512 bytes */
struct logged {
	u64 sector;
	u32 count;
	u64 pos;
	bool used;
};

/* a request between its issue and its completion */
struct open_request {
	u64 sector;
	u32 count;
	u32 id;
	bool flush;
	bool alone;	/* no write follows it */
};

#define OPEN_MAX 1024

struct packer {
	int log_fd;
	struct logged *logged;
	size_t count;
	size_t first_unused;
	struct open_request open[OPEN_MAX];
	u32 opens;
	u32 next_id;
	struct rec_writer w;
	u64 line;
	u64 writes;
	u64 flushes;
};

static bool complain(const struct packer *p, const char *what, const char *line)
{
	fprintf(stderr, "swbcrash: trace line %" PRIu64 ": %s: %s\n", p->line, what,
		line);
	return false;
}

/* ---- the log of dm-log-writes ---------------------------------------------- */

static bool log_index(struct packer *p)
{
	struct log_super s;
	struct log_entry e;
	u64 pos, unit, scale;

	if (pread(p->log_fd, &s, sizeof(s), 0) != sizeof(s) ||
	    s.magic != LOG_MAGIC || s.version != LOG_VERSION ||
	    s.sector_bytes < OPS_SECTOR)
		return false;
	unit = s.sector_bytes;
	scale = unit / OPS_SECTOR;
	p->logged = calloc(s.entries + 1, sizeof(*p->logged));
	if (!p->logged)
		return false;
	pos = unit;
	for (u64 i = 0; i < s.entries; i++) {
		if (pread(p->log_fd, &e, sizeof(e), (off_t)pos) != sizeof(e))
			return false;
		pos += unit;
		if (e.flags & LOG_MARK || !e.sectors)
			continue;
		if (e.flags & LOG_DISCARD)
			return false;
		p->logged[p->count++] = (struct logged){
			.sector = e.sector * scale,
			.count = (u32)(e.sectors * scale), .pos = pos,
		};
		pos += e.sectors * unit;
	}
	return true;
}

static struct logged *log_find(struct packer *p, u64 sector)
{
	while (p->first_unused < p->count && p->logged[p->first_unused].used)
		p->first_unused++;
	for (size_t i = p->first_unused; i < p->count; i++)
		if (!p->logged[i].used && p->logged[i].sector == sector)
			return &p->logged[i];
	return NULL;
}

/* The bytes of a write; device mapper may have cut it in pieces. */
static u8 *log_take(struct packer *p, u64 sector, u32 count)
{
	u8 *data = aligned_alloc(OPS_SECTOR, (size_t)count * OPS_SECTOR);

	for (u32 at = 0; data && at < count;) {
		struct logged *l = log_find(p, sector + at);
		size_t len;

		if (!l || l->count > count - at) {
			free(data);
			return NULL;
		}
		len = (size_t)l->count * OPS_SECTOR;
		if (pread(p->log_fd, data + (size_t)at * OPS_SECTOR, len,
			  (off_t)l->pos) != (ssize_t)len) {
			free(data);
			return NULL;
		}
		l->used = true;
		at += l->count;
	}
	return data;
}

/* ---- the trace --------------------------------------------------------------- */

static void put_id(struct packer *p, u8 type, u32 id)
{
	rec_put(&p->w, &(struct rec_event){ .type = type, .id = id });
}

static bool open_add(struct packer *p, u64 sector, u32 count, bool flush,
		     bool alone)
{
	if (p->opens == OPEN_MAX)
		return false;
	p->open[p->opens++] = (struct open_request){ sector, count, ++p->next_id,
						     flush, alone };
	return true;
}

static void complete(struct packer *p, u32 i)
{
	put_id(p, REC_DONE, p->open[i].id);
	p->opens--;
	memmove(&p->open[i], &p->open[i + 1],
		(p->opens - i) * sizeof(p->open[i]));
}

/* The oldest flush that stands alone, or the one that precedes a write here. */
static bool complete_flush(struct packer *p, bool alone, u64 sector)
{
	for (u32 i = 0; i < p->opens; i++)
		if (p->open[i].flush && (alone ? p->open[i].alone :
					 !p->open[i].alone &&
					 p->open[i].sector == sector)) {
			complete(p, i);
			return true;
		}
	return false;
}

/* One write of the mapped device may be several of the one beneath. */
static bool complete_writes(struct packer *p, u64 sector, u32 count)
{
	bool any = false;

	for (u32 i = 0; i < p->opens;) {
		struct open_request *q = &p->open[i];

		if (q->flush || q->sector < sector ||
		    q->sector + q->count > sector + count) {
			i++;
			continue;
		}
		complete(p, i);
		any = true;
	}
	return any;
}

static bool issue_write(struct packer *p, u64 sector, u32 count, bool fua)
{
	struct rec_event e = { .type = REC_WRITE, .fua = fua, .sector = sector,
			       .count = count };

	e.data = log_take(p, sector, count);
	if (!e.data)
		return complain(p, "a write that the log has not", "");
	if (!open_add(p, sector, count, false, false))
		return complain(p, "too many requests", "");
	e.id = p->next_id;
	rec_put(&p->w, &e);
	free(e.data);
	p->writes++;
	return true;
}

/* block_bio_queue: MAJOR,MINOR RWBS SECTOR + COUNT [COMM] */
static bool queued(struct packer *p, const char *text)
{
	char rwbs[16];
	const char *c = rwbs;
	bool flush;
	u64 sector;
	u32 count;

	if (sscanf(text, "%*s %15s %" SCNu64 " + %u", rwbs, &sector, &count) < 3)
		return complain(p, "not understood", text);
	flush = *c == 'F';
	c += flush;
	if (*c == 'R')
		return true;
	if ((flush && count) || (!flush && *c != 'W'))
		return complain(p, "no write and no flush", text);
	if (!flush) {
		if (c[1] == 'F')
			complete_flush(p, false, sector);
		return issue_write(p, sector, count, c[1] == 'F');
	}
	/* FWFS: the flush of a write with PREFLUSH and FUA */
	if (!open_add(p, sector, count, true, c[1] != 'F'))
		return complain(p, "too many requests", text);
	put_id(p, REC_FLUSH, p->next_id);
	p->flushes++;
	return true;
}

static bool completed(struct packer *p, const char *text)
{
	char rwbs[16];
	u64 sector;
	u32 count;
	int error;

	if (sscanf(text, "%*s %15s %" SCNu64 " + %u [%d]", rwbs, &sector, &count,
		   &error) < 4)
		return complain(p, "not understood", text);
	if (rwbs[0] == 'R')
		return true;
	if (error)
		return complain(p, "an I/O error", text);
	if (count ? complete_writes(p, sector, count) :
		    complete_flush(p, true, sector))
		return true;
	return complain(p, "completion of nothing", text);
}

/* swb B OP KIND FIRST COUNT, swb E OP, swb W WORKLOAD, swb X */
static bool marked(struct packer *p, const char *text)
{
	struct rec_event e = { 0 };
	char word[512];
	u32 first;

	if (sscanf(text, "B %" SCNu64 " %c %u %u", &e.op, &e.kind, &first,
		   &e.count) == 4) {
		e.type = REC_BEGIN;
		e.sector = first;
	} else if (sscanf(text, "E %" SCNu64, &e.op) == 1) {
		e.type = REC_END;
	} else if (sscanf(text, "W %511s", word) == 1) {
		e.type = REC_LINE;
		e.word = word;
	} else if (text[0] == 'X') {
		return true;
	} else {
		return complain(p, "not understood", text);
	}
	rec_put(&p->w, &e);
	return true;
}

static bool trace_line(struct packer *p, const char *line)
{
	static const struct {
		const char *name;
		bool (*fn)(struct packer *p, const char *text);
	} kinds[] = {
		{ "block_bio_queue: ", queued },
		{ "block_bio_complete: ", completed },
		{ "tracing_mark_write: swb ", marked },
	};

	p->line++;
	if (strstr(line, "LOST"))
		return complain(p, "events are missing", line);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const char *at = strstr(line, kinds[i].name);

		if (at)
			return kinds[i].fn(p, at + strlen(kinds[i].name));
	}
	return true;
}

/* ---- all of it ----------------------------------------------------------------- */

static bool put_base(struct packer *p, const char *path, u64 bytes)
{
	struct rec_event e = { .type = REC_BASE };
	FILE *f = fopen(path, "rb");
	bool good;

	e.count = (u32)(bytes / OPS_SECTOR);
	e.data = aligned_alloc(OPS_SECTOR, bytes);
	good = f && e.data && fread(e.data, 1, bytes, f) == bytes;
	if (good)
		rec_put(&p->w, &e);
	else
		fprintf(stderr, "swbcrash: %s cannot be read\n", path);
	free(e.data);
	if (f)
		fclose(f);
	return good;
}

static bool put_trace(struct packer *p, const char *path)
{
	FILE *f = fopen(path, "r");
	char line[1024];
	bool good = f;

	while (good && fgets(line, sizeof(line), f))
		good = trace_line(p, line);
	if (f)
		fclose(f);
	else
		fprintf(stderr, "swbcrash: %s cannot be read\n", path);
	return good;
}

/* Every write of the log must have been in the trace. */
static bool all_used(const struct packer *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (!p->logged[i].used) {
			fprintf(stderr, "swbcrash: the trace lacks a write of %u sectors at %"
				PRIu64 "\n", p->logged[i].count,
				p->logged[i].sector);
			return false;
		}
	return true;
}

bool pack_run(const struct pack *k, struct rec *r)
{
	static struct packer p;
	bool good;

	p.w.f = fopen(k->out, "wb");
	p.log_fd = open(k->log, O_RDONLY | O_CLOEXEC);
	if (!p.w.f || p.log_fd < 0 || !log_index(&p)) {
		fprintf(stderr, "swbcrash: no log of dm-log-writes in %s, or %s cannot be written\n",
			k->log, k->out);
		return false;
	}
	rec_put_header(&p.w, r);
	good = put_base(&p, k->base, r->disk_bytes) && put_trace(&p, k->trace) &&
	       all_used(&p);
	rec_put(&p.w, &(struct rec_event){ .type = REC_STOP });
	good = !fclose(p.w.f) && good;
	close(p.log_fd);
	free(p.logged);
	if (good)
		printf("%" PRIu64 " writes, %" PRIu64 " flushes\n", p.writes,
		       p.flushes);
	return good;
}
