# What every end-to-end test sources:  . "$(dirname "$0")/lib.sh"
#
# A test is an executable tests/e2e/NNN-name that draws its hosts at its head, calls lab_up, and
# then starts daemons and asserts. It exits 0 when every assertion held, 77 when it was skipped,
# 1 otherwise. It can be run by hand; scripts/test runs all of them. A line "# Timeout: SECONDS"
# at the head raises the 120 seconds that scripts/test allows.
#
# The environment may set
#   VPND_BIN   the program under test       (default: build/daemon/vpnd)
#   LAB        name of the laboratory       (default: one of its own per test)
#   VPND_DATA  which setting of the data path VPND_BIN has, if not the default; from
#              tests/long/145-switches-all, for tests that count what an offload saves
#   KEEP=1     keep laboratory and files of a failed test for a look
#
# Assertions (each counts, none ends the test; all print the line that called them)
#   expect CMD…            CMD succeeds
#   refute CMD…            CMD fails
#   eq IS WANTED [WHAT]    two texts are the same
#   within SECONDS CMD…    CMD succeeds at the latest after SECONDS
#   pass TEXT, fail TEXT   for what these do not express
# Others
#   step TEXT              headline for what follows
#   skip REASON, die TEXT  end the test
#   wait_for SECONDS CMD…  polls every 50 ms; returns 1 when the time is over
#   try CMD…               runs CMD, leaves its exit code in STATUS and its output in OUTPUT
#   at_once PART…          the rest of the test once for each word, in $PART, all at the same time,
#                          each in a laboratory of its own, whose name it becomes part of:
#                          for tests that mostly wait
# Hosts and links
#   lab_up [2|3]           see scripts/lab
#   host H CMD…            runs CMD on host H (a program, not a function of this file)
#   outer4 H, outer6 H     the host's address on the underlay
#   inner4 H [NET], inner6 H [NET]   its address inside the link when write_pair wrote the file
#   keys NAME…             makes key pairs: PRIVATE[NAME], PUBLIC[NAME]
#   new_psk NAME           makes a preshared key: PSK[NAME]
#   write_link H LINK      stdin becomes the host's link file; prints nothing
#   write_pair LINK 4|6 [NET]   files for a and b that fit each other; see there for what can be added
#   link_path H LINK       the file;  log_path H LINK  the daemon's log
#   start_vpnd H LINK [ARG…]   runs it and waits until the interface is up
#   stop_vpnd H LINK [SIGNAL]  ends it and waits; exit code in STATUS
#   crash_vpnd H LINK      kills it together with its helper, so that nothing is undone
#   helper_of H LINK       process id of its helper
#   start_pair LINK 4|6 [NET], stop_pair LINK   both ends, with files from write_pair
#   try_vpnd H LINK [ARG…] runs it to its end, at most 10 s; see try
#   pid_of H LINK          process id of a running daemon
#   run_ms H LINK          milliseconds for which it has used a processor
#   spawn H NAME CMD…      any other program in the background, log and end like a daemon's
#   link_up H DEVICE       whether the interface is up
#   log_has H PATTERN      whether a log of the host matches (grep -E);  log_count H PATTERN
#   log_forget H           what the host's logs hold so far matches no more
#   can_ping H ADDRESS [ARG…]            one echo within a second
#   tcp_exchange FROM TO ADDRESS AMOUNT  TCP both ways at once, contents compared; see traffic.py
#   udp_sink H NAME [--list] ADDRESS COUNT IDLE   waits for numbered datagrams; see traffic.py
#   udp_send H NAME COUNT RATE SIZE [FIRST]   sends them to that sink
#   udp_result H NAME [SECONDS]   waits for the sink's end (30); its last line is in OUTPUT
#   udp_stop H NAME        ends the sink; udp_result prints what it had
#   nothing_left H         no TUN interface, no UDP socket, no vpnd
#   capture_start H DEVICE NAME [FILTER…], capture_stop NAME, capture_count NAME [FILTER…]
#
# Needs: root, what `scripts/deps demo test` installs.
# shellcheck shell=bash
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
TEST_NAME=$(basename "$0")
VPND_BIN=${VPND_BIN:-$ROOT/build/daemon/vpnd}
[[ $VPND_BIN == /* ]] || VPND_BIN=$PWD/$VPND_BIN
export LAB=${LAB:-t$$}
# A sanitizer's finding ends the daemon at once, with a code that no vpnd uses by itself.
export ASAN_OPTIONS=${ASAN_OPTIONS:-exitcode=99:detect_leaks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1:exitcode=99}

# shellcheck disable=SC2034  # for the tests
declare -A PRIVATE PUBLIC PSK PID
# shellcheck disable=SC2034  # for the tests
STATUS=0 OUTPUT=
n_passed=0 n_failed=0 skipped=
WORK=$(mktemp -d -t vpnd-e2e.XXXXXX)

# --- assertions ---------------------------------------------------------------------------------

# Line of the test that is running, from inside any helper of this file.
caller_line() {
	local i
	for ((i = ${#BASH_SOURCE[@]} - 1; i > 0; i--)); do
		[[ ${BASH_SOURCE[i]} == "$0" ]] && echo "${BASH_LINENO[i - 1]}" && return
	done
	echo '?'
}

pass() {
	n_passed=$((n_passed + 1))
	echo "    ok: $*"
}

fail() {
	n_failed=$((n_failed + 1))
	echo "  FAIL: $TEST_NAME:$(caller_line): $*"
}

die() {
	fail "$* (the test ends here)"
	exit 1
}

skip() {
	skipped=1
	echo "skipped: $*"
	exit 77
}

step() {
	echo "--- $*"
}

expect() {
	if "$@"; then pass "$*"; else fail "should have succeeded: $*"; fi
}

refute() {
	if "$@"; then fail "should have failed: $*"; else pass "not: $*"; fi
}

eq() {
	if [[ $1 == "$2" ]]; then pass "${3:-value} is $2"; else fail "${3:-value} is '$1', not '$2'"; fi
}

within() {
	local seconds=$1
	shift
	if wait_for "$seconds" "$@"; then
		pass "$*"
	else
		fail "not within $seconds s: $*"
	fi
}

# Microseconds since some moment; the locale decides how bash writes the fraction.
now_us() {
	local now=$EPOCHREALTIME
	echo "${now/[.,]/}"
}

wait_for() {
	local seconds=$1 deadline
	shift
	deadline=$(($(now_us) + $(awk -v s="$seconds" 'BEGIN { printf "%d", s * 1000000 }')))
	until "$@" >/dev/null 2>&1; do
		(($(now_us) < deadline)) || return 1
		sleep 0.05
	done
}

# shellcheck disable=SC2034  # for the tests
try() {
	STATUS=0
	OUTPUT=$("$@" 2>&1) || STATUS=$?
}

# Each part is this script in a process of its own, which gets here again.
at_once() {
	local part key
	[[ ! -v PART ]] || return 0
	for part; do
		PART=$part LAB=${LAB}part$part "$0" >"$WORK/part.$part" 2>&1 &
		PID[part/$part]=$!
	done
	for part; do
		key=part/$part
		reap "$key"
		cat "$WORK/part.$part"
		case $STATUS in
		0) pass "part $part" ;;
		77) skipped=1 ;;
		*) fail "part $part ended with $STATUS" ;;
		esac
	done
	[[ -z $skipped || $n_failed -gt 0 ]] || exit 77
	exit $((n_failed > 0))
}

# --- hosts --------------------------------------------------------------------------------------

lab_up() {
	lab_hosts=${1:-2}
	"$ROOT/scripts/lab" up "$lab_hosts" >/dev/null || die "no laboratory"
}

host() {
	"$ROOT/scripts/lab" exec "$@"
}

outer4() {
	case $1$lab_hosts in
	a?) echo 192.0.2.1 ;;
	b2) echo 192.0.2.2 ;;
	b3) echo 198.51.100.2 ;;
	esac
}

outer6() {
	case $1$lab_hosts in
	a?) echo 2001:db8:1::1 ;;
	b2) echo 2001:db8:1::2 ;;
	b3) echo 2001:db8:2::2 ;;
	esac
}

inner4() {
	case $1 in a) echo "10.${2:-9}.0.1" ;; b) echo "10.${2:-9}.0.2" ;; esac
}

inner6() {
	case $1 in a) printf 'fd%02d::1\n' "${2:-9}" ;; b) printf 'fd%02d::2\n' "${2:-9}" ;; esac
}

can_ping() {
	local from=$1 to=$2
	shift 2
	host "$from" ping -n -q -c 1 -W 1 "$@" "$to" >/dev/null 2>&1
}

link_up() {
	host "$1" ip -o link show dev "$2" up 2>/dev/null | grep -q LOWER_UP
}

# --- keys and link files ------------------------------------------------------------------------

keys() {
	local name
	for name; do
		PRIVATE[$name]=$("$VPND_BIN" genkey)
		PUBLIC[$name]=$("$VPND_BIN" pubkey <<<"${PRIVATE[$name]}")
	done
}

# shellcheck disable=SC2034  # for the tests
new_psk() {
	PSK[$1]=$("$VPND_BIN" genpsk)
}

link_path() {
	echo "$WORK/$1/$2.conf"
}

log_path() {
	echo "$WORK/$1/$2.log"
}

write_link() {
	local path=$WORK/$1/$2.conf
	mkdir -p "${path%/*}"
	(umask 077 && cat >"$path")
}

# Port of the link that has inner network NET.
port_of() {
	echo $((51811 + ${1:-9}))
}

# Writes files for a and b: port 51820, fresh keys unless keys were made for a and b before,
# inner addresses from inner4 and inner6. What the variables INTERFACE_A, INTERFACE_B, PEER_A and
# PEER_B hold is added to that section of that host's file. A second link beside the first needs
# another inner network NET (10 to 99; the first has 9), which stands for another port too.
write_pair() {
	local link=$1 outer=outer$2 net=${3:-9} here there interface peer address port
	port=$(port_of "$net")
	[[ -v PRIVATE[a] ]] || keys a
	[[ -v PRIVATE[b] ]] || keys b
	for here in a b; do
		if [[ $here == a ]]; then there=b; else there=a; fi
		interface=INTERFACE_${here^^} peer=PEER_${here^^}
		address=$($outer "$there")
		[[ $address != *:* ]] || address="[$address]"
		write_link "$here" "$link" <<-END
			[Interface]
			PrivateKey = ${PRIVATE[$here]}
			Address = $(inner4 "$here" "$net")/24, $(inner6 "$here" "$net")/64
			ListenPort = $port
			${!interface-}
			[Peer]
			PublicKey = ${PUBLIC[$there]}
			AllowedIPs = $(inner4 "$there" "$net")/32, $(inner6 "$there" "$net")/128
			Endpoint = $address:$port
			${!peer-}
		END
	done
}

# --- programs in the background -----------------------------------------------------------------

alive() {
	[[ -d /proc/$1 ]] && ! grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null
}

spawn() {
	local where=$1 name=$2
	shift 2
	mkdir -p "$WORK/$where"
	"$ROOT/scripts/lab" exec "$where" "$@" >>"$WORK/$where/$name.log" 2>&1 </dev/null &
	PID[$where/$name]=$!
}

pid_of() {
	echo "${PID[$1/$2]:-0}"
}

up_or_dead() {
	link_up "$1" "$2" || ! alive "$(pid_of "$1" "$2")"
}

start_vpnd() {
	local where=$1 link=$2
	shift 2
	[[ -x $VPND_BIN ]] || die "$VPND_BIN is not there; build it first"
	spawn "$where" "$link" "$VPND_BIN" run "$@" "$(link_path "$where" "$link")"
	wait_for 10 up_or_dead "$where" "$link" || die "vpnd on $where: $link is not up after 10 s"
	alive "${PID[$where/$link]}" || {
		reap "$where/$link" && true
		die "vpnd on $where ended with $STATUS instead of bringing $link up"
	}
}

start_pair() {
	local net=${3:-9}
	write_pair "$@"
	start_vpnd a "$1"
	start_vpnd b "$1"
	within 10 can_ping a "$(inner4 b "$net")"
	within 10 can_ping b "$(inner6 a "$net")"
}

stop_pair() {
	stop_vpnd a "$1"
	eq "$STATUS" 0 "exit code on a"
	stop_vpnd b "$1"
	eq "$STATUS" 0 "exit code on b"
}

try_vpnd() {
	local where=$1 link=$2
	shift 2
	try host "$where" timeout -k 1 10 "$VPND_BIN" run "$@" "$(link_path "$where" "$link")"
}

# Of all its threads: the process's own schedstat is that of the first.
run_ms() {
	cat "/proc/$(pid_of "$1" "$2")/task/"*/schedstat |
		awk '{ ns += $1 } END { printf "%d\n", ns / 1000000 }'
}

vpnd_pids() {
	ip netns pids "$LAB-$1" | while read -r pid; do
		! grep -qsx "$(basename "$VPND_BIN").*" "/proc/$pid/comm" || echo "$pid"
	done
}

nothing_left() {
	local left
	left="$(host "$1" ip -o link show type tun)$(host "$1" ss -Hlun)$(vpnd_pids "$1")"
	[[ -z $left ]] || { echo "left on $1: $left" && return 1; }
}

# Collects the exit code of a process that has ended, into STATUS.
reap() {
	STATUS=0
	wait "${PID[$1]}" 2>/dev/null || STATUS=$?
	unset "PID[$1]"
}

dead() {
	! alive "$1"
}

stop_vpnd() {
	local key=$1/$2 signal=${3:-TERM}
	if [[ ! -v PID[$key] ]]; then
		fail "vpnd on $1 for $2 is not running"
		return
	fi
	kill "-$signal" "${PID[$key]}" 2>/dev/null || true
	# Much longer than the second that 091-signals allows: the kernel takes interfaces down one at
	# a time, and other tests may have many of them to go.
	if ! wait_for 20 dead "${PID[$key]}"; then
		fail "vpnd on $1 for $2 ignores SIG$signal for 20 s"
		kill -KILL "${PID[$key]}"
	fi
	reap "$key"
	if [[ $signal != KILL && $STATUS -ne 0 ]]; then
		fail "vpnd on $1 for $2 ended with $STATUS after SIG$signal"
	fi
}

helper_of() {
	pgrep -P "$(pid_of "$1" "$2")" -x vpnd-helper
}

crash_vpnd() {
	local key=$1/$2
	kill -STOP "${PID[$key]}"
	kill -KILL "$(helper_of "$1" "$2")" "${PID[$key]}"
	wait_for 20 dead "${PID[$key]}" || fail "vpnd on $1 for $2 cannot be killed"
	reap "$key"
}

logs_of() {
	find "$WORK/$1" -name '*.log' ! -name 'before.*' 2>/dev/null
}

log_forget() {
	local log
	for log in $(logs_of "$1"); do
		cat "$log" >>"${log%/*}/before.${log##*/}"
		: >"$log"
	done
}

log_count() {
	logs_of "$1" | xargs -r cat | grep -c -E -e "$2" || true
}

log_has() {
	[[ $(log_count "$1" "$2") -gt 0 ]]
}

. "$ROOT/tests/e2e/lib-traffic.sh"

# --- the end ------------------------------------------------------------------------------------

# Daemons that a test left running must end well too: a leak shows only then.
stop_all() {
	local key
	for key in "${!PID[@]}"; do
		case $key in
		capture/*) capture_stop "${key#*/}" ;;
		*) kill -TERM "${PID[$key]}" 2>/dev/null || true ;;
		esac
	done
	for key in "${!PID[@]}"; do
		wait_for 5 dead "${PID[$key]}" || kill -KILL "${PID[$key]}" 2>/dev/null || true
		reap "$key"
		[[ $STATUS -ne 99 ]] || fail "$key ended with a sanitizer's finding"
	done
}

