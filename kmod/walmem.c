// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of the log: groups and payload pages, all of it allocated at create
 * time. Nothing here allocates on the path of a write; when memory runs short,
 * written groups leave it, oldest first (they can be read back from the ring).
 *
 * A payload page may still be held by a socket after the last reference to its
 * group is gone. It is reused only if we are the last to hold it; otherwise it is
 * given up, and a work item finds a new one.
 *
 * Loaders are a few groups with pages of their own, for reading back: catch-up
 * must get on even when all other memory is in use.
 *
 * Lock: the member's lock, but for swb_group_put(). Context: any under the lock;
 * create, destroy and the work items sleep.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include "walpriv.h"

static u32 pages_for(u32 payload_bytes)
{
	return DIV_ROUND_UP(payload_bytes, PAGE_SIZE);
}

/* ---- back to the pools ------------------------------------------------ */

static void give_page(struct swb_wal_priv *p, struct page *page)
{
	if (page_count(page) == 1) {
		p->pages[p->page_count++] = page;
		return;
	}
	put_page(page);
	p->pages_lost++;
	queue_work(system_wq, &p->refill_work);
}

static void free_group(struct swb_wal_priv *p, struct swb_group *g)
{
	u32 i;

	g->state = SWB_GROUP_FREE;
	if (g->loader) {
		list_add(&g->node, &p->free_loaders);
		return;
	}
	for (i = 0; i < g->npages; i++) {
		give_page(p, g->page[i]);
		g->page[i] = NULL;
	}
	g->npages = 0;
	list_add(&g->node, &p->free_groups);
}

/* Groups that were put since the last time. */
static void reclaim(struct swb_wal *w)
{
	struct llist_node *list = llist_del_all(&w->priv->dead);
	struct swb_group *g, *next;

	lockdep_assert_held(w->lock);
	llist_for_each_entry_safe(g, next, list, dead)
		free_group(w->priv, g);
}

void swb_group_put(struct swb_group *g)
{
	struct swb_wal_priv *p = g->wal->priv;

	if (!refcount_dec_and_test(&g->refs))
		return;
	llist_add(&g->dead, &p->dead);
	if (wq_has_sleeper(&p->wait))
		wake_up(&p->wait);
	if (READ_ONCE(p->space_wanted))
		queue_work(system_wq, &p->space_work);
}

static void space_fn(struct work_struct *work)
{
	swb_wal_freed(container_of(work, struct swb_wal_priv, space_work)->wal);
}

static void refill_fn(struct work_struct *work)
{
	struct swb_wal_priv *p =
		container_of(work, struct swb_wal_priv, refill_work);
	unsigned long flags;
	struct page *page;
	bool more = true;

	while (more) {
		page = alloc_page(GFP_NOIO);
		if (!page)
			return;		/* the next page that is lost tries again */
		spin_lock_irqsave(p->wal->lock, flags);
		if (p->pages_lost) {
			p->pages[p->page_count++] = page;
			p->pages_lost--;
			page = NULL;
		}
		more = p->pages_lost;
		spin_unlock_irqrestore(p->wal->lock, flags);
		if (page)
			__free_page(page);
	}
	swb_wal_freed(p->wal);
}

/* ---- out of memory: the oldest written groups leave it ------------------ */

static void evict(struct swb_wal *w, struct swb_group *g)
{
	swb_wal_ent(w, g->index)->group = NULL;
	list_del(&g->node);
	free_group(w->priv, g);
}

/* A group that somebody reads or sends stays; it goes to the end of the queue. */
static bool evict_one(struct swb_wal *w)
{
	struct swb_wal_priv *p = w->priv;
	struct swb_group *g;
	int tries = 16;

	while (tries--) {
		g = list_first_entry_or_null(&p->resident, struct swb_group, node);
		if (!g)
			return false;
		if (refcount_read(&g->refs) == 1) {
			evict(w, g);
			return true;
		}
		list_move_tail(&g->node, &p->resident);
	}
	return false;
}

