/*
 * Files that decide what runs here; see trusted_file.h.
 *
 * The file is opened first and judged by its descriptor, so that what was judged is what is
 * read. Only the directory is judged by its name: who may write there may rename files, and the
 * answer to that is to refuse such directories.
 */
#include "conf/trusted_file.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/secret.h"
#include "conf/model.h"

#define SERVICE_GROUP "vpnd"

/* Why a file could not be opened or looked at, for the errors that administrators cause. */
static void report_errno(struct diag *diag, int error)
{
	switch (error) {
	case ENOENT:
		diag_error_code(diag, EXIT_CONFIG, "the file does not exist");
		break;
	case EACCES:
	case EPERM:
		diag_error_code(diag, EXIT_PERMISSION,
				"the file may not be opened by this user (%u); it must be root or "
				"the file's owner",
				geteuid());
		break;
	case ELOOP:
		diag_error_code(diag, EXIT_CONFIG, "the symbolic links to the file go in a circle");
		break;
	case ENXIO:
	case ENODEV:
		diag_error_code(diag, EXIT_CONFIG, "the file is not a regular file");
		break;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case EIO:
		diag_error_code(diag, EXIT_SYSTEM, "the file could not be opened: %s",
				strerror(error));
		break;
	default:
		diag_error_code(diag, EXIT_CONFIG, "the file could not be opened: %s",
				strerror(error));
		break;
	}
}

static bool is_trusted_owner(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

/* Root's group, the one that vpnd runs with, and the service's: who is in there may read keys. */
static bool is_trusted_group(gid_t gid)
{
	const struct group *group;

	if (gid == 0 || gid == getegid() || gid == getgid())
		return true;
	group = getgrnam(SERVICE_GROUP); /* NOLINT(concurrency-mt-unsafe): start and reload only */
	return group != NULL && group->gr_gid == gid;
}

/* Who may write to a directory may put another file in place of any in it, unless the sticky bit
   keeps everybody to his own files. */
static bool check_directory(const char *path, struct diag *diag)
{
	char copy[PATH_MAX];
	struct stat st;

	if (strlen(path) >= sizeof(copy)) {
		report_errno(diag, ENAMETOOLONG);
		return false;
	}
	memcpy(copy, path, strlen(path) + 1);
	if (stat(dirname(copy), &st) != 0) {
		/* Then the file is not there either, and that is for who opens it to judge. */
		if (errno == ENOENT)
			return true;
		report_errno(diag, errno);
		return false;
	}
	if ((st.st_mode & S_IWOTH) != 0 && (st.st_mode & S_ISVTX) == 0) {
		diag_error_code(diag, EXIT_PERMISSION,
				"everybody may write to the directory of the file (mode %04o) and "
				"so replace it; take that right away with chmod o-w",
				st.st_mode & 07777);
		return false;
	}
	return true;
}

/* A symbolic link was met: whose it is, and where it leads. */
static int open_link(const char *path, int flags, struct diag *diag)
{
	struct stat st;
	char *target;
	bool ok;
	int fd;

	if (lstat(path, &st) != 0) {
		report_errno(diag, errno);
		return -1;
	}
	if (S_ISLNK(st.st_mode) && !is_trusted_owner(st.st_uid)) {
		diag_error_code(diag, EXIT_PERMISSION,
				"the file is a symbolic link of user %u, and only links of root "
				"and of the user that runs vpnd are followed",
				st.st_uid);
		return -1;
	}
	target = realpath(path, NULL);
	if (target == NULL) {
		report_errno(diag, errno);
		return -1;
	}
	ok = check_directory(target, diag);
	fd = ok ? open(target, flags) : -1;
	if (ok && fd < 0)
		report_errno(diag, errno);
	free(target);
	return fd;
}

/* Opens a file, or a trusted link's; only a `may_be_missing` one is missed without a finding. */
static int open_file(const char *path, bool may_be_missing, struct diag *diag)
{
	/* O_NONBLOCK: a FIFO without a writer must not hold up the start. */
	int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW;
	int fd;

	if (!check_directory(path, diag))
		return -1;
	fd = open(path, flags);
	if (fd < 0 && errno == ELOOP)
		return open_link(path, flags, diag);
	if (fd < 0 && !(errno == ENOENT && may_be_missing))
		report_errno(diag, errno);
	return fd;
}

static bool check_file(const struct stat *st, struct diag *diag)
{
	if (!S_ISREG(st->st_mode)) {
		diag_error_code(diag, EXIT_CONFIG, "the file is %s, not a regular file",
				S_ISDIR(st->st_mode) ? "a directory" : "a device or a FIFO");
		return false;
	}
	if (!is_trusted_owner(st->st_uid)) {
		diag_error_code(
			diag, EXIT_PERMISSION,
			"the file belongs to user %u; it must belong to root or to the user "
			"that runs vpnd (%u)",
			st->st_uid, geteuid());
		return false;
	}
	if (st->st_size > CONF_FILE_MAX) {
		diag_error_code(diag, EXIT_CONFIG, "the file is larger than %d bytes",
				CONF_FILE_MAX);
		return false;
	}
	return true;
}

/* Says what is wrong with the rights of a file, if anything is. */
typedef bool rights_rule(const struct stat *st, struct diag *diag);

static bool check_secret_rights(const struct stat *st, struct diag *diag)
{
	unsigned int mode = st->st_mode & 07777;

	if ((mode & S_IRWXO) != 0) {
		diag_error_code(diag, EXIT_PERMISSION,
				"everybody has rights on the file (mode %04o), but it holds keys; "
				"set chmod 600",
				mode);
		return false;
	}
	if ((mode & S_IWGRP) != 0) {
		diag_error_code(diag, EXIT_PERMISSION,
				"the group may write to the file (mode %04o); set chmod 640 or 600",
				mode);
		return false;
	}
	if ((mode & S_IRWXG) != 0 && !is_trusted_group(st->st_gid)) {
		diag_error_code(diag, EXIT_PERMISSION,
				"group %u may read the file (mode %04o), but only root's group and "
				"the service's may; set chmod 600",
				st->st_gid, mode);
		return false;
	}
	return true;
}

static bool check_public_rights(const struct stat *st, struct diag *diag)
{
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		diag_error_code(diag, EXIT_PERMISSION,
				"others may write to the file (mode %04o); set chmod 644",
				st->st_mode & 07777);
		return false;
	}
	return true;
}

