/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * health.c - decides from probe outcomes whether an endpoint is up, and how long to wait for the
 * next probe.
 *
 * HAProxy's counter: h in 0 .. rise+fall-1, UP iff h >= rise.
 *   pass: below rise h++, and on reaching rise straight to the top; above rise to the top
 *   fail: from rise up h--, and on leaving rise straight to 0; below rise to 0
 * Before the first result (INIT) one pass is enough to be UP, except with BEGIN_STRICT which
 * wants `rise` of them; one failure means DOWN. BEGIN_UP and adopted endpoints stand at h = rise:
 * UP, but the first failure takes them down.
 *
 * Waits: at the top `interval`, at the bottom `down_interval`, in between and before the first
 * result `fast_interval`. Jitter is plus or minus, except on fast_interval, which it only
 * shortens: otherwise the bound on detection time, interval * (1 + jitter) + (fall - 1) *
 * max(fast_interval, t) + t, would not hold. After 5 min down each wait is 1.5 times the last
 * one, up to 30 s.
 *
 * Flap damping: the sixth transition within 10 min doubles `rise` (at most 16) until 10 min have
 * passed since the last such transition.
 */
#include "core/health.h"

#include <string.h>

uint64_t health_hash(uint64_t id, uint64_t seq)
{
	uint64_t x =
		id * 0x9e3779b97f4a7c15ull + seq * 0xd1b54a32d192ed03ull + 0x2545f4914f6cdd1dull;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

uint32_t health_max(const struct health *h)
{
	return h->rise + h->fall - 1;
}

static uint32_t damped_rise(uint32_t rise)
{
	uint32_t twice = rise * 2 < HEALTH_FLAP_RISE_MAX ? rise * 2 : HEALTH_FLAP_RISE_MAX;

	return twice > rise ? twice : rise;
}

/* New thresholds: an UP endpoint keeps the failures it has had, any other the passes. */
static void set_thresholds(struct health *h, uint32_t rise, uint32_t fall)
{
	uint32_t lost = health_max(h) - h->h; /* failures that an UP endpoint has had */

	if (h->state == HEALTH_UP)
		h->h = rise + (fall - 1 > lost ? fall - 1 - lost : 0);
	else if (h->h >= rise)
		h->h = rise - 1;
	h->rise = rise;
	h->fall = fall;
}

void health_start(struct health *h, const struct health_conf *c)
{
	memset(h, 0, sizeof(*h));
	h->rise = c->rise;
	h->fall = c->fall;
	h->state = c->begin == HEALTH_BEGIN_UP ? HEALTH_UP : HEALTH_INIT;
	h->h = h->state == HEALTH_UP ? h->rise : 0;
	h->flap_until = MONO_NEVER;
}

void health_adopt(struct health *h, const struct health_conf *c)
{
	health_start(h, c);
	h->state = HEALTH_UP;
	h->h = h->rise;
}

void health_reconf(struct health *h, const struct health_conf *c)
{
	set_thresholds(h, h->flapping ? damped_rise(c->rise) : c->rise, c->fall);
	h->down_wait = MONO_US(0);
}

static void note_flap(struct health *h, const struct health_conf *c, mono_t now)
{
	mono_t oldest =
		h->flap[(h->flaps + 1) % HEALTH_FLAPS]; /* the sixth last, this one counted */

	h->flap[h->flaps++ % HEALTH_FLAPS] = now;
	if (h->flaps < HEALTH_FLAPS ||
	    mono_cmp(mono_sub(now, oldest), MONO_S(HEALTH_FLAP_WINDOW_S)) > 0)
		return;
	h->flap_until = mono_add(now, MONO_S(HEALTH_FLAP_HOLD_S));
	if (h->flapping)
		return;
	h->flapping = true;
	set_thresholds(h, damped_rise(c->rise), c->fall);
}

static enum health_change set_state(struct health *h, const struct health_conf *c,
				    enum health_state s, mono_t now)
{
	enum health_state was = h->state;

	if (was == s)
		return HEALTH_SAME;
	h->state = s;
	h->h = s == HEALTH_UP ? health_max(h) : 0;
	if (s == HEALTH_DOWN) {
		h->down_since = now;
		h->down_wait = MONO_US(0);
	}
	if (was != HEALTH_INIT)
		note_flap(h, c, now);
	return s == HEALTH_UP ? HEALTH_WENT_UP : HEALTH_WENT_DOWN;
}

static enum health_change pass(struct health *h, const struct health_conf *c, mono_t now)
{
	if (h->state == HEALTH_UP) {
		h->h = health_max(h);
		return HEALTH_SAME;
	}
	h->h++;
	if (h->h >= h->rise || (h->state == HEALTH_INIT && c->begin != HEALTH_BEGIN_STRICT))
		return set_state(h, c, HEALTH_UP, now);
	return HEALTH_SAME;
}

/* A fully down endpoint has failed again: from 5 min on the wait grows. */
static void back_off(struct health *h, const struct health_conf *c, mono_t now)
{
	mono_t wait = h->down_wait.us ? h->down_wait : c->down_interval;

	if (mono_cmp(mono_sub(now, h->down_since), MONO_S(HEALTH_BACKOFF_AFTER_S)) < 0)
		return;
	h->down_wait = mono_min(MONO_US(wait.us + wait.us / 2), MONO_S(HEALTH_BACKOFF_MAX_S));
	if (mono_cmp(h->down_wait, c->down_interval) < 0)
		h->down_wait = c->down_interval;
}

static enum health_change fail(struct health *h, const struct health_conf *c, mono_t now)
{
	switch (h->state) {
	case HEALTH_UP:
		h->h--;
		return h->h < h->rise ? set_state(h, c, HEALTH_DOWN, now) : HEALTH_SAME;
	case HEALTH_INIT:
		return set_state(h, c, HEALTH_DOWN, now);
	case HEALTH_DOWN:
		h->h = 0;
		back_off(h, c, now);
		return HEALTH_SAME;
	}
	return HEALTH_SAME;
}

enum health_change health_result(struct health *h, const struct health_conf *c, bool ok,
				 enum reason why, mono_t now)
{
	if (ok)
		return pass(h, c, now);
	if (reason_class(why) == REASON_LOCAL)
		return HEALTH_SAME;
	return fail(h, c, now);
}

bool health_tick(struct health *h, const struct health_conf *c, mono_t now)
{
	if (!h->flapping || mono_cmp(now, h->flap_until) < 0)
		return false;
	h->flapping = false;
	h->flap_until = MONO_NEVER;
	set_thresholds(h, c->rise, c->fall);
	return true;
}

mono_t health_wait(const struct health *h, const struct health_conf *c, uint64_t rnd)
{
	bool top = h->state == HEALTH_UP && h->h == health_max(h);
	bool bottom = h->state == HEALTH_DOWN && h->h == 0;
	mono_t wait = top ? c->interval : bottom ? c->down_interval : c->fast_interval;
	int64_t swing;

	if (bottom && h->down_wait.us)
		wait = h->down_wait;
	swing = wait.us / 100 * c->jitter;
	if (!swing)
		return wait;
	if (!top && !bottom)
		return MONO_US(wait.us - (int64_t)(rnd % (uint64_t)(swing + 1)));
	return MONO_US(wait.us - swing + (int64_t)(rnd % (uint64_t)(2 * swing + 1)));
}

mono_t health_patience(const struct health *h, const struct health_conf *c, mono_t timeout)
{
	mono_t wait = h->state == HEALTH_DOWN ? c->down_interval : c->interval;

	if (mono_cmp(c->fast_interval, wait) > 0)
		wait = c->fast_interval;
	if (h->state == HEALTH_DOWN && mono_cmp(h->down_wait, wait) > 0)
		wait = h->down_wait;
	wait.us += wait.us / 100 * c->jitter;
	return MONO_US(3 * wait.us + timeout.us);
}

mono_t health_offset(const struct health_conf *c, uint64_t id)
{
	return MONO_US(c->interval.us > 0 ? (int64_t)(health_hash(id, 0) % (uint64_t)c->interval.us)
					  : 0);
}
