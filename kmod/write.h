/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Upper requests from admission to completion: write.c (writes, zeroes, barriers,
 * parking, deadlines) and read.c. blkdev.c hands bios in; post.c completes them.
 */
#ifndef SWB_WRITE_H
#define SWB_WRITE_H

#include "volume.h"

/** swb_write_submit() - a data, zeroes, discard or flush bio, already split to the
 * limits and accounted; never waits */
void swb_write_submit(struct swb_volume *v, struct bio *bio);
/** swb_read_submit() - a read bio, already split and accounted */
void swb_read_submit(struct swb_volume *v, struct bio *bio);

/** executors of the core's orders; process context, no lock held */
void swb_write_complete(struct swb_volume *v, u64 lsn);
void swb_write_complete_barriers(struct swb_volume *v, u64 committed);
void swb_write_hold(struct swb_volume *v);
void swb_write_resume(struct swb_volume *v);
void swb_write_fail_all(struct swb_volume *v, blk_status_t status);

/** swb_write_unpark() - try parked bios again, in order */
void swb_write_unpark(struct swb_volume *v);

/** swb_write_tick() - fail what is older than the deadline */
void swb_write_tick(struct swb_volume *v, u64 now_ns);

#endif /* SWB_WRITE_H */
