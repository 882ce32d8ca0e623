/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flight recorder: the newest steps of a member in memory of fixed size, in
 * a form from which each can be done again. docs/design/recorder.md has the bytes.
 *
 *	before step i	what changed outside of steps (leaves, superblock)
 *	step i		the fact, the orders, what the step changed
 *
 * Changes are words that differ from those before, so a record is small and the
 * state before and after every step that is held is known exactly: no snapshots.
 * What falls off the end is applied to the base, the state before the oldest step.
 *
 * No allocation: the caller gives the memory. Its lock covers the core as well.
 */
#ifndef SWB_CORE_RECORD_H
#define SWB_CORE_RECORD_H

#include "core.h"

#define SWB_RECORD_MAGIC	0x31646365724257ffULL	/* ff "WBrecd1" */
#define SWB_RECORD_VERSION	1

/* words of the state that are recorded: all but the scratch */
#define SWB_RECORD_STATE_WORDS	(offsetof(struct swb_core, scratch) / sizeof(u64))

/* words that one mask covers */
#define SWB_RECORD_GROUP	32

/* a step is smaller than this, a ring at least twice as large: words */
#define SWB_RECORD_STEP_MAX	4096
#define SWB_RECORD_RING_MIN	(2 * SWB_RECORD_STEP_MAX)

/**
 * struct swb_record - the recorder of one member
 * @ring: words, used in turn
 * @words: their number, a power of two
 * @tail: position of the oldest step; positions never wrap
 * @head: position behind the newest step
 * @next: position of the next word of the step that is being recorded
 * @steps: steps recorded since the beginning
 * @held: those of them that are in the ring
 * @before: groups of words that changed before the step that is being recorded
 * @state: as of now, SWB_RECORD_STATE_WORDS
 * @base: as of before the oldest step
 */
struct swb_record {
	u64 *ring;
	u32 words;
	u64 tail;
	u64 head;
	u64 next;
	u64 steps;
	u64 held;
	u32 before;
	u64 *state;
	u64 *base;
};

/**
 * struct swb_record_file - what stands before the words of a record that is read
 * @magic: SWB_RECORD_MAGIC; tells the byte order, too
 * @version: SWB_RECORD_VERSION
 * @crc: crc32c of all that follows this field, to the end
 * @bytes: of the whole
 * @layout: swb_record_layout() of the core that recorded
 * @first: number of the oldest step held, 0 for the first ever
 * @count: steps
 * @state_words: of the base, which follows
 * @ring_words: of the steps, which follow the base
 * @boottime_ns: when it was taken, CLOCK_BOOTTIME
 * @realtime_ns: and CLOCK_REALTIME
 */
struct swb_record_file {
	u64 magic;
	u32 version;
	u32 crc;
	u64 bytes;
	u64 layout;
	u64 first;
	u64 count;
	u32 state_words;
	u32 ring_words;
	u64 boottime_ns;
	u64 realtime_ns;
};

/* ---- recording ----------------------------------------------------------- */

/**
 * swb_record_init() - begin
 * @r: zeroed
 * @ring: memory for steps
 * @words: a power of two, at least SWB_RECORD_RING_MIN
 * @state: SWB_RECORD_STATE_WORDS
 * @base: the same
 * @c: the member as it is now
 */
void swb_record_init(struct swb_record *r, u64 *ring, u32 words, u64 *state,
		     u64 *base, const struct swb_core *c);

/** swb_record_before() - right before a step, under its lock */
void swb_record_before(struct swb_record *r, const struct swb_core *c,
		       const struct swb_event *ev);

/** swb_record_after() - right after it, under the same lock */
void swb_record_after(struct swb_record *r, const struct swb_core *c,
		      const struct swb_event *ev, const struct swb_actions *out);

/** swb_record_bytes() - what swb_record_take() needs at most; never changes */
u64 swb_record_bytes(const struct swb_record *r);

/**
 * swb_record_take() - copy header, base and steps; under the lock, to be sealed
 * @r: recorder
 * @buf: at least swb_record_bytes()
 *
 * Return: bytes.
 */
u64 swb_record_take(const struct swb_record *r, void *buf);

/** swb_record_seal() - times and checksum of what was taken; no lock */
void swb_record_seal(void *buf, u64 boottime_ns, u64 realtime_ns);

/* ---- reading --------------------------------------------------------------- */

enum swb_record_verdict {
	SWB_RECORD_OK,
	SWB_RECORD_NO_RECORD,	/* no magic: something else, or another byte order */
	SWB_RECORD_VERSION_NEWER,
	SWB_RECORD_CUT,		/* bytes are missing, or too many */
	SWB_RECORD_CRC,
	SWB_RECORD_LAYOUT,	/* of another build of the core */
};

/**
 * struct swb_record_step - one step, decoded
 * @number: since the beginning
 * @ev: the fact; its pointers lead into @u
 * @u: what the fact points at
 * @out: the orders
 * @before: the member before the step, but for the scratch
 * @after: after it
 */
struct swb_record_step {
	u64 number;
	struct swb_event ev;
	union {
		struct swb_config config;
		struct swb_cert cert;
		struct swb_facts facts;
	} u;
	struct swb_actions out;
	struct swb_core before;
	struct swb_core after;
};

/**
 * struct swb_record_reader - goes through the steps of a file
 * @at: next word, unaligned
 * @left: words
 * @number: of the next step
 * @count: steps that are left
 * @bad: a word made no sense; nothing more is read
 */
struct swb_record_reader {
	const u8 *at;
	u64 left;
	u64 number;
	u64 count;
	bool bad;
};

/**
 * swb_record_open() - check a file, and place the reader at its oldest step
 * @rd: filled
 * @buf: the file
 * @len: its bytes
 * @s: @s->after becomes the base, for swb_record_next()
 */
enum swb_record_verdict swb_record_open(struct swb_record_reader *rd,
					const void *buf, u64 len,
					struct swb_record_step *s);

/**
 * swb_record_next() - the next step
 * @rd: reader
 * @s: that of the call before, or of swb_record_open(); filled
 *
 * Return: false at the end, or if @rd->bad.
 */
bool swb_record_next(struct swb_record_reader *rd, struct swb_record_step *s);

/* ---- fields (record_field.c) ------------------------------------------------ */

/** enum swb_record_hand - who may change a field outside of a step */
enum swb_record_hand {
	SWB_HAND_STEP,		/* nobody */
	SWB_HAND_REBUILD,	/* REBUILD_PREPARE, which empties the log */
	SWB_HAND_LEAF,		/* leaves and the storage layer */
};

/**
 * struct swb_record_field - one field of struct swb_core, or of a part of it
 * @name: as in the source
 * @offset: in its struct
 * @size: bytes of one element
 * @count: elements
 * @part: fields of an element that is a struct, NULL for a number or bytes
 * @hand: enum swb_record_hand; a part's own if more
 */
struct swb_record_field {
	const char *name;
	u16 offset;
	u16 size;
	u16 count;
	const struct swb_record_field *part;
	u8 hand;
};

/** swb_record_fields - of struct swb_core without the scratch; a NULL name ends it */
extern const struct swb_record_field swb_record_fields[];

/**
 * swb_record_layout() - a number that differs if a field lies elsewhere, or an event
 * or action was added
 */
u64 swb_record_layout(void);

#endif /* SWB_CORE_RECORD_H */
