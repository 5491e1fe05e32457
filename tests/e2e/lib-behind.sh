# A network behind each host, for tests that source this after lib.sh: a "container" on a bridge of
# a, and a server on a LAN of b. Both know no more than their default route.
#
#   box -- br0 [a] eth0 ----- eth0 [b] lan0 -- srv
#   10.50.0.2                                 10.60.0.2
#   fd50::2                                   fd60::2
#
#   behind_up            makes all that; the hosts do not forward yet
#   box CMD…, srv CMD…   runs CMD there
#   on_box NAME CMD…, on_srv NAME CMD…   the same in the background, see spawn of lib.sh; as a/NAME, b/NAME
#   settings_of H        all that a link may change on a host and has to put back
# shellcheck shell=bash

box() {
	host a nsenter --net=/run/netns/box "$@"
}

srv() {
	host b nsenter --net=/run/netns/srv "$@"
}

on_box() {
	local name=$1
	shift
	spawn a "$name" nsenter --net=/run/netns/box "$@"
}

on_srv() {
	local name=$1
	shift
	spawn b "$name" nsenter --net=/run/netns/srv "$@"
}

# behind H NAME DEVICE IPV4 IPV6: a namespace with an interface eth0, whose other end is DEVICE.
behind() {
	local where=$1 name=$2 device=$3 ipv4=$4 ipv6=$5
	host "$where" ip netns add "$name"
	host "$where" ip link add "$device" type veth peer name eth0 netns "$name"
	host "$where" ip link set "$device" up
	"$name" ip link set lo up
	"$name" ip link set eth0 up
	"$name" ip address add "$ipv4.2/24" dev eth0
	"$name" ip address add "$ipv6::2/64" dev eth0 nodad
	"$name" ip route add default via "$ipv4.1"
	"$name" ip -6 route add default via "$ipv6::1"
}

behind_up() {
	host a ip link add br0 type bridge
	host a ip link set br0 up
	host a ip address add 10.50.0.1/24 dev br0
	host a ip address add fd50::1/64 dev br0 nodad
	behind a box vbox 10.50.0 fd50
	host a ip link set vbox master br0
	behind b srv lan0 10.60.0 fd60
	host b ip address add 10.60.0.1/24 dev lan0
	host b ip address add fd60::1/64 dev lan0 nodad
}

settings_of() {
	# The expansion is the host's shell's.
	# shellcheck disable=SC2016
	host "$1" sh -c 'cd /proc/sys/net && for file in ipv4/ip_forward ipv4/conf/*/forwarding \
		ipv4/conf/*/accept_redirects ipv6/conf/*/forwarding ipv6/conf/*/accept_ra; do
			echo "$file $(cat "$file")"
		done' | grep -v -e /site/ -e /second/
	host "$1" nft list tables
	host "$1" find /run/vpnd -name undo 2>/dev/null || true
}
