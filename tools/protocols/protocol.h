/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Versions of the protocol, compared on one simulator. A scenario speaks to a
 * lab; the lab speaks to members through struct protocol; clock, chance, disks
 * and connections are those of sim/. What came of it is judged by bytes: what
 * a client was promised against what the members' disks hold.
 *
 *	lab.c		clients, promises, what a run is judged by
 *	scenario.c	the script language
 *	protosim.c	every scenario under every version; report.c writes it up
 *	v2.c		the real kmod/core, as distsim runs it
 *	older*.c	log shipping as V1 and V1.5 did it; v1.c, v1_5.c: policies
 *	bitmap*.c	a dirty bitmap and generation identifiers, no log
 */
#ifndef SWB_PROTOCOL_H
#define SWB_PROTOCOL_H

#include "sim/world.h"

#define LAB_OPS_MAX	65536
#define LAB_NOBODY	SIM_NOBODY

struct lab;

/** enum lab_view - a member as its primary, or the operator, sees it */
enum lab_view {
	VIEW_ABSENT,	/* no connection, or given up */
	VIEW_BEHIND,	/* being brought up */
	VIEW_IN_SYNC,	/* a full copy: it may be promoted */
	VIEW_REBUILD,	/* the log cannot bring it up, and this is said */
	VIEW_REFUSED,	/* histories conflict, and this is said */
};

/** enum lab_return - how a member comes back */
enum lab_return {
	RETURN_SAME,
	RETURN_QUICK,	/* before the control plane missed it */
	RETURN_ADDRESS,	/* listening at another address */
};

/**
 * struct lab_op - a client's write or barrier
 * @wid: number in the blocks of a write; grows with the order of issue
 * @state: enum op_state
 * @reign: of the lab, at issue
 * @counted: the lab has drawn its conclusions
 * @issued: place among all issues and ends; @ended: likewise, 0 if not yet
 * The rest belongs to the kind of member.
 */
struct lab_op {
	u64 wid;
	u32 block;
	u32 blocks;
	u8 node;
	u8 state;
	bool barrier;
	bool counted;
	u32 reign;
	u64 issued;
	u64 ended;
	u64 issued_ns;
	struct op *v2;
	u64 lsn;
	u64 deadline_ns;
	u32 asked;
	u32 wait;
	u32 good;
	bool local;
	bool late;
};

enum lab_promotion {
	PROMOTION_PENDING,
	PROMOTION_DONE,
	PROMOTION_REFUSED,
};

/** struct lab_work - what members did to bring each other up */
struct lab_work {
	u64 replayed;	/* catch-ups from the log */
	u64 cut;	/* logs cut back to a common point, then caught up */
	u64 resynced;	/* blocks sent because a bitmap named them */
	u64 rebuilt;	/* blocks of a full copy */
};

/** enum lab_safety - the worst that happened to what a client was promised */
enum lab_safety {
	SAFETY_SAFE,
	SAFETY_THIN,	/* acknowledged on fewer copies than the mode names */
	SAFETY_STALE,	/* a read returned what had been overwritten */
	SAFETY_LOST,	/* an acknowledged write is gone */
	SAFETY_WRONG,	/* a member called a full copy differs */
};

enum lab_recovery {
	RECOVERY_NONE,	/* nothing had to be sent again */
	RECOVERY_CATCH_UP,
	RECOVERY_CUT,	/* a dead branch was cut, then catch-up */
	RECOVERY_RESYNC,
	RECOVERY_REBUILD,
	RECOVERY_NEVER,
};

/**
 * struct lab_outcome - what a run showed; all of it measured
 * @safety: the worst; @seen: bit per enum lab_safety
 * @recovery: by itself, within the time the scenario gives
 * @by_operator: what an operator's order then needed; NEVER if nothing helps
 * @asked: an operator was needed
 * @needed: the scenario asked for a healing at all
 * @silent: the operator was shown a full copy that was none
 * @refused: promotions refused; @promoted: carried out
 * @errors: barriers and writes that failed in front of a live client
 * @bytes: sent from the healing on; @heal_ms: until all was well
 */
