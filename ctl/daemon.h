/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * swblockd inside: what all its files share. docs/design/controller.md.
 *
 *	observe.c	kernel and store -> struct daemon
 *	view.c		struct daemon -> the views that core/decide.c judges; pure
 *	turn.c		one round: look, decide, at most one order for each
 *	apply.c		orders to the kernel, with cookies and deadlines
 *	record.c	moves of the authority record, in the store's thread
 *	attach.c	declared members: probe, format, attach, detach
 *	links.c		sockets from the linker to the kernel
 *	publish.c	reports, states, signs of life, into the store
 *	orders.c	v/V/order/N
 *	grow.c		members of a volume that was declared larger
 *	metrics.c	struct daemon and kernel -> Prometheus text
 *	metrics_http.c	and who may have it
 *
 * One thread runs all of this. It never waits: the store, devices and peers are
 * asked by threads of their own. Nothing here has to survive a restart.
 */
#ifndef SWB_CTL_DAEMON_H
#define SWB_CTL_DAEMON_H

#include <systemd/sd-event.h>

#include "board.h"
#include "config.h"
#include "log.h"
#include "nl.h"
#include "store_queue.h"

#define OWN_PEERS	SWB_MEMBERS_MAX
/* the loop must come round within this; a longer stay is logged (and tested) */
#define LOOP_MAX_NS	(50 * SWB_NSEC_PER_MSEC)
/* nobody was ever heard: silent since for ever */
#define SILENT_FOREVER	(UINT64_MAX / 2)

struct linker;
struct metrics;
struct daemon;

/**
 * struct host - a node as its signs of life show it, by our own clock
 * @node: name
 * @instance: of its daemon
 * @boot: of its host
 * @counter: newest one seen
 * @changed_ns: when @counter changed last, CLOCK_BOOTTIME; when it was first
 *	looked for, if it was never there
 * @there: a sign of life is in the store
 * @address: where it listens, "" if nowhere
 */
struct host {
	char node[BOARD_NODE_MAX];
	struct swb_uuid instance;
	struct swb_uuid boot;
	uint64_t counter;
	uint64_t changed_ns;
	bool there;
	char address[BOARD_ADDRESS_MAX];
};

/**
 * struct pending - an order whose outcome is awaited
 * @order: enum swb_member_order, 0 = none
 * @cookie: of the order
 * @until_ns: then it is given up, and decided anew
 */
struct pending {
	uint8_t order;
	uint64_t cookie;
	uint64_t until_ns;
};

/**
 * struct own_progress - a catch-up as it was seen, for its rate
 * @session: of it, 0 = none is under way
 * @total_bytes: the most that was ever to be done in it
 * @left_bytes: at @seen_ns
 * @seen_ns: when it was measured last
 * @rate_bytes: a second by which it came nearer, smoothed
 */
struct own_progress {
	uint64_t session;
	uint64_t total_bytes;
	uint64_t left_bytes;
	uint64_t seen_ns;
	uint64_t rate_bytes;
};

/**
 * struct own_link - links of an own member to one peer
 * @peer: replica, null: the entry is free
 * @wanted: the linker was told
 * @connect: and that this side connects
 * @address: to where
 * @handed: the kernel has one
 * @serial: and this is its number
 * @matched: its facts matched at some time
 * @was_state: state of the peer when last looked at
 * @rebuild_epoch: epoch in which a rebuild of the peer was allowed
 * @failed: in a row, without a matched session
 * @failed_ns: when the last one ended
 * @progress: of a catch-up of the peer
 */
struct own_link {
	struct swb_uuid peer;
	bool wanted;
	bool connect;
	char address[BOARD_ADDRESS_MAX];
	bool handed;
	bool matched;
	uint64_t serial;
	uint8_t was_state;
	uint64_t rebuild_epoch;
	unsigned int failed;
	uint64_t failed_ns;
	struct own_progress progress;
};

/**
 * enum own_attach - how far a declared member is
 * @ATTACH_IDLE: nothing is done; the kernel may have it
 * @ATTACH_BUSY: a thread probes, formats or attaches
 * @ATTACH_REFUSED: see @attach_why; asked again after a change of the wish
 */
