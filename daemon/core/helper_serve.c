/* The helper's process; see helper_serve.h. */
#include "daemon/core/helper_serve.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/log.h"
#include "common/secret.h"
#include "daemon/host/service.h"

/* Between two repairs of the rules. */
#define REPAIR_PAUSE_MS 1000

#define FIRST_OTHER_FD (STDERR_FILENO + 1U)

/* What is sent to the whole group is for the link; the helper ends with it. */
static void set_signals(void)
{
	static const int ignored[] = { SIGINT,  SIGTERM, SIGHUP,  SIGQUIT,   SIGPIPE,
				       SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF };
	sigset_t none;

	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		(void)signal(ignored[i], SIG_IGN);
	(void)signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool serve_nested(void *context)
{
	return helper_serve_one(context, true);
}

void helper_server_init(struct helper_server *server, int fd, const struct helper_env *env)
{
	*server = (struct helper_server) {
		.fd = fd,
		.env = env,
		.nl = NETLINK_NULL,
		.resolver = RESOLVER_NULL,
		.watch = { .fd = fd, .is_unwanted = serve_nested, .context = server },
	};
	server->resolver.user = env->host->rights.user;
	outside_init(&server->outside, env->link, env->file, &server->from_file, &server->watch);
}

static void free_old_confs(struct helper_server *server)
{
	struct helper_old_conf *old;

	while ((old = server->old_confs)) {
		server->old_confs = old->next;
		conf_link_deinit(&old->conf);
		free(old);
	}
	server->n_old_confs = 0;
}

void helper_server_deinit(struct helper_server *server)
{
	free_old_confs(server);
	conf_link_deinit(&server->from_file);
	conf_link_deinit(&server->offered_file);
	for (size_t i = 0; i < HELPER_N_CONFS; i++)
		conf_link_deinit(&server->confs[i]);
	resolver_stop(&server->resolver);
	netlink_close(&server->nl);
}

/* Sends the answer; a link that does not take it is gone, which is seen when it is read from. */
static void answer(struct helper_server *server, struct helper_reply *reply)
{
	struct helper_parcel parcel = { .head = &reply->answer,
					.head_len = sizeof(reply->answer),
					.rest = reply->secrets,
					.rest_len = reply->secrets ? sizeof(*reply->secrets) : 0 };

	memcpy(parcel.fds, reply->fds, sizeof(parcel.fds));
	(void)helper_send(server->fd, &parcel, 0);
	helper_close_fds(&parcel);
	secret_free(reply->secrets);
}

static size_t count_fds(const struct helper_parcel *parcel)
{
	size_t n = 0;

	while (n < HELPER_FDS_MAX && parcel->fds[n] >= 0)
		n++;
	return n;
}

/* The row of a message that is what its request must be, or NULL. */
static const struct helper_work *find_work(const struct helper_message *message,
					   const struct helper_parcel *parcel)
{
	const struct helper_work *work;
	size_t n_fds = count_fds(parcel);

	if (parcel->head_len < HELPER_HEAD_LEN || message->request >= HELPER_N_REQUESTS)
		return NULL;
	work = &helper_table[message->request];
	if (!work->work || parcel->head_len != HELPER_HEAD_LEN + work->argument_len ||
	    n_fds < work->n_fds_min || n_fds > work->n_fds_max)
		return NULL;
	return work;
}

static int do_work(struct helper_server *server, const struct helper_work *work,
		   const struct helper_message *message, const int fds[static HELPER_FDS_MAX],
		   struct helper_reply *reply)
{
	const struct helper_job job = { server, &message->argument, fds, reply };
	int result;

	if (server->has_ended)
		return -EINVAL;
	if (!work->is_long)
		return work->work(&job);
	if (server->is_busy)
		return -EBUSY;
	server->is_busy = true;
	result = work->work(&job);
	server->is_busy = false;
	free_old_confs(server);
	return result;
}

bool helper_serve_one(struct helper_server *server, bool is_nested)
{
	struct helper_message message;
	struct helper_parcel parcel = { .head = &message, .head_len = sizeof(message) };
	struct helper_reply reply = { .fds = { -1, -1 } };
	const struct helper_work *work;
	int r;

	memset(&message, 0, sizeof(message));
	r = helper_receive(server->fd, &parcel, is_nested ? MSG_DONTWAIT : 0);
	if (r == -EPIPE) {
		server->is_alone = true;
		return true;
	}
	if (r < 0) /* nobody can be answered whose number is not known */
		return false;
	if (parcel.head_len == HELPER_HEAD_LEN && message.request == HELPER_CANCEL) {
		helper_close_fds(&parcel);
		return is_nested;
	}
	work = find_work(&message, &parcel);
	reply.answer.result = work ? do_work(server, work, &message, parcel.fds, &reply) : -EPROTO;
	reply.answer.id = message.id;
	helper_close_fds(&parcel);
	answer(server, &reply);
	return false;
}

/* Standard streams, the log and the link are left. Interfaces and sockets that the service manager
 * or whoever started vpnd has handed over are the link's: one that stayed open here would outlive
 * it. */
static void close_others(int fd)
{
	int log = log_fd();
	unsigned int low = (unsigned int)(log >= 0 ? MIN(fd, log) : fd);
	unsigned int high = (unsigned int)MAX(fd, log);

	if (low > FIRST_OTHER_FD)
		(void)close_range(FIRST_OTHER_FD, low - 1, 0);
	if (high > low + 1)
		(void)close_range(low + 1, high - 1, 0);
	(void)close_range(high + 1, ~0U, 0);
}

/* Whether what is in force is to be looked after, and by which descriptor. */
static int repair_fd(const struct helper_server *server)
{
	bool is_due = server->outside.is_begun && !server->is_changing && server->ifindex != 0;

	return is_due ? filter_watch_fd(&server->outside.filter_watch) : -1;
}

/* Waits for a request, and keeps the rules meanwhile; not more often than each second, because
 * another program may have made it its business to delete them. */
static void wait_for_request(struct helper_server *server)
{
	struct pollfd items[] = { { .fd = server->fd, .events = POLLIN }, { .events = POLLIN } };
	bool is_paused = false;

	while (items[0].revents == 0) {
		items[1].fd = is_paused ? -1 : repair_fd(server);
		items[1].revents = 0;
		(void)poll(items, ARRAY_SIZE(items), is_paused ? REPAIR_PAUSE_MS : -1);
		is_paused = items[1].revents != 0 &&
			    outside_repair_rules(&server->outside, &server->confs[HELPER_IN_FORCE],
						 server->ifindex);
	}
}

noreturn void helper_serve(int fd, const struct helper_env *env)
{
	struct helper_server server;

	set_signals();
	(void)prctl(PR_SET_NAME, "vpnd-helper");
	service_deinit();
	close_others(fd);
	helper_server_init(&server, fd, env);
	while (!server.is_alone) {
		wait_for_request(&server);
		(void)helper_serve_one(&server, false);
	}
	if (!server.has_ended)
		helper_clean_up(&server);
	helper_server_deinit(&server);
	log_flush();
	_exit(EXIT_DONE);
}
