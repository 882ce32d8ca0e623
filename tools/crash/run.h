/* SPDX-License-Identifier: GPL-2.0-only */
/* All crashes of some recordings, shared out among processes. */
#ifndef SWB_CRASH_RUN_H
#define SWB_CRASH_RUN_H

#include "core/port.h"

#define RUN_WORKERS	16

/**
 * struct run_opts - what to do
 * @images: go on with random crashes until there were so many
 * @stride: of the crash points only each so-many-th
 * @seed: of everything random
 * @workers: processes
 * @first: end at the first divergence
 * @no_flush: break the order on purpose: recovery does not flush (P17b)
 * @verbose: letters, and what each kind of image came to
 * @format: digest of the layout this program was built for
 */
struct run_opts {
	u64 images;
	u32 stride;
	u64 seed;
	u32 workers;
	bool first;
	bool no_flush;
	bool verbose;
	const char *format;
};

/** run_all() - exit code; says how it went on stdout */
int run_all(const struct run_opts *o, char **paths, int count);

#endif /* SWB_CRASH_RUN_H */
