// SPDX-License-Identifier: GPL-2.0-only
/* What the bytes on a disk are worth, found by the real recovery code. */
#include <string.h>

#include "../logread.h"
#include "check.h"

#define U(x)	((unsigned long long)(x))

static int read_stable(void *ctx, u64 off, void *buf, u32 len)
{
	disk_read_stable(ctx, off, buf, len);
	return 0;
}

struct scan_ctx {
	struct world *w;
	struct node *n;
	struct worst *worst;
};

/* A record found by recovery must be one that somebody once appended. */
static bool known_record(const struct world *w, const struct logread_group *g,
			 u32 i)
{
	const struct ref_rec *q = ref_find(&w->ref, g->info.epoch,
					   g->info.first_lsn + i);
	u64 wid;

	if (!q || q->type != g->rec[i].type)
		return false;
	if (q->type == SWB_REC_OPEN)
		return true;
	if (q->block != g->rec[i].sector ||
	    q->blocks != g->rec[i].len_bytes / SIM_BLOCK)
		return false;
	return q->type != SWB_REC_WRITE ||
	       (ref_wid_of(logread_payload(g, i), q->block, &wid) &&
		wid == q->wid);
}

static void take_group(void *ctx, const struct logread_group *g)
{
	struct scan_ctx *c = ctx;
	struct worst *s = c->worst;

	if (!g->index) {
		s->first = g->info.first_lsn;
		s->proved = 0;
	}
	if (g->overlap_from && g->overlap_from <= s->proved)
		s->proved = g->overlap_from - 1;
	for (u32 i = 0; i < g->live; i++) {
		u64 at = g->info.first_lsn + i - s->first;

		if (at >= NODE_LSNS_MAX)
			continue;
		s->epoch[at] = g->info.epoch;
		if (!known_record(c->w, g, i))
			sim_violation(c->w, 211, "n%u: recovery finds (%llu,%llu), never appended",
				      c->n->id, U(g->info.epoch),
				      U(g->info.first_lsn + i));
	}
}

/*
 * I-211, I-032: the recovered log is one history, not a patchwork. Truth only
 * grows, so what was compared stays compared while it ends in the same epoch.
 */
static void check_i211(struct world *w, struct node *n, struct worst *s)
{
	const struct ref_epoch *e = ref_epoch_of(&w->ref, s->last_epoch);
	u64 low = s->first;

	if (s->proved_epoch == s->last_epoch && s->proved + 1 > low)
		low = s->proved + 1;
	for (u64 x = s->head; x >= low; x--) {
		while (e && x < e->first_lsn)
			e = ref_epoch_of(&w->ref, e->parent);
		if (s->epoch[x - s->first] == (e ? e->epoch : 0))
			continue;
		sim_violation(w, 211, "n%u: recovered %llu is of epoch %llu; ending in %llu, of %llu",
			      n->id, U(x), U(s->epoch[x - s->first]),
			      U(s->last_epoch), U(e ? e->epoch : 0));
		return;
	}
	s->proved = s->head;
	s->proved_epoch = s->last_epoch;
}

/* Has a byte changed that the accepted groups were judged by? */
static bool scan_stands(const struct disk *d, const struct logread *l)
{
	u64 ring = NODE_RING_OFFSET, end = ring + NODE_RING_BYTES;
	u64 tail = ring + l->mark.d.tail_pos;
	u64 head = ring + l->mark.ring.write_pos;

	if (!l->fits || l->slot < 0)
		return false;
	if (l->scan.zero_seen &&
	    disk_changed(d, ring, ring + SWB_GROUP_HEADER_MAX))
		return false;
	if (!l->mark.groups)
		return true;
	if (tail < head)
		return !disk_changed(d, tail, head);
	return !disk_changed(d, tail, end) && !disk_changed(d, ring, head);
}

static void scan_anew(struct world *w, struct node *n, struct logread *l)
{
	struct scan_ctx c = { w, n, &n->worst };

	memset(l, 0, sizeof(*l));
	l->data = (struct logread_dev){ read_stable, &n->disk, n->disk.bytes };
	logread_run(l, take_group, &c);
}

static void take_scan(struct world *w, struct node *n)
{
	struct worst *s = &n->worst;
	struct logread *l = &s->l;

	s->letter = l->letter;
	s->verdict = l->recover;
	s->d = l->d;
	s->head = l->scan.head;
	s->last_epoch = l->scan.last_epoch;
	if (!l->scan.groups) {
		s->first = s->head + 1;
		s->proved = 0;
	}
	check_i211(w, n, s);
	if (l->recover == SWB_RECOVER_REFUSE && !n->rotten && !n->failed)
		sim_violation(w, 107, "n%u: a power cut now would be refused @%c (%s)",
			      n->id, l->letter, swb_text_scan_end(l->scan.why));
}

