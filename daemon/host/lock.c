/* A locked file; see lock.h. */
#include "daemon/host/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/defs.h"
#include "daemon/host/undo.h"

#define NAME_MAX_LEN 40

static void write_name(char name[static NAME_MAX_LEN])
{
	snprintf(name, NAME_MAX_LEN, "lock.%llu", (unsigned long long)undo_netns(NULL));
}

static bool is_ours(const struct stat *st)
{
	return (st->st_uid == 0 || st->st_uid == geteuid()) &&
	       (st->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* Opens the run directory, which nobody else may write. */
static int open_dir(const char *run_dir)
{
	int error = undo_make_dir(run_dir);
	struct stat st;
	int fd;

	if (error < 0)
		return error;
	fd = open(run_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && is_ours(&st))
		return fd;
	close(fd);
	return -EPERM;
}

/* Whether the file is still the one that the name leads to: who gave the lock back has removed
 * it. */
static bool is_current(int dir, const char *name, int fd)
{
	struct stat by_fd, by_name;

	return fstat(fd, &by_fd) == 0 && fstatat(dir, name, &by_name, AT_SYMLINK_NOFOLLOW) == 0 &&
	       by_fd.st_dev == by_name.st_dev && by_fd.st_ino == by_name.st_ino;
}

/* Opens and locks the file; -EAGAIN when it was removed meanwhile. */
static int try_to_take(int dir, const char *name)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = openat(dir, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (fcntl(fd, F_OFD_SETLK, &whole) < 0)
		error = errno == EACCES || errno == EAGAIN ? -EBUSY : -errno;
	else if (!is_current(dir, name, fd))
		error = -EAGAIN;
	if (error == 0)
		return fd;
	close(fd);
	return error;
}

int lock_take(const char *run_dir)
{
	char name[NAME_MAX_LEN];
	int dir, fd;

	write_name(name);
	do {
		dir = open_dir(run_dir);
		if (dir < 0)
			return dir;
		fd = try_to_take(dir, name);
		close(dir);
		/* The directory may be gone as well, with who had the lock. */
	} while (fd == -EAGAIN || fd == -ENOENT);
	return fd;
}

void lock_release(const char *run_dir, int fd)
{
	char name[NAME_MAX_LEN];
	int dir;

	if (fd < 0)
		return;
	write_name(name);
	dir = open(run_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir >= 0) {
		(void)unlinkat(dir, name, 0);
		close(dir);
	}
	(void)rmdir(run_dir);
	close(fd);
}
