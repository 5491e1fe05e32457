/* The server of WireGuard's text protocol; see uapi_server.h. Connections: uapi_client.c. */
#include "daemon/ctl/uapi_server.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/ctl/uapi_client.h"

/* How long accept() is left alone when it found no descriptor or no memory. */
#define RETRY_SECONDS 1.0

static struct uapi_client **free_slot(struct uapi_server *server)
{
	for (size_t i = 0; i < UAPI_CLIENTS_MAX; i++) {
		if (server->clients[i] == NULL)
			return &server->clients[i];
	}
	return NULL;
}

static bool is_shortage(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

/* One a turn, so that a crowd cannot keep the loop from its other work. */
static void on_acceptable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct uapi_server *server = watcher->data;
	struct uapi_client **slot = free_slot(server);
	int fd;

	(void)events;
	if (slot == NULL) {
		ev_io_stop(loop, watcher);
		return;
	}
	fd = accept4(server->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	/* Who waits makes the socket readable again at once, and the loop would spin. */
	if ((fd < 0 && is_shortage(errno)) || (fd >= 0 && uapi_client_open(server, slot, fd) < 0)) {
		ev_io_stop(loop, watcher);
		ev_timer_set(&server->retry, RETRY_SECONDS, 0.0);
		ev_timer_start(loop, &server->retry);
	}
}

void uapi_server_resume(struct uapi_server *server)
{
	if (server->fd >= 0 && !ev_is_active(&server->retry))
		ev_io_start(server->loop, &server->acceptable);
}

static void on_retry(struct ev_loop *loop, ev_timer *watcher, int events)
{
	(void)loop;
	(void)events;
	uapi_server_resume(watcher->data);
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

	if (r < 0)
		return r;
	server->loop = loop;
	server->ops = ops;
	server->context = context;
	server->fd = fd;
	ev_io_init(&server->acceptable, on_acceptable, fd, EV_READ);
	ev_timer_init(&server->retry, on_retry, RETRY_SECONDS, 0.0);
	server->acceptable.data = server;
	server->retry.data = server;
	ev_io_start(loop, &server->acceptable);
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
	ev_io_stop(server->loop, &server->acceptable);
	ev_io_stop(server->loop, &server->place_changed);
	ev_timer_stop(server->loop, &server->retry);
	uapi_place_close(&server->place, !keep);
	close(server->fd);
	server->fd = -1;
	for (size_t i = 0; i < UAPI_CLIENTS_MAX; i++) {
		if (server->clients[i] != NULL)
			uapi_client_close(server->clients[i]);
	}
}
