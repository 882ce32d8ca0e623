// SPDX-License-Identifier: GPL-2.0-only
/*
 * Local recovery: reads the ring from the superblock's tail, lets core/recover.c
 * judge each group, fills directory and index with what is live, and makes the
 * end that was found an end for ever: flush, raised incarnation, log_end. Decides
 * nothing itself.
 *
 * Lock: none needed, nobody else uses the log yet; w->lock is taken by what is
 * called. Context: process, at attach; waits for the disk.
 */
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "core/recover.h"
#include "idle.h"
#include "replay.h"
#include "walpriv.h"

#define WINDOW_BYTES	(1024 * 1024)	/* more than the largest group */

/**
 * struct replay - a recovery under way
 * @w: log to fill
 * @scan: the judge
 * @window: bytes of the ring
 * @window_pos: from here on
 * @window_len: how many; 0: none
 * @ent: last accepted group, not yet in the directory: the next may cut it short
 * @rec: its records
 * @held: there is such a group
 * @extent_lo: what the extent already holds is not indexed
 */
struct replay {
	struct swb_wal *w;
	struct swb_scan scan;
	void *window;
	u64 window_pos;
	u32 window_len;
	struct swb_ent ent;
	struct swb_disk_rec rec[SWB_GROUP_RECS_MAX];
	bool held;
	u64 extent_lo;
};

/*
 * The ring from @pos on, at least @want bytes unless the ring ends before; *len
 * says how many there are.
 */
static void *look(struct replay *rp, u64 pos, u32 want, u32 *len, int *err)
{
	struct swb_wal *w = rp->w;
	u64 to_end = rp->scan.d.ring_bytes - pos;

	want = min_t(u64, want, to_end);
	if (!rp->window_len || pos < rp->window_pos ||
	    pos + want > rp->window_pos + rp->window_len) {
		rp->window_pos = pos;
		rp->window_len = min_t(u64, WINDOW_BYTES, to_end);
		*err = swb_store_read(w->store, w->ring_offset + pos, rp->window,
				      rp->window_len);
		if (*err)
			return NULL;
	}
	*len = rp->window_pos + rp->window_len - pos;
	return rp->window + (pos - rp->window_pos);
}

/* Every record of the group, dead ones too: decodes, and its payload is right. */
static bool records_ok(struct replay *rp, const struct swb_disk_group *h,
		       const void *payload)
{
	const struct swb_group_info *g = &rp->scan.group;
	struct swb_rec rec;
	u32 off = 0, i;

	for (i = 0; i < g->nrec; i++) {
		if (!swb_codec_rec_decode(&h->rec[i], rp->scan.d.extent_bytes,
					  rp->scan.d.block_bytes, &rec))
			return false;
		if (rec.type != SWB_REC_WRITE)
			continue;
		if (rec.len_bytes > g->payload_bytes - off ||
		    swb_crc32c(0, payload + off, rec.len_bytes) != rec.crc)
			return false;
		off += rec.len_bytes;
	}
	return off == g->payload_bytes;
}

/* The group held back is as long as it will ever be. */
static int release_held(struct replay *rp)
{
	if (!rp->held)
		return 0;
	rp->held = false;
	return swb_wal_replay_group(rp->w, &rp->ent, rp->rec, rp->extent_lo);
}

static int accept(struct replay *rp, const struct swb_disk_group *h, u64 used)
{
	const struct swb_group_info *g = &rp->scan.group;
	struct swb_ent *e = &rp->ent;
	int err;

	if (rp->held && rp->scan.overlap_from)
		e->nrec = min_t(u64, e->nrec,
				rp->scan.overlap_from - e->first_lsn);
	err = release_held(rp);
	if (err)
		return err;
	memset(e, 0, sizeof(*e));
	e->first_lsn = g->first_lsn;
	e->nrec = rp->scan.live_nrec;
	e->epoch = g->epoch;
	e->pos = rp->scan.pos;
	e->seq = g->seq;
	e->prev_crc = g->prev_crc;
	e->crc = g->crc;
	e->header_bytes = g->header_bytes;
	e->payload_bytes = g->payload_bytes;
	e->bytes = rp->scan.ring.used - used;
	e->written = true;
	memcpy(rp->rec, h->rec, g->nrec * sizeof(h->rec[0]));
	rp->held = true;
	return 0;
}

