// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two superblock slots of a device, by the core's codec and the core's
 * choice between them. The only place of the tools that writes one.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/codec.h"
#include "core/recover.h"
#include "core/text.h"
#include "dev.h"
#include "out.h"

static const off_t slot_offset[SWB_SUPER_SLOTS] = {
	SWB_SUPER_OFFSET_0, SWB_SUPER_OFFSET_1,
};

static int read_slot(const struct dev *dev, int slot, void *buf)
{
	ssize_t got = pread(dev->fd, buf, SWB_SUPER_BYTES, slot_offset[slot]);

	if (got == SWB_SUPER_BYTES)
		return 0;
	return got < 0 ? -errno : -EIO;
}

bool super_present(const struct dev *dev, char *what, size_t len)
{
	char buf[SWB_SUPER_BYTES] __attribute__((aligned(8)));
	enum swb_super_verdict v;
	struct swb_durable d;
	bool found = false;
	int slot;

	for (slot = 0; slot < SWB_SUPER_SLOTS; slot++) {
		if (read_slot(dev, slot, buf))
			continue;
		v = swb_codec_super_decode(buf, &d);
		if (v == SWB_SUPER_BAD_MAGIC)
			continue;
		if (v == SWB_SUPER_OK)
			snprintf(what, len, "swblock member %s/%s",
				 (char *)d.volume_label, (char *)d.replica_label);
		else if (!found)
			snprintf(what, len, "a damaged swblock superblock (%s)",
				 swb_text_super(v));
		found = true;
	}
	return found;
}

int super_read(struct ctl *ctl, const struct dev *dev, struct swb_durable *d)
{
	char buf[SWB_SUPER_BYTES] __attribute__((aligned(8)));
	enum swb_super_verdict v[SWB_SUPER_SLOTS];
	struct swb_durable slot[SWB_SUPER_SLOTS];
	const char *why;
	u8 letter = 0;
	int i, pick;

	memset(slot, 0, sizeof(slot));
	for (i = 0; i < SWB_SUPER_SLOTS; i++)
		v[i] = read_slot(dev, i, buf) ? SWB_SUPER_BAD_MAGIC :
		       swb_codec_super_decode(buf, &slot[i]);
	pick = swb_recover_pick(v[0], &slot[0], v[1], &slot[1], &letter);
	if (pick < 0) {
		why = swb_text_case(SWBLOCK_TABLE_RECOVER, letter);
		return out_fail(ctl, &err_device,
				swb_text_hint(SWBLOCK_TABLE_RECOVER, letter),
				"%s: case %c: %s", dev->path, letter,
				why ? why : "no usable superblock");
	}
	*d = slot[pick];
	return CTL_OK;
}

static int write_failed(struct ctl *ctl, const struct dev *dev, int err)
{
	return out_fail(ctl, &err_device, NULL, "%s: writing the superblock: %s",
			dev->path, strerror(err));
}

int super_wipe(struct ctl *ctl, const struct dev *dev)
{
	static const char zeroes[SWB_SUPER_BYTES];
	int slot;

	for (slot = 0; slot < SWB_SUPER_SLOTS; slot++)
		if (pwrite(dev->fd, zeroes, sizeof(zeroes), slot_offset[slot]) !=
		    sizeof(zeroes))
			return write_failed(ctl, dev, errno);
	return fsync(dev->fd) ? write_failed(ctl, dev, errno) : CTL_OK;
}

int super_write(struct ctl *ctl, const struct dev *dev,
		const struct swb_durable *d)
{
	char buf[SWB_SUPER_BYTES] __attribute__((aligned(8)));
	char back[SWB_SUPER_BYTES] __attribute__((aligned(8)));
	struct swb_durable copy = *d, seen;
	int i, slot;

	/* Two generations, older first: from the first moment both slots are
	 * whole, and they are never equal in generation and different in bytes.
	 */
	for (i = 1; i <= SWB_SUPER_SLOTS; i++) {
		copy.generation = (u64)i;
		slot = i & 1;
		swb_codec_super_encode(&copy, buf);
		if (pwrite(dev->fd, buf, sizeof(buf), slot_offset[slot]) !=
		    sizeof(buf) || fsync(dev->fd))
			return write_failed(ctl, dev, errno);
		/* not from the cache, as far as the kernel lets us choose */
		posix_fadvise(dev->fd, slot_offset[slot], sizeof(buf),
			      POSIX_FADV_DONTNEED);
		if (read_slot(dev, slot, back) || memcmp(buf, back, sizeof(buf)) ||
		    swb_codec_super_decode(back, &seen) != SWB_SUPER_OK)
			return out_fail(ctl, &err_device, "replace the device",
					"%s: superblock %d reads back differently",
					dev->path, slot);
	}
	return CTL_OK;
}