enum own_attach {
	ATTACH_IDLE,
	ATTACH_BUSY,
	ATTACH_REFUSED,
};

/**
 * struct own - a member that the wish or the kernel says lives on this node
 * @replica: who
 * @volume: of which volume
 * @label: name
 * @seen_epoch: adopted, as the kernel showed it last
 * @seen_opened: likewise
 * @seen_ns: and since when
 * @wished: the wish gives it to this node
 * @kv: as the kernel has it, in the current dump; NULL: not attached
 * @pending: order under way
 * @asked_epoch: epoch that it was told to adopt last
 * @asked_ns: and when
 * @refused: orders of @refused_epoch that the kernel refused in a row (I-206)
 * @refused_epoch: epoch of those
 * @refused_ns: when it refused the last one
 * @opening: epoch whose open record is waited for
 * @open_lsn: it lies at or below this
 * @letter: last verdict of swb_decide_member()
 * @said_letter: the verdict that was logged last
 * @link: links
 * @attach: how far attaching is
 * @attach_cookie: of the attaching under way
 * @attach_next_ns: not again before
 * @attach_wish: sequence of the wish that was refused
 * @attach_why: and why, "" = nothing
 * @error: last failure of an order, "" = none
 * @report: newest one heard from the kernel
 * @has_report: there is one
 * @report_put_ns: a put of it is under way since
 * @state_hash: of the state that was written last, without what ages
 * @state_put_ns: when
 * @state_sequence: and its number
 * @state_busy: a put of it is under way
 * @stop_ns: when it was told to detach at the end
 * @order_busy: order of the operator whose answer is being written
 * @verify_order: order of the comparison that runs, 0 = none
 * @verify_cookie: its cookie
 * @verify_found: differences so far
 * @grow_cookie: of the growing under way, 0 = none
 * @grow_next_ns: not again before
 * @said_age: hash of what only ages, as written last
 */
struct own {
	struct swb_uuid replica;
	struct swb_uuid volume;
	char label[SWBLOCK_LABEL_MAX];
	uint64_t seen_epoch, seen_opened, seen_ns;
	bool wished;
	const struct kern_volume *kv;
	struct pending pending;
	uint64_t asked_epoch;
	uint64_t asked_ns;
	uint32_t refused;
	uint64_t refused_epoch;
	uint64_t refused_ns;
	uint64_t opening;
	uint64_t open_lsn;
	uint8_t letter;
	uint8_t said_letter;
	struct own_link link[OWN_PEERS];
	enum own_attach attach;
	uint64_t attach_cookie;
	uint64_t attach_next_ns;
	uint64_t attach_wish;
	char attach_why[BOARD_TEXT_MAX];
	char error[BOARD_TEXT_MAX];
	struct swb_report report;
	bool has_report;
	uint64_t report_put_ns;
	uint64_t state_hash;
	uint64_t state_put_ns;
	uint64_t state_sequence;
	bool state_busy;
	uint64_t order_busy;
	uint64_t stop_ns;
	uint64_t verify_order;
	uint64_t verify_cookie;
	uint32_t verify_found;
	uint64_t grow_cookie;
	uint64_t grow_next_ns;
	uint64_t said_age;
};

/**
 * struct vol - a volume of the board
 * @id: uuid
 * @b: its documents in the current board; NULL: not there any more
 * @nonce: drawn for the last win or take-over tried here (P3)
 * @unsure_epoch: a win of it was tried and may still happen, 0 = none; tried
 *	again, it keeps its nonce
 * @unsure_serial: of the record that it was to replace
 * @won_epoch: epoch won with it, 0 = none yet
 * @won_ns: when that was known
 * @swapping: a move of the record is under way
 * @fresh_ns: decide only on a board that was read after this
 * @cause: cause that stands, and since when
 * @cause_since_ns: since
 * @failed: epochs won in a row of which none was settled (I-206)
 * @failed_ns: when the last of them was seen
 * @seen_epoch: epoch of the record as last seen
 * @seen_settled: it was settled
 * @seen_nonce: nonce of the record as last seen
 * @seen_ns: when it was first seen
 * @letter: last verdict of swb_decide_volume()
 * @said_letter: the verdict that was logged last
 * @went_back: the store knows less of it than a member does (P17c)
 */
