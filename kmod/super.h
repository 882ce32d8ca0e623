/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two superblock slots, saved alternately: slot = generation & 1. Waits for the
 * disk; process context only.
 */
#ifndef SWB_SUPER_H
#define SWB_SUPER_H

#include <linux/mutex.h>
#include "core/core.h"
#include "store.h"

/**
 * struct swb_super - saver of one member's superblock
 * @mutex: one save at a time; taken after step_mutex and flusher.mutex
 * @store: the data device
 * @buf: one slot
 * @copy: what is being saved
 */
struct swb_super {
	struct mutex mutex;	/* over one save */
	struct swb_store *store;
	void *buf;
	struct swb_durable *copy;
};

int swb_super_create(struct swb_super *s, struct swb_store *store);
void swb_super_destroy(struct swb_super *s);

/** swb_super_load() - read both slots, pick; letter as local recovery names it */
int swb_super_load(struct swb_super *s, struct swb_durable *d, u8 *letter);

/** swb_super_check_wal() - is @wal the ring device that belongs to @d? */
int swb_super_check_wal(struct swb_store *wal, const struct swb_durable *d);

/**
 * swb_super_store() - write @d to the slot of its generation; mutex held. For
 * attach, before there is a core.
 */
int swb_super_store(struct swb_super *s, const struct swb_durable *d);

/**
 * swb_super_save() - persist core->d as it is now (copied under @lock), with
 * PREFLUSH | FUA; core->d.generation is raised
 */
int swb_super_save(struct swb_super *s, struct swb_core *core, spinlock_t *lock);

#endif /* SWB_SUPER_H */
