// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of enums, sentences of case letters. One place, so that code, log
 * lines, tracepoints, the CLI and the simulators use one word per idea. Static
 * strings only; a value out of range is "?". No lock, any context.
 */
#include "text.h"

/* position in the array is the value of the enum; holes are NULL */
static const char *name_of(const char *const *name, u32 count, u32 value)
{
	return value < count && name[value] ? name[value] : "?";
}

#define NAME_OF(table, value) name_of(table, ARRAY_SIZE(table), (u32)(value))

const char *swb_text_mode(u8 mode)
{
	static const char *const name[] = {
		[SWBLOCK_MODE_BEST_EFFORT] = "best_effort",
		[SWBLOCK_MODE_SYNC_QUORUM] = "sync_quorum",
		[SWBLOCK_MODE_SYNC_ALL] = "sync_all",
	};

	return NAME_OF(name, mode);
}

const char *swb_text_policy(u8 policy)
{
	static const char *const name[] = {
		[SWBLOCK_POLICY_LOCAL] = "local",
		[SWBLOCK_POLICY_RECEIVED] = "received",
		[SWBLOCK_POLICY_WRITTEN] = "written",
	};

	return NAME_OF(name, policy);
}

const char *swb_text_role(u8 role)
{
	static const char *const name[] = {
		[SWBLOCK_ROLE_NONE] = "none",
		[SWBLOCK_ROLE_REPLICA] = "replica",
		[SWBLOCK_ROLE_PRIMARY] = "primary",
	};

	return NAME_OF(name, role);
}

const char *swb_text_peer_state(u8 state)
{
	static const char *const name[] = {
		[SWBLOCK_PEER_DETACHED] = "detached",
		[SWBLOCK_PEER_OPENING] = "opening",
		[SWBLOCK_PEER_CATCHING_UP] = "catching_up",
		[SWBLOCK_PEER_IN_SYNC] = "in_sync",
		[SWBLOCK_PEER_NEEDS_REBUILD] = "needs_rebuild",
		[SWBLOCK_PEER_REFUSED] = "refused",
		[SWBLOCK_PEER_REBUILDING] = "rebuilding",
	};

	return NAME_OF(name, state);
}

const char *swb_text_stage(u32 stage)
{
	static const char *const name[] = {
		[SWBLOCK_STAGE_ADMIT] = "admit",
		[SWBLOCK_STAGE_APPEND] = "append",
		[SWBLOCK_STAGE_PERSIST] = "persist",
		[SWBLOCK_STAGE_SHIP] = "ship",
		[SWBLOCK_STAGE_PEER_RECEIVE] = "peer-receive",
		[SWBLOCK_STAGE_PEER_PERSIST] = "peer-persist",
		[SWBLOCK_STAGE_ACK] = "ack",
		[SWBLOCK_STAGE_COMMIT] = "commit",
		[SWBLOCK_STAGE_COMPLETE] = "complete",
		[SWBLOCK_STAGE_BARRIER] = "barrier",
		[SWBLOCK_STAGE_READ] = "read",
		[SWBLOCK_STAGE_WRITEBACK] = "writeback",
		[SWBLOCK_STAGE_CHECKPOINT] = "checkpoint",
		[SWBLOCK_STAGE_FLUSH] = "flush",
		[SWBLOCK_STAGE_PEER_FLUSH] = "peer-flush",
	};

	return NAME_OF(name, stage);
}

const char *swb_text_rebuild(u8 kind)
{
	static const char *const name[] = {
		[SWBLOCK_REBUILD_NONE] = "none",
		[SWBLOCK_REBUILD_DELTA] = "delta",
		[SWBLOCK_REBUILD_FULL] = "full",
	};

	return NAME_OF(name, kind);
}

