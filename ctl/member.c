// SPDX-License-Identifier: GPL-2.0-only
/* Names of members, and the handles a verb needs. Prints errors, decides nothing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "member.h"

int need_kernel(struct ctl *ctl)
{
	int err;

	if (ctl->kern)
		return CTL_OK;
	err = kern_open(&ctl->kern);
	if (err == -ENOENT)
		return out_fail(ctl, &err_no_module, "load it: modprobe swblock",
				"the swblock module is not loaded");
	if (err)
		return out_fail(ctl, &err_system, NULL, "netlink: %s",
				strerror(-err));
	return CTL_OK;
}

static const char *store_hint(int err)
{
	if (err == -EXDEV)
		return "if it was restored from a backup: swblockctl authority --new-generation";
	return NULL;
}

int need_store(struct ctl *ctl, bool create)
{
	char why[256];
	int err;

	if (ctl->store)
		return CTL_OK;
	err = store_open(&ctl->store, ctl->store_path, create, STORE_TIMEOUT_MS, why,
			 sizeof(why));
	if (!err)
		return CTL_OK;
	if (err == -ENOENT)
		return out_fail(ctl, &err_store,
				"describe the volume first: swblockctl assign VOLUME --members a,b --mode sync_all",
				"no authority store at %s", ctl->store_path);
	if (err == -EXDEV && opt_has(ctl, "new-generation"))
		return CTL_OK;
	return out_fail(ctl, &err_store, store_hint(err), "%s", why);
}

int need_members(struct ctl *ctl, struct kern_dump *dump)
{
	int ret, err;

	memset(dump, 0, sizeof(*dump));
	ret = need_kernel(ctl);
	if (ret)
		return ret;
	err = kern_dump_volumes(ctl->kern, dump);
	return err ? kernel_said(ctl, err, "list members") : CTL_OK;
}

static const struct ctl_error *row_of(int err)
{
	switch (-err) {
	case EPERM:
	case EACCES:
		return &err_permission;
	case ENOENT:
	case ENODEV:
		return &err_no_object;
	case EBUSY:
		return &err_in_use;
	case ESTALE:
		return &err_stale;
	case ETIMEDOUT:
		return &err_timeout;
	default:
		return &err_kernel;
	}
}

int kernel_said(struct ctl *ctl, int err, const char *what)
{
	const char *words = kern_error(ctl->kern);
	const char *attr = kern_error_attr(ctl->kern);

	return out_fail(ctl, row_of(err),
			err == -EPERM ? "run it as root (CAP_NET_ADMIN)" : NULL,
			"%s: %s%s%s%s", what, *words ? words : strerror(-err),
			attr ? " [attribute " : "", attr ? attr : "",
			attr ? "]" : "");
}

int store_said(struct ctl *ctl, int err)
{
	if (err == -ESTALE)
		return out_fail(ctl, &err_stale,
				"somebody else moved it; look: swblockctl authority",
				"the authority record moved on: %s",
				store_error(ctl->store));
	if (err == -ENOENT)
		return out_fail(ctl, &err_no_object,
				"describe it first: swblockctl assign VOLUME --members a,b --mode sync_all",
				"the authority store has no record of this volume");
	return out_fail(ctl, &err_store, store_hint(err), "%s", store_error(ctl->store));
}

const char *member_name(const struct kern_volume *v, char buf[MEMBER_NAME_MAX])
{
	snprintf(buf, MEMBER_NAME_MAX, "%s/%s", v->volume_label, v->replica_label);
	return buf;
}

/* "swblock3", "/dev/swblock3", "3" */
static bool minor_parse(const char *text, uint64_t *minor)
{
	if (!strncmp(text, "/dev/", 5))
		text += 5;
	if (!strncmp(text, "swblock", 7))
		text += 7;
	return number_parse(text, UINT32_MAX, minor);
}

static bool is_named(const struct kern_volume *v, const char *text)
{
	char name[MEMBER_NAME_MAX];
	struct swb_uuid u;

	if (uuid_parse(text, &u))
		return swb_uuid_equal(&v->replica, &u);
	if (strchr(text, '/'))
		return !strcmp(member_name(v, name), text);
	return !strcmp(v->replica_label, text);
}

static int not_found(struct ctl *ctl, const struct kern_dump *dump,
		     const char *text)
{
	char hint[200] = "attached here: ", name[MEMBER_NAME_MAX];
	size_t used;
	unsigned int i;

	for (i = 0; i < dump->count; i++) {
		used = strlen(hint);
		snprintf(hint + used, sizeof(hint) - used, "%s%s", i ? ", " : "",
			 member_name(&dump->volume[i], name));
	}
	return out_fail(ctl, &err_no_object, dump->count ? hint :
			"no member is attached; see swblockctl add --help",
			"no member \"%s\"", text);
}

int member_find(struct ctl *ctl, const struct kern_dump *dump, const char *text,
		const struct kern_volume **out)
{
	const struct kern_volume *v, *found = NULL;
	uint64_t minor;
	bool by_minor = minor_parse(text, &minor);
	unsigned int i;

	for (i = 0; i < dump->count; i++) {
		v = &dump->volume[i];
		if (by_minor ? v->minor != minor : !is_named(v, text))
			continue;
		if (found)
			return out_fail(ctl, &err_ambiguous,
					"say VOLUME/REPLICA, or the device",
					"more than one member is called \"%s\"",
					text);
		found = v;
	}
	if (!found)
		return not_found(ctl, dump, text);
	*out = found;
	return CTL_OK;
}

