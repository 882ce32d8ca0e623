// SPDX-License-Identifier: GPL-2.0-only
/*
 * What /metrics says. The kernel is asked when somebody asks us, member by member;
 * then every family is written as a whole, as the format wants it. Decides nothing,
 * serves nobody: metrics_http.c does.
 */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "member.h"
#include "metrics.h"
#include "show.h"

#define STAGE_FAMILY	"swblock_stage_duration_seconds"

/**
 * struct scraped - a member as the kernel has it now
 * @v: its description
 * @labels: volume="…",member="…"
 * @peer: name of each peer, in the order of @v
 * @of: name of each member of the configuration
 * @missed: records that could not be timed
 * @timed: @missed and @row were had
 * @row_count: histograms
 * @row: of the host, then of each member
 */
struct scraped {
	const struct kern_volume *v;
	char *labels;
	char peer[KERN_PEERS_MAX][CTL_UUID_TEXT];
	char of[SWB_MEMBERS_MAX][CTL_UUID_TEXT];
	uint64_t missed;
	bool timed;
	unsigned int row_count;
	struct swb_lat_row *row;
};

/**
 * struct scrape - one look at everything
 * @d: the daemon
 * @out: the page
 * @up: the kernel answered
 * @info: it
 * @dump: its members
 * @member: the same with what belongs to them
 */
struct scrape {
	const struct daemon *d;
	FILE *out;
	bool up;
	struct kern_info info;
	struct kern_dump dump;
	struct scraped *member;
};

/* --- the format --- */

void metrics_label(FILE *out, const char *text)
{
	const char *s;

	fputc('"', out);
	for (s = text; *s; s++) {
		if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if (*s == '\n')
			fputs("\\n", out);
		else	/* what is no ASCII may be no UTF-8 either */
			fputc(*s >= ' ' && *s <= '~' ? *s : '?', out);
	}
	fputc('"', out);
}

/* Seconds with all their nanoseconds: no rounding, and no locale. */
static void put_seconds(FILE *out, uint64_t ns)
{
	fprintf(out, "%" PRIu64 ".%09" PRIu64, ns / NSEC_PER_SEC, ns % NSEC_PER_SEC);
}

