/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an operation of a recorded workload writes. Shared by the program that
 * writes in the guest (selftests/helpers/swbops.c) and the one that judges crash
 * images, so that neither has to believe what the other saw: the bytes follow
 * from operation, block and sector alone.
 */
#ifndef SWB_CRASH_OPS_H
#define SWB_CRASH_OPS_H

#include <stdint.h>
#include <string.h>

#define OPS_SECTOR	512
#define OPS_MAGIC	0x53504f2d42575321ULL
#define OPS_BLOCKS_MAX	32	/* of one operation */

/**
 * struct ops_sector - the first bytes of a sector; the rest repeats one word
 * @magic: OPS_MAGIC
 * @op: operation, from 1
 * @block: block of the volume
 * @sector: sector of that block
 */
struct ops_sector {
	uint64_t magic;
	uint64_t op;
	uint32_t block;
	uint32_t sector;
	uint64_t fill[(OPS_SECTOR - 24) / 8];
};

static inline uint64_t ops_mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

/** ops_fill() - sector @sector of block @block as operation @op writes it */
static inline void ops_fill(void *buf, uint64_t op, uint32_t block,
			    uint32_t sector)
{
	struct ops_sector *s = buf;
	uint64_t word = ops_mix(op << 24 ^ (uint64_t)block << 4 ^ sector);

	s->magic = OPS_MAGIC;
	s->op = op;
	s->block = block;
	s->sector = sector;
	for (unsigned int i = 0; i < sizeof(s->fill) / 8; i++)
		s->fill[i] = word;
}

#endif /* SWB_CRASH_OPS_H */
