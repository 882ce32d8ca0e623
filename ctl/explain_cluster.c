// SPDX-License-Identifier: GPL-2.0-only
/*
 * swblockctl explain VOLUME: what the controllers of a declared volume decided
 * last, host by host, with the facts that they look at. The letters are those of
 * core/decide.c; docs/design/controller.md tells their stories.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cluster.h"
#include "core/decide.h"
#include "core/text.h"
#include "show.h"

static json_t *letter(struct ctl *ctl, const char *what, uint8_t table,
		      uint8_t found)
{
	const char *text = swb_text_case(table, found);
	const char *hint = swb_text_hint(table, found);
	json_t *j = json_object();

	if (found)
		out_line(ctl, "    %-8s case %c: %s", what, found,
			 text ? text : "?");
	else
		out_line(ctl, "    %-8s nothing was decided yet", what);
	if (found && hint)
		out_line(ctl, "             next: %s", hint);
	json_object_set_new(j, "case", json_letter(found));
	json_object_set_new(j, "text", found && text ? json_string(text) :
			    json_null());
	json_object_set_new(j, "hint", found && hint ? json_string(hint) :
			    json_null());
	return j;
}

static json_t *report_line(struct ctl *ctl, const struct board_volume *v,
			   const struct swb_uuid *replica)
{
	const struct swb_report *r = NULL;
	unsigned int i;

	for (i = 0; i < v->report_count; i++)
		if (swb_uuid_equal(&v->report[i].report.replica, replica))
			r = &v->report[i].report;
	if (!r) {
		out_line(ctl, "    report   none");
		return json_null();
	}
	out_line(ctl, "    report   epoch %" PRIu64 ": last record of epoch %" PRIu64
		 ", durable %" PRIu64 ", committed %" PRIu64 "%s", r->adopted,
		 r->last_epoch, r->durable, r->committed,
		 r->flags & (SWBLOCK_REPORT_INCONSISTENT | SWBLOCK_REPORT_DISK_FAILED) ?
		 ", void" : r->adopted != v->record.epoch ? ", of another epoch" : "");
	return report_to_json(r);
}

static json_t *one_member(struct ctl *ctl, const struct board *b,
			  const struct board_volume *v, const struct board_member *m)
{
	const struct board_state *s = cluster_state(v, &m->replica);
	const struct board_peer *p = cluster_peer(cluster_primary(v), &m->replica);
	json_t *j = json_object();
	char bytes[32];

	out_line(ctl, "  %s on %s%s", m->label, m->node,
		 cluster_node(b, m->node) ? "" : ": no sign of life");
	json_object_set_new(j, "member", json_string(m->label));
	json_object_set_new(j, "alive", json_boolean(cluster_node(b, m->node)));
	json_object_set_new(j, "report", report_line(ctl, v, &m->replica));
	if (!s)
		return j;
	json_object_set_new(j, "volume", letter(ctl, "volume", SWBLOCK_TABLE_VOLUME,
						s->volume_letter));
	json_object_set_new(j, "member_case",
			    letter(ctl, "member", SWBLOCK_TABLE_MEMBER,
				   s->member_letter));
	if (s->cause)
		out_line(ctl, "    cause    %s",
			 swb_text_cause((enum swb_cause)s->cause));
	json_object_set_new(j, "cause", s->cause ? json_string(
			    swb_text_cause((enum swb_cause)s->cause)) : json_null());
	if (*s->waits)
		out_line(ctl, "    waits    %s", s->waits);
	if (p && p->letter) {
		size_text(p->behind_bytes, bytes, sizeof(bytes));
		json_object_set_new(j, "peer", letter(ctl, "peer",
						      SWBLOCK_TABLE_RESYNC,
						      p->letter));
		out_line(ctl, "             common log up to %" PRIu64 ", %s to move",
			 p->match_lsn, bytes);
		json_object_set_new(j, "bytes_to_move", json_u64(p->behind_bytes));
	}
	return j;
}

int explain_cluster(struct ctl *ctl, const struct board *b,
		    const struct board_volume *v)
{
	const struct auth_record *r = &v->record;
	json_t *list = json_array();
	char buf[CTL_UUID_TEXT];
	unsigned int i;

	out_line(ctl, "%s: epoch %" PRIu64 " %s%s%s, %u configurations judge evidence",
		 r->label, r->epoch, auth_phase_text(r->phase),
		 r->last_epoch ? ", last granted to " : "",
		 r->last_epoch ? cluster_label(v, &r->last_granted, buf) : "",
		 r->granted_count);
	if (v->wish.sequence != r->wish_done)
		out_line(ctl, "declared change %" PRIu64 " is not granted yet (%" PRIu64
			 " is)", v->wish.sequence, r->wish_done);
	for (i = 0; i < v->wish.member_count; i++)
		json_array_append_new(list, one_member(ctl, b, v,
						       &v->wish.member[i]));
	out_line(ctl, "what the loss of one would mean:");
	out_set(ctl, "consequences", cluster_consequences(ctl, b, v, &v->wish, true));
	out_set(ctl, "volume", json_string(r->label));
	out_set(ctl, "epoch", json_u64(r->epoch));
	out_set(ctl, "phase", json_string(auth_phase_text(r->phase)));
	out_set(ctl, "members", list);
	return CTL_OK;
}
