/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conf_table.c - every keyword of the configuration, one row each. Parsing, ranges, defaults,
 * canonical print, comparison, suggestions and the check of the manual all read these rows; a
 * keyword lives nowhere else.
 *
 * A new option is a row. A new block is a table of rows, a row in the block around it (with a head,
 * a list and a body as it needs them), and a name in conf_blocks. Rules across statements are
 * conf_check.c's.
 *
 * The order of the rows is the order of the canonical print.
 */
#include <string.h>

#include "conf/conf_int.h"
#include "rr_pair.h"

/*
 * AT and TEXT name the field that a row fills; a string's size is the field's. LIST names the array
 * and its count. BLOCK makes a block of its rows and sees that the parser can remember all of them.
 */
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define AT(type, field) .off = offsetof(struct type, field)
#define TEXT(type, field) \
	AT(type, field), .kind = KIND_STRING, .hi = sizeof(((struct type *)0)->field)
#define LIST(type, array_, count_) \
	.array = offsetof(struct type, array_), .count = offsetof(struct type, count_)
#define BLOCK_EXTERN(id, name, rows) \
	const struct conf_block id = { name, rows, COUNT(rows) }; \
	_Static_assert(COUNT(rows) <= CONF_MAX_ROWS, name)
#define BLOCK(id, name, rows) static BLOCK_EXTERN(id, name, rows)
#define DIGITS_OF(n) DIGITS_AS_WRITTEN(n)
#define DIGITS_AS_WRITTEN(n) #n
#define US_MS(n) ((int64_t)(n)*1000)
#define US_S(n) ((int64_t)(n)*1000000)
#define US_H(n) US_S((int64_t)(n)*3600)

#define POLICY_ROW(id, value, word) { word, value },
const struct word conf_unknown_words[] = { RR_UNKNOWNS(POLICY_ROW) WORD_END };
const struct word conf_overflow_words[] = { RR_OVERFLOWS(POLICY_ROW) WORD_END };
#define MODE_ROW(id, word, local, reverse, port, link, both, outer, help) { #word, RR_MODE_##id },
const struct word conf_mode_words[] = { RR_MODES(MODE_ROW) WORD_END };
const struct word conf_balance_words[] = {
	{ "round-robin", CONF_BALANCE_ROUND_ROBIN },
	{ NULL, 0 },
};
const struct word conf_deadline_words[] = {
	{ "rst", CONF_DEADLINE_RST },
	{ "keep", CONF_DEADLINE_KEEP },
	{ "forget", CONF_DEADLINE_FORGET },
	{ NULL, 0 },
};
static const struct word tls_words[] = { { "1.2", 12 }, { "1.3", 13 }, { NULL, 0 } };

static const struct conf_row iface_rows[] = {
	{ "attach", .kind = KIND_ENUM, AT(conf_iface, attach), .words = dp_attach_words,
	  .dflt = "dispatcher",
	  .help = "who puts the program on the interface: rrlbd through libxdp, rrlbd by a link, "
		  "or ip link" },
	{ "xdp", .kind = KIND_ENUM, AT(conf_iface, xdp), .words = dp_xdp_words, .dflt = "auto",
	  .help = "XDP in the driver, in the stack, or the first that works" },
};

static const struct conf_row control_rows[] = {
	{ "socket", TEXT(conf, socket), .form = FORM_FILE, .dflt = "/run/rrlb/control.sock",
	  .help = "the socket that rrctl talks to" },
	{ "group", TEXT(conf, socket_group), .form = FORM_NAME, .dflt = "rrlb",
	  .help = "members may change things" },
	{ "readonly-group", TEXT(conf, readonly_group), .form = FORM_NAME, .dflt = "rrlb-ro",
	  .help = "members may look" },
};

static const struct conf_row flow_rows[] = {
	{ "ipv4", .kind = KIND_COUNT, AT(conf, flows_ipv4), .lo = 1024, .hi = 1 << 26,
	  .dflt = "1048576",
	  .help = "entries of the IPv4 flow table, rounded up to a power of two" },
	{ "ipv6", .kind = KIND_COUNT, AT(conf, flows_ipv6), .lo = 1024, .hi = 1 << 26,
	  .dflt = "262144",
	  .help = "entries of the IPv6 flow table, rounded up to a power of two" },
};

