// SPDX-License-Identifier: GPL-2.0-only
/* Rules that can be broken on purpose, to see that a checker bites. */
#include "swarm.h"

static const struct {
	const char *name;
	const char *text;
	const char *redundant;
} broken[BREAK_COUNT] = {
	[BREAK_NONE] = { "none", "" },
	[BREAK_FLUSH_EARLY] = { "flush-early",
		"durable is counted before the flush ended" },
	[BREAK_NO_SUPER] = { "no-super",
		"the superblock is not written when the core asks" },
	[BREAK_NO_INCARNATION] = { "no-incarnation",
		"P4: no new incarnation after recovery or a cut" },
	[BREAK_ACK_AFTER_FENCE] = { "ack-after-fence",
		"P6: acks of the old epoch leave after adoption" },
	[BREAK_SOFT_TRUNCATE] = { "soft-truncate",
		"P5: a cut is reported before it is durable" },
	[BREAK_C_FROM_OPEN] = { "c-from-open",
		"P8: C is taken from the header of OPEN" },
	[BREAK_WRITEBACK_FAR] = { "writeback-far",
		"records above C go to the extent" },
	[BREAK_TWO_CERTS] = { "two-certs",
		"P3: a second certificate in one epoch" },
	[BREAK_STALE_FLUSH] = { "stale-flush",
		"P5: a flush counts in a newer log generation",
		"adoption flushes first (P6): no flush is under way at a cut" },
	[BREAK_HI_LATE] = { "hi-late",
		"P9: write-back starts before extent_hi is durable" },
	[BREAK_REPORT_EARLY] = { "report-early",
		"P6: the report leaves before the adoption is durable" },
	[BREAK_RANK_BY_LSN] = { "rank-by-lsn",
		"candidates are ranked by LSN alone" },
	[BREAK_TRIM_EARLY] = { "trim-early",
		"the ring is trimmed up to C, written back or not" },
	[BREAK_OPEN_UNSAVED] = { "open-unsaved",
		"P2: `opened` is not durable before the open record" },
	[BREAK_ONE_VOTER] = { "one-voter",
		"any one report is taken as evidence" },
	[BREAK_LO_EARLY] = { "lo-early",
		"extent_lo is saved without a flush of the extent" },
	[BREAK_COMPLETE_EARLY] = { "complete-early",
		"barriers end when they are issued" },
	[BREAK_DEAF] = { "deaf-when-full",
		"C on the header of a frame that waits for room is not heard" },
	[BREAK_RELEASE_EARLY] = { "release-early",
		"ring space is used again before the new tail is durable" },
	[BREAK_ACK_RECEIVED] = { "ack-received",
		"what is received is acked as durable" },
	[BREAK_ONE_SLOT] = { "one-slot",
		"the superblock is saved to one slot only" },
	[BREAK_SETTLE_EARLY] = { "settle-early",
		"P1: a configuration settles when it is granted" },
	[BREAK_NEW_CONFIG_ONLY] = { "new-config-only",
		"P1: evidence is judged by the new configuration alone" },
	[BREAK_SHIP_GAP] = { "ship-gap",
		"a frame is skipped now and then" },
	[BREAK_LATE_CUT] = { "late-cut",
		"P4: a cut leaves log_end as it was" },
	[BREAK_LEASE_EARLY] = { "lease-early",
		"P13: a promotion does not wait for the last lease" },
	[BREAK_LEASE_DRIFT] = { "lease-drift",
		"P13: the last lease is waited out by one's own clock alone" },
	[BREAK_READ_EXTENT] = { "read-extent",
		"a read looks at the extent and not at the log" },
	[BREAK_BITS_LATE] = { "bits-late",
		"P11: extent_lo is saved before the bits of its batch" },
	[BREAK_BITS_FORGET] = { "bits-forget",
		"P11: bits are cleared before the new base is durable" },
	[BREAK_SAMPLE_EARLY] = { "sample-early",
		"P10: extent_hi of a base block is sampled before the read" },
	[BREAK_READ_OVERLAY] = { "read-overlay",
		"P10: base blocks are read as clients read, log included" },
	[BREAK_MARK_LATE] = { "mark-late",
		"P10: the mark is not durable before the first base block" },
	[BREAK_NO_LAST_BACK] = { "no-last-back",
		"P10: a delta drops own records <= m that are not in the extent" },
	[BREAK_BASE_WINS] = { "base-wins",
		"P10: a base block overwrites what the stream has written" },
	[BREAK_BASE_HI_LATE] = { "base-hi-late",
		"P10: a base block is written before extent_hi is durable" },
	[BREAK_CLEAR_UNFLUSHED] = { "clear-unflushed",
		"P10: the mark is cleared before the extent is flushed" },
	[BREAK_DONE_EARLY] = { "done-early",
		"P10: the last ack leaves before the mark is durably gone" },
	[BREAK_GROW_DIRTY] = { "grow-dirty",
		"I-238: what a growth adds is not zeroed" },
	[BREAK_REPAIR_STALE] = { "repair-stale",
		"I-237: a block is repaired though it was written meanwhile" },
};

const char *sim_break_name(enum sim_break b)
{
	return b < BREAK_COUNT ? broken[b].name : NULL;
}

const char *sim_break_text(enum sim_break b)
{
	return b < BREAK_COUNT ? broken[b].text : NULL;
}

const char *sim_break_redundant(enum sim_break b)
{
	return b < BREAK_COUNT ? broken[b].redundant : NULL;
}
