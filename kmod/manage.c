// SPDX-License-Identifier: GPL-2.0-only
/*
 * The controller's verbs, and the registry of volumes.
 *
 * Orders to a volume run one after the other on its own work queue: a verb that
 * may take time starts there and returns, one that does not is waited for, but
 * never for long. Attach, removal and demotion, which may wait for other things
 * than the disk, run on a queue of this file.
 *
 * Must not judge what the core judges: it refuses early what is plainly wrong, so
 * that the text arrives with the errno, and hands the rest on.
 *
 * Lock: registry_mutex over the list, its ids and its generation. Context:
 * process; the netlink caller's task, or a worker.
 */
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include "blkdev.h"
#include "core/text.h"
#include "manage.h"
#include "notify.h"
#include "peer.h"
#include "post.h"
#include "write.h"

#define SYNC_WAIT_MS	5000	/* a verb that returns when it is done */
#define DRAIN_MS	30000	/* demotion */
#define LEASE_MAX_NS	(3600ULL * NSEC_PER_SEC)

static const char no_volume[] =
	"no volume with this id: see `swblockctl status`";
static const char being_removed[] =
	"the volume is being removed: wait for the event REMOVED";
static const char no_memory[] = "out of memory: try again";

static DEFINE_MUTEX(registry_mutex);
static LIST_HEAD(registry);
static u32 registry_count;
static u32 registry_generation;
static u32 last_id;
static struct workqueue_struct *manage_wq;

/* ---- registry --------------------------------------------------------- */

struct swb_volume *swb_manage_next(u32 id)
{
	struct swb_volume *v, *found = NULL;

	mutex_lock(&registry_mutex);
	list_for_each_entry(v, &registry, node) {
		if (v->id >= id && (!found || v->id < found->id))
			found = v;
	}
	if (found)
		swb_volume_get(found);
	mutex_unlock(&registry_mutex);
	return found;
}

struct swb_volume *swb_manage_get(u32 id)
{
	struct swb_volume *v = swb_manage_next(id);

	if (v && v->id != id) {
		swb_volume_put(v);
		v = NULL;
	}
	return v;
}

u32 swb_manage_count(void)
{
	u32 count;

	mutex_lock(&registry_mutex);
	count = registry_count;
	mutex_unlock(&registry_mutex);
	return count;
}

u32 swb_manage_generation(void)
{
	return READ_ONCE(registry_generation);
}

/* A copy of a disk has the same replica id: only one of them may be here. */
static int registry_add(struct swb_volume *v)
{
	struct swb_volume *other;
	int err = 0;

	mutex_lock(&registry_mutex);
	list_for_each_entry(other, &registry, node) {
		if (swb_uuid_equal(&other->core.d.replica, &v->core.d.replica))
			err = -EEXIST;
	}
	if (!err) {
		list_add_tail(&v->node, &registry);
		registry_count++;
		registry_generation++;
	}
	mutex_unlock(&registry_mutex);
	return err;
}

static void registry_del(struct swb_volume *v)
{
	mutex_lock(&registry_mutex);
	list_del_init(&v->node);
	registry_count--;
	registry_generation++;
	mutex_unlock(&registry_mutex);
}

static void set_removing(struct swb_volume *v)
{
	unsigned long flags;

	spin_lock_irqsave(&v->lock, flags);
	v->removing = true;
	spin_unlock_irqrestore(&v->lock, flags);
}

/* ---- orders: facts from the controller, on the volume's queue ---------- */

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
	*why = no_memory;
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
	*why = no_volume;
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
		*why = being_removed;
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
		*why = no_memory;
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

/* ---- links and tuning -------------------------------------------------- */

static struct swb_volume *get_living(u32 id, const char **why)
{
	struct swb_volume *v = swb_manage_get(id);

	*why = no_volume;
	if (v && READ_ONCE(v->removing)) {
		*why = being_removed;
		swb_volume_put(v);
		v = NULL;
	}
	return v;
}

int swb_manage_link(u32 id, const struct swb_uuid *peer, int fd, u64 cookie,
		    const char **why)
{
	struct swb_volume *v = get_living(id, why);
	int err;

	if (!v)
		return -ENODEV;
	err = swb_peer_link(v, peer, fd, cookie, why);
	swb_volume_put(v);
	return err;
}

