/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pair.pml - model of the links between the two entries of a connection (bpf/pair.h, I5 of
 * bpf/flow.h): a forward entry names the slot of its reverse entry, the record at the reverse slot
 * names the slot of the forward entry. Either slot may have changed hands when a packet follows the
 * link. flow.pml checks the life of one entry; here two clients and an endpoint's packets fight over
 * too few slots of one kind (FORWARD, REVERSE), so that links go stale.
 *
 * Ghost variable, which no process reads to decide anything:
 *   life[s]  counts claims of the slot
 * Asserted at every change of state that succeeds: it hits the life that was read (I4) and an entry of
 * the connection that the packet belongs to, and a promotion was judged by that connection's record.
 *
 * Each BREAK_* switch takes one rule out. Without rr_pair_is() the model must fail, and with a
 * record that is written after its entry was published, too: its writer may be late by a life. The
 * record's gen is not needed here: it guards against what no packet of this table has written.
 */
#ifndef FORWARD
#define FORWARD 2 /* slots 0 to FORWARD - 1: forward; then REVERSE slots: reverse */
#endif
#ifndef REVERSE
#define REVERSE 1
#endif
#define SLOTS (FORWARD + REVERSE)
#ifndef ROUNDS
#define ROUNDS 2 /* packets of each client */
#endif
#ifndef SERVER
#define SERVER 1 /* and of the endpoint */
#endif

#define EMPTY 0
#define CLAIMED 1
#define SYN 2
#define EST 3
#define RST 4
#define STATE(m) ((m) & 7)
#define GEN(m) ((m) >> 3)
#define META(gen, state) (((gen) << 3) | (state))
#define LIVE(m) (STATE(m) > CLAIMED)
#define EVICTABLE(m) (STATE(m) != CLAIMED && STATE(m) != EST)

byte meta[SLOTS];
byte who[SLOTS]; /* the client: key of a forward entry, peer of a reverse one */
byte link[FORWARD]; /* slot of the reverse entry */
byte rec_gen[SLOTS];
byte rec_forward[SLOTS];
byte rec_who[SLOTS]; /* stands for the sequence numbers in it */
byte life[SLOTS];

/* slot_take() in either family of slots: mine = the CLAIMED word, or 0. */
inline take(first, n, s, mine)
{
	if
	:: s = first
	:: n > 1 -> s = first + 1
	fi;
	was = meta[s];
	mine = 0;
	if
	:: EVICTABLE(was) ->
		atomic {
			if
			:: meta[s] == was ->
				meta[s] = META(GEN(was) + 1, CLAIMED);
				life[s]++;
				mine = meta[s]
			:: else
			fi
		}
	:: else
	fi;
	was = 0
}

inline release(s, from)
{
	atomic {
		if
		:: meta[s] == from -> meta[s] = META(GEN(from) + 1, EMPTY)
		:: else
		fi
	}
}

inline publish(s, mine)
{
	atomic {
		assert(meta[s] == mine);
		meta[s] = META(GEN(mine), SYN)
	}
}

/* pair_write() */
inline record(r, f, gen, c)
{
	rec_forward[r] = f;
	rec_who[r] = c;
	rec_gen[r] = gen
}

/* open_flow(): claim, assign, publish. */
inline open(c)
{
	take(0, FORWARD, f, fmine);
	if
	:: fmine != 0 ->
		who[f] = c;
		take(FORWARD, REVERSE, r, rmine);
		if
		:: rmine != 0 ->
			who[r] = c;
#ifndef BREAK_LATE
			record(r, f, GEN(rmine), c);
#endif
			publish(r, rmine);
#ifdef BREAK_LATE
			record(r, f, GEN(rmine), c);
#endif
			link[f] = r;
			publish(f, fmine)
		:: else -> release(f, fmine)
		fi
	:: else
	fi;
	fmine = 0; rmine = 0; f = 0; r = 0
}

/* flow_by_slot(): a believed reading; snap = 0: none. */
inline look(s, snap, snap_life, w, l)
{
	atomic { snap = meta[s]; snap_life = life[s] }
	if
	:: LIVE(snap) ->
		w = who[s];
		l = (s < FORWARD -> link[s] : 0);
		again = meta[s];
		if
		:: GEN(again) == GEN(snap) && LIVE(again) -> snap = again
		:: else -> snap = 0
		fi;
		again = 0
	:: else -> snap = 0
	fi
}

