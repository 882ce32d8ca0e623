/* SPDX-License-Identifier: GPL-2.0-only */
/* The verbs; each is one row of its own file. */
#ifndef SWB_CTL_VERBS_H
#define SWB_CTL_VERBS_H

#include "ctl.h"

extern const struct verb verb_format, verb_add, verb_remove, verb_assign,
	verb_adopt, verb_promote, verb_demote, verb_lease, verb_link,
	verb_unlink, verb_tune, verb_status, verb_monitor, verb_explain,
	verb_authority, verb_info, verb_rebuild, verb_volume_create,
	verb_volume_set, verb_volume_list, verb_volume_add, verb_volume_drop,
	verb_volume_replace, verb_volume_move, verb_volume_rebuild,
	verb_volume_verify, verb_volume_suspend, verb_volume_resume, verb_health,
	verb_events, verb_node_list, verb_suspend, verb_resume, verb_resize,
	verb_store_check, verb_store_dump, verb_verify, verb_volume_delete,
	verb_latency, verb_record;

#endif /* SWB_CTL_VERBS_H */
