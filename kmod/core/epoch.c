// SPDX-License-Identifier: GPL-2.0-only
/*
 * Authority over this member: adopting an epoch, being assigned, opening one,
 * the lease, stepping down, a failed disk. What may happen to upper I/O is
 * decided here and nowhere else. Part of the step; the caller's lock covers it.
 *
 *	ADOPT:  [one step: sessions closed, role gone] -> DRAINING -> FLUSHING
 *		-> SAVING -> report				(P6)
 *	CERTIFIED: judged -> SAVING opened -> open record -> primary	(P2)
 */
#include "lineage.h"
#include "promote.h"
#include "step.h"

/* ---- upper I/O --------------------------------------------------------- */

void swb_epoch_io_hold(struct swb_core *c, u32 why, struct swb_actions *out)
{
	if (c->io != SWB_IO_HELD)
		swb_act(out, SWB_ACT_HOLD_IO);
	c->io = SWB_IO_HELD;
	c->hold |= why;
}

/* The operator's hold outlives an epoch of this node, if held I/O does: P12 */
void swb_epoch_io_resume(struct swb_core *c, struct swb_actions *out)
{
	c->hold &= SWBLOCK_COND_SUSPENDED_ADMIN;
	c->completed = 0;	/* say again what was true while it was held */
	c->barriers_done = 0;
	if (c->hold)
		return;
	c->io = SWB_IO_OPEN;
	swb_act(out, SWB_ACT_RESUME_IO);
}

/* Held and in-flight I/O fails; who had the device open must reopen it: P12 */
static void io_fail(struct swb_core *c, struct swb_actions *out)
{
	c->hold = 0;
	c->io = SWB_IO_REFUSED;
	c->was_primary = false;
	c->stale_openers = c->openers > 0;
	swb_act(out, SWB_ACT_FAIL_IO);
}

/* ---- adoption ---------------------------------------------------------- */

static void opening_abort(struct swb_core *c, u8 letter, u32 reason,
			  struct swb_actions *out)
{
	if (c->open != SWB_OPEN_SAVING)
		return;
	c->open = SWB_OPEN_IDLE;
	swb_lineage_cut(&c->d.lineage, c->log.head);	/* it left no record */
	swb_act_refused(c, out, c->open_cookie, letter, reason);
}

static bool adopt_allowed(struct swb_core *c, const struct swb_event *ev,
			  struct swb_actions *out)
{
	bool foreign = swb_uuid_is_null(&ev->u.adopt.store);

	if (!swb_uuid_is_null(&c->d.store) &&
	    (!swb_uuid_equal(&c->d.store, &ev->u.adopt.store) ||
	     ev->u.adopt.store_generation < c->d.store_generation))
		foreign = true;				/* P17c, I-222 */
	if (foreign) {
		swb_act_refused(c, out, ev->cookie, 'D',
				SWBLOCK_REASON_FOREIGN_STORE);
		return false;
	}
	if (!ev->epoch || ev->epoch < c->d.epoch ||
	    (c->adopt != SWB_ADOPT_IDLE && ev->epoch < c->adopt_epoch)) {
		swb_act_refused(c, out, ev->cookie, 'B',
				SWBLOCK_REASON_STALE_EPOCH);	/* I-091 */
		return false;
	}
	return true;
}

/* One step, so that nothing of an older epoch is said after it: P6, I-205 */
static void adopt_fence(struct swb_core *c, struct swb_actions *out)
{
	u8 i;

	for (i = 0; i < c->config.member_count; i++)
		if (i != c->self)
			swb_session_end(c, i, SWBLOCK_REASON_ADOPTED, out);
	memset(c->peer, 0, sizeof(c->peer));		/* I-033 */
	c->log.generation++;				/* P5 */
	if (swb_is_primary(c)) {
		c->was_primary = true;
		swb_epoch_io_hold(c, SWBLOCK_COND_SUSPENDED_EPOCH, out);	/* ambiguity 12 */
	} else if (swb_is_replica(c)) {
		swb_act_value(out, SWB_ACT_SET_ROLE, SWBLOCK_ROLE_NONE);
	}
	c->role = SWBLOCK_ROLE_NONE;
	c->primary = SWB_NOBODY;
	c->self = SWB_NOBODY;
	memset(&c->config, 0, sizeof(c->config));
	c->open = SWB_OPEN_IDLE;
	c->log.open_lsn = 0;
	c->log.barrier_want = 0;
	c->flush_goal = 0;
	c->written_back = 0;
	c->lease_end_ns = 0;
}

