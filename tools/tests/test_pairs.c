// SPDX-License-Identifier: GPL-2.0-only
/*
 * Peer recovery and the certificate, decided for every state of two and of
 * three members within bounds. Sanitized builds take smaller bounds than the
 * plain one (`make -C tools pairs`); each prints how many states it went through.
 *
 * A legal state is drawn from a tree of openings: an epoch continues an older
 * one from some LSN on, or starts from nothing, or was never opened. A log is a
 * tip in that tree and an end. A record is known by (epoch, LSN), so the truth
 * is simple to ask: which epoch has record x in this log? What the core finds
 * by comparing two tables is compared with that.
 */
#include "harness.h"
#include "promote.h"
#include "resync.h"
#include "lineage.h"
#include "../../kmod/format/wire.h"

#define EPOCHS	3
#ifdef __SANITIZE_ADDRESS__
#define LSNS	4
#define LOOSE	3	/* LSNs of histories that no rule made */
#else
#define LSNS	6
#define LOOSE	4
#endif

/* parent and first LSN of each epoch; first 0: never opened */
struct tree {
	u8 parent[EPOCHS + 2];
	u8 first[EPOCHS + 2];
	u8 newest;
};

/* a log: records 1..end, the last of them of epoch @tip */
struct log {
	u8 tip;
	u8 end;
};

static struct tree tree;
static unsigned long long states;

static u8 epoch_at(struct log l, u8 lsn)
{
	u8 e = l.tip;

	if (lsn > l.end)
		return 0;
	while (e && tree.first[e] > lsn)
		e = tree.parent[e];
	return e;
}

/* the last LSN at which both hold the same record: the truth about m */
static u8 common(struct log a, struct log b)
{
	u8 x = a.end < b.end ? a.end : b.end;

	while (x && epoch_at(a, x) != epoch_at(b, x))
		x--;
	return x;
}

static bool holds(struct log l, u8 epoch, u8 lsn)
{
	return !lsn || epoch_at(l, lsn) == epoch;
}

static struct log cut(struct log l, u8 lsn)
{
	struct log r = { epoch_at(l, lsn), lsn };

	return lsn < l.end ? r : l;
}

/* (@epoch, @lsn) may be committed: every later opening continues it (I-217) */
static bool may_commit(u8 epoch, u8 lsn)
{
	for (u8 f = epoch + 1; f <= EPOCHS; f++) {
		struct log whole = { f, LSNS };

		if (tree.first[f] && (tree.first[f] <= lsn ||
				      !holds(whole, epoch, lsn)))
			return false;
	}
	return true;
}

/* every tree of openings; @then is called with each */
static void trees(u8 e, void (*then)(void))
{
	if (e > EPOCHS) {
		if (tree.newest)
			then();
		return;
	}
	tree.first[e] = 0;
	trees(e + 1, then);
	for (u8 p = 0; p < e; p++) {
		u8 newest = tree.newest;

		if (p && !tree.first[p])
			continue;
		tree.parent[e] = p;
		tree.newest = e;
		for (u8 f = p ? tree.first[p] + 1 : 1; f <= (p ? LSNS : 1); f++) {
			tree.first[e] = f;
			trees(e + 1, then);
		}
		tree.first[e] = 0;
		tree.newest = newest;
	}
}

/* every log that the tree can give, the empty one included */
static u32 logs(struct log *out)
{
	u32 n = 0;

	out[n++] = (struct log){ 0, 0 };
	for (u8 e = 1; e <= EPOCHS; e++)
		for (u8 x = tree.first[e]; x && x <= LSNS; x++)
			out[n++] = (struct log){ e, x };
	return n;
}

#define LOGS_MAX (EPOCHS * LSNS + 1)

/* ---- accounts ------------------------------------------------------------ */

static struct swb_facts own, peer;

static void put_path(struct swb_lineage *l, u8 tip, u8 override)
{
	if (!tip)
		return;
	put_path(l, tree.parent[tip], override);
	swb_lineage_open(l, tip, tree.first[tip],
			 tip == override ? SWB_LINEAGE_OVERRIDE : 0);
}

