/*
 * One connection: bytes are gathered until a request is whole, then it is answered, then the next
 * one in the buffer. See uapi_server.h for limits and ownership.
 */
#include "daemon/ctl/uapi_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Read at most at once, so that one client cannot hold the loop. */
#define CHUNK 65536
/* Either operation, with the end of its line. */
#define OPERATION_LEN 6

struct uapi_client {
	struct uapi_server *server;
	struct uapi_client **slot;
	ev_io io;
	ev_timer idle;
	struct uapi_buf in;  /* a request, as far as it has come, and what follows it */
	struct uapi_buf out; /* what the client has not read yet */
	size_t n_sent;       /* of `out` */
	size_t n_searched;   /* of `in`: the end of the request is not there */
	bool is_too_long;    /* the request: it is read to its end, but not kept */
	bool is_behind;      /* `in` may hold a whole request */
	bool is_ending;      /* when `out` is sent */
};

enum step {
	STEP_WAIT, /* the request is not whole */
	STEP_NEXT, /* it is answered */
	STEP_END,  /* the connection is of no use any more */
};

void uapi_client_close(struct uapi_client *client)
{
	struct uapi_server *server = client->server;

	ev_io_stop(server->loop, &client->io);
	ev_timer_stop(server->loop, &client->idle);
	close(client->io.fd);
	uapi_buf_deinit(&client->in);
	uapi_buf_deinit(&client->out);
	*client->slot = NULL;
	free(client);
	acceptor_release(&server->acceptor);
}

static void refuse(struct uapi_client *client, int error, const char *reason)
{
	client->server->ops->refused(client->server->context, error, reason);
}

static void add_errno(struct uapi_client *client, int value)
{
	uapi_buf_print(&client->out, "errno=%d\n\n", value);
}

/* `wg` wants the number positive in the answer to a get and negative in the answer to a set. */
static void answer_get(struct uapi_client *client)
{
	struct uapi_view view = { 0 };
	int r;

	client->server->ops->get(client->server->context, &view);
	r = uapi_get(&view, &client->out);
	if (r < 0) {
		refuse(client, r, "cannot be answered: memory is short");
		add_errno(client, -r);
	}
}

static void answer_set(struct uapi_client *client, const char *lines, size_t len)
{
	const struct uapi_ops *ops = client->server->ops;
	void *context = client->server->context;
	struct uapi_edit edit;
	int r = uapi_set(lines, len, ops->running(context), &edit);

	if (r < 0)
		refuse(client, r, edit.reason);
	else
		r = ops->set(context, &edit);
	uapi_edit_deinit(&edit);
	add_errno(client, r);
}

/* Drops the first request, whose end is known, and looks for the next one from its start. */
static void drop_request(struct uapi_client *client, size_t len)
{
	uapi_buf_drop(&client->in, len);
	client->n_searched = 0;
	client->is_too_long = false;
}

static enum step step_get(struct uapi_client *client)
{
	if (client->in.len == OPERATION_LEN)
		return STEP_WAIT;
	if (client->in.bytes[OPERATION_LEN] == '\n') {
		answer_get(client);
	} else {
		refuse(client, -EINVAL, "has no empty line behind get=1");
		add_errno(client, EINVAL);
		client->is_ending = true;
	}
	drop_request(client, OPERATION_LEN + 1);
	return STEP_NEXT;
}

/* \param len  of the request, with the end of its last line, without the empty one */
static void finish_set(struct uapi_client *client, size_t len)
{
	if (client->is_too_long) {
		refuse(client, -EMSGSIZE, "has more than 16 MiB");
		add_errno(client, -EMSGSIZE);
	} else if (client->in.bytes[len - 1] != '\n') {
		refuse(client, -EPROTO, "ends in the middle of a line");
		add_errno(client, -EPROTO);
	} else {
		answer_set(client, client->in.bytes + OPERATION_LEN, len - OPERATION_LEN);
	}
}

/* Of a request that is too long only what its end may be part of is kept. */
static void keep_tail(struct uapi_client *client)
{
	uapi_buf_drop(&client->in, client->in.len - 1);
	client->n_searched = client->in.len;
	client->is_too_long = true;
}

static enum step step_set(struct uapi_client *client)
{
	struct uapi_buf *in = &client->in;
	size_t from = client->n_searched > 0 ? client->n_searched - 1 : 0;
	const char *end = memmem(in->bytes + from, in->len - from, "\n\n", 2);
	size_t len;

	client->n_searched = in->len;
	if (end == NULL) {
		if (in->len >= UAPI_REQUEST_MAX || (client->is_too_long && in->len > 1))
			keep_tail(client);
		return STEP_WAIT;
	}
	len = (size_t)(end - in->bytes) + 1;
	finish_set(client, len);
	drop_request(client, len + 1);
	return STEP_NEXT;
}

