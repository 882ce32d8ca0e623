// SPDX-License-Identifier: GPL-2.0-only
/*
 * One flipped bit. The log must end before the group that has it, with the letter
 * that the table names for it, or recovery must refuse; what is there must be a
 * prefix. A bit of the extent has no checksum and is not looked at.
 */
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "judge.h"

/** struct hit - where the bit is */
struct hit {
	u64 off;
	const struct found_group *group;	/* NULL: not in an accepted one */
	u32 at;					/* offset in the group */
};

static struct hit aim(struct judge *j, const struct found *f)
{
	const struct swb_durable *d = &f->l.d;
	struct hit h = { 0 };
	u64 where = rng_below(&j->rng, 10);
	u32 len;

	if (where < 2) {
		h.off = rng_below(&j->rng, 2) ? SWB_SUPER_OFFSET_1 :
						SWB_SUPER_OFFSET_0;
		/* most of a slot is empty */
		h.off += rng_below(&j->rng, where ? SWB_SUPER_BYTES : 256);
		return h;
	}
	if (where < 3 || !f->groups) {
		h.off = d->ring_offset + rng_below(&j->rng, d->ring_bytes);
		for (u32 i = 0; i < f->groups; i++) {
			const struct found_group *g = &f->group[i];
			u64 from = d->ring_offset + g->pos;

			if (h.off < from || h.off >= from + g->header_bytes +
							g->payload_bytes)
				continue;
			h.group = g;
			h.at = (u32)(h.off - from);
		}
		return h;
	}
	/* half of them near the end, where the newest promises are */
	h.group = &f->group[rng_below(&j->rng, f->groups)];
	if (where < 7 && f->groups > 4)
		h.group = &f->group[f->groups - 1 - rng_below(&j->rng, 4)];
	len = h.group->header_bytes;
	if (h.group->payload_bytes && rng_below(&j->rng, 2)) {
		h.at = len;
		len = h.group->payload_bytes;
	}
	/* most of a header is zeroes behind the records: prefer what is not */
	if (!h.at && rng_below(&j->rng, 4))
		len = sizeof(struct swb_disk_group) + sizeof(struct swb_disk_rec);
	h.at += (u32)rng_below(&j->rng, len);
	h.off = d->ring_offset + h.group->pos + h.at;
	return h;
}

static bool within(u32 at, size_t offset, size_t len)
{
	return at >= offset && at < offset + len;
}

/* Letters that a cut before this group may have. */
static const char *letters(const struct hit *h)
{
	if (h->at >= h->group->header_bytes)
		return "J";
	/* without its magic a group is nothing: the log ends there, clean */
	if (within(h->at, offsetof(struct swb_disk_group, magic), 4))
		return "HK";
	if (within(h->at, offsetof(struct swb_disk_group, ring_id), 8))
		return "K";
	return "I";
}

/* In a group of the log: where it must end now, and how that is called. */
static void judge_group(struct judge *j, const struct hit *h, u64 end, u64 lo,
			u64 hi, bool first)
{
	const struct logread *l = &j->found->l;
	bool refused = l->recover == SWB_RECOVER_REFUSE;
	bool lost = end < hi || (first && lo < hi);

	if (lost != refused)
		judge_complain(j, "flip at %u of the group of LSN %" PRIu64
			       ": case %c, extent_hi %" PRIu64, h->at,
			       h->group->first_lsn, l->letter, hi);
	else if (refused)
		j->tally->refused++;
	else if (l->rec.head != end || !strchr(letters(h), l->letter))
		judge_complain(j, "flip at %u of the group of LSN %" PRIu64
			       ": case %c, the log ends at %" PRIu64, h->at,
			       h->group->first_lsn, l->letter, l->rec.head);
}

/** struct verdict - what a recovery came to */
struct verdict {
	enum swb_recover_verdict recover;
	u64 head;
};

static struct verdict recovered(struct judge *j)
{
	const struct logread *l = &j->found->l;

	judge_recover(j);
	return (struct verdict){ l->recover,
				 l->recover == SWB_RECOVER_REFUSE ?
				 0 : l->rec.head };
}