void swb_epoch_adopt(struct swb_core *c, const struct swb_event *ev,
		     struct swb_actions *out)
{
	if (!adopt_allowed(c, ev, out))
		return;
	if (c->adopt != SWB_ADOPT_IDLE && ev->epoch == c->adopt_epoch) {
		c->adopt_cookie = ev->cookie;		/* I-090 */
		return;
	}
	if (c->adopt == SWB_ADOPT_IDLE && ev->epoch == c->d.epoch &&
	    c->reported_epoch == c->d.epoch) {
		swb_act_value(out, SWB_ACT_NOTIFY_REPORT, ev->cookie);
		return;
	}
	opening_abort(c, 'B', SWBLOCK_REASON_ADOPTED, out);
	c->d.committed = max_t(u64, c->d.committed, c->log.committed);
	c->reported_committed = c->d.committed;		/* P16 */
	adopt_fence(c, out);
	c->report_flags = c->was_primary ? SWBLOCK_REPORT_PRIMARY_BEFORE : 0;
	c->adopt = SWB_ADOPT_DRAINING;
	c->adopt_epoch = ev->epoch;
	c->adopt_cookie = ev->cookie;
	c->adopt_store = ev->u.adopt.store;
	c->adopt_store_generation = ev->u.adopt.store_generation;
	swb_epoch_pump(c, out);
}

/* Drain, flush, save: each stage ends by a fact, with a failed disk at once. */
void swb_epoch_pump(struct swb_core *c, struct swb_actions *out)
{
	bool failed = swb_disk_failed(c);

	if (c->adopt == SWB_ADOPT_DRAINING) {
		if (!failed && (swb_disk_busy(c) ||
				c->log.written < c->log.head))
			return;
		c->adopt = SWB_ADOPT_FLUSHING;
	}
	if (c->adopt == SWB_ADOPT_FLUSHING) {
		if (!failed && c->log.durable < c->log.head) {
			swb_progress_flush_start(c, out);
			return;
		}
		c->adopt = SWB_ADOPT_SAVING;
		c->d.epoch = c->adopt_epoch;		/* I-021 */
		c->d.store = c->adopt_store;
		c->d.store_generation = c->adopt_store_generation;
		swb_act(out, SWB_ACT_SAVE_SUPER);
	}
}

static void adopt_done(struct swb_core *c, struct swb_actions *out)
{
	c->adopt = SWB_ADOPT_IDLE;
	c->log.committed = swb_unmatched_committed(c);	/* P8 */
	c->reported_epoch = c->d.epoch;
	c->reported_durable = c->log.durable;
	c->reported_last_epoch = c->log.last_epoch;
	swb_act_value(out, SWB_ACT_NOTIFY_REPORT, c->adopt_cookie);
}

/* ---- assignment -------------------------------------------------------- */

static u8 assign_letter(const struct swb_core *c, const struct swb_event *ev)
{
	const struct swb_config *cfg = ev->u.assign.config;
	u8 primary;

	if (!ev->epoch || ev->epoch != c->d.epoch ||
	    c->adopt != SWB_ADOPT_IDLE || c->reported_epoch != c->d.epoch)
		return 'B';				/* I-091 */
	if (!cfg || !swb_config_valid(cfg) ||
	    swb_core_member_index(cfg, &c->d.replica) == SWB_NOBODY)
		return 'M';
	primary = swb_core_member_index(cfg, &ev->u.assign.primary);
	if (primary == SWB_NOBODY)
		return 'M';
	if (swb_uuid_equal(&ev->u.assign.primary, &c->d.replica))
		return 'A';
	if (c->d.opened == c->d.epoch || c->open == SWB_OPEN_SAVING)
		return 'C';		/* it was granted to us: P3 */
	if (c->primary != SWB_NOBODY && c->config.member_count &&
	    !swb_uuid_equal(&c->config.member[c->primary],
			    &ev->u.assign.primary))
		return 'D';		/* two grants of one epoch: P3 */
	return 'A';
}

