// SPDX-License-Identifier: GPL-2.0-only
/*
 * Leaves for a read that the primary's own disk cannot answer: whom it may ask,
 * who may answer, and which answer is as good as its own. They ask the state and
 * order nothing. The caller holds the lock that also covers the step.
 *
 * What proves an answer is the LSN whose content it is, in a matched session: the
 * logs are equal up to there (I-032), so a block read there shows every record up to
 * it. That the peer is called in sync, or was asked behind the records, proves nothing.
 * A peer whose disk failed has no session (P17a).
 */
#include "core.h"
#include "step.h"

/* What is not in the index was written back, so no record of it lies above: P9 */
u64 swb_core_lend_need(const struct swb_core *c)
{
	return c->d.extent_lo;
}

u64 swb_core_lend_ask(const struct swb_core *c, u8 peer)
{
	if (!swb_is_primary(c) || !swb_session_is_peer(c, peer) ||
	    !c->peer[peer].matched)
		return 0;
	return c->peer[peer].session;
}

enum swblock_reason swb_core_check_lend(const struct swb_core *c, u8 peer,
					u64 session, u64 epoch)
{
	enum swblock_reason why = swb_session_of_primary(c, peer, session, epoch);

	if (why)
		return why;
	if (swb_is_void(c))
		return SWBLOCK_REASON_NEEDS_REBUILD;	/* I-236: no prefix at all */
	return SWBLOCK_REASON_NONE;
}

bool swb_core_lent_ok(const struct swb_core *c, u8 peer, u64 session, u64 epoch,
		      u64 lsn, u64 need)
{
	if (!session || swb_core_lend_ask(c, peer) != session)
		return false;				/* I-083 */
	return epoch == c->d.epoch && lsn >= need;	/* I-236 */
}
