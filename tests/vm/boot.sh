#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# boot.sh KERNEL-PACKAGE PROGRAM [FILE...] - runs PROGRAM as root in a virtual machine with another kernel.
#
# The kernel comes out of a Debian package (downloaded, not installed); the root file system is an initramfs
# of busybox, PROGRAM, the libraries it needs, and the FILEs, all under their own paths. QEMU emulates (tcg), so
# this shows acceptance and behaviour, never speed. Prints what PROGRAM prints; the exit status is PROGRAM's,
# 77 when the machine cannot be had.
set -eu
pkg=$1 prog=$2
shift 2
cache=${RRLB_VM_CACHE:-/var/tmp/rrlb-vm}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

skip() {
	echo "skipped: $*"
	exit 77
}

command -v qemu-system-x86_64 >/dev/null || skip "no qemu-system-x86_64"
busybox=$(command -v busybox) || skip "no busybox"

kernel() {
	mkdir -p "$cache/$pkg"
	if ! ls "$cache/$pkg"/boot/vmlinuz-* >/dev/null 2>&1; then
		(cd "$work" && apt-get -qq download "$pkg" >/dev/null 2>&1) || skip "cannot download $pkg"
		dpkg-deb --fsys-tarfile "$work"/*.deb | tar -x -C "$cache/$pkg" --wildcards './boot/vmlinuz-*'
	fi
	ls "$cache/$pkg"/boot/vmlinuz-*
}

# The program, the files and every library that ldd names, under their own paths.
root() {
	local r=$work/root f
	mkdir -p "$r"/{bin,proc,sys,dev,tmp,run,etc}
	cp "$busybox" "$r/bin/busybox"
	for f in "$prog" "$@"; do
		mkdir -p "$r/$(dirname "$f")"
		cp -L "$f" "$r/$f"
	done
	for f in "$prog" "$@"; do
		ldd "$f" 2>/dev/null | grep -oE '/[^ ]+' || true
	done | sort -u | while read -r f; do
		mkdir -p "$r/$(dirname "$f")"
		cp -L "$f" "$r/$f"
	done
	cat >"$r/init" <<-INIT
		#!/bin/busybox sh
		/bin/busybox --install -s /bin
		mount -t proc proc /proc
		mount -t sysfs sys /sys
		mount -t devtmpfs dev /dev
		mount -t bpf bpf /sys/fs/bpf
		ip link set lo up
		uname -r
		cd $PWD
		$prog \$RR_ARGS 2>&1
		echo "rr-exit \$?"
		poweroff -f
	INIT
	chmod +x "$r/init"
	mkdir -p "$r/$PWD"
	(cd "$r" && find . | cpio -o -H newc --quiet) | gzip -1 >"$work/initrd"
}

vmlinuz=$(kernel)
root "$@"
timeout "${RRLB_VM_TIMEOUT:-240}" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 1536 -nographic -no-reboot \
	-kernel "$vmlinuz" -initrd "$work/initrd" -append "console=ttyS0 quiet panic=-1 mitigations=off" \
	</dev/null 2>/dev/null | tr -d '\r' >"$work/out" || true
sed '/^rr-exit /d' "$work/out"
status=$(sed -n 's/^rr-exit //p' "$work/out")
exit "${status:-1}"
