# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What operators have said is never lost: not by a full, slow or missing disk, not by a restart, not
# by a file that has lost a service for a moment.
TESTS="full_disk slow_disk folder_gone deadline_over_restart removal_over_restart
	service_gone_for_a_moment odd_row"
STATE=/var/lib/rrlb/state.json

start() {
	net_up two-arm
	servers_start
	lb nat 4 "$@"
}

# saved N MEMBER: of endpoint N's row in the state file
saved() {
	jq -r ".rows[] | select(.endpoint == \"$(ep4 "$1"):8443\") | .$2" "$STATE"
}

saved_is() { # N MEMBER VALUE
	[ "$(saved "$1" "$2")" = "$3" ]
}

problem() { # TEXT
	rrctl --json status | jq -e ".problems[] | select(.text | contains(\"$1\"))" >/dev/null
}

no_problem() {
	! problem "$1"
}

full_disk() {
	mount -t tmpfs -o size=16k none /var/lib/rrlb
	start
	sleep 1.2
	dd if=/dev/zero of=/var/lib/rrlb/fill bs=1k count=64 2>/dev/null || true
	rrctl endpoint maint "$(endpoint_name web 2)" >"$WORK/answer" 2>&1
	grep -q "No space left on device" "$WORK/answer" || fail "the answer: $(cat "$WORK/answer")"
	problem "No space left on device" || fail "no problem line"
	same "who has not changed is served" "ep1=3 ep3=3" "$(connections 6 | tally)"
	rm /var/lib/rrlb/fill
	wait_for 5 saved_is 2 admin maint
	wait_for 3 no_problem "state file"
	rrctl endpoint weight "$(endpoint_name web 3)" 70 >"$WORK/answer" 2>&1
	same "answers are plain again" 0 "$(grep -c "state file" "$WORK/answer" || true)"
	lb_kill
	lb_start
	wait_for 5 ep_is web 2 MAINT
	same "complaints in the log" 1 "$(grep -c "cannot be written" "$WORK/rrlbd.log")"
}

# Every write takes 1.5 s. What the loop does, it does as fast as ever.
slow_disk() {
	local before after i=0
	net_up two-arm
	servers_start
	lb_conf nat 4 >"$WORK/rrlbd.conf"
	echo 'int usleep(unsigned int); int fsync(int fd) { return usleep(fd ? 1500000 : 0); }' \
		>"$WORK/slow.c"
	cc -shared -fPIC -o "$WORK/slow.so" "$WORK/slow.c"
	spawn rrlbd b env LD_PRELOAD="$WORK/slow.so" "$BUILD/rrlbd" -c "$WORK/rrlbd.conf" \
		</dev/null >>"$WORK/rrlbd.log" 2>&1
	wait_for 15 lb_answers
	lb_ready
	while [ $((i += 1)) -le 5 ]; do
		rrctl -q endpoint weight "$(endpoint_name web 1)" $((i + 50))
	done &
	sleep 0.3
	before=$(date +%s%N)
	for i in 1 2 3 4 5; do
		rrctl version >/dev/null
	done
	server_kill 2
	wait_for 3 ep_is web 2 DOWN
	after=$((($(date +%s%N) - before) / 1000000))
	wait "$!"
	echo "five questions and a dead endpoint: $after ms"
	[ "$after" -lt 1500 ] || fail "the loop waits for the disk"
	same "on disk when the verb returns" 55 "$(saved 1 weight)"
}

folder_gone() {
	start
	mount -t tmpfs none /var/lib
	rrctl endpoint maint "$(endpoint_name web 2)" >"$WORK/answer" 2>&1
	same "complaints" 0 "$(grep -c "state file" "$WORK/answer" || true)"
	same "in a folder made anew" maint "$(saved 2 admin)"
	same "for the owner alone" 600 "$(stat -c %a "$STATE")"
}

deadline_over_restart() {
	local who n left
	start "drain-deadline 4s"
	session_open s
	who=$(session_get s)
	n=${who#ep}
	rrctl -q endpoint drain "$(endpoint_name web "$n")" --deadline 1h
	lb_kill
	lb_start
	left=$(ep_field web "$n" deadline_ms)
	[ "$left" -gt 3590000 ] || fail "$left ms are left of an hour"
	rrctl -q endpoint drain "$(endpoint_name web "$n")" --deadline 6s
	sleep 2
	lb_kill
	lb_start
	left=$(ep_field web "$n" deadline_ms)
	echo "of 6 s after 2 s and a restart: $left ms"
	[ "$left" -lt 4900 ] || fail "the deadline begins anew"
	same "before it" "$who" "$(session_get s)"
	sleep 5
	! session_get s || fail "the deadline has passed, the connection goes on"
}

removal_over_restart() {
	local who n left
	start "drain-deadline 20s"
	session_open s
	who=$(session_get s)
	n=${who#ep}
	rrctl -q endpoint del "$(endpoint_name web "$n")"
	sleep 3
	lb_kill
	lb_start
	left=$(field '.endpoints[] | select(.member == "leaving") | .deadline_ms' endpoint list)
	echo "of 20 s after 3 s and a restart: $left ms"
	[ "$left" -lt 18000 ] || fail "the deadline begins anew"
	same "it goes on until then" "$who" "$(session_get s)"
}

service_gone_for_a_moment() {
	start
	cp "$WORK/rrlbd.conf" "$WORK/full.conf"
	rrctl -q endpoint maint "$(endpoint_name web 2)"
	rrctl -q endpoint weight "$(endpoint_name web 1)" 300
	rrctl -q endpoint add web "$(ep4 3):9443"
	grep ^interface "$WORK/full.conf" >"$WORK/rrlbd.conf"
	rrctl -q config reload
	lb_kill
	lb_start
	cp "$WORK/full.conf" "$WORK/rrlbd.conf"
	rrctl -q config reload
	wait_for 5 ep_is web 2 MAINT
	same "weight" 300 "$(ep_field web 1 weight_base)"
	same "added" true "$(ep_field web 3 added 9443)"
	rrctl -q config reload --reset
	wait_for 5 ep_is web 2 UP
	same "weight, reset" 100 "$(ep_field web 1 weight_base)"
}

# A row that a later version wrote, and one that lacks what this version knows.
odd_row() {
	start
	rrctl -q endpoint maint "$(endpoint_name web 2)"
	lb_stop
	jq '.rows[0] += { "future": 1 } | del(.rows[2].was_up)' "$STATE" >"$WORK/state"
	cp "$WORK/state" "$STATE"
	lb_start
	wait_for 5 ep_is web 2 MAINT
	wait_for 5 ep_is web 1 UP
	wait_for 5 ep_is web 3 UP
	same "what is not known stays in the file" 1 "$(jq '.rows[0].future' "$STATE")"
	[ ! -e "$STATE.bad" ] || fail "put aside for one row"
}
