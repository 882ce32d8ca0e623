// SPDX-License-Identifier: GPL-2.0-only
/*
 * Command line: options of a verb from its table, the help made of the same
 * table, and "did you mean". getopt_long() is not used because it abbreviates
 * silently and cannot suggest.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "out.h"

static const struct opt_def global_opts[] = {
	{ "json", 'j', NULL, "one JSON document instead of text, errors too" },
	{ "timeout", 0, "SECONDS", "how long to wait for the outcome (default 30)" },
	{ "store", 0, "ADDRESS", "authority store: a file, or etcd:HOST:PORT,...\n"
	  "\t\t\t  (default $SWBLOCK_STORE, or\n"
	  "\t\t\t  " CTL_STORE_DEFAULT ")" },
	{ "color", 0, "WHEN", "auto, always or never; NO_COLOR is honoured" },
	{ "help", 'h', NULL, "this text" },
	{ "version", 'V', NULL, "version of the program" },
	{ NULL },
};

#define WORDS_MAX	96

static const struct opt_def *def_in(const struct opt_def *defs, const char *name,
				    size_t len, char letter)
{
	for (; defs && defs->name; defs++) {
		if (letter ? defs->letter == letter :
		    strlen(defs->name) == len && !strncmp(defs->name, name, len))
			return defs;
	}
	return NULL;
}

static const struct opt_def *find_def(const struct ctl *ctl, const char *name,
				      size_t len, char letter)
{
	const struct opt_def *def = def_in(global_opts, name, len, letter);

	if (!def && ctl->verb)
		def = def_in(ctl->verb->opts, name, len, letter);
	return def;
}

static unsigned int add_words(const char **words, unsigned int n,
			      const struct opt_def *defs)
{
	for (; defs && defs->name && n + 1 < WORDS_MAX; defs++)
		words[n++] = defs->name;
	words[n] = NULL;
	return n;
}

static int bad_option(struct ctl *ctl, const char *arg, const char *name)
{
	const char *words[WORDS_MAX];
	const char *found;
	char hint[160];
	unsigned int n;

	n = add_words(words, 0, global_opts);
	if (ctl->verb)
		add_words(words, n, ctl->verb->opts);
	found = opt_suggest(name, words);
	if (found)
		snprintf(hint, sizeof(hint), "did you mean --%s?", found);
	else
		snprintf(hint, sizeof(hint), "see swblockctl %s%s--help",
			 ctl->verb ? ctl->verb->name : "", ctl->verb ? " " : "");
	return out_fail(ctl, &err_usage, hint, "unknown option %s", arg);
}

static int bad_verb(struct ctl *ctl, const char *word)
{
	const char *words[WORDS_MAX];
	const char *found;
	char hint[160];
	unsigned int n;

	for (n = 0; ctl_verbs[n] && n + 1 < WORDS_MAX; n++)
		words[n] = ctl_verbs[n]->name;
	words[n] = NULL;
	found = opt_suggest(word, words);
	if (found)
		snprintf(hint, sizeof(hint), "did you mean \"%s\"?", found);
	else
		snprintf(hint, sizeof(hint), "see swblockctl --help");
	return out_fail(ctl, &err_usage, hint, "unknown verb \"%s\"", word);
}

static int keep(struct ctl *ctl, const struct opt_def *def, const char *value)
{
	if (ctl->opt_count == CTL_OPTS_MAX)
		return out_fail(ctl, &err_usage, NULL, "too many options");
	ctl->opt[ctl->opt_count].def = def;
	ctl->opt[ctl->opt_count].value = value ? value : "";
	ctl->opt_count++;
	return CTL_OK;
}

/* Returns how many words of argv were used, or a negative exit code. */
static int take_option(struct ctl *ctl, char **argv, int left)
{
	const char *arg = argv[0], *name, *value = NULL;
	const struct opt_def *def;
	int used = 1, ret;

	if (arg[1] == '-') {
		name = arg + 2;
		value = strchr(name, '=');
		def = find_def(ctl, name, value ? (size_t)(value - name) :
			       strlen(name), 0);
		if (value)
			value++;
	} else {
		name = arg + 1;
		def = arg[2] ? NULL : find_def(ctl, NULL, 0, arg[1]);
	}
	if (!def) {
		/* "-json" is a slip of the finger, not a bundle */
		while (*name == '-')
			name++;
		return -bad_option(ctl, arg, name);
	}
	if (!def->arg && value)
		return -out_fail(ctl, &err_usage, NULL, "--%s takes no value",
				 def->name);
	if (def->arg && !value) {
		if (left < 2)
			return -out_fail(ctl, &err_usage, NULL,
					 "--%s needs a value: %s", def->name,
					 def->arg);
		value = argv[1];
		used = 2;
	}
	ret = keep(ctl, def, value);
	return ret ? -ret : used;
}

