// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the core asks of the program it is linked into: crc32c and assert.
 * By the processor's instruction where there is one, else by a table made at
 * first use; single-threaded programs only.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../kmod/core/port.h"

static u32 crc_table[8][256];

static void crc_table_fill(void)
{
	for (u32 i = 0; i < 256; i++) {
		u32 crc = i;

		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? (crc >> 1) ^ 0x82f63b78 : crc >> 1;
		crc_table[0][i] = crc;
	}
	for (u32 i = 0; i < 256; i++)
		for (int k = 1; k < 8; k++)
			crc_table[k][i] = (crc_table[k - 1][i] >> 8) ^
					  crc_table[0][crc_table[k - 1][i] & 0xff];
}

/* the unit tests, built with sanitizers, stay with the table: both are tested */
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
__attribute__((target("sse4.2")))
static u32 crc_by_instruction(u32 crc, const u8 *p, size_t len)
{
	u64 wide = crc, word;

	for (; len >= 8; p += 8, len -= 8) {
		memcpy(&word, p, 8);
		wide = __builtin_ia32_crc32di(wide, word);
	}
	crc = (u32)wide;
	while (len--)
		crc = __builtin_ia32_crc32qi(crc, *p++);
	return crc;
}

static bool has_instruction(void)
{
	static int known = -1;

	if (known < 0)
		known = __builtin_cpu_supports("sse4.2") != 0;
	return known;
}
#else
static u32 crc_by_instruction(u32 crc, const u8 *p, size_t len)
{
	(void)p;
	(void)len;
	return crc;
}

static bool has_instruction(void)
{
	return false;
}
#endif

u32 swb_crc32c(u32 seed, const void *buf, size_t len)
{
	const u8 *p = buf;
	u32 crc = ~seed;

	if (has_instruction())
		return ~crc_by_instruction(crc, p, len);
	if (!crc_table[0][1])
		crc_table_fill();
	while (len >= 8) {
		crc ^= (u32)p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 |
		       (u32)p[3] << 24;
		crc = crc_table[7][crc & 0xff] ^ crc_table[6][crc >> 8 & 0xff] ^
		      crc_table[5][crc >> 16 & 0xff] ^ crc_table[4][crc >> 24] ^
		      crc_table[3][p[4]] ^ crc_table[2][p[5]] ^
		      crc_table[1][p[6]] ^ crc_table[0][p[7]];
		p += 8;
		len -= 8;
	}
	while (len--)
		crc = (crc >> 8) ^ crc_table[0][(crc ^ *p++) & 0xff];
	return ~crc;
}

void swb_assert_failed(const char *file, int line, const char *cond)
{
	fprintf(stderr, "%s:%d: broken invariant: %s\n", file, line, cond);
	abort();
}