static bool have(struct swb_wal *w, u32 groups, u32 pages)
{
	struct swb_wal_priv *p = w->priv;

	if (!llist_empty(&p->dead))
		reclaim(w);
	while ((groups && list_empty(&p->free_groups)) || p->page_count < pages)
		if (!evict_one(w))
			return false;
	return true;
}

/* ---- out of the pools ------------------------------------------------- */

static void reset_group(struct swb_group *g)
{
	list_del_init(&g->node);
	refcount_set(&g->refs, 1);
	g->state = SWB_GROUP_PRIVATE;
	g->error = 0;
	g->fillers = 0;
	g->first_lsn = 0;
	g->epoch = 0;
	g->nrec = 0;
	g->payload_bytes = 0;
	g->admitted_ns = 0;
}

static void fill_pages(struct swb_wal_priv *p, struct swb_group *g, u32 pages)
{
	while (g->npages < pages)
		g->page[g->npages++] = p->pages[--p->page_count];
}

struct swb_group *swb_walmem_take(struct swb_wal *w, u32 payload_bytes)
{
	struct swb_wal_priv *p = w->priv;
	u32 pages = pages_for(payload_bytes);
	struct swb_group *g;

	lockdep_assert_held(w->lock);
	if (!have(w, 1, pages))
		return NULL;
	g = list_first_entry(&p->free_groups, struct swb_group, node);
	reset_group(g);
	fill_pages(p, g, pages);
	return g;
}

bool swb_walmem_extend(struct swb_wal *w, struct swb_group *g, u32 payload_bytes)
{
	u32 pages = pages_for(payload_bytes);

	lockdep_assert_held(w->lock);
	if (pages > g->npages && !have(w, 0, pages - g->npages))
		return false;
	fill_pages(w->priv, g, pages);
	return true;
}

struct swb_group *swb_wal_group_get(struct swb_wal *w, u32 payload_bytes,
				    long timeout)
{
	struct swb_wal_priv *p = w->priv;
	struct swb_group *g;
	unsigned long flags;
	u64 seen;

	if (WARN_ON_ONCE(payload_bytes > SWB_GROUP_PAYLOAD_MAX))
		return NULL;
	for (;;) {
		spin_lock_irqsave(w->lock, flags);
		g = swb_walmem_take(w, payload_bytes);
		seen = p->freed_seq;
		if (!g)
			WRITE_ONCE(p->space_wanted, true);
		spin_unlock_irqrestore(w->lock, flags);
		if (g || timeout <= 0)
			return g;
		timeout = wait_event_idle_timeout(p->wait,
						  READ_ONCE(p->freed_seq) != seen ||
						  !llist_empty(&p->dead), timeout);
	}
}

/* ---- loaders ---------------------------------------------------------- */

/* Pages that a socket still holds are replaced. */
static bool refresh_loader(struct swb_group *g)
{
	u32 i;

	for (i = 0; i < SWB_GROUP_PAGES; i++) {
		if (g->page[i] && page_count(g->page[i]) == 1)
			continue;
		if (g->page[i])
			put_page(g->page[i]);
		g->page[i] = alloc_page(GFP_NOIO);
		if (!g->page[i])
			return false;
	}
	return true;
}

static struct swb_group *pop_loader(struct swb_wal *w)
{
	struct swb_group *g;
	unsigned long flags;

	spin_lock_irqsave(w->lock, flags);
	if (!llist_empty(&w->priv->dead))
		reclaim(w);
	g = list_first_entry_or_null(&w->priv->free_loaders, struct swb_group,
				     node);
	if (g)
		reset_group(g);
	spin_unlock_irqrestore(w->lock, flags);
	return g;
}

/* Waits up to 5 s for one to come back. Context: process, no lock. */
struct swb_group *swb_walmem_take_loader(struct swb_wal *w)
{
	struct swb_group *g = NULL;

	wait_event_idle_timeout(w->priv->wait, (g = pop_loader(w)), 5 * HZ);
	if (g && !refresh_loader(g)) {
		swb_group_put(g);
		g = NULL;
	}
	return g;
}

/* ---- checksums of what lies in pages ------------------------------------ */

