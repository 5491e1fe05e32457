/* Whom the files of a run directory belong to; see run_dir.h. */
#include "daemon/host/run_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The directory above, and where its name ends. \return its length; 0: there is none; a negative
 * errno */
static int name_above(const char *path, char ret[static PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	if (len >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(ret, path, len);
	ret[len] = '\0';
	return (int)len;
}

int run_dir_make(const char *path)
{
	char above[PATH_MAX];
	int len = name_above(path, above);

	if (len < 0)
		return len;
	if (len > 0 && mkdir(above, 0755) < 0 && errno != EEXIST)
		return -errno;
	if (mkdir(path, 0700) < 0)
		return errno == EEXIST ? 0 : -errno;
	/* Whatever the umask is. */
	return chmod(path, 0711) < 0 ? -errno : 0;
}

static bool others_may_write(const struct stat *st)
{
	return (st->st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

static bool is_ours(const struct stat *st)
{
	return st->st_uid == 0 || st->st_uid == geteuid();
}

/* Whether root alone decides whom the directories in it belong to. */
static bool is_of_root(const char *above)
{
	struct stat st;

	return stat(above, &st) == 0 && st.st_uid == 0 && !others_may_write(&st);
}

int run_dir_open(const char *path)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char above[PATH_MAX];
	struct stat st;
	bool is_good;

	if (fd < 0)
		return -errno;
	is_good = fstat(fd, &st) == 0 && !others_may_write(&st) &&
		  (is_ours(&st) ||
		   (geteuid() == 0 && name_above(path, above) > 0 && is_of_root(above)));
	if (is_good)
		return fd;
	close(fd);
	return -EPERM;
}

/* An owner of the directory who is not believed was refused when it was opened. */
static bool is_believed(int dir, const struct stat *file)
{
	struct stat st;

	return is_ours(file) || (fstat(dir, &st) == 0 && st.st_uid == file->st_uid);
}

int run_dir_read(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && !others_may_write(&st) &&
	    is_believed(dir, &st))
		return fd;
	close(fd);
	return -EPERM;
}

int run_dir_create(int dir, const char *name, unsigned int mode)
{
	int fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat st;

	if (fd < 0)
		return -errno;
	/* Whatever the umask is. */
	(void)fchmod(fd, mode);
	if (geteuid() == 0 && fstat(dir, &st) == 0 && st.st_uid != 0)
		(void)!fchown(fd, st.st_uid, st.st_gid);
	return fd;
}
