// SPDX-License-Identifier: GPL-2.0-only
/*
 * The storage layer of the module against a model, in the kernel it runs in:
 * kmod/ store, dirty, wal*, super, flusher, wbatch, replay with the real core
 * arithmetic, but without netlink, peers and a gendisk. Writers in several threads
 * write random blocks through reserve, fill and commit; a small ring and little
 * memory make it wrap, fill up and evict all the time. In between:
 *
 *	restart		down and up again: nothing may be missing
 *	cut		the log is truncated to a random LSN above C, as a node that
 *			was ahead on a dead branch is; sometimes it restarts at once
 *	tear		a random unit of a random group above C is overwritten, as by
 *			a power cut: recovery must end right before that group
 *
 * and each time all blocks are read as a reader does, from memory, ring or extent,
 * and compared with what the history of admitted records says.
 *
 *	insmod swb_walmodel.ko data=/dev/vdb [wal=/dev/vdc] [seed=N rounds=N ...]
 *
 * The load fails with EBADMSG if anything was wrong. Destroys the devices.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "core/lineage.h"
#include "crc.h"
#include "flusher.h"
#include "lat.h"
#include "replay.h"
#include "walpriv.h"

static char *data;
module_param(data, charp, 0);
MODULE_PARM_DESC(data, "data device, overwritten");
static char *wal;
module_param(wal, charp, 0);
MODULE_PARM_DESC(wal, "WAL device, overwritten; default: the ring is on data");
static ulong seed = 1;
module_param(seed, ulong, 0);
static int rounds = 10;
module_param(rounds, int, 0);
static int writes = 1000;	/* in a round */
module_param(writes, int, 0);
static int threads = 3;
module_param(threads, int, 0);
static int ring_kb = 2048;
module_param(ring_kb, int, 0);
static int memory_kb = 1024;
module_param(memory_kb, int, 0);
static int unit = 4096;
module_param(unit, int, 0);
static int block = 4096;
module_param(block, int, 0);

#define BLOCKS		2048U
#define HISTORY_MAX	BIT(20)
#define INDEX_RECORDS	1024
#define PAYLOAD_BLOCKS	(SWB_REC_PAYLOAD_MAX / block)
#define STUCK_TRIES	2000

/**
 * struct past - what a record did; index of the array is its LSN
 * @start: first block
 * @count: blocks, 0 for an open record
 * @tag: stands for the contents, 0 for zeroes
 */
struct past {
	u32 start;
	u32 count;
	u64 tag;
};

/*
 * The member under test and the model of it. @lock is the member's lock; it covers
 * history and expected as well, so that they follow the order of LSNs.
 */
DEFINE_STATIC_KEY_TRUE(swb_lat_on);	/* histograms, of which there are none here */
static struct swb_store data_store;
static struct swb_store wal_store;
static struct swb_super super;
static struct swb_dirty dirty;
static struct swb_wal log;
static struct swb_flusher flusher;
static struct swb_bitmap bitmap;
static struct swb_core *core;
static DEFINE_SPINLOCK(lock);
static struct past *history;
static u64 *expected;		/* tag of each block at the head */
static bool is_up;

static struct task_struct *owner;
static DECLARE_WAIT_QUEUE_HEAD(owner_wait);
static unsigned long progress;
static unsigned long space;
static bool hold_c;		/* C does not move: the tail may be lost */
static bool full;		/* and so the ring is full for good */
static atomic_t tags;
static int failures;
static struct {
	atomic_t memory, ring, extent, full, short_of_memory, checkpoints;
} seen;

