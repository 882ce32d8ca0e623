// SPDX-License-Identifier: GPL-2.0-only
/*
 * swblockctl status, info: how things stand, on one screen. "0 behind" means 0:
 * every number is the kernel's.
 */
#include <errno.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cluster.h"
#include "core/text.h"
#include "show.h"
#include "verbs.h"

static const char *role_color(const struct ctl *ctl, const struct kern_volume *v)
{
	switch ((enum swblock_role)v->role) {
	case SWBLOCK_ROLE_PRIMARY:
		return out_good(ctl);
	case SWBLOCK_ROLE_REPLICA:
		return "";
	case SWBLOCK_ROLE_NONE:
		return out_warn(ctl);
	}
	return "";
}

static const char *state_color(const struct ctl *ctl, const struct kern_peer *p)
{
	switch ((enum swblock_peer_state)p->state) {
	case SWBLOCK_PEER_IN_SYNC:
		return out_good(ctl);
	case SWBLOCK_PEER_CATCHING_UP:
	case SWBLOCK_PEER_REBUILDING:
	case SWBLOCK_PEER_OPENING:
	case SWBLOCK_PEER_DETACHED:
		return out_warn(ctl);
	case SWBLOCK_PEER_NEEDS_REBUILD:
	case SWBLOCK_PEER_REFUSED:
		return out_bad(ctl);
	}
	return "";
}

static void head_line(const struct ctl *ctl, const struct kern_volume *v)
{
	char name[MEMBER_NAME_MAX], size[32];

	size_text(v->size_bytes, size, sizeof(size));
	out_line(ctl, "%s%s%s  /dev/swblock%u  %s%s%s  epoch %" PRIu64 "  %s%s%s%s%s",
		 out_bold(ctl), member_name(v, name), out_plain(ctl), v->minor,
		 role_color(ctl, v), v->role == SWBLOCK_ROLE_NONE ? "no role" :
		 swb_text_role(v->role), out_plain(ctl), v->epoch,
		 v->has_config ? swb_text_mode(v->config.mode) : "",
		 v->has_config ? "/" : "",
		 v->has_config ? swb_text_policy(v->config.policy) : "",
		 v->has_config ? "  " : "", size);
}

static void log_line(const struct ctl *ctl, const struct kern_volume *v)
{
	char ring[32];

	size_text(v->ring_bytes, ring, sizeof(ring));
	out_line(ctl, "  log    head %" PRIu64 "  durable %" PRIu64 "  committed %"
		 PRIu64 "  ring %" PRIu64 "%% of %s%s", v->head_lsn,
		 v->durable_lsn, v->committed_lsn,
		 v->ring_bytes ? v->ring_used * 100 / v->ring_bytes : 0, ring,
		 v->openers ? "  open" : "");
}

static void lease_line(const struct ctl *ctl, const struct kern_volume *v)
{
	uint64_t now = boottime_ns();
	char left[32];

	if (!v->lease_ns)
		return;
	duration_text(v->lease_ns > now ? v->lease_ns - now : 0, left, sizeof(left));
	out_line(ctl, "  lease  %s left", left);
}

/* How far a copy of blocks is, and when it will be there. */
static void rebuild_line(const struct ctl *ctl, const struct kern_peer *p)
{
	uint64_t left = p->rebuild_todo > p->rebuild_done ?
			p->rebuild_todo - p->rebuild_done : 0;
	char done[32], todo[32], rate[32], eta[32], when[64] = "";

	if (p->state != SWBLOCK_PEER_REBUILDING)
		return;
	size_text(p->rebuild_done, done, sizeof(done));
	size_text(p->rebuild_todo, todo, sizeof(todo));
	size_text(p->rebuild_rate, rate, sizeof(rate));
	duration_text(p->rebuild_rate ?
		      left / p->rebuild_rate * 1000000000ULL : 0, eta, sizeof(eta));
	if (p->rebuild_rate && p->rebuild_todo)
		snprintf(when, sizeof(when), ", %s left", eta);
	out_line(ctl, "         %s: %s%s%s, %s/s%s", swb_text_rebuild(p->rebuild), done,
		 p->rebuild_todo ? " of " : "", p->rebuild_todo ? todo : "", rate,
		 when);
}

