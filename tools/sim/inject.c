// SPDX-License-Identifier: GPL-2.0-only
/*
 * What no correct peer, executor or controller says, said by a scenario: a
 * crafted frame on a live link, a fact out of its time, a certificate that is
 * not enough. The core has to refuse each, and a checker or an expectation has
 * to notice where it does not.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/promote.h"
#include "core/text.h"
#include "script.h"

/* ---- key=value ------------------------------------------------------------- */

static const char *key(const struct script *s, const char *name)
{
	size_t n = strlen(name);

	for (u32 i = 1; i < s->words; i++)
		if (strncmp(s->word[i], name, n) == 0 && s->word[i][n] == '=')
			return s->word[i] + n + 1;
	return NULL;
}

static u64 key_number(const struct script *s, const char *name, u64 dflt)
{
	const char *v = key(s, name);

	return v ? strtoull(v, NULL, 0) : dflt;
}

static bool flag(const struct script *s, const char *name)
{
	for (u32 i = 1; i < s->words; i++)
		if (strcmp(s->word[i], name) == 0)
			return true;
	return false;
}

/* identities: "other" is nobody's, nN is that member's replica */
static void key_uuid(const struct script *s, const char *name,
		     struct swb_uuid *u)
{
	const char *v = key(s, name);

	if (!v)
		return;
	if (v[0] == 'n' && v[1] >= '0' && v[1] - '0' < s->w->shape.nodes)
		*u = s->w->node[v[1] - '0'].core.d.replica;
	else if (strcmp(v, "none") == 0)
		memset(u, 0, sizeof(*u));
	else
		sim_uuid(u, 'x', 99);
}

static u32 key_nodes(const struct script *s, const char *name, u32 dflt)
{
	const char *v = key(s, name);
	u32 mask = 0;

	if (!v)
		return dflt;
	for (; *v >= '0' && *v <= '9'; v += v[1] == ',' ? 2 : 1)
		mask |= 1u << (*v - '0');
	return mask;
}

static u8 reason_by_name(const char *name)
{
	for (u8 r = 1; name && r < __SWBLOCK_REASON_MAX; r++)
		if (strcmp(swb_text_reason(r), name) == 0)
			return r;
	return SWBLOCK_REASON_NONE;
}

/* ---- frames ---------------------------------------------------------------- */

#define FRAME_MAX (sizeof(struct swb_wire_header) + SWB_WIRE_BODY_MAX + SIM_BLOCK)

static u8 bytes[FRAME_MAX] __attribute__((aligned(8)));

/* lineage=EPOCH:LSN,EPOCH:LSN: openings in place of the sender's own */
static void key_lineage(const struct script *s, struct swb_lineage *l)
{
	const char *v = key(s, "lineage");
	char *end;

	if (!v)
		return;
	memset(l, 0, sizeof(*l));
	while (l->count < SWB_LINEAGE_MAX && *v) {
		struct swb_lineage_entry *e = &l->e[l->count++];

		e->epoch = strtoull(v, &end, 10);
		e->first_lsn = *end == ':' ? strtoull(end + 1, &end, 10) : 0;
		if (*end != ',')
			break;
		v = end + 1;
	}
}

/* The sender's account of itself, with what the scenario changes in it. */
static void body_facts(const struct script *s, const struct node *from,
		       const struct node *to, struct swb_frame *f)
{
	static struct swb_facts o;

	swb_core_own_facts(&from->core, to->id, &o);
	key_uuid(s, "volume", &o.volume);
	key_uuid(s, "replica", &o.replica);
	key_uuid(s, "peer", &o.peer);
	key_uuid(s, "store", &o.store);
	o.store_generation = key_number(s, "generation", o.store_generation);
	o.adopted = key_number(s, "adopted", o.adopted);
	o.log_end = key_number(s, "end", o.log_end);
	o.last_epoch = key_number(s, "last", o.last_epoch);
	o.durable = key_number(s, "durable", o.durable);
	o.committed = key_number(s, "known", o.committed);
	o.extent_lo = key_number(s, "lo", o.extent_lo);
	o.extent_hi = key_number(s, "hi", o.extent_hi);
	o.log_start = key_number(s, "start", o.log_start);
	o.extent_bytes = key_number(s, "bytes", o.extent_bytes);
	o.flags = (u32)key_number(s, "flags", o.flags);
	key_lineage(s, &o.lineage);
	/* behind=K: a log that ends K below the first record of the receiver */
	if (key(s, "behind")) {
		o.log_end = to->core.log.start - key_number(s, "behind", 1);
		o.durable = o.log_end;
		o.extent_hi = min_t(u64, o.extent_hi, o.log_end);
		o.extent_lo = min_t(u64, o.extent_lo, o.extent_hi);
		o.committed = min_t(u64, o.committed, o.log_end);
		o.log_start = min_t(u64, o.log_start, o.log_end + 1);
	}
	f->body_bytes = sizeof(struct swb_wire_facts);
	swb_codec_facts_encode(&o, (struct swb_wire_facts *)
			       (bytes + sizeof(struct swb_wire_header)));
}

