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
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_LEN 1024
_Static_assert(LINE_MAX_LEN <= PIPE_BUF, "a pipe that is writable takes a whole line");

static struct {
	char prefix[32]; /* "site-a: " or empty */
	enum log_level level;
	bool journal;         /* lines start with "<3>" and the like */
	atomic_ullong n_lost; /* lines that stderr did not take since the last one it took */
} state = { .level = LOG_LEVEL_INFO };

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
	if (link != NULL)
		snprintf(state.prefix, sizeof(state.prefix), "%.15s: ", link);
	state.level = level;
	state.journal = is_journal();
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
	if (!write_line(line, len))
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
