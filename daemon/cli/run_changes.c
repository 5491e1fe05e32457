/*
 * What a reload would change, for `vpnd check --diff`: the running link has its file read as a
 * reload would, and compares it with what runs. Nothing is changed and nothing is logged.
 */
#include <errno.h>
#include <string.h>

#include "common/log.h"
#include "conf/diff.h"
#include "daemon/cli/run_servers.h"
#include "daemon/ctl/changes_json.h"

static char *say(void *context)
{
	const struct run_servers *servers = context;
	const struct link *link = servers->link;
	struct diag diag = DIAG_NULL(servers->file);
	struct conf_changes changes = { 0 };
	struct conf_link conf = { 0 };
	char *text = NULL;

	helper_look(link->helper, &conf, &diag);
	if (diag.code != EXIT_DONE)
		text = changes_json(link->conf->name, diag.file, &diag, NULL);
	else if (conf_diff(link->conf, &conf, &changes) == 0)
		text = changes_json(link->conf->name, diag.file, &diag, &changes);
	conf_changes_deinit(&changes);
	conf_link_deinit(&conf);
	diag_deinit(&diag);
	return text;
}

static const struct status_ops ops = { .say = say, .socket = STATUS_CHANGES_SOCKET };

int run_changes_start(struct run_servers *servers)
{
	const char *name = servers->link->conf->name;
	int r = status_server_start(&servers->changes, servers->link->loop, STATUS_DIR, name, &ops,
				    servers);

	/* Of a name that another process serves it was said for the socket beside it. */
	if (r < 0 && r != -EADDRINUSE)
		log_warning("cannot make " STATUS_DIR "/%s/" STATUS_CHANGES_SOCKET
			    ".sock (%s): `vpnd check --diff` does not see this link",
			    name, strerror(-r));
	return r;
}
