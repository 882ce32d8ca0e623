// SPDX-License-Identifier: GPL-2.0-only
/*
 * Local recovery: a small log on a simulated device that tears and loses what
 * was not flushed, scanned by the real scanner; and the verdict tables.
 */
#include "harness.h"
#include "lineage.h"
#include "recover.h"

#define UNIT 512
#define UNITS 80
#define RING (UNITS * UNIT)
#define GROUPS 4096
#define RECS 6

/* what the device holds, and what it would hold if all of its cache survived */
static u8 disk[RING], cache[RING];

struct group {
	struct swb_group_info g;
	u64 pos, len, gap;
	u64 id[RECS];		/* of each record, unique for ever */
	bool opens;
};

/* one member's log: the truth that a scan is compared with */
static struct log {
	struct swb_durable d;	/* the superblock, saved atomically */
	struct swb_ring r;
	struct group g[GROUPS];
	u32 first, next;	/* groups in the ring */
	u64 head, durable;
	u64 epoch;		/* of the record at head */
	u64 id[1 << 16];	/* content of LSN x */
	u64 ids;
	bool dirty[UNITS];	/* written since the last flush */
	bool no_flush_at_cut;	/* a mutant */
} w;

static void device_write(u64 pos, const void *buf, u64 len)
{
	memcpy(cache + pos, buf, len);
	for (u64 u = pos / UNIT; u < (pos + len) / UNIT; u++)
		w.dirty[u] = true;
}

static void device_flush(void)
{
	memcpy(disk, cache, RING);
	memset(w.dirty, 0, sizeof(w.dirty));
	w.durable = w.head;
}

/* any subset of the sectors in the cache survives, some of them mixed up */
static void device_crash(u32 mood)
{
	for (u32 u = 0; u < UNITS; u++) {
		u64 dice = rnd_below(100);

		if (!w.dirty[u])
			continue;
		if (mood == 1 || (mood == 2 && dice < 50))
			memcpy(disk + u * UNIT, cache + u * UNIT, UNIT);
		else if (mood == 2 && dice < 60)
			memcpy(disk + u * UNIT + 100, cache + u * UNIT + 100, 300);
	}
	memcpy(cache, disk, RING);
	memset(w.dirty, 0, sizeof(w.dirty));
}

static void log_reset(u64 pos)
{
	memset(&w, 0, sizeof(w));
	memset(disk, 0, RING);
	memset(cache, 0, RING);
	w.d.ring_bytes = RING;
	w.d.ring_unit = UNIT;
	w.d.ring_id = rnd();
	w.d.incarnation = 1;
	w.d.tail_pos = pos;
	w.d.tail_seq = 1;
	w.d.tail_lsn = 1;
	w.d.tail_prev_crc = 0x5eed;
	w.r.bytes = RING;
	w.r.unit = UNIT;
	w.r.write_pos = pos;
	w.r.tail_pos = pos;
	w.r.seq = 1;
	w.r.prev_crc = 0x5eed;
	w.r.incarnation = 1;
	w.r.ring_id = w.d.ring_id;
	w.first = 0;
	w.next = 0;
}

/* bytes of @g as they go to the ring; payload: one sector per WRITE */
static void group_build(struct group *g, u8 *out)
{
	struct swb_disk_group *h = (struct swb_disk_group *)out;
	u8 *p = out + g->g.header_bytes;

	memset(out, 0, g->len);
	for (u32 i = 0; i < g->g.nrec; i++) {
		if (g->opens && i == 0) {
			swb_codec_rec_encode(&h->rec[i], SWB_REC_OPEN, 0, 0, 0);
			continue;
		}
		for (u32 b = 0; b < UNIT; b += 8)
			memcpy(p + b, &g->id[i], 8);
		swb_codec_rec_encode(&h->rec[i], SWB_REC_WRITE, g->id[i], UNIT,
				     swb_crc32c(0, p, UNIT));
		p += UNIT;
	}
	swb_codec_group_seal(out, &g->g, w.d.ring_id);
}

