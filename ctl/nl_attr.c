// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attributes by table: one row per attribute says where its value goes. A value
 * of the wrong length is an error, an attribute without a row is ignored, so
 * that a newer module can say more.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <netlink/genl/genl.h>

#include "nl_attr.h"

struct row {
	uint16_t type;
	uint16_t len;		/* 0: string of at most @room bytes */
	uint16_t offset;
	uint16_t room;
};

#define SIZE(s, ...)	sizeof(((s *)NULL)->__VA_ARGS__)
#define ROW(attr, s, field)	{ attr, SIZE(s, field), offsetof(s, field), 0 }
#define STR(attr, s, field)	{ attr, 0, offsetof(s, field), SIZE(s, field) }

static const struct row info_rows[] = {
	ROW(SWBLOCK_A_ABI, struct kern_info, abi),
	ROW(SWBLOCK_A_PROTO_MIN, struct kern_info, proto_min),
	ROW(SWBLOCK_A_PROTO_MAX, struct kern_info, proto_max),
	ROW(SWBLOCK_A_FEATURES, struct kern_info, features),
	ROW(SWBLOCK_A_SEQ, struct kern_info, seq),
	ROW(SWBLOCK_A_VOLUMES_COUNT, struct kern_info, volumes),
	STR(SWBLOCK_A_TEXT, struct kern_info, version),
};

static const struct row volume_rows[] = {
	ROW(SWBLOCK_A_SEQ, struct kern_volume, seq),
	ROW(SWBLOCK_A_VOLUME_ID, struct kern_volume, id),
	ROW(SWBLOCK_A_MINOR, struct kern_volume, minor),
	ROW(SWBLOCK_A_VOLUME_UUID, struct kern_volume, volume),
	ROW(SWBLOCK_A_REPLICA_UUID, struct kern_volume, replica),
	ROW(SWBLOCK_A_PRIMARY_UUID, struct kern_volume, primary),
	ROW(SWBLOCK_A_STORE_UUID, struct kern_volume, store),
	ROW(SWBLOCK_A_STORE_GENERATION, struct kern_volume, store_generation),
	STR(SWBLOCK_A_VOLUME_LABEL, struct kern_volume, volume_label),
	STR(SWBLOCK_A_REPLICA_LABEL, struct kern_volume, replica_label),
	STR(SWBLOCK_A_DATA_PATH, struct kern_volume, data_path),
	STR(SWBLOCK_A_WAL_PATH, struct kern_volume, wal_path),
	ROW(SWBLOCK_A_EPOCH, struct kern_volume, epoch),
	ROW(SWBLOCK_A_OPENED, struct kern_volume, opened),
	ROW(SWBLOCK_A_ROLE, struct kern_volume, role),
	ROW(SWBLOCK_A_CONDITIONS, struct kern_volume, conditions),
	ROW(SWBLOCK_A_LEASE_NS, struct kern_volume, lease_ns),
	ROW(SWBLOCK_A_IO_DEADLINE_MS, struct kern_volume, io_deadline_ms),
	ROW(SWBLOCK_A_LINK_DEADLINE_MS, struct kern_volume, link_deadline_ms),
	ROW(SWBLOCK_A_FLUSH_INTERVAL_MS, struct kern_volume, flush_interval_ms),
	ROW(SWBLOCK_A_SIZE_BYTES, struct kern_volume, size_bytes),
	ROW(SWBLOCK_A_BLOCK_BYTES, struct kern_volume, block_bytes),
	ROW(SWBLOCK_A_HEAD_LSN, struct kern_volume, head_lsn),
	ROW(SWBLOCK_A_WRITTEN_LSN, struct kern_volume, written_lsn),
	ROW(SWBLOCK_A_DURABLE_LSN, struct kern_volume, durable_lsn),
	ROW(SWBLOCK_A_COMMITTED_LSN, struct kern_volume, committed_lsn),
	ROW(SWBLOCK_A_EXTENT_LO, struct kern_volume, extent_lo),
	ROW(SWBLOCK_A_EXTENT_HI, struct kern_volume, extent_hi),
	ROW(SWBLOCK_A_LOG_START, struct kern_volume, log_start),
	ROW(SWBLOCK_A_RING_BYTES, struct kern_volume, ring_bytes),
	ROW(SWBLOCK_A_RING_USED, struct kern_volume, ring_used),
	ROW(SWBLOCK_A_INCARNATION, struct kern_volume, incarnation),
	ROW(SWBLOCK_A_OPENERS, struct kern_volume, openers),
	ROW(SWBLOCK_A_INFLIGHT, struct kern_volume, inflight),
	ROW(SWBLOCK_A_PARKED, struct kern_volume, parked),
	ROW(SWBLOCK_A_LOCAL_CASE, struct kern_volume, local_letter),
	ROW(SWBLOCK_A_PROMOTE_CASE, struct kern_volume, promote_letter),
	ROW(SWBLOCK_A_REBUILD_AUTO, struct kern_volume, rebuild_auto),
	ROW(SWBLOCK_A_REBUILD_RATE, struct kern_volume, rebuild_rate),
	ROW(SWBLOCK_A_CATCHUP_MAX_BYTES, struct kern_volume, catchup_max_bytes),
	ROW(SWBLOCK_A_CATCHUP_STALL_MS, struct kern_volume, catchup_stall_ms),
	ROW(SWBLOCK_A_BITMAP_BLOCKS, struct kern_volume, bitmap_blocks),
	ROW(SWBLOCK_A_BITMAP_EPOCH, struct kern_volume, bitmap_epoch),
	ROW(SWBLOCK_A_BITMAP_LSN, struct kern_volume, bitmap_lsn),
};

