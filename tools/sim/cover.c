// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which rows of the state model a step went through, and whatever else of the
 * core's vocabulary it used. Rows are told from the member's state before and
 * after the step and the fact between; the ids are those of
 * docs/design/state-model.md. Reads only; knows nothing of the simulator.
 */
#include <stdio.h>
#include <string.h>

#include "cover.h"

#define U(x)		((unsigned long long)(x))
#define UNLISTED_MAX	32

enum cover_row {
#define ROW_ENUM(group, number) ROW_##group##_##number,
	COVER_ROWS(ROW_ENUM)
	ROW_COUNT
};

static const char *const row_name[] = {
#define ROW_NAME(group, number) #group "-" #number,
	COVER_ROWS(ROW_NAME)
};

static struct {
	bool on;
	u64 row[ROW_COUNT];
	u64 event[SWB_EV_COUNT];
	u64 action[SWB_ACT_COUNT];
	u64 refuse[__SWBLOCK_REASON_MAX];
	u64 close[__SWBLOCK_REASON_MAX];
	u64 letter[4][26];
	u32 unlisted;
	char unlisted_text[UNLISTED_MAX][96];
} cover;

/**
 * struct look - a step as one row sees it
 * @a: the member before
 * @b: the member after
 * @peer: other member that peer rows speak of
 * @p: it before
 * @q: it after
 * @mine: the fact is about this peer
 * @listed: some row was hit
 */
struct look {
	const struct swb_core *a, *b;
	const struct swb_event *ev;
	const struct swb_actions *out;
	u8 peer;
	const struct swb_core_peer *p, *q;
	bool mine;
	bool listed;
};

static void hit(struct look *l, enum cover_row row, bool cond)
{
	if (!cond)
		return;
	cover.row[row]++;
	l->listed = true;
}

#define HIT(group, number, cond) hit(l, ROW_##group##_##number, cond)

static bool said(const struct look *l, enum swb_action_type type)
{
	for (u32 i = 0; i < l->out->count; i++)
		if (l->out->act[i].type == type)
			return true;
	return false;
}

static bool said_to(const struct look *l, enum swb_action_type type)
{
	for (u32 i = 0; i < l->out->count; i++)
		if (l->out->act[i].type == type &&
		    l->out->act[i].peer == l->peer)
			return true;
	return false;
}

static bool counted(const struct look *l, enum swblock_reason r)
{
	return l->b->refused[r] > l->a->refused[r];
}

static bool is(const struct look *l, enum swb_event_type type)
{
	return l->ev->type == type;
}

/* ---- roles and epochs of a member -------------------------------------------- */

static void adopt_rows(struct look *l)
{
	bool refused = said(l, SWB_ACT_NOTIFY_REFUSED);
	bool running = l->a->adopt != SWB_ADOPT_IDLE;
	bool higher = l->b->adopt_epoch > l->a->adopt_epoch;

	if (is(l, SWB_EV_ADOPT_ORDERED)) {
		HIT(role, 01, !refused && !running && !l->a->was_primary &&
		    l->a->role != SWBLOCK_ROLE_PRIMARY &&
		    l->b->adopt != SWB_ADOPT_IDLE);
		HIT(role, 02, l->a->role == SWBLOCK_ROLE_PRIMARY &&
		    l->b->was_primary);
		HIT(role, 03, running && higher);
		HIT(role, 04, said(l, SWB_ACT_NOTIFY_REPORT) ||
		    (running && !higher && !refused));
		HIT(role, 05, counted(l, SWBLOCK_REASON_STALE_EPOCH));
		HIT(role, 06, counted(l, SWBLOCK_REASON_FOREIGN_STORE));
	}
	HIT(role, 07, l->a->adopt == SWB_ADOPT_SAVING &&
	    is(l, SWB_EV_SUPER_SAVED) &&
	    said(l, SWB_ACT_NOTIFY_REPORT));
}

