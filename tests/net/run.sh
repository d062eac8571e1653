#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# tests/net/run.sh [FILE [FUNCTION ...]] - run network tests, each in a sandbox of its own; as root.
#
# A test file names its functions in TESTS. A function runs with "set -e" in a fresh sandbox
# (lib.sh), builds the network that it wants, and ends with an assertion; exit 77 (skip) with a
# reason is not a pass. Output is shown only on failure, with the daemon's log and status. TEST_TIME
# bounds one function (90 s, or the file's LIMIT).
# DEBUG_TESTENV=1 tests/net/run.sh [two-arm|one-arm]: no test, but a shell in the balancer of a
# running network.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/net/lib.sh

# Inside the sandbox, as its first process.
inside() { # FILE FUNCTION
	set -eEuo pipefail
	trap 'echo "FAIL: line $LINENO: $BASH_COMMAND" >&2' ERR
	trap 'on_exit $?' EXIT
	trap 'exit 143' TERM INT
	net_init
	# shellcheck source=/dev/null
	. "$1"
	"$2"
}

# shellcheck disable=SC2317 # called by the trap
# What one wants to see of a failed test.
on_exit() {
	[ "$1" -ne 0 ] && [ "$1" -ne 77 ] || return 0
	set +eE
	trap - ERR
	echo "---- rrctl"
	timeout 3 "$BUILD/rrctl"
	timeout 3 "$BUILD/rrctl" endpoint list
	echo "---- rrlbd"
	tail -n 25 "$WORK/rrlbd.log"
	echo "---- configuration"
	cat "$WORK/rrlbd.conf"
} 2>&1

testenv() { # TOPOLOGY
	set -eu
	net_init
	net_up "$1"
	# shellcheck disable=SC2119
	servers_start
	lb nat 46
	rrctl
	echo "A shell in the balancer. rrctl is in the PATH; the client is"
	echo "nsenter --net=/run/netns/c curl -k https://$VIP4/"
	cd "$TOP"
	PATH=$BUILD:$PATH ns b bash -i
}

run_one() { # FILE FUNCTION -> prints one TAP line
	local out code
	out=$("${SANDBOX[@]}" timeout -k 5 "${TEST_TIME:-${limit:-90}}" \
		"$0" --inside "$1" "$2" 2>&1 </dev/null)
	code=$?
	case $code in
	0) echo "ok - $2" ;;
	77) echo "ok - $2 # SKIP $(printf '%s\n' "$out" | sed -n 's/^SKIP: //p' | tail -n 1)" ;;
	*)
		echo "not ok - $2"
		[ $code -ne 124 ] || echo "# timed out"
		printf '%s\n' "$out" | sed 's/^/# /'
		return 1
		;;
	esac
}

run_file() { # FILE [FUNCTION...]
	local file=$1 bad=0 name limit
	shift
	# shellcheck source=/dev/null
	limit=$(. "$file" && echo "${LIMIT:-}")
	# shellcheck source=/dev/null disable=SC2046
	[ $# -gt 0 ] || set -- $(. "$file" && echo "$TESTS")
	for name in "$@"; do
		run_one "$file" "$name" || bad=1
	done
	return $bad
}

main() {
	local file bad=0
	case ${1:-} in
	--inside)
		shift
		inside "$@"
		exit
		;;
	--testenv)
		testenv "$2"
		exit
		;;
	esac
	[ "$(id -u)" -eq 0 ] || {
		echo "1..0 # SKIP needs root"
		exit 77
	}
	if [ -n "${DEBUG_TESTENV:-}" ]; then
		"${SANDBOX[@]}" "$0" --testenv "${1:-two-arm}"
		exit
	fi
	[ $# -eq 0 ] || {
		run_file "$@"
		exit
	}
	for file in tests/net/test-*.sh; do
		run_file "$file" || bad=1
	done
	exit $bad
}

main "$@"
