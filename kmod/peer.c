// SPDX-License-Identifier: GPL-2.0-only
/*
 * One link to one peer: lifetime, and the orders of the core to it.
 *
 * Does: take a socket in, start its two threads, make it the volume's current
 * link, replace an older one, note down which frames are ordered, end it.
 * Does not: look into a frame (ship.c, apply.c), decide anything (core).
 *
 *   LINK order -> allocated -> rx installs it -> ... -> closing -> freed
 *                              volume->link[] = l       volume->link[] = NULL
 *
 * A link ends in one of three ways, and all meet in swb_link_close(): the core
 * orders it (swb_peer_close), a thread finds the stream broken (swb_link_fail),
 * or the volume goes away (swb_peer_close_all). From then on tx sends at most
 * one CLOSE frame and the socket is shut down, after a second in any case, which
 * makes both threads return. The last reference queues free_work, which waits
 * for the threads: no thread ever waits for itself.
 *
 * Lock: v->lock (irqsave) for volume->link[] and the fields marked so in peer.h;
 * links_lock for the list of all links. Context: said at each function.
 */
#include <linux/kthread.h>
#include <linux/slab.h>
#include "peer.h"
#include "post.h"

#define LAST_WORDS_JIFFIES	HZ

static DEFINE_SPINLOCK(links_lock);
static LIST_HEAD(links);
static DECLARE_WAIT_QUEUE_HEAD(links_wait);
static struct workqueue_struct *link_wq;
static u64 link_seq;

