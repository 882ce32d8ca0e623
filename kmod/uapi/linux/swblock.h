/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * swblock: the generic netlink contract, and the words that users see.
 *
 * Family "swblock", version 1, plain genetlink, no fixed header, initial
 * network namespace only. docs/netlink/specs/swblock.yaml is the same contract
 * for machines; docs/design/netlink.md tells the conversations.
 *
 * Conventions
 *  - Every command that changes anything needs CAP_NET_ADMIN; GET_INFO and
 *    VOLUME_GET do not.
 *  - A refusal is a negative errno and, always, an extended-ack text that says
 *    what to do next.
 *  - A verb that takes time starts the work and returns 0; what became of it is
 *    an EVENT with the cookie of the request. VOLUME_ADD, VOLUME_REMOVE, ADOPT,
 *    PROMOTE, DEMOTE and LINK are such verbs.
 *  - Events go to the multicast group "events". SEQ is dense per module load: a
 *    gap or ENOBUFS means: dump again with VOLUME_GET, whose reply carries the
 *    SEQ it includes, and go on from there.
 *  - UUIDs are 16 raw bytes. Times are nanoseconds of CLOCK_BOOTTIME where they
 *    are absolute. Sizes are bytes.
 *  - Unknown attributes, wrong lengths and values out of range are refused.
 */
#ifndef _UAPI_LINUX_SWBLOCK_H
#define _UAPI_LINUX_SWBLOCK_H

#include <linux/types.h>

#define SWBLOCK_FAMILY_NAME	"swblock"
#define SWBLOCK_FAMILY_VERSION	1
#define SWBLOCK_MCGRP_EVENTS	"events"

#define SWBLOCK_MEMBERS_MAX	7
#define SWBLOCK_UUID_BYTES	16
#define SWBLOCK_PATH_MAX	256	/* with NUL */
#define SWBLOCK_TEXT_MAX	160	/* with NUL */
#define SWBLOCK_LABEL_MAX	32	/* with NUL */

/**
 * enum swblock_mode - when a FLUSH or FUA succeeds
 * @SWBLOCK_MODE_BEST_EFFORT: durable on the primary
 * @SWBLOCK_MODE_SYNC_QUORUM: durable on a majority of members, the primary among
 *	them; needs 3 members
 * @SWBLOCK_MODE_SYNC_ALL: durable on every member of the required set
 */
enum swblock_mode {
	SWBLOCK_MODE_BEST_EFFORT = 1,
	SWBLOCK_MODE_SYNC_QUORUM = 2,
	SWBLOCK_MODE_SYNC_ALL	 = 3,
};

/**
 * enum swblock_policy - when a plain write completes
 * @SWBLOCK_POLICY_LOCAL: in the local WAL
 * @SWBLOCK_POLICY_RECEIVED: and in the memory of the peers that count
 * @SWBLOCK_POLICY_WRITTEN: and its WAL write has completed there, without flush
 */
enum swblock_policy {
	SWBLOCK_POLICY_LOCAL	= 1,
	SWBLOCK_POLICY_RECEIVED	= 2,
	SWBLOCK_POLICY_WRITTEN	= 3,
};

/**
 * enum swblock_role - what a member may do
 * @SWBLOCK_ROLE_NONE: nothing; so every member comes up
 * @SWBLOCK_ROLE_REPLICA: receives from the primary of its epoch
 * @SWBLOCK_ROLE_PRIMARY: holds the grant of its epoch, serves the device
 */
enum swblock_role {
	SWBLOCK_ROLE_NONE	= 0,
	SWBLOCK_ROLE_REPLICA	= 1,
	SWBLOCK_ROLE_PRIMARY	= 2,
};

/**
 * enum swblock_peer_state - a peer as the primary sees it (or its primary, as a
 * replica sees it)
 * @SWBLOCK_PEER_DETACHED: no link
 * @SWBLOCK_PEER_OPENING: linked, facts not yet compared
 * @SWBLOCK_PEER_CATCHING_UP: matched, streaming, not yet proved at the target
 * @SWBLOCK_PEER_IN_SYNC: a barrier at or above the frozen target completed (G6)
 * @SWBLOCK_PEER_NEEDS_REBUILD: catch-up is impossible; sticky until rebuilt
 * @SWBLOCK_PEER_REFUSED: an impossible combination of facts; see the case letter
 * @SWBLOCK_PEER_REBUILDING: blocks are copied to it, by delta or rebuild; it is
 *	no prefix of anything and counts for nothing until that is complete (P10)
 */
enum swblock_peer_state {
	SWBLOCK_PEER_DETACHED	   = 0,
	SWBLOCK_PEER_OPENING	   = 1,
	SWBLOCK_PEER_CATCHING_UP   = 2,
	SWBLOCK_PEER_IN_SYNC	   = 3,
	SWBLOCK_PEER_NEEDS_REBUILD = 4,
	SWBLOCK_PEER_REFUSED	   = 5,
	SWBLOCK_PEER_REBUILDING	   = 6,
};

