# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Degraded, not dead: what is wrong with one thing does not keep the others from being served, is
# said at the top of the screen, and is over by itself.
TESTS="occupied_interface pins_vanish bpffs_unmounted strange_files early_reload"

start() {
	net_up two-arm
	servers_start
	lb nat 4
}

problem() { # TEXT
	rrctl --json status | jq -e ".problems[] | select(.text | contains(\"$1\"))" >/dev/null
}

no_problem() { # TEXT
	! problem "$1"
}

served() {
	same "served" "ep1=2 ep2=2 ep3=2" "$(connections 6 | tally)"
}

# Another program has one of the interfaces when rrlbd starts.
occupied_interface() {
	net_up two-arm
	servers_start
	ip link add b9 netns b type veth peer name x9 netns s
	ip -n b link set b9 up
	ip -n s link set x9 up
	ns b ip link set dev b9 xdpdrv obj "$BUILD/tests/net/xdp_pass.bpf.o" sec xdp
	{
		lb_conf nat 4
		echo "interface b9 { attach link; }"
	} >"$WORK/rrlbd.conf"
	lb_start
	lb_ready
	served
	problem "occupied by XDP program" || fail "not said"
	! rrctl health >/dev/null || fail "healthy"
	ns b ip link set dev b9 xdp off
	wait_for 10 no_problem "occupied"
	[ -n "$(attached b9)" ] || fail "not attached"
	same "said in the log" 1 "$(grep -c 'error: interface b9: occupied' "$WORK/rrlbd.log")"
}

pinned() {
	[ -e /sys/fs/bpf/rrlb/link_b0 ] && [ -e /sys/fs/bpf/rrlb/link_b1 ] &&
		[ -e /sys/fs/bpf/rrlb/rr_xdp_v1 ]
}

pins_vanish() {
	local who pins program
	start
	session_open s
	who=$(session_get s)
	pins=$(find /sys/fs/bpf/rrlb | sort)
	program=$(attached b0)
	rm /sys/fs/bpf/rrlb/link_b0
	wait_for 2 pinned
	rm -r /sys/fs/bpf/rrlb
	wait_for 2 pinned
	same "pins" "$pins" "$(find /sys/fs/bpf/rrlb | sort)"
	same "the program has not moved" "$program" "$(attached b0)"
	rrctl health >/dev/null || fail "not healthy"
	lb_kill
	lb_start
	lb_ready
	same "a connection goes on over a restart" "$who" "$(session_get s)"
	rrctl -q detach --all --unpin
	sleep 2.2
	[ ! -e /sys/fs/bpf/rrlb ] || fail "what an operator has removed comes back"
}

bpffs_unmounted() {
	local who
	start
	session_open s
	who=$(session_get s)
	umount -l /sys/fs/bpf
	wait_for 3 problem "would end with rrlbd"
	served
	mount -t bpf bpf /sys/fs/bpf
	wait_for 3 no_problem "would end with rrlbd"
	wait_for 2 pinned
	same "a connection goes on" "$who" "$(session_get s)"
}

# reload_says TEXT: it fails at once, says why, and nothing has changed
reload_says() {
	if timeout 3 "$BUILD/rrctl" config reload >"$WORK/answer" 2>&1; then
		fail "reloaded"
	fi
	grep -q "$1" "$WORK/answer" || fail "instead of '$1': $(cat "$WORK/answer")"
	same "generation" 1 "$(field .config.generation status)"
}

strange_files() {
	start
	mv "$WORK/rrlbd.conf" "$WORK/good.conf"
	reload_says "No such file"
	mkfifo "$WORK/rrlbd.conf"
	reload_says "not a regular file"
	! timeout 3 "$BUILD/rrctl" config diff >"$WORK/answer" 2>&1 || fail "compared"
	grep -q "not a regular file" "$WORK/answer" || fail "$(cat "$WORK/answer")"
	rm "$WORK/rrlbd.conf"
	mkdir "$WORK/rrlbd.conf"
	reload_says "Is a directory"
	rmdir "$WORK/rrlbd.conf"
	truncate -s 17M "$WORK/rrlbd.conf"
	reload_says "too long"
	cp "$WORK/good.conf" "$WORK/rrlbd.conf"
	rrctl -q config reload
	served
}

reloaded() {
	grep -q "event config: configuration reloaded" "$WORK/rrlbd.log"
}

# SIGHUP from the first moment on: it is served and ends nothing.
early_reload() {
	local i
	net_up two-arm
	servers_start
	lb_conf nat 4 >"$WORK/rrlbd.conf"
	for i in 05 1 2 4; do
		: >"$WORK/rrlbd.log"
		spawn rrlbd b "$BUILD/rrlbd" -c "$WORK/rrlbd.conf" \
			</dev/null >>"$WORK/rrlbd.log" 2>&1
		sleep "0.$i"
		kill -HUP "${PIDS[rrlbd]}"
		wait_for 15 lb_answers
		wait_for 5 reloaded
		lb_kill
	done
}
