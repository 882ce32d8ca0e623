// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bytes to and from a connected stream socket that userspace handed in.
 *
 * Does: check the socket, take away every setting that userspace may have left
 * on it, send and receive with bounded waits, mark its memory as needed for
 * write-back. Does not: connect, listen, look at what the bytes mean, or start
 * threads (peer.c).
 * Lock: sockets_lock for the list of sockets in use; one sender, one receiver.
 * Context: process; every wait ends by data, deadline or swb_sock_shutdown().
 */
#include <linux/file.h>
#include <linux/in.h>
#include <linux/jiffies.h>
#include <linux/mutex.h>
#include <linux/sched/mm.h>
#include <linux/tcp.h>
#include <net/sock.h>
#include <uapi/linux/tls.h>
#include "link.h"

/* A payload up to this size goes out with its header in one call. */
#define SMALL_SEND_BYTES	(16 * 1024)

#define RECORD_APPLICATION_DATA	23	/* RFC 8446, content type */

static DEFINE_MUTEX(sockets_lock);
static LIST_HEAD(sockets);

/* ---- taking over ------------------------------------------------------- */

static int check_socket(struct socket *sock, const char **why)
{
	struct sock *sk = sock->sk;

	if (sock->type != SOCK_STREAM) {
		*why = "the socket is no stream: hand in a TCP or unix stream socket";
		return -EPROTOTYPE;
	}
	if (sk->sk_family != AF_UNIX && !sk_is_tcp(sk)) {
		*why = "neither TCP nor unix: hand in a TCP or unix stream socket";
		return -EAFNOSUPPORT;
	}
	if (sock->state != SS_CONNECTED || sock->ops->shutdown == sock_no_shutdown) {
		*why = "the socket is not connected: connect it, say hello, then link";
		return -ENOTCONN;
	}
	return 0;
}

/* Two links on one socket would tear each other's stream to pieces. */
static int register_socket(struct swb_sock *s, const char **why)
{
	struct swb_sock *other;
	int err = 0;

	mutex_lock(&sockets_lock);
	list_for_each_entry(other, &sockets, node)
		if (other->sock == s->sock)
			err = -EBUSY;
	if (!err)
		list_add(&s->node, &sockets);
	mutex_unlock(&sockets_lock);
	if (err)
		*why = "the socket serves another link already: connect a new one";
	return err;
}

static long deadline_of(u32 deadline_ms)
{
	return msecs_to_jiffies(max_t(u32, deadline_ms, 100));
}

static void tcp_deadline(struct sock *sk, u32 deadline_ms)
{
	int seconds = max_t(int, deadline_ms / 1000, 1);

	tcp_sock_set_user_timeout(sk, deadline_ms);
	sock_set_keepalive(sk);
	tcp_sock_set_keepidle(sk, seconds);
	tcp_sock_set_keepintvl(sk, max(seconds / 3, 1));
	tcp_sock_set_keepcnt(sk, 3);
}

static void prepare_tcp(struct sock *sk, u32 deadline_ms)
{
	tcp_sock_set_nodelay(sk);
	tcp_deadline(sk, deadline_ms);
}

/*
 * What the daemon may have set must not govern us: timeouts make a blocking
 * call return, lowat holds bytes back, a user's buffer lock stops autotuning.
 * sk_use_task_frag: we may send in the context of a task that is itself in the
 * middle of using its page fragment.
 */
static void prepare_socket(struct swb_sock *s, u32 deadline_ms)
{
	struct sock *sk = s->sock->sk;

	lock_sock(sk);
	sk->sk_allocation = GFP_NOIO;
	sk->sk_use_task_frag = false;
	sk->sk_rcvtimeo = HZ;
	sk->sk_sndtimeo = s->deadline_jiffies;
	sk->sk_rcvlowat = 1;
	sk->sk_userlocks &= ~(SOCK_SNDBUF_LOCK | SOCK_RCVBUF_LOCK);
	release_sock(sk);
	sock_no_linger(sk);
	sk_set_memalloc(sk);	/* write-back waits for these bytes */
	if (s->is_tcp)
		prepare_tcp(sk, deadline_ms);
}