/* SWBLOCK_A_CONDITIONS: what a volume waits for or suffers from, as bits */
#define SWBLOCK_COND_NO_ROLE		0x0001
#define SWBLOCK_COND_SUSPENDED_LEASE	0x0002	/* lease ran out: I/O is held */
#define SWBLOCK_COND_SUSPENDED_EPOCH	0x0004	/* a newer epoch exists: held */
#define SWBLOCK_COND_WAITING_PEER	0x0008	/* barrier or write waits for one */
#define SWBLOCK_COND_RING_FULL		0x0010	/* writers wait for ring space */
#define SWBLOCK_COND_CATCHING_UP	0x0020	/* some peer is catching up */
#define SWBLOCK_COND_NEEDS_REBUILD	0x0040	/* some peer needs a rebuild */
#define SWBLOCK_COND_DISK_FAILED	0x0080	/* latched: replace the disk */
#define SWBLOCK_COND_INCONSISTENT	0x0100	/* this copy is no prefix */
#define SWBLOCK_COND_STALE_OPENERS	0x0200	/* close the device, open anew: P12 */
#define SWBLOCK_COND_DEGRADED		0x0400	/* a required peer is not in sync */
#define SWBLOCK_COND_REMOVING		0x0800
#define SWBLOCK_COND_ZOMBIE		0x1000	/* a lower bio never completed */
#define SWBLOCK_COND_REBUILDING		0x2000	/* some peer is being rebuilt */
#define SWBLOCK_COND_SUSPENDED_ADMIN	0x4000	/* held by order: RESUME */

/* report flags */
#define SWBLOCK_REPORT_INCONSISTENT	0x1
#define SWBLOCK_REPORT_DISK_FAILED	0x2
#define SWBLOCK_REPORT_PRIMARY_BEFORE	0x4	/* was primary until this adoption */

/* certificate flags */
#define SWBLOCK_CERT_OVERRIDE		0x1	/* evidence waived by the operator */
#define SWBLOCK_CERT_LEASE_WAITED	0x2	/* last lease has run out: P13 */

/* SWBLOCK_A_FLAGS of requests */
#define SWBLOCK_REMOVE_FORCE		0x1	/* fail what is open or in flight */
#define SWBLOCK_DEMOTE_FORCE		0x1	/* though the device is open */
#define SWBLOCK_VERIFY_REPAIR		0x1	/* the primary's content wins */