static void put_log(struct swb_facts *f, struct log l, u8 override)
{
	memset(&f->lineage, 0, offsetof(struct swb_lineage, e));
	put_path(&f->lineage, l.tip, override);
	f->log_end = l.end;
	f->durable = l.end;
	f->last_epoch = l.tip;
}

static void identities(void)
{
	memset(&own, 0, sizeof(own));
	own.volume.b[0] = 1;
	own.replica.b[0] = 2;
	own.peer.b[0] = 3;
	own.store.b[0] = 4;
	own.store_generation = 1;
	own.adopted = EPOCHS;
	own.extent_bytes = 1 << 20;
	own.block_bytes = 512;
	own.log_start = 1;
	own.bitmap_lsn = LSNS + 1;	/* covers nobody: letter L has its own test */
	peer = own;
	peer.replica.b[0] = 3;
	peer.peer.b[0] = 2;
}

static bool streams(u8 letter)
{
	return letter == 'I' || letter == 'J' || letter == 'K';
}

/*
 * The other end, by its own table: it obeys exactly what is streamed, and m is
 * the same from both sides (I-224).
 */
static void check_mirror(const struct swb_resync_decision *d)
{
	enum swblock_reason why;
	u64 m, back;

	CHECK_EQ(swb_lineage_match(&own.lineage, own.log_end, &peer.lineage,
				   peer.log_end, &m),
		 swb_lineage_match(&peer.lineage, peer.log_end, &own.lineage,
				   own.log_end, &back));
	CHECK_EQ(m, back);
	if (!streams(d->letter) && !strchr("DFGH", d->letter))
		return;		/* A, B, C, E, N: no START; M: no record to send */
	why = swb_resync_accept_start(&peer, &own, d->match + 1, d->match);
	CHECK((why == SWBLOCK_REASON_NONE) == streams(d->letter));
	if (streams(d->letter) && d->match)
		CHECK(swb_resync_accept_start(&peer, &own, d->match,
					      d->match - 1) != SWBLOCK_REASON_NONE);
}

/* Never two sources: with the roles swapped the data still flows one way. */
static void check_one_source(u8 letter)
{
	struct swb_resync_decision back;

	swb_resync_decide(&peer, &own, &back);
	if (letter == 'I')
		CHECK(back.letter == 'I');
	else if (letter == 'J')
		CHECK(back.letter != 'I' && back.letter != 'J');
	else if (letter == 'K')
		CHECK(back.letter != 'I');
}

/* ---- two members, legal --------------------------------------------------- */

static u8 override_epoch;

static bool override_above(struct log a, u8 m)
{
	for (u8 x = m + 1; x <= a.end; x++)
		if (override_epoch && epoch_at(a, x) == override_epoch &&
		    tree.first[override_epoch] > m)
			return true;
	return false;
}

/* After the verdict is carried out, wholly or halfway: live, or equal (I). */
static void check_again(struct log a, struct log b, u8 m)
{
	struct swb_resync_decision d;
	struct log after;

	after = cut(b, m);
	CHECK(after.end == m && common(a, after) == m);
	for (u8 x = m; x <= a.end; x++) {
		after = cut(a, x);
		put_log(&peer, after, override_epoch);
		swb_resync_decide(&own, &peer, &d);
		CHECK_EQ(d.match, x);
		CHECK_EQ(d.letter, x == a.end ? 'I' : 'J');
	}
	put_log(&peer, b, override_epoch);
}

static void pair(struct log a, struct log b, u8 c)
{
	struct swb_resync_decision d, twice;
	u8 m = common(a, b), k = (u8)peer.committed, hi = (u8)peer.extent_hi;
	u8 kept = common(b, (struct log){ tree.newest, LSNS });
	char want;

	states++;
	swb_resync_decide(&own, &peer, &d);
	swb_resync_decide(&own, &peer, &twice);
	CHECK(d.letter == twice.letter && d.match == twice.match);
	CHECK_EQ(d.match, peer.flags & SWB_FACT_INCONSISTENT ? 0 : m);
	/* the letters that a legal history leaves: F, G and H are impossible */
	want = b.end > m ? 'K' : m == a.end ? 'I' : 'J';
	if (own.log_start > m + 1U)
		want = 'M';
	if (peer.flags)
		want = 'D';
	else if (b.end > m && m < k && !override_above(a, m))
		want = 'H';
	else if (m < hi)
		want = 'G';
	CHECK_EQ(d.letter, want);
	if (!override_epoch)
		CHECK(strchr("DIJKM", d.letter));
	check_mirror(&d);
	if (!streams(d.letter))
		return;
	/* nothing committed is cut away, and the source has all of it */
	if (!override_epoch)
		CHECK(m >= (kept < c ? kept : c));
	check_again(a, b, m);
}

