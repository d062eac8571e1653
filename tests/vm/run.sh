#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# run.sh [--budget] - packet tables, attaching, netlink and budget under other kernels: the oldest
# that is supported, and Debian's newer one. What the kernel at hand does not have (802.1Q, libxdp's
# dispatcher) is tested here. Prints TAP; with --budget rows for tests/bpf/budget.golden instead.
#
# A kernel that cannot be had (no qemu, no package) is skipped, and said so. RRLB_VM_KERNELS names
# others.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$(realpath "${RRLB_BUILD:-build}")
export RRLB_BUILD=$build RRLB_VM_CACHE=${RRLB_VM_CACHE:-$build/vm}
export VM_MODULES="ip6_udp_tunnel udp_tunnel vxlan veth llc stp garp mrp 8021q"
programs="test_path test_dp_attach test_netlink test_budget"
rows=
[ "${1:-}" != --budget ] || programs=test_budget rows=1
dispatcher=$(find /usr/lib -name xdp-dispatcher.o | head -n 1)

# The newest package of a series: "6.1.0" -> linux-image-6.1.0-NN-cloud-amd64
newest() {
	apt-cache search --names-only "^linux-image-$1[0-9.+a-z-]*-cloud-amd64\$" |
		awk '{ print $1 }' | sort -V | tail -n 1
}

# Their TAP lines, each with the kernel's name; a program that says nothing counts as failed.
result() { # SERIES EXIT-CODE
	local lines
	lines=$(sed -nE "s/^((not )?ok) [0-9]+ ?(# SKIP|-) (.*)\$/\1 - $1 \4 \3/p" |
		sed -E 's/ -$//')
	printf '%s\n' "$lines"
	[ -n "$lines" ] && [ "$2" -eq 0 ] || echo "not ok - $1: exit code $2"
}

for series in ${RRLB_VM_KERNELS:-6.1.0 6.12.}; do
	pkg=$(newest "$series")
	if [ -z "$pkg" ]; then
		echo "ok - kernel $series # SKIP no package"
		continue
	fi
	files=("$PWD/tests/bpf/budget.golden" "$build/rr_xdp.bpf.o" "$build/tests/bpf/pass.bpf.o"
		"$(command -v ip)" "$(command -v nsenter)" ${dispatcher:+"$dispatcher"})
	for p in $programs; do
		files+=("$build/tests/bpf/$p")
	done
	out=$(tests/vm/boot.sh "$pkg" "${files[@]}" -- \
		"rc=0; export CMOCKA_MESSAGE_OUTPUT=TAP${rows:+ BUDGET_PRINT=1}
		for p in $programs; do $build/tests/bpf/\$p || rc=1; done; (exit \$rc)" 2>&1)
	code=$?
	[ $code -ne 77 ] || {
		echo "ok - kernel $series # SKIP ${out##*skipped: }"
		continue
	}
	[ -z "$rows" ] || {
		printf '%s\n' "$out"
		continue
	}
	printf '%s\n' "$out" | result "$series" $code
	[ $code -eq 0 ] || printf '%s\n' "$out" | grep -vE '^ok ' | tail -n 60 | sed 's/^/# /'
done
