/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ring writer: groups from open to retired, group commit, reading back by
 * LSN. One copy of a payload lives in a group's pages from admission on and is
 * never rewritten while anyone refers to it: WAL bio, links, reads and flusher
 * share it. Knows nothing of peers.
 *
 *	OPEN -> (sealed, placed, submitted) INFLIGHT -> WRITTEN -> evicted -> retired
 *	 filling: reserve under lock, copy and crc outside, last filler submits
 *
 * The directory holds one entry for each live group, oldest first, resident or
 * not; it is how an LSN becomes a place in memory or in the ring.
 *
 * Lock: *w->lock (irqsave), the member's lock, which also covers the core.
 */
#ifndef SWB_WAL_H
#define SWB_WAL_H

#include <linux/bio.h>
#include <linux/llist.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include "core/core.h"
#include "core/ring.h"
#include "core/codec.h"
#include "dirty.h"
#include "store.h"

#define SWB_GROUP_PAGES	(SWB_GROUP_PAYLOAD_MAX / PAGE_SIZE)

enum swb_group_state {
	SWB_GROUP_FREE,
	SWB_GROUP_PRIVATE,	/* a link fills it, not yet in the log */
	SWB_GROUP_OPEN,		/* takes records */
	SWB_GROUP_CLOSING,	/* takes none; waits for its fillers */
	SWB_GROUP_INFLIGHT,	/* WAL bio submitted */
	SWB_GROUP_WRITTEN,	/* WAL bio completed */
};

struct swb_run;

/**
 * struct swb_group - a group in memory
 * @wal: its log
 * @refs: WAL bio, directory residence, links, reads, flusher; pages are returned
 *	with the last
 * @state: enum swb_group_state
 * @error: of its WAL write
 * @fillers: records reserved, not yet filled
 * @first_lsn: of record 0
 * @epoch: of all records
 * @nrec: records
 * @payload_bytes: bytes of payload so far
 * @header: one page: struct swb_disk_group with its records; sealed before
 *	submission
 * @npages: pages it has
 * @page: payload, contiguous over the pages
 * @rec_off: payload offset of each record
 * @admitted_ns: CLOCK_BOOTTIME when its first record entered
 * @sealed_ns: when its WAL bio went out
 * @bio: of the WAL write, or of reading back
 * @bvec: its segments
 * @node: free list, queue of closed groups, or resident ones in order of age
 * @dead: on its way back to its pool
 * @index: of its directory entry
 * @loader: belongs to the small pool that reads groups back from the ring
 * @run: of a loader: what it reads, walpriv.h
 */
struct swb_group {
	struct swb_wal *wal;
	struct list_head node;
	struct llist_node dead;
	refcount_t refs;
	u64 index;
	bool loader;
	struct swb_run *run;
	u8 state;
	int error;
	u32 fillers;
	u64 first_lsn;
	u64 epoch;
	u32 nrec;
	u32 payload_bytes;
	u64 admitted_ns;
	u64 sealed_ns;
	struct swb_disk_group *header;
	u32 npages;
	struct page *page[SWB_GROUP_PAGES];
	u32 rec_off[SWB_GROUP_RECS_MAX];
	struct bio bio;
	struct bio_vec bvec[SWB_GROUP_PAGES + 2];
};

/**
 * struct swb_ent - directory entry of a live group
 * @first_lsn: first live LSN
 * @nrec: live records
 * @epoch: of all of them
 * @pos: ring offset of the header
 * @seq: group sequence number
 * @prev_crc: checksum of the header before it
 * @crc: checksum of its header
 * @header_bytes: of the header
 * @payload_bytes: of the payload
 * @bytes: what it takes in the ring, with the gap before it; 0: not placed yet,
 *	the group is still open, @pos and @seq mean nothing
 * @pins: readers of its place in the ring; trimming stops before it
 * @written: WAL bio completed without error
 * @group: memory, or NULL when evicted
 */
struct swb_ent {
	u64 first_lsn;
	u32 nrec;
	u64 epoch;
	u64 pos;
	u64 seq;
	u32 prev_crc;
	u32 crc;
	u32 header_bytes;
	u32 payload_bytes;
	u64 bytes;
	u32 pins;
	bool written;
	struct swb_group *group;
};

/**
 * struct swb_wal_ops - what the WAL tells its owner; any context, lock not held
 * @progress: w->written_lsn moved, or a flush ended: look at the fields
 * @failed: a WAL write or flush failed
 * @space: ring, memory or slots became free
 * @stage: a group reached SWB_STAGE_* (trace.h); for counters and tracepoints, the
 *	lock is held. @e->group is there but for RETIRED; @wrapped: it was placed at
 *	the start of the ring
 * @flushed: a flush of the device up to @lsn took @ns; only of a volatile cache
 */
struct swb_wal_ops {
	void (*progress)(void *ctx);
	void (*failed)(void *ctx, int err);
	void (*space)(void *ctx);
	void (*stage)(void *ctx, u32 stage, const struct swb_ent *e, bool wrapped);
	void (*flushed)(void *ctx, u64 lsn, u64 ns);
};

