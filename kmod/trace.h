/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints: scalars only, and an API, told in docs/design/observability.md. Times
 * are the tracer's; a volume is its local id; a peer is its member index, 255 for
 * none; events and actions are the numbers of core.h, all else those of the uapi.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM swblock

#if !defined(SWB_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define SWB_TRACE_H

#include <linux/tracepoint.h>

/* Stages of a WAL group in swblock_group. */
#define SWB_STAGE_SUBMITTED	1
#define SWB_STAGE_WRITTEN	2
#define SWB_STAGE_SHIPPED	3
#define SWB_STAGE_RETIRED	4

/* Stages of an upper request in swblock_request. */
#define SWB_STAGE_ADMITTED	1
#define SWB_STAGE_PARKED	2
#define SWB_STAGE_ENDED		3

/* What swblock_rebuild tells of. */
#define SWB_REBUILD_PREPARED	1	/* target: the copy is marked as void */
#define SWB_REBUILD_STARTED	2	/* source: the base lane begins */
#define SWB_REBUILD_STOPPED	3	/* source: it ends, complete or not */
#define SWB_REBUILD_CLEARED	4	/* target: the copy counts again */

/* The core is about to judge a fact. */
TRACE_EVENT(swblock_step,
	TP_PROTO(u32 volume, u32 event, u32 peer, u64 lsn, u64 epoch),
	TP_ARGS(volume, event, peer, lsn, epoch),
	TP_STRUCT__entry(
		__field(u32, volume)
		__field(u32, event)
		__field(u32, peer)
		__field(u64, lsn)
		__field(u64, epoch)
	),
	TP_fast_assign(
		__entry->volume = volume;
		__entry->event = event;
		__entry->peer = peer;
		__entry->lsn = lsn;
		__entry->epoch = epoch;
	),
	TP_printk("volume=%u event=%u peer=%u lsn=%llu epoch=%llu",
		  __entry->volume, __entry->event, __entry->peer,
		  __entry->lsn, __entry->epoch)
);

/* An order of the core is about to be executed. */
TRACE_EVENT(swblock_action,
	TP_PROTO(u32 volume, u32 action, u32 peer, u64 a, u64 b),
	TP_ARGS(volume, action, peer, a, b),
	TP_STRUCT__entry(
		__field(u32, volume)
		__field(u32, action)
		__field(u32, peer)
		__field(u64, a)
		__field(u64, b)
	),
	TP_fast_assign(
		__entry->volume = volume;
		__entry->action = action;
		__entry->peer = peer;
		__entry->a = a;
		__entry->b = b;
	),
	TP_printk("volume=%u action=%u peer=%u a=%llu b=%llu",
		  __entry->volume, __entry->action, __entry->peer,
		  __entry->a, __entry->b)
);

/* A frame, ack or order changed nothing: counted in SWBLOCK_STAT_REFUSED. */
TRACE_EVENT(swblock_refused,
	TP_PROTO(u32 volume, u32 peer, u32 reason),
	TP_ARGS(volume, peer, reason),
	TP_STRUCT__entry(
		__field(u32, volume)
		__field(u32, peer)
		__field(u32, reason)
	),
	TP_fast_assign(
		__entry->volume = volume;
		__entry->peer = peer;
		__entry->reason = reason;
	),
	TP_printk("volume=%u peer=%u reason=%u",
		  __entry->volume, __entry->peer, __entry->reason)
);

/* A WAL group reached a stage. */
TRACE_EVENT(swblock_group,
	TP_PROTO(u32 volume, u64 first_lsn, u32 nrec, u32 bytes, u32 stage),
	TP_ARGS(volume, first_lsn, nrec, bytes, stage),
	TP_STRUCT__entry(
		__field(u32, volume)
		__field(u32, nrec)
		__field(u64, first_lsn)
		__field(u32, bytes)
		__field(u32, stage)
	),
	TP_fast_assign(
		__entry->volume = volume;
		__entry->nrec = nrec;
		__entry->first_lsn = first_lsn;
		__entry->bytes = bytes;
		__entry->stage = stage;
	),
	TP_printk("volume=%u first_lsn=%llu nrec=%u bytes=%u stage=%u",
		  __entry->volume, __entry->first_lsn, __entry->nrec,
		  __entry->bytes, __entry->stage)
);

