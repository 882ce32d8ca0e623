// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fields of a member's state by name, for those who compare two states word by
 * word: which field differs, and may it change outside of a step? A table, and a
 * number made of it that tells two layouts apart. tests/test_record.c sees to it
 * that no field is missing.
 */
#include "record.h"

#define FIELD(t, f, h) \
	{ #f, offsetof(t, f), sizeof(((t *)0)->f), 1, NULL, SWB_HAND_##h }
#define PART(t, f, p, h) \
	{ #f, offsetof(t, f), sizeof(((t *)0)->f), 1, p, SWB_HAND_##h }
#define PARTS(t, f, n, p, h) \
	{ #f, offsetof(t, f), sizeof(((t *)0)->f) / (n), n, p, SWB_HAND_##h }
#define END	{ NULL, 0, 0, 0, NULL, SWB_HAND_STEP }

#define F(f, h)		FIELD(struct swb_lineage_entry, f, h)
static const struct swb_record_field entry_fields[] = {
	F(epoch, STEP), F(first_lsn, STEP), F(flags, STEP), END
};

#undef F
#define F(f, h)		FIELD(struct swb_lineage, f, h)
static const struct swb_record_field lineage_fields[] = {
	F(count, STEP), F(floor_lsn, STEP),
	PARTS(struct swb_lineage, e, SWB_LINEAGE_MAX, entry_fields, STEP), END
};

#undef F
#define F(f, h)		FIELD(struct swb_durable, f, h)
static const struct swb_record_field durable_fields[] = {
	F(generation, LEAF), F(volume, STEP), F(replica, STEP), F(store, STEP),
	F(store_generation, STEP), F(ring_id, STEP), F(flags, REBUILD),
	F(block_bytes, STEP), F(ring_unit, STEP), F(ring_offset, STEP),
	F(ring_bytes, STEP), F(extent_offset, STEP), F(extent_bytes, STEP),
	F(epoch, STEP), F(opened, STEP), F(incarnation, LEAF), F(extent_lo, LEAF),
	F(extent_hi, LEAF), F(committed, REBUILD), F(tail_pos, LEAF),
	F(tail_seq, LEAF), F(tail_lsn, LEAF), F(tail_prev_crc, LEAF),
	F(log_end, LEAF), F(base_lsn, REBUILD), F(bitmap_offset, STEP),
	F(bitmap_bytes, STEP), F(bitmap_epoch, LEAF), F(bitmap_lsn, LEAF),
	F(extent_hi_epoch, LEAF), F(rebuild_source, REBUILD),
	F(volume_label, STEP), F(replica_label, STEP),
	PART(struct swb_durable, lineage, lineage_fields, LEAF), END
};

#undef F
#define F(f, h)		FIELD(struct swb_log, f, h)
static const struct swb_record_field log_fields[] = {
	F(start, REBUILD), F(head, LEAF), F(written, REBUILD), F(durable, REBUILD),
	F(committed, REBUILD), F(generation, REBUILD), F(last_epoch, LEAF),
	F(open_lsn, STEP), F(barrier_want, REBUILD), END
};

#undef F
#define F(f, h)		FIELD(struct swb_config, f, h)
static const struct swb_record_field config_fields[] = {
	F(mode, STEP), F(policy, STEP), F(member_count, STEP), F(required, STEP),
	PARTS(struct swb_config, member, SWB_MEMBERS_MAX, NULL, STEP), END
};

#undef F
#define F(f, h)		FIELD(struct swb_tune, f, h)
static const struct swb_record_field tune_fields[] = {
	F(link_deadline_ns, LEAF), F(ping_interval_ns, LEAF),
	F(flush_interval_ns, LEAF), F(catchup_stall_ns, LEAF),
	F(rebuild_auto, LEAF), END
};

#undef F
#define F(f, h)		FIELD(struct swb_core_peer, f, h)
static const struct swb_record_field peer_fields[] = {
	F(state, STEP), F(linked, STEP), F(matched, STEP), F(letter, STEP),
	F(reason, STEP), F(session, STEP), F(facts.adopted, STEP),
	F(facts.log_end, STEP), F(facts.last_epoch, STEP), F(facts.durable, STEP),
	F(facts.committed, STEP), F(facts.extent_hi, STEP),
	F(facts.extent_bytes, STEP), F(facts.flags, STEP), F(facts.ring_mib, STEP),
	F(log_start_at_open, STEP), F(match_lsn, STEP), F(pin_lsn, STEP),
	F(target, STEP), F(cursor, LEAF), F(received, STEP), F(written, STEP),
	F(durable, STEP), F(flush_asked, LEAF), F(heard_ns, LEAF), F(said_ns, LEAF),
	F(acked_ns, LEAF), F(progress_ns, STEP), F(kind, STEP), F(void_copy, STEP),
	F(whole, STEP), F(rebuild_ordered, STEP), F(base_started, STEP),
	F(base_sent, LEAF), F(base_end, LEAF), F(base_acked, STEP), END
};

#undef F
#define F(f, h)		FIELD(struct swb_facts, f, h)
static const struct swb_record_field facts_fields[] = {
	F(volume, STEP), F(replica, STEP), F(peer, STEP), F(store, STEP),
	F(store_generation, STEP), F(adopted, STEP), F(log_end, STEP),
	F(last_epoch, STEP), F(durable, STEP), F(committed, STEP),
	F(extent_lo, STEP), F(extent_hi, STEP), F(extent_hi_epoch, STEP),
	F(base_lsn, STEP), F(bitmap_epoch, STEP), F(bitmap_lsn, STEP),
	F(log_start, STEP), F(extent_bytes, STEP), F(block_bytes, STEP),
	F(flags, STEP), F(ring_mib, STEP),
	PART(struct swb_facts, lineage, lineage_fields, STEP), END
};

#undef F
#define F(f, h)		FIELD(struct swb_core, f, h)
const struct swb_record_field swb_record_fields[] = {
	PART(struct swb_core, d, durable_fields, STEP),
	PART(struct swb_core, log, log_fields, STEP),
	PART(struct swb_core, config, config_fields, STEP),
	F(self, STEP), F(primary, STEP), F(role, STEP), F(io, STEP),
	F(conditions, STEP), F(was_primary, STEP), F(lease_end_ns, STEP),
	F(adopt, STEP), F(adopt_epoch, STEP), F(adopt_cookie, STEP), F(open, STEP),
	F(open_cookie, STEP), F(reported_committed, STEP), F(report_flags, STEP),
	F(truncating, STEP), F(truncate_to, STEP), F(truncate_peer, STEP),
	F(flushing, STEP), F(unflushed_since_ns, REBUILD),
	F(flush_early, STEP), F(next_session, STEP),
	F(opened_session, STEP), F(opened_epoch, STEP), F(promote_letter, STEP),
	F(local_letter, STEP), F(openers, LEAF),
	PART(struct swb_core, tune, tune_fields, STEP),
	PARTS(struct swb_core, peer, SWB_MEMBERS_MAX, peer_fields, STEP),
	F(adopt_store, STEP), F(adopt_store_generation, STEP), F(hold, STEP),
	F(stale_openers, STEP), F(resume_held, STEP), F(open_committed, STEP),
	F(reported_epoch, STEP), F(reported_durable, STEP),
	F(reported_last_epoch, STEP), F(completed, STEP), F(barriers_done, STEP),
	F(written_back, REBUILD), F(flush_goal, REBUILD), F(truncate_session, STEP),
	F(rebuild, STEP), F(rebuild_peer, STEP), F(rebuild_kind, STEP),
	F(rebuild_session, STEP), F(rebuild_base, STEP), F(rebuild_from, STEP),
	F(rebuild_end, STEP), F(base_taken, LEAF), F(everywhere, STEP),
	F(now_ns, STEP),
	PARTS(struct swb_core, refused, __SWBLOCK_REASON_MAX, NULL, STEP),
	F(extent_saved, STEP),
	PART(struct swb_core, primary_facts, facts_fields, STEP), END
};

static const struct swb_record_field *const tables[] = {
	swb_record_fields, durable_fields, lineage_fields, entry_fields, log_fields,
	config_fields, tune_fields, peer_fields, facts_fields,
};

static u64 mix(u64 sum, u64 w)
{
	return (sum ^ w) * 0x100000001b3ULL;
}

u64 swb_record_layout(void)
{
	u64 sum = 0xcbf29ce484222325ULL;
	const struct swb_record_field *f;
	const char *c;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(tables); i++)
		for (f = tables[i]; f->name; f++) {
			for (c = f->name; *c; c++)
				sum = mix(sum, (u8)*c);
			sum = mix(sum, (u64)f->offset << 32 | (u64)f->size << 16 |
				       f->count);
		}
	sum = mix(sum, sizeof(struct swb_cert));
	sum = mix(sum, (u64)SWB_EV_COUNT << 32 | SWB_ACT_COUNT);
	return sum;
}
