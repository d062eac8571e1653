/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rr_policy.h - what a service does with packets that it cannot forward, one row each:
 * X(ID, value, word). The value is ABI (bytes of struct rr_service), the word is the keyword of the
 * configuration.
 */
#ifndef RR_POLICY_H
#define RR_POLICY_H

/*
 * A packet in the middle of a connection that has no flow: RST, nothing, or the host's own stack.
 */
#define RR_UNKNOWNS(X) X(RST, 0, "rst") X(DROP, 1, "drop") X(PASS, 2, "pass")

/* A new connection that no endpoint can take. */
#define RR_OVERFLOWS(X) X(RST, 0, "rst") X(DROP, 1, "drop")

#define RR_UNKNOWN_ID(id, value, word) RR_UNKNOWN_##id = value,
enum rr_unknown { RR_UNKNOWNS(RR_UNKNOWN_ID) };
#undef RR_UNKNOWN_ID

#define RR_OVERFLOW_ID(id, value, word) RR_OVERFLOW_##id = value,
enum rr_overflow { RR_OVERFLOWS(RR_OVERFLOW_ID) };
#undef RR_OVERFLOW_ID

#endif
