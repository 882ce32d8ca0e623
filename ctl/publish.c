// SPDX-License-Identifier: GPL-2.0-only
/*
 * What this host writes for the others: the report of a member as soon as there
 * is one, its state when it changes, a sign of life all the time. Only hints and
 * evidence; an old one does no harm.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "daemon.h"
#include "fault.h"

/* what only ages (LSNs, lease) is written this often */
#define STATE_AGE_NS	NSEC_PER_SEC
#define SIGN_TTL_FACTOR	20
/* a rate is measured over this time at least */
#define RATE_NS		(500 * SWB_NSEC_PER_MSEC)

enum put_kind { PUT_REPORT, PUT_STATE, PUT_SIGN };

struct put {
	struct store_request req;
	struct daemon *d;
	enum put_kind kind;
	struct swb_uuid volume;
	struct swb_uuid replica;
	uint32_t ttl_ms;
	union {
		struct board_report report;
		struct board_state state;
		struct board_node node;
	};
};

static int put_work(struct store *s, struct store_request *req)
{
	struct put *p = (struct put *)req;
	static const char *const steps[] = { "report", "state", "sign" };
	int err = 0;

	fault_point(steps[p->kind], false);
	switch (p->kind) {
	case PUT_REPORT:
		err = board_put_report(s, &p->volume, &p->report);
		break;
	case PUT_STATE:
		err = board_put_state(s, &p->volume, &p->state);
		break;
	case PUT_SIGN:
		err = board_put_node(s, &p->node, p->ttl_ms);
		break;
	}
	fault_point(steps[p->kind], true);
	return err;
}

static void put_done(struct store_request *req, int err)
{
	struct put *p = (struct put *)req;
	struct own *o = observe_own(p->d, &p->replica);

	switch (p->kind) {
	case PUT_REPORT:
		if (o)
			o->report_put_ns = 0;
		if (!err)
			observe_load(p->d);
		break;
	case PUT_STATE:
		if (o)
			o->state_busy = false;
		if (o && err)
			o->state_hash = 0;	/* again */
		break;
	case PUT_SIGN:
		p->d->sign_busy = false;
		break;
	}
}

static void put_release(struct store_request *req)
{
	free(req);
}

static struct put *put_new(struct daemon *d, enum put_kind kind)
{
	struct put *p = calloc(1, sizeof(*p));

	if (!p)
		abort();
	p->req.work = put_work;
	p->req.done = put_done;
	p->req.release = put_release;
	p->d = d;
	p->kind = kind;
	return p;
}

static bool put_go(struct daemon *d, struct put *p)
{
	if (!store_queue_submit(d->store, &p->req))
		return true;
	free(p);
	return false;
}

/* --- the report --- */

static void publish_report(struct daemon *d, const struct vol *v, struct own *o)
{
	const struct swb_report *r = view_report(v, &o->replica);
	struct put *p;

	/* only of the epoch that is adopted now: P6 */
	if (!o->has_report || !o->kv || o->report.adopted != o->kv->epoch ||
	    o->report_put_ns)
		return;
	if (r && (r->adopted > o->report.adopted ||
		  !memcmp(r, &o->report, sizeof(*r))))
		return;
	p = put_new(d, PUT_REPORT);
	p->volume = o->volume;
	p->replica = o->replica;
	text_copy(p->report.node, d->cfg.node, sizeof(p->report.node));
	p->report.boot = d->boot;
	p->report.report = o->report;
	if (put_go(d, p))
		o->report_put_ns = boottime_ns();
}

/* --- the state --- */

/* By how much it came nearer, writes that were added meanwhile included. */
static void measure(struct own_progress *g, const struct kern_peer *k, uint64_t now)
{
	uint64_t ns = now - g->seen_ns, rate;

	if (g->session != k->session) {
		*g = (struct own_progress){ .session = k->session, .seen_ns = now,
					    .left_bytes = k->behind_bytes,
					    .total_bytes = k->behind_bytes };
		return;
	}
	g->total_bytes = max_t(uint64_t, g->total_bytes, k->behind_bytes);
	if (ns < RATE_NS)
		return;
	rate = g->left_bytes > k->behind_bytes ?
	       (g->left_bytes - k->behind_bytes) * 1000 / (ns / 1000000) : 0;
	g->rate_bytes = g->rate_bytes ? (3 * g->rate_bytes + rate) / 4 : rate;
	g->left_bytes = k->behind_bytes;
	g->seen_ns = now;
}

static void fill_progress(struct own *o, const struct kern_peer *k,
			  struct board_rebuild *r)
{
	struct own_link *l = links_of(o, &k->uuid);
	uint64_t left = 0;

