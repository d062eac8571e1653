/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * iface.c - which interface has which slot, and whether our program runs there.
 *
 * A slot number is part of every next hop that the packet path has learned from clients, so it
 * stays with its interface's name: over reloads, and over restarts, when the running maps say who
 * had which. A new interface takes the first free slot.
 *
 * Attaching is ours, detaching is the operator's (rrctl detach): an interface that leaves the
 * configuration lingers, with its slot and its program, until it is detached; clients there are
 * still served, endpoints no longer reached by it. One that was destroyed and made again has
 * another ifindex and is attached again; one that was detached on purpose keeps its ifindex and
 * is left alone.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "collect/iface.h"
#include "daemon/daemon.h"
#include "sys/loop.h"
#include "util/log.h"

#define RETRY MONO_S(5) /* between two attempts to attach where it failed */

static int slot_of(const struct daemon *d, const char *name)
{
	for (size_t i = 0; i < RR_MAX_IFACES; i++) {
		if (!strcmp(d->iface[i].name, name))
			return (int)i;
	}
	return -1;
}

static const struct conf_iface *conf_of(const struct conf *c, const char *name)
{
	for (size_t i = 0; i < c->ifaces; i++) {
		if (!strcmp(c->iface[i].name, name))
			return &c->iface[i];
	}
	return NULL;
}

static void slot_count(struct daemon *d)
{
	d->ifaces = 0;
	for (size_t i = 0; i < RR_MAX_IFACES; i++) {
		if (d->iface[i].name[0])
			d->ifaces = i + 1;
	}
}

int iface_slot(const struct daemon *d, uint32_t ifindex)
{
	for (size_t i = 0; ifindex && i < d->ifaces; i++) {
		if (d->iface[i].ifindex == ifindex && conf_of(d->conf, d->iface[i].name))
			return (int)i;
	}
	return -1;
}

void iface_adopt(struct daemon *d)
{
	char name[IF_NAMESIZE];

	for (size_t i = 0; i < RR_MAX_IFACES; i++) {
		uint32_t ifindex = d->have->iface[i].ifindex;

		if (!ifindex || !if_indextoname(ifindex, name) || slot_of(d, name) >= 0)
			continue;
		snprintf(d->iface[i].name, sizeof(d->iface[i].name), "%s", name);
		d->iface[i].ifindex = ifindex;
	}
	slot_count(d);
}

static int slot_take(struct daemon *d, const char *name)
{
	int slot = slot_of(d, "");

	if (slot < 0)
		return -ENOSPC;
	memset(&d->iface[slot], 0, sizeof(d->iface[slot]));
	snprintf(d->iface[slot].name, sizeof(d->iface[slot].name), "%s", name);
	d->iface_use[slot] = IFACE_NEW;
	return 0;
}

int iface_assign(struct daemon *d, const struct conf *c)
{
	int rc = 0;

	for (size_t i = 0; i < c->ifaces && !rc; i++) {
		if (slot_of(d, c->iface[i].name) < 0)
			rc = slot_take(d, c->iface[i].name);
	}
	slot_count(d);
	return rc;
}

static void slot_drop(struct daemon *d, size_t slot)
{
	static const uint8_t no_mac[6];

	memset(&d->iface[slot], 0, sizeof(d->iface[slot]));
	d->iface_retry[slot] = MONO_US(0);
	d->iface_use[slot] = IFACE_FREE;
	model_iface(d->model, (uint32_t)slot, 0, no_mac, 0, daemon_now(d));
}

/* `text` = what the kernel or libxdp says of it. */
static void note_iface(struct daemon *d, enum event_kind kind, const char *name, const char *text)
{
	struct model_event ev = { .kind = kind, .uid = EVENT_NOBODY };

	snprintf(ev.name, sizeof(ev.name), "%s", name);
	snprintf(ev.text, sizeof(ev.text), "%s", text);
	model_event_note(d->model, &ev, daemon_now(d));
}

static void slot_linger(struct daemon *d, size_t slot)
{
	struct dp_iface_status *is = &d->iface[slot], st;

	d->iface_use[slot] = IFACE_LINGER;
	if (dp_attach_status(d->dp, is->name, &st) || !st.attached) {
		slot_drop(d, slot);
		return;
	}
	is->attached = true;
	is->how = st.how;
	snprintf(is->text, sizeof(is->text), "%s",
		 "no longer configured; rrctl detach removes the program");
	note_iface(d, EVENT_IFACE_LINGERS, is->name, is->text);
}

void iface_settle(struct daemon *d, const struct conf *c)
{
	for (size_t i = 0; i < RR_MAX_IFACES; i++) {
		if (!d->iface[i].name[0])
			continue;
		if (conf_of(c, d->iface[i].name))
			d->iface_use[i] = IFACE_CONF;
		else if (d->iface_use[i] != IFACE_LINGER)
			slot_linger(d, i);
	}
	slot_count(d);
}

/* The reason is shown with the interface; an attempt every RETRY follows. */
static void attach_failed(struct daemon *d, size_t slot, const char *name)
{
	const char *why = dp_error(d->dp);
	size_t n = strlen(name);

	if (!strncmp(why, name, n) && !strncmp(why + n, ": ", 2))
		why += n + 2;
	snprintf(d->iface[slot].text, sizeof(d->iface[slot].text), "%s", why);
	d->iface_retry[slot] = mono_add(daemon_now(d), RETRY);
}

