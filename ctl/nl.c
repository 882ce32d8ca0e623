// SPDX-License-Identifier: GPL-2.0-only
/*
 * Generic netlink: requests with extended acks, dumps, events. Translates and
 * decides nothing. libnl builds the messages; they are received by hand, because
 * its callbacks lose the errno and the extended ack.
 *
 * Two sockets: orders and their answers must not queue behind events.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/netlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include "nl.h"
#include "nl_attr.h"

#define BUF_BYTES	65536
#define REQUEST_BYTES	8192
#define DUMP_TRIES	8
/* no handler of the module sleeps: an answer that takes this long is a fault */
#define ANSWER_S	20

struct kern {
	struct nl_sock *ctl;
	struct nl_sock *events;
	int family;
	char error[256];
	char error_attr[48];
	uint64_t seen;			/* newest event known to be included */
	bool has_pending;
	struct kern_event pending;	/* read, but after a gap */
	char *buf;
};

typedef int (*reply_fn)(struct nlattr *head, int len, void *arg);

static void set_option(struct nl_sock *sk, int option)
{
	int on = 1;

	/* best effort: without them we know less, and nothing breaks */
	setsockopt(nl_socket_get_fd(sk), SOL_NETLINK, option, &on, sizeof(on));
}

static struct nl_sock *open_socket(int *err)
{
	struct timeval answer = { .tv_sec = ANSWER_S };
	struct nl_sock *sk = nl_socket_alloc();

	if (!sk) {
		*err = -ENOMEM;
		return NULL;
	}
	/* our own exchanges move the sequence on behind libnl's back */
	nl_socket_disable_seq_check(sk);
	if (genl_connect(sk)) {
		*err = errno ? -errno : -EPROTONOSUPPORT;
		nl_socket_free(sk);
		return NULL;
	}
	set_option(sk, NETLINK_EXT_ACK);
	set_option(sk, NETLINK_CAP_ACK);
	set_option(sk, NETLINK_GET_STRICT_CHK);
	setsockopt(nl_socket_get_fd(sk), SOL_SOCKET, SO_RCVTIMEO, &answer,
		   sizeof(answer));
	return sk;
}

int kern_open(struct kern **out)
{
	struct kern *kern = calloc(1, sizeof(*kern));
	int err = -ENOMEM;

	if (!kern)
		return err;
	kern->buf = malloc(BUF_BYTES);
	if (!kern->buf)
		goto fail;
	kern->ctl = open_socket(&err);
	if (!kern->ctl)
		goto fail;
	kern->family = genl_ctrl_resolve(kern->ctl, SWBLOCK_FAMILY_NAME);
	if (kern->family < 0) {
		err = -ENOENT;
		goto fail;
	}
	*out = kern;
	return 0;
fail:
	kern_close(kern);
	return err;
}

void kern_close(struct kern *kern)
{
	if (!kern)
		return;
	if (kern->ctl)
		nl_socket_free(kern->ctl);
	if (kern->events)
		nl_socket_free(kern->events);
	free(kern->buf);
	free(kern);
}

const char *kern_error(const struct kern *kern)
{
	return kern->error;
}

const char *kern_error_attr(const struct kern *kern)
{
	return kern->error_attr[0] ? kern->error_attr : NULL;
}

static void take_ext_ack(struct kern *kern, const struct nlmsghdr *answer,
			 const struct nlmsghdr *req, size_t skip)
{
	struct nlattr *a, *head;
	const char *name;
	unsigned int v;
	int rem, len = (int)(answer->nlmsg_len - NLMSG_HDRLEN - skip);

	if (!(answer->nlmsg_flags & NLM_F_ACK_TLVS) || len <= 0)
		return;
	head = (struct nlattr *)((char *)NLMSG_DATA(answer) + skip);
	nla_for_each_attr(a, head, len, rem) {
		name = NULL;
		if (nla_type(a) == NLMSGERR_ATTR_MSG && nla_len(a) > 0) {
			snprintf(kern->error, sizeof(kern->error), "%.*s",
				 nla_len(a), (char *)nla_data(a));
			continue;
		}
		if (nla_len(a) != sizeof(v))
			continue;
		memcpy(&v, nla_data(a), sizeof(v));
		if (nla_type(a) == NLMSGERR_ATTR_OFFS)
			name = nl_attr_name_at(req, v);
		else if (nla_type(a) == NLMSGERR_ATTR_MISS_TYPE)
			name = nl_attr_name(v);
		if (name)
			snprintf(kern->error_attr, sizeof(kern->error_attr),
				 "%s", name);
	}
}

