// SPDX-License-Identifier: GPL-2.0-only
/* Arithmetic of log2 histograms and of intervals: bpf/hist.c, series.c, names.c, why.c. */
#include <errno.h>

#include "harness.h"

#include "names.h"
#include "series.h"
#include "why.h"

static unsigned int slowly(uint64_t ns)
{
	unsigned int slot = 0;

	while (ns > 1) {
		ns /= 2;
		slot++;
	}
	return slot < SWBLOCK_LAT_SLOTS ? slot : SWBLOCK_LAT_SLOTS - 1;
}

TEST(slot_is_the_logarithm, "every slot holds what is between its edges, and no more")
{
	unsigned int i;
	uint64_t ns;

	CHECK_EQ(swblock_lat_slot(0), 0);
	CHECK_EQ(swblock_lat_slot(1), 0);
	CHECK_EQ(swblock_lat_slot(UINT64_MAX), SWBLOCK_LAT_SLOTS - 1);
	for (i = 1; i < SWBLOCK_LAT_SLOTS; i++) {
		CHECK_EQ(swblock_lat_slot(hist_edge(i)), i);
		CHECK_EQ(swblock_lat_slot(hist_edge(i) - 1), i - 1);
	}
	for (i = 0; i < 10000; i++) {
		ns = rnd() >> rnd_below(64);
		CHECK_EQ(swblock_lat_slot(ns), slowly(ns));
	}
}

static struct lat_row row_of(uint32_t volume, uint32_t stage, uint32_t peer)
{
	return (struct lat_row){ .key = { volume, stage, peer } };
}

static void count(struct lat_row *row, uint64_t ns, uint64_t n)
{
	row->hist.slot[swblock_lat_slot(ns)] += n;
	row->hist.sum_ns += ns * n;
}

TEST(percentile_is_an_upper_edge, "at least the true value, at most twice it")
{
	uint64_t all[200], at, got;
	unsigned int n, i, k, parts;
	struct lat_row row;

	for (i = 0; i < 500; i++) {
		n = 1 + (unsigned int)rnd_below(200);
		row = row_of(0, 1, 0);
		for (k = 0; k < n; k++) {
			at = 1 + (rnd() >> (26 + rnd_below(38))) % hist_edge(38);
			/* kept sorted */
			unsigned int j = k;

			for (; j && all[j - 1] > at; j--)
				all[j] = all[j - 1];
			all[j] = at;
			count(&row, at, 1);
		}
		parts = 1 + (unsigned int)rnd_below(HIST_PARTS);
		got = hist_percentile(&row.hist, parts);
		at = all[(n * parts + HIST_PARTS - 1) / HIST_PARTS - 1];
		CHECK(got > at && got <= 2 * at);
	}
}

TEST(percentile_of_nothing_and_of_the_last_slot, "0, and its lower edge")
{
	struct lat_row row = row_of(0, 1, 0);

	CHECK_EQ(hist_percentile(&row.hist, 5000), 0);
	count(&row, UINT64_MAX / 4, 1);
	CHECK_EQ(hist_percentile(&row.hist, 5000), hist_edge(SWBLOCK_LAT_SLOTS - 1));
	CHECK_EQ(hist_percentile(&row.hist, 0), hist_edge(SWBLOCK_LAT_SLOTS - 1));
}

TEST(percentile_of_many, "counts beyond 2^50 do not overflow")
{
	struct lat_row row = row_of(0, 1, 0);

	row.hist.slot[10] = 1ULL << 60;
	row.hist.slot[20] = 1ULL << 55;
	CHECK_EQ(hist_percentile(&row.hist, 5000), hist_edge(11));
	CHECK_EQ(hist_percentile(&row.hist, 9990), hist_edge(21));
}

TEST(span_covers_what_is_used, "first and last slot over several histograms")
{
	struct lat_row a = row_of(0, 1, 0), b = row_of(0, 2, 0);
	unsigned int lo = 1, hi = 0;

	hist_span(&a.hist, &lo, &hi);
	CHECK(lo > hi);
	count(&a, 5000, 1);
	count(&b, 70, 1);
	count(&b, 9000, 1);
	hist_span(&a.hist, &lo, &hi);
	CHECK_EQ(lo, 12);
	CHECK_EQ(hi, 12);
	hist_span(&b.hist, &lo, &hi);
	CHECK_EQ(lo, 6);
	CHECK_EQ(hi, 13);
}

