/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Raw generic netlink for tests, on libmnl: build any message, right or wrong,
 * send it, and learn errno and the extended-ack text. No policy: what is sent is
 * what the test says.
 */
#ifndef SWB_TEST_NLX_H
#define SWB_TEST_NLX_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/swblock.h>

#define NLX_BUF (256 * 1024)
#define NLX_WAIT_MS 20000

struct nlx {
	struct mnl_socket *sock; /* orders and their answers */
	struct mnl_socket *events; /* of its own: an event may overtake an answer */
	uint16_t family;
	uint32_t group;
	uint32_t seq;
	char text[512]; /* extended ack of the last answer */
	uint32_t attr_offset; /* and the attribute it objects to, 0: none */
	char *out; /* message under construction */
	char *in;
	struct nlmsghdr *nlh;
};

struct nlx_event {
	uint64_t seq, cookie, epoch, time_ns;
	uint32_t kind, id, error;
	uint8_t letter, role;
	bool has_report;
	uint64_t durable, committed, last_epoch, adopted;
	char text[256];
};

static inline uint64_t nlx_boottime(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static inline struct nlmsghdr *nlx_begin_raw(struct nlx *x, uint16_t type,
					     uint8_t cmd, uint16_t flags)
{
	struct genlmsghdr *g;

	x->nlh = mnl_nlmsg_put_header(x->out);
	x->nlh->nlmsg_type = type;
	x->nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	x->nlh->nlmsg_seq = ++x->seq;
	g = mnl_nlmsg_put_extra_header(x->nlh, sizeof(*g));
	g->cmd = cmd;
	g->version = SWBLOCK_FAMILY_VERSION;
	return x->nlh;
}

static inline struct nlmsghdr *nlx_begin(struct nlx *x, uint8_t cmd)
{
	return nlx_begin_raw(x, x->family, cmd, NLM_F_ACK);
}

static inline int nlx_take_error(struct nlx *x, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
	size_t skip = sizeof(*e);
	const struct nlattr *a;

	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS) {
		if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
			skip += e->msg.nlmsg_len - sizeof(e->msg);
		for (a = (const void *)((const char *)e + MNL_ALIGN(skip));
		     mnl_attr_ok(a,
				 (int)((const char *)mnl_nlmsg_get_payload_tail(
					       nlh) -
				       (const char *)a));
		     a = mnl_attr_next(a)) {
			if (mnl_attr_get_type(a) == NLMSGERR_ATTR_MSG)
				snprintf(x->text, sizeof(x->text), "%s",
					 mnl_attr_get_str(a));
			if (mnl_attr_get_type(a) == NLMSGERR_ATTR_OFFS)
				x->attr_offset = mnl_attr_get_u32(a);
		}
	}
	return e->error;
}

/*
 * Send what was built and read until its answer ends. Every other message of the
 * answer goes to @cb. Return: 0 or a negative errno of the kernel.
 */
static inline int
nlx_send(struct nlx *x, void (*cb)(const struct nlmsghdr *, void *), void *arg)
{
	uint32_t seq = x->nlh->nlmsg_seq;
	struct nlmsghdr *nlh;
	ssize_t n;
	int len;

	x->text[0] = 0;
	x->attr_offset = 0;
	if (mnl_socket_sendto(x->sock, x->nlh, x->nlh->nlmsg_len) < 0)
		return -errno;
	for (;;) {
		n = mnl_socket_recvfrom(x->sock, x->in, NLX_BUF);
		if (n < 0)
			return -errno;
		len = (int)n;
		for (nlh = (void *)x->in; mnl_nlmsg_ok(nlh, len);
		     nlh = mnl_nlmsg_next(nlh, &len)) {
			if (nlh->nlmsg_seq != seq)
				continue;
			if (nlh->nlmsg_type == NLMSG_ERROR)
				return nlx_take_error(x, nlh);
			if (nlh->nlmsg_type == NLMSG_DONE)
				return *(int *)mnl_nlmsg_get_payload(nlh);
			if (cb)
				cb(nlh, arg);
		}
	}
}

