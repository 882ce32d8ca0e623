// SPDX-License-Identifier: GPL-2.0-only
/*
 * Documents of the store from hostile hands: the first byte chooses the reader, the
 * rest is the document. What is accepted must be written and read back the same.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"

const struct verb *const ctl_verbs[] = { NULL };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct kind {
	size_t size;
	json_t *(*out)(const void *p);
	int (*in)(const json_t *j, void *p, char *why, size_t len);
};

#define KIND(n) \
	static json_t *out_##n(const void *p) { return board_##n##_to_json(p); } \
	static int in_##n(const json_t *j, void *p, char *why, size_t len) \
	{ return board_##n##_from_json(j, p, why, len); }
KIND(wish)
KIND(report)
KIND(state)
KIND(node)
KIND(order)
#define ROW(n) { sizeof(struct board_##n), out_##n, in_##n }

static json_t *out_record(const void *p)
{
	return auth_to_json(p);
}

static int in_record(const json_t *j, void *p, char *why, size_t len)
{
	snprintf(why, len, "no record");
	return auth_from_json(j, p) ? 0 : -EBADMSG;
}

static const struct kind kinds[] = {
	ROW(wish), ROW(report), ROW(state), ROW(node), ROW(order),
	{ sizeof(struct auth_record), out_record, in_record },
};

static void check(const struct kind *k, bool order, const json_t *j)
{
	void *a = malloc(k->size), *b = malloc(k->size);
	char why[64];
	json_t *again, *third;

	if (!a || !b)
		abort();
	if (!k->in(j, a, why, sizeof(why))) {
		again = k->out(a);
		if (!again || k->in(again, b, why, sizeof(why)))
			abort();
		third = k->out(b);
		if (!json_equal(again, third))
			abort();
		json_decref(again);
		json_decref(third);
		if (order) {
			board_order_free(a);
			board_order_free(b);
		}
	} else if (strlen(why) >= sizeof(why)) {
		abort();
	}
	free(a);
	free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t which;
	json_t *j;

	if (!size)
		return 0;
	which = data[0] % (sizeof(kinds) / sizeof(kinds[0]));
	j = json_loadb((const char *)data + 1, size - 1, JSON_REJECT_DUPLICATES, NULL);
	if (j)
		check(&kinds[which], which == 4, j);
	json_decref(j);
	return 0;
}
