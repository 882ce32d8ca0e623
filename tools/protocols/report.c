// SPDX-License-Identifier: GPL-2.0-only
/* docs/design/comparison.md, from the runs. The same runs give the same file. */
#include <stdio.h>
#include <string.h>

#include "protocol.h"

const char *report_safety(enum lab_safety s)
{
	static const char *const name[] = { "safe", "thin", "stale", "lost", "wrong" };

	return name[s];
}

void report_seen(const struct lab_outcome *o, const char *bold, char *text, size_t len)
{
	int n = 0;

	if (!o->seen)
		n = snprintf(text, len, "%s", report_safety(SAFETY_SAFE));
	for (u32 s = SAFETY_THIN; s <= SAFETY_WRONG; s++) {
		const char *b = s >= SAFETY_LOST ? bold : "";

		if (o->seen & (1u << s))
			n += snprintf(text + n, len - (size_t)n, "%s%s%s%s", n ? " " : "", b,
				      report_safety((enum lab_safety)s), b);
	}
}

const char *report_recovery(enum lab_recovery r)
{
	static const char *const name[] = { "none", "catch-up", "cut", "resync",
					    "rebuild", "never" };

	return name[r];
}

static const char head[] =
"<!-- Written by `make compare` from real runs. Do not edit: change a scenario and run it again. -->\n"
"# Versions compared\n"
"\n"
"The same scenarios under V1, V1.5, V2 and a bitmap protocol, on one simulator (`tools/protocols/`,\n"
"[simulator.md](../simulator.md)). V2 is the real `kmod/core/`; V1 and V1.5 are policy sets on the\n"
"older shipper and receiver ([v1](../history/v1.md), [v1.5](../history/v1_5.md)); *bitmap* keeps no log\n"
"but a dirty bitmap per peer, an activity log and generation identifiers, and completes a write when\n"
"every connected peer has it, as the replicated block device most in use does.\n"
"\n"
"Everything here is measured. Safety and recovery are judged by the bytes on the members' disks, as\n"
"a read or a power cut would leave them, against what clients were promised by a barrier.\n"
"\n"
"| Word | Means |\n"
"|---|---|\n"
"| safe | nothing promised was lost or falsified |\n"
"| thin | a barrier succeeded on fewer copies than the mode names |\n"
"| stale | a read returned what had been overwritten elsewhere |\n"
"| **lost** | an acknowledged write is gone |\n"
"| **wrong** | a member counted as a full copy differs |\n"
"| none, catch-up, cut, resync, rebuild | what brought every live member up, by itself: nothing, the log, a dead branch cut and the log, bitmap blocks, a full copy |\n"
"| never | nothing did, within the scenario's time; *op:* what an operator's order then did |\n"
"| accidental | somebody was told a better state than the bytes had; else the state shown was true |\n"
"| errors, refused | failed writes and barriers of live clients; promotions refused |\n"
"\n"
"Times are simulated. Timeouts of all versions are a tenth of the real ones (a barrier timeout of 5 s\n"
"is 500 ms here); V2's controller looks every 10 ms. *Bytes* are all bytes handed to sockets from the\n"
"healing to the moment when every live member held all that was promised and a barrier had succeeded,\n"
"*heal* is that time, *wait* the longest time a client's request took. A member is healed by bytes, not\n"
"by what anybody says. Where an operator had to step in, both figures include the wait for that. Both\n"
"are rounded up to a power of two, for less than that is the luck of a seed. Volumes here hold 16 KiB\n"
"(100 KiB where a log is filled): a full copy costs as little as that, and would cost the whole volume\n"
"on real disks.\n"
"\n"
"The bitmap protocol is our own model of that family, not of one release: one bit per 512-byte block,\n"
"regions of 8 blocks in the activity log, no fencing of its own, majority quorum in `sync_quorum`,\n"
"and in two members what is usual: the survivor goes on alone (`thin`).\n"
"V2's rebuild is not built yet: where V2 needs one it says so (`never`, explicit).\n"
"\n";

