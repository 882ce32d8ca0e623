// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clients of a volume over failovers, and the history of what they saw.
 *
 *   swbhist run CONTROL HISTORY [OPTIONS]   read, write, fsync until CONTROL says stop
 *   swbhist mark HISTORY kill GEN
 *
 * CONTROL holds one line, "GEN DEVICE" or "stop", and is replaced by rename(2): who
 * is primary now, and for the how manieth time. When GEN changes, new workers begin
 * on the new device; the old ones end with the request that they are in, which may
 * take as long as it likes. HISTORY (on a tmpfs) gets one line for each invocation,
 * before the request, and one for each answer, after it, with CLOCK_BOOTTIME in ns:
 *
 *   NS w|d|r ID GEN BLOCK   write, synchronous write, read     NS b ID GEN   fsync
 *   NS ok ID     NS is ID SEEN     NS bad ID WHY     NS unknown ID ERRNO
 *   NS fail ID ERRNO (was not sent)
 *   NS kill GEN  (from here on it may be gone)   NS primary GEN NAME (before its first)
 *
 * ID is WORKER.NUMBER, and what a write writes: each block carries it, its place and
 * a checksum over all of it. tools/hist judges the history.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define MAGIC 0x7473696862777321ULL
#define BLOCK_BYTES 4096
#define WORKERS_MAX 16
#define THREADS_MAX 256
#define POLL_NS 1000000L

struct block {
	uint64_t magic;
	uint64_t run;
	uint64_t id;
	uint64_t place;
	uint64_t sum;
	uint64_t fill[BLOCK_BYTES / 8 - 5];
};

/* where to go; replaced as a whole, read by every worker */
struct target {
	uint32_t gen;
	char dev[128];
};

static struct {
	const char *control;
	int history;
	uint64_t run;
	uint32_t workers, blocks, pause_us;
	atomic_uint gen;
	atomic_uint threads;
} o = { .workers = 4,
	.blocks = 24,
	.pause_us = 2000 };

struct worker {
	uint32_t id;
	struct target to;
	uint32_t number;
	uint64_t random;
	struct block *buf;
	int fd;
};

static void __attribute__((noreturn, format(printf, 1, 2)))
die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "swbhist: ");
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void nap(long ns)
{
	nanosleep(&(struct timespec){ ns / 1000000000, ns % 1000000000 }, NULL);
}

/* One write(2) to a file opened with O_APPEND: lines stay whole. */
static void __attribute__((format(printf, 2, 3)))
tell(uint64_t ns, const char *fmt, ...)
{
	char line[192];
	va_list ap;
	int n, more;

	n = snprintf(line, sizeof(line) - 1, "%" PRIu64 " ", ns);
	va_start(ap, fmt);
	more = vsnprintf(line + n, sizeof(line) - 1 - (size_t)n, fmt, ap);
	va_end(ap);
	if (more < 0 || (size_t)(n + more) >= sizeof(line) - 1)
		die("a line too long");
	n += more;
	line[n++] = '\n';
	if (write(o.history, line, (size_t)n) != n)
		die("history: %s", strerror(errno));
}