static const struct verb *find_verb(const char *word)
{
	const struct verb *const *v;

	for (v = ctl_verbs; *v; v++)
		if (!strcmp((*v)->name, word))
			return *v;
	return NULL;
}

/* "volume" of "volume create": a verb may be two words */
static bool is_group(const char *word)
{
	const struct verb *const *v;
	size_t len = strlen(word);

	for (v = ctl_verbs; *v; v++)
		if (!strncmp((*v)->name, word, len) && (*v)->name[len] == ' ')
			return true;
	return false;
}

/* The first word of a verb, or the second one. */
static int take_verb(struct ctl *ctl, const char *word)
{
	char both[64];

	if (!ctl->group && is_group(word)) {
		ctl->group = word;
		return CTL_OK;
	}
	snprintf(both, sizeof(both), "%s%s%s", ctl->group ? ctl->group : "",
		 ctl->group ? " " : "", word);
	ctl->verb = find_verb(both);
	return ctl->verb ? CTL_OK : bad_verb(ctl, both);
}

/* -j decides the form of every later error, so it is looked for first. */
static void early_json(struct ctl *ctl, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "-j") || !strcmp(argv[i], "--json"))
			ctl->json = true;
}

int opt_parse(struct ctl *ctl, int argc, char **argv)
{
	bool only_words = false;
	int i = 1, used;

	early_json(ctl, argc, argv);
	while (i < argc) {
		if (!only_words && !strcmp(argv[i], "--")) {
			only_words = true;
			i++;
			continue;
		}
		if (!only_words && argv[i][0] == '-' && argv[i][1]) {
			used = take_option(ctl, argv + i, argc - i);
			if (used < 0)
				return -used;
			i += used;
			continue;
		}
		if (!ctl->verb) {
			int ret = take_verb(ctl, argv[i]);

			if (ret)
				return ret;
		} else if (ctl->pos_count < CTL_POS_MAX) {
			ctl->pos[ctl->pos_count++] = argv[i];
		} else {
			return out_fail(ctl, &err_usage, NULL,
					"too many arguments: \"%s\"", argv[i]);
		}
		i++;
	}
	return CTL_OK;
}

const char *opt_nth(const struct ctl *ctl, const char *name, int n)
{
	int i;

	for (i = 0; i < ctl->opt_count; i++)
		if (!strcmp(ctl->opt[i].def->name, name) && n-- == 0)
			return ctl->opt[i].value;
	return NULL;
}

/* The last one wins, as everywhere. */
const char *opt_get(const struct ctl *ctl, const char *name)
{
	int i;

	for (i = ctl->opt_count - 1; i >= 0; i--)
		if (!strcmp(ctl->opt[i].def->name, name))
			return ctl->opt[i].value;
	return NULL;
}

bool opt_has(const struct ctl *ctl, const char *name)
{
	return opt_get(ctl, name);
}

static void help_opts(const struct opt_def *defs)
{
	char left[48];

	for (; defs && defs->name; defs++) {
		snprintf(left, sizeof(left), "%c%c%s--%s%s%s",
			 defs->letter ? '-' : ' ',
			 defs->letter ? defs->letter : ' ',
			 defs->letter ? ", " : "  ", defs->name,
			 defs->arg ? " " : "", defs->arg ? defs->arg : "");
		printf("  %-24s%s\n", left, defs->help);
	}
}

void opt_help(const struct ctl *ctl, const struct verb *verb)
{
	(void)ctl;
	printf("Usage: swblockctl %s%s%s\n\n%s.\n", verb->name,
	       *verb->synopsis ? " " : "", verb->synopsis, verb->summary);
	if (verb->detail)
		printf("\n%s\n", verb->detail);
	if (verb->opts) {
		printf("\nOptions:\n");
		help_opts(verb->opts);
	}
	printf("\nGeneral options:\n");
	help_opts(global_opts);
	printf("\nExample:\n%s\n", verb->example);
}

void opt_overview(void)
{
	const struct verb *const *v;

	printf("Usage: swblockctl VERB [ARGUMENTS] [OPTIONS]\n\n"
	       "Replicated block devices. With swblockd on each host: volume create, status,\n"
	       "health, events. By hand: format, add, assign, promote, link.\n\n"
	       "Verbs:\n");
	for (v = ctl_verbs; *v; v++)
		printf("  %-15s%s\n", (*v)->name, (*v)->summary);
	printf("\nA MEMBER is swblock0, /dev/swblock0, 0, VOLUME/REPLICA, a replica\n"
	       "label if it is the only one, or a replica uuid.\n\n"
	       "General options:\n");
	help_opts(global_opts);
	printf("\nExit codes: 0 ok, 1 failed, 2 usage, 3 no such object, 4 refused for\n"
	       "safety, 5 timeout, 6 no module.\n\n"
	       "Example:\n  swblockctl promote --help\n");
}
