/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads that the primary's disk fails, as mend.c of the module has them: asked of a
 * replica, answered, checked, and the block written anew.
 */
#ifndef SWB_SIM_LEND_H
#define SWB_SIM_LEND_H

#include "core/types.h"

#define LEND_HELD	16

struct world;
struct node;
struct seen;
struct script;
struct swb_frame;

/**
 * struct held - a client's read that waits for a replica
 * @serial: of the question that is out, 0 if the slot is free
 * @need: LSN that an answer must reach
 * @head: of the log when the read was held
 * @own: write that the own disk has there, could it be read
 * @end_ns: then it fails
 * @asked: member that is asked
 */
struct held {
	u64 serial;
	u64 session;
	u64 need;
	u64 head;
	u64 own;
	u64 end_ns;
	u64 inv_ns;
	u64 epoch;
	u32 block;
	u32 boot;
	u8 node;
	u8 asked;
};

/**
 * struct lend - of a world
 * @bad_permille: of random reads of an extent: the place is unreadable from now on
 * @lent: reads that a replica served
 * @failed: reads that nobody could serve
 * @repaired: blocks written anew
 */
struct lend {
	u32 bad_permille;
	u64 serial;
	u64 lent;
	u64 failed;
	u64 repaired;
	struct held held[LEND_HELD];
};

/**
 * lend_content() - a block by the member's own path: newest record in the log, else
 * the extent
 * @extent: set if it came from there
 * @wid: write that the bytes came from
 *
 * Return: false if they are no write's
 */
bool lend_content(struct world *w, const struct node *n, u32 block, bool *extent,
		  u64 *wid);

/** lend_unreadable() - does the disk of @n fail to read this block of the extent? */
bool lend_unreadable(struct world *w, struct node *n, u32 block);

/** lend_hold() - a client's read met such a block; it is served, or fails in time */
void lend_hold(struct world *w, struct node *n, const struct seen *s);

/** frames in: READ at a replica, READ_DATA at a primary */
void lend_asked(struct world *w, struct node *n, u8 peer, const struct swb_frame *f);
void lend_answered(struct world *w, struct node *n, u8 peer, const struct swb_frame *f,
		   const u8 *body);

/** script commands: bad nN BLOCK, read nN BLOCK */
bool lend_script(struct script *s);
/** expect reads lent|failed|repaired|held N, expect seen NAME|zero */
bool lend_expect(struct script *s);

#endif /* SWB_SIM_LEND_H */
