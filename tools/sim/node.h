/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One member: a real core and the executor of its orders. What the kernel does
 * in post.c, wal.c, flusher.c, ship.c and apply.c happens here on a simulated
 * disk and network, with the real codec and the real ring.
 *
 *	node.c	life: format, attach, crash; client requests
 *	post.c	event -> step -> actions
 *	wal.c	groups, ring, flush, cut
 *	store.c	superblock, write-back, trimming
 *	wire.c	frames in and out
 *	grow.c	a larger extent
 *	base.c	delta and rebuild, both ends; the changed-block bitmap
 */
#ifndef SWB_SIM_NODE_H
#define SWB_SIM_NODE_H

#include "clock.h"
#include "disk.h"
#include "net.h"
#include "reference.h"
#include "core/core.h"
#include "core/ring.h"
#include "core/recover.h"
#include "core/lineage.h"
#include "core/text.h"
#include "../logread.h"

#define NODE_RING_OFFSET	SWB_AREA_ALIGN
#define NODE_RING_BYTES		SWB_RING_BYTES_MIN
#define NODE_BITMAP_OFFSET	(NODE_RING_OFFSET + NODE_RING_BYTES)
#define NODE_EXTENT_OFFSET	(NODE_BITMAP_OFFSET + SWB_AREA_ALIGN)
#define NODE_LSNS_MAX		4096
#define NODE_GRANULES		(SIM_BLOCKS_MAX * SIM_BLOCK / SWB_GRANULE_BYTES)

struct op;
struct held;
struct swb_frame;

enum node_state {
	NODE_DOWN,
	NODE_ATTACHING,
	NODE_UP,
	NODE_REFUSED,	/* local recovery refused the disk */
};

/** struct wrec - a record in a group of this member's log */
struct wrec {
	u64 wid;
	u64 sector;
	u32 len_bytes;
	u32 crc;
	u8 type;
};

enum wgroup_state {
	WGROUP_FILLING,
	WGROUP_WRITING,
	WGROUP_WRITTEN,
};

/**
 * struct wgroup - a group of the log, sealed or being filled
 * @live: records not cut away
 * @buf: header and payload as written; NULL once it is on the disk
 */
struct wgroup {
	u64 pos;
	u64 len;
	u64 gap;
	u64 seq;
	u64 epoch;
	u64 first_lsn;
	u64 write_id;
	u32 crc;
	u32 prev_crc;
	u32 header_bytes;
	u32 payload_bytes;
	u32 nrec;
	u32 live;
	u8 state;
	u8 *buf;
	struct wrec rec[SWB_GROUP_RECS_MAX];
};

/* who waits for a superblock */
#define SUPER_CORE	0x1
#define SUPER_HI	0x2
#define SUPER_TRIM	0x4
#define SUPER_CUT	0x8
#define SUPER_ATTACH	0x10
#define SUPER_MARK	0x20
#define SUPER_BASE	0x40
#define SUPER_CLEAR	0x80

enum back_stage {
	BACK_IDLE,
	BACK_MARKING,	/* extent_hi goes to disk */
	BACK_WRITING,	/* blocks go to the extent */
	BACK_FLUSHING,
	BACK_TRIMMING,	/* extent_lo and tail go to disk */
};

/* a target on its way to its mark, and to the end of it */
enum prepare_stage {
	PREPARE_IDLE,
	PREPARE_WRITES,		/* log writes in flight end */
	PREPARE_FLUSHING,	/* the log is flushed */
	PREPARE_BACK,		/* a delta: own records <= m to the extent */
	PREPARE_SAVING,		/* mark and empty ring */
};

enum clear_stage {
	CLEAR_IDLE,
	CLEAR_WAITING,		/* a batch of write-back ends */
	CLEAR_FLUSHING,		/* the extent */
	CLEAR_SAVING,
};

/**
 * struct lane - the base lane of a source to one peer
 * @session: 0 if there is none
 * @at: next granule
 * @block: first block of the read under way
 * @blocks: its blocks, 0 if none
 * @end: newest sample, W
 * @todo: granules to copy
 */
struct lane {
	u64 session;
	bool soon;
	u32 at;
	u32 block;
	u32 blocks;
	u64 sent;
	u64 end;
	u64 early_epoch;
	u64 early_lsn;
	u8 todo[NODE_GRANULES];
	u8 buf[SWB_GRANULE_BYTES];
};

/** struct base_frame - the base block that a target is busy with */
struct base_frame {
	bool busy;
	u8 peer;
	u32 writes;
	u32 block;
	u32 len_bytes;
	u64 session;
	u64 epoch;
	u64 hi_epoch;
	u64 hi_lsn;
	u64 before;
	u8 buf[SWB_GRANULE_BYTES];
};

/**
 * struct worst - what would be left if the power failed now and the cache
 * saved nothing: found by the real scan of the stable bytes
 * @changes: of the disk, when it was made
 * @proved: records <= it were compared with the history that ends in
 *	@proved_epoch
 * @l: the run of the scan, which goes on where it stopped as long as what it
 *	has read is unchanged
 * @epoch: @epoch[x - first] = epoch of record x, first <= x <= head
 */
