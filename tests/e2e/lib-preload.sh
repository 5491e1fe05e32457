# Libraries between the daemon and libc, for tests that source this after lib.sh.
#
#   preload_build NAME       compiles preload_NAME.c; skips the test where it cannot
#   preload_vpnd NAME [VARIABLE=VALUE…]   from here on VPND_BIN is vpnd with that library; called
#                            again, the library or its variables change for daemons started then
#   preload_off              VPND_BIN is vpnd alone again
#   preload_counter H LINK NUMBER   a counter of a running daemon; see preload.h
# shellcheck shell=bash

preload_real=$VPND_BIN

preload_build() {
	[[ -n $(command -v cc) ]] || skip "no C compiler is installed"
	# A sanitizer's library has to be the first, and sees every call itself.
	! grep -q __asan_init "$preload_real" || skip "not with an instrumented program"
	cc -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -shared -fPIC -o "$WORK/$1.so" \
		"$ROOT/tests/e2e/preload_$1.c" || die "preload_$1.c does not build"
}

# The program has vpnd's name, by which it is found among others.
preload_vpnd() {
	local name=$1
	shift
	mkdir -p "$WORK/bin"
	cat >"$WORK/bin/vpnd" <<-END
		#!/bin/sh
		PRELOAD_COUNTS='$WORK/counts' LD_PRELOAD='$WORK/$name.so' exec env $* '$preload_real' "\$@"
	END
	chmod 755 "$WORK/bin/vpnd"
	VPND_BIN=$WORK/bin/vpnd
}

# shellcheck disable=SC2034  # lib.sh's
preload_off() {
	VPND_BIN=$preload_real
}

preload_counter() {
	local file
	file=$WORK/counts.$(pid_of "$1" "$2")
	[[ -s $file ]] || die "the library was not loaded into vpnd on $1"
	od -A n -t u8 -j $(($3 * 8)) -N 8 "$file" | tr -d ' '
}
