// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic netlink family "swblock": attributes to structs, one call into
 * manage.c each, and its refusal back with a text. Nests are read in netlink_parse.c,
 * answers made in netlink_put.c.
 *
 * Must not decide anything, do I/O or take a lock: a handler that sleeps holds up
 * all of generic netlink. Every message is checked strictly: an attribute that the
 * command does not know, that comes twice or that is malformed is refused.
 *
 * Context: process, the task that sent the message.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include "core/text.h"
#include "manage.h"
#include "netlink.h"
#include "netlink_parse.h"
#include "netlink_record.h"
#include "notify.h"
#include "status.h"

#define ANSWER_BYTES	8192
#define LATENCY_BYTES	49152	/* ten histograms with every bucket in use */
#define BIT_OF(name)	BIT_ULL(SWBLOCK_A_##name)

#define FEATURES	0	/* no optional feature yet */
#define PROTO		1	/* of frames between members */

/* What may come in has a bit in a u64; answers may have higher numbers. */
static_assert(SWBLOCK_A_CATCHUP_STALL_MS < 64);

/* ---- what may come in -------------------------------------------------- */

/* Beyond what fits in the 16 bits of struct nla_policy. */
static struct netlink_range_validation minor_range = {
	.max = MINORMASK,
};

static struct netlink_range_validation fd_range = {
	.max = INT_MAX,
};

/* 0 is no way to say "never", as it is elsewhere: no request waits for ever. */
static struct netlink_range_validation io_deadline_range = {
	.min = 100,
	.max = 86400000,
};

static struct netlink_range_validation flush_interval_range = {
	.min = 1,
	.max = 60000,
};

static struct netlink_range_validation catchup_stall_range = {
	.max = 86400000,
};

static struct netlink_range_validation link_deadline_range = {
	.min = 100,
	.max = 600000,
};

/* Attributes of answers and events are not here: they are refused. */
static const struct nla_policy policy[SWBLOCK_A_MAX + 1] = {
	[SWBLOCK_A_COOKIE]		= { .type = NLA_U64 },
	[SWBLOCK_A_VOLUME_ID]		= { .type = NLA_U32 },
	[SWBLOCK_A_MINOR]		= NLA_POLICY_FULL_RANGE(NLA_U32, &minor_range),
	[SWBLOCK_A_DATA_PATH]		= { .type = NLA_NUL_STRING,
					    .len = SWBLOCK_PATH_MAX - 1 },
	[SWBLOCK_A_WAL_PATH]		= { .type = NLA_NUL_STRING,
					    .len = SWBLOCK_PATH_MAX - 1 },
	[SWBLOCK_A_FLAGS]		= NLA_POLICY_MASK(NLA_U32, 0x1),
	[SWBLOCK_A_PEER_UUID]		= SWB_UUID_POLICY,
	[SWBLOCK_A_PRIMARY_UUID]	= SWB_UUID_POLICY,
	[SWBLOCK_A_STORE_UUID]		= SWB_UUID_POLICY,
	[SWBLOCK_A_STORE_GENERATION]	= { .type = NLA_U64 },
	[SWBLOCK_A_SIZE_BYTES]		= NLA_POLICY_MIN(NLA_U64, 1),
	[SWBLOCK_A_EPOCH]		= NLA_POLICY_MIN(NLA_U64, 1),
	[SWBLOCK_A_MOVE]		= NLA_POLICY_MIN(NLA_U64, 1),
	[SWBLOCK_A_CONFIG]		= NLA_POLICY_NESTED(swb_config_policy),
	[SWBLOCK_A_CERT]		= NLA_POLICY_NESTED(swb_cert_policy),
	[SWBLOCK_A_LEASE_NS]		= { .type = NLA_U64 },
	[SWBLOCK_A_FD]			= NLA_POLICY_FULL_RANGE(NLA_U32, &fd_range),
	[SWBLOCK_A_IO_DEADLINE_MS]	=
		NLA_POLICY_FULL_RANGE(NLA_U32, &io_deadline_range),
	[SWBLOCK_A_LINK_DEADLINE_MS]	=
		NLA_POLICY_FULL_RANGE(NLA_U32, &link_deadline_range),
	[SWBLOCK_A_FLUSH_INTERVAL_MS]	=
		NLA_POLICY_FULL_RANGE(NLA_U32, &flush_interval_range),
	[SWBLOCK_A_REBUILD_AUTO]	=
		NLA_POLICY_MAX(NLA_U8, SWBLOCK_REBUILD_FULL),
	[SWBLOCK_A_REBUILD_RATE]	= { .type = NLA_U64 },
	[SWBLOCK_A_CATCHUP_MAX_BYTES]	= { .type = NLA_U64 },
	[SWBLOCK_A_CATCHUP_STALL_MS]	=
		NLA_POLICY_FULL_RANGE(NLA_U32, &catchup_stall_range),
};

