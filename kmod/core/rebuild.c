// SPDX-License-Identifier: GPL-2.0-only
/*
 * Delta and rebuild: blocks are copied to a member whose log is no way back.
 * Both ends, and the base of the changed-block bitmap that a delta copies by.
 * From the mark to its end the target is no prefix of anything: it votes for
 * nothing and its acks count for nothing (P7, P10). Part of the step, and
 * leaves for the executor; the caller's lock covers both.
 *
 *	source  START(w, m, kind) ... BASE... BASE_END(W) ......... counts again
 *	target  mark durable -> stream, base blocks -> C, durable >= W
 *		-> extent flushed -> mark durably gone -> ack
 *
 * Two lanes, one order: the stream starts at w = extent_lo of the source + 1, so
 * a block of the extent, read at any time after that, lacks nothing below w and
 * holds nothing above the extent_hi sampled after the read. The stream brings
 * (w - 1, W] again, and what it has written already is not overwritten by a base
 * block. So with C and durable >= W, extent and log together are the state at W.
 */
#include "lineage.h"
#include "step.h"
#include "../format/wire.h"

/* ---- leaves: both ends -------------------------------------------------- */

enum swblock_reason swb_core_rebuild_allowed(const struct swb_core *c, u8 peer)
{
	if (!swb_is_primary(c))
		return SWBLOCK_REASON_NO_ROLE;
	if (!swb_session_is_peer(c, peer))
		return SWBLOCK_REASON_FOREIGN_REPLICA;
	if (c->config.mode == SWBLOCK_MODE_SYNC_ALL &&
	    swb_peer_required(&c->config, peer))
		return SWBLOCK_REASON_REQUIRED;		/* P10 vii */
	return SWBLOCK_REASON_NONE;
}

u64 swb_core_everywhere(const struct swb_core *c)
{
	u64 lsn = c->log.durable;
	u8 i;

	if (!swb_is_primary(c))
		return c->everywhere;
	for (i = 0; i < c->config.member_count; i++) {
		if (i == c->self)
			continue;
		if (c->peer[i].void_copy)
			return 0;
		lsn = min_t(u64, lsn, c->peer[i].durable);
	}
	return lsn;
}

bool swb_core_bitmap_raise(struct swb_core *c, u64 lo)
{
	struct swb_durable *d = &c->d;

	if (d->bitmap_lsn >= lo)
		return true;
	/* a void member is nobody's source: its bitmap begins when it is whole */
	if (!(d->flags & SWB_SUPER_INCONSISTENT) && swb_core_everywhere(c) < lo)
		return false;				/* P11 */
	d->bitmap_lsn = lo;
	d->bitmap_epoch = swb_lineage_epoch_at(&d->lineage, lo);
	return true;
}

/* ---- leaves: source ------------------------------------------------------ */

void swb_core_base_sample(const struct swb_core *c, u64 *epoch, u64 *lsn)
{
	*lsn = c->d.extent_hi;
	*epoch = swb_lineage_epoch_at(&c->d.lineage, *lsn);
}

u64 swb_core_base_session(const struct swb_core *c, u8 peer)
{
	const struct swb_core_peer *p;

	if (!swb_is_primary(c) || !swb_session_is_peer(c, peer))
		return 0;
	p = &c->peer[peer];
	if (!p->matched || !p->base_started || p->base_sent)
		return 0;
	return p->session;
}

/* ---- leaves: target ------------------------------------------------------ */

void swb_core_rebuild_mark(struct swb_core *c)
{
	bool delta = c->rebuild_kind == SWB_START_DELTA;
	bool again = delta && (c->d.flags & SWB_SUPER_INCONSISTENT);
	u64 end = c->rebuild_from - 1;
	struct swb_durable *d = &c->d;
	struct swb_log *l = &c->log;

	d->lineage = c->primary_facts.lineage;
	swb_lineage_cut(&d->lineage, end);		/* P18 */
	l->generation++;				/* P5 */
	l->start = end + 1;
	l->head = end;
	l->written = end;
	l->durable = end;
	l->last_epoch = swb_lineage_epoch_at(&d->lineage, end);
	l->committed = end;
	l->barrier_want = 0;
	c->flush_goal = 0;
	c->written_back = 0;
	c->unflushed_since_ns = 0;
	d->flags |= SWB_SUPER_INCONSISTENT;
	d->flags &= ~(u32)SWB_SUPER_DELTA;
	if (delta)
		d->flags |= SWB_SUPER_DELTA;
	d->base_lsn = c->rebuild_base;
	d->rebuild_source = c->primary_facts.replica;
	d->committed = min_t(u64, d->committed, d->base_lsn);
	d->extent_lo = end;
	/* what an interrupted delta has written stays written: P10 iv */
	if (!again || d->extent_hi < end) {
		d->extent_hi = end;
		d->extent_hi_epoch = l->last_epoch;
	}
	d->bitmap_lsn = end;
	d->bitmap_epoch = l->last_epoch;
}

void swb_core_rebuild_unmark(struct swb_core *c)
{
	struct swb_durable *d = &c->d;

	d->flags &= ~(u32)(SWB_SUPER_INCONSISTENT | SWB_SUPER_DELTA);
	d->base_lsn = 0;
	d->extent_hi_epoch = 0;
	memset(&d->rebuild_source, 0, sizeof(d->rebuild_source));
	d->committed = max_t(u64, d->committed, c->log.committed);
}

enum swblock_reason swb_core_check_base(const struct swb_core *c, u8 peer,
					u64 session, u64 epoch, u64 hi_epoch,
					u64 hi_lsn)
{
	const struct swb_lineage *l = &c->primary_facts.lineage;

	if (!swb_is_replica(c) || peer != c->primary ||
	    !swb_session_is_peer(c, peer))
		return SWBLOCK_REASON_NO_ROLE;
	if (!session || session != c->peer[peer].session ||
	    !c->peer[peer].matched)
		return SWBLOCK_REASON_STALE_SESSION;	/* I-083 */
	if (epoch != c->d.epoch)
		return epoch < c->d.epoch ? SWBLOCK_REASON_STALE_EPOCH :
					    SWBLOCK_REASON_NEWER_EPOCH;
	if (swb_disk_failed(c))
		return SWBLOCK_REASON_DISK_FAILED;	/* P17a */
	if (c->rebuild != SWB_REBUILD_COPYING)
		return SWBLOCK_REASON_BAD_TYPE;		/* I-095 */
	if (hi_lsn < c->rebuild_from - 1)
		return SWBLOCK_REASON_LSN_GAP;
	if (swb_lineage_epoch_at(l, hi_lsn) != hi_epoch)
		return SWBLOCK_REASON_EPOCH_FALLS;
	return SWBLOCK_REASON_NONE;
}

bool swb_core_base_raise(struct swb_core *c, u64 hi_epoch, u64 hi_lsn)
{
	if (hi_lsn <= c->d.extent_hi)
		return false;
	c->d.extent_hi = hi_lsn;			/* P10 iv */
	c->d.extent_hi_epoch = hi_epoch;
	return true;
}

void swb_core_base_took(struct swb_core *c, u8 peer, u64 session, u64 bytes)
{
	if (swb_session_is_peer(c, peer) && c->peer[peer].session == session &&
	    c->rebuild == SWB_REBUILD_COPYING)
		c->base_taken += bytes;
}
