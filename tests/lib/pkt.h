/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pkt.h - frames for tests, built from a description, and a checker that computes every checksum
 * of a frame anew. Plain code over bytes: it shares nothing with bpf/parse/ and bpf/csum.h, so
 * that they cannot be wrong together.
 */
#ifndef LIB_PKT_H
#define LIB_PKT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rr_table.h"

#define PKT_MAX 2048u
#define PKT_EXT_MAX 6

enum {
	PKT_FIN = 0x01,
	PKT_SYN = 0x02,
	PKT_RST = 0x04,
	PKT_PSH = 0x08,
	PKT_ACK = 0x10,
	PKT_URG = 0x20
};

/*
 * TCP options as a client's SYN has them: MSS 1460, SACK permitted, timestamps, no-op, window
 * scale 7.
 */
#define PKT_SYN_OPTIONS \
	"\x02\x04\x05\xb4\x04\x02\x08\x0a\x00\x01\x02\x03\x00\x00\x00\x00\x01\x03\x03\x07"
#define PKT_SYN_OPTIONS_LEN 20u
/* IPv4 options: router alert (RFC 2113); and no-ops */
#define PKT_ROUTER_ALERT "\x94\x04\x00\x00"
#define PKT_NOPS "\x01\x01\x01\x01\x01\x01\x01\x01"

/*
 * What a frame holds. Zero means: the usual. Numbers are in host order unless they say otherwise.
 */
struct pkt_spec {
	uint8_t dmac[6], smac[6];
	uint8_t vlans; /* tags, 0-2; the outer of two is 802.1ad */
	uint16_t vlan[2]; /* tag control: priority and id */
	uint16_t ethertype; /* 0: by `af` */
	uint8_t af; /* enum rr_family; RR_AF_NONE: `payload` follows Ethernet */
	struct rr_addr src, dst;
	uint8_t ttl; /* 0: 64 */
	uint8_t tos;
	uint8_t proto; /* 0: TCP */
	/* IPv4: flags and offset word; IPv6: a fragment header's offset << 3 | more */
	uint16_t frag;
	bool frag_header; /* IPv6: has a fragment header */
	const char *ip_options; /* IPv4 */
	uint8_t ip_options_len; /* a multiple of 4 */
	/* IPv6: extension headers of 8 octets each, by protocol number; 255: hop-by-hop of 16 */
	uint8_t ext[PKT_EXT_MAX];
	uint8_t exts;
	uint16_t sport, dport; /* TCP and UDP */
	uint32_t seq, ack;
	uint8_t flags;
	uint8_t doff; /* 0: right */
	uint16_t window; /* 0: 29200 */
	bool bare; /* no IPv4 id, IPv6 flow label or window: as a RST of the packet path has it */
	const char *options; /* TCP */
	uint8_t options_len; /* a multiple of 4 */
	/* bytes, counting up from 1; ICMP, IGMP and others: all that follows the IP header */
	uint16_t payload;
	/* ICMP error (proto 1 or 58): type, code, the four bytes after its checksum */
	uint8_t icmp_type, icmp_code;
	uint32_t icmp_rest;
	const struct pkt_spec *quote; /* whose packet it quotes, from the IP header on */
	uint16_t quote_len; /* so many bytes of it; 0: all */
	uint16_t pad; /* Ethernet padding after the packet */
	int len_off; /* added to the length that the IP header claims */
};

struct pkt_frame {
	uint8_t b[PKT_MAX];
	uint32_t len;
	uint32_t l3, l4; /* offsets of the IP and of the transport header; 0 = there is none */
};

/* Builds a frame with right checksums. */
void pkt_build(const struct pkt_spec *s, struct pkt_frame *f);

/*
 * Computes every checksum of a frame anew. NULL: all right, or nothing that has a checksum. Else
 * what is wrong. A length that the IP header claims beyond the frame, or a header cut short, is
 * "truncated".
 */
const char *pkt_check(const uint8_t *b, uint32_t len);

/*
 * The Internet checksum over bytes (RFC 1071), `sum` = what was added before; not yet
 * complemented.
 */
uint32_t pkt_sum(uint32_t sum, const uint8_t *b, size_t len);
/* Complemented checksum of a TCP segment with its pseudo header; 0 when the one in it is right. */
uint16_t pkt_tcp_sum(uint8_t af, const uint8_t *src, const uint8_t *dst, uint8_t proto,
		     const uint8_t *seg, uint32_t len);

struct rr_addr pkt_addr(const char *text); /* aborts on nonsense */
uint16_t pkt_be16(uint16_t host);
uint32_t pkt_be32(uint32_t host);

#endif
