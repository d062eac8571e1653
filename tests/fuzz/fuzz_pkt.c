/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fuzz_pkt.c - bpf/parse/, compiled natively, on any bytes: no read past the frame (it lies in a
 * buffer of exactly its size), no write at all, and what parse_check() lets through is whole.
 */
#include "lib/bpf_host.h"
#include "lib/fuzz.h"

static void judge(uint8_t *b, uint32_t len)
{
	struct pkt p = { 0 };
	enum rr_verdict v = parse(&p, b, b + len);
	uint32_t l3;

	MUST(v == RR_V_GO || v == RR_V_NOT_IP || v == RR_V_NOT_OURS);
	if (v)
		return;
	v = parse_check(&p);
	MUST(v == RR_V_GO || v == RR_V_MALFORMED || v == RR_V_BAD_FLAGS || v == RR_V_FRAGMENT);
	if (v)
		return;
	l3 = (uint32_t)((uint8_t *)p.l3 - b);
	MUST(l3 >= 14 && l3 <= 14 + 4 * PARSE_VLAN_MAX && !p.frag);
	MUST(l3 + p.l3_len <= len);
	MUST(p.l4.off + pkt_tcp(&p)->doff * 4u <= p.l3_len && pkt_tcp(&p)->doff >= 5);
	MUST((uint8_t *)p.l4.head == b + l3 + p.l4.off);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact;

	if (size > 2048)
		return 0;
	exact = malloc(size ? size : 1);
	if (!exact)
		return 0;
	memcpy(exact, data, size);
	judge(exact, (uint32_t)size);
	MUST(memcmp(exact, data, size) == 0);
	free(exact);
	return 0;
}