int swb_manage_unlink(u32 id, const struct swb_uuid *peer, const char **why)
{
	struct swb_volume *v = get_living(id, why);
	int err;

	if (!v)
		return -ENODEV;
	err = swb_peer_unlink(v, peer);
	if (err)
		*why = "there is no link to this peer";
	swb_volume_put(v);
	return err;
}

int swb_manage_tune(u32 id, const u32 *io_ms, const u32 *link_ms,
		    const u32 *flush_ms, const char **why)
{
	struct swb_volume *v = get_living(id, why);
	unsigned long flags;

	if (!v)
		return -ENODEV;
	spin_lock_irqsave(&v->lock, flags);
	if (io_ms)
		v->io.deadline_ns = *io_ms * SWB_NSEC_PER_MSEC;
	if (link_ms)
		v->core.tune.link_deadline_ns = *link_ms * SWB_NSEC_PER_MSEC;
	if (flush_ms)
		v->core.tune.flush_interval_ns = *flush_ms * SWB_NSEC_PER_MSEC;
	spin_unlock_irqrestore(&v->lock, flags);
	swb_volume_put(v);
	return 0;
}

/* ---- attach ----------------------------------------------------------- */

/**
 * struct swb_task - attach, removal or demotion, on manage_wq
 * @work: which
 * @v: volume, referenced; NULL for an attach
 * @id: of the volume-to-be
 * @minor: asked for, -1 = any
 * @force: as ordered
 * @cookie: of the order
 * @data: path
 * @wal: path, or NULL
 */
struct swb_task {
	struct work_struct work;
	struct swb_volume *v;
	u32 id;
	int minor;
	bool force;
	u64 cookie;
	char *data;
	char *wal;
};

static void task_free(struct swb_task *t)
{
	if (t->v)
		swb_volume_put(t->v);
	kfree(t->data);
	kfree(t->wal);
	kfree(t);
}

static void stop_and_put(struct swb_volume *v)
{
	set_removing(v);
	swb_write_fail_all(v, BLK_STS_IOERR);
	swb_peer_close_all(v);
	swb_blkdev_destroy(v);
	swb_volume_stop(v);
	swb_volume_put(v);
}

static int attach(struct swb_task *t, u8 *letter, const char **why)
{
	struct swb_notice n = {
		.kind = SWBLOCK_EVENT_READY, .peer = SWB_NOBODY,
		.cookie = t->cookie, .table = SWBLOCK_TABLE_RECOVER,
	};
	struct swb_volume *v;
	int err;

	v = swb_volume_create(t->id, t->data, t->wal, letter, why);
	if (IS_ERR(v))
		return PTR_ERR(v);
	err = swb_blkdev_create(v, t->minor);
	if (err) {
		*why = err == -EEXIST ?
		       "this minor is taken: leave it out, or choose another" :
		       "the block device cannot be made";
		goto stop;
	}
	/* Visible from here on: the last thing that can fail. */
	v->ready = true;
	err = registry_add(v);
	if (err) {
		*why = "this replica is attached already: a copied disk must be formatted";
		goto stop;
	}
	n.letter = *letter;
	n.text = swb_text_case(SWBLOCK_TABLE_RECOVER, *letter);
	swb_notify(v, &n);
	return 0;
stop:
	stop_and_put(v);
	return err;
}

static void attach_work(struct work_struct *work)
{
	struct swb_task *t = container_of(work, struct swb_task, work);
	const char *why = NULL;
	u8 letter = 0;
	int err = attach(t, &letter, &why);

	if (err) {
		pr_info("swblock: cannot attach %s: %s (%d%s%c)\n", t->data,
			why ?: "failed", err, letter ? ", case " : "",
			letter ?: ' ');
		swb_notify_failed(t->id, t->cookie, err, letter, why);
	}
	task_free(t);
}

