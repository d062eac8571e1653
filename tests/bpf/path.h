/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * path.h - one packet through the packet path, as a row of a table: what was there before, the packet, the verdict. What must
 * come out is not in the row: it follows from the verdict and is built anew, byte for byte, by path_expect().
 *
 * The world of every row (path_world.c): services of each mode and family, three endpoints each with rotation
 * 1, 2, 3; one source address a family; one interface, on which everything comes and goes.
 */
#ifndef TESTS_PATH_H
#define TESTS_PATH_H

#include "lib/pkt.h"
#include "lib/rig.h"

/* bit 0: family, bit 1: mode. The tables are run on the first four; a second nat pair is there for those who need it. */
enum path_service {
	NAT4 = 0,
	NAT6 = 1,
	DSR4 = 2,
	DSR6 = 3,
	PATH_SERVICES = 4,
	NAT4_B = 4,
	NAT6_B = 5,
	PATH_ALL = 6
};
enum { ON_NAT4 = 1, ON_NAT6 = 2, ON_DSR4 = 4, ON_DSR6 = 8 };
#define ON_NAT (ON_NAT4 | ON_NAT6)
#define ON_DSR (ON_DSR4 | ON_DSR6)
#define ON_V4 (ON_NAT4 | ON_DSR4)
#define ON_V6 (ON_NAT6 | ON_DSR6)
#define ON_ALL (ON_NAT | ON_DSR)

/* What happened to the flow before the packet of the row. */
enum path_have {
	HAVE_NONE,
	HAVE_SYN,
	HAVE_SYNACK, /* in dsr: as HAVE_SYN */
	HAVE_EST,
	HAVE_FIN_CLIENT,
	HAVE_FIN_SERVER,
	HAVE_FIN2,
	HAVE_RST,
	HAVE_KILLED,
};

#define PATH_ISN_CLIENT 0xfffffff0u /* wraps early */
#define PATH_ISN_SERVER 0x7ffffff0u
#define PATH_EPS 3u
#define PATH_EP(svc, slot) \
	((uint16_t)((svc)*10 + 1 + (slot))) /* id of the endpoint in rotation slot 0-2 */
#define PATH_NONE 255 /* path_case.state: no flow */

struct world {
	struct rig *rig;
	uint32_t svc; /* enum path_service */
	uint8_t af;
	bool nat;
	uint16_t cport; /* the client's port */
	uint8_t cmac[6]; /* the client's side: source MAC of its frames */
	uint16_t cvlan, evlan; /* tag control of what clients and endpoints send; 0 = untagged */
	uint16_t ep; /* the flow's endpoint, once there is one */
	uint16_t lport; /* its local port, host order */
	uint8_t hop_mac[6]; /* the MAC and VLAN by which the flow's SYN came */
	uint16_t hop_vlan;
	struct pkt_frame in, out;
};

struct path_case {
	const char *name;
	uint8_t on; /* services on which it is tried */
	uint16_t client_vlan, ep_vlan; /* tag control on each side */
	enum path_have have;
	void (*prepare)(struct world *w); /* then */
	bool rev; /* from the endpoint; else from the client */
	struct pkt_spec pkt; /* how it differs from the usual packet */
	void (*shape)(struct world *w, struct pkt_spec *s); /* the rest of that */
	enum rr_verdict verdict;
	uint8_t slot; /* the rotation slot that the packet must reach */
	uint8_t state; /* enum rr_flow_state of the forward entry afterwards; 0 = not looked at */
	/* counters that must move by this; all others must not */
	uint8_t conns, established, closed, refused;
	uint8_t tickets; /* drawn beyond `conns` */
	uint32_t action; /* 0: by the verdict's class */
	void (*after)(struct world *w);
};

struct path_table {
	const char *name;
	const struct path_case *cases;
	size_t n;
};
#define PATH_TABLE(cases) \
	{ \
#cases, cases, sizeof(cases) / sizeof((cases)[0]) \
	}

/* the tables, by step */
extern const struct path_table path_parse, path_pass, path_new, path_flow, path_close, path_reset;

/* Empty tables, the four services. */
void path_world(struct world *w, struct rig *r, uint32_t svc);
/* From now on clients and endpoints are in these VLANs (tag control; 0 = untagged). */
void path_vlans(struct world *w, uint16_t client, uint16_t endpoints);
/* Brings the flow of w->cport to a state, each packet checked. */
void path_reach(struct world *w, enum path_have have);
/* The usual packet of a direction, then what `diff` says otherwise. */
void path_packet(const struct world *w, bool rev, const struct pkt_spec *diff,
		 struct pkt_spec *out);
/* Runs a packet and checks verdict, action, and every byte that comes out. */
void path_run(struct world *w, const struct pkt_spec *s, enum rr_verdict v, uint32_t action);
/* The usual packet with these flags through path_run(). */
void path_client(struct world *w, uint8_t flags, enum rr_verdict v);
void path_server(struct world *w, uint8_t flags, enum rr_verdict v);
/* The client's forward entry; NULL = none. */
struct rr_flow *path_flow_of(const struct world *w, uint32_t *slot);
struct rr_flow *path_reverse_of(const struct world *w);
void path_case_run(struct rig *r, uint32_t svc, const struct path_case *c);
/* Changes both entries of the flow to a state, as the controller does. */
void path_kill(struct world *w);

struct rr_addr path_service_addr(uint32_t svc);
struct rr_addr path_client_addr(uint32_t svc);
struct rr_addr path_local_addr(uint32_t svc);
struct rr_addr path_ep_addr(uint16_t ep);
void path_ep_mac(uint16_t ep, uint8_t mac[6]);
const char *path_verdict_name(enum rr_verdict v);
extern const uint8_t path_iface_mac[6], path_client_mac[6];

#endif
