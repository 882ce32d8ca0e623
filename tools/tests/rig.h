/* SPDX-License-Identifier: GPL-2.0-only */
/* One real core with hands: builds events, looks at the orders. */
#ifndef SWB_TEST_RIG_H
#define SWB_TEST_RIG_H

#include "core.h"
#include "harness.h"
#include "lineage.h"
#include "../../kmod/format/wire.h"

#define MSEC SWB_NSEC_PER_MSEC

struct rig {
	struct swb_core c;
	struct swb_actions out;
	u64 now;
	u64 cookie;
};

static inline struct swb_uuid uuid_of(u32 n)
{
	struct swb_uuid u = { { 0xaa, (u8)(n + 1) } };

	return u;
}

static inline struct swb_uuid store_of(u32 n)
{
	struct swb_uuid u = { { 0x55, (u8)(n + 1) } };

	return u;
}

static inline struct swb_config config_of(u8 mode, u8 policy, u8 members)
{
	struct swb_config cfg = {
		.mode = mode, .policy = policy, .member_count = members,
		.required = (1U << members) - 1,
	};

	for (u32 i = 0; i < members; i++)
		cfg.member[i] = uuid_of(i);
	return cfg;
}

/* member @self with a log of @head durable records of epoch 1 */
static inline void rig_init(struct rig *r, u32 self, u64 head)
{
	struct swb_durable d = {
		.replica = uuid_of(self), .volume = { { 0x77 } },
		.block_bytes = 4096, .extent_bytes = 1 << 30,
		.bitmap_bytes = 1 << 20,
		.tail_lsn = 1, .incarnation = 1, .log_end = head,
	};
	struct swb_recovered rec = { .start = 1, .head = head, .letter = 'H' };

	if (head) {
		swb_lineage_open(&rec.lineage, 1, 1, 0);
		rec.last_epoch = 1;
		d.epoch = 1;
		d.store = store_of(0);
		d.store_generation = 1;
	}
	memset(r, 0, sizeof(*r));
	swb_core_init(&r->c, &d, &rec, 1000);
	r->now = 1000 * MSEC;
}

static inline void rig_step(struct rig *r, struct swb_event ev)
{
	ev.now_ns = r->now;
	swb_core_step(&r->c, &ev, &r->out);
	CHECK(r->out.count <= SWB_ACTIONS_MAX);
}

#define STEP(r, ...) rig_step(r, (struct swb_event){ __VA_ARGS__ })

static inline const struct swb_action *order(const struct rig *r,
					     enum swb_action_type type)
{
	for (u32 i = 0; i < r->out.count; i++)
		if (r->out.act[i].type == type)
			return &r->out.act[i];
	return NULL;
}

static inline u32 orders(const struct rig *r, enum swb_action_type type)
{
	u32 n = 0;

	for (u32 i = 0; i < r->out.count; i++)
		n += r->out.act[i].type == type;
	return n;
}

static inline const struct swb_action *order_to(const struct rig *r, u8 peer,
						enum swb_action_type type)
{
	for (u32 i = 0; i < r->out.count; i++)
		if (r->out.act[i].type == type && r->out.act[i].peer == peer)
			return &r->out.act[i];
	return NULL;
}

/* value of the order, ~0 if it was not given */
static inline u64 value(const struct rig *r, enum swb_action_type type)
{
	const struct swb_action *a = order(r, type);

	return a ? a->a : ~(u64)0;
}

static inline void rig_order_adopt(struct rig *r, u64 epoch)
{
	STEP(r, .type = SWB_EV_ADOPT_ORDERED, .epoch = epoch,
	     .cookie = ++r->cookie, .u.adopt.store = store_of(0),
	     .u.adopt.store_generation = 1);
}

static inline void rig_saved(struct rig *r)
{
	STEP(r, .type = SWB_EV_SUPER_SAVED);
}

static inline void rig_written(struct rig *r, u64 lsn)
{
	STEP(r, .type = SWB_EV_LOG_WRITTEN, .lsn = lsn);
}

