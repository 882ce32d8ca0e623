// SPDX-License-Identifier: GPL-2.0-only
/*
 * Apply: orders to the kernel. Each has a cookie and a deadline, and may be given
 * again at any time; what became of it is seen in the next dump, or in the event
 * with the cookie. A refusal paces the next attempt (I-206).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"
#include "daemon.h"
#include "fault.h"

static void about_own(const struct vol *v, const struct own *o, uint8_t letter,
		      struct log_about *about)
{
	*about = (struct log_about){
		.volume = v->b->wish.label, .member = o->label,
		.epoch = v->b->record.epoch, .table = SWBLOCK_TABLE_MEMBER,
		.letter = letter,
	};
}

void apply_refused(struct daemon *d, struct own *o, const char *words)
{
	const struct vol *v = observe_vol(d, &o->volume);
	struct log_about about = { .member = o->label };

	if (v && v->b) {
		about_own(v, o, o->letter, &about);
		if (o->refused_epoch != v->b->record.epoch)
			o->refused = 0;
		o->refused_epoch = v->b->record.epoch;
	}
	o->refused++;
	o->refused_ns = boottime_ns();
	snprintf(o->error, sizeof(o->error), "%s", words);
	log_say(LOG_LEVEL_WARNING, &about, "an order was refused", "reason=\"%s\"",
		words);
}

/* The kernel's answer to the order itself; its outcome may come later. */
static bool answered(struct daemon *d, struct own *o, int err)
{
	if (!err) {
		o->error[0] = 0;
		return true;
	}
	o->pending.order = 0;
	d->dump_due = true;
	apply_refused(d, o, *kern_error(d->kern) ? kern_error(d->kern) :
						   strerror(-err));
	return false;
}

static uint64_t pend(struct daemon *d, struct own *o, uint8_t order)
{
	o->pending.order = order;
	o->pending.cookie = random_u64();
	o->pending.until_ns = boottime_ns() + d->cfg.order_ms * SWB_NSEC_PER_MSEC;
	turn_wake(d, o->pending.until_ns);
	return o->pending.cookie;
}

static bool store_known(struct daemon *d, struct swb_uuid *uuid,
			uint64_t *generation)
{
	memcpy(uuid->b, d->identity.uuid, sizeof(uuid->b));
	*generation = d->identity.generation;
	return d->identity_known;
}

static void adopt(struct daemon *d, struct own *o, uint64_t epoch)
{
	struct swb_uuid store;
	uint64_t generation;

	if (!store_known(d, &store, &generation))
		return;
	o->asked_epoch = epoch;
	o->asked_ns = boottime_ns();
	fault_point("adopt", false);
	answered(d, o, kern_adopt(d->kern, o->kv->id, epoch, &store, generation,
				  pend(d, o, SWB_MEMBER_ADOPT)));
	fault_point("adopt", true);
}

/* Asked once, a report is on its way: into the store, or out of the kernel. */
static bool may_adopt(struct daemon *d, const struct own *o, uint64_t epoch)
{
	uint64_t again = o->asked_ns + d->cfg.tune.backoff_ns;

	if (o->kv->epoch != epoch || o->asked_epoch != epoch)
		return true;
	if (o->has_report && o->report.adopted == epoch)
		return false;
	if (boottime_ns() >= again)
		return true;
	turn_wake(d, again);
	return false;
}

static void promote(struct daemon *d, const struct vol *v, struct own *o,
		    uint64_t lease_end_ns)
{
	const struct swb_cert *cert = &v->b->record.cert;

	if (cert->epoch != v->b->record.epoch) {
		/* granted by a hand whose certificate is not in the record */
		apply_refused(d, o, "the record has no certificate of its epoch");
		return;
	}
	fault_point("promote", false);
	answered(d, o, kern_promote(d->kern, o->kv->id, cert, lease_end_ns,
				    pend(d, o, SWB_MEMBER_PROMOTE)));
	fault_point("promote", true);
}

static void assign(struct daemon *d, const struct vol *v, struct own *o)
{
	const struct auth_record *r = &v->b->record;

	fault_point("assign", false);
	answered(d, o, kern_assign(d->kern, o->kv->id, r->epoch, &r->last_granted,
				   &r->config));
	d->dump_due = true;
	fault_point("assign", true);
}

static void renew(struct daemon *d, const struct vol *v, struct own *o,
		  uint64_t lease_end_ns)
{
	fault_point("renew", false);
	answered(d, o, kern_lease(d->kern, o->kv->id, v->b->record.epoch,
				  lease_end_ns));
	d->dump_due = true;
	fault_point("renew", true);
}