static bool log_append(u32 nrec, u64 epoch)
{
	static u8 buf[RING];
	struct group *g = &w.g[w.next];
	u64 pos, gap;

	memset(g, 0, sizeof(*g));
	g->opens = epoch != w.epoch;
	g->g.nrec = nrec;
	g->g.payload_bytes = (nrec - g->opens) * UNIT;
	g->g.header_bytes = swb_ring_header_bytes(&w.r, nrec);
	g->len = swb_ring_group_bytes(&w.r, nrec, g->g.payload_bytes);
	if (w.next == GROUPS - 1 || !swb_ring_place(&w.r, g->len, &pos, &gap))
		return false;
	g->pos = pos;
	g->gap = gap;
	g->g.seq = w.r.seq;
	g->g.prev_crc = w.r.prev_crc;
	g->g.incarnation = w.r.incarnation;
	g->g.epoch = epoch;
	g->g.first_lsn = w.head + 1;
	for (u32 i = 0; i < nrec; i++) {
		g->id[i] = ++w.ids;
		w.id[++w.head] = w.ids;
	}
	group_build(g, buf);
	device_write(pos, buf, g->len);
	if (g->opens)
		swb_lineage_open(&w.d.lineage, epoch, g->g.first_lsn, 0);
	w.epoch = epoch;
	swb_ring_take(&w.r, pos, g->len, gap, g->g.crc);
	w.next++;
	return true;
}

/* as an executor of TRUNCATE does it: ring back to the group that holds @to */
static void log_cut(u64 to)
{
	/*
	 * The new log_end will speak for all older incarnations: what it covers
	 * must be on the medium, or a tail cut before comes back in its place.
	 */
	if (!w.no_flush_at_cut)
		device_flush();
	while (w.next > w.first && w.g[w.next - 1].g.first_lsn > to) {
		struct group *g = &w.g[--w.next];

		w.r.used -= g->len + g->gap;
		w.r.write_pos = g->gap ? RING - g->gap : g->pos;
		w.r.seq = g->g.seq;
		w.r.prev_crc = g->g.prev_crc;
	}
	w.head = to;
	if (w.durable > to)
		w.durable = to;
	swb_lineage_cut(&w.d.lineage, to);
	w.epoch = swb_lineage_epoch_at(&w.d.lineage, to);
	w.d.incarnation++;
	w.d.log_end = to;
	w.r.incarnation = w.d.incarnation;
}

static void log_trim(void)
{
	struct group *g = &w.g[w.first];
	u64 end, tail, freed;

	if (w.first == w.next)
		return;
	/* the tail group may be cut short by its successor */
	end = w.first + 1 < w.next ? w.g[w.first + 1].g.first_lsn - 1 : w.head;
	if (end > w.durable)
		return;
	w.first++;
	freed = g->len + g->gap;
	tail = w.r.write_pos;
	if (w.first != w.next) {
		/* the gap before the new tail goes, too: a cut of that group
		 * must bring write_pos back to where the scan will start
		 */
		tail = w.g[w.first].pos;
		freed += w.g[w.first].gap;
		w.g[w.first].gap = 0;
	}
	swb_ring_release(&w.r, tail, freed);
	w.d.tail_pos = tail;
	w.d.tail_seq = g->g.seq + 1;
	w.d.tail_prev_crc = g->g.crc;
	w.d.tail_lsn = end + 1;
	w.d.extent_lo = end;
	w.d.extent_hi = end;
}

/* what a scan found: content by LSN, with overlaps applied */
static u64 found[1 << 16];

static bool payload_ok(const struct swb_scan *s, bool *opens, u64 *ids)
{
	const struct swb_disk_group *h = (const void *)(disk + s->pos);
	const u8 *p = disk + s->pos + s->group.header_bytes;
	struct swb_rec r;

	*opens = h->rec[0].type == SWB_REC_OPEN;
	for (u32 i = 0; i < s->group.nrec; i++) {
		if (!swb_codec_rec_decode(&h->rec[i], ~(u64)0 >> 1, UNIT, &r))
			return false;
		ids[i] = 0;
		if (r.type != SWB_REC_WRITE)
			continue;
		if (swb_crc32c(0, p, UNIT) != r.crc)
			return false;
		ids[i] = r.sector;
		p += UNIT;
	}
	return true;
}

/* the loop of recover.h */
static void scan(struct swb_scan *s)
{
	enum swb_scan_verdict v;
	u64 ids[RECS];
	bool opens, ok;
	u32 looks = 0;

	swb_scan_begin(s, &w.d);
	for (;;) {
		u64 left = RING - s->try_pos;

		CHECK(s->try_pos < RING && looks++ < 10000);
		v = swb_scan_header(s, disk + s->try_pos, left < 4096 ?
				    (u32)left : 4096);
		if (v == SWB_SCAN_RETRY)
			continue;
		if (v == SWB_SCAN_STOP)
			break;
		ok = payload_ok(s, &opens, ids);
		if (!swb_scan_payload(s, ok, opens))
			break;
		for (u32 i = 0; i < s->live_nrec; i++)
			found[s->group.first_lsn + i] = ids[i];
	}
	CHECK(s->why != SWB_SCAN_RUNNING);
}

