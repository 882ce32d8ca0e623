// SPDX-License-Identifier: GPL-2.0-only
/* Forked workers over seeds. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "farm.h"
#include "swarm.h"

#define SEED_SECONDS	60	/* of CPU time; a run takes milliseconds */

/* What a worker tells: its sums, the seed under way, its lowest failure. */
struct slot {
	struct totals t;
	u64 seed;
	u64 failed_seed;
	pid_t pid;
	char what[256];
};

struct shared {
	u64 next;
	u64 stop_at;
	struct slot slot[FARM_JOBS_MAX];
};

void totals_take(struct totals *t, struct world *w)
{
	t->events += w->events;
	t->violations += w->violations;
	t->barriers += w->barriers_done;
	t->promotions += w->promotions;
	t->crashes += w->crashes;
	t->truncations += w->truncations;
	t->wraps += w->wraps;
	for (u32 i = 0; i < COPY_FATES; i++)
		t->copies[i] += w->copies[i];
	for (u32 i = 0; i < ARRAY_SIZE(t->letters); i++)
		for (int k = 0; k < 26; k++)
			t->letters[i][k] += w->letters[i][k];
	w->events = 0;
	w->barriers_done = 0;
	w->promotions = 0;
	w->crashes = 0;
	w->truncations = 0;
	w->wraps = 0;
	memset(w->copies, 0, sizeof(w->copies));
	memset(w->letters, 0, sizeof(w->letters));
}

/* It is an array of u64 and nothing else. */
void totals_add(struct totals *t, const struct totals *more)
{
	const u64 *from = (const u64 *)more;
	u64 *to = (u64 *)t;

	for (size_t i = 0; i < sizeof(*t) / sizeof(u64); i++)
		to[i] += from[i];
}

static void stop_after(struct shared *sh, u64 seed)
{
	u64 old = __atomic_load_n(&sh->stop_at, __ATOMIC_RELAXED);

	while (seed < old &&
	       !__atomic_compare_exchange_n(&sh->stop_at, &old, seed, false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

static void note_failure(const struct farm *f, struct shared *sh,
			 struct slot *s, u64 seed, const char *what)
{
	s->t.failed++;
	if (f->keep_going) {
		f->failed(f, seed, what);
		return;
	}
	if (seed < s->failed_seed) {
		s->failed_seed = seed;
		snprintf(s->what, sizeof(s->what), "%s", what);
	}
	stop_after(sh, seed);
}

static void watch(u32 seconds)
{
	const struct itimerval it = { .it_value.tv_sec = seconds };

	setitimer(ITIMER_VIRTUAL, &it, NULL);
}

static void work(const struct farm *f, struct world *w, struct shared *sh,
		 struct slot *s)
{
	for (;;) {
		u64 i = __atomic_fetch_add(&sh->next, 1, __ATOMIC_RELAXED);

		if (i >= f->count || f->first + i >
		    __atomic_load_n(&sh->stop_at, __ATOMIC_RELAXED))
			return;
		s->seed = f->first + i;
		watch(SEED_SECONDS);
		if (swarm_run(w, s->seed, f->nodes, f->trace, f->broken))
			s->t.passed++;
		else
			note_failure(f, sh, s, s->seed, w->first);
		s->t.seeds++;
		totals_take(&s->t, w);
		world_reset(w);
	}
}

static void start_worker(const struct farm *f, struct world *w,
			 struct shared *sh, struct slot *s)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		perror("fork");
		exit(2);
	}
	if (pid) {
		s->pid = pid;
		return;
	}
	work(f, w, sh, s);
	fflush(NULL);
	_exit(0);
}

static struct slot *slot_of(struct shared *sh, u32 jobs, pid_t pid)
{
	for (u32 i = 0; i < jobs; i++)
		if (sh->slot[i].pid == pid)
			return &sh->slot[i];
	return NULL;
}

/* A worker that died had a seed under way: an assertion, or no end. */
static void worker_died(const struct farm *f, struct shared *sh,
			struct slot *s, int status)
{
	int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	char what[80];

	if (sig == SIGVTALRM)
		snprintf(what, sizeof(what), "the run does not end");
	else
		snprintf(what, sizeof(what), "the simulator died: %s",
			 sig ? strsignal(sig) : "exit");
	s->t.seeds++;
	s->t.violations++;
	note_failure(f, sh, s, s->seed, what);
}

static void wait_all(const struct farm *f, struct world *w, struct shared *sh,
		     u32 jobs)
{
	u32 left = jobs;
	int status;

	while (left) {
		pid_t pid = wait(&status);
		struct slot *s = slot_of(sh, jobs, pid);

		if (pid < 0) {
			perror("wait");
			exit(2);
		}
		if (!s)
			continue;
		left--;
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			continue;
		worker_died(f, sh, s, status);
		start_worker(f, w, sh, s);	/* ends at once if it may not go on */
		left++;
	}
}

static void report(const struct farm *f, const struct shared *sh, u32 jobs)
{
	const struct slot *low = NULL;

	for (u32 i = 0; i < jobs; i++)
		if (sh->slot[i].failed_seed != ~0ULL &&
		    (!low || sh->slot[i].failed_seed < low->failed_seed))
			low = &sh->slot[i];
	if (low)
		f->failed(f, low->failed_seed, low->what);
}

void farm_run(const struct farm *f, struct world *w, struct totals *t)
{
	u32 jobs = f->jobs < FARM_JOBS_MAX ? f->jobs : FARM_JOBS_MAX;
	struct shared *sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (sh == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	sh->stop_at = ~0ULL;
	for (u32 i = 0; i < FARM_JOBS_MAX; i++)
		sh->slot[i].failed_seed = ~0ULL;
	if (f->count == 1 || !jobs) {	/* in this process, for a debugger */
		jobs = 1;
		work(f, w, sh, &sh->slot[0]);
		watch(0);
	} else {
		for (u32 i = 0; i < jobs; i++)
			start_worker(f, w, sh, &sh->slot[i]);
		wait_all(f, w, sh, jobs);
	}
	if (!f->keep_going)
		report(f, sh, jobs);
	for (u32 i = 0; i < jobs; i++)
		totals_add(t, &sh->slot[i].t);
	munmap(sh, sizeof(*sh));
}
