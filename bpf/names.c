// SPDX-License-Identifier: GPL-2.0-only
/* Names of members, peers and stages, from what names_ask() was told. Pure. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/core.h"
#include "core/text.h"
#include "names.h"

const struct name_volume *names_find(const struct names *names, uint32_t id)
{
	unsigned int i;

	for (i = 0; i < names->count; i++)
		if (names->volume[i].id == id)
			return &names->volume[i];
	return NULL;
}

int names_put(struct names *names, const struct name_volume *v)
{
	struct name_volume *more;
	unsigned int i;

	for (i = 0; i < names->count; i++)
		if (names->volume[i].id == v->id) {
			names->volume[i] = *v;
			return 0;
		}
	more = realloc(names->volume, (names->count + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	more[names->count++] = *v;
	names->volume = more;
	return 0;
}

void names_free(struct names *names)
{
	free(names->volume);
	*names = (struct names){ 0 };
}

const char *names_peer(const struct names *names, const struct swblock_lat_key *key,
		       char buf[NAME_MAX_LEN])
{
	const struct name_volume *v = names_find(names, key->volume);

	if (key->peer == SWBLOCK_LAT_NOBODY)
		snprintf(buf, NAME_MAX_LEN, "-");
	else if (v && key->peer < SWB_MEMBERS_MAX && v->peer[key->peer][0])
		snprintf(buf, NAME_MAX_LEN, "%s", v->peer[key->peer]);
	else
		snprintf(buf, NAME_MAX_LEN, "%u", key->peer);
	return buf;
}

const char *names_member(const struct names *names, uint32_t id, char buf[2 * NAME_MAX_LEN])
{
	const struct name_volume *v = names_find(names, id);

	if (v)
		snprintf(buf, 2 * NAME_MAX_LEN, "%s  /dev/swblock%u", v->member, v->minor);
	else
		snprintf(buf, 2 * NAME_MAX_LEN, "volume %u", id);
	return buf;
}

bool names_match(const struct names *names, uint32_t id, const char *text)
{
	const struct name_volume *v = names_find(names, id);
	char buf[32];
	size_t len;

	snprintf(buf, sizeof(buf), "%u", id);
	if (!strcmp(text, buf))
		return true;
	if (!v)
		return false;
	len = strcspn(v->member, "/");
	if (!strcmp(text, v->member) || (strlen(text) == len && !strncmp(text, v->member, len)))
		return true;
	snprintf(buf, sizeof(buf), "/dev/swblock%u", v->minor);
	return !strcmp(text, buf) || !strcmp(text, buf + strlen("/dev/"));
}

uint32_t names_stage(const char *text)
{
	uint32_t stage;

	for (stage = 1; stage <= SWBLOCK_STAGE_MAX; stage++)
		if (!strcmp(text, swb_text_stage(stage)))
			return stage;
	return 0;
}