const struct worst *check_worst(struct world *w, struct node *n)
{
	struct worst *s = &n->worst;
	struct disk *d = &n->disk;
	struct scan_ctx c = { w, n, s };
	bool supers, ring;

	if (s->valid && s->changes == d->stable_changes)
		return s;
	s->changes = d->stable_changes;
	supers = disk_changed(d, 0, NODE_RING_OFFSET);
	ring = disk_changed(d, NODE_RING_OFFSET, NODE_BITMAP_OFFSET);
	if (!s->valid || !scan_stands(d, &s->l))
		scan_anew(w, n, &s->l);
	else if (supers || ring)
		logread_again(&s->l, supers, take_group, &c);
	disk_changes_seen(d);
	if (!s->valid || supers || ring) {
		s->valid = true;
		take_scan(w, n);
	}
	return s;
}

/*
 * The short way above must find what the long way finds: were it wrong, every
 * checker that asks for the worst case would be.
 */
void check_worst_proved(struct world *w, struct node *n)
{
	static struct logread l;
	const struct worst *s = check_worst(w, n);

	scan_anew(w, n, &l);
	swb_assert(l.letter == s->l.letter && l.recover == s->l.recover &&
		   l.slot == s->l.slot && l.scan.groups == s->l.scan.groups &&
		   l.scan.head == s->head &&
		   l.scan.last_epoch == s->last_epoch &&
		   l.scan.why == s->l.scan.why &&
		   !memcmp(&l.d, &s->l.d, sizeof(l.d)) &&
		   !memcmp(&l.scan.ring, &s->l.scan.ring, sizeof(l.scan.ring)) &&
		   !memcmp(&l.scan.lineage, &s->l.scan.lineage,
			   sizeof(l.scan.lineage)));
}

/* Its disk is another one than @n's configuration names: what it held is gone. */
bool check_gone(const struct world *w, const struct node *n, u8 i)
{
	return w->node[i].lost && i < n->core.config.member_count &&
	       !swb_uuid_equal(&w->node[i].core.d.replica,
			       &n->core.config.member[i]);
}

static bool marked(const struct worst *s)
{
	return s->d.flags & SWB_SUPER_INCONSISTENT;
}

/*
 * The empty log of a void copy begins below all that the source's table of openings
 * still names: no epoch is known there until the stream brings the next opening.
 */
static bool epoch_forgotten(const struct worst *s)
{
	return marked(s) && !s->last_epoch && !s->d.lineage.count &&
	       s->first > s->head;
}

bool check_logged(struct world *w, struct node *n, u64 epoch, u64 lsn)
{
	const struct worst *s = check_worst(w, n);

	if (lsn == 0)
		return true;
	if (epoch_forgotten(s))
		return lsn <= s->head;
	return lsn <= s->head &&
	       ref_epoch_at(&w->ref, s->last_epoch, lsn) == epoch;
}

bool check_holds(struct world *w, struct node *n, u64 epoch, u64 lsn)
{
	if (lsn && marked(check_worst(w, n)))
		return false;					/* P7 */
	return check_logged(w, n, epoch, lsn);
}

/* ---- images ------------------------------------------------------------ */

static void overlay_log(struct node *n, u64 *wid)
{
	for (u64 x = n->core.d.extent_lo + 1; x <= n->core.log.head; x++) {
		const struct wrec *r = wal_rec(n, x);

		if (!r || r->type == SWB_REC_OPEN)
			continue;
		for (u32 b = 0; b < r->len_bytes / SIM_BLOCK; b++)
			wid[r->sector + b] = r->type == SWB_REC_WRITE ?
					     r->wid : 0;
	}
}

/* I-063, I-012, I-031: extent plus log = truth at the end of the log. */
void check_image(struct world *w, struct node *n, u32 id)
{
	static u64 have[SIM_BLOCKS_MAX], want[SIM_BLOCKS_MAX];
	u32 blocks = (u32)(n->core.d.extent_bytes / SIM_BLOCK);
	u64 tip = n->core.log.last_epoch;

	for (u32 b = 0; b < blocks; b++)
		if (!ref_wid_of(n->disk.view + NODE_EXTENT_OFFSET +
				(u64)b * SIM_BLOCK, b, &have[b]))
			have[b] = ~0ULL;
	overlay_log(n, have);
	ref_state(&w->ref, tip, n->core.log.head, want);
	for (u32 b = 0; b < blocks; b++)
		if (have[b] != want[b]) {
			sim_violation(w, id, "n%u at (%llu,%llu): block %u is of write %lld, not %lld",
				      n->id, U(tip), U(n->core.log.head), b,
				      (long long)have[b], (long long)want[b]);
			return;
		}
}