	if (k->state == SWBLOCK_PEER_CATCHING_UP && l) {
		measure(&l->progress, k, boottime_ns());
		text_copy(r->kind, "catch_up", sizeof(r->kind));
		left = k->behind_bytes;
		r->total_bytes = l->progress.total_bytes;
		r->done_bytes = r->total_bytes - left;
		r->rate_bytes = l->progress.rate_bytes;
	} else if (k->state == SWBLOCK_PEER_REBUILDING) {
		text_copy(r->kind, k->rebuild == SWBLOCK_REBUILD_DELTA ? "delta" :
			  "rebuild", sizeof(r->kind));
		r->total_bytes = k->rebuild_todo;
		r->done_bytes = min_t(uint64_t, k->rebuild_done, k->rebuild_todo);
		left = r->total_bytes - r->done_bytes;
		r->rate_bytes = k->rebuild_rate;
	}
	if (l && k->state != SWBLOCK_PEER_CATCHING_UP)
		l->progress.session = 0;
	if (r->rate_bytes)
		r->eta_ms = left * 1000 / r->rate_bytes;
}

static void fill_peer(struct own *o, const struct kern_volume *kv,
		      const struct kern_peer *k, struct board_peer *p)
{
	*p = (struct board_peer){
		.replica = k->uuid, .state = k->state, .required = k->required,
		.letter = k->letter, .reason = k->reason, .session = k->session,
		.match_lsn = k->match_lsn, .target_lsn = k->target_lsn,
		.cursor_lsn = k->cursor_lsn, .received_lsn = k->received_lsn,
		.written_lsn = k->written_lsn, .durable_lsn = k->durable_lsn,
		.behind_bytes = k->behind_bytes, .behind_ns = k->behind_ns,
	};
	if (k->state != SWBLOCK_PEER_DETACHED && kv->head_lsn > k->durable_lsn)
		p->behind_lsn = kv->head_lsn - k->durable_lsn;
	fill_progress(o, k, &p->rebuild);
}

static void fill_kernel(struct own *o, struct board_state *s)
{
	const struct kern_volume *kv = o->kv;
	uint64_t now = boottime_ns();
	unsigned int i;

	s->attached = true;
	s->minor = kv->minor;
	s->role = kv->role;
	s->epoch = kv->epoch;
	s->opened = kv->opened;
	s->settled = o->opening && kv->opened == o->opening &&
		     kv->committed_lsn >= o->open_lsn;
	s->primary = kv->primary;
	s->conditions = kv->conditions;
	s->flags = (kv->conditions & SWBLOCK_COND_INCONSISTENT ?
		    SWBLOCK_REPORT_INCONSISTENT : 0) |
		   (kv->conditions & SWBLOCK_COND_DISK_FAILED ?
		    SWBLOCK_REPORT_DISK_FAILED : 0);
	s->size_bytes = kv->size_bytes;
	s->head_lsn = kv->head_lsn;
	s->written_lsn = kv->written_lsn;
	s->durable_lsn = kv->durable_lsn;
	s->committed_lsn = kv->committed_lsn;
	s->extent_lo = kv->extent_lo;
	s->extent_hi = kv->extent_hi;
	s->log_start = kv->log_start;
	s->ring_bytes = kv->ring_bytes;
	s->ring_used = kv->ring_used;
	s->openers = kv->openers;
	s->inflight = kv->inflight;
	s->parked = kv->parked;
	s->local_letter = kv->local_letter;
	s->promote_letter = kv->promote_letter;
	s->store = kv->store;
	s->store_generation = kv->store_generation;
	if (kv->lease_ns > now)
		s->lease_left_ms = (kv->lease_ns - now) / 1000000;
	for (i = 0; i < kv->peer_count; i++)
		fill_peer(o, kv, &kv->peer[i], &s->peer[s->peer_count++]);
}

static uint64_t hash(const void *at, size_t len, uint64_t h)
{
	const unsigned char *p = at;

	while (len--)
		h = (h ^ *p++) * 0x100000001b3ull;
	return h;
}

/* What others act on: it is written at once. Numbers that only grow can wait. */
static uint64_t hash_state(const struct board_state *s)
{
	uint64_t h = 0xcbf29ce484222325ull;
	unsigned int i;

	h = hash(&s->attached, sizeof(s->attached), h);
	h = hash(&s->role, sizeof(s->role), h);
	h = hash(&s->epoch, sizeof(s->epoch), h);
	h = hash(&s->opened, sizeof(s->opened), h);
	h = hash(&s->settled, sizeof(s->settled), h);
	h = hash(&s->primary, sizeof(s->primary), h);
	h = hash(&s->conditions, sizeof(s->conditions), h);
	h = hash(&s->flags, sizeof(s->flags), h);
	h = hash(&s->size_bytes, sizeof(s->size_bytes), h);
	h = hash(s->error, strlen(s->error), h);
	h = hash(s->waits, strlen(s->waits), h);
	for (i = 0; i < s->peer_count; i++) {
		h = hash(&s->peer[i].replica, sizeof(s->peer[i].replica), h);
		h = hash(&s->peer[i].state, sizeof(s->peer[i].state), h);
	}
	return h ? h : 1;
}

