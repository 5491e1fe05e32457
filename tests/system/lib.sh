# What every test with booted machines sources:  . "$(dirname "$0")/lib.sh"
#
# A machine is a Debian with systemd as its first process, booted by systemd-nspawn inside one host
# of a laboratory (scripts/lab): machines a and b have the addresses of hosts a and b, and the
# cable between them. What a machine writes goes to memory and is gone with it. The Debian under
# it is made once by debootstrap and kept in build/system/SUITE. Assertions, outer4, lab_up and the
# like are those of tests/e2e/lib.sh.
#
#   machines_up NAME…      boots machines on the hosts a, b of the laboratory, and waits for them
#   machine NAME CMD…      runs a program in a machine, as root
#   machine_script NAME    the same for a script on stdin
#   quietly CMD…           CMD's output is shown only when it fails
#   machine_put NAME FILE PATH      copies a file of this machine into that one
#   machine_reboot NAME    switches it off and on again, with the files that it has
#   machine_files NAME     a list of the files that matter, for a comparison
#   package_path           path of vpnd's package, built when the sources are newer
#   chroot_new DIR         mounts a fresh system on DIR, until the test ends; chroot_run DIR CMD…
#
# The environment may set
#   VPND_SUITE   the Debian to boot     (default: bookworm)
#   VPND_CACHE   where that is kept     (default: build/system)
#   VPND_DEB     the package to test    (default: what scripts/deb builds)
#
# Needs: root, `scripts/deps system deb`; the first time the network, 250 MB and a minute. Where
# the machine does not allow containers, tests are skipped with a sentence.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"

VPND_SUITE=${VPND_SUITE:-bookworm}
VPND_CACHE=${VPND_CACHE:-$ROOT/build/system}

# systemd, what the tests call, and what the package depends on: so it installs without a network.
image_packages=(systemd systemd-sysv systemd-resolved libpam-systemd dbus polkitd iproute2
	iputils-ping procps netcat-openbsd wireguard-tools man-db bash-completion)

# --- the Debian under the machines --------------------------------------------------------------

# The libraries that the package depends on; of another suite than this machine's, the machines have
# what builds the package as well.
more_packages() {
	if is_foreign; then
		"$ROOT/scripts/deps" --list build deb
	else
		dpkg-deb -f "$(package_path)" Depends | tr ',|' '\n' | awk '{ print $1 }' |
			grep -v -e '^systemd' -e '^libc6$'
	fi
}

is_foreign() {
	# shellcheck source=/dev/null
	[[ $VPND_SUITE != "$(. /etc/os-release && echo "${VERSION_CODENAME-}")" ]]
}

# What the mirror says about itself decides; before the first `apt-get update`, the sources.
mirror() {
	# shellcheck disable=SC2016  # apt's own variables
	apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' 2>/dev/null | awk '
		!known && $1 == "Debian" && $2 == "Debian" { known = $3 }
		!likely && $NF ~ /\/debian\/?$/ { likely = $NF }
		END { print known ? known : likely }'
}

