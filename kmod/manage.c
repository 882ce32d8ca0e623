// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registry of volumes, and the controller's verbs, except those that are a
 * fact for the core (order.c). Attach, removal and demotion may wait for long: they
 * run on a queue of this file, and end in an event.
 *
 * Must not judge what the core judges: it refuses early what is plainly wrong, so
 * that the text arrives with the errno, and hands the rest on.
 *
 * Lock: registry_mutex over the list, its ids and its generation. Context:
 * process; the netlink caller's task, or a worker.
 */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include "blkdev.h"
#include "core/text.h"
#include "debug.h"
#include "manage.h"
#include "notify.h"
#include "peer.h"
#include "post.h"
#include "write.h"

#define DRAIN_MS	30000	/* demotion */
#define DRAIN_STEP_MS	200

const char *const swb_no_volume =
	"no volume with this id: see `swblockctl status`";
const char *const swb_being_removed =
	"the volume is being removed: wait for the event REMOVED";
const char *const swb_no_memory = "out of memory: try again";

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

/* False if somebody else is removing it already. */
static bool set_removing(struct swb_volume *v)
{
	unsigned long flags;
	bool first;

	spin_lock_irqsave(&v->lock, flags);
	first = !v->removing;
	if (first)
		swb_volume_removing(v);
	spin_unlock_irqrestore(&v->lock, flags);
	return first;
}

/* ---- links and tuning -------------------------------------------------- */

static struct swb_volume *get_living(u32 id, const char **why)
{
	struct swb_volume *v = swb_manage_get(id);

	*why = swb_no_volume;
	if (v && READ_ONCE(v->removing)) {
		*why = swb_being_removed;
		swb_volume_put(v);
		v = NULL;
	}
	return v;
}