/* flow_advance(), one try: compare-and-swap from the word that was read. */
inline advance(s, snap, snap_life, state, c)
{
	atomic {
		if
		:: snap != 0 && meta[s] == snap && STATE(snap) < state ->
			assert(life[s] == snap_life);
			assert(who[s] == c);
			meta[s] = META(GEN(snap), state);
			ok = true
		:: else -> ok = (snap != 0 && GEN(meta[s]) == GEN(snap) && STATE(meta[s]) >= state)
		fi
	}
}

/* flow_restore(): as advance(), back from a reset. */
inline restore(s, snap, snap_life, c)
{
	atomic {
		if
		:: snap != 0 && meta[s] == snap && STATE(snap) == RST ->
			assert(life[s] == snap_life);
			assert(who[s] == c);
			meta[s] = META(GEN(snap), EST);
			ok = true
		:: else -> ok = (snap != 0 && GEN(meta[s]) == GEN(snap) && STATE(meta[s]) == EST)
		fi
	}
}

/* A client's packet: completes the handshake, resets, or disproves a reset. */
inline client_packet(c)
{
	f = 0;
	fsnap = 0;
	do
	:: f < FORWARD && fsnap == 0 ->
		look(f, fsnap, flife, fw, fl);
		if
		:: fsnap != 0 && fw != c -> fsnap = 0
		:: else
		fi;
		if
		:: fsnap == 0 -> f++
		:: else
		fi
	:: else -> break
	od;
	if
	:: fsnap == 0 -> open(c)
	:: else ->
		r = fl;
		look(r, rsnap, rlife, rw, rl);
#ifdef BREAK_PAIR
		if
		:: rsnap == 0 -> release(f, fsnap)
#else
		if
		:: rsnap == 0 || rw != c -> release(f, fsnap) /* it has lost its partner */
#endif
		:: else ->
			if
			:: STATE(fsnap) == SYN ->
#ifdef BREAK_GEN
				ok = true;
#else
				ok = (rec_gen[r] == GEN(rsnap));
#endif
				if
				:: ok ->
					seen = rec_who[r];
					advance(r, rsnap, rlife, EST, c);
					if
					:: ok ->
						assert(seen == c);
						advance(f, fsnap, flife, EST, c)
					:: else
					fi
				:: else
				fi
			:: advance(r, rsnap, rlife, RST, c);
			   advance(f, fsnap, flife, RST, c)
			:: STATE(fsnap) == RST ->
				restore(r, rsnap, rlife, c);
				if
				:: ok -> restore(f, fsnap, flife, c)
				:: else
				fi
			fi
		fi
	fi;
	atomic {
		f = 0; r = 0; fsnap = 0; rsnap = 0; flife = 0; rlife = 0; fw = 0; rw = 0; fl = 0;
		rl = 0; seen = 0; ok = false
	}
}

proctype client(byte c)
{
	byte f, r, was, fmine, rmine, fsnap, rsnap, flife, rlife, fw, rw, fl, rl, again, seen;
	byte n = 0;
	bool ok;

	do
	:: n < ROUNDS -> client_packet(c); n++
	:: else -> break
	od
}

/* An endpoint's RST to either local port: server_packet(). */
proctype server()
{
	byte f, r, fsnap, rsnap, flife, rlife, fw, rw, fl, rl, again, n = 0;
	bool ok;

	do
	:: n < SERVER ->
		if
		:: r = FORWARD
		:: REVERSE > 1 -> r = FORWARD + 1
		fi;
		look(r, rsnap, rlife, rw, rl);
#ifdef BREAK_GEN
		ok = true;
#else
		ok = (rec_gen[r] == GEN(rsnap));
#endif
		if
		:: rsnap != 0 && ok ->
			f = rec_forward[r];
			look(f, fsnap, flife, fw, fl);
#ifdef BREAK_PAIR
			if
			:: fsnap != 0 ->
#else
			if
			:: fsnap != 0 && fw == rw && fl == r ->
#endif
				advance(r, rsnap, rlife, RST, rw);
				advance(f, fsnap, flife, RST, rw)
			:: else
			fi
		:: else
		fi;
		n++;
		atomic {
			f = 0; r = 0; fsnap = 0; rsnap = 0; flife = 0; rlife = 0; fw = 0; rw = 0;
			fl = 0; rl = 0; ok = false
		}
	:: else -> break
	od
}

init {
	atomic {
		run client(1);
		run client(2);
		run server();
	}
}
