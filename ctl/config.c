// SPDX-License-Identifier: GPL-2.0-only
/*
 * The configuration file: libyaml reads it into nodes with marks, a table of keys
 * says what each value must be. A key that is not in the table is an error.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <yaml.h>

#include "config.h"

#define SECTIONS_MAX	16
#define MS_PER_DAY	86400000u

enum kind {
	KIND_TEXT,	/* any text that fits */
	KIND_LABEL,
	KIND_ADDRESS,	/* HOST:PORT */
	KIND_PATH,	/* absolute */
	KIND_MS,	/* duration, kept in ms */
	KIND_NS,	/* duration, kept in ns */
	KIND_NUMBER,
	KIND_BOOL,
	KIND_LEVEL,
};

struct key {
	const char *section;	/* "" for the top */
	const char *name;
	enum kind kind;
	size_t offset;
	size_t size;
	const char *preset;	/* as in the file; NULL: must be given */
	uint64_t min, max;
};

#define AT(field)	offsetof(struct config, field), \
			sizeof(((struct config *)NULL)->field)

static const struct key keys[] = {
	{ "", "node", KIND_LABEL, AT(node), NULL, 0, 0 },
	{ "", "runtime_dir", KIND_PATH, AT(runtime_dir), "/run/swblock", 0, 0 },
	{ "", "swblockctl", KIND_PATH, AT(swblockctl), "", 0, 0 },
	{ "", "auto_rebuild", KIND_BOOL, AT(auto_rebuild), "true", 0, 0 },
	{ "store", "address", KIND_TEXT, AT(store), NULL, 0, 0 },
	{ "store", "create", KIND_BOOL, AT(store_create), "true", 0, 0 },
	{ "store", "timeout", KIND_MS, AT(store_timeout_ms), "2s", 100, 60000 },
	{ "links", "listen", KIND_ADDRESS, AT(listen), "127.0.0.1:7790", 0, 0 },
	{ "links", "advertise", KIND_ADDRESS, AT(advertise), "", 0, 0 },
	{ "links", "key_file", KIND_PATH, AT(key_file), "", 0, 0 },
	{ "links", "timeout", KIND_MS, AT(hello_ms), "5s", 100, 60000 },
	{ "lease", "margin", KIND_NS, AT(tune.margin_ns), "500ms", 0, 60000 },
	{ "lease", "clock_ppm", KIND_NUMBER, AT(tune.clock_ppm), "1000", 0, 100000 },
	{ "timing", "silence", KIND_NS, AT(tune.silence_ns), "4s", 100, MS_PER_DAY },
	{ "timing", "collect", KIND_NS, AT(tune.collect_ns), "2s", 0, MS_PER_DAY },
	{ "timing", "turn", KIND_NS, AT(tune.turn_ns), "300ms", 0, MS_PER_DAY },
	{ "timing", "backoff", KIND_NS, AT(tune.backoff_ns), "500ms", 10, MS_PER_DAY },
	{ "timing", "poll", KIND_MS, AT(poll_ms), "1s", 20, 60000 },
	{ "timing", "sign", KIND_MS, AT(sign_ms), "0s", 0, 60000 },
	{ "timing", "order", KIND_MS, AT(order_ms), "10s", 100, 600000 },
	{ "log", "level", KIND_LEVEL, AT(level), "info", 0, 0 },
	{ "metrics", "listen", KIND_ADDRESS, AT(metrics_listen), "", 0, 0 },
	{ "metrics", "public", KIND_BOOL, AT(metrics_public), "false", 0, 0 },
};

struct load {
	yaml_document_t doc;
	struct config *cfg;
	struct config_errors *errors;
	bool seen[ARRAY_SIZE(keys)];
	yaml_mark_t at[ARRAY_SIZE(keys)];	/* its value */
};

