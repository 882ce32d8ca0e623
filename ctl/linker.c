// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who is wanted, who is due, who gives way. One thread accepts and starts what is
 * due; handshakes are in linkjob.c. No lock is held over I/O.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "linkpriv.h"

#define NSEC_PER_MSEC	((uint64_t)1000000)
#define NEVER		UINT64_MAX
#define GIB		((uint64_t)1 << 30)

/* ---- small things ---------------------------------------------------------------- */

static void wake(struct linker *l)
{
	uint64_t one = 1;

	if (write(l->wake_fd, &one, sizeof(one)) < 0)
		return;		/* full: it is awake */
}

bool link_id_equal(const struct link_id *a, const struct link_id *b)
{
	return swb_uuid_equal(&a->volume, &b->volume) &&
	       swb_uuid_equal(&a->from, &b->from) && swb_uuid_equal(&a->to, &b->to);
}

static struct link_id id_of(const struct hello *h)
{
	return (struct link_id){ h->volume, h->from, h->to };
}

struct pair *link_pair(struct linker *l, const struct link_id *id)
{
	struct pair *p;

	for (p = l->pairs; p; p = p->next) {
		struct link_id own = id_of(&p->want.hello);

		if (link_id_equal(&own, id))
			return p;
	}
	return NULL;
}

unsigned int linker_backoff_ms(unsigned int failures, uint32_t random,
			       unsigned int min_ms, unsigned int max_ms)
{
	uint64_t ms = min_ms;

	while (failures-- > 1 && ms < max_ms)
		ms *= 2;
	ms = min_t(uint64_t, ms, max_ms);
	/* between half of it and all of it: two ends must not meet for ever */
	return (unsigned int)(ms - random % (ms / 2 + 1));
}

static uint64_t pause_ns(const struct linker *l, const struct pair *p)
{
	return linker_backoff_ms(p->failures, (uint32_t)random_u64(),
				 l->cfg.backoff_min_ms, l->cfg.backoff_max_ms) *
	       NSEC_PER_MSEC;
}

static bool can_dial(const struct pair *p)
{
	return p->want.connect && p->want.endpoint_count;
}

/* When a link that is up wants new keys by its age. */
static uint64_t keys_due_ns(const struct linker *l, const struct pair *p)
{
	return can_dial(p) ? p->up_ns + l->cfg.relink_ms * NSEC_PER_MSEC : NEVER;
}

/* ---- the queue ---------------------------------------------------------------------- */

static void queue_drop(struct linker *l, struct ready **at)
{
	struct ready *r = *at;
	uint64_t one;

	*at = r->next;
	/* the eventfd counts as a semaphore */
	if (read(l->event_fd, &one, sizeof(one)) < 0)
		one = 0;
	if (r->link.fd >= 0)
		close(r->link.fd);
	free(r);
}

/* At most one entry for each link: the newest. */
static void queue_forget(struct linker *l, const struct link_id *id)
{
	struct ready **at = &l->queue;

	while (*at) {
		if (link_id_equal(&(*at)->link.id, id))
			queue_drop(l, at);
		else
			at = &(*at)->next;
	}
}

static void queue_put(struct linker *l, struct ready *r)
{
	struct ready **at = &l->queue;
	uint64_t one = 1;

	queue_forget(l, &r->link.id);
	while (*at)
		at = &(*at)->next;
	*at = r;
	if (write(l->event_fd, &one, sizeof(one)) < 0)
		return;		/* would need 2^64 entries */
}

bool linker_next(struct linker *l, struct link_ready *out)
{
	bool any;

	pthread_mutex_lock(&l->lock);
	any = l->queue;
	if (any) {
		*out = l->queue->link;
		l->queue->link.fd = -1;
		queue_drop(l, &l->queue);
	}
	pthread_mutex_unlock(&l->lock);
	return any;
}

int linker_fd(struct linker *l)
{
	return l->event_fd;
}

/* ---- how attempts end ----------------------------------------------------------------- */

static void pair_up(struct linker *l, struct pair *p, const struct job *job)
{
	bool again = p->state == LINK_UP;

	if (again)
		l->stats.relinks++;
	else
		l->stats.up++;
	if (!job->incoming) {
		p->dialing = false;
		p->greeting = false;
	}
	p->state = LINK_UP;
	p->up_ns = boottime_ns();
	p->due_ns = keys_due_ns(l, p);
	p->sent_known = false;
	p->sent = 0;
	p->encrypted = job->keys.count;
	p->relinking = false;
	p->serial = ++l->serial;
	*p->why = 0;
	text_copy(p->address, job->address, sizeof(p->address));
}

