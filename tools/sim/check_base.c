// SPDX-License-Identifier: GPL-2.0-only
/* Invariants of delta, rebuild and the changed-block bitmap (P10, P11). */
#include <string.h>

#include "check.h"

#define U(x)	((unsigned long long)(x))

static u64 block_wid(const u8 *image, u32 b)
{
	u64 wid;

	return ref_wid_of(image + NODE_EXTENT_OFFSET + (u64)b * SIM_BLOCK, b,
			  &wid) ? wid : CHECK_TORN;
}

/*
 * I-213, P10 iii: a delta that begins has every record <= m in the extent, on the
 * medium: its log is gone after this, and m is all that is remembered.
 */
void check_before_mark(struct world *w, struct node *n)
{
	static u64 want[SIM_BLOCKS_MAX];
	const struct swb_core *c = &n->core;
	u64 m = c->rebuild_base;

	if (c->rebuild_kind != SWB_START_DELTA || n->rotten ||
	    (c->d.flags & SWB_SUPER_INCONSISTENT))
		return;
	ref_state(&w->ref, ref_epoch_at(&w->ref, c->log.last_epoch, m), m, want);
	for (u32 b = 0; b < c->d.extent_bytes / SIM_BLOCK; b++)
		if (block_wid(n->disk.stable, b) != want[b]) {
			sim_violation(w, 213, "n%u: a delta from %llu begins, block %u is of write %lld, not %lld",
				      n->id, U(m), b,
				      (long long)block_wid(n->disk.stable, b),
				      (long long)want[b]);
			return;
		}
}

/* I-213, P10 i, iv: mark and extent_hi are on the medium before a base block. */
void check_base_write(struct world *w, struct node *n, u64 hi)
{
	const struct worst *s = check_worst(w, n);

	if (!(s->d.flags & SWB_SUPER_INCONSISTENT))
		sim_violation(w, 213, "n%u writes a base block, its mark is not on the disk",
			      n->id);
	if (s->d.extent_hi < hi)
		sim_violation(w, 213, "n%u writes a base block that may hold %llu, extent_hi saved is %llu",
			      n->id, U(hi), U(s->d.extent_hi));
}

/*
 * I-066, I-067, I-072, I-073, I-081: without the mark, extent and log are the
 * state at the end of the log, and no block is above what the log holds.
 */
void check_unmarked(struct world *w, struct node *n)
{
	static u64 lo[SIM_BLOCKS_MAX];
	const struct swb_core *c = &n->core;
	u64 tip = c->log.last_epoch;

	if (n->rotten)
		return;
	if (c->d.extent_hi > c->log.durable)
		sim_violation(w, 81, "n%u: whole, its extent may hold %llu, its log is durable to %llu",
			      n->id, U(c->d.extent_hi), U(c->log.durable));
	check_image(w, n, 66);
	ref_state(&w->ref, tip, c->d.extent_lo, lo);
	for (u32 b = 0; b < c->d.extent_bytes / SIM_BLOCK; b++)
		if (block_wid(n->disk.stable, b) != lo[b] &&
		    !check_wrote(w, tip, c->d.extent_lo, c->d.extent_hi, b,
				 block_wid(n->disk.stable, b))) {
			sim_violation(w, 67, "n%u: whole at %llu, block %u is of write %lld, not %lld",
				      n->id, U(c->d.extent_lo), b,
				      (long long)block_wid(n->disk.stable, b),
				      (long long)lo[b]);
			return;
		}
}

/* I-214: every block changed by a record in (base, extent_lo] has its bit. */
void check_i214(struct world *w, struct node *n, const struct worst *s)
{
	static u8 page[SWB_BITMAP_PAGE] __attribute__((aligned(8)));
	static u8 bits[NODE_GRANULES];
	u64 tip = s->last_epoch;

	if ((s->d.flags & SWB_SUPER_INCONSISTENT) || n->rotten ||
	    s->d.bitmap_lsn >= s->d.extent_lo)
		return;
	if (ref_epoch_at(&w->ref, tip, s->d.bitmap_lsn) != s->d.bitmap_epoch)
		return;		/* of a dead branch: it covers nobody */
	disk_read_stable(&n->disk, NODE_BITMAP_OFFSET, page, sizeof(page));
	base_page_bits(n, page, bits);
	for (u64 x = s->d.bitmap_lsn + 1; x <= s->d.extent_lo; x++) {
		const struct ref_rec *q = ref_find(&w->ref,
				ref_epoch_at(&w->ref, tip, x), x);

		for (u32 b = 0; q && b < q->blocks; b++)
			if (!bits[(q->block + b) * SIM_BLOCK / SWB_GRANULE_BYTES]) {
				sim_violation(w, 214, "n%u: (%llu,%llu) is in the extent, block %u has no bit, base %llu",
					      n->id, U(ref_epoch_at(&w->ref, tip, x)),
					      U(x), q->block + b,
					      U(s->d.bitmap_lsn));
				return;
			}
	}
}

