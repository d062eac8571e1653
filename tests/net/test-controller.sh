# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The packet path does not depend on the controller: kill it, restart it, reload it, upgrade it,
# under load.
TESTS="kill9_under_load stop_leaves_it_running restart_adopts reload_under_load
	bad_reload_keeps_the_old upgrade_under_load second_rrlbd_refuses detach_cleans
	says_what_is_wrong fixed_until_unpinned detach_by_hand"

start() {
	net_up two-arm
	servers_start
	lb nat 4
}

program() {
	attached b0
}

# even NAME: round robin over the whole time: no endpoint has one connection more than the others
# have
even() {
	tally <"$WORK/$1.out" | tr ' ' '\n' | cut -d= -f2 |
		sort -n | sed -n '1p;$p' | paste -sd' ' |
		awk '{ exit !($2 - $1 <= 1) }' || fail "not even: $(tally <"$WORK/$1.out")"
	echo "even: $(tally <"$WORK/$1.out")"
}

kill9_under_load() {
	start
	session_open s
	local who
	who=$(session_get s)
	load_start load 4 2
	sleep 1
	lb_kill
	sleep 2
	same "a connection from before goes on" "$who" "$(session_get s)"
	lb_start
	lb_ready
	sleep 1
	load_stop load
	same "errors" 0 "$(load_errors load)"
	even load
	same "a connection from before goes on" "$who" "$(session_get s)"
}

stop_leaves_it_running() {
	local before
	start
	before=$(program)
	lb_stop
	same "the program stays" "$before" "$(program)"
	same "without rrlbd" "ep1=20 ep2=20 ep3=20" "$(connections 60 | tally)"
}

restart_adopts() {
	local conns
	start
	session_open s
	session_get s
	connections 91 >/dev/null
	wait_for 5 counts_92
	lb_kill
	lb_start
	wait_for 5 counts_92 || fail "after the restart: $(svc_field web connections) connections"
	# 92 tickets are drawn: the next are 92, 93, 94 mod 3 -> the third, the first, the second.
	wait_for 5 flows_open 1 || fail "flow count: $(rrctl flow count)"
	lb_ready
	conns=$(connections 3 | paste -sd' ')
	same "the cursor goes on" "$(turn 92) $(turn 93) $(turn 94)" "$conns"
}

counts_92() {
	[ "$(svc_field web connections)" = 92 ]
}

flows_open() { # COUNT
	rrctl --json flow count --state est |
		jq -e "[.. | objects | .est? // empty] | max == $1" >/dev/null
}

# Which endpoint is slot K mod 3: the rotation of equal weights is in order of endpoint ids, which
# is that of the file.
turn() {
	echo "ep$(($1 % 3 + 1))"
}

reload_under_load() {
	local i
	start
	load_start load 4 2
	for i in 1 2 3 4 5; do
		WEIGHTS="$i 1 1" lb_conf nat 4 "idle-timeout $((300 + i))s" >"$WORK/rrlbd.conf"
		if [ $((i % 2)) = 0 ]; then
			rrctl config reload
		else
			kill -HUP "${PIDS[rrlbd]}"
		fi
		sleep 0.5
	done
	load_stop load
	same "errors" 0 "$(load_errors load)"
	rrctl config show | grep -q 'idle-timeout 305s' ||
		fail "the last configuration is not in force"
	same "weights of the last configuration" "ep1=50 ep2=10 ep3=10" "$(connections 70 | tally)"
	same "probes went on: endpoints up" 3 \
		"$(field '[.. | objects | select(.state? == "UP")] | length' endpoint list web)"
}

bad_reload_keeps_the_old() {
	local out code=0
	start
	cp "$WORK/rrlbd.conf" "$WORK/good.conf"
	sed -i 's/mode nat/mode gnat/' "$WORK/rrlbd.conf"
	out=$(rrctl config reload 2>&1) || code=$?
	same "exit code" 1 "$code"
	echo "$out"
	echo "$out" | grep -qE 'rrlbd.conf:[0-9]+:[0-9]+: ' || fail "no position in: $out"
	kill -HUP "${PIDS[rrlbd]}"
	sleep 0.5
	alive rrlbd || fail "rrlbd has ended"
	same "still balanced" "ep1=20 ep2=20 ep3=20" "$(connections 60 | tally)"
	rrctl | grep -qiE 'config.*(fail|error|bad)|gnat' ||
		fail "status does not show the failed reload: $(rrctl)"
	cp "$WORK/good.conf" "$WORK/rrlbd.conf"
	rrctl config reload
}

# Another object over the same maps, under load, three times: no connection fails and the rotation
# goes on.
upgrade_under_load() {
	local before i
	start
	load_start load 4 2
	for i in 1 2 3; do
		before=$(program)
		lb_stop
		lb_start --object "$BUILD/rr_xdp.bpf.o"
		lb_ready
		[ "$(program)" != "$before" ] || fail "the program was not replaced: $before"
		wait_for 5 unloaded "${before#* }" || fail "program ${before#* } is still loaded"
	done
	load_stop load
	same "errors" 0 "$(load_errors load)"
	even load
}

unloaded() { # PROGRAM-ID
	! bpftool prog show id "$1" >/dev/null 2>&1
}

