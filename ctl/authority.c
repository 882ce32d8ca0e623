// SPDX-License-Identifier: GPL-2.0-only
/*
 * The moves of an authority record, as pure functions, and its form as JSON.
 * A move that does not exist in some phase is refused with its reason; the
 * stores never look inside.
 */
#include <string.h>

#include "authority.h"
#include "core/promote.h"
#include "core/text.h"
#include "out.h"

static const char *const phase_words[] = {
	[AUTH_NEW] = "new", [AUTH_WON] = "won", [AUTH_GRANTED] = "granted",
	[AUTH_SETTLED] = "settled",
};

const char *auth_phase_text(enum auth_phase phase)
{
	return phase <= AUTH_SETTLED ? phase_words[phase] : "?";
}

static void own(struct auth_record *r, const char *owner,
		const struct swb_uuid *nonce)
{
	text_copy(r->owner, owner, sizeof(r->owner));
	r->nonce = *nonce;
}

static bool config_granted(const struct auth_record *r, const struct swb_config *c)
{
	unsigned int i;

	for (i = 0; i < r->granted_count; i++)
		if (auth_same_config(&r->granted[i].config, c))
			return true;
	return false;
}

const char *auth_win(struct auth_record *r, uint64_t at_least,
		     const struct swb_config *config, uint32_t lease_ms,
		     const char *owner, const struct swb_uuid *nonce)
{
	if (!config)
		config = &r->config;
	if (!swb_config_valid(config))
		return "the configuration is impossible";
	/* P1: refused when it is asked for, not when it is too late to fence */
	if (r->granted_count == AUTH_GRANTED_MAX && !config_granted(r, config))
		return "4 configurations are granted and not settled yet";
	/* P1: what an ungranted epoch proposed is gone with it, whoever won it;
	 * @config is still the one of the newest grant
	 */
	r->epoch = max_t(uint64_t, r->epoch, at_least) + 1;
	r->phase = AUTH_WON;
	r->proposed = *config;
	r->proposed_lease_ms = lease_ms;
	memset(&r->candidate, 0, sizeof(r->candidate));
	own(r, owner, nonce);
	return NULL;
}

const char *auth_take_over(struct auth_record *r, const char *owner,
			   const struct swb_uuid *nonce)
{
	/* P3: only a grant is for ever. Who held it before fails at its grant,
	 * because the nonce is another one.
	 */
	if (r->phase != AUTH_WON)
		return "the epoch is not in phase won";
	own(r, owner, nonce);
	return NULL;
}

static void remember_config(struct auth_record *r)
{
	struct auth_granted *g;
	unsigned int i;

	for (i = 0; i < r->granted_count; i++) {
		if (!auth_same_config(&r->granted[i].config, &r->proposed))
			continue;
		/* equal rules judge equally: the newest of equals moves to the
		 * end, where auth_settle() looks for the one in force
		 */
		memmove(&r->granted[i], &r->granted[i + 1],
			(r->granted_count - i - 1) * sizeof(r->granted[0]));
		r->granted_count--;
		break;
	}
	g = &r->granted[r->granted_count++];
	g->epoch = r->epoch;
	g->config = r->proposed;
}

const char *auth_grant(struct auth_record *r, const struct swb_uuid *candidate,
		       bool override)
{
	unsigned int i;

	if (r->phase != AUTH_WON)
		return "the epoch is not in phase won";
	for (i = 0; i < r->proposed.member_count; i++)
		if (swb_uuid_equal(&r->proposed.member[i], candidate))
			break;
	if (i == r->proposed.member_count)
		return "the candidate is no member of the configuration";
	if (r->granted_count == AUTH_GRANTED_MAX &&
	    !config_granted(r, &r->proposed))
		return "4 configurations are granted and not settled yet";
	r->phase = AUTH_GRANTED;
	r->candidate = *candidate;
	r->last_epoch = r->epoch;
	r->last_granted = *candidate;
	r->config = r->proposed;
	r->lease_ms = r->proposed_lease_ms;
	if (override)
		r->overridden = r->epoch;
	remember_config(r);
	return NULL;
}

