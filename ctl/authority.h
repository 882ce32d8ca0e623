/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The authority record of a volume, and the store that keeps it.
 *
 * authority.c has the moves of a record as pure functions (win, grant, settle) and
 * its form as JSON; authority_store.c carries them out in a store (store.h), all or
 * nothing.
 *
 * Rules that live here: P1 joint evidence, P3 two compare-and-swaps per epoch,
 * P13 the length of the lease, P17(c) one store per volume.
 */
#ifndef SWB_CTL_AUTHORITY_H
#define SWB_CTL_AUTHORITY_H

#include "ctl.h"
#include "store.h"

#define AUTH_GRANTED_MAX	SWB_CONFIGS_MAX	/* base + 4 unsettled: P1 */
#define AUTH_OWNER_MAX		96
#define AUTH_REASON_MAX		256

/**
 * enum auth_phase - where the epoch of a record stands
 * @AUTH_NEW: described, no epoch was ever won
 * @AUTH_WON: somebody fences; no certificate exists (P3)
 * @AUTH_GRANTED: one candidate may open it, for ever
 * @AUTH_SETTLED: its primary has committed its open record (P1)
 */
enum auth_phase {
	AUTH_NEW,
	AUTH_WON,
	AUTH_GRANTED,
	AUTH_SETTLED,
};

/**
 * struct auth_store - identity of a store (P17c)
 * @uuid: drawn when the file is made
 * @generation: raised by the operator after a restore from a backup
 */
struct auth_store {
	struct swb_uuid uuid;
	uint64_t generation;
};

/** struct auth_member - a member by id and name */
struct auth_member {
	struct swb_uuid id;
	char label[SWBLOCK_LABEL_MAX];
};

/**
 * struct auth_granted - a configuration some primary may have committed under
 * @epoch: epoch it was granted in
 * @config: that configuration
 */
struct auth_granted {
	uint64_t epoch;
	struct swb_config config;
};

/**
 * struct auth_record - everything that is decided about a volume
 * @volume: volume uuid, the key
 * @label: volume label
 * @epoch: newest epoch won
 * @phase: where it stands
 * @owner: controller that won it, for people
 * @nonce: drawn for each attempt; what says "mine" after an unknown outcome (P3)
 * @candidate: to whom @epoch is granted; null while it is only won
 * @config: what the next epoch will use unless told otherwise: the newest
 *	granted one, or the first assignment
 * @proposed: configuration of @epoch while it is only won
 * @lease_ms: lease length under which the last granted primary may renew, 0 = none
 * @proposed_lease_ms: as @proposed
 * @last_epoch: newest granted epoch, 0 if none
 * @last_granted: its primary
 * @granted_count: configurations that evidence is judged by
 * @granted: those, oldest first; [0] is the settled one, once there is one (P1)
 * @member_count: members with names
 * @member: those
 * @overridden: newest epoch that was granted by override, 0 if none (ambiguity 20)
 * @primary_only: the required set is whoever is primary, by explicit order
 * @wish_done: sequence of the wish that the newest grant has taken up
 * @cert: certificate of @last_epoch, so that its candidate can be told again and
 *	again; @cert.epoch 0: there is none
 * @serial: changes of this record so far; kept by the store, not by callers
 */
struct auth_record {
	struct swb_uuid volume;
	char label[SWBLOCK_LABEL_MAX];
	uint64_t epoch;
	enum auth_phase phase;
	char owner[AUTH_OWNER_MAX];
	struct swb_uuid nonce;
	struct swb_uuid candidate;
	struct swb_config config;
	struct swb_config proposed;
	uint32_t lease_ms;
	uint32_t proposed_lease_ms;
	uint64_t last_epoch;
	struct swb_uuid last_granted;
	unsigned int granted_count;
	struct auth_granted granted[AUTH_GRANTED_MAX];
	unsigned int member_count;
	struct auth_member member[SWB_MEMBERS_MAX];
	uint64_t overridden;
	bool primary_only;
	uint64_t wish_done;
	struct swb_cert cert;
	uint64_t serial;
};

/**
 * struct auth_note - why a record changed, for the history
 * @action: one word: "assign", "win", "grant", "settle", ...
 * @reason: operator's words, or ""
 * @detail: anything for a machine, or NULL; borrowed
 */
struct auth_note {
	const char *action;
	const char *reason;
	json_t *detail;
};

