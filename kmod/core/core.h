/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The protocol core: one member of one volume as a pure state machine.
 *
 *	event (a fact, past tense) -> swb_core_step() -> actions (orders)
 *
 * No I/O, no locks, no clock, no allocation. Time enters with the event. The
 * same objects are built into the module, the daemon, the tools and the
 * simulators. Recovery decisions are lettered fact tables: recover.c, resync.c,
 * promote.c.
 *
 * What the caller owes (post.c in the kernel, tools/sim/node.c in the sims):
 *  1. Steps are serialised, and the actions of a step are executed completely
 *     and in order before the next step of that member begins. Actions that
 *     take time (SAVE_SUPER, FLUSH_LOG, TRUNCATE, ...) are only *started* unless
 *     noted; their end is a later event.
 *  2. The leaf functions (admit, append, check_data, ...) run under the lock that
 *     also covers a step; they never run between a step and the lock's release.
 *  3. A SUPER_SAVED, LOG_FLUSHED, LOG_TRUNCATED, REBUILD_PREPARED or
 *     REBUILD_CLEARED is posted only when it is true on the medium, device
 *     cache flushed.
 */
#ifndef SWB_CORE_H
#define SWB_CORE_H

#include "types.h"

/* ---- state ---------------------------------------------------------- */

/**
 * struct swb_log - positions in this member's log
 * @start: S, the oldest LSN still in the ring; head + 1 when the ring is empty
 * @head: last LSN appended (primary) or received (replica); H or R
 * @written: every record <= it has completed its WAL write
 * @durable: every record <= it was flushed (a contiguous prefix)
 * @committed: C as known in a matched session of this epoch (T1, P8)
 * @generation: raised by truncation, session end, adoption (P5)
 * @last_epoch: epoch of record @head; 0 for an empty history
 * @open_lsn: LSN of this epoch's open record on the primary, 0 before it
 * @barrier_want: highest barrier target asked for
 */
struct swb_log {
	u64 start;
	u64 head;
	u64 written;
	u64 durable;
	u64 committed;
	u32 generation;
	u64 last_epoch;
	u64 open_lsn;
	u64 barrier_want;
};

/**
 * struct swb_core_peer - another member; index = member index of the config
 * @state: enum swblock_peer_state
 * @linked: a link is attached
 * @matched: lineages were compared in this session; acks and data count
 * @letter: case letter of the last resync decision, 0 if none
 * @reason: enum swblock_reason, why the last session ended or was refused
 * @session: id, 0 if none
 * @facts: what the peer said when the session opened (lineage dropped)
 * @log_start_at_open: own S when the decision was made
 * @match_lsn: m
 * @pin_lsn: history above it is pinned for this session, until durable passes it
 * @target: frozen target of catch-up (H at admission)
 * @cursor: next LSN to ship
 * @received: acked by the peer
 * @written: acked
 * @durable: acked; survives the link within the epoch, dropped by adoption
 * @flush_asked: highest flush_lsn sent in this session
 * @heard_ns: last frame from it
 * @said_ns: last frame to it
 * @acked_ns: last ack from it, or since when something is unacknowledged
 * @progress_ns: since when it has got no further, for the stall budget
 * @kind: enum swb_wire_start of this session; both sides
 * @void_copy: primary: what it acks is no copy of anything yet (P10): it counts
 *	for nothing. From START of a delta or rebuild to the ack that completes it
 * @whole: primary: known in this epoch to hold a copy, old or new, not one under
 *	way nor on a failed disk: by a report of the certificate, or its facts
 * @rebuild_ordered: the controller allows a delta or rebuild of it; until it is
 *	complete, or its budget is used up, or a newer epoch
 * @base_started: BASE_START was given in this session
 * @base_sent: the base lane is done
 * @base_end: W, @base_sent: newest extent_hi that was sampled
 * @base_acked: bytes of base blocks that it took in this session
 */
struct swb_core_peer {
	u8 state;
	bool linked;
	bool matched;
	u8 letter;
	u32 reason;
	u64 session;
	struct {
		u64 adopted, log_end, last_epoch, durable, committed;
		u64 extent_hi;
		u64 extent_bytes;
		u32 flags;
		u32 ring_mib;
	} facts;
	u64 log_start_at_open;
	u64 match_lsn;
	u64 pin_lsn;
	u64 target;
	u64 cursor;
	u64 received;
	u64 written;
	u64 durable;
	u64 flush_asked;
	u64 heard_ns;
	u64 said_ns;
	u64 acked_ns;
	u64 progress_ns;
	u8 kind;
	bool void_copy;
	bool whole;
	bool rebuild_ordered;
	bool base_started;
	bool base_sent;
	u64 base_end;
	u64 base_acked;
};

