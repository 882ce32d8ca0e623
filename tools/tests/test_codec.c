// SPDX-License-Identifier: GPL-2.0-only
/*
 * Codec: round trips, every single bit flip, truncated buffers, noise. Buffers
 * are allocated at their exact size so that the sanitizer sees an over-read.
 */
#include "harness.h"
#include "codec.h"
#include "lineage.h"
#include "text.h"

static void fill(void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((u8 *)p)[i] = (u8)rnd();
}

static void lineage_random(struct swb_lineage *l, u32 count, u64 end)
{
	u64 epoch = 0, lsn = 1;

	memset(l, 0, sizeof(*l));
	for (u32 i = 0; i < count && lsn <= end; i++) {
		epoch += 1 + rnd_below(3);
		swb_lineage_open(l, epoch, lsn, rnd_below(2) ?
				 SWB_LINEAGE_OVERRIDE : 0);
		lsn += 1 + rnd_below(9);
	}
}

static void durable_random(struct swb_durable *d)
{
	memset(d, 0, sizeof(*d));
	fill(&d->volume, 16);
	fill(&d->replica, 16);
	fill(&d->store, 16);
	d->generation = rnd();
	d->store_generation = rnd();
	d->ring_id = rnd();
	d->flags = (u32)rnd_below(8);
	d->block_bytes = rnd_below(2) ? 512 : 4096;
	d->ring_unit = rnd_below(2) ? 512 : 4096;
	d->ring_offset = SWB_AREA_ALIGN;
	d->ring_bytes = SWB_AREA_ALIGN * (1 + rnd_below(64));
	d->bitmap_offset = d->ring_offset + d->ring_bytes;
	d->extent_bytes = 4096 * (1 + rnd_below(1 << 20));
	d->bitmap_bytes = SWB_BITMAP_BYTES(d->extent_bytes);
	d->bitmap_epoch = rnd();
	d->bitmap_lsn = rnd();
	d->extent_offset = d->bitmap_offset + SWB_AREA_ALIGN;
	d->epoch = 1 + rnd_below(1000);
	d->opened = rnd_below(d->epoch + 1);
	d->incarnation = rnd();
	d->extent_lo = rnd_below(1 << 30);
	d->extent_hi = d->extent_lo + rnd_below(100);
	d->committed = rnd();
	d->tail_pos = 4096 * rnd_below(d->ring_bytes / 4096);
	d->tail_seq = rnd();
	d->tail_lsn = 1 + rnd_below(d->extent_lo + 1);
	d->tail_prev_crc = (u32)rnd();
	d->log_end = rnd();
	d->base_lsn = rnd();
	d->extent_hi_epoch = rnd();
	fill(&d->rebuild_source, 16);
	if (d->flags & SWB_SUPER_INCONSISTENT)
		d->flags |= rnd_below(2) ? SWB_SUPER_DELTA : 0;
	snprintf((char *)d->volume_label, SWB_LABEL_BYTES, "vol%u", (u32)rnd());
	snprintf((char *)d->replica_label, SWB_LABEL_BYTES, "rep%u", (u32)rnd());
	lineage_random(&d->lineage, (u32)rnd_below(SWB_LINEAGE_MAX + 1), 1 << 30);
}

TEST(test_codec_super_round_trip, "what is encoded is decoded, field by field")
{
	static struct swb_durable in, out;
	u8 *buf = malloc(SWB_SUPER_BYTES);

	for (int i = 0; i < 500; i++) {
		durable_random(&in);
		swb_codec_super_encode(&in, buf);
		CHECK_EQ(swb_codec_super_decode(buf, &out), SWB_SUPER_OK);
		CHECK(memcmp(&in, &out, sizeof(in)) == 0);
	}
	free(buf);
}

TEST(test_codec_super_bit_flips, "each single bit flip of a superblock is seen")
{
	static struct swb_durable d, out;
	u8 *buf = malloc(SWB_SUPER_BYTES);

	durable_random(&d);
	swb_codec_super_encode(&d, buf);
	for (u32 bit = 0; bit < SWB_SUPER_BYTES * 8; bit++) {
		buf[bit / 8] ^= (u8)(1 << bit % 8);
		CHECK_EQ(swb_codec_super_decode(buf, &out), bit < 64 ?
			 SWB_SUPER_BAD_MAGIC : SWB_SUPER_BAD_CRC);
		buf[bit / 8] ^= (u8)(1 << bit % 8);
	}
	free(buf);
}

