/* SPDX-License-Identifier: GPL-2.0-only */
/* Quorum arithmetic: what the configuration makes of everybody's progress. */
#ifndef SWB_CORE_QUORUM_H
#define SWB_CORE_QUORUM_H

#include "core.h"

/**
 * swb_quorum_committed() - C by the mode, before the epoch-open rule
 * @c: a primary
 *
 * best_effort: own durable. sync_all: the smallest durable of the required set,
 * never above own durable. sync_quorum: the k-th largest, own among the k.
 */
u64 swb_quorum_committed(const struct swb_core *c);

/**
 * swb_quorum_completed() - every write <= it may be completed, by the policy
 * @c: a primary
 *
 * best_effort counts only peers in a live matched session (a lost link never
 * blocks a write there); sync_all every required peer, sync_quorum a majority.
 */
u64 swb_quorum_completed(const struct swb_core *c);

/**
 * swb_quorum_pinned() - how far the ring may be trimmed when it is tight and the
 * mode is sync_quorum: as many pins hold as a majority takes with the primary,
 * those furthest ahead; a peer beyond them is a minority, which costs nothing
 */
u64 swb_quorum_pinned(const struct swb_core *c);

#endif /* SWB_CORE_QUORUM_H */
