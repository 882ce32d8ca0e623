// SPDX-License-Identifier: GPL-2.0-only
/* What people type: sizes, times, uuids, labels, slips of the finger. */
#include <string.h>

#include "ctl.h"
#include "tap.h"

/* opt.c suggests from the table of verbs, which main() has */
const struct verb *const ctl_verbs[] = { NULL };

static void test_sizes(void)
{
	static const struct {
		const char *text;
		bool good;
		uint64_t bytes;
	} row[] = {
		{ "0", true, 0 }, { "4096", true, 4096 }, { "4k", true, 4096 },
		{ "4KiB", true, 4096 }, { "10G", true, 10ULL << 30 },
		{ "1TB", true, 1ULL << 40 }, { "7B", true, 7 },
		{ "", false, 0 }, { "-1", false, 0 }, { "G", false, 0 },
		{ "1X", false, 0 }, { "1GG", false, 0 }, { "1 G", false, 0 },
		{ "99999999999999999999", false, 0 },
		{ "99999999999P", false, 0 },
	};
	uint64_t v;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(row); i++)
		ok(size_parse(row[i].text, &v) == row[i].good &&
		   (!row[i].good || v == row[i].bytes), "size \"%s\"", row[i].text);
}

static void test_times(void)
{
	static const struct {
		const char *text;
		bool good;
		uint64_t ms;
	} row[] = {
		{ "30s", true, 30000 }, { "30", true, 30000 }, { "0", true, 0 },
		{ "500ms", true, 500 }, { "2m", true, 120000 },
		{ "1h", true, 3600000 }, { "24h", true, 86400000 },
		{ "25h", false, 0 }, { "s", false, 0 }, { "1d", false, 0 },
		{ "-1s", false, 0 }, { "18446744073709551615ms", false, 0 },
	};
	uint64_t v;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(row); i++)
		ok(duration_parse(row[i].text, &v) == row[i].good &&
		   (!row[i].good || v == row[i].ms), "time \"%s\"", row[i].text);
}

static void test_uuids(void)
{
	char text[CTL_UUID_TEXT];
	struct swb_uuid a, b;

	uuid_random(&a);
	uuid_text(&a, text);
	ok(uuid_parse(text, &b) && swb_uuid_equal(&a, &b), "a uuid goes out and in");
	text[8] = 'x';
	ok(!uuid_parse(text, &b), "a uuid without its dash is none");
	ok(!uuid_parse("0123", &b), "a short uuid is none");
	ok(!uuid_parse("g0000000-0000-0000-0000-000000000000", &b),
	   "a uuid of letters is none");
}

static void test_labels(void)
{
	ok(label_ok("db"), "a plain label");
	ok(label_ok("a.b_c-1"), "a label with signs");
	ok(!label_ok(""), "an empty label is none");
	ok(!label_ok("1a"), "a label like a minor is none");
	ok(!label_ok("swblock0"), "a label like a device is none");
	ok(!label_ok("a/b"), "a label with a slash is none");
	ok(!label_ok("a b"), "a label with a space is none");
	ok(!label_ok("abcdefghijklmnopqrstuvwxyzabcdef"), "a label of 32 is too long");
	ok(!label_ok("a0000000-0000-0000-0000-000000000000"), "a uuid is no label");
}

static void test_suggestions(void)
{
	static const char *const words[] = { "status", "assign", "add", "adopt",
					     "promote", NULL };
	const char *s;

	s = opt_suggest("stauts", words);
	ok(s && !strcmp(s, "status"), "two letters swapped");
	s = opt_suggest("promot", words);
	ok(s && !strcmp(s, "promote"), "a letter missing");
	s = opt_suggest("stat", words);
	ok(s && !strcmp(s, "status"), "an abbreviation");
	ok(!opt_suggest("frobnicate", words), "nothing like it");
	ok(!opt_suggest("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", words),
	   "a very long word is no trouble");
}

int main(void)
{
	test_sizes();
	test_times();
	test_uuids();
	test_labels();
	test_suggestions();
	return tap_done();
}
