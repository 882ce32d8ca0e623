/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A light world around real cores, for going through every order of events. No
 * bytes: a record is (epoch, LSN), a disk is how much of a log survives. Cheap
 * to copy and to hash. What is started ends by an event of its own, and which
 * of the enabled events comes next is nobody's choice but the explorer's.
 *
 *	model.c   post: event -> step -> orders; logs, superblocks, upper I/O
 *	wire.c    connections and frames
 *	control.c the store, its two swaps, orders and reports under way
 *	event.c   which events are enabled, and what each does
 *	check*.c  invariants, one function per number
 *	explore.c every order, cut where a state was seen
 *	script.c  setup, concurrent events, expectations
 */
#ifndef SWB_EVENT_MODEL_H
#define SWB_EVENT_MODEL_H

#include <stdio.h>

#include "core/core.h"
#include "core/lineage.h"
#include "core/promote.h"
#include "core/text.h"

#define EV_NODES	3
#define EV_LSNS		31
#define EV_EPOCHS	8
#define EV_CONNS	8
#define EV_QUEUE	14
#define EV_GROUPS	8
#define EV_OPS		8
#define EV_PROCS	8
#define EV_STEPS	16
#define EV_ORDERS	24
#define EV_ATTEMPTS	4
#define EV_LINEAGE	8
#define EV_NOBODY	0xff
#define EV_MSEC		SWB_NSEC_PER_MSEC

/* ---- what goes over a connection ------------------------------------------- */

struct ev_facts {
	u8 adopted, log_end, last_epoch, durable, committed;
	u8 extent_lo, extent_hi, log_start, flags, from, to;
	u8 count;
	struct { u8 epoch, first, flags; } e[EV_LINEAGE];
};

struct ev_frame {
	u32 session;
	u8 type, epoch, committed, flush, nrec;
	u8 a[4];
	struct ev_facts facts;
};

enum ev_end { EV_END_NEW, EV_END_UP, EV_END_GONE };

/** struct ev_conn - @q[i] goes to end i; it is one connection, never reused */
struct ev_conn {
	u8 used, cut;
	u8 node[2];
	u8 state[2];
	u8 count[2];
	struct ev_frame q[2][EV_QUEUE];
};

/* ---- a member's hands ------------------------------------------------------- */

struct ev_super {
	u8 adopted, opened, extent_lo, extent_hi, committed, start;
};

/**
 * struct ev_exec - what is under way on a member, and what its medium holds
 * @conn: connection to each member, index + 1
 * @rec: epoch of each record of the log
 * @group: WAL writes under way or done before an earlier one
 * @medium: epochs of the records that a power cut leaves, @medium_end of them
 * @cuts: raised by each cut: a flush that spans one saves nothing
 * @sent: newest record sent in session @sent_session
 * @lease_seen: see check_i216
 */
struct ev_exec {
	u8 conn[EV_NODES];
	u8 rec[EV_LSNS + 1];
	struct { u8 first, last, done; } group[EV_GROUPS];
	u8 groups;
	u8 medium[EV_LSNS + 1];
	u8 medium_end;
	u8 saving, save_again;
	struct ev_super shot, stable;
	u8 flushing, flush_to, cuts, flush_cuts;
	u32 flush_generation;
	u8 cutting, cut_to;
	u8 back, back_to;
	u8 tick_due, closing;
	u8 sent[EV_NODES];
	u32 sent_session[EV_NODES];
};

enum ev_op_state { EV_OP_NONE, EV_OP_PARKED, EV_OP_WAITING, EV_OP_DONE, EV_OP_FAILED };

struct ev_op {
	u8 node, state, barrier, lsn, epoch;
};

/* ---- the store -------------------------------------------------------------- */

struct ev_attempt {
	u8 epoch, want, have, granted, candidate, required, flight;
	u8 cert_flags, last_epoch, last_node, judges, judge[SWB_CONFIGS_MAX];
	struct { u8 last_epoch, durable, committed, flags; } report[EV_NODES];
};

