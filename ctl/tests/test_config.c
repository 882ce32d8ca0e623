// SPDX-License-Identifier: GPL-2.0-only
/* The configuration file: what is accepted, and where every mistake is found. */
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "tap.h"

const struct verb *const ctl_verbs[] = { NULL };

static struct config cfg;
static struct config_errors errors;
static char path[32] = "/tmp/swb-config-XXXXXX";

static bool load(const char *text)
{
	FILE *f = fopen(path, "w");

	fputs(text, f);
	fclose(f);
	return config_load(path, &cfg, &errors);
}

/* Exactly one error, at LINE:COLUMN, with these words in it. */
static bool wrong(const char *text, const char *at, const char *words)
{
	char want[128];
	bool good;

	snprintf(want, sizeof(want), "%s:%s: ", path, at);
	good = !load(text) && errors.count == 1 &&
	       !strncmp(errors.text[0], want, strlen(want)) &&
	       strstr(errors.text[0], words);
	if (!good)
		printf("# %u errors, first: %s\n", errors.count,
		       errors.count ? errors.text[0] : "");
	return good;
}

static const char good[] =
	"node: a\n"
	"store:\n"
	"  address: /var/lib/swblock/store.db\n";

static void test_defaults(void)
{
	ok(load(good), "the shortest file is enough");
	ok(!strcmp(cfg.node, "a") && !strcmp(cfg.store, "/var/lib/swblock/store.db"),
	   "node and store are taken");
	ok(!strcmp(cfg.listen, "127.0.0.1:7790") &&
	   !strcmp(cfg.advertise, cfg.listen), "it listens on loopback only");
	ok(cfg.tune.silence_ns == 4 * NSEC_PER_SEC && cfg.poll_ms == 1000,
	   "durations have their units");
}

static void test_values(void)
{
	char text[1024];

	snprintf(text, sizeof(text), "%s%s", good,
		 "links:\n  listen: '[::1]:7000'\n  advertise: db1.example:7000\n"
		 "timing: {silence: 1500ms, turn: 2s}\nlog: {level: debug}\n"
		 "auto_rebuild: false\n");
	ok(load(text), "every kind of value");
	ok(!strcmp(cfg.listen, "[::1]:7000") &&
	   !strcmp(cfg.advertise, "db1.example:7000"), "addresses");
	ok(cfg.tune.silence_ns == 1500 * SWB_NSEC_PER_MSEC &&
	   cfg.tune.turn_ns == 2 * NSEC_PER_SEC, "durations");
	ok(cfg.level == LOG_LEVEL_DEBUG && !cfg.auto_rebuild, "words");
}

static void test_mistakes(void)
{
	ok(wrong("node: a\nstor:\n  address: x\n", "2:1", "did you mean \"store\""),
	   "a section that does not exist: what was meant");
	ok(wrong("node: a\nstore:\n  address: x\n  timeuot: 2s\n", "4:3",
		 "did you mean \"timeout\""), "a key that does not exist");
	ok(wrong("node: 1a\nstore: {address: x}\n", "1:7", "is no name"),
	   "a bad name");
	ok(wrong("node: a\nstore: {address: x, timeout: 2x}\n", "2:30",
		 "is no duration"), "a bad duration");
	ok(wrong("node: a\nstore: {address: x, timeout: 2h}\n", "2:30",
		 "out of range"), "a duration out of range");
	ok(wrong("node: a\nstore: {address: x}\nlinks: {listen: host}\n", "3:17",
		 "is not HOST:PORT"), "an address without a port");
	ok(wrong("node: a\nstore: {address: x}\nlinks: {listen: '::1:70'}\n", "3:17",
		 "without [ ]"), "an IPv6 address without brackets");
	ok(wrong("node: a\nstore: {address: x}\nlinks: {key_file: k}\n", "3:19",
		 "is no absolute path"), "a relative path");
	ok(wrong("node: a\nnode: b\nstore: {address: x}\n", "2:1", "twice"),
	   "a key given twice");
	ok(wrong("node: a\nstore: here\n", "2:8", "is a section"),
	   "a value where a section belongs");
	ok(wrong("node: [a]\nstore: {address: x}\n", "1:7", "takes one value"),
	   "a list where a value belongs");
	ok(wrong("node: a\nstore: {address: x}\nmetrics: {listen: '127.0.0.1'}\n",
		 "3:19", "is not HOST:PORT"), "metrics without a port");
	ok(wrong("store: {address: x}\n", "1:1", "\"node\" is missing"),
	   "a key that must be there");
	ok(wrong("- a\n", "1:1", "expected"), "no mapping at all");
	ok(wrong("", "1:1", "empty"), "an empty file");
	ok(wrong("node: \"a\nstore: x\n", "3:1", ""), "a quote that never ends");
}

