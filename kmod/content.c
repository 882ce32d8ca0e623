// SPDX-License-Identifier: GPL-2.0-only
/*
 * What this member holds, whatever its role: index, log and extent together, read
 * into a buffer. Upper reads have their own path (read.c), which must not wait.
 *
 * Lock: volume->lock for the index. Context: process; waits for the disk.
 */
#include <linux/delay.h>
#include <linux/highmem.h>
#include "content.h"

#define LOAD_TRIES	100
#define LOAD_PAUSE_MS	10

enum where {
	IN_MEMORY,
	IN_ZEROES,
	IN_EXTENT,
	IN_RING,
};

struct part {
	enum where where;
	u32 len;
	u32 off;
	u64 lsn;
	struct swb_group *group;
};

static void look_up(struct swb_volume *v, u64 sector, u32 left, struct part *p)
{
	u64 end = sector + (left >> SECTOR_SHIFT);
	struct swb_range *r;
	struct swb_ent *ent;
	unsigned long flags;

	p->where = IN_EXTENT;
	p->group = NULL;
	spin_lock_irqsave(&v->lock, flags);
	r = swb_dirty_find(&v->dirty, sector);
	if (r && r->start > sector) {
		end = min(end, r->start);
	} else if (r) {
		end = min(end, r->end);
		p->lsn = r->lsn;
		p->off = r->payload_off + ((sector - r->start) << SECTOR_SHIFT);
		p->where = r->zeroes ? IN_ZEROES : IN_RING;
		ent = r->zeroes ? NULL : swb_wal_find(&v->wal, r->lsn);
		if (ent && ent->group) {
			p->where = IN_MEMORY;
			p->group = ent->group;
			refcount_inc(&p->group->refs);
		}
	}
	spin_unlock_irqrestore(&v->lock, flags);
	p->len = (end - sector) << SECTOR_SHIFT;
}

static void copy_group(const struct part *p, void *buf)
{
	u32 off = p->off, left = p->len, n;
	void *src;

	for (; left; left -= n, off += n, buf += n) {
		n = min_t(u32, left, PAGE_SIZE - offset_in_page(off));
		src = kmap_local_page(p->group->page[off >> PAGE_SHIFT]);
		memcpy(buf, src + offset_in_page(off), n);
		kunmap_local(src);
	}
}

/* -EAGAIN: it left the ring meanwhile, ask the index again. */
static int load_part(struct swb_volume *v, struct part *p, void *buf)
{
	int tries = 0;

	do {
		p->group = swb_wal_load(&v->wal, p->lsn);
		if (!IS_ERR(p->group)) {
			copy_group(p, buf);
			swb_group_put(p->group);
			return 0;
		}
		if (PTR_ERR(p->group) == -ENOENT)
			return -EAGAIN;
		if (PTR_ERR(p->group) != -ENOBUFS && PTR_ERR(p->group) != -EAGAIN)
			return PTR_ERR(p->group);
		msleep(LOAD_PAUSE_MS);
	} while (++tries < LOAD_TRIES);
	return -EIO;
}

/* The LSN at which somebody else must hold this part to be as good as we are. */
static u64 need_of(struct swb_volume *v, const struct part *p)
{
	unsigned long flags;
	u64 need;

	if (p->where != IN_EXTENT)
		return p->lsn;
	spin_lock_irqsave(&v->lock, flags);
	need = swb_core_lend_need(&v->core);
	spin_unlock_irqrestore(&v->lock, flags);
	return need;
}

static int read_part(struct swb_volume *v, u64 sector, struct part *p, void *buf)
{
	switch (p->where) {
	case IN_MEMORY:
		copy_group(p, buf);
		swb_group_put(p->group);
		return 0;
	case IN_ZEROES:
		memset(buf, 0, p->len);
		return 0;
	case IN_EXTENT:
		return swb_store_read(&v->data, v->core.d.extent_offset +
				      (sector << SECTOR_SHIFT), buf, p->len);
	case IN_RING:
		return load_part(v, p, buf);
	}
	return -EIO;
}

int swb_content_borrow(struct swb_volume *v, u64 sector, void *buf, u32 len,
		       swb_content_lender lender)
{
	struct part p;
	int err;

	while (len) {
		look_up(v, sector, len, &p);
		err = read_part(v, sector, &p, buf);
		if (err == -EAGAIN)
			continue;
		if (err && lender)
			err = lender(v, sector, buf, p.len, need_of(v, &p));
		if (err)
			return err;
		sector += p.len >> SECTOR_SHIFT;
		buf += p.len;
		len -= p.len;
	}
	return 0;
}

int swb_content_read(struct swb_volume *v, u64 sector, void *buf, u32 len)
{
	return swb_content_borrow(v, sector, buf, len, NULL);
}
