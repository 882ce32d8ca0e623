/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One link to one peer: lifetime, its two threads, and the frames that the core
 * ordered. rx: apply.c; tx: ship.c. A link serves one session; a new LINK order
 * replaces it (volume->link[] is the authority on which one is current).
 */
#ifndef SWB_PEER_H
#define SWB_PEER_H

#include "core/codec.h"
#include "link.h"
#include "volume.h"

#define SWB_SEND_OPEN	0
#define SWB_SEND_FACTS	1
#define SWB_SEND_START	2
#define SWB_SEND_ACK	3
#define SWB_SEND_PING	4
#define SWB_SEND_SHIP	5
#define SWB_SEND_CLOSE	6

/**
 * struct swb_link - one link
 * @ref: threads, volume->link[] and in-flight posts
 * @v: volume, referenced
 * @peer: member index
 * @sock: bytes
 * @rx: receiving thread (apply.c)
 * @tx: sending thread (ship.c), the only sender and the only WAL feeder (D-02)
 * @wait: tx sleeps here
 * @pending: SWB_SEND_* ordered by the core; lock
 * @closing: after CLOSE_LINK nothing but a pending CLOSE is sent (P6); lock
 * @close_reason: for the CLOSE frame, and why it ended
 * @start_from: arguments of START; lock
 * @cookie: of the LINK order
 */
struct swb_link {
	struct kref ref;
	struct swb_volume *v;
	u8 peer;
	struct swb_sock sock;
	struct task_struct *rx;
	struct task_struct *tx;
	wait_queue_head_t wait;
	unsigned long pending;
	bool closing;
	bool dead;
	u32 close_reason;
	u64 session;
	u64 start_from;
	u64 start_truncate_to;
	u64 start_target;
	u64 ping_flush_lsn;
	u64 cookie;
	struct swb_wire_facts *facts_buf;	/* tx */
	struct swb_facts *rx_facts;		/* rx */
	void *rx_body;				/* SWB_WIRE_BODY_MAX */
	struct work_struct free_work;
};

/**
 * swb_peer_link() - take the socket behind @fd as the link to @peer_uuid; replaces
 * an older link; starts both threads; posts LINKED
 * Context: the netlink caller's task. @why: text for the extended ack.
 */
int swb_peer_link(struct swb_volume *v, const struct swb_uuid *peer_uuid, int fd,
		  u64 cookie, const char **why);

/** swb_peer_unlink() - the operator's order; -ENOTCONN if there is no link */
int swb_peer_unlink(struct swb_volume *v, const struct swb_uuid *peer_uuid);

/** swb_peer_send() - executor: a frame is ordered (SWB_SEND_*); step_mutex held */
void swb_peer_send(struct swb_volume *v, const struct swb_action *act,
		   unsigned int what);

/** swb_peer_close() - executor of CLOSE_LINK; does not wait */
void swb_peer_close(struct swb_volume *v, u8 peer, u32 reason);

/** swb_peer_close_all() - removal: every link, and wait until their threads ended */
void swb_peer_close_all(struct swb_volume *v);

void swb_link_get(struct swb_link *l);
void swb_link_put(struct swb_link *l);

/** thread bodies */
int swb_ship_thread(void *link);
int swb_apply_thread(void *link);

#endif /* SWB_PEER_H */
