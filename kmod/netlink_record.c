// SPDX-License-Identifier: GPL-2.0-only
/*
 * RECORD_GET: flight records, of one volume or of all that are attached and then of
 * those that are gone, each in pieces in the order of its bytes. A copy is taken
 * when its first piece is due, so that nothing of it changes on the way.
 *
 * Must not look into a record, or take a lock of a volume for longer than the copy.
 * Context: process, the task that reads its socket.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <net/genetlink.h>
#include "compat.h"
#include "manage.h"
#include "netlink.h"
#include "netlink_record.h"
#include "recorder.h"

#define PIECE_BYTES	2048

/**
 * struct reading - of one request
 * @one: only the volume @next
 * @gone: attached ones are through: those that are gone
 * @next: the next id to look for
 * @pos: of @image that was told
 * @image: a copy, @buf NULL if there is none
 */
struct reading {
	bool one;
	bool gone;
	u32 next;
	u64 pos;
	struct swb_record_image image;
};

static struct reading *reading_of(struct netlink_callback *cb)
{
	return (struct reading *)cb->args[0];
}

static int refuse(struct netlink_callback *cb, int err, const char *why)
{
	if (cb->extack)
		cb->extack->_msg = why;	/* a static text */
	return err;
}

static bool is_known(u32 id)
{
	struct swb_volume *v = swb_manage_get(id);

	if (!v)
		return swb_recorder_has(id);
	swb_volume_put(v);
	return true;
}

int swb_record_start(struct netlink_callback *cb)
{
	struct nlattr **attrs = swb_compat_dump_attrs(cb);
	struct reading *r;
	u32 i;

	for (i = 1; i <= SWBLOCK_A_MAX; i++)
		if (attrs[i] && i != SWBLOCK_A_VOLUME_ID)
			return refuse(cb, -EINVAL,
				      "this command does not take this attribute");
	r = kzalloc(sizeof(*r), GFP_KERNEL);
	if (!r)
		return -ENOMEM;
	r->one = attrs[SWBLOCK_A_VOLUME_ID];
	if (r->one)
		r->next = nla_get_u32(attrs[SWBLOCK_A_VOLUME_ID]);
	if (r->one && !is_known(r->next)) {
		kfree(r);
		return refuse(cb, -ENODEV,
			      "no volume with this id: see `swblockctl status`");
	}
	cb->args[0] = (long)r;
	return 0;
}

static int take_attached(struct reading *r)
{
	struct swb_volume *v = r->one ? swb_manage_get(r->next) :
					swb_manage_next(r->next);
	int err;

	if (!v)
		return -ENOENT;
	r->image.id = v->id;
	err = swb_recorder_take(&v->recorder, &v->lock, &r->image);
	swb_volume_put(v);
	return err;
}

/* The next record, -ENOENT if that was all. */
static int take_next(struct reading *r)
{
	int err = -ENOENT;

	r->pos = 0;
	if (!r->gone) {
		err = take_attached(r);
		if (err == -ENOENT) {
			r->gone = true;
			r->next = r->one ? r->next : 0;
		}
	}
	if (r->gone) {
		err = swb_recorder_kept(r->next, &r->image);
		if (!err && r->one && r->image.id != r->next) {
			kvfree(r->image.buf);
			err = -ENOENT;
		}
	}
	if (err)
		r->image.buf = NULL;
	else
		r->next = r->image.id + 1;
	return err;
}

static int put_piece(struct sk_buff *skb, struct netlink_callback *cb,
		     struct reading *r)
{
	u32 len = min_t(u64, PIECE_BYTES, r->image.bytes - r->pos);
	void *hdr = swb_netlink_put(skb, cb, SWBLOCK_CMD_RECORD_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (nla_put_u32(skb, SWBLOCK_A_VOLUME_ID, r->image.id) ||
	    nla_put(skb, SWBLOCK_A_RECORD, len, r->image.buf + r->pos)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	r->pos += len;
	return 0;
}

int swb_record_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct reading *r = reading_of(cb);
	int err = 0;

	for (;;) {
		if (!r->image.buf) {
			/* a single one is told once */
			err = r->one && r->pos ? -ENOENT : take_next(r);
			if (err)
				break;
		}
		err = put_piece(skb, cb, r);
		if (err)
			break;
		if (r->pos == r->image.bytes) {
			kvfree(r->image.buf);
			r->image.buf = NULL;
		}
	}
	if (err == -EMSGSIZE && skb->len)
		err = 0;
	return skb->len ? skb->len : err == -ENOENT ? 0 : err;
}

int swb_record_done(struct netlink_callback *cb)
{
	struct reading *r = reading_of(cb);

	if (r)
		kvfree(r->image.buf);
	kfree(r);
	return 0;
}
