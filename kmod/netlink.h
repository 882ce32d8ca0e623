/* SPDX-License-Identifier: GPL-2.0-only */
/* Generic netlink: attributes <-> structs, one manage call each. Translates only. */
#ifndef SWB_NETLINK_H
#define SWB_NETLINK_H

#include <net/genetlink.h>
#include "notify.h"
#include "volume.h"

int swb_netlink_init(void);
void swb_netlink_exit(void);

/** swb_netlink_put_volume() - all attributes of a volume, peers nested */
int swb_netlink_put_volume(struct sk_buff *skb, struct swb_volume *v);
/** swb_netlink_put_peer() - one nested PEER */
int swb_netlink_put_peer(struct sk_buff *skb, struct swb_volume *v, u8 peer);
int swb_netlink_put_report(struct sk_buff *skb, const struct swb_report *r);

extern struct genl_family swb_genl_family;

#endif /* SWB_NETLINK_H */
