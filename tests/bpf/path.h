/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * path.h - one packet through the packet path, as a row of a table: what was there before, the
 * packet, the verdict. What must come out is not in the row: it follows from the verdict and is
 * built anew, byte for byte, by path_oracle.c.
 *
 * In every world (path_world.c) all services of PATH_WORLDS and PATH_TWINS are there, three
 * endpoints each with rotation 1, 2, 3; one source address a family; one interface, on which
 * everything comes and goes. The row is tried with one service after the other as the one under
 * test.
 */
#ifndef TESTS_PATH_H
#define TESTS_PATH_H

#include <netinet/in.h>

#include "lib/pkt.h"
#include "lib/rig.h"

/*
 * The worlds: id, name, mode, family of the clients and of the service, family of the endpoints,
 * protocol, the service's address. Each is a service of that id. Rows of the packet tables are
 * tried on every world of the first list that fits their `on`; the twins are there for tests that
 * need two services of a kind.
 */
/* clang-format off */
#define PATH_WORLDS(X) \
	X(NAT4,   "nat4",   NAT, INET,  INET,  TCP, "192.0.2.10") \
	X(NAT6,   "nat6",   NAT, INET6, INET6, TCP, "2001:db8::10") \
	X(DSR4,   "dsr4",   DSR, INET,  INET,  TCP, "192.0.2.20") \
	X(DSR6,   "dsr6",   DSR, INET6, INET6, TCP, "2001:db8::20")
#define PATH_TWINS(X) \
	X(NAT4_B, "nat4-b", NAT, INET,  INET,  TCP, "192.0.2.30") \
	X(NAT6_B, "nat6-b", NAT, INET6, INET6, TCP, "2001:db8::30")
/* clang-format on */

#define PATH_ID(id, ...) id,
enum path_service { PATH_WORLDS(PATH_ID) PATH_SERVICES };
enum path_twin { PATH_LAST = PATH_SERVICES - 1, PATH_TWINS(PATH_ID) PATH_ALL };
#undef PATH_ID

struct path_world {
	const char *name;
	uint8_t mode; /* enum rr_mode */
	uint8_t client, endpoint; /* families: enum rr_family */
	uint8_t proto; /* IPPROTO_* */
	const char *address; /* the service's */
};

/* What a mode does, as far as packets show it. */
struct path_mode {
	bool rewrites; /* addresses, ports and TTL of what is forwarded */
	bool replies; /* the endpoint's packets come back this way */
	bool pair; /* a reverse entry beside the client's */
};

/* Which worlds: bits 1 << value of each property, 0 = any; the protocol itself, 0 = TCP. */
struct path_on {
	uint8_t modes, clients, endpoints, proto;
};
/* clang-format off */
#define ON_ALL  { 0 }
#define ON_NAT  { .modes = 1u << RR_MODE_NAT }
#define ON_DSR  { .modes = 1u << RR_MODE_DSR }
#define ON_V4   { .clients = 1u << RR_AF_INET }
#define ON_V6   { .clients = 1u << RR_AF_INET6 }
#define ON_NAT4 { .modes = 1u << RR_MODE_NAT, .clients = 1u << RR_AF_INET }
#define ON_NAT6 { .modes = 1u << RR_MODE_NAT, .clients = 1u << RR_AF_INET6 }
/* clang-format on */

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
#define PATH_PORT 443 /* of each service */
#define PATH_EPS 3u
/* id of the endpoint in rotation slot 0-2, and the service of an endpoint */
#define PATH_EP(svc, slot) ((uint16_t)((svc)*10 + 1 + (slot)))
#define PATH_EP_SERVICE(ep) ((ep) / 10u)
#define PATH_NONE 255 /* path_case.state: no flow */

struct world {
	struct rig *rig;
	uint32_t svc; /* enum path_service or path_twin */
	const struct path_world *row;
	const struct path_mode *mode;
	uint8_t af; /* the client's */
	/* What the client connects to, and the id that this has. */
	struct rr_addr addr;
	uint16_t port;
	uint16_t listener;
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
	struct path_on on; /* worlds in which it is tried */
	uint16_t client_vlan, ep_vlan; /* tag control on each side */
	enum path_have have;
	void (*prepare)(struct world *w); /* then */
	/* From the endpoint, in worlds that see replies; else from the client. */
	bool rev;
	struct pkt_spec pkt; /* how it differs from the usual packet */
	void (*shape)(struct world *w, struct pkt_spec *s); /* the rest of that */
	enum rr_verdict verdict;
	uint8_t slot; /* the rotation slot that the packet must reach */
	uint8_t state; /* enum rr_flow_state of the forward entry afterwards; 0 = not looked at */
	/* counters that must move by this; all others must not */
	uint8_t conns, established, closed, refused, reopened, reused;
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
extern const struct path_table path_parse, path_pass, path_new, path_flow, path_pair, path_judge,
	path_close, path_reset, path_icmp, path_notice;

extern const struct path_world path_worlds[PATH_ALL];
extern const struct path_mode path_modes[]; /* by enum rr_mode */
bool path_tried(const struct path_on *on, uint32_t svc);

/* A test function for several worlds; its state is the id of the service under test. */
struct path_test {
	const char *name;
	void (*run)(void **state);
	struct path_on on;
};
#define PATH_TEST(fn, ...) \
	{ \
#fn, fn, __VA_ARGS__ \
	}
/* Runs each in all its worlds, on the rigs of path_use(); returns what cmocka returns. */
int path_group(const char *name, const struct path_test *rows, size_t n);
/* The service under test, out of the state of a PATH_TEST. */
uint32_t path_service_of(void **state);

/*
 * The rigs that the tests of a program share: path_use() names one, before the tests run. They are
 * opened before the first test and closed after the last, by cmocka's group fixtures. `opts` stays
 * the caller's; NULL = as they are.
 */
void path_use(struct rig *r, const struct rig_opts *opts);
int path_setup(void **state);
int path_teardown(void **state);

/* The client of a world, without tables. */
void path_world_is(struct world *w, uint32_t svc);
/* Empty tables, then all services. */
void path_world(struct world *w, struct rig *r, uint32_t svc);
/* From now on clients and endpoints are in these VLANs (tag control; 0 = untagged). */
void path_vlans(struct world *w, uint16_t client, uint16_t endpoints);
/* The next packets are of another client: no endpoint and no local port are known of it yet. */
void path_next_client(struct world *w, uint16_t port);
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
struct rr_flow *path_reverse_of(const struct world *w, uint32_t *slot);
/* The record of the client's flow; it must be of this life. */
struct rr_pair *path_record_of(const struct world *w);
/* Tags of the flow's keys. */
uint16_t path_forward_tag(const struct world *w);
uint16_t path_reverse_tag(const struct world *w);
void path_case_run(struct rig *r, uint32_t svc, const struct path_case *c);
/* Changes both entries of the flow to a state, as the controller does. */
void path_kill(struct world *w);

struct rr_addr path_service_addr(uint32_t svc);
struct rr_addr path_client_addr(uint32_t svc);
struct rr_addr path_local_addr(uint32_t svc);
struct rr_addr path_ep_addr(uint16_t ep);
uint8_t path_ep_family(uint16_t ep);
void path_ep_mac(uint16_t ep, uint8_t mac[6]);
const char *path_verdict_name(enum rr_verdict v);
extern const uint8_t path_iface_mac[6], path_client_mac[6];

#endif
