// SPDX-License-Identifier: GPL-2.0-only
/*
 * The flight recorder: writes steps into a ring of words, and reads them from a
 * file. Must not look at what it records: a fact is numbers, and the state is words
 * that differ or not. Reading never leaves its buffers, whatever a file says.
 *
 * A step in words (docs/design/recorder.md):
 *	head		length, groups before and after, number of orders, mark
 *	changes		before the step: a mask word and the new words, by group
 *	fact		type, peer, generation and mask, then the words that are not 0
 *	payload		what the fact points at, as groups of words
 *	orders		type, peer and mask, then the words that are not 0
 *	changes		by the step
 *
 * Context: under the lock that covers the core; no allocation.
 */
#include "record.h"

#define MARK		0x5742ULL
#define EVENT_WORDS	12	/* of a fact: six numbers, the reason, five of u */
#define UNION_WORDS	5

/* where the large tables lie: count and floor of the lineage, then its entries */
#define LINEAGE_WORD	(offsetof(struct swb_core, d.lineage) / sizeof(u64))
#define LINEAGE_END	(LINEAGE_WORD + sizeof(struct swb_lineage) / sizeof(u64))
#define FACTS_WORD	(offsetof(struct swb_core, primary_facts) / sizeof(u64))

static_assert(offsetof(struct swb_core, scratch) % sizeof(u64) == 0);
static_assert(sizeof(struct swb_config) % sizeof(u64) == 0);
static_assert(sizeof(struct swb_cert) % sizeof(u64) == 0);
static_assert(sizeof(struct swb_facts) % sizeof(u64) == 0);
static_assert(sizeof(((struct swb_event *)0)->u) == UNION_WORDS * sizeof(u64));
static_assert(sizeof(struct swb_record_file) % sizeof(u64) == 0);
/* twice the state, a certificate, orders with four words each, and masks */
static_assert(SWB_RECORD_STATE_WORDS * 2 + sizeof(struct swb_cert) / 8 +
	      sizeof(struct swb_facts) / 8 + SWB_ACTIONS_MAX * 5 + 256 <
	      SWB_RECORD_STEP_MAX);
static_assert(SWB_RECORD_STATE_WORDS < 255 * SWB_RECORD_GROUP);
static_assert(SWB_ACTIONS_MAX < 256);
static_assert((int)SWB_EV_COUNT < 256 && (int)SWB_ACT_COUNT < 256);

static u64 word_of(const void *base, u64 i)
{
	u64 w;

	memcpy(&w, (const u8 *)base + i * sizeof(w), sizeof(w));
	return w;
}

static void set_word(void *base, u64 i, u64 w)
{
	memcpy((u8 *)base + i * sizeof(w), &w, sizeof(w));
}

/* How many bytes of u a fact of this type means, and what it points at. */
static u32 union_words(u32 type)
{
	switch (type) {
	case SWB_EV_ADOPT_ORDERED:
		return 3;
	case SWB_EV_ASSIGNED:		/* primary; the pointer is no fact */
		return 2;
	case SWB_EV_LEASE_SET:
		return 1;
	case SWB_EV_PEER_STARTED:
	case SWB_EV_PEER_PINGED:
		return 4;
	case SWB_EV_PEER_ACKED:
		return 5;
	}
	return 0;
}

static u32 payload_words(u32 type)
{
	if (type == SWB_EV_ASSIGNED)
		return sizeof(struct swb_config) / sizeof(u64);
	if (type == SWB_EV_CERTIFIED)
		return sizeof(struct swb_cert) / sizeof(u64);
	if (type == SWB_EV_PEER_OPENED || type == SWB_EV_PEER_FACTS)
		return sizeof(struct swb_facts) / sizeof(u64);
	return 0;
}

static const void *payload_of(const struct swb_event *ev)
{
	if (ev->type == SWB_EV_ASSIGNED)
		return ev->u.assign.config;
	if (ev->type == SWB_EV_CERTIFIED)
		return ev->u.cert.cert;
	return ev->u.facts;
}

/* ---- writing ----------------------------------------------------------------- */

