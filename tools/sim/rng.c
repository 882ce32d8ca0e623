// SPDX-License-Identifier: GPL-2.0-only
/* A counter run through a mixing function: small, fast, and every seed is good. */
#include "rng.h"

static u64 mix(u64 x)
{
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ULL;
	x ^= x >> 29;
	x *= 0xa0761d6478bd642fULL;
	x ^= x >> 32;
	return x;
}

void rng_seed(struct rng *r, u64 seed)
{
	r->state = mix(seed + 0x2545f4914f6cdd1dULL);
	r->stream = mix(r->state ^ seed) | 1;
}

u64 rng_next(struct rng *r)
{
	r->state += r->stream;
	return mix(r->state);
}

/* high half of a product: uniform enough, and no division */
u64 rng_below(struct rng *r, u64 n)
{
	u64 x = rng_next(r), lo = x & 0xffffffff, hi = x >> 32;
	u64 mid, n_lo = n & 0xffffffff, n_hi = n >> 32;

	mid = ((lo * n_lo) >> 32) + (hi * n_lo & 0xffffffff) + lo * n_hi;
	return hi * n_hi + ((hi * n_lo) >> 32) + (mid >> 32);
}

u64 rng_between(struct rng *r, u64 lo, u64 hi)
{
	return lo + rng_below(r, hi - lo + 1);
}

bool rng_chance(struct rng *r, u32 permille)
{
	return rng_below(r, 1000) < permille;
}
