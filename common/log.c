/*
 * The log; see log.h.
 *
 * A line is built on the stack and leaves with one system call, so lines of several threads do
 * not mix. stderr may be a socket (the journal), a pipe, a terminal or a file, and its open file
 * is shared with others, so O_NONBLOCK must not be set on it: a socket is written with
 * MSG_DONTWAIT, anything else only after poll() has said that it takes at least PIPE_BUF bytes,
 * and a line is never longer.
 */
#include "common/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define LINE_MAX_LEN   1024
#define JOURNAL_SOCKET "/run/systemd/journal/socket"
_Static_assert(LINE_MAX_LEN <= PIPE_BUF, "a pipe that is writable takes a whole line");

static struct {
	char prefix[32]; /* "site-a: " or empty */
	char link[16];   /* "site-a" or empty */
	char peer[48];   /* its public key or empty; under `lock`, for a reload may change it */
	pthread_mutex_t lock;
	enum log_level level;
	int journal_fd;       /* -1: lines go to stderr */
	bool journal;         /* lines start with "<3>" and the like */
	atomic_ullong n_lost; /* lines that stderr did not take since the last one it took */
} state = { .level = LOG_LEVEL_INFO, .journal_fd = -1, .lock = PTHREAD_MUTEX_INITIALIZER };

/* systemd sets JOURNAL_STREAM to "device:inode" of the stream that it gave to the service; a
   stderr that was redirected since then is another one. */
static bool is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char mine[48];
	struct stat st;

	if (stream == NULL || fstat(STDERR_FILENO, &st) != 0)
		return false;
	snprintf(mine, sizeof(mine), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(stream, mine) == 0;
}

void log_init(const char *link, enum log_level level)
{
	state.prefix[0] = '\0';
	snprintf(state.link, sizeof(state.link), "%s", link ? link : "");
	if (link != NULL)
		snprintf(state.prefix, sizeof(state.prefix), "%.15s: ", link);
	state.level = level;
	state.journal = is_journal();
}

/* The journal's own socket (systemd's JOURNAL_NATIVE_PROTOCOL): one datagram is one entry. */
static int open_journal(void)
{
	const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int error;

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	error = -errno;
	close(fd);
	return error;
}

int log_open(enum log_target target)
{
	int fd;

	if (target == LOG_TARGET_STDERR) {
		state.journal = false;
		return 0;
	}
	/* Lines with marks: the journal knows whose the stream is, also when the process that wrote
	 * into it is gone before it looks. */
	if (target == LOG_TARGET_AUTO)
		return 0;
	fd = open_journal();
	if (fd < 0)
		return fd;
	state.journal_fd = fd;
	state.journal = false;
	return 0;
}

int log_fd(void)
{
	return state.journal_fd;
}

void log_set_peer(const char *key)
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

/* One entry. \param text  the line with its newline, without a mark */
static bool write_entry(enum log_level level, const char *text, size_t len)
{
	char head[192];
	struct iovec parts[] = { { head, 0 }, { NULL, len } };
	const struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

	snprintf(head, sizeof(head), "PRIORITY=%d\nSYSLOG_IDENTIFIER=vpnd\n", (int)level);
	add_field(head, sizeof(head), "VPND_LINK", state.link);
	pthread_mutex_lock(&state.lock);
	add_field(head, sizeof(head), "VPND_PEER", state.peer);
	pthread_mutex_unlock(&state.lock);
	strncat(head, "MESSAGE=", sizeof(head) - strlen(head) - 1);
	parts[0].iov_len = strlen(head);
	memcpy(&parts[1].iov_base, &text, sizeof(text)); /* an iovec knows no const */
	return sendmsg(state.journal_fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) > 0;
}

static bool write_line(const char *line, size_t len)
{
	struct pollfd pfd = { .fd = STDERR_FILENO, .events = POLLOUT };
	ssize_t n = send(STDERR_FILENO, line, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n >= 0 || errno != ENOTSOCK)
		return n == (ssize_t)len;
	/* A pipe that nobody reads says POLLERR; writing to it would only raise SIGPIPE. */
	if (poll(&pfd, 1, 0) != 1 || (pfd.revents & (POLLOUT | POLLERR)) != POLLOUT)
		return false;
	return write(STDERR_FILENO, line, len) == (ssize_t)len;
}

/* Length of what snprintf() left in `room` bytes, given what it returned. */
static size_t printed(int n, size_t room)
{
	return n < 0 ? 0 : MIN((size_t)n, room - 1);
}

/* What stands in front of the message: level mark, link, and a word about lost lines. */
static size_t start_line(char line[static LINE_MAX_LEN], enum log_level level,
			 unsigned long long n_lost)
{
	char mark[8] = "";
	char lost[64] = "";

	if (state.journal)
		snprintf(mark, sizeof(mark), "<%d>", (int)level);
	if (n_lost > 0)
		snprintf(lost, sizeof(lost), "(%llu lines before this one were lost) ", n_lost);
	return printed(snprintf(line, LINE_MAX_LEN, "%s%s%s", mark, state.prefix, lost),
		       LINE_MAX_LEN);
}

void log_msg(enum log_level level, const char *format, ...)
{
	int saved_errno = errno;
	char line[LINE_MAX_LEN];
	unsigned long long n_lost;
	size_t start;
	size_t len;
	size_t room;
	va_list args;

	if (level > state.level)
		return;
	n_lost = atomic_exchange(&state.n_lost, 0);
	start = start_line(line, level, n_lost);
	room = sizeof(line) - 1 - start; /* one byte is kept for the newline */
	errno = saved_errno;             /* for %m */
	va_start(args, format);
	len = start + printed(vsnprintf(line + start, room, format, args), room);
	va_end(args);
	for (size_t i = start; i < len; i++) {
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	}
	line[len++] = '\n';
	if (!(state.journal_fd >= 0 ? write_entry(level, line, len) : write_line(line, len)))
		atomic_fetch_add(&state.n_lost, n_lost + 1);
	errno = saved_errno;
}

bool log_allowed(struct log_limit *limit, nsec_t interval, nsec_t now)
{
	if (now < limit->next) {
		limit->n_held++;
		return false;
	}
	limit->next = nsec_add(now, interval);
	limit->n_dropped = limit->n_held;
	limit->n_held = 0;
	return true;
}