TEST(test_codec_super_verdicts, "foreign, torn, newer and impossible "
	"superblocks are told apart")
{
	static struct swb_durable d, out;
	u8 *buf = calloc(1, SWB_SUPER_BYTES);
	struct swb_disk_super *s = (struct swb_disk_super *)buf;

	CHECK_EQ(swb_codec_super_decode(buf, &out), SWB_SUPER_BAD_MAGIC);
	durable_random(&d);
	swb_codec_super_encode(&d, buf);
	memset(buf + 2048, 0xff, 2048);
	CHECK_EQ(swb_codec_super_decode(buf, &out), SWB_SUPER_BAD_CRC);
	swb_codec_super_encode(&d, buf);
	s->version = cpu_to_le32(SWB_DISK_VERSION + 1);
	s->crc = 0;
	s->crc = cpu_to_le32(swb_crc32c(0, buf, SWB_SUPER_BYTES));
	CHECK_EQ(swb_codec_super_decode(buf, &out), SWB_SUPER_BAD_VERSION);
	free(buf);
}

/* one impossible field at a time, with a right checksum */
static enum swb_super_verdict encode_decode(const struct swb_durable *d)
{
	static struct swb_durable out;
	static u8 buf[SWB_SUPER_BYTES];

	swb_codec_super_encode(d, buf);
	return swb_codec_super_decode(buf, &out);
}

#define BAD(change)							\
	do {								\
		b = d;							\
		b.change;						\
		CHECK_EQ(encode_decode(&b), SWB_SUPER_BAD_FIELD);	\
	} while (0)

TEST(test_codec_super_impossible_fields, "each impossible field is refused "
	"though the checksum is right")
{
	static struct swb_durable d, b;

	durable_random(&d);
	CHECK_EQ(encode_decode(&d), SWB_SUPER_OK);
	BAD(block_bytes = 1024);
	BAD(ring_unit = 0);
	BAD(ring_bytes = SWB_RING_BYTES_MIN - 512);
	BAD(ring_bytes = SWB_RING_BYTES_MAX + 4096);
	BAD(ring_bytes += 1);
	BAD(ring_offset = 0);
	BAD(ring_offset += 512);
	BAD(extent_offset = 512);
	BAD(extent_bytes = 0);
	BAD(extent_bytes += 1);
	BAD(extent_bytes = ~(u64)0 - 4095);
	BAD(bitmap_offset = d.bitmap_offset + 4096);
	BAD(bitmap_offset = 0);
	BAD(bitmap_bytes -= SWB_BITMAP_PAGE);
	BAD(bitmap_bytes += 512);
	BAD(bitmap_bytes = SWB_AREA_ALIGN + SWB_BITMAP_PAGE);
	BAD(bitmap_bytes = ~(u64)SWB_BITMAP_PAGE + 1);
	BAD(flags = (d.flags & ~(u32)SWB_SUPER_INCONSISTENT) | SWB_SUPER_DELTA);
	BAD(opened = d.epoch + 1);
	BAD(extent_hi = d.extent_lo - 1);
	BAD(tail_lsn = 0);
	BAD(tail_lsn = d.extent_lo + 2);
	BAD(tail_pos = d.ring_bytes);
	BAD(tail_pos += 1);
	BAD(flags |= 0x8000);
	BAD(lineage.count = SWB_LINEAGE_MAX + 1);
	if (d.lineage.count)
		BAD(lineage.e[0].epoch = 0);
}

TEST(test_codec_super_floor_from_table, "a table that does not begin at LSN "
	"1 comes back with a floor")
{
	static struct swb_durable d, out;
	static u8 buf[SWB_SUPER_BYTES];

	durable_random(&d);
	memset(&d.lineage, 0, sizeof(d.lineage));
	for (u64 e = 1; e <= SWB_LINEAGE_MAX + 5; e++)
		swb_lineage_open(&d.lineage, e, e * 3 - 2, 0);
	swb_codec_super_encode(&d, buf);
	CHECK_EQ(swb_codec_super_decode(buf, &out), SWB_SUPER_OK);
	CHECK_EQ(out.lineage.floor_lsn, d.lineage.floor_lsn);
	CHECK(memcmp(&d.lineage, &out.lineage, sizeof(d.lineage)) == 0);
}

