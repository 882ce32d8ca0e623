// SPDX-License-Identifier: GPL-2.0-only
/*
 * Times of the stages of a write: counts them, and computes those that span the
 * way of a group to a member and back. Must not decide anything, wait, allocate,
 * or read a clock: who notes a time has read it already, mostly for another
 * purpose (docs/design/observability.md says how many reads a write costs).
 *
 *	sealed ------> shipped[i] ------> ack i: received, written
 *	opened --------------------------------------------------> C
 *
 * Marks are in the order of LSN, and each member's progress walks along them. A
 * mark whose place is needed before it is done is given up and counted as missed.
 *
 * Turned off, no mark is made: acks and C find none to walk along.
 *
 * Lock: the member's for marks; none for histograms. Context: any.
 */
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "lat.h"
#include "trace.h"

#define NO_PLACE	0xff

/* Where a stage stands in struct swb_lat_own. */
static const u8 own_place[] = {
	[0]				= NO_PLACE,
	[SWBLOCK_STAGE_ADMIT]		= 0,
	[SWBLOCK_STAGE_APPEND]		= 1,
	[SWBLOCK_STAGE_PERSIST]		= 2,
	[SWBLOCK_STAGE_SHIP]		= NO_PLACE,
	[SWBLOCK_STAGE_PEER_RECEIVE]	= NO_PLACE,
	[SWBLOCK_STAGE_PEER_PERSIST]	= NO_PLACE,
	[SWBLOCK_STAGE_ACK]		= NO_PLACE,
	[SWBLOCK_STAGE_COMMIT]		= 3,
	[SWBLOCK_STAGE_COMPLETE]	= 4,	/* released by a decision */
	[SWBLOCK_STAGE_BARRIER]		= 5,	/* the same */
	[SWBLOCK_STAGE_READ]		= 6,
	[SWBLOCK_STAGE_WRITEBACK]	= 7,
	[SWBLOCK_STAGE_CHECKPOINT]	= 8,
	[SWBLOCK_STAGE_FLUSH]		= 9,
	[SWBLOCK_STAGE_PEER_FLUSH]	= NO_PLACE,
};

/* Where it stands in struct swb_lat_each. */
static const u8 each_place[] = {
	[0]				= NO_PLACE,
	[SWBLOCK_STAGE_ADMIT]		= NO_PLACE,
	[SWBLOCK_STAGE_APPEND]		= NO_PLACE,
	[SWBLOCK_STAGE_PERSIST]		= NO_PLACE,
	[SWBLOCK_STAGE_SHIP]		= 0,
	[SWBLOCK_STAGE_PEER_RECEIVE]	= 1,
	[SWBLOCK_STAGE_PEER_PERSIST]	= 2,
	[SWBLOCK_STAGE_ACK]		= 3,
	[SWBLOCK_STAGE_COMMIT]		= NO_PLACE,
	[SWBLOCK_STAGE_COMPLETE]	= 4,
	[SWBLOCK_STAGE_BARRIER]		= 5,
	[SWBLOCK_STAGE_READ]		= NO_PLACE,
	[SWBLOCK_STAGE_WRITEBACK]	= NO_PLACE,
	[SWBLOCK_STAGE_CHECKPOINT]	= NO_PLACE,
	[SWBLOCK_STAGE_FLUSH]		= NO_PLACE,
	[SWBLOCK_STAGE_PEER_FLUSH]	= 6,
};

static_assert(ARRAY_SIZE(own_place) == __SWBLOCK_STAGE_MAX);
static_assert(ARRAY_SIZE(each_place) == __SWBLOCK_STAGE_MAX);

DEFINE_STATIC_KEY_TRUE(swb_lat_on);

static int set_on(const char *text, const struct kernel_param *param)
{
	bool on;
	int err = kstrtobool(text, &on);

	if (err)
		return err;
	if (on)
		static_branch_enable(&swb_lat_on);
	else
		static_branch_disable(&swb_lat_on);
	return 0;
}

static int get_on(char *text, const struct kernel_param *param)
{
	return sysfs_emit(text, "%c\n", static_key_enabled(&swb_lat_on) ? 'Y' : 'N');
}

