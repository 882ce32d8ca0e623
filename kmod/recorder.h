/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flight recorder of a member: memory for core/record.c, and the records of
 * members that are gone. docs/design/recorder.md.
 *
 * The ring is written under the lock that covers the core, by the step alone.
 * Nothing is allocated after create but what a reader asks for.
 */
#ifndef SWB_RECORDER_H
#define SWB_RECORDER_H

#include <linux/spinlock.h>
#include "core/record.h"

/* 256 KiB: about 1300 steps under load, minutes of rest */
#define SWB_RECORDER_WORDS	32768

/**
 * struct swb_recorder - of one member
 * @r: ring, state and base; the member's lock
 * @memory: all of it
 * @running: swb_recorder_start() was called
 */
struct swb_recorder {
	struct swb_record r;
	u64 *memory;
	bool running;
};

/**
 * struct swb_record_image - a record that was read
 * @id: of the volume
 * @bytes: of @buf
 * @buf: struct swb_record_file and what follows it; kvfree()
 */
struct swb_record_image {
	u32 id;
	u64 bytes;
	void *buf;
};

/** swb_recorder_create() - Return: 0 or -ENOMEM. Context: process, may sleep */
int swb_recorder_create(struct swb_recorder *rec);

/** swb_recorder_start() - record from here on; under the member's lock */
void swb_recorder_start(struct swb_recorder *rec, const struct swb_core *c);

/**
 * swb_recorder_destroy() - the member is gone; as many of the last records as the
 * module's parameter records_kept says stay readable
 * @rec: its recorder, also one that was never created, but zeroed
 * @id: of the volume
 */
void swb_recorder_destroy(struct swb_recorder *rec, u32 id);

/**
 * swb_recorder_take() - a copy for a reader
 * @rec: recorder
 * @lock: the member's
 * @out: filled but for the id, unless an error is returned
 *
 * Copies up to 270 KiB under the lock: some tens of microseconds, when somebody asks.
 *
 * Context: process, may sleep. Return: 0, -ENOENT before the start, or -ENOMEM.
 */
int swb_recorder_take(struct swb_recorder *rec, spinlock_t *lock,
		      struct swb_record_image *out);

/**
 * swb_recorder_kept() - the same of the first member with an id >= @id that is gone
 * @id: where to look from
 * @out: filled, unless an error is returned
 *
 * Return: 0, -ENOENT if there is none, or -ENOMEM.
 */
int swb_recorder_kept(u32 id, struct swb_record_image *out);

/** swb_recorder_has() - is there a record of volume @id, which is gone? May sleep */
bool swb_recorder_has(u32 id);

/** swb_recorder_exit() - module exit */
void swb_recorder_exit(void);

#endif /* SWB_RECORDER_H */