static void say_order(struct vol *v, struct own *o,
		      const struct swb_member_decision *dec)
{
	const char *text = swb_text_case(SWBLOCK_TABLE_MEMBER, dec->letter);
	enum log_level level = LOG_LEVEL_NOTICE;
	struct log_about about;

	if (dec->order == SWB_MEMBER_RENEW)
		level = LOG_LEVEL_DEBUG;
	else if (dec->order == SWB_MEMBER_NOTHING)
		level = LOG_LEVEL_INFO;
	if (dec->order == SWB_MEMBER_NOTHING && dec->letter == o->said_letter)
		return;
	if (dec->order != SWB_MEMBER_RENEW)
		o->said_letter = dec->letter;
	about_own(v, o, dec->letter, &about);
	log_say(level, &about, text ? text : "?", "order=%s adopted=%" PRIu64,
		swb_text_member_order(dec->order), (uint64_t)o->kv->epoch);
}

void apply_member(struct daemon *d, struct vol *v, struct own *o,
		  const struct swb_member_view *view,
		  const struct swb_member_decision *dec)
{
	say_order(v, o, dec);
	switch ((enum swb_member_order)dec->order) {
	case SWB_MEMBER_NOTHING:
	case SWB_MEMBER_ORDER_COUNT:
		break;
	case SWB_MEMBER_ADOPT:
		if (may_adopt(d, o, dec->epoch))
			adopt(d, o, dec->epoch);
		break;
	case SWB_MEMBER_PROMOTE:
		promote(d, v, o, dec->lease_end_ns);
		break;
	case SWB_MEMBER_ASSIGN:
		assign(d, v, o);
		break;
	case SWB_MEMBER_RENEW:
		renew(d, v, o, dec->lease_end_ns);
		break;
	case SWB_MEMBER_LINK:
		links_connect(d, v, o, &view->peer[dec->peer].replica);
		break;
	case SWB_MEMBER_REBUILD:
		answered(d, o, links_rebuild(d, o,
					     &view->peer[dec->peer].replica));
		break;
	}
}

void apply_demote(struct daemon *d, struct vol *v)
{
	struct own *o = observe_own(d, &v->b->record.last_granted);
	int err;

	if (!o || !o->kv || o->pending.order)
		return;
	fault_point("demote", false);
	err = kern_demote(d->kern, o->kv->id, 0, pend(d, o, SWB_MEMBER_ORDER_COUNT));
	if (!answered(d, o, err)) {
		v->failed++;
		v->failed_ns = boottime_ns();
	}
	fault_point("demote", true);
}

/* The outcome of the pending order, whichever way it is told. */
static bool ends(const struct own *o, const struct kern_event *ev)
{
	if (!o->pending.order || ev->cookie != o->pending.cookie)
		return false;
	return ev->kind == SWBLOCK_EVENT_REPORT ||
	       ev->kind == SWBLOCK_EVENT_ROLE ||
	       ev->kind == SWBLOCK_EVENT_REFUSED;
}

static void say_refused(struct daemon *d, struct own *o,
			const struct kern_event *ev)
{
	const char *text = swb_text_case(ev->table, ev->letter);
	char words[BOARD_TEXT_MAX];

	/* L: an answer that was lost; the certificate did its work before */
	if (ev->table == SWBLOCK_TABLE_PROMOTE && ev->letter == 'L' && o->kv &&
	    o->kv->role == SWBLOCK_ROLE_PRIMARY)
		return;
	snprintf(words, sizeof(words), "%s%s%s%.1s%s%s", ev->text,
		 ev->letter ? "; " : "", ev->letter ? "case " : "",
		 ev->letter ? (const char[]){ (char)ev->letter, 0 } : "",
		 text ? ": " : "", text ? text : "");
	apply_refused(d, o, words);
}

void apply_event(struct daemon *d, struct own *o, const struct kern_event *ev)
{
	bool mine = ends(o, ev);

	if (ev->kind == SWBLOCK_EVENT_REPORT && ev->has_report) {
		o->report = ev->report;
		o->has_report = true;
	}
	if (mine && ev->kind == SWBLOCK_EVENT_REFUSED)
		say_refused(d, o, ev);
	else if (mine)
		o->refused = 0;
	if (mine)
		o->pending.order = 0;
}

void apply_forget(struct daemon *d)
{
	unsigned int i;

	for (i = 0; i < d->own_count; i++) {
		d->own[i]->pending.order = 0;
		/* it may have been repeated behind our back: ask again */
		d->own[i]->has_report = false;
	}
}
