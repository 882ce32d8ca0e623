// SPDX-License-Identifier: GPL-2.0-only
/*
 * Leaves of the per-request path, and accounts of oneself. They ask the state
 * and move positions; they never order anything. The caller holds the lock that
 * also covers the step, and gives the time.
 */
#include "core.h"
#include "lineage.h"
#include "quorum.h"
#include "step.h"
#include "../format/wire.h"

/* I-025, I-216: asked at entry, and for reads and barriers at completion too */
enum swb_admit swb_core_admit(const struct swb_core *c, u64 now_ns)
{
	if (c->io == SWB_IO_HELD)
		return SWB_ADMIT_PARK;			/* P12 */
	if (c->io == SWB_IO_REFUSED || !swb_is_primary(c))
		return SWB_ADMIT_FAIL;
	if (c->stale_openers)
		return SWB_ADMIT_FAIL;			/* P12 */
	if (c->lease_end_ns && now_ns >= c->lease_end_ns)
		return SWB_ADMIT_PARK;			/* P13 */
	return SWB_ADMIT_OK;
}

enum swb_admit swb_core_read_ok(const struct swb_core *c, u64 now_ns)
{
	return swb_core_admit(c, now_ns);
}

u64 swb_core_append(struct swb_core *c, u32 n)
{
	u64 first = c->log.head + 1;

	swb_assert(swb_is_primary(c) && c->open == SWB_OPEN_DONE);
	swb_assert(c->log.last_epoch == c->d.opened);
	c->log.head += n;				/* I-122 */
	return first;
}

u64 swb_core_barrier_target(const struct swb_core *c)
{
	return c->log.head;				/* G1, I-018 */
}

/* Does the primary's own lineage say that these LSNs are of @epoch? I-223 */
static bool epoch_fits(const struct swb_core *c, u64 first, u64 last, u64 epoch)
{
	const struct swb_lineage *l = &c->primary_facts.lineage;

	if (!l->count || first < l->floor_lsn)
		return true;
	return swb_lineage_epoch_at(l, first) == epoch &&
	       swb_lineage_epoch_at(l, last) == epoch;
}

enum swblock_reason swb_core_check_data(const struct swb_core *c, u8 peer,
					u64 session, u64 epoch, u64 first_lsn,
					u32 nrec, u64 rec_epoch)
{
	enum swblock_reason why = swb_session_of_primary(c, peer, session, epoch);

	if (why)
		return why;
	if (swb_disk_failed(c))
		return SWBLOCK_REASON_DISK_FAILED;	/* P17a */
	if (!nrec || nrec > SWB_GROUP_RECS_MAX)
		return SWBLOCK_REASON_BAD_LENGTH;
	if (first_lsn != c->log.head + 1)
		return SWBLOCK_REASON_LSN_GAP;		/* I-061 */
	if (rec_epoch < c->log.last_epoch || rec_epoch > epoch ||
	    !epoch_fits(c, first_lsn, first_lsn + nrec - 1, rec_epoch))
		return SWBLOCK_REASON_EPOCH_FALLS;
	return SWBLOCK_REASON_NONE;
}

/* the override mark of an opening travels in the primary's lineage */
static u32 opening_flags(const struct swb_core *c, u64 epoch)
{
	const struct swb_lineage *l = &c->primary_facts.lineage;
	u32 i;

	for (i = 0; i < l->count; i++)
		if (l->e[i].epoch == epoch)
			return l->e[i].flags;
	return 0;
}

void swb_core_received(struct swb_core *c, u8 peer, u64 now_ns, u32 nrec,
		       u64 rec_epoch, bool opens)
{
	u64 first = c->log.head + 1;
	/* the log of a copy begins below all that the source's table names */
	bool forgotten = !c->log.last_epoch && c->log.head;

	/* else an epoch begins where it first appears, marked or not: P18 */
	if (rec_epoch > c->log.last_epoch) {
		if (opens || !forgotten)
			swb_lineage_open(&c->d.lineage, rec_epoch, first,
					 opening_flags(c, rec_epoch));
		c->log.last_epoch = rec_epoch;
	}
	c->log.head += nrec;
	if (swb_session_is_peer(c, peer))
		c->peer[peer].heard_ns = now_ns;
}

u64 swb_core_ship_from(const struct swb_core *c, u8 peer, u64 *session)
{
	const struct swb_core_peer *p;

	*session = 0;
	if (!swb_is_primary(c) || !swb_session_is_peer(c, peer))
		return 0;
	p = &c->peer[peer];
	if (!p->matched || p->cursor > c->log.head)
		return 0;
	*session = p->session;
	return p->cursor;
}

void swb_core_shipped(struct swb_core *c, u8 peer, u64 session, u64 next,
		      u64 now_ns)
{
	struct swb_core_peer *p;

	if (!swb_session_is_peer(c, peer))
		return;
	p = &c->peer[peer];
	if (!p->matched || p->session != session)
		return;					/* I-084 */
	swb_assert(next <= c->log.head + 1);
	if (p->received + 1 >= p->cursor)
		p->acked_ns = now_ns;	/* nothing was outstanding till now */
	if (next > p->cursor)
		p->cursor = next;
	p->said_ns = now_ns;
}

u64 swb_core_sent_next(const struct swb_core *c, u8 peer)
{
	if (!swb_is_primary(c) || !swb_session_is_peer(c, peer) ||
	    !c->peer[peer].matched)
		return 0;
	return c->peer[peer].cursor;
}

