// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel that is a file: the calls of nl.h for tests without the module. Reads
 * real superblocks, asks the real promotion judge, replicates by copying numbers.
 * Events last as long as the process.
 *
 *	SWB_FAKE_STATE	file with the members; unset: no module
 *	SWB_FAKE_SILENT	replica label that never reports
 *	SWB_FAKE_LOSE	the first wait finds that events were lost
 *	SWB_FAKE_WRITE	"label:N": that primary has appended N records
 *	SWB_FAKE_SHARED	several programs have it open at a time, and threads; each
 *			hears of its own orders only and looks at dumps for the rest
 *	SWB_FAKE_DROP	every N-th event is lost, with a gap to show for it
 *	SWB_FAKE_REPEAT	every event is told twice
 *	SWB_FAKE_SLOW	replica label: as a peer it took 80 ms for each of the slow
 *			writes; unset: the own disk did
 *	SWB_FAKE_COUNT	N: counter i of a member stands at N + i
 *	SWB_FAKE_GONE	replica label that is gone when it is asked for times
 *	SWB_FAKE_MUTE	while this file exists, no question is answered
 *	SWB_FAKE_TAMPER	what the last recorded step changed is not what the core did
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/codec.h"
#include "core/core.h"
#include "core/promote.h"
#include "core/record.h"
#include "core/recover.h"
#include "nl.h"

#define FAKE_MEMBERS	8
#define FAKE_EVENTS	64

struct fake_state {
	uint64_t seq;
	uint32_t next_id;
	uint32_t count;
	uint64_t last_epoch[FAKE_MEMBERS];
	struct kern_volume v[FAKE_MEMBERS];
};

struct kern {
	struct fake_state *s;
	int fd;
	int wake;
	unsigned int told;
	char error[200];
	bool events, lose, again;
	unsigned int head, tail;
	struct kern_event ev[FAKE_EVENTS];
};

static const char *label_of(const struct kern_volume *v)
{
	return v->replica_label;
}

static void apply_writes(struct kern *kern)
{
	const char *w = getenv("SWB_FAKE_WRITE"), *colon;
	uint32_t i;

	colon = w ? strchr(w, ':') : NULL;
	for (i = 0; colon && i < kern->s->count; i++)
		if (!strncmp(label_of(&kern->s->v[i]), w, (size_t)(colon - w)) &&
		    kern->s->v[i].role == SWBLOCK_ROLE_PRIMARY) {
			kern->s->v[i].head_lsn += (uint64_t)atoi(colon + 1);
			kern->s->v[i].durable_lsn = kern->s->v[i].head_lsn;
			kern->s->v[i].committed_lsn = kern->s->v[i].head_lsn;
		}
}

int kern_open(struct kern **out)
{
	const char *path = getenv("SWB_FAKE_STATE");
	struct kern *kern;

	if (!path)
		return -ENOENT;
	kern = calloc(1, sizeof(*kern));
	kern->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (kern->fd < 0 || ftruncate(kern->fd, sizeof(struct fake_state)))
		abort();
	if (!getenv("SWB_FAKE_SHARED"))
		flock(kern->fd, LOCK_EX);
	kern->s = mmap(NULL, sizeof(struct fake_state), PROT_READ | PROT_WRITE,
		       MAP_SHARED, kern->fd, 0);
	if (kern->s == MAP_FAILED)
		abort();
	kern->lose = getenv("SWB_FAKE_LOSE");
	apply_writes(kern);
	*out = kern;
	return 0;
}

void kern_close(struct kern *kern)
{
	if (!kern)
		return;
	munmap(kern->s, sizeof(struct fake_state));
	if (kern->events)
		close(kern->wake);
	close(kern->fd);
	free(kern);
}

const char *kern_error(const struct kern *kern)
{
	return kern->error;
}

const char *kern_error_attr(const struct kern *kern)
{
	return kern->error[0] ? "epoch" : NULL;
}

static int no(struct kern *kern, int err, const char *why)
{
	snprintf(kern->error, sizeof(kern->error), "%s", why);
	return err;
}

