/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The controllers: an authority record with compare-and-swaps (P3), and agents
 * that observe, ask swb_decide_volume() and swb_decide_member() of the core, and
 * carry out what they are told. What an agent sees is late, may be lost, and is
 * timed by its own clock; orders are slow and may be lost, too.
 *
 *	control.c	the record, orders, epochs won and granted
 *	agent.c		observe -> decide -> apply
 */
#ifndef SWB_SIM_CONTROL_H
#define SWB_SIM_CONTROL_H

#include "clock.h"
#include "core/core.h"
#include "core/decide.h"
#include "core/promote.h"

#define CONTROL_REBUILD_MS	20000
#define CONTROL_ATTEMPTS	8
#define CONTROL_AGENTS		3
#define CONTROL_NODES		8
#define CONTROL_SILENCE_NS	(80 * SIM_MSEC)
#define CONTROL_COLLECT_NS	(60 * SIM_MSEC)
#define CONTROL_TURN_NS		(120 * SIM_MSEC)
#define CONTROL_BACKOFF_NS	(8 * SIM_MSEC)
#define LEASE_MARGIN_NS		(2 * SIM_MSEC)

struct node;

/**
 * struct attempt - an epoch that an agent has won
 * @owner: nonce, also the cookie of its orders; 0 = slot free
 * @operator: begun by a script or a plan, not by the agent's own decision
 * @agent: the controller that runs it
 * @won_ns: when it won the epoch, by the clock of that controller (P13)
 * @unwon: the store took the win, its answer was lost: it is read again
 * @unknown: the store took the grant, its answer was lost
 * @want: wished candidate, SIM_NOBODY for the best
 * @force: certify @want, enough or not: its kernel must refuse
 * @required: required set of the new configuration; 0: as it was
 * @shrink: silent members leave the required set
 * @config: proposed by the win
 * @have: reports received, by node
 */
struct attempt {
	u32 owner;
	u8 agent;
	bool operator;
	u64 won_ns;
	bool unwon;
	bool unknown;
	u8 want;
	bool force;
	bool shrink;
	bool granted;
	u32 required;
	struct swb_config config;
	u32 cert_flags;
	u64 epoch;
	u32 have;
	struct swb_report report[SWB_MEMBERS_MAX];
	u8 candidate;
	u8 letter;
	bool ended;
};

/**
 * struct sight - what is known of a member, as its host last said it
 * @m: the state, and its newest report
 * @peer: as primary: how it sees the others
 */
struct sight {
	struct swb_member_state m;
	u8 peer[CONTROL_NODES];
};

/**
 * struct agent - the daemons of the hosts that it reaches: a process that may be
 * slow, cut off, restarted
 * @watch: its clock
 * @reach: bit n: it can talk to node n
 * @storeless: it cannot talk to the store
 * @paused_ns: it does nothing until then, its clock runs on
 * @alive_ns: when the store last had a sign of life of it
 * @seen: what it knows of each member; @coming: what is on the way, until
 *	@coming_ns; @heard_ns: when it last heard, by its own clock
 * @cause: why it would win an epoch; @cause_since_ns: since when, by its clock
 * @turn_ns: how long that must stand, drawn anew for each cause
 * @failed: epochs in a row that were not settled; @failed_ns: the last of them
 * @epoch: newest one that it has read
 * @letter: last verdict on the volume
 * @linked_ns: when it last linked two members; @link_failed: in a row
 * @refused: orders refused by a member in a row; @refused_ns: the last of them
 */
struct agent {
	struct wrist watch;
	u32 reach;
	bool storeless;
	u64 paused_ns;
	u64 alive_ns;
	struct sight seen[CONTROL_NODES];
	struct sight coming[CONTROL_NODES];
	u64 coming_ns[CONTROL_NODES];
	u64 heard_ns[CONTROL_NODES];
	u8 cause;
	u64 cause_since_ns;
	u64 turn_ns;
	u32 failed;
	u64 failed_ns;
	u64 epoch;
	u8 letter;
	u64 linked_ns[CONTROL_NODES][CONTROL_NODES];
	u8 link_failed[CONTROL_NODES][CONTROL_NODES];
	u32 refused[CONTROL_NODES];
	u64 refused_ns[CONTROL_NODES];
};