/**
 * enum swb_rebuild_phase - a target on its way from the mark to its end (P10)
 *
 * The mark itself is SWB_SUPER_INCONSISTENT of the durable part. A session that
 * ends goes back to IDLE; PREPARING and CLEARING are finished all the same.
 */
enum swb_rebuild_phase {
	SWB_REBUILD_IDLE,
	SWB_REBUILD_PREPARING,	/* REBUILD_PREPARE is under way */
	SWB_REBUILD_COPYING,	/* stream and base lane */
	SWB_REBUILD_ENDING,	/* BASE_END was taken; C and durable follow */
	SWB_REBUILD_CLEARING,	/* REBUILD_CLEAR is under way */
};

/** enum swb_rebuild_auto - what needs no order of the controller */
enum swb_rebuild_auto {
	SWB_AUTO_NONE,
	SWB_AUTO_DELTA,
	SWB_AUTO_REBUILD,	/* and delta */
};

/** enum swb_adopt_phase - adoption is one atomic act in stages (P6) */
enum swb_adopt_phase {
	SWB_ADOPT_IDLE,
	SWB_ADOPT_DRAINING,	/* until every received record is written */
	SWB_ADOPT_FLUSHING,	/* the whole received log */
	SWB_ADOPT_SAVING,	/* epoch into the superblock */
};

/** enum swb_open_phase - opening an epoch, in stages (P2) */
enum swb_open_phase {
	SWB_OPEN_IDLE,
	SWB_OPEN_SAVING,	/* opened = e, durable before the first record */
	SWB_OPEN_DONE,
};

/** enum swb_io_state - what happens to upper I/O */
enum swb_io_state {
	SWB_IO_REFUSED,		/* no role: fail */
	SWB_IO_OPEN,		/* admit */
	SWB_IO_HELD,		/* park: lease ran out, or adoption in progress */
};

/**
 * struct swb_tune - limits, adjustable, set at create time
 * @link_deadline_ns: nothing heard for so long ends a link
 * @ping_interval_ns: say something at least so often
 * @flush_interval_ns: background flush when written > durable for so long
 * @catchup_stall_ns: a peer that is not required and gets no further for so long
 *	while it is behind needs a rebuild, or its rebuild ends; 0 = no limit
 * @rebuild_auto: enum swb_rebuild_auto
 *
 * The other budget of I-058, bytes of history pinned for such a peer, is known
 * to the ring only: the caller turns it into the LSN of TICK.
 */
struct swb_tune {
	u64 link_deadline_ns;
	u64 ping_interval_ns;
	u64 flush_interval_ns;
	u64 catchup_stall_ns;
	u8 rebuild_auto;
};