TEST(test_codec_super_noise, "noise with a magic is torn, whatever it says")
{
	static struct swb_durable out;
	u8 *buf = malloc(SWB_SUPER_BYTES);

	for (int i = 0; i < 500; i++) {
		fill(buf, SWB_SUPER_BYTES);
		memcpy(buf, SWB_DISK_MAGIC, 8);
		CHECK_EQ(swb_codec_super_decode(buf, &out), SWB_SUPER_BAD_CRC);
	}
	free(buf);
}

/* ---- records ---------------------------------------------------------- */

#define EXTENT (1024 * 1024ULL)

static bool rec_ok(u8 type, u64 sector, u32 len, u32 crc)
{
	struct swb_disk_rec rec;
	struct swb_rec out;
	bool ok;

	swb_codec_rec_encode(&rec, type, sector, len, crc);
	ok = swb_codec_rec_decode(&rec, EXTENT, 4096, &out);
	CHECK(out.sector == sector && out.len_bytes == len && out.crc == crc &&
	      out.type == type);
	return ok;
}

TEST(test_codec_rec_bounds, "type, range, alignment and size of a record "
	"are checked at both sides")
{
	u64 last = EXTENT / 512;

	CHECK(rec_ok(SWB_REC_WRITE, 0, 4096, 7));
	CHECK(rec_ok(SWB_REC_WRITE, last - 8, 4096, 7));
	CHECK(!rec_ok(SWB_REC_WRITE, last - 8, 8192, 7));
	CHECK(!rec_ok(SWB_REC_WRITE, last, 4096, 7));
	CHECK(!rec_ok(SWB_REC_WRITE, ~(u64)0, 4096, 7));
	CHECK(!rec_ok(SWB_REC_WRITE, 1ULL << 55, 4096, 7));
	CHECK(!rec_ok(SWB_REC_WRITE, 1, 4096, 7));
	CHECK(!rec_ok(SWB_REC_WRITE, 0, 512, 7));
	CHECK(!rec_ok(SWB_REC_WRITE, 0, 0, 7));
	CHECK(rec_ok(SWB_REC_WRITE, 0, SWB_REC_PAYLOAD_MAX, 7));
	CHECK(!rec_ok(SWB_REC_WRITE, 0, SWB_REC_PAYLOAD_MAX + 4096, 7));
	CHECK(rec_ok(SWB_REC_ZEROES, 0, EXTENT, 0));
	CHECK(!rec_ok(SWB_REC_ZEROES, 0, 4096, 7));
	CHECK(rec_ok(SWB_REC_OPEN, 0, 0, 0));
	CHECK(!rec_ok(SWB_REC_OPEN, 8, 0, 0));
	CHECK(!rec_ok(SWB_REC_OPEN, 0, 4096, 0));
	CHECK(!rec_ok(0, 0, 4096, 0));
	CHECK(!rec_ok(4, 0, 4096, 0));
}

TEST(test_codec_rec_reserved, "a record with reserved bits is refused")
{
	struct swb_disk_rec rec;
	struct swb_rec out;

	swb_codec_rec_encode(&rec, SWB_REC_WRITE, 0, 4096, 1);
	rec.flags = 1;
	CHECK(!swb_codec_rec_decode(&rec, EXTENT, 512, &out));
	rec.flags = 0;
	rec.reserved1 = cpu_to_le32(1);
	CHECK(!swb_codec_rec_decode(&rec, EXTENT, 512, &out));
	rec.reserved1 = 0;
	rec.reserved0 = cpu_to_le16(1);
	CHECK(!swb_codec_rec_decode(&rec, EXTENT, 512, &out));
}

/* ---- groups ----------------------------------------------------------- */

static struct swb_durable geometry = {
	.ring_id = 77, .ring_unit = 512, .ring_bytes = 1 << 20,
};

