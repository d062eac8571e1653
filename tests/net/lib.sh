# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# lib.sh - a small network of namespaces with a balancer in it, for tests/net/ and scripts/demo.
#
# Everything happens in a sandbox of its own: new mount, process and network namespaces with /run,
# /var/lib and bpffs of their own. The default paths of rrlbd and rrctl are used as they stand in
# the manual, the host's network is never touched, and when the sandbox's first process ends, the
# kernel ends all the rest with it: servers, namespaces, pins, attached programs.
#
# Topologies (every link carries IPv4 and IPv6, client 2001:db8:1::2 and so on):
#
#   two-arm   c: c0 10.0.1.2 -- 10.0.1.1 b0 :b: b1 10.0.2.1 -- [switch s] -- e0 10.0.2.1N :eN
#             Frames go out by the other interface (XDP_REDIRECT).
#   one-arm   c: c0 10.0.2.2 -- [switch s] -- 10.0.2.1 b0 :b,  and e0 10.0.2.1N :eN on that switch
#             Frames go back where they came from (XDP_TX).
#
# The service address is 192.0.2.10 (2001:db8::10), reached through the balancer. Endpoint N answers
# "epN" over TLS with a certificate for CN=epN, so that one sees who answered.
#
# Two traps of veth that a real NIC does not have:
#  - Local TCP stacks hand half-done checksums and packets of 64 KB to a veth. A program that
#    rewrites addresses and sends the frame on would pass the broken checksum along: tx checksum,
#    TSO and GSO are off where packets start.
#  - Frames that XDP sends arrive only if the veth's other end runs NAPI. For redirected frames GRO
#    is enough; frames of XDP_TX are put into its ring, but it is not woken unless it has an XDP
#    program (with GRO alone they lie there until something else is sent, and a busy link stands
#    still): the far ends have one that passes everything.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${RRLB_BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$TOP/$BUILD ;; esac
VIP4=192.0.2.10 VIP6=2001:db8::10
# Configurations, logs, certificates; gone with the sandbox.
WORK=/run/work
declare -A PIDS=() SESSION_FD=()
# Impatient checks: tests wait for them.
HEALTH='health tls {
	interval 300ms; timeout 300ms; fast-interval 100ms; down-interval 300ms; rise 2; fall 2; }'

# In front of a command: run it as the first process of a sandbox; all that it starts dies with it.
# shellcheck disable=SC2034
SANDBOX=(unshare --mount --net --pid --fork --kill-child --mount-proc --propagation private)
# /usr/sbin may be missing from a user's PATH after su.
PATH=$PATH:/usr/sbin:/sbin

# net_init: private folders, empty ones over the host's, which stays as it is; call it first inside
# the sandbox
net_init() {
	mount -t tmpfs none /run
	mkdir -p /run/netns /run/rrlb "$WORK" /run/host-lib
	# What is installed stays known (scripts/deps asks).
	mount --bind /var/lib /run/host-lib
	mount -t tmpfs none /var/lib
	mkdir /var/lib/rrlb
	ln -s /run/host-lib/dpkg /var/lib/dpkg
	mount -t tmpfs -o size=1g none "$WORK"
	mount -t sysfs sys /sys
	mount -t bpf bpf /sys/fs/bpf
	ip link set lo up
}

# ns NAME COMMAND...: ip netns exec would put a new /sys over bpffs
ns() {
	local name=$1
	shift
	nsenter --net="/run/netns/$name" "$@"
}

# spawn KEY NAME COMMAND...: the same in the background; PIDS[KEY] is the command's own process
spawn() {
	local key=$1 name=$2
	shift 2
	# Without "<&0" a background command would get /dev/null instead of what spawn was given.
	nsenter --net="/run/netns/$name" "$@" <&0 &
	PIDS[$key]=$!
}

ns_add() {
	ip netns add "$1"
	ip -n "$1" link set lo up
	# No duplicate address detection: addresses work at once. No temporary addresses, no router
	# solicitations.
	ns "$1" sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0 \
		net.ipv6.conf.default.accept_ra=0 net.ipv6.conf.default.router_solicitations=0
}

