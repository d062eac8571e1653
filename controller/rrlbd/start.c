/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * start.c - how a start takes over the packet path: opens or adopts the maps, reads back what they
 * hold, lets the model plan, fills the maps and only then attaches the program. Each step leaves a
 * packet path that is correct by itself, so that a start may fail or be killed after any of them.
 * What is opened is struct daemon's, and start_undo() closes it, also after a start that failed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/checks.h"
#include "collect/iface.h"
#include "collect/nexthop.h"
#include "collect/sweep.h"
#include "collect/trust.h"
#include "daemon/push.h"
#include "rr_port.h"
#include "rrlbd/start.h"
#include "rrlbd/state.h"
#include "rrlbd/turn.h"
#include "serve/control.h"
#include "serve/snapshot.h"
#include "sys/dp.h"
#include "sys/loop.h"
#include "util/log.h"

#define LOCAL_RANGE "/proc/sys/net/ipv4/ip_local_port_range"

static uint32_t sets_for(uint32_t entries, uint32_t ways)
{
	uint32_t sets = 1;

	while (sets < (entries + ways - 1) / ways && sets < 1u << 30)
		sets <<= 1;
	return sets;
}

static bool any_local(const struct conf *c)
{
	for (size_t i = 0; i < c->services; i++) {
		if (rr_mode_has(c->service[i].mode, RR_MODE_NEEDS_LOCAL))
			return true;
	}
	return false;
}

/*
 * Where both ranges meet, a connection of this host and a balanced one could look alike to an
 * endpoint.
 */
static void warn_ports(const struct daemon *d)
{
	unsigned int lo, hi;
	FILE *f = fopen(LOCAL_RANGE, "re");

	if (!f)
		return;
	if (fscanf(f, "%u %u", &lo, &hi) == 2 && any_local(d->conf) && d->conf->port_lo <= hi &&
	    d->conf->port_hi >= lo)
		log_warnx("nat-ports %u-%u and the host's own local ports %u-%u overlap: choose "
			  "others, or set net.ipv4.ip_local_port_range",
			  d->conf->port_lo, d->conf->port_hi, lo, hi);
	fclose(f);
}

static void say_note(const struct daemon *d)
{
	if (dp_note(d->dp)[0])
		log_info("packet path: %s", dp_note(d->dp));
}

/*
 * Maps that were found may hold fewer sets of local ports than are configured, those of a bare
 * object just one. An endpoint whose set is not there would get no port, so no more are given out.
 */
static void limit_sets(struct daemon *d)
{
	uint32_t lines = 0, sets;
	uint16_t lo, hi;

	dp_ports(d->dp, &lo, &hi);
	dp_mem(d->dp, RR_MAP_PORTS, &lines);
	sets = lines / RR_PORT_LINES(hi - lo + 1u);
	if (d->conf->port_sets > sets)
		d->conf->port_sets = sets;
}

int start_dp(struct daemon *d, const struct options *o)
{
	const char *name[RR_MAX_IFACES];
	struct dp_conf c = {
		.dir = o->bpffs,
		.object = o->object,
		.flow4_sets = sets_for(d->conf->flows_ipv4, RR_FLOW4_WAYS),
		.flow6_sets = sets_for(d->conf->flows_ipv6, RR_FLOW6_WAYS),
		.port_lo = d->conf->port_lo,
		.port_hi = d->conf->port_hi,
		.port_sets = d->conf->port_sets,
		.replace_maps = o->replace_maps,
	};
	int rc;

	for (size_t i = 0; i < d->conf->ifaces && i < RR_MAX_IFACES; i++)
		name[i] = d->conf->iface[i].name;
	rc = dp_open(&d->dp, &c, name, d->conf->ifaces, &d->adopted);
	if (rc) {
		log_errx("packet path: %s", dp_error(d->dp));
		return rc;
	}
	limit_sets(d);
	warn_ports(d);
	log_info("packet path: %s", d->adopted ? "running maps adopted" : "maps made");
	say_note(d);
	return push_control(d);
}

/*
 * What runs, what operators had set, what is configured: in this order, so that ids stay and
 * overrides win.
 */
int start_model(struct daemon *d)
{
	int rc;

	d->have = plan_new();
	d->model = model_new();
	d->counters = calloc(1, sizeof(*d->counters));
	if (!d->have || !d->model || !d->counters)
		return -ENOMEM;
	model_set_hz(d->model, d->hz);
	rc = push_read(d, d->have);
	if (!rc && d->adopted)
		rc = model_adopt(d->model, d->have, daemon_now(d));
	if (!rc)
		rc = state_load(d);
	if (!rc)
		rc = model_apply(d->model, d->conf, false, daemon_now(d));
	if (rc)
		log_errx("start: %s", strerror(-rc));
	return rc;
}

/* After attaching, what nothing uses any more goes. A pin that stays is no reason not to run. */
static void start_settle(struct daemon *d)
{
	if (dp_settle(d->dp))
		log_errx("packet path: %s", dp_error(d->dp));
	say_note(d);
}

int start_paths(struct daemon *d)
{
	char err[256] = "";
	int rc = nexthop_open(d);

	if (rc) {
		log_errx("netlink: %s", strerror(-rc));
		return rc;
	}
	iface_adopt(d);
	rc = iface_assign(d, d->conf);
	if (rc) {
		log_errx("more than %u interfaces", RR_MAX_IFACES);
		return rc;
	}
	iface_settle(d, d->conf);
	nexthop_resolve(d);
	daemon_turn(d); /* the first push: nothing is attached before the maps are filled */
	if (d->push_retry)
		return -EIO;
	d->attach_open = true;
	rc = iface_attach(d, d->conf, NULL, err, sizeof(err));
	if (rc)
		log_errx("%s", err);
	else
		iface_refresh(d);
	start_settle(d);
	return rc;
}

void start_undo(struct daemon *d)
{
	snapshot_forget(d);
	control_close(d);
	turn_close(d);
	checks_close(d);
	trust_use(d, NULL);
	sweep_close(d);
	nexthop_close(d);
	state_free(d);
	loop_close(d->loop);
	plan_free(d->have);
	model_free(d->model);
	if (d->dp)
		dp_close(d->dp);
	conf_free(d->conf);
	free(d->counters);
}
