/* The control socket of a link; see status_server.h. */
#include "daemon/ctl/status_server.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/ctl/status_json.h"

/* How long the counters are awaited, how long a client may take to read, and how long accept() is
 * left alone when it found no descriptor. */
#define COUNTERS_SECONDS 0.25
#define CLIENT_SECONDS   2.0
#define RETRY_SECONDS    1.0

static void close_client(struct status_client *client)
{
	struct status_server *server = client->server;

	if (server == NULL)
		return;
	ev_io_stop(server->loop, &client->writable);
	ev_timer_stop(server->loop, &client->timer);
	close(client->fd);
	free(client->text);
	memset(client, 0, sizeof(*client));
	/* There is room for another one. */
	if (server->fd >= 0 && !ev_is_active(&server->retry))
		ev_io_start(server->loop, &server->acceptable);
}

static void on_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct status_client *client = watcher->data;
	ssize_t n = send(client->fd, client->text + client->n_sent, client->len - client->n_sent,
			 MSG_NOSIGNAL | MSG_DONTWAIT);

	(void)loop;
	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		client->n_sent += (size_t)n;
	if (n < 0 || client->n_sent == client->len)
		close_client(client);
}

static void answer(struct status_client *client)
{
	struct status_server *server = client->server;
	struct link_status status;

	server->ops->get(server->context, &status);
	client->text = status_json(&status);
	if (client->text == NULL) {
		close_client(client);
		return;
	}
	client->len = strlen(client->text);
	/* The NUL gives its place to the end of the line. */
	client->text[client->len++] = '\n';
	ev_timer_stop(server->loop, &client->timer);
	ev_timer_set(&client->timer, CLIENT_SECONDS, 0.0);
	ev_timer_start(server->loop, &client->timer);
	ev_io_start(server->loop, &client->writable);
}

/* The counters do not come, or the client does not read. */
static void on_timer(struct ev_loop *loop, ev_timer *watcher, int events)
{
	struct status_client *client = watcher->data;

	(void)loop;
	(void)events;
	if (client->text)
		close_client(client);
	else
		answer(client);
}

void status_server_answer(struct status_server *server)
{
	for (size_t i = 0; i < STATUS_CLIENTS_MAX; i++) {
		if (server->clients[i].server && !server->clients[i].text)
			answer(&server->clients[i]);
	}
}

static struct status_client *free_client(struct status_server *server)
{
	for (size_t i = 0; i < STATUS_CLIENTS_MAX; i++) {
		if (server->clients[i].server == NULL)
			return &server->clients[i];
	}
	return NULL;
}

static void open_client(struct status_server *server, struct status_client *client, int fd)
{
	client->server = server;
	client->fd = fd;
	ev_io_init(&client->writable, on_writable, fd, EV_WRITE);
	ev_timer_init(&client->timer, on_timer, COUNTERS_SECONDS, 0.0);
	client->writable.data = client;
	client->timer.data = client;
	ev_timer_start(server->loop, &client->timer);
	server->ops->ask(server->context);
}

/* One a turn, so that a crowd cannot keep the loop from its other work. */
static void on_acceptable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct status_server *server = watcher->data;
	struct status_client *client = free_client(server);
	int fd;

	(void)events;
	if (client == NULL) {
		ev_io_stop(loop, watcher);
		return;
	}
	fd = accept4(server->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0) {
		open_client(server, client, fd);
	} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
		/* Who waits makes the socket readable again at once, and the loop would spin. */
		ev_io_stop(loop, watcher);
		ev_timer_set(&server->retry, RETRY_SECONDS, 0.0);
		ev_timer_start(loop, &server->retry);
	}
}

static void on_retry(struct ev_loop *loop, ev_timer *watcher, int events)
{
	struct status_server *server = watcher->data;

	(void)events;
	ev_io_start(loop, &server->acceptable);
}

void status_server_init(struct status_server *server)
{
	memset(server, 0, sizeof(*server));
	server->fd = -1;
	server->place = (struct uapi_place)UAPI_PLACE_NULL;
}

/* The socket in its directory. \return a descriptor or a negated errno value */
static int listen_in(const char *dir, const char *name, struct uapi_place *place)
{
	char link_dir[PATH_MAX];
	int n = snprintf(link_dir, sizeof(link_dir), "%s/%s", dir, name);
	int fd, r;

	if (n < 0 || n >= (int)sizeof(link_dir))
		return -ENAMETOOLONG;
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return -errno;
	fd = uapi_listen(link_dir, STATUS_SOCKET);
	if (fd < 0)
		return fd;
	r = uapi_place_open(place, fd);
	if (r == 0 && chmod(place->path, 0660) < 0)
		r = -errno;
	if (r < 0) {
		uapi_place_close(place, true);
		close(fd);
	}
	return r < 0 ? r : fd;
}

int status_server_start(struct status_server *server, struct ev_loop *loop, const char *dir,
			const char *name, const struct status_ops *ops, void *context)
{
	int fd = listen_in(dir, name, &server->place);

	if (fd < 0)
		return fd;
	server->loop = loop;
	server->ops = ops;
	server->context = context;
	server->fd = fd;
	ev_io_init(&server->acceptable, on_acceptable, fd, EV_READ);
	ev_timer_init(&server->retry, on_retry, RETRY_SECONDS, 0.0);
	server->acceptable.data = server;
	server->retry.data = server;
	ev_io_start(loop, &server->acceptable);
	return 0;
}

void status_server_stop(struct status_server *server)
{
	char dir[sizeof(server->place.path)];
	char *slash;

	if (server->fd < 0)
		return;
	ev_io_stop(server->loop, &server->acceptable);
	ev_timer_stop(server->loop, &server->retry);
	memcpy(dir, server->place.path, sizeof(dir));
	uapi_place_close(&server->place, true);
	close(server->fd);
	server->fd = -1;
	for (size_t i = 0; i < STATUS_CLIENTS_MAX; i++)
		close_client(&server->clients[i]);
	/* The directory goes unless somebody, systemd for instance, keeps things in it. */
	slash = strrchr(dir, '/');
	if (slash) {
		*slash = '\0';
		rmdir(dir);
	}
}
