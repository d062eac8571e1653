# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What README promises, tried as written.
TESTS="three_commands demo"

# block KIND: the first fenced block of this kind after the comment in README that names this file
block() {
	awk -v kind="$1" '/tests\/net\/test-readme.sh/ { on = 1 } !on { next }
		$0 == "```" && inside { exit }
		inside { print }
		$0 == "```" kind { inside = 1 }' "$TOP/README.md"
}

three_commands() {
	net_up one-arm
	servers_start
	# The network of the README: one interface called eth0. /etc is a copy that dies with the
	# sandbox.
	ip -n b link set b0 down
	ip -n b link set b0 name eth0
	ip -n b link set eth0 up
	cp -a /etc "$WORK/etc"
	mount --bind "$WORK/etc" /etc
	mkdir -p /etc/rrlb
	block conf >/etc/rrlb/rrlbd.conf
	block sh >"$WORK/commands"
	cat /etc/rrlb/rrlbd.conf "$WORK/commands"
	same "commands" 3 "$(wc -l <"$WORK/commands")"
	# As one types them: the next a moment after the one before.
	sed 's/$/\nsleep 2/' "$WORK/commands" >"$WORK/typed"
	export PATH=$BUILD:$PATH
	ns b bash -e "$WORK/typed" || fail "a command failed"
	wait_for 10 endpoints_up api 3 || fail "endpoints are not up"
	same "connections" "ep1=20 ep2=20 ep3=20" "$(connections 60 | tally)"
}

demo() {
	local out
	out=$(RRLB_BUILD=$BUILD "$TOP/scripts/demo" 2>&1) || fail "$out"
	printf '%s\n' "$out"
	case $out in *"NOT as promised"*) fail "a promise is broken" ;; esac
	[[ $out == *"ep1=100 ep2=100 ep3=100"*"ep1=150 ep2=100 ep3=50"* ]] || fail "no distribution"
}