struct swb_wal_priv;

/**
 * struct swb_wal - the log of one member
 * @lock: the member's lock
 * @core: the member's core (log.head is advanced through it)
 * @store: device the ring is on
 * @ring_offset: first byte of the ring there
 * @ring: ring arithmetic
 * @dirty: index
 * @ops: what the owner wants to be told
 * @ctx: argument of @ops
 * @written_lsn: contiguous prefix that completed its WAL write
 * @submitted_lsn: prefix whose WAL write went out: its groups may be shipped
 * @flush_inflight: a flush has not ended yet
 * @flush_done: a flush has ended since last asked
 * @flush_lsn: what it covers
 * @flush_generation: of the core's log when it was submitted (P5)
 * @flush_err: how it ended
 * @inflight: groups whose WAL bio has not completed
 * @priv: walpriv.h
 */
struct swb_wal {
	spinlock_t *lock;	/* the member's: core, log and index */
	struct swb_core *core;
	struct swb_store *store;
	u64 ring_offset;
	struct swb_ring ring;
	struct swb_dirty *dirty;
	const struct swb_wal_ops *ops;
	void *ctx;
	u64 written_lsn;
	u64 submitted_lsn;
	bool flush_inflight;
	bool flush_done;
	u64 flush_lsn;
	u32 flush_generation;
	int flush_err;
	u32 inflight;
	struct swb_wal_priv *priv;
};

/**
 * swb_wal_create() - preallocate @memory_bytes of payload pages (e.g. 32 MiB),
 * groups and bios
 *
 * The caller has filled lock, core, store, ring_offset, dirty (created), ops and
 * ctx; swb_replay() sets up the ring and the directory. Process context.
 * Return: 0 or -ENOMEM.
 */
int swb_wal_create(struct swb_wal *w, u64 memory_bytes);

/** swb_wal_idle() - nothing in flight at the disk; any context */
bool swb_wal_idle(struct swb_wal *w);

/**
 * swb_wal_destroy() - the owner has stopped all users. Waits until swb_wal_idle(),
 * for ever if the disk never answers: the owner asks first, and keeps a zombie.
 */
void swb_wal_destroy(struct swb_wal *w);

/* -- primary: one record of an upper write ------------------------------ */

/**
 * struct swb_slot - a reserved place in the log
 * @group: the group it is in
 * @index: record of the group
 * @lsn: its LSN
 */
struct swb_slot {
	struct swb_group *group;
	u32 index;
	u64 lsn;
};

/**
 * swb_wal_reserve() - a place for one record; lock held
 * @type: enum swb_rec_type; takes an LSN from the core
 * Return: 0; -ENOSPC ring full; -ENOBUFS no page, slot or index node: park, ops->
 * space tells when to try again; -EIO after a WAL write failed.
 */
int swb_wal_reserve(struct swb_wal *w, u8 type, u64 sector, u32 len_bytes,
		    struct swb_slot *slot);

/**
 * swb_wal_fill() - copy the bio's data in and checksum the copy; no lock. Also
 * for a record without payload, where there is nothing to do.
 */
void swb_wal_fill(struct swb_slot *slot, struct bio *bio);

/**
 * swb_wal_commit() - the slot is filled: index it, and submit the group if it is
 * time (idle, full, or the last filler of a closing one). No lock; may submit a
 * bio from this context, never waits.
 * Return: true if something may have gone out, that is, may be shipped now.
 */
bool swb_wal_commit(struct swb_wal *w, struct swb_slot *slot);

/**
 * swb_wal_kick() - process context: seal and submit what gathered; called by the
 * owner after progress
 */
void swb_wal_kick(struct swb_wal *w);

/* -- replica: a whole frame becomes a group ----------------------------- */

/**
 * swb_wal_group_get() - a private group with room for @payload_bytes; waits up to
 * @timeout jiffies for memory
 * Return: the group, with one reference; NULL if there was no memory.
 */
struct swb_group *swb_wal_group_get(struct swb_wal *w, u32 payload_bytes,
				    long timeout);

/** swb_group_get() - one more reference; under the lock, or on top of another */
static inline void swb_group_get(struct swb_group *g)
{
	refcount_inc(&g->refs);
}

/** swb_group_put() - any context, with the lock or without */
void swb_group_put(struct swb_group *g);

/** swb_group_crc() - crc32c of @len bytes of the payload from byte @off on */
u32 swb_group_crc(const struct swb_group *g, u32 off, u32 len);

/**
 * swb_wal_attach() - a filled private group becomes the newest of the log; lock
 * held. The caller has set first_lsn, epoch, nrec, payload_bytes, rec_off and
 * the record descriptors, and has told the core (swb_core_received()) only
 * after this returned 0; then the caller's reference is the log's.
 * Return: 0; -ENOSPC: wait with swb_wal_wait_space() and try again; -EIO; -EINVAL
 * if it does not follow the newest record.
 */
int swb_wal_attach(struct swb_wal *w, struct swb_group *g);

/** swb_wal_submit() - index and write an attached group, gone afterwards; no lock */
void swb_wal_submit(struct swb_wal *w, struct swb_group *g);

