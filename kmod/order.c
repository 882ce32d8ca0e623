// SPDX-License-Identifier: GPL-2.0-only
/*
 * The controller's verbs that are a fact for the core: ADOPT, ASSIGN, PROMOTE,
 * LEASE, SUSPEND. They run one after the other on the volume's own work queue: a verb that
 * may take time starts there and returns, one that does not is waited for, but
 * never for long.
 *
 * Must not judge what the core judges: it refuses early what is plainly wrong, so
 * that the text arrives with the errno, and hands the rest on.
 *
 * Lock: volume->lock, so that no order is queued once removal has begun. Context:
 * process; the netlink caller's task, and a worker.
 */
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include "manage.h"
#include "post.h"

#define SYNC_WAIT_MS	5000	/* a verb that returns when it is done */
#define LEASE_MAX_NS	(3600ULL * NSEC_PER_SEC)

/**
 * struct swb_order - one order, from the verb to the step
 * @work: on v->wq
 * @ref: the worker, and a verb that waits
 * @done: stepped
 * @v: volume, referenced
 * @ev: the fact
 * @config: where @ev points to, for ASSIGN
 * @cert: where @ev points to, for PROMOTE
 */
struct swb_order {
	struct work_struct work;
	struct kref ref;
	struct completion done;
	struct swb_volume *v;
	struct swb_event ev;
	struct swb_config config;
	struct swb_cert *cert;
};

static void order_release(struct kref *ref)
{
	struct swb_order *o = container_of(ref, struct swb_order, ref);

	if (o->v)
		swb_volume_put(o->v);
	kfree(o->cert);
	kfree(o);
}

static void order_work(struct work_struct *work)
{
	struct swb_order *o = container_of(work, struct swb_order, work);

	swb_post(o->v, &o->ev);
	complete_all(&o->done);
	kref_put(&o->ref, order_release);
}

static struct swb_order *order_new(u32 id, enum swb_event_type type,
				   const char **why, int *err)
{
	struct swb_order *o = kzalloc(sizeof(*o), GFP_KERNEL);

	*err = -ENOMEM;
	*why = swb_no_memory;
	if (!o)
		return NULL;
	kref_init(&o->ref);
	init_completion(&o->done);
	INIT_WORK(&o->work, order_work);
	o->ev.type = type;
	o->ev.peer = SWB_NOBODY;
	o->v = swb_manage_get(id);
	*err = 0;
	if (o->v)
		return o;
	*err = -ENODEV;
	*why = swb_no_volume;
	kref_put(&o->ref, order_release);
	return NULL;
}

static void order_drop(struct swb_order *o)
{
	kref_put(&o->ref, order_release);
}

/* Hand the order to the queue, which ends with the volume. Consumes @o. */
static int order_queue(struct swb_order *o, bool wait, const char **why)
{
	struct swb_volume *v = o->v;
	unsigned long flags;
	int err = 0;

	if (wait)
		kref_get(&o->ref);
	spin_lock_irqsave(&v->lock, flags);
	if (v->removing)
		err = -ENODEV;
	else
		queue_work(v->wq, &o->work);
	spin_unlock_irqrestore(&v->lock, flags);
	if (err) {
		*why = swb_being_removed;
		order_drop(o);
	} else if (wait && !wait_for_completion_timeout(&o->done,
					msecs_to_jiffies(SYNC_WAIT_MS))) {
		*why = "the volume waits for its disk: the order is queued and will be carried out";
		err = -EINPROGRESS;
	}
	if (wait)
		order_drop(o);
	return err;
}

int swb_manage_adopt(u32 id, u64 epoch, const struct swb_uuid *store,
		     u64 store_generation, u64 cookie, const char **why)
{
	struct swb_order *o;
	int err;

	o = order_new(id, SWB_EV_ADOPT_ORDERED, why, &err);
	if (!o)
		return err;
	if (epoch < READ_ONCE(o->v->core.d.epoch)) {
		*why = "a newer epoch was adopted here: read the store again and take a higher one";
		order_drop(o);
		return -ESTALE;
	}
	o->ev.epoch = epoch;
	o->ev.cookie = cookie;
	o->ev.u.adopt.store = *store;
	o->ev.u.adopt.store_generation = store_generation;
	return order_queue(o, false, why);
}

