/* What a running link offers to others on this host; see run_servers.h. */
#include "daemon/cli/run_servers.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"

/* As they are called at the service manager. */
static const char *const names[HELPER_N_SOCKETS] = {
	[RUN_STATUS] = "status",
	[RUN_CHANGES] = "changes",
	[RUN_UAPI] = "uapi",
};

static void ask(void *context)
{
	struct run_servers *servers = context;

	link_ask_counters(servers->link);
}

static void get(void *context, struct link_status *ret)
{
	struct run_servers *servers = context;

	link_get_status(servers->link, nsec_boottime(), ret);
}

static const struct status_ops status_ops = { .ask = ask, .get = get };

static void on_counters(void *context)
{
	struct run_servers *servers = context;

	status_server_answer(&servers->status);
	run_uapi_count(servers);
}

static void start_status(struct run_servers *servers)
{
	struct link *link = servers->link;
	const char *name = link->conf->name;
	int r = status_server_start(&servers->status, link->loop, STATUS_DIR, name, &status_ops,
				    servers);

	if (r == -EADDRINUSE)
		log_warning("another process serves " STATUS_DIR "/%s/status.sock: `vpnd show` "
			    "shows that one and not this link",
			    name);
	else if (r == -EPERM)
		log_warning("a socket of another user is in the way at " STATUS_DIR
			    "/%s/status.sock: `vpnd show` does not see this link until that is "
			    "removed and the link restarted",
			    name);
	else if (r < 0)
		log_warning("cannot make " STATUS_DIR "/%s/status.sock (%s): `vpnd show` does not "
			    "see this link",
			    name, strerror(-r));
}

/* By the time they are to be removed the link has no file system any more. */
static void leave_files_to_helper(struct run_servers *servers)
{
	const struct helper_file files[HELPER_N_SOCKETS] = {
		{ servers->status.place.dev, servers->status.place.ino },
		{ servers->changes.place.dev, servers->changes.place.ino },
		{ servers->uapi.place.dev, servers->uapi.place.ino },
	};

	servers->status.keeps_place = servers->changes.keeps_place = true;
	helper_tell_sockets(servers->link->helper, files);
}

void run_servers_take(struct run_servers *servers)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		servers->kept[i] = service_take(names[i]);
}

/* A start that fails is undone: nobody is to wait for a link that may not come. */
static void give_back(struct run_servers *servers)
{
	struct uapi_place place;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (servers->kept[i] < 0)
			continue;
		if (uapi_place_open(&place, servers->kept[i]) == 0)
			uapi_place_close(&place, true);
		close(servers->kept[i]);
		servers->kept[i] = -1;
		(void)service_unstore(names[i]);
	}
}

/* A process that is killed leaves them and their files. One without a link file begins with
 * nothing. */
static void leave_to_manager(const struct run_servers *servers)
{
	const int fds[HELPER_N_SOCKETS] = {
		[RUN_STATUS] = servers->status.fd,
		[RUN_CHANGES] = servers->changes.fd,
		[RUN_UAPI] = servers->uapi.fd,
	};

	for (size_t i = 0; servers->file && i < ARRAY_SIZE(fds); i++) {
		/* It may have another one of that name, which was of no use any more. */
		(void)service_unstore(names[i]);
		if (fds[i] >= 0)
			(void)service_store(fds[i], names[i]);
	}
}

int run_servers_start(struct run_servers *servers, struct link *link)
{
	int r;

	servers->link = link;
	status_server_init(&servers->status);
	status_server_init(&servers->changes);
	uapi_server_init(&servers->uapi);
	servers->status.kept_fd = servers->kept[RUN_STATUS];
	servers->changes.kept_fd = servers->kept[RUN_CHANGES];
	link->on_counters = on_counters;
	link->on_counters_context = servers;
	start_status(servers);
	if (servers->file)
		(void)run_changes_start(servers);
	r = run_uapi_start(servers);
	leave_files_to_helper(servers);
	leave_to_manager(servers);
	return r;
}

void run_servers_stop(struct run_servers *servers)
{
	if (servers->link == NULL) {
		give_back(servers);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		(void)service_unstore(names[i]);
	status_server_stop(&servers->changes);
	status_server_stop(&servers->status);
	uapi_server_stop(&servers->uapi, true);
	servers->link->on_counters = NULL;
	servers->link = NULL;
}