/**
 * enum swblock_cmd - commands
 * @SWBLOCK_CMD_GET_INFO: -> ABI, PROTO_MIN, PROTO_MAX, FEATURES, SEQ, TEXT
 *	(version), VOLUMES_COUNT
 * @SWBLOCK_CMD_VOLUME_GET: do: VOLUME_ID; dump: all -> volume attributes, SEQ,
 *	nested PEER...
 * @SWBLOCK_CMD_VOLUME_ADD: DATA_PATH, [WAL_PATH], [MINOR], [COOKIE] -> VOLUME_ID.
 *	Attaches a formatted disk, recovers its log, makes /dev/swblock<MINOR>.
 *	Ends in event READY, or in FAILED with the local case letter.
 * @SWBLOCK_CMD_VOLUME_REMOVE: VOLUME_ID, [FLAGS], [COOKIE]. EBUSY while open,
 *	unless forced. Ends in event REMOVED.
 * @SWBLOCK_CMD_ADOPT: VOLUME_ID, EPOCH, STORE_UUID, STORE_GENERATION, [COOKIE].
 *	Fence, then ask (P6): ends every older session, drops the role, flushes the
 *	log, persists the epoch. Ends in event REPORT. The same epoch again
 *	repeats the report; an older one is ESTALE.
 * @SWBLOCK_CMD_ASSIGN: VOLUME_ID, EPOCH, PRIMARY_UUID, CONFIG. Tells a member who
 *	was granted its adopted epoch, which makes it a replica of that primary.
 * @SWBLOCK_CMD_PROMOTE: VOLUME_ID, CERT, [LEASE_NS], [COOKIE]. Ends in event ROLE,
 *	or in REFUSED with the promotion case letter.
 * @SWBLOCK_CMD_DEMOTE: VOLUME_ID, [FLAGS], [COOKIE]. Drains, then drops the role.
 *	Ends in event ROLE.
 * @SWBLOCK_CMD_LEASE: VOLUME_ID, EPOCH, LEASE_NS (absolute; 0 = no lease).
 * @SWBLOCK_CMD_LINK: VOLUME_ID, PEER_UUID, FD, [MOVE], [COOKIE]. Takes a connected
 *	stream socket whose hello is done. The caller closes its own copy. Replaces the
 *	link before it. Ends in event PEER when the facts were compared. With MOVE a
 *	session that is matched continues on the new socket, without an event, once both
 *	ends have theirs.
 * @SWBLOCK_CMD_UNLINK: VOLUME_ID, PEER_UUID.
 * @SWBLOCK_CMD_TUNE: VOLUME_ID, [IO_DEADLINE_MS], [LINK_DEADLINE_MS],
 *	[FLUSH_INTERVAL_MS], [REBUILD_AUTO], [REBUILD_RATE], [CATCHUP_MAX_BYTES],
 *	[CATCHUP_STALL_MS].
 * @SWBLOCK_CMD_EVENT: never sent by a user; see enum swblock_event_kind.
 * @SWBLOCK_CMD_REBUILD: VOLUME_ID, PEER_UUID, [COOKIE]. To a primary: a copy of
 *	blocks to that peer is allowed, a delta or a rebuild, where its log is no way
 *	back. It begins with the next LINK. EPERM for a member that sync_all requires
 *	(P10). The order is used up when the copy is complete, or by a newer epoch.
 * @SWBLOCK_CMD_SUSPEND: VOLUME_ID. A primary admits nothing any more; what was
 *	admitted completes. Held I/O is bounded by the I/O deadline. Ends with
 *	RESUME, with the grant, and with the attachment.
 * @SWBLOCK_CMD_RESUME: VOLUME_ID.
 * @SWBLOCK_CMD_RESIZE: VOLUME_ID, SIZE_BYTES, [COOKIE]. Makes one member larger,
 *	never smaller: the new part is zeroed, the size saved, then told. Replicas
 *	first; the primary last, when every member is linked and large enough.
 *	Ends in event RESIZED, or REFUSED with TEXT.
 * @SWBLOCK_CMD_VERIFY: VOLUME_ID, [FLAGS], [COOKIE]. To a primary: compare with
 *	every replica in sync, under load. Each difference is an event VERIFY, the
 *	end is VERIFIED.
 * @SWBLOCK_CMD_VERIFY_STOP: VOLUME_ID. It ends with VERIFIED, ERRNO set.
 * @SWBLOCK_CMD_LATENCY_GET: VOLUME_ID, [PEER_UUID]. Answers with LATENCY_MISSED and a
 *	LATENCY for each stage that has counted: those of the host, or of that member,
 *	which may be the own one. Since attach; for everybody.
 * @SWBLOCK_CMD_RECORD_GET: dump: [VOLUME_ID]. The flight record of that volume, or of
 *	all, and of removed ones that the module still has (its parameter records_kept):
 *	messages of VOLUME_ID and RECORD, a piece each, in the order of its bytes.
 */
enum swblock_cmd {
	SWBLOCK_CMD_UNSPEC,
	SWBLOCK_CMD_GET_INFO,
	SWBLOCK_CMD_VOLUME_GET,
	SWBLOCK_CMD_VOLUME_ADD,
	SWBLOCK_CMD_VOLUME_REMOVE,
	SWBLOCK_CMD_ADOPT,
	SWBLOCK_CMD_ASSIGN,
	SWBLOCK_CMD_PROMOTE,
	SWBLOCK_CMD_DEMOTE,
	SWBLOCK_CMD_LEASE,
	SWBLOCK_CMD_LINK,
	SWBLOCK_CMD_UNLINK,
	SWBLOCK_CMD_TUNE,
	SWBLOCK_CMD_EVENT,
	SWBLOCK_CMD_REBUILD,
	SWBLOCK_CMD_SUSPEND,
	SWBLOCK_CMD_RESUME,
	SWBLOCK_CMD_RESIZE,
	SWBLOCK_CMD_VERIFY,
	SWBLOCK_CMD_VERIFY_STOP,
	SWBLOCK_CMD_LATENCY_GET,
	SWBLOCK_CMD_RECORD_GET,
	__SWBLOCK_CMD_MAX,
};

#define SWBLOCK_CMD_MAX (__SWBLOCK_CMD_MAX - 1)

/**
 * enum swblock_event_kind - EVENT_KIND of an EVENT. Each event carries SEQ,
 * VOLUME_ID, EVENT_KIND, TIME_NS, EPOCH; TEXT is one human line.
 * @SWBLOCK_EVENT_READY: a volume was attached: MINOR, CASE, COOKIE
 * @SWBLOCK_EVENT_FAILED: an attach failed: ERRNO, CASE, TEXT, COOKIE
 * @SWBLOCK_EVENT_REMOVED: a volume is gone: COOKIE
 * @SWBLOCK_EVENT_REPORT: an epoch is adopted: REPORT, COOKIE
 * @SWBLOCK_EVENT_ROLE: role changed: ROLE, COOKIE
 * @SWBLOCK_EVENT_REFUSED: an order was refused late: ERRNO, CASE, TEXT, COOKIE
 * @SWBLOCK_EVENT_PEER: a peer's state changed: nested PEER, CASE, REASON, COOKIE
 * @SWBLOCK_EVENT_CONDITIONS: CONDITIONS changed
 * @SWBLOCK_EVENT_STEP_DOWN: a peer holds a newer epoch: EPOCH is that one
 * @SWBLOCK_EVENT_RESIZED: a member became larger: COOKIE
 * @SWBLOCK_EVENT_VERIFY: a replica differs from its primary: nested PEER, TEXT (the
 *	sectors), COOKIE
 * @SWBLOCK_EVENT_VERIFIED: a comparison has ended: COOKIE, TEXT, ERRNO (EILSEQ:
 *	differences are left; ECANCELED: not all was compared)
 */
