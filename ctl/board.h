/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The documents of the blackboard as structs (docs/design/controller.md, 1).
 * Only the record (authority.h) decides; these are declarations, reports, hints.
 *
 * Reading is total: a document that is torn, hostile or of another program gives
 * -EBADMSG and words with its key and the path in it, never half a struct.
 * Members of a document that are not known here are ignored.
 */
#ifndef SWB_CTL_BOARD_H
#define SWB_CTL_BOARD_H

#include "authority.h"
#include "store.h"

#define BOARD_NODE_MAX		64	/* name of a host, with NUL */
#define BOARD_ADDRESS_MAX	128
#define BOARD_TEXT_MAX		256
#define BOARD_VERB_MAX		32
#define BOARD_MEMBERS_MAX	(2 * SWB_MEMBERS_MAX)
#define BOARD_WORDS		16	/* bytes of a word, with NUL */

/**
 * struct board_member - a member as declared
 * @replica: its id; drawn by swblockctl, written into the superblock by format
 * @label: its name
 * @node: host it lives on
 * @data: block device there
 * @wal: device of an external ring, "" = internal
 * @format: the host's daemon may format @data when it is blank
 * @format_force: also when it is not blank
 */
struct board_member {
	struct swb_uuid replica;
	char label[SWBLOCK_LABEL_MAX];
	char node[BOARD_NODE_MAX];
	char data[SWBLOCK_PATH_MAX];
	char wal[SWBLOCK_PATH_MAX];
	bool format;
	bool format_force;
};

/**
 * struct board_wish - v/V/wish: what the operator declared
 * @sequence: raised by every change, from 1
 * @label: name of the volume
 * @size_bytes: of the volume
 * @mode: enum swblock_mode
 * @policy: enum swblock_policy
 * @required: bit i = member i; for sync_all
 * @primary_only: the required set is whoever is primary
 * @lease_ms: 0 = none
 * @shrink_ms: 0 = never without an order
 * @primary: preferred, or ordered there; null = anywhere
 * @override: accept the loss that a certificate would refuse, for one grant to
 *	@primary
 * @stopped: no primary is wanted
 * @deleted: for good: its members are detached, it is shown no more
 * @reason: operator's words
 * @member_count: members
 * @member: those
 */
struct board_wish {
	uint64_t sequence;
	char label[SWBLOCK_LABEL_MAX];
	uint64_t size_bytes;
	uint8_t mode;
	uint8_t policy;
	uint32_t required;
	bool primary_only;
	uint32_t lease_ms;
	uint32_t shrink_ms;
	struct swb_uuid primary;
	bool override;
	bool stopped;
	bool deleted;
	char reason[BOARD_TEXT_MAX];
	unsigned int member_count;
	struct board_member member[SWB_MEMBERS_MAX];
};

/**
 * struct board_report - v/V/report/R: the newest report of a member (P6)
 * @node: host that wrote it
 * @boot: id of that host's boot
 * @report: evidence only if @report.adopted is the epoch that is judged
 */
struct board_report {
	char node[BOARD_NODE_MAX];
	struct swb_uuid boot;
	struct swb_report report;
};

/**
 * struct board_rebuild - how far a rebuild or catch-up is
 * @kind: "" = none, else "catch_up", "delta", "rebuild", "verify"
 * @done_bytes: so far
 * @total_bytes: of so many, as known now
 * @rate_bytes: a second
 * @eta_ms: 0 = unknown
 */
struct board_rebuild {
	char kind[BOARD_WORDS];
	uint64_t done_bytes;
	uint64_t total_bytes;
	uint64_t rate_bytes;
	uint64_t eta_ms;
};

/** struct board_peer - another member as this one sees it; as struct kern_peer */
struct board_peer {
	struct swb_uuid replica;
	uint8_t state;			/* enum swblock_peer_state */
	bool required;
	uint8_t letter;			/* case of the resync table, 0 = none */
	uint32_t reason;
	uint64_t session;
	uint64_t match_lsn, target_lsn, cursor_lsn;
	uint64_t received_lsn, written_lsn, durable_lsn;
	uint64_t behind_lsn;		/* records */
	uint64_t behind_bytes;
	uint64_t behind_ns;
	struct board_rebuild rebuild;
};