const char *swb_text_condition(u32 bit)
{
	static const struct {
		u32 bit;
		const char *name;
	} table[] = {
		{ SWBLOCK_COND_NO_ROLE, "no_role" },
		{ SWBLOCK_COND_SUSPENDED_LEASE, "suspended_lease" },
		{ SWBLOCK_COND_SUSPENDED_EPOCH, "suspended_epoch" },
		{ SWBLOCK_COND_WAITING_PEER, "waiting_peer" },
		{ SWBLOCK_COND_RING_FULL, "ring_full" },
		{ SWBLOCK_COND_CATCHING_UP, "catching_up" },
		{ SWBLOCK_COND_NEEDS_REBUILD, "needs_rebuild" },
		{ SWBLOCK_COND_DISK_FAILED, "disk_failed" },
		{ SWBLOCK_COND_INCONSISTENT, "inconsistent" },
		{ SWBLOCK_COND_STALE_OPENERS, "stale_openers" },
		{ SWBLOCK_COND_DEGRADED, "degraded" },
		{ SWBLOCK_COND_REMOVING, "removing" },
		{ SWBLOCK_COND_ZOMBIE, "zombie" },
		{ SWBLOCK_COND_REBUILDING, "rebuilding" },
		{ SWBLOCK_COND_SUSPENDED_ADMIN, "suspended_admin" },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].bit == bit)
			return table[i].name;
	return "?";
}

const char *swb_text_reason(u32 reason)
{
	static const char *const name[] = {
		[SWBLOCK_REASON_NONE] = "none",
		[SWBLOCK_REASON_UNLINKED] = "unlinked",
		[SWBLOCK_REASON_REPLACED] = "replaced",
		[SWBLOCK_REASON_PEER_CLOSED] = "peer_closed",
		[SWBLOCK_REASON_SOCKET_ERROR] = "socket_error",
		[SWBLOCK_REASON_TIMEOUT] = "timeout",
		[SWBLOCK_REASON_BAD_MAGIC] = "bad_magic",
		[SWBLOCK_REASON_BAD_HEADER_CRC] = "bad_header_crc",
		[SWBLOCK_REASON_BAD_BODY_CRC] = "bad_body_crc",
		[SWBLOCK_REASON_BAD_PAYLOAD_CRC] = "bad_payload_crc",
		[SWBLOCK_REASON_BAD_LENGTH] = "bad_length",
		[SWBLOCK_REASON_BAD_TYPE] = "bad_type",
		[SWBLOCK_REASON_BAD_RECORD] = "bad_record",
		[SWBLOCK_REASON_FOREIGN_VOLUME] = "foreign_volume",
		[SWBLOCK_REASON_FOREIGN_REPLICA] = "foreign_replica",
		[SWBLOCK_REASON_FOREIGN_STORE] = "foreign_store",
		[SWBLOCK_REASON_STALE_EPOCH] = "stale_epoch",
		[SWBLOCK_REASON_NEWER_EPOCH] = "newer_epoch",
		[SWBLOCK_REASON_NOT_GRANTED] = "not_granted",
		[SWBLOCK_REASON_STALE_SESSION] = "stale_session",
		[SWBLOCK_REASON_LSN_GAP] = "lsn_gap",
		[SWBLOCK_REASON_EPOCH_FALLS] = "epoch_falls",
		[SWBLOCK_REASON_TWO_OPENINGS] = "two_openings",
		[SWBLOCK_REASON_BELOW_EXTENT] = "below_extent",
		[SWBLOCK_REASON_BELOW_COMMITTED] = "below_committed",
		[SWBLOCK_REASON_NEEDS_REBUILD] = "needs_rebuild",
		[SWBLOCK_REASON_NO_ROLE] = "no_role",
		[SWBLOCK_REASON_DISK_FAILED] = "disk_failed",
		[SWBLOCK_REASON_ADOPTED] = "adopted",
		[SWBLOCK_REASON_REMOVED] = "removed",
		[SWBLOCK_REASON_ACK_BEYOND] = "ack_beyond",
		[SWBLOCK_REASON_ACK_FALLS] = "ack_falls",
		[SWBLOCK_REASON_PIN_LOST] = "pin_lost",
		[SWBLOCK_REASON_GEOMETRY] = "geometry",
		[SWBLOCK_REASON_DEMOTED] = "demoted",
		[SWBLOCK_REASON_BUDGET] = "budget",
		[SWBLOCK_REASON_REQUIRED] = "required",
	};

	return NAME_OF(name, reason);
}