static struct kern_volume *by_id(struct kern *kern, uint32_t id)
{
	uint32_t i;

	kern->error[0] = 0;
	for (i = 0; i < kern->s->count; i++)
		if (kern->s->v[i].id == id)
			return &kern->s->v[i];
	no(kern, -ENODEV, "no such volume id");
	return NULL;
}

static struct kern_event *emit(struct kern *kern, struct kern_volume *v,
			       uint32_t kind, uint64_t cookie)
{
	struct kern_event *ev = &kern->ev[kern->head++ % FAKE_EVENTS];

	if (kern->events)
		eventfd_write(kern->wake, 1);
	memset(ev, 0, sizeof(*ev));
	ev->seq = ++kern->s->seq;
	ev->kind = kind;
	ev->cookie = cookie;
	ev->time_ns = boottime_ns();
	if (v) {
		ev->volume_id = v->id;
		ev->epoch = v->epoch;
	}
	return ev;
}

static bool is_mute(void)
{
	const char *path = getenv("SWB_FAKE_MUTE");

	return path && !access(path, F_OK);
}

int kern_get_info(struct kern *kern, struct kern_info *info)
{
	if (is_mute())
		return -ETIMEDOUT;
	*info = (struct kern_info){ .abi = 1, .proto_min = 1, .proto_max = 1,
				    .seq = kern->s->seq,
				    .volumes = kern->s->count,
				    .version = "fake" };
	return 0;
}

static void count_up(struct kern_volume *v)
{
	const char *base = getenv("SWB_FAKE_COUNT");
	uint32_t i;

	for (i = 0; base && i <= SWBLOCK_STAT_MAX; i++)
		v->stats[i] = (uint64_t)atoi(base) + i;
}

int kern_dump_volumes(struct kern *kern, struct kern_dump *dump)
{
	uint32_t i;

	memset(dump, 0, sizeof(*dump));
	if (is_mute())
		return -ETIMEDOUT;
	dump->seq = kern->s->seq;
	dump->count = kern->s->count;
	dump->volume = calloc(FAKE_MEMBERS, sizeof(*dump->volume));
	memcpy(dump->volume, kern->s->v, sizeof(kern->s->v));
	for (i = 0; i < dump->count; i++)
		count_up(&dump->volume[i]);
	return 0;
}

void kern_dump_free(struct kern_dump *dump)
{
	free(dump->volume);
	memset(dump, 0, sizeof(*dump));
}

int kern_get_volume(struct kern *kern, uint32_t id, struct kern_volume *v)
{
	struct kern_volume *found = by_id(kern, id);

	if (!found)
		return -ENODEV;
	*v = *found;
	v->seq = kern->s->seq;
	return 0;
}

static u8 read_super(const char *path, struct swb_durable *d)
{
	char buf[SWB_SUPER_BYTES] __attribute__((aligned(8)));
	enum swb_super_verdict v[2];
	struct swb_durable slot[2];
	int fd = open(path, O_RDONLY | O_CLOEXEC), pick;
	u8 letter = 0;

	memset(slot, 0, sizeof(slot));
	v[0] = SWB_SUPER_BAD_MAGIC;
	v[1] = SWB_SUPER_BAD_MAGIC;
	if (pread(fd, buf, sizeof(buf), SWB_SUPER_OFFSET_0) == sizeof(buf))
		v[0] = swb_codec_super_decode(buf, &slot[0]);
	if (pread(fd, buf, sizeof(buf), SWB_SUPER_OFFSET_1) == sizeof(buf))
		v[1] = swb_codec_super_decode(buf, &slot[1]);
	close(fd);
	pick = swb_recover_pick(v[0], &slot[0], v[1], &slot[1], &letter);
	if (pick >= 0)
		*d = slot[pick];
	return letter;
}

