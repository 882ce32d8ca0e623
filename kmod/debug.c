// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a volume is doing, in debugfs: its state, and every request in flight with
 * its age. Copied under the lock, told without it: a reader that is slow holds
 * nothing but its own page.
 *
 * Must not change anything, nor wait for anything of the volume.
 *
 * Lock: volume->lock, for a bounded copy. Context: process. debugfs lets nobody in
 * once swb_debug_remove() has returned, so the volume needs no reference here.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include "core/text.h"
#include "debug.h"
#include "peer.h"
#include "status.h"
#include "write.h"

/* of one list: so long the lock is held, and nobody reads further */
#define SHOW_MAX	128

static struct dentry *root;

static void put_ms(struct seq_file *m, u64 ns)
{
	seq_printf(m, "%llu.%03llu ms", ns / NSEC_PER_MSEC,
		   ns % NSEC_PER_MSEC / NSEC_PER_USEC);
}

static void put_name(struct seq_file *m, const struct swb_status *st)
{
	const struct swb_durable *d = &st->core.d;

	seq_printf(m, "%*pE/%*pE id %u swblock%d\n",
		   (int)strnlen(d->volume_label, SWB_LABEL_BYTES),
		   d->volume_label,
		   (int)strnlen(d->replica_label, SWB_LABEL_BYTES),
		   d->replica_label, st->id, st->minor);
}

/* ---- state -------------------------------------------------------------- */

/**
 * struct link_state - a link at one moment
 * @there: there is one
 * @closing: its last words are being said
 * @pending: 1 << SWB_SEND_*, not sent yet
 */
struct link_state {
	bool there;
	bool closing;
	unsigned long pending;
};

/**
 * struct more - what the status of a volume does not carry
 * @now_ns: CLOCK_BOOTTIME when it was taken
 * @ring: where the log is written
 * @link: links by member index
 */
struct more {
	u64 now_ns;
	struct swb_ring ring;
	struct link_state link[SWB_MEMBERS_MAX];
};

static void take_more(struct swb_volume *v, struct more *more)
{
	unsigned long flags;
	u32 i;

	memset(more, 0, sizeof(*more));
	spin_lock_irqsave(&v->lock, flags);
	more->ring = v->wal.ring;
	for (i = 0; i < SWB_MEMBERS_MAX; i++) {
		if (!v->link[i])
			continue;
		more->link[i].there = true;
		more->link[i].closing = v->link[i]->closing;
		more->link[i].pending = v->link[i]->pending;
	}
	spin_unlock_irqrestore(&v->lock, flags);
	more->now_ns = ktime_get_boottime_ns();
}

static void put_conditions(struct seq_file *m, u32 conditions)
{
	u32 bit;

	seq_puts(m, "conditions");
	for (bit = 1; bit; bit <<= 1)
		if (conditions & bit)
			seq_printf(m, " %s", swb_text_condition(bit));
	seq_putc(m, '\n');
}

static void put_lease(struct seq_file *m, u64 end_ns, u64 now_ns)
{
	if (!end_ns) {
		seq_puts(m, "lease none\n");
		return;
	}
	seq_puts(m, end_ns > now_ns ? "lease ends in " : "lease ended before ");
	put_ms(m, end_ns > now_ns ? end_ns - now_ns : now_ns - end_ns);
	seq_putc(m, '\n');
}

static const char *io_text(u8 io)
{
	switch ((enum swb_io_state)io) {
	case SWB_IO_REFUSED:
		return "refused";
	case SWB_IO_OPEN:
		return "open";
	case SWB_IO_HELD:
		return "held";
	}
	return "?";
}

static void put_core(struct seq_file *m, const struct swb_core *c)
{
	seq_printf(m, "role %s epoch %llu opened %llu mode %s policy %s self %u primary %u\n",
		   swb_text_role(c->role), c->d.epoch, c->d.opened,
		   swb_text_mode(c->config.mode),
		   swb_text_policy(c->config.policy), c->self, c->primary);
	seq_printf(m, "stages adopt %u open %u truncating %d flushing %d rebuild %u stale_openers %d\n",
		   c->adopt, c->open, c->truncating, c->flushing, c->rebuild,
		   c->stale_openers);
	seq_printf(m, "log start %llu head %llu written %llu durable %llu committed %llu\n",
		   c->log.start, c->log.head, c->log.written, c->log.durable,
		   c->log.committed);
	seq_printf(m, "done writes %llu barriers %llu written_back %llu extent %llu..%llu\n",
		   c->completed, c->barriers_done, c->written_back,
		   c->d.extent_lo, c->d.extent_hi);
	seq_printf(m, "cases local %c promote %c\n", c->local_letter ?: '-',
		   c->promote_letter ?: '-');
}

