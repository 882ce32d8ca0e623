// SPDX-License-Identifier: GPL-2.0-only
/*
 * Store calls away from the event loop. A request goes
 *
 *	waiting --> running --> finished --> done(), release()
 *	   `-----------'- deadline: done(-ETIMEDOUT); release() when it is back
 *
 * Lock: q->lock, around the lists, the health and the flags, never over a store
 * call or a callback. The threads and the owner each hold a reference, so a thread
 * that hangs at the end keeps the memory that it will touch.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "ctl.h"
#include "store_queue.h"

#define WATCH_SLICE_MS	500	/* how soon the second thread sees the end */
#define PAUSE_MIN_NS	(100 * 1000000ULL)
#define PAUSE_MAX_NS	(2 * NSEC_PER_SEC)

enum { REQ_WAITING, REQ_RUNNING, REQ_FINISHED };

struct list {
	struct store_request *first;
	struct store_request *last;
};

/**
 * struct line - a thread's way to the store
 * @q: queue
 * @s: handle, NULL while it is closed
 * @generation: of the store, as that handle found it
 * @err: of the last attempt to open it
 * @pause_ns: before the next one
 * @again_ns: when that is
 */
struct line {
	struct store_queue *q;
	struct store *s;
	uint64_t generation;
	int err;
	uint64_t pause_ns;
	uint64_t again_ns;
};

struct store_queue {
	struct store_queue_config cfg;
	char *address;
	char *watch;
	int epoll, event, timer;
	struct line worker, watcher;

	pthread_mutex_t lock;
	pthread_cond_t work;	/* something to do, or the end */
	pthread_cond_t ended;	/* a thread has ended */
	unsigned int threads;
	unsigned int refs;
	bool stop;
	bool changed;
	unsigned int depth;	/* waiting and running */
	struct list waiting, finished;
	struct store_request *running;
	struct store_health health;
	uint64_t seen;		/* newest change of its generation, by any handle */
};

static void push(struct list *l, struct store_request *req)
{
	req->next = NULL;
	if (l->last)
		l->last->next = req;
	else
		l->first = req;
	l->last = req;
}

static struct store_request *pop(struct list *l)
{
	struct store_request *req = l->first;

	if (req) {
		l->first = req->next;
		if (!l->first)
			l->last = NULL;
	}
	return req;
}

static void kick(struct store_queue *q)
{
	uint64_t one = 1;

	/* full means: it is readable already */
	if (write(q->event, &one, sizeof(one)) < 0)
		return;
}

/* Called with the lock held, gives it up. */
static void put_queue(struct store_queue *q)
{
	unsigned int refs = --q->refs;

	pthread_mutex_unlock(&q->lock);
	if (refs)
		return;
	close(q->epoll);
	close(q->event);
	close(q->timer);
	pthread_cond_destroy(&q->work);
	pthread_cond_destroy(&q->ended);
	pthread_mutex_destroy(&q->lock);
	free(q->address);
	free(q->watch);
	free(q);
}

/* --- the threads --- */

/* An answer, even an unwelcome one, says that the store is there. */
static bool is_answer(int err)
{
	return err != -EIO && err != -ETIMEDOUT && err != -EACCES && err != -EXDEV;
}

static void note_health(struct store_queue *q, int err, uint64_t start_ns,
			const char *words)
{
	uint64_t now = boottime_ns();

	pthread_mutex_lock(&q->lock);
	q->health.reachable = is_answer(err);
	if (q->health.reachable) {
		q->health.last_ok_ns = now;
		q->health.latency_ns = now - start_ns;
		q->health.error[0] = 0;
	} else {
		snprintf(q->health.error, sizeof(q->health.error), "%s", words);
	}
	pthread_mutex_unlock(&q->lock);
}

/*
 * P17c: the address is no identity, and the right store is none if it was put back
 * in time: a new handle must know at least what others had seen before it was
 * opened (@least), unless the operator has raised the generation.
 * Return: 0, or -EXDEV and @why.
 */
