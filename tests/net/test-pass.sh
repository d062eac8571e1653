# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What is not ours passes untouched: the balancer stays a host like any other.
TESTS="pings tcp_beside_the_service host_is_a_client odd_packets_pass odd_packets_for_the_service
	routed_traffic"

start() {
	net_up "${1:-two-arm}"
	servers_start
	lb nat 46
}

pings() {
	local to
	start
	for to in "$VIP4" "$VIP6" "$GW4" "$GW6"; do
		ns c ping -qc 3 -i 0.2 -W 2 "$to" >/dev/null || fail "ping $to"
		ns c ping -qc 3 -i 0.2 -W 2 -s 4000 "$to" >/dev/null ||
			fail "ping $to, in fragments"
	done
	ns c ping -qc 2 -i 0.2 -W 2 -R "$GW4" >/dev/null || fail "ping with record route"
	ns c ping -qc 2 -i 0.2 -W 2 -T tsonly "$VIP4" >/dev/null || fail "ping with timestamps"
}

# A server of the host's own on the service address and on the interface's, another port.
tcp_beside_the_service() {
	start
	mkdir "$WORK/ssh"
	head -c 3000000 /dev/urandom >"$WORK/ssh/file"
	spawn ssh b python3 -m http.server --bind :: -d "$WORK/ssh" 2222 >/dev/null 2>&1
	wait_for 5 listening b 2222 || fail "python3 does not listen"
	for to in "$VIP4" "[$VIP6]" "$GW4" "[$GW6]"; do
		same "3 MB from $to:2222" "$(sha256sum <"$WORK/ssh/file")" \
			"$(ns c curl -sg -m 10 "http://$to:2222/file" | sha256sum)"
	done
	same "a closed port refuses" 7 "$(ns c curl -s -m 2 "http://$VIP4:2223/"; echo $?)"
	same "and the service serves" "ep1=20 ep2=20 ep3=20" "$(connections 60 | tally)"
}

# Connections that the balancer itself opens to the endpoints, as its probes do.
host_is_a_client() {
	local got
	start one-arm
	got=$(ns b curl -sk -m 10 -H 'Connection: close' \
		"https://$(ep4 1):8443/?[1-50]" "https://[$(ep6 2)]:8443/?[1-50]" | tally)
	same "own connections" "ep1=50 ep2=50" "$got"
}

mac_of() { # NS IF
	ip -j -n "$1" link show "$2" | jq -r '.[0].address'
}

# sees NS IF FILTER KIND DESTINATION: the frame reaches the host's stack behind XDP
sees() {
	spawn dump b timeout 8 tcpdump -nl -c 1 -i b0 "$1" >"$WORK/seen" 2>"$WORK/tcpdump"
	wait_for 5 grep -q 'listening on' "$WORK/tcpdump" || fail "tcpdump: $(cat "$WORK/tcpdump")"
	ns c python3 "$TOP/tests/net/frames.py" c0 "$(mac_of b b0)" "$2" "$CLIENT4" "$3"
	wait "${PIDS[dump]}" || fail "$2 did not pass"
	unset "PIDS[dump]"
	echo "$2: $(cat "$WORK/seen")"
}

odd_packets_pass() {
	start
	sees igmp igmp "$GW4"
	sees 'tcp port 22' tcp-options "$VIP4"
	sees 'udp port 443' udp "$VIP4"
	sees 'ip[6:2] & 0x1fff != 0' tcp-frag2 "$GW4"
	sees 'ip[6:2] & 0x2000 != 0' tcp-frag "$GW4"
}

counts() { # VERDICT KIND: three such frames for the service
	local before
	before=$(verdict "$1")
	ns c python3 "$TOP/tests/net/frames.py" c0 "$(mac_of b b0)" "$2" "$CLIENT4" "$VIP4" 3
	sleep 0.1
	same "$2 is counted as $1" $((before + 3)) "$(verdict "$1")"
}

odd_packets_for_the_service() {
	start
	counts fragment tcp-frag
	counts malformed syn-short
	counts bad_flags syn-fin
	counts reset ack
	same "and the service serves" "ep1=20 ep2=20 ep3=20" "$(connections 60 | tally)"
}

# The balancer as a router of other traffic, through both interfaces.
routed_traffic() {
	start
	ns b sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	same "routed, v4" ep2 "$(client "https://$(ep4 2):8443/")"
	same "routed, v6" ep3 "$(client "https://[$(ep6 3)]:8443/")"
}
