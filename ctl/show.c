// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's facts as words and as JSON. docs/schema/status.json is the schema
 * of what show_volume_json() makes; a test compares the two.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"
#include "show.h"

static const struct {
	uint32_t bit;
	const char *help;
} conditions[] = {
	{ SWBLOCK_COND_NO_ROLE, "promote it, or link it to its primary" },
	{ SWBLOCK_COND_SUSPENDED_LEASE,
	  "the lease ran out: I/O is held until swblockctl lease, or a new epoch" },
	{ SWBLOCK_COND_SUSPENDED_ADMIN,
	  "I/O is held by order: swblockctl resume" },
	{ SWBLOCK_COND_SUSPENDED_EPOCH,
	  "a newer epoch exists: I/O is held until this member adopts it" },
	{ SWBLOCK_COND_WAITING_PEER,
	  "a write or barrier waits for a required peer: link it, or change the required set" },
	{ SWBLOCK_COND_RING_FULL,
	  "writers wait for space in the log, which moves when the peers do" },
	{ SWBLOCK_COND_CATCHING_UP, "a peer is catching up; nothing to do" },
	{ SWBLOCK_COND_NEEDS_REBUILD,
	  "a copy cannot catch up: swblockctl explain tells why, swblockctl rebuild copies" },
	{ SWBLOCK_COND_DISK_FAILED,
	  "a disk error was latched: replace the disk, format it as a new replica" },
	{ SWBLOCK_COND_INCONSISTENT,
	  "this copy is a mixture until its rebuild has ended; it counts for nothing" },
	{ SWBLOCK_COND_STALE_OPENERS,
	  "opened under an older grant: close the device and open it anew" },
	{ SWBLOCK_COND_DEGRADED, "a required peer is not in sync" },
	{ SWBLOCK_COND_REMOVING, "it is being removed" },
	{ SWBLOCK_COND_ZOMBIE, "a lower device never answered; it pins the module" },
	{ SWBLOCK_COND_REBUILDING,
	  "blocks are copied to a peer; its copy counts when that is complete" },
};

const char *show_condition_help(uint32_t bit)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(conditions); i++)
		if (conditions[i].bit == bit)
			return conditions[i].help;
	return "unknown to this program";
}

const char *show_conditions(uint32_t bits, char *buf, size_t len)
{
	size_t used;
	uint32_t bit;

	buf[0] = 0;
	for (bit = 1; bit; bit <<= 1) {
		if (!(bits & bit))
			continue;
		used = strlen(buf);
		snprintf(buf + used, len - used, "%s%s", used ? ", " : "",
			 swb_text_condition(bit));
	}
	return buf;
}

json_t *show_conditions_json(uint32_t bits)
{
	json_t *list = json_array();
	uint32_t bit;

	for (bit = 1; bit; bit <<= 1)
		if (bits & bit)
			json_array_append_new(list,
					      json_string(swb_text_condition(bit)));
	return list;
}

uint64_t show_behind(const struct kern_volume *v, const struct kern_peer *p)
{
	return v->head_lsn > p->durable_lsn ? v->head_lsn - p->durable_lsn : 0;
}

static void put_u64(json_t *j, const char *key, uint64_t v)
{
	json_object_set_new(j, key, json_u64(v));
}

static void put_text(json_t *j, const char *key, const char *s)
{
	json_object_set_new(j, key, s && *s ? json_string(s) : json_null());
}

static json_t *facts_json(const struct kern_peer *p)
{
	json_t *j = json_object();

	put_u64(j, "adopted", p->fact_adopted);
	put_u64(j, "log_end", p->fact_log_end);
	put_u64(j, "last_epoch", p->fact_last_epoch);
	put_u64(j, "durable", p->fact_durable);
	put_u64(j, "committed", p->fact_committed);
	put_u64(j, "extent_hi", p->fact_extent_hi);
	put_u64(j, "flags", p->fact_flags);
	return j;
}

