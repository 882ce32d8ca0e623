// SPDX-License-Identifier: GPL-2.0-only
/*
 * Codec: structs of the core <-> bytes of format/.
 *
 * Every decoder is total: any bytes give either a valid struct or a verdict,
 * never a read past the end, never an assertion. What a decoder lets through
 * is possible in itself; whether it fits the rest (chain, session, lineage of
 * another member) is judged elsewhere. No lock, any context.
 */
#include "codec.h"
#include "lineage.h"

#define SUPER_FLAGS (SWB_SUPER_INCONSISTENT | SWB_SUPER_DISK_FAILED | \
		     SWB_SUPER_WAL_SEPARATE | SWB_SUPER_IS_WAL | \
		     SWB_SUPER_OVERRIDDEN | SWB_SUPER_DELTA)

/* crc32c of @len bytes at @buf, the 4 bytes at @hole taken as zero */
static u32 crc_with_hole(const void *buf, size_t len, size_t hole)
{
	static const u8 zero[4];
	const u8 *p = buf;
	u32 crc;

	crc = swb_crc32c(0, p, hole);
	crc = swb_crc32c(crc, zero, sizeof(zero));
	return swb_crc32c(crc, p + hole + 4, len - hole - 4);
}

static bool power_of_block(u32 bytes)
{
	return bytes == 512 || bytes == 4096;
}

static bool aligned(u64 value, u32 unit)
{
	return (value & (unit - 1)) == 0;
}

static void lineage_encode(const struct swb_lineage *l,
			   struct swb_disk_lineage *out)
{
	u32 i;

	for (i = 0; i < l->count && i < SWB_LINEAGE_MAX; i++) {
		out[i].epoch = cpu_to_le64(l->e[i].epoch);
		out[i].first_lsn = cpu_to_le64(l->e[i].first_lsn);
		out[i].flags = cpu_to_le32(l->e[i].flags);
	}
}

/*
 * The floor has no field of its own: LSN 1 is always an open record, so a table
 * that starts later has lost its beginning, and that is where it starts.
 */
static bool lineage_decode(const struct swb_disk_lineage *in, u32 count,
			   struct swb_lineage *l)
{
	u32 i;

	memset(l, 0, sizeof(*l));
	if (count > SWB_LINEAGE_MAX)
		return false;
	l->count = count;
	for (i = 0; i < count; i++) {
		l->e[i].epoch = le64_to_cpu(in[i].epoch);
		l->e[i].first_lsn = le64_to_cpu(in[i].first_lsn);
		l->e[i].flags = le32_to_cpu(in[i].flags);
	}
	if (count && l->e[0].first_lsn > 1)
		l->floor_lsn = l->e[0].first_lsn;
	return swb_lineage_valid(l);
}

void swb_codec_super_encode(const struct swb_durable *d, void *buf)
{
	struct swb_disk_super *s = buf;

	memset(s, 0, sizeof(*s));
	memcpy(s->magic, SWB_DISK_MAGIC, sizeof(s->magic));
	s->version = cpu_to_le32(SWB_DISK_VERSION);
	s->generation = cpu_to_le64(d->generation);
	memcpy(s->volume_uuid, d->volume.b, sizeof(s->volume_uuid));
	memcpy(s->replica_uuid, d->replica.b, sizeof(s->replica_uuid));
	memcpy(s->store_uuid, d->store.b, sizeof(s->store_uuid));
	s->store_generation = cpu_to_le64(d->store_generation);
	s->ring_id = cpu_to_le64(d->ring_id);
	s->flags = cpu_to_le32(d->flags);
	s->block_bytes = cpu_to_le32(d->block_bytes);
	s->ring_unit = cpu_to_le32(d->ring_unit);
	s->tail_prev_crc = cpu_to_le32(d->tail_prev_crc);
	s->ring_offset = cpu_to_le64(d->ring_offset);
	s->ring_bytes = cpu_to_le64(d->ring_bytes);
	s->extent_offset = cpu_to_le64(d->extent_offset);
	s->extent_bytes = cpu_to_le64(d->extent_bytes);
	s->epoch = cpu_to_le64(d->epoch);
	s->opened = cpu_to_le64(d->opened);
	s->incarnation = cpu_to_le64(d->incarnation);
	s->extent_lo = cpu_to_le64(d->extent_lo);
	s->extent_hi = cpu_to_le64(d->extent_hi);
	s->committed = cpu_to_le64(d->committed);
	s->tail_pos = cpu_to_le64(d->tail_pos);
	s->tail_seq = cpu_to_le64(d->tail_seq);
	s->tail_lsn = cpu_to_le64(d->tail_lsn);
	s->log_end = cpu_to_le64(d->log_end);
	s->base_lsn = cpu_to_le64(d->base_lsn);
	s->bitmap_offset = cpu_to_le64(d->bitmap_offset);
	s->bitmap_bytes = cpu_to_le64(d->bitmap_bytes);
	s->bitmap_epoch = cpu_to_le64(d->bitmap_epoch);
	s->bitmap_lsn = cpu_to_le64(d->bitmap_lsn);
	s->extent_hi_epoch = cpu_to_le64(d->extent_hi_epoch);
	memcpy(s->rebuild_source, d->rebuild_source.b,
	       sizeof(s->rebuild_source));
	s->lineage_count = cpu_to_le32(d->lineage.count);
	memcpy(s->volume_label, d->volume_label, sizeof(s->volume_label));
	memcpy(s->replica_label, d->replica_label, sizeof(s->replica_label));
	lineage_encode(&d->lineage, s->lineage);
	s->crc = cpu_to_le32(swb_crc32c(0, s, sizeof(*s)));
}