/* Return: 1 the scan goes on, 0 it has ended, or an error of the disk. */
static int scan_one(struct replay *rp)
{
	struct swb_scan *s = &rp->scan;
	u64 used = s->ring.used;
	bool ok, opens;
	void *buf;
	u32 len;
	int err = 0;

	buf = look(rp, s->try_pos, SWB_GROUP_HEADER_MAX, &len, &err);
	if (!buf)
		return err;
	len = min_t(u32, len, SWB_GROUP_HEADER_MAX);
	switch (swb_scan_header(s, buf, len)) {
	case SWB_SCAN_RETRY:
		return 1;
	case SWB_SCAN_STOP:
		return 0;
	case SWB_SCAN_NEXT:
		break;
	}
	buf = look(rp, s->pos, s->group.header_bytes + s->group.payload_bytes,
		   &len, &err);
	if (!buf)
		return err;
	ok = len >= s->group.header_bytes + s->group.payload_bytes &&
	     records_ok(rp, buf, buf + s->group.header_bytes);
	opens = ((struct swb_disk_group *)buf)->rec[0].type == SWB_REC_OPEN;
	if (!swb_scan_payload(s, ok, opens))
		return 0;
	err = accept(rp, buf, used);
	return err ? err : 1;
}

static int scan_ring(struct replay *rp, const struct swb_durable *d)
{
	int more;

	swb_scan_begin(&rp->scan, d);
	do {
		more = scan_one(rp);
		cond_resched();
	} while (more > 0);
	return more ? more : release_held(rp);
}

static bool area_fits(const struct swb_store *st, u64 offset, u64 bytes)
{
	return offset <= st->bytes && bytes <= st->bytes - offset;
}

/* Return: 1 it fits, 0 it does not, or an error of the disk. */
static int geometry_fits(struct swb_wal *w, struct swb_store *data,
			 const struct swb_durable *d)
{
	bool separate = d->flags & SWB_SUPER_WAL_SEPARATE;
	bool together = w->store == data;
	int err = 0;

	if (!area_fits(w->store, d->ring_offset, d->ring_bytes) ||
	    !area_fits(data, d->extent_offset, d->extent_bytes) ||
	    d->ring_unit < w->store->logical_bytes ||
	    d->block_bytes < data->logical_bytes ||
	    separate == together)
		return 0;
	if (separate)
		err = swb_super_check_wal(w->store, d);
	return err == -EUCLEAN ? 0 : err ? err : 1;
}

/* What was found is the log from now on, and stays so (P4, P17b). */
static int seal_end(struct swb_wal *w, struct swb_super *super,
		    struct swb_durable *d, struct swb_scan *s)
{
	int err;

	err = swb_store_flush(w->store);
	if (!err && super->store != w->store)
		err = swb_store_flush(super->store);
	if (err)
		return err;
	d->lineage = s->lineage;
	d->incarnation = max(d->incarnation, s->last_incarnation) + 1;
	d->log_end = s->head;
	d->generation++;
	swb_idle_lock(&super->mutex);
	err = swb_super_store(super, d);
	mutex_unlock(&super->mutex);
	if (err)
		return err;
	s->ring.incarnation = d->incarnation;
	swb_wal_replay_end(w, &s->ring, d->tail_lsn, s->head);
	return 0;
}

static int recover(struct replay *rp, struct swb_super *super,
		   struct swb_durable *d, struct swb_recovered *r)
{
	struct swb_recover_facts facts = { .slot = true };
	enum swb_recover_verdict verdict;
	int fits, err = 0;

	fits = geometry_fits(rp->w, super->store, d);
	if (fits < 0)
		return fits;
	swb_scan_begin(&rp->scan, d);
	if (fits && !(d->flags & SWB_SUPER_DISK_FAILED)) {
		rp->w->ring_offset = d->ring_offset;
		rp->extent_lo = d->extent_lo;
		err = swb_wal_dir_create(rp->w, d);
		if (!err)
			err = scan_ring(rp, d);
		if (err)
			return err;
	}
	swb_scan_facts(&rp->scan, &facts);
	facts.fits = fits;
	verdict = swb_recover_decide(&facts, &r->letter);
	if (verdict == SWB_RECOVER_REFUSE)
		return -EUCLEAN;
	swb_scan_result(&rp->scan, r->letter, r);
	return seal_end(rp->w, super, d, &rp->scan);
}

int swb_replay(struct swb_wal *w, struct swb_super *super, struct swb_durable *d,
	       struct swb_recovered *r)
{
	struct replay *rp;
	int err = -ENOMEM;

	rp = kvzalloc(sizeof(*rp), GFP_KERNEL);
	if (!rp)
		return -ENOMEM;
	rp->w = w;
	rp->window = vmalloc(WINDOW_BYTES);
	if (rp->window)
		err = recover(rp, super, d, r);
	vfree(rp->window);
	kvfree(rp);
	return err;
}
