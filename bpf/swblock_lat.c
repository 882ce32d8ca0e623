// SPDX-License-Identifier: GPL-2.0-only
/*
 * swblock-lat: attaches the BPF program, reads it at each interval, shows what came
 * since the last reading. Options and time; the rest is in the other files.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/core.h"
#include "core/text.h"
#include "draw.h"
#include "load.h"

#define VERSION		"0.1"
#define NSEC_PER_SEC	((uint64_t)1000000000)
#define INTERVAL_MAX_S	86400

/* Exit codes; the same numbers mean the same to swblockctl. */
enum {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
};

enum form {
	FORM_TABLE,
	FORM_BARS,
	FORM_HEAT,
	FORM_JSON,
};

/**
 * struct lat - a run
 * @form: what is printed
 * @interval_ns: between two readings
 * @count: readings, 0: until it is told to end
 * @stages: of these only: bit of each number; 0: all
 * @heat: stage of the heat map
 * @volume: of this only, or NULL
 * @svg_path: where the picture goes, or NULL
 * @svg: that file
 * @load: the program
 * @opts: how to attach
 * @names: of members and peers
 * @series: all intervals, for the picture
 */
struct lat {
	enum form form;
	uint64_t interval_ns;
	unsigned long count;
	uint32_t stages;
	uint32_t heat;
	const char *volume;
	const char *svg_path;
	FILE *svg;
	struct load *load;
	struct load_opts opts;
	struct names names;
	struct series series;
};

enum {
	OPT_SVG = 256,
	OPT_HEAT,
	OPT_PIN,
	OPT_NO_PIN,
	OPT_ATTACH,
	OPT_VERSION,
	OPT_VERBOSE,
};

static const struct option long_options[] = {
	{ "interval", required_argument, NULL, 'i' },
	{ "count", required_argument, NULL, 'c' },
	{ "volume", required_argument, NULL, 'V' },
	{ "stage", required_argument, NULL, 's' },
	{ "bars", no_argument, NULL, 'b' },
	{ "json", no_argument, NULL, 'j' },
	{ "heat", optional_argument, NULL, OPT_HEAT },
	{ "svg", required_argument, NULL, OPT_SVG },
	{ "pin", required_argument, NULL, OPT_PIN },
	{ "no-pin", no_argument, NULL, OPT_NO_PIN },
	{ "attach", required_argument, NULL, OPT_ATTACH },
	{ "verbose", no_argument, NULL, OPT_VERBOSE },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "help", no_argument, NULL, 'h' },
	{ NULL }
};

static void usage(FILE *out)
{
	fputs("usage: swblock-lat [OPTION...]\n\n"
	      "Log2 histograms of the stages of swblock writes, by volume and peer, counted in the\n"
	      "kernel while this runs.\n\n"
	      "  -i, --interval S     seconds between two tables (default 5, parts allowed)\n"
	      "  -c, --count N        end after N of them (default: until interrupted)\n"
	      "  -V, --volume NAME    only this volume, member, device or number\n"
	      "  -s, --stage A,B,...  only these stages\n"
	      "  -b, --bars           a line for each slot instead of a line for each histogram\n"
	      "  -j, --json           one JSON object a line\n"
	      "      --heat[=STAGE]   a heat map, time downwards (default complete)\n"
	      "      --svg FILE       at the end, a picture of all that was measured\n"
	      "      --pin DIR        pin the maps there (default " LOAD_PIN_DEFAULT ")\n"
	      "      --no-pin         do not pin them\n"
	      "      --attach HOW     tp_btf, raw_tp, or auto: tp_btf if the module has BTF\n"
	      "      --verbose        what libbpf and the verifier say\n"
	      "      --version\n"
	      "  -h, --help\n\n"
	      "  swblock-lat -i 1 -c 10 -V db --svg db.svg\n", out);
}

static int refuse(const char *what, const char *value)
{
	fprintf(stderr, "swblock-lat: %s: %s; see swblock-lat --help\n", what, value);
	return EXIT_USAGE;
}

static int parse_interval(struct lat *lat, const char *text)
{
	char *end;
	double s = strtod(text, &end);

	/* written so that NaN is refused, too */
	if (*end || end == text || !(s >= 0.01 && s <= INTERVAL_MAX_S))
		return refuse("-i wants 0.01 to 86400 seconds", text);
	lat->interval_ns = (uint64_t)(s * NSEC_PER_SEC);
	return 0;
}

static int parse_count(struct lat *lat, const char *text)
{
	char *end;

	errno = 0;
	lat->count = strtoul(text, &end, 10);
	if (*end || *text < '0' || *text > '9' || errno || !lat->count)
		return refuse("-c wants a number from 1 on", text);
	return 0;
}

