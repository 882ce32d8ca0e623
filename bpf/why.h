/* SPDX-License-Identifier: GPL-2.0-only */
/* Why the BPF program cannot be loaded or attached, in words. Pure. */
#ifndef SWB_BPF_WHY_H
#define SWB_BPF_WHY_H

#include <stdbool.h>

enum why_step {
	WHY_LOAD,
	WHY_ATTACH,
	WHY_READ,
};

/**
 * struct why_facts - what can be seen of this kernel
 * @module: swblock is loaded
 * @module_btf: and has BTF
 * @root: effective user id 0
 */
struct why_facts {
	bool module;
	bool module_btf;
	bool root;
};

/** why_words() - the reason for @err (negative errno) at @step, and what to do */
const char *why_words(enum why_step step, int err, bool btf, const struct why_facts *f);

#endif /* SWB_BPF_WHY_H */
