// SPDX-License-Identifier: GPL-2.0-only
/* health_judge(): one healthy volume, then one fault at a time; what must show. */
#include <stdio.h>
#include <string.h>

#include "cluster.h"
#include "tap.h"

static struct board_node nodes[3];
static struct board board = { .node = nodes };
static struct board_volume vol;

static struct swb_uuid id(uint8_t n)
{
	struct swb_uuid u = { { 0xaa, n } };

	return u;
}

/* a is primary; b and c are in sync */
static void healthy(void)
{
	static const char *const names[] = { "a", "b", "c" };
	unsigned int i;

	memset(&vol, 0, sizeof(vol));
	board.node_count = 3;
	vol.record_revision = 1;
	vol.wish_revision = 1;
	vol.wish.sequence = 1;
	vol.wish.mode = SWBLOCK_MODE_SYNC_QUORUM;
	vol.wish.member_count = 3;
	vol.state_count = 3;
	vol.wish.required = 7;
	vol.record.epoch = 4;
	vol.record.last_epoch = 4;
	vol.record.phase = AUTH_SETTLED;
	vol.record.last_granted = id(0);
	strcpy(vol.wish.label, "db");
	for (i = 0; i < 3; i++) {
		strcpy(nodes[i].node, names[i]);
		strcpy(vol.wish.member[i].node, names[i]);
		strcpy(vol.wish.member[i].label, names[i]);
		vol.wish.member[i].replica = id((uint8_t)i);
		vol.state[i].replica = id((uint8_t)i);
		vol.state[i].attached = true;
		vol.state[i].role = i ? SWBLOCK_ROLE_REPLICA : SWBLOCK_ROLE_PRIMARY;
		vol.state[i].epoch = 4;
	}
	vol.state[0].opened = 4;
	vol.state[0].peer_count = 2;
	for (i = 0; i < 2; i++) {
		vol.state[0].peer[i].replica = id((uint8_t)(i + 1));
		vol.state[0].peer[i].state = SWBLOCK_PEER_IN_SYNC;
	}
}

static void expect(const char *what, enum health_level level, const char *code)
{
	bool there = !code;
	struct health h;
	unsigned int i;

	health_judge(&board, &vol, &h);
	for (i = 0; i < h.count; i++)
		there |= code && !strcmp(h.finding[i].code, code);
	if (h.level != level || !there || (!code && h.count))
		for (i = 0; i < h.count; i++)
			printf("# %s: %s\n", h.finding[i].code, h.finding[i].text);
	ok(h.level == level && there && (code || !h.count), "%s", what);
	healthy();
}

static void primary_faults(void)
{
	expect("all well", HEALTH_OK, NULL);
	vol.state[0].role = SWBLOCK_ROLE_NONE;
	expect("the granted member has no role", HEALTH_CRITICAL, "no_primary");
	vol.state[0].opened = 3;
	expect("the grant is not opened", HEALTH_CRITICAL, "no_primary");
	vol.state[0].conditions = SWBLOCK_COND_SUSPENDED_LEASE;
	expect("lease over", HEALTH_CRITICAL, "suspended");
	vol.state[0].conditions = SWBLOCK_COND_WAITING_PEER;
	expect("no majority", HEALTH_CRITICAL, "waiting_peer");
	vol.state[0].conditions = SWBLOCK_COND_RING_FULL;
	expect("ring full", HEALTH_CRITICAL, "ring_full");
	vol.state[0].conditions = SWBLOCK_COND_DISK_FAILED;
	expect("disk of the primary", HEALTH_CRITICAL, "disk_failed");
	vol.state[0].conditions = SWBLOCK_COND_STALE_OPENERS;
	expect("stale openers", HEALTH_WARNING, "stale_openers");
	vol.wish.stopped = true;
	vol.state[0].role = SWBLOCK_ROLE_NONE;
	expect("stopped by order", HEALTH_WARNING, "stopped");
}

static void member_faults(void)
{
	vol.state[1].conditions = SWBLOCK_COND_DISK_FAILED;
	expect("disk of a replica", HEALTH_WARNING, "disk_failed");
	vol.state[2].attached = false;
	expect("not attached", HEALTH_WARNING, "not_attached");
	vol.state_count = 2;
	expect("never heard of", HEALTH_WARNING, "not_attached");
	board.node_count = 2;
	expect("host silent", HEALTH_WARNING, "host_silent");
	vol.state[0].peer[0].state = SWBLOCK_PEER_CATCHING_UP;
	expect("catching up", HEALTH_WARNING, "behind");
	vol.state[0].peer[0].state = SWBLOCK_PEER_NEEDS_REBUILD;
	expect("needs rebuild", HEALTH_WARNING, "needs_rebuild");
	vol.state[0].peer[0].state = SWBLOCK_PEER_REBUILDING;
	expect("rebuilding", HEALTH_WARNING, "rebuilding");
	vol.state[0].peer[1].state = SWBLOCK_PEER_REFUSED;
	expect("refused", HEALTH_CRITICAL, "refused");
	vol.state[0].peer_count = 1;
	expect("declared, not granted yet", HEALTH_WARNING, "not_a_member_yet");
	strcpy(vol.state[1].error, "cannot open /dev/vdb");
	expect("apply failed", HEALTH_WARNING, "controller_error");
	vol.state[1].conditions = SWBLOCK_COND_ZOMBIE;
	expect("zombie", HEALTH_WARNING, "zombie");
}

static void not_known(void)
{
	vol.record_revision = 0;
	expect("no record", HEALTH_UNKNOWN, "no_record");
	vol.wish_revision = 0;
	expect("by hand", HEALTH_UNKNOWN, "not_declared");
	strcpy(vol.bad, "v/x/wish: $.mode");
	expect("damaged document", HEALTH_UNKNOWN, "damaged_document");
	strcpy(vol.bad, "v/x/wish: $.mode");
	vol.state[0].role = SWBLOCK_ROLE_NONE;
	expect("an outage is worse than not to know", HEALTH_CRITICAL, "no_primary");
}

int main(void)
{
	healthy();
	primary_faults();
	member_faults();
	not_known();
	return tap_done();
}