const char *swb_text_event(enum swb_event_type t)
{
	static const char *const name[] = {
		[SWB_EV_ADOPT_ORDERED] = "adopt_ordered",
		[SWB_EV_ASSIGNED] = "assigned",
		[SWB_EV_CERTIFIED] = "certified",
		[SWB_EV_DEMOTE_ORDERED] = "demote_ordered",
		[SWB_EV_LEASE_SET] = "lease_set",
		[SWB_EV_LINKED] = "linked",
		[SWB_EV_UNLINK_ORDERED] = "unlink_ordered",
		[SWB_EV_LINK_LOST] = "link_lost",
		[SWB_EV_PEER_OPENED] = "peer_opened",
		[SWB_EV_PEER_FACTS] = "peer_facts",
		[SWB_EV_PEER_STARTED] = "peer_started",
		[SWB_EV_PEER_ACKED] = "peer_acked",
		[SWB_EV_PEER_PINGED] = "peer_pinged",
		[SWB_EV_PEER_CLOSED] = "peer_closed",
		[SWB_EV_LOG_WRITTEN] = "log_written",
		[SWB_EV_LOG_FLUSHED] = "log_flushed",
		[SWB_EV_LOG_TRUNCATED] = "log_truncated",
		[SWB_EV_SUPER_SAVED] = "super_saved",
		[SWB_EV_CHECKPOINTED] = "checkpointed",
		[SWB_EV_BARRIER_WANTED] = "barrier_wanted",
		[SWB_EV_DISK_FAILED] = "disk_failed",
		[SWB_EV_LAST_CLOSED] = "last_closed",
		[SWB_EV_SUSPEND_ORDERED] = "suspend_ordered",
		[SWB_EV_EXTENT_GROWN] = "extent_grown",
		[SWB_EV_TICK] = "tick",
		[SWB_EV_REBUILD_ORDERED] = "rebuild_ordered",
		[SWB_EV_REBUILD_PREPARED] = "rebuild_prepared",
		[SWB_EV_BASE_SENT] = "base_sent",
		[SWB_EV_PEER_BASE_ENDED] = "peer_base_ended",
		[SWB_EV_REBUILD_CLEARED] = "rebuild_cleared",
	};

	return NAME_OF(name, t);
}

const char *swb_text_action(enum swb_action_type t)
{
	static const char *const name[] = {
		[SWB_ACT_SAVE_SUPER] = "save_super",
		[SWB_ACT_FLUSH_LOG] = "flush_log",
		[SWB_ACT_APPEND_OPEN] = "append_open",
		[SWB_ACT_TRUNCATE] = "truncate",
		[SWB_ACT_SEND_OPEN] = "send_open",
		[SWB_ACT_SEND_FACTS] = "send_facts",
		[SWB_ACT_SEND_START] = "send_start",
		[SWB_ACT_SEND_ACK] = "send_ack",
		[SWB_ACT_SEND_PING] = "send_ping",
		[SWB_ACT_SEND_CLOSE] = "send_close",
		[SWB_ACT_SHIP] = "ship",
		[SWB_ACT_CLOSE_LINK] = "close_link",
		[SWB_ACT_COMPLETE_WRITES] = "complete_writes",
		[SWB_ACT_COMPLETE_BARRIERS] = "complete_barriers",
		[SWB_ACT_FAIL_IO] = "fail_io",
		[SWB_ACT_HOLD_IO] = "hold_io",
		[SWB_ACT_RESUME_IO] = "resume_io",
		[SWB_ACT_SET_ROLE] = "set_role",
		[SWB_ACT_SET_SIZE] = "set_size",
		[SWB_ACT_WRITE_BACK] = "write_back",
		[SWB_ACT_NOTIFY_REPORT] = "notify_report",
		[SWB_ACT_NOTIFY_ROLE] = "notify_role",
		[SWB_ACT_NOTIFY_REFUSED] = "notify_refused",
		[SWB_ACT_NOTIFY_PEER] = "notify_peer",
		[SWB_ACT_NOTIFY_CONDITIONS] = "notify_conditions",
		[SWB_ACT_NOTIFY_STEP_DOWN] = "notify_step_down",
		[SWB_ACT_REBUILD_PREPARE] = "rebuild_prepare",
		[SWB_ACT_BASE_START] = "base_start",
		[SWB_ACT_BASE_STOP] = "base_stop",
		[SWB_ACT_REBUILD_CLEAR] = "rebuild_clear",
	};

	return NAME_OF(name, t);
}