/**
 * struct board_state - v/V/state/R: a member as its host sees it
 * @node: host
 * @boot: of its boot
 * @sequence: raised by each write
 * @replica: member
 * @label: its name
 * @attached: the kernel has it; else the fields up to @waits are of no meaning
 * @minor: /dev/swblock<minor>
 * @role: enum swblock_role
 * @epoch: adopted
 * @opened: newest epoch opened here
 * @settled: as primary: the open record is committed under the new rule (P1)
 * @primary: whom it follows
 * @conditions: SWBLOCK_COND_*
 * @flags: SWBLOCK_REPORT_INCONSISTENT, SWBLOCK_REPORT_DISK_FAILED
 * @size_bytes: of the volume here
 * @head_lsn: and the other marks
 * @ring_bytes: room of the WAL
 * @ring_used: of that
 * @openers: of the block device
 * @inflight: requests
 * @parked: writes that wait
 * @local_letter: case of the local recovery table
 * @promote_letter: of the certificate table
 * @lease_left_ms: until the lease ends, 0 = none or over
 * @store: authority store in the superblock (P17c)
 * @store_generation: of that store
 * @volume_letter: last verdict of swb_decide_volume() here
 * @member_letter: last verdict of swb_decide_member() here
 * @cause: enum swb_cause of @volume_letter
 * @waits: what it waits for, in words, "" = nothing
 * @error: last failure of an apply step, "" = none
 * @peer_count: peers
 * @peer: those
 */
struct board_state {
	char node[BOARD_NODE_MAX];
	struct swb_uuid boot;
	uint64_t sequence;
	struct swb_uuid replica;
	char label[SWBLOCK_LABEL_MAX];
	bool attached;
	uint32_t minor;
	uint8_t role;
	uint64_t epoch, opened;
	bool settled;
	struct swb_uuid primary;
	uint32_t conditions;
	uint32_t flags;
	uint64_t size_bytes;
	uint64_t head_lsn, written_lsn, durable_lsn, committed_lsn;
	uint64_t extent_lo, extent_hi, log_start;
	uint64_t ring_bytes, ring_used;
	uint32_t openers, inflight, parked;
	uint8_t local_letter, promote_letter;
	uint64_t lease_left_ms;
	struct swb_uuid store;
	uint64_t store_generation;
	uint8_t volume_letter, member_letter, cause;
	char waits[BOARD_TEXT_MAX];
	char error[BOARD_TEXT_MAX];
	unsigned int peer_count;
	struct board_peer peer[SWB_MEMBERS_MAX];
};

/**
 * struct board_node - n/H: sign of life of a host, gone by itself after a while
 * @node: host
 * @boot: id of its boot
 * @instance: drawn when the daemon starts
 * @counter: raised by each write
 * @address: HOST:PORT that it listens on, "" = it does not
 * @version: of the program
 */
struct board_node {
	char node[BOARD_NODE_MAX];
	struct swb_uuid boot;
	struct swb_uuid instance;
	uint64_t counter;
	char address[BOARD_ADDRESS_MAX];
	char version[BOARD_WORDS];
};

enum board_order_state {
	BOARD_ORDER_NEW,
	BOARD_ORDER_RUNNING,
	BOARD_ORDER_DONE,
	BOARD_ORDER_FAILED,
};

/**
 * struct board_order - v/V/order/N: one job for one member
 * @id: N
 * @verb: "rebuild", "verify", "suspend", ...
 * @target: member whose host does it
 * @state: how far it is
 * @by: who ordered it
 * @text: words of the outcome
 * @args: JSON object, NULL = none; owned, see board_order_free()
 * @result: JSON object, NULL = none; owned
 */
struct board_order {
	uint64_t id;
	char verb[BOARD_VERB_MAX];
	struct swb_uuid target;
	enum board_order_state state;
	char by[AUTH_OWNER_MAX];
	char text[BOARD_TEXT_MAX];
	json_t *args;
	json_t *result;
};

void board_order_free(struct board_order *o);
const char *board_order_state_text(enum board_order_state state);

/* --- JSON --- */

/*
 * The board_*_from_json() functions: 0 or -EBADMSG, @out is zeroed first; @why
 * gets the path in the document and what is wrong there.
 */
json_t *board_wish_to_json(const struct board_wish *w);
int board_wish_from_json(const json_t *j, struct board_wish *out, char *why,
			 size_t len);