/*
 * May @b know that C = @k? It heard so in a matched session, when its log was a
 * prefix of one that holds k. Since then it grew only along logs that hold k,
 * so it holds k itself, or it is such a prefix still.
 */
static bool may_know(struct log b, u8 k)
{
	struct log tip = { tree.newest, LSNS };

	return holds(b, epoch_at(tip, k), k) || common(b, tip) == b.end;
}

/* @b with everything it may know and have written back */
static void pair_marks(struct log a, struct log b, u8 c)
{
	struct log tip = { tree.newest, LSNS };
	u8 k_max = override_epoch ? LSNS : c;

	put_log(&own, a, override_epoch);
	put_log(&peer, b, override_epoch);
	for (own.log_start = 1; own.log_start <= c + 1U; own.log_start++)
		for (u8 k = 0; k <= k_max; k++)
			for (u8 hi = 0; hi <= k && hi <= b.end; hi++) {
				if (!override_epoch &&
				    (!may_know(b, k) ||
				     !holds(b, epoch_at(tip, hi), hi)))
					continue;
				peer.committed = k;
				peer.extent_hi = hi;
				for (peer.flags = 0; peer.flags < 3; peer.flags++)
					pair(a, b, c);
			}
	own.log_start = 1;
	peer.committed = c;
	peer.extent_hi = 0;
	peer.flags = 0;
	if (!override_epoch) {
		struct swb_resync_decision d;

		swb_resync_decide(&own, &peer, &d);
		check_one_source(d.letter);
	}
}

/* the primary of the newest epoch beside every other log, every legal C */
static void pairs_of_tree(void)
{
	struct log all[LOGS_MAX], tip = { tree.newest, LSNS };
	u32 n = logs(all);

	for (u8 c = 0; c <= LSNS; c++) {
		if (c && !override_epoch && !may_commit(epoch_at(tip, c), c))
			continue;
		for (u8 end = tree.first[tree.newest]; end <= LSNS; end++)
			for (u32 i = 0; i < n && end >= c; i++) {
				/* nobody holds what the primary never sent */
				if (all[i].tip == tree.newest && all[i].end > end)
					continue;
				pair_marks((struct log){ tree.newest, end },
					   all[i], c);
			}
	}
}

TEST(test_pairs_of_every_legal_history, "two members of every history: one "
	"letter, the true m, mirrored, idempotent, nothing committed is cut, F, G "
	"and H never (I-050 I-207 I-219 I-224)")
{
	states = 0;
	identities();
	override_epoch = 0;
	trees(1, pairs_of_tree);
	printf("# %llu states of two members, %d epochs, %d LSNs\n", states,
	       EPOCHS, LSNS);
	CHECK(states > 10000);
}

static void pairs_overridden(void)
{
	for (override_epoch = 1; override_epoch <= EPOCHS; override_epoch++)
		if (tree.first[override_epoch])
			pairs_of_tree();
}

TEST(test_pairs_after_an_override, "with an override in the history a cut below "
	"known C is allowed above it only, and never below extent_hi (P9 P16)")
{
	states = 0;
	identities();
	trees(1, pairs_overridden);
	printf("# %llu states of two members with an override\n", states);
	CHECK(states > 10000);
}

/* ---- delta ------------------------------------------------------------------ */

/* Does the extent of a void copy, written from (m, hi] of @h, differ from the
 * state at m by records of @a alone? And is the base a record of @a? P10, P11
 */
static bool covers(struct log a, struct log h, u8 m, u8 hi, struct log base)
{
	if (base.end > m || !holds(a, base.tip, base.end))
		return false;
	for (u8 x = m; x <= hi; x++)
		if (!holds(a, epoch_at(h, x), x))
			return false;
	return true;
}

