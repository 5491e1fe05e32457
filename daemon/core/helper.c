/* The link's side of the helper; see helper.h. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"
#include "common/secret.h"
#include "daemon/core/helper_call.h"
#include "daemon/core/helper_serve.h"

/* For an end without commands, which are done by then. */
#define END_LIMIT_MS 10000
/* For the programs by which name servers are set and taken back, some of them after a crash. */
#define PROGRAMS_LIMIT (30 * NSEC_PER_SEC)

int helper_start(struct helper *helper, const struct helper_env *env)
{
	sigset_t all, before;
	int fds[2], error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	helper->pid = fork();
	error = -errno;
	if (helper->pid == 0) {
		close(fds[0]);
		helper_serve(fds[1], env);
	}
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	close(fds[1]);
	if (helper->pid < 0) {
		close(fds[0]);
		return error;
	}
	helper->fd = fds[0];
	/* Now, because it takes a right to open it. Without it the end is not waited for. */
	helper->pid_fd = pidfd_open(helper->pid, 0);
	return 0;
}

static void free_lock(struct helper *helper)
{
	if (helper->lock >= 0)
		close(helper->lock);
	helper->lock = -1;
}

void helper_stop(struct helper *helper)
{
	struct pollfd ended = { .fd = helper->pid_fd, .events = POLLIN };
	bool is_hanging = helper->is_hanging;

	helper->is_ending = true;
	helper_lose(helper, false);
	free_lock(helper);
	/* The link has no right to end it by force. */
	while (!is_hanging && ended.fd >= 0 && poll(&ended, 1, END_LIMIT_MS) < 0 && errno == EINTR)
		;
	if (helper->pid > 0)
		(void)waitpid(helper->pid, NULL, WNOHANG);
	if (helper->pid_fd >= 0)
		close(helper->pid_fd);
	helper->pid = helper->pid_fd = -1;
}

/* Both ways of loading. \return 0 with a configuration; an exit code; or a negative errno */
static int load(struct helper *helper, struct helper_call *of, struct conf_link *ret)
{
	struct conf_secrets *secrets = secret_alloc(sizeof(*secrets));
	int r;

	memset(ret, 0, sizeof(*ret));
	if (!secrets)
		return -ENOMEM;
	of->rest = secrets;
	of->rest_len = sizeof(*secrets);
	r = helper_call(helper, of);
	if (r == 0)
		r = of->answer.result;
	if (r == EXIT_DONE) {
		r = of->fds[0] >= 0 ? helper_unpack(of->fds[0], ret) : -EBADMSG;
		ret->secrets = r == 0 ? secrets : NULL;
	}
	if (r != EXIT_DONE)
		secret_free(secrets);
	return r;
}