#define BAD(fmt, ...) \
	do { \
		if (failures++ < 10) \
			pr_err("FAILED: " fmt "\n", ##__VA_ARGS__); \
	} while (0)

/* ---- chance and contents --------------------------------------------------- */

static struct rnd_state chance;
static DEFINE_SPINLOCK(chance_lock);

static u32 below(u32 n)
{
	unsigned long flags;
	u32 r;

	spin_lock_irqsave(&chance_lock, flags);
	r = prandom_u32_state(&chance);
	spin_unlock_irqrestore(&chance_lock, flags);
	return r % n;
}

static u64 word_of(u32 b, u64 tag, u32 i)
{
	return tag ? (tag * 0x9e3779b97f4a7c15ULL) ^ (((u64)b << 32) + i) : 0;
}

static void fill_block(u64 *buf, u32 b, u64 tag)
{
	u32 i;

	for (i = 0; i < block / sizeof(u64); i++)
		buf[i] = word_of(b, tag, i);
}

static bool block_is(const u64 *buf, u32 b, u64 tag)
{
	u32 i;

	for (i = 0; i < block / sizeof(u64); i++)
		if (buf[i] != word_of(b, tag, i))
			return false;
	return true;
}

static void expect(u64 lsn)
{
	const struct past *h = &history[lsn];
	u32 i;

	for (i = 0; i < h->count; i++)
		expected[h->start + i] = h->tag;
}

static void expect_all_up_to(u64 head)
{
	u64 lsn;

	memset(expected, 0, BLOCKS * sizeof(*expected));
	for (lsn = 1; lsn <= head; lsn++)
		expect(lsn);
}

/* ---- the owner: a primary without peers -------------------------------------- */

static void on_progress(void *ctx)
{
	set_bit(0, &progress);
	wake_up(&owner_wait);
}

static void on_failed(void *ctx, int err)
{
	BAD("the log failed: %d", err);
}

static void on_space(void *ctx)
{
	set_bit(0, &space);
	wake_up(&owner_wait);
}

static void on_stage(void *ctx, u32 stage, const struct swb_ent *e, bool wrapped)
{
}

static void on_flushed(void *ctx, u64 lsn, u64 ns)
{
}

static const struct swb_wal_ops log_ops = {
	.progress	= on_progress,
	.failed		= on_failed,
	.space		= on_space,
	.stage		= on_stage,
	.flushed	= on_flushed,
};

static void on_checkpoint(void *ctx, u64 extent_lo, u64 start, u64 ns)
{
	atomic_inc(&seen.checkpoints);
}

static void on_flusher_failed(void *ctx, int err)
{
	BAD("the flusher failed: %d", err);
}

static void on_wrote(void *ctx, u64 lsn, u64 bytes, u64 ns)
{
}

/* C follows the disk by itself here. */
static void on_want_committed(void *ctx)
{
}

static const struct swb_flusher_ops flusher_ops = {
	.checkpointed	= on_checkpoint,
	.failed		= on_flusher_failed,
	.wrote		= on_wrote,
	.want_committed	= on_want_committed,
};

/* What the core's progress.c does, for one member alone. */
static bool take_progress(void)
{
	bool flush;

	spin_lock_irq(&lock);
	core->log.written = log.written_lsn;
	if (log.flush_done) {
		log.flush_done = false;
		if (log.flush_generation == core->log.generation)
			core->log.durable = max(core->log.durable,
						log.flush_lsn);
	}
	if (!hold_c) {
		core->log.committed = core->log.durable;
		core->d.committed = core->log.committed;
	}
	flush = core->log.written > core->log.durable && !log.flush_inflight;
	spin_unlock_irq(&lock);
	return flush;
}

static int owner_thread(void *arg)
{
	while (!kthread_should_stop()) {
		wait_event_timeout(owner_wait, test_and_clear_bit(0, &progress) ||
				   kthread_should_stop(), HZ / 20 + 1);
		swb_wal_kick(&log);
		if (take_progress())
			swb_wal_flush(&log);
		swb_flusher_kick(&flusher, false);
	}
	return 0;
}

/* ---- up and down ------------------------------------------------------------- */

static int save_format(struct swb_store *store, struct swb_durable *d)
{
	int slot, err = 0;

	super.store = store;
	mutex_lock(&super.mutex);
	for (slot = 0; slot < SWB_SUPER_SLOTS && !err; slot++) {
		d->generation++;
		err = swb_super_store(&super, d);
	}
	mutex_unlock(&super.mutex);
	super.store = &data_store;
	return err;
}

static int format(void)
{
	struct swb_durable *d = kzalloc(sizeof(*d), GFP_KERNEL);
	void *zeroes = vzalloc(SWB_AREA_ALIGN);
	int err = -ENOMEM;
	u64 at;

	if (!d || !zeroes)
		goto free;
	memset(&d->volume, 1, sizeof(d->volume));
	memset(&d->replica, 2, sizeof(d->replica));
	d->ring_id = seed;
	d->block_bytes = block;
	d->ring_unit = unit;
	d->ring_offset = SWB_AREA_ALIGN;
	d->ring_bytes = (u64)ring_kb * 1024;
	d->extent_bytes = BLOCKS * block;
	d->bitmap_offset = SWB_AREA_ALIGN;
	if (!wal)
		d->bitmap_offset += round_up(d->ring_bytes, SWB_AREA_ALIGN);
	d->bitmap_bytes = SWB_BITMAP_BYTES(d->extent_bytes);
	d->extent_offset = d->bitmap_offset +
			   round_up(d->bitmap_bytes, SWB_AREA_ALIGN);
	d->tail_lsn = 1;
	d->flags = wal ? SWB_SUPER_WAL_SEPARATE : 0;
	err = save_format(&data_store, d);
	if (!err && wal) {
		d->flags |= SWB_SUPER_IS_WAL;
		err = save_format(&wal_store, d);
	}
	for (at = 0; at < BLOCKS * block && !err; at += SWB_AREA_ALIGN)
		err = swb_store_write(&data_store, d->extent_offset + at, zeroes,
				      SWB_AREA_ALIGN, 0);
free:
	vfree(zeroes);
	kfree(d);
	return err;
}

/* A new epoch opens, as after each promotion. */
static int open_epoch(void)
{
	u64 epoch, lsn;
	int err;

	spin_lock_irq(&lock);
	core->role = SWBLOCK_ROLE_PRIMARY;
	core->open = SWB_OPEN_DONE;
	epoch = ++core->d.epoch;
	core->d.opened = epoch;
	lsn = ++core->log.head;
	core->log.last_epoch = epoch;
	swb_lineage_open(&core->d.lineage, epoch, lsn, 0);
	history[lsn] = (struct past){};
	spin_unlock_irq(&lock);
	err = swb_super_save(&super, core, &lock);		/* P2 */
	return err ? err : swb_wal_append_open(&log, epoch, lsn);
}

static int recover(u64 *head)
{
	struct swb_recovered *r = kzalloc(sizeof(*r), GFP_KERNEL);
	struct swb_durable *d = kzalloc(sizeof(*d), GFP_KERNEL);
	int err = -ENOMEM;
	u8 letter = 0;

	if (!r || !d)
		goto free;
	err = swb_super_load(&super, d, &letter);
	if (!err)
		err = swb_replay(&log, &super, d, r);
	if (err) {
		BAD("recovery: %d, case %c", err, letter ? letter : r->letter);
		goto free;
	}
	swb_core_init(core, d, r, 1);
	*head = r->head;
	pr_info("up: case %c, log %llu..%llu, extent %llu..%llu, incarnation %llu\n",
		r->letter, r->start, r->head, d->extent_lo, d->extent_hi,
		d->incarnation);
free:
	kfree(d);
	kfree(r);
	return err;
}

static void stop_member(void)
{
	if (!IS_ERR_OR_NULL(owner))
		kthread_stop(owner);
	owner = NULL;
	swb_flusher_stop(&flusher);
	swb_bitmap_destroy(&bitmap);
	swb_wal_destroy(&log);
	swb_dirty_destroy(&dirty);
	is_up = false;
}

static int start_member(u64 *head)
{
	int err;

	memset(&log, 0, sizeof(log));
	log.lock = &lock;
	log.core = core;
	log.store = wal ? &wal_store : &data_store;
	log.dirty = &dirty;
	log.ops = &log_ops;
	memset(&flusher, 0, sizeof(flusher));
	flusher.wal = &log;
	flusher.super = &super;
	flusher.data = &data_store;
	flusher.core = core;
	flusher.bitmap = &bitmap;
	flusher.lock = &lock;
	flusher.ops = &flusher_ops;
	is_up = true;
	err = swb_dirty_create(&dirty, INDEX_RECORDS);
	if (!err)
		err = swb_wal_create(&log, (u64)memory_kb * 1024);
	if (!err)
		err = recover(head);
	memset(&bitmap, 0, sizeof(bitmap));
	if (!err)
		err = swb_bitmap_create(&bitmap, &data_store, &core->d);
	if (!err)
		err = swb_flusher_start(&flusher, "walmodel_flush");
	if (err)
		return err;
	owner = kthread_run(owner_thread, NULL, "walmodel_owner");
	if (IS_ERR(owner))
		return PTR_ERR(owner);
	return open_epoch();
}

/* Up again. The log must end at @head. */
static int restart(u64 head)
{
	u64 found = 0;
	int err;

	err = start_member(&found);
	if (err)
		BAD("cannot start: %d", err);
	else if (found != head)
		BAD("the log ends at %llu, not at %llu", found, head);
	return err;
}

/* ---- writers ------------------------------------------------------------------- */

static bool give_up(int err, int tries)
{
	if (err == -ENOSPC)
		atomic_inc(&seen.full);
	else
		atomic_inc(&seen.short_of_memory);
	if (hold_c && tries > 3) {
		full = true;
		return true;
	}
	if (tries < STUCK_TRIES && (err == -ENOSPC || err == -ENOBUFS))
		return false;
	BAD("reserve: %d; log to %llu, written %llu, durable %llu, C %llu, extent %llu, ring %llu",
	    err, core->log.head, log.written_lsn, core->log.durable,
	    core->log.committed, core->d.extent_lo, log.ring.used);
	return true;
}

static bool reserve(const struct past *h, struct swb_slot *slot)
{
	u8 type = h->tag ? SWB_REC_WRITE : SWB_REC_ZEROES;
	u64 sector = (u64)h->start * block >> SECTOR_SHIFT;
	int err, tries = 0;

	for (;;) {
		spin_lock_irq(&lock);
		err = swb_wal_reserve(&log, type, sector, h->count * block, slot);
		if (!err) {
			history[slot->lsn] = *h;
			expect(slot->lsn);
		}
		spin_unlock_irq(&lock);
		if (!err)
			return true;
		if (give_up(err, tries++))
			return false;
		wait_event_timeout(owner_wait, test_and_clear_bit(0, &space),
				   HZ / 50 + 1);
	}
}

static struct bio *make_bio(const struct past *h, void *buf)
{
	struct bio *bio = bio_alloc(data_store.bdev, BIO_MAX_VECS, REQ_OP_WRITE,
				    GFP_KERNEL);
	u32 left = h->tag ? h->count * block : 0, n, i;

	for (i = 0; left && i < h->count; i++)
		fill_block(buf + i * block, h->start + i, h->tag);
	for (; left; left -= n, buf += n) {
		n = min_t(u32, left, PAGE_SIZE - offset_in_page(buf));
		if (bio_add_page(bio, vmalloc_to_page(buf), n,
				 offset_in_page(buf)) != n)
			BAD("bio_add_page");
	}
	return bio;
}

static void write_once(void *buf)
{
	struct swb_slot slot;
	struct bio *bio;
	struct past h;

	h.count = 1 + below(below(8) ? 4 : PAYLOAD_BLOCKS);
	h.start = below(BLOCKS - h.count);
	h.tag = below(10) ? atomic_inc_return(&tags) : 0;
	bio = make_bio(&h, buf);
	if (reserve(&h, &slot)) {
		if (!below(8))
			schedule_timeout_uninterruptible(1);
		swb_wal_fill(&slot, bio);
		swb_wal_commit(&log, &slot);
	}
	bio_put(bio);
}

static DECLARE_COMPLETION(writer_done);

static int writer_thread(void *arg)
{
	void *buf = vmalloc(SWB_REC_PAYLOAD_MAX);
	long left = (long)arg;

	while (buf && left-- && !failures && !(hold_c && full))
		write_once(buf);
	vfree(buf);
	complete(&writer_done);
	return 0;
}

static void write_many(int n)
{
	struct task_struct *task;
	int i, started = 0;

	full = false;
	for (i = 0; i < threads; i++) {
		task = kthread_run(writer_thread, (void *)(long)(n / threads),
				   "walmodel_w%d", i);
		started += !IS_ERR(task);
	}
	while (started--)
		wait_for_completion(&writer_done);
}

/* Until everything is durable. Return: the head. */
static u64 settle(void)
{
	u64 head = 0;
	bool done;
	int i;

	for (i = 0; i < STUCK_TRIES; i++) {
		spin_lock_irq(&lock);
		head = core->log.head;
		done = core->log.durable == head;
		spin_unlock_irq(&lock);
		if (done)
			return head;
		schedule_timeout_uninterruptible(2);
	}
	BAD("never at rest: log to %llu, written %llu, durable %llu, %u in flight",
	    head, log.written_lsn, core->log.durable, log.inflight);
	return head;
}

/* ---- reading ------------------------------------------------------------------- */

enum place { IN_EXTENT, IN_MEMORY, IN_RING, ZEROES };

static enum place look_up(u32 b, u64 *tag, u64 *lsn, u32 *off,
			  struct swb_group **group)
{
	u64 sector = (u64)b * block >> SECTOR_SHIFT;
	enum place where = IN_EXTENT;
	struct swb_range *r;
	struct swb_ent *e;

	spin_lock_irq(&lock);
	*tag = expected[b];
	r = swb_dirty_find(&dirty, sector);
	if (!r || r->start > sector)
		goto unlock;
	where = ZEROES;
	if (r->zeroes)
		goto unlock;
	*lsn = r->lsn;
	*off = r->payload_off + ((sector - r->start) << SECTOR_SHIFT);
	e = swb_wal_find(&log, r->lsn);
	*group = e ? e->group : NULL;
	if (*group)
		swb_group_get(*group);
	where = *group ? IN_MEMORY : IN_RING;
unlock:
	spin_unlock_irq(&lock);
	return where;
}

static void copy_out(const struct swb_group *g, u32 off, void *dst)
{
	u32 left = block, n;

	for (; left; left -= n, off += n, dst += n) {
		n = min_t(u32, left, PAGE_SIZE - offset_in_page(off));
		memcpy(dst, page_address(g->page[off >> PAGE_SHIFT]) +
		       offset_in_page(off), n);
	}
}

static int read_block(u32 b, void *buf, u64 *tag)
{
	struct swb_group *g = NULL;
	u32 off = 0;
	u64 lsn = 0;

again:
	switch (look_up(b, tag, &lsn, &off, &g)) {
	case IN_EXTENT:
		atomic_inc(&seen.extent);
		return swb_store_read(&data_store, core->d.extent_offset +
				      (u64)b * block, buf, block);
	case ZEROES:
		memset(buf, 0, block);
		return 0;
	case IN_RING:
		atomic_inc(&seen.ring);
		g = b & 1 ? swb_wal_load_run(&log, lsn) : swb_wal_load(&log, lsn);
		if (g == ERR_PTR(-ENOENT))
			goto again;	/* written back meanwhile */
		if (IS_ERR(g))
			return PTR_ERR(g);
		break;
	case IN_MEMORY:
		atomic_inc(&seen.memory);
		break;
	}
	copy_out(g, off, buf);
	swb_group_put(g);
	return 0;
}

static void check_all(const char *when)
{
	void *buf = kmalloc(block, GFP_KERNEL);
	int err, before = failures;
	u64 tag;
	u32 b;

	for (b = 0; buf && b < BLOCKS; b++) {
		err = read_block(b, buf, &tag);
		if (err || !block_is(buf, b, tag))
			BAD("block %u: error %d or wrong contents", b, err);
		cond_resched();
	}
	kfree(buf);
	if (failures > before)
		pr_err("FAILED %s\n", when);
}

/* ---- situations ------------------------------------------------------------------ */

static int do_restart(void)
{
	u64 head = settle();
	int err;

	stop_member();
	err = restart(head);
	if (!err)
		check_all("after a restart");
	return err;
}

static void cut_core(u64 lsn)
{
	spin_lock_irq(&lock);
	core->log.head = lsn;
	core->log.written = min(core->log.written, lsn);
	core->log.durable = min(core->log.durable, lsn);
	core->log.generation++;
	swb_lineage_cut(&core->d.lineage, lsn);
	spin_unlock_irq(&lock);
}

static int do_cut(void)
{
	u64 head, floor, lsn;
	int err;

	hold_c = true;
	write_many(writes / 4);
	head = settle();
	swb_flusher_pause(&flusher);
	spin_lock_irq(&lock);
	floor = max3(core->d.extent_hi, core->log.committed,
		     log.priv->start - 1);
	spin_unlock_irq(&lock);
	lsn = floor + below(head - floor + 1);
	err = swb_wal_truncate(&log, lsn);
	if (!err) {
		cut_core(lsn);
		err = swb_super_save(&super, core, &lock);
	}
	swb_flusher_resume(&flusher);
	pr_info("cut: %llu to %llu: %d\n", head, lsn, err);
	expect_all_up_to(lsn);
	check_all("after a cut");
	if (!err && below(2)) {		/* the dead tail is what follows now */
		stop_member();
		err = restart(lsn);
		check_all("after a cut and a restart");
	} else if (!err) {
		err = open_epoch();
	}
	hold_c = false;
	return err;
}

/* A group above C, by chance. Return: where in the ring, and its first LSN. */
static bool choose_group(u64 *pos, u64 *first)
{
	struct swb_ent *e;
	bool found = false;
	u64 safe, i;

	spin_lock_irq(&lock);
	safe = max(core->d.extent_hi, core->log.committed);
	i = swb_waldir_search(&log, safe + 1);
	if (i < log.priv->next && swb_wal_ent(&log, i)->first_lsn <= safe)
		i++;
	if (i < log.priv->next) {
		e = swb_wal_ent(&log, i + below(log.priv->next - i));
		*first = e->first_lsn;
		*pos = e->pos + round_down(below(swb_ent_len(&log, e)), unit);
		found = true;
	}
	spin_unlock_irq(&lock);
	return found;
}

static int do_tear(void)
{
	u64 head, pos, first;
	void *junk;
	int err;

	hold_c = true;
	write_many(writes / 4);
	head = settle();
	junk = kmalloc(unit, GFP_KERNEL);
	if (!junk || !choose_group(&pos, &first)) {
		kfree(junk);
		hold_c = false;
		return 0;
	}
	stop_member();
	memset(junk, 0x5a, unit);
	err = swb_store_write(wal ? &wal_store : &data_store,
			      SWB_AREA_ALIGN + pos, junk, unit, 0);
	kfree(junk);
	hold_c = false;
	pr_info("tear: group of %llu, log to %llu\n", first, head);
	expect_all_up_to(first - 1);
	err = err ? err : restart(first - 1);
	if (!err)
		check_all("after a tear");
	return err;
}

static int do_something(void)
{
	switch (below(4)) {
	case 0:
		return do_restart();
	case 1:
		return do_cut();
	case 2:
		return do_tear();
	default:
		msleep(below(2) ? 0 : 600);	/* write-back of an idle log */
		check_all("at rest");
		return 0;
	}
}

/* ---- the run ---------------------------------------------------------------------- */

static int run(void)
{
	u64 head;
	int i, err;

	err = format();
	if (!err)
		err = start_member(&head);
	for (i = 0; i < rounds && !err && !failures; i++) {
		write_many(writes);
		if (below(2))
			check_all("while it is written back");
		settle();
		err = do_something();
		if (core->log.head > HISTORY_MAX - 2 * writes)
			break;
	}
	pr_info("%d rounds, %llu records, %d checkpoints, refused for ring %d, for memory %d; blocks read from memory %d, ring %d, extent %d\n",
		i, core->log.head, atomic_read(&seen.checkpoints),
		atomic_read(&seen.full), atomic_read(&seen.short_of_memory),
		atomic_read(&seen.memory), atomic_read(&seen.ring),
		atomic_read(&seen.extent));
	if (is_up)
		stop_member();
	return err;
}

static int with_disks(void)
{
	int err;

	err = swb_store_open(&data_store, data, &data_store);
	if (err)
		return err;
	if (wal)
		err = swb_store_open(&wal_store, wal, &wal_store);
	if (!err)
		err = swb_super_create(&super, &data_store);
	if (!err) {
		err = run();
		swb_super_destroy(&super);
	}
	swb_store_close(&wal_store);
	swb_store_close(&data_store);
	return err;
}

static int __init walmodel_init(void)
{
	int err = -ENOMEM;

	if (!data || !is_power_of_2(block) || !is_power_of_2(unit) ||
	    threads < 1 || writes < threads)
		return -EINVAL;
	swb_crc_init();
	prandom_seed_state(&chance, seed);
	history = vzalloc(array_size(HISTORY_MAX, sizeof(*history)));
	expected = vzalloc(array_size(BLOCKS, sizeof(*expected)));
	core = vzalloc(sizeof(*core));
	if (history && expected && core)
		err = with_disks();
	vfree(core);
	vfree(expected);
	vfree(history);
	swb_crc_exit();
	pr_info("seed %lu: %s (%d)\n", seed, err || failures ? "FAILED" : "ok",
		err);
	return failures ? -EBADMSG : err;
}

static void __exit walmodel_exit(void)
{
}

module_init(walmodel_init);
module_exit(walmodel_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("swblock: the storage layer against a model");