static void family(const struct scrape *s, const char *name, const char *type,
		   const char *help)
{
	fprintf(s->out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/*
 * A bucket of the kernel ends before its edge, one of Prometheus with it: a time of
 * exactly 2^n ns is counted under the next le. Four buckets are one here.
 */
void metrics_hist(FILE *out, const char *name, const char *labels,
		  const struct swb_lat_hist *h)
{
	uint64_t below = 0;
	uint32_t i;

	for (i = 0; i + 1 < SWB_LAT_BUCKETS; i++) {
		below += h->n[i];
		if (i & ((1u << SWB_LAT_SUB_SHIFT) - 1))
			continue;
		fprintf(out, "%s_bucket{%s,le=\"", name, labels);
		put_seconds(out, swb_lat_edge(i + 1));
		fprintf(out, "\"} %" PRIu64 "\n", below);
	}
	below += h->n[i];
	fprintf(out, "%s_bucket{%s,le=\"+Inf\"} %" PRIu64 "\n%s_sum{%s} ", name,
		labels, below, name, labels);
	put_seconds(out, h->sum_ns);
	fprintf(out, "\n%s_count{%s} %" PRIu64 "\n", name, labels, below);
}

/* --- what is asked --- */

static const struct auth_record *record_for(const struct scrape *s,
					    const struct swb_uuid *volume)
{
	unsigned int i;

	for (i = 0; i < s->d->vol_count; i++)
		if (swb_uuid_equal(&s->d->vol[i]->id, volume) && s->d->vol[i]->b &&
		    s->d->vol[i]->b->record_revision)
			return &s->d->vol[i]->b->record;
	return NULL;
}

/* Labels are chosen by people. Two samples of one name would make the whole page
 * invalid, so whoever is called as one before is called by its id.
 */
static void name_volume(const struct scrape *s, unsigned int at)
{
	const struct kern_volume *v = s->dump.volume + at, *o;
	char volume[CTL_UUID_TEXT], member[CTL_UUID_TEXT];
	bool taken = !*v->replica_label;
	size_t len;
	FILE *out;

	for (o = s->dump.volume; o < v; o++)
		taken |= !strcmp(o->volume_label, v->volume_label) &&
			 !strcmp(o->replica_label, v->replica_label);
	uuid_text(&v->volume, volume);
	uuid_text(&v->replica, member);
	out = open_memstream(&s->member[at].labels, &len);
	if (!out)
		return;
	fputs("volume=", out);
	metrics_label(out, *v->volume_label ? v->volume_label : volume);
	fputs(",member=", out);
	metrics_label(out, taken ? member : v->replica_label);
	fclose(out);
}

static void name_other(const struct scrape *s, const struct kern_volume *v,
		       const struct swb_uuid *id, char list[][CTL_UUID_TEXT],
		       unsigned int at)
{
	unsigned int i;

	peer_label(&s->dump, record_for(s, &v->volume), id, list[at]);
	for (i = 0; i < at; i++)
		if (!strcmp(list[i], list[at]))
			uuid_text(id, list[at]);
}

/* @member: index, or SWB_LAT_NOBODY for the host's own. */
static int ask_latency(const struct scrape *s, struct scraped *m, uint8_t member)
{
	const struct swb_uuid *uuid = NULL;
	struct kern_latency got;
	struct swb_lat_row *more;
	unsigned int i;
	int err;

	if (member != SWB_LAT_NOBODY)
		uuid = &m->v->config.member[member];
	err = kern_get_latency(s->d->kern, m->v->id, uuid, &got);
	if (err)
		return err;
	more = realloc(m->row, (m->row_count + got.count + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	m->row = more;
	m->missed = got.missed > m->missed ? got.missed : m->missed;
	for (i = 0; i < got.count; i++) {
		m->row[m->row_count] = got.row[i];
		m->row[m->row_count++].member = member;
	}
	return 0;
}

static void ask_member(const struct scrape *s, struct scraped *m)
{
	const struct swb_config *c = &m->v->config;
	unsigned int i;
	int err;

	for (i = 0; i < m->v->peer_count; i++)
		name_other(s, m->v, &m->v->peer[i].uuid, m->peer, i);
	err = ask_latency(s, m, SWB_LAT_NOBODY);
	for (i = 0; !err && m->v->has_config && i < c->member_count; i++) {
		name_other(s, m->v, &c->member[i], m->of, i);
		err = ask_latency(s, m, (uint8_t)i);
		if (err == -ENOENT)	/* it has left the configuration meanwhile */
			err = 0;
	}
	/* a half of it would look as if the rest had stopped */
	m->timed = !err;
}

static bool ask(struct scrape *s)
{
	unsigned int i;

	s->up = s->d->kern && !kern_get_info(s->d->kern, &s->info) &&
		!kern_dump_volumes(s->d->kern, &s->dump);
	if (!s->up)
		return true;
	s->member = calloc(s->dump.count + 1, sizeof(*s->member));
	if (!s->member)
		return false;
	for (i = 0; i < s->dump.count; i++) {
		s->member[i].v = &s->dump.volume[i];
		name_volume(s, i);
		if (!s->member[i].labels)
			return false;
		ask_member(s, &s->member[i]);
	}
	return true;
}

static void forget(struct scrape *s)
{
	unsigned int i;

	for (i = 0; s->member && i < s->dump.count; i++) {
		free(s->member[i].labels);
		free(s->member[i].row);
	}
	free(s->member);
	kern_dump_free(&s->dump);
}

/* --- what is told: the daemon --- */

/* volume_uuid="…",replica_uuid="…" */
static void put_ids(FILE *out, const struct swb_uuid *volume,
		    const struct swb_uuid *replica)
{
	char v[CTL_UUID_TEXT], r[CTL_UUID_TEXT];

	uuid_text(volume, v);
	uuid_text(replica, r);
	fprintf(out, "volume_uuid=\"%s\",replica_uuid=\"%s\"", v, r);
}

static void put_daemon(const struct scrape *s)
{
	const char *module = s->up ? s->info.version : "";

	family(s, "swblock_build_info", "gauge",
	       "Versions of swblockd and of the module, and the name of this node.");
	fputs("swblock_build_info{version=", s->out);
	metrics_label(s->out, CTL_VERSION);
	fputs(",module=", s->out);
	metrics_label(s->out, module);
	fputs(",node=", s->out);
	metrics_label(s->out, s->d->cfg.node);
	fputs("} 1\n", s->out);
	family(s, "swblock_module_up", "gauge",
	       "1 if the kernel module answers; without it no member is told of.");
	fprintf(s->out, "swblock_module_up %d\n", s->up);
	family(s, "swblock_store_up", "gauge",
	       "1 if the authority store answered last; without it no lease is renewed.");
	fprintf(s->out, "swblock_store_up %d\n", s->d->store_said > 0);
}

static bool is_attached(const struct scrape *s, const struct swb_uuid *replica)
{
	unsigned int i;

	for (i = 0; i < s->dump.count; i++)
		if (swb_uuid_equal(&s->dump.volume[i].replica, replica))
			return true;
	return false;
}

/* By id: a label may be declared twice, and what is not attached has no other. */
static void put_declared(const struct scrape *s)
{
	const struct own *o;
	unsigned int i;

	family(s, "swblock_declared_member_attached", "gauge",
	       "1 if a member that is declared for this node is attached.");
	for (i = 0; i < s->d->own_count; i++) {
		o = s->d->own[i];
		if (!o->wished)
			continue;
		fputs("swblock_declared_member_attached{", s->out);
		put_ids(s->out, &o->volume, &o->replica);
		fputs(",member=", s->out);
		metrics_label(s->out, o->label);
		fprintf(s->out, "} %d\n", is_attached(s, &o->replica));
	}
}

/* --- members --- */

static void put_identity(const struct scrape *s)
{
	const struct scraped *m;
	unsigned int i;

	family(s, "swblock_member_info", "gauge",
	       "Device and ids of a member that is attached here.");
	for (i = 0; i < s->dump.count; i++) {
		m = &s->member[i];
		fprintf(s->out, "swblock_member_info{%s,device=\"swblock%u\",",
			m->labels, m->v->minor);
		put_ids(s->out, &m->v->volume, &m->v->replica);
		fputs("} 1\n", s->out);
	}
}

static void put_roles(const struct scrape *s)
{
	const struct scraped *m;
	unsigned int i;
	uint8_t role;

	family(s, "swblock_role", "gauge", "1 for the role that a member has.");
	for (i = 0; i < s->dump.count; i++) {
		m = &s->member[i];
		for (role = 0; role <= SWBLOCK_ROLE_PRIMARY; role++)
			fprintf(s->out, "swblock_role{%s,role=\"%s\"} %d\n",
				m->labels, swb_text_role(role), m->v->role == role);
	}
}

static void put_conditions(const struct scrape *s)
{
	const struct scraped *m;
	const char *name;
	unsigned int i;
	uint32_t bit;

	family(s, "swblock_condition", "gauge",
	       "1 for each condition that holds of a member; swblockctl health judges them.");
	for (i = 0; i < s->dump.count; i++) {
		m = &s->member[i];
		for (bit = 1; bit; bit <<= 1) {
			name = swb_text_condition(bit);
			if (*name != '?')
				fprintf(s->out, "swblock_condition{%s,condition=\"%s\"} %d\n",
					m->labels, name, !!(m->v->conditions & bit));
		}
	}
}

/* Below zero behind its end, as long as the module shows it. */
static void put_leases(const struct scrape *s)
{
	uint64_t now = boottime_ns();
	const struct kern_volume *v;
	unsigned int i;
	bool over;

	family(s, "swblock_lease_remaining_seconds", "gauge",
	       "Until the lease of a primary ends; missing where it has none.");
	for (i = 0; i < s->dump.count; i++) {
		v = s->member[i].v;
		if (!v->lease_ns || v->role != SWBLOCK_ROLE_PRIMARY)
			continue;
		over = v->lease_ns < now;
		fprintf(s->out, "swblock_lease_remaining_seconds{%s} %s",
			s->member[i].labels, over ? "-" : "");
		put_seconds(s->out, over ? now - v->lease_ns : v->lease_ns - now);
		fputc('\n', s->out);
	}
}

struct number {
	const char *name;
	const char *help;
	size_t offset, size;
};

static uint64_t number_at(const void *base, const struct number *n)
{
	const char *at = (const char *)base + n->offset;
	uint64_t wide;
	uint32_t word;

	switch (n->size) {
	case sizeof(wide):
		memcpy(&wide, at, sizeof(wide));
		return wide;
	case sizeof(word):
		memcpy(&word, at, sizeof(word));
		return word;
	}
	return *(const uint8_t *)at;
}

#define OF(type, field)	offsetof(struct type, field), sizeof(((struct type *)0)->field)

static const struct number numbers[] = {
	{ "swblock_epoch", "Epoch that a member has adopted.", OF(kern_volume, epoch) },
	{ "swblock_size_bytes", "Size of the volume as this member has it.",
	  OF(kern_volume, size_bytes) },
	{ "swblock_head_lsn", "Newest record of the log.", OF(kern_volume, head_lsn) },
	{ "swblock_durable_lsn", "Up to here the own log is durable.",
	  OF(kern_volume, durable_lsn) },
	{ "swblock_committed_lsn", "Up to here the volume is committed, as known here.",
	  OF(kern_volume, committed_lsn) },
	{ "swblock_ring_bytes", "Size of the log's ring.", OF(kern_volume, ring_bytes) },
	{ "swblock_ring_used_bytes", "What of it holds records that are still needed.",
	  OF(kern_volume, ring_used) },
	{ "swblock_openers", "Who has the device open.", OF(kern_volume, openers) },
	{ "swblock_requests_inflight", "Requests that have not ended.",
	  OF(kern_volume, inflight) },
	{ "swblock_requests_parked", "Requests that wait for admission.",
	  OF(kern_volume, parked) },
};

static void put_numbers(const struct scrape *s)
{
	unsigned int i;
	size_t n;

	for (n = 0; n < ARRAY_SIZE(numbers); n++) {
		family(s, numbers[n].name, "gauge", numbers[n].help);
		for (i = 0; i < s->dump.count; i++)
			fprintf(s->out, "%s{%s} %" PRIu64 "\n", numbers[n].name,
				s->member[i].labels,
				number_at(s->member[i].v, &numbers[n]));
	}
}

/* --- peers --- */

static void put_peer_states(const struct scrape *s)
{
	const struct scraped *m;
	unsigned int i, p;
	uint8_t state;

	family(s, "swblock_peer_state", "gauge",
	       "1 for the state of a peer, as a member sees it.");
	for (i = 0; i < s->dump.count; i++) {
		m = &s->member[i];
		for (p = 0; p < m->v->peer_count; p++)
			for (state = 0; state <= SWBLOCK_PEER_REBUILDING; state++) {
				fprintf(s->out, "swblock_peer_state{%s,peer=",
					m->labels);
				metrics_label(s->out, m->peer[p]);
				fprintf(s->out, ",state=\"%s\"} %d\n",
					swb_text_peer_state(state),
					m->v->peer[p].state == state);
			}
	}
}

static uint64_t in_sync(const struct kern_volume *v, const struct kern_peer *p)
{
	(void)v;
	return p->state == SWBLOCK_PEER_IN_SYNC;
}

/* A field of the peer, or what @get makes of it. */
static const struct {
	struct number number;
	uint64_t (*get)(const struct kern_volume *v, const struct kern_peer *p);
	bool seconds;
} of_peers[] = {
	{ .number = { "swblock_peer_in_sync", "1 if a peer is in sync.", 0, 0 },
	  .get = in_sync },
	{ .number = { "swblock_peer_required", "1 if a peer is in the required set.",
		      OF(kern_peer, required) } },
	{ .number = { "swblock_peer_behind_records",
		      "Records that a peer has not made durable.", 0, 0 },
	  .get = show_behind },
	{ .number = { "swblock_peer_behind_bytes", "Payload of those.",
		      OF(kern_peer, behind_bytes) } },
	{ .number = { "swblock_peer_behind_seconds", "Age of the oldest of those.",
		      OF(kern_peer, behind_ns) },
	  .seconds = true },
	{ .number = { "swblock_peer_rebuild_todo_bytes",
		      "What a rebuild copies, the last one or the one under way; 0: not known.",
		      OF(kern_peer, rebuild_todo) } },
	{ .number = { "swblock_peer_rebuild_done_bytes",
		      "What of it the peer has written.", OF(kern_peer, rebuild_done) } },
	{ .number = { "swblock_peer_rebuild_bytes_per_second",
		      "Rate of the rebuild under way; 0: there is none.",
		      OF(kern_peer, rebuild_rate) } },
};

static void put_peer_numbers(const struct scrape *s, size_t n)
{
	const struct number *number = &of_peers[n].number;
	const struct kern_peer *peer;
	const struct scraped *m;
	unsigned int i, p;
	uint64_t value;

	family(s, number->name, "gauge", number->help);
	for (i = 0; i < s->dump.count; i++) {
		m = &s->member[i];
		for (p = 0; p < m->v->peer_count; p++) {
			peer = &m->v->peer[p];
			value = of_peers[n].get ? of_peers[n].get(m->v, peer) :
						  number_at(peer, number);
			fprintf(s->out, "%s{%s,peer=", number->name, m->labels);
			metrics_label(s->out, m->peer[p]);
			fputs("} ", s->out);
			if (of_peers[n].seconds)
				put_seconds(s->out, value);
			else
				fprintf(s->out, "%" PRIu64, value);
			fputc('\n', s->out);
		}
	}
}

/* --- counters and histograms --- */

static const char *const stat_help[] = {
	[SWBLOCK_STAT_READS] = "Reads of the device.",
	[SWBLOCK_STAT_WRITES] = "Writes of the device.",
	[SWBLOCK_STAT_FLUSHES] = "Flushes of the device.",
	[SWBLOCK_STAT_READ_BYTES] = "Bytes read from the device.",
	[SWBLOCK_STAT_WRITE_BYTES] = "Bytes written to the device.",
	[SWBLOCK_STAT_GROUPS] = "Groups of records written to the log.",
	[SWBLOCK_STAT_GROUP_BYTES] = "Bytes of them.",
	[SWBLOCK_STAT_DISK_FLUSHES] = "Flushes of lower disks.",
	[SWBLOCK_STAT_EXTENT_BYTES] = "Bytes written back to the extent.",
	[SWBLOCK_STAT_CHECKPOINTS] = "Checkpoints.",
	[SWBLOCK_STAT_RING_WRAPS] = "Times that the log began anew at its start.",
	[SWBLOCK_STAT_PARKED] = "Requests that had to wait for admission.",
	[SWBLOCK_STAT_DEADLINES] = "Requests that the deadline of I/O failed.",
	[SWBLOCK_STAT_READ_MEMORY_BYTES] = "Bytes of reads served from memory.",
	[SWBLOCK_STAT_READ_RING_BYTES] = "Bytes of reads served from the log on disk.",
	[SWBLOCK_STAT_FRAMES_SENT] = "Frames sent to peers.",
	[SWBLOCK_STAT_FRAMES_RECEIVED] = "Frames received from peers.",
	[SWBLOCK_STAT_WIRE_SENT_BYTES] = "Bytes sent to peers.",
	[SWBLOCK_STAT_WIRE_RECEIVED_BYTES] = "Bytes received from peers.",
	[SWBLOCK_STAT_REFUSED] = "Frames, acks and orders refused.",
	[SWBLOCK_STAT_DISK_ERRORS] = "Errors of lower disks.",
	[SWBLOCK_STAT_ASSERTS] = "Broken invariants seen; anything but 0 is a bug.",
	[SWBLOCK_STAT_REBUILD_BYTES] = "Blocks sent by rebuilds, without zeroes.",
	[SWBLOCK_STAT_VERIFY_BYTES] = "Bytes compared.",
	[SWBLOCK_STAT_VERIFY_RETRIES] = "Pieces written to while they were compared.",
	[SWBLOCK_STAT_VERIFY_MISMATCHES] = "Blocks of 4 KiB that differed.",
	[SWBLOCK_STAT_VERIFY_REPAIRS] = "Pieces written anew for that.",
	[SWBLOCK_STAT_READS_BORROWED] = "Blocks of 4 KiB that a replica had to read.",
	[SWBLOCK_STAT_READS_UNSERVED] = "Reads that no replica could serve either.",
	[SWBLOCK_STAT_READ_REPAIRS] = "Such blocks written anew.",
	[SWBLOCK_STAT_READS_LENT] = "Blocks read for the primary.",
};

_Static_assert(ARRAY_SIZE(stat_help) == SWBLOCK_STAT_MAX + 1, "a counter has no help");

static void put_counters(const struct scrape *s)
{
	unsigned int i, stat;
	char name[64];

	for (stat = SWBLOCK_STAT_PAD + 1; stat <= SWBLOCK_STAT_MAX; stat++) {
		snprintf(name, sizeof(name), "swblock_%s_total", swb_text_stat(stat));
		family(s, name, "counter", stat_help[stat]);
		for (i = 0; i < s->dump.count; i++)
			fprintf(s->out, "%s{%s} %" PRIu64 "\n", name,
				s->member[i].labels, s->member[i].v->stats[stat]);
	}
}

static void put_missed(const struct scrape *s)
{
	unsigned int i;

	family(s, "swblock_untimed_records_total", "counter",
	       "Records that are in no histogram of a peer, for they were acked too late.");
	for (i = 0; i < s->dump.count; i++)
		if (s->member[i].timed)
			fprintf(s->out, "swblock_untimed_records_total{%s} %" PRIu64 "\n",
				s->member[i].labels, s->member[i].missed);
}

static void put_row(const struct scrape *s, const struct scraped *m,
		    const struct swb_lat_row *row)
{
	char *labels = NULL;
	size_t len;
	FILE *out = open_memstream(&labels, &len);

	if (!out)
		return;
	fprintf(out, "%s,stage=\"%s\",of=", m->labels, swb_text_stage(row->stage));
	metrics_label(out, row->member < SWB_MEMBERS_MAX ? m->of[row->member] : "");
	fclose(out);
	if (labels)
		metrics_hist(s->out, STAGE_FAMILY, labels, &row->hist);
	free(labels);
}

static void put_stages(const struct scrape *s)
{
	const struct scraped *m;
	unsigned int i, r;

	family(s, STAGE_FAMILY, "histogram",
	       "Times of a stage of a request, of a peer or of the host (empty).");
	for (i = 0; i < s->dump.count; i++) {
		m = &s->member[i];
		for (r = 0; m->timed && r < m->row_count; r++)
			put_row(s, m, &m->row[r]);
	}
}

char *metrics_page(const struct daemon *d, size_t *len)
{
	struct scrape s = { .d = d };
	char *page = NULL;
	bool good;
	size_t n;

	s.out = open_memstream(&page, len);
	if (!s.out)
		return NULL;
	good = ask(&s);
	if (good) {
		put_daemon(&s);
		put_declared(&s);
		put_identity(&s);
		put_roles(&s);
		put_conditions(&s);
		put_leases(&s);
		put_numbers(&s);
		put_peer_states(&s);
		for (n = 0; n < ARRAY_SIZE(of_peers); n++)
			put_peer_numbers(&s, n);
		put_counters(&s);
		put_missed(&s);
		put_stages(&s);
	}
	forget(&s);
	if (!fclose(s.out) && good)
		return page;
	free(page);
	return NULL;
}
