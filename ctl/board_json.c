// SPDX-License-Identifier: GPL-2.0-only
/*
 * Documents of the blackboard <-> structs, by tables of fields. One walker reads
 * and one writes, so that what is written is what is read, and every refusal
 * names its place: "member[2].node: text of 1 to 63 characters expected".
 *
 * Whoever may write to the store may write anything: nothing is believed here.
 * Texts end on terminals, so they must not hold control characters.
 */
#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "board.h"
#include "core/text.h"
#include "out.h"

#define PATH_MAX_TEXT	96

enum field_type {
	F_U64,
	F_U32,
	F_U8,
	F_BOOL,
	F_FLAG,		/* bool; absent is false */
	F_TEXT,		/* @size: room; may be empty */
	F_NAME,		/* @size: room; not empty, letters, digits, ._- */
	F_UUID,		/* null uuid is JSON null */
	F_ID,		/* uuid, not null */
	F_WORD,		/* uint8_t by the names of @words */
	F_LETTER,	/* uint8_t, one letter or null */
	F_OBJECT,	/* @sub at @offset */
	F_LIST,		/* @max of @sub, each of @size; their number at @count */
};

struct field {
	const char *name;
	enum field_type type;
	size_t offset;
	size_t size;
	const struct field *sub;
	size_t count;
	size_t max;
	const char *(*words)(u8 v);
};

#define FIELD(t, st, m)		{ .name = #m, .type = t, .offset = offsetof(st, m), \
				  .size = sizeof(((st *)0)->m) }
#define WORD(st, m, w)		{ .name = #m, .type = F_WORD, \
				  .offset = offsetof(st, m), .words = w }
#define OBJECT(st, m, table)	{ .name = #m, .type = F_OBJECT, \
				  .offset = offsetof(st, m), .sub = table }
#define LIST(st, m, table)	{ .name = #m, .type = F_LIST, \
				  .offset = offsetof(st, m), .sub = table, \
				  .size = sizeof(((st *)0)->m[0]), \
				  .count = offsetof(st, m##_count), \
				  .max = sizeof(((st *)0)->m) / \
				  sizeof(((st *)0)->m[0]) }

static const struct field member_fields[] = {
	FIELD(F_ID, struct board_member, replica),
	FIELD(F_NAME, struct board_member, label),
	FIELD(F_NAME, struct board_member, node),
	FIELD(F_TEXT, struct board_member, data),
	FIELD(F_TEXT, struct board_member, wal),
	FIELD(F_BOOL, struct board_member, format),
	FIELD(F_BOOL, struct board_member, format_force),
	{ NULL }
};

static const struct field wish_fields[] = {
	FIELD(F_U64, struct board_wish, sequence),
	FIELD(F_NAME, struct board_wish, label),
	FIELD(F_U64, struct board_wish, size_bytes),
	WORD(struct board_wish, mode, swb_text_mode),
	WORD(struct board_wish, policy, swb_text_policy),
	FIELD(F_U32, struct board_wish, required),
	FIELD(F_BOOL, struct board_wish, primary_only),
	FIELD(F_U32, struct board_wish, lease_ms),
	FIELD(F_U32, struct board_wish, shrink_ms),
	FIELD(F_UUID, struct board_wish, primary),
	FIELD(F_BOOL, struct board_wish, override),
	FIELD(F_BOOL, struct board_wish, stopped),
	FIELD(F_FLAG, struct board_wish, deleted),
	FIELD(F_TEXT, struct board_wish, reason),
	LIST(struct board_wish, member, member_fields),
	{ NULL }
};

static const struct field swb_report_fields[] = {
	FIELD(F_ID, struct swb_report, replica),
	FIELD(F_U64, struct swb_report, adopted),
	FIELD(F_U64, struct swb_report, last_epoch),
	FIELD(F_U64, struct swb_report, durable),
	FIELD(F_U64, struct swb_report, committed),
	FIELD(F_U32, struct swb_report, flags),
	{ NULL }
};

static const struct field report_fields[] = {
	FIELD(F_NAME, struct board_report, node),
	FIELD(F_UUID, struct board_report, boot),
	OBJECT(struct board_report, report, swb_report_fields),
	{ NULL }
};

