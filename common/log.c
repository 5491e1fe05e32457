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
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/journal.h"

#define LINE_MAX_LEN 1024
_Static_assert(LINE_MAX_LEN <= PIPE_BUF, "a pipe that is writable takes a whole line");

static struct {
	char link[16];   /* "site-a" or empty */
	char prefix[32]; /* "site-a: " or empty */
	enum log_level level;
	bool has_marks;       /* lines on stderr start with "<3>" and the like */
	atomic_ullong n_lost; /* lines that nobody took since the last one that was taken */
} state = { .level = LOG_LEVEL_INFO };

/* A line that is being built. */
struct line {
	char text[LINE_MAX_LEN];
	size_t mark_len; /* an entry has its level as a field, and begins behind the mark */
	size_t len;
};

void log_init(const char *link, enum log_level level)
{
	snprintf(state.link, sizeof(state.link), "%s", link ? link : "");
	state.prefix[0] = '\0';
	if (link != NULL)
		snprintf(state.prefix, sizeof(state.prefix), "%.15s: ", link);
	state.level = level;
	state.has_marks = journal_is_stderr();
	journal_close();
}

int log_open(enum log_target target)
{
	int r;

	if (target == LOG_TARGET_STDERR) {
		state.has_marks = false;
		return 0;
	}
	if (target == LOG_TARGET_AUTO && !journal_is_stderr())
		return 0;
	r = journal_open(state.link);
	/* Then the stream on stderr, which was asked for too, leads to the same place. */
	return target == LOG_TARGET_AUTO ? 0 : r;
}

int log_fd(void)
{
	return journal_fd();
}

void log_flush(void)
{
	journal_flush();
}

void log_set_peer(const char *key)
{
	journal_set_peer(key);
}

static bool write_stderr(const char *line, size_t len)
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
static void start_line(struct line *line, enum log_level level, unsigned long long n_lost)
{
	char mark[8] = "";
	char lost[64] = "";

	if (state.has_marks)
		snprintf(mark, sizeof(mark), "<%d>", (int)level);
	if (n_lost > 0)
		snprintf(lost, sizeof(lost), "(%llu lines before this one were lost) ", n_lost);
	line->mark_len = strlen(mark);
	line->len = printed(
		snprintf(line->text, sizeof(line->text), "%s%s%s", mark, state.prefix, lost),
		sizeof(line->text));
}

static bool write_line(const struct line *line, enum log_level level)
{
	return journal_send(level, line->text + line->mark_len, line->len - line->mark_len) ||
	       write_stderr(line->text, line->len);
}

void log_msg(enum log_level level, const char *format, ...)
{
	int saved_errno = errno;
	struct line line;
	unsigned long long n_lost;
	size_t start;
	size_t room;
	va_list args;

	if (level > state.level)
		return;
	n_lost = atomic_exchange(&state.n_lost, 0);
	start_line(&line, level, n_lost);
	start = line.len;
	room = sizeof(line.text) - 1 - start; /* one byte is kept for the newline */
	errno = saved_errno;                  /* for %m */
	va_start(args, format);
	line.len += printed(vsnprintf(line.text + start, room, format, args), room);
	va_end(args);
	for (size_t i = start; i < line.len; i++) {
		if ((unsigned char)line.text[i] < 0x20 || line.text[i] == 0x7f)
			line.text[i] = '?';
	}
	line.text[line.len++] = '\n';
	if (!write_line(&line, level))
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
