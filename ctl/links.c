// SPDX-License-Identifier: GPL-2.0-only
/*
 * Links: says to the linker which ones are wanted, and hands the sockets that it
 * makes to the kernel. The granted primary connects, its replicas accept. Pace
 * is kept twice: by the linker for addresses that do not answer, by decide for
 * sessions that end before the facts matched (I-206).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/core.h"
#include "core/text.h"
#include "daemon.h"
#include "fault.h"
#include "linker.h"

static bool state_linked(uint8_t state)
{
	return state != SWBLOCK_PEER_DETACHED &&
	       state != SWBLOCK_PEER_NEEDS_REBUILD &&
	       state != SWBLOCK_PEER_REFUSED;
}

static bool state_matched(uint8_t state)
{
	return state == SWBLOCK_PEER_CATCHING_UP ||
	       state == SWBLOCK_PEER_REBUILDING || state == SWBLOCK_PEER_IN_SYNC;
}

struct own_link *links_of(struct own *o, const struct swb_uuid *peer)
{
	unsigned int i;

	for (i = 0; i < OWN_PEERS; i++)
		if (swb_uuid_equal(&o->link[i].peer, peer))
			return &o->link[i];
	return NULL;
}

static struct own_link *need_link(struct own *o, const struct swb_uuid *peer)
{
	static const struct swb_uuid nobody;
	struct own_link *l = links_of(o, peer);

	if (l)
		return l;
	l = links_of(o, &nobody);
	if (!l)
		return NULL;
	l->peer = *peer;
	return l;
}

static struct link_id id_of(const struct own *o, const struct own_link *l)
{
	return (struct link_id){ .volume = o->volume, .from = o->replica,
				 .to = l->peer };
}

static void unwant(struct daemon *d, struct own *o, struct own_link *l)
{
	struct link_id id = id_of(o, l);

	if (l->wanted && d->linker)
		linker_unwant(d->linker, &id);
	l->wanted = false;
	l->connect = false;
}

static const char *address_of(const struct daemon *d, const struct vol *v,
			      const struct swb_uuid *peer)
{
	const struct board_member *m = wish_member(v->b, peer);
	const struct host *h = m ? observe_host(d, m->node) : NULL;

	return h && h->there ? h->address : "";
}

/* @up: the kernel has the link */
static void want(struct daemon *d, const struct vol *v, struct own *o,
		 struct own_link *l, bool connect, bool up)
{
	struct link_want w = {
		.hello = {
			.volume = o->volume, .from = o->replica, .to = l->peer,
			.proto_min = d->proto_min, .proto_max = d->proto_max,
			.epoch = o->kv->epoch, .log_end = o->kv->head_lsn,
			.endpoint_version = v->b->wish.sequence,
		},
		.connect = connect, .up = up,
	};
	char why[LINK_WHY_MAX];

	if (connect) {
		text_copy(w.endpoint[0], address_of(d, v, &l->peer),
			  sizeof(w.endpoint[0]));
		w.endpoint_count = *w.endpoint[0] ? 1 : 0;
		text_copy(l->address, w.endpoint[0], sizeof(l->address));
	}
	if (!linker_want(d->linker, &w, why)) {
		log_say(LOG_LEVEL_ERROR, NULL, "a link cannot be wanted",
			"error=\"%s\"", why);
		return;
	}
	l->wanted = true;
	l->connect = connect;
}

void links_connect(struct daemon *d, struct vol *v, struct own *o,
		   const struct swb_uuid *peer)
{
	struct own_link *l = need_link(o, peer);

	if (!d->linker || !l)
		return;
	fault_point("link", false);
	/* from the start: what the linker still holds of the last one is over */
	unwant(d, o, l);
	want(d, v, o, l, true, false);
	fault_point("link", true);
}

/* A session ended: before the facts matched, or after. */
static void ended(struct daemon *d, struct own *o, struct own_link *l)
{
	struct link_id id = id_of(o, l);

	if (l->matched) {
		l->failed = 0;
		l->failed_ns = 0;
	} else {
		l->failed++;
		l->failed_ns = boottime_ns();
	}
	l->matched = false;
	if (l->connect)
		unwant(d, o, l);	/* decide says when again */
	else if (l->wanted && d->linker)
		linker_lost(d->linker, &id, l->serial);
}

