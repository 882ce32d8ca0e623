// SPDX-License-Identifier: GPL-2.0-only
/*
 * A writer whose traces can be judged after any crash.
 *
 * Operation n of life l goes to a place, has a length and is of a kind (write or
 * zeroes) that follow from (seed, l, n) alone, and each block it writes carries
 * (seed, l, n, block number). One operation is in flight at a time, so a device
 * that kept its promise (G1, G3) shows exactly the first K operations for some K
 * not below the last one that a barrier covered. `verify` finds K and compares
 * every block with the model. A later life starts at K + 1 and must never show a
 * block that the life before it wrote above K: that would be a stale tail.
 *
 * History file: one line "life L from N" a life; acknowledgements are appended
 * to the ack file, "ack L N" once a barrier after operation N has succeeded.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/fs.h>

#define MAGIC 0x6c6f616462777321ULL
#define LIVES_MAX 64
#define OP_BLOCKS_MAX 16
#define BLOCKS_MAX (1U << 20)

struct block {
	uint64_t magic;
	uint64_t seed;
	uint64_t life;
	uint64_t op;
	uint64_t number;
	uint64_t fill[];
};

struct op {
	uint64_t first;
	unsigned int count;
	bool zeroes;
};

struct life {
	uint64_t number;
	uint64_t from;
};

/* what the model knows of one block: 0/0 = never written, op > 0 with zeroes */
struct model {
	uint32_t life;
	uint32_t op;
	bool zeroes;
};

static struct {
	const char *dev, *acks, *history;
	uint64_t seed, life, from, count, barrier, blocks, acked, pause_ms;
	uint32_t block_bytes;
	bool buffered, zeroes, use_fua, quiet;
} o = { .seed = 1,
	.life = 1,
	.from = 1,
	.count = 100,
	.barrier = 8,
	.block_bytes = 4096,
	.blocks = 2048 };

static void __attribute__((noreturn, format(printf, 1, 2)))
die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "swbload: ");
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

static struct op op_make(uint64_t life, uint64_t n)
{
	uint64_t r = mix(mix(o.seed * 1000003 + life) + n);
	struct op op;

	op.count = r % 8 ? 1 + (unsigned int)(r >> 8) % 4 :
			   1 + (unsigned int)(r >> 8) % OP_BLOCKS_MAX;
	if (op.count > o.blocks)
		op.count = (unsigned int)o.blocks;
	op.first = mix(r) % (o.blocks - op.count + 1);
	op.zeroes = o.zeroes && (r >> 40) % 8 == 0;
	return op;
}

static void block_fill(struct block *b, uint64_t life, uint64_t op,
		       uint64_t number)
{
	size_t words = (o.block_bytes - sizeof(*b)) / 8;

	b->magic = MAGIC;
	b->seed = o.seed;
	b->life = life;
	b->op = op;
	b->number = number;
	for (size_t i = 0; i < words; i++)
		b->fill[i] =
			(op << 32 ^ number) * 0x9e3779b97f4a7c15ULL + i + life;
}

static void *aligned(size_t len)
{
	void *p;

	if (posix_memalign(&p, 4096, len))
		die("no memory");
	return p;
}

static void ack(int fd, uint64_t op)
{
	char line[64];
	int n;

	if (fd < 0)
		return;
	n = snprintf(line, sizeof(line), "ack %" PRIu64 " %" PRIu64 "\n",
		     o.life, op);
	if (write(fd, line, (size_t)n) != n || fdatasync(fd))
		die("%s: %s", o.acks, strerror(errno));
}

/*
 * Killed in the middle of a write of several pages, a process may have pinned only some
 * of them, and the write becomes a short one: half an operation, which no device has
 * done. So the operation under way is ended first.
 */
