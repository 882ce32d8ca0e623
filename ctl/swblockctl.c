// SPDX-License-Identifier: GPL-2.0-only
/*
 * swblockctl: the admin's hand. Parses, finds the verb, runs it, ends with its
 * exit code. What a verb does is in verb_<name>.c; who may become primary is
 * decided in kmod/core/promote.c and nowhere here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "authority.h"
#include "nl.h"
#include "out.h"
#include "verbs.h"

/* In the order in which a newcomer needs them. */
const struct verb *const ctl_verbs[] = {
	&verb_volume_create, &verb_volume_list, &verb_volume_set, &verb_volume_move,
	&verb_volume_add, &verb_volume_drop, &verb_volume_replace,
	&verb_volume_rebuild, &verb_volume_verify, &verb_volume_suspend,
	&verb_volume_resume, &verb_volume_delete, &verb_health, &verb_events, &verb_node_list,
	&verb_format, &verb_add, &verb_remove, &verb_assign, &verb_adopt,
	&verb_promote, &verb_demote, &verb_lease, &verb_link, &verb_unlink,
	&verb_rebuild, &verb_tune, &verb_suspend, &verb_resume, &verb_resize,
	&verb_verify,
	&verb_status, &verb_latency, &verb_record, &verb_monitor, &verb_explain,
	&verb_authority, &verb_store_check, &verb_store_dump, &verb_info, NULL,
};

static bool want_color(const struct ctl *ctl)
{
	const char *when = opt_get(ctl, "color");
	const char *term = getenv("TERM");

	if (when && !strcmp(when, "always"))
		return true;
	if (when && !strcmp(when, "never"))
		return false;
	/* NO_COLOR counts when set and not empty */
	return isatty(STDOUT_FILENO) && !(getenv("NO_COLOR") && *getenv("NO_COLOR")) &&
	       term && strcmp(term, "dumb");
}

static int globals(struct ctl *ctl)
{
	const char *when = opt_get(ctl, "color");
	const char *text = opt_get(ctl, "timeout");
	uint64_t v;

	if (when && strcmp(when, "auto") && strcmp(when, "always") &&
	    strcmp(when, "never"))
		return out_fail(ctl, &err_usage, NULL,
				"--color is auto, always or never");
	ctl->color = want_color(ctl);
	ctl->timeout_s = CTL_TIMEOUT_S;
	if (text) {
		if (!number_parse(text, 86400, &v) || !v)
			return out_fail(ctl, &err_usage, NULL,
					"--timeout is 1 to 86400 seconds");
		ctl->timeout_s = (unsigned int)v;
	}
	ctl->store_path = opt_get(ctl, "store");
	if (!ctl->store_path)
		ctl->store_path = getenv("SWBLOCK_STORE");
	if (!ctl->store_path || !*ctl->store_path)
		ctl->store_path = CTL_STORE_DEFAULT;
	return CTL_OK;
}

static int run(struct ctl *ctl, int argc, char **argv)
{
	const struct verb *verb;
	int ret;

	ret = opt_parse(ctl, argc, argv);
	if (ret)
		return ret;
	verb = ctl->verb;
	if (opt_has(ctl, "help")) {
		ctl->json = false;
		if (verb)
			opt_help(ctl, verb);
		else
			opt_overview();
		return CTL_OK;
	}
	if (opt_has(ctl, "version")) {
		out_line(ctl, "swblockctl %s", CTL_VERSION);
		out_set(ctl, "version", json_string(CTL_VERSION));
		return CTL_OK;
	}
	if (!verb && ctl->group)
		return out_fail(ctl, &err_usage, "see swblockctl --help",
				"\"%s\" wants a second word", ctl->group);
	if (!verb) {
		if (!ctl->json) {
			opt_overview();
			ctl->failed = true;
			return CTL_USAGE;
		}
		return out_fail(ctl, &err_usage, "see swblockctl --help",
				"no verb given");
	}
	ret = globals(ctl);
	if (ret)
		return ret;
	if (ctl->pos_count < verb->pos_min || ctl->pos_count > verb->pos_max) {
		char hint[512];

		snprintf(hint, sizeof(hint), "usage: swblockctl %s %s",
			 verb->name, verb->synopsis);
		return out_fail(ctl, &err_usage, hint,
				ctl->pos_count < verb->pos_min ?
				"an argument is missing" : "too many arguments");
	}
	return verb->run(ctl);
}

int main(int argc, char **argv)
{
	struct ctl ctl = { 0 };
	int ret;

	/* a reader that went away is no reason to leave an order half done */
	setvbuf(stdout, NULL, _IOLBF, 0);
	ret = run(&ctl, argc, argv);
	out_finish(&ctl);
	kern_close(ctl.kern);
	store_close(ctl.store);
	return ret;
}