static json_t *rebuild_json(const struct kern_peer *p)
{
	json_t *j;

	if (p->rebuild == SWBLOCK_REBUILD_NONE)
		return json_null();
	j = json_object();
	put_text(j, "kind", swb_text_rebuild(p->rebuild));
	put_u64(j, "todo_bytes", p->rebuild_todo);
	put_u64(j, "done_bytes", p->rebuild_done);
	put_u64(j, "bytes_per_s", p->rebuild_rate);
	return j;
}

json_t *show_peer_json(const struct kern_volume *v, const struct kern_peer *p,
		       const char *label)
{
	json_t *j = json_object();

	json_object_set_new(j, "replica", json_uuid(&p->uuid));
	put_text(j, "label", label);
	put_text(j, "state", swb_text_peer_state(p->state));
	json_object_set_new(j, "required", json_boolean(p->required));
	put_u64(j, "session", p->session);
	json_object_set_new(j, "case", json_letter(p->letter));
	put_text(j, "case_text", p->letter ?
		 swb_text_case(SWBLOCK_TABLE_RESYNC, p->letter) : NULL);
	put_text(j, "reason", swb_text_reason(p->reason));
	put_u64(j, "match_lsn", p->match_lsn);
	put_u64(j, "target_lsn", p->target_lsn);
	put_u64(j, "cursor_lsn", p->cursor_lsn);
	put_u64(j, "received_lsn", p->received_lsn);
	put_u64(j, "written_lsn", p->written_lsn);
	put_u64(j, "durable_lsn", p->durable_lsn);
	put_u64(j, "behind_records", show_behind(v, p));
	put_u64(j, "behind_bytes", p->behind_bytes);
	put_u64(j, "behind_ns", p->behind_ns);
	json_object_set_new(j, "rebuild", rebuild_json(p));
	json_object_set_new(j, "facts", facts_json(p));
	return j;
}

static json_t *log_json(const struct kern_volume *v)
{
	json_t *j = json_object();

	put_u64(j, "head_lsn", v->head_lsn);
	put_u64(j, "written_lsn", v->written_lsn);
	put_u64(j, "durable_lsn", v->durable_lsn);
	put_u64(j, "committed_lsn", v->committed_lsn);
	put_u64(j, "start_lsn", v->log_start);
	put_u64(j, "extent_lo", v->extent_lo);
	put_u64(j, "extent_hi", v->extent_hi);
	put_u64(j, "ring_bytes", v->ring_bytes);
	put_u64(j, "ring_used", v->ring_used);
	put_u64(j, "incarnation", v->incarnation);
	return j;
}

static json_t *bitmap_json(const struct kern_volume *v)
{
	json_t *j = json_object();

	put_u64(j, "blocks", v->bitmap_blocks);
	put_u64(j, "base_epoch", v->bitmap_epoch);
	put_u64(j, "base_lsn", v->bitmap_lsn);
	return j;
}

static json_t *stats_json(const struct kern_volume *v)
{
	json_t *j = json_object();
	uint32_t i;

	for (i = SWBLOCK_STAT_PAD + 1; i <= SWBLOCK_STAT_MAX; i++)
		put_u64(j, swb_text_stat(i), v->stats[i]);
	return j;
}

static json_t *peers_json(const struct kern_dump *dump, const struct kern_volume *v,
			  const struct auth_record *rec)
{
	json_t *list = json_array();
	char label[CTL_UUID_TEXT];
	unsigned int i;

	for (i = 0; i < v->peer_count; i++) {
		peer_label(dump, rec, &v->peer[i].uuid, label);
		json_array_append_new(list, show_peer_json(v, &v->peer[i], label));
	}
	return list;
}

