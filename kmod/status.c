// SPDX-License-Identifier: GPL-2.0-only
/*
 * Structs to attributes: what a volume, a peer and a report look like to
 * userspace. Translates only, from a snapshot.
 *
 * Lock: volume->lock while the snapshot is taken. Context: process.
 */
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include "notify.h"
#include "status.h"

/* ---- the snapshot ----------------------------------------------------- */

/*
 * How far a peer is behind: the ring says how many bytes lie from its durable
 * LSN to the head, headers included; a group in memory says since when.
 */
static void take_behind(struct swb_volume *v, struct swb_status *st, u8 peer)
{
	const struct swb_core_peer *p = &v->core.peer[peer];
	struct swb_ring *r = &v->wal.ring;
	struct swb_ent *ent;

	lockdep_assert_held(&v->lock);
	if (v->core.role != SWBLOCK_ROLE_PRIMARY ||
	    p->durable >= v->core.log.head)
		return;
	ent = swb_wal_find(&v->wal, p->durable + 1);
	if (!ent)
		return;
	if (ent->written)
		st->behind_bytes[peer] = r->write_pos > ent->pos ?
			r->write_pos - ent->pos :
			r->bytes - ent->pos + r->write_pos;
	if (ent->group && ent->group->admitted_ns)
		st->behind_ns[peer] = ktime_get_boottime_ns() -
				      ent->group->admitted_ns;
}

struct swb_status *swb_status_take(struct swb_volume *v)
{
	struct swb_status *st = kzalloc(sizeof(*st), GFP_KERNEL);
	unsigned long flags;
	u32 i;

	if (!st)
		return NULL;
	st->seq = swb_notify_seq();
	st->id = v->id;
	spin_lock_irqsave(&v->lock, flags);
	st->core = v->core;
	st->minor = v->minor;
	st->conditions = swb_volume_conditions(v);
	st->inflight = atomic_read(&v->io.inflight);
	st->parked = v->io.parked_count;
	st->ring_used = v->wal.ring.used;
	st->io_deadline_ns = v->io.deadline_ns;
	st->catchup_max_bytes = v->catchup_max_bytes;
	st->rebuild_rate_max = v->rebuild.rate_max;
	st->bitmap_blocks = READ_ONCE(v->bitmap.blocks.set);
	memcpy(st->rebuild, v->rebuild.progress, sizeof(st->rebuild));
	/* While it is taken apart there is no directory to look into. */
	for (i = 0; i < v->core.config.member_count && !v->removing; i++)
		if (i != v->core.self)
			take_behind(v, st, i);
	spin_unlock_irqrestore(&v->lock, flags);
	for (i = 0; i <= SWBLOCK_STAT_MAX; i++)
		st->stats[i] = swb_stat_sum(v->stats, i);
	return st;
}

/* ---- attributes ------------------------------------------------------- */

static int put_uuid(struct sk_buff *skb, int type, const struct swb_uuid *u)
{
	return nla_put(skb, type, sizeof(u->b), u->b);
}

static int put_u64(struct sk_buff *skb, int type, u64 value)
{
	return nla_put_u64_64bit(skb, type, value, SWBLOCK_A_PAD);
}

static int put_report_fields(struct sk_buff *skb, const struct swb_report *r)
{
	return put_uuid(skb, SWBLOCK_REPORT_A_REPLICA, &r->replica) ?:
	       nla_put_u64_64bit(skb, SWBLOCK_REPORT_A_ADOPTED, r->adopted,
				 SWBLOCK_REPORT_A_PAD) ?:
	       nla_put_u64_64bit(skb, SWBLOCK_REPORT_A_LAST_EPOCH,
				 r->last_epoch, SWBLOCK_REPORT_A_PAD) ?:
	       nla_put_u64_64bit(skb, SWBLOCK_REPORT_A_DURABLE, r->durable,
				 SWBLOCK_REPORT_A_PAD) ?:
	       nla_put_u64_64bit(skb, SWBLOCK_REPORT_A_COMMITTED, r->committed,
				 SWBLOCK_REPORT_A_PAD) ?:
	       nla_put_u32(skb, SWBLOCK_REPORT_A_FLAGS, r->flags);
}

/* Close a nest, or take it back if it did not fit. */
static int end_nest(struct sk_buff *skb, struct nlattr *nest, int err)
{
	if (err)
		nla_nest_cancel(skb, nest);
	else
		nla_nest_end(skb, nest);
	return err;
}