/* Member indices name links and peers: with other ones, start afresh. */
static void assign_config(struct swb_core *c, const struct swb_config *cfg,
			  struct swb_actions *out)
{
	bool same = cfg->member_count == c->config.member_count &&
		    memcmp(cfg->member, c->config.member,
			   cfg->member_count * sizeof(cfg->member[0])) == 0;
	u8 i;

	if (!same && c->config.member_count) {
		for (i = 0; i < c->config.member_count; i++)
			if (i != c->self)
				swb_session_end(c, i, SWBLOCK_REASON_REPLACED,
						out);
		memset(c->peer, 0, sizeof(c->peer));
	}
	c->config = *cfg;
	c->self = swb_core_member_index(cfg, &c->d.replica);
}

void swb_epoch_assign(struct swb_core *c, const struct swb_event *ev,
		      struct swb_actions *out)
{
	u8 letter = assign_letter(c, ev);

	if (letter != 'A') {
		swb_act_refused(c, out, ev->cookie, letter, letter == 'B' ?
				SWBLOCK_REASON_STALE_EPOCH :
				SWBLOCK_REASON_NOT_GRANTED);
		return;
	}
	if (swb_uuid_equal(&ev->u.assign.primary, &c->d.replica))
		return;			/* a certificate is the only way */
	if (c->was_primary)
		io_fail(c, out);	/* somebody else has the grant: P12 */
	assign_config(c, ev->u.assign.config, out);
	c->primary = swb_core_member_index(&c->config, &ev->u.assign.primary);
	if (swb_is_replica(c))
		return;					/* I-132 */
	c->role = SWBLOCK_ROLE_REPLICA;
	c->io = SWB_IO_REFUSED;
	swb_act_value(out, SWB_ACT_SET_ROLE, SWBLOCK_ROLE_REPLICA);
	swb_act_value(out, SWB_ACT_NOTIFY_ROLE, ev->cookie);
}

/* ---- certificate and opening ------------------------------------------- */

static u8 certify_letter(const struct swb_core *c, const struct swb_cert *cert)
{
	struct swb_candidate me = {
		.volume = c->d.volume, .replica = c->d.replica,
		.store = c->d.store,
		.store_generation = c->d.store_generation,
		.adopted = c->d.epoch,
		.adopting = c->adopt != SWB_ADOPT_IDLE ||
			    c->reported_epoch != c->d.epoch,
		.opened = c->d.opened, .last_epoch = c->log.last_epoch,
		.durable = c->log.durable,
		.primary = swb_is_primary(c) || c->open == SWB_OPEN_SAVING,
	};
	u8 letter;

	if (c->d.flags & SWB_SUPER_INCONSISTENT)
		me.flags |= SWBLOCK_REPORT_INCONSISTENT;
	if (swb_disk_failed(c))
		me.flags |= SWBLOCK_REPORT_DISK_FAILED;
	letter = swb_promote_judge(cert, &me);
	if (letter == 'A' && swb_is_replica(c))
		letter = 'D';	/* this epoch is somebody else's: P3 */
	if (letter == 'A' && cert->epoch <= c->log.last_epoch)
		letter = 'C';	/* it has records here: somebody opened it */
	return letter;
}

static u64 reported_committed(const struct swb_cert *cert)
{
	u64 lsn = 0;
	u32 i;

	for (i = 0; i < cert->report_count && i < SWB_MEMBERS_MAX; i++)
		if (cert->report[i].adopted == cert->epoch)
			lsn = max_t(u64, lsn, cert->report[i].committed);
	return lsn;
}