u64 swb_core_flush_wanted(struct swb_core *c, u8 peer)
{
	struct swb_core_peer *p;

	if (!swb_is_primary(c) || !swb_session_is_peer(c, peer) ||
	    !swb_peer_required(&c->config, peer))
		return 0;
	p = &c->peer[peer];
	if (!p->matched || c->log.barrier_want <= p->durable)
		return 0;
	p->flush_asked = max_t(u64, p->flush_asked, c->log.barrier_want);
	return c->log.barrier_want;
}

bool swb_core_ack(const struct swb_core *c, u8 peer, struct swb_ack *ack)
{
	const struct swb_core_peer *p;

	if (!swb_is_replica(c) || !swb_session_is_peer(c, peer))
		return false;
	p = &c->peer[peer];
	if (!p->matched || swb_disk_failed(c))
		return false;				/* I-220 */
	ack->session = p->session;
	ack->received = c->log.head;
	ack->written = c->log.written;
	ack->durable = c->log.durable;
	ack->extent_bytes = c->extent_saved;
	ack->base = c->base_taken;
	if (p->kind != SWB_START_STREAM && c->rebuild == SWB_REBUILD_IDLE)
		ack->base = SWB_WIRE_BASE_DONE;		/* P10 v */
	return true;
}

u64 swb_core_writeback_limit(const struct swb_core *c)
{
	u64 limit = min_t(u64, c->log.committed, c->log.durable);

	if (c->rebuild == SWB_REBUILD_PREPARING)
		return swb_is_void(c) || c->rebuild_kind != SWB_START_DELTA ?
		       c->d.extent_lo : c->rebuild_base;	/* P10 iii */
	/* of a void copy only its own session knows the way: base blocks run ahead */
	if (swb_is_void(c))
		return c->rebuild == SWB_REBUILD_COPYING ||
		       c->rebuild == SWB_REBUILD_ENDING ?
		       max_t(u64, limit, c->d.extent_lo) : c->d.extent_lo;
	/* without authority or a match only what was there before: P8, I-209 */
	if (swb_is_replica(c) && (c->primary >= SWB_MEMBERS_MAX ||
				  !c->peer[c->primary].matched))
		return c->d.extent_hi;
	if (c->role == SWBLOCK_ROLE_NONE)
		return c->d.extent_hi;
	return max_t(u64, limit, c->d.extent_hi);
}

u64 swb_core_trim_limit(const struct swb_core *c, bool ignore_pins)
{
	u64 limit = c->d.extent_lo;			/* P9 */
	u32 i;

	if (!swb_is_primary(c))
		return limit;
	if (ignore_pins && c->config.mode == SWBLOCK_MODE_SYNC_QUORUM)
		return min_t(u64, limit, swb_quorum_pinned(c));	/* I-102 */
	for (i = 0; i < c->config.member_count; i++) {
		const struct swb_core_peer *p = &c->peer[i];

		if (i == c->self || !p->matched)
			continue;			/* I-092 */
		if (ignore_pins && (p->void_copy ||
				    !swb_peer_required(&c->config, i)))
			continue;
		limit = min_t(u64, limit, swb_peer_pin(p));	/* I-100 */
	}
	return limit;
}

void swb_core_own_facts(const struct swb_core *c, u8 peer, struct swb_facts *f)
{
	memset(f, 0, sizeof(*f));
	f->volume = c->d.volume;
	f->replica = c->d.replica;
	if (peer < c->config.member_count)
		f->peer = c->config.member[peer];
	f->store = c->d.store;
	f->store_generation = c->d.store_generation;
	f->adopted = c->d.epoch;
	f->log_end = c->log.head;
	f->last_epoch = c->log.last_epoch;
	f->durable = c->log.durable;
	f->committed = max_t(u64, c->d.committed, c->log.committed); /* P16 */
	f->extent_lo = c->d.extent_lo;
	f->extent_hi = c->d.extent_hi;
	f->extent_hi_epoch = swb_core_extent_hi_epoch(c);
	f->base_lsn = c->d.base_lsn;
	f->bitmap_epoch = c->d.bitmap_epoch;
	f->bitmap_lsn = c->d.bitmap_lsn;
	f->log_start = c->log.start;
	f->extent_bytes = c->extent_saved;	/* never what a crash takes back */
	f->block_bytes = c->d.block_bytes;
	f->ring_mib = (u32)(c->d.ring_bytes >> 20);
	if (c->d.flags & SWB_SUPER_INCONSISTENT)
		f->flags |= SWB_FACT_INCONSISTENT;
	if (c->d.flags & SWB_SUPER_DELTA)
		f->flags |= SWB_FACT_DELTA;
	if (swb_disk_failed(c))
		f->flags |= SWB_FACT_DISK_FAILED;
	if (c->d.flags & SWB_SUPER_OVERRIDDEN)
		f->flags |= SWB_FACT_OVERRIDDEN;
	f->lineage = c->d.lineage;
}

/* P6: what was true when the adoption became durable; a repeat says the same */
void swb_core_report(const struct swb_core *c, struct swb_report *r)
{
	memset(r, 0, sizeof(*r));
	r->replica = c->d.replica;
	r->adopted = c->reported_epoch;
	r->last_epoch = c->reported_last_epoch;
	r->durable = c->reported_durable;
	r->committed = c->reported_committed;
	r->flags = c->report_flags;
	if (c->d.flags & SWB_SUPER_INCONSISTENT)
		r->flags |= SWBLOCK_REPORT_INCONSISTENT;
	if (swb_disk_failed(c))
		r->flags |= SWBLOCK_REPORT_DISK_FAILED;
}

u8 swb_core_member_index(const struct swb_config *cfg,
			 const struct swb_uuid *replica)
{
	u8 i;

	for (i = 0; i < cfg->member_count && i < SWB_MEMBERS_MAX; i++)
		if (swb_uuid_equal(&cfg->member[i], replica))
			return i;
	return SWB_NOBODY;
}
