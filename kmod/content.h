/* SPDX-License-Identifier: GPL-2.0-only */
/* The logical content of a member: index, log and extent together. */
#ifndef SWB_CONTENT_H
#define SWB_CONTENT_H

#include "volume.h"

/**
 * swb_content_read() - @len bytes from @sector on, as the newest records say
 * @v: volume
 * @sector: first sector
 * @buf: any kernel memory
 * @len: bytes, whole sectors
 *
 * Of records that arrive meanwhile it may show some, none or all.
 *
 * Context: process; waits for the disk.
 * Return: 0, or a negative errno
 */
int swb_content_read(struct swb_volume *v, u64 sector, void *buf, u32 len);

/**
 * typedef swb_content_lender - somebody else who may have what the disk failed
 *
 * Called for a part of the piece, with the LSN that must be covered. Return: 0 with
 * the bytes, or a negative errno.
 */
typedef int (*swb_content_lender)(struct swb_volume *v, u64 sector, void *buf,
				  u32 len, u64 need);

/** swb_content_borrow() - the same; what cannot be read here is asked of @lender */
int swb_content_borrow(struct swb_volume *v, u64 sector, void *buf, u32 len,
		       swb_content_lender lender);

#endif /* SWB_CONTENT_H */