/**
 * swb_wal_wait_space() - until something was freed since the last -ENOSPC of
 * swb_wal_attach(), or @timeout jiffies
 */
void swb_wal_wait_space(struct swb_wal *w, long timeout);

/* -- both --------------------------------------------------------------- */

/**
 * swb_wal_append_open() - the epoch-open record as a group of its own. Process
 * context, no lock. The core has already counted its LSN; no other record enters
 * before it. Some room is kept for it even in a full ring.
 * Return: 0, -EIO, -ENOSPC or -ENOBUFS after half a minute without room.
 */
int swb_wal_append_open(struct swb_wal *w, u64 epoch, u64 lsn);

/** swb_wal_flush() - start a device flush of what is written now; at most one */
void swb_wal_flush(struct swb_wal *w);

/**
 * swb_wal_truncate() - cut after @lsn: waits for groups in flight, drops memory
 * and directory above, rebuilds the index. The caller has stopped all writers
 * and the flusher, and saves the superblock afterwards: *w->core->d gets a
 * raised incarnation and log_end = @lsn here. Process context, no lock.
 * Return: 0; -EIO; -ETIMEDOUT if the disk does not end what is in flight.
 */
int swb_wal_truncate(struct swb_wal *w, u64 lsn);

/**
 * swb_wal_settle() - everything in the log is written and flushed; no writer comes
 * in. Process context, no lock. Return: as swb_wal_truncate()
 */
int swb_wal_settle(struct swb_wal *w);

/**
 * swb_wal_restart() - an empty log that goes on with @next_lsn; lock held, settled,
 * nobody reads groups of it. Sets the tail, log_end and a raised incarnation in
 * *w->core->d, which the caller saves before anything is appended; swb_wal_freed()
 * afterwards.
 */
void swb_wal_restart(struct swb_wal *w, u64 next_lsn);

/** swb_wal_freed() - tell who waits for room; no lock */
void swb_wal_freed(struct swb_wal *w);

/** swb_wal_beyond() - the last LSN with @bytes of the ring or more behind it; lock */
u64 swb_wal_beyond(struct swb_wal *w, u64 bytes);

/**
 * swb_wal_room_wanted() - bytes that must be free for any record to be admitted,
 * wherever the ring's end lies; may exceed the ring. Any context.
 */
u64 swb_wal_room_wanted(const struct swb_wal *w);

/**
 * swb_wal_span() - bytes of the ring between the groups of two LSNs; lock held
 * Return: 0 if @to is not behind @from.
 */
u64 swb_wal_span(struct swb_wal *w, u64 from, u64 to);

/** swb_wal_find() - entry that holds @lsn, or NULL; lock held */
struct swb_ent *swb_wal_find(struct swb_wal *w, u64 lsn);

/**
 * swb_wal_load() - the group that holds @lsn, in memory, with a reference: the
 * resident one, or one read back from the ring (verified: crc of header and of
 * each payload). Process context, no lock, may wait for the disk.
 *
 * Use first_lsn, epoch, nrec, payload_bytes and rec_off of the group, not the
 * counts in its header: a cut may have left fewer records than were written.
 * Return: group, or ERR_PTR(-ENOENT) not live, -EAGAIN not sealed yet, -EIO,
 * -EILSEQ (what is in the ring is not what was written), -ENOBUFS
 */
struct swb_group *swb_wal_load(struct swb_wal *w, u64 lsn);

/**
 * swb_wal_load_run() - the same for somebody who goes on reading: if it comes from the
 * ring, what follows there in the same epoch comes along, in one group
 */
struct swb_group *swb_wal_load_run(struct swb_wal *w, u64 lsn);

/**
 * swb_wal_resident() - the same without a disk. Any context, no lock.
 * Return: group, or NULL if it is not in memory or not sealed yet
 */
struct swb_group *swb_wal_resident(struct swb_wal *w, u64 lsn);

/**
 * swb_wal_trim_prepare() - how far can the tail go, at most past @lsn? Fills the
 * tail fields and returns the new S; lock held. Nothing is freed yet: first the
 * superblock, then swb_wal_trim().
 */
u64 swb_wal_trim_prepare(struct swb_wal *w, u64 lsn, struct swb_durable *d);

/** swb_wal_trim() - entries below @start are retired, their space is free */
void swb_wal_trim(struct swb_wal *w, u64 start);

/* -- attach: replay.c fills the directory and the index ------------------ */

/** swb_wal_dir_create() - a directory that suits the ring of @d; may sleep */
int swb_wal_dir_create(struct swb_wal *w, const struct swb_durable *d);

/** swb_wal_replay_group() - the next entry, oldest first; indexes its live records
 * above @extent_lo. Process context, before anybody else uses the log.
 */
int swb_wal_replay_group(struct swb_wal *w, const struct swb_ent *ent,
			 const struct swb_disk_rec *rec, u64 extent_lo);

/** swb_wal_replay_end() - @ring as the scan left it, head at @head */
void swb_wal_replay_end(struct swb_wal *w, const struct swb_ring *ring, u64 start,
			u64 head);

#endif /* SWB_WAL_H */
