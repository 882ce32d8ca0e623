/* SPDX-License-Identifier: GPL-2.0-only */
/* Generic netlink: attributes <-> structs, one manage call each. Translates only. */
#ifndef SWB_NETLINK_H
#define SWB_NETLINK_H

#include <linux/types.h>

struct netlink_callback;
struct sk_buff;

int swb_netlink_init(void);
void swb_netlink_exit(void);

/** swb_netlink_put() - begin one message of a dump; NULL if it does not fit */
void *swb_netlink_put(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd);

#endif /* SWB_NETLINK_H */
