/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A member that keeps no log: an extent, a bitmap of blocks changed while a peer
 * was away, an activity log of regions that may be half written, and generation
 * identifiers (current, one per peer's bitmap, history) that a handshake
 * compares. A replica keeps a write marked for the others until its primary says
 * who has it. A write completes when every connected peer has it.
 *
 *	bitmap.c	writes, barriers, connections
 *	bitmap_node.c	life, promotion
 *	bitmap_meet.c	handshake and resynchronisation
 *
 * Times are a tenth of the usual ones (connect 10 s, ping 10 s, request 6 s).
 */
#ifndef SWB_PROTOCOLS_BITMAP_H
#define SWB_PROTOCOLS_BITMAP_H

#include "protocol.h"

#define BM_MEMBERS	4
#define BM_HISTORY	2
#define BM_WORDS	(SIM_BLOCKS_MAX / 64)
#define BM_REGION	8	/* blocks of an activity log slot */
#define BM_REGIONS_HOT	8
#define BM_CONNECT_NS	(1000 * SIM_MSEC)
#define BM_PING_NS	(1000 * SIM_MSEC)
#define BM_PONG_NS	(50 * SIM_MSEC)
#define BM_REQUEST_NS	(600 * SIM_MSEC)
#define BM_PROMOTE_NS	(3000 * SIM_MSEC)

enum bm_link {
	BM_AWAY,
	BM_MEETING,
	BM_SYNCED,
	BM_SOURCE,	/* this end sends blocks */
	BM_TARGET,
	BM_ALONE,	/* refused: histories conflict */
};

enum bm_frame_type {
	BM_MEET = 1,
	BM_DATA,
	BM_DATA_DONE,
	BM_PEER_ACK,	/* sent_to: who has a write, now that it is complete */
	BM_FLUSH,
	BM_FLUSH_DONE,
	BM_BLOCK,
	BM_END,
	BM_END_DONE,
	BM_IDS,
	BM_PING,
	BM_PONG,
};

#define BM_WAS_PRIMARY	0x1	/* primary, or it was when it crashed */
#define BM_INCONSISTENT	0x2	/* a resynchronisation is not finished */
#define BM_LOST_QUORUM	0x4
#define BM_DISCARD	0x8	/* operator: give up the own changes */

/** struct bm_ids - generation identifiers of a member */
struct bm_ids {
	u64 current;
	u64 bitmap[BM_MEMBERS];
	u64 history[BM_HISTORY];
	u32 flags;
	u32 role;
};

struct bm_frame {
	u32 type;
	u32 id;
	u32 block;
	u32 blocks;
	u32 sent_to;
	u32 peer;
	struct bm_ids ids;
	u64 bits[BM_WORDS];
};

/** struct bm_meta - on disk, rewritten as a whole */
struct bm_meta {
	u32 magic;
	u32 crc;
	struct bm_ids ids;
	u64 bits[BM_MEMBERS][BM_WORDS];
	u32 hot;	/* regions in the activity log */
};

struct bm_peer {
	u8 state;
	bool full;
	bool primary;	/* it sent writes */
	bool ending;	/* the last block is on its way */
	u32 conn;
	u64 heard_ns;
	u64 pinged_ns;
	u64 tried_ns;
};

struct bm {
	u8 id;
	bool up;
	bool primary;
	bool rotate;	/* a new generation before the next completion */
	bool moved;	/* listens where nobody looks */
	struct disk *disk;
	struct bm_meta meta;
	struct bm_peer peer[BM_MEMBERS];
	u32 newest;	/* write received from a primary */
	u32 last[SIM_BLOCKS_MAX];	/* the same, by block */
};

struct bm_kind {
	struct bm m[BM_MEMBERS];
	struct lab_work work;
	bool lost_quorum_rule;
	u8 primary;
	u8 want;
	u64 promote_until_ns;
	enum lab_promotion promotion;
};

static inline struct bm_kind *bm_kind(struct lab *l)
{
	return l->kind;
}

static inline struct bm *bm_member(struct lab *l, u8 n)
{
	return &bm_kind(l)->m[n];
}

/* bitmap.c */
void bm_save(struct bm *m);
void bm_send(struct lab *l, struct bm *m, u8 peer, struct bm_frame *f,
	     const void *data, u32 len);
void bm_lost(struct lab *l, struct bm *m, u8 peer);
void bm_hang_up(struct lab *l, struct bm *m, u8 peer);
void bm_put(struct bm *m, u32 block, u32 blocks, const u8 *data);
bool bm_quorum(struct lab *l, const struct bm *m);
void bm_mark_absent(struct bm *m, u8 peer, u32 block, u32 blocks);
bool bm_meta_whole(const struct bm_meta *meta);
void bm_submit(struct lab *l, struct lab_op *op);
void bm_tick(struct world *w, struct task *t);
extern const struct sim_members bm_members;

/* bitmap_node.c */
void bm_demote(struct lab *l, struct bm *m);

/* bitmap_meet.c */
void bm_meet(struct lab *l, struct bm *m, u8 peer);
void bm_met(struct lab *l, struct bm *m, u8 peer, const struct bm_frame *f);
void bm_resync_tick(struct lab *l, struct bm *m, u8 peer);
void bm_resync_frame(struct lab *l, struct bm *m, u8 peer, const struct bm_frame *f,
		     const u8 *data);
void bm_new_current(struct lab *l, struct bm *m);
void bm_take_ids(struct lab *l, struct bm *m, u8 peer, const struct bm_frame *f);

#endif /* SWB_PROTOCOLS_BITMAP_H */