/* between the ring and the extent, room for a bit of each granule */
static bool super_bitmap_ok(const struct swb_durable *d)
{
	u64 end = d->bitmap_offset + d->bitmap_bytes;

	return d->bitmap_offset >= SWB_AREA_ALIGN &&
	       aligned(d->bitmap_offset, SWB_AREA_ALIGN) &&
	       aligned(d->bitmap_bytes, SWB_BITMAP_PAGE) &&
	       d->bitmap_bytes >= SWB_BITMAP_BYTES(d->extent_bytes) &&
	       end >= d->bitmap_offset && end <= d->extent_offset;
}

static bool super_geometry_ok(const struct swb_durable *d)
{
	if (!power_of_block(d->block_bytes) || !power_of_block(d->ring_unit))
		return false;
	if (d->ring_bytes < SWB_RING_BYTES_MIN ||
	    d->ring_bytes > SWB_RING_BYTES_MAX ||
	    !aligned(d->ring_bytes, d->ring_unit))
		return false;
	if (d->ring_offset < SWB_AREA_ALIGN ||
	    !aligned(d->ring_offset, SWB_AREA_ALIGN) ||
	    d->ring_offset + d->ring_bytes < d->ring_offset)
		return false;
	if (d->flags & SWB_SUPER_IS_WAL)
		return true;	/* the extent is on the other device */
	if (d->extent_offset < SWB_AREA_ALIGN ||
	    !aligned(d->extent_offset, SWB_AREA_ALIGN) ||
	    d->extent_offset + d->extent_bytes < d->extent_offset)
		return false;
	if (!d->extent_bytes || !aligned(d->extent_bytes, d->block_bytes))
		return false;
	return super_bitmap_ok(d);
}

static bool super_fields_ok(const struct swb_durable *d)
{
	if (d->flags & ~(u32)SUPER_FLAGS)
		return false;
	if (!super_geometry_ok(d))
		return false;
	if (d->opened > d->epoch)			/* I-021 */
		return false;
	if (d->extent_lo > d->extent_hi)		/* I-008 */
		return false;
	if ((d->flags & SWB_SUPER_DELTA) && !(d->flags & SWB_SUPER_INCONSISTENT))
		return false;
	if (!d->tail_lsn || d->tail_lsn > d->extent_lo + 1)	/* I-097 */
		return false;
	return d->tail_pos < d->ring_bytes && aligned(d->tail_pos, d->ring_unit);
}