struct vol {
	struct swb_uuid id;
	const struct board_volume *b;
	struct swb_uuid nonce;
	uint64_t unsure_serial, unsure_epoch;
	uint64_t won_epoch;
	uint64_t won_ns;
	bool swapping;
	uint64_t fresh_ns;
	uint8_t cause;
	uint64_t cause_since_ns;
	uint32_t failed;
	uint64_t failed_ns;
	uint64_t seen_epoch;
	bool seen_settled;
	struct swb_uuid seen_nonce;
	uint64_t seen_ns;
	uint8_t letter;
	uint8_t said_letter;
	bool went_back;
};

/**
 * struct daemon - all of it
 * @cfg: configuration
 * @instance: drawn at start
 * @boot: of this host's boot
 * @started_ns: when
 * @ev: event loop
 * @kern: kernel, NULL while the module is not loaded
 * @dump: members as the kernel has them
 * @dump_due: something may have changed there
 * @dump_ns: when it was made
 * @kern_tried_ns: when opening it was tried last
 * @store: store queue
 * @identity: of the store, if @identity_known
 * @identity_known: it was read
 * @identity_due: it may have another generation now: read it with the board
 * @board: documents as read last; NULL before the first time
 * @read_ns: own clock before that read (P13)
 * @loading: a read is under way
 * @load_again: and another one is wanted
 * @load_due: something has changed there
 * @store_slow_ns: how long the store takes to answer, at its slowest lately
 * @load_ns: begin of the last read
 * @loaded_ns: end of the last one that succeeded
 * @store_said: reachability as logged last
 * @linker: links; NULL if it could not listen
 * @host: nodes
 * @vol: volumes
 * @own: members here
 * @sign_counter: of the next sign of life
 * @sign_ns: when the last one was submitted
 * @sign_busy: and it is under way
 * @wake_ns: end of the pause behind this turn
 * @attach_pipe: answers of the threads of attach.c
 * @proto_min: what the module speaks
 * @proto_max: likewise
 * @metrics: server of /metrics; NULL: none is wanted
 * @stopping: no more orders
 * @stop_volumes: members are detached before the end
 * @end_ns: when waiting for that ends
 * @status: as told to the service manager last
 */
struct daemon {
	struct config cfg;
	struct swb_uuid instance;
	struct swb_uuid boot;
	uint64_t started_ns;
	sd_event *ev;
	struct kern *kern;
	sd_event_source *kern_io;
	struct kern_dump dump;
	bool dump_due;
	uint64_t dump_ns;
	uint64_t kern_tried_ns;
	struct store_queue *store;
	struct store_identity identity;
	bool identity_known, identity_due;
	struct board *board;
	uint64_t read_ns;
	bool loading, load_again, load_due;
	uint64_t store_slow_ns;
	uint64_t load_ns;
	uint64_t loaded_ns;
	int store_said;
	struct linker *linker;
	unsigned int host_count;
	struct host *host;
	unsigned int vol_count;
	struct vol **vol;
	unsigned int own_count;
	struct own **own;
	uint64_t sign_counter;
	uint64_t sign_ns;
	bool sign_busy;
	struct metrics *metrics;
	bool stopping;
	bool stop_volumes;
	uint64_t end_ns;
	char status[200];
	uint64_t wake_ns;
	int attach_pipe[2];
	uint32_t proto_min, proto_max;
};

/* observe.c */
int observe_open(struct daemon *d);
/** observe_kernel() - drain events, dump if something changed */
void observe_kernel(struct daemon *d);
/** observe_load() - read the board again, soon */
void observe_load(struct daemon *d);
/** observe_store() - read the board again if that is due */
void observe_store(struct daemon *d);
struct vol *observe_vol(struct daemon *d, const struct swb_uuid *id);
struct own *observe_own(struct daemon *d, const struct swb_uuid *replica);
const struct host *observe_host(const struct daemon *d, const char *node);
/** observe_went_back() - does the store know less of @v than a member (P17c)? */
bool observe_went_back(struct daemon *d, struct vol *v);
/** observe_silent() - how long nothing was heard of a node; 0 for ourselves */
uint64_t observe_silent(const struct daemon *d, const char *node);
const struct board_member *wish_member(const struct board_volume *b,
				       const struct swb_uuid *replica);

