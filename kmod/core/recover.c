// SPDX-License-Identifier: GPL-2.0-only
/*
 * Local recovery: which superblock slot counts, where the log ends, and what
 * to make of it. Runs once at attach, before anything is appended or reported.
 * The caller reads and checks payload checksums; nothing here touches a device.
 * Pure, no lock; the scan is single-threaded.
 *
 * Lettered cases (the tables below; docs/design/state-model.md section 5):
 *
 * A, no valid superblock. Both slots were hit. Saves go to the slots in turn
 *    with a flush between, so a torn save costs one slot only: this is damage.
 *    Epoch, opening and extent marks are unknown and nothing may be assumed.
 *
 * B, ambiguous superblock. Two different saves of one generation: a cloned
 *    image, or one disk written by two hosts. Choosing would be a guess about
 *    epochs.
 *
 * C, not swblock. No slot has the magic: blank, or somebody else's. `format` is
 *    the way in, never an attach.
 *
 * D, geometry. Ring or extent do not fit their device, or the WAL device is
 *    missing or not the partner. An out-of-range log would look torn and be
 *    cut; refusing keeps it.
 *
 * E, version. A slot with a good checksum says what this release does not
 *    understand (newer version, impossible field). The older slot would go back
 *    in time: an epoch, an opening or an extent_hi could be forgotten.
 *
 * F, disk failed. A write or flush failed before the restart. What worked since
 *    proves nothing, the cache may have dropped the pages (P17a).
 *
 * G, inconsistent. A crash inside DELTA or REBUILD (P10). Attached, so that it
 *    can be started again from its base, but its report is void (P7).
 *
 * H, clean end. Nothing was in flight behind the last group.
 *
 * I, torn header. The crash hit a group on its way to the disk. It was never
 *    acknowledged as durable: a flush counts only what had completed before.
 *
 * J, torn payload. As I, torn inside the group. All of it is cut, also its good
 *    records: nothing of it was durable.
 *
 * K, chain break. A tail that was cut earlier, an older incarnation above the
 *    sealed end, or groups that reached the disk out of order. Following it
 *    would compose a log that never existed (P4).
 *
 * L, log lost. The log ends below extent_hi: the extent may hold blocks of
 *    records that are gone, a mixture that no replay repairs (P9).
 *
 * M, tail group lost. As L at once: write-back was under way and not one record
 *    of it can be read.
 *
 * N, impossible log. A group chained to its predecessor that steps back in
 *    epoch or leaves a gap. No crash makes that, only a defect or a forgery;
 *    cutting would throw acknowledged records away on a guess (G5).
 */
#include "lineage.h"
#include "recover.h"
#include "table.h"

/* ---- superblock slots ------------------------------------------------ */

#define PICK_BOTH_FOREIGN	0x1
#define PICK_NOT_UNDERSTOOD	0x2
#define PICK_NONE_GOOD		0x4
#define PICK_AMBIGUOUS		0x8

static const struct swb_row pick_table[] = {
	{ .letter = 'C', .yes = PICK_BOTH_FOREIGN },
	{ .letter = 'E', .yes = PICK_NOT_UNDERSTOOD },
	{ .letter = 'A', .yes = PICK_NONE_GOOD },
	{ .letter = 'B', .yes = PICK_AMBIGUOUS },
	{ .letter = 0 },
};

static bool not_understood(enum swb_super_verdict v)
{
	return v == SWB_SUPER_BAD_VERSION || v == SWB_SUPER_BAD_FIELD;
}

int swb_recover_pick(enum swb_super_verdict v0, const struct swb_durable *d0,
		     enum swb_super_verdict v1, const struct swb_durable *d1,
		     u8 *letter)
{
	bool good0 = v0 == SWB_SUPER_OK, good1 = v1 == SWB_SUPER_OK;
	u32 facts;

	facts = swb_fact(v0 == SWB_SUPER_BAD_MAGIC &&
			 v1 == SWB_SUPER_BAD_MAGIC, PICK_BOTH_FOREIGN) |
		swb_fact(not_understood(v0) || not_understood(v1),
			 PICK_NOT_UNDERSTOOD) |
		swb_fact(!good0 && !good1, PICK_NONE_GOOD) |
		swb_fact(good0 && good1 && d0->generation == d1->generation &&
			 memcmp(d0, d1, sizeof(*d0)) != 0, PICK_AMBIGUOUS);
	*letter = swb_table_match(pick_table, ARRAY_SIZE(pick_table),
				  facts)->letter;
	if (*letter)
		return -1;
	if (good0 && good1)
		return d1->generation > d0->generation;
	return good1;
}