/* One record: a write of the block, or an opening. */
static void body_record(const struct script *s, struct swb_frame *f)
{
	struct swb_disk_rec *rec = (struct swb_disk_rec *)
		(bytes + sizeof(struct swb_wire_header));
	u32 block = (u32)key_number(s, "block", 0);
	u8 *payload = (u8 *)(rec + 1);

	f->nrec = 1;
	f->body_bytes = sizeof(*rec);
	if (flag(s, "opening")) {
		swb_codec_rec_encode(rec, SWB_REC_OPEN, 0, 0, 0);
		return;
	}
	ref_fill(payload, 999999, block);
	f->payload_bytes = SIM_BLOCK;
	swb_codec_rec_encode(rec, SWB_REC_WRITE, block, SIM_BLOCK,
			     swb_crc32c(0, payload, SIM_BLOCK));
}

static u16 frame_type(const char *name)
{
	for (u16 t = SWB_WIRE_OPEN; t <= SWB_WIRE_READ_DATA; t++)
		if (strcmp(swb_text_wire(t), name) == 0)
			return t;
	return 0;
}

static void frame_args(const struct script *s, const struct node *to,
		       struct swb_frame *f)
{
	switch ((enum swb_wire_type)f->type) {
	case SWB_WIRE_OPEN:
	case SWB_WIRE_FACTS:
		break;
	case SWB_WIRE_START:
		f->a[0] = key_number(s, "from", 0);
		f->a[1] = key_number(s, "cut", 0);
		f->a[2] = key_number(s, "target", 0);
		f->a[3] = key_number(s, "kind", 0);
		break;
	case SWB_WIRE_DATA:
		f->a[0] = key_number(s, "first", to->core.log.head + 1);
		f->a[1] = key_number(s, "of", to->core.log.last_epoch);
		break;
	case SWB_WIRE_ACK:
		f->a[0] = key_number(s, "received", 0);
		f->a[1] = key_number(s, "written", 0);
		f->a[2] = key_number(s, "durable", 0);
		f->a[3] = key_number(s, "base", 0);
		break;
	case SWB_WIRE_PING:
		f->a[0] = key_number(s, "next", 0);
		break;
	case SWB_WIRE_CLOSE:
		f->a[0] = reason_by_name(key(s, "reason"));
		f->a[1] = key_number(s, "closer", f->epoch);
		break;
	case SWB_WIRE_READ:
	case SWB_WIRE_READ_DATA:
		f->a[0] = key_number(s, "block", 0);
		f->a[1] = SIM_BLOCK;
		f->a[2] = key_number(s, "serial", s->w->lend.serial);
		f->a[3] = key_number(s, "lsn", to->core.log.head);
		break;
	case SWB_WIRE_BASE:
	case SWB_WIRE_BASE_END:
	case SWB_WIRE_VERIFY:
	case SWB_WIRE_VERIFY_SUM:
		f->a[0] = key_number(s, "of", to->core.log.last_epoch);
		f->a[1] = key_number(s, "hi", 0);
		break;
	}
}