/* Without this slot: its checksum is wrong for certain. */
static struct verdict without_slot(struct judge *j, u64 slot)
{
	u64 off = slot + offsetof(struct swb_disk_super, crc);
	size_t changes = j->im.changes;
	struct verdict v;
	u8 crc[4];

	for (u32 i = 0; i < sizeof(crc); i++)
		crc[i] = j->im.bytes[off + i] ^ 0xff;
	image_lay(&j->im, off, crc, sizeof(crc));
	v = recovered(j);
	image_undo(&j->im, changes);
	return v;
}

/*
 * In a superblock: as if the slot were not there. The other one is a save older;
 * what it leads to is never less than was promised without a word.
 */
static void judge_slot(struct judge *j, const struct hit *h,
		       const struct verdict *want, u64 min)
{
	const struct logread *l = &j->found->l;
	bool refused = l->recover == SWB_RECOVER_REFUSE;

	j->tally->refused += refused;
	if (l->recover != want->recover ||
	    (!refused && l->rec.head != want->head))
		judge_complain(j, "flip at %" PRIu64 ": case %c, the log ends at %"
			       PRIu64 ", without the slot at %" PRIu64, h->off,
			       l->letter, l->rec.head, want->head);
	else if (!refused && l->rec.head < min && l->letter == 'H')
		judge_complain(j, "flip at %" PRIu64 ": case H, the log ends at %"
			       PRIu64 " below %" PRIu64, h->off, l->rec.head,
			       min);
}

/*
 * Three losses bring back what a peer had cut, and nothing on this disk can tell:
 * the newest slot, if the cut was its save; the first group after a cut inside a
 * group; and the first one after a cut, if it went to the start of the ring and what
 * it replaces is still at the end. Peers cut it again, by the lineage.
 * docs/design/state-model.md section 5.
 */
static bool undoes_a_cut(const struct judge *j, const struct hit *h)
{
	if (!h->group)
		return j->life > 1;
	return h->group->overlap_from || (j->life > 1 && !h->group->pos);
}

void flip_run(struct judge *j, u64 min)
{
	const struct found *f = j->found;
	struct found_group group;
	size_t changes = j->im.changes;
	struct hit h = aim(j, f);
	u64 head = f->l.rec.head, end = 0;
	u64 lo = f->l.d.extent_lo, hi = f->l.d.extent_hi;
	struct verdict want = { 0 };
	bool first = false;
	int block;
	u8 byte;

	if (h.group) {
		first = h.group == f->group;
		end = first ? f->l.d.tail_lsn - 1 : h.group[-1].last_lsn;
		group = *h.group;
		h.group = &group;
	}
	if (h.off < SWB_SUPER_OFFSET_1 + SWB_SUPER_BYTES)
		want = without_slot(j, h.off < SWB_SUPER_OFFSET_1 ?
				       SWB_SUPER_OFFSET_0 : SWB_SUPER_OFFSET_1);
	byte = j->im.bytes[h.off] ^ (u8)(1 << rng_below(&j->rng, 8));
	image_lay(&j->im, h.off, &byte, 1);
	judge_recover(j);
	j->tally->flipped++;
	if (h.group) {
		if (!undoes_a_cut(j, &h))
			judge_group(j, &h, end, lo, hi, first);
	} else if (h.off < SWB_SUPER_OFFSET_1 + SWB_SUPER_BYTES) {
		judge_slot(j, &h, &want, min);
	} else if (f->l.recover == SWB_RECOVER_REFUSE ||
		   f->l.rec.head != head) {
		judge_complain(j, "flip at %" PRIu64 ", in no group: case %c, end %"
			       PRIu64, h.off, f->l.letter, f->l.rec.head);
	}
	if (f->l.recover != SWB_RECOVER_REFUSE && !undoes_a_cut(j, &h)) {
		block = judge_content(j, f->l.rec.head);
		if (block >= 0)
			judge_complain(j, "flip at %" PRIu64 ": case %c, block %d is not what it was at LSN %"
				       PRIu64, h.off, f->l.letter, block,
				       f->l.rec.head);
	}
	image_undo(&j->im, changes);
}
