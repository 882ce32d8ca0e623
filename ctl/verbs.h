/* SPDX-License-Identifier: GPL-2.0-only */
/* The verbs; each is one row of its own file. */
#ifndef SWB_CTL_VERBS_H
#define SWB_CTL_VERBS_H

#include "ctl.h"

extern const struct verb verb_format, verb_add, verb_remove, verb_assign,
	verb_adopt, verb_promote, verb_demote, verb_lease, verb_link,
	verb_unlink, verb_tune, verb_status, verb_monitor, verb_explain,
	verb_authority, verb_info, verb_rebuild;

#endif /* SWB_CTL_VERBS_H */
