#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# tests/unit/test-build.sh - a header that changes is compiled, however the build folder was named
# before and is now.
#
# Works on a copy of the Makefile and controller/util, so that the tree's own objects are left
# alone.
set -u
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree
mkdir -p "$tree/controller" "$tree/scripts"
cp -r Makefile include "$tree"
cp -r controller/util "$tree/controller"
ln -s "$tree" "$work/link"
mkdir "$work/far"
failed=0

result() { # WHAT OK?
	if [ "$2" = yes ]; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		sed 's/^/# /' "$work/out"
		failed=1
	fi
}

# compiles FOLDER: what make builds into the folder given as FOLDER, from the tree or by the link to
# it
compiles() {
	local top=$tree
	case $1 in "$work/link"*) top=$work/link ;; esac
	(cd "$top" && make B="$1" pure-objects) >"$work/out" 2>&1
}

# rebuilt WHAT FIRST SECOND: after a build into FIRST and a change of units.h, a build into SECOND
# compiles units.c
rebuilt() {
	local again=no idle=no
	rm -rf "$tree/build" "$work/far"/*
	compiles "$2" || result "$1: the first build" no
	# A file's time is that of the kernel's last tick: an object of the same tick would pass for
	# newer.
	sleep 0.05
	touch "$tree/controller/util/units.h"
	compiles "$3" && grep -q 'CC .*util/units\.o' "$work/out" && again=yes
	result "$1" "$again"
	compiles "$3" && ! grep -q 'CC ' "$work/out" && idle=yes
	result "$1: nothing is compiled without a change" "$idle"
}

rebuilt "relative, then relative" build build
rebuilt "absolute, then relative" "$tree/build" build
rebuilt "relative, then absolute" build "$tree/build"
rebuilt "relative with dots, then absolute" ./controller/../build "$tree/build"
rebuilt "by a link to the tree, then relative" "$work/link/build" build
rebuilt "outside the tree" "$work/far" "$work/far"
rebuilt "outside the tree, relative, then absolute" ../far "$work/far"
exit $failed