static const struct kernel_param_ops on_ops = {
	.set = set_on, .get = get_on,
};

module_param_cb(histograms, &on_ops, NULL, 0644);
MODULE_PARM_DESC(histograms, "Count the time of each stage; N only to measure what that costs");

int swb_lat_create(struct swb_lat *lat, u32 volume)
{
	u32 i;

	lat->volume = volume;
	lat->own = alloc_percpu(struct swb_lat_own);
	lat->mark = kvcalloc(SWB_LAT_MARKS, sizeof(*lat->mark), GFP_KERNEL);
	if (!lat->own || !lat->mark)
		return -ENOMEM;
	/* all together would be more than one per-CPU allocation may be */
	for (i = 0; i < SWB_MEMBERS_MAX; i++) {
		lat->each[i] = alloc_percpu(struct swb_lat_each);
		if (!lat->each[i])
			return -ENOMEM;
	}
	return 0;
}

void swb_lat_destroy(struct swb_lat *lat)
{
	u32 i;

	for (i = 0; i < SWB_MEMBERS_MAX; i++)
		free_percpu(lat->each[i]);
	free_percpu(lat->own);
	kvfree(lat->mark);
}

/* ---- histograms ---------------------------------------------------------- */

/* The per-CPU histogram of a stage, or NULL. */
static struct swb_lat_hist __percpu *find(const struct swb_lat *lat, u32 stage,
					  u8 member)
{
	u8 place;

	if (stage > SWBLOCK_STAGE_MAX)
		return NULL;
	if (member < SWB_MEMBERS_MAX) {
		place = each_place[stage];
		return place == NO_PLACE ? NULL : &lat->each[member]->h[place];
	}
	place = own_place[stage];
	return place == NO_PLACE ? NULL : &lat->own->h[place];
}

void swb_lat_note(struct swb_lat *lat, u32 stage, u8 member, u64 lsn, u32 nrec,
		  u32 bytes, u64 ns)
{
	struct swb_lat_hist __percpu *h;

	if (!static_branch_likely(&swb_lat_on))
		return;
	h = find(lat, stage, member);
	if (WARN_ON_ONCE(!h))
		return;
	this_cpu_add(h->n[swb_lat_bucket(ns)], nrec);
	this_cpu_add(h->sum_ns, ns * nrec);
	trace_swblock_stage(lat->volume, member, stage, nrec, lsn, bytes, ns);
}

u64 swb_lat_sum(const struct swb_lat *lat, u32 stage, u8 member,
		struct swb_lat_hist *sum)
{
	struct swb_lat_hist __percpu *h = find(lat, stage, member);
	int cpu;

	memset(sum, 0, sizeof(*sum));
	if (!h)
		return 0;
	for_each_possible_cpu(cpu)
		swb_lat_merge(sum, per_cpu_ptr(h, cpu));
	return swb_lat_count(sum, 0);
}

/* ---- marks --------------------------------------------------------------- */

static struct swb_lat_mark *mark_at(struct swb_lat *lat, u64 index)
{
	return &lat->mark[index % SWB_LAT_MARKS];
}

static u64 mark_last(const struct swb_lat_mark *m)
{
	return m->lsn + m->nrec - 1;
}

/* Forget marks before @first; who had not come past them comes too late. */
static void forget(struct swb_lat *lat, u64 first)
{
	u32 i;

	lat->first = first;
	lat->commit_at = max(lat->commit_at, first);
	for (i = 0; i < SWB_MEMBERS_MAX; i++) {
		lat->received_at[i] = max(lat->received_at[i], first);
		lat->written_at[i] = max(lat->written_at[i], first);
	}
}

/* The oldest mark gives its place up. Was all of it counted? */
static void drop_oldest(struct swb_lat *lat)
{
	const struct swb_lat_mark *m = mark_at(lat, lat->first);
	bool done = lat->commit_at > lat->first;
	u32 i;

	for (i = 0; i < SWB_MEMBERS_MAX; i++)
		done = done && (!m->shipped_ns[i] ||
				lat->written_at[i] > lat->first);
	if (!done)
		lat->missed += m->nrec;
	forget(lat, lat->first + 1);
}