int kern_volume_add(struct kern *kern, const char *data, const char *wal,
		    int minor, uint64_t cookie, uint32_t *id)
{
	struct kern_volume *v = &kern->s->v[kern->s->count];
	struct kern_event *ev;
	struct swb_durable d;
	u8 letter;

	(void)wal;
	kern->error[0] = 0;
	if (kern->s->count == FAKE_MEMBERS)
		return no(kern, -ENOSPC, "too many members");
	letter = read_super(data, &d);
	*id = ++kern->s->next_id;
	if (letter) {
		ev = emit(kern, NULL, SWBLOCK_EVENT_FAILED, cookie);
		ev->volume_id = *id;
		ev->letter = letter;
		ev->table = SWBLOCK_TABLE_RECOVER;
		ev->error = EINVAL;
		snprintf(ev->text, sizeof(ev->text), "recovery refused the disk");
		return 0;
	}
	memset(v, 0, sizeof(*v));
	v->id = *id;
	v->minor = minor >= 0 ? (uint32_t)minor : kern->s->count;
	v->volume = d.volume;
	v->replica = d.replica;
	memcpy(v->volume_label, d.volume_label, sizeof(v->volume_label));
	memcpy(v->replica_label, d.replica_label, sizeof(v->replica_label));
	v->size_bytes = d.extent_bytes;
	v->block_bytes = d.block_bytes;
	v->ring_bytes = d.ring_bytes;
	v->local_letter = 'H';
	v->log_start = 1;
	v->conditions = SWBLOCK_COND_NO_ROLE;
	v->io_deadline_ms = 300000;
	kern->s->last_epoch[kern->s->count++] = 0;
	emit(kern, v, SWBLOCK_EVENT_READY, cookie)->minor = v->minor;
	return 0;
}

int kern_volume_remove(struct kern *kern, uint32_t id, uint32_t flags,
		       uint64_t cookie)
{
	struct kern_volume *v = by_id(kern, id);
	uint32_t i;

	if (!v)
		return -ENODEV;
	if (v->openers && !(flags & SWBLOCK_REMOVE_FORCE))
		return no(kern, -EBUSY, "the device is open");
	emit(kern, v, SWBLOCK_EVENT_REMOVED, cookie);
	i = (uint32_t)(v - kern->s->v);
	kern->s->count--;
	memmove(v, v + 1, (kern->s->count - i) * sizeof(*v));
	memmove(&kern->s->last_epoch[i], &kern->s->last_epoch[i + 1],
		(kern->s->count - i) * sizeof(uint64_t));
	return 0;
}

static void fill_report(struct kern *kern, const struct kern_volume *v,
			struct swb_report *r)
{
	*r = (struct swb_report){
		.replica = v->replica, .adopted = v->epoch,
		.last_epoch = kern->s->last_epoch[v - kern->s->v],
		.durable = v->durable_lsn, .committed = v->committed_lsn,
	};
}

int kern_adopt(struct kern *kern, uint32_t id, uint64_t epoch,
	       const struct swb_uuid *store, uint64_t generation, uint64_t cookie)
{
	struct kern_volume *v = by_id(kern, id);
	const char *silent = getenv("SWB_FAKE_SILENT");
	struct kern_event *ev;

	if (!v)
		return -ENODEV;
	if (epoch < v->epoch)
		return no(kern, -ESTALE, "a newer epoch is adopted");
	if (!swb_uuid_is_null(&v->store) && !swb_uuid_equal(&v->store, store))
		return no(kern, -EINVAL, "another store");
	if (epoch > v->epoch)
		v->role = SWBLOCK_ROLE_NONE;
	v->epoch = epoch;
	v->store = *store;
	v->store_generation = generation;
	if (silent && !strcmp(silent, label_of(v)))
		return 0;
	ev = emit(kern, v, SWBLOCK_EVENT_REPORT, cookie);
	ev->has_report = true;
	fill_report(kern, v, &ev->report);
	return 0;
}

static void take_config(struct kern_volume *v, const struct swb_config *c)
{
	unsigned int i;

	v->has_config = true;
	v->config = *c;
	v->peer_count = 0;
	for (i = 0; i < c->member_count; i++) {
		if (swb_uuid_equal(&c->member[i], &v->replica))
			continue;
		v->peer[v->peer_count] = (struct kern_peer){
			.uuid = c->member[i], .required = c->required >> i & 1,
		};
		v->peer_count++;
	}
}