int swb_status_put_report(struct sk_buff *skb, const struct swb_report *r)
{
	struct nlattr *nest = nla_nest_start(skb, SWBLOCK_A_REPORT);

	if (!nest)
		return -EMSGSIZE;
	return end_nest(skb, nest, put_report_fields(skb, r));
}

static int put_peer_u64s(struct sk_buff *skb, const struct swb_status *st,
			 u8 peer)
{
	const struct swb_core_peer *p = &st->core.peer[peer];
	const struct {
		int type;
		u64 value;
	} f[] = {
		{ SWBLOCK_PEER_A_SESSION, p->session },
		{ SWBLOCK_PEER_A_MATCH_LSN, p->match_lsn },
		{ SWBLOCK_PEER_A_TARGET_LSN, p->target },
		{ SWBLOCK_PEER_A_CURSOR_LSN, p->cursor },
		{ SWBLOCK_PEER_A_RECEIVED_LSN, p->received },
		{ SWBLOCK_PEER_A_WRITTEN_LSN, p->written },
		{ SWBLOCK_PEER_A_DURABLE_LSN, p->durable },
		{ SWBLOCK_PEER_A_FACT_LOG_END, p->facts.log_end },
		{ SWBLOCK_PEER_A_FACT_ADOPTED, p->facts.adopted },
		{ SWBLOCK_PEER_A_FACT_LAST_EPOCH, p->facts.last_epoch },
		{ SWBLOCK_PEER_A_FACT_DURABLE, p->facts.durable },
		{ SWBLOCK_PEER_A_FACT_COMMITTED, p->facts.committed },
		{ SWBLOCK_PEER_A_FACT_EXTENT_HI, p->facts.extent_hi },
		{ SWBLOCK_PEER_A_LOG_START, p->log_start_at_open },
		{ SWBLOCK_PEER_A_BEHIND_BYTES, st->behind_bytes[peer] },
		{ SWBLOCK_PEER_A_BEHIND_NS, st->behind_ns[peer] },
		{ SWBLOCK_PEER_A_REBUILD_TODO, st->rebuild[peer].todo_bytes },
		{ SWBLOCK_PEER_A_REBUILD_DONE, st->rebuild[peer].done_bytes },
		{ SWBLOCK_PEER_A_REBUILD_RATE, st->rebuild[peer].rate },
	};
	int err = 0;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(f) && !err; i++)
		err = nla_put_u64_64bit(skb, f[i].type, f[i].value,
					SWBLOCK_PEER_A_PAD);
	return err;
}

int swb_status_put_peer(struct sk_buff *skb, const struct swb_status *st,
			u8 peer)
{
	const struct swb_core_peer *p = &st->core.peer[peer];
	struct nlattr *nest = nla_nest_start(skb, SWBLOCK_A_PEER);
	u8 required = st->core.config.required >> peer & 1;

	if (!nest)
		return -EMSGSIZE;
	return end_nest(skb, nest,
			put_uuid(skb, SWBLOCK_PEER_A_UUID,
				 &st->core.config.member[peer]) ?:
			nla_put_u8(skb, SWBLOCK_PEER_A_STATE, p->state) ?:
			nla_put_u8(skb, SWBLOCK_PEER_A_REQUIRED, required) ?:
			nla_put_u8(skb, SWBLOCK_PEER_A_REBUILD,
				   st->rebuild[peer].kind) ?:
			nla_put_u8(skb, SWBLOCK_PEER_A_CASE, p->letter) ?:
			nla_put_u32(skb, SWBLOCK_PEER_A_REASON, p->reason) ?:
			nla_put_u32(skb, SWBLOCK_PEER_A_FACT_FLAGS,
				    p->facts.flags) ?:
			put_peer_u64s(skb, st, peer));
}

static int put_config(struct sk_buff *skb, const struct swb_config *cfg)
{
	struct nlattr *nest = nla_nest_start(skb, SWBLOCK_A_CONFIG);
	int err;
	u32 i;

	if (!nest)
		return -EMSGSIZE;
	err = nla_put_u8(skb, SWBLOCK_CONFIG_A_MODE, cfg->mode) ?:
	      nla_put_u8(skb, SWBLOCK_CONFIG_A_POLICY, cfg->policy) ?:
	      nla_put_u32(skb, SWBLOCK_CONFIG_A_REQUIRED, cfg->required);
	for (i = 0; i < cfg->member_count && !err; i++)
		err = put_uuid(skb, SWBLOCK_CONFIG_A_MEMBER, &cfg->member[i]);
	return end_nest(skb, nest, err);
}