/* ---- the scan -------------------------------------------------------- */

void swb_scan_begin(struct swb_scan *s, const struct swb_durable *d)
{
	memset(s, 0, sizeof(*s));
	s->d = *d;
	s->try_pos = d->tail_pos;
	s->head = d->tail_lsn - 1;
	s->prev_first = d->tail_lsn;
	s->lineage = d->lineage;
	swb_lineage_cut(&s->lineage, s->head);	/* above: the log speaks, P18 */
	s->last_epoch = swb_lineage_epoch_at(&s->lineage, s->head);
	s->ring.bytes = d->ring_bytes;
	s->ring.unit = d->ring_unit;
	s->ring.write_pos = d->tail_pos;
	s->ring.tail_pos = d->tail_pos;
	s->ring.seq = d->tail_seq;
	s->ring.prev_crc = d->tail_prev_crc;
	s->ring.incarnation = d->incarnation;
	s->ring.ring_id = d->ring_id;
}

static u64 gap_before(const struct swb_scan *s)
{
	return s->try_pos == s->ring.write_pos ?
		0 : s->ring.bytes - s->ring.write_pos;
}

static bool has_room(const struct swb_scan *s, const struct swb_group_info *g)
{
	u64 len = swb_ring_group_bytes(&s->ring, g->nrec, g->payload_bytes);

	return s->ring.used + gap_before(s) + len <=
	       s->ring.bytes - s->ring.unit;
}

/* Is it the group that was written as the next one after the last accepted? */
static bool chained(const struct swb_scan *s, const struct swb_group_info *g)
{
	return g->seq == s->ring.seq && g->prev_crc == s->ring.prev_crc; /* P4 */
}

/*
 * After a cut inside a group the next one starts inside it, in a newer
 * incarnation:	P: 8 .. 14 (incarnation 1), cut to 10, Q: 11 .. (incarnation 2)
 */
static bool overlaps(const struct swb_scan *s, const struct swb_group_info *g)
{
	return s->groups && g->first_lsn > s->prev_first &&
	       g->first_lsn <= s->head && g->incarnation > s->last_incarnation;
}

/* RUNNING: it is the next group */
static enum swb_scan_end classify(const struct swb_scan *s, const void *buf,
				  u32 len, struct swb_group_info *g)
{
	const struct swb_disk_group *h = buf;

	if (len < sizeof(*h) || le32_to_cpu(h->magic) != SWB_GROUP_MAGIC)
		return SWB_SCAN_END_CLEAN;
	if (le64_to_cpu(h->ring_id) != s->d.ring_id)
		return SWB_SCAN_END_CHAIN;
	if (!swb_codec_group_decode(buf, len, &s->d, g))
		return SWB_SCAN_END_TORN_HEADER;
	if (g->seq < s->ring.seq)
		return SWB_SCAN_END_CLEAN;	/* of an earlier lap */
	if (!chained(s, g) || g->incarnation < s->last_incarnation ||
	    !has_room(s, g))
		return SWB_SCAN_END_CHAIN;
	/* above: cut away (P4); below: of a log that a rebuild has emptied (P10) */
	if (g->incarnation < s->d.incarnation &&
	    (g->first_lsn > s->d.log_end || g->first_lsn < s->d.tail_lsn))
		return SWB_SCAN_END_DEAD;
	if (g->epoch < s->last_epoch)
		return SWB_SCAN_END_EPOCH;
	if (g->first_lsn != s->head + 1 && !overlaps(s, g))
		return SWB_SCAN_END_GAP;
	return SWB_SCAN_RUNNING;
}

static enum swb_scan_verdict retry_at(struct swb_scan *s, u64 pos)
{
	s->try_pos = pos;
	return SWB_SCAN_RETRY;
}

