# Traffic and captures, for lib.sh, which sources this and whose head describes the functions.
# shellcheck shell=bash

# --- traffic ------------------------------------------------------------------------------------

n_exchanges=0
declare -A SINK

traffic() {
	local where=$1
	shift
	host "$where" /usr/bin/python3 -B "$ROOT/tests/e2e/traffic.py" "$@"
}

# sink H NAME ARG…: a server of traffic.py that can be talked to.
sink() {
	local where=$1 name=$2
	shift 2
	rm -f "$WORK/$where/$name.log"
	spawn "$where" "$name" /usr/bin/python3 -B "$ROOT/tests/e2e/traffic.py" "$@"
	wait_for 10 grep -q ready "$WORK/$where/$name.log"
}

tcp_exchange() {
	local from=$1 to=$2 address=$3 amount=$4 name port status=0
	n_exchanges=$((n_exchanges + 1))
	name=tcp-$n_exchanges port=$((7000 + n_exchanges))
	sink "$to" "$name" tcp-serve "$address" "$port" || status=1
	((status)) || traffic "$from" tcp "$address" "$port" "$amount" || status=1
	((status)) || wait_for 10 dead "$(pid_of "$to" "$name")" || status=1
	kill -KILL "$(pid_of "$to" "$name")" 2>/dev/null || true
	reap "$to/$name"
	((status == 0 && STATUS == 0))
}

udp_sink() {
	local where=$1 name=$2 list=()
	shift 2
	[[ $1 != --list ]] || { list=("$1") && shift; }
	n_exchanges=$((n_exchanges + 1))
	SINK[$name]="$1 $((7000 + n_exchanges))"
	sink "$where" "$name" udp-serve "${list[@]}" "$1" $((7000 + n_exchanges)) "${@:2}"
}

udp_send() {
	local where=$1 name=$2
	shift 2
	# shellcheck disable=SC2086
	traffic "$where" udp ${SINK[$name]} "$@"
}

udp_stop() {
	kill -TERM "$(pid_of "$1" "$2")"
}

udp_result() {
	wait_for "${3:-30}" dead "$(pid_of "$1" "$2")" || kill -KILL "$(pid_of "$1" "$2")"
	reap "$1/$2"
	OUTPUT=$(tail -n 1 "$WORK/$1/$2.log")
}

# --- captures -----------------------------------------------------------------------------------

capture_start() {
	local where=$1 device=$2 name=$3
	shift 3
	# The log of an earlier capture of that name says "listening", too.
	rm -f "$WORK/$where/capture-$name.log" "$WORK/$name.pcap"
	spawn "$where" "capture-$name" tcpdump -Z root -i "$device" -U --immediate-mode -n \
		-w "$WORK/$name.pcap" "$@"
	PID[capture/$name]=${PID[$where/capture-$name]}
	unset "PID[$where/capture-$name]"
	wait_for 5 grep -q 'listening on' "$WORK/$where/capture-$name.log" ||
		die "tcpdump does not listen on $where $device"
}

capture_stop() {
	local key=capture/$1
	kill -INT "${PID[$key]}" 2>/dev/null || true
	wait_for 5 dead "${PID[$key]}" || kill -KILL "${PID[$key]}"
	reap "$key"
}

capture_count() {
	local name=$1
	shift
	tcpdump -n -r "$WORK/$name.pcap" "$@" 2>/dev/null | wc -l
}
