// SPDX-License-Identifier: GPL-2.0-only
/*
 * The central master: epochs, leases, addresses by heartbeat, promotion by
 * health. It asks nobody how far a log goes beyond what heartbeats said.
 */
#include <string.h>

#include "older.h"

#define ORDER_NS	(2 * SIM_MSEC)

static struct master *of(struct lab *l)
{
	return &old_kind(l)->master;
}

static bool reached(struct lab *l, u8 n)
{
	return old_member(l, n)->up && (l->w.control.reach & (1u << n));
}

/* ---- orders that arrive -------------------------------------------------------- */

static void set_ships(struct lab *l, struct older *m, bool seeded)
{
	struct master *a = of(l);

	for (u8 i = 0; i < l->nodes; i++) {
		if (i == m->id)
			continue;
		if (a->members & (1u << i))
			ship_set(l, m, i, a->address[i], seeded);
		else
			ship_drop(l, m, i);
	}
}

static void be_primary(struct world *w, struct task *t)
{
	struct lab *l = lab_of(w);
	struct older *m = old_member(l, (u8)t->a);
	struct master *a = of(l);

	if (!reached(l, m->id) || a->epoch != t->b || a->primary != m->id)
		return;
	m->epoch = a->epoch;
	m->role = OLD_PRIMARY;
	m->lease_end_ns = w->clock.now_ns + w->shape.lease_ns;
	a->lease_end_ns = m->lease_end_ns;
	old_save(m);
	disk_flush_end(m->disk, disk_flush_begin(m->disk));
	set_ships(l, m, a->epoch > 1);
	lab_trace(l, m->id, "primary of epoch %llu, log ends at %llu",
		  (unsigned long long)m->epoch, (unsigned long long)old_head(m));
	if (a->promotion == PROMOTION_PENDING)
		a->promotion = PROMOTION_DONE;
}

static void refresh(struct world *w, struct task *t)
{
	struct lab *l = lab_of(w);
	u8 p = master_primary(l);

	(void)t;
	if (p != LAB_NOBODY && reached(l, p))
		set_ships(l, old_member(l, p), true);
}

void master_refresh(struct lab *l)
{
	lab_later(l, SIM_NOBODY, ORDER_NS, refresh, 0, 0);
}

static void be_replica(struct world *w, struct task *t)
{
	struct lab *l = lab_of(w);
	struct older *m = old_member(l, (u8)t->a);
	struct master *a = of(l);
	bool was_primary = m->role == OLD_PRIMARY;

	if (!reached(l, m->id) || a->primary == m->id)
		return;
	if (was_primary)
		for (u8 i = 0; i < l->nodes; i++)
			ship_drop(l, m, i);
	m->epoch = a->epoch;
	old_save(m);
	disk_flush_end(m->disk, disk_flush_begin(m->disk));
	if (m->role == OLD_REBUILDING)
		return;
	if (t->b && old_policy(l)->rejoin_by_copy) {
		copy_start(l, m);
		return;
	}
	if (m->role != OLD_REPLICA && old_policy(l)->restores_progress)
		m->received = old_head(m);
	m->role = OLD_REPLICA;
	take_tick(l, m);
}

/* A member told to be replica; @copy: whatever it holds is not trusted. */
static void order_replica(struct lab *l, u8 n, bool copy)
{
	lab_later(l, SIM_NOBODY, ORDER_NS + of(l)->delay_ns[n], be_replica, n, copy);
}

void master_create(struct lab *l)
{
	struct master *a = of(l);

	memset(a, 0, sizeof(*a));
	a->primary = LAB_NOBODY;
	a->members = (1u << l->nodes) - 1;
	for (u8 i = 0; i < l->nodes; i++) {
		a->address[i] = old_member(l, i)->address;
		a->health[i] = 100;
	}
}

/* ---- promotion ------------------------------------------------------------------------ */

static bool may_lead(struct lab *l, u8 n)
{
	struct master *a = of(l);

	if (!reached(l, n) || !(a->members & (1u << n)) ||
	    old_member(l, n)->role == OLD_REBUILDING)
		return false;
	if (a->lag_limit && a->primary != LAB_NOBODY &&
	    old_head(old_member(l, n)) + OLD_LAG_MAX < a->head[a->primary])
		return false;
	return true;
}

static u8 choose(struct lab *l)
{
	struct master *a = of(l);
	u8 best = LAB_NOBODY;

	if (a->want != LAB_NOBODY)
		return may_lead(l, a->want) ? a->want : LAB_NOBODY;
	for (u8 i = 0; i < l->nodes; i++) {
		struct candidate c = { old_head(old_member(l, i)), a->health[i] }, b;

		if (!may_lead(l, i) || i == a->primary)
			continue;
		if (best != LAB_NOBODY)
			b = (struct candidate){ old_head(old_member(l, best)),
						a->health[best] };
		if (best == LAB_NOBODY || old_policy(l)->better(&c, &b))
			best = i;
	}
	return best;
}