/**
 * struct swb_core - one member of one volume
 * @d: the durable part, as the last SAVE_SUPER wrote it or is about to;
 *	@d.lineage is the whole lineage, log included, kept up to date
 * @log: positions
 * @config: configuration of this epoch; member_count 0 before an assignment
 * @self: own index in @config, SWB_NOBODY if not a member
 * @primary: index of the granted primary, SWB_NOBODY if unknown
 * @role: enum swblock_role
 * @io: what happens to upper I/O
 * @conditions: SWBLOCK_COND_* that the core decides
 * @was_primary: granted epoch @d.opened here, and held I/O may still exist
 * @lease_end_ns: absolute, 0 = no lease
 * @adopt: stage of a running adoption
 * @adopt_epoch: its epoch
 * @adopt_cookie: its cookie, of the newest order for that epoch
 * @open: stage of a running opening
 * @open_cookie: its cookie
 * @reported_committed: C reported at the last adoption (a repeat says the same)
 * @report_flags: SWBLOCK_REPORT_* of the last adoption
 * @truncating: TRUNCATE was started
 * @truncate_to: to this LSN
 * @truncate_peer: for this primary
 * @flushing: a FLUSH_LOG is in flight
 * @unflushed_since_ns: when written first exceeded durable, 0 if equal
 * @flush_early: a ring fills: what was written up to here is flushed without
 *	waiting for @tune.flush_interval_ns
 * @next_session: next session id to draw
 * @opened_session: newest session of this epoch that its primary opened here
 * @opened_epoch: and that epoch; within one it is one boot, whose ids rise
 * @promote_letter: case letter of the last certificate, 0 if none
 * @local_letter: case letter of local recovery
 * @openers: upper openers of the device, told by the caller
 * @tune: limits; swb_core_init() sets defaults, the caller changes them after
 * @peer: the others, by member index
 * @adopt_store: store of the running adoption
 * @adopt_store_generation: and its generation
 * @hold: why I/O is held: SWBLOCK_COND_SUSPENDED_LEASE, _SUSPENDED_EPOCH,
 *	_DISK_FAILED, _SUSPENDED_ADMIN
 * @stale_openers: openers from before I/O failed are still there: P12
 * @resume_held: the certificate lets held I/O go on: P12
 * @open_committed: highest C in the certificate's reports: P16
 * @reported_epoch: epoch whose adoption is durable and was reported
 * @reported_durable: durable LSN of that report
 * @reported_last_epoch: last record's epoch of that report
 * @completed: writes <= it were completed by the policy
 * @barriers_done: barriers <= it were completed
 * @written_back: limit of the last WRITE_BACK
 * @flush_goal: the running or next flush is wanted as soon as written reaches
 *	it; newer wants do not move it, or they would starve it
 * @truncate_session: session that TRUNCATE was started for
 * @rebuild: enum swb_rebuild_phase, of a target
 * @rebuild_peer: source of it
 * @rebuild_session: session it belongs to
 * @rebuild_kind: enum swb_wire_start of it
 * @rebuild_base: m of it
 * @rebuild_from: first LSN of its stream, w
 * @rebuild_end: W, in ENDING
 * @base_taken: bytes of base blocks that this target took in this session
 * @everywhere: replica: what the primary said of it in this session; ask
 *	swb_core_everywhere()
 * @now_ns: time of the last event
 * @refused: frames, acks and orders refused, by enum swblock_reason (I-037)
 * @extent_saved: size of the extent that is on the medium, and told
 * @primary_facts: what the primary's OPEN said, kept by a replica
 * @scratch: own facts during a decision, too large for a kernel stack
 */
struct swb_core {
	struct swb_durable d;
	struct swb_log log;
	struct swb_config config;
	u8 self;
	u8 primary;
	u8 role;
	u8 io;
	u32 conditions;
	bool was_primary;
	u64 lease_end_ns;
	u8 adopt;
	u64 adopt_epoch;
	u64 adopt_cookie;
	u8 open;
	u64 open_cookie;
	u64 reported_committed;
	u32 report_flags;
	bool truncating;
	u64 truncate_to;
	u8 truncate_peer;
	bool flushing;
	u64 unflushed_since_ns;
	u64 flush_early;
	u64 next_session;
	u64 opened_session;
	u64 opened_epoch;
	u8 promote_letter;
	u8 local_letter;
	u32 openers;
	struct swb_tune tune;
	struct swb_core_peer peer[SWB_MEMBERS_MAX];
	struct swb_uuid adopt_store;
	u64 adopt_store_generation;
	u32 hold;
	bool stale_openers;
	bool resume_held;
	u64 open_committed;
	u64 reported_epoch;
	u64 reported_durable;
	u64 reported_last_epoch;
	u64 completed;
	u64 barriers_done;
	u64 written_back;
	u64 flush_goal;
	u64 truncate_session;
	u8 rebuild;
	u8 rebuild_peer;
	u8 rebuild_kind;
	u64 rebuild_session;
	u64 rebuild_base;
	u64 rebuild_from;
	u64 rebuild_end;
	u64 base_taken;
	u64 everywhere;
	u64 now_ns;
	u64 refused[__SWBLOCK_REASON_MAX];
	u64 extent_saved;
	struct swb_facts primary_facts;
	struct swb_facts scratch;
};

#define SWB_NOBODY	0xff

/* ---- events: facts -------------------------------------------------- */