static void peer_line(const struct ctl *ctl, const struct kern_dump *dump,
		      const struct auth_record *rec, const struct kern_volume *v,
		      const struct kern_peer *p)
{
	char label[CTL_UUID_TEXT], bytes[32], time[32], extra[160] = "";
	uint64_t behind = show_behind(v, p);

	peer_label(dump, rec, &p->uuid, label);
	size_text(p->behind_bytes, bytes, sizeof(bytes));
	duration_text(p->behind_ns, time, sizeof(time));
	if (p->state == SWBLOCK_PEER_CATCHING_UP &&
	    v->role == SWBLOCK_ROLE_PRIMARY)
		snprintf(extra, sizeof(extra), "  at %" PRIu64 " of %" PRIu64,
			 p->durable_lsn, p->target_lsn);
	else if (p->state != SWBLOCK_PEER_IN_SYNC && p->reason)
		snprintf(extra, sizeof(extra), "  %s", swb_text_reason(p->reason));
	if (v->role != SWBLOCK_ROLE_PRIMARY)
		out_line(ctl, "  peer   %-12s %s%s%s%s", label, state_color(ctl, p),
			 swb_text_peer_state(p->state), out_plain(ctl), extra);
	else
		out_line(ctl, "  peer   %-12s %s%s%s%s  behind %" PRIu64
			 " records, %s, %s%s%s%c", label, state_color(ctl, p),
			 swb_text_peer_state(p->state), out_plain(ctl),
			 p->required ? "" : " (not required)", behind, bytes, time,
			 extra, p->letter ? "  case " : "",
			 p->letter ? p->letter : ' ');
}

static bool declared(const struct board *b, const struct swb_uuid *volume)
{
	size_t i;

	for (i = 0; i < b->volume_count; i++)
		if (swb_uuid_equal(&b->volume[i]->volume, volume))
			return cluster_declared(b->volume[i]);
	return false;
}

/* Quietly: no store is no error here. */
static bool store_there(struct ctl *ctl)
{
	char why[256];

	return ctl->store || !store_open(&ctl->store, ctl->store_path, false,
					 ctl->timeout_s * 1000, why, sizeof(why));
}

/* Is there no module here at all? */
static bool need_module_only(struct ctl *ctl)
{
	return !ctl->kern && kern_open(&ctl->kern) == -ENOENT;
}

static void show(struct ctl *ctl, const struct kern_dump *dump,
		 const struct kern_volume *v)
{
	struct auth_record rec;
	bool known = record_of(ctl, &v->volume, &rec);
	uint32_t bit;
	unsigned int i;

	if (ctl->json) {
		json_array_append_new(json_object_get(ctl->result, "members"),
				      show_volume_json(dump, v, known ? &rec : NULL));
		return;
	}
	head_line(ctl, v);
	log_line(ctl, v);
	lease_line(ctl, v);
	for (bit = 1; bit; bit <<= 1)
		if (v->conditions & bit)
			out_line(ctl, "  %s%-6s%s %s: %s", out_warn(ctl), "!",
				 out_plain(ctl), swb_text_condition(bit),
				 show_condition_help(bit));
	for (i = 0; i < v->peer_count; i++) {
		peer_line(ctl, dump, known ? &rec : NULL, v, &v->peer[i]);
		rebuild_line(ctl, &v->peer[i]);
	}
}

/* Of this kernel: the member that was named, or all that no daemon looks after. */
static int local_status(struct ctl *ctl, const struct board *b)
{
	const struct kern_volume *v = NULL;
	struct kern_dump dump;
	unsigned int i;
	int ret;

	ret = need_members(ctl, &dump);
	if (!ret && ctl->pos_count)
		ret = member_find(ctl, &dump, ctl->pos[0], &v);
	if (!ret) {
		out_set(ctl, "seq", json_u64(dump.seq));
		out_set(ctl, "members", json_array());
		for (i = 0; i < dump.count; i++) {
			if (v ? v != &dump.volume[i] :
			    b && declared(b, &dump.volume[i].volume) && !ctl->json)
				continue;
			show(ctl, &dump, &dump.volume[i]);
		}
		if (!dump.count && !b)
			out_line(ctl, "no member is attached");
	}
	kern_dump_free(&dump);
	return ret;
}

/* What the store knows, if there is one; NULL without a declared volume. */
static struct board *declared_volumes(struct ctl *ctl, struct board_volume **only)
{
	struct auth_record rec;
	struct board *b;
	size_t i, n = 0;

