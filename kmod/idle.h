/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How threads of ours wait for a disk, or for somebody who does: as long as it
 * takes, and like idle ones. Linux cannot cancel a bio, so such a wait may never
 * end (G7); it must not count as load, nor be reported as a hung task.
 *
 * No signal reaches a kernel thread, but kthread_stop() makes it look as if one had:
 * from then on each interruptible wait returns at once, and to try it again and again
 * keeps the processor from whoever is waited for. Hence TASK_IDLE; a mutex has no such
 * wait, so the mark is taken away and put back. A user's task, which signals do reach,
 * waits in the ordinary way.
 */
#ifndef SWB_IDLE_H
#define SWB_IDLE_H

#include <linux/blkdev.h>
#include <linux/completion.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/workqueue.h>

/** swb_idle_lock() - mutex_lock() of a mutex that is held over a wait for a disk */
static inline void swb_idle_lock(struct mutex *m)
{
	bool stopped = false;

	if (!(current->flags & PF_KTHREAD)) {
		mutex_lock(m);
		return;
	}
	while (mutex_lock_interruptible(m)) {
		clear_notify_signal();
		stopped = true;
	}
	if (stopped)
		set_thread_flag(TIF_NOTIFY_SIGNAL);
}

/** swb_idle_wait() - wait_for_completion() of something that a disk ends */
static inline void swb_idle_wait(struct completion *done)
{
	if (!(current->flags & PF_KTHREAD)) {
		wait_for_completion_io(done);
		return;
	}
	wait_for_completion_state(done, TASK_IDLE);
}

static inline void swb_idle_bio_end(struct bio *bio)
{
	complete(bio->bi_private);
}

/**
 * swb_idle_bio() - submit_bio_wait()
 * Return: 0 or a negative errno; the bio is still the caller's.
 */
static inline int swb_idle_bio(struct bio *bio)
{
	DECLARE_COMPLETION_ONSTACK(done);

	bio->bi_private = &done;
	bio->bi_end_io = swb_idle_bio_end;
	bio->bi_opf |= REQ_SYNC;
	submit_bio(bio);
	swb_idle_wait(&done);
	return blk_status_to_errno(bio->bi_status);
}

/**
 * swb_idle_zeroout() - blkdev_issue_zeroout()
 *
 * A device may refuse the command only when it comes; what then is known to the block
 * layer alone, which waits in its own way.
 * Return: 0 or a negative errno.
 */
static inline int swb_idle_zeroout(struct block_device *bdev, sector_t sector,
				   sector_t n)
{
	struct bio *bio = NULL;
	int err, ret;

	err = __blkdev_issue_zeroout(bdev, sector, n, GFP_NOIO, &bio, 0);
	if (bio) {
		ret = swb_idle_bio(bio);
		bio_put(bio);
		err = err ?: ret;
	}
	return err ? blkdev_issue_zeroout(bdev, sector, n, GFP_NOIO, 0) : 0;
}

/** swb_idle_sleep() - msleep(), while something is polled for */
static inline void swb_idle_sleep(unsigned int ms)
{
	schedule_timeout_idle(msecs_to_jiffies(ms));
}

/**
 * swb_idle_flush() - flush_work() of work that waits for a disk
 *
 * Nobody may queue it again meanwhile.
 */
static inline void swb_idle_flush(struct work_struct *work)
{
	while (work_busy(work))
		swb_idle_sleep(10);
	flush_work(work);
}

#endif /* SWB_IDLE_H */