static const struct row peer_rows[] = {
	ROW(SWBLOCK_PEER_A_UUID, struct kern_peer, uuid),
	ROW(SWBLOCK_PEER_A_STATE, struct kern_peer, state),
	ROW(SWBLOCK_PEER_A_REQUIRED, struct kern_peer, required),
	ROW(SWBLOCK_PEER_A_SESSION, struct kern_peer, session),
	ROW(SWBLOCK_PEER_A_CASE, struct kern_peer, letter),
	ROW(SWBLOCK_PEER_A_REASON, struct kern_peer, reason),
	ROW(SWBLOCK_PEER_A_MATCH_LSN, struct kern_peer, match_lsn),
	ROW(SWBLOCK_PEER_A_TARGET_LSN, struct kern_peer, target_lsn),
	ROW(SWBLOCK_PEER_A_CURSOR_LSN, struct kern_peer, cursor_lsn),
	ROW(SWBLOCK_PEER_A_RECEIVED_LSN, struct kern_peer, received_lsn),
	ROW(SWBLOCK_PEER_A_WRITTEN_LSN, struct kern_peer, written_lsn),
	ROW(SWBLOCK_PEER_A_DURABLE_LSN, struct kern_peer, durable_lsn),
	ROW(SWBLOCK_PEER_A_FACT_LOG_END, struct kern_peer, fact_log_end),
	ROW(SWBLOCK_PEER_A_FACT_ADOPTED, struct kern_peer, fact_adopted),
	ROW(SWBLOCK_PEER_A_FACT_LAST_EPOCH, struct kern_peer, fact_last_epoch),
	ROW(SWBLOCK_PEER_A_FACT_DURABLE, struct kern_peer, fact_durable),
	ROW(SWBLOCK_PEER_A_FACT_COMMITTED, struct kern_peer, fact_committed),
	ROW(SWBLOCK_PEER_A_FACT_EXTENT_HI, struct kern_peer, fact_extent_hi),
	ROW(SWBLOCK_PEER_A_FACT_FLAGS, struct kern_peer, fact_flags),
	ROW(SWBLOCK_PEER_A_LOG_START, struct kern_peer, log_start),
	ROW(SWBLOCK_PEER_A_BEHIND_BYTES, struct kern_peer, behind_bytes),
	ROW(SWBLOCK_PEER_A_BEHIND_NS, struct kern_peer, behind_ns),
	ROW(SWBLOCK_PEER_A_REBUILD, struct kern_peer, rebuild),
	ROW(SWBLOCK_PEER_A_REBUILD_TODO, struct kern_peer, rebuild_todo),
	ROW(SWBLOCK_PEER_A_REBUILD_DONE, struct kern_peer, rebuild_done),
	ROW(SWBLOCK_PEER_A_REBUILD_RATE, struct kern_peer, rebuild_rate),
};

