/*
 * The control socket of a link, /run/vpnd/LINK/status.sock: who connects gets the link's status
 * as one line of JSON (status_json.h), and the end of the stream.
 *
 * It lives on a libev loop and never blocks it. Before it answers, it lets the link ask its data
 * loops for exact counters, and waits for them a quarter of a second at most: a loop that is stuck
 * must not keep anybody from seeing that. Who does not read is disconnected.
 */
#ifndef CTL_STATUS_SERVER_H
#define CTL_STATUS_SERVER_H

#include <ev.h>

#include "common/run_paths.h"
#include "daemon/core/status.h"
#include "daemon/ctl/acceptor.h"
#include "daemon/ctl/uapi_listen.h"

/* Where the sockets of all links are. */
#define STATUS_DIR RUN_PATHS_DIR
/* In the directory of the link. */
#define STATUS_SOCKET RUN_PATHS_STATUS
/* The same kind of socket; it says what a reload would change (daemon/ctl/changes_json.h). */
#define STATUS_CHANGES_SOCKET RUN_PATHS_CHANGES

enum {
	STATUS_CLIENTS_MAX = 8, /* the ninth waits in the socket's queue */
};

/* What the link does; called from the loop. */
struct status_ops {
	/*! Begins to make the counters exact; status_server_answer() is called when they are. */
	void (*ask)(void *context);
	/*! Fills in the status as it is. */
	void (*get)(void *context, struct link_status *ret);
	/*! In the place of both: the whole answer at once, as text without a newline at its end,
	 * for free(); NULL when memory is short. */
	char *(*say)(void *context);
	const char *socket; /* NULL: STATUS_SOCKET */
};

struct status_server;

struct status_client {
	struct status_server *server; /* NULL: free */
	int fd;
	char *text; /* the answer, owned; NULL: the counters are awaited */
	size_t len, n_sent;
	ev_io writable;
	ev_timer timer; /* for the counters, then for the client */
};

struct status_server {
	struct ev_loop *loop;
	const struct status_ops *ops;
	void *context;
	int fd;      /* owned; -1: not started */
	int kept_fd; /* listening, of a process before; owned until it is started; -1: there is none
		      */
	struct uapi_place place;
	bool keeps_place; /* somebody else removes the socket's file and directory */
	struct status_client clients[STATUS_CLIENTS_MAX];
	struct acceptor acceptor;
};

/*! Sets everything to "not there", so that status_server_stop() is safe from here on. */
void status_server_init(struct status_server *server);

/*!
 * Makes DIR/NAME/status.sock, mode 0660, with the directories that lack, and begins to serve. A
 * socket on which nobody listens is replaced; with `kept_fd` it goes on (uapi_listen_again()).
 * \param dir   STATUS_DIR, or another one in a test
 * \param ops   kept, not copied
 * \return 0; -EADDRINUSE: another process listens there; -EPERM: a socket of another user is in the
 *         way (uapi_listen()); or another negated errno value
 */
must_check int status_server_start(struct status_server *server, struct ev_loop *loop,
				   const char *dir, const char *name, const struct status_ops *ops,
				   void *context);

/*! The counters are exact now: answers those who wait for that. */
void status_server_answer(struct status_server *server);

/*! Drops all clients, closes the socket, and removes it with its directory; safe twice. */
void status_server_stop(struct status_server *server);

#endif