/* view.c */
void view_volume(const struct daemon *d, const struct vol *v,
		 struct swb_volume_view *out);
void view_member(const struct daemon *d, const struct vol *v, const struct own *o,
		 struct swb_member_view *out);
/** view_report() - what the store has as @replica's newest report, NULL: it has none */
const struct swb_report *view_report(const struct vol *v,
				     const struct swb_uuid *replica);
/** view_label() - name of a member for people; returns @buf */
const char *view_label(const struct vol *v, const struct swb_uuid *replica,
		       char buf[CTL_UUID_TEXT]);
/** view_owner() - how this controller signs a record */
void view_owner(const struct daemon *d, char out[AUTH_OWNER_MAX]);

/* turn.c */
/** turn() - look, decide, act; sets @d->wake_ns */
void turn(struct daemon *d);
/** turn_wake() - come round again at @ns at the latest */
void turn_wake(struct daemon *d, uint64_t ns);

/* record.c */
void record_move(struct daemon *d, struct vol *v,
		 const struct swb_volume_view *view,
		 const struct swb_volume_decision *dec);
/** record_create() - a volume that is wished for and has no record yet */
void record_create(struct daemon *d, struct vol *v);

/* apply.c */
void apply_member(struct daemon *d, struct vol *v, struct own *o,
		  const struct swb_member_view *view,
		  const struct swb_member_decision *dec);
void apply_demote(struct daemon *d, struct vol *v);
/** apply_refused() - the kernel refused an order: pace the next one (I-206) */
void apply_refused(struct daemon *d, struct own *o, const char *words);
/** apply_event() - what the kernel says may end a pending order */
void apply_event(struct daemon *d, struct own *o, const struct kern_event *ev);
/** apply_forget() - orders whose outcome may have been lost are decided anew */
void apply_forget(struct daemon *d);

/* attach.c */
int attach_open(struct daemon *d);
void attach_turn(struct daemon *d, struct vol *v, struct own *o);
/** stop_members() - detach the own members; how many are left */
unsigned int stop_members(struct daemon *d);
void attach_event(struct daemon *d, struct own *o, const struct kern_event *ev);

/* links.c */
int links_open(struct daemon *d);
void links_close(struct daemon *d);
/** links_check_keys() - could the key file be used? */
bool links_check_keys(const struct config *cfg, char *why, size_t len);
void links_connect(struct daemon *d, struct vol *v, struct own *o,
		   const struct swb_uuid *peer);
/** links_keys() - read the key file again */
bool links_keys(struct daemon *d);
/** links_rebuild() - allow that blocks are copied to @peer. Return: as kern_rebuild() */
int links_rebuild(struct daemon *d, struct own *o, const struct swb_uuid *peer);
/** links_turn() - which links are wanted, by role and configuration */
void links_turn(struct daemon *d, const struct vol *v, struct own *o);
/** links_observe() - what the kernel says of its peers, behind each dump */
void links_observe(struct daemon *d, struct own *o);
struct own_link *links_of(struct own *o, const struct swb_uuid *peer);

/* publish.c */
/** publish_poll_ns() - so often the store is read at least */
uint64_t publish_poll_ns(const struct daemon *d);
void publish(struct daemon *d);

/* orders.c */
void orders_turn(struct daemon *d, struct vol *v, struct own *o);
/** orders_event() - what the kernel says may end a comparison */
void orders_event(struct daemon *d, struct own *o, const struct kern_event *ev);

/* grow.c */
void grow_turn(struct daemon *d, struct vol *v, struct own *o);
void grow_event(struct daemon *d, struct own *o, const struct kern_event *ev);

/* metrics_http.c */
/** metrics_apply() - serve as the configuration says; also behind a reload */
int metrics_apply(struct daemon *d);
void metrics_close(struct daemon *d);

#endif /* SWB_CTL_DAEMON_H */