static int same_store(struct store_queue *q, const struct store_identity *id,
		      uint64_t least, uint64_t seen, char *why, size_t len)
{
	const struct store_identity *known = &q->health.identity;
	int err = 0;

	pthread_mutex_lock(&q->lock);
	if (q->health.identity_known &&
	    memcmp(known->uuid, id->uuid, sizeof(id->uuid))) {
		snprintf(why, len, "another store is at this address now");
		err = -EXDEV;
	} else if (q->health.identity_known && (id->generation < known->generation ||
		   (id->generation == known->generation && seen < least))) {
		snprintf(why, len,
			 "the store went back from change %llu to %llu: restored from a backup? then it needs a new generation",
			 (unsigned long long)least, (unsigned long long)seen);
		err = -EXDEV;
	} else {
		if (seen > q->seen || id->generation != known->generation)
			q->seen = seen;
		q->health.identity = *id;
		q->health.identity_known = true;
	}
	pthread_mutex_unlock(&q->lock);
	return err;
}

/* What this handle knows, every later one of this generation must know. */
static void line_note_seen(struct line *l)
{
	uint64_t seen = store_seen(l->s);

	pthread_mutex_lock(&l->q->lock);
	if (seen > l->q->seen && l->generation == l->q->health.identity.generation)
		l->q->seen = seen;
	pthread_mutex_unlock(&l->q->lock);
}

static void line_close(struct line *l)
{
	store_close(l->s);
	l->s = NULL;
}

static int line_connect(struct line *l, char *why, size_t len)
{
	struct store_queue *q = l->q;
	struct store_identity id;
	uint64_t least;
	int err;

	pthread_mutex_lock(&q->lock);
	least = q->seen;
	pthread_mutex_unlock(&q->lock);
	err = store_open(&l->s, q->address, q->cfg.create, q->cfg.timeout_ms, why, len);
	if (!err) {
		err = store_identity(l->s, &id);
		if (err)
			snprintf(why, len, "%s", store_error(l->s));
	}
	if (!err)
		err = same_store(q, &id, least, store_seen(l->s), why, len);
	if (err)
		line_close(l);
	else
		l->generation = id.generation;
	/* no store is not the same as no document */
	return err == -ENOENT ? -EIO : err;
}

/* Return: 0 and l->s, or what is wrong; tries again after a growing pause. */
static int line_open(struct line *l)
{
	uint64_t start = boottime_ns();
	char why[256] = "";

	if (l->s)
		return 0;
	if (start < l->again_ns)
		return l->err;
	l->err = line_connect(l, why, sizeof(why));
	note_health(l->q, l->err, start, why);
	if (!l->err) {
		l->pause_ns = 0;
		return 0;
	}
	l->pause_ns = l->pause_ns ? 2 * l->pause_ns : PAUSE_MIN_NS;
	if (l->pause_ns > PAUSE_MAX_NS)
		l->pause_ns = PAUSE_MAX_NS;
	l->again_ns = boottime_ns() + l->pause_ns;
	return l->err;
}

static int serve(struct line *l, struct store_request *req)
{
	uint64_t start = boottime_ns();
	int err = line_open(l);

	if (err)
		return err;
	err = req->work(l->s, req);
	line_note_seen(l);
	note_health(l->q, err, start, store_error(l->s));
	if (!is_answer(err) && err != -ETIMEDOUT)
		line_close(l);	/* a fresh look at who is there */
	return err;
}

static void thread_ended(struct store_queue *q)
{
	q->threads--;
	pthread_cond_broadcast(&q->ended);
	put_queue(q);
}

static void *worker_main(void *arg)
{
	struct store_queue *q = arg;
	struct store_request *req;
	int err;

	pthread_mutex_lock(&q->lock);
	while (!q->stop) {
		req = pop(&q->waiting);
		if (!req) {
			pthread_cond_wait(&q->work, &q->lock);
			continue;
		}
		req->state = REQ_RUNNING;
		q->running = req;
		pthread_mutex_unlock(&q->lock);
		err = serve(&q->worker, req);
		pthread_mutex_lock(&q->lock);
		req->err = err;
		req->state = REQ_FINISHED;
		q->running = NULL;
		q->depth--;
		push(&q->finished, req);
		kick(q);
	}
	pthread_mutex_unlock(&q->lock);
	line_close(&q->worker);
	pthread_mutex_lock(&q->lock);
	thread_ended(q);
	return NULL;
}

