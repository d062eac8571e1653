# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The control socket: who may, and clients that misbehave. The daemon stays responsive through all
# of it.
TESTS="garbage pipeline idle_clients client_that_never_reads followers_that_never_read
	levels_by_group no_groups
	follow_events check_phases completion_in_bash socket_replaced
	one_turn_for_many left_meanwhile stopped_meanwhile save_fails"

CONTROL="python3 $TOP/tests/net/control.py"

start() {
	net_up two-arm 2
	servers_start
	lb nat 4
}

# responsive: rrctl status within a second
responsive() {
	timeout 1 "$BUILD/rrctl" >/dev/null || fail "rrctl took more than a second, or failed"
}

garbage() {
	start
	$CONTROL garbage || fail "see above"
	responsive
	[ "$(field .control.malformed status)" -ge 15 ] || fail "malformed requests are not counted"
}

pipeline() {
	start
	$CONTROL pipeline || fail "see above"
	responsive
}

idle_clients() {
	local hold
	start
	mkfifo "$WORK/hold"
	# shellcheck disable=SC2094
	$CONTROL idle 10000 <"$WORK/hold" >"$WORK/idle.out" &
	exec {hold}>"$WORK/hold"
	wait_for 30 grep -q ready "$WORK/idle.out" || fail "10,000 connections are not open"
	responsive
	rrctl endpoint weight "$(endpoint_name web 1)" 50
	[ "$(field .control.clients status)" -le 1024 ] || fail "more than 1024 clients are held"
	[ "$(field .control.crowded_out status)" -ge 8000 ] || fail "idle clients are not closed"
	responsive
	exec {hold}>&-
}

rss() {
	awk '/VmRSS/ { print $2 }' "/proc/${PIDS[rrlbd]}/status"
}

client_that_never_reads() {
	local before
	start
	before=$(rss)
	$CONTROL deaf >"$WORK/deaf.out" &
	sleep 2
	responsive
	wait_for 40 grep -q dropped "$WORK/deaf.out" || fail "$(cat "$WORK/deaf.out")"
	responsive
	[ $(($(rss) - before)) -lt 20000 ] || fail "memory grew by $(($(rss) - before)) KB"
	[ "$(field .control.overflowed status)" -ge 1 ] || fail "it is not counted"
}

# A follower stopped by SIGSTOP while events rain.
followers_that_never_read() {
	local i before follower
	start
	before=$(rss)
	"$BUILD/rrctl" events -f >/dev/null &
	follower=$!
	sleep 0.3
	kill -STOP $follower
	python3 - "$(endpoint_name web 1)" <<-'PY'
		import json, socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.connect("/run/rrlb/control.sock")
		f = s.makefile("rb")
		for i in range(6000):
		    args = {"endpoint": sys.argv[1], "weight": str(100 + i % 2), "dry_run": True}
		    line = json.dumps({"v": 1, "verb": "endpoint weight", "args": args})
		    s.sendall((line + "\n").encode())
		    f.readline()
	PY
	responsive
	[ $(($(rss) - before)) -lt 20000 ] || fail "memory grew by $(($(rss) - before)) KB"
	[ "$(field .control.overflowed status)" -ge 1 ] || fail "the follower was not dropped"
	kill -CONT $follower
	wait $follower && fail "a dropped follower says that all is well"
	true
}

groups_up() {
	cp /etc/group "$WORK/group"
	printf 'rrlb:x:48001:\nrrlb-ro:x:48002:\n' >>"$WORK/group"
	mount --bind "$WORK/group" /etc/group
}

# as GROUPS COMMAND...: as a user of no other group; prints the exit code
as() {
	local groups=$1 code=0
	shift
	if [ -n "$groups" ]; then groups=--groups=$groups; else groups=--clear-groups; fi
	setpriv --reuid=48123 --regid=48123 "$groups" "$@" >"$WORK/as.out" 2>&1 || code=$?
	echo $code
}

levels_by_group() {
	local ctl=$WORK/rrctl
	groups_up
	start
	cp "$BUILD/rrctl" "$ctl"
	chmod 755 "$WORK" "$ctl"
	same "sockets" "660 root rrlb 660 root rrlb-ro" \
		"$(stat -c '%a %U %G' /run/rrlb/control{,-ro}.sock | paste -sd' ')"
	same "nobody: status" 7 "$(as "" "$ctl")"
	same "reader: status" 0 "$(as 48002 "$ctl")"
	same "reader: flow list" 0 "$(as 48002 "$ctl" flow list)"
	same "reader: drain" 7 "$(as 48002 "$ctl" endpoint drain "$(endpoint_name web 1)")"
	same "reader on the readers' socket: drain" 7 \
		"$(as 48002 "$ctl" -s /run/rrlb/control-ro.sock \
			endpoint drain "$(endpoint_name web 1)")"
	same "reader: what it said" "rrctl: you may look, but not change anything" \
		"$(cat "$WORK/as.out")"
	same "operator: drain" 0 "$(as 48001 "$ctl" endpoint drain "$(endpoint_name web 1)")"
	same "state" DRAINING "$(ep_field web 1 state | sed s/DRAINED/DRAINING/)"
	same "audited as" 48123 "$(field '[.events[] | select(.kind == "audit")][-1].uid' events)"
	# whoever may open the file is still judged by who he is
	chmod 666 /run/rrlb/control.sock
	same "nobody at an open socket" 7 "$(as "" "$ctl")"
	same "reader at an open socket: ready" 7 \
		"$(as 48002 "$ctl" endpoint ready "$(endpoint_name web 1)")"
}