/* I-211: a prefix of the log at the crash, at or above what was durable */
static void check_scan(const struct swb_scan *s)
{
	CHECK(s->head >= w.durable);
	CHECK(s->head <= w.head);
	for (u64 x = w.d.tail_lsn; x <= s->head && x <= w.head; x++)
		if (found[x])
			CHECK_EQ(found[x], w.id[x]);
	CHECK(swb_lineage_valid(&s->lineage));
	for (u32 i = 0; i < s->lineage.count; i++)
		CHECK(s->lineage.e[i].first_lsn <= s->head);
	CHECK_EQ(s->last_epoch, swb_lineage_epoch_at(&s->lineage, s->head));
}

/* go on from what the scan found, as after an attach */
static void log_restart(const struct swb_scan *s)
{
	u64 head = s->head;

	while (w.next > w.first && w.g[w.next - 1].g.first_lsn > head)
		w.next--;
	if (w.first != w.next && w.g[w.first].pos == w.d.tail_pos)
		w.g[w.first].gap = 0;	/* the tail was saved behind it */
	w.head = head;
	w.durable = head;
	w.r = s->ring;
	w.d.lineage = s->lineage;
	w.epoch = s->last_epoch;
	w.d.incarnation++;
	w.d.log_end = head;
	w.r.incarnation = w.d.incarnation;
}

static void random_move(u64 dice)
{
	if (dice < 50)
		log_append(1 + (u32)rnd_below(RECS), w.epoch && rnd_below(4) ?
			   w.epoch : w.epoch + 1);
	else if (dice < 65)
		device_flush();
	else if (dice < 78)
		log_trim();
	else if (w.head >= w.d.tail_lsn)
		log_cut(w.d.tail_lsn - 1 +
			rnd_below(w.head - w.d.tail_lsn + 2));
}

TEST(test_recover_random_crashes, "after any cuts, trims, wraps and crashes "
	"the log found is a prefix of the log, never a dead tail")
{
	static struct swb_scan s;

	for (int life = 0; life < 1500; life++) {
		log_reset(rnd_below(UNITS) * UNIT);
		for (int step = 0; step < 120; step++) {
			u64 dice = rnd_below(100);

			if (dice < 90) {
				random_move(dice);
				continue;
			}
			device_crash((u32)rnd_below(3));
			scan(&s);
			check_scan(&s);
			CHECK(s.why != SWB_SCAN_END_GAP &&
			      s.why != SWB_SCAN_END_EPOCH);
			if (test_failures)
				return;
			log_restart(&s);
		}
	}
}

TEST(test_recover_cut_must_flush, "without a flush before it, a second cut "
	"revives the tail of the first (why TRUNCATE flushes)")
{
	static struct swb_scan s;

	for (int mutant = 0; mutant < 2; mutant++) {
		log_reset(0);
		log_append(2, 1);
		log_append(2, 1);
		device_flush();
		w.no_flush_at_cut = mutant;
		log_cut(2);
		log_append(2, 1);	/* over the dead group, not flushed */
		log_cut(4);		/* seals up to 4 */
		device_crash(0);	/* the cache is lost */
		scan(&s);
		CHECK_EQ(s.head, 4);
		CHECK((found[3] == w.id[3]) == !mutant);
	}
}

TEST(test_recover_clean_end, "a flushed log is found whole, letter H")
{
	static struct swb_scan s;

	log_reset(0);
	for (int i = 0; i < 5; i++)
		CHECK(log_append(3, 1));
	device_flush();
	scan(&s);
	check_scan(&s);
	CHECK_EQ(s.head, 15);
	CHECK_EQ(s.groups, 5);
	CHECK_EQ(s.why, SWB_SCAN_END_CLEAN);
	CHECK_EQ(s.ring.write_pos, w.r.write_pos);
	CHECK_EQ(s.ring.seq, w.r.seq);
	CHECK_EQ(s.ring.prev_crc, w.r.prev_crc);
	CHECK_EQ(s.ring.used, w.r.used);
}

TEST(test_recover_torn_header, "a header with a wrong byte ends the log "
	"before it")
{
	static struct swb_scan s;

	log_reset(0);
	log_append(3, 1);
	log_append(3, 1);
	device_flush();
	disk[w.g[1].pos + 60] ^= 1;
	scan(&s);
	CHECK_EQ(s.head, 3);
	CHECK_EQ(s.why, SWB_SCAN_END_TORN_HEADER);
}

