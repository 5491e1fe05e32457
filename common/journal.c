/*
 * Entries for the journal; see journal.h and, for the datagrams, systemd's
 * JOURNAL_NATIVE_PROTOCOL.
 *
 * The socket is connected, so that sending works also where no path can be looked up any more. A
 * journal that is stopped ends the connection; what is sent after that names the path.
 */
#include "common/journal.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET_PATH  "/run/systemd/journal/socket"
#define FLUSH_MAX_MS 100

static struct {
	int fd;
	char link[16];        /* empty: no such field */
	char peer[48];        /* the same; under `lock`, for a reload may change it */
	pthread_mutex_t lock; /* for the peer */
} state = { .fd = -1, .lock = PTHREAD_MUTEX_INITIALIZER };

static const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = SOCKET_PATH };

bool journal_is_stderr(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char mine[48];
	struct stat st;

	if (stream == NULL || fstat(STDERR_FILENO, &st) != 0)
		return false;
	snprintf(mine, sizeof(mine), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(stream, mine) == 0;
}

int journal_open(const char *link)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int error;

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		error = -errno;
		close(fd);
		return error;
	}
	journal_close();
	state.fd = fd;
	snprintf(state.link, sizeof(state.link), "%s", link ? link : "");
	return 0;
}

void journal_close(void)
{
	if (state.fd >= 0)
		close(state.fd);
	state.fd = -1;
	journal_set_peer(NULL);
}

int journal_fd(void)
{
	return state.fd;
}

void journal_set_peer(const char *key)
{
	pthread_mutex_lock(&state.lock);
	snprintf(state.peer, sizeof(state.peer), "%s", key ? key : "");
	pthread_mutex_unlock(&state.lock);
}

/* Writes "NAME=VALUE\n" behind what is there; nothing for an empty value. */
static void add_field(char *head, size_t size, const char *name, const char *value)
{
	size_t len = strlen(head);

	if (value[0])
		snprintf(head + len, size - len, "%s=%s\n", name, value);
}

/* A const pointer as sendmsg(2) takes it: it knows no const. */
static void *unconst(const void *pointer)
{
	void *plain;

	memcpy(&plain, &pointer, sizeof(plain));
	return plain;
}

bool journal_send(enum log_level level, const char *text, size_t len)
{
	char head[192];
	struct iovec parts[] = { { head, 0 }, { unconst(text), len } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

	if (state.fd < 0)
		return false;
	snprintf(head, sizeof(head), "PRIORITY=%d\nSYSLOG_IDENTIFIER=vpnd\n", (int)level);
	add_field(head, sizeof(head), "VPND_LINK", state.link);
	pthread_mutex_lock(&state.lock);
	add_field(head, sizeof(head), "VPND_PEER", state.peer);
	pthread_mutex_unlock(&state.lock);
	strncat(head, "MESSAGE=", sizeof(head) - strlen(head) - 1);
	parts[0].iov_len = strlen(head);
	if (sendmsg(state.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		return true;
	if (errno != ECONNREFUSED && errno != ENOTCONN)
		return false;
	message.msg_name = unconst(&address);
	message.msg_namelen = sizeof(address);
	return sendmsg(state.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) > 0;
}

/* Bytes that were sent and not yet read. By getsockopt(2) and not ioctl(2), which a confined
   process must not use. */
static uint32_t n_unread(void)
{
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	socklen_t size = sizeof(info);

	if (getsockopt(state.fd, SOL_SOCKET, SO_MEMINFO, info, &size) != 0)
		return 0;
	return info[SK_MEMINFO_WMEM_ALLOC];
}

void journal_flush(void)
{
	if (state.fd < 0)
		return;
	for (int ms = 0; ms < FLUSH_MAX_MS && n_unread() > 0; ms++)
		(void)poll(NULL, 0, 1);
}
