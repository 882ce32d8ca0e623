// SPDX-License-Identifier: GPL-2.0-only
/*
 * Steps of a flight record as text, for swblockctl and conform. Words come from
 * core/text.c, fields from core/record_field.c; nothing is decided here.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"
#include "steptext.h"

#define VALUES_MAX	128

struct line {
	char *buf;
	size_t len;
	size_t used;
};

__attribute__((format(printf, 2, 3)))
static void add(struct line *l, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(l->buf + l->used, l->len - l->used, fmt, ap);
	va_end(ap);
	if (n > 0)
		l->used += (size_t)n;
	if (l->used >= l->len)
		l->used = l->len - 1;
}

static void add_number(struct line *l, const char *name, u64 v)
{
	if (v)
		add(l, " %s %" PRIu64, name, v);
}

const char *record_text(enum swb_record_verdict v)
{
	switch (v) {
	case SWB_RECORD_OK:
		return "ok";
	case SWB_RECORD_NO_RECORD:
		return "no flight record, or of a machine with another byte order";
	case SWB_RECORD_VERSION_NEWER:
		return "a flight record of another version of the format";
	case SWB_RECORD_CUT:
		return "bytes are missing, or too many";
	case SWB_RECORD_CRC:
		return "the checksum is wrong";
	case SWB_RECORD_LAYOUT:
		return "recorded by another build of the core: use the tool of that version";
	}
	return "?";
}

void action_text(const struct swb_action *a, char *buf, size_t len)
{
	struct line l = { .buf = buf, .len = len };

	add(&l, "%s", swb_text_action(a->type));
	if (a->peer != SWB_NOBODY)
		add(&l, " peer %u", a->peer);
	add_number(&l, "a", a->a);
	add_number(&l, "b", a->b);
	add_number(&l, "c", a->c);
	add_number(&l, "d", a->d);
}

static void add_union(struct line *l, const struct swb_event *ev)
{
	if (ev->type == SWB_EV_PEER_ACKED) {
		add(l, " received %" PRIu64 " written %" PRIu64 " durable %" PRIu64,
		    ev->u.ack.received, ev->u.ack.written, ev->u.ack.durable);
		add_number(l, "base", ev->u.ack.base);
		add_number(l, "extent", ev->u.ack.extent_bytes);
	} else if (ev->type == SWB_EV_PEER_PINGED) {
		add_number(l, "committed", ev->u.ping.committed);
		add_number(l, "flush", ev->u.ping.flush_lsn);
		add_number(l, "next", ev->u.ping.next);
		add_number(l, "everywhere", ev->u.ping.everywhere);
	} else if (ev->type == SWB_EV_PEER_STARTED) {
		add(l, " from %" PRIu64 " truncate_to %" PRIu64 " target %" PRIu64
		    " kind %" PRIu64, ev->u.start.from, ev->u.start.truncate_to,
		    ev->u.start.target, ev->u.start.kind);
	} else if (ev->type == SWB_EV_LEASE_SET) {
		add(l, " end %" PRIu64, ev->u.lease.end_ns);
	} else if (ev->type == SWB_EV_ASSIGNED) {
		add(l, " %s %s members %u required %#x",
		    swb_text_mode(ev->u.assign.config->mode),
		    swb_text_policy(ev->u.assign.config->policy),
		    ev->u.assign.config->member_count, ev->u.assign.config->required);
	} else if (ev->type == SWB_EV_CERTIFIED) {
		add(l, " epoch %" PRIu64 " reports %u judges %u flags %#x lease %" PRIu64,
		    ev->u.cert.cert->epoch, ev->u.cert.cert->report_count,
		    ev->u.cert.cert->judge_count, ev->u.cert.cert->flags,
		    ev->u.cert.lease_end_ns);
	} else if (ev->type == SWB_EV_PEER_OPENED || ev->type == SWB_EV_PEER_FACTS) {
		add(l, " adopted %" PRIu64 " end %" PRIu64 " last_epoch %" PRIu64
		    " durable %" PRIu64 " committed %" PRIu64 " flags %#x",
		    ev->u.facts->adopted, ev->u.facts->log_end,
		    ev->u.facts->last_epoch, ev->u.facts->durable,
		    ev->u.facts->committed, ev->u.facts->flags);
	}
}

static void add_fact(struct line *l, const struct swb_event *ev)
{
	add(l, "%s", swb_text_event(ev->type));
	if (ev->peer != SWB_NOBODY)
		add(l, " peer %u", ev->peer);
	add_number(l, "session", ev->session);
	add_number(l, "epoch", ev->epoch);
	add_number(l, "lsn", ev->lsn);
	add_number(l, "lsn2", ev->lsn2);
	add_number(l, "generation", ev->generation);
	if (ev->reason)
		add(l, " %s", swb_text_reason(ev->reason));
	add_union(l, ev);
}

/* What a human looks for: who is what now, by which case, and what was refused. */
static void add_verdicts(struct line *l, const struct swb_core *was,
			 const struct swb_core *is)
{
	u32 i;

	if (was->role != is->role)
		add(l, " | role %s", swb_text_role(is->role));
	if (was->promote_letter != is->promote_letter && is->promote_letter)
		add(l, " | promote @%c", is->promote_letter);
	if (was->d.epoch != is->d.epoch)
		add(l, " | epoch %" PRIu64, is->d.epoch);
	for (i = 0; i < SWB_MEMBERS_MAX; i++) {
		const struct swb_core_peer *a = &was->peer[i], *b = &is->peer[i];

		if (a->state == b->state && a->letter == b->letter)
			continue;
		add(l, " | peer %u %s", i, swb_text_peer_state(b->state));
		if (b->letter)
			add(l, " @%c", b->letter);
		if (b->reason)
			add(l, " %s", swb_text_reason(b->reason));
	}
	for (i = 0; i < __SWBLOCK_REASON_MAX; i++)
		if (was->refused[i] != is->refused[i])
			add(l, " | refused %s", swb_text_reason(i));
}

