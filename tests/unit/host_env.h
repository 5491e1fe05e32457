/*
 * What the tests of daemon/host share: a network namespace of their own, interfaces in it, and a
 * child without rights.
 */
#ifndef TESTS_UNIT_HOST_ENV_H
#define TESTS_UNIT_HOST_ENV_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/netaddr.h"

/* Moves this process into a fresh network namespace; the test is skipped without that right. */
static inline void enter_netns(void)
{
	if (unshare(CLONE_NEWNET) < 0) {
		print_message("skipped: unshare(CLONE_NEWNET) says %s; run as root\n",
			      strerror(errno));
		skip();
	}
}

/* Makes an interface, IFF_TUN or IFF_TAP, that lives as long as the descriptor. */
static inline int make_interface(const char *name, short kind)
{
	struct ifreq request = { .ifr_flags = (short)(kind | IFF_NO_PI) };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		print_message("skipped: /dev/net/tun says %s\n", strerror(errno));
		skip();
	}
	memcpy(request.ifr_name, name, strlen(name));
	assert_int_equal(ioctl(fd, TUNSETIFF, &request), 0);
	return fd;
}

static inline int make_tun(const char *name)
{
	return make_interface(name, IFF_TUN);
}

static inline int make_tap(const char *name)
{
	return make_interface(name, IFF_TAP);
}

static inline struct prefix prefix_of(const char *text)
{
	struct prefix prefix;
	const char *reason;

	assert_true(prefix_parse(text, &prefix, &reason));
	return prefix;
}

/* Runs `body` in a child that has no capability; returns what it returned (0 to 255). */
static inline int without_rights(int (*body)(void *), void *context)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct empty[_LINUX_CAPABILITY_U32S_3] = { { 0 } };
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		if (syscall(SYS_capset, &header, empty) < 0)
			_exit(255);
		_exit(body(context));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

#endif