/* In the order of the manual: what tcp has, what tls has as well, what https has as well. */
static const struct conf_row health_rows[] = {
	{ "interval", .kind = KIND_DURATION, AT(conf_health, interval), .lo = US_MS(100),
	  .hi = US_H(1), .dflt = "2s", .types = FOR_PROBES,
	  .help = "between probes of an endpoint that is fully up" },
	{ "timeout", .kind = KIND_DURATION, AT(conf_health, timeout), .lo = US_MS(10),
	  .hi = US_H(1), .dflt = "1s", .types = FOR_PROBES,
	  .help = "for the whole probe: connect, handshake, exchange" },
	{ "rise", .kind = KIND_COUNT, AT(conf_health, rise), .lo = 1, .hi = 20, .dflt = "2",
	  .types = FOR_PROBES, .help = "passed probes in a row that bring an endpoint up" },
	{ "fall", .kind = KIND_COUNT, AT(conf_health, fall), .lo = 1, .hi = 20, .dflt = "3",
	  .types = FOR_PROBES, .help = "failed probes in a row that take an endpoint down" },
	{ "fast-interval", .kind = KIND_DURATION, AT(conf_health, fast_interval), .lo = US_MS(100),
	  .hi = US_H(1), .dflt = "500ms", .types = FOR_PROBES,
	  .help = "between probes while rising or falling" },
	{ "down-interval", .kind = KIND_DURATION, AT(conf_health, down_interval), .lo = US_MS(100),
	  .hi = US_H(1), .dflt = "5s", .types = FOR_PROBES,
	  .help = "between probes of an endpoint that is down" },
	{ "jitter", .kind = KIND_PERCENT, AT(conf_health, jitter), .hi = 50, .dflt = "10%",
	  .types = FOR_PROBES, .help = "random share of every wait" },
	{ "init", .kind = KIND_ENUM, AT(conf_health, init), .words = health_begin_words,
	  .dflt = "down", .types = FOR_PROBES, .help = "state before the first result" },
	{ "port", .kind = KIND_PORT, AT(conf_health, port), .lo = 1, .hi = 65535,
	  .types = FOR_PROBES, .help = "probe this port instead of the endpoint's own" },
	{ "sni", TEXT(conf_health, sni), .form = FORM_HOST, .types = FOR_TLS,
	  .help = "server name in the handshake; also the name that verify full checks" },
	{ "verify", .kind = KIND_ENUM, AT(conf_health, verify), .words = probe_verify_words,
	  .dflt = "none", .when = "ca", .dflt_when = "full", .types = FOR_TLS,
	  .help = "what of the certificate is checked; full when ca is given" },
	{ "ca", TEXT(conf_health, ca), .form = FORM_FILE, .types = FOR_TLS,
	  .help = "PEM file of accepted issuers instead of the system's" },
	{ "alpn", TEXT(conf_health, alpn), .form = FORM_ALPN, .types = FOR_TLS,
	  .help = "protocols offered in the handshake, by comma" },
	{ "tls-min-version", .kind = KIND_ENUM, AT(conf_health, tls_min), .words = tls_words,
	  .dflt = "1.2", .types = FOR_TLS, .help = "lowest TLS version offered" },
	{ "path", TEXT(conf_health, path), .form = FORM_URL_PATH, .dflt = "/", .types = FOR_HTTPS,
	  .help = "path of the request" },
	{ "host", TEXT(conf_health, host), .form = FORM_HOST, .types = FOR_HTTPS,
	  .help = "Host header instead of sni or the address" },
	{ "status", .kind = KIND_STATUS, AT(conf_health, status_lo), .lo = 100, .hi = 599,
	  .dflt = "200-399", .types = FOR_HTTPS,
	  .help = "response status that passes, one or a range" },
	{ "expect", TEXT(conf_health, expect), .form = FORM_TEXT, .types = FOR_HTTPS,
	  .help = "text that the response body must contain" },
};

/*
 * What an endpoint leaves out it inherits. Its weight may stand before that of its service: who is
 * right is known when the service's block closes.
 */
