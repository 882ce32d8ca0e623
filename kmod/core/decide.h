/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a controller does next: observe -> decide -> apply, the middle of it.
 *
 * Two questions, two lettered fact tables, both total and pure:
 *
 *	swb_decide_volume()	what to do with the authority of a volume: fence,
 *				wait, grant, settle. Asked by every controller
 *				that can read the store.
 *	swb_decide_member()	what to do with one member that is attached here:
 *				adopt, promote, assign, renew, link. Asked by the
 *				controller of the host it lives on.
 *
 * The caller observes (store, kernel, clock), asks, carries out at most one order
 * per question, and observes again. Nothing is remembered between two calls but
 * what stands in the view. swblockd and the simulators run the same code.
 * docs/design/controller.md tells the letters' stories.
 */
#ifndef SWB_CORE_DECIDE_H
#define SWB_CORE_DECIDE_H

#include "types.h"

/* members of the record and of the wish together: a replacement under way */
#define SWB_VIEW_MAX	(2 * SWB_MEMBERS_MAX)

/** enum swb_phase - where the newest epoch of the record stands (P1, P3) */
enum swb_phase {
	SWB_PHASE_NEW,		/* described, no epoch was ever won */
	SWB_PHASE_WON,		/* somebody fences; no certificate exists */
	SWB_PHASE_GRANTED,	/* one candidate may open it, for ever */
	SWB_PHASE_SETTLED,	/* its primary has committed its open record */
};

/**
 * struct swb_wish - what the operator declared
 * @sequence: raised by every change; 0 = nothing was declared
 * @config: mode, policy, members; @config.required is the set to be required when
 *	all are well (sync_all)
 * @primary: where the operator wants the role, null = anywhere. A preference
 *	that stands: the role goes back there when that member is in sync again
 * @lease_ms: lease length, 0 = none
 * @shrink_ms: sync_all: a required member silent for so long leaves the required
 *	set by a new epoch; 0 = never without an order
 * @override: the operator accepts the loss that a certificate would refuse; holds
 *	for one grant, to @primary, and only where no ordinary one is possible
 * @stopped: the operator wants no primary (volume stopped)
 */
struct swb_wish {
	u64 sequence;
	struct swb_config config;
	struct swb_uuid primary;
	u32 lease_ms;
	u32 shrink_ms;
	bool override;
	bool stopped;
};

/**
 * struct swb_authority - the record of the store, as facts
 * @epoch: newest epoch won
 * @phase: where it stands
 * @mine: its nonce was drawn by this controller (P3)
 * @owner_silent_ns: how long the owner's host has shown no sign of life; 0 = alive,
 *	~0 = that run of the daemon is known to be over (another one took its place)
 * @won_ns: own clock, when the winning swap was known to have succeeded; only
 *	where @mine
 * @last_epoch: newest granted epoch, 0 = none
 * @primary: to whom it was granted
 * @config: newest granted configuration, or the first one
 * @proposed: what the win proposed to grant; only in SWB_PHASE_WON
 * @lease_ms: lease length under which the last granted primary renews
 * @judge_count: granted configurations since the last settled one (P1)
 * @judge: those, oldest first
 * @wish_done: sequence of the wish that the newest grant has taken up
 */
struct swb_authority {
	u64 epoch;
	u8 phase;
	bool mine;
	u64 owner_silent_ns;
	u64 won_ns;
	u64 last_epoch;
	struct swb_uuid primary;
	struct swb_config config;
	struct swb_config proposed;
	u32 lease_ms;
	u32 judge_count;
	struct swb_config judge[SWB_CONFIGS_MAX];
	u64 wish_done;
};

/**
 * struct swb_member_state - what is known of one member, wherever it lives
 * @replica: who
 * @known: it has ever been attached somewhere, the fields below mean something
 * @silent_ns: how long its host has shown no sign of life, by own clock; 0 = alive
 * @role: enum swblock_role
 * @epoch: adopted
 * @opened: newest epoch it opened
 * @conditions: SWBLOCK_COND_*, for people: nothing is decided by them (I-148)
 * @flags: SWBLOCK_REPORT_INCONSISTENT, SWBLOCK_REPORT_DISK_FAILED
 * @settled: as primary: its open record is committed under the new rule (P1)
 * @peer_state: of this member as the granted primary sees it, enum
 *	swblock_peer_state
 * @behind: LSNs between the primary's head and what is durable here
 * @has_report: @report is there
 * @report: newest one it gave (P6)
 */
