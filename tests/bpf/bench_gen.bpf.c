/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bench_gen.bpf.c - the packet of a random flow, then a tail call to the program under test.
 * BPF_PROG_TEST_RUN repeats on the packet as the last run left it, so the whole header is written
 * anew. With bench_null as the program under test a run costs what the generator costs; the bench
 * subtracts that. With an empty jump table the frame leaves by XDP_TX: the source of live frames.
 *
 * Every word is stored with the width that the packet path loads, else the CPU could not forward
 * the store to the load, and the bench would measure that.
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/bench_gen.h"

#define ETH_LEN 14
#define IP4_LEN 20
#define IP6_LEN 40

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bench_gen);
} gen SEC(".maps");

/* element 0: the program under test */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} jump SEC(".maps");

/* frames that came back */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} sunk SEC(".maps");

static __always_inline void *frame(const struct xdp_md *ctx, __u32 len)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	return data + len > end ? NULL : data;
}

static __always_inline struct bench_gen *state(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&gen, &zero);
}

/*
 * A known flow: multiplicative congruential generator (Knuth), its high half scaled to the range.
 */
static __always_inline __u32 pick_flow(struct bench_gen *g)
{
	g->rng = g->rng * 6364136223846793005ull + 1442695040888963407ull;
	return (g->rng >> 32) * g->flows >> 32;
}

static __always_inline void put32(void *at, __u32 off, __u32 v)
{
	*(__u32 *)(at + off) = v;
}

static __always_inline void put64(void *at, __u32 off, __u64 v)
{
	*(__u64 *)(at + off) = v;
}

static __always_inline void put_eth(void *d, const struct bench_gen *g)
{
	put32(d, 0, g->eth[0]);
	put32(d, 4, g->eth[1]);
	put32(d, 8, g->eth[2]);
	*(__u16 *)(d + 12) = g->eth_type;
}

static __always_inline void put_tcp(void *d, const struct bench_gen *g, __u16 sport, __u16 dport)
{
	put32(d, 0, sport | (__u32)dport << 16);
	put32(d, 4, g->tcp[0]);
	put32(d, 8, g->tcp[1]);
	put32(d, 12, g->tcp[2]);
	put32(d, 16, g->tcp[3]);
}

static __always_inline int to_test(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &jump, 0);
	return XDP_TX;
}

static __always_inline void put_ip4(void *d, const struct bench_gen *g, __u32 src, __u32 dst)
{
	put_eth(d, g);
	put32(d, ETH_LEN, g->ip[0]);
	put32(d, ETH_LEN + 4, g->ip[1]);
	put32(d, ETH_LEN + 8, g->ip[2]);
	put32(d, ETH_LEN + 12, src);
	put32(d, ETH_LEN + 16, dst);
}

static __always_inline void put_ip6(void *d, const struct bench_gen *g)
{
	put_eth(d, g);
	put32(d, ETH_LEN, g->ip[0]);
	put32(d, ETH_LEN + 4, g->ip[1]);
}

static __always_inline int client4(struct xdp_md *ctx, struct bench_gen *g, void *d, __u32 i)
{
	put_ip4(d, g, bench_client4(i), g->addr4);
	put_tcp(d + ETH_LEN + IP4_LEN, g, bench_client_port(i), BENCH_PORT_BE);
	return to_test(ctx);
}

static __always_inline int client6(struct xdp_md *ctx, struct bench_gen *g, void *d, __u32 i)
{
	put_ip6(d, g);
	put64(d, ETH_LEN + 8, bench_client6(i, 0));
	put64(d, ETH_LEN + 16, bench_client6(i, 1));
	put64(d, ETH_LEN + 24, g->addr6[0]);
	put64(d, ETH_LEN + 32, g->addr6[1]);
	put_tcp(d + ETH_LEN + IP6_LEN, g, bench_client_port(i), BENCH_PORT_BE);
	return to_test(ctx);
}