enum ev_order_type {
	EV_ORDER_NONE, EV_ORDER_ADOPT, EV_ORDER_ASSIGN, EV_ORDER_CERT,
	EV_ORDER_LEASE, EV_ORDER_DEMOTE, EV_ORDER_UNLINK,
};

struct ev_order {
	u8 type, node, epoch, attempt, peer, raw;
	u64 lease_end;
};

struct ev_control {
	u8 won, granted, primary, required, attempts, orders, conns;
	u8 judges, judge[SWB_CONFIGS_MAX];
	u64 lease_end;
	struct ev_attempt attempt[EV_ATTEMPTS];
	struct ev_order order[EV_ORDERS];
};

/* ---- the truth: openings and commits, never read by a member ------------------ */

struct ev_truth {
	u8 opener[EV_EPOCHS], parent[EV_EPOCHS], first[EV_EPOCHS];
	u8 override[EV_EPOCHS], granted[EV_EPOCHS];
	u8 committed[EV_LSNS + 1];
};

/* ---- script: processes of steps, taken in any order ---------------------------- */

enum ev_do {
	EV_DO_WRITE, EV_DO_BARRIER, EV_DO_EXPIRE, EV_DO_LINK, EV_DO_CUT,
	EV_DO_UNLINK, EV_DO_ADOPT, EV_DO_ASSIGN, EV_DO_FENCE, EV_DO_GRANT,
	EV_DO_RECERTIFY, EV_DO_DEMOTE, EV_DO_RENEW, EV_DO_TIME,
	EV_DO_CHECKPOINT, EV_DO_FAIL, EV_DO_CRASH, EV_DO_WAIT, EV_DO_FORCE,
};

struct ev_step {
	u8 what, node, peer, op, value;
	u32 ms;
	char text[28];
};

struct ev_proc {
	u8 steps;
	struct ev_step step[EV_STEPS];
};

struct ev_script {
	char name[64];
	u8 nodes, mode, policy, required, back, depth;
	u32 lease_ms;
	u8 procs, ops;
	struct ev_proc proc[EV_PROCS];
	char op_name[EV_OPS][8];
	u32 show;
};

/**
 * struct ev_world - a state; everything but @trace and @violation is hashed
 * @hash: of each member, valid unless its bit is in @dirty
 */
struct ev_world {
	u64 now_ns;
	struct swb_core core[EV_NODES];
	struct ev_exec exec[EV_NODES];
	struct ev_conn conn[EV_CONNS];
	struct ev_control control;
	struct ev_truth truth;
	struct ev_op op[EV_OPS];
	u8 pc[EV_PROCS];
	u64 hash[EV_NODES];
	u8 dirty;
	u32 violation;
	char why[160];
	FILE *trace;
	const struct ev_script *script;
};

/* ---- model.c ------------------------------------------------------------------ */

void ev_world_init(struct ev_world *w, const struct ev_script *s);
void ev_post(struct ev_world *w, u8 node, struct swb_event *ev);
void ev_append(struct ev_world *w, u8 node, u8 epoch, u8 first, u8 n);
void ev_written(struct ev_world *w, u8 node, u8 group);
void ev_flushed(struct ev_world *w, u8 node);
void ev_saved(struct ev_world *w, u8 node);
void ev_cut_done(struct ev_world *w, u8 node);
void ev_back_done(struct ev_world *w, u8 node);
void ev_last_closed(struct ev_world *w, u8 node);
void ev_checkpoint(struct ev_world *w, u8 node, bool ignore_pins);
void ev_crash(struct ev_world *w, u8 node);
void ev_admit(struct ev_world *w, u8 op);
void ev_config(const struct ev_world *w, u8 required, struct swb_config *c);
struct swb_uuid ev_uuid(u8 kind, u8 id);
u64 ev_hash(struct ev_world *w);
/** ev_bound() - a table of the model is full: the script is too large */
void ev_bound(const char *what) __attribute__((noreturn));

/* ---- wire.c --------------------------------------------------------------------- */

