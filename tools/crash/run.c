// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recordings are loaded once; workers are processes that share the crash points
 * among them. Each goes through all recordings, at first with every subset of what
 * a flush had not covered, then again and again with random tears, flips and later
 * lives until there were images enough.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "judge.h"

#define RECS_MAX ARRAY_SIZE(((struct tally *)0)->by_rec)

static void work(const struct run_opts *o, char **paths, const struct rec *rec,
		 u32 recs, u32 worker, struct tally *t)
{
	static struct found found[2];
	static struct judge j;
	u64 before;

	j.found = &found[0];
	j.spare = &found[1];
	j.o = o;
	j.tally = t;
	do {
		before = t->images;
		for (u32 i = 0; i < recs; i++) {
			const char *slash = strrchr(paths[i], '/');

			j.rec = &rec[i];
			j.number = i;
			j.name = slash ? slash + 1 : paths[i];
			walk_run(&j, worker);
			if ((o->first && t->divergent) ||
			    (j.pass && t->images >= o->images / o->workers))
				return;
		}
		j.pass++;
	} while (t->images < o->images / o->workers && t->images > before &&
		 !t->broken);
}

/* Return: the read end of a pipe on which the tally comes, or -1 */
static int start(const struct run_opts *o, char **paths, const struct rec *rec,
		 u32 recs, u32 worker)
{
	static struct tally t;
	int fd[2];
	pid_t pid;

	if (pipe(fd))
		return -1;
	pid = fork();
	if (pid < 0)
		return -1;
	if (pid) {
		close(fd[1]);
		return fd[0];
	}
	close(fd[0]);
	work(o, paths, rec, recs, worker, &t);
	fflush(stdout);
	_exit(write(fd[1], &t, sizeof(t)) == sizeof(t) ? 0 : 1);
}

/* A worker that died says nothing, and that is a failure. */
static bool gather(int fd, struct tally *sum)
{
	static struct tally t;
	u64 *to = (u64 *)sum, *from = (u64 *)&t;
	bool whole = fd >= 0 && read(fd, &t, sizeof(t)) == sizeof(t);

	for (size_t i = 0; whole && i < sizeof(t) / sizeof(u64); i++)
		to[i] += from[i];
	if (fd >= 0)
		close(fd);
	return whole;
}

static void show(const struct tally *t, double seconds)
{
	printf("# %" PRIu64 " crash points, %" PRIu64 " writes torn, %" PRIu64
	       " bits flipped (%" PRIu64 " refused), %" PRIu64
	       " later lives, %" PRIu64 " cuts\n# the ring went round %" PRIu64
	       " times, %" PRIu64 " times in a later life; %.0f images/s\n",
	       t->points, t->torn, t->flipped, t->refused, t->lives, t->cut,
	       t->laps, t->wrapped,
	       (double)t->images / (seconds > 0 ? seconds : 1));
	printf("# verdicts:");
	for (int i = 0; i < 26; i++)
		if (t->letter[i])
			printf(" %c %" PRIu64, 'A' + i, t->letter[i]);
	printf("\n");
}

static u32 number;

static bool check(bool good, const char *what, const char *name)
{
	printf("%s %u - %s: %s\n", good ? "ok" : "not ok", ++number, name, what);
	return good;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static u32 load(const struct run_opts *o, char **paths, u32 count,
		struct rec *rec)
{
	u32 failed = 0;

	for (u32 i = 0; i < count; i++) {
		bool same;

		if (!rec_load(&rec[i], paths[i]))
			exit(1);
		same = !strcmp(rec[i].format, o->format);
		failed += !check(same, "of this disk format, else: make crash-record",
				 paths[i]);
	}
	return failed;
}

int run_all(const struct run_opts *o, char **paths, int count)
{
	static struct rec rec[RECS_MAX];
	static struct tally sum;
	int fd[RUN_WORKERS];
	u32 failed, recs = (u32)count;
	double begun;
	bool whole = true;

	if (recs > RECS_MAX)
		recs = RECS_MAX;
	setvbuf(stdout, NULL, _IOLBF, 0);
	failed = load(o, paths, recs, rec);
	begun = now();
	for (u32 i = 0; i < o->workers; i++)
		fd[i] = start(o, paths, rec, recs, i);
	for (u32 i = 0; i < o->workers; i++)
		whole = gather(fd[i], &sum) && whole;
	while (wait(NULL) > 0)
		;
	show(&sum, now() - begun);
	for (u32 i = 0; i < recs; i++) {
		failed += !check(sum.by_rec[i] && !sum.bad_rec[i],
				 "recovers to a prefix after every crash",
				 paths[i]);
		rec_free(&rec[i]);
	}
	failed += !check(whole && (o->first || sum.images >= o->images),
			 "as many images as wanted", "crash");
	printf("crash: %" PRIu64 " images, %" PRIu64 " divergent\n", sum.images,
	       sum.divergent);
	printf("%u passed, %u failed, 0 skipped\n", number - failed, failed);
	return failed ? 1 : 0;
}