static const struct field rebuild_fields[] = {
	FIELD(F_TEXT, struct board_rebuild, kind),
	FIELD(F_U64, struct board_rebuild, done_bytes),
	FIELD(F_U64, struct board_rebuild, total_bytes),
	FIELD(F_U64, struct board_rebuild, rate_bytes),
	FIELD(F_U64, struct board_rebuild, eta_ms),
	{ NULL }
};

static const struct field peer_fields[] = {
	FIELD(F_ID, struct board_peer, replica),
	WORD(struct board_peer, state, swb_text_peer_state),
	FIELD(F_BOOL, struct board_peer, required),
	FIELD(F_LETTER, struct board_peer, letter),
	FIELD(F_U32, struct board_peer, reason),
	FIELD(F_U64, struct board_peer, session),
	FIELD(F_U64, struct board_peer, match_lsn),
	FIELD(F_U64, struct board_peer, target_lsn),
	FIELD(F_U64, struct board_peer, cursor_lsn),
	FIELD(F_U64, struct board_peer, received_lsn),
	FIELD(F_U64, struct board_peer, written_lsn),
	FIELD(F_U64, struct board_peer, durable_lsn),
	FIELD(F_U64, struct board_peer, behind_lsn),
	FIELD(F_U64, struct board_peer, behind_bytes),
	FIELD(F_U64, struct board_peer, behind_ns),
	OBJECT(struct board_peer, rebuild, rebuild_fields),
	{ NULL }
};

static const struct field state_fields[] = {
	FIELD(F_NAME, struct board_state, node),
	FIELD(F_UUID, struct board_state, boot),
	FIELD(F_U64, struct board_state, sequence),
	FIELD(F_ID, struct board_state, replica),
	FIELD(F_TEXT, struct board_state, label),
	FIELD(F_BOOL, struct board_state, attached),
	FIELD(F_U32, struct board_state, minor),
	WORD(struct board_state, role, swb_text_role),
	FIELD(F_U64, struct board_state, epoch),
	FIELD(F_U64, struct board_state, opened),
	FIELD(F_BOOL, struct board_state, settled),
	FIELD(F_UUID, struct board_state, primary),
	FIELD(F_U32, struct board_state, conditions),
	FIELD(F_U32, struct board_state, flags),
	FIELD(F_U64, struct board_state, size_bytes),
	FIELD(F_U64, struct board_state, head_lsn),
	FIELD(F_U64, struct board_state, written_lsn),
	FIELD(F_U64, struct board_state, durable_lsn),
	FIELD(F_U64, struct board_state, committed_lsn),
	FIELD(F_U64, struct board_state, extent_lo),
	FIELD(F_U64, struct board_state, extent_hi),
	FIELD(F_U64, struct board_state, log_start),
	FIELD(F_U64, struct board_state, ring_bytes),
	FIELD(F_U64, struct board_state, ring_used),
	FIELD(F_U32, struct board_state, openers),
	FIELD(F_U32, struct board_state, inflight),
	FIELD(F_U32, struct board_state, parked),
	FIELD(F_LETTER, struct board_state, local_letter),
	FIELD(F_LETTER, struct board_state, promote_letter),
	FIELD(F_U64, struct board_state, lease_left_ms),
	FIELD(F_UUID, struct board_state, store),
	FIELD(F_U64, struct board_state, store_generation),
	FIELD(F_LETTER, struct board_state, volume_letter),
	FIELD(F_LETTER, struct board_state, member_letter),
	FIELD(F_U8, struct board_state, cause),
	FIELD(F_TEXT, struct board_state, waits),
	FIELD(F_TEXT, struct board_state, error),
	LIST(struct board_state, peer, peer_fields),
	{ NULL }
};

static const struct field node_fields[] = {
	FIELD(F_NAME, struct board_node, node),
	FIELD(F_UUID, struct board_node, boot),
	FIELD(F_UUID, struct board_node, instance),
	FIELD(F_U64, struct board_node, counter),
	FIELD(F_TEXT, struct board_node, address),
	FIELD(F_TEXT, struct board_node, version),
	{ NULL }
};

