/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Structured lines of swblockd, to stderr: the journal, or a file. One line is
 *
 *	volume=db member=a epoch=4 table=volume case=G "a sentence" key=value
 *
 * Where something is decided the case letter stands in it. A line that repeats
 * word for word is held back and counted. From any thread.
 */
#ifndef SWB_CTL_LOG_H
#define SWB_CTL_LOG_H

#include "ctl.h"

/** enum log_level - as in syslog, the ones that are used */
enum log_level {
	LOG_LEVEL_ERROR		= 3,
	LOG_LEVEL_WARNING	= 4,
	LOG_LEVEL_NOTICE	= 5,
	LOG_LEVEL_INFO		= 6,
	LOG_LEVEL_DEBUG		= 7,
};

/**
 * struct log_about - the fields that stand first; what is NULL or 0 is left out
 * @volume: label
 * @member: label
 * @epoch: epoch the line is about
 * @table: enum swblock_case_table
 * @letter: case letter of that table
 */
struct log_about {
	const char *volume;
	const char *member;
	uint64_t epoch;
	uint8_t table;
	uint8_t letter;
};

/** log_open() - @journal: prefix lines with their level, as sd-daemon(3) says */
void log_open(enum log_level level, bool journal);
void log_set_level(enum log_level level);
bool log_level_parse(const char *word, enum log_level *out);
const char *log_level_word(enum log_level level);

/**
 * log_say() - one line
 * @level: level
 * @about: first fields, or NULL
 * @text: a sentence; quoted and escaped here
 * @fields: format of further "key=value" fields, or NULL
 */
void log_say(enum log_level level, const struct log_about *about,
	     const char *text, const char *fields, ...)
	__attribute__((format(printf, 4, 5)));

#endif /* SWB_CTL_LOG_H */
