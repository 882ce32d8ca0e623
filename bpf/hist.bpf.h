/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which slot a time belongs to: for the BPF program and its unit test alike. No loop,
 * so that every verifier takes it.
 */
#ifndef SWBLOCK_HIST_BPF_H
#define SWBLOCK_HIST_BPF_H

#include "swblock_lat.h"

static inline __u32 swblock_lat_slot(__u64 ns)
{
	__u32 slot = 0, shift;

	shift = (ns > 0xffffffffULL) << 5;
	ns >>= shift;
	slot |= shift;
	shift = (ns > 0xffff) << 4;
	ns >>= shift;
	slot |= shift;
	shift = (ns > 0xff) << 3;
	ns >>= shift;
	slot |= shift;
	shift = (ns > 0xf) << 2;
	ns >>= shift;
	slot |= shift;
	shift = (ns > 0x3) << 1;
	ns >>= shift;
	slot |= shift;
	slot |= ns >> 1;
	return slot < SWBLOCK_LAT_SLOTS ? slot : SWBLOCK_LAT_SLOTS - 1;
}

#endif /* SWBLOCK_HIST_BPF_H */
