# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Upgrade to builds whose maps differ, and back, under load. The builds are made from this tree with
# a few lines of include/ and bpf/ changed: other programs, other objects, other layouts.
TESTS="builds_differ wider_counters_and_back one_more_map_and_back wider_endpoints_and_back
	other_flows_are_refused cut_short_before_attaching external_stays_ours
	object_of_another_build before_versions"

# The first function that needs a build makes it.
LIMIT=180
# The build before maps had versions of their own.
FIRST_LIGHT=15b91ac
DIR=/sys/fs/bpf/rrlb

# ---- builds ----

# The tree's sources as they are, with their times, so that make sees what is new.
copy_tree() { # TO
	local file
	while IFS= read -r file; do
		mkdir -p "$1/$(dirname "$file")"
		cp -p "$TOP/$file" "$1/$file"
	done < <(cd "$TOP" && find Makefile bpf controller include scripts -type f)
}

# change VARIANT: edits the copy in the current folder; what it looks for may stand in any header
change() {
	local before
	before=$(cat include/*.h bpf/maps.h | cksum)
	case $1 in
	wide) # counters: one more in front, so that every other lies elsewhere
		raise EP_STATS SVC_STATS
		perl -0pi -e 's/(struct rr_stats \{\n)/$1\t__u64 wider;\n/;
			s/(sizeof\(struct rr_stats\) == )(\d+)/$1.($2 + 8)/e' include/*.h
		;;
	more) # a map in front of all others
		perl -0pi -e \
			's/(#define RR_MAPS\(X\) \\\n)/$1\tX(SPARE, spare, 0, 1, COUNTS) \\\n/' \
			include/*.h
		perl -0pi -e 's/(\nRR_PERCPU\(verdicts)/\nRR_PERCPU(spare, __u64, 4);$1/' bpf/maps.h
		;;
	endpoints) # settings: wider, what stands behind the flags elsewhere
		raise ENDPOINTS
		perl -0pi -e \
			's/(struct rr_endpoint \{.*?__u32 flags;[^\n]*\n)/$1\t__u64 wider[8];\n/s;
			s/(sizeof\(struct rr_endpoint\) == )(\d+)/$1.($2 + 64)/e' include/*.h
		;;
	flows)
		perl -pi -e 's/(#define RR_FLOWS_VERSION )(\d+)/$1.($2 + 1)/e' include/*.h
		;;
	esac
	[ "$(cat include/*.h bpf/maps.h | cksum)" != "$before" ] || fail "'$1' changes nothing"
}

raise() { # MAP...: the version in the map's row
	local map
	for map in "$@"; do
		perl -pi -e 's/(X\('"$map"', \w+, \d, )(\d+)/$1.($2 + 1)/e' include/*.h
	done
}

# build VARIANT -> its build folder, made when needed
build() {
	local dir=$BUILD/upgrade/$1 opt="-O2 -g"
	# What the change does not touch is taken as it was compiled for this tree.
	if [ ! -e "$dir" ] && [ "$1" != first ] && [ "$BUILD" = "$TOP/build" ]; then
		mkdir -p "$dir/build"
		cp -rp "$BUILD/obj" "$dir/build/"
	fi
	rm -rf "$dir.new"
	mkdir -p "$dir.new" "$dir"
	if [ "$1" = first ]; then
		git -C "$TOP" archive $FIRST_LIGHT | tar -x -C "$dir.new"
	else
		copy_tree "$dir.new"
		(cd "$dir.new" && change "$1")
	fi
	(cd "$dir.new" && find . -type f) | while IFS= read -r file; do
		cmp -s "$dir.new/$file" "$dir/$file" && continue
		mkdir -p "$dir/$(dirname "$file")"
		cp -p "$dir.new/$file" "$dir/$file"
	done
	# What the tree no longer has must not be compiled either.
	(cd "$dir" && find . -path ./build -prune -o -type f -print) | while IFS= read -r file; do
		[ -e "$dir.new/$file" ] || rm "$dir/$file"
	done
	rm -rf "$dir.new"
	# How fast the controller is does not matter here, how fast it compiles does.
	# Without optimisation gcc warns about the old sources, and warnings are errors.
	[ "$1" = first ] || opt=-O0
	make -s -C "$dir" -j2 B=build OPT="$opt" all >"$WORK/build-$1.log" 2>&1 || {
		tail -n 20 "$WORK/build-$1.log"
		fail "the build '$1' cannot be made"
	}
	echo "$dir/build"
}

# ---- what is pinned ----

# pins -> "NAME ID" for each map, sorted
pins() {
	local pin
	for pin in "$DIR"/*_v*; do
		case $pin in */rr_xdp_v1 | */link_*) continue ;; esac
		echo "${pin##*/} $(bpftool -j map show pinned "$pin" | jq .id)"
	done | sort
}

