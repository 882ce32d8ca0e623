// SPDX-License-Identifier: GPL-2.0-only
/* Parts of /metrics that no kernel shows: hostile labels, edges of buckets. */
#include <string.h>

#include "metrics.h"
#include "tap.h"

static char *text;
static size_t len;

static FILE *begin(void)
{
	free(text);
	return open_memstream(&text, &len);
}

static bool label_is(const char *in, const char *out)
{
	FILE *f = begin();

	metrics_label(f, in);
	fclose(f);
	return !strcmp(text, out);
}

static void test_labels(void)
{
	ok(label_is("db-1.x_y", "\"db-1.x_y\""), "a plain name");
	ok(label_is("a\"b\\c\nx", "\"a\\\"b\\\\c\\nx\""),
	   "quote, backslash and newline are escaped");
	ok(label_is("\xff\x01\t", "\"???\""), "what is no text does not pass");
	ok(label_is("", "\"\""), "nothing");
}

static bool has(const char *line)
{
	char *at = strstr(text, line);

	return at && (at == text || at[-1] == '\n') && at[strlen(line)] == '\n';
}

static void show(const struct swb_lat_hist *h)
{
	FILE *f = begin();

	metrics_hist(f, "x", "a=\"b\"", h);
	fclose(f);
}

static void test_edges(void)
{
	struct swb_lat_hist h;

	memset(&h, 0, sizeof(h));
	show(&h);
	ok(has("x_bucket{a=\"b\",le=\"+Inf\"} 0") && has("x_count{a=\"b\"} 0") &&
	   has("x_sum{a=\"b\"} 0.000000000"), "an empty histogram is whole");
	swb_lat_add(&h, 511, 1);
	swb_lat_add(&h, 512, 1);
	swb_lat_add(&h, 1023, 1);
	swb_lat_add(&h, 1024, 1);
	swb_lat_add(&h, 1ull << 36, 1);
	show(&h);
	ok(has("x_bucket{a=\"b\",le=\"0.000000512\"} 1"), "below the first edge");
	ok(has("x_bucket{a=\"b\",le=\"0.000001024\"} 3"), "one octave, its last ns too");
	ok(has("x_bucket{a=\"b\",le=\"0.000002048\"} 4"), "the next one");
	ok(has("x_bucket{a=\"b\",le=\"68.719476736\"} 4") &&
	   has("x_bucket{a=\"b\",le=\"+Inf\"} 5"), "beyond the last edge");
	ok(has("x_count{a=\"b\"} 5") && has("x_sum{a=\"b\"} 68.719479806"),
	   "count, and the sum to the ns");
}

int main(void)
{
	test_labels();
	test_edges();
	free(text);
	return tap_done();
}