static u8 *group_make(u32 nrec, u32 payload, struct swb_group_info *g)
{
	struct swb_disk_group *h;
	u32 len = (u32)(80 + nrec * 24 + 511) / 512 * 512;

	h = calloc(1, len);
	*g = (struct swb_group_info){
		.seq = rnd(), .incarnation = rnd(), .epoch = rnd(),
		.first_lsn = 1 + rnd_below(1ULL << 60), .committed = rnd(),
		.prev_crc = (u32)rnd(), .nrec = nrec, .header_bytes = len,
		.payload_bytes = payload,
	};
	for (u32 i = 0; i < nrec; i++)
		swb_codec_rec_encode(&h->rec[i], SWB_REC_WRITE, i * 8, 4096, 1);
	swb_codec_group_seal(h, g, geometry.ring_id);
	return (u8 *)h;
}

TEST(test_codec_group_round_trip, "a sealed group header comes back field "
	"by field")
{
	for (u32 nrec = 1; nrec <= SWB_GROUP_RECS_MAX; nrec++) {
		struct swb_group_info in, out;
		u8 *buf = group_make(nrec, nrec * 512, &in);

		CHECK(swb_codec_group_decode(buf, in.header_bytes, &geometry, &out));
		CHECK(memcmp(&in, &out, sizeof(in)) == 0);
		free(buf);
	}
}

TEST(test_codec_group_bit_flips, "each single bit flip of a group header is "
	"seen")
{
	struct swb_group_info g, out;
	u8 *buf = group_make(20, 4096, &g);

	for (u32 bit = 0; bit < g.header_bytes * 8; bit++) {
		buf[bit / 8] ^= (u8)(1 << bit % 8);
		CHECK(!swb_codec_group_decode(buf, g.header_bytes, &geometry, &out));
		buf[bit / 8] ^= (u8)(1 << bit % 8);
	}
	free(buf);
}

TEST(test_codec_group_truncated, "a group header that does not lie in the "
	"buffer is none")
{
	struct swb_group_info g, out;
	u8 *whole = group_make(40, 4096, &g);

	for (u32 len = 0; len < g.header_bytes; len += 7) {
		u8 *part = malloc(len ? len : 1);

		memcpy(part, whole, len);
		CHECK(!swb_codec_group_decode(part, len, &geometry, &out));
		free(part);
	}
	free(whole);
}

TEST(test_codec_group_impossible, "sealed headers with impossible lengths "
	"or LSNs are none")
{
	static const struct {
		u32 nrec, header, payload;
		u64 lsn;
		bool ok;
	} t[] = {
		{ 1, 512, 512, 1, true },
		{ 1, 1024, 512, 1, false },
		{ 0, 512, 512, 1, false },
		{ 129, 512, 512, 1, false },
		{ 1, 512, SWB_GROUP_PAYLOAD_MAX + 1, 1, false },
		{ 1, 512, SWB_GROUP_PAYLOAD_MAX, 1, true },
		{ 1, 512, 512, 0, false },
		{ 1, 512, 512, ~(u64)0, false },
	};
	u8 buf[4096];

	for (u32 i = 0; i < ARRAY_SIZE(t); i++) {
		struct swb_group_info g = {
			.nrec = t[i].nrec, .header_bytes = t[i].header,
			.payload_bytes = t[i].payload, .first_lsn = t[i].lsn,
		}, out;

		memset(buf, 0, sizeof(buf));
		swb_codec_group_seal(buf, &g, geometry.ring_id);
		CHECK_EQ(swb_codec_group_decode(buf, 4096, &geometry, &out), t[i].ok);
		swb_codec_group_seal(buf, &g, geometry.ring_id + 1);
		CHECK(!swb_codec_group_decode(buf, 4096, &geometry, &out));
	}
}

/* ---- bitmap ----------------------------------------------------------- */

TEST(test_codec_bitmap_pages, "a page of the bitmap is known by disk, number and "
	"checksum; any flipped bit gives it away")
{
	static struct swb_disk_bitmap page;
	u8 *b = (u8 *)&page;

	fill(page.bits, sizeof(page.bits));
	swb_codec_bitmap_seal(&page, 77, 3);
	CHECK(swb_codec_bitmap_check(&page, 77, 3));
	CHECK(!swb_codec_bitmap_check(&page, 78, 3));
	CHECK(!swb_codec_bitmap_check(&page, 77, 2));
	for (u32 bit = 0; bit < sizeof(page) * 8; bit++) {
		b[bit / 8] ^= (u8)(1 << bit % 8);
		CHECK(!swb_codec_bitmap_check(&page, 77, 3));
		b[bit / 8] ^= (u8)(1 << bit % 8);
	}
	memset(&page, 0, sizeof(page));
	CHECK(!swb_codec_bitmap_check(&page, 0, 0));
}