/* --- moves of a record: pure, false where the move does not exist --- */

const char *auth_phase_text(enum auth_phase phase);

/**
 * auth_win() - first compare-and-swap: the next epoch is ours to fence
 * @r: record, moved on
 * @at_least: an epoch some member has already adopted; ours will be above (P17c)
 * @config: configuration to propose, NULL: the one in force
 * @lease_ms: lease length to propose
 * @owner: who
 * @nonce: fresh
 *
 * Return: NULL, or why not.
 */
const char *auth_win(struct auth_record *r, uint64_t at_least,
		     const struct swb_config *config, uint32_t lease_ms,
		     const char *owner, const struct swb_uuid *nonce);

/** auth_take_over() - a won epoch changes hands; it was granted to nobody yet */
const char *auth_take_over(struct auth_record *r, const char *owner,
			   const struct swb_uuid *nonce);

/**
 * auth_grant() - second compare-and-swap: one candidate, for ever (P3)
 * @r: record in phase won with the nonce of the caller
 * @candidate: member of the proposed configuration
 * @override: evidence was waived
 */
const char *auth_grant(struct auth_record *r, const struct swb_uuid *candidate,
		       bool override);

/** auth_settle() - only the newest configuration counts from now on (P1) */
const char *auth_settle(struct auth_record *r);

/** auth_same_config() - equal in everything that evidence depends on */
bool auth_same_config(const struct swb_config *a, const struct swb_config *b);

const struct auth_member *auth_member(const struct auth_record *r,
				      const struct swb_uuid *id);

json_t *auth_to_json(const struct auth_record *r);
bool auth_from_json(const json_t *j, struct auth_record *r);
json_t *config_to_json(const struct swb_config *c, const struct auth_record *r);
bool config_from_json(const json_t *j, struct swb_config *c);
json_t *cert_to_json(const struct swb_cert *c, const struct auth_record *r);
bool cert_from_json(const json_t *j, struct swb_cert *c);
json_t *report_to_json(const struct swb_report *r);
bool report_from_json(const json_t *j, struct swb_report *r);

/* --- in the store: store.h --- */

/** authority_identity() - store_identity(), in the words of this header */
int authority_identity(struct store *s, struct auth_store *out);

/** authority_parse() - a document as a record. Return: 0, -EBADMSG: damaged */
int authority_parse(struct store *s, const struct store_doc *doc,
		    struct auth_record *out);

/** authority_load() - linearizable read. Return: as store_get(), -EBADMSG */
int authority_load(struct store *s, const struct swb_uuid *volume,
		   struct auth_record *out);

/** authority_find() - by uuid or label. Return: as authority_load() */
int authority_find(struct store *s, const char *name, struct auth_record *out);

/** authority_list() - all records; @fn returning non-zero ends it */
int authority_list(struct store *s,
		   int (*fn)(const struct auth_record *r, void *arg), void *arg);

/**
 * authority_create() - a new record. Return: 0; -EEXIST: the volume, or its label;
 * or as store_txn()
 */
int authority_create(struct store *s, const struct auth_record *r,
		     const struct auth_note *note);

/**
 * authority_swap() - compare-and-swap
 * @s: store
 * @old: what the caller has read: it must still be this, down to the nonce
 * @next: what shall be
 * @note: for the history
 *
 * Linearizable and durable when it returns 0. After a failure of unknown outcome
 * the record is read again, and the swap was ours only if what stands there is
 * @next with its nonce (P3).
 *
 * Return: 0; -ESTALE: somebody else moved it; -EIO, -ETIMEDOUT: the outcome is
 * unknown, it may yet happen: call it again with the same @old and @next.
 */
int authority_swap(struct store *s, const struct auth_record *old,
		   const struct auth_record *next, const struct auth_note *note);

/**
 * authority_retire() - give a record's label free for a new volume
 * @s: store
 * @old: as of authority_swap()
 * @note: for the history
 * @next: out: the record under its new label
 *
 * The record itself stays: epochs that were granted must not be granted again,
 * should a disk of it turn up (P3). Return: as authority_swap().
 */
int authority_retire(struct store *s, const struct auth_record *old,
		     const struct auth_note *note, struct auth_record *next);

/** authority_history() - newest first, at most @max lines, of one volume */
json_t *authority_history(struct store *s, const struct swb_uuid *volume,
			  unsigned int max);

#endif /* SWB_CTL_AUTHORITY_H */
