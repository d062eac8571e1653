/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * port.c - notes when a local port was given up, for connections that the walk ends. The packet
 * path writes the same words by the same rules (rr_port.h): a compare-and-swap from the mark of the
 * life that has ended, so that the mark of a connection that has the port by now stays.
 */
#include <string.h>

#include "flow/entry.h"

/* The word of a port of endpoint `ep` and local id `local`; NULL = they have no set. */
static uint32_t *port_word(const struct walk_tables *t, uint32_t ep, uint32_t local,
			   uint16_t port_be)
{
	const struct rr_endpoint *e = &t->endpoint[ep & (RR_MAX_ENDPOINTS - 1)];
	uint32_t k = local - e->local_first, set = k < RR_EP_PORT_SETS ? e->port_set[k] : 0;
	uint32_t place, range, line;

	if (!set || !t->port_lines)
		return NULL;
	place = (uint32_t)__builtin_bswap16(port_be) - t->control->port_lo;
	range = (uint32_t)t->control->port_hi - t->control->port_lo + 1;
	if (place >= range)
		return NULL;
	line = (set - 1) * RR_PORT_LINES(range) + 1 + place / RR_PORT_LINE;
	return line < t->port_lines ? &t->port[line].word[place % RR_PORT_LINE] : NULL;
}

static void word_cas(uint32_t *word, uint32_t was, uint32_t is)
{
	__atomic_compare_exchange_n(word, &was, is, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

void port_give_up(const struct walk_tables *t, const struct walk_entry *rev, uint64_t meta,
		  uint32_t seen)
{
	uint32_t local = RR_TAG_LOCAL(RR_KEY_TAG(rev->half.key)), *word;
	uint16_t ack = __atomic_load_n(&rev->f->ack, __ATOMIC_RELAXED);

	word = port_word(t, RR_META_EP(meta), local, RR_KEY_PORT(rev->half.key));
	if (word)
		word_cas(word, RR_PORT_USED(RR_META_GEN(rev->half.meta)),
			 rr_pair_port_word(t->control, meta, seen, ack));
}

/*
 * Nobody knows which life the mark is of. It is read before the entry is looked for: a new owner's
 * entry is there before its mark, and its mark is another word.
 */
void port_doubt(const struct walk_tables *t, const struct walk_entry *fwd)
{
	const struct rr_endpoint *e =
		&t->endpoint[RR_META_EP(fwd->half.meta) & (RR_MAX_ENDPOINTS - 1)];
	uint32_t local = RR_META_VIA(fwd->half.meta), was, *word;
	uint64_t addr[2];
	struct rr_key key;

	word = port_word(t, RR_META_EP(fwd->half.meta), local, fwd->half.port);
	if (!word)
		return;
	was = __atomic_load_n(word, __ATOMIC_ACQUIRE);
	memcpy(addr, &e->addr, sizeof(addr));
	rr_key_make(&key, rr_pair_table(fwd->af, e->family), e->family, addr[0], addr[1],
		    fwd->half.port, rr_tag_reverse(local, RR_KEY_TAG(fwd->half.key) & RR_TAG_UDP));
	if ((was & RR_PORT_IN_USE) && !entry_lives(t, rr_pair_table(fwd->af, e->family), &key))
		word_cas(word, was, rr_pair_port_word(t->control, fwd->half.meta, fwd->seen, 0));
}
