# Links under a service manager (manager.py), for tests that source this after lib.sh.
#
#   start_managed H LINK [OPTION…]   runs the link under a manager, until READY; OPTIONs are
#                                    manager.py's
#   manager_log H LINK               what the manager has seen
#   managed_pid H LINK               process id of the daemon that runs now, 0 while none does
#   manager H LINK SIGNAL            tells the manager: HUP restart, USR1 kill, TERM stop
#   restarted H LINK N               whether the N-th start has become ready
#   manager_saw H LINK PATTERN       whether a line of its log matches (grep -E)
#   manager_count H LINK PATTERN     how many do
#   stop_managed H LINK              stops the service and the manager
# shellcheck shell=bash

manager_log() {
	echo "$WORK/$1/manager-$2.log"
}

managed_pid() {
	awk '$1 == "started" { pid = $2 } $1 == "ended" { pid = 0 } END { print pid + 0 }' \
		"$(manager_log "$1" "$2")"
}

manager_saw() {
	grep -qE -e "$3" "$(manager_log "$1" "$2")"
}

manager_count() {
	grep -cE -e "$3" "$(manager_log "$1" "$2")" || true
}

manager() {
	kill "-$3" "$(pid_of "$1" "manager-$2")"
}

restarted() {
	[[ $(awk '$1 == "started" { n++; ready = 0 } $0 == "got READY=1" { ready = 1 }
		END { print n "-" ready }' "$(manager_log "$1" "$2")") == "$3-1" ]]
}

# spawn_managed H LINK [OPTION…]: the same without waiting.
spawn_managed() {
	local where=$1 link=$2
	shift 2
	rm -f "$WORK/$where/$link.notify" "$WORK/$where/manager-$link.log"
	spawn "$where" "manager-$link" /usr/bin/python3 -B "$ROOT/tests/e2e/manager.py" \
		"$WORK/$where/$link.notify" "$@" "$VPND_BIN" run -v "$(link_path "$where" "$link")"
}

start_managed() {
	spawn_managed "$@"
	wait_for 10 restarted "$1" "$2" 1 || die "vpnd on $1: $2 is not ready after 10 s"
}

stop_managed() {
	local key=$1/manager-$2
	manager "$1" "$2" TERM
	wait_for 20 dead "${PID[$key]}" || kill -KILL "${PID[$key]}"
	reap "$key"
}
