/*
 * One child, two pipes and a process descriptor; see program.h.
 *
 * The child is made by posix_spawn(), which shares memory with us until the program runs: nothing
 * of ours is copied, whatever threads we have, and failure to run it is told at once.
 */
#include "daemon/host/program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/parse.h"

/* A child that runs. */
struct child {
	const struct program_job *job;
	pid_t pid;     /* and process group */
	int pid_fd;    /* readable when it has ended */
	int output_fd; /* -1: everybody has closed the other end */
	struct program_result result;
	nsec_t deadline;
	bool is_stopping; /* it got SIGTERM */
	char line[PROGRAM_LINE_MAX];
	size_t line_len;
	char last_line[PROGRAM_LINE_MAX]; /* beyond PROGRAM_LINES_MAX: an error often ends it */
	size_t last_line_len;
	size_t n_lines;
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Standard streams, and nothing else. */
static int prepare_files(posix_spawn_file_actions_t *files, int input, int output)
{
	int error = input >= 0 ? posix_spawn_file_actions_adddup2(files, input, STDIN_FILENO)
			       : posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null",
								  O_RDONLY, 0);

	if (error == 0)
		error = posix_spawn_file_actions_adddup2(files, output, STDOUT_FILENO);
	if (error == 0)
		error = posix_spawn_file_actions_adddup2(files, output, STDERR_FILENO);
	if (error == 0)
		error = posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1);
	return error;
}

static int prepare_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none, all;
	int error;

	sigemptyset(&none);
	sigfillset(&all);
	error = posix_spawnattr_setflags(
		attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (error == 0)
		error = posix_spawnattr_setpgroup(attributes, 0);
	if (error == 0)
		error = posix_spawnattr_setsigmask(attributes, &none);
	if (error == 0)
		error = posix_spawnattr_setsigdefault(attributes, &all);
	return error;
}

static int start_child(const struct program_job *job, int input, int output, pid_t *ret)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	int error = posix_spawn_file_actions_init(&files);

	if (error != 0)
		return -error;
	error = posix_spawnattr_init(&attributes);
	if (error == 0) {
		error = prepare_files(&files, input, output);
		if (error == 0)
			error = prepare_attributes(&attributes);
		/* The function takes no pointers to const, and changes nothing. */
		/* NOLINTBEGIN(performance-no-int-to-ptr) */
		if (error == 0)
			error = posix_spawn(ret, job->argv[0], &files, &attributes,
					    (char *const *)(uintptr_t)job->argv,
					    (char *const *)(uintptr_t)job->envp);
		/* NOLINTEND(performance-no-int-to-ptr) */
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&files);
	return -error;
}

/* A pipe whose content is all there already, so that nobody need wait to write it. */
static int open_input(const struct program_job *job, int *ret)
{
	int fds[2];
	ssize_t len;

	*ret = -1;
	if (!job->input)
		return 0;
	if (job->input_len > PIPE_BUF)
		return -E2BIG;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	len = job->input_len > 0 ? write(fds[1], job->input, job->input_len) : 0;
	close(fds[1]);
	*ret = fds[0];
	return len == (ssize_t)job->input_len ? 0 : -EIO;
}

static void say(const struct program_job *job, const char *line, size_t len)
{
	char text[PROGRAM_LINE_MAX];

	if (job->say)
		job->say(job->context, parse_escape(line, len, text, sizeof(text)));
}

static void say_line(struct child *child)
{
	if (child->line_len == 0)
		return;
	if (child->n_lines < PROGRAM_LINES_MAX) {
		say(child->job, child->line, child->line_len);
	} else {
		memcpy(child->last_line, child->line, child->line_len);
		child->last_line_len = child->line_len;
	}
	child->n_lines++;
	child->line_len = 0;
}

/* Cuts bytes into lines; what a line has too much is left out. */
static void take_output(struct child *child, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\n')
			say_line(child);
		else if (child->line_len < sizeof(child->line))
			child->line[child->line_len++] = bytes[i];
	}
}

/* Reads what is there, a pipe's worth at most: somebody in the background may write for ever. */
static void read_output(struct child *child)
{
	char bytes[4096];

	for (int reads = 0; reads < 16 && child->output_fd >= 0; reads++) {
		ssize_t len = read(child->output_fd, bytes, sizeof(bytes));

		if (len > 0)
			take_output(child, bytes, (size_t)len);
		else if (len < 0 && errno == EINTR)
			continue;
		else if (len < 0 && errno == EAGAIN)
			return;
		else
			close_fd(&child->output_fd);
	}
}

/* The rest of the output: of too much of it the last line, too. */
static void finish_output(struct child *child)
{
	char text[64];
	size_t n_left_out;

	read_output(child);
	say_line(child);
	if (child->n_lines <= PROGRAM_LINES_MAX)
		return;
	n_left_out = child->n_lines - PROGRAM_LINES_MAX - 1;
	if (n_left_out > 0) {
		snprintf(text, sizeof(text), "... (%zu line%s left out)", n_left_out,
			 n_left_out == 1 ? "" : "s");
		say(child->job, text, strlen(text));
	}
	say(child->job, child->last_line, child->last_line_len);
}