void link_deliver(struct job *job, const struct hello_result *hello)
{
	struct linker *l = job->l;
	struct pair *p = link_pair(l, &job->id);
	struct ready *r;

	if (l->stop || !p || (!job->incoming && p->dial != job->dial)) {
		l->stats.overtaken++;
		return;
	}
	r = calloc(1, sizeof(*r));
	if (!r)
		return;
	r->link = (struct link_ready){
		.id = job->id, .fd = job->fd, .encrypted = job->keys.count,
		.dialed = !job->incoming, .again = p->state == LINK_UP,
		.peer = hello->peer, .proto = hello->proto,
		.move = hello->move,
	};
	text_copy(r->link.key_id, job->tls.key_id, sizeof(r->link.key_id));
	text_copy(r->link.address, job->address, sizeof(r->link.address));
	job->fd = -1;
	pair_up(l, p, job);
	r->link.serial = p->serial;
	queue_put(l, r);
	wake(l);
}

void link_failed(struct job *job, const char *why)
{
	struct linker *l = job->l;
	struct pair *p = link_pair(l, &job->id);

	if (!p || p->dial != job->dial)
		return;
	p->dialing = false;
	p->greeting = false;
	if (p->state == LINK_UP && p->up_ns >= job->begun_ns)
		return;		/* the other side's connection was faster */
	p->failures++;
	p->due_ns = boottime_ns() + pause_ns(l, p);
	if (p->state == LINK_TRYING)
		p->state = LINK_IDLE;
	text_copy(p->why, why, sizeof(p->why));
	wake(l);
}

void linker_lost(struct linker *l, const struct link_id *id, uint64_t serial)
{
	struct pair *p;
	uint64_t now = boottime_ns();

	pthread_mutex_lock(&l->lock);
	p = link_pair(l, id);
	if (p && p->state == LINK_UP && (!serial || serial == p->serial)) {
		/* one that dies at once is no success */
		if (now - p->up_ns >= l->cfg.stable_ms * NSEC_PER_MSEC)
			p->failures = 0;
		p->failures++;
		p->state = LINK_IDLE;
		p->due_ns = can_dial(p) ? now + pause_ns(l, p) : NEVER;
		*p->address = 0;
		queue_forget(l, id);
		wake(l);
	}
	pthread_mutex_unlock(&l->lock);
}

/* ---- new keys in time ------------------------------------------------------------------ */

static void make_due(struct linker *l, struct pair *p)
{
	if (p->state != LINK_UP || !can_dial(p) || p->dialing)
		return;
	p->due_ns = 0;
	wake(l);
}

void linker_sent(struct linker *l, const struct link_id *id, uint64_t bytes)
{
	struct pair *p;

	pthread_mutex_lock(&l->lock);
	p = link_pair(l, id);
	if (p && p->state == LINK_UP) {
		/* a counter that falls belongs to another life of the kernel's volume */
		if (!p->sent_known || bytes < p->sent_base)
			p->sent_base = bytes;
		p->sent_known = true;
		p->sent = bytes - p->sent_base;
		if (p->sent >= l->cfg.relink_bytes && !p->relinking) {
			p->relinking = true;
			make_due(l, p);
		}
	}
	pthread_mutex_unlock(&l->lock);
}

void linker_session(struct linker *l, const struct link_id *id, uint64_t session)
{
	struct pair *p;

	pthread_mutex_lock(&l->lock);
	p = link_pair(l, id);
	if (p)
		p->want.hello.session = session;
	pthread_mutex_unlock(&l->lock);
}

void linker_relink(struct linker *l, const struct link_id *id)
{
	struct pair *p;

	pthread_mutex_lock(&l->lock);
	p = link_pair(l, id);
	if (p)
		make_due(l, p);
	pthread_mutex_unlock(&l->lock);
}

/* ---- what the caller wants ---------------------------------------------------------------- */

/* One name, one key: else it would depend on the order of volumes who gets in. */
static bool keys_agree(const struct tls_keys *a, const struct tls_keys *b,
		       char why[LINK_WHY_MAX])
{
	const struct tls_key *other;
	unsigned int i;

	for (i = 0; a && b && i < a->count; i++) {
		other = tls_keys_find(b, a->key[i].id);
		if (!other || !memcmp(other->key, a->key[i].key, TLS_KEY_BYTES))
			continue;
		snprintf(why, LINK_WHY_MAX, "two keys are called \"%s\": rename one",
			 a->key[i].id);
		return false;
	}
	return true;
}

