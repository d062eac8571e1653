/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_netlink.c - routes, neighbours and notifications, against a peer host in a network namespace
 * of its own: 198.18.1.2 and fd00:1::2 on the same link, 203.0.113.0/24 and fd00:9::/64 behind it
 * as a gateway (IPv6 by its link-local address).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/netbox.h"
#include "sys/netlink.h"

#define MAC "02:00:00:00:0b:01"
#define PEER_MAC "02:00:00:00:0b:02"

static pid_t peer;
static unsigned int changes;

static void on_change(void *arg)
{
	assert_ptr_equal(arg, &changes);
	changes++;
}

static struct addr ip(const char *text)
{
	struct addr a = { .family = strchr(text, ':') ? 6 : 4 };

	assert_int_equal(inet_pton(a.family == 6 ? AF_INET6 : AF_INET, text, a.ip), 1);
	return a;
}

static void assert_ip(const struct addr *a, const char *text)
{
	struct addr b = ip(text);

	assert_int_equal(a->family, b.family);
	assert_memory_equal(a->ip, b.ip, sizeof(b.ip));
	assert_int_equal(a->port, 0);
}

static void assert_mac(const uint8_t *mac, const char *text)
{
	char seen[18];

	snprintf(seen, sizeof(seen), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	assert_string_equal(seen, text);
}

static struct nl *open_ok(void)
{
	struct nl *nl;

	changes = 0;
	assert_int_equal(nl_open(&nl, on_change, &changes), 0);
	return nl;
}

static struct nl_hop hop(struct nl *nl, const char *to)
{
	struct addr a = ip(to);
	struct nl_hop h;

	a.port = 443;
	assert_int_equal(nl_hop_get(nl, &a, &h), 0);
	return h;
}

static int setup(void **state)
{
	(void)state;
	peer = netbox_peer();
	if (peer < 0)
		return -1;
	return netbox_sh(
		"set -e; ip link add nl0 address " MAC " type veth peer name nl1 address " PEER_MAC
		"; ip link set nl1 netns %d; sysctl -qw net.ipv6.conf.nl0.accept_dad=0"
		"; ip addr add 198.18.1.1/24 dev nl0; ip addr add fd00:1::1/64 dev nl0 nodad; ip "
		"link set nl0 up"
		"; P='nsenter -t %d -n'; $P ip addr add 198.18.1.2/24 dev nl1; $P ip addr add "
		"fd00:1::2/64 dev nl1 nodad"
		"; $P ip addr add fe80::b2/64 dev nl1 nodad; $P ip link set nl1 up; sleep 0.3"
		"; ip route add 203.0.113.0/24 via 198.18.1.2 src 198.18.1.1"
		"; ip route add fd00:9::/64 via fe80::b2 dev nl0"
		"; ip route add 192.0.2.0/24 via inet6 fe80::b2 dev nl0"
		"; ip route add unreachable 198.51.100.0/24; ip route add blackhole "
		"198.51.101.0/24",
		(int)peer, (int)peer);
}

static int teardown(void **state)
{
	(void)state;
	netbox_kill(peer);
	return netbox_sh("ip link del nl0 2>/dev/null; ip route flush table main; true");
}

static void test_link(void **state)
{
	struct nl *nl = open_ok();
	struct nl_link l;

	(void)state;
	assert_int_equal(nl_link_get(nl, "nl0", &l), 0);
	assert_int_equal(l.ifindex, if_nametoindex("nl0"));
	assert_string_equal(l.name, "nl0");
	assert_int_equal(l.mtu, 1500);
	assert_true(l.up);
	assert_mac(l.mac, MAC);
	assert_int_equal(nl_link_get(nl, "nosuch0", &l), -ENODEV);
	assert_int_equal(l.ifindex, 0);
	assert_int_equal(nl_link_get(nl, "a-name-much-too-long-for-it", &l), -ENODEV);
	netbox_sh("nsenter -t %d -n ip link set nl1 down", (int)peer);
	assert_int_equal(nl_link_get(nl, "nl0", &l), 0);
	assert_false(l.up); /* no carrier */
	nl_shut(nl);
}

/* Asks the kernel to resolve, and waits until it has. */
static struct nl_hop resolve(struct nl *nl, const char *to)
{
	struct nl_hop h = hop(nl, to);

	assert_false(h.resolved);
	assert_int_equal(nl_hop_solicit(nl, &h), 0);
	for (int i = 0; i < 100 && !h.resolved; i++) {
		usleep(20000);
		h = hop(nl, to);
	}
	assert_true(h.resolved);
	return h;
}

static void test_direct4(void **state)
{
	struct nl *nl = open_ok();
	struct nl_hop h = resolve(nl, "198.18.1.2");

	(void)state;
	assert_int_equal(h.ifindex, if_nametoindex("nl0"));
	assert_ip(&h.gw, "198.18.1.2");
	assert_ip(&h.src, "198.18.1.1");
	assert_mac(h.mac, PEER_MAC);
	assert_int_equal(nl_hop_solicit(nl, &h), 0); /* known already: fine */
	nl_shut(nl);
}

static void test_direct6(void **state)
{
	struct nl *nl = open_ok();
	struct nl_hop h = resolve(nl, "fd00:1::2");

	(void)state;
	assert_ip(&h.gw, "fd00:1::2");
	assert_ip(&h.src, "fd00:1::1");
	assert_mac(h.mac, PEER_MAC);
	nl_shut(nl);
}

static void test_gateway(void **state)
{
	struct nl *nl = open_ok();
	struct nl_hop h = resolve(nl, "203.0.113.77");

	(void)state;
	assert_ip(&h.gw, "198.18.1.2");
	assert_ip(&h.src, "198.18.1.1");
	assert_mac(h.mac, PEER_MAC);
	h = resolve(nl, "fd00:9::77");
	assert_ip(&h.gw, "fe80::b2");
	assert_ip(&h.src, "fd00:1::1");
	assert_int_equal(h.ifindex, if_nametoindex("nl0"));
	assert_mac(h.mac, PEER_MAC);
	h = hop(nl, "192.0.2.77"); /* IPv4 by the same IPv6 gateway */
	assert_true(h.resolved);
	assert_ip(&h.gw, "fe80::b2");
	assert_ip(&h.src, "198.18.1.1");
	nl_shut(nl);
}

static void test_unreachable(void **state)
{
	static const char *const to[] = { "8.8.8.8",	 "198.51.100.1", "198.51.101.1",
					  "2001:db8::1", "198.18.1.1",	 "127.0.0.1",
					  "fd00:1::1",	 "224.0.0.5" };
	struct nl *nl = open_ok();
	struct addr none = { 0 };
	struct nl_hop h;

	(void)state;
	for (size_t i = 0; i < sizeof(to) / sizeof(to[0]); i++) {
		h = hop(nl, to[i]);
		if (h.gw.family)
			print_error("%s is reachable\n", to[i]);
		assert_int_equal(h.gw.family, 0);
		assert_int_equal(h.ifindex, 0);
		assert_false(h.resolved);
	}
	assert_int_equal(nl_hop_solicit(nl, &h), -ENETUNREACH);
	assert_int_equal(nl_hop_get(nl, &none, &h), -EAFNOSUPPORT);
	nl_shut(nl);
}

/* A host that does not answer: FAILED after a while, never resolved; and a fixed entry. */
static void test_neigh_states(void **state)
{
	struct nl *nl = open_ok();
	struct nl_hop h = hop(nl, "198.18.1.9");

	(void)state;
	assert_int_equal(nl_hop_solicit(nl, &h), 0);
	usleep(100000);
	h = hop(nl, "198.18.1.9");
	assert_false(h.resolved);
	assert_ip(&h.gw, "198.18.1.9");
	netbox_sh("ip neigh replace 198.18.1.9 lladdr 02:00:00:00:00:99 dev nl0 nud permanent");
	h = hop(nl, "198.18.1.9");
	assert_true(h.resolved);
	assert_mac(h.mac, "02:00:00:00:00:99");
	netbox_sh("ip neigh replace 198.18.1.9 lladdr 02:00:00:00:00:98 dev nl0 nud stale");
	h = hop(nl, "198.18.1.9");
	assert_mac(h.mac, "02:00:00:00:00:98");
	nl_shut(nl);
}

/*
 * A VLAN interface is told with its parent; on a kernel without 802.1Q there is none to ask about.
 */
static void test_vlan(void **state)
{
	struct nl *nl = open_ok();
	uint32_t parent = 0;
	uint16_t vlan = 0;

	(void)state;
	assert_int_equal(nl_vlan_get(nl, if_nametoindex("nl0"), &parent, &vlan), -ENODEV);
	assert_int_equal(nl_vlan_get(nl, 999999, &parent, &vlan), -ENODEV);
	if (netbox_sh("ip link add link nl0 name nl0.42 type vlan id 42 2>/dev/null")) {
		nl_shut(nl);
		print_message("this kernel has no 802.1Q\n");
		skip();
	}
	assert_int_equal(nl_vlan_get(nl, if_nametoindex("nl0.42"), &parent, &vlan), 0);
	assert_int_equal(parent, if_nametoindex("nl0"));
	assert_int_equal(vlan, 42);
	nl_shut(nl);
}

/* Waits for notifications and reads them until they stop for a moment. */
static unsigned int noticed(struct nl *nl)
{
	struct pollfd p = { .fd = nl_fd(nl), .events = POLLIN };
	unsigned int before = changes;

	for (int i = 0; i < 50 && poll(&p, 1, changes > before ? 150 : 1500) > 0; i++)
		assert_int_equal(nl_read(nl), 0);
	return changes - before;
}

static void test_notices(void **state)
{
	struct nl *nl = open_ok();

	(void)state;
	noticed(nl);
	assert_int_equal(nl_read(nl), 0); /* nothing to read is no error */
	changes = 0;
	netbox_sh("nsenter -t %d -n ip link set nl1 down", (int)peer);
	assert_true(noticed(nl) > 0); /* carrier lost */
	netbox_sh("nsenter -t %d -n ip link set nl1 up", (int)peer);
	assert_true(noticed(nl) > 0);
	netbox_sh("ip link set nl0 down");
	assert_true(noticed(nl) > 0);
	netbox_sh("ip link set nl0 up");
	assert_true(noticed(nl) > 0);
	netbox_sh("ip route add 203.0.114.0/24 via 198.18.1.2");
	assert_true(noticed(nl) > 0);
	netbox_sh("ip -6 route add fd00:8::/64 dev nl0");
	assert_true(noticed(nl) > 0);
	netbox_sh("ip neigh replace 198.18.1.77 lladdr 02:00:00:00:00:77 dev nl0 nud permanent");
	assert_true(noticed(nl) > 0);
	netbox_sh("ip neigh del 198.18.1.77 dev nl0");
	assert_true(noticed(nl) > 0);
	nl_shut(nl);
}

/* Many messages in one read are one change. */
static void test_coalesced(void **state)
{
	struct nl *nl = open_ok();

	(void)state;
	noticed(nl);
	netbox_sh("for i in $(seq 1 50); do echo route add 10.9.$i.0/24 via 198.18.1.2; done | ip "
		  "-batch -");
	changes = 0;
	assert_int_equal(nl_read(nl), 0);
	assert_int_equal(changes, 1);
	nl_shut(nl);
}

/* The kernel drops what does not fit: said once, and reading goes on. */
static void test_overrun(void **state)
{
	struct nl *nl = open_ok();
	int small = 1;

	(void)state;
	noticed(nl);
	assert_int_equal(setsockopt(nl_fd(nl), SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	netbox_sh("for i in $(seq 1 200); do echo route add 10.8.$i.0/24 via 198.18.1.2; done | ip "
		  "-batch -");
	changes = 0;
	assert_int_equal(nl_read(nl), 0);
	assert_int_equal(changes, 1);
	netbox_sh("ip route del 10.8.1.0/24");
	assert_true(noticed(nl) > 0);
	nl_shut(nl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_link, setup, teardown),
		cmocka_unit_test_setup_teardown(test_direct4, setup, teardown),
		cmocka_unit_test_setup_teardown(test_direct6, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gateway, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unreachable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_neigh_states, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vlan, setup, teardown),
		cmocka_unit_test_setup_teardown(test_notices, setup, teardown),
		cmocka_unit_test_setup_teardown(test_coalesced, setup, teardown),
		cmocka_unit_test_setup_teardown(test_overrun, setup, teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (!netbox_enter())
		return 0;
	return cmocka_run_group_tests_name("netlink", tests, NULL, NULL);
}