/* the peer as a prefix that history left behind, hi at most its end */
static void delta_of_prefix(struct log a, struct log b, struct log base)
{
	u8 m = common(a, b);
	struct swb_resync_decision d;
	bool may;

	put_log(&peer, b, 0);
	peer.flags = 0;
	for (u8 hi = 0; hi <= b.end; hi++) {
		states++;
		peer.extent_hi = hi;
		swb_resync_decide(&own, &peer, &d);
		/* its blocks beyond m are of a dead branch: hi <= m, or G */
		may = own.log_start > m + 1U && hi <= m &&
		      covers(a, b, m, m, base);
		CHECK((d.letter == 'L') == may);
		CHECK((swb_resync_accept_rebuild(&peer, &own, true,
						 own.log_start, m) ==
		       SWBLOCK_REASON_NONE) ==
		      (hi <= m && own.log_start > m &&
		       covers(a, b, m, m, base)));
	}
}

/* the peer as a delta left it that was begun from a source with log @h */
static void delta_again(struct log a, struct log h, struct log base)
{
	struct swb_resync_decision d;
	bool may;

	put_log(&peer, h, 0);
	peer.flags = SWB_FACT_INCONSISTENT | SWB_FACT_DELTA;
	for (u8 m = 0; m <= h.end; m++)
		for (u8 hi = m; hi <= h.end; hi++) {
			states++;
			peer.base_lsn = m;
			peer.extent_hi = hi;
			peer.extent_hi_epoch = epoch_at(h, hi);
			swb_resync_decide(&own, &peer, &d);
			may = covers(a, h, m, hi, base);
			CHECK_EQ(d.letter, may ? 'L' : 'D');
			CHECK_EQ(d.match, m);
			CHECK((swb_resync_accept_rebuild(&peer, &own, true,
							 LSNS + 2, m) ==
			       SWBLOCK_REASON_NONE) == may);
		}
	peer.base_lsn = 0;
	peer.extent_hi = 0;
	peer.flags = 0;
}

static void deltas_of_tree(void)
{
	struct log all[LOGS_MAX], a = { tree.newest, LSNS };
	u32 n = logs(all);

	put_log(&own, a, 0);
	for (u32 k = 0; k < n; k++) {
		own.bitmap_lsn = all[k].end;
		own.bitmap_epoch = all[k].tip;
		for (u32 i = 0; i < n; i++) {
			own.log_start = 1 + (i + k) % (LSNS + 1);
			own.extent_lo = own.log_start - 1;
			delta_of_prefix(a, all[i], all[k]);
			own.extent_lo = LSNS;
			delta_again(a, all[i], all[k]);
		}
	}
	own.extent_lo = 0;
	own.bitmap_epoch = 0;
}

TEST(test_pairs_delta, "a bitmap of every base, a peer of every history, left "
	"behind or void: delta exactly where it copies all that may differ, and the "
	"other end agrees (P10 iv, vi, P11)")
{
	states = 0;
	override_epoch = 0;
	identities();
	trees(1, deltas_of_tree);
	printf("# %llu states of a bitmap and a peer\n", states);
	CHECK(states > 10000);
}

/* ---- two members, whatever bytes say ---------------------------------------- */

static struct swb_lineage loose[128];

static void loose_add(u32 *n, struct swb_lineage *l, u8 e, u8 x)
{
	loose[(*n)++] = *l;
	for (u8 f = e + 1; f <= EPOCHS; f++)
		for (u8 y = x + 1; y <= LOOSE; y++) {
			swb_lineage_open(l, f, y, 0);
			loose_add(n, l, f, y);
			l->count--;
		}
}

static void loose_pair(void)
{
	static const struct { u8 flags, adopted; } other[] = {
		{ 0, 2 }, { SWB_FACT_INCONSISTENT, 2 }, { 0, 1 }, { 0, 3 },
		{ SWB_FACT_DISK_FAILED, 3 },
	};
	struct swb_resync_decision d;

	for (u32 i = 0; i < ARRAY_SIZE(other); i++) {
		states++;
		peer.flags = other[i].flags;
		peer.adopted = other[i].adopted;
		swb_resync_decide(&own, &peer, &d);
		CHECK(d.letter >= 'A' && d.letter <= 'N');
		if (peer.adopted != own.adopted)
			CHECK_EQ(d.letter, peer.adopted > own.adopted ? 'E' : 'N');
		if (d.letter == 'K')
			CHECK(d.match >= peer.committed &&
			      d.match >= peer.extent_hi &&
			      d.match < peer.log_end);
		if (streams(d.letter))
			CHECK(own.log_start <= d.match + 1 &&
			      d.match >= peer.extent_hi);
		check_mirror(&d);
	}
}

