/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The whole outside world of kmod/core/: integer types, memcpy and friends,
 * byte order, crc32c, assert. Three branches: kernel, userspace, freestanding.
 * Nothing else may be included by a file of the core, except core/ and format/.
 *
 * Symbols that a freestanding object of the core may leave undefined
 * (scripts/check-core-pure reads this list):
 *
 * allowed-symbols: memcpy memset memcmp memmove swb_crc32c swb_assert_failed
 */
#ifndef SWB_CORE_PORT_H
#define SWB_CORE_PORT_H

#ifdef __KERNEL__

#include <linux/types.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/bug.h>
#include <linux/minmax.h>
#include <asm/byteorder.h>

/* A programmer error: warn once, go on; media and peers are never asserted on. */
#define swb_assert(cond)	WARN_ON_ONCE(!(cond))

#else /* userspace and freestanding */

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <linux/types.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

void *memcpy(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memmove(void *dst, const void *src, size_t n);

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define swb_le16(x)	((u16)(x))
#define swb_le32(x)	((u32)(x))
#define swb_le64(x)	((u64)(x))
#else
#define swb_le16(x)	__builtin_bswap16((u16)(x))
#define swb_le32(x)	__builtin_bswap32((u32)(x))
#define swb_le64(x)	__builtin_bswap64((u64)(x))
#endif
#define le16_to_cpu(x)	swb_le16(x)
#define le32_to_cpu(x)	swb_le32(x)
#define le64_to_cpu(x)	swb_le64(x)
#define cpu_to_le16(x)	((__le16)swb_le16(x))
#define cpu_to_le32(x)	((__le32)swb_le32(x))
#define cpu_to_le64(x)	((__le64)swb_le64(x))

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define min_t(t, a, b)	((t)(a) < (t)(b) ? (t)(a) : (t)(b))
#define max_t(t, a, b)	((t)(a) > (t)(b) ? (t)(a) : (t)(b))

#ifndef __must_check
#define __must_check	__attribute__((warn_unused_result))
#endif

/* Provided by the program: aborts in the simulators and tests. */
void swb_assert_failed(const char *file, int line, const char *cond);
#define swb_assert(cond) \
	do { \
		if (!(cond)) \
			swb_assert_failed(__FILE__, __LINE__, #cond); \
	} while (0)

#endif

/**
 * swb_crc32c() - crc32c (Castagnoli) in the usual form
 * @seed: 0, or the result for the bytes before
 * @buf: bytes
 * @len: their number
 *
 * Pre- and post-inverted, so that swb_crc32c(swb_crc32c(0, a), b) is the
 * checksum of a followed by b, and "123456789" gives 0xe3069283.
 *
 * Return: the checksum.
 */
u32 swb_crc32c(u32 seed, const void *buf, size_t len);

#endif /* SWB_CORE_PORT_H */
