# What every test against wireguard-go sources:  . "$(dirname "$0")/wireguard-go.sh"
# It sources tests/e2e/lib.sh; what is there is not repeated here.
#
#   a ------ eth0 ------ b
#   site                 wg0
#   vpnd                 wireguard-go, set up with wg
#   10.9.0.1, fd09::1    10.9.0.2, fd09::2
#
#   wgo_lab                   two hosts and keys, or skips the test
#   wgo_pair ROLE 4|6 [PSK_A [PSK_B]]   files of both ends; ROLE is vpnd's. Only the initiator knows
#                             where the other is. The PSKs are names given to new_psk
#   both_start, both_stop, near_start, near_stop [SIGNAL], far_start, far_stop [SIGNAL]
#   first_ping                one echo from the end that has to begin
#   far_handshake, far_age, far_rx, far_tx, far_endpoint    what wg says on b
#   far_set ARG…              wg set wg0 peer (the peer) ARG…
#   same_mtu                  gives b's interface the MTU of a's
#   carries                   everything that must pass a link that works
#   capture_anew HOST DEVICE NAME [FILTER…]   capture_start for a name that was used before
#   captured NAME [FILTER…]   whether a capture has such a packet yet
#   says HOST TEXT            the daemon on HOST logs TEXT within 15 s
#   seconds_until LIMIT CMD…  polls CMD; whole milliseconds until it succeeded, in TOOK_MS
#
# Environment:
#   WGO=PROGRAM         the wireguard-go to test against (default: the installed one)
#   NEAR=wireguard-go   puts WGO in vpnd's place too, which shows what a test is worth
# shellcheck shell=bash
interop=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../e2e/lib.sh
. "$interop/../e2e/lib.sh"

WGO=${WGO:-wireguard-go}
NEAR=${NEAR:-vpnd}
TOOK_MS=0

wgo_lab() {
	local tool
	for tool in "$WGO" wg tcpdump; do
		command -v "$tool" >/dev/null || skip "$tool is not installed"
	done
	[[ -x $VPND_BIN ]] || die "$VPND_BIN is not there; build it first"
	lab_up "${1:-2}"
	keys a b
	new_psk one
	new_psk other
}

# --- both ends ----------------------------------------------------------------------------------

# shellcheck disable=SC2034  # write_pair reads them
wgo_pair() {
	local role=$1 family=$2 psk_a=${3:-} psk_b=${4:-${3:-}} silent=b
	local PEER_A=${PEER_A:-} PEER_B=${PEER_B:-}
	[[ -z $psk_a ]] || PEER_A+=$'\n'"PresharedKey = ${PSK[$psk_a]}"
	[[ -z $psk_b ]] || PEER_B+=$'\n'"PresharedKey = ${PSK[$psk_b]}"
	write_pair site "$family"
	[[ $role == initiator ]] || silent=a
	sed -i /^Endpoint/d "$(link_path "$silent" site)"
	first=a second=b
	[[ $role == initiator ]] || first=b second=a
}

n_listening() {
	grep -c 'UAPI listener started' "$1" 2>/dev/null
}

listening_again() {
	[[ $(n_listening "$1") -gt $2 ]]
}

# wgo_spawn HOST DEVICE: a wireguard-go that wg can talk to. Its log tells when: wg must not be
# asked, because it removes a socket on which nobody listens yet.
wgo_spawn() {
	local log=$WORK/$1/$2.log before
	before=$(n_listening "$log") || before=${before:-0}
	spawn "$1" "$2" env LOG_LEVEL=verbose "$WGO" -f "$2"
	wait_for 10 listening_again "$log" "$before" || die "no wireguard-go on $1"
}

# wireguard_go HOST DEVICE: with what HOST's file for the link says, as far as wg knows it.
wireguard_go() {
	local where=$1 device=$2 conf address
	conf=$(link_path "$where" site)
	wgo_spawn "$where" "$device"
	sed '/^Address/d' "$conf" | host "$where" wg setconf "$device" /dev/stdin
	for address in $(sed -n 's/^Address = //p' "$conf" | tr -d ,); do
		host "$where" ip address add "$address" dev "$device"
	done
	host "$where" ip link set "$device" up
}

