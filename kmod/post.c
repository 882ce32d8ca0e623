// SPDX-License-Identifier: GPL-2.0-only
/*
 * The one door up: facts become steps of the core, and its orders are executed
 * here and nowhere else. One engine thread per volume steps the facts that were
 * left by submit_bio, by interrupts and by the clock.
 *
 * Must not decide anything: an order is carried out as it stands, in order. An
 * order that is finished at once (superblock, truncation) leaves its fact in
 * post.follow, which is stepped before any other fact can come between.
 *
 * Lock: step_mutex over a step and all its orders; volume->lock only over the
 * step itself. Context: process; may wait for our own disks, never for a peer.
 */
#include <linux/kthread.h>
#include <linux/sched/mm.h>
#include <linux/timekeeping.h>
#include "blkdev.h"
#include "core/text.h"
#include "idle.h"
#include "notify.h"
#include "peer.h"
#include "post.h"
#include "base.h"
#include "trace.h"
#include "write.h"

#define TICK_BUSY	(HZ / 10)
#define TICK_IDLE	HZ

/* Leave a fact that the running order has brought about. */
static void follow(struct swb_volume *v, enum swb_event_type type, u64 lsn)
{
	struct swb_post *p = &v->post;
	u32 i;

	lockdep_assert_held(&v->step_mutex);
	/* Two saves in one step are one fact: the newest is on the medium. */
	for (i = 0; i < p->follow_count; i++) {
		if (p->follow[i].type == type && p->follow[i].lsn == lsn)
			return;
	}
	if (WARN_ON_ONCE(p->follow_count == SWB_FOLLOW_MAX)) {
		swb_stat_inc(v, ASSERTS);
		return;
	}
	p->follow[p->follow_count++] = (struct swb_event) {
		.type = type, .peer = SWB_NOBODY, .lsn = lsn,
	};
}

static void follow_failed(struct swb_volume *v, const char *what, int err)
{
	swb_stat_inc(v, DISK_ERRORS);
	pr_err_ratelimited("swblock: volume %u: cannot %s (%d): the disk is latched as failed\n",
			   v->id, what, err);
	/* Once latched it saves nothing more, but an adoption may wait for this. */
	follow(v, SWB_EV_DISK_FAILED, 0);
}

static void order_save_super(struct swb_volume *v)
{
	int err = swb_super_save(&v->super, &v->core, &v->lock);

	if (err)
		follow_failed(v, "save the superblock", err);
	else
		follow(v, SWB_EV_SUPER_SAVED, 0);
}

/* The fact is posted only when cut and incarnation are on the medium: P4, P5. */
static void order_truncate(struct swb_volume *v, u64 lsn)
{
	u64 begun_ns = ktime_get_boottime_ns();
	int err;

	swb_flusher_pause(&v->flusher);
	err = swb_wal_truncate(&v->wal, lsn);
	if (!err)
		err = swb_super_save(&v->super, &v->core, &v->lock);
	swb_flusher_resume(&v->flusher);
	trace_swblock_truncate(v->id, err, lsn,
			       ktime_get_boottime_ns() - begun_ns);
	if (err)
		follow_failed(v, "truncate the log", err);
	else
		follow(v, SWB_EV_LOG_TRUNCATED, lsn);
}

static void order_rebuild_prepare(struct swb_volume *v,
				  const struct swb_action *act)
{
	int err = swb_base_prepare(v, act);

	trace_swblock_rebuild(v->id, act->peer, SWB_REBUILD_PREPARED, err);
	if (err)
		follow_failed(v, "prepare for a rebuild", err);
	else
		follow(v, SWB_EV_REBUILD_PREPARED, 0);
}

static void order_rebuild_clear(struct swb_volume *v)
{
	int err = swb_base_clear(v);

	trace_swblock_rebuild(v->id, SWB_NOBODY, SWB_REBUILD_CLEARED, err);
	if (err)
		follow_failed(v, "end a rebuild", err);
	else
		follow(v, SWB_EV_REBUILD_CLEARED, 0);
}

static void order_append_open(struct swb_volume *v, u64 epoch, u64 lsn)
{
	int err = swb_wal_append_open(&v->wal, epoch, lsn);

	if (err)
		follow_failed(v, "append the open record", err);
}