# link NS IF PEER-NS PEER-IF: a veth pair, up
link() {
	ip link add "$2" netns "$1" type veth peer name "$4" netns "$3"
	ip -n "$1" link set "$2" up
	ip -n "$3" link set "$4" up
}

# addr NS IF V4/LEN V6/LEN
addr() {
	ip -n "$1" addr add "$3" dev "$2"
	ip -n "$1" addr add "$4" dev "$2" nodad
}

# host_offloads NS IF: packets start here: whole checksums, frames no larger than the MTU
host_offloads() {
	ns "$1" ethtool -K "$2" tx off tso off gso off >/dev/null 2>&1
}

# far_end NS IF: the other end sends by XDP
far_end() {
	ns "$1" ip link set dev "$2" xdpdrv obj "$BUILD/tests/net/xdp_pass.bpf.o" sec xdp
}

switch_up() {
	ns_add s
	ip -n s link add br0 type bridge mcast_snooping 0
	ip -n s link set br0 up
}

# plug NS IF: connect NS to the switch by interface IF
plug() {
	link "$1" "$2" s "p-$1-$2"
	ip -n s link set "p-$1-$2" master br0
}

# net_up two-arm|one-arm [ENDPOINTS]
net_up() {
	local topology=$1 n
	ENDPOINTS=${2:-3} TOPOLOGY=$topology
	ns_add c
	ns_add b
	switch_up
	case $topology in
	two-arm)
		link c c0 b b0
		plug b b1
		addr c c0 10.0.1.2/24 2001:db8:1::2/64
		addr b b0 10.0.1.1/24 2001:db8:1::1/64
		addr b b1 10.0.2.1/24 2001:db8:2::1/64
		far_end c c0
		far_end s p-b-b1
		IFACES="b0 b1" CLIENT4=10.0.1.2 CLIENT6=2001:db8:1::2 GW4=10.0.1.1 GW6=2001:db8:1::1
		;;
	one-arm)
		plug c c0
		plug b b0
		addr c c0 10.0.2.2/24 2001:db8:2::2/64
		addr b b0 10.0.2.1/24 2001:db8:2::1/64
		far_end s p-b-b0
		IFACES="b0" CLIENT4=10.0.2.2 CLIENT6=2001:db8:2::2 GW4=10.0.2.1 GW6=2001:db8:2::1
		;;
	*) fail "no topology '$topology'" ;;
	esac
	host_offloads c c0
	for n in $IFACES; do
		host_offloads b "$n"
	done
	ip -n c route add default via "$GW4"
	ip -n c route add default via "$GW6"
	# The balancer holds the service addresses, so that what rrlb passes is answered by its own
	# stack.
	ip -n b addr add "$VIP4/32" dev lo
	ip -n b addr add "$VIP6/128" dev lo nodad
	for n in $(seq "$ENDPOINTS"); do
		endpoint_up "$n"
	done
	export IFACES CLIENT4 CLIENT6 GW4 GW6 TOPOLOGY ENDPOINTS
}

ep4() { echo "10.0.2.$((10 + $1))"; }
ep6() { echo "2001:db8:2::$((10 + $1))"; }

endpoint_up() { # N
	ns_add "e$1"
	plug "e$1" e0
	addr "e$1" e0 "$(ep4 "$1")/24" "$(ep6 "$1")/64"
	ip -n "e$1" route add default via 10.0.2.1
	ip -n "e$1" route add default via 2001:db8:2::1
	host_offloads "e$1" e0
}

# dsr_endpoints: the service addresses on every endpoint's loopback, silent to ARP; the way back to
# the client leads past the balancer (they share the switch)
dsr_endpoints() {
	local n
	for n in $(seq "$ENDPOINTS"); do
		ns "e$n" sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
		ip -n "e$n" addr add "$VIP4/32" dev lo
		ip -n "e$n" addr add "$VIP6/128" dev lo nodad
	done
}

# ---- servers ----

# certificate N
certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
		-subj "/CN=ep$1" -addext "subjectAltName=DNS:ep$1,DNS:api.example" \
		-keyout "$WORK/ep$1.key" -out "$WORK/ep$1.crt" 2>/dev/null
}