__attribute__((format(printf, 4, 5)))
static void complain(struct load *l, size_t line, size_t column, const char *fmt,
		     ...)
{
	char *out;
	size_t used;
	va_list ap;

	if (l->errors->count == CONFIG_ERRORS_MAX)
		return;
	out = l->errors->text[l->errors->count++];
	snprintf(out, sizeof(l->errors->text[0]), "%s:%zu:%zu: ", l->cfg->path,
		 line, column);
	used = strlen(out);
	va_start(ap, fmt);
	vsnprintf(out + used, sizeof(l->errors->text[0]) - used, fmt, ap);
	va_end(ap);
}

#define COMPLAIN(l, node, ...) \
	complain(l, (node)->start_mark.line + 1, (node)->start_mark.column + 1, \
		 __VA_ARGS__)

/* "" if the text is good, else what is wrong with it */
static const char *address_fault(const char *s)
{
	const char *colon = strrchr(s, ':');
	uint64_t port;

	if (!colon || !colon[1])
		return "is not HOST:PORT";
	if (!number_parse(colon + 1, 65535, &port) || !port)
		return "has no port between 1 and 65535";
	if (s[0] == '[' ? colon[-1] != ']' : !!memchr(s, ':', (size_t)(colon - s)))
		return "is an IPv6 address without [ ] around it";
	return "";
}

static const char *set_text(const struct key *k, const char *s, char *out)
{
	const char *fault = "";

	if (strlen(s) >= k->size)
		return "is too long";
	if (k->kind == KIND_LABEL && !label_ok(s))
		return "is no name: a letter, then letters, digits, and . _ -, at most 31";
	if (k->kind == KIND_PATH && *s && *s != '/')
		return "is no absolute path";
	if (k->kind == KIND_ADDRESS && *s)
		fault = address_fault(s);
	if (!*fault)
		text_copy(out, s, k->size);
	return fault;
}

static const char *set_number(const struct key *k, const char *s, void *out)
{
	static char range[96];
	uint64_t v;
	bool ms = k->kind != KIND_NUMBER;

	if (ms ? !duration_parse(s, &v) : !number_parse(s, UINT32_MAX, &v))
		return ms ? "is no duration: for example 500ms, 6s or 2m" :
			    "is no number";
	if (v < k->min || v > k->max) {
		snprintf(range, sizeof(range),
			 "is out of range: %" PRIu64 "%s to %" PRIu64 "%s",
			 k->min, ms ? "ms" : "", k->max, ms ? "ms" : "");
		return range;
	}
	if (k->kind == KIND_NS)
		*(uint64_t *)out = v * SWB_NSEC_PER_MSEC;
	else
		*(uint32_t *)out = (uint32_t)v;
	return "";
}

static const char *set_value(struct config *cfg, const struct key *k, const char *s)
{
	void *out = (char *)cfg + k->offset;

	switch (k->kind) {
	case KIND_TEXT:
	case KIND_LABEL:
	case KIND_ADDRESS:
	case KIND_PATH:
		return set_text(k, s, out);
	case KIND_MS:
	case KIND_NS:
	case KIND_NUMBER:
		return set_number(k, s, out);
	case KIND_BOOL:
		if (strcmp(s, "true") && strcmp(s, "false"))
			return "is neither true nor false";
		*(bool *)out = !strcmp(s, "true");
		return "";
	case KIND_LEVEL:
		return log_level_parse(s, out) ? "" :
		       "is no level: error, warning, notice, info or debug";
	}
	return "?";
}

static bool is_section(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (*keys[i].section && !strcmp(keys[i].section, name))
			return true;
	return false;
}

/* What could have been meant: keys of this section, at the top sections too. */
static void unknown_key(struct load *l, const yaml_node_t *at, const char *section,
			const char *name)
{
	const char *words[2 * ARRAY_SIZE(keys) + 1], *found;
	size_t i, n = 0;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!strcmp(keys[i].section, section))
			words[n++] = keys[i].name;
		else if (!*section)
			words[n++] = keys[i].section;
	}
	words[n] = NULL;
	found = opt_suggest(name, words);
	COMPLAIN(l, at, "unknown key \"%s%s%s\"%s%s%s", section,
		 *section ? "." : "", name, found ? "; did you mean \"" : "",
		 found ? found : "", found ? "\"?" : "");
}