static enum swb_scan_verdict accept(struct swb_scan *s,
				    const struct swb_group_info *g)
{
	u64 last = g->first_lsn + g->nrec - 1;

	s->group = *g;
	s->pos = s->try_pos;
	s->live_nrec = g->nrec;
	if (g->incarnation < s->d.incarnation && last > s->d.log_end)
		s->live_nrec = (u32)(s->d.log_end - g->first_lsn + 1);	/* P4 */
	s->overlap_from = g->first_lsn <= s->head ? g->first_lsn : 0;
	return SWB_SCAN_NEXT;
}

/*
 * A group of an older incarnation may be what was cut, while its successor did
 * not fit here and went to offset 0. Both are chained to the same predecessor;
 * the newer incarnation is the one that lived.
 */
static bool newer_at_zero(const struct swb_scan *s,
			  const struct swb_group_info *g)
{
	return s->zero_valid && chained(s, &s->zero) &&
	       s->zero.incarnation > g->incarnation;
}

enum swb_scan_verdict swb_scan_header(struct swb_scan *s, const void *buf,
				      u32 len)
{
	struct swb_group_info g;
	enum swb_scan_end end;

	s->overlap_from = 0;
	if (s->peeking) {
		s->peeking = false;
		s->zero_seen = true;
		s->zero_valid = swb_codec_group_decode(buf, len, &s->d, &s->zero);
		return retry_at(s, s->back_pos);
	}
	end = classify(s, buf, len, &g);
	if (end == SWB_SCAN_RUNNING) {
		if (!s->try_pos || g.incarnation >= s->d.incarnation)
			return accept(s, &g);
		if (!s->zero_seen) {
			s->peeking = true;
			s->back_pos = s->try_pos;
			return retry_at(s, 0);
		}
		if (!newer_at_zero(s, &g))
			return accept(s, &g);
		s->wrapped = true;
		return retry_at(s, 0);
	}
	/* what was seen before the wrap says more, unless it was nothing */
	if (s->why == SWB_SCAN_RUNNING || s->why == SWB_SCAN_END_CLEAN)
		s->why = end;
	if (s->wrapped || !s->try_pos)
		return SWB_SCAN_STOP;
	s->wrapped = true;
	return retry_at(s, 0);
}

/* The override mark is not in the log but in the table saved before it. */
static u32 saved_flags(const struct swb_scan *s)
{
	const struct swb_lineage *l = &s->d.lineage;
	u32 i;

	for (i = 0; i < l->count; i++)
		if (l->e[i].epoch == s->group.epoch &&
		    l->e[i].first_lsn == s->group.first_lsn)
			return l->e[i].flags;
	return 0;
}

bool swb_scan_payload(struct swb_scan *s, bool ok, bool opens)
{
	const struct swb_group_info *g = &s->group;

	if (ok && opens && s->lineage.count &&
	    g->epoch <= swb_lineage_epoch_at(&s->lineage, g->first_lsn - 1)) {
		s->why = SWB_SCAN_END_EPOCH;	/* a second opening: P2 */
		return false;
	}
	if (!ok) {
		s->why = SWB_SCAN_END_TORN_PAYLOAD;
		return false;
	}
	swb_ring_take(&s->ring, s->pos,
		      swb_ring_group_bytes(&s->ring, g->nrec, g->payload_bytes),
		      gap_before(s), g->crc);
	/* an overlap cuts no opening: that would be its predecessor's first */
	if (opens)
		swb_lineage_open(&s->lineage, g->epoch, g->first_lsn,
				 saved_flags(s));
	s->head = g->first_lsn + s->live_nrec - 1;
	s->prev_first = g->first_lsn;
	s->last_epoch = g->epoch;
	s->last_incarnation = g->incarnation;
	s->groups++;
	s->wrapped = false;
	s->why = SWB_SCAN_RUNNING;
	s->try_pos = s->ring.write_pos;
	return true;
}