static const char *order_state_word(u8 v)
{
	return board_order_state_text((enum board_order_state)v);
}

static const struct field order_fields[] = {
	FIELD(F_U64, struct board_order, id),
	FIELD(F_NAME, struct board_order, verb),
	FIELD(F_ID, struct board_order, target),
	FIELD(F_TEXT, struct board_order, by),
	FIELD(F_TEXT, struct board_order, text),
	{ NULL }
};

/* --- out --- */

/* What is no text for a terminal is replaced: it would be refused by readers. */
static json_t *text_json(const char *s, size_t room)
{
	char copy[BOARD_TEXT_MAX + 1];
	json_t *j;
	size_t i;

	for (i = 0; i < room && i < sizeof(copy) - 1 && s[i]; i++)
		copy[i] = (unsigned char)s[i] < ' ' || s[i] == 0x7f ? ' ' : s[i];
	copy[i] = 0;
	j = json_string(copy);
	if (j)
		return j;
	for (i = 0; copy[i]; i++)
		if (copy[i] & 0x80)
			copy[i] = '?';
	return json_string(copy);
}

static json_t *table_to_json(const struct field *f, const void *base);

static json_t *list_to_json(const struct field *f, const char *base)
{
	unsigned int i, n = *(const unsigned int *)(base + f->count);
	json_t *list = json_array();

	for (i = 0; i < n && i < f->max; i++)
		json_array_append_new(list, table_to_json(f->sub, base + f->offset +
							  i * f->size));
	return list;
}

static json_t *field_to_json(const struct field *f, const char *base)
{
	const void *p = base + f->offset;

	switch (f->type) {
	case F_U64:
		return json_u64(*(const uint64_t *)p);
	case F_U32:
		return json_u64(*(const uint32_t *)p);
	case F_U8:
		return json_u64(*(const uint8_t *)p);
	case F_BOOL:
	case F_FLAG:
		return json_boolean(*(const bool *)p);
	case F_TEXT:
	case F_NAME:
		return text_json(p, f->size);
	case F_UUID:
	case F_ID:
		return json_uuid(p);
	case F_WORD:
		return json_string(f->words(*(const uint8_t *)p));
	case F_LETTER:
		return json_letter(*(const uint8_t *)p);
	case F_OBJECT:
		return table_to_json(f->sub, p);
	case F_LIST:
		return list_to_json(f, base);
	}
	return NULL;
}

static json_t *table_to_json(const struct field *f, const void *base)
{
	json_t *j = json_object();

	for (; f->name; f++)
		json_object_set_new(j, f->name, field_to_json(f, base));
	return j;
}

/* --- in --- */

/**
 * struct reader - where a refusal goes
 * @why: words
 * @len: room there
 */
struct reader {
	char *why;
	size_t len;
};

static bool refuse(const struct reader *r, const char *path, const char *what)
{
	snprintf(r->why, r->len, "%s: %s expected", path, what);
	return false;
}

static bool read_number(const struct reader *r, const char *path, const json_t *v,
			uint64_t max, uint64_t *out)
{
	if (!json_is_integer(v) || json_integer_value(v) < 0 ||
	    (uint64_t)json_integer_value(v) > max)
		return refuse(r, path, "number in range");
	*out = (uint64_t)json_integer_value(v);
	return true;
}

static bool read_text(const struct reader *r, const char *path, const json_t *v,
		      const struct field *f, char *out)
{
	const char *s = json_string_value(v);
	size_t i, len = s ? json_string_length(v) : 0;

	if (!s || len >= f->size || strlen(s) != len)
		return refuse(r, path, "text of bounded length");
	for (i = 0; i < len; i++) {
		if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
			return refuse(r, path, "text without control characters");
		if (f->type == F_NAME && !isalnum((unsigned char)s[i]) &&
		    !strchr("._-", s[i]))
			return refuse(r, path, "name of letters, digits and ._-");
	}
	if (f->type == F_NAME && !len)
		return refuse(r, path, "name");
	text_copy(out, s, f->size);
	return true;
}