TEST(test_recover_torn_payload_at_wrap, "a torn group at the start of the "
	"ring ends the log at the wrap")
{
	static struct swb_scan s;

	log_reset((UNITS - 6) * UNIT);
	log_append(4, 1);
	log_append(4, 1);
	CHECK_EQ(w.g[1].pos, 0);
	device_flush();
	scan(&s);
	CHECK_EQ(s.head, 8);
	disk[w.g[1].pos + UNIT * 2] ^= 0x80;
	scan(&s);
	CHECK_EQ(s.head, 4);
	CHECK_EQ(s.why, SWB_SCAN_END_TORN_PAYLOAD);
}

TEST(test_recover_stale_lap, "groups of the lap before are an end, not a break")
{
	static struct swb_scan s;
	u32 laps = 0;

	log_reset(0);
	for (int i = 0; i < 200; i++) {
		u64 before = w.r.write_pos;

		while (!log_append(3, 1)) {
			device_flush();
			log_trim();
		}
		laps += w.r.write_pos < before;
	}
	CHECK(laps > 3);
	device_flush();
	scan(&s);
	check_scan(&s);
	CHECK_EQ(s.head, w.head);
	CHECK_EQ(s.why, SWB_SCAN_END_CLEAN);
}

TEST(test_recover_stale_tail_second_crash, "a tail that was cut stays dead "
	"through append, crash, append, crash (P4)")
{
	static struct swb_scan s;

	log_reset(0);
	log_append(2, 1);
	log_append(2, 1);
	log_append(2, 1);
	device_flush();
	log_cut(2);
	log_append(2, 1);	/* as long as what was cut: same place, same seq */
	device_flush();
	device_crash(0);
	scan(&s);
	check_scan(&s);
	CHECK_EQ(s.head, 4);
	CHECK_EQ(s.why, SWB_SCAN_END_CHAIN);
	log_restart(&s);
	log_append(1, 2);
	device_flush();
	device_crash(0);
	scan(&s);
	check_scan(&s);
	CHECK_EQ(s.head, 5);
}

TEST(test_recover_cut_then_crash_before_append, "after a cut nothing above "
	"it comes back, though it is whole on disk")
{
	static struct swb_scan s;

	log_reset(0);
	log_append(4, 1);
	log_append(4, 1);
	device_flush();
	log_cut(4);
	scan(&s);
	CHECK_EQ(s.head, 4);
	CHECK_EQ(s.why, SWB_SCAN_END_DEAD);
	log_cut(2);		/* inside a group */
	scan(&s);
	check_scan(&s);
	CHECK_EQ(s.head, 2);
}

TEST(test_recover_overlap_cut_inside_group, "a newer group that starts "
	"inside its predecessor cuts it")
{
	static struct swb_scan s;

	log_reset(0);
	log_append(6, 1);
	device_flush();
	log_cut(3);
	log_append(2, 2);
	device_flush();
	device_crash(0);
	scan(&s);
	check_scan(&s);
	CHECK_EQ(s.head, 5);
	log_restart(&s);	/* log_end 5 now covers the dead records 4 to 6 */
	scan(&s);
	check_scan(&s);
	CHECK_EQ(s.head, 5);
	CHECK_EQ(s.last_epoch, 2);
	CHECK_EQ(s.lineage.count, 2);
}

TEST(test_recover_cut_group_before_wrap, "a cut group at the end loses "
	"against its newer successor at offset 0")
{
	static struct swb_scan s;

	log_reset((UNITS - 8) * UNIT);
	log_append(2, 1);	/* 3 units: the next starts at UNITS - 5 */
	log_append(2, 1);	/* fits before the end */
	device_flush();
	log_cut(2);
	log_append(6, 1);	/* does not fit: goes to 0 */
	CHECK_EQ(w.g[1].pos, 0);
	device_flush();
	scan(&s);
	check_scan(&s);
	CHECK_EQ(s.head, 8);
	log_restart(&s);	/* now the cut group lies below log_end */
	log_append(1, 1);
	device_flush();
	device_crash(0);
	scan(&s);
	check_scan(&s);
	CHECK_EQ(s.head, 9);
}

