// SPDX-License-Identifier: GPL-2.0-only
/*
 * swblockctl format: make a device a member of a volume. Destroys what is on it,
 * so it looks first and writes last: a run that is interrupted leaves a device
 * without a superblock, never one that looks formatted.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/codec.h"
#include "dev.h"
#include "out.h"
#include "verbs.h"

#define MIB			(1024ULL * 1024)
#define WAL_DEFAULT_MIN		(4 * MIB)
#define WAL_DEFAULT_MAX		(64 * MIB)
#define WAL_SHARE		16
#define EXTENT_MIN		MIB

static const struct opt_def format_opts[] = {
	{ "volume", 0, "LABEL", "name of the volume (default: made up)" },
	{ "replica", 0, "LABEL", "name of this copy (default: made up)" },
	{ "volume-uuid", 0, "UUID", "identity of the volume (default: random)" },
	{ "replica-uuid", 0, "UUID", "identity of this copy (default: random)" },
	{ "like", 0, "DEV2", "take volume, size and block size from DEV2" },
	{ "wal", 0, "DEV", "put the write-ahead log on another device" },
	{ "wal-size", 0, "SIZE", "size of the log (default 1/16, 4 MiB to 64 MiB)" },
	{ "size", 0, "SIZE", "size of the volume (default: what fits)" },
	{ "block-size", 0, "N", "logical block size, 512 or 4096" },
	{ "assume-zero", 0, NULL, "the device reads as zeroes: do not write them" },
	{ "force", 0, NULL, "overwrite what is there" },
	{ "file", 0, NULL, "DEV and the log may be regular files" },
	{ NULL },
};

struct plan {
	struct dev data;
	struct dev wal;
	bool wal_separate;
	struct swb_durable d;
};

static int take_labels(struct ctl *ctl, struct swb_durable *d)
{
	const char *volume = opt_get(ctl, "volume");
	const char *replica = opt_get(ctl, "replica");
	const char *uuid = opt_get(ctl, "volume-uuid");
	const char *mine = opt_get(ctl, "replica-uuid");
	static const char hint[] =
		"a letter first, then letters, digits, . _ -, at most 31, not \"swblock\"";
	char made_up[SWBLOCK_LABEL_MAX];

	if ((volume && !label_ok(volume)) || (replica && !label_ok(replica)))
		return out_fail(ctl, &err_usage, hint, "not a label: \"%s\"",
				volume && !label_ok(volume) ? volume : replica);
	if (uuid && (!uuid_parse(uuid, &d->volume) ||
		     swb_uuid_is_null(&d->volume)))
		return out_fail(ctl, &err_usage, NULL, "not a uuid: \"%s\"", uuid);
	if (mine && (!uuid_parse(mine, &d->replica) ||
		     swb_uuid_is_null(&d->replica)))
		return out_fail(ctl, &err_usage, NULL, "not a uuid: \"%s\"", mine);
	if (!uuid)
		uuid_random(&d->volume);
	if (!mine)
		uuid_random(&d->replica);
	snprintf(made_up, sizeof(made_up), "vol-%02x%02x%02x", d->volume.b[0],
		 d->volume.b[1], d->volume.b[2]);
	text_copy((char *)d->volume_label, volume ? volume : made_up,
		  SWB_LABEL_BYTES);
	snprintf(made_up, sizeof(made_up), "rep-%02x%02x%02x", d->replica.b[0],
		 d->replica.b[1], d->replica.b[2]);
	text_copy((char *)d->replica_label, replica ? replica : made_up,
		  SWB_LABEL_BYTES);
	return CTL_OK;
}

static int take_like(struct ctl *ctl, struct swb_durable *d)
{
	static const char *const theirs[] = { "volume", "volume-uuid", "size",
					      "block-size", NULL };
	const char *path = opt_get(ctl, "like");
	struct swb_durable other;
	struct dev dev;
	int i, ret;

	for (i = 0; theirs[i]; i++)
		if (opt_has(ctl, theirs[i]))
			return out_fail(ctl, &err_usage, NULL,
					"--%s comes from DEV2 with --like", theirs[i]);
	ret = dev_look(ctl, &dev, path);
	if (!ret)
		ret = super_read(ctl, &dev, &other);
	dev_close(&dev);
	if (ret)
		return ret;
	if (other.flags & SWB_SUPER_IS_WAL)
		return out_fail(ctl, &err_device, "give its data device",
				"%s is a WAL device", path);
	if (!strcmp((char *)other.replica_label, (char *)d->replica_label))
		return out_fail(ctl, &err_usage, "choose another --replica",
				"%s already is replica \"%s\"", path,
				(char *)d->replica_label);
	d->volume = other.volume;
	memcpy(d->volume_label, other.volume_label, SWB_LABEL_BYTES);
	d->extent_bytes = other.extent_bytes;
	d->block_bytes = other.block_bytes;
	return CTL_OK;
}

static int take_sizes(struct ctl *ctl, struct plan *p)
{
	const char *size = opt_get(ctl, "size"), *wal = opt_get(ctl, "wal-size");
	const char *block = opt_get(ctl, "block-size");
	uint64_t v;

	if (size && (!size_parse(size, &p->d.extent_bytes) || !p->d.extent_bytes))
		return out_fail(ctl, &err_usage, "for example 10G or 512M",
				"not a size: \"%s\"", size);
	if (wal && !size_parse(wal, &p->d.ring_bytes))
		return out_fail(ctl, &err_usage, "for example 64M",
				"not a size: \"%s\"", wal);
	if (block) {
		if (!number_parse(block, 4096, &v) || (v != 512 && v != 4096))
			return out_fail(ctl, &err_usage, NULL,
					"--block-size is 512 or 4096");
		p->d.block_bytes = (u32)v;
	}
	return CTL_OK;
}

static int refuse_used(struct ctl *ctl, const struct dev *dev)
{
	char what[128];
	int found;

	if (opt_has(ctl, "force"))
		return CTL_OK;
	found = dev_signature(dev, what, sizeof(what));
	if (found < 0)
		return out_fail(ctl, &err_device, NULL, "%s: cannot be probed: %s",
				dev->path, strerror(-found));
	if (found)
		return out_fail(ctl, &err_signature,
				"look with wipefs or blkid; --force overwrites it",
				"%s holds %s", dev->path, what);
	return CTL_OK;
}

static int open_devices(struct ctl *ctl, struct plan *p)
{
	const char *wal = opt_get(ctl, "wal");
	bool file_ok = opt_has(ctl, "file");
	int ret;

	ret = dev_claim(ctl, &p->data, ctl->pos[0], file_ok);
	if (!ret)
		ret = refuse_used(ctl, &p->data);
	if (ret || !wal)
		return ret;
	p->wal_separate = true;
	ret = dev_claim(ctl, &p->wal, wal, file_ok);
	return ret ? ret : refuse_used(ctl, &p->wal);
}

static uint64_t default_wal(uint64_t device_bytes)
{
	uint64_t v = device_bytes / WAL_SHARE / MIB * MIB;

	return v < WAL_DEFAULT_MIN ? WAL_DEFAULT_MIN :
	       v > WAL_DEFAULT_MAX ? WAL_DEFAULT_MAX : v;
}

static uint64_t round_up_area(uint64_t v)
{
	return (v + SWB_AREA_ALIGN - 1) / SWB_AREA_ALIGN * SWB_AREA_ALIGN;
}

static int place_ring(struct ctl *ctl, struct plan *p)
{
	const struct dev *dev = p->wal_separate ? &p->wal : &p->data;
	struct swb_durable *d = &p->d;

	/* a torn 512-byte part of a 4 KiB sector would be a read-modify-write */
	d->ring_unit = dev->physical >= 4096 || dev->logical > 512 ? 4096 : 512;
	d->ring_offset = SWB_AREA_ALIGN;
	if (!d->ring_bytes && p->wal_separate)
		d->ring_bytes = dev->bytes > SWB_AREA_ALIGN ?
				dev->bytes - SWB_AREA_ALIGN : 0;
	else if (!d->ring_bytes)
		d->ring_bytes = default_wal(dev->bytes);
	if (d->ring_bytes > SWB_RING_BYTES_MAX)
		d->ring_bytes = SWB_RING_BYTES_MAX;
	d->ring_bytes -= d->ring_bytes % 4096;
	if (d->ring_bytes < SWB_RING_BYTES_MIN ||
	    d->ring_offset + d->ring_bytes > dev->bytes)
		return out_fail(ctl, &err_device,
				"the log takes 1 MiB or more, and 1 MiB before it",
				"%s is too small for its log", dev->path);
	return CTL_OK;
}

