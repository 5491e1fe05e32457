/* What each request of a link does; see helper_serve.h and helper_wire.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "common/run_paths.h"
#include "daemon/core/helper_serve.h"
#include "daemon/host/ifsetup.h"
#include "daemon/host/netns.h"

/* Ports from here on are anybody's. */
#define FREE_PORTS 1024

/* --- the host ------------------------------------------------------------------------------ */

static int open_netlink(struct helper_server *server)
{
	const char *namespace = server->confs[HELPER_IN_FORCE].namespace;
	int r = netns_open_netlink(namespace, &server->nl);
	char text[NETNS_TEXT_MAX];

	if (r == 0)
		return EXIT_DONE;
	if (namespace) {
		netns_explain(namespace, r, text);
		log_error("%s", text);
		return r == -EPERM ? EXIT_PERMISSION : EXIT_UNAVAILABLE;
	}
	log_error("cannot ask the kernel about routes: %s", strerror(-r));
	return EXIT_SYSTEM;
}

static int begin(const struct helper_job *job)
{
	struct helper_server *server = job->server;
	int r;

	if (!server->has_conf[HELPER_IN_FORCE] || server->has_begun)
		return -EINVAL;
	server->has_begun = true;
	r = open_netlink(server);
	if (r == EXIT_DONE)
		r = (int)outside_begin(&server->outside, &server->nl);
	/* The link holds it too: it stays locked when only one of the two is killed. */
	if (r == EXIT_DONE && server->outside.lock >= 0)
		job->reply->fds[0] = fcntl(server->outside.lock, F_DUPFD_CLOEXEC, 0);
	return r;
}

/* Most requests make sense only between begin and end. */
static bool is_begun(const struct helper_server *server)
{
	return server->outside.is_begun;
}

static int claim(const struct helper_job *job)
{
	struct helper_server *server = job->server;
	const struct conf_link *conf = helper_conf_of(server, job->argument->conf);
	enum exit_code code;
	uint32_t mark;

	if (!conf || !is_begun(server))
		return -EINVAL;
	code = outside_claim(&server->outside, conf, &mark);
	if (code == EXIT_DONE)
		server->mark = job->reply->answer.value.mark = mark;
	return (int)code;
}

/* Ports of well-known services are for who is trusted with them: the file names it; without a file
 * it is root who has started the link. */
static bool may_use_port(const struct helper_server *server, uint32_t port)
{
	if (port == 0 || port >= FREE_PORTS)
		return true;
	if (!server->env->file)
		return geteuid() == 0;
	return port == server->from_file.listen_port ||
	       (server->has_offered_file && port == server->offered_file.listen_port);
}

static int open_udp(const struct helper_job *job)
{
	struct helper_server *server = job->server;
	struct udp udp = UDP_NULL;
	size_t n = 0;
	int r;

	if (job->argument->port > UINT16_MAX)
		return -EINVAL;
	if (!may_use_port(server, job->argument->port))
		return -EACCES;
	r = udp_open(&udp, (uint16_t)job->argument->port, server->mark);
	if (r < 0)
		return r;
	udp_set_buffers(&udp, server->env->host->data.udp_send_buffer,
			server->env->host->data.udp_receive_buffer);
	job->reply->answer.value.udp = udp;
	if (udp.fd4 >= 0)
		job->reply->fds[n++] = udp.fd4;
	if (udp.fd6 >= 0)
		job->reply->fds[n++] = udp.fd6;
	return 0;
}

/* Two of a kind are marked alike, so it does not matter which is which. */
static int mark_udp(const struct helper_job *job)
{
	struct helper_server *server = job->server;
	const struct udp udp = { .fd4 = job->fds[0], .fd6 = job->fds[1] };
	int r = udp_set_mark(&udp, server->mark);

	if (r == 0)
		udp_set_buffers(&udp, server->env->host->data.udp_send_buffer,
				server->env->host->data.udp_receive_buffer);
	return r;
}

static bool is_mtu(uint32_t mtu)
{
	return mtu >= CONF_MTU_MIN && mtu <= CONF_MTU_MAX;
}