static inline void rig_flushed(struct rig *r, u64 lsn)
{
	STEP(r, .type = SWB_EV_LOG_FLUSHED, .lsn = lsn,
	     .generation = r->c.log.generation);
}

/* adoption of a member whose log is durable already */
static inline void rig_adopt(struct rig *r, u64 epoch)
{
	rig_order_adopt(r, epoch);
	CHECK(order(r, SWB_ACT_SAVE_SUPER));
	rig_saved(r);
	CHECK_EQ(value(r, SWB_ACT_NOTIFY_REPORT), r->cookie);
}

static inline void rig_assign(struct rig *r, u64 epoch, u32 primary,
			      const struct swb_config *cfg)
{
	STEP(r, .type = SWB_EV_ASSIGNED, .epoch = epoch, .cookie = ++r->cookie,
	     .u.assign.primary = uuid_of(primary), .u.assign.config = cfg);
}

static inline struct swb_report report_of_rig(const struct rig *r)
{
	struct swb_report rep;

	swb_core_report(&r->c, &rep);
	return rep;
}

/* a certificate with this member's own report and equal ones of the others */
static inline struct swb_cert cert_of(struct rig *r, u64 epoch,
				      const struct swb_config *cfg)
{
	struct swb_cert cert = {
		.volume = r->c.d.volume, .store = store_of(0),
		.store_generation = 1, .epoch = epoch,
		.candidate = r->c.d.replica, .config = *cfg,
		.judge_count = 1, .judge = { *cfg },
		.report_count = cfg->member_count,
		.flags = SWBLOCK_CERT_LEASE_WAITED,
	};

	for (u32 i = 0; i < cfg->member_count; i++) {
		cert.report[i] = report_of_rig(r);
		cert.report[i].replica = cfg->member[i];
		cert.report[i].flags = 0;
	}
	return cert;
}

static inline void rig_certify(struct rig *r, const struct swb_cert *cert,
			       u64 lease_end_ns)
{
	STEP(r, .type = SWB_EV_CERTIFIED, .cookie = ++r->cookie,
	     .u.cert.cert = cert, .u.cert.lease_end_ns = lease_end_ns);
}

/* adopt, certify, open; the open record is head */
static inline void rig_promote(struct rig *r, u64 epoch,
			       const struct swb_config *cfg)
{
	struct swb_cert cert;

	rig_adopt(r, epoch);
	cert = cert_of(r, epoch, cfg);
	rig_certify(r, &cert, 0);
	CHECK(order(r, SWB_ACT_SAVE_SUPER));
	rig_saved(r);
	CHECK_EQ(r->c.role, SWBLOCK_ROLE_PRIMARY);
}

/* what the peer would say with a log like ours, cut at @end */
static inline struct swb_facts facts_like(const struct rig *r, u32 peer, u64 end)
{
	struct swb_facts f;

	swb_core_own_facts(&r->c, (u8)peer, &f);
	f.replica = uuid_of(peer);
	f.peer = r->c.d.replica;
	f.log_end = end;
	f.durable = end;
	f.committed = 0;
	f.extent_hi = 0;
	f.extent_lo = 0;
	f.log_start = 1;
	swb_lineage_cut(&f.lineage, end);
	f.last_epoch = swb_lineage_epoch_at(&f.lineage, end);
	return f;
}

static inline void rig_link(struct rig *r, u8 peer)
{
	STEP(r, .type = SWB_EV_LINKED, .peer = peer);
}

static inline void rig_facts(struct rig *r, u8 peer, const struct swb_facts *f)
{
	STEP(r, .type = SWB_EV_PEER_FACTS, .peer = peer,
	     .session = r->c.peer[peer].session, .epoch = r->c.d.epoch,
	     .u.facts = f);
}

static inline void rig_ack(struct rig *r, u8 peer, u64 received, u64 written,
			   u64 durable)
{
	STEP(r, .type = SWB_EV_PEER_ACKED, .peer = peer,
	     .session = r->c.peer[peer].session, .epoch = r->c.d.epoch,
	     .u.ack.received = received, .u.ack.written = written,
	     .u.ack.durable = durable);
}

