/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One link to one peer: lifetime, its two threads, and the frames that the core
 * ordered. rx: apply.c; tx: ship.c. A link serves one session; a new LINK order
 * replaces it (volume->link[] is the authority on which one is current).
 */
#ifndef SWB_PEER_H
#define SWB_PEER_H

#include "core/codec.h"
#include "relink.h"
#include "volume.h"

/* Orders to tx, in the order in which they are carried out. */
#define SWB_SEND_OPEN	0
#define SWB_SEND_FACTS	1
#define SWB_SEND_START	2
#define SWB_SEND_ACK	3
#define SWB_SEND_PING	4
#define SWB_SEND_SHIP	5
#define SWB_SEND_CLOSE	6
#define SWB_SEND_UNLINK	7	/* no frame: the operator wants it gone */
#define SWB_SEND_BASE	8	/* the base lane may have a frame */
#define SWB_SEND_VERIFY	9	/* a question or an answer of a comparison */
#define SWB_SEND_READ	10	/* content that is asked for or lent */
#define SWB_SEND_MOVE	11	/* a word about the other socket, relink.c */

#define SWB_SHIP_GROUPS	32	/* of one DATA frame */

/**
 * struct swb_link - one link
 * @ref: threads, volume->link[], delayed shutdown, and in-flight posts
 * @node: among all links, until the memory is freed
 * @v: volume, referenced
 * @seq: order of LINK orders; a younger link replaces an older one
 * @uuid: the peer
 * @peer: its member index; settled when the link becomes current
 * @sockets: bytes (relink.c)
 * @rx: receiving thread (apply.c)
 * @tx: sending thread (ship.c), the only sender and the only WAL feeder (D-02)
 * @wait: tx sleeps here
 * @pending: 1 << SWB_SEND_*, ordered by the core; v->lock
 * @closing: after CLOSE_LINK nothing but a pending CLOSE is sent (P6); v->lock
 * @close_reason: for the CLOSE frame, and why it ended; v->lock
 * @session: id in the frames; v->lock
 * @start_from: arguments of START; v->lock
 * @start_truncate_to: the same
 * @start_target: the same
 * @start_kind: the same
 * @ping_flush_lsn: flush asked for with the pending PING; v->lock
 * @cookie: of the LINK order
 * @told_committed: tx: C on the last frame sent
 * @lane: base lane of this session, or NULL (base.c, lane.c); v->lock
 * @base_again: tx: the base lane waits for its rate
 * @base_turn: tx: groups shipped since the base lane had its turn
 * @base_rec: tx: body of a BASE frame
 * @verify: a replica's answer to VERIFY, until it is sent; v->lock
 * @verify_body: tx: body of a VERIFY_SUM frame
 * @lend: what a replica lends, until it is sent; v->lock
 * @window_closed: tx waits for C to ship more; v->lock
 * @asked_committed: tx: C when room was asked for last
 * @again: tx: no memory to read the log back, or the window is closed: look again soon
 * @acked_ns: rx: when the last ACK was heard, CLOCK_BOOTTIME; read in the step that rx posts
 * @seen_committed: rx: C of the last header that was posted
 * @seen_flush_lsn: rx: the same for flush_lsn
 * @seen_everywhere: rx: the same for everywhere
 * @tx_header: tx: frame header
 * @tx_facts: tx: own account, decoded
 * @tx_group: tx: groups of a DATA frame, referenced
 * @tx_groups: tx: of them
 * @tx_rec: tx: its records, if they are of several groups
 * @tx_bvec: tx: its payload
 * @facts_buf: tx: own account, encoded
 * @rx_header: rx: frame header
 * @rx_facts: rx: account of the peer
 * @rx_body: rx: SWB_WIRE_BODY_MAX bytes
 * @rx_bvec: rx: where a payload goes
 * @kill_work: shuts the socket down if the last words take too long
 * @free_work: frees the link where no thread of it waits for itself
 */