/* An upper request reached a stage; lsn is 0 for reads. */
TRACE_EVENT(swblock_request,
	TP_PROTO(u32 volume, u64 lsn, u32 op, u32 bytes, u32 stage, u64 age_ns),
	TP_ARGS(volume, lsn, op, bytes, stage, age_ns),
	TP_STRUCT__entry(
		__field(u32, volume)
		__field(u32, op)
		__field(u64, lsn)
		__field(u32, bytes)
		__field(u32, stage)
		__field(u64, age_ns)
	),
	TP_fast_assign(
		__entry->volume = volume;
		__entry->op = op;
		__entry->lsn = lsn;
		__entry->bytes = bytes;
		__entry->stage = stage;
		__entry->age_ns = age_ns;
	),
	TP_printk("volume=%u lsn=%llu op=%u bytes=%u stage=%u age_ns=%llu",
		  __entry->volume, __entry->lsn, __entry->op,
		  __entry->bytes, __entry->stage, __entry->age_ns)
);

/* A stage has ended, for nrec records at once: enum swblock_stage, in ns. */
TRACE_EVENT(swblock_stage,
	TP_PROTO(u32 volume, u32 peer, u32 stage, u32 nrec, u64 lsn, u32 bytes,
		 u64 ns),
	TP_ARGS(volume, peer, stage, nrec, lsn, bytes, ns),
	TP_STRUCT__entry(
		__field(u32, volume)
		__field(u32, peer)
		__field(u32, stage)
		__field(u32, nrec)
		__field(u64, lsn)
		__field(u32, bytes)
		__field(u64, ns)
	),
	TP_fast_assign(
		__entry->volume = volume;
		__entry->peer = peer;
		__entry->stage = stage;
		__entry->nrec = nrec;
		__entry->lsn = lsn;
		__entry->bytes = bytes;
		__entry->ns = ns;
	),
	TP_printk("volume=%u peer=%u stage=%u nrec=%u lsn=%llu bytes=%u ns=%llu",
		  __entry->volume, __entry->peer, __entry->stage,
		  __entry->nrec, __entry->lsn, __entry->bytes, __entry->ns)
);

/* A link: up 1, LINKED; up 0, it is closed for a reason. */
TRACE_EVENT(swblock_link,
	TP_PROTO(u32 volume, u32 peer, u32 up, u32 reason),
	TP_ARGS(volume, peer, up, reason),
	TP_STRUCT__entry(
		__field(u32, volume)
		__field(u32, peer)
		__field(u32, up)
		__field(u32, reason)
	),
	TP_fast_assign(
		__entry->volume = volume;
		__entry->peer = peer;
		__entry->up = up;
		__entry->reason = reason;
	),
	TP_printk("volume=%u peer=%u up=%u reason=%u",
		  __entry->volume, __entry->peer, __entry->up, __entry->reason)
);

/* A peer's state changed; letter is that of the last decision about it. */
TRACE_EVENT(swblock_peer,
	TP_PROTO(u32 volume, u32 peer, u32 state, u32 letter, u32 reason,
		 u64 session),
	TP_ARGS(volume, peer, state, letter, reason, session),
	TP_STRUCT__entry(
		__field(u32, volume)
		__field(u32, peer)
		__field(u32, state)
		__field(u32, letter)
		__field(u32, reason)
		__field(u64, session)
	),
	TP_fast_assign(
		__entry->volume = volume;
		__entry->peer = peer;
		__entry->state = state;
		__entry->letter = letter;
		__entry->reason = reason;
		__entry->session = session;
	),
	TP_printk("volume=%u peer=%u state=%u letter=%u reason=%u session=%llu",
		  __entry->volume, __entry->peer, __entry->state,
		  __entry->letter, __entry->reason, __entry->session)
);

/* The decision to go on with a peer: what START tells it. */
TRACE_EVENT(swblock_catchup,
	TP_PROTO(u32 volume, u32 peer, u32 kind, u64 from, u64 truncate_to,
		 u64 target),
	TP_ARGS(volume, peer, kind, from, truncate_to, target),
	TP_STRUCT__entry(
		__field(u32, volume)
		__field(u32, peer)
		__field(u32, kind)
		__field(u64, from)
		__field(u64, truncate_to)
		__field(u64, target)
	),
	TP_fast_assign(
		__entry->volume = volume;
		__entry->peer = peer;
		__entry->kind = kind;
		__entry->from = from;
		__entry->truncate_to = truncate_to;
		__entry->target = target;
	),
	TP_printk("volume=%u peer=%u kind=%u from=%llu truncate_to=%llu target=%llu",
		  __entry->volume, __entry->peer, __entry->kind, __entry->from,
		  __entry->truncate_to, __entry->target)
);