const char *auth_settle(struct auth_record *r)
{
	if (r->phase != AUTH_GRANTED || r->last_epoch != r->epoch)
		return "the epoch is not in phase granted";
	r->granted[0] = r->granted[r->granted_count - 1];
	r->granted_count = 1;
	r->phase = AUTH_SETTLED;
	return NULL;
}

bool auth_same_config(const struct swb_config *a, const struct swb_config *b)
{
	/* the ack policy says when a write completes, never what is committed */
	return a->mode == b->mode && a->required == b->required &&
	       a->member_count == b->member_count &&
	       !memcmp(a->member, b->member,
		       a->member_count * sizeof(a->member[0]));
}

const struct auth_member *auth_member(const struct auth_record *r,
				      const struct swb_uuid *id)
{
	unsigned int i;

	for (i = 0; i < r->member_count; i++)
		if (swb_uuid_equal(&r->member[i].id, id))
			return &r->member[i];
	return NULL;
}

/* --- JSON: the body of a stored record, and what -j shows --- */

static bool get_uuid(const json_t *j, const char *key, struct swb_uuid *u)
{
	const json_t *v = json_object_get(j, key);

	memset(u, 0, sizeof(*u));
	if (json_is_null(v))
		return true;
	return json_is_string(v) && uuid_parse(json_string_value(v), u);
}

static bool get_u64(const json_t *j, const char *key, uint64_t *v)
{
	const json_t *n = json_object_get(j, key);

	if (!json_is_integer(n) || json_integer_value(n) < 0)
		return false;
	*v = (uint64_t)json_integer_value(n);
	return true;
}

static bool get_u32(const json_t *j, const char *key, uint32_t *v)
{
	uint64_t n;

	if (!get_u64(j, key, &n) || n > UINT32_MAX)
		return false;
	*v = (uint32_t)n;
	return true;
}

static bool get_text(const json_t *j, const char *key, char *out, size_t len)
{
	const char *s = json_string_value(json_object_get(j, key));

	if (!s || strlen(s) >= len)
		return false;
	text_copy(out, s, len);
	return true;
}

json_t *config_to_json(const struct swb_config *c, const struct auth_record *r)
{
	json_t *j = json_object(), *list = json_array();
	const struct auth_member *m;
	unsigned int i;

	for (i = 0; i < c->member_count; i++) {
		json_t *one = json_object();

		m = r ? auth_member(r, &c->member[i]) : NULL;
		json_object_set_new(one, "replica", json_uuid(&c->member[i]));
		json_object_set_new(one, "label",
				    m ? json_string(m->label) : json_null());
		json_object_set_new(one, "required",
				    json_boolean(c->required >> i & 1));
		json_array_append_new(list, one);
	}
	json_object_set_new(j, "mode", json_string(swb_text_mode(c->mode)));
	json_object_set_new(j, "policy", json_string(swb_text_policy(c->policy)));
	json_object_set_new(j, "members", list);
	return j;
}

bool config_from_json(const json_t *j, struct swb_config *c)
{
	const json_t *list = json_object_get(j, "members"), *one;
	const char *mode = json_string_value(json_object_get(j, "mode"));
	const char *policy = json_string_value(json_object_get(j, "policy"));
	size_t i;

	memset(c, 0, sizeof(*c));
	if (!mode || !policy || !mode_parse(mode, &c->mode) ||
	    !policy_parse(policy, &c->policy) || !json_is_array(list) ||
	    json_array_size(list) > SWB_MEMBERS_MAX)
		return false;
	json_array_foreach(list, i, one) {
		if (!get_uuid(one, "replica", &c->member[i]))
			return false;
		if (json_is_true(json_object_get(one, "required")))
			c->required |= 1u << i;
	}
	c->member_count = (u8)json_array_size(list);
	return true;
}

json_t *report_to_json(const struct swb_report *r)
{
	json_t *j = json_object();

	json_object_set_new(j, "replica", json_uuid(&r->replica));
	json_object_set_new(j, "adopted", json_u64(r->adopted));
	json_object_set_new(j, "last_epoch", json_u64(r->last_epoch));
	json_object_set_new(j, "durable", json_u64(r->durable));
	json_object_set_new(j, "committed", json_u64(r->committed));
	json_object_set_new(j, "flags", json_u64(r->flags));
	return j;
}