static const struct conf_row endpoint_rows[] = {
	{ "weight", .kind = KIND_COUNT, AT(conf_endpoint, weight), .lo = CONF_WEIGHT_MIN,
	  .hi = CONF_WEIGHT_MAX, .inherit = "weight",
	  .help = "share of the rotation; the service's weight when left out" },
	{ "admin", .kind = KIND_ENUM, AT(conf_endpoint, admin), .words = ep_admin_words,
	  .dflt = "ready", .help = "state that the operator asks for" },
};

static const struct conf_row health_head = {
	"health",
	.kind = KIND_ENUM,
	AT(conf_health, type),
	.words = probe_type_words,
	.dflt = "tls",
	.help = "how endpoints are probed",
};
static const struct conf_row local_head = {
	"local-address",
	.kind = KIND_IP,
	.help = "source address towards the endpoints",
};
static const struct conf_row endpoint_head = {
	"endpoint",
	.kind = KIND_ADDR,
	AT(conf_endpoint, addr),
	.help = "address and port of a server",
};
static const struct conf_list local_list = {
	LIST(conf_service, local, locals),
	.size = sizeof(struct addr),
	.line = NO_LINE,
	.max = CONF_MAX_LOCALS,
	.noun = "local addresses",
	.within = true,
};
static const struct conf_list endpoint_list = {
	LIST(conf_service, endpoint, endpoints),
	.size = sizeof(struct conf_endpoint),
	.line = offsetof(struct conf_endpoint, line),
	.max = CONF_MAX_ENDPOINTS,
	.noun = "endpoints in a service",
};
BLOCK(health_block, "health", health_rows);
BLOCK(endpoint_block, "endpoint", endpoint_rows);
static const struct conf_block local_block = { "local-address", NULL, 0 };

static const struct conf_row service_rows[] = {
	{ "listen", .kind = KIND_ADDR, AT(conf_service, listen), .flags = ROW_ALWAYS,
	  .help = "address and port that clients connect to" },
	{ "mode", .kind = KIND_ENUM, AT(conf_service, mode), .words = conf_mode_words,
	  .dflt = "nat", .flags = ROW_ALWAYS, .help = "how packets are forwarded" },
	{ "balance", .kind = KIND_ENUM, AT(conf_service, balance), .words = conf_balance_words,
	  .dflt = "round-robin", .help = "how new connections are spread" },
	{ "on-unknown", .kind = KIND_ENUM, AT(conf_service, on_unknown),
	  .words = conf_unknown_words, .dflt = "rst",
	  .help = "answer to a packet in the middle of a connection that has no flow" },
	{ "overflow", .kind = KIND_ENUM, AT(conf_service, overflow), .words = conf_overflow_words,
	  .dflt = "rst", .help = "answer to a new connection that no endpoint can take" },
	{ "syn-timeout", .kind = KIND_DURATION, AT(conf_service, t_syn), .lo = US_S(1),
	  .hi = US_S(600), .dflt = "30s",
	  .help = "life of a flow whose handshake is not finished" },
	{ "idle-timeout", .kind = KIND_DURATION, AT(conf_service, t_idle),
	  .lo = US_S(RR_IDLE_LEAST_SECONDS), .hi = US_H(24), .dflt = "900s",
	  .help = "life of an established flow without a packet" },
	{ "fin-timeout", .kind = KIND_DURATION, AT(conf_service, t_fin1), .lo = US_S(1),
	  .hi = US_H(1), .dflt = "120s", .help = "life of a flow after the first FIN" },
	{ "close-timeout", .kind = KIND_DURATION, AT(conf_service, t_fin2), .lo = US_S(1),
	  .hi = US_H(1), .dflt = "30s", .help = "life of a flow after both FINs" },
	{ "rst-timeout", .kind = KIND_DURATION, AT(conf_service, t_rst), .lo = US_S(1),
	  .hi = US_S(600), .dflt = "10s", .help = "life of a flow after a RST" },
	{ "drain-deadline", .kind = KIND_DURATION, AT(conf_service, drain_deadline), .hi = US_H(24),
	  .dflt = "300s", .help = "how long a drain waits for its flows" },
	{ "on-deadline", .kind = KIND_ENUM, AT(conf_service, on_deadline),
	  .words = conf_deadline_words, .dflt = "rst",
	  .help = "what happens to flows that outlive the drain deadline" },
	{ "weight", .kind = KIND_COUNT, AT(conf_service, weight_default), .lo = CONF_WEIGHT_MIN,
	  .hi = CONF_WEIGHT_MAX, .dflt = "100", .help = "weight of endpoints that give none" },
	{ "local-address", .kind = KIND_BLOCK, .head = &local_head, .list = &local_list,
	  .block = &local_block, .body = BODY_NONE,
	  .help = "source address towards the endpoints; nat only, up to " DIGITS_OF(
		  CONF_MAX_LOCALS) },
	{ "health", .kind = KIND_BLOCK, AT(conf_service, health), .head = &health_head,
	  .block = &health_block, .body = BODY_OPTIONAL, .flags = ROW_ALWAYS,
	  .help = "how endpoints are probed" },
	{ "endpoint", .kind = KIND_BLOCK, .head = &endpoint_head, .list = &endpoint_list,
	  .block = &endpoint_block, .body = BODY_LINE, .help = "address and port of a server" },
};