# image: makes the system unless it is there; prints its directory.
image() {
	local dir=$VPND_CACHE/$VPND_SUITE packages uri
	packages=$({
		printf '%s\n' "${image_packages[@]}"
		more_packages
	} | sort -u | paste -sd ,)
	mkdir -p "$dir"
	(
		flock 9
		[[ $(cat "$dir/packages" 2>/dev/null) != "$packages" ]] || exit 0
		uri=$(mirror)
		[[ -n $uri ]] || exit 1
		rm -rf --one-file-system "$dir/new" "$dir/root" "$dir/packages"
		unshare --mount --propagation private debootstrap --variant=minbase \
			"--include=$packages" "$VPND_SUITE" "$dir/new" "$uri" >"$dir/log" 2>&1 || exit 1
		rm -rf "$dir/new"/var/cache/apt/archives/*.deb "$dir/new"/var/lib/apt/lists/*
		mv "$dir/new" "$dir/root"
		echo "$packages" >"$dir/packages"
	) 9>"$dir/lock" || return 1
	echo "$dir/root"
}

package_path() {
	local dir=$VPND_CACHE/deb-$VPND_SUITE package newer
	if [[ ${VPND_DEB-} ]]; then
		echo "$VPND_DEB"
		return
	fi
	mkdir -p "$dir"
	(
		flock 9
		package=$(find "$dir" -maxdepth 1 -name 'vpnd_*.deb' 2>/dev/null | head -n 1)
		newer=$package
		[[ -z $package ]] || newer=$(cd "$ROOT" && find common conf daemon systemd scripts/deb \
			scripts/deb.d meson.build meson_options.txt README.md -newer "$package" -type f \
			-print -quit)
		[[ -z $package || -n $newer ]] || exit 0
		rm -f "$dir"/vpnd_*.deb
		package_build "$dir" >"$dir/log" 2>&1 || {
			tail -n 50 "$dir/log" >&2
			exit 1
		}
	) 9>"$dir/lock" || return 1
	find "$dir" -maxdepth 1 -name 'vpnd_*.deb' | head -n 1
}

# package_build DIR: here, or in a copy of the suite that ends with the build.
# shellcheck disable=SC2016  # the inner shell expands
package_build() {
	local lower
	if ! is_foreign; then
		"$ROOT/scripts/deb" "$1"
		return
	fi
	lower=$(image) || return 1
	unshare --mount --propagation private bash -euo pipefail -c '
		source=$1 out=$2 lower=$3
		mount -t tmpfs -o mode=755 tmpfs /mnt
		mkdir /mnt/upper /mnt/work /mnt/root
		mount -t overlay -o "lowerdir=$lower,upperdir=/mnt/upper,workdir=/mnt/work" overlay /mnt/root
		mount -t proc proc /mnt/root/proc
		mkdir /mnt/root/src
		tar -C "$source" -c --exclude="./build*" --exclude=./.git . | tar -x -C /mnt/root/src
		chroot /mnt/root env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
			/src/scripts/deb --no-lintian /tmp/deb
		cp /mnt/root/tmp/deb/vpnd_*.deb "$out"
	' build "$ROOT" "$1" "$lower"
}

# --- machines -----------------------------------------------------------------------------------

declare -A MACHINE_PID=() NSPAWN_PID=()
mounts=()

# The directories of the hierarchies that systemd uses, on any kind of host.
cgroup_roots() {
	local dir
	for dir in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/systemd; do
		[[ ! -e $dir/cgroup.procs ]] || echo "$dir"
	done
}

# boot NAME: nspawn in a mount namespace of its own, on a disk that is memory.
# shellcheck disable=SC2016  # the inner shell expands
boot() {
	local name=$1 dir disk=$WORK/$1/disk
	if ! mountpoint -q "$disk"; then
		mkdir -p "$disk"
		mount -t tmpfs -o mode=755 tmpfs "$disk"
		mounts+=("$disk")
		mkdir "$disk/upper" "$disk/work" "$disk/root"
	fi
	for dir in $(cgroup_roots); do
		mkdir -p "$dir/vpnd-$LAB-$name" || skip "no control groups can be made here"
	done
	# The machine's systemd sees cgroup v2 whatever this machine has.
	SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 unshare --mount --propagation slave bash -c '
		set -e
		cd "$1"
		lower=$2 group=$3 namespace=$4
		for dir in $5; do echo $$ >"$dir/$group/cgroup.procs"; done
		mount -t overlay -o "lowerdir=$lower,upperdir=upper,workdir=work" overlay root
		echo "$group" >root/etc/hostname
		printf "127.0.0.1 localhost\n::1 localhost\n127.0.1.1 %s\n" "$group" >root/etc/hosts
		exec systemd-nspawn --quiet --directory="$1/root" --machine="$group" --boot \
			--register=no --keep-unit --console=pipe --link-journal=no --resolv-conf=off \
			--timezone=off --capability=CAP_NET_ADMIN --system-call-filter=@memlock \
			"--network-namespace-path=/run/netns/$namespace"
	' boot "$disk" "$image_root" "vpnd-$LAB-$name" "$LAB-$name" \
		"$(cgroup_roots | paste -sd' ')" >"$WORK/$name/console.log" 2>&1 </dev/null &
	NSPAWN_PID[$name]=$!
}

# The process that is number one in the machine's own count.
first_process() {
	local pid
	for pid in $(ip netns pids "$LAB-$1"); do
		if [[ $(awk '/^NSpid:/ { print $NF, NF }' "/proc/$pid/status" 2>/dev/null) == "1 3" ]]; then
			echo "$pid"
			return
		fi
	done
	return 1
}

booted() {
	local state
	MACHINE_PID[$1]=$(first_process "$1") || return 1
	state=$(machine "$1" systemctl is-system-running 2>/dev/null)
	[[ $state == running || $state == degraded ]]
}

wait_booted() {
	local name=$1
	if ! wait_for 60 booted "$name"; then
		alive "${NSPAWN_PID[$name]}" || skip "this machine boots no containers:" \
			"$(tail -n 1 "$WORK/$name/console.log")"
		die "machine $name has not booted after 60 s"
	fi
	# No udev runs in a container; this is what its rules do on a real machine.
	machine "$name" chmod 666 /dev/net/tun || skip "no container has /dev/net/tun here"
	machine "$name" ip link set lo up
}

machines_up() {
	local name
	command -v systemd-nspawn >/dev/null || skip "needs systemd-nspawn (scripts/deps system)"
	command -v debootstrap >/dev/null || skip "needs debootstrap (scripts/deps system)"
	package=$(package_path) || die "scripts/deb failed"
	image_root=$(image) || skip "no $VPND_SUITE: $(tail -n 1 "$VPND_CACHE/$VPND_SUITE/log")"
	lab_up 2
	for name; do boot "$name"; done
	for name; do wait_booted "$name"; done
}

machine() {
	local name=$1
	shift
	nsenter --target "${MACHINE_PID[$name]}" --mount --uts --ipc --net --pid --cgroup --root \
		env --chdir=/ -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
		LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}

machine_script() {
	machine "$1" bash -euo pipefail -s
}

quietly() {
	"$@" >"$WORK/quietly" 2>&1 || { cat "$WORK/quietly" && return 1; }
}

machine_put() {
	cp "$2" "/proc/${MACHINE_PID[$1]}/root$3"
}

machine_reboot() {
	machine "$1" systemctl poweroff
	wait_for 30 dead "${NSPAWN_PID[$1]}" || die "machine $1 does not go down"
	wait "${NSPAWN_PID[$1]}" || true
	boot "$1"
	wait_booted "$1"
}

# Not what the machine itself writes all the time, and not apt's and dpkg's own books.
machine_files() {
	machine "$1" find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /tmp -o -path /var/tmp \
		-o -path /run/systemd -o -path /run/log -o -path /run/dbus -o -path /var/log \
		-o -path /var/cache -o -path /var/lib/dpkg -o -path /var/lib/apt \
		-o -path /var/lib/systemd -o -path /root \) -prune -o -printf '%y %p\n' | sort
}

# --- chroots ------------------------------------------------------------------------------------

# An overlay of the image, in a mount that ends with the test.
chroot_new() {
	local dir=$1
	image_root=$(image) || skip "no $VPND_SUITE: $(tail -n 1 "$VPND_CACHE/$VPND_SUITE/log")"
	mkdir -p "$dir"
	mount -t tmpfs -o mode=755 tmpfs "$dir"
	mounts+=("$dir")
	mkdir "$dir/upper" "$dir/work" "$dir/root"
	mount -t overlay -o "lowerdir=$image_root,upperdir=$dir/upper,workdir=$dir/work" overlay \
		"$dir/root"
	mounts+=("$dir/root")
	# systemd-tmpfiles finds files by their descriptors.
	mount -t proc proc "$dir/root/proc"
	mounts+=("$dir/root/proc")
}

chroot_run() {
	local dir=$1
	shift
	chroot "$dir/root" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}

# --- the end ------------------------------------------------------------------------------------

power_off() {
	local name=$1 dir
	kill -TERM "${NSPAWN_PID[$name]}" 2>/dev/null || true
	wait_for 20 dead "${NSPAWN_PID[$name]}" || kill -KILL "${NSPAWN_PID[$name]}" 2>/dev/null || true
	wait "${NSPAWN_PID[$name]}" 2>/dev/null || true
	for dir in $(cgroup_roots); do
		find "$dir/vpnd-$LAB-$name" -depth -type d -exec rmdir {} \; 2>/dev/null || true
	done
}

system_finish() {
	local code=$? name i
	trap - EXIT
	trap '' INT TERM
	set +e
	if ((n_failed > 0)) || [[ $code -ne 0 && -z $skipped ]]; then
		for name in "${!MACHINE_PID[@]}"; do
			echo "=== journal of machine $name (last 60 lines)"
			machine "$name" journalctl --no-pager -n 60 2>&1
		done
	fi
	for name in "${!NSPAWN_PID[@]}"; do power_off "$name"; done
	# Those that were mounted last lie on the others.
	for ((i = ${#mounts[@]} - 1; i >= 0; i--)); do umount "${mounts[i]}"; done
	# The rest is done as in every other test; it takes the exit code from here.
	(exit "$code")
	finish
}
trap system_finish EXIT