void swb_sock_set_deadline(struct swb_sock *s, u32 deadline_ms)
{
	long jiffies_max = deadline_of(deadline_ms);
	struct sock *sk = s->sock->sk;

	WRITE_ONCE(s->deadline_jiffies, jiffies_max);
	lock_sock(sk);
	sk->sk_sndtimeo = jiffies_max;	/* of the next call */
	release_sock(sk);
	if (s->is_tcp)
		tcp_deadline(sk, deadline_ms);
}

int swb_sock_adopt(struct swb_sock *s, int fd, u32 deadline_ms, const char **why)
{
	int err;

	s->sock = sockfd_lookup(fd, &err);
	if (!s->sock) {
		*why = err == -ENOTSOCK ? "the descriptor is no socket" :
					  "no such descriptor in the calling process";
		return err;
	}
	err = check_socket(s->sock, why);
	if (err)
		goto err_put;
	err = register_socket(s, why);
	if (err)
		goto err_put;
	s->is_tcp = s->sock->sk->sk_family != AF_UNIX;
	s->deadline_jiffies = deadline_of(deadline_ms);
	prepare_socket(s, deadline_ms);
	return 0;

err_put:
	sockfd_put(s->sock);
	s->sock = NULL;
	return err;
}

void swb_sock_shutdown(struct swb_sock *s)
{
	kernel_sock_shutdown(s->sock, SHUT_RDWR);
}

void swb_sock_end_stream(struct swb_sock *s)
{
	kernel_sock_shutdown(s->sock, SHUT_WR);
}

void swb_sock_release(struct swb_sock *s)
{
	struct sock *sk = s->sock->sk;

	mutex_lock(&sockets_lock);
	list_del(&s->node);
	mutex_unlock(&sockets_lock);
	/* clearing reclaims memory that the receive path accounts as well */
	lock_sock(sk);
	sk_clear_memalloc(sk);
	release_sock(sk);
	sockfd_put(s->sock);
	s->sock = NULL;
}

/* ---- receiving --------------------------------------------------------- */

/*
 * Room for the record type that kTLS tells with each piece. Given to TCP only:
 * a unix peer could send descriptors, which the kernel warns about when the
 * receiver is in the kernel; without a buffer it drops them.
 */
union tls_control {
	char bytes[CMSG_SPACE(sizeof(u8))];
	struct cmsghdr align;
};

static bool carries_data(struct msghdr *msg, union tls_control *ctl)
{
	struct cmsghdr *c = &ctl->align;
	size_t used = sizeof(*ctl) - msg->msg_controllen;

	if (used < CMSG_LEN(sizeof(u8)))
		return true;	/* nothing was told: plain TCP */
	if (c->cmsg_level != SOL_TLS || c->cmsg_type != TLS_GET_RECORD_TYPE)
		return true;
	return *(u8 *)CMSG_DATA(c) == RECORD_APPLICATION_DATA;
}

/* One call: bytes received, 0 at the end of the stream, or an error. */
static int recv_once(struct swb_sock *s, struct msghdr *msg)
{
	union tls_control ctl = {};
	int n;

	if (s->is_tcp) {
		msg->msg_control = ctl.bytes;
		msg->msg_controllen = sizeof(ctl);
		msg->msg_control_is_user = false;
	}
	msg->msg_flags = 0;
	n = sock_recvmsg(s->sock, msg, MSG_WAITALL | MSG_NOSIGNAL);
	/* an alert, a ticket, a key update: no key can be changed here, end it */
	if (n > 0 && s->is_tcp && !carries_data(msg, &ctl))
		n = -EBADMSG;
	msg->msg_control = NULL;
	msg->msg_controllen = 0;
	return n;
}