const char *swb_text_event_kind(u32 kind)
{
	static const char *const name[] = {
		[SWBLOCK_EVENT_READY] = "ready",
		[SWBLOCK_EVENT_FAILED] = "failed",
		[SWBLOCK_EVENT_REMOVED] = "removed",
		[SWBLOCK_EVENT_REPORT] = "report",
		[SWBLOCK_EVENT_ROLE] = "role",
		[SWBLOCK_EVENT_REFUSED] = "refused",
		[SWBLOCK_EVENT_PEER] = "peer",
		[SWBLOCK_EVENT_CONDITIONS] = "conditions",
		[SWBLOCK_EVENT_STEP_DOWN] = "step_down",
		[SWBLOCK_EVENT_RESIZED] = "resized",
		[SWBLOCK_EVENT_VERIFY] = "verify",
		[SWBLOCK_EVENT_VERIFIED] = "verified",
	};

	return NAME_OF(name, kind);
}

const char *swb_text_stat(u32 stat)
{
	static const char *const name[] = {
		[SWBLOCK_STAT_READS] = "reads",
		[SWBLOCK_STAT_WRITES] = "writes",
		[SWBLOCK_STAT_FLUSHES] = "flushes",
		[SWBLOCK_STAT_READ_BYTES] = "read_bytes",
		[SWBLOCK_STAT_WRITE_BYTES] = "write_bytes",
		[SWBLOCK_STAT_GROUPS] = "groups",
		[SWBLOCK_STAT_GROUP_BYTES] = "group_bytes",
		[SWBLOCK_STAT_DISK_FLUSHES] = "disk_flushes",
		[SWBLOCK_STAT_EXTENT_BYTES] = "extent_bytes",
		[SWBLOCK_STAT_CHECKPOINTS] = "checkpoints",
		[SWBLOCK_STAT_RING_WRAPS] = "ring_wraps",
		[SWBLOCK_STAT_PARKED] = "parked",
		[SWBLOCK_STAT_DEADLINES] = "deadlines",
		[SWBLOCK_STAT_READ_MEMORY_BYTES] = "read_memory_bytes",
		[SWBLOCK_STAT_READ_RING_BYTES] = "read_ring_bytes",
		[SWBLOCK_STAT_FRAMES_SENT] = "frames_sent",
		[SWBLOCK_STAT_FRAMES_RECEIVED] = "frames_received",
		[SWBLOCK_STAT_WIRE_SENT_BYTES] = "wire_sent_bytes",
		[SWBLOCK_STAT_WIRE_RECEIVED_BYTES] = "wire_received_bytes",
		[SWBLOCK_STAT_REFUSED] = "refused",
		[SWBLOCK_STAT_DISK_ERRORS] = "disk_errors",
		[SWBLOCK_STAT_ASSERTS] = "asserts",
		[SWBLOCK_STAT_REBUILD_BYTES] = "rebuild_bytes",
		[SWBLOCK_STAT_VERIFY_BYTES] = "verify_bytes",
		[SWBLOCK_STAT_VERIFY_RETRIES] = "verify_retries",
		[SWBLOCK_STAT_VERIFY_MISMATCHES] = "verify_mismatches",
		[SWBLOCK_STAT_VERIFY_REPAIRS] = "verify_repairs",
		[SWBLOCK_STAT_READS_BORROWED] = "reads_borrowed",
		[SWBLOCK_STAT_READS_UNSERVED] = "reads_unserved",
		[SWBLOCK_STAT_READ_REPAIRS] = "read_repairs",
		[SWBLOCK_STAT_READS_LENT] = "reads_lent",
	};

	return NAME_OF(name, stat);
}

