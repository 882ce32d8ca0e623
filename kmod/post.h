/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one door up: facts come in, the core steps, its actions are executed here
 * and nowhere else. post.c is the only caller of swb_core_step().
 *
 *	process context that may wait (verbs, link threads, flusher): swb_post()
 *	submit_bio, irq, under volume->lock: swb_post_later(), the engine steps
 */
#ifndef SWB_POST_H
#define SWB_POST_H

#include "volume.h"

/**
 * swb_post() - step with one fact and execute what the core orders, in order,
 * together with every fact left by swb_post_later()
 * @v: volume
 * @ev: fact; now_ns is filled in here
 * Context: process, no lock of ours held; takes step_mutex; may wait for the disk.
 */
void swb_post(struct swb_volume *v, struct swb_event *ev);

/**
 * swb_post_link() - the same for a fact that came over @link: dropped and counted
 * (STALE_SESSION) if @link is no longer the volume's link to @ev->peer
 * Return: true if it was stepped.
 */
bool swb_post_link(struct swb_volume *v, struct swb_link *link,
		   struct swb_event *ev);

/** swb_post_later() - leave a fact (SWB_POST_*), wake the engine; any context */
void swb_post_later(struct swb_volume *v, unsigned int bit);

/** swb_post_barrier() - BARRIER_WANTED up to @lsn; lock held */
void swb_post_barrier(struct swb_volume *v, u64 lsn);

int swb_post_start(struct swb_volume *v);
void swb_post_stop(struct swb_volume *v);

#endif /* SWB_POST_H */