static u64 ring_word(const struct swb_record *r, u64 pos)
{
	return r->ring[pos & (r->words - 1)];
}

static u32 head_words(u64 head)
{
	return head & 0xffff;
}

static u32 head_before(u64 head)
{
	return head >> 16 & 0xff;
}

static u32 head_after(u64 head)
{
	return head >> 24 & 0xff;
}

static u32 head_orders(u64 head)
{
	return head >> 32 & 0xff;
}

static u64 make_head(u64 words, u32 before, u32 after, u32 orders)
{
	return words | (u64)before << 16 | (u64)after << 24 | (u64)orders << 32 |
	       MARK << 48;
}

/* Changes that stand at @pos belong to the base now; returns what is behind them. */
static u64 into_base(struct swb_record *r, u64 pos, u32 groups)
{
	u32 mask, i;
	u64 w;

	while (groups--) {
		w = ring_word(r, pos++);
		i = (u32)(w >> 32) * SWB_RECORD_GROUP;
		for (mask = (u32)w; mask; mask >>= 1, i++)
			if (mask & 1)
				r->base[i] = ring_word(r, pos++);
	}
	return pos;
}

static u32 ones(u32 mask)
{
	u32 n = 0;

	for (; mask; mask &= mask - 1)
		n++;
	return n;
}

/* The changes of a step end where the step does: their first word, from there. */
static u64 skip_to_after(const struct swb_record *r, u64 pos, u64 head)
{
	u32 i, type, words;
	u64 w;

	w = ring_word(r, pos++);
	type = w & 0xff;
	pos += ones(w >> 16 & 0xffff);
	words = payload_words(type);
	for (i = 0; i < words; i += SWB_RECORD_GROUP)
		pos += ones((u32)ring_word(r, pos)) + 1;
	for (i = 0; i < head_orders(head); i++)
		pos += ones(ring_word(r, pos) >> 16 & 0xf) + 1;
	return pos;
}

static void drop_oldest(struct swb_record *r)
{
	u64 head = ring_word(r, r->tail), pos;

	swb_assert(r->held && r->tail < r->head);
	pos = into_base(r, r->tail + 1, head_before(head));
	pos = into_base(r, skip_to_after(r, pos, head), head_after(head));
	r->tail += head_words(head);
	r->held--;
	swb_assert(pos == r->tail);
}

static void put(struct swb_record *r, u64 w)
{
	while (r->next - r->tail >= r->words)
		drop_oldest(r);
	r->ring[r->next++ & (r->words - 1)] = w;
}

/* Is one of @n words different? Most are asked in vain, so by fours. */
static bool differ(const void *now, const u64 *then, u32 n)
{
	u64 any[4] = { 0 };
	u32 k;

	for (k = 0; k + 4 <= n; k += 4) {
		any[0] |= word_of(now, k) ^ then[k];
		any[1] |= word_of(now, k + 1) ^ then[k + 1];
		any[2] |= word_of(now, k + 2) ^ then[k + 2];
		any[3] |= word_of(now, k + 3) ^ then[k + 3];
	}
	for (; k < n; k++)
		any[0] |= word_of(now, k) ^ then[k];
	return any[0] | any[1] | any[2] | any[3];
}

/* Facts that come with every few writes. They change positions, no more. */
static bool is_frequent(u32 type)
{
	return type == SWB_EV_PEER_ACKED || type == SWB_EV_PEER_PINGED ||
	       type == SWB_EV_LOG_WRITTEN || type == SWB_EV_LOG_FLUSHED ||
	       type == SWB_EV_CHECKPOINTED || type == SWB_EV_BARRIER_WANTED ||
	       type == SWB_EV_TICK;
}

/*
 * Must the large tables be compared, too? Between frequent facts the lineage grows
 * (swb_core_received()) and nothing else of them changes. If that were wrong, a
 * replay would differ, so nothing can be hidden by it.
 */
static bool look_at_all(const struct swb_record *r, const struct swb_core *c, u32 type)
{
	return !is_frequent(type) ||
	       word_of(c, LINEAGE_WORD) != r->state[LINEAGE_WORD] ||
	       word_of(c, LINEAGE_WORD + 1) != r->state[LINEAGE_WORD + 1];
}