u32 swb_group_crc(const struct swb_group *g, u32 off, u32 len)
{
	u32 crc = 0, n;

	while (len) {
		n = min_t(u32, len, PAGE_SIZE - offset_in_page(off));
		crc = swb_crc32c(crc, page_address(g->page[off >> PAGE_SHIFT]) +
				 offset_in_page(off), n);
		off += n;
		len -= n;
	}
	return crc;
}

/* ---- create and destroy ----------------------------------------------- */

static int create_loader(struct swb_group *g)
{
	u32 i;

	g->run = kvzalloc(sizeof(*g->run), GFP_KERNEL);
	if (!g->run)
		return -ENOMEM;
	for (i = 0; i < SWB_RUN_MAX; i++) {
		g->run->header[i] = (void *)__get_free_page(GFP_KERNEL);
		if (!g->run->header[i])
			return -ENOMEM;
	}
	for (i = 0; i < SWB_GROUP_PAGES; i++) {
		g->page[i] = alloc_page(GFP_KERNEL);
		if (!g->page[i])
			return -ENOMEM;
	}
	return 0;
}

static void destroy_loader(struct swb_group *g)
{
	u32 i;

	for (i = 0; g->run && i < SWB_RUN_MAX; i++)
		free_page((unsigned long)g->run->header[i]);
	kvfree(g->run);
}

static int create_groups(struct swb_wal *w, u32 count)
{
	struct swb_wal_priv *p = w->priv;
	struct swb_group *g;
	u32 i;

	p->groups = kvcalloc(count, sizeof(*p->groups), GFP_KERNEL);
	if (!p->groups)
		return -ENOMEM;
	p->group_count = count;
	for (i = 0; i < count; i++) {
		g = &p->groups[i];
		g->wal = w;
		g->loader = i >= count - SWB_WAL_LOADERS;
		g->header = (void *)get_zeroed_page(GFP_KERNEL);
		if (!g->header)
			return -ENOMEM;
		list_add_tail(&g->node, g->loader ? &p->free_loaders :
						    &p->free_groups);
		if (g->loader && create_loader(g))
			return -ENOMEM;
	}
	return 0;
}

static int create_pages(struct swb_wal_priv *p, u32 count)
{
	struct page *page;

	p->pages = kvcalloc(count, sizeof(*p->pages), GFP_KERNEL);
	if (!p->pages)
		return -ENOMEM;
	p->page_max = count;
	while (p->page_count < count) {
		page = alloc_page(GFP_KERNEL);
		if (!page)
			return -ENOMEM;
		p->pages[p->page_count++] = page;
	}
	return 0;
}

int swb_walmem_create(struct swb_wal *w, u64 memory_bytes)
{
	struct swb_wal_priv *p = w->priv;
	u32 pages, groups;
	int err;

	INIT_LIST_HEAD(&p->free_groups);
	INIT_LIST_HEAD(&p->free_loaders);
	INIT_LIST_HEAD(&p->resident);
	init_llist_head(&p->dead);
	INIT_WORK(&p->refill_work, refill_fn);
	INIT_WORK(&p->space_work, space_fn);
	pages = clamp_t(u64, memory_bytes / PAGE_SIZE, 4 * SWB_GROUP_PAGES, 1 << 20);
	groups = clamp_t(u32, pages / 8, 64, 4096) + SWB_WAL_LOADERS;
	err = create_groups(w, groups);
	return err ? err : create_pages(p, pages);
}

void swb_walmem_destroy(struct swb_wal *w)
{
	struct swb_wal_priv *p = w->priv;
	struct swb_group *g;
	u32 i, j;

	for (i = 0; i < p->group_count; i++) {
		g = &p->groups[i];
		free_page((unsigned long)g->header);
		destroy_loader(g);
		for (j = 0; j < SWB_GROUP_PAGES; j++)
			if (g->page[j])
				put_page(g->page[j]);
	}
	kvfree(p->groups);
	for (i = 0; i < p->page_count; i++)
		put_page(p->pages[i]);
	kvfree(p->pages);
}