# changed BEFORE AFTER -> names of maps that are another, new or gone, in one line
changed() {
	comm -3 "$1" "$2" | tr -d '\t' | sed -E 's/_v[0-9]+ .*//' | sort -u | paste -sd' '
}

# ---- load ----

start() {
	net_up two-arm
	servers_start
	lb nat 46
}

# A few connections that stay open and are asked, downloads that last, new connections all the time.
load_up() {
	local i
	for i in 1 2 3; do
		session_open "s$i"
		session_get "s$i" >"$WORK/s$i.who"
	done
	session_open s6 6
	session_get s6 >"$WORK/s6.who"
	for i in 1 2 3 4; do
		slow "$i" &
		PIDS["slow-$i"]=$!
	done
	load_start load 4 2
	load_start load6 6 1
	sleep 0.5
}

slow() { # N: 40 KB in 5 s, again and again; a line for each that was not whole
	local got
	set +eE
	trap - ERR EXIT
	while [ ! -e "$WORK/slow.stop" ]; do
		got=$(client -m 20 "$(url 4 slow/40k)" | wc -c)
		echo "$got" >>"$WORK/slow.out"
	done
}

load_holds() {
	local i
	for i in 1 2 3 6; do
		same "connection s$i goes on" "$(cat "$WORK/s$i.who")" "$(session_get "s$i")"
	done
}

load_down() {
	local i name
	touch "$WORK/slow.stop"
	for i in 1 2 3 4; do
		wait "${PIDS["slow-$i"]}" || true
		unset "PIDS["slow-$i"]"
	done
	for name in load load6; do
		load_stop $name
		same "errors of $name" 0 "$(load_errors $name)"
		between "connections of $name" 20 100000 "$(load_count $name)"
	done
	same "downloads" 40960 "$(sort -u "$WORK/slow.out" | paste -sd' ')"
}

# Round robin over the whole time, all builds: no endpoint has more than one connection more. The
# connections of sessions and downloads are part of it.
even() {
	local answers
	# Only load6 is alone on its service but for s6, which drew the first ticket.
	answers=$(cat "$WORK/s6.who" "$WORK/load6.out" | tally)
	tr ' ' '\n' <<<"$answers" | cut -d= -f2 | sort -n | sed -n '1p;$p' | paste -sd' ' |
		awk '{ exit !($2 - $1 <= 1) }' || fail "not even: $answers"
	echo "even: $answers"
}

# upgrade BUILD [OPTION...]: stop the daemon, start that of another build
upgrade() {
	local to=$1
	shift
	lb_stop
	BUILD=$to lb_start "$@"
	lb_ready 46
}

established() {
	svc_field web6 connections
}

# there_and_back VARIANT MAPS...: upgrade and go back under load; MAPS are what may change
there_and_back() {
	local variant before packets conns seen to
	variant=$(build "$1")
	shift
	start
	pins >"$WORK/pins0"
	before=$(program)
	load_up
	packets=$(verdict forward) conns=$(established)
	for to in "$variant" "$BUILD"; do
		upgrade "$to"
		pins >"$WORK/pins1"
		same "maps changed" "$*" "$(changed "$WORK/pins0" "$WORK/pins1")"
		[ "$(program)" != "$before" ] || fail "the program was not replaced"
		before=$(program)
		load_holds
		seen=$(established)
		[ "$seen" -gt "$conns" ] || fail "connections counted: $conns before, $seen after"
		conns=$seen
		cp "$WORK/pins1" "$WORK/pins0"
		sleep 1
	done
	load_down
	load_holds
	even
	seen=$(verdict forward)
	[ "$seen" -gt "$packets" ] || fail "packets counted: $packets before, $seen after"
	same "answered with RST" 0 "$(verdict reset)"
	# Every connection of load6 and s6 counted, but for those of the moments of change.
	between "connections counted of $(($(load_count load6) + 1))" \
		$(($(load_count load6) - 3)) $(($(load_count load6) + 1)) "$(established)"
}

