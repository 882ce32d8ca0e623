// SPDX-License-Identifier: GPL-2.0-only
/*
 * The queue between an event loop and the store: order, deadlines while a request
 * waits and while it runs, a store that comes later or is another one, and an end
 * that does not wait for what hangs.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "store_queue.h"
#include "tap.h"

const struct verb *const ctl_verbs[] = { NULL };

static char dir[32] = "/tmp/swb-queue-XXXXXX";
static char path[64];
static unsigned int changes;

struct job {
	struct store_request req;
	const char *key;
	unsigned int sleep_ms;
	unsigned int ran, done, released;
	int err;
};

static int work(struct store *s, struct store_request *req)
{
	struct job *j = (struct job *)req;
	struct store_op op = { .key = j->key, .value = "1", .expect = STORE_ABSENT };

	__atomic_add_fetch(&j->ran, 1, __ATOMIC_SEQ_CST);
	usleep(j->sleep_ms * 1000);
	return store_txn(s, &op, 1);
}

static void done(struct store_request *req, int err)
{
	struct job *j = (struct job *)req;

	j->done++;
	j->err = err;
}

static void release(struct store_request *req)
{
	((struct job *)req)->released++;
}

static void changed(void *arg)
{
	++*(unsigned int *)arg;
}

static struct job job(const char *key, unsigned int sleep_ms, unsigned int limit_ms)
{
	struct job j = { .req = { .work = work, .done = done, .release = release },
			 .key = key, .sleep_ms = sleep_ms };

	if (limit_ms)
		j.req.deadline_ns = boottime_ns() + limit_ms * 1000000ULL;
	return j;
}

/* Runs the loop until *@what is @value; false after @limit_ms. */
static bool until(struct store_queue *q, const unsigned int *what, unsigned int value,
		  unsigned int limit_ms)
{
	uint64_t end = boottime_ns() + limit_ms * 1000000ULL;
	struct pollfd p = { .fd = store_queue_fd(q), .events = POLLIN };

	while (*what < value && boottime_ns() < end)
		if (poll(&p, 1, 20) > 0)
			store_queue_dispatch(q);
	return *what >= value;
}

static struct store_queue *start(const char *watch)
{
	struct store_queue_config cfg = { .address = path, .timeout_ms = 2000,
					  .watch = watch, .changed = changed,
					  .arg = &changes };
	struct store_queue *q = NULL;

	store_queue_create(&q, &cfg);
	return q;
}

static void make_store(void)
{
	struct store *s;
	char why[256];

	if (store_open(&s, path, true, 2000, why, sizeof(why)))
		printf("# %s\n", why);
	store_close(s);
}

static void test_results(void)
{
	struct job a = job("x/a", 0, 5000), b = job("x/a", 0, 5000);
	struct store_queue *q = start("x/");
	struct store_health h;

	changes = 0;
	ok(until(q, &changes, 1, 2000), "the watch stands, and says so");
	store_queue_submit(q, &a.req);
	store_queue_submit(q, &b.req);
	ok(until(q, &b.released, 1, 5000) && a.err == 0 && b.err == -ESTALE &&
	   a.done == 1 && b.done == 1 && a.released == 1, "results come in order, once");
	ok(until(q, &changes, 2, 2000), "a change is told");
	store_queue_health(q, &h);
	ok(h.reachable && h.identity_known && h.last_ok_ns && !h.waiting,
	   "a refusal is an answer: the store is there");
	ok(store_queue_destroy(q, 3000), "all ends");
}

static void test_deadlines(void)
{
	struct job slow = job("x/slow", 700, 150), behind = job("x/behind", 0, 300);
	struct job last = job("x/last", 0, 5000);
	struct store_queue *q = start(NULL);
	uint64_t t = boottime_ns();

	store_queue_submit(q, &slow.req);
	store_queue_submit(q, &behind.req);
	store_queue_submit(q, &last.req);
	ok(until(q, &slow.done, 1, 2000) && slow.err == -ETIMEDOUT &&
	   boottime_ns() - t < 400 * 1000000ULL && !slow.released,
	   "told at its deadline while it runs, and not released");
	ok(until(q, &behind.done, 1, 2000) && behind.err == -ETIMEDOUT &&
	   behind.released == 1 && !behind.ran, "one that waited too long never runs");
	ok(until(q, &last.done, 1, 3000) && !last.err && slow.released == 1 &&
	   slow.done == 1, "the rest goes on; the slow one is released when it is back");
	store_queue_destroy(q, 3000);
}

