/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A member as V1 and V1.5 had it: a userspace server with a log, an extent, a
 * sender for each replica and a receiver; and the central master above them.
 * What differs between the two is asked of struct policy.
 *
 *	older.c		life, clients, timers
 *	older_log.c	log, write-back, recovery
 *	older_ship.c	sender: live records, barriers, the way back
 *	older_take.c	receiver
 *	older_copy.c	rebuild, both ends
 *	older_master.c	leases, addresses, promotion
 *
 * Times are a tenth of the real ones.
 */
#ifndef SWB_PROTOCOLS_OLDER_H
#define SWB_PROTOCOLS_OLDER_H

#include "protocol.h"

#define OLD_BARRIER_NS		(500 * SIM_MSEC)
#define OLD_SOCKET_NS		(300 * SIM_MSEC)
#define OLD_FULL_NS		(500 * SIM_MSEC)
#define OLD_CATCH_UP_NS		(3000 * SIM_MSEC)
#define OLD_RETRY_NS		(500 * SIM_MSEC)
#define OLD_HEARTBEAT_NS	(500 * SIM_MSEC)
#define OLD_KEEP_NS		(30000 * SIM_MSEC)
#define OLD_FLUSHER_NS		(10 * SIM_MSEC)
#define OLD_TICK_NS		SIM_MSEC
#define OLD_LOG_BYTES		NODE_RING_BYTES
#define OLD_LAG_MAX		100
#define OLD_RECS_MAX		16384
#define OLD_WAITS		32
#define OLD_MEMBERS		4

enum old_role {
	OLD_NONE,
	OLD_PRIMARY,
	OLD_REPLICA,
	OLD_STALE,
	OLD_REBUILDING,
};

enum ship_state {
	SHIP_DISCONNECTED,
	SHIP_CONNECTING,
	SHIP_CATCHING_UP,
	SHIP_IN_SYNC,
	SHIP_DEGRADED,
	SHIP_NEEDS_REBUILD,
};

enum old_frame_type {
	OLD_RECORD = 1,
	OLD_BARRIER,
	OLD_BARRIER_DONE,
	OLD_RESUME,
	OLD_RESUME_REPLY,
	OLD_CATCH_UP_DONE,
	OLD_COPY_WANTED,
	OLD_COPY_BLOCKS,
	OLD_COPY_RECORD,
	OLD_COPY_END,
	OLD_COPY_RECYCLED,
};

/** struct old_frame - on the wire; records and blocks carry data behind it */
struct old_frame {
	u32 type;
	u32 id;
	u64 epoch;
	u64 lsn;
	u64 lsn2;
	u32 block;
	u32 blocks;
	u32 good;
	u32 pad;
};

/**
 * struct old_rec - a record in the log, as memory knows it
 * @pos: logical byte position
 * @dirty: in the map of dirty blocks, not yet in the extent
 * @mapped: the writer has come that far
 * @batch: the write-back under way holds it
 */
struct old_rec {
	u64 lsn;
	u64 epoch;
	u64 pos;
	u64 wid;
	u32 block;
	u32 blocks;
	bool dirty;
	bool mapped;
	bool batch;
};

/**
 * struct ship - the sender for one replica
 * @address: where it dials, 0 if nowhere; @data, @ctrl: connections
 * @broken: an error waits for the next use
 * @progress: the replica once told a flushed LSN
 * @cursor: next live record; @held: the next one is overtaken
 * @scan: next record of a catch-up; @scan_pos: its place in the log
 * @starter: barrier (its index) that waits for the way back, -1 if none
 */
struct ship {
	bool exists;
	bool broken;
	bool progress;
	u8 state;
	u32 address;
	u32 data;
	u32 ctrl;
	u32 failures;
	u32 attempt;
	u64 flushed;
	u64 contact_ns;
	u64 cursor;
	u64 stalled_ns;
	u64 deadline_ns;
	u64 scan;
	u64 scan_pos;
	int starter;
};

/** struct old_wait - a barrier that waits at the replica for records */
struct old_wait {
	bool used;
	bool flushing;
	u32 conn;
	u32 id;
	u64 epoch;
	u64 lsn;
	u64 deadline_ns;
};

/** struct old_copy - a rebuild under way, at either end */
struct old_copy {
	bool active;
	u32 conn;
	u32 block;
	u64 snap;
	u64 next;
	bool tail;
};

struct older {
	u8 id;
	bool up;
	u8 role;
	u64 epoch;
	u64 lease_end_ns;
	struct disk *disk;
	u32 address;
	bool wildcard;
	/* log */
	u64 head_pos;
	u64 tail_pos;
	u64 checkpoint;
	u64 next_lsn;
	u64 received;
	u64 flushed;
	u32 first;
	u32 count;
	struct old_rec rec[OLD_RECS_MAX];
	bool writing_back;
	/* what a scenario may turn */
	bool flusher_off;
	bool no_hold;
	bool head_by_flusher;
	bool late_next;
	bool race_next;
	bool raced;
	u64 flush_ns;
	u64 replay_ns;
	struct ship ship[OLD_MEMBERS];
	struct old_wait wait[OLD_WAITS];
	struct old_copy source[OLD_MEMBERS];
	struct old_copy target;
	u64 retry_ns;
	bool copied;	/* rebuilt, and the master has not seen it yet */
};