/* session=N, next or prev to the newest one of the epoch; else the live one */
static u64 frame_session(const struct script *s, const struct node *to, u8 from)
{
	const char *v = key(s, "session");

	if (v && strcmp(v, "next") == 0)
		return to->core.opened_session + 1;
	if (v && strcmp(v, "prev") == 0)
		return to->core.opened_session - 1;
	return key_number(s, "session", to->core.peer[from].session);
}

/* frame nTO nFROM TYPE [session=N] [epoch=N] [KEY=VALUE]... */
bool inject_frame(struct script *s)
{
	struct node *to = script_node(s, 1), *from = script_node(s, 2);
	struct swb_frame f = { .type = frame_type(script_word(s, 3)) };
	struct frame *out;
	u32 len;

	if (!to || !from || !f.type || to->state != NODE_UP)
		return script_fail(s, "frame nTO nFROM TYPE KEY=VALUE...");
	if (!to->link[from->id])
		return script_fail(s, "n%u has no link to n%u", to->id,
				   from->id);
	if (flag(s, "liar"))
		from->rotten = true;	/* what it tells is no broken rule */
	f.session = frame_session(s, to, from->id);
	f.epoch = key_number(s, "epoch", to->core.d.epoch);
	f.committed = key_number(s, "committed", 0);
	f.flush_lsn = key_number(s, "flush", 0);
	frame_args(s, to, &f);
	if (f.type == SWB_WIRE_OPEN || f.type == SWB_WIRE_FACTS)
		body_facts(s, from, to, &f);
	if (f.type == SWB_WIRE_DATA)
		body_record(s, &f);
	if (f.type == SWB_WIRE_READ_DATA) {
		f.body_bytes = SIM_BLOCK;
		ref_fill(bytes + sizeof(struct swb_wire_header), 999999,
			 (u32)f.a[0]);
	}
	f.nrec = (u16)key_number(s, "nrec", f.nrec);
	f.body_crc = swb_crc32c(0, bytes + sizeof(struct swb_wire_header),
				f.body_bytes);
	swb_codec_frame_encode(&f, (struct swb_wire_header *)bytes);
	len = (u32)sizeof(struct swb_wire_header) + f.body_bytes +
	      f.payload_bytes;
	out = calloc(1, sizeof(*out) + len);
	if (!out)
		abort();
	out->conn = to->link[from->id];
	out->from = from->id;
	out->len = len;
	memcpy(out->data, bytes, len);
	node_frame_in(s->w, to, out);
	return true;
}

/* ---- facts ------------------------------------------------------------------ */

static void fact_adopt(const struct script *s, struct swb_event *ev)
{
	ev->type = SWB_EV_ADOPT_ORDERED;
	ev->epoch = script_number(s, 3, s->w->control.won);
	sim_uuid(&ev->u.adopt.store, 's', 0);
	key_uuid(s, "store", &ev->u.adopt.store);
	ev->u.adopt.store_generation = key_number(s, "generation", 1);
}

static void fact_assign(const struct script *s, struct swb_event *ev)
{
	struct node *p = script_node(s, 3);

	ev->type = SWB_EV_ASSIGNED;
	ev->epoch = key_number(s, "epoch", s->w->control.granted);
	ev->u.assign.config = &s->w->control.config;
	if (p)
		ev->u.assign.primary = p->core.d.replica;
}

static u32 noted_generation;

/* the end of a flush that was issued at "fact nN note", or of one issued now */
static void fact_flushed(const struct script *s, const struct node *n,
			 struct swb_event *ev)
{
	bool old = flag(s, "noted") && s->w->broken != BREAK_STALE_FLUSH;

	ev->type = SWB_EV_LOG_FLUSHED;
	ev->lsn = script_number(s, 3, 0);
	ev->generation = old ? noted_generation : n->core.log.generation;
}

static void fact_log(const struct script *s, enum swb_event_type type,
		     struct swb_event *ev)
{
	ev->type = type;
	ev->lsn = script_number(s, 3, 0);
	ev->lsn2 = script_number(s, 4, 0);
}

static void fact_suspend(struct script *s, struct swb_event *ev)
{
	ev->type = SWB_EV_SUSPEND_ORDERED;
	ev->lsn = strcmp(script_word(s, 2), "suspend") == 0;
}

