// SPDX-License-Identifier: GPL-2.0-only
/* The truth, kept beside the world. */
#include <stdlib.h>
#include <string.h>

#include "reference.h"

void ref_reset(struct reference *r, u32 blocks)
{
	for (u32 i = 0; i < r->epochs; i++)
		free(r->epoch[i].rec);
	if (r->at)
		memset(r->at, 0, r->at_cap * sizeof(*r->at));
	r->epochs = 0;
	r->committed = 0;
	r->next_wid = 1;
	r->blocks = blocks;
}

void ref_destroy(struct reference *r)
{
	ref_reset(r, 0);
	free(r->epoch);
	free(r->at);
	free(r->c_epoch);
	memset(r, 0, sizeof(*r));
}

struct ref_epoch *ref_epoch_of(const struct reference *r, u64 epoch)
{
	return epoch < r->at_cap && r->at[epoch] ?
	       &r->epoch[r->at[epoch] - 1] : NULL;
}

static void index_epoch(struct reference *r, u64 epoch)
{
	u64 cap = epoch * 2 + 64;

	if (epoch >= r->at_cap) {
		r->at = realloc(r->at, cap * sizeof(*r->at));
		if (!r->at)
			abort();
		memset(r->at + r->at_cap, 0,
		       (cap - r->at_cap) * sizeof(*r->at));
		r->at_cap = cap;
	}
	r->at[epoch] = r->epochs;
}

bool ref_open(struct reference *r, u64 epoch, u64 first_lsn, u64 parent,
	      u8 node, bool override)
{
	if (ref_epoch_of(r, epoch))
		return false;
	if (r->epochs == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 32;
		r->epoch = realloc(r->epoch, r->cap * sizeof(*r->epoch));
		if (!r->epoch)
			abort();
	}
	r->epoch[r->epochs++] = (struct ref_epoch){
		.epoch = epoch, .first_lsn = first_lsn, .parent = parent,
		.node = node, .override = override,
	};
	index_epoch(r, epoch);
	return ref_append(r, epoch, first_lsn, SWB_REC_OPEN, 0, 0, 0);
}

bool ref_append(struct reference *r, u64 epoch, u64 lsn, u8 type, u64 wid,
		u32 block, u32 blocks)
{
	struct ref_epoch *e = ref_epoch_of(r, epoch);

	if (!e || lsn != e->first_lsn + e->count)
		return false;
	if (e->count == e->cap) {
		e->cap = e->cap ? e->cap * 2 : 32;
		e->rec = realloc(e->rec, e->cap * sizeof(*e->rec));
		if (!e->rec)
			abort();
	}
	e->rec[e->count++] = (struct ref_rec){
		.wid = wid, .block = block, .blocks = blocks, .type = type,
	};
	return true;
}

struct ref_rec *ref_find(const struct reference *r, u64 epoch, u64 lsn)
{
	struct ref_epoch *e = ref_epoch_of(r, epoch);

	if (!e || lsn < e->first_lsn || lsn >= e->first_lsn + e->count)
		return NULL;
	return &e->rec[lsn - e->first_lsn];
}

u64 ref_epoch_at(const struct reference *r, u64 tip_epoch, u64 lsn)
{
	struct ref_epoch *e = ref_epoch_of(r, tip_epoch);

	while (e && lsn < e->first_lsn)
		e = ref_epoch_of(r, e->parent);
	return e ? e->epoch : 0;
}

u64 ref_commit(struct reference *r, u64 tip_epoch, u64 lsn)
{
	struct ref_epoch *e;

	if (lsn >= r->c_cap) {
		r->c_cap = lsn * 2 + 64;
		r->c_epoch = realloc(r->c_epoch,
				     r->c_cap * sizeof(*r->c_epoch));
		if (!r->c_epoch)
			abort();
	}
	/* What is committed must be in this history; the rest joins it. */
	if (r->committed) {
		u64 top = r->committed < lsn ? r->committed : lsn;

		if (ref_epoch_at(r, tip_epoch, top) != r->c_epoch[top])
			return top;
	}
	for (u64 x = r->committed + 1; x <= lsn; x++)
		r->c_epoch[x] = ref_epoch_at(r, tip_epoch, x);
	if (lsn > r->committed)
		r->committed = lsn;
	e = ref_epoch_of(r, tip_epoch);
	if (e && lsn > e->committed)
		e->committed = lsn;
	return 0;
}

u64 ref_committed_before(const struct reference *r, u64 epoch)
{
	u64 lsn = 0;

	for (u32 i = 0; i < r->epochs; i++)
		if (r->epoch[i].epoch < epoch && r->epoch[i].committed > lsn)
			lsn = r->epoch[i].committed;
	return lsn < r->committed ? lsn : r->committed;
}

void ref_uncommit(struct reference *r, u64 lsn)
{
	if (r->committed > lsn)
		r->committed = lsn;
}

void ref_state(const struct reference *r, u64 tip_epoch, u64 lsn, u64 *wid)
{
	struct ref_epoch *chain[256];
	u32 n = 0;

	memset(wid, 0, r->blocks * sizeof(*wid));
	for (struct ref_epoch *e = ref_epoch_of(r, tip_epoch); e && n < 256;
	     e = ref_epoch_of(r, e->parent))
		chain[n++] = e;
	while (n-- > 0) {
		u64 stop = n ? chain[n - 1]->first_lsn : lsn + 1;

		for (u32 i = 0; i < chain[n]->count; i++) {
			const struct ref_rec *q = &chain[n]->rec[i];

			if (chain[n]->first_lsn + i >= stop ||
			    chain[n]->first_lsn + i > lsn)
				break;
			for (u32 b = 0; b < q->blocks; b++)
				wid[q->block + b] = q->wid;
		}
	}
}

static u64 word_of(u64 wid, u32 block)
{
	return wid * 0x9e3779b97f4a7c15ULL ^ (u64)block * 0xc2b2ae3d27d4eb4fULL;
}

void ref_fill(u8 *buf, u64 wid, u32 block)
{
	u64 word[SIM_BLOCK / 8], base = word_of(wid, block);

	word[0] = wid;
	for (u32 i = 1; i < SIM_BLOCK / 8; i++)
		word[i] = base + i;
	if (!wid)
		memset(word, 0, sizeof(word));
	memcpy(buf, word, SIM_BLOCK);
}

bool ref_wid_of(const u8 *buf, u32 block, u64 *wid)
{
	u64 word[SIM_BLOCK / 8], base, diff = 0;

	memcpy(word, buf, SIM_BLOCK);
	*wid = word[0];
	base = word_of(word[0], block);
	for (u32 i = 1; i < SIM_BLOCK / 8; i++)
		diff |= word[i] ^ (word[0] ? base + i : 0);
	return diff == 0;
}