void ev_link(struct ev_world *w, u8 a, u8 b);
void ev_send(struct ev_world *w, u8 node, const struct swb_action *a);
void ev_ack(struct ev_world *w, u8 node, u8 peer);
void ev_ship(struct ev_world *w, u8 node, u8 peer);
bool ev_can_ship(const struct ev_world *w, u8 node, u8 peer);
void ev_close(struct ev_world *w, u8 node, u8 peer);
void ev_attach(struct ev_world *w, u8 node, u8 conn);
void ev_lost(struct ev_world *w, u8 node, u8 conn);
void ev_receive(struct ev_world *w, u8 node, u8 conn);
u8 ev_end_of(const struct ev_conn *c, u8 node);

/* ---- control.c -------------------------------------------------------------------- */

void ev_order_add(struct ev_world *w, struct ev_order o);
void ev_order_deliver(struct ev_world *w, u8 slot);
bool ev_order_ready(const struct ev_world *w, const struct ev_order *o);
void ev_fence(struct ev_world *w, u8 want);
bool ev_can_grant(struct ev_world *w, u8 attempt);
void ev_grant(struct ev_world *w, u8 attempt, u8 required);
void ev_reported(struct ev_world *w, u8 node);
void ev_report_arrives(struct ev_world *w, u8 attempt, u8 node);

/* ---- event.c ----------------------------------------------------------------------- */

enum ev_kind {
	EV_K_WRITTEN, EV_K_FLUSHED, EV_K_SAVED, EV_K_CUT, EV_K_BACK,
	EV_K_RECV, EV_K_SHIP, EV_K_ATTACH, EV_K_LOST, EV_K_ORDER, EV_K_REPORT,
	EV_K_ADMIT, EV_K_CLOSED, EV_K_TICK, EV_K_STEP,
};

/** struct ev_choice - an enabled event; @mask: what it touches */
struct ev_choice {
	u8 kind, node, a, mask;
};

#define EV_CHOICES	64
#define EV_MASK_CONTROL	0x80
#define EV_MASK_ALL	0xff

u32 ev_enabled(struct ev_world *w, struct ev_choice *out);
void ev_take(struct ev_world *w, const struct ev_choice *c);
/** ev_settle() - take what is under way, oldest kind first, until nothing is */
void ev_settle(struct ev_world *w);
bool ev_step_ready(struct ev_world *w, const struct ev_step *s);
void ev_step_run(struct ev_world *w, const struct ev_step *s);

/* ---- check.c, check_state.c ----------------------------------------------------------- */

void ev_violation(struct ev_world *w, u32 id, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
u8 ev_truth_at(const struct ev_world *w, u8 tip, u8 lsn);
void ev_check_step(struct ev_world *w, u8 node, const struct swb_core *before,
		   const struct swb_event *ev, const struct swb_actions *out);
void ev_check_state(struct ev_world *w);
void ev_check_opening(struct ev_world *w, u8 node, u8 epoch, u8 lsn);
void ev_check_barrier(struct ev_world *w, u8 node, const struct ev_op *op);
void ev_check_done(struct ev_world *w, u8 node, const struct ev_op *op);
void ev_check_frame(struct ev_world *w, u8 node, u8 peer,
		    const struct ev_frame *f);
void ev_check_data(struct ev_world *w, u8 node, const struct ev_frame *f);
void ev_check_shipped(struct ev_world *w, u8 node, u8 peer,
		      const struct ev_frame *f);
void ev_check_report(struct ev_world *w, u8 node);
void ev_check_admitted(struct ev_world *w, u8 node);

/* ---- narrate.c ------------------------------------------------------------------------ */

void ev_say(struct ev_world *w, u8 node, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void ev_say_event(struct ev_world *w, u8 node, const struct swb_event *ev);
void ev_say_action(struct ev_world *w, u8 node, const struct swb_action *a);
void ev_say_choice(struct ev_world *w, const struct ev_choice *c);

#endif /* SWB_EVENT_MODEL_H */