enum swb_event_type {
	SWB_EV_ADOPT_ORDERED,	/* u.adopt */
	SWB_EV_ASSIGNED,	/* u.assign */
	SWB_EV_CERTIFIED,	/* u.cert */
	SWB_EV_DEMOTE_ORDERED,	/* cookie; the caller has drained or fails I/O */
	SWB_EV_LEASE_SET,	/* u.lease */
	SWB_EV_LINKED,		/* peer */
	SWB_EV_UNLINK_ORDERED,	/* peer */
	SWB_EV_LINK_LOST,	/* peer, reason */
	SWB_EV_PEER_OPENED,	/* replica got OPEN: peer, session, epoch, u.facts */
	SWB_EV_PEER_FACTS,	/* primary got FACTS: peer, session, epoch, u.facts */
	SWB_EV_PEER_STARTED,	/* replica got START: peer, session, epoch, u.start */
	SWB_EV_PEER_ACKED,	/* primary: peer, session, epoch, u.ack */
	SWB_EV_PEER_PINGED,	/* header of any DATA or PING: u.ping */
	SWB_EV_PEER_CLOSED,	/* got CLOSE: peer, reason, epoch of the sender */
	SWB_EV_LOG_WRITTEN,	/* lsn: contiguous prefix written */
	SWB_EV_LOG_FLUSHED,	/* lsn, generation as captured at submission (P5) */
	SWB_EV_LOG_TRUNCATED,	/* lsn; durable: incarnation and log_end saved */
	SWB_EV_SUPER_SAVED,	/* the last SAVE_SUPER is on the medium */
	SWB_EV_CHECKPOINTED,	/* lsn = extent_lo, lsn2 = start: already durable */
	SWB_EV_BARRIER_WANTED,	/* lsn: target */
	SWB_EV_DISK_FAILED,	/* latched: P17a */
	SWB_EV_LAST_CLOSED,	/* the last opener of the device is gone */
	SWB_EV_SUSPEND_ORDERED,	/* lsn: 1 hold upper I/O, 0 go on */
	SWB_EV_EXTENT_GROWN,	/* lsn: bytes; the new part is zero, durably */
	SWB_EV_TICK,		/* time has passed; lsn: records <= it are
				 * beyond the byte budget of catch-up, 0 if none;
				 * lsn2: the ring fills, what is <= it should be
				 * C's soon, 0 if time enough is left
				 */
	SWB_EV_REBUILD_ORDERED,	/* primary: the controller allows it for peer */
	SWB_EV_REBUILD_PREPARED, /* target: mark and empty log are durable */
	SWB_EV_BASE_SENT,	/* source: lane done; peer, session, lsn = W */
	SWB_EV_PEER_BASE_ENDED,	/* target got BASE_END, every block before it is
				 * written: peer, session, epoch, lsn = W, lsn2 =
				 * bytes of base blocks in all
				 */
	SWB_EV_REBUILD_CLEARED,	/* target: the mark is durably gone */
	SWB_EV_COUNT
};

/**
 * struct swb_event - one fact
 * @type: which
 * @peer: member index where a peer is concerned
 * @reason: enum swblock_reason
 * @now_ns: CLOCK_BOOTTIME
 * @session: session id the fact belongs to
 * @epoch: epoch the fact belongs to
 * @lsn: see the type
 * @lsn2: see the type
 * @generation: see the type
 * @cookie: of the order that caused it
 * @u: by type; pointers live until the step returns
 */
struct swb_event {
	enum swb_event_type type;
	u8 peer;
	u32 reason;
	u64 now_ns;
	u64 session;
	u64 epoch;
	u64 lsn;
	u64 lsn2;
	u32 generation;
	u64 cookie;
	union {
		struct {
			struct swb_uuid store;
			u64 store_generation;
		} adopt;			/* epoch, cookie */
		struct {
			struct swb_uuid primary;
			const struct swb_config *config;
		} assign;			/* epoch */
		struct {
			const struct swb_cert *cert;
			u64 lease_end_ns;
		} cert;				/* cookie */
		struct {
			u64 end_ns;
		} lease;			/* epoch */
		const struct swb_facts *facts;
		struct {
			u64 from, truncate_to, target;
			u64 kind;	/* enum swb_wire_start */
		} start;
		struct {
			u64 received, written, durable;
			u64 base;	/* bytes, or SWB_WIRE_BASE_DONE */
			u64 extent_bytes;	/* 0 if not told */
		} ack;
		struct {
			u64 committed, flush_lsn;
			u64 next;	/* of PING: LSN after the last one sent
					 * before it, 0 if not told
					 */
			u64 everywhere;
		} ping;
	} u;
};

/* ---- actions: orders ------------------------------------------------ */

