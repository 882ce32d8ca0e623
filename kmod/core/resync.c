// SPDX-License-Identifier: GPL-2.0-only
/*
 * Peer recovery: what to do with a peer, from its account and ours. One table,
 * lettered cases, evaluated by the primary on FACTS and repeated by the replica
 * on START. Pure and total; reads no state but its arguments, no lock.
 *
 * R is the peer's log end, H and S our log end and log start, m the last common
 * LSN. The letters are names, not ranks; docs/design/state-model.md section 4
 * tells each story in full.
 *
 * A, foreign volume. Wrong host, reused address, two volumes of one label, or
 *    a peer smaller than we are (a larger one is growing). Data of another
 *    volume has no LSN in common with ours by meaning, even if the numbers
 *    agree. Refusing costs a link.
 *
 * B, foreign replica. A replaced disk (new id), a removed member that still
 *    runs, or a link to ourselves. A stranger enters by an assignment only (P7).
 *
 * C, foreign store. Two stores grant epochs for one volume, or one was restored
 *    without a new generation (P17c). Their epochs cannot be compared, so no
 *    later row would mean anything. A peer that never adopted knows no store.
 *
 * E, step down. The peer has promised a newer epoch. No further commit is
 *    possible here; I/O is held, not failed, for the fence may have granted
 *    nobody (ambiguity 12).
 *
 * N, not adopted. The peer is older than the OPEN asked for. A matter of
 *    moments, not of history: the link is tried again.
 *
 * D, void. An unfinished rebuild or a latched disk: its blocks are a mixture
 *    whatever its LSNs say (P7, P10, P17a). The former begins anew, unless L
 *    applies; the latter is a disk to be replaced.
 *
 * F, two openings of one epoch. P2 and P3 make it impossible, so something was
 *    rolled back underneath. Log matching is void and no m can be trusted.
 *
 * G, no common point. The entry that would locate m is folded away (P18), or
 *    the peer's extent may hold blocks above m (P9), which cutting a log cannot
 *    take back. The log is no way back.
 *
 * H, committed at risk. The log would be cut below what the peer was told is
 *    committed, and no override says that a loss was accepted (P16). Cutting
 *    might destroy the last copy. Only the C known to the node whose log is cut
 *    speaks: a returning primary's dead tail always ends below our own C.
 *
 * I, equal. Same end, same history. R may be only in memory, so in sync is
 *    said after a barrier (G6).
 *
 * J, behind. The peer is a prefix of our log and the ring holds the rest:
 *    R + 1 >= S suffices. It stays a prefix all the while, hence promotable.
 *
 * K, ahead or diverged. A dead tail, not in the extent (row G was passed). The
 *    cut is durable before the first new record (P4, P5).
 *
 * L, bitmap covers. History is trimmed, but the blocks it changed since m are
 *    known, and nothing above m is in the peer's extent (P11). Or a delta was
 *    interrupted: the m recorded then still holds, if all that its extent holds
 *    beyond m are changes of our own branch (P10 iv, vi).
 *
 * M, trimmed. All that is left. Copying too much is slow; copying too little
 *    would be silent.
 */
#include "lineage.h"
#include "resync.h"
#include "table.h"
#include "../format/wire.h"

#define F_SAME_VOLUME		0x0001
#define F_KNOWN_REPLICA		0x0002
#define F_SAME_STORE		0x0004
#define F_PEER_VOID		0x0008
#define F_PEER_FAILED		0x4000
#define F_PEER_NEWER		0x0010
#define F_PEER_OLDER		0x0020
#define F_TWO_OPENINGS		0x0040
#define F_COMMON		0x0080
#define F_BELOW_EXTENT		0x0100
#define F_BELOW_COMMITTED	0x0200
#define F_PEER_BEYOND		0x0400
#define F_AT_HEAD		0x0800
#define F_HISTORY		0x1000
#define F_BITMAP		0x2000

#define REFUSE(l, why) .letter = l, .verdict = SWB_RESYNC_REFUSE, \
	.reason = SWBLOCK_REASON_##why
#define REBUILD(l, why) .letter = l, .verdict = SWB_RESYNC_REBUILD, \
	.reason = SWBLOCK_REASON_##why
#define VERDICT(l, v) .letter = l, .verdict = SWB_RESYNC_##v