int links_rebuild(struct daemon *d, struct own *o, const struct swb_uuid *peer)
{
	struct own_link *l = need_link(o, peer);
	int err;

	fault_point("rebuild", false);
	err = kern_rebuild(d->kern, o->kv->id, peer, random_u64());
	fault_point("rebuild", true);
	/* it begins with the next link, which decide orders */
	if (!err && l) {
		l->rebuild_epoch = o->kv->epoch;
		l->failed = 0;
	}
	d->dump_due = true;
	return err;
}

static const struct kern_peer *peer_of(const struct own *o, const struct swb_uuid *peer)
{
	unsigned int i;

	for (i = 0; o->kv && i < o->kv->peer_count; i++)
		if (swb_uuid_equal(&o->kv->peer[i].uuid, peer))
			return &o->kv->peer[i];
	return NULL;
}

/* New keys come by what was sent; a matched session continues on the next link. */
static void tell_linker(struct daemon *d, const struct own *o, const struct own_link *l,
			const struct kern_peer *p)
{
	struct link_id id = id_of(o, l);

	linker_session(d->linker, &id, p && state_matched(p->state) ? p->session : 0);
	/* of all links of the member: an upper bound */
	linker_sent(d->linker, &id, o->kv->stats[SWBLOCK_STAT_WIRE_SENT_BYTES]);
}

void links_observe(struct daemon *d, struct own *o)
{
	static const struct swb_uuid nobody;
	const struct kern_peer *p;
	struct own_link *l;
	uint8_t state;
	unsigned int i;

	for (i = 0; i < OWN_PEERS; i++) {
		l = &o->link[i];
		if (swb_uuid_equal(&l->peer, &nobody))
			continue;
		p = peer_of(o, &l->peer);
		state = p ? p->state : SWBLOCK_PEER_DETACHED;
		if (state_matched(state))
			l->matched = true;
		if (l->wanted && d->linker && o->kv)
			tell_linker(d, o, l, p);
		if (l->handed && state_linked(l->was_state) && !state_linked(state)) {
			l->handed = false;
			ended(d, o, l);
		}
		l->was_state = state;
	}
}

/* Who is wanted now, by role and configuration. */
static bool may_link(const struct vol *v, const struct own *o,
		     const struct swb_uuid *peer, bool *accept)
{
	const struct auth_record *r = &v->b->record;

	*accept = false;
	if (!o->kv || !v->b->record_revision || o->kv->epoch != r->epoch ||
	    r->phase < AUTH_GRANTED ||
	    swb_core_member_index(&r->config, peer) == SWB_NOBODY)
		return false;
	*accept = o->kv->role == SWBLOCK_ROLE_REPLICA &&
		  swb_uuid_equal(&o->kv->primary, peer);
	return *accept || o->kv->role == SWBLOCK_ROLE_PRIMARY;
}

/*
 * A daemon before this one made the link: decide asks for none, as there is one, but
 * its keys grow old and its end is ours to see. What is not linked decide asks for.
 */
static void take_over(struct daemon *d, const struct vol *v, struct own *o,
		      struct own_link *l)
{
	const struct kern_peer *p = peer_of(o, &l->peer);

	if (!p || !state_linked(p->state))
		return;
	want(d, v, o, l, true, true);
	l->handed = l->wanted;
	l->was_state = p->state;
}

void links_turn(struct daemon *d, const struct vol *v, struct own *o)
{
	static const struct swb_uuid nobody;
	const struct swb_config *c = &v->b->record.config;
	struct own_link *l;
	bool accept;
	unsigned int i;

	if (!d->linker)
		return;
	for (i = 0; i < OWN_PEERS; i++) {
		l = &o->link[i];
		if (swb_uuid_equal(&l->peer, &nobody))
			continue;
		if (!may_link(v, o, &l->peer, &accept)) {
			unwant(d, o, l);
			if (swb_core_member_index(c, &l->peer) == SWB_NOBODY)
				memset(l, 0, sizeof(*l));
		} else if (l->wanted && l->connect == accept) {
			unwant(d, o, l);	/* the roles have changed */
		} else if (l->wanted && l->connect &&
			   *address_of(d, v, &l->peer) &&
			   strcmp(l->address, address_of(d, v, &l->peer))) {
			/* an address is no identity: it is tried where it is now */
			want(d, v, o, l, true, false);
		}
	}
	for (i = 0; i < c->member_count; i++) {
		if (swb_uuid_equal(&c->member[i], &o->replica) ||
		    !may_link(v, o, &c->member[i], &accept))
			continue;
		l = need_link(o, &c->member[i]);
		if (l && !l->wanted && accept)
			want(d, v, o, l, false, false);
		else if (l && !l->wanted)
			take_over(d, v, o, l);
	}
}