static int place_extent(struct ctl *ctl, struct plan *p)
{
	struct swb_durable *d = &p->d;
	char need[32], have[32];
	uint64_t room, bits = p->data.bytes;

	if (!d->block_bytes)
		d->block_bytes = p->data.logical > 512 ? 4096 : 512;
	if (d->block_bytes < p->data.logical)
		return out_fail(ctl, &err_device, "choose --block-size 4096",
				"%s has blocks of %u bytes, the volume of %u",
				p->data.path, p->data.logical, d->block_bytes);
	/* a bit of the bitmap for each 4 KiB of the device: the volume may grow */
	d->bitmap_offset = p->wal_separate ? SWB_AREA_ALIGN :
			   round_up_area(d->ring_offset + d->ring_bytes);
	d->bitmap_bytes = SWB_BITMAP_BYTES(bits);
	d->extent_offset = round_up_area(d->bitmap_offset + d->bitmap_bytes);
	d->bitmap_bytes = d->extent_offset - d->bitmap_offset;
	room = p->data.bytes > d->extent_offset ?
	       (p->data.bytes - d->extent_offset) / 4096 * 4096 : 0;
	if (!d->extent_bytes && room >= EXTENT_MIN)
		d->extent_bytes = room;
	if (d->extent_bytes % d->block_bytes)
		return out_fail(ctl, &err_usage, NULL,
				"the size is no multiple of the block size, %u",
				d->block_bytes);
	if (!d->extent_bytes || d->extent_bytes > room) {
		size_text(d->extent_offset + max_t(uint64_t, d->extent_bytes,
						   EXTENT_MIN), need, sizeof(need));
		size_text(p->data.bytes, have, sizeof(have));
		return out_fail(ctl, &err_device,
				"choose a smaller --size or --wal-size",
				"%s is too small: %s needed, %s there",
				p->data.path, need, have);
	}
	return CTL_OK;
}