static void super_load(const struct swb_disk_super *s, struct swb_durable *d)
{
	memset(d, 0, sizeof(*d));
	d->generation = le64_to_cpu(s->generation);
	memcpy(d->volume.b, s->volume_uuid, sizeof(d->volume.b));
	memcpy(d->replica.b, s->replica_uuid, sizeof(d->replica.b));
	memcpy(d->store.b, s->store_uuid, sizeof(d->store.b));
	d->store_generation = le64_to_cpu(s->store_generation);
	d->ring_id = le64_to_cpu(s->ring_id);
	d->flags = le32_to_cpu(s->flags);
	d->block_bytes = le32_to_cpu(s->block_bytes);
	d->ring_unit = le32_to_cpu(s->ring_unit);
	d->tail_prev_crc = le32_to_cpu(s->tail_prev_crc);
	d->ring_offset = le64_to_cpu(s->ring_offset);
	d->ring_bytes = le64_to_cpu(s->ring_bytes);
	d->extent_offset = le64_to_cpu(s->extent_offset);
	d->extent_bytes = le64_to_cpu(s->extent_bytes);
	d->epoch = le64_to_cpu(s->epoch);
	d->opened = le64_to_cpu(s->opened);
	d->incarnation = le64_to_cpu(s->incarnation);
	d->extent_lo = le64_to_cpu(s->extent_lo);
	d->extent_hi = le64_to_cpu(s->extent_hi);
	d->committed = le64_to_cpu(s->committed);
	d->tail_pos = le64_to_cpu(s->tail_pos);
	d->tail_seq = le64_to_cpu(s->tail_seq);
	d->tail_lsn = le64_to_cpu(s->tail_lsn);
	d->log_end = le64_to_cpu(s->log_end);
	d->base_lsn = le64_to_cpu(s->base_lsn);
	d->bitmap_offset = le64_to_cpu(s->bitmap_offset);
	d->bitmap_bytes = le64_to_cpu(s->bitmap_bytes);
	d->bitmap_epoch = le64_to_cpu(s->bitmap_epoch);
	d->bitmap_lsn = le64_to_cpu(s->bitmap_lsn);
	d->extent_hi_epoch = le64_to_cpu(s->extent_hi_epoch);
	memcpy(d->rebuild_source.b, s->rebuild_source,
	       sizeof(d->rebuild_source.b));
	memcpy(d->volume_label, s->volume_label, sizeof(d->volume_label));
	memcpy(d->replica_label, s->replica_label, sizeof(d->replica_label));
	d->volume_label[SWB_LABEL_BYTES - 1] = 0;
	d->replica_label[SWB_LABEL_BYTES - 1] = 0;
}

enum swb_super_verdict swb_codec_super_decode(const void *buf,
					      struct swb_durable *d)
{
	const struct swb_disk_super *s = buf;
	u32 crc;

	if (memcmp(s->magic, SWB_DISK_MAGIC, sizeof(s->magic)) != 0)
		return SWB_SUPER_BAD_MAGIC;
	crc = crc_with_hole(s, sizeof(*s), offsetof(struct swb_disk_super, crc));
	if (crc != le32_to_cpu(s->crc))
		return SWB_SUPER_BAD_CRC;
	if (le32_to_cpu(s->version) != SWB_DISK_VERSION)
		return SWB_SUPER_BAD_VERSION;
	super_load(s, d);
	if (!lineage_decode(s->lineage, le32_to_cpu(s->lineage_count),
			    &d->lineage))
		return SWB_SUPER_BAD_FIELD;
	return super_fields_ok(d) ? SWB_SUPER_OK : SWB_SUPER_BAD_FIELD;
}

void swb_codec_rec_encode(struct swb_disk_rec *out, u8 type, u64 sector,
			  u32 len_bytes, u32 crc)
{
	memset(out, 0, sizeof(*out));
	out->sector = cpu_to_le64(sector);
	out->len_bytes = cpu_to_le32(len_bytes);
	out->crc = cpu_to_le32(crc);
	out->type = type;
}

static bool range_ok(u64 sector, u32 len_bytes, u64 extent_bytes,
		     u32 block_bytes)
{
	u64 offset = sector << 9;

	if (offset >> 9 != sector || offset > extent_bytes)
		return false;
	if (!len_bytes || len_bytes > extent_bytes - offset)
		return false;
	return aligned(offset, block_bytes) && aligned(len_bytes, block_bytes);
}

bool swb_codec_rec_decode(const struct swb_disk_rec *in, u64 extent_bytes,
			  u32 block_bytes, struct swb_rec *out)
{
	out->sector = le64_to_cpu(in->sector);
	out->len_bytes = le32_to_cpu(in->len_bytes);
	out->crc = le32_to_cpu(in->crc);
	out->type = in->type;
	if (in->flags || le16_to_cpu(in->reserved0) || le32_to_cpu(in->reserved1))
		return false;
	if (out->type == SWB_REC_WRITE)
		return out->len_bytes <= SWB_REC_PAYLOAD_MAX &&
		       range_ok(out->sector, out->len_bytes, extent_bytes,
				block_bytes);
	if (out->crc)
		return false;
	if (out->type == SWB_REC_ZEROES)
		return out->len_bytes <= SWB_REC_ZEROES_MAX &&
		       range_ok(out->sector, out->len_bytes, extent_bytes,
				block_bytes);
	return out->type == SWB_REC_OPEN && !out->sector && !out->len_bytes;
}

