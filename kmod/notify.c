// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events to userspace. Each has the next sequence number, taken under the mutex
 * that also orders the sending: a listener sees a dense sequence, or ENOBUFS.
 *
 * Must not be called under a spinlock or from an interrupt. An event that cannot
 * be built for want of memory leaves a gap, which says: dump again.
 *
 * Lock: notify_mutex, innermost of the mutexes. Context: process.
 */
#include <linux/atomic.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include "core/text.h"
#include "notify.h"
#include "status.h"

#define GROUP_EVENTS	0	/* index in mcgrps of netlink.c */

static DEFINE_MUTEX(notify_mutex);
static struct genl_family *family;	/* set once, before any volume */
static atomic64_t seq;	/* of the newest event; moves under notify_mutex */

void swb_notify_init(struct genl_family *f)
{
	family = f;
}

u64 swb_notify_seq(void)
{
	return atomic64_read(&seq);
}

static int put_u64(struct sk_buff *skb, int type, u64 value)
{
	return nla_put_u64_64bit(skb, type, value, SWBLOCK_A_PAD);
}

static int put_common(struct sk_buff *skb, u32 id, const struct swb_notice *n)
{
	const char *text = n->text ?: swb_text_event_kind(n->kind);
	int err;

	err = put_u64(skb, SWBLOCK_A_SEQ, swb_notify_seq()) ?:
	      nla_put_u32(skb, SWBLOCK_A_VOLUME_ID, id) ?:
	      nla_put_u32(skb, SWBLOCK_A_EVENT_KIND, n->kind) ?:
	      put_u64(skb, SWBLOCK_A_TIME_NS, ktime_get_boottime_ns()) ?:
	      nla_put_string(skb, SWBLOCK_A_TEXT, text);
	if (!err && n->cookie)
		err = put_u64(skb, SWBLOCK_A_COOKIE, n->cookie);
	if (!err && n->err)
		err = nla_put_u32(skb, SWBLOCK_A_ERRNO, n->err);
	if (!err && n->letter)
		err = nla_put_u8(skb, SWBLOCK_A_CASE, n->letter) ?:
		      nla_put_u8(skb, SWBLOCK_A_CASE_TABLE, n->table);
	if (!err && n->reason)
		err = nla_put_u32(skb, SWBLOCK_A_REASON, n->reason);
	if (!err && n->report)
		err = swb_status_put_report(skb, n->report);
	return err;
}

static int put_of_volume(struct sk_buff *skb, const struct swb_status *st,
			 const struct swb_notice *n)
{
	int err;

	err = put_u64(skb, SWBLOCK_A_EPOCH, n->epoch ?: st->core.d.epoch) ?:
	      nla_put(skb, SWBLOCK_A_VOLUME_UUID, SWBLOCK_UUID_BYTES,
		      st->core.d.volume.b) ?:
	      nla_put_u8(skb, SWBLOCK_A_ROLE, st->core.role) ?:
	      nla_put_u32(skb, SWBLOCK_A_CONDITIONS, st->conditions);
	if (!err && st->minor >= 0)
		err = nla_put_u32(skb, SWBLOCK_A_MINOR, st->minor);
	if (!err && n->peer != SWB_NOBODY)
		err = swb_status_put_peer(skb, st, n->peer);
	return err;
}

/* Send one event; @st is NULL where there is no volume. */
static void send(u32 id, const struct swb_status *st, const struct swb_notice *n)
{
	struct sk_buff *skb;
	void *hdr;
	int err;

	lockdep_assert_held(&notify_mutex);
	atomic64_inc(&seq);
	if (!genl_has_listeners(family, &init_net, GROUP_EVENTS))
		return;
	skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!skb)
		return;
	hdr = genlmsg_put(skb, 0, 0, family, 0, SWBLOCK_CMD_EVENT);
	err = hdr ? put_common(skb, id, n) : -EMSGSIZE;
	if (!err && st)
		err = put_of_volume(skb, st, n);
	if (err) {
		WARN_ON_ONCE(err == -EMSGSIZE);
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, hdr);
	/* ESRCH: nobody listens any more. ENOBUFS: the listener is told so. */
	genlmsg_multicast(family, skb, 0, GROUP_EVENTS, GFP_KERNEL);
}

void swb_notify(struct swb_volume *v, const struct swb_notice *n)
{
	struct swb_status *st;

	mutex_lock(&notify_mutex);
	st = swb_status_take(v);
	if (st)
		send(v->id, st, n);
	else
		atomic64_inc(&seq);
	mutex_unlock(&notify_mutex);
	kfree(st);
}

void swb_notify_failed(u32 id, u64 cookie, int err, u8 letter, const char *text)
{
	struct swb_notice n = {
		.kind = SWBLOCK_EVENT_FAILED, .cookie = cookie, .err = -err,
		.letter = letter, .table = SWBLOCK_TABLE_RECOVER,
		.text = text, .peer = SWB_NOBODY,
	};

	mutex_lock(&notify_mutex);
	send(id, NULL, &n);
	mutex_unlock(&notify_mutex);
}
