// SPDX-License-Identifier: GPL-2.0-only
/*
 * Orders of the operator for one member, v/V/order/N: taken by the host of the
 * member, done once, answered in the same document. What moves authority is no
 * order but a wish.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon.h"
#include "fault.h"
#include "linker.h"

struct answer {
	struct store_request req;
	struct daemon *d;
	struct swb_uuid volume;
	struct board_order order;
	uint64_t expect;
};

static int answer_work(struct store *s, struct store_request *req)
{
	struct answer *a = (struct answer *)req;

	return board_put_order(s, &a->volume, &a->order, a->expect);
}

static void answer_done(struct store_request *req, int err)
{
	struct answer *a = (struct answer *)req;
	struct own *o = observe_own(a->d, &a->order.target);

	(void)err;	/* another run took it, or it is done again: no harm */
	if (o)
		o->order_busy = 0;
	observe_load(a->d);
}

static void answer_release(struct store_request *req)
{
	struct answer *a = (struct answer *)req;

	board_order_free(&a->order);
	free(a);
}

static void finish(struct daemon *d, const struct vol *v, struct own *o,
		   const struct board_order *order, uint64_t expect, bool good,
		   const char *text)
{
	struct answer *a = calloc(1, sizeof(*a));

	if (!a)
		abort();
	a->req.work = answer_work;
	a->req.done = answer_done;
	a->req.release = answer_release;
	a->d = d;
	a->volume = v->id;
	a->order = *order;
	json_incref(a->order.args);
	json_incref(a->order.result);
	a->order.state = good ? BOARD_ORDER_DONE : BOARD_ORDER_FAILED;
	snprintf(a->order.text, sizeof(a->order.text), "%s", text);
	a->expect = expect;
	log_say(good ? LOG_LEVEL_NOTICE : LOG_LEVEL_WARNING, &(struct log_about){
		.volume = v->b->wish.label, .member = o->label },
		good ? "an order was carried out" : "an order was refused",
		"order=%" PRIu64 " verb=%s result=\"%s\"", order->id, order->verb,
		text);
	if (store_queue_submit(d->store, &a->req))
		answer_release(&a->req);
	else
		o->order_busy = order->id;
}

/* New keys on every link of the member, or on the one to "peer". */
static bool relink(struct daemon *d, struct own *o, const struct board_order *order,
		   char *text, size_t len)
{
	const char *peer = json_string_value(json_object_get(order->args, "peer"));
	struct swb_uuid wanted;
	struct link_id id;
	unsigned int i, n = 0;

	if (peer && !uuid_parse(peer, &wanted)) {
		snprintf(text, len, "\"%s\" is no replica id", peer);
		return false;
	}
	for (i = 0; i < OWN_PEERS; i++) {
		if (!o->link[i].wanted ||
		    (peer && !swb_uuid_equal(&wanted, &o->link[i].peer)))
			continue;
		id = (struct link_id){ .volume = o->volume, .from = o->replica,
				       .to = o->link[i].peer };
		linker_relink(d->linker, &id);
		n++;
	}
	snprintf(text, len, "%u links", n);
	return n > 0;
}

static bool rebuild(struct daemon *d, struct own *o,
		    const struct board_order *order, char *text, size_t len)
{
	const char *peer = json_string_value(json_object_get(order->args, "peer"));
	struct swb_uuid wanted;
	int err;

	if (!peer || !uuid_parse(peer, &wanted)) {
		snprintf(text, len, "a rebuild needs a peer");
		return false;
	}
	err = links_rebuild(d, o, &wanted);
	snprintf(text, len, "%s", !err ? "the rebuild is allowed and begins" :
		 *kern_error(d->kern) ? kern_error(d->kern) : strerror(-err));
	return !err;
}

static bool said(struct daemon *d, int err, const char *good, char *text, size_t len)
{
	snprintf(text, len, "%s", !err ? good : *kern_error(d->kern) ?
		 kern_error(d->kern) : strerror(-err));
	return !err;
}

/* The answer comes with its end, in orders_event(). */
static bool verify(struct daemon *d, struct own *o,
		   const struct board_order *order, char *text, size_t len)
{
	uint32_t flags = json_is_true(json_object_get(order->args, "repair")) ?
			 SWBLOCK_VERIFY_REPAIR : 0;
	uint64_t cookie = random_u64();

	if (!said(d, kern_verify(d->kern, o->kv->id, flags, cookie), "", text, len))
		return false;
	o->verify_order = order->id;
	o->verify_cookie = cookie;
	o->verify_found = 0;
	return true;
}

static bool run(struct daemon *d, struct own *o, const struct board_order *order,
		char *text, size_t len)
{
	if (!strcmp(order->verb, "suspend"))
		return said(d, kern_suspend(d->kern, o->kv->id, true),
			    "I/O is held until resume", text, len);
	if (!strcmp(order->verb, "resume"))
		return said(d, kern_suspend(d->kern, o->kv->id, false),
			    "I/O goes on", text, len);
	if (!strcmp(order->verb, "verify"))
		return verify(d, o, order, text, len);
	if (!strcmp(order->verb, "relink") && d->linker)
		return relink(d, o, order, text, len);
	if (!strcmp(order->verb, "rebuild"))
		return rebuild(d, o, order, text, len);
	snprintf(text, len, "swblockd %s does not know the order \"%s\"",
		 CTL_VERSION, order->verb);
	return false;
}

void orders_turn(struct daemon *d, struct vol *v, struct own *o)
{
	char text[BOARD_TEXT_MAX];
	const struct board_order *order;
	bool good;
	size_t i;

	for (i = 0; i < v->b->order_count && !o->order_busy; i++) {
		order = &v->b->order[i];
		if (order->state != BOARD_ORDER_NEW ||
		    order->id == o->verify_order ||
		    !swb_uuid_equal(&order->target, &o->replica))
			continue;
		fault_point("order", false);
		good = run(d, o, order, text, sizeof(text));
		fault_point("order", true);
		d->dump_due = true;
		if (good && order->id == o->verify_order)
			continue;
		finish(d, v, o, order, v->b->order_revision[i], good, text);
	}
}

void orders_event(struct daemon *d, struct own *o, const struct kern_event *ev)
{
	const struct vol *v = observe_vol(d, &o->volume);
	const struct board_order *order;
	char text[BOARD_TEXT_MAX];
	size_t i;

	if (!o->verify_order || ev->cookie != o->verify_cookie)
		return;
	if (ev->kind == SWBLOCK_EVENT_VERIFY)
		o->verify_found++;
	if (ev->kind != SWBLOCK_EVENT_VERIFIED || !v || !v->b)
		return;
	for (i = 0; i < v->b->order_count; i++) {
		order = &v->b->order[i];
		if (order->id != o->verify_order)
			continue;
		snprintf(text, sizeof(text), "%s, %" PRIu32 " differences", ev->text,
			 o->verify_found);
		finish(d, v, o, order, v->b->order_revision[i], !ev->error, text);
	}
	o->verify_order = 0;
}