static void put_refused(struct seq_file *m, const struct swb_core *c)
{
	u32 i;

	seq_puts(m, "refused");
	for (i = 0; i < ARRAY_SIZE(c->refused); i++)
		if (c->refused[i])
			seq_printf(m, " %s %llu", swb_text_reason(i),
				   c->refused[i]);
	seq_putc(m, '\n');
}

static void put_peer(struct seq_file *m, const struct swb_status *st,
		     const struct more *more, u32 i)
{
	const struct swb_core_peer *p = &st->core.peer[i];
	const struct link_state *l = &more->link[i];

	seq_printf(m, "peer %u %pUb state %s required %u case %c reason %s session %llu\n",
		   i, st->core.config.member[i].b, swb_text_peer_state(p->state),
		   st->core.config.required >> i & 1, p->letter ?: '-',
		   swb_text_reason(p->reason), p->session);
	seq_printf(m, "peer %u received %llu written %llu durable %llu cursor %llu target %llu match %llu pin %llu\n",
		   i, p->received, p->written, p->durable, p->cursor, p->target,
		   p->match_lsn, p->pin_lsn);
	seq_printf(m, "peer %u link %s pending %#lx behind %llu bytes, ", i,
		   !l->there ? "none" : l->closing ? "closing" : "up",
		   l->pending, st->behind_bytes[i]);
	put_ms(m, st->behind_ns[i]);
	seq_puts(m, ", heard ");
	put_ms(m, more->now_ns > p->heard_ns ? more->now_ns - p->heard_ns : 0);
	seq_puts(m, " ago\n");
}

static void put_state(struct seq_file *m, const struct swb_status *st,
		      const struct more *more)
{
	const struct swb_core *c = &st->core;
	const struct swb_ring *r = &more->ring;
	u32 i;

	put_name(m, st);
	put_core(m, c);
	put_conditions(m, st->conditions);
	put_lease(m, c->lease_end_ns, more->now_ns);
	seq_printf(m, "io %s inflight %u parked %u openers %u\n", io_text(c->io),
		   st->inflight, st->parked, c->openers);
	seq_printf(m, "ring bytes %llu used %llu write_pos %llu tail_pos %llu seq %llu incarnation %llu\n",
		   r->bytes, r->used, r->write_pos, r->tail_pos, r->seq,
		   r->incarnation);
	put_refused(m, c);
	for (i = 0; i < c->config.member_count; i++)
		if (i != c->self)
			put_peer(m, st, more, i);
}

static int state_show(struct seq_file *m, void *unused)
{
	struct swb_volume *v = m->private;
	struct more *more = kmalloc(sizeof(*more), GFP_KERNEL);
	struct swb_status *st = swb_status_take(v);
	int err = -ENOMEM;

	if (st && more) {
		take_more(v, more);
		put_state(m, st, more);
		err = 0;
	}
	kfree(st);
	kfree(more);
	return err;
}
DEFINE_SHOW_ATTRIBUTE(state);

/* ---- requests in flight ------------------------------------------------- */

/**
 * struct request - an upper request at one moment
 * @age_ns: since it came
 * @lsn: what it waits for, 0 = has none
 * @sector: where
 * @bytes: how much
 * @opf: of its bio
 * @waits: for what
 */
struct request {
	u64 age_ns;
	u64 lsn;
	u64 sector;
	u32 bytes;
	blk_opf_t opf;
	const char *waits;
};

/**
 * struct requests - all of them
 * @now_ns: CLOCK_BOOTTIME when they were looked at
 * @count: in @one
 * @more: some list was longer than SHOW_MAX
 * @one: list by list, oldest first in each
 */
struct requests {
	u64 now_ns;
	u32 count;
	bool more;
	struct request one[6 * SHOW_MAX];
};

