// SPDX-License-Identifier: GPL-2.0-only
/* V1: ship and hope (docs/history/v1.md). */
#include "older.h"

static bool can_catch_up(bool known, bool address_same)
{
	(void)known;
	(void)address_same;
	return false;
}

static bool converges(u32 failures)
{
	(void)failures;
	return false;
}

static bool recoverable(u64 next, u64 oldest)
{
	(void)next;
	(void)oldest;
	return false;
}

/* health first, the log only breaks ties */
static bool better(const struct candidate *a, const struct candidate *b)
{
	return a->health != b->health ? a->health > b->health : a->head > b->head;
}

const struct policy policy_v1 = {
	.can_catch_up = can_catch_up,
	.converges = converges,
	.recoverable = recoverable,
	.better = better,
	.rejoin_by_copy = true,
};

const struct protocol protocol_v1 = {
	.name = "v1", .policy = &policy_v1, OLDER_OPERATIONS
};
