// SPDX-License-Identifier: GPL-2.0-only
/*
 * Moves of the authority record: create, win, grant, settle. The next record is
 * made in the loop, by the pure moves of authority.c, from the one that was
 * judged; the store's thread swaps it in. Whatever becomes of it, the record is
 * read again before anything else is decided (P3).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "daemon.h"
#include "fault.h"
#include "out.h"

struct move {
	struct store_request req;
	struct daemon *d;
	struct vol *v;
	bool create;
	char step[16];		/* name of the fault point and of the action */
	uint8_t letter;
	struct auth_record old, next;
	char reason[AUTH_REASON_MAX];
	json_t *detail;
};

static int move_work(struct store *s, struct store_request *req)
{
	struct move *m = (struct move *)req;
	struct auth_note note = {
		.action = m->step, .reason = m->reason, .detail = m->detail,
	};
	int err;

	fault_point(m->step, false);
	if (m->create)
		err = authority_create(s, &m->next, &note);
	else
		err = authority_swap(s, &m->old, &m->next, &note);
	fault_point(m->step, true);
	return err;
}

static void move_done(struct store_request *req, int err)
{
	struct move *m = (struct move *)req;
	struct daemon *d = m->d;
	struct vol *v = m->v;
	struct log_about about = {
		.volume = m->next.label, .epoch = m->next.epoch,
		.table = SWBLOCK_TABLE_VOLUME, .letter = m->letter,
	};

	v->swapping = false;
	v->fresh_ns = boottime_ns();
	if (m->next.phase == AUTH_WON && m->next.epoch != m->old.epoch &&
	    err && err != -ESTALE && err != -EEXIST) {
		v->unsure_serial = m->old.serial;
		v->unsure_epoch = m->next.epoch;
	}
	if (!err && m->next.phase == AUTH_WON) {
		v->won_epoch = m->next.epoch;
		v->won_ns = v->fresh_ns;
	}
	if (!err)
		log_say(LOG_LEVEL_NOTICE, &about, "the record was moved", "action=%s",
			m->step);
	else if (err == -ESTALE || err == -EEXIST)
		log_say(LOG_LEVEL_INFO, &about,
			"another controller was faster; reading again", "action=%s",
			m->step);
	else
		log_say(LOG_LEVEL_WARNING, &about,
			"the store did not say what became of the move; reading again",
			"action=%s error=\"%s\"", m->step, strerror(-err));
	observe_load(d);
}

static void move_release(struct store_request *req)
{
	struct move *m = (struct move *)req;

	json_decref(m->detail);
	free(m);
}

static struct move *move_new(struct daemon *d, struct vol *v, const char *step)
{
	struct move *m = calloc(1, sizeof(*m));

	if (!m)
		abort();
	m->req.work = move_work;
	m->req.done = move_done;
	m->req.release = move_release;
	m->d = d;
	m->v = v;
	snprintf(m->step, sizeof(m->step), "%s", step);
	return m;
}

static void move_go(struct daemon *d, struct vol *v, struct move *m)
{
	if (store_queue_submit(d->store, &m->req))
		move_release(&m->req);	/* full: it is decided again next time */
	else
		v->swapping = true;
}

/* --- the moves --- */

static void name_members(struct auth_record *r, const struct board_wish *w)
{
	struct auth_member *m;
	unsigned int i;

	for (i = 0; i < w->member_count; i++) {
		if (auth_member(r, &w->member[i].replica))
			continue;
		/* names of members that nobody may ever judge by again go first */
		if (r->member_count == SWB_MEMBERS_MAX) {
			memmove(&r->member[0], &r->member[1],
				(SWB_MEMBERS_MAX - 1) * sizeof(r->member[0]));
			r->member_count--;
		}
		m = &r->member[r->member_count++];
		m->id = w->member[i].replica;
		text_copy(m->label, w->member[i].label, sizeof(m->label));
	}
}

static const char *win(struct daemon *d, struct vol *v, struct move *m,
		       const struct swb_volume_decision *dec)
{
	const struct board_wish *w = &v->b->wish;
	char owner[AUTH_OWNER_MAX];
	const char *why;

	view_owner(d, owner);
	/*
	 * Kept before the swap: an unknown outcome is known by it (P3). A swap that
	 * may still come must not find another nonce here: it would count as that of
	 * a run that is gone, and a store that is late each time would never see an
	 * epoch granted. Only one of the two can replace that record.
	 */
	if (!v->unsure_epoch || v->unsure_epoch != dec->epoch ||
	    v->unsure_serial != v->b->record.serial)
		uuid_random(&v->nonce);
	v->unsure_epoch = 0;
	why = auth_win(&m->next, dec->epoch - 1, &dec->config, w->lease_ms, owner,
		       &v->nonce);
	if (!why)
		name_members(&m->next, w);
	return why;
}

