// SPDX-License-Identifier: GPL-2.0-only
/*
 * One handshake in a thread of its own: connect or accepted, TLS, hello, and the
 * result to linker.c. A peer that is slow, silent or hostile costs this thread,
 * until its deadline, and nobody else.
 */
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "linkpriv.h"

#define STACK_BYTES	(512 * 1024)
#define LINES_PER_S	20

/* A stranger who knocks all day must not fill the disk with it. */
static bool may_say(struct linker *l)
{
	uint64_t now = boottime_ns();
	bool yes;

	pthread_mutex_lock(&l->lock);
	if (now - l->said_ns >= NSEC_PER_SEC) {
		l->said_ns = now;
		l->said = 0;
	}
	yes = l->said++ < LINES_PER_S;
	if (!yes)
		l->stats.unsaid++;
	pthread_mutex_unlock(&l->lock);
	return yes;
}

static void say(const struct job *job, const char *what, const char *why,
		const char *reason)
{
	struct linker *l = job->l;
	char line[LINK_WHY_MAX + 128];

	if (!l->cfg.say || !may_say(l))
		return;
	snprintf(line, sizeof(line), "link %s %s: %s: %s (%s)",
		 job->incoming ? "from" : "to", *job->address ? job->address : "?",
		 what, why, reason);
	l->cfg.say(l->cfg.arg, line);
}

static void name_peer(struct job *job, int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	char host[48] = "?", port[8] = "?";

	if (getpeername(fd, (struct sockaddr *)&ss, &len) ||
	    getnameinfo((struct sockaddr *)&ss, len, host, sizeof(host), port,
			sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV))
		return;
	snprintf(job->address, sizeof(job->address), "%s:%s", host, port);
}

/* From here on the linker can shut it down. */
static void set_fd(struct job *job, int fd)
{
	pthread_mutex_lock(&job->l->lock);
	job->fd = fd;
	if (fd >= 0 && (job->l->stop || job->evicted))
		shutdown(fd, SHUT_RDWR);
	pthread_mutex_unlock(&job->l->lock);
}

static void drop_fd(struct job *job)
{
	int fd = job->fd;

	set_fd(job, -1);
	if (fd >= 0)
		close(fd);
}

/* ---- both ways ---------------------------------------------------------------- */

static bool encrypt(struct job *job, char why[LINK_WHY_MAX])
{
	struct linker *l = job->l;

	memset(&job->tls, 0, sizeof(job->tls));
	if (!job->keys.count)
		return true;
	if (tls_run(job->fd, job->incoming ? TLS_SERVER : TLS_CLIENT, &job->keys,
		    job->deadline_ns, &job->tls))
		return true;
	pthread_mutex_lock(&l->lock);
	l->stats.tls[job->tls.reason]++;
	pthread_mutex_unlock(&l->lock);
	snprintf(why, LINK_WHY_MAX, "%s%s", job->tls.by_peer ? "the peer refused: " : "",
		 job->tls.text);
	say(job, "TLS", why, tls_reason_text(job->tls.reason));
	return false;
}

static void hello_failed(struct job *job, const struct hello_result *res,
			 char why[LINK_WHY_MAX])
{
	struct linker *l = job->l;

	pthread_mutex_lock(&l->lock);
	l->stats.hello[res->reason]++;
	pthread_mutex_unlock(&l->lock);
	snprintf(why, LINK_WHY_MAX, "%s%s", res->by_peer ? "the peer refused: " : "",
		 res->text);
	say(job, "hello", why, hello_reason_text(res->reason));
}

static void deliver(struct job *job, const struct hello_result *res)
{
	struct linker *l = job->l;

	pthread_mutex_lock(&l->lock);
	link_deliver(job, res);
	pthread_mutex_unlock(&l->lock);
}

/* ---- who comes in ------------------------------------------------------------- */

/* By whom the key was given out: a key of the cluster opens no volume of its own. */
static bool key_fits(const struct job *job, const struct pair *p)
{
	const struct tls_keys *keys = p->own ? p->own : &job->l->cluster;

	return job->keys.count ? !!tls_keys_find(keys, job->tls.key_id) : !keys->count;
}

/*
 * Two connections at once, one each way: both ends must keep the same one. The
 * smaller replica id settles it, under its lock: if its own hello may be out by now
 * it refuses the other connection, else it gives its own up before it says a word.
 * The greater id takes what comes and gives its own up, which it looks at once
 * more before its last word (still_wanted()).
 */