/* No bit is set: nothing was changed since LSN 0, the base. */
static int write_bitmap(struct ctl *ctl, const struct plan *p)
{
	uint64_t i, pages = p->d.bitmap_bytes / SWB_BITMAP_PAGE;
	struct swb_disk_bitmap page;

	for (i = 0; i < pages; i++) {
		memset(&page, 0, sizeof(page));
		swb_codec_bitmap_seal(&page, p->d.ring_id, i);
		if (pwrite(p->data.fd, &page, sizeof(page), (off_t)
			   (p->d.bitmap_offset + i * sizeof(page))) !=
		    sizeof(page))
			return out_fail(ctl, &err_device, NULL,
					"%s: writing the bitmap: %s",
					p->data.path, strerror(errno));
	}
	return CTL_OK;
}

static int write_all(struct ctl *ctl, struct plan *p)
{
	struct swb_durable wal = p->d;
	int ret;

	/* first of all no device may look formatted while it is not */
	ret = super_wipe(ctl, &p->data);
	if (!ret && p->wal_separate)
		ret = super_wipe(ctl, &p->wal);
	if (!ret)
		ret = dev_zero(ctl, p->wal_separate ? &p->wal : &p->data,
			       "log", p->d.ring_offset, SWB_RING_BYTES_MIN);
	if (!ret)
		ret = write_bitmap(ctl, p);
	/* unwritten blocks must be equal on all members: resync case J rests on it */
	if (!ret && !opt_has(ctl, "assume-zero"))
		ret = dev_zero(ctl, &p->data, "zeroing", p->d.extent_offset,
			       p->d.extent_bytes);
	if (!ret && p->wal_separate) {
		p->d.flags |= SWB_SUPER_WAL_SEPARATE;
		wal.flags |= SWB_SUPER_IS_WAL;
		ret = super_write(ctl, &p->wal, &wal);
	}
	return ret ? ret : super_write(ctl, &p->data, &p->d);
}