/* @need must be there, @may may be, anything else may not. */
static int check(struct genl_info *info, u64 need, u64 may, const char *needs)
{
	const struct nlattr *head = nlmsg_attrdata(info->nlhdr, GENL_HDRLEN);
	u64 bit;
	u32 i;

	for (i = 1; i <= SWBLOCK_A_MAX; i++) {
		bit = i < 64 ? BIT_ULL(i) : 0;
		if ((need & bit) && !info->attrs[i])
			return swb_refuse(info, -EINVAL, needs);
		if (info->attrs[i] && !((need | may) & bit)) {
			NL_SET_BAD_ATTR(info->extack, info->attrs[i]);
			return swb_refuse(info, -EINVAL,
					  "this command does not take this attribute");
		}
	}
	return swb_no_twins(info, head, nlmsg_attrlen(info->nlhdr, GENL_HDRLEN), 0);
}

static struct genl_family swb_genl_family;

#define ATTR(info, name)	((info)->attrs[SWBLOCK_A_##name])

/* ---- questions -------------------------------------------------------- */

/* The volume that is asked about, with a reference; NULL: refused with -ENODEV. */
static struct swb_volume *find_volume(struct genl_info *info)
{
	struct swb_volume *v = swb_manage_get(nla_get_u32(ATTR(info, VOLUME_ID)));

	if (!v)
		swb_refuse(info, -ENODEV,
			   "no volume with this id: see `swblockctl status`");
	return v;
}

/* An answer of at most @bytes, in which @put puts what it has of @arg. */
static int send_answer(struct genl_info *info, u8 cmd, size_t bytes,
		       int (*put)(struct sk_buff *skb, const void *arg),
		       const void *arg)
{
	struct sk_buff *skb = genlmsg_new(bytes, GFP_KERNEL);
	void *hdr;
	int err;

	if (!skb)
		return swb_refuse(info, -ENOMEM, "out of memory: try again");
	hdr = genlmsg_put_reply(skb, info, &swb_genl_family, 0, cmd);
	err = hdr ? put(skb, arg) : -EMSGSIZE;
	if (err) {
		nlmsg_free(skb);
		return swb_refuse(info, err, "the answer does not fit");
	}
	genlmsg_end(skb, hdr);
	return genlmsg_reply(skb, info);
}

static int put_info(struct sk_buff *skb, const void *arg)
{
	return nla_put_u32(skb, SWBLOCK_A_ABI, SWBLOCK_FAMILY_VERSION) ?:
	       nla_put_u32(skb, SWBLOCK_A_PROTO_MIN, PROTO) ?:
	       nla_put_u32(skb, SWBLOCK_A_PROTO_MAX, PROTO) ?:
	       nla_put_u64_64bit(skb, SWBLOCK_A_FEATURES, FEATURES,
				 SWBLOCK_A_PAD) ?:
	       nla_put_u64_64bit(skb, SWBLOCK_A_SEQ, swb_notify_seq(),
				 SWBLOCK_A_PAD) ?:
	       nla_put_string(skb, SWBLOCK_A_TEXT, THIS_MODULE->version) ?:
	       nla_put_u32(skb, SWBLOCK_A_VOLUMES_COUNT, swb_manage_count());
}

