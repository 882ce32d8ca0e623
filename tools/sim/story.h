/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The story of a run: what was done to it, and what the protocol made of it, in
 * numbered sentences. The trace shows every step; a story leaves out what goes
 * without saying. Words are those of docs/glossary.md.
 */
#ifndef SWB_SIM_STORY_H
#define SWB_SIM_STORY_H

#include <stdio.h>

#include "world.h"

#define STORY_LINES	256
#define STORY_CHARS	160
#define STORY_AUTO	128

/**
 * struct story - listens when a world points at it
 * @count: lines told, also those that did not fit
 * @same: lines left out after healing began, for they repeat
 * @hash: of every line: two runs that tell the same are the same
 * @writes: of the last line, if that is about writes; @writes_end: its number
 * @auto_ns: when the controller began an attempt by itself
 * @healing: the liveness phase has begun
 * @ended: a rule was broken
 */
struct story {
	u32 count;
	u32 same;
	u64 hash;
	u32 writes;
	u32 writes_end;
	u8 writes_node;
	u64 writes_lsn;
	u64 writes_ns;
	u32 autos;
	u64 auto_ns[STORY_AUTO];
	bool healing;
	bool ended;
	char line[STORY_LINES][STORY_CHARS];
};

void story_begin(struct story *s);

/** story_add() - one sentence; nothing if nobody listens */
void story_add(struct world *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** story_write() - a client wrote to @n */
void story_write(struct world *w, const struct node *n, const struct op *op);

/** story_step() - tell what a step of the core means to a reader */
void story_step(struct world *w, const struct node *n,
		const struct swb_core *before, const struct swb_event *ev,
		const struct swb_actions *out);

/** story_promote() - an attempt begins; @want may be SIM_NOBODY, @required 0 */
void story_promote(struct world *w, u8 want, u32 required);

/** story_grant() - the second swap succeeded, on the reports in @cert */
void story_grant(struct world *w, const struct swb_cert *cert, u8 candidate);

/** story_auto() - the controller begins an attempt by itself */
void story_auto(struct world *w);

/** story_end() - @what is broken; nothing is told after it */
void story_end(struct world *w, const char *what);

/** story_heal() - from now on what repeats is counted only */
void story_heal(struct world *w);

void story_print(const struct story *s, const char *prefix, FILE *f);

#endif /* SWB_SIM_STORY_H */
