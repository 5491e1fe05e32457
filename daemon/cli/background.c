/* Forking, and waiting for the child to be ready; see background.h. */
#include "daemon/cli/background.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/err.h"

/* What the two processes have in common. */
struct channel {
	int ready[2];  /* a byte comes when the service is ready */
	int output[2]; /* its stderr; -1: the caller's */
};

static void close_pair(int pair[static 2])
{
	for (size_t i = 0; i < 2; i++) {
		if (pair[i] >= 0)
			close(pair[i]);
		pair[i] = -1;
	}
}

static int open_channel(struct channel *channel, bool keeps_output)
{
	int error = 0;

	*channel = (struct channel) { { -1, -1 }, { -1, -1 } };
	if (pipe2(channel->ready, O_CLOEXEC) < 0 ||
	    (!keeps_output && pipe2(channel->output, O_CLOEXEC) < 0)) {
		error = -errno;
		close_pair(channel->ready);
	}
	return error;
}

/* Passes on what there is. \return false at the end of it */
static bool pass_on(int fd)
{
	char buf[4096];
	ssize_t n = read(fd, buf, sizeof(buf));

	if (n > 0)
		(void)!write(STDERR_FILENO, buf, (size_t)n);
	return n > 0;
}

/* The child has ended before it was ready. */
static int exit_code_of(pid_t child)
{
	int status;
	pid_t pid;

	do {
		pid = waitpid(child, &status, 0);
	} while (pid < 0 && errno == EINTR);
	return pid == child && WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_SYSTEM;
}

/* Until the child is ready or has ended. Its own forks may hold the pipes longer than it lives, so
 * their end tells nothing. */
static int wait_for(pid_t child, int pid_fd, const struct channel *channel)
{
	struct pollfd fds[] = {
		{ .fd = channel->output[0], .events = POLLIN },
		{ .fd = channel->ready[0], .events = POLLIN },
		{ .fd = pid_fd, .events = POLLIN },
	};
	char byte;

	for (;;) {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0) {
			/* Then it has not written what was found. */
			if (errno == EINTR)
				continue;
			return EXIT_SYSTEM;
		}
		/* First of all, so that nothing is lost that was printed before the end. */
		if (fds[0].revents && !pass_on(fds[0].fd))
			fds[0].fd = -1;
		else if (fds[0].revents)
			continue;
		if (fds[1].revents & POLLIN)
			return read(fds[1].fd, &byte, 1) == 1 ? EXIT_DONE : EXIT_SYSTEM;
		if (fds[2].revents)
			return exit_code_of(child);
	}
}

/* Of the child, which leaves terminal and directory of the caller. */
static int become_service(struct background *background, struct channel *channel)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	bool keeps_output = channel->output[1] < 0;

	if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0)
		return -errno;
	if (!keeps_output &&
	    (dup2(null_fd, STDOUT_FILENO) < 0 || dup2(channel->output[1], STDERR_FILENO) < 0))
		return -errno;
	close(null_fd);
	close_pair(channel->output);
	close(channel->ready[0]);
	background->fd = channel->ready[1];
	(void)setsid();
	return chdir("/") < 0 ? -errno : 0;
}

int background_start(struct background *background, bool keeps_output, int *ret_code)
{
	struct channel channel;
	int error = open_channel(&channel, keeps_output), pid_fd;
	pid_t child;

	if (error < 0)
		return error;
	child = fork();
	if (child == 0)
		return become_service(background, &channel);
	error = child < 0 ? -errno : 0;
	pid_fd = error == 0 ? (int)syscall(SYS_pidfd_open, child, 0) : -1;
	if (error == 0 && pid_fd < 0) {
		error = -errno;
		kill(child, SIGKILL);
	}
	if (error == 0)
		*ret_code = wait_for(child, pid_fd, &channel);
	if (pid_fd >= 0)
		close(pid_fd);
	close_pair(channel.ready);
	close_pair(channel.output);
	return error < 0 ? error : 1;
}

void background_ready(const struct background *background)
{
	if (background->fd >= 0)
		(void)!write(background->fd, "", 1);
}
