/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From what a user types to an attached member; the kernel handle, the store
 * handle and waiting for events, with their errors said in one way.
 */
#ifndef SWB_CTL_MEMBER_H
#define SWB_CTL_MEMBER_H

#include "authority.h"
#include "nl.h"
#include "out.h"

#define MEMBER_NAME_MAX	(2 * SWBLOCK_LABEL_MAX)

/** need_kernel() - open the kernel's side; CTL_OK or a printed error */
int need_kernel(struct ctl *ctl);

/** need_store() - open the authority store; @create: make it if missing */
int need_store(struct ctl *ctl, bool create);

/** need_members() - kernel and a dump of all attached members */
int need_members(struct ctl *ctl, struct kern_dump *dump);

/**
 * kernel_said() - print a refusal of the kernel, its own words first
 * @ctl: context
 * @err: negative errno
 * @what: what was asked for: "promote db/a"
 *
 * Return: exit code.
 */
int kernel_said(struct ctl *ctl, int err, const char *what);

/** store_said() - print a failure of the authority store */
int store_said(struct ctl *ctl, int err);

/** member_find() - an attached member by any of its names */
int member_find(struct ctl *ctl, const struct kern_dump *dump, const char *text,
		const struct kern_volume **out);

/**
 * member_or_primary() - as member_find(), but the name of a volume means its primary
 * here, if there is one
 */
int member_or_primary(struct ctl *ctl, const struct kern_dump *dump, const char *text,
		      const struct kern_volume **out);

/** member_by_replica() - NULL if it is not attached here */
const struct kern_volume *member_by_replica(const struct kern_dump *dump,
					    const struct swb_uuid *replica);

/** member_name() - "VOLUME/REPLICA"; returns @buf */
const char *member_name(const struct kern_volume *v, char buf[MEMBER_NAME_MAX]);

/**
 * peer_find() - another member of the volume of @v, attached here or not
 * @ctl: context; the store is asked for labels if it can be read
 * @dump: attached members
 * @v: this member
 * @text: label, VOLUME/LABEL or replica uuid
 * @out: its replica uuid
 */
int peer_find(struct ctl *ctl, const struct kern_dump *dump,
	      const struct kern_volume *v, const char *text,
	      struct swb_uuid *out);

/**
 * peer_label() - a name for a replica uuid: label if known, else short uuid
 * @rec: record of the volume, or NULL
 */
const char *peer_label(const struct kern_dump *dump, const struct auth_record *rec,
		       const struct swb_uuid *replica, char buf[CTL_UUID_TEXT]);

/** record_of() - record of a volume if a store is there; quiet. true if found */
bool record_of(struct ctl *ctl, const struct swb_uuid *volume,
	       struct auth_record *rec);

/* how long an order waits for a device to be closed: 2 s */
#define BUSY_TRIES	20
#define BUSY_STEP_US	100000

#define KIND(k)	(1u << SWBLOCK_EVENT_##k)

uint64_t deadline_after(const struct ctl *ctl);

/**
 * wait_event() - wait for the outcome of an order
 * @ctl: context, events open
 * @cookie: of the order
 * @kinds: KIND() bits to accept
 * @deadline_ns: CLOCK_BOOTTIME
 * @ev: filled on 0
 *
 * Return: 0; KERN_LOST: events were lost, look at a new dump (the stream goes on
 * behind it); -ETIMEDOUT; another negative errno.
 */
int wait_event(struct ctl *ctl, uint64_t cookie, uint32_t kinds,
	       uint64_t deadline_ns, struct kern_event *ev);

/** wait_failed() - print that waiting ended without an outcome */
int wait_failed(struct ctl *ctl, int err, const char *what);

/** case_line() - "case K: sentence", or "" without a letter; returns @buf */
const char *case_line(uint8_t table, uint8_t letter, char *buf, size_t len);

#endif /* SWB_CTL_MEMBER_H */
