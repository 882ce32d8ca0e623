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
 *  3. A SUPER_SAVED, LOG_FLUSHED or LOG_TRUNCATED is posted only when it is true
 *     on the medium, device cache flushed.
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
 * @target: frozen target of catch-up (H at admission)
 * @cursor: next LSN to ship
 * @received: acked by the peer
 * @written: acked
 * @durable: acked; survives the link within the epoch, dropped by adoption
 * @flush_asked: highest flush_lsn sent in this session
 * @heard_ns: last frame from it
 * @said_ns: last frame to it
 * @acked_ns: last ack from it, or since when something is unacknowledged
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
		u32 flags;
		u32 ring_mib;
	} facts;
	u64 log_start_at_open;
	u64 match_lsn;
	u64 target;
	u64 cursor;
	u64 received;
	u64 written;
	u64 durable;
	u64 flush_asked;
	u64 heard_ns;
	u64 said_ns;
	u64 acked_ns;
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
 */
struct swb_tune {
	u64 link_deadline_ns;
	u64 ping_interval_ns;
	u64 flush_interval_ns;
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
 *	_DISK_FAILED
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
 * @now_ns: time of the last event
 * @refused: frames, acks and orders refused, by enum swblock_reason (I-037)
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
	u64 now_ns;
	u64 refused[__SWBLOCK_REASON_MAX];
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
	SWB_EV_TICK,		/* time has passed */
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
		} start;
		struct {
			u64 received, written, durable;
		} ack;
		struct {
			u64 committed, flush_lsn;
			u64 next;	/* of PING: LSN after the last one sent
					 * before it, 0 if not told
					 */
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
	SWB_ACT_SEND_START,	/* peer: from a, truncate_to b, target c */
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
	SWB_ACT_WRITE_BACK,	/* records <= a may go to the extent */
	SWB_ACT_NOTIFY_REPORT,	/* adoption done: swb_core_report(); cookie a */
	SWB_ACT_NOTIFY_ROLE,	/* cookie a */
	SWB_ACT_NOTIFY_REFUSED,	/* cookie a, letter b, table c, reason peer... */
	SWB_ACT_NOTIFY_PEER,	/* state, letter or reason of peer changed */
	SWB_ACT_NOTIFY_CONDITIONS,
	SWB_ACT_NOTIFY_STEP_DOWN, /* a peer holds epoch a */
	SWB_ACT_COUNT
};

/**
 * struct swb_action - one order
 * @type: which
 * @peer: member index where a peer is concerned
 * @a: see the type
 * @b: see the type
 * @c: see the type
 */
struct swb_action {
	enum swb_action_type type;
	u8 peer;
	u64 a;
	u64 b;
	u64 c;
};

#define SWB_ACTIONS_MAX	64

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

/** swb_core_ack() - replica: progress to tell; false if no session is matched */
bool swb_core_ack(const struct swb_core *c, u8 peer, u64 *session,
		  u64 *received, u64 *written, u64 *durable);

/**
 * swb_core_writeback_limit() - no record above it may go to the extent (P8)
 * @c: member
 *
 * min(C, durable, matched), and extent_hi for a member without a role or match.
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

/** swb_core_own_facts() - fresh facts for OPEN and FACTS */
void swb_core_own_facts(const struct swb_core *c, u8 peer, struct swb_facts *f);

/** swb_core_report() - the report of the last adoption (P6) */
void swb_core_report(const struct swb_core *c, struct swb_report *r);

/** swb_core_member_index() - index of a replica id in the config, or NOBODY */
u8 swb_core_member_index(const struct swb_config *cfg,
			 const struct swb_uuid *replica);

#endif /* SWB_CORE_H */
