// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is wrong with a volume, from the documents of the store. Pure: no I/O, no
 * clock. Each finding has a fixed code, a sentence and a hint; the worst level is
 * the verdict. Silence of a host is what the store's time to live says.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cluster.h"
#include "core/text.h"

const char *health_text(enum health_level level)
{
	switch (level) {
	case HEALTH_OK:
		return "ok";
	case HEALTH_WARNING:
		return "warning";
	case HEALTH_CRITICAL:
		return "critical";
	case HEALTH_UNKNOWN:
		return "unknown";
	}
	return "?";
}

static int rank(enum health_level l)
{
	/* not to know is worse than a warning, better than a known outage */
	return l == HEALTH_CRITICAL ? 3 : l == HEALTH_UNKNOWN ? 2 : (int)l;
}

static void found(struct health *h, enum health_level level, const char *code,
		  const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

static void found(struct health *h, enum health_level level, const char *code,
		  const char *hint, const char *fmt, ...)
{
	struct health_finding *f;
	va_list ap;

	if (rank(level) > rank(h->level))
		h->level = level;
	if (h->count == CLUSTER_FINDINGS_MAX)
		return;
	f = &h->finding[h->count++];
	f->level = level;
	f->code = code;
	snprintf(f->hint, sizeof(f->hint), "%s", hint);
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
}

static void judge_primary(const struct board_volume *v, struct health *h)
{
	const struct board_state *p = cluster_primary(v);
	char buf[CTL_UUID_TEXT];

	if (v->wish.stopped) {
		found(h, HEALTH_WARNING, "stopped",
		      "swblockctl volume set --start ends that",
		      "the volume is stopped, as ordered");
		return;
	}
	if (!p) {
		found(h, HEALTH_CRITICAL, "no_primary",
		      "swblockctl explain tells what is waited for",
		      "no member serves the volume (epoch %" PRIu64 ", %s)",
		      v->record.epoch, auth_phase_text(v->record.phase));
		return;
	}
	if (p->conditions & (SWBLOCK_COND_SUSPENDED_LEASE |
			     SWBLOCK_COND_SUSPENDED_EPOCH))
		found(h, HEALTH_CRITICAL, "suspended", "",
		      "I/O is held on %s: its lease or its epoch has ended",
		      cluster_label(v, &p->replica, buf));
	if (p->conditions & SWBLOCK_COND_WAITING_PEER)
		found(h, HEALTH_CRITICAL, "waiting_peer",
		      "bring the missing members back, or change the mode",
		      "writes wait: not enough members are in reach");
	if (p->conditions & SWBLOCK_COND_RING_FULL)
		found(h, HEALTH_CRITICAL, "ring_full", "",
		      "writers wait for space in the log of %s",
		      cluster_label(v, &p->replica, buf));
	if (p->conditions & SWBLOCK_COND_STALE_OPENERS)
		found(h, HEALTH_WARNING, "stale_openers",
		      "close the device there and open it anew",
		      "%s is open under an older grant",
		      cluster_label(v, &p->replica, buf));
}

static void judge_disk(const struct board_volume *v, const struct board_state *s,
		       const char *label, struct health *h)
{
	bool primary = s == cluster_primary(v);

	if (s->conditions & SWBLOCK_COND_DISK_FAILED)
		found(h, primary ? HEALTH_CRITICAL : HEALTH_WARNING, "disk_failed",
		      "swblockctl volume replace takes another disk",
		      "the disk of %s has failed and stays out", label);
	if (s->conditions & SWBLOCK_COND_ZOMBIE)
		found(h, HEALTH_WARNING, "zombie",
		      "the disk must answer, or the host must be restarted",
		      "a disk of %s never answered", label);
	if (s->conditions & SWBLOCK_COND_INCONSISTENT)
		found(h, HEALTH_WARNING, "inconsistent", "",
		      "%s is no copy until its rebuild has ended", label);
	if (*s->error)
		found(h, HEALTH_WARNING, "controller_error", "", "%s: %s", label,
		      s->error);
}

static void judge_sync(const struct board_volume *v, const struct board_member *m,
		       struct health *h)
{
	const struct board_state *p = cluster_primary(v);
	const struct board_peer *peer = cluster_peer(p, &m->replica);

	if (!p || swb_uuid_equal(&p->replica, &m->replica))
		return;
	if (!peer) {
		found(h, HEALTH_WARNING, "not_a_member_yet", "",
		      "%s is declared, but not in the granted configuration",
		      m->label);
		return;
	}
	switch ((enum swblock_peer_state)peer->state) {
	case SWBLOCK_PEER_IN_SYNC:
		return;
	case SWBLOCK_PEER_NEEDS_REBUILD:
		found(h, HEALTH_WARNING, "needs_rebuild",
		      "swblockctl volume rebuild, if it does not begin by itself",
		      "%s needs a rebuild: case %c", m->label,
		      peer->letter ? peer->letter : '-');
		return;
	case SWBLOCK_PEER_REBUILDING:
		found(h, HEALTH_WARNING, "rebuilding", "",
		      "%s is being rebuilt and counts for nothing until that has ended",
		      m->label);
		return;
	case SWBLOCK_PEER_REFUSED:
		found(h, HEALTH_CRITICAL, "refused",
		      "swblockctl explain shows the facts; nothing was touched",
		      "%s is refused: case %c, %s", m->label,
		      peer->letter ? peer->letter : '-',
		      swb_text_reason(peer->reason));
		return;
	case SWBLOCK_PEER_DETACHED:
	case SWBLOCK_PEER_OPENING:
	case SWBLOCK_PEER_CATCHING_UP:
		found(h, HEALTH_WARNING, "behind", "", "%s is %s, %" PRIu64
		      " records behind", m->label,
		      swb_text_peer_state(peer->state), peer->behind_lsn);
	}
}

static void judge_member(const struct board *b, const struct board_volume *v,
			 const struct board_member *m, struct health *h)
{
	const struct board_state *s = cluster_state(v, &m->replica);
	char buf[CTL_UUID_TEXT];
	const char *label = cluster_label(v, &m->replica, buf);

	if (!cluster_node(b, m->node)) {
		found(h, HEALTH_WARNING, "host_silent",
		      "start swblockd there, or look at the host",
		      "no sign of life of host %s (member %s)", m->node, label);
		return;
	}
	if (!s || !s->attached) {
		const char *why = !s ? "" : *s->error ? s->error : s->waits;

		found(h, HEALTH_WARNING, "not_attached", "",
		      "%s is not attached on %s%s%s", label, m->node,
		      *why ? ": " : "", why);
		return;
	}
	judge_disk(v, s, label, h);
	judge_sync(v, m, h);
}

void health_judge(const struct board *b, const struct board_volume *v,
		  struct health *out)
{
	unsigned int i;

	memset(out, 0, sizeof(*out));
	if (*v->bad)
		found(out, HEALTH_UNKNOWN, "damaged_document",
		      "swblockctl store dump shows it", "%s", v->bad);
	if (!v->record_revision) {
		found(out, HEALTH_UNKNOWN, "no_record", "",
		      "the store has no record of this volume");
		return;
	}
	if (!cluster_declared(v)) {
		found(out, HEALTH_UNKNOWN, "not_declared",
		      "swblockctl status shows the members of this host",
		      "the volume is run by hand: no daemon looks after it");
		return;
	}
	judge_primary(v, out);
	for (i = 0; i < v->wish.member_count; i++)
		judge_member(b, v, &v->wish.member[i], out);
}
