/* The caller's side of name resolution; see resolver.h for how it works. */
#include "daemon/host/resolver.h"

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/host/resolver_child.h"

/* The keeper ends a lookup at the limit; this much later it is the keeper that hangs. */
#define KEEPER_GRACE (5 * NSEC_PER_SEC)

/* The limit for the keeper, which counts milliseconds. */
static int limit_ms(const struct resolver *resolver)
{
	return (int)MIN(resolver->limit / NSEC_PER_MSEC, INT_MAX);
}

static int fork_keeper(struct resolver *resolver)
{
	pid_t parent = getpid();
	sigset_t all;
	sigset_t before;
	int fds[2];
	int error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	/* A signal between fork() and the child's own settings would run our handlers there. */
	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	resolver->keeper = fork();
	error = -errno;
	if (resolver->keeper == 0)
		resolver_child_run(fds[1], parent, limit_ms(resolver), resolver->user);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	close(fds[1]);
	if (resolver->keeper < 0) {
		close(fds[0]);
		return error;
	}
	resolver->fd = fds[0];
	resolver->is_asked = false;
	return 0;
}

int resolver_start(struct resolver *resolver)
{
	int fd;

	if (!resolver->get_keeper)
		return fork_keeper(resolver);
	fd = resolver->get_keeper(resolver->context);
	if (fd < 0)
		return fd;
	resolver->fd = fd;
	resolver->is_asked = false;
	return 0;
}

void resolver_stop(struct resolver *resolver)
{
	if (resolver->fd >= 0)
		close(resolver->fd);
	resolver->fd = -1;
	resolver->is_asked = false;
	if (resolver->keeper <= 0)
		return;
	/*
	 * A loop that reaps all children may have taken this one already, and then the number can
	 * be somebody else's: only a child that is still ours and alive may be killed.
	 */
	if (waitpid(resolver->keeper, NULL, WNOHANG) == 0 && kill(resolver->keeper, SIGKILL) == 0) {
		while (waitpid(resolver->keeper, NULL, 0) < 0 && errno == EINTR)
			;
	}
	resolver->keeper = -1;
}

int resolver_fd(const struct resolver *resolver)
{
	return resolver->fd;
}

static int restart(struct resolver *resolver)
{
	resolver_stop(resolver);
	return resolver_start(resolver);
}

/* Hands the question to the keeper; false when it is dead. */
static bool send_question(const struct resolver *resolver, const struct resolver_question *question)
{
	return send(resolver->fd, question, sizeof(*question), MSG_DONTWAIT | MSG_NOSIGNAL) ==
	       (ssize_t)sizeof(*question);
}

int resolver_ask(struct resolver *resolver, uint64_t id, const char *host, uint16_t port,
		 nsec_t now)
{
	size_t host_len = strnlen(host, HOST_NAME_LEN + 1);
	bool is_stalled = resolver->is_asked && now >= resolver->give_up;
	struct resolver_question question;
	int result = 0;

	if (host_len == 0 || host_len > HOST_NAME_LEN)
		return -EINVAL;
	if (resolver->fd >= 0 && resolver->is_asked && !is_stalled)
		return RESOLVER_BUSY;
	memset(&question, 0, sizeof(question));
	question.id = id;
	question.port = port;
	memcpy(question.host, host, host_len);
	if (resolver->fd < 0 || is_stalled || !send_question(resolver, &question)) {
		int error = restart(resolver);

		if (error < 0)
			return error;
		if (!send_question(resolver, &question)) {
			resolver_stop(resolver);
			return -EPIPE;
		}
		result = RESOLVER_NEW_FD;
	}
	resolver->is_asked = true;
	resolver->id = id;
	resolver->give_up = nsec_add(now, nsec_add(resolver->limit, KEEPER_GRACE));
	return result;
}

/* Whether a reply is what a keeper of ours can have said. */
static bool is_sound(const struct resolver_reply *reply)
{
	if (reply->n_addrs > RESOLVER_ADDRS_MAX || (reply->error == 0) != (reply->n_addrs > 0))
		return false;
	for (size_t i = 0; i < reply->n_addrs; i++) {
		if (netaddr_len(&reply->addrs[i]) == 0)
			return false;
	}
	return true;
}

int resolver_read(struct resolver *resolver, struct resolver_answer *ret)
{
	struct resolver_reply reply;
	ssize_t len;

	if (resolver->fd < 0)
		return RESOLVER_GONE;
	do {
		len = recv(resolver->fd, &reply, sizeof(reply), MSG_DONTWAIT | MSG_TRUNC);
	} while (len < 0 && errno == EINTR);
	if (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return RESOLVER_NOTHING;
	if (len != (ssize_t)sizeof(reply) || !is_sound(&reply)) {
		resolver_stop(resolver);
		return RESOLVER_GONE;
	}
	if (!resolver->is_asked || reply.id != resolver->id)
		return RESOLVER_NOTHING;
	resolver->is_asked = false;
	*ret = (struct resolver_answer) { .id = reply.id,
					  .error = reply.error,
					  .n_addrs = reply.n_addrs };
	memcpy(ret->addrs, reply.addrs, reply.n_addrs * sizeof(reply.addrs[0]));
	return 0;
}

const char *resolver_error_text(int error)
{
	static const struct {
		int error;
		const char *text;
	} texts[] = {
		{ EAI_NONAME, "the name does not exist" },
		{ EAI_NODATA, "the name exists but has no address" },
		{ EAI_AGAIN, "no name server answered" },
		{ EAI_FAIL, "the name server could not answer" },
		{ EAI_SYSTEM, "no name server could be asked" },
		{ EAI_MEMORY, "there was not enough memory to look it up" },
		{ RESOLVER_STALLED, "the lookup was given up because it took too long" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (texts[i].error == error)
			return texts[i].text;
	}
	return "the name could not be looked up";
}