struct lab_outcome {
	enum lab_safety safety;
	u32 seen;
	enum lab_recovery recovery;
	enum lab_recovery by_operator;
	bool asked;
	bool needed;
	bool silent;
	u32 refused;
	u32 promoted;
	u32 errors;
	u64 bytes;
	u64 heal_ms;
	u64 longest_ms;
	char why[120];
};

/**
 * struct protocol - a version: operations of its members
 * @turn: one task of the clock; false when nothing is left
 * @submit: take a write or barrier; sets its state now or later
 * @poll: bring the states of operations up to date
 * @promote: order it; @promoted: what became of it
 * @primary: who serves as the newest primary, LAB_NOBODY
 * @serves: would this member answer a read?
 * @knob: something only some versions have; false if it means nothing here
 * @image: write of each block, as read or as a power cut would leave it;
 *	   false if a block is a mixture
 * @believed: member @n as primary @p counts it
 * @shown: member @n as the operator is shown it
 * @rescue: what an operator orders when nothing else helps
 */
struct protocol {
	const char *name;
	const struct policy *policy;
	void (*create)(struct lab *l);
	void (*destroy)(struct lab *l);
	bool (*turn)(struct lab *l);
	void (*submit)(struct lab *l, struct lab_op *op);
	void (*poll)(struct lab *l);
	void (*promote)(struct lab *l, u8 want, u32 required, bool override);
	enum lab_promotion (*promoted)(struct lab *l);
	u8 (*primary)(struct lab *l);
	bool (*serves)(struct lab *l, u8 n);
	void (*crash)(struct lab *l, u8 n, int fate);
	void (*restart)(struct lab *l, u8 n, enum lab_return how);
	void (*replace)(struct lab *l, u8 n);
	bool (*knob)(struct lab *l, const char *name, u8 n, u64 value);
	bool (*image)(struct lab *l, u8 n, bool stable, u64 *wid);
	bool (*up)(struct lab *l, u8 n);
	enum lab_view (*believed)(struct lab *l, u8 p, u8 n);
	enum lab_view (*shown)(struct lab *l, u8 n);
	void (*work)(struct lab *l, struct lab_work *work);
	bool (*rescue)(struct lab *l);
};

/**
 * struct policy - where V1 and V1.5 differ, as named hooks and known behaviour
 * @can_catch_up: after an outage of a member whose progress is @known
 * @converges: another try after @failures of catch-up, or give up?
 * @recoverable: does the log from @next on still exist here, by what is said?
 * @rejoin_by_copy: an old primary, or a member back from the dead, is rebuilt
 * @address_refresh: a new address reaches the primary by the control plane
 * @wildcard_resolved: a receiver bound to any address reports a usable one
 * @better: is @a the better candidate for promotion?
 * @retries: a degraded link is tried again
 * @background: also without a barrier
 * @durable_progress: barrier answers carry an LSN
 * @restores_progress: a restarted receiver knows its place from its disk
 * @scans_past_head: recovery does not trust the head in the superblock
 * @ordered_ship: LSN and order of sending are one step
 * @holds_log: the log is kept for slow members
 * @shows_members: the control plane hears how each member does
 */
struct candidate {
	u64 head;
	u32 health;
};

struct policy {
	bool (*can_catch_up)(bool known, bool address_same);
	bool (*converges)(u32 failures);
	bool (*recoverable)(u64 next, u64 oldest);
	bool (*better)(const struct candidate *a, const struct candidate *b);
	bool rejoin_by_copy;
	bool address_refresh;
	bool wildcard_resolved;
	bool retries;
	bool background;
	bool durable_progress;
	bool restores_progress;
	bool scans_past_head;
	bool ordered_ship;
	bool holds_log;
	bool shows_members;
};

extern const struct protocol protocol_v1, protocol_v1_5, protocol_v2;
extern const struct protocol protocol_bitmap;
extern const struct policy policy_v1, policy_v1_5;

/**
 * struct lab - one run of one scenario under one version
 * @w: first, so that tasks of the world find their lab
 * @kind: state of the members, theirs to allocate and free
 * @promised: members that the mode names (sync_all)
 * @acked: newest write to each block that a barrier promised
 * @reign: raised by every promotion
 * @snapshot: image of the primary when it began to bring [n] up
 */
