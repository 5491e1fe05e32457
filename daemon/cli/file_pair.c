/*
 * Two files or none; see file_pair.h.
 *
 * Each is written under a name of its own first. Giving it the final name is one system call that
 * fails when the name is taken, so nothing that is there can be overwritten, and nobody ever sees
 * half a file.
 */
#include "daemon/cli/file_pair.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The name while it is written: it does not end in ".conf", so nobody takes it for a link. */
#define DRAFT_SUFFIX ".XXXXXX"

struct draft {
	char path[PATH_MAX + sizeof(DRAFT_SUFFIX)]; /* empty: not there */
};

static int write_synced(const struct secret_text *text, int fd)
{
	int r;

	/* The umask may have taken away more than asked for. */
	if (fchmod(fd, S_IRUSR | S_IWUSR) < 0)
		return -errno;
	r = secret_text_write(text, fd);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	return r;
}

static int write_draft(const char *path, const struct secret_text *text, struct draft *draft)
{
	int fd, r;

	snprintf(draft->path, sizeof(draft->path), "%s" DRAFT_SUFFIX, path);
	fd = mkostemp(draft->path, O_CLOEXEC);
	if (fd < 0) {
		r = -errno;
		draft->path[0] = '\0';
		return r;
	}
	r = write_synced(text, fd);
	if (close(fd) < 0 && r == 0)
		r = -errno;
	return r;
}

static void drop_draft(struct draft *draft)
{
	if (draft->path[0] != '\0')
		unlink(draft->path);
	draft->path[0] = '\0';
}

/* Few file systems cannot rename without replacing (NFS is one); those have hard links. */
static int give_name(struct draft *draft, const char *path)
{
	if (renameat2(AT_FDCWD, draft->path, AT_FDCWD, path, RENAME_NOREPLACE) == 0) {
		draft->path[0] = '\0';
		return 0;
	}
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	return link(draft->path, path) == 0 ? 0 : -errno;
}

/* The names are on the disk, too. A file system that cannot do this has done what it can. */
static void sync_directory(const char *path)
{
	char copy[PATH_MAX];
	int fd;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

/* The second file gets its name first: while the first is there, the pair is whole. */
static int give_names(const struct file_pair *pair, struct draft drafts[static FILE_PAIR_N],
		      size_t *ret_failed)
{
	for (size_t i = FILE_PAIR_N; i-- > 0;) {
		int r = give_name(&drafts[i], pair->paths[i]);

		if (r < 0) {
			*ret_failed = i;
			for (size_t j = i + 1; j < FILE_PAIR_N; j++)
				unlink(pair->paths[j]);
			return r;
		}
	}
	return 0;
}

int file_pair_write(const struct file_pair *pair, size_t *ret_failed)
{
	struct draft drafts[FILE_PAIR_N] = { 0 };
	int r = 0;

	for (size_t i = 0; i < FILE_PAIR_N && r == 0; i++) {
		*ret_failed = i;
		r = write_draft(pair->paths[i], &pair->texts[i], &drafts[i]);
	}
	if (r == 0)
		r = give_names(pair, drafts, ret_failed);
	for (size_t i = 0; i < FILE_PAIR_N; i++) {
		drop_draft(&drafts[i]);
		if (r == 0)
			sync_directory(pair->paths[i]);
	}
	return r;
}

void file_pair_remove(const struct file_pair *pair)
{
	for (size_t i = 0; i < FILE_PAIR_N; i++)
		unlink(pair->paths[i]);
}
