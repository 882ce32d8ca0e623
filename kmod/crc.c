// SPDX-License-Identifier: GPL-2.0-only
/*
 * crc32c. Two implementations are always there: the generic one in vmlinux, and
 * whatever the crypto API offers under that name. Under emulation the
 * accelerated one is several times slower, on hardware ten times faster, so both
 * are measured once. libcrc32c is not used: it is a module of its own, and a
 * plain insmod of swblock.ko would not find it.
 *
 * Lock: none. Context: swb_crc32c() any, init and exit process.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <crypto/hash.h>
#include <linux/crc32.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include "crc.h"

#define CALIBRATE_ROUNDS	8
#define CALIBRATE_BYTES		PAGE_SIZE

static struct crypto_shash *crc_tfm;	/* NULL: generic */

/*
 * The state of a crc32c shash is the running checksum, not inverted: putting the
 * seed there saves an init and a final call.
 */
static u32 update_shash(struct crypto_shash *tfm, u32 state, const void *buf,
			size_t len)
{
	SHASH_DESC_ON_STACK(desc, tfm);
	u32 *ctx = (u32 *)shash_desc_ctx(desc);

	desc->tfm = tfm;
	*ctx = state;
	if (WARN_ON_ONCE(crypto_shash_update(desc, buf, len)))
		return ~state;
	barrier_data(ctx);
	return *ctx;
}

static u32 update(struct crypto_shash *tfm, u32 state, const void *buf,
		  size_t len)
{
	return tfm ? update_shash(tfm, state, buf, len) :
		     __crc32c_le(state, buf, len);
}

u32 swb_crc32c(u32 seed, const void *buf, size_t len)
{
	return ~update(READ_ONCE(crc_tfm), ~seed, buf, len);
}

/* Best of some rounds, so that an interrupt does not decide. */
static u64 measure_ns(struct crypto_shash *tfm, const void *buf)
{
	u64 best_ns = U64_MAX;
	u32 state = ~0U;
	int i;

	for (i = 0; i < CALIBRATE_ROUNDS; i++) {
		u64 start_ns = ktime_get_ns();

		state = update(tfm, state, buf, CALIBRATE_BYTES);
		best_ns = min(best_ns, ktime_get_ns() - start_ns);
	}
	barrier_data(&state);
	return best_ns;
}

static bool usable(struct crypto_shash *tfm)
{
	static const u8 check[] = "123456789";

	return crypto_shash_descsize(tfm) >= sizeof(u32) &&
	       crypto_shash_digestsize(tfm) == sizeof(u32) &&
	       ~update_shash(tfm, ~0U, check, 9) == 0xe3069283;
}

void swb_crc_init(void)
{
	u64 generic_ns, shash_ns = U64_MAX;
	struct crypto_shash *tfm;
	void *buf;

	buf = (void *)get_zeroed_page(GFP_KERNEL);
	tfm = crypto_alloc_shash("crc32c", 0, 0);
	if (IS_ERR(tfm))
		tfm = NULL;
	if (!buf || !tfm || !usable(tfm)) {
		pr_info("crc32c: generic\n");
		goto generic;
	}
	generic_ns = measure_ns(NULL, buf);
	shash_ns = measure_ns(tfm, buf);
	pr_info("crc32c: %s (4 KiB: generic %llu ns, %s %llu ns)\n",
		shash_ns < generic_ns ? "accelerated" : "generic", generic_ns,
		crypto_shash_driver_name(tfm), shash_ns);
	if (shash_ns < generic_ns) {
		crc_tfm = tfm;
		tfm = NULL;
	}
generic:
	if (tfm)
		crypto_free_shash(tfm);
	free_page((unsigned long)buf);
}

void swb_crc_exit(void)
{
	if (crc_tfm)
		crypto_free_shash(crc_tfm);
	crc_tfm = NULL;
}