static void outcome(FILE *f, const struct lab_outcome *o)
{
	char text[80];

	report_seen(o, "**", text, sizeof(text));
	fprintf(f, " %s", text);
	if (o->needed)
		fprintf(f, ", %s", report_recovery(o->recovery));
	if (o->asked)
		fprintf(f, ", op: %s", report_recovery(o->by_operator));
	if (o->silent)
		fprintf(f, ", accidental");
	if (o->errors)
		fprintf(f, ", %u errors", o->errors);
	if (o->refused)
		fprintf(f, ", refused");
	fprintf(f, " |");
}

/* A power of two: what lies within a factor of two is the luck of a seed. */
static unsigned long long up_to(u64 n, u64 least)
{
	while (least < n)
		least *= 2;
	return least;
}

static void cost(FILE *f, const struct lab_outcome *o)
{
	if (!o->needed)
		fprintf(f, " - |");
	else
		fprintf(f, " %llu KiB, %llu ms, %llu ms |", up_to(o->bytes, 1024) / 1024,
			up_to(o->heal_ms, 16), up_to(o->longest_ms, 16));
}

static void table(FILE *f, const struct scenario *s,
		  const struct lab_results *out, u32 count,
		  void (*cell)(FILE *f, const struct lab_outcome *o))
{
	fprintf(f, "| Scenario | V1 | V1.5 | V2 | bitmap |\n|---|---|---|---|---|\n");
	for (u32 i = 0; i < count; i++) {
		fprintf(f, "| %s |", s[i].id);
		for (u32 v = 0; v < VERSIONS; v++)
			cell(f, &out[i].of[v]);
		fputc('\n', f);
	}
	fputc('\n', f);
}

static void totals(FILE *f, const struct lab_results *out, u32 count)
{
	fprintf(f, "| Of %u scenarios | V1 | V1.5 | V2 | bitmap |\n|---|---|---|---|---|\n",
		count);
	for (u32 what = 0; what < 5; what++) {
		static const char *const name[] = {
			"safe", "lost or wrong", "accidental",
			"healed by itself", "operator or never",
		};

		fprintf(f, "| %s |", name[what]);
		for (u32 v = 0; v < VERSIONS; v++) {
			u32 n = 0;

			for (u32 i = 0; i < count; i++) {
				const struct lab_outcome *o = &out[i].of[v];
				bool is[] = {
					o->safety == SAFETY_SAFE,
					o->safety >= SAFETY_LOST, o->silent,
					o->needed && !o->asked,
					o->needed && o->asked,
				};

				n += is[what];
			}
			fprintf(f, " %u |", n);
		}
		fputc('\n', f);
	}
	fputc('\n', f);
}

bool report_write(const char *path, const struct scenario *s,
		  const struct lab_results *out, u32 count)
{
	FILE *f = fopen(path, "w");

	if (!f) {
		perror(path);
		return false;
	}
	fprintf(f, "<!-- %s-License-Identifier: GPL-2.0-only -->\n", "SPDX");
	fputs(head, f);
	fprintf(f, "## In short\n\n");
	totals(f, out, count);
	fprintf(f, "## Outcomes\n\n");
	table(f, s, out, count, outcome);
	fprintf(f, "## Costs: bytes, heal, wait (at most)\n\n");
	table(f, s, out, count, cost);
	fprintf(f, "## The scenarios\n\n| Scenario | Rows | Intent | Known failures shown |\n|---|---|---|---|\n");
	for (u32 i = 0; i < count; i++) {
		fprintf(f, "| [%s](../../tools/protocols/scenarios/%s.txt) | %s | %s |",
			s[i].id, s[i].id, s[i].rows, s[i].intent);
		for (u32 v = 0; v < VERSIONS; v++)
			if (s[i].failure[v][0])
				fprintf(f, " %s: %s", versions[v]->name, s[i].failure[v]);
		fprintf(f, " |\n");
	}
	return fclose(f) == 0;
}
