// SPDX-License-Identifier: GPL-2.0-only
/* A disk in memory with an undo stack. Single-threaded. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"

struct image *image_now;

static u32 epochs;	/* of all images: none is ever used twice */

static void *grown(void *p, size_t bytes)
{
	p = realloc(p, bytes);
	if (!p) {
		fprintf(stderr, "swbcrash: out of memory\n");
		exit(1);
	}
	return p;
}

void image_create(struct image *im, u64 size)
{
	memset(im, 0, sizeof(*im));
	im->size = size;
	im->epoch = ++epochs;
	im->bytes = aligned_alloc(4096, size);
	swb_assert(im->bytes);
	memset(im->bytes, 0, size);
}

void image_destroy(struct image *im)
{
	free(im->bytes);
	free(im->change);
	free(im->saved);
	if (image_now == im)
		image_now = NULL;
}

void image_settle(struct image *im, u64 off, const void *src, u32 len)
{
	swb_assert(!im->changes);
	swb_assert(off <= im->size && len <= im->size - off);
	memcpy(im->bytes + off, src, len);
	im->epoch = ++epochs;
}

void image_lay(struct image *im, u64 off, const void *src, u32 len)
{
	swb_assert(off <= im->size && len <= im->size - off);
	if (im->changes == im->change_cap) {
		im->change_cap = im->change_cap ? im->change_cap * 2 : 64;
		im->change = grown(im->change,
				   im->change_cap * sizeof(*im->change));
	}
	if (im->saved_len + len > im->saved_cap) {
		im->saved_cap = (im->saved_len + len) * 2;
		im->saved = grown(im->saved, im->saved_cap);
	}
	im->change[im->changes++] =
		(struct image_change){ off, len, im->saved_len };
	memcpy(im->saved + im->saved_len, im->bytes + off, len);
	im->saved_len += len;
	memcpy(im->bytes + off, src, len);
}

void image_undo(struct image *im, size_t changes)
{
	while (im->changes > changes) {
		struct image_change *c = &im->change[--im->changes];

		memcpy(im->bytes + c->off, im->saved + c->saved, c->len);
		im->saved_len = c->saved;
	}
}

bool image_changed(const struct image *im, u64 off, u64 len)
{
	for (size_t i = 0; i < im->changes; i++)
		if (off < im->change[i].off + im->change[i].len &&
		    im->change[i].off < off + len)
			return true;
	return false;
}
