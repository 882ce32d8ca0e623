/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Codec: structs of the core <-> bytes of format/. Every decoder is total: any
 * bytes give either a valid struct or a verdict, never a read past the end.
 */
#ifndef SWB_CORE_CODEC_H
#define SWB_CORE_CODEC_H

#include "types.h"
#include "../format/wire.h"

enum swb_super_verdict {
	SWB_SUPER_OK,
	SWB_SUPER_BAD_MAGIC,	/* not ours at all, or never written */
	SWB_SUPER_BAD_CRC,	/* ours, but torn or rotten */
	SWB_SUPER_BAD_VERSION,	/* written by a newer swblock */
	SWB_SUPER_BAD_FIELD,	/* crc is right, yet a field is impossible */
};

/** swb_codec_super_encode() - @buf has SWB_SUPER_BYTES; @d->generation is written */
void swb_codec_super_encode(const struct swb_durable *d, void *buf);

/** swb_codec_super_decode() - @buf has SWB_SUPER_BYTES */
enum swb_super_verdict swb_codec_super_decode(const void *buf,
					      struct swb_durable *d);

/** swb_codec_rec_encode() - one record descriptor */
void swb_codec_rec_encode(struct swb_disk_rec *out, u8 type, u64 sector,
			  u32 len_bytes, u32 crc);

/** struct swb_rec - a record descriptor, decoded */
struct swb_rec {
	u64 sector;
	u32 len_bytes;
	u32 crc;
	u8 type;
};

/**
 * swb_codec_rec_decode() - decode and validate one record descriptor
 * @in: bytes
 * @extent_bytes: size of the volume
 * @block_bytes: its logical block size
 * @out: filled, also with what is refused
 *
 * Return: false if type, range or alignment is impossible (BAD_RECORD).
 */
bool swb_codec_rec_decode(const struct swb_disk_rec *in, u64 extent_bytes,
			  u32 block_bytes, struct swb_rec *out);

/** struct swb_group_info - a group header, decoded */
struct swb_group_info {
	u64 seq;
	u64 incarnation;
	u64 epoch;
	u64 first_lsn;
	u64 committed;
	u32 crc;
	u32 prev_crc;
	u32 nrec;
	u32 header_bytes;
	u32 payload_bytes;
};

/**
 * swb_codec_group_seal() - fill a group header whose records are in place
 * @buf: g->header_bytes bytes, records already at their place, rest zero
 * @g: all fields but @crc, which is computed and stored in both
 * @ring_id: see format/disk.h
 */
void swb_codec_group_seal(void *buf, struct swb_group_info *g, u64 ring_id);

/**
 * swb_codec_group_decode() - look at a possible group header
 * @buf: bytes at a ring position
 * @len: how many of them are there (at least ring_unit)
 * @d: geometry: ring_id, ring_unit, ring_bytes
 * @g: filled if true
 *
 * Return: true if magic, ring_id, lengths and crc are right and all of the
 * header lies within @len; chain and order are the scanner's business.
 */
bool swb_codec_group_decode(const void *buf, u32 len,
			    const struct swb_durable *d,
			    struct swb_group_info *g);

/** struct swb_frame - a wire header, decoded */
struct swb_frame {
	u16 type;
	u16 nrec;
	u32 body_bytes;
	u32 payload_bytes;
	u32 body_crc;
	u64 session;
	u64 epoch;
	u64 committed;
	u64 flush_lsn;
	u64 a[4];
	u64 everywhere;
};

/** swb_codec_frame_encode() - @out has 96 bytes */
void swb_codec_frame_encode(const struct swb_frame *f,
			    struct swb_wire_header *out);

/**
 * swb_codec_frame_decode() - decode and validate a header
 * @in: bytes
 * @f: filled if NONE
 *
 * Return: NONE, BAD_MAGIC, BAD_HEADER_CRC, BAD_LENGTH or BAD_TYPE.
 */
enum swblock_reason swb_codec_frame_decode(const struct swb_wire_header *in,
					   struct swb_frame *f);

/** swb_codec_facts_encode() - @out has sizeof(struct swb_wire_facts) bytes */
void swb_codec_facts_encode(const struct swb_facts *f,
			    struct swb_wire_facts *out);

/** swb_codec_facts_decode() - Return: false if a field is impossible */
bool swb_codec_facts_decode(const void *buf, u32 len, struct swb_facts *f);

/**
 * swb_codec_bitmap_seal() - make a page of the bitmap fit for the disk
 * @page: SWB_BITMAP_PAGE bytes, the bits in place
 * @ring_id: see format/disk.h
 * @index: number of the page
 */
void swb_codec_bitmap_seal(struct swb_disk_bitmap *page, u64 ring_id, u64 index);

/**
 * swb_codec_bitmap_check() - look at a page of the bitmap
 *
 * Return: false if it is torn or foreign; then it counts as all ones (P11).
 */
bool swb_codec_bitmap_check(const struct swb_disk_bitmap *page, u64 ring_id,
			    u64 index);

#endif /* SWB_CORE_CODEC_H */
