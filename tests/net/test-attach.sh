# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Every way onto an interface.
TESTS="by_link by_dispatcher dispatcher_shares generic pinned_by_ip_link pinned_upgrade
	object_by_ip_link bare_object_passes interface_later"

THIRDS="ep1=20 ep2=20 ep3=20"

serves() {
	same "connections" "$THIRDS" "$(connections 60 | tally)"
}

# iface_field IF KEY: of rrctl's status
iface_field() {
	rrctl --json status | jq -r "[.interfaces[] | select(.interface == \"$1\")][0].$2"
}

way() { # ATTACH WHAT-IT-COMES-TO
	net_up two-arm
	servers_start
	ATTACH=$1 lb nat 4
	echo "b0: $(attached b0), b1: $(attached b1)"
	case $(attached b0) in driver*) ;; *) fail "not native: $(attached b0)" ;; esac
	same "attached" "$2" "$(iface_field b0 attach)"
	serves
	FELL_BACK=$(iface_field b0 text)
	lb_kill
	serves
	ATTACH=$1 lb_start
	lb_ready
	serves
	rrctl detach --all
	same "detached" "" "$(attached b0)$(attached b1)"
}

by_link() { way link link; }

# libxdp's dispatcher needs extension programs (freplace), which some kernels refuse: then rrlbd
# falls back to a link, says so, and xdp-loader cannot do better.
by_dispatcher() {
	if kernel_has_dispatcher; then
		way dispatcher dispatcher
	else
		way dispatcher link
		[[ $FELL_BACK == *dispatcher* ]] || fail "the fallback is not said: '$FELL_BACK'"
	fi
}

kernel_has_dispatcher() {
	local out
	ns_add probe
	ip -n probe link add v0 type veth peer name v1
	ip -n probe link set v0 up
	out=$(ns probe xdp-loader load -v -m native v0 "$BUILD/tests/net/xdp_count.bpf.o" 2>&1) ||
		true
	ip netns del probe
	case $out in *"without dispatcher"*) return 1 ;; esac
}

# Another XDP program on the same interface keeps running.
dispatcher_shares() {
	kernel_has_dispatcher || skip "this kernel refuses libxdp's dispatcher"
	net_up two-arm
	servers_start
	ATTACH=dispatcher lb nat 4
	ns b xdp-loader load -m native b0 "$BUILD/tests/net/xdp_count.bpf.o" || fail "xdp-loader"
	ns b xdp-loader status b0
	serves
	[ "$(bpftool -j map dump name counted | jq '[.. | .value? | numbers] | add')" -gt 60 ] ||
		fail "xdp_count saw nothing"
}

generic() {
	net_up two-arm
	servers_start
	lb_conf nat 4 | sed 's/attach link;/attach link; xdp generic;/' >"$WORK/rrlbd.conf"
	lb_start
	lb_ready
	case $(attached b0) in generic*) ;; *) fail "b0: $(attached b0)" ;; esac
	rrctl | grep -qi generic || fail "generic mode is not said aloud: $(rrctl)"
	serves
}

pinned_by_ip_link() {
	net_up two-arm
	servers_start
	ATTACH=external lb nat 4
	same "rrlbd attaches nothing" "" "$(attached b0)"
	ns b ip link set dev b0 xdpdrv pinned /sys/fs/bpf/rrlb/rr_xdp_v1
	ns b ip link set dev b1 xdpdrv pinned /sys/fs/bpf/rrlb/rr_xdp_v1
	wait_for 5 sees_attached || fail "rrctl does not see it: $(rrctl)"
	serves
	lb_kill
	serves
}

sees_attached() {
	[ "$(iface_field b0 attached)" = true ] && [ "$(iface_field b1 attached)" = true ]
}

# After an upgrade the operator replaces what he has attached; the status has the command, as long
# as it is needed.
pinned_upgrade() {
	local i
	net_up two-arm
	servers_start
	ATTACH=external lb_conf nat 4 >"$WORK/rrlbd.conf"
	lb_start
	for i in b0 b1; do
		ns b ip link set dev $i xdp pinned /sys/fs/bpf/rrlb/rr_xdp_v1
	done
	wait_for 5 sees_attached || fail "rrctl does not see it: $(rrctl)"
	wait_for 3 nothing_to_say || fail "still: $(iface_field b0 text)"
	lb_ready
	load_start load 4 1
	lb_stop
	lb_start
	for i in b0 b1; do
		rrctl | sed -n "s/^! $i .*: ip -force/ip -force/p" >"$WORK/command"
		cat "$WORK/command"
		ns b sh "$WORK/command" || fail "$(rrctl)"
	done
	wait_for 5 nothing_to_say || fail "still: $(iface_field b0 text)"
	same "it runs the new one" "driver $(field .program version)" "$(attached b0)"
	load_stop load
	same "errors" 0 "$(load_errors load)"
}

nothing_to_say() {
	[ -z "$(iface_field b0 text)$(iface_field b1 text)" ] && ! rrctl | grep -q '^! b'
}

# The object makes its own maps for the first interface; rrlbd finds them there. Further interfaces
# get the program that rrlbd has pinned over these maps.
object_by_ip_link() {
	net_up two-arm
	servers_start
	ns b ip link set dev b0 xdpdrv obj "$BUILD/rr_xdp.bpf.o" sec xdp
	local before
	before=$(attached b0)
	lb_conf nat 4 | sed 's/attach link/attach external/' >"$WORK/rrlbd.conf"
	lb_start
	same "rrlbd leaves it where it is" "$before" "$(attached b0)"
	same "and sees it" true "$(iface_field b0 attached)"
	ns b ip link set dev b1 xdpdrv pinned /sys/fs/bpf/rrlb/rr_xdp_v1
	lb_ready
	wait_for 5 sees_attached || fail "rrctl does not see it: $(rrctl)"
	serves
	lb_kill
	serves
}

# Without a controller every packet passes: the host's own stack answers.
bare_object_passes() {
	net_up two-arm
	servers_start
	ns b ip link set dev b0 xdpdrv obj "$BUILD/rr_xdp.bpf.o" sec xdp
	ns b ip link set dev b1 xdpdrv obj "$BUILD/rr_xdp.bpf.o" sec xdp
	ns c ping -qc 2 -i 0.2 -W 2 "$VIP4" >/dev/null || fail "ping"
	ns c ping -qc 2 -i 0.2 -W 2 "$VIP6" >/dev/null || fail "ping -6"
	same "no listener there" 7 "$(client -m 2 "$(url 4)" >/dev/null; echo $?)"
	ns b sysctl -qw net.ipv4.ip_forward=1
	same "routed as before" ep1 "$(client "https://$(ep4 1):8443/")"
}

# The interface is not there yet when rrlbd starts.
interface_later() {
	net_up two-arm
	servers_start
	ip -n b link set b1 name b9
	lb_conf nat 4 >"$WORK/rrlbd.conf"
	lb_start
	ip -n b link set b9 down
	ip -n b link set b9 name b1
	ip -n b link set b1 up
	ip -n b addr add 2001:db8:2::1/64 dev b1 nodad 2>/dev/null || true
	wait_for 10 endpoints_up web 3 || fail "endpoints are not up: $(rrctl)"
	wait_for 5 test -n "$(attached b1)" || fail "not attached to b1"
	serves
}