static int parse_stages(struct lat *lat, char *text)
{
	char *word, *rest = NULL;
	uint32_t stage;

	for (word = strtok_r(text, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		stage = names_stage(word);
		if (!stage)
			return refuse("no such stage", word);
		lat->stages |= 1u << stage;
	}
	return lat->stages ? 0 : refuse("-s wants names of stages", text);
}

static int parse_heat(struct lat *lat, const char *text)
{
	lat->form = FORM_HEAT;
	lat->heat = text ? names_stage(text) : SWBLOCK_STAGE_COMPLETE;
	return lat->heat ? 0 : refuse("no such stage", text);
}

static int parse_attach(struct lat *lat, const char *text)
{
	if (!strcmp(text, "auto"))
		lat->opts.how = LOAD_AUTO;
	else if (!strcmp(text, "tp_btf"))
		lat->opts.how = LOAD_TP_BTF;
	else if (!strcmp(text, "raw_tp"))
		lat->opts.how = LOAD_RAW_TP;
	else
		return refuse("--attach wants auto, tp_btf or raw_tp", text);
	return 0;
}

/* Return: 0, an exit code, or -1: all was said, and well. */
static int parse_one(struct lat *lat, int opt)
{
	switch (opt) {
	case 'i':
		return parse_interval(lat, optarg);
	case 'c':
		return parse_count(lat, optarg);
	case 's':
		return parse_stages(lat, optarg);
	case OPT_HEAT:
		return parse_heat(lat, optarg);
	case OPT_ATTACH:
		return parse_attach(lat, optarg);
	case 'V':
		lat->volume = optarg;
		break;
	case 'b':
		lat->form = FORM_BARS;
		break;
	case 'j':
		lat->form = FORM_JSON;
		break;
	case OPT_SVG:
		lat->svg_path = optarg;
		break;
	case OPT_PIN:
		lat->opts.pin = optarg;
		lat->opts.pin_must = true;
		break;
	case OPT_NO_PIN:
		lat->opts.pin = NULL;
		break;
	case OPT_VERBOSE:
		lat->opts.verbose = true;
		break;
	case OPT_VERSION:
		puts("swblock-lat " VERSION);
		return -1;
	case 'h':
		usage(stdout);
		return -1;
	default:
		fputs("see swblock-lat --help\n", stderr);
		return EXIT_USAGE;
	}
	return 0;
}

static int parse(struct lat *lat, int argc, char **argv)
{
	int opt, ret = 0;

	while (!ret) {
		opt = getopt_long(argc, argv, "i:c:V:s:bjh", long_options, NULL);
		if (opt < 0)
			break;
		ret = parse_one(lat, opt);
	}
	if (!ret && optind < argc)
		ret = refuse("too many words", argv[optind]);
	return ret;
}

static int fail(const char *what, int err)
{
	fprintf(stderr, "swblock-lat: %s: %s\n", what, strerror(-err));
	return EXIT_FAILED;
}

static bool wanted(const struct lat *lat, const struct swblock_lat_key *key)
{
	if (lat->stages && (key->stage > SWBLOCK_STAGE_MAX || !(lat->stages & 1u << key->stage)))
		return false;
	return !lat->volume || names_match(&lat->names, key->volume, lat->volume);
}

/* Only what was asked for stays. */
static void keep_wanted(const struct lat *lat, struct lat_snap *s)
{
	unsigned int i, n = 0;

	for (i = 0; i < s->count; i++)
		if (wanted(lat, &s->row[i].key))
			s->row[n++] = s->row[i];
	s->count = n;
}

static int show(struct lat *lat, const struct lat_snap *s, unsigned int line)
{
	struct draw d = {
		.out = stdout,
		.names = &lat->names,
		.how = load_word(lat->load),
		.color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR"),
	};
	int err = 0;

	switch (lat->form) {
	case FORM_TABLE:
		draw_table(&d, s);
		fputc('\n', stdout);
		break;
	case FORM_BARS:
		draw_bars(&d, s);
		fputc('\n', stdout);
		break;
	case FORM_HEAT:
		draw_heat(&d, s, lat->heat, line);
		break;
	case FORM_JSON:
		err = draw_json(&d, s);
		break;
	}
	fflush(stdout);
	if (!err && ferror(stdout))
		err = -EPIPE;
	return err;
}

/* Reads, shows what came since @last, which then is this reading. */
static int turn(struct lat *lat, struct lat_snap *last, unsigned int line)
{
	struct lat_snap now, diff;
	int err = load_read(lat->load, &now);

	if (err)
		return err;
	names_ask(&lat->names);
	err = snap_diff(&now, last, &diff);
	if (err) {
		snap_free(&now);
		return err;
	}
	keep_wanted(lat, &diff);
	if (lat->svg_path)
		err = series_push(&lat->series, &diff);
	if (!err)
		err = show(lat, &diff, line);
	snap_free(&diff);
	snap_free(last);
	*last = now;
	return err;
}

static uint64_t mono_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NSEC_PER_SEC + t.tv_nsec;
}

