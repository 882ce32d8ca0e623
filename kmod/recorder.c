// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of flight recorders, and copies of it for those who ask. What is recorded,
 * and how, is core/record.c's business. Must not step, decide, or name a peer.
 *
 * Lock: the member's for a ring, kept_mutex for records of members that are gone.
 * Context: process.
 */
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include "recorder.h"

#define MEMORY_WORDS	(SWB_RECORDER_WORDS + 2 * SWB_RECORD_STATE_WORDS)

/**
 * struct kept - the record of a member that is gone
 * @node: oldest first; kept_mutex
 * @id: of its volume
 * @rec: its recorder
 */
struct kept {
	struct list_head node;
	u32 id;
	struct swb_recorder rec;
};

static DEFINE_MUTEX(kept_mutex);
static LIST_HEAD(kept_list);
static u32 kept_count;

static uint records_kept;

int swb_recorder_create(struct swb_recorder *rec)
{
	rec->memory = kvcalloc(MEMORY_WORDS, sizeof(u64), GFP_KERNEL);
	return rec->memory ? 0 : -ENOMEM;
}

void swb_recorder_start(struct swb_recorder *rec, const struct swb_core *c)
{
	u64 *state = rec->memory + SWB_RECORDER_WORDS;

	swb_record_init(&rec->r, rec->memory, SWB_RECORDER_WORDS, state,
			state + SWB_RECORD_STATE_WORDS, c);
	rec->running = true;
}

static void forget_oldest(void)
{
	struct kept *k = list_first_entry(&kept_list, struct kept, node);

	lockdep_assert_held(&kept_mutex);
	list_del(&k->node);
	kept_count--;
	kvfree(k->rec.memory);
	kfree(k);
}

/* Written as a parameter: a smaller number forgets at once. */
static int set_kept(const char *val, const struct kernel_param *kp)
{
	int err = param_set_uint(val, kp);

	mutex_lock(&kept_mutex);
	while (kept_count > records_kept)
		forget_oldest();
	mutex_unlock(&kept_mutex);
	return err;
}

static const struct kernel_param_ops kept_ops = {
	.set = set_kept,
	.get = param_get_uint,
};

module_param_cb(records_kept, &kept_ops, &records_kept, 0644);
MODULE_PARM_DESC(records_kept,
		 "Records of removed volumes that stay readable, 270 KiB each (default 0)");

void swb_recorder_destroy(struct swb_recorder *rec, u32 id)
{
	u32 most = READ_ONCE(records_kept);
	struct kept *k = NULL;

	if (most && rec->running && rec->r.steps)
		k = kzalloc(sizeof(*k), GFP_KERNEL);
	if (!k) {
		kvfree(rec->memory);
		return;
	}
	k->id = id;
	k->rec = *rec;
	mutex_lock(&kept_mutex);
	list_add_tail(&k->node, &kept_list);
	kept_count++;
	while (kept_count > most)
		forget_oldest();
	mutex_unlock(&kept_mutex);
}

static int room_for(const struct swb_recorder *rec, struct swb_record_image *out)
{
	/* the size depends on the ring's, which stands */
	out->buf = kvmalloc(swb_record_bytes(&rec->r), GFP_KERNEL);
	return out->buf ? 0 : -ENOMEM;
}

static void seal(struct swb_record_image *out)
{
	swb_record_seal(out->buf, ktime_get_boottime_ns(), ktime_get_real_ns());
}

int swb_recorder_take(struct swb_recorder *rec, spinlock_t *lock,
		      struct swb_record_image *out)
{
	unsigned long flags;
	int err;

	if (!rec->running)
		return -ENOENT;
	err = room_for(rec, out);
	if (err)
		return err;
	spin_lock_irqsave(lock, flags);
	out->bytes = swb_record_take(&rec->r, out->buf);
	spin_unlock_irqrestore(lock, flags);
	seal(out);
	return 0;
}

static struct kept *find_kept(u32 id)
{
	struct kept *k, *found = NULL;

	lockdep_assert_held(&kept_mutex);
	list_for_each_entry(k, &kept_list, node)
		if (k->id >= id && (!found || k->id < found->id))
			found = k;
	return found;
}

bool swb_recorder_has(u32 id)
{
	const struct kept *k;
	bool has;

	mutex_lock(&kept_mutex);
	k = find_kept(id);
	has = k && k->id == id;
	mutex_unlock(&kept_mutex);
	return has;
}

int swb_recorder_kept(u32 id, struct swb_record_image *out)
{
	struct kept *k;
	int err = -ENOENT;

	mutex_lock(&kept_mutex);
	k = find_kept(id);
	if (k)
		err = room_for(&k->rec, out);
	if (!err) {
		out->id = k->id;
		out->bytes = swb_record_take(&k->rec.r, out->buf);
		seal(out);
	}
	mutex_unlock(&kept_mutex);
	return err;
}

void swb_recorder_exit(void)
{
	mutex_lock(&kept_mutex);
	while (kept_count)
		forget_oldest();
	mutex_unlock(&kept_mutex);
}
