/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The world of a run: N members on real cores, their disks, the network between
 * them, a controller with its store, clients, and the truth.
 */
#ifndef SWB_SIM_WORLD_H
#define SWB_SIM_WORLD_H

#include "clock.h"
#include "disk.h"
#include "net.h"
#include "node.h"
#include "control.h"
#include "lend.h"
#include "reference.h"
#include "rng.h"

#define SIM_NODES_MAX	7
#define SIM_NODES_MIN	2

/** enum sim_break - one rule broken on purpose; see broken.c for the list */
enum sim_break {
	BREAK_NONE,
	BREAK_FLUSH_EARLY,
	BREAK_NO_SUPER,
	BREAK_NO_INCARNATION,
	BREAK_ACK_AFTER_FENCE,
	BREAK_SOFT_TRUNCATE,
	BREAK_C_FROM_OPEN,
	BREAK_WRITEBACK_FAR,
	BREAK_TWO_CERTS,
	BREAK_STALE_FLUSH,
	BREAK_HI_LATE,
	BREAK_REPORT_EARLY,
	BREAK_RANK_BY_LSN,
	BREAK_TRIM_EARLY,
	BREAK_OPEN_UNSAVED,
	BREAK_ONE_VOTER,
	BREAK_LO_EARLY,
	BREAK_COMPLETE_EARLY,
	BREAK_DEAF,
	BREAK_RELEASE_EARLY,
	BREAK_ACK_RECEIVED,
	BREAK_ONE_SLOT,
	BREAK_SETTLE_EARLY,
	BREAK_NEW_CONFIG_ONLY,
	BREAK_SHIP_GAP,
	BREAK_LATE_CUT,
	BREAK_LEASE_EARLY,
	BREAK_LEASE_DRIFT,
	BREAK_READ_EXTENT,
	BREAK_BITS_LATE,
	BREAK_BITS_FORGET,
	BREAK_SAMPLE_EARLY,
	BREAK_READ_OVERLAY,
	BREAK_MARK_LATE,
	BREAK_NO_LAST_BACK,
	BREAK_BASE_WINS,
	BREAK_BASE_HI_LATE,
	BREAK_CLEAR_UNFLUSHED,
	BREAK_DONE_EARLY,
	BREAK_GROW_DIRTY,
	BREAK_REPAIR_STALE,
	BREAK_COUNT
};

/**
 * struct sim_shape - what a run looks like; drawn by a seed or set by a script
 * @nodes: members
 * @mode: enum swblock_mode
 * @policy: enum swblock_policy
 * @required: required set of the first configuration
 * @blocks: size of the volume in 512-byte blocks
 * @size: of the members at first, if smaller: they may grow up to @blocks
 * @ring_unit: 512 or 4096
 * @trim_percent: the ring is trimmed when it is fuller than this
 * @write_ns: latency of a disk write, at most
 * @flush_ns: latency of a device flush, at most
 * @lease_ns: 0 for none
 * @clock_ppm: clocks start anywhere and are wrong by so much at most
 * @agents: controllers at work on one store, 0 is 1
 * @blind_permille: grants whose answer from the store is lost
 */
struct sim_shape {
	u8 nodes;
	u8 mode;
	u8 policy;
	u32 required;
	u32 blocks;
	u32 size;
	u32 ring_unit;
	u32 trim_percent;
	u64 write_ns;
	u64 flush_ns;
	u64 lease_ns;
	u32 clock_ppm;
	u32 agents;
	u32 blind_permille;
};

enum op_state {
	OP_PARKED,
	OP_WAITING,
	OP_DONE,
	OP_FAILED,
};

/**
 * struct seen - a read of one block that a client got an answer to
 * @wid: write that the bytes came from, 0 for zeroes
 * @epoch: of the primary that answered
 * @newest: nobody had opened a newer one
 */
struct seen {
	u64 inv_ns;
	u64 resp_ns;
	u64 wid;
	u64 epoch;
	u32 block;
	bool newest;
};

enum ambush_kind {
	AMBUSH_TARGET,		/* its host dies */
	AMBUSH_SOURCE,
	AMBUSH_LINK,
	AMBUSH_PROMOTE,
	AMBUSH_STALL,		/* the target's disk */
	AMBUSH_PAUSE,		/* the source */
	AMBUSH_KINDS
};

