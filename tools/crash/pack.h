/* SPDX-License-Identifier: GPL-2.0-only */
/* Makes a recording of what dm-log-writes and the kernel's trace saw. */
#ifndef SWB_CRASH_PACK_H
#define SWB_CRASH_PACK_H

#include "rec.h"

/**
 * struct pack - where things are
 * @base: image of the disk before the first request
 * @log: device or file with the log of dm-log-writes
 * @trace: text of the kernel's trace
 * @out: recording to write
 */
struct pack {
	const char *base;
	const char *log;
	const char *trace;
	const char *out;
};

/** pack_run() - false, and said why, if the two do not tell one story */
bool pack_run(const struct pack *p, struct rec *r);

#endif /* SWB_CRASH_PACK_H */
