/* Reading and writing the notes; see undo.h. */
#include "daemon/host/undo.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/parse.h"
#include "conf/values.h"
#include "daemon/host/netns.h"
#include "daemon/host/run_dir.h"

#define FILE_NAME "undo"
#define TEMPORARY "undo.new"
#define FILE_MAX  16384

/* Two seconds in all. */
#define LOCK_TRIES    200
#define LOCK_PAUSE_MS 10

/* One line of the file: a key and the number it takes. */
enum note {
	NETNS,
	IFINDEX,
	MARK,
	PRIORITY,
	FILTER,
	VALID_MARK,
	DNS,
	FORWARD_IPV6,
	BRIDGE,
	N_SINGLE, /* those above stand once, those below once for each interface */
	FORWARD_IPV4 = N_SINGLE,
	ACCEPT_RA,
	N_KEYS,
};

static const char *const keys[N_KEYS] = {
	[NETNS] = "netns",
	[IFINDEX] = "ifindex",
	[MARK] = "mark",
	[PRIORITY] = "priority",
	[FILTER] = "filter",
	[VALID_MARK] = "valid-mark",
	[DNS] = "dns",
	[FORWARD_IPV6] = "forward-ipv6",
	[BRIDGE] = "bridge",
	[FORWARD_IPV4] = "forward-ipv4",
	[ACCEPT_RA] = "accept-ra",
};

#define RECORD      "record"
#define NAMESPACE   "namespace"
#define BRIDGE_NAME "bridge-name"

