// SPDX-License-Identifier: GPL-2.0-only
/*
 * Documents of a store from the command line, for tests: what swblockctl must
 * not offer.
 *
 *	swbdoc STORE get KEY		the value
 *	swbdoc STORE list PREFIX	lines of KEY, a tab, the value
 *	swbdoc STORE put KEY		the value comes from stdin
 *	swbdoc STORE delete KEY
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store.h"

static int list(struct store *s, const char *prefix)
{
	struct store_doc *doc;
	size_t i, n;
	int err = store_list(s, prefix, &doc, &n);

	for (i = 0; !err && i < n; i++)
		printf("%s\t%s\n", doc[i].key, doc[i].value);
	if (!err)
		store_docs_free(doc, n);
	return err;
}

static int get(struct store *s, const char *key)
{
	struct store_doc doc;
	int err = store_get(s, key, &doc);

	if (err)
		return err;
	puts(doc.value);
	store_doc_free(&doc);
	return 0;
}

static int put(struct store *s, const char *key, bool remove)
{
	static char value[STORE_VALUE_MAX];
	struct store_op op = { .key = key, .expect = STORE_ANY };

	if (!remove) {
		value[fread(value, 1, sizeof(value) - 1, stdin)] = 0;
		op.value = value;
	}
	return store_txn(s, &op, 1);
}

int main(int argc, char **argv)
{
	struct store *s;
	char why[256];
	int err;

	if (argc != 4) {
		fprintf(stderr, "usage: swbdoc STORE get|list|put|delete KEY\n");
		return 2;
	}
	err = store_open(&s, argv[1], true, STORE_TIMEOUT_MS, why, sizeof(why));
	if (err) {
		fprintf(stderr, "swbdoc: %s\n", why);
		return 1;
	}
	if (!strcmp(argv[2], "list"))
		err = list(s, argv[3]);
	else if (!strcmp(argv[2], "get"))
		err = get(s, argv[3]);
	else
		err = put(s, argv[3], !strcmp(argv[2], "delete"));
	if (err)
		fprintf(stderr, "swbdoc: %s: %s\n", argv[3], store_error(s));
	store_close(s);
	return err ? 1 : 0;
}