/* who holds a copy, as far as the evidence says; links tell the rest */
static void note_whole(struct swb_core *c, const struct swb_cert *cert)
{
	u32 i;
	u8 m;

	for (i = 0; i < cert->report_count && i < SWB_MEMBERS_MAX; i++) {
		m = swb_core_member_index(&c->config, &cert->report[i].replica);
		if (m != SWB_NOBODY)
			c->peer[m].whole = cert->report[i].adopted == cert->epoch &&
				!(cert->report[i].flags &
				  (SWBLOCK_REPORT_INCONSISTENT |
				   SWBLOCK_REPORT_DISK_FAILED));
	}
}

void swb_epoch_certify(struct swb_core *c, const struct swb_event *ev,
		       struct swb_actions *out)
{
	const struct swb_cert *cert = ev->u.cert.cert;
	bool override = cert->flags & SWBLOCK_CERT_OVERRIDE;

	c->promote_letter = certify_letter(c, cert);
	if (c->promote_letter != 'A') {
		swb_act_refused(c, out, ev->cookie, c->promote_letter,
				SWBLOCK_REASON_NOT_GRANTED);
		return;
	}
	c->resume_held = c->was_primary &&		/* P12 */
		swb_uuid_equal(&cert->last_granted, &c->d.replica) &&
		cert->last_granted_epoch == c->d.opened;
	/* at once: this opening may be given up, and the next one names it */
	if (c->was_primary && !c->resume_held)
		io_fail(c, out);
	assign_config(c, &cert->config, out);
	note_whole(c, cert);
	c->primary = c->self;
	c->lease_end_ns = ev->u.cert.lease_end_ns;
	c->open_committed = reported_committed(cert);
	c->open_cookie = ev->cookie;
	c->open = SWB_OPEN_SAVING;
	c->d.opened = cert->epoch;			/* P2, I-201 */
	swb_lineage_open(&c->d.lineage, cert->epoch, c->log.head + 1,
			 override ? SWB_LINEAGE_OVERRIDE : 0);
	if (override) {
		c->d.flags |= SWB_SUPER_OVERRIDDEN;
		c->d.committed = min_t(u64, c->d.committed, c->log.head);
	}
	swb_act(out, SWB_ACT_SAVE_SUPER);
}

static void sessions_open(struct swb_core *c, struct swb_actions *out)
{
	u8 i;

	for (i = 0; i < c->config.member_count; i++)
		if (i != c->self && c->peer[i].linked)
			swb_session_open(c, i, out);
}

/* `opened` is durable: now the open record may leave memory. P2 */
static void open_done(struct swb_core *c, struct swb_actions *out)
{
	struct swb_log *l = &c->log;
	struct swb_action *a;
	bool held = c->was_primary;

	c->open = SWB_OPEN_DONE;
	l->committed = max_t(u64, l->committed,
			     min_t(u64, c->open_committed, l->head)); /* P16 */
	c->d.committed = max_t(u64, c->d.committed, l->committed);
	l->open_lsn = l->head + 1;			/* I-035 */
	l->head = l->open_lsn;
	l->last_epoch = c->d.opened;
	l->barrier_want = l->open_lsn;	/* C moves without a client's flush */
	c->completed = 0;
	c->barriers_done = 0;
	c->was_primary = false;
	c->role = SWBLOCK_ROLE_PRIMARY;
	a = swb_act(out, SWB_ACT_APPEND_OPEN);
	a->a = c->d.opened;
	a->b = l->open_lsn;
	swb_act_value(out, SWB_ACT_SET_ROLE, SWBLOCK_ROLE_PRIMARY);
	if (held)				/* resume_held: P12 */
		swb_epoch_io_resume(c, out);
	if (!c->hold)
		c->io = SWB_IO_OPEN;
	swb_epoch_lease_check(c, out);
	sessions_open(c, out);
	swb_act_value(out, SWB_ACT_NOTIFY_ROLE, c->open_cookie);
}

void swb_epoch_super_saved(struct swb_core *c, struct swb_actions *out)
{
	if (c->adopt == SWB_ADOPT_SAVING)
		adopt_done(c, out);
	else if (c->open == SWB_OPEN_SAVING)
		open_done(c, out);
}

/* ---- losing it --------------------------------------------------------- */