/**
 * struct control - the store's record, and who acts on it
 * @won: newest epoch won, by @owner, who proposes @proposed
 * @granted: newest epoch granted, to @primary, with @config; 0 if none; by @cert
 * @settled: and its open record is committed
 * @judge: configurations granted since the last settled one, oldest first
 * @agents: controllers at work on this record, each as if it were alone
 * @reach: bit n: node n can be talked to at all
 * @automatic: observe and act by itself
 * @wish_sequence: raised by each wish; @wish_done: taken up by a grant
 * @wish_required: required set as wished; @wish_mode, @wish_nodes: 0 = as at the
 *	start; @wish_primary: SIM_NOBODY = anywhere; @stopped: no primary
 * @rebuilds: order a rebuild of who needs one; a required one leaves the required
 *	set first (P10 vii), though silence alone takes CONTROL_REBUILD_MS
 * @exclude: members the operator has given up: never required again
 * @mute: bit n: reports of node n do not reach the store; @lived: the store has one
 * @lost_permille: orders and reports that get lost
 * @delay_ns: of an order or report, at most
 * @blind_permille: swaps that the store takes but whose answer is lost
 * @healed: no fault any more; @vain: since then, epochs won in vain in a row
 */
struct control {
	u64 won;
	u32 owner;
	u64 granted;
	u8 primary;
	bool settled;
	struct swb_config config;
	struct swb_config proposed;
	struct swb_cert cert;
	u32 judges;
	struct swb_config judge[SWB_CONFIGS_MAX];
	u64 renewed_ns;
	u32 next_owner;
	u32 agents;
	struct agent agent[CONTROL_AGENTS];
	struct attempt attempt[CONTROL_ATTEMPTS];
	u32 reach;
	bool automatic;
	bool shrinks;
	u32 wish_required;
	u8 wish_mode;
	u8 wish_nodes;
	u8 wish_primary;
	bool wish_override;
	u64 wish_sequence;
	u64 wish_done;
	bool stopped;
	bool rebuilds;
	u32 exclude;
	u32 mute;
	u32 lived;
	u32 lost_permille;
	u64 delay_ns;
	u32 blind_permille;
	u32 overrides;
	bool healed;
	u32 vain;
};

void control_reset(struct world *w);

/** control_win() - the first swap, by an agent that proposes @config */
struct attempt *control_win(struct world *w, u8 agent, u64 epoch,
			    const struct swb_config *config);

/** control_grant() - the second swap; what it grants is @cert; false: too late */
bool control_grant(struct world *w, struct attempt *a,
		   const struct swb_cert *cert);

/** control_settle() - the third */
void control_settle(struct world *w);

struct attempt *control_attempt(struct world *w, u32 owner);
u8 control_node_of(const struct world *w, const struct swb_uuid *replica);
void control_end(struct attempt *a, u8 letter);

/** agent_view() - what @agent sees of the volume, for an attempt of its own or NULL */
void agent_view(struct world *w, u8 agent, const struct attempt *a,
		struct swb_volume_view *v);

/** agent_decide() - ask the core about the volume, do what it says */
void agent_decide(struct world *w, u8 agent);
u64 agent_now(const struct world *w, u8 agent);

/** control_promote() - start an attempt; NULL if none may start */
struct attempt *control_promote(struct world *w, u8 want, u32 required);

/** control_restart() - a controller dies and comes back: its attempts are gone */
void control_restart(struct world *w, u8 agent);

/**
 * control_misroute() - the address of @b leads to @c: each takes the other for
 * somebody else, or for a member of another volume
 */
void control_misroute(struct world *w, u8 a, u8 b, u8 c, bool stranger);

/** control_observe() - look at every node and do what is missing */
void control_observe(struct world *w);
void control_link(struct world *w, u8 a, u8 b);
void control_demote(struct world *w, u8 node);
/** control_rebuild() - allow @peer a delta or rebuild from @node */
void control_rebuild(struct world *w, u8 node, u8 peer);
void control_unlink(struct world *w, u8 node, u8 peer);
void control_lease(struct world *w, u8 node, u64 end_ns);
void control_certify(struct world *w, u8 node, const struct swb_cert *cert,
		     u64 lease_end_ns, u32 owner);
void control_adopt(struct world *w, u8 node, u64 epoch, u64 cookie);
void control_assign(struct world *w, u8 node);
/** control_first_config() - the configuration before any was granted */
void control_first_config(const struct world *w, struct swb_config *c);

/** control_recertify() - the same certificate once more, as a lost reply would */
void control_recertify(struct world *w, u8 node);

/* facts from the nodes */
void control_report(struct world *w, struct node *n, u64 cookie);
void control_role(struct world *w, struct node *n, u64 cookie);
void control_refused(struct world *w, struct node *n, u64 cookie, u8 letter,
		     u8 table);
void control_step_down(struct world *w, struct node *n, u64 epoch);

#endif /* SWB_SIM_CONTROL_H */