static int open_history(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

/* ---- blocks -------------------------------------------------------------- */

static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

static uint64_t sum_of(const struct block *b)
{
	uint64_t sum = b->magic ^ mix(b->run) ^ mix(b->id + 1) ^ mix(~b->place);

	for (size_t i = 0; i < sizeof(b->fill) / 8; i++)
		sum = mix(sum ^ b->fill[i]);
	return sum;
}

static void block_fill(struct block *b, uint64_t id, uint64_t place)
{
	*b = (struct block){ .magic = MAGIC, .run = o.run, .id = id, .place = place };
	for (size_t i = 0; i < sizeof(b->fill) / 8; i++)
		b->fill[i] = mix(id + (i << 16));
	b->sum = sum_of(b);
}

/* Zeroes are what a block began with; NULL if all is well, else what is wrong. */
static const char *block_judge(const struct block *b, uint64_t place, uint64_t *id)
{
	static const struct block zero;

	*id = 0;
	if (!memcmp(b, &zero, sizeof(zero)))
		return NULL;
	if (b->magic != MAGIC)
		return "magic";
	if (b->sum != sum_of(b))
		return "torn";
	if (b->run != o.run)
		return "of-another-run";
	if (b->place != place)
		return "of-another-place";
	*id = b->id;
	return NULL;
}

/* ---- requests ------------------------------------------------------------ */

#define ID_FMT "%" PRIu32 ".%" PRIu32

static void answer(const struct worker *w, const char *what, int err)
{
	if (err)
		tell(now_ns(), "%s " ID_FMT " %d", what, w->id, w->number, err);
	else
		tell(now_ns(), "%s " ID_FMT, what, w->id, w->number);
}

/* Return: 0, or the error after which this device is no use any more. */
static int do_write(struct worker *w, uint32_t place, bool sync)
{
	struct iovec iov = { w->buf, BLOCK_BYTES };
	ssize_t got;
	int err;

	block_fill(w->buf, (uint64_t)w->id << 32 | w->number, place);
	tell(now_ns(), "%c " ID_FMT " %u %u", sync ? 'd' : 'w', w->id, w->number,
	     w->to.gen, place);
	got = pwritev2(w->fd, &iov, 1, (off_t)place * BLOCK_BYTES,
		       sync ? RWF_DSYNC : 0);
	err = got < 0 ? errno : got != BLOCK_BYTES ? EIO : 0;
	answer(w, err ? "unknown" : "ok", err);
	return err;
}

static int do_read(struct worker *w, uint32_t place)
{
	const char *why;
	uint64_t id;
	ssize_t got;

	memset(w->buf, 0xa5, BLOCK_BYTES);
	tell(now_ns(), "r " ID_FMT " %u %u", w->id, w->number, w->to.gen, place);
	got = pread(w->fd, w->buf, BLOCK_BYTES, (off_t)place * BLOCK_BYTES);
	if (got != BLOCK_BYTES) {
		int err = got < 0 ? errno : EIO;

		answer(w, "unknown", err);
		return err;
	}
	why = block_judge(w->buf, place, &id);
	if (why)
		tell(now_ns(), "bad " ID_FMT " %s", w->id, w->number, why);
	else
		tell(now_ns(), "is " ID_FMT " " ID_FMT, w->id, w->number,
		     (uint32_t)(id >> 32), (uint32_t)id);
	return 0;
}

static int do_barrier(struct worker *w)
{
	int err;

	tell(now_ns(), "b " ID_FMT " %u", w->id, w->number, w->to.gen);
	err = fsync(w->fd) ? errno : 0;
	answer(w, err ? "unknown" : "ok", err);
	return err;
}

static int one_request(struct worker *w)
{
	uint32_t place, dice;

	w->random = mix(w->random);
	place = (uint32_t)(w->random % o.blocks);
	dice = (uint32_t)(w->random >> 32) % 100;
	w->number++;
	if (dice < 45)
		return do_write(w, place, false);
	if (dice < 50)
		return do_write(w, place, true);
	if (dice < 85)
		return do_read(w, place);
	return do_barrier(w);
}

/*
 * Until this generation is over, or until the first error: a device that comes back
 * after one may be another life of it, and an fsync there says nothing about this one.
 */
static void *work(void *arg)
{
	struct worker *w = arg;

	while (atomic_load(&o.gen) == w->to.gen) {
		if (w->fd < 0) {
			w->fd = open(w->to.dev, O_RDWR | O_DIRECT | O_CLOEXEC);
			if (w->fd < 0)
				nap(POLL_NS);
			continue;
		}
		if (one_request(w))
			break;
		if (o.pause_us)
			nap((long)((w->random >> 40) % (2 * o.pause_us)) * 1000);
	}
	if (w->fd >= 0)
		close(w->fd);
	free(w->buf);
	free(w);
	atomic_fetch_sub(&o.threads, 1);
	return NULL;
}

/* ---- who is primary ------------------------------------------------------- */

enum word { SAME, NEXT, STOP };

static enum word read_control(struct target *t)
{
	char line[192] = "";
	FILE *f = fopen(o.control, "r");

	if (!f)
		return SAME;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	fclose(f);
	if (!strncmp(line, "stop", 4))
		return STOP;
	if (sscanf(line, "%" SCNu32 " %127s", &t->gen, t->dev) != 2 || !t->gen ||
	    t->gen == atomic_load(&o.gen))
		return SAME;
	return NEXT;
}

static void start_worker(const struct target *t, uint32_t id)
{
	struct worker *w = calloc(1, sizeof(*w));
	pthread_attr_t attr;
	pthread_t thread;
	void *buf;

	if (!w || posix_memalign(&buf, BLOCK_BYTES, BLOCK_BYTES))
		die("no memory");
	*w = (struct worker){ .id = id, .to = *t, .random = mix(o.run + id),
			      .buf = buf, .fd = -1 };
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	atomic_fetch_add(&o.threads, 1);
	if (pthread_create(&thread, &attr, work, w))
		die("no thread");
	pthread_attr_destroy(&attr);
}

static void wait_for_threads(uint32_t below, unsigned int seconds)
{
	uint64_t end = now_ns() + seconds * 1000000000ULL;

	while (atomic_load(&o.threads) >= below) {
		if (now_ns() > end)
			die("%u workers do not come back", atomic_load(&o.threads));
		nap(POLL_NS);
	}
}

static int run(void)
{
	uint32_t next_id = 1;
	struct target t;

	for (;;) {
		enum word word = read_control(&t);

		if (word == STOP)
			break;
		if (word == SAME) {
			nap(POLL_NS);
			continue;
		}
		/* old workers may hang in their requests, but not too many */
		wait_for_threads(THREADS_MAX - WORKERS_MAX, 600);
		tell(now_ns(), "primary %u %s", t.gen, t.dev);
		atomic_store(&o.gen, t.gen);
		for (uint32_t i = 0; i < o.workers; i++)
			start_worker(&t, next_id++);
	}
	atomic_store(&o.gen, 0);
	wait_for_threads(1, 60);
	return 0;
}

static const char usage_text[] =
	"usage: swbhist run CONTROL HISTORY [-w WORKERS] [-k BLOCKS] [-p PAUSE_US] [-s SEED]\n"
	"       swbhist mark HISTORY kill GEN\n";

static int usage(void)
{
	fputs(usage_text, stderr);
	return 2;
}

static int run_options(int argc, char **argv)
{
	int c;

	o.run = 1;
	while ((c = getopt(argc, argv, "w:k:p:s:")) != -1) {
		switch (c) {
		case 'w':
			o.workers = (uint32_t)strtoul(optarg, NULL, 0);
			break;
		case 'k':
			o.blocks = (uint32_t)strtoul(optarg, NULL, 0);
			break;
		case 'p':
			o.pause_us = (uint32_t)strtoul(optarg, NULL, 0);
			break;
		case 's':
			o.run = strtoull(optarg, NULL, 0);
			break;
		default:
			return usage();
		}
	}
	if (argc - optind != 3 || !o.workers || o.workers > WORKERS_MAX || !o.blocks)
		return usage();
	o.control = argv[optind + 1];
	o.history = open_history(argv[optind + 2]);
	return run();
}

int main(int argc, char **argv)
{
	if (argc >= 2 && !strcmp(argv[1], "run"))
		return run_options(argc, argv);
	if (argc == 5 && !strcmp(argv[1], "mark") && !strcmp(argv[3], "kill")) {
		o.history = open_history(argv[2]);
		tell(now_ns(), "kill %s", argv[4]);
		return 0;
	}
	return usage();
}