# nginx_conf N PORT
nginx_conf() {
	cat <<-EOF
		pid $WORK/ep$1.pid;
		error_log $WORK/ep$1.log warn;
		master_process off;
		daemon off;
		events { worker_connections 4096; }
		http {
		    access_log off;
		    client_body_temp_path $WORK/ep$1.tmp;
		    proxy_temp_path $WORK/ep$1.tmp; fastcgi_temp_path $WORK/ep$1.tmp;
		    uwsgi_temp_path $WORK/ep$1.tmp; scgi_temp_path $WORK/ep$1.tmp;
		    keepalive_timeout 600s;
		    keepalive_requests 1000000;
		    client_max_body_size 0;
		    default_type text/plain;
		    server {
		        listen 0.0.0.0:$2 ssl backlog=4096;
		        listen [::]:$2 ssl ipv6only=on backlog=4096;
		        ssl_certificate $WORK/ep$1.crt;
		        ssl_certificate_key $WORK/ep$1.key;
		        ssl_protocols TLSv1.2 TLSv1.3;
		        root $WORK/ep$1.www;
		        location / { return 200 "ep$1\n"; }
		        location /who { return 200 "\$remote_addr\n"; }
		        location /file/ { }
		        location /up/ { dav_methods PUT; create_full_put_path on; }
		        # 40 KB in 5 s: a response that is under way for a while
		        location /slow/ { limit_rate 8k; }
		    }
		}
	EOF
}

# server_start N [PORT]: endpoint N's nginx; returns when it accepts
server_start() {
	local n=$1 port=${2:-8443}
	[ -e "$WORK/ep$n.crt" ] || certificate "$n"
	mkdir -p "$WORK/ep$n.tmp" "$WORK/ep$n.www/file" "$WORK/ep$n.www/up" "$WORK/ep$n.www/slow"
	chmod 777 "$WORK/ep$n.tmp" "$WORK/ep$n.www/up"
	head -c 40960 /dev/zero >"$WORK/ep$n.www/slow/40k"
	nginx_conf "$n" "$port" >"$WORK/ep$n.conf"
	spawn "ep$n" "e$n" nginx -e "$WORK/ep$n.log" -c "$WORK/ep$n.conf" \
		</dev/null >>"$WORK/ep$n.out" 2>&1
	wait_for 10 listening "e$n" "$port"
}

server_kill() { # N: at once, as a crash
	stop_pid "ep$1" KILL
}

servers_start() { # [PORT]
	local n
	for n in $(seq "$ENDPOINTS"); do
		certificate "$n"
		server_start "$n" "${1:-8443}"
	done
}

listening() { # NS PORT
	[ -n "$(ns "$1" ss -Hltn "sport = :$2")" ]
}

# ---- the balancer ----

