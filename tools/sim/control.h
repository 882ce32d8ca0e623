/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The controller: an authority record with two compare-and-swaps (P3), and
 * attempts that fence, ask and promote by the core's own judgement. Several
 * attempts may run at a time, as several daemons would; orders and reports are
 * slow and may be lost.
 */
#ifndef SWB_SIM_CONTROL_H
#define SWB_SIM_CONTROL_H

#include "clock.h"
#include "core/core.h"
#include "core/promote.h"

#define CONTROL_ATTEMPTS	8
#define CONTROL_AGENTS		2

struct node;

/**
 * struct attempt - one promotion under way
 * @owner: nonce, also the cookie of its orders; 0 = slot free
 * @agent: the controller that runs it
 * @won_ns: when it won the epoch, by the clock of that controller (P13)
 * @unknown: the store took the grant, its answer was lost
 * @want: wished candidate, SIM_NOBODY for the best
 * @force: certify @want, enough or not: its kernel must refuse
 * @required: required set of the new configuration; 0: as it was
 * @shrink: required set := those who reported
 * @have: reports received, by node
 */
struct attempt {
	u32 owner;
	u8 agent;
	u64 won_ns;
	bool unknown;
	u8 want;
	bool force;
	bool shrink;
	bool granted;
	u32 required;
	u32 cert_flags;
	u64 epoch;
	u64 deadline_ns;
	u32 have;
	struct swb_report report[SWB_MEMBERS_MAX];
	u8 candidate;
	u8 letter;
	bool ended;
};

/**
 * struct agent - one controller: a process that may be slow, cut off, restarted
 * @watch: its clock
 * @reach: bit n: it can talk to node n
 * @storeless: it cannot talk to the store
 * @missing_ns: when it will have missed the primary long enough, 0 if it is there
 * @linked_ns: when it last linked two members
 */
struct agent {
	struct wrist watch;
	u32 reach;
	bool storeless;
	u64 missing_ns;
	u64 linked_ns[8][8];
};

/**
 * struct control - the store's record, and who acts on it
 * @won: newest epoch won, by @owner
 * @granted: newest epoch granted, to @primary, with @config; 0 if none
 * @judge: configurations granted since the last settled one, oldest first
 * @agents: controllers at work on this record, each as if it were alone
 * @reach: bit n: node n can be talked to at all
 * @automatic: observe and act by itself
 * @exclude: members the operator has given up: never required again
 * @lost_permille: orders and reports that get lost
 * @delay_ns: of an order or report, at most
 * @blind_permille: grants that the store takes but whose answer is lost
 */
struct control {
	u64 won;
	u32 owner;
	u64 granted;
	u8 primary;
	struct swb_config config;
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
	u32 exclude;
	u32 lost_permille;
	u64 delay_ns;
	u32 blind_permille;
	u32 overrides;
};

void control_reset(struct world *w);

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
void control_unlink(struct world *w, u8 node, u8 peer);
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