static inline void nlx_family_cb(const struct nlmsghdr *nlh, void *arg)
{
	struct nlx *x = arg;
	const struct nlattr *a, *g, *f;

	mnl_attr_for_each(a, nlh, sizeof(struct genlmsghdr))
	{
		if (mnl_attr_get_type(a) == CTRL_ATTR_FAMILY_ID)
			x->family = mnl_attr_get_u16(a);
		if (mnl_attr_get_type(a) != CTRL_ATTR_MCAST_GROUPS)
			continue;
		mnl_attr_for_each_nested(g, a) {
			uint32_t id = 0;
			bool ours = false;

			mnl_attr_for_each_nested(f, g) {
				if (mnl_attr_get_type(f) ==
				    CTRL_ATTR_MCAST_GRP_ID)
					id = mnl_attr_get_u32(f);
				if (mnl_attr_get_type(f) ==
				    CTRL_ATTR_MCAST_GRP_NAME)
					ours = !strcmp(mnl_attr_get_str(f),
						       SWBLOCK_MCGRP_EVENTS);
			}
			if (ours)
				x->group = id;
		}
	}
}

static inline int nlx_open(struct nlx *x)
{
	struct timeval tv = { .tv_sec = NLX_WAIT_MS / 1000 };
	int one = 1;

	memset(x, 0, sizeof(*x));
	x->out = calloc(1, NLX_BUF);
	x->in = calloc(1, NLX_BUF);
	x->sock = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!x->out || !x->in || !x->sock ||
	    mnl_socket_bind(x->sock, 0, MNL_SOCKET_AUTOPID) < 0)
		return -EIO;
	mnl_socket_setsockopt(x->sock, NETLINK_EXT_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(x->sock, NETLINK_CAP_ACK, &one, sizeof(one));
	setsockopt(mnl_socket_get_fd(x->sock), SOL_SOCKET, SO_RCVTIMEO, &tv,
		   sizeof(tv));
	nlx_begin_raw(x, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, NLM_F_ACK);
	((struct genlmsghdr *)mnl_nlmsg_get_payload(x->nlh))->version = 1;
	mnl_attr_put_strz(x->nlh, CTRL_ATTR_FAMILY_NAME, SWBLOCK_FAMILY_NAME);
	return nlx_send(x, nlx_family_cb, x);
}

static inline void nlx_close(struct nlx *x)
{
	if (x->sock)
		mnl_socket_close(x->sock);
	if (x->events)
		mnl_socket_close(x->events);
	free(x->out);
	free(x->in);
	memset(x, 0, sizeof(*x));
}

static inline int nlx_subscribe(struct nlx *x)
{
	struct timeval tv = { .tv_sec = NLX_WAIT_MS / 1000 };

	if (x->events)
		return 0;
	x->events = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!x->events ||
	    mnl_socket_bind(x->events, 0, MNL_SOCKET_AUTOPID) < 0)
		return -EIO;
	setsockopt(mnl_socket_get_fd(x->events), SOL_SOCKET, SO_RCVTIMEO, &tv,
		   sizeof(tv));
	return mnl_socket_setsockopt(x->events, NETLINK_ADD_MEMBERSHIP,
				     &x->group, sizeof(x->group));
}

static inline uint64_t nlx_u64(const struct nlattr *a)
{
	return mnl_attr_get_payload_len(a) == 8 ? mnl_attr_get_u64(a) : 0;
}

static inline void nlx_event_take(const struct nlmsghdr *nlh,
				  struct nlx_event *ev)
{
	const struct nlattr *a, *r;