static int do_get_info(struct sk_buff *skb, struct genl_info *info)
{
	int err = check(info, 0, 0, NULL);

	return err ?: send_answer(info, SWBLOCK_CMD_GET_INFO, ANSWER_BYTES,
				  put_info, NULL);
}

static int put_volume(struct sk_buff *skb, const void *st)
{
	return swb_status_put_volume(skb, st);
}

static int do_volume_get(struct sk_buff *skb, struct genl_info *info)
{
	struct swb_volume *v;
	struct swb_status *st;
	int err;

	err = check(info, BIT_OF(VOLUME_ID), 0,
		    "VOLUME_GET needs VOLUME_ID, or a dump request");
	if (err)
		return err;
	v = find_volume(info);
	if (!v)
		return -ENODEV;
	st = swb_status_take(v);
	swb_volume_put(v);
	if (!st)
		return swb_refuse(info, -ENOMEM, "out of memory: try again");
	err = send_answer(info, SWBLOCK_CMD_VOLUME_GET, ANSWER_BYTES, put_volume, st);
	kfree(st);
	return err;
}

void *swb_netlink_put(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd)
{
	return genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			   &swb_genl_family, NLM_F_MULTI, cmd);
}

static int dump_one(struct sk_buff *skb, struct netlink_callback *cb,
		    const struct swb_status *st)
{
	void *hdr = swb_netlink_put(skb, cb, SWBLOCK_CMD_VOLUME_GET);
	int err;

	if (!hdr)
		return -EMSGSIZE;
	genl_dump_check_consistent(cb, hdr);
	err = swb_status_put_volume(skb, st);
	if (err)
		genlmsg_cancel(skb, hdr);
	else
		genlmsg_end(skb, hdr);
	return err;
}

/* cb->args[0]: the next id to look for. */
static int dump_volumes(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct swb_status *st;
	struct swb_volume *v;
	int err = 0;

	cb->seq = swb_manage_generation();
	while (!err && (v = swb_manage_next(cb->args[0]))) {
		st = swb_status_take(v);
		err = st ? dump_one(skb, cb, st) : -ENOMEM;
		if (!err)
			cb->args[0] = v->id + 1;
		kfree(st);
		swb_volume_put(v);
	}
	/* What did not fit comes with the next part. */
	return skb->len ? skb->len : err;
}

/**
 * struct latency_of - whose histograms are asked for
 * @v: volume, with a reference
 * @member: index, or SWB_NOBODY for those of the host
 */
struct latency_of {
	struct swb_volume *v;
	u8 member;
};

static int put_latency(struct sk_buff *skb, const void *arg)
{
	const struct latency_of *of = arg;

	return swb_status_put_latency(skb, of->v, of->member);
}

static int do_latency_get(struct sk_buff *skb, struct genl_info *info)
{
	struct latency_of of = { .member = SWB_NOBODY };
	struct swb_uuid uuid;
	int err;

	err = check(info, BIT_OF(VOLUME_ID), BIT_OF(PEER_UUID),
		    "LATENCY_GET needs VOLUME_ID");
	if (err)
		return err;
	of.v = find_volume(info);
	if (!of.v)
		return -ENODEV;
	if (ATTR(info, PEER_UUID)) {
		uuid = swb_attr_uuid(ATTR(info, PEER_UUID));
		of.member = swb_status_member(of.v, &uuid);
		if (of.member == SWB_NOBODY)
			err = swb_refuse(info, -ENOENT,
					 "no such member in the configuration");
	}
	if (!err)
		err = send_answer(info, SWBLOCK_CMD_LATENCY_GET, LATENCY_BYTES,
				  put_latency, &of);
	swb_volume_put(of.v);
	return err;
}

