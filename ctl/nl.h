/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's side, as structs. nl.c is the only file that knows netlink; the
 * tests link another implementation of this header (tests/fake_nl.c).
 *
 * Every call returns 0 or a negative errno. The words of a refusal are in
 * kern_error() until the next call. -ENOENT from kern_open() means: no module.
 */
#ifndef SWB_CTL_NL_H
#define SWB_CTL_NL_H

#include "core/lat.h"
#include "ctl.h"

#define KERN_PEERS_MAX	SWB_MEMBERS_MAX

/* kern_event_next(): events were lost, dump again and go on */
#define KERN_LOST		1

/** struct kern_info - what GET_INFO says */
struct kern_info {
	uint32_t abi;
	uint32_t proto_min;
	uint32_t proto_max;
	uint64_t features;
	uint64_t seq;
	uint32_t volumes;
	char version[SWBLOCK_TEXT_MAX];
};

/** struct kern_peer - SWBLOCK_A_PEER; names as in the uapi header */
struct kern_peer {
	struct swb_uuid uuid;
	uint8_t state;
	uint8_t required;
	uint64_t session;
	uint8_t letter;
	uint32_t reason;
	uint64_t match_lsn, target_lsn, cursor_lsn;
	uint64_t received_lsn, written_lsn, durable_lsn;
	uint64_t fact_log_end, fact_adopted, fact_last_epoch;
	uint64_t fact_durable, fact_committed, fact_extent_hi;
	uint32_t fact_flags;
	uint64_t log_start;
	uint64_t behind_bytes, behind_ns;
	uint8_t rebuild;
	uint64_t rebuild_todo, rebuild_done, rebuild_rate;
};

/** struct kern_volume - one attached member, as VOLUME_GET describes it */
struct kern_volume {
	uint32_t id;
	uint32_t minor;
	uint64_t seq;
	struct swb_uuid volume, replica, primary, store;
	uint64_t store_generation;
	char volume_label[SWBLOCK_LABEL_MAX];
	char replica_label[SWBLOCK_LABEL_MAX];
	char data_path[SWBLOCK_PATH_MAX];
	char wal_path[SWBLOCK_PATH_MAX];
	uint64_t epoch, opened;
	uint8_t role;
	uint32_t conditions;
	bool has_config;
	struct swb_config config;
	uint64_t lease_ns;
	uint32_t io_deadline_ms, link_deadline_ms, flush_interval_ms;
	uint8_t rebuild_auto;
	uint64_t rebuild_rate, catchup_max_bytes;
	uint32_t catchup_stall_ms;
	uint64_t bitmap_blocks, bitmap_epoch, bitmap_lsn;
	uint64_t size_bytes;
	uint32_t block_bytes;
	uint64_t head_lsn, written_lsn, durable_lsn, committed_lsn;
	uint64_t extent_lo, extent_hi, log_start;
	uint64_t ring_bytes, ring_used, incarnation;
	uint32_t openers, inflight, parked;
	uint8_t local_letter, promote_letter;
	uint64_t stats[SWBLOCK_STAT_MAX + 1];
	unsigned int peer_count;
	struct kern_peer peer[KERN_PEERS_MAX];
};

/** struct kern_dump - all attached members at one sequence number */
struct kern_dump {
	uint64_t seq;
	unsigned int count;
	struct kern_volume *volume;
};

/** struct kern_event - one EVENT; what it does not carry is zero */
struct kern_event {
	uint64_t seq;
	uint32_t volume_id;
	uint32_t kind;
	uint64_t time_ns;
	uint64_t epoch;
	uint64_t cookie;
	uint32_t minor;
	uint32_t error;
	uint8_t letter, table;
	uint32_t reason;
	uint8_t role;
	uint32_t conditions;
	bool has_report, has_peer;
	struct swb_report report;
	struct kern_peer peer;
	char text[SWBLOCK_TEXT_MAX];
};

/* rows that one answer to LATENCY_GET may have */
#define KERN_LATENCY_MAX	SWBLOCK_STAGE_MAX

/** struct kern_latency - LATENCY_GET, of the host or of one member */
struct kern_latency {
	uint64_t missed;
	unsigned int count;
	struct swb_lat_row row[KERN_LATENCY_MAX];
};

/** struct kern_record - a flight record: struct swb_record_file and what follows */
struct kern_record {
	uint32_t id;
	size_t len;
	uint8_t *buf;
};