static void notify_conditions(struct swb_volume *v)
{
	struct swb_notice n = {
		.kind = SWBLOCK_EVENT_CONDITIONS, .peer = SWB_NOBODY,
	};
	unsigned long flags;
	u32 now;

	lockdep_assert_held(&v->step_mutex);
	spin_lock_irqsave(&v->lock, flags);
	now = swb_volume_conditions(v);
	spin_unlock_irqrestore(&v->lock, flags);
	if (now == v->conditions_told)
		return;
	v->conditions_told = now;
	trace_swblock_conditions(v->id, now);
	swb_notify(v, &n);
}

static void notify_report(struct swb_volume *v, u64 cookie)
{
	struct swb_report r;
	struct swb_notice n = {
		.kind = SWBLOCK_EVENT_REPORT, .peer = SWB_NOBODY,
		.cookie = cookie, .report = &r,
	};
	unsigned long flags;

	spin_lock_irqsave(&v->lock, flags);
	swb_core_report(&v->core, &r);
	spin_unlock_irqrestore(&v->lock, flags);
	trace_swblock_epoch(v->id, r.adopted, r.durable, r.committed);
	swb_notify(v, &n);
}

static void notify_refused(struct swb_volume *v, const struct swb_action *act)
{
	struct swb_notice n = {
		.kind = SWBLOCK_EVENT_REFUSED, .peer = SWB_NOBODY,
		.cookie = act->a, .letter = act->b, .table = act->c, .err = EPERM,
	};

	n.text = swb_text_case(n.table, n.letter);
	trace_swblock_order_refused(v->id, n.table, n.letter);
	swb_stat_inc(v, REFUSED);
	swb_notify(v, &n);
}

static void notify_peer(struct swb_volume *v, u8 peer)
{
	struct swb_notice n = {
		.kind = SWBLOCK_EVENT_PEER, .peer = peer,
		.table = SWBLOCK_TABLE_RESYNC,
	};
	unsigned long flags;

	spin_lock_irqsave(&v->lock, flags);
	n.letter = v->core.peer[peer].letter;
	n.reason = v->core.peer[peer].reason;
	if (v->link[peer])
		n.cookie = v->link[peer]->cookie;
	spin_unlock_irqrestore(&v->lock, flags);
	n.text = swb_text_peer_state(v->core.peer[peer].state);
	trace_swblock_peer(v->id, peer, v->core.peer[peer].state, n.letter,
			   n.reason, v->core.peer[peer].session);
	swb_notify(v, &n);
}

static void notify_simple(struct swb_volume *v, u32 kind, u64 cookie, u64 epoch)
{
	struct swb_notice n = {
		.kind = kind, .peer = SWB_NOBODY, .cookie = cookie, .epoch = epoch,
	};

	swb_notify(v, &n);
}

static void fail_io(struct swb_volume *v)
{
	swb_write_fail_all(v, BLK_STS_IOERR);
	/* A device that was only held offers nothing any more: P12. */
	swb_blkdev_set_role(v, v->core.role);
}

/* Orders to the links. Context: step_mutex. */
static void execute_peer(struct swb_volume *v, const struct swb_action *act)
{
	unsigned int what = SWB_SEND_SHIP;

	if (act->type == SWB_ACT_CLOSE_LINK) {
		trace_swblock_link(v->id, act->peer, 0, act->a);
		swb_peer_close(v, act->peer, act->a);
		return;
	}
	if (act->type == SWB_ACT_SEND_OPEN)
		what = SWB_SEND_OPEN;
	else if (act->type == SWB_ACT_SEND_FACTS)
		what = SWB_SEND_FACTS;
	else if (act->type == SWB_ACT_SEND_START)
		what = SWB_SEND_START;
	else if (act->type == SWB_ACT_SEND_ACK)
		what = SWB_SEND_ACK;
	else if (act->type == SWB_ACT_SEND_PING)
		what = SWB_SEND_PING;
	else if (act->type == SWB_ACT_SEND_CLOSE)
		what = SWB_SEND_CLOSE;
	if (what == SWB_SEND_START)
		trace_swblock_catchup(v->id, act->peer, act->d, act->a, act->b,
				      act->c);
	swb_peer_send(v, act, what);
}

