/* SPDX-License-Identifier: GPL-2.0-only */
/* One step of a flight record as a line, and the fields of a state by name. */
#ifndef SWB_STEPTEXT_H
#define SWB_STEPTEXT_H

#include "core/record.h"

#define STEP_TEXT_MAX	8192

/**
 * step_text() - what came, what was ordered, what became of roles and peers
 * @s: the step
 * @buf: filled, without newline
 * @len: its size; STEP_TEXT_MAX is enough
 */
void step_text(const struct swb_record_step *s, char *buf, size_t len);

/** action_text() - one order, with the numbers that are not 0 */
void action_text(const struct swb_action *a, char *buf, size_t len);

/** record_text() - what is wrong with a file */
const char *record_text(enum swb_record_verdict v);

/**
 * state_differs() - the next field in which two states differ
 * @a: one
 * @b: the other
 * @skip: how many differences to pass over
 * @name: filled: "peer[1].session"
 * @len: its size
 * @hand: filled, if not NULL: who may change it outside of a step
 * @values: filled, if not NULL: both values, "7, not 8"; 128 bytes
 *
 * Padding and the scratch are no fields. Return: true if there is one.
 */
bool state_differs(const struct swb_core *a, const struct swb_core *b, unsigned int skip,
		   char *name, size_t len, enum swb_record_hand *hand, char *values);

#endif /* SWB_STEPTEXT_H */