static const char *write_waits(const struct swb_core *c, u64 lsn)
{
	if (c->hold)
		return "held";
	return lsn > c->log.written ? "log" : "ack";
}

static const char *barrier_waits(const struct swb_core *c, u64 lsn)
{
	if (c->hold)
		return "held";
	if (lsn > c->log.written)
		return "log";
	return lsn > c->log.durable ? "flush" : "commit";
}

/* @waits: NULL for what has an LSN, which tells it. */
static void take_list(struct swb_volume *v, struct requests *all,
		      struct list_head *list, const char *waits)
{
	bool barriers = list == &v->io.barriers;
	struct request *r;
	struct swb_req *req;
	u32 n = 0;

	lockdep_assert_held(&v->lock);
	list_for_each_entry(req, list, node) {
		if (n++ == SHOW_MAX) {
			all->more = true;
			break;
		}
		r = &all->one[all->count++];
		r->age_ns = all->now_ns > req->admitted_ns ?
			    all->now_ns - req->admitted_ns : 0;
		r->lsn = waits ? 0 : req->lsn;
		/* on a list, so its bio has not ended */
		r->sector = req->bio->bi_iter.bi_sector;
		r->bytes = req->bio->bi_iter.bi_size;
		r->opf = req->bio->bi_opf;
		r->waits = waits ?: barriers ? barrier_waits(&v->core, req->lsn) :
					       write_waits(&v->core, req->lsn);
	}
}

static void take_requests(struct swb_volume *v, struct requests *all)
{
	unsigned long flags;

	all->count = 0;
	all->more = false;
	spin_lock_irqsave(&v->lock, flags);
	all->now_ns = ktime_get_boottime_ns();
	take_list(v, all, &v->io.reads, "disk");
	take_list(v, all, &v->io.writes, NULL);
	take_list(v, all, &v->io.barriers, NULL);
	take_list(v, all, &v->io.held_reads, "mend");
	take_list(v, all, &v->io.parked, "admission");
	take_list(v, all, &v->io.parked_reads, "admission");
	spin_unlock_irqrestore(&v->lock, flags);
}

static const char *op_text(blk_opf_t opf)
{
	switch (opf & REQ_OP_MASK) {
	case REQ_OP_READ:
		return "read";
	case REQ_OP_WRITE:
		return "write";
	case REQ_OP_FLUSH:
		return "flush";
	case REQ_OP_DISCARD:
		return "discard";
	case REQ_OP_WRITE_ZEROES:
		return "zeroes";
	}
	return "?";
}

static void put_request(struct seq_file *m, const struct request *r)
{
	const char *op = op_text(r->opf);

	/* a flush comes as an empty write */
	if (!r->bytes)
		op = "flush";
	seq_printf(m, "%s%s%s sector %llu bytes %u lsn %llu waits %s age ", op,
		   r->bytes && (r->opf & REQ_PREFLUSH) ? "+preflush" : "",
		   r->opf & REQ_FUA ? "+fua" : "", r->sector, r->bytes, r->lsn,
		   r->waits);
	put_ms(m, r->age_ns);
	seq_putc(m, '\n');
}

static int inflight_show(struct seq_file *m, void *unused)
{
	struct swb_volume *v = m->private;
	struct requests *all = kvmalloc(sizeof(*all), GFP_KERNEL);
	u32 i;

	if (!all)
		return -ENOMEM;
	take_requests(v, all);
	for (i = 0; i < all->count; i++)
		put_request(m, &all->one[i]);
	if (all->more)
		seq_printf(m, "more: %u of each kind are told\n", SHOW_MAX);
	kvfree(all);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(inflight);

/* ---- lifetime ------------------------------------------------------------ */

void swb_debug_add(struct swb_volume *v)
{
	char name[16];

	snprintf(name, sizeof(name), "%u", v->id);
	v->debug = debugfs_create_dir(name, root);
	debugfs_create_file("state", 0400, v->debug, v, &state_fops);
	debugfs_create_file("inflight", 0400, v->debug, v, &inflight_fops);
}

void swb_debug_remove(struct swb_volume *v)
{
	debugfs_remove_recursive(v->debug);
	v->debug = NULL;
}

void swb_debug_init(void)
{
	root = debugfs_create_dir("swblock", NULL);
}

void swb_debug_exit(void)
{
	debugfs_remove_recursive(root);
}
