/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The controller's verbs, and the registry of volumes. netlink.c translates
 * attributes and calls exactly one of these. Process context. On refusal @why is
 * set to a static text that says what to do next.
 */
#ifndef SWB_MANAGE_H
#define SWB_MANAGE_H

#include "volume.h"

/* Refusals that several verbs share. */
extern const char *const swb_no_volume;
extern const char *const swb_being_removed;
extern const char *const swb_no_memory;

#define SWB_LEAVE	U64_MAX

/**
 * struct swb_limits - what TUNE may change; SWB_LEAVE leaves a field as it is
 * @io_ms: I/O deadline, 0 = none
 * @link_ms: link deadline
 * @flush_ms: background flush
 * @rebuild_auto: enum swblock_rebuild
 * @rebuild_rate: bytes/s, 0 = no limit
 * @catchup_bytes: budget of catch-up, 0 = none
 * @catchup_ms: budget of catch-up, 0 = none
 */
struct swb_limits {
	u64 io_ms;
	u64 link_ms;
	u64 flush_ms;
	u64 rebuild_auto;
	u64 rebuild_rate;
	u64 catchup_bytes;
	u64 catchup_ms;
};

int swb_manage_init(void);
/** swb_manage_exit() - module exit: no volume exists any more (they pin the module) */
void swb_manage_exit(void);

int swb_manage_add(const char *data, const char *wal, int minor, u64 cookie,
		   u32 *id, const char **why);
int swb_manage_remove(u32 id, u32 flags, u64 cookie, const char **why);
int swb_manage_adopt(u32 id, u64 epoch, const struct swb_uuid *store,
		     u64 store_generation, u64 cookie, const char **why);
int swb_manage_assign(u32 id, u64 epoch, const struct swb_uuid *primary,
		      const struct swb_config *cfg, const char **why);
int swb_manage_promote(u32 id, const struct swb_cert *cert, u64 lease_end_ns,
		       u64 cookie, const char **why);
int swb_manage_demote(u32 id, u32 flags, u64 cookie, const char **why);
int swb_manage_lease(u32 id, u64 epoch, u64 end_ns, const char **why);
int swb_manage_suspend(u32 id, bool suspend, const char **why);
int swb_manage_verify(u32 id, u32 flags, u64 cookie, const char **why);
int swb_manage_verify_stop(u32 id, const char **why);
int swb_manage_resize(u32 id, u64 bytes, u64 cookie, const char **why);
int swb_manage_link(u32 id, const struct swb_uuid *peer, int fd, u64 move,
		    u64 cookie, const char **why);
int swb_manage_unlink(u32 id, const struct swb_uuid *peer, const char **why);
int swb_manage_rebuild(u32 id, const struct swb_uuid *peer, u64 cookie,
		       const char **why);
int swb_manage_tune(u32 id, const struct swb_limits *wanted, const char **why);

/** swb_manage_get() - reference by id, NULL if unknown */
struct swb_volume *swb_manage_get(u32 id);
/** swb_manage_next() - for dumps: the first volume with an id >= @id, referenced */
struct swb_volume *swb_manage_next(u32 id);
u32 swb_manage_count(void);
/** swb_manage_generation() - changes whenever a volume comes or goes */
u32 swb_manage_generation(void);

#endif /* SWB_MANAGE_H */