static void test_together(void)
{
	ok(wrong("node: a\nstore: {address: x}\nlinks: {listen: '0.0.0.0:7790'}\n",
		 "1:1", "links.key_file"),
	   "never beyond loopback without a key");
	ok(wrong("node: a\nstore: {address: x}\ntiming: {silence: 1s, sign: 600ms}\n",
		 "1:1", "timing.silence"),
	   "a host that is well must not count as gone");
	ok(!load("nod: a\nstor: x\nlog: {levl: x}\n") && errors.count == 3,
	   "all mistakes are told at once");
}

static void test_metrics(void)
{
	static const char *const head = "node: a\nstore: {address: x}\nmetrics:\n";
	char text[256];

	ok(load(good) && !*cfg.metrics_listen, "no metrics unless asked for");
	snprintf(text, sizeof(text), "%s  listen: 127.0.0.1:9599\n", head);
	ok(load(text) && !strcmp(cfg.metrics_listen, "127.0.0.1:9599"), "loopback");
	snprintf(text, sizeof(text), "%s  listen: '[::1]:9599'\n", head);
	ok(load(text), "loopback of IPv6");
	snprintf(text, sizeof(text), "%s  public: false\n  listen: 0.0.0.0:9599\n",
		 head);
	ok(wrong(text, "5:11", "metrics.public: true"),
	   "an address that others reach is refused, with what to say");
	snprintf(text, sizeof(text), "%s  public: true\n  listen: 0.0.0.0:9599\n",
		 head);
	ok(load(text), "and taken if that is said");
	snprintf(text, sizeof(text), "%s  public: true\n  listen: db1:9599\n", head);
	ok(wrong(text, "5:11", "names no address"), "a name is not looked up");
	snprintf(text, sizeof(text), "%s  listen: 127.evil.example:9599\n", head);
	ok(wrong(text, "4:11", "names no address"), "nor one that looks like loopback");
	snprintf(text, sizeof(text), "%s  listen: ':9599'\n", head);
	ok(wrong(text, "4:11", "names no address"), "nothing in front of the port");
}

static void test_reload(void)
{
	struct config old;

	load(good);
	old = cfg;
	ok(!config_needs_restart(&old, &cfg), "nothing has changed");
	snprintf(cfg.node, sizeof(cfg.node), "b");
	ok(config_needs_restart(&old, &cfg), "a name cannot change while it runs");
	cfg = old;
	cfg.tune.silence_ns = 1;
	ok(!config_needs_restart(&old, &cfg), "patience can");
}

static void test_no_file(void)
{
	ok(!config_load("/nonexistent/x.yaml", &cfg, &errors) &&
	   strstr(errors.text[0], "/nonexistent/x.yaml:1:1: No such file"),
	   "a file that is not there");
}

int main(void)
{
	int fd = mkstemp(path);

	close(fd);
	test_defaults();
	test_values();
	test_mistakes();
	test_together();
	test_metrics();
	test_reload();
	test_no_file();
	unlink(path);
	return tap_done();
}
