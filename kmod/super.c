// SPDX-License-Identifier: GPL-2.0-only
/*
 * Superblocks: load and judge both slots, save to them in turn. A save that
 * tears costs one slot, and the other holds the state before it. What the fields
 * mean is the core's business.
 *
 * Lock: super.mutex, one save at a time, so that generations reach the disk in
 * order. Context: process, waits for the disk.
 */
#include <linux/slab.h>
#include "core/codec.h"
#include "core/recover.h"
#include "idle.h"
#include "super.h"

static const u32 slot_offset[SWB_SUPER_SLOTS] = {
	SWB_SUPER_OFFSET_0, SWB_SUPER_OFFSET_1,
};

int swb_super_create(struct swb_super *s, struct swb_store *store)
{
	mutex_init(&s->mutex);
	s->store = store;
	s->buf = (void *)__get_free_page(GFP_KERNEL);
	s->copy = kzalloc(sizeof(*s->copy), GFP_KERNEL);
	if (s->buf && s->copy)
		return 0;
	swb_super_destroy(s);
	return -ENOMEM;
}

void swb_super_destroy(struct swb_super *s)
{
	free_page((unsigned long)s->buf);
	kfree(s->copy);
	s->buf = NULL;
	s->copy = NULL;
}

/* A device too small for a slot has none there. */
static int load_slot(struct swb_store *store, int slot, void *buf,
		     enum swb_super_verdict *verdict, struct swb_durable *d)
{
	int err;

	*verdict = SWB_SUPER_BAD_MAGIC;
	if (store->bytes < slot_offset[slot] + SWB_SUPER_BYTES)
		return 0;
	err = swb_store_read(store, slot_offset[slot], buf, SWB_SUPER_BYTES);
	if (!err)
		*verdict = swb_codec_super_decode(buf, d);
	return err;
}

static int load_both(struct swb_store *store, void *buf, struct swb_durable *out,
		     u8 *letter)
{
	enum swb_super_verdict v[SWB_SUPER_SLOTS];
	struct swb_durable *d;
	int slot, err;

	d = kcalloc(SWB_SUPER_SLOTS, sizeof(*d), GFP_KERNEL);
	if (!d)
		return -ENOMEM;
	for (slot = 0, err = 0; slot < SWB_SUPER_SLOTS && !err; slot++)
		err = load_slot(store, slot, buf, &v[slot], &d[slot]);
	if (err)
		goto free;
	slot = swb_recover_pick(v[0], &d[0], v[1], &d[1], letter);
	if (slot < 0)
		err = -EUCLEAN;
	else
		*out = d[slot];
free:
	kfree(d);
	return err;
}

int swb_super_load(struct swb_super *s, struct swb_durable *d, u8 *letter)
{
	int err;

	swb_idle_lock(&s->mutex);
	err = load_both(s->store, s->buf, d, letter);
	mutex_unlock(&s->mutex);
	return err;
}

int swb_super_check_wal(struct swb_store *wal, const struct swb_durable *d)
{
	struct swb_durable *w;
	void *buf;
	u8 letter;
	int err;

	w = kzalloc(sizeof(*w), GFP_KERNEL);
	buf = (void *)__get_free_page(GFP_KERNEL);
	err = w && buf ? load_both(wal, buf, w, &letter) : -ENOMEM;
	if (!err && (!(w->flags & SWB_SUPER_IS_WAL) ||
		     w->ring_id != d->ring_id ||
		     !swb_uuid_equal(&w->volume, &d->volume) ||
		     !swb_uuid_equal(&w->replica, &d->replica)))
		err = -EUCLEAN;
	free_page((unsigned long)buf);
	kfree(w);
	return err;
}

int swb_super_store(struct swb_super *s, const struct swb_durable *d)
{
	lockdep_assert_held(&s->mutex);
	swb_codec_super_encode(d, s->buf);
	return swb_store_write(s->store, slot_offset[d->generation & 1], s->buf,
			       SWB_SUPER_BYTES, REQ_PREFLUSH | REQ_FUA);
}

int swb_super_save(struct swb_super *s, struct swb_core *core, spinlock_t *lock)
{
	unsigned long flags;
	int err;

	swb_idle_lock(&s->mutex);
	spin_lock_irqsave(lock, flags);
	core->d.generation++;
	*s->copy = core->d;
	spin_unlock_irqrestore(lock, flags);
	err = swb_super_store(s, s->copy);
	mutex_unlock(&s->mutex);
	return err;
}