# lb_conf [MODE] [FAMILY] [LINE...]: a configuration on standard output. MODE nat|dsr, FAMILY
# 4|6|46. Further lines go into every service. ATTACH, GLOBAL and WEIGHTS ("3 2 1") change the rest.
lb_conf() {
	local mode=${1:-nat} family=${2:-4} iface n i weight port=8443
	shift $(($# > 2 ? 2 : $#))
	[ "$mode" != dsr ] || port=443
	for iface in $IFACES; do
		echo "interface $iface { attach ${ATTACH:-link}; }"
	done
	[ -z "${GLOBAL:-}" ] || printf '%s\n' "$GLOBAL"
	for ((i = 0; i < ${#family}; i++)); do
		if [ "${family:$i:1}" = 4 ]; then
			echo "service web {"
			echo "    listen $VIP4:443"
		else
			echo "service web6 {"
			echo "    listen [$VIP6]:443"
		fi
		echo "    mode $mode"
		echo "    $HEALTH"
		[ $# -eq 0 ] || printf '    %s\n' "$@"
		for n in $(seq "$ENDPOINTS"); do
			weight=$(echo "${WEIGHTS:-}" | cut -d' ' -f"$n")
			if [ "${family:$i:1}" = 4 ]; then
				echo "    endpoint $(ep4 "$n"):$port${weight:+ weight $weight}"
			else
				echo "    endpoint [$(ep6 "$n")]:$port${weight:+ weight $weight}"
			fi
		done
		echo "}"
	done
}

# lb_start [OPTION...]: rrlbd on $WORK/rrlbd.conf; returns when it answers
# shellcheck disable=SC2120
lb_start() {
	spawn rrlbd b "$BUILD/rrlbd" -c "$WORK/rrlbd.conf" "$@" </dev/null >>"$WORK/rrlbd.log" 2>&1
	if ! wait_for 15 lb_answers; then
		tail -n 20 "$WORK/rrlbd.log"
		fail "rrlbd does not answer"
	fi
}

lb_answers() {
	alive rrlbd || fail "rrlbd ended: $(tail -n 5 "$WORK/rrlbd.log")"
	rrctl version >/dev/null 2>&1
}

lb_stop() {
	stop_pid rrlbd TERM
}

lb_kill() {
	stop_pid rrlbd KILL
}

rrctl() {
	"$BUILD/rrctl" "$@"
}

# field JQ-EXPRESSION RRCTL-ARGUMENTS...
field() {
	local expr=$1
	shift
	rrctl --json "$@" | jq -r "$expr"
}

endpoint_name() { # SERVICE N
	case $1 in
	*6) echo "$1/[$(ep6 "$2")]:${3:-8443}" ;;
	*) echo "$1/$(ep4 "$2"):${3:-8443}" ;;
	esac
}

# endpoints_up SERVICE COUNT: that many endpoints take new connections
endpoints_up() {
	[ "$(field '[.. | objects | select(.state? == "UP")] | length' endpoint list "$1")" = "$2" ]
}

# ep_field SERVICE N KEY [PORT]: one member of an endpoint's JSON
ep_field() {
	local want
	want=$(endpoint_name "$1" "$2" "${4:-8443}")
	field "[.. | objects | select(.endpoint? == \"${want#*/}\")][0].$3" endpoint list "$1"
}

ep_is() { # SERVICE N STATE [PORT]
	[ "$(ep_field "$1" "$2" state "${4:-8443}")" = "$3" ]
}

# svc_field SERVICE KEY
svc_field() {
	field "[.. | objects | select(.service? == \"$1\" and .vip?)][0].$2" service show "$1"
}

# attached IF -> "driver ID", "generic ID", or nothing
attached() {
	ip -j -n b -d link show "$1" | jq -r '
		{ "1": "driver", "2": "generic", "4": "multi" } as $mode | .[0].xdp // {} |
		if .prog then "\($mode[.mode | tostring] // .mode) \(.prog.id)" else empty end'
}

# lb [MODE] [FAMILY] [LINE...]: configure, start, wait until every endpoint is up
lb() {
	local family=${2:-4}
	lb_conf "$@" >"$WORK/rrlbd.conf"
	# shellcheck disable=SC2119
	lb_start
	lb_ready "$family"
}

lb_ready() { # FAMILY
	local service
	for service in web web6; do
		case $service:${1:-4} in
		web:*4* | web6:*6*)
			wait_for 10 endpoints_up $service "$ENDPOINTS" ||
				fail "endpoints of $service not up"
			;;
		esac
	done
}

# ---- clients ----

url() { # 4|6 PATH
	case $1 in
	4) echo "https://$VIP4/${2:-}" ;;
	6) echo "https://[$VIP6]/${2:-}" ;;
	esac
}

client() { # CURL-ARGUMENTS...
	ns c curl -sk --http1.1 --no-sessionid -m 20 --connect-timeout 5 "$@"
}

# connections COUNT [4|6]: that many new TLS connections, one after the other; prints who answered,
# one a line
connections() {
	client -H 'Connection: close' "$(url "${2:-4}")?[1-$1]"
}

# tally: lines of "epN" -> "ep1=100 ep2=100 ep3=100"
tally() {
	sort | uniq -c | awk '{ printf "%s%s=%s", (NR > 1 ? " " : ""), $2, $1 } END { print "" }'
}

# load_start NAME [4|6] [PARALLEL]: endless short TLS connections in the background, answers to
# $WORK/NAME.out ("epN", or "error CODE"), one line for each connection
load_start() {
	local name=$1 family=${2:-4} i
	: >"$WORK/$name.out"
	rm -f "$WORK/$name.stop"
	for i in $(seq "${3:-2}"); do
		load_loop "$name" "$family" &
		PIDS[$name-$i]=$!
	done
}

load_loop() { # NAME FAMILY
	local answer code
	set +eE
	trap - ERR EXIT
	while [ ! -e "$WORK/$1.stop" ]; do
		answer=$(client -m 10 -H 'Connection: close' "$(url "$2")")
		code=$?
		[ $code -eq 0 ] || answer="error $code"
		echo "$answer" >>"$WORK/$1.out"
	done
}

load_stop() { # NAME
	local key
	touch "$WORK/$1.stop"
	for key in "${!PIDS[@]}"; do
		case $key in
		"$1"-*)
			wait "${PIDS[$key]}" || true
			unset "PIDS[$key]"
			;;
		esac
	done
}

