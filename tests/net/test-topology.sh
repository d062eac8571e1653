# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The test network itself, without rrlb: when this fails, nothing else in tests/net means anything.
TESTS="routed_two_arm switched_one_arm links_are_prepared"

routed_two_arm() {
	net_up two-arm
	servers_start
	ns b sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	same "v4 answer" ep2 "$(client "https://$(ep4 2):8443/")"
	same "v6 answer" ep3 "$(client "https://[$(ep6 3)]:8443/")"
	same "service address answers" 0 "$(ns c ping -qc 1 -W 2 "$VIP4" >/dev/null; echo $?)"
}

switched_one_arm() {
	net_up one-arm
	servers_start
	dsr_endpoints
	same "v4 answer" ep1 "$(client "https://$(ep4 1):8443/")"
	same "v6 answer" ep1 "$(client "https://[$(ep6 1)]:8443/")"
	# The endpoints hold the service address, but only the balancer may answer for it on the
	# wire.
	ns c ping -qc 1 -W 2 "$VIP4" >/dev/null
	ns c ping -qc 1 -W 2 "$VIP6" >/dev/null
	same "no neighbour entry for the service" "" \
		"$(ip -n c neigh show "$VIP4"; ip -n c neigh show "$VIP6")"
}

links_are_prepared() {
	net_up two-arm
	same "program on the far ends" "1 1" \
		"$(ip -j -n c link show c0 | jq .[0].xdp.mode) $(ip -j -n s link show p-b-b1 |
			jq .[0].xdp.mode)"
	same "whole checksums from the client" off \
		"$(ns c ethtool -k c0 | awk '/^tx-checksumming/ { print $2 }')"
}
