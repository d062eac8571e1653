#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# run.sh - checks the models of the flow protocol (flow.pml), of its pairs (pair.pml) and of local
# ports (port.pml) exhaustively, and that they notice when a rule is missing. TAP.
set -u
cd "$(dirname "$0")" || exit 1
dir=$PWD
command -v spin >/dev/null || {
	echo "ok - flow protocol # SKIP no spin"
	exit 77
}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
bad=0

# verify MODEL OPTION...: 0 = no error in the whole state space, 1 = an assertion fails, 2 = could
# not tell
verify() {
	local model=$dir/$1 here out
	shift
	here=$(mktemp -d -p "$work") && cd "$here" || return 2
	spin "$@" -a "$model" >spin.out 2>&1 || { cat spin.out >&2; return 2; }
	gcc -O2 -DSAFETY -DCOLLAPSE -DMEMLIM=2048 -o pan pan.c 2>gcc.out || {
		cat gcc.out >&2
		return 2
	}
	out=$(timeout 100 ./pan -m100000 -n) || return 2
	states=$(printf '%s\n' "$out" | sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p')
	case $out in
	*'search not completed'* | *'max search depth too small'* | *'out of memory'*)
		[[ $out == *'errors: 0'* ]] && return 2
		;;
	esac
	[[ $out == *'errors: 0'* ]] || return 1
}

expect() { # 0 or 1, name, MODEL OPTION...
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

expect 0 "two of one key, sweep" flow.pml -DSWEEPS=2
expect 0 "two of one key, one of another" flow.pml -DTHIRD
for rule in CAS GEN SCAN EARLY SEQ EVICT; do
	expect 1 "fails without its rule: $rule" flow.pml -DTHIRD "-DBREAK_$rule"
done

forward=(-DFORWARD=1 -DREVERSE=2)
reverse=(-DFORWARD=2 -DREVERSE=1)
expect 0 "pairs, one forward slot" pair.pml "${forward[@]}"
expect 0 "pairs, one reverse slot" pair.pml "${reverse[@]}"
expect 0 "pairs, records without gen" pair.pml "${reverse[@]}" -DBREAK_GEN
expect 1 "pairs fail with records written late" pair.pml "${reverse[@]}" -DBREAK_LATE
expect 1 "pairs fail without rr_pair_is(), one forward slot" pair.pml "${forward[@]}" -DBREAK_PAIR
expect 1 "pairs fail without rr_pair_is(), one reverse slot" pair.pml "${reverse[@]}" -DBREAK_PAIR

expect 0 "a local port's mark" port.pml
for rule in GEN CAS ORDER; do
	expect 1 "a local port's mark fails without its rule: $rule" port.pml "-DBREAK_$rule"
done
exit $bad