struct swb_member_state {
	struct swb_uuid replica;
	bool known;
	u64 silent_ns;
	u8 role;
	u64 epoch;
	u64 opened;
	u32 conditions;
	u32 flags;
	bool settled;
	u8 peer_state;
	u64 behind;
	bool has_report;
	struct swb_report report;
};

/**
 * struct swb_decide_tune - patience, all in ns
 * @silence_ns: a host without a sign of life for so long counts as gone
 * @collect_ns: so long after winning, reports that are missing are waited for
 * @turn_ns: this controller acts only after its cause has stood for so long: hosts
 *	take turns, so that they do not fence each other in a circle
 * @margin_ns: added to a lease that is waited out (P13)
 * @clock_ppm: how wrong two clocks may run, r of P13
 * @backoff_ns: after an attempt that failed, doubled each time up to 64 times
 */
struct swb_decide_tune {
	u64 silence_ns;
	u64 collect_ns;
	u64 turn_ns;
	u64 margin_ns;
	u32 clock_ppm;
	u64 backoff_ns;
};

/**
 * struct swb_volume_view - everything swb_decide_volume() looks at
 * @now_ns: CLOCK_BOOTTIME
 * @authority: the record
 * @wish: the declaration
 * @member_count: members below
 * @member: members of the record, of the judged configurations and of the wish
 * @self: the member that lives on this host, SWB_NOBODY if none; a controller
 *	without a member only observes
 * @cause_since_ns: since when the same cause to fence has stood, 0 = none: the
 *	caller keeps it from one call to the next, as long as @cause is the same
 * @cause: that cause, enum swb_cause
 * @failed: epochs won in a row, by anybody, of which none was settled (I-206);
 *	a demotion that was refused counts like one
 * @failed_ns: when the last of them was seen, 0 = none
 * @tune: patience
 */
struct swb_volume_view {
	u64 now_ns;
	struct swb_authority authority;
	struct swb_wish wish;
	u8 member_count;
	struct swb_member_state member[SWB_VIEW_MAX];
	u8 self;
	u64 cause_since_ns;
	u8 cause;
	u32 failed;
	u64 failed_ns;
	struct swb_decide_tune tune;
};

/** enum swb_cause - why an epoch is won; a controller fences only with cause */
enum swb_cause {
	SWB_CAUSE_NONE,
	SWB_CAUSE_FIRST,	/* no epoch yet, and enough members are there */
	SWB_CAUSE_SILENT,	/* the primary's host shows no sign of life */
	SWB_CAUSE_RESTARTED,	/* the primary came back without its role (P2) */
	SWB_CAUSE_DISK,		/* the primary's disk has failed (P17) */
	SWB_CAUSE_NOT_OPENED,	/* granted, but the candidate does not open it */
	SWB_CAUSE_OWNER_GONE,	/* won by a controller that is gone */
	SWB_CAUSE_OVERTAKEN,	/* a member has adopted more than the store won */
	SWB_CAUSE_ORDER,	/* the operator wants the role elsewhere */
	SWB_CAUSE_CONFIG,	/* the wish differs from what was granted */
	SWB_CAUSE_SHRINK,	/* sync_all: a required member is gone for too long */
	SWB_CAUSE_GROW,		/* a member that is in sync again is required again */
	SWB_CAUSE_COUNT
};

/** enum swb_order - what the caller carries out for a volume */
enum swb_order {
	SWB_ORDER_NOTHING,	/* look again at @until_ns, or when facts change */
	SWB_ORDER_DEMOTE,	/* planned: drain the own primary first */
	SWB_ORDER_WIN,		/* first swap: won(@epoch) with @config proposed */
	SWB_ORDER_GRANT,	/* second swap: granted to @candidate with @config */
	SWB_ORDER_SETTLE,	/* third: only @config counts from now on */
	SWB_ORDER_COUNT
};

/**
 * struct swb_volume_decision - the verdict
 * @letter: case letter of table SWBLOCK_TABLE_VOLUME
 * @order: what to do
 * @cause: for WIN; also what stands behind a wait. The caller keeps it, and the
 *	time when it first was this one, for the next call
 * @epoch: epoch to win: above the record's and above all that was adopted (P17c)
 * @candidate: index into the view's members, SWB_NOBODY if none
 * @config: configuration to propose or to grant
 * @cert_flags: SWBLOCK_CERT_* for the certificate of GRANT
 * @missing: bit per view member whose report, link or synchrony is awaited
 * @until_ns: when to ask again at the latest, 0 = only when facts change (time
 *	that passes in silence is a fact: ask at least every quarter of it)
 * @rejected: bit per view member that was no candidate, for explain
 */
