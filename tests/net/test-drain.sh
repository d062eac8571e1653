# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Draining: no new connection, the old ones end in peace, or by the deadline.
TESTS="drain_keeps_connections drain_wait drain_deadline_resets last_one_is_refused maint_kill
	drain_survives_restart
	add_and_delete"

start() {
	net_up two-arm
	servers_start
	lb nat 4
}

# reached: the number of the endpoint that answers the open connection
reached() {
	local ep
	ep=$(session_get s)
	echo "${ep#ep}"
}

without() { # N: 60 connections go to the other two, 30 each
	same "connections without ep$1" \
		"$(for n in 1 2 3; do [ "$n" = "$1" ] || echo "ep$n=30"; done | paste -sd' ')" \
		"$(connections 60 | tally)"
}

drain_keeps_connections() {
	local n
	start
	session_open s
	n=$(reached)
	rrctl endpoint drain "$(endpoint_name web "$n")"
	same "state" DRAINING "$(ep_field web "$n" state)"
	without "$n"
	same "the open connection still works" "ep$n" "$(session_get s)"
	session_close s
	wait_for 8 ep_is web "$n" DRAINED || fail "ep$n is $(ep_field web "$n" state)"
	rrctl endpoint ready "$(endpoint_name web "$n")"
	wait_for 5 endpoints_up web 3
	same "exact again" "ep1=20 ep2=20 ep3=20" "$(connections 60 | tally)"
}

drain_wait() {
	local n code=0
	start
	session_open s
	n=$(reached)
	timeout 20 "$BUILD/rrctl" endpoint drain "$(endpoint_name web "$n")" --wait=2s || code=$?
	same "exit code while a connection is open" 6 "$code"
	session_close s
	timeout 20 "$BUILD/rrctl" endpoint drain "$(endpoint_name web "$n")" --wait=10s ||
		fail "not drained"
	same "state" DRAINED "$(ep_field web "$n" state)"
}

drain_deadline_resets() {
	local n
	start
	session_open s
	n=$(reached)
	rrctl endpoint drain "$(endpoint_name web "$n")" --deadline 2s
	same "before the deadline" "ep$n" "$(session_get s)"
	wait_for 8 ep_is web "$n" DRAINED || fail "ep$n is $(ep_field web "$n" state)"
	if session_get s; then
		fail "the connection outlived the deadline"
	fi
	wait_for 3 ended s || fail "the client was not told"
}

ended() { # NAME
	! alive "$1"
}

last_one_is_refused() {
	local code=0
	start
	rrctl endpoint drain "$(endpoint_name web 1)"
	rrctl endpoint drain "$(endpoint_name web 2)"
	rrctl endpoint drain "$(endpoint_name web 3)" || code=$?
	same "exit code" 5 "$code"
	same "it still serves" "ep3=20" "$(connections 20 | tally)"
	rrctl endpoint drain "$(endpoint_name web 3)" --force
	same "nobody left" 7 "$(client -m 2 "$(url 4)" >/dev/null; echo $?)"
}

maint_kill() {
	local n
	start
	session_open s
	n=$(reached)
	rrctl endpoint maint "$(endpoint_name web "$n")" --kill
	without "$n"
	if session_get s; then
		fail "the connection survived maint --kill"
	fi
	rrctl endpoint ready "$(endpoint_name web "$n")"
	wait_for 5 endpoints_up web 3 || fail "ep$n did not return"
}

drain_survives_restart() {
	start
	rrctl endpoint drain "$(endpoint_name web 2)"
	rrctl endpoint weight "$(endpoint_name web 1)" 200
	lb_kill
	lb_start
	wait_for 5 endpoints_up web 2 || fail "not two up"
	case $(ep_field web 2 state) in DRAIN*) ;; *) fail "ep2 is $(ep_field web 2 state)" ;; esac
	same "weights and drain after kill -9" "ep1=40 ep3=20" "$(connections 60 | tally)"
	rrctl config reload
	same "and after a reload" "ep1=40 ep3=20" "$(connections 60 | tally)"
	rrctl config reload --reset
	wait_for 5 endpoints_up web 3 || fail "reset did not bring ep2 back"
	same "and after reload --reset" "ep1=20 ep2=20 ep3=20" "$(connections 60 | tally)"
}

add_and_delete() {
	net_up two-arm 4
	servers_start
	ENDPOINTS=3
	lb nat 4
	rrctl endpoint add web "$(ep4 4):8443"
	wait_for 5 endpoints_up web 4 || fail "the added endpoint is not up"
	same "four share" "ep1=10 ep2=10 ep3=10 ep4=10" "$(connections 40 | tally)"
	rrctl endpoint del "$(endpoint_name web 4)"
	same "three share" "ep1=20 ep2=20 ep3=20" "$(connections 60 | tally)"
}