/* Words @i to @i + SWB_RECORD_GROUP lie within the entries, or the facts. */
static bool is_table(u32 i)
{
	return i >= FACTS_WORD ||
	       (i >= LINEAGE_WORD + 2 && i + SWB_RECORD_GROUP <= LINEAGE_END);
}

/* Words of @now that are not those of r->state; they become so. Returns groups. */
static u32 put_changes(struct swb_record *r, const struct swb_core *now, u32 type)
{
	bool all = look_at_all(r, now, type);
	u32 i, k, n, groups = 0;
	u32 mask;
	u64 at;

	for (i = 0; i < SWB_RECORD_STATE_WORDS; i += SWB_RECORD_GROUP) {
		n = min_t(u32, SWB_RECORD_GROUP, SWB_RECORD_STATE_WORDS - i);
		if (!all && is_table(i))
			continue;
		if (!differ((const u8 *)now + i * sizeof(u64), r->state + i, n))
			continue;
		at = r->next;
		put(r, 0);
		mask = 0;
		for (k = 0; k < n; k++) {
			if (word_of(now, i + k) == r->state[i + k])
				continue;
			r->state[i + k] = word_of(now, i + k);
			put(r, r->state[i + k]);
			mask |= 1U << k;
		}
		r->ring[at & (r->words - 1)] = (u64)(i / SWB_RECORD_GROUP) << 32 | mask;
		groups++;
	}
	return groups;
}

static void put_payload(struct swb_record *r, const void *from, u32 words)
{
	u32 i, k, n, mask;

	for (i = 0; i < words; i += SWB_RECORD_GROUP) {
		n = min_t(u32, SWB_RECORD_GROUP, words - i);
		mask = 0;
		for (k = 0; k < n; k++)
			if (word_of(from, i + k))
				mask |= 1U << k;
		put(r, (u64)(i / SWB_RECORD_GROUP) << 32 | mask);
		for (k = 0; k < n; k++)
			if (mask & 1U << k)
				put(r, word_of(from, i + k));
	}
}

static void put_event(struct swb_record *r, const struct swb_event *ev)
{
	u64 w[EVENT_WORDS] = {
		ev->now_ns, ev->session, ev->epoch, ev->lsn, ev->lsn2, ev->cookie,
		ev->reason,
	};
	u32 i, mask = 0;

	for (i = 0; i < union_words(ev->type); i++)
		w[7 + i] = word_of(&ev->u, i);
	if (ev->type == SWB_EV_CERTIFIED)
		w[7] = ev->u.cert.lease_end_ns;
	for (i = 0; i < EVENT_WORDS; i++)
		if (w[i])
			mask |= 1U << i;
	put(r, (u64)ev->type | (u64)ev->peer << 8 | (u64)mask << 16 |
	       (u64)ev->generation << 32);
	for (i = 0; i < EVENT_WORDS; i++)
		if (w[i])
			put(r, w[i]);
	if (payload_words(ev->type))
		put_payload(r, payload_of(ev), payload_words(ev->type));
}

static void put_order(struct swb_record *r, const struct swb_action *a)
{
	const u64 w[4] = { a->a, a->b, a->c, a->d };
	u32 i, mask = 0;

	for (i = 0; i < ARRAY_SIZE(w); i++)
		if (w[i])
			mask |= 1U << i;
	put(r, (u64)a->type | (u64)a->peer << 8 | (u64)mask << 16);
	for (i = 0; i < ARRAY_SIZE(w); i++)
		if (w[i])
			put(r, w[i]);
}

void swb_record_init(struct swb_record *r, u64 *ring, u32 words, u64 *state,
		     u64 *base, const struct swb_core *c)
{
	swb_assert(words >= SWB_RECORD_RING_MIN && !(words & (words - 1)));
	memset(r, 0, sizeof(*r));
	r->ring = ring;
	r->words = words;
	r->state = state;
	r->base = base;
	memcpy(state, c, SWB_RECORD_STATE_WORDS * sizeof(u64));
	memcpy(base, c, SWB_RECORD_STATE_WORDS * sizeof(u64));
}