/* One order. A pure switch: what it means is said in core.h. */
static void execute(struct swb_volume *v, const struct swb_action *act)
{
	trace_swblock_action(v->id, act->type, act->peer, act->a, act->b);
	switch (act->type) {
	case SWB_ACT_SAVE_SUPER:
		order_save_super(v);
		break;
	case SWB_ACT_FLUSH_LOG:
		swb_stat_inc(v, DISK_FLUSHES);
		swb_wal_flush(&v->wal);
		break;
	case SWB_ACT_APPEND_OPEN:
		order_append_open(v, act->a, act->b);
		break;
	case SWB_ACT_TRUNCATE:
		order_truncate(v, act->a);
		break;
	case SWB_ACT_SEND_OPEN:
	case SWB_ACT_SEND_FACTS:
	case SWB_ACT_SEND_START:
	case SWB_ACT_SEND_ACK:
	case SWB_ACT_SEND_PING:
	case SWB_ACT_SEND_CLOSE:
	case SWB_ACT_SHIP:
	case SWB_ACT_CLOSE_LINK:
		execute_peer(v, act);
		break;
	case SWB_ACT_COMPLETE_WRITES:
		swb_write_complete(v, act->a, v->post.cause);
		break;
	case SWB_ACT_COMPLETE_BARRIERS:
		swb_write_complete_barriers(v, act->a, v->post.cause);
		break;
	case SWB_ACT_FAIL_IO:
		fail_io(v);
		break;
	case SWB_ACT_HOLD_IO:
		swb_write_hold(v);
		break;
	case SWB_ACT_RESUME_IO:
		swb_write_resume(v);
		break;
	case SWB_ACT_SET_ROLE:
		trace_swblock_role(v->id, act->a, v->core.d.epoch,
				   v->core.log.committed);
		swb_blkdev_set_role(v, act->a);
		break;
	case SWB_ACT_SET_SIZE:
		swb_blkdev_set_size(v, act->a);
		break;
	case SWB_ACT_WRITE_BACK:
		swb_flusher_kick(&v->flusher, false);
		swb_peer_reopen(v);
		break;
	case SWB_ACT_NOTIFY_REPORT:
		notify_report(v, act->a);
		break;
	case SWB_ACT_NOTIFY_ROLE:
		notify_simple(v, SWBLOCK_EVENT_ROLE, act->a, 0);
		break;
	case SWB_ACT_NOTIFY_REFUSED:
		notify_refused(v, act);
		break;
	case SWB_ACT_NOTIFY_PEER:
		notify_peer(v, act->peer);
		break;
	case SWB_ACT_NOTIFY_CONDITIONS:
		notify_conditions(v);
		break;
	case SWB_ACT_NOTIFY_STEP_DOWN:
		notify_simple(v, SWBLOCK_EVENT_STEP_DOWN, 0, act->a);
		break;
	case SWB_ACT_REBUILD_PREPARE:
		order_rebuild_prepare(v, act);
		break;
	case SWB_ACT_BASE_START:
		trace_swblock_rebuild(v->id, act->peer, SWB_REBUILD_STARTED, 0);
		swb_lane_start(v, act);
		break;
	case SWB_ACT_BASE_STOP:
		trace_swblock_rebuild(v->id, act->peer, SWB_REBUILD_STOPPED, 0);
		swb_lane_stop(v, act->peer);
		break;
	case SWB_ACT_REBUILD_CLEAR:
		order_rebuild_clear(v);
		break;
	case SWB_ACT_COUNT:
		WARN_ON_ONCE(1);
		break;
	}
}

/* Whose progress is this fact? What it releases waited for that member last. */
static u8 cause_of(const struct swb_volume *v, const struct swb_event *ev)
{
	if (ev->type == SWB_EV_PEER_ACKED)
		return ev->peer;
	if (ev->type == SWB_EV_LOG_WRITTEN || ev->type == SWB_EV_LOG_FLUSHED ||
	    ev->type == SWB_EV_BARRIER_WANTED)
		return v->core.self;
	return SWB_NOBODY;
}