json_t *board_report_to_json(const struct board_report *r);
int board_report_from_json(const json_t *j, struct board_report *out, char *why,
			   size_t len);
json_t *board_state_to_json(const struct board_state *s);
int board_state_from_json(const json_t *j, struct board_state *out, char *why,
			  size_t len);
json_t *board_node_to_json(const struct board_node *n);
int board_node_from_json(const json_t *j, struct board_node *out, char *why,
			 size_t len);
json_t *board_order_to_json(const struct board_order *o);
int board_order_from_json(const json_t *j, struct board_order *out, char *why,
			  size_t len);

/* --- one document ---
 *
 * Get: 0, -ENOENT, -EBADMSG, or as store_get(); words in store_error().
 * @revision may be NULL. Put: as store_txn(); @expect as struct store_op.
 */
int board_get_wish(struct store *s, const struct swb_uuid *volume,
		   struct board_wish *out, uint64_t *revision);
int board_put_wish(struct store *s, const struct swb_uuid *volume,
		   const struct board_wish *w, uint64_t expect);
int board_get_report(struct store *s, const struct swb_uuid *volume,
		     const struct swb_uuid *replica, struct board_report *out,
		     uint64_t *revision);
int board_put_report(struct store *s, const struct swb_uuid *volume,
		     const struct board_report *r);
int board_get_state(struct store *s, const struct swb_uuid *volume,
		    const struct swb_uuid *replica, struct board_state *out,
		    uint64_t *revision);
int board_put_state(struct store *s, const struct swb_uuid *volume,
		    const struct board_state *st);
int board_get_node(struct store *s, const char *node, struct board_node *out,
		   uint64_t *revision);
/** board_put_node() - @ttl_ms: how long it stands without another */
int board_put_node(struct store *s, const struct board_node *n, uint32_t ttl_ms);
int board_get_order(struct store *s, const struct swb_uuid *volume, uint64_t id,
		    struct board_order *out, uint64_t *revision);
int board_put_order(struct store *s, const struct swb_uuid *volume,
		    const struct board_order *o, uint64_t expect);
/** board_new_order() - under the next free number, which is put into @o->id */
int board_new_order(struct store *s, const struct swb_uuid *volume,
		    struct board_order *o);
int board_delete_order(struct store *s, const struct swb_uuid *volume, uint64_t id,
		       uint64_t expect);
/** board_delete_rest() - of a deleted volume: reports, states and orders */
int board_delete_rest(struct store *s, const struct swb_uuid *volume);

/* --- everything at once --- */

/**
 * struct board_volume - all documents of a volume, of one snapshot
 * @volume: uuid
 * @record_revision: of @record, 0: there is none
 * @record: the authority record
 * @wish_revision: of @wish, 0: there is none
 * @wish: the declaration
 * @report_count: reports
 * @report: those
 * @state_count: states
 * @state: those
 * @order_count: orders, done ones too
 * @order: those
 * @order_revision: and theirs
 * @bad: key, path and fault of the first damaged document, "" = none; it counts
 *	as absent. A damaged record: do nothing with the volume
 */
struct board_volume {
	struct swb_uuid volume;
	uint64_t record_revision;
	struct auth_record record;
	uint64_t wish_revision;
	struct board_wish wish;
	unsigned int report_count;
	struct board_report report[BOARD_MEMBERS_MAX];
	unsigned int state_count;
	struct board_state state[BOARD_MEMBERS_MAX];
	size_t order_count;
	struct board_order *order;
	uint64_t *order_revision;
	char bad[BOARD_TEXT_MAX];
};

/** struct board - the blackboard */
struct board {
	size_t volume_count;
	struct board_volume **volume;
	size_t node_count;
	struct board_node *node;
	uint64_t *node_revision;	/* changes with each sign of life */
};

/**
 * board_load() - volumes, then hosts: two snapshots, each consistent in itself
 * @s: store
 * @volume: only this one, NULL: all
 * @out: to be freed with board_free()
 */
int board_load(struct store *s, const struct swb_uuid *volume, struct board **out);
void board_free(struct board *b);
void board_volume_free(struct board_volume *v);
struct board_volume *board_find(struct board *b, const struct swb_uuid *volume);

#endif /* SWB_CTL_BOARD_H */