static const struct row report_rows[] = {
	ROW(SWBLOCK_REPORT_A_REPLICA, struct swb_report, replica),
	ROW(SWBLOCK_REPORT_A_ADOPTED, struct swb_report, adopted),
	ROW(SWBLOCK_REPORT_A_LAST_EPOCH, struct swb_report, last_epoch),
	ROW(SWBLOCK_REPORT_A_DURABLE, struct swb_report, durable),
	ROW(SWBLOCK_REPORT_A_COMMITTED, struct swb_report, committed),
	ROW(SWBLOCK_REPORT_A_FLAGS, struct swb_report, flags),
};

static const struct row config_rows[] = {
	ROW(SWBLOCK_CONFIG_A_MODE, struct swb_config, mode),
	ROW(SWBLOCK_CONFIG_A_POLICY, struct swb_config, policy),
	ROW(SWBLOCK_CONFIG_A_REQUIRED, struct swb_config, required),
};

static const struct row event_rows[] = {
	ROW(SWBLOCK_A_SEQ, struct kern_event, seq),
	ROW(SWBLOCK_A_VOLUME_ID, struct kern_event, volume_id),
	ROW(SWBLOCK_A_EVENT_KIND, struct kern_event, kind),
	ROW(SWBLOCK_A_TIME_NS, struct kern_event, time_ns),
	ROW(SWBLOCK_A_EPOCH, struct kern_event, epoch),
	ROW(SWBLOCK_A_COOKIE, struct kern_event, cookie),
	ROW(SWBLOCK_A_MINOR, struct kern_event, minor),
	ROW(SWBLOCK_A_ERRNO, struct kern_event, error),
	ROW(SWBLOCK_A_CASE, struct kern_event, letter),
	ROW(SWBLOCK_A_CASE_TABLE, struct kern_event, table),
	ROW(SWBLOCK_A_REASON, struct kern_event, reason),
	ROW(SWBLOCK_A_ROLE, struct kern_event, role),
	ROW(SWBLOCK_A_CONDITIONS, struct kern_event, conditions),
	STR(SWBLOCK_A_TEXT, struct kern_event, text),
};

static int take(const struct row *rows, size_t n, const struct nlattr *a,
		void *out)
{
	char *dst;
	size_t i;
	int len = nla_len(a);

	for (i = 0; i < n && rows[i].type != nla_type(a); i++)
		;
	if (i == n)
		return 0;
	dst = (char *)out + rows[i].offset;
	if (rows[i].len) {
		if (len != rows[i].len)
			return -EBADMSG;
		memcpy(dst, nla_data(a), (size_t)len);
		return 0;
	}
	if (len < 1 || len > rows[i].room || ((char *)nla_data(a))[len - 1])
		return -EBADMSG;
	memcpy(dst, nla_data(a), (size_t)len);
	return 0;
}

static int take_all(const struct row *rows, size_t n, const struct nlattr *nest,
		    void *out)
{
	struct nlattr *a;
	int rem, err;

	nla_for_each_nested(a, nest, rem) {
		err = take(rows, n, a, out);
		if (err)
			return err;
	}
	return 0;
}

static int take_config(const struct nlattr *nest, struct swb_config *out)
{
	struct nlattr *a;
	int rem, err;

	memset(out, 0, sizeof(*out));
	nla_for_each_nested(a, nest, rem) {
		if (nla_type(a) == SWBLOCK_CONFIG_A_MEMBER) {
			if (nla_len(a) != SWBLOCK_UUID_BYTES ||
			    out->member_count == SWB_MEMBERS_MAX)
				return -EBADMSG;
			memcpy(out->member[out->member_count++].b, nla_data(a),
			       SWBLOCK_UUID_BYTES);
			continue;
		}
		err = take(config_rows, ARRAY_SIZE(config_rows), a, out);
		if (err)
			return err;
	}
	return 0;
}

static int take_stats(const struct nlattr *nest, uint64_t *stats)
{
	struct nlattr *a;
	int rem;

	nla_for_each_nested(a, nest, rem) {
		if (nla_type(a) > SWBLOCK_STAT_MAX || nla_type(a) <= SWBLOCK_STAT_PAD)
			continue;
		if (nla_len(a) != sizeof(uint64_t))
			return -EBADMSG;
		memcpy(&stats[nla_type(a)], nla_data(a), sizeof(uint64_t));
	}
	return 0;
}