/* What the step has taken in, and when the bytes of it came. */
static void note_times(struct swb_volume *v, const struct swb_event *ev)
{
	const struct swb_core *c = &v->core;
	struct swb_lat_ack ack = { };

	lockdep_assert_held(&v->lock);
	if (c->role != SWBLOCK_ROLE_PRIMARY)
		return;
	if (ev->type == SWB_EV_PEER_ACKED && v->link[ev->peer]) {
		ack.received = c->peer[ev->peer].received;
		ack.written = c->peer[ev->peer].written;
		ack.durable = c->peer[ev->peer].durable;
		ack.by_received = c->config.policy == SWBLOCK_POLICY_RECEIVED;
		ack.now_ns = v->link[ev->peer]->acked_ns;
		swb_lat_acked(&v->lat, ev->peer, &ack);
	}
	swb_lat_committed(&v->lat, c->log.committed, ev->now_ns);
}

static void trace_refusals(struct swb_volume *v, const struct swb_event *ev,
			   const u64 *before)
{
	u32 i;

	for (i = 0; i < __SWBLOCK_REASON_MAX; i++)
		if (v->core.refused[i] != before[i])
			trace_swblock_refused(v->id, ev->peer, i);
}

/* The step itself, and what watches it. Nothing here changes what it does. */
static void step_core(struct swb_volume *v, struct swb_event *ev)
{
	bool traced = trace_swblock_refused_enabled();
	u64 before[__SWBLOCK_REASON_MAX];
	unsigned long flags;

	lockdep_assert_held(&v->step_mutex);
	spin_lock_irqsave(&v->lock, flags);
	if (traced)
		memcpy(before, v->core.refused, sizeof(before));
	swb_record_before(&v->recorder.r, &v->core, ev);
	swb_core_step(&v->core, ev, v->post.actions);
	swb_record_after(&v->recorder.r, &v->core, ev, v->post.actions);
	note_times(v, ev);
	v->post.cause = cause_of(v, ev);
	if (traced)
		trace_refusals(v, ev, before);
	spin_unlock_irqrestore(&v->lock, flags);
	if (ev->type == SWB_EV_LINKED)
		trace_swblock_link(v->id, ev->peer, 1, SWBLOCK_REASON_NONE);
}

static void step_one(struct swb_volume *v, struct swb_event *ev)
{
	struct swb_actions *acts = v->post.actions;
	u32 i;

	lockdep_assert_held(&v->step_mutex);
	ev->now_ns = ktime_get_boottime_ns();
	trace_swblock_step(v->id, ev->type, ev->peer, ev->lsn, ev->epoch);
	acts->count = 0;
	step_core(v, ev);
	/* Nobody else can step, so the list need not be copied. */
	for (i = 0; i < acts->count; i++)
		execute(v, &acts->act[i]);
}

/* One fact, and whatever follows from its orders, before anything else. */
static void step(struct swb_volume *v, struct swb_event *ev)
{
	struct swb_post *p = &v->post;
	struct swb_event next;

	step_one(v, ev);
	while (p->follow_count) {
		next = p->follow[0];
		p->follow_count--;
		memmove(&p->follow[0], &p->follow[1],
			p->follow_count * sizeof(p->follow[0]));
		step_one(v, &next);
	}
}

static void step_plain(struct swb_volume *v, enum swb_event_type type, u64 lsn)
{
	struct swb_event ev = { .type = type, .peer = SWB_NOBODY, .lsn = lsn };

	step(v, &ev);
}