static int end_of_answer(struct kern *kern, const struct nlmsghdr *answer,
			 const struct nlmsghdr *req)
{
	size_t skip = sizeof(int);
	int err = 0;

	if (answer->nlmsg_len < NLMSG_HDRLEN + sizeof(int))
		return -EBADMSG;
	memcpy(&err, NLMSG_DATA(answer), sizeof(err));
	if (answer->nlmsg_type == NLMSG_ERROR) {
		skip = sizeof(struct nlmsgerr);
		if (answer->nlmsg_len < NLMSG_HDRLEN + skip)
			return -EBADMSG;
		/* without CAP_ACK the whole request is echoed */
		if (!(answer->nlmsg_flags & NLM_F_CAPPED) && err)
			skip += req->nlmsg_len - NLMSG_HDRLEN;
	}
	take_ext_ack(kern, answer, req, skip);
	return err;
}

/* Returns 1 when the answer is complete, 0 for more, negative errno. */
static int one_message(struct kern *kern, const struct nlmsghdr *h,
		       const struct nlmsghdr *req, reply_fn fn, void *arg,
		       bool *interrupted)
{
	int err;

	if (h->nlmsg_seq != req->nlmsg_seq)
		return 0;
	if (h->nlmsg_flags & NLM_F_DUMP_INTR)
		*interrupted = true;
	if (h->nlmsg_type == NLMSG_ERROR || h->nlmsg_type == NLMSG_DONE) {
		err = end_of_answer(kern, h, req);
		return err ? err : 1;
	}
	if (h->nlmsg_type != kern->family || !fn)
		return 0;
	if (h->nlmsg_len < NLMSG_HDRLEN + GENL_HDRLEN)
		return -EBADMSG;
	err = fn((struct nlattr *)((char *)NLMSG_DATA(h) + GENL_HDRLEN),
		 (int)(h->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN), arg);
	return err;
}

static int receive(struct kern *kern, const struct nlmsghdr *req, reply_fn fn,
		   void *arg)
{
	bool interrupted = false;
	struct nlmsghdr *h;
	ssize_t got;
	int left, ret;

	for (;;) {
		got = recv(nl_socket_get_fd(kern->ctl), kern->buf, BUF_BYTES, 0);
		if (got < 0) {
			if (errno == EINTR)
				continue;
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		}
		left = (int)got;
		for (h = (struct nlmsghdr *)kern->buf; nlmsg_ok(h, left);
		     h = nlmsg_next(h, &left)) {
			ret = one_message(kern, h, req, fn, arg, &interrupted);
			if (ret < 0)
				return ret;
			if (ret)
				return interrupted ? -EINTR : 0;
		}
	}
}

static struct nl_msg *request(struct kern *kern, uint8_t cmd, int flags)
{
	struct nl_msg *msg = nlmsg_alloc_size(REQUEST_BYTES);

	kern->error[0] = 0;
	kern->error_attr[0] = 0;
	if (msg && !genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, kern->family, 0,
				flags | NLM_F_REQUEST, cmd,
				SWBLOCK_FAMILY_VERSION)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return msg;
}

/* Consumes @msg. @bad: building it failed. */
static int transact(struct kern *kern, struct nl_msg *msg, int bad, reply_fn fn,
		    void *arg)
{
	int ret;

	if (!msg)
		return -ENOMEM;
	if (bad) {
		ret = -EMSGSIZE;
	} else {
		ret = nl_send_auto(kern->ctl, msg);
		ret = ret < 0 ? (errno ? -errno : -EIO) :
		      receive(kern, nlmsg_hdr(msg), fn, arg);
	}
	nlmsg_free(msg);
	return ret;
}

static int on_info(struct nlattr *head, int len, void *arg)
{
	return nl_attr_info(head, len, arg);
}

int kern_get_info(struct kern *kern, struct kern_info *info)
{
	memset(info, 0, sizeof(*info));
	return transact(kern, request(kern, SWBLOCK_CMD_GET_INFO, NLM_F_ACK), 0,
			on_info, info);
}