int nl_attr_info(struct nlattr *head, int len, struct kern_info *out)
{
	struct nlattr *a;
	int rem, err;

	memset(out, 0, sizeof(*out));
	nla_for_each_attr(a, head, len, rem) {
		err = take(info_rows, ARRAY_SIZE(info_rows), a, out);
		if (err)
			return err;
	}
	return 0;
}

int nl_attr_volume(struct nlattr *head, int len, struct kern_volume *out)
{
	struct nlattr *a;
	int rem, err;

	memset(out, 0, sizeof(*out));
	out->minor = UINT32_MAX;	/* none yet */
	nla_for_each_attr(a, head, len, rem) {
		switch (nla_type(a)) {
		case SWBLOCK_A_CONFIG:
			out->has_config = true;
			err = take_config(a, &out->config);
			break;
		case SWBLOCK_A_STATS:
			err = take_stats(a, out->stats);
			break;
		case SWBLOCK_A_PEER:
			if (out->peer_count == KERN_PEERS_MAX)
				return -EBADMSG;
			err = take_all(peer_rows, ARRAY_SIZE(peer_rows), a,
				       &out->peer[out->peer_count++]);
			break;
		default:
			err = take(volume_rows, ARRAY_SIZE(volume_rows), a, out);
			break;
		}
		if (err)
			return err;
	}
	return 0;
}

int nl_attr_event(struct nlattr *head, int len, struct kern_event *out)
{
	struct nlattr *a;
	int rem, err;

	memset(out, 0, sizeof(*out));
	nla_for_each_attr(a, head, len, rem) {
		switch (nla_type(a)) {
		case SWBLOCK_A_REPORT:
			out->has_report = true;
			err = take_all(report_rows, ARRAY_SIZE(report_rows), a,
				       &out->report);
			break;
		case SWBLOCK_A_PEER:
			out->has_peer = true;
			err = take_all(peer_rows, ARRAY_SIZE(peer_rows), a,
				       &out->peer);
			break;
		default:
			err = take(event_rows, ARRAY_SIZE(event_rows), a, out);
			break;
		}
		if (err)
			return err;
	}
	return 0;
}

struct bucket {
	uint32_t index;
	uint64_t count;
};

static const struct row bucket_rows[] = {
	ROW(SWBLOCK_BUCKET_A_INDEX, struct bucket, index),
	ROW(SWBLOCK_BUCKET_A_COUNT, struct bucket, count),
};

static const struct row latency_rows[] = {
	ROW(SWBLOCK_LATENCY_A_STAGE, struct swb_lat_row, stage),
	ROW(SWBLOCK_LATENCY_A_SUM_NS, struct swb_lat_row, hist.sum_ns),
};

static int take_histogram(const struct nlattr *nest, struct swb_lat_row *out)
{
	struct bucket b;
	struct nlattr *a;
	int rem, err;

	memset(out, 0, sizeof(*out));
	out->member = SWB_LAT_NOBODY;
	nla_for_each_nested(a, nest, rem) {
		if (nla_type(a) != SWBLOCK_LATENCY_A_BUCKET) {
			err = take(latency_rows, ARRAY_SIZE(latency_rows), a, out);
			if (err)
				return err;
			continue;
		}
		memset(&b, 0, sizeof(b));
		err = take_all(bucket_rows, ARRAY_SIZE(bucket_rows), a, &b);
		if (err || b.index >= SWB_LAT_BUCKETS)
			return -EBADMSG;
		out->hist.n[b.index] += b.count;
	}
	return 0;
}

int nl_attr_latency(struct nlattr *head, int len, struct kern_latency *out)
{
	struct swb_lat_row row;
	struct nlattr *a;
	int rem, err;

	memset(out, 0, sizeof(*out));
	nla_for_each_attr(a, head, len, rem) {
		if (nla_type(a) == SWBLOCK_A_LATENCY_MISSED) {
			if (nla_len(a) != sizeof(out->missed))
				return -EBADMSG;
			memcpy(&out->missed, nla_data(a), sizeof(out->missed));
		}
		if (nla_type(a) != SWBLOCK_A_LATENCY)
			continue;
		err = take_histogram(a, &row);
		if (err)
			return err;
		/* a newer module may have more stages */
		if (row.stage && row.stage <= SWBLOCK_STAGE_MAX &&
		    out->count < KERN_LATENCY_MAX)
			out->row[out->count++] = row;
	}
	return 0;
}

