// SPDX-License-Identifier: GPL-2.0-only
/*
 * Observe: what the kernel has, what stands in the store, who shows signs of
 * life. Facts only; what is not known stays unknown. Nothing is decided here.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon.h"

#define EVENTS_A_TURN	64
#define KERN_RETRY_NS	NSEC_PER_SEC
/* so much at least between two looks at a store that changes all the time */
#define CHANGED_NS	(50 * SWB_NSEC_PER_MSEC)
/* a dump that is older is made again: LSNs move without an event */
#define DUMP_AGE_NS	(100 * SWB_NSEC_PER_MSEC)

/* --- what is kept from one look to the next --- */

struct vol *observe_vol(struct daemon *d, const struct swb_uuid *id)
{
	unsigned int i;

	for (i = 0; i < d->vol_count; i++)
		if (swb_uuid_equal(&d->vol[i]->id, id))
			return d->vol[i];
	return NULL;
}

struct own *observe_own(struct daemon *d, const struct swb_uuid *replica)
{
	unsigned int i;

	for (i = 0; i < d->own_count; i++)
		if (swb_uuid_equal(&d->own[i]->replica, replica))
			return d->own[i];
	return NULL;
}

const struct host *observe_host(const struct daemon *d, const char *node)
{
	unsigned int i;

	for (i = 0; i < d->host_count; i++)
		if (!strcmp(d->host[i].node, node))
			return &d->host[i];
	return NULL;
}

uint64_t observe_silent(const struct daemon *d, const char *node)
{
	const struct host *h = observe_host(d, node);
	uint64_t now = boottime_ns();

	if (!strcmp(node, d->cfg.node))
		return 0;
	if (!h)
		return SILENT_FOREVER;
	return now > h->changed_ns ? now - h->changed_ns : 0;
}

const struct board_member *wish_member(const struct board_volume *b,
				       const struct swb_uuid *replica)
{
	unsigned int i;

	if (!b || !b->wish_revision)
		return NULL;
	for (i = 0; i < b->wish.member_count; i++)
		if (swb_uuid_equal(&b->wish.member[i].replica, replica))
			return &b->wish.member[i];
	return NULL;
}

static void *grown(void *list, unsigned int count, size_t size)
{
	void *more = realloc(list, (count + 1) * size);

	if (!more)
		abort();	/* a daemon without memory is restarted */
	memset((char *)more + count * size, 0, size);
	return more;
}

static struct vol *add_vol(struct daemon *d, const struct swb_uuid *id)
{
	struct vol *v = calloc(1, sizeof(*v));

	if (!v)
		abort();
	v->id = *id;
	d->vol = grown(d->vol, d->vol_count, sizeof(*d->vol));
	d->vol[d->vol_count++] = v;
	return v;
}

static struct own *need_own(struct daemon *d, const struct swb_uuid *replica,
			    const struct swb_uuid *volume, const char *label)
{
	struct own *o = observe_own(d, replica);

	if (!o) {
		o = calloc(1, sizeof(*o));
		if (!o)
			abort();
		o->replica = *replica;
		o->volume = *volume;
		d->own = grown(d->own, d->own_count, sizeof(*d->own));
		d->own[d->own_count++] = o;
	}
	text_copy(o->label, label, sizeof(o->label));
	return o;
}

static struct host *need_host(struct daemon *d, const char *node)
{
	struct host *h = (struct host *)observe_host(d, node);

	if (h)
		return h;
	d->host = grown(d->host, d->host_count, sizeof(*d->host));
	h = &d->host[d->host_count++];
	text_copy(h->node, node, sizeof(h->node));
	h->changed_ns = boottime_ns();
	return h;
}

/* --- the kernel --- */

static const struct kern_volume *dumped(const struct daemon *d,
					const struct swb_uuid *replica)
{
	unsigned int i;

	for (i = 0; i < d->dump.count; i++)
		if (swb_uuid_equal(&d->dump.volume[i].replica, replica))
			return &d->dump.volume[i];
	return NULL;
}

/* An open record lies at or below the first head seen behind the opening. */
static void watch_opening(struct own *o)
{
	const struct kern_volume *kv = o->kv;

	if (!kv || kv->role != SWBLOCK_ROLE_PRIMARY || kv->opened != kv->epoch ||
	    !kv->head_lsn) {
		o->opening = 0;
		return;
	}
	if (o->opening == kv->epoch)
		return;
	o->opening = kv->epoch;
	o->open_lsn = kv->head_lsn;
}

