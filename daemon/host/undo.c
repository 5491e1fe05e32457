/* Reading and writing the notes; see undo.h. */
#include "daemon/host/undo.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/parse.h"

#define FILE_NAME "undo"
#define TEMPORARY "undo.new"
#define FILE_MAX  1024

/* One line of the file: a key and the number it takes. */
enum note { NETNS, IFINDEX, MARK, PRIORITY, GUARD, VALID_MARK, DNS, N_KEYS };

static const char *const keys[N_KEYS] = {
	[NETNS] = "netns", [IFINDEX] = "ifindex",       [MARK] = "mark", [PRIORITY] = "priority",
	[GUARD] = "guard", [VALID_MARK] = "valid-mark", [DNS] = "dns",
};

#define RECORD "record"

/* Opens the directory of the file, and judges who may write there. */
static int open_dir(const char *run_dir)
{
	int fd = open(run_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || (st.st_uid != 0 && st.st_uid != geteuid()) ||
	    (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		close(fd);
		return -EPERM;
	}
	return fd;
}

/* The file's text with a NUL; bytes without it, or a negative errno. */
static ssize_t read_text(int dir, char text[static FILE_MAX])
{
	int fd = openat(dir, FILE_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	ssize_t len;

	if (fd < 0)
		return -errno;
	len = fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
			      (st.st_uid != 0 && st.st_uid != geteuid()) ||
			      (st.st_mode & (S_IWGRP | S_IWOTH)) != 0
		      ? -EPERM
		      : read(fd, text, FILE_MAX - 1);
	close(fd);
	text[len > 0 ? len : 0] = '\0';
	return len;
}

/* Names of records are told to resolvconf(8) as they are. */
static bool is_record(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len < UNDO_RECORD_MAX && text[0] != '-' &&
	       strspn(text,
		      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_=+.-") == len;
}

static void take_number(struct undo *undo, enum note note, uint64_t number)
{
	switch (note) {
	case NETNS:
		undo->netns = number;
		break;
	case IFINDEX:
		undo->ifindex = (unsigned int)number;
		break;
	case MARK:
		undo->policy.mark = (uint32_t)number;
		break;
	case PRIORITY:
		undo->policy.priority = (uint32_t)number;
		break;
	case GUARD:
		undo->has_guard = number != 0;
		break;
	case VALID_MARK:
		undo->has_set_valid_mark = number != 0;
		break;
	case DNS:
		if (number <= UNDO_DNS_RESOLVCONF)
			undo->dns = (enum undo_dns)number;
		break;
	case N_KEYS:
		break;
	}
}

static void take_line(struct undo *undo, char *line)
{
	char *space = strchr(line, ' ');
	uint64_t number;
	int key;

	if (!space)
		return;
	*space++ = '\0';
	if (strcmp(line, RECORD) == 0 && is_record(space))
		snprintf(undo->record, sizeof(undo->record), "%s", space);
	key = parse_word(line, keys, N_KEYS);
	if (key >= 0 && parse_number(space, key == NETNS ? UINT64_MAX : UINT32_MAX, &number))
		take_number(undo, (enum note)key, number);
}

int undo_load(const char *run_dir, struct undo *ret)
{
	char text[FILE_MAX], *save = NULL;
	int dir = open_dir(run_dir);
	ssize_t len;

	*ret = (struct undo) { .netns = 0 };
	if (dir < 0)
		return dir == -ENOENT ? UNDO_NOTHING : dir;
	len = read_text(dir, text);
	close(dir);
	if (len < 0)
		return len == -ENOENT ? UNDO_NOTHING : (int)len;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		take_line(ret, line);
	return 0;
}

int undo_make_dir(const char *run_dir)
{
	char above[PATH_MAX];
	size_t len = strlen(run_dir);
	char *slash;

	if (len >= sizeof(above))
		return -ENAMETOOLONG;
	memcpy(above, run_dir, len + 1);
	slash = strrchr(above, '/');
	if (slash && slash != above) {
		*slash = '\0';
		if (mkdir(above, 0755) < 0 && errno != EEXIST)
			return -errno;
	}
	return mkdir(run_dir, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int write_text(int dir, const char *text, size_t len)
{
	int fd, error = 0;

	(void)unlinkat(dir, TEMPORARY, 0);
	fd = openat(dir, TEMPORARY, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	errno = 0;
	if (write(fd, text, len) != (ssize_t)len)
		error = errno != 0 ? -errno : -ENOSPC;
	close(fd);
	if (error == 0 && renameat(dir, TEMPORARY, dir, FILE_NAME) < 0)
		error = -errno;
	if (error < 0)
		(void)unlinkat(dir, TEMPORARY, 0);
	return error;
}

int undo_save(const char *run_dir, const struct undo *undo)
{
	const uint64_t numbers[N_KEYS] = {
		[NETNS] = undo->netns,      [IFINDEX] = undo->ifindex,
		[MARK] = undo->policy.mark, [PRIORITY] = undo->policy.priority,
		[GUARD] = undo->has_guard,  [VALID_MARK] = undo->has_set_valid_mark,
		[DNS] = undo->dns,
	};
	char text[FILE_MAX];
	size_t len = 0;
	int dir, error = undo_make_dir(run_dir);

	if (error < 0)
		return error;
	for (int key = 0; key < N_KEYS; key++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s %llu\n", keys[key],
					(unsigned long long)numbers[key]);
	if (undo->record[0])
		len += (size_t)snprintf(text + len, sizeof(text) - len, RECORD " %s\n",
					undo->record);
	dir = open_dir(run_dir);
	if (dir < 0)
		return dir;
	error = write_text(dir, text, len);
	close(dir);
	return error;
}

int undo_forget(const char *run_dir)
{
	int dir = open_dir(run_dir);
	int error = 0;

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	if (unlinkat(dir, FILE_NAME, 0) < 0 && errno != ENOENT)
		error = -errno;
	close(dir);
	return error;
}

bool undo_others_set_valid_mark(const char *run_dir, uint64_t netns)
{
	const char *slash = strrchr(run_dir, '/');
	const struct dirent *entry;
	char path[PATH_MAX];
	bool found = false;
	struct undo undo;
	DIR *dir;

	if (!slash || slash == run_dir || (size_t)(slash - run_dir) >= sizeof(path))
		return false;
	snprintf(path, sizeof(path), "%.*s", (int)(slash - run_dir), run_dir);
	dir = opendir(path);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is our own */
	while (dir && !found && (entry = readdir(dir)) != NULL) {
		int len = snprintf(path, sizeof(path), "%.*s/%s", (int)(slash - run_dir), run_dir,
				   entry->d_name);

		if (entry->d_name[0] == '.' || strcmp(entry->d_name, slash + 1) == 0 || len < 0 ||
		    len >= (int)sizeof(path))
			continue;
		found = undo_load(path, &undo) == 0 && undo.netns == netns &&
			undo.has_set_valid_mark;
	}
	if (dir)
		closedir(dir);
	return found;
}

uint64_t undo_netns(void)
{
	struct stat st;

	return stat("/proc/thread-self/ns/net", &st) == 0 ? (uint64_t)st.st_ino : 0;
}
