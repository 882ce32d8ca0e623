/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fact tables: rows of yes / no / any columns, tried from top to bottom by one
 * matcher. A column is a bit; a row names the bits that must be set and those
 * that must be clear, all others are "any". The last row of each table has no
 * column, so that every combination of facts has exactly one verdict (G5).
 */
#ifndef SWB_CORE_TABLE_H
#define SWB_CORE_TABLE_H

#include "types.h"

/**
 * struct swb_row - one row of a fact table
 * @yes: facts that must hold
 * @no: facts that must not hold
 * @letter: case letter
 * @verdict: enum of the table
 * @reason: enum swblock_reason, where the verdict carries one
 */
struct swb_row {
	u32 yes;
	u32 no;
	u8 letter;
	u8 verdict;
	u8 reason;
};

/**
 * swb_table_match() - the first row that fits
 * @row: rows, the last of which fits everything
 * @count: their number
 * @facts: one bit per fact
 *
 * Return: never NULL.
 */
static inline const struct swb_row *swb_table_match(const struct swb_row *row,
						    u32 count, u32 facts)
{
	u32 i;

	for (i = 0; i + 1 < count; i++)
		if ((facts & row[i].yes) == row[i].yes && !(facts & row[i].no))
			break;
	return &row[i];
}

/* a fact as a bit: FACT(condition, BIT) */
static inline u32 swb_fact(bool holds, u32 bit)
{
	return holds ? bit : 0;
}

#endif /* SWB_CORE_TABLE_H */
