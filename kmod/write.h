/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Upper requests from admission to completion: write.c (writes, zeroes, barriers,
 * parking, deadlines) and read.c. blkdev.c hands bios in; post.c completes them.
 */
#ifndef SWB_WRITE_H
#define SWB_WRITE_H

#include "volume.h"

/**
 * struct swb_req - one upper request, from submit_bio to bio_endio
 * @node: in one of the lists of struct swb_io, or free
 * @v: volume; admitted requests are counted in v->io.inflight, which removal waits
 *	for, so they need no reference
 * @bio: upper bio
 * @lsn: last LSN it must wait for; of a held read: its ticket (mend.c)
 * @admitted_ns: CLOCK_BOOTTIME when it came, for the deadline
 * @placed_ns: writes: when it had its LSN
 * @acct_jiffies: for iostat
 * @released_by: whose fact released it, a member or SWB_NOBODY
 * @holds: who still needs @bio: a list and the copy of the payload (writes); the
 *	lower bios and the pass that makes them (reads)
 * @status: first error
 * @done_bytes: reads: how far the passes have come
 * @mended: reads: mend.c has had it, the status is final
 * @work: reads: continue where waiting for a disk is allowed
 */
struct swb_req {
	struct list_head node;
	struct swb_volume *v;
	struct bio *bio;
	u64 lsn;
	u64 admitted_ns;
	u64 placed_ns;
	unsigned long acct_jiffies;
	atomic_t holds;
	blk_status_t status;
	u32 done_bytes;
	bool mended;
	u8 released_by;
	struct work_struct work;
};

int swb_write_init(void);
void swb_write_exit(void);

/** swb_req_pool_create() - preallocate the requests of a volume; may sleep */
int swb_req_pool_create(struct swb_req_pool *pool);

/** swb_req_pool_destroy() - no request of it is in use; may sleep */
void swb_req_pool_destroy(struct swb_req_pool *pool);

/** swb_req_get() - a request for @bio, accounted; NULL without memory; no lock */
struct swb_req *swb_req_get(struct swb_volume *v, struct bio *bio);

/** swb_req_end() - end the upper bio and the request; any context, no lock */
void swb_req_end(struct swb_req *req, blk_status_t status);

/** swb_req_end_admitted() - the same for a request counted in io.inflight */
void swb_req_end_admitted(struct swb_req *req, blk_status_t status);

/**
 * swb_req_starved() - there was no memory for a request: keep the bare bio for the
 * tick, or fail it if the submitter asked not to wait
 */
void swb_req_starved(struct swb_volume *v, struct bio *bio);

/** swb_write_submit() - any bio but a read, split to the limits; never waits */
void swb_write_submit(struct swb_volume *v, struct bio *bio);
/** swb_read_submit() - a read bio, split to the limits; never waits */
void swb_read_submit(struct swb_volume *v, struct bio *bio);

/** swb_read_resume() - a read that was parked may go on; no lock */
void swb_read_resume(struct swb_req *req);

/** swb_read_mended() - a read that mend.c held has its bytes, or @status; no lock */
void swb_read_mended(struct swb_req *req, blk_status_t status);

/**
 * executors of the core's orders; process context, no lock held; @by: the member whose
 * progress brought it about, or SWB_NOBODY
 */
void swb_write_complete(struct swb_volume *v, u64 lsn, u8 by);
void swb_write_complete_barriers(struct swb_volume *v, u64 committed, u8 by);
void swb_write_hold(struct swb_volume *v);
void swb_write_resume(struct swb_volume *v);
void swb_write_fail_all(struct swb_volume *v, blk_status_t status);

/** swb_write_unpark() - try parked bios again, in order */
void swb_write_unpark(struct swb_volume *v);

/**
 * swb_write_awaits_ack() - is the ack of a peer late?
 * @v: volume
 * @now_ns: CLOCK_BOOTTIME
 *
 * What waits has waited for a while, and its records are where the own disk wants them:
 * only other members can let it go on.
 *
 * Context: v->lock.
 * Return: true if a write or barrier waits for one, linked or not.
 */
bool swb_write_awaits_ack(struct swb_volume *v, u64 now_ns);

/** swb_write_expire() - fail what is older than the deadline; any process context */
void swb_write_expire(struct swb_volume *v, u64 now_ns);

/** swb_write_tick() - that, and try parked bios again that wait for memory */
void swb_write_tick(struct swb_volume *v, u64 now_ns);

#endif /* SWB_WRITE_H */
