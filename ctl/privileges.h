/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What swblockd may do: CAP_NET_ADMIN (orders to the module, taking over TLS by
 * the kernel) and nothing else. Devices, key file and store are opened as their
 * owner, root; formatting needs no more than that. What it starts inherits it.
 */
#ifndef SWB_CTL_PRIVILEGES_H
#define SWB_CTL_PRIVILEGES_H

#include "ctl.h"

/** privileges_drop() - for this process and all it starts; false: see @why */
bool privileges_drop(char *why, size_t len);

/**
 * instance_lock() - the only swblockd of this node on this host
 * @dir: runtime directory, made if missing
 * @node: name of the node
 * @why: words of a failure
 * @len: room in @why
 *
 * Return: descriptor that holds the lock until it is closed, or -1.
 */
int instance_lock(const char *dir, const char *node, char *why, size_t len);

#endif /* SWB_CTL_PRIVILEGES_H */
