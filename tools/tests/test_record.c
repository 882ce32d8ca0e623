// SPDX-License-Identifier: GPL-2.0-only
/*
 * The flight recorder: what is read is what was done, however often the ring has
 * wrapped, and a file that was spoilt is refused or ends.
 */
#include "core.h"
#include "record.h"

static void recorded_step(struct swb_core *c, const struct swb_event *ev,
			  struct swb_actions *out);

/* every step of the rig goes through the recorder and is remembered here */
#define swb_core_step recorded_step
#include "rig.h"
#undef swb_core_step

#define RING	SWB_RECORD_RING_MIN
#define LOG_MAX	1500
#define LIE_AT	1100	/* still held at the end of test_record_wrap */

static struct rig r;
static struct swb_config all2;
static struct swb_record rec;
static u64 ring[RING], state[SWB_RECORD_STATE_WORDS], base[SWB_RECORD_STATE_WORDS];
static struct swb_record_step *log_of;
static u32 logged;
static u8 file[sizeof(struct swb_record_file) +
	       (SWB_RECORD_STATE_WORDS + RING) * sizeof(u64)];
static u64 file_bytes;

static void remember(const struct swb_event *ev)
{
	struct swb_record_step *s = &log_of[logged];

	s->number = logged;
	s->ev = *ev;
	if (ev->type == SWB_EV_ASSIGNED)
		s->u.config = *ev->u.assign.config;
	else if (ev->type == SWB_EV_CERTIFIED)
		s->u.cert = *ev->u.cert.cert;
	else if (ev->type == SWB_EV_PEER_OPENED || ev->type == SWB_EV_PEER_FACTS)
		s->u.facts = *ev->u.facts;
}

/* For test_conform.sh: steps of a module that is not what it should be. */
static bool lies(const char *how)
{
	const char *wanted = getenv("RECORD_LIE");

	return wanted && !strcmp(wanted, how) && logged == LIE_AT;
}

static void recorded_step(struct swb_core *c, const struct swb_event *ev,
			  struct swb_actions *out)
{
	CHECK(logged < LOG_MAX);
	if (logged == LOG_MAX)
		exit(1);
	remember(ev);
	if (lies("between"))
		c->lease_end_ns = 77;
	log_of[logged].before = *c;
	swb_record_before(&rec, c, ev);
	swb_core_step(c, ev, out);
	if (lies("order"))
		out->act[out->count++] = (struct swb_action){
			.type = SWB_ACT_SHIP, .peer = 1,
		};
	if (lies("state"))
		c->completed++;
	swb_record_after(&rec, c, ev, out);
	log_of[logged].after = *c;
	log_of[logged++].out = *out;
}

static void begin(u32 self, u64 head)
{
	free(log_of);
	log_of = calloc(LOG_MAX, sizeof(*log_of));
	logged = 0;
	all2 = config_of(SWBLOCK_MODE_SYNC_ALL, SWBLOCK_POLICY_RECEIVED, 2);
	rig_init(&r, self, head);
	swb_record_init(&rec, ring, RING, state, base, &r.c);
}

static void take(void)
{
	CHECK_EQ(swb_record_bytes(&rec), sizeof(file));
	file_bytes = swb_record_take(&rec, file);
	swb_record_seal(file, 5, 6);
}

/* For test_conform.sh: the record as it was taken. */
static void spill(void)
{
	const char *to = getenv("RECORD_FILE");
	FILE *f = to ? fopen(to, "wb") : NULL;

	if (!f)
		return;
	take();
	CHECK_EQ(fwrite(file, 1, file_bytes, f), file_bytes);
	fclose(f);
}

static bool same_state(const struct swb_core *a, const struct swb_core *b)
{
	return !memcmp(a, b, offsetof(struct swb_core, scratch));
}

static void check_orders(const struct swb_actions *a, const struct swb_actions *b)
{
	CHECK_EQ(a->count, b->count);
	for (u32 i = 0; i < a->count && i < b->count; i++) {
		CHECK_EQ(a->act[i].type, b->act[i].type);
		CHECK_EQ(a->act[i].peer, b->act[i].peer);
		CHECK_EQ(a->act[i].a, b->act[i].a);
		CHECK_EQ(a->act[i].b, b->act[i].b);
		CHECK_EQ(a->act[i].c, b->act[i].c);
		CHECK_EQ(a->act[i].d, b->act[i].d);
	}
}