/* Whether what has come of the request may begin this operation. */
static bool may_be(const struct uapi_client *client, const char *operation)
{
	return memcmp(client->in.bytes, operation, MIN(client->in.len, OPERATION_LEN)) == 0;
}

static enum step step(struct uapi_client *client)
{
	bool may_get, may_set;

	if (client->in.len == 0)
		return STEP_WAIT;
	if (client->is_too_long)
		return step_set(client);
	may_get = may_be(client, "get=1\n");
	may_set = may_be(client, "set=1\n");
	if (!may_get && !may_set) {
		refuse(client, -EPROTO, "begins with neither get=1 nor set=1");
		return STEP_END;
	}
	if (client->in.len < OPERATION_LEN)
		return STEP_WAIT;
	return may_get ? step_get(client) : step_set(client);
}

/* Sends what the socket takes. Returns false when the client is gone. */
static bool flush(struct uapi_client *client)
{
	struct uapi_buf *out = &client->out;

	while (client->n_sent < out->len) {
		ssize_t n = send(client->io.fd, out->bytes + client->n_sent,
				 out->len - client->n_sent, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		client->n_sent += (size_t)n;
		ev_timer_again(client->server->loop, &client->idle);
	}
	uapi_buf_deinit(out);
	client->n_sent = 0;
	return true;
}

static bool has_output(const struct uapi_client *client)
{
	return client->out.len > 0;
}

/* Answers one request, if one is whole. Returns false when the connection is to be closed. */
static bool work(struct uapi_client *client)
{
	enum step done = step(client);

	if (done == STEP_WAIT)
		return true;
	if (done == STEP_END || client->out.is_broken || !flush(client))
		return false;
	client->is_behind = client->in.len > 0;
	return has_output(client) || !client->is_ending;
}

/* The client has nothing more to say, which is the end of a set without its empty line: it counts,
   as with wireguard-go, unless the client was cut off in the middle of a line: half a prefix or
   port would be another one. Returns false when the connection is to be closed. */
static bool end_input(struct uapi_client *client)
{
	size_t len = client->in.len;

	if (!client->is_too_long && (len < OPERATION_LEN || !may_be(client, "set=1\n")))
		return false;
	finish_set(client, len);
	drop_request(client, len);
	client->is_ending = true;
	return !client->out.is_broken && flush(client) && has_output(client);
}

/* Returns false when the connection is to be closed: at its end, or because memory is short. */
static bool take_in(struct uapi_client *client)
{
	struct uapi_buf *in = &client->in;
	ssize_t n;

	if (in->len == in->size && !uapi_buf_reserve(in, 1)) {
		refuse(client, -ENOMEM, "cannot be read: memory is short");
		return false;
	}
	n = recv(client->io.fd, in->bytes + in->len, MIN(in->size - in->len, CHUNK), 0);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return end_input(client);
	in->len += (size_t)n;
	ev_timer_again(client->server->loop, &client->idle);
	return true;
}

/* Does one of three things a turn, and answers one request at most: send what is left of an
   answer, go on with what was read, or read. */
static bool go_on(struct uapi_client *client)
{
	if (has_output(client)) {
		if (!flush(client))
			return false;
		if (has_output(client))
			return true;
		if (client->is_ending)
			return false;
	} else if (!client->is_behind && !take_in(client)) {
		return false;
	}
	client->is_behind = false;
	return work(client);
}

static void on_ready(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct uapi_client *client = watcher->data;
	int wanted;

	(void)events;
	if (!go_on(client)) {
		uapi_client_close(client);
		return;
	}
	/* A client that is behind is served again in the loop's next turn, after the others. */
	wanted = has_output(client) || client->is_behind ? EV_WRITE : EV_READ;
	if (wanted != (watcher->events & (EV_READ | EV_WRITE))) {
		ev_io_stop(loop, watcher);
		ev_io_set(watcher, watcher->fd, wanted);
		ev_io_start(loop, watcher);
	}
}

static void on_idle(struct ev_loop *loop, ev_timer *watcher, int events)
{
	(void)loop;
	(void)events;
	uapi_client_close(watcher->data);
}

int uapi_client_open(struct uapi_server *server, struct uapi_client **slot, int fd)
{
	struct uapi_client *client = calloc(1, sizeof(*client));

	if (client == NULL) {
		close(fd);
		return -ENOMEM;
	}
	client->server = server;
	client->slot = slot;
	*slot = client;
	ev_io_init(&client->io, on_ready, fd, EV_READ);
	ev_timer_init(&client->idle, on_idle, 0.0, server->idle);
	client->io.data = client;
	client->idle.data = client;
	ev_io_start(server->loop, &client->io);
	ev_timer_again(server->loop, &client->idle);
	return 0;
}