void step_text(const struct swb_record_step *s, char *buf, size_t len)
{
	struct line l = { .buf = buf, .len = len };
	char order[128];
	u32 i;

	add(&l, "%" PRIu64 " %" PRIu64 ".%06" PRIu64 " ", s->number,
	    s->ev.now_ns / 1000000000, s->ev.now_ns / 1000 % 1000000);
	add_fact(&l, &s->ev);
	for (i = 0; i < s->out.count; i++) {
		action_text(&s->out.act[i], order, sizeof(order));
		add(&l, "%s%s", i ? ", " : " -> ", order);
	}
	add_verdicts(&l, &s->before, &s->after);
}

/* ---- fields ------------------------------------------------------------------ */

/* Where a walk through the fields of two states is. */
struct walk {
	const u8 *a;
	const u8 *b;
	unsigned int skip;
	char *name;
	size_t len;
	enum swb_record_hand hand;
	char *values;
};

static void tell_values(const struct walk *w, size_t at, u32 size)
{
	struct line l = { .buf = w->values, .len = VALUES_MAX };
	u64 a = 0, b = 0;
	u32 i;

	if (!w->values)
		return;
	if (size > sizeof(a)) {
		for (i = 0; i < size && i < 16; i++)
			add(&l, "%02x", w->a[at + i]);
		add(&l, ", not ");
		for (i = 0; i < size && i < 16; i++)
			add(&l, "%02x", w->b[at + i]);
		return;
	}
	memcpy(&a, w->a + at, size);
	memcpy(&b, w->b + at, size);
	add(&l, "%" PRIu64 ", not %" PRIu64, a, b);
}

static bool differs_in(struct walk *w, const struct swb_record_field *f, size_t base,
		       const char *prefix, enum swb_record_hand hand)
{
	char name[128];
	size_t at;
	u32 i;

	for (; f->name; f++) {
		enum swb_record_hand mine = f->hand > hand ? f->hand : hand;

		for (i = 0; i < f->count; i++) {
			at = base + f->offset + (size_t)i * f->size;
			if (!memcmp(w->a + at, w->b + at, f->size))
				continue;
			if (f->count > 1)
				snprintf(name, sizeof(name), "%s%s[%u]", prefix,
					 f->name, i);
			else
				snprintf(name, sizeof(name), "%s%s", prefix, f->name);
			if (f->part) {
				strncat(name, ".", sizeof(name) - strlen(name) - 1);
				if (differs_in(w, f->part, at, name, mine))
					return true;
			} else if (!w->skip--) {
				snprintf(w->name, w->len, "%s", name);
				w->hand = mine;
				tell_values(w, at, f->size);
				return true;
			}
		}
	}
	return false;
}

bool state_differs(const struct swb_core *a, const struct swb_core *b, unsigned int skip,
		   char *name, size_t len, enum swb_record_hand *hand, char *values)
{
	struct walk w = {
		.a = (const u8 *)a, .b = (const u8 *)b, .skip = skip,
		.name = name, .len = len, .values = values,
	};

	if (!differs_in(&w, swb_record_fields, 0, "", SWB_HAND_STEP))
		return false;
	if (hand)
		*hand = w.hand;
	return true;
}
