# Two hosts, two links between them on underlays of their own, and BIRD on both, for tests that
# source this after lib.sh.
#
#   a ---- eth0: IPv4 ---- b     link fast: 10.9.1.1/30, fe80::1   10.9.1.2/30, fe80::2
#     ---- eth1: IPv6 ----       link slow: 10.9.2.1/30, fe80::1   10.9.2.2/30, fe80::2
#   networks behind the hosts (on lo): a 172.20.1.1, fd20:1::1   b 172.20.2.1, fd20:2::1
#
# Functions (and those of lib.sh)
#   two_links              laboratory and both links; AllowedIPs are everything, Table is off
#   start_bird H           runs BIRD with the configuration on stdin after what all need
#   bird H WORD…           asks it
#   behind4 H, behind6 H   the address of the network behind the host
#   cut DEVICE, mend DEVICE   takes the underlay away in the middle, both ways; gives it back
#   goes H LINK ADDRESS    whether the host's way to the address is that link
#   slow_down              both underlays carry 50 Mbit/s, so that a stream leaves room
#   hold_stream NAME ADDRESS SECONDS   TCP both ways between the networks, in the background
#   stream_held NAME SECONDS           it has ended well, all bytes compared
#   failover               both families move when fast is cut, and come back; TCP goes on
# shellcheck shell=bash

number_of() {
	case $1 in a) echo 1 ;; b) echo 2 ;; esac
}

behind4() {
	echo "172.20.$(number_of "$1").1"
}

behind6() {
	echo "fd20:$(number_of "$1")::1"
}

# two_files LINK NET ENDPOINT-A ENDPOINT-B
two_files() {
	local here there endpoint
	for here in a b; do
		if [[ $here == a ]]; then there=b endpoint=$4; else there=a endpoint=$3; fi
		write_link "$here" "$1" <<-END
			[Interface]
			PrivateKey = ${PRIVATE[$here]}
			Address = 10.9.$2.$(number_of $here)/30, fe80::$(number_of $here)/64
			ListenPort = $((51820 + $2))
			Table = off
			[Peer]
			PublicKey = ${PUBLIC[$there]}
			AllowedIPs = 0.0.0.0/0, ::/0
			Endpoint = $endpoint:$((51820 + $2))
		END
	done
}

two_links() {
	local h
	command -v bird >/dev/null || skip "bird2 is not installed"
	lab_up 2
	ip -n "$LAB-a" link add eth1 type veth peer name eth1 netns "$LAB-b"
	for h in a b; do
		host $h ip address add "2001:db8:9::$(number_of $h)/64" dev eth1 nodad
		host $h ip link set eth1 up
		host $h ip address add "$(behind4 $h)/32" dev lo
		host $h ip address add "$(behind6 $h)/128" dev lo
	done
	keys a b
	two_files fast 1 192.0.2.1 192.0.2.2
	two_files slow 2 '[2001:db8:9::1]' '[2001:db8:9::2]'
	for h in a b; do
		start_vpnd $h fast
		start_vpnd $h slow
	done
	within 10 can_ping a 10.9.1.2
	within 10 can_ping a 10.9.2.2
	within 10 can_ping a fe80::2%fast
	within 10 can_ping a fe80::2%slow
}

start_bird() {
	{
		# What comes from BIRD has the address of the network behind: those of the links
		# are no use when the link is not.
		cat <<-END
			router id $(behind4 "$1");
			protocol device { scan time 1; }
			protocol kernel {
				ipv4 { export filter { krt_prefsrc = $(behind4 "$1"); accept; }; };
			}
			protocol kernel {
				ipv6 { export filter { krt_prefsrc = $(behind6 "$1"); accept; }; };
			}
		END
		cat
	} >"$WORK/$1/bird.cfg"
	spawn "$1" bird bird -f -c "$WORK/$1/bird.cfg" -s "$WORK/$1/bird.ctl"
	wait_for 5 bird "$1" show status || die "BIRD does not run on $1"
}

bird() {
	local where=$1
	shift
	host "$where" birdc -s "$WORK/$where/bird.ctl" "$@"
}

cut() {
	host a nft "add table netdev cut_$1;
		add chain netdev cut_$1 in { type filter hook ingress device $1 priority 0; policy drop; }"
	host b nft "add table netdev cut_$1;
		add chain netdev cut_$1 in { type filter hook ingress device $1 priority 0; policy drop; }"
}

mend() {
	host a nft delete table netdev "cut_$1"
	host b nft delete table netdev "cut_$1"
}

goes() {
	host "$1" ip route get "$3" | grep -q " dev $2 "
}

slow_down() {
	local h device
	for h in a b; do
		for device in eth0 eth1; do
			host $h tc qdisc add dev $device root tbf rate 50mbit burst 64kb limit 200kb
		done
	done
}

hold_stream() {
	sink b "$1-server" tcp-serve "$2" 7900
	spawn a "$1" /usr/bin/python3 -B "$ROOT/tests/e2e/traffic.py" tcp "$2" 7900 "$3s"
}

stream_held() {
	local end
	within "$2" dead "$(pid_of a "$1")"
	for end in a/$1 b/$1-server; do
		kill -KILL "${PID[$end]}" 2>/dev/null || true
		reap "$end"
		eq "$STATUS" 0 "TCP across the change, exit code of $end"
		tail -n 1 "$WORK/$end.log"
	done
}

# all_go LINK: both hosts' ways to the other's network, in both families.
all_go() {
	goes a "$1" "$(behind4 b)" && goes a "$1" "$(behind6 b)" &&
		goes b "$1" "$(behind4 a)" && goes b "$1" "$(behind6 a)"
}

# failover LIMIT: seconds that moving may take.
failover() {
	local begun
	within 20 all_go fast
	expect can_ping a "$(behind4 b)"
	expect can_ping a "$(behind6 b)"
	slow_down
	hold_stream long4 "$(behind4 b)" 20

	step "the underlay of the better link is cut: traffic moves"
	cut eth0
	begun=$(now_us)
	within "$1" all_go slow
	echo "    moved after $((($(now_us) - begun) / 1000)) ms"
	within 5 can_ping a "$(behind4 b)"
	within 5 can_ping a "$(behind6 b)"

	step "it is mended: traffic comes back"
	mend eth0
	within 30 all_go fast
	within 5 can_ping a "$(behind4 b)"
	within 5 can_ping a "$(behind6 b)"

	step "the daemon of the better link ends, and starts again"
	stop_vpnd b fast
	within "$1" all_go slow
	within 5 can_ping a "$(behind6 b)"
	start_vpnd b fast
	within 30 all_go fast
	stream_held long4 60
	for link in fast slow; do
		stop_pair $link
	done
}