int swb_manage_link(u32 id, const struct swb_uuid *peer, int fd, u64 move,
		    u64 cookie, const char **why)
{
	struct swb_volume *v = get_living(id, why);
	int err;

	if (!v)
		return -ENODEV;
	err = swb_peer_link(v, peer, fd, move, cookie, why);
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

int swb_manage_verify(u32 id, u32 flags, u64 cookie, const char **why)
{
	struct swb_volume *v = get_living(id, why);
	int err;

	if (!v)
		return -ENODEV;
	err = swb_verify_start(v, flags & SWBLOCK_VERIFY_REPAIR, cookie, why);
	swb_volume_put(v);
	return err;
}

int swb_manage_verify_stop(u32 id, const char **why)
{
	struct swb_volume *v = get_living(id, why);
	int err;

	if (!v)
		return -ENODEV;
	err = swb_verify_cancel(v, why);
	swb_volume_put(v);
	return err;
}

int swb_manage_resize(u32 id, u64 bytes, u64 cookie, const char **why)
{
	struct swb_volume *v = get_living(id, why);
	int err;

	if (!v)
		return -ENODEV;
	err = swb_resize_start(v, bytes, cookie, why);
	swb_volume_put(v);
	return err;
}

static void set_ns(u64 *ns, u64 ms)
{
	if (ms != SWB_LEAVE)
		*ns = ms * SWB_NSEC_PER_MSEC;
}

int swb_manage_tune(u32 id, const struct swb_limits *wanted, const char **why)
{
	struct swb_volume *v = get_living(id, why);
	struct swb_tune *t;
	unsigned long flags;

	if (!v)
		return -ENODEV;
	t = &v->core.tune;
	spin_lock_irqsave(&v->lock, flags);
	set_ns(&v->io.deadline_ns, wanted->io_ms);
	set_ns(&t->link_deadline_ns, wanted->link_ms);
	set_ns(&t->flush_interval_ns, wanted->flush_ms);
	set_ns(&t->catchup_stall_ns, wanted->catchup_ms);
	if (wanted->rebuild_auto != SWB_LEAVE)
		t->rebuild_auto = wanted->rebuild_auto;
	if (wanted->rebuild_rate != SWB_LEAVE)
		v->rebuild.rate_max = wanted->rebuild_rate;
	if (wanted->catchup_bytes != SWB_LEAVE)
		v->catchup_max_bytes = wanted->catchup_bytes;
	spin_unlock_irqrestore(&v->lock, flags);
	if (wanted->link_ms != SWB_LEAVE)
		swb_peer_set_deadline(v, wanted->link_ms);
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
	/* swb_manage_exit() waits for the worker that is about to return. */
	module_put(THIS_MODULE);
}

/* A task holds the module: none may begin while that is being unloaded. */
static struct swb_task *task_new(struct swb_volume *v, u64 cookie, bool force,
				 work_func_t fn)
{
	struct swb_task *t;

	if (!try_module_get(THIS_MODULE))
		return NULL;
	t = kzalloc(sizeof(*t), GFP_KERNEL);
	if (!t) {
		module_put(THIS_MODULE);
		return NULL;
	}
	INIT_WORK(&t->work, fn);
	t->v = v;
	t->cookie = cookie;
	t->force = force;
	return t;
}

static void stop_and_put(struct swb_volume *v)
{
	set_removing(v);
	swb_write_fail_all(v, BLK_STS_IOERR);
	swb_verify_stop(v);
	swb_mend_stop(v);
	swb_peer_close_all(v);
	swb_blkdev_destroy(v);
	swb_volume_stop(v);
	swb_debug_remove(v);
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
	/* before anybody can ask for its removal */
	swb_debug_add(v);
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
	struct swb_task *t = task_new(NULL, cookie, false, attach_work);

	*why = swb_no_memory;
	if (!t)
		return -ENOMEM;
	t->minor = minor;
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

static void remove_work(struct work_struct *work)
{
	struct swb_task *t = container_of(work, struct swb_task, work);
	struct swb_notice n = {
		.kind = SWBLOCK_EVENT_REMOVED, .peer = SWB_NOBODY,
		.cookie = t->cookie,
	};
	struct swb_volume *v = t->v;

	swb_write_fail_all(v, BLK_STS_IOERR);
	swb_verify_stop(v);
	swb_mend_stop(v);
	/* A demotion gives up, but it may be in a step, and has a claim to return. */
	wait_event_idle(v->post.wait, !atomic_read(&v->demotions));
	swb_peer_close_all(v);
	swb_blkdev_destroy(v);
	swb_volume_stop(v);
	swb_debug_remove(v);
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
		*why = swb_no_memory;
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
	if (!set_removing(v)) {
		*why = swb_being_removed;	/* which keeps the claim */
		task_free(t);
		return -ENODEV;
	}
	queue_work(manage_wq, &t->work);
	return 0;
}

/* Counted, so that a removal knows whom to wait for; false if one has begun. */
static bool demotion_begin(struct swb_volume *v)
{
	unsigned long flags;
	bool living;

	spin_lock_irqsave(&v->lock, flags);
	living = !v->removing;
	if (living)
		atomic_inc(&v->demotions);
	spin_unlock_irqrestore(&v->lock, flags);
	return living;
}

static void demotion_end(struct swb_volume *v)
{
	swb_blkdev_unclaim(v);
	if (atomic_dec_and_test(&v->demotions))
		wake_up(&v->post.wait);
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

/* Nothing is in flight any more. A removal lets a demotion go at once. */
static bool drained(struct swb_volume *v)
{
	unsigned long end = jiffies + msecs_to_jiffies(DRAIN_MS);

	do {
		if (swb_volume_wait_idle(v, DRAIN_STEP_MS))
			return true;
	} while (!READ_ONCE(v->removing) && time_before(jiffies, end));
	return false;
}

static void demote_work(struct work_struct *work)
{
	struct swb_task *t = container_of(work, struct swb_task, work);
	struct swb_volume *v = t->v;
	struct swb_event ev = {
		.type = SWB_EV_DEMOTE_ORDERED, .peer = SWB_NOBODY,
		.cookie = t->cookie,
	};

	if (t->force || drained(v))
		swb_post(v, &ev);
	else
		demote_refused(t);
	demotion_end(v);
	task_free(t);
}

/* Held I/O of a primary that was fenced can be given up by a demotion, too. */
static bool can_demote(struct swb_volume *v)
{
	unsigned long flags;
	bool can;

	spin_lock_irqsave(&v->lock, flags);
	can = v->core.role == SWBLOCK_ROLE_PRIMARY || v->core.was_primary;
	spin_unlock_irqrestore(&v->lock, flags);
	return can;
}

int swb_manage_demote(u32 id, u32 flags, u64 cookie, const char **why)
{
	bool force = flags & SWBLOCK_DEMOTE_FORCE;
	struct swb_volume *v = get_living(id, why);
	struct swb_task *t;
	int err;

	if (!v)
		return -ENODEV;
	if (!can_demote(v)) {
		*why = "this member is not primary: there is nothing to demote";
		swb_volume_put(v);
		return -EINVAL;
	}
	t = task_new(v, cookie, force, demote_work);
	if (!t) {
		*why = swb_no_memory;
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
	if (!demotion_begin(v)) {
		*why = swb_being_removed;	/* which keeps the claim */
		task_free(t);
		return -ENODEV;
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