/* ---- verbs ------------------------------------------------------------ */

static int answer_id(struct genl_info *info, u32 id)
{
	struct sk_buff *skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	void *hdr;

	/* The attach runs already; its event tells the id again. */
	if (!skb)
		return 0;
	hdr = genlmsg_put_reply(skb, info, &swb_genl_family, 0,
				SWBLOCK_CMD_VOLUME_ADD);
	if (!hdr || nla_put_u32(skb, SWBLOCK_A_VOLUME_ID, id)) {
		nlmsg_free(skb);
		return 0;
	}
	genlmsg_end(skb, hdr);
	return genlmsg_reply(skb, info);
}

static int do_volume_add(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *wal = ATTR(info, WAL_PATH);
	struct nlattr *minor = ATTR(info, MINOR);
	const char *why = NULL;
	int err;
	u32 id;

	err = check(info, BIT_OF(DATA_PATH),
		    BIT_OF(WAL_PATH) | BIT_OF(MINOR) | BIT_OF(COOKIE),
		    "VOLUME_ADD needs DATA_PATH");
	if (err)
		return err;
	err = swb_manage_add(nla_data(ATTR(info, DATA_PATH)),
			     wal ? nla_data(wal) : NULL,
			     minor ? (int)nla_get_u32(minor) : -1,
			     swb_attr_u64(ATTR(info, COOKIE)), &id, &why);
	return err ? swb_refuse(info, err, why) : answer_id(info, id);
}

static int do_volume_remove(struct sk_buff *skb, struct genl_info *info)
{
	const char *why = NULL;
	int err;

	err = check(info, BIT_OF(VOLUME_ID), BIT_OF(FLAGS) | BIT_OF(COOKIE),
		    "VOLUME_REMOVE needs VOLUME_ID");
	if (err)
		return err;
	err = swb_manage_remove(nla_get_u32(ATTR(info, VOLUME_ID)),
				swb_attr_u32(ATTR(info, FLAGS)),
				swb_attr_u64(ATTR(info, COOKIE)), &why);
	return swb_refuse(info, err, why);
}

static int do_adopt(struct sk_buff *skb, struct genl_info *info)
{
	const char *why = NULL;
	struct swb_uuid store;
	int err;

	err = check(info, BIT_OF(VOLUME_ID) | BIT_OF(EPOCH) |
		    BIT_OF(STORE_UUID) | BIT_OF(STORE_GENERATION),
		    BIT_OF(COOKIE),
		    "ADOPT needs VOLUME_ID, EPOCH, STORE_UUID and STORE_GENERATION");
	if (err)
		return err;
	store = swb_attr_uuid(ATTR(info, STORE_UUID));
	err = swb_manage_adopt(nla_get_u32(ATTR(info, VOLUME_ID)),
			       nla_get_u64(ATTR(info, EPOCH)), &store,
			       nla_get_u64(ATTR(info, STORE_GENERATION)),
			       swb_attr_u64(ATTR(info, COOKIE)), &why);
	return swb_refuse(info, err, why);
}

static int do_assign(struct sk_buff *skb, struct genl_info *info)
{
	const char *why = NULL;
	struct swb_uuid primary;
	struct swb_config cfg;
	int err;

	err = check(info, BIT_OF(VOLUME_ID) | BIT_OF(EPOCH) |
		    BIT_OF(PRIMARY_UUID) | BIT_OF(CONFIG), 0,
		    "ASSIGN needs VOLUME_ID, EPOCH, PRIMARY_UUID and CONFIG");
	if (!err)
		err = swb_parse_config(info, ATTR(info, CONFIG), &cfg);
	if (err)
		return err;
	primary = swb_attr_uuid(ATTR(info, PRIMARY_UUID));
	err = swb_manage_assign(nla_get_u32(ATTR(info, VOLUME_ID)),
				nla_get_u64(ATTR(info, EPOCH)), &primary, &cfg,
				&why);
	return swb_refuse(info, err, why);
}

