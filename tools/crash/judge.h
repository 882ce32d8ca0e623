/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One crash image: recovered by logread.c, which is core/recover.c on bytes, and
 * compared with the truth.
 */
#ifndef SWB_CRASH_JUDGE_H
#define SWB_CRASH_JUDGE_H

#include "../sim/rng.h"
#include "image.h"
#include "logread.h"
#include "ref.h"
#include "run.h"

#define JUDGE_GROUPS	2100	/* more than a ring of 1 MiB holds */
#define BRANCH_MAX	256

/** struct found_group - a group that recovery accepted, and the ring after it */
struct found_group {
	u64 first_lsn;
	u64 last_lsn;
	u64 overlap_from;
	u64 pos;
	u32 header_bytes;
	u32 payload_bytes;
	struct swb_ring ring;
};

/** struct piece - blocks whose newest content is in the log */
struct piece {
	u64 lsn;
	u32 block;
	u32 count;
	const u8 *src;		/* NULL: zeroes */
};

/**
 * struct found - what recovery found
 * @l: superblocks, scan, verdict
 * @group: accepted groups
 * @piece: records above extent_lo
 */
struct found {
	struct logread l;
	struct found_group group[JUDGE_GROUPS];
	u32 groups;
	struct piece *piece;
	u32 pieces;
	u32 piece_cap;
	bool strange;		/* a record outside of what was ever written */
};

/** struct branch_op - a record of a later life; @op is 0 for zeroes */
struct branch_op {
	u64 lsn;
	u64 op;
	u32 block;
	u32 count;
};

/**
 * struct branch - what later lives wrote above @fork
 * @fork: up to here the recording's truth holds
 * @op: in LSN order
 */
struct branch {
	u64 fork;
	struct branch_op op[BRANCH_MAX];
	u32 ops;
};

/** struct tally - sums of a worker */
struct tally {
	u64 images;
	u64 divergent;
	u64 points;
	u64 torn;
	u64 flipped;
	u64 refused;
	u64 lives;
	u64 cut;
	u64 wrapped;
	u64 laps;
	u64 broken;		/* recordings that are none */
	u64 letter[26];
	u64 by_rec[64];		/* images of each recording */
	u64 bad_rec[64];
};

/**
 * struct judge - everything about the recording under judgement
 * @o: options
 * @name: of the recording
 * @number: of the recording
 * @rec: the recording
 * @ref: the truth so far
 * @im: the disk
 * @found: the last recovery
 * @spare: for a second one that shall not disturb it
 * @branch: later lives
 * @tally: sums
 * @rng: of the crash point under judgement
 * @event: number of the event
 * @line: workload under way
 * @pass: how often the recording was gone through
 * @life: 1: the recorded one
 */
struct judge {
	const struct run_opts *o;
	const char *name;
	u32 number;
	const struct rec *rec;
	struct ref ref;
	struct image im;
	struct found *found;
	struct found *spare;
	struct branch branch;
	struct tally *tally;
	struct rng rng;
	size_t event;
	const char *line;
	u64 pass;
	u32 life;
	u64 next_op;
};

/** judge_recover() - run recovery on the image as it is */
void judge_recover(struct judge *j);

/** judge_content() - first block that is not as at @lsn, or -1 */
int judge_content(struct judge *j, u64 lsn);

/**
 * judge_image() - recover, and demand a log that ends in [@min, @max] and a volume
 * as it was there; then seal the end as an attach does, and demand the same again
 * Return: true if so; j->found is of the first recovery.
 */
bool judge_image(struct judge *j, u64 min, u64 max);

/** judge_complain() - count and show a divergence */
void judge_complain(struct judge *j, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** judge_seal() - what an attach saves after this scan */
void judge_seal(const struct found *f, struct swb_durable *d);

/** judge_save() - lay a superblock over the image, torn if @torn */
void judge_save(struct judge *j, const struct swb_durable *d, bool torn);

/** judge_lay_torn() - lay some of the sectors of a write over the image */
void judge_lay_torn(struct judge *j, u64 off, const u8 *data, u32 sectors);

/** chain_run() - later lives, beginning with the image as it is */
void chain_run(struct judge *j, u32 depth);

/** flip_run() - flip a bit of the image as it is; @min is what was acknowledged */
void flip_run(struct judge *j, u64 min);

/** walk_run() - all crashes of the recording, as far as this worker has to */
void walk_run(struct judge *j, u32 worker);

#endif /* SWB_CRASH_JUDGE_H */