TEST(test_recover_hole_then_live_group, "a lost group ends the log, "
	"whatever whole group follows")
{
	static struct swb_scan s;

	log_reset(0);
	log_append(2, 1);
	device_flush();
	log_append(2, 1);
	log_append(2, 1);
	memset(cache + w.g[1].pos, 0, w.g[1].len);
	device_flush();
	scan(&s);
	CHECK_EQ(s.head, 2);
	CHECK_EQ(s.why, SWB_SCAN_END_CLEAN);
}

TEST(test_recover_other_ring, "groups of another format of this disk are no "
	"part of the log")
{
	static struct swb_scan s;

	log_reset(0);
	log_append(2, 1);
	device_flush();
	w.d.ring_id++;
	scan(&s);
	CHECK_EQ(s.head, 0);
	CHECK_EQ(s.why, SWB_SCAN_END_CHAIN);
}

/* a group that is chained, forged with another epoch or LSN */
static void forge(u64 epoch, u64 first_lsn, bool opens)
{
	static u8 buf[RING];
	struct group *g = &w.g[w.next - 1];

	g->g.epoch = epoch;
	g->g.first_lsn = first_lsn;
	g->opens = opens;
	if (opens)
		g->g.payload_bytes = (g->g.nrec - 1) * UNIT;
	group_build(g, buf);
	memcpy(disk + g->pos, buf, g->len);
}

TEST(test_recover_impossible_log, "a chained group that falls in epoch or "
	"leaves a gap is seen as such")
{
	static struct swb_scan s;

	log_reset(0);
	log_append(2, 5);
	log_append(2, 5);
	device_flush();
	forge(4, 3, false);
	scan(&s);
	CHECK_EQ(s.why, SWB_SCAN_END_EPOCH);
	forge(5, 4, false);
	scan(&s);
	CHECK_EQ(s.why, SWB_SCAN_END_GAP);
	forge(5, 2, false);
	scan(&s);
	CHECK_EQ(s.why, SWB_SCAN_END_GAP);
	w.g[1].g.incarnation = 0;	/* older than its predecessor's */
	forge(5, 3, false);
	scan(&s);
	CHECK_EQ(s.why, SWB_SCAN_END_CHAIN);
	w.g[1].g.incarnation = 1;
	forge(5, 3, true);	/* the same epoch opened twice */
	scan(&s);
	CHECK_EQ(s.why, SWB_SCAN_END_EPOCH);
	CHECK_EQ(s.head, 2);
}

TEST(test_recover_override_mark_survives, "an open record finds its "
	"override mark in the saved table")
{
	static struct swb_scan s;
	static struct swb_recovered r;

	log_reset(0);
	log_append(2, 1);
	log_append(2, 2);
	device_flush();
	w.d.lineage.e[1].flags = SWB_LINEAGE_OVERRIDE;
	swb_lineage_open(&w.d.lineage, 3, 9, 0);	/* saved, never written */
	scan(&s);
	swb_scan_result(&s, 'H', &r);
	CHECK_EQ(r.lineage.count, 2);
	CHECK_EQ(r.lineage.e[1].flags, SWB_LINEAGE_OVERRIDE);
	CHECK_EQ(r.head, 4);
	CHECK_EQ(r.start, 1);
	CHECK_EQ(r.last_epoch, 2);
}

TEST(test_recover_random_bytes, "a scan over noise ends, and reads nothing "
	"behind the ring")
{
	static struct swb_scan s;

	for (int i = 0; i < 300; i++) {
		log_reset(rnd_below(UNITS) * UNIT);
		for (int k = 0; k < 6; k++)
			log_append(1 + (u32)rnd_below(RECS), 1);
		device_flush();
		for (u64 n = rnd_below(2000); n > 0; n--)
			disk[rnd_below(RING)] ^= (u8)rnd();
		scan(&s);
		CHECK(s.head <= w.head);
	}
}

/* ---- slots ------------------------------------------------------------ */

TEST(test_recover_pick_every_pair, "each pair of slot verdicts gives a slot "
	"or exactly one letter")
{
	static const enum swb_super_verdict all[] = {
		SWB_SUPER_OK, SWB_SUPER_BAD_MAGIC, SWB_SUPER_BAD_CRC,
		SWB_SUPER_BAD_VERSION, SWB_SUPER_BAD_FIELD,
	};
	static struct swb_durable d0 = { .generation = 4 };
	static struct swb_durable d1 = { .generation = 5 };
	u32 seen[128] = { 0 };

	for (u32 i = 0; i < 5; i++) {
		for (u32 k = 0; k < 5; k++) {
			u8 letter = '?';
			int slot = swb_recover_pick(all[i], &d0, all[k], &d1,
						    &letter);

			CHECK(slot >= -1 && slot <= 1);
			CHECK((slot < 0) == (letter != 0));
			seen[letter]++;
			if (slot >= 0)
				CHECK_EQ(all[slot ? k : i], SWB_SUPER_OK);
			/* never back in time past something not understood */
			if (all[i] >= SWB_SUPER_BAD_VERSION ||
			    all[k] >= SWB_SUPER_BAD_VERSION)
				CHECK_EQ(letter, 'E');
		}
	}
	CHECK(seen['A'] && seen['C'] && seen['E'] && seen[0]);
}

