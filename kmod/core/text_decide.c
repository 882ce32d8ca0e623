// SPDX-License-Identifier: GPL-2.0-only
/*
 * Words of the controller: what each letter of its two tables means and what to
 * do next, its causes and orders. The long stories are in
 * docs/design/controller.md, section 7.
 */
#include "text.h"

#define LETTERS 26

/* [letter][0]: what it means, [1]: what to do */
static const char *const volume_text[LETTERS][2] = {
	['A' - 'A'] = {
		"Granted, open and settled, as wished.",
		"Nothing to do."
	},
	['B' - 'A'] = {
		"The open record is committed; the record of the store is settled.",
		"Nothing to do."
	},
	['C' - 'A'] = {
		"There is a cause to fence, but another host acts first, or it is too fresh.",
		"Wait; with no daemon on the other hosts this one acts in its turn."
	},
	['D' - 'A'] = {
		"The last epochs were won in vain; the next one waits, longer each time.",
		"Find out why the primary does not open, or why the device cannot be closed."
	},
	['E' - 'A'] = {
		"Too few members show signs of life to prove what was committed.",
		"Bring more members up, or override and accept a loss."
	},
	['F' - 'A'] = {
		"In best_effort only the last primary can prove what was committed; it is silent.",
		"Bring that member up, or override and accept a loss."
	},
	['G' - 'A'] = {
		"The evidence is sufficient and the old lease over; the best log is granted.",
		"Nothing to do."
	},
	['H' - 'A'] = {
		"The epoch is won, but too few members have reported to grant it.",
		"Bring the missing members up, or override and accept a loss."
	},
	['I' - 'A'] = {
		"The epoch is won; reports of living members are awaited.",
		"Nothing to do."
	},
	['J' - 'A'] = {
		"Nobody who reported can be granted it: void, below a known commit, or no place.",
		"Bring the member with the newest data up, or override and accept a loss."
	},
	['K' - 'A'] = {
		"The wish is not reached yet: a member is not in sync, silent, or drained first.",
		"Wait, or see what the missing members suffer from."
	},
	['L' - 'A'] = {
		"The last primary has not adopted, and its lease may still run.",
		"Wait: the grant follows when the lease is out."
	},
	['M' - 'A'] = {
		"Another controller has won the epoch and shows signs of life.",
		"Nothing to do."
	},
	['N' - 'A'] = {
		"The epoch is granted; its primary opens it, or its open record is on the way.",
		"Wait; if it lasts, see which required member is not in sync."
	},
	['O' - 'A'] = {
		"Granted by the operator's override, this once; what is lost was accepted.",
		"Compare the other members before their copies are given up."
	},
	['P' - 'A'] = {
		"No epoch was ever won, and enough members are there.",
		"Nothing to do."
	},
	['Q' - 'A'] = {
		"The primary shows no sign of life, or its disk has failed.",
		"Repair that host; the role moves to the best of the others."
	},
	['R' - 'A'] = {
		"The primary lives without its role; an epoch is opened once only.",
		"Nothing to do: it needs a new epoch, as after every restart."
	},
	['S' - 'A'] = {
		"The volume is stopped: no primary is wanted.",
		"Start it when it is needed again."
	},
	['T' - 'A'] = {
		"The epoch was granted, but its candidate does not open it.",
		"See what its kernel said to the certificate."
	},
	['U' - 'A'] = {
		"The epoch was won by a controller that is gone.",
		"Nothing to do."
	},
	['V' - 'A'] = {
		"A member has adopted more than the store has won.",
		"Nothing to do, unless the store was restored: then raise its generation."
	},
	['W' - 'A'] = {
		"The operator wants the role elsewhere, and that member is in sync.",
		"Nothing to do."
	},
	['X' - 'A'] = {
		"The configuration moves one step towards the wish.",
		"Nothing to do."
	},
	['Y' - 'A'] = {
		"The primary is drained and demoted by order.",
		"Close the device there if it is refused."
	},
	['Z' - 'A'] = {
		"The wish is impossible: mode, members, primary, or nobody is left who has the data.",
		"Correct it; sync_quorum needs 3 members, and one granted member must stay."
	},
};

