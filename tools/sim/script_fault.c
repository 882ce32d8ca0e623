// SPDX-License-Identifier: GPL-2.0-only
/* Faults of time, disks, paths and controllers, as commands of a scenario. */
#include <string.h>

#include "check.h"
#include "script.h"

static u64 millis(const struct script *s, u32 i)
{
	return script_number(s, i, 10) * SIM_MSEC;
}

/* pause nN MS, stall nN MS */
static bool do_pause(struct script *s)
{
	struct node *n = script_node(s, 1);

	if (!n)
		return script_fail(s, "%s nN MS", script_word(s, 0));
	if (strcmp(script_word(s, 0), "pause") == 0)
		node_pause(s->w, n, millis(s, 2));
	else
		node_stall_disk(s->w, n, millis(s, 2));
	return true;
}

/* slow nA nB MS */
static bool do_slow(struct script *s)
{
	struct node *a = script_node(s, 1), *b = script_node(s, 2);

	if (!a || !b)
		return script_fail(s, "slow nA nB MS");
	s->w->net.slow_ns[a->id][b->id] = millis(s, 3);
	return true;
}

/* lose nFROM nTO TYPE: the next such frame vanishes, the connection goes on */
static bool do_lose(struct script *s)
{
	struct node *a = script_node(s, 1), *b = script_node(s, 2);
	u16 type = SWB_WIRE_OPEN;

	while (type <= SWB_WIRE_BASE_END &&
	       strcmp(swb_text_wire(type), script_word(s, 3)) != 0)
		type++;
	if (!a || !b || type > SWB_WIRE_BASE_END)
		return script_fail(s, "lose nFROM nTO TYPE");
	s->w->net.lose_next[a->id][b->id] = type;
	return true;
}

/* misroute nA nB nC [stranger] */
static bool do_misroute(struct script *s)
{
	struct node *a = script_node(s, 1), *b = script_node(s, 2);
	struct node *c = script_node(s, 3);

	if (!a || !b || !c || a == b || a == c)
		return script_fail(s, "misroute nA nB nC [stranger]");
	control_misroute(s->w, a->id, b->id, c->id,
			 strcmp(script_word(s, 4), "stranger") == 0);
	return true;
}

/* lie nN lose|misplace ring|extent|super: the next write there, without an error */
static bool do_lie(struct script *s)
{
	struct node *n = script_node(s, 1);
	const char *where = script_word(s, 3);
	struct disk *d;

	if (!n)
		return script_fail(s, "lie nN lose|misplace ring|extent|super");
	d = &n->disk;
	n->rotten = true;
	d->lie = strcmp(script_word(s, 2), "lose") == 0 ? DISK_LOSES :
							  DISK_MISPLACES;
	d->lie_from = 0;
	d->lie_to = NODE_RING_OFFSET;
	if (strcmp(where, "ring") == 0) {
		d->lie_from = NODE_RING_OFFSET;
		d->lie_to = NODE_BITMAP_OFFSET;
	} else if (strcmp(where, "extent") == 0) {
		d->lie_from = NODE_EXTENT_OFFSET;
		d->lie_to = d->bytes;
	}
	return true;
}

/* fail nN [passing] */
static bool do_fail(struct script *s)
{
	struct node *n = script_node(s, 1);

	if (!n)
		return script_fail(s, "fail nN [passing]");
	node_fail_disk(s->w, n, strcmp(script_word(s, 2), "passing") == 0);
	return true;
}

/* watch nN SKEW_MS [DRIFT_PPM], a minus in front of the drift */
static bool do_watch(struct script *s)
{
	struct node *n = script_node(s, 1);
	const char *drift = script_word(s, 3);
	bool slow = drift[0] == '-';
	u64 ppm = 0;

	for (drift += slow; *drift >= '0' && *drift <= '9'; drift++)
		ppm = ppm * 10 + (u64)(*drift - '0');
	if (!n || n->state == NODE_UP || ppm > SIM_CLOCK_ERROR_PPM || *drift)
		return script_fail(s, "watch nN SKEW_MS [[-]PPM], nN down");
	n->watch.skew_ns = millis(s, 2);
	n->watch.drift_ppm = slow ? -(s32)ppm : (s32)ppm;
	return true;
}

/*
 * store on|off|restart|pause [AGENT] [MS]: the controller reaches its store, or
 * not; it restarts; it stands still
 */
static bool do_store(struct script *s)
{
	const char *what = script_word(s, 1);
	u32 i = (u32)script_number(s, 2, 0);
	struct agent *g = &s->w->control.agent[i % CONTROL_AGENTS];

	if (strcmp(what, "restart") == 0)
		control_restart(s->w, (u8)(i % CONTROL_AGENTS));
	else if (strcmp(what, "pause") == 0)
		g->paused_ns = s->w->clock.now_ns +
			       script_number(s, 3, 0) * SIM_MSEC;
	else if (strcmp(what, "on") == 0 || strcmp(what, "off") == 0)
		g->storeless = what[1] == 'f';
	else
		return script_fail(s, "store on|off|restart|pause [AGENT] [MS]");
	return true;
}

static u8 mode_of(const char *name)
{
	for (u8 m = SWBLOCK_MODE_BEST_EFFORT; m <= SWBLOCK_MODE_SYNC_ALL; m++)
		if (strcmp(swb_text_mode(m), name) == 0)
			return m;
	return 0;
}

/*
 * wish primary nN|any, wish override nN, wish mode MODE, wish members N,
 * wish required MASK, wish shrink on|off, wish rebuilds on|off,
 * wish stopped on|off
 */
static bool do_wish(struct script *s)
{
	struct control *c = &s->w->control;
	const char *what = script_word(s, 1), *value = script_word(s, 2);
	struct node *n = script_node(s, 2);
	bool on = strcmp(value, "on") == 0;

	c->wish_sequence++;
	if (strcmp(what, "primary") == 0 || strcmp(what, "override") == 0) {
		c->wish_primary = n ? n->id : SIM_NOBODY;
		c->wish_override = what[0] == 'o';
		c->overrides += c->wish_override;
	} else if (strcmp(what, "mode") == 0 && mode_of(value)) {
		c->wish_mode = mode_of(value);
	} else if (strcmp(what, "members") == 0) {
		c->wish_nodes = (u8)script_number(s, 2, 0);
	} else if (strcmp(what, "required") == 0) {
		c->wish_required = (u32)script_number(s, 2, 0);
	} else if (strcmp(what, "shrink") == 0) {
		c->shrinks = on;
	} else if (strcmp(what, "rebuilds") == 0) {
		c->rebuilds = on;
	} else if (strcmp(what, "stopped") == 0) {
		c->stopped = on;
	} else {
		return script_fail(s, "wish what?");
	}
	return true;
}

bool script_fault(struct script *s, bool *known)
{
	static const struct {
		const char *name;
		bool (*run)(struct script *s);
	} commands[] = {
		{ "wish", do_wish },
		{ "pause", do_pause }, { "stall", do_pause },
		{ "slow", do_slow }, { "lose", do_lose }, { "misroute", do_misroute },
		{ "fail", do_fail }, { "lie", do_lie }, { "watch", do_watch },
		{ "store", do_store },
	};

	*known = true;
	for (u32 i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(script_word(s, 0), commands[i].name) == 0)
			return commands[i].run(s);
	*known = false;
	return false;
}