static void role_rows(struct look *l)
{
	bool refused = said(l, SWB_ACT_NOTIFY_REFUSED);
	bool opens = is(l, SWB_EV_SUPER_SAVED) &&
		     l->a->open == SWB_OPEN_SAVING &&
		     l->b->role == SWBLOCK_ROLE_PRIMARY;

	if (is(l, SWB_EV_ASSIGNED)) {
		HIT(role, 08, l->a->role == SWBLOCK_ROLE_NONE &&
		    l->b->role == SWBLOCK_ROLE_REPLICA);
		HIT(role, 09, l->a->role == SWBLOCK_ROLE_REPLICA && !refused);
		HIT(role, 10, refused);
	}
	if (is(l, SWB_EV_CERTIFIED)) {
		HIT(role, 11, l->b->open == SWB_OPEN_SAVING && !refused);
		HIT(role, 12, refused);
	}
	HIT(role, 13, opens && !l->a->was_primary);
	HIT(role, 14, opens && l->a->was_primary && l->a->resume_held);
	HIT(role, 15, l->a->was_primary && said(l, SWB_ACT_FAIL_IO) &&
	    (is(l, SWB_EV_CERTIFIED) || is(l, SWB_EV_ASSIGNED)));
}

static void loss_rows(struct look *l)
{
	u32 gained = l->b->hold & ~l->a->hold;
	bool failed = (l->b->d.flags & SWB_SUPER_DISK_FAILED) &&
		      !(l->a->d.flags & SWB_SUPER_DISK_FAILED);

	HIT(role, 16, is(l, SWB_EV_DEMOTE_ORDERED) &&
	    said(l, SWB_ACT_SET_ROLE));
	HIT(role, 17, l->b->role == SWBLOCK_ROLE_PRIMARY &&
	    (gained & SWBLOCK_COND_SUSPENDED_EPOCH));
	HIT(role, 18, gained & SWBLOCK_COND_SUSPENDED_LEASE);
	HIT(role, 19, is(l, SWB_EV_LEASE_SET) &&
	    (l->a->hold & ~l->b->hold & SWBLOCK_COND_SUSPENDED_LEASE));
	HIT(role, 24, gained & SWBLOCK_COND_SUSPENDED_ADMIN);
	HIT(role, 25, is(l, SWB_EV_SUSPEND_ORDERED) &&
	    (l->a->hold & ~l->b->hold & SWBLOCK_COND_SUSPENDED_ADMIN));
	HIT(role, 26, is(l, SWB_EV_EXTENT_GROWN) &&
	    l->a->d.extent_bytes < l->b->d.extent_bytes);
	HIT(role, 20, failed);
	HIT(role, 21, l->a->stale_openers && !l->b->stale_openers);
	HIT(role, 22, l->a->open == SWB_OPEN_SAVING &&
	    l->b->open == SWB_OPEN_IDLE);
}

/* ---- a peer, as the primary sees it ------------------------------------------ */

static void peer_link_rows(struct look *l)
{
	bool was = l->a->role == SWBLOCK_ROLE_PRIMARY;

	HIT(peer, 02, !was && l->b->role == SWBLOCK_ROLE_PRIMARY &&
	    l->q->state == SWBLOCK_PEER_OPENING);
	if (!was || !l->mine || !is(l, SWB_EV_LINKED))
		return;
	HIT(peer, 01, l->q->state == SWBLOCK_PEER_OPENING &&
	    l->p->state == SWBLOCK_PEER_DETACHED);
	HIT(peer, 03, l->q->state == SWBLOCK_PEER_OPENING && l->p->session);
	HIT(peer, 04, l->q->state == SWBLOCK_PEER_OPENING &&
	    l->p->state == SWBLOCK_PEER_REFUSED);
	HIT(peer, 31, l->q->state == SWBLOCK_PEER_OPENING &&
	    l->p->state == SWBLOCK_PEER_NEEDS_REBUILD);
	HIT(peer, 05, l->p->state == SWBLOCK_PEER_NEEDS_REBUILD &&
	    l->q->state == SWBLOCK_PEER_NEEDS_REBUILD);
	HIT(peer, 06, !l->q->linked &&
	    l->q->state == SWBLOCK_PEER_DETACHED);
}