no_groups() {
	start
	grep -q "no group 'rrlb'" "$WORK/rrlbd.log" || fail "missing groups are not said"
	[ ! -e /run/rrlb/control-ro.sock ] || fail "a readers' socket without readers"
	cp "$BUILD/rrctl" "$WORK/rrctl"
	chmod 755 "$WORK" "$WORK/rrctl"
	same "nobody" 7 "$(as "" "$WORK/rrctl")"
}

follow_events() {
	start
	"$BUILD/rrctl" -o tsv events -f >"$WORK/follow.out" &
	PIDS[follow]=$!
	sleep 0.3
	rrctl service pause web
	wait_for 1 grep -q service-paused "$WORK/follow.out" || fail "the follower has not heard"
	server_kill 2
	wait_for 5 grep -q endpoint-down "$WORK/follow.out" ||
		fail "the follower has not heard of ep2"
	stop_pid follow TERM
	rrctl service resume web
	responsive
}

check_phases() {
	local code=0
	start
	rrctl endpoint check "$(endpoint_name web 1)" >"$WORK/check.out"
	grep -qE '^tls +[0-9.]+(us|ms)' "$WORK/check.out" || fail "$(cat "$WORK/check.out")"
	server_kill 1
	rrctl endpoint check "$(endpoint_name web 1)" >"$WORK/check.out" 2>&1 || code=$?
	same "exit code of a failed probe" 1 "$code"
	grep -q refused "$WORK/check.out" || fail "$(cat "$WORK/check.out")"
}

complete_words() { # WORD...: what completion offers for the last of them
	PATH=$BUILD:$PATH bash -c '. <(rrctl completion bash)
		COMP_WORDS=(rrctl "$@") COMP_CWORD=$#
		_rrctl rrctl "${COMP_WORDS[COMP_CWORD]}"
		echo "${COMPREPLY[@]}"' bash "$@"
}

completion_in_bash() {
	start
	same "commands" "endpoint events" "$(complete_words e)"
	same "second words" "drain del" \
		"$(complete_words endpoint d | tr ' ' '\n' | sort -r | paste -sd' ')"
	same "services" web "$(complete_words service show "")"
	same "endpoints" "$(endpoint_name web 1) $(endpoint_name web 2)" \
		"$(complete_words endpoint show web)"
	same "options" "--deadline --dry-run" "$(complete_words endpoint drain --d)"
}

# A socket left over by a killed daemon is replaced.
socket_replaced() {
	start
	lb_kill
	[ -S /run/rrlb/control.sock ] || fail "no socket is left to test with"
	same "without a daemon" 3 "$(rrctl status >/dev/null 2>&1; echo $?)"
	lb_start
	responsive
	lb_stop
	[ ! -e /run/rrlb/control.sock ] || fail "the socket is left over after a proper stop"
}

# The pushes that may come between are those of the clock: next hops, probes.
one_turn_for_many() {
	local pushes
	start
	pushes=$(field .pushes status)
	$CONTROL many 40 "$(endpoint_name web 1)" "${PIDS[rrlbd]}" || fail "see above"
	[ $(($(field .pushes status) - pushes)) -le 5 ] || fail "40 changes are more than 5 pushes"
	same "every change is on record" 40 \
		"$(field '[.events[] | select(.kind == "audit")] | length' events)"
	responsive
}

# A client that hangs up at once has asked all the same.
left_meanwhile() {
	start
	$CONTROL leave "$(endpoint_name web 1)"
	wait_for 2 weight_is 77 || fail "what was asked for is not done"
	same "on record" 1 \
		"$(field '[.events[] | select(.text | test("weight=77: ok"))] | length' events)"
	responsive
}

weight_is() {
	[ "$(ep_field web 1 weight_base)" = "$1" ]
}

# The request is there when the daemon is told to stop: it is done, saved and answered.
stopped_meanwhile() {
	start
	$CONTROL many 1 "$(endpoint_name web 1)" "${PIDS[rrlbd]}" TERM || fail "see above"
	wait_for 5 [ ! -e /run/rrlb/control.sock ] || fail "it has not stopped"
	lb_start
	same "weight after the restart" 101 "$(ep_field web 1 weight_base)"
}

save_fails() {
	local state=/var/lib/rrlb/state.json
	start
	rm -f "$state"
	mkdir "$state"
	rrctl endpoint weight "$(endpoint_name web 1)" 50 2>"$WORK/err" || fail "it is no failure"
	grep -q "will not survive a restart" "$WORK/err" || fail "nothing is said"
	rmdir "$state"
	rrctl endpoint weight "$(endpoint_name web 1)" 60 2>"$WORK/err"
	same "nothing to say" "" "$(cat "$WORK/err")"
}
