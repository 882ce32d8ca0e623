/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one place where enums get their names, and case letters their sentence.
 * Every function returns a static string, "?" for a value out of range.
 */
#ifndef SWB_CORE_TEXT_H
#define SWB_CORE_TEXT_H

#include "core.h"
#include "codec.h"
#include "decide.h"
#include "recover.h"
#include "resync.h"

const char *swb_text_mode(u8 mode);		/* "sync_all" */
const char *swb_text_policy(u8 policy);
const char *swb_text_role(u8 role);
const char *swb_text_peer_state(u8 state);
const char *swb_text_stage(u32 stage);
const char *swb_text_condition(u32 bit);	/* one bit */
const char *swb_text_reason(u32 reason);	/* "stale_epoch" */
const char *swb_text_event(enum swb_event_type t);
const char *swb_text_action(enum swb_action_type t);
const char *swb_text_event_kind(u32 kind);	/* netlink event */
const char *swb_text_stat(u32 stat);
const char *swb_text_super(enum swb_super_verdict v);
const char *swb_text_scan_end(enum swb_scan_end e);
const char *swb_text_resync(enum swb_resync_verdict v);
const char *swb_text_recover(enum swb_recover_verdict v);
const char *swb_text_wire(u16 type);

/** swb_text_decide() - text_case() and _hint() of the controller's two tables */
const char *swb_text_decide(u8 table, u8 letter, bool hint);

/** swb_text_case() - one sentence: what the letter means; NULL if no such case */
const char *swb_text_case(u8 table, u8 letter);

/** swb_text_hint() - one sentence: what to do next; NULL if no such case */
const char *swb_text_hint(u8 table, u8 letter);

/** swb_text_rebuild() - enum swblock_rebuild: none, delta, full */
const char *swb_text_rebuild(u8 kind);

#endif /* SWB_CORE_TEXT_H */
