# What every test against the kernel's WireGuard sources:  . "$(dirname "$0")/kernel-guest-lib.sh"
# It sources tests/e2e/lib.sh; what is there is not repeated here.
#
# The kernel runs in a QEMU guest (see kernel-guest), the program under test on host "a" of a
# laboratory whose only wire leads to the guest:
#
#     a: guest0  192.0.2.1     2001:db8::1     ---   192.0.2.2     2001:db8::2     eth0: guest
#        kgv     198.51.100.1  2001:db8:51::1  ===   198.51.100.2  2001:db8:51::2  wg0
#
#   guest_start               boots the guest, or skips the test where there can be none
#   near CMD…, guest CMD…     runs CMD on host a, in the guest;  guest_sh TEXT  as shell text
#   near_up …, far_up …       starts either end anew; near_down
#   check TEXT CMD…           as expect, with a description, and with both ends' logs on failure
#   link_works                what must be true of every link
# The rest is described where it stands.
#
# Environment: NEAR=wireguard-go puts that in vpnd's place, which shows what a test is worth; and
# that of lib.sh and kernel-guest. Needs qemu-system-x86, busybox-static, wireguard-tools, iperf3,
# cpio and apt besides what lib.sh needs.
# shellcheck shell=bash
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../e2e/lib.sh
. "$here/../e2e/lib.sh"

near_port=51821
far_port=51820
with_vpnd=yes
if [[ ${NEAR:-vpnd} != vpnd ]]; then with_vpnd=''; fi

# --- reports --------------------------------------------------------------------------------------

# What both ends have said last, for the reader of a failure.
show_logs() {
	{
		echo "near end:"
		tail -n 12 "$(log_path a kgv)"
		echo "guest's kernel:"
		guest dmesg | tail -n 12
		guest wg show wg0
	} 2>&1 | sed 's/^/        | /'
}

# check TEXT CMD…: as expect, but described by TEXT, and with the logs when it fails.
check() {
	local text=$1
	shift
	if "$@" >"$WORK/check.out" 2>&1; then
		pass "$text"
	else
		fail "$text ($*)"
		tail -n 5 "$WORK/check.out" | sed 's/^/        | /'
		show_logs
	fi
}

not() { ! "$@"; }
equal() { [[ $1 == "$2" ]] || { echo "'$1' is not '$2'"; return 1; }; }
at_least() { [[ $1 -ge $2 ]] || { echo "'$1' is less than $2"; return 1; }; }

# --- the two ends ---------------------------------------------------------------------------------

near() { host a "$@"; }
guest() { "$here/kernel-guest" exec "$WORK/guest" "$@"; }
guest_sh() { guest sh -c "$1"; }

# far_up [psk=FILE-TEXT] [endpoint=A:P] [keepalive=N] [peer=KEY]: a fresh wg0 in the guest.
far_up() {
	local psk='' endpoint='' keepalive=0 peer=$near_public item extra=''
	for item; do local "${item%%=*}=${item#*=}"; done
	[[ -z $psk ]] || extra+=" preshared-key /run/psk"
	[[ -z $endpoint ]] || extra+=" endpoint $endpoint"
	guest_sh "set -e
		ip link del wg0 2>/dev/null || true
		dmesg -c >/dev/null
		echo '$psk' >/run/psk
		ip link add wg0 type wireguard
		wg set wg0 listen-port $far_port private-key /run/key peer '$peer' \
			allowed-ips 198.51.100.1/32,2001:db8:51::1/128 \
			persistent-keepalive $keepalive $extra
		ip addr add 198.51.100.2/24 dev wg0
		ip addr add 2001:db8:51::2/64 dev wg0 nodad
		ip link set wg0 up" || die "the guest's WireGuard could not be set up"
}