static const struct swb_row resync_table[] = {
	/* identity */
	{ REFUSE('A', FOREIGN_VOLUME), .no = F_SAME_VOLUME },
	{ REFUSE('B', FOREIGN_REPLICA), .no = F_KNOWN_REPLICA },
	{ REFUSE('C', FOREIGN_STORE), .no = F_SAME_STORE },
	/* epoch */
	{ VERDICT('E', STEP_DOWN), .reason = SWBLOCK_REASON_NEWER_EPOCH,
	  .yes = F_PEER_NEWER },
	{ REFUSE('N', STALE_EPOCH), .yes = F_PEER_OLDER },
	/* readiness */
	{ VERDICT('D', VOID), .reason = SWBLOCK_REASON_DISK_FAILED,
	  .yes = F_PEER_FAILED },
	{ VERDICT('L', DELTA), .reason = SWBLOCK_REASON_NEEDS_REBUILD,
	  .yes = F_PEER_VOID | F_BITMAP },
	{ REBUILD('D', NEEDS_REBUILD), .yes = F_PEER_VOID },
	/* lineage */
	{ REFUSE('F', TWO_OPENINGS), .yes = F_TWO_OPENINGS },
	{ REBUILD('G', NEEDS_REBUILD), .no = F_COMMON },
	/* truncation */
	{ REFUSE('H', BELOW_COMMITTED), .yes = F_PEER_BEYOND | F_BELOW_COMMITTED },
	{ REBUILD('G', BELOW_EXTENT), .yes = F_BELOW_EXTENT },
	/* history */
	{ VERDICT('I', IN_SYNC), .yes = F_AT_HEAD | F_HISTORY,
	  .no = F_PEER_BEYOND },
	{ VERDICT('J', CATCH_UP), .yes = F_HISTORY, .no = F_PEER_BEYOND },
	{ VERDICT('K', TRUNCATE), .yes = F_HISTORY | F_PEER_BEYOND },
	{ VERDICT('L', DELTA), .reason = SWBLOCK_REASON_NEEDS_REBUILD,
	  .yes = F_BITMAP },
	{ REBUILD('M', NEEDS_REBUILD) },
};

static bool same_store(const struct swb_facts *own, const struct swb_facts *peer)
{
	if (swb_uuid_is_null(&own->store) || swb_uuid_is_null(&peer->store))
		return true;	/* nothing adopted yet, nothing to compare */
	return swb_uuid_equal(&own->store, &peer->store) &&
	       own->store_generation == peer->store_generation;
}

/* Is record (@epoch, @lsn) in the history of @l, which ends at @end? */
static bool on_lineage(const struct swb_lineage *l, u64 end, u64 epoch, u64 lsn)
{
	if (lsn > end)
		return false;
	if (!lsn)
		return !epoch;
	/* folded entries say nothing: P18 */
	return epoch && swb_lineage_epoch_at(l, lsn) == epoch;
}

/* P11: does the bitmap of @source hold every block by which @peer may differ? */
static bool bitmap_covers(const struct swb_facts *source,
			  const struct swb_facts *peer, u64 match)
{
	const struct swb_lineage *l = &source->lineage;

	if (!on_lineage(l, source->log_end, source->bitmap_epoch,
			source->bitmap_lsn))
		return false;
	if (!(peer->flags & SWB_FACT_INCONSISTENT))
		return source->bitmap_lsn <= match && peer->extent_hi <= match;
	return (peer->flags & SWB_FACT_DELTA) &&
	       source->bitmap_lsn <= peer->base_lsn &&	/* P10 vi */
	       on_lineage(l, source->log_end, peer->extent_hi_epoch,
			  peer->extent_hi);		/* P10 iv */
}

void swb_resync_facts_of(const struct swb_facts *own,
			 const struct swb_facts *peer,
			 struct swb_resync_facts *out, u64 *match)
{
	enum swb_lineage_verdict v;

	v = swb_lineage_match(&own->lineage, own->log_end, &peer->lineage,
			      peer->log_end, match);
	memset(out, 0, sizeof(*out));
	out->same_volume = swb_uuid_equal(&own->volume, &peer->volume) &&
			   own->extent_bytes <= peer->extent_bytes &&
			   own->block_bytes == peer->block_bytes;
	out->known_replica = swb_uuid_equal(&own->peer, &peer->replica) &&
			     swb_uuid_equal(&peer->peer, &own->replica) &&
			     !swb_uuid_equal(&own->replica, &peer->replica);
	out->same_store = same_store(own, peer);
	out->peer_failed = peer->flags & SWB_FACT_DISK_FAILED;
	out->peer_void = peer->flags & SWB_FACT_INCONSISTENT;
	out->peer_epoch_newer = peer->adopted > own->adopted;
	out->peer_epoch_older = peer->adopted < own->adopted;
	out->two_openings = v == SWB_LINEAGE_TWO_OPENINGS;
	out->common = v == SWB_LINEAGE_MATCH;
	out->below_extent = *match < peer->extent_hi;			/* P9 */
	out->below_committed = *match < peer->committed &&		/* P16 */
		!swb_lineage_override_between(&own->lineage, *match,
					      own->log_end);
	out->peer_beyond = peer->log_end > *match;
	out->at_head = *match == own->log_end;
	out->history = own->log_start <= *match + 1;
	if (out->peer_void)
		*match = peer->base_lsn;
	out->bitmap_covers = (out->common || out->peer_void) &&
			     bitmap_covers(own, peer, *match);
}