/* primary: ship all there is to @peer */
static inline void rig_ship(struct rig *r, u8 peer)
{
	u64 session;

	if (swb_core_ship_from(&r->c, peer, &session)) {
		swb_core_flush_wanted(&r->c, peer);
		swb_core_shipped(&r->c, peer, session, r->c.log.head + 1, r->now);
	}
}

/* primary: linked and matched at @end, everything shipped */
static inline void rig_match(struct rig *r, u8 peer, u64 end)
{
	struct swb_facts f = facts_like(r, peer, end);

	rig_link(r, peer);
	CHECK(order_to(r, peer, SWB_ACT_SEND_OPEN));
	rig_facts(r, peer, &f);
	CHECK(order_to(r, peer, SWB_ACT_SEND_START));
	rig_ship(r, peer);
}

/* primary: @n records admitted and written locally */
static inline u64 rig_write(struct rig *r, u32 n)
{
	swb_core_append(&r->c, n);
	rig_written(r, r->c.log.head);
	return r->c.log.head;
}

/* replica of member 0: adopted, assigned */
static inline void rig_replica(struct rig *r, u64 epoch,
			       const struct swb_config *cfg)
{
	rig_adopt(r, epoch);
	rig_assign(r, epoch, 0, cfg);
	CHECK_EQ(r->c.role, SWBLOCK_ROLE_REPLICA);
}

/* the OPEN of primary 0, whose log is ours up to @common, then epoch @epoch */
static inline struct swb_facts primary_facts_of(const struct rig *r, u64 common,
						u64 end)
{
	struct swb_facts f = facts_like(r, 0, common);

	f.adopted = r->c.d.epoch;
	if (end > common) {
		swb_lineage_open(&f.lineage, r->c.d.epoch, common + 1, 0);
		f.last_epoch = r->c.d.epoch;
	}
	f.log_end = end;
	f.durable = end;
	return f;
}

static inline void rig_open(struct rig *r, u64 session, const struct swb_facts *f)
{
	STEP(r, .type = SWB_EV_PEER_OPENED, .peer = 0, .session = session,
	     .epoch = r->c.d.epoch, .u.facts = f);
}

static inline void rig_start(struct rig *r, u64 session, u64 m, u64 target)
{
	STEP(r, .type = SWB_EV_PEER_STARTED, .peer = 0, .session = session,
	     .epoch = r->c.d.epoch, .u.start.from = m + 1,
	     .u.start.truncate_to = m, .u.start.target = target);
}

static inline void rig_ping(struct rig *r, u64 session, u64 committed, u64 flush)
{
	STEP(r, .type = SWB_EV_PEER_PINGED, .peer = 0, .session = session,
	     .epoch = r->c.d.epoch, .u.ping.committed = committed,
	     .u.ping.flush_lsn = flush);
}

/* replica: a matched session 7 with a primary whose log is ours plus an opening */
static inline void rig_stream(struct rig *r)
{
	struct swb_facts f = primary_facts_of(r, r->c.log.head, r->c.log.head + 1);
	u64 head = r->c.log.head;

	rig_link(r, 0);
	rig_open(r, 7, &f);
	CHECK_EQ(value(r, SWB_ACT_SEND_FACTS), 7);
	rig_start(r, 7, head, head + 1);
	CHECK(order(r, SWB_ACT_SEND_ACK));
}

/* replica: @n records of @epoch arrive */
static inline enum swblock_reason rig_data(struct rig *r, u64 session, u32 n,
					   u64 epoch)
{
	enum swblock_reason why;

	why = swb_core_check_data(&r->c, 0, session, r->c.d.epoch,
				  r->c.log.head + 1, n, epoch);
	if (!why)
		swb_core_received(&r->c, 0, r->now, n, epoch,
				  epoch != r->c.log.last_epoch);
	return why;
}

#endif /* SWB_TEST_RIG_H */
