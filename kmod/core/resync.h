/* SPDX-License-Identifier: GPL-2.0-only */
/* Peer recovery: one fact table with lettered cases. Pure and total. */
#ifndef SWB_CORE_RESYNC_H
#define SWB_CORE_RESYNC_H

#include "types.h"

enum swb_resync_verdict {
	SWB_RESYNC_REFUSE,
	SWB_RESYNC_STEP_DOWN,
	SWB_RESYNC_IN_SYNC,	/* equal: in sync after a barrier (G6) */
	SWB_RESYNC_CATCH_UP,	/* stream from match + 1 */
	SWB_RESYNC_TRUNCATE,	/* cut to match, then stream from match + 1 */
	SWB_RESYNC_DELTA,
	SWB_RESYNC_REBUILD,
	SWB_RESYNC_VOID,	/* its disk has failed: no copy will help */
};

/**
 * struct swb_resync_facts - what the decision is made of, as yes/no and order
 * facts; swb_resync_facts_of() derives it from two accounts
 * @same_volume: volume uuids and block sizes agree, and the peer is as large as
 *	we are, or larger
 * @known_replica: peer is the member we linked, not ourselves
 * @same_store: store uuid and generation agree
 * @peer_failed: its disk is latched as failed: P17a
 * @peer_void: inconsistent, a delta or rebuild is unfinished: P7, P10
 * @peer_epoch_newer: adopted epoch of the peer is above ours
 * @peer_epoch_older: adopted epoch of the peer is below ours
 * @two_openings: one epoch, two first LSNs: P2
 * @common: a last common LSN exists at or above the lineage floor
 * @below_extent: match < extent_hi of the peer: P9
 * @below_committed: match < the C that the peer was told, and no override epoch
 *	lies above match: P16. The primary's own C says nothing here: a dead tail
 *	always ends below it
 * @peer_beyond: R > match: the peer holds records that we lack
 * @at_head: match == own head
 * @history: S <= match + 1
 * @bitmap_covers: the own changed-block bitmap covers the peer: P11. Its base is
 *	on the own lineage and <= match, and extent_hi of the peer is <= match. Of
 *	a void peer, whose delta was interrupted: <= the m recorded there, and its
 *	extent_hi is on the own lineage (P10 iv, vi)
 */
struct swb_resync_facts {
	bool same_volume;
	bool known_replica;
	bool same_store;
	bool peer_failed;
	bool peer_void;
	bool peer_epoch_newer;
	bool two_openings;
	bool common;
	bool below_extent;
	bool below_committed;
	bool peer_beyond;
	bool at_head;
	bool history;
	bool bitmap_covers;
	bool peer_epoch_older;
};

#define SWB_RESYNC_FACTS	15

struct swb_resync_decision {
	enum swb_resync_verdict verdict;
	enum swblock_reason reason;	/* for REFUSE, STEP_DOWN, REBUILD */
	u8 letter;
	u64 match;			/* m; of a void peer the recorded one */
};

/** swb_resync_facts_of() - own and peer's account -> facts, and m */
void swb_resync_facts_of(const struct swb_facts *own,
			 const struct swb_facts *peer,
			 struct swb_resync_facts *out, u64 *match);

/** swb_resync_judge() - facts -> exactly one case */
void swb_resync_judge(const struct swb_resync_facts *f,
		      struct swb_resync_decision *out);

/** swb_resync_decide() - both of the above */
void swb_resync_decide(const struct swb_facts *own,
		       const struct swb_facts *peer,
		       struct swb_resync_decision *out);

/**
 * swb_resync_accept_start() - replica: is the primary's START one that may be
 * obeyed? It must not cut below extent_hi (P9) or known C (P16), nor leave a
 * gap, nor claim a match that the two lineages do not have.
 * @own: fresh own account
 * @primary: what the primary's OPEN said
 * @from: first LSN to be streamed: m + 1
 * @truncate_to: m, always; the log is cut there if it reaches beyond
 */
enum swblock_reason swb_resync_accept_start(const struct swb_facts *own,
					    const struct swb_facts *primary,
					    u64 from, u64 truncate_to);

/**
 * swb_resync_accept_rebuild() - replica: the same for a START that makes this
 * member void. Whether it may be spared is the caller's question (P10 vii).
 * @own: fresh own account
 * @primary: what the primary's OPEN said
 * @delta: by bitmap, else every block
 * @from: first LSN to be streamed: w, above the extent_lo that OPEN told
 * @m: of a delta what the primary's bitmap has to cover; 0 of a rebuild
 */
enum swblock_reason swb_resync_accept_rebuild(const struct swb_facts *own,
					      const struct swb_facts *primary,
					      bool delta, u64 from, u64 m);

#endif /* SWB_CORE_RESYNC_H */
