/*
 * The file system, given up by Landlock; see rights.h. There is no library for it in Debian 12, and
 * libc knows the system calls by number at most: what is needed of the kernel's interface
 * (linux/landlock.h) stands here, so that it does not depend on the age of the headers.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/host/rights.h"

/* The same on all architectures: they are newer than the common numbering. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule       445
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

#define RULE_PATH_BENEATH  1U
#define ACCESS_READ_FILE   0x4U
#define ACCESS_READ_FOLDER 0x8U

/* struct landlock_path_beneath_attr. */
struct __attribute__((packed)) path_beneath {
	uint64_t allowed;
	int32_t fd;
};

/* Rules that refuse all that this kernel can refuse. \return a descriptor or a negative errno */
static int refuse_all(bool tcp_too)
{
	struct ruleset all = { 0 };
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
	int fd;

	if (version < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		if (version >= versions[i].version)
			all = versions[i].can;
	}
	if (!tcp_too)
		all.net = 0;
	fd = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0U);
	return fd < 0 ? -errno : fd;
}

/* From here on, and for good. */
static int restrict_self(int fd)
{
	int r = syscall(SYS_landlock_restrict_self, fd, 0U) < 0 ? -errno : 0;

	close(fd);
	return r;
}

int rights_close_files(void)
{
	int fd = refuse_all(true);

	return fd < 0 ? fd : restrict_self(fd);
}

/* What is not there cannot be read either. */
static int allow_reading(int rules, const char *path)
{
	int fd = open(path, O_PATH | O_CLOEXEC), r = 0;
	struct path_beneath rule = { ACCESS_READ_FILE, fd };
	struct stat st;

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		rule.allowed |= ACCESS_READ_FOLDER;
	if (syscall(SYS_landlock_add_rule, rules, RULE_PATH_BENEATH, &rule, 0U) < 0)
		r = -errno;
	close(fd);
	return r;
}

int rights_limit_files(const char *const *paths, size_t n)
{
	int fd = refuse_all(false), r = 0;

	if (fd < 0)
		return fd;
	for (size_t i = 0; i < n && r == 0; i++)
		r = allow_reading(fd, paths[i]);
	if (r == 0)
		return restrict_self(fd);
	close(fd);
	return r;
}
