/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Connections between nodes: bytes in order, as TCP gives them, with delay; a
 * connection may be cut (a prefix of what is under way still arrives), or its
 * path may be blocked in one or both directions (bytes wait). A new connection
 * knows nothing of an old one, whose frames may still be under way.
 */
#ifndef SWB_SIM_NET_H
#define SWB_SIM_NET_H

#include "clock.h"
#include "core/types.h"

#define NET_CONNS_MAX	4096
#define NET_OLD_FRAMES	6
#define NET_WINDOW_BYTES	(320 * 1024)

/**
 * struct frame - one frame under way
 * @conn: connection
 * @from: sender
 * @heard: its header was looked at while its records still wait for room
 */
struct frame {
	struct frame *next;
	u32 conn;
	u8 from;
	bool heard;
	u32 len;
	u8 data[] __attribute__((aligned(8)));
};

/**
 * struct conn - one connection
 * @end: the two nodes
 * @open: this end has not closed it
 * @taken: this end was handed to its member; bytes wait until then
 * @last_ns: when the newest byte of this end arrives
 * @until_ns: what would arrive later is lost: the connection was cut
 * @who: replica that an end was handed to
 * @stranger: its first end belongs to another volume
 * @queue: frames under way, by sending end; @queued: bytes of them
 */
struct conn {
	u8 end[2];
	bool open[2];
	bool taken[2];
	bool cut;
	struct swb_uuid who[2];
	bool stranger;
	u64 last_ns[2];
	u64 until_ns;
	struct frame *queue[2];
	struct frame **queue_end[2];
	u64 queued[2];
};

/**
 * struct sim_members - who takes what arrives, where members are no real cores
 * @frame_in: takes over the frame
 * @link_lost: the connection is gone at this end
 */
struct sim_members {
	void (*frame_in)(struct world *w, u8 to, struct frame *f);
	void (*link_lost)(struct world *w, u8 to, u32 conn);
};

/**
 * struct net - all connections, and which paths are blocked
 * @blocked: [from][to]
 * @delay_min_ns: of a frame
 * @delay_max_ns: of a frame
 * @slow_ns: and so much more on a path, [from][to]
 * @corrupt_ppm: frames in a million in which one byte changes on the way
 * @lose_ppm: frames in a million that vanish, as by a faulty sender
 * @lose_next: of this wire type the next frame vanishes, [from][to]; 0 = none
 * @replay_ppm: an older frame of the same sender comes once more
 * @old: frames kept for that, by sender and receiver
 * @sent_bytes: handed to a socket since net_reset()
 */
struct net {
	u32 count;
	struct conn *conn;
	bool blocked[8][8];
	u64 delay_min_ns;
	u64 delay_max_ns;
	u64 slow_ns[8][8];
	u32 corrupt_ppm;
	u32 lose_ppm;
	u16 lose_next[8][8];
	u32 replay_ppm;
	struct frame *old[8][8][NET_OLD_FRAMES];
	u64 sent_bytes;
};

void net_reset(struct net *n);

/** net_connect() - a new connection, or 0 if the path is blocked */
u32 net_connect(struct world *w, u8 a, u8 b);

/** net_room() - may @from hand one more large frame to its socket? */
bool net_room(struct world *w, u32 conn, u8 from);

/** net_send() - @from hands @len bytes to its socket */
void net_send(struct world *w, u32 conn, u8 from, const void *buf, u32 len);

/** net_waits() - open at @node's end, but not yet handed to the member */
bool net_waits(struct world *w, u32 conn, u8 node);
void net_taken(struct world *w, u32 conn, u8 node);

/** net_stranger() - @node speaks here for a member of another volume */
bool net_stranger(const struct world *w, u32 conn, u8 node);

/** net_close() - @node closes its end; the other end hears of it */
void net_close(struct world *w, u32 conn, u8 node);

/** net_cut() - the connection breaks; both ends hear of it sooner or later */
void net_cut(struct world *w, u32 conn);

/** net_cut_between() - every connection between two nodes */
void net_cut_between(struct world *w, u8 a, u8 b);

/** net_block() - bytes from @from to @to wait from now on, or go on */
void net_block(struct world *w, u8 from, u8 to, bool blocked);

#endif /* SWB_SIM_NET_H */