static void say(struct ctl *ctl, const struct plan *p)
{
	const struct swb_durable *d = &p->d;
	char size[32], ring[32], uuid[CTL_UUID_TEXT];
	json_t *wal = json_object();

	size_text(d->extent_bytes, size, sizeof(size));
	size_text(d->ring_bytes, ring, sizeof(ring));
	uuid_text(&d->replica, uuid);
	out_line(ctl, "%s is now %s/%s: volume of %s, blocks of %u, log of %s%s%s",
		 p->data.path, (char *)d->volume_label, (char *)d->replica_label,
		 size, d->block_bytes, ring, p->wal_separate ? " on " : "",
		 p->wal_separate ? p->wal.path : "");
	out_line(ctl, "replica %s", uuid);
	out_line(ctl, "next: swblockctl add %s%s%s", p->data.path,
		 p->wal_separate ? " --wal " : "",
		 p->wal_separate ? p->wal.path : "");
	json_object_set_new(wal, "device", json_string(p->wal_separate ?
						       p->wal.path : p->data.path));
	json_object_set_new(wal, "offset", json_u64(d->ring_offset));
	json_object_set_new(wal, "bytes", json_u64(d->ring_bytes));
	json_object_set_new(wal, "unit", json_u64(d->ring_unit));
	out_set(ctl, "device", json_string(p->data.path));
	out_set(ctl, "volume", json_uuid(&d->volume));
	out_set(ctl, "volume_label", json_string((char *)d->volume_label));
	out_set(ctl, "replica", json_uuid(&d->replica));
	out_set(ctl, "replica_label", json_string((char *)d->replica_label));
	out_set(ctl, "size_bytes", json_u64(d->extent_bytes));
	out_set(ctl, "block_bytes", json_u64(d->block_bytes));
	out_set(ctl, "extent_offset", json_u64(d->extent_offset));
	out_set(ctl, "bitmap_offset", json_u64(d->bitmap_offset));
	out_set(ctl, "bitmap_bytes", json_u64(d->bitmap_bytes));
	out_set(ctl, "zeroed", json_boolean(!opt_has(ctl, "assume-zero")));
	out_set(ctl, "wal", wal);
}

static int run_format(struct ctl *ctl)
{
	struct plan p = { .data = { .fd = -1 }, .wal = { .fd = -1 } };
	int ret;

	ret = take_labels(ctl, &p.d);
	if (!ret)
		ret = take_sizes(ctl, &p);
	if (!ret && opt_has(ctl, "like"))
		ret = take_like(ctl, &p.d);
	if (!ret)
		ret = open_devices(ctl, &p);
	if (!ret)
		ret = place_ring(ctl, &p);
	if (!ret)
		ret = place_extent(ctl, &p);
	if (!ret) {
		p.d.ring_id = random_u64();
		p.d.tail_lsn = 1;
		p.d.tail_seq = 1;
		ret = write_all(ctl, &p);
	}
	if (!ret)
		say(ctl, &p);
	dev_close(&p.data);
	dev_close(&p.wal);
	return ret;
}

const struct verb verb_format = {
	.name = "format",
	.synopsis = "DEV [--volume LABEL] [--replica LABEL] [--like DEV2] [--wal DEV]",
	.summary = "Make a device a member of a volume; destroys its content",
	.detail =
	"Refuses a device that is in use, too small, or carries a signature of a file\n"
	"system, a partition table or another swblock member, unless --force is given;\n"
	"a device in use is refused even then. The volume's blocks are zeroed, so that\n"
	"unwritten blocks are equal on all members.",
	.example =
	"  swblockctl format /dev/vdb --volume db --replica a\n"
	"  swblockctl format /dev/vdc --like /dev/vdb --replica b",
	.opts = format_opts,
	.pos_min = 1,
	.pos_max = 1,
	.run = run_format,
};