far_start() {
	wireguard_go b wg0
}

# vpnd takes the MTU from the way to the peer as soon as it knows one, wireguard-go does not.
same_mtu() {
	host b ip link set wg0 mtu "$(host a cat /sys/class/net/site/mtu)"
}

near_start() {
	if [[ $NEAR == vpnd ]]; then start_vpnd a site; else wireguard_go a site; fi
}

far_stop() {
	local key=b/wg0 pid
	pid=${PID[$key]}
	kill "-${1:-TERM}" "$pid"
	wait_for 5 dead "$pid" || kill -KILL "$pid"
	reap "$key"
}

near_stop() {
	stop_vpnd a site "$@"
}

both_start() {
	near_start
	far_start
}

both_stop() {
	near_stop
	far_stop
}

first_ping() {
	can_ping "$first" "$(inner4 "$second")" "$@"
}

# --- what wg says on b ----------------------------------------------------------------------------

far_column() {
	host b wg show wg0 "$1" | cut -f"$2"
}

far_handshake() { far_column latest-handshakes 2; }
far_rx() { far_column transfer 2; }
far_tx() { far_column transfer 3; }
far_endpoint() { far_column endpoints 2; }
far_age() { echo $(($(date +%s) - $(far_handshake))); }

far_set() {
	host b wg set wg0 peer "${PUBLIC[a]}" "$@"
}

no_handshake() {
	[[ $(far_handshake) == 0 ]]
}

# between LOW VALUE HIGH
between() {
	[[ $2 -ge $1 && $2 -le $3 ]]
}

says() {
	[[ $NEAR == vpnd || $1 != a ]] || return 0
	within 15 log_has "$1" "$2"
}

seconds_until() {
	local limit=$1 begun
	shift
	begun=$(now_us)
	wait_for "$limit" "$@" || fail "not within $limit s: $*"
	# shellcheck disable=SC2034  # for the tests
	TOOK_MS=$((($(now_us) - begun) / 1000))
}

# capture_anew HOST DEVICE NAME [FILTER…]: capture_start for a name that was used before; what the
# last one has left must not look like the new one's.
capture_anew() {
	rm -f "$WORK/$1/capture-$3.log" "$WORK/$3.pcap"
	capture_start "$@"
}

# captured NAME [FILTER…]: whether the capture has such a packet; it may still be running.
captured() {
	[[ $(capture_count "$@") -gt 0 ]]
}

# --- traffic --------------------------------------------------------------------------------------

traffic=$interop/wireguard-go-traffic.py

inner() {
	if [[ $2 == 4 ]]; then inner4 "$1"; else inner6 "$1"; fi
}

listens() {
	grep -q listening "$WORK/$1/$2.log"
}

# listener HOST NAME ARG…: the receiving half of wireguard-go-traffic.py, ready.
listener() {
	local where=$1 name=$2
	shift 2
	rm -f "$WORK/$where/$name.log"
	spawn "$where" "$name" /usr/bin/python3 "$traffic" "$@"
	wait_for 10 listens "$where" "$name" || die "no listener on $where"
}

# Waits for a program of spawn to end by itself; its exit code in STATUS.
ended() {
	local key=$1/$2 limit=${3:-60}
	wait_for "$limit" dead "${PID[$key]}" || kill -KILL "${PID[$key]}"
	reap "$key"
}

tcp_both_ways() {
	local from=$1 to=$2 family=$3 address
	address=$(inner "$to" "$family")
	listener "$to" tcp tcp-listen "$address" 7000 4000000
	expect host "$from" /usr/bin/python3 "$traffic" tcp-connect "$address" 7000 4000000
	ended "$to" tcp
	eq "$STATUS" 0 "TCP over IPv$family from $from, content at $to: exit code"
}