void swb_codec_group_seal(void *buf, struct swb_group_info *g, u64 ring_id)
{
	struct swb_disk_group *h = buf;

	h->magic = cpu_to_le32(SWB_GROUP_MAGIC);
	h->crc = 0;
	h->seq = cpu_to_le64(g->seq);
	h->incarnation = cpu_to_le64(g->incarnation);
	h->epoch = cpu_to_le64(g->epoch);
	h->first_lsn = cpu_to_le64(g->first_lsn);
	h->committed = cpu_to_le64(g->committed);
	h->ring_id = cpu_to_le64(ring_id);
	h->prev_crc = cpu_to_le32(g->prev_crc);
	h->nrec = cpu_to_le16((u16)g->nrec);
	h->flags = 0;
	h->header_bytes = cpu_to_le32(g->header_bytes);
	h->payload_bytes = cpu_to_le32(g->payload_bytes);
	h->reserved = 0;
	g->crc = swb_crc32c(0, buf, g->header_bytes);
	h->crc = cpu_to_le32(g->crc);
}

/* header_bytes and payload_bytes are what nrec and the ring make of them */
static bool group_lengths_ok(const struct swb_group_info *g, u32 len,
			     const struct swb_durable *d)
{
	u64 header, total;

	if (!g->nrec || g->nrec > SWB_GROUP_RECS_MAX)
		return false;
	header = sizeof(struct swb_disk_group) +
		 (u64)g->nrec * sizeof(struct swb_disk_rec);
	header = (header + d->ring_unit - 1) & ~((u64)d->ring_unit - 1);
	if (g->header_bytes != header || header > len)
		return false;
	if (g->payload_bytes > SWB_GROUP_PAYLOAD_MAX)
		return false;
	total = header + g->payload_bytes;
	total = (total + d->ring_unit - 1) & ~((u64)d->ring_unit - 1);
	return total < d->ring_bytes;
}

bool swb_codec_group_decode(const void *buf, u32 len,
			    const struct swb_durable *d,
			    struct swb_group_info *g)
{
	const struct swb_disk_group *h = buf;

	memset(g, 0, sizeof(*g));
	if (len < sizeof(*h) || le32_to_cpu(h->magic) != SWB_GROUP_MAGIC ||
	    le64_to_cpu(h->ring_id) != d->ring_id)
		return false;
	g->seq = le64_to_cpu(h->seq);
	g->incarnation = le64_to_cpu(h->incarnation);
	g->epoch = le64_to_cpu(h->epoch);
	g->first_lsn = le64_to_cpu(h->first_lsn);
	g->committed = le64_to_cpu(h->committed);
	g->crc = le32_to_cpu(h->crc);
	g->prev_crc = le32_to_cpu(h->prev_crc);
	g->nrec = le16_to_cpu(h->nrec);
	g->header_bytes = le32_to_cpu(h->header_bytes);
	g->payload_bytes = le32_to_cpu(h->payload_bytes);
	if (!group_lengths_ok(g, len, d))
		return false;
	if (!g->first_lsn || g->first_lsn + g->nrec < g->first_lsn)
		return false;
	return crc_with_hole(buf, g->header_bytes,
			     offsetof(struct swb_disk_group, crc)) == g->crc;
}

void swb_codec_frame_encode(const struct swb_frame *f,
			    struct swb_wire_header *out)
{
	u32 i;

	memset(out, 0, sizeof(*out));
	out->magic = cpu_to_le32(SWB_WIRE_MAGIC);
	out->type = cpu_to_le16(f->type);
	out->nrec = cpu_to_le16(f->nrec);
	out->body_bytes = cpu_to_le32(f->body_bytes);
	out->payload_bytes = cpu_to_le32(f->payload_bytes);
	out->body_crc = cpu_to_le32(f->body_crc);
	out->session = cpu_to_le64(f->session);
	out->epoch = cpu_to_le64(f->epoch);
	out->committed = cpu_to_le64(f->committed);
	out->flush_lsn = cpu_to_le64(f->flush_lsn);
	for (i = 0; i < ARRAY_SIZE(f->a); i++)
		out->a[i] = cpu_to_le64(f->a[i]);
	out->everywhere = cpu_to_le64(f->everywhere);
	out->crc = cpu_to_le32(swb_crc32c(0, out, sizeof(*out)));
}

