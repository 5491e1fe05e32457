/* What a running link offers to others on this host; see run_servers.h. */
#include "daemon/cli/run_servers.h"

#include <errno.h>
#include <string.h>

#include "common/log.h"

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

int run_servers_start(struct run_servers *servers, struct link *link)
{
	int r;

	servers->link = link;
	status_server_init(&servers->status);
	status_server_init(&servers->changes);
	uapi_server_init(&servers->uapi);
	link->on_counters = on_counters;
	link->on_counters_context = servers;
	start_status(servers);
	if (servers->file)
		(void)run_changes_start(servers);
	r = run_uapi_start(servers);
	leave_files_to_helper(servers);
	return r;
}

void run_servers_stop(struct run_servers *servers)
{
	if (servers->link == NULL)
		return;
	status_server_stop(&servers->changes);
	status_server_stop(&servers->status);
	uapi_server_stop(&servers->uapi, true);
	servers->link->on_counters = NULL;
	servers->link = NULL;
}