program() {
	attached b0
}

# ---- tests ----

builds_differ() {
	local variant
	for variant in wide more endpoints flows; do
		BUILD=$(build $variant) versions >"$WORK/$variant"
	done
	versions >"$WORK/base"
	same wide "ep_stats svc_stats" "$(comm -13 "$WORK/base" "$WORK/wide" | names)"
	same more "spare" "$(comm -13 "$WORK/base" "$WORK/more" | names)"
	same endpoints "endpoints" "$(comm -13 "$WORK/base" "$WORK/endpoints" | names)"
	same flows "$(flow_maps)" "$(comm -13 "$WORK/base" "$WORK/flows" | names)"
}

# The maps of the flow tables, by their rows.
flow_maps() {
	sed -nE 's/.*X\(\w+, (\w+),.*, FLOWS\).*/\1/p' "$TOP"/include/*.h | sort | paste -sd' '
}

versions() {
	"$BUILD/rrlbd" --version | sed -n 's/^maps //p' | tr ' ' '\n' | sort
}

names() {
	sed -E 's/_v[0-9]+$//' | paste -sd' '
}

wider_counters_and_back() {
	there_and_back wide ep_stats svc_stats
	grep -q "counters made anew with the counts of the old.*: ep_stats [0-9]*->[0-9]* svc" \
		"$WORK/rrlbd.log" || fail "the log does not name the maps"
}

one_more_map_and_back() {
	there_and_back more spare
	grep -q "maps made: spare" "$WORK/rrlbd.log" || fail "the log does not name the map"
}

# Ids, flags, next hops of endpoints: flows depend on them.
wider_endpoints_and_back() {
	there_and_back endpoints endpoints
	grep -q "maps made anew with the contents of the old: endpoints" "$WORK/rrlbd.log" ||
		fail "the log does not name the map"
}

# refused BUILD: it is, with a sentence; prints the number of flows that it names
refused() {
	local out code=0
	out=$(ns b timeout 10 "$1/rrlbd" -c "$WORK/rrlbd.conf" 2>&1 </dev/null) || code=$?
	same "exit code" 1 "$code" >&2
	grep -q "would be lost with them: start once with --replace-maps" <<<"$out" || fail "$out"
	echo "$out" >&2
	sed -nE 's/.* and ([0-9]+) flows? would be lost.*/\1/p' <<<"$out"
}

# Refused while nothing changes; with the option each flow is lost once, and counted.
other_flows_are_refused() {
	local variant i
	variant=$(build flows)
	start
	for i in 1 2 3 4 5; do
		session_open "s$i"
		session_get "s$i" >"$WORK/s$i.who"
	done
	session_open s6 6
	session_get s6 >"$WORK/s6.who"
	lb_stop
	pins >"$WORK/pins0"
	same "flows" 6 "$(refused "$variant")"
	pins >"$WORK/pins1"
	same "maps changed by the refusal" "" "$(changed "$WORK/pins0" "$WORK/pins1")"
	for i in 1 2 3 4 5 6; do
		same "connection s$i goes on" "$(cat "$WORK/s$i.who")" "$(session_get "s$i")"
	done
	BUILD=$variant lb_start --replace-maps
	lb_ready 46
	grep "flow tables made anew, 6 flows lost: " "$WORK/rrlbd.log" ||
		fail "the log does not say it"
	pins >"$WORK/pins1"
	same "maps changed" "$(flow_maps)" \
		"$(changed "$WORK/pins0" "$WORK/pins1")"
	! session_get s1 || fail "the flow of s1 is still there"
	# 5 tickets were drawn for web: the cursor goes on.
	same "the cursor goes on" "ep3 ep1 ep2" "$(connections 3 | paste -sd' ')"
	session_open n1
	session_get n1 >"$WORK/n1.who"
	upgrade "$variant" # asked for once
	same "no flow is lost again" 1 "$(grep -c 'flow tables made anew' "$WORK/rrlbd.log")"
	same "connection n1 goes on" "$(cat "$WORK/n1.who")" "$(session_get n1)"
}