/* Reads until the end; `size` bytes are expected and one more is asked for, to see it. */
static ssize_t read_all(int fd, char *text, size_t size)
{
	size_t len = 0;

	while (len <= size) {
		ssize_t n = read(fd, text + len, size + 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

static char *read_checked(int fd, rights_rule *check_rights, struct diag *diag, size_t *len)
{
	struct stat st;
	ssize_t n;
	size_t size;
	char *text;

	if (fstat(fd, &st) != 0) {
		report_errno(diag, errno);
		return NULL;
	}
	if (!check_file(&st, diag) || !check_rights(&st, diag))
		return NULL;
	size = (size_t)st.st_size;
	text = secret_alloc(size + 1);
	if (text == NULL) {
		diag_error_code(diag, EXIT_SYSTEM,
				"there is no guarded memory left to read the file into");
		return NULL;
	}
	n = read_all(fd, text, size);
	if (n < 0 || (size_t)n > size) {
		diag_error_code(diag, EXIT_SYSTEM, "the file could not be read: %s",
				n < 0 ? strerror(errno) : "it grew meanwhile");
		secret_free(text);
		return NULL;
	}
	text[n] = '\0';
	*len = (size_t)n;
	return text;
}

static char *read_file(const char *path, bool may_be_missing, rights_rule *check_rights,
		       struct diag *diag, size_t *len)
{
	int fd = open_file(path, may_be_missing, diag);
	char *text;

	if (fd < 0)
		return NULL;
	text = read_checked(fd, check_rights, diag, len);
	close(fd);
	return text;
}

char *trusted_file_read_secret(const char *path, struct diag *diag, size_t *len)
{
	return read_file(path, false, check_secret_rights, diag, len);
}

char *trusted_file_read_public(const char *path, struct diag *diag, size_t *len)
{
	return read_file(path, true, check_public_rights, diag, len);
}
