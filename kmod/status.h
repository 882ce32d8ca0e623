/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A volume at one moment, and the netlink attributes that say it. Copies under the
 * lock, writes into a message without it. Process context.
 */
#ifndef SWB_STATUS_H
#define SWB_STATUS_H

#include <net/genetlink.h>
#include "volume.h"

/**
 * struct swb_status - a volume at one moment
 * @core: decisions
 * @seq: newest event when it was taken: a later one may be told twice, never lost
 * @id: local id
 * @minor: N of /dev/swblockN, -1 if none
 * @conditions: all SWBLOCK_COND_*
 * @inflight: admitted upper requests
 * @parked: upper requests not admitted
 * @ring_used: bytes of the ring in use
 * @io_deadline_ns: a request that is older fails
 * @catchup_max_bytes: budget
 * @rebuild_rate_max: of a base lane
 * @bitmap_blocks: bits that are set, about
 * @rebuild: by member index, base lanes
 * @behind_bytes: by member index, log not yet durable there, about
 * @behind_ns: by member index, age of the oldest of it, 0 if unknown
 * @stats: sums, by enum swblock_stat
 */
struct swb_status {
	struct swb_core core;
	u64 seq;
	u32 id;
	int minor;
	u32 conditions;
	u32 inflight;
	u32 parked;
	u64 ring_used;
	u64 io_deadline_ns;
	u64 catchup_max_bytes;
	u64 rebuild_rate_max;
	u64 bitmap_blocks;
	struct swb_rebuild_progress rebuild[SWB_MEMBERS_MAX];
	u64 behind_bytes[SWB_MEMBERS_MAX];
	u64 behind_ns[SWB_MEMBERS_MAX];
	u64 stats[SWBLOCK_STAT_MAX + 1];
};

/** swb_status_take() - a volume as it is now; kfree() it. NULL without memory */
struct swb_status *swb_status_take(struct swb_volume *v);

/** swb_status_put_volume() - all attributes of a volume, peers nested */
int swb_status_put_volume(struct sk_buff *skb, const struct swb_status *st);
/** swb_status_put_peer() - one nested PEER */
int swb_status_put_peer(struct sk_buff *skb, const struct swb_status *st,
			u8 peer);
int swb_status_put_report(struct sk_buff *skb, const struct swb_report *r);

/** swb_status_member() - the index of a member of @v, its own included, or SWB_NOBODY */
u8 swb_status_member(struct swb_volume *v, const struct swb_uuid *uuid);

/**
 * swb_status_put_latency() - every histogram that has counted
 * @skb: message
 * @v: volume, with a reference
 * @member: index, or SWB_NOBODY for those of the host
 *
 * Context: any, takes volume->lock for a moment.
 */
int swb_status_put_latency(struct sk_buff *skb, struct swb_volume *v, u8 member);

#endif /* SWB_STATUS_H */
