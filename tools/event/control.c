// SPDX-License-Identifier: GPL-2.0-only
/*
 * The store and the controllers, several at a time: an epoch is won, reports
 * come in, it is granted once. Orders and reports are under way for as long as
 * the explorer likes. It judges by the core's own functions.
 */
#include <string.h>

#include "model.h"

void ev_order_add(struct ev_world *w, struct ev_order o)
{
	struct ev_control *c = &w->control;

	if (c->orders == EV_ORDERS)
		ev_bound("orders");
	c->order[c->orders++] = o;
}

/* The daemon assigns who has adopted; an order of the script goes at any time. */
bool ev_order_ready(const struct ev_world *w, const struct ev_order *o)
{
	const struct swb_core *c = &w->core[o->node];

	if (o->type != EV_ORDER_ASSIGN || o->raw)
		return o->type != EV_ORDER_NONE;
	return c->d.epoch == o->epoch && c->adopt == SWB_ADOPT_IDLE &&
	       c->reported_epoch == c->d.epoch;
}

/* ---- attempts ------------------------------------------------------------------- */

void ev_fence(struct ev_world *w, u8 want)
{
	struct ev_control *c = &w->control;
	struct ev_attempt *a = &c->attempt[c->attempts];

	if (c->attempts == EV_ATTEMPTS || c->won + 1 == EV_EPOCHS)
		ev_bound("attempts");
	a->epoch = ++c->won;
	a->want = want;
	ev_say(w, EV_NOBODY, "store: epoch %u won", a->epoch);
	for (u8 i = 0; i < w->script->nodes; i++)
		ev_order_add(w, (struct ev_order){
			.type = EV_ORDER_ADOPT, .node = i, .epoch = a->epoch,
			.attempt = c->attempts });
	c->attempts++;
}

void ev_reported(struct ev_world *w, u8 node)
{
	struct swb_report r;

	swb_core_report(&w->core[node], &r);
	for (u8 i = 0; i < w->control.attempts; i++) {
		struct ev_attempt *a = &w->control.attempt[i];

		if (a->epoch != r.adopted || a->granted || (a->have & 1u << node))
			continue;
		a->flight |= (u8)(1u << node);
		a->report[node].last_epoch = (u8)r.last_epoch;
		a->report[node].durable = (u8)r.durable;
		a->report[node].committed = (u8)r.committed;
		a->report[node].flags = (u8)r.flags;
	}
}

void ev_report_arrives(struct ev_world *w, u8 attempt, u8 node)
{
	struct ev_attempt *a = &w->control.attempt[attempt];

	a->flight &= (u8)~(1u << node);
	a->have |= (u8)(1u << node);
	ev_say(w, EV_NOBODY, "store: report of n%u for epoch %u: (%u,%u) C=%u",
	       node, a->epoch, a->report[node].last_epoch,
	       a->report[node].durable, a->report[node].committed);
}

static void make_cert(const struct ev_world *w, const struct ev_attempt *a,
		      struct swb_cert *cert)
{
	memset(cert, 0, sizeof(*cert));
	cert->volume = ev_uuid('v', 0);
	cert->store = ev_uuid('s', 0);
	cert->store_generation = 1;
	cert->epoch = a->epoch;
	cert->candidate = ev_uuid('r', a->candidate);
	ev_config(w, a->required, &cert->config);
	cert->judge_count = a->judges;
	for (u8 i = 0; i < a->judges; i++)
		ev_config(w, a->judge[i], &cert->judge[i]);
	for (u8 i = 0; i < w->script->nodes; i++) {
		if (!(a->have & 1u << i))
			continue;
		cert->report[cert->report_count++] = (struct swb_report){
			.replica = ev_uuid('r', i), .adopted = a->epoch,
			.last_epoch = a->report[i].last_epoch,
			.durable = a->report[i].durable,
			.committed = a->report[i].committed,
			.flags = a->report[i].flags,
		};
	}
	cert->last_granted_epoch = a->last_epoch;
	if (a->last_epoch)
		cert->last_granted = ev_uuid('r', a->last_node);
	cert->flags = a->cert_flags;
}

/* what the second swap would write; @a is a copy until it succeeds */
static void fill(const struct ev_world *w, struct ev_attempt *a, u8 required)
{
	const struct ev_control *c = &w->control;

	a->candidate = a->want;
	a->required = required ? required : c->required;
	a->required |= (u8)(1u << a->want);
	a->last_epoch = c->granted;
	a->last_node = c->granted ? c->primary : 0;
	a->judges = c->judges;
	memcpy(a->judge, c->judge, sizeof(a->judge));
	if (!a->judges) {
		a->judges = 1;
		a->judge[0] = w->script->required;
	}
}

/* P13: the last primary has adopted, or its lease is out by more than a margin */
static bool lease_over(const struct ev_world *w, struct ev_attempt *a)
{
	if (!a->last_epoch || (a->have & 1u << a->last_node))
		return true;
	if (w->script->lease_ms &&
	    w->now_ns <= w->control.lease_end + 10 * EV_MSEC)
		return false;
	a->cert_flags = SWBLOCK_CERT_LEASE_WAITED;
	return true;
}