sanitizer_findings() {
	find "$WORK" -name '*.log' -exec cat {} + |
		grep -E '(ERROR|WARNING): [A-Za-z]*Sanitizer|runtime error:'
}

print_logs() {
	local log
	for log in $(find "$WORK" -name '*.log' | sort); do
		echo "=== log ${log#"$WORK/"} (last 100 lines)"
		tail -n 100 "$log"
	done
	"$ROOT/scripts/lab" status 2>/dev/null || true
}

finish() {
	local code=$?
	trap - EXIT
	trap '' INT TERM
	set +e
	stop_all
	if sanitizer_findings; then fail "a sanitizer complained"; fi
	if [[ -z $skipped ]]; then
		if ((code != 0 && n_failed == 0)); then
			fail "ended with $code in the middle"
		elif ((n_passed + n_failed == 0)); then
			fail "nothing was asserted"
		fi
		((n_failed == 0)) || { code=1 && print_logs; }
	fi
	if [[ $code -eq 1 && ${KEEP:-} == 1 ]]; then
		echo "kept: laboratory $LAB ('LAB=$LAB scripts/lab down' removes it), files in $WORK"
	else
		"$ROOT/scripts/lab" down
		rm -rf "$WORK"
	fi
	[[ -n $skipped ]] || echo "$TEST_NAME: $n_passed held, $n_failed did not"
	exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

[[ $EUID -eq 0 ]] || skip "needs root"