# Where a datagram can be dropped on the way, as the kernel counts it.
drops() {
	local where device
	for where in a b; do
		device=site
		[[ $where == a ]] || device=wg0
		host "$where" awk -v at="$where" '/^Udp: [0-9]/ {
			printf "%s: full socket buffers, IPv4: %d receiving, %d sending; ", at, $6, $7
		}' /proc/net/snmp
		host "$where" awk '/^Udp6(Rcv|Snd)bufErrors/ { printf "%s %d; ", $1, $2 }' /proc/net/snmp6
		host "$where" sh -c 'cd "/sys/class/net/$0/statistics" && echo "$0 dropped: rx" \
			"$(cat rx_dropped)" tx "$(cat tx_dropped)"' "$device"
	done
}

udp_small() {
	local from=$1 to=$2 family=$3 address
	drops >"$WORK/drops"
	address=$(inner "$to" "$family")
	listener "$to" udp udp-count "$address" 7001 2000
	host "$from" /usr/bin/python3 "$traffic" udp-send "$address" 7001 2000 1000 >"$WORK/sent"
	ended "$to" udp
	eq "$(sed -n 2p "$WORK/$to/udp.log")" \
		"2000 received, 0 lost, 0 twice, 0 altered, 0 out of order" \
		"2000 datagrams over IPv$family from $from"
	grep -q ' 0 lost' "$WORK/$to/udp.log" || {
		cat "$WORK/sent"
		sed -n '3,$p' "$WORK/$to/udp.log"
		drops | diff "$WORK/drops" - || true
		cat "$WORK/a/site.log"
	}
}

# Every 13th size and the last ones: the step is odd, so all paddings occur.
sizes() {
	local from=$1 to=$2 family=$3 head=48 mtu program=$ROOT/tests/e2e/ping_sizes.py
	[[ $family == 6 ]] || head=28
	mtu=$(host a cat /sys/class/net/site/mtu)
	expect host "$from" /usr/bin/python3 "$program" "$(inner "$to" "$family")" 0 $((mtu - head)) 13
	expect host "$from" /usr/bin/python3 "$program" "$(inner "$to" "$family")" \
		$((mtu - head - 17)) $((mtu - head))
}

# A checksum of 0 says "none"; where the sum is 0 it must be transmitted as ffff.
checksum_zero() {
	local from=$1 to=$2 family=$3 address
	address=$(inner "$to" "$family")
	listener "$to" udp udp-count "$address" 7001 100 1
	host "$from" /usr/bin/python3 "$traffic" udp-send "$address" 7001 100 1000 64 0 >/dev/null
	ended "$to" udp
	eq "$(sed -n 2p "$WORK/$to/udp.log")" \
		"100 received, 0 lost, 0 twice, 0 altered, 0 out of order" \
		"100 datagrams over IPv$family from $from whose sum is 0"
}

carries() {
	same_mtu
	expect can_ping a "$(inner4 b)"
	expect can_ping a "$(inner6 b)"
	expect can_ping b "$(inner4 a)"
	expect can_ping b "$(inner6 a)"
	sizes a b 4
	sizes b a 6
	tcp_both_ways a b 4
	tcp_both_ways b a 6
	udp_small a b 4
	udp_small b a 4
	udp_small a b 6
	udp_small b a 6
	# Not from b: see wireguard-go-traffic.py.
	checksum_zero a b 4
	checksum_zero a b 6
}

# What wg counts is what passed, with 32 to 64 bytes more for each packet and the handshakes.
wg_figures_plausible() {
	local statistics=/sys/class/net/wg0/statistics packets bytes way
	eq "$(host b wg show wg0 peers)" "${PUBLIC[a]}" "wg's peer"
	expect between 0 "$(far_age)" 100
	for way in rx tx; do
		packets=$(host b cat "$statistics/${way}_packets")
		bytes=$(host b cat "$statistics/${way}_bytes")
		# Without segmentation every packet is one message; with it, one of many.
		expect between "$bytes" "$("far_$way")" $((bytes + bytes / 8 + packets * 64 + 20000))
	done
}