json_t *show_volume_json(const struct kern_dump *dump, const struct kern_volume *v,
			 const struct auth_record *rec)
{
	json_t *j = json_object();
	char name[MEMBER_NAME_MAX], dev[32];

	snprintf(dev, sizeof(dev), "/dev/swblock%u", v->minor);
	put_text(j, "member", member_name(v, name));
	put_text(j, "device", dev);
	put_u64(j, "volume_id", v->id);
	put_u64(j, "minor", v->minor);
	json_object_set_new(j, "volume", json_uuid(&v->volume));
	put_text(j, "volume_label", v->volume_label);
	json_object_set_new(j, "replica", json_uuid(&v->replica));
	put_text(j, "replica_label", v->replica_label);
	put_text(j, "role", swb_text_role(v->role));
	json_object_set_new(j, "primary", json_uuid(&v->primary));
	put_u64(j, "epoch", v->epoch);
	put_u64(j, "opened", v->opened);
	put_u64(j, "size_bytes", v->size_bytes);
	put_u64(j, "block_bytes", v->block_bytes);
	json_object_set_new(j, "config", v->has_config ?
			    config_to_json(&v->config, rec) : json_null());
	json_object_set_new(j, "conditions", show_conditions_json(v->conditions));
	json_object_set_new(j, "store", json_uuid(&v->store));
	put_u64(j, "store_generation", v->store_generation);
	put_u64(j, "lease_ns", v->lease_ns);
	put_u64(j, "io_deadline_ms", v->io_deadline_ms);
	put_u64(j, "link_deadline_ms", v->link_deadline_ms);
	put_u64(j, "flush_interval_ms", v->flush_interval_ms);
	put_text(j, "rebuild_auto", swb_text_rebuild(v->rebuild_auto));
	put_u64(j, "rebuild_rate", v->rebuild_rate);
	put_u64(j, "catchup_max_bytes", v->catchup_max_bytes);
	put_u64(j, "catchup_stall_ms", v->catchup_stall_ms);
	put_u64(j, "openers", v->openers);
	put_u64(j, "inflight", v->inflight);
	put_u64(j, "parked", v->parked);
	json_object_set_new(j, "local_case", json_letter(v->local_letter));
	json_object_set_new(j, "promote_case", json_letter(v->promote_letter));
	json_object_set_new(j, "log", log_json(v));
	json_object_set_new(j, "bitmap", bitmap_json(v));
	json_object_set_new(j, "peers", peers_json(dump, v, rec));
	json_object_set_new(j, "stats", stats_json(v));
	return j;
}

json_t *show_event_json(const struct kern_event *ev, const char *member)
{
	json_t *j = json_object();

	put_u64(j, "seq", ev->seq);
	put_text(j, "event", swb_text_event_kind(ev->kind));
	put_u64(j, "time_ns", ev->time_ns);
	put_u64(j, "volume_id", ev->volume_id);
	put_text(j, "member", member);
	put_u64(j, "epoch", ev->epoch);
	put_u64(j, "cookie", ev->cookie & INT64_MAX);
	json_object_set_new(j, "case", json_letter(ev->letter));
	put_text(j, "text", ev->text);
	switch ((enum swblock_event_kind)ev->kind) {
	case SWBLOCK_EVENT_READY:
		put_u64(j, "minor", ev->minor);
		break;
	case SWBLOCK_EVENT_FAILED:
	case SWBLOCK_EVENT_REFUSED:
		put_u64(j, "errno", ev->error);
		break;
	case SWBLOCK_EVENT_REPORT:
		json_object_set_new(j, "report", ev->has_report ?
				    report_to_json(&ev->report) : json_null());
		break;
	case SWBLOCK_EVENT_ROLE:
		put_text(j, "role", swb_text_role(ev->role));
		break;
	case SWBLOCK_EVENT_PEER:
		json_object_set_new(j, "peer", json_uuid(&ev->peer.uuid));
		put_text(j, "state", swb_text_peer_state(ev->peer.state));
		put_text(j, "reason", swb_text_reason(ev->reason ? ev->reason :
						      ev->peer.reason));
		break;
	case SWBLOCK_EVENT_CONDITIONS:
		json_object_set_new(j, "conditions",
				    show_conditions_json(ev->conditions));
		break;
	case SWBLOCK_EVENT_REMOVED:
	case SWBLOCK_EVENT_STEP_DOWN:
	case SWBLOCK_EVENT_RESIZED:
	case SWBLOCK_EVENT_VERIFY:
	case SWBLOCK_EVENT_VERIFIED:
		break;
	}
	return j;
}