bool check_wrote(const struct world *w, u64 tip, u64 lo, u64 hi, u32 b, u64 wid)
{
	for (u64 x = lo + 1; x <= hi; x++) {
		const struct ref_rec *q = ref_find(&w->ref,
				ref_epoch_at(&w->ref, tip, x), x);

		if (q && b >= q->block && b < q->block + q->blocks &&
		    (wid == CHECK_TORN || wid == q->wid))
			return true;
	}
	return false;
}

/* I-115: extent_lo = x: no record <= x is missing on the medium. */
static void check_i115(struct world *w, struct node *n, const struct worst *s)
{
	static u64 at_lo[SIM_BLOCKS_MAX];

	if (s->last_epoch == 0 || marked(s))
		return;
	ref_state(&w->ref, s->last_epoch, s->d.extent_lo, at_lo);
	for (u32 b = 0; b < s->d.extent_bytes / SIM_BLOCK; b++) {
		u64 wid;

		if (!ref_wid_of(n->disk.stable + NODE_EXTENT_OFFSET +
				(u64)b * SIM_BLOCK, b, &wid))
			wid = CHECK_TORN;
		/* newer, up to extent_hi: replay writes it again */
		if (wid == at_lo[b] ||
		    check_wrote(w, s->last_epoch, s->d.extent_lo,
				s->d.extent_hi, b, wid))
			continue;
		sim_violation(w, 115, "n%u: extent_lo %llu, block %u is not that state",
			      n->id, U(s->d.extent_lo), b);
		return;
	}
}

/* I-105: marks, epochs and incarnations on the medium never fall. */
static void check_i105(struct world *w, struct node *n, const struct worst *s)
{
	if (!marked(s) &&	/* a void copy begins anew */
	    (s->d.extent_lo < n->seen_lo || s->d.extent_hi < n->seen_hi))
		sim_violation(w, 105, "n%u: extent marks fell to %llu, %llu",
			      n->id, U(s->d.extent_lo), U(s->d.extent_hi));
	n->seen_lo = s->d.extent_lo;
	n->seen_hi = s->d.extent_hi;
}

static void check_i021_disk(struct world *w, struct node *n,
			    const struct worst *s)
{
	if (s->d.epoch < n->seen_adopted || s->d.opened < n->seen_opened ||
	    s->d.incarnation < n->seen_incarnation)
		sim_violation(w, 21, "n%u: epoch, opened or incarnation fell on the medium",
			      n->id);
	n->seen_adopted = s->d.epoch;
	n->seen_opened = s->d.opened;
	n->seen_incarnation = s->d.incarnation;
}

void check_super_stable(struct world *w, struct node *n)
{
	const struct worst *s = check_worst(w, n);
	bool moved = s->d.extent_lo != n->seen_lo;

	check_i105(w, n, s);
	check_i021_disk(w, n, s);
	check_grown(w, n, s);
	if (moved || n->clear)
		check_i115(w, n, s);
	if (moved)
		check_i214(w, n, s);
}

/* ---- crash and return --------------------------------------------------- */

void check_crashed(struct world *w, struct node *n, bool was_up)
{
	u64 claimed = n->core.log.durable;

	if (n->core.truncating && n->core.truncate_to < claimed)
		claimed = n->core.truncate_to;
	if (n->core.rebuild == SWB_REBUILD_PREPARING)
		claimed = 0;		/* its log may be gone, or not yet */
	if (was_up)
		n->flushed_lsn = claimed;
	check_worst_proved(w, n);
}

/* I-107: what was durable before the crash is there after it. */
void check_recovered(struct world *w, struct node *n,
		     enum swb_recover_verdict v, u8 letter, u64 head)
{
	if (v == SWB_RECOVER_REFUSE && !n->rotten && !n->failed)
		sim_violation(w, 107, "n%u: local recovery refuses @%c after a mere crash",
			      n->id, letter);
	if (v != SWB_RECOVER_REFUSE && head < n->flushed_lsn && !n->rotten)
		sim_violation(w, 107, "n%u: log ends at %llu, but %llu was durable",
			      n->id, U(head), U(n->flushed_lsn));
}

void check_attached(struct world *w, struct node *n)
{
	check_log(w, n);
	if (!(n->core.d.flags & SWB_SUPER_INCONSISTENT))
		check_image(w, n, 107);
	n->worst.valid = false;
}