static bool keys_agree_with_all(struct linker *l, const struct tls_keys *keys,
				const struct pair *but, char why[LINK_WHY_MAX])
{
	const struct pair *p;

	for (p = l->pairs; p; p = p->next)
		if (p != but && !keys_agree(keys, p->own, why))
			return false;
	return true;
}

static void own_keys_set(struct pair *p, struct tls_keys *own)
{
	if (p->own) {
		tls_keys_wipe(p->own);
		free(p->own);
	}
	p->own = own;
}

static bool same_endpoints(const struct link_want *a, const struct link_want *b)
{
	return a->connect == b->connect && a->endpoint_count == b->endpoint_count &&
	       !memcmp(a->endpoint, b->endpoint, sizeof(a->endpoint));
}

/* A new place to look is worth a look now, whatever became of the old one. */
static void look_there(struct linker *l, struct pair *p)
{
	if (p->state == LINK_UP) {
		if (!can_dial(p) || p->due_ns == NEVER)
			p->due_ns = keys_due_ns(l, p);
		return;
	}
	p->dial++;
	p->dialing = false;
	p->greeting = false;
	p->failures = 0;
	p->state = LINK_IDLE;
	p->due_ns = can_dial(p) ? 0 : NEVER;
	wake(l);
}

/* Whoever made it: its keys are counted from now on. */
static void take_over(struct linker *l, struct pair *p)
{
	p->state = LINK_UP;
	p->up_ns = boottime_ns();
	p->due_ns = keys_due_ns(l, p);
}

static void want_put(struct linker *l, struct pair *p, const struct link_want *want)
{
	bool moved = !same_endpoints(&p->want, want);

	p->want = *want;
	p->want.keys = NULL;
	if (moved)
		look_there(l, p);
}

bool linker_want(struct linker *l, const struct link_want *want, char why[LINK_WHY_MAX])
{
	struct link_id id = id_of(&want->hello);
	struct tls_keys *own = NULL;
	struct pair *p, *fresh = calloc(1, sizeof(*fresh));
	bool good = false;

	if (want->keys) {
		own = malloc(sizeof(*own));
		if (own)
			*own = *want->keys;
	}
	text_copy(why, "out of memory", LINK_WHY_MAX);
	if (!fresh || (want->keys && !own))
		goto out;
	pthread_mutex_lock(&l->lock);
	p = link_pair(l, &id);
	good = keys_agree(want->keys, &l->cluster, why) &&
	       keys_agree_with_all(l, want->keys, p, why);
	if (good) {
		if (!p) {
			p = fresh;
			fresh = NULL;
			p->due_ns = NEVER;
			p->next = l->pairs;
			l->pairs = p;
		}
		own_keys_set(p, own);
		own = NULL;
		want_put(l, p, want);
		if (want->up && !fresh)
			take_over(l, p);
		*why = 0;
	}
	pthread_mutex_unlock(&l->lock);
out:
	if (own) {
		tls_keys_wipe(own);
		free(own);
	}
	free(fresh);
	return good;
}

static void pair_free(struct pair *p)
{
	own_keys_set(p, NULL);
	free(p);
}

void linker_unwant(struct linker *l, const struct link_id *id)
{
	struct pair **at, *p;

	pthread_mutex_lock(&l->lock);
	p = link_pair(l, id);
	for (at = &l->pairs; *at && *at != p; at = &(*at)->next)
		;
	if (p) {
		*at = p->next;
		queue_forget(l, id);
		pair_free(p);
	}
	pthread_mutex_unlock(&l->lock);
}

/* ---- who may reach us --------------------------------------------------------------------- */

static bool any_key(const struct linker *l, const struct tls_keys *cluster)
{
	const struct pair *p;

	for (p = l->pairs; p; p = p->next)
		if (p->own)
			return true;
	return cluster && cluster->count;
}

static bool reachable(const struct linker *l)
{
	unsigned int i;

	for (i = 0; i < l->listener_count; i++)
		if (!l->listener[i].loopback)
			return true;
	return false;
}

bool linker_keys(struct linker *l, const struct tls_keys *keys, char why[LINK_WHY_MAX])
{
	bool good;

	*why = 0;
	pthread_mutex_lock(&l->lock);
	good = keys_agree_with_all(l, keys, NULL, why);
	if (good && !any_key(l, keys) && reachable(l) && !l->cfg.insecure) {
		snprintf(why, LINK_WHY_MAX,
			 "without a key only this host may connect: the old key stays");
		good = false;
	}
	if (good) {
		tls_keys_wipe(&l->cluster);
		if (keys)
			l->cluster = *keys;
	}
	pthread_mutex_unlock(&l->lock);
	return good;
}