/* Records and payload: DATA and BASE. A body: these, OPEN and FACTS. */
static bool frame_lengths_ok(const struct swb_frame *f)
{
	u32 body = 0;

	if (f->type == SWB_WIRE_DATA)
		return f->nrec && f->nrec <= SWB_GROUP_RECS_MAX &&
		       f->body_bytes ==
				(u32)f->nrec * sizeof(struct swb_disk_rec) &&
		       f->payload_bytes <= SWB_GROUP_PAYLOAD_MAX;
	if (f->type == SWB_WIRE_BASE)
		return f->nrec == 1 &&
		       f->body_bytes == sizeof(struct swb_disk_rec) &&
		       f->payload_bytes <= SWB_REC_PAYLOAD_MAX;
	if (f->type == SWB_WIRE_OPEN || f->type == SWB_WIRE_FACTS)
		body = sizeof(struct swb_wire_facts);
	if (f->type == SWB_WIRE_VERIFY_SUM)
		body = sizeof(struct swb_wire_sums);
	if (f->type == SWB_WIRE_READ || f->type == SWB_WIRE_READ_DATA) {
		if (!f->a[1] || f->a[1] > SWB_WIRE_READ_MAX || f->a[1] & 511)
			return false;
		if (f->type == SWB_WIRE_READ_DATA && f->body_bytes)
			body = (u32)f->a[1];
	}
	return f->body_bytes == body && !f->nrec && !f->payload_bytes;
}

enum swblock_reason swb_codec_frame_decode(const struct swb_wire_header *in,
					   struct swb_frame *f)
{
	u32 crc, i;

	memset(f, 0, sizeof(*f));
	if (le32_to_cpu(in->magic) != SWB_WIRE_MAGIC)
		return SWBLOCK_REASON_BAD_MAGIC;
	crc = crc_with_hole(in, sizeof(*in),
			    offsetof(struct swb_wire_header, crc));
	if (crc != le32_to_cpu(in->crc))
		return SWBLOCK_REASON_BAD_HEADER_CRC;
	f->type = le16_to_cpu(in->type);
	f->nrec = le16_to_cpu(in->nrec);
	f->body_bytes = le32_to_cpu(in->body_bytes);
	f->payload_bytes = le32_to_cpu(in->payload_bytes);
	f->body_crc = le32_to_cpu(in->body_crc);
	f->session = le64_to_cpu(in->session);
	f->epoch = le64_to_cpu(in->epoch);
	f->committed = le64_to_cpu(in->committed);
	f->flush_lsn = le64_to_cpu(in->flush_lsn);
	for (i = 0; i < ARRAY_SIZE(f->a); i++)
		f->a[i] = le64_to_cpu(in->a[i]);
	f->everywhere = le64_to_cpu(in->everywhere);
	if (f->type < SWB_WIRE_OPEN || f->type > SWB_WIRE_READ_DATA ||
	    (f->type > SWB_WIRE_BASE_END && f->type < SWB_WIRE_VERIFY))
		return SWBLOCK_REASON_BAD_TYPE;
	return frame_lengths_ok(f) ? SWBLOCK_REASON_NONE :
				     SWBLOCK_REASON_BAD_LENGTH;
}

