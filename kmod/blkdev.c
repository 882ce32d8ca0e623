// SPDX-License-Identifier: GPL-2.0-only
/*
 * The gendisk /dev/swblockN: limits, openers, capacity by role, and bios in. A
 * bio is split to the limits here, and handed to write.c or read.c.
 *
 * Must not wait in submit_bio, and not decide: the role is the core's business.
 *
 * Lock: disk->open_mutex for v->claims; volume->lock for openers. Context:
 * submit_bio; process for the rest.
 */
#include <linux/blkdev.h>
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/sysfs.h>
#include "blkdev.h"
#include "compat.h"
#include "idle.h"
#include "post.h"
#include "write.h"

#define MAX_SECTORS	(SWB_REC_PAYLOAD_MAX >> SECTOR_SHIFT)
#define ZEROES_SECTORS	(SWB_REC_ZEROES_MAX >> SECTOR_SHIFT)

static int major;
static DEFINE_IDA(minors);

static void submit(struct bio *bio)
{
	struct swb_volume *v = bio->bi_bdev->bd_disk->private_data;

	/* Limits are not enforced for bio-based devices. */
	bio = bio_split_to_limits(bio);
	if (!bio)
		return;
	if (bio_op(bio) == REQ_OP_READ)
		swb_read_submit(v, bio);
	else
		swb_write_submit(v, bio);
}

/* An open for writing is refused where nothing may be written, and says why. */
static int may_write(struct swb_volume *v)
{
	unsigned long flags;
	bool primary;

	spin_lock_irqsave(&v->lock, flags);
	primary = v->core.role == SWBLOCK_ROLE_PRIMARY;
	spin_unlock_irqrestore(&v->lock, flags);
	if (primary)
		return 0;
	pr_info_ratelimited("swblock: swblock%d is not primary here and cannot be opened for writing: use `swblockctl promote`, or open it on the primary\n",
			    v->minor);
	return -EROFS;
}

static int open_disk(SWB_OPEN_ARGS)
{
	struct swb_volume *v = swb_open_disk->private_data;
	unsigned long flags;
	int err;

	lockdep_assert_held(&swb_open_disk->open_mutex);
	if (v->claims)
		return -EBUSY;
	err = swb_open_writes ? may_write(v) : 0;
	if (err)
		return err;
	spin_lock_irqsave(&v->lock, flags);
	v->core.openers++;
	spin_unlock_irqrestore(&v->lock, flags);
	return 0;
}

static void release_disk(SWB_RELEASE_ARGS)
{
	struct swb_volume *v = disk->private_data;
	unsigned long flags;
	bool last;

	spin_lock_irqsave(&v->lock, flags);
	last = --v->core.openers == 0;
	spin_unlock_irqrestore(&v->lock, flags);
	if (last)
		swb_post_later(v, SWB_POST_CLOSED);
}

static void free_disk(struct gendisk *disk)
{
	struct swb_volume *v = disk->private_data;

	ida_free(&minors, disk->first_minor);
	swb_volume_put(v);
}

static const struct block_device_operations disk_ops = {
	.owner		= THIS_MODULE,
	.submit_bio	= submit,
	.open		= open_disk,
	.release	= release_disk,
	.free_disk	= free_disk,
};

/* ---- who it is: docs/ABI/testing/sysfs-block-swblock ------------------- */

/* The disk holds the volume until its last attribute is gone. */
static const struct swb_volume *volume_of(struct device *dev)
{
	return dev_to_disk(dev)->private_data;
}

/* What no verb changes needs no lock. A label may fill its field. */
static ssize_t show_label(char *buf, const u8 *label)
{
	return sysfs_emit(buf, "%*pE\n", (int)strnlen(label, SWB_LABEL_BYTES),
			  label);
}

static ssize_t volume_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	return show_label(buf, volume_of(dev)->core.d.volume_label);
}

static ssize_t member_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	return show_label(buf, volume_of(dev)->core.d.replica_label);
}

static ssize_t volume_uuid_show(struct device *dev,
				struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%pUb\n", volume_of(dev)->core.d.volume.b);
}

static ssize_t replica_uuid_show(struct device *dev,
				 struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%pUb\n", volume_of(dev)->core.d.replica.b);
}

static ssize_t id_show(struct device *dev, struct device_attribute *attr,
		       char *buf)
{
	return sysfs_emit(buf, "%u\n", volume_of(dev)->id);
}

static ssize_t format_version_show(struct device *dev,
				   struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", SWB_DISK_VERSION);
}

static DEVICE_ATTR_RO(volume);
static DEVICE_ATTR_RO(member);
static DEVICE_ATTR_RO(volume_uuid);
static DEVICE_ATTR_RO(replica_uuid);
static DEVICE_ATTR_RO(id);
static DEVICE_ATTR_RO(format_version);

static struct attribute *identity_attrs[] = {
	&dev_attr_volume.attr,
	&dev_attr_member.attr,
	&dev_attr_volume_uuid.attr,
	&dev_attr_replica_uuid.attr,
	&dev_attr_id.attr,
	&dev_attr_format_version.attr,
	NULL,
};

static const struct attribute_group identity_group = {
	.name	= "swblock",
	.attrs	= identity_attrs,
};

static const struct attribute_group *disk_groups[] = {
	&identity_group,
	NULL,
};

/* ---- limits, lifetime --------------------------------------------------- */

/*
 * A zeroes record is applied by the lower device: offered only where that is
 * cheap, else a discard of the whole device would write it full.
 */