void swb_record_before(struct swb_record *r, const struct swb_core *c,
		       const struct swb_event *ev)
{
	r->next = r->head;
	put(r, 0);			/* the head, when all is known */
	r->before = put_changes(r, c, ev->type);
}

void swb_record_after(struct swb_record *r, const struct swb_core *c,
		      const struct swb_event *ev, const struct swb_actions *out)
{
	u32 i, after;

	put_event(r, ev);
	for (i = 0; i < out->count; i++)
		put_order(r, &out->act[i]);
	after = put_changes(r, c, ev->type);
	r->ring[r->head & (r->words - 1)] =
		make_head(r->next - r->head, r->before, after, out->count);
	r->head = r->next;
	r->steps++;
	r->held++;
}

u64 swb_record_bytes(const struct swb_record *r)
{
	return sizeof(struct swb_record_file) +
	       (SWB_RECORD_STATE_WORDS + (u64)r->words) * sizeof(u64);
}

u64 swb_record_take(const struct swb_record *r, void *buf)
{
	struct swb_record_file f = {
		.magic = SWB_RECORD_MAGIC,
		.version = SWB_RECORD_VERSION,
		.layout = swb_record_layout(),
		.first = r->steps - r->held,
		.count = r->held,
		.state_words = SWB_RECORD_STATE_WORDS,
		.ring_words = (u32)(r->head - r->tail),
	};
	u32 from = r->tail & (r->words - 1);
	u32 one = min_t(u32, f.ring_words, r->words - from);
	u8 *to = (u8 *)buf + sizeof(f);

	f.bytes = sizeof(f) + ((u64)f.state_words + f.ring_words) * sizeof(u64);
	memcpy(buf, &f, sizeof(f));
	memcpy(to, r->base, f.state_words * sizeof(u64));
	to += f.state_words * sizeof(u64);
	memcpy(to, r->ring + from, one * sizeof(u64));
	to += one * sizeof(u64);
	memcpy(to, r->ring, (f.ring_words - one) * sizeof(u64));
	return f.bytes;
}

static u32 crc_of(const void *buf, u64 bytes)
{
	u64 from = offsetof(struct swb_record_file, crc) + sizeof(u32);

	return swb_crc32c(0, (const u8 *)buf + from, bytes - from);
}

void swb_record_seal(void *buf, u64 boottime_ns, u64 realtime_ns)
{
	struct swb_record_file f;

	memcpy(&f, buf, sizeof(f));
	f.boottime_ns = boottime_ns;
	f.realtime_ns = realtime_ns;
	memcpy(buf, &f, sizeof(f));
	f.crc = crc_of(buf, f.bytes);
	memcpy(buf, &f, sizeof(f));
}

/* ---- reading ------------------------------------------------------------------- */

enum swb_record_verdict swb_record_open(struct swb_record_reader *rd,
					const void *buf, u64 len,
					struct swb_record_step *s)
{
	struct swb_record_file f;

	memset(rd, 0, sizeof(*rd));
	memset(s, 0, sizeof(*s));
	if (len < sizeof(f))
		return SWB_RECORD_NO_RECORD;
	memcpy(&f, buf, sizeof(f));
	if (f.magic != SWB_RECORD_MAGIC)
		return SWB_RECORD_NO_RECORD;
	if (f.version != SWB_RECORD_VERSION)
		return SWB_RECORD_VERSION_NEWER;
	if (f.bytes != len || f.bytes != sizeof(f) +
	    ((u64)f.state_words + f.ring_words) * sizeof(u64))
		return SWB_RECORD_CUT;
	if (f.crc != crc_of(buf, f.bytes))
		return SWB_RECORD_CRC;
	if (f.layout != swb_record_layout() ||
	    f.state_words != SWB_RECORD_STATE_WORDS)
		return SWB_RECORD_LAYOUT;
	rd->at = (const u8 *)buf + sizeof(f);
	memcpy(&s->after, rd->at, f.state_words * sizeof(u64));
	rd->at += f.state_words * sizeof(u64);
	rd->left = f.ring_words;
	rd->number = f.first;
	rd->count = f.count;
	return SWB_RECORD_OK;
}