const char *swb_text_super(enum swb_super_verdict v)
{
	static const char *const name[] = {
		[SWB_SUPER_OK] = "good",
		[SWB_SUPER_BAD_MAGIC] = "foreign",
		[SWB_SUPER_BAD_CRC] = "torn",
		[SWB_SUPER_BAD_VERSION] = "newer",
		[SWB_SUPER_BAD_FIELD] = "impossible",
	};

	return NAME_OF(name, v);
}

const char *swb_text_scan_end(enum swb_scan_end e)
{
	static const char *const name[] = {
		[SWB_SCAN_RUNNING] = "running",
		[SWB_SCAN_END_CLEAN] = "end",
		[SWB_SCAN_END_TORN_HEADER] = "torn_header",
		[SWB_SCAN_END_TORN_PAYLOAD] = "torn_payload",
		[SWB_SCAN_END_CHAIN] = "chain_break",
		[SWB_SCAN_END_EPOCH] = "epoch_falls",
		[SWB_SCAN_END_GAP] = "lsn_gap",
		[SWB_SCAN_END_DEAD] = "dead",
	};

	return NAME_OF(name, e);
}

const char *swb_text_resync(enum swb_resync_verdict v)
{
	static const char *const name[] = {
		[SWB_RESYNC_REFUSE] = "REFUSE",
		[SWB_RESYNC_STEP_DOWN] = "STEP_DOWN",
		[SWB_RESYNC_IN_SYNC] = "IN_SYNC",
		[SWB_RESYNC_CATCH_UP] = "CATCH_UP",
		[SWB_RESYNC_TRUNCATE] = "TRUNCATE",
		[SWB_RESYNC_DELTA] = "DELTA",
		[SWB_RESYNC_REBUILD] = "REBUILD",
		[SWB_RESYNC_VOID] = "VOID",
	};

	return NAME_OF(name, v);
}

const char *swb_text_recover(enum swb_recover_verdict v)
{
	static const char *const name[] = {
		[SWB_RECOVER_OPEN] = "OPEN",
		[SWB_RECOVER_CUT] = "CUT",
		[SWB_RECOVER_VOID] = "VOID",
		[SWB_RECOVER_REFUSE] = "REFUSE",
	};

	return NAME_OF(name, v);
}

const char *swb_text_wire(u16 type)
{
	static const char *const name[] = {
		[SWB_WIRE_OPEN] = "OPEN",
		[SWB_WIRE_FACTS] = "FACTS",
		[SWB_WIRE_START] = "START",
		[SWB_WIRE_DATA] = "DATA",
		[SWB_WIRE_ACK] = "ACK",
		[SWB_WIRE_PING] = "PING",
		[SWB_WIRE_CLOSE] = "CLOSE",
		[SWB_WIRE_BASE] = "BASE",
		[SWB_WIRE_BASE_END] = "BASE_END",
		[SWB_WIRE_VERIFY] = "VERIFY",
		[SWB_WIRE_VERIFY_SUM] = "VERIFY_SUM",
		[SWB_WIRE_READ] = "READ",
		[SWB_WIRE_READ_DATA] = "READ_DATA",
	};

	return NAME_OF(name, type);
}