int kern_assign(struct kern *kern, uint32_t id, uint64_t epoch,
		const struct swb_uuid *primary, const struct swb_config *config)
{
	struct kern_volume *v = by_id(kern, id);

	if (!v)
		return -ENODEV;
	if (epoch != v->epoch)
		return no(kern, -ESTALE, "not the adopted epoch");
	v->role = SWBLOCK_ROLE_REPLICA;
	v->primary = *primary;
	v->conditions = 0;
	take_config(v, config);
	return 0;
}

int kern_promote(struct kern *kern, uint32_t id, const struct swb_cert *cert,
		 uint64_t lease_ns, uint64_t cookie)
{
	struct kern_volume *v = by_id(kern, id);
	struct swb_candidate me;
	struct kern_event *ev;
	struct swb_report r;
	u8 letter;

	if (!v)
		return -ENODEV;
	fill_report(kern, v, &r);
	me = (struct swb_candidate){
		.volume = v->volume, .replica = v->replica, .store = v->store,
		.store_generation = v->store_generation, .adopted = v->epoch,
		.opened = v->opened, .last_epoch = r.last_epoch,
		.durable = v->durable_lsn,
	};
	letter = swb_promote_judge(cert, &me);
	v->promote_letter = letter;
	if (letter != 'A') {
		ev = emit(kern, v, SWBLOCK_EVENT_REFUSED, cookie);
		ev->letter = letter;
		ev->table = SWBLOCK_TABLE_PROMOTE;
		ev->error = EPERM;
		return 0;
	}
	v->role = SWBLOCK_ROLE_PRIMARY;
	v->opened = v->epoch;
	v->primary = v->replica;
	v->lease_ns = lease_ns;
	v->conditions = 0;
	v->head_lsn++;
	v->durable_lsn = v->head_lsn;
	kern->s->last_epoch[v - kern->s->v] = v->epoch;
	take_config(v, &cert->config);
	if (cert->config.mode == SWBLOCK_MODE_BEST_EFFORT ||
	    !(cert->config.required & (cert->config.required - 1)))
		v->committed_lsn = v->head_lsn;
	emit(kern, v, SWBLOCK_EVENT_ROLE, cookie)->role = SWBLOCK_ROLE_PRIMARY;
	return 0;
}

int kern_demote(struct kern *kern, uint32_t id, uint32_t flags, uint64_t cookie)
{
	struct kern_volume *v = by_id(kern, id);

	(void)flags;
	if (!v)
		return -ENODEV;
	v->role = SWBLOCK_ROLE_NONE;
	emit(kern, v, SWBLOCK_EVENT_ROLE, cookie)->role = SWBLOCK_ROLE_NONE;
	return 0;
}

int kern_suspend(struct kern *kern, uint32_t id, bool suspend)
{
	struct kern_volume *v = by_id(kern, id);

	if (!v)
		return -ENODEV;
	if (suspend && v->role != SWBLOCK_ROLE_PRIMARY)
		return -EINVAL;
	if (suspend)
		v->conditions |= SWBLOCK_COND_SUSPENDED_ADMIN;
	else
		v->conditions &= ~(uint32_t)SWBLOCK_COND_SUSPENDED_ADMIN;
	return 0;
}

int kern_verify(struct kern *kern, uint32_t id, uint32_t flags, uint64_t cookie)
{
	struct kern_volume *v = by_id(kern, id);

	(void)flags;
	if (!v)
		return -ENODEV;
	if (v->role != SWBLOCK_ROLE_PRIMARY)
		return -EINVAL;
	emit(kern, v, SWBLOCK_EVENT_VERIFIED, cookie);
	return 0;
}

/* 1000 plain writes: 970 that the first peer releases in 2 ms, and 30 slow ones. */
static void tell(struct kern_latency *out, uint32_t stage, uint64_t ns, uint64_t n)
{
	struct swb_lat_row *r = &out->row[out->count++];

	r->stage = stage;
	swb_lat_add(&r->hist, ns, n);
}