/* What it is behind is true only as long as it does not move. */
static uint64_t hash_age(const struct board_state *s)
{
	const struct board_peer *p;
	uint64_t h = 0xcbf29ce484222325ull;
	unsigned int i;

	h = hash(&s->head_lsn, sizeof(s->head_lsn), h);
	h = hash(&s->durable_lsn, sizeof(s->durable_lsn), h);
	h = hash(&s->committed_lsn, sizeof(s->committed_lsn), h);
	for (i = 0; i < s->peer_count; i++) {
		p = &s->peer[i];
		h = hash(&p->durable_lsn, sizeof(p->durable_lsn), h);
		h = hash(&p->behind_bytes, sizeof(p->behind_bytes), h);
		h = hash(&p->rebuild.done_bytes, sizeof(p->rebuild.done_bytes), h);
	}
	return h;
}

static void fill_waits(const struct vol *v, const struct own *o,
		       struct board_state *s)
{
	const char *text = NULL;

	if (*o->attach_why)
		snprintf(s->waits, sizeof(s->waits), "%s", o->attach_why);
	else if (v->went_back)
		snprintf(s->waits, sizeof(s->waits),
			 "the store knows less than a member: a new generation");
	else if (v->letter && v->letter != 'A' && v->letter != 'N')
		text = swb_text_case(SWBLOCK_TABLE_VOLUME, v->letter);
	if (text)
		snprintf(s->waits, sizeof(s->waits), "case %c: %s", v->letter, text);
}

static void publish_state(struct daemon *d, const struct vol *v, struct own *o)
{
	uint64_t now = boottime_ns(), h;
	struct board_state s;
	struct put *p;

	if (o->state_busy)
		return;
	memset(&s, 0, sizeof(s));
	text_copy(s.node, d->cfg.node, sizeof(s.node));
	s.boot = d->boot;
	s.replica = o->replica;
	text_copy(s.label, o->label, sizeof(s.label));
	if (o->kv)
		fill_kernel(o, &s);
	s.volume_letter = v->letter;
	s.member_letter = o->letter;
	s.cause = v->cause;
	fill_waits(v, o, &s);
	snprintf(s.error, sizeof(s.error), "%s", o->error);
	h = hash_state(&s);
	if (h == o->state_hash && now - o->state_put_ns < STATE_AGE_NS)
		return;
	/* nothing moves: nothing to say */
	if (h == o->state_hash && hash_age(&s) == o->said_age)
		return;
	p = put_new(d, PUT_STATE);
	p->volume = o->volume;
	p->replica = o->replica;
	s.sequence = ++o->state_sequence;
	p->state = s;
	if (!put_go(d, p))
		return;
	o->state_busy = true;
	o->state_hash = h;
	o->state_put_ns = now;
	o->said_age = hash_age(&s);
}

/* --- the sign of life --- */

/* The shortest lease of the volumes that are known, 0 = none has one. */
static uint64_t shortest_lease_ms(const struct daemon *d)
{
	const struct vol *v;
	uint64_t ms = 0;
	unsigned int i;

	for (i = 0; i < d->vol_count; i++) {
		v = d->vol[i];
		if (v->b && v->b->record_revision && v->b->record.lease_ms &&
		    (!ms || v->b->record.lease_ms < ms))
			ms = v->b->record.lease_ms;
	}
	return ms;
}

uint64_t publish_poll_ns(const struct daemon *d)
{
	uint64_t lease = shortest_lease_ms(d), ms = d->cfg.poll_ms;

	/* a renewal needs a new read every third of the lease (P13) */
	return (lease ? min_t(uint64_t, ms, lease / 6) : ms) * SWB_NSEC_PER_MSEC;
}

static uint64_t sign_ns(const struct daemon *d)
{
	uint64_t ms = d->cfg.tune.silence_ns / SWB_NSEC_PER_MSEC / 6;
	uint64_t lease = shortest_lease_ms(d);

	if (d->cfg.sign_ms)
		ms = d->cfg.sign_ms;
	else if (lease)
		ms = min_t(uint64_t, ms, lease / 4);
	return ms * SWB_NSEC_PER_MSEC;
}

static void publish_sign(struct daemon *d)
{
	uint64_t now = boottime_ns(), every = sign_ns(d);
	struct put *p;

	if (d->sign_busy || (d->sign_ns && now < d->sign_ns + every)) {
		turn_wake(d, d->sign_ns + every);
		return;
	}
	p = put_new(d, PUT_SIGN);
	text_copy(p->node.node, d->cfg.node, sizeof(p->node.node));
	p->node.boot = d->boot;
	p->node.instance = d->instance;
	p->node.counter = ++d->sign_counter;
	text_copy(p->node.address, d->linker ? d->cfg.advertise : "",
		  sizeof(p->node.address));
	text_copy(p->node.version, CTL_VERSION, sizeof(p->node.version));
	p->ttl_ms = (uint32_t)(every * SIGN_TTL_FACTOR / SWB_NSEC_PER_MSEC);
	if (!put_go(d, p))
		return;
	d->sign_busy = true;
	d->sign_ns = now;
	turn_wake(d, now + every);
}

void publish(struct daemon *d)
{
	struct vol *v;
	unsigned int i;

	for (i = 0; i < d->own_count; i++) {
		v = observe_vol(d, &d->own[i]->volume);
		if (!v || !v->b)
			continue;
		publish_report(d, v, d->own[i]);
		publish_state(d, v, d->own[i]);
	}
	publish_sign(d);
}