static void fill_limits(struct swb_volume *v, struct swb_disk_limits *l)
{
	struct block_device *lower = v->data.bdev;
	u32 block = v->core.d.block_bytes;
	bool zeroes = bdev_write_zeroes_sectors(lower) > 0;

	*l = (struct swb_disk_limits) {
		.logical_bytes	= block,
		.physical_bytes	= max(block, v->data.physical_bytes),
		.io_min_bytes	= max_t(u32, block, bdev_io_min(lower)),
		.io_opt_bytes	= bdev_io_opt(lower),
		.max_sectors	= MAX_SECTORS,
		.max_zeroes_sectors = zeroes ? ZEROES_SECTORS : 0,
		.max_discard_sectors = zeroes ? ZEROES_SECTORS : 0,
		.discard_bytes	= zeroes ? block : 0,
	};
}

static int get_minor(int wanted)
{
	int err;

	if (wanted < 0)
		return ida_alloc_max(&minors, MINORMASK, GFP_KERNEL);
	err = ida_alloc_range(&minors, wanted, wanted, GFP_KERNEL);
	return err == -ENOSPC ? -EEXIST : err;
}

static void link_holders(struct swb_volume *v)
{
	/* For lsblk only: a volume works without it. */
	if (swb_store_link(&v->data, v->disk) ||
	    (v->wal_store.bdev && swb_store_link(&v->wal_store, v->disk)))
		pr_warn("swblock: swblock%d: lsblk will not show what it is made of\n",
			v->minor);
}

int swb_blkdev_create(struct swb_volume *v, int minor)
{
	struct swb_disk_limits limits;
	struct gendisk *disk;
	int err;

	minor = get_minor(minor);
	if (minor < 0)
		return minor;
	fill_limits(v, &limits);
	disk = swb_compat_alloc_disk(&limits);
	if (IS_ERR(disk)) {
		ida_free(&minors, minor);
		return PTR_ERR(disk);
	}
	disk->major = major;
	disk->first_minor = minor;
	disk->minors = 1;
	disk->flags |= GENHD_FL_NO_PART;
	disk->private_data = v;
	snprintf(disk->disk_name, sizeof(disk->disk_name), "swblock%d", minor);
	disk->fops = &disk_ops;
	v->minor = minor;
	/* Once it is added, free_disk() gives minor and reference back. */
	swb_volume_get(v);
	/* Attributes are there before the uevent that makes udev look at them. */
	err = device_add_disk(NULL, disk, disk_groups);
	if (err) {
		put_disk(disk);
		ida_free(&minors, minor);
		swb_volume_put(v);
		return err;
	}
	set_disk_ro(disk, true);
	swb_idle_lock(&v->step_mutex);
	v->disk = disk;
	mutex_unlock(&v->step_mutex);
	link_holders(v);
	return 0;
}

void swb_blkdev_set_role(struct swb_volume *v, u8 role)
{
	struct gendisk *disk = v->disk;
	unsigned long flags;
	bool offered;

	lockdep_assert_held(&v->step_mutex);
	spin_lock_irqsave(&v->lock, flags);
	/* Held I/O may go on under the next grant: the size must stay (P12). */
	offered = role == SWBLOCK_ROLE_PRIMARY ||
		  v->core.io == SWB_IO_HELD;
	spin_unlock_irqrestore(&v->lock, flags);
	if (!disk || offered == v->offered)
		return;
	v->offered = offered;
	set_disk_ro(disk, !offered);
	set_capacity_and_notify(disk, offered ? v->core.d.extent_bytes >>
						SECTOR_SHIFT : 0);
	/* To and from size 0 the line above sends no event. */
	kobject_uevent(&disk_to_dev(disk)->kobj, KOBJ_CHANGE);
}

void swb_blkdev_set_size(struct swb_volume *v, u64 bytes)
{
	lockdep_assert_held(&v->step_mutex);
	if (v->disk && v->offered)
		set_capacity_and_notify(v->disk, bytes >> SECTOR_SHIFT);
}

int swb_blkdev_claim(struct swb_volume *v, bool force)
{
	unsigned long flags;
	int err = 0;

	mutex_lock(&v->disk->open_mutex);
	spin_lock_irqsave(&v->lock, flags);
	if (!force && (v->claims || v->core.openers))
		err = -EBUSY;
	spin_unlock_irqrestore(&v->lock, flags);
	if (!err)
		v->claims++;
	mutex_unlock(&v->disk->open_mutex);
	return err;
}

void swb_blkdev_unclaim(struct swb_volume *v)
{
	mutex_lock(&v->disk->open_mutex);
	v->claims--;
	mutex_unlock(&v->disk->open_mutex);
}

/*
 * Order matters. del_gendisk() writes the page cache back first, which must fail
 * at once and not wait; whoever still has the device open keeps the memory.
 */
void swb_blkdev_destroy(struct swb_volume *v)
{
	struct gendisk *disk = v->disk;

	if (!disk)
		return;
	blk_mark_disk_dead(disk);
	swb_write_fail_all(v, BLK_STS_IOERR);
	swb_idle_lock(&v->step_mutex);
	v->disk = NULL;
	mutex_unlock(&v->step_mutex);
	swb_store_unlink(&v->data);
	swb_store_unlink(&v->wal_store);
	del_gendisk(disk);
	put_disk(disk);
}

int swb_blkdev_init(void)
{
	major = register_blkdev(0, "swblock");
	return major < 0 ? major : 0;
}

void swb_blkdev_exit(void)
{
	unregister_blkdev(major, "swblock");
}