TEST(test_codec_bitmap_sizes, "each granule of an extent has its bit, and no page "
	"is idle")
{
	CHECK_EQ(SWB_BITMAP_BYTES((u64)512), 4096);
	CHECK_EQ(SWB_BITMAP_BYTES((u64)4096 * SWB_BITMAP_PAGE_BITS), 4096);
	CHECK_EQ(SWB_BITMAP_BYTES((u64)4096 * SWB_BITMAP_PAGE_BITS + 512), 8192);
	CHECK_EQ(SWB_BITMAP_PAGES((u64)1 << 40), 8257);
}

/* ---- frames ----------------------------------------------------------- */

TEST(test_codec_frame_round_trip, "each type of frame with its lengths "
	"comes back")
{
	for (u16 type = SWB_WIRE_OPEN; type <= SWB_WIRE_BASE_END; type++) {
		struct swb_frame in = { .type = type }, out;
		struct swb_wire_header h;

		if (type == SWB_WIRE_DATA) {
			in.nrec = 5;
			in.body_bytes = 5 * 24;
			in.payload_bytes = 8192;
		} else if (type == SWB_WIRE_BASE) {
			in.nrec = 1;
			in.body_bytes = 24;
			in.payload_bytes = rnd_below(2) ? 0 : 4096;
		} else if (type <= SWB_WIRE_FACTS) {
			in.body_bytes = sizeof(struct swb_wire_facts);
		}
		in.body_crc = (u32)rnd();
		in.session = rnd();
		in.epoch = rnd();
		in.committed = rnd();
		in.flush_lsn = rnd();
		in.everywhere = rnd();
		for (int i = 0; i < 4; i++)
			in.a[i] = rnd();
		swb_codec_frame_encode(&in, &h);
		CHECK_EQ(swb_codec_frame_decode(&h, &out), SWBLOCK_REASON_NONE);
		CHECK(memcmp(&in, &out, sizeof(in)) == 0);
	}
}

TEST(test_codec_frame_bit_flips, "each single bit flip of a frame header is "
	"refused")
{
	struct swb_frame f = { .type = SWB_WIRE_ACK, .session = 9 }, out;
	struct swb_wire_header h;
	u8 *b = (u8 *)&h;

	swb_codec_frame_encode(&f, &h);
	for (u32 bit = 0; bit < sizeof(h) * 8; bit++) {
		b[bit / 8] ^= (u8)(1 << bit % 8);
		CHECK_EQ(swb_codec_frame_decode(&h, &out), bit < 32 ?
			 SWBLOCK_REASON_BAD_MAGIC :
			 SWBLOCK_REASON_BAD_HEADER_CRC);
		b[bit / 8] ^= (u8)(1 << bit % 8);
	}
}

static enum swblock_reason lend_reason(u16 type, u64 bytes, u32 body)
{
	struct swb_frame f = { .type = type, .body_bytes = body, .a = { 8, bytes } };
	struct swb_frame out;
	struct swb_wire_header h;

	swb_codec_frame_encode(&f, &h);
	return swb_codec_frame_decode(&h, &out);
}

TEST(test_codec_frame_lend, "a question for content and its answer name as many bytes "
	"as they carry, or none; sectors, and no more than a body holds")
{
	CHECK_EQ(lend_reason(SWB_WIRE_READ, 4096, 0), SWBLOCK_REASON_NONE);
	CHECK_EQ(lend_reason(SWB_WIRE_READ, 512, 0), SWBLOCK_REASON_NONE);
	CHECK_EQ(lend_reason(SWB_WIRE_READ, 0, 0), SWBLOCK_REASON_BAD_LENGTH);
	CHECK_EQ(lend_reason(SWB_WIRE_READ, 513, 0), SWBLOCK_REASON_BAD_LENGTH);
	CHECK_EQ(lend_reason(SWB_WIRE_READ, 4608, 0), SWBLOCK_REASON_BAD_LENGTH);
	CHECK_EQ(lend_reason(SWB_WIRE_READ, (u64)1 << 32 | 512, 0), SWBLOCK_REASON_BAD_LENGTH);
	CHECK_EQ(lend_reason(SWB_WIRE_READ, 4096, 4096), SWBLOCK_REASON_BAD_LENGTH);
	CHECK_EQ(lend_reason(SWB_WIRE_READ_DATA, 4096, 4096), SWBLOCK_REASON_NONE);
	CHECK_EQ(lend_reason(SWB_WIRE_READ_DATA, 4096, 0), SWBLOCK_REASON_NONE);
	CHECK_EQ(lend_reason(SWB_WIRE_READ_DATA, 4096, 512), SWBLOCK_REASON_BAD_LENGTH);
	CHECK_EQ(lend_reason(SWB_WIRE_READ_DATA, 8192, 8192), SWBLOCK_REASON_BAD_LENGTH);
}