static u32 facts_bits(const struct swb_resync_facts *f)
{
	return swb_fact(f->same_volume, F_SAME_VOLUME) |
	       swb_fact(f->known_replica, F_KNOWN_REPLICA) |
	       swb_fact(f->same_store, F_SAME_STORE) |
	       swb_fact(f->peer_void, F_PEER_VOID) |
	       swb_fact(f->peer_failed, F_PEER_FAILED) |
	       swb_fact(f->peer_epoch_newer, F_PEER_NEWER) |
	       swb_fact(f->peer_epoch_older, F_PEER_OLDER) |
	       swb_fact(f->two_openings, F_TWO_OPENINGS) |
	       swb_fact(f->common, F_COMMON) |
	       swb_fact(f->below_extent, F_BELOW_EXTENT) |
	       swb_fact(f->below_committed, F_BELOW_COMMITTED) |
	       swb_fact(f->peer_beyond, F_PEER_BEYOND) |
	       swb_fact(f->at_head, F_AT_HEAD) |
	       swb_fact(f->history, F_HISTORY) |
	       swb_fact(f->bitmap_covers, F_BITMAP);
}

void swb_resync_judge(const struct swb_resync_facts *f,
		      struct swb_resync_decision *out)
{
	const struct swb_row *row;

	row = swb_table_match(resync_table, ARRAY_SIZE(resync_table),
			      facts_bits(f));
	out->verdict = (enum swb_resync_verdict)row->verdict;
	out->reason = (enum swblock_reason)row->reason;
	out->letter = row->letter;
}

void swb_resync_decide(const struct swb_facts *own,
		       const struct swb_facts *peer,
		       struct swb_resync_decision *out)
{
	struct swb_resync_facts f;

	swb_resync_facts_of(own, peer, &f, &out->match);
	swb_resync_judge(&f, out);
	/* one letter, two words for it: the volume is ours, the size is not */
	if (out->letter == 'A' && swb_uuid_equal(&own->volume, &peer->volume))
		out->reason = SWBLOCK_REASON_GEOMETRY;
}

enum swblock_reason swb_resync_accept_start(const struct swb_facts *own,
					    const struct swb_facts *primary,
					    u64 from, u64 truncate_to)
{
	enum swb_lineage_verdict v;
	u64 m;

	if (own->flags & SWB_FACT_DISK_FAILED)
		return SWBLOCK_REASON_DISK_FAILED;
	if (own->flags & SWB_FACT_INCONSISTENT)
		return SWBLOCK_REASON_NEEDS_REBUILD;
	v = swb_lineage_match(&own->lineage, own->log_end, &primary->lineage,
			      primary->log_end, &m);
	if (v == SWB_LINEAGE_TWO_OPENINGS)
		return SWBLOCK_REASON_TWO_OPENINGS;		/* P2 */
	if (v == SWB_LINEAGE_BELOW_FLOOR)
		return SWBLOCK_REASON_NEEDS_REBUILD;
	if (m < own->extent_hi)
		return SWBLOCK_REASON_BELOW_EXTENT;		/* P9 */
	if (from != m + 1 || truncate_to != m)			/* I-224 */
		return SWBLOCK_REASON_LSN_GAP;
	if (own->log_end > m && m < own->committed &&		/* P16 */
	    !swb_lineage_override_between(&primary->lineage, m,
					  primary->log_end))
		return SWBLOCK_REASON_BELOW_COMMITTED;
	return SWBLOCK_REASON_NONE;
}

enum swblock_reason swb_resync_accept_rebuild(const struct swb_facts *own,
					      const struct swb_facts *primary,
					      bool delta, u64 from, u64 m)
{
	bool is_void = own->flags & SWB_FACT_INCONSISTENT;
	enum swb_lineage_verdict v;
	u64 match;

	if (own->flags & SWB_FACT_DISK_FAILED)
		return SWBLOCK_REASON_DISK_FAILED;
	if (from <= primary->extent_lo)
		return SWBLOCK_REASON_LSN_GAP;
	v = swb_lineage_match(&own->lineage, own->log_end, &primary->lineage,
			      primary->log_end, &match);
	if (!is_void && v == SWB_LINEAGE_TWO_OPENINGS)
		return SWBLOCK_REASON_TWO_OPENINGS;		/* P2 */
	if (!is_void && v == SWB_LINEAGE_MATCH && own->log_end > match &&
	    match < own->committed &&				/* P16 */
	    !swb_lineage_override_between(&primary->lineage, match,
					  primary->log_end))
		return SWBLOCK_REASON_BELOW_COMMITTED;
	if (!delta)
		return m ? SWBLOCK_REASON_LSN_GAP : SWBLOCK_REASON_NONE;
	if (is_void)
		match = own->base_lsn;
	else if (v != SWB_LINEAGE_MATCH)
		return SWBLOCK_REASON_NEEDS_REBUILD;
	if (m != match || from <= m)
		return SWBLOCK_REASON_LSN_GAP;
	return bitmap_covers(primary, own, match) ?
	       SWBLOCK_REASON_NONE : SWBLOCK_REASON_NEEDS_REBUILD;
}
