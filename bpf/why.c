// SPDX-License-Identifier: GPL-2.0-only
/* Errors of bpf(2) mean different things at each step. Pure: facts in, words out. */
#include <errno.h>
#include <string.h>

#include "why.h"

static const char *attach_words(int err, bool btf, const struct why_facts *f)
{
	if (err == -ENOENT && !f->module)
		return "the module swblock is not loaded: modprobe swblock";
	if (err == -ENOENT)
		return "the module has no tracepoint swblock_stage: this kernel was built without "
		       "tracepoints, or the module is older than this program";
	if (err == -EINVAL && !btf)
		return "the tracepoint has other arguments than this program knows: are the "
		       "module and swblock-lat of one version?";
	return NULL;
}

const char *why_words(enum why_step step, int err, bool btf, const struct why_facts *f)
{
	const char *words = NULL;

	if (err == -ENOSYS)
		return "this kernel has no bpf(2): it was built without CONFIG_BPF_SYSCALL";
	if (!f->root && (err == -EPERM || err == -EACCES))
		return "not permitted: run it as root (CAP_BPF and CAP_PERFMON)";
	if (err == -EPERM)
		return "not permitted, even for root: a container, or the kernel is locked down";
	if (!f->module)
		return "the module swblock is not loaded: modprobe swblock";
	if (step == WHY_LOAD && btf && !f->module_btf)
		return "the module has no BTF here (/sys/kernel/btf/swblock): use --attach raw_tp";
	if (step == WHY_LOAD && err == -EINVAL)
		return "the kernel refuses the program, perhaps it was built without "
		       "CONFIG_BPF_EVENTS: --verbose shows what it says";
	if (step == WHY_ATTACH)
		words = attach_words(err, btf, f);
	return words ? words : strerror(-err);
}