static void close_all(const int fds[static HELPER_FDS_MAX])
{
	for (size_t i = 0; i < HELPER_FDS_MAX; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
}

enum exit_code helper_load(struct helper *helper, struct conf_link *ret)
{
	struct helper_call of = HELPER_CALL(HELPER_LOAD, sizeof(uint32_t));
	int r = load(helper, &of, ret);

	close_all(of.fds);
	return helper_code_of(helper, HELPER_LOAD, r);
}

void helper_look(struct helper *helper, struct conf_link *ret, struct diag *diag)
{
	struct helper_call of = HELPER_CALL(HELPER_LOAD, sizeof(uint32_t));
	int r;

	of.message.argument.is_quiet = 1;
	r = load(helper, &of, ret);
	/* Of a file that cannot be used only the findings come. */
	if (r > 0 && of.fds[0] >= 0)
		r = helper_unpack_findings(of.fds[0], diag);
	else if (r == 0 && of.fds[1] >= 0)
		r = helper_unpack_findings(of.fds[1], diag);
	if (r != 0)
		diag_error_code(diag, EXIT_UNAVAILABLE, "it cannot be read: %s",
				r < 0 ? helper_error_text(r) : "the helper process says nothing");
	close_all(of.fds);
}

static int give_conf(struct helper *helper, const struct conf_link *conf)
{
	struct helper_call of = HELPER_CALL(HELPER_OFFER, 0);
	int fd, r;

	if (helper->fd < 0)
		return -EPIPE;
	fd = helper_pack(conf);
	if (fd < 0)
		return fd;
	of.fds[0] = fd;
	r = helper_call(helper, &of);
	close(fd);
	return r;
}

int helper_offer(struct helper *helper, const struct conf_link *conf)
{
	return give_conf(helper, conf);
}

int helper_accept(struct helper *helper, const struct conf_link *conf)
{
	struct helper_call of = HELPER_CALL(HELPER_ACCEPT, 0);
	int r = conf ? give_conf(helper, conf) : 0;

	return r < 0 ? r : helper_call(helper, &of);
}

enum exit_code helper_claim(struct helper *helper, enum helper_conf which, uint32_t *ret_mark)
{
	struct helper_call of = HELPER_CALL(HELPER_CLAIM, sizeof(uint32_t));
	int r;

	*ret_mark = 0;
	of.message.argument.conf = (uint32_t)which;
	r = helper_call(helper, &of);
	if (r == 0)
		*ret_mark = of.answer.value.mark;
	return helper_code_of(helper, HELPER_CLAIM, r < 0 ? r : of.answer.result);
}

int helper_open_udp(struct helper *helper, uint16_t port, struct udp *ret)
{
	struct helper_call of = HELPER_CALL(HELPER_OPEN_UDP, sizeof(uint32_t));
	size_t n = 0;
	int r;

	of.message.argument.port = port;
	r = helper_call(helper, &of);
	if (r < 0)
		return r;
	*ret = of.answer.value.udp;
	ret->fd4 = ret->fd4 >= 0 ? of.fds[n++] : -1;
	ret->fd6 = ret->fd6 >= 0 ? of.fds[n++] : -1;
	return 0;
}

int helper_mark_udp(struct helper *helper, const struct udp *udp)
{
	struct helper_call of = HELPER_CALL(HELPER_MARK_UDP, 0);
	size_t n = 0;

	if (udp->fd4 >= 0)
		of.fds[n++] = udp->fd4;
	if (udp->fd6 >= 0)
		of.fds[n++] = udp->fd6;
	return helper_call(helper, &of);
}

int helper_set_mtu(struct helper *helper, unsigned int mtu)
{
	struct helper_call of = HELPER_CALL(HELPER_SET_MTU, sizeof(uint32_t));

	of.message.argument.mtu = mtu;
	return helper_call(helper, &of);
}

void helper_tell_sockets(struct helper *helper,
			 const struct helper_file sockets[static HELPER_N_SOCKETS])
{
	struct helper_call of = HELPER_CALL(HELPER_SOCKETS, sizeof(of.message.argument.sockets));

	memcpy(of.message.argument.sockets, sockets, sizeof(of.message.argument.sockets));
	(void)helper_call(helper, &of);
}

int helper_get_keeper(void *context)
{
	struct helper_call of = HELPER_CALL(HELPER_RESOLVER, 0);
	int r = helper_call(context, &of);

	return r < 0 ? r : of.fds[0];
}

static enum exit_code do_number(struct helper *helper, struct helper_call *call, uint32_t argument)
{
	int r;

	call->message.argument.conf = argument;
	r = helper_call(helper, call);
	return helper_code_of(helper, (enum helper_request)call->message.request,
			      r < 0 ? r : call->answer.result);
}

enum exit_code helper_do(struct helper *helper, enum helper_request request, uint32_t argument)
{
	struct helper_call call = HELPER_CALL(request, sizeof(uint32_t));

	return do_number(helper, &call, argument);
}

enum exit_code helper_do_slowly(struct helper *helper, enum helper_request request,
				uint32_t argument, nsec_t limit)
{
	struct helper_call call = HELPER_CALL(request, sizeof(uint32_t));

	call.programs_limit = nsec_add(limit, PROGRAMS_LIMIT);
	call.is_stoppable = true;
	return do_number(helper, &call, argument);
}

enum exit_code helper_begin(struct helper *helper, nsec_t limit)
{
	struct helper_call call = HELPER_CALL(HELPER_BEGIN, sizeof(uint32_t));
	enum exit_code code;

	call.programs_limit = nsec_add(limit, PROGRAMS_LIMIT);
	call.is_stoppable = true;
	code = do_number(helper, &call, 0);
	helper->lock = call.fds[0];
	return code;
}

void helper_end_rules(struct helper *helper, nsec_t limit)
{
	helper->is_ending = true;
	if (helper->fd >= 0)
		(void)helper_do_slowly(helper, HELPER_END_RULES, 0, limit);
	else if (helper->pid > 0)
		log_warning("without the helper nothing of what the link has changed on this host "
			    "is undone: the next start does it, or `vpnd cleanup`");
}

void helper_end(struct helper *helper, nsec_t limit)
{
	if (helper->fd >= 0)
		(void)helper_do_slowly(helper, HELPER_END, 0, limit);
	free_lock(helper);
}