static bool is_crossing(struct linker *l, struct pair *p)
{
	if (p->greeting && memcmp(p->want.hello.from.b, p->want.hello.to.b, 16) < 0)
		return true;
	if (p->dialing) {
		p->dial++;
		p->dialing = false;
		p->greeting = false;
	}
	/* none of ours begins now, unless nothing comes of theirs */
	if (p->due_ns != UINT64_MAX)
		p->due_ns = max_t(uint64_t, p->due_ns, boottime_ns() +
				  (uint64_t)l->cfg.handshake_ms * 1000000);
	return false;
}

static const struct swb_uuid nobody;

/* The reason says the most that is known: which of volume, member, peer is not here. */
static enum hello_reason find_pair(struct linker *l, const struct hello *peer,
				   struct pair **found, struct hello *me)
{
	enum hello_reason why = HELLO_FOREIGN_VOLUME;
	struct pair *p;

	for (p = l->pairs; p; p = p->next) {
		const struct hello *h = &p->want.hello;
		bool meant = swb_uuid_equal(&h->from, &peer->to);

		if (!swb_uuid_equal(&h->volume, &peer->volume))
			continue;
		if (swb_uuid_equal(&h->to, &peer->from) &&
		    (meant || swb_uuid_is_null(&peer->to))) {
			*found = p;
			*me = *h;
			return HELLO_OK;
		}
		if (why == HELLO_NOT_MEMBER)
			continue;
		why = meant ? HELLO_NOT_MEMBER : HELLO_NOT_WANTED;
		*me = *h;
		me->to = nobody;
	}
	return why;
}

static enum hello_reason choose(void *arg, const struct hello *peer, struct hello *me)
{
	struct job *job = arg;
	struct linker *l = job->l;
	struct pair *p = NULL;
	enum hello_reason why;

	pthread_mutex_lock(&l->lock);
	why = find_pair(l, peer, &p, me);
	if (!why && !key_fits(job, p))
		why = HELLO_OTHER_KEY;
	else if (!why && is_crossing(l, p))
		why = HELLO_BUSY;
	if (!why)
		job->id = (struct link_id){ me->volume, me->from, me->to };
	pthread_mutex_unlock(&l->lock);
	return why;
}

static void run_incoming(struct job *job)
{
	struct hello_result res;
	char why[LINK_WHY_MAX];

	name_peer(job, job->fd);
	if (!encrypt(job, why))
		return;
	if (hello_answer(job->fd, choose, job, job->deadline_ns, &res))
		deliver(job, &res);
	else
		hello_failed(job, &res, why);
}

/* ---- who is called ------------------------------------------------------------ */

static bool still_wanted(void *arg)
{
	struct job *job = arg;
	struct linker *l = job->l;
	struct pair *p;
	bool newest;

	pthread_mutex_lock(&l->lock);
	p = link_pair(l, &job->id);
	newest = p && p->dial == job->dial;
	pthread_mutex_unlock(&l->lock);
	return newest;
}

static bool greeting(struct job *job, bool yes)
{
	struct linker *l = job->l;
	struct pair *p;
	bool newest;

	pthread_mutex_lock(&l->lock);
	p = link_pair(l, &job->id);
	newest = p && p->dial == job->dial && p->dialing;
	if (newest)
		p->greeting = yes;
	pthread_mutex_unlock(&l->lock);
	return newest;
}

static bool may_be_clear(const struct job *job, char why[LINK_WHY_MAX])
{
	if (job->keys.count || job->l->cfg.insecure || net_peer_is_local(job->fd))
		return true;
	snprintf(why, LINK_WHY_MAX,
		 "it is beyond this host, and there is no key for the link");
	say(job, "refused", why, "no_key");
	return false;
}

static bool dial(struct job *job, char why[LINK_WHY_MAX])
{
	struct hello_result res;

	if (!may_be_clear(job, why) || !encrypt(job, why))
		return false;
	if (!hello_run_if(job->fd, &job->want.hello, still_wanted, job,
			  job->deadline_ns, &res)) {
		hello_failed(job, &res, why);
		return false;
	}
	deliver(job, &res);
	return true;
}