second_rrlbd_refuses() {
	local code=0
	start
	ns b timeout 10 "$BUILD/rrlbd" -c "$WORK/rrlbd.conf" >"$WORK/second.log" 2>&1 || code=$?
	case $code in 0 | 124) fail "a second rrlbd ended with $code" ;; esac
	cat "$WORK/second.log"
	rrctl version >/dev/null || fail "the first no longer answers"
	same "still balanced" "ep1=20 ep2=20 ep3=20" "$(connections 60 | tally)"
}

detach_cleans() {
	start
	rrctl detach --all --unpin
	same "nothing attached" "" "$(program)"
	lb_stop
	same "nothing pinned" "" "$(find /sys/fs/bpf -mindepth 1 -name '*_v[0-9]*')"
	same "the host answers itself" 7 "$(client -m 2 "$(url 4)" >/dev/null; echo $?)"
}

# refuses PATTERN COMMAND...: it ends with 1 and says so
refuses() {
	local pattern=$1 out code=0
	shift
	out=$(ns b timeout 10 "$@" 2>&1 </dev/null) || code=$?
	same "exit code of ${*: -2}" 1 "$code"
	grep -q "$pattern" <<<"$out" || fail "'$pattern' is not in: $out"
}

# What an operator meets who starts it wrongly, or on a host that is not as it should be.
says_what_is_wrong() {
	net_up two-arm
	servers_start
	lb_conf nat 4 >"$WORK/rrlbd.conf"
	cp "$BUILD/rrlbd" "$WORK/rrlbd"
	chmod 755 "$WORK" "$WORK/rrlbd"
	refuses "started as root" setpriv --reuid=48123 --regid=48123 --clear-groups \
		"$WORK/rrlbd" -c "$WORK/rrlbd.conf"
	refuses "No such file" "$BUILD/rrlbd" -c /nowhere
	refuses "format invalid" "$BUILD/rrlbd" -c "$WORK/rrlbd.conf" --object /etc/passwd
	refuses "not in a bpf file system" "$BUILD/rrlbd" -c "$WORK/rrlbd.conf" --bpffs /run/nobpf
	ns b sysctl -qw net.ipv4.ip_local_port_range="30000 60000"
	sed "s/interface b1/interface b7/" "$WORK/rrlbd.conf" >"$WORK/b7.conf"
	cp "$WORK/b7.conf" "$WORK/rrlbd.conf"
	lb_start
	grep -q "nat-ports 1024-32767 and the host's own local ports 30000-60000 overlap" \
		"$WORK/rrlbd.log" ||
		fail "overlapping ports are not said"
	grep -q "b7: no such interface; waiting" "$WORK/rrlbd.log" ||
		fail "b7 is missing, but nothing says so"
	rrctl events | grep -q "route leaves by b1, which is not configured" ||
		fail "$(rrctl events)"
	same "b7" "false off none 0" "$(field '.interfaces[] | select(.interface == "b7") |
		"\(.attached) \(.mode) \(.attach) \(.program)"' status)"
	[ "$(field .pushes status)" -gt 0 ] || fail "pushes are not counted"
	rrctl service pause web
	rrctl | grep -q '^! web .*paused by an operator' || fail "$(rrctl)"
}

# Local ports and table sizes stay as long as the maps do; a reload says so, before the restart that
# sizes make fail.
fixed_until_unpinned() {
	local out
	start
	GLOBAL="nat-ports 2000-2999" lb_conf nat 4 >"$WORK/rrlbd.conf"
	out=$(rrctl config reload)
	grep -q "nat-ports are fixed while the maps live" <<<"$out" || fail "$out"
	lb_stop
	lb_start
	grep -q "local ports 1024-32767 are in use instead" "$WORK/rrlbd.log" ||
		fail "the start does not say it"
	rrctl detach --all --unpin
	lb_stop
	lb_start
	lb_ready
	connections 30 >/dev/null
	same "local ports outside the new range" "" \
		"$(field '.flows[].local | split(":")[1] | tonumber |
			select(. < 2000 or . > 2999)' flow list)"
	GLOBAL="flow-table { ipv4 65536; }" lb_conf nat 4 >"$WORK/rrlbd.conf"
	out=$(rrctl config reload)
	grep -q "refuse its next start" <<<"$out" || fail "$out"
	lb_stop
	refuses "set the flow table sizes back" "$BUILD/rrlbd" -c "$WORK/rrlbd.conf"
	same "still balanced" "ep1=20 ep2=20 ep3=20" "$(connections 60 | tally)"
}

# Without rrlbd: what rrctl detach says then, done as it stands, for a link and for a program put
# there by ip link.
detach_by_hand() {
	local said code=0 i
	net_up two-arm
	servers_start
	lb_conf nat 4 | sed 's/interface b1 { attach link/interface b1 { attach external/' \
		>"$WORK/rrlbd.conf"
	lb_start
	ns b ip link set dev b1 xdp pinned /sys/fs/bpf/rrlb/rr_xdp_v1
	lb_kill
	said=$(rrctl detach --all 2>&1) || code=$?
	same "exit code" 3 "$code"
	[[ $said == *"without rrlbd: rm -r /sys/fs/bpf/rrlb,"* &&
		$said == *"ip link set dev INTERFACE xdp off" ]] || fail "$said"
	rm -r /sys/fs/bpf/rrlb
	for i in b0 b1; do
		ns b ip link set dev $i xdp off
		wait_for 3 bare $i || fail "$i: $(attached $i)"
	done
}

bare() {
	[ -z "$(attached "$1")" ]
}