int kern_get_latency(struct kern *kern, uint32_t id, const struct swb_uuid *member,
		     struct kern_latency *out)
{
	const struct kern_volume *v = by_id(kern, id), *peer = NULL;
	const char *slow = getenv("SWB_FAKE_SLOW");
	const char *gone = getenv("SWB_FAKE_GONE");
	const uint64_t ms = 1000000;
	uint32_t i;

	memset(out, 0, sizeof(*out));
	if (!v || (gone && !strcmp(gone, label_of(v))))
		return -ENODEV;
	for (i = 0; member && i < kern->s->count; i++)
		if (swb_uuid_equal(&kern->s->v[i].replica, member))
			peer = &kern->s->v[i];
	if (v->role != SWBLOCK_ROLE_PRIMARY)
		return 0;
	if (!member) {
		out->missed = 3;
		tell(out, SWBLOCK_STAGE_ADMIT, 10000, 1000);
		tell(out, SWBLOCK_STAGE_APPEND, 90000, 1000);
		tell(out, SWBLOCK_STAGE_PERSIST, slow ? ms : 80 * ms, 1000);
		tell(out, SWBLOCK_STAGE_READ, 3 * ms, 7);
	} else if (peer == v) {
		if (!slow)
			tell(out, SWBLOCK_STAGE_COMPLETE, 81 * ms, 30);
	} else if (peer) {
		bool late = slow && !strcmp(slow, label_of(peer));

		tell(out, SWBLOCK_STAGE_SHIP, 50000, 1000);
		tell(out, SWBLOCK_STAGE_PEER_RECEIVE, late ? 80 * ms : ms, 1000);
		tell(out, SWBLOCK_STAGE_PEER_PERSIST, late ? 80 * ms : ms, 1000);
		tell(out, SWBLOCK_STAGE_COMPLETE, late ? 81 * ms : 2 * ms,
		     late ? 30 : 970);
	}
	return 0;
}

/* A member that adopts epoch 7 and lives on: the real recorder around the real core. */
static void record_life(struct swb_record *r, const struct kern_volume *v)
{
	struct swb_core *c = calloc(1, sizeof(*c));
	struct swb_actions *out = calloc(1, sizeof(*out));
	struct swb_event ev = { .type = SWB_EV_ADOPT_ORDERED, .peer = SWB_NOBODY,
				.now_ns = 12000345678, .epoch = 7, .cookie = 3,
				.u.adopt = { .store = { { 1 } },
					     .store_generation = 1 } };
	int i;

	c->d.replica = v->replica;
	c->self = SWB_NOBODY;
	c->primary = SWB_NOBODY;
	swb_record_init(r, r->ring, SWB_RECORD_RING_MIN, r->state, r->base, c);
	for (i = 0; i < 3; i++) {
		swb_record_before(r, c, &ev);
		swb_core_step(c, &ev, out);
		swb_record_after(r, c, &ev, out);
		ev = (struct swb_event){ .peer = SWB_NOBODY,
			.type = i ? SWB_EV_TICK : SWB_EV_SUPER_SAVED,
			.now_ns = ev.now_ns + 1000000 };
	}
	if (getenv("SWB_FAKE_TAMPER"))
		r->ring[r->head - 1]++;
	free(c);
	free(out);
}

static void record_of_member(const struct kern_volume *v, struct kern_record *out)
{
	struct swb_record r = {
		.ring = calloc(SWB_RECORD_RING_MIN, sizeof(u64)),
		.state = calloc(SWB_RECORD_STATE_WORDS, sizeof(u64)),
		.base = calloc(SWB_RECORD_STATE_WORDS, sizeof(u64)),
	};

	record_life(&r, v);
	out->id = v->id;
	out->buf = malloc(swb_record_bytes(&r));
	out->len = swb_record_take(&r, out->buf);
	swb_record_seal(out->buf, 13000000000, 1700000000000000000);
	free(r.ring);
	free(r.state);
	free(r.base);
}

