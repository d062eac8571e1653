/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * budget.h - how many answers of its own the packet path may send. Each verdict that is an answer
 * has a bucket of its own on each CPU: a flood of what one of them answers does not starve another.
 */
#ifndef RR_BPF_BUDGET_H
#define RR_BPF_BUDGET_H

#include "base.h"
#include "maps.h"
#include "rr_count.h"
#include "rr_table.h"
#include "rr_verdict.h"

/*
 * Token bucket in units of 1/hz of an answer: a tick brings `rate`, an answer costs `hz`; burst one
 * second. All zero is a bucket that was never used, and full. (Its time alone would not tell: the
 * clock's low half is near 0 five minutes after boot.) `why` = the verdict that would be sent.
 */
static __always_inline bool budget_take(const struct rr_control *c, enum rr_verdict why)
{
	struct rr_bucket *b = map_get(buckets, why);
	__u32 now = bpf_jiffies64(), cost = c->hz ? c->hz : 1000, passed;
	__u64 tokens, most = (__u64)c->rst_rate * cost;

	if (!b)
		return false;
	passed = b->jiffies || b->tokens ? now - b->jiffies : cost;
	b->jiffies = now;
	if (passed > cost)
		passed = cost;
	tokens = b->tokens + (__u64)passed * c->rst_rate;
	if (tokens > most)
		tokens = most;
	if (tokens > 0xffffffff)
		tokens = 0xffffffff;
	b->tokens = tokens;
	if (tokens < cost)
		return false;
	b->tokens -= cost;
	return true;
}

#endif
