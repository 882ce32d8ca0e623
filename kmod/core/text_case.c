// SPDX-License-Identifier: GPL-2.0-only
/*
 * What each case letter means and what to do next, one sentence each. The
 * long story of a letter is in the file of its table and in
 * docs/design/state-model.md.
 */
#include "text.h"

struct case_text {
	const char *what;
	const char *hint;
};

#define LETTERS 14	/* A to N */

static const struct case_text recover_text[LETTERS] = {
	['A' - 'A'] = {
		"Neither superblock slot is whole, so epoch and extent marks are unknown.",
		"Format the disk as a new replica and rebuild it from a good member."
	},
	['B' - 'A'] = {
		"Both superblock slots claim the same generation with different content.",
		"Find out which host or image wrote the second one, then format this copy anew."
	},
	['C' - 'A'] = {
		"This device carries no swblock superblock.",
		"Check the path, or run 'swblockctl format' on it first."
	},
	['D' - 'A'] = {
		"Ring or extent do not fit the device, or the WAL device is not the partner.",
		"Give the devices this copy was formatted with, at their full size."
	},
	['E' - 'A'] = {
		"A superblock slot was written by a release that this one does not understand.",
		"Load a module at least as new as the one that wrote it."
	},
	['F' - 'A'] = {
		"The disk failed a write or flush before and is latched as failed.",
		"Replace the disk and format it as a new replica."
	},
	['G' - 'A'] = {
		"A delta copy or rebuild of this copy was not finished, so it is no prefix.",
		"Let the primary rebuild it; until then it counts for nothing."
	},
	['H' - 'A'] = {
		"The log ends cleanly.",
		"Nothing to do."
	},
	['I' - 'A'] = {
		"The last group header is torn; it was never acknowledged, the log is cut before it.",
		"Nothing to do: this is what a crash in the middle of a write leaves."
	},
	['J' - 'A'] = {
		"The last group is torn inside; it was never acknowledged, the log is cut before it.",
		"Nothing to do: this is what a crash in the middle of a write leaves."
	},
	['K' - 'A'] = {
		"Behind the last chained group lies a tail that was cut off earlier; it stays dead.",
		"Nothing to do."
	},
	['L' - 'A'] = {
		"The log ends below what may already be in the extent; records are lost.",
		"Check the disk, then format it as a new replica and rebuild it."
	},
	['M' - 'A'] = {
		"The first group of the log is unreadable while write-back was under way.",
		"Check the disk, then format it as a new replica and rebuild it."
	},
	['N' - 'A'] = {
		"A chained group steps back in epoch or leaves a gap; no crash makes that.",
		"Keep the disk for analysis and report it; rebuild this copy on another one."
	},
};

static const struct case_text resync_text[LETTERS] = {
	['A' - 'A'] = {
		"The peer belongs to another volume, or its size or block size differs.",
		"Link to the right host; the volume id and size of both must agree."
	},
	['B' - 'A'] = {
		"The peer is not the replica that was linked, not a member, or this one itself.",
		"Link by the replica id shown on the peer; a new disk enters by an assignment."
	},
	['C' - 'A'] = {
		"The peer obeys another authority store, or another generation of it.",
		"Use one store for the volume; after a restore raise its generation everywhere."
	},
	['D' - 'A'] = {
		"The peer's copy is inconsistent or its disk has failed.",
		"Replace its disk if it failed, then rebuild it."
	},
	['E' - 'A'] = {
		"The peer has adopted a newer epoch, so this primary can commit nothing more.",
		"Ask the store who was granted the newer epoch; I/O is held until then."
	},
	['F' - 'A'] = {
		"One epoch was opened at two different LSNs; something was rolled back underneath.",
		"Touch nothing, keep both disks, and find out which store or image was restored."
	},
	['G' - 'A'] = {
		"The last common LSN is forgotten, or lies below what the peer's extent may hold.",
		"Rebuild the peer."
	},
	['H' - 'A'] = {
		"The peer's log would be cut below an LSN that it was told is committed.",
		"Touch nothing; compare both members, then decide by an override promotion."
	},
	['I' - 'A'] = {
		"The logs are equal; in sync after the next barrier.",
		"Nothing to do."
	},
	['J' - 'A'] = {
		"The peer is behind on the same history, and the ring still holds what it lacks.",
		"Nothing to do: it is catching up."
	},
	['K' - 'A'] = {
		"The peer holds records of a dead branch; it cuts them and catches up.",
		"Nothing to do: what is cut was never committed."
	},
	['L' - 'A'] = {
		"The ring no longer holds what the peer lacks, but the changed-block bitmap does.",
		"Let the delta copy run; the peer is no prefix until it ends."
	},
	['M' - 'A'] = {
		"The ring no longer holds what the peer lacks.",
		"Rebuild the peer; a larger ring bridges longer absences."
	},
	['N' - 'A'] = {
		"The peer has not adopted this epoch yet.",
		"Order the adoption there and link again."
	},
};