int kern_get_records(struct kern *kern, const uint32_t *id, struct kern_records *out)
{
	uint32_t i;

	memset(out, 0, sizeof(*out));
	if (id && !by_id(kern, *id))
		return -ENODEV;
	out->record = calloc(FAKE_MEMBERS, sizeof(*out->record));
	for (i = 0; i < kern->s->count; i++)
		if (!id || kern->s->v[i].id == *id)
			record_of_member(&kern->s->v[i], &out->record[out->count++]);
	return 0;
}

void kern_records_free(struct kern_records *records)
{
	unsigned int i;

	for (i = 0; i < records->count; i++)
		free(records->record[i].buf);
	free(records->record);
	memset(records, 0, sizeof(*records));
}

int kern_verify_stop(struct kern *kern, uint32_t id)
{
	return by_id(kern, id) ? -ENOENT : -ENODEV;
}

int kern_resize(struct kern *kern, uint32_t id, uint64_t bytes, uint64_t cookie)
{
	struct kern_volume *v = by_id(kern, id);

	if (!v)
		return -ENODEV;
	if (bytes < v->size_bytes)
		return -EINVAL;
	v->size_bytes = bytes;
	emit(kern, v, SWBLOCK_EVENT_RESIZED, cookie);
	return 0;
}

int kern_lease(struct kern *kern, uint32_t id, uint64_t epoch, uint64_t lease_ns)
{
	struct kern_volume *v = by_id(kern, id);

	if (!v)
		return -ENODEV;
	if (v->epoch != epoch)
		return no(kern, -ESTALE, "not the adopted epoch");
	v->lease_ns = lease_ns;
	return 0;
}

/* Both ends linked and one of them primary: copy, and call it in sync. */
static void try_session(struct kern *kern, struct kern_volume *v,
			struct kern_peer *p, uint64_t cookie)
{
	struct kern_volume *o = NULL;
	struct kern_event *ev;
	uint32_t i;

	for (i = 0; i < kern->s->count; i++)
		if (swb_uuid_equal(&kern->s->v[i].replica, &p->uuid))
			o = &kern->s->v[i];
	if (!o || v->role != SWBLOCK_ROLE_PRIMARY || o->epoch != v->epoch)
		return;
	p->letter = o->head_lsn == v->head_lsn ? 'I' : 'J';
	p->fact_log_end = o->head_lsn;
	o->head_lsn = v->head_lsn;
	o->durable_lsn = v->head_lsn;
	kern->s->last_epoch[o - kern->s->v] = v->epoch;
	p->durable_lsn = v->head_lsn;
	v->committed_lsn = v->head_lsn;
	o->committed_lsn = v->head_lsn;
	p->state = SWBLOCK_PEER_IN_SYNC;
	ev = emit(kern, v, SWBLOCK_EVENT_PEER, cookie);
	ev->has_peer = true;
	ev->peer = *p;
}

int kern_link(struct kern *kern, uint32_t id, const struct swb_uuid *peer, int fd,
	      uint64_t move, uint64_t cookie)
{
	struct kern_volume *v = by_id(kern, id);
	unsigned int i, j;

	if (!v)
		return -ENODEV;
	if (fcntl(fd, F_GETFD) < 0)
		return no(kern, -EBADF, "not a socket");
	for (i = 0; i < v->peer_count; i++) {
		if (!swb_uuid_equal(&v->peer[i].uuid, peer))
			continue;
		if (move && v->peer[i].state == SWBLOCK_PEER_IN_SYNC)
			return 0;	/* the session goes on */
		v->peer[i].state = SWBLOCK_PEER_OPENING;
		try_session(kern, v, &v->peer[i], cookie);
		for (j = 0; j < kern->s->count; j++)
			if (&kern->s->v[j] != v && v->role == SWBLOCK_ROLE_REPLICA)
				kern->s->v[j].conditions &= ~SWBLOCK_COND_NO_ROLE;
		return 0;
	}
	return no(kern, -ENOENT, "no such peer by the configuration");
}