static bool judge_grant(const struct ev_world *w, struct ev_attempt *a)
{
	static struct swb_cert cert;
	int best;

	if (a->granted || w->control.won != a->epoch ||
	    !(a->have & 1u << a->want) || !lease_over(w, a))
		return false;
	make_cert(w, a, &cert);
	best = swb_promote_best(&cert);
	if (best < 0 || !swb_evidence_joint(cert.judge, cert.judge_count,
					    cert.epoch, cert.report,
					    cert.report_count,
					    &cert.last_granted))
		return false;
	return cert.report[best].last_epoch == a->report[a->want].last_epoch &&
	       cert.report[best].durable == a->report[a->want].durable &&
	       !(a->report[a->want].flags & (SWBLOCK_REPORT_INCONSISTENT |
					     SWBLOCK_REPORT_DISK_FAILED));
}

bool ev_can_grant(struct ev_world *w, u8 attempt)
{
	struct ev_attempt a = w->control.attempt[attempt];

	fill(w, &a, 0);
	return judge_grant(w, &a);
}

static bool is_judged(const struct ev_control *c, u8 required)
{
	for (u8 i = 0; i < c->judges; i++)
		if (c->judge[i] == required)
			return true;
	return false;
}

/* The second swap: once per epoch for ever (P3); then the orders leave. */
void ev_grant(struct ev_world *w, u8 attempt, u8 required)
{
	struct ev_control *c = &w->control;
	struct ev_attempt *a = &c->attempt[attempt];
	struct ev_order o = { .node = a->want, .epoch = a->epoch,
			      .attempt = attempt, .type = EV_ORDER_CERT };

	fill(w, a, required);
	(void)lease_over(w, a);
	if (!is_judged(c, a->required)) {
		if (c->judges == SWB_CONFIGS_MAX - 1)
			ev_bound("configurations");
		c->judge[c->judges++] = a->required;
	}
	a->granted = 1;
	a->flight = 0;		/* what comes now comes too late */
	for (u8 i = 0; i < EV_NODES; i++)
		if (!(a->have & 1u << i))
			memset(&a->report[i], 0, sizeof(a->report[i]));
	c->granted = a->epoch;
	c->primary = a->candidate;
	c->required = a->required;
	w->truth.granted[a->epoch] = (u8)(a->candidate + 1);
	if (w->script->lease_ms)
		c->lease_end = w->now_ns + w->script->lease_ms * EV_MSEC;
	o.lease_end = c->lease_end;
	ev_say(w, EV_NOBODY, "store: epoch %u granted to n%u", a->epoch,
	       a->candidate);
	ev_order_add(w, o);
	for (u8 i = 0; i < w->script->nodes; i++)
		if (i != a->candidate)
			ev_order_add(w, (struct ev_order){
				.type = EV_ORDER_ASSIGN, .node = i,
				.epoch = a->epoch, .attempt = attempt });
}

/* ---- orders arrive ----------------------------------------------------------------- */

static void deliver_assign(struct ev_world *w, const struct ev_order *o)
{
	const struct ev_attempt *a = &w->control.attempt[o->attempt];
	static struct swb_config cfg;
	struct swb_event ev = { .type = SWB_EV_ASSIGNED, .epoch = o->epoch };

	ev_config(w, a->required, &cfg);
	ev.u.assign.config = &cfg;
	ev.u.assign.primary = ev_uuid('r', a->candidate);
	ev_post(w, o->node, &ev);
}

static void deliver_cert(struct ev_world *w, const struct ev_order *o)
{
	static struct swb_cert cert;
	struct swb_event ev = { .type = SWB_EV_CERTIFIED, .epoch = o->epoch,
				.cookie = o->attempt + 1u };

	make_cert(w, &w->control.attempt[o->attempt], &cert);
	ev.u.cert.cert = &cert;
	ev.u.cert.lease_end_ns = o->lease_end;
	ev_post(w, o->node, &ev);
}

void ev_order_deliver(struct ev_world *w, u8 slot)
{
	struct ev_order o = w->control.order[slot];
	struct swb_event ev = { .epoch = o.epoch, .peer = o.peer,
				.cookie = o.attempt + 1u };

	memset(&w->control.order[slot], 0, sizeof(o));
	switch ((enum ev_order_type)o.type) {
	case EV_ORDER_ADOPT:
		ev.type = SWB_EV_ADOPT_ORDERED;
		ev.u.adopt.store = ev_uuid('s', 0);
		ev.u.adopt.store_generation = 1;
		ev_post(w, o.node, &ev);
		break;
	case EV_ORDER_ASSIGN:
		deliver_assign(w, &o);
		break;
	case EV_ORDER_CERT:
		deliver_cert(w, &o);
		break;
	case EV_ORDER_LEASE:
		ev.type = SWB_EV_LEASE_SET;
		ev.u.lease.end_ns = o.lease_end;
		ev_post(w, o.node, &ev);
		break;
	case EV_ORDER_DEMOTE:
		ev.type = SWB_EV_DEMOTE_ORDERED;
		ev_post(w, o.node, &ev);
		break;
	case EV_ORDER_UNLINK:
		ev.type = SWB_EV_UNLINK_ORDERED;
		ev_post(w, o.node, &ev);
		break;
	case EV_ORDER_NONE:
		break;
	}
}