/* Sleeps until the next attempt, or the end. Called with the lock held. */
static void watcher_pause(struct store_queue *q)
{
	uint64_t ns = q->watcher.pause_ns ? q->watcher.pause_ns : PAUSE_MIN_NS;
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ns += (uint64_t)ts.tv_nsec;
	ts.tv_sec += (time_t)(ns / NSEC_PER_SEC);
	ts.tv_nsec = (long)(ns % NSEC_PER_SEC);
	while (!q->stop && !pthread_cond_timedwait(&q->work, &q->lock, &ts))
		;
}

static void *watcher_main(void *arg)
{
	struct store_queue *q = arg;
	struct line *l = &q->watcher;
	uint64_t since = 0;
	int ret;

	pthread_mutex_lock(&q->lock);
	while (!q->stop) {
		pthread_mutex_unlock(&q->lock);
		ret = line_open(l);
		if (!ret)
			ret = store_wait(l->s, q->watch, &since, WATCH_SLICE_MS);
		if (l->s)
			line_note_seen(l);
		if (ret < 0 && l->s) {
			/* what was missed meanwhile is found by looking again */
			line_close(l);
			since = 0;
		}
		pthread_mutex_lock(&q->lock);
		if (ret == 1) {
			q->changed = true;
			kick(q);
		} else if (ret < 0) {
			watcher_pause(q);
		}
	}
	pthread_mutex_unlock(&q->lock);
	line_close(l);
	pthread_mutex_lock(&q->lock);
	thread_ended(q);
	return NULL;
}

/* --- the owner's side --- */

static int start_thread(struct store_queue *q, void *(*fn)(void *))
{
	pthread_t t;
	int err;

	pthread_mutex_lock(&q->lock);
	q->threads++;
	q->refs++;
	pthread_mutex_unlock(&q->lock);
	err = pthread_create(&t, NULL, fn, q);
	if (!err) {
		pthread_detach(t);
		return 0;
	}
	pthread_mutex_lock(&q->lock);
	q->threads--;
	put_queue(q);
	return -err;
}

/* Signals are the loop's business. */
static int start_threads(struct store_queue *q)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = start_thread(q, worker_main);
	if (!err && q->watch)
		err = start_thread(q, watcher_main);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err;
}

static int open_fds(struct store_queue *q)
{
	struct epoll_event ev = { .events = EPOLLIN };

	q->epoll = epoll_create1(EPOLL_CLOEXEC);
	q->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	q->timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (q->epoll < 0 || q->event < 0 || q->timer < 0 ||
	    epoll_ctl(q->epoll, EPOLL_CTL_ADD, q->event, &ev) ||
	    epoll_ctl(q->epoll, EPOLL_CTL_ADD, q->timer, &ev))
		return -errno;
	return 0;
}

int store_queue_create(struct store_queue **out,
		       const struct store_queue_config *cfg)
{
	struct store_queue *q = calloc(1, sizeof(*q));
	pthread_condattr_t attr;
	int err;

	*out = NULL;
	if (!q)
		return -ENOMEM;
	q->cfg = *cfg;
	q->refs = 1;
	q->worker.q = q;
	q->watcher.q = q;
	pthread_mutex_init(&q->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&q->work, &attr);
	pthread_cond_init(&q->ended, &attr);
	pthread_condattr_destroy(&attr);
	q->address = strdup(cfg->address);
	q->watch = cfg->watch ? strdup(cfg->watch) : NULL;
	err = open_fds(q);
	if (!err && (!q->address || (cfg->watch && !q->watch)))
		err = -ENOMEM;
	if (!err)
		err = start_threads(q);
	if (err)
		store_queue_destroy(q, 0);
	else
		*out = q;
	return err;
}

int store_queue_fd(const struct store_queue *q)
{
	return q->epoll;
}

/* The earliest deadline that nobody was told about. Called with the lock held. */
static void arm_timer(struct store_queue *q)
{
	struct itimerspec its = { 0 };
	struct store_request *req;
	uint64_t at = 0;

	if (q->running && !q->running->told)
		at = q->running->deadline_ns;
	for (req = q->waiting.first; req; req = req->next)
		if (req->deadline_ns && (!at || req->deadline_ns < at))
			at = req->deadline_ns;
	its.it_value.tv_sec = (time_t)(at / NSEC_PER_SEC);
	its.it_value.tv_nsec = (long)(at % NSEC_PER_SEC);
	timerfd_settime(q->timer, TFD_TIMER_ABSTIME, &its, NULL);
}