void swb_lat_sealed(struct swb_lat *lat, const struct swb_lat_mark *group)
{
	if (!static_branch_likely(&swb_lat_on))
		return;
	/* a cut took what was there: those LSNs are new ones */
	if (lat->next > lat->first &&
	    group->lsn <= mark_last(mark_at(lat, lat->next - 1)))
		forget(lat, lat->next);
	if (lat->next - lat->first == SWB_LAT_MARKS)
		drop_oldest(lat);
	*mark_at(lat, lat->next++) = *group;
}

/* The mark of the group that holds @lsn, or NULL. */
static struct swb_lat_mark *mark_of(struct swb_lat *lat, u64 lsn)
{
	u64 from = lat->first, to = lat->next, middle;
	struct swb_lat_mark *m;

	while (from < to) {
		middle = from + (to - from) / 2;
		m = mark_at(lat, middle);
		if (lsn < m->lsn)
			to = middle;
		else if (lsn > mark_last(m))
			from = middle + 1;
		else
			return m;
	}
	return NULL;
}

void swb_lat_shipped(struct swb_lat *lat, u8 member, u64 lsn, u64 now_ns)
{
	struct swb_lat_mark *m;

	if (!static_branch_likely(&swb_lat_on))
		return;
	m = mark_of(lat, lsn);
	if (!m || m->shipped_ns[member])
		return;		/* once more, on another session: the wait goes on */
	m->shipped_ns[member] = now_ns;
	swb_lat_note(lat, SWBLOCK_STAGE_SHIP, member, m->lsn, m->nrec, m->bytes,
		     now_ns - m->sealed_ns);
}

void swb_lat_flush_asked(struct swb_lat *lat, u8 member, u64 lsn, u64 now_ns)
{
	if (!static_branch_likely(&swb_lat_on) || lat->ask_lsn[member])
		return;
	lat->ask_lsn[member] = lsn;
	lat->ask_ns[member] = now_ns;
}

/* Count @stage for the marks from *@at on that end at or below @lsn. */
static void walk(struct swb_lat *lat, u8 member, u32 stage, u64 *at, u64 lsn,
		 bool last, u64 now_ns)
{
	const struct swb_lat_mark *m;
	u64 since;

	for (; *at < lat->next; (*at)++) {
		m = mark_at(lat, *at);
		if (mark_last(m) > lsn)
			return;
		since = m->shipped_ns[member];
		if (!since)
			continue;	/* it came with catch-up */
		swb_lat_note(lat, stage, member, m->lsn, m->nrec, m->bytes,
			     now_ns - since);
		if (last)
			swb_lat_note(lat, SWBLOCK_STAGE_ACK, member, m->lsn,
				     m->nrec, m->bytes, now_ns - m->sealed_ns);
	}
}

void swb_lat_acked(struct swb_lat *lat, u8 member, const struct swb_lat_ack *ack)
{
	u64 asked = lat->ask_lsn[member];

	walk(lat, member, SWBLOCK_STAGE_PEER_RECEIVE, &lat->received_at[member],
	     ack->received, ack->by_received, ack->now_ns);
	walk(lat, member, SWBLOCK_STAGE_PEER_PERSIST, &lat->written_at[member],
	     ack->written, !ack->by_received, ack->now_ns);
	if (!asked || ack->durable < asked)
		return;
	lat->ask_lsn[member] = 0;
	swb_lat_note(lat, SWBLOCK_STAGE_PEER_FLUSH, member, asked, 1, 0,
		     ack->now_ns - lat->ask_ns[member]);
}

void swb_lat_committed(struct swb_lat *lat, u64 lsn, u64 now_ns)
{
	const struct swb_lat_mark *m;

	for (; lat->commit_at < lat->next; lat->commit_at++) {
		m = mark_at(lat, lat->commit_at);
		if (mark_last(m) > lsn)
			return;
		swb_lat_note(lat, SWBLOCK_STAGE_COMMIT, SWB_LAT_NOBODY, m->lsn,
			     m->nrec, m->bytes, now_ns - m->opened_ns);
	}
}
