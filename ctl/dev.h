/* SPDX-License-Identifier: GPL-2.0-only */
/* Block devices and image files as format needs them: claim, probe, zero. */
#ifndef SWB_CTL_DEV_H
#define SWB_CTL_DEV_H

#include "ctl.h"

/**
 * struct dev - an open device or image file
 * @path: as given
 * @fd: open descriptor, -1 if none
 * @file: a regular file
 * @bytes: size
 * @logical: logical block size
 * @physical: physical block size
 */
struct dev {
	const char *path;
	int fd;
	bool file;
	uint64_t bytes;
	uint32_t logical;
	uint32_t physical;
};

/**
 * dev_claim() - open for writing, and for nobody else
 * @ctl: for errors
 * @dev: filled
 * @path: block device, or regular file if @file_ok
 * @file_ok: --file was given
 *
 * Return: CTL_OK, or the exit code of the error that was printed.
 */
int dev_claim(struct ctl *ctl, struct dev *dev, const char *path, bool file_ok);

/** dev_look() - open for reading, also while others use it */
int dev_look(struct ctl *ctl, struct dev *dev, const char *path);
void dev_close(struct dev *dev);

/**
 * dev_signature() - what is on it, by libblkid and our own magic
 * @dev: open device
 * @what: filled with a short name: "ext4", "swblock volume db/a", ...
 * @len: room
 *
 * Return: 1 something is there, 0 nothing, negative errno.
 */
int dev_signature(const struct dev *dev, char *what, size_t len);

/** dev_zero() - zeroes in [@offset, @offset + @len), with progress */
int dev_zero(struct ctl *ctl, const struct dev *dev, const char *what,
	     uint64_t offset, uint64_t len);

/* super.c: the two slots, by the core's codec */

/** super_read() - both slots; picks as local recovery would. CTL_OK or printed */
int super_read(struct ctl *ctl, const struct dev *dev, struct swb_durable *d);

/** super_write() - both slots, synced, read back and compared */
int super_write(struct ctl *ctl, const struct dev *dev,
		const struct swb_durable *d);

/** super_wipe() - no slot is ours any more */
int super_wipe(struct ctl *ctl, const struct dev *dev);

/** super_present() - some slot carries our magic; names in @what if readable */
bool super_present(const struct dev *dev, char *what, size_t len);

#endif /* SWB_CTL_DEV_H */
