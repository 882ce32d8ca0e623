/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Coverage: what of the protocol was reached. Rows of docs/design/state-model.md,
 * case letters, events, actions, reasons. It watches steps and judges nothing;
 * scripts/gate-protocol compares what it wrote with what the documents name.
 *
 * Off by default, for it costs time in each step.
 */
#ifndef SWB_SIM_COVER_H
#define SWB_SIM_COVER_H

#include "world.h"

/* id of a row of the state model, in the order of the document */
#define COVER_ROWS(X)							\
	X(role, 01) X(role, 02) X(role, 03) X(role, 04) X(role, 05)	\
	X(role, 06) X(role, 07) X(role, 08) X(role, 09) X(role, 10)	\
	X(role, 11) X(role, 12) X(role, 13) X(role, 14) X(role, 15)	\
	X(role, 16) X(role, 17) X(role, 18) X(role, 19) X(role, 20)	\
	X(role, 21) X(role, 22) X(role, 24) X(role, 25) X(role, 26)			\
	X(peer, 01) X(peer, 02) X(peer, 03) X(peer, 04) X(peer, 05)	\
	X(peer, 06) X(peer, 07) X(peer, 08) X(peer, 09) X(peer, 10)	\
	X(peer, 11) X(peer, 12) X(peer, 13) X(peer, 14) X(peer, 15)	\
	X(peer, 16) X(peer, 17) X(peer, 18) X(peer, 19) X(peer, 20)	\
	X(peer, 21) X(peer, 22) X(peer, 23) X(peer, 24) X(peer, 25)	\
	X(peer, 26) X(peer, 27) X(peer, 28) X(peer, 29) X(peer, 30) X(peer, 31)	\
	X(copy, 01) X(copy, 02) X(copy, 03) X(copy, 04) X(copy, 05)	\
	X(copy, 06) X(copy, 07) X(copy, 08) X(copy, 09) X(copy, 10)	\
	X(copy, 11) X(copy, 12) X(copy, 13) X(copy, 14) X(copy, 15)	\
	X(copy, 16) X(copy, 17) X(copy, 18) X(copy, 19) X(copy, 20)	\
	X(copy, 21) X(copy, 22) X(copy, 23) X(copy, 24) X(copy, 25)	\
	X(copy, 26) X(copy, 27)

/** cover_start() - record from now on */
void cover_start(void);

/** cover_step() - a step of @n was @before -> now, by @ev, with orders @out */
void cover_step(const struct node *n, const struct swb_core *before,
		const struct swb_event *ev, const struct swb_actions *out);

/** cover_recovered() - local recovery found case @letter */
void cover_recovered(u8 letter);

/**
 * cover_write() - all of it as text, one fact a line: kind, name, count
 * @path: file to write
 *
 * A change of state that no row allows is a line `unlisted`.
 *
 * Return: false if the file could not be written.
 */
bool cover_write(const char *path);

#endif /* SWB_SIM_COVER_H */
