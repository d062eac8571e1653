# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Links of different sizes: what does not fit is told to its sender, and whole data arrives.
TESTS="narrow_client narrow_endpoint small_way_out small_way_back expired"

# Two routers with a link of 1,400 bytes between them: r0 :r: r1 --1400-- q0 :q: q1.
narrow_link() {
	ns_add r
	ns_add q
	link r r1 q q0
	ip -n r link set r1 mtu 1400
	ip -n q link set q0 mtu 1400
	addr r r1 10.9.1.1/24 2001:db8:91::1/64
	addr q q0 10.9.1.2/24 2001:db8:91::2/64
	for n in r q; do
		ns "$n" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	done
	host_offloads r r1
	host_offloads q q0
}

# far_host NS IF: NS's interface IF leads to r and nowhere else
far_host() {
	ip -n "$1" link del "$2" 2>/dev/null || true
	link "$1" "$2" r r0
	addr "$1" "$2" 10.9.0.11/24 2001:db8:90::11/64
	addr r r0 10.9.0.1/24 2001:db8:90::1/64
	host_offloads "$1" "$2"
	host_offloads r r0
	route "$1" default 10.9.0.1 default 2001:db8:90::1
	route r default 10.9.1.2 default 2001:db8:91::2
	route q 10.9.0.0/24 10.9.1.1 2001:db8:90::/64 2001:db8:91::1
}

# route NS NET4 VIA4 NET6 VIA6
route() {
	ip -n "$1" route replace "$2" via "$3"
	ip -n "$1" -6 route replace "$4" via "$5"
}

# 300 kB over a new connection. The first transfer is the one that meets the narrow link
# unprepared: a host that has been told of it asks for smaller segments from then on.
down() { # FAMILY
	head -c 300000 /dev/urandom >"$WORK/ep1.www/file/300k"
	same "300 kB down, IPv$1" "$(sha256sum <"$WORK/ep1.www/file/300k")" \
		"$(client "$(url "$1" file/300k)" | sha256sum)"
}

up() { # FAMILY
	head -c 300000 /dev/urandom >"$WORK/300k"
	client -o /dev/null -T "$WORK/300k" "$(url "$1" "up/300k-$1")" || fail "no upload, IPv$1"
	same "what came up, IPv$1" "$(sha256sum <"$WORK/300k")" \
		"$(sha256sum <"$WORK/ep1.www/up/300k-$1")"
}

# counted VERDICT LEAST: counters are read once a second
counted() {
	[ "$(field ".verdicts[] | select(.verdict == \"$1\").packets" verdicts)" -ge "$2" ]
}

# c --- r --1400-- q --- b: what endpoints send does not fit
narrow_client() {
	net_up two-arm 1
	narrow_link
	far_host c c0
	link q q1 b b0
	addr q q1 10.0.1.2/24 2001:db8:1::2/64
	addr b b0 10.0.1.1/24 2001:db8:1::1/64
	host_offloads q q1
	host_offloads b b0
	far_end q q1
	route q default 10.0.1.1 default 2001:db8:1::1
	route b 10.9.0.0/24 10.0.1.2 2001:db8:90::/64 2001:db8:1::2
	servers_start
	lb nat 46
	down 4
	up 4
	wait_for 5 counted icmp_error 1 || fail "no ICMP error about IPv4 was told"
	down 6
	up 6
	wait_for 5 counted icmp_error 2 || fail "no ICMP error about IPv6 was told"
}

# b --- q --1400-- r --- e1: what the client sends does not fit
narrow_endpoint() {
	net_up two-arm 1
	narrow_link
	far_host e1 e0
	plug q q1
	addr q q1 10.0.2.9/24 2001:db8:2::9/64
	host_offloads q q1
	route q default 10.0.2.1 default 2001:db8:2::1
	route b 10.9.0.0/24 10.0.2.9 2001:db8:90::/64 2001:db8:2::9
	servers_start
	lb_conf nat 46 | sed "s/$(ep4 1)/10.9.0.11/; s/$(ep6 1)/2001:db8:90::11/" \
		>"$WORK/rrlbd.conf"
	lb_start
	lb_ready 46
	up 4
	down 4
	wait_for 5 counted icmp_error 1 || fail "no ICMP error about IPv4 was told"
	up 6
	down 6
	wait_for 5 counted icmp_error 2 || fail "no ICMP error about IPv6 was told"
}

# An interface of the balancer itself is smaller than the other: it tells who sends too much. The
# size changes while it runs.
small() { # IF FIRST SECOND
	net_up two-arm 1
	servers_start
	lb nat 46
	ip -n b link set "$1" mtu 1400
	sleep 1
	"$2" 4
	"$3" 4
	wait_for 5 counted too_big_told 1 || fail "no sender was told of the MTU of $1"
	"$2" 6
	"$3" 6
	wait_for 5 counted too_big_told 2 || fail "no IPv6 sender was told of the MTU of $1"
}

small_way_out() { small b1 up down; }
small_way_back() { small b0 down up; }

# What has come too far is told to its sender: a trace of the way to a service ends well.
expired() {
	net_up two-arm 1
	servers_start
	lb nat 4
	ns c python3 - <<-'PY'
		import select, socket
		err = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
		s = socket.socket()
		s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 1)
		s.setblocking(False)
		s.connect_ex(("192.0.2.10", 443))
		assert select.select([err], [], [], 3)[0], "nobody answers"
		b = err.recv(2000)
		print("from", socket.inet_ntoa(b[12:16]), "type", b[20], "code", b[21])
		assert b[20] == 11 and b[12:16] == socket.inet_aton("192.0.2.10")
		assert b[28 + 16:28 + 20] == socket.inet_aton("192.0.2.10"), "another packet"
		assert b[28 + 22:28 + 24] == (443).to_bytes(2, "big"), "another port"
	PY
	wait_for 5 counted ttl_told 1 || fail "not counted"
}