static void peer_facts_rows(struct look *l)
{
	bool judged = is(l, SWB_EV_PEER_FACTS) && l->mine &&
		      l->a->role == SWBLOCK_ROLE_PRIMARY &&
		      l->p->state == SWBLOCK_PEER_OPENING &&
		      l->ev->session == l->p->session &&
		      l->ev->epoch == l->a->d.epoch;

	if (!judged)
		return;
	HIT(peer, 07, l->q->state == SWBLOCK_PEER_CATCHING_UP ||
	    (l->q->matched && l->q->state == SWBLOCK_PEER_IN_SYNC));
	HIT(peer, 08, l->q->state == SWBLOCK_PEER_REFUSED);
	HIT(peer, 09, l->q->state == SWBLOCK_PEER_NEEDS_REBUILD);
	HIT(peer, 10, l->q->state == SWBLOCK_PEER_DETACHED &&
	    l->q->letter == 'E');
	HIT(peer, 11, l->q->state == SWBLOCK_PEER_DETACHED &&
	    l->q->letter != 'E');
	HIT(peer, 27, l->q->state == SWBLOCK_PEER_REBUILDING);
}

static void peer_ack_rows(struct look *l)
{
	bool acked = is(l, SWB_EV_PEER_ACKED) && l->mine;

	if (l->a->role != SWBLOCK_ROLE_PRIMARY)
		return;
	HIT(peer, 12, acked && l->p->state == SWBLOCK_PEER_OPENING &&
	    counted(l, SWBLOCK_REASON_BAD_TYPE));
	HIT(peer, 13, l->p->state == SWBLOCK_PEER_CATCHING_UP &&
	    l->q->state == SWBLOCK_PEER_IN_SYNC);
	HIT(peer, 14, acked && l->p->matched && l->q->matched &&
	    l->q->state == SWBLOCK_PEER_CATCHING_UP);
	HIT(peer, 15, acked && l->p->state == SWBLOCK_PEER_IN_SYNC &&
	    l->q->durable > l->p->durable);
	HIT(peer, 16, acked && l->p->matched && !l->q->matched);
	HIT(peer, 28, acked && l->p->void_copy && !l->q->void_copy &&
	    l->q->matched);
	HIT(peer, 29, is(l, SWB_EV_REBUILD_ORDERED) && l->mine &&
	    l->p->state == SWBLOCK_PEER_NEEDS_REBUILD &&
	    l->q->state == SWBLOCK_PEER_DETACHED);
	HIT(peer, 17, is(l, SWB_EV_CHECKPOINTED) && l->p->matched &&
	    l->q->state == SWBLOCK_PEER_NEEDS_REBUILD);
}

static void peer_end_rows(struct look *l)
{
	bool ended = l->p->linked && !l->q->linked;

	if (l->a->role != SWBLOCK_ROLE_PRIMARY)
		return;
	HIT(peer, 18, ended && is(l, SWB_EV_TICK) && !l->p->matched);
	HIT(peer, 19, ended && is(l, SWB_EV_TICK) && l->p->matched);
	HIT(peer, 20, ended && is(l, SWB_EV_LINK_LOST));
	HIT(peer, 21, ended && is(l, SWB_EV_PEER_CLOSED));
	HIT(peer, 22, ended && is(l, SWB_EV_UNLINK_ORDERED));
	HIT(peer, 23, is(l, SWB_EV_ADOPT_ORDERED) &&
	    l->p->state != l->q->state &&
	    l->p->state != SWBLOCK_PEER_NEEDS_REBUILD &&
	    l->p->state != SWBLOCK_PEER_REFUSED);
	HIT(peer, 24, is(l, SWB_EV_ADOPT_ORDERED) &&
	    l->q->state == SWBLOCK_PEER_DETACHED &&
	    (l->p->state == SWBLOCK_PEER_NEEDS_REBUILD ||
	     l->p->state == SWBLOCK_PEER_REFUSED));
	HIT(peer, 25, ended && is(l, SWB_EV_DEMOTE_ORDERED));
	HIT(peer, 26, ended && is(l, SWB_EV_PEER_OPENED));
	HIT(peer, 30, ended && l->q->reason == SWBLOCK_REASON_BUDGET);
}