/*
 * fact nN fail | demote | note | flushed LSN [noted] | written LSN | truncated LSN |
 *	checkpointed LO START | adopt EPOCH [store=other] [generation=N] |
 *	assign nP [epoch=N] | lease MS [epoch=N] | suspend | resume
 */
static void fact_rebuild(struct script *s, struct swb_event *ev)
{
	struct node *peer = script_node(s, 3);

	if (!peer)
		return;
	ev->type = SWB_EV_REBUILD_ORDERED;
	ev->peer = (u8)peer->id;
}

bool inject_fact(struct script *s)
{
	struct node *n = script_node(s, 1);
	const char *what = script_word(s, 2);
	struct swb_event ev = { .type = SWB_EV_COUNT };

	if (!n || n->state != NODE_UP)
		return script_fail(s, "fact nN WHAT: it must be up");
	if (strcmp(what, "fail") == 0) {
		node_fail_disk(s->w, n, false);
		return true;
	}
	if (strcmp(what, "note") == 0) {
		noted_generation = n->core.log.generation;
		return true;
	}
	if (strcmp(what, "demote") == 0)
		ev.type = SWB_EV_DEMOTE_ORDERED;
	else if (strcmp(what, "flushed") == 0)
		fact_flushed(s, n, &ev);
	else if (strcmp(what, "written") == 0)
		fact_log(s, SWB_EV_LOG_WRITTEN, &ev);
	else if (strcmp(what, "truncated") == 0)
		fact_log(s, SWB_EV_LOG_TRUNCATED, &ev);
	else if (strcmp(what, "checkpointed") == 0)
		fact_log(s, SWB_EV_CHECKPOINTED, &ev);
	else if (strcmp(what, "suspend") == 0 || strcmp(what, "resume") == 0)
		fact_suspend(s, &ev);
	else if (strcmp(what, "adopt") == 0)
		fact_adopt(s, &ev);
	else if (strcmp(what, "assign") == 0)
		fact_assign(s, &ev);
	else if (strcmp(what, "lease") == 0)
		ev.type = SWB_EV_LEASE_SET;
	else if (strcmp(what, "rebuild") == 0)
		fact_rebuild(s, &ev);
	if (ev.type == SWB_EV_COUNT)
		return script_fail(s, "fact nN %s?", what);
	if (ev.type == SWB_EV_LEASE_SET) {
		ev.epoch = key_number(s, "epoch", n->core.d.epoch);
		ev.u.lease.end_ns = node_now(s->w, n) +
				    script_number(s, 3, 0) * SIM_MSEC;
	}
	node_post(s->w, n, &ev);
	return true;
}

/* ---- certificates ------------------------------------------------------------ */

static void cert_config(struct world *w, struct swb_config *c)
{
	if (w->control.granted) {
		*c = w->control.config;
		return;
	}
	control_first_config(w, c);
}

/* KEY=N:VALUE is about the report of member N */
static u64 key_of(const struct script *s, const char *name, u8 node, u64 dflt)
{
	const char *v = key(s, name);

	return v && v[0] == '0' + node && v[1] == ':' ?
	       strtoull(v + 2, NULL, 0) : dflt;
}

static void cert_reports(const struct script *s, struct swb_cert *cert)
{
	u32 omit = key_nodes(s, "omit", 0);

	for (u8 i = 0; i < s->w->shape.nodes; i++) {
		struct swb_report *r = &cert->report[cert->report_count];
		const struct node *n = &s->w->node[i];

		if (n->state != NODE_UP || (omit & 1u << i))
			continue;
		swb_core_report(&n->core, r);
		if (r->adopted != cert->epoch && !key(s, "adopted"))
			continue;
		r->adopted = key_of(s, "adopted", i, r->adopted);
		r->last_epoch = key_of(s, "last", i, r->last_epoch);
		r->durable = key_of(s, "durable", i, r->durable);
		r->committed = key_of(s, "known", i, r->committed);
		r->flags = (u32)key_of(s, "flags", i, r->flags);
		cert->report_count++;
	}
}

/* What a controller would certify now, with what the scenario changes in it. */
static void cert_make(const struct script *s, const struct node *n,
		      struct swb_cert *cert)
{
	struct control *c = &s->w->control;

