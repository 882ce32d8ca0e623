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

struct node;

/**
 * struct attempt - one promotion under way
 * @owner: nonce, also the cookie of its orders; 0 = slot free
 * @want: wished candidate, SIM_NOBODY for the best
 * @force: certify @want, enough or not: its kernel must refuse
 * @required: required set of the new configuration; 0: as it was
 * @shrink: required set := those who reported
 * @have: reports received, by node
 */
struct attempt {
	u32 owner;
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
 * struct control - the store's record, and who acts on it
 * @won: newest epoch won, by @owner
 * @granted: newest epoch granted, to @primary, with @config; 0 if none
 * @judge: configurations granted since the last settled one, oldest first
 * @reach: bit n: the controller can talk to node n
 * @automatic: observe and act by itself
 * @exclude: members the operator has given up: never required again
 * @lost_permille: orders and reports that get lost
 * @delay_ns: of an order or report, at most
 */
struct control {
	u64 won;
	u32 owner;
	u64 granted;
	u8 primary;
	struct swb_config config;
	u32 judges;
	struct swb_config judge[SWB_CONFIGS_MAX];
	u64 lease_end_ns;
	u32 next_owner;
	struct attempt attempt[CONTROL_ATTEMPTS];
	u32 reach;
	bool automatic;
	bool shrinks;
	u32 exclude;
	u32 lost_permille;
	u64 delay_ns;
	u64 missing_ns;
	u64 linked_ns[8][8];
	u32 overrides;
};

void control_reset(struct world *w);

/** control_promote() - start an attempt; NULL if none may start */
struct attempt *control_promote(struct world *w, u8 want, u32 required);

/** control_observe() - look at every node and do what is missing */
void control_observe(struct world *w);
void control_link(struct world *w, u8 a, u8 b);
void control_demote(struct world *w, u8 node);
void control_unlink(struct world *w, u8 node, u8 peer);
void control_adopt(struct world *w, u8 node, u64 epoch, u64 cookie);
void control_assign(struct world *w, u8 node);
/** control_recertify() - the same certificate once more, as a lost reply would */
void control_recertify(struct world *w, u8 node);

/* facts from the nodes */
void control_report(struct world *w, struct node *n, u64 cookie);
void control_role(struct world *w, struct node *n, u64 cookie);
void control_refused(struct world *w, struct node *n, u64 cookie, u8 letter,
		     u8 table);
void control_step_down(struct world *w, struct node *n, u64 epoch);

#endif /* SWB_SIM_CONTROL_H */