TEST(rows_keep_their_order, "by volume, stage, peer, however they come; found again")
{
	struct lat_snap s = { 0 };
	struct lat_row row, *at;
	unsigned int i;

	for (i = 0; i < 300; i++) {
		row = row_of((uint32_t)rnd_below(3), 1 + (uint32_t)rnd_below(15),
			     (uint32_t)rnd_below(4));
		count(&row, 1000, 1);
		CHECK(!snap_add(&s, &row));
	}
	for (i = 1; i < s.count; i++) {
		struct swblock_lat_key *a = &s.row[i - 1].key, *b = &s.row[i].key;

		CHECK(a->volume < b->volume ||
		      (a->volume == b->volume && (a->stage < b->stage ||
		       (a->stage == b->stage && a->peer < b->peer))));
	}
	row = s.row[s.count / 2];
	at = snap_find(&s, &row.key);
	CHECK(at == &s.row[s.count / 2]);
	row.key.volume = 77;
	CHECK(!snap_find(&s, &row.key));
	snap_free(&s);
}

static void add(struct lat_snap *s, uint32_t stage, uint64_t ns, uint64_t n)
{
	struct lat_row row = row_of(0, stage, SWBLOCK_LAT_NOBODY);

	count(&row, ns, n);
	CHECK(!snap_add(s, &row));
}

TEST(difference_of_two_readings, "only what came between, rows without events left out")
{
	struct lat_snap a = { .at_ns = 1000, .mono_ns = 5, .lost = 2 };
	struct lat_snap b = { .at_ns = 1900, .mono_ns = 905, .lost = 5 }, d;

	add(&a, 1, 1000, 10);
	add(&a, 2, 1000, 4);
	add(&b, 1, 1000, 13);
	add(&b, 1, 70000, 1);
	add(&b, 2, 1000, 4);
	add(&b, 3, 50, 2);
	CHECK(!snap_diff(&b, &a, &d));
	CHECK_EQ(d.count, 2);
	CHECK_EQ(d.at_ns, 1900);
	CHECK_EQ(d.length_ns, 900);
	CHECK_EQ(d.lost, 3);
	CHECK_EQ(d.row[0].hist.sum_ns, 3 * 1000 + 70000);
	CHECK_EQ(hist_events(&d.row[0].hist), 4);
	CHECK_EQ(d.row[1].key.stage, 3);
	snap_free(&d);
	snap_free(&a);
	snap_free(&b);
}

TEST(difference_to_another_map, "a reading that counts less is of a new map: all of it")
{
	struct lat_snap a = { .at_ns = 1 }, b = { .at_ns = 2 }, d;

	add(&a, 1, 1000, 10);
	add(&b, 1, 1000, 3);
	CHECK(!snap_diff(&b, &a, &d));
	CHECK_EQ(hist_events(&d.row[0].hist), 3);
	snap_free(&d);
	snap_free(&a);
	snap_free(&b);
}

TEST(series_folds, "a run of any length keeps all events in at most SERIES_MAX columns")
{
	struct series *s = calloc(1, sizeof(*s));
	struct lat_snap one = { .at_ns = 0, .length_ns = 10 }, all;
	unsigned int n, i, fold;
	uint64_t events;

	add(&one, 1, 1000, 1);
	for (n = 1; n <= 5 * SERIES_MAX; n++) {
		one.at_ns += 10;
		CHECK(!series_push(s, &one));
		CHECK(s->count <= SERIES_MAX);
		events = 0;
		fold = s->fold;
		for (i = 0; i < s->count; i++) {
			CHECK_EQ(s->col[i].length_ns, 10 * hist_events(&s->col[i].row[0].hist));
			CHECK(i + 1 == s->count ||
			      hist_events(&s->col[i].row[0].hist) == fold);
			events += hist_events(&s->col[i].row[0].hist);
		}
		CHECK_EQ(events, n);
	}
	CHECK(!series_sum(s, &all));
	CHECK_EQ(hist_events(&all.row[0].hist), 5 * SERIES_MAX);
	CHECK_EQ(all.length_ns, 50 * SERIES_MAX);
	CHECK_EQ(all.at_ns, 50 * SERIES_MAX);
	snap_free(&all);
	snap_free(&one);
	series_free(s);
	free(s);
}