bool nl_attr_record(struct nlattr *head, int len, uint32_t *id, const uint8_t **piece,
		    size_t *n)
{
	struct nlattr *a = nla_find(head, len, SWBLOCK_A_VOLUME_ID);
	struct nlattr *b = nla_find(head, len, SWBLOCK_A_RECORD);

	if (!a || !b || nla_len(a) != sizeof(*id) || nla_len(b) <= 0)
		return false;
	memcpy(id, nla_data(a), sizeof(*id));
	*piece = nla_data(b);
	*n = (size_t)nla_len(b);
	return true;
}

static int put_uuid(struct nl_msg *msg, int type, const struct swb_uuid *u)
{
	return nla_put(msg, type, sizeof(u->b), u->b);
}

int nl_attr_put_config(struct nl_msg *msg, int type, const struct swb_config *c)
{
	struct nlattr *nest = nla_nest_start(msg, type | NLA_F_NESTED);
	unsigned int i;
	int bad;

	if (!nest)
		return -EMSGSIZE;
	bad = nla_put_u8(msg, SWBLOCK_CONFIG_A_MODE, c->mode) ||
	      nla_put_u8(msg, SWBLOCK_CONFIG_A_POLICY, c->policy) ||
	      nla_put_u32(msg, SWBLOCK_CONFIG_A_REQUIRED, c->required);
	for (i = 0; i < c->member_count && !bad; i++)
		bad = put_uuid(msg, SWBLOCK_CONFIG_A_MEMBER, &c->member[i]);
	return bad || nla_nest_end(msg, nest) ? -EMSGSIZE : 0;
}

static int put_report(struct nl_msg *msg, const struct swb_report *r)
{
	struct nlattr *nest = nla_nest_start(msg, SWBLOCK_CERT_A_REPORT |
					     NLA_F_NESTED);

	if (!nest || put_uuid(msg, SWBLOCK_REPORT_A_REPLICA, &r->replica) ||
	    nla_put_u64(msg, SWBLOCK_REPORT_A_ADOPTED, r->adopted) ||
	    nla_put_u64(msg, SWBLOCK_REPORT_A_LAST_EPOCH, r->last_epoch) ||
	    nla_put_u64(msg, SWBLOCK_REPORT_A_DURABLE, r->durable) ||
	    nla_put_u64(msg, SWBLOCK_REPORT_A_COMMITTED, r->committed) ||
	    nla_put_u32(msg, SWBLOCK_REPORT_A_FLAGS, r->flags))
		return -EMSGSIZE;
	return nla_nest_end(msg, nest) ? -EMSGSIZE : 0;
}

int nl_attr_put_cert(struct nl_msg *msg, const struct swb_cert *c)
{
	struct nlattr *nest = nla_nest_start(msg, SWBLOCK_A_CERT | NLA_F_NESTED);
	int bad;
	u32 i;

	if (!nest)
		return -EMSGSIZE;
	bad = put_uuid(msg, SWBLOCK_CERT_A_VOLUME, &c->volume) ||
	      put_uuid(msg, SWBLOCK_CERT_A_STORE, &c->store) ||
	      nla_put_u64(msg, SWBLOCK_CERT_A_STORE_GENERATION,
			  c->store_generation) ||
	      nla_put_u64(msg, SWBLOCK_CERT_A_EPOCH, c->epoch) ||
	      put_uuid(msg, SWBLOCK_CERT_A_CANDIDATE, &c->candidate) ||
	      nl_attr_put_config(msg, SWBLOCK_CERT_A_CONFIG, &c->config) ||
	      nla_put_u64(msg, SWBLOCK_CERT_A_LAST_EPOCH, c->last_granted_epoch) ||
	      put_uuid(msg, SWBLOCK_CERT_A_LAST_GRANTED, &c->last_granted) ||
	      nla_put_u32(msg, SWBLOCK_CERT_A_FLAGS, c->flags);
	for (i = 0; i < c->judge_count && !bad; i++)
		bad = nl_attr_put_config(msg, SWBLOCK_CERT_A_JUDGE, &c->judge[i]);
	for (i = 0; i < c->report_count && !bad; i++)
		bad = put_report(msg, &c->report[i]);
	return bad || nla_nest_end(msg, nest) ? -EMSGSIZE : 0;
}

