/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checkers: one function check_iNNN per numbered invariant of
 * docs/design/invariants.md, judged by the bytes on the disks and by the truth
 * in reference.c, never by what a node believes of itself.
 *
 *	check.c		what happens: barriers, frames, openings, cuts
 *	check_session.c	what a step may do to sessions, pins and evidence
 *	check_rules.c	what a step may do to C, holds and latches
 *	check_control.c	what controllers do
 *	check_state.c	what holds after every event
 *	check_disk.c	what a disk would give: recovery of the worst case, images
 */
#ifndef SWB_SIM_CHECK_H
#define SWB_SIM_CHECK_H

#include "world.h"

/* on events */
void check_step(struct world *w, struct node *n, const struct swb_core *before,
		const struct swb_event *ev, const struct swb_actions *out);
void check_sessions(struct world *w, struct node *n,
		    const struct swb_core *before, const struct swb_event *ev,
		    const struct swb_actions *out);
void check_rules(struct world *w, struct node *n, const struct swb_core *before,
		 const struct swb_event *ev, const struct swb_actions *out);
void check_admitted(struct world *w, struct node *n);
void check_failed_disk(struct world *w, struct node *n, const char *does);
void check_barrier_issued(struct world *w, struct node *n, const struct op *op);
void check_barrier_done(struct world *w, struct node *n, const struct op *op);
void check_write_admitted(struct world *w, struct node *n, struct op *op);
void check_write_done(struct world *w, struct node *n, const struct op *op);
void check_role_set(struct world *w, struct node *n, u8 role);
void check_opening(struct world *w, struct node *n, u64 epoch, u64 lsn);
void check_certificate(struct world *w, struct node *n,
		       const struct swb_cert *cert);
void check_report(struct world *w, struct node *n, const struct swb_report *r);
void check_frame_out(struct world *w, struct node *n, u8 peer,
		     const struct swb_frame *f);
void check_shipped(struct world *w, struct node *n, u8 peer,
		   const struct wgroup *g, u64 from, u32 count, u64 session);
void check_ship_hole(struct world *w, struct node *n, u8 peer, u64 from);
void check_data_in(struct world *w, struct node *n, const struct swb_frame *f,
		   u32 reason);
void check_trim(struct world *w, struct node *n);
void check_extent_write(struct world *w, struct node *n, u64 lsn);
void check_super_stable(struct world *w, struct node *n);
void check_crashed(struct world *w, struct node *n, bool was_up);
void check_recovered(struct world *w, struct node *n,
		     enum swb_recover_verdict v, u8 letter, u64 head);
void check_attached(struct world *w, struct node *n);

/* check_control.c */
void check_win(struct world *w, u8 agent, const struct swb_volume_view *v,
	       const struct swb_volume_decision *d);
void check_grant(struct world *w, const struct swb_cert *cert);
void check_demote(struct world *w, u8 agent, const struct swb_volume_view *v);
void check_settle(struct world *w);
/** check_wish() - is what the operator wished for what stands? (I-234) */
bool check_wish(struct world *w);

/* check_base.c */
void check_before_mark(struct world *w, struct node *n);
void check_base_write(struct world *w, struct node *n, u64 hi);
void check_unmarked(struct world *w, struct node *n);
void check_i214(struct world *w, struct node *n, const struct worst *s);
/** check_base_crash() - counts copies that @n was a part of when it died */
void check_base_crash(struct world *w, const struct node *n);
void check_base_step(struct world *w, struct node *n,
		     const struct swb_core *before, const struct swb_event *ev);

/* grow.c */
void check_grown(struct world *w, struct node *n, const struct worst *s);
void check_fits(struct world *w, struct node *n, const struct op *op);

/* check_client.c */
/** check_client_read() - a client reads a few blocks, each by itself */
void check_client_read(struct world *w, struct node *n);
/** check_client_block() - a client reads one block */
void check_client_block(struct world *w, struct node *n, u32 block);
/** check_seen() - a read is answered now; @s has what it saw */
void check_seen(struct world *w, struct seen *s);
/** check_clients() - at the end of a run: what clients saw can be explained */
void check_clients(struct world *w);

/* after every event */
void check_all(struct world *w);

/** check_worst() - recovery of the stable bytes of @n, made anew if they changed */
const struct worst *check_worst(struct world *w, struct node *n);

/** check_worst_proved() - and that it is what a scan from the start finds */
void check_worst_proved(struct world *w, struct node *n);

/** check_gone() - the disk of member @i that @n knows was replaced */
bool check_gone(const struct world *w, const struct node *n, u8 i);

/** check_logged() - does the stable log of @n hold the record (@epoch, @lsn)? */
bool check_logged(struct world *w, struct node *n, u64 epoch, u64 lsn);

/** check_holds() - and is it a copy at all, not one under way? */
bool check_holds(struct world *w, struct node *n, u64 epoch, u64 lsn);

/** CHECK_TORN - what is said of a block that is nobody's write */
#define CHECK_TORN	(~0ULL)

/**
 * check_wrote() - does a record in (@lo, @hi] of the branch of @tip leave block
 *	@b as @wid says, or, if that is CHECK_TORN, touch it at all?
 */
bool check_wrote(const struct world *w, u64 tip, u64 lo, u64 hi, u32 b, u64 wid);

/** check_image() - the volume on @n equals the truth at the end of its log */
void check_image(struct world *w, struct node *n, u32 id);

/** check_log() - each record of @n's log is the one of its lineage */
void check_log(struct world *w, struct node *n);

#endif /* SWB_SIM_CHECK_H */