void swb_scan_facts(const struct swb_scan *s, struct swb_recover_facts *f)
{
	f->disk_failed = s->d.flags & SWB_SUPER_DISK_FAILED;
	f->inconsistent = s->d.flags & SWB_SUPER_INCONSISTENT;
	f->why = s->why;
	f->head = s->head;
	f->extent_lo = s->d.extent_lo;
	f->extent_hi = s->d.extent_hi;
	f->tail_lost = !s->groups;
}

void swb_scan_result(const struct swb_scan *s, u8 letter,
		     struct swb_recovered *r)
{
	r->start = s->d.tail_lsn;
	r->head = s->head;
	r->last_epoch = s->last_epoch;
	r->lineage = s->lineage;
	r->letter = letter;
}

/* ---- the verdict ----------------------------------------------------- */

#define REC_FITS		0x001
#define REC_DISK_FAILED		0x002
#define REC_INCONSISTENT	0x004
#define REC_TAIL_LOST		0x008
#define REC_WRITE_BACK		0x010	/* extent_lo < extent_hi */
#define REC_BELOW_EXTENT	0x020	/* head < extent_hi */
#define REC_IMPOSSIBLE		0x040	/* epoch falls, or a gap */
#define REC_CLEAN		0x080
#define REC_TORN_HEADER		0x100
#define REC_TORN_PAYLOAD	0x200

static const struct swb_row recover_table[] = {
	{ .letter = 'D', .verdict = SWB_RECOVER_REFUSE, .no = REC_FITS },
	{ .letter = 'F', .verdict = SWB_RECOVER_REFUSE, .yes = REC_DISK_FAILED },
	{ .letter = 'G', .verdict = SWB_RECOVER_VOID, .yes = REC_INCONSISTENT },
	{ .letter = 'M', .verdict = SWB_RECOVER_REFUSE,
	  .yes = REC_TAIL_LOST | REC_WRITE_BACK },
	{ .letter = 'L', .verdict = SWB_RECOVER_REFUSE, .yes = REC_BELOW_EXTENT },
	{ .letter = 'N', .verdict = SWB_RECOVER_REFUSE, .yes = REC_IMPOSSIBLE },
	{ .letter = 'H', .verdict = SWB_RECOVER_OPEN, .yes = REC_CLEAN },
	{ .letter = 'I', .verdict = SWB_RECOVER_CUT, .yes = REC_TORN_HEADER },
	{ .letter = 'J', .verdict = SWB_RECOVER_CUT, .yes = REC_TORN_PAYLOAD },
	{ .letter = 'K', .verdict = SWB_RECOVER_CUT },
};

static u32 end_facts(enum swb_scan_end why)
{
	switch (why) {
	case SWB_SCAN_END_CLEAN:
		return REC_CLEAN;
	case SWB_SCAN_END_TORN_HEADER:
		return REC_TORN_HEADER;
	case SWB_SCAN_END_TORN_PAYLOAD:
		return REC_TORN_PAYLOAD;
	case SWB_SCAN_END_EPOCH:
	case SWB_SCAN_END_GAP:
		return REC_IMPOSSIBLE;
	case SWB_SCAN_RUNNING:
	case SWB_SCAN_END_CHAIN:
	case SWB_SCAN_END_DEAD:
		return 0;
	}
	return 0;
}

enum swb_recover_verdict swb_recover_decide(const struct swb_recover_facts *f,
					    u8 *letter)
{
	const struct swb_row *row;
	u32 facts;

	if (!f->slot) {
		*letter = f->pick_letter ? f->pick_letter : 'A';
		return SWB_RECOVER_REFUSE;
	}
	facts = end_facts(f->why) |
		swb_fact(f->fits, REC_FITS) |
		swb_fact(f->disk_failed, REC_DISK_FAILED) |
		swb_fact(f->inconsistent, REC_INCONSISTENT) |
		swb_fact(f->tail_lost, REC_TAIL_LOST) |
		swb_fact(f->extent_lo < f->extent_hi, REC_WRITE_BACK) |
		swb_fact(f->head < f->extent_hi, REC_BELOW_EXTENT);
	row = swb_table_match(recover_table, ARRAY_SIZE(recover_table), facts);
	*letter = row->letter;
	return (enum swb_recover_verdict)row->verdict;
}
