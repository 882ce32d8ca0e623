// SPDX-License-Identifier: GPL-2.0-only
/* V1.5: durable progress and a way back (docs/history/v1_5.md). */
#include "older.h"

#define TRIES	3

static bool can_catch_up(bool known, bool address_same)
{
	return known && address_same;
}

static bool converges(u32 failures)
{
	return failures < TRIES;
}

static bool recoverable(u64 next, u64 oldest)
{
	return next >= oldest;
}

/* the control plane is still the one of V1 */
static bool better(const struct candidate *a, const struct candidate *b)
{
	return policy_v1.better(a, b);
}

const struct policy policy_v1_5 = {
	.can_catch_up = can_catch_up,
	.converges = converges,
	.recoverable = recoverable,
	.better = better,
	.address_refresh = true,
	.wildcard_resolved = true,
	.retries = true,
	.background = true,
	.durable_progress = true,
	.restores_progress = true,
	.scans_past_head = true,
	.ordered_ship = true,
	.holds_log = true,
	.shows_members = true,
};

const struct protocol protocol_v1_5 = {
	.name = "v1.5", .policy = &policy_v1_5, OLDER_OPERATIONS
};
