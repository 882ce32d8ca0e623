/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A history of reads, writes and barriers over failovers, and what it is checked
 * for. swbhist (selftests/helpers) records it; docs/testing.md has the format.
 */
#ifndef HIST_H
#define HIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HIST_NEVER	UINT64_MAX
#define HIST_BLOCKS_MAX	65536
#define HIST_GENS_MAX	4096

enum hist_kind {
	HIST_WRITE,
	HIST_WRITE_SYNC,	/* durable itself when it succeeds */
	HIST_READ,
	HIST_BARRIER,
	HIST_CRASH,		/* not in the file: from kill to the next primary */
};

enum hist_outcome {
	HIST_PENDING,		/* no answer: may take effect at any later time */
	HIST_OK,
	HIST_UNKNOWN,		/* an error: may have taken effect, or may yet */
	HIST_FAILED,		/* never reached a device */
	HIST_BAD,		/* a read that returned no block of this history */
};

/**
 * struct hist_op - one operation
 * @id: worker in the upper half, number in the lower; also the value of a write
 * @kind: what
 * @outcome: of it
 * @gen: generation of the primary it was sent to; of a crash: that was killed
 * @block: which; not of barriers
 * @inv: invocation, ns of CLOCK_BOOTTIME
 * @ret: return, HIST_NEVER if it did not
 * @value: of a read: the id of the write seen, 0 = zeroes
 * @pin: of a write: the first generation in which a barrier covered it
 * @pinned_by: that barrier or write; NULL = none
 * @effect: of a write: took effect by then, as its answer or a reader knows
 * @until: of a write: not later than this many crashes after the beginning
 */
struct hist_op {
	uint64_t id;
	enum hist_kind kind;
	enum hist_outcome outcome;
	uint32_t gen;
	uint32_t block;
	uint64_t inv;
	uint64_t ret;
	uint64_t value;
	uint64_t effect;
	uint32_t pin;
	const struct hist_op *pinned_by;
	uint32_t until;
};

/**
 * struct hist - all of it
 * @op: operations by invocation
 * @count: of them
 * @crash: failovers, by time
 * @crash_count: of them
 * @kill_ns: of each killed generation, 0 = was not killed
 * @primary_ns: from when on a generation takes requests, 0 = never told
 * @start_ns: of the first line
 */
struct hist {
	struct hist_op *op;
	size_t count;
	struct hist_op *crash;
	size_t crash_count;
	uint64_t kill_ns[HIST_GENS_MAX];
	uint64_t primary_ns[HIST_GENS_MAX];
	uint64_t start_ns;
};

/**
 * struct hist_rules - what is asked for
 * @strict: acknowledged writes survive a failover without a barrier, too, and any
 *	change of the primary is one
 * @late_tail: an error before a promotion does not end what the write may do
 * @states_max: a block is undecided after so many states
 */
struct hist_rules {
	bool strict;
	bool late_tail;
	uint64_t states_max;
};

enum hist_verdict {
	HIST_LINEARIZABLE,
	HIST_VIOLATION,
	HIST_UNDECIDED,
};

/** hist_read() - false: not a history; says why on stderr */
bool hist_read(struct hist *h, const char *path);

/** hist_prepare() - crashes, pins, limits, from what was read and @rules */
void hist_prepare(struct hist *h, const struct hist_rules *rules);

/** hist_check_block() - says on stdout what is wrong */
enum hist_verdict hist_check_block(const struct hist *h, uint32_t block,
				   const struct hist_rules *rules);

/** hist_print() - one operation in one line */
void hist_print(const struct hist *h, const char *what, const struct hist_op *op);

/** hist_find() - the operation with this id, or NULL */
const struct hist_op *hist_find(const struct hist *h, uint64_t id);

void hist_free(struct hist *h);

#endif /* HIST_H */
