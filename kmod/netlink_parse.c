// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nested attributes to structs: configuration, report, certificate. Checks the
 * form, strictly; whether the content is enough is for the core to judge.
 *
 * Lock: none. Context: process.
 */
#include "netlink_parse.h"

const struct nla_policy swb_config_policy[SWBLOCK_CONFIG_A_MAX + 1] = {
	[SWBLOCK_CONFIG_A_MODE]		= NLA_POLICY_RANGE(NLA_U8, 1, 3),
	[SWBLOCK_CONFIG_A_POLICY]	= NLA_POLICY_RANGE(NLA_U8, 1, 3),
	[SWBLOCK_CONFIG_A_REQUIRED]	=
		NLA_POLICY_MAX(NLA_U32, (1 << SWBLOCK_MEMBERS_MAX) - 1),
	[SWBLOCK_CONFIG_A_MEMBER]	= SWB_UUID_POLICY,
};

static const struct nla_policy report_policy[SWBLOCK_REPORT_A_MAX + 1] = {
	[SWBLOCK_REPORT_A_REPLICA]	= SWB_UUID_POLICY,
	[SWBLOCK_REPORT_A_ADOPTED]	= { .type = NLA_U64 },
	[SWBLOCK_REPORT_A_LAST_EPOCH]	= { .type = NLA_U64 },
	[SWBLOCK_REPORT_A_DURABLE]	= { .type = NLA_U64 },
	[SWBLOCK_REPORT_A_COMMITTED]	= { .type = NLA_U64 },
	[SWBLOCK_REPORT_A_FLAGS]	= NLA_POLICY_MASK(NLA_U32, 0x7),
};

const struct nla_policy swb_cert_policy[SWBLOCK_CERT_A_MAX + 1] = {
	[SWBLOCK_CERT_A_VOLUME]		= SWB_UUID_POLICY,
	[SWBLOCK_CERT_A_STORE]		= SWB_UUID_POLICY,
	[SWBLOCK_CERT_A_STORE_GENERATION] = { .type = NLA_U64 },
	[SWBLOCK_CERT_A_EPOCH]		= { .type = NLA_U64 },
	[SWBLOCK_CERT_A_CANDIDATE]	= SWB_UUID_POLICY,
	[SWBLOCK_CERT_A_CONFIG]		= NLA_POLICY_NESTED(swb_config_policy),
	[SWBLOCK_CERT_A_JUDGE]		= NLA_POLICY_NESTED(swb_config_policy),
	[SWBLOCK_CERT_A_REPORT]		= NLA_POLICY_NESTED(report_policy),
	[SWBLOCK_CERT_A_LAST_EPOCH]	= { .type = NLA_U64 },
	[SWBLOCK_CERT_A_LAST_GRANTED]	= SWB_UUID_POLICY,
	[SWBLOCK_CERT_A_FLAGS]		= NLA_POLICY_MASK(NLA_U32, 0x3),
};

int swb_refuse(struct genl_info *info, int err, const char *why)
{
	/* The text must outlive the handler: it is a static one. */
	if (err && info->extack && why)
		info->extack->_msg = why;
	return err;
}

int swb_no_twins(struct genl_info *info, const struct nlattr *head, int len,
		 u64 repeatable)
{
	const struct nlattr *a;
	u64 seen = 0;
	int rem;

	nla_for_each_attr(a, head, len, rem) {
		u64 bit = nla_type(a) < 64 ? BIT_ULL(nla_type(a)) : 0;

		if (seen & bit & ~repeatable) {
			NL_SET_BAD_ATTR(info->extack, a);
			return swb_refuse(info, -EINVAL,
				  "this attribute may come only once");
		}
		seen |= bit;
	}
	return 0;
}

static int parse_members(struct genl_info *info, const struct nlattr *nest,
			 struct swb_config *cfg)
{
	const struct nlattr *a;
	int rem;
	u32 i;

	nla_for_each_nested(a, nest, rem) {
		if (nla_type(a) != SWBLOCK_CONFIG_A_MEMBER)
			continue;
		if (cfg->member_count == SWB_MEMBERS_MAX)
			return swb_refuse(info, -E2BIG,
				  "a configuration has at most 7 members");
		cfg->member[cfg->member_count] = swb_attr_uuid(a);
		if (swb_uuid_is_null(&cfg->member[cfg->member_count]))
			return swb_refuse(info, -EINVAL,
				  "a member's uuid is all zeroes: name a formatted replica");
		for (i = 0; i < cfg->member_count; i++) {
			if (swb_uuid_equal(&cfg->member[i],
					   &cfg->member[cfg->member_count]))
				return swb_refuse(info, -EINVAL,
					      "a member is named twice");
		}
		cfg->member_count++;
	}
	return 0;
}

int swb_parse_config(struct genl_info *info, const struct nlattr *nest,
		     struct swb_config *cfg)
{
	struct nlattr *tb[SWBLOCK_CONFIG_A_MAX + 1];
	int err;

