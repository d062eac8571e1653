/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * path_sweep.c - the controller's sweep in miniature: it takes what is old out of the flow table by
 * compare-and-swap, while packets change the same entries.
 */
#include "path_sweep.h"

#include "path_seen.h"

uint32_t path_rnd(uint64_t *rng, uint32_t n)
{
	*rng ^= *rng << 13;
	*rng ^= *rng >> 7;
	*rng ^= *rng << 17;
	return (uint32_t)(*rng >> 20) % n;
}

static uint32_t newest(const struct rig *r, uint8_t af)
{
	uint32_t now = 0;
	bool any = false;

	for (uint32_t i = 0; i < seen_slots(r, af); i++) {
		const __u64 *key, *addr;
		uint32_t seen =
			__atomic_load_n(&seen_slot(r, af, i, &key, &addr)->seen, __ATOMIC_SEQ_CST);

		if (!any || (int32_t)(seen - now) > 0)
			now = seen;
		any = true;
	}
	return now;
}

/* An established flow that the sweep ends is counted here, as the controller does. */
static bool swap(struct path_sweep *s, struct rr_flow *f, uint64_t meta, uint8_t state,
		 bool forward)
{
	bool empty = state == RR_FLOW_EMPTY;
	__u64 was = meta,
	      is = RR_META_MAKE(RR_META_GEN(meta) + empty, state, empty ? 0 : RR_META_FLAGS(meta),
				empty ? 0 : RR_META_EP(meta), empty ? 0 : RR_META_VIA(meta));

	if (!__atomic_compare_exchange_n(&f->meta, &was, is, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST))
		return false;
	if (forward && RR_META_STATE(meta) == RR_FLOW_EST)
		s->swept[RR_META_EP(meta)]++;
	return true;
}

static bool is_old(const struct path_sweep *sweep, const struct rr_flow *f, uint16_t tag,
		   uint8_t state, uint32_t age)
{
	uint16_t id = tag & RR_TAG_REV ? f->listener : RR_TAG_LISTENER(tag);
	const struct rr_listener *l = &sweep->rig->listeners[id % RR_MAX_LISTENERS];
	const struct rr_service *s = &sweep->rig->services[l->service];

	if (state == RR_FLOW_FIN1)
		return (int32_t)age > (int32_t)s->t_fin1;
	return state != RR_FLOW_EST && (int32_t)age > (int32_t)sweep->half_open_age;
}

static bool may_kill(const struct path_sweep *s, uint16_t port)
{
	return port >= s->kill_first && port < s->kill_first + s->kill_n;
}

void path_sweep(struct path_sweep *s, uint8_t af, bool kill)
{
	const struct rig *r = s->rig;
	uint32_t now = newest(r, af);

	for (uint32_t i = 0; i < seen_slots(r, af); i++) {
		const __u64 *key, *addr;
		struct rr_flow *f = seen_slot(r, af, i, &key, &addr);
		uint64_t m = seen_load(&f->meta), k = seen_load(key);
		uint32_t seen = __atomic_load_n(&f->seen, __ATOMIC_SEQ_CST);
		uint16_t port = __atomic_load_n(&f->port, __ATOMIC_SEQ_CST);
		uint8_t state = RR_META_STATE(m);
		bool forward = !(RR_KEY_TAG(k) & RR_TAG_REV);
		bool old = is_old(s, f, RR_KEY_TAG(k), state, now - seen);

		if (!seen_live(m) || seen_load(&f->meta) != m)
			continue;
		if (old)
			s->expired += swap(s, f, m, RR_FLOW_EMPTY, forward);
		else if (kill && path_rnd(&s->rng, 8) == 0 &&
			 may_kill(s, pkt_be16(forward ? RR_KEY_PORT(k) : port)))
			s->killed += swap(s, f, m, RR_FLOW_KILLED, forward);
	}
}
