// SPDX-License-Identifier: GPL-2.0-only
/* What a scenario expects: one command with many faces. */
#include <string.h>

#include "check.h"
#include "script.h"

/* ---- expectations -------------------------------------------------------------- */

static bool expect_op(struct script *s, enum op_state state)
{
	static const char *const name[] = { "parked", "waiting", "done",
					    "failed" };
	struct op *op = script_op(s, script_word(s, 2));

	if (!op)
		return script_fail(s, "no write or barrier is called %s", script_word(s, 2));
	if (op->state == state ||
	    (state == OP_WAITING && op->state == OP_PARKED))
		return true;
	return script_fail(s, "%s is %s, not %s", script_word(s, 2), name[op->state],
		    name[state]);
}

static bool expect_number(struct script *s, const char *what, u64 have, u32 at)
{
	if (have == script_number(s, at, ~0ULL))
		return true;
	return script_fail(s, "%s is %llu, not %s", what, (unsigned long long)have,
		    script_word(s, at));
}

static bool expect_block(struct script *s, struct node *n)
{
	static u8 buf[SIM_BLOCK];
	u32 block = (u32)script_number(s, 3, 0);
	struct op *op = script_op(s, script_word(s, 4));
	u64 want = op ? op->wid : 0, wid = 0;

	if (!op && strcmp(script_word(s, 4), "zero") != 0)
		return script_fail(s, "expect block nN BLOCK NAME|zero");
	disk_read(&n->disk, NODE_EXTENT_OFFSET + (u64)block * SIM_BLOCK, buf,
		  SIM_BLOCK);
	if (!ref_wid_of(buf, block, &wid))
		return script_fail(s, "block %u is a mixture", block);
	for (u64 x = n->core.d.extent_lo + 1; x <= n->core.log.head; x++) {
		const struct wrec *r = wal_rec(n, x);

		if (r && r->type != SWB_REC_OPEN && block >= r->sector &&
		    block < r->sector + r->len_bytes / SIM_BLOCK)
			wid = r->type == SWB_REC_WRITE ? r->wid : 0;
	}
	if (wid == want)
		return true;
	return script_fail(s, "block %u of n%u holds write %llu, not %llu", block,
		    n->id, (unsigned long long)wid, (unsigned long long)want);
}

static bool expect_peer(struct script *s, struct node *n)
{
	struct node *p = script_node(s, 3);
	const struct swb_core_peer *q;

	if (!p)
		return script_fail(s, "expect peer nP nN STATE [LETTER]");
	q = &n->core.peer[p->id];
	if (strcmp(swb_text_peer_state(q->state), script_word(s, 4)) != 0)
		return script_fail(s, "n%u sees n%u %s, not %s", n->id, p->id,
			    swb_text_peer_state(q->state), script_word(s, 4));
	if (script_word(s, 5)[0] && q->letter != (u8)script_word(s, 5)[0])
		return script_fail(s, "case %c, not %s", q->letter ? q->letter : '-',
			    script_word(s, 5));
	return true;
}

static bool expect_same(struct script *s, struct node *a)
{
	struct node *b = script_node(s, 3);

	if (!b)
		return script_fail(s, "expect same nA nB");
	check_image(s->w, a, 63);
	check_image(s->w, b, 63);
	if (a->core.log.head != b->core.log.head ||
	    a->core.log.last_epoch != b->core.log.last_epoch)
		return script_fail(s, "logs end at %llu and %llu",
			    (unsigned long long)a->core.log.head,
			    (unsigned long long)b->core.log.head);
	return true;
}

static bool expect_refused(struct script *s, struct node *n)
{
	for (u32 r = 1; r < __SWBLOCK_REASON_MAX; r++)
		if (strcmp(swb_text_reason(r), script_word(s, 3)) == 0)
			return n->refused[r] || n->core.refused[r] ? true :
			       script_fail(s, "n%u refused nothing as %s",
					   n->id, script_word(s, 3));
	return script_fail(s, "no such reason: %s", script_word(s, 3));
}

/* expect case TABLE LETTER: it was reached in this run */
static bool expect_case(struct script *s)
{
	static const char *const name[] = { "", "recover", "resync",
					    "promote", "volume", "member" };
	u8 letter = (u8)script_word(s, 3)[0];

	for (u32 t = 1; t < ARRAY_SIZE(name); t++)
		if (strcmp(name[t], script_word(s, 2)) == 0 && letter >= 'A' &&
		    letter <= 'Z')
			return s->w->letters[t][letter - 'A'] ? true :
			       script_fail(s, "case %c of %s was not reached",
					   letter, name[t]);
	return script_fail(s, "expect case recover|resync|promote|volume|member LETTER");
}

static bool expect_node(struct script *s, const char *what, struct node *n)
{
	static const char *const state[] = { "down", "attaching", "up",
					     "refused" };

	if (strcmp(what, "c") == 0)
		return expect_number(s, "C", n->core.log.committed, 3);
	if (strcmp(what, "head") == 0)
		return expect_number(s, "head", n->core.log.head, 3);
	if (strcmp(what, "durable") == 0)
		return expect_number(s, "durable", n->core.log.durable, 3);
	if (strcmp(what, "size") == 0)
		return expect_number(s, "size", n->core.extent_saved / SIM_BLOCK,
				     3);
	if (strcmp(what, "epoch") == 0)
		return expect_number(s, "epoch", n->core.d.epoch, 3);
	if (strcmp(what, "block") == 0)
		return expect_block(s, n);
	if (strcmp(what, "peer") == 0)
		return expect_peer(s, n);
	if (strcmp(what, "same") == 0)
		return expect_same(s, n);
	if (strcmp(what, "refused") == 0)
		return expect_refused(s, n);
	if (strcmp(what, "role") == 0)
		return strcmp(swb_text_role(n->core.role), script_word(s, 3)) == 0 ?
		       true : script_fail(s, "n%u is %s", n->id,
				   swb_text_role(n->core.role));
	if (strcmp(what, "state") == 0)
		return strcmp(state[n->state], script_word(s, 3)) == 0 ? true :
		       script_fail(s, "n%u is %s", n->id, state[n->state]);
	if (strcmp(what, "local") == 0)
		return n->letter == (u8)script_word(s, 3)[0] ? true :
		       script_fail(s, "local case %c, not %s", n->letter ? n->letter :
			    '-', script_word(s, 3));
	return script_fail(s, "expect what? %s", what);
}

bool script_expect(struct script *s)
{
	const char *what = script_word(s, 1);
	struct node *n = script_node(s, 2);

	if (strcmp(what, "done") == 0)
		return expect_op(s, OP_DONE);
	if (strcmp(what, "pending") == 0)
		return expect_op(s, OP_WAITING);
	if (strcmp(what, "failed") == 0)
		return expect_op(s, OP_FAILED);
	if (strcmp(what, "case") == 0)
		return expect_case(s);
	if (strcmp(what, "reads") == 0 || strcmp(what, "seen") == 0)
		return lend_expect(s);
	if (strcmp(what, "committed") == 0)
		return expect_number(s, "committed", s->w->ref.committed, 2);
	if (strcmp(what, "links") == 0)
		return expect_number(s, "links", s->w->net.count - 1, 2);
	if (!n)
		return script_fail(s, "expect %s nN ...", what);
	return expect_node(s, what, n);
}
