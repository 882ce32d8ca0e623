/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every verb of swblockctl shares: the context, the fixed exit codes, the
 * table of verbs with its options, and small conversions.
 *
 * A verb reads its arguments from the context, does its work, adds what a
 * machine wants to know to ctl->result, prints what a human wants to know with
 * out_line(), and returns an exit code. It never prints to stdout itself.
 */
#ifndef SWB_CTL_H
#define SWB_CTL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "core/types.h"

#define CTL_VERSION		"0.1"
#define CTL_STORE_DEFAULT	"/var/lib/swblock/authority.db"
#define CTL_TIMEOUT_S		30
#define CTL_POS_MAX		4
#define CTL_OPTS_MAX		32

#define NSEC_PER_SEC		((uint64_t)1000000000)
#define CTL_UUID_TEXT		37	/* with NUL */

/* Exit codes are an interface: scripts branch on them. swblockctl(8). */
enum ctl_exit {
	CTL_OK		= 0,
	CTL_FAILED	= 1,
	CTL_USAGE	= 2,
	CTL_NO_OBJECT	= 3,
	CTL_REFUSED	= 4,	/* refused for safety: data or authority at risk */
	CTL_TIMEOUT	= 5,
	CTL_NO_MODULE	= 6,
};

struct ctl;
struct kern;
struct store;

/**
 * struct opt_def - one option of a verb
 * @name: long name, without dashes
 * @letter: one-letter form, or 0
 * @arg: what the value is called in the help, NULL for a flag
 * @help: one line
 */
struct opt_def {
	const char *name;
	char letter;
	const char *arg;
	const char *help;
};

/**
 * struct verb - one row of the table of verbs
 * @name: as typed
 * @synopsis: arguments, as shown in the help
 * @summary: one line for the overview
 * @detail: a paragraph for --help
 * @example: one or more command lines
 * @opts: own options, ended by a NULL name; may be NULL
 * @pos_min: least number of positional arguments
 * @pos_max: and most
 * @run: the verb itself, returns enum ctl_exit
 */
struct verb {
	const char *name;
	const char *synopsis;
	const char *summary;
	const char *detail;
	const char *example;
	const struct opt_def *opts;
	int pos_min;
	int pos_max;
	int (*run)(struct ctl *ctl);
};

struct opt_value {
	const struct opt_def *def;
	const char *value;
};

/**
 * struct ctl - one run of the program
 * @verb: what runs, NULL while that is unknown
 * @group: first word of a verb of two
 * @json: -j was given
 * @streaming: output is one JSON object a line (monitor)
 * @color: escapes may be printed
 * @failed: an error was printed
 * @timeout_s: --timeout
 * @store_path: --store, SWBLOCK_STORE, or the default
 * @result: object printed at the end with -j
 * @notes: "notes" of it
 * @kern: netlink, opened by the first who needs it
 * @store: authority store, likewise
 */
struct ctl {
	const struct verb *verb;
	const char *group;
	bool json;
	bool streaming;
	bool color;
	bool failed;
	unsigned int timeout_s;
	const char *store_path;
	json_t *result;
	json_t *notes;
	struct kern *kern;
	struct store *store;
	int pos_count;
	const char *pos[CTL_POS_MAX];
	int opt_count;
	struct opt_value opt[CTL_OPTS_MAX];
};

extern const struct verb *const ctl_verbs[];

/* opt.c */
int opt_parse(struct ctl *ctl, int argc, char **argv);
const char *opt_get(const struct ctl *ctl, const char *name);
bool opt_has(const struct ctl *ctl, const char *name);
const char *opt_nth(const struct ctl *ctl, const char *name, int n);
void opt_help(const struct ctl *ctl, const struct verb *verb);
void opt_overview(void);

/* suggest.c */
/** opt_suggest() - the nearest of @words (ended by NULL), or NULL */
const char *opt_suggest(const char *word, const char *const *words);

/* util.c */
void uuid_text(const struct swb_uuid *u, char out[CTL_UUID_TEXT]);
bool uuid_parse(const char *s, struct swb_uuid *u);
void uuid_random(struct swb_uuid *u);
uint64_t random_u64(void);
uint64_t boottime_ns(void);
bool size_parse(const char *s, uint64_t *bytes);
bool duration_parse(const char *s, uint64_t *ms);
bool number_parse(const char *s, uint64_t max, uint64_t *out);
void size_text(uint64_t bytes, char *out, size_t len);
void duration_text(uint64_t ns, char *out, size_t len);
bool label_ok(const char *s);
void text_copy(char *dst, const char *src, size_t len);
unsigned int words_split(char *list, const char **out, unsigned int max);

/* what the names of modes, policies and so on are called by users */
bool mode_parse(const char *s, uint8_t *mode);
bool policy_parse(const char *s, uint8_t *policy);

#endif /* SWB_CTL_H */