int swb_manage_assign(u32 id, u64 epoch, const struct swb_uuid *primary,
		      const struct swb_config *cfg, const char **why)
{
	struct swb_order *o;
	u64 adopted;
	int err;

	o = order_new(id, SWB_EV_ASSIGNED, why, &err);
	if (!o)
		return err;
	adopted = READ_ONCE(o->v->core.d.epoch);
	if (epoch != adopted) {
		*why = epoch < adopted ?
		       "a newer epoch was adopted here: this assignment is stale" :
		       "this epoch is not adopted here yet: send ADOPT first";
		order_drop(o);
		return -ESTALE;
	}
	o->config = *cfg;
	o->ev.epoch = epoch;
	o->ev.u.assign.primary = *primary;
	o->ev.u.assign.config = &o->config;
	return order_queue(o, true, why);
}

static int lease_ok(u64 end_ns, const char **why)
{
	u64 now_ns = ktime_get_boottime_ns();

	if (!end_ns)
		return 0;
	if (end_ns <= now_ns)
		*why = "the lease ends in the past: take the time before the store is read";
	else if (end_ns - now_ns > LEASE_MAX_NS)
		*why = "the lease ends more than an hour ahead: count CLOCK_BOOTTIME in ns";
	else
		return 0;
	return -ERANGE;
}

int swb_manage_promote(u32 id, const struct swb_cert *cert, u64 lease_end_ns,
		       u64 cookie, const char **why)
{
	struct swb_order *o;
	int err = lease_ok(lease_end_ns, why);

	if (err)
		return err;
	o = order_new(id, SWB_EV_CERTIFIED, why, &err);
	if (!o)
		return err;
	o->cert = kmemdup(cert, sizeof(*cert), GFP_KERNEL);
	if (!o->cert) {
		*why = swb_no_memory;
		order_drop(o);
		return -ENOMEM;
	}
	o->ev.cookie = cookie;
	o->ev.epoch = cert->epoch;
	o->ev.u.cert.cert = o->cert;
	o->ev.u.cert.lease_end_ns = lease_end_ns;
	return order_queue(o, false, why);
}

int swb_manage_lease(u32 id, u64 epoch, u64 end_ns, const char **why)
{
	struct swb_order *o;
	int err = lease_ok(end_ns, why);

	if (err)
		return err;
	o = order_new(id, SWB_EV_LEASE_SET, why, &err);
	if (!o)
		return err;
	if (epoch != READ_ONCE(o->v->core.d.epoch)) {
		*why = "this lease is for another epoch than the adopted one: read the store again";
		err = -ESTALE;
	} else if (READ_ONCE(o->v->core.role) != SWBLOCK_ROLE_PRIMARY) {
		*why = "this member is not primary: only a primary holds a lease";
		err = -EINVAL;
	}
	if (err) {
		order_drop(o);
		return err;
	}
	o->ev.epoch = epoch;
	o->ev.u.lease.end_ns = end_ns;
	return order_queue(o, true, why);
}

static int rebuild_refusal(enum swblock_reason reason, const char **why)
{
	switch (reason) {
	case SWBLOCK_REASON_NONE:
		return 0;
	case SWBLOCK_REASON_NO_ROLE:
		*why = "this member is not primary: only a primary is copied from";
		return -EINVAL;
	case SWBLOCK_REASON_REQUIRED:
		*why = "sync_all requires this member: assign a required set without it first";
		return -EPERM;
	default:
		*why = "no such member in the configuration: assign it first";
		return -ENOENT;
	}
}

int swb_manage_rebuild(u32 id, const struct swb_uuid *peer, u64 cookie,
		       const char **why)
{
	struct swb_order *o;
	unsigned long flags;
	int err;

	o = order_new(id, SWB_EV_REBUILD_ORDERED, why, &err);
	if (!o)
		return err;
	spin_lock_irqsave(&o->v->lock, flags);
	o->ev.peer = swb_core_member_index(&o->v->core.config, peer);
	err = rebuild_refusal(swb_core_rebuild_allowed(&o->v->core, o->ev.peer),
			      why);
	spin_unlock_irqrestore(&o->v->lock, flags);
	if (err) {
		order_drop(o);
		return err;
	}
	o->ev.cookie = cookie;
	return order_queue(o, true, why);
}

int swb_manage_suspend(u32 id, bool suspend, const char **why)
{
	struct swb_order *o;
	int err;

	o = order_new(id, SWB_EV_SUSPEND_ORDERED, why, &err);
	if (!o)
		return err;
	if (suspend && READ_ONCE(o->v->core.role) != SWBLOCK_ROLE_PRIMARY) {
		*why = "this member is not primary: there is no I/O to hold";
		order_drop(o);
		return -EINVAL;
	}
	o->ev.lsn = suspend;
	return order_queue(o, true, why);
}