static void check_fact(const struct swb_record_step *got,
		       const struct swb_record_step *was)
{
	const struct swb_event *a = &got->ev, *b = &was->ev;

	CHECK_EQ(a->type, b->type);
	CHECK_EQ(a->peer, b->peer);
	CHECK_EQ(a->reason, b->reason);
	CHECK_EQ(a->now_ns, b->now_ns);
	CHECK_EQ(a->session, b->session);
	CHECK_EQ(a->epoch, b->epoch);
	CHECK_EQ(a->lsn, b->lsn);
	CHECK_EQ(a->lsn2, b->lsn2);
	CHECK_EQ(a->generation, b->generation);
	CHECK_EQ(a->cookie, b->cookie);
	if (b->type == SWB_EV_ADOPT_ORDERED)
		CHECK(!memcmp(&a->u.adopt, &b->u.adopt, sizeof(a->u.adopt)));
	if (b->type == SWB_EV_ASSIGNED)
		CHECK(!memcmp(&a->u.assign.primary, &b->u.assign.primary, 16) &&
		      !memcmp(a->u.assign.config, &was->u.config, sizeof(was->u.config)));
	if (b->type == SWB_EV_CERTIFIED)
		CHECK(a->u.cert.lease_end_ns == b->u.cert.lease_end_ns &&
		      !memcmp(a->u.cert.cert, &was->u.cert, sizeof(was->u.cert)));
	if (b->type == SWB_EV_PEER_OPENED || b->type == SWB_EV_PEER_FACTS)
		CHECK(!memcmp(a->u.facts, &was->u.facts, sizeof(was->u.facts)));
	if (b->type == SWB_EV_LEASE_SET)
		CHECK_EQ(a->u.lease.end_ns, b->u.lease.end_ns);
	if (b->type == SWB_EV_PEER_STARTED)
		CHECK(!memcmp(&a->u.start, &b->u.start, sizeof(a->u.start)));
	if (b->type == SWB_EV_PEER_ACKED)
		CHECK(!memcmp(&a->u.ack, &b->u.ack, sizeof(a->u.ack)));
	if (b->type == SWB_EV_PEER_PINGED)
		CHECK(!memcmp(&a->u.ping, &b->u.ping, sizeof(a->u.ping)));
}

/* Reads all that is held, compares it with what was done, and does it again. */
static u64 check_all(void)
{
	struct swb_record_step *s = calloc(1, sizeof(*s));
	struct swb_core *mine = malloc(sizeof(*mine));
	struct swb_actions out;
	struct swb_record_reader rd;
	u64 n = 0;

	take();
	CHECK_EQ(swb_record_open(&rd, file, file_bytes, s), SWB_RECORD_OK);
	CHECK_EQ(rd.number + rd.count, logged);
	while (swb_record_next(&rd, s)) {
		const struct swb_record_step *was = &log_of[s->number];

		check_fact(s, was);
		check_orders(&s->out, &was->out);
		CHECK(same_state(&s->before, &was->before));
		CHECK(same_state(&s->after, &was->after));
		*mine = s->before;
		swb_core_step(mine, &s->ev, &out);
		check_orders(&out, &was->out);
		CHECK(same_state(mine, &was->after));
		n++;
	}
	CHECK(!rd.bad);
	CHECK_EQ(n, rec.held);
	free(mine);
	free(s);
	return n;
}

/* primary and one peer, some writes, acks with and without progress, a lease */
static void life_of_primary(u32 writes)
{
	begin(0, 10);
	rig_promote(&r, 2, &all2);
	rig_written(&r, 11);
	rig_flushed(&r, 11);
	rig_match(&r, 1, 11);
	for (u32 i = 0; i < writes; i++) {
		r.now += MSEC;
		rig_write(&r, 1 + (u32)rnd_below(4));
		rig_ship(&r, 1);
		if (rnd_below(3))
			rig_flushed(&r, r.c.log.written);
		rig_ack(&r, 1, r.c.log.head, r.c.log.head,
			rnd_below(2) ? r.c.log.head : r.c.peer[1].durable);
		if (!rnd_below(8))
			STEP(&r, .type = SWB_EV_BARRIER_WANTED, .lsn = r.c.log.head);
		if (!rnd_below(16))
			STEP(&r, .type = SWB_EV_LEASE_SET, .epoch = 2,
			     .u.lease.end_ns = r.now + 1000 * MSEC);
		if (!rnd_below(32))
			STEP(&r, .type = SWB_EV_LINK_LOST, .peer = 1,
			     .reason = SWBLOCK_REASON_PIN_LOST);
		if (!r.c.peer[1].linked)
			rig_match(&r, 1, r.c.peer[1].received);
	}
}

