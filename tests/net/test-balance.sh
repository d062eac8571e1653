# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Every connection to the endpoint whose turn it is, exactly; and whole data both ways.
TESTS="nat4_two_arm nat4_one_arm nat6_two_arm nat6_one_arm dsr4 dsr6 weights_exact weights_by_rrctl
	both_families
	parallel_exact keepalive_stays who_is_seen big_nat4 big_nat6 big_dsr4 counters_add_up"

THIRDS="ep1=100 ep2=100 ep3=100"

thirds() { # TOPOLOGY MODE FAMILY
	local port=8443
	net_up "$1"
	[ "$2" != dsr ] || {
		dsr_endpoints
		port=443
	}
	servers_start "$port"
	lb "$2" "$3"
	same "300 connections" "$THIRDS" "$(connections 300 "$3" | tally)"
}

nat4_two_arm() { thirds two-arm nat 4; }
nat4_one_arm() { thirds one-arm nat 4; }
nat6_two_arm() { thirds two-arm nat 6; }
nat6_one_arm() { thirds one-arm nat 6; }
dsr4() { thirds one-arm dsr 4; }
dsr6() { thirds one-arm dsr 6; }

weights_exact() {
	net_up two-arm
	servers_start
	WEIGHTS="3 2 1" lb nat 4
	same "weights 3:2:1" "ep1=150 ep2=100 ep3=50" "$(connections 300 | tally)"
}

weights_by_rrctl() {
	net_up two-arm
	servers_start
	lb nat 4
	rrctl endpoint weight "$(endpoint_name web 1)" 300
	rrctl endpoint weight "$(endpoint_name web 2)" 200
	same "weights by rrctl" "ep1=150 ep2=100 ep3=50" "$(connections 300 | tally)"
	rrctl endpoint weight "$(endpoint_name web 1)" auto
	rrctl endpoint weight "$(endpoint_name web 2)" auto
	same "weights back to the configured" "$THIRDS" "$(connections 300 | tally)"
}

both_families() {
	net_up two-arm
	servers_start
	lb nat 46
	connections 300 4 >"$WORK/four" &
	PIDS[four]=$!
	same "IPv6 beside IPv4" "$THIRDS" "$(connections 300 6 | tally)"
	wait "${PIDS[four]}"
	same "IPv4 beside IPv6" "$THIRDS" "$(tally <"$WORK/four")"
}

# One ticket for each connection over all CPUs: exact also when clients do not take turns.
parallel_exact() {
	local i
	net_up two-arm
	servers_start
	lb nat 4
	for i in 1 2 3 4 5 6; do
		connections 100 >"$WORK/par.$i" &
		PIDS[par$i]=$!
	done
	for i in 1 2 3 4 5 6; do
		wait "${PIDS[par$i]}"
	done
	same "6 clients, 600 connections" "ep1=200 ep2=200 ep3=200" "$(cat "$WORK"/par.? | tally)"
}

keepalive_stays() {
	local who first
	net_up two-arm
	servers_start
	lb nat 4
	who=$(client -w '%{num_connects}\n' "$(url 4)?[1-50]" | tally)
	first=$(echo "$who" | grep -oE 'ep[123]')
	# 50 answers by one endpoint; curl opened one connection for the first and none for the
	# rest.
	same "50 requests on one connection" "0=49 1=1 $first=50" "$who"
	# Sixty connections open at once; each stays where it began.
	session_open a
	session_open b
	first=$(session_get a)
	connections 10 >/dev/null
	same "other connections do not move it" "$first" "$(session_get a)"
	[ "$(session_get b)" != "$first" ] || fail "two connections in a row to one endpoint"
}

who_is_seen() {
	net_up one-arm
	servers_start
	lb nat 46
	same "nat shows the balancer" "$GW4" "$(client "$(url 4 who)")"
	same "nat shows the balancer" "$GW6" "$(client "$(url 6 who)")"
	lb_stop
	rrctl_gone
	net_dsr_again
	same "dsr shows the client" "$CLIENT4" "$(client "$(url 4 who)")"
	same "dsr shows the client" "$CLIENT6" "$(client "$(url 6 who)")"
}

# The same servers, now also on the service port, for dsr.
net_dsr_again() {
	local n
	dsr_endpoints
	for n in $(seq "$ENDPOINTS"); do
		server_kill "$n"
		server_start "$n" 443
	done
	lb dsr 46
}

rrctl_gone() {
	if rrctl version >/dev/null 2>&1; then
		fail "rrlbd answers after SIGTERM"
	fi
}

# 50 MB each way, compared by hash.
transfers() { # FAMILY
	local n got want
	head -c 52428800 /dev/urandom >"$WORK/big"
	want=$(sha256sum <"$WORK/big")
	for n in $(seq "$ENDPOINTS"); do
		cp "$WORK/big" "$WORK/ep$n.www/file/big"
	done
	got=$(client -m 60 "$(url "$1" file/big)" | sha256sum)
	same "50 MB down" "$want" "$got"
	same "50 MB up, status" 201 \
		"$(client -m 60 -T "$WORK/big" -o /dev/null -w '%{http_code}' "$(url "$1" up/big)")"
	same "50 MB up" "$want" "$(cat "$WORK"/ep?.www/up/big | sha256sum)"
}

big_nat4() {
	net_up two-arm
	servers_start
	lb nat 4
	transfers 4
}

big_nat6() {
	net_up one-arm
	servers_start
	lb nat 6
	transfers 6
}

big_dsr4() {
	net_up one-arm
	dsr_endpoints
	servers_start 443
	lb dsr 4
	transfers 4
}

counters_add_up() {
	net_up two-arm
	servers_start
	lb nat 4
	connections 300 >/dev/null
	wait_for 5 counted web connections 300 ||
		fail "service counts $(svc_field web connections) connections"
	same "endpoint 1's connections" 100 "$(ep_field web 1 connections)"
	same "endpoint 3's connections" 100 "$(ep_field web 3 connections)"
	wait_for 5 counted web active 0 ||
		fail "active $(svc_field web active) after all have closed"
	[ "$(svc_field web bytes_out)" -gt 300000 ] || fail "bytes_out: $(svc_field web bytes_out)"
	[ "$(verdict forward)" -ge 1500 ] || fail "bpftool: forward = $(verdict forward)"
}

counted() { # SERVICE KEY VALUE
	[ "$(svc_field "$1" "$2")" = "$3" ]
}
