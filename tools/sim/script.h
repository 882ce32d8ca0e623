/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scenario scripts: one command a line, '#' starts a comment. The language is
 * described in docs/simulator.md.
 */
#ifndef SWB_SIM_SCRIPT_H
#define SWB_SIM_SCRIPT_H

#include "world.h"

#define WORDS_MAX	16
#define NAMES_MAX	64

/**
 * struct script - a script under way
 * @word: words of the line
 * @op: named writes and barriers
 */
struct script {
	struct world *w;
	const char *path;
	u32 line;
	bool made;
	u32 words;
	char *word[WORDS_MAX];
	u32 names;
	struct {
		char name[16];
		struct op *op;
	} op[NAMES_MAX];
	char *why;
	size_t why_len;
};

bool script_fail(struct script *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
const char *script_word(const struct script *s, u32 i);
u64 script_number(const struct script *s, u32 i, u64 dflt);
struct node *script_node(const struct script *s, u32 i);
struct op *script_op(const struct script *s, const char *name);

/* script_expect.c */
bool script_expect(struct script *s);

/* inject.c: an adversary */
bool inject_frame(struct script *s);
bool inject_fact(struct script *s);
bool inject_certify(struct script *s);
bool inject_until(struct script *s);
/* spoil.c: a disk that was tampered with */
bool spoil_disk(struct script *s);

/* script_fault.c: @known says whether the command is one of its own */
bool script_fault(struct script *s, bool *known);

/** script_run() - true if every expectation held; else @why says which did not */
bool script_run(struct world *w, const char *path, bool trace,
		enum sim_break broken, char *why, size_t why_len);

#endif /* SWB_SIM_SCRIPT_H */