/* The log moved, or a flush has ended. */
static void take_progress(struct swb_volume *v)
{
	struct swb_event flushed = {
		.type = SWB_EV_LOG_FLUSHED, .peer = SWB_NOBODY,
	};
	bool written, flush_done;
	unsigned long flags;
	u64 written_lsn;
	int err;

	/* The next log write first: whoever takes this bit owes it to the log. */
	swb_wal_kick(&v->wal);
	swb_peer_kick(v);	/* what it submitted can be shipped */
	spin_lock_irqsave(&v->lock, flags);
	written_lsn = v->wal.written_lsn;
	written = written_lsn > v->core.log.written;
	flush_done = v->wal.flush_done;
	v->wal.flush_done = false;
	flushed.lsn = v->wal.flush_lsn;
	flushed.generation = v->wal.flush_generation;
	err = v->wal.flush_err;
	spin_unlock_irqrestore(&v->lock, flags);

	if (written)
		step_plain(v, SWB_EV_LOG_WRITTEN, written_lsn);
	if (flush_done && err)
		step_plain(v, SWB_EV_DISK_FAILED, 0);
	else if (flush_done)
		step(v, &flushed);
}

static void take_barrier(struct swb_volume *v)
{
	unsigned long flags;
	u64 want;

	spin_lock_irqsave(&v->lock, flags);
	want = v->post.barrier_want;
	spin_unlock_irqrestore(&v->lock, flags);
	step_plain(v, SWB_EV_BARRIER_WANTED, want);
}

static void take_checkpoint(struct swb_volume *v)
{
	struct swb_event ev = {
		.type = SWB_EV_CHECKPOINTED, .peer = SWB_NOBODY,
	};
	unsigned long flags;

	spin_lock_irqsave(&v->lock, flags);
	ev.lsn = v->post.checkpoint_lo;
	ev.lsn2 = v->post.checkpoint_start;
	spin_unlock_irqrestore(&v->lock, flags);
	step(v, &ev);
}

/* What is beyond the byte budget of catch-up: I-058. */
static u64 beyond_budget(struct swb_volume *v)
{
	unsigned long flags;
	u64 lsn = 0;

	spin_lock_irqsave(&v->lock, flags);
	if (v->catchup_max_bytes)
		lsn = swb_wal_beyond(&v->wal, v->catchup_max_bytes);
	spin_unlock_irqrestore(&v->lock, flags);
	return lsn;
}

/* A ring that fills, here or at a peer, cannot wait for the next background flush. */
static void take_room(struct swb_volume *v)
{
	struct swb_event ev = { .type = SWB_EV_TICK, .peer = SWB_NOBODY };
	unsigned long flags;

	ev.lsn = beyond_budget(v);
	spin_lock_irqsave(&v->lock, flags);
	ev.lsn2 = v->core.log.head;
	spin_unlock_irqrestore(&v->lock, flags);
	step(v, &ev);
}

static void take_tick(struct swb_volume *v)
{
	step_plain(v, SWB_EV_TICK, beyond_budget(v));
	swb_write_tick(v, ktime_get_boottime_ns());
	notify_conditions(v);
}

/* Turn what was left into steps. Each bit is cleared before its fact is read. */
static void take_left(struct swb_volume *v)
{
	unsigned long *bits = &v->post.bits;

	lockdep_assert_held(&v->step_mutex);
	if (!READ_ONCE(*bits))
		return;
	if (test_and_clear_bit(SWB_POST_FAILED, bits))
		step_plain(v, SWB_EV_DISK_FAILED, 0);
	if (test_and_clear_bit(SWB_POST_PROGRESS, bits))
		take_progress(v);
	if (test_and_clear_bit(SWB_POST_BARRIER, bits))
		take_barrier(v);
	if (test_and_clear_bit(SWB_POST_CHECKPOINT, bits))
		take_checkpoint(v);
	if (test_and_clear_bit(SWB_POST_ROOM, bits))
		take_room(v);
	if (test_and_clear_bit(SWB_POST_CLOSED, bits))
		step_plain(v, SWB_EV_LAST_CLOSED, 0);
	if (test_and_clear_bit(SWB_POST_TICK, bits))
		take_tick(v);
	if (test_and_clear_bit(SWB_POST_SPACE, bits))
		swb_write_unpark(v);
}

void swb_post(struct swb_volume *v, struct swb_event *ev)
{
	unsigned int noio = memalloc_noio_save();

	swb_idle_lock(&v->step_mutex);
	take_left(v);
	step(v, ev);
	mutex_unlock(&v->step_mutex);
	memalloc_noio_restore(noio);
}

