# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Health checks in foul weather: what cannot be sent is told, our own absence is nobody's failure,
# authorities go and come back, and endpoints of several services are probed once.
TESTS="not_sent_is_told stopped_is_no_failure ca_goes ca_missing_at_start shared_is_probed_once"

problem() { # OBJECT TEXT: the level of such a line, or null
	rrctl --json status | jq -r --arg o "$1" --arg t "$2" \
		'[.problems[] | select(.object | contains($o)) |
			select(.text | contains($t))][0].level'
}

problem_is() { # OBJECT TEXT LEVEL
	[ "$(problem "$1" "$2")" = "$3" ]
}

# It is not the endpoint's fault, so it stays UP, but not in silence; and it ends by itself.
not_sent_is_told() {
	net_up two-arm
	servers_start
	lb nat 4
	ip -n b rule add pref 5 ipproto tcp dport 8443 prohibit
	wait_for 3 problem_is web/ "cannot be sent from here: Permission denied" warning ||
		fail "not told: $(rrctl)"
	wait_for 5 problem_is web/ "its health shown is the past; so are 2 more" critical ||
		fail "not critical: $(rrctl)"
	if rrctl health >/dev/null; then
		fail "rrctl health says that all is well"
	fi
	same "state" UP "$(ep_field web 2 state)"
	same "exit code of endpoint check" 1 \
		"$(rrctl endpoint check "$(endpoint_name web 2)" >"$WORK/check" 2>&1; echo $?)"
	grep -q "could not be sent from here" "$WORK/check" || fail "check: $(cat "$WORK/check")"
	ip -n b rule del pref 5
	wait_for 5 problem_is web/ "" null || fail "still told: $(rrctl)"
	rrctl health >/dev/null || fail "rrctl health: $(rrctl health)"
}

probing() {
	[ "$(field .probes.in_flight status)" -gt 0 ]
}

# rrlbd is stopped while its probes are in the middle of their handshakes.
stopped_is_no_failure() {
	local n
	net_up two-arm
	servers_start
	HEALTH="health tls { interval 1s; timeout 900ms; fast-interval 100ms; rise 2; fall 1; }"
	lb nat 4
	sleep 1
	for n in 1 2 3; do kill -STOP "${PIDS[ep$n]}"; done
	wait_for 3 probing || fail "no probe is in flight"
	kill -STOP "${PIDS[rrlbd]}"
	for n in 1 2 3; do kill -CONT "${PIDS[ep$n]}"; done
	sleep 3
	kill -CONT "${PIDS[rrlbd]}"
	sleep 1.5
	same "endpoints that went down" 0 "$(rrctl events | grep -c 'is down' || true)"
	[ "$(field .probes.void status)" -gt 0 ] ||
		fail "no probe was void: $(field .probes status)"
	server_kill 2
	wait_for 5 ep_is web 2 DOWN || fail "ep2 is $(ep_field web 2 state)"
}

ca_conf() {
	cat "$WORK"/ep?.crt >"$WORK/ca.pem"
	HEALTH="health tls { interval 300ms; timeout 300ms; fast-interval 100ms
		ca $WORK/ca.pem; verify chain; }"
}

# What was read stays in force: endpoints are probed, a dead one is found.
ca_goes() {
	net_up two-arm
	servers_start
	ca_conf
	lb nat 4
	mv "$WORK/ca.pem" "$WORK/ca.gone"
	wait_for 8 problem_is "$WORK/ca.pem" "No such file" warning || fail "not told: $(rrctl)"
	server_kill 2
	wait_for 5 ep_is web 2 DOWN || fail "ep2 is $(ep_field web 2 state)"
	if rrctl config reload >"$WORK/reload" 2>&1; then
		fail "reload without the file"
	fi
	grep -q "service web: ca $WORK/ca.pem: No such file" "$WORK/reload" ||
		fail "reload: $(cat "$WORK/reload")"
	if ns b "$BUILD/rrlbd" --check -c "$WORK/rrlbd.conf" >"$WORK/check" 2>&1; then
		fail "--check without the file"
	fi
	grep -q "service web: ca $WORK/ca.pem: No such file" "$WORK/check" ||
		fail "--check: $(cat "$WORK/check")"
	server_start 2
	cat "$WORK/ca.gone" >"$WORK/ca.pem"
	wait_for 8 problem_is "$WORK/ca.pem" "has changed" warning || fail "not told: $(rrctl)"
	rrctl config reload
	wait_for 5 problem_is "$WORK/ca.pem" "" null || fail "still told: $(rrctl)"
	wait_for 5 endpoints_up web 3 || fail "ep2 did not return"
}

ca_missing_at_start() {
	net_up two-arm
	servers_start
	ca_conf
	lb_conf nat 4 >"$WORK/rrlbd.conf"
	mv "$WORK/ca.pem" "$WORK/ca.gone"
	lb_start
	wait_for 5 problem_is "$WORK/ca.pem" "No such file" critical || fail "not told: $(rrctl)"
	wait_for 3 problem_is web/ "No such file" warning ||
		wait_for 3 problem_is web/ "No such file" critical || fail "not told: $(rrctl)"
	mv "$WORK/ca.gone" "$WORK/ca.pem"
	wait_for 10 endpoints_up web 3 || fail "not up: $(rrctl)"
	same "connections" "ep1=10 ep2=10 ep3=10" "$(connections 30 | tally)"
}

shared_is_probed_once() {
	local before after
	net_up two-arm
	servers_start
	lb_conf nat 4 >"$WORK/rrlbd.conf"
	lb_conf nat 4 | sed -n '/^service/,$p' |
		sed "s/service web/service api/; s/$VIP4:443/$VIP4:444/" >>"$WORK/rrlbd.conf"
	lb_start
	lb_ready 4
	wait_for 5 endpoints_up api 3 || fail "api is not up"
	same "targets" 3 "$(field .probes.targets status)"
	server_kill 2
	wait_for 5 ep_is web 2 DOWN || fail "ep2 of web is $(ep_field web 2 state)"
	wait_for 1 ep_is api 2 DOWN || fail "ep2 of api is $(ep_field api 2 state)"
}