/**
 * struct ambush - a fault that waits for a copy (ambush.c)
 * @stage: enum swb_rebuild_phase that the target has to reach
 * @what: enum ambush_kind
 * @fate: what a cache saves, or how long something stands still
 * @delay_ns: so much later
 */
struct ambush {
	bool armed;
	u8 stage;
	u8 what;
	u32 fate;
	u64 delay_ns;
};

/** enum copy_fate - of deltas and rebuilds: how many began, and what became of them */
enum copy_fate {
	COPY_BEGUN,		/* the mark is durable */
	COPY_DONE,
	COPY_TARGET_DIED,
	COPY_SOURCE_DIED,
	COPY_OVERTAKEN,		/* by a promotion */
	COPY_CUT_OFF,		/* by a link, a refusal, a deadline */
	COPY_FATES
};

/**
 * struct op - an upper write or barrier
 * @inv_ns: when the client asked
 * @resp_ns: when it was told that it is done
 * @lsn: of the write, or the barrier's target
 * @floor: barrier: newest write of this primary that was done at issue
 */
struct op {
	u64 id;
	u64 inv_ns;
	u64 resp_ns;
	u64 lsn;
	u64 floor;
	u64 wid;
	u64 epoch;
	u32 block;
	u32 blocks;
	u8 node;
	u8 state;
	bool barrier;
	bool zeroes;
};

struct world {
	u64 seed;
	struct sim_shape shape;
	enum sim_break broken;
	bool trace;
	struct story *story;	/* NULL: nobody listens (story.h) */
	const struct sim_members *members;	/* NULL: the real cores of node.c */
	struct rng rng;
	struct clock clock;
	struct net net;
	struct reference ref;
	struct control control;
	struct lend lend;
	struct node node[SIM_NODES_MAX];
	u32 ops;
	u32 ops_cap;
	struct op **op;
	u32 seen_count;
	u32 seen_cap;
	struct seen *seen;
	u32 budget_records;	/* I-058: of history, for who is not required */
	u64 stall_ns;		/* and of time without progress */
	struct ambush ambush;
	u32 asleep;		/* who stays away when the others heal */
	u64 events;
	u64 steps;
	u32 violations;
	u64 barriers_done;
	u64 promotions;
	u64 crashes;
	u64 truncations;
	u64 wraps;
	u64 copies[COPY_FATES];
	u64 letters[6][26];
	char first[256];
};

void world_create(struct world *w, u64 seed, const struct sim_shape *shape);
/** world_reset() - everything of a run is gone; the world may be created again */
void world_reset(struct world *w);
void world_destroy(struct world *w);

/** ambush_step() - the target's stage was @before until this step */
void ambush_step(struct world *w, const struct node *n, u8 before);

/** world_turn() - one task, then every checker; false when nothing is left */
bool world_turn(struct world *w);
void world_run_for(struct world *w, u64 ns);

/** world_moment() - w->rng from now on is that of this time and of @who */
void world_moment(struct world *w, u64 who);

/** world_later() - a task of a node's present boot, or of the world */
void world_later(struct world *w, u8 node, u64 delay_ns, task_fn run, u64 a,
		 u64 b);
/** world_postpone() - @t once more when @node goes on after its pause */
void world_postpone(struct world *w, u8 node, struct task *t);
struct op *world_op(struct world *w, u8 node, bool barrier);

/** sim_violation() - an invariant is broken: @id is its number */
void sim_violation(struct world *w, u32 id, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** trace_line() - one line of narration; @node may be SIM_NOBODY */
void trace_line(struct world *w, u8 node, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
#define sim_trace(w, node, ...) \
	do { \
		if ((w)->trace) \
			trace_line(w, node, __VA_ARGS__); \
	} while (0)
void trace_event(struct world *w, const struct node *n,
		 const struct swb_event *ev);
void trace_action(struct world *w, const struct node *n,
		  const struct swb_action *act);

void sim_uuid(struct swb_uuid *u, u8 kind, u8 id);

#endif /* SWB_SIM_WORLD_H */