/* Names of what requests can hold; the rest the kernel cannot object to. */
static const char *const top_names[SWBLOCK_A_MAX + 1] = {
	[SWBLOCK_A_COOKIE] = "cookie", [SWBLOCK_A_VOLUME_ID] = "volume-id",
	[SWBLOCK_A_MINOR] = "minor", [SWBLOCK_A_DATA_PATH] = "data-path",
	[SWBLOCK_A_WAL_PATH] = "wal-path", [SWBLOCK_A_FLAGS] = "flags",
	[SWBLOCK_A_PEER_UUID] = "peer-uuid",
	[SWBLOCK_A_PRIMARY_UUID] = "primary-uuid",
	[SWBLOCK_A_STORE_UUID] = "store-uuid",
	[SWBLOCK_A_STORE_GENERATION] = "store-generation",
	[SWBLOCK_A_EPOCH] = "epoch", [SWBLOCK_A_CONFIG] = "config",
	[SWBLOCK_A_CERT] = "cert", [SWBLOCK_A_LEASE_NS] = "lease-ns",
	[SWBLOCK_A_FD] = "fd", [SWBLOCK_A_IO_DEADLINE_MS] = "io-deadline-ms",
	[SWBLOCK_A_LINK_DEADLINE_MS] = "link-deadline-ms",
	[SWBLOCK_A_FLUSH_INTERVAL_MS] = "flush-interval-ms",
	[SWBLOCK_A_REBUILD_AUTO] = "rebuild-auto",
	[SWBLOCK_A_REBUILD_RATE] = "rebuild-rate",
	[SWBLOCK_A_CATCHUP_MAX_BYTES] = "catchup-max-bytes",
	[SWBLOCK_A_CATCHUP_STALL_MS] = "catchup-stall-ms",
};

static const char *const cert_names[SWBLOCK_CERT_A_MAX + 1] = {
	[SWBLOCK_CERT_A_VOLUME] = "cert.volume", [SWBLOCK_CERT_A_STORE] = "cert.store",
	[SWBLOCK_CERT_A_STORE_GENERATION] = "cert.store-generation",
	[SWBLOCK_CERT_A_EPOCH] = "cert.epoch",
	[SWBLOCK_CERT_A_CANDIDATE] = "cert.candidate",
	[SWBLOCK_CERT_A_CONFIG] = "cert.config", [SWBLOCK_CERT_A_JUDGE] = "cert.judge",
	[SWBLOCK_CERT_A_REPORT] = "cert.report",
	[SWBLOCK_CERT_A_LAST_EPOCH] = "cert.last-epoch",
	[SWBLOCK_CERT_A_LAST_GRANTED] = "cert.last-granted",
	[SWBLOCK_CERT_A_FLAGS] = "cert.flags",
};

const char *nl_attr_name(unsigned int type)
{
	return type <= SWBLOCK_A_MAX ? top_names[type] : NULL;
}

const char *nl_attr_name_at(const struct nlmsghdr *req, unsigned int offset)
{
	const char *base = (const char *)req, *name = NULL;
	struct nlattr *a, *b;
	int rem, rem2;

	nla_for_each_attr(a, (struct nlattr *)(base + NLMSG_HDRLEN + GENL_HDRLEN),
			  (int)(req->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN), rem) {
		if ((unsigned int)((char *)a - base) > offset)
			break;
		name = nl_attr_name((unsigned int)nla_type(a));
		if (nla_type(a) != SWBLOCK_A_CERT)
			continue;
		nla_for_each_nested(b, a, rem2)
			if ((unsigned int)((char *)b - base) <= offset &&
			    nla_type(b) <= SWBLOCK_CERT_A_MAX)
				name = cert_names[nla_type(b)];
	}
	return name;
}
