/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers of the tracepoint as people call them: members, devices, peers, stages. */
#ifndef SWB_BPF_NAMES_H
#define SWB_BPF_NAMES_H

#include "core/types.h"
#include "hist.h"

#define NAME_MAX_LEN	72

/**
 * struct name_volume - one attached member
 * @id: what the tracepoint calls it
 * @minor: of /dev/swblockN
 * @member: "db/a"
 * @peer: labels of the members of its configuration, by index
 */
struct name_volume {
	uint32_t id;
	uint32_t minor;
	char member[NAME_MAX_LEN];
	char peer[SWB_MEMBERS_MAX][NAME_MAX_LEN];
};

/** struct names - those of all attached members */
struct names {
	unsigned int count;
	struct name_volume *volume;
};

/**
 * names_ask() - ask the module; what has been known and is gone now stays known
 * @names: zeroed before the first call
 *
 * Return: 0 or a negative errno, and then there are numbers only
 */
int names_ask(struct names *names);
void names_free(struct names *names);

const struct name_volume *names_find(const struct names *names, uint32_t id);
/** names_put() - add @v, or replace the one with its id. Return: 0 or -ENOMEM */
int names_put(struct names *names, const struct name_volume *v);
/** names_peer() - label of the key's peer, "-" for none, a number if it has no name */
const char *names_peer(const struct names *names, const struct swblock_lat_key *key,
		       char buf[NAME_MAX_LEN]);
/** names_member() - "db/a  /dev/swblock0", or "volume 3" */
const char *names_member(const struct names *names, uint32_t id, char buf[2 * NAME_MAX_LEN]);
/** names_match() - is @text the member, its volume, its device or its number? */
bool names_match(const struct names *names, uint32_t id, const char *text);
/** names_stage() - the stage with that name, 0: there is none */
uint32_t names_stage(const char *text);

#endif /* SWB_BPF_NAMES_H */
