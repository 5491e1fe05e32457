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

#include <jansson.h>

#include "daemon/ctl/status_json.h"

/* How long the counters are awaited, and how long a client may take to read. */
#define COUNTERS_SECONDS 0.25
#define CLIENT_SECONDS   2.0
/* The service's group may ask. */
#define MODE 0660

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
	acceptor_release(&server->acceptor);
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

static char *make_text(const struct status_server *server)
{
	struct link_status status;

	if (server->ops->say)
		return server->ops->say(server->context);
	server->ops->get(server->context, &status);
	return status_json(&status);
}

static void answer(struct status_client *client)
{
	struct status_server *server = client->server;

	client->text = make_text(server);
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
	if (server->ops->say) {
		answer(client);
		return;
	}
	ev_timer_start(server->loop, &client->timer);
	server->ops->ask(server->context);
}

static int take(void *context, int fd)
{
	struct status_server *server = context;
	struct status_client *client = free_client(server);

	if (client == NULL) {
		close(fd);
		return -ENOMEM;
	}
	open_client(server, client, fd);
	return 0;
}

void status_server_init(struct status_server *server)
{
	memset(server, 0, sizeof(*server));
	server->fd = server->kept_fd = -1;
	server->place = (struct uapi_place)UAPI_PLACE_NULL;
	/* It reads a file the first time, and the process may not do that for long. */
	json_object_seed(0);
}

/* The socket in its directory. \param kept_fd  or -1 \return a descriptor or a negated errno value
 */
static int listen_in(const char *dir, const char *name, const char *socket_name, int kept_fd,
		     struct uapi_place *place)
{
	char link_dir[PATH_MAX];
	int n = snprintf(link_dir, sizeof(link_dir), "%s/%s", dir, name);
	int fd, r;

	if (n < 0 || n >= (int)sizeof(link_dir))
		return -ENAMETOOLONG;
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return -errno;
	fd = uapi_listen_again(kept_fd, link_dir, socket_name, MODE, link_dir);
	if (fd < 0)
		return fd;
	r = uapi_place_open(place, fd);
	if (r < 0)
		close(fd);
	return r < 0 ? r : fd;
}

int status_server_start(struct status_server *server, struct ev_loop *loop, const char *dir,
			const char *name, const struct status_ops *ops, void *context)
{
	const char *socket_name = ops->socket ? ops->socket : STATUS_SOCKET;
	int fd = listen_in(dir, name, socket_name, server->kept_fd, &server->place);

	server->kept_fd = -1;
	if (fd < 0)
		return fd;
	server->loop = loop;
	server->ops = ops;
	server->context = context;
	server->fd = fd;
	server->acceptor.take = take;
	server->acceptor.context = server;
	server->acceptor.n_clients_max = STATUS_CLIENTS_MAX;
	acceptor_start(&server->acceptor, loop, fd);
	return 0;
}

void status_server_stop(struct status_server *server)
{
	char dir[sizeof(server->place.path)];
	char *slash;

	if (server->fd < 0)
		return;
	acceptor_stop(&server->acceptor);
	memcpy(dir, server->place.path, sizeof(dir));
	uapi_place_close(&server->place, !server->keeps_place);
	close(server->fd);
	server->fd = -1;
	for (size_t i = 0; i < STATUS_CLIENTS_MAX; i++)
		close_client(&server->clients[i]);
	/* The directory goes unless somebody, systemd for instance, keeps things in it. */
	slash = strrchr(dir, '/');
	if (slash && !server->keeps_place) {
		*slash = '\0';
		rmdir(dir);
	}
}