struct lab {
	struct world w;
	const struct protocol *p;
	void *kind;
	u8 nodes;
	u8 mode;
	u32 blocks;
	u32 promised;
	u32 ops;
	u32 first_open;
	struct lab_op op[LAB_OPS_MAX];
	u64 next_wid;
	u64 order;
	bool overridden;
	bool marked;
	u64 acked[SIM_BLOCKS_MAX];
	u32 reign;
	enum lab_view view[SIM_NODES_MAX];
	u8 viewed_by;
	u64 snapshot[SIM_NODES_MAX][SIM_BLOCKS_MAX];
	struct lab_work before;
	struct lab_outcome out;
	bool trace;
};

static inline struct lab *lab_of(struct world *w)
{
	return (struct lab *)(void *)w;
}

/* lab.c */
void lab_create(struct lab *l, const struct protocol *p, u8 nodes, u8 mode,
		u32 blocks, u64 seed, u64 lease_ns);
void lab_destroy(struct lab *l);
/** lab_run_for() - time passes; promises are judged after every event */
void lab_run_for(struct lab *l, u64 ns);
struct lab_op *lab_write(struct lab *l, u8 n, u32 block, u32 blocks);
struct lab_op *lab_barrier(struct lab *l, u8 n);
/** lab_sync() - a barrier after the member's writes have ended, as fsync() does */
void lab_sync(struct lab *l, u8 n);
bool lab_promote(struct lab *l, u8 want, u32 required, bool override);
void lab_read(struct lab *l, u8 n);
/** lab_mark() - faults begin: what members do from now on is counted */
void lab_mark(struct lab *l);
/** lab_heal() - until all that is up holds all that is promised */
void lab_heal(struct lab *l, u64 limit_ns, u64 busy_ns);
/** lab_equal() - do two members read the same? */
bool lab_equal(struct lab *l, u8 a, u8 b);
void lab_end(struct lab *l);
void lab_crash(struct lab *l, u8 n, int fate);
/** lab_power_cut() - connections, pending tasks and unflushed writes of @n are gone */
void lab_power_cut(struct lab *l, u8 n, enum disk_fate fate);
/** lab_shown() - for the operations of a member that the primary alone speaks for */
enum lab_view lab_shown(struct lab *l, u8 n);
/** lab_later() - a task of @n's present boot */
void lab_later(struct lab *l, u8 n, u64 ns, task_fn run, u64 a, u64 b);
/** lab_disk() - a disk of the world for a member of another kind, blank */
struct disk *lab_disk(struct lab *l, u8 n);
/** lab_turn() - what world_turn() is, without the checkers of the real core */
bool lab_turn(struct lab *l);
void lab_note(struct lab *l, enum lab_safety safety, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
#define lab_trace(l, n, ...) \
	do { \
		if ((l)->trace) \
			lab_say(l, n, __VA_ARGS__); \
	} while (0)
void lab_say(struct lab *l, u8 n, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* scenario.c */

/**
 * struct scenario - a file, read
 * @intent: its first sentence
 * @expect: words each version must show; @failure: known failures it shows
 */
#define VERSIONS	4

struct scenario {
	char id[32];
	char intent[160];
	char expect[VERSIONS][80];
	char failure[VERSIONS][80];
	char rows[120];
};

bool scenario_read(const char *path, struct scenario *s, char *why, size_t len);
/** scenario_run() - @seed is added to the script's own */
bool scenario_run(struct lab *l, const char *path, const struct protocol *p,
		  u64 seed, bool trace, char *why, size_t len);

/* report.c */
extern const struct protocol *const versions[VERSIONS];
const char *report_safety(enum lab_safety s);
/** report_seen() - all that happened, worst last */
void report_seen(const struct lab_outcome *o, const char *bold, char *text, size_t len);
const char *report_recovery(enum lab_recovery r);
/** struct lab_results - of one scenario */
struct lab_results {
	struct lab_outcome of[VERSIONS];
};

bool report_write(const char *path, const struct scenario *s,
		  const struct lab_results *out, u32 count);

#endif /* SWB_PROTOCOL_H */
