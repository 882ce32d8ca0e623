// SPDX-License-Identifier: GPL-2.0-only
/*
 * swbcrash pack: a recording from what dm-log-writes and the kernel's trace saw.
 * swbcrash run: every crash of recordings, recovered and compared; see run.c.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "pack.h"
#include "run.h"

static int usage(void)
{
	fputs("usage: swbcrash run [--images N] [--stride N] [--seed N] [--workers N]\n"
	      "                 [--first] [--no-flush] [-v] RECORDING...\n"
	      "       swbcrash pack --base IMAGE --log DEVICE --trace FILE --out FILE --bytes N\n"
	      "                 --block-bytes N --blocks N [--commit ID] [--kernel RELEASE]\n",
	      stderr);
	return 2;
}

static void word(char *out, const char *in)
{
	snprintf(out, REC_WORD_MAX, "%s", in);
}

static int cmd_pack(int argc, char **argv)
{
	static const struct option opts[] = {
		{ "base", required_argument, NULL, 'b' },
		{ "log", required_argument, NULL, 'l' },
		{ "trace", required_argument, NULL, 't' },
		{ "out", required_argument, NULL, 'o' },
		{ "bytes", required_argument, NULL, 'n' },
		{ "block-bytes", required_argument, NULL, 'B' },
		{ "blocks", required_argument, NULL, 'k' },
		{ "commit", required_argument, NULL, 'c' },
		{ "kernel", required_argument, NULL, 'K' },
		{ NULL, 0, NULL, 0 },
	};
	struct rec r = { .commit = "unknown", .kernel = "unknown" };
	struct pack p = { 0 };
	int c;

	word(r.format, CRASH_FORMAT);
	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		switch (c) {
		case 'b':
			p.base = optarg;
			break;
		case 'l':
			p.log = optarg;
			break;
		case 't':
			p.trace = optarg;
			break;
		case 'o':
			p.out = optarg;
			break;
		case 'n':
			r.disk_bytes = strtoull(optarg, NULL, 0);
			break;
		case 'B':
			r.block_bytes = (u32)strtoul(optarg, NULL, 0);
			break;
		case 'k':
			r.blocks = (u32)strtoul(optarg, NULL, 0);
			break;
		case 'c':
			word(r.commit, optarg);
			break;
		case 'K':
			word(r.kernel, optarg);
			break;
		default:
			return usage();
		}
	}
	if (!p.base || !p.log || !p.trace || !p.out || !r.disk_bytes ||
	    !r.block_bytes || !r.blocks || optind != argc)
		return usage();
	return pack_run(&p, &r) ? 0 : 1;
}

static int cmd_run(int argc, char **argv)
{
	static const struct option opts[] = {
		{ "images", required_argument, NULL, 'n' },
		{ "stride", required_argument, NULL, 's' },
		{ "seed", required_argument, NULL, 'S' },
		{ "workers", required_argument, NULL, 'w' },
		{ "first", no_argument, NULL, 'f' },
		{ "no-flush", no_argument, NULL, 'F' },
		{ "verbose", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	struct run_opts o = { .images = 1000000, .stride = 1, .seed = 1,
			      .workers = 2, .format = CRASH_FORMAT };
	int c;

	while ((c = getopt_long(argc, argv, "v", opts, NULL)) != -1) {
		switch (c) {
		case 'n':
			o.images = strtoull(optarg, NULL, 0);
			break;
		case 's':
			o.stride = (u32)strtoul(optarg, NULL, 0);
			break;
		case 'S':
			o.seed = strtoull(optarg, NULL, 0);
			break;
		case 'w':
			o.workers = (u32)strtoul(optarg, NULL, 0);
			break;
		case 'f':
			o.first = true;
			break;
		case 'F':
			o.no_flush = true;
			break;
		case 'v':
			o.verbose = true;
			break;
		default:
			return usage();
		}
	}
	if (optind == argc || !o.stride || !o.workers || o.workers > RUN_WORKERS)
		return usage();
	return run_all(&o, argv + optind, argc - optind);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return usage();
	if (!strcmp(argv[1], "pack"))
		return cmd_pack(argc - 1, argv + 1);
	if (!strcmp(argv[1], "run"))
		return cmd_run(argc - 1, argv + 1);
	return usage();
}
