/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Watching a piece of the volume while its content is compared or fetched: were
 * records of it admitted meanwhile? And keeping them out for a moment, so that a
 * repair comes before them.
 */
#ifndef SWB_GUARD_H
#define SWB_GUARD_H

#include <linux/bio.h>
#include <linux/types.h>

struct swb_volume;

/** enum swb_guard_user - who may watch, one piece each */
enum swb_guard_user {
	SWB_GUARD_VERIFY,
	SWB_GUARD_MEND,
	SWB_GUARDS
};

/**
 * struct swb_guard - a piece that is watched; under volume->lock
 * @start: its first sector
 * @end: the sector after its last one, 0 if nothing is watched
 * @touched: a record was admitted to it since
 * @park: admissions to it wait
 * @repairing: the bio that writes it anew, exempt from @park
 */
struct swb_guard {
	u64 start;
	u64 end;
	bool touched;
	bool park;
	struct bio *repairing;
};

/**
 * swb_guard_watch() - from now on admissions to the piece are noticed
 * @v: volume
 * @who: see enum swb_guard_user
 * @sector: first sector
 * @len: bytes
 * @park: and wait
 *
 * Return: the head of the log. What is at or below it was admitted before.
 */
u64 swb_guard_watch(struct swb_volume *v, enum swb_guard_user who, u64 sector,
		    u32 len, bool park);

/** swb_guard_unwatch() - the end of it; what was parked may go on */
void swb_guard_unwatch(struct swb_volume *v, enum swb_guard_user who);

/**
 * swb_guard_settle() - until every record <= @head is in the log and in the index
 * @v: volume
 * @head: as swb_guard_watch() gave it
 * @over: asked again and again: is the wait in vain?
 *
 * Context: process. Return: false after a second, or when @over says so.
 */
bool swb_guard_settle(struct swb_volume *v, u64 head,
		      bool (*over)(struct swb_volume *v));

/**
 * swb_guard_write() - write a watched piece anew, before whatever waits for it
 * @v: volume
 * @who: whose piece
 * @bio: a write to the volume's disk, REQ_NOWAIT: had it to wait, what it holds would
 *	be stale
 * @untouched: only if no record was admitted to the piece since it is watched
 *
 * Ends the watch. The caller waits for the end of @bio, and tells of it by
 * swb_guard_written().
 *
 * Return: false if the piece was touched; @bio was not used then
 */
bool swb_guard_write(struct swb_volume *v, enum swb_guard_user who, struct bio *bio,
		     bool untouched);

/** swb_guard_written() - the bio of swb_guard_write() has ended; any context */
void swb_guard_written(struct swb_volume *v, enum swb_guard_user who);

/* ---- for write.c, under volume->lock ------------------------------------ */

/** swb_guard_parks() - must this bio wait for somebody who watches its place? */
bool swb_guard_parks(const struct swb_volume *v, const struct bio *bio);

/** swb_guard_first() - is it a repair, which comes before what is parked? */
bool swb_guard_first(const struct swb_volume *v, const struct bio *bio);

/** swb_guard_admitted() - a record of these sectors has got its LSN */
void swb_guard_admitted(struct swb_volume *v, u64 sector, u32 bytes);

#endif /* SWB_GUARD_H */
