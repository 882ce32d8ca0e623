// SPDX-License-Identifier: GPL-2.0-only
/*
 * The only file with libbpf. One program serves both ways: as it stands it is a raw
 * tracepoint; for tp_btf its type is changed before it is loaded. Maps are pinned
 * while this process lives, under a lock on their directory; a pin without a holder
 * of the lock is what a killed one has left, and is taken away.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "load.h"
#include "swblock_lat.skel.h"
#include "why.h"

#define TRACEPOINT	"swblock_stage"
#define MODULE_BTF	"/sys/kernel/btf/swblock"
#define PINS		2

/**
 * struct load - an attached program
 * @skel: maps and program
 * @link: ends with this process, or before it
 * @btf: it is a tp_btf program
 * @dir: of the pins, locked; -1: nothing is pinned
 * @made_dir: and this process made it
 * @path: of @dir
 */
struct load {
	struct swblock_lat *skel;
	struct bpf_link *link;
	bool btf;
	int dir;
	bool made_dir;
	char path[256];
};

static const char *const pin_name[PINS] = { "lat", "lost" };

static int say_all(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	return vfprintf(stderr, format, args);
}

static int say_nothing(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

static struct why_facts look(void)
{
	return (struct why_facts){
		.module = !access("/sys/module/swblock", F_OK),
		.module_btf = !access(MODULE_BTF, F_OK),
		.root = !geteuid(),
	};
}

static int as_tp_btf(struct bpf_program *prog)
{
	int err = bpf_program__set_type(prog, BPF_PROG_TYPE_TRACING);

	if (!err)
		err = bpf_program__set_expected_attach_type(prog, BPF_TRACE_RAW_TP);
	return err ? err : bpf_program__set_attach_target(prog, 0, TRACEPOINT);
}

/* Fills @step where it fails. */
static int load_as(struct load *load, bool btf, enum why_step *step)
{
	int err;

	*step = WHY_LOAD;
	load->btf = btf;
	load->skel = swblock_lat__open();
	if (!load->skel)
		return -errno;
	err = btf ? as_tp_btf(load->skel->progs.on_stage) : 0;
	if (!err)
		err = swblock_lat__load(load->skel);
	if (err)
		return err;
	*step = WHY_ATTACH;
	load->link = btf ? bpf_program__attach_trace(load->skel->progs.on_stage) :
		bpf_program__attach_raw_tracepoint(load->skel->progs.on_stage, TRACEPOINT);
	return load->link ? 0 : -errno;
}

static void unload(struct load *load)
{
	bpf_link__destroy(load->link);
	load->link = NULL;
	swblock_lat__destroy(load->skel);
	load->skel = NULL;
}

static int attach(struct load *load, const struct load_opts *opts, char *why)
{
	struct why_facts facts = look();
	bool btf = opts->how == LOAD_TP_BTF || (opts->how == LOAD_AUTO && facts.module_btf);
	enum why_step step;
	int err = load_as(load, btf, &step);

	/* BTF of a module may be refused for reasons that are not ours */
	if (err && btf && opts->how == LOAD_AUTO) {
		unload(load);
		btf = false;
		err = load_as(load, btf, &step);
	}
	if (err)
		snprintf(why, LOAD_WHY_MAX, "%s", why_words(step, err, btf, &facts));
	return err;
}

static bool is_bpffs(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && fs.f_type == BPF_FS_MAGIC;
}

/* The directory, locked: 0, or a negative errno with words. */
static int take_dir(struct load *load, const char *path, char *why)
{
	char parent[sizeof(load->path)], *slash;

	snprintf(load->path, sizeof(load->path), "%s", path);
	snprintf(parent, sizeof(parent), "%s", path);
	slash = strrchr(parent, '/');
	if (slash)
		*slash = 0;
	if (!slash || !is_bpffs(parent)) {
		snprintf(why, LOAD_WHY_MAX, "%s is not below a BPF file system, so the maps are "
			 "not pinned: mount -t bpf none /sys/fs/bpf", path);
		return -EINVAL;
	}
	load->made_dir = !mkdir(path, 0700);
	load->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (load->dir < 0) {
		snprintf(why, LOAD_WHY_MAX, "%s: %s", path, strerror(errno));
		return -errno;
	}
	if (!flock(load->dir, LOCK_EX | LOCK_NB))
		return 0;
	close(load->dir);
	load->dir = -1;
	snprintf(why, LOAD_WHY_MAX, "another swblock-lat has its maps in %s, so these are not "
		 "pinned: give --pin another directory", path);
	return -EBUSY;
}

static void pin_path(const struct load *load, unsigned int i, char *buf, size_t len)
{
	snprintf(buf, len, "%s/%s", load->path, pin_name[i]);
}

static void drop_pins(struct load *load)
{
	char path[sizeof(load->path) + 16];
	unsigned int i;

	if (load->dir < 0)
		return;
	for (i = 0; i < PINS; i++) {
		pin_path(load, i, path, sizeof(path));
		unlink(path);
	}
	if (load->made_dir || !strcmp(load->path, LOAD_PIN_DEFAULT))
		rmdir(load->path);
	close(load->dir);
	load->dir = -1;
}

static int pin(struct load *load, const char *dir, char *why)
{
	struct bpf_map *map[PINS] = {
		load->skel->maps.swblock_lat, load->skel->maps.swblock_lost,
	};
	char path[sizeof(load->path) + 16];
	int err = take_dir(load, dir, why);
	unsigned int i;

	for (i = 0; !err && i < PINS; i++) {
		pin_path(load, i, path, sizeof(path));
		unlink(path);	/* of one that was killed: the lock is ours */
		err = bpf_map__pin(map[i], path);
		if (err)
			snprintf(why, LOAD_WHY_MAX, "%s: %s", path, strerror(-err));
	}
	if (err)
		drop_pins(load);
	return err;
}

int load_open(const struct load_opts *opts, struct load **out, char *why)
{
	struct load *load = calloc(1, sizeof(*load));
	int err;

	*why = 0;
	if (!load)
		return -ENOMEM;
	load->dir = -1;
	libbpf_set_print(opts->verbose ? say_all : say_nothing);
	err = attach(load, opts, why);
	if (!err && opts->pin) {
		err = pin(load, opts->pin, why);
		if (!opts->pin_must)
			err = 0;
	}
	if (err) {
		load_close(load);
		return err;
	}
	*out = load;
	return 0;
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Nothing is ever deleted from the map, so walking it meets every key. */
int load_read(struct load *load, struct lat_snap *snap)
{
	int map = bpf_map__fd(load->skel->maps.swblock_lat);
	int lost = bpf_map__fd(load->skel->maps.swblock_lost);
	struct swblock_lat_key *before = NULL;
	struct lat_row row = { 0 };
	uint32_t zero = 0;
	int err = 0;

	*snap = (struct lat_snap){
		.at_ns = clock_ns(CLOCK_REALTIME),
		.mono_ns = clock_ns(CLOCK_MONOTONIC),
	};
	while (!err && !bpf_map_get_next_key(map, before, &row.key)) {
		before = &row.key;
		err = bpf_map_lookup_elem(map, &row.key, &row.hist);
		if (!err)
			err = snap_add(snap, &row);
	}
	if (!err)
		err = bpf_map_lookup_elem(lost, &zero, &snap->lost);
	if (err)
		snap_free(snap);
	return err;
}

const char *load_word(const struct load *load)
{
	return load->btf ? "tp_btf" : "raw_tp";
}

void load_close(struct load *load)
{
	if (!load)
		return;
	drop_pins(load);
	unload(load);
	free(load);
}