static int do_promote(struct sk_buff *skb, struct genl_info *info)
{
	struct swb_cert *cert;
	const char *why = NULL;
	int err;

	err = check(info, BIT_OF(VOLUME_ID) | BIT_OF(CERT),
		    BIT_OF(LEASE_NS) | BIT_OF(COOKIE),
		    "PROMOTE needs VOLUME_ID and CERT");
	if (err)
		return err;
	cert = kzalloc(sizeof(*cert), GFP_KERNEL);
	if (!cert)
		return swb_refuse(info, -ENOMEM, "out of memory: try again");
	err = swb_parse_cert(info, ATTR(info, CERT), cert);
	if (!err)
		err = swb_manage_promote(nla_get_u32(ATTR(info, VOLUME_ID)),
					 cert,
					 swb_attr_u64(ATTR(info, LEASE_NS)),
					 swb_attr_u64(ATTR(info, COOKIE)), &why);
	kfree(cert);
	/* A nest that was refused has said why itself. */
	return swb_refuse(info, err, why);
}

static int do_demote(struct sk_buff *skb, struct genl_info *info)
{
	const char *why = NULL;
	int err;

	err = check(info, BIT_OF(VOLUME_ID), BIT_OF(FLAGS) | BIT_OF(COOKIE),
		    "DEMOTE needs VOLUME_ID");
	if (err)
		return err;
	err = swb_manage_demote(nla_get_u32(ATTR(info, VOLUME_ID)),
				swb_attr_u32(ATTR(info, FLAGS)),
				swb_attr_u64(ATTR(info, COOKIE)), &why);
	return swb_refuse(info, err, why);
}

static int do_lease(struct sk_buff *skb, struct genl_info *info)
{
	const char *why = NULL;
	int err;

	err = check(info, BIT_OF(VOLUME_ID) | BIT_OF(EPOCH) | BIT_OF(LEASE_NS),
		    0, "LEASE needs VOLUME_ID, EPOCH and LEASE_NS");
	if (err)
		return err;
	err = swb_manage_lease(nla_get_u32(ATTR(info, VOLUME_ID)),
			       nla_get_u64(ATTR(info, EPOCH)),
			       nla_get_u64(ATTR(info, LEASE_NS)), &why);
	return swb_refuse(info, err, why);
}

static int do_link(struct sk_buff *skb, struct genl_info *info)
{
	const char *why = NULL;
	struct swb_uuid peer;
	int err;

	err = check(info, BIT_OF(VOLUME_ID) | BIT_OF(PEER_UUID) | BIT_OF(FD),
		    BIT_OF(MOVE) | BIT_OF(COOKIE),
		    "LINK needs VOLUME_ID, PEER_UUID and FD");
	if (err)
		return err;
	peer = swb_attr_uuid(ATTR(info, PEER_UUID));
	err = swb_manage_link(nla_get_u32(ATTR(info, VOLUME_ID)), &peer,
			      nla_get_u32(ATTR(info, FD)),
			      swb_attr_u64(ATTR(info, MOVE)),
			      swb_attr_u64(ATTR(info, COOKIE)), &why);
	return swb_refuse(info, err, why);
}

static int do_unlink(struct sk_buff *skb, struct genl_info *info)
{
	const char *why = NULL;
	struct swb_uuid peer;
	int err;

	err = check(info, BIT_OF(VOLUME_ID) | BIT_OF(PEER_UUID), 0,
		    "UNLINK needs VOLUME_ID and PEER_UUID");
	if (err)
		return err;
	peer = swb_attr_uuid(ATTR(info, PEER_UUID));
	err = swb_manage_unlink(nla_get_u32(ATTR(info, VOLUME_ID)), &peer,
				&why);
	return swb_refuse(info, err, why);
}