int swb_manage_add(const char *data, const char *wal, int minor, u64 cookie,
		   u32 *id, const char **why)
{
	struct swb_task *t = kzalloc(sizeof(*t), GFP_KERNEL);

	*why = no_memory;
	if (!t)
		return -ENOMEM;
	INIT_WORK(&t->work, attach_work);
	t->minor = minor;
	t->cookie = cookie;
	t->data = kstrdup(data, GFP_KERNEL);
	t->wal = wal ? kstrdup(wal, GFP_KERNEL) : NULL;
	if (!t->data || (wal && !t->wal)) {
		task_free(t);
		return -ENOMEM;
	}
	mutex_lock(&registry_mutex);
	t->id = ++last_id;
	mutex_unlock(&registry_mutex);
	*id = t->id;
	queue_work(manage_wq, &t->work);
	return 0;
}

/* ---- removal and demotion ---------------------------------------------- */

static struct swb_task *task_new(struct swb_volume *v, u64 cookie, bool force,
				 work_func_t fn)
{
	struct swb_task *t = kzalloc(sizeof(*t), GFP_KERNEL);

	if (!t)
		return NULL;
	INIT_WORK(&t->work, fn);
	t->v = v;
	t->cookie = cookie;
	t->force = force;
	return t;
}

static void remove_work(struct work_struct *work)
{
	struct swb_task *t = container_of(work, struct swb_task, work);
	struct swb_notice n = {
		.kind = SWBLOCK_EVENT_REMOVED, .peer = SWB_NOBODY,
		.cookie = t->cookie,
	};
	struct swb_volume *v = t->v;

	swb_write_fail_all(v, BLK_STS_IOERR);
	swb_peer_close_all(v);
	swb_blkdev_destroy(v);
	swb_volume_stop(v);
	registry_del(v);
	swb_notify(v, &n);
	swb_volume_put(v);	/* the registry's */
	task_free(t);
}

int swb_manage_remove(u32 id, u32 flags, u64 cookie, const char **why)
{
	bool force = flags & SWBLOCK_REMOVE_FORCE;
	struct swb_volume *v = get_living(id, why);
	struct swb_task *t;
	int err;

	if (!v)
		return -ENODEV;
	t = task_new(v, cookie, force, remove_work);
	if (!t) {
		*why = no_memory;
		swb_volume_put(v);
		return -ENOMEM;
	}
	/* The claim stays: nobody opens it any more. */
	err = swb_blkdev_claim(v, force);
	if (err) {
		*why = "the device is open: unmount or close it first, or force the removal";
		task_free(t);
		return err;
	}
	set_removing(v);
	queue_work(manage_wq, &t->work);
	return 0;
}

static void demote_refused(struct swb_task *t)
{
	struct swb_notice n = {
		.kind = SWBLOCK_EVENT_REFUSED, .peer = SWB_NOBODY,
		.cookie = t->cookie, .err = ETIMEDOUT,
		.text = "writes wait, perhaps for a peer: link it, or force the demotion",
	};

	swb_notify(t->v, &n);
}

static void demote_work(struct work_struct *work)
{
	struct swb_task *t = container_of(work, struct swb_task, work);
	struct swb_volume *v = t->v;
	struct swb_event ev = {
		.type = SWB_EV_DEMOTE_ORDERED, .peer = SWB_NOBODY,
		.cookie = t->cookie,
	};

	if (t->force || swb_volume_wait_idle(v, DRAIN_MS))
		swb_post(v, &ev);
	else
		demote_refused(t);
	swb_blkdev_unclaim(v);
	task_free(t);
}

int swb_manage_demote(u32 id, u32 flags, u64 cookie, const char **why)
{
	bool force = flags & SWBLOCK_DEMOTE_FORCE;
	struct swb_volume *v = get_living(id, why);
	struct swb_task *t;
	int err;

	if (!v)
		return -ENODEV;
	t = task_new(v, cookie, force, demote_work);
	if (!t) {
		*why = no_memory;
		swb_volume_put(v);
		return -ENOMEM;
	}
	/* No opener comes while it drains. */
	err = swb_blkdev_claim(v, force);
	if (err) {
		*why = "the device is open: unmount or close it first, or force the demotion";
		task_free(t);
		return err;
	}
	queue_work(manage_wq, &t->work);
	return 0;
}

int swb_manage_init(void)
{
	manage_wq = alloc_workqueue("swb_manage", WQ_UNBOUND, 0);
	return manage_wq ? 0 : -ENOMEM;
}

void swb_manage_exit(void)
{
	destroy_workqueue(manage_wq);
}
