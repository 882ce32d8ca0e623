/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ring arithmetic: where a WAL group goes, and what is free. Pure; the caller's
 * lock covers it.
 */
#ifndef SWB_CORE_RING_H
#define SWB_CORE_RING_H

#include "types.h"

/**
 * struct swb_ring - the log as a circle of bytes
 * @bytes: size of the ring
 * @unit: allocation unit, 512 or 4096
 * @write_pos: offset where the next group would start
 * @tail_pos: offset of the oldest group; equals write_pos when empty
 * @used: bytes between tail and write_pos, gaps at the end included
 * @seq: sequence number of the next group
 * @prev_crc: checksum of the header of the last group (P4)
 * @incarnation: of groups written now
 * @ring_id: see format/disk.h
 */
struct swb_ring {
	u64 bytes;
	u32 unit;
	u64 write_pos;
	u64 tail_pos;
	u64 used;
	u64 seq;
	u32 prev_crc;
	u64 incarnation;
	u64 ring_id;
};

/** swb_ring_group_bytes() - bytes a group takes in the ring */
u64 swb_ring_group_bytes(const struct swb_ring *r, u32 nrec, u32 payload_bytes);

/** swb_ring_header_bytes() - header + records, rounded up to the unit */
u32 swb_ring_header_bytes(const struct swb_ring *r, u32 nrec);

/**
 * swb_ring_place() - where a group of @len bytes would go
 * @r: ring
 * @len: multiple of the unit
 * @pos: filled with its offset; groups never straddle the end
 * @gap: filled with the bytes skipped at the end of the ring
 *
 * One unit always stays free, so that full and empty differ.
 * Return: false if there is no room now.
 */
bool swb_ring_place(const struct swb_ring *r, u64 len, u64 *pos, u64 *gap);

/** swb_ring_take() - claim what swb_ring_place() found; advances seq */
void swb_ring_take(struct swb_ring *r, u64 pos, u64 len, u64 gap, u32 header_crc);

/** swb_ring_release() - free everything before @new_tail_pos, @bytes_freed of it */
void swb_ring_release(struct swb_ring *r, u64 new_tail_pos, u64 bytes_freed);

#endif /* SWB_CORE_RING_H */
