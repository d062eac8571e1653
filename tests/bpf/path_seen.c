/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * path_seen.c - the flow table as another process sees it in mapped memory while packets change
 * it: an entry is believed when meta says the same life before and after its fields were read.
 */
#include <string.h>

#include "path_seen.h"

uint64_t seen_load(const __u64 *p)
{
	return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

uint32_t seen_slots(const struct rig *r, uint8_t af)
{
	return af == RR_AF_INET ? r->opts.flow4_sets * RR_FLOW4_WAYS
				: r->opts.flow6_sets * RR_FLOW6_WAYS;
}

struct rr_flow *seen_slot(const struct rig *r, uint8_t af, uint32_t i, const __u64 **key,
			  const __u64 **addr)
{
	if (af == RR_AF_INET) {
		struct rr_flow4 *e = &r->flows4[i / RR_FLOW4_WAYS].e[i % RR_FLOW4_WAYS];

		*key = &e->key;
		*addr = NULL;
		return &e->f;
	} else {
		struct rr_flow6 *e = &r->flows6[i / RR_FLOW6_WAYS].e[i % RR_FLOW6_WAYS];

		*key = &e->key;
		*addr = e->addr;
		return &e->f;
	}
}

bool seen_live(uint64_t meta)
{
	return RR_META_STATE(meta) > RR_FLOW_CLAIMED;
}

static bool same_key(const __u64 *key, const __u64 *addr, uint64_t want, const struct rr_addr *a)
{
	uint64_t w[2];

	if (seen_load(key) != want)
		return false;
	if (!addr)
		return true;
	memcpy(w, a->a, sizeof(w));
	return seen_load(&addr[0]) == w[0] && seen_load(&addr[1]) == w[1];
}

bool seen_find(const struct rig *r, uint8_t af, const struct rr_addr *a, uint16_t port,
	       uint16_t tag, struct seen *s)
{
	uint64_t want;
	uint32_t low = 0;

	if (af == RR_AF_INET)
		memcpy(&low, a->a, 4);
	want = RR_KEY_MAKE(low, pkt_be16(port), tag);
	for (uint32_t i = 0; i < seen_slots(r, af); i++) {
		const __u64 *key, *addr;
		struct rr_flow *f = seen_slot(r, af, i, &key, &addr);
		uint64_t m = seen_load(&f->meta);

		if (!seen_live(m) || !same_key(key, addr, want, a))
			continue;
		s->port = pkt_be16(__atomic_load_n(&f->port, __ATOMIC_SEQ_CST));
		s->meta = seen_load(&f->meta);
		s->slot = i;
		if (RR_META_GEN(s->meta) == RR_META_GEN(m) && seen_live(s->meta))
			return true;
	}
	return false;
}

/*
 * Two live entries of one key at one moment: the first is the same life before and after the
 * second was read.
 */
bool seen_twins(const struct rig *r, uint8_t af, uint32_t i, uint32_t j)
{
	const __u64 *ki, *kj, *ai, *aj;
	struct rr_flow *fi = seen_slot(r, af, i, &ki, &ai), *fj = seen_slot(r, af, j, &kj, &aj);
	uint64_t mi = seen_load(&fi->meta), mj = seen_load(&fj->meta);
	bool same;

	if (!seen_live(mi) || !seen_live(mj))
		return false;
	same = seen_load(ki) == seen_load(kj) && (!ai || (seen_load(&ai[0]) == seen_load(&aj[0]) &&
							  seen_load(&ai[1]) == seen_load(&aj[1])));
	if (!same)
		return false;
	return seen_load(&fj->meta) == mj && seen_load(&fi->meta) == mi;
}