	memset(ev, 0, sizeof(*ev));
	mnl_attr_for_each(a, nlh, sizeof(struct genlmsghdr))
	{
		switch (mnl_attr_get_type(a)) {
		case SWBLOCK_A_SEQ:
			ev->seq = nlx_u64(a);
			break;
		case SWBLOCK_A_COOKIE:
			ev->cookie = nlx_u64(a);
			break;
		case SWBLOCK_A_EPOCH:
			ev->epoch = nlx_u64(a);
			break;
		case SWBLOCK_A_TIME_NS:
			ev->time_ns = nlx_u64(a);
			break;
		case SWBLOCK_A_EVENT_KIND:
			ev->kind = mnl_attr_get_u32(a);
			break;
		case SWBLOCK_A_VOLUME_ID:
			ev->id = mnl_attr_get_u32(a);
			break;
		case SWBLOCK_A_ERRNO:
			ev->error = mnl_attr_get_u32(a);
			break;
		case SWBLOCK_A_CASE:
			ev->letter = mnl_attr_get_u8(a);
			break;
		case SWBLOCK_A_ROLE:
			ev->role = mnl_attr_get_u8(a);
			break;
		case SWBLOCK_A_TEXT:
			snprintf(ev->text, sizeof(ev->text), "%s",
				 mnl_attr_get_str(a));
			break;
		case SWBLOCK_A_REPORT:
			ev->has_report = true;
			mnl_attr_for_each_nested(r, a) {
				switch (mnl_attr_get_type(r)) {
				case SWBLOCK_REPORT_A_DURABLE:
					ev->durable = nlx_u64(r);
					break;
				case SWBLOCK_REPORT_A_COMMITTED:
					ev->committed = nlx_u64(r);
					break;
				case SWBLOCK_REPORT_A_LAST_EPOCH:
					ev->last_epoch = nlx_u64(r);
					break;
				case SWBLOCK_REPORT_A_ADOPTED:
					ev->adopted = nlx_u64(r);
					break;
				}
			}
			break;
		}
	}
}

/* Next event, whoever caused it. 0, or a negative errno (-EAGAIN: none in time). */
static inline int nlx_event_next(struct nlx *x, struct nlx_event *ev)
{
	struct nlmsghdr *nlh;
	int len;
	ssize_t n;

	for (;;) {
		n = mnl_socket_recvfrom(x->events, x->in, NLX_BUF);
		if (n < 0)
			return -errno;
		len = (int)n;
		nlh = (void *)x->in;
		if (!mnl_nlmsg_ok(nlh, len) || nlh->nlmsg_type != x->family ||
		    ((struct genlmsghdr *)mnl_nlmsg_get_payload(nlh))->cmd !=
			    SWBLOCK_CMD_EVENT)
			continue;
		nlx_event_take(nlh, ev);
		return 0;
	}
}

static inline int nlx_event_of(struct nlx *x, uint64_t cookie,
			       struct nlx_event *ev)
{
	int err;

	do
		err = nlx_event_next(x, ev);
	while (!err && ev->cookie != cookie);
	return err;
}

/* What a test wants to know of one volume. */
struct nlx_volume {
	uint32_t id;
	uint8_t volume[16], replica[16], store[16];
	uint64_t store_generation, epoch, opened, durable, committed, seq;
	uint8_t role;
	unsigned int count; /* of volumes seen */
};

static inline void nlx_volume_cb(const struct nlmsghdr *nlh, void *arg)
{
	struct nlx_volume *v = arg;
	const struct nlattr *a;

	v->count++;
	mnl_attr_for_each(a, nlh, sizeof(struct genlmsghdr))
	{
		const void *p = mnl_attr_get_payload(a);

		switch (mnl_attr_get_type(a)) {
		case SWBLOCK_A_VOLUME_ID:
			v->id = mnl_attr_get_u32(a);
			break;
		case SWBLOCK_A_VOLUME_UUID:
			memcpy(v->volume, p, 16);
			break;
		case SWBLOCK_A_REPLICA_UUID:
			memcpy(v->replica, p, 16);
			break;
		case SWBLOCK_A_STORE_UUID:
			memcpy(v->store, p, 16);
			break;
		case SWBLOCK_A_STORE_GENERATION:
			v->store_generation = nlx_u64(a);
			break;
		case SWBLOCK_A_EPOCH:
			v->epoch = nlx_u64(a);
			break;
		case SWBLOCK_A_OPENED:
			v->opened = nlx_u64(a);
			break;
		case SWBLOCK_A_DURABLE_LSN:
			v->durable = nlx_u64(a);
			break;
		case SWBLOCK_A_COMMITTED_LSN:
			v->committed = nlx_u64(a);
			break;
		case SWBLOCK_A_ROLE:
			v->role = mnl_attr_get_u8(a);
			break;
		case SWBLOCK_A_SEQ:
			v->seq = nlx_u64(a);
			break;
		}
	}
}

