/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A connected stream socket that userspace handed in: bytes in, bytes out. Knows
 * bytes, never an LSN. Makes no connection, resolves no name.
 */
#ifndef SWB_LINK_H
#define SWB_LINK_H

#include <linux/bvec.h>
#include <linux/list.h>
#include <linux/net.h>
#include <linux/uio.h>
#include "compat.h"

/**
 * struct swb_sock - the socket, prepared
 * @node: among all sockets in use here
 * @sock: referenced through its file
 * @deadline_jiffies: longest wait for one more byte, in either direction
 * @is_tcp: TCP with or without kTLS; else AF_UNIX
 */
struct swb_sock {
	struct list_head node;
	struct socket *sock;
	long deadline_jiffies;
	bool is_tcp;
};

/**
 * swb_sock_adopt() - check and prepare the socket behind @fd of the calling task
 * @s: to be filled
 * @fd: descriptor; the caller closes its own copy
 * @deadline_ms: longest wait for one more byte
 * @why: text for the extended ack, on refusal
 *
 * SOCK_STREAM, connected, TCP or unix, not a listener, not in use by another
 * link. Overwrites timeouts, lowat, linger, allocation flags (memalloc), NODELAY,
 * user timeout, keepalive.
 *
 * Context: process, the task that owns @fd; may sleep.
 * Return: 0, -EBADF, -ENOTSOCK, -EPROTOTYPE (no stream), -EAFNOSUPPORT (neither
 * TCP nor unix), -ENOTCONN, -EBUSY (serves another link)
 */
int swb_sock_adopt(struct swb_sock *s, int fd, u32 deadline_ms, const char **why);

/**
 * swb_sock_set_deadline() - another longest wait for one more byte
 * @s: adopted socket
 * @deadline_ms: from the next byte on; at least 100
 *
 * Context: process, may sleep for the socket's lock.
 */
void swb_sock_set_deadline(struct swb_sock *s, u32 deadline_ms);

/**
 * swb_sock_shutdown() - wakes whoever sends or receives
 * @s: adopted socket
 *
 * Context: process, may sleep for the socket's lock.
 */
void swb_sock_shutdown(struct swb_sock *s);

/** swb_sock_end_stream() - nothing will be sent any more; receiving goes on */
void swb_sock_end_stream(struct swb_sock *s);

/** swb_sock_release() - after the threads have ended; drops the reference */
void swb_sock_release(struct swb_sock *s);

/**
 * swb_sock_recv() - exactly @len bytes into @bv, or into @buf if @bv is NULL
 * @s: adopted socket
 * @buf: kernel memory of @len bytes, or NULL
 * @bv: pages of @len bytes in sum, or NULL
 * @nbv: entries of @bv
 * @len: bytes wanted
 * @begun: the bytes before were the beginning of the same message
 * @stop: asked about each second; true ends the wait
 * @arg: for @stop
 *
 * Context: process, one receiver at a time.
 * Return: 0; -EAGAIN about each second while nothing came at all, unless @begun,
 * so that the caller can look round; -ETIMEDOUT if the peer stopped in the
 * middle for the deadline; -EPIPE at the end of the stream; -ESHUTDOWN by @stop;
 * -EBADMSG for a record of TLS that carries no data; or the socket's error.
 */
int swb_sock_recv(struct swb_sock *s, void *buf, struct bio_vec *bv, u32 nbv,
		  u32 len, bool begun, bool (*stop)(void *), void *arg);

/**
 * swb_sock_send() - @kv, then @bv: all of it or an error
 * @s: adopted socket
 * @kv: kernel memory; the array is left as it was
 * @nkv: entries of @kv, at most SWB_SOCK_KVECS
 * @bv: lowmem pages, or NULL
 * @nbv: entries of @bv
 *
 * The bytes are copied (or encrypted) before it returns: the caller may do with
 * its memory what it likes.
 *
 * Context: process, one sender at a time; waits up to the deadline for room.
 * Return: 0, -ETIMEDOUT, -EPIPE, or the socket's error.
 */
int swb_sock_send(struct swb_sock *s, const struct kvec *kv, u32 nkv,
		  struct bio_vec *bv, u32 nbv);

#define SWB_SOCK_KVECS	8

#endif /* SWB_LINK_H */