static enum swblock_reason frame_reason(u16 type, u16 nrec, u32 body, u32 payload)
{
	struct swb_frame f = {
		.type = type, .nrec = nrec, .body_bytes = body,
		.payload_bytes = payload,
	}, out;
	struct swb_wire_header h;

	swb_codec_frame_encode(&f, &h);
	return swb_codec_frame_decode(&h, &out);
}

TEST(test_codec_frame_types_and_lengths, "unknown types and lengths that do "
	"not fit the type are refused")
{
	const u32 facts = sizeof(struct swb_wire_facts);

	CHECK_EQ(frame_reason(0, 0, 0, 0), SWBLOCK_REASON_BAD_TYPE);
	CHECK_EQ(frame_reason(10, 0, 0, 0), SWBLOCK_REASON_BAD_TYPE);
	CHECK_EQ(frame_reason(SWB_WIRE_BASE, 1, 24, 0), SWBLOCK_REASON_NONE);
	CHECK_EQ(frame_reason(SWB_WIRE_BASE, 1, 24, 128 << 10), SWBLOCK_REASON_NONE);
	CHECK_EQ(frame_reason(SWB_WIRE_BASE, 1, 24, (128 << 10) + 512), SWBLOCK_REASON_BAD_LENGTH);
	CHECK_EQ(frame_reason(SWB_WIRE_BASE, 2, 48, 0), SWBLOCK_REASON_BAD_LENGTH);
	CHECK_EQ(frame_reason(SWB_WIRE_BASE, 0, 0, 0), SWBLOCK_REASON_BAD_LENGTH);
	CHECK_EQ(frame_reason(SWB_WIRE_BASE_END, 0, 0, 0), SWBLOCK_REASON_NONE);
	CHECK_EQ(frame_reason(SWB_WIRE_BASE_END + 1, 0, 0, 0), SWBLOCK_REASON_BAD_TYPE);
	CHECK_EQ(frame_reason(SWB_WIRE_VERIFY - 1, 0, 0, 0), SWBLOCK_REASON_BAD_TYPE);
	CHECK_EQ(frame_reason(SWB_WIRE_VERIFY, 0, 0, 0), SWBLOCK_REASON_NONE);
	CHECK_EQ(frame_reason(SWB_WIRE_VERIFY, 0, 64, 0), SWBLOCK_REASON_BAD_LENGTH);
	CHECK_EQ(frame_reason(SWB_WIRE_VERIFY_SUM, 0, 64, 0), SWBLOCK_REASON_NONE);
	CHECK_EQ(frame_reason(SWB_WIRE_VERIFY_SUM, 0, 60, 0), SWBLOCK_REASON_BAD_LENGTH);
	CHECK_EQ(frame_reason(SWB_WIRE_READ_DATA + 1, 0, 0, 0), SWBLOCK_REASON_BAD_TYPE);
	CHECK_EQ(frame_reason(SWB_WIRE_BASE_END, 0, 0, 512), SWBLOCK_REASON_BAD_LENGTH);
	CHECK_EQ(frame_reason(SWB_WIRE_OPEN, 0, facts, 0), SWBLOCK_REASON_NONE);
	CHECK_EQ(frame_reason(SWB_WIRE_OPEN, 0, facts - 1, 0), SWBLOCK_REASON_BAD_LENGTH);
	CHECK_EQ(frame_reason(SWB_WIRE_OPEN, 0, facts, 512), SWBLOCK_REASON_BAD_LENGTH);
	CHECK_EQ(frame_reason(SWB_WIRE_ACK, 0, 8, 0), SWBLOCK_REASON_BAD_LENGTH);
	CHECK_EQ(frame_reason(SWB_WIRE_ACK, 1, 0, 0), SWBLOCK_REASON_BAD_LENGTH);
	CHECK_EQ(frame_reason(SWB_WIRE_DATA, 0, 0, 0), SWBLOCK_REASON_BAD_LENGTH);
	CHECK_EQ(frame_reason(SWB_WIRE_DATA, 1, 24, 0), SWBLOCK_REASON_NONE);
	CHECK_EQ(frame_reason(SWB_WIRE_DATA, 128, 128 * 24, 0), SWBLOCK_REASON_NONE);
	CHECK_EQ(frame_reason(SWB_WIRE_DATA, 129, 129 * 24, 0), SWBLOCK_REASON_BAD_LENGTH);
	CHECK_EQ(frame_reason(SWB_WIRE_DATA, 2, 24, 0), SWBLOCK_REASON_BAD_LENGTH);
	CHECK_EQ(frame_reason(SWB_WIRE_DATA, 1, 24, SWB_GROUP_PAYLOAD_MAX),
		 SWBLOCK_REASON_NONE);
	CHECK_EQ(frame_reason(SWB_WIRE_DATA, 1, 24, SWB_GROUP_PAYLOAD_MAX + 1),
		 SWBLOCK_REASON_BAD_LENGTH);
}

