// SPDX-License-Identifier: GPL-2.0-only
/* Extent and log of one disk, as one volume. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/text.h"
#include "walimage.h"

/* ---- bytes -------------------------------------------------------------- */

static int read_fd(void *ctx, u64 off, void *buf, u32 len)
{
	int fd = *(int *)ctx;
	u8 *p = buf;

	while (len) {
		ssize_t n = pread(fd, p, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		p += n;
		off += (u64)n;
		len -= (u32)n;
	}
	return 0;
}

static int open_bytes(const char *path, u64 *bytes)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st)) {
		fprintf(stderr, "swbwal: %s: %s\n", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	*bytes = (u64)st.st_size;
	if (S_ISBLK(st.st_mode) && ioctl(fd, BLKGETSIZE64, bytes)) {
		fprintf(stderr, "swbwal: %s: %s\n", path, strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

bool walimage_open(struct member *m, const char *path, const char *wal)
{
	memset(m, 0, sizeof(*m));
	m->path = path;
	m->wal_fd = -1;
	m->fd = open_bytes(path, &m->l.data.bytes);
	if (m->fd < 0)
		return false;
	m->l.data.read = read_fd;
	m->l.data.ctx = &m->fd;
	if (!wal)
		return true;
	m->wal_fd = open_bytes(wal, &m->l.wal.bytes);
	if (m->wal_fd < 0) {
		close(m->fd);
		return false;
	}
	m->l.wal.read = read_fd;
	m->l.wal.ctx = &m->wal_fd;
	m->l.wal_given = true;
	return true;
}

void walimage_close(struct member *m)
{
	if (m->fd >= 0)
		close(m->fd);
	if (m->wal_fd >= 0)
		close(m->wal_fd);
	free(m->piece);
	free(m->ref);
}

static void out_of_memory(void)
{
	fprintf(stderr, "swbwal: out of memory\n");
	exit(2);
}

/* ---- the log as pieces --------------------------------------------------- */

static void drop_from(struct member *m, u64 lsn)
{
	while (m->pieces && m->piece[m->pieces - 1].lsn >= lsn)
		m->pieces--;
}

static void add_piece(struct member *m, const struct piece *p)
{
	if (m->pieces == m->cap) {
		m->cap = m->cap ? m->cap * 2 : 1024;
		m->piece = realloc(m->piece, m->cap * sizeof(*m->piece));
		if (!m->piece)
			out_of_memory();
	}
	m->piece[m->pieces++] = *p;
}

static void collect(void *ctx, const struct logread_group *g)
{
	struct member *m = ctx;
	u64 at = m->l.d.ring_offset + g->pos + g->info.header_bytes;

	if (g->overlap_from)
		drop_from(m, g->overlap_from);
	for (u32 i = 0; i < g->live; i++) {
		const struct swb_rec *r = &g->rec[i];
		struct piece p = {
			.start = r->sector << 9,
			.end = (r->sector << 9) + r->len_bytes,
			.ring = at, .lsn = g->info.first_lsn + i,
			.zero = r->type == SWB_REC_ZEROES,
		};

		if (r->type == SWB_REC_WRITE)
			at += r->len_bytes;
		if (r->type != SWB_REC_OPEN && p.lsn > m->l.d.extent_lo)
			add_piece(m, &p);
	}
}

/* ---- by chunk ------------------------------------------------------------ */

static int ref_order(const void *a, const void *b)
{
	const struct piece_ref *x = a, *y = b;

	if (x->chunk != y->chunk)
		return x->chunk < y->chunk ? -1 : 1;
	return x->piece < y->piece ? -1 : x->piece > y->piece;
}

static void index_pieces(struct member *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->pieces; i++)
		n += (m->piece[i].end - 1) / WALIMAGE_CHUNK -
		     m->piece[i].start / WALIMAGE_CHUNK + 1;
	m->ref = malloc((n ? n : 1) * sizeof(*m->ref));
	if (!m->ref)
		out_of_memory();
	for (size_t i = 0; i < m->pieces; i++)
		for (u64 c = m->piece[i].start / WALIMAGE_CHUNK;
		     c <= (m->piece[i].end - 1) / WALIMAGE_CHUNK; c++)
			m->ref[m->refs++] = (struct piece_ref){ c, i };
	qsort(m->ref, m->refs, sizeof(*m->ref), ref_order);
}

bool walimage_load(struct member *m)
{
	const char *why;

	logread_run(&m->l, collect, m);
	if (m->l.recover != SWB_RECOVER_REFUSE) {
		index_pieces(m);
		return true;
	}
	why = swb_text_case(SWBLOCK_TABLE_RECOVER, m->l.letter);
	fprintf(stderr, "swbwal: %s: refused, case %c: %s\n", m->path,
		m->l.letter, why ? why : "");
	return false;
}

static size_t first_ref(const struct member *m, u64 chunk)
{
	size_t lo = 0, hi = m->refs;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (m->ref[mid].chunk < chunk)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int walimage_read(struct member *m, u64 off, u8 *buf, u32 len)
{
	int err = read_fd(&m->fd, m->l.d.extent_offset + off, buf, len);
	u64 chunk = off / WALIMAGE_CHUNK;

	for (size_t i = first_ref(m, chunk);
	     i < m->refs && m->ref[i].chunk == chunk && !err; i++) {
		const struct piece *p = &m->piece[m->ref[i].piece];
		u64 from = p->start > off ? p->start : off;
		u64 to = p->end < off + len ? p->end : off + len;

		if (from >= to)
			continue;
		if (p->zero)
			memset(buf + (from - off), 0, to - from);
		else
			err = m->l.wal.read(m->l.wal.ctx,
					    p->ring + (from - p->start),
					    buf + (from - off),
					    (u32)(to - from));
	}
	return err;
}
