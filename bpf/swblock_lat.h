/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the BPF program counts and who reads it agree on. `bpftool map dump` shows
 * these names, so they are an API like the tracepoint's: docs/design/observability.md.
 */
#ifndef SWBLOCK_LAT_H
#define SWBLOCK_LAT_H

#include <linux/types.h>

#include "uapi/linux/swblock.h"

/* Slot i counts times from 2^i ns to below 2^(i+1); the last one all beyond. */
#define SWBLOCK_LAT_SLOTS	40

/* No member of the configuration: a stage of the host. */
#define SWBLOCK_LAT_NOBODY	255

/* Histograms: 64 volumes with seven members each need fewer. */
#define SWBLOCK_LAT_MAX		4096

/**
 * struct swblock_lat_key - what a histogram is of
 * @volume: local id of the member
 * @stage: which stage; an enum, so that bpftool prints its name
 * @peer: member index, or SWBLOCK_LAT_NOBODY
 */
struct swblock_lat_key {
	__u32 volume;
	enum swblock_stage stage;
	__u32 peer;
};

/**
 * struct swblock_lat_hist - one histogram
 * @sum_ns: of all times
 * @slot: events by the logarithm of their time
 */
struct swblock_lat_hist {
	__u64 sum_ns;
	__u64 slot[SWBLOCK_LAT_SLOTS];
};

#endif /* SWBLOCK_LAT_H */