/* I-073, P10 ii: the stream of a copy begins above the source's extent_lo. */
static void check_i073(struct world *w, struct node *n, u8 peer,
		       const struct swb_core *before)
{
	const struct swb_core_peer *p = &n->core.peer[peer];

	if (!p->void_copy || before->peer[peer].void_copy)
		return;
	if (p->cursor != n->core.d.extent_lo + 1)
		sim_violation(w, 73, "n%u: the stream for n%u begins at %llu, extent_lo is %llu",
			      n->id, peer, U(p->cursor), U(n->core.d.extent_lo));
	if (n->core.config.mode == SWBLOCK_MODE_SYNC_ALL &&
	    (n->core.config.required & (1u << peer)))
		sim_violation(w, 213, "n%u makes n%u void, which is required",
			      n->id, peer);
}

/* I-213, P10 v: a copy under way counts for nothing until its target says done. */
static void check_i213(struct world *w, struct node *n, u8 peer,
		       const struct swb_core *before, const struct swb_event *ev)
{
	const struct swb_core_peer *p = &n->core.peer[peer];
	const struct worst *s;

	if (n->core.role != SWBLOCK_ROLE_PRIMARY || check_gone(w, n, peer))
		return;
	if (p->void_copy && swb_core_everywhere(&n->core))
		sim_violation(w, 214, "n%u: %llu is said to be everywhere, n%u is void",
			      n->id, U(swb_core_everywhere(&n->core)), peer);
	if (!before->peer[peer].void_copy || p->void_copy || !p->matched)
		return;
	s = check_worst(w, &w->node[peer]);
	if (ev->u.ack.base != SWB_WIRE_BASE_DONE ||
	    ((s->d.flags & SWB_SUPER_INCONSISTENT) && !w->node[peer].rotten &&
	     w->node[peer].core.d.epoch <= n->core.d.epoch))
		sim_violation(w, 213, "n%u counts n%u again, the mark is on its disk",
			      n->id, peer);
}

/* Who is waited for? Not who gets a copy: its acks count for nothing. */
static bool has_budget(const struct swb_core *c, u8 peer)
{
	const struct swb_core_peer *p = &c->peer[peer];

	if (p->void_copy || c->config.mode == SWBLOCK_MODE_BEST_EFFORT)
		return true;
	return c->config.mode == SWBLOCK_MODE_SYNC_ALL &&
	       !(c->config.required & (1u << peer));
}

/*
 * I-058: after a tick nobody who is not required holds more history than allowed,
 * or has stood still, with something left to take, for longer than allowed.
 */
static void check_i058(struct world *w, struct node *n, u8 peer,
		       const struct swb_event *ev)
{
	const struct swb_core_peer *p = &n->core.peer[peer];
	u64 got[3] = { p->received, p->durable, p->base_acked };
	struct pace *pace = &n->pace[peer];
	bool left = p->void_copy ? !p->base_sent || p->durable < p->base_end :
		    p->state == SWBLOCK_PEER_CATCHING_UP &&
		    (p->durable < p->target || p->received < p->target);

	if (n->core.role != SWBLOCK_ROLE_PRIMARY || !p->matched)
		return;
	if (pace->session != p->session ||
	    memcmp(pace->got, got, sizeof(got)) != 0) {
		pace->session = p->session;
		memcpy(pace->got, got, sizeof(got));
		pace->since_ns = ev->now_ns;
	}
	if (ev->type != SWB_EV_TICK || !has_budget(&n->core, peer))
		return;
	if (w->stall_ns && left && ev->now_ns >= pace->since_ns + w->stall_ns)
		sim_violation(w, 58, "n%u lets n%u stand still for %llu us",
			      n->id, peer, U((ev->now_ns - pace->since_ns) / 1000));
	if (p->durable < ev->lsn && p->pin_lsn < ev->lsn)
		sim_violation(w, 58, "n%u keeps history from %llu for n%u, %llu is allowed",
			      n->id, U(p->durable), peer, U(ev->lsn));
}

/* What broke off a copy under way, as its target saw it. */
static void count_end(struct world *w, const struct node *n,
		      const struct swb_core *before, const struct swb_event *ev)
{
	if ((before->rebuild == SWB_REBUILD_COPYING ||
	     before->rebuild == SWB_REBUILD_ENDING) &&
	    n->core.rebuild == SWB_REBUILD_IDLE)
		w->copies[ev->type == SWB_EV_ADOPT_ORDERED ? COPY_OVERTAKEN :
							     COPY_CUT_OFF]++;
}

void check_base_crash(struct world *w, const struct node *n)
{
	if (n->core.rebuild || n->prepare || n->clear)
		w->copies[COPY_TARGET_DIED]++;
	for (u8 p = 0; p < n->core.config.member_count; p++)
		if (p != n->core.self && n->core.peer[p].void_copy)
			w->copies[COPY_SOURCE_DIED]++;
}

void check_base_step(struct world *w, struct node *n,
		     const struct swb_core *before, const struct swb_event *ev)
{
	count_end(w, n, before, ev);
	for (u8 p = 0; p < n->core.config.member_count; p++) {
		if (p == n->core.self)
			continue;
		check_i073(w, n, p, before);
		check_i213(w, n, p, before, ev);
		check_i058(w, n, p, ev);
	}
}
