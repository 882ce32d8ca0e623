// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts the times of tracepoint swblock_stage, which carries them, into a histogram
 * for each volume, stage and peer. Must not filter, keep times of its own, or look
 * into a structure of the kernel: arguments are scalars, so one object serves every
 * kernel, with or without the module's BTF.
 *
 * As it stands this is a raw tracepoint, which bpftool can load and attach by itself;
 * swblock-lat turns the same program into a tp_btf one where the module has BTF.
 * Either way an argument is a 64-bit word of the context.
 *
 * Context: the tracepoint's, which is any. Counters are added to atomically.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "hist.bpf.h"

/* Places of the tracepoint's arguments. */
enum {
	ARG_VOLUME,
	ARG_PEER,
	ARG_STAGE,
	ARG_NREC,
	ARG_LSN,
	ARG_BYTES,
	ARG_NS,
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SWBLOCK_LAT_MAX);
	__type(key, struct swblock_lat_key);
	__type(value, struct swblock_lat_hist);
} swblock_lat SEC(".maps");

/* Events that found no place in the map. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} swblock_lost SEC(".maps");

static const struct swblock_lat_hist empty;

static void count_lost(__u32 nrec)
{
	__u32 zero = 0;
	__u64 *lost = bpf_map_lookup_elem(&swblock_lost, &zero);

	if (lost)
		__sync_fetch_and_add(lost, nrec);
}

SEC("raw_tp/swblock_stage")
int on_stage(struct bpf_raw_tracepoint_args *ctx)
{
	struct swblock_lat_key key = {
		.volume = (__u32)ctx->args[ARG_VOLUME],
		.stage = (__u32)ctx->args[ARG_STAGE],
		.peer = (__u32)ctx->args[ARG_PEER],
	};
	__u32 nrec = (__u32)ctx->args[ARG_NREC];
	__u64 ns = ctx->args[ARG_NS];
	struct swblock_lat_hist *h = bpf_map_lookup_elem(&swblock_lat, &key);
	__u64 slot;

	if (!h) {
		/* another processor may be first: then its entry is as good */
		bpf_map_update_elem(&swblock_lat, &key, &empty, BPF_NOEXIST);
		h = bpf_map_lookup_elem(&swblock_lat, &key);
	}
	if (!h) {
		count_lost(nrec);
		return 0;
	}
	slot = swblock_lat_slot(ns);
	/* the verifier wants to see the bound on the very register */
	barrier_var(slot);
	if (slot >= SWBLOCK_LAT_SLOTS)
		return 0;
	__sync_fetch_and_add(&h->slot[slot], nrec);
	__sync_fetch_and_add(&h->sum_ns, ns * nrec);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