static int do_rebuild(struct sk_buff *skb, struct genl_info *info)
{
	const char *why = NULL;
	struct swb_uuid peer;
	int err;

	err = check(info, BIT_OF(VOLUME_ID) | BIT_OF(PEER_UUID), BIT_OF(COOKIE),
		    "REBUILD needs VOLUME_ID and PEER_UUID");
	if (err)
		return err;
	peer = swb_attr_uuid(ATTR(info, PEER_UUID));
	err = swb_manage_rebuild(nla_get_u32(ATTR(info, VOLUME_ID)), &peer,
				 swb_attr_u64(ATTR(info, COOKIE)), &why);
	return swb_refuse(info, err, why);
}

static u64 wanted_u32(const struct nlattr *a)
{
	return a ? nla_get_u32(a) : SWB_LEAVE;
}

static u64 wanted_u64(const struct nlattr *a)
{
	return a ? nla_get_u64(a) : SWB_LEAVE;
}

static int do_tune(struct sk_buff *skb, struct genl_info *info)
{
	const struct swb_limits wanted = {
		.io_ms = wanted_u32(ATTR(info, IO_DEADLINE_MS)),
		.link_ms = wanted_u32(ATTR(info, LINK_DEADLINE_MS)),
		.flush_ms = wanted_u32(ATTR(info, FLUSH_INTERVAL_MS)),
		.rebuild_auto = ATTR(info, REBUILD_AUTO) ?
				nla_get_u8(ATTR(info, REBUILD_AUTO)) : SWB_LEAVE,
		.rebuild_rate = wanted_u64(ATTR(info, REBUILD_RATE)),
		.catchup_bytes = wanted_u64(ATTR(info, CATCHUP_MAX_BYTES)),
		.catchup_ms = wanted_u32(ATTR(info, CATCHUP_STALL_MS)),
	};
	const char *why = NULL;
	int err;

	err = check(info, BIT_OF(VOLUME_ID), BIT_OF(IO_DEADLINE_MS) |
		    BIT_OF(LINK_DEADLINE_MS) | BIT_OF(FLUSH_INTERVAL_MS) |
		    BIT_OF(REBUILD_AUTO) | BIT_OF(REBUILD_RATE) |
		    BIT_OF(CATCHUP_MAX_BYTES) | BIT_OF(CATCHUP_STALL_MS),
		    "TUNE needs VOLUME_ID");
	if (err)
		return err;
	err = swb_manage_tune(nla_get_u32(ATTR(info, VOLUME_ID)), &wanted, &why);
	return swb_refuse(info, err, why);
}

static int set_suspended(struct genl_info *info, bool suspend)
{
	const char *why = NULL;
	int err = swb_manage_suspend(nla_get_u32(ATTR(info, VOLUME_ID)),
				     suspend, &why);

	return swb_refuse(info, err, why);
}

static int do_suspend(struct sk_buff *skb, struct genl_info *info)
{
	int err = check(info, BIT_OF(VOLUME_ID), 0, "SUSPEND needs VOLUME_ID");

	return err ?: set_suspended(info, true);
}

static int do_resume(struct sk_buff *skb, struct genl_info *info)
{
	int err = check(info, BIT_OF(VOLUME_ID), 0, "RESUME needs VOLUME_ID");

	return err ?: set_suspended(info, false);
}

static int do_verify(struct sk_buff *skb, struct genl_info *info)
{
	const char *why = NULL;
	int err;

	err = check(info, BIT_OF(VOLUME_ID), BIT_OF(FLAGS) | BIT_OF(COOKIE),
		    "VERIFY needs VOLUME_ID");
	if (err)
		return err;
	err = swb_manage_verify(nla_get_u32(ATTR(info, VOLUME_ID)),
				swb_attr_u32(ATTR(info, FLAGS)),
				swb_attr_u64(ATTR(info, COOKIE)), &why);
	return swb_refuse(info, err, why);
}