/* Return: true if it was told to end before @until_ns. */
static bool wait_until(uint64_t until_ns, const sigset_t *ends)
{
	uint64_t now = mono_ns(), left = until_ns > now ? until_ns - now : 0;
	struct timespec t = { (time_t)(left / NSEC_PER_SEC), (long)(left % NSEC_PER_SEC) };
	int got;

	do
		got = sigtimedwait(ends, NULL, &t);
	while (got < 0 && errno == EINTR);
	return got > 0;
}

/* When it is told to end, what came since the last interval is shown as well. */
static int loop(struct lat *lat, const sigset_t *ends)
{
	struct lat_snap last;
	uint64_t next = mono_ns();
	unsigned long n = 0;
	bool end = false;
	int err = load_read(lat->load, &last);

	/* who started it may wait for this line: from here on it counts */
	if (!err)
		fprintf(stderr, "swblock-lat: attached by %s\n", load_word(lat->load));
	while (!err && !end && (!lat->count || n < lat->count)) {
		next += lat->interval_ns;
		end = wait_until(next, ends);
		err = turn(lat, &last, n++);
	}
	snap_free(&last);
	if (err == -EPIPE)	/* whoever read it has seen enough */
		return EXIT_FAILED;
	return err ? fail("reading histograms", err) : EXIT_DONE;
}

static int put_picture(struct lat *lat)
{
	struct draw d = { .names = &lat->names, .how = load_word(lat->load) };
	struct lat_snap all;
	int err;

	if (!lat->svg)
		return EXIT_DONE;
	lat->svg = freopen(lat->svg_path, "w", lat->svg);
	d.out = lat->svg;
	if (!lat->svg)
		return fail(lat->svg_path, -errno);
	err = series_sum(&lat->series, &all);
	if (err)
		return fail(lat->svg_path, err);
	draw_svg(&d, &lat->series, &all);
	snap_free(&all);
	err = ferror(lat->svg) ? -EIO : 0;
	if (fclose(lat->svg) && !err)
		err = -errno;
	lat->svg = NULL;
	return err ? fail(lat->svg_path, err) : EXIT_DONE;
}

static bool volume_there(const struct lat *lat)
{
	unsigned int i;

	for (i = 0; i < lat->names.count; i++)
		if (names_match(&lat->names, lat->names.volume[i].id, lat->volume))
			return true;
	return false;
}

/* What can be known before anything is loaded. */
static int prepare(struct lat *lat)
{
	int err = names_ask(&lat->names);

	if (!err && lat->volume && !volume_there(lat)) {
		fprintf(stderr, "swblock-lat: no member %s is attached here; swblockctl status shows "
			"them\n", lat->volume);
		return EXIT_FAILED;
	}
	if (!lat->svg_path)
		return 0;
	/* an older picture stays until there is a new one */
	lat->svg = fopen(lat->svg_path, "a");
	return lat->svg ? 0 : fail(lat->svg_path, -errno);
}

static int run(struct lat *lat)
{
	char why[LOAD_WHY_MAX];
	sigset_t ends;
	int ret, err;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);	/* pins must not stay behind */
	ret = prepare(lat);
	if (ret)
		return ret;
	err = load_open(&lat->opts, &lat->load, why);
	if (*why)
		fprintf(stderr, "swblock-lat: %s\n", why);
	if (err)
		return EXIT_FAILED;
	ret = loop(lat, &ends);
	if (!ret)
		ret = put_picture(lat);
	load_close(lat->load);
	return ret;
}

int main(int argc, char **argv)
{
	struct lat lat = {
		.interval_ns = 5 * NSEC_PER_SEC,
		.opts.pin = LOAD_PIN_DEFAULT,
	};
	int ret = parse(&lat, argc, argv);

	if (ret)
		return ret < 0 ? EXIT_DONE : ret;
	ret = run(&lat);
	if (lat.svg) {
		if (!ftell(lat.svg))
			unlink(lat.svg_path);
		fclose(lat.svg);
	}
	series_free(&lat.series);
	names_free(&lat.names);
	return ret;
}
