/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * port.pml - model of the note about one local port (include/rr_port.h): its word, and the reverse
 * entry that holds it, which connections open, close and expire. flow.pml has shown that at most
 * one entry of a key lives; so here is one entry, and whoever finds it free or closed may take it.
 *
 * A connection is opened by one CPU; another closes it as soon as its forward entry is published,
 * and tells so late. The walk frees closed entries and doubts marks whose entry it does not find;
 * an eviction takes closed ones.
 *
 * Asserted when all is quiet: a live entry's port is marked with its gen, and a port without one is
 * not marked.
 *
 * Each BREAK_* switch takes one rule out, and the model must fail.
 */
#define EMPTY 0
#define CLAIMED 1
#define EST 2
#define CLOSED 3

#define FREE 0
#define USED(gen) (gen) /* gens begin at 1 */

byte state = EMPTY;
byte gen = 1;
byte word = FREE;
byte shown; /* gen of the last published forward entry: from now on it can be closed */
byte busy; /* processes that have not ended */

/* What who ended life `life` of the entry does: port_give_up(). */
inline give_up(life)
{
	was = word;
	if
#ifdef BREAK_GEN
	:: true ->
#else
	:: was == FREE || was == USED(life) ->
#endif
		atomic {
			if
#ifdef BREAK_CAS
			:: true -> word = FREE
#else
			:: word == was -> word = FREE
			:: else
#endif
			fi
		}
	:: else
	fi
}

proctype opener()
{
	byte mine;

	atomic {
		if
		:: state == EMPTY || state == CLOSED ->
			gen++;
			mine = gen;
			state = CLAIMED
		:: else
		fi
	}
	if
	:: mine != 0 ->
#ifdef BREAK_ORDER
		state = EST;
		shown = mine;
		word = USED(mine)
#else
		state = EST; /* the reverse entry: nobody closes by it yet */
		word = USED(mine);
		shown = mine
#endif
	:: else
	fi;
	busy--
}

/* A FIN or RST of the connection that is open, if there is one. */
proctype closer()
{
	byte life, was;
	bool did;

	life = shown;
	atomic {
		if
		:: life != 0 && gen == life && state == EST ->
			state = CLOSED;
			did = true
		:: else
		fi
	}
	if
	:: did -> give_up(life)
	:: else
	fi;
	busy--
}

/* walk_expire(), and port_doubt() of a connection that has lost its entry. */
proctype walk()
{
	byte life, was;
	bool did;

	atomic {
		if
		:: state == CLOSED ->
			life = gen;
			gen++;
			state = EMPTY;
			did = true
		:: else
		fi
	}
	if
	:: did ->
		atomic {
			if
			:: word == USED(life) -> word = FREE
			:: else
			fi
		}
	:: else ->
		was = word;
		if
		:: state == EMPTY || state == CLAIMED ->
			atomic {
				if
				:: word == was -> word = FREE
				:: else
				fi
			}
		:: else
		fi
	fi;
	busy--
}

/* slot_take() for another key, which may take what is closed. */
proctype evict()
{
	atomic {
		if
		:: state == CLOSED ->
			gen++;
			state = EMPTY
		:: else
		fi
	}
	busy--
}

init {
	atomic {
		busy = 7;
		run opener();
		run opener();
		run opener();
		run closer();
		run closer();
		run walk();
		run evict()
	}
	busy == 0;
	assert(state != EST || word == USED(gen));
	assert(state == EST || word == FREE)
}