int member_or_primary(struct ctl *ctl, const struct kern_dump *dump, const char *text,
		      const struct kern_volume **out)
{
	unsigned int i;

	for (i = 0; i < dump->count; i++)
		if (dump->volume[i].role == SWBLOCK_ROLE_PRIMARY &&
		    !strcmp(dump->volume[i].volume_label, text)) {
			*out = &dump->volume[i];
			return CTL_OK;
		}
	return member_find(ctl, dump, text, out);
}

const struct kern_volume *member_by_replica(const struct kern_dump *dump,
					    const struct swb_uuid *replica)
{
	unsigned int i;

	for (i = 0; i < dump->count; i++)
		if (swb_uuid_equal(&dump->volume[i].replica, replica))
			return &dump->volume[i];
	return NULL;
}

bool record_of(struct ctl *ctl, const struct swb_uuid *volume,
	       struct auth_record *rec)
{
	char why[256];

	if (!ctl->store && store_open(&ctl->store, ctl->store_path, false,
				      STORE_TIMEOUT_MS, why, sizeof(why))) {
		store_close(ctl->store);
		ctl->store = NULL;
		return false;
	}
	return !authority_load(ctl->store, volume, rec);
}

static bool label_in_record(struct ctl *ctl, const struct kern_volume *v,
			    const char *text, struct swb_uuid *out)
{
	struct auth_record rec;
	unsigned int i;

	if (!record_of(ctl, &v->volume, &rec))
		return false;
	for (i = 0; i < rec.member_count; i++) {
		if (!strcmp(rec.member[i].label, text)) {
			*out = rec.member[i].id;
			return true;
		}
	}
	return false;
}

int peer_find(struct ctl *ctl, const struct kern_dump *dump,
	      const struct kern_volume *v, const char *text, struct swb_uuid *out)
{
	const struct kern_volume *o;
	unsigned int i;
	uint64_t minor;
	bool by_minor = minor_parse(text, &minor);

	for (i = 0; i < dump->count; i++) {
		o = &dump->volume[i];
		if (!swb_uuid_equal(&o->volume, &v->volume) ||
		    !(by_minor ? o->minor == minor : is_named(o, text)))
			continue;
		*out = o->replica;
		goto found;
	}
	if (!uuid_parse(text, out) && !label_in_record(ctl, v, text, out))
		return out_fail(ctl, &err_no_object,
				"give a label of an attached member or of the authority record, or the replica uuid",
				"volume %s has no member \"%s\"", v->volume_label,
				text);
found:
	if (swb_uuid_equal(out, &v->replica))
		return out_fail(ctl, &err_usage, NULL,
				"\"%s\" is the member itself, not a peer", text);
	return CTL_OK;
}

const char *peer_label(const struct kern_dump *dump, const struct auth_record *rec,
		       const struct swb_uuid *replica, char buf[CTL_UUID_TEXT])
{
	const struct kern_volume *v = member_by_replica(dump, replica);
	const struct auth_member *m = rec ? auth_member(rec, replica) : NULL;

	if (v && v->replica_label[0])
		text_copy(buf, v->replica_label, CTL_UUID_TEXT);
	else if (m && m->label[0])
		text_copy(buf, m->label, CTL_UUID_TEXT);
	else
		uuid_text(replica, buf);
	return buf;
}

uint64_t deadline_after(const struct ctl *ctl)
{
	return boottime_ns() + ctl->timeout_s * NSEC_PER_SEC;
}

int wait_event(struct ctl *ctl, uint64_t cookie, uint32_t kinds,
	       uint64_t deadline_ns, struct kern_event *ev)
{
	struct kern_info info;
	int err;

	for (;;) {
		err = kern_event_next(ctl->kern, deadline_ns, ev);
		if (err == KERN_LOST) {
			/* what was lost is in any dump made from now on */
			err = kern_get_info(ctl->kern, &info);
			if (err)
				return err;
			kern_events_seen(ctl->kern, info.seq);
			return KERN_LOST;
		}
		if (err)
			return err;
		if (ev->cookie == cookie && ev->kind < 32 &&
		    (kinds & (1u << ev->kind)))
			return 0;
	}
}

int wait_failed(struct ctl *ctl, int err, const char *what)
{
	if (err == -ETIMEDOUT)
		return out_fail(ctl, &err_timeout,
				"it may still happen: look with swblockctl status, or wait longer with --timeout",
				"%s: no outcome after %u s", what, ctl->timeout_s);
	return out_fail(ctl, &err_system, NULL, "%s: %s", what,
			err == KERN_LOST ? "events were lost" : strerror(-err));
}

const char *case_line(uint8_t table, uint8_t letter, char *buf, size_t len)
{
	const char *text = swb_text_case(table, letter);

	size_t used;

	buf[0] = 0;
	if (letter)
		snprintf(buf, len, "case %c: %s", letter, text ? text : "?");
	/* it will stand inside a longer line */
	used = strlen(buf);
	if (used && buf[used - 1] == '.')
		buf[used - 1] = 0;
	return buf;
}