/** struct kern_records - RECORD_GET */
struct kern_records {
	unsigned int count;
	struct kern_record *record;
};

int kern_open(struct kern **out);
void kern_close(struct kern *kern);

/** kern_error() - words of the last refusal, "" if there are none */
const char *kern_error(const struct kern *kern);
/** kern_error_attr() - name of the attribute the kernel objected to, or NULL */
const char *kern_error_attr(const struct kern *kern);

int kern_get_info(struct kern *kern, struct kern_info *info);
int kern_dump_volumes(struct kern *kern, struct kern_dump *dump);
void kern_dump_free(struct kern_dump *dump);
int kern_get_volume(struct kern *kern, uint32_t id, struct kern_volume *v);
/** kern_get_latency() - @member NULL: of the host; the index of rows is not filled */
int kern_get_latency(struct kern *kern, uint32_t id, const struct swb_uuid *member,
		     struct kern_latency *out);
/** kern_get_records() - of volume @id, or of all, removed ones included, if @id is NULL */
int kern_get_records(struct kern *kern, const uint32_t *id, struct kern_records *out);
void kern_records_free(struct kern_records *records);

/** kern_volume_add() - @wal NULL: internal; @minor < 0: any */
int kern_volume_add(struct kern *kern, const char *data, const char *wal,
		    int minor, uint64_t cookie, uint32_t *id);
int kern_volume_remove(struct kern *kern, uint32_t id, uint32_t flags,
		       uint64_t cookie);
int kern_adopt(struct kern *kern, uint32_t id, uint64_t epoch,
	       const struct swb_uuid *store, uint64_t generation, uint64_t cookie);
int kern_assign(struct kern *kern, uint32_t id, uint64_t epoch,
		const struct swb_uuid *primary, const struct swb_config *config);
int kern_promote(struct kern *kern, uint32_t id, const struct swb_cert *cert,
		 uint64_t lease_ns, uint64_t cookie);
int kern_suspend(struct kern *kern, uint32_t id, bool suspend);
int kern_verify(struct kern *kern, uint32_t id, uint32_t flags, uint64_t cookie);
int kern_verify_stop(struct kern *kern, uint32_t id);
int kern_resize(struct kern *kern, uint32_t id, uint64_t bytes, uint64_t cookie);
int kern_demote(struct kern *kern, uint32_t id, uint32_t flags,
		uint64_t cookie);
int kern_lease(struct kern *kern, uint32_t id, uint64_t epoch,
	       uint64_t lease_ns);
int kern_link(struct kern *kern, uint32_t id, const struct swb_uuid *peer, int fd,
	      uint64_t move, uint64_t cookie);
int kern_unlink(struct kern *kern, uint32_t id, const struct swb_uuid *peer);
int kern_rebuild(struct kern *kern, uint32_t id, const struct swb_uuid *peer,
		 uint64_t cookie);

#define KERN_LEAVE	UINT64_MAX

/** struct kern_limits - for kern_tune(); KERN_LEAVE leaves a setting alone */
struct kern_limits {
	uint64_t io_deadline_ms;
	uint64_t link_deadline_ms;
	uint64_t flush_interval_ms;
	uint64_t rebuild_auto;
	uint64_t rebuild_rate;
	uint64_t catchup_max_bytes;
	uint64_t catchup_stall_ms;
};

int kern_tune(struct kern *kern, uint32_t id, const struct kern_limits *limits);

/** kern_events_open() - subscribe; do it before the order whose event is awaited */
int kern_events_open(struct kern *kern);
/** kern_events_fd() - readable when there may be an event; with events open */
int kern_events_fd(const struct kern *kern);
/** kern_events_seen() - a dump included everything up to @seq */
void kern_events_seen(struct kern *kern, uint64_t seq);
/**
 * kern_event_next() - the next event
 * @kern: with events open
 * @deadline_ns: CLOCK_BOOTTIME, 0 = wait for ever; one that is past: do not wait
 * @ev: filled on 0
 *
 * Return: 0; KERN_LOST after a gap or ENOBUFS (dump again, kern_events_seen());
 * -ETIMEDOUT; another negative errno.
 */
int kern_event_next(struct kern *kern, uint64_t deadline_ns,
		    struct kern_event *ev);

#endif /* SWB_CTL_NL_H */