enum swblock_event_kind {
	SWBLOCK_EVENT_READY	 = 1,
	SWBLOCK_EVENT_FAILED	 = 2,
	SWBLOCK_EVENT_REMOVED	 = 3,
	SWBLOCK_EVENT_REPORT	 = 4,
	SWBLOCK_EVENT_ROLE	 = 5,
	SWBLOCK_EVENT_REFUSED	 = 6,
	SWBLOCK_EVENT_PEER	 = 7,
	SWBLOCK_EVENT_CONDITIONS = 8,
	SWBLOCK_EVENT_STEP_DOWN	 = 9,
	SWBLOCK_EVENT_RESIZED	 = 10,
	SWBLOCK_EVENT_VERIFY	 = 11,
	SWBLOCK_EVENT_VERIFIED	 = 12,
};

/**
 * enum swblock_attr - attributes of messages
 * Types: u8/u32/u64 little words in host order; bin16 = exactly 16 bytes; str =
 * NUL-terminated; nest.
 */
enum swblock_attr {
	SWBLOCK_A_UNSPEC,
	SWBLOCK_A_PAD,
	SWBLOCK_A_ABI,			/* u32 */
	SWBLOCK_A_PROTO_MIN,		/* u32 */
	SWBLOCK_A_PROTO_MAX,		/* u32 */
	SWBLOCK_A_FEATURES,		/* u64 */
	SWBLOCK_A_SEQ,			/* u64, newest event included */
	SWBLOCK_A_VOLUMES_COUNT,	/* u32 */
	SWBLOCK_A_COOKIE,		/* u64, echoed in the event */
	SWBLOCK_A_VOLUME_ID,		/* u32, local, not reused while loaded */
	SWBLOCK_A_MINOR,		/* u32, N of /dev/swblockN */
	SWBLOCK_A_DATA_PATH,		/* str */
	SWBLOCK_A_WAL_PATH,		/* str */
	SWBLOCK_A_FLAGS,		/* u32 */
	SWBLOCK_A_VOLUME_UUID,		/* bin16 */
	SWBLOCK_A_REPLICA_UUID,		/* bin16 */
	SWBLOCK_A_PEER_UUID,		/* bin16 */
	SWBLOCK_A_PRIMARY_UUID,		/* bin16 */
	SWBLOCK_A_STORE_UUID,		/* bin16 */
	SWBLOCK_A_STORE_GENERATION,	/* u64 */
	SWBLOCK_A_VOLUME_LABEL,		/* str */
	SWBLOCK_A_REPLICA_LABEL,	/* str */
	SWBLOCK_A_EPOCH,		/* u64, adopted */
	SWBLOCK_A_OPENED,		/* u64 */
	SWBLOCK_A_ROLE,			/* u8, enum swblock_role */
	SWBLOCK_A_CONDITIONS,		/* u32, SWBLOCK_COND_* */
	SWBLOCK_A_CONFIG,		/* nest, enum swblock_config_attr */
	SWBLOCK_A_CERT,			/* nest, enum swblock_cert_attr */
	SWBLOCK_A_REPORT,		/* nest, enum swblock_report_attr */
	SWBLOCK_A_PEER,			/* nest, enum swblock_peer_attr, repeated */
	SWBLOCK_A_LEASE_NS,		/* u64, absolute BOOTTIME, 0 = none */
	SWBLOCK_A_FD,			/* u32 */
	SWBLOCK_A_IO_DEADLINE_MS,	/* u32, 100..86400000; nothing waits for ever */
	SWBLOCK_A_LINK_DEADLINE_MS,	/* u32, 100..600000 */
	SWBLOCK_A_FLUSH_INTERVAL_MS,	/* u32, 1..60000, background flush */
	SWBLOCK_A_EVENT_KIND,		/* u32, enum swblock_event_kind */
	SWBLOCK_A_TIME_NS,		/* u64, BOOTTIME of the event */
	SWBLOCK_A_ERRNO,		/* u32, positive errno */
	SWBLOCK_A_CASE,			/* u8, ASCII case letter */
	SWBLOCK_A_CASE_TABLE,		/* u8, enum swblock_case_table */
	SWBLOCK_A_REASON,		/* u32, enum swblock_reason */
	SWBLOCK_A_TEXT,			/* str */
	SWBLOCK_A_SIZE_BYTES,		/* u64 */
	SWBLOCK_A_BLOCK_BYTES,		/* u32 */
	SWBLOCK_A_HEAD_LSN,		/* u64, last LSN of the log */
	SWBLOCK_A_WRITTEN_LSN,		/* u64 */
	SWBLOCK_A_DURABLE_LSN,		/* u64 */
	SWBLOCK_A_COMMITTED_LSN,	/* u64, C */
	SWBLOCK_A_EXTENT_LO,		/* u64 */
	SWBLOCK_A_EXTENT_HI,		/* u64 */
	SWBLOCK_A_LOG_START,		/* u64, S */
	SWBLOCK_A_RING_BYTES,		/* u64 */
	SWBLOCK_A_RING_USED,		/* u64 */
	SWBLOCK_A_INCARNATION,		/* u64 */
	SWBLOCK_A_OPENERS,		/* u32 */
	SWBLOCK_A_INFLIGHT,		/* u32, admitted, not completed */
	SWBLOCK_A_PARKED,		/* u32, waiting for admission */
	SWBLOCK_A_LOCAL_CASE,		/* u8, letter of the last local recovery */
	SWBLOCK_A_PROMOTE_CASE,		/* u8, letter of the last certificate */
	SWBLOCK_A_MOVE,			/* u64, not 0, of LINK: both ends get the same */
	SWBLOCK_A_REBUILD_AUTO,		/* u8, enum swblock_rebuild: without an order */
	SWBLOCK_A_REBUILD_RATE,		/* u64, bytes/s of a base lane, 0 = no limit */
	SWBLOCK_A_CATCHUP_MAX_BYTES,	/* u64, history kept for a peer that is not
					 * required, 0 = as the ring allows
					 */
	SWBLOCK_A_CATCHUP_STALL_MS,	/* u32, 0..86400000, such a peer without
					 * progress; 0 = no limit
					 */
	SWBLOCK_A_BITMAP_BLOCKS,	/* u64, bits set in the changed-block bitmap */
	SWBLOCK_A_BITMAP_EPOCH,		/* u64, its base */
	SWBLOCK_A_BITMAP_LSN,		/* u64, its base */
	SWBLOCK_A_STATS,		/* nest, enum swblock_stat: u64 each */
	SWBLOCK_A_LATENCY,		/* nest, enum swblock_latency_attr, repeated */
	SWBLOCK_A_LATENCY_MISSED,	/* u64, records that could not be timed */
	SWBLOCK_A_RECORD,		/* binary, a piece of a flight record */
	__SWBLOCK_A_MAX,
};

