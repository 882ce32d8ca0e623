// SPDX-License-Identifier: GPL-2.0-only
/*
 * Block devices and image files: claim exclusively, find signatures, zero. Knows
 * nothing of layouts; super.c does.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <blkid/blkid.h>
#include <linux/falloc.h>
#include <linux/fs.h>

#include "dev.h"
#include "out.h"

/* small enough for a progress line, large enough to be one request */
#define ZERO_CHUNK	(64ULL << 20)

static int geometry(struct ctl *ctl, struct dev *dev, const struct stat *st)
{
	int logical = 512;
	unsigned int physical = 4096;

	if (S_ISREG(st->st_mode)) {
		dev->file = true;
		dev->bytes = (uint64_t)st->st_size;
		dev->logical = 512;
		dev->physical = 4096;
		return CTL_OK;
	}
	if (ioctl(dev->fd, BLKGETSIZE64, &dev->bytes) ||
	    ioctl(dev->fd, BLKSSZGET, &logical) ||
	    ioctl(dev->fd, BLKPBSZGET, &physical))
		return out_fail(ctl, &err_device, NULL, "%s: %s", dev->path,
				strerror(errno));
	dev->logical = (uint32_t)logical;
	dev->physical = physical;
	return CTL_OK;
}

static int refuse_kind(struct ctl *ctl, const char *path, mode_t mode)
{
	if (S_ISREG(mode))
		return out_fail(ctl, &err_device,
				"give --file if an image file is what you want",
				"%s is a regular file, not a block device", path);
	return out_fail(ctl, &err_device, NULL, "%s is not a block device", path);
}

int dev_claim(struct ctl *ctl, struct dev *dev, const char *path, bool file_ok)
{
	int flags = O_RDWR | O_CLOEXEC;
	struct stat st;

	*dev = (struct dev){ .path = path, .fd = -1 };
	if (stat(path, &st))
		return out_fail(ctl, errno == ENOENT ? &err_no_object : &err_device,
				NULL, "%s: %s", path, strerror(errno));
	if (!S_ISBLK(st.st_mode) && !(file_ok && S_ISREG(st.st_mode)))
		return refuse_kind(ctl, path, st.st_mode);
	if (S_ISBLK(st.st_mode))
		flags |= O_EXCL;	/* fails while mounted, in a RAID, attached */
	dev->fd = open(path, flags);
	if (dev->fd < 0 && errno == EBUSY)
		return out_fail(ctl, &err_in_use,
				"unmount it, or remove what holds it: lsblk shows it",
				"%s is in use", path);
	if (dev->fd < 0)
		return out_fail(ctl, &err_device, NULL, "%s: %s", path,
				strerror(errno));
	return geometry(ctl, dev, &st);
}

int dev_look(struct ctl *ctl, struct dev *dev, const char *path)
{
	struct stat st;

	*dev = (struct dev){ .path = path, .fd = -1 };
	dev->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (dev->fd < 0 || fstat(dev->fd, &st))
		return out_fail(ctl, errno == ENOENT ? &err_no_object : &err_device,
				NULL, "%s: %s", path, strerror(errno));
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return refuse_kind(ctl, path, st.st_mode);
	return geometry(ctl, dev, &st);
}

void dev_close(struct dev *dev)
{
	if (dev->fd >= 0)
		close(dev->fd);
	dev->fd = -1;
}

static int blkid_signature(const struct dev *dev, char *what, size_t len)
{
	blkid_probe pr = blkid_new_probe();
	const char *type = NULL;
	int ret;

	if (!pr)
		return -ENOMEM;
	if (blkid_probe_set_device(pr, dev->fd, 0, 0)) {
		ret = -EIO;
		goto out;
	}
	blkid_probe_enable_superblocks(pr, 1);
	blkid_probe_enable_partitions(pr, 1);
	ret = blkid_do_safeprobe(pr);
	if (ret == 1) {
		ret = 0;
	} else if (ret == -2) {
		snprintf(what, len, "several signatures");
		ret = 1;
	} else if (ret == 0) {
		if (blkid_probe_lookup_value(pr, "TYPE", &type, NULL) &&
		    blkid_probe_lookup_value(pr, "PTTYPE", &type, NULL))
			type = NULL;
		snprintf(what, len, "%s", type ? type : "an unnamed signature");
		ret = 1;
	} else {
		ret = -EIO;
	}
out:
	blkid_free_probe(pr);
	return ret;
}

int dev_signature(const struct dev *dev, char *what, size_t len)
{
	if (super_present(dev, what, len))
		return 1;
	return blkid_signature(dev, what, len);
}

static int zero_by_hand(const struct dev *dev, uint64_t offset, uint64_t len)
{
	static const char zeroes[65536];
	ssize_t did;

	while (len) {
		did = pwrite(dev->fd, zeroes,
			     (size_t)min_t(uint64_t, len, sizeof(zeroes)),
			     (off_t)offset);
		if (did < 0)
			return -errno;
		offset += (uint64_t)did;
		len -= (uint64_t)did;
	}
	return 0;
}

static int zero_chunk(const struct dev *dev, uint64_t offset, uint64_t len)
{
	uint64_t range[2] = { offset, len };

	if (dev->file && !fallocate(dev->fd, FALLOC_FL_PUNCH_HOLE |
				    FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)len))
		return 0;
	if (!dev->file && !ioctl(dev->fd, BLKZEROOUT, range))
		return 0;
	if (errno != EOPNOTSUPP && errno != ENOTTY && errno != EINVAL)
		return -errno;
	return zero_by_hand(dev, offset, len);
}

int dev_zero(struct ctl *ctl, const struct dev *dev, const char *what,
	     uint64_t offset, uint64_t len)
{
	uint64_t done = 0, part;
	int err;

	while (done < len) {
		part = min_t(uint64_t, len - done, ZERO_CHUNK);
		err = zero_chunk(dev, offset + done, part);
		if (err)
			return out_fail(ctl, &err_device, NULL,
					"%s: zeroing failed at byte %llu: %s",
					dev->path,
					(unsigned long long)(offset + done),
					strerror(-err));
		done += part;
		out_progress(ctl, what, done, len);
	}
	return CTL_OK;
}