# near_up [psk=KEY] [endpoint=A:P] [keepalive=N]: the program under test, on host a.
near_up() {
	local psk='' endpoint='' keepalive='' item
	for item; do local "${item%%=*}=${item#*=}"; done
	near_down
	write_link a kgv <<-END
		[Interface]
		PrivateKey = $near_private
		ListenPort = $near_port
		${with_vpnd:+Address = 198.51.100.1/24, 2001:db8:51::1/64}
		${with_vpnd:+MTU = 1420}
		[Peer]
		PublicKey = $far_public
		AllowedIPs = 198.51.100.2/32, 2001:db8:51::2/128
		${psk:+PresharedKey = $psk}
		${endpoint:+Endpoint = $endpoint}
		${keepalive:+PersistentKeepalive = $keepalive}
	END
	if [[ $with_vpnd ]]; then
		start_vpnd a kgv
		wait_for 5 near_is_up || die "vpnd did not give its interface the address"
	else
		start_wireguard_go
	fi
}

start_wireguard_go() {
	spawn a kgv env LOG_LEVEL=verbose WG_PROCESS_FOREGROUND=1 wireguard-go kgv
	wait_for 10 near test -S /run/wireguard/kgv.sock || die "wireguard-go did not start"
	near wg setconf kgv "$(link_path a kgv)"
	near ip addr add 198.51.100.1/24 dev kgv
	near ip addr add 2001:db8:51::1/64 dev kgv nodad
	near ip link set kgv up
}

near_is_up() { near ip -o addr show dev kgv up | grep -q 2001:db8:51::1; }
near_down() { [[ $(pid_of a kgv) == 0 ]] || stop_vpnd a kgv; }

# Nothing here has to undo this: the guest lives in host a's network namespace, and ends with the
# laboratory in lib.sh's trap.
guest_start() {
	local reason status=0
	[[ -c /dev/net/tun ]] || skip "needs /dev/net/tun"
	[[ $with_vpnd ]] || command -v wireguard-go >/dev/null || skip "no wireguard-go here"
	reason=$("$here/kernel-guest" build 2>&1) || status=$?
	[[ $status -ne 77 ]] || skip "$reason"
	[[ $status -eq 0 ]] || die "the guest could not be built: $reason"
	lab_up 2
	near ip link del eth0
	"$here/kernel-guest" start "$WORK/guest" "$LAB-a" || die "the guest could not be started"
	near_private=$(wg genkey)
	near_public=$(wg pubkey <<<"$near_private")
	psk=$(wg genpsk)
	far_public=$(guest_sh 'umask 077; wg genkey >/run/key; wg pubkey </run/key')
	guest_sh 'nc -ll -p 7000 -e /bin/sha256sum >/dev/null 2>&1 &
		nc -ll -p 7001 -e /bin/cat /run/blob >/dev/null 2>&1 &'
	fresh_content 1024
}

# --- what the guest says --------------------------------------------------------------------------

# The figures of the guest's one peer, by the names of their columns in `wg show dump`.
far_figure() {
	local column
	case $1 in
	endpoint) column=3 ;;
	handshake) column=5 ;;
	received) column=6 ;;
	sent) column=7 ;;
	esac
	guest wg show wg0 dump | awk -v c="$column" 'NR == 2 { print $c }'
}

received_more_than() { [[ $(far_figure received) -gt $1 ]]; }

# Packets that the kernel's WireGuard refused: undecryptable, replayed, from a wrong inner address.
far_refused() {
	guest_sh 'cd /sys/class/net/wg0/statistics; cat rx_errors rx_dropped rx_frame_errors' |
		awk '{ n += $1 } END { print n }'
}

# guest_said TEXT: how often the guest's kernel has logged TEXT since far_up.
guest_said() { guest dmesg | grep -c -e "$1" || true; }
guest_said_more_than() { [[ $(guest_said "$2") -gt $1 ]]; }

# Session keys that the guest's kernel says it made.
n_handshakes_in_guest() { guest_said 'Keypair .* created'; }