static int put_stats(struct sk_buff *skb, const struct swb_status *st)
{
	struct nlattr *nest = nla_nest_start(skb, SWBLOCK_A_STATS);
	int err = 0;
	u32 i;

	if (!nest)
		return -EMSGSIZE;
	for (i = SWBLOCK_STAT_PAD + 1; i <= SWBLOCK_STAT_MAX && !err; i++)
		err = nla_put_u64_64bit(skb, i, st->stats[i], SWBLOCK_STAT_PAD);
	return end_nest(skb, nest, err);
}

/* A label is NUL padded on disk, and may fill its field. */
static int put_label(struct sk_buff *skb, int type, const u8 *label)
{
	char text[SWB_LABEL_BYTES + 1];

	strscpy(text, label, sizeof(text));
	return nla_put_string(skb, type, text);
}

static int put_identity(struct sk_buff *skb, const struct swb_status *st)
{
	const struct swb_durable *d = &st->core.d;
	const struct swb_core *c = &st->core;
	int err;

	err = nla_put_u32(skb, SWBLOCK_A_VOLUME_ID, st->id) ?:
	      put_uuid(skb, SWBLOCK_A_VOLUME_UUID, &d->volume) ?:
	      put_uuid(skb, SWBLOCK_A_REPLICA_UUID, &d->replica) ?:
	      put_uuid(skb, SWBLOCK_A_STORE_UUID, &d->store) ?:
	      put_label(skb, SWBLOCK_A_VOLUME_LABEL, d->volume_label) ?:
	      put_label(skb, SWBLOCK_A_REPLICA_LABEL, d->replica_label);
	if (!err && st->minor >= 0)
		err = nla_put_u32(skb, SWBLOCK_A_MINOR, st->minor);
	if (!err && c->config.member_count)
		err = put_config(skb, &c->config);
	if (!err && c->primary < c->config.member_count)
		err = put_uuid(skb, SWBLOCK_A_PRIMARY_UUID,
			       &c->config.member[c->primary]);
	return err;
}

static int put_numbers(struct sk_buff *skb, const struct swb_status *st)
{
	const struct swb_core *c = &st->core;
	const struct {
		int type;
		u64 value;
	} f[] = {
		{ SWBLOCK_A_SEQ, st->seq },
		{ SWBLOCK_A_STORE_GENERATION, c->d.store_generation },
		{ SWBLOCK_A_EPOCH, c->d.epoch },
		{ SWBLOCK_A_OPENED, c->d.opened },
		{ SWBLOCK_A_LEASE_NS, c->lease_end_ns },
		{ SWBLOCK_A_SIZE_BYTES, c->d.extent_bytes },
		{ SWBLOCK_A_HEAD_LSN, c->log.head },
		{ SWBLOCK_A_WRITTEN_LSN, c->log.written },
		{ SWBLOCK_A_DURABLE_LSN, c->log.durable },
		{ SWBLOCK_A_COMMITTED_LSN, c->log.committed },
		{ SWBLOCK_A_EXTENT_LO, c->d.extent_lo },
		{ SWBLOCK_A_EXTENT_HI, c->d.extent_hi },
		{ SWBLOCK_A_LOG_START, c->log.start },
		{ SWBLOCK_A_RING_BYTES, c->d.ring_bytes },
		{ SWBLOCK_A_RING_USED, st->ring_used },
		{ SWBLOCK_A_INCARNATION, c->d.incarnation },
		{ SWBLOCK_A_REBUILD_RATE, st->rebuild_rate_max },
		{ SWBLOCK_A_CATCHUP_MAX_BYTES, st->catchup_max_bytes },
		{ SWBLOCK_A_BITMAP_BLOCKS, st->bitmap_blocks },
		{ SWBLOCK_A_BITMAP_EPOCH, c->d.bitmap_epoch },
		{ SWBLOCK_A_BITMAP_LSN, c->d.bitmap_lsn },
	};
	int err = 0;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(f) && !err; i++)
		err = put_u64(skb, f[i].type, f[i].value);
	return err;
}

static u32 to_ms(u64 ns)
{
	return div_u64(ns, NSEC_PER_MSEC);
}