static bool read_uuid(const struct reader *r, const char *path, const json_t *v,
		      bool null_good, struct swb_uuid *out)
{
	if (null_good && json_is_null(v))
		return true;
	if (!json_is_string(v) || !uuid_parse(json_string_value(v), out) ||
	    (!null_good && swb_uuid_is_null(out)))
		return refuse(r, path, "uuid");
	return true;
}

static bool read_word(const struct reader *r, const char *path, const json_t *v,
		      const struct field *f, uint8_t *out)
{
	const char *s = json_string_value(v);
	u8 i;

	for (i = 0; s && i < 32; i++) {
		if (strcmp(f->words(i), "?") && !strcmp(f->words(i), s)) {
			*out = i;
			return true;
		}
	}
	return refuse(r, path, "known word");
}

static bool read_letter(const struct reader *r, const char *path, const json_t *v,
			uint8_t *out)
{
	const char *s = json_string_value(v);

	if (json_is_null(v))
		return true;
	if (!s || s[0] < 'A' || s[0] > 'Z' || s[1])
		return refuse(r, path, "letter");
	*out = (uint8_t)s[0];
	return true;
}

static bool read_table(const struct reader *r, const char *path, const json_t *j,
		       const struct field *f, void *base);

static bool read_list(const struct reader *r, const char *path, const json_t *v,
		      const struct field *f, char *base)
{
	char sub[PATH_MAX_TEXT + 24];
	json_t *one;
	size_t i;

	if (!json_is_array(v) || json_array_size(v) > f->max)
		return refuse(r, path, "list of bounded length");
	json_array_foreach(v, i, one) {
		snprintf(sub, sizeof(sub), "%s[%zu]", path, i);
		if (!read_table(r, sub, one, f->sub, base + f->offset + i * f->size))
			return false;
	}
	*(unsigned int *)(base + f->count) = (unsigned int)json_array_size(v);
	return true;
}

static bool read_field(const struct reader *r, const char *path, const json_t *v,
		       const struct field *f, char *base)
{
	void *p = base + f->offset;
	uint64_t n = 0;

	if (!v && f->type == F_FLAG)
		return true;
	if (!v)
		return refuse(r, path, "something");
	switch (f->type) {
	case F_U64:
		return read_number(r, path, v, INT64_MAX, p);
	case F_U32:
		if (!read_number(r, path, v, UINT32_MAX, &n))
			return false;
		*(uint32_t *)p = (uint32_t)n;
		return true;
	case F_U8:
		if (!read_number(r, path, v, UINT8_MAX, &n))
			return false;
		*(uint8_t *)p = (uint8_t)n;
		return true;
	case F_BOOL:
	case F_FLAG:
		*(bool *)p = json_is_true(v);
		return json_is_boolean(v) || refuse(r, path, "true or false");
	case F_TEXT:
	case F_NAME:
		return read_text(r, path, v, f, p);
	case F_UUID:
	case F_ID:
		return read_uuid(r, path, v, f->type == F_UUID, p);
	case F_WORD:
		return read_word(r, path, v, f, p);
	case F_LETTER:
		return read_letter(r, path, v, p);
	case F_OBJECT:
		return read_table(r, path, v, f->sub, p);
	case F_LIST:
		return read_list(r, path, v, f, base);
	}
	return false;
}

static bool read_table(const struct reader *r, const char *path, const json_t *j,
		       const struct field *f, void *base)
{
	char sub[PATH_MAX_TEXT];

	if (!json_is_object(j))
		return refuse(r, *path ? path : "document", "object");
	for (; f->name; f++) {
		snprintf(sub, sizeof(sub), "%s%s%s", path, *path ? "." : "", f->name);
		if (!read_field(r, sub, json_object_get(j, f->name), f, base))
			return false;
	}
	return true;
}

/* All or nothing: half a struct would be half a truth. */
static int ended(bool good, void *out, size_t size)
{
	if (!good)
		memset(out, 0, size);
	return good ? 0 : -EBADMSG;
}

/* --- the documents --- */

json_t *board_wish_to_json(const struct board_wish *w)
{
	return table_to_json(wish_fields, w);
}

