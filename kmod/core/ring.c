// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ring arithmetic. Says where a group goes; never touches bytes. A group is
 * contiguous: when it does not fit before the end, the rest of the ring is
 * skipped (the gap) and counts as used until the group behind it is released.
 *
 *	0                tail_pos                write_pos        bytes
 *	|    free        |####### used ##########|     free       |
 *
 *	0       write_pos            tail_pos              gap    bytes
 *	|#######|        free        |#####################|......|
 *
 * Lock: the caller's. Context: any.
 */
#include "ring.h"

static u64 round_up_unit(const struct swb_ring *r, u64 len)
{
	return (len + r->unit - 1) & ~((u64)r->unit - 1);
}

u32 swb_ring_header_bytes(const struct swb_ring *r, u32 nrec)
{
	u64 len = sizeof(struct swb_disk_group) +
		  (u64)nrec * sizeof(struct swb_disk_rec);

	return (u32)round_up_unit(r, len);
}

u64 swb_ring_group_bytes(const struct swb_ring *r, u32 nrec, u32 payload_bytes)
{
	u64 header = swb_ring_header_bytes(r, nrec);

	return round_up_unit(r, header + payload_bytes);
}

bool swb_ring_place(const struct swb_ring *r, u64 len, u64 *pos, u64 *gap)
{
	u64 to_end = r->bytes - r->write_pos;

	*pos = r->write_pos;
	*gap = 0;
	if (len > to_end) {
		*pos = 0;
		*gap = to_end;
	}
	if (len > r->bytes || *gap > r->bytes - len)
		return false;
	return r->used + *gap + len <= r->bytes - r->unit;	/* I-097 */
}

void swb_ring_take(struct swb_ring *r, u64 pos, u64 len, u64 gap, u32 header_crc)
{
	swb_assert(r->used + gap + len <= r->bytes - r->unit);
	swb_assert(pos + len <= r->bytes);
	r->used += gap + len;
	r->write_pos = pos + len == r->bytes ? 0 : pos + len;
	r->prev_crc = header_crc;	/* P4 */
	r->seq++;
}

void swb_ring_release(struct swb_ring *r, u64 new_tail_pos, u64 bytes_freed)
{
	swb_assert(bytes_freed <= r->used);
	swb_assert(new_tail_pos < r->bytes);
	r->used -= bytes_freed <= r->used ? bytes_freed : r->used;
	r->tail_pos = new_tail_pos;
}