static const char *const member_text[LETTERS][2] = {
	['A' - 'A'] = {
		"This member has what it needs.",
		"Nothing to do."
	},
	['B' - 'A'] = {
		"The store shows a newer epoch; this member adopts it and reports.",
		"Nothing to do."
	},
	['C' - 'A'] = {
		"The epoch is adopted, but the report is not in the store.",
		"Nothing to do: it is given once more."
	},
	['D' - 'A'] = {
		"This member has adopted more than the store has won.",
		"Nothing to do, unless the store was restored: then raise its generation."
	},
	['E' - 'A'] = {
		"Reported; whoever won the epoch judges.",
		"Nothing to do."
	},
	['F' - 'A'] = {
		"The store shows a newer epoch; this primary fences itself.",
		"Nothing to do: I/O is held until the grant is known."
	},
	['G' - 'A'] = {
		"The epoch is granted to this member; it opens it.",
		"Nothing to do."
	},
	['H' - 'A'] = {
		"This member opened the epoch and lost the role since.",
		"Nothing to do: a new epoch follows."
	},
	['I' - 'A'] = {
		"The member is not attached here.",
		"See why its disk could not be attached."
	},
	['J' - 'A'] = {
		"The epoch is granted to another member; this one follows it.",
		"Nothing to do."
	},
	['K' - 'A'] = {
		"This member follows by an older configuration.",
		"Nothing to do: it is told anew."
	},
	['L' - 'A'] = {
		"A peer is ready and has no link.",
		"Nothing to do."
	},
	['M' - 'A'] = {
		"A peer cannot catch up and is rebuilt.",
		"Nothing to do."
	},
	['N' - 'A'] = {
		"The grant still stands; the lease is prolonged.",
		"Nothing to do."
	},
	['P' - 'A'] = {
		"The last links to a peer ended early; the next one waits, longer each time.",
		"See why they end: address, key, or the letter of the peer."
	},
	['R' - 'A'] = {
		"The granted configuration does not have this member, or nothing was granted yet.",
		"Add it to the volume, or detach it."
	},
	['S' - 'A'] = {
		"Granted, but the volume is stopped.",
		"Start it when it is needed again."
	},
	['V' - 'A'] = {
		"Granted, but this copy is inconsistent or its disk has failed.",
		"Replace the disk; the role moves to another member."
	},
	['W' - 'A'] = {
		"The kernel refused the same order, or the store was read too long ago.",
		"See what the kernel said; the store is read again."
	},
};

const char *swb_text_decide(u8 table, u8 letter, bool hint)
{
	if (letter < 'A' || letter > 'Z')
		return NULL;
	if (table == SWBLOCK_TABLE_VOLUME)
		return volume_text[letter - 'A'][hint];
	if (table == SWBLOCK_TABLE_MEMBER)
		return member_text[letter - 'A'][hint];
	return NULL;
}

const char *swb_text_cause(enum swb_cause cause)
{
	static const char *const name[SWB_CAUSE_COUNT] = {
		[SWB_CAUSE_NONE] = "none",
		[SWB_CAUSE_FIRST] = "first",
		[SWB_CAUSE_SILENT] = "primary_silent",
		[SWB_CAUSE_RESTARTED] = "primary_restarted",
		[SWB_CAUSE_DISK] = "primary_disk",
		[SWB_CAUSE_NOT_OPENED] = "not_opened",
		[SWB_CAUSE_OWNER_GONE] = "owner_gone",
		[SWB_CAUSE_OVERTAKEN] = "overtaken",
		[SWB_CAUSE_ORDER] = "order",
		[SWB_CAUSE_CONFIG] = "config",
		[SWB_CAUSE_SHRINK] = "shrink",
		[SWB_CAUSE_GROW] = "grow",
	};

	return (u32)cause < SWB_CAUSE_COUNT ? name[cause] : NULL;
}

const char *swb_text_order(enum swb_order order)
{
	static const char *const name[SWB_ORDER_COUNT] = {
		[SWB_ORDER_NOTHING] = "nothing",
		[SWB_ORDER_DEMOTE] = "demote",
		[SWB_ORDER_WIN] = "win",
		[SWB_ORDER_GRANT] = "grant",
		[SWB_ORDER_SETTLE] = "settle",
	};

	return (u32)order < SWB_ORDER_COUNT ? name[order] : NULL;
}

const char *swb_text_member_order(enum swb_member_order order)
{
	static const char *const name[SWB_MEMBER_ORDER_COUNT] = {
		[SWB_MEMBER_NOTHING] = "nothing",
		[SWB_MEMBER_ADOPT] = "adopt",
		[SWB_MEMBER_PROMOTE] = "promote",
		[SWB_MEMBER_ASSIGN] = "assign",
		[SWB_MEMBER_RENEW] = "renew",
		[SWB_MEMBER_LINK] = "link",
		[SWB_MEMBER_REBUILD] = "rebuild",
	};

	return (u32)order < SWB_MEMBER_ORDER_COUNT ? name[order] : NULL;
}