static int code_of(int answer, const struct ifsetup_failure *failure)
{
	if (answer != 0 && answer != IFSETUP_NEEDS_POLICY)
		log_error("%s", failure->text);
	switch (answer) {
	case 0:
	case IFSETUP_NEEDS_POLICY:
		return EXIT_DONE;
	case IFSETUP_NEEDS_TABLE:
		return EXIT_CONFIG;
	case -EPERM:
		return EXIT_PERMISSION;
	case -EEXIST:
		return EXIT_UNAVAILABLE;
	default:
		return EXIT_SYSTEM;
	}
}

/* Which interface it is, is found out by its name when it is set up, and never told. */
static int apply(const struct helper_job *job)
{
	struct helper_server *server = job->server;
	const struct conf_link *conf = helper_conf_of(server, HELPER_IN_FORCE);
	struct ifsetup_failure failure;
	int r;

	if (!conf || !is_begun(server) || !is_mtu(job->argument->mtu))
		return -EINVAL;
	r = nl_link_index(&server->nl, server->env->link, &server->ifindex);
	if (r < 0) {
		log_error("cannot ask the kernel about %s: %s", server->env->link, strerror(-r));
		return EXIT_SYSTEM;
	}
	return code_of(
		ifsetup_apply(&server->nl, conf, server->ifindex, job->argument->mtu, &failure),
		&failure);
}

static int change(const struct helper_job *job)
{
	struct helper_server *server = job->server;
	const struct conf_link *after = helper_conf_of(server, job->argument->conf);
	const struct conf_link *before = helper_conf_of(
		server, job->argument->conf == HELPER_IN_FORCE ? HELPER_OFFERED : HELPER_IN_FORCE);
	struct ifsetup_failure failure;

	if (!before || !after || server->ifindex == 0)
		return -EINVAL;
	return code_of(ifsetup_change(&server->nl, before, after, server->ifindex, &failure),
		       &failure);
}

static int restore(const struct helper_job *job)
{
	struct helper_server *server = job->server;
	const struct conf_link *conf = helper_conf_of(server, HELPER_IN_FORCE);
	struct ifsetup_failure failure;

	if (!conf || server->ifindex == 0)
		return -EINVAL;
	return code_of(ifsetup_restore(&server->nl, conf, server->ifindex, &failure), &failure);
}

static int set_mtu(const struct helper_job *job)
{
	struct helper_server *server = job->server;

	if (server->ifindex == 0 || !is_mtu(job->argument->mtu))
		return -EINVAL;
	return nl_link_set_mtu(&server->nl, server->ifindex, job->argument->mtu);
}

static int set_rules(const struct helper_job *job)
{
	struct helper_server *server = job->server;
	const struct conf_link *conf = helper_conf_of(server, job->argument->conf);

	if (!conf || server->ifindex == 0 || !is_begun(server))
		return -EINVAL;
	server->is_changing = job->argument->conf == HELPER_OFFERED;
	return (int)outside_set_rules(&server->outside, conf, server->ifindex);
}

static int set_dns(const struct helper_job *job)
{
	struct helper_server *server = job->server;
	const struct conf_link *conf = helper_conf_of(server, job->argument->conf);
	struct conf_link now;

	if (!conf || !is_begun(server))
		return -EINVAL;
	/* The place may get another configuration meanwhile; what this one owns stays. */
	now = *conf;
	outside_set_dns(&server->outside, &now);
	return EXIT_DONE;
}

static int run_hook(const struct helper_job *job)
{
	struct helper_server *server = job->server;

	/* The commands of the way down belong to the end. */
	if (!is_begun(server) ||
	    (job->argument->hook != CONF_PRE_UP && job->argument->hook != CONF_POST_UP) ||
	    server->outside.has_begun[job->argument->hook])
		return -EINVAL;
	return (int)outside_run_hook(&server->outside, (enum conf_hook)job->argument->hook);
}

/* --- the rest ------------------------------------------------------------------------------ */

