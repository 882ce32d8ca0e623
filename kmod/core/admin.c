// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an operator orders of a member without a new epoch: hold its I/O for a
 * while, and make it larger. Neither touches authority. Part of the step; the
 * caller's lock covers it.
 */
#include "step.h"
#include "../format/disk.h"

/* ---- suspend, resume ----------------------------------------------------- */

/*
 * What was admitted still completes: the grant stands, and an operator who
 * suspends wants a quiet device. Nothing new is admitted. Not persisted; it ends
 * with the grant, and goes on under the next one if held I/O does (P12).
 */
void swb_admin_suspend(struct swb_core *c, const struct swb_event *ev,
		       struct swb_actions *out)
{
	if (ev->lsn) {
		if (swb_is_primary(c))
			swb_epoch_io_hold(c, SWBLOCK_COND_SUSPENDED_ADMIN, out);
		else
			c->refused[SWBLOCK_REASON_NO_ROLE]++;
		return;
	}
	if (!(c->hold & SWBLOCK_COND_SUSPENDED_ADMIN))
		return;
	c->hold &= ~(u32)SWBLOCK_COND_SUSPENDED_ADMIN;
	if (!c->hold)
		swb_epoch_io_resume(c, out);
}

/* ---- size ---------------------------------------------------------------- */

/*
 * Replicas first, the primary last. A record of the primary must fit everywhere,
 * now and after any return: so it grows only when every member is in a matched
 * session and has said that it is large enough.
 */
static bool all_large_enough(const struct swb_core *c, u64 bytes)
{
	u8 i;

	for (i = 0; i < c->config.member_count; i++)
		if (i != c->self && (!c->peer[i].matched || c->peer[i].void_copy ||
				     c->peer[i].facts.extent_bytes < bytes))
			return false;
	return true;
}

enum swb_grow swb_core_grow_check(const struct swb_core *c, u64 bytes)
{
	if (bytes & (c->d.block_bytes - 1) || bytes > SWB_EXTENT_BYTES_MAX)
		return SWB_GROW_SIZE;
	if (bytes < c->d.extent_bytes)
		return SWB_GROW_SHRINKS;
	if (swb_disk_failed(c))
		return SWB_GROW_FAILED;
	if (SWB_BITMAP_BYTES(bytes) > c->d.bitmap_bytes)
		return SWB_GROW_BITMAP;
	if (c->adopt != SWB_ADOPT_IDLE || c->open == SWB_OPEN_SAVING ||
	    c->was_primary || swb_is_void(c) || swb_disk_busy(c))
		return SWB_GROW_LATER;
	if (swb_is_primary(c) && !all_large_enough(c, bytes))
		return SWB_GROW_PEERS;
	return SWB_GROW_OK;
}

/* The new part is zero on the medium; the size is told when it is saved. */
void swb_admin_grown(struct swb_core *c, const struct swb_event *ev,
		     struct swb_actions *out)
{
	if (swb_core_grow_check(c, ev->lsn) != SWB_GROW_OK) {
		c->refused[SWBLOCK_REASON_GEOMETRY]++;
		return;
	}
	if (ev->lsn == c->d.extent_bytes)
		return;
	c->d.extent_bytes = ev->lsn;
	swb_act(out, SWB_ACT_SAVE_SUPER);
}

void swb_admin_super_saved(struct swb_core *c, struct swb_actions *out)
{
	if (c->extent_saved == c->d.extent_bytes)
		return;
	c->extent_saved = c->d.extent_bytes;
	if (swb_is_primary(c))
		swb_act_value(out, SWB_ACT_SET_SIZE, c->extent_saved);
	if (swb_is_replica(c) && swb_session_is_peer(c, c->primary) &&
	    c->peer[c->primary].matched)
		swb_act_peer(c, out, SWB_ACT_SEND_ACK, c->primary, 0);
}