TEST(names_of_members_and_peers, "labels where there are any, numbers where not")
{
	struct name_volume v = { .id = 4, .minor = 1, .member = "db/a", .peer = { "a", "b" } };
	struct swblock_lat_key key = { 4, SWBLOCK_STAGE_ACK, 1 };
	struct names names = { 0 };
	char buf[2 * NAME_MAX_LEN];

	CHECK(!names_put(&names, &v));
	CHECK(!names_put(&names, &v));
	CHECK_EQ(names.count, 1);
	CHECK(!strcmp(names_peer(&names, &key, buf), "b"));
	key.peer = 2;
	CHECK(!strcmp(names_peer(&names, &key, buf), "2"));
	key.peer = SWBLOCK_LAT_NOBODY;
	CHECK(!strcmp(names_peer(&names, &key, buf), "-"));
	CHECK(!strcmp(names_member(&names, 4, buf), "db/a  /dev/swblock1"));
	CHECK(!strcmp(names_member(&names, 5, buf), "volume 5"));
	names_free(&names);
}

TEST(a_volume_has_many_names, "member, volume, device and number mean it; parts of them do not")
{
	static const char *const good[] = { "db/a", "db", "/dev/swblock1", "swblock1", "4" };
	static const char *const bad[] = { "d", "a", "db/", "/dev/swblock", "swblock12", "1", "" };
	struct name_volume v = { .id = 4, .minor = 1, .member = "db/a" };
	struct names names = { 0 };
	unsigned int i;

	CHECK(!names_put(&names, &v));
	for (i = 0; i < sizeof(good) / sizeof(*good); i++)
		CHECK(names_match(&names, 4, good[i]));
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(!names_match(&names, 4, bad[i]));
	CHECK(names_match(&names, 9, "9"));
	names_free(&names);
}

TEST(stages_have_names, "each number is found by its name, and nothing else is")
{
	CHECK_EQ(names_stage("admit"), SWBLOCK_STAGE_ADMIT);
	CHECK_EQ(names_stage("peer-flush"), SWBLOCK_STAGE_PEER_FLUSH);
	CHECK_EQ(names_stage("?"), 0);
	CHECK_EQ(names_stage(""), 0);
}

TEST(reasons_are_told_apart, "no module, no tracepoints, no BPF, no rights: each its words")
{
	struct why_facts f = { .module = true, .root = true };

	CHECK(strstr(why_words(WHY_ATTACH, -ENOENT, false, &f), "no tracepoint"));
	CHECK(strstr(why_words(WHY_ATTACH, -EINVAL, false, &f), "one version"));
	CHECK(strstr(why_words(WHY_LOAD, -ESRCH, true, &f), "no BTF"));
	CHECK(strstr(why_words(WHY_LOAD, -ENOSYS, false, &f), "CONFIG_BPF_SYSCALL"));
	CHECK(strstr(why_words(WHY_LOAD, -EPERM, false, &f), "even for root"));
	f.root = false;
	CHECK(strstr(why_words(WHY_LOAD, -EPERM, false, &f), "run it as root"));
	f.module = false;
	CHECK(strstr(why_words(WHY_LOAD, -EPERM, true, &f), "run it as root"));
	f.root = true;
	CHECK(strstr(why_words(WHY_ATTACH, -ENOENT, false, &f), "modprobe"));
	CHECK(strstr(why_words(WHY_LOAD, -ESRCH, true, &f), "modprobe"));
	f.module = true;
	f.module_btf = true;
	CHECK(strstr(why_words(WHY_READ, -ENOMEM, true, &f), "memory"));
}
