// SPDX-License-Identifier: GPL-2.0-only
/*
 * A store that misbehaves by order, for tests. It wraps a real one.
 *
 * Only if the program was built with SWB_CTL_FAULTS (the programs of make test), or
 * if the program allows it (store_faults_allow(): swblockd --faults), the variable
 * SWB_STORE_FAULT is looked at: a list of faults, or the path of a file with one a
 * line, which is read at every call, so that a test switches faults while the
 * program runs. Without the file all is well.
 *
 *	slow MS		each call begins so much later
 *	late MS		what a call did is told so much later
 *	unreachable [MS] nothing is done, -EIO; for MS after the file was written
 *	lost		a transaction is done, and -ETIMEDOUT returned
 *	delayed MS	-ETIMEDOUT is returned, and the transaction done so much later,
 *			as by a request that was on the way
 *	crash N		the process is killed before the Nth transaction ...
 *	crash-after N	... or after it, before anybody hears of it
 *	key PREFIX	all of these only for transactions and reads of such keys
 *
 * Counts begin anew when the file is written.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ctl.h"
#include "store_priv.h"

#define SPEC_MAX	512

/**
 * struct faults - what is ordered just now; 0 = not
 * @key: prefix, "" = all keys
 */
struct faults {
	unsigned int slow_ms, late_ms, delayed_ms, unreachable_ms;
	unsigned int crash, crash_after;
	bool unreachable, lost;
	char key[STORE_KEY_MAX];
};

struct fault_store {
	struct store base;
	struct store *inner;
	char *address;
	char spec[SPEC_MAX];
	struct timespec written;	/* of the control file */
	unsigned int txns;		/* since then */
};

static bool allowed;

void store_faults_allow(void)
{
	allowed = true;
}

static struct fault_store *of(struct store *s)
{
	return (struct fault_store *)s;
}

static void parse_line(struct faults *f, const char *line)
{
	char copy[SPEC_MAX], *save = NULL;
	const char *word, *arg;
	unsigned int n;

	snprintf(copy, sizeof(copy), "%s", line);
	word = strtok_r(copy, " \t\r", &save);
	arg = word ? strtok_r(NULL, " \t\r", &save) : NULL;
	if (!word)
		return;
	if (!arg)
		arg = "";
	n = (unsigned int)strtoul(arg, NULL, 10);
	f->unreachable |= !strcmp(word, "unreachable");
	if (!strcmp(word, "slow"))
		f->slow_ms = n;
	else if (!strcmp(word, "late"))
		f->late_ms = n;
	else if (!strcmp(word, "delayed"))
		f->delayed_ms = n;
	else if (!strcmp(word, "unreachable"))
		f->unreachable_ms = n;
	else if (!strcmp(word, "lost"))
		f->lost = true;
	else if (!strcmp(word, "crash"))
		f->crash = n;
	else if (!strcmp(word, "crash-after"))
		f->crash_after = n;
	else if (!strcmp(word, "key"))
		snprintf(f->key, sizeof(f->key), "%.*s", STORE_KEY_MAX - 1, arg);
}

static bool read_file(struct fault_store *h, char *text, struct timespec *written)
{
	int fd = open(h->spec, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return false;
	n = fstat(fd, &st) ? -1 : read(fd, text, SPEC_MAX - 1);
	close(fd);
	if (n < 0)
		return false;
	text[n] = 0;
	*written = st.st_mtim;
	return true;
}

static uint64_t age_ms(const struct timespec *t)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)((now.tv_sec - t->tv_sec) * 1000 +
			  (now.tv_nsec - t->tv_nsec) / 1000000);
}

static void look(struct fault_store *h, struct faults *f)
{
	char text[SPEC_MAX] = "", *line, *save = NULL;
	struct timespec written = { 0 };

	memset(f, 0, sizeof(*f));
	if (*h->spec != '/')
		strcpy(text, h->spec);
	else if (!read_file(h, text, &written))
		return;
	if (memcmp(&written, &h->written, sizeof(written))) {
		h->written = written;
		h->txns = 0;
	}
	for (line = strtok_r(text, ";\n", &save); line;
	     line = strtok_r(NULL, ";\n", &save))
		parse_line(f, line);
	if (f->unreachable_ms && age_ms(&written) >= f->unreachable_ms)
		f->unreachable = false;
}

static void nap(unsigned int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&ts, NULL);
}

static int unreachable(struct store *s)
{
	return store_fail(s, -EIO, "the store is out of reach (by SWB_STORE_FAULT)");
}

/* Before a call. Return: 0 go on, -EIO. */
static int before(struct store *s, const char *key, struct faults *f)
{
	look(of(s), f);
	if (strncmp(key, f->key, strlen(f->key)))
		memset(f, 0, sizeof(*f));
	nap(f->slow_ms);
	return f->unreachable ? unreachable(s) : 0;
}

static int after(struct store *s, const struct faults *f, int err)
{
	if (err)
		store_fail(s, err, "%s", store_error(of(s)->inner));
	nap(f->late_ms);
	return err;
}

