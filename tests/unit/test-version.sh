#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# tests/unit/test-version.sh - the version is the nearest tag v1.2.3 where git knows one, and else
# the one that NEWS is about. Works on copies of the Makefile and NEWS in a repository of its own.
set -u
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp Makefile NEWS "$work"
cd "$work" || exit 1
failed=0
news=$(grep -m 1 -oE '^[0-9]+(\.[0-9]+)+' NEWS)
# Nothing above the folder is asked, nor the user's own settings.
export GIT_CEILING_DIRECTORIES=$work/.. GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
git=(git -c user.name=t -c user.email=t@localhost)

# is WHAT PATTERN: the whole version is like this
is() {
	local have
	have=$(make -s version 2>&1)
	if grep -qxE "$2" <<<"$have"; then
		echo "ok - $1"
	else
		echo "not ok - $1: $have"
		failed=1
	fi
}

is "NEWS names one" '[0-9]+(\.[0-9]+)+'
is "outside git: that of NEWS" "${news//./\\.}"
git init -q . && git add -A && "${git[@]}" commit -qm one
is "without a tag: that of NEWS" "${news//./\\.}"
git tag nightly-2
is "with another tag: that of NEWS" "${news//./\\.}"
git tag v7.8.9
is "at the tag" '7\.8\.9'
"${git[@]}" commit -q --allow-empty -m two
is "after the tag" '7\.8\.9-1-g[0-9a-f]+'
echo >>NEWS
is "with a change" '7\.8\.9-1-g[0-9a-f]+-dirty'
exit $failed
