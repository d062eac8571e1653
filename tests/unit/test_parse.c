/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_parse.c - bpf/parse/ compiled natively: what it reads of built frames, of frames cut at
 * every length, and of random bytes. Every frame lies in a buffer of exactly its size, so that
 * ASan sees any read past it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/bpf_host.h"
#include "lib/pkt.h"

#define SPORT 40000
#define DPORT 443

/*
 * What parse() and then parse_check() say of these bytes; `p` points into freed memory
 * afterwards.
 */
static enum rr_verdict judge(const uint8_t *b, uint32_t len, struct pkt *p, enum rr_verdict *check)
{
	uint8_t *exact = malloc(len ? len : 1);
	enum rr_verdict v;

	assert_non_null(exact);
	memcpy(exact, b, len);
	memset(p, 0, sizeof(*p));
	v = parse(p, exact, exact + len);
	*check = v ? RR_V_GO : parse_check(p);
	assert_memory_equal(exact, b, len);
	free(exact);
	return v;
}

static void usual(struct pkt_spec *s, uint8_t af)
{
	s->af = af;
	s->src = pkt_addr(af == RR_AF_INET ? "198.51.100.7" : "2001:db8:c::7");
	s->dst = pkt_addr(af == RR_AF_INET ? "192.0.2.10" : "2001:db8::10");
	s->sport = SPORT;
	s->dport = DPORT;
}

enum { V4 = 1, V6 = 2, BOTH = 3 };

struct row {
	const char *name;
	uint8_t on;
	struct pkt_spec s;
	enum rr_verdict parse, check;
};

#define GO(n, o, ...) \
	{ \
		n, o, { .flags = PKT_ACK, __VA_ARGS__ }, RR_V_GO, RR_V_GO \
	}
#define BAD(n, o, v, ...) \
	{ \
		n, o, { .flags = PKT_ACK, __VA_ARGS__ }, RR_V_GO, v \
	}
#define OUT(n, o, v, ...) \
	{ \
		n, o, { .flags = PKT_ACK, __VA_ARGS__ }, v, RR_V_GO \
	}
#define FLAGS(n, f, v) \
	{ \
		n, BOTH, { .flags = f }, RR_V_GO, v \
	}

static const struct row rows[] = {
	GO("plain", BOTH, .payload = 0),
	GO("data", BOTH, .payload = 100),
	GO("tag", BOTH, .vlans = 1, .vlan = { 0x6123 }),
	GO("two tags", BOTH, .vlans = 2, .vlan = { 9, 10 }),
	GO("IPv4 options", V4, .ip_options = PKT_NOPS, .ip_options_len = 8),
	GO("don't fragment", V4, .frag = 0x4000),
	GO("extension headers", V6, .ext = { 0, 60, 43, 255 }, .exts = 4),
	GO("atomic fragment", V6, .frag_header = true),
	GO("TCP options", BOTH, .options = PKT_SYN_OPTIONS, .options_len = 20),
	GO("padding", BOTH, .pad = 10),
	BAD("offset 4", BOTH, RR_V_MALFORMED, .doff = 4),
	BAD("offset beyond the packet", BOTH, RR_V_MALFORMED, .doff = 6),
	BAD("offset into the padding", BOTH, RR_V_MALFORMED, .doff = 6, .pad = 10),
	BAD("length beyond the frame", BOTH, RR_V_MALFORMED, .len_off = 1),
	BAD("length within the headers", BOTH, RR_V_MALFORMED, .len_off = -1),
	BAD("length of nothing", BOTH, RR_V_MALFORMED, .len_off = -20),
	BAD("length that wraps", V6, RR_V_MALFORMED, .len_off = 0xffff - 20),
	BAD("first fragment", V4, RR_V_FRAGMENT, .frag = 0x2000),
	BAD("first fragment", V6, RR_V_FRAGMENT, .frag_header = true, .frag = 1),
	OUT("later fragment", V4, RR_V_NOT_OURS, .frag = 1),
	OUT("later fragment", V6, RR_V_NOT_OURS, .frag_header = true, .frag = 8),
	OUT("UDP", BOTH, RR_V_NOT_OURS, .proto = 17),
	OUT("five extension headers", V6, RR_V_NOT_OURS, .ext = { 0, 60, 60, 60, 43 }, .exts = 5),
	OUT("unknown extension header", V6, RR_V_NOT_OURS, .ext = { 135 }, .exts = 1),
	OUT("three tags", BOTH, RR_V_NOT_IP, .vlans = 2, .ethertype = 0x88a8),
	OUT("ARP", BOTH, RR_V_NOT_IP, .ethertype = 0x0806),
	OUT("IPv6 in an IPv4 frame", V6, RR_V_NOT_OURS, .ethertype = 0x0800),
	OUT("IPv4 in an IPv6 frame", V4, RR_V_NOT_OURS, .ethertype = 0x86dd),
	FLAGS("SYN", PKT_SYN, RR_V_GO),
	FLAGS("RST", PKT_RST, RR_V_GO),
	FLAGS("FIN", PKT_FIN, RR_V_GO),
	FLAGS("none", 0, RR_V_BAD_FLAGS),
	FLAGS("PSH, URG, ECN only", 0xe8, RR_V_BAD_FLAGS),
	FLAGS("SYN and FIN", PKT_SYN | PKT_FIN | PKT_ACK, RR_V_BAD_FLAGS),
	FLAGS("SYN and RST", PKT_SYN | PKT_RST, RR_V_BAD_FLAGS),
};