bool report_from_json(const json_t *j, struct swb_report *r)
{
	memset(r, 0, sizeof(*r));
	return get_uuid(j, "replica", &r->replica) &&
	       !swb_uuid_is_null(&r->replica) &&
	       get_u64(j, "adopted", &r->adopted) &&
	       get_u64(j, "last_epoch", &r->last_epoch) &&
	       get_u64(j, "durable", &r->durable) &&
	       get_u64(j, "committed", &r->committed) &&
	       get_u32(j, "flags", &r->flags);
}

json_t *cert_to_json(const struct swb_cert *c, const struct auth_record *r)
{
	json_t *j = json_object(), *judges = json_array(), *reports = json_array();
	unsigned int i;

	for (i = 0; i < c->judge_count; i++)
		json_array_append_new(judges, config_to_json(&c->judge[i], r));
	for (i = 0; i < c->report_count; i++)
		json_array_append_new(reports, report_to_json(&c->report[i]));
	json_object_set_new(j, "volume", json_uuid(&c->volume));
	json_object_set_new(j, "store", json_uuid(&c->store));
	json_object_set_new(j, "store_generation", json_u64(c->store_generation));
	json_object_set_new(j, "epoch", json_u64(c->epoch));
	json_object_set_new(j, "candidate", json_uuid(&c->candidate));
	json_object_set_new(j, "config", config_to_json(&c->config, r));
	json_object_set_new(j, "judge", judges);
	json_object_set_new(j, "reports", reports);
	json_object_set_new(j, "last_epoch", json_u64(c->last_granted_epoch));
	json_object_set_new(j, "last_granted", json_uuid(&c->last_granted));
	json_object_set_new(j, "flags", json_u64(c->flags));
	return j;
}

bool cert_from_json(const json_t *j, struct swb_cert *c)
{
	const json_t *judges = json_object_get(j, "judge"), *one;
	const json_t *reports = json_object_get(j, "reports");
	size_t i;

	memset(c, 0, sizeof(*c));
	if (!json_is_array(judges) || !json_is_array(reports) ||
	    json_array_size(judges) > ARRAY_SIZE(c->judge) ||
	    json_array_size(reports) > ARRAY_SIZE(c->report))
		return false;
	json_array_foreach(judges, i, one)
		if (!config_from_json(one, &c->judge[c->judge_count++]))
			return false;
	json_array_foreach(reports, i, one)
		if (!report_from_json(one, &c->report[c->report_count++]))
			return false;
	return get_uuid(j, "volume", &c->volume) &&
	       get_uuid(j, "store", &c->store) &&
	       get_u64(j, "store_generation", &c->store_generation) &&
	       get_u64(j, "epoch", &c->epoch) &&
	       get_uuid(j, "candidate", &c->candidate) &&
	       config_from_json(json_object_get(j, "config"), &c->config) &&
	       get_u64(j, "last_epoch", &c->last_granted_epoch) &&
	       get_uuid(j, "last_granted", &c->last_granted) &&
	       get_u32(j, "flags", &c->flags);
}

/* Absent in records of before there was a daemon. */
static bool daemon_from_json(const json_t *j, struct auth_record *r)
{
	const json_t *cert = json_object_get(j, "cert");

	if (json_object_get(j, "wish_done") &&
	    !get_u64(j, "wish_done", &r->wish_done))
		return false;
	return !cert || json_is_null(cert) || cert_from_json(cert, &r->cert);
}

static json_t *members_to_json(const struct auth_record *r)
{
	json_t *list = json_array();
	unsigned int i;

	for (i = 0; i < r->member_count; i++) {
		json_t *one = json_object();

		json_object_set_new(one, "replica", json_uuid(&r->member[i].id));
		json_object_set_new(one, "label", json_string(r->member[i].label));
		json_array_append_new(list, one);
	}
	return list;
}

