/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints: scalars only, and an API. Times are the tracer's; a volume is its
 * local id; events, actions and reasons are the numbers of core.h and the uapi.
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

#endif /* SWB_TRACE_H */

/* This part must be outside the guard. */
#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
