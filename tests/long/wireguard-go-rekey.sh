# The body of the tests 31x-wireguard-go-rekey-…: rekeys in real time against wireguard-go.
#
#   rekeys initiator|responder      vpnd's role
#
# Two links at once, outer IPv4 with inner IPv4 and outer IPv6 with inner IPv6, each with 1,000
# datagrams a second in each direction for 265 seconds: the sessions are renewed at 120 and at 240
# seconds. Asserted: exactly three handshakes for each link, all begun by the same end, besides
# those that wireguard-go repeats although it had the response (its log says so: it sets the timer
# after sending, which a quick response can overtake); no datagram twice, altered, or out of order;
# none lost but those that wireguard-go was too slow to take from its socket or its interface, which
# the kernel counts. On a quiet machine that is none. Then both ends are left alone: what a passive
# keepalive explains may pass for 25 seconds, and after that nothing at all.
#
# Environment: RATE, LASTS (seconds) for a shorter or harder run by hand.
# shellcheck shell=bash
# shellcheck source=../interop/wireguard-go.sh
. "$(dirname "$0")/../interop/wireguard-go.sh"

RATE=${RATE:-1000}
LASTS=${LASTS:-265}

# What a message's type is, in a filter for either family.
of_type() {
	echo "(ip and udp[8] == $1) or (ip6 and ip6[48] == $1)"
}

# A second link beside the one that wgo_pair writes: other names, port, and inner networks.
second_link() {
	local where
	for where in a b; do
		sed 's/10\.9\.0\./10.9.6./g; s/fd09::/fd09:6::/g; s/51820/51826/' \
			"$(link_path "$where" site)" | write_link "$where" site6
	done
}

# start_link LINK FAR-DEVICE: vpnd and wireguard-go for it.
start_link() {
	local link=$1 device=$2 address
	start_vpnd a "$link"
	wgo_spawn b "$device"
	sed '/^Address/d' "$(link_path b "$link")" | host b wg setconf "$device" /dev/stdin
	for address in $(sed -n 's/^Address = //p' "$(link_path b "$link")" | tr -d ,); do
		host b ip address add "$address" dev "$device"
	done
	host b ip link set "$device" up
}

# Datagrams that found a full socket on b, and packets that found a full interface there.
far_drops() {
	host b awk '/^Udp: [0-9]/ { n += $6 } /^Udp6RcvbufErrors/ { n += $2 }
		FILENAME ~ /tx_dropped/ { n += $1 } END { print n }' /proc/net/snmp /proc/net/snmp6 \
		/sys/class/net/wg0/statistics/tx_dropped /sys/class/net/wg6/statistics/tx_dropped
}

# wire FAMILY PORT FAR-DEVICE: what must have been on the wire of one link.
wire() {
	local family=$1 port=$2 from=outer$1 here=a there=b n=$((1 + LASTS / 120)) again
	if [[ $role == responder ]]; then
		here=b there=a
		again=$(grep -c 'Handshake did not complete' "$WORK/b/$3.log") || true
		n=$((n + again))
	fi
	eq "$(capture_count handshakes "src $($from $here) and udp port $port and ($(of_type 1))")" $n \
		"IPv$family: initiations from $here"
	eq "$(capture_count handshakes "src $($from $there) and udp port $port and ($(of_type 1))")" 0 \
		"IPv$family: initiations from $there"
	eq "$(capture_count handshakes "src $($from $there) and udp port $port and ($(of_type 2))")" $n \
		"IPv$family: responses from $there"
	tcpdump -tt -n -r "$WORK/handshakes.pcap" "udp port $port" 2>/dev/null | cut -c1-90
}

rekeys() {
	role=$1
	local count=$((RATE * LASTS)) begins=a answers=b name where before
	local n_lost=0 received lost twice altered disordered

	wgo_lab
	[[ $role == initiator ]] || { begins=b answers=a; }
	wgo_pair "$role" 6
	second_link
	wgo_pair "$role" 4
	capture_start b eth0 handshakes "($(of_type 1)) or ($(of_type 2)) or ($(of_type 3))"
	start_link site wg0
	start_link site6 wg6
	within 5 host $begins ping -n -q -c 1 -W 1 "$(inner4 $answers)"
	within 5 host $begins ping -n -q -c 1 -W 1 "$(inner6 $answers | sed s/::/:6::/)"

	step "$RATE datagrams a second each way for $LASTS s on both links, vpnd is $role"
	declare -A address=([a4]=$(inner4 a) [b4]=$(inner4 b) [a6]=fd09:6::1 [b6]=fd09:6::2)
	for name in a4 b4 a6 b6; do
		listener ${name%?} "count$name" udp-count "${address[$name]}" 7001 "$count" 5
	done
	before=$(far_drops)
	spawn a to_b4 /usr/bin/python3 "$traffic" udp-send "${address[b4]}" 7001 "$count" "$RATE"
	spawn a to_b6 /usr/bin/python3 "$traffic" udp-send "${address[b6]}" 7001 "$count" "$RATE"
	spawn b to_a4 /usr/bin/python3 "$traffic" udp-send "${address[a4]}" 7001 "$count" "$RATE"
	spawn b to_a6 /usr/bin/python3 "$traffic" udp-send "${address[a6]}" 7001 "$count" "$RATE"
	for name in a4 b4 a6 b6; do
		ended ${name%?} "count$name" $((LASTS + 60))
		where=$WORK/${name%?}/count$name.log
		read -r received _ lost _ twice _ altered _ disordered _ <<<"$(sed -n 2p "$where")"
		eq "$((received + lost))" "$count" "at ${name%?}, IPv${name#?}: received and lost"
		eq "$twice $altered $disordered" "0 0 0" "twice, altered, out of order"
		echo "    $received received, $lost lost"
		n_lost=$((n_lost + lost))
		sed -n '3,12p' "$where"
	done
	echo "    wireguard-go's side dropped $(($(far_drops) - before))"
	expect test $n_lost -le $(($(far_drops) - before))
	for name in a/to_b4 a/to_b6 b/to_a4 b/to_a6; do
		ended "${name%/*}" "${name#*/}" 10
	done

	step "silence"
	capture_start b eth0 settling udp
	# Nothing may come for a while: here time itself is what is waited for.
	sleep 25
	capture_stop settling
	capture_start b eth0 silence udp
	sleep 30
	capture_stop silence
	eq "$(capture_count silence)" 0 "packets from 25 to 55 s after the traffic"
	# At most one passive keepalive from each end of each link: 32 bytes.
	eq "$(capture_count settling "not udp[4:2] == 40 and not ip6")" 0 "other than keepalives, IPv4"
	eq "$(capture_count settling "ip6 and not ip6[44:2] == 40")" 0 "other than keepalives, IPv6"
	expect test "$(capture_count settling)" -le 4

	step "handshakes"
	capture_stop handshakes
	wire 4 51820 wg0
	wire 6 51826 wg6
	refute log_has a 'nothing came back|no answer'
	expect can_ping $begins "$(inner4 $answers)"
}