/* ---- the primary, as a copy sees it ------------------------------------------ */

static void copy_open_rows(struct look *l)
{
	bool facts = said_to(l, SWB_ACT_SEND_FACTS);

	HIT(copy, 01, is(l, SWB_EV_LINKED) && l->mine && l->q->linked);
	HIT(copy, 02, is(l, SWB_EV_LINKED) && l->ev->peer == l->peer &&
	    !l->q->linked && said_to(l, SWB_ACT_CLOSE_LINK));
	if (!is(l, SWB_EV_PEER_OPENED) || !l->mine)
		return;
	HIT(copy, 03, facts && !l->p->session);
	HIT(copy, 04, facts && l->p->session);
	HIT(copy, 05, !facts && l->q->state == SWBLOCK_PEER_REFUSED);
	HIT(copy, 06, !facts && l->p->linked &&
	    l->q->state == SWBLOCK_PEER_DETACHED);
}

static void copy_start_rows(struct look *l)
{
	if (is(l, SWB_EV_PEER_STARTED) && l->mine) {
		HIT(copy, 07, !l->p->matched && l->q->matched);
		HIT(copy, 08, !l->a->truncating && l->b->truncating);
		HIT(copy, 09, l->q->state == SWBLOCK_PEER_REFUSED ||
		    (l->p->linked && !l->q->linked));
	}
	if (is(l, SWB_EV_LOG_TRUNCATED) && l->peer == l->a->truncate_peer) {
		HIT(copy, 10, l->a->truncating && l->q->matched);
		HIT(copy, 11, l->a->truncating && !l->q->matched);
	}
}

static void copy_stream_rows(struct look *l)
{
	bool frame = is(l, SWB_EV_PEER_STARTED) || is(l, SWB_EV_PEER_PINGED);

	HIT(copy, 12, is(l, SWB_EV_LOG_WRITTEN) && l->p->matched &&
	    said_to(l, SWB_ACT_SEND_ACK));
	HIT(copy, 13, is(l, SWB_EV_PEER_PINGED) && l->mine && l->p->matched &&
	    l->b->log.committed > l->a->log.committed);
	HIT(copy, 14, l->p->state == SWBLOCK_PEER_CATCHING_UP &&
	    l->q->state == SWBLOCK_PEER_IN_SYNC);
	HIT(copy, 15, l->mine && l->p->matched && !l->q->linked &&
	    ((is(l, SWB_EV_LINK_LOST) &&
	      l->ev->reason == SWBLOCK_REASON_LSN_GAP) ||
	     is(l, SWB_EV_PEER_PINGED)));
	HIT(copy, 16, frame && l->mine &&
	    (counted(l, SWBLOCK_REASON_STALE_SESSION) ||
	     counted(l, SWBLOCK_REASON_STALE_EPOCH) ||
	     counted(l, SWBLOCK_REASON_NEWER_EPOCH)));
}

