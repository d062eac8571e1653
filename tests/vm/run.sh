#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# run.sh - the packet tables under other kernels: the oldest that is supported, and Debian's newer one. Prints TAP.
#
# A kernel that cannot be had (no qemu, no package) is skipped, and said so. RRLB_VM_KERNELS names others.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$(realpath "${RRLB_BUILD:-build}")
export RRLB_VM_CACHE=${RRLB_VM_CACHE:-$build/vm}

# The newest package of a series: "6.1.0" -> linux-image-6.1.0-NN-cloud-amd64
newest() {
	apt-cache search --names-only "^linux-image-$1[0-9.+a-z-]*-cloud-amd64\$" | awk '{print $1}' | sort -V | tail -n 1
}

for series in ${RRLB_VM_KERNELS:-6.1.0 6.12.}; do
	name="kernel_${series//./_} packet tables"
	pkg=$(newest "$series")
	if [ -z "$pkg" ]; then
		echo "ok - $name # SKIP no package of series $series"
		continue
	fi
	out=$(tests/vm/boot.sh "$pkg" "$build/tests/bpf/test_path" "$build/rr_xdp.bpf.o" 2>&1)
	case $? in
	0) echo "ok - $name on $pkg" ;;
	77) echo "ok - $name # SKIP ${out##*skipped: }" ;;
	*)
		echo "not ok - $name on $pkg"
		printf '%s\n' "$out" | tail -n 40 | sed 's/^/# /'
		;;
	esac
done
