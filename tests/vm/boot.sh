#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# boot.sh KERNEL-PACKAGE FILE... -- COMMAND... - runs COMMAND as root in a virtual machine with
# another kernel.
#
# The kernel comes out of a Debian package (downloaded, not installed); the root file system is an
# initramfs of busybox, bash, the FILEs under their own paths, and the libraries that they need.
# Kernel modules in VM_MODULES (in the order of loading) come out of the package too. QEMU emulates
# (tcg), so this shows acceptance and behaviour, never speed. Prints what COMMAND prints; the exit
# status is COMMAND's, 77 when the machine cannot be had.
set -eu
pkg=$1
shift
files=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
	files+=("$1")
	shift
done
shift
command=$*
cache=${RRLB_VM_CACHE:-/var/tmp/rrlb-vm}/$pkg
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

skip() {
	echo "skipped: $*"
	exit 77
}

command -v qemu-system-x86_64 >/dev/null || skip "no qemu-system-x86_64"
busybox=$(command -v busybox) || skip "no busybox"

# The package's kernel and modules, unpacked once.
unpack() {
	[ ! -d "$cache/boot" ] || return 0
	(cd "$work" && apt-get -qq download "$pkg" >/dev/null 2>&1) || skip "cannot download $pkg"
	mkdir -p "$cache.new"
	dpkg-deb --fsys-tarfile "$work"/*.deb | tar -x -C "$cache.new" --wildcards \
		'./boot/vmlinuz-*' './lib/modules/*/kernel/net/*' \
		'./lib/modules/*/kernel/drivers/net/*'
	mv "$cache.new" "$cache"
}

module() { # NAME DIRECTORY
	local at
	at=$(find "$cache/lib/modules" -name "$1.ko*" | head -n 1)
	case $at in
	*.xz) xz -dc "$at" >"$2/$1.ko" ;;
	*.ko) cp "$at" "$2" ;;
	*) skip "$pkg has no module $1" ;;
	esac
}

# Files and every library that ldd names, under their own paths.
root() {
	local r=$work/root f m
	mkdir -p "$r"/{bin,sbin,usr/bin,usr/sbin,proc,sys,dev,tmp,run,etc,mod} "$r/$PWD"
	cp "$busybox" "$r/bin/busybox"
	files+=(/bin/bash)
	for f in "${files[@]}"; do
		echo "$f"
		ldd "$f" 2>/dev/null | grep -oE '/[^ ]+' || true
	done | sort -u | while read -r f; do
		mkdir -p "$r/$(dirname "$f")"
		cp -L "$f" "$r/$f"
	done
	for m in ${VM_MODULES:-}; do
		module "$m" "$r/mod"
	done
	cat >"$r/init" <<-INIT
		#!/bin/busybox sh
		for a in \$(/bin/busybox --list); do
			[ -e /bin/\$a ] || [ -e /sbin/\$a ] || [ -e /usr/bin/\$a ] ||
				/bin/busybox ln -s /bin/busybox /bin/\$a
		done
		ln -sf bash /bin/sh
		export PATH=/sbin:/usr/sbin:/usr/bin:/bin HOME=/ RRLB_BUILD=${RRLB_BUILD:-build}
		mount -t proc proc /proc
		mount -t sysfs sys /sys
		mount -t devtmpfs dev /dev
		mount -t bpf bpf /sys/fs/bpf
		for m in ${VM_MODULES:-}; do insmod /mod/\$m.ko; done
		ip link set lo up
		cd $PWD
		echo "rr-begin \$(uname -r)"
		$command 2>&1
		echo "rr-exit \$?"
		poweroff -f
	INIT
	chmod +x "$r/init"
	(cd "$r" && find . | cpio -o -H newc --quiet) | gzip -1 >"$work/initrd"
}

unpack
root
timeout "${RRLB_VM_TIMEOUT:-400}" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 \
	-m 2048 -nographic -no-reboot -kernel "$cache"/boot/vmlinuz-* -initrd "$work/initrd" \
	-append "console=ttyS0 quiet panic=-1 mitigations=off rdinit=/init" \
	</dev/null 2>/dev/null | tr -d '\r' >"$work/out" || true
sed -n '/^.*rr-begin /,$p' "$work/out" | sed '/rr-begin \|^rr-exit /d'
status=$(sed -n 's/^rr-exit //p' "$work/out")
[ -n "$status" ] || sed 's/^/# /' "$work/out" | tail -n 20
exit "${status:-1}"