/* ---- facts ------------------------------------------------------------ */

static void facts_random(struct swb_facts *f)
{
	memset(f, 0, sizeof(*f));
	fill(&f->volume, 16);
	fill(&f->replica, 16);
	fill(&f->peer, 16);
	fill(&f->store, 16);
	f->store_generation = rnd();
	f->adopted = rnd();
	f->log_end = rnd_below(1 << 20);
	f->durable = rnd_below(f->log_end + 1);
	f->committed = rnd();
	f->extent_lo = rnd_below(1000);
	f->extent_hi = f->extent_lo + rnd_below(1000);
	f->log_start = rnd_below(f->log_end + 2);
	f->extent_bytes = rnd();
	f->block_bytes = 512;
	f->flags = (u32)rnd_below(8);
	lineage_random(&f->lineage, (u32)rnd_below(SWB_LINEAGE_MAX + 1), f->log_end);
	if (f->lineage.count)
		f->last_epoch = f->lineage.e[f->lineage.count - 1].epoch;
}

TEST(test_codec_facts_round_trip, "facts come back field by field")
{
	static struct swb_facts in, out;
	struct swb_wire_facts *w = malloc(sizeof(*w));

	for (int i = 0; i < 500; i++) {
		facts_random(&in);
		swb_codec_facts_encode(&in, w);
		CHECK(swb_codec_facts_decode(w, sizeof(*w), &out));
		CHECK(memcmp(&in, &out, sizeof(in)) == 0);
	}
	free(w);
}

TEST(test_codec_facts_impossible, "facts that contradict themselves are "
	"refused")
{
	static struct swb_facts f, b, out;
	struct swb_wire_facts w;

	facts_random(&f);
	f.log_end = 5000;
	f.durable = 4000;
	f.log_start = 10;
	memset(&f.lineage, 0, sizeof(f.lineage));
	swb_lineage_open(&f.lineage, 1, 1, 0);
	swb_lineage_open(&f.lineage, 3, 5000, 0);
	f.last_epoch = 3;
	swb_codec_facts_encode(&f, &w);
	CHECK(swb_codec_facts_decode(&w, sizeof(w), &out));
	CHECK(!swb_codec_facts_decode(&w, sizeof(w) - 1, &out));
#define REFUSED(change)							\
	do {								\
		b = f;							\
		b.change;						\
		swb_codec_facts_encode(&b, &w);				\
		CHECK(!swb_codec_facts_decode(&w, sizeof(w), &out));	\
	} while (0)
	REFUSED(durable = 5001);
	REFUSED(log_end = ~(u64)0);
	REFUSED(log_end = 4999);
	REFUSED(log_start = 5002);
	REFUSED(extent_lo = f.extent_hi + 1);
	REFUSED(last_epoch = 2);
	REFUSED(lineage.e[1].epoch = 1);
	REFUSED(lineage.count = SWB_LINEAGE_MAX + 1);
}