static const char *scalar(const yaml_node_t *n)
{
	return n->type == YAML_SCALAR_NODE ? (const char *)n->data.scalar.value :
					     NULL;
}

static void take_key(struct load *l, const char *section, const yaml_node_t *at,
		     const yaml_node_t *value)
{
	const char *name = scalar(at), *text = scalar(value), *fault;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcmp(keys[i].section, section) || strcmp(keys[i].name, name))
			continue;
		if (l->seen[i])
			COMPLAIN(l, at, "key \"%s\" is given twice", name);
		l->seen[i] = true;
		l->at[i] = value->start_mark;
		if (!text) {
			COMPLAIN(l, value, "\"%s\" takes one value", name);
			return;
		}
		fault = set_value(l->cfg, &keys[i], text);
		if (*fault)
			COMPLAIN(l, value, "\"%s\" %s", text, fault);
		return;
	}
	unknown_key(l, at, section, name);
}

static void take_map(struct load *l, const char *section, const yaml_node_t *map)
{
	const yaml_node_pair_t *p;
	const yaml_node_t *at, *value;

	for (p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++) {
		at = yaml_document_get_node(&l->doc, p->key);
		value = yaml_document_get_node(&l->doc, p->value);
		if (!scalar(at)) {
			COMPLAIN(l, at, "a key must be a word");
		} else if (*section || !is_section(scalar(at))) {
			take_key(l, section, at, value);
		} else if (value->type == YAML_MAPPING_NODE) {
			take_map(l, scalar(at), value);
		} else {
			COMPLAIN(l, value, "\"%s\" is a section: its keys stand below it",
				 scalar(at));
		}
	}
}

static void set_presets(struct load *l)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].preset)
			set_value(l->cfg, &keys[i], keys[i].preset);
}

static void check_missing(struct load *l)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (!keys[i].preset && !l->seen[i])
			complain(l, 1, 1, "key \"%s%s%s\" is missing", keys[i].section,
				 *keys[i].section ? "." : "", keys[i].name);
}

static bool is_loopback(const char *hostport)
{
	return !strncmp(hostport, "127.", 4) || !strncmp(hostport, "[::1]", 5) ||
	       !strncmp(hostport, "localhost:", 10);
}

/* A name would have to be looked up each time it is opened, and that may hang. */
static bool is_numeric(const char *hostport)
{
	size_t len = (size_t)(strrchr(hostport, ':') - hostport);
	char host[64];
	struct in6_addr out;

	if (!strncmp(hostport, "localhost:", 10))
		return true;
	if (!len || len >= sizeof(host))
		return false;
	if (hostport[0] == '[') {
		text_copy(host, hostport + 1, len - 1);
		return inet_pton(AF_INET6, host, &out) == 1;
	}
	text_copy(host, hostport, len + 1);
	return inet_pton(AF_INET, host, &out) == 1;
}

static void check_metrics(struct load *l)
{
	const char *listen = l->cfg->metrics_listen;
	const char *fault = NULL;
	size_t i;

	if (!*listen)
		return;
	if (!is_numeric(listen))
		fault = "names no address: a numeric one, or localhost, is needed";
	else if (!is_loopback(listen) && !l->cfg->metrics_public)
		fault = "is reached by others: listen on 127.0.0.1, or say metrics.public: true";
	for (i = 0; fault && i < ARRAY_SIZE(keys); i++)
		if (keys[i].offset == offsetof(struct config, metrics_listen))
			complain(l, l->at[i].line + 1, l->at[i].column + 1,
				 "\"%s\" %s", listen, fault);
}