int swb_sock_recv(struct swb_sock *s, void *buf, struct bio_vec *bv, u32 nbv,
		  u32 len, bool begun, bool (*stop)(void *), void *arg)
{
	unsigned long last = jiffies;
	struct kvec kv = { .iov_base = buf, .iov_len = len };
	struct msghdr msg = {};
	int n;

	if (bv)
		iov_iter_bvec(&msg.msg_iter, SWB_ITER_DEST, bv, nbv, len);
	else
		iov_iter_kvec(&msg.msg_iter, SWB_ITER_DEST, &kv, 1, len);
	while (msg_data_left(&msg)) {
		if (stop && stop(arg))
			return -ESHUTDOWN;
		n = recv_once(s, &msg);
		if (n > 0) {
			begun = true;
			last = jiffies;
			continue;
		}
		if (n == 0)
			return -EPIPE;
		if (n == -EINTR || n == -ERESTARTSYS)
			continue;
		if (n != -EAGAIN)
			return n;
		if (!begun)
			return -EAGAIN;
		if (time_after(jiffies, last + READ_ONCE(s->deadline_jiffies)))
			return -ETIMEDOUT;
	}
	return 0;
}

/* ---- sending ----------------------------------------------------------- */

/* Send what @msg has, in as many calls as it takes. */
static int send_all(struct swb_sock *s, struct msghdr *msg)
{
	unsigned long last = jiffies;
	int flags = msg->msg_flags;
	int n;

	while (msg_data_left(msg)) {
		msg->msg_flags = flags;
		n = sock_sendmsg(s->sock, msg);
		if (n > 0) {
			last = jiffies;
			continue;
		}
		if (n != 0 && n != -EAGAIN && n != -EINTR && n != -ERESTARTSYS)
			return n;
		if (time_after_eq(jiffies, last + READ_ONCE(s->deadline_jiffies)))
			return -ETIMEDOUT;
	}
	return 0;
}

static u32 bvec_bytes(const struct bio_vec *bv, u32 nbv)
{
	u32 i, sum = 0;

	for (i = 0; i < nbv; i++)
		sum += bv[i].bv_len;
	return sum;
}

/* Append small payloads to the kvec array, so that one call takes all. */
static u32 fold_payload(struct kvec *kv, u32 nkv, const struct bio_vec *bv,
			u32 nbv)
{
	u32 i;

	if (!nbv || nkv + nbv > SWB_SOCK_KVECS ||
	    bvec_bytes(bv, nbv) > SMALL_SEND_BYTES)
		return 0;
	for (i = 0; i < nbv; i++) {
		kv[nkv + i].iov_base = page_address(bv[i].bv_page) +
				       bv[i].bv_offset;
		kv[nkv + i].iov_len = bv[i].bv_len;
	}
	return nbv;
}

int swb_sock_send(struct swb_sock *s, const struct kvec *kv, u32 nkv,
		  struct bio_vec *bv, u32 nbv)
{
	struct kvec all[SWB_SOCK_KVECS];
	struct msghdr msg = {};
	unsigned int noreclaim;
	size_t bytes = 0;
	u32 i, folded;
	int err;

	if (WARN_ON_ONCE(nkv > SWB_SOCK_KVECS))
		return -EINVAL;
	memcpy(all, kv, nkv * sizeof(*kv));
	folded = fold_payload(all, nkv, bv, nbv);
	nbv -= folded;
	for (i = 0; i < nkv + folded; i++)
		bytes += all[i].iov_len;

	noreclaim = memalloc_noreclaim_save();
	iov_iter_kvec(&msg.msg_iter, SWB_ITER_SOURCE, all, nkv + folded, bytes);
	msg.msg_flags = MSG_NOSIGNAL | (nbv ? MSG_MORE : 0);
	err = send_all(s, &msg);
	if (!err && nbv) {
		iov_iter_bvec(&msg.msg_iter, SWB_ITER_SOURCE, bv, nbv,
			      bvec_bytes(bv, nbv));
		msg.msg_flags = MSG_NOSIGNAL;
		err = send_all(s, &msg);
	}
	memalloc_noreclaim_restore(noreclaim);
	return err;
}