struct swb_volume_decision {
	u8 letter;
	u8 order;
	u8 cause;
	u64 epoch;
	u8 candidate;
	struct swb_config config;
	u32 cert_flags;
	u32 missing;
	u64 until_ns;
	u32 rejected;
};

/**
 * struct swb_volume_facts - what the volume table is asked with; from a view by
 * swb_decide_volume_facts()
 * @cause: why an epoch should be won, enum swb_cause
 * @hope: members that show signs of life could give sufficient evidence
 * @proof_lost: they could not, and the last primary's word is missing (P15)
 * @backoff: the same has failed too recently (I-206)
 * @turn: the cause has stood for this controller's turn
 * @stopped: the operator wants no primary
 * @serving: a primary holds its role, as far as is known
 * @here: the last granted primary is this controller's own member
 * @won: the epoch is won and not granted
 * @mine: by this controller
 * @collecting: reports may come in yet
 * @evidence: sufficient under every judged configuration (P1)
 * @candidate: somebody may be granted it: ranked, not void, holds every reported
 *	C, and there is a configuration for it
 * @override: no ordinary grant is possible, but the operator's override is
 * @lease_over: the last primary has adopted, or its lease is out (P13)
 * @opened: the granted primary has opened the epoch
 * @committed: its open record is committed
 * @settled: and the record says so
 * @wish_valid: the wish is possible, or there is none
 * @wish_reached: nothing is left to change
 */
struct swb_volume_facts {
	u8 cause;
	bool hope;
	bool proof_lost;
	bool backoff;
	bool turn;
	bool stopped;
	bool serving;
	bool here;
	bool won;
	bool mine;
	bool collecting;
	bool evidence;
	bool candidate;
	bool override;
	bool lease_over;
	bool opened;
	bool committed;
	bool settled;
	bool wish_valid;
	bool wish_reached;
};

#define SWB_VOLUME_FACTS	19	/* besides the cause */

/**
 * swb_decide_volume_facts() - view -> facts
 * @v: view
 * @f: filled
 * @d: filled with what the facts are about: candidate, configuration, who is
 *	missing, who was rejected
 */
void swb_decide_volume_facts(const struct swb_volume_view *v,
			     struct swb_volume_facts *f,
			     struct swb_volume_decision *d);

/** swb_decide_volume_judge() - facts -> exactly one letter and its order */
void swb_decide_volume_judge(const struct swb_volume_facts *f,
			     struct swb_volume_decision *out);

/**
 * swb_decide_volume() - what to do with the authority of a volume
 * @v: view
 * @out: verdict
 *
 * Total: any view gives exactly one letter. It never orders what a rule forbids;
 * the store's swap and the kernel's certificate table check the same once more.
 */
void swb_decide_volume(const struct swb_volume_view *v,
		       struct swb_volume_decision *out);

/**
 * swb_decide_cert() - the certificate that belongs to a grant, from the view
 * @v: view
 * @d: a decision with SWB_ORDER_GRANT
 * @cert: filled but for volume, store and store_generation
 */
void swb_decide_cert(const struct swb_volume_view *v,
		     const struct swb_volume_decision *d, struct swb_cert *cert);

/* ---- one member -------------------------------------------------------- */

/** enum swb_member_order - what the caller carries out for an attached member */
enum swb_member_order {
	SWB_MEMBER_NOTHING,
	SWB_MEMBER_ADOPT,	/* @epoch; the report goes to the store */
	SWB_MEMBER_PROMOTE,	/* the certificate of the granted epoch */
	SWB_MEMBER_ASSIGN,	/* as a replica of the granted primary */
	SWB_MEMBER_RENEW,	/* lease: @lease_end_ns */
	SWB_MEMBER_LINK,	/* make a link to @peer */
	SWB_MEMBER_REBUILD,	/* order a rebuild of @peer */
	SWB_MEMBER_ORDER_COUNT
};

