// SPDX-License-Identifier: GPL-2.0-only
/*
 * swblockd: options, start, event loop, reload, end. The rest is in the files
 * that daemon.h lists.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "daemon.h"
#include "fault.h"
#include "privileges.h"

#define STORE_END_MS	3000

struct options {
	const char *config;
	bool check;
	bool stop_volumes;
	bool faults;
};

static const char usage[] =
"usage: swblockd [--config FILE] [--check] [--stop-volumes]\n"
"\n"
"  --config FILE    default " CONFIG_DEFAULT "\n"
"  --check          check the file, say what it means, and end\n"
"  --stop-volumes   detach this node's members at the end; otherwise they go on\n"
"  --faults         obey SWBLOCKD_FAULT, SWBLOCKD_FAULT_FILE, SWB_STORE_FAULT; for tests\n"
"  --fault-points   list what they may name, and end\n"
"  --version, --help\n";

/* Returns -1 to go on, else an exit code. */
static int parse_options(int argc, char **argv, struct options *o)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check", no_argument, NULL, 'k' },
		{ "stop-volumes", no_argument, NULL, 's' },
		{ "faults", no_argument, NULL, 'f' },
		{ "fault-points", no_argument, NULL, 'p' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	*o = (struct options){ .config = CONFIG_DEFAULT };
	while ((c = getopt_long(argc, argv, "c:hV", known, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->config = optarg;
			break;
		case 'k':
			o->check = true;
			break;
		case 's':
			o->stop_volumes = true;
			break;
		case 'f':
			o->faults = true;
			break;
		case 'p':
			fault_list();
			return 0;
		case 'V':
			printf("swblockd %s\n", CTL_VERSION);
			return 0;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return CTL_USAGE;
		}
	}
	if (optind == argc)
		return -1;
	fprintf(stderr, "swblockd: unexpected argument \"%s\"\n%s", argv[optind],
		usage);
	return CTL_USAGE;
}

static void say_errors(const struct config_errors *e)
{
	unsigned int i;

	for (i = 0; i < e->count; i++)
		fprintf(stderr, "%s\n", e->text[i]);
}

/* The program that formats: beside this one, unless the file says otherwise. */
static void find_swblockctl(struct config *cfg)
{
	char self[CONFIG_TEXT_MAX - 16];
	char *slash;
	ssize_t n;

	if (*cfg->swblockctl)
		return;
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[n > 0 ? n : 0] = 0;
	slash = strrchr(self, '/');
	if (slash)
		*slash = 0;
	snprintf(cfg->swblockctl, sizeof(cfg->swblockctl), "%s/swblockctl", self);
}

static int check(const struct config *cfg)
{
	char why[256];

	printf("# %s is valid; with its defaults it reads:\n", cfg->path);
	config_say(cfg);
	printf("# node %s would keep its lock in %s, use the store %s,\n"
	       "# listen on %s, be reached at %s, %s\n", cfg->node,
	       cfg->runtime_dir, cfg->store, cfg->listen, cfg->advertise,
	       *cfg->key_file ? "and encrypt every link." :
	       "and encrypt nothing: without links.key_file only this host is reached.");
	if (*cfg->metrics_listen)
		printf("# http://%s/metrics would be for %s\n", cfg->metrics_listen,
		       cfg->metrics_public ? "everybody who reaches it" :
					     "this host only");
	if (access(cfg->swblockctl, X_OK))
		printf("# note: %s: %s; blank devices could not be formatted\n",
		       cfg->swblockctl, strerror(errno));
	if (*cfg->key_file && !links_check_keys(cfg, why, sizeof(why))) {
		fprintf(stderr, "%s:1:1: links.key_file: %s\n", cfg->path, why);
		return CTL_FAILED;
	}
	return CTL_OK;
}

static bool read_boot_id(struct swb_uuid *boot)
{
	char text[64] = "";
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (n > 0)
		text[strcspn(text, "\n")] = 0;
	return n > 0 && uuid_parse(text, boot);
}

/* --- signals --- */

static int on_end(sd_event_source *s, const struct signalfd_siginfo *si, void *arg)
{
	struct daemon *d = arg;

	(void)s;
	log_say(LOG_LEVEL_NOTICE, NULL, d->stop_volumes ?
		"stopping, and detaching the members" :
		"stopping; the volumes go on until their leases end", "signal=%s",
		strsignal((int)si->ssi_signo));
	sd_notify(0, "STOPPING=1");
	d->stopping = true;
	d->end_ns = boottime_ns() + (d->stop_volumes ? d->cfg.order_ms *
				     SWB_NSEC_PER_MSEC : 0);
	return 0;
}

static int on_reload(sd_event_source *s, const struct signalfd_siginfo *si,
		     void *arg)
{
	static struct config_errors errors;
	struct daemon *d = arg;
	struct config fresh;
	const char *fixed;
	unsigned int i;

	(void)s;
	(void)si;
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		   boottime_ns() / 1000);
	if (!config_load(d->cfg.path, &fresh, &errors)) {
		for (i = 0; i < errors.count; i++)
			log_say(LOG_LEVEL_ERROR, NULL, errors.text[i], NULL);
		log_say(LOG_LEVEL_ERROR, NULL,
			"the configuration was not changed", NULL);
	} else if (config_needs_restart(&d->cfg, &fresh)) {
		fixed = config_needs_restart(&d->cfg, &fresh);
		log_say(LOG_LEVEL_ERROR, NULL,
			"the configuration was not changed: this key takes a restart",
			"key=%s", fixed);
	} else {
		find_swblockctl(&fresh);
		d->cfg = fresh;
		log_set_level(fresh.level);
		links_keys(d);
		metrics_apply(d);
		log_say(LOG_LEVEL_NOTICE, NULL, "the configuration was read again",
			"file=%s", fresh.path);
	}
	sd_notify(0, "READY=1");
	return 0;
}