static const struct case_text promote_text[LETTERS] = {
	['A' - 'A'] = {
		"The certificate is complete; the epoch may be opened.",
		"Nothing to do."
	},
	['B' - 'A'] = {
		"The certificate is not for the epoch that this member has adopted.",
		"Adopt the epoch first, or ask for a certificate of the newest one."
	},
	['C' - 'A'] = {
		"This member has opened that epoch before; an epoch is opened once.",
		"Win a new epoch and promote in it."
	},
	['D' - 'A'] = {
		"Volume, candidate, store or store generation are not this member's.",
		"Use the volume's own store and name this replica as the candidate."
	},
	['E' - 'A'] = {
		"The evidence lacks this member's own report of that epoch.",
		"Adopt the epoch here and put the report into the certificate."
	},
	['F' - 'A'] = {
		"The log here is shorter than this member reported.",
		"Check the disk; adopt and report again in a new epoch."
	},
	['G' - 'A'] = {
		"Another member reported a better log.",
		"Promote the member with the highest report."
	},
	['H' - 'A'] = {
		"Too few reports under a configuration that may have committed.",
		"Bring more members up and let them adopt, or override and accept a loss."
	},
	['I' - 'A'] = {
		"A member was told of a commit that this log lacks.",
		"Promote a member that holds it, or override and accept the loss."
	},
	['J' - 'A'] = {
		"This copy is inconsistent or its disk has failed.",
		"Promote another member; no override changes this."
	},
	['K' - 'A'] = {
		"In best_effort only the last granted primary can prove what was committed.",
		"Bring that node up and let it adopt, or override and accept a loss."
	},
	['L' - 'A'] = {
		"This member is already primary in that epoch, or is opening it.",
		"Nothing to do."
	},
	['M' - 'A'] = {
		"The configuration is impossible: members, required set or mode do not fit.",
		"Correct the configuration; sync_quorum needs 3 members, sync_all a required set with this one."
	},
	['N' - 'A'] = {
		"The last granted primary has not adopted, and its lease was not waited out.",
		"Let it adopt the epoch, or wait the lease out before the promotion."
	},
};

static const struct case_text *case_of(u8 table, u8 letter)
{
	const struct case_text *t;

	if (letter < 'A' || letter >= 'A' + LETTERS)
		return NULL;
	if (table == SWBLOCK_TABLE_RECOVER)
		t = recover_text;
	else if (table == SWBLOCK_TABLE_RESYNC)
		t = resync_text;
	else if (table == SWBLOCK_TABLE_PROMOTE)
		t = promote_text;
	else
		return NULL;
	return &t[letter - 'A'];
}

const char *swb_text_case(u8 table, u8 letter)
{
	const struct case_text *t = case_of(table, letter);

	if (table == SWBLOCK_TABLE_VOLUME || table == SWBLOCK_TABLE_MEMBER)
		return swb_text_decide(table, letter, false);
	return t ? t->what : NULL;
}

const char *swb_text_hint(u8 table, u8 letter)
{
	const struct case_text *t = case_of(table, letter);

	if (table == SWBLOCK_TABLE_VOLUME || table == SWBLOCK_TABLE_MEMBER)
		return swb_text_decide(table, letter, true);
	return t ? t->hint : NULL;
}