static void take(struct daemon *d, struct link_ready *r)
{
	struct own *o = observe_own(d, &r->id.from);
	struct own_link *l = o ? links_of(o, &r->id.to) : NULL;
	const struct vol *v = o ? observe_vol(d, &o->volume) : NULL;
	const char *step = r->dialed ? "link" : "accept";
	struct log_about about = { .member = o ? o->label : NULL };
	char name[CTL_UUID_TEXT];
	int err = -ENODEV;

	if (l && l->wanted && o->kv && d->kern) {
		fault_point(step, false);
		err = kern_link(d->kern, o->kv->id, &r->id.to, r->fd, r->move,
				random_u64());
		fault_point(step, true);
	}
	close(r->fd);
	d->dump_due = true;
	if (!v || !v->b || !l)
		return;
	about.volume = v->b->wish.label;
	about.epoch = v->b->record.epoch;
	view_label(v, &r->id.to, name);
	if (!err) {
		l->handed = true;
		l->serial = r->serial;
		/* one that comes and goes between two dumps has ended, too */
		l->was_state = SWBLOCK_PEER_OPENING;
		log_say(LOG_LEVEL_INFO, &about, "a link was handed to the module",
			"peer=%s address=%s encrypted=%s key=%s", name, r->address,
			r->encrypted ? "yes" : "no", *r->key_id ? r->key_id : "-");
		return;
	}
	log_say(LOG_LEVEL_WARNING, &about, "the module did not take a link",
		"peer=%s error=\"%s\"", name, d->kern && *kern_error(d->kern) ?
		kern_error(d->kern) : strerror(-err));
	ended(d, o, l);
}

static int on_ready(sd_event_source *s, int fd, uint32_t revents, void *arg)
{
	struct daemon *d = arg;
	struct link_ready r;

	(void)s;
	(void)fd;
	(void)revents;
	while (linker_next(d->linker, &r))
		take(d, &r);
	return 0;
}

static void say(void *arg, const char *line)
{
	(void)arg;
	log_say(LOG_LEVEL_INFO, NULL, line, NULL);
}

bool links_keys(struct daemon *d)
{
	struct tls_keys keys;
	char why[LINK_WHY_MAX];
	bool good;

	if (!*d->cfg.key_file)
		good = linker_keys(d->linker, NULL, why);
	else
		good = tls_keys_load(d->cfg.key_file, &keys, why, sizeof(why)) &&
		       linker_keys(d->linker, &keys, why);
	if (*d->cfg.key_file)
		tls_keys_wipe(&keys);
	if (!good)
		log_say(LOG_LEVEL_ERROR, NULL, "the keys cannot be used", "error=\"%s\"",
			why);
	return good;
}

bool links_check_keys(const struct config *cfg, char *why, size_t len)
{
	struct tls_keys keys;
	bool good = tls_keys_load(cfg->key_file, &keys, why, len);

	tls_keys_wipe(&keys);
	return good;
}

int links_open(struct daemon *d)
{
	struct linker_config c = {
		.handshake_ms = d->cfg.hello_ms, .say = say, .arg = d,
		.backoff_min_ms = (unsigned int)(d->cfg.tune.backoff_ns / 1000000),
	};
	char why[LINK_WHY_MAX];

	d->linker = linker_create(&c);
	if (!d->linker)
		return -errno;
	if (!links_keys(d))
		return -EINVAL;
	if (!linker_listen(d->linker, d->cfg.listen, why)) {
		log_say(LOG_LEVEL_ERROR, NULL, "cannot listen for peers",
			"listen=%s error=\"%s\"", d->cfg.listen, why);
		return -EADDRNOTAVAIL;
	}
	log_say(LOG_LEVEL_NOTICE, NULL, why, "listen=%s", d->cfg.listen);
	return sd_event_add_io(d->ev, NULL, linker_fd(d->linker), EPOLLIN, on_ready,
			       d);
}

void links_close(struct daemon *d)
{
	if (d->linker)
		linker_destroy(d->linker);
	d->linker = NULL;
}