/* Asks the group to end, and a second time orders it. */
static void stop(struct child *child, enum program_end why)
{
	kill(-child->pid, child->is_stopping ? SIGKILL : SIGTERM);
	if (!child->is_stopping)
		child->result.end = why;
	child->is_stopping = true;
	child->deadline = nsec_boottime() + PROGRAM_GRACE;
}

static int wait_ms(const struct child *child)
{
	nsec_t now = nsec_boottime();

	if (now >= child->deadline)
		return 0;
	return (int)MIN((child->deadline - now) / NSEC_PER_MSEC + 1, INT_MAX);
}

/* Whether who watches has said that the program is to end. */
static bool is_unwanted(const struct program_watch *watch)
{
	return !watch->is_unwanted || watch->is_unwanted(watch->context);
}

/* Waits until the child has ended, whatever it takes; output is read meanwhile. */
static void attend(struct child *child)
{
	const struct program_watch *watch = child->job->watch;
	int n_stops = 0;

	for (;;) {
		struct pollfd fds[] = {
			{ .fd = child->pid_fd, .events = POLLIN },
			{ .fd = child->output_fd, .events = POLLIN },
			{ .fd = child->is_stopping || !watch ? -1 : watch->fd, .events = POLLIN },
		};
		int n = poll(fds, ARRAY_SIZE(fds), wait_ms(child));

		if (n < 0)
			continue; /* a signal */
		if (fds[1].revents != 0)
			read_output(child);
		if (fds[0].revents != 0)
			return;
		if (watch && fds[2].revents != 0 && is_unwanted(watch))
			stop(child, PROGRAM_CANCELLED);
		else if (wait_ms(child) > 0)
			continue;
		else if (n_stops++ < 2)
			stop(child, PROGRAM_STALLED);
		else
			return; /* not even SIGKILL: the kernel holds it */
	}
}

/* Takes the status; what a stopped child has started ends with it. */
static int reap(struct child *child)
{
	siginfo_t info = { .si_pid = 0 };

	if (child->is_stopping)
		kill(-child->pid, SIGKILL); /* not reaped yet, so the number is still its own */
	if (waitid(P_PIDFD, (id_t)child->pid_fd, &info, WEXITED | WNOHANG) < 0)
		return -errno;
	if (child->is_stopping)
		return 0;
	child->result.end = info.si_code == CLD_EXITED ? PROGRAM_EXITED : PROGRAM_SIGNALLED;
	child->result.status = info.si_status;
	return 0;
}

/* The life of a child that was made. */
static int follow(struct child *child, struct program_result *ret)
{
	int error;

	child->pid_fd = pidfd_open(child->pid, 0);
	if (child->pid_fd < 0) {
		error = -errno;
		kill(-child->pid, SIGKILL);
		waitpid(child->pid, NULL, 0);
		return error;
	}
	child->deadline = nsec_add(nsec_boottime(), child->job->limit);
	attend(child);
	finish_output(child);
	error = reap(child);
	close_fd(&child->pid_fd);
	if (error == 0)
		*ret = child->result;
	return error;
}

int program_run(const struct program_job *job, struct program_result *ret)
{
	struct child child = { .job = job, .pid_fd = -1, .output_fd = -1 };
	int input, fds[2] = { -1, -1 };
	int error = open_input(job, &input);

	if (error == 0 && pipe2(fds, O_CLOEXEC) < 0)
		error = -errno;
	if (error < 0) {
		close_fd(&input);
		return error;
	}
	child.output_fd = fds[0];
	(void)fcntl(child.output_fd, F_SETFL, O_NONBLOCK);
	error = start_child(job, input, fds[1], &child.pid);
	close_fd(&fds[1]);
	close_fd(&input);
	if (error == 0)
		error = follow(&child, ret);
	close_fd(&child.output_fd);
	return error;
}

bool program_find(const char *path, const char *name, char *ret, size_t ret_size)
{
	while (*path) {
		int len = (int)strcspn(path, ":");
		int n = snprintf(ret, ret_size, "%.*s/%s", len, path, name);

		if (len > 0 && n > 0 && (size_t)n < ret_size && access(ret, X_OK) == 0)
			return true;
		path += len + (path[len] == ':');
	}
	return false;
}

const char *program_end_text(const struct program_result *result, nsec_t limit, char *buf,
			     size_t buf_size)
{
	switch (result->end) {
	case PROGRAM_EXITED:
		snprintf(buf, buf_size, "ended with exit code %d", result->status);
		break;
	case PROGRAM_SIGNALLED:
		snprintf(buf, buf_size, "was ended by signal %d", result->status);
		break;
	case PROGRAM_STALLED:
		snprintf(buf, buf_size, "did not end within %llu seconds and was stopped",
			 (unsigned long long)(limit / NSEC_PER_SEC));
		break;
	case PROGRAM_CANCELLED:
		snprintf(buf, buf_size, "was stopped, because vpnd is to end");
		break;
	}
	return buf;
}
