/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One epoch, from the first compare-and-swap to a running primary:
 *
 *	CAS won(e) -> ADOPT at every member in reach -> reports -> judge ->
 *	lease of the last primary -> CAS granted(e) -> PROMOTE -> ASSIGN -> settle
 *
 * promote and assign are two ways to ask for it. The judge is the core's
 * swb_promote_judge(), the same that the kernel asks again (P16).
 */
#ifndef SWB_CTL_EPOCH_H
#define SWB_CTL_EPOCH_H

#include "member.h"

#define REPORT_FILES_MAX	SWB_MEMBERS_MAX

/**
 * struct config_wish - what the options say about a configuration
 * @any: some option was given
 * @config: the configuration that comes out, on top of the record's
 * @primary_only: required set is the primary alone, whoever that will be
 * @lease_ms: lease length
 * @member_count: names of members
 * @member: those
 */
struct config_wish {
	bool any;
	struct swb_config config;
	bool primary_only;
	uint32_t lease_ms;
	unsigned int member_count;
	struct auth_member member[SWB_MEMBERS_MAX];
};

/**
 * wish_take() - the options --members --mode --policy --required --lease
 * @ctl: context
 * @dump: attached members, to find labels
 * @volume: volume the members must belong to
 * @rec: record to start from, NULL for a new one
 * @out: what comes out, valid
 */
int wish_take(struct ctl *ctl, const struct kern_dump *dump,
	      const struct swb_uuid *volume, const struct auth_record *rec,
	      struct config_wish *out);

/**
 * struct epoch_run - an epoch on its way
 * @rec: the record as it stands
 * @store: the store's identity
 * @dump: attached members, as of the start
 * @candidate: member to be promoted
 * @wish: configuration, lease
 * @report_count: reports so far
 * @report: those, of members of any configuration that judges
 * @file_count: reports given as files
 * @file: those
 * @won_ns: CLOCK_BOOTTIME when the winning swap was known to have succeeded
 * @override: the operator waives evidence
 * @primary_gone: the operator knows that the last primary runs no more; where
 *	there is no lease nothing else can tell
 * @reason: in the operator's words
 */
struct epoch_run {
	struct auth_record rec;
	struct auth_store store;
	const struct kern_dump *dump;
	const struct kern_volume *candidate;
	struct config_wish wish;
	unsigned int report_count;
	struct swb_report report[SWB_MEMBERS_MAX];
	unsigned int file_count;
	struct swb_report file[REPORT_FILES_MAX];
	uint64_t won_ns;
	bool override;
	bool primary_gone;
	const char *reason;
};

/** epoch_run() - all of it; CTL_OK or a printed error */
int epoch_run(struct ctl *ctl, struct epoch_run *run);

/** epoch_say_relink() - links end with an epoch: say how they are made again */
void epoch_say_relink(struct ctl *ctl, const struct epoch_run *run);

/** epoch_plan() - --dry-run: what would be done and what stands in the way */
int epoch_plan(struct ctl *ctl, struct epoch_run *run);

/**
 * epoch_settle() - settle the record's epoch if its open record is committed (P1)
 * @ctl: context, kernel and store open
 * @volume: which
 * @wait_ms: how long to wait for the commit, 0: only look
 *
 * Quiet; false if it is not settled afterwards.
 */
bool epoch_settle(struct ctl *ctl, const struct swb_uuid *volume,
		  unsigned int wait_ms);

/**
 * epoch_follow() - a member learns of a grant: it adopts the epoch and is told
 * whom to follow
 * @ctl: context, events open
 * @v: member; nothing happens if it is the granted one
 * @rec: record in phase granted or settled
 * @store: where that record stands
 * @out: its report
 */
int epoch_follow(struct ctl *ctl, const struct kern_volume *v,
		 const struct auth_record *rec, const struct auth_store *store,
		 struct swb_report *out);

/**
 * epoch_bring_in() - epoch_follow() for a member that came back without a role,
 * if the store on this host has a grant to follow; silent if not
 */
int epoch_bring_in(struct ctl *ctl, const struct kern_volume *v);

/* evidence.c */

/** evidence_collect() - ADOPT at every attached member of the volume, and wait */
int evidence_collect(struct ctl *ctl, struct epoch_run *run);

/** evidence_adopt_one() - ADOPT at one member and wait for its report */
int evidence_adopt_one(struct ctl *ctl, const struct kern_volume *v,
		       uint64_t epoch, const struct auth_store *store,
		       uint64_t deadline_ns, struct swb_report *out);

/** evidence_read_files() - the --report files, checked against the record */
int evidence_read_files(struct ctl *ctl, struct epoch_run *run);

/** evidence_order() - JSON that tells another host what to adopt */
json_t *evidence_order(const struct epoch_run *run);

const struct swb_report *evidence_of(const struct epoch_run *run,
				     const struct swb_uuid *replica);

/** evidence_missing() - members of judging configurations without a usable report */
unsigned int evidence_missing(const struct epoch_run *run,
			      struct swb_uuid out[SWB_MEMBERS_MAX]);

/** evidence_loss() - say what an override may lose, in numbers */
void evidence_loss(struct ctl *ctl, const struct epoch_run *run);

#endif /* SWB_CTL_EPOCH_H */