enum swb_action_type {
	SWB_ACT_SAVE_SUPER,	/* persist core->d as it is now; -> SUPER_SAVED */
	SWB_ACT_FLUSH_LOG,	/* flush what is written; -> LOG_FLUSHED */
	/* append the open record: epoch a, as LSN b; head counts it already */
	SWB_ACT_APPEND_OPEN,
	/*
	 * Cut the log after LSN a; -> LOG_TRUNCATED. Synchronously: wait for
	 * WAL writes in flight, flush the WAL, cut, raise the incarnation,
	 * log_end = a, save, post. Without that flush the new seal would cover
	 * what an earlier cut left on the medium (P4).
	 */
	SWB_ACT_TRUNCATE,
	SWB_ACT_SEND_OPEN,	/* peer: OPEN with fresh facts, session a */
	SWB_ACT_SEND_FACTS,	/* peer: FACTS with fresh facts, session a */
	SWB_ACT_SEND_START,	/* peer: from a, truncate_to b, target c, kind d */
	SWB_ACT_SEND_ACK,	/* peer: current progress, by swb_core_ack() */
	SWB_ACT_SEND_PING,	/* peer: C and flush_lsn a ride on it */
	SWB_ACT_SEND_CLOSE,	/* peer: reason a; then CLOSE_LINK follows */
	SWB_ACT_SHIP,		/* peer: there may be records for its cursor */
	SWB_ACT_CLOSE_LINK,	/* peer: reason a; nothing of it is sent after */
	SWB_ACT_COMPLETE_WRITES, /* complete every write with LSN <= a */
	SWB_ACT_COMPLETE_BARRIERS, /* complete every barrier with target <= a */
	SWB_ACT_FAIL_IO,	/* fail all held and in-flight upper I/O */
	SWB_ACT_HOLD_IO,	/* park new upper I/O from now on */
	SWB_ACT_RESUME_IO,	/* admit again what is parked */
	SWB_ACT_SET_ROLE,	/* role a: device capacity, read-only, uevent */
	SWB_ACT_SET_SIZE,	/* of the device: a bytes, uevent */
	SWB_ACT_WRITE_BACK,	/* records <= a may go to the extent */
	SWB_ACT_NOTIFY_REPORT,	/* adoption done: swb_core_report(); cookie a */
	SWB_ACT_NOTIFY_ROLE,	/* cookie a */
	SWB_ACT_NOTIFY_REFUSED,	/* cookie a, letter b, table c, reason peer... */
	SWB_ACT_NOTIFY_PEER,	/* state, letter or reason of peer changed */
	SWB_ACT_NOTIFY_CONDITIONS,
	SWB_ACT_NOTIFY_STEP_DOWN, /* a peer holds epoch a */
	/*
	 * Target: make it void and empty, for a delta (a == SWB_START_DELTA, m =
	 * b) or a rebuild; the stream will begin at c. -> REBUILD_PREPARED.
	 * Synchronously, as TRUNCATE; the link hears nothing meanwhile:
	 *  1. wait for WAL writes in flight and flush the WAL; a delta whose member
	 *     is not void yet: write back every own record <= m (that is what
	 *     swb_core_writeback_limit() says now), extent_hi durably before it
	 *     (P9), and flush the extent;
	 *  2. stop write-back, drop the dirty map and every group of the ring;
	 *  3. swb_core_rebuild_mark() under the lock, then one save with the mark,
	 *     an empty ring (tail_lsn = c, next place and number, a raised
	 *     incarnation, log_end = c - 1): mark and reset are one (P10 i);
	 *  4. post.
	 */
	SWB_ACT_REBUILD_PREPARE,
	/*
	 * Source: the base lane of peer begins, session a, kind b. A delta copies
	 * what its own bitmap holds now, a rebuild every granule. Each block is
	 * read from the extent, not from the overlay of newer writes; after the
	 * read swb_core_base_sample() gives what rides on its frame. WAL frames
	 * go first. At the end BASE_END, and -> BASE_SENT.
	 */
	SWB_ACT_BASE_START,
	SWB_ACT_BASE_STOP,	/* source: no base block for peer after this */
	/*
	 * Target: flush the extent, swb_core_rebuild_unmark() under the lock,
	 * save; -> REBUILD_CLEARED. Synchronously.
	 */
	SWB_ACT_REBUILD_CLEAR,
	SWB_ACT_COUNT
};