int kern_unlink(struct kern *kern, uint32_t id, const struct swb_uuid *peer)
{
	struct kern_volume *v = by_id(kern, id);
	unsigned int i;

	for (i = 0; v && i < v->peer_count; i++)
		if (swb_uuid_equal(&v->peer[i].uuid, peer))
			v->peer[i].state = SWBLOCK_PEER_DETACHED;
	return v ? 0 : -ENODEV;
}

/* What it would copy is not known here: the order is noted as a full one. */
int kern_rebuild(struct kern *kern, uint32_t id, const struct swb_uuid *peer,
		 uint64_t cookie)
{
	struct kern_volume *v = by_id(kern, id);
	unsigned int i;

	if (!v)
		return -ENODEV;
	if (v->role != SWBLOCK_ROLE_PRIMARY)
		return no(kern, -EINVAL, "this member is not primary");
	for (i = 0; i < v->peer_count; i++) {
		if (!swb_uuid_equal(&v->peer[i].uuid, peer))
			continue;
		if (v->config.mode == SWBLOCK_MODE_SYNC_ALL && v->peer[i].required)
			return no(kern, -EPERM, "sync_all requires this member");
		v->peer[i].rebuild = SWBLOCK_REBUILD_FULL;
		v->peer[i].rebuild_todo = v->size_bytes;
		try_session(kern, v, &v->peer[i], cookie);
		v->peer[i].rebuild_done = v->size_bytes;
		return 0;
	}
	return no(kern, -ENOENT, "no such peer by the configuration");
}

int kern_tune(struct kern *kern, uint32_t id, const struct kern_limits *l)
{
	struct kern_volume *v = by_id(kern, id);

	if (!v)
		return -ENODEV;
	if (l->io_deadline_ms != KERN_LEAVE)
		v->io_deadline_ms = (uint32_t)l->io_deadline_ms;
	if (l->link_deadline_ms != KERN_LEAVE)
		v->link_deadline_ms = (uint32_t)l->link_deadline_ms;
	if (l->flush_interval_ms != KERN_LEAVE)
		v->flush_interval_ms = (uint32_t)l->flush_interval_ms;
	if (l->rebuild_auto != KERN_LEAVE)
		v->rebuild_auto = (uint8_t)l->rebuild_auto;
	if (l->rebuild_rate != KERN_LEAVE)
		v->rebuild_rate = l->rebuild_rate;
	if (l->catchup_max_bytes != KERN_LEAVE)
		v->catchup_max_bytes = l->catchup_max_bytes;
	if (l->catchup_stall_ms != KERN_LEAVE)
		v->catchup_stall_ms = (uint32_t)l->catchup_stall_ms;
	return 0;
}

int kern_events_open(struct kern *kern)
{
	if (!kern->events)
		kern->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	kern->events = true;
	return 0;
}

int kern_events_fd(const struct kern *kern)
{
	return kern->wake;
}

void kern_events_seen(struct kern *kern, uint64_t seq)
{
	while (kern->tail != kern->head &&
	       kern->ev[kern->tail % FAKE_EVENTS].seq <= seq)
		kern->tail++;
}

int kern_event_next(struct kern *kern, uint64_t deadline_ns, struct kern_event *ev)
{
	const char *drop;

	if (!kern->events)
		abort();
	if (kern->lose) {
		kern->lose = false;
		return KERN_LOST;
	}
	if (kern->tail == kern->head) {
		eventfd_t n;

		(void)deadline_ns;
		(void)eventfd_read(kern->wake, &n);
		return -ETIMEDOUT;
	}
	*ev = kern->ev[kern->tail % FAKE_EVENTS];
	kern->again = getenv("SWB_FAKE_REPEAT") && !kern->again;
	if (!kern->again)
		kern->tail++;
	drop = getenv("SWB_FAKE_DROP");
	if (drop && ++kern->told % (unsigned int)atoi(drop) == 0)
		return KERN_LOST;
	return 0;
}