static int do_verify_stop(struct sk_buff *skb, struct genl_info *info)
{
	const char *why = NULL;
	int err = check(info, BIT_OF(VOLUME_ID), 0, "VERIFY_STOP needs VOLUME_ID");

	if (err)
		return err;
	err = swb_manage_verify_stop(nla_get_u32(ATTR(info, VOLUME_ID)), &why);
	return swb_refuse(info, err, why);
}

static int do_resize(struct sk_buff *skb, struct genl_info *info)
{
	const char *why = NULL;
	int err;

	err = check(info, BIT_OF(VOLUME_ID) | BIT_OF(SIZE_BYTES),
		    BIT_OF(COOKIE), "RESIZE needs VOLUME_ID and SIZE_BYTES");
	if (err)
		return err;
	err = swb_manage_resize(nla_get_u32(ATTR(info, VOLUME_ID)),
				nla_get_u64(ATTR(info, SIZE_BYTES)),
				swb_attr_u64(ATTR(info, COOKIE)), &why);
	return swb_refuse(info, err, why);
}

/* ---- the family ------------------------------------------------------- */

#define VERB(name, fn) \
	{ .cmd = SWBLOCK_CMD_##name, .flags = GENL_ADMIN_PERM, .doit = fn }

static const struct genl_small_ops ops[] = {
	{ .cmd = SWBLOCK_CMD_GET_INFO, .doit = do_get_info },
	{ .cmd = SWBLOCK_CMD_VOLUME_GET, .doit = do_volume_get,
	  .dumpit = dump_volumes },
	{ .cmd = SWBLOCK_CMD_LATENCY_GET, .doit = do_latency_get },
	VERB(VOLUME_ADD, do_volume_add),
	VERB(VOLUME_REMOVE, do_volume_remove),
	VERB(ADOPT, do_adopt),
	VERB(ASSIGN, do_assign),
	VERB(PROMOTE, do_promote),
	VERB(DEMOTE, do_demote),
	VERB(LEASE, do_lease),
	VERB(LINK, do_link),
	VERB(UNLINK, do_unlink),
	VERB(TUNE, do_tune),
	VERB(REBUILD, do_rebuild),
	VERB(SUSPEND, do_suspend),
	VERB(RESUME, do_resume),
	VERB(RESIZE, do_resize),
	VERB(VERIFY, do_verify),
	VERB(VERIFY_STOP, do_verify_stop),
};

static const struct genl_ops dumps[] = {
	{
		.cmd = SWBLOCK_CMD_RECORD_GET,
		.flags = GENL_ADMIN_PERM,
		.start = swb_record_start,
		.dumpit = swb_record_dump,
		.done = swb_record_done,
	},
};

static const struct genl_multicast_group mcgrps[] = {
	{ .name = SWBLOCK_MCGRP_EVENTS },
};

static struct genl_family swb_genl_family __ro_after_init = {
	.name		= SWBLOCK_FAMILY_NAME,
	.version	= SWBLOCK_FAMILY_VERSION,
	.maxattr	= SWBLOCK_A_MAX,
	.policy		= policy,
	.module		= THIS_MODULE,
	.parallel_ops	= true,
	.netnsok	= false,
	.ops		= dumps,
	.n_ops		= ARRAY_SIZE(dumps),
	.small_ops	= ops,
	.n_small_ops	= ARRAY_SIZE(ops),
	.resv_start_op	= __SWBLOCK_CMD_MAX,
	.mcgrps		= mcgrps,
	.n_mcgrps	= ARRAY_SIZE(mcgrps),
};

int __init swb_netlink_init(void)
{
	swb_notify_init(&swb_genl_family);
	return genl_register_family(&swb_genl_family);
}

void swb_netlink_exit(void)
{
	genl_unregister_family(&swb_genl_family);
}
