// SPDX-License-Identifier: GPL-2.0-only
/*
 * Narration in fixed columns, as distsim's: time in ms, node, adopted epoch,
 * role, log head / durable / C, then what happened, in the words of core/text.c.
 */
#include <stdarg.h>

#include "model.h"

#define U(x)	((unsigned long long)(x))

void ev_say(struct ev_world *w, u8 node, const char *fmt, ...)
{
	static const char role[] = { '-', 'r', 'P' };
	const struct swb_core *c;
	va_list ap;

	if (!w->trace)
		return;
	fprintf(w->trace, "%6llu ", U(w->now_ns / EV_MSEC));
	if (node == EV_NOBODY) {
		fprintf(w->trace, "--  .  .  .  .  .  ");
	} else {
		c = &w->core[node];
		fprintf(w->trace, "n%u e%llu %c %2llu %2llu %2llu  ", node,
			U(c->d.epoch), c->role < 3 ? role[c->role] : '?',
			U(c->log.head), U(c->log.durable), U(c->log.committed));
	}
	va_start(ap, fmt);
	vfprintf(w->trace, fmt, ap);
	va_end(ap);
	fputc('\n', w->trace);
}

void ev_say_event(struct ev_world *w, u8 node, const struct swb_event *ev)
{
	const char *name = swb_text_event(ev->type);

	if (!w->trace)
		return;
	switch (ev->type) {
	case SWB_EV_PEER_ACKED:
		ev_say(w, node, "> %s n%u %llu/%llu/%llu", name, ev->peer,
		       U(ev->u.ack.received), U(ev->u.ack.written),
		       U(ev->u.ack.durable));
		break;
	case SWB_EV_PEER_PINGED:
		ev_say(w, node, "> %s n%u C=%llu flush=%llu", name, ev->peer,
		       U(ev->u.ping.committed), U(ev->u.ping.flush_lsn));
		break;
	case SWB_EV_PEER_STARTED:
		ev_say(w, node, "> %s n%u from=%llu cut=%llu target=%llu", name,
		       ev->peer, U(ev->u.start.from), U(ev->u.start.truncate_to),
		       U(ev->u.start.target));
		break;
	case SWB_EV_LINKED:
	case SWB_EV_UNLINK_ORDERED:
	case SWB_EV_PEER_OPENED:
	case SWB_EV_PEER_FACTS:
		ev_say(w, node, "> %s n%u", name, ev->peer);
		break;
	case SWB_EV_LINK_LOST:
	case SWB_EV_PEER_CLOSED:
		ev_say(w, node, "> %s n%u %s", name, ev->peer,
		       swb_text_reason(ev->reason));
		break;
	case SWB_EV_ADOPT_ORDERED:
	case SWB_EV_ASSIGNED:
	case SWB_EV_CERTIFIED:
	case SWB_EV_LEASE_SET:
		ev_say(w, node, "> %s epoch=%llu", name, U(ev->epoch));
		break;
	case SWB_EV_LOG_WRITTEN:
	case SWB_EV_LOG_FLUSHED:
	case SWB_EV_LOG_TRUNCATED:
	case SWB_EV_CHECKPOINTED:
	case SWB_EV_BARRIER_WANTED:
		ev_say(w, node, "> %s lsn=%llu", name, U(ev->lsn));
		break;
	case SWB_EV_DEMOTE_ORDERED:
	case SWB_EV_SUPER_SAVED:
	case SWB_EV_DISK_FAILED:
	case SWB_EV_LAST_CLOSED:
	case SWB_EV_SUSPEND_ORDERED:
	case SWB_EV_EXTENT_GROWN:
	case SWB_EV_TICK:
	case SWB_EV_REBUILD_ORDERED:
	case SWB_EV_REBUILD_PREPARED:
	case SWB_EV_BASE_SENT:
	case SWB_EV_PEER_BASE_ENDED:
	case SWB_EV_REBUILD_CLEARED:
	case SWB_EV_COUNT:
		ev_say(w, node, "> %s", name);
		break;
	}
}

void ev_say_action(struct ev_world *w, u8 node, const struct swb_action *a)
{
	const char *name = swb_text_action(a->type);
	const struct swb_core_peer *p;

	if (!w->trace || a->type == SWB_ACT_SHIP)
		return;
	if (a->type == SWB_ACT_NOTIFY_PEER && a->peer < SWB_MEMBERS_MAX) {
		p = &w->core[node].peer[a->peer];
		ev_say(w, node, "  %s n%u %s @%c %s", name, a->peer,
		       swb_text_peer_state(p->state), p->letter ? p->letter : '-',
		       swb_text_reason(p->reason));
	} else if (a->type == SWB_ACT_NOTIFY_REFUSED) {
		ev_say(w, node, "  %s @%c", name, a->b ? (char)a->b : '-');
	} else if (a->type == SWB_ACT_SEND_CLOSE ||
		   a->type == SWB_ACT_CLOSE_LINK) {
		ev_say(w, node, "  %s n%u %s", name, a->peer,
		       swb_text_reason((u32)a->a));
	} else if (a->type == SWB_ACT_SET_ROLE) {
		ev_say(w, node, "  %s %s", name, swb_text_role((u8)a->a));
	} else if (a->peer != SWB_NOBODY) {
		ev_say(w, node, "  %s n%u", name, a->peer);
	} else {
		ev_say(w, node, "  %s %llu", name, U(a->a));
	}
}

void ev_say_choice(struct ev_world *w, const struct ev_choice *c)
{
	if (w->trace && c->kind == EV_K_STEP)
		ev_say(w, EV_NOBODY, "%s",
		       w->script->proc[c->a].step[w->pc[c->a]].text);
}