static inline int nlx_get(struct nlx *x, uint32_t id, struct nlx_volume *v)
{
	memset(v, 0, sizeof(*v));
	nlx_begin(x, SWBLOCK_CMD_VOLUME_GET);
	mnl_attr_put_u32(x->nlh, SWBLOCK_A_VOLUME_ID, id);
	return nlx_send(x, nlx_volume_cb, v);
}

static inline int nlx_dump(struct nlx *x, struct nlx_volume *last)
{
	memset(last, 0, sizeof(*last));
	nlx_begin_raw(x, x->family, SWBLOCK_CMD_VOLUME_GET, NLM_F_DUMP);
	return nlx_send(x, nlx_volume_cb, last);
}

static inline int nlx_info(struct nlx *x)
{
	nlx_begin(x, SWBLOCK_CMD_GET_INFO);
	return nlx_send(x, NULL, NULL);
}

/* The first attached volume: the one that the shell part of the test made. */
static inline int nlx_first(struct nlx *x, struct nlx_volume *v)
{
	const char *id = getenv("SWB_VOLUME_ID");

	if (!id)
		return -EINVAL;
	return nlx_get(x, (uint32_t)strtoul(id, NULL, 0), v);
}

/* A configuration of @n members; bits of @required by index. */
static inline void nlx_config(struct nlx *x, uint16_t type, uint8_t mode,
			      uint32_t required, uint8_t member[][16], int n)
{
	struct nlattr *nest = mnl_attr_nest_start(x->nlh, type);

	mnl_attr_put_u8(x->nlh, SWBLOCK_CONFIG_A_MODE, mode);
	mnl_attr_put_u8(x->nlh, SWBLOCK_CONFIG_A_POLICY, SWBLOCK_POLICY_LOCAL);
	mnl_attr_put_u32(x->nlh, SWBLOCK_CONFIG_A_REQUIRED, required);
	for (int i = 0; i < n; i++)
		mnl_attr_put(x->nlh, SWBLOCK_CONFIG_A_MEMBER, 16, member[i]);
	mnl_attr_nest_end(x->nlh, nest);
}

/* ADOPT and wait for the report (or the late refusal). */
static inline int nlx_adopt(struct nlx *x, uint32_t id, uint64_t epoch,
			    const uint8_t *store, uint64_t generation,
			    struct nlx_event *ev)
{
	static uint64_t cookie = 0xad0970000ULL;
	int err;

	nlx_begin(x, SWBLOCK_CMD_ADOPT);
	mnl_attr_put_u32(x->nlh, SWBLOCK_A_VOLUME_ID, id);
	mnl_attr_put_u64(x->nlh, SWBLOCK_A_EPOCH, epoch);
	mnl_attr_put(x->nlh, SWBLOCK_A_STORE_UUID, 16, store);
	mnl_attr_put_u64(x->nlh, SWBLOCK_A_STORE_GENERATION, generation);
	mnl_attr_put_u64(x->nlh, SWBLOCK_A_COOKIE, ++cookie);
	memset(ev, 0, sizeof(*ev));
	err = nlx_send(x, NULL, NULL);
	return err ? err : nlx_event_of(x, cookie, ev);
}

#endif /* SWB_TEST_NLX_H */