/**
 * struct swb_action - one order
 * @type: which
 * @peer: member index where a peer is concerned
 * @a: see the type
 * @b: see the type
 * @c: see the type
 * @d: see the type
 */
struct swb_action {
	enum swb_action_type type;
	u8 peer;
	u64 a;
	u64 b;
	u64 c;
	u64 d;
};

#define SWB_ACTIONS_MAX	80

struct swb_actions {
	u32 count;
	struct swb_action act[SWB_ACTIONS_MAX];
};

/* ---- the step ------------------------------------------------------- */

/**
 * struct swb_recovered - what local recovery found in the log (recover.c)
 * @start: S
 * @head: last LSN of the log, extent_lo if the ring is empty
 * @last_epoch: epoch of @head
 * @lineage: superblock's table below S, the log's own openings above (P18)
 * @letter: case letter of the verdict
 */
struct swb_recovered {
	u64 start;
	u64 head;
	u64 last_epoch;
	struct swb_lineage lineage;
	u8 letter;
};

/**
 * swb_core_init() - a member as it comes up: without a role
 * @c: to be filled
 * @d: its superblock
 * @r: its log; the caller has flushed the device after the scan (P17b) and has
 *	saved a superblock with a raised incarnation and log_end = r->head
 * @seed: start of session ids, unique per boot (ambiguity 14)
 *
 * written = durable = r->head: the flush after the scan made them so.
 * committed = max(extent_hi, min(d->committed, r->head)).
 */
void swb_core_init(struct swb_core *c, const struct swb_durable *d,
		   const struct swb_recovered *r, u64 seed);

/**
 * swb_core_step() - a fact goes in, orders come out
 * @c: member
 * @ev: fact
 * @out: orders, @out->count is set
 *
 * Total: a fact that does not fit the state changes nothing but a reason and
 * possibly closes the link it came by.
 */
void swb_core_step(struct swb_core *c, const struct swb_event *ev,
		   struct swb_actions *out);

/* ---- leaves of the per-request path; all under the step's lock --------- */

enum swb_admit {
	SWB_ADMIT_OK,
	SWB_ADMIT_PARK,		/* hold it until RESUME_IO or FAIL_IO */
	SWB_ADMIT_FAIL,		/* EIO */
};

/** swb_core_admit() - may a write or barrier enter now? */
enum swb_admit swb_core_admit(const struct swb_core *c, u64 now_ns);

/** swb_core_read_ok() - may a read be answered now? Asked again at completion. */
enum swb_admit swb_core_read_ok(const struct swb_core *c, u64 now_ns);

/** swb_core_append() - primary: LSN of the first of @n new records */
u64 swb_core_append(struct swb_core *c, u32 n);

/** swb_core_barrier_target() - LSN that a barrier issued now must cover (G1) */
u64 swb_core_barrier_target(const struct swb_core *c);

/**
 * swb_core_check_data() - replica: may this DATA frame enter the log?
 * @c: member
 * @peer: who sent it
 * @session: of its header
 * @epoch: of its header
 * @first_lsn: LSN of its first record
 * @nrec: its records
 * @rec_epoch: epoch of all of them
 *
 * Return: SWBLOCK_REASON_NONE, or why not. Session, epoch, gap, falling epoch.
 */
enum swblock_reason swb_core_check_data(const struct swb_core *c, u8 peer,
					u64 session, u64 epoch, u64 first_lsn,
					u32 nrec, u64 rec_epoch);

/**
 * swb_core_received() - replica: take records into the log
 * @c: member
 * @peer: who sent them
 * @now_ns: now
 * @nrec: their number
 * @rec_epoch: their epoch; where a new one begins the lineage grows
 * @opens: the first of them is an open record
 *
 * Only right after swb_core_check_data() under the same lock.
 */
void swb_core_received(struct swb_core *c, u8 peer, u64 now_ns, u32 nrec,
		       u64 rec_epoch, bool opens);

/**
 * swb_core_ship_from() - next LSN to be shipped to a peer
 * @c: member
 * @peer: whom to
 * @session: filled with the session it belongs to
 *
 * Return: the LSN, 0 if there is none or none may be shipped.
 */
u64 swb_core_ship_from(const struct swb_core *c, u8 peer, u64 *session);

