/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * flow.pml - model of the flow table's protocol (bpf/flow.h): find, claim, write the key, scan, fill, publish, advance,
 * restore, release, evict, expire. Two slots, both candidates of every key; memory is sequentially consistent, which is what the
 * full barriers and the order of loads and stores on x86 give at the places that matter.
 *
 * FLOW processes live on one key each, two of them on the same one; a SWEEP process expires, as the controller does.
 * The gen is narrow here and cannot wrap within a run. Which evictable slot is taken is left open: any choice must be safe.
 *
 * Ghost variables, which no process reads to decide anything:
 *   owner[s]   who fills the slot            I1  nobody claims a slot that is being filled, or an established one
 *   life[s]    counts claims of the slot     I2  a believed reading is of one life: the field belongs to the key
 *                                            I3  of one key at most one entry is published
 *                                            I4  a state change hits the life that was read, never a later one
 * Each BREAK_* switch takes one rule out; with any of them the model must fail (run.sh checks that it does).
 */
#define SLOTS 2
#ifndef ROUNDS
#define ROUNDS 2
#endif
#ifndef SWEEPS
#define SWEEPS 1
#endif

#define EMPTY 0
#define CLAIMED 1
#define SYN 2 /* stands for all that may be evicted while it lives */
#define EST 3
#define RST 4
#define STATE(m) ((m) & 7)
#define GEN(m) ((m) >> 3)
#define META(gen, state) (((gen) << 3) | (state))
#define LIVE(m) (STATE(m) > CLAIMED)
#ifdef BREAK_EVICT
#define EVICTABLE(m) (STATE(m) != CLAIMED)
#else
#define EVICTABLE(m) (STATE(m) != CLAIMED && STATE(m) != EST)
#endif
#ifdef BREAK_GEN
#define NEXT(gen) (gen)
#else
#define NEXT(gen) ((gen) + 1)
#endif

byte meta[SLOTS];
byte key[SLOTS];
byte field[SLOTS];
byte owner[SLOTS];
byte life[SLOTS];

/* The word changes hands: compare-and-swap of the whole of it. */
inline claim(s, was)
{
	atomic {
		if
#ifdef BREAK_CAS
		:: true ->
#else
		:: meta[s] == was ->
#endif
			assert(owner[s] == 0); /* I1 */
			assert(STATE(meta[s]) != EST); /* I1 */
			meta[s] = META(NEXT(GEN(was)), CLAIMED);
			mine = meta[s];
			owner[s] = _pid + 1;
			life[s]++;
			ok = true
		:: else -> ok = false
		fi
	}
}

/* flow_release(): gives a slot back, if it is still in the life that `was` says. */
inline release(s, was)
{
	atomic {
		if
		:: meta[s] == was ->
			meta[s] = META(GEN(was) + 1, EMPTY);
			owner[s] = 0
		:: else
		fi
	}
}

/* flow_read() of both slots: found, snap, snap_life, at. */
inline find(k)
{
	found = false;
	at = 0;
	do
	:: at < SLOTS && !found ->
		if
		:: key[at] == k ->
			atomic { snap = meta[at]; snap_life = life[at] }
			if
			:: LIVE(snap) ->
				if
				:: key[at] == k ->
					value = field[at];
					again = meta[at];
#ifdef BREAK_SEQ
					found = true
#else
					found = (GEN(again) == GEN(snap) && LIVE(again));
					snap = again
#endif
				:: else
				fi
			:: else
			fi
		:: else
		fi;
		if
		:: !found -> at++
		:: else -> assert(value == k) /* I2 */
		fi
	:: else -> break
	od;
	value = 0; again = 0
}

/* slot_count() of both slots, one load after the other. */
inline scan(k)
{
	count = 0;
	at = 0;
	do
	:: at < SLOTS ->
		if
		:: key[at] == k ->
			if
			:: STATE(meta[at]) != EMPTY -> count++
			:: else
			fi
		:: else
		fi;
		at++
	:: else -> break
	od;
	at = 0
}

/* slot_take() and flow_publish(). */
inline insert(k)
{
	if
	:: best = 0
	:: best = 1
	fi;
	was = meta[best];
	if
	:: EVICTABLE(was) ->
		claim(best, was);
		if
		:: ok ->
#ifdef BREAK_EARLY
			scan(k);
			if
			:: key[best] != k -> count++
			:: else
			fi;
#endif
			key[best] = k;
#ifdef BREAK_SCAN
			count = 1;
#else
#ifndef BREAK_EARLY
			scan(k);
#endif
#endif
			if
			:: count != 1 -> release(best, mine)
			:: else ->
				field[best] = k;
				atomic {
					assert(meta[best] == mine); /* I1: nobody else changes a claimed word */
					meta[best] = META(GEN(mine), SYN);
					owner[best] = 0;
					assert(!(LIVE(meta[0]) && LIVE(meta[1]) && key[0] == key[1])) /* I3 */
				}
			fi
		:: else
		fi
	:: else
	fi;
	was = 0; mine = 0; count = 0; best = 0; ok = false
}

/* flow_advance(): compare-and-swap from the word that was read, again from a newer word of the same life. */
inline advance(state)
{
	tries = 0;
	was = snap;
	do
	:: tries < 2 && GEN(was) == GEN(snap) && LIVE(was) && STATE(was) < state ->
		atomic {
			if
			:: meta[at] == was ->
				assert(life[at] == snap_life); /* I4 */
				meta[at] = META(GEN(was), state);
				ok = true
			:: else -> ok = false
			fi
		}
		if
		:: ok -> break
		:: else -> was = meta[at]
		fi;
		tries++
	:: else -> break
	od;
	was = 0; tries = 0; ok = false
}

/* flow_restore(): a reset that did not hold is taken back, within the life that was read. */
inline restore()
{
	tries = 0;
	was = snap;
	do
	:: tries < 2 && GEN(was) == GEN(snap) && LIVE(was) && STATE(was) == RST ->
		atomic {
			if
			:: meta[at] == was ->
				assert(life[at] == snap_life); /* I4 */
				meta[at] = META(GEN(was), EST);
				ok = true
			:: else -> ok = false
			fi
		}
		if
		:: ok -> break
		:: else -> was = meta[at]
		fi;
		tries++
	:: else -> break
	od;
	was = 0; tries = 0; ok = false
}

proctype flow(byte k; byte rounds)
{
	byte at, best, was, mine, snap, snap_life, value, again, count, tries;
	bool found, ok;

	do
	:: rounds > 0 ->
		find(k);
		if
		:: found ->
			if
			:: advance(EST)
			:: advance(RST)
			:: restore()
			:: release(at, snap) /* a SYN that starts the connection anew */
			fi
		:: else -> insert(k)
		fi;
		atomic { snap = 0; snap_life = 0; at = 0; found = false; rounds-- }
	:: else -> break
	od
}

/* The controller's expiry: one compare-and-swap from what it read; it may expire an established flow. */
proctype sweep()
{
	byte n = 0, at, was;

	do
	:: n < SWEEPS ->
		if
		:: at = 0
		:: at = 1
		fi;
		was = meta[at];
		if
		:: LIVE(was) -> release(at, was)
		:: else
		fi;
		n++;
		was = 0
	:: else -> break
	od
}

init {
	atomic {
		run flow(1, ROUNDS);
		run flow(1, ROUNDS);
#ifdef THIRD
		run flow(2, 1);
#else
		run sweep();
#endif
	}
}
