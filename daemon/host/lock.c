/* A locked file; see lock.h. */
#include "daemon/host/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/defs.h"
#include "daemon/host/run_dir.h"
#include "daemon/host/undo.h"

#define NAME_MAX_LEN 40

static void write_name(char name[static NAME_MAX_LEN])
{
	snprintf(name, NAME_MAX_LEN, "lock.%llu", (unsigned long long)undo_netns(NULL));
}

/* Whether the file is still the one that the name leads to: who gave the lock back has removed
 * it. */
static bool is_current(int dir, const char *name, int fd)
{
	struct stat by_fd, by_name;

	return fstat(fd, &by_fd) == 0 && fstatat(dir, name, &by_name, AT_SYMLINK_NOFOLLOW) == 0 &&
	       by_fd.st_dev == by_name.st_dev && by_fd.st_ino == by_name.st_ino;
}

/* -EAGAIN when it came or went meanwhile. */
static int open_file(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0 || errno != ENOENT)
		return fd >= 0 ? fd : -errno;
	fd = run_dir_create(dir, name, 0600);
	return fd == -EEXIST ? -EAGAIN : fd;
}

/* Opens and locks the file; -EAGAIN when it was removed meanwhile. */
static int try_to_take(int dir, const char *name)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open_file(dir, name);
	int error = 0;

	if (fd < 0)
		return fd;
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
		dir = run_dir_make(run_dir);
		if (dir == 0)
			dir = run_dir_open(run_dir);
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