/* The file's text with a NUL; bytes without it, or a negative errno. */
static ssize_t read_text(int dir, char text[static FILE_MAX])
{
	int fd = run_dir_read(dir, FILE_NAME);
	ssize_t len;

	if (fd < 0)
		return fd;
	len = read(fd, text, FILE_MAX - 1);
	if (len < 0)
		len = -errno;
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

/* Names of namespaces are parts of a path. */
static bool is_namespace(const char *text)
{
	return text[0] != '\0' && text[0] != '.' && !strchr(text, '/') &&
	       strlen(text) < UNDO_NAMESPACE_MAX;
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
	case FILTER:
		undo->has_filter = number != 0;
		break;
	case VALID_MARK:
		undo->has_set_valid_mark = number != 0;
		break;
	case DNS:
		if (number <= UNDO_DNS_RESOLVCONF)
			undo->dns = (enum undo_dns)number;
		break;
	case FORWARD_IPV6:
		undo->forward.is_ipv6 = number != 0;
		break;
	case BRIDGE:
		undo->bridge.ifindex = (unsigned int)number;
		break;
	case FORWARD_IPV4:
		(void)forward_note(&undo->forward, (unsigned int)number, true, false);
		break;
	case ACCEPT_RA:
		(void)forward_note(&undo->forward, (unsigned int)number, false, true);
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
	if (strcmp(line, NAMESPACE) == 0 && is_namespace(space))
		snprintf(undo->namespace, sizeof(undo->namespace), "%s", space);
	if (strcmp(line, BRIDGE_NAME) == 0 && values_is_interface(space))
		snprintf(undo->bridge.name, sizeof(undo->bridge.name), "%s", space);
	key = parse_word(line, keys, N_KEYS);
	if (key >= 0 && parse_number(space, key == NETNS ? UINT64_MAX : UINT32_MAX, &number))
		take_number(undo, (enum note)key, number);
}

int undo_load(const char *run_dir, struct undo *ret)
{
	char text[FILE_MAX], *save = NULL;
	int dir = run_dir_open(run_dir);
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

/* The file that is locked, in the directory above. Where a sandbox makes that one read-only, the
 * file is there already: tmpfiles.d(5) has made it. */
static int open_lock(const char *run_dir)
{
	const char *slash = strrchr(run_dir, '/');
	char path[PATH_MAX];
	int len;

	if (!slash || slash == run_dir)
		return -1;
	len = snprintf(path, sizeof(path), "%.*s/.lock", (int)(slash - run_dir), run_dir);
	if (len < 0 || len >= (int)sizeof(path))
		return -1;
	return open(path, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
}

int undo_lock(const char *run_dir)
{
	int fd = open_lock(run_dir);

	for (int i = 0; fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0; i++) {
		if ((errno != EWOULDBLOCK && errno != EINTR) || i == LOCK_TRIES) {
			close(fd);
			return -1;
		}
		poll(NULL, 0, LOCK_PAUSE_MS);
	}
	return fd;
}

void undo_unlock(int lock)
{
	if (lock >= 0)
		close(lock);
}

static int write_text(int dir, const char *text, size_t len)
{
	int fd, error = 0;

	(void)unlinkat(dir, TEMPORARY, 0);
	fd = run_dir_create(dir, TEMPORARY, 0644);
	if (fd < 0)
		return fd;
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

/* Two lines for each interface, a few more, and a name fit by far. */
_Static_assert(FILE_MAX > FORWARD_ITEMS_MAX * (24 + 21) + 1024, "the longest file");

static void add_number(char text[static FILE_MAX], size_t *len, int key, uint64_t number)
{
	*len += (size_t)snprintf(text + *len, FILE_MAX - *len, "%s %llu\n", keys[key],
				 (unsigned long long)number);
}

static void add_text(char text[static FILE_MAX], size_t *len, const char *key, const char *value)
{
	if (value[0])
		*len += (size_t)snprintf(text + *len, FILE_MAX - *len, "%s %s\n", key, value);
}

int undo_save(const char *run_dir, const struct undo *undo)
{
	const uint64_t numbers[N_SINGLE] = {
		[NETNS] = undo->netns,
		[IFINDEX] = undo->ifindex,
		[MARK] = undo->policy.mark,
		[PRIORITY] = undo->policy.priority,
		[FILTER] = undo->has_filter,
		[VALID_MARK] = undo->has_set_valid_mark,
		[DNS] = undo->dns,
		[FORWARD_IPV6] = undo->forward.is_ipv6,
		[BRIDGE] = undo->bridge.ifindex,
	};
	char text[FILE_MAX];
	size_t len = 0;
	int dir, error = run_dir_make(run_dir);

	if (error < 0)
		return error;
	for (int key = 0; key < N_SINGLE; key++)
		add_number(text, &len, key, numbers[key]);
	for (size_t i = 0; i < undo->forward.n; i++) {
		const struct forward_item *item = &undo->forward.items[i];

		if (item->is_ipv4)
			add_number(text, &len, FORWARD_IPV4, item->ifindex);
		if (item->is_ra)
			add_number(text, &len, ACCEPT_RA, item->ifindex);
	}
	add_text(text, &len, RECORD, undo->record);
	add_text(text, &len, NAMESPACE, undo->namespace);
	add_text(text, &len, BRIDGE_NAME, undo->bridge.name);
	dir = run_dir_open(run_dir);
	if (dir < 0)
		return dir;
	error = write_text(dir, text, len);
	close(dir);
	return error;
}

int undo_forget(const char *run_dir)
{
	int dir = run_dir_open(run_dir);
	int error = 0;

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	if (unlinkat(dir, FILE_NAME, 0) < 0 && errno != ENOENT)
		error = -errno;
	close(dir);
	return error;
}

/* Calls a function with the notes of each other link of a namespace. */
static void each_other(const char *run_dir, uint64_t netns,
		       void (*function)(const struct undo *undo, void *context), void *context)
{
	const char *slash = strrchr(run_dir, '/');
	const struct dirent *entry;
	char path[PATH_MAX];
	struct undo undo;
	DIR *dir;

	if (!slash || slash == run_dir || (size_t)(slash - run_dir) >= sizeof(path))
		return;
	snprintf(path, sizeof(path), "%.*s", (int)(slash - run_dir), run_dir);
	dir = opendir(path);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is our own */
	while (dir && (entry = readdir(dir)) != NULL) {
		int len = snprintf(path, sizeof(path), "%.*s/%s", (int)(slash - run_dir), run_dir,
				   entry->d_name);

		if (entry->d_name[0] == '.' || strcmp(entry->d_name, slash + 1) == 0 || len < 0 ||
		    len >= (int)sizeof(path))
			continue;
		if (undo_load(path, &undo) == 0 && undo.netns == netns)
			function(&undo, context);
	}
	if (dir)
		closedir(dir);
}

static void note_valid_mark(const struct undo *undo, void *context)
{
	*(bool *)context |= undo->has_set_valid_mark;
}

bool undo_others_set_valid_mark(const char *run_dir, uint64_t netns)
{
	bool found = false;

	each_other(run_dir, netns, note_valid_mark, &found);
	return found;
}

static void note_forward(const struct undo *undo, void *context)
{
	(void)forward_add(context, &undo->forward);
}

void undo_others_forward(const char *run_dir, uint64_t netns, struct forward *ret)
{
	*ret = (struct forward) { .n = 0 };
	each_other(run_dir, netns, note_forward, ret);
}

struct bridge_search {
	unsigned int ifindex;
	bool found;
};

static void note_bridge(const struct undo *undo, void *context)
{
	struct bridge_search *search = context;

	search->found |= undo->bridge.ifindex == search->ifindex;
}

bool undo_others_bridge(const char *run_dir, uint64_t netns, unsigned int ifindex)
{
	struct bridge_search search = { .ifindex = ifindex };

	each_other(run_dir, netns, note_bridge, &search);
	return search.found && ifindex != 0;
}

uint64_t undo_netns(const char *namespace)
{
	struct stat st;
	uint64_t inode;
	int fd;

	if (!namespace || !namespace[0])
		return stat("/proc/thread-self/ns/net", &st) == 0 ? (uint64_t)st.st_ino : 0;
	fd = netns_open(namespace);
	if (fd < 0)
		return 0;
	inode = fstat(fd, &st) == 0 ? (uint64_t)st.st_ino : 0;
	close(fd);
	return inode;
}