	memset(cfg, 0, sizeof(*cfg));
	err = nla_parse_nested(tb, SWBLOCK_CONFIG_A_MAX, nest, swb_config_policy,
			       info->extack);
	if (!err)
		err = swb_no_twins(info, nla_data(nest), nla_len(nest),
				   BIT_ULL(SWBLOCK_CONFIG_A_MEMBER));
	if (err)
		return err;
	if (!tb[SWBLOCK_CONFIG_A_MODE] || !tb[SWBLOCK_CONFIG_A_POLICY] ||
	    !tb[SWBLOCK_CONFIG_A_REQUIRED] || !tb[SWBLOCK_CONFIG_A_MEMBER])
		return swb_refuse(info, -EINVAL,
			      "a configuration needs MODE, POLICY, REQUIRED and at least one MEMBER");
	cfg->mode = nla_get_u8(tb[SWBLOCK_CONFIG_A_MODE]);
	cfg->policy = nla_get_u8(tb[SWBLOCK_CONFIG_A_POLICY]);
	cfg->required = nla_get_u32(tb[SWBLOCK_CONFIG_A_REQUIRED]);
	err = parse_members(info, nest, cfg);
	if (!err && cfg->required >> cfg->member_count)
		err = swb_refuse(info, -EINVAL,
				 "the required set names a member that does not exist");
	return err;
}

static int parse_report(struct genl_info *info, const struct nlattr *nest,
			struct swb_report *r)
{
	struct nlattr *tb[SWBLOCK_REPORT_A_MAX + 1];
	int err;
	u32 i;

	err = nla_parse_nested(tb, SWBLOCK_REPORT_A_MAX, nest, report_policy,
			       info->extack);
	if (!err)
		err = swb_no_twins(info, nla_data(nest), nla_len(nest), 0);
	if (err)
		return err;
	for (i = SWBLOCK_REPORT_A_REPLICA; i <= SWBLOCK_REPORT_A_MAX; i++) {
		if (!tb[i])
			return swb_refuse(info, -EINVAL,
				  "a report needs all of its attributes");
	}
	r->replica = swb_attr_uuid(tb[SWBLOCK_REPORT_A_REPLICA]);
	r->adopted = swb_attr_u64(tb[SWBLOCK_REPORT_A_ADOPTED]);
	r->last_epoch = swb_attr_u64(tb[SWBLOCK_REPORT_A_LAST_EPOCH]);
	r->durable = swb_attr_u64(tb[SWBLOCK_REPORT_A_DURABLE]);
	r->committed = swb_attr_u64(tb[SWBLOCK_REPORT_A_COMMITTED]);
	r->flags = swb_attr_u32(tb[SWBLOCK_REPORT_A_FLAGS]);
	return 0;
}

/* The repeated nests of a certificate. */
static int parse_evidence(struct genl_info *info, const struct nlattr *nest,
			  struct swb_cert *cert)
{
	const struct nlattr *a;
	int rem, err = 0;

	nla_for_each_nested(a, nest, rem) {
		if (nla_type(a) == SWBLOCK_CERT_A_JUDGE) {
			if (cert->judge_count == SWB_CONFIGS_MAX)
				return swb_refuse(info, -E2BIG,
					      "too many unsettled configurations: settle one first");
			err = swb_parse_config(info, a,
					       &cert->judge[cert->judge_count++]);
		} else if (nla_type(a) == SWBLOCK_CERT_A_REPORT) {
			if (cert->report_count == SWB_MEMBERS_MAX)
				return swb_refuse(info, -E2BIG,
					      "more reports than there can be members");
			err = parse_report(info, a,
					   &cert->report[cert->report_count++]);
		}
		if (err)
			return err;
	}
	return 0;
}

int swb_parse_cert(struct genl_info *info, const struct nlattr *nest,
		   struct swb_cert *cert)
{
	struct nlattr *tb[SWBLOCK_CERT_A_MAX + 1];
	int err;

	err = nla_parse_nested(tb, SWBLOCK_CERT_A_MAX, nest, swb_cert_policy,
			       info->extack);
	if (!err)
		err = swb_no_twins(info, nla_data(nest), nla_len(nest),
				   BIT_ULL(SWBLOCK_CERT_A_JUDGE) |
				   BIT_ULL(SWBLOCK_CERT_A_REPORT));
	if (err)
		return err;
	if (!tb[SWBLOCK_CERT_A_VOLUME] || !tb[SWBLOCK_CERT_A_STORE] ||
	    !tb[SWBLOCK_CERT_A_STORE_GENERATION] || !tb[SWBLOCK_CERT_A_EPOCH] ||
	    !tb[SWBLOCK_CERT_A_CANDIDATE] || !tb[SWBLOCK_CERT_A_CONFIG])
		return swb_refuse(info, -EINVAL,
			      "a certificate needs VOLUME, STORE, STORE_GENERATION, EPOCH, CANDIDATE and CONFIG");
	cert->volume = swb_attr_uuid(tb[SWBLOCK_CERT_A_VOLUME]);
	cert->store = swb_attr_uuid(tb[SWBLOCK_CERT_A_STORE]);
	cert->store_generation = swb_attr_u64(tb[SWBLOCK_CERT_A_STORE_GENERATION]);
	cert->epoch = swb_attr_u64(tb[SWBLOCK_CERT_A_EPOCH]);
	cert->candidate = swb_attr_uuid(tb[SWBLOCK_CERT_A_CANDIDATE]);
	cert->last_granted_epoch = swb_attr_u64(tb[SWBLOCK_CERT_A_LAST_EPOCH]);
	cert->last_granted = swb_attr_uuid(tb[SWBLOCK_CERT_A_LAST_GRANTED]);
	cert->flags = swb_attr_u32(tb[SWBLOCK_CERT_A_FLAGS]);
	err = swb_parse_config(info, tb[SWBLOCK_CERT_A_CONFIG], &cert->config);
	return err ?: parse_evidence(info, nest, cert);
}
