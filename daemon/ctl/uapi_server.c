/* The server of WireGuard's text protocol; see uapi_server.h. Connections: uapi_client.c. */
#include "daemon/ctl/uapi_server.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/ctl/uapi_client.h"

static struct uapi_client **free_slot(struct uapi_server *server)
{
	for (size_t i = 0; i < UAPI_CLIENTS_MAX; i++) {
		if (server->clients[i] == NULL)
			return &server->clients[i];
	}
	return NULL;
}

static int take(void *context, int fd)
{
	struct uapi_server *server = context;

	return uapi_client_open(server, free_slot(server), fd);
}

static void on_place_changed(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct uapi_server *server = watcher->data;

	(void)events;
	if (!uapi_place_is_gone(&server->place))
		return;
	ev_io_stop(loop, watcher);
	server->ops->gone(server->context);
}

void uapi_server_init(struct uapi_server *server)
{
	memset(server, 0, sizeof(*server));
	server->fd = -1;
	server->place = (struct uapi_place)UAPI_PLACE_NULL;
	server->idle = UAPI_IDLE_SECONDS;
}

int uapi_server_start(struct uapi_server *server, struct ev_loop *loop, int fd,
		      const struct uapi_ops *ops, void *context)
{
	int r = uapi_place_open(&server->place, fd);

	if (r == 0)
		r = uapi_place_watch(&server->place);
	if (r < 0) {
		uapi_place_close(&server->place, false);
		return r;
	}
	server->loop = loop;
	server->ops = ops;
	server->context = context;
	server->fd = fd;
	server->acceptor.take = take;
	server->acceptor.context = server;
	server->acceptor.n_clients_max = UAPI_CLIENTS_MAX;
	acceptor_start(&server->acceptor, loop, fd);
	if (server->place.inotify_fd >= 0) {
		ev_io_init(&server->place_changed, on_place_changed, server->place.inotify_fd,
			   EV_READ);
		server->place_changed.data = server;
		ev_io_start(loop, &server->place_changed);
	}
	return 0;
}

void uapi_server_stop(struct uapi_server *server, bool keep)
{
	if (server->fd < 0)
		return;
	acceptor_stop(&server->acceptor);
	ev_io_stop(server->loop, &server->place_changed);
	uapi_place_close(&server->place, !keep);
	close(server->fd);
	server->fd = -1;
	for (size_t i = 0; i < UAPI_CLIENTS_MAX; i++) {
		if (server->clients[i] != NULL)
			uapi_client_close(server->clients[i]);
	}
}