static void stop_listening(struct linker *l)
{
	while (l->listener_count)
		close(l->listener[--l->listener_count].fd);
}

static bool add_listener(struct linker *l, const char *where, int fd, bool loopback,
			 char why[LINK_WHY_MAX])
{
	bool key = any_key(l, &l->cluster);

	if (!key && !loopback && !l->cfg.insecure) {
		snprintf(why, LINK_WHY_MAX,
			 "not listening on %.128s: without a key only loopback is served", where);
		return false;
	}
	if (l->listener_count == LINK_LISTENERS_MAX) {
		snprintf(why, LINK_WHY_MAX, "no more than %d addresses", LINK_LISTENERS_MAX);
		return false;
	}
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	l->listener[l->listener_count++] = (struct listener){ fd, loopback };
	snprintf(why, LINK_WHY_MAX, "listening on %.128s, %s", where,
		 key ? "TLS with a key" :
		 loopback ? "this host only: there is no key" :
		 "in clear text for everybody who can reach it");
	return true;
}

bool linker_listen(struct linker *l, const char *where, char why[LINK_WHY_MAX])
{
	bool loopback, good = true;
	int fd = -1;

	if (where) {
		fd = net_listen(where, &loopback, why, LINK_WHY_MAX);
		if (fd < 0)
			return false;
	}
	pthread_mutex_lock(&l->lock);
	if (where) {
		good = add_listener(l, where, fd, loopback, why);
	} else {
		stop_listening(l);
		text_copy(why, "not listening", LINK_WHY_MAX);
	}
	pthread_mutex_unlock(&l->lock);
	if (!good)
		close(fd);
	wake(l);
	return good;
}

/* ---- the manager's thread ------------------------------------------------------------------ */

static uint64_t start_due(struct linker *l, uint64_t now)
{
	uint64_t first = NEVER;
	struct pair *p;

	for (p = l->pairs; p; p = p->next) {
		if (p->dialing || p->due_ns == NEVER)
			continue;
		if (p->due_ns <= now && l->stats.outgoing < l->cfg.outgoing_max) {
			l->stats.dialed++;
			if (link_start_outgoing(l, p)) {
				if (p->state == LINK_IDLE)
					p->state = LINK_TRYING;
				continue;
			}
			p->due_ns = now + l->cfg.backoff_max_ms * NSEC_PER_MSEC;
		}
		first = min_t(uint64_t, first, p->due_ns);
	}
	return first;
}

/* Its turn to go: an honest handshake takes milliseconds. */
static void make_room(struct linker *l)
{
	struct job *job, *oldest = NULL;

	if (l->stats.incoming < l->cfg.incoming_max)
		return;
	for (job = l->jobs; job; job = job->next)
		if (job->incoming && !job->evicted &&
		    (!oldest || job->begun_ns <= oldest->begun_ns))
			oldest = job;
	if (!oldest)
		return;
	oldest->evicted = true;
	l->stats.evicted++;
	if (oldest->fd >= 0)
		shutdown(oldest->fd, SHUT_RDWR);
}

static bool still_listening(const struct linker *l, int listener)
{
	unsigned int i;

	for (i = 0; i < l->listener_count; i++)
		if (l->listener[i].fd == listener)
			return true;
	return false;
}

/* Those on their way out count until they are gone; twice the cap is the end. */
static bool accept_one(struct linker *l, int listener)
{
	int fd = -1, on = 1;

	pthread_mutex_lock(&l->lock);
	/* it does not block; its number may be somebody else's by now */
	if (still_listening(l, listener))
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		make_room(l);
		l->stats.accepted++;
		if (l->stats.incoming < 2 * l->cfg.incoming_max)
			link_start_incoming(l, fd);
		else
			close(fd);
	}
	pthread_mutex_unlock(&l->lock);
	return fd >= 0 || (errno != EMFILE && errno != ENFILE && errno != ENOMEM);
}

static unsigned int fill_poll(struct linker *l, struct pollfd *p)
{
	unsigned int i;

	for (i = 0; i < l->listener_count; i++)
		p[i] = (struct pollfd){ .fd = l->listener[i].fd, .events = POLLIN };
	p[i] = (struct pollfd){ .fd = l->wake_fd, .events = POLLIN };
	return i;
}