struct master {
	u64 epoch;
	u8 primary;
	u32 members;
	u32 pending;
	u32 address[OLD_MEMBERS];
	u32 health[OLD_MEMBERS];
	u64 head[OLD_MEMBERS];
	u64 delay_ns[OLD_MEMBERS];
	u64 lease_end_ns;
	bool lag_limit;
	u8 want;
	enum lab_promotion promotion;
};

struct older_kind {
	const struct policy *policy;
	struct older m[OLD_MEMBERS];
	struct master master;
	struct lab_work work;
};

static inline struct older_kind *old_kind(struct lab *l)
{
	return l->kind;
}

static inline struct older *old_member(struct lab *l, u8 n)
{
	return &old_kind(l)->m[n];
}

static inline const struct policy *old_policy(struct lab *l)
{
	return old_kind(l)->policy;
}

/* older.c */
void old_create(struct lab *l);
void old_destroy(struct lab *l);
void old_submit(struct lab *l, struct lab_op *op);
void old_poll(struct lab *l);
void old_crash(struct lab *l, u8 n, int fate);
void old_start(struct lab *l, u8 n);
bool old_knob(struct lab *l, const char *name, u8 n, u64 value);
bool old_serves(struct lab *l, u8 n);
bool old_up(struct lab *l, u8 n);
bool old_lease_ok(struct lab *l, const struct older *m);
void old_barrier_progress(struct lab *l, struct older *m, struct lab_op *op);
void old_send(struct lab *l, u8 from, u32 conn, struct old_frame *f,
	      const void *data, u32 len);
enum lab_view old_believed(struct lab *l, u8 p, u8 n);
enum lab_view old_shown(struct lab *l, u8 n);
void old_work(struct lab *l, struct lab_work *work);

/* older_log.c */
bool old_room(const struct older *m, u32 blocks, u32 percent);
void old_append(struct lab *l, struct older *m, u64 lsn, u64 epoch, u32 block,
		u32 blocks, const u8 *data, bool mapped);
struct old_rec *old_find(struct older *m, u64 lsn);
/** old_read_at() - the record at @pos as the disk has it; false if it is none */
bool old_read_at(const struct older *m, u64 pos, bool stable, struct old_rec *rec,
		 u8 *data);
u64 old_next_pos(u64 pos, u32 blocks);
void old_save(struct older *m);
void old_flusher(struct world *w, struct task *t);
void old_recover(struct lab *l, struct older *m);
void old_forget_log(struct older *m);
bool old_image(struct lab *l, u8 n, bool stable, u64 *wid);
u64 old_head(const struct older *m);

/* older_ship.c */
void ship_set(struct lab *l, struct older *m, u8 peer, u32 address, bool seeded);
void ship_drop(struct lab *l, struct older *m, u8 peer);
void ship_live(struct lab *l, struct older *m, u8 peer);
void ship_barrier(struct lab *l, struct older *m, u8 peer, struct lab_op *op);
void ship_tick(struct lab *l, struct older *m, u8 peer);
void ship_frame(struct lab *l, struct older *m, u8 peer, const struct old_frame *f);
void ship_lost(struct lab *l, struct older *m, u8 peer, u32 conn);

/* older_take.c */
void take_frame(struct lab *l, struct older *m, u32 conn, const struct old_frame *f,
		const u8 *data);
void take_tick(struct lab *l, struct older *m);

/* older_copy.c */
void copy_start(struct lab *l, struct older *m);
void copy_frame(struct lab *l, struct older *m, u32 conn, const struct old_frame *f,
		const u8 *data);
void copy_tick(struct lab *l, struct older *m);
void copy_lost(struct lab *l, struct older *m, u32 conn);

/* older_master.c */
void master_create(struct lab *l);
void master_promote(struct lab *l, u8 want, u32 required, bool override);
enum lab_promotion master_promoted(struct lab *l);
u8 master_primary(struct lab *l);
void master_returned(struct lab *l, u8 n, enum lab_return how);
void master_remove(struct lab *l, u8 n);
void master_refresh(struct lab *l);
void master_heartbeat(struct world *w, struct task *t);
bool master_rescue(struct lab *l);
void old_restart(struct lab *l, u8 n, enum lab_return how);
void old_replace(struct lab *l, u8 n);

/* What V1 and V1.5 have in common as members; they differ by their policy. */
#define OLDER_OPERATIONS \
	.create = old_create, .destroy = old_destroy, .turn = lab_turn, \
	.submit = old_submit, .poll = old_poll, .promote = master_promote, \
	.promoted = master_promoted, .primary = master_primary, \
	.serves = old_serves, .crash = old_crash, .restart = old_restart, \
	.replace = old_replace, .knob = old_knob, .image = old_image, \
	.up = old_up, .believed = old_believed, .shown = old_shown, \
	.work = old_work, .rescue = master_rescue

#endif /* SWB_PROTOCOLS_OLDER_H */
