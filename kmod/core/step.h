/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside of the step: what epoch.c, session.c, progress.c and step.c share.
 * Nobody outside kmod/core/ includes it.
 */
#ifndef SWB_CORE_STEP_H
#define SWB_CORE_STEP_H

#include "core.h"

/* step.c */
struct swb_action *swb_act(struct swb_actions *out, enum swb_action_type type);
void swb_act_value(struct swb_actions *out, enum swb_action_type type, u64 a);
void swb_act_peer(struct swb_core *c, struct swb_actions *out,
		  enum swb_action_type type, u8 peer, u64 a);
void swb_act_refused(struct swb_core *c, struct swb_actions *out, u64 cookie,
		     u8 letter, u32 reason);

static inline bool swb_is_primary(const struct swb_core *c)
{
	return c->role == SWBLOCK_ROLE_PRIMARY;
}

static inline bool swb_is_replica(const struct swb_core *c)
{
	return c->role == SWBLOCK_ROLE_REPLICA;
}

static inline bool swb_disk_failed(const struct swb_core *c)
{
	return c->d.flags & SWB_SUPER_DISK_FAILED;
}

static inline bool swb_is_void(const struct swb_core *c)
{
	return c->d.flags & SWB_SUPER_INCONSISTENT;
}

/* An executor is between two states of the disk: orders wait until it is done. */
static inline bool swb_disk_busy(const struct swb_core *c)
{
	return c->truncating || c->rebuild == SWB_REBUILD_PREPARING ||
	       c->rebuild == SWB_REBUILD_CLEARING;
}

/* C without a match: what is in the extent, as far as the log holds it (P8) */
static inline u64 swb_unmatched_committed(const struct swb_core *c)
{
	return min_t(u64, c->d.extent_hi, c->log.head);
}

/* May what is done be said to be done? Held by the operator alone: yes. */
static inline bool swb_io_completes(const struct swb_core *c)
{
	return c->io == SWB_IO_OPEN ||
	       (c->io == SWB_IO_HELD &&
		c->hold == SWBLOCK_COND_SUSPENDED_ADMIN);
}

/* does the mode wait for member @i? */
static inline bool swb_peer_required(const struct swb_config *cfg, u32 i)
{
	if (cfg->mode == SWBLOCK_MODE_SYNC_ALL)
		return cfg->required & 1U << i;
	return cfg->mode == SWBLOCK_MODE_SYNC_QUORUM;	/* ambiguity 7 */
}

/* records above it may be needed by @p again: it moves on durable acks (I-100) */
static inline u64 swb_peer_pin(const struct swb_core_peer *p)
{
	return max_t(u64, p->durable, p->pin_lsn);
}

/* epoch.c: authority over this member */
void swb_epoch_adopt(struct swb_core *c, const struct swb_event *ev,
		     struct swb_actions *out);
void swb_epoch_pump(struct swb_core *c, struct swb_actions *out);
void swb_epoch_assign(struct swb_core *c, const struct swb_event *ev,
		      struct swb_actions *out);
void swb_epoch_certify(struct swb_core *c, const struct swb_event *ev,
		       struct swb_actions *out);
void swb_epoch_super_saved(struct swb_core *c, struct swb_actions *out);
void swb_epoch_demote(struct swb_core *c, const struct swb_event *ev,
		      struct swb_actions *out);
void swb_epoch_lease_set(struct swb_core *c, const struct swb_event *ev,
			 struct swb_actions *out);
void swb_epoch_lease_check(struct swb_core *c, struct swb_actions *out);
void swb_epoch_newer_seen(struct swb_core *c, u64 epoch, struct swb_actions *out);
void swb_epoch_disk_failed(struct swb_core *c, struct swb_actions *out);

void swb_epoch_io_hold(struct swb_core *c, u32 why, struct swb_actions *out);
void swb_epoch_io_resume(struct swb_core *c, struct swb_actions *out);

/* admin.c: what needs no new epoch */
void swb_admin_suspend(struct swb_core *c, const struct swb_event *ev,
		       struct swb_actions *out);