TEST(test_recover_pick_newest, "of two good slots the higher generation counts")
{
	static struct swb_durable d0 = { .generation = 4 }, d1;
	u8 letter;

	d1 = d0;
	CHECK_EQ(swb_recover_pick(SWB_SUPER_OK, &d0, SWB_SUPER_OK, &d1, &letter), 0);
	d1.generation = 5;
	CHECK_EQ(swb_recover_pick(SWB_SUPER_OK, &d0, SWB_SUPER_OK, &d1, &letter), 1);
	CHECK_EQ(swb_recover_pick(SWB_SUPER_OK, &d1, SWB_SUPER_OK, &d0, &letter), 0);
	CHECK_EQ(swb_recover_pick(SWB_SUPER_OK, &d0, SWB_SUPER_BAD_CRC, &d1,
				  &letter), 0);
	CHECK_EQ(swb_recover_pick(SWB_SUPER_BAD_MAGIC, &d0, SWB_SUPER_OK, &d1,
				  &letter), 1);
}

TEST(test_recover_pick_ambiguous, "one generation with two contents is "
	"letter B")
{
	static struct swb_durable d0 = { .generation = 4 }, d1;
	u8 letter;

	d1 = d0;
	d1.epoch = 9;
	CHECK(swb_recover_pick(SWB_SUPER_OK, &d0, SWB_SUPER_OK, &d1, &letter) < 0);
	CHECK_EQ(letter, 'B');
}

/* ---- verdict ---------------------------------------------------------- */

/* the table of docs/design/state-model.md section 5, written a second time */
static u8 expected(const struct swb_recover_facts *f)
{
	if (!f->slot)
		return f->pick_letter;
	if (!f->fits)
		return 'D';
	if (f->disk_failed)
		return 'F';
	if (f->inconsistent)
		return 'G';
	if (f->tail_lost && f->extent_lo < f->extent_hi)
		return 'M';
	if (f->head < f->extent_hi)
		return 'L';
	if (f->why == SWB_SCAN_END_EPOCH || f->why == SWB_SCAN_END_GAP)
		return 'N';
	if (f->why == SWB_SCAN_END_CLEAN)
		return 'H';
	if (f->why == SWB_SCAN_END_TORN_HEADER)
		return 'I';
	if (f->why == SWB_SCAN_END_TORN_PAYLOAD)
		return 'J';
	return 'K';
}

static enum swb_recover_verdict verdict_of(u8 letter)
{
	if (letter == 'H')
		return SWB_RECOVER_OPEN;
	if (letter >= 'I' && letter <= 'K')
		return SWB_RECOVER_CUT;
	return letter == 'G' ? SWB_RECOVER_VOID : SWB_RECOVER_REFUSE;
}

TEST(test_recover_decide_every_combination, "each combination of facts has "
	"the tabled letter, and all letters occur")
{
	u32 seen[128] = { 0 };

	for (u32 bits = 0; bits < 32; bits++) {
		for (int why = SWB_SCAN_RUNNING; why <= SWB_SCAN_END_DEAD; why++) {
			for (u32 n = 0; n < 4 * 4 * 4 * 4; n++) {
				struct swb_recover_facts f = {
					.slot = bits & 1,
					.pick_letter = "ABCE"[n >> 6],
					.fits = bits & 2,
					.disk_failed = bits & 4,
					.inconsistent = bits & 8,
					.tail_lost = bits & 16,
					.why = (enum swb_scan_end)why,
					.head = n & 3,
					.extent_lo = n >> 2 & 3,
					.extent_hi = n >> 4 & 3,
				};
				enum swb_recover_verdict v;
				u8 letter = 0;

				v = swb_recover_decide(&f, &letter);
				CHECK_EQ(letter, expected(&f));
				CHECK_EQ(v, verdict_of(letter));
				seen[letter]++;
			}
		}
	}
	for (u8 l = 'A'; l <= 'N'; l++)
		CHECK(seen[l]);
}