/**
 * swb_core_shipped() - records go to the socket of a session
 * @c: member
 * @peer: whom to
 * @session: as swb_core_ship_from() gave it
 * @next: first LSN that does not go
 * @now_ns: now
 *
 * Before their first byte does: an ack that overtakes it would look like one
 * for records never sent (ACK_BEYOND).
 */
void swb_core_shipped(struct swb_core *c, u8 peer, u64 session, u64 next,
		      u64 now_ns);

/**
 * swb_core_sent_next() - LSN after the last record that went to @peer in its
 * session; rides on PING, so that a lost last frame is seen. 0 for none.
 */
u64 swb_core_sent_next(const struct swb_core *c, u8 peer);

/** swb_core_flush_wanted() - flush_lsn to ride on the next frame to @peer */
u64 swb_core_flush_wanted(struct swb_core *c, u8 peer);

/** enum swb_grow - may this member become so large now? */
enum swb_grow {
	SWB_GROW_OK,
	SWB_GROW_SIZE,		/* no such size */
	SWB_GROW_SHRINKS,
	SWB_GROW_FAILED,	/* the disk did */
	SWB_GROW_BITMAP,	/* no room for the bits */
	SWB_GROW_LATER,		/* an epoch or a copy is under way */
	SWB_GROW_PEERS,		/* a primary grows last, with all members there */
};

/**
 * swb_core_grow_check() - asked before the new part is zeroed, and again by the
 * step of EXTENT_GROWN
 * @c: member
 * @bytes: new size of the volume here
 */
enum swb_grow swb_core_grow_check(const struct swb_core *c, u64 bytes);

/**
 * struct swb_ack - what a replica tells its primary
 * @session: of the primary
 * @received: see struct swb_core_peer
 * @written: as well
 * @durable: as well
 * @base: bytes of base blocks taken in this session, or SWB_WIRE_BASE_DONE
 * @extent_bytes: size of the volume here, as it is on the medium
 */
struct swb_ack {
	u64 session;
	u64 received;
	u64 written;
	u64 durable;
	u64 base;
	u64 extent_bytes;
};

/** swb_core_ack() - replica: progress to tell; false if no session is matched */
bool swb_core_ack(const struct swb_core *c, u8 peer, struct swb_ack *ack);

/**
 * swb_core_writeback_limit() - no record above it may go to the extent (P8)
 * @c: member
 *
 * min(C, durable, matched), and extent_hi for a member without a role or match;
 * extent_lo for a void one outside of its session, whose log is no way to there.
 * While a member that is not void yet prepares for a delta: m, which is <= C.
 *
 * Return: an LSN.
 */
u64 swb_core_writeback_limit(const struct swb_core *c);

/**
 * swb_core_trim_limit() - records <= it may leave the ring
 * @c: member
 * @ignore_pins: without the pins of peers that the mode does not wait for; a
 *	required peer's pin is never broken, and in sync_quorum not that of a
 *	majority
 *
 * Return: min(extent_lo, pins of live sessions).
 */
u64 swb_core_trim_limit(const struct swb_core *c, bool ignore_pins);

/* ---- delta and rebuild (P10, P11); leaves, all under the step's lock ---- */

/**
 * swb_core_rebuild_allowed() - may the controller order a rebuild of @peer?
 *
 * Return: NONE; NO_ROLE if this is no primary, FOREIGN_REPLICA if @peer is no
 * other member, REQUIRED if sync_all waits for it (P10 vii).
 */
enum swblock_reason swb_core_rebuild_allowed(const struct swb_core *c, u8 peer);

/**
 * swb_core_rebuild_mark() - the durable part and the log as REBUILD_PREPARE
 * leaves them: void, with an empty log whose next LSN is w, the lineage of the
 * source below it, extent_lo = extent_hi = w - 1, the bitmap's base there
 * @c: member
 *
 * The caller has executed steps 1 and 2 of SWB_ACT_REBUILD_PREPARE, and sets the
 * tail, the incarnation and log_end before it saves.
 */
void swb_core_rebuild_mark(struct swb_core *c);

/** swb_core_rebuild_unmark() - the durable part as REBUILD_CLEAR leaves it */
void swb_core_rebuild_unmark(struct swb_core *c);

/**
 * swb_core_extent_hi_epoch() - epoch of record extent_hi, which the log says, or
 * while base blocks run ahead of it the durable part
 */
u64 swb_core_extent_hi_epoch(const struct swb_core *c);

