// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pieces of the volume that somebody looks at while it is written: verify.c, mend.c.
 * A repair is a record like any other. It must hold the newest content of its piece,
 * so it is admitted only if nothing was admitted there since that was read.
 *
 * Must not wait while admissions are parked, but for the log's own disk. Lock:
 * volume->lock. Context: said at each function.
 */
#include <linux/delay.h>
#include "post.h"
#include "write.h"

#define SETTLE_MS	1000	/* for the log, also the bound of a park */

static bool touches(const struct swb_guard *g, u64 sector, u32 bytes)
{
	return g->end && sector < g->end &&
	       sector + (bytes >> SECTOR_SHIFT) > g->start;
}

bool swb_guard_parks(const struct swb_volume *v, const struct bio *bio)
{
	u32 i;

	lockdep_assert_held(&v->lock);
	for (i = 0; i < SWB_GUARDS; i++)
		if (v->guard[i].park && bio != v->guard[i].repairing &&
		    touches(&v->guard[i], bio->bi_iter.bi_sector,
			    bio->bi_iter.bi_size))
			return true;
	return false;
}

bool swb_guard_first(const struct swb_volume *v, const struct bio *bio)
{
	u32 i;

	lockdep_assert_held(&v->lock);
	for (i = 0; i < SWB_GUARDS; i++)
		if (bio == v->guard[i].repairing)
			return true;
	return false;
}

void swb_guard_admitted(struct swb_volume *v, u64 sector, u32 bytes)
{
	u32 i;

	lockdep_assert_held(&v->lock);
	for (i = 0; i < SWB_GUARDS; i++)
		if (touches(&v->guard[i], sector, bytes))
			v->guard[i].touched = true;
}

u64 swb_guard_watch(struct swb_volume *v, enum swb_guard_user who, u64 sector,
		    u32 len, bool park)
{
	struct swb_guard *g = &v->guard[who];
	unsigned long flags;
	u64 head;

	spin_lock_irqsave(&v->lock, flags);
	g->start = sector;
	g->end = sector + (len >> SECTOR_SHIFT);
	g->touched = false;
	g->park = park;
	head = v->core.log.head;
	spin_unlock_irqrestore(&v->lock, flags);
	return head;
}

void swb_guard_unwatch(struct swb_volume *v, enum swb_guard_user who)
{
	struct swb_guard *g = &v->guard[who];
	unsigned long flags;
	bool parked;

	spin_lock_irqsave(&v->lock, flags);
	parked = g->park;
	g->park = false;
	g->end = 0;
	spin_unlock_irqrestore(&v->lock, flags);
	if (parked)
		swb_post_later(v, SWB_POST_SPACE);
}

bool swb_guard_settle(struct swb_volume *v, u64 head,
		      bool (*over)(struct swb_volume *v))
{
	unsigned long end = jiffies + msecs_to_jiffies(SETTLE_MS);

	while (READ_ONCE(v->core.log.written) < head) {
		if (over(v) || time_after(jiffies, end))
			return false;
		usleep_range(500, 1000);
	}
	return true;
}

bool swb_guard_write(struct swb_volume *v, enum swb_guard_user who, struct bio *bio,
		     bool untouched)
{
	struct swb_guard *g = &v->guard[who];
	unsigned long flags;
	bool ok;

	spin_lock_irqsave(&v->lock, flags);
	ok = !untouched || !g->touched;
	if (ok) {
		g->repairing = bio;
		g->park = true;
	}
	spin_unlock_irqrestore(&v->lock, flags);
	if (ok)
		swb_write_submit(v, bio);
	swb_guard_unwatch(v, who);	/* what comes now is ordered behind the record */
	return ok;
}

void swb_guard_written(struct swb_volume *v, enum swb_guard_user who)
{
	unsigned long flags;

	spin_lock_irqsave(&v->lock, flags);
	v->guard[who].repairing = NULL;
	spin_unlock_irqrestore(&v->lock, flags);
}