static void note_promised(struct own *o, uint64_t now)
{
	const struct kern_volume *kv = o->kv;

	if (!kv || (kv->epoch == o->seen_epoch && kv->opened == o->seen_opened))
		return;
	o->seen_epoch = kv->epoch;
	o->seen_opened = kv->opened;
	o->seen_ns = now;
}

static void relink_kernel(struct daemon *d)
{
	uint64_t now = boottime_ns();
	unsigned int i;

	for (i = 0; i < d->own_count; i++) {
		d->own[i]->kv = dumped(d, &d->own[i]->replica);
		note_promised(d->own[i], now);
		watch_opening(d->own[i]);
	}
}

static void dump_is_new(struct daemon *d)
{
	unsigned int i;

	relink_kernel(d);
	/* only now: an old dump knows nothing of a link that was just given */
	for (i = 0; i < d->own_count; i++)
		links_observe(d, d->own[i]);
}

static void kernel_lost(struct daemon *d, const char *what, int err)
{
	log_say(LOG_LEVEL_ERROR, NULL, "the module does not answer", "call=%s error=\"%s\"",
		what, strerror(-err));
	d->kern_io = sd_event_source_disable_unref(d->kern_io);
	kern_close(d->kern);
	d->kern = NULL;
	kern_dump_free(&d->dump);
	dump_is_new(d);
	apply_forget(d);
}

static void dump_kernel(struct daemon *d)
{
	struct kern_dump fresh;
	int err = kern_dump_volumes(d->kern, &fresh);

	if (err == -EINTR)
		return;		/* members came and went; again next time */
	if (err) {
		kernel_lost(d, "dump", err);
		return;
	}
	kern_dump_free(&d->dump);
	d->dump = fresh;
	d->dump_ns = boottime_ns();
	d->dump_due = false;
	dump_is_new(d);
}

static int on_kernel(sd_event_source *s, int fd, uint32_t revents, void *arg)
{
	(void)s;
	(void)fd;
	(void)revents;
	(void)arg;		/* turn() drains it */
	return 0;
}

static void open_kernel(struct daemon *d)
{
	uint64_t now = boottime_ns();
	struct kern_info info;
	int err;

	if (d->kern_tried_ns && now - d->kern_tried_ns < KERN_RETRY_NS) {
		turn_wake(d, d->kern_tried_ns + KERN_RETRY_NS);
		return;
	}
	d->kern_tried_ns = now;
	turn_wake(d, now + KERN_RETRY_NS);
	err = kern_open(&d->kern);
	if (!err)
		err = kern_get_info(d->kern, &info);
	if (!err)
		err = kern_events_open(d->kern);
	if (!err)
		err = sd_event_add_io(d->ev, &d->kern_io, kern_events_fd(d->kern),
				      EPOLLIN, on_kernel, d);
	if (err) {
		kern_close(d->kern);
		d->kern = NULL;
		log_say(LOG_LEVEL_WARNING, NULL,
			err == -ENOENT ? "the module is not loaded: modprobe swblock" :
					 "the module cannot be reached",
			"error=\"%s\"", strerror(-err));
		return;
	}
	d->dump_due = true;
	d->proto_min = info.proto_min;
	d->proto_max = info.proto_max;
	log_say(LOG_LEVEL_INFO, NULL, "the module is there", "version=%s",
		info.version);
}

static void take_event(struct daemon *d, const struct kern_event *ev)
{
	unsigned int i;

	for (i = 0; i < d->own_count; i++) {
		if (d->own[i]->kv && d->own[i]->kv->id == ev->volume_id) {
			apply_event(d, d->own[i], ev);
			orders_event(d, d->own[i], ev);
			grow_event(d, d->own[i], ev);
		}
		attach_event(d, d->own[i], ev);
	}
}

void observe_kernel(struct daemon *d)
{
	struct kern_event ev;
	int n, err = 0;

	if (!d->kern)
		open_kernel(d);
	for (n = 0; d->kern && n < EVENTS_A_TURN; n++) {
		err = kern_event_next(d->kern, 1, &ev);
		if (err == -ETIMEDOUT)
			break;
		d->dump_due = true;
		if (err == KERN_LOST) {
			log_say(LOG_LEVEL_NOTICE, NULL,
				"events of the module were lost: looking at all members again",
				NULL);
			apply_forget(d);
			dump_kernel(d);
			if (d->kern)
				kern_events_seen(d->kern, d->dump.seq);
		} else if (err) {
			kernel_lost(d, "event", err);
		} else {
			take_event(d, &ev);
		}
	}
	if (d->kern && (d->dump_due || boottime_ns() - d->dump_ns > DUMP_AGE_NS))
		dump_kernel(d);
}

/* --- the store --- */