#define SWBLOCK_A_MAX (__SWBLOCK_A_MAX - 1)

/**
 * enum swblock_rebuild - how blocks are copied to a peer
 * @SWBLOCK_REBUILD_NONE: not at all
 * @SWBLOCK_REBUILD_DELTA: those that changed since the peer was last level
 * @SWBLOCK_REBUILD_FULL: every one
 */
enum swblock_rebuild {
	SWBLOCK_REBUILD_NONE	= 0,
	SWBLOCK_REBUILD_DELTA	= 1,
	SWBLOCK_REBUILD_FULL	= 2,
};

/** enum swblock_case_table - which fact table a letter belongs to */
enum swblock_case_table {
	SWBLOCK_TABLE_RECOVER	= 1,	/* local recovery: core/recover.c */
	SWBLOCK_TABLE_RESYNC	= 2,	/* peer recovery: core/resync.c */
	SWBLOCK_TABLE_PROMOTE	= 3,	/* certificate: core/promote.c */
	SWBLOCK_TABLE_VOLUME	= 4,	/* controller, a volume: core/decide.c */
	SWBLOCK_TABLE_MEMBER	= 5,	/* controller, a member: core/decide.c */
};

enum swblock_config_attr {
	SWBLOCK_CONFIG_A_UNSPEC,
	SWBLOCK_CONFIG_A_MODE,		/* u8 */
	SWBLOCK_CONFIG_A_POLICY,	/* u8 */
	SWBLOCK_CONFIG_A_REQUIRED,	/* u32, bit i = member i */
	SWBLOCK_CONFIG_A_MEMBER,	/* bin16, repeated, order = index */
	__SWBLOCK_CONFIG_A_MAX,
};

#define SWBLOCK_CONFIG_A_MAX (__SWBLOCK_CONFIG_A_MAX - 1)

enum swblock_report_attr {
	SWBLOCK_REPORT_A_UNSPEC,
	SWBLOCK_REPORT_A_PAD,
	SWBLOCK_REPORT_A_REPLICA,	/* bin16 */
	SWBLOCK_REPORT_A_ADOPTED,	/* u64 */
	SWBLOCK_REPORT_A_LAST_EPOCH,	/* u64 */
	SWBLOCK_REPORT_A_DURABLE,	/* u64 */
	SWBLOCK_REPORT_A_COMMITTED,	/* u64 */
	SWBLOCK_REPORT_A_FLAGS,		/* u32 */
	__SWBLOCK_REPORT_A_MAX,
};