	*only = NULL;
	if (opt_has(ctl, "local") || !store_there(ctl))
		return NULL;
	if (ctl->pos_count && authority_find(ctl->store, ctl->pos[0], &rec))
		return NULL;
	if (board_load(ctl->store, ctl->pos_count ? &rec.volume : NULL, &b))
		return NULL;
	if (!ctl->pos_count)
		cluster_hide_deleted(b);
	for (i = 0; i < b->volume_count; i++)
		n += cluster_declared(b->volume[i]);
	if (n && ctl->pos_count)
		*only = board_find(b, &rec.volume);
	if (n)
		return b;
	board_free(b);
	return NULL;
}

static int run_status(struct ctl *ctl)
{
	struct board_volume *only;
	struct board *b = declared_volumes(ctl, &only);
	json_t *list = json_array();
	int ret = CTL_OK;
	size_t i;

	for (i = 0; b && i < b->volume_count; i++) {
		if (!cluster_declared(b->volume[i]))
			continue;
		if (ctl->json)
			json_array_append_new(list, cluster_json(b, b->volume[i]));
		else
			cluster_show(ctl, b, b->volume[i]);
	}
	out_set(ctl, "volumes", list);
	/* a host without the module may still ask about the others */
	if (!only && !(b && need_module_only(ctl)))
		ret = local_status(ctl, b);
	board_free(b);
	return ret;
}

static int run_info(struct ctl *ctl)
{
	struct auth_store store;
	struct kern_info info;
	char uuid[CTL_UUID_TEXT], why[256];
	int ret, err;

	ret = need_kernel(ctl);
	if (ret)
		return ret;
	err = kern_get_info(ctl->kern, &info);
	if (err)
		return kernel_said(ctl, err, "info");
	out_line(ctl, "module %s, interface %u, protocol %u to %u, %u members attached",
		 info.version, info.abi, info.proto_min, info.proto_max,
		 info.volumes);
	out_line(ctl, "swblockctl %s", CTL_VERSION);
	out_set(ctl, "module", json_string(info.version));
	out_set(ctl, "program", json_string(CTL_VERSION));
	out_set(ctl, "abi", json_u64(info.abi));
	out_set(ctl, "proto_min", json_u64(info.proto_min));
	out_set(ctl, "proto_max", json_u64(info.proto_max));
	out_set(ctl, "features", json_u64(info.features));
	out_set(ctl, "seq", json_u64(info.seq));
	out_set(ctl, "members", json_u64(info.volumes));
	out_set(ctl, "store_path", json_string(ctl->store_path));
	err = store_open(&ctl->store, ctl->store_path, false, STORE_TIMEOUT_MS, why,
			 sizeof(why));
	if (!err)
		err = authority_identity(ctl->store, &store);
	if (err) {
		out_line(ctl, "no authority store at %s%s%s", ctl->store_path,
			 err == -ENOENT ? "" : ": ", err == -ENOENT ? "" :
			 ctl->store ? store_error(ctl->store) : why);
		return CTL_OK;
	}
	uuid_text(&store.uuid, uuid);
	out_line(ctl, "authority store %s, %s generation %" PRIu64, ctl->store_path,
		 uuid, store.generation);
	out_set(ctl, "store", json_uuid(&store.uuid));
	out_set(ctl, "store_generation", json_u64(store.generation));
	return CTL_OK;
}

static const struct opt_def status_opts[] = {
	{ "local", 0, NULL, "only members of this kernel, in detail" },
	{ NULL },
};

const struct verb verb_status = {
	.name = "status",
	.synopsis = "[VOLUME|MEMBER] [--local]",
	.summary = "Show roles, epochs, peers, and what waits for what",
	.opts = status_opts,
	.detail =
	"Declared volumes are shown as their hosts say through the store, from any host;\n"
	"a MEMBER (db/a) and volumes run by hand as this kernel says.\n"
	"Behind: what the peer has not made durable yet, in records, bytes, and the age\n"
	"of the oldest of it. docs/schema/status.json describes the output of -j.",
	.example = "  swblockctl status\n  swblockctl status db\n  swblockctl status db/a -j",
	.pos_min = 0,
	.pos_max = 1,
	.run = run_status,
};

const struct verb verb_info = {
	.name = "info",
	.synopsis = "",
	.summary = "Show versions of module, program and store",
	.example = "  swblockctl info -j",
	.pos_min = 0,
	.pos_max = 0,
	.run = run_info,
};