int swb_peer_init(void)
{
	link_wq = alloc_workqueue("swb-link", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return link_wq ? 0 : -ENOMEM;
}

void swb_peer_exit(void)
{
	destroy_workqueue(link_wq);
}

/* ---- references -------------------------------------------------------- */

static void link_free_buffers(struct swb_link *l)
{
	kfree(l->tx_facts);
	kfree(l->facts_buf);
	kfree(l->rx_facts);
	kfree(l->rx_body);
	kfree(l->lend.data);
	kfree(l->lend.tx_data);
	kfree(l);
}

static void join(struct task_struct *task)
{
	if (!task)
		return;
	kthread_stop(task);
	put_task_struct(task);
}

static void link_free_work(struct work_struct *work)
{
	struct swb_link *l = container_of(work, struct swb_link, free_work);
	struct swb_volume *v = l->v;

	join(l->rx);
	join(l->tx);
	swb_sockets_release(&l->sockets);
	spin_lock(&links_lock);
	list_del(&l->node);
	spin_unlock(&links_lock);
	link_free_buffers(l);
	wake_up_all(&links_wait);
	swb_volume_put(v);
}

static void link_release(struct kref *ref)
{
	struct swb_link *l = container_of(ref, struct swb_link, ref);

	queue_work(link_wq, &l->free_work);
}

void swb_link_get(struct swb_link *l)
{
	kref_get(&l->ref);
}

void swb_link_put(struct swb_link *l)
{
	kref_put(&l->ref, link_release);
}

/* The current link to @peer, with a reference, or NULL. */
static struct swb_link *link_current(struct swb_volume *v, u8 peer)
{
	struct swb_link *l;
	unsigned long flags;

	if (peer >= SWB_MEMBERS_MAX)
		return NULL;
	spin_lock_irqsave(&v->lock, flags);
	l = v->link[peer];
	if (l)
		swb_link_get(l);
	spin_unlock_irqrestore(&v->lock, flags);
	return l;
}

void swb_peer_set_deadline(struct swb_volume *v, u32 deadline_ms)
{
	struct swb_link *l;
	u8 i;

	for (i = 0; i < SWB_MEMBERS_MAX; i++) {
		l = link_current(v, i);
		if (!l)
			continue;
		swb_sockets_set_deadline(&l->sockets, deadline_ms);
		swb_link_put(l);
	}
}

/* ---- the end of a link -------------------------------------------------- */

static void link_kill_work(struct work_struct *work)
{
	struct swb_link *l = container_of(to_delayed_work(work),
					  struct swb_link, kill_work);

	swb_sockets_shutdown(&l->sockets);
	swb_link_put(l);
}

/* Bounds whatever the threads are doing now. */
void swb_link_kill_later(struct swb_link *l)
{
	swb_link_get(l);
	if (!queue_delayed_work(link_wq, &l->kill_work, LAST_WORDS_JIFFIES))
		swb_link_put(l);
}

void swb_link_close(struct swb_link *l, u32 reason)
{
	struct swb_volume *v = l->v;
	bool detach, first, tell;
	unsigned long flags;

	spin_lock_irqsave(&v->lock, flags);
	detach = v->link[l->peer] == l;
	if (detach)
		v->link[l->peer] = NULL;
	first = !l->closing;
	tell = l->pending & BIT(SWB_SEND_CLOSE);
	WRITE_ONCE(l->closing, true);
	if (first && !tell)
		l->close_reason = reason;
	spin_unlock_irqrestore(&v->lock, flags);

	if (first) {
		wake_up(&l->wait);
		if (tell)
			swb_link_kill_later(l);
		else
			swb_sockets_shutdown(&l->sockets);
	}
	if (detach)
		swb_link_put(l);
}

/* Ask tx for a CLOSE frame; the first reason stays. */
static void link_tell(struct swb_link *l, u32 reason)
{
	unsigned long flags;

	spin_lock_irqsave(&l->v->lock, flags);
	if (!l->closing && !(l->pending & BIT(SWB_SEND_CLOSE))) {
		l->pending |= BIT(SWB_SEND_CLOSE);
		l->close_reason = reason;
	}
	spin_unlock_irqrestore(&l->v->lock, flags);
}

void swb_link_fail(struct swb_link *l, u32 reason, bool tell)
{
	struct swb_event ev = {
		.type = SWB_EV_LINK_LOST,
		.peer = l->peer,
		.reason = reason,
	};

	if (READ_ONCE(l->closing))
		return;
	if (tell)
		link_tell(l, reason);
	swb_post_link(l->v, l, &ev);	/* the core orders CLOSE_LINK, or ... */
	swb_link_close(l, reason);	/* ... it did not know of the link */
}

u32 swb_link_lost_reason(int err)
{
	switch (err) {
	case -EPIPE:
		return SWBLOCK_REASON_PEER_CLOSED;
	case -ETIMEDOUT:
		return SWBLOCK_REASON_TIMEOUT;
	default:
		return SWBLOCK_REASON_SOCKET_ERROR;
	}
}

void swb_peer_close(struct swb_volume *v, u8 peer, u32 reason)
{
	struct swb_link *l = link_current(v, peer);

	if (!l)
		return;
	swb_link_close(l, reason);
	swb_link_put(l);
}

/* The first link of @v that is not closing, or just any, with a reference. */
static struct swb_link *link_of_volume(struct swb_volume *v,
				       const struct swb_uuid *uuid)
{
	struct swb_link *l, *found = NULL;

	spin_lock(&links_lock);
	list_for_each_entry(l, &links, node) {
		if (l->v != v || READ_ONCE(l->closing))
			continue;
		if (uuid && !swb_uuid_equal(uuid, &l->uuid))
			continue;
		if (kref_get_unless_zero(&l->ref)) {
			found = l;
			break;
		}
	}
	spin_unlock(&links_lock);
	return found;
}

static bool volume_has_links(struct swb_volume *v)
{
	struct swb_link *l;
	bool any = false;

	spin_lock(&links_lock);
	list_for_each_entry(l, &links, node)
		any |= l->v == v;
	spin_unlock(&links_lock);
	return any;
}

void swb_peer_close_all(struct swb_volume *v)
{
	struct swb_link *l;

	might_sleep();
	while ((l = link_of_volume(v, NULL))) {
		link_tell(l, SWBLOCK_REASON_REMOVED);
		swb_link_close(l, SWBLOCK_REASON_REMOVED);
		swb_link_put(l);
	}
	wait_event_idle(links_wait, !volume_has_links(v));
}

/* ---- the beginning ------------------------------------------------------ */

static struct swb_link *link_alloc(void)
{
	struct swb_link *l = kzalloc(sizeof(*l), GFP_KERNEL);

	if (!l)
		return NULL;
	l->tx_facts = kzalloc(sizeof(*l->tx_facts), GFP_KERNEL);
	l->facts_buf = kzalloc(sizeof(*l->facts_buf), GFP_KERNEL);
	l->rx_facts = kzalloc(sizeof(*l->rx_facts), GFP_KERNEL);
	l->rx_body = kzalloc(SWB_WIRE_BODY_MAX, GFP_KERNEL);
	l->lend.data = kmalloc(SWB_WIRE_READ_MAX, GFP_KERNEL);
	l->lend.tx_data = kmalloc(SWB_WIRE_READ_MAX, GFP_KERNEL);
	if (!l->tx_facts || !l->facts_buf || !l->rx_facts || !l->rx_body ||
	    !l->lend.data || !l->lend.tx_data) {
		link_free_buffers(l);
		return NULL;
	}
	kref_init(&l->ref);
	init_waitqueue_head(&l->wait);
	swb_sockets_init(&l->sockets);
	INIT_DELAYED_WORK(&l->kill_work, link_kill_work);
	INIT_WORK(&l->free_work, link_free_work);
	return l;
}

static struct task_struct *make_thread(int (*body)(void *), struct swb_link *l,
				       const char *what)
{
	struct task_struct *t;

	t = kthread_create(body, l, "swb-%s/%u.%u", what, l->v->id, l->peer);
	return IS_ERR(t) ? NULL : get_task_struct(t);
}

static int link_start(struct swb_link *l)
{
	l->rx = make_thread(swb_apply_thread, l, "rx");
	l->tx = make_thread(swb_ship_thread, l, "tx");
	if (!l->rx || !l->tx) {
		/* never woken, so they end without having begun */
		join(l->rx);
		join(l->tx);
		return -ENOMEM;
	}
	return 0;
}

/* From here on swb_peer_close_all() finds it. */
static int link_publish(struct swb_link *l)
{
	int err = 0;

	spin_lock(&links_lock);
	if (READ_ONCE(l->v->removing)) {
		err = -ENODEV;
	} else {
		l->seq = ++link_seq;
		list_add_tail(&l->node, &links);
	}
	spin_unlock(&links_lock);
	return err;
}

static int find_member(struct swb_volume *v, const struct swb_uuid *uuid,
		       u8 *index, const char **why)
{
	unsigned long flags;
	bool self;

	spin_lock_irqsave(&v->lock, flags);
	*index = swb_core_member_index(&v->core.config, uuid);
	self = swb_uuid_equal(uuid, &v->core.d.replica);
	spin_unlock_irqrestore(&v->lock, flags);
	if (self) {
		*why = "that is this member itself: link it to another one";
		return -EINVAL;
	}
	if (*index == SWB_NOBODY) {
		*why = "no such member in the configuration: assign it first";
		return -ENOENT;
	}
	return 0;
}

/* Has the session that is running moved to @fd? -EAGAIN: there is none that can. */
static int try_relink(struct swb_volume *v, const struct swb_uuid *uuid, int fd,
		      u64 move, u32 deadline_ms, const char **why)
{
	struct swb_link *l;
	int err;
	u8 peer;

	if (!move)
		return -EAGAIN;
	err = find_member(v, uuid, &peer, why);
	if (err)
		return err;
	l = link_current(v, peer);
	if (!l)
		return -EAGAIN;
	err = swb_relink(l, fd, move, deadline_ms, why);
	swb_link_put(l);
	return err;
}

int swb_peer_link(struct swb_volume *v, const struct swb_uuid *peer_uuid, int fd,
		  u64 move, u64 cookie, const char **why)
{
	u32 deadline_ms = div_u64(v->core.tune.link_deadline_ns,
				  SWB_NSEC_PER_MSEC);
	struct swb_link *l;
	int err;

	err = try_relink(v, peer_uuid, fd, move, deadline_ms, why);
	if (err != -EAGAIN)
		return err;
	*why = "out of memory: try again";
	l = link_alloc();
	if (!l)
		return -ENOMEM;
	l->v = v;
	l->uuid = *peer_uuid;
	l->cookie = cookie;
	err = find_member(v, peer_uuid, &l->peer, why);
	if (err)
		goto err_free;
	err = swb_sockets_adopt(&l->sockets, fd, deadline_ms, why);
	if (err)
		goto err_free;
	err = link_start(l);
	if (err)
		goto err_release;
	err = link_publish(l);
	if (err) {
		*why = "the volume is being removed: add it again first";
		goto err_join;
	}
	swb_volume_get(v);
	kref_get(&l->ref);	/* one for each thread */
	wake_up_process(l->tx);
	wake_up_process(l->rx);
	return 0;

err_join:
	join(l->rx);
	join(l->tx);
err_release:
	swb_sockets_release(&l->sockets);
err_free:
	link_free_buffers(l);
	return err;
}

/* One attempt to take the place; returns the link in the way, referenced. */
static struct swb_link *try_install(struct swb_link *l)
{
	struct swb_volume *v = l->v;
	struct swb_link *old = NULL;
	unsigned long flags;
	u8 peer;

	spin_lock_irqsave(&v->lock, flags);
	peer = swb_core_member_index(&v->core.config, &l->uuid);
	if (peer == SWB_NOBODY || v->removing) {
		l->pending |= BIT(SWB_SEND_CLOSE);
		l->close_reason = SWBLOCK_REASON_FOREIGN_REPLICA;
	} else if (!l->closing) {
		l->peer = peer;
		old = v->link[peer];
		if (old) {
			swb_link_get(old);
		} else {
			v->link[peer] = l;
			swb_link_get(l);
		}
	}
	spin_unlock_irqrestore(&v->lock, flags);
	return old;
}

bool swb_link_install(struct swb_link *l)
{
	struct swb_event ev = { .type = SWB_EV_LINKED, .cookie = l->cookie };
	struct swb_link *old;

	while ((old = try_install(l))) {
		bool older = old->seq < l->seq;

		if (older)
			swb_link_fail(old, SWBLOCK_REASON_REPLACED, true);
		swb_link_put(old);
		if (!older)
			break;
	}
	ev.peer = l->peer;
	if (!old && swb_post_link(l->v, l, &ev))
		return true;
	swb_link_close(l, SWBLOCK_REASON_REPLACED);
	return false;
}

/* ---- orders ------------------------------------------------------------- */

int swb_peer_unlink(struct swb_volume *v, const struct swb_uuid *peer_uuid)
{
	struct swb_link *l = link_of_volume(v, peer_uuid);
	unsigned long flags;

	if (!l)
		return -ENOTCONN;
	spin_lock_irqsave(&v->lock, flags);
	l->pending |= BIT(SWB_SEND_UNLINK);
	spin_unlock_irqrestore(&v->lock, flags);
	wake_up(&l->wait);
	swb_link_kill_later(l);	/* tx may be stuck in a send */
	swb_link_put(l);
	return 0;
}

static void note_order(struct swb_link *l, const struct swb_action *act,
		       unsigned int what)
{
	switch (what) {
	case SWB_SEND_OPEN:
	case SWB_SEND_FACTS:
		l->session = act->a;
		break;
	case SWB_SEND_START:
		l->start_from = act->a;
		l->start_truncate_to = act->b;
		l->start_target = act->c;
		l->start_kind = act->d;
		break;
	case SWB_SEND_PING:
		l->ping_flush_lsn = max(l->ping_flush_lsn, act->a);
		break;
	case SWB_SEND_CLOSE:
		l->close_reason = act->a;
		break;
	}
	l->pending |= BIT(what);
}

void swb_peer_send(struct swb_volume *v, const struct swb_action *act,
		   unsigned int what)
{
	struct swb_link *l;
	unsigned long flags;

	if (act->peer >= SWB_MEMBERS_MAX)
		return;
	spin_lock_irqsave(&v->lock, flags);
	l = v->link[act->peer];
	if (l && !l->closing) {
		note_order(l, act, what);
		wake_up(&l->wait);
	}
	spin_unlock_irqrestore(&v->lock, flags);
}

void swb_peer_kick(struct swb_volume *v)
{
	unsigned long flags;
	u64 from, session;
	u32 i;

	spin_lock_irqsave(&v->lock, flags);
	for (i = 0; i < SWB_MEMBERS_MAX; i++) {
		struct swb_link *l = v->link[i];

		if (!l || l->closing)
			continue;
		/* a group that still gathers wakes nobody: its submission will */
		from = swb_core_ship_from(&v->core, i, &session);
		if (!from || from > v->wal.submitted_lsn)
			continue;
		l->pending |= BIT(SWB_SEND_SHIP);
		wake_up(&l->wait);
	}
	spin_unlock_irqrestore(&v->lock, flags);
}

void swb_peer_reopen(struct swb_volume *v)
{
	unsigned long flags;
	u32 i;

	spin_lock_irqsave(&v->lock, flags);
	for (i = 0; i < SWB_MEMBERS_MAX; i++) {
		struct swb_link *l = v->link[i];

		if (!l || l->closing || !l->window_closed)
			continue;
		l->pending |= BIT(SWB_SEND_SHIP);
		wake_up(&l->wait);
	}
	spin_unlock_irqrestore(&v->lock, flags);
}