static void life_of_replica(void)
{
	struct swb_cert cert;

	begin(1, 10);
	rig_replica(&r, 2, &all2);
	rig_stream(&r);
	swb_core_received(&r.c, 0, r.now, 1, 2, true);
	rig_written(&r, r.c.log.head);
	rig_ping(&r, 7, 0, r.c.log.head);
	rig_flushed(&r, r.c.log.head);
	rig_ping(&r, 7, r.c.log.head, 0);
	STEP(&r, .type = SWB_EV_TICK, .lsn = 3);
	STEP(&r, .type = SWB_EV_PEER_CLOSED, .peer = 0, .epoch = 9,
	     .reason = SWBLOCK_REASON_STALE_EPOCH);
	cert = cert_of(&r, 2, &all2);
	rig_certify(&r, &cert, 4711);
	STEP(&r, .type = SWB_EV_DISK_FAILED, .peer = SWB_NOBODY);
}

TEST(test_record_primary, "steps of a primary are read as they were, and give the "
	"same again")
{
	life_of_primary(20);
	CHECK_EQ(rec.held, rec.steps);
	CHECK_EQ(check_all(), logged);
}

TEST(test_record_replica, "steps of a replica, too, with a lineage that grew between "
	"frequent facts")
{
	life_of_replica();
	CHECK(r.c.d.lineage.count > 1);
	CHECK_EQ(check_all(), logged);
}

TEST(test_record_lineage, "a lineage that grows by the stream is recorded with the next "
	"fact, also where the tables are not compared each time")
{
	life_of_replica();
	for (u32 i = 0; i < 2 * SWB_LINEAGE_MAX; i++) {
		r.c.log.head++;
		r.c.log.last_epoch = 20 + i;
		swb_lineage_open(&r.c.d.lineage, 20 + i, r.c.log.head, 0);
		STEP(&r, .type = SWB_EV_TICK, .peer = SWB_NOBODY);
	}
	CHECK_EQ(r.c.d.lineage.count, SWB_LINEAGE_MAX);
	CHECK(check_all() > 50);	/* a fold moves every entry: large steps */
}

TEST(test_record_wrap, "when the ring has wrapped, the newest steps are whole and "
	"begin from the state before the oldest")
{
	struct swb_record_file f;

	life_of_primary(400);
	CHECK(rec.steps > rec.held);
	CHECK(rec.head > 2 * (u64)RING);
	CHECK(rec.head - rec.tail <= RING);
	CHECK(rec.head - rec.tail > RING - SWB_RECORD_STEP_MAX);
	CHECK(check_all() < logged);
	memcpy(&f, file, sizeof(f));
	CHECK_EQ(f.first, rec.steps - rec.held);
	spill();
}

TEST(test_record_everywhere, "whenever it is read, at each place of the ring")
{
	life_of_primary(60);
	for (u32 i = 0; i < 200; i++) {
		r.now += MSEC;
		rig_written(&r, swb_core_append(&r.c, 1));
		check_all();
	}
}

TEST(test_record_empty, "a record without a step is the state at the beginning")
{
	begin(0, 10);
	CHECK_EQ(check_all(), 0);
}

TEST(test_record_between, "what leaves changed between two steps belongs to the state "
	"before the next one, not to the step")
{
	struct swb_record_step *s = calloc(1, sizeof(*s));
	struct swb_record_reader rd;

	life_of_primary(1);
	swb_core_append(&r.c, 3);
	r.c.openers = 7;
	STEP(&r, .type = SWB_EV_TICK);
	take();
	CHECK_EQ(swb_record_open(&rd, file, file_bytes, s), SWB_RECORD_OK);
	while (rd.count > 1)
		CHECK(swb_record_next(&rd, s));
	CHECK_EQ(s->after.openers, 0);
	CHECK(swb_record_next(&rd, s));
	CHECK_EQ(s->before.openers, 7);
	CHECK_EQ(s->before.log.head, r.c.log.head);
	free(s);
}