static int on_volume(struct nlattr *head, int len, void *arg)
{
	return nl_attr_volume(head, len, arg);
}

int kern_get_volume(struct kern *kern, uint32_t id, struct kern_volume *v)
{
	struct nl_msg *msg = request(kern, SWBLOCK_CMD_VOLUME_GET, NLM_F_ACK);

	return transact(kern, msg, msg && nla_put_u32(msg, SWBLOCK_A_VOLUME_ID, id),
			on_volume, v);
}

static int on_latency(struct nlattr *head, int len, void *arg)
{
	return nl_attr_latency(head, len, arg);
}

int kern_get_latency(struct kern *kern, uint32_t id, const struct swb_uuid *member,
		     struct kern_latency *out)
{
	struct nl_msg *msg = request(kern, SWBLOCK_CMD_LATENCY_GET, NLM_F_ACK);
	int bad;

	bad = msg && (nla_put_u32(msg, SWBLOCK_A_VOLUME_ID, id) ||
		      (member && nla_put(msg, SWBLOCK_A_PEER_UUID,
					 sizeof(member->b), member->b)));
	memset(out, 0, sizeof(*out));
	return transact(kern, msg, bad, on_latency, out);
}

/* Pieces of one record come one after the other; the next one begins with its id. */
static int on_record(struct nlattr *head, int len, void *arg)
{
	struct kern_records *all = arg;
	struct kern_record *r;
	const uint8_t *piece;
	uint32_t id;
	uint8_t *more;
	size_t n;

	if (!nl_attr_record(head, len, &id, &piece, &n))
		return -EBADMSG;
	if (!all->count || all->record[all->count - 1].id != id) {
		r = realloc(all->record, (all->count + 1) * sizeof(*r));
		if (!r)
			return -ENOMEM;
		all->record = r;
		r[all->count++] = (struct kern_record){ .id = id };
	}
	r = &all->record[all->count - 1];
	more = realloc(r->buf, r->len + n);
	if (!more)
		return -ENOMEM;
	memcpy(more + r->len, piece, n);
	r->buf = more;
	r->len += n;
	return 0;
}

void kern_records_free(struct kern_records *records)
{
	unsigned int i;

	for (i = 0; i < records->count; i++)
		free(records->record[i].buf);
	free(records->record);
	memset(records, 0, sizeof(*records));
}

int kern_get_records(struct kern *kern, const uint32_t *id, struct kern_records *out)
{
	struct nl_msg *msg = request(kern, SWBLOCK_CMD_RECORD_GET, NLM_F_DUMP);
	int err;

	memset(out, 0, sizeof(*out));
	err = transact(kern, msg, msg && id &&
		       nla_put_u32(msg, SWBLOCK_A_VOLUME_ID, *id), on_record, out);
	if (err)
		kern_records_free(out);
	return err;
}

