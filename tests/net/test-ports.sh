# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Local ports of nat mode against endpoints that close first and keep their half in TIME_WAIT: a
# port that comes back too early costs the client a second, and a second ticket (PAWS, RFC 7323
# 5.3).
# soak: the same at length, not a part of the suite (scripts/soak).
TESTS="range_goes_round restart_goes_on"
LIMIT=${SOAK_LIMIT:-90}

SOURCES=60
RANGE=4096
# Connections a second: a port that the client closed first has rested (3 s) when its turn comes.
RATE=1500

ports_up() { # PORTS
	local i
	net_up two-arm
	for i in $(seq 2 "$SOURCES"); do
		ns c ip addr add "10.0.1.$((100 + i))/24" dev c0
	done
	servers_start
	GLOBAL="nat-ports 20000-$((20000 + $1 - 1))" lb nat 4
}

# closing WHO COUNT RATE
closing() {
	local i sources=()
	for i in $(seq 2 "$SOURCES"); do
		sources+=("10.0.1.$((100 + i))")
	done
	ns c "$TOP/tests/net/closing.py" "$VIP4" 443 "$1" "$2" "$3" "${sources[@]}"
}

refused_by_paws() { # N
	ns "e$1" nstat -asz TcpExtPAWSTimewait | awk '/PAWSTimewait/ { print int($2) }'
}

# One ticket a connection, to each endpoint its third, and no endpoint refused a port.
one_ticket_each() { # COUNT
	local n
	same "connections" "$1" "$(svc_field web connections)"
	for n in 1 2 3; do
		between "connections of endpoint $n" $(($1 / 3 - 1)) $(($1 / 3 + 1)) \
			"$(ep_field web "$n" connections)"
		same "SYNs that endpoint $n refused by TIME_WAIT" 0 "$(refused_by_paws "$n")"
	done
	# A refused SYN is sent again within milliseconds: its connect is not slow, and still wrong.
	same "SYNs sent again" 0 \
		"$(ns c nstat -asz TcpExtTCPSynRetrans | awk '/SynRetrans/ { print int($2) }')"
}

# closed WHO COUNT [RATE]: none fails; SYNs that came again are judged by one_ticket_each()
closed() {
	local got
	got=$(closing "$1" "$2" "${3:-0}")
	echo "the $1 closes first: $got"
	[ "${got% again *}" = "ok $2 failed 0" ] || fail "the $1 closes first: $got"
}

# First those that leave no TIME_WAIT, so that the range goes round within a test's time.
range_goes_round() {
	local many=$((RANGE * 3 * 3 / 4)) few=$((RANGE * 3 * 2 / 5))
	ports_up $RANGE
	closed client $many $RATE
	closed endpoint $few $RATE
	one_ticket_each $((many + few))
}

# The order and the rests outlive the controller.
restart_goes_on() {
	local few=$((RANGE * 3 / 5))
	ports_up $RANGE
	closed endpoint $few
	lb_kill
	closed endpoint $few
	lb_start
	lb_ready 4
	closed endpoint $few
	one_ticket_each $((3 * few))
}

# 120 connections a second to each endpoint: 8,192 ports go round three times in 205 seconds.
soak() {
	local count=$((3 * 3 * 8192 + 300))
	ports_up 8192
	closed endpoint $count 360
	one_ticket_each $count
}