void swb_epoch_demote(struct swb_core *c, const struct swb_event *ev,
		      struct swb_actions *out)
{
	u8 i;

	if (!swb_is_primary(c) && !c->was_primary) {
		swb_act_refused(c, out, ev->cookie, 'B',
				SWBLOCK_REASON_NO_ROLE);
		return;
	}
	opening_abort(c, 'B', SWBLOCK_REASON_DEMOTED, out);
	for (i = 0; i < c->config.member_count; i++)
		if (i != c->self && c->peer[i].linked)
			swb_session_refuse(c, i, SWBLOCK_REASON_DEMOTED, out);
	c->role = SWBLOCK_ROLE_NONE;
	c->open = SWB_OPEN_IDLE;
	c->lease_end_ns = 0;
	io_fail(c, out);				/* ambiguity 19 */
	swb_act_value(out, SWB_ACT_SET_ROLE, SWBLOCK_ROLE_NONE);
	swb_act_value(out, SWB_ACT_NOTIFY_ROLE, ev->cookie);
}

void swb_epoch_lease_set(struct swb_core *c, const struct swb_event *ev,
			 struct swb_actions *out)
{
	if (!swb_is_primary(c) || ev->epoch != c->d.epoch) {
		c->refused[SWBLOCK_REASON_STALE_EPOCH]++;	/* I-091 */
		return;
	}
	c->lease_end_ns = ev->u.lease.end_ns;
	swb_epoch_lease_check(c, out);
	if (!(c->hold & SWBLOCK_COND_SUSPENDED_LEASE) ||
	    (c->lease_end_ns && c->now_ns >= c->lease_end_ns))
		return;
	c->hold &= ~(u32)SWBLOCK_COND_SUSPENDED_LEASE;
	if (!c->hold)
		swb_epoch_io_resume(c, out);
}

/* P13, I-216: asked before any fact is looked at */
void swb_epoch_lease_check(struct swb_core *c, struct swb_actions *out)
{
	if (swb_is_primary(c) && c->lease_end_ns &&
	    c->now_ns >= c->lease_end_ns &&
	    !(c->hold & SWBLOCK_COND_SUSPENDED_LEASE))
		swb_epoch_io_hold(c, SWBLOCK_COND_SUSPENDED_LEASE, out);
}

/* A number alone stops commits; only a grant is followed: ambiguity 12, 13 */
void swb_epoch_newer_seen(struct swb_core *c, u64 epoch, struct swb_actions *out)
{
	if (!swb_is_primary(c) || epoch <= c->d.epoch ||
	    (c->hold & SWBLOCK_COND_SUSPENDED_EPOCH))
		return;
	swb_epoch_io_hold(c, SWBLOCK_COND_SUSPENDED_EPOCH, out);
	swb_act_value(out, SWB_ACT_NOTIFY_STEP_DOWN, epoch);
}

/* P17a: latched for the life of this replica id */
void swb_epoch_disk_failed(struct swb_core *c, struct swb_actions *out)
{
	bool known = swb_disk_failed(c);
	u8 i;

	c->d.flags |= SWB_SUPER_DISK_FAILED;
	if (c->adopt == SWB_ADOPT_SAVING) {
		/* the save itself may be what failed: no report, try again */
		c->adopt = SWB_ADOPT_IDLE;
		swb_act_refused(c, out, c->adopt_cookie, 'J',
				SWBLOCK_REASON_DISK_FAILED);
	}
	if (known)
		return;
	opening_abort(c, 'J', SWBLOCK_REASON_DISK_FAILED, out);
	if (swb_is_primary(c))
		swb_epoch_io_hold(c, SWBLOCK_COND_DISK_FAILED, out);
	for (i = 0; swb_is_replica(c) && i < c->config.member_count; i++)
		if (i != c->self && c->peer[i].linked)
			swb_session_refuse(c, i, SWBLOCK_REASON_DISK_FAILED,
					   out);
	if (c->adopt != SWB_ADOPT_IDLE)
		swb_epoch_pump(c, out);		/* saves the latch, too */
	else
		swb_act(out, SWB_ACT_SAVE_SUPER);
}
