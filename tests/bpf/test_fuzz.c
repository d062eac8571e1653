/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_fuzz.c - mutated packets through the loaded program, flows of every state in its table.
 * Whatever comes: one verdict a packet, the action is that of the verdict's class, what passes is
 * untouched to the byte, and what is sent has right checksums if it had them on the way in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bpf.h>

#include <cmocka.h>

#include "path.h"

#define PACKETS 200000u
#define AGAIN 4096u /* then a new world, so that flows of all states are there */

static struct rig rig;
static struct world world[PATH_SERVICES];
static uint64_t rng = 0x9e3779b97f4a7c15ull;
static uint32_t seen[RR_V_MAX], sent_right;

static uint32_t rnd(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 24) % n;
}

/* Three flows of each service, of which one is established. */
static void populate(void)
{
	for (uint32_t svc = 0; svc < PATH_SERVICES; svc++)
		path_world(&world[svc], &rig, svc);
	for (uint32_t svc = 0; svc < PATH_SERVICES; svc++) {
		rig.services[svc].on_unknown = (uint8_t)rnd(3);
		rig.services[svc].overflow = (uint8_t)rnd(2);
		world[svc].cport = 40001;
		path_reach(&world[svc], (enum path_have)(HAVE_SYN + rnd(HAVE_KILLED)));
		world[svc].cport = 40002;
		path_reach(&world[svc], HAVE_SYN);
		world[svc].cport = 40000;
		path_reach(&world[svc], HAVE_EST);
	}
}

static void base(struct pkt_frame *f)
{
	static const uint8_t flags[] = { PKT_SYN,	    PKT_SYN | PKT_ACK, PKT_ACK, PKT_ACK,
					 PKT_PSH | PKT_ACK, PKT_FIN | PKT_ACK, PKT_RST };
	struct world *w = &world[rnd(PATH_SERVICES)];
	struct pkt_spec diff = { .flags = flags[rnd(sizeof(flags))], .payload = (uint16_t)rnd(64) },
			s;

	diff.vlans = (uint8_t)(rnd(4) ? 0 : rnd(3));
	diff.vlan[0] = (uint16_t)rnd(0x10000);
	diff.ttl = rnd(16) ? 0 : 1;
	if (w->af == RR_AF_INET && rnd(4) == 0) {
		diff.ip_options = PKT_NOPS;
		diff.ip_options_len = 8;
	} else if (w->af == RR_AF_INET6 && rnd(4) == 0) {
		diff.exts = (uint8_t)rnd(4);
		diff.ext[1] = 60;
		diff.frag_header = rnd(2);
	}
	diff.sport = w->mode->replies && rnd(3) == 0 ? 0 : (uint16_t)(40000 + rnd(4));
	path_packet(w, w->mode->replies && !diff.sport, &diff, &s);
	pkt_build(&s, f);
}

/*
 * Bytes of the headers, more often than not near what matters; sometimes the end is cut or grows.
 */
static void mutate(struct pkt_frame *f)
{
	uint32_t n = rnd(4);

	while (n--) {
		uint32_t at = rnd(3) ? 12 + rnd(f->l4 + 20 - 12) : rnd(f->len);

		if (rnd(2))
			f->b[at] = (uint8_t)rnd(256);
		else
			f->b[at] ^= (uint8_t)(1u << rnd(8));
	}
	if (rnd(8) == 0)
		f->len = 14 + rnd(f->len - 14);
	else if (rnd(8) == 0)
		f->len += rnd(64);
}

static uint32_t class_of(enum rr_verdict v)
{
	switch (v) {
#define PASS XDP_PASS
#define DROP XDP_DROP
#define SEND XDP_TX
#define CASE(id, name, class, help) \
	case RR_V_##id: \
		return class;
		RR_VERDICTS(CASE)
#undef CASE
#undef PASS
#undef DROP
#undef SEND
	default:
		return XDP_ABORTED;
	}
}

static enum rr_verdict moved(uint64_t *was)
{
	enum rr_verdict v = RR_V_GO;
	uint64_t is[RR_V_MAX];

	rig_verdicts(&rig, is);
	for (int i = 0; i < RR_V_MAX; i++) {
		if (is[i] == was[i])
			continue;
		if (v || is[i] != was[i] + 1)
			fail_msg("%s", "more than one verdict");
		v = i;
	}
	memcpy(was, is, sizeof(is));
	return v;
}

static void test_mutated(void **state)
{
	uint64_t was[RR_V_MAX];
	struct pkt_frame in, out;
	enum rr_verdict v;
	bool right;

	(void)state;
	for (uint32_t i = 0; i < PACKETS; i++) {
		uint32_t action;

		if (i % AGAIN == 0) {
			populate();
			rig_verdicts(&rig, was);
		}
		base(&in);
		mutate(&in);
		right = !pkt_check(in.b, in.len);
		action = rig_run(&rig, in.b, in.len, &out);
		v = moved(was);
		seen[v]++;
		assert_int_equal(action, class_of(v));
		if (action == XDP_PASS) {
			assert_int_equal(out.len, in.len);
			assert_memory_equal(out.b, in.b, in.len);
		} else if (action == XDP_TX && (right || v == RR_V_RESET || v == RR_V_REFUSE)) {
			const char *wrong = pkt_check(out.b, out.len);

			if (wrong)
				fail_msg("%s: %s", path_verdict_name(v), wrong);
			sent_right++;
		}
	}
}

/* The mutations must not be so wild that the program is hardly touched. */
static void test_reached(void **state)
{
	static const enum rr_verdict want[] = {
		RR_V_NOT_IP,	   RR_V_NOT_OURS,   RR_V_FORWARD,      RR_V_REPLY,
		RR_V_RESET,	   RR_V_MALFORMED,  RR_V_BAD_FLAGS,    RR_V_FRAGMENT,
		RR_V_TTL_TOLD,	   RR_V_RST_SILENT, RR_V_UNKNOWN_DROP, RR_V_UNKNOWN_PASS,
		RR_V_BAD_HANDSHAKE
	};

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		if (seen[want[i]] < 20)
			fail_msg("%s: only %u", path_verdict_name(want[i]), seen[want[i]]);
	}
	assert_true(sent_right > PACKETS / 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mutated),
		cmocka_unit_test(test_reached),
	};

	path_use(&rig, NULL);
	return cmocka_run_group_tests_name("fuzz", tests, path_setup, path_teardown);
}