TEST(test_pairs_total, "two members with any lineages at all: one letter, the "
	"same m from both sides, the replica obeys what streams and nothing else "
	"(I-207 I-224)")
{
	struct swb_lineage l = { 0 };
	u32 n = 0, marks;

	states = 0;
	loose_add(&n, &l, 0, 0);
	identities();
	own.adopted = 2;
	for (u32 i = 0; i < n * n * 4; i++) {
		own.lineage = loose[i % n];
		peer.lineage = loose[i / n % n];
		own.lineage.floor_lsn = i / n / n & 1;
		peer.lineage.floor_lsn = i / n / n & 2;
		for (u32 x = 0; x < (LOOSE + 1) * (LOOSE + 1); x++) {
			own.log_end = x % (LOOSE + 1);
			peer.log_end = x / (LOOSE + 1);
			for (marks = 0; marks < LOOSE * LOOSE * 3; marks++) {
				own.log_start = 1 + marks % LOOSE;
				peer.committed = marks / LOOSE % LOOSE;
				peer.extent_hi = marks / LOOSE / LOOSE;
				loose_pair();
			}
		}
	}
	printf("# %llu states of two members without a rule\n", states);
}

/* ---- three members: certificate, then every verdict ------------------------ */

static struct swb_cert cert;
static struct log member[3];
static struct { u8 epoch, lsn; } committed;

static bool promotable(u32 i)
{
	struct swb_candidate me = {
		.volume = cert.volume, .replica = cert.config.member[i],
		.store = cert.store, .store_generation = cert.store_generation,
		.adopted = cert.epoch, .opened = member[i].tip,
		.last_epoch = member[i].tip, .durable = member[i].end,
	};

	cert.candidate = me.replica;
	states++;
	return swb_promote_judge(&cert, &me) == 'A';
}

static void reports(u32 heard, u32 empty)
{
	cert.report_count = 0;
	for (u32 i = 0; i < 3; i++) {
		struct swb_report *r = &cert.report[cert.report_count];

		if (!(heard & 1U << i))
			continue;
		*r = (struct swb_report){
			.replica = cert.config.member[i], .adopted = cert.epoch,
			.last_epoch = member[i].tip, .durable = member[i].end,
			.committed = holds(member[i], committed.epoch,
					   committed.lsn) ? committed.lsn : 0,
			.flags = empty & 1U << i ? SWBLOCK_REPORT_INCONSISTENT : 0,
		};
		cert.report_count++;
	}
}

/* The new primary opens at its end; each other is judged, and becomes like it. */
static void check_one_history(u32 p)
{
	struct log after, a = { EPOCHS + 1, (u8)(member[p].end + 1) };
	struct swb_resync_decision d;

	tree.parent[EPOCHS + 1] = member[p].tip;
	tree.first[EPOCHS + 1] = a.end;
	CHECK(holds(a, committed.epoch, committed.lsn));
	put_log(&own, a, 0);
	for (u32 i = 0; i < 3; i++) {
		if (i == p)
			continue;
		put_log(&peer, member[i], 0);
		peer.committed = holds(member[i], committed.epoch,
				       committed.lsn) ? committed.lsn : 0;
		peer.extent_hi = peer.committed;
		swb_resync_decide(&own, &peer, &d);
		CHECK(d.letter == 'J' || d.letter == 'K');
		CHECK_EQ(d.match, common(a, member[i]));
		CHECK(d.match >= peer.committed);	/* a barrier's data */
		check_mirror(&d);
		check_one_source(d.letter);
		after = cut(member[i], (u8)d.match);
		CHECK(common(after, a) == after.end);	/* then it is streamed */
		CHECK(holds(cut(a, after.end), epoch_at(after, after.end),
			    after.end));
	}
	tree.first[EPOCHS + 1] = 0;
}

