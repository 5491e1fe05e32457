/*
 * The server of WireGuard's text protocol on a listening Unix socket, so that `wg` and the
 * programs built like it show and change a link (https://www.wireguard.com/xplatform/).
 *
 * It lives on a libev loop and never blocks it: a request is gathered as it comes, answered when
 * its empty line is there, and the answer leaves as fast as the client reads. While one is on its
 * way nothing more is read from that client. Who stands still is disconnected.
 */
#ifndef CTL_UAPI_SERVER_H
#define CTL_UAPI_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include <ev.h>

#include "conf/model.h"
#include "daemon/ctl/acceptor.h"
#include "daemon/ctl/uapi_get.h"
#include "daemon/ctl/uapi_listen.h"
#include "daemon/ctl/uapi_set.h"

enum uapi_limits {
	UAPI_CLIENTS_MAX = 8,                /* the ninth waits in the socket's queue */
	UAPI_REQUEST_MAX = 16 * 1024 * 1024, /* bytes; 130,000 AllowedIPs take at most 7 million */
	UAPI_IDLE_SECONDS = 30, /* without a byte read or written: the client is dropped */
};

/* What the link does for its clients. All are called from the loop; none may stop the server,
   but for gone(). */
struct uapi_ops {
	/*! The configuration that runs, for uapi_set() to edit; valid until the next call. */
	const struct conf_link *(*running)(void *context);
	/*! Fills an all-zero view; what it points to stays until control returns to the loop. */
	void (*get)(void *context, struct uapi_view *view);
	/*!
	 * Applies an edit, wholly or not at all. It may take edit->conf by exchanging it for
	 * another one, which is freed then.
	 * \return 0, or a negated errno value for the client, -EADDRINUSE for example
	 */
	int (*set)(void *context, struct uapi_edit *edit);
	/*!
	 * For the log: a request that came to nothing before set().
	 *
	 * \param error   negated errno
	 * \param reason  the end of a sentence that begins "a request of wg …"
	 */
	void (*refused)(void *context, int error, const char *reason);
	/*! The socket's file was removed: wireguard-go ends then. It may stop the server. */
	void (*gone)(void *context);
};

struct uapi_client;

struct uapi_server {
	struct ev_loop *loop;
	const struct uapi_ops *ops;
	void *context;
	int fd; /* owned; -1: not started */
	struct uapi_place place;
	struct uapi_client *clients[UAPI_CLIENTS_MAX]; /* owned; NULL: free */
	struct acceptor acceptor;
	ev_io place_changed;
	ev_tstamp idle; /* seconds, UAPI_IDLE_SECONDS unless changed before a client comes */
};

/*! Sets everything to "not there", so that uapi_server_stop() is safe from here on. */
void uapi_server_init(struct uapi_server *server);

/*!
 * Begins to serve.
 * \param server   initialised; stays where it is until it is stopped
 * \param fd       of uapi_listen(), or passed uapi_listen_adopt(); owned by the server when this
 *                 succeeds
 * \param ops      kept, not copied
 * \param context  handed to each of them
 * \return 0, or a negated errno value: the socket's file cannot be watched
 */
must_check int uapi_server_start(struct uapi_server *server, struct ev_loop *loop, int fd,
				 const struct uapi_ops *ops, void *context);

/*!
 * Drops all clients and closes the socket; safe twice.
 * \param keep  leave the socket's file, for a successor that has the descriptor
 */
void uapi_server_stop(struct uapi_server *server, bool keep);

#endif