static json_t *reports_json(const struct swb_cert *cert)
{
	json_t *list = json_array();
	unsigned int i;

	for (i = 0; i < cert->report_count; i++)
		json_array_append_new(list, report_to_json(&cert->report[i]));
	return list;
}

static const char *grant(struct daemon *d, struct vol *v, struct move *m,
			 const struct swb_volume_view *view,
			 const struct swb_volume_decision *dec)
{
	struct swb_cert cert;
	const char *why;

	swb_decide_cert(view, dec, &cert);
	cert.volume = v->id;
	memcpy(cert.store.b, d->identity.uuid, sizeof(cert.store.b));
	cert.store_generation = d->identity.generation;
	/* a won epoch has committed nobody to its proposal yet */
	m->next.proposed = dec->config;
	why = auth_grant(&m->next, &cert.candidate,
			 cert.flags & SWBLOCK_CERT_OVERRIDE);
	if (why)
		return why;
	m->next.cert = cert;
	m->next.wish_done = v->b->wish.sequence;
	json_object_set_new(m->detail, "reports", reports_json(&cert));
	json_object_set_new(m->detail, "candidate", json_uuid(&cert.candidate));
	return NULL;
}

static void explain(struct vol *v, struct move *m,
		    const struct swb_volume_decision *dec)
{
	char letter[2] = { (char)dec->letter, 0 };

	m->letter = dec->letter;
	m->detail = json_object();
	json_object_set_new(m->detail, "case", json_string(letter));
	json_object_set_new(m->detail, "cause",
			    json_string(swb_text_cause(dec->cause)));
	json_object_set_new(m->detail, "by", json_string(m->next.owner));
	snprintf(m->reason, sizeof(m->reason), "%s",
		 *v->b->wish.reason &&
		 v->b->record.wish_done < v->b->wish.sequence ?
		 v->b->wish.reason : "");
}

void record_move(struct daemon *d, struct vol *v,
		 const struct swb_volume_view *view,
		 const struct swb_volume_decision *dec)
{
	struct move *m = move_new(d, v, dec->order == SWB_ORDER_WIN ? "win" :
				  dec->order == SWB_ORDER_GRANT ? "grant" :
				  "settle");
	const char *why;

	m->old = v->b->record;
	m->next = m->old;
	explain(v, m, dec);
	if (dec->order == SWB_ORDER_WIN)
		why = win(d, v, m, dec);
	else if (dec->order == SWB_ORDER_GRANT)
		why = grant(d, v, m, view, dec);
	else
		why = auth_settle(&m->next);
	if (!why) {
		move_go(d, v, m);
		return;
	}
	log_say(LOG_LEVEL_WARNING, &(struct log_about){
		.volume = m->next.label, .epoch = m->next.epoch,
		.table = SWBLOCK_TABLE_VOLUME, .letter = dec->letter }, why,
		"action=%s", m->step);
	move_release(&m->req);
}

void record_create(struct daemon *d, struct vol *v)
{
	const struct board_wish *w = &v->b->wish;
	struct swb_config *c;
	struct move *m;
	unsigned int i;
	uint64_t when;

	/* hosts take turns: two would only race, and one may be down */
	if (!v->seen_ns)
		v->seen_ns = boottime_ns();
	for (i = 0; i < w->member_count; i++)
		if (!strcmp(w->member[i].node, d->cfg.node))
			break;
	if (i == w->member_count)
		return;
	when = v->seen_ns + i * d->cfg.tune.turn_ns;
	if (boottime_ns() < when) {
		turn_wake(d, when);
		return;
	}
	m = move_new(d, v, "create");
	m->create = true;
	m->detail = json_object();
	m->next.volume = v->id;
	text_copy(m->next.label, w->label, sizeof(m->next.label));
	m->next.phase = AUTH_NEW;
	m->next.lease_ms = w->lease_ms;
	m->next.primary_only = w->primary_only;
	c = &m->next.config;
	c->mode = w->mode;
	c->policy = w->policy;
	c->required = w->required;
	for (i = 0; i < w->member_count; i++)
		c->member[c->member_count++] = w->member[i].replica;
	name_members(&m->next, w);
	move_go(d, v, m);
}
