/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * past.bpf.c - maps of a layout that never was: fields in another order, narrower, missing, more.
 * test_dp_change pins them as another version of ours.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct past_addr {
	__u8 a[16];
};

struct past_endpoint {
	__u64 gone; /* nothing of that name today */
	__u16 flags; /* narrower */
	__u16 port;
	__u8 family;
	__u8 pad[3];
	struct past_addr addr;
	__u64 hop;
};

struct past_stats {
	__u64 closed;
	__u64 packets[1]; /* shorter */
	__u64 conns;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, struct past_endpoint);
} endpoints SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, struct past_stats);
} ep_stats SEC(".maps");

SEC("xdp")
int past(struct xdp_md *ctx)
{
	__u32 zero = 0;

	(void)ctx;
	return bpf_map_lookup_elem(&endpoints, &zero) && bpf_map_lookup_elem(&ep_stats, &zero)
		       ? XDP_PASS
		       : XDP_DROP;
}

char _license[] SEC("license") = "Dual BSD/GPL";
