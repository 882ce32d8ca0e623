/* SPDX-License-Identifier: GPL-2.0-only */
/* RECORD_GET of the family "swblock": a dump, in pieces. For netlink.c. */
#ifndef SWB_NETLINK_RECORD_H
#define SWB_NETLINK_RECORD_H

struct netlink_callback;
struct sk_buff;

/** swb_record_start() - which records are asked for; Return: 0 or a refusal */
int swb_record_start(struct netlink_callback *cb);
/** swb_record_dump() - as much as fits; Return: bytes, 0 at the end, or an error */
int swb_record_dump(struct sk_buff *skb, struct netlink_callback *cb);
int swb_record_done(struct netlink_callback *cb);

#endif /* SWB_NETLINK_RECORD_H */