TEST(test_codec_facts_noise, "noise is decoded without an over-read, and "
	"never asserted on")
{
	static struct swb_facts out;
	u8 *buf = malloc(sizeof(struct swb_wire_facts));

	for (int i = 0; i < 2000; i++) {
		fill(buf, sizeof(struct swb_wire_facts));
		if (swb_codec_facts_decode(buf, sizeof(struct swb_wire_facts), &out))
			CHECK(swb_lineage_valid(&out.lineage));
	}
	free(buf);
}

TEST(test_codec_crc_known_answer, "crc32c has the usual check value and chains")
{
	CHECK_EQ(swb_crc32c(0, "123456789", 9), 0xe3069283);
	CHECK_EQ(swb_crc32c(swb_crc32c(0, "1234", 4), "56789", 5), 0xe3069283);
}

TEST(test_text_every_name, "each enum value has a name of its own, each "
	"letter a sentence and a hint")
{
	for (int t = 0; t < SWB_EV_COUNT; t++)
		CHECK(swb_text_event((enum swb_event_type)t)[0] != '?');
	for (int t = 0; t < SWB_ACT_COUNT; t++)
		CHECK(swb_text_action((enum swb_action_type)t)[0] != '?');
	for (u32 r = 0; r < __SWBLOCK_REASON_MAX; r++)
		CHECK(swb_text_reason(r)[0] != '?');
	for (u32 s = SWBLOCK_STAT_READS; s < __SWBLOCK_STAT_MAX; s++)
		CHECK(swb_text_stat(s)[0] != '?');
	for (u32 b = 1; b <= SWBLOCK_COND_REBUILDING; b <<= 1)
		CHECK(swb_text_condition(b)[0] != '?');
	for (u8 s = 0; s <= SWBLOCK_PEER_REBUILDING; s++)
		CHECK(swb_text_peer_state(s)[0] != '?');
	for (u16 w = SWB_WIRE_OPEN; w <= SWB_WIRE_BASE_END; w++)
		CHECK(swb_text_wire(w)[0] != '?');
	for (u16 w = SWB_WIRE_VERIFY; w <= SWB_WIRE_READ_DATA; w++)
		CHECK(swb_text_wire(w)[0] != '?');
	for (u8 l = 'A'; l <= 'N'; l++)
		for (u8 t = SWBLOCK_TABLE_RECOVER; t <= SWBLOCK_TABLE_PROMOTE; t++)
			CHECK(swb_text_case(t, l) && swb_text_hint(t, l));
	CHECK(!swb_text_case(SWBLOCK_TABLE_PROMOTE, 'O'));
	CHECK(!swb_text_case(SWBLOCK_TABLE_PROMOTE, '@'));
	CHECK(!swb_text_case(0, 'A') && !swb_text_hint(6, 'A'));
	CHECK(strcmp(swb_text_event(SWB_EV_COUNT), "?") == 0);
	CHECK(strcmp(swb_text_reason(~0U), "?") == 0);
	CHECK(strcmp(swb_text_mode(9), "?") == 0);
	CHECK(strcmp(swb_text_condition(3), "?") == 0);
	CHECK(strcmp(swb_text_mode(SWBLOCK_MODE_SYNC_ALL), "sync_all") == 0);
	CHECK(strcmp(swb_text_policy(SWBLOCK_POLICY_WRITTEN), "written") == 0);
	CHECK(strcmp(swb_text_role(SWBLOCK_ROLE_NONE), "none") == 0);
	CHECK(strcmp(swb_text_event_kind(SWBLOCK_EVENT_STEP_DOWN), "step_down") == 0);
	CHECK(strcmp(swb_text_super(SWB_SUPER_BAD_CRC), "torn") == 0);
	CHECK(strcmp(swb_text_scan_end(SWB_SCAN_END_GAP), "lsn_gap") == 0);
	CHECK(strcmp(swb_text_resync(SWB_RESYNC_TRUNCATE), "TRUNCATE") == 0);
	CHECK(strcmp(swb_text_recover(SWB_RECOVER_CUT), "CUT") == 0);
}
