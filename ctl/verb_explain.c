// SPDX-License-Identifier: GPL-2.0-only
/*
 * swblockctl explain: why a decision fell as it did. Facts, case letter, verdict,
 * and the cases that were asked before and did not apply. The sentences are the
 * core's (core/text.c); the order is that of the tables in
 * docs/design/state-model.md.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cluster.h"
#include "core/text.h"
#include "show.h"
#include "verbs.h"

static const struct {
	const char *name;
	const char *title;
	const char *order;
} tables[] = {
	[SWBLOCK_TABLE_RECOVER] = { "recover", "local recovery", "CEABDFGMLNHIJK" },
	[SWBLOCK_TABLE_RESYNC] = { "resync", "peer", "ABCENDFGHIJKLM" },
	[SWBLOCK_TABLE_PROMOTE] = { "promote", "certificate", "DMBLCJEFKHGINA" },
	[SWBLOCK_TABLE_VOLUME] = { "volume", "controller, volume", "" },
	[SWBLOCK_TABLE_MEMBER] = { "member", "controller, member", "" },
};

static void list_rejected(struct ctl *ctl, uint8_t table, uint8_t letter, json_t *out)
{
	const char *p, *text;
	json_t *one;

	for (p = tables[table].order; *p && *p != letter; p++) {
		text = swb_text_case(table, (uint8_t)*p);
		if (!text)
			continue;
		out_line(ctl, "    not %c: %s", *p, text);
		one = json_object();
		json_object_set_new(one, "case", json_letter((uint8_t)*p));
		json_object_set_new(one, "text", json_string(text));
		json_array_append_new(out, one);
	}
}

static json_t *explain_letter(struct ctl *ctl, uint8_t table, uint8_t letter,
			      const char *about, json_t *facts)
{
	json_t *j = json_object(), *rejected = json_array();
	const char *text = swb_text_case(table, letter);
	const char *hint = swb_text_hint(table, letter);

	if (letter) {
		out_line(ctl, "  verdict case %c: %s", letter, text ? text : "?");
		if (hint)
			out_line(ctl, "  next    %s", hint);
		out_line(ctl, "  asked before, and not so:");
		list_rejected(ctl, table, letter, rejected);
	} else {
		out_line(ctl, "  no decision was made yet");
	}
	json_object_set_new(j, "table", json_string(tables[table].name));
	json_object_set_new(j, "about", json_string(about));
	json_object_set_new(j, "case", json_letter(letter));
	json_object_set_new(j, "text", letter && text ? json_string(text) :
			    json_null());
	json_object_set_new(j, "hint", letter && hint ? json_string(hint) :
			    json_null());
	json_object_set_new(j, "facts", facts);
	json_object_set_new(j, "rejected", rejected);
	return j;
}

struct fact {
	const char *name;
	uint64_t value;
};

static json_t *facts(struct ctl *ctl, const struct fact *f, size_t n)
{
	json_t *j = json_object();
	size_t i;

	for (i = 0; i < n; i++) {
		out_line(ctl, "    %-20s %" PRIu64, f[i].name, f[i].value);
		json_object_set_new(j, f[i].name, json_u64(f[i].value));
	}
	return j;
}

static json_t *explain_recovery(struct ctl *ctl, const struct kern_volume *v)
{
	const struct fact list[] = {
		{ "log_start", v->log_start }, { "extent_lo", v->extent_lo },
		{ "extent_hi", v->extent_hi }, { "incarnation", v->incarnation },
		{ "adopted", v->epoch }, { "opened", v->opened },
	};

	out_line(ctl, "local recovery, when it was attached");
	out_line(ctl, "  facts (as of now)");
	return explain_letter(ctl, SWBLOCK_TABLE_RECOVER, v->local_letter, "local",
		       facts(ctl, list, ARRAY_SIZE(list)));
}

static json_t *explain_promotion(struct ctl *ctl, const struct kern_volume *v)
{
	const struct fact list[] = {
		{ "adopted", v->epoch }, { "opened", v->opened },
		{ "durable", v->durable_lsn }, { "committed", v->committed_lsn },
	};

	out_line(ctl, "last certificate");
	out_line(ctl, "  facts (as of now)");
	return explain_letter(ctl, SWBLOCK_TABLE_PROMOTE, v->promote_letter, "certificate",
		       facts(ctl, list, ARRAY_SIZE(list)));
}

static json_t *explain_peer(struct ctl *ctl, const struct kern_volume *v,
			    const struct kern_peer *p, const char *label)
{
	const struct fact list[] = {
		{ "own_log_start", p->log_start }, { "match", p->match_lsn },
		{ "frozen_target", p->target_lsn },
		{ "peer_adopted", p->fact_adopted },
		{ "peer_log_end", p->fact_log_end },
		{ "peer_last_epoch", p->fact_last_epoch },
		{ "peer_durable", p->fact_durable },
		{ "peer_committed", p->fact_committed },
		{ "peer_extent_hi", p->fact_extent_hi },
		{ "peer_inconsistent", !!(p->fact_flags & SWB_FACT_INCONSISTENT) },
		{ "peer_disk_failed", !!(p->fact_flags & SWB_FACT_DISK_FAILED) },
	};
	char bytes[32];
	json_t *j;

	size_text(p->behind_bytes, bytes, sizeof(bytes));
	out_line(ctl, "peer %s: %s, last session ended by %s, %s to move", label,
		 swb_text_peer_state(p->state), swb_text_reason(p->reason), bytes);
	out_line(ctl, "  facts of the last comparison");
	j = explain_letter(ctl, SWBLOCK_TABLE_RESYNC, p->letter, label,
			   facts(ctl, list, ARRAY_SIZE(list)));
	json_object_set_new(j, "state", json_string(swb_text_peer_state(p->state)));
	json_object_set_new(j, "reason", json_string(swb_text_reason(p->reason)));
	json_object_set_new(j, "bytes_to_move", json_u64(p->behind_bytes));
	(void)v;
	return j;
}

static int explain_all(struct ctl *ctl, const struct kern_dump *dump,
		       const struct kern_volume *v)
{
	json_t *list = json_array();
	char name[MEMBER_NAME_MAX], label[CTL_UUID_TEXT];
	struct auth_record rec;
	bool known = record_of(ctl, &v->volume, &rec);
	struct swb_uuid wanted = { { 0 } };
	unsigned int i;
	int ret = CTL_OK;

	if (ctl->pos_count > 1)
		ret = peer_find(ctl, dump, v, ctl->pos[1], &wanted);
	if (ret) {
		json_decref(list);
		return ret;
	}
	out_line(ctl, "%s, role %s, epoch %" PRIu64, member_name(v, name),
		 swb_text_role(v->role), v->epoch);
	if (swb_uuid_is_null(&wanted)) {
		json_array_append_new(list, explain_recovery(ctl, v));
		json_array_append_new(list, explain_promotion(ctl, v));
	}
	for (i = 0; i < v->peer_count; i++) {
		if (!swb_uuid_is_null(&wanted) &&
		    !swb_uuid_equal(&wanted, &v->peer[i].uuid))
			continue;
		peer_label(dump, known ? &rec : NULL, &v->peer[i].uuid, label);
		json_array_append_new(list, explain_peer(ctl, v, &v->peer[i], label));
	}
	out_set(ctl, "member", json_string(name));
	out_set(ctl, "role", json_string(swb_text_role(v->role)));
	out_set(ctl, "epoch", json_u64(v->epoch));
	out_set(ctl, "conditions", show_conditions_json(v->conditions));
	out_set(ctl, "decisions", list);
	return CTL_OK;
}

/* Is it the name of a declared volume? Then the cluster is explained. */
static bool about_cluster(struct ctl *ctl, int *ret)
{
	struct board_volume *v = NULL;
	struct auth_record rec;
	struct board *b = NULL;
	char why[256];

	if (ctl->pos_count > 1 || strchr(ctl->pos[0], '/') ||
	    (!ctl->store && store_open(&ctl->store, ctl->store_path, false,
				       ctl->timeout_s * 1000, why, sizeof(why))) ||
	    authority_find(ctl->store, ctl->pos[0], &rec))
		return false;
	b = cluster_reload(ctl, &rec.volume, &v);
	if (!b || !cluster_declared(v)) {
		board_free(b);
		return false;
	}
	*ret = explain_cluster(ctl, b, v);
	board_free(b);
	return true;
}

static int run_explain(struct ctl *ctl)
{
	const struct kern_volume *v;
	struct kern_dump dump;
	int ret;

	if (about_cluster(ctl, &ret))
		return ret;
	ret = need_members(ctl, &dump);
	if (!ret)
		ret = member_find(ctl, &dump, ctl->pos[0], &v);
	if (!ret)
		ret = explain_all(ctl, &dump, v);
	kern_dump_free(&dump);
	return ret;
}

const struct verb verb_explain = {
	.name = "explain",
	.synopsis = "VOLUME | MEMBER [PEER]",
	.summary = "Say why a decision fell: facts, case, alternatives",
	.detail =
	"For a declared VOLUME what each host's controller decided last, and what the\n"
	"loss of a member would mean. For a MEMBER of this kernel: local recovery, the last\n"
	"certificate, and each peer. The letters are those of docs/design/state-model.md\n"
	"and controller.md, of the log lines and of the tracepoints.",
	.example = "  swblockctl explain db\n  swblockctl explain db/a b",
	.pos_min = 1,
	.pos_max = 2,
	.run = run_explain,
};