void swb_admin_grown(struct swb_core *c, const struct swb_event *ev,
		     struct swb_actions *out);
void swb_admin_super_saved(struct swb_core *c, struct swb_actions *out);

/* session.c: one link, one session per peer */
bool swb_session_is_peer(const struct swb_core *c, u8 peer);
enum swblock_reason swb_session_of_primary(const struct swb_core *c, u8 peer,
					   u64 session, u64 epoch);
void swb_session_open(struct swb_core *c, u8 peer, struct swb_actions *out);
void swb_session_end(struct swb_core *c, u8 peer, u32 reason,
		     struct swb_actions *out);
void swb_session_refuse(struct swb_core *c, u8 peer, u32 reason,
			struct swb_actions *out);
void swb_session_linked(struct swb_core *c, const struct swb_event *ev,
			struct swb_actions *out);
void swb_session_lost(struct swb_core *c, const struct swb_event *ev,
		      struct swb_actions *out);
void swb_session_unlink(struct swb_core *c, const struct swb_event *ev,
			struct swb_actions *out);
void swb_session_closed(struct swb_core *c, const struct swb_event *ev,
			struct swb_actions *out);
void swb_session_opened(struct swb_core *c, const struct swb_event *ev,
			struct swb_actions *out);
void swb_session_facts(struct swb_core *c, const struct swb_event *ev,
		       struct swb_actions *out);
void swb_session_started(struct swb_core *c, const struct swb_event *ev,
			 struct swb_actions *out);
void swb_session_truncated(struct swb_core *c, const struct swb_event *ev,
			   struct swb_actions *out);
bool swb_session_valid(struct swb_core *c, const struct swb_event *ev);

/* copy.c: copies of blocks, both ends */
bool swb_copy_start(struct swb_core *c, u8 peer, bool delta,
		    struct swb_actions *out);
bool swb_copy_spared(const struct swb_core *c, u8 peer, u32 why);
void swb_copy_drop(struct swb_core *c, u8 peer, struct swb_actions *out);
void swb_copy_started(struct swb_core *c, const struct swb_event *ev,
		      struct swb_actions *out);
void swb_copy_acked(struct swb_core *c, const struct swb_event *ev,
		    struct swb_actions *out);
void swb_copy_pump(struct swb_core *c, struct swb_actions *out);
void swb_copy_ordered(struct swb_core *c, const struct swb_event *ev,
		      struct swb_actions *out);
void swb_copy_prepared(struct swb_core *c, struct swb_actions *out);
void swb_copy_base_sent(struct swb_core *c, const struct swb_event *ev);
void swb_copy_base_ended(struct swb_core *c, const struct swb_event *ev,
			 struct swb_actions *out);
void swb_copy_cleared(struct swb_core *c, struct swb_actions *out);
void swb_copy_give_up(struct swb_core *c, u8 peer, u32 reason,
		      struct swb_actions *out);

/* progress.c: positions, C, flushes, what follows from them */
void swb_progress_acked(struct swb_core *c, const struct swb_event *ev,
			struct swb_actions *out);
void swb_progress_pinged(struct swb_core *c, const struct swb_event *ev,
			 struct swb_actions *out);
void swb_progress_written(struct swb_core *c, const struct swb_event *ev,
			  struct swb_actions *out);
void swb_progress_flushed(struct swb_core *c, const struct swb_event *ev,
			  struct swb_actions *out);
void swb_progress_barrier(struct swb_core *c, const struct swb_event *ev,
			  struct swb_actions *out);
void swb_progress_checkpointed(struct swb_core *c, const struct swb_event *ev,
			       struct swb_actions *out);
void swb_progress_tick(struct swb_core *c, const struct swb_event *ev,
		       struct swb_actions *out);
void swb_progress_commit(struct swb_core *c, struct swb_actions *out);
void swb_progress_flush_start(struct swb_core *c, struct swb_actions *out);
void swb_progress_conditions(struct swb_core *c, struct swb_actions *out);

#endif /* SWB_CORE_STEP_H */