static const struct conf_row iface_head = {
	"interface",
	TEXT(conf_iface, name),
	.form = FORM_IFNAME,
	.help = "an interface name: 1 to 15 bytes, no / or :",
};
static const struct conf_row service_head = {
	"service",
	TEXT(conf_service, name),
	.form = FORM_NAME,
	.help = "a service name: 1 to 63 letters, digits, - _ .",
};
static const struct conf_list iface_list = {
	LIST(conf, iface, ifaces),
	.size = sizeof(struct conf_iface),
	.line = offsetof(struct conf_iface, line),
	.max = CONF_MAX_IFACES,
	.noun = "interfaces",
	.unique = true,
};
static const struct conf_list service_list = {
	LIST(conf, service, services),
	.size = sizeof(struct conf_service),
	.line = offsetof(struct conf_service, line),
	.max = CONF_MAX_SERVICES,
	.noun = "services",
	.unique = true,
};
BLOCK(iface_block, "interface", iface_rows);
BLOCK(control_block, "control", control_rows);
BLOCK(flow_block, "flow-table", flow_rows);
BLOCK_EXTERN(conf_service_block, "service", service_rows);

static const struct conf_row main_rows[] = {
	{ "interface", .kind = KIND_BLOCK, .head = &iface_head, .list = &iface_list,
	  .block = &iface_block, .body = BODY_OPTIONAL,
	  .help = "interface whose packets are balanced" },
	{ "control", .kind = KIND_BLOCK, .block = &control_block,
	  .help = "who may talk to rrlbd, and where" },
	{ "flow-table", .kind = KIND_BLOCK, .block = &flow_block,
	  .help = "sizes of the flow tables" },
	{ "state-file", TEXT(conf, state_file), .form = FORM_FILE,
	  .dflt = "/var/lib/rrlb/state.json",
	  .help = "where run-time changes are kept over a restart" },
	{ "nat-ports", .kind = KIND_PORTS, AT(conf, port_lo), .lo = 1, .hi = 65535,
	  .dflt = "1024-32767", .help = "local ports of nat mode" },
	{ "nat-port-sets", .kind = KIND_COUNT, AT(conf, port_sets), .hi = RR_PORT_SETS_MAX,
	  .dflt = "256", .help = "endpoint and local addresses whose ports are followed" },
	{ "time-wait", .kind = KIND_DURATION, AT(conf, time_wait), .lo = US_S(2), .hi = US_H(1),
	  .dflt = "61s", .help = "how long a local port rests that the endpoint closed first" },
	{ "rst-rate", .kind = KIND_COUNT, AT(conf, rst_rate), .hi = 1000000, .dflt = "1000",
	  .help = "most RSTs that a CPU sends in a second" },
	{ "service", .kind = KIND_BLOCK, .head = &service_head, .list = &service_list,
	  .block = &conf_service_block, .flags = ROW_GAP,
	  .help = "an address that clients connect to, and its endpoints" },
};
BLOCK_EXTERN(conf_main_block, "", main_rows);

const struct conf_block *const conf_blocks[] = {
	&conf_main_block,    &iface_block,  &control_block,  &flow_block,
	&conf_service_block, &health_block, &endpoint_block, NULL,
};

const struct conf_row *row_find(const struct conf_block *b, const char *word)
{
	for (size_t i = 0; i < b->rows; i++) {
		if (!strcmp(b->row[i].word, word))
			return &b->row[i];
	}
	return NULL;
}
