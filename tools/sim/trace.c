// SPDX-License-Identifier: GPL-2.0-only
/*
 * Narration in fixed columns: time in ms, node, adopted epoch, role, log head /
 * durable / C, then what happened. Words are those of core/text.c.
 */
#include <stdarg.h>
#include <stdio.h>

#include "world.h"

#define U(x)	((unsigned long long)(x))

static char role_of(const struct node *n)
{
	if (n->state != NODE_UP)
		return n->state == NODE_DOWN ? '.' : '?';
	if (n->core.role == SWBLOCK_ROLE_PRIMARY)
		return 'P';
	return n->core.role == SWBLOCK_ROLE_REPLICA ? 'r' : '-';
}

void trace_line(struct world *w, u8 node, const char *fmt, ...)
{
	const struct node *n = &w->node[node == SIM_NOBODY ? 0 : node];
	va_list ap;

	printf("%10.3f ", (double)w->clock.now_ns / 1e6);
	if (node == SIM_NOBODY)
		printf("--  .  . %4s %4s %4s  ", "", "", "");
	else
		printf("n%u e%-2llu %c %4llu %4llu %4llu  ", node,
		       U(n->core.d.epoch), role_of(n), U(n->core.log.head),
		       U(n->core.log.durable), U(n->core.log.committed));
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

void trace_event(struct world *w, const struct node *n,
		 const struct swb_event *ev)
{
	if (!w->trace || ev->type == SWB_EV_TICK)
		return;
	if (ev->type == SWB_EV_PEER_ACKED)
		trace_line(w, n->id, "> %s n%u %llu/%llu/%llu",
			   swb_text_event(ev->type), ev->peer,
			   U(ev->u.ack.received), U(ev->u.ack.written),
			   U(ev->u.ack.durable));
	else if (ev->type == SWB_EV_PEER_PINGED)
		trace_line(w, n->id, "> %s n%u C=%llu flush=%llu",
			   swb_text_event(ev->type), ev->peer,
			   U(ev->u.ping.committed), U(ev->u.ping.flush_lsn));
	else if (ev->type == SWB_EV_PEER_STARTED)
		trace_line(w, n->id, "> %s n%u from=%llu cut=%llu target=%llu",
			   swb_text_event(ev->type), ev->peer,
			   U(ev->u.start.from), U(ev->u.start.truncate_to),
			   U(ev->u.start.target));
	else
		trace_line(w, n->id, "> %s n%u lsn=%llu epoch=%llu %s",
			   swb_text_event(ev->type), ev->peer, U(ev->lsn),
			   U(ev->epoch), swb_text_reason(ev->reason));
}

void trace_action(struct world *w, const struct node *n,
		  const struct swb_action *a)
{
	u8 letter;

	if (!w->trace || a->type == SWB_ACT_WRITE_BACK ||
	    a->type == SWB_ACT_SHIP)
		return;
	if (a->type == SWB_ACT_NOTIFY_PEER && a->peer < SWB_MEMBERS_MAX) {
		letter = n->core.peer[a->peer].letter;
		trace_line(w, n->id, "  %s n%u %s @%c %s",
			   swb_text_action(a->type), a->peer,
			   swb_text_peer_state(n->core.peer[a->peer].state),
			   letter ? letter : '-',
			   swb_text_reason(n->core.peer[a->peer].reason));
		return;
	}
	trace_line(w, n->id, "  %s n%u %llu %llu %llu",
		   swb_text_action(a->type), a->peer, U(a->a), U(a->b),
		   U(a->c));
}