static bool enough(u32 heard, u32 last, u8 mode, u32 required)
{
	if (mode == SWBLOCK_MODE_SYNC_QUORUM)
		return __builtin_popcount(heard) >= 2;
	if (mode == SWBLOCK_MODE_SYNC_ALL)
		return heard & required;
	return heard & 1U << last;
}

/* every set of answers, every void member, every candidate */
static void elections(u32 last, u8 mode, u32 required)
{
	cert.config.mode = mode;
	cert.config.required = required;
	cert.judge[0] = cert.config;
	cert.last_granted = cert.config.member[last];
	for (u32 i = 0; i < 32; i++) {
		u32 heard = i & 7, empty = i >> 3 ? 1U << ((i >> 3) - 1) : 0;
		struct log winner = { 0, 0 };
		bool won = false;

		reports(heard, empty);
		for (u32 p = 0; p < 3; p++) {
			if ((empty & 1U << p) || !promotable(p))
				continue;
			CHECK(heard & 1U << p);
			CHECK(enough(heard & ~empty, last, mode, required));
			/* two candidates: one history, whoever is chosen */
			if (won)
				CHECK(member[p].tip == winner.tip &&
				      member[p].end == winner.end);
			winner = member[p];
			won = true;
			CHECK(holds(member[p], committed.epoch, committed.lsn));
			check_one_history(p);
		}
		if (mode == SWBLOCK_MODE_SYNC_QUORUM && !empty)
			CHECK(won == (__builtin_popcount(heard) >= 2));
	}
}

/* Under which modes can this be committed, given who holds it? */
static void modes(u32 last)
{
	u32 have = 0;

	for (u32 i = 0; i < 3; i++)
		if (holds(member[i], committed.epoch, committed.lsn))
			have |= 1U << i;
	if (!(have & 1U << last))
		return;
	elections(last, SWBLOCK_MODE_BEST_EFFORT, 1U << last);
	if (__builtin_popcount(have) >= 2)
		elections(last, SWBLOCK_MODE_SYNC_QUORUM, 7);
	for (u32 set = 1; set < 8; set++)
		if ((set & 1U << last) && (set & ~have) == 0)
			elections(last, SWBLOCK_MODE_SYNC_ALL, set);
}

static void threes_of_tree(void)
{
	struct log all[LOGS_MAX], tip = { tree.newest, LSNS };
	u32 n = logs(all);

	cert.last_granted_epoch = tree.newest;
	for (u8 c = 0; c <= LSNS; c++) {
		committed.epoch = epoch_at(tip, c);
		committed.lsn = c;
		if (c && !may_commit(committed.epoch, c))
			continue;
		/* member 0 was granted the newest epoch; the others in any order */
		for (u8 end = tree.first[tree.newest]; end <= LSNS; end++)
			for (u32 i = 0; i < n * n; i++) {
				member[0] = (struct log){ tree.newest, end };
				member[1] = all[i % n];
				member[2] = all[i / n];
				if (i % n > i / n ||
				    (member[1].tip == tree.newest &&
				     member[1].end > end) ||
				    (member[2].tip == tree.newest &&
				     member[2].end > end))
					continue;
				modes(0);
			}
	}
}

TEST(test_pairs_three_members_one_history, "three members of every history, "
	"every mode, every set of reports: who is promoted holds the committed "
	"prefix, and the verdicts make one history of three (I-028 I-031 I-203)")
{
	states = 0;
	identities();
	memset(&cert, 0, sizeof(cert));
	cert.volume = own.volume;
	cert.store = own.store;
	cert.store_generation = 1;
	cert.epoch = EPOCHS + 1;
	cert.config.policy = SWBLOCK_POLICY_LOCAL;
	cert.config.member_count = 3;
	for (u8 i = 0; i < 3; i++)
		cert.config.member[i].b[0] = i + 2;
	cert.judge_count = 1;
	cert.flags = SWBLOCK_CERT_LEASE_WAITED;
	trees(1, threes_of_tree);
	printf("# %llu certificates of three members\n", states);
	CHECK(states > 10000);
}