json_t *auth_to_json(const struct auth_record *r)
{
	json_t *j = json_object(), *list = json_array();
	unsigned int i;

	for (i = 0; i < r->granted_count; i++) {
		json_t *one = config_to_json(&r->granted[i].config, r);

		json_object_set_new(one, "epoch", json_u64(r->granted[i].epoch));
		json_array_append_new(list, one);
	}
	json_object_set_new(j, "volume", json_uuid(&r->volume));
	json_object_set_new(j, "label", json_string(r->label));
	json_object_set_new(j, "epoch", json_u64(r->epoch));
	json_object_set_new(j, "phase", json_string(auth_phase_text(r->phase)));
	json_object_set_new(j, "owner", json_string(r->owner));
	json_object_set_new(j, "nonce", json_uuid(&r->nonce));
	json_object_set_new(j, "candidate", json_uuid(&r->candidate));
	json_object_set_new(j, "lease_ms", json_u64(r->lease_ms));
	json_object_set_new(j, "proposed_lease_ms", json_u64(r->proposed_lease_ms));
	json_object_set_new(j, "last_epoch", json_u64(r->last_epoch));
	json_object_set_new(j, "last_granted", json_uuid(&r->last_granted));
	json_object_set_new(j, "overridden", json_u64(r->overridden));
	json_object_set_new(j, "primary_only", json_boolean(r->primary_only));
	json_object_set_new(j, "serial", json_u64(r->serial));
	json_object_set_new(j, "members", members_to_json(r));
	json_object_set_new(j, "config", config_to_json(&r->config, r));
	json_object_set_new(j, "proposed", r->phase == AUTH_WON ?
			    config_to_json(&r->proposed, r) : json_null());
	json_object_set_new(j, "granted", list);
	json_object_set_new(j, "wish_done", json_u64(r->wish_done));
	json_object_set_new(j, "cert", r->cert.epoch ?
			    cert_to_json(&r->cert, r) : json_null());
	return j;
}

static bool members_from_json(const json_t *list, struct auth_record *r)
{
	const json_t *one;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > SWB_MEMBERS_MAX)
		return false;
	json_array_foreach(list, i, one)
		if (!get_uuid(one, "replica", &r->member[i].id) ||
		    !get_text(one, "label", r->member[i].label,
			      sizeof(r->member[i].label)))
			return false;
	r->member_count = (unsigned int)json_array_size(list);
	return true;
}

static bool granted_from_json(const json_t *list, struct auth_record *r)
{
	const json_t *one;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > AUTH_GRANTED_MAX)
		return false;
	json_array_foreach(list, i, one)
		if (!get_u64(one, "epoch", &r->granted[i].epoch) ||
		    !config_from_json(one, &r->granted[i].config))
			return false;
	r->granted_count = (unsigned int)json_array_size(list);
	return true;
}

static bool phase_from_text(const char *s, enum auth_phase *phase)
{
	int i;

	for (i = AUTH_NEW; s && i <= AUTH_SETTLED; i++) {
		if (!strcmp(s, phase_words[i])) {
			*phase = (enum auth_phase)i;
			return true;
		}
	}
	return false;
}

bool auth_from_json(const json_t *j, struct auth_record *r)
{
	const json_t *proposed = json_object_get(j, "proposed");

	memset(r, 0, sizeof(*r));
	r->primary_only = json_is_true(json_object_get(j, "primary_only"));
	return get_uuid(j, "volume", &r->volume) &&
	       get_text(j, "label", r->label, sizeof(r->label)) &&
	       get_u64(j, "epoch", &r->epoch) &&
	       phase_from_text(json_string_value(json_object_get(j, "phase")),
			       &r->phase) &&
	       get_text(j, "owner", r->owner, sizeof(r->owner)) &&
	       get_uuid(j, "nonce", &r->nonce) &&
	       get_uuid(j, "candidate", &r->candidate) &&
	       get_u32(j, "lease_ms", &r->lease_ms) &&
	       get_u32(j, "proposed_lease_ms", &r->proposed_lease_ms) &&
	       get_u64(j, "last_epoch", &r->last_epoch) &&
	       get_uuid(j, "last_granted", &r->last_granted) &&
	       get_u64(j, "overridden", &r->overridden) &&
	       get_u64(j, "serial", &r->serial) &&
	       members_from_json(json_object_get(j, "members"), r) &&
	       config_from_json(json_object_get(j, "config"), &r->config) &&
	       (r->phase == AUTH_WON ? config_from_json(proposed, &r->proposed) :
		json_is_null(proposed)) &&
	       granted_from_json(json_object_get(j, "granted"), r) &&
	       daemon_from_json(j, r);
}