static void decide(struct world *w, struct task *t)
{
	struct lab *l = lab_of(w);
	struct master *a = of(l);
	u8 old = a->primary, next;

	(void)t;
	if (w->shape.lease_ns && old != LAB_NOBODY && w->clock.now_ns < a->lease_end_ns) {
		lab_later(l, SIM_NOBODY, a->lease_end_ns - w->clock.now_ns, decide, 0, 0);
		return;
	}
	next = choose(l);
	if (next == LAB_NOBODY) {
		a->promotion = PROMOTION_REFUSED;
		return;
	}
	a->epoch++;
	a->primary = next;
	if (old != LAB_NOBODY && old != next)
		a->pending |= 1u << old;
	lab_later(l, SIM_NOBODY, ORDER_NS, be_primary, next, a->epoch);
	for (u8 i = 0; i < l->nodes; i++)
		if (i != next && reached(l, i))
			order_replica(l, i, false);
}

void master_promote(struct lab *l, u8 want, u32 required, bool override)
{
	(void)required;
	(void)override;
	of(l)->want = want;
	of(l)->promotion = PROMOTION_PENDING;
	lab_later(l, SIM_NOBODY, ORDER_NS, decide, 0, 0);
}

enum lab_promotion master_promoted(struct lab *l)
{
	return of(l)->promotion;
}

u8 master_primary(struct lab *l)
{
	u8 p = of(l)->primary;

	if (p == LAB_NOBODY || !old_member(l, p)->up ||
	    old_member(l, p)->role != OLD_PRIMARY ||
	    old_member(l, p)->epoch != of(l)->epoch)
		return LAB_NOBODY;
	return p;
}

/* ---- members come, go and beat ----------------------------------------------------------- */

void master_remove(struct lab *l, u8 n)
{
	of(l)->members &= ~(1u << n);
	master_refresh(l);
}

static void registered(struct lab *l, u8 n, bool copy)
{
	struct master *a = of(l);

	a->pending &= ~(1u << n);
	if (a->primary == n) {
		lab_later(l, SIM_NOBODY, ORDER_NS, be_primary, n, a->epoch);
		return;
	}
	order_replica(l, n, copy);
	/* the sender is made anew: V1 then ships what comes next, and only that */
	lab_later(l, SIM_NOBODY, 2 * ORDER_NS, refresh, 0, 0);
}

static void returned(struct world *w, struct task *t)
{
	struct lab *l = lab_of(w);

	if (reached(l, (u8)t->a))
		registered(l, (u8)t->a, t->b != RETURN_QUICK && t->b != RETURN_ADDRESS);
}

void master_returned(struct lab *l, u8 n, enum lab_return how)
{
	lab_later(l, SIM_NOBODY, ORDER_NS, returned, n, how);
}

static void tend_primary(struct lab *l, struct older *m)
{
	struct master *a = of(l);

	m->lease_end_ns = l->w.clock.now_ns + l->w.shape.lease_ns;
	a->lease_end_ns = m->lease_end_ns;
	for (u8 i = 0; i < l->nodes; i++) {
		struct older *r = old_member(l, i);

		if (!m->ship[i].exists || !reached(l, i) ||
		    m->ship[i].state != SHIP_NEEDS_REBUILD)
			continue;
		if (r->role == OLD_REPLICA && r->epoch == a->epoch)
			copy_start(l, r);
	}
}

static void tend_replica(struct lab *l, struct older *m)
{
	struct master *a = of(l);
	const struct policy *p = old_policy(l);

	if (p->address_refresh && a->address[m->id] != m->address) {
		a->address[m->id] = m->address;
		master_refresh(l);
	}
	if (m->role == OLD_PRIMARY || m->role == OLD_NONE || m->epoch != a->epoch) {
		bool copy = a->pending & (1u << m->id);

		registered(l, m->id, copy);
		return;
	}
	if (m->role == OLD_REBUILDING && p->retries && !m->target.active)
		copy_start(l, m);
	/* V1.5 makes a new sender after a rebuild; V1 made it before */
	if (m->copied && p->retries)
		master_refresh(l);
	m->copied = false;
}

void master_heartbeat(struct world *w, struct task *t)
{
	struct lab *l = lab_of(w);
	struct older *m = old_member(l, t->node);
	struct master *a = of(l);

	lab_later(l, m->id, OLD_HEARTBEAT_NS, master_heartbeat, 0, 0);
	if (!reached(l, m->id) || a->primary == LAB_NOBODY ||
	    a->promotion == PROMOTION_PENDING)
		return;
	a->head[m->id] = old_head(m);
	if (a->primary == m->id && m->role == OLD_PRIMARY)
		tend_primary(l, m);
	else if (a->primary == m->id)
		registered(l, m->id, false);
	else
		tend_replica(l, m);
}

/* What was left to an operator: restart the server, so that it is rebuilt. */
bool master_rescue(struct lab *l)
{
	u8 p = master_primary(l);
	bool any = false;

	for (u8 i = 0; p != LAB_NOBODY && i < l->nodes; i++) {
		if (i == p || !old_member(l, i)->up || lab_equal(l, p, i))
			continue;
		of(l)->members |= 1u << i;
		of(l)->address[i] = old_member(l, i)->address;
		of(l)->pending |= 1u << i;
		lab_crash(l, i, DISK_KEEP_ALL);
		old_restart(l, i, RETURN_SAME);
		any = true;
	}
	return any;
}
