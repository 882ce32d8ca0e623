// SPDX-License-Identifier: GPL-2.0-only
/*
 * Places where a test may end, freeze or delay the daemon. Without --faults
 * nothing here does anything. A point may be passed in the loop or in a thread.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fault.h"

#define WORDS_BYTES	1024

/* every step that changes something outside, before and after it */
static const char *const steps[] = {
	"create", "win", "grant", "settle",			/* the record */
	"adopt", "report", "promote", "assign", "renew",	/* a member */
	"demote", "link", "accept", "rebuild",
	"format", "attach", "detach", "grow", "order", "state", "sign",
};

static bool armed;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	char name[40];
	unsigned int passed;
} count[2 * ARRAY_SIZE(steps)];

void fault_arm(void)
{
	armed = true;
}

void fault_list(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(steps); i++)
		printf("%s.before\n%s.after\n", steps[i], steps[i]);
}

/* Which passage of this point is it, from 1? */
static unsigned int passage(const char *name)
{
	unsigned int n = 0;
	size_t i;

	pthread_mutex_lock(&lock);
	for (i = 0; i < ARRAY_SIZE(count); i++) {
		if (*count[i].name && strcmp(count[i].name, name))
			continue;
		snprintf(count[i].name, sizeof(count[i].name), "%s", name);
		n = ++count[i].passed;
		break;
	}
	pthread_mutex_unlock(&lock);
	return n;
}

static void read_words(char out[WORDS_BYTES])
{
	const char *env = getenv("SWBLOCKD_FAULT");
	const char *path = getenv("SWBLOCKD_FAULT_FILE");
	FILE *f = path ? fopen(path, "re") : NULL;
	size_t n = 0;

	if (f) {
		n = fread(out, 1, WORDS_BYTES - 1, f);
		fclose(f);
	}
	out[n] = 0;
	if (env)
		snprintf(out + n, WORDS_BYTES - n, " %s", env);
}

/* Said first, and past every buffer: a test reads where a daemon died. */
static void act(const char *name, const char *what)
{
	dprintf(STDERR_FILENO, "fault point %s: %s\n", name, what);
	if (!strcmp(what, "kill"))
		raise(SIGKILL);
	else if (!strcmp(what, "stop"))
		raise(SIGSTOP);
	else if (!strncmp(what, "delay=", 6))
		usleep((useconds_t)atoi(what + 6) * 1000);
}

void fault_point(const char *step, bool after)
{
	char words[WORDS_BYTES], name[40], *save = NULL, *w, *colon, *nth;
	unsigned int n;

	if (!armed)
		return;
	snprintf(name, sizeof(name), "%s.%s", step, after ? "after" : "before");
	n = passage(name);
	read_words(words);
	for (w = strtok_r(words, " \t\n,", &save); w;
	     w = strtok_r(NULL, " \t\n,", &save)) {
		colon = strchr(w, ':');
		if (!colon)
			continue;
		*colon = 0;
		nth = strchr(w, '#');
		if (nth)
			*nth++ = 0;
		if (!strcmp(w, name) && (!nth || (unsigned int)atoi(nth) == n))
			act(name, colon + 1);
	}
}