void swb_codec_facts_encode(const struct swb_facts *f,
			    struct swb_wire_facts *out)
{
	memset(out, 0, sizeof(*out));
	memcpy(out->volume_uuid, f->volume.b, sizeof(out->volume_uuid));
	memcpy(out->replica_uuid, f->replica.b, sizeof(out->replica_uuid));
	memcpy(out->peer_uuid, f->peer.b, sizeof(out->peer_uuid));
	memcpy(out->store_uuid, f->store.b, sizeof(out->store_uuid));
	out->store_generation = cpu_to_le64(f->store_generation);
	out->adopted = cpu_to_le64(f->adopted);
	out->log_end = cpu_to_le64(f->log_end);
	out->last_epoch = cpu_to_le64(f->last_epoch);
	out->durable = cpu_to_le64(f->durable);
	out->committed = cpu_to_le64(f->committed);
	out->extent_lo = cpu_to_le64(f->extent_lo);
	out->extent_hi = cpu_to_le64(f->extent_hi);
	out->extent_hi_epoch = cpu_to_le64(f->extent_hi_epoch);
	out->base_lsn = cpu_to_le64(f->base_lsn);
	out->bitmap_epoch = cpu_to_le64(f->bitmap_epoch);
	out->bitmap_lsn = cpu_to_le64(f->bitmap_lsn);
	out->log_start = cpu_to_le64(f->log_start);
	out->extent_bytes = cpu_to_le64(f->extent_bytes);
	out->block_bytes = cpu_to_le32(f->block_bytes);
	out->flags = cpu_to_le32(f->flags);
	out->ring_mib = cpu_to_le32(f->ring_mib);
	out->lineage_count = cpu_to_le32(f->lineage.count);
	lineage_encode(&f->lineage, out->lineage);
}

static bool facts_fields_ok(const struct swb_facts *f)
{
	const struct swb_lineage *l = &f->lineage;

	if (f->log_end == ~(u64)0 || f->durable > f->log_end)
		return false;
	if (f->extent_lo > f->extent_hi || f->log_start > f->log_end + 1)
		return false;
	if (l->count && l->e[l->count - 1].first_lsn > f->log_end) /* I-223 */
		return false;
	return f->last_epoch == (l->count ? l->e[l->count - 1].epoch : 0);
}

bool swb_codec_facts_decode(const void *buf, u32 len, struct swb_facts *f)
{
	const struct swb_wire_facts *in = buf;

	if (len < sizeof(*in))
		return false;
	memcpy(f->volume.b, in->volume_uuid, sizeof(f->volume.b));
	memcpy(f->replica.b, in->replica_uuid, sizeof(f->replica.b));
	memcpy(f->peer.b, in->peer_uuid, sizeof(f->peer.b));
	memcpy(f->store.b, in->store_uuid, sizeof(f->store.b));
	f->store_generation = le64_to_cpu(in->store_generation);
	f->adopted = le64_to_cpu(in->adopted);
	f->log_end = le64_to_cpu(in->log_end);
	f->last_epoch = le64_to_cpu(in->last_epoch);
	f->durable = le64_to_cpu(in->durable);
	f->committed = le64_to_cpu(in->committed);
	f->extent_lo = le64_to_cpu(in->extent_lo);
	f->extent_hi = le64_to_cpu(in->extent_hi);
	f->extent_hi_epoch = le64_to_cpu(in->extent_hi_epoch);
	f->base_lsn = le64_to_cpu(in->base_lsn);
	f->bitmap_epoch = le64_to_cpu(in->bitmap_epoch);
	f->bitmap_lsn = le64_to_cpu(in->bitmap_lsn);
	f->log_start = le64_to_cpu(in->log_start);
	f->extent_bytes = le64_to_cpu(in->extent_bytes);
	f->block_bytes = le32_to_cpu(in->block_bytes);
	f->ring_mib = le32_to_cpu(in->ring_mib);
	f->flags = le32_to_cpu(in->flags);
	if (!lineage_decode(in->lineage, le32_to_cpu(in->lineage_count),
			    &f->lineage))
		return false;
	return facts_fields_ok(f);
}

void swb_codec_bitmap_seal(struct swb_disk_bitmap *page, u64 ring_id, u64 index)
{
	page->magic = cpu_to_le32(SWB_BITMAP_MAGIC);
	page->crc = 0;
	page->ring_id = cpu_to_le64(ring_id);
	page->index = cpu_to_le64(index);
	page->reserved = 0;
	page->crc = cpu_to_le32(swb_crc32c(0, page, sizeof(*page)));
}

bool swb_codec_bitmap_check(const struct swb_disk_bitmap *page, u64 ring_id,
			    u64 index)
{
	return le32_to_cpu(page->magic) == SWB_BITMAP_MAGIC &&
	       le64_to_cpu(page->ring_id) == ring_id &&
	       le64_to_cpu(page->index) == index &&
	       crc_with_hole(page, sizeof(*page),
			     offsetof(struct swb_disk_bitmap, crc)) ==
			le32_to_cpu(page->crc);
}