struct swb_link {
	struct kref ref;
	struct list_head node;
	struct swb_volume *v;
	u64 seq;
	struct swb_uuid uuid;
	u8 peer;
	struct swb_sockets sockets;
	struct task_struct *rx;
	struct task_struct *tx;
	wait_queue_head_t wait;
	unsigned long pending;
	bool closing;
	u32 close_reason;
	u64 session;
	u64 start_from;
	u64 start_truncate_to;
	u64 start_target;
	u64 start_kind;
	u64 ping_flush_lsn;
	u64 cookie;
	struct swb_lane *lane;
	bool base_again;
	u32 base_turn;
	struct swb_disk_rec base_rec;
	struct swb_verify_answer verify;
	struct swb_wire_sums verify_body;
	struct swb_mend_answer lend;
	bool window_closed;
	u64 asked_committed;
	bool again;
	u64 told_committed;
	u64 acked_ns;
	u64 seen_committed;
	u64 seen_flush_lsn;
	u64 seen_everywhere;
	struct swb_wire_header tx_header;
	struct swb_facts *tx_facts;
	struct swb_wire_facts *facts_buf;
	struct swb_group *tx_group[SWB_SHIP_GROUPS];
	u32 tx_groups;
	struct swb_disk_rec tx_rec[SWB_GROUP_RECS_MAX];
	struct bio_vec tx_bvec[SWB_GROUP_PAGES + SWB_SHIP_GROUPS];
	struct swb_wire_header rx_header;
	struct swb_facts *rx_facts;
	void *rx_body;
	struct bio_vec rx_bvec[SWB_GROUP_PAGES];
	struct delayed_work kill_work;
	struct work_struct free_work;
};

/** swb_peer_init() - module load, before any volume; swb_peer_exit(): after all */
int swb_peer_init(void);
void swb_peer_exit(void);

/**
 * swb_peer_link() - take the socket behind @fd as the link to @peer_uuid
 * @v: volume
 * @peer_uuid: another member of the configuration
 * @fd: descriptor of the calling task
 * @move: id of a move: a matched session continues on it, if there is one; or 0
 * @cookie: of the order
 * @why: text for the extended ack
 *
 * Starts both threads and returns; rx makes the link the current one, which ends
 * an older link (REPLACED), and posts LINKED.
 *
 * Context: the netlink caller's task; does not wait for a disk or a peer.
 * Return: 0, -ENOENT (no such member), -EINVAL (this member itself), -ENOMEM,
 * -ENODEV (being removed), or as swb_sock_adopt()
 */
int swb_peer_link(struct swb_volume *v, const struct swb_uuid *peer_uuid, int fd,
		  u64 move, u64 cookie, const char **why);

/**
 * swb_peer_unlink() - the operator's order; tx posts UNLINK_ORDERED
 * @v: volume
 * @peer_uuid: the other end
 *
 * Context: any that may sleep; does not wait for a disk or a peer.
 * Return: 0, -ENOTCONN if there is no link
 */
int swb_peer_unlink(struct swb_volume *v, const struct swb_uuid *peer_uuid);

/**
 * swb_peer_send() - executor: a frame is ordered
 * @v: volume
 * @act: the order
 * @what: SWB_SEND_*, as the type of @act says
 *
 * Context: any that may take v->lock.
 */
void swb_peer_send(struct swb_volume *v, const struct swb_action *act,
		   unsigned int what);

/** swb_peer_set_deadline() - of the links that are up. Context: process, may sleep */
void swb_peer_set_deadline(struct swb_volume *v, u32 deadline_ms);

/**
 * swb_peer_kick() - there may be records to ship to anyone; any context. Wakes only
 * whose next record can be shipped.
 */
void swb_peer_kick(struct swb_volume *v);

/** swb_peer_reopen() - C has moved: whose window was closed looks again; any context */
void swb_peer_reopen(struct swb_volume *v);

/** swb_peer_close() - executor of CLOSE_LINK; does not wait */
void swb_peer_close(struct swb_volume *v, u8 peer, u32 reason);

/**
 * swb_peer_close_all() - removal: tell every peer, and wait until the links are
 * gone, a second or two
 * @v: volume, with @removing set
 *
 * Context: process; step_mutex not held (a thread may be about to post).
 */
void swb_peer_close_all(struct swb_volume *v);

void swb_link_get(struct swb_link *l);
void swb_link_put(struct swb_link *l);

/* ---- between peer.c, ship.c and apply.c --------------------------------- */

/**
 * swb_link_install() - rx: become the current link, post LINKED
 * @l: link
 *
 * Return: false if the link was overtaken before it began.
 */
bool swb_link_install(struct swb_link *l);

/**
 * swb_link_fail() - a thread found the end of its link: post LINK_LOST, close
 * @l: link
 * @reason: enum swblock_reason
 * @tell: send a CLOSE frame with it (the peer's bytes were refused)
 */
void swb_link_fail(struct swb_link *l, u32 reason, bool tell);

/** swb_link_close() - @l is over: nothing more of it is sent, or it is for @reason */
void swb_link_close(struct swb_link *l, u32 reason);

/** swb_link_kill_later() - @l's socket is shut down in a second, whatever happens */
void swb_link_kill_later(struct swb_link *l);

/** swb_link_lost_reason() - negative errno of the socket -> enum swblock_reason */
u32 swb_link_lost_reason(int err);

/** thread bodies */
int swb_ship_thread(void *link);
int swb_apply_thread(void *link);

#endif /* SWB_PEER_H */