/* A copy of blocks: SWB_REBUILD_* says what has happened. */
TRACE_EVENT(swblock_rebuild,
	TP_PROTO(u32 volume, u32 peer, u32 what, s32 err),
	TP_ARGS(volume, peer, what, err),
	TP_STRUCT__entry(
		__field(u32, volume)
		__field(u32, peer)
		__field(u32, what)
		__field(s32, err)
	),
	TP_fast_assign(
		__entry->volume = volume;
		__entry->peer = peer;
		__entry->what = what;
		__entry->err = err;
	),
	TP_printk("volume=%u peer=%u what=%u err=%d",
		  __entry->volume, __entry->peer, __entry->what, __entry->err)
);

/* The role of this member was set. */
TRACE_EVENT(swblock_role,
	TP_PROTO(u32 volume, u32 role, u64 epoch, u64 committed),
	TP_ARGS(volume, role, epoch, committed),
	TP_STRUCT__entry(
		__field(u32, volume)
		__field(u32, role)
		__field(u64, epoch)
		__field(u64, committed)
	),
	TP_fast_assign(
		__entry->volume = volume;
		__entry->role = role;
		__entry->epoch = epoch;
		__entry->committed = committed;
	),
	TP_printk("volume=%u role=%u epoch=%llu committed=%llu",
		  __entry->volume, __entry->role, __entry->epoch,
		  __entry->committed)
);

/* An epoch is adopted, durably. */
TRACE_EVENT(swblock_epoch,
	TP_PROTO(u32 volume, u64 epoch, u64 durable, u64 committed),
	TP_ARGS(volume, epoch, durable, committed),
	TP_STRUCT__entry(
		__field(u32, volume)
		__field(u64, epoch)
		__field(u64, durable)
		__field(u64, committed)
	),
	TP_fast_assign(
		__entry->volume = volume;
		__entry->epoch = epoch;
		__entry->durable = durable;
		__entry->committed = committed;
	),
	TP_printk("volume=%u epoch=%llu durable=%llu committed=%llu",
		  __entry->volume, __entry->epoch, __entry->durable,
		  __entry->committed)
);

/* The log was cut behind lsn, or could not be. */
TRACE_EVENT(swblock_truncate,
	TP_PROTO(u32 volume, s32 err, u64 lsn, u64 ns),
	TP_ARGS(volume, err, lsn, ns),
	TP_STRUCT__entry(
		__field(u32, volume)
		__field(s32, err)
		__field(u64, lsn)
		__field(u64, ns)
	),
	TP_fast_assign(
		__entry->volume = volume;
		__entry->err = err;
		__entry->lsn = lsn;
		__entry->ns = ns;
	),
	TP_printk("volume=%u err=%d lsn=%llu ns=%llu",
		  __entry->volume, __entry->err, __entry->lsn, __entry->ns)
);

/* Conditions of the volume changed. */
TRACE_EVENT(swblock_conditions,
	TP_PROTO(u32 volume, u32 conditions),
	TP_ARGS(volume, conditions),
	TP_STRUCT__entry(
		__field(u32, volume)
		__field(u32, conditions)
	),
	TP_fast_assign(
		__entry->volume = volume;
		__entry->conditions = conditions;
	),
	TP_printk("volume=%u conditions=%u",
		  __entry->volume, __entry->conditions)
);

/* An order was refused late, with a case letter of a table. */
TRACE_EVENT(swblock_order_refused,
	TP_PROTO(u32 volume, u32 table, u32 letter),
	TP_ARGS(volume, table, letter),
	TP_STRUCT__entry(
		__field(u32, volume)
		__field(u32, table)
		__field(u32, letter)
	),
	TP_fast_assign(
		__entry->volume = volume;
		__entry->table = table;
		__entry->letter = letter;
	),
	TP_printk("volume=%u table=%u letter=%u",
		  __entry->volume, __entry->table, __entry->letter)
);

/* What is at or below lo is in the extent, the log begins at start. */
TRACE_EVENT(swblock_checkpoint,
	TP_PROTO(u32 volume, u64 lo, u64 start, u64 ns),
	TP_ARGS(volume, lo, start, ns),
	TP_STRUCT__entry(
		__field(u32, volume)
		__field(u64, lo)
		__field(u64, start)
		__field(u64, ns)
	),
	TP_fast_assign(
		__entry->volume = volume;
		__entry->lo = lo;
		__entry->start = start;
		__entry->ns = ns;
	),
	TP_printk("volume=%u lo=%llu start=%llu ns=%llu",
		  __entry->volume, __entry->lo, __entry->start, __entry->ns)
);

#endif /* SWB_TRACE_H */

/* This part must be outside the guard. */
#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
