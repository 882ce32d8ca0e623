/* SPDX-License-Identifier: GPL-2.0-only */
/* Random numbers of a run: one seed, one history. Not for anything secret. */
#ifndef SWB_SIM_RNG_H
#define SWB_SIM_RNG_H

#include "core/port.h"

struct rng {
	u64 state;
	u64 stream;
};

/** rng_seed() - start a sequence; equal seeds give equal sequences */
void rng_seed(struct rng *r, u64 seed);
u64 rng_next(struct rng *r);

/** rng_below() - uniform in [0, n), 0 if @n is 0 */
u64 rng_below(struct rng *r, u64 n);

/** rng_between() - uniform in [lo, hi] */
u64 rng_between(struct rng *r, u64 lo, u64 hi);

/** rng_chance() - true @permille times of a thousand */
bool rng_chance(struct rng *r, u32 permille);

#endif /* SWB_SIM_RNG_H */
