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

void run_servers_start(struct run_servers *servers, struct link *link)
{
	servers->link = link;
	status_server_init(&servers->status);
	uapi_server_init(&servers->uapi);
	link->on_counters = on_counters;
	link->on_counters_context = servers;
	start_status(servers);
	(void)run_uapi_start(servers);
}

void run_servers_stop(struct run_servers *servers)
{
	if (servers->link == NULL)
		return;
	status_server_stop(&servers->status);
	uapi_server_stop(&servers->uapi, false);
	servers->link->on_counters = NULL;
	servers->link = NULL;
}
