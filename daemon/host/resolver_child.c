/* The keeper and its workers; see resolver.h for how they work together. */
#include "daemon/host/resolver_child.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/host/rights.h"

/* The number that the keeper's end of the pair gets. */
#define KEEPER_FD 3

/*
 * Keeps standard streams as /dev/null, because libraries write to them, and the pair as
 * KEEPER_FD. Everything else belongs to the parent: its interface must vanish with it.
 */
static bool keep_only(int fd)
{
	int null_fd;

	if (fd != KEEPER_FD && dup2(fd, KEEPER_FD) < 0)
		return false;
	if (close_range(KEEPER_FD + 1, ~0U, 0) < 0)
		return false;
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++) {
		if (null_fd < 0 ? close(i) < 0 && errno != EBADF : dup2(null_fd, i) < 0)
			return false;
	}
	if (null_fd > KEEPER_FD)
		close(null_fd);
	return true;
}

/*
 * Default handling of all signals (the parent's handlers would write to the parent's loop), but
 * those that a terminal or a service manager sends to the whole group are ignored: the parent
 * may want names resolved until it has finished, and its end is our end.
 */
static void reset_signals(void)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		(void)signal(number, SIG_DFL); /* fails for KILL, STOP and libc's own */
	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		(void)signal(ignored[i], SIG_IGN);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Dies with the parent, whatever the parent dies of. */
static void die_with(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(0);
}

/* What libc reads for a lookup, and modules for name services that a host may have. Not all of
 * /etc: the user may be able to read keys there. */
static const char *const readable[] = {
	"/usr",
	"/lib",
	"/lib32",
	"/lib64",
	"/etc/gai.conf",
	"/etc/host.conf",
	"/etc/hostname",
	"/etc/hosts",
	"/etc/ld.so.cache",
	"/etc/mdns.allow",
	"/etc/nsswitch.conf",
	"/etc/protocols",
	"/etc/resolv.conf",
	"/etc/services",
	"/dev/null",
	"/dev/urandom",
	"/run/NetworkManager",
	"/run/avahi-daemon",
	"/run/nscd",
	"/run/resolvconf",
	"/run/systemd/resolve",
	"/run/systemd/machines",
	"/var/cache/nscd",
	"/var/lib/sss",
};

/* Copies what getaddrinfo() found, as far as it is IPv4 or IPv6. */
static void take_addresses(const struct addrinfo *list, uint16_t port, struct resolver_reply *reply)
{
	for (; list && reply->n_addrs < RESOLVER_ADDRS_MAX; list = list->ai_next) {
		union netaddr *addr = &reply->addrs[reply->n_addrs];

		if (list->ai_family == AF_INET && list->ai_addrlen == sizeof(addr->in4)) {
			memcpy(&addr->in4, list->ai_addr, sizeof(addr->in4));
			addr->in4.sin_port = htons(port);
			reply->n_addrs++;
		} else if (list->ai_family == AF_INET6 && list->ai_addrlen == sizeof(addr->in6)) {
			memcpy(&addr->in6, list->ai_addr, sizeof(addr->in6));
			addr->in6.sin6_port = htons(port);
			reply->n_addrs++;
		}
	}
}

/* The worker: one lookup, written to the pipe. */
static noreturn void look_up(const struct resolver_question *question, int pipe_fd, bool is_limited)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM };
	struct resolver_reply reply;
	struct addrinfo *list = NULL;

	/* Looked up for each question anew: another file may have got that name meanwhile. */
	if (is_limited)
		(void)rights_limit_files(readable, ARRAY_SIZE(readable));
	memset(&reply, 0, sizeof(reply));
	reply.id = question->id;
	reply.error = getaddrinfo(question->host, NULL, &hints, &list);
	if (reply.error == 0) {
		take_addresses(list, question->port, &reply);
		freeaddrinfo(list);
		if (reply.n_addrs == 0)
			reply.error = EAI_NODATA;
	}
	/* Shorter than PIPE_BUF: all of it or nothing. */
	_exit(write(pipe_fd, &reply, sizeof(reply)) == (ssize_t)sizeof(reply) ? 0 : 1);
}

/*
 * Waits for the worker's reply, or for the limit; false then. When the parent closes its end,
 * nobody wants the reply any more, and the worker dies with us.
 */
static bool await_reply(int pipe_fd, int limit_ms, struct resolver_reply *reply)
{
	struct pollfd fds[] = { { .fd = pipe_fd, .events = POLLIN }, { .fd = KEEPER_FD } };
	int n;

	do {
		n = poll(fds, ARRAY_SIZE(fds), limit_ms);
	} while (n < 0 && errno == EINTR);
	if (fds[1].revents != 0)
		_exit(0);
	if (n == 0)
		return false;
	if (read(pipe_fd, reply, sizeof(*reply)) != (ssize_t)sizeof(*reply))
		reply->error = EAI_FAIL; /* it crashed */
	return true;
}

/* Has one question answered by a worker. */
static void serve(const struct resolver_question *question, int limit_ms, bool is_limited,
		  struct resolver_reply *reply)
{
	pid_t keeper = getpid();
	int fds[2];
	pid_t worker;

	reply->error = EAI_MEMORY;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return;
	worker = fork();
	if (worker == 0) {
		die_with(keeper);
		close(KEEPER_FD);
		close(fds[0]);
		look_up(question, fds[1], is_limited);
	}
	close(fds[1]);
	if (worker > 0) {
		if (!await_reply(fds[0], limit_ms, reply))
			reply->error = RESOLVER_STALLED;
		kill(worker, SIGKILL); /* not reaped yet, so the number is still its own */
		waitpid(worker, NULL, 0);
	}
	close(fds[0]);
}

/* Waits for a question; false when the other end is closed or makes no sense. */
static bool receive(struct resolver_question *question)
{
	ssize_t len;

	do {
		len = recv(KEEPER_FD, question, sizeof(*question), MSG_TRUNC);
	} while (len < 0 && errno == EINTR);
	return len == (ssize_t)sizeof(*question) &&
	       memchr(question->host, '\0', sizeof(question->host)) && question->host[0];
}

noreturn void resolver_child_run(int fd, pid_t parent, int limit_ms, const char *user)
{
	struct resolver_question question;
	char text[RIGHTS_TEXT_MAX];

	reset_signals();
	if (!keep_only(fd))
		_exit(1);
	if (user && rights_drop(user, text) < 0)
		_exit(1);
	/* Not before: whoever becomes another user is no longer told. */
	die_with(parent);
	(void)prctl(PR_SET_NAME, "vpnd-resolver");
	while (receive(&question)) {
		struct resolver_reply reply;

		memset(&reply, 0, sizeof(reply));
		serve(&question, limit_ms, user != NULL, &reply);
		reply.id = question.id;
		if (send(KEEPER_FD, &reply, sizeof(reply), MSG_NOSIGNAL) < 0)
			break;
	}
	_exit(0);
}