static int add_signals(struct daemon *d)
{
	static const int ends[] = { SIGTERM, SIGINT };
	sigset_t set;
	size_t i;
	int err;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	/* before any thread: they inherit it */
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		err = sd_event_add_signal(d->ev, NULL, ends[i], on_end, d);
		if (err < 0)
			return err;
	}
	return sd_event_add_signal(d->ev, NULL, SIGHUP, on_reload, d);
}

/* --- the loop --- */

static int on_timer(sd_event_source *s, uint64_t usec, void *arg)
{
	(void)s;
	(void)usec;
	(void)arg;	/* turn() follows anyway */
	return 0;
}

static void say_status(struct daemon *d)
{
	unsigned int i, attached = 0, primary = 0;
	char text[200];

	for (i = 0; i < d->own_count; i++) {
		attached += !!d->own[i]->kv;
		primary += d->own[i]->kv &&
			   d->own[i]->kv->role == SWBLOCK_ROLE_PRIMARY;
	}
	snprintf(text, sizeof(text),
		 "STATUS=node %s: %u members, %u primary; store %s", d->cfg.node,
		 attached, primary, d->store_said > 0 ? "reachable" : "away");
	if (strcmp(text, d->status)) {
		snprintf(d->status, sizeof(d->status), "%s", text);
		sd_notify(0, text);
	}
}

/* Where the loop was, and how often it slept there. */
struct stay {
	uint64_t began;
	long slept;
};

static struct stay stay_begin(void)
{
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	return (struct stay){ boottime_ns(), u.ru_nvcsw };
}

/* Nothing may keep the loop from its watchdog; whatever does is a fault. Time that
 * others had the processor does not count: it did not sleep then.
 */
static void stay_end(const struct stay *s, const char *what)
{
	uint64_t took = boottime_ns() - s->began;
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	if (took > LOOP_MAX_NS && u.ru_nvcsw != s->slept)
		log_say(LOG_LEVEL_WARNING, NULL, "the loop was kept waiting",
			"by=%s took_ms=%" PRIu64 " slept=%ld", what, took / 1000000,
			u.ru_nvcsw - s->slept);
}

