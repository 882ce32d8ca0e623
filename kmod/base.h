/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rebuild and delta: the base lane, both ends. The source reads its live extent
 * and sends it between the frames of the stream, on the same link, by the same
 * thread; the target writes what the stream has not written back before it.
 *
 *	source: BASE_START -> read ahead -> BASE frames ... BASE_END -> BASE_STOP
 *	target: REBUILD_PREPARE -> extent_hi durable, block written, ... -> REBUILD_CLEAR
 *
 * The source's end is a struct swb_lane of its link; the target's is in the
 * volume (struct swb_rebuild, volume.h), because the flusher has its part in it.
 */
#ifndef SWB_BASE_H
#define SWB_BASE_H

#include "peer.h"

#define SWB_LANE_PIECE		SWB_REC_PAYLOAD_MAX
#define SWB_LANE_SLOTS		4
#define SWB_LANE_PAGES		(SWB_LANE_PIECE / PAGE_SIZE)
#define SWB_LANE_WINDOW_MAX	(4 * 1024 * 1024)
#define SWB_LANE_WINDOW_MIN	(64 * 1024)

/* ---- executors of orders; step_mutex, may wait for our own disks -------------- */

/**
 * swb_base_prepare() - REBUILD_PREPARE: this copy becomes the target. After it
 * the mark is durable and the log is empty and goes on at the source's extent_lo + 1.
 * Return: 0 or an error of the disk or of memory.
 */
int swb_base_prepare(struct swb_volume *v, const struct swb_action *act);

/** swb_base_clear() - REBUILD_CLEAR: what was written is durable, the mark goes */
int swb_base_clear(struct swb_volume *v);

/** swb_lane_start() - BASE_START: the lane to a peer begins */
void swb_lane_start(struct swb_volume *v, const struct swb_action *act);

/** swb_lane_stop() - BASE_STOP: the lane to a peer sends no more */
void swb_lane_stop(struct swb_volume *v, u8 peer);

/* ---- the books, for status; lock held ---------------------------------------- */

void swb_base_progress_begin(struct swb_volume *v, u8 peer, u8 kind, u64 todo);
void swb_base_progress_count(struct swb_volume *v, u8 peer, u64 done);
void swb_base_progress_end(struct swb_volume *v, u8 peer);

/* ---- source: the tx thread of the link ----------------------------------------- */

/** enum swb_lane_next - what the lane has for tx */
enum swb_lane_next {
	SWB_LANE_NOTHING,	/* wait for a read, an ack or the next second */
	SWB_LANE_FRAME,		/* the frame is filled: send it */
	SWB_LANE_FAILED,	/* the extent cannot be read */
};

/**
 * swb_lane_next() - keep the reads going; the next frame if there is one
 * @l: link
 * @f: to be filled
 * @bv: filled with its payload
 * @nbv: entries of @bv
 */
enum swb_lane_next swb_lane_next(struct swb_link *l, struct swb_frame *f,
				 struct bio_vec **bv, u32 *nbv);

/** swb_lane_sent() - the frame of swb_lane_next() is gone */
void swb_lane_sent(struct swb_link *l, const struct swb_frame *f);

/** swb_lane_acked() - rx: the target has so many bytes of the base */
void swb_lane_acked(struct swb_link *l, u64 bytes);

/** swb_lane_detach() - tx: the link is over */
void swb_lane_detach(struct swb_link *l);

/* ---- target: the rx thread of the link --------------------------------------- */

/**
 * swb_base_write() - a BASE frame: what the stream has not written goes to the
 * extent, extent_hi before it
 * @l: link
 * @f: frame
 * @rec: what it says
 * @g: its payload, NULL for zeroes
 *
 * Return: 0, -ESHUTDOWN, or a reason (apply.c).
 */
int swb_base_write(struct swb_link *l, const struct swb_frame *f,
		   const struct swb_rec *rec, const struct swb_group *g);

/** swb_base_destroy() - the volume is taken apart; no link is left */
void swb_base_destroy(struct swb_volume *v);

#endif /* SWB_BASE_H */
