/* SPDX-License-Identifier: GPL-2.0-only */
/* Every order of the enabled events, and the scripts that say where to begin. */
#ifndef SWB_EVENT_EXPLORE_H
#define SWB_EVENT_EXPLORE_H

#include "model.h"

#define EV_OUTCOMES	400
#define EV_OUTCOME_LEN	200
#define EV_EXPECTS	24
#define EV_CONDS	6

enum ev_cond_what { EV_IS_OP, EV_IS_ROLE, EV_IS_PEER, EV_IS_HEAD, EV_IS_COMMITTED };

struct ev_cond {
	u8 what, node, peer, op, value, not;
};

/** struct ev_expect - @how: 'a'lways, 's'ome, 'n'ever, of end states */
struct ev_expect {
	u8 how, conds, met;
	u64 misses;
	struct ev_cond cond[EV_CONDS];
	char text[256];
};

/**
 * struct ev_result - what one exploration went through
 * @orders: ways from the start to an end, each standing for those that differ in
 *	events that commute
 * @sum: of the hashes of all states; @end_sum: of end states: equal sets, equal sums
 * @cut: states at the depth limit with events left
 */
struct ev_result {
	u64 orders, states, taken, ends, violations, cut;
	u64 sum, end_sum;
	u32 outcomes;
	char (*outcome)[EV_OUTCOME_LEN];
	u32 first_id;
	char first_why[160];
};

struct ev_job {
	struct ev_script script;
	struct ev_world start;
	struct ev_expect expect[EV_EXPECTS];
	u32 expects;
	bool full, fail_fast;
	struct ev_result r;
};

#define EV_SHOW_OPS	1
#define EV_SHOW_ROLES	2
#define EV_SHOW_PEERS	4
#define EV_SHOW_LOGS	8

/** ev_explore() - all orders from job->start; narrates the first violation */
void ev_explore(struct ev_job *job, u32 depth);
/** ev_narrate() - one order: always the first, or the last, enabled event */
void ev_narrate(struct ev_job *job, FILE *out, bool last);

/** ev_script_load() - parse, run the setup; false with words on stderr */
bool ev_script_load(const char *path, struct ev_job *job, FILE *trace);
bool ev_cond_holds(const struct ev_world *w, const struct ev_cond *c);
void ev_outcome(const struct ev_world *w, char *out);

#endif /* SWB_EVENT_EXPLORE_H */
