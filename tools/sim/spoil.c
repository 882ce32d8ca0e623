// SPDX-License-Identifier: GPL-2.0-only
/*
 * A disk that was tampered with while its member was down: a superblock or the
 * last group of the log with another content and a checksum that fits. What
 * decay makes of a disk is "rot"; this is what no checksum tells.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "../logread.h"
#include "check.h"
#include "script.h"

static const char *key(const struct script *s, const char *name)
{
	size_t n = strlen(name);

	for (u32 i = 3; i < s->words; i++)
		if (strncmp(s->word[i], name, n) == 0 && s->word[i][n] == '=')
			return s->word[i] + n + 1;
	return NULL;
}

static u64 number(const struct script *s, const char *name, u64 dflt)
{
	const char *v = key(s, name);

	return v ? strtoull(v, NULL, 0) : dflt;
}

static int read_view(void *ctx, u64 off, void *buf, u32 len)
{
	disk_read(ctx, off, buf, len);
	return 0;
}

struct found {
	struct logread l;
	u64 at;
	u32 header_bytes;
};

static void last_group(void *ctx, const struct logread_group *g)
{
	struct found *f = ctx;

	f->at = NODE_RING_OFFSET + g->pos;
	f->header_bytes = g->info.header_bytes;
}

static void put(struct node *n, u64 off, const void *buf, u32 len)
{
	disk_complete(&n->disk, disk_submit(&n->disk, off, buf, len));
	disk_flush_end(&n->disk, disk_flush_begin(&n->disk));
}

/* slot=0|1: into that slot; both, if none is named */
static void spoil_super(const struct script *s, struct node *n,
			struct swb_durable *d)
{
	static u8 buf[SWB_SUPER_BYTES] __attribute__((aligned(8)));
	struct swb_disk_super *super = (struct swb_disk_super *)buf;
	u64 slot = number(s, "slot", 2);

	d->generation = number(s, "generation", d->generation + 1);
	d->flags = (u32)number(s, "flags", d->flags);
	d->committed = number(s, "known", d->committed);
	d->extent_hi = number(s, "hi", d->extent_hi);
	d->extent_lo = number(s, "lo", d->extent_lo);
	d->extent_offset = number(s, "extent", d->extent_offset);
	d->ring_id = number(s, "ring", d->ring_id);
	d->incarnation = number(s, "incarnation", d->incarnation);
	swb_codec_super_encode(d, buf);
	if (key(s, "version"))
		super->version = cpu_to_le32((u32)number(s, "version", 0));
	if (key(s, "magic"))
		super->magic[0] ^= 1;
	super->crc = 0;
	super->crc = cpu_to_le32(swb_crc32c(0, super, sizeof(*super)) ^
				 (u32)number(s, "crc", 0));
	if (slot != 1)
		put(n, SWB_SUPER_OFFSET_0, buf, sizeof(buf));
	if (slot != 0)
		put(n, SWB_SUPER_OFFSET_1, buf, sizeof(buf));
}

static void spoil_group(const struct script *s, struct node *n,
			const struct found *f)
{
	static u8 buf[SWB_GROUP_HEADER_MAX] __attribute__((aligned(8)));
	struct swb_disk_group *h = (struct swb_disk_group *)buf;

	disk_read(&n->disk, f->at, buf, f->header_bytes);
	h->epoch = cpu_to_le64(number(s, "epoch", le64_to_cpu(h->epoch)));
	h->first_lsn = cpu_to_le64(number(s, "first",
					  le64_to_cpu(h->first_lsn)));
	h->seq = cpu_to_le64(number(s, "seq", le64_to_cpu(h->seq)));
	h->prev_crc = cpu_to_le32(le32_to_cpu(h->prev_crc) ^
				  (u32)number(s, "chain", 0));
	h->crc = 0;
	h->crc = cpu_to_le32(swb_crc32c(0, buf, f->header_bytes) ^
			     (u32)number(s, "crc", 0));
	put(n, f->at, buf, f->header_bytes);
}

/* spoil nN super|group [KEY=VALUE]..., while the member is down */
bool spoil_disk(struct script *s)
{
	static struct found f;
	struct node *n = script_node(s, 1);

	if (!n || n->state != NODE_DOWN)
		return script_fail(s, "spoil nN super|group: crash it first");
	memset(&f, 0, sizeof(f));
	f.l.data = (struct logread_dev){ read_view, &n->disk, n->disk.bytes };
	logread_run(&f.l, last_group, &f);
	n->rotten = true;
	if (strcmp(script_word(s, 2), "super") == 0)
		spoil_super(s, n, &f.l.d);
	else if (strcmp(script_word(s, 2), "group") == 0 && f.at)
		spoil_group(s, n, &f);
	else
		return script_fail(s, "spoil nN %s: nothing there",
				   script_word(s, 2));
	return true;
}