/* From the client of a known flow. */
SEC("xdp")
int bench_client_v4(struct xdp_md *ctx)
{
	void *d = frame(ctx, ETH_LEN + IP4_LEN + 20);
	struct bench_gen *g = state();

	return d && g ? client4(ctx, g, d, pick_flow(g)) : XDP_ABORTED;
}

SEC("xdp")
int bench_client_v6(struct xdp_md *ctx)
{
	void *d = frame(ctx, ETH_LEN + IP6_LEN + 20);
	struct bench_gen *g = state();

	return d && g ? client6(ctx, g, d, pick_flow(g)) : XDP_ABORTED;
}

/* From a client that was never seen before. */
SEC("xdp")
int bench_fresh_v4(struct xdp_md *ctx)
{
	void *d = frame(ctx, ETH_LEN + IP4_LEN + 20);
	struct bench_gen *g = state();

	return d && g ? client4(ctx, g, d, g->next++) : XDP_ABORTED;
}

SEC("xdp")
int bench_fresh_v6(struct xdp_md *ctx)
{
	void *d = frame(ctx, ETH_LEN + IP6_LEN + 20);
	struct bench_gen *g = state();

	return d && g ? client6(ctx, g, d, g->next++) : XDP_ABORTED;
}

/* From the endpoint of a known flow. */
SEC("xdp")
int bench_server_v4(struct xdp_md *ctx)
{
	void *d = frame(ctx, ETH_LEN + IP4_LEN + 20);
	struct bench_gen *g = state();
	__u32 i;

	if (!d || !g)
		return XDP_ABORTED;
	i = pick_flow(g);
	put_ip4(d, g, bench_endpoint4(bench_endpoint(BENCH_NAT4, i)), bench_local4(bench_local(i)));
	put_tcp(d + ETH_LEN + IP4_LEN, g, BENCH_PORT_BE, bench_local_port(i));
	return to_test(ctx);
}

SEC("xdp")
int bench_server_v6(struct xdp_md *ctx)
{
	void *d = frame(ctx, ETH_LEN + IP6_LEN + 20);
	struct bench_gen *g = state();
	__u32 i, ep, local;

	if (!d || !g)
		return XDP_ABORTED;
	i = pick_flow(g);
	ep = bench_endpoint(BENCH_NAT6, i);
	local = bench_local(i);
	put_ip6(d, g);
	put64(d, ETH_LEN + 8, bench_endpoint6(ep, 0));
	put64(d, ETH_LEN + 16, bench_endpoint6(ep, 1));
	put64(d, ETH_LEN + 24, bench_local6(local, 0));
	put64(d, ETH_LEN + 32, bench_local6(local, 1));
	put_tcp(d + ETH_LEN + IP6_LEN, g, BENCH_PORT_BE, bench_local_port(i));
	return to_test(ctx);
}

SEC("xdp")
int bench_null(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_TX;
}

SEC("xdp")
int bench_clock(struct xdp_md *ctx)
{
	struct bench_gen *g = state();

	(void)ctx;
	if (g)
		g->jiffies = bpf_jiffies64();
	return XDP_PASS;
}

/* Live frames: what a balancer without any work would do. */
SEC("xdp")
int bench_reflect(struct xdp_md *ctx)
{
	__u16 *m = frame(ctx, ETH_LEN), t;

	if (!m)
		return XDP_ABORTED;
#pragma unroll
	for (int i = 0; i < 3; i++) {
		t = m[i];
		m[i] = m[i + 3];
		m[i + 3] = t;
	}
	return XDP_TX;
}

SEC("xdp")
int bench_sink(struct xdp_md *ctx)
{
	__u32 zero = 0;
	__u64 *n = bpf_map_lookup_elem(&sunk, &zero);

	(void)ctx;
	if (n)
		(*n)++;
	return XDP_DROP;
}

char _license[] SEC("license") = "Dual BSD/GPL";