struct load {
	struct store_request req;
	struct daemon *d;
	struct board *board;
	bool with_identity;
	struct store_identity identity;
	uint64_t read_ns;
};

static int load_work(struct store *s, struct store_request *req)
{
	struct load *l = (struct load *)req;
	int err;

	/* first: a board that is newer than its generation does no harm (P17c) */
	err = l->with_identity ? store_identity(s, &l->identity) : 0;
	l->read_ns = boottime_ns();	/* P13: before the read begins */
	return err ? err : board_load(s, NULL, &l->board);
}

/* --- P17c: does a member know more than the store? --- */

static bool knows_more(const struct daemon *d, const struct auth_record *r,
		       const struct swb_uuid *store, uint64_t generation,
		       uint64_t adopted, uint64_t opened)
{
	/* the generation is that of the adoption: an older opening may be of another */
	return (adopted > r->epoch ||
		(opened == adopted && opened > r->last_epoch)) &&
	       generation == d->identity.generation &&
	       !memcmp(store->b, d->identity.uuid, sizeof(store->b));
}

/*
 * What a member adopted or opened stood in the record before. If it does not now,
 * the store was put back in time, and may not know whom it granted what, or by
 * which configuration: only the operator can say that nobody acts on that.
 */
bool observe_went_back(struct daemon *d, struct vol *v)
{
	const struct board_state *s;
	const struct own *o;
	bool back = false;
	unsigned int i;

	if (!d->identity_known)
		return true;
	/* one snapshot: a state in it is not newer than the record */
	for (i = 0; i < v->b->state_count; i++) {
		s = &v->b->state[i];
		back |= s->attached && knows_more(d, &v->b->record, &s->store,
						  s->store_generation, s->epoch,
						  s->opened);
	}
	for (i = 0; i < d->own_count; i++) {
		o = d->own[i];
		if (!o->kv || !swb_uuid_equal(&o->volume, &v->id) ||
		    !knows_more(d, &v->b->record, &o->kv->store,
				o->kv->store_generation, o->kv->epoch, o->kv->opened))
			continue;
		if (d->read_ns < o->seen_ns) {
			observe_load(d);	/* the board is older than that */
			return true;
		}
		back = true;
	}
	if (back && !v->went_back)
		log_say(LOG_LEVEL_ERROR, &(struct log_about){
			.volume = v->b->record.label, .epoch = v->b->record.epoch },
			"a member has adopted what the store does not know: restored from a backup? nothing is decided until it has a new generation",
			"try=\"swblockctl authority --new-generation\"");
	d->identity_due |= back;
	v->went_back = back;
	return back;
}

/* Time in which we ourselves did not look is nobody's silence. */
static void forgive_gap(struct daemon *d, uint64_t now)
{
	uint64_t gap = d->loaded_ns ? now - d->loaded_ns : 0;
	uint64_t usual = 2 * publish_poll_ns(d);
	unsigned int i;

	if (gap <= usual)
		return;
	for (i = 0; i < d->host_count; i++)
		d->host[i].changed_ns += gap - usual;
	if (gap > d->cfg.tune.silence_ns)
		log_say(LOG_LEVEL_NOTICE, NULL,
			"the store was not read for a while; silence is counted from now",
			"gap_ms=%" PRIu64, gap / 1000000);
}

static void relink_hosts(struct daemon *d, uint64_t now)
{
	const struct board_node *n;
	struct host *h;
	size_t i;

	forgive_gap(d, now);
	for (i = 0; i < d->host_count; i++)
		d->host[i].there = false;
	for (i = 0; i < d->board->node_count; i++) {
		n = &d->board->node[i];
		h = need_host(d, n->node);
		if (h->counter != n->counter ||
		    !swb_uuid_equal(&h->instance, &n->instance))
			h->changed_ns = now;
		h->counter = n->counter;
		h->instance = n->instance;
		h->boot = n->boot;
		h->there = true;
		if (h->address[0] && strcmp(h->address, n->address))
			log_say(LOG_LEVEL_NOTICE, NULL,
				"a host is to be reached elsewhere",
				"host=%s address=%s before=%s", n->node, n->address,
				h->address);
		text_copy(h->address, n->address, sizeof(h->address));
	}
}

/* Whose is a member that nobody wishes for any more? Its last host's. */
static bool was_ours(const struct daemon *d, const struct board_state *s)
{
	return s->attached && !strcmp(s->node, d->cfg.node);
}