#define SWBLOCK_REPORT_A_MAX (__SWBLOCK_REPORT_A_MAX - 1)

enum swblock_cert_attr {
	SWBLOCK_CERT_A_UNSPEC,
	SWBLOCK_CERT_A_PAD,
	SWBLOCK_CERT_A_VOLUME,		/* bin16 */
	SWBLOCK_CERT_A_STORE,		/* bin16 */
	SWBLOCK_CERT_A_STORE_GENERATION, /* u64 */
	SWBLOCK_CERT_A_EPOCH,		/* u64 */
	SWBLOCK_CERT_A_CANDIDATE,	/* bin16 */
	SWBLOCK_CERT_A_CONFIG,		/* nest, config of this epoch */
	SWBLOCK_CERT_A_JUDGE,		/* nest, config, repeated, oldest first */
	SWBLOCK_CERT_A_REPORT,		/* nest, repeated */
	SWBLOCK_CERT_A_LAST_EPOCH,	/* u64 */
	SWBLOCK_CERT_A_LAST_GRANTED,	/* bin16 */
	SWBLOCK_CERT_A_FLAGS,		/* u32 */
	__SWBLOCK_CERT_A_MAX,
};

#define SWBLOCK_CERT_A_MAX (__SWBLOCK_CERT_A_MAX - 1)

enum swblock_peer_attr {
	SWBLOCK_PEER_A_UNSPEC,
	SWBLOCK_PEER_A_PAD,
	SWBLOCK_PEER_A_UUID,		/* bin16 */
	SWBLOCK_PEER_A_STATE,		/* u8, enum swblock_peer_state */
	SWBLOCK_PEER_A_REQUIRED,	/* u8, 0 or 1 */
	SWBLOCK_PEER_A_SESSION,		/* u64, 0 = none */
	SWBLOCK_PEER_A_CASE,		/* u8, letter of the last resync decision */
	SWBLOCK_PEER_A_REASON,		/* u32, why the last link or session ended */
	SWBLOCK_PEER_A_MATCH_LSN,	/* u64, m of the last decision */
	SWBLOCK_PEER_A_TARGET_LSN,	/* u64, frozen target of catch-up */
	SWBLOCK_PEER_A_CURSOR_LSN,	/* u64, next to ship */
	SWBLOCK_PEER_A_RECEIVED_LSN,	/* u64 */
	SWBLOCK_PEER_A_WRITTEN_LSN,	/* u64 */
	SWBLOCK_PEER_A_DURABLE_LSN,	/* u64 */
	SWBLOCK_PEER_A_FACT_LOG_END,	/* u64, facts of the last open: R */
	SWBLOCK_PEER_A_FACT_ADOPTED,	/* u64 */
	SWBLOCK_PEER_A_FACT_LAST_EPOCH,	/* u64 */
	SWBLOCK_PEER_A_FACT_DURABLE,	/* u64 */
	SWBLOCK_PEER_A_FACT_COMMITTED,	/* u64 */
	SWBLOCK_PEER_A_FACT_EXTENT_HI,	/* u64 */
	SWBLOCK_PEER_A_FACT_FLAGS,	/* u32 */
	SWBLOCK_PEER_A_LOG_START,	/* u64, own S at the decision */
	SWBLOCK_PEER_A_BEHIND_BYTES,	/* u64, payload not yet durable there */
	SWBLOCK_PEER_A_BEHIND_NS,	/* u64, age of the oldest of it */
	SWBLOCK_PEER_A_REBUILD,		/* u8, enum swblock_rebuild, under way or last */
	SWBLOCK_PEER_A_REBUILD_TODO,	/* u64, bytes of its base lane, 0 = not known */
	SWBLOCK_PEER_A_REBUILD_DONE,	/* u64, bytes that the target has written */
	SWBLOCK_PEER_A_REBUILD_RATE,	/* u64, bytes/s, 0 = not under way */
	__SWBLOCK_PEER_A_MAX,
};

#define SWBLOCK_PEER_A_MAX (__SWBLOCK_PEER_A_MAX - 1)

/**
 * enum swblock_reason - why a frame, ack, session, link or order was refused or
 * ended; a fixed list: every refusal is counted under exactly one (I-027)
 */
