// SPDX-License-Identifier: GPL-2.0-only
/* Two images and a list of writes that are only in one of them. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "disk.h"

static u8 *map_bytes(u64 bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

void disk_create(struct disk *d, u64 bytes)
{
	memset(d, 0, sizeof(*d));
	d->bytes = bytes;
	d->view = map_bytes(bytes);
	d->stable = map_bytes(bytes);
	d->touched = calloc(bytes / DISK_PAGE + 1, 1);
	if (!d->touched)
		abort();
	d->end = &d->first;
	d->next_id = 1;
}

static void drop_pending(struct disk *d)
{
	while (d->first) {
		struct disk_write *w = d->first;

		d->first = w->next;
		free(w);
	}
	d->end = &d->first;
}

void disk_destroy(struct disk *d)
{
	if (!d->view)
		return;
	drop_pending(d);
	munmap(d->view, d->bytes);
	munmap(d->stable, d->bytes);
	free(d->touched);
	d->touched = NULL;
	d->view = NULL;
	d->stable = NULL;
}

static void note_change(struct disk *d, u64 from, u64 to)
{
	d->stable_changes++;
	if (d->changes < DISK_CHANGES) {
		d->change[d->changes].from = from;
		d->change[d->changes].to = to;
	}
	if (d->changes <= DISK_CHANGES)
		d->changes++;
}

static void to_medium(struct disk *d, u64 off, const void *data, u32 len)
{
	memcpy(d->stable + off, data, len);
	note_change(d, off, off + len);
}

bool disk_changed(const struct disk *d, u64 from, u64 to)
{
	if (d->changes > DISK_CHANGES)
		return true;
	for (u32 i = 0; i < d->changes; i++)
		if (d->change[i].from < to && from < d->change[i].to)
			return true;
	return false;
}

void disk_changes_seen(struct disk *d)
{
	d->changes = 0;
}

void disk_blank(struct disk *d)
{
	drop_pending(d);
	for (u64 at = 0; at < d->bytes; at += DISK_PAGE) {
		if (!d->touched[at / DISK_PAGE])
			continue;
		memset(d->view + at, 0, DISK_PAGE);
		memset(d->stable + at, 0, DISK_PAGE);
		d->touched[at / DISK_PAGE] = 0;
	}
	d->failed = false;
	d->bads = 0;
	note_change(d, 0, d->bytes);
}

static void go_astray(struct disk *d, struct disk_write *w)
{
	u64 span = d->lie_to - d->lie_from, at = w->off - d->lie_from;

	if (d->lie == DISK_HONEST || w->off < d->lie_from ||
	    w->off + w->len > d->lie_to)
		return;
	at = (at + span / 2) % span;
	if (d->lie == DISK_LOSES)
		w->len = 0;
	else
		w->off = d->lie_from + (at + w->len > span ? 0 : at);
	d->lie = DISK_HONEST;
}

u64 disk_submit(struct disk *d, u64 off, const void *data, u32 len)
{
	struct disk_write *w;

	swb_assert(off + len <= d->bytes && off + len >= off);
	w = malloc(sizeof(*w) + len);
	if (!w)
		abort();
	*w = (struct disk_write){ .id = d->next_id++, .off = off, .len = len };
	memcpy(w->data, data, len);
	go_astray(d, w);
	for (u64 at = w->off / DISK_PAGE; at * DISK_PAGE < w->off + w->len; at++)
		d->touched[at] = 1;
	*d->end = w;
	d->end = &w->next;
	return w->id;
}

static void make_good(struct disk *d, u64 off, u32 len)
{
	for (u32 i = 0; i < d->bads;) {
		if (d->bad[i] >= off && d->bad[i] < off + len)
			d->bad[i] = d->bad[--d->bads];
		else
			i++;
	}
}

void disk_make_bad(struct disk *d, u64 off)
{
	if (d->bads < DISK_BAD && !disk_is_bad(d, off))
		d->bad[d->bads++] = off;
}

bool disk_is_bad(const struct disk *d, u64 off)
{
	for (u32 i = 0; i < d->bads; i++)
		if (d->bad[i] == off)
			return true;
	return false;
}

void disk_complete(struct disk *d, u64 id)
{
	for (struct disk_write *w = d->first; w; w = w->next) {
		if (w->id != id)
			continue;
		w->done = true;
		memcpy(d->view + w->off, w->data, w->len);
		make_good(d, w->off, w->len);
		return;
	}
}

u64 disk_flush_begin(struct disk *d)
{
	u64 flush = ++d->flushes;

	for (struct disk_write *w = d->first; w; w = w->next)
		if (w->done && w->flush == 0)
			w->flush = flush;
	return flush;
}

void disk_flush_end(struct disk *d, u64 flush)
{
	struct disk_write **at = &d->first;

	while (*at) {
		struct disk_write *w = *at;

		if (w->flush == 0 || w->flush > flush) {
			at = &w->next;
			continue;
		}
		to_medium(d, w->off, w->data, w->len);
		*at = w->next;
		free(w);
	}
	d->end = at;
}

void disk_read(const struct disk *d, u64 off, void *buf, u32 len)
{
	swb_assert(off + len <= d->bytes && off + len >= off);
	memcpy(buf, d->view + off, len);
}

void disk_read_stable(const struct disk *d, u64 off, void *buf, u32 len)
{
	swb_assert(off + len <= d->bytes && off + len >= off);
	memcpy(buf, d->stable + off, len);
}

static void save_some(struct disk *d, struct disk_write *w, struct rng *r)
{
	for (u32 at = 0; at < w->len; at += SIM_SECTOR) {
		u32 n = w->len - at < SIM_SECTOR ? w->len - at : SIM_SECTOR;

		if (rng_chance(r, 500))
			to_medium(d, w->off + at, w->data + at, n);
	}
}

void disk_power_cut(struct disk *d, struct rng *r, enum disk_fate fate)
{
	u64 count = 0, whole = 0, at = 0;

	for (struct disk_write *w = d->first; w; w = w->next)
		count++;
	whole = fate == DISK_KEEP_PREFIX ? rng_below(r, count + 1) : 0;
	for (struct disk_write *w = d->first; w; w = w->next, at++) {
		bool all = fate == DISK_KEEP_ALL ||
			   (fate == DISK_KEEP_PREFIX && at < whole) ||
			   (fate == DISK_KEEP_WRITES && rng_chance(r, 500));

		if (all)
			to_medium(d, w->off, w->data, w->len);
		else if (fate == DISK_KEEP_SOME ||
			 (fate == DISK_KEEP_PREFIX && at == whole))
			save_some(d, w, r);
	}
	for (struct disk_write *w = d->first; w; w = w->next)
		memcpy(d->view + w->off, d->stable + w->off, w->len);
	drop_pending(d);
}

void disk_host_reset(struct disk *d, struct rng *r)
{
	struct disk_write **at = &d->first;

	while (*at) {
		struct disk_write *w = *at;

		w->flush = 0;
		if (!w->done && rng_chance(r, 500)) {
			w->done = true;
			memcpy(d->view + w->off, w->data, w->len);
		}
		if (w->done) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		free(w);
	}
	d->end = at;
}

void disk_rot(struct disk *d, u64 off, u8 bit)
{
	d->touched[off / DISK_PAGE] = 1;
	d->view[off] ^= (u8)(1u << (bit & 7));
	d->stable[off] ^= (u8)(1u << (bit & 7));
	note_change(d, off, off + 1);
}