static void relink_volume(struct daemon *d, struct vol *v)
{
	const struct board_volume *b = v->b;
	const struct board_member *m;
	unsigned int i;

	if (!b->wish_revision)
		return;
	for (i = 0; i < b->wish.member_count; i++) {
		m = &b->wish.member[i];
		need_host(d, m->node);
		if (!strcmp(m->node, d->cfg.node))
			need_own(d, &m->replica, &v->id, m->label)->wished = true;
	}
	for (i = 0; i < b->state_count; i++)
		if (!wish_member(b, &b->state[i].replica) &&
		    was_ours(d, &b->state[i]))
			need_own(d, &b->state[i].replica, &v->id,
				 b->state[i].label);
	if (b->record_revision && !swb_uuid_equal(&v->seen_nonce, &b->record.nonce)) {
		v->seen_nonce = b->record.nonce;
		v->seen_ns = boottime_ns();
	}
	if (*b->bad)
		log_say(LOG_LEVEL_ERROR, &(struct log_about){
			.volume = b->wish.label }, "a document is damaged",
			"document=\"%s\"", b->bad);
}

static void relink_board(struct daemon *d)
{
	struct vol *v;
	unsigned int i;
	size_t j;

	for (i = 0; i < d->own_count; i++)
		d->own[i]->wished = false;
	for (i = 0; i < d->vol_count; i++)
		d->vol[i]->b = NULL;
	for (j = 0; j < d->board->volume_count; j++) {
		v = observe_vol(d, &d->board->volume[j]->volume);
		if (!v)
			v = add_vol(d, &d->board->volume[j]->volume);
		v->b = d->board->volume[j];
		relink_volume(d, v);
	}
	relink_kernel(d);
}

static void load_done(struct store_request *req, int err)
{
	struct load *l = (struct load *)req;
	struct daemon *d = l->d;
	uint64_t now = boottime_ns();
	struct board *old;

	d->loading = false;
	if (d->load_again)
		observe_load(d);
	if (err) {
		d->identity_due = true;
		turn_wake(d, now + d->cfg.poll_ms * SWB_NSEC_PER_MSEC);
		return;
	}
	if (l->with_identity) {
		d->identity = l->identity;
		d->identity_known = true;
		d->identity_due = false;
	}
	old = d->board;
	d->board = l->board;
	d->read_ns = l->read_ns;
	l->board = NULL;
	relink_hosts(d, now);
	relink_board(d);
	d->loaded_ns = now;
	board_free(old);	/* only now nothing points into it any more */
}

static void load_release(struct store_request *req)
{
	struct load *l = (struct load *)req;

	if (l->board)
		board_free(l->board);
	free(l);
}

void observe_load(struct daemon *d)
{
	struct load *l;

	if (d->loading) {
		d->load_again = true;
		return;
	}
	l = calloc(1, sizeof(*l));
	if (!l)
		abort();
	l->req.work = load_work;
	l->req.done = load_done;
	l->req.release = load_release;
	l->d = d;
	l->with_identity = !d->identity_known || d->identity_due;
	d->load_again = false;
	d->load_ns = boottime_ns();
	if (store_queue_submit(d->store, &l->req))
		free(l);
	else
		d->loading = true;
}

static void on_changed(void *arg)
{
	struct daemon *d = arg;

	d->load_due = true;
}

/* A slow store must not be made slower by those who wait for it. */
void observe_store(struct daemon *d)
{
	uint64_t now = boottime_ns(), pause = CHANGED_NS;
	struct store_health h;

	store_queue_health(d->store, &h);
	d->store_slow_ns = max_t(uint64_t, h.latency_ns,
				 d->store_slow_ns - d->store_slow_ns / 8);
	pause = max_t(uint64_t, pause, d->store_slow_ns);
	if (!d->load_due && now < d->load_ns + publish_poll_ns(d))
		return;
	if (now < d->load_ns + pause) {
		turn_wake(d, d->load_ns + pause);
		return;
	}
	d->load_due = false;
	observe_load(d);
}

static int on_store(sd_event_source *s, int fd, uint32_t revents, void *arg)
{
	struct daemon *d = arg;

	(void)s;
	(void)fd;
	(void)revents;
	store_queue_dispatch(d->store);
	return 0;
}

int observe_open(struct daemon *d)
{
	struct store_queue_config c = {
		.address = d->cfg.store, .create = d->cfg.store_create,
		.timeout_ms = d->cfg.store_timeout_ms,
		.watch = "v/", .changed = on_changed, .arg = d,
	};
	int err = store_queue_create(&d->store, &c);

	if (!err)
		err = sd_event_add_io(d->ev, NULL, store_queue_fd(d->store),
				      EPOLLIN, on_store, d);
	if (!err)
		observe_load(d);
	return err;
}