# netem ARGS…: the same fault on what the guest sends and, through an ifb, on what it receives.
netem() {
	guest_sh "set -e
		ip link set ifb0 up
		tc qdisc del dev eth0 root 2>/dev/null || true
		tc qdisc del dev eth0 ingress 2>/dev/null || true
		tc qdisc del dev ifb0 root 2>/dev/null || true
		[ '$1' != off ] || exit 0
		tc qdisc add dev eth0 root netem $*
		tc qdisc add dev ifb0 root netem $*
		tc qdisc add dev eth0 ingress
		tc filter add dev eth0 ingress matchall action mirred egress redirect dev ifb0"
}

# near_refused_nothing: ends vpnd, which then prints its counters. None of them may be one of
# messages or packets that it refused, since all that it got here came from the kernel's WireGuard.
near_refused_nothing() {
	[[ $with_vpnd ]] || return 0
	near_down
	grep -q 'status: messages, data:' "$(log_path a kgv)" || {
		echo "vpnd has printed no counters"
		return 1
	}
	not grep -E 'status: (no message|received, |messages, )' <(grep -vE \
		'messages, (initiation answered|response|data|keepalive|cookie stored):' \
		"$(log_path a kgv)")
}

# --- traffic --------------------------------------------------------------------------------------

ping_far() { near ping -n -q -c 3 -i 0.05 -W 6 "$@"; }
ping_near() { guest ping -q -c 3 -i 0.05 -W 6 "$1"; }

far_answers() { near ping -n -q -c 1 -W 1 198.51.100.2; }
near_answers() { guest ping -q -c 1 -W 1 198.51.100.1; }

# Every inner size that pads or fills differently, unfragmented, up to the MTU of 1420.
ping_sizes() {
	local size
	for size in 0 1 3 4 5 15 16 17 500 1375 1376 1391 1392; do
		near ping -n -q -c 1 -W 3 -M "do" -s "$size" 198.51.100.2 || return 1
	done
	for size in 0 1 7 8 9 16 1371 1372; do
		near ping -n -q -c 1 -W 3 -M "do" -s "$size" 2001:db8:51::2 || return 1
	done
}

# The guest answers on port 7000 with the SHA-256 of what it is sent, and serves /run/blob on 7001.
tcp_to_far() {
	equal "$(near timeout 60 busybox nc "$1" 7000 <"$WORK/blob" | cut -c 1-64)" "$near_sum"
}

tcp_from_far() {
	equal "$(near timeout 60 busybox nc "$1" 7001 </dev/null | sha256sum | cut -c 1-64)" "$far_sum"
}

tcp_both_ways() {
	check "TCP to the guest at $1, $blob_kib KiB, content equal" tcp_to_far "$1"
	check "TCP from the guest at $1, $blob_kib KiB, content equal" tcp_from_far "$1"
}

# fresh_content KIB: new random bytes on both sides.
fresh_content() {
	blob_kib=$1
	head -c $((blob_kib * 1024)) /dev/urandom >"$WORK/blob"
	near_sum=$(sha256sum <"$WORK/blob" | cut -c 1-64)
	far_sum=$(guest_sh "dd if=/dev/urandom of=/run/blob bs=1k count=$blob_kib 2>/dev/null
		sha256sum </run/blob" | cut -c 1-64)
}

# n_answered ADDRESS COUNT INTERVAL: how many of COUNT pings were answered.
n_answered() {
	near ping -n -c "$2" -i "$3" -W 5 "$1" >"$WORK/ping.out" 2>&1 || true
	awk '/packets transmitted/ { print $4 }' "$WORK/ping.out"
}

# What must be true of every link that works: traffic inside, figures, and nothing refused.
link_works() {
	check "inner IPv4 from the guest" ping_near 198.51.100.1
	check "inner IPv4 from vpnd" ping_far 198.51.100.2
	check "inner IPv6 from the guest" ping_near 2001:db8:51::1
	check "inner IPv6 from vpnd" ping_far 2001:db8:51::2
	check "the guest shows a handshake" at_least "$(far_figure handshake)" 1
	check "the guest counts what it received" at_least "$(far_figure received)" 1000
	check "the guest counts what it sent" at_least "$(far_figure sent)" 1000
	check "the kernel refused no packet of ours" equal "$(far_refused)" 0
}