	memset(cert, 0, sizeof(*cert));
	sim_uuid(&cert->volume, 'v', 0);
	sim_uuid(&cert->store, 's', 0);
	cert->store_generation = key_number(s, "generation", 1);
	cert->epoch = key_number(s, "epoch", n->core.d.epoch);
	cert->candidate = n->core.d.replica;
	key_uuid(s, "volume", &cert->volume);
	key_uuid(s, "store", &cert->store);
	key_uuid(s, "candidate", &cert->candidate);
	cert_config(s->w, &cert->config);
	cert->config.required = key_nodes(s, "required", cert->config.required);
	cert->config.mode = (u8)key_number(s, "mode", cert->config.mode);
	cert->config.member_count = (u8)key_number(s, "members",
						   cert->config.member_count);
	cert->judge_count = (u32)key_number(s, "judges", c->judges ?
					    c->judges : 1);
	memcpy(cert->judge, c->judge, sizeof(cert->judge));
	if (!c->judges)
		cert_config(s->w, &cert->judge[0]);
	if (key(s, "older")) {		/* an unsettled configuration before */
		cert->judge_count = 2;
		cert->judge[1] = cert->judge[0];
		cert->judge[0].required = key_nodes(s, "older", 0);
	}
	cert_reports(s, cert);
	cert->last_granted_epoch = key_number(s, "granted", c->granted);
	if (c->granted)
		cert->last_granted = c->config.member[c->primary];
	key_uuid(s, "before", &cert->last_granted);
	if (flag(s, "override"))
		cert->flags |= SWBLOCK_CERT_OVERRIDE;
	if (flag(s, "waited"))
		cert->flags |= SWBLOCK_CERT_LEASE_WAITED;
}

/*
 * certify nN letter=X [KEY=VALUE]...: a certificate that nobody granted goes to
 * the member's kernel as it is, which must judge it with that letter.
 */
bool inject_certify(struct script *s)
{
	static struct swb_cert cert;
	struct node *n = script_node(s, 1);
	const char *want = key(s, "letter");
	struct swb_event ev = { .type = SWB_EV_CERTIFIED };

	if (!n || n->state != NODE_UP || !want)
		return script_fail(s, "certify nN letter=X KEY=VALUE...");
	cert_make(s, n, &cert);
	ev.epoch = cert.epoch;
	ev.u.cert.cert = &cert;
	node_post(s->w, n, &ev);
	if (n->core.promote_letter == (u8)want[0])
		return true;
	return script_fail(s, "n%u judges the certificate @%c, not @%c", n->id,
			   n->core.promote_letter ? n->core.promote_letter : '-',
			   want[0]);
}

/* ---- waiting for a moment ------------------------------------------------------ */

static bool moment(const struct script *s)
{
	const char *what = script_word(s, 1);
	const struct node *a = script_node(s, 2), *b = script_node(s, 3);
	const struct op *op = script_op(s, script_word(s, 2));
	const struct swb_core_peer *p = a && b ? &a->core.peer[b->id] : NULL;

	if (strcmp(what, "done") == 0)
		return op && op->state == OP_DONE;
	if (!a)
		return false;
	if (strcmp(what, "opening") == 0)
		return p && p->linked && p->session && !p->matched;
	if (strcmp(what, "matched") == 0)
		return p && p->matched;
	if (strcmp(what, "detached") == 0)
		return p && !p->linked;
	if (strcmp(what, "head") == 0)
		return a->core.log.head >= script_number(s, 3, ~0ULL);
	return strcmp(what, "c") == 0 &&
	       a->core.log.committed >= script_number(s, 3, ~0ULL);
}

/*
 * until opening|matched|detached nA nB | head|c nN LSN | done NAME: stops with
 * the very event that made it true
 */
bool inject_until(struct script *s)
{
	struct world *w = s->w;
	u64 end = w->clock.now_ns + 2000 * SIM_MSEC;

	while (!moment(s)) {
		if (w->clock.now_ns >= end || !world_turn(w))
			return script_fail(s, "until %s: not within 2 s",
					   script_word(s, 1));
	}
	return true;
}