static int on_dumped(struct nlattr *head, int len, void *arg)
{
	struct kern_dump *dump = arg;
	struct kern_volume *more;
	int err;

	more = realloc(dump->volume, (dump->count + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	dump->volume = more;
	err = nl_attr_volume(head, len, &more[dump->count]);
	if (err)
		return err;
	dump->count++;
	return 0;
}

void kern_dump_free(struct kern_dump *dump)
{
	free(dump->volume);
	memset(dump, 0, sizeof(*dump));
}

int kern_dump_volumes(struct kern *kern, struct kern_dump *dump)
{
	struct kern_info info;
	int tries, err = -EINTR;

	memset(dump, 0, sizeof(*dump));
	/* The members are looked at one after the other, the last one later than
	 * the first: what all of them include is what was so before the dump.
	 */
	for (tries = 0; tries < DUMP_TRIES && err == -EINTR; tries++) {
		kern_dump_free(dump);
		err = kern_get_info(kern, &info);
		if (err)
			return err;
		dump->seq = info.seq;
		err = transact(kern, request(kern, SWBLOCK_CMD_VOLUME_GET,
					     NLM_F_DUMP), 0, on_dumped, dump);
	}
	if (err)
		kern_dump_free(dump);
	return err;
}

static int on_id(struct nlattr *head, int len, void *arg)
{
	struct nlattr *a = nla_find(head, len, SWBLOCK_A_VOLUME_ID);

	if (a && nla_len(a) == sizeof(uint32_t))
		memcpy(arg, nla_data(a), sizeof(uint32_t));
	return 0;
}

int kern_volume_add(struct kern *kern, const char *data, const char *wal,
		    int minor, uint64_t cookie, uint32_t *id)
{
	struct nl_msg *msg = request(kern, SWBLOCK_CMD_VOLUME_ADD, NLM_F_ACK);
	int bad;

	bad = msg && (nla_put_string(msg, SWBLOCK_A_DATA_PATH, data) ||
		      (wal && nla_put_string(msg, SWBLOCK_A_WAL_PATH, wal)) ||
		      (minor >= 0 && nla_put_u32(msg, SWBLOCK_A_MINOR,
						 (uint32_t)minor)) ||
		      nla_put_u64(msg, SWBLOCK_A_COOKIE, cookie));
	*id = 0;
	return transact(kern, msg, bad, on_id, id);
}

static struct nl_msg *volume_request(struct kern *kern, uint8_t cmd, uint32_t id)
{
	struct nl_msg *msg = request(kern, cmd, NLM_F_ACK);

	if (msg && nla_put_u32(msg, SWBLOCK_A_VOLUME_ID, id)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return msg;
}

/* FLAGS and COOKIE are all that remove and demote carry. */
static int flagged(struct kern *kern, uint8_t cmd, uint32_t id, uint32_t flags,
		   uint64_t cookie)
{
	struct nl_msg *msg = volume_request(kern, cmd, id);
	int bad;

	bad = msg && ((flags && nla_put_u32(msg, SWBLOCK_A_FLAGS, flags)) ||
		      nla_put_u64(msg, SWBLOCK_A_COOKIE, cookie));
	return transact(kern, msg, bad, NULL, NULL);
}

int kern_volume_remove(struct kern *kern, uint32_t id, uint32_t flags,
		       uint64_t cookie)
{
	return flagged(kern, SWBLOCK_CMD_VOLUME_REMOVE, id, flags, cookie);
}

int kern_demote(struct kern *kern, uint32_t id, uint32_t flags, uint64_t cookie)
{
	return flagged(kern, SWBLOCK_CMD_DEMOTE, id, flags, cookie);
}

int kern_suspend(struct kern *kern, uint32_t id, bool suspend)
{
	return transact(kern, volume_request(kern, suspend ? SWBLOCK_CMD_SUSPEND :
					     SWBLOCK_CMD_RESUME, id),
			0, NULL, NULL);
}

int kern_verify(struct kern *kern, uint32_t id, uint32_t flags, uint64_t cookie)
{
	return flagged(kern, SWBLOCK_CMD_VERIFY, id, flags, cookie);
}

int kern_verify_stop(struct kern *kern, uint32_t id)
{
	return transact(kern, volume_request(kern, SWBLOCK_CMD_VERIFY_STOP, id),
			0, NULL, NULL);
}

int kern_resize(struct kern *kern, uint32_t id, uint64_t bytes, uint64_t cookie)
{
	struct nl_msg *msg = volume_request(kern, SWBLOCK_CMD_RESIZE, id);

	return transact(kern, msg,
			msg && (nla_put_u64(msg, SWBLOCK_A_SIZE_BYTES, bytes) ||
				nla_put_u64(msg, SWBLOCK_A_COOKIE, cookie)),
			NULL, NULL);
}

int kern_adopt(struct kern *kern, uint32_t id, uint64_t epoch,
	       const struct swb_uuid *store, uint64_t generation, uint64_t cookie)
{
	struct nl_msg *msg = volume_request(kern, SWBLOCK_CMD_ADOPT, id);
	int bad;

	bad = msg && (nla_put_u64(msg, SWBLOCK_A_EPOCH, epoch) ||
		      nla_put(msg, SWBLOCK_A_STORE_UUID, sizeof(store->b),
			      store->b) ||
		      nla_put_u64(msg, SWBLOCK_A_STORE_GENERATION, generation) ||
		      nla_put_u64(msg, SWBLOCK_A_COOKIE, cookie));
	return transact(kern, msg, bad, NULL, NULL);
}

int kern_assign(struct kern *kern, uint32_t id, uint64_t epoch,
		const struct swb_uuid *primary, const struct swb_config *config)
{
	struct nl_msg *msg = volume_request(kern, SWBLOCK_CMD_ASSIGN, id);
	int bad;

	bad = msg && (nla_put_u64(msg, SWBLOCK_A_EPOCH, epoch) ||
		      nla_put(msg, SWBLOCK_A_PRIMARY_UUID, sizeof(primary->b),
			      primary->b) ||
		      nl_attr_put_config(msg, SWBLOCK_A_CONFIG, config));
	return transact(kern, msg, bad, NULL, NULL);
}

int kern_promote(struct kern *kern, uint32_t id, const struct swb_cert *cert,
		 uint64_t lease_ns, uint64_t cookie)
{
	struct nl_msg *msg = volume_request(kern, SWBLOCK_CMD_PROMOTE, id);
	int bad;

	bad = msg && (nl_attr_put_cert(msg, cert) ||
		      (lease_ns && nla_put_u64(msg, SWBLOCK_A_LEASE_NS,
					       lease_ns)) ||
		      nla_put_u64(msg, SWBLOCK_A_COOKIE, cookie));
	return transact(kern, msg, bad, NULL, NULL);
}

int kern_lease(struct kern *kern, uint32_t id, uint64_t epoch, uint64_t lease_ns)
{
	struct nl_msg *msg = volume_request(kern, SWBLOCK_CMD_LEASE, id);
	int bad;

	bad = msg && (nla_put_u64(msg, SWBLOCK_A_EPOCH, epoch) ||
		      nla_put_u64(msg, SWBLOCK_A_LEASE_NS, lease_ns));
	return transact(kern, msg, bad, NULL, NULL);
}

int kern_link(struct kern *kern, uint32_t id, const struct swb_uuid *peer, int fd,
	      uint64_t move, uint64_t cookie)
{
	struct nl_msg *msg = volume_request(kern, SWBLOCK_CMD_LINK, id);
	int bad;

	bad = msg && (nla_put(msg, SWBLOCK_A_PEER_UUID, sizeof(peer->b), peer->b) ||
		      nla_put_u32(msg, SWBLOCK_A_FD, (uint32_t)fd) ||
		      (move && nla_put_u64(msg, SWBLOCK_A_MOVE, move)) ||
		      nla_put_u64(msg, SWBLOCK_A_COOKIE, cookie));
	return transact(kern, msg, bad, NULL, NULL);
}

int kern_unlink(struct kern *kern, uint32_t id, const struct swb_uuid *peer)
{
	struct nl_msg *msg = volume_request(kern, SWBLOCK_CMD_UNLINK, id);

	return transact(kern, msg, msg && nla_put(msg, SWBLOCK_A_PEER_UUID,
						  sizeof(peer->b), peer->b),
			NULL, NULL);
}

int kern_rebuild(struct kern *kern, uint32_t id, const struct swb_uuid *peer,
		 uint64_t cookie)
{
	struct nl_msg *msg = volume_request(kern, SWBLOCK_CMD_REBUILD, id);
	int bad;

	bad = msg && (nla_put(msg, SWBLOCK_A_PEER_UUID, sizeof(peer->b), peer->b) ||
		      nla_put_u64(msg, SWBLOCK_A_COOKIE, cookie));
	return transact(kern, msg, bad, NULL, NULL);
}

int kern_tune(struct kern *kern, uint32_t id, const struct kern_limits *l)
{
	const struct {
		int attr;
		unsigned int bytes;
		uint64_t v;
	} set[] = {
		{ SWBLOCK_A_IO_DEADLINE_MS, 4, l->io_deadline_ms },
		{ SWBLOCK_A_LINK_DEADLINE_MS, 4, l->link_deadline_ms },
		{ SWBLOCK_A_FLUSH_INTERVAL_MS, 4, l->flush_interval_ms },
		{ SWBLOCK_A_REBUILD_AUTO, 1, l->rebuild_auto },
		{ SWBLOCK_A_REBUILD_RATE, 8, l->rebuild_rate },
		{ SWBLOCK_A_CATCHUP_MAX_BYTES, 8, l->catchup_max_bytes },
		{ SWBLOCK_A_CATCHUP_STALL_MS, 4, l->catchup_stall_ms },
	};
	struct nl_msg *msg = volume_request(kern, SWBLOCK_CMD_TUNE, id);
	int bad = 0;
	size_t i;

	for (i = 0; msg && i < ARRAY_SIZE(set) && !bad; i++) {
		if (set[i].v == KERN_LEAVE)
			continue;
		if (set[i].bytes == 8)
			bad = nla_put_u64(msg, set[i].attr, set[i].v);
		else if (set[i].bytes == 4)
			bad = nla_put_u32(msg, set[i].attr, (uint32_t)set[i].v);
		else
			bad = nla_put_u8(msg, set[i].attr, (uint8_t)set[i].v);
	}
	return transact(kern, msg, bad, NULL, NULL);
}

int kern_events_open(struct kern *kern)
{
	struct kern_info info;
	int group, err = -EIO;

	if (kern->events)
		return 0;
	group = genl_ctrl_resolve_grp(kern->ctl, SWBLOCK_FAMILY_NAME,
				      SWBLOCK_MCGRP_EVENTS);
	if (group < 0)
		return -ENOENT;
	kern->events = open_socket(&err);
	if (!kern->events)
		return err;
	nl_socket_set_buffer_size(kern->events, 1 << 20, 0);
	if (nl_socket_add_membership(kern->events, group)) {
		err = errno ? -errno : -EPERM;
		goto fail;
	}
	/* joined first: what happens from here on is either in the sequence
	 * number, or comes as an event
	 */
	err = kern_get_info(kern, &info);
	if (err)
		goto fail;
	kern->seen = info.seq;
	return 0;
fail:
	nl_socket_free(kern->events);
	kern->events = NULL;
	return err;
}

int kern_events_fd(const struct kern *kern)
{
	return nl_socket_get_fd(kern->events);
}

void kern_events_seen(struct kern *kern, uint64_t seq)
{
	if (seq > kern->seen)
		kern->seen = seq;
}

static int wait_readable(int fd, uint64_t deadline_ns)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t now;
	bool over = false;
	int ms, ret;

	for (;;) {
		ms = -1;
		if (deadline_ns) {
			now = boottime_ns();
			over = now >= deadline_ns;
			/* wake up at times: poll() does not count suspended time */
			ms = over ? 0 :
			     (int)min_t(uint64_t, (deadline_ns - now) / 1000000 + 1,
					1000);
		}
		ret = poll(&p, 1, ms);
		if (ret > 0)
			return 0;
		if (ret < 0)
			return -errno;
		/* what is there already is had even when the time is over */
		if (over)
			return -ETIMEDOUT;
	}
}

static int parse_event(struct kern *kern, ssize_t got, struct kern_event *ev)
{
	struct nlmsghdr *h = (struct nlmsghdr *)kern->buf;
	struct genlmsghdr *g;

	if (!nlmsg_ok(h, (int)got) || h->nlmsg_type != kern->family ||
	    h->nlmsg_len < NLMSG_HDRLEN + GENL_HDRLEN)
		return -EAGAIN;
	g = NLMSG_DATA(h);
	if (g->cmd != SWBLOCK_CMD_EVENT)
		return -EAGAIN;
	return nl_attr_event((struct nlattr *)((char *)g + GENL_HDRLEN),
			     (int)(h->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN), ev);
}

int kern_event_next(struct kern *kern, uint64_t deadline_ns, struct kern_event *ev)
{
	int fd = nl_socket_get_fd(kern->events), err;
	ssize_t got;

	if (kern->has_pending) {
		kern->has_pending = false;
		if (kern->pending.seq > kern->seen) {
			*ev = kern->pending;
			kern->seen = ev->seq;
			return 0;
		}
	}
	for (;;) {
		err = wait_readable(fd, deadline_ns);
		if (err)
			return err;
		got = recv(fd, kern->buf, BUF_BYTES, MSG_DONTWAIT);
		if (got < 0) {
			if (errno == ENOBUFS)
				return KERN_LOST;
			if (errno == EAGAIN || errno == EINTR)
				continue;
			return -errno;
		}
		err = parse_event(kern, got, ev);
		if (err == -EAGAIN || (!err && ev->seq <= kern->seen))
			continue;
		if (err)
			return err;
		if (ev->seq != kern->seen + 1) {
			kern->pending = *ev;
			kern->has_pending = true;
			return KERN_LOST;
		}
		kern->seen = ev->seq;
		return 0;
	}
}