static void hold_term(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void end_if_terminated(void)
{
	sigset_t set;

	sigpending(&set);
	if (sigismember(&set, SIGTERM))
		sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* Exit codes of write: 0 all done, 3 an I/O error (the expected end of a crash) */
static int do_write(void)
{
	int fd = open(o.dev, O_RDWR | (o.buffered ? 0 : O_DIRECT) |
				     (o.use_fua ? O_DSYNC : 0));
	int ack_fd = -1;
	uint8_t *buf = aligned((size_t)OP_BLOCKS_MAX * o.block_bytes);
	uint64_t n;

	hold_term();
	if (fd < 0)
		die("%s: %s", o.dev, strerror(errno));
	if (o.acks) {
		ack_fd = open(o.acks, O_WRONLY | O_CREAT | O_APPEND, 0644);
		if (ack_fd < 0)
			die("%s: %s", o.acks, strerror(errno));
	}
	if (o.history) {
		FILE *f = fopen(o.history, "a");

		if (!f ||
		    fprintf(f, "life %" PRIu64 " from %" PRIu64 "\n", o.life,
			    o.from) < 0 ||
		    fflush(f) || fsync(fileno(f)))
			die("%s: %s", o.history, strerror(errno));
		fclose(f);
	}
	for (n = o.from; !o.count || n < o.from + o.count; n++) {
		struct op op = op_make(o.life, n);
		size_t len = (size_t)op.count * o.block_bytes;
		off_t pos = (off_t)(op.first * o.block_bytes);
		ssize_t got;

		if (op.zeroes) {
			uint64_t range[2] = { (uint64_t)pos, len };

			got = ioctl(fd, n & 1 ? BLKZEROOUT : BLKDISCARD, range);
			/* a device that does not discard must still zero */
			if (got && errno == EOPNOTSUPP)
				got = ioctl(fd, BLKZEROOUT, range);
			got = got ? -1 : (ssize_t)len;
		} else {
			for (unsigned int i = 0; i < op.count; i++)
				block_fill((void *)(buf +
						    (size_t)i * o.block_bytes),
					   o.life, n, op.first + i);
			got = pwrite(fd, buf, len, pos);
		}
		if (got != (ssize_t)len) {
			fprintf(stderr, "swbload: operation %" PRIu64 ": %s\n",
				n, got < 0 ? strerror(errno) : "short");
			return 3;
		}
		if (o.use_fua && !op.zeroes && !o.buffered) {
			/* O_DSYNC: only this one is covered for certain, but a
			 * prefix (G3) with it holds all before it as well
			 */
			ack(ack_fd, n);
		} else if (o.barrier && n % o.barrier == 0) {
			if (fsync(fd)) {
				fprintf(stderr,
					"swbload: barrier %" PRIu64 ": %s\n", n,
					strerror(errno));
				return 3;
			}
			ack(ack_fd, n);
		}
		if (o.pause_ms)
			usleep((useconds_t)o.pause_ms * 1000);
		end_if_terminated();
	}
	if (o.barrier) {
		if (fsync(fd)) {
			fprintf(stderr, "swbload: barrier: %s\n",
				strerror(errno));
			return 3;
		}
		ack(ack_fd, n - 1);
	}
	close(fd);
	if (!o.quiet)
		printf("wrote %" PRIu64 "..%" PRIu64 "\n", o.from, n - 1);
	return 0;
}

static unsigned int lives_read(struct life *lives)
{
	unsigned int count = 0;
	FILE *f;

	if (!o.history) {
		lives[0] = (struct life){ o.life, o.from };
		return 1;
	}
	f = fopen(o.history, "r");
	if (!f)
		die("%s: %s", o.history, strerror(errno));
	while (count < LIVES_MAX &&
	       fscanf(f, " life %" SCNu64 " from %" SCNu64,
		      &lives[count].number, &lives[count].from) == 2)
		count++;
	fclose(f);
	if (!count)
		die("%s: no life in it", o.history);
	return count;
}

static uint64_t acks_read(uint64_t life)
{
	uint64_t l, n, max = 0;
	FILE *f;

	if (!o.acks)
		return o.acked;
	f = fopen(o.acks, "r");
	if (!f)
		return 0;
	while (fscanf(f, " ack %" SCNu64 " %" SCNu64, &l, &n) == 2)
		if (l == life && n > max)
			max = n;
	fclose(f);
	return max;
}

static void model_apply(struct model *m, uint64_t life, uint64_t from,
			uint64_t to)
{
	for (uint64_t n = from; n <= to; n++) {
		struct op op = op_make(life, n);

		for (unsigned int i = 0; i < op.count; i++)
			m[op.first + i] = (struct model){ (uint32_t)life,
							  (uint32_t)n,
							  op.zeroes };
	}
}

static bool block_is(const struct block *b, const struct model *m,
		     uint64_t number, struct block *want)
{
	if (!m->op || m->zeroes) {
		memset(want, 0, o.block_bytes);
		return !memcmp(b, want, o.block_bytes);
	}
	block_fill(want, m->life, m->op, number);
	return !memcmp(b, want, o.block_bytes);
}

static unsigned int mismatches(const uint8_t *image, const struct model *m,
			       bool tell)
{
	struct block *want = aligned(o.block_bytes);
	unsigned int bad = 0;

	for (uint64_t i = 0; i < o.blocks; i++) {
		const struct block *b =
			(const void *)(image + i * o.block_bytes);

		if (block_is(b, &m[i], i, want))
			continue;
		if (tell && bad < 8)
			fprintf(stderr,
				"swbload: block %" PRIu64
				": expected life %u operation %u%s, found %s life %" PRIu64
				" operation %" PRIu64 " of block %" PRIu64 "\n",
				i, m[i].life, m[i].op,
				m[i].zeroes ? " (zeroes)" : "",
				b->magic == MAGIC ? "ours," : "not ours,",
				b->life, b->op, b->number);
		bad++;
	}
	free(want);
	return bad;
}

/*
 * The largest operation that shows bounds K from below; zeroes leave no trace, so
 * operations of that kind (or overwritten ones) right after it may be there, too.
 */
static int do_verify(void)
{
	int fd = open(o.dev, O_RDONLY | (o.buffered ? 0 : O_DIRECT));
	struct life lives[LIVES_MAX];
	unsigned int count = lives_read(lives), bad;
	uint64_t acked, k, last;
	struct model *m = calloc(o.blocks, sizeof(*m));
	size_t len = o.blocks * o.block_bytes;
	uint8_t *image = aligned(len);
	const struct life *now = &lives[count - 1];

	if (fd < 0)
		die("%s: %s", o.dev, strerror(errno));
	if (!m)
		die("no memory");
	for (size_t at = 0; at < len;) {
		size_t n = len - at < 1 << 20 ? len - at : 1 << 20;
		ssize_t got = pread(fd, image + at, n, (off_t)at);

		if (got <= 0)
			die("read at %zu: %s", at,
			    got ? strerror(errno) : "end");
		at += (size_t)got;
	}
	close(fd);

	acked = acks_read(now->number);
	for (unsigned int i = 0; i + 1 < count; i++)
		model_apply(m, lives[i].number, lives[i].from,
			    lives[i + 1].from - 1);
	k = now->from - 1;
	for (uint64_t i = 0; i < o.blocks; i++) {
		const struct block *b =
			(const void *)(image + i * o.block_bytes);

		if (b->magic == MAGIC && b->seed == o.seed &&
		    b->life == now->number && b->op > k)
			k = b->op;
	}
	if (k < acked)
		k = acked;
	model_apply(m, now->number, now->from, k);
	bad = mismatches(image, m, false);
	for (last = k; bad && last < k + 64;) {
		struct op op;

		last++;
		op = op_make(now->number, last);
		if (!op.zeroes)
			break;
		model_apply(m, now->number, last, last);
		bad = mismatches(image, m, false);
		if (!bad)
			k = last;
	}
	if (bad) {
		memset(m, 0, o.blocks * sizeof(*m));
		for (unsigned int i = 0; i + 1 < count; i++)
			model_apply(m, lives[i].number, lives[i].from,
				    lives[i + 1].from - 1);
		model_apply(m, now->number, now->from, k);
		bad = mismatches(image, m, true);
		fprintf(stderr,
			"swbload: no prefix: %u of %" PRIu64
			" blocks are not those after life %" PRIu64
			" operation %" PRIu64 " (acknowledged: %" PRIu64 ")\n",
			bad, o.blocks, now->number, k, acked);
		return 1;
	}
	if (o.quiet)
		printf("%" PRIu64 "\n", k);
	else
		printf("prefix of life %" PRIu64 " up to operation %" PRIu64
		       ", acknowledged %" PRIu64 "\n",
		       now->number, k, acked);
	return 0;
}

static const char usage_text[] =
	"usage: swbload write|verify DEV [OPTIONS]\n"
	"  -s SEED   -l LIFE   -f FIRST (operation)   -n COUNT (0: until an error)\n"
	"  -b N      a barrier after each N operations (0: none)\n"
	"  -B BYTES  block size   -k N  blocks used   -z  zeroes and discards, too\n"
	"  -a FILE   acknowledgements   -H FILE  history of lives   -A N  acknowledged\n"
	"  -c  through the page cache   -d  O_DSYNC: each write is a barrier   -q  quiet\n"
	"  -p MS     a pause after each operation\n";

int main(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "s:l:f:n:b:B:k:za:H:A:cdqp:")) != -1) {
		switch (c) {
		case 's':
			o.seed = strtoull(optarg, NULL, 0);
			break;
		case 'l':
			o.life = strtoull(optarg, NULL, 0);
			break;
		case 'f':
			o.from = strtoull(optarg, NULL, 0);
			break;
		case 'n':
			o.count = strtoull(optarg, NULL, 0);
			break;
		case 'b':
			o.barrier = strtoull(optarg, NULL, 0);
			break;
		case 'B':
			o.block_bytes = (uint32_t)strtoul(optarg, NULL, 0);
			break;
		case 'k':
			o.blocks = strtoull(optarg, NULL, 0);
			break;
		case 'A':
			o.acked = strtoull(optarg, NULL, 0);
			break;
		case 'a':
			o.acks = optarg;
			break;
		case 'H':
			o.history = optarg;
			break;
		case 'z':
			o.zeroes = true;
			break;
		case 'c':
			o.buffered = true;
			break;
		case 'd':
			o.use_fua = true;
			break;
		case 'q':
			o.quiet = true;
			break;
		case 'p':
			o.pause_ms = strtoull(optarg, NULL, 0);
			break;
		default:
			fputs(usage_text, stderr);
			return 2;
		}
	}
	if (argc - optind != 2 || !o.blocks || o.blocks > BLOCKS_MAX ||
	    !o.from || o.block_bytes < 512 || o.block_bytes % 512) {
		fputs(usage_text, stderr);
		return 2;
	}
	o.dev = argv[optind + 1];
	if (!strcmp(argv[optind], "write"))
		return do_write();
	if (!strcmp(argv[optind], "verify"))
		return do_verify();
	fputs(usage_text, stderr);
	return 2;
}