static int put_small(struct sk_buff *skb, const struct swb_status *st)
{
	const struct swb_core *c = &st->core;

	return nla_put_u8(skb, SWBLOCK_A_ROLE, c->role) ?:
	       nla_put_u32(skb, SWBLOCK_A_CONDITIONS, st->conditions) ?:
	       nla_put_u32(skb, SWBLOCK_A_BLOCK_BYTES, c->d.block_bytes) ?:
	       nla_put_u32(skb, SWBLOCK_A_IO_DEADLINE_MS,
			   to_ms(st->io_deadline_ns)) ?:
	       nla_put_u32(skb, SWBLOCK_A_LINK_DEADLINE_MS,
			   to_ms(c->tune.link_deadline_ns)) ?:
	       nla_put_u32(skb, SWBLOCK_A_FLUSH_INTERVAL_MS,
			   to_ms(c->tune.flush_interval_ns)) ?:
	       nla_put_u8(skb, SWBLOCK_A_REBUILD_AUTO, c->tune.rebuild_auto) ?:
	       nla_put_u32(skb, SWBLOCK_A_CATCHUP_STALL_MS,
			   to_ms(c->tune.catchup_stall_ns)) ?:
	       nla_put_u32(skb, SWBLOCK_A_OPENERS, c->openers) ?:
	       nla_put_u32(skb, SWBLOCK_A_INFLIGHT, st->inflight) ?:
	       nla_put_u32(skb, SWBLOCK_A_PARKED, st->parked) ?:
	       nla_put_u8(skb, SWBLOCK_A_LOCAL_CASE, c->local_letter) ?:
	       nla_put_u8(skb, SWBLOCK_A_PROMOTE_CASE, c->promote_letter);
}

int swb_status_put_volume(struct sk_buff *skb, const struct swb_status *st)
{
	const struct swb_core *c = &st->core;
	int err;
	u8 i;

	err = put_identity(skb, st) ?: put_numbers(skb, st) ?:
	      put_small(skb, st) ?: put_stats(skb, st);
	for (i = 0; i < c->config.member_count && !err; i++)
		if (i != c->self)
			err = swb_status_put_peer(skb, st, i);
	return err;
}

/* ---- latency ------------------------------------------------------------- */

u8 swb_status_member(struct swb_volume *v, const struct swb_uuid *uuid)
{
	unsigned long flags;
	u8 member;

	spin_lock_irqsave(&v->lock, flags);
	member = swb_core_member_index(&v->core.config, uuid);
	spin_unlock_irqrestore(&v->lock, flags);
	return member;
}

static int put_bucket(struct sk_buff *skb, u32 index, u64 count)
{
	struct nlattr *nest = nla_nest_start(skb, SWBLOCK_LATENCY_A_BUCKET);

	if (!nest)
		return -EMSGSIZE;
	return end_nest(skb, nest,
			nla_put_u32(skb, SWBLOCK_BUCKET_A_INDEX, index) ?:
			nla_put_u64_64bit(skb, SWBLOCK_BUCKET_A_COUNT, count,
					  SWBLOCK_BUCKET_A_PAD));
}

static int put_hist(struct sk_buff *skb, u32 stage, u64 count,
		    const struct swb_lat_hist *h)
{
	struct nlattr *nest = nla_nest_start(skb, SWBLOCK_A_LATENCY);
	int err;
	u32 i;

	if (!nest)
		return -EMSGSIZE;
	err = nla_put_u32(skb, SWBLOCK_LATENCY_A_STAGE, stage) ?:
	      nla_put_u64_64bit(skb, SWBLOCK_LATENCY_A_COUNT, count,
				SWBLOCK_LATENCY_A_PAD) ?:
	      nla_put_u64_64bit(skb, SWBLOCK_LATENCY_A_SUM_NS, h->sum_ns,
				SWBLOCK_LATENCY_A_PAD);
	for (i = 0; i < SWB_LAT_BUCKETS && !err; i++)
		if (h->n[i])
			err = put_bucket(skb, i, h->n[i]);
	return end_nest(skb, nest, err);
}

int swb_status_put_latency(struct sk_buff *skb, struct swb_volume *v, u8 member)
{
	struct swb_lat_hist h;
	unsigned long flags;
	u64 missed, count;
	u32 stage;
	int err;

	spin_lock_irqsave(&v->lock, flags);
	missed = v->lat.missed;
	spin_unlock_irqrestore(&v->lock, flags);
	err = nla_put_u32(skb, SWBLOCK_A_VOLUME_ID, v->id) ?:
	      put_u64(skb, SWBLOCK_A_LATENCY_MISSED, missed);
	for (stage = 1; stage <= SWBLOCK_STAGE_MAX && !err; stage++) {
		count = swb_lat_sum(&v->lat, stage, member, &h);
		if (count)
			err = put_hist(skb, stage, count, &h);
	}
	return err;
}