int store_queue_submit(struct store_queue *q, struct store_request *req)
{
	int err = 0;

	pthread_mutex_lock(&q->lock);
	if (q->depth >= STORE_QUEUE_DEPTH) {
		err = -ENOBUFS;
	} else {
		req->state = REQ_WAITING;
		req->told = false;
		req->err = 0;
		q->depth++;
		push(&q->waiting, req);
		arm_timer(q);
		pthread_cond_broadcast(&q->work);
	}
	pthread_mutex_unlock(&q->lock);
	return err;
}

static void tell(struct store_request *req, int err)
{
	if (!req->told) {
		req->told = true;
		req->done(req, err);
	}
}

static bool is_over(const struct store_request *req, uint64_t now)
{
	return req->deadline_ns && req->deadline_ns <= now;
}

/* Requests that wait and whose time is over; they never run. Lock held. */
static void take_late(struct store_queue *q, struct list *late, uint64_t now)
{
	struct list keep = { 0 };
	struct store_request *req;

	while ((req = pop(&q->waiting))) {
		if (is_over(req, now)) {
			req->err = -ETIMEDOUT;
			q->depth--;
			push(late, req);
		} else {
			push(&keep, req);
		}
	}
	q->waiting = keep;
}

void store_queue_dispatch(struct store_queue *q)
{
	struct store_request *req, *late_running = NULL;
	struct list over;
	uint64_t count, now = boottime_ns();
	bool changed;

	/* either may be empty */
	if (read(q->event, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return;
	if (read(q->timer, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return;
	pthread_mutex_lock(&q->lock);
	over = q->finished;
	memset(&q->finished, 0, sizeof(q->finished));
	take_late(q, &over, now);
	if (q->running && !q->running->told && is_over(q->running, now)) {
		/* told here, under the lock: nobody else looks at it but release */
		late_running = q->running;
		late_running->told = true;
	}
	changed = q->changed;
	q->changed = false;
	arm_timer(q);
	pthread_mutex_unlock(&q->lock);

	/* it is released by a later dispatch, so it is still there */
	if (late_running)
		late_running->done(late_running, -ETIMEDOUT);
	while ((req = pop(&over))) {
		tell(req, req->err);
		req->release(req);
	}
	if (changed && q->cfg.changed)
		q->cfg.changed(q->cfg.arg);
}

void store_queue_health(struct store_queue *q, struct store_health *out)
{
	pthread_mutex_lock(&q->lock);
	*out = q->health;
	out->waiting = q->depth;
	pthread_mutex_unlock(&q->lock);
}

/* Lock held. Return: true if all threads have ended. */
static bool wait_ended(struct store_queue *q, unsigned int patience_ms)
{
	struct timespec ts;
	uint64_t ns;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ns = (uint64_t)ts.tv_nsec + patience_ms * 1000000ULL;
	ts.tv_sec += (time_t)(ns / NSEC_PER_SEC);
	ts.tv_nsec = (long)(ns % NSEC_PER_SEC);
	while (q->threads)
		if (pthread_cond_timedwait(&q->ended, &q->lock, &ts))
			return !q->threads;
	return true;
}

bool store_queue_destroy(struct store_queue *q, unsigned int patience_ms)
{
	struct store_request *req, *left;
	struct list waiting, finished;
	bool all;

	pthread_mutex_lock(&q->lock);
	q->stop = true;
	pthread_cond_broadcast(&q->work);
	waiting = q->waiting;
	memset(&q->waiting, 0, sizeof(q->waiting));
	all = wait_ended(q, patience_ms);
	finished = q->finished;
	memset(&q->finished, 0, sizeof(q->finished));
	left = q->running;
	if (left && left->told)
		left = NULL;
	else if (left)
		left->told = true;
	pthread_mutex_unlock(&q->lock);

	while ((req = pop(&finished))) {
		tell(req, req->err);
		req->release(req);
	}
	while ((req = pop(&waiting))) {
		tell(req, -ECANCELED);
		req->release(req);
	}
	/* it may come back at any time: never released */
	if (left)
		left->done(left, -ECANCELED);
	pthread_mutex_lock(&q->lock);
	put_queue(q);
	return all;
}
