#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# run.sh - checks the flow protocol's model exhaustively, and that the model notices when a rule is
# missing. TAP.
set -u
cd "$(dirname "$0")" || exit 1
model=$PWD/flow.pml
command -v spin >/dev/null || {
	echo "ok - flow protocol # SKIP no spin"
	exit 77
}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
bad=0

# verify OPTION...: 0 = no error in the whole state space, 1 = an assertion fails, 2 = could not
# tell
verify() {
	local dir out
	dir=$(mktemp -d -p "$work") && cd "$dir" || return 2
	spin "$@" -a "$model" >spin.out 2>&1 || { cat spin.out >&2; return 2; }
	gcc -O2 -DSAFETY -DCOLLAPSE -DMEMLIM=2048 -o pan pan.c 2>gcc.out || { cat gcc.out >&2; return 2; }
	out=$(timeout 100 ./pan -m100000 -n) || return 2
	states=$(printf '%s\n' "$out" | sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p')
	case $out in
	*'search not completed'* | *'max search depth too small'* | *'out of memory'*)
		[[ $out == *'errors: 0'* ]] && return 2
		;;
	esac
	[[ $out == *'errors: 0'* ]] || return 1
}

expect() {
	local want=$1 name=$2 got
	shift 2
	verify "$@"
	got=$?
	if [ "$got" -eq "$want" ]; then
		echo "ok - $name (${states:-?} states)"
	else
		echo "not ok - $name: got $got, wanted $want"
		bad=1
	fi
}

expect 0 "two of one key, sweep" -DSWEEPS=2
expect 0 "two of one key, one of another" -DTHIRD
for rule in CAS GEN SCAN EARLY SEQ EVICT; do
	expect 1 "fails without its rule: $rule" -DTHIRD "-DBREAK_$rule"
done
exit $bad