static int start_resolver(const struct helper_job *job)
{
	struct helper_server *server = job->server;
	int r;

	resolver_stop(&server->resolver);
	r = resolver_start(&server->resolver);
	if (r < 0)
		return r;
	job->reply->fds[0] = server->resolver.fd;
	server->resolver.fd = -1;
	return 0;
}

static int note_sockets(const struct helper_job *job)
{
	memcpy(job->server->sockets, job->argument->sockets, sizeof(job->server->sockets));
	return 0;
}

static int note_left(const struct helper_job *job)
{
	job->server->is_left = job->argument->is_left != 0;
	return 0;
}

/* Removes a socket's file, if it is the one that the link has made. */
static void remove_socket(const char *path, const struct helper_file *file)
{
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_dev == file->dev &&
	    st.st_ino == file->ino)
		(void)unlink(path);
}

static void remove_sockets(struct helper_server *server)
{
	static const struct {
		const char *before, *behind; /* the link's name */
	} paths[HELPER_N_SOCKETS] = {
		{ RUN_PATHS_DIR, "/" RUN_PATHS_STATUS ".sock" },
		{ RUN_PATHS_DIR, "/" RUN_PATHS_CHANGES ".sock" },
		{ RUN_PATHS_UAPI_DIR, ".sock" },
	};
	char path[sizeof(RUN_PATHS_UAPI_DIR "//" RUN_PATHS_CHANGES ".sock") + IFNAMSIZ];

	for (size_t i = 0; i < HELPER_N_SOCKETS; i++) {
		snprintf(path, sizeof(path), "%s/%s%s", paths[i].before, server->env->link,
			 paths[i].behind);
		if (server->sockets[i].ino != 0)
			remove_socket(path, &server->sockets[i]);
	}
}

static int end_rules(const struct helper_job *job)
{
	outside_end_rules(&job->server->outside);
	return EXIT_DONE;
}

static void undo_all(struct helper_server *server)
{
	outside_end_rules(&server->outside);
	remove_sockets(server);
	outside_end(&server->outside);
	server->has_ended = true;
}

static int end(const struct helper_job *job)
{
	undo_all(job->server);
	return EXIT_DONE;
}

void helper_clean_up(struct helper_server *server)
{
	/* Nobody is left who could have a say while PreDown and PostDown run. */
	server->outside.watch = NULL;
	if (!server->is_left)
		undo_all(server);
}

#define NUMBER sizeof(uint32_t)
#define FILES  sizeof(((union helper_argument *)NULL)->sockets)

const struct helper_work helper_table[HELPER_N_REQUESTS] = {
	[HELPER_LOAD] = { helper_load_file, NUMBER, 0, 0, false },
	[HELPER_OFFER] = { helper_take_offer, 0, 1, 1, false },
	[HELPER_ACCEPT] = { helper_accept_offer, 0, 0, 0, false },
	[HELPER_BEGIN] = { begin, NUMBER, 0, 0, true },
	[HELPER_CLAIM] = { claim, NUMBER, 0, 0, false },
	[HELPER_OPEN_UDP] = { open_udp, NUMBER, 0, 0, false },
	[HELPER_MARK_UDP] = { mark_udp, 0, 1, 2, false },
	[HELPER_APPLY] = { apply, NUMBER, 0, 0, false },
	[HELPER_CHANGE] = { change, NUMBER, 0, 0, false },
	[HELPER_RESTORE] = { restore, NUMBER, 0, 0, false },
	[HELPER_SET_MTU] = { set_mtu, NUMBER, 0, 0, false },
	[HELPER_RULES] = { set_rules, NUMBER, 0, 0, false },
	[HELPER_DNS] = { set_dns, NUMBER, 0, 0, true },
	[HELPER_HOOK] = { run_hook, NUMBER, 0, 0, true },
	[HELPER_RESOLVER] = { start_resolver, 0, 0, 0, false },
	[HELPER_SOCKETS] = { note_sockets, FILES, 0, 0, false },
	[HELPER_LEAVE] = { note_left, NUMBER, 0, 0, false },
	[HELPER_END_RULES] = { end_rules, NUMBER, 0, 0, true },
	[HELPER_END] = { end, NUMBER, 0, 0, true },
};
