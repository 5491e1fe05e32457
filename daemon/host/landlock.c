/*
 * The file system, given up by Landlock; see rights.h. There is no library for it in Debian 12, and
 * libc knows the system calls by number at most: what is needed of the kernel's interface
 * (linux/landlock.h) stands here, so that it does not depend on the age of the headers.
 */
#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/host/rights.h"

/* The same on all architectures: they are newer than the common numbering. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_restrict_self  446
#endif

#define CREATE_RULESET_VERSION 1U

/* struct landlock_ruleset_attr; an older kernel takes a longer one when the rest of it is zero. */
struct ruleset {
	uint64_t files;  /* since version 1 */
	uint64_t net;    /* since version 4 */
	uint64_t scoped; /* since version 6 */
};

/* What a version can refuse, each with all that those before it can. */
static const struct {
	long version;
	struct ruleset can;
} versions[] = {
	{ 1, { .files = 0x1fff } },             /* open, make, remove, run, … */
	{ 2, { .files = 0x3fff } },             /* and link or move elsewhere */
	{ 3, { .files = 0x7fff } },             /* and cut off */
	{ 4, { .files = 0x7fff, .net = 0x3 } }, /* bind and connect TCP */
	{ 5, { .files = 0xffff, .net = 0x3 } }, /* ioctl(2) of devices opened later */
	{ 6, { .files = 0xffff, .net = 0x3, .scoped = 0x3 } }, /* abstract sockets, signals */
};

int rights_close_files(void)
{
	struct ruleset all = { 0 };
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
	int fd, r = 0;

	if (version < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		if (version >= versions[i].version)
			all = versions[i].can;
	}
	/* All of it is handled, and no rule allows any. */
	fd = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0U);
	if (fd < 0)
		return -errno;
	if (syscall(SYS_landlock_restrict_self, fd, 0U) < 0)
		r = -errno;
	close(fd);
	return r;
}
