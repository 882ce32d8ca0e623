// SPDX-License-Identifier: GPL-2.0-only
/*
 * One round of the daemon: look, ask the core, carry out at most one order for
 * each volume and each member, write down what others want to know. Every fact
 * that changes wakes it; what nobody tells is found by the time to ask again.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"
#include "daemon.h"

void turn_wake(struct daemon *d, uint64_t ns)
{
	if (ns && ns < d->wake_ns)
		d->wake_ns = ns;
}

/* Epochs in a row that nobody settled: the next one waits longer (I-206). */
static void count_failures(struct vol *v, uint64_t now)
{
	const struct auth_record *r = &v->b->record;

	if (r->phase == AUTH_SETTLED) {
		v->failed = 0;
		v->failed_ns = 0;
	} else if (v->seen_epoch && r->epoch > v->seen_epoch && !v->seen_settled) {
		v->failed++;
		v->failed_ns = now;
	}
	v->seen_epoch = r->epoch;
	v->seen_settled = r->phase == AUTH_SETTLED;
}

/* P3: a swap of ours whose outcome was unknown shows by its nonce. */
static void know_win(struct vol *v, uint64_t read_end_ns)
{
	const struct auth_record *r = &v->b->record;

	if (r->phase != AUTH_WON || swb_uuid_is_null(&v->nonce) ||
	    !swb_uuid_equal(&r->nonce, &v->nonce) || v->won_epoch == r->epoch)
		return;
	v->won_epoch = r->epoch;
	v->won_ns = read_end_ns;
}

static void say_verdict(struct vol *v, const struct swb_volume_decision *dec)
{
	struct log_about about = {
		.volume = v->b->wish_revision ? v->b->wish.label :
						v->b->record.label,
		.epoch = v->b->record.epoch, .table = SWBLOCK_TABLE_VOLUME,
		.letter = dec->letter,
	};
	const char *text = swb_text_case(SWBLOCK_TABLE_VOLUME, dec->letter);

	if (dec->letter == v->said_letter && dec->order == SWB_ORDER_NOTHING)
		return;
	v->said_letter = dec->letter;
	log_say(dec->order == SWB_ORDER_NOTHING ? LOG_LEVEL_INFO :
						  LOG_LEVEL_NOTICE,
		&about, text ? text : "?", "order=%s cause=%s phase=%s",
		swb_text_order(dec->order), swb_text_cause(dec->cause),
		auth_phase_text(v->b->record.phase));
}

static void keep_cause(struct vol *v, uint8_t cause, uint64_t now)
{
	if (cause == v->cause)
		return;
	v->cause = cause;
	v->cause_since_ns = cause == SWB_CAUSE_NONE ? 0 : now;
}

static void turn_volume(struct daemon *d, struct vol *v)
{
	struct swb_volume_decision dec;
	struct swb_volume_view view;

	/* a swap of ours may have changed the record since it was read */
	if (v->swapping || d->read_ns < v->fresh_ns || !v->b->wish_revision)
		return;
	if (!v->b->record_revision) {
		record_create(d, v);
		return;
	}
	if (observe_went_back(d, v))
		return;
	count_failures(v, boottime_ns());
	know_win(v, d->loaded_ns);
	view_volume(d, v, &view);
	swb_decide_volume(&view, &dec);
	keep_cause(v, dec.cause, view.now_ns);
	v->letter = dec.letter;
	say_verdict(v, &dec);
	turn_wake(d, dec.until_ns);
	switch ((enum swb_order)dec.order) {
	case SWB_ORDER_NOTHING:
	case SWB_ORDER_COUNT:
		break;
	case SWB_ORDER_DEMOTE:
		apply_demote(d, v);
		break;
	case SWB_ORDER_WIN:
	case SWB_ORDER_GRANT:
	case SWB_ORDER_SETTLE:
		record_move(d, v, &view, &dec);
		break;
	}
}

static void turn_member(struct daemon *d, struct vol *v, struct own *o)
{
	struct swb_member_decision dec;
	struct swb_member_view view;

	attach_turn(d, v, o);
	if (!o->kv || !v->b->record_revision || v->went_back)
		return;
	links_turn(d, v, o);
	orders_turn(d, v, o);
	grow_turn(d, v, o);
	if (o->pending.order) {
		turn_wake(d, o->pending.until_ns);
		return;
	}
	view_member(d, v, o, &view);
	swb_decide_member(&view, &dec);
	o->letter = dec.letter;
	turn_wake(d, dec.until_ns);
	apply_member(d, v, o, &view, &dec);
}

static void turn_volumes(struct daemon *d)
{
	struct vol *v;
	unsigned int i;

	for (i = 0; i < d->vol_count; i++) {
		v = d->vol[i];
		/* a damaged record decides nothing */
		if (v->b && !(*v->b->bad && !v->b->record_revision))
			turn_volume(d, v);
	}
	for (i = 0; i < d->own_count; i++) {
		v = observe_vol(d, &d->own[i]->volume);
		if (v && v->b)
			turn_member(d, v, d->own[i]);
	}
}

static void say_store(struct daemon *d)
{
	struct store_health h;

	store_queue_health(d->store, &h);
	if (d->store_said == (int)h.reachable)
		return;
	d->store_said = h.reachable;
	if (h.reachable)
		log_say(LOG_LEVEL_NOTICE, NULL, "the store is there", "store=%s",
			d->cfg.store);
	else if (*h.error)
		log_say(LOG_LEVEL_ERROR, NULL,
			"the store cannot be reached; leases are not renewed",
			"error=\"%s\"", h.error);
	else
		d->store_said = -1;	/* not tried yet */
}

void turn(struct daemon *d)
{
	uint64_t now = boottime_ns();
	uint64_t poll = publish_poll_ns(d);

	d->wake_ns = now + poll;
	say_store(d);
	observe_kernel(d);
	observe_store(d);
	if (d->board && !d->stopping)
		turn_volumes(d);
	if (d->board)
		publish(d);
}