static int timeout_of(uint64_t due_ns)
{
	uint64_t now = boottime_ns();

	if (due_ns == NEVER)
		return -1;
	return due_ns <= now ? 20 :
	       (int)min_t(uint64_t, 60000, (due_ns - now) / NSEC_PER_MSEC + 1);
}

static void *manage(void *arg)
{
	struct linker *l = arg;
	struct pollfd p[LINK_LISTENERS_MAX + 1];
	unsigned int i, n;
	uint64_t due, count;

	for (;;) {
		pthread_mutex_lock(&l->lock);
		if (l->stop) {
			pthread_mutex_unlock(&l->lock);
			return NULL;
		}
		due = start_due(l, boottime_ns());
		n = fill_poll(l, p);
		pthread_mutex_unlock(&l->lock);
		if (poll(p, n + 1, timeout_of(due)) <= 0)
			continue;
		if (p[n].revents && read(l->wake_fd, &count, sizeof(count)) < 0)
			continue;
		for (i = 0; i < n; i++)
			if ((p[i].revents & POLLIN) && !accept_one(l, p[i].fd))
				usleep(100000);
	}
}

/* ---- begin and end ------------------------------------------------------------------------- */

static void defaults(struct linker_config *c)
{
	c->handshake_ms = c->handshake_ms ? c->handshake_ms : 5000;
	c->incoming_max = c->incoming_max ? c->incoming_max : 64;
	c->outgoing_max = c->outgoing_max ? c->outgoing_max : 64;
	c->backoff_min_ms = c->backoff_min_ms ? c->backoff_min_ms : 200;
	c->backoff_max_ms = c->backoff_max_ms ? c->backoff_max_ms : 15000;
	c->stable_ms = c->stable_ms ? c->stable_ms : 5000;
	c->relink_bytes = c->relink_bytes ? c->relink_bytes : 128 * GIB;
	c->relink_ms = c->relink_ms ? c->relink_ms : (uint64_t)24 * 3600 * 1000;
}

static bool start_manager(struct linker *l)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&l->manager, NULL, manage, l);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = err;
	return !err;
}

struct linker *linker_create(const struct linker_config *cfg)
{
	struct linker *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->cfg = *cfg;
	defaults(&l->cfg);
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->idle, NULL);
	l->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
	l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->event_fd >= 0 && l->wake_fd >= 0 && start_manager(l))
		return l;
	if (l->event_fd >= 0)
		close(l->event_fd);
	if (l->wake_fd >= 0)
		close(l->wake_fd);
	free(l);
	return NULL;
}

void linker_destroy(struct linker *l)
{
	struct pair *p;
	struct job *job;

	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	l->stop = true;
	for (job = l->jobs; job; job = job->next)
		if (job->fd >= 0)
			shutdown(job->fd, SHUT_RDWR);
	pthread_mutex_unlock(&l->lock);
	wake(l);
	pthread_join(l->manager, NULL);
	pthread_mutex_lock(&l->lock);
	while (l->jobs)
		pthread_cond_wait(&l->idle, &l->lock);
	stop_listening(l);
	while (l->queue)
		queue_drop(l, &l->queue);
	while ((p = l->pairs)) {
		l->pairs = p->next;
		pair_free(p);
	}
	tls_keys_wipe(&l->cluster);
	pthread_mutex_unlock(&l->lock);
	close(l->event_fd);
	close(l->wake_fd);
	pthread_cond_destroy(&l->idle);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

/* ---- looking --------------------------------------------------------------------------------- */

void linker_get_stats(struct linker *l, struct linker_stats *out)
{
	pthread_mutex_lock(&l->lock);
	*out = l->stats;
	pthread_mutex_unlock(&l->lock);
}

bool linker_get_info(struct linker *l, const struct link_id *id, struct link_info *out)
{
	struct pair *p;

	memset(out, 0, sizeof(*out));
	pthread_mutex_lock(&l->lock);
	p = link_pair(l, id);
	if (p) {
		*out = (struct link_info){
			.id = *id, .state = p->state, .connect = p->want.connect,
			.encrypted = p->state == LINK_UP && p->encrypted,
			.failures = p->failures,
			.next_ns = p->due_ns == NEVER ? 0 : p->due_ns,
			.up_ns = p->state == LINK_UP ? p->up_ns : 0,
			.sent_bytes = p->sent,
		};
		text_copy(out->address, p->address, sizeof(out->address));
		text_copy(out->why, p->why, sizeof(out->why));
	}
	pthread_mutex_unlock(&l->lock);
	return p;
}