struct worst {
	bool valid;
	u64 changes;
	u8 letter;
	enum swb_recover_verdict verdict;
	struct swb_durable d;
	u64 first;
	u64 head;
	u64 last_epoch;
	u64 proved;
	u64 proved_epoch;
	struct logread l;
	u64 epoch[NODE_LSNS_MAX];
};

/**
 * struct pace - when a primary last saw a peer get further
 * @session: of which this is
 * @got: what it had received, had durably, and had taken of a base lane
 */
struct pace {
	u64 session;
	u64 got[3];
	u64 since_ns;
};

/**
 * struct node - a member and its executor
 * @identity: of the replica id that it is declared with; a new one with each
 *	replacement of its disk
 * @boot: raised by each crash; tasks of older boots are dropped
 * @watch: its clock; kept over crashes
 * @paused_ns: it does nothing until then, its clock runs on
 * @stalled_ns: its disk ends no command before
 * @group: sealed groups, oldest first
 * @open: group being filled, NULL if none
 * @open_until_ns: until then its open record waits for a place, 0 if it does not
 * @super_wanted: SUPER_* that a next save must serve
 * @super_saving: SUPER_* that the running save serves
 * @cut_to: LSN of a cut that waits for writes to end, with @cutting
 * @back: write-back round, up to @back_target
 * @tight_ns: since when pins keep @want_room from being served, or 0
 * @bits: a byte per granule: the changed-block bitmap
 * @bits_forget: the batch under way moved the base: forget the bits when saved
 * @wrote: a byte per block: written back from the stream of this rebuild
 * @grow_to: blocks that it is growing to, or 0; zeroed up to @grow_at
 * @link: connection to each member, 0 if none
 * @rx: frames not yet processed
 * @done_lsn: newest write completed to the client in this role
 * @refused: frames refused, by reason
 * @lost: its disk was replaced; @rotten: bits decayed; @failed: I/O errors,
 *	@failure_passes: until its host starts again; @failed_once: ever
 * @stats: counters of the executor
 * Checkers' memory: @seen_*, @worst
 */
struct node {
	u8 id;
	u8 identity;
	u8 state;
	u8 letter;
	u32 boot;
	struct wrist watch;
	u64 paused_ns;
	u64 stalled_ns;
	bool io_parked;
	struct disk disk;
	struct swb_core core;
	struct swb_ring ring;
	u32 groups;
	u32 groups_cap;
	struct wgroup **group;
	struct wgroup *open;
	bool seal_soon;
	u64 open_until_ns;
	u32 super_wanted;
	u32 super_saving;
	bool cutting;
	bool cut_saving;
	u64 cut_to;
	u8 back;
	u64 back_target;
	u64 back_limit;
	u32 back_left;
	u32 back_drop;
	bool back_soon;
	bool want_room;
	u64 tight_ns;
	u8 prepare;
	u8 clear;
	u32 grow_to;
	u32 grow_at;
	bool bits_forget;
	u8 bits[NODE_GRANULES];
	u8 wrote[SIM_BLOCKS_MAX];
	struct base_frame base;
	struct lane lane[8];
	u32 link[8];
	struct frame *rx;
	struct frame **rx_end;
	bool rx_soon;
	bool ship_soon[8];
	u64 done_lsn;
	u32 refused[__SWBLOCK_REASON_MAX];
	bool lost;
	bool rotten;
	bool failed;
	bool failure_passes;
	bool failed_once;
	/* memory of the checkers */
	u64 seen_adopted;
	u64 seen_opened;
	u64 seen_lo;
	u64 seen_hi;
	u64 seen_bytes;
	u64 seen_incarnation;
	u64 sent_lsn[8];
	u64 sent_session[8];
	struct pace pace[8];
	u64 flushed_lsn;
	u32 old_conn;
	u64 old_session;
	u64 old_epoch;
	struct worst worst;
	bool extent_dirty;
	u64 known_c;
	u64 cert_c;
	u64 cut_epoch;
	bool old_openers;
};

/* node.c */
void node_create(struct world *w, u8 id);
void node_reset(struct node *n);
void node_destroy(struct node *n);
void node_replace_disk(struct world *w, struct node *n);
/** node_blank_disk() - nobody has said that it is another one; false: stays blank */
bool node_blank_disk(struct world *w, struct node *n);
void node_crash(struct world *w, struct node *n, int fate, bool host_only,
		bool silent);
/**
 * node_fail_disk() - a command fails, and each one after it (P17a)
 * @passing: superblocks too, so the latch is not saved; but all is well again
 *	after the next start of the host
 */
/** node_read_failed() - a record could not be read back: the disk is latched, soon */
void node_read_failed(struct world *w, struct node *n);
void node_fail_disk(struct world *w, struct node *n, bool passing);
void node_restart(struct world *w, struct node *n);
struct op *node_write(struct world *w, struct node *n, u32 block, u32 blocks,
		      bool zeroes);
