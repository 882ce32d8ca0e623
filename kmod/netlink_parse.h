/* SPDX-License-Identifier: GPL-2.0-only */
/* Attributes to structs, for netlink.c only. */
#ifndef SWB_NETLINK_PARSE_H
#define SWB_NETLINK_PARSE_H

#include <net/genetlink.h>
#include "core/types.h"

#define SWB_UUID_POLICY	NLA_POLICY_EXACT_LEN(SWBLOCK_UUID_BYTES)

extern const struct nla_policy swb_config_policy[SWBLOCK_CONFIG_A_MAX + 1];
extern const struct nla_policy swb_cert_policy[SWBLOCK_CERT_A_MAX + 1];

/** swb_refuse() - @err, with a static text that outlives the handler */
int swb_refuse(struct genl_info *info, int err, const char *why);

/** swb_no_twins() - only attributes in @repeatable may come twice in one level */
int swb_no_twins(struct genl_info *info, const struct nlattr *head, int len,
		 u64 repeatable);

int swb_parse_config(struct genl_info *info, const struct nlattr *nest,
		     struct swb_config *cfg);

/** swb_parse_cert() - @cert comes zeroed */
int swb_parse_cert(struct genl_info *info, const struct nlattr *nest,
		   struct swb_cert *cert);

/* An attribute that is not there is 0. */
static inline u64 swb_attr_u64(struct nlattr *a)
{
	return a ? nla_get_u64(a) : 0;
}

static inline u32 swb_attr_u32(struct nlattr *a)
{
	return a ? nla_get_u32(a) : 0;
}

static inline struct swb_uuid swb_attr_uuid(const struct nlattr *a)
{
	struct swb_uuid u = {};

	if (a)
		memcpy(u.b, nla_data(a), sizeof(u.b));
	return u;
}

#endif /* SWB_NETLINK_PARSE_H */