enum swblock_reason {
	SWBLOCK_REASON_NONE		= 0,
	SWBLOCK_REASON_UNLINKED		= 1,	/* operator's order */
	SWBLOCK_REASON_REPLACED		= 2,	/* a newer link took over */
	SWBLOCK_REASON_PEER_CLOSED	= 3,	/* end of stream */
	SWBLOCK_REASON_SOCKET_ERROR	= 4,
	SWBLOCK_REASON_TIMEOUT		= 5,	/* nothing heard for the deadline */
	SWBLOCK_REASON_BAD_MAGIC	= 6,
	SWBLOCK_REASON_BAD_HEADER_CRC	= 7,
	SWBLOCK_REASON_BAD_BODY_CRC	= 8,
	SWBLOCK_REASON_BAD_PAYLOAD_CRC	= 9,
	SWBLOCK_REASON_BAD_LENGTH	= 10,
	SWBLOCK_REASON_BAD_TYPE		= 11,	/* unknown, or not now */
	SWBLOCK_REASON_BAD_RECORD	= 12,	/* range or type of a record */
	SWBLOCK_REASON_FOREIGN_VOLUME	= 13,
	SWBLOCK_REASON_FOREIGN_REPLICA	= 14,
	SWBLOCK_REASON_FOREIGN_STORE	= 15,
	SWBLOCK_REASON_STALE_EPOCH	= 16,	/* the sender's is older */
	SWBLOCK_REASON_NEWER_EPOCH	= 17,	/* the sender's is newer */
	SWBLOCK_REASON_NOT_GRANTED	= 18,	/* epoch equal, other primary */
	SWBLOCK_REASON_STALE_SESSION	= 19,
	SWBLOCK_REASON_LSN_GAP		= 20,
	SWBLOCK_REASON_EPOCH_FALLS	= 21,
	SWBLOCK_REASON_TWO_OPENINGS	= 22,	/* P2 */
	SWBLOCK_REASON_BELOW_EXTENT	= 23,	/* P9 */
	SWBLOCK_REASON_BELOW_COMMITTED	= 24,	/* P16 */
	SWBLOCK_REASON_NEEDS_REBUILD	= 25,
	SWBLOCK_REASON_NO_ROLE		= 26,
	SWBLOCK_REASON_DISK_FAILED	= 27,
	SWBLOCK_REASON_ADOPTED		= 28,	/* a newer epoch was adopted here */
	SWBLOCK_REASON_REMOVED		= 29,	/* volume removed */
	SWBLOCK_REASON_ACK_BEYOND	= 30,	/* ack above what was sent */
	SWBLOCK_REASON_ACK_FALLS	= 31,	/* progress went back */
	SWBLOCK_REASON_PIN_LOST		= 32,	/* history needed was trimmed */
	SWBLOCK_REASON_GEOMETRY		= 33,	/* size or block size differ */
	SWBLOCK_REASON_DEMOTED		= 34,
	SWBLOCK_REASON_BUDGET		= 35,	/* catch-up took too much or too long */
	SWBLOCK_REASON_REQUIRED		= 36,	/* a required member is not rebuilt */
	__SWBLOCK_REASON_MAX,
};

enum swblock_latency_attr {
	SWBLOCK_LATENCY_A_UNSPEC,
	SWBLOCK_LATENCY_A_PAD,
	SWBLOCK_LATENCY_A_STAGE,	/* u32, enum swblock_stage */
	SWBLOCK_LATENCY_A_COUNT,	/* u64, of all buckets */
	SWBLOCK_LATENCY_A_SUM_NS,	/* u64, of all times */
	SWBLOCK_LATENCY_A_BUCKET,	/* nest, enum swblock_bucket_attr, repeated */
	__SWBLOCK_LATENCY_A_MAX,
};

#define SWBLOCK_LATENCY_A_MAX (__SWBLOCK_LATENCY_A_MAX - 1)

/*
 * Buckets that have counted, in rising order. 0 is below 512 ns; b in 1..108 begins
 * at (4 + (b - 1) % 4) << (7 + (b - 1) / 4) ns; 109 at 2^36 ns, without end.
 */
enum swblock_bucket_attr {
	SWBLOCK_BUCKET_A_UNSPEC,
	SWBLOCK_BUCKET_A_PAD,
	SWBLOCK_BUCKET_A_INDEX,		/* u32 */
	SWBLOCK_BUCKET_A_COUNT,		/* u64 */
	__SWBLOCK_BUCKET_A_MAX,
};

#define SWBLOCK_BUCKET_A_MAX (__SWBLOCK_BUCKET_A_MAX - 1)