static bool wish_good(const struct reader *r, const struct board_wish *w)
{
	bool primary = swb_uuid_is_null(&w->primary);
	unsigned int i, k;

	if (!w->sequence || !w->member_count)
		return refuse(r, w->sequence ? "member" : "sequence", "at least 1");
	if (w->required >> w->member_count)
		return refuse(r, "required", "bits of members");
	for (i = 0; i < w->member_count; i++) {
		primary |= swb_uuid_equal(&w->primary, &w->member[i].replica);
		for (k = 0; k < i; k++)
			if (!strcmp(w->member[i].label, w->member[k].label) ||
			    swb_uuid_equal(&w->member[i].replica,
					   &w->member[k].replica))
				return refuse(r, "member", "different ids and labels");
	}
	return primary || refuse(r, "primary", "a member, or null");
}

int board_wish_from_json(const json_t *j, struct board_wish *out, char *why,
			 size_t len)
{
	const struct reader r = { why, len };

	memset(out, 0, sizeof(*out));
	return ended(read_table(&r, "", j, wish_fields, out) && wish_good(&r, out),
		     out, sizeof(*out));
}

json_t *board_report_to_json(const struct board_report *r)
{
	return table_to_json(report_fields, r);
}

int board_report_from_json(const json_t *j, struct board_report *out, char *why,
			   size_t len)
{
	const struct reader r = { why, len };

	memset(out, 0, sizeof(*out));
	return ended(read_table(&r, "", j, report_fields, out), out, sizeof(*out));
}

json_t *board_state_to_json(const struct board_state *s)
{
	return table_to_json(state_fields, s);
}

int board_state_from_json(const json_t *j, struct board_state *out, char *why,
			  size_t len)
{
	const struct reader r = { why, len };

	memset(out, 0, sizeof(*out));
	return ended(read_table(&r, "", j, state_fields, out), out, sizeof(*out));
}

json_t *board_node_to_json(const struct board_node *n)
{
	return table_to_json(node_fields, n);
}

int board_node_from_json(const json_t *j, struct board_node *out, char *why,
			 size_t len)
{
	const struct reader r = { why, len };

	memset(out, 0, sizeof(*out));
	return ended(read_table(&r, "", j, node_fields, out), out, sizeof(*out));
}

const char *board_order_state_text(enum board_order_state state)
{
	static const char *const words[] = {
		[BOARD_ORDER_NEW] = "new", [BOARD_ORDER_RUNNING] = "running",
		[BOARD_ORDER_DONE] = "done", [BOARD_ORDER_FAILED] = "failed",
	};

	return (unsigned int)state < ARRAY_SIZE(words) ? words[state] : "?";
}

void board_order_free(struct board_order *o)
{
	json_decref(o->args);
	json_decref(o->result);
	memset(o, 0, sizeof(*o));
}

json_t *board_order_to_json(const struct board_order *o)
{
	json_t *j = table_to_json(order_fields, o);

	json_object_set_new(j, "state", json_string(board_order_state_text(o->state)));
	json_object_set_new(j, "args", o->args ? json_incref(o->args) : json_null());
	json_object_set_new(j, "result", o->result ? json_incref(o->result) :
			    json_null());
	return j;
}

static bool read_extra(const struct reader *r, const json_t *j, const char *name,
		       json_t **out)
{
	json_t *v = json_object_get(j, name);

	if (!json_is_object(v) && !json_is_null(v))
		return refuse(r, name, "object or null");
	*out = json_is_object(v) ? json_incref(v) : NULL;
	return true;
}

int board_order_from_json(const json_t *j, struct board_order *out, char *why,
			  size_t len)
{
	const struct field state = { .words = order_state_word };
	const struct reader r = { why, len };
	uint8_t word = 0;
	bool good;

	memset(out, 0, sizeof(*out));
	good = read_table(&r, "", j, order_fields, out) &&
	       read_word(&r, "state", json_object_get(j, "state"), &state, &word) &&
	       read_extra(&r, j, "args", &out->args) &&
	       read_extra(&r, j, "result", &out->result);
	out->state = (enum board_order_state)word;
	if (!good)
		board_order_free(out);
	return good ? 0 : -EBADMSG;
}
