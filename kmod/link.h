/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A connected stream socket that userspace handed in: bytes in, bytes out. Knows
 * bytes, never an LSN. Makes no connection, resolves no name.
 */
#ifndef SWB_LINK_H
#define SWB_LINK_H

#include <linux/net.h>
#include <linux/bvec.h>
#include "compat.h"

/**
 * struct swb_sock - the socket, prepared
 * @sock: referenced through its file
 * @deadline_jiffies: send timeout
 */
struct swb_sock {
	struct socket *sock;
	long deadline_jiffies;
};

/**
 * swb_sock_adopt() - check and prepare the socket behind @fd of the calling task
 * SOCK_STREAM, connected, inet/inet6/unix, not a listener. Overwrites timeouts,
 * lowat, allocation flags (memalloc), NODELAY, user timeout, keepalive.
 * Return: 0, -EBADF, -ENOTSOCK, -ENOTCONN, -EPROTOTYPE, -EAFNOSUPPORT; @why is a
 * text for the extended ack
 */
int swb_sock_adopt(struct swb_sock *s, int fd, u32 deadline_ms, const char **why);

/** swb_sock_shutdown() - wakes whoever sends or receives; any process context */
void swb_sock_shutdown(struct swb_sock *s);
/** swb_sock_release() - after the threads have ended */
void swb_sock_release(struct swb_sock *s);

/**
 * swb_sock_recv() - exactly @len bytes into @bv (or @buf if bv is NULL)
 * Returns -EAGAIN about each second while nothing came at all (first byte), so
 * that the caller can look at its stop flag; a peer that stops in the middle is
 * -ETIMEDOUT after the deadline.
 */
int swb_sock_recv(struct swb_sock *s, void *buf, struct bio_vec *bv, u32 nbv,
		  u32 len, bool (*stop)(void *), void *arg);

/**
 * swb_sock_send() - @kv then @bv, all of it or an error
 * @more: more follows at once (MSG_MORE)
 */
int swb_sock_send(struct swb_sock *s, struct kvec *kv, u32 nkv,
		  struct bio_vec *bv, u32 nbv, bool more);

#endif /* SWB_LINK_H */