static u64 get(struct swb_record_reader *rd)
{
	u64 w;

	if (!rd->left) {
		rd->bad = true;
		return 0;
	}
	w = word_of(rd->at, 0);
	rd->at += sizeof(w);
	rd->left--;
	return w;
}

/* Groups of words into @to, which has @words of them. */
static void get_groups(struct swb_record_reader *rd, u32 groups, void *to, u32 words)
{
	u32 mask;
	u64 w, i;

	while (groups-- && !rd->bad) {
		w = get(rd);
		i = (w >> 32) * SWB_RECORD_GROUP;
		for (mask = (u32)w; mask; mask >>= 1, i++) {
			if (!(mask & 1))
				continue;
			if (i >= words) {
				rd->bad = true;
				return;
			}
			set_word(to, i, get(rd));
		}
	}
}

static void get_event(struct swb_record_reader *rd, struct swb_record_step *s)
{
	struct swb_event *ev = &s->ev;
	u64 w[EVENT_WORDS] = { 0 };
	u64 first = get(rd);
	u32 words, i;

	memset(ev, 0, sizeof(*ev));
	memset(&s->u, 0, sizeof(s->u));
	if ((first & 0xff) >= SWB_EV_COUNT) {
		rd->bad = true;
		return;
	}
	for (i = 0; i < EVENT_WORDS; i++)
		if (first >> 16 & 1U << i)
			w[i] = get(rd);
	ev->type = (enum swb_event_type)(first & 0xff);
	ev->peer = first >> 8 & 0xff;
	ev->generation = (u32)(first >> 32);
	ev->now_ns = w[0];
	ev->session = w[1];
	ev->epoch = w[2];
	ev->lsn = w[3];
	ev->lsn2 = w[4];
	ev->cookie = w[5];
	ev->reason = (u32)w[6];
	for (i = 0; i < union_words(ev->type); i++)
		set_word(&ev->u, i, w[7 + i]);
	words = payload_words(ev->type);
	get_groups(rd, (words + SWB_RECORD_GROUP - 1) / SWB_RECORD_GROUP, &s->u, words);
	if (ev->type == SWB_EV_ASSIGNED) {
		ev->u.assign.config = &s->u.config;
	} else if (ev->type == SWB_EV_CERTIFIED) {
		ev->u.cert.cert = &s->u.cert;
		ev->u.cert.lease_end_ns = w[7];
	} else if (words) {
		ev->u.facts = &s->u.facts;
	}
}

static void get_orders(struct swb_record_reader *rd, u32 count,
		       struct swb_actions *out)
{
	u32 i, k;

	out->count = 0;
	if (count > SWB_ACTIONS_MAX)
		rd->bad = true;
	for (i = 0; i < count && !rd->bad; i++) {
		u64 first = get(rd), w[4] = { 0 };

		for (k = 0; k < ARRAY_SIZE(w); k++)
			if (first >> 16 & 1U << k)
				w[k] = get(rd);
		if ((first & 0xff) >= SWB_ACT_COUNT)
			rd->bad = true;
		out->act[out->count++] = (struct swb_action) {
			.type = (enum swb_action_type)(first & 0xff),
			.peer = first >> 8 & 0xff,
			.a = w[0], .b = w[1], .c = w[2], .d = w[3],
		};
	}
}

bool swb_record_next(struct swb_record_reader *rd, struct swb_record_step *s)
{
	u64 left = rd->left, head;

	if (rd->bad || !rd->count) {
		rd->bad |= rd->left != 0;
		return false;
	}
	head = get(rd);
	if (head >> 48 != MARK) {
		rd->bad = true;
		return false;
	}
	s->before = s->after;
	get_groups(rd, head_before(head), &s->before, SWB_RECORD_STATE_WORDS);
	s->after = s->before;
	get_event(rd, s);
	get_orders(rd, head_orders(head), &s->out);
	get_groups(rd, head_after(head), &s->after, SWB_RECORD_STATE_WORDS);
	if (left - rd->left != head_words(head))
		rd->bad = true;
	s->number = rd->number++;
	rd->count--;
	return !rd->bad;
}
