/* SPDX-License-Identifier: GPL-2.0-only */
/* Generic netlink: attributes <-> structs, one manage call each. Translates only. */
#ifndef SWB_NETLINK_H
#define SWB_NETLINK_H

int swb_netlink_init(void);
void swb_netlink_exit(void);

#endif /* SWB_NETLINK_H */