/* Delta and rebuild, as the target sees them. */
static void copy_base_rows(struct look *l)
{
	bool cleared = is(l, SWB_EV_REBUILD_CLEARED) &&
		       l->a->rebuild == SWB_REBUILD_CLEARING;
	bool marked = is(l, SWB_EV_REBUILD_PREPARED) &&
		      l->a->rebuild == SWB_REBUILD_PREPARING;

	if (l->a->rebuild_peer != l->peer && l->b->rebuild_peer != l->peer)
		return;
	HIT(copy, 20, is(l, SWB_EV_PEER_STARTED) && l->mine &&
	    said(l, SWB_ACT_REBUILD_PREPARE));
	HIT(copy, 21, marked && l->b->rebuild == SWB_REBUILD_COPYING);
	HIT(copy, 22, marked && l->b->rebuild == SWB_REBUILD_IDLE);
	HIT(copy, 23, is(l, SWB_EV_PEER_BASE_ENDED) && l->mine &&
	    l->a->rebuild == SWB_REBUILD_COPYING &&
	    l->b->rebuild != SWB_REBUILD_COPYING && l->q->linked);
	HIT(copy, 24, said(l, SWB_ACT_REBUILD_CLEAR));
	HIT(copy, 25, cleared && l->q->matched);
	HIT(copy, 26, cleared && !l->q->matched);
}

static void copy_end_rows(struct look *l)
{
	bool ended = l->p->linked && !l->q->linked;

	HIT(copy, 17, ended && is(l, SWB_EV_PEER_CLOSED) &&
	    l->q->state == SWBLOCK_PEER_NEEDS_REBUILD);
	HIT(copy, 18, ended && l->q->state != SWBLOCK_PEER_NEEDS_REBUILD &&
	    (is(l, SWB_EV_LINK_LOST) || is(l, SWB_EV_PEER_CLOSED) ||
	     is(l, SWB_EV_UNLINK_ORDERED) || is(l, SWB_EV_TICK) ||
	     is(l, SWB_EV_DISK_FAILED)));
	HIT(copy, 19, is(l, SWB_EV_ADOPT_ORDERED) && l->p->state != l->q->state);
	HIT(copy, 27, ended && is(l, SWB_EV_DEMOTE_ORDERED));
}

/* ---- all of it --------------------------------------------------------------- */

static void unlisted(const char *what)
{
	u32 i;

	for (i = 0; i < cover.unlisted; i++)
		if (strcmp(cover.unlisted_text[i], what) == 0)
			return;
	if (i < UNLISTED_MAX)
		snprintf(cover.unlisted_text[cover.unlisted++],
			 sizeof(cover.unlisted_text[0]), "%s", what);
}

static void member(struct look *l)
{
	char text[96];

	l->listed = false;
	adopt_rows(l);
	role_rows(l);
	loss_rows(l);
	if (l->listed || (l->a->role == l->b->role && l->a->hold == l->b->hold &&
			  l->a->open == l->b->open))
		return;
	snprintf(text, sizeof(text), "role %s to %s by %s",
		 swb_text_role(l->a->role), swb_text_role(l->b->role),
		 swb_text_event(l->ev->type));
	unlisted(text);
}

static void one_peer(struct look *l, u8 peer)
{
	bool primary = l->a->role == SWBLOCK_ROLE_PRIMARY ||
		       l->b->role == SWBLOCK_ROLE_PRIMARY;
	char text[96];

	l->peer = peer;
	l->p = &l->a->peer[peer];
	l->q = &l->b->peer[peer];
	l->mine = l->ev->peer == peer;
	l->listed = false;
	if (primary) {
		peer_link_rows(l);
		peer_facts_rows(l);
		peer_ack_rows(l);
		peer_end_rows(l);
	} else {
		copy_open_rows(l);
		copy_start_rows(l);
		copy_stream_rows(l);
		copy_base_rows(l);
		copy_end_rows(l);
	}
	if (l->listed || l->p->state == l->q->state)
		return;
	snprintf(text, sizeof(text), "%s: %s to %s by %s",
		 primary ? "peer" : "copy", swb_text_peer_state(l->p->state),
		 swb_text_peer_state(l->q->state),
		 swb_text_event(l->ev->type));
	unlisted(text);
}

