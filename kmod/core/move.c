// SPDX-License-Identifier: GPL-2.0-only
/* A session that moves to another socket: see move.h. The caller's lock covers it. */
#include "move.h"

bool swb_move_begin(struct swb_move *m, u64 id)
{
	if (!id || m->id)
		return false;				/* I-239 */
	m->id = id;
	m->said = false;
	m->left = false;
	m->followed = false;
	return true;
}

enum swb_move_word swb_move_word(const struct swb_move *m)
{
	if (!m->id || m->left)
		return SWB_MOVE_NOTHING;
	if (!m->said)
		return SWB_MOVE_READY;
	return m->heard == m->id ? SWB_MOVE_MOVES : SWB_MOVE_NOTHING; /* I-239 */
}

void swb_move_said(struct swb_move *m, enum swb_move_word word)
{
	if (word == SWB_MOVE_READY)
		m->said = true;
	if (word == SWB_MOVE_MOVES)
		m->left = true;
}

void swb_move_heard(struct swb_move *m, u64 id)
{
	m->heard = id;
}

bool swb_move_follow(struct swb_move *m, u64 id)
{
	if (!m->id || id != m->id || m->followed)	/* I-239 */
		return false;
	m->followed = true;
	return true;
}

bool swb_move_over(struct swb_move *m)
{
	if (!m->id || !m->left || !m->followed)
		return false;
	m->id = 0;
	return true;
}
