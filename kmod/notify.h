/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events to userspace: dense sequence, multicast group "events". Process context,
 * never under a spinlock.
 */
#ifndef SWB_NOTIFY_H
#define SWB_NOTIFY_H

#include "volume.h"

/**
 * struct swb_notice - what an event says besides seq, volume, time and epoch;
 * fields that are 0 or NULL are left out, except for the kinds that need them
 */
struct swb_notice {
	u32 kind;
	u64 cookie;
	int err;		/* positive errno */
	u8 letter;
	u8 table;
	u32 reason;
	u8 peer;		/* SWB_NOBODY: no nested PEER */
	const struct swb_report *report;
	u64 epoch;		/* 0: the volume's */
	const char *text;
};

struct genl_family;

/** swb_notify_init() - the family that events go out by */
void swb_notify_init(struct genl_family *f);

void swb_notify(struct swb_volume *v, const struct swb_notice *n);
/** for an attach that failed: there is no volume, only its id-to-be and cookie */
void swb_notify_failed(u32 id, u64 cookie, int err, u8 letter, const char *text);
u64 swb_notify_seq(void);

#endif /* SWB_NOTIFY_H */