static void test_full(void)
{
	struct job slow = job("x/full", 300, 0), more[STORE_QUEUE_DEPTH];
	struct store_queue *q = start(NULL);
	unsigned int i, taken = 0, canceled = 0;

	store_queue_submit(q, &slow.req);
	for (i = 0; i < STORE_QUEUE_DEPTH; i++) {
		more[i] = job("x/more", 0, 0);
		if (!store_queue_submit(q, &more[i].req))
			taken++;
	}
	ok(taken == STORE_QUEUE_DEPTH - 1, "the queue is bounded");
	while (!__atomic_load_n(&slow.ran, __ATOMIC_SEQ_CST))
		usleep(1000);
	ok(store_queue_destroy(q, 5000) && slow.err == 0 && slow.released,
	   "at the end what runs is waited for");
	for (i = 0; i < taken; i++)
		canceled += more[i].err == -ECANCELED && more[i].released == 1;
	ok(canceled == taken, "what waits is told that it will not be");
}

static void test_hanging_end(void)
{
	static struct job hangs;
	struct store_queue *q = start(NULL);
	uint64_t t;

	hangs = job("x/hangs", 1500, 0);
	store_queue_submit(q, &hangs.req);
	while (!__atomic_load_n(&hangs.ran, __ATOMIC_SEQ_CST))
		usleep(1000);
	t = boottime_ns();
	ok(!store_queue_destroy(q, 200) && boottime_ns() - t < 600 * 1000000ULL &&
	   hangs.done && hangs.err == -ECANCELED && !hangs.released,
	   "one that hangs is left behind, with its memory");
	sleep(2);	/* it comes back into what must still be there: sanitizers look */
	ok(!hangs.released, "and never released");
}

static void test_store_comes_later(void)
{
	struct job early = job("x/early", 0, 0), late = job("x/late", 0, 0);
	struct store_queue *q;
	unsigned int i;

	unlink(path);
	changes = 0;
	q = start("");
	store_queue_submit(q, &early.req);
	ok(until(q, &early.done, 1, 2000) && early.err == -EIO,
	   "no store is not: no document");
	make_store();
	ok(until(q, &changes, 1, 5000), "the watch finds it");
	for (i = 0; i < 100 && (!i || late.err); i++) {
		late = job("x/late", 0, 0);
		store_queue_submit(q, &late.req);
		until(q, &late.done, 1, 2000);
		usleep(50000);
	}
	ok(late.err == 0, "requests too");
	unlink(path);
	make_store();
	late = job("x/other", 0, 0);
	store_queue_submit(q, &late.req);
	ok(until(q, &late.done, 1, 2000) && late.err == -EXDEV,
	   "another file at the same path is noticed (P17c)");
	late = job("x/other", 0, 0);
	usleep(300000);
	store_queue_submit(q, &late.req);
	ok(until(q, &late.done, 1, 2000) && late.err == -EXDEV,
	   "and another store is refused for good");
	ok(store_queue_destroy(q, 3000), "all ends");
}

static int ask(struct store_queue *q, const char *key)
{
	struct job j = job(key, 0, 0);

	store_queue_submit(q, &j.req);
	return until(q, &j.released, 1, 5000) ? j.err : -ETIMEDOUT;
}

/* Again and again, for the queue opens the store anew. */
static bool refused_for_good(struct store_queue *q)
{
	unsigned int i;

	for (i = 0; i < 6; i++) {
		if (ask(q, "x/refused") != -EXDEV)
			return false;
		usleep(150000);
	}
	return true;
}

static void test_store_put_back(void)
{
	char copy[80], cmd[200], why[256];
	struct store_queue *q;
	unsigned int i;
	struct store *s;
	int err = -1;

	unlink(path);
	make_store();
	snprintf(copy, sizeof(copy), "%s.old", path);
	snprintf(cmd, sizeof(cmd), "cp -p %s %s", path, copy);
	q = start("");
	ok(!ask(q, "x/1"), "a store is used");
	ok(!system(cmd), "copied");
	ok(!ask(q, "x/2"), "and used again");
	ok(!rename(copy, path), "the copy is put in its place");
	ok(refused_for_good(q), "an older copy of the store is refused for good (P17c)");
	ok(!store_open(&s, path, false, 2000, why, sizeof(why)) &&
	   !store_raise_generation(s, "a test"), "its generation is raised");
	store_close(s);
	for (i = 0; i < 100 && err; i++) {
		err = ask(q, "x/3");
		usleep(50000);
	}
	ok(!err, "then it is taken");
	ok(store_queue_destroy(q, 3000), "all ends");
}

int main(void)
{
	if (!mkdtemp(dir))
		return EXIT_FAILURE;
	snprintf(path, sizeof(path), "%s/authority.db", dir);
	make_store();
	test_results();
	test_deadlines();
	test_full();
	test_hanging_end();
	test_store_comes_later();
	test_store_put_back();
	unlink(path);
	rmdir(dir);
	return tap_done();
}
