// SPDX-License-Identifier: GPL-2.0-only
/* Who is attached, by netlink: members, devices, and the peers that are known here. */
#include <stdio.h>
#include <string.h>

#include "names.h"
#include "nl.h"

/* A peer on another host has no label here, so it is told by the head of its id. */
static void name_peer(const struct kern_dump *dump, const struct swb_uuid *id, char *out)
{
	unsigned int i;

	for (i = 0; i < dump->count; i++)
		if (!memcmp(&dump->volume[i].replica, id, sizeof(*id)) &&
		    dump->volume[i].replica_label[0]) {
			snprintf(out, NAME_MAX_LEN, "%s", dump->volume[i].replica_label);
			return;
		}
	snprintf(out, NAME_MAX_LEN, "%02x%02x%02x%02x", id->b[0], id->b[1], id->b[2], id->b[3]);
}

static int name_volume(struct names *names, const struct kern_dump *dump,
		       const struct kern_volume *v)
{
	struct name_volume one = { .id = v->id, .minor = v->minor };
	unsigned int i;

	snprintf(one.member, sizeof(one.member), "%.*s/%.*s", NAME_MAX_LEN / 2 - 1,
		 v->volume_label, NAME_MAX_LEN / 2 - 1, v->replica_label);
	for (i = 0; v->has_config && i < v->config.member_count; i++)
		name_peer(dump, &v->config.member[i], one.peer[i]);
	return names_put(names, &one);
}

int names_ask(struct names *names)
{
	struct kern_dump dump = { 0 };
	struct kern *kern;
	unsigned int i;
	int err = kern_open(&kern);

	if (err)
		return err;
	err = kern_dump_volumes(kern, &dump);
	for (i = 0; !err && i < dump.count; i++)
		err = name_volume(names, &dump, &dump.volume[i]);
	kern_dump_free(&dump);
	kern_close(kern);
	return err;
}