static void fault_close(struct store *s)
{
	store_close(of(s)->inner);
	free(of(s)->address);
	free(s);
}

static int fault_get(struct store *s, const char *key, struct store_doc *out)
{
	struct faults f;
	int err = before(s, key, &f);

	return err ? err : after(s, &f, store_get(of(s)->inner, key, out));
}

static int fault_list(struct store *s, const char *prefix, struct store_doc **out,
		      size_t *count)
{
	struct faults f;
	int err = before(s, prefix, &f);

	return err ? err : after(s, &f, store_list(of(s)->inner, prefix, out, count));
}

/* --- a transaction that is done behind everybody's back --- */

struct delayed {
	unsigned int ms, timeout_ms;
	char *address;
	size_t count;
	struct store_op op[STORE_OPS_MAX];
};

static void *delayed_main(void *arg)
{
	struct delayed *d = arg;
	struct store *s;
	char why[STORE_ERROR_MAX];
	size_t i;

	nap(d->ms);
	if (!store_open_plain(&s, d->address, false, d->timeout_ms, why, sizeof(why))) {
		store_txn(s, d->op, d->count);
		store_close(s);
	}
	for (i = 0; i < d->count; i++) {
		free((char *)d->op[i].key);
		free((char *)d->op[i].value);
	}
	free(d->address);
	free(d);
	return NULL;
}

static void delay(struct fault_store *h, const struct store_op *op, size_t count,
		  unsigned int ms)
{
	struct delayed *d = calloc(1, sizeof(*d));
	pthread_t t;
	size_t i;

	if (!d)
		return;
	d->ms = ms;
	d->timeout_ms = h->base.timeout_ms;
	d->address = strdup(h->address);
	for (i = 0; i < count; i++) {
		d->op[i] = op[i];
		d->op[i].key = strdup(op[i].key);
		d->op[i].value = op[i].value ? strdup(op[i].value) : NULL;
	}
	d->count = count;
	if (!pthread_create(&t, NULL, delayed_main, d))
		pthread_detach(t);
}

static int fault_txn(struct store *s, const struct store_op *op, size_t count)
{
	struct fault_store *h = of(s);
	struct faults f;
	int err = before(s, op[0].key, &f);

	if (err)
		return err;
	h->txns++;
	if (f.crash && f.crash == h->txns)
		kill(getpid(), SIGKILL);
	if (f.delayed_ms) {
		delay(h, op, count, f.delayed_ms);
		return store_fail(s, -ETIMEDOUT, "no answer (by SWB_STORE_FAULT)");
	}
	err = store_txn(h->inner, op, count);
	if (f.crash_after && f.crash_after == h->txns)
		kill(getpid(), SIGKILL);
	if (f.lost)
		return store_fail(s, -ETIMEDOUT, "no answer (by SWB_STORE_FAULT)");
	return after(s, &f, err);
}

static int fault_wait(struct store *s, const char *prefix, uint64_t *since,
		      unsigned int timeout_ms)
{
	struct faults f;
	int ret;

	look(of(s), &f);
	nap(f.slow_ms);
	if (f.unreachable)
		return unreachable(s);
	ret = store_wait(of(s)->inner, prefix, since, timeout_ms);
	return ret < 0 ? after(s, &f, ret) : ret;
}

static int fault_identity(struct store *s, struct store_identity *out)
{
	struct faults f;
	int err = before(s, "", &f);

	return err ? err : after(s, &f, store_identity(of(s)->inner, out));
}

static int fault_raise(struct store *s, const char *reason)
{
	struct faults f;
	int err = before(s, "", &f);

	return err ? err : after(s, &f, store_raise_generation(of(s)->inner, reason));
}

static uint64_t fault_seen(const struct store *s)
{
	return store_seen(((const struct fault_store *)s)->inner);
}

static const struct store_ops fault_ops = {
	.name = "faulty",
	.close = fault_close,
	.get = fault_get,
	.list = fault_list,
	.txn = fault_txn,
	.wait = fault_wait,
	.identity = fault_identity,
	.raise = fault_raise,
	.seen = fault_seen,
};

int store_fault_wrap(struct store **s, const char *address, char *why, size_t len)
{
	const char *spec = getenv("SWB_STORE_FAULT");
	struct fault_store *h;
	struct faults f;
	int err;

#ifdef SWB_CTL_FAULTS
	allowed = true;
#endif
	if (!allowed || !spec || !*spec || strlen(spec) >= SPEC_MAX)
		return 0;
	h = calloc(1, sizeof(*h));
	if (h)
		h->address = strdup(address);
	if (!h || !h->address) {
		free(h);
		return -ENOMEM;
	}
	h->base.ops = &fault_ops;
	h->base.timeout_ms = (*s)->timeout_ms;
	h->inner = *s;
	strcpy(h->spec, spec);
	*s = &h->base;
	err = before(*s, "", &f);
	if (!err)
		return 0;
	snprintf(why, len, "%s", store_error(*s));
	store_close(*s);
	*s = NULL;
	return err;
}