/**
 * struct swb_member_peer - another member of the granted configuration
 * @replica: who
 * @state: enum swblock_peer_state, as this member says
 * @reason: why its last link here ended, enum swblock_reason
 * @flags: of its own state, SWBLOCK_REPORT_INCONSISTENT, SWBLOCK_REPORT_DISK_FAILED
 * @linked: a link is attached, or being made
 * @reachable: its host shows signs of life and said where it listens
 * @ready: it has adopted the granted epoch and is assigned
 * @failed: links in a row that ended before a session was matched
 * @failed_ns: when the last of them ended
 */
struct swb_member_peer {
	struct swb_uuid replica;
	u8 state;
	u32 reason;
	u32 flags;
	bool linked;
	bool reachable;
	bool ready;
	u32 failed;
	u64 failed_ns;
};

/**
 * struct swb_member_view - everything swb_decide_member() looks at
 * @now_ns: CLOCK_BOOTTIME
 * @read_ns: own clock before the linearizable read that gave @authority (P13)
 * @authority: the record
 * @self: this member, fresh from the kernel
 * @config_known: it was told of the granted configuration (ASSIGN, PROMOTE)
 * @report_stored: its report of the epoch stands in the store
 * @lease_end_ns: of the primary, as the kernel has it; 0 = none
 * @peer_count: peers below
 * @peer: other members of the granted configuration
 * @auto_rebuild: a peer that needs a rebuild gets it without an order
 * @stopped: the wish says that nothing is to be opened
 * @failed: PROMOTE or ASSIGN orders for this epoch that the kernel refused, in a
 *	row
 * @failed_ns: when it refused the last of them
 * @tune: patience
 */
struct swb_member_view {
	u64 now_ns;
	u64 read_ns;
	struct swb_authority authority;
	struct swb_member_state self;
	bool config_known;
	bool report_stored;
	u64 lease_end_ns;
	u8 peer_count;
	struct swb_member_peer peer[SWB_MEMBERS_MAX];
	bool auto_rebuild;
	bool stopped;
	u32 failed;
	u64 failed_ns;
	struct swb_decide_tune tune;
};

/**
 * struct swb_member_decision - the verdict
 * @letter: case letter of table SWBLOCK_TABLE_MEMBER
 * @order: what to do
 * @epoch: of ADOPT
 * @lease_end_ns: of RENEW and PROMOTE: absolute, @read_ns + length (P13)
 * @peer: index into the view's peers, of LINK and REBUILD
 * @until_ns: when to ask again at the latest
 */
struct swb_member_decision {
	u8 letter;
	u8 order;
	u64 epoch;
	u64 lease_end_ns;
	u8 peer;
	u64 until_ns;
};

/**
 * struct swb_member_facts - what the member table is asked with
 * @known: attached, its state is known
 * @behind: the record shows an epoch above the one it has adopted
 * @ahead: the record is behind it (P17c)
 * @serving: it holds the role of primary
 * @won: the record's epoch is won, not granted
 * @report_stored: its report of that epoch is in the store
 * @member: it is in the granted configuration
 * @granted: the record's epoch was granted to it
 * @opened: and opened by it, once
 * @stopped: nothing is to be opened
 * @void_copy: an unfinished copy or a failed disk (P7)
 * @backoff: its kernel refused the same order too recently (I-206)
 * @replica: it is a replica
 * @config_known: and was told of the granted configuration
 * @renew: its lease is to be prolonged
 * @link: a peer waits for a link
 * @rebuild: a peer waits for a rebuild
 * @waits: a peer is not linked, and it is not yet time to try again
 */
struct swb_member_facts {
	bool known;
	bool behind;
	bool ahead;
	bool serving;
	bool won;
	bool report_stored;
	bool member;
	bool granted;
	bool opened;
	bool stopped;
	bool void_copy;
	bool backoff;
	bool replica;
	bool config_known;
	bool renew;
	bool link;
	bool rebuild;
	bool waits;
};

#define SWB_MEMBER_FACTS	18

/** swb_decide_member_judge() - facts -> exactly one letter and its order */
void swb_decide_member_judge(const struct swb_member_facts *f,
			     struct swb_member_decision *out);

/**
 * swb_decide_member() - what to do with one member that is attached here
 * @v: view
 * @out: verdict
 *
 * Total: any view gives exactly one letter.
 */
void swb_decide_member(const struct swb_member_view *v,
		       struct swb_member_decision *out);

/* words for logs and explain; NULL for what does not exist */
const char *swb_text_cause(enum swb_cause cause);
const char *swb_text_order(enum swb_order order);
const char *swb_text_member_order(enum swb_member_order order);

#endif /* SWB_CORE_DECIDE_H */
