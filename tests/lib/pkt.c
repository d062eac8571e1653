/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pkt.c - builds frames byte by byte and checks checksums byte by byte (RFC 791, 793, 1071, 8200).
 * Slow and plain on purpose: it is the oracle for the packet path, so it shares no code and no
 * structure with it.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "lib/pkt.h"

uint16_t pkt_be16(uint16_t host)
{
	return htons(host);
}

uint32_t pkt_be32(uint32_t host)
{
	return htonl(host);
}

struct rr_addr pkt_addr(const char *text)
{
	struct rr_addr a;

	memset(&a, 0, sizeof(a));
	if (inet_pton(strchr(text, ':') ? AF_INET6 : AF_INET, text, a.a) != 1)
		abort();
	return a;
}

uint32_t pkt_sum(uint32_t sum, const uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? b[i] : (uint32_t)b[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

uint16_t pkt_tcp_sum(uint8_t af, const uint8_t *src, const uint8_t *dst, uint8_t proto,
		     const uint8_t *seg, uint32_t len)
{
	const uint8_t tail[4] = { 0, proto, (uint8_t)(len >> 8), (uint8_t)len };
	size_t n = af == RR_AF_INET ? 4 : 16;
	uint32_t sum;

	sum = pkt_sum(0, src, n);
	sum = pkt_sum(sum, dst, n);
	sum = pkt_sum(sum, tail, sizeof(tail));
	return (uint16_t)~pkt_sum(sum, seg, len);
}

/* ---- building ---- */

static void put8(struct pkt_frame *f, uint8_t v)
{
	if (f->len == PKT_MAX)
		abort();
	f->b[f->len++] = v;
}

static void put16(struct pkt_frame *f, uint16_t v)
{
	put8(f, (uint8_t)(v >> 8));
	put8(f, (uint8_t)v);
}

static void put32(struct pkt_frame *f, uint32_t v)
{
	put16(f, (uint16_t)(v >> 16));
	put16(f, (uint16_t)v);
}

static void put(struct pkt_frame *f, const void *data, size_t len)
{
	const uint8_t *b = data;

	for (size_t i = 0; i < len; i++)
		put8(f, b[i]);
}

static void set16(struct pkt_frame *f, uint32_t at, uint16_t v)
{
	f->b[at] = (uint8_t)(v >> 8);
	f->b[at + 1] = (uint8_t)v;
}

static uint16_t ethertype(const struct pkt_spec *s)
{
	if (s->ethertype)
		return s->ethertype;
	return s->af == RR_AF_INET6 ? 0x86dd : 0x0800;
}

static void build_ether(const struct pkt_spec *s, struct pkt_frame *f)
{
	put(f, s->dmac, 6);
	put(f, s->smac, 6);
	for (int i = 0; i < s->vlans; i++) {
		put16(f, s->vlans == 2 && i == 0 ? 0x88a8 : 0x8100);
		put16(f, s->vlan[i]);
	}
	put16(f, ethertype(s));
}

static uint8_t protocol(const struct pkt_spec *s)
{
	return s->proto ? s->proto : IPPROTO_TCP;
}

static void build_ip4(const struct pkt_spec *s, struct pkt_frame *f)
{
	put8(f, (uint8_t)(0x40 | (5 + s->ip_options_len / 4)));
	put8(f, s->tos);
	put16(f, 0); /* total length: later */
	put16(f, s->bare ? 0 : 0x1234);
	put16(f, s->frag);
	put8(f, s->ttl ? s->ttl : 64);
	put8(f, protocol(s));
	put16(f, 0); /* checksum: later */
	put(f, s->src.a, 4);
	put(f, s->dst.a, 4);
	if (s->ip_options_len)
		put(f, s->ip_options, s->ip_options_len);
}

/* One extension header; they are 8 octets of padding options but for kind 255. */
static void build_ext(struct pkt_frame *f, uint8_t kind, uint8_t next)
{
	uint32_t octets = kind == 255 ? 16 : 8;

	put8(f, next);
	put8(f, (uint8_t)(octets / 8 - 1));
	put8(f, 1); /* PadN */
	put8(f, (uint8_t)(octets - 4));
	for (uint32_t i = 4; i < octets; i++)
		put8(f, 0);
}

static uint8_t ext_protocol(uint8_t kind)
{
	return kind == 255 ? IPPROTO_HOPOPTS : kind;
}

static void build_ip6(const struct pkt_spec *s, struct pkt_frame *f)
{
	uint8_t last = s->frag_header ? IPPROTO_FRAGMENT : protocol(s);

	put32(f, 0x60000000u | ((uint32_t)s->tos << 20) | (s->bare ? 0 : 0x54321));
	put16(f, 0); /* payload length: later */
	put8(f, s->exts ? ext_protocol(s->ext[0]) : last);
	put8(f, s->ttl ? s->ttl : 64);
	put(f, s->src.a, 16);
	put(f, s->dst.a, 16);
	for (int i = 0; i < s->exts; i++)
		build_ext(f, s->ext[i], i + 1 < s->exts ? ext_protocol(s->ext[i + 1]) : last);
	if (s->frag_header) {
		put8(f, protocol(s));
		put8(f, 0);
		put16(f, s->frag);
		put32(f, 0x0badcafe);
	}
}

static void build_payload(struct pkt_frame *f, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		put8(f, (uint8_t)(i + 1));
}

static void build_tcp(const struct pkt_spec *s, struct pkt_frame *f)
{
	uint8_t doff = s->doff ? s->doff : (uint8_t)(5 + s->options_len / 4);

	put16(f, s->sport);
	put16(f, s->dport);
	put32(f, s->seq);
	put32(f, s->ack);
	put8(f, (uint8_t)(doff << 4));
	put8(f, s->flags);
	put16(f, s->bare ? 0 : s->window ? s->window : 29200);
	put16(f, 0);
	put16(f, 0);
	if (s->options_len)
		put(f, s->options, s->options_len);
	build_payload(f, s->payload);
	set16(f, f->l4 + 16,
	      pkt_tcp_sum(s->af, s->src.a, s->dst.a, IPPROTO_TCP, f->b + f->l4, f->len - f->l4));
}

static void build_udp(const struct pkt_spec *s, struct pkt_frame *f)
{
	put16(f, s->sport);
	put16(f, s->dport);
	put16(f, (uint16_t)(8 + s->payload));
	put16(f, 0);
	build_payload(f, s->payload);
	set16(f, f->l4 + 6,
	      pkt_tcp_sum(s->af, s->src.a, s->dst.a, IPPROTO_UDP, f->b + f->l4, f->len - f->l4));
}

/* RFC 4443 2.3: in IPv6 the checksum covers the addresses, in IPv4 it does not (RFC 792). */
static uint16_t icmp_sum(uint8_t af, const uint8_t *src, const uint8_t *dst, const uint8_t *b,
			 uint32_t len)
{
	return af == RR_AF_INET ? (uint16_t)~pkt_sum(0, b, len)
				: pkt_tcp_sum(af, src, dst, IPPROTO_ICMPV6, b, len);
}

static void build_icmp(const struct pkt_spec *s, struct pkt_frame *f)
{
	static struct pkt_frame quote;
	uint32_t len;

	pkt_build(s->quote, &quote);
	len = quote.len - quote.l3;
	put8(f, s->icmp_type);
	put8(f, s->icmp_code);
	put16(f, 0);
	put32(f, s->icmp_rest);
	put(f, quote.b + quote.l3, s->quote_len && s->quote_len < len ? s->quote_len : len);
	set16(f, f->l4 + 2, icmp_sum(s->af, s->src.a, s->dst.a, f->b + f->l4, f->len - f->l4));
}

static void build_l4(const struct pkt_spec *s, struct pkt_frame *f)
{
	f->l4 = f->len;
	if (s->quote)
		build_icmp(s, f);
	else if (protocol(s) == IPPROTO_TCP)
		build_tcp(s, f);
	else if (protocol(s) == IPPROTO_UDP)
		build_udp(s, f);
	else
		build_payload(f, s->payload);
}

static void build_length(const struct pkt_spec *s, struct pkt_frame *f)
{
	uint32_t len = f->len - f->l3;

	if (s->af == RR_AF_INET) {
		set16(f, f->l3 + 2, (uint16_t)((int)len + s->len_off));
		set16(f, f->l3 + 10, (uint16_t)~pkt_sum(0, f->b + f->l3, 20u + s->ip_options_len));
	} else {
		set16(f, f->l3 + 4, (uint16_t)((int)len - 40 + s->len_off));
	}
}

void pkt_build(const struct pkt_spec *s, struct pkt_frame *f)
{
	memset(f, 0, sizeof(*f));
	build_ether(s, f);
	if (s->af == RR_AF_NONE) {
		build_payload(f, s->payload);
		return;
	}
	f->l3 = f->len;
	if (s->af == RR_AF_INET)
		build_ip4(s, f);
	else
		build_ip6(s, f);
	build_l4(s, f);
	build_length(s, f);
	for (int i = 0; i < s->pad; i++)
		put8(f, 0);
}

/* ---- checking ---- */

static uint32_t get16(const uint8_t *b)
{
	return (uint32_t)b[0] << 8 | b[1];
}

/* Transport checksum of a whole, unfragmented packet. */
static const char *check_l4(uint8_t af, const uint8_t *src, const uint8_t *dst, uint8_t proto,
			    const uint8_t *seg, uint32_t len)
{
	if (proto == IPPROTO_TCP) {
		if (len < 20)
			return "truncated";
		return pkt_tcp_sum(af, src, dst, proto, seg, len) ? "TCP checksum" : NULL;
	}
	if (proto == IPPROTO_UDP && len >= 8 && get16(seg + 6))
		return pkt_tcp_sum(af, src, dst, proto, seg, len) ? "UDP checksum" : NULL;
	if (proto == (af == RR_AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6) && len >= 8)
		return icmp_sum(af, src, dst, seg, len) ? "ICMP checksum" : NULL;
	return NULL;
}

static const char *check_ip4(const uint8_t *b, uint32_t len)
{
	uint32_t head, total;

	if (len < 20)
		return "truncated";
	head = (b[0] & 15u) * 4;
	total = get16(b + 2);
	if (b[0] >> 4 != 4 || head < 20 || head > total || total > len)
		return "truncated";
	if (pkt_sum(0, b, head) != 0xffff)
		return "IPv4 checksum";
	if (get16(b + 6) & 0x3fff)
		return NULL;
	return check_l4(RR_AF_INET, b + 12, b + 16, b[9], b + head, total - head);
}

static bool is_ext(uint8_t proto)
{
	return proto == IPPROTO_HOPOPTS || proto == IPPROTO_ROUTING || proto == IPPROTO_DSTOPTS ||
	       proto == IPPROTO_FRAGMENT;
}

static const char *check_ip6(const uint8_t *b, uint32_t len)
{
	uint32_t at = 40, total;
	uint8_t next;

	if (len < 40)
		return "truncated";
	total = 40 + get16(b + 4);
	if (b[0] >> 4 != 6 || total > len)
		return "truncated";
	next = b[6];
	while (is_ext(next)) {
		if (at + 8 > total)
			return "truncated";
		if (next == IPPROTO_FRAGMENT && (get16(b + at + 2) & 0xfff9))
			return NULL;
		len = next == IPPROTO_FRAGMENT ? 8 : 8u + b[at + 1] * 8u;
		next = b[at];
		at += len;
	}
	if (at > total)
		return "truncated";
	return check_l4(RR_AF_INET6, b + 8, b + 24, next, b + at, total - at);
}

const char *pkt_check(const uint8_t *b, uint32_t len)
{
	uint32_t at = 12, type;

	if (len < 14)
		return "truncated";
	for (int i = 0; i < 3; i++) {
		type = get16(b + at);
		at += 2;
		if (type == 0x0800)
			return check_ip4(b + at, len - at);
		if (type == 0x86dd)
			return check_ip6(b + at, len - at);
		if ((type != 0x8100 && type != 0x88a8) || at + 4 > len)
			return NULL;
		at += 2;
	}
	return NULL;
}