TEST(test_record_refused, "what is no whole record of this build is refused by name")
{
	struct swb_record_step *s = calloc(1, sizeof(*s));
	struct swb_record_file f, bad;
	struct swb_record_reader rd;

	life_of_replica();
	take();
	memcpy(&f, file, sizeof(f));
	CHECK_EQ(f.boottime_ns, 5);
	CHECK_EQ(f.realtime_ns, 6);
	CHECK_EQ(swb_record_open(&rd, file, 8, s), SWB_RECORD_NO_RECORD);
	CHECK_EQ(swb_record_open(&rd, file, file_bytes - 8, s), SWB_RECORD_CUT);
	file[file_bytes - 1] ^= 1;
	CHECK_EQ(swb_record_open(&rd, file, file_bytes, s), SWB_RECORD_CRC);
	file[file_bytes - 1] ^= 1;
	bad = f;
	bad.magic = __builtin_bswap64(f.magic);
	memcpy(file, &bad, sizeof(bad));
	CHECK_EQ(swb_record_open(&rd, file, file_bytes, s), SWB_RECORD_NO_RECORD);
	bad = f;
	bad.version++;
	memcpy(file, &bad, sizeof(bad));
	CHECK_EQ(swb_record_open(&rd, file, file_bytes, s), SWB_RECORD_VERSION_NEWER);
	bad = f;
	bad.layout++;
	memcpy(file, &bad, sizeof(bad));
	swb_record_seal(file, 5, 6);
	CHECK_EQ(swb_record_open(&rd, file, file_bytes, s), SWB_RECORD_LAYOUT);
	free(s);
}

TEST(test_record_spoilt, "words that were changed end the reading, and never lead out "
	"of the file")
{
	static const struct swb_facts none;
	struct swb_record_step *s = calloc(1, sizeof(*s));
	struct swb_record_reader rd;
	u32 bad = 0;
	u8 *copy;
	u64 at;

	life_of_primary(40);
	take();
	for (u32 i = 0; i < 2000; i++) {
		/* of its own size, so that the sanitizer sees a step beyond it */
		copy = malloc(file_bytes);
		memcpy(copy, file, file_bytes);
		at = sizeof(struct swb_record_file) + SWB_RECORD_STATE_WORDS * 8;
		at += rnd_below(file_bytes - at);
		copy[at] ^= (u8)(1U << rnd_below(8));
		swb_record_seal(copy, 5, 6);
		CHECK_EQ(swb_record_open(&rd, copy, file_bytes, s), SWB_RECORD_OK);
		while (swb_record_next(&rd, s))
			CHECK(s->out.count <= SWB_ACTIONS_MAX);
		/* right behind the words of the state */
		CHECK(!memcmp(&s->before.scratch, &none, sizeof(none)));
		CHECK(!memcmp(&s->after.scratch, &none, sizeof(none)));
		bad += rd.bad;
		free(copy);
	}
	CHECK(bad > 100);
	free(s);
}

/* Bytes that the table names. */
static void cover(const struct swb_record_field *f, size_t at, u8 *seen)
{
	for (; f->name; f++)
		for (u32 i = 0; i < f->count; i++) {
			size_t here = at + f->offset + (size_t)i * f->size;

			if (f->part) {
				cover(f->part, here, seen);
				continue;
			}
			for (u32 k = 0; k < f->size; k++) {
				CHECK(!seen[here + k]);
				seen[here + k] = 1;
			}
		}
}

TEST(test_record_length, "a step that says it is longer or shorter than it is ends the "
	"reading")
{
	struct swb_record_step *s = calloc(1, sizeof(*s));
	struct swb_record_reader rd;
	u64 at = sizeof(struct swb_record_file) + SWB_RECORD_STATE_WORDS * 8;

	life_of_replica();
	take();
	for (u32 i = 0; i < 2; i++) {
		file[at] = (u8)(file[at] + (i ? 2 : -1));
		swb_record_seal(file, 5, 6);
		CHECK_EQ(swb_record_open(&rd, file, file_bytes, s), SWB_RECORD_OK);
		CHECK(!swb_record_next(&rd, s));
		CHECK(rd.bad);
	}
	free(s);
}

TEST(test_record_fields, "the table names no byte twice, and leaves no gap that a word "
	"would fit in (tests/test_record_fields.sh looks for each name)")
{
	static u8 seen[sizeof(struct swb_core)];
	u32 gap = 0;

	cover(swb_record_fields, 0, seen);
	for (size_t i = 0; i < offsetof(struct swb_core, scratch); i++) {
		gap = seen[i] ? 0 : gap + 1;
		CHECK(gap < sizeof(u64));
	}
	for (size_t i = offsetof(struct swb_core, scratch); i < sizeof(seen); i++)
		CHECK(!seen[i]);
}