struct op *node_barrier(struct world *w, struct node *n);
/** node_may_write() - would a write of one block be let in at once? */
bool node_may_write(struct world *w, struct node *n);
/** node_repair() - then: the bytes of write @wid in @block once more; 0 zeroes */
void node_repair(struct world *w, struct node *n, u32 block, u64 wid);
void node_super_done(struct world *w, struct node *n, u32 served);
bool node_is_primary(const struct node *n);

/** node_now() - what the clock of this member shows */
u64 node_now(const struct world *w, const struct node *n);
/** node_pause() - nothing happens on it for @ns; its clock runs on */
void node_pause(struct world *w, struct node *n, u64 ns);
bool node_paused(const struct world *w, const struct node *n);
/** node_stall_disk() - no command of its disk ends for @ns */
void node_stall_disk(struct world *w, struct node *n, u64 ns);
/** node_io_ns() - how long a command of its disk takes: from @lo to @hi */
u64 node_io_ns(struct world *w, const struct node *n, u64 lo, u64 hi);

/* post.c */
void node_post(struct world *w, struct node *n, struct swb_event *ev);
void node_admit_parked(struct world *w, struct node *n);

/* wal.c */
bool wal_room(const struct node *n, u32 nrec, u32 payload_bytes, bool reserve);
void wal_append(struct world *w, struct node *n, u64 epoch, u64 lsn,
		const struct wrec *rec, const u8 *payload);
void wal_seal(struct world *w, struct node *n);
void wal_flush(struct world *w, struct node *n);
void wal_cut(struct world *w, struct node *n, u64 lsn);
void wal_cut_saved(struct world *w, struct node *n);
struct wgroup *wal_find(const struct node *n, u64 lsn);
u64 wal_epoch_at(const struct node *n, u64 lsn);
const struct wrec *wal_rec(const struct node *n, u64 lsn);
/**
 * wal_payload() - bytes of record @i of @g: from memory, or read back from the ring
 * Return: false if what was read does not have the record's checksum (I-225).
 */
bool wal_payload(const struct node *n, const struct wgroup *g, u32 i, u8 *out);
/** wal_readable() - have all records of [@from, @to] their checksum? */
bool wal_writes_pending(const struct node *n);
bool wal_readable(const struct node *n, u64 from, u64 to);
void wal_mark_written(struct world *w, const struct node *n,
		      const struct wgroup *g);
void wal_free(struct node *n);

/* store.c */
void store_save(struct world *w, struct node *n, u32 who);
void store_write_back(struct world *w, struct node *n);
void store_want_room(struct world *w, struct node *n);
void store_marked(struct world *w, struct node *n);
void store_trimmed(struct world *w, struct node *n);

void store_block_submitted(struct world *w, struct node *n, u64 id);

/* base.c */
/** base_page_bits() - bits of a page as read; all ones and false if it is torn */
bool base_page_bits(const struct node *n, const u8 *bytes, u8 *bits);
void base_format(struct node *n);
void base_load(struct node *n);
void base_write_page(struct world *w, struct node *n);
void base_batch(struct world *w, struct node *n, u64 lo);
void base_batch_saved(struct node *n);
void base_start(struct world *w, struct node *n, const struct swb_action *a);
void base_stop(struct node *n, u8 peer);
void base_prepare(struct world *w, struct node *n);
void base_write_done(struct world *w, struct node *n);
void base_marked(struct world *w, struct node *n);
void base_take(struct world *w, struct node *n, const struct base_frame *in);
void base_raised(struct world *w, struct node *n);
void base_clear(struct world *w, struct node *n);
void base_cleared(struct world *w, struct node *n);

/* grow.c */
/** grow_start() - an order to make @n larger; the core may refuse it */
void grow_start(struct world *w, struct node *n, u32 blocks);

/* wire.c */
void wire_base(struct world *w, struct node *n, u8 peer, const struct lane *l,
	       bool zero, u64 epoch, u64 lsn);
void wire_base_end(struct world *w, struct node *n, u8 peer, const struct lane *l,
		   u64 epoch);
void node_frame_in(struct world *w, struct node *n, struct frame *f);
void node_link_lost(struct world *w, struct node *n, u32 conn, u32 reason);
void node_link(struct world *w, struct node *n, u8 peer, u32 conn);
void wire_send(struct world *w, struct node *n, const struct swb_action *act);
void wire_ack(struct world *w, struct node *n, u8 peer);
void wire_stale_ack(struct world *w, struct node *n);
void wire_ship(struct world *w, struct node *n, u8 peer);
void wire_ship_all(struct world *w, struct node *n);
void wire_close(struct world *w, struct node *n, u8 peer);
void wire_read(struct world *w, struct node *n, u8 peer, const struct held *h);
/** wire_read_data() - answer to @f; @bytes NULL: it cannot be read here either */
void wire_read_data(struct world *w, struct node *n, u8 peer,
		    const struct swb_frame *f, const u8 *bytes);
void wire_receive(struct world *w, struct node *n);

#endif /* SWB_SIM_NODE_H */
