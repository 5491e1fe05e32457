/*
 * What a running link offers to others on this host: its control socket, for `vpnd show`, the one
 * that says what a reload would change, for `vpnd check --diff`, and the socket of the wg protocol.
 * A link runs without them, too: what fails here is a warning.
 */
#ifndef CLI_RUN_SERVERS_H
#define CLI_RUN_SERVERS_H

#include "common/diag.h"
#include "daemon/core/link.h"
#include "daemon/ctl/status_server.h"
#include "daemon/ctl/uapi_server.h"

/* The sockets. */
enum run_socket { RUN_STATUS, RUN_CHANGES, RUN_UAPI };

_Static_assert(RUN_UAPI + 1 == HELPER_N_SOCKETS, "each has a file");

struct run_servers {
	struct link *link; /* not owned */
	struct status_server status;
	struct uapi_server uapi;
	struct status_server changes;
	const char *file; /* the link file; not owned; NULL: there is none to be changed */
	int uapi_fd;      /* a listening socket for the wg protocol; -1: it is made */
	int kept[HELPER_N_SOCKETS]; /* of the process before; -1: none */
	/* For `wg show`: bytes received and sent before the peer became this one, of all loops and
	 * of control alone. */
	uint64_t bytes_before[2], own_bytes_before[2];
	bool is_counting; /* the first of these, when the counters are exact */
};

/*!
 * Takes what the process before has left at the service manager: who has connected since then waits
 * there. To be called before link_open(), which gives back what nobody takes; run_servers_stop()
 * must follow.
 */
void run_servers_take(struct run_servers *servers);

/*!
 * Makes the sockets, serves them on the link's loop, and leaves them to the next process of the
 * service.
 * \param servers  stays where it is until run_servers_stop(); `file` and `uapi_fd` are set
 * \param link     open; not owned
 * \return 0, or a negated errno value: there is no socket of the wg protocol, which was logged
 */
int run_servers_start(struct run_servers *servers, struct link *link);

/*! Ends all, and takes them back from the service manager; the link may be closed afterwards. The
 * helper removes the sockets' files; those that were taken and never served are removed here. */
void run_servers_stop(struct run_servers *servers);

/*! Makes the socket that says what a reload would change. \return 0 or a negated errno value */
int run_changes_start(struct run_servers *servers);

/*! The counters are exact: those of a peer that has come lately begin here. */
void run_uapi_count(struct run_servers *servers);

/*!
 * Makes the socket of the wg protocol, and serves it.
 *
 * \return 0 or a negated errno value, which was logged
 */
int run_uapi_start(struct run_servers *servers);

#endif