/** enum swblock_stat - counters in SWBLOCK_A_STATS, u64 each, since attach */
enum swblock_stat {
	SWBLOCK_STAT_UNSPEC,
	SWBLOCK_STAT_PAD,
	SWBLOCK_STAT_READS,
	SWBLOCK_STAT_WRITES,
	SWBLOCK_STAT_FLUSHES,
	SWBLOCK_STAT_READ_BYTES,
	SWBLOCK_STAT_WRITE_BYTES,
	SWBLOCK_STAT_GROUPS,		/* WAL groups written */
	SWBLOCK_STAT_GROUP_BYTES,	/* bytes of them */
	SWBLOCK_STAT_DISK_FLUSHES,
	SWBLOCK_STAT_EXTENT_BYTES,	/* written back */
	SWBLOCK_STAT_CHECKPOINTS,
	SWBLOCK_STAT_RING_WRAPS,
	SWBLOCK_STAT_PARKED,		/* bios that had to wait for admission */
	SWBLOCK_STAT_DEADLINES,		/* upper bios failed by the I/O deadline */
	SWBLOCK_STAT_READ_MEMORY_BYTES,	/* served from our pages */
	SWBLOCK_STAT_READ_RING_BYTES,	/* served from the WAL on disk */
	SWBLOCK_STAT_FRAMES_SENT,
	SWBLOCK_STAT_FRAMES_RECEIVED,
	SWBLOCK_STAT_WIRE_SENT_BYTES,
	SWBLOCK_STAT_WIRE_RECEIVED_BYTES,
	SWBLOCK_STAT_REFUSED,		/* frames, acks, orders refused */
	SWBLOCK_STAT_DISK_ERRORS,
	SWBLOCK_STAT_ASSERTS,		/* broken invariants seen: must be 0 */
	SWBLOCK_STAT_REBUILD_BYTES,	/* of base blocks sent, zeroes not counted */
	SWBLOCK_STAT_VERIFY_BYTES,	/* compared */
	SWBLOCK_STAT_VERIFY_RETRIES,	/* written to while they were compared */
	SWBLOCK_STAT_VERIFY_MISMATCHES,	/* blocks of 4 KiB that differed */
	SWBLOCK_STAT_VERIFY_REPAIRS,	/* pieces written anew */
	SWBLOCK_STAT_READS_BORROWED,	/* blocks of 4 KiB that a replica had to read */
	SWBLOCK_STAT_READS_UNSERVED,	/* reads that no replica could serve either */
	SWBLOCK_STAT_READ_REPAIRS,	/* such blocks written anew */
	SWBLOCK_STAT_READS_LENT,	/* blocks read for the primary */
	__SWBLOCK_STAT_MAX,
};

#define SWBLOCK_STAT_MAX (__SWBLOCK_STAT_MAX - 1)

/**
 * enum swblock_stage - what a latency histogram, or an event of tracepoint
 * swblock_stage, is of; exact start and end: docs/design/observability.md. Stages
 * that say "of each member" exist once for each; times are this host's clock only.
 * @SWBLOCK_STAGE_ADMIT: bio came -> it has its LSN
 * @SWBLOCK_STAGE_APPEND: group opened by its first record -> sealed, WAL bio goes out
 * @SWBLOCK_STAGE_PERSIST: that -> the WAL bio has completed, here
 * @SWBLOCK_STAGE_SHIP: sealed -> its frame is sent next; of each member
 * @SWBLOCK_STAGE_PEER_RECEIVE: frame -> ack that it was received; of each member
 * @SWBLOCK_STAGE_PEER_PERSIST: frame -> ack that its WAL bio has completed there; of
 *	each member
 * @SWBLOCK_STAGE_ACK: sealed -> the ack that the policy waits for; of each member
 * @SWBLOCK_STAGE_COMMIT: group opened -> C has passed it
 * @SWBLOCK_STAGE_COMPLETE: bio of a plain write came -> it has ended; of each member:
 *	the one whose fact released it, or of nobody: a decision did
 * @SWBLOCK_STAGE_BARRIER: the same of flush and FUA
 * @SWBLOCK_STAGE_READ: bio of a read came -> it has ended
 * @SWBLOCK_STAGE_WRITEBACK: a batch of the flusher, loaded and written to the extent
 * @SWBLOCK_STAGE_CHECKPOINT: the superblock write behind it
 * @SWBLOCK_STAGE_FLUSH: a flush of the own log's device
 * @SWBLOCK_STAGE_PEER_FLUSH: a flush was asked for on a frame -> the ack that it is
 *	durable there; of each member
 */
enum swblock_stage {
	SWBLOCK_STAGE_ADMIT	= 1,
	SWBLOCK_STAGE_APPEND	= 2,
	SWBLOCK_STAGE_PERSIST	= 3,
	SWBLOCK_STAGE_SHIP	= 4,
	SWBLOCK_STAGE_PEER_RECEIVE	= 5,
	SWBLOCK_STAGE_PEER_PERSIST	= 6,
	SWBLOCK_STAGE_ACK	= 7,
	SWBLOCK_STAGE_COMMIT	= 8,
	SWBLOCK_STAGE_COMPLETE	= 9,
	SWBLOCK_STAGE_BARRIER	= 10,
	SWBLOCK_STAGE_READ	= 11,
	SWBLOCK_STAGE_WRITEBACK	= 12,
	SWBLOCK_STAGE_CHECKPOINT	= 13,
	SWBLOCK_STAGE_FLUSH	= 14,
	SWBLOCK_STAGE_PEER_FLUSH	= 15,
	__SWBLOCK_STAGE_MAX,
};

#define SWBLOCK_STAGE_MAX (__SWBLOCK_STAGE_MAX - 1)

#endif /* _UAPI_LINUX_SWBLOCK_H */