static bool call(struct job *job, const char *endpoint, char why[LINK_WHY_MAX])
{
	struct linker *l = job->l;
	bool good = false;
	int fd;

	text_copy(job->address, endpoint, sizeof(job->address));
	job->deadline_ns = boottime_ns() + (uint64_t)l->cfg.handshake_ms * 1000000;
	fd = net_connect_once(endpoint, job->deadline_ns, why, LINK_WHY_MAX);
	if (fd < 0) {
		pthread_mutex_lock(&l->lock);
		l->stats.unreachable++;
		pthread_mutex_unlock(&l->lock);
		say(job, "connect", why, "unreachable");
		return false;
	}
	set_fd(job, fd);
	name_peer(job, fd);
	if (greeting(job, true))
		good = dial(job, why);
	greeting(job, false);
	return good;
}

static void run_outgoing(struct job *job)
{
	char why[LINK_WHY_MAX] = "there is no endpoint";
	struct linker *l = job->l;
	unsigned int i;

	for (i = 0; i < job->want.endpoint_count; i++) {
		if (call(job, job->want.endpoint[i], why))
			return;
		drop_fd(job);
		if (__atomic_load_n(&l->stop, __ATOMIC_RELAXED))
			break;
	}
	pthread_mutex_lock(&l->lock);
	link_failed(job, why);
	pthread_mutex_unlock(&l->lock);
}

/* ---- the thread ----------------------------------------------------------------- */

static void job_free(struct job *job)
{
	tls_keys_wipe(&job->keys);
	free(job);
}

/* The last thing a thread does; the linker may be gone behind it. */
static void job_end(struct job *job)
{
	struct linker *l = job->l;
	struct job **at;

	drop_fd(job);
	pthread_mutex_lock(&l->lock);
	for (at = &l->jobs; *at != job; at = &(*at)->next)
		;
	*at = job->next;
	if (job->incoming)
		l->stats.incoming--;
	else
		l->stats.outgoing--;
	job_free(job);
	pthread_cond_signal(&l->idle);
	pthread_mutex_unlock(&l->lock);
}

static void *job_thread(void *arg)
{
	struct job *job = arg;

	if (job->incoming)
		run_incoming(job);
	else
		run_outgoing(job);
	job_end(job);
	return NULL;
}

static bool job_start(struct job *job)
{
	sigset_t all, old;
	pthread_attr_t attr;
	pthread_t thread;
	int err;

	/* signals belong to the main loop */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	err = pthread_create(&thread, &attr, job_thread, job);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return !err;
}

static struct job *job_new(struct linker *l, bool incoming, int fd)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->l = l;
	job->incoming = incoming;
	job->fd = fd;
	job->begun_ns = boottime_ns();
	job->deadline_ns = job->begun_ns + (uint64_t)l->cfg.handshake_ms * 1000000;
	job->next = l->jobs;
	l->jobs = job;
	if (incoming)
		l->stats.incoming++;
	else
		l->stats.outgoing++;
	return job;
}

static bool job_go(struct job *job)
{
	struct linker *l = job->l;

	if (job_start(job))
		return true;
	l->jobs = job->next;
	if (job->incoming)
		l->stats.incoming--;
	else
		l->stats.outgoing--;
	job_free(job);
	return false;
}

/* A stranger may come with any key that somebody here would take. */
static void all_keys(const struct linker *l, struct tls_keys *keys)
{
	const struct pair *p;
	unsigned int i;

	*keys = l->cluster;
	for (p = l->pairs; p; p = p->next)
		for (i = 0; p->own && i < p->own->count; i++)
			tls_keys_add(keys, &p->own->key[i]);
}

void link_start_incoming(struct linker *l, int fd)
{
	struct job *job = job_new(l, true, fd);

	if (job) {
		all_keys(l, &job->keys);
		if (job_go(job))
			return;
	}
	close(fd);
}

bool link_start_outgoing(struct linker *l, struct pair *p)
{
	struct job *job = job_new(l, false, -1);

	if (!job)
		return false;
	job->keys = p->own ? *p->own : l->cluster;
	job->want = p->want;
	job->dial = ++p->dial;
	job->id = (struct link_id){ p->want.hello.volume, p->want.hello.from,
				    p->want.hello.to };
	p->dialing = true;
	p->greeting = false;
	if (job_go(job))
		return true;
	p->dialing = false;
	return false;
}
