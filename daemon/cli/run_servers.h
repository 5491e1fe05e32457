/*
 * What a running link offers to others on this host: its control socket, for `vpnd show`, and the
 * socket of the wg protocol. A link runs without them, too: what fails here is a warning.
 */
#ifndef CLI_RUN_SERVERS_H
#define CLI_RUN_SERVERS_H

#include "daemon/core/link.h"
#include "daemon/ctl/status_server.h"
#include "daemon/ctl/uapi_server.h"

struct run_servers {
	struct link *link; /* not owned */
	struct status_server status;
	struct uapi_server uapi;
};

/*!
 * Makes both sockets and serves them on the link's loop.
 * \param servers  stays where it is until run_servers_stop()
 * \param link     open; not owned
 */
void run_servers_start(struct run_servers *servers, struct link *link);

/*! Ends both, and removes the sockets; the link may be closed afterwards. */
void run_servers_stop(struct run_servers *servers);

/*! Makes the socket of the wg protocol, and serves it. \return 0 or a negated errno value, which
 * was logged */
int run_uapi_start(struct run_servers *servers);

#endif