static int attach_one(struct daemon *d, size_t slot, const struct conf_iface *ci)
{
	struct dp_iface_status st;
	int rc = dp_attach(d->dp, ci->name, ci->attach, ci->xdp, &st);

	if (rc) {
		attach_failed(d, slot, ci->name);
		return rc;
	}
	d->iface_retry[slot] = MONO_US(0);
	d->iface[slot] = st;
	snprintf(d->iface[slot].name, sizeof(d->iface[slot].name), "%s", ci->name);
	note_iface(d,
		   !st.attached ? EVENT_IFACE_WAITING
		   : st.native	? EVENT_IFACE_NATIVE
				: EVENT_IFACE_GENERIC,
		   ci->name, st.text);
	return 0;
}

void iface_undo(struct daemon *d)
{
	for (size_t i = 0; i < RR_MAX_IFACES; i++) {
		if (d->iface_use[i] != IFACE_NEW)
			continue;
		if (d->iface[i].attached && d->iface[i].how != DP_ATTACH_EXTERNAL)
			dp_detach(d->dp, d->iface[i].name);
		slot_drop(d, i);
	}
	slot_count(d);
}

int iface_attach(struct daemon *d, const struct conf *c, const struct conf *old, char *err,
		 size_t errlen)
{
	int rc;

	for (size_t i = 0; i < RR_MAX_IFACES; i++) {
		const struct conf_iface *ci = conf_of(c, d->iface[i].name);

		if (!ci || (old && conf_of(old, ci->name)))
			continue;
		rc = attach_one(d, i, ci);
		if (!rc)
			continue;
		snprintf(err, errlen, "interface %s", dp_error(d->dp)); /* begins with the name */
		if (old)
			return rc;
		/* iface_refresh() attaches it when it can be. */
		if (rc == -ENODEV)
			log_warnx("%s; waiting for it", err);
		else
			log_errx("%s; the others are served, and it is tried again", err);
	}
	return 0;
}

int iface_detach(struct daemon *d, const char *name)
{
	int slot = slot_of(d, name), rc = dp_detach(d->dp, name);

	if (rc == -ENOENT || rc == -ENODEV) /* nothing there: as asked for */
		rc = 0;
	if (!rc && slot >= 0) {
		d->iface[slot].attached = false;
		snprintf(d->iface[slot].text, sizeof(d->iface[slot].text), "%s",
			 "detached by an operator");
	}
	return rc;
}

/* Said when the reason is another one, not with every attempt. */
static void attach_again(struct daemon *d, size_t slot, const struct conf_iface *ci)
{
	char was[sizeof(d->iface[slot].text)];

	memcpy(was, d->iface[slot].text, sizeof(was));
	if (attach_one(d, slot, ci) && strcmp(was, d->iface[slot].text))
		log_errx("interface %s", dp_error(d->dp));
}

/* The same name under another ifindex is another interface: nothing of ours is on it. */
static void refresh_one(struct daemon *d, size_t slot, const struct nl_link *l)
{
	const struct conf_iface *ci = conf_of(d->conf, d->iface[slot].name);
	bool again = l->ifindex && l->ifindex != d->iface[slot].ifindex;

	if (l->ifindex != d->iface[slot].ifindex)
		d->iface[slot].attached = false;
	d->iface[slot].ifindex = l->ifindex;
	if (!ci || !l->ifindex || d->iface[slot].attached || !d->attach_open)
		return;
	if (!again &&
	    (!d->iface_retry[slot].us || mono_cmp(daemon_now(d), d->iface_retry[slot]) < 0))
		return;
	attach_again(d, slot, ci);
}

void iface_refresh(struct daemon *d)
{
	struct nl_link l;
	int rc;

	for (size_t i = 0; i < d->ifaces; i++) {
		if (!d->iface[i].name[0])
			continue;
		rc = nl_link_get(d->nl, d->iface[i].name, &l);
		if (rc && rc != -ENODEV)
			continue; /* the kernel could not answer: no news */
		if (rc)
			memset(&l, 0, sizeof(l));
		refresh_one(d, i, &l);
		model_iface_name(d->model, (uint32_t)i, d->iface[i].name);
		model_iface(d->model, (uint32_t)i, l.up ? l.ifindex : 0, l.mac, l.mtu,
			    daemon_now(d));
	}
}

void iface_status(struct daemon *d)
{
	struct dp_iface_status st;

	for (size_t i = 0; i < d->ifaces; i++) {
		struct dp_iface_status *is = &d->iface[i];

		if (!is->name[0] || !is->ifindex || dp_attach_status(d->dp, is->name, &st))
			continue;
		/* The operator's part: what there is to do changes with what he does. */
		if (st.attached ? st.how == DP_ATTACH_EXTERNAL : is->attached)
			snprintf(is->text, sizeof(is->text), "%s", st.text);
		if (st.attached != is->attached)
			note_iface(d, st.attached ? EVENT_IFACE_ATTACHED : EVENT_IFACE_DETACHED,
				   is->name, "");
		is->attached = st.attached;
		is->native = st.native;
		is->prog_id = st.prog_id;
		if (st.attached)
			is->how = st.how;
		else if (d->iface_use[i] == IFACE_LINGER)
			slot_drop(d, i);
	}
	slot_count(d);
}

void iface_pins(struct daemon *d)
{
	char was[sizeof(d->pins_error)];
	unsigned int made;
	int rc = dp_keep(d->dp, &made);

	memcpy(was, d->pins_error, sizeof(was));
	snprintf(d->pins_error, sizeof(d->pins_error), "%s", rc ? dp_error(d->dp) : "");
	if (rc && !was[0])
		log_errx("packet path: %s", d->pins_error);
	if (made)
		log_warnx("packet path: %u pins were gone and are there again", made);
}
