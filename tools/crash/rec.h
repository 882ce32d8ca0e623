/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A recording: what a volume sent to its disk, request by request, with the
 * moments at which each was issued and completed, and the marks of the workload
 * between them. Made by pack.c from a log of dm-log-writes (the bytes) and the
 * kernel's trace (the order); docs/simulator.md says how.
 */
#ifndef SWB_CRASH_REC_H
#define SWB_CRASH_REC_H

#include <stdio.h>

#include "core/port.h"
#include "ops.h"

#define REC_VERSION	1
#define REC_WORD_MAX	80

/** enum rec_type - first byte of an event */
enum rec_type {
	REC_BASE = 'b',		/* bytes on the disk before the first event */
	REC_WRITE = 'W',	/* a write is issued */
	REC_FLUSH = 'F',	/* a flush is issued, covers what is complete */
	REC_DONE = 'C',		/* write or flush @id completed */
	REC_BEGIN = 'B',	/* mark: operation @op begins */
	REC_END = 'E',		/* mark: it returned without error */
	REC_LINE = 'L',		/* mark: a workload begins */
	REC_STOP = 'X',		/* end of the recording */
};

/**
 * struct rec_event - one event
 * @type: enum rec_type
 * @fua: REC_WRITE: durable when it completes
 * @kind: REC_BEGIN: letter of the operation
 * @id: of the request
 * @op: number of the operation
 * @sector: first sector of a write, first block of an operation
 * @count: sectors, or blocks
 * @data: bytes of a write
 * @word: REC_LINE: the workload
 */
struct rec_event {
	u8 type;
	bool fua;
	char kind;
	u32 id;
	u64 op;
	u64 sector;
	u32 count;
	u8 *data;
	const char *word;
};

/**
 * struct rec - a recording in memory
 * @commit: the sources it was made of
 * @format: digest of kmod/format/disk.h without its comments
 * @kernel: release it was made on
 * @disk_bytes: size of the disk that matters
 * @block_bytes: of the volume
 * @blocks: of the volume that operations touch
 * @event: events, @events of them
 */
struct rec {
	char commit[REC_WORD_MAX];
	char format[REC_WORD_MAX];
	char kernel[REC_WORD_MAX];
	u64 disk_bytes;
	u32 block_bytes;
	u32 blocks;
	struct rec_event *event;
	size_t events;
};

/** rec_load() - false, and said why, if @path is not a whole recording */
bool rec_load(struct rec *r, const char *path);
void rec_free(struct rec *r);

/** struct rec_writer - a recording being written */
struct rec_writer {
	FILE *f;
	u32 block_bytes;
};

void rec_put_header(struct rec_writer *w, const struct rec *r);

/** rec_put() - append @e; sectors that an operation filled take a few bytes */
void rec_put(struct rec_writer *w, const struct rec_event *e);

#endif /* SWB_CRASH_REC_H */
