/* SPDX-License-Identifier: GPL-2.0-only */
/* Members, peers and events as text and JSON; used by status, explain, monitor. */
#ifndef SWB_CTL_SHOW_H
#define SWB_CTL_SHOW_H

#include "member.h"

/** show_conditions() - words of the bits, comma separated; returns @buf */
const char *show_conditions(uint32_t bits, char *buf, size_t len);

/** show_condition_help() - what one condition bit means for a person */
const char *show_condition_help(uint32_t bit);

/** show_behind() - records that a peer still has to make durable */
uint64_t show_behind(const struct kern_volume *v, const struct kern_peer *p);

json_t *show_conditions_json(uint32_t bits);
json_t *show_peer_json(const struct kern_volume *v, const struct kern_peer *p,
		       const char *label);
json_t *show_volume_json(const struct kern_dump *dump, const struct kern_volume *v,
			 const struct auth_record *rec);
json_t *show_event_json(const struct kern_event *ev, const char *member);

#endif /* SWB_CTL_SHOW_H */