/* What the descriptor must say of a built TCP frame. */
static void check_fields(const struct pkt *p, const struct pkt_spec *s, const struct pkt_frame *f)
{
	uint64_t src[2] = { 0 }, dst[2] = { 0 };

	memcpy(src, s->src.a, s->af == RR_AF_INET ? 4 : 16);
	memcpy(dst, s->dst.a, s->af == RR_AF_INET ? 4 : 16);
	assert_int_equal(p->af, s->af);
	assert_true(p->src.w0 == src[0] && p->src.w1 == src[1]);
	assert_true(p->dst.w0 == dst[0] && p->dst.w1 == dst[1]);
	assert_int_equal(p->l4.sport, pkt_be16(s->sport));
	assert_int_equal(p->l4.dport, pkt_be16(s->dport));
	assert_int_equal((uint8_t *)p->l3 - (uint8_t *)p->eth, f->l3);
	assert_int_equal(p->l4.off, f->l4 - f->l3);
	assert_int_equal(p->l3_len, (uint16_t)(f->len - s->pad - f->l3 + (uint32_t)s->len_off));
	assert_int_equal(p->vlan, s->vlans ? s->vlan[0] & 0xfff : 0);
}

/* Every row's frame in each family that the row is about. */
static void each_frame(void (*fn)(const struct row *r, const struct pkt_spec *s,
				  const struct pkt_frame *f))
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (uint8_t on = V4; on <= V6; on++) {
			struct pkt_spec s = rows[i].s;
			struct pkt_frame f;

			if (!(rows[i].on & on))
				continue;
			usual(&s, on == V4 ? RR_AF_INET : RR_AF_INET6);
			pkt_build(&s, &f);
			fn(&rows[i], &s, &f);
		}
	}
}

static void as_the_row_says(const struct row *r, const struct pkt_spec *s,
			    const struct pkt_frame *f)
{
	enum rr_verdict v, check;
	struct pkt p;

	v = judge(f->b, f->len, &p, &check);
	if (v != r->parse || check != r->check)
		fail_msg("%s: %d, %d", r->name, v, check);
	if (!v)
		check_fields(&p, s, f);
}

static void test_rows(void **state)
{
	(void)state;
	each_frame(as_the_row_says);
}

/*
 * Cut short, a TCP frame is somebody else's until its ports can be read, and malformed from there
 * on.
 */
static void cut_short(const struct row *r, const struct pkt_spec *s, const struct pkt_frame *f)
{
	enum rr_verdict v, check;
	struct pkt p;

	if (r->parse)
		return;
	for (uint32_t len = 0; len < f->len - s->pad; len++) {
		v = judge(f->b, len, &p, &check);
		if (len < f->l4 + 4)
			assert_true(v == RR_V_NOT_IP || v == RR_V_NOT_OURS);
		else if (len < f->l4 + 20)
			assert_int_equal(check, RR_V_MALFORMED);
		else if (s->len_off >= 0)
			assert_int_equal(check, RR_V_MALFORMED);
	}
}

static void test_truncated(void **state)
{
	(void)state;
	each_frame(cut_short);
}

static uint64_t rng = 88172645463325252ull;

static uint32_t rnd(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 24) % n;
}

/* Whatever parse_check() lets through is whole: headers and length lie within the frame. */
static void check_whole(const struct pkt *p, uint32_t len)
{
	uint32_t l3 = (uint32_t)((uint8_t *)p->l3 - (uint8_t *)p->eth);

	assert_true(l3 == 14 || l3 == 18 || l3 == 22);
	assert_true(l3 + p->l3_len <= len);
	assert_true(p->l4.off + 20u <= p->l3_len);
}

static void test_random(void **state)
{
	enum rr_verdict v, check;
	uint32_t whole = 0;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		struct pkt_spec s = rows[rnd(sizeof(rows) / sizeof(rows[0]))].s;
		struct pkt_frame f;
		struct pkt p;

		usual(&s, rnd(2) ? RR_AF_INET : RR_AF_INET6);
		if (s.af == RR_AF_INET6)
			s.ip_options_len = 0;
		pkt_build(&s, &f);
		for (uint32_t n = rnd(6); n; n--)
			f.b[12 + rnd(f.len - 12)] = (uint8_t)rnd(256);
		f.len -= rnd(4) ? 0 : rnd(f.len);
		v = judge(f.b, f.len, &p, &check);
		if (v || check)
			continue;
		check_whole(&p, f.len);
		whole++;
	}
	assert_true(whole > 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
