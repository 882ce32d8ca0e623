/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A volume as the whole cluster shows it: what was declared, what is granted,
 * what each member's host last said. From the store alone, so any host that
 * reaches the store can ask. health.c judges it; show_cluster.c prints it.
 */
#ifndef SWB_CTL_CLUSTER_H
#define SWB_CTL_CLUSTER_H

#include "board.h"
#include "member.h"

/* a host whose last word is older shows as silent, by the doc's time to live */
#define CLUSTER_FINDINGS_MAX	24

/** enum health_level - exit codes of `swblockctl health`, those of monitoring */
enum health_level {
	HEALTH_OK	= 0,
	HEALTH_WARNING	= 1,	/* works, with less than was declared */
	HEALTH_CRITICAL	= 2,	/* no I/O, or a promise is not kept */
	HEALTH_UNKNOWN	= 3,	/* cannot tell: no store, damaged documents */
};

/**
 * struct health_finding - one thing that is not as declared
 * @level: how bad
 * @code: fixed word, for scripts: "no_primary", "member_silent", ...
 * @text: sentence
 * @hint: what to do next, "" = nothing, it mends itself
 */
struct health_finding {
	enum health_level level;
	const char *code;
	char text[192];
	char hint[192];
};

/**
 * struct health - all of them
 * @level: the worst
 * @count: findings
 * @finding: those, in order of discovery
 */
struct health {
	enum health_level level;
	unsigned int count;
	struct health_finding finding[CLUSTER_FINDINGS_MAX];
};

/** health_judge() - pure: what is wrong with a volume */
void health_judge(const struct board *b, const struct board_volume *v,
		  struct health *out);

const char *health_text(enum health_level level);

/**
 * cluster_load() - the blackboard, or one volume of it
 * @ctl: context; opens the store
 * @name: label or uuid, NULL = all
 * @out: to be freed with board_free()
 * @v: the volume, where @name was given
 *
 * Return: CTL_OK or a printed error.
 */
int cluster_load(struct ctl *ctl, const char *name, struct board **out,
		 struct board_volume **v);

/** cluster_hide_deleted() - drop the volumes that were deleted from @b */
void cluster_hide_deleted(struct board *b);

/** cluster_reload() - the same volume again, quietly; NULL if that fails */
struct board *cluster_reload(struct ctl *ctl, const struct swb_uuid *volume,
			     struct board_volume **v);

/** cluster_declared() - is the volume run by daemons? */
bool cluster_declared(const struct board_volume *v);

/** cluster_node() - sign of life of a host, NULL if there is none */
const struct board_node *cluster_node(const struct board *b, const char *node);

/** cluster_state() - what the host of a member last said, or NULL */
const struct board_state *cluster_state(const struct board_volume *v,
					const struct swb_uuid *replica);

/** cluster_member() - declared member by label, uuid or node; NULL if none */
const struct board_member *cluster_member(const struct board_wish *w,
					  const char *name);

/** cluster_primary() - state of the granted primary if it runs as one, or NULL */
const struct board_state *cluster_primary(const struct board_volume *v);

/** cluster_peer() - @replica as the primary's state has it, or NULL */
const struct board_peer *cluster_peer(const struct board_state *primary,
				      const struct swb_uuid *replica);

/** cluster_label() - label of a replica: of wish or record; else short uuid */
const char *cluster_label(const struct board_volume *v,
			  const struct swb_uuid *replica, char buf[CTL_UUID_TEXT]);

/**
 * cluster_put_wish() - change the declaration
 * @ctl: context
 * @v: as loaded; its wish is changed in place and gets the next sequence
 *
 * Return: CTL_OK or a printed error; err_stale if somebody else was faster.
 */
int cluster_put_wish(struct ctl *ctl, struct board_volume *v);

/** cluster_consequences() - what the loss of each single member would mean, as
 * JSON, and printed
 */
json_t *cluster_consequences(struct ctl *ctl, const struct board *b,
			     const struct board_volume *v,
			     const struct board_wish *w, bool print);

/* show_cluster.c */
void cluster_show(struct ctl *ctl, const struct board *b,
		  const struct board_volume *v);
json_t *health_json(const struct board_volume *v, const struct health *h);
json_t *cluster_json(const struct board *b, const struct board_volume *v);

/* explain_cluster.c */
int explain_cluster(struct ctl *ctl, const struct board *b,
		    const struct board_volume *v);

#endif /* SWB_CTL_CLUSTER_H */
