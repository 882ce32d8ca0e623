/* SPDX-License-Identifier: GPL-2.0-only */
/* The BPF program in the kernel: load, attach, pin, read. The only file with libbpf. */
#ifndef SWB_BPF_LOAD_H
#define SWB_BPF_LOAD_H

#include "hist.h"

#define LOAD_PIN_DEFAULT	"/sys/fs/bpf/swblock"
#define LOAD_WHY_MAX		400

enum load_how {
	LOAD_AUTO,	/* tp_btf where the module has BTF, else raw_tp */
	LOAD_TP_BTF,
	LOAD_RAW_TP,
};

/**
 * struct load_opts - how to attach
 * @how: by which kind of program
 * @pin: directory for the maps, NULL: do not pin
 * @pin_must: failing to pin is an error, not a note
 * @verbose: what libbpf and the verifier say goes to stderr
 */
struct load_opts {
	enum load_how how;
	const char *pin;
	bool pin_must;
	bool verbose;
};

struct load;

/**
 * load_open() - from here on it counts
 * @opts: how
 * @out: to be closed with load_close()
 * @why: of LOAD_WHY_MAX: the reason and what to do, if it failed; a note, or "", if not
 *
 * Return: 0 or a negative errno
 */
int load_open(const struct load_opts *opts, struct load **out, char *why);
/** load_read() - all histograms now. Return: 0 or a negative errno */
int load_read(struct load *load, struct lat_snap *snap);
/** load_word() - "tp_btf" or "raw_tp" */
const char *load_word(const struct load *load);
/** load_close() - detach, and leave nothing pinned */
void load_close(struct load *load);

#endif /* SWB_BPF_LOAD_H */
