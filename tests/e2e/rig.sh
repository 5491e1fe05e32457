# What the tests with the Python peer source after lib.sh: two hosts, the daemon on a, the peer on b, and a
# stranger's addresses beside the peer; see wgrig.py for the variables.
#
# RIG_DAEMON=wireguard-go proves a test against another implementation.
# shellcheck shell=bash

rig_up() {
	lab_up 2
	host b ip address add 192.0.2.77/24 dev eth0
	host b ip address add 2001:db8:1::77/64 dev eth0 nodad
	# Where floods claim to come from.
	host a ip route add 198.18.0.0/15 via "$(outer4 b)"
	export RIG_DUT=$LAB-a RIG_PEER=$LAB-b RIG_DEV=eth0 RIG_WORK=$WORK
	export RIG_EXEC="$ROOT/scripts/lab exec a" RIG_DAEMON=${RIG_DAEMON:-$VPND_BIN}
	RIG_DUT4=$(outer4 a) RIG_DUT6=$(outer6 a) RIG_PEER4=$(outer4 b) RIG_PEER6=$(outer6 b)
	export RIG_DUT4 RIG_DUT6 RIG_PEER4 RIG_PEER6 RIG_THIRD4=192.0.2.77 RIG_THIRD6=2001:db8:1::77
}

# python PROGRAM [ARG…]: runs one of this directory's programs and leaves no cache in the tree.
python() {
	local program=$1
	shift
	/usr/bin/python3 -B "$ROOT/tests/e2e/$program" "$@"
}