static void words(const struct look *l)
{
	const struct swb_core *b = l->b;

	cover.event[l->ev->type]++;
	for (u32 i = 0; i < l->out->count; i++) {
		const struct swb_action *act = &l->out->act[i];

		cover.action[act->type]++;
		if (act->type == SWB_ACT_CLOSE_LINK &&
		    act->a < __SWBLOCK_REASON_MAX)
			cover.close[act->a]++;
	}
	for (u32 r = 0; r < __SWBLOCK_REASON_MAX; r++)
		cover.refuse[r] += b->refused[r] - l->a->refused[r];
	if (is(l, SWB_EV_CERTIFIED) && b->promote_letter)
		cover.letter[SWBLOCK_TABLE_PROMOTE][b->promote_letter - 'A']++;
}

void cover_start(void)
{
	memset(&cover, 0, sizeof(cover));
	cover.on = true;
}

void cover_recovered(u8 letter)
{
	if (cover.on && letter >= 'A' && letter <= 'Z')
		cover.letter[SWBLOCK_TABLE_RECOVER][letter - 'A']++;
}

void cover_step(const struct node *n, const struct swb_core *before,
		const struct swb_event *ev, const struct swb_actions *out)
{
	struct look l = { .a = before, .b = &n->core, .ev = ev, .out = out };
	u32 peers = before->config.member_count > n->core.config.member_count ?
		    before->config.member_count : n->core.config.member_count;
	u8 letter;

	if (!cover.on)
		return;
	words(&l);
	member(&l);
	if (ev->type == SWB_EV_LINKED && ev->peer >= peers)
		peers = ev->peer + 1u;
	for (u8 i = 0; i < peers && i < SWB_MEMBERS_MAX; i++)
		if (i != before->self && i != n->core.self)
			one_peer(&l, i);
	if (ev->type != SWB_EV_PEER_FACTS || ev->peer >= SWB_MEMBERS_MAX ||
	    before->peer[ev->peer].matched ||
	    before->peer[ev->peer].session != ev->session ||
	    before->d.epoch != ev->epoch)
		return;
	letter = n->core.peer[ev->peer].letter;
	if (letter)
		cover.letter[SWBLOCK_TABLE_RESYNC][letter - 'A']++;
}

/* A letter is a case if the core has a sentence for it. */
static void write_letters(FILE *f)
{
	static const struct {
		u8 table;
		const char *name;
	} tables[] = {
		{ SWBLOCK_TABLE_RECOVER, "recover" },
		{ SWBLOCK_TABLE_RESYNC, "resync" },
		{ SWBLOCK_TABLE_PROMOTE, "promote" },
	};

	for (u32 t = 0; t < ARRAY_SIZE(tables); t++)
		for (u8 k = 0; k < 26; k++)
			if (cover.letter[tables[t].table][k] ||
			    swb_text_case(tables[t].table, (u8)('A' + k)))
				fprintf(f, "letter %s-%c %llu\n", tables[t].name,
					'A' + k,
					U(cover.letter[tables[t].table][k]));
}

bool cover_write(const char *path)
{
	FILE *f = fopen(path, "w");

	if (!f)
		return false;
	write_letters(f);
	for (u32 i = 0; i < ROW_COUNT; i++)
		fprintf(f, "row %s %llu\n", row_name[i], U(cover.row[i]));
	for (u32 i = 0; i < SWB_EV_COUNT; i++)
		fprintf(f, "event %s %llu\n",
			swb_text_event((enum swb_event_type)i),
			U(cover.event[i]));
	for (u32 i = 0; i < SWB_ACT_COUNT; i++)
		fprintf(f, "action %s %llu\n",
			swb_text_action((enum swb_action_type)i),
			U(cover.action[i]));
	for (u32 i = 1; i < __SWBLOCK_REASON_MAX; i++)
		fprintf(f, "refuse %s %llu\nclose %s %llu\n", swb_text_reason(i),
			U(cover.refuse[i]), swb_text_reason(i),
			U(cover.close[i]));
	for (u32 i = 0; i < cover.unlisted; i++)
		fprintf(f, "unlisted %s\n", cover.unlisted_text[i]);
	return fclose(f) == 0;
}
