/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The content of a volume as local recovery of one member's disk would give it:
 * the extent, with the records above extent_lo laid over it. Reads only.
 */
#ifndef SWB_TOOLS_WALIMAGE_H
#define SWB_TOOLS_WALIMAGE_H

#include "logread.h"

#define WALIMAGE_CHUNK	(1024 * 1024)

/**
 * struct piece - a stretch of the volume whose newest bytes are in the log
 * @start: first byte of the volume
 * @end: byte after the last
 * @ring: where its payload is on the ring's device
 * @lsn: record it comes from
 * @zero: it has no payload, it is zeroes
 */
struct piece {
	u64 start;
	u64 end;
	u64 ring;
	u64 lsn;
	bool zero;
};

/** struct piece_ref - piece @piece touches chunk @chunk of the volume */
struct piece_ref {
	u64 chunk;
	size_t piece;
};

/**
 * struct member - an opened disk
 * @piece: records above extent_lo in LSN order; later ones win
 * @ref: the same by chunk, then by LSN
 */
struct member {
	const char *path;
	int fd;
	int wal_fd;
	struct logread l;
	struct piece *piece;
	size_t pieces;
	size_t cap;
	struct piece_ref *ref;
	size_t refs;
};

/** walimage_open() - false, and said why on stderr, if it cannot be read */
bool walimage_open(struct member *m, const char *path, const char *wal);
void walimage_close(struct member *m);

/** walimage_load() - recover; false, and said why on stderr, if refused */
bool walimage_load(struct member *m);

/**
 * walimage_read() - bytes of the volume; @off is a multiple of WALIMAGE_CHUNK
 * Return: 0, or a negative errno
 */
int walimage_read(struct member *m, u64 off, u8 *buf, u32 len);

#endif /* SWB_TOOLS_WALIMAGE_H */
