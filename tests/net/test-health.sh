# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# An endpoint dies, under load: it leaves, the others share, it returns.
TESTS="crash_under_load silent_under_load all_down_rst all_down_drop next_probe_after_port_moves"

settled_errors() { # NAME: errors from now on, over 2 s
	local before
	before=$(load_errors "$1")
	sleep 2
	echo $(($(load_errors "$1") - before))
}

crash_under_load() {
	net_up two-arm
	servers_start
	lb nat 4
	load_start load 4 2
	sleep 1
	same "errors before" 0 "$(load_errors load)"
	server_kill 2
	wait_for 5 ep_is web 2 DOWN || fail "ep2 is $(ep_field web 2 state)"
	sleep 0.3
	same "errors after it has left" 0 "$(settled_errors load)"
	same "reason" refused "$(ep_field web 2 reason)"
	server_start 2
	wait_for 5 endpoints_up web 3 || fail "ep2 did not return"
	same "errors after its return" 0 "$(settled_errors load)"
	load_stop load
	[ "$(load_count load)" -gt 100 ] || fail "only $(load_count load) connections"
	same "exact again" "ep1=100 ep2=100 ep3=100" "$(connections 300 | tally)"
	rrctl events | grep -q "$(ep4 2)" || fail "no event about ep2"
}

# Nobody answers at all: probes time out, and new connections step over it.
silent_under_load() {
	net_up two-arm
	servers_start
	lb nat 4
	load_start load 4 2
	ip -n s link set p-e3-e0 down
	wait_for 6 ep_is web 3 DOWN || fail "ep3 is $(ep_field web 3 state)"
	sleep 1
	# Connections that were waiting for ep3 may still fail; new ones may not.
	# (The load takes turns as well, so no exact count here.)
	same "100 connections, without ep3" "100 0" \
		"$(connections 100 | awk '{ n++ } /ep3/ { bad++ } END { print n, bad + 0 }')"
	ip -n s link set p-e3-e0 up
	wait_for 8 endpoints_up web 3 || fail "ep3 did not return"
	load_stop load
	same "exact again" "ep1=100 ep2=100 ep3=100" "$(connections 300 | tally)"
}

all_down_rst() {
	local n
	net_up two-arm
	servers_start
	lb nat 4
	for n in 1 2 3; do server_kill "$n"; done
	wait_for 5 endpoints_up web 0 || fail "still up"
	same "curl is refused at once" 7 "$(client -m 2 "$(url 4)" >/dev/null; echo $?)"
	[ "$(verdict refuse)" -gt 0 ] || fail "no packet counted as refuse"
	if rrctl health >/dev/null; then
		fail "rrctl health says that all is well"
	fi
	server_start 1
	wait_for 5 endpoints_up web 1
	same "the first to return serves" "ep1=20" "$(connections 20 | tally)"
}

all_down_drop() {
	local n
	net_up two-arm
	servers_start
	lb nat 4 "overflow drop"
	for n in 1 2 3; do server_kill "$n"; done
	wait_for 5 endpoints_up web 0 || fail "still up"
	same "curl times out" 28 "$(client -m 1 "$(url 4)" >/dev/null; echo $?)"
	[ "$(verdict no_endpoint)" -gt 0 ] || fail "no packet counted as no_endpoint"
}

# A check that does not speak TLS where TLS is due must not call the endpoint up.
next_probe_after_port_moves() {
	net_up two-arm
	servers_start
	lb nat 4
	server_kill 1
	sed -i 's/ ssl backlog/ backlog/; s/ ssl ipv6only/ ipv6only/' "$WORK/ep1.conf"
	sed '/ssl/d; s/listen .*8443 .*/&/' "$WORK/ep1.conf" >"$WORK/plain.conf"
	spawn ep1 e1 nginx -e "$WORK/ep1.log" -c "$WORK/plain.conf" </dev/null >/dev/null 2>&1
	wait_for 5 listening e1 8443 || fail "plain server does not listen"
	wait_for 5 ep_is web 1 DOWN || fail "ep1 is $(ep_field web 1 state)"
	sleep 1
	same "state with a server that has no TLS" DOWN "$(ep_field web 1 state)"
	# Exit code 1 says that the probe failed.
	rrctl endpoint check "$(endpoint_name web 1)" >"$WORK/check" || true
	grep -q tls_alert "$WORK/check" ||
		fail "endpoint check does not name TLS: $(cat "$WORK/check")"
}
