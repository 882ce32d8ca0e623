// SPDX-License-Identifier: GPL-2.0-only
/*
 * The index: which record holds the newest contents of a sector that the extent
 * does not hold yet. Knows LSNs and sectors, nothing of memory or of the ring.
 *
 * The tree is canonical: each sector belongs to the newest record that covers it,
 * and a record's neighbouring sectors are one range. So R records, with their 2R
 * ends, make at most 2R - 1 ranges, in whatever order they come:
 *
 *	insert 7:            [===============)
 *	tree before:    [5.......)  [9..)  [6.........)
 *	tree after:     [5...)[7....)[9..)[7.)[6......)
 *
 * Lock: the caller's. Context: any, but create and destroy sleep.
 */
#include <linux/slab.h>
#include <linux/mm.h>
#include "core/port.h"
#include "dirty.h"

static struct swb_range *range_of(struct rb_node *n)
{
	return rb_entry_safe(n, struct swb_range, node);
}

static struct swb_range *take_node(struct swb_dirty *d)
{
	struct rb_node *n = d->free;

	if (!n)
		return d->fresh < 2 * d->records_max ? &d->nodes[d->fresh++] :
						       NULL;
	d->free = n->rb_right;
	return range_of(n);
}

static void give_node(struct swb_dirty *d, struct swb_range *r)
{
	r->node.rb_right = d->free;
	d->free = &r->node;
}

int swb_dirty_create(struct swb_dirty *d, u32 records_max)
{
	memset(d, 0, sizeof(*d));
	d->nodes = kvcalloc(2 * (size_t)records_max, sizeof(*d->nodes), GFP_KERNEL);
	if (!d->nodes)
		return -ENOMEM;
	d->records_max = records_max;
	return 0;
}

void swb_dirty_destroy(struct swb_dirty *d)
{
	kvfree(d->nodes);
	memset(d, 0, sizeof(*d));
}

void swb_dirty_clear(struct swb_dirty *d)
{
	d->root = RB_ROOT;
	d->free = NULL;
	d->fresh = 0;
	d->records = 0;
	d->count = 0;
}

struct swb_range *swb_dirty_find(struct swb_dirty *d, u64 sector)
{
	struct rb_node *n = d->root.rb_node;
	struct swb_range *r, *found = NULL;

	while (n) {
		r = range_of(n);
		if (r->end > sector) {
			found = r;
			n = n->rb_left;
		} else {
			n = n->rb_right;
		}
	}
	return found;
}

struct swb_range *swb_dirty_next(struct swb_range *r)
{
	return range_of(rb_next(&r->node));
}

static void erase(struct swb_dirty *d, struct swb_range *r)
{
	rb_erase(&r->node, &d->root);
	d->count--;
	give_node(d, r);
}

/* No range of the tree overlaps [start, end). */
static bool link_range(struct swb_dirty *d, u64 start, u64 end, u64 lsn,
		       u32 payload_off, bool zeroes)
{
	struct rb_node **p = &d->root.rb_node, *parent = NULL;
	struct swb_range *r = take_node(d);

	if (!r)
		return false;
	r->start = start;
	r->end = end;
	r->lsn = lsn;
	r->payload_off = payload_off;
	r->zeroes = zeroes;
	while (*p) {
		parent = *p;
		p = start < range_of(parent)->start ? &parent->rb_left :
						      &parent->rb_right;
	}
	rb_link_node(&r->node, parent, p);
	rb_insert_color(&r->node, &d->root);
	d->count++;
	return true;
}

/* Where the data of @sector is, if @off is where that of @start is. */
static u32 payload_at(u32 off, u64 start, u64 sector)
{
	return off + (u32)((sector - start) << 9);
}

/* @r gives up what it has of [start, end). Return: false if it could not. */
static bool cut_out(struct swb_dirty *d, struct swb_range *r, u64 start, u64 end)
{
	u32 right_off = payload_at(r->payload_off, r->start, end);
	u64 right_end = r->end;

	if (r->start >= start && r->end <= end) {
		erase(d, r);
		return true;
	}
	if (r->start >= start) {	/* only a right part stays: order is kept */
		r->start = end;
		r->payload_off = right_off;
		return true;
	}
	if (right_end > end &&
	    !link_range(d, end, right_end, r->lsn, right_off, r->zeroes))
		return false;
	r->end = start;
	return true;
}

void swb_dirty_insert(struct swb_dirty *d, u64 start, u64 end, u64 lsn,
		      u32 payload_off, bool zeroes)
{
	struct swb_range *r, *next;
	u64 at = start, stop;
	bool ok = true;

	d->records++;
	/* what is older gives way: after this only newer ranges overlap */
	for (r = swb_dirty_find(d, start); r && r->start < end; r = next) {
		next = swb_dirty_next(r);
		if (r->lsn < lsn)
			ok &= cut_out(d, r, start, end);
	}
	for (r = swb_dirty_find(d, start); at < end; r = swb_dirty_next(r)) {
		stop = r && r->start < end ? r->start : end;
		if (stop > at)
			ok &= link_range(d, at, stop, lsn,
					 payload_at(payload_off, start, at),
					 zeroes);
		at = r && r->start < end ? r->end : end;
		if (at >= end)
			break;
	}
	swb_assert(ok);		/* admission keeps records <= records_max */
}

void swb_dirty_retire(struct swb_dirty *d, u64 start, u64 end, u64 lsn)
{
	struct swb_range *r, *next;

	for (r = swb_dirty_find(d, start); r && r->start < end; r = next) {
		next = swb_dirty_next(r);
		/* one that cannot be split stays whole: it is found too long */
		if (r->lsn <= lsn)
			cut_out(d, r, start, end);
	}
}

void swb_dirty_retired(struct swb_dirty *d, u32 n)
{
	swb_assert(n <= d->records);
	d->records -= min_t(u32, n, d->records);
}

int swb_dirty_grow(struct swb_dirty *d)
{
	struct swb_dirty bigger;
	struct swb_range *r;
	int err;

	err = swb_dirty_create(&bigger, 2 * d->records_max);
	if (err)
		return err;
	for (r = swb_dirty_find(d, 0); r; r = swb_dirty_next(r))
		link_range(&bigger, r->start, r->end, r->lsn, r->payload_off,
			   r->zeroes);
	bigger.records = d->records;
	kvfree(d->nodes);
	*d = bigger;
	return 0;
}
