// SPDX-License-Identifier: GPL-2.0-only
/* Lines of swblockd: format, level, and holding back what repeats. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

#define LINE_MAX_BYTES	2048
/* the same line comes again after so long, with the number held back */
#define REPEAT_NS	(30 * NSEC_PER_SEC)
#define SLOTS		64

/* enum swblock_case_table, as the sections of docs/design are called */
static const char *const table_words[] = {
	[SWBLOCK_TABLE_RECOVER] = "recover", [SWBLOCK_TABLE_RESYNC] = "resync",
	[SWBLOCK_TABLE_PROMOTE] = "promote", [SWBLOCK_TABLE_VOLUME] = "volume",
	[SWBLOCK_TABLE_MEMBER] = "member",
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static enum log_level max_level = LOG_LEVEL_INFO;
static bool with_prefix;
static struct {
	uint64_t hash;
	uint64_t said_ns;
	unsigned int held;
} slot[SLOTS];

void log_open(enum log_level level, bool journal)
{
	max_level = level;
	with_prefix = journal;
	setvbuf(stderr, NULL, _IOLBF, LINE_MAX_BYTES);
}

void log_set_level(enum log_level level)
{
	max_level = level;
}

static const struct {
	const char *word;
	enum log_level level;
} level_words[] = {
	{ "error", LOG_LEVEL_ERROR }, { "warning", LOG_LEVEL_WARNING },
	{ "notice", LOG_LEVEL_NOTICE }, { "info", LOG_LEVEL_INFO },
	{ "debug", LOG_LEVEL_DEBUG },
};

bool log_level_parse(const char *word, enum log_level *out)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(level_words); i++) {
		if (!strcmp(word, level_words[i].word)) {
			*out = level_words[i].level;
			return true;
		}
	}
	return false;
}

const char *log_level_word(enum log_level level)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(level_words); i++)
		if (level_words[i].level == level)
			return level_words[i].word;
	return "?";
}

static uint64_t hash_text(const char *s)
{
	uint64_t h = 0xcbf29ce484222325ull;	/* FNV-1a */

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3ull;
	return h;
}

/* true: say it, @held repeats were swallowed before it */
static bool may_say(const char *line, unsigned int *held)
{
	uint64_t hash = hash_text(line), now = boottime_ns();
	size_t i = hash % SLOTS;

	*held = 0;
	if (slot[i].hash == hash && slot[i].said_ns &&
	    now - slot[i].said_ns < REPEAT_NS) {
		slot[i].held++;
		return false;
	}
	if (slot[i].hash == hash)
		*held = slot[i].held;
	slot[i].hash = hash;
	slot[i].said_ns = now;
	slot[i].held = 0;
	return true;
}

struct line {
	char text[LINE_MAX_BYTES];
	size_t len;
};

static void add_v(struct line *l, const char *fmt, va_list ap)
{
	size_t room = sizeof(l->text) - l->len;
	int n = vsnprintf(l->text + l->len, room, fmt, ap);

	if (n > 0)
		l->len += (size_t)n < room ? (size_t)n : room - 1;
}

__attribute__((format(printf, 2, 3)))
static void add(struct line *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_v(l, fmt, ap);
	va_end(ap);
}

/* Words of others come through here: a line stays one line, a quote stays one. */
static void add_quoted(struct line *l, const char *s)
{
	add(l, "\"");
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			add(l, "\\%c", *s);
		else if ((unsigned char)*s < ' ')
			add(l, " ");
		else
			add(l, "%c", *s);
	}
	add(l, "\"");
}

static void put_line(enum log_level level, const char *text)
{
	if (with_prefix)
		fprintf(stderr, "<%d>%s\n", level, text);
	else
		fprintf(stderr, "%10.3f %s\n",
			(double)boottime_ns() / (double)NSEC_PER_SEC, text);
}

void log_say(enum log_level level, const struct log_about *about,
	     const char *text, const char *fields, ...)
{
	struct line l = { .len = 0 };
	unsigned int held;
	va_list ap;

	if (level > max_level)
		return;
	if (about && about->volume)
		add(&l, "volume=%s ", about->volume);
	if (about && about->member)
		add(&l, "member=%s ", about->member);
	if (about && about->epoch)
		add(&l, "epoch=%" PRIu64 " ", about->epoch);
	if (about && about->letter)
		add(&l, "table=%s case=%c ",
		    about->table < ARRAY_SIZE(table_words) &&
		    table_words[about->table] ? table_words[about->table] : "?",
		    about->letter);
	add_quoted(&l, text);
	if (fields) {
		add(&l, " ");
		va_start(ap, fields);
		add_v(&l, fields, ap);
		va_end(ap);
	}
	pthread_mutex_lock(&lock);
	if (may_say(l.text, &held)) {
		if (held)
			add(&l, " repeated=%u", held);
		put_line(level, l.text);
	}
	pthread_mutex_unlock(&lock);
}