bool swb_post_link(struct swb_volume *v, struct swb_link *link,
		   struct swb_event *ev)
{
	unsigned int noio = memalloc_noio_save();
	unsigned long flags;
	bool current_link;

	swb_idle_lock(&v->step_mutex);
	spin_lock_irqsave(&v->lock, flags);
	current_link = v->link[ev->peer] == link;
	spin_unlock_irqrestore(&v->lock, flags);
	if (current_link) {
		take_left(v);
		/* The orders just executed may have closed this link. */
		spin_lock_irqsave(&v->lock, flags);
		current_link = v->link[ev->peer] == link;
		spin_unlock_irqrestore(&v->lock, flags);
	}
	if (current_link)
		step(v, ev);
	mutex_unlock(&v->step_mutex);
	memalloc_noio_restore(noio);
	if (!current_link) {
		swb_stat_inc(v, REFUSED);
		trace_swblock_refused(v->id, ev->peer,
				      SWBLOCK_REASON_STALE_SESSION);
	}
	return current_link;
}

void swb_post_later(struct swb_volume *v, unsigned int bit)
{
	set_bit(bit, &v->post.bits);
	wake_up(&v->post.wait);
}

void swb_post_barrier(struct swb_volume *v, u64 lsn)
{
	lockdep_assert_held(&v->lock);
	if (lsn > v->post.barrier_want)
		v->post.barrier_want = lsn;
	swb_post_later(v, SWB_POST_BARRIER);
}

/* Is anything going on that time can change? */
static unsigned long tick_interval(struct swb_volume *v)
{
	unsigned long flags;
	bool busy;
	u32 i;

	spin_lock_irqsave(&v->lock, flags);
	busy = v->core.role == SWBLOCK_ROLE_PRIMARY || v->core.lease_end_ns ||
	       v->core.adopt != SWB_ADOPT_IDLE || v->io.parked_count ||
	       v->core.log.durable != v->core.log.head;
	for (i = 0; i < SWB_MEMBERS_MAX; i++)
		busy |= !!v->link[i];
	spin_unlock_irqrestore(&v->lock, flags);
	return busy ? TICK_BUSY : TICK_IDLE;
}

/* Bring the next tick nearer if the volume has become busy. */
static long until_tick(struct swb_volume *v)
{
	unsigned long at = jiffies + tick_interval(v);
	long left;

	if (time_before(at, v->post.tick_jiffies))
		v->post.tick_jiffies = at;
	left = (long)(v->post.tick_jiffies - jiffies);
	return max(left, 1L);
}

static int engine(void *arg)
{
	struct swb_volume *v = arg;
	struct swb_post *p = &v->post;

	memalloc_noio_save();
	p->tick_jiffies = jiffies;
	while (!kthread_should_stop()) {
		wait_event_idle_timeout(p->wait, READ_ONCE(p->bits) ||
					kthread_should_stop(), until_tick(v));
		if (time_after_eq(jiffies, p->tick_jiffies)) {
			p->tick_jiffies = jiffies + TICK_IDLE;
			set_bit(SWB_POST_TICK, &p->bits);
		}
		/* The step may have to wait for a disk, the log need not. */
		if (test_bit(SWB_POST_PROGRESS, &p->bits)) {
			swb_wal_kick(&v->wal);
			swb_peer_kick(v);
		}
		swb_idle_lock(&v->step_mutex);
		take_left(v);
		mutex_unlock(&v->step_mutex);
	}
	return 0;
}

int swb_post_start(struct swb_volume *v)
{
	struct task_struct *task;

	v->post.actions = kzalloc(sizeof(*v->post.actions), GFP_KERNEL);
	if (!v->post.actions)
		return -ENOMEM;
	task = kthread_create(engine, v, "swb%u_engine", v->id);
	if (IS_ERR(task)) {
		kfree(v->post.actions);
		v->post.actions = NULL;
		return PTR_ERR(task);
	}
	v->post.task = task;
	wake_up_process(task);
	return 0;
}

void swb_post_stop(struct swb_volume *v)
{
	if (v->post.task)
		kthread_stop(v->post.task);
	v->post.task = NULL;
	kfree(v->post.actions);
	v->post.actions = NULL;
}