/* What no single key shows. */
static void check_together(struct load *l)
{
	struct config *c = l->cfg;

	if (!*c->advertise)
		text_copy(c->advertise, c->listen, sizeof(c->advertise));
	/* never plaintext by accident */
	if (!*c->key_file && !is_loopback(c->listen))
		complain(l, 1, 1,
			 "links.listen is %s, which others reach, but there is no links.key_file: name one, or listen on 127.0.0.1",
			 c->listen);
	if (c->tune.silence_ns < 2ull * c->sign_ms * SWB_NSEC_PER_MSEC)
		complain(l, 1, 1,
			 "timing.silence must be at least twice timing.sign: a host that is well would count as gone");
	check_metrics(l);
}

static void parse(struct load *l, FILE *f)
{
	yaml_node_t *root;
	yaml_parser_t p;

	if (!yaml_parser_initialize(&p)) {
		complain(l, 1, 1, "no memory");
		return;
	}
	yaml_parser_set_input_file(&p, f);
	if (!yaml_parser_load(&p, &l->doc)) {
		complain(l, p.problem_mark.line + 1, p.problem_mark.column + 1,
			 "%s%s%s", p.problem ? p.problem : "no YAML",
			 p.context ? " " : "", p.context ? p.context : "");
		yaml_parser_delete(&p);
		return;
	}
	root = yaml_document_get_root_node(&l->doc);
	if (!root)
		complain(l, 1, 1, "the file is empty");
	else if (root->type != YAML_MAPPING_NODE)
		COMPLAIN(l, root, "\"key: value\" is expected here");
	else
		take_map(l, "", root);
	yaml_document_delete(&l->doc);
	yaml_parser_delete(&p);
	if (!l->errors->count)
		check_missing(l);
	if (!l->errors->count)
		check_together(l);
}

bool config_load(const char *path, struct config *cfg, struct config_errors *errors)
{
	struct load l = { .cfg = cfg, .errors = errors };
	FILE *f;

	memset(cfg, 0, sizeof(*cfg));
	memset(errors, 0, sizeof(*errors));
	snprintf(cfg->path, sizeof(cfg->path), "%s", path);
	set_presets(&l);
	f = fopen(path, "re");
	if (!f) {
		complain(&l, 1, 1, "%s", strerror(errno));
		return false;
	}
	parse(&l, f);
	fclose(f);
	return !errors->count;
}

static void say_value(const struct config *cfg, const struct key *k)
{
	const void *at = (const char *)cfg + k->offset;

	switch (k->kind) {
	case KIND_TEXT:
	case KIND_LABEL:
	case KIND_ADDRESS:
	case KIND_PATH:
		printf("\"%s\"\n", (const char *)at);
		break;
	case KIND_MS:
		printf("%" PRIu32 "ms\n", *(const uint32_t *)at);
		break;
	case KIND_NS:
		printf("%" PRIu64 "ms\n", *(const uint64_t *)at / 1000000);
		break;
	case KIND_NUMBER:
		printf("%" PRIu32 "\n", *(const uint32_t *)at);
		break;
	case KIND_BOOL:
		printf("%s\n", *(const bool *)at ? "true" : "false");
		break;
	case KIND_LEVEL:
		printf("%s\n", log_level_word(*(const enum log_level *)at));
		break;
	}
}

void config_say(const struct config *cfg)
{
	const char *section = "";
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcmp(section, keys[i].section)) {
			section = keys[i].section;
			printf("%s:\n", section);
		}
		printf("%s%s: ", *section ? "  " : "", keys[i].name);
		say_value(cfg, &keys[i]);
	}
}

const char *config_needs_restart(const struct config *old,
				 const struct config *fresh)
{
	if (strcmp(old->node, fresh->node))
		return "node";
	if (strcmp(old->store, fresh->store))
		return "store.address";
	if (strcmp(old->listen, fresh->listen))
		return "links.listen";
	if (strcmp(old->runtime_dir, fresh->runtime_dir))
		return "runtime_dir";
	return NULL;
}