# Cut short after the new program was pinned, before it was attached: the next start completes it.
cut_short_before_attaching() {
	local variant before
	variant=$(build wide)
	start
	load_up
	before=$(program)
	pins >"$WORK/pins0"
	lb_stop
	# A start that fails after loading leaves exactly that: its control socket cannot be made.
	mkdir -p "$WORK/taken.sock/full"
	ns b timeout 10 "$variant/rrlbd" -c "$WORK/rrlbd.conf" --socket "$WORK/taken.sock" \
		>"$WORK/cut.log" 2>&1 </dev/null && fail "it started"
	same "the old program still runs" "$before" "$(program)"
	pins >"$WORK/pins1"
	[ "$(wc -l <"$WORK/pins1")" -gt "$(wc -l <"$WORK/pins0")" ] ||
		fail "it did not get that far"
	load_holds
	sleep 1
	BUILD=$variant lb_start
	lb_ready 46
	load_holds
	load_down
	even
	pins >"$WORK/pins1"
	same "maps changed" "ep_stats svc_stats" "$(changed "$WORK/pins0" "$WORK/pins1")"
	between "connections counted of $(($(load_count load6) + 1))" \
		$(($(load_count load6) - 1)) $(($(load_count load6) + 1)) "$(established)"
}

# A program attached by hand goes on, is named, and stays ours until it is replaced by hand.
external_stays_ours() {
	local variant
	variant=$(build wide)
	net_up two-arm
	servers_start
	ATTACH=external lb_conf nat 46 >"$WORK/rrlbd.conf"
	lb_start
	ns b ip link set dev b0 xdpdrv pinned $DIR/rr_xdp_v1
	ns b ip link set dev b1 xdpdrv pinned $DIR/rr_xdp_v1
	lb_ready 46
	load_up
	upgrade "$variant"
	grep -q "still runs with maps of another version, which stay as long" "$WORK/rrlbd.log" ||
		fail "the log does not say it"
	grep -q "ip -force link set dev b1 xdp pinned $DIR/rr_xdp_v1" <<<"$(rrctl; rrctl status)" ||
		grep -q "maps of another version" <<<"$(rrctl --json status)" || fail "$(rrctl)"
	load_holds
	ns b ip -force link set dev b0 xdpdrv pinned $DIR/rr_xdp_v1
	ns b ip -force link set dev b1 xdpdrv pinned $DIR/rr_xdp_v1
	load_holds
	upgrade "$variant"
	pins >"$WORK/pins1"
	same "every map once" "" "$(sed -E 's/_v[0-9]+ .*//' "$WORK/pins1" | uniq -d)"
	load_holds
	load_down
	even
}

object_of_another_build() {
	local variant out
	variant=$(build wide)
	start
	lb_stop
	out=$(ns b timeout 10 "$BUILD/rrlbd" -c "$WORK/rrlbd.conf" \
		--object "$variant/rr_xdp.bpf.o" 2>&1 </dev/null) &&
		fail "it started"
	echo "$out"
	grep -q "map ep_stats has layout version [0-9]*, this rrlbd works with version" <<<"$out" ||
		fail "$out"
	same "still balanced" "ep1=20 ep2=20 ep3=20" "$(connections 60 | tally)"
}

# The program before maps had versions: what has not changed since is kept, the rest is said.
before_versions() {
	local first
	git -C "$TOP" cat-file -e $FIRST_LIGHT 2>/dev/null ||
		skip "its sources are not in this clone"
	first=$(build first)
	net_up two-arm
	servers_start
	lb_conf nat 46 >"$WORK/rrlbd.conf"
	BUILD=$first lb_start
	lb_ready 46
	load_up
	lb_stop
	if "$BUILD/rrlbd" --version | grep -q flows4_v1; then
		lb_start
		lb_ready 46
		load_holds
		load_down
		even
		return
	fi
	load_down
	between "flows" 4 1000 "$(refused "$BUILD")"
	load_holds
	lb_start --replace-maps
	lb_ready 46
	grep -E "flow tables made anew, [0-9]+ flows lost" "$WORK/rrlbd.log" ||
		fail "the log does not say it"
	same "still balanced" "ep1=20 ep2=20 ep3=20" "$(connections 60 | tally)"
}