static bool end_reached(struct daemon *d)
{
	if (!d->stopping)
		return false;
	return !d->stop_volumes || !stop_members(d) ||
	       boottime_ns() >= d->end_ns;
}

static int one_round(struct daemon *d)
{
	int ret = sd_event_prepare(d->ev);
	struct stay stay;

	if (!ret)
		ret = sd_event_wait(d->ev, UINT64_MAX);
	if (ret < 0)
		return ret;
	stay = stay_begin();
	if (ret > 0)
		ret = sd_event_dispatch(d->ev);
	stay_end(&stay, "dispatch");
	return ret;
}

static int loop(struct daemon *d)
{
	sd_event_source *timer;
	struct stay stay;
	int err;

	err = sd_event_add_time(d->ev, &timer, CLOCK_BOOTTIME, 0, 1000, on_timer, d);
	if (err < 0)
		return err;
	for (;;) {
		stay = stay_begin();
		turn(d);
		say_status(d);
		stay_end(&stay, "turn");
		if (end_reached(d))
			return 0;
		sd_event_source_set_time(timer, d->wake_ns / 1000 + 1);
		sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
		err = one_round(d);
		if (err < 0)
			return err;
	}
}

static int start(struct daemon *d)
{
	int err;

	uuid_random(&d->instance);
	d->started_ns = boottime_ns();
	d->store_said = -1;
	if (!read_boot_id(&d->boot)) {
		log_say(LOG_LEVEL_ERROR, NULL, "there is no boot id in /proc", NULL);
		return -ENOENT;
	}
	err = sd_event_new(&d->ev);
	if (err >= 0)
		err = add_signals(d);
	if (err >= 0)
		err = sd_event_set_watchdog(d->ev, 1);
	if (err >= 0)
		err = attach_open(d);
	if (err >= 0)
		err = links_open(d);
	if (err >= 0)
		err = observe_open(d);
	if (err >= 0)
		err = metrics_apply(d);
	return err < 0 ? err : 0;
}

static void end(struct daemon *d)
{
	metrics_close(d);
	links_close(d);
	if (d->store)
		store_queue_destroy(d->store, STORE_END_MS);
	if (d->kern)
		kern_close(d->kern);
	log_say(LOG_LEVEL_NOTICE, NULL, "stopped", NULL);
}

int main(int argc, char **argv)
{
	static struct config_errors errors;
	static struct daemon d;
	struct options opt;
	char why[512];
	int ret = parse_options(argc, argv, &opt);

	if (ret >= 0)
		return ret;
	if (!config_load(opt.config, &d.cfg, &errors)) {
		say_errors(&errors);
		return CTL_USAGE;
	}
	find_swblockctl(&d.cfg);
	if (opt.check)
		return check(&d.cfg);
	if (opt.faults) {
		fault_arm();
		store_faults_allow();
	}
	d.stop_volumes = opt.stop_volumes;
	log_open(d.cfg.level, !!getenv("JOURNAL_STREAM"));
	if (instance_lock(d.cfg.runtime_dir, d.cfg.node, why, sizeof(why)) < 0 ||
	    !privileges_drop(why, sizeof(why))) {
		fprintf(stderr, "swblockd: %s\n", why);
		return CTL_FAILED;
	}
	log_say(LOG_LEVEL_NOTICE, NULL, "starting", "node=%s store=%s version=%s",
		d.cfg.node, d.cfg.store, CTL_VERSION);
	ret = start(&d);
	if (!ret) {
		sd_notify(0, "READY=1");
		ret = loop(&d);
	}
	if (ret < 0)
		log_say(LOG_LEVEL_ERROR, NULL, "cannot go on", "error=\"%s\"",
			strerror(-ret));
	end(&d);
	return ret < 0 ? CTL_FAILED : CTL_OK;
}