/**
 * swb_core_base_sample() - source: epoch and LSN of extent_hi now; no block read
 * before holds anything above it (P10 iv)
 */
void swb_core_base_sample(const struct swb_core *c, u64 *epoch, u64 *lsn);

/**
 * swb_core_base_session() - source: session of the base lane to @peer, 0 if it
 * must not go on. Asked with each frame.
 */
u64 swb_core_base_session(const struct swb_core *c, u8 peer);

/**
 * swb_core_base_ending() - source: BASE_END with W = @lsn is about to go. Before its
 * first byte does, under the lock: the ack that it brings may overtake BASE_SENT.
 */
void swb_core_base_ending(struct swb_core *c, u8 peer, u64 session, u64 lsn);

/**
 * swb_core_check_base() - target: may this BASE or BASE_END be taken?
 * @c: member
 * @peer: who sent it
 * @session: of its header
 * @epoch: of its header
 * @hi_epoch: its sample
 * @hi_lsn: as well
 * @before: bytes of base blocks that it says went before it
 *
 * Return: NONE, or why not: LSN_GAP if a frame before it was lost or came twice.
 */
enum swblock_reason swb_core_check_base(const struct swb_core *c, u8 peer,
					u64 session, u64 epoch, u64 hi_epoch,
					u64 hi_lsn, u64 before);

/**
 * swb_core_base_raise() - target: extent_hi := the sample, if that is more
 *
 * Return: true if the superblock must be saved before the block is written. False
 * says that extent_hi is there already in memory: if write-back has raised it and
 * still saves that, the block waits for it, too.
 */
bool swb_core_base_raise(struct swb_core *c, u64 hi_epoch, u64 hi_lsn);

/** swb_core_base_took() - target: a base block of @bytes is written; ack soon */
void swb_core_base_took(struct swb_core *c, u8 peer, u64 session, u64 bytes);

/**
 * swb_core_everywhere() - each member of the configuration is durable up to here,
 * void copies not counted; rides on each frame of a primary. 0 if unknown
 */
u64 swb_core_everywhere(const struct swb_core *c);

/**
 * swb_core_bitmap_raise() - before a batch of write-back up to @lo
 * @c: member
 * @lo: what extent_lo will be
 *
 * Return: true: the batch needs no bits, the base is @lo now in the durable part,
 * and bits of older batches may be cleared when the save that follows is durable,
 * not before. False: the bits of the batch must be durable before that save (P11).
 */
bool swb_core_bitmap_raise(struct swb_core *c, u64 lo);

/**
 * swb_core_lend_need() - primary: a block that is not in the index is whole at this
 * LSN; asked with or after the look at the index
 */
u64 swb_core_lend_need(const struct swb_core *c);

/** swb_core_lend_ask() - primary: session in which @peer may be asked for content, or 0 */
u64 swb_core_lend_ask(const struct swb_core *c, u8 peer);

/**
 * swb_core_check_lend() - replica: may this READ be answered?
 * @c: core
 * @peer: who asks
 * @session: of the frame
 * @epoch: of the frame
 *
 * The answer is the content at the head of the log, which must not move meanwhile.
 *
 * Return: NONE, or why not: NO_ROLE, STALE_SESSION, STALE_EPOCH, NEWER_EPOCH,
 * NEEDS_REBUILD (its copy is being made).
 */
enum swblock_reason swb_core_check_lend(const struct swb_core *c, u8 peer,
					u64 session, u64 epoch);

/**
 * swb_core_lent_ok() - primary: is the answer as good as the own extent? (I-236)
 * @c: core
 * @peer: who answers
 * @session: of the frame
 * @epoch: of the frame
 * @lsn: whose content it is
 * @need: swb_core_lend_need() of that block
 */
bool swb_core_lent_ok(const struct swb_core *c, u8 peer, u64 session, u64 epoch,
		      u64 lsn, u64 need);

/** swb_core_own_facts() - fresh facts for OPEN and FACTS */
void swb_core_own_facts(const struct swb_core *c, u8 peer, struct swb_facts *f);

/** swb_core_report() - the report of the last adoption (P6) */
void swb_core_report(const struct swb_core *c, struct swb_report *r);

/** swb_core_member_index() - index of a replica id in the config, or NOBODY */
u8 swb_core_member_index(const struct swb_config *cfg,
			 const struct swb_uuid *replica);

#endif /* SWB_CORE_H */