load_errors() { # NAME
	grep -c '^error' "$WORK/$1.out" || true
}

load_count() { # NAME
	wc -l <"$WORK/$1.out"
}

# session_open NAME [4|6]: one TLS connection that stays open; session_get asks on it
session_open() {
	local to=$VIP4 fd
	[ "${2:-4}" = 4 ] || to="[$VIP6]"
	rm -f "$WORK/$1.in"
	mkfifo "$WORK/$1.in"
	: >"$WORK/$1.out"
	# Read and write, so that neither end waits for the other to open; our copy keeps the
	# session's input open.
	exec {fd}<>"$WORK/$1.in"
	# shellcheck disable=SC2094
	spawn "$1" c openssl s_client -quiet -connect "$to:443" \
		<"$WORK/$1.in" >"$WORK/$1.out" 2>"$WORK/$1.err"
	SESSION_FD[$1]=$fd
}

# session_get NAME -> who answered ("ep2"); fails when nobody does within 5 s
session_get() {
	local before fd=${SESSION_FD[$1]}
	before=$(grep -ac '^ep' "$WORK/$1.out" || true)
	# In a subshell: when the other end is gone, SIGPIPE shall end only that.
	(printf 'GET / HTTP/1.1\r\nHost: api.example\r\n\r\n' >&"$fd") 2>/dev/null || return 1
	wait_for 5 session_answered "$1" "$before" || return 1
	grep -a '^ep' "$WORK/$1.out" | tail -n 1
}

session_answered() { # NAME ANSWERS-BEFORE
	[ "$(grep -ac '^ep' "$WORK/$1.out")" -gt "$2" ]
}

session_close() { # NAME
	local fd=${SESSION_FD[$1]}
	exec {fd}>&-
	kill "${PIDS[$1]}" 2>/dev/null || true
	wait "${PIDS[$1]}" 2>/dev/null || true
	unset "PIDS[$1]" "SESSION_FD[$1]"
}

# ---- waiting, asserting ----

alive() { # NAME
	kill -0 "${PIDS[$1]}" 2>/dev/null
}

stop_pid() { # NAME SIGNAL
	kill "-$2" "${PIDS[$1]}"
	wait "${PIDS[$1]}" 2>/dev/null || true
	unset "PIDS[$1]"
}

# wait_for SECONDS COMMAND...: until it succeeds
wait_for() {
	local end=$((SECONDS + $1 + 1))
	shift
	while ! "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}

fail() {
	echo "FAIL: $*" >&2
	exit 1
}

skip() {
	echo "SKIP: $*"
	exit 77
}

# same WHAT WANTED GOT
same() {
	[ "$2" = "$3" ] || fail "$1: wanted '$2', got '$3'"
	echo "$1: $3"
}

# between WHAT LOWEST HIGHEST GOT
between() {
	if [ "$4" -lt "$2" ] || [ "$4" -gt "$3" ]; then
		fail "$1: wanted $2 to $3, got $4"
	fi
	echo "$1: $4"
}

# verdict NAME: packets counted under this verdict
verdict() {
	bpftool -j map dump pinned /sys/fs/bpf/rrlb/verdicts_v* |
		jq "[.[$(verdict_id "$1")].formatted.values[].value] | add"
}

verdict_id() {
	awk -v want="$1," '/^\tX\(/ { n++; if ($2 == want) { print n; exit } }' \
		"$TOP/include/rr_verdict.h"
}
